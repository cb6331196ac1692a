# SPDX-License-Identifier: MIT
"""
Hosts and routers that lie, stammer and come too late (tests/support/responder.py): what ping must make of each, the
same on the raw and on the datagram socket, over IPv4 and IPv6.

Where the sockets differ it is the kernel's doing and the row says so. A datagram socket is not shown what has a wrong
checksum, nor the errors that Linux has no number for, and is shown errors that no careful reader would believe: the
kernel looks at the identifier in the quote and at little else. On both, IPv6 with a wrong checksum ends in the kernel.
"""

import json
import re
import resource
import signal
import sys
import tempfile
import time
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from formats import prometheus, rows
from net import PublicBinary, as_user, needs, with_hosts
from program import PATIENCE, one_error, refuse_sanitizer, run, start
from responder import ALL_ERRORS, CROWD, DEVICE, OURS, ROUTER, STRANGER, LiarsLab, address_of

SOCKETS = ("raw", "dgram")
COUNTS = ("sent", "received", "lost", "in_flight", "late", "duplicates", "reordered", "corrupt", "errors")
WITH_RAW = ("--inh-caps", "+net_raw", "--ambient-caps", "+net_raw")


class HostileLab(LiarsLab):
    def pinged(self, *args, code=0, **how):
        r = self.sonde("ping", "-f", "json", *args, **how)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r.json["targets"][0]


class Row:
    """One kind of host and the counts of a run against it; those that are not named are 0, and the rest is lost."""

    def __init__(self, sentence, kind, families=(4, 6), probes=6, args=(), like=None, **expected):
        self.sentence, self.kind, self.families, self.probes, self.args = sentence, kind, families, probes, args
        self.like = like  # a closer look at the events
        self.special = {k: expected.pop(k) for k in list(expected) if k.startswith(SOCKETS)}
        self.expected = expected

    def counts(self, sort, family):
        want = dict.fromkeys(COUNTS, 0) | {"sent": self.probes}
        want |= self.expected | self.special.get(f"{sort}{family}", {})
        # What the kernel takes from a raw IPv6 socket for a wrong checksum, of whomever, it counts as a drop of that.
        if (sort, family) != ("raw", 6):
            want["local_drops"] = 0
        want["lost"] = want["sent"] - want["received"] - want["late"]
        return want

    def run(self, lab, sort, family):
        times = ("-i", "50ms", "-W", "200ms") if self.kind.startswith("first_two") else ("-i", "20ms", "-W", "300ms")
        return run("ping", "--icmp-socket", sort, "-f", "ndjson", "-c", str(self.probes), *times, *self.args,
            lab.liars.host(self.kind, family), inside=lab.near.inside)


def told(name, values):
    """The events, one behind another, have these values."""
    def look(test, events, r):
        test.assertEqual([e[name] for e in events], values, r)

    return look


def errors_are(family_errors, source=ROUTER):
    def look(test, events, r):
        family = 6 if ":" in events[0]["address"] else 4
        got = [(e["from"], e["icmp_type"], e["icmp_code"]) for e in events if e["outcome"] == "error"]
        known = [e for e in family_errors[family] if (family, *e) != (4, 11, 1) or "dgram" not in events[0]["method"]]
        test.assertEqual(got, [(source[family], *e) for e in known], r)
        test.assertTrue(all(e["error"] for e in events if e["outcome"] == "error"), r)

    return look


