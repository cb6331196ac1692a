# SPDX-License-Identifier: MIT
"""The page of `sonde serve` in a real browser: what it measures, how it looks, and what it does when the server dies."""

import json
import re
import signal

from web import BY_ID, RUN_S, STATE, Connections, WebLab, main, serve_again

WITHIN = 0.05
LARGEST = 60000
# Of the loads; one more for the latency, and one that goes as the next comes.
CONNECTIONS = 4 + 2
# What Tab has to reach.
CONTROLS = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, [tabindex='0']"


class Check(WebLab):
    """One check of 100 Mbit/s, begun by a key; all that follows is about it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.serve()
        cls.shape()
        # A machine that has other things to do may spoil one run, but not two.
        for _ in range(2):
            cls.measure(cls.browser)
            cls.program = cls.sonde(cls, "check", "-f", "json", cls.server.target)
            if all(abs(off) <= WITHIN for off in cls.offs().values()):
                break

    @classmethod
    def measure(cls, b):
        b.requests()
        b.open(cls.server.url + "/")
        b.script("localStorage.clear()")
        b.open(cls.server.url + "/")
        b.until(f"{STATE} === 'idle'")
        with Connections(cls.far, cls.server.port) as connections:
            b.press("enter")
            cls.until_state("running", seconds=5)
            cls.until_state("done", "failed")
        cls.connections = connections.most
        cls.figures = cls.values()
        cls.origins, cls.said = b.origins(), b.complaints()
        cls.told, cls.moved = b.script("return [told, moved]")
        cls.sent = b.script("""return [...performance.getEntriesByType("navigation"),
            ...performance.getEntriesByType("resource")].map(e => [new URL(e.name).pathname, e.encodedBodySize])""")

    @classmethod
    def offs(cls):
        """Of each direction, how far the page is from the program."""
        doc = cls.program.json
        return {way: (cls.figures[way] or 0) / doc[way]["bits_per_second"] - 1 for way in ("download", "upload")}

    def test_rates_are_those_of_sonde_check(self):
        for way, off in self.offs().items():
            self.assertLessEqual(abs(off), WITHIN, (way, self.figures, self.program))

    def test_latency_and_its_grade_are_sensible(self):
        f = self.figures
        self.assertTrue(0 < f["ping"] < 5, f)
        self.assertTrue(0 <= f["jitter"] < 5, f)
        self.assertGreater(f["loaded"], f["ping"] + 5, f)
        # The program's may be the next one: its queue is fuller, or this machine busier.
        more = f["loaded"] - f["ping"]
        bounds = (5, "A+"), (30, "A"), (60, "B"), (200, "C"), (400, "D")
        self.assertEqual(f["grade"], next((grade for below, grade in bounds if more < below), "F"), f)

    def test_a_sentence_says_it_in_words(self):
        self.assertRegex(self.browser.text("#sentence"), r"[A-Z].*latency.*\d ms.*\.$")

    def test_loss_that_a_browser_cannot_see_is_no_figure(self):
        self.assertIsNone(self.figures["loss"])

    def test_neither_the_page_nor_the_browser_complains(self):
        self.assertEqual(self.said, [])

    def test_nobody_else_is_asked_for_anything(self):
        self.assertEqual(self.origins, {self.server.url})

    def test_the_page_is_small(self):
        files = {path: size for path, size in self.sent if path in ("/", "/sonde.css", "/sonde.js")}
        if len(files) < 3:  # the page itself may have cleared the browser's list
            files = dict(self.browser.script("""return Promise.all(["/", "/sonde.css", "/sonde.js"].map(async path =>
                [path, Number((await fetch(path)).headers.get("content-length"))]))"""))
        self.assertEqual(len(files), 3, files)
        self.assertTrue(all(files.values()), files)
        self.assertLess(sum(files.values()), LARGEST, files)

    def test_nothing_moves_by_itself(self):
        self.assertEqual(self.moved, [])

    def test_at_most_four_loads_and_the_latency_are_connected(self):
        self.assertTrue(2 <= self.connections <= CONNECTIONS, self.connections)

    def test_who_listens_is_told_of_each_phase(self):
        told = " | ".join(self.told)
        self.assertRegex(told, r"(?i)latency.*download.*upload.*done", self.told)
        # Nobody can listen to something that is said ten times a second.
        self.assertLess(len(self.told), 12, self.told)

    def test_the_picture_when_it_is_done(self):
        self.look_at("serve-done")

    def test_nothing_is_cut_off_where_letters_are_twice_as_large(self):
        self.browser.script("document.documentElement.style.fontSize = '200%'")
        try:
            self.look_at("serve-done-large", pictures=False)
        finally:
            self.browser.script("document.documentElement.style.fontSize = ''")

    def test_text_and_json_that_are_copied_have_these_figures(self):
        b, f = self.browser, self.figures
        b.click("#copy-text")
        text = b.clipboard()
        self.assertIn(f"{f['download'] / 1e6:.1f} Mbit/s", text)
        self.assertIn(f"{f['upload'] / 1e6:.1f} Mbit/s", text)
        self.assertRegex(text, rf"grade {re.escape(f['grade'])}")
        b.click("#copy-json")
        doc = json.loads(b.clipboard())
        self.assertEqual([doc["download"]["bits_per_second"], doc["upload"]["bits_per_second"],
            doc["ping"]["rtt_p50_ms"], doc["bufferbloat"]["grade"]],
            [f["download"], f["upload"], f["ping"], f["grade"]], doc)
        self.assertEqual((doc["schema"], doc["target"]["host"]), (1, "10.77.0.2"), doc)

    def test_the_command_for_a_terminal_measures_this_server(self):
        self.assertEqual(self.browser.text("#command"), f"sonde check {self.server.target}")

    def test_x_history_survives_a_reload(self):
        b = self.browser
        b.reload()
        b.until(f"{STATE} === 'idle'")
        self.assertEqual(len(b.script("return [...document.querySelectorAll('#entries li')].map(e => 1)")), 1)
        entry = b.text("#entries li")
        for way in ("download", "upload"):
            self.assertIn(f"{self.figures[way] / 1e6:.1f} Mbit/s", entry)
        self.look_at("serve-history", pictures=False)
        b.click("#clear")
        b.reload()
        self.assertFalse(b.script("return document.querySelectorAll('#entries li').length"))


class Fast(WebLab):
    """A wire as fast as this machine."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.serve()
        cls.browser.open(cls.server.url + "/")
        cls.browser.press("enter")
        cls.until_state("running", seconds=5)
        cls.until_state("done", "failed")

    def test_above_1_gbit_s_the_browser_is_said_to_be_the_limit(self):
        fastest = max(self.value("download"), self.value("upload"))
        if fastest <= 1e9:
            self.skipTest(f"this machine's browser takes only {fastest / 1e6:.0f} Mbit/s")
        self.assertRegex(self.browser.text("#notes"), rf"(?i)browser.*limit.*sonde check {self.server.target}")
        self.look_at("serve-fast")

    def test_the_result_can_be_had_as_a_picture(self):
        self.browser.click("#copy-picture")
        self.browser.until(f"{BY_ID}.textContent !== ''", "copied")
        self.assertIn(self.browser.text("#copied"), ("copied", "saved as a file"))
        # Of every file that comes by plain HTTP.
        self.assertEqual([c for c in self.browser.complaints() if "insecure connection" not in c], [])


