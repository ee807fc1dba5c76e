#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""packed_write.py PROGRAM: compressed savefiles that bpfengine writes: read again by bpfengine, by
the form's own program and tshark; the ledger's index of frames; files cut anywhere; levels; what
limits of size mean.

Forms that the build lacks are left out, and must be refused.  The last line counts the cases.
"""

import gzip
import json
import os
import random
import re
import shutil
import subprocess
import tempfile

from program import Cases, pcap, report, run, udp

case = Cases()
PACKETS = 24000
BUILT = re.search(rb"files=([\w,]+)", run("--version").stdout).group(1).decode().split(",")
ENDINGS = {"zstd": ".zst", "lz4": ".lz4", "gzip": ".gz"}
WRITTEN = [form for form in ENDINGS if form in BUILT]
FOLDER = tempfile.TemporaryDirectory()
os.chmod(FOLDER.name, 0o777)  # the program gives up root


def make_capture():
    """A savefile with payloads that compress by half."""
    noise = random.Random(1)
    packets = [udp(k % 3000) + noise.randbytes(60) for k in range(PACKETS)]
    path = os.path.join(FOLDER.name, "plain.pcap")
    with open(path, "wb") as f:
        f.write(pcap(packets))
    os.chmod(path, 0o644)
    return path


PLAIN = make_capture()


def folder_of(name):
    path = os.path.join(FOLDER.name, name)
    os.mkdir(path)
    os.chmod(path, 0o777)
    return path


def unpack(form, data):
    """The plain bytes by Python or the form's program; None without that."""
    if form == "gzip":
        return gzip.decompress(data)
    if not shutil.which(form):
        return None
    return subprocess.run(
        [form, "-dc"], input=data, capture_output=True, check=True, timeout=550
    ).stdout


def read_ledger(folder):
    """The lines of complete files."""
    (name,) = [n for n in os.listdir(folder) if n.endswith(".jsonl")]
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    return [line for line in lines if line["event"] == "complete"]


def load(path):
    with open(path, "rb") as f:
        return f.read()


def counts(r):
    return {key: r[key] for key in ("linktype", "packets", "bytes", "protocols", "packet_seconds")}


@case
def written_files_are_read_by_all():
    plain, _ = report("-r", PLAIN, "-q")
    for form in WRITTEN:
        for name in ("a.pcapng", "a.pcap"):
            path = os.path.join(FOLDER.name, name + ENDINGS[form])
            p = run("-r", PLAIN, "-q", "-w", path)
            assert p.returncode == 0, (form, p.stderr)
            r, p = report("-r", path, "-q")
            assert counts(r) == counts(plain) and form in r["source"], (form, p.stderr)
            assert os.path.getsize(path) < os.path.getsize(PLAIN) * 0.9, form
            data = unpack(form, load(path))
            if data is not None:
                r, p = report("-r", "-", "-q", input=data)
                assert counts(r) == counts(plain), (form, p.stderr)
            if shutil.which("tshark"):
                p = subprocess.run(
                    ["tshark", "-r", path, "-T", "fields", "-e", "frame.len"],
                    capture_output=True,
                    timeout=550,
                )
                # A tshark without the form's library cannot open the file.
                assert p.returncode or p.stdout.count(b"\n") == PACKETS, (form, p.stderr[-300:])


@case
def a_pipe_gets_frames():
    for form in WRITTEN:
        p = run("-r", PLAIN, "-q", "-w", "-", "--write-compression", form)
        assert p.returncode == 0, p.stderr
        r, _ = report("-r", "-", "-q", input=p.stdout)
        assert r["packets"]["read"] == PACKETS and f", {form})" in r["source"], r["source"]


