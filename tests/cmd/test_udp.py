# SPDX-License-Identifier: MIT
"""ping by UDP: against our own reflector, against one of Python that can be told to lie, and where nobody reflects."""

import random
import re
import socket
import struct
import sys
import threading
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from formats import prometheus, rows
from program import Serve, one_error, hints, run

QUICK = ("-i", "5ms", "-W", "300ms")
UNIX_IN_NTP = 2208988800
WAYS = "there_lost there_loss_ratio back_lost back_loss_ratio".split()
QUEUES = "there_queue_p50_ms there_queue_p99_ms back_queue_p50_ms back_queue_p99_ms".split()


def closed_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Reflector:
    """
    A STAMP reflector (RFC 8762) that counts from 0. `there` and `back`: which of the probes it did not have, and
    which answers nobody gets, the first being 1. `lie` makes other answers out of one; `number` its number.
    """

    def __init__(self, there=(), back=(), ptp=False, ahead=12345.0, number=None, lie=None):
        self.there, self.back, self.ptp, self.ahead, self.number, self.lie = there, back, ptp, ahead, number, lie
        self.probes, self.socket = [], socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.other.bind(("127.0.0.1", 0))
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.target = f"udp://127.0.0.1:{self.socket.getsockname()[1]}"
        self.ended = False
        self.thread = threading.Thread(target=self._reflect, daemon=True)

    def _time(self):
        t = time.time_ns() + int(self.ahead * 1e9)
        seconds, rest = divmod(t, 10**9)
        return seconds << 32 | rest if self.ptp else (seconds + UNIX_IN_NTP << 32 | (rest << 32) // 10**9) % 2**64

    def _reflect(self):
        answered = 0
        while not self.ended:
            try:
                probe, peer = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            heard = self._time()
            self.probes.append(probe)
            if len(self.probes) in self.there:
                continue
            number = self.number(probe, answered) if self.number else answered
            answered += 1
            answer = struct.pack("!IQHHQ14s2sB3s", number % 2**32, self._time(), 0x4001 if self.ptp else 1, 0, heard,
                probe[:14], b"", 255, b"")
            if len(self.probes) not in self.back:
                for a in self.lie(answer) if self.lie else [answer]:
                    self.send(a, peer)

    def send(self, answer, peer):
        self.socket.sendto(answer, peer)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        self.socket.close()
        self.other.close()


class Udp(unittest.TestCase):
    def ping(self, *args, code=0):
        r = run("ping", *QUICK, *args)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r

    def figures(self, reflector, count=20, code=0):
        with reflector as r:
            doc = self.ping("-c", str(count), "-f", "json", r.target, code=code).json["targets"][0]
        self.assertEqual((doc["method"], doc["sent"]), ("udp", count), doc)
        return doc

    def assert_unknown(self, doc, keys):
        self.assertEqual({k: doc[k] for k in keys}, dict.fromkeys(keys), doc)


class Served(Udp):
    @classmethod
    def setUpClass(cls):
        cls.serve = Serve(addresses=("127.0.0.1", "::1"))
        cls.addClassCleanup(cls.serve.stop)

    def test_our_own_server_reflects_at_its_own_port_and_counts(self):
        for target in self.serve.target, f"[::1]:{self.serve.port}":
            doc = self.ping("-c", "20", "-f", "json", "--via", "udp", target).json["targets"][0]
            self.assertEqual([doc[k] for k in ("method", "sent", "received", "lost", *WAYS)],
                ["udp", 20, 20, 0, 0, 0, 0, 0], doc)
            for k in QUEUES:
                self.assertGreaterEqual(doc[k], 0, doc)

    def test_the_lines_are_those_of_ping_and_one_for_each_way(self):
        out = self.ping("-c", "4", "udp://" + self.serve.target).out
        self.assertTrue(out.startswith(f"PING udp://{self.serve.target} (127.0.0.1) by UDP probes.\n"), out)
        self.assertEqual(re.findall(r"(?m)^44 bytes from .*: udp_seq=(\d+) ttl=\d+ time=\d+\.\d{3} ms$", out),
            ["1", "2", "3", "4"], out)
        self.assertRegex(out, r"(?m)^rtt p50/p90/p99 = .*; udp, stamps ")
        for way in "there", "back":
            self.assertRegex(out, rf"(?m)^{way}: lost 0 of 4 \(0%\), queue p50 \d+\.\d{{3}} p99 \d+\.\d{{3}} ms$")

    def test_each_run_is_a_session_of_its_own(self):
        for _ in range(3):
            doc = self.ping("-c", "3", "-f", "json", "udp://" + self.serve.target).json["targets"][0]
            self.assertEqual([doc[k] for k in WAYS], [0, 0, 0, 0], doc)

    def test_many_targets_are_told_apart(self):
        targets = [f"udp://127.0.0.1:{self.serve.port}", f"udp://[::1]:{self.serve.port}",
            f"udp://localhost:{self.serve.port}"]
        for t in self.ping("-c", "5", "-f", "json", *targets).json["targets"]:
            self.assertEqual([t[k] for k in ("received", *WAYS)], [5, 0, 0, 0, 0], t)

    def test_csv_and_prometheus_have_the_ways(self):
        row, = rows(self.ping("-c", "4", "-f", "csv", "udp://" + self.serve.target).out)
        self.assertEqual((row["there_lost"], row["back_lost"]), ("0", "0"))
        names = {name for name, _ in prometheus(self.ping("-c", "4", "-f", "prom", "udp://" + self.serve.target).out)}
        for name in "there_lost_total", "back_loss_ratio", "there_queue_p50_seconds", "back_queue_p99_seconds":
            self.assertIn("sonde_ping_" + name, names)


class Reflected(Udp):
    def test_each_loss_is_told_by_its_way(self):
        doc = self.figures(Reflector(there={3, 4, 9}, back={5, 12}))
        self.assertEqual([doc[k] for k in ("received", "lost", "there_lost", "back_lost")], [15, 5, 3, 2], doc)
        self.assertAlmostEqual(doc["there_loss_ratio"], 3 / 20)
        self.assertAlmostEqual(doc["back_loss_ratio"], 2 / 17, places=5)

    def test_what_is_lost_last_is_told_of_neither(self):
        with Reflector(there={2, 20}, back={19}) as r:
            out = self.ping("-c", "20", r.target).out
        self.assertIn("\nthere: lost 1 of 18 (5.5556%), queue ", out)
        self.assertIn("\nback: lost 0 of 17 (0%), queue ", out)

    def test_both_formats_of_time_do(self):
        for ptp in False, True:
            doc = self.figures(Reflector(ptp=ptp))
            self.assertEqual(doc["received"], 20)
            for k in QUEUES:
                self.assertIsNotNone(doc[k], doc)
                self.assertGreaterEqual(doc[k], 0)
                self.assertLessEqual(doc[k], doc["rtt_max_ms"], doc)

    def test_a_reflector_that_copies_our_numbers_does_not_tell_the_ways(self):
        copied = lambda probe, _: struct.unpack("!I", probe[:4])[0]
        doc = self.figures(Reflector(number=copied, back={4}))
        self.assertEqual((doc["received"], doc["lost"]), (19, 1))
        self.assert_unknown(doc, WAYS)
        self.assertIsNotNone(doc["there_queue_p50_ms"])
        with Reflector(number=copied) as r:
            self.assertEqual(self.ping("-c", "3", r.target).out.count(
                ": losses cannot be told apart, since the reflector does not count our probes, queue p50 "), 2)

    def test_one_that_starts_again_in_the_middle_is_counted_on(self):
        doc = self.figures(Reflector(there={11, 12}, back={3}, number=lambda _, n: n if n < 10 else n - 10))
        self.assertEqual([doc[k] for k in ("lost", "there_lost", "back_lost")], [3, 2, 1], doc)

    def test_a_session_that_has_begun_before_is_counted_from_its_first_answer(self):
        doc = self.figures(Reflector(there={1, 2, 7}, number=lambda _, n: n + 100000))
        self.assertEqual([doc[k] for k in ("lost", "there_lost", "back_lost")], [3, 1, 0], doc)

    def test_a_clock_that_stands_tells_no_queue_and_the_losses_all_the_same(self):
        doc = self.figures(Reflector(lie=lambda a: [a[:4] + bytes(8) + a[12:16] + bytes(8) + a[24:]], there={5}))
        self.assert_unknown(doc, QUEUES)
        self.assertEqual((doc["received"], doc["there_lost"], doc["back_lost"]), (19, 1, 0))

    def test_the_probes_are_those_of_stamp(self):
        with Reflector() as r:
            self.ping("-c", "3", r.target)
        self.assertEqual({len(p) for p in r.probes}, {44})
        self.assertEqual({p[16:] for p in r.probes}, {bytes(28)})
        numbers, times, errors, sessions = zip(*(struct.unpack("!IQHH", p[:16]) for p in r.probes))
        self.assertEqual([(n - numbers[0]) % 2**32 for n in numbers], [0, 1, 2])
        self.assertEqual(set(errors), {1}, "not synchronised, NTP's format, a multiplier that is not 0")
        self.assertEqual(len(set(sessions)), 1)
        self.assertLess(abs((times[0] >> 32) - UNIX_IN_NTP - time.time()), 60)

    def test_an_answer_of_twamp_light_is_shorter(self):
        doc = self.figures(Reflector(lie=lambda a: [a[:41]], there={2}))
        self.assertEqual((doc["received"], doc["there_lost"], doc["back_lost"]), (19, 1, 0))


class Lied(Udp):
    def test_an_echo_of_other_bytes_is_no_answer(self):
        for at in 28, 35:
            doc = self.figures(Reflector(lie=lambda a: [a[:at] + bytes([a[at] ^ 1]) + a[at + 1:]]), 4, code=1)
            self.assertEqual((doc["received"], doc["corrupt"], doc["lost"]), (0, 4, 4), doc)
            self.assert_unknown(doc, WAYS + QUEUES)

    def test_what_is_too_short_says_nothing(self):
        for n in 0, 1, 28, 40:
            doc = self.figures(Reflector(lie=lambda a: [a[:n]]), 4, code=1)
            self.assertEqual((doc["received"], doc["corrupt"], doc["lost"]), (0, 0, 4), doc)

    def test_more_than_was_asked_for_does_no_harm(self):
        doc = self.figures(Reflector(lie=lambda a: [a + bytes(20000)]), 4)
        self.assertEqual((doc["received"], doc["lost"]), (4, 0))

    def test_two_answers_are_one_and_a_duplicate(self):
        doc = self.figures(Reflector(lie=lambda a: [a, a], there={3}))
        self.assertEqual([doc[k] for k in ("received", "duplicates", "there_lost", "back_lost")], [19, 19, 1, 0], doc)

    def test_an_answer_from_another_port_is_a_stranger_s(self):
        class Elsewhere(Reflector):
            def send(self, answer, peer):
                self.other.sendto(answer, peer)

        doc = self.figures(Elsewhere(), 4, code=1)
        self.assertEqual((doc["received"], doc["corrupt"], doc["lost"]), (0, 0, 4), doc)

    def test_silence_is_loss_and_no_way_has_it(self):
        with Reflector(lie=lambda _: []) as r:
            result = self.ping("-c", "4", r.target, code=1)
            doc = self.ping("-c", "4", "-f", "json", r.target, code=1).json["targets"][0]
        self.assertNotIn("there:", result.out)
        self.assert_unknown(doc, WAYS + QUEUES)

    def test_times_and_numbers_by_chance_claim_no_loss(self):
        chance = random.Random(5)
        doc = self.figures(Reflector(lie=lambda a: [chance.randbytes(12) + a[12:16] + chance.randbytes(8) + a[24:]]))
        self.assertEqual((doc["received"], doc["lost"]), (20, 0), doc)
        self.assertIn(doc["there_lost"], (None, 0))
        self.assertIn(doc["back_lost"], (None, 0))


class Refused(Udp):
    def test_a_closed_port_is_said_in_words(self):
        port = closed_udp_port()
        r = self.ping("-c", "3", f"udp://127.0.0.1:{port}", code=1)
        self.assertIn("From 127.0.0.1 udp_seq=1 nobody reflects UDP there; start one: sonde serve\n", r.out)
        self.assertIn("\n3 x nobody reflects UDP there; start one: sonde serve, from 127.0.0.1\n", r.out)
        doc = self.ping("-c", "3", "-f", "json", f"udp://127.0.0.1:{port}", code=1).json["targets"][0]
        self.assertEqual((doc["errors"], doc["lost"], doc["error_kinds"][0]["icmp_type"]), (3, 3, 3), doc)

    def test_one_run_measures_one_way(self):
        for words in (["--via", "icmp", "udp://127.0.0.1"], ["udp://127.0.0.1", "tcp://127.0.0.1:80"]):
            r = run("ping", "-c", "1", *words)
            self.assertEqual(r.code, 2, r)
            self.assertIn("one run measures one way", one_error(r))

    def test_a_path_is_refused_with_what_works(self):
        r = run("ping", "-c", "1", "udp://127.0.0.1:862/x")
        self.assertEqual((r.code, hints(r)), (2, ["udp://127.0.0.1:862"]), r)

    def test_trace_takes_no_reflector(self):
        r = run("trace", "udp://127.0.0.1")
        self.assertEqual(r.code, 2, r)
        self.assertIn("is a reflector, and trace takes hosts", one_error(r))


if __name__ == "__main__":
    unittest.main()