class Idle(WebLab):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.serve()

    def setUp(self):
        self.browser.open(self.server.url + "/")

    def test_the_picture_before_anything_is_pressed(self):
        self.look_at("serve-idle")

    def test_first_paint_moves_nothing(self):
        self.browser.script("return new Promise(done => setTimeout(done, 500))")
        self.assertEqual(self.browser.script("return moved"), [])

    def test_tab_reaches_every_control_in_the_order_of_reading_and_it_can_be_seen_where(self):
        walk(self)

    def test_space_and_enter_begin_and_end_a_check(self):
        b = self.browser
        for key in ("space", "enter"):
            self.assertEqual(b.script("return document.activeElement.id"), "button")
            b.press(key)
            self.until_state("running", seconds=5)
            self.assertEqual(b.text("#button"), "Stop")
            b.press(key)
            self.until_state("done", "idle", seconds=5)
            self.assertEqual(b.text("#button"), "Check")

    def test_the_page_stands_by_itself_without_a_script(self):
        """What a television without JavaScript shows are words, not an empty sheet."""
        b = self.browser
        b.cdp("Emulation.setScriptExecutionDisabled", value=True)
        try:
            b.open(self.server.url + "/")
            self.assertIn("sonde check", b.text("body"))
        finally:
            b.cdp("Emulation.setScriptExecutionDisabled", value=False)

    def test_nothing_is_complained_of(self):
        self.assert_silent()


