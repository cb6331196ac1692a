# SPDX-License-Identifier: MIT
"""
Echoes as fast as they go to one host, to each address of a network, and steadily to a thousand. CPU time is of the
tool's own process, in which the kernel also does what the far end needs: it is one machine.
"""
import json
import re

from link import CROWD, FAR, alternate, lacks, median, met, run

ROUNDS = 5
ECHOES = 50_000
ADDRESSES = (1 << 16) - 2
# The fastest that it offers, where it tells of no address that answers; and with a line of each address, as ours.
FPING = ("fping", "-q", "-s", "-i", "0", "-r", "0", "-t", "1000", "-g", CROWD)
FPING_LINES = ("fping", "-q", "-c", "1", "-i", "0", "-g", CROWD)
TARGETS, COUNT, INTERVAL_MS = 1000, 50, 100


def mib(memory):
    return f"{memory / (1 << 20):.1f} MiB" if memory is not None else "unknown (GNU time tells)"


def count(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def went_well(name, runs):
    """Says so where one did not."""
    bad = next((r for r in runs if r.code != 0), None)
    if bad:
        print(f"  {name}: exit code {bad.code}: {(bad.err or bad.out).strip()[-200:]}", flush=True)
    return bad is None


def ratios(what, got, least=None):
    """Of the first tool to each of the others, by the clock."""
    walls = {name: median(r.wall for r in runs) for name, runs in got.items() if all(r.code == 0 for r in runs)}
    ours = next(iter(got))
    for name in got:
        if name == ours or not {ours, name} <= walls.keys():
            continue
        ratio = walls[name] / walls[ours]
        verdict = f", at least x{least}: {met(ratio >= least)}" if least else ""
        print(f"  {what} beside {name}: x{ratio:.2f}{verdict}", flush=True)


def flood(link):
    print(f"\nOne echo after the other, {ECHOES} to one host; medians of {ROUNDS} alternating runs", flush=True)
    tools = {"sonde ping -q -i 0": lambda: run(link.sonde, "ping", "-q", "-i", "0", "-c", str(ECHOES), FAR)}
    if not lacks("ping"):
        tools["ping -q -f"] = lambda: run("ping", "-q", "-f", "-c", str(ECHOES), FAR)
    got = alternate(ROUNDS, **tools)
    for name, runs in got.items():
        if went_well(name, runs):
            wall, cpu = (median(x) / ECHOES * 1e6 for x in ([r.wall for r in runs], [r.cpu for r in runs]))
            answered = min(count(r"(\d+) received", r.out) for r in runs)
            print(f"  {name:20}{wall:6.2f} µs an echo, CPU {cpu:.2f} µs, answered {answered}", flush=True)
    ratios("echoes a second", got)


def show_sweep(name, runs):
    wall, cpu = median(r.wall for r in runs), median(r.cpu for r in runs)
    memory = max(r.memory for r in runs) if runs[0].memory else None
    lines = count(r"(\d+) (?:answered|alive)", runs[0].out + runs[0].err)
    answered = lines or sum(int(n) for n in re.findall(r"= 1/(\d)/", runs[0].err))
    print(f"  {name}: {wall:.3f} s, {ADDRESSES / wall / 1e3:.0f} thousand a second, CPU {cpu:.3f} s, "
          f"answered {answered}, memory {mib(memory)}", flush=True)
    if name.startswith("sonde"):
        print(f"    all answered: {met(answered == ADDRESSES)}"
              + (f", under 8 MiB: {met(memory < 8 << 20)}" if memory else ""), flush=True)


def sweep(link):
    print(f"\nEach of the {ADDRESSES} addresses of {CROWD} once; medians of {ROUNDS} alternating runs", flush=True)
    tools = {"sonde ping -q -c 1 -i 0": lambda: run(link.sonde, "ping", "-q", "-c", "1", "-i", "0", CROWD)}
    if not lacks("fping"):
        for words in (FPING, FPING_LINES):
            tools[" ".join(words[:-2])] = lambda words=words: run(*words)
    got = alternate(ROUNDS, **tools)
    for name, runs in got.items():
        if went_well(name, runs):
            show_sweep(name, runs)
    ratios("addresses a second", got, 1.5)


def thousand(link):
    print(f"\n{TARGETS} targets, each {COUNT} times, every {INTERVAL_MS} ms", flush=True)
    names = "".join(f"10.98.{i >> 8}.{i & 255}\n" for i in range(1, TARGETS + 1))
    pace = ("-c", str(COUNT), "-i", f"{INTERVAL_MS}ms")
    r = run(link.sonde, "ping", "-q", *pace, "-f", "json", "-", data=names)
    if went_well("sonde", [r]):
        d = json.loads(r.out)
        sent, lost = (sum(t[k] for t in d["targets"]) for k in ("sent", "lost"))
        drops, share = d["local_drops"], r.cpu / r.wall * 100
        print(f"  sonde ping: {sent} sent in {r.wall:.2f} s, lost {lost}, local drops {drops}: "
              f"{met(lost == drops == 0)}; CPU {share:.1f} %, under 15: {met(share < 15)}; memory {mib(r.memory)}",
              flush=True)
    if lacks("fping"):
        return
    # Its timer is coarse: with -i 0.1, which is the pace, a round takes almost twice its time.
    r = run("fping", "-q", "-c", str(COUNT), "-p", str(INTERVAL_MS), "-i", "0", data=names)
    got = [(int(sent), int(received)) for sent, received in re.findall(r"= (\d+)/(\d+)/", r.err)]
    sent, received = (sum(x[i] for x in got) for i in (0, 1))
    print(f"  fping -i 0: {sent} sent in {r.wall:.2f} s, lost {sent - received}; CPU {r.cpu / r.wall * 100:.1f} %; "
          f"memory {mib(r.memory)}", flush=True)
