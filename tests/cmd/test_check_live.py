# SPDX-License-Identifier: MIT
"""A check on a terminal: the one line that is drawn over itself, and the terminal and the results as if it had not been."""

import os
import re
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from program import Serve
from screen import Terminal

PHASES = ("ping", "download", "upload", "both")
RATE = re.compile(r" *\d+(\.\d)? [kMGT]?bit/s")
BAR = re.compile(r"[█-▏░]{8,}|[#-]{8,}")

# The live line: something that no result has.
LIVE = r"(?m)^.*(░|█|#-|latency \d).*$"


def picture(line):
    """What does not depend on how fast this machine is: figures as zeros, the bar as a shade, nothing of the past."""
    line = BAR.sub(lambda found: "▒" * len(found[0]), line, count=1)
    line = re.sub(r"(?<=bit/s|/s up|▒▒▒▒▒)[^a-z0-9▒]+(?=  latency)", lambda found: " " * len(found[0]), line)
    line = RATE.sub(lambda found: "0 bit/s".rjust(len(found[0])), line)
    return re.sub(r"latency [\d.]+", "latency 0", line).rstrip()


class Checks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)

    def terminal(self, *args, **how):
        t = Terminal("check", *args, self.serve.target, **how)
        self.addCleanup(t.__exit__)
        return t

    def endless(self, only="download", *more, **how):
        """In the midst of a phase that does not end by itself."""
        return self.terminal("--time", "100s", "-c", "10000", "--only", only, *more, **how)

    def short(self, *more, only="ping,download", **how):
        t = self.terminal("--time", "300ms", "-c", "4", "--only", only, *more, **how)
        return t, t.wait()

    def under_way(self, t, n=3):
        frames = t.screen.frames
        t.until(lambda s: s.frames >= frames + n)

    def interrupt(self, t):
        t.press("\x03")
        self.assertEqual(t.wait(), "exit 0", t)

    def assert_left_well(self, t):
        self.assertEqual(t.mode(), t.before, t)
        self.assertTrue(t.screen.cursor and t.screen.wraps, t)
        self.assertEqual(t.screen.x, 0, t)

    def everything(self, t):
        return "\n".join(["".join(line).rstrip() for line in t.screen.gone] + t.screen.lines)

    def head(self, only=""):
        if only == "ping":
            return [f"sonde 0.1.0 measures {self.serve.target}", f"  at {self.serve.target}"]
        return [f"sonde 0.1.0 measures {self.serve.url}/", f"  at {self.serve.target}, which is sonde 0.1.0"]

    def assert_results(self, t, *labels):
        """The same lines as through a pipe, and nothing else; longer than the terminal is wide they are broken."""
        self.assertNotRegex(self.everything(t), LIVE, t)
        self.assertNotIn("^C", self.everything(t), t)
        found = re.findall(r"(?m)^  ([a-z].*?) +(?:\d|no |grade|[a-z]+, round|the load|under load|while)", self.everything(t))
        self.assertEqual([label for label in found if label in PHASES], list(labels), t)


