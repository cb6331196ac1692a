# SPDX-License-Identifier: MIT
"""Several targets on a terminal: the table that redraws itself, the keys, and the terminal as it was before."""

import os
import re
import signal
import sys
import termios
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from program import Serve, run
from screen import Terminal

# Two that answer, one that refuses. `names` are as long as those of the pictures below.
FAST = ("-i", "50ms", "-W", "500ms")


def picture(lines):
    """What does not depend on how fast this machine is: figures as zeros, bars as the lowest one."""
    return [line if line.startswith("target") else re.sub("[▁-█]", "▁", re.sub(r"\d", "0", line)) for line in lines]


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve(addresses=("127.0.0.1", "127.0.0.2"))
        cls.addClassCleanup(cls.serve.stop)
        port = cls.serve.port
        cls.good = [f"tcp://127.0.0.{i}:{port}" for i in (1, 2)]
        cls.bad = "tcp://127.0.0.3:1"
        cls.targets = [cls.good[0], cls.bad, cls.good[1]]

    def terminal(self, *args, **how):
        t = Terminal("ping", *args, **how)
        self.addCleanup(t.__exit__)
        return t

    def endless(self, *more, **how):
        t = self.terminal(*FAST, *more, *self.targets, **how)
        t.until(r"3 targets, 1 silent, [1-9]\d* sent")
        return t

    def assert_left_well(self, t):
        self.assertEqual(t.mode(), t.before, t)
        self.assertTrue(t.screen.cursor and t.screen.wraps, t)

    def assert_one_table(self, t, screen=None):
        text = (screen or t.screen).text
        self.assertEqual(len(re.findall(r"^target ", text, re.M)), 1, t)
        self.assertEqual(len(re.findall(r"^\d+ targets, ", text, re.M)), 1, t)
        for target in self.targets:
            self.assertEqual(text.count(target), 1, t)


class Ends(Live):
    def test_q_ends_it_and_the_last_table_stays(self):
        t = self.endless()
        self.assertRegex(t.screen.text, "q to quit$")
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)  # one target did not answer
        self.assert_left_well(t)
        self.assert_one_table(t)
        self.assertRegex(t.screen.text, r"(?m)^3 targets, 1 silent, \d+ sent, \d+ lost, \d+ s$", t)

    def test_where_all_answer_the_exit_code_is_0(self):
        t = self.terminal(*FAST, *self.good)
        t.until(r"2 targets, [3-9]\d* sent, 0 lost")
        t.press("q")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assert_left_well(t)

    def test_control_c_ends_it_in_the_same_way(self):
        t = self.terminal(*FAST, *self.good)
        t.until(r"2 targets, [3-9]\d* sent, 0 lost")
        t.press("\x03")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assert_left_well(t)
        self.assertRegex(t.screen.text, r"(?m)^2 targets, \d+ sent, 0 lost, \d+ s$", t)
        self.assertNotIn("^C", t.screen.text)

    def test_sigterm_does_too(self):
        t = self.endless()
        t.kill(signal.SIGTERM)
        self.assertEqual(t.wait(), "exit 1", t)
        self.assert_left_well(t)

    def test_the_count_ends_it(self):
        t = self.terminal(*FAST, "-c", "3", *self.targets)
        self.assertEqual(t.wait(), "exit 1", t)
        self.assert_left_well(t)
        self.assertRegex(t.screen.text, r"(?m)^3 targets, 1 silent, 9 sent, 3 lost, \d+ s$", t)

    def test_other_keys_are_neither_shown_nor_obeyed(self):
        t = self.endless()
        t.press("xyz\n\x1b[A\x04 Z")
        sent = int(t.until(r"(\d+) sent")[1])
        t.until(lambda s: int(re.search(r"(\d+) sent", s.text)[1]) > sent + 6 if "sent" in s.text else False)
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)
        self.assert_one_table(t)
        self.assertNotRegex(t.bytes, b"xyz|Z", t)

    def test_a_signal_that_kills_leaves_the_terminal_as_it_was(self):
        for sig in (signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT):
            t = self.endless()
            self.assertNotEqual(t.mode(), t.before, t)
            t.kill(sig)
            said = t.wait()
            if sig == signal.SIGHUP or "Sanitizer" not in t.screen.text:
                self.assertEqual(said, f"signal {int(sig)}", t)
                self.assert_left_well(t)


