# SPDX-License-Identifier: MIT
"""
A second wire beside the one of the Lab: tests/lab/wire.c, which has faults by rule and counts them. Near is 10.76.0.1
and fd76::1 there, far 10.76.0.2 and fd76::2.
"""

import json
import shutil
import subprocess
import unittest
from pathlib import Path

from net import Lab
from program import PATIENCE, SONDE, die_with_parent, read_until

PROGRAM = Path(SONDE).parent / "tests" / "lab" / "wire"
DEVICE = "tun"


class Wire:
    """
    Rules are words as wire.c has them, such as "delay=10ms loss=2%". Chance hangs on the seed and on the number of the
    packet alone, so the same probes under the same rules meet the same fate. What is to be compared exactly should
    befall them in one direction; what comes back may undo what was done on the way there.
    """

    def __init__(self, near, far):
        pids = [str(ns.holder.pid) for ns in (near, far)]
        self.process = subprocess.Popen([PROGRAM, *pids, DEVICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=die_with_parent)
        self.counts()
        for i, ns in ((1, near), (2, far)):
            ns.do("ip", "addr", "add", f"10.76.0.{i}/24", "dev", DEVICE)
            ns.do("ip", "addr", "add", f"fd76::{i}/64", "dev", DEVICE, "nodad")
            # A queue that a slow machine does not fill: nothing may be lost that is not counted.
            ns.do("ip", "link", "set", DEVICE, "up", "txqueuelen", "4000")

    def _ask(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(read_until(self.process.stdout, r"(.*)\n")[0][1])

    def counts(self):
        """What it did under these rules: {"there": {"seen": 1000, "lost": 23, …}, "back": {…}}."""
        return self._ask("")

    def rules(self, both="", there="", back=""):
        """Begin anew under these rules, with counts of zero; return the counts under the old ones."""
        return self._ask(f"{both} there {there} back {back}")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


class WireLab(Lab):
    """The Lab, and the wire with faults for all tests of a class; each test begins with one that has none."""

    @classmethod
    def setUpClass(cls):
        if not shutil.which(str(PROGRAM)):
            raise unittest.SkipTest(f"{PROGRAM} is not built; make lab does")
        if not Path("/dev/net/tun").exists():
            raise unittest.SkipTest("this machine has no TUN devices")
        super().setUpClass()
        cls.near.sysctl("net.ipv4.ping_group_range", "0 2147483647")
        cls.wire = Wire(cls.near, cls.far)
        cls.addClassCleanup(cls.wire.close)

    def setUp(self):
        self.wire.rules()