class Pictures(Checks):
    """Whole screens in the midst of each phase."""

    def assert_screen(self, columns, rows, wanted, **how):
        for only, line in wanted.items():
            t = self.endless(only, columns=columns, rows=rows, **how)
            t.until(r"bit/s.*bit/s up" if only == "both" and "bit/s" in line else r"bit/s" if "bit/s" in line else line[:6])
            self.under_way(t)
            shown = t.screen.lines
            self.assertEqual(picture(shown[-1]), line, t)
            self.assertLess(max(map(len, shown[-1:])), columns, t)
            if columns >= 80:
                self.assertEqual(shown[:-1], self.head(only), t)
            self.interrupt(t)
            self.assert_left_well(t)
            self.assertNotRegex(self.everything(t), LIVE, t)

    def test_80_columns(self):
        self.assert_screen(80, 24, {
            "ping": "  ping        ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                          latency 0 ms",
            "download": "  download    ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒       0 bit/s                   latency 0 ms",
            "upload": "  upload      ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒       0 bit/s                   latency 0 ms",
            "both": "  both        ▒▒▒▒▒▒▒▒▒▒▒       0 bit/s down       0 bit/s up  latency 0 ms"})

    def test_132_columns(self):
        self.assert_screen(132, 43, {
            "ping": "  ping        " + 40 * "▒" + 51 * " " + "latency 0 ms",
            "download": "  download    " + 40 * "▒" + "       0 bit/s" + 45 * " " + "latency 0 ms",
            "upload": "  upload      " + 40 * "▒" + "       0 bit/s" + 45 * " " + "latency 0 ms",
            "both": "  both        " + 31 * "▒" + "       0 bit/s down       0 bit/s up" + 34 * " " + "latency 0 ms"})

    def test_40_columns(self):
        self.assert_screen(40, 10, {
            "ping": "  ping        latency 0 ms",
            "download": "  download    ▒▒▒▒▒▒▒▒▒       0 bit/s",
            "upload": "  upload      ▒▒▒▒▒▒▒▒▒       0 bit/s",
            "both": "     0 bit/s down       0 bit/s up"})

    def test_18_columns(self):
        self.assert_screen(18, 4, {
            "ping": "latency 0 ms",
            "download": "     0 bit/s",
            "upload": "     0 bit/s",
            "both": "  both"})

    def test_a_locale_without_utf_8_and_the_console_of_linux_get_ascii(self):
        # Python, as the shell of these tests, would make a UTF-8 locale of it.
        for env in ({"LC_ALL": "", "LANG": "C", "PYTHONCOERCECLOCALE": "0"}, {"TERM": "linux"}):
            t = self.endless(env=env)
            t.until("bit/s")
            self.under_way(t)
            self.assertEqual(picture(t.screen.lines[-1]),
                "  download    ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒       0 bit/s                   latency 0 ms", t)
            self.interrupt(t)
            self.assertTrue(t.bytes.isascii(), t)

    def test_there_is_one_colour_and_none_where_none_is_wanted(self):
        t, said = self.short()
        self.assertEqual((said, ("cyan", True) in t.screen.styles), ("exit 0", True), t)
        self.assertFalse({("bold", True), ("red", True)} & t.screen.styles, t)
        for more, env in (((), {"NO_COLOR": "1"}), (("--no-color",), {})):
            t, said = self.short(*more, env=env)
            self.assertEqual(said, "exit 0", t)
            self.assertGreater(t.screen.frames, 3)
            self.assertNotRegex(t.bytes.decode(), "\x1b\\[[0-9;]*m", t)

    def test_the_bar_comes_to_its_end_with_the_phase(self):
        """By the number of probes, by the time, and by the bytes that may move."""
        for args in (("--only", "ping", "-c", "8"), ("--only", "upload", "--time", "700ms"),
                ("--only", "download", "--time", "100s", "--bytes", "4G")):
            t = self.terminal(*args)
            most = 0.0
            while t.process.poll() is None and t.state() != "Z":
                t.read(0.01)
                bars = BAR.findall(t.screen.text) and BAR.search(t.screen.text)[0]
                if bars:
                    most = max(most, bars.count("█") / len(bars))
            self.assertEqual(t.wait(), "exit 0", t)
            self.assertGreater(most, 0.5, (args, t))


