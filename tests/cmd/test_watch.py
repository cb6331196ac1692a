# SPDX-License-Identifier: MIT
"""sonde watch: the table, the lines of a log, the totals at the end, and what Prometheus gets meanwhile."""

import http.client
import json
import os
import re
import signal
import socket
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import formats
from program import PATIENCE, Serve, hints, one_error, read_until, refuse_sanitizer, run, start
from screen import Terminal

FAST = ("-i", "50ms", "-W", "500ms")
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


class Watched:
    """A watch that goes on until the end of the with block, or until end() asks what it says."""

    def __init__(self, *args, **how):
        self.process, self.port, self.text = start("watch", *args, **how), None, ""
        if "--listen" in args and "-f" not in args:
            self.port = int(self.until(r"answers Prometheus at http://\S+:(\d+)/\n")[1])

    def until(self, pattern):
        found, more = read_until(self.process.stdout, pattern)
        self.text += more
        return found

    def end(self, sig=signal.SIGINT):
        self.process.send_signal(sig)
        out, err = self.process.communicate(timeout=PATIENCE)
        self.err = err.decode()
        refuse_sanitizer(self.err)
        self.text += out.decode()
        return self.process.returncode

    def ask(self, path, status=200, method="GET", **headers):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            c.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
            r = c.getresponse()
            body = r.read().decode()
        finally:
            c.close()
        if r.status != status:
            raise AssertionError(f"{path}: {r.status} {body}")
        self.headers = r
        return body

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def plain(text):
    """What formats.prometheus() takes: without the metrics that have other people's names."""
    return re.sub(r"(?m)^.*(sonde_build_info|probe_success|probe_duration_seconds).*\n|^# (?!HELP|TYPE).*\n", "", text)


class Watch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve(addresses=("127.0.0.1", "127.0.0.2"))
        cls.addClassCleanup(cls.serve.stop)
        cls.good = [f"tcp://127.0.0.{i}:{cls.serve.port}" for i in (1, 2)]
        cls.bad = "tcp://127.0.0.3:1"

    def watch(self, *args, **how):
        w = Watched(*args, **how)
        self.addCleanup(w.__exit__)
        return w


class Log(Watch):
    def test_it_says_what_it_does_and_at_once_what_falls_silent(self):
        w = self.watch(*FAST, *self.good, self.bad)
        w.until(rf"(?m)^{STAMP} {self.bad}: silent for \d+ ms \(Connection refused\)$")
        self.assertRegex(w.text, r"^targets: 3, by tcp, a line each every 10 s\n")
        self.assertEqual(w.end(), 1, w.text)
        self.assertEqual(w.text.count("silent for"), 1, w.text)
        self.assertRegex(w.text, r"\n3 targets, 2 answered, 1 did not; \d+ probes, \d+ answers, \d+ lost, in ")

    def test_what_comes_back_is_told_with_how_long_it_was_away(self):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", 0))
            target = f"tcp://127.0.0.1:{s.getsockname()[1]}"
            w = self.watch(*FAST, target)
            w.until(rf"(?m)^{STAMP} {target}: silent for ")
            s.listen(50)
            w.until(rf"(?m)^{STAMP} {target}: answers again after \d+")
            self.assertEqual(w.end(signal.SIGTERM), 0, w.text)

    def test_every_ten_seconds_a_line_of_what_happened_since(self):
        w = self.watch("-i", "500ms", "-W", "400ms", self.good[0], self.bad)
        sent = "(19|20|21)"
        w.until(rf"(?m)^{STAMP} {self.good[0]}: {sent} sent, 0 lost, p50 \d+\.\d{{3}} p99 \d+\.\d{{3}} ms\n"
            rf"{STAMP} {self.bad}: {sent} sent, {sent} lost, silent$")
        self.assertEqual(w.end(), 1)

    def test_one_target_alone(self):
        w = self.watch(*FAST, self.good[0])
        w.until(r"^targets: 1, by tcp, a line each every 10 s\n")
        time.sleep(0.5)
        self.assertEqual(w.end(), 0, w.text)
        self.assertRegex(w.text, r"\n--- \S+ ping statistics ---\n\d+ packets transmitted, \d+ received, ")

    def test_quiet_is_the_totals(self):
        w = self.watch("-q", *FAST, self.bad)
        time.sleep(0.6)
        self.assertEqual(w.end(), 130, w.text)  # nothing was measured
        self.assertTrue(w.text.startswith("\n--- "), w.text)

    def test_a_name_that_comes_to_nothing_is_told_and_the_others_go_on(self):
        w = self.watch(*FAST, "-W", "2s", self.good[0], "nosuch.invalid")
        w.until("cannot resolve 'nosuch.invalid'")
        time.sleep(0.3)
        w.process.send_signal(signal.SIGQUIT)
        read_until(w.process.stderr, "packets transmitted, [1-9]")
        self.assertEqual(w.end(), 2, w.text)

    def test_expectations_are_judged_at_the_end(self):
        w = self.watch(*FAST, "--expect", "rtt<1ns", self.good[0])
        time.sleep(0.5)
        self.assertEqual(w.end(), 4, w.text)

    def test_sigquit_reports_and_it_goes_on(self):
        w = self.watch(*FAST, *self.good)
        for _ in range(2):
            time.sleep(0.3)
            w.process.send_signal(signal.SIGQUIT)
            read_until(w.process.stderr, "(?s)--- .*--- .* packets transmitted, [1-9]")
        self.assertEqual(w.end(), 0)

    def test_memory_stays_the_same(self):
        w = self.watch("-i", "0", *self.good)

        def resident():
            time.sleep(1)
            return int(Path(f"/proc/{w.process.pid}/statm").read_text().split()[1])

        resident()
        first = resident()
        resident()
        self.assertLess(resident() - first, 200)
        w.end()


