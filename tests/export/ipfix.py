#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ipfix.py PROGRAM WRITER: the flows of all captures in every form of the encoder, read by a reader
of our own (ipfix_reader.py), beside the JSON records of the same run, field by field.

Skipped (77) without the captures.  Ends with "N passed, N failed"."""

import collections
import json
import os
import subprocess
import sys
import tempfile

import ipfix_reader
from ipfix_reader import CESNET, NTOP, REVERSE
from peers import CAPTURES, skip

PEN = 32473
TIMEOUT_S = 550
REASONS = {"idle": 1, "active": 2, "closed": 3, "stop": 4, "evicted": 5}
LONGEST_MS = 3690167000  # 42.7 days, the longest flow of NetFlow
LETTERS = "FSRP.UEW"


class Record:
    """A line of JSON with what the forms derive from it."""

    def __init__(self, line):
        self.json = json.loads(line)
        seconds, part = line.split('"first":')[1].split(",")[0].split(".")
        self.first_ns = int(seconds) * 10**9 + int(part.ljust(9, "0"))
        seconds, part = line.split('"duration":')[1].split(",")[0].split(".")
        self.last_ns = self.first_ns + int(seconds) * 10**9 + int(part.ljust(9, "0"))
        self.ends = (self.json["src"], self.json["dst"])
        self.ports = (self.json["sport"], self.json["dport"])
        self.packets = self.json["packets"]
        self.octets = self.json.get("ip_bytes", self.json["wire_bytes"])

    def text(self, name):
        return self.json.get(name) or ""

    def pair(self, name, k):
        return self.json.get(name, [0, 0])[k]

    def flags(self, k):
        letters = self.json.get("tcp_flags", ["", ""])[k]
        return sum(1 << LETTERS.index(letter) for letter in letters)

    def interface(self):
        if self.json.get("interface_index"):
            return self.json["interface_index"]
        return self.json["interface_id"] + 1 if "interface_id" in self.json else 0

    def icmp(self):
        return self.json.get("icmp_type", 0) << 8 | self.json.get("icmp_code", 0)

    def directions(self):
        ways = [d for d in (0, 1) if self.packets[d]]
        return ways or [0]

    def span_us(self, name):
        """Microseconds, rounded up; 0 if the round trip was not seen."""
        if name not in self.json:
            return 0
        return max(1, (round(self.json[name] * 10**9) + 999) // 1000)

    def half_ms(self, d):
        name = ("client_rtt", "server_rtt")[d]
        if name not in self.json:
            name = ("client_ack_rtt", "server_ack_rtt")[d]
        ns = round(self.json.get(name, 0) * 10**9)
        return (ns // 2 + 500000) // 1000000

    def server(self, *sources):
        return self.text("name") if self.text("name_source") in sources else ""


def common(record, d):
    """What every form says of a direction."""
    other = 1 - d
    six = record.json["ip"] == 6
    return {
        (0, 27 if six else 8): record.ends[d],
        (0, 28 if six else 12): record.ends[other],
        (0, 7): record.ports[d],
        (0, 11): record.ports[other],
        (0, 4): record.json["ip_proto"],
        (0, 6): record.flags(d),
        (0, 10): record.interface(),
        (0, 152): record.first_ns // 10**6,
        (0, 153): record.last_ns // 10**6,
        (0, 1): record.octets[d],
        (0, 2): record.packets[d],
    }


def plain(record, d):
    """What IPFIX and NetFlow v9 say beyond."""
    wanted = common(record, d)
    initiator = 0 if record.json.get("midstream") else d + 1
    six = record.json["ip"] == 6
    wanted |= {
        (0, 136): REASONS[record.json["end"]],
        (0, 61): d,
        (0, 239): initiator,
    }
    if record.json["ip_proto"] in (1, 58):
        wanted |= {(0, 7): 0, (0, 11): 0, (0, 139 if six else 32): record.icmp()}
    if "vlan" in record.json:
        vlans = record.json["vlan"] + [0]
        wanted |= {(0, 58): vlans[0], (0, 243): vlans[0], (0, 245): vlans[1]}
    return wanted


def reverse(record):
    return {
        (REVERSE, 1): record.octets[1],
        (REVERSE, 2): record.packets[1],
        (REVERSE, 6): record.flags(1),
    }


def ns(wanted, record):
    """Puts times of NTP in the place of ms."""
    for element, at in ((156, record.first_ns), (157, record.last_ns)):
        del wanted[0, element - 4]
        part = at % 10**9
        # The era of NTP ends in 2036: seconds have 32 bits.
        seconds = (at // 10**9 + 2208988800) % 2**32
        wanted[0, element] = (seconds << 32) + -(-(part << 32) // 10**9)
    return wanted


def netflow(wanted, row):
    """Brings times to the 32 bits that NetFlow has for seconds, and cuts what is too long."""
    for values in (wanted, row):
        if (0, 152) in values and not values[0, 153] - values[0, 152] > LONGEST_MS:
            for key in ((0, 152), (0, 153)):
                values[key] %= 2**32 * 1000
    least = wanted[0, 153] - LONGEST_MS
    if wanted[0, 152] < least <= row[0, 152] < least + 1000:
        wanted[0, 152] = row[0, 152]


def ntop(record, d):
    counts = "retransmissions"
    return {
        (NTOP, 78): record.flags(0),
        (NTOP, 79): record.flags(1),
        (NTOP, 123): record.half_ms(0),
        (NTOP, 124): record.half_ms(1),
        (NTOP, 109): record.pair(counts, d),
        (NTOP, 110): record.pair(counts, 1 - d),
        (NTOP, 119): record.text("app"),
        (NTOP, 188): record.server("tls", "quic"),
        (NTOP, 187): record.server("http"),
        (NTOP, 205): record.server("dns", "mdns"),
        (NTOP, 360): record.text("http_method"),
        (NTOP, 181): record.json.get("http_status", 0),
        (NTOP, 168): record.json.get("pid", 0),
        (NTOP, 169): record.text("process"),
    }


def cesnet(record, d):
    return {
        (CESNET, 808): record.server("tls"),
        (CESNET, 890): record.server("quic"),
        (CESNET, 2): record.server("dns", "mdns"),
        (CESNET, 200): record.text("http_method"),
        (CESNET, 830): record.text("ja3"),
        (CESNET, 900): record.pair("mss", d),
        (CESNET, 901): record.pair("mss", 1 - d),
    }


OWN_PAIRS = {
    11: "retransmissions",
    13: "fast_retransmissions",
    15: "spurious_retransmissions",
    17: "lost_segments",
    19: "out_of_order",
    21: "zero_windows",
    23: "icmp_errors",
    25: "mss",
}
OWN_TEXTS = {
    2: "process",
    4: "effective_process",
    6: "container",
    27: "history",
    28: "app",
    29: "name",
    30: "name_source",
    31: "client_name",
    34: "ja4",
    35: "community_id",
}
OWN_LEFT_OUT = {32, 33, 36}  # ALPN is a list in JSON; versions are words; flags are many members


def own(record, d):
    spans = (("client_rtt", "server_rtt"), ("client_ack_rtt", "server_ack_rtt"))
    wanted = {
        1: record.json.get("pid", 0),
        3: record.json.get("effective_pid", 0),
        5: record.json.get("uid", -1) % 2**32,
        7: record.span_us(spans[1][d]),
        8: record.span_us(spans[1][1 - d]),
        9: record.span_us(spans[0][d]),
        10: record.span_us(spans[0][1 - d]),
    }
    for element, name in OWN_PAIRS.items():
        wanted[element] = record.pair(name, d)
        wanted[element + 1] = record.pair(name, 1 - d)
    for element, name in OWN_TEXTS.items():
        wanted[element] = record.text(name)
    return {(PEN, element): value for element, value in wanted.items()}


def uniflows(extra):
    """The wanted records of a flow, a record for each direction."""
    return lambda record: [
        plain(record, d) | (extra(record, d) if extra else {}) for d in record.directions()
    ]


FORMS = {
    "plain": uniflows(None),
    "biflow": lambda record: [ns(plain(record, 0), record) | reverse(record)],
    "ntop": uniflows(ntop),
    "cesnet": lambda record: [plain(record, 0) | reverse(record) | cesnet(record, 0)],
    "own": uniflows(own),
    "file": lambda record: [plain(record, 0) | reverse(record) | own(record, 0)],
    "nine": uniflows(None),
    "five": lambda record: five(record),
}


def five(record):
    if record.json["ip"] == 6:
        return []
    wanted = []
    for d in record.directions():
        row = common(record, d)
        if "icmp_type" in record.json:
            row |= {(0, 7): 0, (0, 11): record.icmp()}
        wanted.append(row)
    return wanted


def differences(wanted, row):
    """What differs; None stands for an element that is not there."""
    keys = sorted(set(wanted) | {key for key in row if key[0] in (0, REVERSE, NTOP, CESNET)})
    keys = [key for key in keys if key not in {(0, 148), (0, 21), (0, 22)}]
    return [(key, wanted.get(key), row.get(key)) for key in keys if wanted.get(key) != row.get(key)]


def compare(form, folder, records):
    """The faults of a form, and how many records there were."""
    reader = ipfix_reader.Reader(PEN)
    messages = list(ipfix_reader.messages_of(os.path.join(folder, form)))
    types = ipfix_reader.Reader(PEN)
    for message in messages:  # the types of private elements come with the first options
        types.message(message)
    reader.types = types.types
    rows = [row for message in messages for row in reader.message(message)]
    wanted = [row for record in records for row in FORMS[form](record)]
    faults = []
    if len(rows) != len(wanted):
        faults.append(f"{form}: {len(rows)} records in place of {len(wanted)}")
    for k, (row, want) in enumerate(zip(rows, wanted)):
        if form in ("nine", "five"):
            netflow(want, row)
        found = differences(want, row)
        if found:
            faults.append(f"{form}: record {k}: {found[:4]}")
    faults += check_options(form, reader, records)
    if form in ("plain", "ntop", "own"):
        faults += check_ids(form, rows)
    return faults, len(rows)


def check_ids(form, rows):
    """The directions of a flow share a flowId, and few flows at all share one."""
    ids = collections.Counter(row[0, 148] for row in rows)
    most = max(ids.values())
    return [] if len(ids) > len(rows) // 4 else [f"{form}: {len(ids)} ids, one {most} times"]


def check_options(form, reader, records):
    """Names of interfaces, books, keys of templates, and types of our elements."""
    faults = []
    by_template = collections.defaultdict(list)
    for template, values in reader.options:
        by_template[template].append(values)
    if form == "five":
        return faults
    scope = ("scope", 2) if form == "nine" else (0, 10)
    names = {row[scope]: row[0, 82] for row in by_template[276]}
    wanted = {}
    for record in records:
        if record.interface() and record.text("interface"):
            wanted.setdefault(record.interface(), record.text("interface"))
    if names != {k: v.encode()[:32].decode() for k, v in wanted.items()}:
        faults.append(f"{form}: interfaces {names} in place of {wanted}")
    books = by_template[272][-1]
    if books[0, 41] == 0 or books[0, 41] > reader.messages:
        faults.append(f"{form}: {books[0, 41]} messages of {reader.messages} told")
    if form == "nine":
        return faults
    for row in by_template[275]:
        fields = reader.templates[row[0, 145]][0]
        keys = [field[1] for k, field in enumerate(fields) if row[0, 173] >> k & 1]
        if not {7, 11, 4} < set(keys) or not set(keys) < {4, 7, 8, 11, 12, 27, 28, 58, 243, 245}:
            faults.append(f"{form}: template {row[0, 145]} has the keys {keys}")
    if form in ("own", "file") and len(reader.types) != 36:
        faults.append(f"{form}: {len(reader.types)} types in place of 36")
    return faults


def write(writer, folder):
    """Writes the flows of all captures into a folder; skips the test without captures."""
    if not os.path.isdir(CAPTURES):
        skip(f"{CAPTURES} is not there")
    files = sorted(
        os.path.join(place, name)
        for place, _, names in os.walk(CAPTURES)
        for name in names
        if ".pcap" in name
    )
    run = subprocess.run(
        [writer, folder, *files], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if run.returncode or run.stderr:
        print(run.stdout[-2000:], run.stderr[-2000:])
        sys.exit(1)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        write(sys.argv[2], folder)
        with open(os.path.join(folder, "flows.json"), encoding="utf-8") as lines:
            records = [Record(line) for line in lines]
        for form in FORMS:
            faults, rows = compare(form, folder, records)
            for fault in faults[:10]:
                print(fault)
            print(f"{form}: {len(records)} flows, {rows} records, {len(faults)} faults")
            failed += bool(faults)
    if len(records) < 1000:
        print(f"only {len(records)} flows in all captures")
        failed += 1
    print(f"{len(FORMS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
