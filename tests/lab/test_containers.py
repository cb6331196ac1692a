# SPDX-License-Identifier: MIT
"""Programs that believe to be alone, since each is process 1 of its container: none may see the replies of another."""

import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from net import Lab, Namespace, needs
from program import PATIENCE, refuse_sanitizer, start

CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
PROBES = 150


class ContainersLab(Lab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.near.sysctl("net.ipv4.ping_group_range", "0 2147483647")

    def at_once(self, *runs):
        """Each is a namespace and the words after `ping`. They begin together; return what each has measured."""
        started = [start("ping", "-f", "json", "-c", str(PROBES), "-i", "4ms", *words,
            inside=[*ns.inside, *CONTAINER]) for ns, words in runs]
        for p in started:
            self.addCleanup(p.kill)
        out = []
        for p in started:
            text, err = p.communicate(timeout=PATIENCE)
            refuse_sanitizer(err.decode())
            self.assertEqual((p.returncode, err), (0, b""), text)
            out.append(json.loads(text)["targets"][0])
        return out

    def assert_each_has_its_own(self, pings):
        for ping in pings:
            self.assertEqual([ping[k] for k in ("sent", "received", "lost", "late", "duplicates", "corrupt", "errors")],
                [PROBES, PROBES, 0, 0, 0, 0, 0], ping)


class OneNetwork(ContainersLab):
    def test_it_is_process_1_in_there(self):
        self.assertEqual(self.near.do(*CONTAINER, "sh", "-c", "echo $$").strip(), "1")

    def test_ten_containers_of_one_network_have_ten_times_their_own_replies(self):
        for target in ("10.77.0.2", "fd77::2"):
            for sort in ("raw", "dgram"):
                self.assert_each_has_its_own(self.at_once(*[(self.near, ("--icmp-socket", sort, target))] * 10))

    def test_ten_containers_with_both_kinds_of_sockets(self):
        self.assert_each_has_its_own(self.at_once(*[(self.near, ("--icmp-socket", sort, target))
            for sort, target in (("raw", "10.77.0.2"), ("dgram", "10.77.0.2"), ("raw", "fd77::2"), ("dgram", "fd77::2"),
                ("any", "10.77.0.2"))] * 2))


@needs("nft")
class BehindOneAddress(ContainersLab):
    """
    Ten networks with one container each behind a router that gives all of them its own address: for the target they are
    one host.
    """

    HOMES = 10

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        router = str(cls.near.holder.pid)
        cls.near.sysctl("net.ipv4.ip_forward", 1)
        cls.homes = [Namespace() for _ in range(cls.HOMES)]
        for i, home in enumerate(cls.homes):
            cls.addClassCleanup(home.close)
            home.do("ip", "link", "add", "door", "type", "veth", "peer", "name", f"home{i}", "netns", router)
            cls.near.do("ip", "addr", "add", f"10.76.{i}.1/24", "dev", f"home{i}")
            cls.near.do("ip", "link", "set", f"home{i}", "up")
            home.do("ip", "addr", "add", f"10.76.{i}.2/24", "dev", "door")
            home.do("ip", "link", "set", "door", "up")
            home.do("ip", "route", "add", "default", "via", f"10.76.{i}.1")
            home.sysctl("net.ipv4.ping_group_range", "0 2147483647")
        cls.near.do("nft", "-f", "-", data="add table ip home\n"
            "add chain ip home out { type nat hook postrouting priority 100; }\n"
            'add rule ip home out oifname "wire" masquerade\n')

    def test_each_has_its_own_replies(self):
        for sort in ("raw", "dgram"):
            self.assert_each_has_its_own(self.at_once(
                *[(home, ("--icmp-socket", sort, "10.77.0.2")) for home in self.homes]))

    def test_the_target_sees_one_host(self):
        self.far.do("nft", "-f", "-", data="add table ip seen\n"
            "add set ip seen hosts { type ipv4_addr; flags dynamic; }\n"
            "add chain ip seen in { type filter hook input priority 0; }\n"
            "add rule ip seen in icmp type echo-request add @hosts { ip saddr }\n")
        self.addCleanup(self.far.do, "nft", "delete", "table", "ip", "seen")
        self.assert_each_has_its_own(self.at_once(*[(home, ("10.77.0.2",)) for home in self.homes[:2]]))
        self.assertIn("elements = { 10.77.0.1 }", self.far.do("nft", "list", "set", "ip", "seen", "hosts"))


if __name__ == "__main__":
    unittest.main()
