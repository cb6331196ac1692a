# SPDX-License-Identifier: MIT
"""
The latency beside a load, at a bottleneck with a queue that is known: 20 Mbit/s, 256 packets, 30 ms there and back
(tests/lab/wire.c). A full queue makes wait 256 times as long as a packet of 1,500 bytes takes, which is 154 ms. How long
it made wait, the wire says: once in 50 ms, and those count that lie in the time whose latency sonde tells of, which is
the last part of the load. That the queue is full then is judged for bbr, which never falls back far: reno gives up half
of its window at each loss, however many connections there are.
"""
import json
import subprocess
import threading
import time
from pathlib import Path

import wire
from link import CONTROLS, PATIENCE, median, met, say
from net import Namespace
from program import die_with_parent

RATE_MBIT, QUEUE, DELAY_MS, MTU = 20, 256, 15, 1500
FULL_MS = QUEUE * MTU * 8 / (RATE_MBIT * 1000)
WITHIN, LOOK_S = 0.10, 0.05
FAR = "10.76.0.2"
# Of the increase, in ms: what the grade has to say.
GRADES = ((5, "A+"), (30, "A"), (60, "B"), (200, "C"), (400, "D"), (float("inf"), "F"))


def grade(increase):
    return next(g for below, g in GRADES if increase < below)


def watched(lab, words, way):
    """A check, and what the wire said of its queue meanwhile: when, and milliseconds of waiting, half of the times."""
    waits, told = [], []
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            preexec_fn=die_with_parent) as p:
        reader = threading.Thread(target=lambda: told.append(p.stdout.read()))
        reader.start()
        lab.counts()
        while reader.is_alive():
            reader.join(LOOK_S)
            waits.append((time.monotonic(), lab.counts()[way]["wait_p50_ms"]))
        p.wait(PATIENCE)
    return json.loads(told[0]), waits


def in_the_end(waits, seconds):
    """Those of so many seconds before the queue ran empty."""
    end = max((at for at, wait in waits if wait > 0), default=0) - LOOK_S
    return [wait for at, wait in waits if end - seconds < at <= end] or [0]


def measure(link, near, lab, control, way):
    lab.rules(f"delay={DELAY_MS}ms rate={RATE_MBIT}M queue={QUEUE}")
    d, waits = watched(lab, [*near.inside, link.sonde, "check", f"{FAR}:8080", "--only", f"ping,{way}", "-f", "json"],
        "there" if way == "upload" else "back")
    loaded, idle, flow = d["loaded"][way], d["ping"]["rtt_p50_ms"], d[way]
    got, wait = loaded["rtt_p50_ms"], median(in_the_end(waits, loaded["seconds"]))
    off, of_full = (got / (2 * DELAY_MS + x) - 1 for x in (wait, FULL_MS))
    say(f"  {control}, {way}: {flow['bits_per_second'] / 1e6:.2f} Mbit/s; {idle:.1f} ms idle, {got:.1f} beside it "
        f"({loaded['method']}, {loaded['received']} in {loaded['seconds']:.1f} s, p99 {loaded['rtt_p99_ms']:.1f}, lost "
        f"{loaded['lost']})")
    say(f"    the queue made wait {wait:.1f} ms meanwhile, with the way {2 * DELAY_MS + wait:.1f}: {off:+.1%}, within "
        f"{WITHIN:.0%}: {met(abs(off) <= WITHIN)}; full it makes wait {FULL_MS:.1f}, with the way "
        f"{2 * DELAY_MS + FULL_MS:.1f}: {of_full:+.1%}"
        + (f", within {WITHIN:.0%}: {met(abs(of_full) <= WITHIN)}" if control == "bbr" else ""))
    told, want = (d.get("bufferbloat") or {}).get("grade"), grade(FULL_MS)
    say(f"    grade {told}, of a full queue {want}: {met(told == want)}")


def full_queue(link):
    say(f"\nLatency beside a load: {RATE_MBIT} Mbit/s, a queue of {QUEUE} packets, {2 * DELAY_MS} ms there and back")
    wire.PROGRAM = Path(link.sonde).parent / "tests" / "lab" / "wire"
    if not wire.PROGRAM.exists() or not Path("/dev/net/tun").exists():
        say(f"  {wire.PROGRAM} or /dev/net/tun is not there: no figures; make bench builds the first")
        return
    near, far = Namespace(), Namespace()
    lab = None
    try:
        lab = wire.Wire(near, far)
        near.sysctl("net.ipv4.ping_group_range", "0 2147483647")
        far.start(link.sonde, "serve", "-q")
        for control in CONTROLS:
            for ns in (near, far):
                ns.sysctl("net.ipv4.tcp_congestion_control", control)
            for way in ("download", "upload"):
                measure(link, near, lab, control, way)
    finally:
        if lab:
            lab.close()
        near.close()
        far.close()


PARTS = {"queue": full_queue}
