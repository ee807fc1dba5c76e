#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""connections.py SOURCE [--packets N] [--seconds S] [--filter EXPRESSION]: the first N packets
(10), one a line, then every flow as it ends, and
sums.  SOURCE is an interface, a savefile, or synth (with :count=N it ends by itself).  Needs
bpfengine.py beside it."""

import argparse, os, sys

try:
    import bpfengine
except Exception as e:
    sys.exit(f"connections: {e}")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("source")
    p.add_argument("--packets", type=int, default=10)
    p.add_argument("--seconds", type=float, default=0)
    p.add_argument("--filter")
    a = p.parse_args()
    wanted = {"filter": a.filter, "file" if os.path.exists(a.source) else "interface": a.source}
    left = a.packets
    if left:
        with bpfengine.Capture(**wanted) as capture:
            print(f"{capture.source}, {capture.link_type}")
            for packet in (p for batch in capture for p in batch):
                where = (
                    ""
                    if not packet.source
                    else "  {}.{} > {}.{}".format(*packet.source, *packet.target)
                )
                print(
                    f"{packet.time_ns / 1e9:.6f} {packet.protocol:8} {packet.wirelen:5} bytes{where}"
                )
                left -= 1
                if not left:
                    break
    sums = {"flows": 0, "packets": 0, "bytes": 0}

    def ended(f):
        sums["flows"] += 1
        sums["packets"] += sum(f.packets)
        sums["bytes"] += sum(f.wire_bytes)
        print(
            "{:3} {}.{} > {}.{}".format(f.ip_proto, *f.ends[0], *f.ends[1]),
            f"  {f.packets[0]}+{f.packets[1]} packets  {sum(f.wire_bytes)} bytes",
        )

    bpfengine.flows(ended, seconds=a.seconds, **wanted)
    print("{flows} flows, {packets} packets, {bytes} bytes".format(**sums))


try:
    main()
except bpfengine.Error as e:
    sys.exit(f"connections: {e}")
except (BrokenPipeError, KeyboardInterrupt):
    sys.exit(1)
