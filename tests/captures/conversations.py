#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Flow records against tshark, flow by flow; run by tshark.py.

Each capture of a link type that the program parses is read by both, once by the innermost IP
header of each packet, once by the outermost (--outermost).  tshark's word on every packet (IP
headers, ports, VLANs, lengths) is added up here by flow; its conversation tables (-z conv) say it
once more where no packet is tunnelled.  Packets and bytes of each direction must be the same, and
where time does not step back, first and last moment, and who the originator is.

What the program does on purpose is written below as rules: which protocols are gone through;
later fragments go with their first one, or have ports 0; ICMP echo has its identifier for both
ports; an ICMP error is of the flow whose packet it quotes. Whatever else differs must stand in
differences.tsv beside this file, by file and flow, with the reason; a line there that no
difference needs is told.

Without --all: captures of at most 2000 packets."""

import collections
import ipaddress
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

LINK_TYPES = {
    "EN10MB",
    "RAW",
    "NULL",
    "LOOP",
    "LINUX_SLL",
    "LINUX_SLL2",
    "IPV4",
    "IPV6",
    "PPP",
    "PPP_SERIAL",
    "PPP_ETHER",
    "C_HDLC",
    "FDDI",
    "IEEE802",
    "IEEE802_11",
    "IEEE802_11_RADIO",
    "IEEE802_11_RADIO_AVS",
    "PRISM_HEADER",
    "PPI",
    "PKTAP",
    "PFLOG",
    "ENC",
    "IPNET",
    "APPLE_IP_OVER_IEEE1394",
}
MOST_PACKETS = 2000
TIMEOUT_S = 550
EXTENSIONS = {
    0: "ipv6.hopopts.nxt",
    43: "ipv6.routing.nxt",
    60: "ipv6.dstopts.nxt",
    44: "ipv6.fraghdr.nxt",
    51: "ah.next_header",
    135: "mip6.proto",
}
PORTS = {6: "tcp", 17: "udp", 132: "sctp", 33: "dccp", 136: "udplite"}
TABLES = (6, 17, 132)
# Of frame.protocols: what the program goes through before an IP header, and what else between
# two of them.
LINK = {
    "eth",
    "sll",
    "ethertype",
    "vlan",
    "ieee8021ad",
    "null",
    "loop",
    "raw",
    "ppp",
    "pppoes",
    "mpls",
    "chdlc",
    "llc",
    "radiotap",
    "wlan_radio",
    "wlan",
    "prism",
    "wlancap",
    "ppi",
    "fddi",
    "tr",
    "ipnet",
    "ieee1394",
    "pflog",
    "enc",
    "pktap",
    "pcap_pktdata",
    "ah",
    "ipv6.hopopts",
    "ipv6.routing",
    "ipv6.dstopts",
    "ipv6.fraghdr",
    "mipv6",
    "macsec",
    "nsh",
    "hsr",
    "vntag",
}
TUNNELS = {
    "gre",
    "udp",
    "vxlan",
    "geneve",
    "gtp",
    "teredo",
    "l2tp",
    "erspan",
    "etherip",
    "gtpprime",
    "nsh",
}
FRAGMENT_S = 30
STEP_NS = (
    10 * 10**9
)  # where time steps back by more, the program's times are its own (src/flow/flow_time.h)


def number(text):
    return int(text, 0) if text else 0


def first(values):
    return values.split(",")[0] if values else ""


class Occurrences:
    """The fields of one packet, each taken value by value, in the order of its headers."""

    def __init__(self, f):
        self.values = {
            name: (value.split(",") if value else [])
            for name, value in f.items()
            if name not in ("frame.protocols",)
        }

    def take(self, name):
        return self.values[name].pop(0) if self.values[name] else ""


def headers_of(f):
    """The IP headers that tshark has seen in a packet: version, addresses, protocol, ports, and
    the names between it and the one before."""
    fields, found, between = Occurrences(f), [], []
    for name in f["frame.protocols"].split(":"):
        if name in ("ip", "ipv6"):
            h = {
                "version": name,
                "between": between,
                "src": fields.take(name + ".src"),
                "dst": fields.take(name + ".dst"),
                "ports": ("0", "0"),
                "later": False,
                "first": False,
                "id": None,
                "quoted": "icmp" in between or "icmpv6" in between,
            }
            if name == "ip":
                h["proto"], h["id"] = number(fields.take("ip.proto")), fields.take("ip.id")
                h["later"] = number(fields.take("ip.frag_offset")) > 0
                h["first"] = number(fields.take("ip.flags.mf")) and not h["later"]
            else:
                h["proto"] = number(fields.take("ipv6.nxt"))
            between = []
            found.append(h)
        else:
            between.append(name)
            if found and name in PORTS.values():
                of = "udp" if name == "udplite" else name
                ports = fields.take(of + ".srcport"), fields.take(of + ".dstport")
                if found[-1]["ports"] == ("0", "0"):
                    found[-1]["ports"] = ports[0] or "0", ports[1] or "0"
        h = found[-1] if found else None
        while (
            h
            and h["proto"] in EXTENSIONS
            and not h["later"]
            and (h["version"] == "ipv6" or h["proto"] == 51)
            and name == h["version"]
        ):
            following = fields.take(EXTENSIONS[h["proto"]])
            if not following:
                break  # cut or damaged: it stays what it was
            if h["proto"] == 44:
                h["later"], h["id"] = (
                    number(fields.take("ipv6.fraghdr.offset")) > 0,
                    fields.take("ipv6.fraghdr.ident"),
                )
                h["first"] = number(fields.take("ipv6.fraghdr.more")) and not h["later"]
            h["proto"] = number(following)
        if h and name == "icmp" and number(fields.take("icmp.type") or "99") in (0, 8):
            h["ports"] = (str(number(fields.take("icmp.ident"))),) * 2
        if h and name == "icmpv6" and number(fields.take("icmpv6.type")) in (128, 129):
            h["ports"] = (str(number(fields.take("icmpv6.echo.identifier"))),) * 2
    return found


def flow_of(f, outermost, fragments):
    """(key, sender) of a packet that tshark has told the fields of; None if it belongs to no
    flow."""
    headers = headers_of(f)
    if (
        not headers
        or not set(headers[0]["between"]) <= LINK
        or not headers[0]["src"]
        or not headers[0]["dst"]
    ):
        return None
    at, tags, frame = 0, 0, headers[0]["between"]
    while (
        not outermost
        and at + 1 < len(headers)
        and not headers[at + 1]["quoted"]
        and headers[at + 1]["src"]
        and headers[at + 1]["dst"]
    ):
        if not set(headers[at + 1]["between"]) <= LINK | TUNNELS:
            break
        at += 1
        if "eth" in headers[at]["between"]:
            skipped = sum(name in ("vlan", "ieee8021ad") for name in frame)
            tags, frame = tags + skipped, headers[at]["between"]
    h = headers[at]
    now, vlan = float(f["frame.time_epoch"]), sum(name in ("vlan", "ieee8021ad") for name in frame)
    vlans = [number(v) for v in (f["ieee8021ad.id"] + "," + f["vlan.id"]).split(",") if v][
        tags : tags + min(vlan, 2)
    ]
    while vlans and not vlans[-1]:
        vlans.pop()
    quoted = at + 1 < len(headers) and headers[at + 1]["quoted"]
    if quoted and headers[at + 1]["version"] == h["version"] and headers[at + 1]["src"]:
        q = headers[at + 1]
        if q["later"] or q["proto"] not in PORTS or q["ports"] != ("0", "0"):
            h = {
                **q,
                "src": q["dst"],
                "dst": q["src"],
                "ports": q["ports"][::-1],
                "later": False,
                "first": False,
            }
    ports = h["ports"] if h["proto"] in PORTS or h["proto"] in (1, 58) else ("0", "0")
    if h["later"]:
        ports = ("0", "0")
    a, b = f"{h['src']} {ports[0]}", f"{h['dst']} {ports[1]}"
    flow = (h["proto"], tuple(vlans), *sorted((a, b))), a
    for piece in headers[: at + 1]:  # of the outermost header that is in pieces
        datagram = (
            piece["src"],
            piece["dst"],
            piece["id"],
            piece["proto"] if piece["version"] == "ip" else None,
        )
        if piece["first"]:
            fragments[datagram] = now, flow
        if piece["later"]:
            then, known = fragments.get(datagram, (None, None))
            return known if known and abs(now - then) <= FRAGMENT_S else flow
        if piece["first"]:
            break
    return flow


def snaplen(path):
    """What a pcap file's header says of the longest packet: the program and libpcap show no more
    of one, tshark does."""
    with open(path, "rb") as file:
        header = file.read(24)
    order = "<" if header[3] == 0xA1 else ">"
    most = struct.unpack(order + "I", header[16:20])[0] if 0xA1 in (header[0], header[3]) else 0
    return most if 0 < most < 2**31 else sys.maxsize


def flows_by_tshark(path, words):
    """Flows by tshark, innermost and outermost: {key: {sender: [packets, wire bytes, captured
    bytes]}}, its conversation tables, and whether
    these can be compared: no packet has two IP headers, or one that the program does not look
    for, or is in pieces."""
    flows, fragments, plain, most = ({}, {}), ({}, {}), True, snaplen(path)
    spans, latest, steps = ({}, {}), None, False
    rows = [dict(row) for row in words.rows]
    borrow_times(rows)
    for f in rows:
        now = nanoseconds(f["frame.time_epoch"])
        latest, steps = (
            max(now, now if latest is None else latest),
            steps or (latest is not None and now < latest - STEP_NS),
        )
        for outermost in (False, True):
            found = flow_of(f, outermost, fragments[outermost])
            if found:
                key, sender = found
                count = flows[outermost].setdefault(key, {}).setdefault(sender, [0, 0, 0])
                begun = spans[outermost].setdefault(
                    key,
                    [
                        now,
                        now,
                        sender,
                        f["tcp.flags"] if "icmp" not in f["frame.protocols"] else "ICMP",
                    ],
                )
                begun[0], begun[1] = min(now, begun[0]), max(now, begun[1])
                for i, n in enumerate((1, int(f["frame.len"]), min(int(f["frame.cap_len"]), most))):
                    count[i] += n
        names = f["frame.protocols"].split(":")
        headers = names.count("ip") + names.count("ipv6")
        pieces = set((f["ip.frag_offset"] + "," + f["ipv6.fraghdr.offset"]).split(",")) - {"", "0"}
        plain = plain and headers == (1 if found else 0) and not pieces
    return flows, conversations(words.tables), plain, None if steps else spans


def borrow_times(rows):
    """Packets without a time have that of the packet before, or of the first that has one; as
    the program's."""
    known = [f["frame.time_epoch"] for f in rows if f["frame.time_epoch"]]
    now = known[0] if known else "0"
    for f in rows:
        now = f["frame.time_epoch"] = f["frame.time_epoch"] or now


