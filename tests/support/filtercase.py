# SPDX-License-Identifier: MIT
"""Counts how many made packets match a filter, and builds frames that filters are tried on."""

import struct
import tempfile

from faultcase import count_matches, run
from packets import HOST_A6, HOST_B6, ethernet, ipv6, pcap, spaced

SNAP4 = bytes.fromhex("aaaa030000000800")
SNAP6 = bytes.fromhex("aaaa0300000086dd")


def count(link_type, frames, expression, *words):
    """How many of the frames, in a savefile of the link type, match."""
    return count_matches(pcap(spaced(*frames), link_type), expression, *words)


def agrees(link_type, frame, yes, no=(), words=()):
    """The frame matches each of `yes` and none of `no`, and their negations the other way."""
    for expression in yes:
        assert count(link_type, [frame], expression, *words) == 1, expression
        assert count(link_type, [frame], f"not ( {expression} )", *words) == 0, expression
    for expression in no:
        assert count(link_type, [frame], expression, *words) == 0, expression
        assert count(link_type, [frame], f"not ( {expression} )", *words) == 1, expression


def refused(link_type, expression, *texts, code=2):
    """The expression is refused, and the message has each of the texts."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(pcap(spaced(b"\0" * 60), link_type))
        f.flush()
        p = run("-r", f.name, "-f", expression)
    assert p.returncode == code, (expression, p.returncode)
    for text in texts:
        assert text.encode() in p.stderr, (expression, p.stderr)


def fragment6(protocol, payload, offset, more, next_headers=b""):
    """An IPv6 fragment, behind so many hop-by-hop or other headers of eight bytes."""
    kinds = list(next_headers) + [44]
    out = b""
    for kind, following in zip(kinds, kinds[1:] + [protocol]):
        out += struct.pack(">BBHI", following, 0, offset << 3 | more if kind == 44 else 0, 7)
    return ethernet(ipv6(HOST_A6, HOST_B6, kinds[0], out + payload))


def wlan(body, qos=False, four=False, order=False, pad=False, direction=1):
    """A data frame; four addresses have both direction bits."""
    out = (
        bytes([0x88 if qos else 0x08, (3 if four else direction) | (0x80 if order else 0)])
        + b"\0\0"
    )
    out += b"AAAAAABBBBBBCCCCCC\x10\0" + (b"DDDDDD" if four else b"")
    out += (b"\0\0" if qos else b"") + (b"HTHT" if qos and order else b"")
    return out + (b"\0" * (-len(out) % 4) if pad else b"") + body


def radiotap(frame, length, pad, bitmaps=1, time=False):
    """The frame behind a radiotap header that is filled up to the length."""
    present = 2 | (1 if time else 0)
    words = (
        [0x80000000 | present] + [0xA0000000] * (bitmaps - 2) + [0] if bitmaps > 1 else [present]
    )
    out = b"".join(struct.pack("<I", w & 0xFFFFFFFF) for w in words)
    at = 4 + len(out)
    if time:
        out += b"\0" * (-at % 8) + b"\x11" * 8
    out += bytes([0x20 if pad else 0])
    length = max(length, 4 + len(out))
    out += b"\xee" * (length - 4 - len(out))
    return struct.pack("<BBH", 0, 0, length) + out + frame


def radio_headers():
    """(link type, what stands in front of the frame)."""
    prism = struct.pack("<II", 0x44, 144) + b"\0" * 136
    return [
        (105, b""),
        (127, struct.pack("<BBHI", 0, 0, 8, 0)),
        (119, prism),
        (119, struct.pack(">II", 0x44, 144) + b"\0" * 136),
        (119, struct.pack("<II", 0x44, 120) + b"\0" * 112),
        (119, struct.pack(">II", 0x80211001, 64) + b"\0" * 56),
        (163, struct.pack(">II", 0x80211002, 72) + b"\0" * 64),
        (192, struct.pack("<BBHI", 0, 0, 20, 105) + b"\0" * 12),
    ]
