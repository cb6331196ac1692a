# SPDX-License-Identifier: MIT
"""
A path of three routers and a host behind a TUN device: 10.85.0.0/16 and fd85::/64. The routers are .0.1 and so on, or
::1; what they append to their errors is the business of the target's kind, the number before its last one.

Run as a program inside a network namespace it is that network.
"""

import fcntl
import os
import struct
import subprocess
import sys

from responder import HOPS_EXCEEDED, Request, checksum, packed

DEVICE = "labels"
OURS = {4: "10.86.0.1", 6: "fd86::1"}
ROUTERS = 3
FAR = 200  # hops to the one that is farther than the others

# Label, traffic class, bottom of the stack, TTL.
STACK = [(24012, 5, 0, 1), (1048575, 0, 1, 255)]
ONE = [(16, 0, 1, 2)]


def entries(labels):
    return b"".join(struct.pack("!I", label << 12 | tc << 9 | bottom << 8 | ttl) for label, tc, bottom, ttl in labels)


def thing(kind, body, claims=None):
    """An object of an extension (RFC 4884 section 7.1)."""
    return struct.pack("!HH", len(body) + 4 if claims is None else claims, kind) + body


def extension(*things, version=2, spoil=0, sum_it=True):
    bare = bytes([version << 4, 0, 0, 0]) + b"".join(things)
    return bare[:2] + ((checksum(bare) ^ spoil).to_bytes(2, "big") if sum_it else b"\0\0") + bare[4:]


MPLS, INTERFACE = 0x0101, 0x0201

# The extensions of the three routers, and whether they tell where.
KINDS = {
    "none": [],
    "told": [extension(thing(MPLS, entries(STACK)))] * 3,
    "untold": [extension(thing(MPLS, entries(STACK)))] * 3,
    "second": [extension(thing(INTERFACE, bytes(8)), thing(MPLS, entries(ONE)))] * 3,
    "unsummed": [extension(thing(MPLS, entries(ONE)), sum_it=False)] * 3,
    "lies": [extension(thing(MPLS, entries(ONE)), spoil=1), extension(thing(MPLS, entries(ONE), claims=65535)),
        extension(thing(MPLS, b"", claims=3), thing(MPLS, entries(ONE)))],
    "far": [extension(thing(MPLS, entries(STACK * 4)))] * FAR,
    "more_lies": [extension(thing(MPLS, entries(ONE)), version=1), b"\x20\0", extension(thing(MPLS, b"\1\2\3"))],
}
UNTOLD = ("untold",)


def target(kind, family=4):
    number = [*KINDS].index(kind) + 1
    return f"10.85.{number}.9" if family == 4 else f"fd85::{number:x}:9"


def router(i, family=4):
    return f"10.85.0.{i}" if family == 4 else f"fd85::{i:x}"


class Probe(Request):
    def answer(self):
        ttl = self.packet[8] if self.family == 4 else self.packet[7]
        number = self.target[2] if self.family == 4 else self.target[13]
        kind = [*KINDS][number - 1]
        if ttl >= (FAR if kind == "far" else ROUTERS + 1):
            return self.reply()
        quote, info = self.packet, 0
        if KINDS[kind]:
            quote = quote.ljust(128, b"\0") + KINDS[kind][ttl - 1]
            if kind not in UNTOLD:
                info = 128 // 4 << 16 if self.family == 4 else 128 // 8 << 24
        return self.error(HOPS_EXCEEDED[self.family], quote=quote, source=router(ttl, self.family), info=info)


def main():
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", DEVICE.encode(), 0x1001))  # TUNSETIFF: no other header
    for words in ("link set {0} up", "addr add {1}/32 dev {0}", "route add 10.85.0.0/16 dev {0}",
            "-6 addr add {2}/128 dev {0} nodad", "-6 route add fd85::/64 dev {0}"):
        subprocess.run(["ip", *words.format(DEVICE, OURS[4], OURS[6]).split()], check=True)
    print("ready", flush=True)
    while True:
        probe = Probe(os.read(tun, 65536))
        if probe.read():
            os.write(tun, probe.answer())


if __name__ == "__main__":
    sys.exit(main())
