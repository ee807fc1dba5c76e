#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_capture.py [--check] [FILE]: writes examples/office.pcap, the capture of README's recipes.

A minute of an office, seen at a laptop: ARP, DHCP, DNS, web pages over TLS and HTTP, a
remote shell, a backup in a VLAN, a port scan, ping, traceroute, IPv6, a tunnel, fragments.  TCP
connections are those of tests/truth/tcpsim.py, so each loss and each retransmission is known.
Addresses and names are those for documentation, or private.  The file has the same bytes on every
machine.  --check compares the file with the bytes that would be written.
"""

import os
import random
import struct
import sys

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TOP, "tests/truth"), os.path.join(TOP, "tests/support")]
import packets
import tcpsim
from tcpsim import ACK, FIN, MS, PSH, RST, SECOND

START_NS = 1767776400 * SECOND  # 2026-01-07 09:00:00 UTC
SNAP = 256
LAPTOP, LAPTOP6, LOCAL6 = "192.168.1.20", "2001:db8:1::20", "fe80::20"
ROUTER, ROUTER6 = "192.168.1.1", "fe80::1"
RESOLVER6 = "2001:db8:1::1"
SCANNED = (21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 443, 445, 993, 995, 1723, 3306, 3389)
SCANNED += (5432, 5900, 6379, 8080, 8443, 9200)
STORE, SCANNER = "192.168.1.10", "203.0.113.66"
MACS = {
    LAPTOP: "020000000020",
    LAPTOP6: "020000000020",
    LOCAL6: "020000000020",
    STORE: "020000000010",
}
ROUTER_MAC = "020000000001"
SITES = (  # name, IPv4, IPv6, round trip beyond the laptop in ms
    ("www.example.com", "192.0.2.80", "2001:db8:80::80", 12),
    ("mail.example.com", "192.0.2.25", "2001:db8:80::25", 14),
    ("cdn.example.net", "198.51.100.7", "2001:db8:7::7", 4),
    ("news.example.org", "198.51.100.44", "2001:db8:44::44", 31),
    ("api.example.net", "203.0.113.10", "2001:db8:10::10", 88),
)


def mac_of(address):
    """The bytes of the hardware address that frames of this host have at the laptop."""
    if address.startswith("ff02::"):
        return b"\x33\x33" + packets.address(address)[12:]
    if address.startswith(("224.", "239.")):
        low = packets.address(address)
        return b"\x01\x00\x5e" + bytes([low[1] & 127]) + low[2:]
    if address == "255.255.255.255":
        return b"\xff" * 6
    return bytes.fromhex(MACS.get(address, ROUTER_MAC))


def frame_of(source, destination, packet, vlans=()):
    """An Ethernet frame of an IP packet, without padding."""
    tags = b"".join(b"\x81\x00" + struct.pack(">H", v) for v in vlans)
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    return mac_of(destination) + mac_of(source) + tags + kind + packet


def ip_of(source, destination, protocol, payload, ident=0, ttl=64):
    """An IPv4 or IPv6 packet, by the form of the addresses."""
    if ":" not in source:
        return packets.ipv4(source, destination, protocol, payload, ident, 2, 0, ttl)
    packet = packets.ipv6(source, destination, protocol, payload)
    return packet[:7] + bytes([ttl]) + packet[8:]


class Talk(tcpsim.Conversation):
    """A conversation of tcpsim with given ends, content and checksums; end 0 opens it."""

    def __init__(self, number, at_s, ends, ports, far_ms, vlans=(), said=(b"", b"")):
        super().__init__(number, 23, START_NS + int(at_s * SECOND))
        self.ends, self.ports, self.vlans = ends, ports, list(vlans)
        self.version = 6 if ":" in ends[0] else 4
        self.unit = 1440 if self.version == 6 else 1460
        self.offload = self.stamps = False
        self.sack = True
        self.snaplen = SNAP
        self.window = [64240, 65160]
        near = 0 if ends[0] in MACS else 1
        self.distance = [0, 0]
        self.distance[near] = 90000 + 1000 * (number * 37 % 60)
        self.distance[1 - near] = int(far_ms * MS)
        self.isn = [self.r.getrandbits(31), self.r.getrandbits(31)]
        self.next, self.acked = list(self.isn), [0, 0]
        self.said = [text + self.r.randbytes(1500) for text in said]

    def setup(self, end):
        """The options of a SYN: segment size, scale and SACK."""
        self.truth.mss[end], self.truth.scale[end] = self.unit, 7
        size = struct.pack(">H", self.unit)
        return b"\x02\x04" + size + b"\x01\x03\x03\x07\x01\x01\x04\x02"

    def content(self, end, seq, size):
        """What an end said at a sequence number: the text, then noise of full records of TLS."""
        if not size:
            return b""
        at = seq - self.isn[end] - 1
        said = self.said[end]
        while len(said) < at + size:
            said += b"\x17\x03\x03\x05\x00" + self.r.randbytes(1280)
        self.said[end] = said
        return said[at : at + size]

    def emit(self, end, flags, seq, size=0, **more):
        """Makes tcpsim's segment, with the ends, the content and the checksums of this capture."""
        super().emit(end, flags, seq, size, **more)
        at, _, made = self.packets[-1]
        tcp = made[14 + 4 * len(self.vlans) + (20 if self.version == 4 else 40) :]
        tcp = tcp[: (tcp[12] >> 4) * 4]
        segment = struct.pack(">HH", self.ports[end], self.ports[1 - end]) + tcp[4:]
        source, destination = self.ends[end], self.ends[1 - end]
        whole = packets.with_checksum(
            source, destination, 6, segment + self.content(end, seq, size), 16
        )
        ident = (self.number * 977 + len(self.packets) * 3) & 0xFFFF
        packet = ip_of(source, destination, 6, whole, ident, 64 if end == 0 else 57)
        frame = frame_of(source, destination, packet, self.vlans)
        frame += bytes(max(0, 60 - len(frame)))
        self.packets[-1] = (at, len(frame), frame[:SNAP])

    def say(self, a, size):
        """Sends bytes in bursts of up to ten segments, each acknowledged as its receiver does."""
        b = 1 - a
        while size:
            burst = []
            while size and len(burst) < 10:
                part = min(size, self.unit)
                size -= part
                flags = ACK if size and len(burst) < 9 else ACK | PSH
                self.emit(a, flags, self.next[a], part)
                self.next[a] += part
                burst.append(self.next[a])
                self.wait(12000 + self.r.randrange(9000))
                if self.distance[b] < MS and len(burst) % 2 == 0:
                    self.acknowledge(b, self.next[a])
            self.wait(self.distance[b])
            upto = burst[1::2] if self.distance[b] >= MS else []
            for reached in [*upto, *([burst[-1]] if burst[-1] not in upto else [])]:
                if self.acked[b] != reached:
                    self.acknowledge(b, reached)
                    self.wait(9000)
            self.wait(self.distance[a] if size else 0)

    def open(self):
        """Makes the handshake, whose SYNs all arrive."""
        options = [self.setup(0), self.setup(1)]
        self.syn(0, tcpsim.SYN, options[0])
        self.wait(self.distance[1])
        self.acked[1] = self.next[0]
        self.syn(1, tcpsim.SYN | ACK, options[1])
        self.wait(self.distance[0])
        self.acked[0] = self.next[1]
        self.emit(0, ACK, self.next[0])
        self.truth.handshake = list(self.distance)
        self.wait(40000)

    def close(self, a=0):
        """Ends the connection from end a; both ends agree."""
        for k in (a, 1 - a):
            self.emit(k, FIN | ACK, self.next[k])
            self.next[k] += 1
            self.wait(self.distance[1 - k])
            self.acknowledge(1 - k, self.next[k])
            self.wait(30000)
        self.truth.state = "closed"


