#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""export_cost.py PROGRAM [--packets N] [--rounds N] [TARGET ...]: what targets cost the capture.

Generated packets by the clock, at a rate that no machine reaches: the reader never waits, as live.
Two loads: "imix" has many short flows, which end at the end; "records" has a small table, so that
about each third packet ends a flow.  Each load runs without a target, with records as JSON in
/dev/null, and with these collectors of IPFIX:

  dead      nobody listens: UDP, TCP
  slow      TCP: accepts, and never reads
  lying     TCP: accepts, reads a little, resets, again and again
  good      UDP: reads all

TARGET: further targets of --export, such as kafka://127.0.0.1:9092/flows.  The contenders run in
turn, so that noise falls on all alike.  Prints medians of packets/s, the ratio to no target, and
where the records went.  Names are off, so that all contenders do the same work for a packet."""

import argparse
import json
import os
import socket
import statistics
import struct
import subprocess
import threading

from cpu_time import name_cpu

LOADS = {"imix": ["flows=100000"], "records": ["flows=100000"]}
TABLE = {"imix": [], "records": ["--max-flows", "20000"]}


class Collector:
    """A collector in a thread: what it does with a connection, or with datagrams."""

    def __init__(self, kind, how):
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.kept = []
        if kind == socket.SOCK_STREAM:
            self.socket.listen(8)
        else:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        threading.Thread(target=how, args=(self,), daemon=True).start()

    def hold(self):
        while True:
            self.kept.append(self.socket.accept()[0])

    def lie(self):
        while True:
            connection = self.socket.accept()[0]
            connection.recv(20000)
            # closes with a reset
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    def read(self):
        into = bytearray(65536)
        while True:
            self.socket.recv_into(into)


def find_closed_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def list_contenders(targets):
    """Names and words of the contenders; the first is without a target."""
    tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
    to = "ipfix://127.0.0.1:%d?transport=%s"
    yield "no target", []
    yield "--flows /dev/null", ["--flows", "/dev/null"]
    yield "dead, UDP", ["--export", to % (find_closed_port(udp), "udp")]
    yield "dead, TCP", ["--export", to % (find_closed_port(tcp), "tcp")]
    yield "slow, TCP", ["--export", to % (Collector(tcp, Collector.hold).port, "tcp")]
    yield "lying, TCP", ["--export", to % (Collector(tcp, Collector.lie).port, "tcp")]
    yield "good, UDP", ["--export", to % (Collector(udp, Collector.read).port, "udp")]
    for target in targets:
        yield target, ["--export", target]


def run_once(program, packets, load, words):
    """The report of a run."""
    source = ",".join([f"synth:count={packets}", "rate=1000000000", *LOADS[load]])
    command = [program, "-i", source, "-q", "--json", "--no-names", *TABLE[load], *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=550, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    report = json.loads(done.stdout)
    assert report["packets"]["read"] == report["packets"]["delivered"] == packets, report["packets"]
    return report


def tell_books(report):
    books = (report.get("exports") or [None])[0]
    if not books:
        return ""
    parts = ("offered", "ring_dropped", "sent", "failed", "lost")
    return ", ".join(f"{books[part]:,} {part}" for part in parts)


def compare(program, packets, rounds, load, contenders):
    rates = {name: [] for name, _ in contenders}
    last = {}
    for _ in range(rounds):
        for name, words in contenders:
            last[name] = run_once(program, packets, load, words)
            rates[name].append(last[name]["rates"]["packets_per_second"])
    base = statistics.median(rates["no target"])
    print(f"{load}: {packets:,} packets, median of {rounds}")
    for name, found in rates.items():
        median = statistics.median(found)
        print(
            f"  {name:20} {median / 1e6:6.2f} M/s  {median / base:5.2f}  {tell_books(last[name])}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    contenders = list(list_contenders(options.targets))
    print(f"{name_cpu()}, {os.cpu_count()} cores")
    for load in LOADS:
        compare(os.path.abspath(options.program), options.packets, options.rounds, load, contenders)


main()
