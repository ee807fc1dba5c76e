#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts instructions a packet: exact, so two builds compare on a busy machine.

instructions.py BENCH_KERNELS [EMULATOR]
    parse with its hash, each backend, counted by user-mode emulation (qemu-aarch64 and the
    like, one instruction a block): the difference between 12 batches of 64 and 4, by 512.

instructions.py --program PROGRAM [--base PROGRAM] [CAPTURE...]
    the whole program (bpfengine), counted by callgrind: generated traffic, and each capture.
    Each figure is the difference between two runs that stop after different numbers of
    packets (-c), by the difference of packets: so start-up is left out.  With --base the
    same of another build, and the ratio.  callgrind knows no AVX-512: both builds want
    -Dbuildtype=release and -Darch=avx2 (or scalar, sse42).
"""

import argparse
import json
import re
import subprocess
import sys

MIXES = {"all mixed": 0, "IPv4 TCP and UDP": 2, "IPv6 TCP and UDP": 4, "ICMP": 5, "odd alone": 6}
SYNTH = {
    "synth, 64 bytes": "synth:size=64,seed=7",
    "synth, IMIX": "synth:size=imix,seed=7",
    "synth, IPv6 and VLAN": "synth:size=64,seed=7,ipv6=50,vlan=50",
    "synth, a million flows": "synth:size=64,seed=7,flows=1000000",
}
SYNTH_COUNTS = (20000, 60000)


def count_lines(command):
    """Returns how many lines the command wrote to stderr; None if it failed."""
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    lines = sum(chunk.count(b"\n") for chunk in iter(lambda: run.stderr.read(1 << 20), b""))
    return lines if run.wait() == 0 else None


def count_kernels(program, emulator):
    backends = ("scalar", "neon") if "aarch64" in emulator else ("scalar", "sse42")
    tracing = [emulator, "-singlestep", "-d", "exec,nochain", program, "parse"]
    for mix, number in MIXES.items():
        found = {}
        for backend in backends:
            few, many = (count_lines([*tracing, backend, str(number), str(n)]) for n in (4, 12))
            if few is not None and many is not None:
                found[backend] = (many - few) / 512
        first = found.get(backends[0])
        texts = []
        for backend, figure in found.items():
            ratio = f" ({figure / first:.2f})" if backend != backends[0] and first else ""
            texts.append(f"{backend} {figure:.1f}{ratio}")
        print(f"parse, {mix}: " + ", ".join(texts), flush=True)


def count_run(program, source, packets):
    """Returns the instructions of one run that stops after so many packets."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program]
    # A confined process cannot write callgrind's file.
    command += [*source, "-c", str(packets), "-q", "--seed", "7", "--workers", "0"]
    command += ["--no-confine"]
    run = subprocess.run(command, capture_output=True, text=True)
    collected = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode or not collected:
        sys.exit(f"{' '.join(command)}: {run.stderr.strip()}")
    return int(collected.group(1))


def count_packet(program, source, counts):
    few, many = (count_run(program, source, packets) for packets in counts)
    return (many - few) / (counts[1] - counts[0])


def packets_of(program, capture):
    """Returns how many packets the program reads from the capture."""
    command = [program, "-r", capture, "-q", "--json", "--no-flows", "--workers", "0"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)["packets"]["read"]


def count_programs(program, base, captures):
    jobs = [(name, ["-i", source], SYNTH_COUNTS) for name, source in SYNTH.items()]
    for capture in captures:
        packets = packets_of(program, capture)
        if packets < 2:
            sys.exit(f"{capture}: fewer than two packets")
        jobs.append((capture, ["-r", capture], (packets // 2, packets)))
    for name, source, counts in jobs:
        now = count_packet(program, source, counts)
        text = f"{name}: {now:.1f}"
        if base:
            before = count_packet(base, source, counts)
            text += f", base {before:.1f} ({now / before:.3f})"
        print(text, flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--program", help="the whole program, by callgrind")
    parser.add_argument("--base", help="another build, to compare with")
    parser.add_argument("arguments", nargs="*", help="BENCH_KERNELS [EMULATOR], or captures")
    options = parser.parse_args()
    if options.program:
        count_programs(options.program, options.base, options.arguments)
    elif options.arguments:
        count_kernels(options.arguments[0], (options.arguments[1:] or ["qemu-aarch64"])[0])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
