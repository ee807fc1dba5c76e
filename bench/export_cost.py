#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""export_cost.py PROGRAM [--seconds S] [--rounds N] [--only WORD] [TARGET ...]: what targets cost
the capture.

Generated packets by the clock, at a rate that no machine reaches: the reader never waits, as live.
Two loads: "imix" has many short flows, which end at the end; "records" has a small table, so that
most packets end a flow.  Each load runs without a target, with records as JSON in /dev/null, and
with these collectors of IPFIX:

  dead      nobody listens: UDP, TCP
  slow      TCP: accepts, and never reads
  lying     TCP: accepts, reads a little, resets, again and again
  good      UDP: reads all

TARGET: further targets of --export, such as kafka://127.0.0.1:9092/flows.  The contenders run in
turn for some seconds each, so that noise falls on all alike.  Prints medians of packets/s, the
ratio to no target, CPU nanoseconds a packet of the program and its senders together, and where the
records went.  Names are off, so that all contenders do the same work for a packet."""

import argparse
import json
import os
import resource
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


def run_once(program, seconds, load, words):
    """The report of a run, and the CPU seconds of the program and its senders."""
    source = ",".join(["synth:rate=1000000000", *LOADS[load]])
    command = [program, "-i", source, "--duration", str(seconds), "-q", "--json", "--no-names"]
    command += [*TABLE[load], *words]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, timeout=550, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    report = json.loads(done.stdout)
    assert report["packets"]["read"] == report["packets"]["delivered"], report["packets"]
    return report, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def tell_books(report):
    books = (report.get("exports") or [None])[0]
    if not books:
        return ""
    parts = ("offered", "ring_dropped", "sent", "failed", "lost")
    return ", ".join(f"{books[part]:,} {part}" for part in parts)


def compare(program, seconds, rounds, load, contenders):
    rates = {name: [] for name, _ in contenders}
    costs = {name: [] for name, _ in contenders}
    last = {}
    for _ in range(rounds):
        for name, words in contenders:
            last[name], cpu = run_once(program, seconds, load, words)
            packets = last[name]["packets"]["read"]
            rates[name].append(packets / seconds)
            costs[name].append(cpu * 1e9 / packets)
    base = statistics.median(rates["no target"])
    print(f"{load}: {seconds} s, median of {rounds}")
    for name, found in rates.items():
        rate = statistics.median(found)
        cost = statistics.median(costs[name])
        books = tell_books(last[name])
        print(f"  {name:20} {rate / 1e6:6.2f} M/s {rate / base:5.2f} {cost:6.0f} ns  {books}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="contenders whose names have this word, and no target")
    options = parser.parse_args()
    contenders = list(list_contenders(options.targets))
    if options.only:
        contenders = [c for c in contenders if not c[1] or options.only in c[0]]
    print(f"{name_cpu()}, {os.cpu_count()} cores")
    for load in LOADS:
        compare(os.path.abspath(options.program), options.seconds, options.rounds, load, contenders)


main()
