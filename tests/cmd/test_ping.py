# SPDX-License-Identifier: MIT
"""ping on the loopback: by ICMP where this process may, by TCP and HTTP always. tests/lab has what needs a network."""

import json
import re
import signal
import socket
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from formats import PING_KEYS, prometheus, rows
from hostile import Full, Hostile, always, closed_port
from program import PATIENCE, Serve, one_error, read_until, run, start

PROBE_KEYS = set("schema type target address seq outcome rtt_ms host_queue_ms ttl stamps method".split())
QUICK = ("-i", "5ms", "-c", "4")
MAY = run("caps", "-f", "json").json
ICMP = MAY["icmp_raw"] or MAY["icmp_dgram"]
NEEDS_ICMP = unittest.skipUnless(ICMP, "this process may not send ICMP echo requests")
NEEDS_STAMPS = unittest.skipUnless(MAY["kernel_timestamps"], "there are no kernel stamps here")


def is_closed(port):
    """Does nobody serve there, not even a stranger?"""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.77", port)) != 0


class Pinged(unittest.TestCase):
    def ping(self, *args, code=0, quick=QUICK, **how):
        r = run("ping", *quick, *args, **how)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r


@NEEDS_ICMP
class Icmp(Pinged):
    def test_the_lines_are_those_that_other_programs_parse(self):
        r = self.ping("127.0.0.1")
        lines = r.out.splitlines()
        self.assertEqual(lines[0], "PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.")
        replies = [re.fullmatch(r"64 bytes from 127\.0\.0\.1: icmp_seq=(\d+) ttl=64 time=(\d+\.\d{3}) ms", line)
            for line in lines if " bytes from " in line]
        self.assertTrue(all(replies), r)
        self.assertEqual([int(m[1]) for m in replies], [1, 2, 3, 4])
        self.assertIn("--- 127.0.0.1 ping statistics ---", lines)
        self.assertRegex(r.out, r"(?m)^4 packets transmitted, 4 received, 0% packet loss, time \d+ms$")
        self.assertRegex(r.out, r"(?m)^rtt min/avg/max/mdev = \d+\.\d{3}/\d+\.\d{3}/\d+\.\d{3}/\d+\.\d{3} ms$")

    def test_ipv6_is_the_same(self):
        r = self.ping("::1")
        self.assertTrue(r.out.startswith("PING ::1 (::1) 56(104) bytes of data.\n"), r)
        self.assertEqual(r.out.count("64 bytes from ::1: icmp_seq="), 4, r)

    def test_the_size_is_kept_from_nothing_to_the_largest(self):
        for size in (0, 1, 7, 8, 9, 1400, 10000, 65000):
            doc = self.ping("-s", str(size), "-f", "json", "127.0.0.1").json["targets"][0]
            self.assertEqual((doc["sent"], doc["received"], doc["corrupt"]), (4, 4, 0), size)
            self.assertIn(f"{size + 8} bytes from", self.ping("-s", str(size), "127.0.0.1").out)

    def test_a_ttl_of_one_is_enough_for_the_loopback(self):
        self.assertEqual(self.ping("-t", "1", "-f", "json", "127.0.0.1").json["targets"][0]["received"], 4)

    def test_the_kernel_has_stamped_both_ends(self):
        doc = self.ping("-f", "json", "127.0.0.1").json["targets"][0]
        self.assertIn(doc["method"], ("icmp-raw", "icmp-dgram"))
        self.assertEqual(doc["stamps"], "kernel-txrx" if MAY["kernel_timestamps"] else "user")

    def test_two_pings_at_once_do_not_take_each_other_s_replies(self):
        some = [start("ping", "-i", "2ms", "-c", "100", "-f", "json", "127.0.0.1") for _ in range(4)]
        for p in some:
            out, err = p.communicate(timeout=PATIENCE)
            doc = json.loads(out)["targets"][0]
            self.assertEqual((p.returncode, doc["sent"], doc["received"], doc["duplicates"], doc["corrupt"]),
                (0, 100, 100, 0, 0), err)

    def test_many_targets_have_a_line_each_and_each_is_asked(self):
        targets = [f"127.0.0.{i}" for i in range(1, 51)]
        r = self.ping(*targets, quick=("-c", "2", "-i", "50ms", "-q"))
        for t in targets:
            self.assertRegex(r.out, rf"(?m)^{re.escape(t)} : xmt/rcv/%loss = 2/2/0%, min/avg/max = ")

    def test_both_families_in_one_run(self):
        doc = self.ping("-f", "json", "127.0.0.1", "::1", "localhost").json
        self.assertEqual([(t["target"], t["received"]) for t in doc["targets"]],
            [("127.0.0.1", 4), ("::1", 4), ("localhost", 4)])

    def test_the_same_target_twice_is_two_targets(self):
        doc = self.ping("-f", "json", "127.0.0.1", "127.0.0.1").json
        self.assertEqual([t["received"] for t in doc["targets"]], [4, 4])


