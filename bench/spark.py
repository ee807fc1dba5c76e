#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""spark.py PROGRAM LIBRARY [ROUNDS]: what examples/spark/flows.py (or Ray's job: JOB=ray) costs on
1 and on 2 workers, and what a model of it says for more.

Three folders are turned into a table: none (a folder without captures), small (many captures of a
packet), large (few captures of synth's packets).  Rounds with 1 and with 2 workers take turns.
The costs come from the medians with 1 worker:

    job         none
    a task      (small - none) / captures
    a gigabyte  (large - none - captures * a task) / gigabytes

The model T(W) = job + (tasks * a task + gigabytes * a gigabyte) / W is held against the medians
with 2 workers.  CPU seconds are of the worker's work alone (capture_table.convert, no Spark).
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

import cpu_time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SMALL, LARGE, PACKETS = 100, 8, 100_000
TABLES = os.path.join(TOP, "examples", "tables")
ALONE = (
    "import sys, time; sys.path.insert(0, sys.argv[3]); import capture_table as c, pyarrow.parquet\n"
    "s = c.Settings(sys.argv[1], sys.argv[2], 'us', {'names': c.NAMES_ALL})\n"
    "paths, before = c.find_captures(s), time.process_time()\n"
    "rows = sum(c.convert(path, s)['rows'] for path in paths)\n"
    "print(rows, time.process_time() - before)"
)


def make_captures(program, folder):
    """Makes the three folders; returns the gigabytes of the large captures."""
    for name, count, packets in (("none", 0, 0), ("small", SMALL, 1), ("large", LARGE, PACKETS)):
        os.makedirs(os.path.join(folder, name))
        os.chmod(os.path.join(folder, name), 0o777)  # the program writes as another user
        for i in range(count):
            path = os.path.join(folder, name, f"{i}.pcap")
            source = f"synth:count={packets},seed={i + 1}"
            subprocess.run(
                [program, "-i", source, "-q", "-w", path], capture_output=True, check=True
            )
    large = os.path.join(folder, "large")
    return sum(os.path.getsize(os.path.join(large, name)) for name in os.listdir(large)) / 1e9


def run_job(folder, name, workers, environment):
    """Seconds of a run into a table of its own."""
    job = os.path.join(TOP, "examples", os.environ.get("JOB", "spark"), "flows.py")
    with tempfile.TemporaryDirectory() as table:
        words = [os.path.join(folder, name), table, "--workers", str(workers)]
        before = time.monotonic()
        done = subprocess.run(
            [sys.executable, job, *words], env=environment, capture_output=True, check=False
        )
        seconds = time.monotonic() - before
    if done.returncode:
        sys.exit(done.stderr.decode(errors="replace")[-3000:])
    return seconds


def measure_alone(folder, name, environment):
    """(rows, CPU seconds) of the work of a worker on a folder."""
    with tempfile.TemporaryDirectory() as table:
        words = [os.path.join(folder, name), table, TABLES]
        for part in ("flows", "ledger"):
            os.makedirs(os.path.join(table, part))
        done = subprocess.run(
            [sys.executable, "-c", ALONE, *words], env=environment, capture_output=True, check=True
        )
    rows, seconds = done.stdout.split()
    return int(rows), float(seconds)


def main():
    program, library = (os.path.abspath(path) for path in sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    environment = {
        **os.environ,
        "BPFENGINE_LIBRARY": library,
        "PYTHONPATH": os.path.join(TOP, "python"),
    }
    taken = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        gigabytes = make_captures(program, folder)
        for _ in range(rounds):
            for name in ("none", "small", "large"):
                for workers in (1, 2):
                    seconds = run_job(folder, name, workers, environment)
                    taken.setdefault((name, workers), []).append(seconds)
        rows, large_cpu = measure_alone(folder, "large", environment)
        _, small_cpu = measure_alone(folder, "small", environment)
    median = {key: statistics.median(values) for key, values in taken.items()}
    print(f"{cpu_time.name_cpu()}; load {os.getloadavg()[0]:.1f}; {rounds} rounds, medians")
    print(f"large: {LARGE} captures, {gigabytes:.2f} GB, {rows} flows; small: {SMALL} captures")
    for name in ("none", "small", "large"):
        one, two = median[name, 1], median[name, 2]
        print(f"{name:6} 1 worker {one:6.1f} s  2 workers {two:6.1f} s  ratio {one / two:.2f}")
    job = median["none", 1]
    task = max(0.0, median["small", 1] - job) / SMALL
    gigabyte = max(0.0, median["large", 1] - job - LARGE * task) / gigabytes
    print(f"job {job:.1f} s, a task {task * 1e3:.0f} ms, a gigabyte {gigabyte:.1f} s")
    print(
        f"CPU of the work alone: {small_cpu / SMALL * 1e3:.1f} ms a capture, "
        f"{large_cpu / gigabytes:.1f} s a gigabyte, {large_cpu / rows * 1e9:.0f} ns a flow"
    )
    for name, tasks, size in (("small", SMALL, 0), ("large", LARGE, gigabytes)):
        said, seen = job + (tasks * task + size * gigabyte) / 2, median[name, 2]
        print(f"model with 2 workers, {name}: {said:.1f} s, measured {seen:.1f} s")


if __name__ == "__main__":
    main()
