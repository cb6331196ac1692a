# SPDX-License-Identifier: MIT
"""The reflector on a wire: which address answers, who is not answered, what its numbers and its times are worth."""

import json
import signal
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
SUPPORT = str(Path(__file__).resolve().parents[1] / "support")
sys.path.insert(0, SUPPORT)

from net import Lab, needs

# Ask so many times, and tell each answer's numbers; None for one that does not come.
ASK = """
import json, sys
from stamp import Sender, probe, read
host, port, source, n, patience = sys.argv[1:]
with Sender((host, int(port)), (source, 0) if source else None) as s:
    out = []
    for seq in range(int(n)):
        s.send(probe(seq))
        data = s.receive(float(patience))
        a = data and read(data)
        out.append(a and [a.sender_seq, a.seq, a.ttl])
print(json.dumps(out))
"""

# Ask an address for all and tell who answers.
ASK_ALL = """
import socket, sys
from stamp import probe
host, port = sys.argv[1:]
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"wire")
s.settimeout(0.5)
s.sendto(probe(1), (host, int(port), 0, socket.if_nametoindex("wire")) if ":" in host else (host, int(port)))
try:
    print(s.recvfrom(2000)[1][0])
except TimeoutError:
    print("nobody")
"""

# One packet from an address that is not ours: by a raw socket, header and all.
FORGE = """
import socket, struct, sys
from stamp import probe
source, sport, host, port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
data = probe(0)
udp = struct.pack("!HHHH", sport, port, 8 + len(data), 0) + data
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 1, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(host))
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).sendto(ip + udp, (host, 0))
"""

COUNTS = """
import sys, urllib.request
print(urllib.request.urlopen("http://%s:%s/info" % tuple(sys.argv[1:]), timeout=20).read().decode())
"""

HOLD_UP = """
import os, signal, sys, time
from stamp import Sender, probe, read, unix_ns
host, port, pid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with Sender((host, port)) as s:
    s.ask(0)
    os.kill(pid, signal.SIGSTOP)
    s.send(probe(1))
    time.sleep(0.3)
    os.kill(pid, signal.SIGCONT)
    a = read(s.receive())
print(unix_ns(a.sent, a.error) - unix_ns(a.received, a.error))
"""


class OnTheWire(Lab):
    def script(self, ns, text, *words):
        return ns.do("env", "PYTHONPATH=" + SUPPORT, "python3", "-B", "-c", text, *[str(w) for w in words]).strip()

    def counts(self, s):
        return json.loads(self.script(self.near, COUNTS, "10.77.0.2", s.port))["udp"]

    def ask(self, host, s, source="", n=1, patience=0.5):
        return json.loads(self.script(self.near, ASK, host, s.port, source, n, patience))


class Addresses(OnTheWire):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.far.do("ip", "addr", "add", "10.77.0.22/24", "dev", "wire")
        cls.far.do("ip", "addr", "add", "fd77::22/64", "dev", "wire", "nodad")
        for a in ("203.0.113.9/32", "2001:db8:5::1/128"):
            cls.near.do("ip", "addr", "add", a, "dev", "wire", *(["nodad"] if ":" in a else []))
            cls.far.do("ip", "route", "add", a, "dev", "wire")
        cls.private, cls.public = cls.serve(), cls.serve("--public")

    def test_each_address_answers_for_itself(self):
        for host in "10.77.0.2", "10.77.0.22", "fd77::2", "fd77::22", self.link_local + "%wire":
            self.assertEqual(self.ask(host, self.private), [[0, 0, 64]], host)

    def test_what_was_sent_to_all_has_no_answer(self):
        before = self.counts(self.private)["refused"]
        for host in "10.77.0.255", "255.255.255.255", "224.0.0.1", "ff02::1":
            self.assertEqual(self.script(self.near, ASK_ALL, host, self.private.port), "nobody", host)
        self.assertEqual(self.counts(self.private)["refused"] - before, 4)
        self.assertEqual(self.script(self.near, ASK_ALL, "10.77.0.22", self.private.port), "10.77.0.22")

    def test_public_peers_have_an_answer_with_public_only(self):
        for source, host in ("203.0.113.9", "10.77.0.2"), ("2001:db8:5::1", "fd77::2"):
            self.assertEqual(self.ask(host, self.private, source), [None], source)
            self.assertEqual(self.ask(host, self.public, source), [[0, 0, 64]], source)

    def test_a_forged_packet_does_not_set_two_reflectors_on_each_other_for_ever(self):
        """By the machine's own count of UDP packets."""
        before = self.sent()
        for _ in range(10):
            self.script(self.far, FORGE, "10.77.0.2", self.private.port, "10.77.0.2", self.public.port)
        time.sleep(0.5)
        self.assertLessEqual(self.sent() - before, 30)
        self.assertGreaterEqual(self.sent() - before, 10, "the forged packets did not arrive")

    def sent(self):
        lines = [line.split() for line in self.far.do("cat", "/proc/net/snmp").splitlines() if line.startswith("Udp:")]
        return int(lines[1][lines[0].index("OutDatagrams")])


@needs("nft")
class Loss(OnTheWire):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.serve()

    def ways(self):
        """What is lost there and back, of 30 probes; by the numbers alone, as any sender can tell."""
        got = [a for a in self.ask("10.77.0.2", self.server, n=30, patience=0.15) if a]
        self.assertEqual(got[0][:2], [0, 0])
        probes, answers = got[-1][0], got[-1][1]
        return probes - answers, answers - (len(got) - 1)

    def test_the_numbers_tell_which_way_loses(self):
        for ns in (self.near, self.far):
            self.addCleanup(ns.rules)
        self.assertEqual(self.ways(), (0, 0))
        self.far.rules("udp dport %d numgen inc mod 10 5 drop" % self.server.port)
        self.assertEqual(self.ways(), (3, 0))
        self.near.rules("udp sport %d numgen inc mod 13 5 drop" % self.server.port)
        self.assertEqual(self.ways(), (3, 2))
        self.far.rules()
        self.near.rules("udp sport %d numgen inc mod 10 5 drop" % self.server.port)
        self.assertEqual(self.ways(), (0, 3))


class Times(OnTheWire):
    def test_a_packet_is_stamped_when_it_arrives_and_not_when_it_is_read(self):
        s = self.serve()
        self.addCleanup(s.process.send_signal, signal.SIGCONT)
        pid = self.server_pid(s)
        stay = int(self.script(self.near, HOLD_UP, "10.77.0.2", s.port, pid))
        self.assertGreater(stay, 200_000_000)
        self.assertLess(stay, 5_000_000_000)

    def server_pid(self, s):
        """nsenter has become the server itself."""
        return s.process.pid


if __name__ == "__main__":
    unittest.main()
