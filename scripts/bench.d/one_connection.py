# SPDX-License-Identifier: MIT
"""
Both ends ours, beside iperf3: what sonde does without options, and what it does over one connection, beside iperf3's
default and its best flags. All send by the same congestion control.
"""
import json

from link import CONTROLS, FAR, alternate, await_port, lacks, median, met, run, say

ROUNDS, SECONDS = 5, 2
# Beside iperf3's default; the best flags are to be reached.
LEAST = {"bbr": 2.0, "reno": 1.5}


def ours(link, way, *options):
    flow = link.check("--only", way, "--time", f"{SECONDS}s", *options)[0][way]
    if flow["status"] != "ok":
        raise AssertionError(f"{way}: {flow['status']}: {flow['reason']}")
    return flow["bits_per_second"] / 8e9, flow["congestion_control"], flow["connections"]


def iperf(*options):
    end = json.loads(run("iperf3", "-J", "-c", FAR, "-t", str(SECONDS), *options).out)["end"]
    return end["sum_received"]["bits_per_second"] / 8e9, end["sender_tcp_congestion"], 1


def best_flags():
    can_skip = "--skip-rx-copy" in run("iperf3", "--help").out
    return ("-Z", "-l", "1M", *(["--skip-rx-copy"] if can_skip else []))


def compare(link, control, best):
    fast = f"iperf3 -R {' '.join(best)}"
    tools = {"iperf3": iperf, "iperf3 -R": lambda: iperf("-R"), fast: lambda: iperf("-R", *best)}
    plain = {"upload": "iperf3", "download": "iperf3 -R"}
    for way in plain:
        tools[f"sonde {way}"] = lambda way=way: ours(link, way)
        tools[f"sonde {way} --connections 1"] = lambda way=way: ours(link, way, "--connections", "1")
    got = alternate(ROUNDS, **tools)
    rates = {name: median(r[0] for r in runs) for name, runs in got.items()}
    for name, runs in got.items():
        say(f"  {name:34}{rates[name]:7.2f} GB/s  ({min(runs)[0]:.2f} to {max(runs)[0]:.2f})   "
            f"{'/'.join(sorted({r[1] or f'{control} by sysctl' for r in runs}))}, connections {sorted(r[2] for r in runs)}")
    for way, peer in plain.items():
        for name in (f"sonde {way}", f"sonde {way} --connections 1"):
            of_plain, of_fast = rates[name] / rates[peer], rates[name] / rates[fast]
            say(f"  {name}, {control}: x{of_plain:.2f} of {peer}, at least x{LEAST[control]}: "
                f"{met(of_plain >= LEAST[control])}; x{of_fast:.2f} of {fast}, at least x1: {met(of_fast >= 1)}")


def one_connection(control):
    def part(link):
        say(f"\nOur two ends beside iperf3's, {control}; medians of {ROUNDS} alternating runs of {SECONDS} s")
        if lacks("iperf3"):
            return
        link.serve()
        link.start_once("iperf3", "-s")
        await_port(5201)
        with link.controlled(control):
            compare(link, control, best_flags())
    return part


PARTS = {f"iperf-{control}": one_connection(control) for control in CONTROLS}
