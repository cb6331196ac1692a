# SPDX-License-Identifier: MIT
"""Real servers of other people, each serving one folder on a free port of the loopback until its with block ends."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from program import PATIENCE, die_with_parent, environment


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


class Peer:
    """A program that serves `folder` in the foreground. `words(port)` is what is typed; subclasses say that."""

    name = ""
    wants = ""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.state = tempfile.TemporaryDirectory()
        # Others may be given the same free port: try another one then.
        for _ in range(5):
            self.port = free_port()
            with open(Path(self.state.name, "log"), "wb") as log:
                self.process = subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env=environment({"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}),
                    preexec_fn=die_with_parent)
            if self._answers():
                break
        else:
            said = Path(self.state.name, "log").read_text(errors="replace")
            self.state.cleanup()
            raise AssertionError(f"{self.name} does not start: {said}")
        self.target = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.target}"

    def _answers(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            except OSError:
                time.sleep(0.02)
        self.stop()
        return False

    def words(self):
        raise NotImplementedError

    def file(self, name, text):
        path = Path(self.state.name, name)
        path.write_text(text)
        return str(path)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.state.cleanup()

    @classmethod
    def missing(cls):
        """Why it cannot be had here; "" where it can."""
        found = shutil.which(cls.wants, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        return "" if found else f"{cls.wants} is not installed"


class Python(Peer):
    name, wants = "python3 -m http.server", "python3"

    def words(self):
        return [sys.executable, "-m", "http.server", str(self.port), "--bind", "127.0.0.1", "-d", str(self.folder)]


class Python11(Python):
    """The same, and connections are kept."""

    name = "python3 -m http.server -p HTTP/1.1"

    def words(self):
        return [*super().words(), "-p", "HTTP/1.1"]

    @classmethod
    def missing(cls):
        return "" if sys.version_info >= (3, 11) else "this python3 cannot speak HTTP/1.1 (3.11 and later can)"


class PythonOne(Python):
    """One connection at a time, closed after each answer: like the simplest servers of small devices."""

    name = "http.server.HTTPServer"

    def words(self):
        program = ("import http.server as h, functools as f; "
            f"handler = f.partial(h.SimpleHTTPRequestHandler, directory={str(self.folder)!r}); "
            f"h.HTTPServer(('127.0.0.1', {self.port}), handler).serve_forever()")
        return [sys.executable, "-c", program]


class Nginx(Peer):
    name, wants = "nginx", "nginx"

    def words(self):
        state = self.state.name
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        conf = self.file("nginx.conf", f"""
            daemon off; master_process off; pid {state}/pid; error_log stderr crit;
            events {{ }}
            http {{
                access_log off; sendfile on; client_max_body_size 1g; default_type application/octet-stream;
                {"".join(f"{kind}_temp_path {state}/{kind};" for kind in kinds)}
                server {{ listen 127.0.0.1:{self.port}; root {self.folder}; autoindex on; }}
            }}
            """)
        return ["nginx", "-c", conf, "-e", "stderr"]


class Lighttpd(Peer):
    name, wants = "lighttpd", "lighttpd"

    def words(self):
        conf = self.file("lighttpd.conf", f"""
            server.bind = "127.0.0.1"
            server.port = {self.port}
            server.document-root = "{self.folder}"
            server.modules = ( "mod_dirlisting" )
            server.upload-dirs = ( "{self.state.name}" )
            dir-listing.activate = "enable"
            mimetype.assign = ( "" => "application/octet-stream" )
            """)
        return ["lighttpd", "-D", "-f", conf]


class Busybox(Peer):
    """It lists no folder by itself: index.html does."""

    name, wants = "busybox httpd", "busybox"

    def words(self):
        return ["busybox", "httpd", "-f", "-p", f"127.0.0.1:{self.port}", "-h", str(self.folder)]

    @classmethod
    def missing(cls):
        why = super().missing()
        if not why and b"httpd" not in subprocess.run(["busybox", "--list"], capture_output=True).stdout.split():
            why = "this busybox was built without httpd"
        return why
