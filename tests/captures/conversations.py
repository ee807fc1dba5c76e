#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""conversations.py PROGRAM CAPTURES [--all] [FILE...]: flow records against tshark, flow by flow.

Each capture of a link type that the program parses is read by both.  tshark's word on every packet (outermost IP header,
ports, VLANs, lengths) is added up here by flow; its conversation tables (-z conv) say it once more where no packet is
tunnelled.  Packets and bytes of each direction must be the same.

What the program does on purpose is written below as rules: the outermost IP header counts, right behind the link header and
VLAN tags; later fragments have ports 0; ICMP echo has its identifier for both ports.  Whatever else differs must stand in
differences.tsv beside this file, by file and flow, with the reason; a line there that no difference needs is told.

Without --all: captures of at most 2000 packets.  Ends with "N passed, N failed"; exit code 77 (skipped) without tshark or the
captures."""
import collections
import concurrent.futures
import ipaddress
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

LINK_TYPES = {"EN10MB", "RAW", "NULL", "LOOP", "LINUX_SLL", "LINUX_SLL2", "IPV4", "IPV6"}
MOST_PACKETS = 2000
TIMEOUT_S = 120
FIELDS = ["frame.len", "frame.cap_len", "frame.protocols", "vlan.id", "ieee8021ad.id", "ip.src", "ip.dst", "ip.proto", "ip.frag_offset", "ipv6.src", "ipv6.dst",
          "ipv6.nxt", "ipv6.hopopts.nxt", "ipv6.routing.nxt", "ipv6.dstopts.nxt", "ipv6.fraghdr.nxt", "ah.next_header", "ipv6.fraghdr.offset",
          "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "sctp.srcport", "sctp.dstport", "icmp.type", "icmp.ident", "icmpv6.type",
          "icmpv6.echo.identifier", "mip6.proto"]
EXTENSIONS = {0: "ipv6.hopopts.nxt", 43: "ipv6.routing.nxt", 60: "ipv6.dstopts.nxt", 44: "ipv6.fraghdr.nxt", 51: "ah.next_header", 135: "mip6.proto"}
PORTS = {6: "tcp", 17: "udp", 132: "sctp"}
# How frame.protocols begins where the program follows it to an IP header.
DIRECT = re.compile(r"^(?:(?:eth|sll|ethertype|vlan|ieee8021ad|null|loop|raw)(?::|$))*(ip|ipv6)(?::|$)")


def number(text):
    return int(text, 0) if text else 0


def first(values):
    return values.split(",")[0] if values else ""


def flow_of(f):
    """(key, sender) of a packet that tshark has told the fields of; None if it belongs to no flow."""
    direct = DIRECT.match(f["frame.protocols"])
    if not direct:
        return None
    version = direct.group(1)
    source, target = first(f[version + ".src"]), first(f[version + ".dst"])
    if not source or not target:
        return None
    if version == "ip":
        proto, later = number(first(f["ip.proto"])), number(first(f["ip.frag_offset"])) > 0
    else:
        proto, later, used = number(first(f["ipv6.nxt"])), False, collections.Counter()
        while proto in EXTENSIONS and not later:
            values = f[EXTENSIONS[proto]].split(",")
            if used[proto] >= len(values) or not values[used[proto]]:
                break  # cut or damaged: it stays what it was
            used[proto] += 1
            later = proto == 44 and number(first(f["ipv6.fraghdr.offset"])) > 0
            proto = number(values[used[proto] - 1])
    ports = ("0", "0")
    if later:
        pass
    elif proto in PORTS:
        ports = first(f[PORTS[proto] + ".srcport"]) or "0", first(f[PORTS[proto] + ".dstport"]) or "0"
    elif version == "ip" and proto == 1 and number(first(f["icmp.type"]) or "99") in (0, 8):
        ports = (str(number(first(f["icmp.ident"]))),) * 2
    elif version == "ipv6" and proto == 58 and number(first(f["icmpv6.type"])) in (128, 129):
        ports = (str(number(first(f["icmpv6.echo.identifier"]))),) * 2
    tags = sum(name in ("vlan", "ieee8021ad") for name in direct.group(0).split(":"))  # a tunnel's come behind
    vlans = [number(v) for v in (f["ieee8021ad.id"] + "," + f["vlan.id"]).split(",") if v][:min(tags, 2)]
    while vlans and not vlans[-1]:
        vlans.pop()
    a, b = f"{source} {ports[0]}", f"{target} {ports[1]}"
    return (proto, tuple(vlans), *sorted((a, b))), a


def snaplen(path):
    """What a pcap file's header says of the longest packet: the program and libpcap show no more of one, tshark does."""
    with open(path, "rb") as file:
        header = file.read(24)
    order = "<" if header[3] == 0xA1 else ">"
    most = struct.unpack(order + "I", header[16:20])[0] if 0xA1 in (header[0], header[3]) else 0
    return most if 0 < most < 2 ** 31 else sys.maxsize


def tshark(path):
    """Flows by tshark: {key: {sender: [packets, wire bytes, captured bytes]}}, its conversation tables, and whether these
    can be compared: no packet has two IP headers, or one that the program does not look for."""
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    for preference in ("ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams"):
        command += ["-o", preference + ":FALSE"]
    for field in FIELDS:
        command += ["-e", field]
    for table in ("tcp", "udp", "sctp"):
        command += ["-z", "conv," + table]
    run = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False, text=True, errors="replace")
    packets, _, tables = run.stdout.partition("=" * 80 + "\n")
    flows, plain, most = {}, True, snaplen(path)
    for line in packets.splitlines():
        values = line.split("\t")
        if len(values) != len(FIELDS):
            raise ValueError(f"tshark printed {line!r}")
        f = dict(zip(FIELDS, values))
        names = f["frame.protocols"].split(":")
        found = flow_of(f)
        headers = names.count("ip") + names.count("ipv6")
        plain = plain and headers == (1 if found else 0)
        if found:
            key, sender = found
            count = flows.setdefault(key, {}).setdefault(sender, [0, 0, 0])
            for i, n in enumerate((1, int(f["frame.len"]), min(int(f["frame.cap_len"]), most))):
                count[i] += n
    return flows, conversations(tables), plain


