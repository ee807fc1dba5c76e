#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rewrite.py BPFENGINE [CAPTURES]: files that are written with --dedup and --anonymise.

Copies: editcap (where it is installed) finds the same packets, within a time and within a number of
packets, in files of repeated packets and in CAPTURES; copies with VLAN tags and padding are found;
the report and the file agree.  Addresses: the flows of a file are as many, with as many packets;
right checksums are right; a second run gives the same bytes; no address of the file stays; wrong
keys are refused.  Ends with "N passed, N failed"."""

import collections
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

BPFENGINE = sys.argv[1]
CAPTURES = sys.argv[2] if len(sys.argv) > 2 and os.path.isdir(sys.argv[2]) else ""
KEY = bytes(range(32))
MOST_BYTES = 400_000  # of a capture that is compared
passed = failed = 0


def check(name, good, why=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {why}")


def run(*args):
    return subprocess.run(
        [BPFENGINE, *args], check=False, capture_output=True, text=True, timeout=550
    )


def rewrite(source, target, *options):
    """Writes source to target; returns the report's members about written files."""
    done = run("-r", source, "-w", target, "--json", *options)
    if done.returncode:
        raise RuntimeError(f"{options}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])["written"]


def write_pcap(path, packets, link_type=1):
    """packets: (nanoseconds, bytes)."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link_type))
        for ns, data in packets:
            out.write(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(data), len(data)) + data)


def read_pcap(path):
    """The packets of a pcap file that this program wrote, as write_pcap takes them."""
    with open(path, "rb") as file:
        data = file.read()
    magic = struct.unpack_from("<I", data)[0]
    unit = 1 if magic == 0xA1B23C4D else 1000
    at, packets = 24, []
    while at < len(data):
        seconds, fraction, length, _ = struct.unpack_from("<IIII", data, at)
        packets.append((seconds * 10**9 + fraction * unit, data[at + 16 : at + 16 + length]))
        at += 16 + length
    return packets


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(source, target, number, payload, tags=(), padding=0):
    """An Ethernet frame with UDP from 10.1.0.source to 10.2.0.target."""
    ends = bytes((10, 1, 0, source, 10, 2, 0, target))
    udp = struct.pack(">HHHH", 1000 + source, 53, 8 + len(payload), 0) + payload
    pseudo = ends + struct.pack(">HH", 17, len(udp))
    udp = udp[:6] + struct.pack(">H", checksum(pseudo + udp) or 0xFFFF) + udp[8:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0) + ends
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    vlan = b"".join(struct.pack(">HH", 0x8100, tag) for tag in tags)
    macs = bytes((2, 0, 0, 0, 0, target, 2, 0, 0, 0, 0, source))
    return macs + vlan + b"\x08\0" + ip + udp + b"\x55" * padding


def editcap_count(folder, source, *options):
    """How many packets editcap keeps of a file."""
    target = os.path.join(folder, "editcap.pcap")
    subprocess.run(
        ["editcap", "-F", "nsecpcap", *options, source, target],
        check=True,
        capture_output=True,
        timeout=550,
    )
    return read_pcap(target)


def make_repeated(path, seed):
    """Packets of which every third comes again, later and in between; times rise."""
    chance = random.Random(seed)
    packets, ns = [], 10**18
    for number in range(2000):
        ns += chance.choice((0, 1, 1000, 50_000, 3_000_000, 20_000_000))
        data = frame(chance.randrange(5), 9, number, b"x" * chance.randrange(40))
        if packets and chance.random() < 0.33:
            data = packets[-1 - chance.randrange(min(12, len(packets)))][1]
        packets.append((ns, data))
    write_pcap(path, packets)
    return packets


def compare_with_editcap(folder):
    if not shutil.which("editcap"):
        print("editcap is not installed: copies are not compared")
        return
    source, target = (os.path.join(folder, name) for name in ("in.pcap", "out.pcap"))
    for seed in range(3):
        make_repeated(source, seed)
        for ours, theirs in (
            ("50ms,exact", ("-w", "0.05")),
            ("0.001,exact", ("-w", "0.001")),
            ("packets=4,exact", ("-d",)),
            ("packets=9,exact", ("-D", "10")),
            ("50ms", ("-w", "0.05")),
        ):
            rewrite(source, target, "--write-format", "pcap-ns", "--dedup", ours)
            kept = editcap_count(folder, source, *theirs)
            check(f"{ours} {seed}", read_pcap(target) == kept, f"{len(kept)} kept by editcap")
    for name in sorted(os.listdir(CAPTURES + "/ndpi"))[:60] if CAPTURES else ():
        source = os.path.join(CAPTURES, "ndpi", name)
        if not name.endswith(".pcap") or os.path.getsize(source) > MOST_BYTES:
            continue
        kept = editcap_count(folder, source, "-D", "50")
        rewrite(source, target, "--write-format", "pcap-ns", "--dedup", "packets=49,exact")
        # times of damaged files are read in several ways
        same = [data for _, data in read_pcap(target)] == [data for _, data in kept]
        check(name, same, f"{len(kept)} kept by editcap")


def test_copies(folder):
    """A mirror port's copies: tagged, with padding; a router's: with another time to live."""
    source, target = (os.path.join(folder, name) for name in ("in.pcap", "out.pcap"))
    packets, first = [], []
    for number in range(300):
        ns = 10**18 + number * 10**6
        original = frame(number % 7, 9, number, b"data")
        routed = bytearray(original)
        routed[22] -= 1
        first += [(ns, original), (ns + 900, bytes(routed))]
        packets += [
            (ns, original),
            (ns + 300, frame(number % 7, 9, number, b"data", tags=(10, 20))),
            (ns + 600, frame(number % 7, 9, number, b"data", padding=14)),
            (ns + 900, bytes(routed)),
        ]
    write_pcap(source, packets)
    written = rewrite(source, target, "--write-format", "pcap-ns", "--dedup", "0.0005")
    check("mirror", read_pcap(target) == first, f"{len(read_pcap(target))} packets")
    check("mirror's count", written["unwritten"]["duplicate"] == 600, written)
    books = written["packets"] + sum(written["unwritten"].values()) + written["waiting"]
    check("mirror's books", books == written["offered"] == 1200, written)
    written = rewrite(source, target, "--dedup", "0.0005,exact")
    check("exact", written["packets"] == 1200, written)
    written = rewrite(source, target)
    check("no option", written["packets"] == 1200, written)


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def test_traces(folder):
    """Nothing that a pcapng file says beside its packets tells of an address."""
    source, target, key = (os.path.join(folder, n) for n in ("in.pcapng", "out.pcapng", "key"))
    with open(key, "wb") as file:
        file.write(KEY)
    data = frame(1, 9, 1, b"payload.")
    secrets = [b"section-10.1.0.1", b"if-10.1.0.1", b"about-10.1.0.1", b"host 10.1.0.1"]
    secrets += [b"comment-10.1.0.1", b"name-10-1-0-1.example", bytes((10, 1, 0, 1)), b"tls-key"]
    comment, end = 1, option(0, b"")
    section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(comment, secrets[0]) + end
    interface = struct.pack("<HHI", 1, 0, 0) + option(2, secrets[1]) + option(3, secrets[2])
    interface += option(11, b"\0" + secrets[3]) + option(4, secrets[6] + b"\xff\xff\xff\0") + end
    names = struct.pack("<HH", 1, 4 + len(secrets[5]) + 1) + secrets[6] + secrets[5] + b"\0"
    names += b"\0" * (-len(names) % 4) + struct.pack("<HH", 0, 0)
    keys = struct.pack("<II", 0x544C534B, len(secrets[7])) + secrets[7]
    packet = struct.pack("<IIIII", 0, 390000, 0, len(data), len(data)) + data
    packet += b"\0" * (-len(data) % 4) + option(comment, secrets[4]) + end
    with open(source, "wb") as file:
        file.write(block(0x0A0D0D0A, section) + block(1, interface) + block(4, names))
        file.write(block(10, keys) + block(6, packet))
    rewrite(source, target)
    with open(target, "rb") as file:
        plain = file.read()
    rewrite(source, target, "--anonymise", key)
    with open(target, "rb") as file:
        found = file.read()
    check("written again", secrets[4] in plain and secrets[6] in plain)
    check("payload of the made file", b"payload." in found)
    for secret in secrets:
        check(f"no trace of {secret}", secret not in found)


def flow_shapes(path):
    """The flows of a file without their addresses, and how many there are of each shape."""
    done = run("-r", path, "-q", "--flows", "-")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    members = ("proto", "sport", "dport", "first", "duration", "packets", "wire_bytes", "history")
    return collections.Counter(json.dumps([r.get(m) for m in members]) for r in records)


def summarise(path):
    done = run("-r", path, "--json", "--checksums")
    report = json.loads(done.stdout.splitlines()[-1])
    members = ("packets", "checksums", "protocols", "malformed", "sizes", "cut")
    return [report[m] for m in members] + [report["flows"]["opened"]]


def test_addresses(folder):
    source, target, again = (os.path.join(folder, n) for n in ("in.pcap", "a.pcap", "b.pcap"))
    key = os.path.join(folder, "key")
    with open(key, "wb") as file:
        file.write(KEY)
    packets = [(10**18 + n, frame(n % 50, n % 3, n, b"payload")) for n in range(1000)]
    write_pcap(source, packets)
    rewrite(source, target, "--write-format", "pcap-ns", "--anonymise", key)
    with open(key, "w") as file:
        file.write(KEY.hex() + "\n")
    rewrite(source, again, "--write-format", "pcap-ns", "--anonymise", key)
    changed = read_pcap(target)
    check("the same twice, and by hex", changed == read_pcap(again))
    check(
        "times and lengths", [(t, len(d)) for t, d in changed] == [(t, len(d)) for t, d in packets]
    )
    pairs = {(a[26:30], b[26:30]) for (_, a), (_, b) in zip(packets, changed)}
    pairs |= {(a[30:34], b[30:34]) for (_, a), (_, b) in zip(packets, changed)}
    olds, news = ({pair[k] for pair in pairs} for k in (0, 1))
    check("one for each", len(pairs) == len(olds) == len(news) == 53, len(pairs))
    check("none stays", not olds & news)
    check("prefixes", len({new[:2] for _, new in pairs}) == 2)
    right = all(checksum(d[14:34]) == 0 for _, d in changed)
    right &= all(
        checksum(d[26:34] + struct.pack(">HH", 17, len(d) - 34) + d[34:]) == 0 for _, d in changed
    )
    check("checksums", right)
    check(
        "the rest stays",
        all(a[:24] == b[:24] and a[42:] == b[42:] for (_, a), (_, b) in zip(packets, changed)),
    )
    rewrite(source, again, "--write-format", "pcap-ns", "--anonymise", f"{key},cut=payload,mac")
    cut = read_pcap(again)
    check("cut", all(len(d) == 42 for _, d in cut))
    check(
        "MAC addresses",
        all(a[:6] != b[:6] and a[6:12] != b[6:12] for (_, a), (_, b) in zip(packets, cut)),
    )
    for wrong in (b"short", b"z" * 64, bytes(33), b""):
        with open(key, "wb") as file:
            file.write(wrong)
        done = run("-r", source, "-w", again, "--anonymise", key)
        check(f"key {wrong[:5]}", done.returncode == 1 and "64 hexadecimal" in done.stderr, done)
    for value in ("", ",mac", key + ",cut", key + ",mac,keep=all"):
        done = run("-r", source, "-w", again, "--anonymise", value)
        check(f"value {value}", done.returncode == 2, done)
    for value in ("0", "packets=0", "1,2", "1,exact,ip", "packets=2000000", "x"):
        done = run("-r", source, "-w", again, "--dedup", value)
        check(f"value {value}", done.returncode == 2, done)


def test_captures(folder):
    """The flows of real captures stay as many, with the same packets; checksums stay as they were."""
    key, target = (os.path.join(folder, name) for name in ("key", "anonymous.pcapng"))
    with open(key, "wb") as file:
        file.write(KEY)
    for name in sorted(os.listdir(CAPTURES + "/ndpi"))[:80] if CAPTURES else ():
        source = os.path.join(CAPTURES, "ndpi", name)
        if not name.endswith(".pcap") or os.path.getsize(source) > MOST_BYTES:
            continue
        rewrite(source, target, "--anonymise", key)
        flows = flow_shapes(source)
        check(f"flows of {name}", flows and flows == flow_shapes(target))
        check(f"report of {name}", summarise(source) == summarise(target))


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_copies(folder)
        compare_with_editcap(folder)
        test_addresses(folder)
        test_traces(folder)
        test_captures(folder)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
