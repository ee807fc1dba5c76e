# SPDX-License-Identifier: MIT
"""Seeds for fuzz_quic: the standards' Initials, and frames of a hello in many orders."""

import os
import re
import struct

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/quic_vectors.h")


def datagram(data, connection=0):
    return struct.pack(">H", connection << 11 | len(data)) + data


def frame(offset, data):
    return b"\x06" + struct.pack(">HH", 0x4000 | offset, 0x4000 | len(data)) + data


def hello():
    """A ClientHello of TLS 1.3 for example.com."""
    name = b"example.com"
    extensions = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    extensions += bytes.fromhex("0010000500030268330a0a0000002b0003020304000d000400020403")
    body = b"\x03\x03" + bytes(32) + b"\0" + bytes.fromhex("00040a0a13010100")
    body += struct.pack(">H", len(extensions)) + extensions
    return b"\1" + struct.pack(">I", len(body))[1:] + body


def quic_seeds():
    text = open(VECTORS).read()
    for name, rows in re.findall(r"char (quic_vector_\d+)\[\] =\n((?:\t\"\w+\";?\n)+)", text):
        packet = bytes.fromhex("".join(re.findall(r"\w{8,}", rows)))
        yield name.replace("_", "-"), b"\1" + datagram(packet)
        yield name.replace("_", "-") + "-tagless", b"\0" + datagram(packet + bytes(300))
    whole = hello()
    for k in range(4):
        choices = bytes([4 | k << 3 | k & 1])
        parts = [frame(at, whole[at : at + 30]) for at in range(0, len(whole), 30)]
        yield "frames-%d" % k, choices + datagram(b"\1\0".join(parts[::-1]))
        yield (
            "datagrams-%d" % k,
            choices + b"".join(datagram(p + bytes(40), 2 * j) for j, p in enumerate(parts)),
        )
    acks = b"\2\x40\x09\1\1\2\0\3\3\x09\1\0\2\1\1\x80\0\0\1\x1c\x41\0\6\3bye"
    yield "acks", b"\4" + datagram(acks + frame(0, whole))
    retry = datagram(frame(0, whole[:50]), 0) + datagram(frame(0, whole), 1)
    yield "retry", b"\5" + retry
    yield "google", b"\x1c" + datagram(b"\x08\0" + bytes([0x40, len(whole)]) + whole)
    yield "budget", b"\x24" + datagram(frame(0, whole)) * 3
    yield "many", b"\4" + b"".join(datagram(frame(2 * j, b"xy"[:1]), j) for j in range(16))
    versions = bytes.fromhex("80000000000161016200000001 1a2a3a4a")
    yield "negotiation", b"\2" + datagram(versions)
    yield "google-39", b"\0" + datagram(b"\x0d12345678Q039\1" + bytes(20))
    yield "other", b"\0" + datagram(b"\x80\0\0\0\1" + bytes(100))
