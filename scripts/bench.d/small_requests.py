# SPDX-License-Identifier: MIT
"""
Requests a second that hold nothing but a head, over connections that stay: /ping of `sonde serve` beside an answer of
nginx with one worker that is as empty. The server has one CPU, wrk the other one.
"""
import re
import tempfile
from pathlib import Path

from link import FAR, alternate, await_port, lacks, median, met, run, say

ROUNDS, SECONDS, CONNECTIONS = 5, 3, 64
OURS, THEIRS = 8020, 8021


def wrk(port):
    r = run("taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}", "--latency", f"http://{FAR}:{port}/ping")
    bad = re.findall(r"(Non-2xx.*|Socket errors.*)", r.out)
    if bad or r.code != 0:
        say(f"  port {port}: {' '.join(bad) or r.err.strip()}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", r.out)[1]), re.search(r"99%\s+(\S+)", r.out)[1]


def start_nginx(link, folder):
    conf = Path(folder, "nginx.conf")
    conf.write_text(f"daemon off; pid {folder}/pid; error_log /dev/null; worker_processes 1; events {{}}\n"
        f"http {{ access_log off; keepalive_requests 1000000000; server {{ listen {FAR}:{THEIRS}; "
        "location = /ping { return 204; } } }\n")
    link.far.start("taskset", "-c", "0", "nginx", "-c", str(conf))
    await_port(THEIRS)


def small_requests(link):
    say(f"\nSmall requests, {CONNECTIONS} connections that stay; medians of {ROUNDS} alternating runs of {SECONDS} s")
    if lacks("wrk", "nginx", "taskset"):
        return
    with tempfile.TemporaryDirectory() as folder:
        link.far.start("taskset", "-c", "0", link.sonde, "serve", "-q", "-p", str(OURS))
        await_port(OURS)
        start_nginx(link, folder)
        got = alternate(ROUNDS, sonde=lambda: wrk(OURS), nginx=lambda: wrk(THEIRS))
    rates = {name: median(r[0] for r in runs) for name, runs in got.items()}
    for name, runs in got.items():
        say(f"  {name:6}{rates[name] / 1e3:8.1f} thousand a second ({min(runs)[0] / 1e3:.1f} to "
            f"{max(runs)[0] / 1e3:.1f}), 99 of 100 answered within {runs[0][1]}")
    ratio = rates["sonde"] / rates["nginx"]
    say(f"  requests a second beside nginx: x{ratio:.2f}, at least x1: {met(ratio >= 1)}")


PARTS = {"requests": small_requests}