def walk(test):
    """Tab from the top to the bottom of the page."""
    b = test.browser
    want = b.script("""return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility() &&
        (e.type !== "radio" || e.checked)).map(e => e.id || e.value)""", CONTROLS)
    b.script("document.activeElement.blur()")
    got = []
    b.script("scrollTo(0, 0); document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')")
    for _ in range(len(want) + 1):
        b.press("tab")
        at = b.script("const e = document.activeElement; return e === document.body ? null : e.id || e.value")
        if at is None or at in got:
            break
        got.append(at)
        box = b.script("""const r = document.activeElement.getBoundingClientRect();
            return [r.x + scrollX - 8, r.y + scrollY - 8, r.width + 16, r.height + 16]""")
        with_focus = b.picture(clip=box)
        b.script("window.was = document.activeElement; was.blur()")
        without = b.picture(clip=box)
        b.script("was.focus()")
        test.assertNotEqual(with_focus, without, f"the focus on {at} cannot be seen")
    test.assertEqual(got, want)


class Dying(WebLab):
    """The server goes away in mid-run."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shape("50mbit")
        first = cls.serve()
        cls.url, cls.port = first.url + "/", first.port
        cls.process = first.process

    @classmethod
    def kill(cls):
        cls.process.send_signal(signal.SIGKILL)
        cls.process.communicate()

    def revive(self):
        type(self).process = serve_again(self, self.port)
        self.addClassCleanup(self.kill)

    def begin(self, phase):
        """Press Check, and wait until something of this phase has come."""
        b = self.browser
        b.click("#button")
        self.until_state("running", seconds=5)
        b.until(f"/{phase}/i.test({BY_ID}.innerText)", "status", seconds=RUN_S)
        way = {"download": "download", "upload": "upload"}[phase]
        b.until(f"/[1-9]/.test({BY_ID}.innerText)", way, seconds=10)

    def assert_told(self):
        b = self.browser
        self.until_state("failed", seconds=15)
        self.assertRegex(b.text("#status"), r"(?i)server.*(gone|answer)")
        self.assertEqual(b.text("#button"), "Check")
        self.assertTrue(b.script(f"return {BY_ID}.disabled === false", "button"))

    def assert_only_the_loss_is_complained_of(self):
        for line in self.browser.complaints():
            self.assertRegex(line, r"net::ERR_|Failed to load resource", line)

    def test_1_in_mid_download(self):
        b = self.browser
        b.open(self.url)
        self.begin("download")
        self.look_at("serve-running")
        self.assertEqual(self.state(), "running")
        self.kill()
        self.assert_told()
        f = self.values()
        self.assertTrue(0 < f["ping"] < 5, f)
        self.assertIsNone(f["upload"], f)
        self.look_at("serve-failed")
        self.assert_only_the_loss_is_complained_of()

    def test_2_pressed_while_there_is_no_server(self):
        self.browser.click("#button")
        self.assert_told()
        self.assertEqual([v for v in self.values().values() if v is not None], [])

    def test_3_in_mid_upload(self):
        self.revive()
        self.begin("upload")
        self.kill()
        self.assert_told()
        f = self.values()
        self.assertAlmostEqual(f["download"], 47.8e6, delta=5e6, msg=f)
        self.assertIsNone(f["upload"], f)
        self.look_at("serve-failed-late", pictures=False)

    def test_4_a_wire_that_is_cut(self):
        self.revive()
        self.begin("download")
        self.far.do("ip", "link", "set", "wire", "down")
        try:
            self.assert_told()
        finally:
            self.far.do("ip", "link", "set", "wire", "up")

    def test_5_and_then_it_can_again(self):
        self.begin("download")
        self.browser.click("#button")
        self.until_state("done", seconds=5)
        self.assertRegex(self.browser.text("#status"), "(?i)stopped")
        self.assertLess(self.value("ping"), 5)


if __name__ == "__main__":
    main()
