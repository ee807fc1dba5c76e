#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""write_cutoff.py PROGRAM: --cutoff, on savefiles made here.

The content of the file is computed here from the packets alone, and compared with the file that was
written, with the records of the flows and with the report.  The last line counts the cases.
"""

import json
import os
import random
import struct
import tempfile

from program import Cases, run, udp
from packets import ethernet, ipv4, pcap, spaced

case = Cases()
ETHERNET = 14


def tcp(sport, dport, payload, options=b""):
    """A TCP segment with options of a length that 4 divides."""
    words = 5 + len(options) // 4
    return (
        struct.pack(">HHIIBBHHH", sport, dport, 1000, 2000, words << 4, 16, 1000, 0, 0)
        + options
        + payload
    )


def conversation(seed, flows, packets):
    """Frames of many flows: (frame, flow or None, end, bytes of headers)."""
    rng = random.Random(seed)
    out = []
    for _ in range(packets):
        n = rng.randrange(flows + 1)
        end = rng.randrange(2)
        a, b = f"10.0.{n}.1", f"10.0.{n}.2"
        payload = rng.randbytes(rng.randrange(1200))
        if n == flows:
            frame = ethernet(b"\0\1\x08\0\6\4\0\1" + bytes(20), 0x0806)
            out.append((frame, None, 0, 0))
            continue
        source, destination = (b, a) if end else (a, b)
        if n % 2:
            options = bytes([1] * 4 * rng.randrange(4))
            ports = (80, 4000) if end else (4000, 80)
            body, proto = tcp(*ports, payload, options), 6
            header = ETHERNET + 20 + 20 + len(options)
        else:
            ports = (53, 4000) if end else (4000, 53)
            body, proto = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload, 17
            header = ETHERNET + 20 + 8
        out.append((ethernet(ipv4(source, destination, proto, body)), n, end, header))
    return out


def expected(frames, cutoff, drop):
    """The bytes to keep of each frame, and by flow [packets, bytes] that are not kept."""
    seen, lacking, kept = {}, {}, []
    for frame, flow, _, header in frames:
        whole = len(frame)
        if flow is None:
            kept.append(whole)
            continue
        lacking.setdefault(flow, [0, 0])
        if seen.get(flow, 0) < cutoff:
            seen[flow] = seen.get(flow, 0) + whole
            kept.append(whole)
            continue
        keep = 0 if drop else min(header, whole)
        kept.append(keep)
        lacking[flow][0] += keep == 0
        lacking[flow][1] += whole - keep
    return kept, lacking


def read_pcapng(path):
    """(time, captured bytes, length on the wire) of each packet, by the format's description."""
    with open(path, "rb") as f:
        text = f.read()
    at, packets = 0, []
    while at < len(text):
        kind, length = struct.unpack_from("<II", text, at)
        assert struct.unpack_from("<I", text, at + length - 4)[0] == length, (at, kind)
        if kind == 6:
            _, high, low, caplen, wirelen = struct.unpack_from("<IIIII", text, at + 8)
            data = text[at + 28 : at + 28 + caplen]
            packets.append((high << 32 | low, data, wirelen))
        at += length
    return packets


def write_cut(frames, *words, workers="0"):
    """Writes the frames with the options.  Returns the file's packets, flows and the report."""
    with tempfile.TemporaryDirectory() as d:
        source, target, flows = (os.path.join(d, name) for name in ("in.pcap", "o.pcapng", "f"))
        with open(source, "wb") as f:
            f.write(pcap(spaced(*[frame for frame, *_ in frames], step=0.001)))
        p = run(
            *("-r", source, "-w", target, "--flows", flows, "--json", "--workers", workers),
            *words,
        )
        assert p.returncode == 0, p.stderr
        with open(flows) as f:
            return read_pcapng(target), [json.loads(line) for line in f], json.loads(p.stdout)


def check_cut(frames, cutoff, drop, workers="0"):
    word = f"{cutoff}," + ("after=drop" if drop else "after=headers")
    packets, flows, report = write_cut(frames, "--cutoff", word, workers=workers)
    kept, lacking = expected(frames, cutoff, drop)
    want = [(f[0][:k], len(f[0])) for f, k in zip(frames, kept) if k]
    got = [(data, wirelen) for _, data, wirelen in packets]
    if workers != "0":
        want, got = sorted(want), sorted(got)
    assert got == want, (len(got), len(want))
    assert len(flows) == len(lacking)
    for flow in flows:
        number = int(flow["src"].split(".")[2])
        assert sum(flow["unwritten_packets"]) == lacking[number][0], (flow, lacking[number])
        assert sum(flow["unwritten_bytes"]) == lacking[number][1], (flow, lacking[number])
    written = report["written"]
    assert written["packets"] == len(want), written
    assert written["unwritten"]["cutoff"] == len(frames) - len(want), written


@case
def headers_after_the_first_bytes():
    frames = conversation(1, 7, 600)
    for cutoff in (0, 1, 5000, 20000, 10**9):
        check_cut(frames, cutoff, False)


@case
def nothing_after_the_first_bytes():
    frames = conversation(2, 7, 600)
    for cutoff in (0, 1, 5000, 20000):
        check_cut(frames, cutoff, True)


@case
def with_workers():
    check_cut(conversation(3, 40, 5000), 6000, False, workers="3")
    check_cut(conversation(4, 40, 5000), 6000, True, workers="3")


@case
def without_the_option():
    frames = conversation(5, 5, 200)
    packets, flows, report = write_cut(frames)
    assert [d for _, d, _ in packets] == [f[0] for f in frames]
    assert not any("unwritten_packets" in flow for flow in flows)
    assert report["written"]["unwritten"]["cutoff"] == 0


@case
def refuses_what_cannot_be():
    with tempfile.TemporaryDirectory() as d:
        source = os.path.join(d, "in.pcap")
        with open(source, "wb") as f:
            f.write(pcap(spaced(udp(0))))
        target = os.path.join(d, "out.pcapng")
        for words in (("--cutoff", "64K", "--no-flows"), ("--cutoff", "64K,after=half")):
            p = run("-r", source, "-w", target, *words)
            assert p.returncode == 2 and b"cutoff" in p.stderr, p.stderr
            assert not os.path.exists(target)


case.finish()