CONVERSATION = re.compile(
    r"^(\S+):(\d+)\s+<->\s+(\S+):(\d+)\s+(\d+)\s+(\d+) (\w+)\s+(\d+)\s+(\d+) (\w+)\s"
)


def conversations(text):
    """{(proto, end, end): {sender: packets}} as the tables have it, several of the same ends
    added up."""
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


def nanoseconds(text):
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 10**9 + (-1 if text.startswith("-") else 1) * int(
        (fraction + "000000000")[:9]
    )


def span_differs(ours, theirs, tcp):
    """What a flow's first and last moment and its originator are: text if the two differ.  The
    originator is compared where there is one record."""
    if ours[:2] != theirs[:2]:
        return f"bpfengine from {ours[0]} to {ours[1]}, tshark from {theirs[0]} to {theirs[1]}"
    flags = theirs[3].split(",")[0] if tcp else ""
    answer = (
        flags not in ("", "ICMP") and int(flags, 16) & 0x16 == 0x12
    )  # a SYN-ACK goes to the originator
    if ours[3] == 1 and theirs[3] != "ICMP" and (ours[2] == theirs[2]) == answer:
        return (
            f"bpfengine's originator is {ours[2]}, tshark's first packet is {theirs[2]}'s, "
            f"flags {flags or 'none'}"
        )
    return None


