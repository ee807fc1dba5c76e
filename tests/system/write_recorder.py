#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""write_recorder.py PROGRAM: --recorder and --trigger, on numbered packets.

A file has the packets before the trigger and those within the seconds behind, without a gap.  The
last line counts the cases.
"""

import json
import os
import signal
import struct
import subprocess
import tempfile
import time

from program import PROGRAM, Cases, run
from packets import ethernet, ipv4, tcp_frame, udp_segment

case = Cases()


def savefile(frames):
    """A pcap file of the frames, a hundredth of a second apart."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for n, frame in enumerate(frames):
        head = struct.pack("<IIII", 1700000000 + n // 100, n % 100 * 10000, len(frame), len(frame))
        parts += [head, frame]
    return b"".join(parts)


def numbered(number, port=53):
    segment = udp_segment("10.0.0.1", "10.0.0.2", 999, port, bytes(404), no_checksum=True)
    packet = ipv4("10.0.0.1", "10.0.0.2", 17, segment)
    return ethernet(packet[:28] + struct.pack(">I", number) + packet[32:])


def read_packets(path):
    """The packets of a pcapng file, by the format's description."""
    with open(path, "rb") as f:
        text = f.read()
    at, packets = 0, []
    while at < len(text):
        kind, length = struct.unpack_from("<II", text, at)
        assert struct.unpack_from("<I", text, at + length - 4)[0] == length, (path, at)
        if kind == 6:
            caplen = struct.unpack_from("<I", text, at + 20)[0]
            packets.append(text[at + 28 : at + 28 + caplen])
        at += length
    return packets


def record(frames, *words):
    """Records the frames.  Returns the packets of each file, in order, and the report."""
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)  # root's program writes as nobody
        source = os.path.join(d, "in.pcap")
        with open(source, "wb") as f:
            f.write(savefile(frames))
        p = run("-r", source, "-w", os.path.join(d, "x.pcapng"), "--json", *words)
        assert p.returncode == 0, p.stderr
        names = sorted(f for f in os.listdir(d) if f.startswith("x_"))
        assert not [f for f in os.listdir(d) if f.endswith(".part")]
        report = json.loads(p.stdout)
        files = [read_packets(os.path.join(d, f)) for f in names]
        written = report["written"]
        assert written["offered"] == len(frames), written
        assert written["packets"] == sum(map(len, files)), written
        assert written["offered"] == written["packets"] + sum(written["unwritten"].values())
        return files, report


def places(frames, packets):
    """The place of the first and last packet; the packets follow one another in the frames."""
    first = frames.index(packets[0])
    assert frames[first : first + len(packets)] == packets
    return first, first + len(packets) - 1


@case
def a_filter_triggers():
    frames = [numbered(n, 77 if n in (3000, 8000) else 53) for n in range(10000)]
    files, report = record(frames, "--recorder", "8s", "--trigger", "udp port 77,after=2")
    assert len(files) == 2
    for packets, trigger in zip(files, (3000, 8000)):
        first, last = places(frames, packets)
        # a batch of 64 packets is looked at together; a slice is a sixteenth of 8 s
        assert trigger + 200 <= last <= trigger + 200 + 64, last
        assert last - 200 - 800 - 50 - 64 <= first <= last - 200 - 800, (first, last)
    assert report["written"]["unwritten"]["overwritten"] == 10000 - sum(map(len, files))


@case
def nothing_triggers():
    frames = [numbered(n) for n in range(1000)]
    files, report = record(frames, "--recorder", "8M", "--trigger", "tcp")
    assert files == [] and report["written"]["unwritten"]["overwritten"] == 1000


