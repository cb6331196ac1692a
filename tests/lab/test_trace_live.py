# SPDX-License-Identifier: MIT
"""The table of sonde trace over a chain of routers, one of which says nothing."""

import re
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import test_trace
from net import needs
from screen import Terminal

FAST = ("-n", "-i", "200ms", "-W", "400ms", "-c", "100000")


def picture(lines):
    return [line if "last ms" in line else re.sub("[▁-█]", "▁", re.sub(r"\d", "0", line)) for line in lines]


@needs("nft")
class Table(test_trace.Chain):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nodes[2].do("nft", "add table inet mute; add chain inet mute out { type filter hook output priority 0; }; "
            "add rule inet mute out icmp type time-exceeded drop")

    def table(self, *targets, sums, **how):
        """The screen once its last line is so, and whole."""
        t = Terminal("trace", *FAST, *targets, inside=self.near.inside, **how)
        self.addCleanup(t.__exit__)
        t.until(rf"(?m)^{sums}.*q to quit$")
        return t, picture(t.until(lambda s: re.search(r"(?s)q to quit\n$", s.text) and s.text).splitlines())

    def test_80_columns(self):
        t, lines = self.table(self.v4[3], sums=r"4 hops, [3-9]\d sent, [2-9]")
        figures = r" +0+      0%   0\.000  0\.000  0\.000  0\.000  [ ▁]+$"
        self.assertEqual(lines[0], "trace to 00.00.0.0 (00.00.0.0), 00 hops at most, icmp-raw", t)
        self.assertEqual(lines[1], "hop             sent    loss last ms    p50    p99 jitter" + "recent".rjust(22), t)
        for i in (2, 4, 5):
            self.assertRegex(lines[i], r"^ 0  00\.00\.0\.0" + figures, t)
        self.assertRegex(lines[3], r"^ 0  \* +0+    000%    lost  no answer$", t)
        self.assertRegex(lines[6], r"^0 hops, 0+ sent, 0+ lost, 0 s  q to quit$", t)
        self.assertNotIn(("red", True), t.screen.styles, t)  # a router may say nothing
        t.press("q")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assertEqual(re.sub(r"\d+\.\d{3}", "0", t.screen.text).split("address\n")[1].split("\n")[1].split(),
            ["2", "100%", re.search(r"2 +100% +(\d+)", t.screen.text)[1], "-", "-", "-", "*"], t)
        self.assertTrue(t.screen.text.endswith("reached in 4 hops\n"), t)

    def test_132_columns_and_one_that_is_not_there(self):
        t, lines = self.table(self.v4[3], "10.80.1.2", "10.80.9.9", sums="7 hops, 1 silent, [4-9]", columns=132)
        labels = [line.split()[:3] for line in lines[1:8]]
        self.assertEqual(labels, [re.sub(r"\d", "0", s).split() for s in ("10.80.3.2 1 10.80.0.2", "10.80.3.2 2 *",
            "10.80.3.2 3 10.80.2.2", "10.80.3.2 4 10.80.3.2", "10.80.1.2 1 10.80.0.2", "10.80.1.2 2 10.80.1.2",
            "10.80.9.9 1 *")], t)
        self.assertIn("  no answer", lines[7], t)
        self.assertRegex(lines[8], r"^0 hops, 0 silent, 0+ sent, 0+ lost, 0 s  q to quit$", t)
        self.assertLess(max(map(len, lines)), 132, t)
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)

    def test_with_fewer_lines_the_targets_are_seen(self):
        t, lines = self.table(self.v4[3], "10.80.1.2", "10.80.9.9", sums="7 hops, 1 silent, [4-9]", rows=8)
        self.assertEqual([line.split()[2] for line in lines[1:5]],
            [re.sub(r"\d", "0", s) for s in ("10.80.0.2", "10.80.3.2", "10.80.1.2", "*")], t)
        self.assertRegex(lines[5], r"^… and 0 more without loss$", t)


if __name__ == "__main__":
    unittest.main()
