# SPDX-License-Identifier: MIT
"""ping with many targets: networks, lists on standard input, names that come to nothing, and what is written then."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from formats import PING_KEYS, prometheus, rows
from hostile import Full, closed_port
from program import PATIENCE, SONDE, Serve, environment, hints, one_error, read_until, run, start

MAY = run("caps", "-f", "json").json
NEEDS_ICMP = unittest.skipUnless(MAY["icmp_raw"] or MAY["icmp_dgram"], "this process may not send ICMP echo requests")
QUICK = ("-c", "2", "-i", "10ms")

# What programs look for that read fping's lines.
LINE = re.compile(r"(\S+)(?: \((\S+)\))? : xmt/rcv/%loss = (\d+)/(\d+)/([\d.]+)%"
    r"(?:, min/avg/max = ([\d.]+)/([\d.]+)/([\d.]+))?(?:, .*)?")


def is_closed(host):
    """Does nobody serve there on port 80, not even a stranger?"""
    with socket.socket() as s:
        return s.connect_ex((host, 80)) != 0


def hosts(first, n):
    """@n addresses of the loopback's network from @first on."""
    a, b = map(int, first.split("."))
    return [f"127.0.{a + (b + i) // 256}.{(b + i) % 256}" for i in range(n)]


class Once:
    """A port that closes behind the first caller."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.target = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def _serve(self):
        caller, _ = self.listener.accept()
        self.listener.close()
        caller.close()

    def __exit__(self, *_):
        self.thread.join(PATIENCE)


class Many(unittest.TestCase):
    def ping(self, *args, code=0, quick=QUICK, **how):
        r = run("ping", *quick, *args, **how)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r

    def fed(self, data, *args, stdin=None, **how):
        """With a list on standard input."""
        with tempfile.TemporaryFile() as f:
            f.write(data.encode() if isinstance(data, str) else data)
            f.seek(0)
            return run("ping", *args, stdin=f, **how)

    def refused(self, fault, *args, data=None):
        """Before anything is sent; one millisecond is all that it may be wrong."""
        r = run("ping", "-w", "1ms", *args) if data is None else self.fed(data, "-w", "1ms", *args)
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertRegex(one_error(r), rf"^sonde: ping: {fault}$")
        return r

    def names(self, r):
        return [t["target"] for t in r.json["targets"]]


@NEEDS_ICMP
class Networks(Many):
    def test_a_network_is_the_list_of_its_hosts(self):
        for network, want in (("127.0.1.0/28", hosts("1.1", 14)), ("127.0.1.0/30", hosts("1.1", 2)),
                ("127.0.1.0/31", hosts("1.0", 2)), ("127.0.1.5/32", hosts("1.5", 1)),
                ("127.0.1.77/29", hosts("1.73", 6)),
                ("127.0.2.0/24", hosts("2.1", 254)), ("127.0.255.200/23", hosts("254.1", 510)), ("::1/128", ["::1"])):
            r = self.ping("-f", "json", network, quick=("-c", "1"))
            self.assertEqual(self.names(r), want, network)
            for t in r.json["targets"]:
                self.assertEqual((t["address"], t["sent"], t["received"]), (t["target"], 1, 1), network)
                # One socket serves all of them: what it drops is nobody's own.
                self.assertEqual(t["local_drops"], 0 if len(want) == 1 else None, network)
            self.assertEqual(r.json["local_drops"], 0)

    def test_a_network_of_one_host_is_written_as_one_host(self):
        for network, host in (("127.0.1.5/32", "127.0.1.5"), ("::1/128", "::1")):
            self.assertRegex(self.ping(network).out, rf"\APING {host} \({host}\) 56\(")

    def test_networks_addresses_and_names_keep_their_order(self):
        words = ("127.0.0.9", "127.0.1.0/30", "localhost", "::1/128", "127.0.1.1")
        r = self.ping("-f", "json", "-4", *[w for w in words if ":" not in w])
        self.assertEqual(self.names(r), ["127.0.0.9", "127.0.1.1", "127.0.1.2", "localhost", "127.0.1.1"])
        r = self.ping("-f", "json", *words)
        self.assertEqual(self.names(r), ["127.0.0.9", "127.0.1.1", "127.0.1.2", "localhost", "::1", "127.0.1.1"])
        self.assertEqual([t["received"] for t in r.json["targets"]], [2] * 6)

    def test_by_tcp_each_host_is_asked_too(self):
        if any(not is_closed(h) for h in ("127.0.1.1", "127.0.1.2")):
            self.skipTest("somebody serves on port 80 here")
        doc = self.ping("--via", "tcp", "-f", "json", "127.0.1.0/30").json
        self.assertEqual([(t["target"], t["method"], t["received"]) for t in doc["targets"]],
            [("127.0.1.1", "tcp", 2), ("127.0.1.2", "tcp", 2)])

    def test_a_thousand_hosts_and_more_are_all_answered(self):
        doc = self.ping("-f", "json", "127.0.16.0/20", quick=("-c", "1")).json
        self.assertEqual((len(doc["targets"]), sum(t["received"] for t in doc["targets"])), (4094, 4094))
        self.assertEqual(doc["local_drops"], 0)
        for t in doc["targets"]:
            self.assertEqual({t[k] for k in ("rtt_min_ms", "rtt_mean_ms", "rtt_max_ms", "rtt_p50_ms", "rtt_p99_ms")},
                {t["rtt_min_ms"]})

    def test_beyond_1024_targets_there_are_no_percentiles_of_several_round_trips(self):
        for network, some in (("127.0.16.0/22", True), ("127.0.16.0/21", False)):
            for t in self.ping("-f", "json", network, quick=("-c", "2", "-i", "100ms")).json["targets"]:
                self.assertEqual((t["received"], t["rtt_p50_ms"] is not None), (2, some), t)
                self.assertTrue(t["rtt_min_ms"] <= t["rtt_mean_ms"] <= t["rtt_max_ms"], t)
                self.assertIsNotNone(t["jitter_ms"])


class Refusals(Many):
    def test_more_targets_than_a_million_are_too_many(self):
        for words in (["10.0.0.0/8"], ["2001:db8::/64"], ["::/0"], ["127.0.0.0/8"], ["127.0.0.1", "127.0.0.0/11"],
                ["127.0.0.0/13", "127.8.0.0/13", "127.0.0.0/29"]):
            self.refused(rf"'{words[-1]}' makes more than 1048576 targets", *words)
        self.refused("'127.0.0.9' makes more than 1048576 targets", "-", data="127.0.0.9\n" * (1 << 20) + "127.0.0.9")

    def test_a_path_behind_a_host_is_refused_and_a_network_explained(self):
        for word in ("127.0.0.1/file", "host.example/24", "127.0.0.1/33", "127.0.0.1/", "127.0.0.1/-1", "127.0.0.1/+8",
                "127.0.0.1/8/8", "127.0.0.1/0x8", "127.0.0.1/4294967296", "127.0.0.1:80/32"):
            self.refused(rf"'{re.escape(word)}' has a path, and ping takes hosts; a network is ADDRESS/BITS", word)
        for word in ("::1/129", "::1/", "::1/x"):
            self.refused(rf"'{word}' .+", word)

    def test_a_network_of_the_other_family_is_refused(self):
        self.refused("'::1/128' is not IPv4", "-4", "127.0.0.1", "::1/128")
        self.refused("'127.0.0.0/30' is not IPv6", "-6", "::1", "127.0.0.0/30")

    def test_by_http_one_host_is_asked_and_no_network(self):
        for words in (["127.0.1.0/30"], ["127.0.1.1/32"], ["127.0.0.1", "127.0.0.2"]):
            self.refused("--via http takes one target", "--via", "http", *words)

    def test_an_empty_list_is_a_list_of_nothing(self):
        for data in ("", "\n", " \t\r\n\n", "# nobody\n", "\0\0", "#", "# a\n\n   # b"):
            r = self.refused("there is nothing to ping", "-", data=data)
            self.assertEqual(hints(r), ["sonde ping 192.0.2.1"])

    def test_a_bad_word_of_a_list_is_named(self):
        for data, fault in (("127.0.0.1\nh:99999\n", "'h:99999' has a port that is not 1 to 65535"),
                ("127.0.0.1 https://example.org/x", "'https://example.org/x' needs TLS, which sonde does not speak"),
                ("127.0.0.1\n127.0.0.2/file # why\n", "'127.0.0.2/file' has a path, .*"),
                ("[::1\n", r"'\[::1' has an open bracket"),
                ("icmp://127.0.0.1\ntcp://127.0.0.1:80\n", "one run measures one way: 'tcp://127.0.0.1:80' .*"),
                ("a" * 3000, r"'a+\.\.\.' is longer than 2048 bytes"),
                ("\x1b[31mred\n", r"'\\x1b\[31mred' has a control character in it"),
                (b"127.0.0.1\ncaf\xe9:x\n", r"'caf\\xe9:x' has a port that is not 1 to 65535"),
                ("127.0.0.0/8", "'127.0.0.0/8' makes more than 1048576 targets")):
            r = self.refused(fault, "-", data=data)
            self.assertNotRegex(r.err.replace("\n", ""), r"[\x00-\x1f\x7f]")

    def test_a_list_that_cannot_be_read_is_said(self):
        folder = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, folder)
        r = run("ping", "-w", "1ms", "-", stdin=folder)
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertEqual(one_error(r), "sonde: ping: cannot read the list on standard input: Is a directory")
        p = subprocess.run(["sh", "-c", 'exec "$0" ping -w 1ms - <&-', SONDE], capture_output=True, env=environment(),
            timeout=PATIENCE)
        self.assertEqual((p.returncode, p.stdout), (2, b""))
        self.assertIn(b"cannot read the list on standard input: Bad file descriptor", p.stderr)


@NEEDS_ICMP
class Lists(Many):
    def listed(self, data, *words):
        r = self.fed(data, *QUICK, "-f", "json", *(words or ["-"]))
        self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertEqual([t["received"] for t in r.json["targets"]], [2] * len(r.json["targets"]), r)
        return self.names(r)

    def test_words_stand_between_blanks_line_ends_and_nuls(self):
        for data in ("127.0.0.1\n127.0.0.2\n", "127.0.0.1\n127.0.0.2", "127.0.0.1 127.0.0.2",
                "127.0.0.1\r\n127.0.0.2\r\n",
                "127.0.0.1\t\v\f127.0.0.2", "\n\n  127.0.0.1\n\n\n127.0.0.2   \n\n", "127.0.0.1\r127.0.0.2",
                "127.0.0.1\x00127.0.0.2\0", "127.0.0.1\x00127.0.0.2", "\0\n127.0.0.1\0\n\0 127.0.0.2"):
            self.assertEqual(self.listed(data), ["127.0.0.1", "127.0.0.2"], repr(data))

    def test_what_stands_behind_a_hash_is_passed_over(self):
        for data in ("# all of them\n127.0.0.1\n127.0.0.2\n", "127.0.0.1 # the first\n127.0.0.2 #the second",
                "127.0.0.1\n#127.0.0.7\n  # 127.0.0.8 h:99999\n127.0.0.2", "127.0.0.1 # a\r\n127.0.0.2 # b\r\n",
                "#x\x00127.0.0.1\x00127.0.0.2"):
            self.assertEqual(self.listed(data), ["127.0.0.1", "127.0.0.2"], repr(data))

    def test_networks_names_and_urls_may_stand_in_a_list(self):
        self.assertEqual(self.listed("127.0.1.0/30\n::1 icmp://127.0.0.9\n127.0.1.8/32\n"),
            ["127.0.1.1", "127.0.1.2", "::1", "icmp://127.0.0.9", "127.0.1.8"])

    def test_the_list_stands_in_the_place_of_its_dash(self):
        self.assertEqual(self.listed("127.0.0.2\n127.0.0.3", "127.0.0.1", "-", "127.0.0.4"),
            hosts("0.1", 4))

    def test_a_second_dash_has_nothing_left_to_read(self):
        self.assertEqual(self.listed("127.0.0.2\n", "-", "127.0.0.3", "-"), ["127.0.0.2", "127.0.0.3"])
        self.assertEqual(self.listed("127.0.0.2\n", "-", "-"), ["127.0.0.2"])

    def test_behind_a_lone_double_dash_it_is_still_the_list(self):
        self.assertEqual(self.listed("127.0.0.2\n", "--", "-"), ["127.0.0.2"])

    def test_a_list_that_comes_in_pieces_is_read_to_its_end(self):
        with start("ping", *QUICK, "-f", "json", "-", stdin=subprocess.PIPE) as p:
            for piece in (b"127.0.", b"0.1\n127.0.0", b".2\n127.", b"0.0.3"):
                p.stdin.write(piece)
                p.stdin.flush()
                time.sleep(0.05)
            out, err = p.communicate(timeout=PATIENCE)
        self.assertEqual((p.returncode, err), (0, b""))
        self.assertEqual([t["target"] for t in json.loads(out)["targets"]], hosts("0.1", 3))

    def test_a_long_list_is_measured_in_its_order(self):
        want = [f"127.{1 + i % 100}.{i // 256}.{i % 256}" for i in range(5000)]
        r = self.fed("\n".join(want), "-c", "1", "-f", "csv", "-")
        self.assertEqual((r.code, r.err), (0, ""), r.err)
        self.assertEqual([(row["target"], row["received"]) for row in rows(r.out)], [(t, "1") for t in want])


@NEEDS_ICMP
class Text(Many):
    def lines(self, r):
        head, _, total = r.out.rpartition("\n\n")
        return [LINE.fullmatch(line) for line in head.splitlines() if " : " in line], total

    def test_each_target_has_the_line_of_fping_and_all_have_one_total(self):
        r = self.ping("-q", "127.0.1.0/28", "localhost", quick=("-c", "5", "-i", "5ms"))
        lines, total = self.lines(r)
        self.assertTrue(all(lines), r)
        self.assertEqual([m[1] for m in lines], [*hosts("1.1", 14), "localhost"])
        for m in lines:
            self.assertEqual((m[3], m[4], m[5]), ("5", "5", "0"), r)
            self.assertTrue(float(m[6]) <= float(m[7]) <= float(m[8]), r)
        self.assertIn(lines[-1][2], ("127.0.0.1", "::1"))
        self.assertRegex(total, r"\A15 targets, 15 answered, 0 did not; 75 probes, 75 answers, 0 lost, in \S+ m?s\n\Z")

    def test_each_probe_has_its_line_unless_quiet(self):
        r = self.ping("127.0.1.0/30")
        for host in ("127.0.1.1", "127.0.1.2"):
            for seq in (1, 2):
                self.assertRegex(r.out, rf"(?m)^64 bytes from {host}: icmp_seq={seq} ttl=64 time=[\d.]+ ms$")
        self.assertNotIn("PING", r.out)
        self.assertNotIn("bytes from", self.ping("-q", "127.0.1.0/30").out)

    def test_an_interrupt_prints_a_line_for_each_and_the_total(self):
        with start("ping", "-i", "50ms", "127.0.1.0/29") as p:
            _, text = read_until(p.stdout, r"127\.0\.1\.6: icmp_seq=3 ")
            p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=PATIENCE)
        self.assertEqual((p.returncode, err), (0, b""))
        self.assertEqual(len(re.findall(r"(?m)^127\.0\.1\.[1-6] : xmt/rcv/%loss = \d+/\d+/0%", text + out.decode())), 6)
        self.assertRegex(out.decode(), r"(?m)^6 targets, 6 answered, 0 did not; ")

    def test_a_signal_asks_for_what_there_is_and_it_goes_on(self):
        with start("ping", "-i", "30ms", "-c", "20", "127.0.1.0/30") as p:
            read_until(p.stdout, "icmp_seq=3 ")
            p.send_signal(signal.SIGQUIT)
            out, err = p.communicate(timeout=PATIENCE)
        self.assertEqual(p.returncode, 0, err)
        for host in ("127.0.1.1", "127.0.1.2"):
            self.assertIn(f"--- {host} ping statistics ---".encode(), err)
            self.assertIn(f"{host} : xmt/rcv/%loss = 20/20/0%".encode(), out)


@NEEDS_ICMP
class Pace(Many):
    def test_without_an_interval_each_is_asked_as_soon_as_it_has_answered(self):
        for words in (["127.0.0.1"], ["127.0.1.0/28"], ["127.0.0.1", "::1"]):
            for t in self.ping("-i", "0", "-f", "json", *words, quick=("-c", "50")).json["targets"]:
                self.assertEqual((t["sent"], t["received"], t["lost"], t["reordered"]), (50, 50, 0, 0), t)

    def test_without_an_interval_and_a_count_a_deadline_ends_it(self):
        for t in self.ping("-i", "0", "-w", "200ms", "-f", "json", "127.0.1.0/30", quick=()).json["targets"]:
            self.assertGreater(t["received"], 20)
            self.assertLessEqual(t["in_flight"], 1)

    def test_a_sweep_asks_each_once(self):
        doc = self.ping("-f", "json", "127.0.4.0/23", quick=("-c", "1")).json
        self.assertEqual([(t["sent"], t["received"]) for t in doc["targets"]], [(1, 1)] * 510)

    def test_a_refused_target_does_not_hold_up_the_others(self):
        with Serve() as serve:
            doc = self.ping("-i", "0", "-f", "json", f"tcp://127.0.0.1:{closed_port()}", "tcp://" + serve.target,
                quick=("-c", "100"), code=1).json
        self.assertEqual([(t["sent"], t["received"], t["errors"]) for t in doc["targets"]],
            [(100, 0, 100), (100, 100, 0)])


class Codes(Many):
    """By TCP, since nobody on a loopback is silent."""

    @classmethod
    def setUpClass(cls):
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        cls.good = "tcp://" + cls.serve.target

    def code(self, *words):
        r = run("ping", *QUICK, "-W", "200ms", "-f", "json", *words)
        return r.code

    def test_all_answered_is_0_and_one_silent_or_refused_is_1(self):
        self.assertEqual(self.code(self.good, self.good), 0)
        with Full() as silent:
            self.assertEqual(self.code(self.good, "tcp://" + silent.target, self.good), 1)
        self.assertEqual(self.code(self.good, f"tcp://127.0.0.1:{closed_port()}"), 1)

    def test_a_name_without_an_address_is_2_and_the_others_are_measured(self):
        r = run("ping", *QUICK, "-f", "json", self.good, "tcp://no..such:1", "tcp://nor..this:1")
        self.assertEqual(r.code, 2, r)
        self.assertRegex(one_error(r), "^sonde: ping: cannot resolve 'no..such': .+")
        good, bad, _ = r.json["targets"]
        self.assertEqual((good["received"], good["resolve_error"]), (2, None))
        self.assertEqual((bad["sent"], bad["address"], bad["loss_ratio"]), (0, None, None))
        self.assertRegex(bad["resolve_error"], "^cannot resolve 'no..such': ")
        self.assertGreater(bad["resolve_ms"], 0)

    def test_a_missed_expectation_is_4_and_the_worst_target_decides(self):
        self.assertEqual(self.code("--expect", "received>=2", self.good, self.good), 0)
        self.assertEqual(self.code("--expect", "received>=3", self.good, self.good), 4)
        self.assertEqual(self.code("--expect", "loss<1%", self.good, f"tcp://127.0.0.1:{closed_port()}"), 1)
        self.assertEqual(self.code("--expect", "received>=3", self.good, "tcp://no..such:1"), 2)

    def test_one_target_that_misses_it_is_enough_wherever_it_stands(self):
        for place in range(3):
            with Once() as worse:
                words = [self.good] * 2
                words.insert(place, "tcp://" + worse.target)
                r = run("ping", "-c", "3", "-i", "100ms", "--expect", "received>=3", *words)
            self.assertEqual(r.code, 4, r)
            self.assertRegex(r.out, r"(?m)^  expect +received>=3: missed, ")

    def test_a_name_that_comes_to_nothing_has_its_line(self):
        r = run("ping", *QUICK, self.good, "tcp://no..such:1")
        self.assertEqual(r.code, 2, r)
        self.assertEqual(len(re.findall(r"(?m)^cannot resolve 'no..such': .+$", r.out)), 1, r)
        self.assertRegex(r.out, r"(?m)^tcp://no..such:1 : cannot resolve 'no..such': .+$")
        self.assertRegex(r.out,
            r"(?m)^2 targets, 1 answered, 0 did not, 1 have no address; 2 probes, 2 answers, 0 lost, ")

    def test_only_names_without_an_address_end_at_once(self):
        r = run("ping", "no..such", "nor..this")
        self.assertEqual(r.code, 2, r)
        self.assertRegex(r.out, r"(?m)^2 targets, 0 answered, 0 did not, 2 have no address; 0 probes, ")


class Formats(Many):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve(addresses=("127.0.0.1", "::1"))
        cls.addClassCleanup(cls.serve.stop)
        cls.dead = closed_port()
        cls.targets = [f"tcp://127.0.0.1:{cls.serve.port}", f"tcp://localhost:{cls.serve.port}",
            f"tcp://127.0.0.1:{cls.dead}", f"tcp://[::1]:{cls.serve.port}"]
        cls.runs = {f: run("ping", "-c", "3", "-i", "20ms", "-4" if f == "text" else "-q", "-f", f, *cls.targets[:3])
            for f in ("text", "json", "ndjson", "csv", "prom")}

    def test_json_has_the_targets_in_their_order_and_the_drops_of_all(self):
        doc = self.runs["json"].json
        self.assertEqual([t["target"] for t in doc["targets"]], self.targets[:3])
        self.assertEqual([t["received"] for t in doc["targets"]], [3, 3, 0])
        self.assertIn("local_drops", doc)
        for t in doc["targets"]:
            self.assertLessEqual(PING_KEYS, set(t))
            self.assertIsNone(t["local_drops"])
            self.assertEqual(sum(kind["count"] for kind in t["error_kinds"]), t["errors"])

    def test_ndjson_has_lines_of_all_targets_and_ends_with_the_same_document(self):
        *lines, last = self.runs["ndjson"].lines
        self.assertEqual(set(last), set(self.runs["json"].json))
        for mine, other in zip(last["targets"], self.runs["json"].json["targets"]):
            self.assertEqual(list(mine), list(other))
        probes = [line for line in lines if line["type"] == "probe"]
        for t, outcome in zip(self.targets[:3], ("reply", "reply", "error")):
            self.assertEqual([(p["seq"], p["outcome"]) for p in probes if p["target"] == t],
                [(1, outcome), (2, outcome), (3, outcome)])
        name, = [line for line in lines if line["type"] == "resolve"]
        self.assertEqual((name["target"], name["error"]), (self.targets[1], None))
        self.assertIn(name["address"], ("127.0.0.1", "::1"))

    def test_csv_has_a_row_for_each_under_the_names_of_json(self):
        table, doc = rows(self.runs["csv"].out), self.runs["json"].json
        self.assertEqual([row["target"] for row in table], self.targets[:3])
        for row, t in zip(table, doc["targets"]):
            self.assertEqual(list(row), [k for k in t if k != "error_kinds"])
            # Where one knows nothing neither does the other.
            self.assertEqual([k for k, v in row.items() if v == ""], [k for k, v in t.items() if v in (None, "")])
            for k in ("sent", "received", "lost", "errors", "loss_runs", "loss_run_max", "loss_ratio"):
                self.assertEqual(float(row[k]), t[k], k)

    def test_prometheus_has_one_head_a_metric_and_the_figures_of_json(self):
        samples, doc = prometheus(self.runs["prom"].out), self.runs["json"].json
        heads = re.findall(r"(?m)^# HELP (\S+) ", self.runs["prom"].out)
        self.assertEqual(len(heads), len(set(heads)))
        by_target = {t: {} for t in self.targets[:3]}
        for (name, labels), value in samples.items():
            by_target[dict(labels)["target"]][name] = value
        for t in doc["targets"]:
            mine = by_target[t["target"]]
            for key in ("sent", "received", "lost", "late", "duplicates", "reordered", "corrupt", "errors",
                    "loss_runs"):
                self.assertEqual(mine[f"sonde_ping_{key}_total"], t[key], key)
            self.assertEqual(mine["sonde_ping_loss_run_max"], t["loss_run_max"])
            for key in [k for k in t if k.endswith("_ms")]:
                self.assertEqual(f"sonde_ping_{key[:-3]}_seconds" in mine, t[key] is not None, key)

    def test_what_is_new_stands_in_every_format(self):
        doc = self.runs["json"].json["targets"]
        self.assertEqual([(t["loss_runs"], t["loss_run_max"]) for t in doc], [(0, 0), (0, 0), (1, 3)])
        self.assertEqual([t["resolve_ms"] is None for t in doc], [True, False, True])
        self.assertIsNone(doc[2]["connect_p50_ms"])
        if MAY["kernel_timestamps"]:
            self.assertGreater(doc[0]["connect_p50_ms"], 0)
        self.assertEqual(doc[2]["error_kinds"], [{"from": None, "icmp_type": None, "icmp_code": None,
            "error": "Connection refused", "count": 3}])
        self.assertRegex(self.runs["text"].out, rf"(?m)^tcp://127\.0\.0\.1:{self.dead} \(127\.0\.0\.1\) : "
            r"xmt/rcv/%loss = 3/0/100%, \+3 errors: Connection refused$")

    def test_no_run_was_anything_but_1(self):
        for r in self.runs.values():
            self.assertEqual((r.code, r.err), (1, ""), r)

    def test_both_families_by_connections(self):
        doc = self.ping("-f", "json", self.targets[0], self.targets[3]).json
        self.assertEqual([(t["address"], t["received"]) for t in doc["targets"]], [("127.0.0.1", 2), ("::1", 2)])



class Few(Many):
    """Fewer descriptors than connections that could be under way."""

    def test_connections_wait_for_descriptors_and_none_fails_for_want_of_one(self):
        with Full() as full:
            r = run("ping", "-f", "json", "--via", "tcp", "-c", "1", "-i", "1ms", "-W", "300ms", *[full.target] * 90,
                inside=("sh", "-c", 'ulimit -n 64; exec "$@"', "sh"))
        self.assertEqual((r.code, r.err), (1, ""), r)
        self.assertEqual([(t["sent"], t["lost"], t["errors"]) for t in r.json["targets"]], [(1, 1, 0)] * 90)


class Cut(Many):
    """A deadline comes before anything is decided."""

    def test_lines_call_it_no_good_and_documents_undecided(self):
        with Full() as full:
            args = "--via", "tcp", "-c", "2", "-i", "20ms", "-w", "800ms", "-W", "20s", f"tcp://{full.target}"
            one = self.ping(*args, code=1, quick=()).out
            two = self.ping(*args, args[-1], code=1, quick=()).out
            doc = self.ping("-f", "json", *args, code=1, quick=()).json["targets"][0]
        self.assertRegex(one, r"(?m)^2 packets transmitted, 0 received, 100% packet loss, time \d+ms\n"
            r".*\+2 still on the way$")
        self.assertEqual(len(re.findall(r"(?m)^\S+ \(127\.0\.0\.1\) : xmt/rcv/%loss = 2/0/100%, \+2 still on the way$",
            two)), 2, two)
        keys = "sent", "lost", "in_flight", "loss_ratio", "loss_ratio_low", "loss_ratio_high"
        self.assertEqual([doc[k] for k in keys], [2, 0, 2, None, None, None])


if __name__ == "__main__":
    unittest.main()
