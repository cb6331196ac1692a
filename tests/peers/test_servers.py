# SPDX-License-Identifier: MIT
"""Real servers, as they come: what can be downloaded is found and measured, an upload that nobody takes is told so."""

import http.client
import os
import re
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from peers import Busybox, Lighttpd, Nginx, Python, Python11, PythonOne
from program import PATIENCE, figures, run

LARGE = 200 << 20
QUICK = ("-W", "2s", "--time", "1s", "-c", "3")


def folder(**files):
    """A folder that everybody may read, with files of these sizes; they are sparse and cost no disk."""
    f = tempfile.TemporaryDirectory()
    os.chmod(f.name, 0o755)
    for name, size in files.items():
        with open(Path(f.name, name.replace("_", ".")), "wb") as out:
            out.truncate(size)
    return f


class Common:
    """What is asked of each server; the classes below say which one it is, and what it says to a POST."""

    peer = None
    lists = True       # by itself
    upload_status = ("unsupported",)
    upload_words = ""  # of a POST to a file
    software = ""

    @classmethod
    def setUpClass(cls):
        why = cls.peer.missing()
        if why:
            raise unittest.SkipTest(why)
        cls.full = folder(small_txt=1000, middle_bin=3 << 20, large_bin=LARGE, empty_bin=0)
        cls.small = folder(small_txt=1000, tiny_txt=10)
        cls.empty = folder()
        for f in (cls.full, cls.small, cls.empty):
            cls.addClassCleanup(f.cleanup)
        if not cls.lists:
            cls.index(cls.full.name, "small.txt", "middle.bin", "large.bin", "empty.bin")
            cls.index(cls.small.name, "small.txt", "tiny.txt")
            cls.index(cls.empty.name)
        cls.server = cls.peer(cls.full.name)
        cls.addClassCleanup(cls.server.__exit__)

    @staticmethod
    def index(where, *names):
        links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
        Path(where, "index.html").write_text(f"<html><body>{links}</body></html>\n")

    def check(self, *args, target, code=0):
        r = run("check", *QUICK, "-f", "json", *args, target)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r.json

    def is_unsupported(self, flow, words):
        self.assertIn(flow["status"], self.upload_status, flow)
        self.assertRegex(flow["reason"], words, flow)
        self.assertEqual(figures(flow), {})

    def test_a_named_file_is_downloaded_and_the_upload_is_told_to_be_impossible(self):
        doc = self.check(target=self.server.url + "/large.bin")
        self.assertEqual((doc["server"]["kind"], doc["download"]["status"], doc["download"]["counted_by"]),
            ("file", "ok", "receiver"), doc)
        self.assertGreater(doc["download"]["bits_per_second"], 1e8, doc)
        self.assertTrue((doc["server"]["software"] or "").startswith(self.software), doc)
        self.assertGreater(doc["ping"]["received"], 0)
        self.assertGreater(doc["loaded"]["download"]["received"], 0)
        self.assertIsNone(doc["loaded"]["upload"])
        self.is_unsupported(doc["upload"], self.upload_words)

    def test_without_a_name_the_largest_file_is_found(self):
        doc = self.check("--only", "download", target=self.server.target)
        self.assertEqual(doc["target"]["url"], self.server.url + "/large.bin")
        self.assertEqual(doc["download"]["status"], "ok", doc)

    def test_path_names_a_file_too(self):
        doc = self.check("--only", "download", "--time", "300ms", "--path", "/middle.bin", target=self.server.target)
        self.assertEqual((doc["target"]["url"], doc["download"]["status"]), (self.server.url + "/middle.bin", "ok"))

    def test_only_upload_is_exit_code_1_with_the_reason(self):
        doc = self.check("--only", "upload", target=self.server.url + "/large.bin", code=1)
        self.is_unsupported(doc["upload"], self.upload_words)

    def test_an_empty_folder_says_that_there_is_nothing_to_measure(self):
        with self.peer(self.empty.name) as s:
            doc = self.check(target=s.target)
        self.assertEqual(doc["download"]["status"], "unsupported", doc)
        self.assertRegex(doc["download"]["reason"], r"^nothing to measure: there is no file to download; .*sonde serve")
        self.assertEqual(figures(doc["download"]), {})
        self.assertGreater(doc["ping"]["received"], 0)

    def test_only_a_small_file_is_limited_by_size_and_says_what_to_do(self):
        with self.peer(self.small.name) as s:
            doc = self.check("--only", "ping,download", target=s.target, code=1)
        flow = doc["download"]
        self.assertEqual((flow["status"], flow["limited_by"]), ("unsupported", "size"), flow)
        self.assertRegex(flow["reason"], r"the largest file there has only 1000 bytes; put a large one there")
        self.assertEqual(figures(flow), {})

    def test_a_small_file_that_was_named_is_measured_and_limited_by_size(self):
        flow = self.check("--only", "download", target=self.server.url + "/small.txt")["download"]
        self.assertEqual((flow["status"], flow["limited_by"]), ("ok", "size"), flow)

    def test_an_empty_file_is_nothing_to_measure(self):
        flow = self.check("--only", "download", target=self.server.url + "/empty.bin", code=1)["download"]
        self.assertEqual((flow["status"], flow["limited_by"], figures(flow)), ("unsupported", "size", {}))

    def test_a_file_that_is_not_there_names_the_404(self):
        flow = self.check("--only", "download", target=self.server.url + "/nothing.bin", code=1)["download"]
        self.assertEqual(flow["status"], "unsupported", flow)
        self.assertIn("404", flow["reason"])

    def test_no_byte_is_counted_that_the_server_has_not_sent(self):
        """Python's own client and sonde agree on the length of the file."""
        c = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        self.addCleanup(c.close)
        c.request("HEAD", "/middle.bin")
        self.assertEqual(int(c.getresponse().headers["Content-Length"]), 3 << 20)
        flow = self.check("--only", "download", "--connections", "1",
            target=self.server.url + "/middle.bin")["download"]
        self.assertGreaterEqual(flow["transferred_bytes"], 3 << 20)

    def test_two_checks_at_once_are_both_measured(self):
        with ThreadPoolExecutor(2) as pool:
            for doc in pool.map(lambda _: self.check("--only", "download", "--time", "500ms",
                target=self.server.url + "/large.bin"), range(2)):
                self.assertEqual(doc["download"]["status"], "ok", doc)

    def test_the_words_on_the_screen_name_the_server_and_the_reason(self):
        r = run("check", *QUICK, "--time", "300ms", self.server.url + "/large.bin")
        self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertRegex(r.out, rf"(?m)^  at {re.escape(self.server.target)}(, which is {self.software}.*)?$", r)
        self.assertRegex(r.out, r"(?m)^  download +\d+(\.\d+)? [kMGT]bit/s, ", r)
        self.assertRegex(r.out, rf"(?m)^  upload +(not possible here|failed): .*({self.upload_words}).*$", r)


