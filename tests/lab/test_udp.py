# SPDX-License-Identifier: MIT
"""Our own reflector behind a wire that counts: what it did on which way is what a ping by UDP reports, and to whom."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from net import PublicBinary, as_user
from wire import WireLab

FOUR, SIX = "10.76.0.2", "[fd76::2]"


class UdpWire(WireLab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.serve().port

    def ping(self, host, *args, code=0, **how):
        r = self.sonde("ping", "-f", "json", *args, f"udp://{host}:{self.port}", **how)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r.json["targets"][0]

    def on_both(self, rules, *args):
        for host in FOUR, SIX:
            self.wire.rules(**rules)
            ping = self.ping(host, *args)
            counts = self.wire.counts()
            there, back = counts["there"], counts["back"]
            self.assertEqual((there["seen"], ping["method"]), (ping["sent"], "udp"), (counts, ping))
            for way in there, back:
                self.assertEqual((way["overflowed"], way["refused"]), (0, 0), counts)
            yield ping, there, back


class Losses(UdpWire):
    # The last probe is never lost: each loss before it can be told.
    PROBES = "-c", "1000", "-i", "2ms", "-W", "200ms"

    def compare(self, ping, there, back):
        self.assertEqual([ping[k] for k in ("sent", "lost", "there_lost", "back_lost")],
            [1000, there["lost"] + back["lost"], there["lost"], back["lost"]], ping)
        self.assertAlmostEqual(ping["there_loss_ratio"], there["lost"] / 1000, delta=1e-6)
        self.assertAlmostEqual(ping["back_loss_ratio"], back["lost"] / (1000 - there["lost"]), delta=1e-6)

    def test_5_percent_there_are_there(self):
        for ping, there, back in self.on_both({"both": "delay=3ms", "there": "loss=5% seed=2"}, *self.PROBES):
            self.compare(ping, there, back)
            self.assertTrue(30 < there["lost"] < 70 and back["lost"] == 0, there)

    def test_5_percent_back_are_back(self):
        for ping, there, back in self.on_both({"both": "delay=3ms", "back": "loss=5% seed=2"}, *self.PROBES):
            self.compare(ping, there, back)
            self.assertTrue(30 < back["lost"] < 70 and there["lost"] == 0, back)

    def test_both_at_once_are_told_apart(self):
        rules = {"both": "delay=3ms", "there": "loss=2% seed=2", "back": "loss=10% seed=6"}
        for ping, there, back in self.on_both(rules, *self.PROBES):
            self.compare(ping, there, back)
            self.assertTrue(5 < there["lost"] < 40 and 60 < back["lost"] < 140, (there, back))

    def test_the_same_without_any_privilege(self):
        with PublicBinary():
            self.wire.rules("delay=3ms", there="loss=5% seed=2", back="loss=3% seed=2")
            ping = self.ping(FOUR, *self.PROBES, after=as_user())
        counts = self.wire.counts()
        self.compare(ping, counts["there"], counts["back"])
        self.assertEqual((ping["stamps"], ping["method_reason"]), ("kernel-txrx", ""), ping)

    def test_copies_and_what_is_overtaken_are_not_lost(self):
        for way in "there", "back":
            rules = {"both": "delay=3ms", way: "duplicate=5% reorder=5% seed=3"}
            for ping, there, back in self.on_both(rules, "-c", "500", "-i", "2ms", "-W", "500ms"):
                counts = {"there": there, "back": back}[way]
                self.assertGreater(min(counts["duplicated"], counts["reordered"]), 5)
                self.assertEqual([ping[k] for k in ("received", "lost", "there_lost", "back_lost", "duplicates")],
                    [500, 0, 0, 0, counts["duplicated"]], ping)


class Queues(UdpWire):
    def test_20_ms_are_20_ms_and_no_queue(self):
        for tries_left in (1, 0):
            good = []
            for ping, *_ in self.on_both({"both": "delay=10ms"}, "-c", "100", "-i", "5ms"):
                self.assertGreaterEqual(ping["rtt_min_ms"], 20, ping)
                good.append(abs(ping["rtt_p50_ms"] - 20) < 0.3 and ping["there_queue_p50_ms"] < 0.2 and
                    ping["back_queue_p50_ms"] < 0.2)
            if all(good):
                return
            self.assertTrue(tries_left, ping)

    def test_jitter_stays_on_its_way(self):
        for way, other in ("there", "back"), ("back", "there"):
            # Up to 8 ms more, evenly: the median is 4.
            for ping, *_ in self.on_both({"both": "delay=5ms", way: "jitter=8ms"}, "-c", "400", "-i", "2ms"):
                self.assertAlmostEqual(ping[f"{way}_queue_p50_ms"], 4, delta=1, msg=ping)
                self.assertAlmostEqual(ping[f"{way}_queue_p99_ms"], 7.9, delta=1, msg=ping)
                self.assertLess(ping[f"{other}_queue_p50_ms"], 1, ping)

    def test_a_bottleneck_is_a_queue_on_its_way(self):
        # 72 bytes take 5.76 ms at 100 kbit/s and come every 2 ms: soon each waits for nine others and for itself.
        for way, other in ("there", "back"), ("back", "there"):
            self.wire.rules(**{way: "rate=100k queue=10"})
            ping = self.ping(FOUR, "-c", "300", "-i", "2ms", "-W", "500ms")
            counts = self.wire.counts()[way]
            self.assertEqual(ping["lost"], counts["overflowed"])
            self.assertGreater(ping["lost"], 100)
            self.assertLessEqual(ping["lost"] - ping[f"{way}_lost"], 10, "the last ones cannot be told")
            self.assertEqual(ping[f"{other}_lost"], 0, ping)
            self.assertTrue(44 < ping[f"{way}_queue_p50_ms"] < 56, ping)
            self.assertLess(ping[f"{other}_queue_p50_ms"], 1, ping)


class Closed(UdpWire):
    def test_where_nobody_reflects_it_says_so_over_both_families(self):
        self.wire.rules()
        for host in FOUR, SIX:
            r = self.sonde("ping", "-c", "3", "-i", "5ms", f"udp://{host}:9")
            self.assertEqual(r.code, 1, r)
            self.assertIn("\n3 x nobody reflects UDP there; start one: sonde serve, from ", r.out)

    def test_without_a_port_it_is_that_of_sonde_serve(self):
        other = self.serve("-p", "8080") if self.port != 8080 else None
        self.wire.rules()
        for host in FOUR, SIX:
            r = self.sonde("ping", "-f", "json", "-c", "3", "-i", "5ms", f"udp://{host}")
            self.assertEqual((r.code, r.json["targets"][0]["there_lost"]), (0, 0), (r, other))


if __name__ == "__main__":
    unittest.main()
