# SPDX-License-Identifier: MIT
"""
A network of liars behind a TUN device: 10.75.0.0/16 and fd75::/64. The number before the last one of an address says
of which kind a host is; the last one is free, so that every run may have a host that nobody has asked before. What a
host sends depends on what it was asked and on nothing else: not on time, not on chance.

Run as a program inside a network namespace it is that network; `Responder` starts it there and talks to it, and
`LiarsLab` has it at the near end.
"""

import fcntl
import ipaddress
import json
import os
import select
import struct
import subprocess
import sys
import threading
import unittest

from net import Lab
from program import PATIENCE, die_with_parent, environment

TUN = "/dev/net/tun"
DEVICE = "liars"
OURS = {4: "10.76.0.1", 6: "fd76::1"}
ROUTER = {4: "10.75.0.1", 6: "fd75::1"}
STRANGER = {4: "192.0.2.66", 6: "2001:db8::66"}

# 10.75.240.0 and all above it are honest, for runs with many targets.
HONEST_FROM = 240

# So many packets come at once.
CROWD = 5000

ICMP = {4: 1, 6: 58}
REQUEST = {4: 8, 6: 128}
REPLY = {4: 0, 6: 129}
HEADER = {4: 20, 6: 40}
NO_OPERATION = b"\1"

# Hop-by-hop options, then destination options, both nothing but padding (RFC 8200 section 4.2).
PADDING_BEFORE_ICMP = bytes([60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0])

# Type and code.
HOST_UNREACHABLE = {4: (3, 1), 6: (1, 3)}
HOPS_EXCEEDED = {4: (11, 0), 6: (3, 0)}
ALL_ERRORS = {
    4: [*((3, code) for code in range(16)), (11, 0), (11, 1), (12, 0), (12, 1), (12, 2)],
    6: [*((1, code) for code in range(7)), (2, 0), (3, 0), (3, 1), (4, 0), (4, 1), (4, 2)],
}
# What stands behind the checksum: the MTU of "frag needed" and of "packet too big".
INFO = {(4, 3, 4): 1400, (6, 2, 0): 1400}


def packed(address):
    return ipaddress.ip_address(address).packed


def stranger(family, i):
    return f"192.0.2.{i % 254 + 1}" if family == 4 else f"2001:db8::{i:x}"


def checksum(data):
    """RFC 1071: a number modulo 65,535 is the sum of its digits in base 65,536."""
    return 0xffff - int.from_bytes(data + bytes(len(data) % 2), "big") % 0xffff


def ip4(source, target, body, protocol=1, ttl=64, options=b"", claims=None, fragment=0, number=0, wrong_sum=False):
    """`claims`: a total length other than the true one. `fragment`: flags and offset as on the wire."""
    words = 5 + len(options) // 4
    length = words * 4 + len(body) if claims is None else claims
    head = struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, length, number, fragment, ttl, protocol, 0, source, target)
    head += options
    total = checksum(head) ^ (0x5555 if wrong_sum else 0)
    return head[:10] + total.to_bytes(2, "big") + head[12:] + body


def ip6(source, target, body, protocol=58, ttl=64, claims=None):
    length = len(body) if claims is None else claims
    return struct.pack("!IHBB16s16s", 6 << 28, length, protocol, ttl, source, target) + body


def icmp(family, source, target, kind, code, rest, data=b"", wrong_sum=False):
    """`rest`: the four bytes behind the checksum."""
    body = struct.pack("!BBH", kind, code, 0) + rest + data
    pseudo = source + target + struct.pack("!II", len(body), 58) if family == 6 else b""
    total = checksum(pseudo + body) ^ (0x5555 if wrong_sum else 0)
    return body[:2] + total.to_bytes(2, "big") + body[4:]


def flipped(data, at, bits):
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1:]


class Host:
    """What a host remembers."""

    def __init__(self, address):
        number = address[2] if len(address) == 4 else address[12] << 8 | address[13]
        self.answer = KINDS["honest"] if number >= HONEST_FROM or number == 0 else [*KINDS.values()][number - 1]
        self.count, self.held, self.replies, self.before = 0, [], {}, None


