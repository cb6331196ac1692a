# SPDX-License-Identifier: MIT
"""A chain of routers in namespaces: what stands on the path is what a trace shows, on either socket and by TCP."""

import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import labels
from net import NOBODY, Namespace, PublicBinary, as_user, missing, needs, with_hosts
from program import PATIENCE, Serve, die_with_parent, environment, read_until, run, start

ROUTERS = 3
COUNTS = ("sent", "received", "lost", "late", "duplicates", "corrupt", "errors", "loss_ratio", "rate_limited", "mpls")


class Chain(unittest.TestCase):
    """near --- router 1 --- router 2 --- router 3 --- far: wire k is 10.80.k.0/24 and fd80:k::/64, .1 the near end."""

    # Of Linux, by its rules; 0 is none.
    ratelimit = 0

    @classmethod
    def setUpClass(cls):
        why = missing()
        if why:
            raise unittest.SkipTest(why)
        cls.nodes = [Namespace() for _ in range(ROUTERS + 2)]
        for n in cls.nodes:
            cls.addClassCleanup(n.close)
        cls.near, cls.far = cls.nodes[0], cls.nodes[-1]
        for n in cls.nodes:
            n.do("ip", "link", "set", "lo", "up")
            for name, value in (("net.ipv4.ip_forward", 1), ("net.ipv6.conf.all.forwarding", 1),
                    ("net.ipv6.conf.all.accept_dad", 0), ("net.ipv6.conf.default.accept_dad", 0),
                    ("net.ipv4.icmp_ratelimit", cls.ratelimit), ("net.ipv6.icmp.ratelimit", cls.ratelimit),
                    ("net.ipv4.ping_group_range", "0 2147483647")):
                n.sysctl(name, value)
        for k in range(ROUTERS + 1):
            cls.join(k)
        cls.near.do("ip", "route", "add", "default", "via", "10.80.0.2")
        cls.near.do("ip", "-6", "route", "add", "default", "via", "fd80:0::2")
        cls.far.do("ip", "route", "add", "default", "via", f"10.80.{ROUTERS}.1")
        cls.far.do("ip", "-6", "route", "add", "default", "via", f"fd80:{ROUTERS:x}::1")
        cls.v4 = [f"10.80.{k}.2" for k in range(ROUTERS + 1)]
        cls.v6 = [f"fd80:{k:x}::2" if k else "fd80::2" for k in range(ROUTERS + 1)]

    @classmethod
    def join(cls, k):
        """Node k and the next one; every router between knows the way to all wires."""
        a, b = cls.nodes[k], cls.nodes[k + 1]
        a.do("ip", "link", "add", "out", "type", "veth", "peer", "name", "in", "netns", str(b.holder.pid))
        for node, device, i in ((a, "out", 1), (b, "in", 2)):
            node.do("ip", "addr", "add", f"10.80.{k}.{i}/24", "dev", device)
            node.do("ip", "addr", "add", f"fd80:{k:x}::{i}/64", "dev", device, "nodad")
            node.do("ip", "link", "set", device, "up")
        for i, node in enumerate(cls.nodes[1:-1], 1):
            if i < k:
                node.do("ip", "route", "add", f"10.80.{k}.0/24", "via", f"10.80.{i}.2")
                node.do("ip", "-6", "route", "add", f"fd80:{k:x}::/64", "via", f"fd80:{i:x}::2")
        if 1 < k + 1 <= ROUTERS:
            for j in range(k):
                b.do("ip", "route", "add", f"10.80.{j}.0/24", "via", f"10.80.{k}.1")
                b.do("ip", "-6", "route", "add", f"fd80:{j:x}::/64", "via", f"fd80:{k:x}::1")

    def trace(self, *args, code=0, **how):
        r = self.run_trace("-f", "json", *args, **how)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r.json["targets"][0]

    def run_trace(self, *args, after=(), **how):
        return run("trace", "-n", *args, inside=[*self.near.inside, *after], **how)

    sources = 0

    def from_somebody_new(self, family):
        """Routers ration by who asks: a source of ours that has not asked before."""
        Chain.sources += 1
        address = f"10.80.0.{100 + self.sources}" if family == 4 else f"fd80::{100 + self.sources}"
        self.near.do("ip", "addr", "add", f"{address}/{24 if family == 4 else 64}", "dev", "out",
            *(["nodad"] if family == 6 else []))
        return "-S", address

    def on_both_sockets(self, *args, code=0):
        """The same on the raw and on the datagram socket: what differs is a bug."""
        raw, dgram = (self.trace("--icmp-socket", kind, *args, code=code) for kind in ("raw", "dgram"))
        self.assertEqual((raw["method"], dgram["method"]), ("icmp-raw", "icmp-dgram"))
        self.assertEqual(picture(raw), picture(dgram))
        return raw, dgram


