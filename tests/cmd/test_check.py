# SPDX-License-Identifier: MIT
"""The main job against our own server on the loopback: every phase, every format, every exit code."""

import json
import re
import signal
import sys
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from formats import FLOW_KEYS, PING_KEYS, prometheus, rows
from hostile import Hostile, answer, by_method
from program import PATIENCE, SONDE, Serve, figures, read_until, run, start

CHECK_KEYS = set("schema type version time target server ping download upload both loaded responsiveness bufferbloat expect".split())
LIMITS = (None, "network", "receiver", "sender", "client-cpu", "server", "size")

QUICK = ("--time", "200ms", "-c", "3")


# What takes long or is looked at more than once begins before the first test, side by side.
EARLY = {
    "json": ("check", *QUICK, "-f", "json"),
    "text": ("check", *QUICK),
    "ndjson": ("check", *QUICK, "-f", "ndjson"),
    "csv": ("check", *QUICK, "-f", "csv"),
    "prom": ("check", *QUICK, "-f", "prom"),
    "probes": ("check", "--only", "ping", "-f", "json"),
    **{only: ("check", *QUICK, "-f", "json", "--only", only) for only in ("ping", "download", "upload", "ping,upload")},
}


def setUpModule():
    serve, pool = Serve(addresses=("127.0.0.1", "::1")), ThreadPoolExecutor(3)
    unittest.addModuleCleanup(serve.stop)
    unittest.addModuleCleanup(pool.shutdown)
    Checked.serve = serve
    Checked.runs = {name: pool.submit(run, *args, serve.target) for name, args in EARLY.items()}


class Checked(unittest.TestCase):
    def ran(self, name):
        r = self.runs[name].result()
        self.assertEqual((r.code, r.err), (0, ""), r)
        return r

    def check(self, *args, target=None, code=0, **how):
        r = run("check", *QUICK, *args, target or self.serve.target, **how)
        self.assertEqual((r.code, r.err), (code, ""), r)
        return r


class Whole(Checked):
    """One run of everything, looked at from all sides."""

    def setUp(self):
        self.result = self.ran("json")
        self.doc = self.result.json

    def test_json_is_one_document_on_one_line_with_the_keys_of_the_contract(self):
        self.assertEqual(self.result.out.count("\n"), 1)
        self.assertEqual(set(self.doc), CHECK_KEYS)
        self.assertEqual((self.doc["schema"], self.doc["type"]), (1, "check"))
        for ping in (self.doc["ping"], self.doc["loaded"]["download"], self.doc["loaded"]["upload"]):
            self.assertLessEqual(PING_KEYS, set(ping))
        for way in ("download", "upload"):
            self.assertLessEqual(FLOW_KEYS, set(self.doc[way]))

    def test_the_target_is_what_was_asked_for(self):
        self.assertEqual(self.doc["target"], {"url": f"http://{self.serve.target}/", "host": "127.0.0.1",
            "address": "127.0.0.1", "port": self.serve.port})

    def test_the_server_is_recognized(self):
        self.assertEqual(self.doc["server"], {"kind": "sonde", "software": run("--version").out.strip()})

    def test_the_time_is_utc_as_rfc_3339_writes_it(self):
        self.assertRegex(self.doc["time"], r"\A20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\dZ\Z")

    def test_both_directions_are_measured_and_the_receiver_has_counted(self):
        for way in ("download", "upload"):
            flow = self.doc[way]
            self.assertEqual((flow["status"], flow["reason"], flow["counted_by"]), ("ok", None, "receiver"), flow)
            self.assertGreater(flow["bits_per_second"], 1e6)
            self.assertIn(flow["limited_by"], LIMITS)
            self.assertGreaterEqual(flow["connections"], 1)

    def test_both_ends_have_counted_the_same_bytes(self):
        for way in ("download", "upload"):
            flow = self.doc[way]
            self.assertEqual(flow["transferred_bytes"], flow["peer_bytes"], flow)
            self.assertGreaterEqual(flow["transferred_bytes"], flow["bytes"], flow)

    def test_the_rate_is_bytes_over_seconds(self):
        for way in ("download", "upload"):
            flow = self.doc[way]
            self.assertAlmostEqual(flow["bits_per_second"], flow["bytes"] * 8 / flow["seconds"],
                delta=flow["bits_per_second"] * 1e-6)

    def test_the_measured_part_is_no_longer_than_the_time_that_was_given(self):
        for way in ("download", "upload"):
            self.assertLess(self.doc[way]["seconds"], 0.3, self.doc[way])

    def test_pings_add_up(self):
        for ping in (self.doc["ping"], self.doc["loaded"]["download"], self.doc["loaded"]["upload"]):
            self.assertEqual(ping["sent"], ping["received"] + ping["lost"] + ping["in_flight"], ping)
            self.assertGreater(ping["received"], 0)
            self.assertLessEqual(ping["rtt_min_ms"], ping["rtt_p50_ms"] * 1.05)
            self.assertLessEqual(ping["rtt_p50_ms"], ping["rtt_p99_ms"])
            self.assertLessEqual(ping["rtt_p99_ms"], ping["rtt_max_ms"] * 1.05)
            self.assertTrue(ping["loss_ratio_low"] <= ping["loss_ratio"] <= ping["loss_ratio_high"], ping)
        self.assertEqual(self.doc["ping"]["sent"], 3)