class Machines(Watch):
    def test_ndjson_is_a_line_for_each_probe_and_the_result(self):
        w = self.watch("-f", "ndjson", *FAST, *self.good)
        w.until(r'(?s)("type":"probe".*){5}')
        self.assertEqual(w.end(), 0)
        docs = [json.loads(line) for line in w.text.splitlines()]
        self.assertEqual({d["type"] for d in docs[:-1]}, {"probe"})
        self.assertEqual((docs[-1]["type"], len(docs[-1]["targets"])), ("ping", 2))
        self.assertEqual(docs[-1]["targets"][0]["sent"], sum(d["target"] == self.good[0] for d in docs[:-1])
            + docs[-1]["targets"][0]["sent"] - docs[-1]["targets"][0]["received"])

    def test_json_csv_and_prometheus_come_at_the_end(self):
        for form, check in (("json", json.loads), ("csv", formats.rows), ("prom", formats.prometheus)):
            w = self.watch("-f", form, *FAST, *self.good)
            time.sleep(0.4)
            self.assertEqual(w.end(), 0)
            self.assertTrue(check(w.text))

    def test_it_is_ended_by_its_reader(self):
        ours, theirs = os.pipe()
        w = start("watch", "-f", "ndjson", *FAST, *self.good, stdout=theirs)
        os.close(theirs)
        os.close(ours)
        _, err = w.communicate(timeout=PATIENCE)
        self.assertEqual((w.returncode, err), (2, b""))


