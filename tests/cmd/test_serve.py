# SPDX-License-Identifier: MIT
"""The other end: what a browser, curl and a stranger get from `sonde serve` on the loopback."""

import gzip
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from program import PATIENCE, Serve, die_with_parent, environment, hints, one_error, run, start

CURL = shutil.which("curl")


def talk(address, data, wait=True, patience=PATIENCE):
    """Send bytes as they are, and return all that comes back until the server closes."""
    with socket.create_connection(address, timeout=patience) as s:
        try:
            s.sendall(data)
            if wait:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        got = bytearray()
        try:
            while piece := s.recv(1 << 20):
                got += piece
        except ConnectionResetError:
            pass
        return bytes(got)


def request(address, method, path, body=None, **headers):
    """One exchange by Python's own client: status, fields, body."""
    c = http.client.HTTPConnection(*address, timeout=PATIENCE)
    try:
        c.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
        r = c.getresponse()
        return r.status, r.headers, r.read()
    finally:
        c.close()


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else answer


def curl(*args, data=None):
    p = subprocess.run([CURL, "-sS", "--noproxy", "*", "--max-time", str(PATIENCE), *args], input=data,
        capture_output=True,
        env=environment(), preexec_fn=die_with_parent, timeout=PATIENCE + 5)
    return p.returncode, p.stdout, p.stderr.decode()


