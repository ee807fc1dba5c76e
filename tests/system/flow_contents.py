#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""flow_contents.py PROGRAM: values of flow records, on savefiles made here.

Bytes, direction, ICMP, interfaces.  The last line counts the cases.
"""

import csv
import io
import json
import os
import struct
import tempfile

from flow_runs import written
from program import Cases

case = Cases()
A, B = (10, 0, 0, 1), (10, 0, 0, 2)


def ip4(proto, src, dst, payload, tos=0):
    return (
        struct.pack(
            ">BBHHHBBH4s4s",
            0x45,
            tos,
            20 + len(payload),
            0,
            0,
            64,
            proto,
            0,
            bytes(src),
            bytes(dst),
        )
        + payload
    )


def tcp(sport, dport, seq, ack, flags, data=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 1000, 0, 0) + data


def udp(sport, dport, data=b""):
    return struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data


def ether(packet, least=60, vlan=None):
    head = bytes(12) + (struct.pack(">HH", 0x8100, vlan) if vlan else b"") + b"\x08\x00"
    return (head + packet).ljust(least, b"\0")


def pcap(path, frames, snaplen=65535):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, 1))
        for i, frame in enumerate(frames):
            f.write(
                struct.pack("<IIII", 1000 + i, 0, min(len(frame), snaplen), len(frame))
                + frame[:snaplen]
            )


def flows_of(frames, *words, snaplen=65535, format="json"):
    with tempfile.TemporaryDirectory() as d:
        pcap(os.path.join(d, "x.pcap"), frames, snaplen)
        _, text = written("-r", os.path.join(d, "x.pcap"), "--flows-format", format, *words)
        return [json.loads(l) for l in text.splitlines()]


@case
def bytes_as_ip_says():
    """Padding does not count, what was not captured does."""
    conversation = [
        (A, B, tcp(2000, 80, 100, 0, 2)),
        (B, A, tcp(80, 2000, 500, 101, 18)),
        (A, B, tcp(2000, 80, 101, 501, 16)),
        (A, B, tcp(2000, 80, 101, 501, 24, b"x" * 5)),
        (B, A, tcp(80, 2000, 501, 106, 24, b"y" * 900)),
        (A, B, tcp(2000, 80, 106, 1401, 17)),
        (B, A, tcp(80, 2000, 1401, 107, 17)),
    ]
    frames = [ether(ip4(6, s, d, p)) for s, d, p in conversation] + [
        ether(ip4(17, A, B, udp(53000, 53, b"q" * 7)), vlan=7)
    ]
    for snaplen in (65535, 60):
        z, u = flows_of(frames, snaplen=snaplen, format="zeek")
        assert (z["orig_bytes"], z["resp_bytes"], z["orig_ip_bytes"], z["resp_ip_bytes"]) == (
            5,
            900,
            165,
            1020,
        ), z
        assert (
            z["conn_state"] == "SF"
            and z["history"] == "ShADdFf"
            and z["missed_bytes"] == 0
            and z["duration"] == 6
        ), z
        assert (
            u["orig_bytes"],
            u["resp_bytes"],
            u["orig_ip_bytes"],
            u["vlan"],
            u["conn_state"],
        ) == (7, 0, 35, 7, "S0"), u
    # A retransmission: the sum is no span of sequence numbers, and is left out, as missing data.
    (z,) = flows_of(frames[:5] + [frames[4]] + frames[5:7], format="zeek")
    assert (
        "resp_bytes" not in z
        and z["orig_bytes"] == 5
        and z["missed_bytes"] == 0
        and z["resp_ip_bytes"] == 1960
    ), z
    (z,) = flows_of(frames[:4] + frames[5:7], format="zeek")
    assert "resp_bytes" not in z and "missed_bytes" not in z and z["orig_bytes"] == 5, z
    (z,) = flows_of(frames[:7], "--no-tcp-health", format="zeek")
    assert "resp_bytes" not in z and "missed_bytes" not in z and z["resp_ip_bytes"] == 1020, z
    j = flows_of(frames, "--flow-lengths")
    assert (
        j[0]["ip_bytes"] == [165, 1020]
        and j[0]["payload_bytes"] == [5, 900]
        and j[1]["payload_bytes"] == [7, 0]
    ), j
    assert "ip_bytes" not in flows_of(frames)[0]


@case
def direction_by_port():
    frames = [
        ether(ip4(6, B, A, tcp(443, 50000, 1, 1, 16))),
        ether(ip4(17, B, A, udp(5353, 4000))),
        ether(ip4(17, A, B, udp(900, 100))),
        ether(ip4(6, B, A, tcp(80, 50001, 1, 2, 18))),
        ether(ip4(6, B, A, tcp(80, 50002, 1, 2, 2))),
    ]
    plain, ruled = flows_of(frames), flows_of(frames, "--direction-by-port")
    assert [(f["sport"], f["dport"], f.get("direction")) for f in plain] == [
        (443, 50000, None),
        (5353, 4000, None),
        (900, 100, None),
        (50001, 80, None),
        (80, 50002, None),
    ], plain
    assert [(f["sport"], f["dport"], f.get("direction")) for f in ruled] == [
        (50000, 443, "port"),
        (5353, 4000, "port"),
        (900, 100, "port"),
        (50001, 80, None),
        (80, 50002, None),
    ], ruled
    assert (
        [f.get("history") for f in ruled] == ["^a", None, None, "^h", "S"]
        and ruled[0]["packets"] == [0, 1]
        and ruled[0]["src"] == "10.0.0.1"
    ), ruled


@case
def icmp_and_others():
    frames = [
        ether(ip4(1, A, B, bytes((8, 0, 0, 0, 0, 9, 0, 1)) + b"ping")),
        ether(ip4(1, B, A, bytes((0, 0, 0, 0, 0, 9, 0, 1)) + b"ping")),
        ether(ip4(1, A, B, bytes((5, 2)) + bytes(6))),
        ether(ip4(132, A, B, struct.pack(">HHII", 7, 80, 0, 0))),
        ether(ip4(89, A, B, bytes(24))),
        ether(ip4(4, A, B, ip4(17, (1, 1, 1, 1), (2, 2, 2, 2), udp(5, 6)))),
    ]
    echo, redirect, sctp, ospf, inner = flows_of(frames)
    assert (
        echo["icmp_type"],
        echo["icmp_code"],
        echo["sport"],
        echo["dport"],
        echo["packets"],
    ) == (8, 0, 9, 9, [1, 1]) and echo["community_id"], echo
    assert (redirect["icmp_type"], redirect["icmp_code"]) == (
        5,
        2,
    ) and "community_id" not in redirect, redirect
    assert (sctp["proto"], sctp["sport"], sctp["dport"], ospf["proto"]) == (
        "sctp",
        7,
        80,
        "ospf",
    ) and "icmp_type" not in sctp
    assert inner["tunnel"] and inner["src"] == "1.1.1.1" and "tunnel" not in echo
    echo, redirect, sctp, ospf, inner = flows_of(frames, format="zeek")
    assert (echo["id.orig_p"], echo["id.resp_p"], echo["orig_bytes"], echo["proto"]) == (
        8,
        0,
        4,
        "icmp",
    ) and (redirect["id.orig_p"], redirect["id.resp_p"]) == (5, 2)
    assert sctp["proto"] == ospf["proto"] == "unknown_transport" and (
        sctp["ip_proto"],
        ospf["ip_proto"],
    ) == (132, 89)


@case
def interfaces_of_a_file():
    def block(kind, body):
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    def packet(i, frame):
        return block(
            6,
            struct.pack("<IIIII", i, 0, 0, len(frame), len(frame)) + frame + bytes(-len(frame) % 4),
        )

    def interface(name):
        return block(
            1,
            struct.pack("<HHI", 1, 0, 0)
            + (struct.pack("<HH", 2, len(name)) + name + bytes(-len(name) % 4) if name else b"")
            + struct.pack("<HH", 0, 0),
        )

    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    frames = [ether(ip4(17, A, B, udp(1000 + i, 53))) for i in range(3)]
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "x.pcapng")
        with open(path, "wb") as f:
            f.write(
                section
                + interface(b"en0")
                + interface(None)
                + packet(0, frames[0])
                + packet(1, frames[1])
                + section
                + interface(b'a"\xff' + b"n" * 30)
                + packet(0, frames[2])
            )
        _, text = written("-r", path)
        lines = [json.loads(l) for l in text.splitlines()]
        assert [(l["interface_id"], l.get("interface")) for l in lines] == [
            (0, "en0"),
            (1, None),
            (2, 'a"\ufffd' + "n" * 30),
        ], lines
        _, text = written("-r", path, "--flows-format", "csv")
        assert [r["interface"] for r in csv.DictReader(io.StringIO(text, newline=""))][:2] == [
            "en0",
            "",
        ] and text.splitlines()[-1].count('"a""\ufffdnn') == 1


case.finish()