def client_hello(name, r):
    """A TLS 1.3 client's first record."""
    host = name.encode()
    server = struct.pack(">HBH", len(host) + 3, 0, len(host)) + host
    share = struct.pack(">HHH", 36, 29, 32) + r.randbytes(32)
    extensions = b"".join(
        struct.pack(">HH", kind, len(body)) + body
        for kind, body in (
            (0, server),
            (43, b"\x02\x03\x04"),
            (10, b"\x00\x02\x00\x1d"),
            (13, b"\x00\x04\x04\x03\x08\x04"),
            (16, b"\x00\x03\x02h2"),
            (51, share),
        )
    )
    body = b"\x03\x03" + r.randbytes(32) + b"\x20" + r.randbytes(32)
    body += b"\x00\x04\x13\x01\x13\x03\x01\x00" + struct.pack(">H", len(extensions)) + extensions
    hello = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello


def server_hello(r):
    """A TLS 1.3 server's first records: its hello, then what is encrypted."""
    share = struct.pack(">HHHH", 51, 36, 29, 32) + r.randbytes(32)
    extensions = b"\x00\x2b\x00\x02\x03\x04" + share
    body = b"\x03\x03" + r.randbytes(32) + b"\x20" + r.randbytes(32) + b"\x13\x01\x00"
    body += struct.pack(">H", len(extensions)) + extensions
    hello = b"\x02" + struct.pack(">I", len(body))[1:] + body
    record = b"\x16\x03\x03" + struct.pack(">H", len(hello)) + hello + b"\x14\x03\x03\x00\x01\x01"
    return record + b"\x17\x03\x03\x05\x00"