@case
def the_ledger_tells_where_frames_begin():
    for form in WRITTEN:
        folder = folder_of("ledger-" + form)
        path = os.path.join(folder, "x.pcapng" + ENDINGS[form])
        p = run("-r", PLAIN, "-q", "-w", path, "--ledger")
        assert p.returncode == 0, p.stderr
        (line,) = read_ledger(folder)
        data, frames = load(path), line["frames"]
        assert line["file_bytes"] == len(data) and line["packets"] == PACKETS, line
        assert len(frames) > 2 and frames[0]["offset"] == 0, frames
        assert sum(frame["packets"] for frame in frames) == PACKETS, frames
        ends = [frame["offset"] for frame in frames[1:]] + [len(data)]
        for frame, end in zip(frames, ends):
            alone = unpack(form, data[frame["offset"] : end])
            assert alone is None or len(alone) <= 1 << 20, (form, len(alone))
        first, last = data[: ends[0]], data[frames[-2]["offset"] : ends[-2]]
        # A frame in the middle is whole blocks: behind the first frame it is a savefile.
        r, p = report("-r", "-", "-q", input=first + last)
        read = frames[0]["packets"] + frames[-2]["packets"]
        assert r["packets"]["read"] == read and r["error"] is None, (form, r["error"])


@case
def cut_files_are_read_up_to_the_last_whole_frame():
    for form in WRITTEN:
        folder = folder_of("cut-" + form)
        path = os.path.join(folder, "x.pcapng" + ENDINGS[form])
        run("-r", PLAIN, "-q", "-w", path, "--ledger")
        (line,) = read_ledger(folder)
        data, frames = load(path), line["frames"]
        for k in range(3, 8):
            cut = len(data) * k // 8
            starts = [f["offset"] for f in frames if f["offset"] <= cut]
            whole = sum(f["packets"] for f in frames[: len(starts) - 1])
            if not whole:
                continue
            r, p = report("-r", "-", "-q", input=data[:cut])
            assert whole <= r["packets"]["read"] < PACKETS, (form, cut, whole, r["packets"])
            assert "truncated" in r["error"], r["error"]


@case
def limits_of_size_count_plain_bytes():
    for form in WRITTEN:
        folder = folder_of("rotate-" + form)
        path = os.path.join(folder, "x.pcapng" + ENDINGS[form])
        p = run("-r", PLAIN, "-q", "-w", path, "--rotate", "size=1M")
        assert p.returncode == 0, p.stderr
        lines = read_ledger(folder)
        assert len(lines) > 2 and sum(line["packets"] for line in lines) == PACKETS, len(lines)
        for line in lines:
            data = load(os.path.join(folder, line["name"]))
            plain = unpack(form, data)
            assert len(data) == line["file_bytes"] < 0.95e6, (form, line["file_bytes"])
            assert plain is None or len(plain) <= 1 << 20, (form, len(plain))
            r, p = report("-r", os.path.join(folder, line["name"]), "-q")
            assert r["packets"]["read"] == line["packets"], (form, line)
        if plain is not None:  # full files come near the limit
            longest = max(len(unpack(form, load(os.path.join(folder, l["name"])))) for l in lines)
            assert longest > 0.95e6, longest


@case
def levels_and_refusals():
    folder = folder_of("levels")
    for form, low, high, wrong in (
        ("zstd", "zstd:1", "zstd:9", "zstd:23"),
        ("lz4", "lz4", "lz4:12", "lz4:13"),
        ("gzip", "gzip:1", "gzip:9", "gzip:10"),
    ):
        path = os.path.join(folder, form)
        if form not in WRITTEN:
            p = run("-r", PLAIN, "-q", "-w", path, "--write-compression", form)
            assert p.returncode != 0 and b"made without" in p.stderr, p.stderr
            continue
        sizes = []
        for level in (low, high):
            file = path + level[-2:]
            p = run("-r", PLAIN, "-q", "-w", file, "--write-compression", level)
            assert p.returncode == 0, (level, p.stderr)
            sizes.append(os.path.getsize(file))
        assert sizes[1] < sizes[0], (form, sizes)
        p = run("-r", PLAIN, "-q", "-w", path + "2", "--write-compression", wrong)
        assert p.returncode != 0 and b"level" in p.stderr, (wrong, p.stderr)
        assert not os.path.exists(path + "2"), wrong
    p = run("-r", PLAIN, "-q", "-w", os.path.join(FOLDER.name, "x.xz"))
    assert p.returncode != 0 and b".zst, .lz4 or .gz" in p.stderr, p.stderr


case.finish()