def picture(path):
    """All that must not depend on the socket."""
    return [path["target"], path["address"], path["reached"], path["unreachable"],
        [(h["ttl"], h["addresses"], *[h[k] for k in COUNTS]) for h in path["hops"]]]


def addresses(path):
    return [h["addresses"] for h in path["hops"]]


class Capture:
    """What leaves a namespace through a device, as IP packets, until the end of the with block."""

    CODE = """
import select, socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
s.bind((sys.argv[1], 3))
print("ready", flush=True)
while True:
    if sys.stdin in select.select([s, sys.stdin], [], [])[0]:
        break
    packet, (_, _, kind, *_) = s.recvfrom(65536)
    if kind == socket.PACKET_OUTGOING:
        print(packet.hex())
"""

    def __init__(self, namespace, device):
        self.process = subprocess.Popen([*namespace.inside, sys.executable, "-c", self.CODE, device],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), preexec_fn=die_with_parent)
        read_until(self.process.stdout, "ready\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        time.sleep(0.05)
        out, _ = self.process.communicate(b"\n", timeout=PATIENCE)
        self.packets = [bytes.fromhex(line) for line in out.decode().split()]

    def of(self, protocol, kind=None):
        """TTL and what follows the IP header, of this protocol, and of this type for ICMP; IPv6 with its flow label."""
        found = []
        for p in self.packets:
            v6 = p[0] >> 4 == 6
            ttl, number, body = (p[7], p[6], p[40:]) if v6 else (p[8], p[9], p[(p[0] & 15) * 4:])
            if number == protocol and (kind is None or body[0] == kind):
                found.append((ttl, body, int.from_bytes(p[1:4], "big") & 0xfffff if v6 else 0))
        return found


class Paths(Chain):
    def test_each_router_and_the_target_answer_on_both_sockets_and_families(self):
        for want in (self.v4, self.v6):
            for path in self.on_both_sockets("-c", "3", "-i", "100ms", want[-1]):
                self.assertIs(path["reached"], True)
                self.assertEqual(addresses(path), [[a] for a in want])
                for hop in path["hops"]:
                    self.assertEqual((hop["sent"], hop["received"], hop["lost"], hop["rate_limited"]), (3, 3, 0, False))
                    self.assertEqual(hop["stamps"], "kernel-txrx", hop)

    def test_both_sockets_write_the_same_lines(self):
        raw, dgram = (self.run_trace("--icmp-socket", kind, "-c", "2", "-i", "50ms", self.v4[-1]).out
            for kind in ("raw", "dgram"))
        self.assertRegex(raw, r"^trace to 10\.80\.3\.2 \(10\.80\.3\.2\), 30 hops at most, icmp-raw\n")
        self.assertRegex(raw, r"(?m)^   3     0%      2 +\d\.\d+ +\d\.\d+ +\d\.\d+  10\.80\.2\.2$")
        self.assertTrue(raw.endswith("\nreached in 4 hops\n"), raw)
        self.assertEqual(re.sub(r"\d+\.\d{3}|raw", "_", raw), re.sub(r"\d+\.\d{3}|dgram", "_", dgram))

    def test_a_router_is_a_target_too_and_so_is_this_machine(self):
        for path in self.on_both_sockets("-c", "2", "-i", "50ms", self.v4[1]):
            self.assertEqual((path["reached"], addresses(path)), (True, [[a] for a in self.v4[:2]]))
        for path in self.on_both_sockets("-c", "2", "-i", "50ms", "10.80.0.1"):
            self.assertEqual((path["reached"], addresses(path)), (True, [["10.80.0.1"]]))

    def test_a_link_local_neighbour_is_one_hop(self):
        address = next(a for a in self.nodes[1].addresses("in", "-6") if a.startswith("fe80::"))
        for path in self.on_both_sockets("-c", "2", "-i", "50ms", f"{address}%out"):
            self.assertEqual((path["reached"], len(path["hops"])), (True, 1))
            self.assertTrue(path["hops"][0]["addresses"][0].startswith(address + "%"), path)

    def test_no_farther_than_it_was_told_is_not_reached_and_exit_code_1(self):
        for path in self.on_both_sockets("-c", "2", "-i", "50ms", "-m", "2", self.v4[-1], code=1):
            self.assertEqual((path["reached"], addresses(path)), (False, [[a] for a in self.v4[:2]]))

    def test_several_targets_are_traced_side_by_side(self):
        began = time.monotonic()
        r = self.run_trace("-f", "json", "-c", "3", "-i", "300ms", self.v4[-1], self.v6[-1], self.v4[0], self.v4[-1])
        self.assertLess(time.monotonic() - began, 3)
        self.assertEqual(r.code, 0, r)
        for path, want in zip(r.json["targets"], (self.v4, self.v6, self.v4[:1], self.v4)):
            self.assertEqual((path["reached"], addresses(path)), (True, [[a] for a in want]))
            self.assertTrue(all(h["received"] == 3 for h in path["hops"]), path)

    def test_probes_of_any_size_are_recognized(self):
        for size in ("10", "11", "1400", "4000"):
            for path in self.on_both_sockets("-c", "2", "-i", "50ms", "-s", size, self.v4[-1]):
                self.assertEqual((path["reached"], len(path["hops"])), (True, 4), size)

    def test_a_source_and_an_interface_may_be_chosen(self):
        self.near.do("ip", "addr", "add", "10.80.0.77/24", "dev", "out")
        self.addCleanup(self.near.do, "ip", "addr", "del", "10.80.0.77/24", "dev", "out")
        for args in (("-S", "10.80.0.77"), ("-I", "out")):
            for path in self.on_both_sockets("-c", "2", "-i", "50ms", *args, self.v4[-1]):
                self.assertEqual(addresses(path), [[a] for a in self.v4], args)

    def test_ndjson_tells_each_probe_and_ends_with_the_document(self):
        r = self.run_trace("-f", "ndjson", "-c", "2", "-i", "200ms", self.v4[-1])
        *probes, last = r.lines
        seen = {(p["ttl"], p["seq"]): p for p in probes}
        self.assertTrue(set(seen) >= {(ttl, seq) for ttl in range(1, 5) for seq in (1, 2)}, r)
        for (ttl, _), p in seen.items():
            self.assertEqual((p["type"], p["outcome"], p["from"], p["target"]),
                ("probe", "reply", self.v4[min(ttl, 4) - 1], self.v4[-1]))
            self.assertEqual(p["icmp_type"], 11 if ttl < 4 else None)
            self.assertGreater(p["rtt_ms"], 0)
        self.assertEqual((last["type"], last["targets"][0]["reached"]), ("trace", True))

    def test_an_interrupt_ends_it_and_shows_what_there_is(self):
        p = start("trace", "-n", "-f", "json", "-c", "1000", "-i", "1s", self.v4[-1], inside=self.near.inside)
        time.sleep(0.7)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=PATIENCE)
        path = json.loads(out)["targets"][0]
        self.assertEqual((p.returncode, err, path["reached"], addresses(path)), (0, b"", True, [[a] for a in self.v4]))

    @needs("traceroute")
    def test_traceroute_finds_the_same_routers(self):
        for family, want in (("-4", self.v4), ("-6", self.v6)):
            theirs = self.near.do("traceroute", "-n", "-I", "-q", "1", family, want[-1]).splitlines()[1:]
            self.assertEqual([line.split()[1] for line in theirs], want)
            self.assertEqual([a for a, in addresses(self.trace("-c", "1", want[-1]))], want)

    @needs("mtr")
    def test_mtr_finds_the_same_routers(self):
        theirs = re.findall(r"(?m)^ *\d+\.\|-- (\S+)", self.near.do("mtr", "-n", "-r", "-c", "1", self.v4[-1]))
        self.assertEqual([a for a, in addresses(self.trace("-c", "1", self.v4[-1]))], theirs)


