# SPDX-License-Identifier: MIT
"""
How far each tool's round trips are from those of a packet capture of the same packets: reply minus request, at the
sender's own device. On an idle machine, and beside four busy loops.

ping (text) and fping (-C) print three significant digits at best: whole microseconds below a millisecond, which is also
all that ping measures. Half a microsecond of their error may be that.
"""
import json
import os
import re
import subprocess
import time

from capture import Capture
from link import FAR, alternate, lacks, median, met, run
from program import die_with_parent

ROUNDS, PROBES, INTERVAL_MS, LOOPS = 5, 100, 10, 4
# Microseconds: the median within so much of zero, 95 of 100 closer than that.
IDLE, BUSY = (1, 5), (2, None)


def by_sonde(link, kind):
    r = run(link.sonde, "ping", "-i", f"{INTERVAL_MS}ms", "-c", str(PROBES), "--icmp-socket", kind, "-f", "ndjson", FAR)
    told = {}
    for line in map(json.loads, r.out.splitlines()):
        if line["type"] == "probe" and line["outcome"] == "reply":
            told[line["seq"] - 1] = line["rtt_ms"] * 1e6
    return told


def by_ping():
    r = run("ping", "-n", "-i", str(INTERVAL_MS / 1000), "-c", str(PROBES), FAR)
    return {int(seq) - 1: float(ms) * 1e6 for seq, ms in re.findall(r"icmp_seq=(\d+) .*time=([\d.]+) ms", r.out)}


def by_fping():
    r = run("fping", "-q", "-C", str(PROBES), "-p", str(INTERVAL_MS), FAR)
    return {i: float(ms) * 1e6 for i, ms in enumerate(r.err.partition(" : ")[2].split()) if ms != "-"}


def errors_of(tool, capture):
    """In microseconds, with the capture's own round trips."""
    capture.round_trips()
    told, seen = tool(), capture.round_trips()
    both = [i for i in told if i < len(seen) and seen[i] is not None]
    return [(told[i] - seen[i]) / 1e3 for i in both], [seen[i] / 1e3 for i in both]


def show(name, rounds, target):
    errors = [e for r in rounds for e in r[0]]
    if not errors:
        print(f"  {name:28} no round trips", flush=True)
        return
    middle, far_out = median(errors), sorted(map(abs, errors))
    p95 = far_out[len(errors) * 95 // 100 - 1]
    verdict = ""
    if name.startswith("sonde"):
        limit, p95_limit = target
        verdict = f"   within ±{limit}: {met(abs(middle) <= limit)}"
        if p95_limit:
            verdict += f", p95 under {p95_limit}: {met(p95 < p95_limit)}"
    print(f"  {name:28}{len(errors):6}{middle:+9.2f}{p95:9.2f}{far_out[-1]:9.1f}{verdict}", flush=True)


def compare(link, tools, title, target):
    with Capture("wire") as capture:
        got = alternate(ROUNDS, **{name: lambda tool=tool: errors_of(tool, capture) for name, tool in tools.items()})
    seen = median([x for rounds in got.values() for r in rounds for x in r[1]] or [0])
    print(f"  {title:28}probes   median  p95 |.|   max |.|    the capture's own median: {seen:.1f} µs", flush=True)
    for name, rounds in got.items():
        show(name, rounds, target)


def round_trips(link):
    print(f"\nError of a round trip beside a packet capture, in µs: {ROUNDS} alternating rounds of {PROBES} probes at "
          f"{INTERVAL_MS} ms", flush=True)
    tools = {"sonde, raw socket": lambda: by_sonde(link, "raw"),
             "sonde, datagram socket": lambda: by_sonde(link, "dgram")}
    missing = lacks("ping", "fping")
    if "ping" not in missing:
        tools[run("ping", "-V").out.split("\n")[0].replace("from ", "", 1)] = by_ping
    if "fping" not in missing:
        tools[run("fping", "-v").out.split("\n")[0].replace(": Version", "")] = by_fping
    compare(link, tools, f"idle (load {os.getloadavg()[0]:.1f})", IDLE)
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"], preexec_fn=die_with_parent) for _ in range(LOOPS)]
    try:
        time.sleep(0.2)
        compare(link, tools, f"beside {LOOPS} busy loops", BUSY)
    finally:
        for p in loops:
            p.kill()
            p.wait()
