# SPDX-License-Identifier: MIT
"""
Two ends and a wire of the kernel's own between them. The near end is this process itself, the far end lives by a child
of it: whatever happens, both go with the process, and there are no names to leave behind.
"""
import ctypes
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from net import Namespace
from program import die_with_parent, environment

FAR = "10.79.0.2"
# A network that the far end answers for, whole.
CROWD = "10.98.0.0/16"
PATIENCE = 60
CONTROLS = ("bbr", "reno")
_CONTROL = "net.ipv4.tcp_congestion_control"

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


class Ran:
    """What one command said and what it cost: seconds by the clock and of CPU, and at most so many bytes of memory."""

    def __init__(self, code, out, err, wall, cpu, memory):
        self.code, self.out, self.err, self.wall, self.cpu, self.memory = code, out, err, wall, cpu, memory


def do(*words):
    """A command at the near end that must work."""
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def run(*words, data=""):
    """A command at the near end, measured. A group of its own: nothing of it outlives an interrupt."""
    # A child of ours would be charged with our memory, which is larger than its own; GNU time is small.
    scale = ["time", "-q", "-f", "%M"] if has_gnu_time() else []
    before, began = getrusage(RUSAGE_CHILDREN), time.monotonic()
    p = subprocess.Popen([*scale, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment(), start_new_session=True, preexec_fn=die_with_parent)
    try:
        out, err = p.communicate(data, timeout=PATIENCE)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(p.pid, signal.SIGKILL)
        p.communicate()
        raise
    wall, after = time.monotonic() - began, getrusage(RUSAGE_CHILDREN)
    memory = None
    if scale:
        *lines, last = err.splitlines()
        err, memory = "\n".join(lines), int(last) * 1024
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(p.returncode, out, err, wall, cpu, memory)


_gnu_time = None


def has_gnu_time():
    """There is a `time` in busybox too, which tells four times the memory."""
    global _gnu_time
    if _gnu_time is None:
        path = shutil.which("time")
        _gnu_time = bool(path) and "GNU" in subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    return _gnu_time


def lacks(*tools):
    """Say which of these are not here."""
    missing = [t for t in tools if not shutil.which(t)]
    for t in missing:
        print(f"  {t} is not installed: no figures for it; make setup installs it", flush=True)
    return missing


def alternate(rounds, **tools):
    """Call each in turn, so that all see the same moods of the machine; the results of each."""
    got = {name: [] for name in tools}
    for _ in range(rounds):
        for name, tool in tools.items():
            got[name].append(tool())
    return got


def median(values):
    return statistics.median(values)


def met(good):
    return "met" if good else "MISSED"


def say(line):
    print(line, flush=True)


def sysctl(name):
    return Path("/proc/sys", name.replace(".", "/"))


def await_port(port, host=FAR):
    """Until somebody listens there."""
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Link:
    """near (10.79.0.1) --- wire --- far (10.79.0.2, and all of CROWD)"""

    def __init__(self, sonde):
        self.sonde = sonde
        self.servers = {}
        if _libc.unshare(_CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "cannot make a network namespace: "
                + os.strerror(ctypes.get_errno()))
        self.far = Namespace()

    def __enter__(self):
        try:
            self.join()
        except BaseException:
            self.far.close()
            raise
        return self

    def __exit__(self, *_):
        self.far.close()

    def join(self):
        do("ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", str(self.far.holder.pid))
        for i, ip in ((1, do), (2, self.far.do)):
            ip("ip", "addr", "add", f"10.79.0.{i}/24", "dev", "wire")
            ip("ip", "link", "set", "wire", "up")
            ip("ip", "link", "set", "lo", "up")
        self.far.do("ip", "route", "add", "local", CROWD, "dev", "lo")
        do("ip", "route", "add", CROWD, "via", FAR)
        Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647")
        # Both ends have looked each other's hardware addresses up.
        run(self.sonde, "ping", "-q", "-c", "2", "-i", "50ms", FAR)

    def start_once(self, *words):
        """At the far end, if it does not run there already, until the bench is done; its process."""
        if words not in self.servers:
            self.servers[words] = self.far.start(*words)
        return self.servers[words]

    def serve(self, port=8080, *options):
        server = self.start_once(self.sonde, "serve", "-q", "-p", str(port), *options)
        await_port(port)
        return server

    def check(self, *options, url=f"{FAR}:8080"):
        """What `sonde check` says of it, and how long that took."""
        r = run(self.sonde, "check", url, "-f", "json", *options)
        if not r.out:
            raise AssertionError(f"sonde check {url} {' '.join(options)}: {r.err.strip()}")
        return json.loads(r.out), r.wall

    @contextmanager
    def controlled(self, control):
        """Both ends send by this congestion control, if they choose none themselves."""
        was = sysctl(_CONTROL).read_text()
        try:
            self._control(control)
            yield
        finally:
            self._control(was)

    def _control(self, name):
        sysctl(_CONTROL).write_text(name)
        self.far.sysctl(_CONTROL, name)

    @contextmanager
    def shaped(self, *tbf):
        """What leaves either end is slowed down by tbf with these words."""
        ends = (do, self.far.do)
        try:
            for end in ends:
                end("tc", "qdisc", "add", "dev", "wire", "root", "tbf", *tbf)
            yield
        finally:
            for end in ends:
                with suppress(Exception):
                    end("tc", "qdisc", "del", "dev", "wire", "root")

    def introduce(self):
        model = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith(("model name", "cpu model"))]
        control = sysctl(_CONTROL).read_text().strip()
        print(f"Linux {platform.release()} {platform.machine()}, {os.cpu_count()} x {model[0] if model else 'CPU'}, "
              f"load {os.getloadavg()[0]:.2f}; congestion control {control}; two namespaces, a veth pair; "
              f"{run(self.sonde, '--version').out.strip()}", flush=True)
