# SPDX-License-Identifier: MIT
"""Download beside curl, both ways against our own server, latency under load on a shaped link."""
import json
import os
import shutil
import sys
import tempfile
import time

from link import FAR, alternate, do, lacks, median, run

ROUNDS, SIZE = 5, 1 << 30


def curl(url):
    r = run("curl", "-s", "-o", "/dev/null", "-w", "%{speed_download} %{size_download}", url)
    speed, size = (float(x) for x in r.out.split())
    return speed, r.cpu / (size / 1e9)


def check(sonde, url, *options):
    return json.loads(run(sonde, "check", url, "-f", "json", *options).out)


def compare(link, title, url):
    control = ""

    def ours():
        nonlocal control
        flow = check(link.sonde, url, "--only", "download", "--time", "3s")["download"]
        control = flow["congestion_control"]
        return flow["bits_per_second"] / 8, flow["cpu_seconds_per_gigabyte"]

    got = alternate(ROUNDS, curl=lambda: curl(url), sonde=ours)
    (rate, cpu), (their_rate, their_cpu) = (
        [median(x[i] for x in got[who]) for i in (0, 1)] for who in ("sonde", "curl"))
    print(f"{title} ({control}): sonde {rate / 1e9:.2f} GB/s at {cpu:.3f} CPU s/GB, "
          f"curl {their_rate / 1e9:.2f} GB/s at {their_cpu:.3f}; rate x{rate / their_rate:.2f}, "
          f"CPU x{cpu / their_cpu:.2f}", flush=True)


def both_ways(link):
    d = check(link.sonde, f"{FAR}:8080", "--time", "5s")
    for way in ("download", "upload"):
        f, equal = d[way], d[way]["transferred_bytes"] == d[way]["peer_bytes"]
        print(f"sonde serve, {way} ({f['congestion_control']}): {f['bits_per_second'] / 8e9:.2f} GB/s at "
              f"{f['cpu_seconds_per_gigabyte']:.3f} CPU s/GB over {f['connections']} connections, counts of both ends "
              f"{'equal' if equal else 'DIFFERENT'}", flush=True)


def shaped(link):
    shape = ("tc", "qdisc", "add", "dev", "wire", "root", "tbf", "rate", "100mbit", "burst", "32k", "latency", "50ms")
    plain = ("tc", "qdisc", "del", "dev", "wire", "root")
    for end in (do, link.far.do):
        end(*shape)
    try:
        d = check(link.sonde, f"{FAR}:8080", "--time", "5s")
    finally:
        for end in (do, link.far.do):
            end(*plain)
    idle = d["ping"]["rtt_p50_ms"]
    for way in ("download", "upload"):
        loaded = d["loaded"][way]["rtt_p50_ms"]
        print(f"tbf 100 Mbit/s, {way} ({d[way]['congestion_control']}): {d[way]['bits_per_second'] / 1e6:.1f} Mbit/s, "
              f"latency {idle:.3f} ms idle, {loaded:.3f} ms beside it", flush=True)


def serve_files(link, folder):
    os.chmod(folder, 0o755)
    with open(folder + "/file.bin", "wb") as f:
        for _ in range(SIZE >> 20):
            f.write(b"\0" * (1 << 20))
    with open(folder + "/nginx.conf", "w") as f:
        f.write(f"daemon off; pid {folder}/pid; error_log /dev/null; worker_processes 1; events {{}}\n"
                f"http {{ access_log off; sendfile on; server {{ listen {FAR}:8001; root {folder}; }} }}\n")
    link.far.start(sys.executable, "-m", "http.server", "8000", "-d", folder)
    if shutil.which("nginx"):
        link.far.start("nginx", "-c", folder + "/nginx.conf")


def throughput(link):
    print("\nThroughput", flush=True)
    missing = lacks("curl", "nginx", "tc")
    link.far.start(link.sonde, "serve", "-q")
    with tempfile.TemporaryDirectory() as folder:
        serve_files(link, folder)
        time.sleep(1.5)
        if "curl" not in missing:
            compare(link, "python3 -m http.server", f"http://{FAR}:8000/file.bin")
            if "nginx" not in missing:
                compare(link, "nginx, sendfile", f"http://{FAR}:8001/file.bin")
        both_ways(link)
        if "tc" not in missing:
            shaped(link)
