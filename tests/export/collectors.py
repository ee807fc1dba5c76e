# SPDX-License-Identifier: MIT
"""What the tests of real collectors share: the records that a collector must have, by the program's
own JSON lines of the same run, and the runs themselves."""

import collections
import decimal
import ipaddress
import json
import os
import socket
import subprocess
import sys
import tempfile

import peers

GROUP = 60  # captures read by one run
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32, "E": 64, "W": 128}
# Names of protocols that collectors write and /etc/protocols does not have.
PROTOCOLS = {"hopopt": 0, "il": 40, "cftp": 62, "any-local-network": 63, "ospfigp": 89, "qnx": 106}
PROTOCOLS |= {"pgm": 113, "unassigned": 240, "ipv6-icmp": 58, "private": 240}
# What is compared, for each direction of a flow.
Record = collections.namedtuple(
    "Record", "src dst sport dport proto packets octets first last flags icmp"
)


def milliseconds(seconds):
    """A time of the JSON lines as whole milliseconds, rounded down."""
    return int((decimal.Decimal(seconds) * 1000).to_integral_value(decimal.ROUND_FLOOR))


def protocol_number(name):
    """The number of a protocol by a collector's name, or the name if nobody knows it."""
    if name.isdigit():
        return int(name)
    try:
        return (
            PROTOCOLS[name.lower()]
            if name.lower() in PROTOCOLS
            else socket.getprotobyname(name.lower())
        )
    except OSError:
        return name


def flag_bits(letters):
    return sum(FLAGS[letter] for letter in letters)


def directions(line, both=False):
    """The Records of a JSON line: one for each direction with packets, or two in any case."""
    flow = json.loads(line, parse_float=decimal.Decimal, parse_int=decimal.Decimal)
    ends = (flow["src"], flow["dst"])
    ports = (int(flow.get("sport", 0)), int(flow.get("dport", 0)))
    octets = flow.get("ip_bytes", flow["wire_bytes"])
    flags = flow.get("tcp_flags", ["", ""])
    first = flow["first"]
    icmp = 256 * int(flow.get("icmp_type", 0)) + int(flow.get("icmp_code", 0))
    for d in (0, 1):
        if not both and not flow["packets"][d] and (d or flow["packets"][1]):
            continue
        yield Record(
            ipaddress.ip_address(ends[d]),
            ipaddress.ip_address(ends[1 - d]),
            ports[d],
            ports[1 - d],
            int(flow["ip_proto"]),
            int(flow["packets"][d]),
            int(octets[d]),
            milliseconds(first),
            milliseconds(first + flow["duration"]),
            flag_bits(flags[d]),
            icmp,
        )


class Run:
    """Runs of the program over savefiles; and what the collectors of --export must have."""

    def __init__(self, program):
        self.program = program
        self.lines = []
        self.exports = []

    def read(self, captures, *targets, extra=()):
        """Reads savefiles, with --export for each target.  Every target gets every record."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "flows.json")
            words = [self.program, "-q", "--json", "--flows", path]
            for capture in captures:
                words += ["-r", capture]
            for target in targets:
                words += ["--export", target]
            ran = subprocess.run([*words, *extra], capture_output=True, text=True, timeout=300)
            assert ran.returncode == 0, f"{ran.returncode}: {ran.stderr[-2000:]}"
            report = json.loads(ran.stdout)
            with open(path, encoding="utf-8") as f:
                lines = f.read().splitlines()
        self.lines += lines
        for export in report["exports"]:
            self.exports.append(export)
            assert export["offered"] == len(lines), (export, len(lines))
            for name in ("ring_dropped", "failed", "lost"):
                assert export[name] == 0, export
            assert export["sent"] + export["unfit"] == len(lines), (export, len(lines))

    def read_all(self, *targets):
        """Reads all shared captures in groups.  {group} in a target becomes the group's number."""
        captures = peers.captures()
        for k in range(0, len(captures), GROUP):
            group = str(1 + k // GROUP)
            self.read(
                captures[k : k + GROUP], *[target.replace("{group}", group) for target in targets]
            )

    def expected(self):
        """All Records, with how often each is there."""
        return collections.Counter(r for line in self.lines for r in directions(line))


def listens_udp(port, process):
    """Whether a process that lives has bound a port of UDP."""
    assert process.poll() is None, "the collector ended at once"
    with open("/proc/net/udp", encoding="ascii") as f:
        return f":{port:04X} " in f.read()


def without_icmp_ports(record):
    """A Record as IPFIX has it: no ports for ICMP, and ICMP's type and code for ICMP alone."""
    if record.proto in (1, 58):
        return record._replace(sport=0, dport=0)
    return record._replace(icmp=0)


def netflow_times(record):
    """A Record as NetFlow can say it: without times if they are beyond 2106 or 49 days apart."""
    if record.last - record.first >= 2**32 or record.last >= 2**32 * 1000:
        return record._replace(first=None, last=None)
    return record


def with_netflow_times(records):
    total = collections.Counter()
    for record, count in records.items():
        total[netflow_times(record)] += count
    return total


def without_times(expected, seen):
    """Records that are not expected lose their times, which the format may be unable to say."""
    total = collections.Counter()
    for record, count in seen.items():
        total[record if record in expected else record._replace(first=None, last=None)] += count
    return total


def compare(name, expected, seen):
    """Compares two Counters of Records; tells what differs, and whether nothing does."""
    missing, foreign = expected - seen, seen - expected
    for what, rows in (("missing", missing), ("foreign", foreign)):
        for row, count in list(rows.items())[:5]:
            print(f"    {name}: {what} {count} x {row}", file=sys.stderr)
    right = not missing and not foreign
    print(
        f"{'ok' if right else 'FAILED'}: {name}: {expected.total()} records sent, {seen.total()} there,"
        f" {missing.total()} missing, {foreign.total()} foreign",
        flush=True,
    )
    return right
