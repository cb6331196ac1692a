# SPDX-License-Identifier: MIT
"""Where the bytes go: full disks, readers that leave, closed streams, other languages."""

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from program import SONDE, Serve, environment, run

# How a program may end whose reader has left: killed as any other in a pipe, or with a code; but without a word.
QUIET_ENDS = (-signal.SIGPIPE, 0, 2)


class Outputs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        tcp = "tcp://" + cls.serve.target
        cls.runs = [("help",), ("help", "ping"), ("--version",), ("--help",), ("ping", "--help"), ("caps",),
            ("caps", "-f", "json"),
            ("ping", "-c", "3", "-i", "10ms", tcp), ("ping", "-q", "-c", "3", "-i", "10ms", tcp),
            *[("ping", "-c", "2", "-i", "10ms", "-f", f, tcp) for f in ("json", "ndjson", "csv", "prom")],
            *[("check", "-c", "2", "--time", "100ms", "--only", "ping,download", "-f", f, cls.serve.target)
                for f in ("text", "json", "ndjson", "csv", "prom")],
            ("serve", "-p", "0", "-b", "127.0.0.1")]

    def every(self, runs, **how):
        with ThreadPoolExecutor(6) as pool:
            return list(pool.map(lambda args: run(*args, **how), runs))


class Streams(Outputs):
    def test_a_reader_that_has_left_ends_it_without_a_word(self):
        ours, theirs = os.pipe()
        os.close(ours)
        try:
            for r in self.every(self.runs, stdout=theirs):
                self.assertIn(r.code, QUIET_ENDS, r)
                self.assertEqual(r.err, "", r)
        finally:
            os.close(theirs)

    def test_a_reader_that_takes_one_line_ends_an_endless_ping(self):
        r = subprocess.run(["sh", "-c", '"$0" ping -i 10ms "$1" | head -n 1; :', SONDE, "tcp://" + self.serve.target],
            capture_output=True, env=environment(), timeout=30)
        self.assertEqual((r.returncode, r.stderr, r.stdout.count(b"\n")), (0, b"", 1))

    def test_a_full_disk_is_an_error_and_not_a_success(self):
        with open("/dev/full", "wb") as full:
            for r in self.every(self.runs, stdout=full):
                self.assertGreater(r.code, 0, r)

    def test_a_full_disk_is_said(self):
        with open("/dev/full", "wb") as full:
            for r in self.every(self.runs, stdout=full):
                self.assertRegex(r.err, "No space left on device", r)

    def test_without_standard_output_nothing_is_written_elsewhere_and_it_is_an_error(self):
        def closed(how):
            return [(how, args, subprocess.run(["sh", "-c", f'exec "$0" "$@" {how}', SONDE, *args], capture_output=True,
                env=environment(), timeout=30))
                for args in (("help",), self.runs[-3])]

        with ThreadPoolExecutor(3) as pool:
            for some in pool.map(closed, (">&-", ">&- <&-", ">&- 2>&- <&-")):
                for how, args, p in some:
                    self.assertGreater(p.returncode, 0, f"{how} {args}")

    def test_errors_that_cannot_be_told_change_no_exit_code(self):
        with open("/dev/full", "wb") as full:
            self.assertEqual(run("help", "nosuch", stderr=full).code, 2)
        p = subprocess.run(["sh", "-c", 'exec "$0" help nosuch 2>&-', SONDE], capture_output=True, env=environment(),
            timeout=30)
        self.assertEqual((p.returncode, p.stdout), (2, b""))

    def test_results_go_to_standard_output_and_nothing_else_does(self):
        for r in self.every(self.runs[:-1]):
            self.assertEqual((r.code, r.err), (0, ""), r)
            self.assertTrue(r.out.endswith("\n"), r)


class Languages(Outputs):
    """The decimal separator is a point and an error is in English, whatever the user speaks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Most machines do not have the German locale: make one where the sources of it are.
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        try:
            subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", cls.folder.name + "/de_DE.UTF-8"],
                capture_output=True, timeout=30)
        except OSError:
            pass
        cls.german = {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "LANGUAGE": "de"}
        if os.path.isdir(cls.folder.name + "/de_DE.UTF-8"):
            cls.german["LOCPATH"] = cls.folder.name

    def test_numbers_keep_their_point_in_german(self):
        for r in self.every(self.runs[7:-1], env=self.german):
            self.assertEqual(r.code, 0, r)
            self.assertRegex(r.out, r"\d\.\d", r)
            if "csv" not in r.args:
                self.assertNotRegex(r.out, r"\b\d+,\d+ (ms|[kMG]?bit/s|%)", r)

    def test_json_is_json_in_german(self):
        r = run("ping", "-c", "2", "-i", "10ms", "-f", "json", "tcp://" + self.serve.target, env=self.german)
        self.assertIsInstance(r.json["targets"][0]["rtt_p50_ms"], float)

    def test_arguments_are_read_with_a_point_in_german(self):
        self.assertEqual(run("ping", "-c", "1", "-W", "0.5s", "tcp://" + self.serve.target, env=self.german).code, 0)
        self.assertEqual(run("ping", "-c", "1", "-W", "0,5s", "tcp://" + self.serve.target, env=self.german).code, 2)

    def test_help_is_the_same_in_every_language(self):
        self.assertEqual(run("help", "check", env=self.german).out, run("help", "check").out)


class Terminal(Outputs):
    """A pseudo-terminal shows progress on standard error, and colours nowhere else."""

    def on_terminal(self, *args, env):
        import pty
        ours, theirs = pty.openpty()
        try:
            r = run(*args, env=env, stderr=theirs)
        finally:
            os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:
            pass
        os.close(ours)
        return r, shown.decode()

    def test_progress_is_shown_on_a_terminal_and_wiped_at_the_end(self):
        r, shown = self.on_terminal("check", "-c", "3", "--time", "400ms", "--only", "ping,download", self.serve.target,
            env={"TERM": "xterm"})
        self.assertEqual(r.code, 0, r)
        self.assertRegex(shown, r"download .*bit/s")
        self.assertTrue(shown.endswith("\r\x1b[J"), repr(shown[-80:]))
        self.assertNotRegex(r.out, "[\r\x1b]", r)

    def test_a_dumb_terminal_and_quiet_show_none(self):
        for more, env in (((), {"TERM": "dumb"}), (("-q",), {"TERM": "xterm"})):
            r, shown = self.on_terminal("check", "-c", "2", "--time", "200ms", "--only", "download", *more,
                self.serve.target, env=env)
            self.assertEqual((r.code, shown), (0, ""), r)


class Caps(unittest.TestCase):
    def test_json_and_text_tell_the_same(self):
        doc, text = run("caps", "-f", "json").json, run("caps").out
        self.assertEqual((doc["schema"], doc["type"]), (1, "caps"))
        for key, words in (("icmp_raw", "raw ICMP"), ("icmp_dgram", "ICMP datagrams"),
                ("kernel_timestamps", "kernel time stamps"), ("bind_device", "bind to interfaces"),
                ("seccomp", "seccomp filters")):
            self.assertRegex(text, rf"(?m)^  {words} +{'yes' if doc[key] else 'no'}\b", text)

    def test_where_something_is_missing_there_is_a_reason_and_a_command(self):
        doc = run("caps", "-f", "json").json
        if doc["icmp_raw"]:
            self.assertEqual((doc["reasons"], doc["fixes"]), ([], []))
        else:
            self.assertTrue(doc["reasons"])

    def test_the_exit_code_is_0_whatever_is_missing(self):
        self.assertEqual(run("caps").code, 0)


if __name__ == "__main__":
    unittest.main()
