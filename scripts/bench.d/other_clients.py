# SPDX-License-Identifier: MIT
"""
Other people's clients against `sonde serve`, on links slowed down to a known rate: speedtest-cli, and a page in a browser
that measures as LibreSpeed does (worker.html). Their figures beside our own.
"""
import json
import os
import queue
import subprocess
import tempfile
from pathlib import Path

from clients import Background, Quiet, SpeedtestHome, browser, words
from link import FAR, lacks, met, run, say
from program import die_with_parent

PORT = 8030
WORKER_S, PATIENCE = 8, 60
# speedtest-cli asks its home how long to measure, and that says 10. It counts what it has given to the kernel; on a slow
# link that is not negligible in a shorter time.
SPEEDTEST_S = {10: 10, 100: 5}
WITHIN = 0.10


def by_speedtest(link, rate):
    with SpeedtestHome(SPEEDTEST_S[rate]) as home:
        env = home.environment(FAR)
        r = run("env", *(f"{k}={env[k]}" for k in ("http_proxy", "no_proxy")), *words(f"http://{FAR}:{PORT}"))
    if r.code != 0:
        raise AssertionError(f"exit code {r.code}: {r.err.strip()}")
    d = json.loads(r.out)
    return {"download": d["download"] / 1e6, "upload": d["upload"] / 1e6}, f"ping {d['ping']:.2f} ms"


def by_worker(_link, _rate):
    said = queue.Queue()
    page = Path(__file__).with_name("worker.html").read_bytes()

    class Page(Quiet):
        def do_GET(self):
            self.answer(page)

        def do_POST(self):
            said.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(b"")

    with Background(Page) as here, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        address = f"{here.url}/?server=http://{FAR}:{PORT}&seconds={WORKER_S}"
        p = subprocess.Popen([*browser(), f"--user-data-dir={home}", address], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": home},
            start_new_session=True, preexec_fn=die_with_parent)
        try:
            d = said.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"no result after {PATIENCE} s") from None
        finally:
            os.killpg(p.pid, 9)
            p.wait()
    if "error" in d:
        raise AssertionError(d["error"])
    flows = {way: d[way]["bits_per_second"] / 1e6 for way in ("download", "upload")}
    failed = d["download"]["failed"] + d["upload"]["failed"]
    return flows, f"ping {d['ping_ms']:.2f} ms, failed requests {failed}"


def by_sonde(link, _rate):
    d = link.check(url=f"{FAR}:{PORT}")[0]
    return {way: d[way]["bits_per_second"] / 1e6 for way in ("download", "upload")}, f"ping {d['ping']['rtt_p50_ms']:.2f} ms"


def compare(rate, tools, link):
    ours = None
    for name, tool in tools.items():
        try:
            flows, more = tool(link, rate)
        except AssertionError as e:
            say(f"  {name}: MISSED: {e}")
            continue
        ours = ours or flows
        offs = {way: flows[way] / ours[way] - 1 for way in flows}
        say(f"  {rate} Mbit/s, {name:22}" + "; ".join(f"{way} {flows[way]:6.2f}" + (f" ({offs[way]:+.1%} of ours, "
            f"within {WITHIN:.0%}: {met(abs(offs[way]) <= WITHIN)})" if flows is not ours else "") for way in flows)
            + f"; {more}")


def clients(rate, burst):
    def part(link):
        control = Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()
        say(f"\nOther people's clients against sonde serve, {rate} Mbit/s by tbf, {control}; Mbit/s")
        tools = {"sonde check": by_sonde}
        if "tc" in (missing := lacks("speedtest-cli", "tc")):
            return
        if "speedtest-cli" not in missing:
            tools["speedtest-cli --mini"] = by_speedtest
        if browser():
            tools["LibreSpeed-like page"] = by_worker
        else:
            say("  there is no chromium: no figures for a page")
        link.serve(PORT, "--cors")
        with link.shaped("rate", f"{rate}mbit", "burst", burst, "latency", "50ms"):
            compare(rate, tools, link)
    return part


PARTS = {"clients-10": clients(10, "10kb"), "clients-100": clients(100, "32kb")}
