# SPDX-License-Identifier: MIT
"""
Other people's test servers, each on the loopback: recognised by what only it answers, and used as its own clients do.
What answers everything is no test server.
"""

import re
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import dialects as d
from dialects import PROBES
from hostile import answer
from program import figures
from rows import Rows, begin

setUpModule = begin

QUICK = ("-W", "1s", "--time", "200ms", "-f", "json")


def asked(r, method):
    """The paths of all requests of a kind in the order of the first of each."""
    return list(dict.fromkeys(line.split(" ")[1] for line in r.server.requests if line.startswith(method + " ")))


class Client(Rows):
    @classmethod
    def meets(cls, sentence, talk, judge, folder="", only="download", more=(), fast=True):
        cls.row(sentence, talk, lambda s: ("check", *QUICK, "--only", only, *more, s.url + folder), judge, fast)

    def is_kind(self, r, kind):
        self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertEqual(r.json["server"]["kind"], kind, r)

    def downloads(self, r, kind, path):
        """Measured, from this path only."""
        self.is_kind(r, kind)
        flow = r.json["download"]
        self.assertEqual((flow["status"], flow["counted_by"]), ("ok", "receiver"), r)
        self.assertGreater(flow["bits_per_second"], 1e6, r)
        self.assertEqual(asked(r, "GET")[-1], path, r.server.requests)
        self.assertTrue(r.json["target"]["url"].endswith(path), r)


def from_path(kind, path):
    return lambda self, r: self.downloads(r, kind, path)


GARBAGE = "garbage.php?ckSize=100"
LARGEST = "random4000x4000.jpg"


class Download(Client):
    """Who is recognised, where, and what is fetched from it."""


for sentence, talk, folder, kind, path in (
    ("a_speedtest_mini_is_recognised", d.speedtest(), "", "speedtest", f"/speedtest/{LARGEST}"),
    ("a_slash_behind_the_host_makes_no_difference", d.speedtest(), "/", "speedtest", f"/speedtest/{LARGEST}"),
    ("a_named_folder_is_looked_into", d.speedtest(), "/speedtest/", "speedtest", f"/speedtest/{LARGEST}"),
    ("a_folder_above_it_may_be_named", d.speedtest("/mini/speedtest"), "/mini/", "speedtest",
        f"/mini/speedtest/{LARGEST}"),
    ("a_query_behind_the_folder_is_left_out", d.speedtest(), "/speedtest/?x=/1", "speedtest", f"/speedtest/{LARGEST}"),
    ("the_largest_image_that_is_there_is_fetched", d.speedtest(images={w: d.IMAGES[w] for w in (350, 500, 1500)}), "",
        "speedtest", "/speedtest/random1500x1500.jpg"),
    ("librespeed_is_recognised", d.librespeed(), "", "librespeed", f"/backend/{GARBAGE}"),
    ("librespeed_with_a_length_is_recognised", d.librespeed(length=True), "", "librespeed", f"/backend/{GARBAGE}"),
    ("librespeed_without_its_folder_is_recognised", d.librespeed(""), "", "librespeed", f"/{GARBAGE}"),
    ("librespeed_with_the_names_of_the_server_in_go_is_recognised", d.librespeed("", php=""), "", "librespeed",
        "/garbage?ckSize=100"),
    ("librespeed_in_a_folder_that_was_named_is_recognised", d.librespeed("/librespeed/backend"), "/librespeed/",
        "librespeed", f"/librespeed/backend/{GARBAGE}"),
    ("the_backend_of_librespeed_may_be_named", d.librespeed(), "/backend/", "librespeed", f"/backend/{GARBAGE}"),
    ("openspeedtest_is_recognised", d.openspeedtest(), "", "openspeedtest", "/downloading"),
):
    Download.meets(sentence, talk, from_path(kind, path), folder)

