# SPDX-License-Identifier: MIT
"""A stranger's STAMP sender: the packets of RFC 8762 and RFC 8972, written from the text and not from our code."""

import socket
import struct
import time
from collections import namedtuple

NTP, PTP = 0x0001, 0x4001  # error estimates: nobody has set this clock; the second in PTP's format
EPOCH = 2208988800

Answer = namedtuple("Answer", "seq sent error ssid received sender_seq sender_sent sender_error mbz ttl mbz2 rest")


def time_now(error=NTP):
    ns = time.time_ns()
    if error & 0x4000:
        return (ns // 10**9) << 32 | ns % 10**9
    return (ns // 10**9 + EPOCH) << 32 | (ns % 10**9 << 32) // 10**9


def unix_ns(stamp, error):
    if error & 0x4000:
        return (stamp >> 32) * 10**9 + (stamp & 0xFFFFFFFF)
    return ((stamp >> 32) - EPOCH) * 10**9 + ((stamp & 0xFFFFFFFF) * 10**9 >> 32)


def probe(seq, error=NTP, ssid=0, rest=b"", sent=None):
    return struct.pack("!IQHH28x", seq, time_now(error) if sent is None else sent, error, ssid) + rest


def read(data):
    return Answer(*struct.unpack("!IQHHQIQHHB3s", data[:44]), data[44:])


class Sender:
    """Connected: an answer from another address or port than the one that was asked is never seen."""

    def __init__(self, address, source=None, patience=20):
        self.s = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self.s.settimeout(patience)
        if source:
            self.s.bind(source)
        self.s.connect(socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0][4])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def send(self, data):
        self.s.send(data)

    def receive(self, patience=None):
        """The next answer's bytes; None where there is none in time."""
        if patience is not None:
            self.s.settimeout(patience)
        try:
            return self.s.recv(65536)
        except TimeoutError:
            return None

    def ask(self, seq, **how):
        self.send(probe(seq, **how))
        return read(self.s.recv(65536))

    def is_answered(self, data, after=9999):
        """Ask, then ask what surely is answered: whatever came in between was the answer to the first."""
        self.send(data)
        self.send(probe(after))
        first = self.s.recv(65536)
        if read(first).sender_seq == after:
            return None
        self.s.recv(65536)
        return first

    def all_there_is(self, quiet=0.3):
        """Answers until nothing has come for a moment."""
        got = []
        while (data := self.receive(quiet)) is not None:
            got.append(data)
        return got
