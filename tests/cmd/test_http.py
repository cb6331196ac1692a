# SPDX-License-Identifier: MIT
"""
`sonde http` against servers that do one thing each. Where a time is looked at, it is one that the server itself makes,
so long that no slow machine makes it up.
"""

import signal
import socket
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from formats import prometheus
from formats import rows as csv_rows
from hostile import KB, OK, Full, Hostile, always, answer, by_method, closed_port
from program import hints, one_error, read_until, run, start

SPANS = ("resolve_ms", "connect_ms", "send_ms", "first_byte_ms", "transfer_ms")
CONTRACT = SPANS + ("schema", "type", "url", "status", "total_ms", "bytes", "address", "connect_rtt_ms")

FILE = answer("200 OK", "Server: test/1", body=KB)


def paced(*pieces):
    """Answer each request with these: bytes are sent, numbers are seconds of sleep."""

    def talk(c):
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while c.head():
            for piece in pieces:
                if not isinstance(piece, bytes):
                    time.sleep(piece)
                elif not c.send(piece):
                    return

    return talk


def head_and_body(data):
    at = data.index(b"\r\n\r\n") + 4
    return data[:at], data[at:]


class Http(unittest.TestCase):
    def ask(self, talk, *args, path="/f", code=0, address="127.0.0.1"):
        with Hostile(talk, address) as server:
            r = run("http", *args, f"http://127.0.0.1:{server.port}{path}")
            r.server = server
        self.assertEqual(r.code, code, r)
        return r

    def measured(self, talk, *args, **more):
        r = self.ask(talk, "-f", "json", *args, **more)
        self.assertEqual(r.err, "", r)
        return r.json

    def adds_up(self, doc):
        self.assertAlmostEqual(sum(doc[k] or 0 for k in SPANS), doc["total_ms"], 5, doc)


