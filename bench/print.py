#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""print.py PROGRAM [--packets N] [--rounds N] [--core N]: lines of packets per second, beside
tcpdump, in one run.

A savefile of 64-byte TCP packets is made: connections in turn, sequence numbers without holes.
Every contender prints the file to /dev/null, pinned to one core, in turn, so that noise falls on
all alike.  tcpdump reads a part of the file, since it is slow; the rate is per packet.  Prints
medians of CPU seconds, million lines/s, nanoseconds a line, the ratio to tcpdump -n, and whether
the goals were met:
5 million lines/s in our own form, 3 million in tcpdump's, 30 times tcpdump -n.
"""

import argparse
import os
import shutil
import statistics
import struct
import tempfile

from cpu_time import measure_command, name_cpu

PART = 10  # tcpdump reads a packet of so many
GOALS = {"own": 5.0, "tcpdump form": 3.0}
TIMES_TCPDUMP = 30


def write_savefile(path, packets, connections):
    """Writes packets of 64 bytes: 10 bytes of payload from both ends of connections in turn."""
    size = 10
    record = struct.Struct("<IIII")
    ports = struct.Struct("!HHIIBBHHH")
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        chunk = []
        for n in range(packets):
            connection, turn = n % connections, n // connections
            back, round_number = turn & 1, turn // 2
            host = connection.to_bytes(3, "big")
            ends = [b"\x0a" + host, b"\xc0\xa8\x01\x02"]
            port = [1024 + connection % 50000, 443]
            numbers = [1 + (round_number + back) * size, 1 + round_number * size]
            seq, ack = (numbers[1], numbers[0]) if back else (numbers[1], numbers[1])
            ip = struct.pack("!BBHHHBBH", 0x45, 0, 40 + size, n & 0xFFFF, 0x4000, 64, 6, 0)
            ip += ends[back] + ends[not back]
            tcp = ports.pack(port[back], port[not back], seq, ack, 0x50, 0x18, 65000, 0, 0)
            second, micro = divmod(n * 7, 1000000)
            chunk.append(record.pack(1764417600 + second, micro, 64, 64))
            chunk.append(b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + tcp + b"0123456789")
            if len(chunk) > 20000:
                file.write(b"".join(chunk))
                chunk = []
        file.write(b"".join(chunk))


def contenders(program, whole, part):
    """Yields name, command, and whether the command reads the part."""
    yield "tcpdump -n", ["tcpdump", "-n", "-r", part], True
    yield "own", [program, "--print=own", "-r", whole], False
    yield "own, no TCP health", [program, "--print=own", "--no-tcp-health", "-r", whole], False
    yield "own, no flows", [program, "--print=own", "--no-flows", "-r", whole], False
    yield "tcpdump form", [program, "--print=tcpdump", "-r", whole], False
    yield "tcpdump form, no flows", [program, "--print=tcpdump", "--no-flows", "-r", whole], False
    yield "json", [program, "--print=json", "-r", whole], False
    yield "no lines, for comparison", [program, "-r", whole], False


def print_results(rates):
    base = rates.get("tcpdump -n")
    for name, rate in rates.items():
        times = f"{rate / base:8.1f} x tcpdump -n" if base else ""
        print(f"{name:26} {rate:7.2f} million lines/s {1000 / rate:8.1f} ns a line {times}")
    for name, goal in GOALS.items():
        met = rates[name] >= goal
        print(f"goal: {name}: {goal} million lines/s: {'met' if met else 'not met'} in this run")
        if base:
            met = rates[name] >= TIMES_TCPDUMP * base
            word = "met" if met else "not met"
            print(f"goal: {name}: {TIMES_TCPDUMP} times tcpdump -n: {word} in this run")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("--packets", type=int, default=1000000)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        whole, part = os.path.join(folder, "whole.pcap"), os.path.join(folder, "part.pcap")
        write_savefile(whole, given.packets, given.connections)
        write_savefile(part, given.packets // PART, given.connections)
        all_of_them = list(contenders(given.program, whole, part))
        if not shutil.which("tcpdump"):
            print("tcpdump is not installed: no ratios")
            del all_of_them[0]
        seconds = {name: [] for name, _, _ in all_of_them}
        for _ in range(given.rounds):
            for name, command, _ in all_of_them:
                seconds[name].append(measure_command(command, given.core)[0])
    rates = {}
    for name, _, is_part in all_of_them:
        packets = given.packets // PART if is_part else given.packets
        rates[name] = packets / statistics.median(seconds[name]) / 1e6
    print(f"{name_cpu()}; medians of {given.rounds} rounds; CPU time")
    print_results(rates)


if __name__ == "__main__":
    main()