def program_flows(program, path, outermost):
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as out:
        run = subprocess.run(
            [
                program,
                "-r",
                path,
                "--flows",
                out.name,
                "--flow-idle",
                "1000000000",
                "--flow-closed",
                "1000000000",
                "--seed",
                "1",
                "--quiet",
            ]
            + ["--outermost"] * outermost,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            text=True,
        )
        if run.returncode or "Sanitizer" in run.stderr or "runtime error" in run.stderr:
            raise ValueError(f"exit code {run.returncode}: {run.stderr[:1000]}")
        lines = [json.loads(line, parse_float=str) for line in out]
    flows, spans = {}, {}
    for r in lines:
        ends = [
            f"{ipaddress.ip_address(r['src'])} {r['sport']}",
            f"{ipaddress.ip_address(r['dst'])} {r['dport']}",
        ]
        flow = flows.setdefault((r["ip_proto"], tuple(r.get("vlan", ())), *sorted(ends)), {})
        for i, end in enumerate(ends):
            count = flow.setdefault(end, [0, 0, 0])
            for k, field in enumerate(("packets", "wire_bytes", "captured_bytes")):
                count[k] += r[field][i]
        first = nanoseconds(r["first"])
        span = spans.setdefault(
            (r["ip_proto"], tuple(r.get("vlan", ())), *sorted(ends)), [first, first, ends[0], 0]
        )
        span[0], span[1], span[3] = (
            min(first, span[0]),
            max(first + nanoseconds(r["duration"]), span[1]),
            span[3] + 1,
        )
    return flows, spans