for name, path in (("speedtest", f"/speedtest/{LARGEST}"), ("librespeed", f"/backend/{GARBAGE}"),
        ("openspeedtest", "/downloading")):
    Download.meets(f"{name}_behind_a_server_of_one_connection_at_a_time_is_recognised",
        d.one_at_a_time(getattr(d, name)()), from_path(name, path), more=("--connections", "1"))
    Download.meets(f"{name}_where_nothing_else_answers_well_is_recognised",
        getattr(d, name)(other=d.catch_all), from_path(name, path))


def to(place):
    return lambda q: q.reply(b"", f"Location: {place}", status="302 Found")


Download.meets("a_folder_without_its_slash_is_a_folder",
    d.librespeed("/test/backend", other=lambda q: (to("/test/") if q.path == "/test" else d.not_found)(q)),
    from_path("librespeed", f"/test/backend/{GARBAGE}"), "/test")
Download.meets("where_the_first_page_redirects_to_is_looked_into", d.speedtest("/test/speedtest", home=to("/test/")),
    from_path("speedtest", f"/test/speedtest/{LARGEST}"))


Download.meets("a_sonde_is_not_looked_for_in_a_folder", d.speedtest(),
    lambda self, r: self.assertNotIn("/info", asked(r, "GET")), "/speedtest/")
Download.meets("the_name_that_the_server_gives_itself_is_told", d.openspeedtest(),
    lambda self, r: self.assertEqual(r.json["server"], {"kind": "openspeedtest", "software": "nginx"}, r))


def is_cheap(self, r):
    """A few small answers, and a look at the beginning of one large one."""
    self.is_kind(r, "librespeed")
    first = [line.split(" ")[1] for line in r.server.requests]
    self.assertEqual(first[:5], ["/info", *PROBES[:3], f"/backend/{GARBAGE}"], r)


Download.meets("few_questions_are_asked", d.librespeed(), is_cheap)


def no_image(self, r):
    self.assertEqual(r.code, 1, r)
    self.assertEqual(r.json["server"]["kind"], "speedtest", r)
    flow = r.json["download"]
    self.assertEqual((flow["status"], figures(flow)), ("unsupported", {}), r)
    self.assertRegex(flow["reason"], "none of the images", r)


Download.meets("a_speedtest_mini_without_its_images_has_no_download", d.speedtest(images={}), no_image, fast=False)
Download.meets("a_speedtest_mini_with_a_page_for_each_image_has_no_download",
    d.speedtest(images={}, other=d.soft_404), no_image, fast=False)


def is_a_file(self, r):
    """Measured as the file that was named, or not at all; and nothing else was asked for."""
    self.assertEqual(r.json["server"]["kind"], "file", r)
    self.assertEqual(asked(r, "GET"), ["/file"], r.server.requests)


Download.meets("a_named_file_is_a_file_also_on_a_test_server",
    d.site({"/file": d.always_large}, d.always_empty), is_a_file, "/file")
Download.meets("a_file_named_by_path_is_one_too", d.site({"/file": d.always_large}, d.always_empty), is_a_file,
    "/speedtest/", more=("--path", "/file"))


class Nobody(Client):
    """Servers that are no test servers, whatever they answer."""

    def is_file_server(self, r, words):
        self.assertEqual(r.code, 1, r)
        self.assertEqual(r.json["server"]["kind"], "file", r)
        flow = r.json["download"]
        self.assertEqual((flow["status"], figures(flow)), ("unsupported", {}), r)
        self.assertRegex(flow["reason"], words, r)


NO_FILE = "there is no file to download"
SMALL = "the largest file there has only"

for sentence, other, words in (
    ("a_server_with_one_page_for_every_path_is_none", d.catch_all, NO_FILE),
    ("a_server_whose_page_of_an_error_has_status_200_is_none", d.soft_404, NO_FILE),
    ("a_server_that_sends_everybody_to_a_login_is_none", d.to_login, NO_FILE),
    ("a_server_that_answers_nothing_to_everything_is_none", d.always_empty, SMALL),
    ("a_server_of_json_is_none", d.always_json, SMALL),
    ("a_server_without_anything_is_none", d.not_found, "answered 404 Not Found"),
):
    def judge(self, r, words=words):
        self.is_file_server(r, words)
        self.assertLessEqual(set(asked(r, "GET")), {"/info", "/", "/login", "/garbage.php?ckSize=100",
            "/backend/garbage.php?ckSize=100", "/garbage?ckSize=100", "/downloading", *PROBES})

    Nobody.meets(sentence, d.site({}, other), judge, fast=False)


