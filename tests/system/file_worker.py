#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""file_worker.py PROGRAM: a large savefile has a worker by default, and the same records without.

The worker is there if the file has 16 MiB, the process may use two cores, and nothing needs the
packets in their order.  Ends with "N passed, N failed"."""

import json
import os
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1])
LEAST_BYTES = 16 << 20
WAIT = 600
passed = failed = 0


def check(good, what):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("FAILED:", what)


def run(*words, **options):
    p = subprocess.run([PROGRAM, *words], capture_output=True, timeout=WAIT, **options)
    assert p.returncode == 0, (words, p.stderr)
    return p.stdout


def count_workers(*words, **options):
    return len(json.loads(run(*words, "--json", "--quiet", **options))["workers"])


def make_savefile(path, packets):
    source = f"synth:count={packets},flows=3000,seed=4"
    run("-i", source, "--no-flows", "--quiet", "-w", path)
    return os.path.getsize(path)


def main():
    may_choose = hasattr(os, "sched_setaffinity")
    cores = len(os.sched_getaffinity(0)) if may_choose else os.cpu_count()
    expected = 1 if cores > 1 else 0
    with tempfile.TemporaryDirectory() as where:
        large, small = where + "/large.pcapng", where + "/small.pcapng"
        assert make_savefile(large, 70000) >= LEAST_BYTES
        assert make_savefile(small, 20000) < LEAST_BYTES
        n = count_workers("-r", large)
        check(n == expected, f"{n} workers for a large file on {cores} cores")
        for more in (["--workers", "0"], ["--no-flows"], ["--stats-interval", "1"]):
            n = count_workers("-r", large, *more)
            check(n == 0, f"{n} workers with {' '.join(more)}")
        check(count_workers("-r", small) == 0, "a worker for a small file")
        check(run("-r", large, "-c", "5", "--print").count(b"\n") == 5, "five packets printed")
        if may_choose:
            one = {min(os.sched_getaffinity(0))}
            n = count_workers("-r", large, preexec_fn=lambda: os.sched_setaffinity(0, one))
            check(n == 0, f"{n} workers for a large file on one core")
        records = []
        for more in ([], ["--workers", "0"], ["--workers", "1"]):
            path = f"{where}/{len(records)}.json"
            run("-r", large, "--seed", "1", "--flows", path, "--quiet", *more)
            with open(path, "rb") as f:
                records.append(f.read())
        check(records[0].count(b"\n") >= 3000, "records of all flows")
        check(records[0] == records[1] == records[2], "records differ by the number of workers")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