CONVERSATION = re.compile(r"^(\S+):(\d+)\s+<->\s+(\S+):(\d+)\s+(\d+)\s+(\d+) (\w+)\s+(\d+)\s+(\d+) (\w+)\s")


def conversations(text):
    """{(proto, end, end): {sender: packets}} as the tables have it, several of the same ends added up."""
    found, proto = {}, None
    for line in text.splitlines():
        title = re.match(r"^(TCP|UDP|SCTP) Conversations", line)
        if title:
            proto = {"TCP": 6, "UDP": 17, "SCTP": 132}[title.group(1)]
        row = CONVERSATION.match(line)
        if row:
            a, b = f"{row[1]} {row[2]}", f"{row[3]} {row[4]}"
            ends = found.setdefault((proto, *sorted((a, b))), collections.Counter())
            ends[b] += int(row[5])
            ends[a] += int(row[8])
    return found


def program_flows(program, path):
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as out:
        run = subprocess.run([program, "-r", path, "--flows", out.name, "--flow-idle", "1000000000", "--flow-closed", "1000000000", "--seed", "1", "-q"],
                             capture_output=True, timeout=TIMEOUT_S, check=False, text=True)
        if run.returncode or "Sanitizer" in run.stderr or "runtime error" in run.stderr:
            raise ValueError(f"exit code {run.returncode}: {run.stderr[:1000]}")
        lines = [json.loads(line) for line in out]
    flows = {}
    for r in lines:
        ends = [f"{ipaddress.ip_address(r['src'])} {r['sport']}", f"{ipaddress.ip_address(r['dst'])} {r['dport']}"]
        flow = flows.setdefault((r["ip_proto"], tuple(r.get("vlan", ())), *sorted(ends)), {})
        for i, end in enumerate(ends):
            count = flow.setdefault(end, [0, 0, 0])
            for k, field in enumerate(("packets", "wire_bytes", "captured_bytes")):
                count[k] += r[field][i]
    return flows


def told(key):
    return f"{key[0]} {'.'.join(map(str, key[1])) or '-'} {key[2]} - {key[3]}"


def without_zeros(flow):
    return {end: count for end, count in (flow or {}).items() if count[0]}


def compare(program, path):
    """{what, told so that it can stand in differences.tsv: both sides}, flows compared, conversations compared."""
    ours, (theirs, tables, plain) = program_flows(program, path), tshark(path)
    different = {}
    for key in sorted(set(ours) | set(theirs)):
        a, b = without_zeros(ours.get(key)), without_zeros(theirs.get(key))
        if a != b:
            different[told(key)] = f"bpfengine {a or 'none'}, tshark {b or 'none'}"
    if not plain:
        return different, len(theirs), 0
    sums = {}
    for (proto, _, a, b), flow in ours.items():
        if proto in PORTS and not (a.endswith(" 0") and b.endswith(" 0")):
            ends = sums.setdefault((proto, a, b), collections.Counter())
            for end, count in flow.items():
                ends[end] += count[0]
    for key in sorted(set(sums) | set(tables)):
        a, b = +sums.get(key, collections.Counter()), +tables.get(key, collections.Counter())
        if a != b:
            different[f"conv {key[0]} {key[1]} - {key[2]}"] = f"bpfengine {dict(a) or 'none'}, tshark's table {dict(b) or 'none'}"
    return different, len(theirs), len(tables)


def allowed(path):
    """{file: {flow: reason}}"""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, flow, reason = line.rstrip("\n").split("\t")
                found.setdefault(name, {})[flow] = reason
    return found


def main():
    arguments = [a for a in sys.argv[1:] if a != "--all"]
    if len(arguments) < 2:
        sys.exit(__doc__)
    program, captures, wanted = os.path.abspath(arguments[0]), arguments[1], set(arguments[2:])
    index = os.path.join(captures, "index.tsv")
    if not os.path.exists(index) or not shutil.which("tshark"):
        print(f"skipped: no captures at {captures}" if not os.path.exists(index) else "skipped: tshark is not installed")
        sys.exit(77)
    with open(index, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines][1:]
    names = [r[0] for r in rows if r[1] in LINK_TYPES and (r[0] in wanted if wanted else "--all" in sys.argv or int(r[2]) <= MOST_PACKETS)]
    reasons = allowed(os.path.join(os.path.dirname(os.path.abspath(__file__)), "differences.tsv"))

    def one(name):
        try:
            return compare(program, os.path.join(captures, name))
        except (ValueError, KeyError, OSError, subprocess.SubprocessError) as e:
            return {"the run": repr(e)}, 0, 0

    failed = flows = tables = explained = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, (different, n, t) in zip(names, pool.map(one, names)):
            known = reasons.get(name, {})
            wrong = [f"{name}\t{what}\t{sides}" for what, sides in different.items() if what not in known]
            for what in known:
                if what not in different:  # another version of tshark
                    print(f"{name}\t{what}\tstands in differences.tsv, but does not differ")
            flows, tables, explained = flows + n, tables + t, explained + len(different)
            failed += bool(wrong)
            for line in wrong:
                print(line)
    print(f"{flows} flows and {tables} conversations compared, {explained} differences, explained in differences.tsv or told above")
    print(f"{len(names) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not flows else 0)


if __name__ == "__main__":
    main()
