# SPDX-License-Identifier: MIT
"""What the system tests share: cases, runs of the program, its JSON report, small savefiles.

A test is called with the program's path as first argument.
"""

import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
PROGRAM = os.path.abspath(sys.argv[1])


class Cases:
    """Runs functions as cases, reports failures, and counts."""

    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, function):
        try:
            function()
            self.passed += 1
        except Exception as error:  # the other cases still run
            self.failed += 1
            line = error.__traceback__.tb_next.tb_lineno
            print(f"FAILED {function.__name__}: {type(error).__name__}: {error} (line {line})")

    def finish(self):
        """Prints the counts and ends the program."""
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)


def run(*words, **options):
    return subprocess.run([PROGRAM, *words], timeout=600, **{"capture_output": True, **options})


def report(*words, **options):
    p = run(*words, "--json", **options)
    return json.loads(p.stdout), p


def balanced(r):
    p = r["packets"]
    assert p["read"] == p["delivered"] + sum(p["dropped"].values()) and p["in_flight"] == 0, p
    assert sum(x["packets"] for x in r["protocols"].values()) == p["delivered"]
    f = r["flows"]
    assert f["opened"] == f["active"] + f["ended"] + f["evicted"], f
    return r


def udp(n):
    """Ethernet, IPv4, UDP from port 1000 + n to 53, 60 bytes."""
    ip = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 46, n, 0, 64, 17, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    )
    return bytes(12) + b"\x08\x00" + ip + struct.pack(">HHHH", 1000 + n, 53, 26, 0) + bytes(18)


def pcap(packets, magic=0xA1B2C3D4, end="<"):
    out = struct.pack(end + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    for i, p in enumerate(packets):
        out += struct.pack(end + "IIII", 1700000000 + i, 5, len(p), len(p)) + p
    return out