class Tcp(Pinged):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        cls.target = "tcp://" + cls.serve.target

    def test_a_connection_is_a_round_trip(self):
        doc = self.ping("-f", "json", self.target).json["targets"][0]
        self.assertEqual((doc["target"], doc["address"], doc["method"]), (self.target, "127.0.0.1", "tcp"))
        self.assertEqual((doc["sent"], doc["received"]), (4, 4))

    @NEEDS_STAMPS
    def test_the_kernel_s_handshake_counts_and_the_time_to_connect_stands_beside_it(self):
        doc = self.ping("-f", "json", self.target).json["targets"][0]
        self.assertEqual((doc["stamps"], doc["host_queue_p50_ms"]), ("kernel-txrx", None))
        self.assertGreater(doc["connect_p50_ms"], doc["rtt_min_ms"])
        probe, *_ = self.ping("-f", "ndjson", self.target, quick=("-c", "1")).lines
        self.assertGreaterEqual(probe["connect_ms"], probe["rtt_ms"])
        self.assertEqual((probe["stamps"], probe["host_queue_ms"]), ("kernel-txrx", None))
        self.assertRegex(self.ping(self.target).out, r"(?m)^answer from .*: tcp_seq=1 time=\S+ ms connect=\S+ ms$")

    def test_a_refusal_where_no_port_was_named_is_an_answer_without_a_handshake(self):
        if not is_closed(80):
            self.skipTest("somebody serves on port 80 here")
        doc = self.ping("--via", "tcp", "-f", "json", "127.0.0.77").json["targets"][0]
        self.assertEqual((doc["received"], doc["stamps"], doc["connect_p50_ms"]), (4, "user", None))

    def test_the_text_says_how_it_was_measured(self):
        r = self.ping(self.target)
        self.assertIn("by TCP connections.", r.out.splitlines()[0])
        self.assertRegex(r.out, r"(?m)^answer from .*: tcp_seq=4 time=\d+\.\d{3} ms( connect=\d+\.\d{3} ms)?$")

    def test_http_waits_for_an_answer(self):
        doc = self.ping("--via", "http", "-f", "json", self.serve.url + "/ping").json["targets"][0]
        self.assertEqual((doc["method"], doc["received"]), ("http", 4))

    def test_a_server_that_never_answers_has_lost_every_http_probe(self):
        with Hostile(lambda c: c.stall()) as s:
            r = self.ping("--via", "http", "-W", "200ms", "-f", "json", s.url + "/", code=1)
        self.assertEqual((r.json["targets"][0]["received"], r.json["targets"][0]["loss_ratio"]), (0, 1))

    def test_an_answer_that_is_no_http_is_an_answer_all_the_same_or_an_error_but_no_hang(self):
        with Hostile(always(b"\0\1\2", "close")) as s:
            r = run("ping", *QUICK, "--via", "http", "-W", "1s", "-f", "json", s.url + "/")
        self.assertLess(r.seconds, 10)
        self.assertEqual(r.json["targets"][0]["sent"], 4, r)

    def test_a_closed_port_is_an_error_line_and_exit_code_1(self):
        r = self.ping(f"tcp://127.0.0.1:{closed_port()}", code=1)
        self.assertRegex(r.out, r"(?m)^tcp://.*: tcp_seq=1 Connection refused$")
        self.assertRegex(r.out, r"(?m)^4 packets transmitted, 0 received, \+4 errors, 100% packet loss")
        self.assertNotIn("rtt min", r.out)
        self.assertTrue(r.out.endswith("\n4 x Connection refused\n"), r)

    def test_an_http_request_that_is_refused_is_no_answer_whatever_the_port(self):
        for target in (f"http://127.0.0.1:{closed_port()}/", *(["127.0.0.77"] if is_closed(80) else [])):
            doc = self.ping("--via", "http", "-f", "json", target, code=1).json["targets"][0]
            self.assertEqual((doc["method"], doc["received"], doc["errors"]), ("http", 0, 4), target)

    def test_an_error_that_no_router_told_has_neither_sender_nor_type(self):
        doc = self.ping("-f", "json", f"tcp://127.0.0.1:{closed_port()}", code=1).json["targets"][0]
        self.assertEqual(doc["error_kinds"], [{"from": None, "icmp_type": None, "icmp_code": None,
            "error": "Connection refused", "count": 4}])
        self.assertEqual((doc["errors"], doc["loss_runs"], doc["loss_run_max"]), (4, 1, 4))

    def test_a_filtered_port_ends_in_time_and_counts_as_lost(self):
        with Full() as s:
            r = self.ping("-W", "300ms", "-f", "json", f"tcp://{s.target}", code=1)
        self.assertLess(r.seconds, 5, r)
        doc = r.json["targets"][0]
        self.assertEqual((doc["sent"], doc["received"], doc["lost"], doc["in_flight"], doc["loss_ratio"]),
            (4, 0, 4, 0, 1))
        self.assertEqual({k: v for k, v in doc.items() if k.startswith(("rtt", "jitter", "ipdv", "host"))
            and v is not None}, {})

    def test_one_dead_target_among_good_ones_is_exit_code_1(self):
        doc = self.ping("-f", "json", self.target, f"tcp://127.0.0.1:{closed_port()}", code=1).json
        self.assertEqual([t["received"] for t in doc["targets"]], [4, 0])


