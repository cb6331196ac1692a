# SPDX-License-Identifier: MIT
"""UDP on the server's port: what any STAMP sender (RFC 8762) gets from `sonde serve`, and what nobody gets."""

import json
import os
import random
import socket
import sys
import time
import unittest
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from program import Serve
from stamp import NTP, PTP, Sender, probe, read, unix_ns

IP_RECVTTL = 12  # not in Python's socket
BURST, PER_SECOND = 500, 2000  # of one address (include/engine/reflect.h)


class Reflected(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve(addresses=("0.0.0.0", "::1"))
        cls.addClassCleanup(cls.serve.stop)
        cls.address = ("127.0.0.1", cls.serve.port)
        cls.sources = (f"127.0.{i // 250 + 7}.{i % 250 + 1}" for i in range(10000))

    def sender(self, source=None, **how):
        """Each from an address of its own, and so with a cap of its own."""
        s = Sender(self.address, (source or next(self.sources), 0), **how)
        self.addCleanup(s.s.close)
        return s


class Answers(Reflected):
    def test_an_answer_holds_the_question_and_the_times_at_the_reflector(self):
        for error in NTP, PTP:
            s = self.sender()
            question = probe(7, error, ssid=0xBEEF)
            s.send(question)
            data = s.receive()
            done = time.time_ns()
            self.assertEqual(len(data), 44)
            a = read(data)
            self.assertEqual((a.seq, a.ssid, a.sender_seq, a.sender_error), (0, 0xBEEF, 7, error))
            self.assertEqual(data[24:36], question[:12])
            self.assertEqual((a.mbz, a.mbz2), (0, b"\0\0\0"))
            self.assertEqual(a.error & 0x4000, error & 0x4000, "in the format of the question")
            self.assertNotEqual(a.error & 0xFF, 0, "a multiplier of 0 is not allowed (RFC 4656 section 4.1.2)")
            self.assertEqual(a.ttl, s.s.getsockopt(socket.IPPROTO_IP, socket.IP_TTL))
            times = [unix_ns(a.sender_sent, error), unix_ns(a.received, a.error), unix_ns(a.sent, a.error), done]
            for earlier, later in zip(times, times[1:]):
                self.assertLessEqual(earlier, later + 5000, times)

    def test_answers_are_numbered_from_0_in_each_session(self):
        for s in self.sender(), self.sender():
            for ssid in 0, 1, 2:
                self.assertEqual([s.ask(seq, ssid=ssid).seq for seq in (100, 101, 105, 103)], [0, 1, 2, 3])

    def test_what_is_lost_on_the_way_there_shows_in_the_numbers(self):
        s = self.sender()
        first, last = s.ask(0), None
        for seq in (1, 2, 5, 6, 7, 9):
            last = s.ask(seq)
        self.assertEqual(last.sender_seq - first.sender_seq - (last.seq - first.seq), 3)

    def test_what_follows_the_base_packet_comes_back(self):
        s = self.sender()
        for rest in b"x", b"\0" * 100, os.urandom(1428):
            a = s.ask(1, rest=rest)
            if not rest[0] & 0x80:
                self.assertEqual(a.rest, rest)
            self.assertEqual(len(a.rest), len(rest))

    def test_extra_padding_is_understood_and_what_is_not_is_marked_so(self):
        a = self.sender().ask(1, rest=b"\x80\x01\0\4" + b"padd" + b"\x80\x77\0\2hi" + b"\x80\x01\0\xff")
        self.assertEqual(a.rest, b"\0\x01\0\4padd" + b"\x80\x77\0\2hi" + b"\x40\x01\0\xff")

    def test_a_twamp_light_sender_whose_padding_is_not_zero_is_answered(self):
        s = self.sender()
        for fill in (bytes(30), b"\xff" * 30, os.urandom(30), b"0123456789" * 3):
            self.assertIsNotNone(s.is_answered(probe(1)[:14] + fill))

    def test_the_answer_comes_from_the_address_that_was_asked(self):
        for host in "127.0.0.1", "127.0.0.2", "127.1.2.3":
            with Sender((host, self.serve.port)) as s:
                self.assertEqual(s.ask(1).sender_seq, 1)

    def test_ipv6_is_answered_too(self):
        with Sender(("::1", self.serve.port)) as s:
            a = s.ask(3, error=PTP, ssid=9)
            self.assertEqual((a.seq, a.sender_seq, a.ssid, a.ttl), (0, 3, 9, 64))

    def test_answers_leave_with_all_hops_so_that_those_taken_can_be_told(self):
        s = self.sender()
        s.s.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        s.s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 33)
        s.send(probe(1))
        data, control, _, _ = s.s.recvmsg(2000, 200)
        self.assertEqual(read(data).ttl, 33)
        self.assertEqual(int.from_bytes(control[0][2], sys.byteorder), 255)


