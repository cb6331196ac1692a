# SPDX-License-Identifier: MIT
"""Other programs' clients against `sonde serve`: their requests byte by byte as they send them, faults included."""

import http.client
import json
import re
import socket
import struct
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from formats import prometheus
from program import PATIENCE, Serve

PICTURES = {350: 245388, 500: 505544, 750: 1118012, 1000: 1986284, 1500: 4468241, 2000: 7907740, 2500: 12407926,
    3000: 17816816, 3500: 24262167, 4000: 31625365, 5000: 49454450, 6000: 71154024}


class Answer:
    """Read from a connection up to the end that the answer itself tells."""

    def __init__(self, sock, method="GET"):
        r = http.client.HTTPResponse(sock, method=method)
        r.begin()
        self.status, self.fields, self.body = r.status, r.headers, r.read()
        self.kept = not r.will_close

    def cors(self):
        return {k.lower(): v for k, v in self.fields.items() if k.lower().startswith("access-control")}


class Dialect(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.serve = Serve(*cls.options)
        cls.addClassCleanup(cls.serve.stop)

    def connect(self):
        sock = socket.create_connection(self.serve.address, timeout=PATIENCE)
        self.addCleanup(sock.close)
        return sock

    def say(self, sock, head, *bodies):
        """Head and body leave apart, as they do from Python and Go; `HOST` in the head becomes ours."""
        sock.sendall(head.replace("\n", "\r\n").replace("HOST", self.serve.target).encode() + b"\r\n")
        for body in bodies:
            sock.sendall(body)
        return Answer(sock, head.split(" ", 1)[0])

    def ask(self, target, method="GET", fields="", *bodies):
        return self.say(self.connect(), f"{method} {target} HTTP/1.1\nHost: HOST\n{fields}", *bodies)

    def info(self):
        return json.loads(self.ask("/info").body)


class Pyspeedtest(Dialect):
    FIELDS = "Host: HOST\nAccept-Encoding: identity\nConnection: Keep-Alive\n"

    def test_five_pings_go_over_one_connection(self):
        sock = self.connect()
        for i in range(5):
            a = self.say(sock, f"GET /speedtest/latency.txt?x=32908537956{i} HTTP/1.1\n{self.FIELDS}")
            self.assertEqual((a.status, a.body, a.kept), (200, b"test=test\n", True))

    def test_two_threads_get_three_pictures_each(self):
        def get(sock):
            return [len(self.say(sock, f"GET /speedtest/random{w}x{w}.jpg?x=1795406545607 HTTP/1.1\n{self.FIELDS}").body)
                for w in (350, 500, 1500)]

        with ThreadPoolExecutor(2) as pool:
            for sizes in pool.map(get, [self.connect(), self.connect()]):
                self.assertEqual(sizes, [245388, 505544, 4468241])

    def test_its_uploads_are_counted_by_us(self):
        sock = self.connect()
        for n in (132884, 493638):
            head = ("POST /speedtest/upload.php?x=750332307935 HTTP/1.1\nHost: HOST\nAccept-Encoding: identity\n"
                f"Content-Length: {n + 9}\nConnection: Keep-Alive\nContent-Type: application/x-www-form-urlencoded\n")
            a = self.say(sock, head, b"content0=" + b"A" * n)
            self.assertEqual((a.status, int(a.body.decode().split("=")[1])), (200, n + 9))


class SpeedtestCli(Dialect):
    """sivel's, with --mini."""

    FIELDS = ("Accept-Encoding: identity\nHost: HOST\nUser-Agent: Mozilla/5.0 (Linux-6.1; U; 64bit; en-us) Python/3.11.2 "
        "(KHTML, like Gecko) speedtest-cli/2.1.4b1\nCache-Control: no-cache\nConnection: close\n")

    def get(self, target):
        return self.say(self.connect(), f"GET {target} HTTP/1.1\n{self.FIELDS}")

    def test_it_finds_the_kind_of_server_whether_its_url_ends_in_a_slash_or_not(self):
        self.assertEqual(self.get("/").status, 200)
        for target in ("/speedtest/upload.php", "//speedtest/upload.php"):
            a = self.get(target)
            self.assertEqual((a.status, len(a.body.decode().splitlines())), (200, 1))
            self.assertRegex(a.body.decode(), r"\Asize=[0-9]")

    def test_its_latency_test_is_answered(self):
        self.assertTrue(self.get("/speedtest/latency.txt?x=1795406545607").body.startswith(b"test=test"))

    def test_every_picture_has_the_size_that_it_has_everywhere(self):
        for width, size in PICTURES.items():
            if width <= 2000:
                a = self.get(f"/speedtest/random{width}x{width}.jpg?x=1795406545607.1")
                self.assertEqual((a.status, len(a.body)), (200, size))
            head = self.ask(f"/speedtest/random{width}x{width}.jpg", "HEAD")
            self.assertEqual(int(head.fields["Content-Length"]), size)

    def upload(self, declared, sent, more=""):
        began = time.monotonic()
        head = (f"POST /speedtest/upload.php HTTP/1.1\n{self.FIELDS}Content-Type: application/x-www-form-urlencoded\n"
            f"Content-Length: {declared}\n{more}")
        a = self.say(self.connect(), head, b"content1=" + b"0" * (sent - 9))
        self.assertEqual((a.status, a.body, a.kept), (200, b"size=%d\n" % sent, False))
        return time.monotonic() - began

    def test_its_uploads_are_counted(self):
        for n in (32768, 131072, 7340032):
            self.upload(n, n)

    def test_seven_bytes_that_never_come_are_waited_for_less_than_its_patience_of_ten_seconds(self):
        with ThreadPoolExecutor(8) as pool:
            for seconds in pool.map(lambda _: self.upload(65536, 65529), range(8)):
                self.assertLess(seconds, 8)

    def test_a_body_that_stops_half_way_is_told_too(self):
        self.assertLess(self.upload(65536, 30000), 10)


class LibreSpeed(Dialect):
    """The page's worker, which comes from the same origin or was allowed in, and the command line."""

    WORKER = ("Host: HOST\nConnection: keep-alive\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\nAccept: */*\n"
        "Referer: http://HOST/speedtest_worker.js?r=0.5\nAccept-Encoding: gzip, deflate\nAccept-Language: en\n")
    CLI = "Host: HOST\nUser-Agent: librespeed-cli/1.0.13 (linux; amd64)\nAccept-Encoding: identity\n"

    def test_the_workers_download_is_of_mebibytes_wherever_it_looks(self):
        for path in ("/garbage", "/garbage.php", "/backend/garbage", "/backend/garbage.php"):
            a = self.say(self.connect(), f"GET {path}?r=0.8437&ckSize=2 HTTP/1.1\n{self.WORKER}")
            self.assertEqual((a.status, len(a.body)), (200, 2 << 20))
            self.assertEqual(a.fields["Content-Type"], "application/octet-stream")
            self.assertIsNone(a.fields["Content-Encoding"])

    def test_a_size_that_makes_no_sense_is_four_and_the_most_is_1024(self):
        for size, chunks in (("", 4), ("?ckSize=", 4), ("?ckSize=0", 4), ("?ckSize=-1", 4), ("?ckSize=x", 4),
                ("?ckSize=1025", 1024), ("?ckSize=99999999999999999999", 1024)):
            a = self.ask("/backend/garbage.php" + size, "HEAD")
            self.assertEqual((a.status, int(a.fields["Content-Length"])), (200, chunks << 20), size)

    def test_the_workers_upload_is_read_to_its_end_before_it_is_answered(self):
        before = self.info()["bytes_received"]
        sock, blob = self.connect(), bytes(1 << 20)
        for _ in range(3):
            a = self.say(sock, f"POST /backend/empty.php?r=0.19 HTTP/1.1\n{self.WORKER}Content-Length: 20971520\n"
                "Content-Encoding: identity\n", *[blob] * 20)
            self.assertEqual((a.status, a.body, a.kept), (200, b"", True))
        self.assertEqual(self.info()["bytes_received"] - before, 3 * 20 << 20)

    def test_the_workers_ping_and_its_first_post_are_answered_with_nothing(self):
        sock = self.connect()
        for path in ("/empty", "/empty.php", "/backend/empty", "/backend/empty.php"):
            for method, more in (("GET", ""), ("POST", "Content-Length: 0\n"), ("POST", "")):
                a = self.say(sock, f"{method} {path}?cors=true&r=0.3 HTTP/1.1\n{self.WORKER}{more}")
                self.assertEqual((a.status, a.body, a.fields["Content-Length"], a.kept), (200, b"", "0", True))

    def test_who_asks_for_its_address_gets_it_in_an_object(self):
        for path in ("/getIP", "/getIP.php", "/backend/getIP", "/backend/getIP.php"):
            a = self.say(self.connect(), f"GET {path}?isp=true&distance=km&r=0.3 HTTP/1.1\n{self.WORKER}")
            self.assertEqual(json.loads(a.body), {"processedString": "127.0.0.1 - localhost IPv4 access",
                "rawIspInfo": {"ip": "127.0.0.1"}})

    def test_the_command_line_finds_a_server_that_responds(self):
        a = self.say(self.connect(), f"GET /empty.php HTTP/1.1\n{self.CLI}")
        self.assertEqual((a.status, a.body), (200, b""))
        self.assertEqual(json.loads(self.say(self.connect(),
            f"GET /getIP.php?distance=km&isp=true HTTP/1.1\n{self.CLI}").body)["rawIspInfo"]["ip"], "127.0.0.1")

    def test_the_command_line_uploads_mebibytes(self):
        sock = self.connect()
        for _ in range(3):
            a = self.say(sock, f"POST /empty.php HTTP/1.1\n{self.CLI}Content-Length: 1048576\n", bytes(1 << 20))
            self.assertEqual((a.status, a.body, a.kept), (200, b"", True))

    def test_an_older_command_line_uploads_chunks(self):
        a = self.say(self.connect(), f"POST /empty.php HTTP/1.1\n{self.CLI}Transfer-Encoding: chunked\n",
            b"8000\r\n" + bytes(32768) + b"\r\n", b"0\r\n\r\n")
        self.assertEqual((a.status, a.body), (200, b""))

    def test_the_oldest_uploads_one_body_without_end_and_then_resets(self):
        before, sock = self.info()["bytes_received"], self.connect()
        sock.sendall(f"POST /empty.php HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n".replace("\n", "\r\n").encode())
        for _ in range(200):
            sock.sendall(b"8000\r\n" + bytes(32768) + b"\r\n")
        end = time.monotonic() + PATIENCE
        while self.info()["bytes_received"] - before < 200 * 32768:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        info = self.info()
        self.assertEqual((info["bytes_received"] - before, info["refused"]), (200 * 32768, 0))

    def test_a_client_that_waits_for_continue_is_told_to(self):
        sock = self.connect()
        sock.sendall(b"POST /backend/empty.php HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        self.assertEqual(sock.recv(1000), b"HTTP/1.1 100 Continue\r\n\r\n")
        sock.sendall(b"abc")
        self.assertEqual(Answer(sock).status, 200)


class OpenSpeedTest(Dialect):
    def test_its_file_has_thirty_megabytes(self):
        a = self.ask("/downloading?n=0.5493")
        self.assertEqual((a.status, len(a.body), a.fields["Cache-Control"]), (200, 30 << 20, "no-store"))

    def test_it_may_post_to_what_it_gets(self):
        sock = self.connect()
        for _ in range(2):
            a = self.say(sock, "POST /upload?n=0.7731 HTTP/1.1\nHost: HOST\nContent-Type: application/octet-stream\n"
                "Content-Length: 31457280\nOrigin: http://HOST\n", *[bytes(1 << 20)] * 30)
            self.assertEqual((a.status, a.kept), (200, True))
            a = self.say(sock, "GET /upload?n=0.1 HTTP/1.1\nHost: HOST\n")
            self.assertEqual((a.status, a.body), (200, b""))

    def test_it_asks_with_every_method(self):
        for method, status in (("HEAD", 200), ("OPTIONS", 204)):
            self.assertEqual(self.ask("/upload?n=0.1", method).status, status)


class Cloudflare(Dialect):
    def test_down_has_exactly_the_bytes_and_tells_the_servers_time(self):
        sock = self.connect()
        for n in (0, 100000, 1000000, 10000000):
            a = self.say(sock, f"GET /__down?bytes={n} HTTP/1.1\nHost: HOST\nAccept: */*\n")
            self.assertEqual((a.status, len(a.body), a.kept), (200, n, True))
            found = re.search(r"(?:^|;)\s*dur=([0-9.]+)", a.fields["Server-Timing"])
            self.assertTrue(0 < float(found[1]) < 10, "zero would be taken for none")

    def test_up_takes_text_of_zeros(self):
        sock = self.connect()
        for n in (0, 1000, 1000000):
            a = self.say(sock, "POST /__up HTTP/1.1\nHost: HOST\nContent-Type: text/plain;charset=UTF-8\n"
                f"Content-Length: {n}\n", b"0" * n)
            self.assertEqual((a.status, a.kept), (200, True))
            self.assertIn("dur=", a.fields["Server-Timing"])


class Responsiveness(Dialect):
    def test_its_configuration_names_three_urls_that_do_what_they_should(self):
        a = self.say(self.connect(), "GET /.well-known/nq HTTP/1.1\nHost: HOST\nAccept-Encoding: identity\n")
        config = json.loads(a.body)
        self.assertEqual((a.fields["Content-Type"], config["version"]), ("application/json", 1))
        urls, base = config["urls"], self.serve.url
        self.assertEqual(urls["small_download_url"], urls["small_https_download_url"])
        self.assertEqual(urls["large_download_url"], urls["large_https_download_url"])
        self.assertEqual(urls["upload_url"], urls["https_upload_url"])
        small, large, up = (urls[k].removeprefix(base) for k in ("small_download_url", "large_download_url", "upload_url"))
        self.assertEqual(len(self.ask(small).body), 1)
        self.assertGreaterEqual(int(self.ask(large, "HEAD").fields["Content-Length"]), 8 * 10 ** 9)
        self.assertEqual(json.loads(self.ask(up, "POST", "Content-Length: 5\n", b"hello").body)["bytes"], 5)

    def test_without_a_host_there_is_no_url(self):
        sock = self.connect()
        sock.sendall(b"GET /.well-known/nq HTTP/1.0\r\n\r\n")
        self.assertEqual(Answer(sock).status, 400)


class Counters(Dialect):
    def setUp(self):
        self.serve = Serve()
        self.addCleanup(self.serve.stop)

    def test_they_are_what_prometheus_reads_and_count_what_was_done(self):
        before = time.time()
        self.ask("/down?bytes=12345")
        self.ask("/speedtest/upload.php", "POST", "Content-Length: 5\n", b"hello")
        self.ask("/nothing")
        a = self.ask("/metrics")
        self.assertEqual(a.fields["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        samples = {name: v for (name, _), v in prometheus(a.body.decode()).items()}
        self.assertEqual(samples["sonde_server_requests_total"], 4)
        self.assertEqual(samples["sonde_server_refused_total"], 1)
        self.assertEqual(samples["sonde_server_sent_bytes_total"], 12345)
        self.assertEqual(samples["sonde_server_received_bytes_total"], 5)
        self.assertEqual(samples["sonde_server_accepted_total"], 4)
        self.assertEqual(samples["sonde_server_connections"], 4)
        self.assertLess(abs(samples["process_start_time_seconds"] - before), 60)
        self.assertGreaterEqual(samples["process_cpu_seconds_total"], 0)

    def test_connections_that_are_gone_are_not_counted(self):
        for _ in range(5):
            with socket.create_connection(self.serve.address, timeout=PATIENCE) as sock:
                self.say(sock, "GET /ping HTTP/1.1\nHost: HOST\n")
        end, now = time.monotonic() + PATIENCE, 0
        while now != 1 and time.monotonic() < end:
            with socket.create_connection(self.serve.address, timeout=PATIENCE) as sock:
                text = self.say(sock, "GET /metrics HTTP/1.1\nHost: HOST\n").body.decode()
            now = prometheus(text)["sonde_server_connections", ()]
        self.assertEqual(now, 1)

    def test_a_receipt_tells_the_servers_cpu_time_so_far(self):
        before = self.info()["cpu_us"]
        self.ask("/up", "POST", "Content-Length: 30000000\n", bytes(30000000))
        receipt = json.loads(self.ask("/up", "POST", "Content-Length: 5\n", b"hello").body)
        self.assertEqual(receipt["bytes"], 5)
        self.assertGreaterEqual(receipt["cpu_us"], before)


class Closed(Dialect):
    """Without --cors no page from elsewhere may so much as read an answer."""

    PREFLIGHT = ("Origin: http://example.com\nAccess-Control-Request-Method: POST\n"
        "Access-Control-Request-Headers: content-encoding\nAccess-Control-Request-Private-Network: true\n")
    PATHS = ("/garbage.php?cors=true&ckSize=1", "/backend/empty.php?cors=true", "/getIP.php?cors=true", "/downloading",
        "/upload", "/__down?bytes=5", "/__up", "/up", "/down?bytes=5", "/speedtest/latency.txt", "/.well-known/nq")

    def test_nothing_has_a_field_for_it(self):
        for path in (*self.PATHS, "/", "/metrics", "/nothing"):
            for method in ("HEAD", "OPTIONS", "PUT"):
                a = self.ask(path, method, self.PREFLIGHT)
                self.assertEqual((a.cors(), a.fields["Timing-Allow-Origin"]), ({}, None), (method, path))


class Open(Dialect):
    options = ("--cors",)

    def test_what_moves_data_may_be_read_from_everywhere(self):
        for path in Closed.PATHS:
            a = self.ask(path, "HEAD", "Origin: http://example.com\n")
            self.assertEqual(a.cors(), {"access-control-allow-origin": "*"}, path)
            self.assertEqual(a.fields["Timing-Allow-Origin"], "*")

    def test_a_preflight_may_go_on(self):
        for path in Closed.PATHS:
            a = self.ask(path, "OPTIONS", Closed.PREFLIGHT)
            self.assertEqual(a.status, 204, path)
            self.assertEqual(a.cors()["access-control-allow-headers"], "Content-Encoding, Content-Type")
            self.assertEqual(a.cors()["access-control-allow-private-network"], "true")
            self.assertGreater(int(a.cors()["access-control-max-age"]), 0)
        self.assertIn("POST", self.ask("/backend/empty.php", "OPTIONS", Closed.PREFLIGHT).cors()["access-control-allow-methods"])

    def test_the_page_and_the_counters_stay_ours(self):
        for path in ("/", "/metrics"):
            for method in ("GET", "OPTIONS"):
                self.assertEqual(self.ask(path, method, Closed.PREFLIGHT).cors(), {}, path)

    def test_a_name_from_elsewhere_is_still_refused(self):
        sock = self.connect()
        sock.sendall(b"GET /garbage HTTP/1.1\r\nHost: example.com\r\n\r\n")
        a = Answer(sock)
        self.assertEqual((a.status, a.cors()), (403, {}))


if __name__ == "__main__":
    unittest.main()
