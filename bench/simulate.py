#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""simulate.py BUILD FILE... [--before PROGRAM] [--rounds N] [--dealing CSV]: the rate of a reader
and 1 to 16 workers, simulated from costs measured on two cores.  A model: nobody ran so many cores.

Measured, the least of N rounds in turn (the machine may be shared; the least is what it can do):
  one thread     --workers 0, with flows and without: their difference is the flow table's time
  dealing        bench_dealing: what dealing costs the reader and taking costs a worker, for 1 to 16
                 workers, with packets copied by the reader (`copy`) and by the workers (`numbers`)
Simulated: the reader needs read + deal(n) for a packet and deals batches of 64 by random draw; a
worker needs take(n) + table for a packet, in the order of its ring.  The reader waits for a full
ring, and with `numbers` also for slots that a worker still uses.  No cost of waking is in the
model, and cores share nothing but the lines of the packets.
Checked: reader and 1 worker on two cores, and 3 threads on two cores, where the model's rate is at
most that of all work divided by two.  --before: a program of the design `copy`, checked likewise.
--dealing: figures of an earlier bench_dealing.
"""

import argparse
import collections
import csv
import json
import os
import random
import subprocess

WORKERS = (1, 2, 4, 8, 16)
BATCH, ROOM, LEAST_ROOM = 64, 16384, 1024
MODES = {
    "one thread": ["--workers", "0"],
    "without flows": ["--workers", "0", "--no-flows"],
    "1 worker": ["--workers", "1"],
    "2 workers": ["--workers", "2"],
}


def run_once(program, path, mode, cores):
    """ns a packet"""
    text = subprocess.run(
        [program, "-r", path, "-q", "--json", *MODES[mode]],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores[:1] if "worker" not in mode else cores),
    ).stdout
    report = json.loads(text)
    return report["seconds"] * 1e9 / report["packets"]["read"]


def read_dealing(lines):
    """{(design, workers): (ns of the reader, ns of a worker)}"""
    return {
        (row["design"], int(row["workers"])): (float(row["deal_ns"]), float(row["take_ns"]))
        for row in csv.DictReader(lines)
    }


def simulate(design, workers, reader_ns, worker_ns, packets=400_000):
    """ns a packet from the first to the last"""
    ring = ROOM
    while design == "numbers" and ring > LEAST_ROOM and ring * workers > ROOM:
        ring //= 2
    slots = max(ring * workers, 16 * BATCH) if design == "numbers" else None
    draw = random.Random(1)
    now = 0.0
    last = [0.0] * workers  # when each worker will have done all that it has
    rings = [collections.deque() for _ in range(workers)]  # (when done, packets)
    used = [0] * workers
    batches = collections.deque()  # when each batch will be done by all
    for _ in range(packets // BATCH):
        if slots and len(batches) >= slots // BATCH:
            now = max(now, batches.popleft())
        now += BATCH * reader_ns
        for k, n in collections.Counter(draw.randrange(workers) for _ in range(BATCH)).items():
            queue = rings[k]
            while queue and (queue[0][0] <= now or used[k] + n > ring):
                done, count = queue.popleft()
                now = max(now, done)
                used[k] -= count
            last[k] = max(last[k], now) + n * worker_ns
            queue.append((last[k], n))
            used[k] += n
        batches.append(max(last))
    return max(now, *last) / packets


def print_design(design, measured, dealing, check):
    read = measured["without flows"]
    table = measured["one thread"] - read
    print(f"  {design}:  workers, reader ns, worker ns, simulated ns, million/s, bound by")
    for n in WORKERS:
        if (design, n) not in dealing:
            continue
        deal, take = dealing[design, n]
        if design == "numbers" and n == 1:
            take = dealing["copy", 1][1]  # an only worker reads the slots in place
        ns = simulate(design, n, read + deal, take + table)
        bound = "reader" if read + deal > (take + table) / n else "workers"
        print(f"  {n:8} {read + deal:6.1f} {take + table:6.1f} {ns:6.1f} {1e3 / ns:6.1f}  {bound}")
        if n == 1:
            print(f"           measured on two cores: {check['1 worker']:.1f} ns")
        if n == 2:
            shared = (read + deal + take + table) / 2
            print(
                f"           3 threads on two cores: at least {shared:.1f} ns, "
                f"measured {check['2 workers']:.1f}"
            )


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("build")
    p.add_argument("files", nargs="+")
    p.add_argument("--before")
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--dealing")
    a = p.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        p.error("needs two cores")
    programs = {"numbers": os.path.join(a.build, "src", "bpfengine")}
    if a.before:
        programs["copy"] = a.before
    for path in a.files:
        least = {(d, m): float("inf") for d in programs for m in MODES}
        for _ in range(a.rounds):
            for d, m in least:
                least[d, m] = min(least[d, m], run_once(programs[d], path, m, cores))
        if a.dealing:
            with open(a.dealing) as f:
                dealing = read_dealing(f)
        else:
            bench = os.path.join(a.build, "bench", "bench_dealing")
            dealing = read_dealing(subprocess.check_output([bench], text=True).splitlines())
        ours = {m: least["numbers", m] for m in MODES}
        print(
            f"{os.path.basename(path)}, ns a packet: "
            + ", ".join(f"{m} {ns:.1f}" for m, ns in ours.items())
            + f"; two cores: {ours['one thread'] / ours['1 worker']:.2f} times one thread"
        )
        for d in sorted(programs):
            check = {m: least[d, m] for m in MODES}
            print_design(d, ours, dealing, check)


main()