class Phases(Checked):
    def test_text_tells_the_phases_in_their_order(self):
        r = self.ran("text")
        words = re.findall(r"(?m)^  +(ping|download|upload|beside it|verdict)  *\S", r.out)
        self.assertEqual(words[:5], ["ping", "download", "beside it", "upload", "beside it"], r)
        self.assertRegex(r.out, r"(?m)^  download +\d+(\.\d+)? [kMGT]bit/s, \d+(\.\d+)? [kMGT]B/s over ", r)
        self.assertRegex(r.out, rf"(?m)^  at {re.escape(self.serve.target)}, which is sonde \d", r)

    def test_the_word_check_may_be_left_out(self):
        r = run(*QUICK, "--only", "download", self.serve.target)
        self.assertEqual((r.code, r.err), (0, ""), r)
        self.assertRegex(r.out, r"(?m)^  download +\d", r)

    def test_options_may_follow_the_target(self):
        r = run(self.serve.target, "--only", "ping", "-c", "2", "--format=json")
        self.assertEqual((r.code, r.json["ping"]["sent"]), (0, 2), r)

    def test_only_what_was_asked_for_is_done(self):
        for only in ("ping", "download", "upload", "ping,upload"):
            doc = self.ran(only).json
            wanted = only.split(",")
            self.assertEqual(doc["ping"] is not None, "ping" in wanted, only)
            for way in ("download", "upload"):
                self.assertEqual(doc[way]["status"], "ok" if way in wanted else "skipped", only)
                self.assertEqual(doc["loaded"][way] is not None, way in wanted, only)

    def test_what_was_skipped_has_null_and_no_zero(self):
        flow = self.ran("ping").json["download"]
        self.assertEqual(figures(flow), {})

    def test_without_an_option_there_are_at_least_20_probes(self):
        r = self.ran("probes")
        self.assertGreaterEqual(r.json["ping"]["sent"], 20, r)

    def test_the_number_of_connections_may_be_given(self):
        for way in ("download", "upload"):
            doc = self.check("-f", "json", "--only", way, "--connections", "3").json
            self.assertEqual((doc[way]["status"], doc[way]["connections"]), ("ok", 3))

    def test_the_time_that_was_given_is_kept(self):
        r = self.check("--only", "download", "--time", "800ms")
        self.assertTrue(0.7 < r.seconds < 6, r)

    def test_quiet_leaves_the_result_only(self):
        r = self.check("-q", "--only", "download")
        self.assertEqual(r.out.count("download"), 1, r)
        self.assertNotIn("measures", r.out)
        self.assertNotIn("verdict", r.out)

    def test_verbose_shows_the_counts_of_both_ends(self):
        r = self.check("-v", "--only", "upload")
        ours, theirs = re.search(r"(\d+) bytes by our count, (\d+) by the server's", r.out).groups()
        self.assertEqual(ours, theirs, r)


