#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""write_split.py PROGRAM: --split, on savefiles made here.

The packets of all files together are the packets of the source, and each file has the packets of a
single flow or host.  The last line counts the cases.
"""

import json
import os
import random
import re
import resource
import struct
import tempfile

from program import Cases, run
from packets import ethernet, ipv4, ipv6, pcap, spaced, tcp_segment, udp_segment

case = Cases()


def traffic(seed, flows, count):
    """Frames of many flows in any order: (frame, flow)."""
    rng = random.Random(seed)
    out = []
    for number in range(count):
        n = rng.randrange(flows + 1)
        payload = struct.pack(">I", number) + rng.randbytes(rng.randrange(300))
        if n == flows:
            out.append((ethernet(b"\0\1\x08\0\6\4\0\1" + payload[:20].ljust(20), 0x0806), None))
            continue
        six = n % 3 == 2
        ends = (
            [f"2001:db8::{n:x}", "2001:db8::ffff"]
            if six
            else [f"10.0.{n // 200}.{n % 200}", "10.9.9.9"]
        )
        ports = [1024 + n, 443]
        if rng.randrange(2):
            ends.reverse()
            ports.reverse()
        proto, body = 17, udp_segment(*ends, *ports, payload)
        if n % 2:
            proto, body = 6, tcp_segment(*ends, *ports, "A", number, 1, payload)
        out.append((ethernet((ipv6 if six else ipv4)(*ends, proto, body)), n))
    return out


def read_packets(path):
    """The packets of a savefile, by the formats' descriptions."""
    with open(path, "rb") as f:
        text = f.read()
    packets = []
    if text[:4] == b"\xd4\xc3\xb2\xa1":
        at = 24
        while at < len(text):
            length = struct.unpack_from("<I", text, at + 8)[0]
            packets.append(text[at + 16 : at + 16 + length])
            at += 16 + length
        return packets
    at = 0
    while at < len(text):
        kind, length = struct.unpack_from("<II", text, at)
        assert struct.unpack_from("<I", text, at + length - 4)[0] == length, (path, at)
        if kind == 6:
            caplen = struct.unpack_from("<I", text, at + 20)[0]
            packets.append(text[at + 28 : at + 28 + caplen])
        at += length
    return packets


def split(frames, by, name="x.pcapng", descriptors=None):
    """Splits the frames.  Returns the files' packets by name, and the report."""

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    with tempfile.TemporaryDirectory() as d:
        source, target = os.path.join(d, "in.pcap"), os.path.join(d, "out")
        os.mkdir(target)
        os.chmod(d, 0o777)
        os.chmod(target, 0o777)  # root's program writes as nobody
        with open(source, "wb") as f:
            f.write(pcap(spaced(*[frame for frame, *_ in frames], step=0.001)))
        p = run(
            *("-r", source, "-w", os.path.join(target, name), "--split", by, "--json"),
            preexec_fn=limit if descriptors else None,
        )
        assert p.returncode == 0, p.stderr
        files = {f: read_packets(os.path.join(target, f)) for f in os.listdir(target)}
        return files, json.loads(p.stdout)


def check_split(frames, files, report, key):
    """Checks that each file has the packets of a key, in order, and that none is missing."""
    wanted = {}
    for frame, flow in frames:
        wanted.setdefault(key(frame, flow), []).append(frame)
    got = sorted(files.values())
    assert got == sorted(wanted.values()), (len(got), len(wanted))
    written = report["written"]
    assert written["packets"] == len(frames) and written["files"] == len(files), written
    assert not any(written["unwritten"].values()), written
    for name in files:
        assert re.fullmatch(r"x-[A-Za-z0-9][A-Za-z0-9._-]*\.pcap(ng)?", name), name


@case
def by_flow():
    frames = traffic(1, 200, 5000)
    files, report = split(frames, "flow")
    check_split(frames, files, report, lambda frame, flow: flow)
    assert "x-other.pcapng" in files and "x-udp_10.0.0.0_1024_10.9.9.9_443.pcapng" in files


@case
def with_few_descriptors():
    frames = traffic(2, 1000, 8000)
    files, report = split(frames, "flow", descriptors=32)
    check_split(frames, files, report, lambda frame, flow: flow)


@case
def pcap_files():
    frames = traffic(3, 50, 1000)
    files, report = split(frames, "flow", name="x.pcap")
    check_split(frames, files, report, lambda frame, flow: flow)


@case
def by_host():
    def sender(frame, flow):
        if flow is None:
            return None
        return frame[26:30] if frame[12:14] == b"\x08\x00" else frame[22:38]

    frames = traffic(4, 60, 2000)
    files, report = split(frames, "host")
    check_split(frames, files, report, sender)
    assert "x-10.9.9.9.pcapng" in files and "x-2001-db8--ffff.pcapng" in files, files.keys()


@case
def by_process():
    """A source without processes: all packets are in the file of the others."""
    frames = traffic(5, 10, 100)
    files, report = split(frames, "process")
    assert list(files) == ["x-other.pcapng"] and files["x-other.pcapng"] == [f for f, _ in frames]


@case
def existing_files_stay():
    frames = traffic(6, 3, 60)
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)
        source, target = os.path.join(d, "in.pcap"), os.path.join(d, "x.pcapng")
        with open(source, "wb") as f:
            f.write(pcap(spaced(*[frame for frame, *_ in frames], step=0.001)))
        for _ in range(2):
            p = run("-r", source, "-w", target, "--split", "flow")
            assert p.returncode == 0, p.stderr
        names = sorted(f for f in os.listdir(d) if f.startswith("x-"))
        again = [f for f in names if f.endswith("-2.pcapng")]
        assert len(names) == 2 * len(again) == 8, names
        for name in again:
            first = os.path.join(d, name.replace("-2.pcapng", ".pcapng"))
            assert read_packets(os.path.join(d, name)) == read_packets(first)


@case
def refuses_what_cannot_be():
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)
        source = os.path.join(d, "in.pcap")
        with open(source, "wb") as f:
            f.write(pcap(spaced(traffic(7, 1, 1)[0][0])))
        target = os.path.join(d, "out.pcapng")
        for words in (
            ("-w", target, "--split", "flows"),
            ("-w", target, "--split", "flow", "--recorder", "8M"),
            ("-w", target, "--split", "flow", "--rotate", "size=1M"),
            ("-w", "-", "--split", "flow"),
            ("--split", "flow"),
        ):
            p = run("-r", source, *words)
            assert p.returncode == 2 and p.stderr, (words, p.returncode, p.stderr)
        assert os.listdir(d) == ["in.pcap"], os.listdir(d)


case.finish()
