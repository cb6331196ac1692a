# SPDX-License-Identifier: MIT
"""Downloads from other people's servers beside curl: how fast, and how much of a CPU the client takes for them."""
import os
import sys
import tempfile
from contextlib import suppress

from link import CONTROLS, FAR, alternate, await_port, lacks, median, met, run, say

ROUNDS, SECONDS, SIZE = 5, 2, 1 << 30
CPU_SHARE = 0.25


def curl(url):
    r = run("curl", "-s", "-o", "/dev/null", "-w", "%{speed_download} %{size_download}", url)
    speed, size = (float(x) for x in r.out.split())
    return speed, r.cpu / (size / 1e9), 1


def sonde(link, url, *options):
    flow = link.check("--only", "download", "--time", f"{SECONDS}s", *options, url=url)[0]["download"]
    if flow["status"] != "ok":
        raise AssertionError(f"{url}: {flow['status']}: {flow['reason']}")
    return flow["bits_per_second"] / 8, flow["cpu_seconds_per_gigabyte"], flow["connections"]


def compare(link, title, url, control, target):
    got = alternate(ROUNDS, curl=lambda: curl(url), sonde=lambda: sonde(link, url),
        one=lambda: sonde(link, url, "--connections", "1"))
    rate, cpu = ({who: median(x[i] for x in runs) for who, runs in got.items()} for i in (0, 1))
    for who, name in (("sonde", "sonde"), ("one", "sonde --connections 1")):
        faster, cheaper = rate[who] / rate["curl"], cpu[who] / cpu["curl"]
        verdict = (f"rate at least x1: {met(faster >= 1)}, CPU at most x{CPU_SHARE}: {met(cheaper <= CPU_SHARE)}"
            if target else "")
        say(f"  {title}, {control}: {name} {rate[who] / 1e9:.2f} GB/s at {cpu[who]:.3f} CPU s/GB (connections "
            f"{sorted(x[2] for x in got[who])}), curl {rate['curl'] / 1e9:.2f} at {cpu['curl']:.3f}; rate x{faster:.2f}, "
            f"CPU x{cheaper:.3f}; {verdict}".rstrip("; "))


def serve_files(link, folder):
    os.chmod(folder, 0o755)
    with open(folder + "/file.bin", "wb") as f:
        for _ in range(SIZE >> 20):
            f.write(b"\0" * (1 << 20))
    with open(folder + "/nginx.conf", "w") as f:
        f.write(f"daemon off; pid {folder}/pid; error_log /dev/null; worker_processes 1; events {{}}\n"
                f"http {{ access_log off; sendfile on; server {{ listen {FAR}:8001; root {folder}; }} }}\n")
    return [link.far.start(sys.executable, "-m", "http.server", "8000", "-d", folder),
        link.far.start("nginx", "-c", folder + "/nginx.conf")]


def beside_curl(control):
    def part(link):
        say(f"\nDownload of a file in memory beside curl, {control}; medians of {ROUNDS} alternating runs")
        if lacks("curl", "nginx"):
            return
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        with tempfile.TemporaryDirectory(dir=memory) as folder, link.controlled(control):
            servers = serve_files(link, folder)
            try:
                await_port(8000)
                await_port(8001)
                compare(link, "nginx, sendfile", f"http://{FAR}:8001/file.bin", control, True)
                compare(link, "python3 -m http.server", f"http://{FAR}:8000/file.bin", control, False)
            finally:
                for p in servers:
                    with suppress(ProcessLookupError):
                        p.terminate()
                    p.wait()
    return part


def both_ways(link):
    say("\nBoth ends ours, counts compared")
    link.serve()
    d = link.check("--time", "5s")[0]
    for way in ("download", "upload"):
        f, equal = d[way], d[way]["transferred_bytes"] == d[way]["peer_bytes"]
        say(f"  {way}: {f['bits_per_second'] / 8e9:.2f} GB/s at "
            f"{f['cpu_seconds_per_gigabyte']:.3f} CPU s/GB over {f['connections']} connections, counts of both ends equal: "
            f"{met(equal)}")


PARTS = {"counts": both_ways, **{f"curl-{control}": beside_curl(control) for control in CONTROLS}}
