#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""merge.py PROGRAM CAPTURES [PAIRS]: savefiles read together are what mergecap makes of them.

Groups of two to four files are drawn from CAPTURES/index.tsv.  Of each group mergecap writes one
file.  The program prints each packet of the group, read by several -r, and of mergecap's file:
time, bytes and length must be equal, packet by packet.  tshark reads mergecap's file for every
tenth group, so that the order is not our reader's alone.  Ends with "N passed, N failed"; exit
code 77: there is no mergecap, or there are no captures."""

import concurrent.futures
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

TIMEOUT_S = 550
SEED = 24
LARGEST = 1 << 20  # bytes of a capture
KEYS = ("time", "captured_length", "wire_length", "bytes")


def print_packets(program, files):
    """The packets as (time, captured, length, hex); the exit code; the messages."""
    words = [word for file in files for word in ("-r", file)]
    run = subprocess.run(
        [program, *words, "--print=json", "--nano", "-xx", "--quiet", "--no-flows"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_S,
    )
    packets = []
    for line in run.stdout.splitlines():
        packet = json.loads(line)
        packets.append(tuple(packet.get(k) for k in KEYS))
    return packets, run.returncode, run.stderr.decode("utf-8", "replace")


def order_ties(packets):
    """The packets, with those of the same time sorted: mergecap begins with the last file, and the
    program with the first."""
    groups = itertools.groupby(packets, key=lambda packet: packet[0])
    return [packet for _, group in groups for packet in sorted(group)]


def merge(files, to):
    """Whether mergecap takes the files."""
    run = subprocess.run(
        ["mergecap", "-F", "pcapng", "-w", to, *files], capture_output=True, timeout=TIMEOUT_S
    )
    return run.returncode == 0


def judge_by_tshark(path, packets):
    """None, or what tshark sees otherwise."""
    fields = [
        word for f in ("frame.time_epoch", "frame.cap_len", "frame.len") for word in ("-e", f)
    ]
    run = subprocess.run(
        ["tshark", "-n", "-r", path, "-T", "fields", *fields],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    lines = run.stdout.splitlines()
    if len(lines) != len(packets):
        return f"tshark has {len(lines)} packets, not {len(packets)}"
    lengths = [tuple(map(int, line.split("\t")[1:])) for line in lines]
    return None if lengths == [p[1:3] for p in packets] else "tshark has another order"


def try_group(program, number, files):
    """(verdict, text): "passed", "failed", or "left" for files that mergecap does not take."""
    with tempfile.TemporaryDirectory() as folder:
        merged = os.path.join(folder, "merged.pcapng")
        for file in files:
            if not merge([file], merged):
                return "left", ""
            if print_packets(program, [file])[:2] != (print_packets(program, [merged])[0], 0):
                return "left", ""
        if not merge(files, merged):
            return "left", ""
        ours, code, error = print_packets(program, files)
        theirs, their_code, their_error = print_packets(program, [merged])
        names = " ".join(map(os.path.basename, files))
        if code or their_code:
            return "failed", f"{names}: exit codes {code} and {their_code}: {error}{their_error}"
        ours, theirs = order_ties(ours), order_ties(theirs)
        if ours != theirs:
            at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), -1)
            one = (ours[at], theirs[at]) if at >= 0 else (len(ours), len(theirs))
            return "failed", f"{names}: packet {at} of {len(ours)}: {str(one)[:300]}"
        if number % 10 == 0 and shutil.which("tshark"):
            wrong = judge_by_tshark(merged, print_packets(program, [merged])[0])
            if wrong:
                return "failed", f"{names}: {wrong}"
    return "passed", f"{len(ours)}"


def list_captures(folder):
    """Paths of the whole captures that are not too large."""
    with open(os.path.join(folder, "index.tsv"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    paths = [os.path.join(folder, row[0]) for row in rows]
    return [p for p in paths if os.path.isfile(p) and 0 < os.path.getsize(p) <= LARGEST]


def main():
    program, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    groups = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    if not shutil.which("mergecap") or not os.path.exists(os.path.join(folder, "index.tsv")):
        print("there is no mergecap, or there are no captures")
        return 77
    paths = list_captures(folder)
    draw = random.Random(SEED)
    drawn = [draw.sample(paths, draw.choice((2, 2, 3, 4))) for _ in range(groups)]
    counts = {"passed": 0, "failed": 0, "left": 0}
    packets = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda n: try_group(program, n, drawn[n]), range(groups))
        for verdict, text in results:
            counts[verdict] += 1
            packets += int(text) if verdict == "passed" else 0
            if verdict == "failed":
                print("FAILED", text)
    print(f"{packets} packets in the same order; mergecap does not take {counts['left']} groups")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] or counts["passed"] < groups // 3 else 0


sys.exit(main())