ALL = (
    Row("an_honest_host_answers_every_probe", "honest", received=6),
    Row("a_silent_host_answers_none", "silent"),

    Row("a_reply_from_another_address_is_nobodys", "from_another_address"),
    Row("the_right_host_counts_whoever_else_answers_first", "from_another_address_first", received=6),
    Row("a_reply_with_another_id_is_not_ours", "foreign_id"),
    Row("a_reply_to_a_number_that_was_never_sent_is_not_ours", "seq_that_was_never_sent"),
    Row("the_number_of_the_probe_before_with_the_payload_of_this_one_is_corrupt", "seq_of_the_one_before", corrupt=5),
    Row("the_payload_of_the_probe_before_with_the_number_of_this_one_is_corrupt", "payload_of_the_one_before",
        corrupt=5),
    Row("a_payload_that_a_stranger_made_up_is_corrupt_and_no_reply", "payload_of_a_stranger", corrupt=6),
    Row("a_forged_reply_does_not_keep_out_the_true_one", "payload_of_a_stranger_first", corrupt=6, received=6),
    Row("our_own_request_is_no_reply", "our_own_request"),
    Row("other_answers_than_echo_replies_are_none", "other_types"),
    Row("a_reply_with_an_odd_code_and_our_bytes_is_a_reply", "other_code", received=6),

    Row("a_packet_that_is_shorter_than_it_says_is_lost", "longer_than_it_is"),
    Row("a_reply_cut_within_its_header_is_lost", "cut_message", probes=8),
    Row("a_reply_cut_anywhere_in_its_payload_is_corrupt", "cut_payload", probes=8, corrupt=8),
    Row("a_reply_with_a_byte_more_is_corrupt", "one_byte_more", corrupt=6),
    Row("a_reply_of_sixty_kilobytes_is_corrupt", "sixty_kilobytes", corrupt=6),
    Row("a_single_bit_that_changed_is_corrupt", "one_bit_flipped", probes=8, corrupt=8),
    Row("a_wrong_checksum_is_corrupt_where_we_are_shown_it", "wrong_checksum", raw4={"corrupt": 6}),
    Row("a_wrong_checksum_does_not_keep_out_the_true_reply", "wrong_checksum_first", received=6,
        raw4={"corrupt": 6, "received": 6}),
    Row("a_wrong_checksum_of_ip_is_lost", "wrong_ip_checksum", (4,)),
    Row("ip_options_of_every_length_do_no_harm", "ip_options", (4,), probes=10, received=10),
    Row("ip_options_that_cannot_be_are_lost", "broken_ip_options", (4,)),
    Row("extension_headers_do_no_harm", "extension_headers", (6,), received=6),
    Row("a_reply_in_fragments_is_put_together", "fragments", received=6),
    Row("a_reply_in_fragments_in_the_wrong_order_is_put_together", "fragments_backwards", received=6),
    Row("half_a_reply_is_lost", "one_fragment_of_two"),
    Row("fragments_that_overlap_are_lost", "overlapping_fragments"),
    Row("the_ttl_of_a_reply_is_told", "every_ttl", probes=4, received=4, like=told("ttl", [1, 2, 128, 255])),

    Row("a_second_copy_is_a_duplicate", "twice", received=6, duplicates=4),
    Row("five_copies_are_four_duplicates", "five_times", received=6, duplicates=16),
    Row("replays_of_all_that_was_are_duplicates", "replays_all_before", received=6, duplicates=1 + 2 + 3),
    Row("pairs_in_the_wrong_order_are_reordered", "by_pairs_backwards", received=6, reordered=3),
    Row("fours_in_the_wrong_order_are_reordered", "by_fours_backwards", probes=8, received=8, reordered=6,
        like=told("seq", [4, 3, 2, 1, 8, 7, 6, 5])),
    Row("a_late_reply_is_late_and_no_longer_lost", "first_two_with_the_eighth", probes=10, received=8, late=2),
    Row("a_second_copy_of_a_late_reply_is_a_duplicate", "first_two_with_the_eighth_twice", probes=10, received=8,
        late=2, duplicates=2),

    Row("every_error_has_its_type_its_code_and_its_sender", "every_error", (4,), probes=21, errors=21,
        dgram4={"errors": 20}, like=errors_are(ALL_ERRORS)),  # Linux keeps "reassembly time exceeded" to itself
    Row("every_error_of_ipv6_too", "every_error", (6,), probes=13, errors=13, like=errors_are(ALL_ERRORS)),
    Row("an_error_with_a_code_of_the_future_is_an_error", "unreachable_by_a_code_of_the_future", errors=6,
        dgram4={"errors": 0}),
    Row("an_error_may_come_from_any_router", "unreachable_says_a_stranger", errors=6,
        like=errors_are({4: [(3, 1)] * 6, 6: [(1, 3)] * 6}, STRANGER)),
    Row("errors_of_more_routers_than_are_kept_apart_are_all_counted", "unreachable_says_everybody", probes=12, errors=12),
    Row("five_errors_about_one_probe_are_one", "unreachable_five_times", errors=6),
    Row("errors_and_replies_of_one_host_are_told_apart", "unreachable_every_second", received=3, errors=3),
    Row("an_error_after_the_reply_changes_nothing", "answers_then_unreachable", received=6),
    Row("a_redirect_is_no_error", "redirects_then_answers", received=6),
    Row("a_redirect_is_no_answer", "redirects"),
    Row("a_source_quench_is_no_error", "quenches_then_answers", (4,), received=6),
    Row("a_source_quench_is_no_answer", "quenches", (4,)),
    Row("an_error_that_quotes_no_more_than_it_must_is_enough", "quotes_28_bytes", errors=6),
    Row("an_error_that_quotes_ip_options_is_read", "quotes_ip_options", (4,), probes=10, errors=10),
    Row("an_error_with_mpls_labels_is_read", "quotes_with_mpls_labels", errors=6),
    Row("an_error_about_the_first_fragment_of_a_probe_is_read", "unreachable", args=("-s", "2000"), errors=6),

    Row("an_error_about_another_id_is_not_ours", "quotes_another_id"),
    Row("an_error_about_a_number_that_was_never_sent_is_not_ours", "quotes_a_number_never_sent"),
    Row("an_error_about_another_target_is_not_ours", "quotes_another_target"),
    Row("an_error_about_a_reply_is_not_ours", "quotes_a_reply"),
    Row("an_error_about_udp_is_not_ours", "quotes_udp"),
    Row("an_error_about_a_later_fragment_is_not_ours", "quotes_a_later_fragment", (4,), dgram4={"errors": 6}),
    Row("an_error_that_quotes_too_little_is_not_ours", "quotes_too_little", probes=8),
    Row("an_error_that_quotes_an_impossible_header_is_not_ours", "quotes_a_header_that_cannot_be", probes=5,
        dgram4={"errors": 3}, dgram6={"errors": 5}),
    Row("an_error_with_a_wrong_checksum_is_not_ours", "errs_with_a_wrong_checksum"),

    Row("an_empty_payload_comes_back_too", "honest", args=("-s", "0"), received=6),
    Row("an_empty_payload_has_duplicates_too", "twice", args=("-s", "0"), received=6, duplicates=4),
    Row("an_empty_payload_that_grew_is_corrupt", "one_byte_more", args=("-s", "0"), corrupt=6),
    Row("a_payload_shorter_than_the_seal_is_still_sealed", "payload_of_the_one_before", args=("-s", "4"), corrupt=5),
    Row("what_drops_small_payloads_passes_the_default", "drops_small_ones", received=6),
    Row("what_drops_small_payloads_drops_an_empty_one", "drops_small_ones", args=("-s", "0")),
)


