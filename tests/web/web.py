# SPDX-License-Identifier: MIT
"""A browser at the near end of the lab's wire, and eyes for what it shows. Pictures are kept in $PICTURES or build/web/."""

import os
import sys
import threading
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import browser
import program
from net import Lab
from program import PATIENCE, ROOT

PICTURES = Path(os.environ.get("PICTURES") or ROOT / "build" / "web")
WIDTHS, NARROWEST, SCHEMES = (360, 768, 1440), 320, ("light", "dark")
LOOK = Path(__file__).with_name("look.js").read_text()
# A check by the page takes about twenty seconds, and this machine may be slow.
RUN_S = 60

# What moved by itself, and what a screen reader was told, from the first moment on.
RECORDER = """
window.told = [];
window.moved = [];
new PerformanceObserver(list => moved.push(...list.getEntries().map(e => [e.value, Math.round(e.startTime),
    ...(e.sources || []).map(s => s.node ? s.node.id || s.node.nodeName + " " + (s.node.textContent || "").slice(0, 30) :
        "?")]))).observe({ type: "layout-shift", buffered: true });
document.addEventListener("DOMContentLoaded", () => new MutationObserver(changes => {
    for (const c of changes) {
        const e = c.target.nodeType === 1 ? c.target : c.target.parentElement;
        const live = e && e.closest("[aria-live], [role=status], [role=alert]"), text = live && live.innerText.trim();
        if (text && told.at(-1) !== text)
            told.push(text);
    }
}).observe(document.body, { childList: true, characterData: true, subtree: true }));
"""

STATE = "document.body.dataset.state"
BY_ID = "document.getElementById(arguments[0])"


class Connections(threading.Thread):
    """How many connections to a port there are, looked at ten times a second from the server's end."""

    def __init__(self, namespace, port):
        super().__init__(daemon=True)
        self.words = "ss", "-Htn", "state", "established", f"( sport = :{port} )"
        self.namespace, self.over, self.most = namespace, threading.Event(), 0

    def run(self):
        while not self.over.wait(0.1):
            self.most = max(self.most, len(self.namespace.do(*self.words).splitlines()))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join(PATIENCE)


class WebLab(Lab):
    """near, where the browser is --- wire --- far"""

    @classmethod
    def setUpClass(cls):
        why = browser.missing()
        if why:
            raise unittest.SkipTest(why)
        super().setUpClass()
        PICTURES.mkdir(parents=True, exist_ok=True)
        cls.browser = cls.start_browser()

    @classmethod
    def start_browser(cls, *args, port=9515):
        b = browser.Browser(cls.near, args, port)
        cls.addClassCleanup(b.close)
        b.before_each_page(RECORDER)
        b.look(1280)
        return b

    @classmethod
    def shape(cls, rate="100mbit"):
        cls.near.shape("wire", rate)
        cls.far.shape("wire", rate)

    @classmethod
    def state(cls):
        return cls.browser.script(f"return {STATE}")

    @classmethod
    def until_state(cls, *states, seconds=RUN_S):
        cls.browser.until(f"arguments[0].includes({STATE})", states, seconds=seconds)

    @classmethod
    def value(cls, key):
        """A figure of the page: a number, a word, None where it is not known."""
        text = cls.browser.script(f"return {BY_ID}.dataset.value", key)
        if text in (None, ""):
            return None
        return text if key == "grade" else float(text)

    @classmethod
    def values(cls):
        return {k: cls.value(k) for k in ("ping", "jitter", "loss", "download", "upload", "loaded", "grade")}

    def look_at(self, name, pictures=True):
        """The page as it stands now, at all widths and in both schemes of colours."""
        b, wrong, where = self.browser, [], self.browser.script("return [scrollX, scrollY]")
        for scheme in SCHEMES:
            for width in (NARROWEST, *WIDTHS):
                b.look(width, scheme=scheme)
                wrong += [f"{name}, {width} px, {scheme}: {w}" for w in b.script(LOOK)]
                if pictures and width in WIDTHS:
                    b.picture(PICTURES / f"{name}-{width}-{scheme}.png")
        b.look(1280)
        b.script("scrollTo(...arguments)", *where)
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def assert_silent(self):
        self.assertEqual(self.browser.complaints(), [])


def stays(condition, seconds):
    """True where it holds all this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            return False
        time.sleep(0.05)
    return True


def serve_again(lab, port):
    """`sonde serve` at the far end, on the port of one that has died."""
    p = program.start("serve", "-p", str(port), inside=lab.far.inside)
    program.read_until(p.stdout, r"in a browser")
    return p


def main():
    unittest.main()
