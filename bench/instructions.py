#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""instructions.py BENCH_KERNELS [EMULATOR]: instructions a packet of parse with its hash, each backend, counted by user-mode emulation
(qemu-aarch64 and the like, one instruction a block): the difference between 12 batches of 64 and 4, by 512."""

import subprocess
import sys

MIXES = {"all mixed": 0, "IPv4 TCP and UDP": 2, "IPv6 TCP and UDP": 4, "ICMP": 5, "odd alone": 6}


def count(command):
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    lines = sum(chunk.count(b"\n") for chunk in iter(lambda: run.stderr.read(1 << 20), b""))
    return lines if run.wait() == 0 else None


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program, emulator = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "qemu-aarch64"
    backends = ("scalar", "neon") if "aarch64" in emulator else ("scalar", "sse42")
    for mix, number in MIXES.items():
        found = {}
        for backend in backends:
            runs = [
                count(
                    [
                        emulator,
                        "-singlestep",
                        "-d",
                        "exec,nochain",
                        program,
                        "parse",
                        backend,
                        str(number),
                        str(n),
                    ]
                )
                for n in (4, 12)
            ]
            if None not in runs:
                found[backend] = (runs[1] - runs[0]) / 512
        first = found.get(backends[0])
        print(
            f"parse, {mix}: "
            + ", ".join(
                f"{b} {n:.1f}" + (f" ({n / first:.2f})" if b != backends[0] and first else "")
                for b, n in found.items()
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