class Ends(Checks):
    def test_control_c_takes_the_line_away_and_shows_what_there_is(self):
        t = self.terminal("--time", "100s", "-c", "3")
        t.until(r"download .*bit/s")
        self.interrupt(t)
        self.assert_left_well(t)
        self.assert_results(t, "ping", "download")

    def test_sigterm_does_too(self):
        t = self.endless()
        t.until("bit/s")
        t.kill(signal.SIGTERM)
        self.assertEqual(t.wait(), "exit 0", t)
        self.assert_left_well(t)
        self.assert_results(t, "download")

    def test_a_whole_run_leaves_its_results_and_nothing_else(self):
        t, said = self.short(only="ping,download,upload,both", columns=132, rows=43)
        self.assertEqual(said, "exit 0", t)
        self.assert_left_well(t)
        self.assert_results(t, "ping", "download", "upload")
        self.assertEqual(t.screen.lines[:2], self.head(), t)
        # As bytes: no result stands behind a line that was not taken away.
        for before in re.findall(rb"(?s)^(.*?)\n", t.bytes.replace(b"\r\n", b"\n"), re.M):
            self.assertIn(before.count(b"\x1b[?7h\r"), range(0, 100))
            if b"\x1b[?7h\r" in before:
                self.assertTrue(before.rpartition(b"\x1b[?7h\r")[2].startswith(b"\r\x1b[J  "), before[-200:])

    def test_what_is_killed_leaves_no_setting_behind(self):
        t = self.endless()
        self.under_way(t)
        t.kill(signal.SIGKILL)
        self.assertEqual(t.wait(), "signal 9", t)
        self.assert_left_well(t)

    def test_a_server_that_goes_away_leaves_no_line_behind(self):
        with Serve() as s:
            t = Terminal("check", "--time", "100s", "-W", "1s", "--only", "download", s.target)
            self.addCleanup(t.__exit__)
            t.until("bit/s")
        t.wait()
        self.assert_left_well(t)
        self.assertNotRegex(self.everything(t), LIVE, t)


class Streams(Checks):
    """Whatever the two streams are."""

    def test_results_in_a_file_and_the_line_on_the_terminal(self):
        for more in ((), ("-f", "json"), ("-f", "csv"), ("-f", "prom")):
            with tempfile.TemporaryFile() as out:
                t, said = self.short(*more, stdout=out)
                out.seek(0)
                results = out.read().decode()
            self.assertEqual((said, t.screen.text), ("exit 0", ""), t)
            self.assertGreater(t.screen.frames, 3, more)
            self.assertNotRegex(results, "[\r\x1b]")
            self.assertRegex(results, "download")
            self.assert_left_well(t)

    def test_the_line_does_not_go_into_a_log_file(self):
        with tempfile.TemporaryFile() as log:
            t, said = self.short(stderr=log)
            log.seek(0)
            self.assertEqual((said, log.read()), ("exit 0", b""), t)
        self.assertNotIn(b"\x1b", t.bytes)
        self.assert_results(t, "ping", "download")

    def test_a_dumb_terminal_quiet_and_lines_for_programs_have_none(self):
        for more, env in (((), {"TERM": "dumb"}), ((), {"TERM": ""}), (("-q",), {}), (("-f", "ndjson"), {})):
            t, said = self.short(*more, env=env)
            self.assertEqual(said, "exit 0", t)
            self.assertNotRegex(t.bytes, b"\x1b|\r[^\n]", t)
            self.assertIn("download", t.screen.text)

    def test_where_nobody_reads_the_results_the_line_goes_away_too(self):
        t, said = self.short("-f", "json", inside=("sh", "-c", 'exec "$0" "$@" >&-'))
        self.assertEqual(said, "exit 2", t)
        self.assertNotRegex(self.everything(t), LIVE, t)
        ours, theirs = os.pipe()
        with os.fdopen(ours, "rb") as reader, os.fdopen(theirs, "wb") as writer:
            t = self.terminal("--time", "300ms", "-c", "10", stdout=writer)
            writer.close()
            reader.readline()
            reader.close()
            self.assertEqual(t.wait(), "exit 2", t)
        self.assertEqual(t.screen.text, "", t)
        self.assert_left_well(t)


