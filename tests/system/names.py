#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""names.py PROGRAM: names of flows in the lines of packets, with each option about names.

The savefile has HTTP to a host, and a ClientHello with a server's name, made here.
"""

import json
import os
import re
import struct
import sys
import tempfile

from program import Cases, report, run

HOST = b"shop.example.co.uk"
SERVER = b"www.example.com"
case = Cases()


def hello(name):
    """Returns a ClientHello of TLS 1.2 with a server's name, as a record."""
    entry = b"\0" + struct.pack(">H", len(name)) + name
    sni = struct.pack(">HHH", 0, len(entry) + 2, len(entry)) + entry
    groups = struct.pack(">HHHH", 10, 4, 2, 29)
    extensions = sni + groups
    body = b"\x03\x03" + bytes(range(32)) + b"\0" + struct.pack(">HHH", 4, 0x1301, 0xC02F)
    body += b"\x01\x00" + struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def segment(port, dport, seq, ack, flags, payload=b"", back=False):
    ends = [bytes([10, 0, 0, 1]), bytes([192, 0, 2, 7])]
    ports = [port, dport]
    if back:
        ends.reverse()
        ports.reverse()
    tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack, 0x50, flags, 64240, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 7, 0, 64, 6, 0) + ends[0] + ends[1]
    return bytes(12) + b"\x08\x00" + ip + tcp


def connection(port, dport, request, answer):
    """Returns a handshake, a request and an answer."""
    return [
        segment(port, dport, 100, 0, 2),
        segment(port, dport, 900, 101, 18, back=True),
        segment(port, dport, 101, 901, 16),
        segment(port, dport, 101, 901, 24, request),
        segment(port, dport, 901, 101 + len(request), 24, answer, back=True),
        segment(port, dport, 101 + len(request), 901 + len(answer), 16),
    ]


def write_savefile(path):
    request = b"GET /basket HTTP/1.1\r\nHost: " + HOST + b"\r\nUser-Agent: test\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    packets = connection(40000, 8080, request, answer)
    packets += connection(40001, 4433, hello(SERVER), b"\x15\x03\x03\0\x02\x02\x28")
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for k, packet in enumerate(packets):
            f.write(struct.pack("<IIII", 1700000000, k * 1000, len(packet), len(packet)) + packet)


folder = tempfile.mkdtemp()
FILE = os.path.join(folder, "names.pcap")
write_savefile(FILE)


def printed(*words):
    """Returns the names and protocols of all printed packets."""
    p = run("-r", FILE, "--print=json", *words)
    assert p.returncode == 0, p.stderr
    packets = [json.loads(line) for line in p.stdout.splitlines()]
    assert len(packets) == 12, len(packets)
    return {(x.get("app"), x.get("name"), x.get("name_source")) for x in packets}


BOTH = {
    ("http", HOST.decode(), "http"),
    ("tls", SERVER.decode(), "tls"),
}
NOTHING = (None, None, None)


@case
def names_are_printed():
    assert printed() - {NOTHING} == BOTH, printed()
    assert printed("--names") - {NOTHING} == BOTH


@case
def no_names_are_looked_for():
    assert printed("--no-names") == {NOTHING}


@case
def kinds_of_names_are_chosen():
    assert ("http", HOST.decode(), "http") in printed("--names=http,apps")
    assert ("tls", SERVER.decode(), "tls") not in printed("--names=http,apps")
    assert ("tls", SERVER.decode(), "tls") in printed("--names=tls")


@case
def lines_end_with_the_name():
    lines = run("-r", FILE, "--print").stdout.decode().splitlines()
    assert lines[3].endswith(" | " + HOST.decode()), lines[3]
    assert lines[9].endswith(" | " + SERVER.decode()), lines[9]
    assert b" | " not in run("-r", FILE, "--print", "--no-names").stdout


@case
def conditions_see_names():
    for condition, packets in (
        ('name like "*.example.com"', 6),
        ("app = http and method = GET", 6),
        ("ja3", 0),
        ("app = ssh", 0),
    ):
        p = run("-r", FILE, "--print", "--where", condition)
        assert len(p.stdout.splitlines()) == packets, (condition, p.stdout)
    p = run(
        "-r", FILE, "--print", "--ja3", "--where", "ja3 like '????????????????????????????????'"
    )
    assert len(p.stdout.splitlines()) == 6, p.stdout


@case
def memory_and_budget_are_taken():
    words = ("--names-memory", "1M", "--quic-budget", "10")
    assert printed(*words) - {NOTHING} == BOTH


@case
def names_are_cut_or_hashed():
    suffixes = os.path.join(folder, "suffixes.dat")
    with open(suffixes, "w") as f:
        f.write("// a comment\ncom\nuk\nco.uk\n")
    cut = printed("--names-form", "domain", "--suffix-list", suffixes)
    assert cut - {NOTHING} == {
        ("http", "example.co.uk", "http"),
        ("tls", "example.com", "tls"),
    }, cut
    hashed = {name for _, name, _ in printed("--names-form", "hashed") if name}
    assert len(hashed) == 2 and all(re.fullmatch("[0-9a-f]{16}", name) for name in hashed), hashed


@case
def report_tells_the_books():
    r, p = report("-r", FILE, "--names")
    assert p.returncode == 0 and r["names"]["flows"] == 2, r["names"]
    assert r["names"]["evicted"] == r["names"]["lost"] == 0, r["names"]
    text = run("-r", FILE, "--names").stdout.decode()
    assert re.search(r"^Names: 2 flows recognised", text, re.M), text
    assert "Names:" not in run("-r", FILE).stdout.decode()


case.finish()
