#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scaling.py BUILD FILE... [--rounds N] [--flows N,N,...]: how many workers one reader can feed,
worked out from costs measured on two cores.

Measured, the least of N rounds in turn (the machine may be shared; the least is what it can do):
  alone      one thread, flows and statistics; and without flows
  reader     with a worker that only counts: walk, parse, hash and handing over
  pair       reader and one worker, with flows
  ring       a packet record from core to core in bursts of 1 to 64 (bench_ring bursts)
  table      look-up and update by random hits at those numbers of flows (bench_flow)
Model: a reader's batch of 64 falls to w workers in bursts of 64/w, so a packet costs it reader +
ring(64/w) - ring(64); a worker's packet costs table and
take, which is what pair takes beyond the table where the worker is the slower one of the two,
else a record's way through the ring at most.  The rate
is the least of 1/reader and w/worker.  A flow belongs to one worker: traffic of few flows does
not spread so evenly.  FILE: savefiles in the page cache.
"""

import argparse
import json
import os
import re
import subprocess

WORKERS = (1, 2, 4, 8, 16)
MODES = {
    "alone": ["--workers", "0"],
    "alone, no flows": ["--workers", "0", "--no-flows"],
    "reader": ["--workers", "1", "--no-flows"],
    "pair": ["--workers", "1"],
}


def run(program, path, options, cores):
    text = subprocess.run(
        [program, "-r", path, "-q", "--json", *options],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    ).stdout
    report = json.loads(text)
    return report["seconds"] * 1e9 / report["packets"]["read"], report


def bench(words):
    """{row: least ns}"""
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return {
        m[1].strip(): float(m[3])
        for m in re.finditer(r"^(.{46}) +([\d.]+) +([\d.]+) +[\d.]+ +[\d.]+ +[\d.]+$", text, re.M)
    }


def at(ring, burst):
    """ns for bursts of that size, between the measured powers of two."""
    low = max(k for k in ring if k <= max(1, burst))
    high = min(k for k in ring if k >= min(64, burst))
    return (
        ring[low]
        if low == high
        else ring[low] + (ring[high] - ring[low]) * (burst - low) / (high - low)
    )


def table_of(name, reader, ring, worker):
    print(
        f"\n{name}: worker {worker:.1f} ns/packet\n  {'workers':>8} {'reader ns':>10} {'reader M/s':>11} {'workers M/s':>12} {'rate M/s':>9}  bound by"
    )
    for w in WORKERS:
        cost = reader + max(0, at(ring, 64 / w) - ring[64])
        feed, eat = 1e3 / cost, w * 1e3 / worker
        print(
            f"  {w:8d} {cost:10.1f} {feed:11.1f} {eat:12.1f} {min(feed, eat):9.1f}  {'workers' if eat < feed else 'reader'}"
        )


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("build")
    p.add_argument("files", nargs="+")
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--flows", default="100000,2000000,10000000")
    a = p.parse_args()
    program, cores = os.path.join(a.build, "src", "bpfengine"), sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        p.error("needs two cores")
    print("ring, ns a record from core to core, by burst:")
    rows = bench([os.path.join(a.build, "bench", "bench_ring"), "bursts"])
    ring = {int(name.split()[-1]): ns for name, ns in rows.items()}
    for k in sorted(ring)[::-1]:  # what noise made dearer in larger bursts
        ring[k] = max(ring[k], ring.get(2 * k, 0))
    print("  " + "  ".join(f"{k}: {ns:.1f}" for k, ns in sorted(ring.items())))
    reader = take = None
    for path in a.files:
        least = dict.fromkeys(MODES, float("inf"))
        for _ in range(a.rounds):
            for name, options in MODES.items():
                ns, report = run(
                    program, path, options, cores[:1] if name.startswith("alone") else cores[:2]
                )
                least[name] = min(least[name], ns)
        table = max(0.0, least["alone"] - least["alone, no flows"])
        bound = least["pair"] > 1.05 * least["reader"]
        cost = max(0.0, least["pair"] - table) if bound else ring[64]
        if take is None or bound:
            reader, take = least["reader"], cost
        print(
            f"\n{os.path.basename(path)}: {report['flows']['opened']} flows; ns/packet: "
            + ", ".join(f"{k} {v:.1f}" for k, v in least.items())
            + f"; table {table:.1f}, take {cost:.1f}"
            + (
                " (the worker is the slower one)"
                if bound
                else " at most (the reader is the slower one)"
            )
        )
        print(f"two cores: {least['alone'] / least['pair']:.2f} times one thread")
        table_of(os.path.basename(path), least["reader"], ring, table + cost)
    sizes = [n for n in a.flows.split(",") if n]
    for n in sizes:
        ns = bench([os.path.join(a.build, "bench", "bench_flow"), n])[
            "bpei_table, TCP and its health"
        ]
        table_of(
            f"{n} flows, random hits (table {ns:.1f} ns by bench_flow; reader and take as above)",
            reader,
            ring,
            ns + take,
        )


main()