class Flows(Chain):
    def test_all_probes_have_one_identifier_one_checksum_and_one_flow_label(self):
        for kind in ("raw", "dgram"):
            for want, protocol, echo in ((self.v4, 1, 8), (self.v6, 58, 128)):
                with Capture(self.near, "out") as wire:
                    self.trace("--icmp-socket", kind, "-c", "4", "-i", "100ms", want[-1])
                probes = wire.of(protocol, echo)
                self.assertGreaterEqual(len(probes), 16)
                self.assertEqual(len({(body[2:6], label) for _, body, label in probes}), 1, (kind, protocol))
                self.assertEqual(len({body[6:8] for _, body, _ in probes}), len(probes))
                self.assertEqual(len({body[8:16] for _, body, _ in probes}), len(probes))
                self.assertEqual({ttl for ttl, *_ in probes} & {1, 2, 3, 4}, {1, 2, 3, 4})

    def test_nothing_goes_past_the_target_after_the_first_round(self):
        with Capture(self.near, "out") as wire:
            self.trace("-c", "5", "-i", "200ms", self.v4[-1])
        ttls = [ttl for ttl, *_ in wire.of(1, 8)]
        first = ttls.index(1, 1)
        self.assertEqual(ttls[first:], [1, 2, 3, 4] * 4)

    def test_tcp_goes_from_one_port_and_one_request_at_a_time(self):
        for want, target in ((self.v4, f"tcp://{self.v4[-1]}:81"), (self.v6, f"tcp://[{self.v6[-1]}]:81")):
            with Capture(self.near, "out") as wire:
                self.trace("-c", "3", "-i", "100ms", target)
            requests = [(ttl, body) for ttl, body, _ in wire.of(6) if body[13] & 0x12 == 2]
            self.assertEqual([ttl for ttl, _ in requests], [1, 2, 3, 4] * 3)
            self.assertEqual(len({body[:4] for _, body in requests}), 1)


