#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""packed.py PROGRAM: compressed savefiles: every form as a file and through a pipe, confined as
usual; frames of several forms behind each other; torn and damaged files; small files with huge
outputs, whose memory is bounded and which can be stopped.

Forms that the build lacks (bpfengine --version) must be refused with the library and the command.
zstd and lz4 are packed by their programs, where they are installed.  The last line counts the
cases.
"""

import gzip
import lzma
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import zlib

from program import PROGRAM, Cases, balanced, pcap, report, run, udp

case = Cases()
PACKETS = 500
MEMORY_MOST = 400 << 20  # bytes: a window of 128 MiB, blocks, and a sanitizer's own
PLAIN = pcap([udp(k) for k in range(PACKETS)])
BUILT = (
    re.search(rb"files=([\w,]+)", run("--version").stdout).group(1).decode().strip(",").split(",")
)


def by_program(*command):
    """A function that packs by a program, or None where it is not installed."""
    if not shutil.which(command[0]):
        return None
    return lambda data: (
        subprocess.run(command, input=data, capture_output=True, check=True, timeout=600).stdout
    )


PACKERS = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "zstd": by_program("zstd", "-q", "-c"),
    "lz4": by_program("lz4", "-q", "-c"),
}
LIBRARIES = {"gzip": "zlib", "xz": "liblzma", "zstd": "libzstd", "lz4": "liblz4"}
READ = {form: pack for form, pack in PACKERS.items() if pack and form in BUILT}
FOLDER = tempfile.TemporaryDirectory()


def write(name, data):
    path = os.path.join(FOLDER.name, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def counts(r):
    """What must not depend on the form."""
    balanced(r)
    keys = ("linktype", "packets", "bytes", "protocols", "network", "sizes", "packet_seconds")
    return {key: r[key] for key in keys}


@case
def every_form_gives_the_same_report():
    plain, _ = report("-r", write("x.pcap", PLAIN))
    assert plain["packets"]["read"] == PACKETS
    for form, pack in READ.items():
        path = write("x.pcap." + form, pack(PLAIN))
        r, p = report("-r", path)
        assert p.returncode == 0 and counts(r) == counts(plain), (form, p.stderr)
        assert r["source"].endswith(f"-endian, {form})"), r["source"]
        with open(path, "rb") as f:
            r, p = report("-r", "-", stdin=f)
        assert p.returncode == 0 and counts(r) == counts(plain), (form, p.stderr)
        with open(path, "rb") as f:
            r, p = report("-r", "-", input=f.read())
        assert p.returncode == 0 and counts(r) == counts(plain), (form, p.stderr)
        assert r["rights"]["confined"] == plain["rights"]["confined"]


@case
def forms_that_this_build_lacks():
    begins = {
        "gzip": b"\x1f\x8b\x08\0",
        "xz": b"\xfd7zXZ\0",
        "zstd": b"\x28\xb5\x2f\xfd",
        "lz4": b"\x04\x22\x4d\x18",
    }
    for form in set(PACKERS) - set(BUILT):
        p = run("-r", write("lacking", begins[form] + bytes(60)))
        assert p.returncode == 4 and f"{form} -dc".encode() in p.stderr, (form, p.stderr)
        with open(os.path.join(FOLDER.name, "lacking"), "rb") as f:
            p = run("-r", "-", stdin=f)
        assert LIBRARIES[form].encode() in p.stderr, (form, p.stderr)
    assert set(BUILT) <= {"plain", *PACKERS}, BUILT


@case
def frames_behind_each_other():
    head, packets = PLAIN[:24], PLAIN[24:]
    size = len(packets) // PACKETS
    data, whole = b"", 0
    forms = list(READ) * 3
    skippable = b"\x5a\x2a\x4d\x18" + struct.pack("<I", 5) + b"xxxxx"
    for k, form in enumerate(forms):
        data += skippable if {"zstd", "lz4"} & set(READ) else b""
        data += READ[form](packets[k * size : (k + 1) * size] if k else head + packets[:size])
        whole += 1
    if whole:
        r, p = report("-r", write("mixed", data))
        assert p.returncode == 0 and r["packets"]["read"] == whole, (p.stderr, r["packets"])


@case
def torn_files_give_what_is_whole():
    for form, pack in READ.items():
        half = len(PLAIN) // 2
        first, second = pack(PLAIN[:half]), pack(PLAIN[half:])
        before = (half - 24) // ((len(PLAIN) - 24) // PACKETS)
        cut = first + second[: len(second) // 2]
        r, p = report("-r", write("torn", cut))
        assert p.returncode == 1 and before <= r["packets"]["read"] < PACKETS, (form, p.stderr)
        assert f"truncated {form} file".encode() in p.stderr, (form, p.stderr)
        assert "truncated" in r["error"] and balanced(r), r["error"]
        r, p = report("-r", "-", input=cut)
        assert before <= r["packets"]["read"] < PACKETS and "truncated" in r["error"], form


@case
def damaged_files_name_the_place():
    for form, pack in READ.items():
        first = pack(PLAIN)
        r, p = report("-r", write("damaged", first + b"garbage that is no frame"))
        assert p.returncode == 1 and r["packets"]["read"] == PACKETS, (form, p.returncode, p.stderr)
        assert f"damaged at byte {len(first)} of the {form} file" in r["error"], r["error"]


def bombs():
    """Small files with 2 GiB of zeros in them: alone, and behind a savefile whose last block
    says that it is that long."""
    block = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    block += struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20) + struct.pack("<II", 0x0BAD, 0x7FFFFFF0)
    for form in READ:
        if form == "xz":  # packs zeros slowly: 256 MiB must do
            piece, times = lzma.compress(bytes(64 << 20), preset=1), 4
        else:
            piece, times = READ[form](bytes(64 << 20)), 32
        yield form, piece * times
        yield form, READ[form](block) + piece * times


@case
def bombs_use_bounded_memory():
    for form, bomb in bombs():
        assert len(bomb) < 20 << 20
        path = write("bomb", bomb)
        p = subprocess.Popen(
            [PROGRAM, "-r", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        told = p.stderr.read()
        p.stderr.close()
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        used = usage.ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)
        assert used < MEMORY_MOST, (form, used)
        assert p.returncode in (0, 1, 4) and told, (form, p.returncode, told)


@case
def windows_above_the_bound_are_refused():
    if "zstd" in READ:
        path = write("widest.zst", by_program("zstd", "-q", "-c", "--long=27")(PLAIN))
        assert report("-r", path)[0]["packets"]["read"] == PACKETS
        # Magic, a descriptor without a length, a window of 2 GiB, an empty last block.
        path = write("window.zst", b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00")
        p = run("-r", path)
        assert p.returncode == 4 and b"window is larger than 128 MiB" in p.stderr, p
        assert b"zstd -dc" in p.stderr, p
    if "xz" in READ:
        data = bytearray(lzma.compress(PLAIN))
        end = 12 + 4 * data[12]  # of the block's header, whose CRC is behind it
        assert data[14:16] == b"\x21\x01", data[12:24]  # LZMA2, a byte of properties
        data[16] = 34  # a dictionary of 512 MiB
        data[end : end + 4] = struct.pack("<I", zlib.crc32(data[12:end]))
        p = run("-r", write("window.xz", data))
        assert p.returncode == 4 and b"dictionary is larger than 128 MiB" in p.stderr, p


def feed(pipe, first, piece):
    """Writes until nobody reads any more."""
    try:
        pipe.write(first)
        while True:
            pipe.write(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass


@case
def an_endless_file_can_be_stopped():
    """SIGINT while frames come without end: with packets, and with nothing in them."""
    for form, packets in [(f, n) for f in READ for n in (20, 0)]:
        piece = READ[form](PLAIN[24:] * packets)
        p = subprocess.Popen(
            [PROGRAM, "-r", "-", "--json"],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        feeder = threading.Thread(target=feed, args=(p.stdin, READ[form](PLAIN), piece))
        feeder.start()
        told = p.stderr.readline()
        assert b"reading from" in told, told
        p.send_signal(signal.SIGINT)
        out, told = p.stdout.read(), p.stderr.read()
        p.wait(550)
        feeder.join(550)
        p.stdin.close()
        assert p.returncode in (0, 130), (form, p.returncode, told)
        assert b'"packets":{' in out, (form, out[:200], told)


case.finish()
