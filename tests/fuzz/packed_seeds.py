# SPDX-License-Identifier: MIT
"""Seeds for fuzz_packed: frames of each form, made by Python or by hand."""

import gzip
import lzma
import struct


def packed_seeds(plain):
    """A plain savefile in each form, behind a byte of choices."""
    yield "gzip", b"\x3f" + gzip.compress(plain, mtime=0)
    yield "gzip-members", b"\x0a" + gzip.compress(plain[:40], mtime=0) * 2 + bytes(9)
    yield "xz", b"\x3f" + lzma.compress(plain)
    yield "xz-padded", b"\x12" + (lzma.compress(plain[:24]) + bytes(8)) * 2
    # A raw block and the frame's end, without a checksum.
    raw = struct.pack("<I", len(plain) << 3 | 1)[:3] + plain
    yield "zstd", b"\x3f\x28\xb5\x2f\xfd\0\x58" + raw
    repeated = struct.pack("<I", 4096 << 3 | 3)[:3] + b"x"
    yield "zstd-repeated", b"\0\x28\xb5\x2f\xfd\0\x58" + repeated
    yield "zstd-window", b"\0\x28\xb5\x2f\xfd\0\xa8\x01\0\0"
    frame = b"\x04\x22\x4d\x18\x60\x40\x82" + struct.pack("<I", 1 << 31 | len(plain)) + plain
    yield "lz4", b"\x3f" + frame + bytes(4)
    yield "lz4-old", b"\0\x02\x21\x4c\x18" + frame
    skippable = b"\x53\x2a\x4d\x18\x03\0\0\0abc"
    yield "skippable", b"\x09" + skippable + frame + bytes(4) + skippable
    yield "empty", b"\0"