class NoAnswers(Reflected):
    def test_no_answer_is_longer_or_shorter_than_its_question(self):
        s = self.sender()
        for n in [*range(0, 44), 44, 45, 1471, 1472, 1473, 1500, 9000, 40000, 65507]:
            data = (probe(1) + bytes(65536))[:n]
            answer = s.is_answered(data)
            self.assertEqual(None if answer is None else len(answer), n if 44 <= n <= 1472 else None, n)

    def test_garbage_of_every_length_is_answered_by_as_much_or_not_at_all(self):
        chance = random.Random(8762)
        for n in range(0, 1500):
            if n % 50 == 0:
                s = self.sender()
            data = chance.randbytes(n)
            answer = s.is_answered(data, after=0xFFFFFFF0)
            self.assertEqual(None if answer is None else len(answer), n if 44 <= n <= 1472 else None, n)

    def test_low_ports_are_not_answered(self):
        s = self.sender()
        try:
            low = Sender(self.address, ("127.0.0.1", 19), patience=0.3)
        except PermissionError:
            self.skipTest("this user may not bind port 19")
        self.addCleanup(low.s.close)
        low.send(probe(1))
        s.ask(1)
        self.assertIsNone(low.receive())

    def test_a_flood_is_answered_up_to_the_cap_and_costs_nobody_else_his_answer(self):
        s, other, began = self.sender(), self.sender(), time.monotonic()
        s.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        answers = 0
        for i in range(20):
            for seq in range(500):
                s.send(probe(i * 500 + seq))
            self.assertEqual(self.patient(other, i), i)
        answers = len(s.all_there_is())
        self.assertGreater(answers, 10)
        self.assertLessEqual(answers, BURST + PER_SECOND * (time.monotonic() - began) + 1)

    def patient(self, sender, seq):
        """The flood may fill the receive buffer, which all share: ask until there is an answer."""
        for _ in range(50):
            sender.send(probe(seq))
            data = sender.receive(0.2)
            while data and read(data).sender_seq != seq:
                data = sender.receive(0.2)
            if data:
                return read(data).sender_seq
        return None

    def test_two_thousand_ports_are_two_thousand_sessions_and_nobody_goes_without(self):
        steady = self.sender()
        for i in range(16):
            source = next(self.sources)
            for port in range(20000, 20125):
                with Sender(self.address, (source, port)) as s:
                    self.assertEqual(s.ask(9).seq, 0)
            self.assertLessEqual(steady.ask(i + 1).seq, i)
        self.assertEqual(steady.ask(99).sender_seq, 99)

    def test_two_reflectors_set_on_each_other_fall_silent(self):
        """Both are real; between them stand two sockets that hand on what comes, as a forged address would have it."""
        with Serve(addresses=("127.0.0.1",)) as other:
            a, b = self.sender(patience=0.5), Sender(other.address, patience=0.5)
            self.addCleanup(b.s.close)
            data, hops = probe(0), 0
            for hops in range(100):
                side = (a, b)[hops % 2]
                side.send(data)
                data = side.receive()
                if data is None:
                    break
            self.assertLessEqual(hops, 3)

    def test_what_comes_back_as_it_was_sent_is_not_answered_for_ever(self):
        s = self.sender(patience=0.5)
        data = probe(0)
        for rounds in range(100):
            s.send(data)
            data = s.receive()
            if data is None:
                break
        self.assertLessEqual(rounds, 2)


class Counters(unittest.TestCase):
    def get(self, path):
        with urllib.request.urlopen(self.serve.url + path, timeout=20) as r:
            return r.read().decode()

    def counts(self):
        udp = json.loads(self.get("/info"))["udp"]
        for name, n in udp.items():
            self.assertIn(f"\nsonde_server_udp_{name}_total {n}\n", self.get("/metrics"))
        return udp

    def test_all_that_came_is_counted_once(self):
        with Serve() as self.serve, Sender(self.serve.address) as s:
            self.assertEqual(self.counts(), {"probes": 0, "answered": 0, "refused": 0, "limited": 0})
            s.send(b"?")
            s.send(b"too short")
            for seq in range(3):
                s.ask(seq)
            self.assertEqual(self.counts(), {"probes": 5, "answered": 3, "refused": 2, "limited": 0})
            for _ in range(20):  # a busy machine may not even receive so many
                for seq in range(2000):
                    s.send(probe(seq))
                s.all_there_is()
                udp = self.counts()
                if udp["limited"] > 0:
                    break
            self.assertGreater(udp["limited"], 0, udp)
            self.assertEqual(udp["probes"], udp["answered"] + udp["refused"] + udp["limited"])


class Port(unittest.TestCase):
    def test_a_port_that_somebody_has_is_told_and_the_server_goes_on_without(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            with Serve("-p", str(port), addresses=("127.0.0.1",)) as serve:
                self.assertEqual(serve.port, port)
                self.assertRegex(serve.banner, f"UDP.*127.0.0.1:{port}.*: Address already in use\n")
                with socket.create_connection(serve.address, timeout=20) as s:
                    s.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    self.assertIn(b" 204 ", s.recv(1000))

    def test_nothing_is_said_where_all_is_well(self):
        with Serve() as serve:
            self.assertNotIn("UDP", serve.banner)

    def test_nobody_else_can_take_the_port(self):
        with Serve() as serve, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.assertRaises(OSError, s.bind, serve.address)


if __name__ == "__main__":
    unittest.main()
