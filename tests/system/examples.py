#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples.py PROGRAM EXAMPLES: the example programs as a user meets them.

Needs no rights.  The last line counts the cases.
"""

import contextlib
import glob
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

from program import Cases, udp, pcap
from progress import Running

EXAMPLES = os.path.abspath(sys.argv[2])
case = Cases()


def tcp(ports, flags, seq, ack):
    """Ethernet, IPv4, TCP without payload between 10.0.0.1 and 10.0.0.2, 60 bytes."""
    back = ports[0] < ports[1]
    ends = [bytes([10, 0, 0, 2 if back else 1]), bytes([10, 0, 0, 1 if back else 2])]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0) + b"".join(ends)
    head = struct.pack(">HHIIBBHHH", *ports, seq, ack, 0x50, flags, 1000, 0, 0)
    return (bytes(12) + b"\x08\x00" + ip + head).ljust(60, b"\0")


@case
def wrapper_counts_outcomes():
    if not os.path.exists(EXAMPLES + "/wrapper"):
        assert not shutil.which("c++"), "there is a C++ compiler, and the example was not built"
        return
    there, back = (40000, 80), (80, 40000)
    packets = [
        tcp(there, 0x02, 100, 0),
        tcp(back, 0x12, 500, 101),
        tcp(there, 0x10, 101, 501),
        tcp(there, 0x11, 101, 501),
        tcp(back, 0x11, 501, 102),
        tcp((40001, 80), 0x02, 100, 0),
        udp(1),
    ]
    both = "10.0.0.1:40000 to 10.0.0.2:80"
    whole = f"SF     1 connections, 300 bytes, longest 4.000 s, {both}\n"
    half = f"S0     1 connections, 60 bytes, longest 0.000 s, {both.replace('40000', '40001')}\n"
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(pcap(packets))
        f.flush()
        for words, shown in (
            ([], half + whole + "7 packets\n"),
            (["tcp port 40000"], whole + "5 packets\n"),
            (["udp"], "1 packets\n"),
        ):
            p = subprocess.run(
                [EXAMPLES + "/wrapper", f.name, *words], capture_output=True, text=True, timeout=600
            )
            assert p.returncode == 0 and p.stdout == shown, (words, p)
        p = subprocess.run([EXAMPLES + "/wrapper", f.name, "no words"], capture_output=True)
        assert p.returncode == 1 and b"wrapper: " in p.stderr, p


@case
def flows_sqlite_keeps_each_flow():
    if not os.path.exists(EXAMPLES + "/flows_sqlite"):
        print("SKIP flows_sqlite: SQLite was not found, and the example was not built")
        return
    import sqlite3

    there, back = (40000, 80), (80, 40000)
    packets = [
        tcp(there, 0x02, 100, 0),
        tcp(back, 0x12, 500, 101),
        tcp(there, 0x10, 101, 501),
        udp(1),
        udp(2),
        udp(1),
    ]
    start = 1700000000 * 10**9 + 5000
    rows = [
        (start, 6, "10.0.0.1", 40000, 2, 120, "10.0.0.2", 80, 1, 60),
        (start + 3 * 10**9, 17, "10.0.0.1", 1001, 2, 120, "10.0.0.2", 53, 0, 0),
        (start + 4 * 10**9, 17, "10.0.0.1", 1002, 1, 60, "10.0.0.2", 53, 0, 0),
    ]
    with tempfile.TemporaryDirectory() as folder:
        capture, database = folder + "/six.pcap", folder + "/flows.db"
        with open(capture, "wb") as f:
            f.write(pcap(packets))
        words = [EXAMPLES + "/flows_sqlite", capture, database]
        for runs in (1, 2):  # a second run adds to the table
            p = subprocess.run(words, capture_output=True, text=True, timeout=600)
            assert p.returncode == 0 and not p.stderr, p
            with contextlib.closing(sqlite3.connect(database)) as db:
                found = db.execute("SELECT * FROM flows ORDER BY first_ns").fetchall()
            assert found == sorted(rows * runs), found
        p = subprocess.run([words[0], capture, folder], capture_output=True, text=True)
        assert p.returncode == 1 and "unable to open" in p.stderr, p


@case
def examples_show_something():
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(pcap([udp(i) for i in range(5)]))
        f.flush()
        for source, extra in ((f.name, []), ("synth:count=20000", [])):
            p = subprocess.run(
                [EXAMPLES + "/basic_capture", source, "5"],
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert p.returncode == 0 and len(p.stdout.splitlines()) == 5 and " > " in p.stdout, p
            p = subprocess.run(
                [EXAMPLES + "/connection_monitor", source],
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert p.returncode == 0 and "connections:" in p.stdout, p
            p = subprocess.run(
                [EXAMPLES + "/protocol_analyzer", source],
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert (
                p.returncode == 0 and "udp" in p.stdout and re.search(r"^ +53 ", p.stdout, re.M)
            ), p
    p = subprocess.run(
        [EXAMPLES + "/connection_monitor", "synth:count=20000,flows=100"],
        capture_output=True,
        text=True,
    )
    assert re.search(r"^closed ", p.stdout, re.M) and not p.stdout.splitlines()[-1].startswith("0 ")
    monitor = [EXAMPLES + "/connection_monitor", "synth:rate=20000,flows=100"]
    assert subprocess.run([*monitor, "0.5"], capture_output=True).returncode == 0
    shown = r"^[1-9]\d* flows alive\n(?:  (?:established|closed|closing|reset) +\S+ > .*\n){3}"
    with tempfile.NamedTemporaryFile("r") as f:
        with Running(
            ["stdbuf", "-oL", *monitor] if shutil.which("stdbuf") else monitor, stdout=f
        ) as p:
            p.wait_for("flows alive", lambda: re.search(shown, open(f.name).read(), re.M))
            p.end(signal.SIGTERM)
    for path in glob.glob(os.path.join(os.path.dirname(__file__), "../../examples/*.c*")):
        name, ending = os.path.splitext(os.path.basename(path))
        with open(path) as f:
            lines = sum(1 for _ in f)
        assert lines <= (60 if ending == ".cpp" or name == "flows_sqlite" else 120), (name, lines)
        program = f"{EXAMPLES}/{name}"
        is_optional = ending == ".cpp" or name == "flows_sqlite"
        if is_optional and not os.path.exists(program):
            continue
        if name == "own_source":  # takes no arguments
            continue
        assert subprocess.run([program], capture_output=True).returncode == 2
        assert subprocess.run([program, "/nonexistent/x"], capture_output=True).returncode == 1


@case
def event_loop_keeps_flows():
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(pcap([udp(i) for i in range(5)]))
        f.flush()
        p = subprocess.run(
            [EXAMPLES + "/event_loop", f.name], capture_output=True, text=True, timeout=600
        )
    lines = p.stdout.splitlines()
    assert p.returncode == 0 and lines[-1] == "5 packets, 5 flows", p
    assert len(lines) == 6 and all(line.startswith("{") for line in lines[:-1]), p
    p = subprocess.run(
        [EXAMPLES + "/event_loop", "synth:rate=2000,flows=50", "1"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert p.returncode == 0 and re.search(r"^[1-9]\d* packets, [1-9]\d* flows$", p.stdout, re.M), p


@case
def own_source_pushes_its_packets():
    """Three packets of one flow, one of another, and a line that is no packet."""
    lines = [udp(1).hex(), udp(1).hex(), udp(2).hex(), udp(1).hex(), "zz"]
    p = subprocess.run(
        [EXAMPLES + "/own_source"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert p.returncode == 0 and not p.stderr, p
    flows = sorted(line.split(",") for line in p.stdout.splitlines())
    assert [(f[2], f[3], f[4], f[5], f[6], f[11]) for f in flows] == [
        ("10.0.0.1", "1001", "10.0.0.2", "53", "udp", "3"),
        ("10.0.0.1", "1002", "10.0.0.2", "53", "udp", "1"),
    ], p.stdout
    assert flows[0][:2] == ["1700000000.001000000", "1700000000.004000000"], flows[0]
    with open(os.path.join(os.path.dirname(__file__), "../../examples/own_source.c")) as f:
        assert len(f.readlines()) < 60


@case
def rotating_writer_keeps_all_packets():
    with tempfile.TemporaryDirectory() as folder:
        p = subprocess.run(
            [EXAMPLES + "/rotating_writer", "synth:count=2500", folder + "/x.pcapng"],
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert p.returncode == 0 and p.stderr == "2500 packets were offered\n", p
        told = [
            re.fullmatch(r"(\S+): (\d+) packets, (\d+) bytes", s) for s in p.stdout.splitlines()
        ]
        assert [m[2] for m in told] == ["1000", "1000", "500"], p.stdout
        for m in told:
            assert os.path.getsize(os.path.join(folder, m[1])) == int(m[3]), m[0]


def ip(number):
    return bytes([10, 0, 0, number])


def frame(source, target, protocol, body):
    """Ethernet and IPv4 around a TCP or UDP packet."""
    header = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0, source, target
    )
    return bytes(12) + b"\x08\x00" + header + body


def segment(source, port, target, service, flags):
    numbers = struct.pack(">HHIIBBHHH", port, service, 1, 1, 0x50, flags, 1000, 0, 0)
    return frame(source, target, 6, numbers)


def asked(source, port, target, service, payload=b""):
    head = struct.pack(">HHHH", port, service, 8 + len(payload), 0)
    return frame(source, target, 17, head + payload)


def run_example(name, source):
    done = subprocess.run(
        [f"{EXAMPLES}/{name}", source], capture_output=True, text=True, timeout=600
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def run_on(name, packets):
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(pcap(packets))
        f.flush()
        return run_example(name, f.name)


SYN, SYN_ACK, RST_ACK = 2, 0x12, 0x14


@case
def scan_alarm_names_the_hosts_that_try_in_vain():
    packets = []
    for k in range(30):
        packets.append(segment(ip(1), 4000 + k, ip(100), 1 + k, SYN))  # refused ports
        packets.append(segment(ip(100), 1 + k, ip(1), 4000 + k, RST_ACK))
        packets.append(segment(ip(2), 5000 + k, ip(100), 1 + k, SYN))  # open ports
        packets.append(segment(ip(100), 1 + k, ip(2), 5000 + k, SYN_ACK))
        packets.append(segment(ip(3), 6000 + k, ip(100), 80, SYN))  # one port again and again
        packets.append(asked(ip(4), 53, ip(101 + k), 161))  # hosts without an answer
        packets.append(asked(ip(5), 53, ip(101 + k), 161))  # hosts that answer
        packets.append(asked(ip(101 + k), 161, ip(5), 53))
        if k < 19:
            packets.append(segment(ip(6), 7000 + k, ip(101 + k), 22, SYN))  # too few
    status, lines, text = run_on("scan_alarm", packets)
    assert status == 0 and not text, text
    alarms = sorted(line.split(" ", 1)[1] for line in lines)
    assert alarms == [f"10.0.0.{k} has tried 20 ports and hosts in vain" for k in (1, 4)], lines


def question(*labels):
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1)


@case
def dns_counter_counts_names():
    client, server = ip(1), ip(2)
    queries = [
        question(b"www", b"example", b"org"),
        question(b"www", b"example", b"org"),
        question(b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61),
        question(b"evil\x1b[2J", b"org"),
        question(),
        question(b"www", b"example", b"org")[:20],  # cut
        question(b"x" * 63, b"b" * 63, b"c" * 63, b"d" * 63, b"e" * 63),  # too long
        struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c",  # compressed
        b"",
    ]
    packets = [asked(client, 2000 + k, server, 53, q) for k, q in enumerate(queries)]
    packets.append(asked(server, 53, client, 2000, question(b"answer", b"org")))
    reply = bytearray(question(b"answer", b"org"))
    reply[2] |= 0x80
    packets.append(asked(client, 53, server, 53, bytes(reply)))
    status, lines, text = run_on("dns_counter", packets)
    assert status == 0 and not text, text
    long_name = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 61))
    assert lines == ["2 www.example.org", f"1 {long_name}", "1 evil?[2J.org", "1 ."], lines


# By tshark 4: the names of queries, and how many there are.
DNS_NAMES = {
    "*.teams.microsoft.com",
    "41-courier.push.apple.com",
    "alt2-mtalk.google.com",
    "android.clients.google.com",
    "api.teams.skype.com",
    "guzzoni.apple.com",
    "instagram.faae1-1.fna.fbcdn.net",
    "short.weixin.qq.com",
    "teams.skype.com",
    "wide-youtube.l.google.com",
}
CAPTURES = os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared", "captures", "ndpi")


@case
def dns_counter_agrees_with_tshark():
    if not os.path.isdir(CAPTURES):
        print("skipped: dns_counter_agrees_with_tshark: the captures are absent")
        return
    _, lines, _ = run_example("dns_counter", f"{CAPTURES}/dns_ambiguous_names.pcap")
    assert sorted(lines) == sorted(f"1 {name}" for name in DNS_NAMES), lines
    _, lines, _ = run_example("dns_counter", f"{CAPTURES}/dns_exfiltration.pcap")
    assert len(lines) == 150 and all(line.startswith("1 dnscat.") for line in lines), lines


@case
def sources_that_are_nothing_are_told():
    for name in ("scan_alarm", "dns_counter"):
        for source, advice in (("", "bpfengine -L"), ("nosuch0", "synth"), (".", "folder")):
            status, lines, text = run_example(name, source)
            assert status == 1 and not lines and advice in text, (source, text)
        path = os.path.join(os.path.dirname(__file__), "..", "..", "examples", name + ".c")
        with open(path) as f:
            assert len(f.readlines()) < 60, name


case.finish()
