#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""write_live.py PROGRAM: numbered frames over a veth pair into -w.

Every frame that was sent is in the file, or lost under a named cause: packets in the file + packets
that the writer lost + packets that the kernel dropped = frames sent.  No number comes twice, and
the numbers rise.  A stopped program makes the kernel lose frames, a bound on memory the writer.
"""

import atexit
import os
import shutil
import signal
import struct
import tempfile

from faultcase import case, finish
from netns import Capture, join, make_space
from savefile_reader import read
from sender import send

FRAMES = "ether src 02:00:00:00:00:01"  # the sender's
MOST = 50000  # frames of a run, each with a number of its own
folder = tempfile.mkdtemp(prefix="bpfengine-")
atexit.register(shutil.rmtree, folder)
spaces = []


def make():
    """The two namespaces, joined by a pair."""
    if not spaces:
        here, there = make_space("w"), make_space("x")
        join(here, there, "vw0", "vw1", 95)
        spaces.extend((here, there))
        os.chmod(folder, 0o777)
    return spaces


def check_file(path, report, sent):
    """Checks the file against the report, and both against the frames sent.  Returns the file."""
    written, kernel = report["written"], report["kernel"]
    lost = sum(written["unwritten"].values())
    file = read(path)
    numbers = [struct.unpack_from(">H", packet.data, 18)[0] for packet in file.packets]
    assert all(a < b for a, b in zip(numbers, numbers[1:])), "numbers that do not rise"
    assert len(numbers) == written["packets"], (len(numbers), written)
    assert written["offered"] == written["packets"] + lost, written
    assert len(numbers) + lost + kernel["dropped"] == sent, (len(numbers), lost, kernel, sent)
    return file


def read_numbers(options, code):
    return [struct.unpack("<Q", value)[0] for number, value in options if number == code]


@case
def w1_every_frame_is_in_the_file():
    here, there = make()
    for name, words in (
        ("a.pcapng", ()),
        ("b.pcap", ()),
        ("c.pcapng", ("--no-flows",)),
        ("d.pcapng", ("--workers", "2")),
        # A piece of memory for each batch: none is wanting while the writer waits for a CPU.
        ("e.pcapng", ("-U", "--write-memory", "256M")),
        ("f.pcapng", ("--cutoff", "1G")),
    ):
        for count in (100, 5000, 20000):
            path = os.path.join(folder, f"{count}-{name}")
            capture = Capture(here, "vw0", "-w", path, *words, FRAMES)
            send(there, "vw1", count, here, "vw0")
            report = capture.end(count)
            check_file(path, report, count)
            assert report["written"]["packets"] == count and not capture.code, (name, report)


@case
def w2_the_kernels_losses_stand_in_the_file():
    here, there = make()
    path = os.path.join(folder, "stopped.pcapng")
    capture = Capture(here, "vw0", "-w", path, "-B", "1M", FRAMES)
    send(there, "vw1", 100, here, "vw0")
    capture.wait_for_packets(100)
    os.kill(capture.process.pid, signal.SIGSTOP)
    try:
        send(there, "vw1", MOST, here, "vw0")
    finally:
        os.kill(capture.process.pid, signal.SIGCONT)
    report = capture.end()
    assert report["kernel"]["dropped"] > 0, report["kernel"]
    file = read(path)
    assert len(file.packets) + report["kernel"]["dropped"] == MOST + 100, (
        len(file.packets),
        report,
    )
    last = file.statistics[-1][1]
    assert read_numbers(last, 7) == [report["kernel"]["dropped"]], last
    told = sum(sum(read_numbers(packet.options, 4)) for packet in file.packets)
    assert told <= report["kernel"]["dropped"], (told, report["kernel"])


finish()