class Table(Watch):
    def terminal(self, *args, **how):
        t = Terminal("watch", *args, **how)
        self.addCleanup(t.__exit__)
        return t

    def test_one_target_has_a_table_too_and_it_stays(self):
        t = self.terminal(*FAST, self.good[0])
        t.until(r"1 target, [3-9]\d* sent, 0 lost, \d+ s  q to quit")
        t.press("q")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assertEqual(t.mode(), t.before, t)
        self.assertRegex(t.screen.text, r"^target .*\n\S+ .*\n1 target, \d+ sent, 0 lost, \d+ s\n$")

    def test_a_dumb_terminal_gets_the_log(self):
        t = self.terminal(*FAST, self.bad, env={"TERM": "dumb"})
        t.until("silent for")
        t.press("\x03")
        self.assertEqual(t.wait(), "exit 130", t)
        self.assertNotIn(b"\x1b", t.bytes)

    def test_prometheus_is_answered_beside_it(self):
        t = self.terminal(*FAST, "--listen", "0", *self.good)
        port = int(t.until(r"answers Prometheus at http://127\.0\.0\.1:(\d+)/\n")[1])
        t.until(r"2 targets, [3-9]\d* sent")
        for path in ("/metrics", "/probe?target=127.0.0.1"):
            got = []

            def ask():
                c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
                c.request("GET", path)
                got.append(c.getresponse().read())
                c.close()

            thread = threading.Thread(target=ask)
            thread.start()
            t.until(lambda s: got)
            thread.join()
            self.assertIn(b"sonde_ping_sent_total", got[0])
        frames = t.screen.frames
        t.until(lambda s: s.frames > frames + 1)
        self.assertNotEqual(t.mode(), t.before, t)
        t.press("q")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assertEqual(t.mode(), t.before, t)


