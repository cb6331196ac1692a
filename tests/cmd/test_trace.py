# SPDX-License-Identifier: MIT
"""sonde trace as a user without privileges sees it, on the loopback, where the target is the first hop."""

import fcntl
import json
import os
import signal
import socket
import struct
import sys
import termios
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import formats
from program import PATIENCE, Serve, hints, one_error, read_until, run, start

QUICK = ("-n", "-c", "2", "-i", "10ms", "-W", "1s")
HOP_KEYS = (formats.PING_KEYS - {"target", "address", "method"}) | {"ttl", "addresses", "names", "rate_limited", "mpls"}


def trace(*args, **how):
    return run("trace", *QUICK, *args, **how)


class Trace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        cls.tcp = "tcp://" + cls.serve.target
        cls.closed = "tcp://127.0.0.1:1"

    def good(self, *args, code=0, **how):
        r = trace(*args, **how)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r


class Results(Trace):
    def test_the_target_is_the_first_hop_and_reached(self):
        for target in (self.tcp, self.closed, "127.0.0.1"):
            r = self.good(target)
            self.assertRegex(r.out, r"^trace to \S+ \(127\.0\.0\.1\), 30 hops at most, (tcp|icmp-raw|icmp-dgram)\n")
            self.assertRegex(r.out, r"(?m)^ hop   loss   sent       min       p50    max ms  address\n"
                r"   1     0%      2 +\d+\.\d{3} +\d+\.\d{3} +\d+\.\d{3}  127\.0\.0\.1\nreached in 1 hop\n\Z")

    def test_the_document_has_what_the_contract_says(self):
        doc = self.good("-f", "json", self.tcp).json
        self.assertEqual((doc["schema"], doc["type"]), (1, "trace"))
        path, = doc["targets"]
        self.assertEqual({k: path[k] for k in ("target", "address", "method", "reached", "unreachable")},
            {"target": self.tcp, "address": "127.0.0.1", "method": "tcp", "reached": True, "unreachable": None})
        hop, = path["hops"]
        self.assertLessEqual(HOP_KEYS, set(hop))
        self.assertEqual((hop["ttl"], hop["addresses"], hop["names"], hop["sent"], hop["received"]),
            (1, ["127.0.0.1"], [None], 2, 2))
        self.assertEqual((hop["rate_limited"], hop["mpls"], hop["stamps"]), (False, [], "kernel-txrx"))
        self.assertTrue(0 < hop["rtt_min_ms"] <= hop["rtt_p50_ms"] <= hop["rtt_max_ms"] < 1000, hop)

    def test_ndjson_is_a_line_for_each_probe_and_the_document(self):
        first, second, last = self.good("-f", "ndjson", self.tcp).lines
        for p, seq in ((first, 1), (second, 2)):
            self.assertEqual([p[k] for k in ("type", "target", "address", "ttl", "seq", "outcome", "from", "method")],
                ["probe", self.tcp, "127.0.0.1", 1, seq, "reply", "127.0.0.1", "tcp"])
        self.assertEqual(last["type"], "trace")

    def test_csv_has_a_row_for_each_hop(self):
        rows = formats.rows(self.good("-f", "csv", self.tcp, self.closed).out)
        self.assertEqual([(r["target"], r["ttl"], r["hop_addresses"], r["sent"], r["reached"]) for r in rows],
            [(t, "1", "127.0.0.1", "2", "1") for t in (self.tcp, self.closed)])

    def test_prometheus_gets_samples_of_hops_and_of_targets(self):
        samples = formats.prometheus(self.good("-f", "prom", self.tcp, self.closed).out)
        for target in (self.tcp, self.closed):
            whole = ("address", "127.0.0.1"), ("method", "tcp"), ("target", target)
            hop = *whole, ("ttl", "1"), ("hop", "127.0.0.1")
            self.assertEqual(samples["sonde_trace_reached", tuple(sorted(whole))], 1)
            self.assertEqual(samples["sonde_trace_sent_total", tuple(sorted(hop))], 2)
            self.assertLess(samples["sonde_trace_rtt_p50_seconds", tuple(sorted(hop))], 1)

    def test_several_targets_each_have_their_table(self):
        r = self.good(self.tcp, self.closed)
        for target in (self.tcp, self.closed):
            self.assertIn(f"trace to {target} (127.0.0.1), 30 hops at most, tcp\n hop ", r.out)
        self.assertEqual(r.out.count("reached in 1 hop\n"), 2)

    def test_quiet_is_the_result_and_verbose_each_probe(self):
        self.assertTrue(self.good("-q", self.tcp).out.startswith(" hop "))
        out = self.good("-v", self.tcp).out
        for i in (1, 2):
            self.assertRegex(out, rf"(?m)^round {i}  hop 1  127\.0\.0\.1  \d+\.\d{{3}} ms$")

    def test_names_come_from_the_system(self):
        r = run("trace", "-c", "1", "-f", "json", "127.0.0.1")
        self.assertEqual(r.code, 0, r)
        name, = r.json["targets"][0]["hops"][0]["names"]
        self.assertTrue(name is None or "localhost" in name, r)

    def test_the_table_is_the_same_in_any_language(self):
        self.assertNotRegex(trace(self.tcp, env={"LC_ALL": "de_DE.UTF-8"}).out, r"\d,\d{3}")

    def test_a_name_is_a_target_too(self):
        r = self.good("-4", "-f", "json", "localhost")
        self.assertEqual((r.json["targets"][0]["target"], r.json["targets"][0]["address"]), ("localhost", "127.0.0.1"))


