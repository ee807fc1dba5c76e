#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TCP health of the program's flows beside tshark's tcp.analysis, by connection; run by tshark.py.

Compared are, for each pair of ends of a file, the sums of: retransmissions (fast and spurious
ones among them), out-of-order segments, repeated ACKs, zero windows, holes, ACKs for what was not
seen, keep-alives.  Definitions differ in part (src/flow/tcp_analysis.c): health.tsv has, for each
count, in how many connections the two may differ, and why.  With files named, every difference is
told and none fails."""

import collections
import json
import os
import subprocess
import tempfile

TIMEOUT_S = 550
MOST_PACKETS = 20000
COUNTS = {
    "retransmissions": "retransmission",
    "out_of_order": "out_of_order",
    "repeated_acks": "duplicate_ack",
    "zero_windows": "zero_window",
    "lost_segments": "lost_segment",
    "unseen_acks": "ack_lost_segment",
    "keep_alives": "keep_alive",
    "fast_retransmissions": "fast_retransmission",
    "spurious_retransmissions": "spurious_retransmission",
}


def connections(words):
    """{ends: {count: n}} of the packets that have one TCP header and no tunnel; None of a capture
    with tunnels."""
    found = {}
    for f in words.rows:
        if not f["tcp.srcport"] or f["icmp.type"] or f["icmpv6.type"]:
            continue
        source, target = f["ip.src"] or f["ipv6.src"], f["ip.dst"] or f["ipv6.dst"]
        ports = f["tcp.srcport"], f["tcp.dstport"]
        if any("," in x for x in (source, target, *ports)) or (f["ip.src"] and f["ipv6.src"]):
            return None
        ends = tuple(sorted((f"{source} {ports[0]}", f"{target} {ports[1]}")))
        counts = found.setdefault(ends, collections.Counter())
        for name, theirs in COUNTS.items():
            counts[name] += bool(f["tcp.analysis." + theirs])
    return found


def program_flows(program, path):
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as out:
        run = subprocess.run(
            [
                program,
                "-r",
                path,
                "--flows",
                out.name,
                "--flow-idle",
                "1000000000",
                "--flow-closed",
                "1000000000",
                "--duplicates",
                "ignore",
                "--seed",
                "1",
                "--quiet",
            ],
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            text=True,
        )
        if (
            run.returncode not in (0, 1)
            or "Sanitizer" in run.stderr
            or "runtime error" in run.stderr
        ):
            raise ValueError(f"exit code {run.returncode}: {run.stderr[:1000]}")
        lines = [json.loads(line) for line in out]
    flows = {}
    for r in lines:
        if r["proto"] != "tcp":
            continue
        counts = flows.setdefault(
            tuple(sorted((f"{r['src']} {r['sport']}", f"{r['dst']} {r['dport']}"))),
            collections.Counter(),
        )
        for name in COUNTS:
            counts[name] += sum(r.get(name, (0, 0)))
    return flows


def compare(program, path, words):
    """Connections by tshark and by the program, {} and {} of a capture with tunnels."""
    theirs = connections(words)
    return (theirs, program_flows(program, path)) if theirs else ({}, {})


def allowed():
    """{count: in how many connections it may differ}"""
    limits = {}
    with open(
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "health.tsv"), encoding="utf-8"
    ) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                count, most, _ = line.rstrip("\n").split("\t")
                limits[count] = int(most)
    return limits


def report(results, wanted):
    """Prints what differs of [(file, tshark's connections, the program's)], for files that are
    wanted by name each difference; returns (passed, failed)."""
    sums, same, both = collections.Counter(), collections.Counter(), 0
    for name, theirs, ours in results:
        for ends in sorted(set(theirs) & set(ours)):
            both += 1
            for count in COUNTS:
                a, b = ours[ends][count], theirs[ends][count]
                same[count] += a == b
                sums[count, "ours"] += a
                sums[count, "theirs"] += b
                if a != b and wanted:
                    print(f"{name}\t{ends[0]} - {ends[1]}\t{count}\tbpfengine {a}, tshark {b}")
    print(f"{both} connections in {len(results)} files")
    limits, failed = allowed(), 0
    for count in COUNTS:
        differ = both - same[count]
        bad = not wanted and differ > limits[count]
        failed += bad
        print(
            f"{count:26} bpfengine {sums[count, 'ours']:6} tshark {sums[count, 'theirs']:6}  "
            f"{differ} connections differ{' (more than health.tsv allows)' if bad else ''}"
        )
    return len(COUNTS) - failed, failed + (not both)