class Targets(Checked):
    def test_an_ipv6_literal_works(self):
        doc = self.check("-f", "json", "--only", "ping,download", target=f"[::1]:{self.serve.port}").json
        self.assertEqual((doc["target"]["address"], doc["download"]["status"]), ("::1", "ok"))
        self.assertEqual(doc["target"]["url"], f"http://[::1]:{self.serve.port}/")

    def test_a_name_works_and_the_address_that_answered_is_told(self):
        doc = self.check("-f", "json", "--only", "download", "-4", target=f"localhost:{self.serve.port}").json
        self.assertEqual((doc["target"]["host"], doc["target"]["address"]), ("localhost", "127.0.0.1"))

    def test_a_url_without_a_path_is_the_same(self):
        doc = self.check("-f", "json", "--only", "download", target=f"http://127.0.0.1:{self.serve.port}").json
        self.assertEqual(doc["server"]["kind"], "sonde")

    def test_a_named_path_of_a_sonde_is_a_file_like_any_other(self):
        doc = self.check("-f", "json", "--only", "download", "--path", "/down?bytes=50000000").json
        self.assertEqual((doc["server"]["kind"], doc["download"]["status"]), ("file", "ok"))

    def test_a_redirect_to_another_port_is_followed(self):
        elsewhere = answer("302 Found", f"Location: http://127.0.0.1:{self.serve.port}/down?bytes=10000000")
        with Hostile(by_method(GET=elsewhere, HEAD=elsewhere)) as s:
            doc = self.check("-f", "json", "--only", "download", target=s.url + "/file").json
        self.assertEqual((doc["target"]["port"], doc["download"]["status"]), (self.serve.port, "ok"))

    def test_quotes_and_commas_in_a_path_stay_inside_their_cell(self):
        with Hostile(by_method(GET=answer("200 OK", body=b"x" * 1000000))) as s:
            url = s.url + "/a\"b,c'd;e\\f{g}=1"
            self.assertEqual(self.check("-f", "json", "--only", "download", target=url).json["target"]["url"], url)
            self.assertEqual(rows(self.check("-f", "csv", "--only", "download", target=url).out)[0]["url"], url)
            self.assertIn(url, self.check("--only", "download", target=url).out)


class Formats(Checked):
    def test_every_line_of_ndjson_is_a_document_and_the_result_is_the_last(self):
        lines = self.ran("ndjson").lines
        self.assertTrue(all(line["schema"] == 1 for line in lines))
        self.assertEqual(lines[-1]["type"], "check")
        self.assertEqual({line["type"] for line in lines[:-1]}, {"probe", "progress"})

    def test_a_line_of_ndjson_tells_which_phase_the_probes_after_it_belong_to(self):
        lines = self.ran("ndjson").lines
        begun = [i for i, line in enumerate(lines) if line["type"] == "progress" and line["seconds"] == 0]
        self.assertEqual([lines[i] for i in begun], [{"schema": 1, "type": "progress", "phase": phase,
            "bits_per_second": None, "seconds": 0, "rtt_ms": None} for phase in ("ping", "download", "upload")])
        self.assertEqual(begun[0], 0)
        self.assertEqual({line["type"] for line in lines[1:begun[1]]}, {"probe"})
        for phase, first, last in (("download", *begun[1:]), ("upload", begun[2], -1)):
            self.assertEqual({line["phase"] for line in lines[first:last] if line["type"] == "progress"}, {phase})
            self.assertIn("probe", {line["type"] for line in lines[first:last]})

    def test_ndjson_comes_as_it_happens(self):
        with start("check", "--time", "1s", "--only", "ping,download", "-c", "5", "-f", "ndjson",
            self.serve.target) as p:
            _, text = read_until(p.stdout, r"\n")
            self.assertIsNone(p.poll(), "the first line waits for the last")
            json.loads(text.splitlines()[0])
            p.communicate(timeout=PATIENCE)

    def test_text_comes_phase_by_phase(self):
        with start("check", "--time", "1s", "--only", "ping,download", "-c", "3", self.serve.target) as p:
            read_until(p.stdout, r"\n  ping ")
            self.assertIsNone(p.poll(), "all came at the end")
            p.communicate(timeout=PATIENCE)

    def test_csv_has_one_header_and_one_row_of_the_same_width(self):
        row, = rows(self.ran("csv").out)
        self.assertEqual((row["server"], row["download_status"], row["upload_status"]), ("sonde", "ok", "ok"))
        self.assertGreater(int(row["download_bits_per_second"]), 1000000)
        self.assertGreater(float(row["ping_rtt_p50_ms"]), 0)

    def test_csv_and_json_have_the_same_names(self):
        row, doc = rows(self.ran("csv").out)[0], self.ran("json").json
        for prefix, keys in (("ping_", doc["ping"]), ("download_", doc["download"]), ("upload_", doc["upload"])):
            # A list has no cell.
            self.assertLessEqual({prefix + key for key, v in keys.items() if not isinstance(v, list)}, set(row))

    def test_a_cell_of_what_was_not_measured_is_empty(self):
        row, = rows(self.check("-f", "csv", "--only", "ping").out)
        self.assertEqual({v for k, v in row.items() if k.startswith(("download_", "upload_"))} - {"skipped"}, {""})
        row, = rows(self.check("-f", "csv", "--only", "download").out)
        self.assertEqual({k: v for k, v in row.items() if k.startswith("ping_") and v not in ("", "none")}, {})

    def test_prometheus_can_read_it(self):
        samples = prometheus(self.ran("prom").out)
        self.assertGreater(samples["sonde_check_flow_bits_per_second", (("direction", "download"),)], 1e6)
        self.assertGreater(samples["sonde_check_flow_bits_per_second", (("direction", "upload"),)], 1e6)
        loads = {dict(labels)["load"] for name, labels in samples if name == "sonde_check_ping_sent_total"}
        self.assertEqual(loads, {"none", "download", "upload"})

    def test_prometheus_gets_no_sample_of_what_was_not_measured(self):
        samples = prometheus(self.check("-f", "prom", "--only", "ping").out)
        self.assertEqual([name for name, _ in samples if "_flow_" in name], [])