class Stops(Live):
    def stop(self, t, sig=None):
        """As a shell sees it: the job is stopped, the terminal is taken back and written on."""
        if sig:
            t.kill(sig)
        else:
            t.press("\x1a")
        self.assertEqual(t.wait(), f"stop {int(sig or signal.SIGTSTP)}", t)
        t.order("take")

    def write(self, t, words):
        os.write(t.slave, words.encode())
        t.drain()

    def go_on(self, t):
        t.order("give")
        t.order("continue")

    def test_control_z_leaves_the_terminal_as_it_was_and_fg_draws_below(self):
        t = self.endless()
        self.stop(t)
        self.assert_left_well(t)
        self.assert_one_table(t)
        self.write(t, "[1]+  Stopped\r\n$ fg\r\nsonde\r\n")
        above = t.screen.lines[:]
        frames = t.screen.frames
        self.go_on(t)
        t.until(lambda s: s.frames > frames + 2)
        self.assertNotEqual(t.mode(), t.before, t)
        self.assertFalse(t.screen.cursor, t)
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)
        self.assert_left_well(t)
        all_lines = ["".join(line).rstrip() for line in t.screen.gone] + t.screen.lines
        self.assertEqual(all_lines[:len(above) - 1], above[:-1], t)
        self.assertEqual(sum(line.startswith("target ") for line in all_lines), 2, t)

    def test_control_z_twice(self):
        t = self.endless()
        for _ in range(2):
            frames = t.screen.frames
            self.stop(t)
            self.assert_left_well(t)
            self.go_on(t)
            t.until(lambda s: s.frames > frames + 1)
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)

    def test_a_stop_that_cannot_be_caught_is_got_over(self):
        t = self.endless()
        self.stop(t, signal.SIGSTOP)
        termios.tcsetattr(t.slave, termios.TCSANOW, t.before)
        frames = t.screen.frames
        self.go_on(t)
        t.until(lambda s: s.frames > frames + 1)
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)
        self.assert_left_well(t)

    def test_what_is_ignored_stays_ignored(self):
        """Without job control nobody could go on with it."""
        t = self.terminal(*FAST, *self.targets, shell=False)
        t.until(r"3 targets, 1 silent, [1-9]\d* sent")
        t.kill(signal.SIGTSTP)  # of an orphaned process group: the kernel does not stop it
        frames = t.screen.frames
        t.until(lambda s: s.frames > frames + 2)
        self.assertNotEqual(t.state(), "T", t)


class Background(Live):
    def test_in_the_background_it_draws_nothing_and_takes_no_keys(self):
        t = self.terminal(*FAST, *self.targets, foreground=False)
        t.drain(0.7)
        self.assertEqual((t.bytes, t.state() != "T", t.mode()), (b"", True, t.before), t)
        t.press("q\n")
        t.drain(0.3)
        self.assertEqual(os.read(t.slave, 10), b"q\n")
        t.order("give")
        t.until(r"3 targets, 1 silent, [1-9]\d* sent")
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)
        self.assertEqual(t.mode(), t.before, t)

    def test_sent_to_the_background_it_stays_out_of_the_way_until_it_comes_back(self):
        t = self.endless()
        t.press("\x1a")
        self.assertEqual(t.wait(), f"stop {int(signal.SIGTSTP)}", t)
        t.order("take")
        t.order("continue")
        t.drain(0.3)
        frames, cpu = t.screen.frames, t.cpu_seconds()
        t.press("typed to the shell q\n")
        t.drain(1)
        self.assertEqual((t.screen.frames, t.state() != "T", t.mode()), (frames, True, t.before), t)
        self.assertLess(t.cpu_seconds() - cpu, 0.5, "what is typed to others wakes it again and again")
        self.assertEqual(os.read(t.slave, 100), b"typed to the shell q\n")
        t.order("give")
        t.until(lambda s: s.frames > frames + 1)
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)
        self.assertEqual(t.mode(), t.before, t)

    def test_an_end_in_the_background_shows_the_result(self):
        t = self.terminal(*FAST, "-c", "3", *self.targets, foreground=False)
        self.assertEqual(t.wait(), "exit 1", t)
        self.assert_one_table(t)
        self.assertRegex(t.screen.text, r"9 sent, 3 lost", t)
        self.assertEqual(t.mode(), t.before, t)


