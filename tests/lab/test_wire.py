# SPDX-License-Identifier: MIT
"""A wire with faults that counts them: what it did is what ping reports, on both sockets and in both families."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from wire import WireLab

FOUR, SIX = "10.76.0.2", "fd76::2"
WAYS = [(kind, target) for target in (FOUR, SIX) for kind in ("raw", "dgram")]


class PingWire(WireLab):
    def run_ping(self, kind, target, *args, form="json", code=0):
        r = self.sonde("ping", "-f", form, "--icmp-socket", kind, *args, target)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r

    def ping(self, kind, target, *args, code=0):
        ping = self.run_ping(kind, target, *args, code=code).json["targets"][0]
        self.assertEqual(ping["method"], f"icmp-{kind}")
        return ping

    def outcomes(self, kind, target, *args):
        """By sequence number, the last word on each probe."""
        r = self.run_ping(kind, target, *args, form="ndjson")
        return {line["seq"]: line["outcome"] for line in r.lines if line["type"] == "probe"}

    def on_each(self, rules, *args, ways=WAYS, code=0):
        """The same probes under the same rules in all ways, and what the wire counted in both directions."""
        for kind, target in ways:
            self.wire.rules(**rules)
            ping = self.ping(kind, target, *args, code=code)
            counts = self.wire.counts()
            there, back = counts["there"], counts["back"]
            self.assertEqual(there["seen"], ping["sent"], (kind, target, counts))
            for way in there, back:
                self.assertEqual((way["overflowed"], way["refused"]), (0, 0), counts)
            yield ping, there, back


class Time(PingWire):
    def test_20_ms_are_20_ms(self):
        for kind, target in WAYS:
            for tries_left in (1, 0):
                self.wire.rules("delay=10ms")
                ping = self.ping(kind, target, "-c", "100", "-i", "5ms")
                self.assertEqual((ping["received"], ping["stamps"]), (100, "kernel-txrx"), ping)
                if abs(ping["rtt_p50_ms"] - 20) > 0.2 and tries_left:
                    continue
                self.assertAlmostEqual(ping["rtt_p50_ms"], 20, delta=0.2, msg=f"{kind} {target}")
                self.assertGreaterEqual(ping["rtt_min_ms"], 20, "nothing is faster than the wire")
                break

    def test_what_jitter_puts_out_of_order_is_counted(self):
        for ping, there, back in self.on_each({"both": "delay=4ms", "back": "jitter=4ms"}, "-c", "200", "-i", "1ms"):
            self.assertEqual((ping["received"], ping["reordered"]), (200, back["reordered"]), ping)
            self.assertGreater(back["reordered"], 20)
            self.assertGreaterEqual(ping["rtt_min_ms"], 8, ping)
            self.assertAlmostEqual(ping["rtt_p50_ms"], 10, delta=1, msg=ping)
            self.assertGreater(ping["jitter_ms"], 0.5, ping)

    def test_a_bottleneck_makes_wait_as_long_as_its_queue_is(self):
        # 1,000 bytes take 8 ms and come every 2 ms. Each waits for nine others, the first half sent, and for itself.
        self.wire.rules(there="rate=1M queue=10")
        ping = self.ping("raw", FOUR, "-c", "200", "-i", "2ms", "-s", "972", "-W", "500ms")
        there = self.wire.counts()["there"]
        self.assertEqual((there["seen"], ping["lost"]), (200, there["overflowed"]))
        self.assertGreater(ping["lost"], 100)
        self.assertTrue(71 < ping["rtt_p50_ms"] < 81, ping)


class Faults(PingWire):
    """
    Two in a hundred of everything. The wire lets at most one befall a packet, so each count stands for itself. The last
    probe is lost: while it is waited for, the copies of those before it come in.
    """

    ALL = "loss=2% duplicate=2% reorder=2% mangle=2% seed=4"
    PROBES = "-c", "500", "-i", "2ms", "-W", "200ms"

    def compare(self, ping, way, wire_lost, sent=500):
        lost = wire_lost + way["mangled"]
        expected = {"sent": sent, "received": sent - lost, "lost": lost, "late": 0, "duplicates": way["duplicated"],
            "reordered": way["reordered"], "corrupt": way["mangled"]}
        self.assertEqual({k: ping[k] for k in expected}, expected, ping)
        for k in "lost", "duplicated", "reordered", "mangled":
            self.assertGreater(way[k], 2, k)

    def test_faults_of_replies_are_counted_exactly(self):
        for ping, there, back in self.on_each({"both": "delay=5ms", "there": "drop=500", "back": self.ALL},
                *self.PROBES):
            self.compare(ping, back, there["lost"] + back["lost"])
            self.assertLess(ping["rtt_max_ms"], 120, "what is held back waits for the next one alone")

    def test_faults_of_requests_are_counted_exactly(self):
        for ping, there, back in self.on_each({"both": "delay=5ms", "there": f"drop=500 {self.ALL}"}, *self.PROBES):
            self.assertEqual(back["seen"], 500 - there["lost"] + there["duplicated"])
            self.compare(ping, there, there["lost"])

    def test_faults_that_meet_one_another_are_counted_exactly(self):
        faults = "delay=4ms jitter=4ms loss=10% duplicate=20% reorder=20% mangle=20% seed=2"
        for ping, there, back in self.on_each({"there": "drop=300", "back": faults}, "-c", "300", "-i", "1ms", "-W",
                "200ms"):
            self.compare(ping, back, there["lost"] + back["lost"], sent=300)

    def test_a_reply_with_a_bad_checksum_is_no_answer(self):
        # The kernel keeps such a thing from all sockets but the raw one of IPv4, which can also say why there was none.
        for ping, there, back in self.on_each({"both": "corrupt=3%"}, "-c", "300", "-i", "2ms", "-W", "200ms"):
            self.assertGreater(min(there["corrupted"], back["corrupted"]), 2)
            self.assertEqual((ping["sent"], ping["lost"]), (300, there["corrupted"] + back["corrupted"]), ping)
            told = ping["method"] == "icmp-raw" and ping["address"] == FOUR
            self.assertEqual(ping["corrupt"], back["corrupted"] if told else 0, ping)

    def test_a_seal_alone_is_enough_to_notice(self):
        probes = "-c", "100", "-i", "2ms", "-W", "200ms", "-s", "8"
        for ping, there, back in self.on_each({"back": "mangle=10%"}, *probes):
            self.assertGreater(back["mangled"], 2)
            self.assertEqual((ping["corrupt"], ping["lost"]), (back["mangled"], back["mangled"]), ping)


class Losses(PingWire):
    def test_5_percent_loss_lie_in_the_interval_for_nine_seeds_of_ten(self):
        inside = []
        for seed in range(1, 11):
            # 1 - 0.98 * (1 - 0.030612) = 0.05
            rules = {"both": f"seed={seed} delay=2ms", "there": "loss=2%", "back": "loss=3.0612%"}
            for ping, there, back in self.on_each(rules, "-c", "1000", "-i", "1ms", "-W", "200ms",
                    ways=[WAYS[seed % len(WAYS)]]):
                self.assertEqual((ping["sent"], ping["lost"]), (1000, there["lost"] + back["lost"]), ping)
                self.assertAlmostEqual(ping["loss_ratio"], ping["lost"] / 1000, delta=1e-6)
                inside.append(ping["loss_ratio_low"] <= 0.05 <= ping["loss_ratio_high"])
        self.assertEqual(len(inside), 10)
        self.assertGreaterEqual(sum(inside), 9, inside)

    def test_the_same_seed_loses_the_same_probes(self):
        def outcomes(seed):
            self.wire.rules(f"loss=10% seed={seed}")
            return self.outcomes("raw", FOUR, "-c", "200", "-i", "1ms", "-W", "100ms")

        first = outcomes(1)
        self.assertEqual(first, outcomes(1))
        self.assertNotEqual(first, outcomes(2))

    def test_three_in_a_row_are_just_these_three(self):
        for kind, target in WAYS:
            for rules in {"there": "drop=3,4,5"}, {"back": "drop=3,4,5"}:
                self.wire.rules(**rules)
                self.assertEqual(self.outcomes(kind, target, "-c", "8", "-i", "5ms", "-W", "100ms"),
                    {seq: "lost" if seq in (3, 4, 5) else "reply" for seq in range(1, 9)}, (kind, target, rules))

    def test_runs_of_losses_have_their_length(self):
        for ping, there, back in self.on_each({"there": "drop=3,4,5,8,11,12"}, "-c", "14", "-i", "5ms", "-W", "100ms"):
            self.assertEqual((ping["lost"], ping["loss_runs"], ping["loss_run_max"]), (6, 3, 3), ping)


class Late(PingWire):
    def test_a_late_reply_is_late_and_no_longer_lost(self):
        # A reply that is held back waits 120 ms for the one that passes it, and patience ends after 60. All others are
        # there at once; the last probe is lost.
        rules = {"there": "drop=12", "back": "reorder=30% seed=1"}
        for ping, there, back in self.on_each(rules, "-c", "12", "-i", "120ms", "-W", "60ms"):
            self.assertGreater(back["reordered"], 2)
            self.assertEqual([ping[k] for k in ("received", "late", "lost", "in_flight", "duplicates", "reordered")],
                [11 - back["reordered"], back["reordered"], 1, 0, 0, 0], ping)

    def test_a_wire_longer_than_our_patience_is_late_in_all_it_brings(self):
        probes = "-c", "10", "-i", "40ms", "-W", "100ms"
        for ping, there, back in self.on_each({"back": "delay=300ms"}, *probes, code=1):
            self.assertEqual((ping["received"], ping["late"] + ping["lost"], ping["rtt_p50_ms"]), (0, 10, None), ping)
            self.assertGreater(ping["late"], 2, ping)


if __name__ == "__main__":
    unittest.main()