class Expectations(Checked):
    def test_what_is_met_is_0_and_what_is_missed_is_4_and_says_by_how_much(self):
        r = self.check("--only", "download", "--expect", "download>=1M")
        self.assertRegex(r.out, r"(?m)^  expect +download>=1M: met, ")
        r = self.check("--only", "download", "--expect", "download>=1M", "--expect", "download>900T", code=4)
        self.assertRegex(r.out, r"(?m)^  expect +download>900T: missed, .* too low$")

    def test_what_was_not_measured_is_missed(self):
        r = self.check("--only", "download", "--expect", "upload>1", code=4)
        self.assertRegex(r.out, r"(?m)^  expect +upload>1: not measured$")

    def test_expectations_stand_in_json_and_what_was_missed_is_said_to_people_too(self):
        r = run("check", *QUICK, "-f", "json", "--only", "ping", "--expect", "loss<1%", "--expect", "rtt<1ns",
            self.serve.target)
        self.assertEqual(r.code, 4, r)
        self.assertEqual([(e["expression"], e["met"]) for e in r.json["expect"]],
            [("loss<1%", True), ("rtt<1ns", False)])
        self.assertRegex(r.err, r"(?m)^  expect +rtt<1ns: missed, .* too high$")


class Signals(Checked):
    """One interrupt ends the run and prints what there is."""

    def interrupted(self, sig, when, *args):
        with start("check", "--time", "20s", "-c", "3", *args, self.serve.target) as p:
            _, text = read_until(p.stdout, when)
            time.sleep(0.5)
            began = time.monotonic()
            p.send_signal(sig)
            out, err = p.communicate(timeout=PATIENCE)
            self.assertLess(time.monotonic() - began, 5)
            return p.returncode, text + out.decode(), err.decode()

    def test_an_interrupted_download_is_told_as_far_as_it_went(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            code, out, err = self.interrupted(sig, r"\n  ping ")
            self.assertEqual((code, err), (0, ""), out)
            self.assertRegex(out, r"(?m)^  download +\d.*bit/s")

    def test_an_interrupted_run_still_writes_its_document(self):
        code, out, err = self.interrupted(signal.SIGINT, r'"download","bits_per_second":\d', "-f", "ndjson")
        self.assertEqual((code, err), (0, ""), out)
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([line["phase"] for line in lines if line["type"] == "progress" and not line["seconds"]],
            ["ping", "download"])
        last = lines[-1]
        self.assertEqual((last["type"], last["download"]["status"], last["upload"]["status"]),
            ("check", "ok", "skipped"))

    def test_an_interrupt_before_anything_was_measured_is_130(self):
        with Hostile(lambda c: c.stall()) as s, start("check", "-W", "20s", s.target) as p:
            time.sleep(0.5)
            p.send_signal(signal.SIGINT)
            out, err = p.communicate(timeout=PATIENCE)
        self.assertEqual((p.returncode, out), (130, b""), err)


class Cost(Checked):
    @unittest.skipIf(b"__asan_init" in Path(SONDE).read_bytes(), "a sanitizer's memory says nothing")
    def test_a_check_stays_under_4_MB_of_resident_memory(self):
        with start("check", "--time", "600ms", "-c", "3", self.serve.target) as p:
            peak = 0
            while p.poll() is None:
                try:
                    status = Path(f"/proc/{p.pid}/status").read_text()
                except OSError:
                    break
                if "Name:\tsonde" in status and "VmHWM" in status:
                    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
                time.sleep(0.02)
            out, _ = p.communicate(timeout=PATIENCE)
        self.assertEqual(p.returncode, 0, out)
        self.assertTrue(0 < peak < 4096, f"{peak} kB")


if __name__ == "__main__":
    unittest.main()
