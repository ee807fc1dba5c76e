# SPDX-License-Identifier: MIT
"""TLS and DTLS handshake messages made by hand, for seeds and system tests."""

import struct

RANDOM = bytes(range(32))


def vector(width, data):
    """data behind its length of width bytes."""
    return len(data).to_bytes(width, "big") + data


def numbers(*values):
    return b"".join(struct.pack(">H", value) for value in values)


def extension(kind, data):
    return struct.pack(">H", kind) + vector(2, data)


def server_name(name):
    return extension(0, vector(2, b"\0" + vector(2, name)))


def alpn(*names):
    return extension(16, vector(2, b"".join(vector(1, name) for name in names)))


def versions(*values):
    return extension(43, vector(1, numbers(*values)))


def signatures(*values):
    return extension(13, vector(2, numbers(*values)))


def message(kind, body):
    return bytes([kind]) + vector(3, body)


def client_hello(extensions, ciphers=(0x1301, 0x1302), version=0x0303, cookie=None, session=b""):
    """A ClientHello; cookie: bytes for DTLS.  extensions None: the hello ends before them."""
    body = struct.pack(">H", version) + RANDOM + vector(1, session)
    if cookie is not None:
        body += vector(1, cookie)
    body += vector(2, numbers(*ciphers)) + b"\1\0"
    if extensions is not None:
        body += vector(2, extensions)
    return message(1, body)


def server_hello(extensions=b"", version=0x0303, cipher=0xC02F, session=b""):
    body = struct.pack(">H", version) + RANDOM + vector(1, session) + numbers(cipher) + b"\0"
    return message(2, body + (vector(2, extensions) if extensions else b""))


def records(data, size=16384, version=0x0301, kind=22):
    """Records of at most size bytes each."""
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(bytes([kind]) + struct.pack(">H", version) + vector(2, p) for p in parts)


def der(tag, *parts):
    data = b"".join(parts)
    n = len(data)
    if n < 128:
        return bytes([tag, n]) + data
    width = (n.bit_length() + 7) // 8
    return bytes([tag, 0x80 | width]) + n.to_bytes(width, "big") + data


def name(*pairs):
    """A distinguished name of (oid bytes, string tag, value)."""
    sets = [der(0x31, der(0x30, der(6, oid), der(tag, value))) for oid, tag, value in pairs]
    return der(0x30, *sets)


def certificate(issuer, subject):
    """The start of a certificate as far as its names; the rest is filled with zeros."""
    algorithm = der(0x30, der(6, bytes.fromhex("2a864886f70d01010b")), der(5))
    times = der(0x30, der(0x17, b"250101000000Z"), der(0x17, b"350101000000Z"))
    inner = (der(0xA0, der(2, b"\2")), der(2, b"\1\2\3"), algorithm, issuer, times, subject)
    return der(0x30, der(0x30, *inner, der(0x30, bytes(270))), algorithm, der(3, bytes(257)))


def certificates(*certs):
    return message(11, vector(3, b"".join(vector(3, c) for c in certs)))


def fragments(data, number, cuts=()):
    """DTLS fragments of a handshake message, cut at places of its body, in order."""
    head, body = data[:4], data[4:]
    ends = [*cuts, len(body)]
    start = 0
    for end in ends:
        part = body[start:end]
        yield (
            head
            + struct.pack(">H", number)
            + start.to_bytes(3, "big")
            + len(part).to_bytes(3, "big")
            + part
        )
        start = end


def datagram(*parts, sequence=0, version=0xFEFF, kind=22, epoch=0):
    """A DTLS datagram: each part in a record."""
    out = b""
    for k, part in enumerate(parts):
        out += struct.pack(">BHHHI", kind, version, epoch, 0, sequence + k) + vector(2, part)
    return out