def asks_each_once(self, r):
    self.assertEqual(r.json["server"]["kind"], "file", r)
    self.assertEqual(asked(r, "GET"), ["/info", *PROBES, "/"], r.server.requests)
    self.assertEqual(len(r.server.requests), 2 + len(PROBES), r.server.requests)


Nobody.meets("what_is_none_is_asked_once_for_each_kind", d.site({}, d.not_found), asks_each_once, fast=False)
Nobody.meets("a_server_of_one_connection_at_a_time_is_asked_the_same", d.one_at_a_time(d.site({}, d.not_found)),
    asks_each_once, fast=False)
Nobody.meets("a_file_for_every_path_is_a_file", d.site({}, d.always_large), lambda self, r: (
    self.is_kind(r, "file"), self.assertEqual(r.json["download"]["status"], "ok", r)))


def is_left_in_time(self, r):
    self.assertEqual(r.json["server"]["kind"], "file", r)
    self.assertEqual(asked(r, "GET"), ["/info", PROBES[0], "/"], r.server.requests)
    self.assertLess(r.seconds, 10, r)


KNOWN = {"/info": d.not_found, "/": d.page}
Nobody.meets("a_server_that_is_silent_on_unknown_paths_is_asked_one_only", d.site(KNOWN, d.silent), is_left_in_time,
    fast=False)
Nobody.meets("a_server_that_resets_on_unknown_paths_is_asked_one_only", d.site(KNOWN, d.resets), is_left_in_time,
    fast=False)


def breaks_off(words):
    return lambda q: q.c.send(answer("200 OK", "Content-Length: 100", length=False) + words) and False


for words in (b"test=test", b""):
    Nobody.meets(f"a_server_that_breaks_off_after_{len(words)}_bytes_is_none",
        d.site({**KNOWN, PROBES[0]: breaks_off(words)}), is_left_in_time, fast=False)

Nobody.meets("a_long_page_behind_a_missing_slash_is_no_file",
    d.site({"/dir": lambda q: q.reply(b"", "Location: /dir/", status="301 Moved"), "/dir/": d.soft_404}),
    lambda self, r: self.is_file_server(r, NO_FILE), "/dir", fast=False)


def half(path_of_half, answered):
    """A server that has one half of what makes a dialect."""
    return d.site({"/": d.page, path_of_half: answered})


for sentence, talk in (
    ("an_empty_answer_where_librespeed_has_one_is_not_enough", half("/backend/empty.php", d.always_empty)),
    ("an_empty_answer_where_openspeedtest_has_one_is_not_enough", half("/upload", d.always_empty)),
    ("a_large_file_where_librespeed_has_one_is_not_enough", half("/backend/garbage.php", d.always_large)),
    ("a_large_file_where_openspeedtest_has_one_is_not_enough", half("/downloading", d.always_large)),
    ("the_sources_of_librespeed_are_not_librespeed",
        d.site({"/": d.page, **{f"/backend/{name}.php": lambda q: q.reply(b"<?php\nheader('x');\n",
            "Content-Type: application/octet-stream") for name in ("empty", "garbage", "getIP")}})),
    ("a_page_that_holds_the_words_is_not_a_speedtest_mini",
        d.site({"/": d.page, "/speedtest/latency.txt": lambda q: q.reply(b"<html>test=test</html>", d.HTML)})),
    ("the_words_with_an_error_are_not_a_speedtest_mini",
        d.site({"/": d.page, "/speedtest/latency.txt": lambda q: q.reply(b"test=test", status="404 Not Found")})),
    ("the_words_in_short_are_not_a_speedtest_mini",
        d.site({"/": d.page, "/speedtest/latency.txt": lambda q: q.reply(b"test=tes")})),
):
    Nobody.meets(sentence, talk, lambda self, r: self.is_file_server(r, NO_FILE), fast=False)


