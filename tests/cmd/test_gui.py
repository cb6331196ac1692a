# SPDX-License-Identifier: MIT
"""The page's other half: what a browser gets from `sonde gui`, what strangers do not get, and what is left behind: nothing."""

import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from net import PublicBinary, as_user
from program import PATIENCE, SONDE, Serve, hints, one_error, read_until, refuse_sanitizer, run, start

ADDRESS = r"http://127\.0\.0\.1:(\d+)/([0-9a-f]{32})/\n"
CLIENTS = 32
RUNS = 4


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(pid):
    """All that descend from a process."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found += [int(entry.name), *children(int(entry.name))]
        except OSError:
            pass
    return found


def wait_for(what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError("it does not come about")
        time.sleep(0.02)


class Gui:
    def __init__(self, *args, port="0", browser=False, inside=(), env=None, **streams):
        words = ("-p", port) if port is not None else ()
        words += () if browser else ("--no-browser",)
        self.process = start("gui", *words, *args, inside=inside, env=env, **streams)
        found, self.banner = read_until(self.process.stdout, ADDRESS + "(?s:.*)ends it\n")
        self.port, self.token = int(found[1]), found[2]
        self.host = f"127.0.0.1:{self.port}"
        self.base = f"/{self.token}/"
        self.pid = self.process.pid

    def connect(self, timeout=PATIENCE):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, path, method="GET", headers=None, whole=False, body=None):
        """Status, fields and content of one exchange; `path` is behind the token unless `whole`."""
        c = self.connect()
        try:
            c.request(method, path if whole else self.base + path, headers=headers or {}, body=body)
            r = c.getresponse()
            return r.status, r.headers, r.read()
        finally:
            c.close()

    def raw(self, data, patience=PATIENCE):
        """Send bytes as they are, and return all that comes until the close."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=patience) as s:
            got = bytearray()
            try:
                s.sendall(data)
                while piece := s.recv(1 << 16):
                    got += piece
            except ConnectionError:
                pass
            return bytes(got)

    def events(self, query, **how):
        return Events(self, query, **how)

    def events_until_stopped(self, query):
        """The result of a run that is stopped when it has said something."""
        e = self.events(query)
        number = e.number()
        next(e)
        self.ask(f"stop?run={number}", "POST")
        return e.rest()[0][-1]

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, sig=signal.SIGTERM):
        if self.process.returncode is None:
            self.process.send_signal(sig)
            try:
                _, err = self.process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.communicate()
                raise AssertionError("sonde gui does not end") from None
            refuse_sanitizer(err.decode("utf-8", "replace"))
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Events:
    """An event stream as an EventSource reads it: (event, data) one by one."""

    def __init__(self, gui, query, headers=None, receive=None):
        self.gui = gui
        self.connection = gui.connect()
        if receive:
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
            s.settimeout(PATIENCE)
            s.connect(("127.0.0.1", gui.port))
            self.connection.sock = s
        self.connection.request("GET", gui.base + "events?" + query, headers=headers or {})
        self.answer = self.connection.getresponse()
        self.status, self.fields = self.answer.status, self.answer.headers
        self.last_id = None

    def __iter__(self):
        event, data = "message", []
        while line := self.answer.readline():
            line = line.decode("utf-8").removesuffix("\n")
            if not line:
                if data:
                    yield event, "\n".join(data)
                event, data = "message", []
            elif line.startswith(":"):
                continue
            else:
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data":
                    data.append(value)
                elif name == "id":
                    self.last_id = value
                else:
                    raise AssertionError(f"what is this: {line!r}")
        self.close()
        if data:
            raise AssertionError(f"cut off: {data}")

    def __next__(self):
        return next(iter(self))

    def number(self):
        event, data = next(self)
        assert event == "run", (event, data)
        return json.loads(data)["run"]

    def rest(self):
        """All lines that the command printed, and the code at the end."""
        lines, code = [], None
        for event, data in self:
            if code is not None:
                raise AssertionError(f"more after the end: {data}")
            if event == "end":
                code = json.loads(data)["code"]
            else:
                lines.append(json.loads(data))
        return lines, code

    def close(self):
        self.answer.close()
        self.connection.close()


class Shared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gui = Gui()
        cls.addClassCleanup(cls.gui.stop)

    def tearDown(self):
        wait_for(lambda: not children(self.gui.pid))


