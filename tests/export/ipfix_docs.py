#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ipfix_docs.py PROGRAM WRITER: the tables of elements in docs/ipfix.md are those of the encoder.
Ends with "N passed, N failed"."""

import os
import re
import subprocess
import sys

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "ipfix.md")
ROW = re.compile(r"\| (IANA|own|\d+) \| (\d+) \| (\d+|v) \| (\w+) \|")
PENS = {"0": "IANA", "4294967295": "own"}


def main():
    run = subprocess.run(
        [sys.argv[2], "--elements"], capture_output=True, text=True, timeout=60, check=True
    )
    coded = set()
    for line in run.stdout.splitlines():
        pen, number, length, name = line.split()
        coded.add((PENS.get(pen, pen), number, "v" if length == "65535" else length, name))
    with open(PAGE, encoding="utf-8") as page:
        told = [ROW.fullmatch(line.rstrip("\n")) for line in page]
    told = [row.groups() for row in told if row]
    faults = [f"not in the page: {row}" for row in sorted(coded - set(told))]
    faults += [f"not in the encoder: {row}" for row in sorted(set(told) - coded)]
    faults += [f"twice in the page: {row}" for row in sorted(set(told)) if told.count(row) > 1]
    if not coded:
        faults.append("the encoder has no elements")
    for fault in faults:
        print(fault)
    print(f"{len(coded)} elements; {int(not faults)} passed, {int(bool(faults))} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