class Tcp(Chain):
    def traced(self, target, code=0, **how):
        path = self.trace("-c", "3", "-i", "100ms", target, code=code, **how)
        self.assertEqual(path["method"], "tcp")
        return path

    def both(self, port):
        return ((self.v4, f"tcp://{self.v4[-1]}:{port}"), (self.v6, f"tcp://[{self.v6[-1]}]:{port}"))

    def test_an_open_and_a_closed_port_end_the_path(self):
        with Serve(addresses=(), inside=self.far.inside, host=self.v4[-1]) as s:
            for port in (s.port, 81):
                for want, target in self.both(port):
                    path = self.traced(target)
                    self.assertEqual((path["reached"], addresses(path)), (True, [[a] for a in want]))
                    for hop in path["hops"]:
                        self.assertEqual((hop["sent"], hop["received"]), (3, 3), hop)
                        self.assertEqual(hop["stamps"],
                            "kernel-rx" if hop["ttl"] < 4 else "kernel-txrx" if port == s.port else "user", hop)

    @needs("nft")
    def test_a_filtered_port_is_not_reached_but_the_routers_are_seen(self):
        self.far.rules("tcp dport 81 drop")
        self.addCleanup(self.far.rules)
        r = self.run_trace("-f", "json", "-c", "1", "-W", "100ms", f"tcp://{self.v4[-1]}:81")
        path = r.json["targets"][0]
        self.assertEqual((r.code, path["reached"], path["unreachable"]), (1, False, None), r)
        self.assertEqual(addresses(path), [[a] for a in self.v4[:3]] + [[]] * 8)

    @needs("nft")
    def test_a_port_that_a_firewall_refuses_says_who_and_why(self):
        self.far.rules("tcp dport 81 reject with icmpx type admin-prohibited")
        self.addCleanup(self.far.rules)
        for want, target in self.both(81):
            path = self.traced(target)
            self.assertEqual((path["reached"], addresses(path)), (True, [[a] for a in want]))
            self.assertEqual((path["unreachable"]["ttl"], path["unreachable"]["from"]), (4, want[-1]))
            self.assertRegex(path["unreachable"]["error"], "(?i)prohibited|filtered")

    def test_a_host_that_is_not_there_is_told_or_given_up(self):
        path = self.traced("tcp://10.80.3.77:81", code=1)
        self.assertEqual(addresses(path)[:3], [[a] for a in self.v4[:3]])

    def test_without_icmp_it_is_tcp_and_says_why(self):
        self.near.sysctl("net.ipv4.ping_group_range", "1 0")
        self.addCleanup(self.near.sysctl, "net.ipv4.ping_group_range", "0 2147483647")
        with PublicBinary():
            path = self.traced(self.v4[-1], after=as_user())
            self.assertEqual(addresses(path), [[a] for a in self.v4])
            self.assertRegex(path["method_reason"], "Permission denied|Operation not permitted")
            r = self.run_trace("--via", "icmp", self.v4[-1], after=as_user())
            self.assertEqual((r.code, r.out), (2, ""), r)
            self.assertIn("try: sonde caps", r.err)