class Hosts(HostileLab):
    """All rows begin together: most of the time they wait. Each test then looks at its own."""

    sockets = SOCKETS
    unknown = ()  # counts that this program cannot know

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pool = ThreadPoolExecutor(12)
        cls.addClassCleanup(pool.shutdown)
        cls.runs = {(row.sentence, sort, family): pool.submit(row.run, cls, sort, family)
            for row in ALL for family in row.families for sort in cls.sockets}

    def look(self, row, sort, family):
        r = self.runs[row.sentence, sort, family].result()
        *events, last = r.lines
        ping, = last["targets"]
        want = row.counts(sort, family) | dict.fromkeys(self.unknown)
        self.assertEqual({k: ping[k] for k in want}, want, r)
        self.assertEqual((ping["method"], r.code, r.err), (f"icmp-{sort}", 0 if ping["received"] else 1, ""), r)
        self.add_up(ping, events, r)
        self.measured_or_null(ping, events, r)
        self.kinds_are_those_of_the_events(ping, events, r)
        if row.like:
            row.like(self, events, r)

    def add_up(self, ping, events, r):
        """The counts are what the events say, and every probe has come to an end."""
        n = Counter(e["outcome"] for e in events)
        self.assertEqual([n[k] for k in ("reply", "late", "duplicate", "corrupt")],
            [ping[k] for k in ("received", "late", "duplicates", "corrupt")], r)
        self.assertEqual({e["seq"] for e in events if e["outcome"] in ("reply", "lost", "error")},
            set(range(1, ping["sent"] + 1)), r)

    def kinds_are_those_of_the_events(self, ping, events, r):
        """As many kinds of errors as are kept apart; what an answer has taken back is none."""
        errors = Counter((e["from"], e["icmp_type"], e["icmp_code"]) for e in events if e["outcome"] == "error")
        kinds = {(k["from"], k["icmp_type"], k["icmp_code"]): k["count"] for k in ping["error_kinds"]}
        if ping["errors"] == errors.total():
            self.assertEqual(kinds, {key: errors[key] for key in kinds}, r)
        self.assertLessEqual(sum(kinds.values()), ping["errors"], r)
        self.assertEqual(bool(kinds), ping["errors"] > 0, r)

    def measured_or_null(self, ping, events, r):
        for e in events:
            timed = e["outcome"] in ("reply", "late", "duplicate")
            self.assertEqual(e["rtt_ms"] is not None, timed, r)
            self.assertTrue(not timed or 0 < e["rtt_ms"] < 5000, r)
        for key in ("rtt_min_ms", "rtt_mean_ms", "rtt_p50_ms", "rtt_p99_ms", "rtt_max_ms"):
            self.assertEqual(ping[key] is None, ping["received"] == 0, r)
        if ping["received"]:
            replies = [e["rtt_ms"] for e in events if e["outcome"] == "reply"]
            self.assertEqual((ping["rtt_min_ms"], ping["rtt_max_ms"]), (min(replies), max(replies)), r)