class Stops(Checks):
    def stop(self, t):
        t.press("\x1a")
        self.assertEqual(t.wait(), f"stop {int(signal.SIGTSTP)}", t)
        t.order("take")

    def test_control_z_leaves_the_terminal_as_it_was_and_fg_draws_where_the_shell_has_left_off(self):
        t = self.endless()
        t.until("bit/s")
        self.stop(t)
        self.assert_left_well_but_for_the_echo(t)
        os.write(t.slave, b"\n[1]+  Stopped\n$ fg\nsonde check\n")
        t.drain()
        above = t.screen.lines[:-1]
        t.order("give")
        t.order("continue")
        self.under_way(t)
        self.assertEqual(t.screen.lines[:-1], above, t)
        self.assertRegex(t.screen.lines[-1], r"^  download .*bit/s", t)
        self.interrupt(t)
        self.assertEqual(t.screen.lines[:len(above)], above, t)
        self.assertEqual(len(re.findall(LIVE, t.screen.text)), 1, t)  # the one that was stopped
        self.assertRegex(t.screen.lines[len(above)], r"^  download +\d", t)
        self.assert_left_well(t)

    def assert_left_well_but_for_the_echo(self, t):
        self.assertEqual(t.mode(), t.before, t)
        self.assertTrue(t.screen.cursor and t.screen.wraps, t)

    def test_in_the_background_nothing_is_drawn(self):
        t = self.endless(foreground=False)
        t.until("measures")
        t.drain(1)
        self.assertEqual((t.screen.frames, t.screen.lines[:-1]), (0, self.head()), t)
        self.assertNotIn(b"\x1b", t.bytes)
        t.order("give")
        self.under_way(t)
        self.interrupt(t)
        self.assert_results(t, "download")

    def test_sent_to_the_background_it_takes_nothing_away_from_others(self):
        t = self.endless()
        t.until("bit/s")
        self.stop(t)
        os.write(t.slave, b"\n$ bg\n$ typed so far")
        t.drain()
        shown, frames = t.screen.lines, t.screen.frames
        t.order("continue")
        t.drain(0.5)
        self.assertEqual((t.screen.lines, t.screen.frames), (shown, frames), t)
        t.kill(signal.SIGINT)
        self.assertEqual(t.wait(), "exit 0", t)
        self.assertEqual(t.screen.lines[:len(shown) - 1], shown[:-1], t)
        self.assertRegex(self.everything(t), r"(?m)^\$ typed so far  download", t)

    def test_a_terminal_that_was_stopped_with_control_s_holds_up_nothing(self):
        t = self.endless("ping", "-f", "json", "-c", "12")
        self.under_way(t, 2)
        t.press("\x13")
        t.drain(0.3)
        frames = t.screen.frames
        t.drain(2)
        self.assertEqual(t.screen.frames, frames, t)
        t.press("\x11")
        self.assertEqual(t.wait(), "exit 0", t)
        self.assertRegex(self.everything(t).replace("\n", ""), r'"sent":12,"received":12,', t)


class Redraws(Checks):
    def test_not_more_than_ten_a_second(self):
        t = self.endless()
        t.until("bit/s")
        frames, began = t.screen.frames, time.monotonic()
        t.drain(1)
        self.assertLessEqual(t.screen.frames - frames, 10 * (time.monotonic() - began) + 2)

    def resized(self, sizes, **how):
        t = self.terminal("--time", "100s", "-c", "3", "--only", "ping,download", columns=132, rows=24,
            above=b"$ first\r\n$ sonde check\r\n")
        t.until("download .*bit/s")
        before = self.everything(t).splitlines()[:-1]
        for columns in sizes:
            t.resize(columns, 24, **how)
            self.under_way(t)
            self.assertLess(len(t.screen.lines[-1]), columns, t)
            self.assertEqual(len(re.findall("(?m)^(?:  download .*| *[0-9.]+) [kMGT]?bit/s", t.screen.text)), 1, t)
            self.assertNotRegex("\n".join(t.screen.lines[:-1]), LIVE, t)
        return t, before

    def test_a_terminal_that_breaks_lines_anew_has_one_line_and_keeps_all_others(self):
        t, before = self.resized((100, 60, 25, 44, 132, 70, 200))
        self.interrupt(t)
        self.assert_left_well(t)
        whole = re.sub(r"\s", "", self.everything(t))
        self.assertTrue(whole.startswith(re.sub(r"\s", "", "".join(before))), t)
        self.assertNotRegex(self.everything(t), LIVE, t)

    def test_a_terminal_that_cuts_lines_has_one_line_and_keeps_all_others(self):
        t, before = self.resized((100, 60, 25, 44, 132), reflow=False)
        self.interrupt(t)
        self.assertEqual(t.screen.lines[:len(before)], [line[:25].rstrip() for line in before], t)
        self.assertNotRegex(self.everything(t), LIVE, t)


if __name__ == "__main__":
    unittest.main()
