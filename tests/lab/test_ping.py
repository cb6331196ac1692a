# SPDX-License-Identifier: MIT
"""Two namespaces and a wire: what is lost, refused or unreachable there is what ping reports, on either socket."""

import json
import re
import shutil
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from net import Lab, needs
from program import one_error, start

COUNTS = ("sent", "received", "lost", "in_flight", "late", "duplicates", "reordered", "corrupt", "errors", "loss_ratio")


class PingLab(Lab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.near.sysctl("net.ipv4.ping_group_range", "0 2147483647")
        cls.has_nft = bool(shutil.which("nft"))

    def tearDown(self):
        if self.has_nft:
            self.far.rules()

    def ping(self, *args, code=0, **how):
        r = self.sonde("ping", "-f", "json", *args, **how)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r.json["targets"][0]

    def on_both_sockets(self, *args, code=0):
        """The same probes on the raw and on the datagram socket; what differs is a bug."""
        raw, dgram = (self.ping("--icmp-socket", kind, *args, code=code) for kind in ("raw", "dgram"))
        self.assertEqual((raw["method"], dgram["method"]), ("icmp-raw", "icmp-dgram"))
        self.assertEqual({k: raw[k] for k in COUNTS}, {k: dgram[k] for k in COUNTS})
        return raw, dgram


class Sockets(PingLab):
    def test_every_reply_counts_on_both_sockets_and_families(self):
        for target in ("10.77.0.2", "fd77::2"):
            for ping in self.on_both_sockets("-c", "50", "-i", "2ms", target):
                self.assertEqual((ping["sent"], ping["received"], ping["lost"]), (50, 50, 0), target)

    def test_both_sockets_are_stamped_by_the_kernel_at_both_ends(self):
        for target in ("10.77.0.2", "fd77::2"):
            for ping in self.on_both_sockets("-c", "10", "-i", "2ms", target):
                self.assertEqual(ping["stamps"], "kernel-txrx", target)

    def test_both_sockets_measure_the_same_time(self):
        raw, dgram = self.on_both_sockets("-c", "100", "-i", "2ms", "10.77.0.2")
        self.assertLess(max(raw["rtt_p50_ms"], dgram["rtt_p50_ms"]),
            3 * min(raw["rtt_p50_ms"], dgram["rtt_p50_ms"]) + 0.1)

    def test_large_probes_are_put_together_again_on_both(self):
        for target in ("10.77.0.2", "fd77::2"):
            for ping in self.on_both_sockets("-c", "5", "-i", "5ms", "-s", "20000", target):
                self.assertEqual(ping["received"], 5, target)

    def test_both_write_the_same_lines(self):
        raw, dgram = (self.sonde("ping", "--icmp-socket", kind, "-c", "2", "-i", "5ms", "10.77.0.2").out
            for kind in ("raw", "dgram"))
        self.assertIn("64 bytes from 10.77.0.2: icmp_seq=1 ttl=64 time=", raw)
        self.assertEqual(re.sub(r"\d+\.\d+|raw|\d+ms", "_", raw), re.sub(r"\d+\.\d+|dgram|\d+ms", "_", dgram))

    def test_ipv6_link_local_with_a_scope_works_by_name_and_by_number(self):
        for ping in self.on_both_sockets("-c", "5", "-i", "5ms", f"{self.link_local}%wire"):
            self.assertEqual(ping["received"], 5)
            self.assertTrue(ping["address"].startswith(self.link_local + "%"), ping)
        index = json.loads(self.near.do("ip", "-j", "link", "show", "wire"))[0]["ifindex"]
        self.assertEqual(self.ping("-c", "2", "-i", "5ms", f"[{self.link_local}%{index}]")["received"], 2)

    def test_link_local_without_a_scope_does_not_hang(self):
        r = self.sonde("ping", "-c", "1", "-W", "300ms", self.link_local)
        self.assertLess(r.seconds, 5, r)

    def test_many_at_once_do_not_take_each_other_s_replies(self):
        kinds = ["raw", "dgram"] * 3
        with ThreadPoolExecutor(6) as pool:
            for ping in pool.map(lambda kind: self.ping("--icmp-socket", kind, "-c", "100", "-i", "2ms", "10.77.0.2"),
                    kinds):
                self.assertEqual([ping[k] for k in ("sent", "received", "duplicates", "corrupt")], [100, 100, 0, 0])


@needs("nft")
class Losses(PingLab):
    def test_each_tenth_request_dropped_is_10_percent_loss(self):
        for family, rule, target in ((4, "icmp type echo-request", "10.77.0.2"),
                (6, "icmpv6 type echo-request", "fd77::2")):
            self.far.rules(f"{rule} numgen inc mod 10 == 0 drop")
            for ping in self.on_both_sockets("-c", "100", "-i", "3ms", "-W", "300ms", target):
                self.assertEqual((ping["lost"], ping["errors"], ping["loss_ratio"]), (10, 0, 0.1), family)
                self.assertTrue(ping["loss_ratio_low"] < 0.1 < ping["loss_ratio_high"], ping)

    def test_each_lost_probe_has_its_line(self):
        self.far.rules("icmp type echo-request numgen inc mod 5 == 0 drop")
        r = self.sonde("ping", "-c", "10", "-i", "10ms", "-W", "200ms", "10.77.0.2")
        self.assertEqual(r.code, 0, r)
        self.assertEqual(r.out.count("no answer from 10.77.0.2: icmp_seq="), 2, r)
        self.assertIn("10 packets transmitted, 8 received, 20% packet loss", r.out)

    def test_a_host_that_drops_all_is_exit_code_1_and_ends_in_time(self):
        self.far.rules("icmp type echo-request drop")
        for ping in self.on_both_sockets("-c", "5", "-i", "10ms", "-W", "300ms", "10.77.0.2", code=1):
            self.assertEqual((ping["received"], ping["lost"], ping["loss_ratio"], ping["rtt_p50_ms"]), (0, 5, 1, None))

    def test_icmp_alone_does_not_fall_back_to_tcp(self):
        self.far.rules("icmp type echo-request drop")
        self.assertEqual(self.ping("-c", "2", "-i", "10ms", "-W", "200ms", "icmp://10.77.0.2", code=1)["method"],
            "icmp-raw")


@needs("nft")
class Errors(PingLab):
    """The far end is a router: it knows no way to 10.78.0.0/24 and fd78::/64, and sends 10.79 and fd79 back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.far.sysctl("net.ipv4.ip_forward", 1)
        cls.far.sysctl("net.ipv6.conf.all.forwarding", 1)
        for net in (78, 79):
            cls.near.do("ip", "route", "add", f"10.{net}.0.0/24", "via", "10.77.0.2")
            cls.near.do("ip", "route", "add", f"fd{net}::/64", "via", "fd77::2")
            cls.far.do("ip", "route", "add", f"10.{net}.0.0/24", "dev", "wire")
            cls.far.do("ip", "route", "add", f"fd{net}::/64", "dev", "wire")
        # A route of the type `unreachable` would ration its errors.
        cls.far.do("nft", "-f", "-",
            data="add table inet router\nadd chain inet router forward { type filter hook forward priority 0; }\n"
            "add rule inet router forward ip daddr 10.78.0.0/24 reject with icmp type host-unreachable\n"
            "add rule inet router forward ip6 daddr fd78::/64 reject with icmpv6 type addr-unreachable\n")

    def test_unreachable_is_an_error_on_both_sockets_and_exit_code_1(self):
        for target in ("10.78.0.9", "fd78::9"):
            for ping in self.on_both_sockets("-c", "4", "-i", "20ms", "-W", "500ms", target, code=1):
                self.assertEqual((ping["sent"], ping["received"], ping["errors"], ping["lost"]), (4, 0, 4, 4), target)

    def test_the_error_line_says_who_said_so(self):
        for kind in ("raw", "dgram"):
            r = self.sonde("ping", "--icmp-socket", kind, "-c", "2", "-i", "20ms", "-W", "500ms", "10.78.0.9")
            self.assertEqual((r.code, r.err), (1, ""), r)
            self.assertRegex(r.out, r"(?m)^From 10\.77\.0\.2 icmp_seq=1 Destination Host Unreachable$", r)
            self.assertRegex(r.out, r"(?m)^2 packets transmitted, 0 received, \+2 errors, 100% packet loss")

    def test_a_ttl_that_ends_on_the_way_is_told(self):
        for kind in ("raw", "dgram"):
            for target, router in (("10.79.0.9", "10.77.0.2"), ("fd79::9", "fd77::2")):
                r = self.sonde("ping", "--icmp-socket", kind, "-t", "1", "-c", "2", "-i", "20ms", "-W", "500ms", target)
                self.assertEqual((r.code, r.err), (1, ""), r)
                self.assertRegex(r.out, rf"(?mi)^From {router} icmp_seq=1 .*(time to live|hop limit|ttl)", r)

    def test_ndjson_has_the_router_the_type_and_the_code(self):
        r = self.sonde("ping", "-f", "ndjson", "-c", "1", "-W", "500ms", "10.78.0.9")
        probe = r.lines[0]
        self.assertEqual((probe["outcome"], probe["from"], probe["icmp_type"], probe["icmp_code"], probe["rtt_ms"]),
            ("error", "10.77.0.2", 3, 1, None))

    def test_a_neighbour_that_does_not_exist_ends_in_time(self):
        r = self.sonde("ping", "-c", "2", "-i", "100ms", "-W", "500ms", "10.77.0.99")
        self.assertEqual(r.code, 1, r)
        self.assertLess(r.seconds, 10, r)

    def test_no_route_is_told_and_nothing_is_measured(self):
        r = self.sonde("ping", "-c", "2", "-i", "20ms", "-W", "300ms", "198.51.100.1")
        self.assertIn(r.code, (1, 2), r)
        self.assertIn("Network is unreachable", r.out + r.err, r)

    def test_a_name_that_nobody_can_resolve_is_exit_code_2(self):
        r = self.sonde("ping", "-c", "1", "no-such-name.invalid")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertRegex(one_error(r), "^sonde: ping: cannot resolve 'no-such-name.invalid': ")

    def test_a_filtered_port_ends_in_time(self):
        self.far.rules("tcp dport 8099 drop")
        ping = self.ping("-c", "3", "-i", "50ms", "-W", "300ms", "tcp://10.77.0.2:8099", code=1)
        self.assertEqual((ping["sent"], ping["lost"], ping["errors"]), (3, 3, 0))

    def test_a_port_that_a_firewall_refuses_is_an_error(self):
        self.far.rules("tcp dport 8099 reject with icmp type admin-prohibited")
        ping = self.ping("-c", "3", "-i", "50ms", "-W", "500ms", "tcp://10.77.0.2:8099", code=1)
        self.assertEqual((ping["received"], ping["errors"]), (0, 3))


class Ways(PingLab):
    def test_a_source_and_an_interface_may_be_chosen(self):
        self.near.do("ip", "addr", "add", "10.77.0.3/24", "dev", "wire")
        self.addCleanup(self.near.do, "ip", "addr", "del", "10.77.0.3/24", "dev", "wire")
        for args in (("-S", "10.77.0.3"), ("-I", "wire")):
            for ping in self.on_both_sockets("-c", "3", "-i", "5ms", *args, "10.77.0.2"):
                self.assertEqual(ping["received"], 3, args)

    def test_the_wrong_interface_reaches_nothing(self):
        r = self.sonde("ping", "-c", "2", "-i", "20ms", "-W", "300ms", "-I", "lo", "10.77.0.2")
        self.assertIn(r.code, (1, 2), r)

    def test_a_closed_port_answers_by_its_refusal_where_no_port_was_named(self):
        ping = self.ping("-c", "3", "-i", "20ms", "--via", "tcp", "10.77.0.2")
        self.assertEqual((ping["received"], ping["method"]), (3, "tcp"))

    def test_a_whole_network_in_one_run(self):
        r = self.sonde("ping", "-q", "-f", "json", "-c", "2", "-i", "200ms", "-W", "300ms",
            *[f"10.77.0.{i}" for i in range(1, 41)])
        self.assertEqual(r.code, 1, r)
        self.assertEqual([t["target"] for t in r.json["targets"] if t["received"]], ["10.77.0.1", "10.77.0.2"])

    def test_a_wire_that_is_cut_and_mended_is_loss_and_no_end(self):
        p = start("ping", "-f", "json", "-c", "20", "-i", "50ms", "-W", "200ms", "10.77.0.2", inside=self.near.inside)
        time.sleep(0.3)
        self.far.do("ip", "link", "set", "wire", "down")
        time.sleep(0.3)
        self.far.do("ip", "link", "set", "wire", "up")
        out, err = p.communicate(timeout=30)
        ping = json.loads(out)["targets"][0]
        self.assertEqual((p.returncode, ping["sent"]), (0, 20), err)
        self.assertTrue(0 < ping["lost"] < 20, ping)


if __name__ == "__main__":
    unittest.main()
