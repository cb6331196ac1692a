# SPDX-License-Identifier: MIT
"""A check over a wire of a known rate, to servers that firewalls hide: what was configured must be reported."""

import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import program
from net import Lab, needs, with_hosts
from program import PATIENCE, figures, hints, one_error


class CheckLab(Lab):
    def check(self, *args, target=None, code=0, **how):
        r = self.sonde("check", "-f", "json", *args, target or self.server.target, **how)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r.json


class Rates(CheckLab):
    """100 Mbit/s of frames carry 95.6 Mbit/s of payload: 1448 of 1514 bytes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.serve()
        cls.near.shape("wire", "100mbit")
        cls.far.shape("wire", "100mbit")
        # A machine that has other things to do may spoil one run, but not two.
        for _ in range(2):
            before = cls.near.bytes_received("wire"), cls.far.bytes_received("wire")
            cls.measured = cls.sonde(cls, "check", "-f", "json", "--time", "4s", "-c", "10", cls.server.target)
            after = cls.near.bytes_received("wire"), cls.far.bytes_received("wire")
            cls.frames = {"download": after[0] - before[0], "upload": after[1] - before[1]}
            if cls.measured.code == 0 and all(cls.measured.json[way]["stable"] for way in cls.frames):
                break

    def setUp(self):
        self.assertEqual((self.measured.code, self.measured.err), (0, ""), self.measured)
        self.doc = self.measured.json

    def test_both_directions_are_94_to_96_megabits(self):
        for way in ("download", "upload"):
            flow = self.doc[way]
            self.assertEqual(flow["status"], "ok", flow)
            self.assertTrue(94e6 <= flow["bits_per_second"] <= 96e6,
                f"{way}: {flow['bits_per_second'] / 1e6:.2f} Mbit/s, {flow}")

    def test_a_steady_link_is_called_stable_and_is_the_limit(self):
        for way in ("download", "upload"):
            self.assertIs(self.doc[way]["stable"], True, self.doc[way])
            self.assertEqual(self.doc[way]["limited_by"], "network", self.doc[way])

    def test_the_latency_under_load_is_visibly_above_the_idle_one(self):
        idle = self.doc["ping"]["rtt_p50_ms"]
        for way in ("download", "upload"):
            loaded = self.doc["loaded"][way]
            self.assertGreater(loaded["received"], 10, loaded)
            self.assertGreater(loaded["rtt_p50_ms"], idle + 5, (idle, loaded))

    def test_both_ends_have_counted_the_same(self):
        for way in ("download", "upload"):
            self.assertEqual(self.doc[way]["transferred_bytes"], self.doc[way]["peer_bytes"], self.doc[way])
            self.assertEqual(self.doc[way]["counted_by"], "receiver")

    def test_what_was_counted_was_on_the_wire(self):
        for way, frames in self.frames.items():
            self.assertLess(self.doc[way]["transferred_bytes"], frames, way)

    def test_an_uneven_link_is_reported_as_such(self):
        self.near.shape("wire", "20mbit")
        self.far.shape("wire", "60mbit")
        self.addCleanup(self.near.shape, "wire", "100mbit")
        self.addCleanup(self.far.shape, "wire", "100mbit")
        doc = self.check("--time", "3s", "-c", "3")
        for way, rate in (("download", 60e6), ("upload", 20e6)):
            self.assertAlmostEqual(doc[way]["bits_per_second"], rate * 1448 / 1514, delta=rate * 0.03, msg=doc[way])

    def test_words_tell_what_the_load_does_to_the_latency(self):
        r = self.sonde("check", "--time", "1500ms", "-c", "5", self.server.target)
        self.assertRegex(r.out,
            r"(?m)^  verdict +under load the latency goes from [\d.]+ to [\d.]+ ms while (up|down)loading: ", r)

    def test_expectations_are_judged_by_the_link(self):
        r = self.sonde("check", "--time", "1500ms", "--only", "download", "--expect", "download>=90M", "--expect",
            "download>=200M", self.server.target)
        self.assertEqual(r.code, 4, r)
        self.assertRegex(r.out, r"(?m)^  expect +download>=90M: met, 9\d")
        self.assertRegex(r.out, r"(?m)^  expect +download>=200M: missed, 9\d.* too low$")

    def test_a_wire_that_is_cut_in_mid_download_is_no_hang(self):
        cut = threading.Timer(1.0, self.far.do, ("ip", "link", "set", "wire", "down"))
        self.addCleanup(self.far.do, "ip", "link", "set", "wire", "up")
        self.addCleanup(cut.join)
        cut.start()
        r = self.sonde("check", "--time", "2s", "-W", "1s", "-c", "3", self.server.target)
        self.assertLess(r.seconds, 25, r)
        self.assertIn(r.code, (0, 1), r)
        self.assertNotRegex(r.out, r"(?m)^  upload +\d", r)


@needs("nft")
class Firewalls(CheckLab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.serve()

    def tearDown(self):
        self.far.rules()

    def test_a_server_whose_icmp_is_dropped_is_pinged_by_tcp(self):
        self.far.rules("icmp type echo-request drop")
        doc = self.check("--time", "300ms", "-c", "3")
        self.assertEqual((doc["ping"]["method"], doc["ping"]["received"]), ("tcp", 3))
        self.assertEqual(doc["loaded"]["download"]["method"], "tcp")
        self.assertEqual(doc["download"]["status"], "ok")

    def test_it_says_why_it_was_tcp(self):
        self.far.rules("icmp type echo-request drop")
        doc = self.check("--time", "300ms", "-c", "3", "--only", "ping,download")
        self.assertTrue(doc["ping"]["method_reason"], doc["ping"])

    def test_a_filtered_port_ends_in_time_and_says_how_long_it_waited(self):
        self.far.rules("tcp dport 8099 drop")
        r = self.sonde("check", "-W", "1s", "10.77.0.2:8099")
        self.assertEqual((r.code, r.out), (1, ""), r)
        self.assertRegex(one_error(r), r"^sonde: check: cannot connect to '10\.77\.0\.2:8099': .+, not within 1 s$")
        self.assertLess(r.seconds, 5, r)

    def test_a_host_that_drops_everything_ends_in_time(self):
        self.far.rules("ip saddr 10.77.0.1 drop")
        r = self.sonde("check", "-W", "500ms", "10.77.0.2")
        self.assertEqual((r.code, r.out), (1, ""), r)
        self.assertLess(r.seconds, 10, r)

    def test_a_port_that_a_firewall_refuses_is_told(self):
        self.far.rules("tcp dport 8099 reject with icmp type admin-prohibited")
        r = self.sonde("check", "-W", "2s", "10.77.0.2:8099")
        self.assertEqual((r.code, r.out), (1, ""), r)
        self.assertRegex(one_error(r), r"cannot connect to '10\.77\.0\.2:8099': .+")

    def test_only_ping_of_a_host_that_drops_it_is_exit_code_1(self):
        self.far.rules("icmp type echo-request drop")
        doc = self.check("--only", "ping", "-c", "2", target="10.77.0.2", code=1)
        self.assertEqual((doc["ping"]["received"], doc["ping"]["rtt_p50_ms"]), (0, None))
        self.assertEqual(figures(doc["download"]), {})

    def test_a_loss_of_a_tenth_is_reported_and_the_rest_is_measured(self):
        self.far.rules("icmp type echo-request numgen inc mod 10 == 0 drop")
        doc = self.check("--only", "ping", "-c", "20", target="10.77.0.2")
        self.assertEqual((doc["ping"]["sent"], doc["ping"]["lost"], doc["ping"]["loss_ratio"]), (20, 2, 0.1))


class Targets(CheckLab):
    def test_without_a_port_8080_is_tried_and_then_80(self):
        with program.Serve("-p", "8080", addresses=(), inside=self.far.inside, host="10.77.0.2"):
            doc = self.check("--only", "download", "--time", "200ms", target="10.77.0.2")
            self.assertEqual((doc["target"]["port"], doc["server"]["kind"]), (8080, "sonde"))
        with program.Serve("-p", "80", addresses=(), inside=self.far.inside, host="10.77.0.2"):
            doc = self.check("--only", "download", "--time", "200ms", target="10.77.0.2")
            self.assertEqual((doc["target"]["port"], doc["server"]["kind"]), (80, "sonde"))

    def test_a_name_of_which_one_address_answers_is_measured_whichever_it_is(self):
        with tempfile.NamedTemporaryFile("w") as hosts:
            hosts.write("fd77::2 two-addresses\n10.77.0.2 two-addresses\n")
            hosts.flush()
            for address in ("10.77.0.2", "fd77::2"):
                with program.Serve(addresses=(address,), inside=self.far.inside) as s:
                    doc = self.check("--only", "download", "--time", "200ms", target=f"two-addresses:{s.port}",
                        after=with_hosts(hosts.name))
                self.assertEqual((doc["target"]["host"], doc["target"]["address"], doc["download"]["status"]),
                    ("two-addresses", address, "ok"))

    def test_nothing_on_either_port_says_what_was_tried(self):
        r = self.sonde("check", "10.77.0.2")
        self.assertEqual((r.code, r.out), (1, ""), r)
        self.assertEqual(one_error(r),
            "sonde: check: nothing answers at '10.77.0.2' on ports 8080 and 80: Connection refused")
        self.assertTrue(any("sonde serve" in h for h in hints(r)), r)

    def test_no_route_is_exit_code_2(self):
        r = self.sonde("check", "198.51.100.1:80")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertRegex(one_error(r),
            r"^sonde: check: cannot connect to '198\.51\.100\.1:80': Network is unreachable$")

    def test_a_neighbour_that_does_not_exist_is_exit_code_1_in_time(self):
        r = self.sonde("check", "-W", "1s", "10.77.0.99:80")
        self.assertEqual((r.code, r.out), (1, ""), r)
        self.assertLess(r.seconds, 5, r)

    def test_a_name_that_nobody_can_resolve_is_exit_code_2_in_time(self):
        r = self.sonde("check", "no-such-name.invalid")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertRegex(one_error(r), "^sonde: check: cannot resolve 'no-such-name.invalid': ")
        self.assertLess(r.seconds, 15, r)

    def test_the_words_of_the_banner_work_on_the_other_machine(self):
        s = self.serve("-p", "8081")
        other = s.banner[s.banner.index("on the other machine"):s.banner.index("on this machine")]
        words = [line.strip() for line in other.splitlines() if line.startswith("  sonde ")]
        self.assertEqual(words[0], "sonde 10.77.0.2:8081")
        self.assertIn("sonde [fd77::2]:8081", words)
        self.assertTrue(any("%INTERFACE" in w for w in words), words)
        for w in words:
            target = w.split(" ", 1)[1].strip("'").replace("%INTERFACE", "%wire")
            r = self.sonde("check", "--only", "download", "--time", "100ms", target)
            self.assertEqual(r.code, 0, r)

    def test_ipv6_link_local_with_a_scope_works(self):
        s = self.serve()
        doc = self.check("--time", "200ms", "-c", "2", target=f"http://[{self.link_local}%wire]:{s.port}/")
        self.assertEqual((doc["ping"]["received"], doc["download"]["status"], doc["upload"]["status"]), (2, "ok", "ok"))

    def test_a_source_and_an_interface_may_be_chosen(self):
        s = self.serve()
        self.near.do("ip", "addr", "add", "10.77.0.3/24", "dev", "wire")
        self.addCleanup(self.near.do, "ip", "addr", "del", "10.77.0.3/24", "dev", "wire")
        for args in (("-S", "10.77.0.3"), ("-I", "wire")):
            self.assertEqual(self.check("--time", "200ms", "-c", "2", *args, target=s.target)["download"]["status"],
                "ok", args)

    def test_a_server_that_dies_in_mid_download_is_told(self):
        s = program.Serve(addresses=(), inside=self.far.inside, host="10.77.0.2")
        kill = threading.Timer(0.8, s.process.kill)
        kill.start()
        self.addCleanup(s.process.communicate, None, PATIENCE)
        self.addCleanup(kill.join)
        r = self.sonde("check", "--time", "2s", "-W", "1s", "-c", "2", s.target)
        self.assertLess(r.seconds, 15, r)
        self.assertRegex(r.out, r"(?m)^  upload +failed: .+", r)


class Progress(CheckLab):
    """The figures that come on the way are those of the link, too."""

    def test_progress_lines_settle_at_the_rate_of_the_link(self):
        s = self.serve()
        self.far.shape("wire", "50mbit")
        self.addCleanup(self.far.shape, "wire", None)
        r = self.sonde("check", "-f", "ndjson", "--only", "download", "--time", "2s", s.target)
        rates = [line["bits_per_second"] for line in r.lines if line["type"] == "progress" and line["bits_per_second"]]
        self.assertGreater(len(rates), 5, r)
        late = rates[len(rates) // 2:]
        self.assertAlmostEqual(sum(late) / len(late), 47.8e6, delta=5e6)


if __name__ == "__main__":
    unittest.main()