def test_of(row):
    def test(self):
        for family in row.families:
            for sort in self.sockets:
                with self.subTest(socket=sort, family=family):
                    self.look(row, sort, family)

    return test


for each in ALL:
    assert not hasattr(Hosts, "test_" + each.sentence), each.sentence
    setattr(Hosts, "test_" + each.sentence, test_of(each))


class Crowds(HostileLab):
    """Five thousand packets that are not the answer stand before the answer."""

    def crowd(self, kind, **expected):
        for family in (4, 6):
            for sort in SOCKETS:
                ping = self.pinged("--icmp-socket", sort, "-c", "2", "-i", "20ms", "-W", "5s",
                    self.liars.host(kind, family), code=0 if "received" in expected else 1)
                want = dict.fromkeys((*COUNTS, "local_drops"), 0) | {"sent": 2} | expected
                self.assertEqual({k: ping[k] for k in want}, want, f"{sort} {family}")

    def test_with_other_ids(self):
        self.crowd("crowd_of_foreign_ids", received=2)

    def test_from_other_addresses(self):
        self.crowd("crowd_of_foreign_addresses", received=2)

    def test_with_numbers_that_were_never_sent(self):
        self.crowd("crowd_of_numbers_never_sent", received=2)

    def test_of_forgeries(self):
        self.crowd("crowd_of_forgeries", received=2, corrupt=CROWD)

    def test_of_copies(self):
        self.crowd("crowd_of_copies", received=2, duplicates=CROWD)

    def test_of_errors_about_others(self):
        self.crowd("crowd_of_foreign_errors", received=2)

    def test_of_errors_about_us(self):
        self.crowd("crowd_of_errors", errors=2, lost=2)


