#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tshark.py PROGRAM LAYERS CAPTURES [--all] [FILE...]: the program beside tshark, which reads each
capture once for three comparisons: flows (conversations.py), the places of layers (layers.py), and
the health of TCP connections (health.py).

tshark prints the whole dissection (-T pdml) of captures of which layers are compared, else only the
fields (-T fields): much the same words, by which the rest is compared.  Without --all: captures of
as many packets as each comparison says.  Ends with "N passed, N failed"; exit code 77 (skipped)
without tshark or the captures."""

import collections
import concurrent.futures
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree

sys.dont_write_bytecode = True
import conversations
import health
import layers

TIMEOUT_S = 550
FIELDS = [
    "frame.len",
    "frame.cap_len",
    "frame.time_epoch",
    "frame.protocols",
    "vlan.id",
    "ieee8021ad.id",
    "ip.src",
    "ip.dst",
    "ip.proto",
    "ip.frag_offset",
    "ip.flags.mf",
    "ip.id",
    "ipv6.src",
    "ipv6.dst",
    "ipv6.nxt",
    "ipv6.hopopts.nxt",
    "ipv6.routing.nxt",
    "ipv6.dstopts.nxt",
    "ipv6.fraghdr.nxt",
    "ah.next_header",
    "ipv6.fraghdr.offset",
    "ipv6.fraghdr.more",
    "ipv6.fraghdr.ident",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "sctp.srcport",
    "sctp.dstport",
    "dccp.srcport",
    "dccp.dstport",
    "icmp.type",
    "icmp.ident",
    "icmpv6.type",
    "icmpv6.echo.identifier",
    "mip6.proto",
    "tcp.flags",
]
FIELDS += ["tcp.analysis." + name for name in health.COUNTS.values()]
BEHIND = "</pdml>\n"  # the conversation tables follow
# rows: of each packet {field: values with commas between}; packets: its XML, or None
Words = collections.namedtuple("Words", "rows tables packets")


def run_tshark(path, *how):
    """What tshark prints: packets, then the tables of conversations."""
    command = ["tshark", "-n", "-r", path, "-d", "udp.port==8472,vxlan", *how]
    for preference in ("ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams"):
        command += ["-o", preference + ":FALSE"]
    for table in ("tcp", "udp", "sctp"):
        command += ["-z", "conv," + table]
    return subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False).stdout


def read_fields(path):
    how = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    for field in FIELDS:
        how += ["-e", field]
    text = run_tshark(path, *how).decode(errors="replace")
    packets, _, tables = text.partition("=" * 80 + "\n")
    rows = []
    for line in packets.splitlines():
        values = line.split("\t")
        if len(values) != len(FIELDS):
            raise ValueError(f"tshark printed {line!r}")
        rows.append(dict(zip(FIELDS, values)))
    return Words(rows, tables, None)


def read_whole(path):
    text, end, tables = run_tshark(path, "-T", "pdml").partition(BEHIND.encode())
    packets = xml.etree.ElementTree.fromstring(text + end).findall("packet")
    rows = []
    for packet in packets:
        row = {name: [] for name in FIELDS}
        for element in packet.iter("field"):
            if element.get("name") in row:
                row[element.get("name")].append(element.get("show") or "1")
        rows.append({name: ",".join(values) for name, values in row.items()})
    return Words(rows, tables.decode(errors="replace"), packets)


class Job:
    """A capture, and which of the three comparisons are made of it."""

    def __init__(self, row, every, chosen):
        self.name, most = row[0], sys.maxsize if every or chosen else None
        packets, known = int(row[2]), row[1] in conversations.LINK_TYPES and row[5] == "ok"
        self.flows = known and packets <= (most or conversations.MOST_PACKETS)
        self.layers = known and packets <= (most or layers.MOST_PACKETS)
        self.health = packets <= (most or health.MOST_PACKETS)


def compare(program, printer, captures, job):
    """The results of the comparisons, by name; {"error": text} if a run went wrong."""
    path, out = os.path.join(captures, job.name), {}
    try:
        words = read_whole(path) if job.layers else read_fields(path)
        if job.flows:
            out["flows"] = conversations.compare(program, path, words)
        if job.layers:
            out["layers"] = layers.compare(printer, path, words)
        if job.health:
            out["health"] = health.compare(program, path, words)
        return out
    except (
        ValueError,
        KeyError,
        OSError,
        subprocess.SubprocessError,
        xml.etree.ElementTree.ParseError,
    ) as e:
        return {"error": f"{job.name}: the run: {e!r}"}


def main():
    arguments = [a for a in sys.argv[1:] if a != "--all"]
    if len(arguments) < 3:
        sys.exit(__doc__)
    program, printer = map(os.path.abspath, arguments[:2])
    captures, wanted = arguments[2], set(arguments[3:])
    index = os.path.join(captures, "index.tsv")
    if not os.path.exists(index) or not shutil.which("tshark"):
        print(
            f"skipped: no captures at {captures}"
            if not os.path.exists(index)
            else "skipped: tshark is not installed"
        )
        sys.exit(77)
    with open(index, encoding="utf-8") as lines:
        table = [line.rstrip("\n").split("\t") for line in lines][1:]
    chosen = [row for row in table if not wanted or row[0] in wanted]
    jobs = [Job(row, "--all" in sys.argv, wanted) for row in chosen]
    jobs = [job for job in jobs if job.flows or job.layers or job.health]
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count() or 2) as pool:
        waiting = [pool.submit(compare, program, printer, captures, job) for job in jobs]
        results = [(job.name, future.result()) for job, future in zip(jobs, waiting)]

    def of(kind):
        return [(name, *r[kind]) for name, r in results if kind in r]

    errors = [r["error"] for _, r in results if "error" in r]
    for line in errors:
        print(line)
    sums = [
        conversations.report(of("flows")),
        layers.report(of("layers")),
        health.report(of("health"), wanted),
    ]
    passed, failed = sum(s[0] for s in sums), sum(s[1] for s in sums) + len(errors)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