class Prometheus(Watch):
    def test_metrics_are_those_of_the_result(self):
        w = self.watch(*FAST, "--listen", "0", *self.good, self.bad)
        w.until("silent")
        text = w.ask("/metrics")
        self.assertIn("text/plain", w.headers.getheader("Content-Type"))
        self.assertRegex(text, r'(?m)^sonde_build_info\{version="\d[^"]*"\} 1$')
        samples = formats.prometheus(plain(text))
        for target in (*self.good, self.bad):
            labels = tuple(sorted({"target": target, "address": target[6:15], "method": "tcp"}.items()))
            self.assertGreater(samples["sonde_ping_sent_total", labels], 2)
            self.assertEqual(samples["sonde_ping_loss_ratio", labels], target == self.bad)
        again = formats.prometheus(plain(w.ask("/metrics")))
        for key, v in samples.items():
            if key[0].endswith("_total"):
                self.assertGreaterEqual(again[key], v)
        self.assertEqual(w.end(), 1)

    def test_a_thousand_targets_are_all_there(self):
        w = self.watch("-i", "1s", "-W", "900ms", "--via", "tcp", "--listen", "0", "127.0.0.0/22")
        drain = threading.Thread(target=w.process.stdout.read, daemon=True)
        drain.start()
        time.sleep(2)
        with ThreadPoolExecutor(8) as pool:
            texts = list(pool.map(lambda _: w.ask("/metrics"), range(8)))
        for text in texts:
            samples = formats.prometheus(plain(text))
            self.assertEqual(sum(name == "sonde_ping_sent_total" for name, _ in samples), 1022)
        w.process.terminate()
        drain.join()

    def test_a_client_that_reads_nothing_and_one_that_leaves_hold_nobody_up(self):
        w = self.watch(*FAST, "--listen", "0", "--via", "tcp", "127.0.0.0/24")
        with socket.create_connection(("127.0.0.1", w.port)) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with socket.create_connection(("127.0.0.1", w.port)) as gone:
                gone.sendall(b"GET /probe?target=127.0.0.1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(formats.prometheus(plain(w.ask("/metrics"))))

    def test_a_probe_is_of_any_target_and_now(self):
        w = self.watch("--listen", "0")
        text = w.ask(f"/probe?target=127.0.0.1:{self.serve.port}&module=icmp")
        self.assertRegex(text, r"(?m)^probe_success 1$")
        self.assertRegex(text, r"(?m)^probe_duration_seconds 0\.[4-9]|[1-9]\d*\.")
        formats.prometheus(plain(text))
        text = w.ask("/probe?target=tcp%3A%2F%2F127.0.0.3%3A1")
        self.assertRegex(text, r"(?m)^probe_success 0$")
        self.assertEqual(w.end(), 0)

    def test_a_probe_of_no_target_at_all_is_a_comment_and_no_success(self):
        w = self.watch("--listen", "0")
        text = w.ask("/probe?target=nosuch.invalid")
        self.assertRegex(text, r"(?m)^# cannot resolve 'nosuch\.invalid'")
        self.assertRegex(text, r"(?m)^probe_success 0$")
        text = w.ask("/probe?target=https%3A%2F%2Fexample")
        self.assertRegex(text, r"(?m)^# .*https")
        self.assertRegex(text, r"(?m)^probe_success 0$")

    def test_targets_that_are_none_are_refused_in_words(self):
        w = self.watch("--listen", "0")
        for query in ("", "?target=", "?x=y", "?target=-f", "?target=--help", "?target=" + "a" * 256, "?target=%zz",
                "?target=%00", "?target=127.0.0.0/24", "?target=127.0.0.0%2F24"):
            self.assertIn("one host of at most 255 bytes", w.ask("/probe" + query, 400))

    def test_at_most_eight_probes_at_once(self):
        w = self.watch("--listen", "0")
        with ThreadPoolExecutor(12) as pool:
            codes = list(pool.map(lambda _: w_status(w.port, "/probe?target=127.0.0.1"), range(12)))
        self.assertEqual((codes.count(200), codes.count(503)), (8, 4), codes)
        self.assertEqual(w_status(w.port, "/probe?target=127.0.0.1"), 200)

    def test_an_end_takes_the_probes_along(self):
        w = self.watch("--listen", "0")
        with socket.create_connection(("127.0.0.1", w.port)) as s:
            s.sendall(b"GET /probe?target=127.0.0.1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            s.recv(10)
            children = Path(f"/proc/{w.process.pid}/task/{w.process.pid}/children").read_text().split()
            self.assertEqual(len(children), 1)
            self.assertEqual(w.end(), 0)
        self.assertFalse(Path(f"/proc/{children[0]}").exists())

    def test_the_rest_is_words_and_refusals(self):
        w = self.watch("--listen", "0")
        self.assertIn('href="metrics"', w.ask("/"))
        self.assertIn("/metrics", w.ask("/nothing", 404))
        w.ask("/metrics", 405, method="POST")
        self.assertEqual(plain(w.ask("/metrics")), "")

    def test_no_page_and_no_public_name_may_ask(self):
        w = self.watch("--listen", "0")
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"},
                {"Sec_Fetch_Site": "same-site"}):
            for path in ("/metrics", "/probe?target=127.0.0.1", "/"):
                w.ask(path, 403, **headers)
        w.ask("/metrics", Sec_Fetch_Site="none", Host=f"localhost:{w.port}")

    def test_it_listens_on_the_loopback_alone_or_where_it_is_told(self):
        w = self.watch("--listen", f"127.0.0.7:{free_port()}")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", w.port))
        socket.create_connection(("127.0.0.7", w.port)).close()

    def test_an_address_that_cannot_be_is_a_usage_error(self):
        for words in ("x", "70000", "host.example:80", ":80", "127.0.0.1", "http://127.0.0.1:80", "127.0.0.1:80/x", ""):
            r = run("watch", "--listen", words)
            self.assertEqual(r.code, 2, r)
            self.assertIn("--listen", one_error(r))

    def test_a_port_that_is_taken_is_told(self):
        r = run("watch", "--listen", str(self.serve.port), "127.0.0.1")
        self.assertEqual(r.code, 2, r)
        self.assertIn(str(self.serve.port), one_error(r))


class Usage(unittest.TestCase):
    def test_nothing_to_watch_is_a_usage_error(self):
        r = run("watch")
        self.assertEqual(r.code, 2)
        self.assertIn("there is nothing to watch", one_error(r))
        self.assertEqual(len(hints(r)), 2)

    def test_there_is_no_end_to_ask_for(self):
        for option in (("-c", "3"), ("-w", "3s")):
            self.assertEqual(run("watch", *option, "127.0.0.1").code, 2)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.7", 0))
        return s.getsockname()[1]


def w_status(port, path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        c.request("GET", path)
        r = c.getresponse()
        r.read()
        return r.status
    finally:
        c.close()


if __name__ == "__main__":
    unittest.main()