class Users(Chain):
    @needs("setpriv")
    def test_a_plain_user_sees_the_same_as_root(self):
        self.near.sysctl("net.ipv4.ping_group_range", f"{NOBODY} {NOBODY}")
        self.addCleanup(self.near.sysctl, "net.ipv4.ping_group_range", "0 2147483647")
        with PublicBinary():
            for want in (self.v4, self.v6):
                path = self.trace("-c", "3", "-i", "50ms", want[-1], after=as_user())
                self.assertEqual((path["method"], addresses(path)), ("icmp-dgram", [[a] for a in want]))
                self.assertTrue(all(h["stamps"] == "kernel-txrx" and h["received"] == 3 for h in path["hops"]), path)
                self.assertIn("raw ICMP", path["method_reason"])


@needs("nft")
class Walls(Chain):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Router 1 knows the way to these by router 2, which goes no farther: for the first it has no route, and rations
        # that error by rules of its own.
        for net in (91, 92, 93):
            cls.nodes[1].do("ip", "route", "add", f"10.{net}.0.0/16", "via", "10.80.1.2")
            cls.nodes[1].do("ip", "-6", "route", "add", f"fd{net}::/64", "via", "fd80:1::2")
            if net > 91:
                cls.nodes[2].do("ip", "route", "add", f"10.{net}.0.0/16", "via", "10.80.2.2")
                cls.nodes[2].do("ip", "-6", "route", "add", f"fd{net}::/64", "via", "fd80:2::2")
        cls.nodes[2].do("nft", "-f", "-", data="add table inet wall\n"
            "add chain inet wall forward { type filter hook forward priority 0; }\n"
            "add rule inet wall forward ip daddr 10.92.0.0/16 reject with icmp type host-unreachable\n"
            "add rule inet wall forward ip daddr 10.93.0.0/16 reject with icmp type admin-prohibited\n"
            "add rule inet wall forward ip6 daddr fd92::/64 reject with icmpv6 type addr-unreachable\n"
            "add rule inet wall forward ip6 daddr fd93::/64 reject with icmpv6 type admin-prohibited\n")

    def silence(self, node):
        """No more errors of this one."""
        node.do("nft", "-f", "-", data="add table inet mute\n"
            "add chain inet mute output { type filter hook output priority 0; }\n"
            "add rule inet mute output icmp type time-exceeded drop\n"
            "add rule inet mute output icmpv6 type time-exceeded drop\n")
        self.addCleanup(node.do, "nft", "delete", "table", "inet", "mute")

    def check_wall(self, path, ttl, want, what):
        wall, last = path["unreachable"], path["hops"][-1]
        self.assertEqual(addresses(path), [[want[0]], [want[1]], [want[1]]][:ttl], path)
        self.assertEqual((wall["ttl"], wall["from"], wall["icmp_type"], wall["icmp_code"]), (ttl, want[1], *what), path)
        self.assertEqual((last["received"], last["errors"], last["lost"]), (0, last["sent"], last["sent"]))

    def test_a_router_that_goes_no_farther_says_so_and_the_path_ends_there(self):
        for net, four, six in ((92, (3, 1), (1, 3)), (93, (3, 13), (1, 1))):
            for target, want, what in ((f"10.{net}.0.9", self.v4, four), (f"fd{net}::9", self.v6, six)):
                for path in self.on_both_sockets("-c", "3", "-i", "200ms", target, code=1):
                    self.check_wall(path, 3, want, what)

    def test_a_router_without_a_route_is_the_end_itself(self):
        for family, target, want, what in ((4, "10.91.0.9", self.v4, (3, 0)), (6, "fd91::9", self.v6, (1, 0))):
            for kind in ("raw", "dgram"):
                path = self.trace("--icmp-socket", kind, "-c", "1", *self.from_somebody_new(family), target, code=1)
                self.check_wall(path, 2, want, what)

    def test_the_last_line_says_who_and_why(self):
        r = self.run_trace("-c", "2", "-i", "50ms", "10.93.0.9")
        self.assertEqual((r.code, r.err), (1, ""), r)
        self.assertTrue(r.out.endswith("\nnot reached: Packet filtered, says 10.80.1.2\n"), r)

    def test_a_host_that_is_not_there_is_told_by_the_last_router_though_it_takes_three_seconds(self):
        path = self.trace("-c", "5", "-i", "1s", "-W", "1s", "10.80.3.77", code=1)
        self.assertEqual((path["unreachable"]["ttl"], path["unreachable"]["from"], path["unreachable"]["icmp_code"]),
            (4, self.v4[2], 1), path)
        self.assertEqual(addresses(path), [[a] for a in self.v4[:3]] + [[self.v4[2]]])

    def test_a_router_that_keeps_silent_is_a_star_and_the_trace_goes_on(self):
        self.silence(self.nodes[2])
        for want in (self.v4, self.v6):
            for path in self.on_both_sockets("-c", "2", "-i", "50ms", "-W", "300ms", want[-1]):
                self.assertEqual(addresses(path), [[want[0]], [], [want[2]], [want[3]]])
                hop = path["hops"][1]
                self.assertEqual((hop["sent"], hop["lost"], hop["loss_ratio"], hop["rate_limited"]), (2, 2, 1, False))
                self.assertEqual((hop["rtt_p50_ms"], hop["stamps"], hop["names"]), (None, None, []))
        r = self.run_trace("-c", "2", "-i", "50ms", "-W", "300ms", self.v4[-1])
        self.assertRegex(r.out, r"(?m)^   2   100%      2 +- +- +-  \*$")

    def test_silence_to_the_end_ends_the_trace_and_is_one_line(self):
        self.far.rules("icmp type echo-request drop")
        self.addCleanup(self.far.rules)
        r = self.run_trace("-c", "2", "-i", "100ms", "-W", "300ms", self.v4[-1])
        self.assertEqual((r.code, r.err), (1, ""), r)
        self.assertTrue(r.out.endswith("  10.80.2.2\nnot reached: no answer from hops 4 to 11\n"), r)
        self.assertLess(r.seconds, 3)

    def test_loss_behind_a_router_is_loss_at_the_target(self):
        self.far.rules("icmp type echo-request numgen inc mod 2 == 0 drop")
        self.addCleanup(self.far.rules)
        for path in self.on_both_sockets("-c", "20", "-i", "20ms", "-W", "300ms", "-m", "4", self.v4[-1]):
            self.assertEqual([h["lost"] for h in path["hops"]], [0, 0, 0, 10])
            self.assertTrue(path["hops"][3]["loss_ratio_low"] < 0.5 < path["hops"][3]["loss_ratio_high"])

    def test_no_route_at_all_is_exit_code_2(self):
        self.near.do("ip", "route", "add", "unreachable", "198.51.100.0/24")
        self.addCleanup(self.near.do, "ip", "route", "del", "unreachable", "198.51.100.0/24")
        for target in ("198.51.100.1", "tcp://198.51.100.1:80"):
            r = self.run_trace(target)
            self.assertEqual(r.code, 2, r)
            self.assertIn("no route", r.err)
            self.assertLess(r.seconds, 2)
        r = self.run_trace("-c", "1", "198.51.100.1", self.v4[0])
        self.assertEqual(r.code, 1, r)
        self.assertIn("\nreached in 1 hop\n", r.out)


