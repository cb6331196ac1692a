# SPDX-License-Identifier: MIT
"""Small imitations of other people's test servers, as talks for Hostile; and of servers that only look like one."""

import os
import threading
import time

from hostile import answer

MIB = 1 << 20
BLOCK = os.urandom(MIB)

# Bytes of /speedtest/random{width}x{width}.jpg, as the common installations have them.
IMAGES = {350: 245388, 500: 505544, 750: 1118012, 1000: 1986284, 1500: 4468241, 2000: 7907740, 2500: 12407926,
    3000: 17816816, 3500: 24262167, 4000: 31625365}

# What a server that is none of them is asked for, once each, before it is taken for a file server.
PROBES = ["/speedtest/latency.txt", "/latency.txt", "/backend/empty.php", "/empty.php", "/empty", "/upload"]

HTML = "Content-Type: text/html; charset=utf-8"
PAGE = b"<!DOCTYPE html><html><head><title>Speed test</title></head><body><p>Press start.</p></body></html>"


class Request:
    """One that a talk answers: method, path and query, and the body once it is asked for."""

    def __init__(self, c, head):
        self.c, self.head = c, head
        self.method, target, self.version = head.split("\r\n", 1)[0].split(" ")
        self.path, _, self.query = target.partition("?")

    def drain(self):
        return self.c.body(self.head)

    def reply(self, body=b"", *fields, status="200 OK"):
        data = answer(status, *fields, body=body)
        return self.c.send(data[:len(data) - len(body)] if self.method == "HEAD" else data)

    def stream(self, n, *fields, length=True):
        """n bytes that cannot be compressed; without a length in chunks, or to the end of the connection."""
        old = self.version == "HTTP/1.0"
        how = [f"Content-Length: {n}"] if length else [] if old else ["Transfer-Encoding: chunked"]
        if not self.c.send(answer("200 OK", *fields, *how, length=False)):
            return False
        while n > 0 and self.method != "HEAD":
            piece = BLOCK[:min(n, MIB)]
            n -= len(piece)
            if not length and not old:
                piece = b"%x\r\n%s\r\n" % (len(piece), piece)
            if not self.c.send(piece):
                return False
        return length or old or self.c.send(b"0\r\n\r\n")


def not_found(q):
    q.drain()
    return q.reply(b"<html>404 Not Found</html>", HTML, status="404 Not Found")


def page(q):
    return q.reply(PAGE, HTML)


def site(routes, other=not_found):
    """A talk of a table from paths to functions of a Request; all else goes to `other`."""

    def talk(c):
        while True:
            head = c.head()
            if not head:
                return
            q = Request(c, head)
            if not routes.get(q.path, other)(q):
                return

    return talk


def one_at_a_time(talk):
    """The next connection is served when the last one is closed, and each is closed after its answer: HTTP/1.0."""
    turn = threading.Lock()

    class Once:
        """The connection, with one request on it."""

        def __init__(self, c):
            self.c, self.asked = c, False

        def head(self):
            head = "" if self.asked else self.c.head()
            self.asked = True
            return head.replace(" HTTP/1.1", " HTTP/1.0", 1)

        def send(self, data):
            if data.startswith(b"HTTP/1.1 "):
                data = b"HTTP/1.0 " + data[9:]
            return self.c.send(data)

        def body(self, head):
            return self.c.body(head)

    def narrow(c):
        with turn:
            talk(Once(c))

    return narrow


# The old mini server of Ookla: static files and one script.


def by_bytes(q, n):
    return n


def by_form(q, n):
    """As its script counts: names and values of a form and 500, and a body of another type is no form."""
    return 500 if "octet-stream" in q.head else 511 + n


def speedtest(folder="/speedtest", images=IMAGES, script="upload.php", count=by_bytes, home=page, other=not_found):
    def latency(q):
        return q.reply(b"test=test\n", "Content-Type: text/plain")

    def image(width):
        return lambda q: q.stream(images[width], "Content-Type: image/jpeg")

    def upload(q):
        return q.reply(b"size=%d" % count(q, q.drain()), "Content-Type: text/html")

    return site({"/": home, f"{folder}/latency.txt": latency, f"{folder}/{script}": upload,
        **{f"{folder}/random{w}x{w}.jpg": image(w) for w in images}}, other)


# LibreSpeed: one folder, with the names of the PHP scripts or those of the server in Go.


def librespeed(folder="/backend", php=".php", length=False, other=not_found):
    def garbage(q):
        size = dict(part.partition("=")[::2] for part in q.query.split("&")).get("ckSize", "4")
        return q.stream(min(int(size), 1024) * MIB, "Content-Description: File Transfer",
            "Content-Type: application/octet-stream", "Content-Disposition: attachment; filename=random.dat",
            length=length)

    def empty(q):
        q.drain()
        return q.reply(b"", "Cache-Control: no-store", HTML)

    def address(q):
        return q.reply(b'{"processedString":"127.0.0.1 - localhost IPv4 access","rawIspInfo":""}',
            "Content-Type: application/json; charset=utf-8")

    return site({"/": page, f"{folder}/garbage{php}": garbage, f"{folder}/empty{php}": empty,
        f"{folder}/getIP{php}": address}, other)


# OpenSpeedTest: static files behind nginx, where a POST gets what a GET would.


def openspeedtest(other=not_found):
    def downloading(q):
        q.drain()
        return q.stream(30 * MIB, "Server: nginx", "Content-Type: application/octet-stream", "Cache-Control: no-store")

    def upload(q):
        q.drain()
        return q.reply(b"", "Server: nginx", "Content-Type: application/octet-stream", "Cache-Control: no-store")

    return site({"/": page, "/downloading": downloading, "/upload": upload}, other)


# Servers that have an answer to everything.


def catch_all(q):
    """As a page that routes by itself: every path is the page."""
    q.drain()
    return page(q)


def soft_404(q):
    q.drain()
    return q.reply(b"<html>" + b"nothing here " * 20000 + b"</html>", HTML)


def to_login(q):
    q.drain()
    return q.reply(b"", "Location: /login", status="302 Found") if q.path != "/login" else page(q)


def always_empty(q):
    q.drain()
    return q.reply()


def always_large(q):
    q.drain()
    return q.stream(8 * MIB, "Content-Type: application/octet-stream")


def always_json(q):
    q.drain()
    return q.reply(b'{"status":"ok"}', "Content-Type: application/json")


def silent(q):
    q.c.stall()
    return False


def resets(q):
    q.c.reset()
    return False


def slow(q):
    time.sleep(0.3)
    return not_found(q)
