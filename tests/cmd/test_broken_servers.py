# SPDX-License-Identifier: MIT
"""
Servers that break the rules of HTTP, or just break. Nothing hangs, no number is printed that was not measured, and the
reason is said, both as the answer to the first question and as the answer to a named file.
"""

import json
import os
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from hostile import FILE, KB, OK, Full, Hostile, always, answer, by_method, closed_port
from program import hints, one_error, run, start
from rows import LONGEST, QUICK, Flow, Rows, begin

setUpModule = begin


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
    ("sends_a_header_line_of_1_MB", always(OK + b"X: " + b"a" * (1 << 20) + b"\r\n\r\n"),
        "sent a header of more than 16384 bytes"),
    ("floods_with_a_header_without_end", flood, "sent a header of more than 16384 bytes"),
    ("sends_a_thousand_fields", always(OK + b"X: 1\r\n" * 1000 + b"\r\n"), "sent more than 64 header fields"),
    ("sends_two_different_lengths", always(OK + b"Content-Length: 1000\r\nContent-Length: 1001\r\n\r\n" + KB),
        "sent Content-Length twice with different values"),
    ("sends_a_list_of_different_lengths", always(OK + b"Content-Length: 1000, 1001\r\n\r\n" + KB),
        "sent Content-Length twice with different values"),
    ("sends_a_negative_length", always(OK + b"Content-Length: -1\r\n\r\n" + KB),
        "sent a Content-Length that is not a valid number"),
    ("sends_a_length_of_2_to_the_64", always(OK + b"Content-Length: 18446744073709551616\r\n\r\n" + KB),
        "sent a Content-Length that is not a valid number"),
    ("sends_a_length_in_hexadecimal", always(OK + b"Content-Length: 0x3e8\r\n\r\n" + KB),
        "sent a Content-Length that is not a valid number"),
    ("sends_a_length_and_chunks",
        always(OK + b"Content-Length: 1000\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + KB),
        "sent both Content-Length and Transfer-Encoding"),
    ("sends_a_chunk_size_past_64_bits", always(OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + KB),
        "sent a chunk size that does not fit 63 bits"),
    ("sends_a_negative_chunk_size", always(OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + KB),
        "sent a malformed chunk"),
    ("sends_a_chunk_without_its_end", always(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + KB),
        "sent a malformed chunk"),
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
    ("sends_interim_answers_only", always(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        "sent one interim answer after another"),
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
    ("redirects_to_https", redirect("https://127.0.0.1/x"),
        "redirects to 'https://127.0.0.1/x' and sonde does not speak TLS"),
    ("redirects_to_another_scheme", redirect("ftp://127.0.0.1:1/x"), "redirects to 'ftp://127.0.0.1:1/x' .+"),
    ("redirects_to_a_bad_url", redirect("http://[::1"), r"redirects to 'http://\[::1' has an open bracket"),
    ("redirects_to_a_bad_port", redirect("http://127.0.0.1:99999/"),
        "redirects to 'http://127.0.0.1:99999/' has a port that is not 1 to 65535"),
]


class FirstQuestion(Rows):
    """The server is asked what it is, and this is its answer: exit code 1 and one line, nothing else."""

    def is_refused(self, r, words):
        self.assertEqual(r.code, 1, r)
        self.assertEqual(r.out, "", r)
        where = "" if words.startswith("redirects") else f" '127.0.0.1:{r.server.port}'"
        self.assertRegex(one_error(r), rf"^sonde: check: the server{where} {words}$", r)


for sentence, talk, words in MALFORMED + NO_HTTP + MID_BODY + REDIRECTS:
    FirstQuestion.row(f"a_server_that_{sentence}_is_no_server", talk, lambda s: ("check", *QUICK, s.target),
        lambda self, r, words=words: self.is_refused(r, words))

FirstQuestion.row("a_server_that_stalls_in_mid_body_is_no_server", always(OK + b"Content-Length: 100000\r\n\r\n" + KB),
    lambda s: ("check", *QUICK, s.target), lambda self,
    r: self.is_refused(r, "stopped in the middle of the body for 1 s"))


class NamedFile(Flow):
    """`http://h:p/file`, where the file is fine by HEAD or is not."""

    direction = "download"


def get(data, then="stall"):
    """An honest HEAD, and these bytes to a GET."""

    def talk(c, head):
        sent = c.send(data)
        if then == "stall":
            c.stall()
        return sent and then == "again"

    return by_method(HEAD=FILE, GET=talk)


for sentence, talk, words in MALFORMED + NO_HTTP + MID_BODY + REDIRECTS:
    NamedFile.refused(f"a_file_is_not_measured_when_the_server_{sentence}", talk, words)

NamedFile.refused("a_get_that_is_never_answered_is_no_download",
    by_method(HEAD=FILE, GET=lambda c, head: c.stall() or False),
    "sent (nothing for 300 ms|no data)", "-W", "300ms")
NamedFile.refused("a_body_that_stops_is_no_download", get(OK + b"Content-Length: 100000\r\n\r\n" + KB),
    "stopped in the middle of the body for 200 ms", "-W", "200ms")
NamedFile.refused("a_compressed_file_is_no_download",
    by_method(HEAD=FILE, GET=answer("200 OK", "Content-Encoding: gzip", body=KB * 100)),
    "the server compressed the data although it was asked not to")
NamedFile.refused("an_empty_file_is_no_download", always(answer("200 OK"), "again"),
    "the file is empty; name a large one", status="unsupported")


def is_left_alone(self, r):
    self.is_not_measured(r, "the server sent no data")
    self.assertLess(len(r.server.requests), 50, r)


NamedFile.row("a_file_that_is_empty_after_all_is_not_asked_for_thousands_of_times",
    by_method(HEAD=FILE, GET=answer("200 OK")), NamedFile.measure(), is_left_alone)
NamedFile.refused("a_get_that_redirects_where_head_did_not_is_no_download",
    by_method(HEAD=FILE, GET=answer("302 Found", "Location: /other")), "answered 302 Found")
for status in ("401 Unauthorized", "403 Forbidden", "404 Not Found", "204 No Content", "206 Partial Content",
        "500 Oops", "503 Busy"):
    NamedFile.refused(f"the_status_{status[:3]}_is_named", always(answer(status, length=status[:3] != "204"), "again"),
        f"answered {status}", status="unsupported" if status[0] == "4" else "failed")


ENDS_BY_CLOSE = OK + b"\r\n" + b"x" * 20000000


def no_more_than_announced(self, r):
    gets = sum(line.startswith("GET ") for line in r.server.requests)
    flow = r.json["download"]
    if flow["status"] == "ok":
        self.assertLessEqual(flow["transferred_bytes"], 100000 * gets, r)
    else:
        self.is_not_measured(r, ".+")


NamedFile.row("bytes_past_the_announced_length_are_not_counted",
    get(OK + b"Content-Length: 100000\r\n\r\n" + b"x" * 200000, "again"), NamedFile.measure(), no_more_than_announced)
NamedFile.taken("a_file_is_measured_where_head_is_refused", by_method(GET=answer("200 OK", body=b"x" * 1000000)))
NamedFile.taken("a_file_is_measured_where_head_brings_a_body_along",
    by_method(HEAD=answer("200 OK", body=b"x" * 1000000), GET=answer("200 OK", body=b"x" * 1000000)))
NamedFile.taken("a_body_until_the_close_is_measured_until_the_time_is_up",
    by_method(HEAD=OK + b"\r\n", GET=lambda c, head: c.send(ENDS_BY_CLOSE) and False),
    lambda self, flow, r: self.assertIsNone(flow["peer_bytes"], r))
NamedFile.taken("a_head_in_single_bytes_does_no_harm_in_time",
    by_method(HEAD=lambda c, head: c.send(FILE, pace=0.001), GET=answer("200 OK", body=b"x" * 1000000)))
NamedFile.taken("two_equal_lengths_are_one",
    by_method(HEAD=FILE, GET=OK + b"Content-Length: 1000000\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1000000))
NamedFile.taken("chunks_with_extensions_and_trailers_are_measured",
    by_method(HEAD=FILE, GET=OK + b"Transfer-Encoding: chunked\r\n\r\n" +
        (b"f4240;a=b\r\n" + b"x" * 1000000 + b"\r\n") * 3 + b"0\r\nX: y\r\n\r\n"),
    lambda self, flow, r: self.assertEqual(flow["counted_by"], "receiver", r))


class Words(unittest.TestCase):
    """The same for people, and what the exit code is when not everything fails."""

    def check(self, talk, *args):
        with Hostile(talk) as s:
            return run("check", *QUICK, *args, s.url + "/file")

    def test_a_failed_download_is_a_sentence_without_a_number(self):
        r = self.check(get(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), "--only", "download")
        self.assertEqual((r.code, r.err), (1, ""), r)
        self.assertRegex(r.out, r"(?m)^  download +failed: the server sent Content-Length twice with different values$",
            r)
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


def cpu_seconds(p):
    fields = Path(f"/proc/{p.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Waiting(unittest.TestCase):
    def test_waiting_for_an_answer_costs_no_processor_time_and_one_connection(self):
        accepted = []

        def silent(c):
            accepted.append(c)
            c.stall()

        with Hostile(silent) as s, start("check", "-W", "20s", s.target) as p:
            time.sleep(1)
            used = cpu_seconds(p)
            p.kill()
            p.communicate()
        self.assertLess(used, 0.2, "seconds of processor time in one second of waiting")
        self.assertEqual(len(accepted), 1, "connections for one question")

    def test_a_direction_that_has_failed_does_not_keep_the_processor_busy_beside_the_other(self):
        def get(c, head):
            c.send(FILE)
            while c.send(KB):
                time.sleep(0.01)
            return False

        def post(c, head):
            if "Content-Length: 1\r" in head + "\r":
                c.body(head)
                return c.send(answer("200 OK"))
            return c.send(answer("500 Oops", "Connection: close")) and False

        with Hostile(by_method(HEAD=FILE, GET=get, POST=post)) as s, start("check", *QUICK, "--time", "3s", "-f", "json",
            "--both", "--only", "both", s.url + "/file") as p:
            time.sleep(2.5)
            used = cpu_seconds(p)
            out, _ = p.communicate(timeout=LONGEST)
        self.assertEqual(json.loads(out)["both"]["upload"]["status"], "failed", out)
        self.assertLess(used, 0.8, "seconds of processor time in two and a half")


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
        self.assertRegex(one_error(r),
            "^sonde: check: cannot use interface 'nosuch0': (No such device|Operation not permitted)$")


if __name__ == "__main__":
    unittest.main()
