#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nfcapd.py PROGRAM: all shared captures to nfcapd by IPFIX, by IPFIX with biflows, by NetFlow v9
and by NetFlow v5; nfdump then has each direction of each flow, field by field, and nfcapd has seen
no sequence error.  Options records are off, since nfcapd does not count them in the sequence.

$BPE_NFCAPD and $BPE_NFDUMP name other versions, with arguments as in "chroot DIR nfcapd".
Skipped (77) without nfcapd.  Ends with "N passed, N failed"."""

import collections
import datetime
import ipaddress
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile

import collectors
import peers

EPOCH = datetime.datetime(1970, 1, 1)
LETTERS = "CEUAPRSF"  # of nfdump: CWR first, FIN last


def words_of(name, variable):
    given = os.environ.get(variable)
    return shlex.split(given) if given else [peers.program(name)]


class Nfcapd:
    """A collector at work in a folder of its own.  With chroot, folders lie below the new root."""

    def __init__(self, words):
        self.words = words
        self.root = words[1] if "chroot" in words[0] else "/"
        place = os.path.join(self.root, "tmp")
        self.folder = tempfile.mkdtemp(prefix="bpe-nfcapd-", dir=place)
        self.inside = "/" + os.path.relpath(self.folder, self.root)
        self.port = peers.free_port(socket.SOCK_DGRAM)
        self.log = open(
            os.path.join(self.folder, "..", os.path.basename(self.folder) + ".log"), "w+"
        )
        self.process = subprocess.Popen(
            [
                *words,
                "-w",
                self.inside,
                "-p",
                str(self.port),
                "-b",
                "127.0.0.1",
                "-t",
                "3600",
                "-B",
                "16777216",
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        peers.wait(lambda: collectors.listens_udp(self.port, self.process), "nfcapd listens")

    def text(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        peers.stop(self.process)
        return self.text()

    def remove(self):
        peers.stop(self.process)
        self.log.close()
        os.unlink(self.log.name)
        shutil.rmtree(self.folder)


def dump(collector, nfdump):
    """The flows that nfdump finds, as JSON objects."""
    environment = {**os.environ, "TZ": "UTC"}
    run = subprocess.run(
        [*nfdump, "-R", collector.inside, "-o", "json", "-q"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=True,
    )
    text = run.stdout.strip()
    if not text.startswith("["):
        text = "[" + text.rstrip(",") + "]"
    # nfcapd 1.7.1 takes flows of NetFlow v9 for events.
    return [flow for flow in json.loads(text) if flow.get("type", "FLOW") in ("FLOW", "EVENT")]


def time_of(text):
    """A time of nfdump's in milliseconds."""
    if len(text) > 23:
        return text
    return (datetime.datetime.fromisoformat(text) - EPOCH) // datetime.timedelta(milliseconds=1)


def bits_of(text):
    """TCP flags as a number: nfdump writes eight letters or dots."""
    return sum(1 << (7 - k) for k, letter in enumerate(text) if letter == LETTERS[k])


def record_of(flow):
    """A Record of nfdump's flow."""
    icmp = flow["proto"] in (1, 58)
    return collectors.Record(
        ipaddress.ip_address(flow.get("src4_addr") or flow["src6_addr"]),
        ipaddress.ip_address(flow.get("dst4_addr") or flow["dst6_addr"]),
        flow.get("src_port", 0),
        flow.get("dst_port", 0),
        flow["proto"],
        flow["in_packets"],
        flow["in_bytes"],
        time_of(flow["first"]),
        time_of(flow["last"]),
        bits_of(flow["tcp_flags"]) if flow["proto"] == 6 else 0,
        256 * flow.get("icmp_type", 0) + flow.get("icmp_code", 0) if icmp else 0,
    )


def reduced(record):
    """A Record as nfcapd keeps it: without ports for ICMP, whose type and code stand there."""
    if record.proto in (1, 58):
        return record._replace(sport=0, dport=0)
    return record._replace(icmp=0)


def reduced_times(record):
    """A Record as NetFlow can say it."""
    return collectors.netflow_times(reduced(record))


def reduced_nine(record):
    """A Record as nfcapd keeps it of NetFlow v9: without type and code of ICMPv6."""
    kept = reduced_times(record)
    return kept._replace(icmp=0) if record.proto == 58 else kept


def reduced_five(record):
    """A Record as NetFlow v5 can say it; None for IPv6."""
    return reduced_times(record) if record.src.version == 4 else None


def counted(records, reduce):
    """A Counter of Records in a reduced form."""
    total = collections.Counter()
    for record, count in records.items():
        kept = reduce(record)
        if kept:
            total[kept] += count
    return total


def biflow_of_line(line):
    """A flow's Record, and the packets and octets of its other direction."""
    both = list(collectors.directions(line, both=True))
    other = both[1] if len(both) > 1 else None
    there = (other.packets, other.octets) if other else (0, 0)
    return reduced(both[0])._replace(flags=0), *there


def check_biflows(name, program, target):
    """Sends all captures as biflows.  TCP's flags are left out: nfcapd 1.7.10 lets those of the
    other direction replace them."""

    def expect(run):
        return collections.Counter(biflow_of_line(line) for line in run.lines)

    def see(flow):
        there = (flow.get("out_packets", 0), flow.get("out_bytes", 0))
        return reduced(record_of(flow))._replace(flags=0), *there

    return check_form(name, program, target, expect, see)


def check_form(name, program, target, expect, see):
    """Sends all captures to a new collector.  Returns whether all is there."""
    collector = Nfcapd(words_of("nfcapd", "BPE_NFCAPD"))
    try:
        run = collectors.Run(program)
        run.read_all(target.replace("{port}", str(collector.port)))
        log = collector.stop()
        flows = dump(collector, words_of("nfdump", "BPE_NFDUMP"))
        expected, seen = expect(run), collections.Counter(map(see, flows))
        if "netflow" in target:
            seen = collectors.without_times(expected, seen)
        right = collectors.compare(name, expected, seen)
        errors = re.search(r"Sequence Errors: (\d+), Bad Packets: (\d+)", log)
        if not errors or errors.groups() != ("0", "0"):
            print(f"FAILED: {name}: {errors[0] if errors else log[-500:]}")
            right = False
        return right
    finally:
        collector.remove()


def main():
    program = sys.argv[1]
    words_of("nfcapd", "BPE_NFCAPD")

    def see(flow):
        return reduced(record_of(flow))

    def expect(run):
        return counted(run.expected(), reduced)

    def expect_nine(run):
        return counted(run.expected(), reduced_nine)

    def see_nine(flow):
        record = see(flow)
        return record._replace(icmp=0) if record.proto == 58 else record

    def expect_five(run):
        return counted(run.expected(), reduced_five)

    ipfix = "ipfix://127.0.0.1:{port}?options=0&domain={group}"
    results = [
        check_form("ipfix", program, ipfix, expect, see),
        check_form("ipfix, ntop's elements", program, ipfix + "&profile=ntop", expect, see),
        check_biflows("ipfix, biflows", program, ipfix + "&biflow=1"),
        check_form(
            "netflow9",
            program,
            "netflow9://127.0.0.1:{port}?options=0&domain={group}",
            expect_nine,
            see_nine,
        ),
        check_form(
            "netflow5", program, "netflow5://127.0.0.1:{port}?domain={group}", expect_five, see
        ),
    ]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
