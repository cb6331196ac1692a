# SPDX-License-Identifier: MIT
"""
Names that are slow, dead, wrong or hostile: they are results of their own and delay nobody. The name server is
tests/support/dns.py, in the near namespace; the host behind the names is the far one.
"""

import json
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import dns
import program
from net import Lab, PublicBinary, as_user, needs
from program import environment, one_error, read_until, start

SLOW = 3
MANY = 20
FAR = "10.77.0.2"

ZONE = {
    "quick.test": [FAR],
    "both.test": [FAR, "fd77::2"],
    "alias.test": dns.cname("quick.test"),
    "slow.test": dns.late(SLOW, [FAR]),
    "dead.test": dns.SILENT,
    "fail.test": dns.SERVFAIL,
    **{f"slow{i}.test": dns.late(SLOW, [FAR]) for i in range(8)},
    **{f"dead{i}.test": dns.SILENT for i in range(MANY)},
}


def helpers(pid):
    """The processes that this one has started, and those that they have."""
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [grandchild for child in children for grandchild in helpers(child)]


def state(pid):
    """Z is dead, if not buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


class NamesLab(Lab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.near.sysctl("net.ipv4.ping_group_range", "0 2147483647")
        cls.dns = dns.Dns(cls.near, ZONE)
        cls.addClassCleanup(cls.dns.close)

    def run_sonde(self, *args, after=(), **how):
        return program.run(*args, inside=[*self.dns.inside, *after], **how)

    def ping(self, *args, code=0, **how):
        """What came of each target, by its name."""
        r = self.run_sonde("ping", "-f", "json", *args, **how)
        self.assertEqual(r.code, code, r)
        return {t["target"]: t for t in r.json["targets"]}


class Delays(NamesLab):
    def test_a_slow_name_delays_no_probe_to_another_target(self):
        r = self.run_sonde("ping", "-f", "ndjson", "-c", "20", "-i", "50ms", FAR, "slow.test")
        self.assertEqual((r.code, r.err), (0, ""), r)
        at = next(i for i, line in enumerate(r.lines) if line["type"] == "resolve")
        self.assertEqual(r.lines[at]["target"], "slow.test")
        self.assertEqual([line["target"] for line in r.lines[:at]], [FAR] * 20, r)
        self.assertEqual([line["outcome"] for line in r.lines[at + 1:-1]], ["reply"] * 20, r)

    def test_more_dead_names_than_helpers_delay_no_probe_either(self):
        dead = [f"dead{i}.test" for i in range(MANY)]
        r = self.run_sonde("ping", "-f", "ndjson", "-c", "10", "-i", "100ms", "-W", "2s", *dead, FAR)
        self.assertEqual(r.code, 2, r)
        self.assertEqual([line["target"] for line in r.lines[:10]], [FAR] * 10, r)
        self.assertEqual({line["target"] for line in r.lines[10:-2]}, set(dead), r)

    def test_a_name_behind_more_dead_ones_than_helpers_is_looked_up_all_the_same(self):
        names = self.ping("-c", "1", "-W", "1s", *(f"dead{i}.test" for i in range(MANY)), "quick.test", code=2)
        t = names.pop("quick.test")
        self.assertEqual((t["address"], t["received"], t["resolve_error"]), (FAR, 1, None))
        for name, t in names.items():
            self.assertTrue(950 < t["resolve_ms"] < 1500, t)
            self.assertRegex(t["resolve_error"], f"^cannot resolve '{name}': no answer")

    def test_the_probes_leave_on_time_while_a_name_is_looked_up(self):
        with start("ping", "-f", "ndjson", "-c", "20", "-i", "100ms", FAR, "slow.test", inside=self.dns.inside) as p:
            times = []
            for line in p.stdout:
                if json.loads(line)["type"] != "probe":
                    break
                times.append(time.monotonic())
            p.terminate()
            p.communicate(timeout=program.PATIENCE)
        gaps = sorted(b - a for a, b in zip(times, times[1:]))
        self.assertEqual(len(times), 20)
        self.assertTrue(0.09 < gaps[10] < 0.11, gaps)

    def test_slow_names_are_looked_up_side_by_side(self):
        slow = [f"slow{i}.test" for i in range(8)]
        r = self.run_sonde("ping", "-f", "json", "-c", "1", *slow)
        self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertLess(r.seconds, 3 * SLOW, r)


class Results(NamesLab):
    def test_what_became_of_a_name_and_how_long_it_took_are_results(self):
        names = self.ping("-c", "2", "-i", "10ms", FAR, "quick.test", "alias.test", "slow.test", "no.test", "fail.test",
            code=2)
        for name in (FAR, "quick.test", "alias.test", "slow.test"):
            t = names[name]
            self.assertEqual((t["address"], t["sent"], t["received"], t["resolve_error"]), (FAR, 2, 2, None), t)
        self.assertIsNone(names[FAR]["resolve_ms"])
        self.assertLess(names["quick.test"]["resolve_ms"], 1000)
        self.assertTrue(SLOW * 1000 <= names["slow.test"]["resolve_ms"] < (SLOW + 2) * 1000, names)
        for name in ("no.test", "fail.test"):
            t = names[name]
            self.assertEqual((t["address"], t["sent"], t["lost"], t["loss_ratio"]), (None, 0, 0, None), t)
            self.assertRegex(t["resolve_error"], f"^cannot resolve '{name}': .")
            self.assertLess(t["resolve_ms"], 1000)

    def test_a_name_that_does_not_exist_is_not_one_whose_server_fails(self):
        names = self.ping("-c", "1", "no.test", "fail.test", code=2)
        self.assertNotEqual(names["no.test"]["resolve_error"].partition(": ")[2],
            names["fail.test"]["resolve_error"].partition(": ")[2])

    def test_the_families_are_told_apart(self):
        self.assertEqual(self.ping("-4", "-c", "1", "both.test")["both.test"]["address"], FAR)
        self.assertEqual(self.ping("-6", "-c", "1", "both.test")["both.test"]["address"], "fd77::2")
        t = self.ping("-6", "-c", "1", "quick.test", code=2)["quick.test"]
        self.assertEqual((t["address"], t["sent"]), (None, 0))

    def test_a_name_without_an_answer_ends_with_the_patience_there_is(self):
        r = self.run_sonde("ping", "-f", "json", "-c", "3", "-i", "10ms", "-W", "1s", FAR, "dead.test")
        self.assertEqual(r.code, 2, r)
        self.assertLess(r.seconds, 4, r)
        good, dead = r.json["targets"]
        self.assertEqual((good["received"], dead["sent"]), (3, 0), r)
        self.assertTrue(900 < dead["resolve_ms"] < 3000, r)
        self.assertIn("dead.test", one_error(r))

    def test_a_lone_name_that_fails_is_one_error(self):
        for name in ("no.test", "fail.test", "dead.test"):
            r = self.run_sonde("ping", "-c", "1", "-W", "1s", name)
            self.assertEqual(r.code, 2, r)
            self.assertRegex(one_error(r), f"^sonde: ping: .*'{name}'", r)

    def test_each_name_has_its_line_as_it_happens(self):
        r = self.run_sonde("ping", "-f", "ndjson", "-c", "1", "quick.test", "no.test")
        resolved = {line["target"]: line for line in r.lines if line["type"] == "resolve"}
        self.assertEqual(resolved["quick.test"]["address"], FAR, r)
        self.assertIsNone(resolved["quick.test"]["error"], r)
        self.assertIsNone(resolved["no.test"]["address"], r)
        self.assertIn("cannot resolve 'no.test'", resolved["no.test"]["error"], r)
        for line in resolved.values():
            self.assertEqual(list(line), ["schema", "type", "target", "address", "resolve_ms", "error"], r)
            self.assertTrue(0 <= line["resolve_ms"] < 1000, r)


class Helpers(NamesLab):
    """The processes that look names up."""

    def begin(self, *args, **how):
        """One host answers, one name hangs."""
        p = start("ping", "-f", "ndjson", "-i", "50ms", *args, FAR, "dead.test", inside=self.dns.inside, **how)
        self.addCleanup(p.communicate)
        self.addCleanup(p.kill)
        read_until(p.stdout, '"seq":2,"outcome":"reply"')
        pids = helpers(p.pid)
        self.assertGreaterEqual(len(pids), 2)
        return p, pids

    def assertEnd(self, pids, seconds=1):
        end = time.monotonic() + seconds
        while {state(pid) for pid in pids} != {"Z"}:
            self.assertLess(time.monotonic(), end, pids)
            time.sleep(0.001)

    def test_addresses_need_none(self):
        with start("ping", "-f", "ndjson", "-i", "50ms", FAR, inside=self.dns.inside) as p:
            read_until(p.stdout, '"outcome":"reply"')
            self.assertEqual(helpers(p.pid), [])
            p.terminate()
            p.communicate(timeout=program.PATIENCE)

    def test_they_have_no_privilege_and_nothing_of_ours_open(self):
        p, pids = self.begin()
        for pid in pids:
            status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            self.assertEqual((int(status["CapEff"], 16), int(status["CapPrm"], 16), status["NoNewPrivs"]), (0, 0, "1"))
            for fd in "0", "1", "2":
                self.assertEqual(os.readlink(f"/proc/{pid}/fd/{fd}"), "/dev/null")
        p.terminate()

    def test_where_the_program_is_killed_they_end_and_its_reader_sees_the_end(self):
        p, pids = self.begin()
        p.kill()
        began = time.monotonic()
        p.communicate(timeout=program.PATIENCE)
        self.assertLess(time.monotonic() - began, 1)
        self.assertEnd(pids)

    def test_an_interrupt_from_the_terminal_ends_the_run_with_its_results(self):
        p, pids = self.begin(start_new_session=True)
        os.killpg(p.pid, signal.SIGINT)
        began = time.monotonic()
        out, err = p.communicate(timeout=program.PATIENCE)
        self.assertLess(time.monotonic() - began, 4, err)
        good, dead = json.loads(out.splitlines()[-1 - (b'"type":"error"' in out)])["targets"]
        self.assertGreater(good["received"], 0)
        self.assertEqual((dead["sent"], dead["address"]), (0, None))
        self.assertEnd(pids)

    def test_where_they_are_killed_the_others_go_on_and_the_name_is_given_up(self):
        p, pids = self.begin("-c", "40", "-W", "2s")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        out, _ = p.communicate(timeout=program.PATIENCE)
        self.assertEqual(p.returncode, 2)
        results = next(line for line in map(json.loads, out.splitlines()) if line["type"] == "ping")
        good, dead = results["targets"]
        self.assertEqual((good["received"], dead["sent"]), (40, 0), out)
        self.assertTrue(dead["resolve_error"])

    def test_where_they_are_killed_the_program_does_not_spin(self):
        p, pids = self.begin("-W", "20s")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        time.sleep(1)
        fields = Path(f"/proc/{p.pid}/stat").read_text().rpartition(")")[2].split()
        self.assertLess((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 0.3)
        p.terminate()

    @needs("prlimit")
    def test_a_user_who_may_start_no_process_has_names_looked_up_all_the_same(self):
        limited = [*as_user(), "prlimit", "--nproc=0"]
        with PublicBinary():
            for targets in (["quick.test"], ["quick.test", FAR]):
                r = self.run_sonde("ping", "-c", "1", *targets, after=limited)
                self.assertEqual((r.code, r.err), (0, ""), r)

    def test_the_first_process_of_a_container_looks_names_up_too(self):
        t = self.ping("-c", "2", "-i", "10ms", "quick.test", "slow.test", after=["unshare", "-pf", "--mount-proc"])
        self.assertEqual([v["received"] for v in t.values()], [2, 2])

    def test_closed_streams_are_taken_for_no_helper(self):
        for closed in "<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-":
            r = self.run_sonde("ping", "-c", "2", "-i", "10ms", "quick.test",
                after=["sh", "-c", f'exec "$@" {closed}', "sh"])
            self.assertIn(r.code, (0, 2), r)
            self.assertEqual(r.code == 0, ">&-" not in closed.replace("2>&-", ""), r)


class Hops(NamesLab):
    """Names that routers have been given by whoever owns them."""

    HOSTILE = dns.ptr(b'e\x1b[31m"v\n.il', b"\xff", b"test")
    SHOWN = 'e\\027[31m"v\\010\\.il.'

    def hop(self, name, target, *args):
        ZONE[dns.reverse(target)] = name
        r = self.run_sonde("trace", "-f", "json", "-c", "2", "-i", "10ms", *args, target)
        self.assertEqual((r.code, r.err), (0, ""), r)
        hop = r.json["targets"][0]["hops"][0]
        self.assertEqual((hop["addresses"], hop["received"]), ([target], 2), r)
        return hop["names"][0]

    def test_a_hop_has_its_name(self):
        self.assertEqual(self.hop(dns.ptr(b"far", b"test"), FAR), "far.test")
        self.assertEqual(self.hop(dns.ptr(b"far6", b"test"), "fd77::2"), "far6.test")

    def test_a_hop_without_a_name_has_none(self):
        for name in dns.NXDOMAIN, dns.SERVFAIL, dns.SILENT, [], dns.raw(lambda at: bytes([0xc0, at])):
            self.assertIsNone(self.hop(name, FAR, "-W", "500ms"), name)

    def test_a_hostile_name_is_written_as_what_it_is(self):
        """Or not at all, where libc refuses it."""
        self.assertIn(self.hop(self.HOSTILE, FAR), (None, self.SHOWN + "\ufffd.test"))
        r = self.run_sonde("trace", "-c", "2", "-i", "10ms", FAR)
        self.assertEqual(r.code, 0, r)
        self.assertEqual([byte for byte in r.bytes if byte < 32 and byte != 10 or byte >= 127], [], r)
        if ".test" in r.out:
            self.assertIn(self.SHOWN + "\\xff.test", r.out)

    def test_names_may_be_left_out(self):
        self.dns.asked.clear()
        self.assertIsNone(self.hop(dns.ptr(b"far", b"test"), FAR, "-n"))
        self.assertEqual(self.dns.asked, [])


class Tool(NamesLab):
    """tests/sys/names.c asks for what no command alone asks for."""

    HOSTILE = {
        "192.0.2.1": ([b"good", b"test"], "good.test"),
        "192.0.2.2": ([b'a"b\\', b"test"], 'a"b\\\\.test'),
        "192.0.2.3": ([b"a\nb\r", b"test"], "a\\010b\\013.test"),
        "192.0.2.4": ([b"\x1b[31m", b"test"], "\\027[31m.test"),
        "192.0.2.5": ([b"good.test\0", b"evil"], "good\\.test\\000.evil"),
        "192.0.2.6": ([b"x" * 63, b"y" * 63, b"z" * 63, b"w" * 61], ".".join((c * 63 for c in "xyz")) + "." + "w" * 61),
        "192.0.2.7": ([b"\xff\xfe", b"test"], "\ufffd\ufffd.test"),
        "192.0.2.8": ([b"g\xc3\xbc", b"test"], "g\u00fc.test"),
        "192.0.2.9": ([b"\0" * 63, b"\0" * 63], ""),
        "2001:db8::1": ([b"six", b"test"], "six.test"),
    }
    LOOPS = {
        "192.0.2.21": lambda at: bytes([0xc0, at]),
        "192.0.2.22": lambda at: bytes([1, 0x78, 0xc0, at]),
        "192.0.2.23": lambda at: bytes([0xc0, at + 2, 0xc0, at]),
        "192.0.2.24": lambda at: b"\xff\xff",
        "192.0.2.25": lambda at: b"\x3fshort",
        "192.0.2.26": lambda at: b"",
    }

    @classmethod
    def setUpClass(cls):
        cls.tool = Path(program.SONDE).parent / "tests" / "sys" / "names"
        if not cls.tool.exists():
            raise unittest.SkipTest(f"{cls.tool} is not built: make build/tests/sys/names builds it")
        super().setUpClass()
        zone = {dns.reverse(a): dns.ptr(*labels) for a, (labels, _) in cls.HOSTILE.items()}
        zone.update({dns.reverse(a): dns.raw(data) for a, data in cls.LOOPS.items()})
        zone[dns.reverse("192.0.2.31")] = dns.SILENT
        zone[dns.reverse("192.0.2.32")] = dns.late(SLOW, dns.ptr(b"slow", b"test"))
        zone[dns.reverse("192.0.2.33")] = dns.cname("1.sub.test")
        zone.update({f"silent{i}.test": dns.SILENT for i in range(6)})
        zone["1.sub.test"] = dns.ptr(b"aliased", b"test")
        # Other namespaces are other name servers.
        cls.dns = dns.Dns(cls.far, zone, hosts="127.0.0.1 localhost\n192.0.2.40\tFirst.Example second\n",
            conf="options timeout:2\n")
        cls.addClassCleanup(cls.dns.close)

    def ask(self, *words, workers=8, patience=10000):
        p = subprocess.run([*self.dns.inside, str(self.tool), str(workers), str(patience), *words], capture_output=True,
            timeout=program.PATIENCE, env=environment(), preexec_fn=program.die_with_parent)
        self.assertEqual(p.returncode, 0, p)
        for byte in p.stdout:
            self.assertTrue(byte == 10 or 32 <= byte < 127 or byte >= 128, p.stdout)
        answers = [json.loads(line) for line in p.stdout.splitlines()]
        self.assertEqual(sorted(a["word"] for a in answers), sorted(words))
        return {a["word"]: a for a in answers}

    def test_names_from_strangers_are_written_without_a_byte_that_could_be_taken_for_another(self):
        """libc's own way refuses most of them."""
        answers = self.ask(*("@" + a for a in self.HOSTILE))
        for a, (_, text) in self.HOSTILE.items():
            self.assertIn(answers["@" + a]["text"], (text, ""), a)
        for a in "192.0.2.1", "2001:db8::1":
            self.assertEqual(answers["@" + a]["text"], self.HOSTILE[a][1])

    def test_names_that_lead_in_circles_or_nowhere_are_none(self):
        answers = self.ask(*("@" + a for a in self.LOOPS))
        self.assertEqual({a["text"] for a in answers.values()}, {""})

    def test_an_alias_of_a_reverse_name_is_followed(self):
        self.assertEqual(self.ask("@192.0.2.33")["@192.0.2.33"]["text"], "aliased.test")

    def test_hosts_comes_before_the_name_server(self):
        self.dns.asked.clear()
        answers = self.ask("@192.0.2.40", "@127.0.0.1", "first.example")
        self.assertEqual([answers[w]["text"] for w in ("@192.0.2.40", "@127.0.0.1")], ["First.Example", "localhost"])
        self.assertEqual(answers["first.example"]["address"], "192.0.2.40")
        self.assertEqual(self.dns.asked, [])

    def test_a_slow_answer_comes_behind_the_quick_ones(self):
        answers = self.ask("@192.0.2.32", "@192.0.2.1", "@192.0.2.99", workers=2)
        self.assertEqual(list(answers)[-1], "@192.0.2.32")
        self.assertEqual([a["text"] for a in answers.values()][-1], "slow.test")
        self.assertGreaterEqual(answers["@192.0.2.32"]["took_ms"], SLOW * 1000 - 50)

    def test_a_silent_server_is_given_up_after_the_patience_there_is(self):
        a = self.ask("@192.0.2.31", patience=1000)["@192.0.2.31"]
        self.assertEqual(a["text"], "")
        self.assertTrue(950 < a["took_ms"] < 1500, a)

    def test_more_silent_names_than_workers_delay_the_others_by_no_more_than_that(self):
        silent = [f"silent{i}.test" for i in range(6)]
        answers = self.ask(*silent, "@192.0.2.1", workers=2, patience=1000)
        self.assertEqual(answers["@192.0.2.1"]["text"], "good.test")
        self.assertTrue(2900 < answers["@192.0.2.1"]["at_ms"] < 4000, answers)
        for name in silent:
            self.assertRegex(answers[name]["text"], f"^cannot resolve '{name}': no answer.* within 1 s$")


if __name__ == "__main__":
    unittest.main()
