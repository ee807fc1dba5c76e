#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""spread.py PROGRAM CAPTURES: flow records of real captures do not depend on the spread.

Each third capture of at most a megabyte is read with 3 workers, by flow, by host, by VLAN id and by
tunnel.  All records must be the same but for the worker's number.  Exit code 77: there are no
captures."""

import os
import re
import subprocess
import sys

MOST_BYTES = 1000000


def records(program, path, spread):
    p = subprocess.run(
        [
            program,
            "-r",
            path,
            "--quiet",
            "--seed",
            "1",
            "--no-names",
            "--workers",
            "3",
            "--spread",
            spread,
        ]
        + ["--flows", "-"],
        capture_output=True,
        timeout=600,
    )
    return sorted(re.sub(rb'"worker":\d+', b"", line) for line in p.stdout.splitlines())


def main():
    program, captures = sys.argv[1:3]
    paths = []
    for folder, _, names in os.walk(captures, followlinks=True):
        paths += [os.path.join(folder, name) for name in names if "cap" in name]
    paths = sorted(p for p in paths if os.path.getsize(p) <= MOST_BYTES)[::3]
    if not paths:
        print(f"SKIP: no captures in {captures}")
        sys.exit(77)
    passed = failed = lines = 0
    for path in paths:
        whole = records(program, path, "flow")
        lines += len(whole)
        for spread in ("host", "vlan", "tunnel"):
            if records(program, path, spread) == whole:
                passed += 1
            else:
                failed += 1
                print(f"FAILED {path}: other records with --spread {spread}")
    print(f"{lines} records of {len(paths)} captures")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0 or not lines)


main()