class One(Http):
    def test_the_document_is_the_one_of_the_contract_and_its_phases_add_up(self):
        doc = self.measured(always(FILE))
        self.assertLessEqual(set(CONTRACT), set(doc))
        self.assertEqual((doc["schema"], doc["type"], doc["status"], doc["bytes"]), (1, "http", 200, 1000), doc)
        self.assertEqual((doc["address"], doc["server"], doc["reason"]), ("127.0.0.1", "test/1", "OK"), doc)
        self.assertIsNone(doc["resolve_ms"], "an address is not looked up")
        self.assertGreater(doc["connect_ms"], 0)
        self.assertGreater(doc["connect_rtt_ms"], 0)
        self.assertEqual((doc["requests"], doc["answered"], doc["failed"], doc["connections"]), (1, 1, 0, 1), doc)
        self.adds_up(doc)

    def test_a_name_is_looked_up_and_that_is_a_phase(self):
        with Hostile(always(FILE)) as server:
            r = run("http", "-4", "-f", "json", f"localhost:{server.port}/f")
        self.assertEqual(r.code, 0, r)
        self.assertGreater(r.json["resolve_ms"], 0, r)
        self.assertEqual(r.json["url"], f"http://localhost:{server.port}/f")
        self.adds_up(r.json)

    def test_the_text_is_the_answer_and_a_line_for_each_phase(self):
        r = self.ask(always(FILE))
        self.assertEqual(r.err, "", r)
        lines = r.out.splitlines()
        self.assertEqual(lines[0], f"http://127.0.0.1:{r.server.port}/f", r)
        self.assertEqual(lines[1], f"  200 OK, 1000 bytes from 127.0.0.1:{r.server.port}, test/1", r)
        names = [line.rsplit(None, 2)[0].strip() for line in lines[2:]]
        self.assertEqual(names, ["connect", "send", "first byte", "transfer", "total"], r)

    def test_a_server_that_thinks_is_slow_at_the_first_byte(self):
        doc = self.measured(paced(0.4, FILE))
        self.assertGreater(doc["first_byte_ms"], 390, doc)
        self.assertLess(doc["transfer_ms"], doc["first_byte_ms"], doc)
        self.adds_up(doc)

    def test_a_body_that_comes_slowly_is_a_slow_transfer(self):
        head, body = head_and_body(FILE)
        doc = self.measured(paced(head, 0.2, body[:500], 0.2, body[500:]))
        self.assertGreater(doc["transfer_ms"], 390, doc)
        self.assertLess(doc["first_byte_ms"], doc["transfer_ms"], doc)
        self.assertIs(doc["delayed_ack"], False, doc)

    def test_chunks_are_counted_without_their_frames(self):
        chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10;x=y\r\n" + b"y" * 16 + b"\r\n0\r\nX: y\r\n\r\n"
        self.assertEqual(self.measured(always(chunked))["bytes"], 21)

    def test_a_body_may_end_with_the_connection(self):
        doc = self.measured(always(b"HTTP/1.0 200 OK\r\n\r\n" + KB, then="close"))
        self.assertEqual((doc["status"], doc["bytes"]), (200, 1000), doc)

    def test_an_interim_answer_is_not_the_answer(self):
        doc = self.measured(paced(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0.1, FILE))
        self.assertEqual((doc["status"], doc["bytes"]), (200, 1000), doc)

    def test_an_error_of_the_servers_is_an_answer_that_was_measured(self):
        for status in ("404 Not Found", "500 Internal Server Error", "204 No Content"):
            r = self.ask(always(answer(status, length=not status.startswith("204"))))
            self.assertIn(f"  {status}, 0 bytes from ", r.out, r)
            self.assertEqual("measured all the same" in r.out, status[0] > "3", r)

    def test_a_redirect_is_shown_and_not_followed(self):
        r = self.ask(always(answer("301 Moved", "Location: http://192.0.2.9/x")))
        self.assertIn("redirects to 'http://192.0.2.9/x', which is not followed", r.out, r)
        self.assertEqual(len(r.server.requests), 1, r)

    def test_head_asks_for_the_head_only(self):
        r = self.ask(by_method(HEAD=answer("200 OK", "Content-Length: 10000000", length=False)), "--head")
        self.assertIn("200 OK, 0 bytes", r.out, r)
        self.assertEqual(r.server.requests, ["HEAD /f HTTP/1.1"], r)

    def test_over_ipv6_it_is_the_same(self):
        try:
            listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError as e:
            self.skipTest(f"no IPv6 on the loopback: {e}")
        with listener:
            port = listener.getsockname()[1]

            def serve():
                c, _ = listener.accept()
                with c:
                    c.recv(65536)
                    c.sendall(FILE)

            Thread(target=serve, daemon=True).start()
            r = run("http", "-f", "json", f"[::1]:{port}")
        self.assertEqual(r.code, 0, r)
        self.assertEqual((r.json["address"], r.json["url"]), ("::1", f"http://[::1]:{port}/"), r)

    def test_words_of_the_server_do_not_reach_the_terminal_as_they_are(self):
        evil = b"HTTP/1.1 200 \x9b31mred\xff\r\nServer: a\x9b2Jb\xc2\x9b\r\nLocation: /\xff\r\nContent-Length: 0\r\n\r\n"
        for args in ((), ("-v",), ("-c", "2", "-i", "0"), ("-f", "json"), ("-f", "csv"), ("-f", "ndjson"), ("-f", "prom")):
            r = self.ask(always(evil, then="again"), *args)
            self.assertRegex(r.bytes.decode("utf-8"), r"\A[\n -~\ufffd]+\Z", r)


