#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""push.py PROGRAM PUSH CAPTURES: packets that a program pushes, and savefiles in memory, give the
flows and the books that the program gives of the file.

PUSH is the program of push.c.  Every third file of CAPTURES/index.tsv goes through each of its
ways.  Without packets' times, and where the clocks of interfaces step, flows of the file may
depend on which packets lie in one block: there the books alone are compared.  Ends with "N passed,
N failed"; exit code 77: there are no captures."""

import json
import os
import subprocess
import sys
import tempfile

WAYS = ("ahead", "stream", "workers", "memory", "capture")
# What a source counts by itself, what depends on blocks, and what is no count of packets.
OWN = (
    "kernel.",
    "source.",
    "packets_per_second",
    "bits_per_second",
    "elapsed",
    "batches",
    "blocks",
    "waits",
    "block_",
    "empty_reads",
    "reader.",
    "workers",
    "flows.bytes",
    "flows.peak",
)


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def flows(lines, workers):
    """The records without what a pushed packet tells differently."""
    out = []
    for line in lines:
        record = json.loads(line)
        record.pop(
            "interface_id", None
        )  # of a pcap file there is none; pushed, the number is known
        if "interface" in record:  # struct bpe_meta has room for 24 bytes of a name
            record["interface"] = record["interface"][:24]
        if workers:
            record.pop("worker", None)
        out.append(json.dumps(record, sort_keys=True))
    return sorted(out)


def value_of(report, key):
    for part in key.split("."):
        report = report.get(part) if isinstance(report, dict) else None
    return report


def wrong_books(report, books):
    wrong = []
    for key, value in books.items():
        if "." not in key or key.startswith(OWN) or any(part in key for part in OWN):
            continue
        expected = value_of(report, key)
        if isinstance(expected, int) and not isinstance(expected, bool) and expected != value:
            wrong.append(f"{key} is {value}, of the file {expected}")
    return wrong


def compare(reference, way, lines):
    """What is wrong with a way's output; [] if nothing."""
    report, records = reference
    if way == "capture":
        read = report["packets"]["read"]
        return [] if lines == [str(read)] else [f"{lines} packets, of the file {read}"]
    books = json.loads(lines[-1])
    wrong = wrong_books(report, books)
    if books["timeless"]:
        wrong = [w for w in wrong if "ns" not in w and "time" not in w]
    if way != "memory":
        read = books["packets.read"]
        if (books["kernel_received"], books["kernel_dropped"]) != (read, 0):
            wrong.append("not every packet that was taken was read")
        if books["pushed"] != read:
            wrong.append(f"{books['pushed']} packets pushed, {read} read")
    steps = books.get("flows.time_steps", 0)
    if way != "memory" and (books["timeless"] or (steps and way != "ahead")):
        return wrong
    if flows(lines[:-1], way == "workers") != flows(records, way == "workers"):
        wrong.append("the flows differ")
    return wrong


def reference_of(program, path, folder):
    out = os.path.join(folder, "flows")
    p = run([program, "-r", path, "--quiet", "--json", "--seed", "1", "--no-names", "--flows", out])
    with open(out, encoding="utf-8") as file:
        return json.loads(p.stdout), file.read().splitlines()


def main():
    program, push, captures = sys.argv[1:4]
    index = os.path.join(captures, "index.tsv")
    if not os.path.exists(index):
        print(f"SKIP: no captures at {captures}")
        sys.exit(77)
    with open(index, encoding="utf-8") as file:
        names = [line.split("\t")[0] for line in file][1::3]
    passed = failed = records = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            path = os.path.join(captures, name)
            reference = reference_of(program, path, folder)
            records += len(reference[1])
            for way in WAYS:
                p = run([push, way, path])
                wrong = [f"exit code {p.returncode}: {p.stderr}"]
                if not p.returncode:
                    wrong = compare(reference, way, p.stdout.splitlines())
                passed += not wrong
                failed += bool(wrong)
                if wrong:
                    print(f"FAILED {name}, {way}: {'; '.join(wrong)}")
    print(f"{records} records of {len(names)} captures")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0 or not records)


main()
