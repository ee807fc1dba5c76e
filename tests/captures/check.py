#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check.py PROGRAM CAPTURES: every file of CAPTURES/index.tsv through the program, mapped, by
pipe and (every eighth) with two workers: the same packets and bytes as libpcap reads, nothing
dropped, no error, nothing that a sanitizer has to say.  Files that libpcap cannot read whole
stand in CAPTURES/beyond_libpcap.tsv, with packets and bytes on the wire alone. Ends with "N
passed, N failed"; exit code 77 (skipped) if the captures are not there."""

import concurrent.futures
import json
import os
import subprocess
import sys

TIMEOUT_S = 120
SANITIZERS = ("Sanitizer", "runtime error:", "SUMMARY:")


def rows(captures):
    with open(os.path.join(captures, "index.tsv"), encoding="utf-8") as index:
        next(index)
        for line in index:
            yield line.rstrip("\n").split("\t")


def beyond(captures):
    """The same of files that libpcap cannot read whole; "?" is what is not told of them."""
    path = os.path.join(captures, "beyond_libpcap.tsv")
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as table:
        for line in table:
            name, packets, wire = line.rstrip("\n").split("\t")
            yield [name, "?", packets, "?", wire]


def wrong_report(report, linktype, packets, captured, wire):
    """What in the report differs from the index; [] if nothing."""
    wrong = []

    def expect(what, is_, should):
        if is_ != should:
            wrong.append(f"{what} is {is_!r}, not {should!r}")

    counts = report["packets"]
    dropped = sum(counts["dropped"].values())
    expect("schema", report["schema"], "bpfengine.report/1")
    expect("packets.read", counts["read"], packets)
    expect("sum of packets.dropped", dropped, 0)
    expect("delivered + dropped", counts["delivered"] + dropped, counts["read"])
    if captured is not None:
        expect("bytes.captured", report["bytes"]["captured"], captured)
    expect("bytes.wire", report["bytes"]["wire"], wire)
    expect(
        "packets of all protocols", sum(p["packets"] for p in report["protocols"].values()), packets
    )
    expect("bytes of all protocols", sum(p["bytes"] for p in report["protocols"].values()), wire)
    if report["workers"]:  # none: all is done by the thread that reads
        expect("packets of all workers", sum(w["packets"] for w in report["workers"]), packets)
    flows = report["flows"]
    expect(
        "flows active + ended + evicted",
        flows["active"] + flows["ended"] + flows["evicted"],
        flows["opened"],
    )
    expect("error", report["error"], None)
    if "linktype" in report and linktype != "?":
        expect("linktype", report["linktype"], linktype)
    return wrong


def check(program, captures, row, options, piped):
    """One run.  None if good, else a line that says what is wrong."""
    name, linktype, packets, wire = row[0], row[1], int(row[2]), int(row[4])
    captured = None if row[3] == "?" else int(row[3])
    path = os.path.join(captures, name)
    command = [program, "-r", "-" if piped else path, "--json", "--quiet"] + options
    told = f"{name}{' by pipe' if piped else ''} {' '.join(options)}".rstrip()
    data = None
    if piped:
        with open(path, "rb") as file:
            data = file.read()
    try:
        run = subprocess.run(
            command,
            input=data,
            stdin=None if piped else subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{told}: did not end within {TIMEOUT_S} s"
    errors = run.stderr.decode(errors="replace")
    if any(word in errors for word in SANITIZERS):
        return f"{told}: a sanitizer speaks:\n{errors[:3000]}"
    if run.returncode != 0:
        return f"{told}: exit code {run.returncode}: {errors[:500].strip()}"
    try:
        wrong = wrong_report(json.loads(run.stdout), linktype, packets, captured, wire)
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        return f"{told}: no report as it should be: {e!r}: {run.stdout[:300]!r}"
    return f"{told}: {'; '.join(wrong)}" if wrong else None


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, captures = os.path.abspath(sys.argv[1]), sys.argv[2]
    if not os.path.exists(os.path.join(captures, "index.tsv")):
        print(f"skipped: no captures at {captures}")
        sys.exit(77)
    work = []
    for i, row in enumerate([*rows(captures), *beyond(captures)]):
        work.append((row, [], False))
        work.append((row, [], True))
        if i % 8 == 0:
            work.append((row, ["--workers", "2"], False))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda w: check(program, captures, *w), work))
    for line in filter(None, results):
        print(line)
    failed = sum(r is not None for r in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not results else 0)


if __name__ == "__main__":
    main()