@case
def memory_bounds_what_is_kept():
    frames = [numbered(n, 77 if n == 29999 else 53) for n in range(30000)]
    files, _ = record(frames, "--recorder", "4M", "--trigger", "udp port 77,after=0")
    first, last = places(frames, files[0])
    assert last == 29999
    size = sum(32 + (len(p) + 3) // 4 * 4 for p in files[0])
    assert 3 << 20 <= size + 4096 and size <= 4 << 20, size


@case
def retransmissions_trigger():
    frames = [
        tcp_frame(0, "S", 100, 0),
        tcp_frame(1, "SA", 500, 101),
        tcp_frame(0, "A", 101, 501),
    ]
    frames += [numbered(n) for n in range(300)]
    data = tcp_frame(0, "PA", 101, 501, b"x" * 100)
    frames += [data] + [numbered(300)]
    for n in range(5):
        frames += [data] + [numbered(1000 + 100 * n + k) for k in range(90)]
    for most, files_wanted in ((3, 1), (4, 1), (5, 0)):
        files, _ = record(
            frames, "--recorder", "60s", "--trigger", f"retransmissions>{most},after=0.1"
        )
        assert len(files) == files_wanted, (most, len(files))
        if files:
            trigger = [i for i, f in enumerate(frames) if f == data][most + 1]
            # frames that are equal have no place of their own: compare the end of the file
            last = frames.index(files[0][-1])
            assert trigger <= last <= trigger + 10 + 64, (trigger, last)


@case
def a_list_triggers():
    frames = [numbered(n) for n in range(500)]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
        f.write("192.0.2.0/24\n10.0.0.2\n")
        f.flush()
        files, _ = record(frames, "--recorder", "8M", "--trigger", f"list:{f.name},after=0.5")
    assert len(files) >= 1 and files[0][0] == frames[0]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
        f.write("192.0.2.0/24\n")
        f.flush()
        files, _ = record(frames, "--recorder", "8M", "--trigger", f"list:{f.name}")
    assert files == []


@case
def a_signal_triggers():
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)  # root's program writes as nobody
        target = os.path.join(d, "x.pcapng")
        p = subprocess.Popen(
            [PROGRAM, "-r", "-", "-w", target, "--recorder", "8M", "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        frames = [numbered(n) for n in range(40000)]
        text = savefile(frames)
        half = len(text) // 2
        p.stdin.write(text[:half])
        p.stdin.flush()
        end = time.monotonic() + 550
        while not [f for f in os.listdir(d) if f.startswith("x_")]:
            assert time.monotonic() < end and p.poll() is None, "no file after the signal"
            p.send_signal(signal.SIGUSR2)
            time.sleep(0.05)
        p.stdin.write(text[half:])
        out, _ = p.communicate(timeout=550)
        report = json.loads(out)
        assert p.returncode == 0
        packets = read_packets(os.path.join(d, "x_00001.pcapng"))
        first, last = places(frames, packets)
        assert report["written"]["files"] == 1
        # 5 s of packets, at most a pipe and a few batches behind the half
        assert 500 <= last - first < 40000 and last < 20000 + 500 + 2000, (first, last)


@case
def refuses_what_cannot_be():
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)  # root's program writes as nobody
        source = os.path.join(d, "in.pcap")
        with open(source, "wb") as f:
            f.write(savefile([numbered(0)]))
        target = os.path.join(d, "x.pcapng")
        for words, word in (
            (("--trigger", "tcp"), b"--recorder"),
            (("--recorder", "8M", "--trigger", "no such"), b"--trigger"),
            (("--recorder", "8M", "--trigger", "tcp,after=soon"), b"after="),
            (("--recorder", "8M", "--trigger", "list:/nonexistent"), b"/nonexistent"),
            (("--recorder", "8M", "--trigger", "retransmissions>x"), b"retransmissions"),
            (("--recorder", "8M", "--no-flows", "--trigger", "retransmissions>1"), b"flows"),
            (("--recorder", "8M", "--rotate", "size=1M"), b""),
        ):
            p = run("-r", source, "-w", target, *words)
            assert p.returncode == 2 and word in p.stderr, (words, p.returncode, p.stderr)
        assert os.listdir(d) == ["in.pcap"], os.listdir(d)


case.finish()
