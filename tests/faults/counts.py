#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""counts.py PROGRAM: sums of the records are sums of the packets, whatever lengths the packets tell."""

import json
import os
import subprocess
import tempfile

from faultcase import PROGRAM, case, finish, read_flows
from packets import HOST_A, HOST_B, ethernet, ipv4, ipv6, pcap, tcp_segment, udp4, udp6

MOST = 0xFFFFFFFF


def sums(data, *words):
    """Records, packets, captured and wire bytes of all of them, and how many had no packet."""
    flows = read_flows(data, *words)
    return (
        len(flows),
        sum(sum(f["packets"]) for f in flows),
        sum(sum(f["captured_bytes"]) for f in flows),
        sum(sum(f["wire_bytes"]) for f in flows),
        sum(not sum(f["packets"]) for f in flows),
    )


def right_sums(packets, flows):
    return (flows, len(packets), sum(len(p[1]) for p in packets), sum(p[2] for p in packets), 0)


def frame(kind, number):
    if kind == "udp4":
        return ethernet(udp4(1000, source=f"10.0.{number >> 8}.{number & 255}"))
    if kind == "udp6":
        return ethernet(udp6(1000, source=f"2001:db8::{number:x}"))
    source = HOST_A if kind == "tcp4" else "2001:db8::1"
    target = HOST_B if kind == "tcp4" else "2001:db8::2"
    segment = tcp_segment(source, target, 1024 + number, 80, "S", 1, 0)
    return ethernet(
        ipv4(source, target, 6, segment) if kind == "tcp4" else ipv6(source, target, 6, segment)
    )


@case
def f3_lengths_of_850_flows_near_2_to_the_32_are_summed():
    packets = [(1, frame("udp4", i), MOST) for i in range(850)]
    assert sums(pcap(packets), "--max-flows", "60000") == right_sums(packets, 850)


@case
def f3_every_protocol_and_length_beyond_2_to_the_31():
    for kind in ("udp4", "udp6", "tcp4", "tcp6"):
        packets = [
            (1 + n / 8, frame(kind, i), wire)
            for n, wire in enumerate((1 << 31, (1 << 31) - 1, (1 << 31) + 1, MOST))
            for i in range(900)
        ]
        for words in (("--max-flows", "1000"), ("--max-flows", "65536"), ("--workers", "3")):
            assert sums(pcap(packets), *words) == right_sums(packets, 900), (kind, words)


@case
def f3_flows_that_were_evicted_lose_no_count():
    packets = [(1 + i / 1e4, frame("udp4", i % 3000), MOST) for i in range(9000)]
    got = sums(pcap(packets), "--max-flows", "2000")
    assert got[1:] == right_sums(packets, 0)[1:], got


@case
def f3_periods_of_a_flow_share_its_counts():
    packets = [(i, frame("udp4", 1), MOST - i) for i in range(100)]
    got = sums(pcap(packets), "--flow-active", "10")
    assert got[0] > 5 and got[1:] == right_sums(packets, 0)[1:], got


@case
def f3_more_packets_than_a_part_of_the_entry_counts():
    """One flow of 2^23 + 9 packets: what counts packets overflows long before what counts bytes."""
    count, chunk = (1 << 23) + 9, 1 << 16
    data = pcap([(0, ethernet(udp4(1000, payload=b"")))])
    header, record = data[:24], data[24:]
    with tempfile.TemporaryDirectory() as d:
        target = os.path.join(d, "flows")
        with subprocess.Popen(
            [PROGRAM, "-r", "-", "--flows", target, "--quiet"], stdin=subprocess.PIPE
        ) as p:
            p.stdin.write(header)
            for _ in range(count // chunk):
                p.stdin.write(record * chunk)
            p.stdin.write(record * (count % chunk))
            p.stdin.close()
            assert p.wait(timeout=500) == 0
        with open(target, encoding="utf-8") as f:
            records = [json.loads(line) for line in f]
    assert [sum(r["packets"]) for r in records] == [count], records[:3]
    assert sum(records[0]["wire_bytes"]) == count * 42, records


finish()
