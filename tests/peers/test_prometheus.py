# SPDX-License-Identifier: MIT
"""The real Prometheus scrapes sonde watch: its metrics, and probes of other targets as blackbox_exporter does them."""

import http.client
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from program import PATIENCE, Serve, die_with_parent, environment, read_until, run, start

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: watch
    static_configs: [{{targets: ["{sonde}"]}}]
  - job_name: probe
    metrics_path: /probe
    scrape_interval: 3s
    scrape_timeout: 3s
    static_configs: [{{targets: ["{good}", "{bad}"]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "{sonde}"}}
"""


def get(address, path):
    c = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        c.request("GET", path)
        return c.getresponse().read().decode()
    finally:
        c.close()


class Peer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for tool in ("prometheus", "promtool"):
            if not shutil.which(tool):
                raise unittest.SkipTest(f"{tool} is not installed")
        cls.serve = Serve()
        cls.addClassCleanup(cls.serve.stop)
        cls.good, cls.bad = "tcp://" + cls.serve.target, "tcp://127.0.0.3:1"
        cls.watch = start("watch", "-i", "200ms", "-W", "500ms", "--listen", "0", cls.good, cls.bad)
        cls.addClassCleanup(cls.watch.communicate)
        cls.addClassCleanup(cls.watch.kill)
        found, _ = read_until(cls.watch.stdout, r"at http://(\S+)/\n")
        cls.sonde = found[1]
        read_until(cls.watch.stdout, "silent")


class Promtool(Peer):
    def check(self, text):
        p = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((p.returncode, p.stderr), (0, ""), text)

    def test_it_finds_nothing_to_complain_about(self):
        self.check(get(self.sonde, "/metrics"))
        for target in (self.good, self.bad, "nosuch.invalid"):
            self.check(get(self.sonde, "/probe?target=" + urllib.parse.quote(target, safe="")))

    def test_nor_in_what_the_other_commands_write(self):
        for words in (("ping", "-c", "2", "-i", "10ms"), ("trace", "-n", "-c", "2", "-i", "10ms")):
            self.check(run(*words, "-f", "prom", self.good).out)


class Scrapes(Peer):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        home = tempfile.TemporaryDirectory()
        cls.addClassCleanup(home.cleanup)
        config = Path(home.name, "prometheus.yml")
        config.write_text(CONFIG.format(sonde=cls.sonde, good=cls.good, bad=cls.bad))
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            cls.address = "127.0.0.1:%d" % s.getsockname()[1]
        cls.process = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={home.name}/data",
            f"--web.listen-address={cls.address}", "--log.level=error"], env=environment(), preexec_fn=die_with_parent,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.process.wait)
        cls.addClassCleanup(cls.process.kill)

    def query(self, expr, n):
        """What it knows of this, once that is of so many series: {instance or target: value}."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                doc = json.loads(get(self.address, "/api/v1/query?" + urllib.parse.urlencode({"query": expr})))
                found = {r["metric"].get("target") or r["metric"]["instance"]: float(r["value"][1])
                    for r in doc["data"]["result"]}
                if len(found) == n:
                    return found
            except (OSError, http.client.HTTPException, KeyError, ValueError):
                pass
            time.sleep(0.2)
        self.fail(f"{expr}: never {n} of it")

    def test_the_targets_that_are_watched(self):
        self.assertEqual(self.query('up{job="watch"}', 1), {self.sonde: 1})
        self.assertEqual(self.query('sonde_ping_loss_ratio{job="watch"}', 2), {self.good: 0, self.bad: 1})
        rtt, = self.query('sonde_ping_rtt_p50_seconds{job="watch"}', 1).values()
        self.assertTrue(0 < rtt < 0.1)
        for v in self.query('rate(sonde_ping_sent_total{job="watch"}[10s]) > 3', 2).values():
            self.assertLess(v, 8)

    def test_the_targets_that_it_asks_for(self):
        self.assertEqual(self.query('probe_success{job="probe"}', 2), {self.good: 1, self.bad: 0})
        for v in self.query('probe_duration_seconds{job="probe"}', 2).values():
            self.assertTrue(0.3 < v < 3)
        self.assertEqual(self.query('up{job="probe"}', 2), {self.good: 1, self.bad: 1})


if __name__ == "__main__":
    unittest.main()
