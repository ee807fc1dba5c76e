#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""export.py PROGRAM [--flows N] [--rate RECORDS]... [--buffer BYTES] [--runs N]:
flows of generated traffic to nfcapd by IPFIX over UDP.

A row for each rate: records that left and that nfcapd has, nfcapd's sequence errors, records a
second, and CPU time of the program with its sender, per record, beyond a run without export.
Medians of the runs.  nfcapd gets --buffer bytes of socket buffer, at most net.core.rmem_max."""

import argparse
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run_program(words):
    """The report, CPU seconds of the program and its senders, and seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return json.loads(ran.stdout), cpu, seconds


def measure(options, words, rate):
    """Flows, flows that left, records there, sequence errors, CPU seconds, seconds."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        log_path = os.path.join(folder, "log")
        with open(log_path, "w", encoding="utf-8") as log:
            collector = subprocess.Popen(
                ["nfcapd", "-w", folder, "-p", str(port), "-b", "127.0.0.1", "-t", "3600"]
                + (["-B", str(options.buffer)] if options.buffer else []),
                stdout=log,
                stderr=log,
            )
            time.sleep(1)
            target = f"ipfix://127.0.0.1:{port}?options=0&rate={rate}"
            report, cpu, seconds = run_program([*words, "--export", target])
            time.sleep(1)
            collector.terminate()
            collector.wait()
        with open(log_path, encoding="utf-8") as f:
            found = re.search(r"Flows: (\d+),.*Sequence Errors: (\d+)", f.read())
    export = report["exports"][0]
    return export["offered"], export["sent"], int(found[1]), int(found[2]), cpu, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("--flows", type=int, default=200000)
    parser.add_argument("--rate", type=int, action="append")
    parser.add_argument("--buffer", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    words = [options.program, "-q", "--json", "-i"]
    words += [f"synth:flows={options.flows},size=64,count={2 * options.flows}"]
    words += ["--max-flows", str(options.flows + options.flows // 10)]
    plain = statistics.median(run_program(words)[1] for _ in range(options.runs))
    print("    rate   flows    sent  records there  sequence errors  records/s  CPU ns a record")
    for rate in options.rate or [50000, 200000, 1000000, 0]:
        rows = [measure(options, words, rate) for _ in range(options.runs)]
        offered, sent, there, errors, cpu, seconds = (
            statistics.median(column) for column in zip(*rows)
        )
        print(
            f"{rate:8} {offered:7.0f} {sent:7.0f} {there:14.0f} {errors:16.0f}"
            f" {there / seconds:10.0f} {(cpu - plain) / max(there, 1) * 1e9:16.0f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
