# SPDX-License-Identifier: MIT
"""
Chromium as its user has it, driven by chromedriver (w3.org/TR/webdriver2, and Chromium's own additions). It lives in a
process namespace with a /tmp of its own: when the test dies, the kernel ends all of its processes and takes away all of
its files.
"""

import base64
import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

from program import PATIENCE, die_with_parent, environment

QUIET = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-default-apps --disable-extensions --disable-dev-shm-usage
    --disable-features=Translate,OptimizationHints,MediaRouter --hide-scrollbars --force-color-profile=srgb
    --user-data-dir=/tmp/profile""".split()
KEYS = {"tab": "\ue004", "enter": "\ue007", "space": " ", "shift": "\ue008", "control": "\ue009", "escape": "\ue00c",
    "down": "\ue015", "right": "\ue014", "left": "\ue012"}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
LOOPBACK_ONLY = ("sh", "-c", 'mount -t tmpfs tmpfs /tmp && exec "$@"', "sh")

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000


def missing():
    """Why there can be no browser here; "" where there can."""
    if os.geteuid() != 0:
        return "a browser with processes and files of its own needs root"
    absent = [tool for tool in ("chromium", "chromedriver", "unshare") if not shutil.which(tool)]
    return f"{absent[0]} is not installed" if absent else ""


def connect(namespace, port):
    """To a port on the loopback of a namespace: a socket stays where it was made."""
    if not namespace:
        return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    with open("/proc/self/ns/net") as ours, open(f"/proc/{namespace.holder.pid}/ns/net") as theirs:
        if _libc.setns(theirs.fileno(), _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "cannot enter a network namespace")
        try:
            s = socket.socket()
        finally:
            if _libc.setns(ours.fileno(), _CLONE_NEWNET) != 0:
                os._exit(3)  # whatever came next would go out of the wrong door
    s.settimeout(PATIENCE)
    try:
        s.connect(("127.0.0.1", port))
    except OSError:
        s.close()
        raise
    return s


class Refused(AssertionError):
    """What the browser says it cannot do."""


class Browser:
    """One window, at the loopback of `namespace` if there is one. Commands that take long fail after PATIENCE."""

    def __init__(self, namespace=None, args=(), port=9515):
        self.namespace, self.port = namespace, port
        self.session, self.size = None, None
        inside = namespace.inside if namespace else []
        self.process = subprocess.Popen([*inside, "unshare", "--mount", "--pid", "--fork", "--kill-child",
            "--mount-proc", *LOOPBACK_ONLY, shutil.which("chromedriver"), f"--port={port}", "--log-level=OFF"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment({"HOME": "/tmp", "TMPDIR": "/tmp", "LC_ALL": "C.UTF-8"}), preexec_fn=die_with_parent)
        try:
            self._begin(args)
        except BaseException:
            self.close()
            raise

    def _begin(self, args):
        self._await_driver()
        options = {"binary": shutil.which("chromium"), "args": [*QUIET, *args],
            "perfLoggingPrefs": {"enableNetwork": True, "enablePage": False}}
        want = {"browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "timeouts": {"script": PATIENCE * 1000, "pageLoad": PATIENCE * 1000}, "unhandledPromptBehavior": "ignore"}
        got = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": want}})
        self.session = got["sessionId"]
        # What the browser shows by itself has requests of its own.
        self.open("about:blank")
        self.requests()

    def _await_driver(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if self._ask("GET", "/status")["ready"]:
                    return
            except OSError:
                pass
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("chromedriver does not start")
            time.sleep(0.05)

    def _ask(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port)
        c.sock = connect(self.namespace, self.port)
        try:
            c.request(method, path, None if method == "GET" else json.dumps(body or {}),
                {"Content-Type": "application/json"})
            value = json.loads(c.getresponse().read())["value"]
        finally:
            c.close()
        if isinstance(value, dict) and "error" in value:
            raise Refused(f"{value['error']}: {value['message'].splitlines()[0]}")
        return value

    def do(self, path, body=None, method="POST"):
        return self._ask(method, f"/session/{self.session}{path}", body)

    def cdp(self, command, **params):
        return self.do("/goog/cdp/execute", {"cmd": command, "params": params})

    # What a user does

    def open(self, url):
        self.do("/url", {"url": url})

    def reload(self):
        self.do("/refresh")

    def find(self, selector):
        return self.do("/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.do(f"/element/{self.find(selector)}/click")

    def type(self, selector, text):
        """Instead of what was there."""
        element = self.find(selector)
        self.do(f"/element/{element}/clear")
        self.do(f"/element/{element}/value", {"text": text})

    def press(self, *names):
        """Keys, all held down together; the focus says where they go."""
        keys = [KEYS.get(n, n) for n in names]
        steps = [{"type": "keyDown", "value": k} for k in keys] + [{"type": "keyUp", "value": k} for k in keys[::-1]]
        self.do("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": steps}]})

    # What a user sees

    def script(self, text, *args):
        """The body of a function; what it returns, or what its promise becomes."""
        return self.do("/execute/sync", {"script": text, "args": list(args)})

    def text(self, selector):
        """As it stands on the screen."""
        return self.do(f"/element/{self.find(selector)}/text", method="GET")

    def until(self, condition, *args, seconds=PATIENCE):
        """Wait for an expression of JavaScript to be true; its value."""
        end = time.monotonic() + seconds
        while not (value := self.script(f"return {condition}", *args)):
            if time.monotonic() > end:
                seen = self.script("return document.body ? document.body.innerText : null")
                raise AssertionError(f"never within {seconds} s: {condition}\n-- the page says\n{seen}")
            time.sleep(0.05)
        return value

    def look(self, width=None, height=800, scheme="light", scale=1):
        """The size of the window, the colours that the user prefers, and pixels for one of CSS."""
        if width:
            self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                mobile=False)
        self.cdp("Emulation.setEmulatedMedia", media="screen",
            features=[{"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"}])
        # Two frames later it stands as it will.
        self.script("return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def picture(self, path=None, clip=None):
        """All of the page, or [x, y, width, height] of it, as PNG; into a file if there is a path."""
        x, y, width, height = clip or (0, 0, *self.script(
            "return [innerWidth, Math.ceil(document.documentElement.getBoundingClientRect().height)]"))
        data = base64.b64decode(self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True,
            clip={"x": x, "y": y, "width": width, "height": height, "scale": 1})["data"])
        if path:
            with open(path, "wb") as f:
                f.write(data)
        return data

    def clipboard(self):
        """What Control-V puts into a text field of this page."""
        self.script("""const field = document.createElement("textarea");
            field.id = "paste-here"; document.body.append(field); field.focus();""")
        self.press("control", "v")
        return self.script("""const field = document.getElementById("paste-here"), text = field.value;
            field.remove(); return text;""")

    # What only its maker sees

    def before_each_page(self, text):
        """A script that runs before those of every page from now on."""
        return self.cdp("Page.addScriptToEvaluateOnNewDocument", source=text)

    def complaints(self):
        """What the console got since the last time: errors and warnings, of the browser too."""
        return [f"{e['level']}: {e['message']}" for e in self.do("/se/log", {"type": "browser"})
            if e["level"] in ("SEVERE", "WARNING")]

    def requests(self):
        """All addresses asked for since the last time, whoever asked."""
        events = [json.loads(e["message"])["message"] for e in self.do("/se/log", {"type": "performance"})]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def origins(self):
        """Of those that went over a network."""
        parts = [urllib.parse.urlsplit(url) for url in self.requests()]
        return {f"{p.scheme}://{p.netloc}" for p in parts if p.scheme not in ("data", "blob", "about")}

    # Windows

    def windows(self):
        return self.do("/window/handles", method="GET")

    def switch(self, window):
        self.do("/window", {"handle": window})

    def close_window(self):
        self.do("/window", method="DELETE")

    def close(self):
        """Ends all processes: the first one of a process namespace takes the others with it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
