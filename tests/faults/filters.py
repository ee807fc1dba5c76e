#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""filters.py PROGRAM: expressions that gave a wrong answer, or none, on packets made here."""

import itertools
import os
import shutil
import struct
import subprocess
import tempfile

from faultcase import PROGRAM, Skipped, case, finish
from filtercase import (
    SNAP4,
    SNAP6,
    agrees,
    count,
    fragment6,
    radio_headers,
    radiotap,
    refused,
    wlan,
)
from packets import (
    HOST_A,
    HOST_A6,
    HOST_B,
    HOST_B6,
    MAC_HEADER,
    ethernet,
    ipv4,
    ipv6,
    pcap,
    spaced,
    udp4,
    udp6,
    udp_segment,
)

# ---- IPv6's extension headers ----


@case
def f1_later_ipv6_fragments_match_protocols_with_through_ipv6ext():
    words = {17: "udp", 6: "tcp", 132: "sctp", 58: "icmp6", 50: "esp"}
    for protocol, word in words.items():
        for headers in (b"", b"\0", b"\0\x3c", b"\x2b", b"\0\x3c\x2b"):
            frames = [
                fragment6(protocol, b"\x03\xe8\0\x35" + b"x" * 12, at, at != 6, headers)
                for at in (0, 2, 4, 6)
            ]
            for words_of in (["--through", "ipv6ext"], ["--through", "ipv6ext,vlan"]):
                for text, right in (
                    (word, 4),
                    (f"not {word}", 0),
                    (f"ip6 proto {protocol}", 4),
                    (f"proto {protocol}", 4),
                    (f"{word} and not igmp", 4),
                    (f"{word} or arp", 4),
                    ("ah", 0),
                    ("not ah", 4),
                ):
                    got = count(1, frames, text, *words_of)
                    assert got == right, (text, headers, got)
    frames = [fragment6(17, b"\x03\xe8\0\x35" + b"x" * 12, at, at != 2) for at in (0, 2)]
    for text, right in (
        ("udp port 53", 1),
        ("not udp port 53", 1),
        ("udp", 2),
        ("udp[2:2] = 53", 1),
    ):
        assert count(1, frames, text, "--through", "ipv6ext") == right, text
    assert count(1, frames, "udp") == 2


# ---- 802.11 ----


YES4 = [
    "ip",
    "udp",
    "udp port 53",
    "host 192.0.2.1",
    "ip[9] = 17",
    "udp[2:2] = 53",
    "ether proto 0x800",
    "src net 192.0.2.0/24",
    "udp portrange 50-60",
    "ip proto 17",
    "llc",
    "llc ui",
]
NO4 = ["ip6", "tcp", "arp", "udp port 54", "host 192.0.2.99", "stp"]
YES6 = ["ip6", "udp", "udp port 53", "host 2001:db8::1", "ip6 proto 17", "ip6[6] = 17"]


@case
def w1_padded_802_11_matches_behind_radiotap_of_any_length():
    for length in range(9, 34):
        frame = radiotap(wlan(SNAP4 + udp4(), qos=True, pad=True), length, True)
        agrees(127, frame, ["udp port 53", "ip"], ["tcp"])
    for length, bitmaps, time in itertools.product((9, 26, 35), (1, 2, 3, 5), (False, True)):
        frame = radiotap(wlan(SNAP4 + udp4(), qos=True, pad=True), length, True, bitmaps, time)
        agrees(127, frame, YES4, NO4)
    for qos, four in itertools.product((False, True), (False, True)):
        for body, yes in ((SNAP4 + udp4(), YES4), (SNAP6 + udp6(), YES6)):
            agrees(127, radiotap(wlan(body, qos, four, pad=True), 15, True), yes, ["tcp"])
            agrees(127, radiotap(wlan(body, qos, four), 15, False), yes, ["tcp"])


