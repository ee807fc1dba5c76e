#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where each packet's layers begin, against tshark, packet by packet; run by tshark.py.

LAYERS prints the offsets of the innermost IP or ARP header, the transport header and the payload;
tshark's are those of its dissection tree (-T pdml).  The rules are those of conversations.py;
what else differs must stand in differences-layers.tsv beside this file, by file and kind, with
the reason.

Without --all: captures of at most 100 packets."""

import collections
import os
import subprocess

import conversations

MOST_PACKETS = 100
TRANSPORTS = {
    6: "tcp",
    17: "udp",
    136: "udplite",
    132: "sctp",
    33: "dccp",
    1: "icmp",
    58: "icmpv6",
    2: "igmp",
}
IP4, IP6, FRAGMENT, WRONG = 0x1, 0x2, 0x4, 0xF00
FIXED = {"udp": 8, "udplite": 8, "sctp": 12, "icmp": 8, "icmpv6": 8, "igmp": 8}


def protocols(words):
    """Of each packet, its protocols: (name, begin, bytes, element)."""
    for packet in words.packets:
        protos = packet.findall("proto")
        if any((p.get("showname") or "").startswith("PCAPNG ") for p in protos):
            continue  # a block that is no packet
        yield [(p.get("name"), int(p.get("pos", -1)), int(p.get("size", 0)), p) for p in protos]


def field(proto, name):
    for f in proto.iter("field"):
        if f.get("name") == name:
            return f.get("show")
    return None


def innermost(protos):
    """The IP or ARP header that counts and what comes behind it: (name, begin, element, rest);
    None if there is none."""
    found, between = None, []
    for k, (name, begin, _, element) in enumerate(protos):
        if name in ("ip", "ipv6", "arp"):
            names = set(between) - {"geninfo", "frame", "fake-field-wrapper", "pkt_comment"}
            if not names <= (
                conversations.LINK | conversations.TUNNELS if found else conversations.LINK
            ) or (found and name == "arp"):
                break
            if (
                name != "arp" and field(element, name + ".dst") is None
            ):  # damaged: given up before its addresses
                break
            found, between = (name, begin, element, protos[k + 1 :]), []
            if name == "arp":
                break
        else:
            between.append(name)
    return found


def expected(protos):
    """Offsets by tshark: network, transport, payload, None where it does not tell."""
    ip = innermost(protos)
    if not ip:
        return None
    name, network, _, rest = ip
    for proto, begin, size, element in rest:
        if proto in TRANSPORTS.values():
            header = FIXED.get(proto) or (
                int(field(element, "tcp.hdr_len") or 0) if proto == "tcp" else None
            )
            return network, begin, begin + header if header else None
        if proto not in conversations.LINK:
            break
    return network, None, None


def compare(program, path, words):
    """{kind: the first packet of which it is so}, packets compared."""
    ours = subprocess.run(
        [program, path], capture_output=True, check=True, text=True
    ).stdout.splitlines()
    different, compared = {}, 0
    for number, (line, protos) in enumerate(zip(ours, protocols(words)), 1):
        flags, network, transport, payload, _ = line.split()
        wanted, flags = expected(protos), int(flags, 16)
        if wanted is None:
            if flags & (IP4 | IP6) and not flags & WRONG:
                different.setdefault("network", f"packet {number}: bpfengine {line}, tshark none")
            continue
        compared += 1
        for kind, is_, should in zip(
            ("network", "transport", "payload"), (network, transport, payload), wanted
        ):
            if should is not None and is_ != str(should) and not (flags & WRONG and is_ == "-"):
                different.setdefault(kind, f"packet {number}: bpfengine {line}, tshark {wanted}")
    return different, compared


def report(results):
    """Prints what differs of [(file, differences, packets)]; returns (passed, failed)."""
    reasons = conversations.allowed(
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "differences-layers.tsv")
    )
    failed, packets, explained = 0, 0, collections.Counter()
    for name, different, n in results:
        known = reasons.get(name, {})
        packets += n
        for kind, sides in different.items():
            explained[kind in known] += 1
            if kind not in known:
                print(f"{name}\t{kind}\t{sides}")
        for kind in known:
            if kind not in different:  # another version of tshark
                print(f"{name}\t{kind}\tstands in differences-layers.tsv, but does not differ")
        failed += any(kind not in known for kind in different)
    print(
        f"{packets} packets compared, {explained[True]} differences, "
        "explained in differences-layers.tsv"
    )
    return len(results) - failed, failed + (not packets)
