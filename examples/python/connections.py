#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""connections.py SOURCE [--packets N] [--seconds S] [--filter EXPRESSION]: prints the first N
packets (10), then every flow as it ends, and sums.  SOURCE is an interface, a savefile, or synth
(with :count=N it ends by itself)."""

import argparse, itertools, sys

try:
    import bpfengine
except ImportError as error:
    sys.exit(f"connections: {error} (install the package: pip install ./python)")


def print_packets(source, filter, count):
    with bpfengine.Capture(source, filter=filter) as capture:
        print(f"{capture.source}, {capture.link_type}")
        for packet in itertools.islice((p for batch in capture for p in batch), count):
            time, ends = bpfengine.time_text(packet.time_ns), packet.ends
            where = "  " + " > ".join(ends.endpoints) if ends else ""
            print(f"{time} {packet.proto:8} {packet.wirelen:5} bytes{where}")


def print_flows(source, filter, seconds):
    flows = packets = total = 0
    for flow in bpfengine.flows(source, filter=filter, seconds=seconds):
        sent, answered = flow["packets"]
        print(
            f"{flow['proto']:6} {' > '.join(flow.endpoints)}",
            f"  {sent}+{answered} packets  {sum(flow['wire_bytes'])} bytes",
        )
        flows += 1
        packets += sent + answered
        total += sum(flow["wire_bytes"])
    print(f"{flows} flows, {packets} packets, {total} bytes")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("source")
    p.add_argument("--packets", type=int, default=10)
    p.add_argument("--seconds", type=float)
    p.add_argument("--filter")
    a = p.parse_args()
    if a.packets:
        print_packets(a.source, a.filter, a.packets)
    print_flows(a.source, a.filter, a.seconds)


try:
    main()
except bpfengine.Error as error:
    sys.exit(f"connections: {error}")
except (BrokenPipeError, KeyboardInterrupt):
    sys.exit(1)