class Formats(Pinged):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve(addresses=("127.0.0.1", "::1"))
        cls.addClassCleanup(cls.serve.stop)
        cls.targets = [f"tcp://127.0.0.1:{cls.serve.port}", f"tcp://[::1]:{cls.serve.port}"]

    def test_json_has_the_keys_of_the_contract(self):
        doc = self.ping("-f", "json", *self.targets).json
        self.assertEqual((doc["schema"], doc["type"], len(doc["targets"])), (1, "ping", 2))
        for target in doc["targets"]:
            self.assertLessEqual(PING_KEYS, set(target))
            self.assertEqual(target["sent"], target["received"] + target["lost"] + target["in_flight"])

    def test_ndjson_has_a_line_for_each_probe_as_it_happens_and_the_result_last(self):
        with start("ping", "-i", "300ms", "-c", "4", "-f", "ndjson", self.targets[0]) as p:
            _, text = read_until(p.stdout, r"\n")
            self.assertIsNone(p.poll(), "the first line waits for the last")
            rest, err = p.communicate(timeout=PATIENCE)
        lines = [json.loads(line) for line in (text + rest.decode()).splitlines()]
        self.assertEqual([line["type"] for line in lines], ["probe"] * 4 + ["ping"])
        self.assertEqual([line["seq"] for line in lines[:-1]], [1, 2, 3, 4])
        for line in lines[:-1]:
            self.assertLessEqual(PROBE_KEYS, set(line))
            self.assertEqual((line["outcome"], line["method"]), ("reply", "tcp"))

    def test_csv_has_a_row_for_each_target(self):
        table = rows(self.ping("-f", "csv", *self.targets).out)
        self.assertEqual([(row["target"], row["received"]) for row in table], [(t, "4") for t in self.targets])

    def test_prometheus_can_read_it(self):
        samples = prometheus(self.ping("-f", "prom", *self.targets).out)
        values = {dict(labels)["target"]: v for (name, labels),
            v in samples.items() if name == "sonde_ping_received_total"}
        self.assertEqual(values, {t: 4 for t in self.targets})

    def test_nothing_received_is_null_and_empty_and_no_sample(self):
        dead = f"tcp://127.0.0.1:{closed_port()}"
        doc = self.ping("-f", "json", dead, code=1).json["targets"][0]
        self.assertEqual([doc[k] for k in ("rtt_min_ms", "rtt_p50_ms", "jitter_ms")], [None] * 3)
        self.assertEqual(rows(self.ping("-f", "csv", dead, code=1).out)[0]["rtt_p50_ms"], "")
        self.assertNotIn("rtt", self.ping("-f", "prom", dead, code=1).out)

    def test_quotes_in_a_name_break_no_document(self):
        name, words = 'no"such..\\name', "cannot resolve 'no\"such..\\name'"
        got = {f: run("ping", "-f", f, name) for f in ("text", "json", "ndjson", "csv", "prom")}
        for r in got.values():
            self.assertEqual(r.code, 2, r)
            self.assertIn(words, one_error(r))
        self.assertEqual(got["text"].out, "")
        for target in (got["json"].json["targets"][0], rows(got["csv"].out)[0]):
            self.assertEqual(target["target"], name)
            self.assertIn(words, target["resolve_error"])
            self.assertIn(target["address"], (None, ""))
        for (_, labels) in prometheus(got["prom"].out):
            self.assertEqual(dict(labels)["target"], name.replace("\\", "\\\\").replace('"', '\\"'))
        lines = {line["type"]: line for line in got["ndjson"].lines}
        self.assertEqual(sorted(lines), ["error", "ping", "resolve"])
        self.assertIn(words, lines["resolve"]["error"])
        self.assertIn(words, lines["error"]["message"])