# What is no answer: a sentence, the talk, the words after the server's address.
BROKEN = [
    ("closes_at_once", lambda c: c.head() and None, "closed the connection without an answer"),
    ("resets", lambda c: c.head() and c.reset(), "reset the connection"),
    ("resets_in_the_body", always(answer("200 OK", "Content-Length: 99", body=b"x" * 12, length=False), then="reset"),
        "(reset the connection|closed the connection after 12 of 99 bytes)"),
    ("ends_the_body_too_soon", always(answer("200 OK", "Content-Length: 99", body=b"x" * 12, length=False), then="close"),
        "closed the connection after 12 of 99 bytes"),
    ("ends_in_the_head", always(OK, then="close"), "closed the connection inside the head of its answer"),
    ("sends_nothing", lambda c: c.stall(), "sent nothing for 1 s"),
    ("stops_in_the_head", always(OK), "stopped in the middle of the head for 1 s"),
    ("stops_in_the_body", always(answer("200 OK", "Content-Length: 99", body=b"x" * 12, length=False)),
        "stopped in the middle of the body for 1 s"),
    ("speaks_another_language", lambda c: c.head() and c.send(b"SSH-2.0-x\r\n") and c.stall(), ".*"),
    ("sends_garbage", lambda c: c.head() and c.send(bytes(range(256)) * 100) and c.stall(), ".*"),
    ("switches_protocols", always(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), "switched to another protocol, unasked"),
    ("lies_about_a_chunk", always(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "sent .*chunk.*"),
]


class Broken(Http):
    """Nothing is measured, the reason is said once, the code is 1, and there is no total."""

    def refused(self, talk, words, *args):
        r = self.ask(talk, "-W", "1s", *args, code=1)
        self.assertRegex(one_error(r), rf"^sonde: http: the server '127.0.0.1:{r.server.port}' {words}$", r)
        return r

    def test_a_request_that_comes_to_nothing_has_its_reason_and_no_figure(self):
        with ThreadPoolExecutor(8) as many: # most of them only wait
            jobs = {row[0]: many.submit(self.refused, *row[1:]) for row in BROKEN}
        for sentence, job in jobs.items():
            with self.subTest(sentence):
                self.assertEqual(job.result().out, "")

    def test_the_document_says_so_too(self):
        talk = always(answer("200 OK", "Content-Length: 99", body=b"x" * 12, length=False), then="close")
        doc = self.refused(talk, "closed the connection after 12 of 99 bytes", "-f", "json").json
        for key in SPANS + ("total_ms", "status", "bytes", "address"):
            self.assertIsNone(doc[key], key)
        self.assertIn("after 12 of 99 bytes", doc["error"])
        self.assertEqual((doc["requests"], doc["failed"], doc["failed_ratio"]), (1, 1, 1), doc)

    def test_a_line_of_ndjson_tells_how_far_it_came(self):
        talk = always(answer("200 OK", "Content-Length: 99", body=b"x" * 12, length=False), then="close")
        probe, error, last = self.refused(talk, ".*", "-f", "ndjson").lines
        self.assertEqual((probe["type"], probe["outcome"], probe["status"], probe["bytes"]), ("probe", "error", 200, 12))
        self.assertGreater(probe["connect_ms"], 0)
        self.assertIsNone(probe["transfer_ms"])
        self.assertIsNone(probe["total_ms"])
        self.assertEqual((error["type"], last["type"]), ("error", "http"))
        silent = self.refused(lambda c: c.head() and None, ".*", "-f", "ndjson").lines[0]
        self.assertEqual((silent["status"], silent["bytes"], silent["first_byte_ms"]), (None, None, None), silent)

    def test_a_body_that_trickles_is_given_up(self):
        r = self.refused(paced(OK + b"Content-Length: 1000\r\n\r\n", *[b"x", 0.05] * 400),
            r"sends its body too slowly: \d+ bytes in [\d.]+ s", "-W", "300ms")
        self.assertLess(r.seconds, 10)

    def test_a_long_body_that_flows_is_not(self):
        doc = self.measured(paced(OK + b"Content-Length: 60000\r\n\r\n", *[KB, 0.025] * 60), "-W", "300ms")
        self.assertEqual(doc["bytes"], 60000, doc)
        self.assertGreater(doc["transfer_ms"], 1200, doc)

    def test_a_port_where_nobody_listens_refuses(self):
        port = closed_port()
        r = run("http", f"127.0.0.1:{port}")
        self.assertEqual((r.code, r.out), (1, ""), r)
        self.assertEqual(one_error(r), f"sonde: http: cannot connect to '127.0.0.1:{port}': Connection refused")

    def test_nobody_who_answers_the_call_is_waited_for_as_long_as_asked(self):
        with Full() as full:
            r = run("http", "-W", "500ms", full.target)
        self.assertEqual((r.code, r.out), (1, ""), r)
        self.assertIn("not within 500 ms", one_error(r))
        self.assertLess(r.seconds, 10)

    def test_a_name_without_an_address_is_a_fault_of_this_side(self):
        r = run("http", "-W", "1s", "nosuch.invalid")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertIn("nosuch.invalid", one_error(r))

    def test_targets_that_are_no_http_are_refused_with_what_works(self):
        for url, words, hint in (("https://h/", "needs TLS", "sonde ping tcp://h:443"),
                ("tcp://h:80", "there is no HTTP at 'tcp://h:80'", "sonde ping tcp://h:80"),
                ("icmp://h", "there is no HTTP at 'icmp://h'", "sonde ping icmp://h"), ("http://h:99999/", "port", "")):
            r = run("http", url)
            self.assertEqual((r.code, r.out), (2, ""), r)
            self.assertIn(words, one_error(r))
            self.assertTrue(any(hint in h for h in hints(r)), r)
        r = run("http")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertIn("nothing to ask for", one_error(r))


class Many(Http):
    def test_a_connection_is_kept_where_the_server_keeps_it(self):
        r = self.ask(always(FILE, then="again"), "-c", "4", "-i", "0", "-f", "ndjson")
        *probes, last = r.lines
        self.assertEqual([p["kept"] for p in probes], [False, True, True, True], r)
        self.assertEqual([p["connect_ms"] is None for p in probes], [False, True, True, True], r)
        self.assertEqual([p["connect_rtt_ms"] is None for p in probes], [False, True, True, True], r)
        self.assertEqual([p["seq"] for p in probes], [1, 2, 3, 4], r)
        self.assertEqual((last["requests"], last["answered"], last["connections"]), (4, 4, 1), r)
        for p in probes:
            self.adds_up(p)
        totals = sorted(p["total_ms"] for p in probes)
        self.assertEqual((last["total_min_ms"], last["total_max_ms"]), (totals[0], totals[-1]), r)
        self.assertAlmostEqual(last["total_ms"], totals[1], delta=totals[1] / 100)
        self.assertAlmostEqual(last["total_p99_ms"], totals[3], delta=totals[3] / 100)

    def test_fresh_ones_are_opened_for_each_request_where_asked_for(self):
        r = self.ask(always(FILE, then="again"), "-c", "3", "-i", "0", "--fresh", "-f", "ndjson")
        *probes, last = r.lines
        self.assertEqual([p["kept"] for p in probes], [False] * 3, r)
        self.assertTrue(all(p["connect_ms"] > 0 for p in probes), r)
        self.assertEqual(last["connections"], 3, r)

    def test_it_is_closed_in_good_order_when_it_is_not_needed_any_more(self):
        ends = []

        def talk(c):
            while c.head():
                c.send(FILE)
                c.sock.settimeout(5)
                try:
                    ends.append(c.sock.recv(1, socket.MSG_PEEK)[:0])
                except OSError as e:
                    ends.append(e)

        with Hostile(talk) as server:
            run("http", "-c", "3", "-i", "0", "--fresh", server.target)
            run("http", server.target)
        self.assertEqual(ends, [b""] * 4)

    def test_a_server_that_closes_gets_a_new_one_each_time(self):
        for talk in (always(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", then="close"),
                always(answer("200 OK", "Connection: close"), then="close"), always(answer("200 OK"), then="close")):
            doc = self.measured(talk, "-c", "3", "-i", "50ms")
            self.assertEqual((doc["answered"], doc["failed"], doc["connections"]), (3, 0, 3), doc)

    def test_a_kept_connection_that_is_closed_in_the_meantime_is_no_failure(self):
        def talk(c):
            c.head()
            c.send(FILE)
            time.sleep(0.05)

        r = self.ask(talk, "-c", "3", "-i", "200ms", "-f", "ndjson")
        *probes, last = r.lines
        self.assertEqual((last["answered"], last["connections"]), (3, 3), r)
        for p in probes:
            self.assertFalse(p["kept"])
            self.assertGreater(p["connect_ms"], 0)
            self.adds_up(p)

    def test_one_that_is_closed_as_the_request_arrives_is_none_either(self):
        def talk(c):
            c.head()
            c.send(FILE)
            c.head()

        r = self.ask(talk, "-c", "3", "-i", "0", "-f", "ndjson")
        *probes, last = r.lines
        self.assertEqual((last["answered"], last["failed"]), (3, 0), r)
        for p in probes:
            self.assertFalse(p["kept"])
            self.assertGreater(p["connect_ms"], 0)
            self.adds_up(p)

    def test_an_answer_before_the_question_is_not_taken_for_the_next_one(self):
        unasked = answer("408 Request Timeout", "Connection: close")

        def talk(c):
            c.head()
            c.send(FILE)
            time.sleep(0.05)
            c.send(unasked)

        doc = self.measured(talk, "-c", "3", "-i", "200ms")
        self.assertEqual([s["status"] for s in doc["statuses"]], [200], doc)
        self.assertEqual(doc["answered"], 3, doc)

    def test_the_text_is_a_line_for_each_and_a_table(self):
        r = self.ask(always(FILE, then="again"), "-c", "3", "-i", "0")
        self.assertEqual(r.err, "", r)
        at = rf"from 127\.0\.0\.1:{r.server.port}: seq="
        self.assertRegex(r.out, rf"(?m)^200, 1000 bytes {at}1 connect=[\d.]+ ms first_byte=[\d.]+ ms total=[\d.]+ ms$")
        self.assertRegex(r.out, rf"(?m)^200, 1000 bytes {at}3 first_byte=[\d.]+ ms total=[\d.]+ ms \(kept connection\)$")
        self.assertIn("\n3 requests, 3 answers, 0 failed (0%); 1 connection\nstatus 3 x 200\n", r.out)
        self.assertRegex(r.out, r"(?m)^  first byte( +[\d.]+){5} ms$")
        quiet = self.ask(always(FILE, then="again"), "-c", "3", "-i", "0", "-q")
        self.assertNotIn("seq=", quiet.out)
        self.assertIn("3 requests", quiet.out)

    def test_statuses_that_differ_are_counted(self):
        def talk(c):
            for status in ("200 OK", "503 Busy", "200 OK", "404 No"):
                c.head()
                c.send(answer(status))

        doc = self.measured(talk, "-c", "4", "-i", "0")
        self.assertEqual({s["status"]: s["count"] for s in doc["statuses"]}, {200: 2, 503: 1, 404: 1}, doc)
        self.assertEqual(doc["status"], 404)

    def test_some_failures_leave_a_measurement_and_its_code(self):
        turns = iter(range(100))

        def talk(c):
            if next(turns) % 2 == 1:
                c.head()
                c.reset()
                return
            c.head()
            c.send(answer("200 OK", "Connection: close"))

        r = self.ask(talk, "-c", "4", "-i", "0")
        self.assertEqual(r.err, "", r)
        self.assertIn("4 requests, 2 answers, 2 failed (50%)", r.out)
        self.assertRegex(r.out, r"(?m)^failed http://127.0.0.1:\d+/f: seq=2 the server '127.0.0.1:\d+' reset the connection$")

    def test_several_urls_take_turns_and_have_a_result_each(self):
        with Hostile(always(FILE, then="again")) as a, Hostile(always(answer("404 No"), then="again")) as b:
            r = run("http", "-c", "2", "-i", "0", "-f", "ndjson", a.target + "/a", b.target + "/b")
            doc = run("http", "-f", "json", a.target + "/a", b.target + "/b")
            table = run("http", "-f", "csv", a.target + "/a", b.target + "/b")
            both = run("http", a.target + "/a", b.target + "/b")
            prom = run("http", "-c", "2", "-i", "0", "-f", "prom", a.target + "/a", b.target + "/b")
        self.assertEqual([x["url"][-1] for x in r.lines], list("abab" "ab"), r)
        self.assertEqual([x["seq"] for x in r.lines[:4]], [1, 1, 2, 2], r)
        self.assertEqual((doc.json["type"], [t["status"] for t in doc.json["targets"]]), ("http", [200, 404]), doc)
        self.assertNotIn("total_p99_ms", doc.json["targets"][0])
        self.assertEqual([row["status"] for row in csv_rows(table.out)], ["200", "404"], table)
        samples = prometheus(prom.out)
        self.assertEqual(sorted(v for (name, _), v in samples.items() if name == "sonde_http_status"), [200, 404], prom)
        self.assertEqual(sum(name == "sonde_http_total_p99_seconds" for name, _ in samples), 2, prom)
        self.assertEqual(len(both.out.split("http://127.0.0.1:")), 3, both)

    def test_a_url_that_is_given_twice_has_each_prometheus_sample_once(self):
        with Hostile(always(answer("200 OK", body=b"x"), then="again")) as s:
            r = run("http", "-i", "0", "-f", "prom", s.url + "/a", s.target + "/a")
        names = [line.rpartition(" ")[0] for line in r.out.splitlines() if not line.startswith("#")]
        self.assertIn("sonde_http_status", r.out)
        self.assertEqual(len(names), len(set(names)), r)

    def test_a_url_without_an_answer_decides_the_code_and_the_others_are_measured(self):
        port = closed_port()
        with Hostile(always(FILE)) as server:
            r = run("http", f"127.0.0.1:{port}", server.target)
        self.assertEqual(r.code, 1, r)
        self.assertIn(f"http://127.0.0.1:{port}/\n  failed: cannot connect", r.out)
        self.assertIn("200 OK, 1000 bytes", r.out)
        self.assertIn("Connection refused", one_error(r))

    def test_rounds_begin_when_they_are_due_however_long_one_takes(self):
        at = []

        def talk(c):
            while c.head():
                at.append(time.monotonic())
                time.sleep(0.7)
                c.send(FILE)

        self.measured(talk, "-c", "3", "-i", "1s")
        self.assertLess(at[2] - at[0], 3.2, "with drift it would be 3.4")
        self.assertGreater(at[2] - at[0], 1.4)

    def test_a_round_that_was_missed_is_not_made_up_for(self):
        r = self.ask(paced(0.45, FILE), "-c", "4", "-i", "300ms")
        self.assertGreater(r.seconds, 3 * 0.6 + 0.45)


class Speaks(Http):
    def test_an_answer_before_the_question_is_measured_without_a_time_to_send(self):
        """As from a server that is full."""

        def talk(c):
            c.send(answer("503 Busy", "Connection: close"))
            time.sleep(0.3)
            c.head()

        for _ in range(5):
            doc = self.measured(talk)
            self.assertEqual((doc["status"], doc["answered"]), (503, 1), doc)
            self.adds_up(doc)

    def test_the_help_fits_a_terminal(self):
        r = run("help", "http")
        self.assertEqual(r.code, 0, r)
        for line in r.out.splitlines():
            self.assertLessEqual(len(line), 130, line)


class Ends(Http):
    def test_an_interrupt_ends_the_run_and_prints_what_there_is(self):
        with Hostile(always(FILE, then="again")) as server, start("http", "-c", "1000", "-i", "50ms", server.target) as p:
            read_until(p.stdout, "seq=3")
            p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=20)
        self.assertEqual((p.returncode, err), (0, b""))
        self.assertIn(b", 0 failed (0%); 1 connection\n", out)

    def test_an_interrupt_before_any_answer_is_130(self):
        with Hostile(lambda c: c.stall()) as server, start("http", server.target) as p:
            while not server.requests and p.poll() is None and not server.threads[1:]:
                time.sleep(0.02)
            time.sleep(0.3)
            p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=20)
        self.assertEqual((p.returncode, out, err), (130, b"", b""))

    def test_quit_shows_what_there_is_and_goes_on(self):
        with Hostile(always(FILE, then="again")) as server, start("http", "-c", "5", "-i", "300ms", server.target) as p:
            read_until(p.stdout, "seq=2")
            p.send_signal(signal.SIGQUIT)
            out, err = p.communicate(timeout=20)
        self.assertEqual(p.returncode, 0)
        self.assertIn(b"statistics", err)
        self.assertIn(b"5 requests, 5 answers", out)

    def test_the_deadline_ends_it_wherever_it_stands(self):
        r = self.ask(paced(FILE, 0.2), "-c", "1000", "-i", "200ms", "-w", "1s")
        self.assertLess(r.seconds, 10)
        self.assertRegex(r.out, r"\n[1-6] requests, [1-6] answers, 0 failed")
        r = self.ask(lambda c: c.stall(), "-w", "500ms", code=1)
        self.assertIn("before the deadline", one_error(r))
        with Full() as full:
            r = run("http", "-w", "500ms", "-W", "30s", full.target)
        self.assertEqual(r.code, 1, r)
        self.assertIn("before the deadline", one_error(r))
        self.assertLess(r.seconds, 10)


