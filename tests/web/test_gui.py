# SPDX-License-Identifier: MIT
"""`sonde gui` in a real browser: this machine's probe behind a page, and nobody else's hands on it."""

import json
import signal
import sys
import tempfile
import time
import urllib.parse

from web import BY_ID, STATE, WebLab, main, stays

import browser
import program
from program import PATIENCE

WITHIN = 0.05
MIB = 1 << 20


class Gui(WebLab):
    """The probe and its page at the near end, a plain file server at the far one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.process = program.start("gui", "--no-browser", "-p", "0", inside=cls.near.inside)
        cls.addClassCleanup(cls.end)
        cls.url = program.read_until(cls.process.stdout, r"(http://\S+/)\s")[0][1]
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        with open(f"{folder.name}/large.bin", "wb") as f:
            f.truncate(256 * MIB)
        cls.far.start(sys.executable, "-m", "http.server", "8000", "-d", folder.name)
        cls.near.sysctl("net.ipv4.ping_group_range", "0 2147483647")

    @classmethod
    def end(cls):
        cls.process.send_signal(signal.SIGKILL)
        cls.process.communicate()

    def setUp(self):
        self.browser.open(self.url)
        self.browser.until(f"{STATE} === 'idle'")
        self.browser.complaints()

    def choose(self, run, target):
        self.browser.script("document.querySelector(`[name=run][value=${arguments[0]}]`).click()", run)
        self.browser.script(f"{BY_ID}.value = arguments[1]", "target", target)

    def press(self):
        self.browser.click("#button")

    def document(self):
        self.browser.click("#copy-json")
        self.browser.until(f"{BY_ID}.textContent !== ''", "copied")
        return json.loads(self.browser.clipboard())


class Shown(Gui):
    def test_check_of_a_file_server_agrees_with_the_program(self):
        self.shape()
        self.look_at("gui-idle")
        for _ in range(2):
            self.choose("check", "10.77.0.2:8000")
            self.press()
            self.until_state("running", seconds=5)
            self.browser.until(f"/[1-9]/.test({BY_ID}.innerText)", "download", seconds=30)
            self.look_at("gui-running")
            self.until_state("done", "failed")
            got, doc = self.values(), self.sonde("check", "-f", "json", "10.77.0.2:8000").json
            off = got["download"] / doc["download"]["bits_per_second"] - 1
            if abs(off) <= WITHIN:
                break
        self.assertLessEqual(abs(off), WITHIN, (got, doc))
        self.assertEqual(self.state(), "done")
        self.assertIsNone(got["upload"])
        self.assertRegex(self.browser.text("#upload-more"), r"501|POST")
        self.assertEqual(got["loss"], 0)
        self.assertLess(got["ping"], 5)
        self.look_at("gui-done")
        self.assert_silent()

    def test_pings_of_several_hosts_run_until_they_are_stopped(self):
        self.shape(None)
        self.choose("ping", "127.0.0.1, 10.77.0.1 10.77.0.2")
        self.press()
        self.until_state("running", seconds=5)
        self.browser.until("document.querySelectorAll('#pings tr').length === 3")
        self.browser.until("[...document.querySelectorAll('#pings td:nth-child(2)')].every(e => /\\d/.test(e.textContent))")
        self.look_at("gui-ping")
        self.press()
        self.until_state("done", seconds=10)
        doc = self.document()
        self.assertEqual([t["target"] for t in doc["targets"]], ["127.0.0.1", "10.77.0.1", "10.77.0.2"])
        self.assertTrue(all(t["received"] > 0 for t in doc["targets"]), doc)
        self.assert_silent()

    def test_trace_shows_the_path(self):
        self.shape(None)
        self.choose("trace", "10.77.0.2")
        self.press()
        self.until_state("done", seconds=30)
        self.assertIn("10.77.0.2", self.browser.text("#hops"))
        self.look_at("gui-trace")
        self.assertTrue(self.document()["targets"][0]["reached"])
        self.assert_silent()

    def test_what_is_no_target_is_answered_beside_the_field_and_nothing_begins(self):
        rows = (("check", "two words", "space"), ("check", "https://10.77.0.2/", "TLS"), ("ping", "10.77.0.2/path", "path"),
            ("check", "x" * 10000, "255"), ("check", "<img src=x onerror=alert(1)>", "markup"), ("check", "", "name"),
            ("check", "-f", "option"), ("trace", "http://10.77.0.2/x", "path"))
        for run, target, word in rows:
            with self.subTest(run=run, target=target[:40]):
                self.choose(run, target)
                self.browser.requests()
                self.press()
                self.assertIn(word, self.browser.text("#target-error"))
                self.assertEqual(self.state(), "idle")
                self.assertEqual(self.browser.origins(), set())
        self.look_at("gui-error")
        self.assert_silent()

    def test_what_the_probe_objects_to_is_said_in_its_words(self):
        for target, words in (("no.such.host.invalid", "resolve"), ("10.77.0.2:1", "refused"), ("[::1", "")):
            self.choose("check", target)
            self.press()
            self.until_state("failed", "done", seconds=PATIENCE)
            shown = self.browser.text("#target-error")
            self.assertNotEqual(shown, "")
            self.assertRegex(shown, f"(?i){words}")

    def test_targets_are_remembered(self):
        self.choose("ping", "127.0.0.1")
        self.press()
        self.until_state("running", seconds=5)
        self.press()
        self.until_state("done", seconds=10)
        self.browser.reload()
        self.browser.until(f"{STATE} === 'idle'")
        options = self.browser.script("return [...document.querySelectorAll('#targets option')].map(o => o.value)")
        self.assertIn("127.0.0.1", options)


class Gone(Gui):
    def test_the_page_says_that_the_probe_has_gone(self):
        self.choose("ping", "127.0.0.1")
        self.press()
        self.until_state("running", seconds=5)
        self.process.send_signal(signal.SIGKILL)
        self.until_state("failed", "done", seconds=10)
        self.assertIn("sonde gui", self.browser.text("main"))


# A page of somebody else's in the same browser tries whatever a page can. `seen` is what it could read.
HOSTILE = """<!doctype html><title>hostile</title><script>
window.seen = [];
window.attack = async urls => {
    for (const url of urls) {
        for (const how of [{}, { mode: "no-cors" }, { method: "POST" }, { method: "POST", mode: "no-cors" }]) {
            try {
                const text = await (await fetch(url, { ...how, credentials: "include" })).text();
                if (text) seen.push([url, text]);
            } catch (e) {}
        }
        const es = new EventSource(url);
        es.onmessage = e => seen.push([url, e.data]);
        const img = new Image(); img.src = url; document.body.append(img);
        const frame = document.createElement("iframe"); frame.src = url; document.body.append(frame);
        const script = document.createElement("script"); script.src = url; document.body.append(script);
        const form = document.createElement("form"); form.method = "post"; form.action = url; form.target = "t";
        document.body.append(form); form.submit();
        const w = window.open(url);
        await new Promise(done => setTimeout(done, 200));
        for (const f of [frame.contentWindow, w])
            try { if (f.document.body.innerText) seen.push([url, f.document.body.innerText]); } catch (e) {}
        es.close();
    }
};
</script><body><iframe name=t></iframe>"""


class Origins(Gui):
    """Another origin in the same browser, even one that knows the token."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        with open(f"{folder.name}/index.html", "w") as f:
            f.write(HOSTILE)
        cls.near.start(sys.executable, "-m", "http.server", "8001", "--bind", "127.0.0.1", "-d", folder.name)
        cls.server = cls.serve()

    def has_children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
            return f.read().strip() != ""

    def attack(self, *urls):
        b = self.browser
        end = time.monotonic() + PATIENCE
        while True:
            try:
                b.open("http://127.0.0.1:8001/")
                break
            except browser.Refused:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
        b.until("typeof attack === 'function'")
        b.script("window.over = false; attack(arguments[0]).then(() => window.over = true)", list(urls))
        started = not stays(lambda: not self.has_children(), 1)
        b.until("over", seconds=PATIENCE)
        return b.script("return seen"), started

    def test_they_can_neither_begin_a_run_nor_read_one(self):
        base = urllib.parse.urljoin(self.url, "/")
        for events in ("events?run=ping&target=127.0.0.1", "stop?run=1", "info", ""):
            for url in (self.url + events, base + events):
                with self.subTest(url=url):
                    first = self.browser.windows()[0]
                    seen, started = self.attack(url)
                    self.assertFalse(started)
                    self.assertEqual(seen, [])
                    for window in self.browser.windows():
                        if window != first:
                            self.browser.switch(window)
                            self.browser.close_window()
                    self.browser.switch(first)

    def test_the_server_of_the_page_is_not_read_by_them_either(self):
        first = self.browser.windows()[0]
        seen, _ = self.attack(f"{self.server.url}/info", f"{self.server.url}/down?bytes=10")
        self.assertEqual(seen, [])
        self.browser.switch(first)


class Rebound(Gui):
    """A public name that its owner lets point here."""

    @classmethod
    def start_browser(cls, *args, **how):
        return super().start_browser("--host-resolver-rules=MAP evil.example 127.0.0.1", *args, **how)

    def test_a_public_name_that_points_here_is_refused(self):
        url = self.url.replace("127.0.0.1", "evil.example")
        self.browser.open(url)
        self.assertIsNone(self.browser.script("return document.getElementById('button')"))


if __name__ == "__main__":
    main()