class Rations(Chain):
    """Routers as Linux has them by default: six errors at once, then one a second."""

    ratelimit = 1000

    def test_what_is_only_rationed_is_marked_and_the_target_lost_nothing(self):
        for family, target in ((4, self.v4[-1]), (6, self.v6[-1])):
            for kind in ("raw", "dgram"):
                path = self.trace("--icmp-socket", kind, "-c", "40", "-i", "50ms", "-W", "500ms",
                    *self.from_somebody_new(family), target)
                for hop in path["hops"][:3]:
                    self.assertIs(hop["rate_limited"], True, hop)
                    self.assertTrue(5 <= hop["received"] <= 10, hop)
                self.assertEqual((path["hops"][3]["received"], path["hops"][3]["rate_limited"]), (40, False))

    def test_asked_as_often_as_by_default_they_answer_all(self):
        path = self.trace(*self.from_somebody_new(4), self.v4[-1])
        self.assertEqual([(h["sent"], h["received"], h["rate_limited"]) for h in path["hops"]], [(5, 5, False)] * 4)

    def test_the_text_says_so(self):
        r = self.run_trace("-c", "30", "-i", "30ms", "-W", "300ms", *self.from_somebody_new(4), self.v4[-1])
        self.assertEqual(len(re.findall(r"(?m)^   [123] .*, rate-limited$", r.out)), 3, r)
        self.assertRegex(r.out, r"(?m)^   4     0% .*2$")