class Expect(Http):
    def test_a_bound_that_holds_is_0_and_one_that_is_missed_4(self):
        met = self.ask(always(FILE), "--expect", "total<30s", "--expect", "status<400", "--expect", "failed<1%")
        self.assertEqual(met.out.count(": met, "), 3, met)
        r = self.ask(always(answer("404 No")), "--expect", "status<400", code=4)
        self.assertIn("status<400: missed, 404", r.out)
        r = self.ask(paced(0.2, FILE), "--expect", "first_byte<100ms", "--expect", "total.p99<30s", "-f", "json", code=4)
        self.assertIn("first_byte<100ms: missed", r.err)
        r = self.ask(always(FILE), "--expect", "resolve<1s", code=4)
        self.assertIn("resolve<1s: not measured", r.out)

    def test_the_worst_url_decides(self):
        with Hostile(always(answer("404 No"))) as a, Hostile(always(FILE)) as b:
            for urls in ((a.target, b.target), (b.target, a.target)):
                r = run("http", "--expect", "status<400", *urls)
                self.assertEqual(r.code, 4, r)
                self.assertIn("status<400: missed, 404", r.out)

    def test_a_figure_that_does_not_exist_is_refused_before_anything_is_asked(self):
        r = run("http", "--expect", "download>1M", "127.0.0.1:9")
        self.assertEqual((r.code, r.out), (2, ""), r)

    def test_without_an_answer_there_is_nothing_to_expect_and_the_code_is_1(self):
        r = run("http", "--expect", "total<1s", f"127.0.0.1:{closed_port()}")
        self.assertEqual(r.code, 1, r)


