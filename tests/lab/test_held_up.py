# SPDX-License-Identifier: MIT
"""
What holds a prober up: a peer that repeats itself without end, silence beside others, a machine that stopped it for a
while. Nobody else's figures may suffer from that, and every run ends when it was told to.
"""

import json
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from net import Lab, Namespace
from program import PATIENCE, die_with_parent, environment, read_until, start
from wire import WireLab

SOCKETS = ("raw", "dgram")


def checksum(data):
    """RFC 1071: a number modulo 65,535 is the sum of its digits in base 65,536."""
    return 0xffff - int.from_bytes(data, "big") % 0xffff


def repeat():
    """As a program: answer the first echo request, and go on with that answer as fast as this machine sends."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
        print("ready", flush=True)
        packet = bytes(28)
        while packet[20] != 8:
            packet, asker = s.recvfrom(65536)
        body = b"\0\0\0\0" + packet[24:]
        body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        while True:
            try:
                s.sendto(body, asker)
            except OSError:
                pass  # the queue is full


class HeldUp(Lab):
    """What is sent to 10.66.0.0/16 or fd66::/64 comes to the far end, which knows no way there and says nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.near.sysctl("net.ipv4.ping_group_range", "0 2147483647")
        cls.near.do("ip", "route", "add", "10.66.0.0/16", "via", "10.77.0.2")
        cls.near.do("ip", "-6", "route", "add", "fd66::/64", "via", "fd77::2")

    def pinged(self, *args, code=0):
        r = self.sonde("ping", "-f", "json", *args)
        self.assertEqual((r.code, r.err), (code, ""), r)
        r.targets = r.json["targets"]
        return r


