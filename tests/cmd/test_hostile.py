# SPDX-License-Identifier: MIT
"""
Servers that no client should trust. Nothing hangs, no number is printed that was not measured, and the reason is said.

Each row is a test: what the server does, and the words that a user must find. They wait for time-outs most of the time,
so all rows of a class run side by side.
"""

import re
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from hostile import Full, Hostile, always, answer, by_method, closed_port
from program import figures, hints, one_error, run

QUICK = ("-W", "1s", "--time", "1s", "-c", "1")

# Every step may take a second, and a few steps follow one another; the rest is for a slow machine.
LONGEST = 25

OK = b"HTTP/1.1 200 OK\r\n"
KB = b"x" * 1000
FILE = answer("200 OK", "Content-Length: 10000000", length=False)  # to HEAD


def trickle(c):
    c.head()
    c.send(OK + b"X: " + b"a" * 10000, pace=0.1)


def redirect(to):
    return always(answer("302 Found", "Location: " + to), then="again")


def flood(c):
    c.head()
    while c.send(OK + b"X: " + b"a" * 65536):
        pass


# What any HTTP client must refuse: a sentence, the bytes or the talk, the words after "the server".
MALFORMED = [
    ("sends_nothing", lambda c: c.stall(), "sent nothing for 1 s"),
    ("sends_half_a_head_and_stalls", always(OK + b"Content-Le"), "stopped in the middle of the head for 1 s"),
    ("sends_a_head_byte_by_byte_for_ever", trickle, "stopped in the middle of the head for 1 s"),
    ("sends_a_header_line_of_1_MB", always(OK + b"X: " + b"a" * (1 << 20) + b"\r\n\r\n"), "sent a header of more than 16384 bytes"),
    ("floods_with_a_header_without_end", flood, "sent a header of more than 16384 bytes"),
    ("sends_a_thousand_fields", always(OK + b"X: 1\r\n" * 1000 + b"\r\n"), "sent more than 64 header fields"),
    ("sends_two_different_lengths", always(OK + b"Content-Length: 1000\r\nContent-Length: 1001\r\n\r\n" + KB),
        "sent Content-Length twice with different values"),
    ("sends_a_list_of_different_lengths", always(OK + b"Content-Length: 1000, 1001\r\n\r\n" + KB),
        "sent Content-Length twice with different values"),
    ("sends_a_negative_length", always(OK + b"Content-Length: -1\r\n\r\n" + KB), "sent a Content-Length that is not a valid number"),
    ("sends_a_length_of_2_to_the_64", always(OK + b"Content-Length: 18446744073709551616\r\n\r\n" + KB),
        "sent a Content-Length that is not a valid number"),
    ("sends_a_length_in_hexadecimal", always(OK + b"Content-Length: 0x3e8\r\n\r\n" + KB), "sent a Content-Length that is not a valid number"),
    ("sends_a_length_and_chunks", always(OK + b"Content-Length: 1000\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + KB),
        "sent both Content-Length and Transfer-Encoding"),
    ("sends_a_chunk_size_past_64_bits", always(OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + KB),
        "sent a chunk size that does not fit 63 bits"),
    ("sends_a_negative_chunk_size", always(OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + KB), "sent a malformed chunk"),
    ("sends_a_chunk_without_its_end", always(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + KB), "sent a malformed chunk"),
    ("sends_a_coding_that_nobody_asked_for", always(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n3e8\r\n" + KB),
        "sent a Transfer-Encoding other than the chunked of HTTP/1.1"),
]

# Refused in the head already, so also when the question was HEAD.
NO_HTTP = [
    ("sends_a_field_without_a_colon", always(OK + b"Content-Length 5\r\n\r\n"), "sent a malformed header field"),
    ("sends_a_nul", always(OK + b"X: a\0b\r\n\r\n"), "sent a control character in a header"),
    ("sends_a_bare_carriage_return", always(OK + b"X: a\rb\r\n\r\n"), "sent a control character in a header"),
    ("speaks_ssh", lambda c: c.send(b"SSH-2.0-OpenSSH_9.2p1\r\n") and c.stall(), "sent something that is not HTTP"),
    ("speaks_tls", always(b"\x15\x03\x01\x00\x02\x02\x16"), "sent something that is not HTTP"),
    ("speaks_http_0_9", always(b"<html>hello</html>"), "sent something that is not HTTP"),
    ("speaks_http_2", always(b"HTTP/2 200\r\n\r\n"), "sent a version that is not HTTP/1.0 or HTTP/1.1"),
    ("sends_a_status_of_two_digits", always(b"HTTP/1.1 20 OK\r\n\r\n"), "sent something that is not HTTP"),
    ("sends_interim_answers_only", always(b"HTTP/1.1 100 Continue\r\n\r\n" * 100), "sent one interim answer after another"),
    ("resets_at_once", always(b"", then="reset"), "reset the connection"),
    ("resets_inside_the_head", always(OK, then="reset"), "reset the connection"),
    ("closes_without_an_answer", always(b"", then="close"), "closed the connection without an answer"),
    ("closes_inside_the_head", always(OK, then="close"), "closed the connection inside the head of its answer"),
]

MID_BODY = [
    ("closes_in_mid_body", always(OK + b"Content-Length: 100000\r\n\r\n" + KB, then="close"),
        "closed the connection after 1000 of 100000 bytes"),
    ("closes_in_mid_chunk", always(OK + b"Transfer-Encoding: chunked\r\n\r\n1000\r\n" + KB, then="close"),
        "closed the connection after 1000 bytes"),
    ("resets_in_mid_body", always(OK + b"Content-Length: 100000\r\n\r\n" + KB, then="reset"), "reset the connection"),
]

REDIRECTS = [
    ("redirects_in_a_circle", redirect("/file"), "redirects more than 5 times, last to '/file'"),
    ("redirects_to_https", redirect("https://127.0.0.1/x"), "redirects to 'https://127.0.0.1/x' and sonde does not speak TLS"),
    ("redirects_to_another_scheme", redirect("ftp://127.0.0.1:1/x"), "redirects to 'ftp://127.0.0.1:1/x' .+"),
    ("redirects_to_a_bad_url", redirect("http://[::1"), r"redirects to 'http://\[::1' has an open bracket"),
    ("redirects_to_a_bad_port", redirect("http://127.0.0.1:99999/"), "redirects to 'http://127.0.0.1:99999/' has a port that is not 1 to 65535"),
]


def probe(talk, make_args):
    """One run against one server; what went wrong is kept for the test that asks."""
    try:
        with Hostile(talk) as server:
            r = run(*make_args(server))
            r.server = server
            return r
    except AssertionError as wrong:
        return wrong


class Rows(unittest.TestCase):
    """The rows of a class, run side by side; a test then looks at its own."""

    jobs = {}

    @classmethod
    def setUpClass(cls):
        with ThreadPoolExecutor(16) as pool:
            cls.results = dict(zip(cls.jobs, pool.map(lambda job: probe(*job), cls.jobs.values())))

    @property
    def result(self):
        r = self.results[self._testMethodName]
        if isinstance(r, AssertionError):
            raise r
        self.assertLess(r.seconds, LONGEST, r)
        return r

    @classmethod
    def row(cls, sentence, talk, make_args, judge):
        name = "test_" + sentence
        assert name not in cls.jobs, name
        cls.jobs[name] = (talk, make_args)
        setattr(cls, name, lambda self: judge(self, self.result))


class FirstQuestion(Rows):
    """The server is asked what it is, and this is its answer: exit code 1 and one line, nothing else."""

    jobs = {}

    def is_refused(self, r, words):
        self.assertEqual(r.code, 1, r)
        self.assertEqual(r.out, "", r)
        where = "" if words.startswith("redirects") else f" '127.0.0.1:{r.server.port}'"
        self.assertRegex(one_error(r), rf"^sonde: check: the server{where} {words}$", r)


for sentence, talk, words in MALFORMED + NO_HTTP + MID_BODY + REDIRECTS:
    FirstQuestion.row(f"a_server_that_{sentence}_is_no_server", talk, lambda s: ("check", *QUICK, s.target),
        lambda self, r, words=words: self.is_refused(r, words))

FirstQuestion.row("a_server_that_stalls_in_mid_body_is_no_server", always(OK + b"Content-Length: 100000\r\n\r\n" + KB),
    lambda s: ("check", *QUICK, s.target), lambda self, r: self.is_refused(r, "stopped in the middle of the body for 1 s"))


class Flow(Rows):
    """One direction was asked for by name: exit code 1, a reason, and no figure at all."""

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
    def taken(cls, sentence, talk, judge, *more):
        cls.row(sentence, talk, cls.measure(*more), lambda self, r: judge(self, self.is_measured(r), r))


class NamedFile(Flow):
    """`http://h:p/file`, where the file is fine by HEAD or is not."""

    jobs = {}
    direction = "download"


def get(data, then="stall"):
    """An honest HEAD, and these bytes to a GET."""
    return by_method(HEAD=FILE, GET=lambda c, head: c.send(data) and {"stall": c.stall, "close": lambda: None,
        "reset": c.reset, "again": lambda: True}[then]() or False)


for sentence, talk, words in MALFORMED + NO_HTTP + MID_BODY + REDIRECTS:
    NamedFile.refused(f"a_file_is_not_measured_when_the_server_{sentence}", talk, words)

NamedFile.refused("a_get_that_is_never_answered_is_no_download", by_method(HEAD=FILE, GET=lambda c, head: c.stall() or False),
    "sent (nothing for 300 ms|no data)", "-W", "300ms")
NamedFile.refused("a_body_that_stops_is_no_download", get(OK + b"Content-Length: 100000\r\n\r\n" + KB),
    "stopped in the middle of the body for 300 ms", "-W", "300ms")
NamedFile.refused("a_compressed_file_is_no_download", by_method(HEAD=FILE, GET=answer("200 OK", "Content-Encoding: gzip", body=KB * 100)),
    "the server compressed the data although it was asked not to")
NamedFile.refused("an_empty_file_is_no_download", always(answer("200 OK"), "again"), "the file is empty; name a large one", status="unsupported")
NamedFile.refused("a_get_that_redirects_where_head_did_not_is_no_download",
    by_method(HEAD=FILE, GET=answer("302 Found", "Location: /other")), "answered 302 Found")
for status, words, flow_status in (("404 Not Found", "answered 404 Not Found", "unsupported"), ("403 Forbidden", "answered 403 Forbidden", "unsupported"),
        ("401 Unauthorized", "answered 401 Unauthorized", "unsupported"), ("500 Oops", "answered 500 Oops", "failed"),
        ("503 Busy", "answered 503 Busy", "failed"), ("204 No Content", "answered 204 No Content", "failed"),
        ("206 Partial Content", "answered 206 Partial Content", "failed")):
    NamedFile.refused(f"the_status_{status[:3]}_is_named", always(answer(status, length=status[:3] != "204"), "again"), words, status=flow_status)


def no_more_than_announced(self, r):
    gets = sum(line.startswith("GET ") for line in r.server.requests)
    flow = r.json["download"]
    if flow["status"] == "ok":
        self.assertLessEqual(flow["transferred_bytes"], 100000 * gets, r)
    else:
        self.is_not_measured(r, ".+")


NamedFile.row("bytes_past_the_announced_length_are_not_counted",
    get(OK + b"Content-Length: 100000\r\n\r\n" + b"x" * 200000, "again"), NamedFile.measure(), no_more_than_announced)
NamedFile.taken("a_file_is_measured_where_head_is_refused", by_method(GET=answer("200 OK", body=b"x" * 1000000)),
    lambda self, flow, r: None)
NamedFile.taken("a_file_is_measured_where_head_brings_a_body_along",
    by_method(HEAD=answer("200 OK", body=b"x" * 1000000), GET=answer("200 OK", body=b"x" * 1000000)), lambda self, flow, r: None)
NamedFile.taken("a_body_until_the_close_is_measured_until_the_time_is_up",
    by_method(HEAD=OK + b"\r\n", GET=lambda c, head: c.send(OK + b"\r\n" + b"x" * 100000000) and False),
    lambda self, flow, r: self.assertIsNone(flow["peer_bytes"], r))
NamedFile.taken("a_head_in_single_bytes_does_no_harm_in_time",
    by_method(HEAD=lambda c, head: c.send(FILE, pace=0.001), GET=answer("200 OK", body=b"x" * 1000000)), lambda self, flow, r: None)
NamedFile.taken("two_equal_lengths_are_one",
    by_method(HEAD=FILE, GET=OK + b"Content-Length: 1000000\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1000000), lambda self, flow, r: None)
NamedFile.taken("chunks_with_extensions_and_trailers_are_measured",
    by_method(HEAD=FILE, GET=OK + b"Transfer-Encoding: chunked\r\n\r\n" + (b"f4240;a=b\r\n" + b"x" * 1000000 + b"\r\n") * 3 + b"0\r\nX: y\r\n\r\n"),
    lambda self, flow, r: self.assertEqual(flow["counted_by"], "receiver", r))


class Upload(Flow):
    """What a POST meets. A first one of a single byte asks whether uploads work at all."""

    jobs = {}
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


for status, flow_status in (("501 Unsupported method", "unsupported"), ("405 Method Not Allowed", "unsupported"), ("404 Not Found", "unsupported"),
        ("413 Too Large", "unsupported"), ("403 Forbidden", "unsupported"), ("411 Length Required", "unsupported"), ("500 Oops", "failed"),
        ("503 Busy", "failed")):
    Upload.refused(f"a_post_answered_with_{status[:3]}_is_{flow_status}", by_method(HEAD=FILE, POST=answer(status, "Connection: close")),
        f"the server answered {status} to a POST", status=flow_status)

EARLY = "before it had read the upload: not measured"

Upload.refused("a_large_post_answered_with_413_is_unsupported", post(lambda c, head: c.send(answer("413 Too Large", "Connection: close")) and False),
    "the server answered 413 Too Large", status="unsupported")
Upload.refused("an_answer_before_reading_is_no_upload", post(lambda c, head: c.send(answer("200 OK")) and False), EARLY)
Upload.refused("an_answer_before_reading_and_silence_after_it_is_no_upload", post(lambda c, head: c.send(answer("200 OK")) and c.freeze() or False), ".+")


def answer_late(c, head):
    """Read next to nothing; when the client's and our own kernel are full of the rest, say that all is well."""
    take_and(c, 1000, lambda: time.sleep(0.3))
    c.send(answer("200 OK"))
    c.freeze()
    return False


Upload.refused("an_answer_while_the_data_waits_unread_is_no_upload", post(answer_late), ".+", "--connections", "1")
Upload.refused("an_upload_that_is_reset_each_time_is_not_measured", post(lambda c, head: take_and(c, 100000, c.reset)), "reset the connection")
Upload.refused("an_upload_that_is_closed_each_time_is_not_measured", post(lambda c, head: take_and(c, 100000, lambda: None)),
    "(reset the connection|closed the connection without an answer)")
Upload.refused("an_upload_that_is_never_read_is_not_measured", post(lambda c, head: c.freeze() or False), "took no data for 300 ms", "-W", "300ms")
Upload.refused("an_upload_that_is_never_answered_is_not_measured", post(lambda c, head: c.body(head) and c.stall() or False), ".+")
Upload.refused("an_upload_that_is_redirected_is_not_measured", post(lambda c, head: c.body(head) and c.send(answer("302 Found", "Location: /x"))),
    "the server answered 302 Found")
Upload.refused("an_upload_answered_with_two_lengths_is_not_measured",
    post(lambda c, head: c.body(head) and c.send(OK + b"Content-Length: 0\r\nContent-Length: 1\r\n\r\n")),
    "sent Content-Length twice with different values")


def counts_what_was_read(self, flow, r):
    self.assertEqual(flow["counted_by"], "sender", r)
    self.assertIsNone(flow["peer_bytes"], r)


Upload.taken("a_server_that_reads_and_then_answers_is_measured", post(lambda c, head: c.body(head) and c.send(answer("200 OK"))), counts_what_was_read)
Upload.taken("a_server_that_first_says_continue_is_measured",
    post(lambda c, head: c.send(b"HTTP/1.1 100 Continue\r\n\r\n") and c.body(head) and c.send(answer("201 Created"))), counts_what_was_read)


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


Upload.row("a_connection_that_breaks_in_mid_upload_makes_no_impossible_number", post(broken), Upload.measure("--connections", "1"),
    is_no_more_than_was_read)


class Impostor(Rows):
    """Says that it is sonde, and is not."""

    jobs = {}

    @classmethod
    def claim(cls, sentence, judge, *args, version='"0.1.0"', **talks):
        info = answer("200 OK", "Content-Type: application/json", body=b'{"name":"sonde","version":%s,"cpu_us":18446744073709551615}' % version.encode())

        def get_or_info(c, head):
            if head.startswith("GET /info"):
                return c.send(info)
            down = talks.get("GET", answer("404 Not Found"))
            return down(c, head) if callable(down) else c.send(down)

        cls.row(sentence, by_method(**{**talks, "GET": get_or_info}), lambda s: ("check", *QUICK, "-f", "json", *args, s.target), judge)


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


Impostor.claim("a_sonde_without_a_download_is_found_out", reason_is("download", "answered 404 Not Found"), "--only", "download")
Impostor.claim("a_sonde_that_cannot_be_uploaded_to_is_found_out", lambda self, r: (
    self.assertEqual(r.code, 1, r), self.assertEqual(r.json["upload"]["status"], "unsupported", r)), "--only", "upload")
Impostor.claim("a_sonde_that_is_silent_is_found_out", reason_is("download", "sent (nothing|no data)"), "--only", "download", "-W", "300ms",
    GET=lambda c, head: c.stall() or False)
Impostor.claim("a_version_with_escapes_cannot_write_to_the_terminal", shows_safe_name, version='"\\u001b[31m\\"\\u0000' + "9" * 500 + '"')
Impostor.claim("a_version_in_raw_control_bytes_cannot_write_to_the_terminal", shows_safe_name, version='"1\x1b]0;pwned\x07\x7f\\"2"')
Impostor.claim("a_count_that_is_larger_than_what_was_sent_is_not_believed", believes_its_own_count, "--only", "upload", POST=post_says(b"9223372036854775807"))
Impostor.claim("a_negative_count_is_not_believed", believes_its_own_count, "--only", "upload", POST=post_says(b"-5"))
Impostor.claim("a_count_past_64_bits_is_not_believed", believes_its_own_count, "--only", "upload", POST=post_says(b"99999999999999999999999"))


class Listing(Rows):
    """A folder whose page is meant to trap."""

    jobs = {}


def page(links):
    return answer("200 OK", "Content-Type: text/html", body=b"<html>" + b"".join(b'<a href="%s">x</a>\n' % link for link in links))


def folder(links, size=1000000, pause=0):
    def head(c, text):
        time.sleep(pause)
        return c.send(answer("200 OK", f"Content-Length: {size}", length=False))

    def get(c, text):
        at_root = text.startswith("GET / ")
        return c.send(page(links) if at_root else answer("404 Not Found") if text.startswith("GET /info") else answer("200 OK", body=b"x" * size))

    return by_method(HEAD=head, GET=get)


def paths(r, method):
    return [line.split(" ")[1] for line in r.server.requests if line.startswith(method + " ")]


def asks_only(r, *wanted):
    return set(paths(r, "HEAD")) | (set(paths(r, "GET")) - {"/", "/info"}) <= set(wanted)


def in_folder(sentence, talk, judge):
    Listing.row(sentence, talk, lambda s: ("check", *QUICK, "-f", "json", "--only", "download", s.target), judge)


in_folder("ten_thousand_links_are_not_all_asked_for", folder([b"f%d" % i for i in range(10000)]), lambda self, r: (
    self.assertEqual(r.code, 0, r), self.assertLessEqual(len(paths(r, "HEAD")), 256)))
in_folder("slow_answers_to_head_end_the_search_and_what_was_found_is_used", folder([b"f%d" % i for i in range(100)], pause=0.4), lambda self, r: (
    self.assertEqual(r.code, 0, r), self.assertLess(len(paths(r, "HEAD")), 20), self.assertEqual(r.json["download"]["status"], "ok", r)))
in_folder("links_that_lead_elsewhere_are_not_followed",
    folder([b"http://192.0.2.1/x", b"//192.0.2.1/x", b"../up", b"/etc/passwd", b"javascript:alert(1)", b"data:text/html,x", b"#x", b"?x", b"sub/", b"a/../../b", b"mailto:x", b"good"]),
    lambda self, r: (self.assertEqual(r.code, 0, r), self.assertTrue(asks_only(r, "/good"), r.server.requests)))
in_folder("a_name_cannot_smuggle_a_field_into_a_request", folder([b"a\r\nX-Evil: 1", b"b%0d%0aX-Evil:%201", b"c d", b"e&#13;&#10;X-Evil:1"]), lambda self, r: (
    self.assertTrue(all(line.count(" ") == 2 and "\n" not in line for line in r.server.requests), r.server.requests)))
in_folder("a_link_of_a_hundred_thousand_letters_is_passed_over", folder([b"a" * 100000, b"good"]), lambda self, r: (
    self.assertEqual(r.code, 0, r), self.assertTrue(asks_only(r, "/good"), [p[:50] for p in r.server.requests])))
in_folder("a_page_that_never_ends_is_left", by_method(GET=lambda c, head: c.send(answer("404 Not Found") if "/info" in head else
    OK + b"Content-Type: text/html\r\n\r\n") and "/info" in head or c.send(b"<p>" * 10000000, pace=0.05) and False), lambda self, r: (
    self.assertEqual(r.code, 1, r)))


class Names(Rows):
    """What a server calls itself goes to a terminal and into documents."""

    jobs = {}


EVIL = answer("200 OK", 'Server: a"b\\c<\x9b31m>\xff' + "z" * 300, body=b"x" * 100000)

Names.row("a_server_field_is_cut_and_escaped_in_json", by_method(HEAD=EVIL, GET=EVIL),
    lambda s: ("check", *QUICK, "--only", "download", "-f", "json", s.url + "/file"),
    lambda self, r: (self.assertIn('a"b\\c<', r.json["server"]["software"]), self.assertLess(len(r.json["server"]["software"]), 80)))
Names.row("a_server_field_cannot_steer_the_terminal", by_method(HEAD=EVIL, GET=EVIL),
    lambda s: ("check", *QUICK, "--only", "download", s.url + "/file"),
    lambda self, r: self.assertNotRegex(r.bytes.decode("utf-8").replace("\n", ""), "[\x00-\x1f\x7f-\x9f]", r))
Names.row("a_reason_phrase_cannot_steer_the_terminal", always(b"HTTP/1.1 404 \xc2\x9b31m\xff\r\nContent-Length: 0\r\n\r\n", "again"),
    lambda s: ("check", *QUICK, "--only", "download", s.url + "/file"),
    lambda self, r: self.assertNotRegex(r.bytes.decode("utf-8").replace("\n", ""), "[\x00-\x1f\x7f-\x9f]", r))


class Words(unittest.TestCase):
    """The same for people, and what the exit code is when not everything fails."""

    def check(self, talk, *args):
        with Hostile(talk) as s:
            return run("check", *QUICK, *args, s.url + "/file")

    def test_a_failed_download_is_a_sentence_without_a_number(self):
        r = self.check(get(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), "--only", "download")
        self.assertEqual((r.code, r.err), (1, ""), r)
        self.assertRegex(r.out, r"(?m)^  download +failed: the server sent Content-Length twice with different values$", r)
        self.assertNotRegex(r.out, "bit/s|B/s", r)

    def test_a_failed_download_with_a_good_ping_is_a_measurement(self):
        r = self.check(get(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"))
        self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertRegex(r.out, r"(?m)^  ping +\d+\.\d+ ms median", r)
        self.assertNotRegex(r.out, "bit/s|B/s", r)

    def test_an_expectation_of_what_failed_is_missed(self):
        r = self.check(by_method(HEAD=FILE), "--expect", "upload>1M")
        self.assertEqual(r.code, 4, r)
        self.assertRegex(r.out, r"(?m)^  expect +upload>1M: not measured$", r)

    def test_no_progress_is_written_through_a_pipe(self):
        r = self.check(get(answer("200 OK", body=b"x" * 1000000), "again"), "--only", "download")
        self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertNotIn("\r", r.out)


class Unreachable(unittest.TestCase):
    def test_a_refused_port_says_so_and_what_to_start_there(self):
        port = closed_port()
        r = run("check", f"127.0.0.1:{port}")
        self.assertEqual((r.code, r.out), (1, ""), r)
        self.assertEqual(one_error(r), f"sonde: check: cannot connect to '127.0.0.1:{port}': Connection refused")
        self.assertTrue(any("sonde serve" in h for h in hints(r)), r)

    def test_a_port_that_does_not_answer_is_left_after_the_timeout(self):
        with Full() as s:
            r = run("check", "-W", "1s", s.target)
        self.assertEqual((r.code, r.out), (1, ""), r)
        self.assertRegex(one_error(r), rf"^sonde: check: cannot connect to '{s.target}': .+, not within 1 s$")
        self.assertTrue(any("-W" in h for h in hints(r)), r)
        self.assertLess(r.seconds, 10)

    def test_a_source_address_of_another_machine_is_refused(self):
        r = run("check", "-S", "192.0.2.77", f"127.0.0.1:{closed_port()}")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertEqual(one_error(r), "sonde: check: cannot send from '192.0.2.77': Cannot assign requested address")

    def test_an_interface_that_is_not_there_is_refused(self):
        r = run("check", "-I", "nosuch0", "127.0.0.1:1")
        self.assertEqual((r.code, r.out), (2, ""), r)
        self.assertRegex(one_error(r), "^sonde: check: cannot use interface 'nosuch0': (No such device|Operation not permitted)$")


if __name__ == "__main__":
    unittest.main()