class Watching(Trace):
    def test_a_terminal_shows_one_line_that_changes_and_is_cleared_at_the_end(self):
        ours, theirs = os.openpty()
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
        r = trace(self.closed, stderr=theirs, env={"TERM": "xterm"})
        seen = os.read(ours, 65536).decode()
        os.close(ours)
        os.close(theirs)
        self.assertEqual(r.code, 0, r)
        self.assertNotIn("\033", r.out)
        self.assertTrue(seen.startswith("\r\033[Kround 1  hop 1  127.0.0.1"), repr(seen))
        self.assertTrue(seen.endswith("\r\033[K"), repr(seen))
        for line in seen.split("\r\033[K"):
            self.assertLess(len(line), 30)

    def test_a_pipe_is_not_a_terminal(self):
        self.assertEqual(trace(self.closed, env={"TERM": "xterm"}).err, "")

    def test_sigquit_shows_what_there_is_and_it_goes_on(self):
        with start("trace", "-n", "-f", "json", "-i", "1s", "-c", "1000", self.closed) as p:
            time.sleep(0.5)
            p.send_signal(signal.SIGQUIT)
            read_until(p.stderr, r" hop .*\n   1 .*127\.0\.0\.1\nreached in 1 hop\n")
            p.send_signal(signal.SIGINT)
            out, _ = p.communicate(timeout=PATIENCE)
        self.assertEqual((p.returncode, json.loads(out)["targets"][0]["reached"]), (0, True))


class Verdicts(Trace):
    def test_expectations_are_about_the_target(self):
        for expect, code in (("loss<1%", 0), ("rtt<10s", 0), ("received>=2", 0), ("received>2", 4), ("rtt.max<1ns", 4)):
            r = trace("--expect", expect, self.closed)
            self.assertEqual(r.code, code, r)
            self.assertIn(expect, r.out)

    def test_a_port_that_never_answers_is_exit_code_1_and_a_star(self):
        with socket.socket() as full, socket.socket() as one, socket.socket() as two:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for s in (one, two): # as many as wait to be accepted; what comes after them is dropped
                s.setblocking(False)
                s.connect_ex(full.getsockname())
            time.sleep(0.1)
            target = f"tcp://127.0.0.1:{full.getsockname()[1]}"
            r = run("trace", "-n", "-c", "2", "-m", "2", "-i", "10ms", "-W", "100ms", target)
            doc = run("trace", "-n", "-c", "2", "-m", "2", "-i", "10ms", "-W", "100ms", "-f", "json", target).json
        self.assertEqual((r.code, r.err), (1, ""), r)
        self.assertTrue(r.out.endswith("address\nnot reached: no answer from hops 1 to 2\n"), r)
        path = doc["targets"][0]
        self.assertIs(path["reached"], False)
        for hop in path["hops"]:
            keys = ("sent", "received", "lost", "loss_ratio", "addresses", "names", "stamps")
            self.assertEqual([hop[k] for k in keys], [2, 0, 2, 1, [], [], None])
            self.assertTrue(all(hop[k] is None for k in hop if k.startswith(("rtt_", "jitter", "ipdv"))), hop)