class Input(Live):
    def test_keys_come_from_the_terminal_where_standard_input_is_none(self):
        with open("/dev/null", "rb") as nothing:
            t = self.endless(stdin=nothing)
            self.assertRegex(t.screen.text, "q to quit", t)
            t.press("q")
            self.assertEqual(t.wait(), "exit 1", t)
            self.assert_left_well(t)

    def test_a_list_on_standard_input_leaves_the_keys_alone(self):
        ours, theirs = os.pipe()
        os.write(theirs, "\n".join(self.targets).encode() + b"\n")
        os.close(theirs)
        t = self.terminal(*FAST, "-", stdin=ours)
        os.close(ours)
        t.until(r"3 targets, 1 silent, [1-9]\d* sent")
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)
        self.assert_one_table(t)

    def test_without_any_terminal_to_read_there_is_no_word_of_q(self):
        with open("/dev/null", "rb") as nothing:
            t = self.terminal(*FAST, *self.targets, stdin=nothing, shell=False)
            t.until(r"3 targets, 1 silent, [1-9]\d* sent")
            self.assertNotRegex(t.screen.text, r"\bq\b", t)
            t.kill(signal.SIGINT)
            self.assertEqual(t.wait(), "exit 1", t)
            self.assertTrue(t.screen.cursor, t)


class Pictures(Live):
    def last(self, columns, rows, *more, **how):
        t = self.terminal(*FAST, "-c", "3", *self.targets, *more, columns=columns, rows=rows, **how)
        t.wait()
        self.assertEqual(t.screen.lines[-1], "", t)
        return t, t.screen.lines[:-1]

    def test_80_columns(self):
        n = "0" * len(str(self.serve.port))
        wide = len(self.good[0])
        t, lines = self.last(80, 24)
        bars = " " * (79 - wide - 44 - 2 - 3) + "▁▁▁"
        head = "target".ljust(wide) + "   sent    loss last ms    p50    p99 jitter"
        self.assertEqual(picture(lines), [
            head + "recent".rjust(79 - len(head)),
            f"tcp://000.0.0.0:{n}      0      0%   0.000  0.000  0.000  0.000  {bars}",
            "tcp://000.0.0.0:0".ljust(wide) + "      0    000%    lost  Connection refused",
            f"tcp://000.0.0.0:{n}      0      0%   0.000  0.000  0.000  0.000  {bars}",
            "0 targets, 0 silent, 0 sent, 0 lost, 0 s"], t)

    def test_132_columns(self):
        n = "0" * len(str(self.serve.port))
        wide = len(self.good[0])
        t, lines = self.last(132, 43)
        bars = " " * (131 - wide - 11 - 51 - 2 - 3) + "▁▁▁"
        head = "target".ljust(wide) + "  address     sent    loss last ms    p50    p99  worst jitter"
        self.assertEqual(picture(lines), [
            head + "recent".rjust(131 - len(head)),
            f"tcp://000.0.0.0:{n}  000.0.0.0      0      0%   0.000  0.000  0.000  0.000  0.000  {bars}",
            "tcp://000.0.0.0:0".ljust(wide) + "  000.0.0.0      0    000%    lost  Connection refused",
            f"tcp://000.0.0.0:{n}  000.0.0.0      0      0%   0.000  0.000  0.000  0.000  0.000  {bars}",
            "0 targets, 0 silent, 0 sent, 0 lost, 0 s"], t)

    def test_40_columns(self):
        t, lines = self.last(40, 24)
        self.assertEqual(picture(lines), [
            "target             sent    loss last ms",
            "tcp://000.0.0.0…      0      0%   0.000",
            "tcp://000.0.0.0…      0    000%    lost",
            "tcp://000.0.0.0…      0      0%   0.000",
            "0 targets, 0 silent, 0 sent, 0 lost"], t)

    def test_a_locale_without_utf_8_gets_ascii(self):
        t, lines = self.last(80, 24, env={"LC_ALL": "C"})
        self.assertTrue(t.bytes.isascii(), t)
        self.assertRegex(lines[1], r"  [_.~=+*#-]{3}$", t)

    def test_the_console_of_linux_gets_ascii(self):
        t, _ = self.last(80, 24, env={"TERM": "linux"})
        self.assertTrue(t.bytes.isascii(), t)

    def test_colours_are_few_and_change_no_character(self):
        plain = []
        for more, env in (((), {"NO_COLOR": "1"}), (("--no-color",), {})):
            t, lines = self.last(80, 24, *more, env=env)
            self.assertNotRegex(t.bytes.decode(), "\x1b\\[[0-9;]*m", t)
            plain.append(picture(lines))
        t, lines = self.last(80, 24)
        self.assertEqual([picture(lines)] * 2, plain, t)
        self.assertTrue({("bold", True), ("red", True)} <= t.screen.styles, t)

    def test_a_dumb_terminal_and_a_pipe_get_plain_lines(self):
        t, _ = self.last(80, 24, env={"TERM": "dumb"})
        self.assertNotIn(b"\x1b", t.bytes)
        self.assertRegex(t.screen.text, r"tcp_seq=1\b", t)
        r = run("ping", *FAST, "-c", "2", *self.targets, env={"TERM": "xterm"})
        self.assertNotIn("\x1b", r.out)
        self.assertRegex(r.out, r"tcp_seq=1\b")

    def test_quiet_and_other_formats_draw_no_table(self):
        for more in (("-q",), ("-f", "csv"), ("-f", "ndjson"), ("-f", "json"), ("-f", "prom")):
            t, _ = self.last(80, 24, *more)
            self.assertNotIn(b"\x1b", t.bytes, t)

    def test_with_more_targets_than_lines_those_in_trouble_are_seen(self):
        many = [self.good[0]] * 12 + [self.bad] + [self.good[1]] * 3
        t = self.terminal(*FAST, *many, rows=10)
        t.until(r"16 targets, 1 silent, [1-9]\d* sent")
        self.assertIn(self.bad, t.screen.text, t)
        self.assertRegex(t.screen.text, r"(?m)^… and 10 more without loss$", t)
        self.assertLess(len(t.screen.lines), 11, t)
        self.assertEqual(t.screen.gone, [], t)
        t.press("q")
        t.wait()
        # All of them are the result, and what was drawn is gone.
        everything = "\n".join(["".join(line) for line in t.screen.gone] + t.screen.lines)
        self.assertEqual(everything.count("tcp://"), 16, t)
        self.assertNotIn("more without loss", everything, t)

    def test_what_stood_there_before_is_not_touched(self):
        t, lines = self.last(80, 24)
        # Near the end of the screen it scrolls.
        t2 = self.terminal(*FAST, "-c", "3", *self.targets, above=b"first\r\n" + b"\r\n" * 21 + b"$ sonde\r\n")
        t2.wait()
        self.assertEqual("".join(t2.screen.gone[0]), "first", t2)
        self.assertEqual(picture(t2.screen.lines[-6:-1]), picture(lines), t2)
        self.assertEqual(t2.screen.lines[-7], "$ sonde", t2)


