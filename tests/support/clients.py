# SPDX-License-Identifier: MIT
"""Other people's clients, and what they need to run where there is no internet."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from program import environment


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, kind="text/html; charset=utf-8", status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Background:
    """A server of python's on a free port of the loopback, until the end of the with block."""

    def __init__(self, handler):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        # A client that is killed breaks its connections.
        self.server.handle_error = lambda *_: None
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class SpeedtestHome(Background):
    """
    Stands for www.speedtest.net, which speedtest-cli asks how to measure before it does anything, with --mini too: as
    the proxy of that name alone. It says how much is to be moved, at most `seconds` in each direction: of the ten
    pictures each so many `times`, and uploads of 32 KiB to 7 MiB, `uploads` in all.
    """

    def __init__(self, seconds, times=4, uploads=50):
        config = (f'<?xml version="1.0"?><settings><client ip="192.0.2.1" lat="0.0" lon="0.0" isp="nobody" country="XX"/>'
            '<server-config threadcount="4" ignoreids=""/>'
            f'<download testlength="{seconds}" threadsperurl="{times}"/>'
            f'<upload testlength="{seconds}" ratio="1" threads="2" maxchunkcount="{uploads}"/></settings>').encode()

        class Config(Quiet):
            def do_GET(self):
                known = self.path.startswith("http://www.speedtest.net/speedtest-config.php")
                self.answer(config if known else b"", "text/xml", 200 if known else 404)

        super().__init__(Config)

    def environment(self, host):
        """For a speedtest-cli that measures to this host."""
        env = {k: v for k, v in environment().items() if not k.lower().endswith("_proxy")}
        return {**env, "http_proxy": self.url, "no_proxy": host}


def words(url):
    return ("speedtest-cli", "--mini", url, "--json")


def browser():
    """The words that open a page in a browser that nobody sees, and ends when it is killed; None without one."""
    paths = os.environ.get("PATH", "").split(":")
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if any(os.access(os.path.join(p, name), os.X_OK) for p in paths):
            return (name, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--remote-debugging-port=0")
    return None
