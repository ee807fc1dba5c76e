#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rewrite.py PROGRAM [--packets N] [--rounds N] [--core N]: savefiles rewritten, beside mergecap,
editcap and tcpdump, in one run.

Two savefiles are made, of small packets (64 bytes) and of a mix (64, 576 and 1,500 bytes), a third
of them copies.  Each job is done by every program that can do the job, pinned to one core, in turn,
so that noise falls on all alike.  Files go to /dev/shm, where there is one.  Prints medians of CPU
seconds (user and system), nanoseconds a packet, the ratio to this program, and whether the goal
was met: 10 times mergecap and editcap."""

import argparse
import os
import random
import shutil
import statistics
import struct
import tempfile

from cpu_time import measure_command, name_cpu

GOAL = 10
SIZES = {"64 bytes": (64,), "mix": (64,) * 7 + (576,) * 4 + (1500,)}


def make_packet(chance, size, number):
    ends = bytes((10, chance.randrange(4), 0, chance.randrange(250), 10, 9, 0, number % 3))
    ip = struct.pack("!BBHHHBBH", 0x45, 0, size - 14, number & 0xFFFF, 0, 64, 17, 0) + ends
    port = 53 if number % 10 == 0 else 4000
    udp = struct.pack("!HHHH", 1024 + number % 40000, port, size - 34, 0)
    body = struct.pack("!Q", number) + b"x" * (size - 50)
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + udp + body


def write_savefile(path, packets, sizes, first_us):
    """Writes packets, 10 us apart; every third is the packet before once more."""
    chance = random.Random(24)
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        data = b""
        for n in range(packets):
            if n % 3 != 2:
                data = make_packet(chance, sizes[n % len(sizes)], n)
            second, micro = divmod(first_us + n * 10, 1000000)
            head = struct.pack("<IIII", 1764417600 + second, micro, len(data), len(data))
            file.write(head + data)


def jobs(program, one, two, out, key):
    """Yields job, and for each program its command."""
    ours = [program, "-q", "--no-flows", "-r", one]
    yield (
        "pcap to pcapng",
        {
            "bpfengine": [*ours, "-w", out],
            "editcap": ["editcap", one, out],
        },
    )
    yield (
        "copy as pcap",
        {
            "bpfengine": [*ours, "-w", out, "--write-format", "pcap"],
            "editcap": ["editcap", "-F", "pcap", one, out],
            "tcpdump": ["tcpdump", "-r", one, "-w", out],
        },
    )
    yield (
        "merge two",
        {
            "bpfengine": [*ours, "-r", two, "-w", out],
            "mergecap": ["mergecap", "-w", out, one, two],
        },
    )
    yield (
        "cut to 60 bytes",
        {
            "bpfengine": [*ours, "-s", "60", "-w", out],
            "editcap": ["editcap", "-s", "60", one, out],
        },
    )
    yield (
        "filter, 1 in 10",
        {
            "bpfengine": [*ours, "-w", out, "-f", "udp dst port 53"],
            "tcpdump": ["tcpdump", "-r", one, "-w", out, "udp dst port 53"],
        },
    )
    yield (
        "copies among 5",
        {
            "bpfengine": [*ours, "-w", out, "--dedup", "packets=4,exact"],
            "editcap": ["editcap", "-d", one, out],
        },
    )
    yield (
        "copies within 1 ms",
        {
            "bpfengine": [*ours, "-w", out, "--dedup", "1ms"],
            "editcap": ["editcap", "-w", "0.001", one, out],
        },
    )
    yield "addresses", {"bpfengine": [*ours, "-w", out, "--anonymise", key]}


def run_job(name, commands, packets, given):
    """Runs a job's commands in turn, and prints the medians.  Returns the least ratio to one of
    Wireshark's programs, or None."""
    seconds = {who: [] for who in commands if shutil.which(commands[who][0])}
    for _ in range(given.rounds):
        for who, taken in seconds.items():
            taken.append(measure_command(commands[who], given.core)[0])
    ours = statistics.median(seconds["bpfengine"])
    ratios = []
    for who, taken in seconds.items():
        median = statistics.median(taken)
        ns = median * 1e9 / packets
        print(f"  {name:20} {who:10} {median:7.3f} s {ns:8.1f} ns a packet {median / ours:6.1f} x")
        if who in ("editcap", "mergecap"):
            ratios.append(median / ours)
    return min(ratios, default=None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("--packets", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=0)
    given = parser.parse_args()
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    print(f"{name_cpu()}; load {os.getloadavg()[0]:.1f}; files in {place or 'a temporary folder'}")
    print(f"CPU time, medians of {given.rounds}; x: times bpfengine's")
    with tempfile.TemporaryDirectory(dir=place) as folder:
        one, two, out, key = (os.path.join(folder, n) for n in ("1.pcap", "2.pcap", "out", "key"))
        with open(key, "wb") as file:
            file.write(bytes(32))
        for size, sizes in SIZES.items():
            write_savefile(one, given.packets, sizes, 0)
            write_savefile(two, given.packets, sizes, 5)
            print(f"{size}:")
            for name, commands in jobs(given.program, one, two, out, key):
                packets = given.packets * (2 if name == "merge two" else 1)
                least = run_job(name, commands, packets, given)
                if least is not None:
                    word = "met" if least >= GOAL else "not met"
                    print(f"    goal: {GOAL} times: {least:.1f}, {word} in this run")


if __name__ == "__main__":
    main()