class Repeats(HeldUp):
    """The far end answers nothing but the first request, and that without end: more than can be read."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.far.sysctl("net.ipv4.icmp_echo_ignore_all", 1)
        for ns in (cls.near, cls.far):
            ns.do("ip", "link", "set", "wire", "mtu", "9000")

    def setUp(self):
        # More of them than cores, or some machine reads as fast as one can write.
        peers = [subprocess.Popen([*self.far.inside, sys.executable, "-B", __file__, "repeat"], stdout=subprocess.PIPE,
            env=environment(), preexec_fn=die_with_parent) for _ in range(4)]
        for p in peers:
            self.addCleanup(p.stdout.close)
            self.addCleanup(p.wait, PATIENCE)
            self.addCleanup(p.kill)
        for p in peers:
            read_until(p.stdout, "ready\n")

    def flooded(self, *args):
        """All bytes of an answer are compared: reading one is more work than sending it."""
        return start("ping", "-s", "8900", "-i", "100ms", "-f", "json", *args, "127.0.0.1", "::1", "10.77.0.2",
            inside=self.near.inside)

    def end(self, p, patience=8):
        """It ends before that, and there was a flood. Return the document."""
        try:
            out, err = p.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            self.fail(f"it goes on after {patience} s")
        self.assertEqual((p.returncode, err), (0, b""))
        doc = json.loads(out)
        self.assertGreater(doc["targets"][2]["duplicates"], 1000)
        return doc

    def test_the_other_targets_get_all_their_probes(self):
        doc = self.end(self.flooded("-c", "10", "-w", "4s"))
        same_socket, other_socket, _ = doc["targets"]
        self.assertEqual([t["sent"] for t in doc["targets"]], [10] * 3, doc)
        self.assertEqual(other_socket["received"], 10, doc)
        # Where one socket serves both, the kernel drops what finds no room there; and that is told.
        self.assertTrue(same_socket["received"] == 10 or doc["local_drops"] > 0, doc)

    def test_a_deadline_ends_the_run(self):
        doc = self.end(self.flooded("-w", "1500ms"))
        self.assertLess(doc["targets"][0]["seconds"], 3)

    def test_an_interrupt_ends_the_run(self):
        p = self.flooded()
        time.sleep(1.5)
        p.send_signal(signal.SIGINT)
        doc = self.end(p)
        self.assertLess(doc["targets"][0]["seconds"], 3)


class Silence(HeldUp):
    def test_more_silent_targets_than_connections_do_not_put_off_the_deadline(self):
        r = self.pinged("--via", "tcp", "-w", "1s", "-W", "12s", "10.66.0.0/24", code=1)
        self.assertLess(r.seconds, 6, r)
        self.assertEqual(sum(t["received"] + t["lost"] for t in r.targets), 0, r)
        self.assertGreater(sum(t["in_flight"] for t in r.targets), 60, r)

    def test_a_silent_target_does_not_slow_down_a_flood_to_others(self):
        for socket in SOCKETS:
            flood = "--icmp-socket", socket, "-i", "0", "-w", "1s"
            *others, silent = self.pinged(*flood, "127.0.0.1", "10.77.0.2", "fd77::2", "10.66.0.1", code=1).targets
            self.assertLess(silent["sent"], 150, silent)
            for t in others:
                self.assertGreater(t["received"], 500, t)
                self.assertLessEqual(t["sent"] - t["received"], 1, t)

    def test_a_target_without_a_route_is_not_asked_without_pause(self):
        good, *bad = self.pinged("-i", "0", "-w", "1s", "127.0.0.1", "192.0.2.1", "2001:db8::1", code=1).targets
        self.assertGreater(good["received"], 500, good)
        for t in bad:
            self.assertTrue(10 < t["errors"] < 150 and t["errors"] == t["sent"], t)

    def test_an_error_that_comes_after_the_timeout_says_why_and_the_loss_counts_once(self):
        # The kernel looks for the host on the link for three seconds before it says that there is none.
        runs = [start("ping", "--icmp-socket", kind, "-f", "ndjson", "-c", "3", "-i", "2s", "-W", "500ms",
            f"{net}{i}", inside=self.near.inside) for net in ("10.77.0.9", "fd77::9") for i, kind in enumerate(SOCKETS)]
        for p in runs:
            r, err = p.communicate(timeout=PATIENCE)
            self.assertEqual((p.returncode, err), (1, b""), r)
            *probes, last = map(json.loads, r.splitlines())
            t, = last["targets"]
            said = [e["seq"] for e in probes if e["outcome"] == "error"]
            self.assertEqual([e["seq"] for e in probes if e["outcome"] == "lost"], [1, 2, 3], r)
            self.assertTrue(0 < len(said) == len(set(said)), r)
            for seq in said:
                self.assertEqual([e["outcome"] for e in probes if e["seq"] == seq], ["lost", "error"], r)
            self.assertEqual([t[k] for k in ("sent", "received", "lost", "late", "in_flight", "loss_run_max")],
                [3, 0, 3, 0, 0, 3], r)
            self.assertEqual((t["errors"], sum(k["count"] for k in t["error_kinds"])), (len(said), len(said)), r)

    def test_what_a_deadline_cuts_off_is_no_loss_but_nobody_reads_it_as_an_answer(self):
        for via, name in (("icmp", "ICMP"), ("tcp", "TCP")):
            cut_off = "--via", via, "-c", "2", "-i", "50ms", "-w", "400ms", "-W", "10s"
            r = self.sonde("ping", *cut_off, "10.66.0.1")
            self.assertEqual((r.code, r.err), (1, ""), r)
            self.assertRegex(r.out, r"(?m)^2 packets transmitted, 0 received, 100% packet loss, time \d+ms\n"
                r".*\+2 still on the way$")
            self.assertRegex(self.sonde("ping", *cut_off, "10.66.0.1", "10.66.0.2").out,
                r"(?m)^10\.66\.0\.2 : xmt/rcv/%loss = 2/0/100%, \+2 still on the way$")
            t, = self.pinged(*cut_off, "10.66.0.1", code=1).targets
            self.assertEqual([t[k] for k in ("sent", "received", "lost", "in_flight", "loss_ratio", "loss_ratio_low")],
                [2, 0, 0, 2, None, None], t)


class Stopped(WireLab):
    """Round trips of 200 ms, patience of 500 ms, and 1.5 s without a step: the kernel knows when what came."""

    @classmethod
    def setUpClass(cls):
        """All at once; each test then looks at its own."""
        super().setUpClass()
        ways = {(kind, target): ("--icmp-socket", kind, target) for target in ("10.76.0.2", "fd76::2")
            for kind in SOCKETS}
        ways["open"] = [f"tcp://10.76.0.2:{cls.serve('--public').port}"]
        ways["closed"] = ["--via", "tcp", "10.76.0.2"]
        cls.wire.rules("delay=100ms")
        runs = {key: start("ping", "-f", "json", "-c", "30", "-i", "50ms", "-W", "500ms", *way, inside=cls.near.inside)
            for key, way in ways.items()}
        time.sleep(1)
        for sig, seconds in ((signal.SIGSTOP, 1.5), (signal.SIGCONT, 0)):
            for p in runs.values():
                p.send_signal(sig)
            time.sleep(seconds)
        cls.ended = {key: (*p.communicate(timeout=PATIENCE), p.returncode) for key, p in runs.items()}

    def setUp(self):
        pass  # all runs are over

    def result(self, key):
        out, err, code = self.ended[key]
        self.assertEqual((code, err), (0, b""))
        t, = json.loads(out)["targets"]
        self.assertEqual((t["sent"], t["seconds"] > 2.5), (30, True), t)
        return t

    def test_what_came_in_time_is_received(self):
        for target in ("10.76.0.2", "fd76::2"):
            for kind in SOCKETS:
                t = self.result((kind, target))
                self.assertEqual([t[k] for k in ("received", "lost", "late")], [30, 0, 0], t)
                self.assertLess(t["rtt_max_ms"], 500, t)

    def test_a_connection_made_in_time_is_received(self):
        t = self.result("open")
        self.assertEqual([t[k] for k in ("received", "lost", "late")], [30, 0, 0], t)

    def test_a_refusal_is_not_lost(self):
        # When it came nobody but this process knows: it may be late.
        self.assertEqual(self.result("closed")["lost"], 0)


class Hops(HeldUp):
    """Behind the far end is one more: 10.79.0.2 and fd79::2."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.beyond = Namespace()
        cls.addClassCleanup(cls.beyond.close)
        cls.far.do("ip", "link", "add", "on", "type", "veth", "peer", "name", "on", "netns", str(cls.beyond.holder.pid))
        for ns, i in ((cls.far, 1), (cls.beyond, 2)):
            ns.do("ip", "addr", "add", f"10.79.0.{i}/24", "dev", "on")
            ns.do("ip", "addr", "add", f"fd79::{i}/64", "dev", "on", "nodad")
            ns.do("ip", "link", "set", "on", "up")
        cls.far.sysctl("net.ipv4.ip_forward", 1)
        cls.far.sysctl("net.ipv6.conf.all.forwarding", 1)
        for six, net, there, back in (((), "10.79.0.0/24", "10.77.0.2", "10.79.0.1"),
                (("-6",), "fd79::/64", "fd77::2", "fd79::1")):
            cls.near.do("ip", *six, "route", "add", net, "via", there)
            cls.beyond.do("ip", *six, "route", "add", "default", "via", back)

    def setUp(self):
        """A link that is new takes its time over IPv6."""
        end = time.monotonic() + PATIENCE
        for target in ("10.79.0.2", "fd79::2"):
            while self.sonde("ping", "-c", "1", "-W", "200ms", target).code != 0:
                self.assertLess(time.monotonic(), end, "the lab does not come up")

    def test_a_connection_goes_no_farther_than_it_may(self):
        for target in ("10.79.0.2", "fd79::2"):
            for ttl, received in ((1, 0), (2, 3)):
                t, = self.pinged("--via", "tcp", "-t", str(ttl), "-c", "3", "-i", "50ms", "-W", "800ms", target,
                    code=0 if received else 1).targets
                self.assertEqual((t["method"], t["sent"], t["received"]), ("tcp", 3, received), t)


if __name__ == "__main__":
    repeat() if sys.argv[1:] == ["repeat"] else unittest.main()
