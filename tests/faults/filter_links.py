#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""filter_links.py PROGRAM: filters on each link type, with its own words and those of all."""

import struct
import tempfile

from faultcase import case, count_matches, finish, run
from filtercase import SNAP4, agrees, count, refused, wlan
from packets import MAC_HEADER, enhanced, ethernet, interface, pcap, section, spaced, udp4, udp6

# ---- OSI ----

ISIS_KINDS = {
    "iih": (15, 16, 17),
    "lsp": (18, 20),
    "csnp": (24, 25),
    "psnp": (26, 27),
    "snp": (24, 25, 26, 27),
    "l1": (15, 17, 18, 24, 26),
    "l2": (16, 17, 20, 25, 27),
}
ISIS_LINKS = [
    (104, b"\x0f\0\xfe\xfe\3"),
    (112, b"\x0f\0\xfe\xfe\3"),
    (9, b"\xff\3\0\x23"),
    (50, b"\xff\3\0\x23"),
    (107, b"\x18\x41\3"),
    (1, MAC_HEADER + struct.pack(">H", 60) + b"\xfe\xfe\3"),
    (113, b"\0\0" + b"\0" * 12 + b"\0\4" + b"\xfe\xfe\3"),
    (10, b"\x50" + MAC_HEADER + b"\xfe\xfe\3"),
    (6, b"\x10\x40" + MAC_HEADER + b"\xfe\xfe\3"),
    (100, b"\xfe\xfe\3"),
    (105, wlan(b"\xfe\xfe\3")),
]


@case
def isis_words_match_on_every_link_type_that_carries_osi():
    for link_type, front in ISIS_LINKS:
        frames = [front + bytes([0x83, 27, 1, 0, kind, 1, 0, 0]) + b"\0" * 24 for kind in range(32)]
        assert count(link_type, frames, "isis") == 32, link_type
        for word, kinds in ISIS_KINDS.items():
            assert count(link_type, frames, word) == len(kinds), (link_type, word)
            assert count(link_type, frames, f"not {word}") == 32 - len(kinds), (link_type, word)
        assert count(link_type, frames, "isis proto 18") == 1, link_type
        others = [front + bytes([first]) + b"\0" * 32 for first in (0x81, 0x82, 0x83)]
        for word in ("clnp", "esis", "isis"):
            assert count(link_type, others, word) == 1, (link_type, word)
        assert count(link_type, others, "iso") == 3, link_type


LLC = {
    "i": 0x00,
    "rr": 0x01,
    "rnr": 0x05,
    "rej": 0x09,
    "ui": 0x03,
    "ua": 0x63,
    "disc": 0x43,
    "dm": 0x0F,
    "sabme": 0x6F,
    "test": 0xE3,
    "xid": 0xAF,
    "frmr": 0x87,
}


@case
def every_llc_word_tells_its_frames():
    fronts = [
        (1, MAC_HEADER + b"\0\x20"),
        (10, b"\x50" + MAC_HEADER),
        (6, b"\x10\x40" + MAC_HEADER),
        (105, wlan(b"")),
        (100, b""),
    ]
    for link_type, front in fronts:
        frames = {
            w: front + b"\x42\x42" + bytes([control]) + b"\0" * 30 for w, control in LLC.items()
        }
        for word in LLC:
            got = [w for w, f in frames.items() if count(link_type, [f], f"llc {word}")]
            assert got == [word], (link_type, word, got)
        assert count(link_type, frames.values(), "llc u") == 8
        assert count(link_type, frames.values(), "llc s") == 3


# ---- Link types ----


