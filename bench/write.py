#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""write.py PROGRAM [--packets N] [--rounds N] [--folder DIR]: the cost of writing packets, beside
tcpdump -w, in one run.

The program makes two savefiles of generated traffic in DIR (64-byte packets, and imix with a fifth
of the packets).  Both programs rewrite the files to /dev/null and to DIR (default /dev/shm), in
turn, so that noise falls on all alike.  Prints the CPU and medians: nanoseconds of CPU a packet,
user and system; what writing costs above the walk without -w; and GB/s of packets by the clock."""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

from cpu_time import name_cpu


def run_once(command, target):
    """CPU seconds in user mode and in the kernel, and seconds by the clock."""
    if target and target != "/dev/null" and os.path.exists(target):
        os.remove(target)
    before, since = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = time.monotonic() - since
    return after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime, seconds


def contenders(program, source, folder):
    """[(name, command, target)]"""
    reads = [program, "-r", source, "--no-flows", "-q"]
    rows = [("walk", reads, None)]
    for target in ("/dev/null", f"{folder}/out.pcapng"):
        rows.append((f"bpfengine -w {os.path.basename(target)}", [*reads, "-w", target], target))
    if shutil.which("tcpdump"):
        for target in ("/dev/null", f"{folder}/out.pcap"):
            command = ["tcpdump", "-r", source, "-w", target]
            rows.append((f"tcpdump -w {os.path.basename(target)}", command, target))
    return rows


def measure(args, folder, size, packets):
    source = f"{folder}/{size}.pcap"
    generator = f"synth:count={packets},size={size},flows=1000"
    command = [args.program, "-i", generator, "-w", source, "--no-flows", "-q"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    data_bytes = os.path.getsize(source) - 24 - 16 * packets
    rows = contenders(args.program, source, folder)
    times = {name: [] for name, _, _ in rows}
    for _ in range(args.rounds):
        for name, command, target in rows:
            times[name].append(run_once(command, target))
    print(f"\n{size}, {packets:,} packets: ns of CPU a packet")
    walk = statistics.median(sum(t[:2]) for t in times["walk"])
    for name, _, _ in rows:
        user, system, seconds = (statistics.median(t[k] for t in times[name]) for k in range(3))
        total = statistics.median(sum(t[:2]) for t in times[name])
        parts = [f"{value / packets * 1e9:7.1f}" for value in (user, system, total - walk)]
        print(
            f"  {name:24} user{parts[0]} system{parts[1]} above the walk{parts[2]}"
            f"  {data_bytes / seconds / 1e9:6.2f} GB/s"
        )
    os.remove(source)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--packets", type=int, default=5000000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", default="/dev/shm")
    args = parser.parse_args()
    args.program = os.path.abspath(args.program)
    print(name_cpu())
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        measure(args, folder, "64", args.packets)
        measure(args, folder, "imix", args.packets // 5)


main()