def tls_talk(number, at_s, site, port, six=False):
    """A connection to a site with the hellos done; the caller goes on."""
    name, four, address6, far_ms = SITES[site]
    r = random.Random(number)
    first, answer = client_hello(name, r), server_hello(r)
    ends = (LAPTOP6, address6) if six else (LAPTOP, four)
    talk = Talk(number, at_s, ends, (port, 443), far_ms, (), (first, answer))
    talk.open()
    talk.say(0, len(first))
    talk.say(1, 2760)
    talk.say(0, 64)
    return talk


def web_talks():
    """Web pages: most are smooth, and each of the others has its own trouble."""
    port = 50100
    for number, (at_s, site, six, sizes) in enumerate(
        (
            (3.1, 0, False, (420, 18000)),
            (3.4, 2, True, (310, 42000)),
            (9.2, 3, False, (380, 9000)),
            (15.0, 1, True, (900, 4200)),
            (27.5, 0, True, (350, 12000)),
            (41.0, 2, False, (300, 24000)),
        ),
        1,
    ):
        talk = tls_talk(number, at_s, site, port + 2 * number, six)
        talk.say(0, sizes[0])
        talk.say(1, sizes[1])
        talk.wait(SECOND)
        talk.close()
        yield talk
    yield from troubled_talks(port)
    request = b"GET /notes.txt HTTP/1.1\r\nHost: news.example.org\r\nUser-Agent: example\r\n\r\n"
    page = b"A line of the page at news.example.org, sent without encryption.\r\n" * 40
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
    answer = head % len(page) + page
    talk = Talk(20, 21.3, (LAPTOP, SITES[3][1]), (50140, 80), 31, (), (request, answer))
    talk.open()
    talk.say(0, len(request))
    talk.say(1, len(answer))
    talk.close(1)
    yield talk


def troubled_talks(port):
    """A lossy download, segments that overtake, a full receiver, an answer that comes late."""
    lossy = tls_talk(11, 5.0, 4, port + 21)
    for fate in (("lost", "fast"), ("dropped", "fast"), ("lost", "timeout")):
        lossy.say(1, 8 * lossy.unit)
        lossy.disturbed(1, fate)
    lossy.say(1, 6000)
    lossy.close()
    yield lossy
    overtaken = tls_talk(12, 12.0, 3, port + 23, True)
    overtaken.say(1, 9000)
    overtaken.disturbed(1, ("overtaken", ""))
    overtaken.say(1, 5000)
    overtaken.close()
    yield overtaken
    full = tls_talk(13, 18.0, 2, port + 25)
    full.say(1, 14600)
    full.zero_window(1)
    full.say(1, 8000)
    full.close()
    yield full
    late = tls_talk(14, 30.0, 1, port + 27)
    late.lost_ack(0, True)
    late.keep_alive(0)
    late.emit(1, RST | ACK, late.next[1], window=0)
    yield late


