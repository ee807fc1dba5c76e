# SPDX-License-Identifier: MIT
"""Seeds of fuzz_copy: pcapng files with each option and block that a writer passes on, in both byte
orders.  make_seeds.py writes them with the others."""

import struct

FRAME = bytes.fromhex(
    "000000000001000000000208004500002000030000401100000a0000010a00000304d20035000c000061626364"
)


def pad(data):
    return data + bytes(-len(data) % 4)


class Order:
    """Blocks and options of a byte order."""

    def __init__(self, mark):
        self.mark = mark

    def pack(self, form, *values):
        return struct.pack(self.mark + form, *values)

    def option(self, code, value):
        return self.pack("HH", code, len(value)) + pad(value)

    def block(self, kind, body):
        n = len(body) + 12
        return self.pack("II", kind, n) + body + self.pack("I", n)

    def section(self, options=b""):
        return self.block(0x0A0D0D0A, self.pack("IHHq", 0x1A2B3C4D, 1, 0, -1) + options + bytes(4))

    def interface(self, options=b"", link_type=1, snaplen=0):
        return self.block(1, self.pack("HHI", link_type, 0, snaplen) + options + bytes(4))

    def packet(self, options=b"", interface=0, stamp=0x0005EAF2279CFC00, data=FRAME):
        head = self.pack(
            "IIIII", interface, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data) + 4
        )
        return self.block(6, head + pad(data) + (options + bytes(4) if options else b""))

    def process(self, pid, name, uuid=b""):
        options = self.option(2, name) + (self.option(4, uuid) if uuid else b"")
        return self.block(0x80000001, self.pack("I", pid) + options + bytes(4))

    def words(self, *pairs):
        return b"".join(self.option(code, self.pack("I", value)) for code, value in pairs)


def every_option(o):
    """A file with each option of packets, interfaces and sections."""
    option, pack = o.option, o.pack
    interface = (
        option(2, b"en0\0")
        + option(3, b"Wi-Fi")
        + option(4, bytes(8))
        + option(6, b"\2\4\6\10\12\14")
        + option(8, pack("Q", 10**9))
        + option(9, b"\x09")
        + option(11, b"\0tcp")
        + option(11, b"\1" + pack("HBBIHBBI", 0x28, 0, 0, 12, 6, 0, 0, 65535))
        + option(12, b"Darwin")
        + option(15, b"card")
        + option(16, pack("Q", 5))
        + o.words((0x8001, 7))
    )
    packet = (
        o.words((0x8001, 1), (0x8003, 0), (2, 0x0201))
        + option(3, b"\5" + bytes(4))
        + option(4, pack("Q", 3))
        + option(5, pack("Q", 4))
        + o.words((6, 5))
        + option(7, b"\2" + pack("Q", 2))
        + option(8, pack("II", 10, 11))
        + o.words((0x8002, 900), (0x8005, 0x12345678))
        + option(0x8006, pack("H", 9))
        + o.words((0x8007, 0x01020003))
        + option(0x8008, pack("H", 77))
        + option(0x8009, b"tcp_input")
        + option(1, b"a comment")
        + option(1, b"another")
        + o.words((0x8004, 0xFF), (0x800A, 2))
        + option(2988, pack("I", 1) + b"text")
        + option(19373, pack("I", 1) + b"secret")
        + option(0x7ABC, b"unknown")
    )
    names = (
        pack("HH", 1, 6)
        + pad(b"\x0a\0\0\1a\0")
        + pack("HH", 2, 18)
        + pad(bytes(16) + b"b\0")
        + bytes(4)
    )
    return (
        o.section(option(1, b"hello") + option(2, b"arm64") + option(3, b"os") + option(4, b"app"))
        + o.interface(interface)
        + o.process(1500, b"network_test\0", bytes(range(16)))
        + o.process(77, b"helper")
        + o.packet(packet)
        + o.block(4, names)
        + o.block(10, pack("II", 0x544C534B, 5) + pad(b"secre"))
        + o.packet()
        + o.block(2, pack("HHIIII", 0, 3, 0, 5, 20, 20) + FRAME[:20])
        + o.block(3, pack("I", 20) + FRAME[:20])
    )


def two_sections(first, second):
    """Two sections, each with processes of its own, the second with an interface of microseconds."""
    part = []
    for k, o in enumerate((first, second)):
        part += [o.section(), o.interface(o.option(9, bytes([9 - 3 * k])))]
        part += [o.process(100 + k, b"p%d" % k), o.packet(o.words((0x8001, 0), (0x8003, 1)))]
        part += [o.process(200 + k, b"q"), o.packet(o.words((0x8001, 1), (0x8002, 0)))]
    return b"".join(part)


def copy_seeds():
    little, big = Order("<"), Order(">")
    yield "little", every_option(little)
    yield "big", every_option(big)
    yield "sections", two_sections(little, big)
    yield (
        "resolution",
        big.section()
        + big.interface(big.option(9, b"\x8a") + big.option(14, big.pack("q", -3)))
        + big.packet(big.words((2, 1))),
    )
    yield (
        "lengths",
        little.section()
        + little.interface()
        + little.process(1, b"x")
        + b"".join(
            little.packet(little.option(code, bytes(n)))
            for code in (0x8001, 0x8002, 0x8004, 0x8006, 2, 4, 7, 8)
            for n in (0, 1, 4, 8)
        ),
    )
