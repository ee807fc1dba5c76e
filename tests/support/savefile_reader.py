# SPDX-License-Identifier: MIT
"""Reads pcap and pcapng savefiles by their descriptions, packet by packet: a second reader, which
shares nothing with the program."""

import struct
from collections import namedtuple

Packet = namedtuple("Packet", "link ns caplen wirelen data name options")
Interface = namedtuple("Interface", "link snaplen name units offset options")
SECTION, INTERFACE, OLD, SIMPLE, STATISTICS, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 5, 6


def read_options(data, order):
    """[(code, value)] of a block's options."""
    out, at = [], 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from(order + "HH", data, at)
        if code == 0 or at + 4 + length > len(data):
            break
        out.append((code, data[at + 4 : at + 4 + length]))
        at += 4 + (length + 3) // 4 * 4
    return out


def option(options, code, other=None):
    return next((value for number, value in options if number == code), other)


def read_interface(body, order):
    link, _, snaplen = struct.unpack_from(order + "HHI", body)
    options = read_options(body[8:], order)
    resolution = option(options, 9, b"\x06")[0]
    units = 2 ** (resolution & 127) if resolution & 128 else 10**resolution
    offset = struct.unpack(order + "q", option(options, 14, bytes(8)))[0]
    name = option(options, 2, b"").rstrip(b"\0")
    return Interface(link, snaplen, name, units, offset, options)


def to_ns(interface, high, low):
    return (high << 32 | low) * 10**9 // interface.units + interface.offset * 10**9


class Pcapng:
    """All that a pcapng file says: packets, interfaces of all sections, statistics, sections."""

    def __init__(self, data):
        self.packets, self.interfaces, self.statistics, self.sections = [], [], [], []
        self.others = []
        at, order, first = 0, "<", 0
        while at + 12 <= len(data):
            if data[at : at + 4] == b"\n\r\r\n":
                order = "<" if data[at + 8 : at + 12] == b"M<+\x1a" else ">"
                first = len(self.interfaces)
            kind, length = struct.unpack_from(order + "II", data, at)
            body = data[at + 8 : at + length - 4]
            assert length % 4 == 0 and length >= 12, f"a block of {length} bytes at {at}"
            assert data[at + 4 : at + 8] == data[at + length - 4 : at + length], f"block at {at}"
            self.take(kind, body, order, first)
            at += length
        assert at == len(data), f"{len(data) - at} bytes behind the last block"

    def take(self, kind, body, order, first):
        if kind == SECTION:
            self.sections.append(read_options(body[16:], order))
        elif kind == INTERFACE:
            self.interfaces.append(read_interface(body, order))
        elif kind == STATISTICS:
            number, high, low = struct.unpack_from(order + "III", body)
            self.statistics.append((first + number, read_options(body[12:], order)))
        elif kind == ENHANCED:
            number, high, low, caplen, wirelen = struct.unpack_from(order + "IIIII", body)
            self.add(
                self.interfaces[first + number], (high, low), caplen, wirelen, body[20:], order
            )
        elif kind == OLD:
            number, _, high, low, caplen, wirelen = struct.unpack_from(order + "HHIIII", body)
            self.add(
                self.interfaces[first + number], (high, low), caplen, wirelen, body[20:], order
            )
        elif kind == SIMPLE:
            wirelen = struct.unpack_from(order + "I", body)[0]
            interface = self.interfaces[first]
            caplen = min(wirelen, interface.snaplen or wirelen, len(body) - 4)
            self.add(interface, None, caplen, wirelen, body[4:], order)
        else:
            self.others.append((kind, body))

    def add(self, interface, stamp, caplen, wirelen, rest, order):
        options = read_options(rest[(caplen + 3) // 4 * 4 :], order)
        ns = to_ns(interface, *stamp) if stamp else None
        self.packets.append(
            Packet(
                interface.link, ns, caplen, wirelen, rest[:caplen], interface.name, tuple(options)
            )
        )


PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}


class Pcap:
    """The packets of a pcap file."""

    def __init__(self, data):
        order, unit = PCAP[data[:4]]
        snaplen = struct.unpack_from(order + "I", data, 16)[0] or 262144
        self.link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
        self.unit, self.packets = unit, []
        at = 24
        while at < len(data):
            seconds, part, caplen, wirelen = struct.unpack_from(order + "IIII", data, at)
            assert at + 16 + caplen <= len(data), f"a cut record at {at}"
            ns = seconds * 10**9 + part * unit
            kept = min(caplen, snaplen)  # as libpcap does
            body = data[at + 16 : at + 16 + kept]
            self.packets.append(Packet(self.link, ns, kept, wirelen, body, b"", ()))
            at += 16 + caplen


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    return Pcap(data) if data[:4] in PCAP else Pcapng(data)
