# SPDX-License-Identifier: MIT
"""
Tests as rows: a server that does one thing, the sonde that meets it, and what a user must see. They wait for time-outs
most of the time, so all rows of a file run side by side, and each test then looks at its own.
"""

import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from hostile import Hostile
from program import figures, one_error, run

# Every step may take a second, and a few steps follow one another; the rest is for a slow machine.
LONGEST = 25

QUICK = ("-W", "1s", "--time", "1s", "-c", "1")


def probe(talk, make_args):
    with Hostile(talk) as server:
        r = run(*make_args(server))
        r.server = server
        return r


class Rows(unittest.TestCase):
    jobs = {}
    results = {}

    @classmethod
    def row(cls, sentence, talk, make_args, judge, fast=False):
        """`talk` is the server's, `make_args(server)` the words after sonde, `judge(test, result)` the assertions."""
        key = cls.__name__, "test_" + sentence
        assert key not in Rows.jobs, key
        Rows.jobs[key] = talk, make_args, fast

        def test(self):
            judge(self, self.result())

        setattr(cls, key[1], test)

    def result(self):
        r = Rows.results[type(self).__name__, self._testMethodName].result()
        self.assertLess(r.seconds, LONGEST, r)
        return r


def begin():
    """
    For setUpModule: all rows of the file begin. Those that move data as fast as they can come when most of the others
    are through, and one by one: Python cannot serve them beside a crowd.
    """
    many, one = ThreadPoolExecutor(24), ThreadPoolExecutor(1)
    unittest.addModuleCleanup(many.shutdown)
    unittest.addModuleCleanup(one.shutdown)
    crowd = {key: many.submit(probe, talk, args) for key, (talk, args, fast) in Rows.jobs.items() if not fast}

    def wait_for_crowd():
        while sum(not f.done() for f in crowd.values()) > 6:
            time.sleep(0.05)

    one.submit(wait_for_crowd)
    Rows.results.update(crowd)
    Rows.results.update((key, one.submit(probe, talk, args)) for key, (talk, args, fast) in Rows.jobs.items() if fast)


class Flow(Rows):
    """One direction of `http://h:p/file` is asked for. Not measured is: exit code 1, a reason, and not one figure."""

    direction = ""

    @classmethod
    def measure(cls, *more):
        return lambda s: ("check", *QUICK, "-f", "json", "--only", cls.direction, *more, s.url + "/file")

    def is_not_measured(self, r, words, status="failed"):
        self.assertEqual(r.code, 1, r)
        if r.err:
            self.assertRegex(one_error(r), rf"^sonde: check: the server.* {words}$", r)
            self.assertEqual(r.out, "", r)
            return
        flow = r.json[self.direction]
        self.assertEqual(flow["status"], status, r)
        self.assertRegex(flow["reason"], f"{words}$", r)
        self.assertEqual(figures(flow), {}, r)

    def is_measured(self, r):
        self.assertEqual((r.code, r.err), (0, ""), r)
        flow = r.json[self.direction]
        self.assertEqual(flow["status"], "ok", r)
        self.assertGreater(flow["bits_per_second"], 0, r)
        return flow

    @classmethod
    def refused(cls, sentence, talk, words, *more, status="failed"):
        cls.row(sentence, talk, cls.measure(*more), lambda self, r: self.is_not_measured(r, words, status))

    @classmethod
    def taken(cls, sentence, talk, judge=None, *more):
        cls.row(sentence, talk, cls.measure("--time", "400ms", *more), lambda self,
            r: (judge or (lambda *_: None))(self, self.is_measured(r), r), True)