def inner_talks():
    """The shell and the backup, both to the store; the backup is in VLAN 20."""
    banners = (b"SSH-2.0-OpenSSH_9.2\r\n", b"SSH-2.0-OpenSSH_9.6\r\n")
    shell = Talk(30, 2.0, (LAPTOP, STORE), (50150, 22), 0.3, (), banners)
    shell.open()
    shell.say(1, len(banners[1]))
    shell.say(0, len(banners[0]))
    for size in (1080, 36, 36, 44, 36, 36, 52):
        shell.wait(3 * SECOND + shell.r.randrange(SECOND))
        shell.say(0, size)
        shell.say(1, size + 40)
    yield shell
    backup = Talk(31, 24.0, (LAPTOP, STORE), (50160, 873), 0.4, (20,), (b"@RSYNCD: 31.0\n",) * 2)
    backup.open()
    backup.say(1, 14)
    backup.say(0, 14)
    backup.say(0, 60000)
    backup.disturbed(0, ("dropped", "timeout"))
    backup.say(0, 20000)
    backup.close()
    yield backup


def scan_talks():
    """A scanner that asks the laptop for ports, and two servers that are not there."""
    for number, port in enumerate(SCANNED):
        scan = Talk(70 + number, 35 + 0.04 * number, (SCANNER, LAPTOP), (61000, port), 40)
        scan.syn(0, tcpsim.SYN, b"\x02\x04\x05\xb4")
        scan.wait(scan.distance[1])
        scan.emit(1, RST | ACK, 0, ack=scan.next[0], window=0)
        yield scan
    refused = Talk(60, 46.0, (LAPTOP, SITES[4][1]), (50170, 8080), 88)
    refused.syn(0, tcpsim.SYN, refused.setup(0))
    refused.wait(refused.distance[1])
    refused.emit(1, RST | ACK, 0, ack=refused.next[0], window=0)
    yield refused
    silent = Talk(61, 47.0, (LAPTOP, "203.0.113.99"), (50171, 445), 50)
    options = silent.setup(0)
    silent.syn(0, tcpsim.SYN, options)
    for seconds in (1, 2, 4):
        silent.wait(seconds * SECOND)
        silent.syn(0, tcpsim.SYN, options, again=True)
    yield silent


def udp(at_s, source, destination, sport, dport, payload, ident=7, ttl=64):
    """(time, frame) of a datagram."""
    segment = packets.udp_segment(source, destination, sport, dport, payload)
    return at_s, frame_of(source, destination, ip_of(source, destination, 17, segment, ident, ttl))


def dns_name(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0"


def dns(number, at_s, name, kind=1, answer=None, ms=6, ends=(LAPTOP, ROUTER), code=0):
    """A question of DNS, and its answer behind ms unless ms is None."""
    client, server = ends
    ident, port = 4000 + 1117 * number & 0xFFFF, 33000 + 731 * number % 20000
    question = dns_name(name) + struct.pack(">HH", kind, 1)
    query = struct.pack(">HHHHHH", ident, 0x0100, 1, 0, 0, 0) + question
    yield udp(at_s, client, server, port, 53, query)
    if ms is None:
        return
    record = b""
    if answer:
        data = packets.address(answer)
        record = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 300, len(data)) + data
    flags = 0x8180 | code
    reply = struct.pack(">HHHHHH", ident, flags, 1, bool(record), 0, 0) + question + record
    yield udp(at_s + ms / 1000, server, client, 53, port, reply)


def dns_packets():
    """Each site's name just before it is needed, a name that is unknown, and a lost answer."""
    number = 0
    for at_s, site, six in ((3.05, 0, False), (3.35, 2, True), (4.9, 4, False), (9.1, 3, False)):
        ends = (LAPTOP6, RESOLVER6) if six else (LAPTOP, ROUTER)
        for kind in (1, 28):
            number += 1
            name, four, address6, _ = SITES[site]
            yield from dns(number, at_s, name, kind, four if kind == 1 else address6, 7, ends)
    for kind, address in ((1, SITES[1][1]), (28, SITES[1][2])):
        yield from dns(11 + kind, 14.9, SITES[1][0], kind, address, 9, (LAPTOP6, RESOLVER6))
    yield from dns(60, 20.0, "printer.example.com", code=3, ms=11)
    yield from dns(61, 33.0, "old.example.org", ms=None)
    yield from dns(61, 38.0, "old.example.org", ms=1240, code=2)


