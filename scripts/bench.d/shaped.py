# SPDX-License-Identifier: MIT
"""
Links that tbf slows down to a known rate. What it allows is its rate, less the headers: its own counters say what share
of the bytes that passed was payload, each packet of a TCP segment with timestamps taking 66 bytes of Ethernet, IP and
TCP. Without options and thus without a time: each direction has to be done in 8 seconds.
"""
import json

from link import lacks, met, run, say

HEADERS = 14 + 20 + 32
WITHIN, SECONDS = 0.01, 8
# Rate, what may pass at once, and how long a packet may wait: tbf's timer is late by tens of microseconds.
RATES = ((10, "10kb"), (100, "32kb"), (1000, "192kb"))
DEEP, SHALLOW = "100ms", "12ms"


def passed(link, way):
    """The shaper's own counts of what left in this direction: bytes with the Ethernet header, packets as on the wire."""
    words = ("tc", "-j", "-s", "qdisc", "show", "dev", "wire", "root")
    told = json.loads(run(*words).out if way == "upload" else link.far.do(*words))[0]
    return told["bytes"], told["packets"], told["drops"]


def measure(link, rate, way, about, control):
    before = passed(link, way)
    d, wall = link.check("--only", way)
    n, packets, drops = (b - a for a, b in zip(before, passed(link, way)))
    flow = d[way]
    if flow["status"] != "ok":
        say(f"  {rate} Mbit/s, {way}: {flow['status']}: {flow['reason']}")
        return
    share = 1 - HEADERS * packets / n
    got, allowed = flow["bits_per_second"] / 1e6, rate * share
    off = got / allowed - 1
    say(f"  {rate:4} Mbit/s, {about}, {control}, {way:8} {got:8.3f} Mbit/s of {allowed:.3f} allowed, "
        f"{off:+.2%}, within {WITHIN:.0%}: {met(abs(off) <= WITHIN)}; {wall:.1f} s, under {SECONDS}: "
        f"{met(wall < SECONDS)}; stable {flow['stable']}, connections {flow['connections']}, {drops} dropped")


def shaped(control, about, latency):
    def part(link):
        say(f"\nShaped by tbf, {control}, a {about} queue ({latency})")
        if lacks("tc"):
            return
        link.serve()
        with link.controlled(control):
            for rate, burst in RATES:
                with link.shaped("rate", f"{rate}mbit", "burst", burst, "latency", latency):
                    for way in ("download", "upload"):
                        measure(link, rate, way, f"{about} queue", control)
    return part


PARTS = {"shaped": shaped("bbr", "deep", DEEP), "shaped-shallow": shaped("reno", "shallow", SHALLOW)}