class Refusals(Trace):
    def refused(self, *args, fault, hint=None):
        r = run(*args)
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertRegex(one_error(r), fault, r)
        if hint:
            self.assertTrue(any(hint in h for h in hints(r)), r)

    def test_nothing_to_trace(self):
        self.refused("trace", fault="^sonde: trace: there is nothing to trace$", hint="sonde trace ")

    def test_too_many_targets(self):
        self.refused("trace", *["127.0.0.1"] * 257, fault="^sonde: trace: too many targets")

    def test_what_is_no_host(self):
        self.refused("trace", "http://127.0.0.1/index.html", fault="takes hosts$")
        self.refused("trace", "10.0.0.0/24", fault="takes hosts$")
        self.refused("trace", "https://example.org/", fault="https", hint="tcp://example.org:443")
        self.refused("trace", "tcp://127.0.0.1", fault="port")

    def test_two_ways_in_one_run(self):
        self.refused("trace", "tcp://127.0.0.1:1", "icmp://127.0.0.1",
            fault="one run traces one way: 'icmp://127.0.0.1'")
        self.refused("trace", "--via", "icmp", "tcp://127.0.0.1:1", fault="one run traces one way")

    def test_options_out_of_range(self):
        for args, fault in ((("-c", "0"), "'0' is too small"), (("-m", "256"), "'256' is too large"),
                (("-s", "9"), "'9' is too small"), (("-i", "1ms"), "'1ms' is too small"), (("--via", "http"), "'http'"),
                (("-S", "nobody"), "not a numeric address"), (("-I", "nosuchif0"), "nosuchif0")):
            self.refused("trace", *args, "127.0.0.1", fault=fault)

    def test_names_and_families_that_do_not_go_together(self):
        self.refused("trace", "-6", "127.0.0.1", fault="is not an IPv6 address")
        self.refused("trace", "no-such-name.invalid", fault="cannot resolve 'no-such-name.invalid'")

    def test_ndjson_tells_a_fault_as_a_line_too(self):
        r = run("trace", "-f", "ndjson", "-6", "127.0.0.1")
        self.assertEqual((r.code, [line["type"] for line in r.lines]), (2, ["error"]), r)


class Help(unittest.TestCase):
    def test_help_names_the_options_and_what_they_are_worth(self):
        r = run("help", "trace")
        self.assertEqual(r.code, 0, r)
        for word in ("--count N", "--interval TIME", "--max-hops N", "--numeric", "--via HOW", "rate-limited",
                "tcp://"):
            self.assertIn(word, r.out)
        self.assertIn("sonde trace TARGET…", run("help").out)


class Together(Trace):
    def test_many_runs_at_once_do_not_take_each_others_answers(self):
        with ThreadPoolExecutor(8) as pool:
            for r in pool.map(lambda i: trace("-f", "json", "-c", "5", "127.0.0.1" if i % 2 else self.tcp), range(16)):
                self.assertEqual(r.code, 0, r)
                hop, = json.loads(r.out)["targets"][0]["hops"]
                self.assertEqual((hop["sent"], hop["received"], hop["duplicates"], hop["corrupt"]), (5, 5, 0, 0))



class BadNames(Trace):
    """One name that does not resolve leaves the others their path."""

    BAD = "no-such-name.invalid"

    def traced(self, *args):
        r = trace(*args)
        self.assertEqual(r.code, 2, r)
        self.assertRegex(one_error(r), f"^sonde: trace: cannot resolve '{self.BAD}'", r)
        self.assertTrue(hints(r), r)
        return r

    def test_the_good_ones_are_traced_wherever_the_bad_one_stands(self):
        for words in ((self.BAD, self.tcp, self.closed), (self.tcp, self.BAD, self.closed),
                (self.tcp, self.closed, self.BAD)):
            r = self.traced("-f", "json", *words)
            good = [t for t in r.json["targets"] if t["address"]]
            self.assertEqual([(t["target"], t["reached"], len(t["hops"])) for t in good],
                [(self.tcp, True, 1), (self.closed, True, 1)], r)

    def test_people_see_the_table_and_the_fault(self):
        r = self.traced(self.closed, self.BAD)
        self.assertTrue(r.out.endswith("reached in 1 hop\n"), r)
        self.assertNotIn("cannot", r.out)

    def test_ndjson_has_the_probes_the_fault_and_the_document(self):
        r = self.traced("-f", "ndjson", self.tcp, self.BAD)
        by_type = {line["type"]: line for line in r.lines}
        self.assertEqual(sorted(line["type"] for line in r.lines), ["error", "probe", "probe", "trace"], r)
        self.assertIn(self.BAD, by_type["error"]["message"])
        self.assertIs(by_type["trace"]["targets"][0]["reached"], True)

    def test_a_fault_in_a_word_is_still_told_before_anything_is_sent(self):
        for words in ((self.tcp, "http://127.0.0.1/x"), (self.BAD, "tcp://127.0.0.1")):
            r = trace(*words)
            self.assertEqual((r.code, r.out), (2, ""), r)
            self.assertNotIn("resolve", one_error(r))

    def test_no_good_one_is_nothing_to_trace(self):
        r = trace(self.BAD, "other-name.invalid")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertIn(self.BAD, one_error(r))


if __name__ == "__main__":
    unittest.main()
