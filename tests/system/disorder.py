#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""disorder.py PROGRAM [ROUNDS]: flow records do not depend on the number or timing of workers.

The savefiles are made from fixed seeds.  Their times step forward and back by seconds to days,
single packets have a wrong time, packets come a few seconds late, and two clocks alternate. Each
file is read with 0, 1, 2 and 4 workers several times.  All lines of all runs must be the same but
for the worker's number.  The records of one more file are known beforehand."""

import json
import os
import random
import struct
import subprocess
import sys
import tempfile

SECOND = 1000000000
EPOCH = 1700000000 * SECOND


def udp(client, server_port=53, payload=20):
    ip = struct.pack(
        "!BBHHHBBH4s4s",
        0x45,
        0,
        28 + payload,
        0,
        0,
        64,
        17,
        0,
        bytes([10, 0, client >> 8, client & 255]),
        bytes([192, 0, 2, 1]),
    )
    return (
        bytes(12)
        + b"\x08\x00"
        + ip
        + struct.pack("!HHHH", 1024 + client, server_port, 8 + payload, 0)
        + bytes(payload)
    )


def tcp(client, flags, back=False):
    ends = [(bytes([10, 1, client >> 8, client & 255]), 1024 + client), (bytes([192, 0, 2, 2]), 80)]
    (source, sport), (target, dport) = ends[::-1] if back else ends
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, source, target)
    return (
        bytes(12)
        + b"\x08\x00"
        + ip
        + struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 0x50, flags, 1000, 0, 0)
    )


def write(path, packets):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for ns, frame in packets:
            out.write(
                struct.pack("<IIII", ns // SECOND, ns % SECOND, len(frame), len(frame)) + frame
            )


def made(seed):
    """A few thousand packets of a few hundred flows under a bad clock."""
    r = random.Random(seed)
    clocks, at, packets = [EPOCH, EPOCH - 3600 * SECOND], 0, []
    for _ in range(6000):
        fate = r.randrange(2000)
        clocks[at] += r.randrange(50000000)
        if fate < 8:
            clocks[at] += r.choice((5, 11, 30, 400, 86400)) * SECOND
        elif fate < 16:
            clocks[at] -= r.choice((5, 11, 30, 400, 86400)) * SECOND
        elif fate < 24 and seed % 2:
            at = 1 - at
        ns = clocks[at]
        if 30 <= fate < 38:
            ns += r.choice((-1, 1)) * r.randrange(100000) * SECOND  # one wrong time
        elif 40 <= fate < 100:
            ns -= r.randrange(9 * SECOND)
        client = r.randrange(300)
        packets.append(
            (
                ns,
                udp(client)
                if client % 2
                else tcp(client, r.choice((2, 16, 16, 16, 16, 17)), r.random() < 0.5),
            )
        )
    return packets


def records(program, path, workers, extra=()):
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as out:
        run = subprocess.run(
            [
                program,
                "-r",
                path,
                "--flows",
                out.name,
                "--workers",
                str(workers),
                "--seed",
                "1",
                "--quiet",
                "--flow-idle",
                "60",
                *extra,
            ],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if run.returncode or "Sanitizer" in run.stderr:
            raise ValueError(f"exit code {run.returncode}: {run.stderr[:500]}")
        lines = [json.loads(line) for line in out]
    for line in lines:
        del line["worker"]
    return sorted(json.dumps(line) for line in lines)


def by_hand(program, path):
    """Two flows over a step back of an hour; then idle past the time-out by the new clock."""
    back, minute = 3600 * SECOND, 60 * SECOND
    write(
        path,
        [
            (EPOCH, udp(1)),
            (EPOCH + SECOND, udp(2)),
            (EPOCH - back, udp(1)),
            (EPOCH - back + SECOND, udp(2)),
            (EPOCH - back + 2 * minute, udp(1)),
            (EPOCH - back + 2 * minute + SECOND, udp(1)),
        ],
    )
    want = {(1024 + 1, 2, "idle"), (1024 + 2, 2, "idle"), (1024 + 1, 2, "stop")}
    for workers in (0, 1, 2, 4):
        lines = [json.loads(line) for line in records(program, path, workers)]
        if {(x["sport"], x["packets"][0], x["end"]) for x in lines} != want or len(lines) != 3:
            print(f"by hand, {workers} workers: {lines}")
            return False
        last = [x for x in lines if x["end"] == "stop"][0]
        if abs(float(last["first"]) - (EPOCH - back + 2 * minute) / SECOND) > 1e-6:
            print(f"by hand: first is {last['first']}, not the packet's own time")
            return False
    return True


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, rounds, failed, files = (
        os.path.abspath(sys.argv[1]),
        int(sys.argv[2]) if len(sys.argv) > 2 else 5,
        0,
        10,
    )
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "f.pcap")
        for seed in range(files):
            write(path, made(seed))
            seen = {}
            for _ in range(rounds):
                for workers in (0, 1, 2, 4):
                    lines = records(program, path, workers)
                    seen.setdefault("\n".join(lines), (workers, len(lines)))
            if len(seen) > 1:
                failed += 1
                print(
                    f"seed {seed}: {len(seen)} different outcomes, (workers, flows): {list(seen.values())}"
                )
        failed += not by_hand(program, path)
    print(f"{files + 1 - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