class Served(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.serve = Serve(*cls.options, addresses=("127.0.0.1", "::1"))
        cls.addClassCleanup(cls.serve.stop)
        cls.address = cls.serve.address

    def get(self, path, method="GET", **headers):
        return request(self.address, method, path, **headers)

    def raw(self, text, **how):
        return talk(self.address, text.encode("latin-1"), **how)


class Paths(Served):
    def test_the_page_is_html_that_needs_nothing_from_elsewhere(self):
        status, fields, body = self.get("/", **{"Accept-Encoding": "br, gzip"})
        self.assertEqual((status, fields["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertEqual(int(fields["Content-Length"]), len(body))
        if fields["Content-Encoding"]:
            body = gzip.decompress(body)
        self.assertIn(b"<html", body.lower())
        self.assertNotRegex(body.decode(), r"(?i)(src|href)\s*=\s*[\"']?(https?:)?//")

    def test_a_client_without_gzip_is_told_what_this_is(self):
        for asked in {}, {"Accept-Encoding": "identity"}:
            status, fields, body = self.get("/", **asked)
            self.assertEqual((status, fields["Content-Encoding"]), (200, None))
            self.assertIn("sonde" if "html" in fields["Content-Type"] else "in a browser", body.decode())

    def test_info_is_json_with_name_version_and_limits(self):
        status, fields, body = self.get("/info")
        info = json.loads(body)
        self.assertEqual((status, fields["Content-Type"]), (200, "application/json"))
        self.assertEqual((info["schema"], info["type"], info["name"]), (1, "info", "sonde"))
        self.assertEqual("sonde " + info["version"], run("--version").out.strip())
        self.assertGreater(info["limits"]["body_bytes"], 0)

    def test_ping_has_no_content(self):
        status, fields, body = self.get("/ping")
        self.assertEqual((status, body, fields["Content-Length"], fields["Content-Type"]), (204, b"", None, None))

    def test_down_gives_exactly_the_bytes_that_were_asked_for(self):
        for n in (0, 1, 2, 4095, 4096, 4097, 65536, 1048577, 12345678):
            status, fields, body = self.get(f"/down?bytes={n}")
            self.assertEqual((status, int(fields["Content-Length"]), len(body)), (200, n, n))

    def test_what_down_gives_cannot_be_compressed(self):
        body = self.get("/down?bytes=4000000")[2]
        self.assertGreater(len(zlib.compress(body, 6)), len(body) * 0.99)

    def test_down_for_a_time_is_chunked_and_says_how_much_it_was(self):
        began = time.monotonic()
        got = self.raw("GET /down?seconds=0.1 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", wait=False)
        self.assertTrue(0.09 < time.monotonic() - began < 10)
        head, _, rest = got.partition(b"\r\n\r\n")
        self.assertRegex(head, rb"(?i)\r\ntransfer-encoding: chunked")
        total, at = 0, 0
        while True:
            end = rest.index(b"\r\n", at)
            size = int(rest[at:end], 16)
            if size == 0:
                break
            total, at = total + size, end + 2 + size + 2
        self.assertEqual(rest[end:], b"\r\nX-Bytes: %d\r\n\r\n" % total)

    def test_down_for_a_time_to_an_old_client_ends_with_the_connection(self):
        got = self.raw("GET /down?seconds=0.1 HTTP/1.0\r\n\r\n", wait=False)
        head, _, body = got.partition(b"\r\n\r\n")
        self.assertNotRegex(head.lower(), b"content-length|transfer-encoding")
        self.assertGreater(len(body), 1000)

    def test_a_length_that_makes_no_sense_is_400_and_says_what_does(self):
        for query in ("bytes=-1", "bytes=x", "bytes=", "bytes=1e6", "bytes=99999999999999999999", "seconds=0",
                "seconds=-1", "seconds=99999", "seconds=x"):
            status, _, body = self.get("/down?" + query)
            self.assertEqual(status, 400, query)
            self.assertIn(b"/down?bytes=N", body)

    def test_up_counts_what_came(self):
        for n in (0, 1, 4095, 4096, 65537, 5000000):
            status, _, body = request(self.address, "POST", "/up", body=b"x" * n)
            answer = json.loads(body)
            self.assertEqual((status, answer["bytes"]), (200, n))
            self.assertGreaterEqual(answer["seconds"], 0)

    def test_up_counts_the_payload_of_chunks_and_not_their_frame(self):
        pieces = [b"x" * n for n in (1, 15, 16, 17, 4096, 70000)]
        status, _, body = request(self.address, "POST", "/up", body=iter(pieces))
        self.assertEqual((status, json.loads(body)["bytes"]), (200, sum(map(len, pieces))))

    def test_unknown_paths_are_404_and_say_what_there_is(self):
        for path in ("/nothing", "/down/", "/DOWN", "/index.html", "/down.html", "/up/x", "/favicon.ico"):
            status, _, body = self.get(path)
            self.assertEqual(status, 404, path)
            self.assertIn(b"/down?bytes=N", body)

    def test_no_file_of_the_machine_can_be_named(self):
        for path in ("/../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/etc/passwd", "//etc/passwd", "/etc/passwd",
                "/./", "file:///etc/passwd", "http://127.0.0.1/etc/passwd", "/info?file=/etc/passwd"):
            answer = self.raw(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            self.assertNotIn(b"root:", answer[:100000])
            self.assertIn(status_of(answer), (200, 400, 404), path)

    def test_a_method_that_a_path_does_not_know_is_405_and_names_those_it_does(self):
        for method, path, allow in (("POST", "/", "GET, HEAD"), ("POST", "/down", "GET, HEAD"), ("GET", "/up", "POST"),
                ("PUT", "/up", "POST"), ("DELETE", "/info", "GET, HEAD"), ("PUT", "/upload", "GET, HEAD, POST"),
                ("BREW", "/", "GET, HEAD")):
            status, fields, _ = self.get(path, method)
            self.assertEqual((status, fields["Allow"]), (405, allow + ", OPTIONS"), (method, path))

    def test_options_names_the_methods_of_a_path(self):
        for path, allow in (("/ping", "GET, HEAD"), ("/up", "POST"), ("/empty.php", "GET, HEAD, POST")):
            status, fields, body = self.get(path, "OPTIONS")
            self.assertEqual((status, fields["Allow"], body), (204, allow + ", OPTIONS", b""), path)

    def test_head_is_the_head_of_get(self):
        for path in ("/", "/down?bytes=1000000", "/ping", "/small", "/empty", "/speedtest/latency.txt", "/garbage?ckSize=1",
                "/getIP", "/.well-known/nq", "/speedtest/upload.php"):
            got, asked = self.get(path), self.get(path, "HEAD")
            self.assertEqual(asked[0], got[0])
            self.assertEqual(dict(asked[1]), dict(got[1]), path)
            self.assertEqual(asked[2], b"")

    def test_head_of_info_has_no_body_either(self):
        answer = self.raw("HEAD /info HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        self.assertTrue(answer.endswith(b"\r\n\r\n"), answer)
        self.assertRegex(answer, rb"Content-Length: [1-9]")

    def test_nobody_may_store_or_read_across_origins(self):
        _, fields, _ = self.get("/down?bytes=10", Origin="http://example.com")
        self.assertEqual(fields["Cache-Control"], "no-store")
        self.assertEqual([f for f in fields if f.lower().startswith("access-control")], [])

    def test_it_listens_on_ipv6_too(self):
        self.assertEqual(request(("::1", self.serve.port), "GET", "/ping")[0], 204)


class Connections(Served):
    def test_one_connection_serves_one_request_after_another(self):
        c = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        self.addCleanup(c.close)
        c.connect()
        sock = c.sock
        for method, path, body in (("GET", "/ping", None), ("GET", "/down?bytes=100000", None), ("HEAD", "/", None),
                ("POST", "/up", b"x" * 100000), ("GET", "/", None), ("GET", "/down?seconds=0.05", None),
                ("GET", "/info", None)):
            c.request(method, path, body=body)
            r = c.getresponse()
            r.read()
            self.assertLess(r.status, 300, path)
            self.assertIs(c.sock, sock, f"closed after {method} {path}")

    def test_requests_sent_without_waiting_are_answered_in_turn(self):
        answer = self.raw("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n" * 3 +
            "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
            "GET /down?bytes=7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+)", answer), [b"204"] * 3 + [b"200"] * 2)
        self.assertIn(b'{"bytes":5,', answer)

    def test_close_is_honoured(self):
        answer = self.raw("GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", wait=False)
        self.assertIn(b"\r\nConnection: close\r\n", answer)

    def test_an_old_client_gets_the_close_that_it_waits_for(self):
        self.assertEqual(status_of(self.raw("GET /info HTTP/1.0\r\n\r\n", wait=False)), 200)

    def test_a_request_byte_by_byte_is_understood(self):
        with socket.create_connection(self.address, timeout=PATIENCE) as s:
            for byte in b"GET /down?bytes=3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
                s.send(bytes([byte]))
            self.assertEqual(status_of(s.recv(100)), 200)

    def test_a_client_that_waits_for_continue_is_told_to(self):
        with socket.create_connection(self.address, timeout=PATIENCE) as s:
            s.sendall(b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
            self.assertEqual(s.recv(1000), b"HTTP/1.1 100 Continue\r\n\r\n")
            s.sendall(b"abc")
            self.assertIn(b'{"bytes":3,', s.recv(10000))

    def test_two_downloads_at_once_are_both_complete(self):
        n = 100_000_000
        with ThreadPoolExecutor(2) as pool:
            for status, _, body in pool.map(self.get, [f"/down?bytes={n}"] * 2):
                self.assertEqual((status, len(body)), (200, n))

    def test_two_checks_at_once_are_both_measured(self):
        with ThreadPoolExecutor(2) as pool:
            for r in pool.map(lambda _: run("check", "--time", "500ms", "-c", "2", "-f", "json", self.serve.target),
                    range(2)):
                self.assertEqual(r.code, 0, r)
                for way in ("download", "upload"):
                    self.assertEqual(r.json[way]["status"], "ok", r)
                    self.assertEqual(r.json[way]["transferred_bytes"], r.json[way]["peer_bytes"], r)

    def test_info_counts_what_was_moved(self):
        with Serve() as s:
            request(s.address, "GET", "/down?bytes=1000000")
            request(s.address, "POST", "/up", body=b"x" * 54321)
            request(s.address, "GET", "/nothing")
            info = json.loads(request(s.address, "GET", "/info")[2])
            self.assertEqual((info["bytes_sent"], info["bytes_received"], info["requests"]), (1000000, 54321, 4))


class Refusals(Served):
    def test_bad_requests_are_400_in_words(self):
        for bad in ("GET /\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "/ HTTP/1.1\r\n\r\n",
                "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "\x16\x03\x01\x02\x00\r\n\r\n",
                "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            answer = self.raw(bad)
            self.assertEqual(status_of(answer), 400, (bad, answer))
            self.assertRegex(answer, rb"(?s)\r\n\r\n[a-z].*\n\Z")

    def test_ambiguous_lengths_are_400_because_a_proxy_may_see_another_end(self):
        for fields in ("Content-Length: 5\r\nContent-Length: 6", "Content-Length: -5", "Content-Length: 5x",
                "Content-Length: 18446744073709551616", "Content-Length: 5\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity"):
            answer = self.raw(f"POST /up HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\nhello")
            self.assertEqual(status_of(answer), 400, (fields, answer))

    def test_bad_chunks_are_400(self):
        for chunks in ("fffffffffffffffff\r\nx", "-1\r\n", "xyz\r\n", "5\r\nhelloworld", "\r\n"):
            answer = self.raw(f"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}")
            self.assertEqual(status_of(answer), 400, (chunks, answer))

    def test_a_head_without_end_is_431(self):
        for bad in ("GET /" + "a" * 20000, "GET / HTTP/1.1\r\nX: " + "a" * 1000000,
                "GET / HTTP/1.1\r\n" + "X: 1\r\n" * 1000 + "\r\n"):
            self.assertEqual(status_of(self.raw(bad)), 431, bad[:30])

    def test_a_request_without_host_or_with_two_is_400(self):
        self.assertEqual(status_of(self.raw("GET / HTTP/1.1\r\n\r\n")), 400)
        self.assertEqual(status_of(self.raw("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")), 400)

    def test_a_refusal_reaches_a_client_that_is_still_sending(self):
        answer = talk(self.address,
            b"POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n" + b"x" * 20000000)
        self.assertEqual(status_of(answer), 404)

    def test_a_body_where_none_is_expected_does_not_become_the_next_request(self):
        smuggled = "GET /down?bytes=1 HTTP/1.1\r\nHost: a\r\n\r\n"
        answer = self.raw(f"GET /ping HTTP/1.1\r\nHost: a\r\nContent-Length: {len(smuggled)}\r\n\r\n{smuggled}")
        self.assertEqual(answer.count(b"HTTP/1.1 "), 1, answer)


class Hosts(Served):
    options = ("--name", "probe.example.org")

    def status(self, host):
        return status_of(self.raw(f"GET /ping HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))

    def test_addresses_and_local_names_are_answered(self):
        for host in ("127.0.0.1", "127.0.0.1:8080", "192.0.2.1", "[::1]", "[::1]:8080", "localhost", "LOCALHOST:80",
                "printer", "box.local", "box.lan:8080", "a.b.home", "x.home.arpa", "x.internal", "box.local.",
                socket.gethostname()):
            self.assertEqual(self.status(host), 204, host)

    def test_public_names_are_403_because_anybody_can_point_one_here(self):
        for host in ("example.com", "example.com:8080", "127.0.0.1.example.com", "localhost.example.com",
                "xlan.example", "evil.local.example.com", "probe.example.org.evil.com", "xprobe.example.org",
                "example.com."):
            self.assertEqual(self.status(host), 403, host)

    def test_the_refusal_says_how_to_allow_it(self):
        answer = self.raw("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
        self.assertIn(b"--name", answer)

    def test_a_name_that_was_given_is_answered(self):
        for host in ("probe.example.org", "PROBE.Example.org:8080", "probe.example.org."):
            self.assertEqual(self.status(host), 204, host)

    def test_what_is_no_host_is_refused(self):
        for host in ("", "a b", "a/b", "user@a", "[::1", "a:99999", "http://a"):
            self.assertIn(self.status(host), (400, 403), host)

    def test_a_public_name_in_the_request_line_does_not_get_around_it(self):
        answer = self.raw("GET http://example.com/ping HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
        self.assertEqual(status_of(answer), 403)


class Caps(unittest.TestCase):
    def open(self, s, n):
        socks = [socket.create_connection(s.address, timeout=PATIENCE) for _ in range(n)]
        for sock in socks:
            self.addCleanup(sock.close)
        time.sleep(0.2)
        return socks

    def assert_busy(self, s):
        answer = talk(s.address, b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(status_of(answer), 503, answer)
        self.assertIn(b"\r\nRetry-After: ", answer)

    def test_one_connection_too_many_is_503_with_retry_after_and_room_comes_back(self):
        with Serve("--max-clients", "3") as s:
            socks = self.open(s, 3)
            self.assert_busy(s)
            socks[0].close()
            time.sleep(0.3)
            self.assertEqual(request(s.address, "GET", "/ping")[0], 204)

    def test_one_address_cannot_take_all_connections(self):
        with Serve("--max-per-address", "2") as s:
            socks = self.open(s, 2)
            self.assert_busy(s)
            socks[0].close()
            time.sleep(0.3)
            self.assertEqual(request(s.address, "GET", "/ping")[0], 204)

    def test_an_upload_past_the_cap_is_413_before_and_while_it_comes(self):
        with Serve("--max-bytes", "1000000") as s:
            self.assertEqual(request(s.address, "POST", "/up", body=b"x" * 1000000)[0], 200)
            announced = talk(s.address,
                b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5000000)
            chunked = talk(s.address,
                b"POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4c4b40\r\n" + b"x" * 5000000 +
                b"\r\n0\r\n\r\n")
            self.assertEqual((status_of(announced), status_of(chunked)), (413, 413))

    def test_nothing_takes_longer_than_the_longest_time(self):
        def download(s, query):
            began, n, end = time.monotonic(), 0, b""
            with socket.create_connection(s.address, timeout=PATIENCE) as c:
                c.sendall(f"GET /down?{query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
                while piece := c.recv(1 << 20):
                    n, end = n + len(piece), (end + piece)[-100:]
            return time.monotonic() - began, n, end

        with Serve("--max-time", "3s") as s, ThreadPoolExecutor(2) as pool:
            timed, sized = pool.map(lambda query: download(s, query), ("seconds=60", "bytes=1000000000000"))
        self.assertLess(max(timed[0], sized[0]), 12)
        self.assertRegex(timed[2], rb"\r\n0\r\nX-Bytes: \d+\r\n\r\n\Z",
            "data for a time ends in good order, only sooner")
        self.assertLess(sized[1], 1000000000000)


class Neighbours(unittest.TestCase):
    """What one client does is not felt by another."""

    def download(self, s, n=100_000_000):
        began = time.monotonic()
        status, _, body = request(s.address, "GET", f"/down?bytes={n}")
        self.assertEqual((status, len(body)), (200, n))
        return time.monotonic() - began

    def test_clients_that_die_in_mid_transfer_do_not_disturb_a_download(self):
        stop = threading.Event()

        def die(s, data):
            while not stop.is_set():
                with socket.create_connection(s.address, timeout=PATIENCE) as c:
                    c.sendall(data)
                    c.recv(1000)

        with Serve() as s:
            dying = [threading.Thread(target=die, args=(s, data)) for data in (
                b"GET /down?bytes=1000000000 HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET /down?seconds=60 HTTP/1.1\r\nHost: a\r\n\r\n",
                b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\nhello")]
            for t in dying:
                t.start()
            try:
                for _ in range(3):
                    self.assertLess(self.download(s), 10)
            finally:
                stop.set()
                for t in dying:
                    t.join(PATIENCE)

    def test_clients_that_send_or_take_a_byte_a_second_cost_next_to_nothing(self):
        with Serve() as s:
            socks = []
            self.addCleanup(lambda: [sock.close() for sock in socks])
            for i in range(60):
                sock = socket.create_connection(s.address, timeout=PATIENCE)
                socks.append(sock)
                if i % 3 == 0:
                    sock.sendall(b"GET /down?bytes=1000000000 HTTP/1.1\r\nHost: a\r\n\r\n")
                elif i % 3 == 1:
                    sock.sendall(b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
                else:
                    sock.sendall(b"GET / HT")

            def drip():
                for i, sock in enumerate(socks):
                    if i % 3 == 0:
                        sock.recv(1)
                    else:
                        sock.send(b"x")

            drip()
            time.sleep(0.3)
            before = s.cpu_seconds()
            for _ in range(2):
                time.sleep(0.7)
                drip()
            self.assertLess(s.cpu_seconds() - before, 0.2, "sixty slow clients keep the server busy")
            self.assertLess(self.download(s), 10)

    def test_four_hundred_idle_connections_leave_room_for_a_download(self):
        with Serve() as s:
            socks = [socket.create_connection(s.address, timeout=PATIENCE) for _ in range(400)]
            try:
                self.assertLess(self.download(s), 10)
            finally:
                for sock in socks:
                    sock.close()

    def test_it_stops_at_once_although_clients_are_in_mid_transfer(self):
        with Serve() as s:
            with socket.create_connection(s.address) as c:
                c.sendall(b"GET /down?seconds=60 HTTP/1.1\r\nHost: a\r\n\r\n")
                c.recv(1000)
                began = time.monotonic()
                self.assertEqual(s.stop(), 0)
                self.assertLess(time.monotonic() - began, 5)


class Process(unittest.TestCase):
    def test_it_tells_the_command_to_type_and_where_a_browser_may_go(self):
        with Serve(addresses=("127.0.0.1", "::1")) as s:
            self.assertIn(f"\n  sonde 127.0.0.1:{s.port}\n", s.banner)
            self.assertIn(f"\n  sonde [::1]:{s.port}\n", s.banner)
            self.assertRegex(s.banner, rf"http://\S+:{s.port}/ in a browser")

    def test_the_command_that_it_tells_works(self):
        with Serve() as s:
            words = re.search(r"(?m)^  sonde (\S+)$", s.banner)[1]
            self.assertEqual(run("check", "--only", "download", "--time", "100ms", words).code, 0)

    def test_quiet_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        p = start("serve", "-q", "-b", "127.0.0.1", "-p", str(port))
        try:
            for _ in range(100):
                try:
                    if request(("127.0.0.1", port), "GET", "/ping")[0] == 204:
                        break
                except OSError:
                    time.sleep(0.05)
        finally:
            p.terminate()
            out, err = p.communicate(timeout=PATIENCE)
        self.assertEqual((p.returncode, out, err), (0, b"", b""))

    def test_interrupt_and_termination_are_ends_and_no_errors(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            with Serve() as s:
                self.assertEqual(s.stop(sig), 0, sig)

    def test_a_port_in_use_says_so_and_names_another(self):
        with Serve() as s:
            r = run("serve", "-b", "127.0.0.1", "-p", str(s.port))
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertEqual(one_error(r), f"sonde: serve: cannot listen on '127.0.0.1:{s.port}': Address already in use")
        self.assertTrue(any("--port" in h for h in hints(r)), r)

    def test_an_address_of_another_machine_cannot_be_listened_on(self):
        r = run("serve", "-b", "203.0.113.9", "-p", "0")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertRegex(one_error(r), "cannot listen on '203.0.113.9:0': Cannot assign requested address")


@unittest.skipUnless(CURL, "curl is not installed")
class Curl(Served):
    def test_curl_downloads_exactly_the_bytes(self):
        code, out, err = curl("-o", "/dev/null", "-w", "%{http_code} %{size_download}",
            f"{self.serve.url}/down?bytes=123456789")
        self.assertEqual((code, out, err), (0, b"200 123456789", ""))

    def test_curl_takes_the_chunks_of_a_timed_download(self):
        code, out, err = curl("-o", "/dev/null", "-w", "%{http_code} %{size_download}",
            f"{self.serve.url}/down?seconds=0.3")
        self.assertEqual((code, err), (0, ""))
        self.assertGreater(int(out.split()[1]), 1000000)

    def test_curl_uploads_with_and_without_a_length(self):
        data = b"x" * 3000000
        for more in ((), ("-H", "Transfer-Encoding: chunked")):
            code, out, err = curl("--data-binary", "@-", *more, f"{self.serve.url}/up", data=data)
            self.assertEqual((code, err, json.loads(out)["bytes"]), (0, "", len(data)))

    def test_curl_reads_the_413_of_an_upload_that_is_too_large(self):
        with Serve("--max-bytes", "1M") as s:
            code, out, err = curl("--data-binary", "@-", "-H", "Expect:", "-o", "/dev/null", "-w", "%{http_code}",
                f"{s.url}/up", data=b"x" * 30000000)
            self.assertEqual(out, b"413", err)

    def test_curl_keeps_its_connection(self):
        code, out, err = curl("-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ",
            f"{self.serve.url}/down?bytes=1000", f"{self.serve.url}/info")
        self.assertEqual((code, out.split(), err), (0, [b"1", b"0"], ""))


def slow_head(s):
    """Send a head at two bytes a second; return what the server says to that, and when."""
    began = time.monotonic()
    with socket.create_connection(s.address, timeout=0.5) as c:
        try:
            c.sendall(b"GET /")
            while time.monotonic() - began < PATIENCE:
                try:
                    return c.recv(1000), time.monotonic() - began
                except socket.timeout:
                    c.sendall(b"a")
        except OSError:
            pass
    return b"", time.monotonic() - began


class Waits(unittest.TestCase):
    """This takes ten seconds, so it began before everything else."""

    def test_a_head_that_drips_is_408(self):
        answer, seconds = WAITING["head"].result()
        self.assertEqual(status_of(answer), 408, answer)
        self.assertLess(seconds, 20)


WAITING = {}


def setUpModule():
    serve, pool = Serve(), ThreadPoolExecutor(1)
    unittest.addModuleCleanup(serve.stop)
    unittest.addModuleCleanup(pool.shutdown)
    WAITING.update(head=pool.submit(slow_head, serve))


if __name__ == "__main__":
    unittest.main()