class Errors(HostileLab):
    def test_a_reply_after_an_error_takes_the_error_back(self):
        for family in (4, 6):
            for sort in SOCKETS:
                ping = self.pinged("--icmp-socket", sort, "-c", "6", "-i", "20ms", "-W", "300ms",
                    self.liars.host("unreachable_then_answers", family))
                self.assertEqual([ping["received"] + ping["late"], ping["lost"], ping["errors"], ping["duplicates"]],
                    [6, 0, 0, 0], ping)

    def test_an_error_that_waits_in_the_socket_keeps_no_probe_from_being_sent(self):
        for family in (4, 6):
            for sort in SOCKETS:
                host = self.liars.host("unreachable", family)
                ping = self.pinged("--icmp-socket", sort, "-c", "300", "-i", "1ms", "-W", "500ms", host, code=1)
                self.assertEqual((ping["sent"], ping["errors"], self.liars.ask("count", host)), (300, 300, [300]))

    def test_an_error_about_one_target_keeps_no_probe_from_the_others(self):
        """So many that an error of one is there before the next is sent, and the kernel refuses a send for it."""
        hosts = [address_of("unreachable", i) for i in range(100, 250)]
        for sort in SOCKETS:
            before = self.liars.ask("count", *hosts)
            r = self.sonde("ping", "--icmp-socket", sort, "-f", "json", "-c", "20", "-i", "10ms", "-W", "1s", *hosts)
            after = self.liars.ask("count", *hosts)
            self.assertEqual([b - a for a, b in zip(before, after)], [20] * 150)
            self.assertEqual([(t["sent"], t["errors"]) for t in r.json["targets"]], [(20, 20)] * 150)

    def test_to_wait_after_an_error_takes_no_processor(self):
        for sort in SOCKETS:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            began = time.monotonic()
            self.pinged("--icmp-socket", sort, "-c", "3", "-i", "500ms", "-W", "300ms", self.liars.host("unreachable"),
                code=1)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.assertLess(used, (time.monotonic() - began) / 4)


class Targets(HostileLab):
    def test_what_one_target_answers_from_the_address_of_another_is_neither_s(self):
        one, other = address_of("from_its_neighbour", 1), address_of("from_its_neighbour", 2)
        for sort in SOCKETS:
            r = self.sonde("ping", "--icmp-socket", sort, "-f", "json", "-c", "4", "-i", "20ms", "-W", "300ms", one,
                other)
            self.assertEqual([[t[k] for k in ("sent", "received", "lost", "duplicates")] for t in r.json["targets"]],
                [[4, 0, 4, 0]] * 2, r)

    def test_a_liar_among_many_harms_nobody_else(self):
        kinds = ("honest", "five_times", "unreachable", "payload_of_a_stranger", "from_another_address", "honest")
        for sort in SOCKETS:
            r = self.sonde("ping", "--icmp-socket", sort, "-f", "json", "-c", "4", "-i", "20ms", "-W", "300ms",
                *[self.liars.host(k) for k in kinds])
            got = [[t[k] for k in ("received", "errors", "corrupt")] for t in r.json["targets"]]
            self.assertEqual(got, [[4, 0, 0], [4, 0, 0], [0, 4, 0], [0, 0, 4], [0, 0, 0], [4, 0, 0]], r)

    def test_a_thousand_targets_in_one_process_share_no_number(self):
        targets = [f"10.75.{240 + i // 250}.{i % 250 + 1}" for i in range(1000)]
        for sort in SOCKETS:
            self.liars.ask("numbers")
            r = self.sonde("ping", "--icmp-socket", sort, "-f", "json", "-c", "20", "-i", "50ms", *targets)
            self.assertEqual(self.liars.ask("numbers"), [20000, 20000], sort)
            for t in r.json["targets"]:
                self.assertEqual([t[k] for k in ("sent", "received", "duplicates", "corrupt")], [20, 20, 0, 0], t)

    def test_a_replay_from_before_the_numbers_went_round_is_corrupt_and_no_reply(self):
        """512 targets use up the 65,536 numbers in 128 rounds; then each target has its old numbers again."""
        self.near.do("ip", "route", "replace", "local", "10.98.0.0/16", "dev", "lo")
        others = [f"10.98.{i // 250}.{i % 250 + 1}" for i in range(511)]
        for sort in SOCKETS:
            liar = self.liars.host("replays_the_one_with_the_same_number")
            r = self.sonde("ping", "--icmp-socket", sort, "-f", "json", "-c", "160", "-i", "5ms", "-W", "1s", liar,
                *others)
            t = r.json["targets"][0]
            self.assertEqual((r.code, [t[k] for k in ("sent", "received", "lost", "duplicates", "late", "corrupt")]),
                (0, [160, 160, 0, 0, 0, 32]), t)


