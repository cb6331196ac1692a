# SPDX-License-Identifier: MIT
"""
Somebody sets the clock while we measure. The clock of this machine is left alone: tests/support/clock_step.c stands
between the program and its C library, and shows it a wall clock, and packet stamps of the kernel, that were set.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import program
from responder import LiarsLab

PROBES, INTERVAL = 15, 50
SOURCE = program.ROOT / "tests" / "support" / "clock_step.c"


def is_static(path):
    """Nothing can be put before the C library of a program that has it inside."""
    with open(path, "rb") as f:
        return b"/ld-" not in f.read(4096)


class Clock(LiarsLab):
    """The host answers each probe when the next one comes: there is always one on its way."""

    @classmethod
    def setUpClass(cls):
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not compiler:
            raise unittest.SkipTest("there is no C compiler")
        if is_static(program.SONDE):
            raise unittest.SkipTest("the program is static: nothing can be put before its C library")
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.shim = os.path.join(folder.name, "clock_step.so")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", cls.shim, SOURCE, "-ldl"], check=True)

    def ping(self, *args, family=4, **clock):
        host = self.liars.host("one_behind_until_the_fifteenth", family)
        # The sanitizer's own library wants to be the first; it may be the second.
        env = {"LD_PRELOAD": self.shim, "ASAN_OPTIONS": "verify_asan_link_order=0", **clock}
        r = self.sonde("ping", "-f", "ndjson", "-c", str(PROBES), "-i", f"{INTERVAL}ms", *args, host,
            env=env)
        self.assertEqual((r.code, r.err), (0, ""), r)
        *events, last = r.lines
        return r, events, last["targets"][0], self.liars.ask("count", host)[0]

    def assert_true_to_the_steady_clock(self, r, events, ping, asked):
        self.assertEqual([ping[k] for k in ("sent", "received", "lost", "late", "duplicates", "corrupt", "errors")],
            [PROBES, PROBES, 0, 0, 0, 0, 0], r)
        self.assertEqual(asked, PROBES)
        # Some of a second is for a busy machine; no step is as small as that.
        for e in events:
            if e["outcome"] == "reply":
                self.assertTrue(0 < e["rtt_ms"] < INTERVAL + 900, e)
                self.assertTrue(e["host_queue_ms"] is None or 0 <= e["host_queue_ms"] < 900, e)
        self.assertTrue(INTERVAL / 2 < ping["rtt_p50_ms"] < INTERVAL * 2, ping)
        self.assertTrue(PROBES * INTERVAL / 1000 <= ping["seconds"] + 0.1 < 5, ping)

    def all_true(self, *runs, stamps=None):
        """They wait most of the time, so they do it side by side. Each is the arguments of ping()."""
        with ThreadPoolExecutor(6) as pool:
            for some in pool.map(lambda how: self.ping(*how.pop("args", ()), **how), runs):
                self.assert_true_to_the_steady_clock(*some)
                if stamps:
                    self.assertEqual(some[2]["stamps"], stamps, some[0])

    def test_steps_of_an_hour_forwards_and_back_change_nothing(self):
        self.all_true(*({"args": ("--icmp-socket", sort), "family": family, "CLOCK_STEPS": steps}
            for steps in ("230:3600", "230:-3600", "180:3600 330:-7200 480:3600")
            for sort in ("raw", "dgram") for family in (4, 6)))

    def test_the_stamps_of_the_kernel_are_used_again_after_a_step(self):
        _, events, _, _ = self.ping(CLOCK_STEPS="230:3600 430:-3600")
        stamped = [e["stamps"] for e in events if e["outcome"] == "reply"]
        # Two were on their way across a step, and not even they have to do without; only one that was stamped just
        # before a step and read just after it would.
        self.assertGreaterEqual(stamped.count("kernel-txrx"), len(stamped) - 1, stamped)

    def test_a_clock_that_is_set_every_few_milliseconds_changes_nothing(self):
        steps = " ".join(f"{100 + 12 * i}:{(3600, -3600, 7, -7)[i % 4]}" for i in range(60))
        self.all_true({"CLOCK_STEPS": steps})

    def test_a_clock_that_is_wrong_at_every_look_is_not_used(self):
        self.all_true(*({"CLOCK_MAD": wrong} for wrong in ("3600", "-3600", "3600 -3600", "100 -100")), stamps="user")

    def test_a_clock_that_is_off_by_no_more_than_a_packet_may_be_old_gives_no_false_times(self):
        self.all_true(*({"CLOCK_MAD": wrong} for wrong in ("5", "-5", "5 0", "0 5 -5", "20 1 0 5")))

    def test_a_deadline_is_no_time_of_day(self):
        for steps in ("150:3600", "150:-3600"):
            r = self.sonde("ping", "-f", "json", "-i", "20ms", "-w", "500ms", self.liars.host("honest"),
                env={"LD_PRELOAD": self.shim, "ASAN_OPTIONS": "verify_asan_link_order=0", "CLOCK_STEPS": steps})
            ping, = r.json["targets"]
            self.assertEqual((r.code, ping["lost"]), (0, 0), r)
            self.assertTrue(0.4 < ping["seconds"] < 2, ping)
            self.assertGreater(ping["sent"], 10)


if __name__ == "__main__":
    unittest.main()