def told(key):
    return f"{key[0]} {'.'.join(map(str, key[1])) or '-'} {key[2]} - {key[3]}"


def without_zeros(flow):
    return {end: count for end, count in (flow or {}).items() if count[0]}


def compare(program, path, words):
    """{what, told so that it can stand in differences.tsv: both sides}, flows compared,
    conversations compared."""
    (theirs, tables, plain, begun), different, n = flows_by_tshark(path, words), {}, 0
    for outermost in (False, True):
        ours, spans = program_flows(program, path, outermost)
        for key in sorted(set(ours) | set(theirs[outermost])):
            a, b = without_zeros(ours.get(key)), without_zeros(theirs[outermost].get(key))
            if a != b:
                different[("outermost " if outermost else "") + told(key)] = (
                    f"bpfengine {a or 'none'}, tshark {b or 'none'}"
                )
            elif begun and key[2] != key[3]:
                what = span_differs(spans[key], begun[outermost][key], key[0] == 6)
                if what:
                    different[("outermost " if outermost else "") + "span " + told(key)] = what
        n += len(theirs[outermost])
    if not plain:
        return different, n, 0
    sums = {}
    for (proto, _, a, b), flow in ours.items():
        if proto in TABLES and not (a.endswith(" 0") and b.endswith(" 0")):
            ends = sums.setdefault((proto, a, b), collections.Counter())
            for end, count in flow.items():
                ends[end] += count[0]
    for key in sorted(set(sums) | set(tables)):
        a, b = +sums.get(key, collections.Counter()), +tables.get(key, collections.Counter())
        if a != b:
            different[f"conv {key[0]} {key[1]} - {key[2]}"] = (
                f"bpfengine {dict(a) or 'none'}, tshark's table {dict(b) or 'none'}"
            )
    return different, n, len(tables)


def allowed(path):
    """{file: {flow: reason}}"""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, flow, reason = line.rstrip("\n").split("\t")
                found.setdefault(name, {})[flow] = reason
    return found


def report(results):
    """Prints what differs of [(file, differences, flows, conversations)]; returns (passed, failed)."""
    reasons = allowed(os.path.join(os.path.dirname(os.path.abspath(__file__)), "differences.tsv"))
    failed = flows = tables = explained = 0
    for name, different, n, t in results:
        known = reasons.get(name, {})
        wrong = [
            f"{name}\t{what}\t{sides}" for what, sides in different.items() if what not in known
        ]
        for what in known:
            if what not in different:  # another version of tshark
                print(f"{name}\t{what}\tstands in differences.tsv, but does not differ")
        flows, tables, explained = flows + n, tables + t, explained + len(different)
        failed += bool(wrong)
        for line in wrong:
            print(line)
    print(
        f"{flows} flows and {tables} conversations compared, {explained} differences, "
        "explained in differences.tsv or told above"
    )
    return len(results) - failed, failed + (not flows)
