# SPDX-License-Identifier: MIT
"""How the load is driven: limits in bytes, both directions at once, congestion control, what is said about it."""

import json
import signal
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from formats import FLOW_KEYS, PING_KEYS
from program import PATIENCE, Serve, run, start

QUICK = ("--time", "600ms", "-c", "3")


def setUpModule():
    Loaded.serve = Serve()
    unittest.addModuleCleanup(Loaded.serve.stop)


class Loaded(unittest.TestCase):
    def doc(self, *args, code=0):
        r = run("check", *QUICK, "-f", "json", *args, self.serve.target)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r.json

    def text(self, *args):
        r = run("check", *QUICK, *args, self.serve.target)
        self.assertEqual((r.code, r.err), (0, ""), r)
        return r.out


class Bytes(Loaded):
    """A limit in bytes is kept, and the result says how sure it is."""

    def test_no_more_is_moved_in_either_direction_and_both_ends_agree(self):
        for size in (16384, 65536, 1000000):
            with self.subTest(size=size):
                d = self.doc("--bytes", str(size))
                self.assertEqual(d["download"]["transferred_bytes"], size)
                self.assertEqual(d["upload"]["transferred_bytes"], size)
                self.assertEqual(d["upload"]["peer_bytes"], size)
                self.assertEqual(d["upload"]["counted_by"], "receiver")

    def test_several_connections_share_it(self):
        d = self.doc("--bytes", "999983", "--connections", "7")
        for way in ("download", "upload"):
            self.assertEqual(d[way]["transferred_bytes"], 999983)

    def test_what_was_over_in_a_moment_deserves_little_confidence_and_no_grade(self):
        d = self.doc("--bytes", "64K")
        for way in ("download", "upload"):
            self.assertEqual((d[way]["stable"], d[way]["confidence"], d[way]["limited_by"]), (False, "low", "size"))
        self.assertIsNone(d["bufferbloat"]["grade"])
        self.assertIn("more than a guess", self.text("--bytes", "64K"))

    def test_one_that_is_never_reached_changes_nothing(self):
        self.assertNotEqual(self.doc("--bytes", "1TB", "--only", "download")["download"]["limited_by"], "size")


class Both(Loaded):
    """Both directions at once stand beside each of them alone."""

    def test_without_the_option_there_is_none(self):
        d = self.doc("--only", "download")
        self.assertIsNone(d["both"])
        self.assertIsNone(d["loaded"]["both"])

    def test_the_document_has_two_flows_and_what_was_beside_them(self):
        d = self.doc("--both")
        for way in ("download", "upload"):
            self.assertLessEqual(FLOW_KEYS, set(d["both"][way]))
            self.assertEqual(d["both"][way]["status"], "ok")
            self.assertGreater(d["both"][way]["bits_per_second"], 0)
            self.assertEqual(d[way]["status"], "ok")
        self.assertLessEqual(PING_KEYS, set(d["loaded"]["both"]))

    def test_it_may_be_all_that_is_done(self):
        d = self.doc("--only", "both")
        self.assertEqual((d["download"]["status"], d["upload"]["status"], d["ping"]), ("skipped", "skipped", None))
        self.assertEqual(d["both"]["upload"]["status"], "ok")

    def test_people_read_both_lines(self):
        out = self.text("--only", "both")
        self.assertRegex(out, r"(?m)^  both: down .*bit/s")
        self.assertRegex(out, r"(?m)^  both: up .*bit/s")

    def test_a_limit_in_bytes_is_kept_by_each(self):
        d = self.doc("--only", "both", "--bytes", "1M")
        self.assertEqual([d["both"][w]["transferred_bytes"] for w in ("download", "upload")], [1000000] * 2)


class Congestion(Loaded):
    """What sends is named, and may be chosen."""

    def test_one_that_there_is_not_is_refused_with_what_to_do(self):
        r = run("check", "--congestion", "warp", self.serve.target)
        self.assertEqual(r.code, 2)
        self.assertIn("cannot use congestion control 'warp'", r.err)
        self.assertIn("try: sysctl", r.err)

    def test_the_one_asked_for_sends_in_both_directions(self):
        d = self.doc("--congestion", "reno")
        self.assertEqual([d[w]["congestion_control"] for w in ("download", "upload")], ["reno", "reno"])

    def test_the_one_in_use_is_told_for_both_directions(self):
        d = self.doc()
        for way in ("download", "upload"):
            self.assertRegex(d[way]["congestion_control"], r"^[a-z0-9_-]+$")


class HeldUp(Loaded):
    def test_who_was_stopped_for_longer_than_its_patience_does_not_blame_the_server(self):
        with start("check", "--only", "download", "--connections", "8", "--time", "3s", "-W", "1s", "-f", "json",
            self.serve.target) as p:
            time.sleep(1)
            p.send_signal(signal.SIGSTOP)
            time.sleep(1.2)
            p.send_signal(signal.SIGCONT)
            out, err = p.communicate(timeout=PATIENCE)
        self.assertEqual((p.returncode, err), (0, b""), out)
        self.assertEqual(json.loads(out)["download"]["status"], "ok")


class Answers(Loaded):
    """Responsiveness comes from probes of its own."""

    def test_it_is_told_for_each_load_with_what_stands_behind_it(self):
        d = self.doc("--time", "1200ms")
        r = d["responsiveness"]
        for way in ("download", "upload"):
            self.assertGreater(r[way]["probes"], 4)
            self.assertEqual(r[way]["failed"], 0)
            foreign = 60000 / ((r[way]["connect_ms"] + r[way]["answer_ms"]) / 2)
            want = (foreign + 60000 / r[way]["loaded_ms"]) / 2 if r[way]["loaded_ms"] else foreign
            self.assertAlmostEqual(r[way]["rpm"], want, delta=want / 50)
        self.assertEqual(r["rpm"], min(r["download"]["rpm"], r["upload"]["rpm"]))
        self.assertIn(r["rating"], ("poor", "fair", "good", "excellent"))
        self.assertIn(d["bufferbloat"]["grade"], ("A+", "A", "B", "C", "D", "F"))

    def test_an_expectation_may_bound_it(self):
        self.assertTrue(self.doc("--time", "1200ms", "--expect", "rpm>=1")["expect"][0]["met"])
        self.assertEqual(run("check", *QUICK, "--time", "1200ms", "--expect", "rpm>=999999999", self.serve.target).code, 4)


class Bounds(unittest.TestCase):
    """What makes no sense is refused in words."""

    def test_each_number_has_its_bounds(self):
        for args, words in ((("--bytes", "0"), "--bytes '0' is too small"),
                            (("--connections", "10000"), "--connections '10000' is too large (1 to 16)"),
                            (("--connections", "0"), "--connections '0' is too small"),
                            (("--time", "0"), "--time '0' is too small (100 ms"),
                            (("--time", "-1s"), "--time"), (("--bytes", "1Q"), "--bytes")):
            with self.subTest(args=args):
                r = run("check", *args, "127.0.0.1:1")
                self.assertEqual((r.code, r.out), (2, ""))
                self.assertIn(words, r.err)


if __name__ == "__main__":
    unittest.main()