@case
def w2_four_addresses_and_ht_control_match_like_any_frame():
    for link_type, front in radio_headers():
        for qos, four, order in itertools.product((False, True), repeat=3):
            agrees(link_type, front + wlan(SNAP4 + udp4(), qos, four, order), YES4[:4], NO4[:4])
        agrees(link_type, front + wlan(SNAP6 + udp6(), True, True, True), YES6, ["ip", "tcp"])
        agrees(link_type, front + wlan(SNAP4 + udp4(), True, True, True), YES4, NO4)


@case
def subtypes_bar_and_ba_are_known():
    bar, ba, rts = (bytes([first]) + b"\0" * 15 for first in (0x84, 0x94, 0xB4))
    for link_type, front in radio_headers()[:6]:
        for text, right in (
            ("subtype bar", 1),
            ("subtype ba", 1),
            ("type ctl subtype bar", 1),
            ("type ctl subtype ba", 1),
            ("subtype bar or subtype ba", 2),
            ("type ctl", 3),
        ):
            assert count(link_type, [front + f for f in (bar, ba, rts)], text) == right, text
    refused(105, "type mgt subtype bar", "no subtype of that type")


# ---- Tunnels ----


def geneve(protocol, payload, vni=1, options=b""):
    return struct.pack(">BBHI", len(options) // 4, 0, protocol, vni << 8) + options + payload


def vxlan(payload, vni=1, flags=8):
    return struct.pack(">B3xI", flags, vni << 8) + payload


def outer(port, payload, v6=False, **more):
    make = udp6 if v6 else udp4
    return ethernet(make(5000, port, payload, **more))


ARP = (
    struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1)
    + b"\2\0\0\0\0\1\xc0\0\2\1"
    + b"\0" * 6
    + b"\xc0\0\2\2"
)


@case
def geneve_matches_with_any_payload():
    for v6 in (False, True):
        for protocol, body in (
            (0x0806, ARP),
            (0x0800, udp4()),
            (0x86DD, udp6()),
            (0x6558, ethernet(udp4())),
            (0x8847, b"\0\1\1\x40" + udp4()),
            (0x1234, b"anything at all"),
        ):
            for options in (b"", b"\0" * 8):
                frame = outer(6081, geneve(protocol, body, 5, options), v6)
                agrees(1, frame, ["geneve", "geneve 5"], ["geneve 6"])
    frame = outer(6081, geneve(0x0806, ARP))
    agrees(
        1, frame, ["geneve and arp", "geneve and host 192.0.2.2", "inner(arp)"], ["geneve and ip"]
    )
    agrees(
        1,
        outer(6081, geneve(0x86DD, udp6())),
        ["geneve and ip6 and udp port 53"],
        ["geneve and ip"],
    )
    agrees(
        1, outer(6081, geneve(0x6558, ethernet(ARP, 0x0806))), ["geneve and arp"], ["geneve and ip"]
    )


@case
def geneve_and_vxlan_match_first_fragments():
    for port, word, body in (
        (6081, "geneve", geneve(0x6558, ethernet(udp4()))),
        (4789, "vxlan", vxlan(ethernet(udp4()))),
    ):
        whole = udp_segment(HOST_A, HOST_B, 5000, port, body)
        first = ethernet(ipv4(HOST_A, HOST_B, 17, whole[:48], flags=1))
        later = ethernet(ipv4(HOST_A, HOST_B, 17, whole[48:], offset=6))
        assert count(1, [first, later], word) == 1
        assert count(1, [first, later], f"{word} 1") == 1
        assert count(1, [first, later], f"{word} and ip and udp") == 1
        assert count(1, [first, later], "inner(udp)") == 1
        assert count(1, [first], "host 192.0.2.1", "--through", word) == 1
    for flags in (0x08, 0x0F, 0xFF):
        assert (
            count(1, [outer(4789, vxlan(ethernet(udp4()), 1, flags))], "vxlan and udp port 53") == 1
        )


# ---- Broadcast and multicast ----