class Names(Chain):
    def named(self, *args, hosts, **how):
        with tempfile.NamedTemporaryFile("w") as f:
            f.write(hosts)
            f.flush()
            return run("trace", *args, inside=[*self.near.inside, *with_hosts(f.name)], **how)

    def test_hops_have_the_names_of_etc_hosts(self):
        r = self.named("-f", "json", "-c", "2", "-i", "50ms", "far.example",
            hosts="10.80.1.2 r2.example second\n10.80.3.2 far.example\n")
        path = r.json["targets"][0]
        self.assertEqual((r.code, path["target"], path["address"]), (0, "far.example", self.v4[-1]), r)
        self.assertEqual([h["names"] for h in path["hops"]], [[None], ["r2.example"], [None], ["far.example"]])

    def test_numeric_asks_for_none(self):
        r = self.named("-n", "-f", "json", "-c", "1", "far.example",
            hosts="10.80.1.2 r2.example\n10.80.3.2 far.example\n")
        self.assertEqual([h["names"] for h in r.json["targets"][0]["hops"]], [[None]] * 4)

    def test_a_name_server_that_is_dead_costs_a_second_and_no_probe(self):
        with tempfile.NamedTemporaryFile("w") as conf:
            conf.write("nameserver 10.80.0.99\noptions timeout:30\n")
            conf.flush()
            dead = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', conf.name]
            r = run("trace", "-f", "json", "-c", "3", "-i", "100ms", self.v4[-1], inside=[*self.near.inside, *dead])
        path = r.json["targets"][0]
        self.assertEqual([h["received"] for h in path["hops"]], [3] * 4, r)
        self.assertEqual(addresses(path), [[a] for a in self.v4])
        self.assertLess(r.seconds, 4, r)

    def asking(self, label, *args):
        """A run whose name server calls every address by this label."""
        with tempfile.NamedTemporaryFile("w") as conf, NameServer(self.near, label):
            conf.write("nameserver 127.0.0.1\n")
            conf.flush()
            asks = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', conf.name]
            return run("trace", "-c", "1", *args, self.v4[-1], inside=[*self.near.inside, *asks])

    def test_hops_have_the_names_of_the_name_server(self):
        path = self.asking(b"router", "-f", "json").json["targets"][0]
        self.assertEqual([h["names"] for h in path["hops"]], [["router.example"]] * 4)
        self.assertRegex(self.asking(b"router").out, r"(?m)  10\.80\.1\.2 \(router\.example\)$")

    def test_what_a_stranger_writes_as_a_name_reaches_no_terminal(self):
        for form in ("text", "json", "ndjson", "csv", "prom"):
            r = self.asking(b"\x1b[2Jevil\"\n;x", "-f", form)
            self.assertEqual(r.code, 0, r)
            self.assertFalse(re.search(r"[\x00-\x09\x0b-\x1f\x7f]", r.out), (form, r.bytes))
            if form == "json":
                self.assertEqual(addresses(r.json["targets"][0]), [[a] for a in self.v4])


