#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_seeds.py CORPUS: writes the fuzzers' first inputs, CORPUS/<target>/seed-*.
Files that the fuzzers found (find-*) are left alone."""

import importlib, os, struct, sys

from packed_seeds import packed_seeds


def ip4(proto, payload, options=b"", fragment=0, a="0a000001", b="0a000002"):
    header = 20 + len(options)
    return (
        struct.pack(
            ">BBHHHBBH", 0x40 | header // 4, 0, header + len(payload), 7, fragment, 64, proto, 0
        )
        + bytes.fromhex(a + b)
        + options
        + payload
    )


def ip6(next_header, payload):
    return (
        struct.pack(">IHBB", 6 << 28, len(payload), next_header, 64)
        + bytes(15)
        + b"\1"
        + bytes(15)
        + b"\2"
        + payload
    )


TCP = struct.pack(">HHIIBBHHH", 1234, 80, 1, 2, 0x60, 0x12, 100, 0, 0) + b"\2\4\5\xb4"
UDP = struct.pack(">HHHH", 53, 5353, 12, 0) + b"data"
ICMP = struct.pack(">BBHHH", 8, 0, 0, 77, 1)
SCTP = struct.pack(">HHII", 9, 10, 3, 0) + bytes(4)
IPS = [
    ip4(6, TCP),
    ip4(17, UDP, b"\1\1\1\0"),
    ip4(1, ICMP),
    ip4(132, SCTP),
    ip4(2, bytes(8)),
    ip4(17, UDP, fragment=0x2000),
    ip4(17, b"rest", fragment=3),
    ip6(6, TCP),
    ip6(0, b"\x3c\0\0\0\0\0\0\0" + b"\x11\0\0\0\0\0\0\0" + UDP),
    ip6(44, b"\x06\0\0\1\0\0\0\1" + TCP),
    ip6(44, b"\x06\0\0\x10\0\0\0\1" + b"rest"),
    ip6(51, b"\x3a\4" + bytes(22) + b"\x80\0\0\0\0\5\0\1"),
    ip6(43, b"\x84\0\0\0\0\0\0\0" + SCTP),
]
ARP = bytes.fromhex("0001080006040001") + bytes(20)


def ethertype(p):
    return b"\x08\0" if p[0] >> 4 == 4 else b"\x86\xdd"


ETHER = (
    [bytes(12) + ethertype(p) + p for p in IPS]
    + [bytes(12) + b"\x88\xa8\0\5\x81\0\0\7" + ethertype(p) + p for p in IPS[:2]]
    + [
        bytes(12) + b"\x08\x06" + ARP,
        bytes(12) + b"\0\x04" + b"\xaa\xaa\3\0" + bytes(40),
        bytes(12) + b"\x88\xcc" + bytes(9),
    ]
)


def parse_seed(link, packets):
    return bytes([link]) + b"".join(b"\0" + bytes([len(p)]) + p for p in packets)


def parse_seeds():
    four, six = [p for p in IPS if p[0] >> 4 == 4], [p for p in IPS if p[0] >> 4 == 6]
    yield "ethernet", parse_seed(1, ETHER[:9])
    yield "ethernet-more", parse_seed(1, ETHER[9:])
    yield "null", parse_seed(0, [b"\2\0\0\0" + four[0], b"\0\0\0\x1e" + six[0]])
    yield "loop", parse_seed(5, [b"\0\0\0\2" + four[1], b"\0\0\0\x18" + six[1]])
    yield "raw", parse_seed(4, IPS[:8])
    yield "ipv4", parse_seed(7, four)
    yield "ipv6", parse_seed(8, six)
    yield "sll", parse_seed(6, [b"\0\4\0\1\0\6" + bytes(8) + ethertype(p) + p for p in IPS[6:9]])
    yield "sll2", parse_seed(9, [ethertype(p) + bytes(8) + b"\4\0" + bytes(8) + p for p in IPS[:3]])
    yield (
        "cut-ports",
        parse_seed(4, [p[: 20 + n] for p in (IPS[0], IPS[3], IPS[2]) for n in (2, 3, 5)]),
    )
    yield (
        "cut-ports6",
        parse_seed(4, [p[: 40 + n] for p in (IPS[7], IPS[10]) for n in (1, 3, 7, 11)]),
    )
    ether = bytes(12) + ethertype(IPS[0]) + IPS[0]
    udp = lambda port, payload: ip4(
        17, struct.pack(">HHHH", 50000, port, 8 + len(payload), 0) + payload
    )
    yield (
        "tunnels-ip",
        parse_seed(
            4,
            [
                ip4(4, IPS[1]),
                ip4(41, IPS[7]),
                ip6(4, IPS[0]),
                ip4(47, b"\0\0\x08\0" + IPS[2]),
                ip4(97, b"\x30\0" + ether),
                ip4(47, b"\x10\0\x88\xbe" + bytes(4) + b"\x10\1\0\1" + bytes(4) + ether),
                ip4(47, b"\x30\1\x88\x0b" + bytes(8) + b"\x21" + IPS[0]),
            ],
        ),
    )
    yield (
        "tunnels-udp",
        parse_seed(
            4,
            [
                udp(4789, b"\x08\0\0\0\0\0\1\0" + ether),
                udp(6081, b"\1\0\x65\x58\0\0\1\0" + bytes(4) + ether),
                udp(3544, b"\0\1\0\0" + bytes(17) + IPS[7]),
                udp(2152, b"\x34\xff\0\x24\0\0\0\1\0\0\0\x85\1\0\0\0" + IPS[0]),
                udp(1701, b"\0\2\0\1\0\1\xff\3\0\x21" + IPS[0]),
            ],
        ),
    )
    yield (
        "icmp-errors",
        parse_seed(
            4,
            [
                ip4(1, b"\3\1" + bytes(6) + IPS[0][:28]),
                ip6(58, b"\2\0" + bytes(6) + IPS[7][:48]),
                ip4(1, b"\x0b\0" + bytes(6) + IPS[2]),
            ],
        ),
    )
    llc = b"\xaa\xaa\3\0\0\0\x08\0" + IPS[0]
    yield "wlan", parse_seed(10, [b"\x08\0" + bytes(22) + llc, b"\x88\3" + bytes(30) + llc])
    yield "radiotap", parse_seed(11, [b"\0\0\x09\0\2\0\0\0\x20\x88\0" + bytes(26) + llc])
    yield (
        "ppi",
        parse_seed(
            21, [b"\0\0\x08\0\1\0\0\0" + ether, b"\0\0\x08\0\x69\0\0\0\x08\0" + bytes(22) + llc]
        ),
    )
    yield (
        "pktap",
        parse_seed(23, [b"\x28" + bytes(5) + b"\1\0" + bytes(28) + b"\2\0\x08\0" + ether]),
    )
    yield "ppp", parse_seed(13, [b"\xff\3\0\x21" + IPS[0], b"\2\x81\0\1\1\x40" + IPS[1]])
    yield "hdlc", parse_seed(17, [b"\x0f\0\x08\0" + IPS[0], b"\x8f\0\x88\x47\0\1\1\x40" + IPS[1]])
    yield "fddi", parse_seed(14, [b"\x50" + bytes(12) + llc])
    yield "unknown", b"\xff\0\x93\0\4abcd"
    yield "tall-vlan", b"\1\1\4\x40\0\x81\0\0\1" + bytes([len(IPS[0])]) + IPS[0]
    yield "tall-options6", b"\x08\1" + bytes([8]) + b"\x20\0" + b"\0\0\0\0\0\0\0\0" + b"\0"


def pcap(order, magic, packets, link=1, minor=4, snaplen=65535, modified=False):
    out = struct.pack(order + "IHHiIII", magic, 2, minor, 0, 0, snaplen, link)
    for p in packets:
        out += struct.pack(order + "IIII", 1700000000, 5, len(p), len(p) + 3)
        out += struct.pack(order + "IHBB", 1, 8, 0, 0) if modified else b""
        out += p
    return out


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    return (
        struct.pack(order + "II", kind, len(body) + 12)
        + body
        + struct.pack(order + "I", len(body) + 12)
    )


def shb(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def idb(order, link, snaplen=0, options=b""):
    return block(order, 1, struct.pack(order + "HHI", link, 0, snaplen) + options)


def epb(order, interface, p):
    return block(order, 6, struct.pack(order + "IIIII", interface, 0x60000, 99, len(p), len(p)) + p)


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def pcapng(order):
    o = (
        option(order, 9, b"\x09")
        + option(order, 14, struct.pack(order + "q", 3600))
        + struct.pack(order + "HH", 0, 0)
    )
    return (
        shb(order)
        + idb(order, 1, 64)
        + idb(order, 101, 0, o)
        + idb(order, 113, 0, option(order, 9, b"\x94"))
        + epb(order, 0, ETHER[0])
        + epb(order, 1, IPS[7])
        + block(order, 3, struct.pack(order + "I", len(ETHER[1])) + ETHER[1][:64])
        + block(
            order, 2, struct.pack(order + "HHIIII", 1, 0xFFFF, 0x60000, 1, 20, 20) + IPS[0][:20]
        )
        + block(order, 4, bytes(8))
        + block(order, 5, bytes(12))
        + block(order, 0x0BAD, bytes(16))
    )


def savefile_seeds():
    few = ETHER[:3]
    yield "micro-little", b"\0" + pcap("<", 0xA1B2C3D4, few)
    yield "micro-big", b"\x10" + pcap(">", 0xA1B2C3D4, few)
    yield "nano", b"\x24" + pcap("<", 0xA1B23C4D, few, snaplen=30)
    yield "modified", b"\x38" + pcap("<", 0xA1B2CD34, few, modified=True)
    yield "old-lengths", b"\0" + pcap(">", 0xA1B2C3D4, few, minor=3)
    yield "usb", b"\0" + pcap("<", 0xA1B2C3D4, few, link=189)
    yield "torn", b"\x30" + pcap("<", 0xA1B2C3D4, few)[:-5]
    yield "ng-little", b"\0" + pcapng("<")
    yield "ng-sections", b"\x15" + pcapng(">") + pcapng("<")
    yield "ng-torn", b"\x30" + pcapng("<")[:-3]
    yield "ng-no-interface", b"\x30" + shb("<") + block("<", 4, bytes(4000))
    yield "empty", b"\0"


def synth_seeds():
    for i, text in enumerate(
        [
            "",
            "flows=10,size=imix,seed=7",
            "flows=1k,size=64,rate=5M,count=1G",
            "vlan=100,ipv6=100,retransmit=1000,flows=3",
            "size=1514,flows=2",
            "size=59",
            "flows=",
            "=,=",
            "nonsense=1",
            "seed=18446744073709551616",
            "flows=1,,vlan=0,ipv6=0",
            "flows=5,seed",
        ]
    ):
        yield "%02d" % i, b"\xc7" + text.encode()


def table_seeds():
    yield (
        "handshake",
        bytes([10, 0, 0, 0])
        + bytes([0, 0, 32, 1, 0, 2, 0, 3, 32, 3, 0, 4, 32, 4, 0, 2, 0x85, 200]),
    )
    yield (
        "evict",
        bytes([3, 0, 0, 1]) + b"".join(bytes([k, 2, 0x81, 1]) for k in range(32)) + b"\x84\0",
    )
    yield (
        "time-outs",
        bytes([39, 50, 5, 2])
        + b"".join(bytes([k + 64, 9, k, 0, 0x95, 20]) for k in range(30))
        + b"\x82\xff\x94\0",
    )
    yield "none", bytes([0, 0, 0, 0]) + bytes([1, 2, 3, 4, 0x84, 0])
    yield "batch", bytes([35, 9, 9, 3]) + bytes(range(128)) * 3
    yield (
        "extremes",
        bytes([35, 9, 9, 16]) + bytes([0, 0, 0x89, 255, 1, 0, 0x8A, 255, 2, 0, 0x94, 0]),
    )


def bpf_record(layout, data, hdrlen=None, ext=b"", cut=0):
    """A record of a little-endian BPF device: layout 0 macOS, 1 FreeBSD, 2 NetBSD, 3 OpenBSD."""
    short = layout in (0, 3)
    head = (
        struct.pack("<II" if short else "<QQ", 1700000000, 123456)
        + struct.pack("<IIH", len(data), len(data) + cut, 0)
        + ext
    )
    hdrlen = hdrlen or (18, 26, 34, 30)[layout]
    head = head.ljust(hdrlen, b"\xee")[:hdrlen]
    at = 16 if short else 24
    return head[:at] + struct.pack("<H", hdrlen) + head[at + 2 :] + data


def bpf_buffer(layout, records):
    align, out = (4, 8, 8, 4)[layout], b""
    for r in records:
        out += bytes(-len(out) % align) + r
    return out


def pktap(v2, inner, dlt=1):
    if v2:
        names = b"en0\0" + b"firefox\0" + b"delegate\0"
        h = struct.pack(
            "<BBBBBBHHHHHIIIiiI",
            40 + len(names),
            0,
            0,
            40,
            44,
            52,
            dlt,
            14,
            0,
            6,
            6,
            2,
            600,
            7,
            501,
            502,
            0x80002,
        )
        return h + names + inner
    h = struct.pack(
        "<III24sIIIIi17sBH", 156, 1, dlt, b"en0", 1, 2, 14, 0, 501, b"firefox", 6, 0
    ) + struct.pack("<IHHi17sBHII", 600, 6, 0, 502, b"delegate", 0, 0, 7, 0)
    return h.ljust(156, b"\0") + inner


def bpf_seeds():
    frames = ETHER[:3]
    for layout, name in enumerate(("macos", "freebsd", "netbsd", "openbsd")):
        buffer = bpf_buffer(layout, [bpf_record(layout, f, cut=5) for f in frames])
        yield name, bytes([layout, 64, 7]) + buffer
        yield name + "-filter", bytes([layout, 16, 7]) + buffer
        yield name + "-torn", bytes([layout, 64, 7]) + buffer[:-3]
    ext = lambda pid: struct.pack("<BBi17sBHIIIII", 0, 1, pid, b"daemon", 1, 0, 600, 0, 11, 22, 33)
    for hdrlen in (66, 62, 54):
        yield (
            "ext-%d" % hdrlen,
            bytes([0, 11, 7]) + bpf_buffer(0, [bpf_record(0, f, hdrlen, ext(77)) for f in frames]),
        )
    for v2 in (False, True):
        yield (
            "pktap-%d" % (v2 + 1),
            bytes([0, 14, 7]) + bpf_buffer(0, [bpf_record(0, pktap(v2, f), 20) for f in frames]),
        )
    comp = lambda n: struct.pack("<BB", n, 0)
    yield (
        "compressed",
        bytes([0, 32, 7])
        + bpf_buffer(
            0,
            [
                bpf_record(0, ETHER[0], 22, comp(0)),
                bpf_record(0, ETHER[0][12:], 22, comp(12)),
                bpf_record(0, b"x", 22, comp(8)),
            ],
        ),
    )


def bpf_program(*insns):
    return bytes([len(insns) - 1]) + b"".join(struct.pack("<HBBI", *i) for i in insns)


def compile_seeds():
    for i in range(8):
        yield "link-%d" % i, bytes([i]) + bytes((k * 7 + i * 13) % 256 for k in range(24))
    yield "terms", bytes([0, 0, 13, 9, 14, 15, 7])
    yield "arithmetic", bytes([0, 0, 18, 39, 20, 19, 26, 40, 34, 51])


def lex_seeds():
    lines = [
        line
        for line in open(
            os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "filters.txt")
        )
        .read()
        .splitlines()
        if line and line[0] not in "#!"
    ]
    for i, line in enumerate(lines[::9]):
        yield "%02d" % i, bytes([i % 8]) + line.encode()
    for name, text in (
        ("deep", "(" * 300),
        ("nots", "not " * 300 + "tcp"),
        ("long", "host " + "a" * 600),
        ("caret", "tcp port 80 andd udp"),
        ("bytes", "tcp \xff\x01 ["),
    ):
        yield name, b"\0" + text.encode("latin-1")


def filter_seeds():
    yield (
        "port",
        bpf_program(
            (0x28, 0, 0, 12),
            (0x15, 0, 4, 0x800),
            (0xB1, 0, 0, 14),
            (0x48, 0, 0, 16),
            (0x15, 0, 1, 80),
            (6, 0, 0, 65535),
            (6, 0, 0, 0),
        )
        + ETHER[0],
    )
    yield (
        "arithmetic",
        bpf_program(
            (0x80, 0, 0, 0),
            (0x94, 0, 0, 7),
            (0xA4, 0, 0, 3),
            (7, 0, 0, 0),
            (0x3C, 0, 0, 0),
            (2, 0, 0, 15),
            (0x60, 0, 0, 15),
            (0x16, 0, 0, 0),
        )
        + bytes(8),
    )


def engine_seeds():
    def packets(count, how, changes):
        return b"".join(bytes([k % 8, how(k), changes]) for k in range(count))

    yield "plain", bytes([0, 0]) + packets(60, lambda k: 0x10, 0)
    yield "wire-lengths", bytes([0, 0]) + packets(200, lambda k: 0x18 | k // 8 % 8, 0)
    yield "small-table", bytes([1, 5]) + packets(90, lambda k: 0x10 | k % 8, 0x70)
    yield "no-table", bytes([3, 0]) + packets(30, lambda k: 0x10, 0)
    for corner in range(8):
        late = bytes([0, 0x10, 8, 0x80 | corner])
        yield "time-%d" % corner, bytes([0, 1]) + late * 3 + packets(40, lambda k: 0x10, 0x40)
    for unit in range(8):
        other = bytes([232, unit << 3 | 64, 0x80 | unit])
        second = b"".join(bytes([8 | k, 0x10, 0]) for k in range(8))
        yield (
            "interface-%d" % unit,
            bytes([8, 0x14]) + other + packets(20, lambda k: 0x10, 0) + second,
        )
    yield (
        "many-flows",
        bytes([0, 0]) + b"".join(bytes([2, 0x1D, 1, 26, k, 2, 0x1D, 1, 33, k]) for k in range(250)),
    )
    yield (
        "sections",
        bytes([4, 0x20])
        + packets(8, lambda k: 0x10, 0)
        + bytes([240])
        + packets(8, lambda k: 0x10, 0),
    )
    yield "cut", bytes([0, 0]) + b"".join(bytes([k % 8, 0x10, 4, k * 7 % 71]) for k in range(80))
    yield "damage", bytes([0, 0, 0, 0x10, 0, 245, 3]) + bytes(range(12))


def options_seeds():
    lines = (
        "-r a.pcap",
        "-i synth -t 1 -c 5",
        "-i eth0 -s 96 -B 4096 -a 100 tcp port 80",
        "--help",
        "--version",
        "-L --json",
        "-d tcp port 80",
        "-ddd udp",
        "--explain ip6",
        "-r x --flows y --flows-format zeek",
        "-i x -r y",
        "-i x --top=rate",
        "--top 5 -i x",
        "-r - --stats-interval 0.5",
        "-r - --stats-interval nan",
        "-i x --flow-idle 1e300",
        "-i x --flow-idle -1",
        "-r - -t inf",
        "-c 99999999999999999999 -r -",
        "--bogus",
        "-i",
        "--workers",
        "--workers=-1 -r -",
        "-F /dev/null -r -",
        "-F /nonexistent -r -",
        "-f tcp udp -r -",
        "--through vlan,mpls -r - tcp",
        "--through vlan,,x -r -",
        "-y 999 -r -",
        "-y RAW -r -",
        "-Q in -i x",
        "-Q nowhere -i x",
        "-Z root -i x",
        "--no-flows --flows z -r -",
        "--json --flows - -r -",
        "--seed 0x10 -r -",
        "--max-flows 99999999999 -r -",
        "-v -v -v -q -r -",
        "-- -r -",
        "-",
    )
    for i, line in enumerate(lines):
        yield "%02d" % i, line.replace(" ", "\n").encode()
    yield "bytes", b"-r\n\xff\x1b[2J\n\x9b\n"
    yield "long", b"-r\n-\n" + b"host 10.0.0.1 or " * 200


def sinks_seeds():
    yield "zeros", b"\0\0"
    yield "ones", b"\x0f\xff" + b"\xff" * 800
    for k in range(8):
        yield (
            "text-%d" % k,
            struct.pack(">H", 97 * k) + bytes((i * (2 * k + 1) + k) % 256 for i in range(800)),
        )
    yield "equals", b"\4\0" + b'=+-@\t\r\n",\x1b\x9b\xc2\x9b' * 60


def top_seeds():
    def flow(k):
        return (
            bytes([k, 6, 3, 0, k, 1, 187, 4, k])
            + bytes([0x84 + k % 4]) * 13
            + bytes([1, 0, 0, 0, 9, 4])
            + b"\x1bcat"
            + b"\3eth"
        )

    def shot(count):
        head = (
            bytes([0x80 | 3]) * 5
            + bytes([0x81]) * 12
            + bytes([2, 3])
            + b"tcp"
            + bytes([0x86, 0x86, 4])
            + b"\xffudp"
            + bytes([0x87, 0x87])
        )
        return (
            bytes([0])
            + head
            + bytes([0x80, 0x85, 0x85, count])
            + b"".join(flow(k) for k in range(count))
        )

    draw = bytes([3, 0, 80, 24, 1, 6]) + b"eth0\x9b\xc3" + bytes([0x86])
    yield "empty", draw + bytes([3, 0, 1, 1, 0, 0, 0])
    yield "shots", shot(5) + draw + shot(9) + draw + bytes([0x83, 1, 0, 50, 0, 0, 0x80])
    yield "filter", shot(12) + b"".join(bytes([2, c]) for c in b":443 !tcp \x1b\xff") + draw
    yield "orders", shot(20) + b"".join(bytes([0x81 | k << 5, k]) + draw for k in range(6))


def tpacket_seeds():
    def frame(k, mac=112, kind=0, tag=False, caplen=60, following=184):
        head = struct.pack(
            "=IIIIIIHH", following, 5, k, caplen, 100, 0x50 if tag else 0, mac, mac + 14
        )
        head += struct.pack("=IIHH8x", 0, 0x2007 if tag else 0, 0x88A8 if tag else 0, 0)
        where = (
            struct.pack("=H", 17)
            + b"\x08\0"
            + struct.pack("=iHBB", 3, 772 if kind == 4 else 1, kind, 6)
            + bytes(8)
        )
        return (head + where).ljust(mac, b"\0") + bytes(range(60)) + bytes(max(0, 184 - mac - 60))

    def ring(*frames, count=None, first=48):
        head = struct.pack(
            "=IIIIIIQ", 1, 0, 1, len(frames) if count is None else count, first, 0, 0
        )
        return head.ljust(48, b"\0") + b"".join(frames) + bytes(64)

    for choices in (0, 1, 2, 7, 10, 27):
        yield (
            "sound-%d" % choices,
            bytes([choices]) + ring(frame(0), frame(1, tag=True), frame(2, kind=4, following=0)),
        )
    yield "counts", bytes([0]) + ring(frame(0), frame(1), count=4000000000)
    yield "first", bytes([0]) + ring(frame(0), first=4294967288)
    yield "next", bytes([0]) + ring(frame(0, following=8), frame(1))
    yield "long", bytes([0]) + ring(frame(0, caplen=4294967295))
    yield "low", bytes([1]) + ring(frame(0, mac=90, tag=True))


# targets with seeds in a file NAME_seeds.py
OWN = ("apps", "copy", "dns", "naming", "print", "push", "quic", "where")
own_seeds = lambda name: getattr(importlib.import_module(name + "_seeds"), name + "_seeds")


def main():
    corpus = sys.argv[1]
    for target, seeds in (
        ("bpf", bpf_seeds),
        ("compile", compile_seeds),
        ("engine", engine_seeds),
        *(("filter", filter_seeds), ("lex", lex_seeds), ("options", options_seeds)),
        ("parse", parse_seeds),
        ("packed", lambda: packed_seeds(pcap("<", 0xA1B2C3D4, ETHER[:3]))),
        ("savefile", savefile_seeds),
        ("sinks", sinks_seeds),
        ("synth_options", synth_seeds),
        ("table", table_seeds),
        ("top", top_seeds),
        ("tpacket", tpacket_seeds),
        *((name, own_seeds(name)) for name in OWN),
    ):
        os.makedirs(os.path.join(corpus, target), exist_ok=True)
        for name, data in seeds():
            with open(os.path.join(corpus, target, "seed-" + name), "wb") as out:
                out.write(data)


if __name__ == "__main__":
    main()