class InFlight(HostileLab):
    def test_what_is_still_on_the_way_at_the_end_is_not_lost(self):
        for sort in SOCKETS:
            ping = self.pinged("--icmp-socket", sort, "-i", "10ms", "-w", "400ms", "-W", "5s",
                self.liars.host("ten_and_no_more"))
            self.assertEqual([ping[k] for k in ("received", "lost", "errors", "loss_ratio")], [10, 0, 0, 0], ping)
            self.assertGreater(ping["in_flight"], 0)
            self.assertEqual(ping["in_flight"], ping["sent"] - 10)

    def test_what_is_still_on_the_way_has_no_say_in_the_loss(self):
        ping = self.pinged("-i", "10ms", "-w", "500ms", "-W", "250ms", self.liars.host("ten_and_no_more"))
        self.assertEqual((ping["received"], ping["in_flight"] > 0, ping["lost"] > 0), (10, True, True), ping)
        self.assertEqual(ping["loss_ratio"], round(ping["lost"] / (10 + ping["lost"]), 6), ping)

    def test_an_interrupt_loses_nothing_either(self):
        host = self.liars.host("ten_and_no_more")
        with start("ping", "-i", "10ms", "-W", "20s", host, inside=self.near.inside) as p:
            self.wait_for(host, 15)
            p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=PATIENCE)
        self.assertEqual((p.returncode, err), (0, b""))
        self.assertRegex(out.decode(), r"(?m)^\d+ packets transmitted, 10 received, 0% packet loss, ")
        self.assertRegex(out.decode(), r"(?m)^loss 0%, .*, \+\d+ still on the way\b")

    def wait_for(self, host, n):
        end = time.monotonic() + PATIENCE
        while self.liars.ask("count", host)[0] < n:
            self.assertLess(time.monotonic(), end, "the probes do not come")
            time.sleep(0.01)

    def stopped_while_replies_come(self, sort, n, args, hosts):
        """60 kB each, more than any buffer holds, and all of them come while the program stands still."""
        for host in hosts:
            self.near.do("ip", "route", "add", host, "dev", DEVICE)
        with start("ping", "--icmp-socket", sort, "-s", "60000", "-c", str(n), "-i", "1ms", "-W", "1500ms", *args,
                *hosts, inside=[*self.near.inside, *as_user(*(WITH_RAW if sort == "raw" else ()))]) as p:
            for host in hosts:
                self.wait_for(host, n)
            p.send_signal(signal.SIGSTOP)
            while Path(f"/proc/{p.pid}/stat").read_text().rpartition(") ")[2][0] != "T":
                time.sleep(0.01)
            self.liars.ask("release", *hosts)
            p.send_signal(signal.SIGCONT)
            out, err = p.communicate(timeout=PATIENCE)
        refuse_sanitizer(err.decode())
        self.assertEqual((p.returncode, err), (0, b""))
        return out.decode()

    def assert_drops_are_told(self, sort, family):
        out = self.stopped_while_replies_come(sort, 200, ("-f", "json"), [self.liars.host("holds", family)])
        ping, = json.loads(out)["targets"]
        self.assertEqual((ping["method"], ping["sent"]), (f"icmp-{sort}", 200))
        self.assertEqual(ping["received"] + ping["late"] + ping["lost"], 200, ping)
        self.assertGreater(ping["received"], 2, ping)
        self.assertGreater(ping["lost"], 20, ping)
        self.assertEqual(ping["local_drops"], ping["lost"], ping)

    @needs("setpriv")
    def test_replies_that_our_own_buffer_had_no_room_for_are_told_from_those_that_never_came(self):
        # Two of one family would meet in the buffer of the raw socket.
        with PublicBinary(), ThreadPoolExecutor(2) as pool:
            for pair in ((("raw", 4), ("dgram", 6)), (("dgram", 4), ("raw", 6))):
                list(pool.map(lambda how: self.assert_drops_are_told(*how), pair))

    @needs("setpriv")
    def test_several_targets_have_one_count_of_them_since_they_share_the_buffers(self):
        with PublicBinary():
            doc = json.loads(self.stopped_while_replies_come("dgram", 200, ("-f", "json"),
                [self.liars.host("holds", family) for family in (4, 6)]))
        self.assertEqual([t["local_drops"] for t in doc["targets"]], [None, None])
        self.assertGreater(doc["local_drops"], 40)
        self.assertEqual(doc["local_drops"], sum(t["lost"] for t in doc["targets"]))

    @needs("setpriv")
    def test_the_text_says_it_too(self):
        with PublicBinary():
            out = self.stopped_while_replies_come("dgram", 200, ("-q",), [self.liars.host("holds")])
        self.assertRegex(out, r"(?m)^loss .*, \+\d+ dropped by our own buffer\b")