@case
def ip_broadcast_holds_on_savefiles():
    targets = ["255.255.255.255", "0.0.0.0", "192.0.2.255", "192.0.2.2"]
    frames = [ethernet(udp4(destination=d)) for d in targets]
    assert count(1, frames, "ip broadcast") == 2
    assert count(1, frames, "not ip broadcast") == 2
    assert count(1, frames[:1] + frames[2:], "ip broadcast and udp") == 1
    assert count(101, [f[14:] for f in frames], "ip broadcast") == 2


@case
def ip_multicast_ends_at_239():
    first = [223, 224, 232, 239, 240, 255]
    frames = [ethernet(udp4(destination=f"{n}.0.0.1")) for n in first]
    for link_type, cut in ((1, 0), (101, 14), (228, 14)):
        got = [count(link_type, [f[cut:]], "ip multicast") for f in frames]
        assert got == [0, 1, 1, 1, 0, 0], (link_type, got)
        assert count(link_type, [f[cut:] for f in frames], "not ip multicast") == 3


# ---- Words ----

ICMP6 = {
    "destinationunreach": 1,
    "packettoobig": 2,
    "timeexceeded": 3,
    "parameterproblem": 4,
    "echo": 128,
    "echoreply": 129,
    "multicastlistenerquery": 130,
    "multicastlistenerreportv1": 131,
    "multicastlistenerdone": 132,
    "routersolicit": 133,
    "routeradvert": 134,
    "neighborsolicit": 135,
    "neighboradvert": 136,
    "redirect": 137,
    "routerrenum": 138,
    "nodeinformationquery": 139,
    "nodeinformationresponse": 140,
    "ineighbordiscoverysolicit": 141,
    "ineighbordiscoveryadvert": 142,
    "multicastlistenerreportv2": 143,
    "homeagentdiscoveryrequest": 144,
    "homeagentdiscoveryreply": 145,
    "mobileprefixsolicit": 146,
    "mobileprefixadvert": 147,
    "certpathsolicit": 148,
    "certpathadvert": 149,
    "multicastrouteradvert": 151,
    "multicastroutersolicit": 152,
    "multicastrouterterm": 153,
}


@case
def every_icmp6_name_is_its_number():
    frames = [ethernet(ipv6(HOST_A6, HOST_B6, 58, bytes([n]) + b"\0" * 7)) for n in range(256)]
    for name, number in ICMP6.items():
        text = f"icmp6[icmp6type] = icmp6-{name}"
        assert count(1, [frames[number]], text) == 1, name
        assert count(1, frames, text) == 1, name


@case
def hardware_addresses_are_taken_in_every_form():
    frame = ethernet(udp4())
    forms = [
        "02:00:00:00:00:01",
        "2:0:0:0:0:1",
        "02-00-00-00-00-01",
        "02.00.00.00.00.01",
        "0200.0000.0001",
        "020000000001",
    ]
    for form in forms + ["0200.0000.0001".upper()]:
        for front in ("ether host", "ether src", "link host", "ether src host"):
            agrees(1, frame, [f"{front} {form}"], [f"ether dst {form}"])
        agrees(1, frame, [f"ether src {form} and ip"])
    upper = MAC_HEADER[:6] + bytes.fromhex("aabbccddeeff") + frame[12:]
    for form in ("aabbccddeeff", "AABBCCDDEEFF", "aabb.ccdd.eeff", "AA-BB-CC-DD-EE-FF"):
        agrees(1, upper, [f"ether src {form}"], [f"ether dst {form}"])
    for wrong in ("aabbccddeef", "aabbccddeeff0", "aabb-ccdd-eeff"):
        refused(1, f"ether host {wrong}", "Ethernet host")


@case
def lldp_is_an_ether_proto():
    lldp = MAC_HEADER + b"\x88\xcc" + b"\2\7" + b"\0" * 40
    for text in ("ether proto lldp", "ether proto \\lldp"):
        agrees(1, lldp, [text], ["ether proto loopback"])
        agrees(113, b"\0" * 14 + b"\x88\xcc" + b"\0" * 40, [text])


