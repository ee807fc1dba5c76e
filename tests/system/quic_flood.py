#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""quic_flood.py PROGRAM: floods of forged QUIC Initials, by the counters of the report.

Each forged Initial is a flow of its own whose packet nobody can open.  Tries beyond the budget of a
second of packet time are left out and counted.  Exit code 77 (skipped) without a library for
cryptography.
"""

import json
import os
import re
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import packets
from faultcase import case, finish, run

if b"crypto=none" in run("--version").stdout:
    print("skipped: the program has no library for cryptography (-Dcrypto)")
    sys.exit(77)

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/quic_vectors.h")
ROWS = re.search(r"quic_vector_1\[\] =\n((?:\t\"\w+\";?\n)+)", open(VECTORS).read()).group(1)
INITIAL = bytes.fromhex("".join(re.findall(r"\w{8,}", ROWS)))
FORGED = INITIAL[:-1] + bytes([INITIAL[-1] ^ 1])


def flow(k, payload):
    """A datagram of flow k: source addresses and ports differ."""
    segment = struct.pack(">HHHH", 1024 + k % 50000, 443, 8 + len(payload), 0) + payload
    source = f"198.18.{k >> 8 & 255}.{k & 255}"
    return packets.MAC_HEADER + b"\x08\0" + packets.ipv4(source, packets.HOST_B, 17, segment)


def counters(frames, *words):
    """Counters of QUIC in the report of frames [(time, bytes)], and the flows by app."""
    with tempfile.TemporaryDirectory() as folder:
        path, flows = os.path.join(folder, "flood.pcap"), os.path.join(folder, "flows")
        with open(path, "wb") as f:
            f.write(packets.pcap(frames))
        p = run("-r", path, "--flows", flows, "--json", *words)
        assert p.returncode == 0, p.stderr
        records = [json.loads(line) for line in open(flows)]
    quic = json.loads(p.stdout)["quic"]
    return [quic[what] for what in ("opened", "failed", "skipped")], records


@case
def each_forged_initial_is_tried_twice():
    """When it comes, and when the flow ends."""
    frames = [(k / 4000, flow(k, FORGED)) for k in range(2000)]
    counts, records = counters(frames)
    assert counts == [0, 4000, 0], counts
    assert len(records) == 2000 and all(r.get("app") == "quic" for r in records)
    assert not any(r.get("name") for r in records)


@case
def a_second_has_a_budget():
    frames = [(k / 1000, flow(k, FORGED)) for k in range(3000)]
    counts, records = counters(frames, "--quic-budget", "100")
    assert counts == [0, 300, 2700 + 3000], counts
    assert len(records) == 3000 and all(r.get("app") == "quic" for r in records)


@case
def packets_in_disorder_have_no_more_budget():
    frames = [(0.9 - k / 4000, flow(k, FORGED)) for k in range(2000)]
    counts, _ = counters(frames, "--quic-budget", "50")
    assert counts == [0, 50, 1950 + 2000], counts


@case
def a_name_is_found_in_the_flood_while_the_budget_lasts():
    frames = [(k / 4000, flow(k, FORGED)) for k in range(1000)]
    frames.insert(500, (499.5 / 4000, flow(60000, INITIAL)))
    counts, records = counters(frames)
    assert counts == [1, 2000, 0], counts
    assert [r["name"] for r in records if r.get("name")] == ["example.com"]


@case
def a_repeated_initial_is_tried_three_times_at_most():
    frames = [(k / 4000, flow(k % 10, FORGED)) for k in range(200)]
    counts, _ = counters(frames)
    assert counts == [0, 10 * (1 + 2 + 3), 0], counts


if __name__ == "__main__":
    finish()
