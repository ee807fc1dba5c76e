#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_batches.py LIBRARY [PACKETS]: packets a second through the Python package.

Each way reads the same savefile, made of synth's packets, and adds up lengths.  "copies" makes what
a binding without views makes: an object for each packet, with copied bytes and layers.
"""

import os, sys, tempfile, time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ["BPFENGINE_LIBRARY"] = os.path.abspath(sys.argv[1])
PACKETS = int(sys.argv[2]) if len(sys.argv) > 2 else 300_000
sys.path.insert(0, os.path.join(TOP, "python"))
import bpfengine


class Copy:
    """A packet with all that it has, copied."""

    def __init__(self, packet):
        self.time_ns, self.caplen, self.wirelen = packet.time_ns, packet.caplen, packet.wirelen
        self.data, self.hash = bytes(packet.data), packet.hash
        self.layers, self.ends = packet.layers, packet.ends


def read_copies(batch):
    return sum(Copy(packet).wirelen for packet in batch)


def read_packets(batch):
    return sum(packet.wirelen for packet in batch)


def read_bytes(batch):
    return sum(data[12] for data in batch.data)


def read_layers(batch):
    return sum(layers.payload for layers in batch.layers)


def read_column(batch):
    return sum(batch.wirelen)


def read_nothing(batch):
    return len(batch)


def write_savefile(path):
    import struct

    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for batch in bpfengine.Capture(f"synth:count={PACKETS},flows=2000,seed=3"):
            for time_ns, wirelen, data in zip(batch.time_ns, batch.wirelen, batch.data):
                f.write(struct.pack("<IIII", *divmod(time_ns, 10**9), len(data), wirelen))
                f.write(data)


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "made.pcap")
    write_savefile(path)
    print(f"Python {sys.version.split()[0]}, {bpfengine.build_info()}, {PACKETS} packets")
    for read in (read_copies, read_packets, read_layers, read_bytes, read_column, read_nothing):
        best = None
        for _ in range(3):
            start = time.process_time()
            for batch in bpfengine.Capture(path):
                read(batch)
            used = time.process_time() - start
            best = used if best is None else min(best, used)
        print(f"{read.__name__:14} {PACKETS / best / 1e3:10.0f} thousand packets/s")