def arp(at_s, code, sender, target, known):
    """A question (1) or an answer (2) of ARP."""
    body = struct.pack(">HHBBH", 1, 0x800, 6, 4, code) + mac_of(sender) + packets.address(sender)
    body += (mac_of(target) if known else bytes(6)) + packets.address(target)
    to = mac_of(target) if known else b"\xff" * 6
    return at_s, to + mac_of(sender) + b"\x08\x06" + body


def echo(kind, ident, number):
    """A message of ICMP; its payload is that of ping."""
    body = struct.pack(">BBHHH", kind, 0, 0, ident, number) + bytes(8) + bytes(range(16, 64))
    return body[:2] + struct.pack(">H", packets.checksum(body)) + body[4:]


def icmp6(at_s, source, destination, message, ttl=255):
    """(time, frame) of an ICMPv6 message; its checksum is written here."""
    whole = packets.with_checksum(source, destination, 58, message, 2)
    return at_s, frame_of(source, destination, ip_of(source, destination, 58, whole, 0, ttl))


def ping_packets():
    """Ping to a site, whose seventh answer is lost; ping over IPv6; three steps of traceroute."""
    site, six = SITES[0][1], SITES[0][2]
    for n in range(1, 11):
        at_s = 6.5 + n
        ask = packets.ipv4(LAPTOP, site, 1, echo(8, 4711, n), 100 + n, 2)
        yield at_s, frame_of(LAPTOP, site, ask)
        if n != 7:
            answer = packets.ipv4(site, LAPTOP, 1, echo(0, 4711, n), 900 + n, ttl=57)
            yield at_s + 0.0121 + n % 3 / 4000, frame_of(site, LAPTOP, answer)
    for n in range(1, 5):
        for code, ends, late in ((128, (LAPTOP6, six), 0), (129, (six, LAPTOP6), 0.0124)):
            body = struct.pack(">BBHHH", code, 0, 0, 815, n) + bytes(range(56))
            yield icmp6(28 + n + late, *ends, body, 64 if code == 128 else 57)
    for hop, router in enumerate((ROUTER, "192.0.2.254", "198.51.100.254"), 1):
        probe = packets.udp_segment(LAPTOP, SITES[3][1], 45000, 33433 + hop, bytes(32))
        packet = packets.ipv4(LAPTOP, SITES[3][1], 17, probe, 500 + hop, ttl=hop)
        yield 44 + hop / 10, frame_of(LAPTOP, SITES[3][1], packet)
        told = packets.icmp_error(router, LAPTOP, 11, 0, packet)
        yield 44.001 + hop / 10 + hop / 150, frame_of(router, LAPTOP, told)


def link_packets():
    """ARP, neighbours, a router's advertisement, DHCP, and the multicasts of a link."""
    for at_s, asks, asked in (
        (0.4, LAPTOP, ROUTER),
        (1.9, LAPTOP, STORE),
        (23.9, LAPTOP, STORE),
        (40.2, LAPTOP, ROUTER),
    ):
        yield arp(at_s, 1, asks, asked, False)
        yield arp(at_s + 0.0003, 2, asked, asks, True)
    mac = mac_of(LOCAL6)
    solicit = b"\x87" + bytes(7) + packets.address(ROUTER6) + b"\x01\x01" + mac
    yield icmp6(0.6, LOCAL6, "ff02::1:ff00:1", solicit)
    told = b"\x88" + bytes(3) + b"\xe0\0\0\0" + packets.address(ROUTER6) + b"\x02\x01"
    yield icmp6(0.6008, ROUTER6, LOCAL6, told + bytes.fromhex(ROUTER_MAC))
    prefix = b"\x03\x04\x40\xc0" + struct.pack(">III", 86400, 14400, 0)
    prefix += packets.address("2001:db8:1::")
    advert = b"\x86" + bytes(3) + b"\x40\x00" + struct.pack(">HII", 1800, 0, 0) + prefix
    yield icmp6(10.0, ROUTER6, "ff02::1", advert)
    for at_s, kind, ends in (
        (0.1, 1, ("0.0.0.0", "255.255.255.255")),
        (0.12, 2, (ROUTER, "255.255.255.255")),
        (0.15, 3, ("0.0.0.0", "255.255.255.255")),
        (0.17, 5, (ROUTER, "255.255.255.255")),
    ):
        asks = kind in (1, 3)
        body = struct.pack(">BBBBIHH", 1 if asks else 2, 1, 6, 0, 0x20260107, 0, 0) + bytes(4)
        body += (bytes(4) if asks else packets.address(LAPTOP)) + bytes(8) + mac_of(LAPTOP)
        body += bytes(10 + 192) + b"\x63\x82\x53\x63\x35\x01" + bytes([kind]) + b"\xff" + bytes(52)
        ports = (68, 67) if asks else (67, 68)
        at_s, frame = udp(at_s, *ends, *ports, body)
        yield at_s, frame[:6] + (mac_of(LAPTOP) if asks else mac_of(ROUTER)) + frame[12:]
    for at_s in (4.0, 5.0, 34.0):
        asked = struct.pack(">HHHHHH", 0, 0, 1, 0, 0, 0) + dns_name("_ipp._tcp.local")
        yield udp(at_s, LAPTOP, "224.0.0.251", 5353, 5353, asked + b"\0\x0c\0\1", ttl=255)


