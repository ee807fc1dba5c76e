#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ipfix_file.py PROGRAM WRITER: files of --export ipfix:FILE (RFC 5655), read by our own reader,
beside the lines of --flows of the same run: field by field, in the same order.

Ends with "N passed, N failed"."""

import os
import subprocess
import sys
import tempfile

import ipfix
import ipfix_reader

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SOURCE = os.path.join(TOP, "examples", "office.pcap")
# Forms of ipfix.py, and the parameters that ask for them.
CASES = {
    "plain": "",
    "biflow": "?biflow=1&times=ns",
    "ntop": "?profile=ntop",
    "cesnet": "?profile=cesnet&biflow=1",
    "own": f"?profile=own&pen={ipfix.PEN}",
    "file": f"?profile=own&pen={ipfix.PEN}&biflow=1",
}


def messages_of(path):
    """The messages of a file, one behind the other."""
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        length = ipfix_reader.number(data, at + 2, 2)
        yield ipfix_reader.take(data, at, length)
        at += length


def check(program, form, words, folder):
    """The faults of a file, and how many records it has."""
    path = os.path.join(folder, form + ".ipfix")
    lines = os.path.join(folder, form + ".json")
    run = subprocess.run(
        [program, "-r", SOURCE, "--ja3", "--export", f"ipfix:{path}{words}", "--flows", lines],
        capture_output=True,
        text=True,
        timeout=ipfix.TIMEOUT_S,
        check=False,
    )
    if run.returncode:
        return [f"{form}: exit code {run.returncode}: {run.stderr[-500:]}"], 0
    with open(lines, encoding="utf-8") as file:
        records = [ipfix.Record(line) for line in file]
    messages = list(messages_of(path))
    types = ipfix_reader.Reader(ipfix.PEN)
    for message in messages:  # the types of private elements come with the options
        types.message(message)
    reader = ipfix_reader.Reader(ipfix.PEN)
    reader.types = types.types
    rows = [row for message in messages for row in reader.message(message)]
    wanted = [row for record in records for row in ipfix.FORMS[form](record)]
    faults = []
    if len(rows) != len(wanted) or not rows:
        faults.append(f"{form}: {len(rows)} records in place of {len(wanted)}")
    for k, (row, want) in enumerate(zip(rows, wanted)):
        found = ipfix.differences(want, row)
        if found:
            faults.append(f"{form}: record {k}: {found[:4]}")
    books = [values for template, values in reader.options if template == 274]
    if not books or books[-1] != {(0, 144): 1, (0, 166): 0}:
        faults.append(f"{form}: the books say {books[-1:]}")
    return faults, len(rows)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for form, words in CASES.items():
            faults, rows = check(sys.argv[1], form, words, folder)
            for fault in faults[:10]:
                print(fault)
            print(f"{form}: {rows} records, {len(faults)} faults")
            failed += bool(faults)
    print(f"{len(CASES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