class Redraws(Live):
    def test_not_more_than_ten_a_second(self):
        t = self.terminal("-i", "1ms", "-W", "500ms", *self.good)
        t.until(r"2 targets, [1-9]\d* sent")
        t.screen.frames, began = 0, time.monotonic()
        t.drain(1.5)
        self.assertLessEqual(t.screen.frames, 10 * (time.monotonic() - began) + 1, t)
        self.assertGreater(t.screen.frames, 0, t)

    def test_a_narrower_terminal_shows_one_table_that_fits(self):
        t = self.endless(columns=132, rows=43)
        for columns, rows in ((40, 20), (100, 30), (40, 10)):
            frames = t.screen.frames
            t.resize(columns, rows)
            t.until(lambda s: s.frames > frames + 2)
            t.drain(0.1)
            self.assertEqual(len(re.findall(r"(?m)^target ", t.screen.text)), 1, t)
            self.assertEqual(len(t.screen.lines), 6, t)
            self.assertLess(max(map(len, t.screen.lines)), columns, t)
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)
        self.assertEqual(len(t.screen.lines), 6, t)

    def test_a_terminal_that_was_stopped_holds_up_no_probe(self):
        t = self.terminal("-i", "20ms", "-W", "500ms", *self.good)
        before = int(t.until(r"2 targets, ([1-9]\d*) sent")[1])
        t.press("\x13")
        t.drain(0.3)
        frames = t.screen.frames
        t.drain(1.2)
        self.assertEqual(t.screen.frames, frames, t)
        t.press("\x11")
        t.until(lambda s: s.frames > frames)
        first = int(re.search(r"(\d+) sent", t.screen.text)[1])
        self.assertGreater(first, before + 20, t)

    def test_a_terminal_that_was_stopped_holds_up_no_end(self):
        t = self.endless()
        t.press("\x13")
        t.drain(0.5)
        for _ in range(2):
            if t.state() != "Z":
                t.kill(signal.SIGINT)
                t.drain(0.5)
        self.assertRegex(t.wait(), "exit (1|130)$", t)
        self.assertEqual(t.mode(), t.before, t)

    def test_a_report_stands_above_a_new_table(self):
        t = self.endless(rows=60)
        frames = t.screen.frames
        t.press("\x1c")
        t.until("--- tcp")
        t.until(lambda s: s.frames > frames + 2)
        t.press("q")
        self.assertEqual(t.wait(), "exit 1", t)
        self.assertEqual(len(re.findall(r"(?m)^target ", t.screen.text)), 2, t)
        self.assertRegex(t.screen.text, r"(?s)^target .*packets transmitted.*\ntarget .* \d+ s\n$", t)


if __name__ == "__main__":
    unittest.main()