class Ends(Pinged):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        cls.target = "tcp://" + cls.serve.target

    def test_a_deadline_ends_it(self):
        r = self.ping("-w", "500ms", self.target, quick=("-i", "50ms"))
        self.assertTrue(0.4 < r.seconds < 5, r)

    def test_an_interrupt_prints_what_there_is(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            with start("ping", "-i", "50ms", self.target) as p:
                _, text = read_until(p.stdout, "tcp_seq=3 ")
                p.send_signal(sig)
                out, err = p.communicate(timeout=PATIENCE)
            self.assertEqual((p.returncode, err), (0, b""))
            self.assertRegex(text + out.decode(), r"(?m)^\d+ packets transmitted, \d+ received, 0% packet loss")

    def test_an_interrupt_before_any_reply_is_130(self):
        with Full() as s, start("ping", "-W", "20s", "-f", "json", f"tcp://{s.target}") as p:
            time.sleep(0.5)
            p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=PATIENCE)
        self.assertEqual((p.returncode, err), (130, b""))
        self.assertEqual(json.loads(out)["targets"][0]["received"], 0)

    def test_expectations_are_judged_by_the_worst_target(self):
        self.ping("--expect", "received>=4", self.target)
        r = self.ping("--expect", "received>=5", self.target, code=4)
        self.assertRegex(r.out, r"(?m)^  expect +received>=5: missed, ")

    def test_a_probe_each_interval_and_no_more(self):
        r = self.ping("-f", "json", self.target, quick=("-c", "6", "-i", "100ms"))
        self.assertTrue(0.5 <= r.json["targets"][0]["seconds"] < 0.7, r)


class Origins(Pinged):
    def test_an_interface_that_is_not_there_is_refused_and_not_worked_around(self):
        r = run("ping", *QUICK, "-I", "nosuch0", "127.0.0.1")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertRegex(one_error(r),
            "^sonde: ping: cannot use interface 'nosuch0': (No such device|Operation not permitted)$")

    def test_a_source_address_of_another_machine_is_refused_and_not_worked_around(self):
        r = run("ping", *QUICK, "-S", "192.0.2.77", "127.0.0.1")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertEqual(one_error(r), "sonde: ping: cannot send from '192.0.2.77': Cannot assign requested address")

    @NEEDS_ICMP
    def test_a_source_address_of_this_machine_is_used(self):
        self.assertEqual(self.ping("-S", "127.0.0.9", "-f", "json", "127.0.0.1").json["targets"][0]["received"], 4)


if __name__ == "__main__":
    unittest.main()