@case
def bytes_and_lengths_can_be_asked_for_on_any_link_type():
    frames = [bytes(range(40)), b"\xff" * 120]
    for link_type in list(range(0, 300)) + [1000, 65535]:
        if link_type in (119, 163, 258):  # these have a header in front, which these bytes are not
            continue
        data = pcap(spaced(*frames), link_type)
        with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
            f.write(data)
            f.flush()
            p = run("-r", f.name, "--no-flows", "--json", "len", ">", "100")
            assert b'"read":1' in p.stdout.replace(b" ", b""), (link_type, p.stdout[:200], p.stderr)
    for link_type in (147, 189, 195, 220, 253, 289, 400):
        for text, right in (
            ("less 40", 1),
            ("greater 41", 1),
            ("byte 3 = 3", 1),
            ("link[4:2] = 0x405", 1),
            ("len - 20 = link[20]", 1),
            ("not link[1] = 1 and len > 30", 1),
            ("link[2:4] & 1 = 1", 2),
        ):
            assert count(link_type, frames, text) == right, (link_type, text)
        refused(link_type, "tcp port 80", "len", "without", code=4)


PFLOG = b"\x3d\2\1\0em0" + b"\0" * 13 + b"web" + b"\0" * 13 + struct.pack(">II", 7, 9) + b"\0" * 20
RAW_LINKS = [
    (12, b""),
    (14, b""),
    (101, b""),
    (109, b"\2\0\0\0" + b"\0" * 8),
    (138, b"\0" * 16 + b"\x08\0"),
    (226, b"\1\2" + b"\0" * 22),
    (0, b"\2\0\0\0"),
    (0, b"\0\0\0\2"),
    (108, b"\0\0\0\2"),
    (117, PFLOG),
    (107, b"\x18\x41\3\xcc"),
    (7, b"\1\2\xd4\0\0\0"),
    (129, b"\1\2\0\0\xd4\0\0\0"),
    (166, b"\0\3\0\x21"),
    (112, b"\x0f\0\x08\0"),
    (99, b"\0" * 6 + b"\x08\0" + b"\0" * 36),
    (100, SNAP4),
    (106, SNAP4),
    (122, b"\0" * 16 + SNAP4),
    (123, b"\2\0\0\x20" + SNAP4),
    (240, b"\0" * 4 + MAC_HEADER + b"\x08\0"),
    (241, b"\0" * 12 + MAC_HEADER + b"\x08\0"),
    (103, b"\0" * 5 + b"\0\x21" + b"\0" * 17),
    (179, b"MGC\1"),
]


@case
def ip_is_found_on_every_link_type_that_carries_it():
    assert count(228, [udp4()], "ip and udp port 53 and not tcp") == 1
    for link_type, front in RAW_LINKS:
        frame = front + udp4()
        agrees(
            link_type,
            frame,
            [
                "ip",
                "udp",
                "udp port 53",
                "host 192.0.2.1",
                "ip[9] = 17",
                "udp[2:2] = 53",
                "src net 192.0.2.0/24",
            ],
            ["tcp", "udp port 54", "host 192.0.2.99"],
        )
    assert count(229, [udp6()], "ip6 and udp port 53 and not tcp") == 1
    for link_type, front in (
        (12, b""),
        (14, b""),
        (109, b"\x18" + b"\0" * 11),
        (226, b"\1\x1a" + b"\0" * 22),
        (117, b"\x3d\x18" + b"\0" * 62),
        (117, b"\x3d\x1c" + b"\0" * 62),
        (0, b"\0\0\0\x1e"),
        (138, b"\0" * 16 + b"\x86\xdd"),
    ):
        agrees(link_type, front + udp6(), ["ip6", "udp port 53", "host 2001:db8::1"], ["ip", "tcp"])


@case
def pflog_words_ask_for_what_pf_logged():
    front = PFLOG
    logged = front[:60] + b"\1\0\0\0"
    frame = logged + udp4()
    agrees(
        117,
        frame,
        [
            "on em0",
            "ifname em0",
            "rnr 7",
            "rulenum 7",
            "srnr 9",
            "subrulenum 9",
            "rset web",
            "ruleset web",
            "reason match",
            "reason 0",
            "action block",
            "inbound",
            "on em0 and action block and udp port 53",
        ],
        [
            "on em",
            "on em00",
            "rnr 8",
            "srnr 7",
            "rset we",
            "reason short",
            "action pass",
            "outbound",
        ],
    )
    refused(117, "reason nothing", "no such reason")
    refused(117, "action nothing", "no such action")
    refused(1, "on em0", "PFLOG")


