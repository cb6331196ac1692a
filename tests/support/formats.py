# SPDX-License-Identifier: MIT
"""Readers of what sonde writes for machines: as strict as the strictest program that may read it."""

import csv
import io
import re

# The names that the contract promises; more may come.
PING_KEYS = set("""target address method stamps sent received lost late duplicates reordered corrupt errors local_drops
    loss_ratio loss_ratio_low loss_ratio_high rtt_min_ms rtt_mean_ms rtt_max_ms rtt_mdev_ms rtt_p50_ms rtt_p90_ms
    rtt_p99_ms jitter_ms ipdv_p99_ms host_queue_p50_ms seconds there_lost there_loss_ratio there_queue_p50_ms
    there_queue_p99_ms back_lost back_loss_ratio back_queue_p50_ms back_queue_p99_ms""".split())
FLOW_KEYS = set("""status reason bits_per_second bytes seconds connections stable spread_ratio counted_by limited_by
    retransmits congestion_control cpu_seconds_per_gigabyte""".split())

_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
_LABEL = rf'{_NAME}="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_LABEL}(?:,{_LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?|NaN|[+-]Inf)")

# Base units (prometheus.io/docs/practices/naming), and what has none.
_SUFFIXES = ("_total", "_seconds", "_ratio", "_bytes", "_bits_per_second", "_connections", "_stable", "_retransmits",
    "_cpu_seconds_per_gigabyte",
    "_flow_seconds", "_flow_bytes", "_loss_run_max", "_trace_reached", "_trace_hops", "_http_status")


def prometheus(text):
    """The samples of an exposition as {(name, labels): value}; raises where a scraper would, or where a unit is odd."""
    samples, about, done, current = {}, {}, set(), None
    if not text.endswith("\n"):
        raise ValueError("does not end in a line feed")
    for line in text.splitlines():
        if line.startswith("# "):
            word, name, rest = line[2:].split(" ", 2)
            if word not in ("HELP", "TYPE") or (name, word) in about or not rest:
                raise ValueError(f"odd comment {line!r}")
            about[name, word] = rest
            continue
        found = _SAMPLE.fullmatch(line)
        if not found:
            raise ValueError(f"no sample: {line!r}")
        name, labels, value = found.groups()
        if (name, "HELP") not in about or about.get((name, "TYPE")) not in ("gauge", "counter"):
            raise ValueError(f"no HELP and TYPE before {name}")
        if (about[name, "TYPE"] == "counter") != name.endswith("_total") or not name.endswith(_SUFFIXES):
            raise ValueError(f"{name} is a {about[name, 'TYPE']} by its comment only")
        if name != current:
            if name in done:
                raise ValueError(f"{name} stands in two places")
            done.add(name)
            current = name
        key = name, tuple(sorted(re.findall(rf'({_NAME})="((?:[^"\\]|\\.)*)"', labels or "")))
        if key in samples:
            raise ValueError(f"{key} twice")
        samples[key] = float(value)
    return samples


def rows(text):
    """A csv document as a list of dictionaries; raises where a row is longer or shorter than the header."""
    lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    head = lines[0]
    if len(set(head)) != len(head):
        raise ValueError("a column has the name of another")
    for line in lines[1:]:
        if len(line) != len(head):
            raise ValueError(f"{len(line)} cells under {len(head)} names: {line}")
    return [dict(zip(head, line)) for line in lines[1:]]