@case
def each_number_has_a_range_that_is_told():
    for text, most in (
        ("port 70000", 65535),
        ("tcp src port 65536", 65535),
        ("portrange 1-65536", 65535),
        ("vlan 4096", 4095),
        ("mpls 1048576", 1048575),
        ("pppoes 65536", 65535),
        ("geneve 16777216", 16777215),
        ("vxlan 16777216", 16777215),
        ("ip proto 256", 255),
        ("ip6 proto 256", 255),
        ("proto 256", 255),
        ("ip protochain 256", 255),
        ("iso proto 256", 255),
        ("isis proto 32", 31),
        ("ether proto 65536", 65535),
        ("ether proto 256", 255),
        ("byte 0 = 256", 255),
        ("net 10.0.0.0/33", 32),
        ("decnet host 64.1", 63),
        ("host 10.0.0.256", 255),
    ):
        refused(1, text, str(most), "^")
    for link_type, text, most in (
        (105, "dir 4", 3),
        (117, "reason 256", 255),
        (123, "vpi 256", 255),
        (123, "vci 65536", 65535),
        (140, "sio 256", 255),
        (140, "opc 16384", 16383),
        (140, "dpc 16384", 16383),
        (140, "sls 16", 15),
    ):
        refused(link_type, text, str(most), "^")
    for text in (
        "port 65535",
        "vlan 4095",
        "mpls 1048575",
        "pppoes 65535",
        "geneve 16777215",
        "ip proto 255",
        "ether proto 65535",
        "isis proto 31",
        "byte 0 = 255",
    ):
        assert count(1, [ethernet(udp4())], text) == 0, text


@case
def gateway_takes_a_name():
    router = bytes.fromhex("020000000003")
    frames = [
        MAC_HEADER[:6] + router + ethernet(udp4())[12:],  # through the router
        router + MAC_HEADER[6:] + ethernet(udp6())[12:],
        MAC_HEADER[:6] + router + ethernet(udp4(source="203.0.113.9"))[12:],  # its own
        router + MAC_HEADER[6:] + ethernet(udp6(destination="2001:db8::9"))[12:],
        ethernet(udp4()),
    ]
    if os.geteuid() or not shutil.which("unshare") or not os.path.exists("/etc/hosts"):
        raise Skipped("a name in ethers(5) takes a mount namespace of its own")
    with tempfile.TemporaryDirectory() as d:
        for name, text in (
            ("hosts", "203.0.113.9 snup\n2001:db8::9 snup\n"),
            ("ethers", "02:00:00:00:00:03 snup\n"),
            ("nsswitch.conf", "hosts: files\nethers: files\n"),
        ):
            with open(os.path.join(d, name), "w", encoding="ascii") as f:
                f.write(text)
        with open(os.path.join(d, "in.pcap"), "wb") as f:
            f.write(pcap(spaced(*frames)))
        script = (
            "mount -t tmpfs none /mnt && cp -a /etc/. /mnt/ && mount --bind /mnt /etc && "
            f'cp {d}/hosts {d}/ethers {d}/nsswitch.conf /etc/ && exec "$@"'
        )
        for text, right in (
            ("gateway snup", 2),
            ("ip gateway snup", 3),
            ("not gateway snup", 3),
            ("gateway snup and udp port 53", 2),
        ):
            p = subprocess.run(
                [
                    "unshare",
                    "-m",
                    "sh",
                    "-c",
                    script,
                    "sh",
                    PROGRAM,
                    "-r",
                    f"{d}/in.pcap",
                    "--json",
                    "--no-flows",
                    "-f",
                    text,
                ],
                capture_output=True,
                timeout=600,
                check=False,
            )
            if b"mount" in p.stderr and not p.stdout:
                raise Skipped(p.stderr.decode())
            assert f'"read":{right}' in p.stdout.decode().replace(" ", ""), (
                text,
                p.stdout[:300],
                p.stderr,
            )
    refused(1, "gateway no-such-gateway", "ethers(5)")
    refused(1, "gateway 203.0.113.9", "name")


finish()
