# SPDX-License-Identifier: MIT
"""
A name server that answers, fails, dawdles, is silent or lies, in a network namespace of its own. A zone says what
becomes of each name, in small letters and without the last dot; one that it does not know does not exist:

    ["192.0.2.1", "2001:db8::1"]  these addresses, each to the question for its family
    ptr(b"a", b"test")            this name, label by label, of whatever bytes (under reverse("192.0.2.1"))
    raw(lambda at: b"\\xc0\\x0c")   this data in a PTR record, which begins at offset `at` of the message
    cname("other.test")           an alias; what the zone has for the other name comes with it
    SERVFAIL                      this code
    SILENT                        nothing
    late(5, …)                    one of those, after so many seconds
"""

import contextlib
import ctypes
import ipaddress
import os
import shlex
import socket
import struct
import tempfile
import threading

SILENT = None
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
A, CNAME, PTR, AAAA = 1, 5, 12, 28

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def wire(*labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def wire_of(name):
    return wire(*(label.encode() for label in name.split(".")))


def reverse(address):
    return ipaddress.ip_address(address).reverse_pointer


def raw(data):
    return "ptr", data


def ptr(*labels):
    return raw(lambda at: wire(*labels))


def cname(other):
    return "cname", other


def late(seconds, answer):
    return "late", seconds, answer


def _name_at(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]])
        at += 1 + message[at]
    return b".".join(labels).decode("latin-1").lower(), at + 1


class _Server(threading.Thread):
    """A thread may be in another network namespace than the rest of its process, and so are the sockets it makes."""

    def __init__(self, zone, pid, address, port):
        super().__init__(daemon=True)
        self.zone, self.pid, self.address = zone, pid, (address, port)
        self.asked, self.failure = [], None
        self.ready = threading.Event()

    def run(self):
        try:
            with open(f"/proc/{self.pid}/ns/net", "rb") as ns:
                if _libc.setns(ns.fileno(), _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(self.address)
        except OSError as e:
            self.failure = e
        self.ready.set()
        while not self.failure:
            question, peer = self.socket.recvfrom(4096)
            if not question:
                return
            name, end = _name_at(question, 12)
            kind = struct.unpack("!H", question[end:end + 2])[0]
            self.asked.append((name, kind))
            self.answer(question[:end + 4], name, kind, self.zone.get(name, NXDOMAIN), peer)

    def answer(self, question, name, kind, answer, peer):
        if isinstance(answer, tuple) and answer[0] == "late":
            later = threading.Timer(answer[1], self.answer, (question, name, kind, answer[2], peer))
            later.daemon = True
            later.start()
        elif answer is not SILENT:
            code = answer if isinstance(answer, int) else 0
            records = [] if code else self.records(b"\xc0\x0c", kind, answer, len(question))
            head = question[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(records), 0, 0)
            with contextlib.suppress(OSError):
                self.socket.sendto(head + question[12:] + b"".join(records), peer)

    def records(self, owner, kind, answer, at):
        def record(kind, data):
            return owner + struct.pack("!HHIH", kind, 1, 60, len(data)) + data

        if isinstance(answer, list):
            found = [ipaddress.ip_address(a) for a in answer]
            return [record(kind, a.packed) for a in found if kind == (A if a.version == 4 else AAAA)]
        if answer[0] == "ptr":
            return [record(PTR, answer[1](at + len(owner) + 10))] if kind == PTR else []
        other = wire_of(answer[1])
        alias = record(CNAME, other)
        return [alias, *self.records(other, kind, self.zone.get(answer[1], []), at + len(alias))]


def with_files(files):
    """Words before a command that then, it alone, finds these in the place of others: {"/etc/hosts": path}."""
    mounts = "".join(f"mount --bind {shlex.quote(path)} {shlex.quote(place)} && " for place, path in files.items())
    return ["unshare", "-m", "sh", "-c", mounts + 'exec "$@"', "sh"]


class Dns:
    """On the loopback of a Namespace, until the end of the with block; `inside` goes before a command that asks it."""

    def __init__(self, namespace, zone, hosts="127.0.0.1 localhost\n::1 localhost\n", conf="", address="127.0.0.1"):
        self.server = _Server(zone, namespace.holder.pid, address, 53)
        self.server.start()
        self.server.ready.wait()
        if self.server.failure:
            raise self.server.failure
        self.asked = self.server.asked
        self.folder = tempfile.TemporaryDirectory()
        os.chmod(self.folder.name, 0o755)
        files = {"resolv.conf": f"nameserver {address}\n{conf}", "hosts": hosts, "nsswitch.conf": "hosts: files dns\n"}
        for name, text in files.items():
            with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as f:
                f.write(text)
        # A C library that does not know of nsswitch.conf has none.
        there = [name for name in files if os.path.exists("/etc/" + name) or name != "nsswitch.conf"]
        self.inside = [*namespace.inside,
            *with_files({"/etc/" + name: os.path.join(self.folder.name, name) for name in there})]

    def close(self):
        self.server.socket.sendto(b"", self.server.address)
        self.server.join()
        self.server.socket.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
