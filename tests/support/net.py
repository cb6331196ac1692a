# SPDX-License-Identifier: MIT
"""
Two network namespaces and a wire between them. A namespace lives as long as the process that holds it, and that dies
with the test: whatever happens, the kernel takes all of it away again, the wire included. There are no names to leave
behind.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import program
from program import PATIENCE, die_with_parent, environment

NOBODY = 65534


def missing():
    """Why there can be no lab here; "" where there can."""
    if os.geteuid() != 0:
        return "the lab needs root"
    for tool in ("unshare", "nsenter", "ip", "tc"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        return "this machine lets nobody make network namespaces"
    return ""


def needs(tool):
    return unittest.skipUnless(shutil.which(tool), f"{tool} is not installed")


class Namespace:
    """`inside` goes before a command that shall run in it."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "600"], stdin=subprocess.DEVNULL,
            preexec_fn=die_with_parent)
        self.inside = ["nsenter", "-t", str(self.holder.pid), "-n"]
        self.started = []
        ours, theirs = os.stat("/proc/self/ns/net"), f"/proc/{self.holder.pid}/ns/net"
        end = time.monotonic() + PATIENCE
        while os.stat(theirs).st_ino == ours.st_ino:
            if time.monotonic() > end:
                raise AssertionError("a network namespace does not come into being")
            time.sleep(0.01)

    def do(self, *words, data=None):
        """Run a command that must work, and return what it says."""
        p = subprocess.run([*self.inside, *words], input=data, capture_output=True, text=True, timeout=PATIENCE)
        if p.returncode != 0:
            raise AssertionError(f"{' '.join(words)}: {p.stderr or p.stdout}")
        return p.stdout

    def start(self, *words):
        """A process that goes on until the namespace is closed."""
        p = subprocess.Popen([*self.inside, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(), preexec_fn=die_with_parent)
        self.started.append(p)
        return p

    def sysctl(self, name, value):
        self.do("sh", "-c", 'echo "$1" > "/proc/sys/$2"', "sh", str(value), name.replace(".", "/"))

    def rules(self, *rules):
        """Packets that come in meet these rules of nft; none for no rules."""
        text = "".join(f"\nadd rule inet lab input {rule}" for rule in rules)
        self.do("nft", "-f", "-", data="add table inet lab\ndelete table inet lab\nadd table inet lab\n"
            "add chain inet lab input { type filter hook input priority 0; }" + text + "\n")

    def shape(self, device, rate):
        """What leaves through this device is slowed down; None for as fast as it goes."""
        subprocess.run([*self.inside, "tc", "qdisc", "del", "dev", device, "root"], capture_output=True,
            timeout=PATIENCE)
        if rate:
            self.do("tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", rate, "burst", "32kb", "latency",
                "60ms")

    def addresses(self, device, family):
        got = json.loads(self.do("ip", "-j", family, "addr", "show", "dev", device))
        return [a["local"] for link in got for a in link.get("addr_info", [])]

    def bytes_received(self, device):
        return json.loads(self.do("ip", "-j", "-s", "link", "show", "dev", device))[0]["stats64"]["rx"]["bytes"]

    def close(self):
        for p in [*self.started, self.holder]:
            p.send_signal(signal.SIGKILL)
            p.wait(PATIENCE)


class Lab(unittest.TestCase):
    """near (10.77.0.1, fd77::1) --- wire --- far (10.77.0.2, fd77::2), for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        why = missing()
        if why:
            raise unittest.SkipTest(why)
        cls.near, cls.far = Namespace(), Namespace()
        cls.addClassCleanup(cls.near.close)
        cls.addClassCleanup(cls.far.close)
        cls.near.do("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns",
            str(cls.far.holder.pid))
        for i, ns in ((1, cls.near), (2, cls.far)):
            # Addresses count at once, errors are not rationed, and a full queue is a full queue.
            for name, value in (("net.ipv6.conf.all.accept_dad", 0), ("net.ipv6.conf.wire.accept_dad", 0),
                    ("net.ipv4.icmp_ratelimit", 0), ("net.ipv6.icmp.ratelimit", 0),
                    ("net.ipv4.ping_group_range", "1 0"), ("net.ipv4.tcp_congestion_control", "reno")):
                ns.sysctl(name, value)
            ns.do("ip", "link", "set", "lo", "up")
            ns.do("ip", "addr", "add", f"10.77.0.{i}/24", "dev", "wire")
            ns.do("ip", "addr", "add", f"fd77::{i}/64", "dev", "wire", "nodad")
            ns.do("ip", "link", "set", "wire", "up")
        for _ in range(100):
            if all(any(a.startswith("fe80::") for a in ns.addresses("wire", "-6")) for ns in (cls.near, cls.far)):
                break
            time.sleep(0.02)
        cls.link_local = next(a for a in cls.far.addresses("wire", "-6") if a.startswith("fe80::"))

    def sonde(self, *args, **how):
        """Run at the near end."""
        return program.run(*args, inside=[*self.near.inside, *how.pop("after", ())], **how)

    @classmethod
    def serve(cls, *args, **how):
        """Serve at the far end, on all addresses, until the class is done."""
        s = program.Serve(*args, addresses=(), inside=cls.far.inside, host="10.77.0.2", **how)
        cls.addClassCleanup(s.stop)
        return s


def as_user(*more):
    """Words before a command that then runs as a user without any privilege; see PublicBinary."""
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *more, "--"]


def with_hosts(path):
    """Words before a command that then reads this file as /etc/hosts; nobody else does."""
    return ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', path]


class PublicBinary:
    """Home folders are private: lend the program to other users as a copy."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        os.chmod(self.folder.name, 0o755)
        self.was = program.SONDE
        program.SONDE = shutil.copy(self.was, self.folder.name)
        return self

    def __exit__(self, *_):
        program.SONDE = self.was
        self.folder.cleanup()
