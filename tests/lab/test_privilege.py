# SPDX-License-Identifier: MIT
"""The same measurement with less and less permission; each way says why it is not the better one."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from net import NOBODY, Lab, PublicBinary, as_user, needs
from program import Serve, hints, one_error

NOBODY_RANGE, EVERYBODY = "1 0", "0 2147483647"
WITH_CAPABILITY = ("--inh-caps", "+net_raw", "--ambient-caps", "+net_raw")


class PrivilegeLab(Lab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lent = PublicBinary()
        lent.__enter__()
        cls.addClassCleanup(lent.__exit__)

    def allow(self, groups):
        self.near.sysctl("net.ipv4.ping_group_range", groups)


@needs("setpriv")
class Users(PrivilegeLab):
    def ping(self, *args, user=(), target="10.77.0.2", code=0):
        r = self.sonde("ping", "-c", "3", "-i", "10ms", "-f", "json", *args, target, after=as_user(*user))
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r.json["targets"][0]

    def test_a_plain_user_whose_group_may_has_the_datagram_socket_and_kernel_stamps(self):
        self.allow(f"{NOBODY} {NOBODY}")
        for target in ("10.77.0.2", "fd77::2"):
            ping = self.ping(target=target)
            self.assertEqual((ping["method"], ping["received"], ping["stamps"]), ("icmp-dgram", 3, "kernel-txrx"),
                target)
            self.assertTrue(ping["method_reason"], ping)

    def test_a_plain_user_whose_group_may_not_falls_back_to_tcp_and_says_why(self):
        self.allow(NOBODY_RANGE)
        ping = self.ping()
        self.assertEqual((ping["method"], ping["received"]), ("tcp", 3))
        self.assertRegex(ping["method_reason"], "(Permission denied|Operation not permitted)")

    def test_the_text_says_it_too(self):
        self.allow(NOBODY_RANGE)
        r = self.sonde("ping", "-c", "1", "10.77.0.2", after=as_user())
        self.assertEqual(r.code, 0, r)
        self.assertIn("by TCP connections.", r.out)
        self.assertRegex(r.out, r"(?m)^no ICMP: .+ \(sonde caps tells more\)$")
        self.allow(EVERYBODY)
        r = self.sonde("ping", "-c", "1", "10.77.0.2", after=as_user())
        self.assertRegex(r.out, r"(?m)^unprivileged socket: .+ \(sonde caps tells more\)$")

    def test_a_user_with_the_capability_has_the_raw_socket(self):
        self.allow(NOBODY_RANGE)
        ping = self.ping(user=WITH_CAPABILITY)
        self.assertEqual((ping["method"], ping["method_reason"], ping["received"]), ("icmp-raw", "", 3))

    def test_icmp_alone_is_refused_with_a_way_out(self):
        self.allow(NOBODY_RANGE)
        for args in (("--via", "icmp"), ("--icmp-socket", "raw", "--via", "icmp")):
            r = self.sonde("ping", "-c", "1", *args, "10.77.0.2", after=as_user())
            self.assertEqual((r.code, r.out), (2, ""), r)
            self.assertRegex(one_error(r),
                "^sonde: ping: cannot open an? (raw )?ICMP socket: (Permission denied|Operation not permitted)$")
            self.assertIn("sonde caps", hints(r))

    def test_root_without_the_capability_is_a_plain_user(self):
        self.allow(NOBODY_RANGE)
        r = self.sonde("ping", "-c", "3", "-i", "10ms", "-f", "json", "10.77.0.2",
            after=["setpriv", "--bounding-set=-net_raw", "--"])
        self.assertEqual(r.code, 0, r)
        self.assertEqual(r.json["targets"][0]["method"], "tcp")

    def test_a_silent_host_is_exit_code_1_and_no_fault_after_the_fall_back(self):
        self.allow(NOBODY_RANGE)
        r = self.sonde("ping", "-c", "2", "-i", "10ms", "-W", "300ms", "10.77.0.99", after=as_user())
        self.assertEqual((r.code, r.err), (1, ""), r)

    def test_a_check_of_a_plain_user_measures_everything(self):
        self.allow(NOBODY_RANGE)
        r = self.sonde("check", "--time", "300ms", "-c", "3", "-f", "json", self.serve().target, after=as_user())
        self.assertEqual((r.code, r.err), (0, ""), r)
        doc = r.json
        self.assertEqual((doc["ping"]["method"], doc["download"]["status"], doc["upload"]["status"]),
            ("tcp", "ok", "ok"))
        self.assertTrue(doc["ping"]["method_reason"], doc["ping"])

    def test_a_plain_user_may_serve(self):
        with Serve(addresses=("10.77.0.1",), inside=[*self.near.inside, *as_user()]) as s:
            self.assertEqual(self.sonde("check", "--only", "download", "--time", "100ms", s.target).code, 0)

    def test_a_port_below_1024_is_refused(self):
        self.near.sysctl("net.ipv4.ip_unprivileged_port_start", 1024)
        r = self.sonde("serve", "-p", "80", "-b", "10.77.0.1", after=as_user())
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertEqual(one_error(r), "sonde: serve: cannot listen on '10.77.0.1:80': Permission denied")


@needs("setpriv")
class Caps(PrivilegeLab):
    """`sonde caps` says the same as the measurement does, and the command that changes it."""

    def caps(self, *user):
        r = self.sonde("caps", "-f", "json", after=as_user(*user))
        self.assertEqual((r.code, r.err), (0, ""), r)
        return r.json

    def test_an_empty_group_range_is_the_reason_and_sysctl_the_fix(self):
        self.allow(NOBODY_RANGE)
        doc = self.caps()
        self.assertEqual((doc["icmp_raw"], doc["icmp_dgram"], doc["cap_net_raw"]), (False, False, False))
        self.assertTrue(any("ping_group_range is empty" in x for x in doc["reasons"]), doc)
        self.assertTrue(any("sysctl -w net.ipv4.ping_group_range" in x for x in doc["fixes"]), doc)

    def test_a_range_without_our_group_is_told_apart(self):
        self.allow("0 10")
        self.assertTrue(any("none of this user's groups" in x for x in self.caps()["reasons"]))

    def test_the_fix_fixes_it(self):
        self.allow(NOBODY_RANGE)
        fix = next(x for x in self.caps()["fixes"] if x.startswith("sysctl"))
        self.near.do("sh", "-c", fix.split("   (")[0].replace("sysctl -w", "sysctl -q -w"))
        self.assertIs(self.caps()["icmp_dgram"], True)

    def test_no_new_privs_and_a_bounding_set_are_told(self):
        self.allow(NOBODY_RANGE)
        doc = self.caps("--no-new-privs")
        self.assertIs(doc["no_new_privs"], True)
        self.assertTrue(any("no_new_privs" in x for x in doc["reasons"]), doc)
        doc = self.caps("--bounding-set=-net_raw")
        self.assertTrue(any("bounding set" in x for x in doc["reasons"]), doc)

    def test_the_capability_is_enough_and_nothing_is_proposed(self):
        self.allow(NOBODY_RANGE)
        doc = self.caps(*WITH_CAPABILITY)
        self.assertEqual((doc["icmp_raw"], doc["reasons"], doc["fixes"]), (True, [], []))


if __name__ == "__main__":
    unittest.main()