class Upload(Client):
    """Where the data goes, and what of it the server's receipt says."""

    def uploads(self, r, kind, path, counted_by):
        self.is_kind(r, kind)
        flow = r.json["upload"]
        self.assertEqual((flow["status"], flow["counted_by"]), ("ok", counted_by), r)
        self.assertGreater(flow["bits_per_second"], 1e6, r)
        self.assertEqual(asked(r, "POST")[-1], path, r.server.requests)

    @classmethod
    def goes(cls, sentence, talk, kind, path, counted_by="sender", more=()):
        cls.meets(sentence, talk, lambda self, r: self.uploads(r, kind, path, counted_by), only="upload", more=more)


def largest_body(talk, limit):
    """Refuse what is larger, as servers that are set up for a dialect's own clients do."""
    def talk_of(c):
        class Limited:
            def __init__(self):
                self.server = c.server

            def __getattr__(self, name):
                return getattr(c, name)

            def body(self, head):
                n = re.search(r"(?i)\ncontent-length: (\d+)", head)
                if n and int(n[1]) > limit:
                    c.send(answer("413 Request Entity Too Large", "Connection: close"))
                    return 0
                return c.body(head)
        talk(Limited())
    return talk_of


Upload.goes("a_speedtest_mini_is_posted_to", d.speedtest(), "speedtest", "/speedtest/upload.php", "receiver")
Upload.goes("a_speedtest_mini_in_another_language_is_posted_to", d.speedtest(script="upload.asp"), "speedtest",
    "/speedtest/upload.asp", "receiver")
Upload.goes("a_speedtest_mini_that_counts_forms_is_counted_here", d.speedtest(count=d.by_form), "speedtest",
    "/speedtest/upload.php")
Upload.goes("a_speedtest_mini_that_says_too_much_is_counted_here", d.speedtest(count=lambda q, n: 99999999999),
    "speedtest", "/speedtest/upload.php")
Upload.goes("a_speedtest_mini_that_says_too_much_later_is_counted_here",
    d.speedtest(count=lambda q, n: 1 if n == 1 else 99999999999), "speedtest", "/speedtest/upload.php")
Upload.goes("a_speedtest_mini_that_says_no_number_is_counted_here", d.speedtest(count=lambda q, n: -5), "speedtest",
    "/speedtest/upload.php")


def received_less(self, r):
    self.assertEqual(r.code, 1, r)
    flow = r.json["upload"]
    self.assertEqual((flow["status"], figures(flow)), ("failed", {}), r)
    self.assertRegex(flow["reason"], "received less than was sent", r)


Upload.meets("a_speedtest_mini_that_says_nothing_arrived_is_not_measured", d.speedtest(count=lambda q, n: 0),
    received_less, only="upload")
Upload.meets("a_speedtest_mini_that_says_half_arrived_is_not_measured", d.speedtest(count=lambda q, n: (n + 1) // 2),
    received_less, only="upload")
Upload.goes("librespeed_is_posted_to", d.librespeed(), "librespeed", "/backend/empty.php")
Upload.goes("librespeed_with_the_names_of_the_server_in_go_is_posted_to", d.librespeed("", php=""), "librespeed",
    "/empty")
Upload.goes("openspeedtest_is_posted_to", d.openspeedtest(), "openspeedtest", "/upload")

# Long enough for bodies that double each time to come to their largest.
LONG = ("--time", "1s", "--connections", "1")
for name, limit, path, counted_by in (("speedtest", 7, "/speedtest/upload.php", "receiver"),
        ("librespeed", 20, "/backend/empty.php", "sender"), ("openspeedtest", 30, "/upload", "sender")):
    Upload.goes(f"{name}_gets_no_larger_body_than_its_own_clients_send",
        largest_body(getattr(d, name)(), limit * d.MIB), name, path, counted_by, LONG)


if __name__ == "__main__":
    unittest.main()
