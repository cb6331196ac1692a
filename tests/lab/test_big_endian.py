# SPDX-License-Identifier: MIT
"""
The same liars (test_hostile.py) and a program for a router: 32 bits, big-endian, 64-bit time. It runs under qemu-user,
which knows neither the kernel's packet stamps nor the drops of a socket, and garbles the error queue that a datagram
socket needs: so the raw socket alone.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import program
import test_hostile

COMPILER, EMULATOR = "mips-linux-gnu-gcc", "qemu-mips-static"


class Mips(test_hostile.Hosts):
    sockets = ("raw",)
    unknown = ("local_drops",)

    @classmethod
    def setUpClass(cls):
        for tool in ("make", COMPILER, EMULATOR):
            if not shutil.which(tool):
                raise unittest.SkipTest(f"{tool} is not installed")
        made = subprocess.run(["make", "-s", "CROSS_COMPILE=mips-linux-gnu-", "STATIC=1", "VARIANT=lab"],
            cwd=program.ROOT, capture_output=True, text=True, env=program.environment({"MAKEFLAGS": ""}))
        if made.returncode != 0:
            raise AssertionError(made.stderr)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.addClassCleanup(setattr, program, "SONDE", program.SONDE)
        program.SONDE = os.path.join(folder.name, "sonde")
        with open(program.SONDE, "w") as f:
            f.write(f'#!/bin/sh\nexec {EMULATOR} "{program.ROOT}/build/mips-linux-gnu/lab/sonde" "$@"\n')
        os.chmod(program.SONDE, 0o755)
        super().setUpClass()

    def test_the_times_are_those_of_a_clock_of_64_bits(self):
        r = self.sonde("check", "-c", "2", "--only", "ping", "-f", "json", self.serve().target)
        self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertRegex(r.json["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        ping = r.json["ping"]
        self.assertEqual((ping["received"], ping["stamps"]), (2, "user"), r)
        self.assertTrue(0 < ping["rtt_min_ms"] <= ping["rtt_max_ms"] < 1000, r)


if __name__ == "__main__":
    unittest.main()
