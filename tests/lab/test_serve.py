# SPDX-License-Identifier: MIT
"""Who is answered: private, link-local and loopback peers always, the others with --public only."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from net import Lab
from program import PATIENCE

# What a peer's address may be (RFC 1918, 3927, 4193, 4291, 6598), and what it may not.
WELCOME = ("10.77.0.1", "172.16.5.1", "192.168.5.1", "169.254.5.1", "100.64.5.1", "fd77::1")
STRANGERS = ("203.0.113.9", "172.32.5.1", "192.169.5.1", "11.0.0.1", "2001:db8:5::1")

PROBE = """
import http.client, sys
source, host, port = sys.argv[1:]
c = http.client.HTTPConnection(host, int(port), timeout=%d, source_address=(source, 0))
c.request("GET", "/ping")
r = c.getresponse()
print(r.status, r.read().decode())
""" % PATIENCE


class Peers(Lab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for a in WELCOME + STRANGERS:
            cls.near.do("ip", "addr", "replace", a + ("/128" if ":" in a else "/32"), "dev", "wire",
                *(["nodad"] if ":" in a else []))
            cls.far.do("ip", "route", "replace", a + ("/128" if ":" in a else "/32"), "dev", "wire")
        cls.far.do("ip", "addr", "add", "203.0.113.1/24", "dev", "wire")
        cls.private, cls.public = cls.serve(), cls.serve("--public")

    def ask(self, s, source, host=None):
        host = host or ("fd77::2" if ":" in source else "10.77.0.2")
        status, _, body = self.near.do("python3", "-c", PROBE, source, host, str(s.port)).partition(" ")
        return int(status), body

    def test_private_and_link_local_peers_are_answered(self):
        for source in WELCOME:
            self.assertEqual(self.ask(self.private, source)[0], 204, source)

    def test_public_peers_are_refused_and_told_why(self):
        for source in STRANGERS:
            status, body = self.ask(self.private, source)
            self.assertEqual(status, 403, source)
            self.assertIn("--public", body)

    def test_public_peers_are_answered_with_public(self):
        for source in STRANGERS + WELCOME:
            self.assertEqual(self.ask(self.public, source)[0], 204, source)

    def test_a_private_peer_may_use_a_public_address_of_the_server(self):
        self.near.do("ip", "route", "replace", "203.0.113.1/32", "dev", "wire")
        self.assertEqual(self.ask(self.private, "10.77.0.1", "203.0.113.1")[0], 204)

    def test_link_local_peers_over_ipv6_are_answered(self):
        r = self.sonde("check", "--only", "download", "--time", "100ms",
            f"http://[{self.link_local}%wire]:{self.private.port}/")
        self.assertEqual((r.code, r.err), (0, ""), r)

    def test_a_check_from_a_public_address_says_what_the_server_said(self):
        r = self.sonde("check", "-S", "203.0.113.9", "-c", "1", "--only", "download", f"10.77.0.2:{self.private.port}")
        self.assertEqual(r.code, 1, r)
        self.assertIn("403", r.out + r.err, r)
        self.assertNotIn("bit/s", r.out)

    def test_a_check_from_a_public_address_is_measured_with_public(self):
        r = self.sonde("check", "-S", "203.0.113.9", "--time", "200ms", "-c", "2", "-f", "json",
            f"10.77.0.2:{self.public.port}")
        self.assertEqual(r.code, 0, r)
        self.assertEqual((r.json["download"]["status"], r.json["upload"]["status"]), ("ok", "ok"))

    def test_the_banner_says_who_is_answered(self):
        self.assertIn("private addresses only (--public for all)", self.private.banner)
        self.assertIn("to everybody", self.public.banner)

    def test_the_banner_names_addresses_that_work_the_private_ones_first(self):
        self.assertLess(self.public.banner.index("sonde 10.77.0.2:"), self.public.banner.index("sonde 203.0.113.1:"))
        self.assertNotIn("sonde 203.0.113.1:", self.private.banner)


if __name__ == "__main__":
    unittest.main()
