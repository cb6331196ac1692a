# SPDX-License-Identifier: MIT
"""
Servers that lie: they take an upload that they do not read, say that they are sonde, count what they did not get, or
set traps in a folder. What is printed is what was measured, and what they are called cannot harm a terminal.
"""

import re
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from dialects import PROBES
from hostile import FILE, OK, always, answer, by_method
from program import figures
from rows import QUICK, Flow, Rows, begin

setUpModule = begin



class Upload(Flow):
    """What a POST meets. A first one of a single byte asks whether uploads work at all."""

    direction = "upload"


def length_of(head):
    return int(re.search(r"(?i)\ncontent-length: (\d+)", head)[1])


def post(large):
    """Take the single byte in good order, and hand everything larger to `large`."""

    def talk(c, head):
        if length_of(head) > 1:
            return large(c, head)
        c.body(head)
        return c.send(answer("200 OK"))

    return by_method(HEAD=FILE, POST=talk)


def take_and(c, n, then):
    """Read about n bytes, then …"""
    while n > 0:
        piece = c.receive(min(n, 65536))
        if not piece:
            break
        n -= len(piece)
    then()
    return False


for status in ("501 Unsupported method", "405 Method Not Allowed", "404 Not Found", "413 Too Large", "403 Forbidden",
        "411 Length Required", "500 Oops", "503 Busy"):
    flow_status = "failed" if status[:3] in ("500", "503") else "unsupported"
    Upload.refused(f"a_post_answered_with_{status[:3]}_is_{flow_status}",
        by_method(HEAD=FILE, POST=answer(status, "Connection: close")),
        f"the server answered {status} to a POST", status=flow_status)

EARLY = "before it had read the upload: not measured"

Upload.refused("a_large_post_answered_with_413_is_unsupported",
    post(lambda c, head: c.send(answer("413 Too Large", "Connection: close")) and False),
    "the server answered 413 Too Large", status="unsupported")
Upload.refused("an_answer_before_reading_is_no_upload", post(lambda c, head: c.send(answer("200 OK")) and False), EARLY)
Upload.refused("an_answer_before_reading_and_silence_after_it_is_no_upload",
    post(lambda c, head: c.send(answer("200 OK")) and c.freeze() or False), ".+")


def answer_blindly(c, head):
    """Read nothing; while the two kernels are full of data, say again and again that all is well."""
    for _ in range(40):
        time.sleep(0.05)
        if not c.send(answer("200 OK")):
            break
    return False


Upload.refused("an_answer_while_the_data_waits_unread_is_no_upload", post(answer_blindly), EARLY, "--connections", "1")
Upload.refused("an_upload_that_is_reset_each_time_is_not_measured", post(lambda c, head: take_and(c, 10000, c.reset)),
    "reset the connection")
Upload.refused("an_upload_that_is_closed_each_time_is_not_measured",
    post(lambda c, head: take_and(c, 10000, lambda: None)),
    "(reset the connection|closed the connection without an answer)")
Upload.refused("an_upload_that_is_never_read_is_not_measured", post(lambda c, head: c.freeze() or False),
    "(took no data|sent nothing) for 500 ms",
    "-W", "500ms", "--time", "4s")
Upload.refused("an_upload_that_is_never_answered_is_not_measured",
    post(lambda c, head: c.body(head) and c.stall() or False), ".+")
Upload.refused("an_upload_that_is_redirected_is_not_measured",
    post(lambda c, head: c.body(head) and c.send(answer("302 Found", "Location: /x"))),
    "the server answered 302 Found")
Upload.refused("an_upload_answered_with_two_lengths_is_not_measured",
    post(lambda c, head: c.body(head) and c.send(OK + b"Content-Length: 0\r\nContent-Length: 1\r\n\r\n")),
    "sent Content-Length twice with different values")


def counts_what_was_read(self, flow, r):
    self.assertEqual(flow["counted_by"], "sender", r)
    self.assertIsNone(flow["peer_bytes"], r)


Upload.taken("a_server_that_reads_and_then_answers_is_measured",
    post(lambda c, head: c.body(head) and c.send(answer("200 OK"))), counts_what_was_read)
Upload.taken("a_server_that_first_says_continue_is_measured",
    post(lambda c, head: c.send(b"HTTP/1.1 100 Continue\r\n\r\n") and c.body(head) and c.send(answer("201 Created"))),
    counts_what_was_read)


