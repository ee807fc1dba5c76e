#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""health.py PROGRAM CAPTURES [FILE ...]: TCP health of the program's flows beside tshark's
tcp.analysis, by connection.

Compared are, for each pair of ends of a file, the sums of: retransmissions (fast and spurious
ones among them), out-of-order segments, repeated ACKs, zero windows, holes, ACKs for what was not
seen, keep-alives.  Definitions differ in part (src/flow/tcp_analysis.c): health.tsv has, for each
count, in how many connections the two may differ, and why.  With files named, every difference is
told and none fails.  Skipped (77) without tshark or captures."""

import collections
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TIMEOUT_S = 120
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
FIELDS = ["ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport"] + [
    "tcp.analysis." + name for name in COUNTS.values()
]


def tshark(path):
    """{ends: {count: n}} of the packets that have one TCP header and no tunnel."""
    command = [
        "tshark",
        "-r",
        path,
        "-n",
        "-Y",
        "tcp && !icmp && !icmpv6",
        "-T",
        "fields",
        "-E",
        "separator=/t",
        "-o",
        "tcp.analyze_sequence_numbers:TRUE",
    ]
    for field in FIELDS:
        command += ["-e", field]
    text = subprocess.run(
        command, capture_output=True, timeout=TIMEOUT_S, check=False, text=True, errors="replace"
    ).stdout
    found, odd = {}, set()
    for line in text.splitlines():
        v = line.split("\t")
        if len(v) != len(FIELDS):
            raise ValueError(f"tshark printed {line!r}")
        source, target = (v[0], v[1]) if v[0] else (v[2], v[3])
        if any("," in x for x in v[:6]) or (v[0] and v[2]):
            odd.add("tunnels")
            continue
        ends = tuple(sorted((f"{source} {v[4]}", f"{target} {v[5]}")))
        counts = found.setdefault(ends, collections.Counter())
        for name, value in zip(COUNTS, v[6:]):
            counts[name] += bool(value)
    return found, odd


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
                "-q",
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


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, captures, wanted = os.path.abspath(sys.argv[1]), sys.argv[2], set(sys.argv[3:])
    index = os.path.join(captures, "index.tsv")
    if not os.path.exists(index) or not shutil.which("tshark"):
        print(
            f"skipped: no captures at {captures}"
            if not os.path.exists(index)
            else "skipped: tshark is not installed"
        )
        sys.exit(77)
    with open(index, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines][1:]
    names = [r[0] for r in rows if (r[0] in wanted if wanted else int(r[2]) <= MOST_PACKETS)]

    def one(name):
        path = os.path.join(captures, name)
        try:
            theirs, odd = tshark(path)
            return (
                ({}, {}, None)
                if odd or not theirs
                else (theirs, program_flows(program, path), None)
            )
        except (ValueError, KeyError, OSError, subprocess.SubprocessError) as e:
            return {}, {}, repr(e)

    sums, same, both, wrong = collections.Counter(), collections.Counter(), 0, []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, (theirs, ours, error) in zip(names, pool.map(one, names)):
            if error:
                wrong.append(f"{name}: {error}")
            for ends in sorted(set(theirs) & set(ours)):
                both += 1
                for count in COUNTS:
                    a, b = ours[ends][count], theirs[ends][count]
                    same[count] += a == b
                    sums[count, "ours"] += a
                    sums[count, "theirs"] += b
                    if a != b and wanted:
                        print(f"{name}\t{ends[0]} - {ends[1]}\t{count}\tbpfengine {a}, tshark {b}")
    print(f"{both} connections in {len(names)} files")
    limits = {}
    with open(
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "health.tsv"), encoding="utf-8"
    ) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                count, most, _ = line.rstrip("\n").split("\t")
                limits[count] = int(most)
    failed = bool(wrong)
    for line in wrong:
        print(line)
    for count in COUNTS:
        differ = both - same[count]
        bad = not wanted and differ > limits[count]
        failed += bad
        print(
            f"{count:26} bpfengine {sums[count, 'ours']:6} tshark {sums[count, 'theirs']:6}  {differ} connections differ{' (more than health.tsv allows)' if bad else ''}"
        )
    print(f"{len(COUNTS) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not both else 0)


if __name__ == "__main__":
    main()
