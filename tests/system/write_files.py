#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""write_files.py PROGRAM [MOMENTS]: files that end early, and books that must agree all the same.

A full disk (needs Linux and root: a small tmpfs), kill -9 at MOMENTS random moments (200), a ring,
pipes.  A case without what it needs says so.  The last line counts the cases.
"""

import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from program import PROGRAM, Cases, report, run

from progress import Running

case = Cases()
MOMENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 200
ROOT = ("-Z", "root") if os.geteuid() == 0 else ()
BASE = (*ROOT, "-q", "--no-flows")
SECTION, INTERFACE, STATISTICS, PACKET = 0x0A0D0D0A, 1, 5, 6


class File:
    """What stands in a pcapng file up to its last whole block."""

    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read()
        self.packets = self.statistics = self.whole = 0
        self.accepted = self.delivered = None
        interfaces = 0
        while self.whole + 12 <= len(data):
            kind, length = struct.unpack_from("<II", data, self.whole)
            end = self.whole + length
            if length < 12 or length % 4 or end > len(data):
                break
            assert struct.unpack_from("<I", data, end - 4)[0] == length, (path, self.whole)
            if self.whole == 0:
                assert kind == SECTION, path
            interfaces = 0 if kind == SECTION else interfaces + (kind == INTERFACE)
            if kind == PACKET:
                assert struct.unpack_from("<I", data, self.whole + 8)[0] < interfaces, path
                self.packets += 1
            elif kind == STATISTICS:
                self.statistics += 1
                self.read_counts(data[self.whole + 20 : end - 4])
            self.whole = end
        self.torn = len(data) - self.whole

    def read_counts(self, options):
        at = 0
        while at + 4 <= len(options):
            code, length = struct.unpack_from("<HH", options, at)
            if code == 8:
                self.delivered = struct.unpack_from("<Q", options, at + 4)[0]
            at += 4 + (length + 3) // 4 * 4


def read_ledger(path):
    """The lines of a ledger; the last may be torn."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    lines = text.split("\n")
    return [json.loads(line) for line in lines[:-1]]


def lines_of(ledger, *events):
    return [line for line in ledger if line["event"] in events]