def break_once():
    """Read well for a while, reset that connection in mid-upload, and be slow from then on."""
    state = {"broken": 0, "read": 0}

    def pump(c, n, pause, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            piece = c.receive(n)
            if not piece:
                return
            state["read"] += len(piece)
            time.sleep(pause)

    def talk(c, head):
        if length_of(head) < 16 << 20 and not state["broken"]:
            state["read"] += c.body(head)
            return c.send(answer("200 OK"))
        state["broken"] += 1
        if state["broken"] == 1:
            pump(c, 65536, 0.004, 0.4)
            c.reset()
        else:
            pump(c, 1000, 0.02, 30)
        return False

    talk.state = state
    return talk


broken = break_once()


def is_no_more_than_was_read(self, r):
    flow = r.json["upload"]
    for key in ("bits_per_second", "bytes", "transferred_bytes"):
        self.assertTrue(flow[key] is None or flow[key] >= 0, r)
    if flow["status"] == "ok":
        # A few megabytes may sit in the two kernels.
        self.assertLess(flow["bytes"], broken.state["read"] + (16 << 20), r)
        self.assertLess(flow["bits_per_second"], (broken.state["read"] + (16 << 20)) * 8 / 0.3, r)


Upload.row("a_connection_that_breaks_in_mid_upload_makes_no_impossible_number", post(broken),
    Upload.measure("--connections", "1"),
    is_no_more_than_was_read, fast=True)


class Impostor(Rows):
    """Says that it is sonde, and is not."""

    @classmethod
    def claim(cls, sentence, judge, *args, version='"0.1.0"', **talks):
        info = answer("200 OK", "Content-Type: application/json",
            body=b'{"name":"sonde","version":%s,"cpu_us":18446744073709551615}' % version.encode())

        def get_or_info(c, head):
            if head.startswith("GET /info"):
                return c.send(info)
            down = talks.get("GET", answer("404 Not Found"))
            return down(c, head) if callable(down) else c.send(down)

        cls.row(sentence, by_method(**{**talks, "GET": get_or_info}),
            lambda s: ("check", *QUICK, "-f", "json", *args, s.target), judge, "POST" in talks)


def reason_is(direction, words):
    def judge(self, r):
        self.assertEqual(r.code, 1, r)
        flow = r.json[direction]
        self.assertEqual(flow["status"], "failed", r)
        self.assertRegex(flow["reason"], words, r)
        self.assertEqual(figures(flow), {}, r)
    return judge


def shows_safe_name(self, r):
    self.assertNotRegex(r.out.rstrip("\n"), r"[\x00-\x1f\x7f]", r)
    self.assertTrue(r.json["server"]["software"].startswith("sonde "), r)
    self.assertLess(len(r.json["server"]["software"]), 80, r)


def believes_its_own_count(self, r):
    self.assertEqual(r.code, 0, r)
    flow = r.json["upload"]
    self.assertEqual((flow["status"], flow["counted_by"]), ("ok", "sender"), r)
    self.assertLess(flow["bytes"], 10 ** 15, r)


def post_says(count):
    def talk(c, head):
        c.body(head)
        return c.send(answer("200 OK", body=b'{"bytes":%s}' % count))
    return talk


Impostor.claim("a_sonde_without_a_download_is_found_out", reason_is("download", "answered 404 Not Found"),
    "--only", "download")
Impostor.claim("a_sonde_that_cannot_be_uploaded_to_is_found_out", lambda self, r: (
    self.assertEqual(r.code, 1, r), self.assertEqual(r.json["upload"]["status"], "unsupported", r)), "--only", "upload")
Impostor.claim("a_sonde_that_is_silent_is_found_out", reason_is("download", "sent (nothing|no data)"),
    "--only", "download", "-W", "300ms",
    GET=lambda c, head: c.stall() or False)
Impostor.claim("a_version_with_escapes_cannot_write_to_the_terminal", shows_safe_name,
    version='"\\u001b[31m\\"\\u0000' + "9" * 500 + '"')
Impostor.claim("a_version_in_raw_control_bytes_cannot_write_to_the_terminal", shows_safe_name,
    version='"1\x1b]0;pwned\x07\x7f\\"2"')
def asks_for_a_time_that_there_is(self, r):
    asked = [q for q in r.server.requests if "/down" in q]
    self.assertTrue(asked and all(re.search(r"seconds=\d", q) for q in asked), (asked, r))


Impostor.claim("a_longest_body_of_five_thousand_million_seconds_is_none", asks_for_a_time_that_there_is,
    "--only", "download", version='"1","body_seconds_max":5000000000')
Impostor.claim("a_count_that_is_larger_than_what_was_sent_is_not_believed", believes_its_own_count, "--only", "upload",
    POST=post_says(b"9223372036854775807"))
Impostor.claim("a_negative_count_is_not_believed", believes_its_own_count, "--only", "upload", POST=post_says(b"-5"))
Impostor.claim("a_count_past_64_bits_is_not_believed", believes_its_own_count, "--only", "upload",
    POST=post_says(b"99999999999999999999999"))


class Listing(Rows):
    """A folder whose page is meant to trap."""

def page(links):
    body = b"<html>" + b"".join(b'<a href="%s">x</a>\n' % link for link in links)
    return answer("200 OK", "Content-Type: text/html", body=body)


def folder(links, pause=0):
    """A page with these links, and a file of a megabyte behind each."""

    def head(c, text):
        time.sleep(pause)
        return c.send(answer("200 OK", "Content-Length: 1000000", length=False))

    def get(c, text):
        path = text.split(" ")[1]
        if path == "/":
            return c.send(page(links))
        return c.send(answer("404 Not Found") if path == "/info" else answer("200 OK", body=b"x" * 1000000))

    return by_method(HEAD=head, GET=get)


def endless_page(c, head):
    if head.startswith("GET /info"):
        return c.send(answer("404 Not Found"))
    c.send(OK + b"Content-Type: text/html\r\n\r\n")
    c.send(b"<p>" * 10000000, pace=0.05)
    return False


def paths(r, method):
    return [line.split(" ")[1] for line in r.server.requests if line.startswith(method + " ")]


def in_folder(sentence, talk, judge):
    Listing.row(sentence, talk, lambda s: ("check", *QUICK, "-f", "json", "--only", "download", s.target), judge)


def is_measured(self, r):
    self.assertEqual((r.code, r.json["download"]["status"]), (0, "ok"), r)


def asks_a_few(self, r):
    is_measured(self, r)
    self.assertLessEqual(len(set(paths(r, "HEAD"))), 256)


def stops_looking(self, r):
    is_measured(self, r)
    self.assertLess(len(paths(r, "HEAD")), 20)


def asks_for_good_only(self, r):
    is_measured(self, r)
    self.assertEqual(set(paths(r, "HEAD")) | set(paths(r, "GET")), {"/", "/info", "/good", *PROBES})


def sends_whole_lines(self, r):
    self.assertTrue(all(line.count(" ") == 2 and "\n" not in line for line in r.server.requests), r.server.requests)


ELSEWHERE = [b"http://192.0.2.1/x", b"//192.0.2.1/x", b"../up", b"/etc/passwd", b"javascript:alert(1)", b"mailto:x",
    b"data:text/html,x", b"#x", b"?x", b"sub/", b"a/../../b"]
SMUGGLED = [b"a\r\nX-Evil: 1", b"b%0d%0aX-Evil:%201", b"c d", b"e&#13;&#10;X-Evil:1"]

in_folder("ten_thousand_links_are_not_all_asked_for", folder([b"f%d" % i for i in range(10000)]), asks_a_few)
in_folder("slow_answers_to_head_end_the_search_and_what_was_found_is_used",
    folder([b"f%d" % i for i in range(100)], pause=0.4), stops_looking)
in_folder("links_that_lead_elsewhere_are_not_followed", folder([*ELSEWHERE, b"good"]), asks_for_good_only)
in_folder("a_link_of_a_hundred_thousand_letters_is_passed_over", folder([b"a" * 100000, b"good"]), asks_for_good_only)
in_folder("a_name_cannot_smuggle_a_field_into_a_request", folder(SMUGGLED), sends_whole_lines)
in_folder("a_page_that_never_ends_is_left", by_method(GET=endless_page), lambda self, r: self.assertEqual(r.code, 1, r))


class Names(Rows):
    """What a server calls itself goes to a terminal and into documents."""


EVIL = answer("200 OK", 'Server: a"b\\c<\x9b31m>\xff' + "z" * 300, body=b"x" * 100000)

Names.row("a_server_field_is_cut_and_escaped_in_json", by_method(HEAD=EVIL, GET=EVIL),
    lambda s: ("check", *QUICK, "--only", "download", "-f", "json", s.url + "/file"),
    lambda self, r: (self.assertIn('a"b\\c<', r.json["server"]["software"]),
        self.assertLess(len(r.json["server"]["software"]), 80)))
Names.row("a_server_field_cannot_steer_the_terminal", by_method(HEAD=EVIL, GET=EVIL),
    lambda s: ("check", *QUICK, "--only", "download", s.url + "/file"),
    lambda self, r: self.assertNotRegex(r.bytes.decode("utf-8").replace("\n", ""), "[\x00-\x1f\x7f-\x9f]", r))
Names.row("a_reason_phrase_cannot_steer_the_terminal",
    always(b"HTTP/1.1 404 \xc2\x9b31m\xff\r\nContent-Length: 0\r\n\r\n", "again"),
    lambda s: ("check", *QUICK, "--only", "download", s.url + "/file"),
    lambda self, r: self.assertNotRegex(r.bytes.decode("utf-8").replace("\n", ""), "[\x00-\x1f\x7f-\x9f]", r))


if __name__ == "__main__":
    unittest.main()
