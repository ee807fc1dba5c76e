#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kafka.py PROGRAM [--records N] [--rounds N]: CPU time of the sender of kafka:// for a record.

A broker of scripts/peers.sh runs on this machine.  Generated packets, without a rate, make N flows;
the program waits for the target, so all records arrive.  The CPU time is that of the process
bpf-sender with all threads of librdkafka: utime and stime of /proc/PID/stat, read every 10 ms.  The
formats and compressions run in turn, so that noise falls on all alike.  Prints medians.  Linux."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from cpu_time import name_cpu

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/export"))
import broker as brokers  # noqa: E402

FORMS = {
    "json, none": "compression=none",
    "json, lz4": "compression=lz4",
    "json, zstd": "compression=zstd",
    "json, lz4, key=hash": "compression=lz4&key=hash",
    "proto, none": "format=proto&compression=none",
    "proto, lz4": "format=proto&compression=lz4",
}


def list_processes(parent):
    """The processes below a process, by /proc."""
    below, known = [], {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8") as f:
                    words = f.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            known.setdefault(int(words[1]), []).append(int(name))
    queue = [parent]
    while queue:
        children = known.get(queue.pop(), [])
        below += children
        queue += children
    return below


def find_sender(program):
    for pid in list_processes(program):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                if f.read().strip() == "bpf-sender":
                    return pid
        except OSError:
            continue
    return None


def read_cpu(pid):
    """Seconds of all threads, or None once the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            words = f.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    if words[0] == "Z":
        return None
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def run_once(program, records, url):
    """Seconds of CPU time of the sender, and the books."""
    source = f"synth:count={records},flows={records}"
    command = [program, "-i", source, "-q", "--json", "--no-names", "--export", url]
    with tempfile.TemporaryFile("w+") as out:
        running = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)
        sender, cpu = None, 0.0
        while running.poll() is None:
            sender = sender or find_sender(running.pid)
            cpu = (sender and read_cpu(sender)) or cpu
            time.sleep(0.01)
        out.seek(0)
        if running.returncode:
            sys.exit(running.stderr.read())
        books = json.load(out)["exports"][0]
    assert books["sent"] == books["offered"] > 0, books
    return cpu, books


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    found = {name: [] for name in FORMS}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        broker = brokers.Broker(place)
        try:
            broker.start()
            broker.make_topic("bench", 4, **{"retention.bytes": "100000000"})
            for _ in range(options.rounds):
                for name, words in FORMS.items():
                    url = f"kafka://{broker.address}/bench?{words}"
                    found[name].append(run_once(program, options.records, url))
        finally:
            broker.stop()
    print(f"{name_cpu()}, {os.cpu_count()} cores, median of {options.rounds}")
    for name, runs in found.items():
        micros = [1e6 * cpu / books["sent"] for cpu, books in runs]
        books = runs[-1][1]
        size = books["bytes"] / books["sent"]
        print(
            f"  {name:20} {statistics.median(micros):5.2f} us a record"
            f" ({min(micros):.2f} to {max(micros):.2f}), {books['sent']:,} records,"
            f" {size:.0f} bytes before compression"
        )


main()