class Start(unittest.TestCase):
    def test_it_says_where_and_ends_quietly_with_0(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            with Gui() as gui:
                self.assertEqual(gui.ask("info")[0], 200)
                self.assertEqual(gui.stop(sig), 0)

    def test_the_secret_is_another_one_every_time(self):
        tokens = set()
        for _ in range(3):
            with Gui() as gui:
                tokens.add(gui.token)
        self.assertEqual(len(tokens), 3)
        self.assertGreater(len(set("".join(tokens))), 10)

    def test_only_this_machine_reaches_it(self):
        with Gui() as gui:
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.2", gui.port), timeout=PATIENCE)
            with self.assertRaises(OSError):
                socket.create_connection(("::1", gui.port), timeout=PATIENCE)

    def test_without_a_wish_the_port_is_8090_or_else_a_free_one(self):
        with Gui(port=None) as first, Gui(port=None) as second:
            self.assertNotEqual(first.port, second.port)
            self.assertNotEqual(second.port, 8090)
            self.assertEqual(second.ask("info")[0], 200)

    def test_a_port_that_was_asked_for_is_taken_or_the_fault_told(self):
        with Gui() as gui:
            r = run("gui", "--no-browser", "-p", str(gui.port))
            self.assertEqual(r.code, 2)
            self.assertIn("cannot listen on '" + gui.host + "'", one_error(r))
            self.assertEqual(hints(r), ["another port: sonde gui --port 0"])
            self.assertEqual(r.out, "")

    def test_it_takes_no_target(self):
        r = run("gui", "192.0.2.1")
        self.assertEqual((r.code, r.out), (2, ""))
        self.assertIn("gui takes no target", one_error(r))

    def test_nobody_to_read_its_address_is_the_end(self):
        reader, writer = os.pipe()
        os.close(reader)
        self.assertEqual(run("gui", "--no-browser", "-p", "0", stdout=writer).code, 2)
        os.close(writer)


def bare(text):
    """Without the comments that have lines of their own, and without indentation."""
    text = re.sub(r"(?m)^\s*(/\*[^*]*\*/|<!--.*-->)$|^/\*\n( \*.*\n)+", "", text)
    return "".join(line.lstrip() + "\n" for line in text.splitlines() if line.strip())


class Page(Shared):
    def test_all_of_the_page_is_there_and_nothing_may_come_from_elsewhere(self):
        for path, kind in (("", "text/html"), ("sonde.css", "text/css"), ("sonde.js", "text/javascript")):
            status, fields, body = self.gui.ask(path)
            self.assertEqual((status, fields["Content-Type"]), (200, kind + "; charset=utf-8"))
            if fields["Content-Encoding"]:
                body = gzip.decompress(body)
            self.assertEqual(body.decode(), bare((Path(__file__).resolve().parents[2] / "src/web" / (path or "index.html")).read_text()))
            self.assertIn("default-src 'self'", fields["Content-Security-Policy"])
            self.assertIn("frame-ancestors 'none'", fields["Content-Security-Policy"])
            self.assertEqual((fields["Cache-Control"], fields["Referrer-Policy"]), ("no-store", "no-referrer"))
            self.assertIsNone(fields["Access-Control-Allow-Origin"])

    def test_info_says_what_the_page_needs(self):
        status, fields, body = self.gui.ask("info")
        info = json.loads(body)
        self.assertEqual((status, fields["Content-Type"]), (200, "application/json"))
        self.assertEqual((info["schema"], info["type"]), (1, "gui"))
        self.assertEqual("sonde " + info["version"], run("--version").out.strip())
        self.assertEqual(info["grades_ms"], {"A+": 5, "A": 30, "B": 60, "C": 200, "D": 400})
        if info["gateway"] is not None:
            socket.inet_aton(info["gateway"])

    def test_outside_of_the_secret_there_is_nothing(self):
        t = self.gui.token
        wrong = t[:-1] + ("0" if t[-1] != "0" else "1")
        for path in ("/", "/info", "/events?run=check&target=127.0.0.1", "/" + t, f"/{wrong}/", f"/{t[:-1]}/", f"/{t}0/",
                f"/{t.upper()}x/", f"//{t}/", f"/{t}/x", f"/{t}/events/", f"/{t}/../{t}/", f"/x/{t}/", "/" + "0" * 32 + "/",
                "/sonde.js", "/favicon.ico", "/metrics"):
            status, fields, body = self.gui.ask(path, whole=True)
            self.assertEqual((status, body), (404, b"there is nothing here\n"), path)

    def test_methods_are_what_they_should_be(self):
        for method, path, status in (("HEAD", "", 200), ("HEAD", "info", 200), ("POST", "", 405), ("POST", "info", 405),
                ("POST", "events?run=ping&target=127.0.0.1", 405), ("GET", "stop?run=1", 405), ("PUT", "", 405),
                ("DELETE", "stop?run=1", 405), ("OPTIONS", "events", 405)):
            self.assertEqual(self.gui.ask(path, method)[0], status, (method, path))

    def test_one_connection_serves_many_requests(self):
        c = self.gui.connect()
        self.addCleanup(c.close)
        for path in ("", "info", "sonde.js", "nothing", "info"):
            c.request("GET", self.gui.base + path)
            r = c.getresponse()
            self.assertEqual((r.status, len(r.read()) > 0), (404 if path == "nothing" else 200, True))
        self.assertIsNotNone(c.sock)


class Strangers(Shared):
    """Whatever another page makes the browser send: told off, and nothing is started."""

    def refused(self, headers, path=None, method="GET"):
        path = self.gui.base + "events?run=ping&target=127.0.0.1" if path is None else path
        lines = "".join(f"{k}: {v}\r\n" for k, v in headers)
        got = self.gui.raw(f"{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
        self.assertTrue(got.startswith(b"HTTP/1.1 403 "), (headers, got))
        self.assertNotIn(self.gui.token.encode(), got)
        self.assertEqual(children(self.gui.pid), [])

    def test_a_name_that_is_pointed_here(self):
        for host in ("evil.example", f"evil.example:{self.gui.port}", f"127.0.0.1.evil.example:{self.gui.port}", "127.0.0.1",
                f"127.0.0.1:{self.gui.port + 1}", "", f"[::1]:{self.gui.port}"):
            self.refused([("Host", host)])
            self.refused([("Host", host)], path="/")
        self.refused([])
        self.refused([("Host", self.gui.host)] * 2)
        self.refused([("Host", self.gui.host), ("Host", "evil.example")])

    def test_a_page_of_another_origin(self):
        for origin in ("http://evil.example", "null", f"https://{self.gui.host}", "http://127.0.0.1",
                f"http://127.0.0.1:{self.gui.port + 1}", f"http://{self.gui.host}.evil.example"):
            self.refused([("Host", self.gui.host), ("Origin", origin)])
            self.refused([("Host", self.gui.host), ("Origin", origin)], self.gui.base + "stop?run=1", "POST")

    def test_a_request_that_the_browser_calls_foreign(self):
        for site in ("cross-site", "same-site", "x", ""):
            self.refused([("Host", self.gui.host), ("Sec-Fetch-Site", site)])
            self.refused([("Host", self.gui.host), ("Sec-Fetch-Site", site)], self.gui.base)

    def test_our_own_page_is_no_stranger(self):
        for headers in ({}, {"Host": f"localhost:{self.gui.port}"}, {"Origin": f"http://{self.gui.host}"},
                {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
            self.assertEqual(self.gui.ask("info", headers=headers)[0], 200)


class Runs(Shared):
    def test_check_tells_as_it_goes_and_has_a_result_when_it_is_stopped(self):
        with Serve() as serve:
            e = self.gui.events("run=check&target=" + serve.target.replace(":", "%3A"))
            self.assertEqual((e.status, e.fields["Content-Type"]), (200, "text/event-stream"))
            number = e.number()
            types = []
            while types.count("progress") < 10:
                types.append(json.loads(next(e)[1])["type"])
            self.assertIn("probe", types)
            self.gui.ask(f"stop?run={number}", "POST")
            lines, code = e.rest()
        self.assertEqual((lines[-1]["type"], e.last_id), ("check", str(number)))
        self.assertGreater(lines[-1]["ping"]["received"], 0)
        self.assertIn(code, (0, 1, 130))

    def test_ping_goes_on_until_it_is_stopped_and_then_says_what_it_has(self):
        e = self.gui.events("run=ping&target=127.0.0.1&target=127.0.0.2")
        number = e.number()
        seen = [json.loads(next(e)[1]) for _ in range(6)]
        self.assertEqual({s["target"] for s in seen}, {"127.0.0.1", "127.0.0.2"})
        self.assertEqual(self.gui.ask(f"stop?run={number}", "POST")[0], 204)
        for _ in range(3):  # as often as somebody presses the button
            self.assertIn(self.gui.ask(f"stop?run={number}", "POST")[0], (204, 404))
        lines, code = e.rest()
        self.assertEqual((lines[-1]["type"], code), ("ping", 0))
        self.assertEqual([t["target"] for t in lines[-1]["targets"]], ["127.0.0.1", "127.0.0.2"])
        self.assertEqual(self.gui.ask(f"stop?run={number}", "POST")[0], 404)

    def test_trace_ends_by_itself(self):
        e = self.gui.events("run=trace&target=127.0.0.1")
        e.number()
        lines, code = e.rest()
        self.assertEqual((lines[-1]["type"], code), ("trace", 0))
        self.assertTrue(lines[-1]["targets"][0]["reached"])

    def test_a_line_however_long_comes_whole(self):
        e = self.gui.events("run=ping&target=127.1.0.0%2F24")
        number = e.number()
        for _ in range(300):
            next(e)
        self.gui.ask(f"stop?run={number}", "POST")
        lines, code = e.rest()
        self.assertEqual((lines[-1]["type"], len(lines[-1]["targets"])), ("ping", 254))

    def test_what_goes_wrong_is_told_with_what_to_try(self):
        for target, words, hint in (("https%3A%2F%2Fexample.com", "needs TLS", "sonde ping tcp://example.com:443"),
                ("a%20b", "has a space in it", None), ("%3Cb%3E%22%0A", "control character", None),
                ("127.0.0.1%3A99999", "has a port", None), ("", "is empty", None)):
            e = self.gui.events("run=check&target=" + target)
            e.number()
            lines, code = e.rest()
            self.assertEqual([line["type"] for line in lines], ["error"], target)
            self.assertIn(words, lines[0]["message"])
            self.assertEqual((lines[0]["schema"], code), (1, 2))
            self.assertIsInstance(lines[0]["hints"], list)
            if hint:
                self.assertEqual(lines[0]["hints"], [hint])

    def test_a_name_that_does_not_resolve_is_told_once(self):
        e = self.gui.events("run=check&target=no-such-host.invalid")
        e.number()
        lines, code = e.rest()
        self.assertEqual(([line["type"] for line in lines].count("error"), code), (1, 2))

    def test_a_target_that_is_none_is_refused_in_words_and_starts_nothing(self):
        for query in ("target=-", "target=-c", "target=%2Dx", "target=127.0.0.1&target=-x", "target=" + "a" * 256,
                "target=a%00b", "target=%", "target=%zz", "target=a%2", "&".join(["target=127.0.0.1"] * 17)):
            for task in ("check", "ping", "trace"):
                e = self.gui.events(f"run={task}&{query}")
                lines, code = e.rest()
                self.assertEqual((e.status, e.fields["Content-Type"], code), (200, "text/event-stream", 2))
                self.assertEqual([line["type"] for line in lines], ["error"])
                self.assertIn("a target has at most 255 bytes", lines[0]["message"])
                self.assertIsNotNone(e.last_id)
                self.assertEqual(children(self.gui.pid), [])

    def test_sixteen_targets_of_255_bytes_escaped_are_not_too_many(self):
        e = self.gui.events("run=ping&" + "&".join("target=" + "%61" * 255 for _ in range(16)))
        self.assertEqual(e.status, 200)
        e.number()
        lines, code = e.rest()
        self.assertEqual(code, 2)
        self.assertTrue(lines)

    def test_no_target_at_all_is_told_by_the_command(self):
        e = self.gui.events("run=check")
        e.number()
        lines, code = e.rest()
        self.assertEqual((lines[0]["message"], code), ("there is nothing to check", 2))

    def test_only_what_the_page_needs_can_be_run(self):
        for query in ("", "run=", "run=serve&target=x", "run=http&target=127.0.0.1", "run=gui", "run=help", "run=check%00",
                "run=Check&target=127.0.0.1", "target=127.0.0.1"):
            self.assertEqual(self.gui.ask("events?" + query)[0], 400, query)

    def test_a_browser_that_comes_back_by_itself_is_sent_away(self):
        for last in ("1", ""):
            status, _, body = self.gui.ask("events?run=ping&target=127.0.0.1", headers={"Last-Event-ID": last})
            self.assertEqual((status, body), (204, b""))
        self.assertEqual(children(self.gui.pid), [])

    def test_four_at_once_and_no_more(self):
        streams = [self.gui.events("run=ping&target=127.0.0.1") for _ in range(RUNS)]
        numbers = [e.number() for e in streams]
        self.assertEqual(len(set(numbers)), RUNS)
        status, fields, body = self.gui.ask("events?run=ping&target=127.0.0.1")
        self.assertEqual((status, body), (503, b"four runs are under way already\n"))
        self.assertIsNotNone(fields["Retry-After"])
        self.gui.ask(f"stop?run={numbers[1]}", "POST")
        self.assertEqual(streams[1].rest()[0][-1]["type"], "ping")
        again = self.gui.events("run=ping&target=127.0.0.1")
        self.assertNotIn(again.number(), numbers)
        next(streams[0])
        for e in (*streams, again):
            e.close()

    def test_stop_is_for_runs_that_there_are(self):
        for query in ("", "?run=", "?run=0", "?run=-1", "?run=x", "?run=4294967297", "?run=99999", "?x=1"):
            self.assertEqual(self.gui.ask("stop" + query, "POST")[0], 404, query)

    def test_when_the_page_goes_away_the_run_does_too(self):
        for _ in range(10):
            e = self.gui.events("run=ping&target=127.0.0.1&target=localhost")
            e.number()
            self.assertNotEqual(children(self.gui.pid), [])
            e.close()
            wait_for(lambda: not children(self.gui.pid))

    def test_a_page_that_reads_slowly_slows_its_run_and_nobody_else(self):
        e = self.gui.events("run=ping&target=127.1.0.0%2F24", receive=4096)
        number = e.number()
        time.sleep(2)
        before = self.gui.cpu_seconds()
        time.sleep(2)
        self.assertLess(self.gui.cpu_seconds() - before, 0.5)
        self.assertEqual(self.gui.ask("info")[0], 200)
        self.assertEqual(self.gui.ask(f"stop?run={number}", "POST")[0], 204)
        lines, code = e.rest()
        self.assertEqual((lines[-1]["type"], len(lines[-1]["targets"])), ("ping", 254))

    def test_a_run_that_is_killed_is_told_as_an_end(self):
        e = self.gui.events("run=ping&target=127.0.0.1")
        e.number()
        next(e)
        os.kill(children(self.gui.pid)[0], signal.SIGKILL)
        self.assertEqual(e.rest()[1], 130)

    def test_it_does_nothing_while_nothing_happens(self):
        before = self.gui.cpu_seconds()
        idle = [self.gui.connect() for _ in range(5)]
        for c in idle:
            c.connect()
        time.sleep(1)
        self.assertLess(self.gui.cpu_seconds() - before, 0.2)
        for c in idle:
            c.close()


class Ends(unittest.TestCase):
    def test_however_it_ends_its_runs_end_with_it(self):
        for sig, code in ((signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, -signal.SIGHUP), (signal.SIGKILL, -signal.SIGKILL)):
            with Gui() as gui:
                streams = [gui.events(f"run=ping&target=localhost&target=127.1.0.{i}") for i in range(RUNS)]
                for e in streams:
                    e.number()
                    next(e)
                left = children(gui.pid)
                self.assertGreaterEqual(len(left), RUNS)
                self.assertEqual(gui.stop(sig), code)
                wait_for(lambda: not any(is_alive(pid) for pid in left))
                for e in streams:
                    e.close()

    def test_ctrl_c_at_the_terminal_ends_all_of_it(self):
        gui = Gui(start_new_session=True)
        e = gui.events("run=ping&target=127.0.0.1")
        e.number()
        next(e)
        left = children(gui.pid)
        os.killpg(gui.pid, signal.SIGINT)
        self.assertEqual(gui.process.wait(PATIENCE), 0)
        wait_for(lambda: not any(is_alive(pid) for pid in left))
        e.close()
        gui.process.communicate()


class Hostile(Shared):
    def good(self):
        self.assertEqual(self.gui.ask("info")[0], 200)

    def status(self, data):
        got = self.gui.raw(data)
        return int(got.split(b" ", 2)[1]) if got.startswith(b"HTTP/1.1 ") else got

    def head(self, line, *more):
        return "\r\n".join((line, "Host: " + self.gui.host, *more, "", "")).encode("latin-1")

    def test_a_body_is_not_taken(self):
        for more in (("Content-Length: 5",), ("Transfer-Encoding: chunked",), ("Content-Length: 99999999999",)):
            self.assertEqual(self.status(self.head(f"POST {self.gui.base}stop?run=1 HTTP/1.1", *more) + b"hello"), 413)
        self.assertEqual(self.status(self.head("GET / HTTP/1.1", "Content-Length: 5", "Content-Length: 6")), 400)
        self.good()

    def test_a_head_of_100_kb_is_refused(self):
        for head in (self.head("GET / HTTP/1.1", "X: " + "a" * 100000), b"GET /" + b"a" * 100000, b"\n" * 100000,
                self.head("GET / HTTP/1.1", *["A: b"] * 20000)):
            self.assertIn(self.status(head), (431, 400, b""))
        self.good()

    def test_garbage_is_refused(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"SSH-2.0-x\r\n\r\n"):
            self.assertIn(self.status(data), (400, 403, 405), data)
        self.good()

    def test_requests_in_one_piece_are_answered_in_order(self):
        one = self.head(f"GET {self.gui.base}info HTTP/1.1")
        page = self.head(f"GET {self.gui.base}sonde.js HTTP/1.1")
        last = self.head("GET /x HTTP/1.1", "Connection: close")
        got = self.gui.raw(one + page + one + last)
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+) ", got), [b"200", b"200", b"200", b"404"])

    def test_requests_behind_a_stream_are_not_run(self):
        one = self.head(f"GET {self.gui.base}events?run=check&target=https%3A%2F%2Fx HTTP/1.1")
        got = self.gui.raw(one * 3)
        self.assertEqual(got.count(b"HTTP/1.1 "), 1)
        self.assertEqual(got.count(b"event: run"), 1)
        self.assertEqual(got.count(b"event: end"), 1)

    def test_a_head_to_events_leaves_nothing_behind(self):
        c = self.gui.connect()
        c.request("HEAD", self.gui.base + "events?run=ping&target=127.0.0.1")
        self.assertEqual(c.getresponse().read(), b"")
        c.close()
        self.good()

    def test_slow_heads_keep_nobody_out(self):
        slow = []
        for i in range(3 * CLIENTS):
            s = socket.create_connection(("127.0.0.1", self.gui.port), timeout=PATIENCE)
            s.sendall(b"GET / HTTP/1.1\r\nX: "[:1 + i % 20])
            slow.append(s)
        for _ in range(5):
            self.good()
        for s in slow:
            s.close()

    def test_a_thousand_connections_keep_nobody_out(self):
        e = self.gui.events("run=ping&target=127.0.0.1")
        number = e.number()
        many = [socket.socket() for _ in range(1000)]
        for s in many:
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", self.gui.port))
        self.good()
        next(e)
        self.assertEqual(self.gui.ask(f"stop?run={number}", "POST")[0], 204)
        self.assertEqual(e.rest()[0][-1]["type"], "ping")
        fds = len(os.listdir(f"/proc/{self.gui.pid}/fd"))
        self.assertLess(fds, CLIENTS + 12)
        for s in many:
            s.close()

    def test_answers_that_nobody_reads_keep_nobody_out_for_ever(self):
        deaf = []
        for _ in range(CLIENTS - 1):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            s.connect(("127.0.0.1", self.gui.port))
            s.sendall(self.head(f"GET {self.gui.base}sonde.js HTTP/1.1") * 20)
            deaf.append(s)
        self.good()
        for s in deaf:
            s.close()
        self.good()

    def test_clients_that_reset_leave_nothing(self):
        for _ in range(50):
            s = socket.create_connection(("127.0.0.1", self.gui.port), timeout=PATIENCE)
            s.sendall(self.head(f"GET {self.gui.base}events?run=ping&target=127.0.0.1 HTTP/1.1"))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            s.close()
        wait_for(lambda: not children(self.gui.pid))
        self.good()
        wait_for(lambda: len(os.listdir(f"/proc/{self.gui.pid}/fd")) < 12)


@unittest.skipUnless(os.geteuid() == 0, "only root may be another user and lend the program capabilities")
class Privilege(unittest.TestCase):
    def capabilities(self, pid):
        text = Path(f"/proc/{pid}/status").read_text()
        return {k: int(re.search(rf"^{k}:\s+(\w+)", text, re.M)[1], 16) for k in ("CapEff", "CapPrm", "NoNewPrivs")}

    def test_nothing_is_in_force_in_the_one_that_listens_yet_its_runs_may_use_it(self):
        with Gui() as gui:
            ours = self.capabilities(gui.pid)
            self.assertEqual((ours["CapEff"], ours["NoNewPrivs"]), (0, 0))
            self.assertEqual(gui.events_until_stopped("run=trace&target=127.0.0.1")["targets"][0]["method"], "icmp-raw")

    @unittest.skipUnless(shutil.which("setcap"), "setcap is not installed")
    def test_a_file_capability_reaches_the_runs(self):
        with PublicBinary() as lent:
            path = os.path.join(lent.folder.name, "sonde")
            subprocess.run(["setcap", "cap_net_raw+p", path], check=True, timeout=PATIENCE)
            with Gui(inside=as_user()) as gui:
                ours = self.capabilities(gui.pid)
                self.assertEqual((ours["CapEff"], ours["CapPrm"]), (0, 1 << 13))
                self.assertEqual(gui.events_until_stopped("run=trace&target=127.0.0.1")["targets"][0]["method"], "icmp-raw")

    def browse(self, lend, env, user=True):
        """What a browser finds that is opened; None where none is."""
        with PublicBinary() as lent, tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)
            fake, told = os.path.join(folder, "fake"), os.path.join(folder, "told")
            Path(fake).write_text("#!/bin/sh -p\n{ echo \"$@\"; id -u; id -ru; id -g; grep -E '^Cap(Prm|Eff|Inh|Amb)|^SigIgn' "
                f"/proc/self/status; ls /proc/$$/fd; cut -d' ' -f1,6 /proc/$$/stat; }} > {told}.new\nmv {told}.new {told}\n")
            os.chmod(fake, 0o755)
            lend(os.path.join(lent.folder.name, "sonde"))
            inside = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /usr/bin/xdg-open && exec "$@"', fake]
            if subprocess.run([*inside, "true"], capture_output=True, timeout=PATIENCE).returncode != 0:
                self.skipTest("no namespace of its own can be had, or there is no /usr/bin/xdg-open")
            # A program that was lent something cannot be traced, which is how a sanitizer looks for leaks.
            env = {"ASAN_OPTIONS": "detect_leaks=0", **env}
            with Gui(browser=True, inside=[*inside, *(as_user() if user else ())], env=env) as gui:
                if "your browser" not in gui.banner:
                    return None
                wait_for(lambda: os.path.exists(told))
                return [f"http://{gui.host}{gui.base}", *Path(told).read_text().splitlines()]

    def test_the_browser_is_the_users_own_and_has_nothing_of_ours(self):
        def capability(path):
            subprocess.run(["setcap", "cap_net_raw+ep", path], check=True, timeout=PATIENCE)

        def set_uid(path):
            os.chmod(path, 0o6755)

        for lend in (capability, set_uid):
            url, opened, *facts = self.browse(lend, {"DISPLAY": ":9"})
            self.assertEqual(opened, url)
            self.assertEqual(facts[:3], ["65534"] * 3)
            self.assertEqual([int(line.split()[1], 16) for line in facts if line.startswith("Cap")], [0] * 4)
            # The two after the 31 of old belong to the C library of whoever started us.
            ignored = next(fact for fact in facts if fact.startswith("SigIgn:"))
            self.assertEqual(int(ignored.split()[1], 16) & 0x7fffffff, 0, facts)
            pid, session = facts[-1].split()
            self.assertEqual(pid, session)
            self.assertFalse({str(fd) for fd in range(3, 10)} & set(facts), facts)

    def test_without_a_desktop_and_for_root_no_browser_is_opened(self):
        self.assertIsNone(self.browse(lambda path: None, {"DISPLAY": "", "WAYLAND_DISPLAY": ""}))
        self.assertIsNone(self.browse(lambda path: None, {"DISPLAY": ":9"}, user=False))
        self.assertIsNotNone(self.browse(lambda path: None, {"DISPLAY": "", "WAYLAND_DISPLAY": "wayland-0"}))

    @unittest.skipIf(b"__asan_init" in Path(SONDE).read_bytes(), "a sanitizer needs /proc itself")
    def test_without_proc_it_works(self):
        hide = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]
        if subprocess.run([*hide, "true"], capture_output=True, timeout=PATIENCE).returncode != 0:
            self.skipTest("no namespace of its own can be had")
        with Gui(inside=hide) as gui:
            self.assertIsNone(json.loads(gui.ask("info")[2])["gateway"])
            self.assertEqual(gui.events_until_stopped("run=trace&target=127.0.0.1")["type"], "trace")


if __name__ == "__main__":
    unittest.main()
