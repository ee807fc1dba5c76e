#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""capture.py BPFENGINE: examples/office.pcap is as scripts/make_capture.py makes it, is small, has no
damaged packet, and each record of its TCP flows counts what its conversation knows of itself."""

import json
import os
import subprocess
import sys
from options import TOP

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "scripts"))
import make_capture
import tcpsim

PATH = os.path.join(TOP, "examples/office.pcap")
LARGEST = 200 * 1024
made, talks = make_capture.made_capture()
wrong = []
with open(PATH, "rb") as file:
    if file.read() != made:
        wrong.append("examples/office.pcap: run scripts/make_capture.py")
if len(made) > LARGEST:
    wrong.append(f"{len(made)} bytes, more than {LARGEST}")
run = subprocess.run(
    [sys.argv[1], "-r", PATH, "--checksums", "--json", "--flows", "/dev/stderr", "-q"],
    capture_output=True,
    text=True,
    check=True,
    timeout=550,
)
report = json.loads(run.stdout)
wrong += [f"{n} packets: {name}" for name, n in report["malformed"].items() if n]
records = [json.loads(line) for line in run.stderr.splitlines() if line.startswith("{")]
flows = {(r["src"], r["sport"], r["dst"], r["dport"]): r for r in records if r["proto"] == "tcp"}
if len(flows) != len(talks):
    wrong.append(f"{len(flows)} TCP flows of {len(talks)} conversations")
counted = dict.fromkeys(tcpsim.COUNTS, 0)
for talk in talks:
    ends = (talk.ends[0], talk.ports[0], talk.ends[1], talk.ports[1])
    truth = {"packets": talk.truth.packets, "wire_bytes": talk.truth.wire, **talk.truth.counts}
    for name, want in truth.items():
        got = flows.get(ends, {}).get(name, [0, 0])
        counted[name] = counted.get(name, 0) + sum(got)
        if got != want:
            wrong.append(f"{ends}: {name} {got}, truth {want}")
# Each kind of trouble is there to be shown.
wrong += [f"no packet has {name}" for name, n in counted.items() if not n and name != "unseen_acks"]
print("\n".join(wrong) or f"{len(talks)} conversations: {counted}")
print(f"{int(not wrong)} passed, {int(bool(wrong))} failed")
sys.exit(1 if wrong else 0)