class TwoWrites(BaseHTTPRequestHandler):
    """As http.server does it: the head in one write, the body in the next, Nagle's algorithm on."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(KB)

    def log_message(self, *_):
        pass


class DelayedAck(Http):
    """Kernels differ in when they put an acknowledgement off; so what is claimed is compared with what was seen."""

    def test_a_server_of_two_writes_is_recognised(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), TwoWrites)
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            r = run("http", "-c", "12", "-i", "0", f"127.0.0.1:{server.server_port}", "-f", "ndjson")
            text = run("http", "-c", "12", "-i", "0", f"127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            server.server_close()
        *probes, last = r.lines
        slow = [p for p in probes if p["kept"] and 35 <= p["transfer_ms"] <= 60]
        if len(slow) < 4:
            self.skipTest("this kernel acknowledges at once: nothing is put off")
        self.assertIs(last["delayed_ack"], True, r)
        self.assertIn("it is not the network", last["note"])
        self.assertEqual((last["requests"], len(probes)), (12, 12), "what was tried out does not count")
        self.assertIn("delayed acknowledgement: the server sends head and body in two writes (Nagle)", text.out)

    def test_a_server_that_really_sleeps_is_not_excused(self):
        head, body = head_and_body(FILE)
        for name, talk in (("before the answer", paced(0.044, FILE)), ("in the middle", paced(head, 0.044, body))):
            with self.subTest(name):
                r = self.ask(talk, "-c", "8", "-i", "0", "-f", "ndjson")
                *probes, last = r.lines
                self.assertIs(last["delayed_ack"], False, r)
                self.assertIsNone(last["note"])
                self.assertEqual((last["requests"], last["answered"]), (8, 8))

    def test_a_server_that_throttles_all_but_the_first_is_not_excused_either(self):
        head, body = head_and_body(FILE)

        def talk(c):
            paced_once = False
            c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while c.head():
                c.send(head)
                if paced_once:
                    time.sleep(0.044)
                paced_once = True
                c.send(body)

        doc = self.measured(talk, "-c", "8", "-i", "0")
        self.assertIs(doc["delayed_ack"], False, doc)


if __name__ == "__main__":
    unittest.main()