class PythonServer(Common, unittest.TestCase):
    peer = Python
    software = "SimpleHTTP/"
    upload_words = "501 Unsupported method"

    def test_names_that_need_escaping_are_found(self):
        with tempfile.TemporaryDirectory() as where:
            name = "a b&c 'd\" é#%;,=+.bin"
            with open(Path(where, name), "wb") as out:
                out.truncate(LARGE)
            with self.peer(where) as s:
                doc = self.check("--only", "download", "--time", "300ms", target=s.target)
            self.assertEqual(doc["download"]["status"], "ok", doc)

    def test_a_folder_below_is_looked_through_when_it_is_named(self):
        with tempfile.TemporaryDirectory() as where:
            os.mkdir(Path(where, "below"))
            for name, size in (("below/one.bin", LARGE), ("two.bin", 1 << 20)):
                with open(Path(where, name), "wb") as out:
                    out.truncate(size)
            with self.peer(where) as s:
                doc = self.check("--only", "download", "--time", "300ms", target=s.url + "/below/")
                self.assertEqual(doc["target"]["url"], s.url + "/below/one.bin")
                doc = self.check("--only", "download", "--time", "300ms", target=s.url + "/below")
                self.assertEqual(doc["download"]["status"], "ok", doc)


class Python11Server(PythonServer):
    peer = Python11


class OneConnectionServer(Common, unittest.TestCase):
    peer = PythonOne
    software = "SimpleHTTP/"
    upload_words = "501 Unsupported method"
    test_two_checks_at_once_are_both_measured = None  # it cannot


class NginxServer(Common, unittest.TestCase):
    peer = Nginx
    software = "nginx/"
    upload_words = "405 Not Allowed"


class LighttpdServer(Common, unittest.TestCase):
    """It answers a POST to a file with the file, and may do so before it has read what is posted: that is no upload."""

    peer = Lighttpd
    software = "lighttpd/"
    upload_status = ("failed", "unsupported")
    upload_words = "server"


class BusyboxServer(Common, unittest.TestCase):
    peer = Busybox
    lists = False
    upload_words = "501 Not Implemented"

    def test_a_folder_that_it_does_not_list_is_told_as_404(self):
        with folder(large_bin=LARGE) as where, self.peer(where) as s:
            flow = self.check("--only", "download", target=s.target, code=1)["download"]
        self.assertEqual((flow["status"], figures(flow)), ("unsupported", {}))
        self.assertRegex(flow["reason"], "404")


if __name__ == "__main__":
    unittest.main()
