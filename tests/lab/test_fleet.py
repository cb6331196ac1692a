# SPDX-License-Identifier: MIT
"""Many hosts at the far end of a wire: all are asked, none is lost by us, it stays small; and what errors there are."""

import ctypes
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import program
from net import Lab, needs
from program import PATIENCE, start

COUNTS = ("sent", "received", "lost", "in_flight", "late", "duplicates", "reordered", "corrupt", "errors", "loss_ratio",
    "loss_runs", "loss_run_max")
PTRACE_CONT, PTRACE_DETACH, PTRACE_SEIZE = 7, 17, 0x4206
PTRACE_O_TRACEEXIT, PTRACE_EVENT_EXIT = 1 << 6, 6

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def peak_kb(p):
    """
    Resident memory of a process at its most, in kB; it has ended then. Its parent is told too much (ru_maxrss counts
    what stood there before the program was loaded), so it is held at its last step and asked itself.
    """
    if libc.ptrace(PTRACE_SEIZE, p.pid, None, PTRACE_O_TRACEEXIT) != 0:
        raise unittest.SkipTest("nobody may look into a process here: " + os.strerror(ctypes.get_errno()))
    while True:
        _, status = os.waitpid(p.pid, 0)
        if status >> 16 == PTRACE_EVENT_EXIT:
            text = Path(f"/proc/{p.pid}/status").read_text()
            libc.ptrace(PTRACE_DETACH, p.pid, None, None)
            p.wait(PATIENCE)
            return int(re.search(r"VmHWM:\s+(\d+) kB", text)[1])
        libc.ptrace(PTRACE_CONT, p.pid, None, 0 if status >> 16 else os.WSTOPSIG(status))