@case
def directions_in_headers_are_words():
    pairs = [
        (113, b"\0\0" + b"\0" * 14, b"\0\4" + b"\0" * 14),
        (276, b"\0" * 20, b"\0" * 10 + b"\4" + b"\0" * 9),
        (226, b"\1\2\0\2" + b"\0" * 20, b"\1\2\0\1" + b"\0" * 20),
        (179, b"MGC\1", b"MGC\0"),
        (166, b"\0\3\0\x21", b"\1\3\0\x21"),
        (204, b"\0", b"\1"),
        (201, b"\0\0\0\1", b"\0\0\0\0"),
        (177, b"\0\0" + b"\0" * 14, b"\0\4" + b"\0" * 14),
    ]
    for link_type, received, sent in pairs:
        frames = [received + udp4(), received + udp4(), sent + udp4()]
        assert count(link_type, frames, "inbound") == 2, link_type
        assert count(link_type, frames, "outbound") == 1, link_type


@case
def each_link_type_of_a_file_gets_its_program():
    data = (
        section()
        + interface()
        + interface(link_type=101)
        + interface(link_type=220)
        + interface(link_type=117)
    )
    data += enhanced(0, 1, ethernet(udp4())) + enhanced(1, 2, udp4()) + enhanced(2, 3, b"\0" * 200)
    data += enhanced(3, 4, PFLOG + udp4())
    assert count_matches(data, "len > 90") == 2
    assert count_matches(data, "link[0] = 2 or link[0] = 0x45") == 2


@case
def fields_of_atm_and_ss7_compare_as_numbers():
    units = [
        bytes([0, 0, 5, sio]) + struct.pack("<I", dpc | opc << 14 | sls << 28)
        for sio, dpc, opc, sls in ((3, 300, 16000, 1), (4, 10, 5, 2), (5, 16383, 4000, 15))
    ]
    for text, right in (
        ("opc 16000", 1),
        ("opc > 4", 3),
        ("opc > 4000", 1),
        ("dpc < 300", 1),
        ("dpc >= 300", 2),
        ("sls 15", 1),
        ("sls <= 2", 2),
        ("sio (3 or 5)", 2),
        ("opc != 5", 2),
        ("msu", 3),
        ("fisu", 0),
    ):
        assert count(140, units, text) == right, text
        assert count(139, [b"\0" * 4 + u for u in units], text) == right, text
    cells = [bytes([2, 0, 0, vci]) + SNAP4 + udp4() for vci in (1, 2, 5, 16, 3, 4, 40)]
    for text, right in (
        ("vci 5", 1),
        ("vci > 4", 3),
        ("vci != 3", 6),
        ("metac", 1),
        ("bcc", 1),
        ("sc", 1),
        ("ilmic", 1),
        ("oam", 2),
        ("oamf4sc", 1),
        ("oamf4ec", 1),
        ("vpi 0", 7),
        ("udp port 53", 7),
        ("lane", 0),
    ):
        assert count(123, cells, text) == right, text
    frame = b"\1\0\0\x28\0\1" + ethernet(udp4())
    agrees(
        123,
        frame,
        ["lane", "lane and ip", "lane and udp port 53", "lane and ether src 02:00:00:00:00:01"],
        ["llc", "lane and arp"],
    )


@case
def arcnet_addresses_are_written_with_a_dollar_sign():
    frame = b"\x05\x0a\xd4\0\0\0" + udp4()
    agrees(
        7,
        frame,
        ["link host $5", "link src $05", "link dst $a", "ip"],
        ["link src $a", "broadcast"],
    )
    agrees(
        129,
        b"\1\0\0\0\xd4\0\0\0" + udp4(),
        ["broadcast", "multicast", "link src $1"],
        ["link dst $1"],
    )


finish()
