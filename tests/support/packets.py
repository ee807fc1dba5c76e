# SPDX-License-Identifier: MIT
"""Builders of packets and savefiles for tests.  Every function returns bytes; nothing here runs
a program.

Addresses are those for documentation (RFC 5737, RFC 3849).  Checksums are right where a checksum is
part of the layer, so that no test depends on a packet that a careful reader would refuse.
"""

import socket
import struct

HOST_A, HOST_B, ROUTER = "192.0.2.1", "198.51.100.2", "203.0.113.1"
HOST_A6, HOST_B6 = "2001:db8::1", "2001:db8::2"
START = 1700000000  # seconds since 1970 of a savefile's first packet
MAC_HEADER = bytes.fromhex("020000000002020000000001")
DLT_EN10MB, DLT_IEEE802_11, DLT_RADIOTAP = 1, 105, 127


def address(text):
    """The bytes of an IPv4 or IPv6 address."""
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, destination, protocol, payload, ident=1, flags=0, offset=0, ttl=64):
    """An IPv4 packet; offset in units of 8 bytes."""
    header = struct.pack(
        ">BBHHHBBH4s4s",
        0x45,
        0,
        20 + len(payload),
        ident,
        flags << 13 | offset,
        ttl,
        protocol,
        0,
        address(source),
        address(destination),
    )
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def ipv6(source, destination, next_header, payload):
    """An IPv6 packet."""
    return (
        struct.pack(
            ">IHBB16s16s",
            6 << 28,
            len(payload),
            next_header,
            64,
            address(source),
            address(destination),
        )
        + payload
    )


def with_checksum(source, destination, protocol, segment, at):
    """The segment with its checksum, over the pseudo header, at the given offset."""
    pseudo = address(source) + address(destination) + struct.pack(">II", len(segment), protocol)
    value = checksum(pseudo + segment) or 0xFFFF
    return segment[:at] + struct.pack(">H", value) + segment[at + 2 :]


def udp_segment(source, destination, sport, dport, payload=b"", no_checksum=False):
    segment = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
    return segment if no_checksum else with_checksum(source, destination, 17, segment, 6)


def tcp_segment(source, destination, sport, dport, flags, seq, ack, payload=b""):
    """A TCP segment without options; flags are letters of FSRPA."""
    bits = sum({"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}[c] for c in flags)
    segment = (
        struct.pack(
            ">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, bits, 8192, 0, 0
        )
        + payload
    )
    return with_checksum(source, destination, 6, segment, 16)


def ethernet(packet, ethertype=None):
    """An Ethernet frame; the type is IPv4's or IPv6's by the packet's version unless given."""
    if ethertype is None:
        ethertype = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return MAC_HEADER + struct.pack(">H", ethertype) + packet


def vlan(frame, tci, tpid=0x8100):
    """The frame with a VLAN tag."""
    return frame[:12] + struct.pack(">HH", tpid, tci) + frame[12:]


def udp4(sport=1000, dport=53, payload=b"x" * 20, source=HOST_A, destination=HOST_B, **more):
    """An IPv4 packet with UDP."""
    return ipv4(
        source, destination, 17, udp_segment(source, destination, sport, dport, payload), **more
    )


def udp6(sport=1000, dport=53, payload=b"x" * 20, source=HOST_A6, destination=HOST_B6):
    """An IPv6 packet with UDP."""
    return ipv6(source, destination, 17, udp_segment(source, destination, sport, dport, payload))


def tcp_frame(direction, flags, seq, ack, payload=b"", sport=40000, dport=443, v6=False):
    """An Ethernet frame of a connection A to B: direction 0 is from A, 1 the answer."""
    source, destination = (HOST_A6, HOST_B6) if v6 else (HOST_A, HOST_B)
    if direction:
        source, destination, sport, dport = destination, source, dport, sport
    segment = tcp_segment(source, destination, sport, dport, flags, seq, ack, payload)
    return ethernet((ipv6 if v6 else ipv4)(source, destination, 6, segment))


def icmp_error(source, destination, kind, code, quoted, rest=0):
    """An IPv4 packet with an ICMP error that quotes the first 28 bytes of a packet."""
    message = struct.pack(">BBHI", kind, code, 0, rest) + quoted[:28]
    message = message[:2] + struct.pack(">H", checksum(message)) + message[4:]
    return ipv4(source, destination, 1, message)


def icmp6_error(source, destination, kind, code, quoted, rest=0):
    """An IPv6 packet with an ICMPv6 error that quotes a packet."""
    message = struct.pack(">BBHI", kind, code, 0, rest) + quoted
    return ipv6(source, destination, 58, with_checksum(source, destination, 58, message, 2))


def pcap(packets, link_type=DLT_EN10MB, end="<", magic=0xA1B2C3D4, snap=262144):
    """A pcap file of (seconds after START, bytes[, wire length]) tuples."""
    out = struct.pack(end + "IHHiIII", magic, 2, 4, 0, 0, snap, link_type)
    for when, data, *wire in packets:
        micros = round((when - int(when)) * 1e6)
        out += (
            struct.pack(
                end + "IIII", START + int(when), micros, len(data), wire[0] if wire else len(data)
            )
            + data
        )
    return out


def spaced(*frames, step=0.01):
    """(time, frame) tuples, each frame a step after the one before."""
    return [(i * step, frame) for i, frame in enumerate(frames)]


def option(code, value):
    """A pcapng option, padded."""
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def block(kind, body):
    """A pcapng block with both lengths."""
    body += b"\0" * (-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def section():
    """A Section Header Block of unknown length."""
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(options=b"", link_type=DLT_EN10MB, snap=0):
    """An Interface Description Block."""
    return block(1, struct.pack("<HHI", link_type, 0, snap) + options)


def enhanced(index, stamp, data, options=b"", wire=None):
    """An Enhanced Packet Block; stamp in the interface's units."""
    stamp &= (1 << 64) - 1
    head = struct.pack(
        "<IIIII",
        index,
        stamp >> 32,
        stamp & 0xFFFFFFFF,
        len(data),
        len(data) if wire is None else wire,
    )
    return block(6, head + data + b"\0" * (-len(data) % 4) + options)


def statistics(index, options=b"", stamp=0):
    """An Interface Statistics Block."""
    return block(5, struct.pack("<III", index, stamp >> 32, stamp & 0xFFFFFFFF) + options)