class NameServer:
    """At 127.0.0.1 of a namespace: whatever is asked for has this label, and the domain example, as its name."""

    CODE = """
import socket, struct, sys
label = bytes.fromhex(sys.argv[1])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    q, who = s.recvfrom(512)
    end = q.index(b"\\0", 12) + 5
    name = bytes([len(label)]) + label + b"\\7example\\0"
    s.sendto(q[:2] + b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0" + q[12:end]
        + struct.pack("!HHHIH", 0xc00c, 12, 1, 60, len(name)) + name, who)
"""

    def __init__(self, namespace, label):
        self.process = subprocess.Popen([*namespace.inside, sys.executable, "-c", self.CODE, label.hex()],
            stdout=subprocess.PIPE, env=environment(), preexec_fn=die_with_parent)
        read_until(self.process.stdout, "ready\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


class Labels(Chain):
    """MPLS, by routers that exist only behind a TUN device."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.exists("/dev/net/tun"):
            raise unittest.SkipTest("there is no /dev/net/tun")
        network = subprocess.Popen([*cls.near.inside, sys.executable, "-B", labels.__file__], stdout=subprocess.PIPE,
            env=environment(), preexec_fn=die_with_parent)
        cls.addClassCleanup(network.communicate)
        cls.addClassCleanup(network.kill)
        read_until(network.stdout, "ready\n")

    def stacks(self, kind, family):
        for path in self.on_both_sockets("-c", "1", labels.target(kind, family)):
            self.assertEqual(addresses(path), [*([labels.router(i, family)] for i in (1, 2, 3)),
                [labels.target(kind, family)]])
            got = [[(e["label"], e["tc"], int(e["bottom"]), e["ttl"]) for e in h["mpls"]] for h in path["hops"]]
            self.assertEqual(got[3], [])
        return got[:3]

    def test_label_stacks_are_shown_on_both_sockets_whether_their_place_is_told_or_not(self):
        for family in (4, 6):
            for kind, want in (("told", labels.STACK), ("untold", labels.STACK), ("second", labels.ONE),
                    ("unsummed", labels.ONE), ("none", [])):
                self.assertEqual(self.stacks(kind, family), [want] * 3, (kind, family))

    def test_what_is_broken_is_no_label_and_no_harm(self):
        for family in (4, 6):
            for kind in ("lies", "more_lies"):
                self.assertEqual(self.stacks(kind, family), [[]] * 3, (kind, family))

    def test_a_path_of_200_hops_is_one_document(self):
        for path in self.on_both_sockets("-c", "1", "-m", "255", "-i", "500ms", labels.target("far")):
            self.assertEqual((path["reached"], len(path["hops"])), (True, labels.FAR))
            self.assertEqual(addresses(path)[:-1], [[labels.router(i)] for i in range(1, labels.FAR)])
            self.assertTrue(all(len(h["mpls"]) == 8 for h in path["hops"][:-1]))

    def test_the_text_names_the_labels(self):
        r = self.run_trace("-c", "1", labels.target("told"))
        self.assertIn("  10.85.0.2, MPLS 24012 (tc 5, ttl 1) 1048575 (tc 0, ttl 255)\n", r.out)


if __name__ == "__main__":
    unittest.main()