@needs("nft")
class Tcp(HostileLab):
    def test_refused_unreachable_and_silent_are_three_results(self):
        self.far.rules("tcp dport 8001 drop", "tcp dport 8002 reject with icmp type host-unreachable",
            "tcp dport 8003 reject with tcp reset")
        self.addCleanup(self.far.rules)
        told = {}
        for port in (8000, 8001, 8002, 8003):
            r = self.sonde("ping", "-f", "ndjson", "-c", "1", "-W", "400ms", f"tcp://10.77.0.2:{port}")
            self.assertEqual((r.code, r.err), (1, ""), r)
            told[port] = r.lines[0]["outcome"], r.lines[0].get("error")
        self.assertEqual(told[8000], ("error", "Connection refused"))
        self.assertEqual(told[8003], told[8000])
        self.assertEqual(told[8001], ("lost", None))
        self.assertEqual(told[8002][0], "error")
        self.assertRegex(told[8002][1], "(?i)unreachable|no route")


class Words(HostileLab):
    """What a user reads who watches a liar."""

    def read(self, kind, *args, count=6, code=0):
        for sort in SOCKETS:
            host = self.liars.host(kind)
            r = self.sonde("ping", "--icmp-socket", sort, "-c", str(count), "-i", "20ms", "-W", "300ms", *args, host)
            self.assertEqual((r.code, r.err), (code, ""), r)
            yield r.out, host

    def test_duplicates_have_their_mark_and_their_count(self):
        for out, host in self.read("twice"):
            self.assertEqual(len(re.findall(r"(?m)^64 bytes from .* icmp_seq=\d ttl=64 time=\S+ ms \(DUP!\)$", out)), 4)
            self.assertIn("6 packets transmitted, 6 received, +4 duplicates, 0% packet loss", out)

    def test_what_was_changed_on_the_way_is_said_to_be_corrupt(self):
        for out, host in self.read("one_bit_flipped", code=1):
            self.assertEqual(out.count("(corrupt: not the bytes that were sent)"), 6)
            self.assertIn("6 packets transmitted, 0 received, +6 corrupted, 100% packet loss", out)
            self.assertNotIn("rtt min", out)

    def test_late_replies_are_marked_and_the_loss_is_taken_back(self):
        for out, host in self.read("first_two_with_the_eighth", "-i", "50ms", "-W", "200ms", count=10):
            self.assertEqual(out.count(" (late)\n"), 2)
            self.assertEqual(out.count("no answer from"), 2)
            self.assertIn("10 packets transmitted, 8 received, 0% packet loss", out)
            self.assertRegex(out, r"(?m)^loss 0%, .*, \+2 late\b")

    def test_errors_name_the_router_and_the_reason(self):
        for out, host in self.read("every_error", code=1):
            for seq, reason in enumerate(("Destination Net Unreachable", "Destination Host Unreachable",
                    "Destination Protocol Unreachable", "Destination Port Unreachable", "Frag needed and DF set"), 1):
                self.assertRegex(out, rf"(?m)^From 10\.75\.0\.1 icmp_seq={seq} {reason}")
            self.assertIn("6 packets transmitted, 0 received, +6 errors, 100% packet loss", out)

    def test_what_is_not_ours_is_not_mentioned(self):
        for kind in ("from_another_address_first", "redirects_then_answers"):
            for out, host in self.read(kind):
                self.assertEqual(out.count("\n64 bytes from "), 6, out)
                self.assertNotRegex(out, "192.0.2|Redirect|DUP|corrupt|error")

    def test_json_says_the_same_as_the_last_line_of_ndjson(self):
        for kind in ("twice", "one_bit_flipped", "unreachable"):
            both = [self.sonde("ping", "-f", f, "-c", "6", "-i", "20ms", "-W", "300ms", self.liars.host(kind))
                for f in ("json", "ndjson")]
            one, other = both[0].json["targets"][0], both[1].lines[-1]["targets"][0]
            self.assertEqual({k: one[k] for k in COUNTS}, {k: other[k] for k in COUNTS}, kind)


