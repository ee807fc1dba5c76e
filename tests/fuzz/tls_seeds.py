#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tls_seeds.py CORPUS: writes the first inputs of fuzz_tls, CORPUS/tls/seed-*."""

import os
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from hellos import *

CN = b"\x55\4\3"


def usual_extensions():
    return (
        versions(0x1A1A, 0x0304, 0x0303)
        + server_name(b"www.example.com")
        + alpn(b"h2", b"http/1.1")
        + signatures(0x0403, 0x0804)
        + extension(10, vector(2, numbers(0x11EC, 0x1D)))
        + extension(11, b"\1\0")
        + extension(0xFE0D, bytes(40))
        + extension(21, bytes(60))
    )


def server_flight(version):
    cert = certificate(name((CN, 12, b"Example CA")), name((CN, 0x1E, b"\0w\0w\0w")))
    hello = server_hello(alpn(b"h2") + extension(0xFF01, b"\0"), version=version)
    return hello, certificates(cert, b"\x30\0"), message(14, b"")


def stream_seeds():
    hello = client_hello(usual_extensions(), session=bytes(32))
    flight = b"".join(server_flight(0x0303))
    thirteen = server_hello(extension(43, b"\3\4"), session=bytes(32))
    warning = records(b"\1\x70", kind=21)
    yield "hello", 255, records(hello)
    yield "hello-records", 100, records(hello, 7)
    yield "hello-no-extensions", 255, records(client_hello(None, version=0x0301))
    yield "server", 200, records(flight, version=0x0303)
    yield "server-records", 1, warning + records(message(0, b"") + flight, 50)
    yield "server-13", 255, records(thirteen) + records(b"\1", kind=20)
    yield "middle", 255, records(bytes(60), kind=23) * 2
    yield "alert", 255, records(b"\2\x28", kind=21)
    ssl2 = struct.pack(">BHHHH", 1, 0x0301, 6, 0, 16) + bytes(6) + bytes(16)
    yield "ssl2", 9, struct.pack(">H", 0x8000 | len(ssl2)) + ssl2


def datagram_seeds():
    hello = client_hello(usual_extensions(), version=0xFEFD, cookie=bytes(8))
    parts = list(fragments(hello, 0, (20, 90)))
    yield "dtls", [datagram(*parts)]
    yield "dtls-order", [datagram(parts[2]), datagram(parts[0]), b"STUN", datagram(parts[1])]
    flight = [next(fragments(part, k)) for k, part in enumerate(server_flight(0xFEFD))]
    yield "dtls-server", [datagram(flight[0], version=0xFEFD), datagram(*flight[1:])]
    verify = message(3, b"\xfe\xff\x04abcd")
    yield "dtls-verify", [datagram(*fragments(verify, 0)), datagram(flight[0])]
    yield "dtls-data", [datagram(bytes(40), kind=23, epoch=1, version=0xFEFD)]


def message_seeds():
    yield "message-client", client_hello(usual_extensions())
    yield "message-server", server_hello(alpn(b"h2"))
    yield "message-certificate", server_flight(0x0303)[1]
    yield "certificate", certificate(name((CN, 12, b" #a,\xff")), name((b"\x2b\6", 4, b"a")))


def main():
    folder = os.path.join(sys.argv[1], "tls")
    os.makedirs(folder, exist_ok=True)
    seeds = [(label, bytes([0, step]) + data) for label, step, data in stream_seeds()]
    for label, parts in datagram_seeds():
        lengths = [len(part) for part in parts] + [0] * (15 - len(parts))
        seeds.append((label, b"\1\0" + struct.pack(">15H", *lengths) + b"".join(parts)))
    seeds += [(label, b"\2\0" + data) for label, data in message_seeds()]
    for label, data in seeds:
        with open(os.path.join(folder, "seed-" + label), "wb") as out:
            out.write(data)


if __name__ == "__main__":
    main()