class Request:
    """An echo request, or the first fragment of one, and the ways to answer it."""

    def __init__(self, packet):
        self.packet, self.family = packet, packet[0] >> 4
        self.source, self.target = (packet[12:16], packet[16:20]) if self.family == 4 else (packet[8:24], packet[24:40])

    def read(self):
        """Return whether it is one."""
        p = self.packet
        if self.family == 4:
            at, protocol, first = (p[0] & 15) * 4, p[9], not (p[6] & 0x1f or p[7])
        elif p[6] == 44:
            at, protocol, first = 48, p[40], not (p[42] or p[43] & 0xf8)
        else:
            at, protocol, first = 40, p[6], True
        if protocol != ICMP[self.family] or not first or len(p) < at + 8 or p[at] != REQUEST[self.family]:
            return False
        self.data = p[at + 8:]
        self.ident, self.seq = struct.unpack("!HH", p[at + 4:at + 8])
        return True

    def at(self, host):
        """It has come to this host."""
        host.count += 1
        self.host, self.number, self.before, self.held = host, host.count, host.before, host.held
        host.before = self
        return host.answer(self)

    def wrap(self, body, source=None, **how):
        return (ip4 if self.family == 4 else ip6)(source or self.target, self.source, body, **how)

    def reply(self, ident=None, seq=None, data=None, kind=None, code=0, source=None, cut=None, wrong_sum=False, **how):
        """The right answer but for what is named. `cut`: so many bytes of the message. `how`: of the IP header."""
        rest = struct.pack("!HH", self.ident if ident is None else ident, (self.seq if seq is None else seq) & 0xffff)
        source = packed(source) if source else self.target
        body = icmp(self.family, source, self.source, REPLY[self.family] if kind is None else kind, code, rest,
            self.data if data is None else data, wrong_sum)
        return self.wrap(body[:cut], source, **how)

    def pieces(self, *ranges):
        """The right answer in fragments: these parts of the message, in this order."""
        body, out = self.reply()[HEADER[self.family]:], []
        for start, end in ranges:
            more = end < len(body)
            if self.family == 4:
                out.append(self.wrap(body[start:end], fragment=more << 13 | start // 8, number=self.seq))
            else:
                head = struct.pack("!BBHI", 58, 0, start | more, self.seq)
                out.append(self.wrap(head + body[start:end], protocol=44))
        return out

    def error(self, what=None, quote=None, source=None, info=None, wrong_sum=False):
        """`what`: type and code. `quote`: what it says that we have sent."""
        kind, code = what or HOST_UNREACHABLE[self.family]
        rest = struct.pack("!I", INFO.get((self.family, kind, code), 0) if info is None else info)
        source = packed(source or ROUTER[self.family])
        return self.wrap(icmp(self.family, source, self.source, kind, code, rest,
            self.packet if quote is None else quote, wrong_sum), source)

    def quote(self, target=None, ident=None, seq=None, kind=None, protocol=None, **how):
        """The request but for what is named."""
        rest = struct.pack("!HH", self.ident if ident is None else ident, self.seq if seq is None else seq)
        target = packed(target) if target else self.target
        kind = REQUEST[self.family] if kind is None else kind
        body = icmp(self.family, self.source, target, kind, 0, rest, self.data)
        return (ip4 if self.family == 4 else ip6)(self.source, target, body, protocol or ICMP[self.family], **how)

    def redirect(self):
        """To another router of the network; with IPv4 of all four codes."""
        if self.family == 4:
            return self.error((5, (self.number - 1) % 4), info=0x0a4b0002)
        return self.error((137, 0), quote=packed("fe80::2") + self.target)

    def labels(self):
        """One MPLS label behind a quote of 128 bytes (RFC 4884, RFC 4950)."""
        extension = b"\x20\0\0\0" + struct.pack("!HBBI", 8, 1, 1, 16004 << 12 | 1 << 8 | 1)
        extension = extension[:2] + checksum(extension).to_bytes(2, "big") + extension[4:]
        return self.error(HOPS_EXCEEDED[self.family], quote=self.packet.ljust(128, b"\0") + extension,
            info=32 << 16 if self.family == 4 else 16 << 24)

    def too_little(self):
        """From one byte less than the whole ICMP header to nothing, in eight steps."""
        header = HEADER[self.family]
        return (header + 7, header + 6, header + 4, header, header - 1, 8, 1, 0)[self.number - 1]

    def impossible(self):
        """In five steps: no version, that of the other family, an unknown one; IPv4: a length below and above."""
        first = {4: (0x05, 0x65, 0xf5, 0x43, 0x4f), 6: (0x00, 0x45, 0xf0, 0x50, 0x70)}[self.family][self.number - 1]
        return bytes([first]) + self.packet[1:HEADER[self.family] + 8]

    def at_first(self, answer, later):
        """The last reply ends a run, and nothing behind it is heard: so only the first four requests are special."""
        return answer if self.number <= 4 else later

    def first(self, crowd):
        return [*crowd, self.reply()] if self.number == 1 else [self.reply()]

    def hold(self):
        self.host.held.append(self.reply())
        return []

    def let_go(self):
        held, self.host.held = self.host.held, []
        return held

    def used_before(self):
        """What was the right answer when this id and this number were last in use."""
        old = self.host.replies.get((self.ident, self.seq))
        self.host.replies[self.ident, self.seq] = self.reply()
        return [old] if old else []


# Every kind of host: from a request to the packets that it sends. Its number is its place, from 1.
KINDS = {
    "honest": lambda q: [q.reply()],
    "silent": lambda q: [],

    # Whose reply is it?
    "from_another_address": lambda q: [q.reply(source=STRANGER[q.family])],
    "from_another_address_first": lambda q: [q.reply(source=STRANGER[q.family]), q.reply()],
    "from_its_neighbour": lambda q: [q.reply(source=str(ipaddress.ip_address(q.target) + 1))],
    "foreign_id": lambda q: [q.reply(ident=q.ident ^ 0x0101)],
    "seq_that_was_never_sent": lambda q: [q.reply(seq=q.seq + 30000)],
    "seq_of_the_one_before": lambda q: [q.reply(seq=q.seq - 1)],
    "payload_of_the_one_before": lambda q: [q.reply(data=q.before.data)] if q.before else [],
    "payload_of_a_stranger": lambda q: [q.reply(data=bytes(len(q.data)))],
    "payload_of_a_stranger_first": lambda q: [q.reply(data=bytes(len(q.data))), q.reply()],
    "our_own_request": lambda q: [q.reply(kind=REQUEST[q.family])],
    "other_types": lambda q: [q.reply(kind=kind) for kind in {4: (14, 16, 18, 43), 6: (130, 132, 140, 161)}[q.family]],
    "other_code": lambda q: [q.reply(code=5)],

    # Is it what was sent? Cut lengths, options and bits go on with every request.
    "longer_than_it_is": lambda q: [q.reply(claims=len(q.reply()) + 8 - (HEADER[6] if q.family == 6 else 0))],
    "cut_message": lambda q: [q.reply(cut=q.number - 1)],
    "cut_payload": lambda q: [q.reply(data=q.data[:(q.number - 1) * 7])],
    "one_byte_more": lambda q: [q.reply(data=q.data + b"\0")],
    "sixty_kilobytes": lambda q: [q.reply(data=q.data + bytes(60000))],
    "one_bit_flipped": lambda q: [q.reply(data=flipped(q.data, (q.number - 1) * 7, 1 << q.number % 8))],
    "wrong_checksum": lambda q: [q.reply(wrong_sum=True)],
    "wrong_checksum_first": lambda q: [q.reply(wrong_sum=True), q.reply()],
    "wrong_ip_checksum": lambda q: [q.wrap(q.reply()[20:], wrong_sum=True)],
    "ip_options": lambda q: [q.reply(options=NO_OPERATION * 4 * q.number)],
    "broken_ip_options": lambda q: [q.reply(options=b"\x07\x27\x04\0")],
    "extension_headers": lambda q: [q.wrap(PADDING_BEFORE_ICMP + q.reply()[40:], protocol=0)],
    "fragments": lambda q: q.pieces((0, 32), (32, 64)),
    "fragments_backwards": lambda q: q.pieces((32, 64), (0, 32)),
    "one_fragment_of_two": lambda q: q.pieces((0, 32)),
    "overlapping_fragments": lambda q: q.pieces((0, 40), (32, 64)),
    "every_ttl": lambda q: [q.reply(ttl=(1, 2, 128, 255)[(q.number - 1) % 4])],
    "drops_small_ones": lambda q: [q.reply()] if len(q.data) >= 16 else [],

    # How often, in which order, when?
    "twice": lambda q: [q.reply()] * q.at_first(2, 1),
    "five_times": lambda q: [q.reply()] * q.at_first(5, 1),
    "by_pairs_backwards": lambda q: q.hold() if q.number % 2 else [q.reply(), *q.let_go()],
    "by_fours_backwards": lambda q: q.hold() if q.number % 4 else [q.reply(), *q.let_go()[::-1]],
    "first_two_with_the_eighth": lambda q: q.hold() if q.number <= 2 else
        [q.reply(), *(q.let_go() if q.number == 8 else [])],
    "first_two_with_the_eighth_twice": lambda q: q.hold() if q.number <= 2 else
        [q.reply(), *(q.let_go() * 2 if q.number == 8 else [])],
    "replays_all_before": lambda q: q.at_first([q.reply(), *q.held, *q.hold()], [q.reply()]),
    "replays_the_one_with_the_same_number": lambda q: [*q.used_before(), q.reply()],
    "one_behind_until_the_fifteenth": lambda q: [*q.let_go(), *(q.hold() if q.number < 15 else [q.reply()])],
    "holds": lambda q: q.hold(),
    "ten_and_no_more": lambda q: [q.reply()] if q.number <= 10 else [],

    # Errors that are about the request
    "every_error": lambda q: [q.error(ALL_ERRORS[q.family][(q.number - 1) % len(ALL_ERRORS[q.family])])],
    "unreachable": lambda q: [q.error()],
    "unreachable_by_a_code_of_the_future": lambda q: [q.error({4: (3, 16), 6: (1, 9)}[q.family])],
    "unreachable_says_a_stranger": lambda q: [q.error(source=STRANGER[q.family])],
    "unreachable_says_everybody": lambda q: [q.error(source=stranger(q.family, q.number))],
    "unreachable_five_times": lambda q: [q.error()] * 5,
    "unreachable_every_second": lambda q: [q.reply() if q.number % 2 else q.error()],
    "unreachable_then_answers": lambda q: q.at_first([q.error(), q.reply()], [q.reply()]),
    "answers_then_unreachable": lambda q: q.at_first([q.reply(), q.error()], [q.reply()]),
    "redirects": lambda q: [q.redirect()],
    "redirects_then_answers": lambda q: [q.redirect(), q.reply()],
    "quenches": lambda q: [q.error((4, 0))],
    "quenches_then_answers": lambda q: [q.error((4, 0)), q.reply()],
    "quotes_28_bytes": lambda q: [q.error(quote=q.packet[:HEADER[q.family] + 8])],
    "quotes_ip_options": lambda q: [q.error(quote=q.quote(options=NO_OPERATION * 4 * q.number))],
    "quotes_with_mpls_labels": lambda q: [q.labels()],

    # Errors that are about something else
    "quotes_another_id": lambda q: [q.error(quote=q.quote(ident=q.ident ^ 0x0101))],
    "quotes_a_number_never_sent": lambda q: [q.error(quote=q.quote(seq=q.seq ^ 0x4000))],
    "quotes_another_target": lambda q: [q.error(quote=q.quote(target=STRANGER[q.family]))],
    "quotes_a_reply": lambda q: [q.error(quote=q.quote(kind=REPLY[q.family]))],
    "quotes_udp": lambda q: [q.error(quote=q.quote(protocol=17))],
    "quotes_a_later_fragment": lambda q: [q.error(quote=q.quote(fragment=5))],
    "quotes_too_little": lambda q: [q.error(quote=q.packet[:q.too_little()])],
    "quotes_a_header_that_cannot_be": lambda q: [q.error(quote=q.impossible())],
    "errs_with_a_wrong_checksum": lambda q: [q.error(wrong_sum=True)],

    # Crowds, before the answer to the first request
    "crowd_of_foreign_ids": lambda q: q.first(q.reply(ident=q.ident ^ (1 + i), seq=i) for i in range(CROWD)),
    "crowd_of_foreign_addresses": lambda q: q.first(q.reply(source=stranger(q.family, i)) for i in range(CROWD)),
    "crowd_of_numbers_never_sent": lambda q: q.first(q.reply(seq=q.seq + 1000 + i) for i in range(CROWD)),
    "crowd_of_forgeries": lambda q: q.first(q.reply(data=i.to_bytes(len(q.data), "little")) for i in range(CROWD)),
    "crowd_of_copies": lambda q: q.first([q.reply()] * CROWD),
    "crowd_of_foreign_errors": lambda q: q.first(
        q.error(quote=q.quote(ident=q.ident ^ (1 + i), seq=i)) for i in range(CROWD)),
    "crowd_of_errors": lambda q: [q.error()] * (CROWD if q.number == 1 else 1),
}
NUMBER_OF = {name: i for i, name in enumerate(KINDS, 1)}
assert len(KINDS) < HONEST_FROM


def address_of(name, n, family=4):
    """The @n-th host of that kind, from 1."""
    return f"10.75.{NUMBER_OF[name]}.{n}" if family == 4 else f"fd75::{NUMBER_OF[name]:x}:{n:x}"


class Network:
    def __init__(self):
        self.tun = os.open(TUN, os.O_RDWR)
        fcntl.ioctl(self.tun, 0x400454ca, struct.pack("16sH22x", DEVICE.encode(), 0x1001))  # TUNSETIFF: no other header
        os.set_blocking(self.tun, False)
        # The device takes packets of any size; the network takes what Ethernet does, but for routes to single hosts.
        for words in ("link set {0} up txqueuelen 20000 mtu 65535", "addr add {1}/32 dev {0}",
                "route add 10.75.0.0/16 dev {0} mtu 1500", "-6 addr add {2}/128 dev {0} nodad",
                "-6 route add fd75::/64 dev {0} mtu 1500"):
            subprocess.run(["ip", *words.format(DEVICE, OURS[4], OURS[6]).split()], check=True)
        # Strangers are let in.
        for which in ("all", DEVICE):
            with open(f"/proc/sys/net/ipv4/conf/{which}/rp_filter", "w") as f:
                f.write("0")
        self.hosts, self.numbers = {}, []

    def host(self, address):
        if address not in self.hosts:
            self.hosts[address] = Host(address)
        return self.hosts[address]

    def write(self, packets):
        for packet in packets:
            os.write(self.tun, packet)

    def take(self, packet):
        q = Request(packet)
        if q.read():
            self.numbers.append((q.ident, q.seq))
            self.write(q.at(self.host(q.target)))

    def obey(self, word, *addresses):
        hosts = [self.host(packed(a)) for a in addresses]
        if word == "count":
            return [h.count for h in hosts]
        if word == "release":
            for h in hosts:
                self.write(h.held)
                h.held = []
            return None
        if word == "numbers":
            numbers, self.numbers = self.numbers, []
            return [len(numbers), len(set(numbers))]
        raise ValueError(word)

    def run(self):
        print(json.dumps("ready"), flush=True)
        while True:
            ready, _, _ = select.select([self.tun, sys.stdin], [], [])
            if sys.stdin in ready:
                line = sys.stdin.readline()
                if not line:
                    return
                print(json.dumps(self.obey(*line.split())), flush=True)
            try:
                for _ in range(256):
                    self.take(os.read(self.tun, 65536))
            except BlockingIOError:
                pass


class Responder:
    """The network, in this namespace, until it is closed."""

    def __init__(self, namespace):
        self.used, self.lock = {}, threading.Lock()
        self.process = subprocess.Popen([*namespace.inside, sys.executable, "-B", __file__], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env=environment(), preexec_fn=die_with_parent)
        self.heard()

    def heard(self):
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            raise AssertionError("the responder has died" if ready else "the responder hangs")
        return json.loads(line)

    def host(self, kind, family=4):
        """The address of a host that nobody has asked before."""
        with self.lock:
            # Every second one: the next address is a neighbour's.
            self.used[kind] = self.used.get(kind, -1) + 2
            if self.used[kind] > 250:
                raise AssertionError(f"no more hosts of the kind {kind}")
            return address_of(kind, self.used[kind], family)

    def ask(self, *words):
        """
        count ADDRESS…: how many requests came there. release ADDRESS…: let go what is held there. numbers: how many
        requests came at all since that was last asked, and how many of them differ in id and sequence number.
        """
        with self.lock:
            self.process.stdin.write(" ".join(words) + "\n")
            self.process.stdin.flush()
            return self.heard()

    def close(self):
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        if code != 0:
            raise AssertionError(f"the responder has ended with {code}")


class LiarsLab(Lab):
    @classmethod
    def setUpClass(cls):
        if not os.path.exists(TUN):
            raise unittest.SkipTest(f"this machine has no {TUN}")
        super().setUpClass()
        cls.near.sysctl("net.ipv4.ping_group_range", "0 2147483647")
        cls.liars = Responder(cls.near)
        cls.addClassCleanup(cls.liars.close)


if __name__ == "__main__":
    Network().run()