def expect_tshark(path, packets):
    """tshark reads the packets of the whole blocks."""
    if not shutil.which("tshark"):
        return
    p = subprocess.run(
        ["tshark", "-n", "-r", path, "-T", "fields", "-e", "frame.number"],
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert p.stdout.count(b"\n") == packets, (path, packets, p.stdout[-100:], p.stderr)


def expect_own(path, packets):
    """The program reads them as well, and says if the file is cut off."""
    r, p = report("-r", path, *BASE)
    assert r["packets"]["read"] == packets, (path, packets, r["packets"], p.stderr)


@case
def ledger_statistics_and_report_agree():
    with tempfile.TemporaryDirectory() as folder:
        r, p = report(
            *BASE, "-i", "synth:count=50000", "-w", f"{folder}/x-%N.pcapng", "--rotate",
            "size=1M,packets=4000", "--ledger=sha256", "--write-memory", "512M",
        )  # fmt: skip
        assert p.returncode == 0, p.stderr
        ledger = read_ledger(f"{folder}/x.jsonl")
        done, (end,) = lines_of(ledger, "complete"), lines_of(ledger, "end")
        files = [File(f"{folder}/{line['name']}") for line in done]
        for line, file in zip(done, files):
            assert file.torn == 0 and file.packets == line["packets"] <= 4000, line
            assert file.whole == line["file_bytes"] <= 1 << 20, line
            told = subprocess.run(
                ["sha256sum", f"{folder}/{line['name']}"], capture_output=True, check=True
            )
            assert told.stdout.split()[0].decode() == line["sha256"], line
        written = r["written"]
        assert written["packets"] == sum(f.packets for f in files) == end["packets"] == 50000
        assert written["file_bytes"] == end["file_bytes"] == sum(f.whole for f in files)
        assert written["files"] == end["files"] == len(files) == len(os.listdir(folder)) - 1
        assert written["unwritten"] == end["unwritten"], (written, end)
        assert all(f.statistics for f in files)
        assert files[-1].delivered == 50000, files[-1].delivered
        assert [line["number"] for line in done] == list(range(1, len(done) + 1))


@case
def a_ring_takes_its_own_files_alone():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("x-00002.pcapng", "x-99999.pcapng", "x-00004.pcapng.part", "other"):
            with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
                f.write("foreign")
        for _ in range(2):
            r, p = report(
                *BASE, "-i", "synth:count=20000", "-w", f"{folder}/x-%N.pcapng", "--rotate",
                "packets=2000", "--keep", "files=3", "--write-memory", "512M",
            )  # fmt: skip
            assert p.returncode == 0 and r["written"]["packets"] == 20000, p.stderr
        for name in ("x-00002.pcapng", "x-99999.pcapng", "x-00004.pcapng.part", "other"):
            with open(f"{folder}/{name}", encoding="utf-8") as f:
                assert f.read() == "foreign", name
            os.unlink(f"{folder}/{name}")
        names = sorted(os.listdir(folder))
        assert len(names) == 4 and names[-1] == "x.jsonl", names
        for name in names[:-1]:
            assert File(f"{folder}/{name}").packets == 2000, name


def folder_bytes(folder):
    """The bytes of all files; a file may vanish meanwhile."""
    total = 0
    for name in os.listdir(folder):
        try:
            total += os.stat(f"{folder}/{name}").st_size
        except FileNotFoundError:
            pass
    return total


def kill_once(folder, moment, words, least=0):
    """Kills the program `moment` seconds after its files have more than `least` bytes."""
    with subprocess.Popen(
        [PROGRAM, *BASE, "-i", "synth:rate=200000", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        end = time.monotonic() + 550
        while folder_bytes(folder) <= least:
            assert process.poll() is None and time.monotonic() < end, process.returncode
            time.sleep(0.001)
        time.sleep(moment)
        process.kill()


def check_killed(folder, thorough):
    """What a killed run has left: whole blocks, and a ledger that is right as far as it goes."""
    packets = 0
    names = sorted(name for name in os.listdir(folder) if not name.endswith(".jsonl"))
    for name in names:
        path = f"{folder}/{name}"
        file = File(path)
        packets += file.packets
        if not name.endswith(".part"):
            assert file.torn == 0 and file.statistics, name
        if thorough and file.whole:
            expect_tshark(path, file.packets)
            expect_own(path, file.packets)
    parts = [name for name in names if name.endswith(".part")]
    assert len(parts) <= 1, parts
    done = lines_of(read_ledger(f"{folder}/x.jsonl"), "complete")
    # The file is complete before its line is written.
    assert len(names) - len(parts) - len(done) in (0, 1), (names, done)
    for line in done:
        file = File(f"{folder}/{line['name']}")
        assert (file.packets, file.whole) == (line["packets"], line["file_bytes"]), line
    return packets


@case
def kill_9_at_any_moment_leaves_whole_blocks():
    draw = random.Random(24)
    seen = 0
    for i in range(MOMENTS):
        with tempfile.TemporaryDirectory() as folder:
            words = ["-w", f"{folder}/x-%N.pcapng", "--rotate", "size=300K", "-U"]
            kill_once(folder, draw.random() * 0.05, words, 10000 * (i % 3))
            seen += check_killed(folder, i % 20 == 0)
    assert seen, "no run has written a packet"


@case
def the_next_run_goes_on_behind_a_killed_run():
    with tempfile.TemporaryDirectory() as folder:
        words = ["-w", f"{folder}/x-%N.pcapng", "--rotate", "size=300K", "-U"]
        kill_once(folder, 0.02, words, 10000)
        before = {n: os.stat(f"{folder}/{n}").st_size for n in os.listdir(folder)}
        r, p = report(
            *BASE, "-i", "synth:count=5000", "-w", f"{folder}/x-%N.pcapng", "--rotate", "size=300K",
            "--write-memory", "512M",
        )  # fmt: skip
        assert p.returncode == 0 and r["written"]["packets"] == 5000, p.stderr
        for name, size in before.items():
            assert os.stat(f"{folder}/{name}").st_size >= size, name
            assert name == "x.jsonl" or os.stat(f"{folder}/{name}").st_size == size, name
        done = lines_of(read_ledger(f"{folder}/x.jsonl"), "complete")
        assert sum(line["packets"] for line in done[-r["written"]["files"] :]) == 5000


# Mounts a tmpfs of 1 MiB over the folder, fills part of it, runs the program, and saves what is on
# the tmpfs.  $1 folder, $2 where to, $3 bytes of the filler; then the program and its words.
FULL = """
set -e
folder=$1 out=$2 filler=$3
shift 3
mount -t tmpfs -o size=1m none "$folder"
head -c "$filler" /dev/zero > "$folder/filler"
cd "$folder"
status=0
"$@" > "$out/report" 2> "$out/messages" || status=$?
cp -p "$folder"/x* "$out"
echo $status > "$out/status"
"""


def run_on_full_disk(out, words, filler=500000):
    """Runs the program in a folder of a small tmpfs; its report."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        print("skipped: a full disk needs Linux, root and unshare")
        return None
    with tempfile.TemporaryDirectory() as folder:
        p = subprocess.run(
            ["unshare", "-m", "sh", "-c", FULL, "sh", folder, out, str(filler), PROGRAM, *words],
            capture_output=True,
            text=True,
            timeout=550,
            check=False,
        )
    if p.returncode and ("unshare" in p.stderr or "mount" in p.stderr):
        print("skipped: no mount namespace here:", p.stderr.strip())
        return None
    assert p.returncode == 0, p.stderr
    with open(f"{out}/report", encoding="utf-8") as f:
        r = json.load(f)
    with open(f"{out}/messages", encoding="utf-8") as f:
        r["messages"] = f.read()
    with open(f"{out}/status", encoding="utf-8") as f:
        r["status"] = int(f.read())
    return r


def expect_full_disk(out, r, files):
    """The books balance, and the file has what the books say."""
    w = r["written"]
    assert w["offered"] == w["packets"] + sum(w["unwritten"].values()) + w["waiting"], w
    assert w["unwritten"]["write_error"] > 0 and w["waiting"] == 0, w
    assert "No space left" in r["messages"], r["messages"]
    found = [File(f"{out}/{name}") for name in files]
    assert sum(f.packets for f in found) == w["packets"] > 0, w
    assert all(f.torn == 0 for f in found)
    for name, file in zip(files, found):
        expect_tshark(f"{out}/{name}", file.packets)
        expect_own(f"{out}/{name}", file.packets)


@case
def a_full_disk_stops_or_not():
    for policy in ("stop", "continue"):
        with tempfile.TemporaryDirectory() as out:
            r = run_on_full_disk(
                out,
                [*BASE, "--json", "-i", "synth:count=20000", "-w", "x.pcapng", "--write-memory",
                 "512M", "--write-error", policy],
            )  # fmt: skip
            if not r:
                return
            expect_full_disk(out, r, ["x.pcapng"])
            assert r["status"] == 1, (policy, r["status"], r["messages"])
            assert r["messages"].count("cannot write") == 1 + (policy == "continue"), r["messages"]


@case
def a_full_disk_while_files_rotate():
    with tempfile.TemporaryDirectory() as out:
        r = run_on_full_disk(
            out,
            [*BASE, "--json", "-i", "synth:count=20000", "-w", "x-%N.pcapng", "--write-memory",
             "512M", "--rotate", "size=100K", "--write-error", "continue"],
        )  # fmt: skip
        if not r:
            return
        names = sorted(n for n in os.listdir(out) if n.endswith(".pcapng"))
        assert len(names) >= 4, names
        expect_full_disk(out, r, names)
        assert not [n for n in os.listdir(out) if n.endswith(".part")]


@case
def a_ring_on_a_small_disk_never_fills_it():
    with tempfile.TemporaryDirectory() as out:
        r = run_on_full_disk(
            out,
            [*BASE, "--json", "-i", "synth:count=30000", "-w", "x-%N.pcapng", "--write-memory",
             "512M", "--rotate", "size=64K", "--keep", "size=400K"],
        )  # fmt: skip
        if not r:
            return
        w = r["written"]
        assert w["packets"] == 30000 and w["errors"] == 0 and r["status"] == 0, (w, r["messages"])
        sizes = [os.stat(f"{out}/{n}").st_size for n in os.listdir(out) if n.endswith(".pcapng")]
        assert sum(sizes) <= 400 << 10 and len(sizes) >= 5, sizes


@case
def a_pipe_that_closes_ends_the_run_quietly():
    with subprocess.Popen(
        [PROGRAM, *BASE, "-i", "synth:count=300000", "-w", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.read(1000)
        process.stdout.close()
        messages = process.stderr.read()
        status = process.wait(timeout=550)
    assert status >= 0, f"killed by signal {-status}"
    for word in (b"cannot", b"Broken", b"any more"):
        assert word not in messages, messages
    assert status == 0, (status, messages)


@case
def a_pipe_that_nobody_reads_does_not_hold_the_end():
    ends = os.pipe()
    running = Running(
        [PROGRAM, *BASE, "-i", "synth:rate=20000", "-w", "-", "--write-memory", "4M"],
        stdout=ends[1],
    )
    running.wait_for_report("losses", lambda text: "writer_full" in text)
    running.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=550) >= 0
    text = running.read_messages()
    assert "write_error" in text, text
    for end in ends:
        os.close(end)


@case
def a_slow_pipe_gets_all_packets():
    with tempfile.NamedTemporaryFile() as messages, tempfile.NamedTemporaryFile() as out:
        with subprocess.Popen(
            [PROGRAM, *BASE, "-i", "synth:count=20000", "-w", "-", "--write-memory", "512M"],
            stdout=subprocess.PIPE,
            stderr=messages,
        ) as process:
            while piece := process.stdout.read(65536):
                out.write(piece)
                time.sleep(0.005)
            assert process.wait(timeout=550) == 0
        out.flush()
        file = File(out.name)
        assert file.packets == 20000 and file.torn == 0, file.packets


@case
def devices_and_named_descriptors_are_written():
    r, p = report(*BASE, "-i", "synth:count=1000", "-w", "/dev/null")
    assert p.returncode == 0 and r["written"]["packets"] == 1000, p.stderr
    p = run(*BASE, "-i", "synth:count=1000", "-w", "/dev/stdout")
    assert p.returncode == 0 and p.stdout[:4] == b"\x0a\x0d\x0d\x0a", p.stderr


case.finish()
