# SPDX-License-Identifier: MIT
"""Seeds for fuzz_naming: flows of a few protocols, cut, reordered, reassembled."""

import struct

UDP, CUT, SYN, FIN, RESPONDER = 16, 32, 64, 128, 8
BATCH, END = 32, 64
GET = b"GET /a HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
CONNECT = b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def packet(head, step, at, payload=b""):
    return struct.pack("!BBHH", head, step, at, len(payload)) + payload


def hello(name):
    """A ClientHello with a server's name, in its record."""
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!HH", 0, len(sni)) + sni
    extensions += bytes.fromhex("00100005000302" + "6832" + "002b0003020304")
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0"
    body += struct.pack("!H", len(extensions)) + extensions
    message = b"\1" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\3\1" + struct.pack("!H", len(message)) + message


def query(name):
    labels = b"".join(bytes([len(x)]) + x for x in name.split(b"."))
    return b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"


def naming_seeds():
    tls = hello(b"www.example.org")
    dns = query(b"www.example.net")
    yield "http", b"\x7f\0" + packet(SYN, 0, 0) + packet(0, 0, 0, GET) + packet(8, BATCH, 0, OK)
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        cuts = (0, 20, 50, len(tls))
        parts = [packet(1, 0, cuts[k], tls[cuts[k] : cuts[k + 1]]) for k in order]
        yield "tls-%d%d%d" % order, b"\xff\1" + packet(SYN | 1, 0, 0) + b"".join(parts)
    inner = packet(0, BATCH, 0, CONNECT) + packet(8, BATCH, 0, OK)
    yield "connect", b"\x7f\2" + inner + packet(0, BATCH, len(CONNECT), tls)
    yield "dns", b"\x7f\0" + packet(UDP, 0, 0, dns) + packet(UDP | 8, BATCH, 0, dns)
    framed = struct.pack("!H", len(dns)) + dns
    halves = packet(2, 0, 0, framed * 2 + framed[:9]) + packet(2, BATCH, 2 * len(framed) + 9, b"x")
    yield "dns-tcp", b"\x7f\0" + halves
    yield "cut", b"\x7f\0" + packet(SYN, 0, 0) + packet(CUT, BATCH, 0, tls)
    yield "fin", b"\x7f\0" + packet(0, 0, 0, GET[:20]) + packet(FIN, BATCH, 20)
    flood = b"".join(packet(k % 8, END, 0, tls[:60]) for k in range(40))
    yield "flood", b"\x7f\0" + flood
    late = packet(0, 0, 0, GET[:30]) + b"".join(packet(1, 31, 0, GET) for _ in range(6))
    yield "late", b"\x7f\0" + late
    udp = b"".join(packet(UDP | 3, 0, 0, b"\xc3\0\0\0\1\x08" + bytes(1193)) for _ in range(3))
    yield "quic", b"\x7f\4" + udp
