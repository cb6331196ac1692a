# SPDX-License-Identifier: MIT
"""
A thousand clients (tests/lab/crowd.c) that download from one server at once: all served, none starved, and in little
memory. They come from one address, of which a server takes 1,024 connections if nobody says otherwise.
"""
import json
import re
from pathlib import Path

from link import CONTROLS, FAR, met, run, say

CLIENTS, SECONDS = 1000, 10
JAIN, MEMORY = 0.9, 20e6
PORT = 8010


def memory(server, which):
    return int(re.search(rf"{which}:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())[1]) * 1024


def crowd(control, port):
    def part(link):
        say(f"\n{CLIENTS} clients that download for {SECONDS} s at once, {control}")
        program = Path(link.sonde).parent / "tests" / "lab" / "crowd"
        if not program.exists():
            say(f"  {program} is not built: no figures; make bench builds it")
            return
        server = link.serve(port)
        with link.controlled(control):
            d = json.loads(run(str(program), FAR, str(port), str(CLIENTS), str(SECONDS)).out)
        most = memory(server, "VmHWM")
        say(f"  {d['bytes'] / d['seconds'] / 1e9:.2f} GB/s in all; a client got {d['bytes_min'] / 1e6:.1f} to "
            f"{d['bytes_max'] / 1e6:.1f} MB, median {d['bytes_p50'] / 1e6:.1f}; done after {d['seconds']:.1f} s")
        say(f"  served {d['served']} (failed {d['failed']}, unfinished {d['unfinished']}), all: "
            f"{met(d['served'] == CLIENTS)}; Jain's index {d['jain']:.3f}, over {JAIN}: {met(d['jain'] > JAIN)}; "
            f"server's memory {most / 1e6:.1f} MB at most, {memory(server, 'VmRSS') / 1e6:.1f} after, "
            f"under {MEMORY / 1e6:.0f}: {met(most < MEMORY)}")
    return part


PARTS = {f"crowd-{control}": crowd(control, PORT + i) for i, control in enumerate(CONTROLS)}
