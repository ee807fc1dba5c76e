# SPDX-License-Identifier: MIT
"""Seeds of fuzz_dns: rows of messages, each behind a byte of choices and a length."""

import struct


def name(text):
    labels = [part.encode() for part in text.split(".") if part]
    return b"".join(bytes([len(part)]) + part for part in labels) + b"\0"


def header(ident, flags, questions, answers=0, others=0):
    return struct.pack(">6H", ident, flags, questions, answers, 0, others)


def question(text, kind, klass=1):
    return name(text) + struct.pack(">2H", kind, klass)


def record(owner, kind, data, ttl=60, klass=1):
    return owner + struct.pack(">2HIH", kind, klass, ttl, len(data)) + data


def row(*messages):
    return b"".join(struct.pack(">BH", choice, len(m)) + m for choice, m in messages)


def dhcp(operation, kind, *options):
    fixed = struct.pack(">4B3I", operation, 1, 6, 0, 7, 0, 0)
    fixed += bytes([10, 0, 0, 1]) + bytes(8) + b"\2\0\0\0\0\7" + bytes(202)
    fixed = fixed[:236] + b"\x63\x82\x53\x63"
    body = b"".join(bytes([code, len(data)]) + data for code, data in options)
    return fixed + bytes([53, 1, kind]) + body + b"\xff"


def dhcp6(kind, *options):
    body = b"".join(struct.pack(">2H", code, len(data)) + data for code, data in options)
    return bytes([kind, 1, 2, 3]) + body


DUID = (1, b"\0\3\0\1\2\0\0\0\0\7")
BACK = b"\xc0\x0c"  # a pointer to the question's name
ALL_KINDS = (
    (1, b"\xc0\0\2\1"),
    (2, b"\2ns" + BACK),
    (5, name("alias.example")),
    (6, name("ns.example") + name("root.example") + struct.pack(">5I", 1, 2, 3, 4, 5)),
    (12, BACK),
    (15, b"\0\x0a\4mail" + BACK),
    (16, b'\5v=x "\0\2\\\1'),
    (28, bytes(15) + b"\1"),
    (33, struct.pack(">3H", 1, 2, 5060) + BACK),
    (39, BACK),
    (65, b"\0\1\0" + b"\0\1\0\3\2h3" + b"\0\4\0\4\xc0\0\2\2" + b"\0\5\0\2xy" + b"\x12\x34\0\1!"),
    (64, b"\0\0" + BACK),
    (99, b"\xab\xcd"),
)


def dns_seeds():
    ask = header(1, 0x0100, 1, 0, 1) + question("www.example.com", 1)
    ask += record(b"\0", 41, b"", 0, 1232)
    answer = header(1, 0x8180, 1, 3) + question("www.example.com", 1)
    answer += record(BACK, 5, name("cdn.example.net"))
    answer += record(name("cdn.example.net"), 1, b"\xc0\0\2\1")
    answer += record(b"\xc0\x10", 1, b"\xc0\0\2\2")
    yield "pair", row((0, ask), (0x40, answer))
    yield "again", row((0, ask), (0, ask), (0x40, answer), (0x40, answer))
    yield "unanswered", row((0x10, ask), (0x20, ask), *[(0x0F, b"")] * 12)
    every = header(2, 0x8180, 1, len(ALL_KINDS)) + question("example.com", 255)
    every += b"".join(record(BACK, kind, data) for kind, data in ALL_KINDS)
    yield "kinds", row((0x40, every))
    yield "cut", row((0xC0, every[:90]), (0x80, ask[:20]))
    loop = header(3, 0x8180, 1, 1) + b"\1a\xc0\x0c" + struct.pack(">2H", 1, 1)
    chain = (
        header(3, 0x8180, 0, 1)
        + b"\0"
        + b"".join(struct.pack(">H", 0xC000 | (12 if not i else 11 + 2 * i)) for i in range(140))
    )
    yield "pointers", row((0x40, loop), (0x40, chain))
    mdns = header(0, 0x8400, 0, 2) + record(name("host.local"), 1, b"\x0a\0\0\1", 120, 0x8001)
    mdns += record(name("1.0.0.10.in-addr.arpa"), 12, name("host.local"), 120, 0x8001)
    yield "mdns", row((1, mdns), (1, header(0, 0, 1) + question("_x._tcp.local", 12, 0x8001)))
    yield "llmnr", row((2, header(9, 0, 1) + question("server", 1)))
    full = (81, b"\4\0\0" + name("laptop.example")[:-1])
    yield "dhcp", row((3, dhcp(1, 3, (12, b"laptop"), full, (50, b"\x0a\0\0\1"))), (3, dhcp(2, 5)))
    address = (3, bytes(12) + struct.pack(">2H", 5, 24) + bytes(16) + struct.pack(">2I", 9, 9))
    request = dhcp6(3, DUID, address, (39, b"\1" + name("six.example")))
    relayed = b"\x0c\0" + bytes(32) + struct.pack(">2H", 9, len(request)) + request
    yield "dhcp6", row((4, request), (4, relayed), (4, dhcp6(7, DUID, address)))
    tcp = struct.pack(">H", len(ask)) + ask
    yield "tcp", row((0, tcp), (0, tcp[:20]), (6, tcp))