def other_packets():
    """Time, QUIC, a datagram in three fragments, and names asked for behind VXLAN."""
    clock = b"\x23\x00\x06\xec" + bytes(44)
    yield udp(8.0, LAPTOP, "198.51.100.123", 123, 123, clock)
    yield udp(8.019, "198.51.100.123", LAPTOP, 123, 123, b"\x24\x02" + clock[2:])
    r, site = random.Random(9), SITES[2]
    for n in range(36):
        up = n in (0, 2, 3) or n % 5 == 0
        ends, ports = ((LAPTOP, site[1]), (50200, 443)) if up else ((site[1], LAPTOP), (443, 50200))
        first = bytes([0xC0 if n < 2 else 0x40]) + (b"\0\0\0\1\x08" if n < 2 else b"")
        size = 1200 if n < 2 or not up else 40
        yield udp(42 + n * 0.0043, *ends, *ports, first + r.randbytes(size - len(first)), n)
    log = b"<134>Jan  7 09:00:50 laptop backup: 80000 bytes in 1 file. " * 60
    segment = packets.udp_segment(LAPTOP, STORE, 40514, 514, log)
    for k in range(0, len(segment), 1480):
        part = segment[k : k + 1480]
        more = k + 1480 < len(segment)
        packet = packets.ipv4(LAPTOP, STORE, 17, part, 777, more, k // 8)
        yield 50 + k / 1e8, frame_of(LAPTOP, STORE, packet)
    for n in range(6):
        inside = ("10.7.0.5", "10.7.0.53")
        inner = list(dns(80 + n, 52 + n / 4, "db.example.net", answer="10.7.0.9", ends=inside))
        for (at_s, frame), ends in zip(inner, ((LAPTOP, STORE), (STORE, LAPTOP))):
            tunnel = b"\x08\0\0\0\0\0\x2a\0" + frame
            yield udp(at_s, *ends, 49152 + n, 4789, tunnel)


def made_capture():
    """The bytes of the savefile and the conversations with their truth."""
    talks = [*web_talks(), *inner_talks(), *scan_talks()]
    found = [packet for talk in talks for packet in talk.packets]
    for source in (link_packets, dns_packets, ping_packets, other_packets):
        for at_s, frame in source():
            frame += bytes(max(0, 60 - len(frame)))
            found.append((START_NS + round(at_s * 1e6) * 1000, len(frame), frame[:SNAP]))
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP, packets.DLT_EN10MB)]
    for ns, wire, kept in sorted(found, key=lambda packet: packet[0]):
        micros = ns % SECOND // 1000
        out.append(struct.pack("<IIII", ns // SECOND, micros, len(kept), wire) + kept)
    return b"".join(out), talks


def main():
    words = [word for word in sys.argv[1:] if word != "--check"]
    path = words[0] if words else os.path.join(TOP, "examples/office.pcap")
    made, talks = made_capture()
    if "--check" not in sys.argv:
        with open(path, "wb") as out:
            out.write(made)
        print(f"{path}: {len(made)} bytes, {len(talks)} TCP connections")
        return
    with open(path, "rb") as file:
        same = file.read() == made
    print(f"{path} is {'as' if same else 'NOT as'} {os.path.basename(__file__)} makes it")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
