# SPDX-License-Identifier: MIT
"""sonde trace on a terminal: the table while it runs, and the result as it is printed elsewhere in its place."""

import os
import re
import signal
import socket
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from program import Serve, run
from screen import Terminal

FAST = ("-n", "-i", "50ms", "-W", "500ms")
ENDLESS = (*FAST, "-c", "100000")


def picture(lines):
    """Figures as zeros, bars as the lowest one."""
    return [line if "last ms" in line else re.sub("[▁-█]", "▁", re.sub(r"\d", "0", line)) for line in lines]


class TraceLive(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve(addresses=("127.0.0.1", "127.0.0.2"))
        cls.addClassCleanup(cls.serve.stop)
        cls.one = f"tcp://127.0.0.1:{cls.serve.port}"
        cls.two = f"tcp://127.0.0.2:{cls.serve.port}"

    def terminal(self, *args, **how):
        t = Terminal("trace", *args, **how)
        self.addCleanup(t.__exit__)
        return t

    def endless(self, *targets, hops=1, **how):
        t = self.terminal(*ENDLESS, *(targets or [self.one]), **how)
        t.until(rf"{hops} hops?, [3-9]\d* sent")
        return t

    def assert_result_alone(self, t, targets=1):
        """The terminal is as it was, and nothing is left of the table."""
        self.assertEqual(t.mode(), t.before, t)
        self.assertTrue(t.screen.cursor and t.screen.wraps, t)
        self.assertNotRegex(t.screen.text, r"last ms|q to quit|\d hops?, \d+ sent", t)
        self.assertEqual(len(re.findall(r"(?m)^ hop   loss   sent       min       p50    max ms  address$", t.screen.text)),
            targets, t)
        self.assertEqual(t.screen.text.count("reached in 1 hop\n"), targets, t)


class Pictures(TraceLive):
    def lines(self, t):
        """The last whole frame, below what stood there before."""
        text = t.until(lambda s: re.search(r"(?s)^(.*q to quit)\n$", s.text) and s.text)
        return picture(text.splitlines())

    def test_80_columns(self):
        t = self.endless()
        n = "0" * len(str(self.serve.port))
        head = "hop             sent    loss last ms    p50    p99 jitter"
        bars = 79 - len(head) - 2
        top, names, row, sums = self.lines(t)
        self.assertEqual(top, f"trace to tcp://000.0.0.0:{n} (000.0.0.0), 00 hops at most, tcp", t)
        self.assertEqual(names, head + "recent".rjust(79 - len(head)), t)
        self.assertRegex(row, rf"^ 0  000\.0\.0\.0 +0+      0%   0\.000  0\.000  0\.000  0\.000  [ ▁]{{{bars}}}$", t)
        self.assertEqual(len(row), 79, t)
        self.assertRegex(sums, r"^0 hop, 0+ sent, 0 lost, 0 s  q to quit$", t)

    def test_132_columns(self):
        t = self.endless(columns=132, rows=43)
        names, row, _ = self.lines(t)[-3:]
        head = "hop             sent    loss last ms    p50    p99  worst jitter"
        self.assertEqual(names, head + "recent".rjust(49), t)
        self.assertRegex(row, r"^ 0  000\.0\.0\.0 +0+      0%   0\.000  0\.000  0\.000  0\.000  0\.000  [ ▁]{47}$", t)

    def test_132_columns_and_two_targets(self):
        t = self.endless(self.one, self.two, hops=2, columns=132, rows=43)
        target = self.one[:21]
        names, first, second, sums = self.lines(t)
        wide = len(target) + len("  1  127.0.0.1")
        head = "target".ljust(wide) + "   sent    loss last ms    p50    p99  worst jitter"
        self.assertRegex(names, "^" + re.escape(head) + " +recent$", t)
        label = re.sub(r"\d", "0", target) + "  0  000.0.0.0"
        for row in (first, second):
            self.assertRegex(row, "^" + re.escape(label) + r" +0+      0%   0\.000  0\.000  0\.000  0\.000  0\.000  [ ▁]+$", t)
        self.assertRegex(sums, r"^0 hops, 0+ sent, 0 lost, 0 s  q to quit$", t)

    def test_40_columns(self):
        t = self.endless(columns=40)
        names, row, _ = self.lines(t)[-3:]
        self.assertRegex(names, r"^hop +sent    loss last ms$", t)
        self.assertRegex(row, r"^ 0  000\.0\.0\.0 +0+      0%   0\.000$", t)

    def test_silence_is_a_star_and_the_end_of_the_path_is_counted(self):
        with socket.socket() as full, socket.socket() as one, socket.socket() as two:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for s in (one, two):  # the queue of one, and one more
                s.setblocking(False)
                s.connect_ex(full.getsockname())
            t = self.terminal("-n", "-i", "50ms", "-W", "50ms", "-m", "2", "-c", "100000",
                f"tcp://127.0.0.1:{full.getsockname()[1]}")
            t.until("1 hop, 1 silent, .* q to quit")
            row, _ = self.lines(t)[-2:]
            self.assertRegex(row, r"^ 0  \* +0+    000%    lost  no answer$", t)
            self.assertIn(("red", True), t.screen.styles, t)
            t.press("q")
            self.assertEqual(t.wait(), "exit 1", t)
            self.assertRegex(t.screen.text, r"not reached: no answer from hops? 1", t)

    def test_no_colours_where_nobody_wants_them(self):
        for more, env in (((), {"NO_COLOR": "1"}), (("--no-color",), {})):
            t = self.terminal(*FAST, "-c", "5", *more, self.one, env=env)
            self.assertEqual(t.wait(), "exit 0", t)
            self.assertNotRegex(t.bytes.decode(), "\x1b\\[[0-9;]*m", t)
        t = self.terminal(*FAST, "-c", "5", self.one)
        t.wait()
        self.assertIn(("bold", True), t.screen.styles, t)

    def test_a_locale_without_utf_8_gets_ascii(self):
        t = self.terminal(*FAST, "-c", "5", self.one, env={"LC_ALL": "C"})
        t.wait()
        self.assertTrue(t.bytes.isascii(), t)


class Plain(TraceLive):
    def test_a_dumb_terminal_sees_the_result_alone(self):
        t = self.terminal(*FAST, "-c", "2", self.one, env={"TERM": "dumb"})
        self.assertEqual(t.wait(), "exit 0", t)
        self.assertNotIn(b"\x1b", t.bytes, t)
        self.assert_result_alone(t)

    def test_quiet_verbose_and_other_formats_draw_no_table(self):
        for more in (("-q",), ("-v",), ("-f", "csv"), ("-f", "ndjson"), ("-f", "json"), ("-f", "prom")):
            t = self.terminal(*FAST, "-c", "2", *more, self.one)
            self.assertEqual(t.wait(), "exit 0", t)
            self.assertNotIn(b"last ms", t.bytes, t)

    def test_the_screen_ends_with_what_a_pipe_gets(self):
        for targets in ((self.one,), (self.one, self.two)):
            t = self.terminal(*FAST, "-c", "3", *targets)
            self.assertEqual(t.wait(), "exit 0", t)
            piped = run("trace", *FAST, "-c", "3", *targets)
            self.assertEqual(picture(t.screen.text.splitlines()), picture(piped.out.splitlines()), t)


class Ends(TraceLive):
    def test_q_ends_it_with_the_result(self):
        t = self.endless()
        t.press("xyz\nq")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assert_result_alone(t)
        self.assertNotRegex(t.bytes, b"xyz", t)

    def test_control_c_does_too(self):
        t = self.endless(self.one, self.two, hops=2)
        t.press("\x03")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assert_result_alone(t, 2)
        self.assertNotIn("^C", t.screen.text)

    def test_a_signal_that_kills_leaves_the_terminal_as_it_was(self):
        t = self.endless()
        self.assertNotEqual(t.mode(), t.before, t)
        t.kill(signal.SIGHUP)
        self.assertEqual(t.wait(), f"signal {int(signal.SIGHUP)}", t)
        self.assertEqual(t.mode(), t.before, t)
        self.assertTrue(t.screen.cursor, t)


class Goes(TraceLive):
    def test_control_z_leaves_the_terminal_as_it_was_and_fg_draws_below(self):
        t = self.endless()
        t.press("\x1a")
        self.assertEqual(t.wait(), f"stop {int(signal.SIGTSTP)}", t)
        self.assertEqual(t.mode(), t.before, t)
        self.assertTrue(t.screen.cursor, t)
        t.order("take")
        frames = t.screen.frames
        t.order("give")
        t.order("continue")
        t.until(lambda s: s.frames > frames + 2)
        t.press("q")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assertEqual(t.mode(), t.before, t)
        self.assertTrue(t.screen.text.endswith("reached in 1 hop\n"), t)

    def test_an_end_in_the_background_wipes_nothing_of_others(self):
        t = self.terminal(*FAST, "-c", "5", self.one, foreground=False, above=b"$ sonde &\r\n$ somebody's\r\n")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assertTrue(t.screen.text.startswith("$ sonde &\n$ somebody's\n"), t)
        self.assert_result_alone(t)

    def test_sent_to_the_background_it_wipes_nothing_of_others_either(self):
        t = self.terminal(*FAST, "-c", "40", self.one)
        t.until(r"1 hop, [3-9]\d* sent")
        t.press("\x1a")
        t.wait()
        t.order("take")
        os.write(t.slave, b"[1]+ Stopped\r\n$ bg\r\n$ typed\r\n")
        t.drain()
        t.order("continue")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assertRegex(t.screen.text, r"(?s)sent, 0 lost, \d s  q to quit\n\[1\]\+ Stopped\n\$ bg\n\$ typed\n hop .*reached in 1 hop\n$", t)

    def test_another_size_shows_one_table_that_fits(self):
        t = self.endless(columns=132, rows=43)
        for columns, rows in ((40, 20), (100, 30)):
            frames = t.screen.frames
            t.resize(columns, rows)
            t.until(lambda s: s.frames > frames + 2)
            t.drain(0.1)
            self.assertEqual(len(re.findall(r"(?m)^hop ", t.screen.text)), 1, t)
            self.assertLess(max(map(len, t.screen.lines)), columns, t)
        t.press("q")
        self.assertEqual(t.wait(), "exit 0", t)

    def test_a_report_stands_above_a_new_table(self):
        t = self.endless(rows=50)
        frames = t.screen.frames
        t.press("\x1c")
        t.until("reached in 1 hop\n")
        t.until(lambda s: s.frames > frames + 2)
        self.assertEqual(len(re.findall(r"(?m)^hop ", t.screen.text)), 2, t)
        t.press("q")
        self.assertEqual(t.wait(), "exit 0", t)

    def test_keys_come_from_the_terminal_where_standard_input_is_none(self):
        with open("/dev/null", "rb") as nothing:
            t = self.endless(stdin=nothing)
            t.press("q")
            self.assertEqual(t.wait(), "exit 0", t)


if __name__ == "__main__":
    unittest.main()
