#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""minos.py FILE VERSION: says which macOS a Mach-O file wants at least; exits 1 unless it is
VERSION.

The load command is LC_BUILD_VERSION or, for old targets, LC_VERSION_MIN_MACOSX
(mach-o/loader.h)."""

import struct
import sys

MAGIC_64, LC_VERSION_MIN_MACOSX, LC_BUILD_VERSION, MACOS = 0xFEEDFACF, 0x24, 0x32, 1


def read_minimum(data):
    """The version as (major, minor), or None where the file tells none."""
    magic, _, _, _, commands = struct.unpack_from("<5I", data)
    if magic != MAGIC_64:
        return None
    at = 32
    for _ in range(commands):
        command, size, first, second = struct.unpack_from("<4I", data, at)
        if command == LC_VERSION_MIN_MACOSX:
            return first >> 16, first >> 8 & 255
        if command == LC_BUILD_VERSION and first == MACOS:
            return second >> 16, second >> 8 & 255
        at += size
    return None


with open(sys.argv[1], "rb") as f:
    minimum = read_minimum(f.read())
told = "no version" if minimum is None else "{}.{}".format(*minimum)
print(f"it wants macOS {told}")
sys.exit(told != sys.argv[2])
