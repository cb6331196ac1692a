# SPDX-License-Identifier: MIT
"""Clients of other people's test servers against ours: the program itself where there is one, else what it sends."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from clients import SpeedtestHome, words
from dialects import IMAGES
from program import PATIENCE, Serve, die_with_parent

MIB = 1 << 20
CURL = unittest.skipUnless(shutil.which("curl"), "curl is not installed")


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Serve()
        cls.addClassCleanup(cls.server.stop)

    def connect(self):
        c = http.client.HTTPConnection(*self.server.address, timeout=PATIENCE)
        self.addCleanup(c.close)
        return c

    def ask(self, c, method, path, body=None, headers=(), status=200):
        """One request on a connection that stays; the body of the answer."""
        c.request(method, path, body, dict(headers))
        r = c.getresponse()
        got = r.read()
        self.assertEqual(r.status, status, (path, r.getheaders(), got[:200]))
        self.answer = r
        return got

    def counted(self):
        """Test data as the server counts it: received, sent."""
        text = self.ask(self.connect(), "GET", "/metrics").decode()
        return tuple(int(re.search(rf"^sonde_server_{way}_bytes_total (\d+)$", text, re.M)[1])
            for way in ("received", "sent"))

    def is_alive(self):
        self.ask(self.connect(), "GET", "/ping", status=204)


@unittest.skipUnless(shutil.which("speedtest-cli"), "speedtest-cli is not installed")
class SpeedtestCli(Client):
    # What it says is a body of 65,536 bytes is seven shorter, and it waits for the answer all the same.
    UPLOADS = [32768, 65536 - 7, 131072, 262144, 524288, 1048576, 7340032]

    def run_it(self, url, *options):
        with SpeedtestHome(PATIENCE // 3, times=1, uploads=len(self.UPLOADS)) as home:
            p = subprocess.run([*words(url), *options], env=home.environment(self.server.address[0]), timeout=PATIENCE,
                capture_output=True, text=True, preexec_fn=die_with_parent)
        self.assertEqual((p.returncode, p.stderr), (0, ""), p.stdout)
        return json.loads(p.stdout)

    def test_mini_measures_both_ways_and_both_ends_count_the_same(self):
        received, sent = self.counted()
        d = self.run_it(self.server.url)
        now_received, now_sent = self.counted()
        self.assertEqual((d["bytes_received"], now_sent - sent), (sum(IMAGES.values()),) * 2, d)
        self.assertEqual(now_received - received, sum(self.UPLOADS))
        # It counts what it meant to send.
        self.assertAlmostEqual(d["bytes_sent"], sum(self.UPLOADS), delta=100)
        self.assertTrue(0 < d["ping"] < 1000, d)
        self.assertTrue(1e6 < d["download"] < 1e12 and 1e5 < d["upload"] < 1e12, d)

    def test_a_slash_at_the_end_of_the_url_is_no_difference(self):
        d = self.run_it(self.server.url + "/", "--no-upload", "--single")
        self.assertEqual((d["bytes_received"], d["bytes_sent"]), (sum(IMAGES.values()), 0), d)


class Pyspeedtest(Client):
    """One connection for its pings; then two at once, each request of a round only after all of the one before."""

    HEAD = {"Accept-Encoding": "identity", "Connection": "Keep-Alive"}

    def test_it_pings_downloads_and_is_told_how_much_it_sent(self):
        c = self.connect()
        for i in range(5):
            self.assertTrue(self.ask(c, "GET", f"/speedtest/latency.txt?x=32908537956{i}", headers=self.HEAD))
        pair = [self.connect(), self.connect()]
        with ThreadPoolExecutor(2) as pool:
            for width in (350, 500, 1500):
                path = f"/speedtest/random{width}x{width}.jpg?x=1795406545607"
                got = list(pool.map(lambda c: len(self.ask(c, "GET", path, headers=self.HEAD)), pair))
                self.assertEqual(got, [IMAGES[width]] * 2)
            for n in (132884, 493638):
                body = b"content0=" + b"x" * n
                answers = list(pool.map(lambda c: self.ask(c, "POST", "/speedtest/upload.php?x=750332307935", body,
                    {**self.HEAD, "Content-Type": "application/x-www-form-urlencoded"}), pair))
                # It takes what stands behind the first "=" for a number.
                self.assertEqual([int(a.split(b"=")[1]) for a in answers], [len(body)] * 2, answers)


class LibreSpeed(Client):
    AGENT = {"User-Agent": "librespeed-cli/1.0.13 (linux; amd64)", "Accept-Encoding": "identity"}
    LAYOUTS = ("/backend/%s.php", "/%s.php", "/backend/%s", "/%s")

    def endless(self, path):
        """A chunked upload without an end, broken off by a reset."""
        s = socket.create_connection(self.server.address, timeout=PATIENCE)
        s.sendall(f"POST {path} HTTP/1.1\r\nHost: {self.server.target}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(16):
            s.sendall(b"8000\r\n" + b"\0" * 0x8000 + b"\r\n")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        s.close()

    def test_the_program_finds_the_server_and_moves_data_both_ways(self):
        for layout in self.LAYOUTS:
            with self.subTest(layout):
                c = self.connect()
                for _ in range(3):
                    self.assertEqual(self.ask(c, "GET", layout % "empty", headers=self.AGENT), b"")
                where = json.loads(self.ask(c, "GET", layout % "getIP" + "?distance=km&isp=true", headers=self.AGENT))
                self.assertIn(self.server.address[0], where["processedString"])
                self.assertEqual(len(self.ask(c, "GET", layout % "garbage" + "?ckSize=3", headers=self.AGENT)), 3 * MIB)
                for _ in range(3):
                    self.assertEqual(self.ask(c, "POST", layout % "empty", b"\0" * MIB, self.AGENT), b"")

    def test_uploads_that_never_end_and_downloads_that_are_broken_off_harm_nobody(self):
        received, _ = self.counted()
        for _ in range(5):
            self.endless("/empty.php")
            c = self.connect()
            c.request("GET", "/garbage.php?ckSize=100", headers=self.AGENT)
            self.assertEqual(len(c.getresponse().read(MIB)), MIB)
            c.close()
        self.is_alive()
        self.assertGreater(self.counted()[0], received)

    def test_a_page_from_elsewhere_may_measure_where_that_was_allowed(self):
        page = {"Origin": "http://192.0.2.1:8000"}
        path = "/backend/empty.php?cors=true&r=0.5"
        with Serve("--cors") as server:
            c = http.client.HTTPConnection(*server.address, timeout=PATIENCE)
            self.addCleanup(c.close)
            c.request("OPTIONS", path, headers={**page, "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-encoding"})
            r = c.getresponse()
            r.read()
            self.assertEqual(r.status // 100, 2)
            self.assertIn("content-encoding", r.headers["Access-Control-Allow-Headers"].lower())
            self.ask(c, "POST", path, b"\0" * MIB, {**page, "Content-Encoding": "identity"})
            self.assertEqual(self.answer.headers["Access-Control-Allow-Origin"], "*")


class OpenSpeedTest(Client):
    def test_its_page_pings_downloads_and_uploads_30_MiB(self):
        c = self.connect()
        for _ in range(10):
            self.assertEqual(self.ask(c, "GET", "/upload?n=0.123"), b"")
        self.assertGreaterEqual(len(self.ask(c, "GET", "/downloading?n=0.123")), 30_000_000)
        self.assertEqual(self.answer.headers["Cache-Control"], "no-store")
        received, _ = self.counted()
        self.ask(c, "POST", "/upload?n=0.123", bytes(30 * MIB), {"Content-Type": "application/octet-stream"})
        self.assertEqual(self.counted()[0] - received, 30 * MIB)
        self.ask(c, "HEAD", "/upload")


@CURL
class Cloudflare(Client):
    def curl(self, *args):
        p = subprocess.run(["curl", "-sS", "-m", str(PATIENCE), *args], capture_output=True, timeout=PATIENCE)
        self.assertEqual((p.returncode, p.stderr), (0, b""))
        return p.stdout

    def down(self, n):
        return self.curl("-o", os.devnull, "-D", "-", "-w", "%{size_download}",
            f"{self.server.url}/__down?bytes={n}&during=download").decode()

    def test_it_gets_exactly_what_it_asks_for_and_how_long_the_server_thought(self):
        for n in (0, 100_000, 1_000_000, 10_000_000, 25_000_000):
            head, _, size = self.down(n).rpartition("\r\n\r\n")
            self.assertEqual(int(size), n, head)
            self.assertRegex(head, r"(?i)\r\nserver-timing: cfRequestDuration;dur=[\d.]+")

    def test_what_it_sends_is_read_to_its_end(self):
        for n in (0, 100_000, 10_000_000):
            received, _ = self.counted()
            p = subprocess.run(["curl", "-sS", "-m", str(PATIENCE), "-o", os.devnull, "-w", "%{http_code}",
                "-H", "Content-Type: text/plain;charset=UTF-8", "--data-binary", "@-",
                f"{self.server.url}/__up?bytes={n}"], input=b"0" * n, capture_output=True, timeout=PATIENCE)
            self.assertEqual((p.stdout, p.stderr), (b"200", b""))
            self.assertEqual(self.counted()[0] - received, n)


if __name__ == "__main__":
    unittest.main()