class Names(HostileLab):
    """The name of a target is whatever was on the command line."""

    HOSTILE = 'we"ird\\{na}me,%s%n;$(id)'

    def test_a_name_with_quotes_and_braces_breaks_no_format(self):
        with tempfile.NamedTemporaryFile("w") as f:
            f.write(f"{OURS[4]} {self.HOSTILE}\n")
            f.flush()
            found = {form: self.sonde("ping", "-c", "1", "-W", "1s", "-f", form, self.HOSTILE, after=with_hosts(f.name))
                for form in ("text", "json", "ndjson", "csv", "prom")}
        for r in found.values():
            self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertIn(f"--- {self.HOSTILE} ping statistics ---", found["text"].out)
        self.assertEqual(found["json"].json["targets"][0]["target"], self.HOSTILE)
        self.assertEqual({line.get("target", self.HOSTILE) for line in found["ndjson"].lines}, {self.HOSTILE})
        self.assertEqual(rows(found["csv"].out)[0]["target"], self.HOSTILE)
        labels = {dict(labels)["target"] for name, labels in prometheus(found["prom"].out)}
        self.assertEqual({x.replace('\\"', '"').replace("\\\\", "\\") for x in labels}, {self.HOSTILE})

    def test_what_would_steer_a_terminal_is_refused_and_not_repeated(self):
        for name in ("a\x1b[31mb", "a\nb", "a\rb", "\x7f", "a\u009b31m", "\udcff\udcfe", "\udc9b31m", "\x1b[2J"):
            for form in ("text", "json", "csv"):
                r = run("ping", "-f", form, "-c", "1", "-W", "300ms", "--", name)
                self.assertEqual(r.code, 2, r)
                self.assertRegex(one_error(r), "^sonde: ping: ")
                self.assertNotRegex((r.out + r.err).replace("\n", ""), "[\x00-\x1f\x7f-\x9f\udc80-\udcff]", r)

    def test_a_zone_is_a_name_too(self):
        for zone in ('"', "wire\x1b[2J", "x" * 300, "", "%", "-1", "4294967296", "wire%wire"):
            r = self.sonde("ping", "-f", "json", "-c", "1", "-W", "300ms", f"fe80::1%{zone}")
            self.assertEqual(r.code, 2, r)
            self.assertNotIn("\x1b", r.out + r.err)


if __name__ == "__main__":
    unittest.main()
