# SPDX-License-Identifier: MIT
"""A TCP server that does what a function says, and a collection of such functions that no client should trust."""

import socket
import struct
import threading
import time


class Conn:
    """One accepted connection. Every method ends by itself when the client leaves or the server is stopped."""

    def __init__(self, sock, server):
        self.sock, self.server = sock, server
        sock.settimeout(0.1)

    def receive(self, n=65536):
        """b"" when the client has gone or the server is stopped."""
        while not self.server.stopping.is_set():
            try:
                return self.sock.recv(n)
            except socket.timeout:
                continue
            except OSError:
                return b""
        return b""

    def head(self):
        """The next request's head as text, "" when there is none. Not a byte behind it is read."""
        while not self.server.stopping.is_set():
            try:
                seen = self.sock.recv(65536, socket.MSG_PEEK)
            except socket.timeout:
                continue
            except OSError:
                return ""
            end = seen.find(b"\r\n\r\n")
            if not seen:
                return ""
            if end < 0:
                time.sleep(0.005)
                continue
            text = self.sock.recv(end + 4)[:-4].decode("latin-1")
            self.server.requests.append(text.split("\r\n", 1)[0])
            return text
        return ""

    def body(self, head):
        """Read the body that a request head announces; return its length."""
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
        if "chunked" in fields.get("transfer-encoding", ""):
            return self._chunks()
        want = left = int(fields.get("content-length", 0))
        while left > 0:
            piece = self.receive(min(left, 1 << 18))
            if not piece:
                break
            left -= len(piece)
        return want - left

    def _chunks(self):
        """Enough of chunked coding for a client that is known to do it right: look for the last chunk."""
        tail, got = b"", 0
        while not (b"\r\n0\r\n" in tail and tail.endswith(b"\r\n\r\n")):
            piece = self.receive()
            if not piece:
                break
            got += len(piece)
            tail = (tail + piece)[-4096:]
        return got

    def send(self, data, pace=None):
        """Return whether all went out; with `pace`, one byte each so many seconds."""
        view = memoryview(data)
        try:
            while view and not self.server.stopping.is_set():
                try:
                    view = view[self.sock.send(view[:1] if pace else view[:1 << 18]):]
                except socket.timeout:
                    continue
                if pace:
                    time.sleep(pace)
        except OSError:
            return False
        return not view

    def stall(self):
        """Neither speak nor close until the client goes; what it sends is thrown away."""
        while self.receive():
            pass

    def freeze(self):
        """Neither speak, nor read, nor close."""
        while not self.server.stopping.is_set():
            time.sleep(0.05)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Hostile:
    """Give every connection to `talk(conn)` in its own thread; the connection is closed when that returns."""

    def __init__(self, talk, address="127.0.0.1"):
        self.talk, self.requests = talk, []
        self.stopping = threading.Event()
        self.listener = socket.create_server((address, 0), backlog=64)
        self.listener.settimeout(0.1)
        self.port = self.listener.getsockname()[1]
        self.target = f"{address}:{self.port}"
        self.url = f"http://{self.target}"
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except socket.timeout:
                continue
            t = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self.threads.append(t)
            t.start()

    def _serve(self, sock):
        with sock:
            try:
                self.talk(Conn(sock, self))
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for t in self.threads:
            t.join(5)
        self.listener.close()


class Full:
    """A port where nobody takes the calls: its queue is full, and connecting gets no answer, as behind a firewall."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self.listener.getsockname()[1]
        self.target = f"127.0.0.1:{self.port}"
        self.callers = []
        for _ in range(8):
            s = socket.socket()
            s.settimeout(0.2)
            self.callers.append(s)
            try:
                s.connect(("127.0.0.1", self.port))
            except socket.timeout:
                return self
        raise AssertionError("the queue of a listening socket never fills here")

    def __exit__(self, *_):
        for s in self.callers:
            s.close()
        self.listener.close()


def closed_port():
    """One where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


# Talks. Those that answer requests do so for as long as the client asks.


def answer(status, *fields, body=b"", length=True):
    """An honest answer as bytes."""
    lines = [f"HTTP/1.1 {status}", *fields, *([f"Content-Length: {len(body)}"] if length else [])]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


OK = b"HTTP/1.1 200 OK\r\n"
KB = b"x" * 1000
FILE = answer("200 OK", "Content-Length: 10000000", length=False)  # to HEAD


def always(data, then="stall"):
    """Answer each request with these bytes; `then` stall, close, reset, or again."""

    def talk(c):
        while c.head():
            c.send(data)
            if then == "close":
                return
            if then == "reset":
                c.reset()
                return
            if then == "stall":
                c.stall()
                return

    return talk


def by_method(**talks):
    """`HEAD=bytes, GET=function(conn, head), …`; a method without a row gets 405."""

    def talk(c):
        while True:
            head = c.head()
            if not head:
                return
            what = talks.get(head.split(" ", 1)[0], answer("405 Method Not Allowed"))
            if callable(what):
                if what(c, head) is False:
                    return
            elif not c.send(what):
                return

    return talk