class FleetLab(Lab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.near.sysctl("net.ipv4.ping_group_range", "0 2147483647")

    def ping(self, *args, code=0, **how):
        r = self.sonde("ping", "-f", "json", *args, **how)
        self.assertEqual((r.code, r.err), (code, ""), r.err)
        return r.json

    def on_both_sockets(self, *args, code=0):
        """The same probes to one target on the raw and on the datagram socket; what differs is a bug."""
        raw, dgram = (self.ping("--icmp-socket", kind, *args, code=code)["targets"][0] for kind in ("raw", "dgram"))
        self.assertEqual((raw["method"], dgram["method"]), ("icmp-raw", "icmp-dgram"))
        self.assertEqual({k: raw[k] for k in COUNTS}, {k: dgram[k] for k in COUNTS})
        return raw, dgram


class Crowds(FleetLab):
    """The far end has 10.98.0.0/16, all of it, and fd98::/112."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.near.do("ip", "route", "add", "10.98.0.0/16", "via", "10.77.0.2")
        cls.far.do("ip", "route", "add", "local", "10.98.0.0/16", "dev", "lo")
        cls.near.do("ip", "-6", "route", "add", "fd98::/112", "via", "fd77::2")
        cls.far.do("ip", "-6", "route", "add", "local", "fd98::/112", "dev", "lo")

    def sweep(self, *args):
        with tempfile.TemporaryFile() as out:
            p = start("ping", "-c", "1", "-f", "json", *args, inside=self.near.inside, stdout=out)
            with p.stderr:
                peak = peak_kb(p)
                err = p.stderr.read()
            out.seek(0)
            doc = json.load(out)
        self.assertEqual((p.returncode, err), (0, b""))
        return peak, doc

    def test_65534_addresses_all_answer_in_under_8_megabytes(self):
        for kind in ("raw", "dgram"):
            peak, doc = self.sweep("--icmp-socket", kind, "10.98.0.0/16")
            self.assertEqual(len(doc["targets"]), 65534)
            self.assertEqual(doc["local_drops"], 0)
            silent = [t["target"] for t in doc["targets"] if (t["sent"], t["received"]) != (1, 1)]
            self.assertEqual(silent, [], f"{len(silent)} of them")
            self.assertEqual(doc["targets"][0]["target"], "10.98.0.1")
            self.assertEqual(doc["targets"][-1]["target"], "10.98.255.254")
            self.assertLess(peak, 8 << 10, f"{kind}: {peak} kB")

    def test_65536_addresses_of_ipv6_all_answer(self):
        _, doc = self.sweep("fd98::/112")
        self.assertEqual((len(doc["targets"]), sum(t["received"] for t in doc["targets"])), (65536, 65536))

    def test_a_thousand_targets_ten_times_a_second_lose_nothing(self):
        for kind in ("raw", "dgram"):
            doc = self.ping("--icmp-socket", kind, "-c", "20", "-i", "100ms", "10.98.0.0/22")
            self.assertEqual((len(doc["targets"]), doc["local_drops"]), (1022, 0))
            odd = [t for t in doc["targets"] if [t[k] for k in COUNTS] != [20, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
            self.assertEqual(odd, [], kind)
            for t in doc["targets"]:
                self.assertEqual(t["stamps"], "kernel-txrx")

    def test_without_an_interval_a_thousand_targets_lose_nothing(self):
        doc = self.ping("-c", "5", "-i", "0", "10.98.4.0/22")
        self.assertEqual(doc["local_drops"], 0)
        self.assertEqual({(t["sent"], t["received"], t["lost"]) for t in doc["targets"]}, {(5, 5, 0)})

    @needs("nft")
    def test_the_silent_ones_of_a_crowd_are_told_and_the_others_counted(self):
        self.far.rules("ip daddr 10.98.8.0/26 icmp type echo-request drop")
        self.addCleanup(self.far.rules)
        r = self.sonde("ping", "-q", "-c", "2", "-i", "200ms", "-W", "500ms", "10.98.8.0/24")
        self.assertEqual((r.code, r.err), (1, ""), r)
        lines = re.findall(r"(?m)^10\.98\.8\.(\d+) : xmt/rcv/%loss = 2/(\d)/(\d+)%", r.out)
        self.assertEqual(lines, [(str(i), "0" if i < 64 else "2", "100" if i < 64 else "0") for i in range(1, 255)])
        self.assertRegex(r.out, r"(?m)^254 targets, 191 answered, 63 did not; 508 probes, 382 answers, 126 lost, ")


@needs("nft")
class Kinds(FleetLab):
    """The far end is a router to 10.78.0.0/24 and fd78::/64, of which each packet meets another fate."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.far.sysctl("net.ipv4.ip_forward", 1)
        cls.far.sysctl("net.ipv6.conf.all.forwarding", 1)
        for family, net in (("-4", "10.78.0.0/24"), ("-6", "fd78::/64")):
            cls.near.do("ip", family, "route", "add", net, "via", "10.77.0.2" if family == "-4" else "fd77::2")
            cls.far.do("ip", family, "route", "add", net, "dev", "wire")

    def tearDown(self):
        self.far.rules()

    def rules(self):
        """Of each four in turn: one has come too far, two are refused in two ways, one vanishes."""
        self.far.do("nft", "-f", "-", data="""
            add table inet fate
            delete table inet fate
            table inet fate {
                chain first {
                    type filter hook prerouting priority 0;
                    ip daddr 10.78.0.0/24 meta mark set numgen inc mod 4
                    ip6 daddr fd78::/64 meta mark set numgen inc mod 4
                    ip daddr 10.78.0.0/24 meta mark 0 ip ttl set 1
                    ip6 daddr fd78::/64 meta mark 0 ip6 hoplimit set 1
                }
                chain way {
                    type filter hook forward priority 0;
                    ip daddr 10.78.0.0/24 meta mark 1 reject with icmp type host-unreachable
                    ip daddr 10.78.0.0/24 meta mark 2 reject with icmp type admin-prohibited
                    ip6 daddr fd78::/64 meta mark 1 reject with icmpv6 type addr-unreachable
                    ip6 daddr fd78::/64 meta mark 2 reject with icmpv6 type admin-prohibited
                    meta mark 3 drop
                }
            }""")

    def test_errors_are_told_apart_by_type_code_and_sender_and_counted_exactly(self):
        for target, router, kinds in (("10.78.0.9", "10.77.0.2", [(3, 1), (3, 13), (11, 0)]),
                ("fd78::9", "fd77::2", [(1, 1), (1, 3), (3, 0)])):
            for socket in ("raw", "dgram"):
                self.rules()
                ping = self.ping("--icmp-socket", socket, "-c", "40", "-i", "5ms", "-W", "500ms", target,
                    code=1)["targets"][0]
                self.assertEqual([ping[k] for k in ("sent", "received", "lost", "errors", "loss_runs", "loss_run_max")],
                    [40, 0, 40, 30, 1, 40], f"{target} {socket}")
                got = sorted((k["icmp_type"], k["icmp_code"], k["from"], k["count"]) for k in ping["error_kinds"])
                self.assertEqual(got, [(t, c, router, 10) for t, c in kinds], f"{target} {socket}")
                self.assertEqual(len({k["error"] for k in ping["error_kinds"]}), 3)

    def test_each_error_has_its_line_and_each_kind_one_more(self):
        for socket in ("raw", "dgram"):
            self.rules()
            r = self.sonde("ping", "--icmp-socket", socket, "-c", "8", "-i", "20ms", "-W", "500ms", "10.78.0.9")
            self.assertEqual((r.code, r.err), (1, ""), r)
            self.assertEqual(r.out.count("From 10.77.0.2 icmp_seq="), 6, r)
            self.assertRegex(r.out, r"(?m)^8 packets transmitted, 0 received, \+6 errors, 100% packet loss")
            self.assertEqual(len(re.findall(r"(?m)^2 x .+, from 10\.77\.0\.2$", r.out)), 3, r)

    def test_errors_and_answers_of_the_same_host_do_not_mix(self):
        for target, words, want in (("10.77.0.2", ("icmp type echo-request", "icmp type host-unreachable",
                "icmp type admin-prohibited"), [(3, 1, 10), (3, 13, 10)]),
                ("fd77::2", ("icmpv6 type echo-request", "icmpv6 type addr-unreachable",
                "icmpv6 type admin-prohibited"), [(1, 1, 10), (1, 3, 10)])):
            for socket in ("raw", "dgram"):
                self.far.rules(f"{words[0]} meta mark set numgen inc mod 3",
                    f"{words[0]} meta mark 1 reject with {words[1]}",
                    f"{words[0]} meta mark 2 reject with {words[2]}")
                ping = self.ping("--icmp-socket", socket, "-c", "30", "-i", "5ms", "-W", "500ms", target)["targets"][0]
                self.assertEqual([ping[k] for k in ("received", "lost", "errors", "loss_runs", "loss_run_max")],
                    [10, 20, 20, 10, 2], f"{target} {socket}")
                got = sorted((k["icmp_type"], k["icmp_code"], k["count"]) for k in ping["error_kinds"])
                self.assertEqual(got, want, f"{target} {socket}")


@needs("nft")
class Runs(FleetLab):
    def tearDown(self):
        self.far.rules()

    def test_losses_in_bursts_are_told_from_losses_one_by_one(self):
        for rule, want in (("numgen inc mod 10 < 3", (30, 10, 3)), ("numgen inc mod 10 == 0", (10, 10, 1)),
                ("numgen inc mod 50 < 20", (40, 2, 20)), ("numgen inc mod 2 == 1", (50, 50, 1)),
                ("numgen inc mod 1000 < 0", (0, 0, 0))):
            self.far.rules(f"icmp type echo-request {rule} drop")
            ping = self.ping("-c", "100", "-i", "3ms", "-W", "300ms", "10.77.0.2")["targets"][0]
            self.assertEqual((ping["lost"], ping["loss_runs"], ping["loss_run_max"]), want, rule)

    def test_both_sockets_tell_the_same_runs(self):
        for kind in ("raw", "dgram"):
            self.far.rules("icmp type echo-request numgen inc mod 10 < 4 drop")
            ping = self.ping("--icmp-socket", kind, "-c", "50", "-i", "3ms", "-W", "300ms", "10.77.0.2")["targets"][0]
            self.assertEqual((ping["loss_runs"], ping["loss_run_max"]), (5, 4), kind)

    def test_of_many_targets_each_has_its_own_runs(self):
        self.far.do("ip", "addr", "add", "10.77.0.5/24", "dev", "wire")
        self.addCleanup(self.far.do, "ip", "addr", "del", "10.77.0.5/24", "dev", "wire")
        self.far.rules("ip daddr 10.77.0.5 icmp type echo-request numgen inc mod 5 < 2 drop")
        good, bad = self.ping("-c", "20", "-i", "10ms", "-W", "300ms", "10.77.0.2", "10.77.0.5")["targets"]
        self.assertEqual((good["loss_runs"], good["loss_run_max"]), (0, 0))
        self.assertEqual((bad["lost"], bad["loss_runs"], bad["loss_run_max"]), (8, 4, 2))


class Tcp(FleetLab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.served = cls.serve("--public")
        cls.open = "tcp://" + cls.served.target

    def setUp(self):
        self.addCleanup(self.far.rules) if shutil.which("nft") else None

    def test_the_handshake_is_the_round_trip_and_the_connect_is_longer(self):
        ping = self.ping("-c", "20", "-i", "5ms", self.open)["targets"][0]
        self.assertEqual((ping["received"], ping["stamps"]), (20, "kernel-txrx"))
        self.assertLess(ping["rtt_p50_ms"], ping["connect_p50_ms"])
        icmp = self.ping("-c", "20", "-i", "5ms", "10.77.0.2")["targets"][0]
        self.assertIsNone(icmp["connect_p50_ms"])
        self.assertIsNone(ping["host_queue_p50_ms"])

    @needs("nft")
    def test_filtered_refused_and_unreachable_are_three_things(self):
        self.far.rules("tcp dport 81 drop", "tcp dport 83 reject with icmp type host-unreachable",
            "tcp dport 84 reject with icmp type admin-prohibited")
        for port, errors, words in ((81, 0, None), (82, 3, "Connection refused"), (83, 3, "unreachable"),
                (84, 3, "unreachable")):
            ping = self.ping("-c", "3", "-i", "20ms", "-W", "400ms", f"tcp://10.77.0.2:{port}", code=1)["targets"][0]
            self.assertEqual([ping[k] for k in ("sent", "received", "lost", "errors")], [3, 0, 3, errors], port)
            self.assertEqual([k["count"] for k in ping["error_kinds"]], [3] if errors else [], port)
            if words:
                self.assertIn(words, ping["error_kinds"][0]["error"], port)

    @needs("nft")
    def test_many_ports_that_swallow_everything_do_not_hold_up_the_others(self):
        self.far.rules("tcp dport 81 drop")
        doc = self.ping("-c", "10", "-i", "20ms", "-W", "400ms", *["tcp://10.77.0.2:81"] * 5, self.open, code=1)
        self.assertEqual([t["received"] for t in doc["targets"]], [0] * 5 + [10])

    @needs("nft")
    def test_an_answer_to_the_second_syn_only_is_no_round_trip_of_a_second(self):
        # The kernel asks again after a second: by then the first packet is lost, and that is what is told.
        for port in (self.served.port, 82):
            self.far.rules(f"tcp dport {port} tcp flags & (syn | ack) == syn numgen inc mod 2 == 0 drop")
            ping = self.ping("-c", "1", "-W", "3s", f"tcp://10.77.0.2:{port}", code=1)["targets"][0]
            self.assertEqual([ping[k] for k in ("received", "lost", "errors", "rtt_max_ms")], [0, 1, 0, None], port)

    @needs("nft")
    def test_where_no_port_was_named_a_refusal_of_the_second_syn_is_no_round_trip_of_a_second(self):
        self.far.rules("tcp dport 80 tcp flags & (syn | ack) == syn numgen inc mod 2 == 0 drop")
        ping = self.ping("-c", "1", "-W", "3s", "--via", "tcp", "10.77.0.2", code=1)["targets"][0]
        self.assertEqual([ping[k] for k in ("received", "lost", "errors", "rtt_max_ms")], [0, 1, 0, None])


@needs("nft")
class Names(FleetLab):
    """The name server swallows every question."""

    def asking(self, *args, patience=PATIENCE):
        self.far.rules("udp dport 53 drop", "tcp dport 53 drop")
        self.addCleanup(self.far.rules)
        with tempfile.NamedTemporaryFile("w") as conf:
            conf.write("nameserver 10.77.0.2\n")
            conf.flush()
            return self.sonde("ping", "-f", "ndjson", *args, after=["unshare", "-m", "sh", "-c",
                'mount --bind "$0" /etc/resolv.conf && exec "$@"', conf.name], patience=patience)

    def test_a_name_that_nobody_answers_for_delays_no_probe_to_another(self):
        r = self.asking("-W", "1s", "-c", "5", "-i", "50ms", "10.77.0.2", "nobody.answers.example", "fd77::2")
        self.assertEqual(r.code, 2, r)
        lines = [line["type"] for line in r.lines]
        self.assertEqual(lines, ["probe"] * 10 + ["resolve", "error", "ping"], r)
        first, name, last = r.lines[-1]["targets"]
        for t in (first, last):
            self.assertEqual((t["sent"], t["received"]), (5, 5))
        self.assertEqual((name["sent"], name["address"]), (0, None))
        self.assertTrue(name["resolve_error"])

    def test_a_deadline_does_not_wait_for_a_name(self):
        r = self.asking("-w", "300ms", "nobody.answers.example", patience=10)
        self.assertEqual(r.lines[-1]["targets"][0]["sent"], 0, r)
        self.assertEqual(r.code, 1, r)

    def test_an_interrupt_does_not_wait_for_a_name(self):
        self.far.rules("udp dport 53 drop", "tcp dport 53 drop")
        self.addCleanup(self.far.rules)
        with tempfile.NamedTemporaryFile("w") as conf:
            conf.write("nameserver 10.77.0.2\n")
            conf.flush()
            p = start("ping", "-f", "ndjson", "-i", "20ms", "10.77.0.2", "nobody.answers.example",
                inside=[*self.near.inside, "unshare", "-m", "sh", "-c",
                    'mount --bind "$0" /etc/resolv.conf && exec "$@"', conf.name])
            program.read_until(p.stdout, '"seq":5,')
            p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=10)
        self.assertEqual((p.returncode, err), (1, b""))
        self.assertEqual(json.loads(out.splitlines()[-1])["targets"][1]["sent"], 0)


if __name__ == "__main__":
    unittest.main()
