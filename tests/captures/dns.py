#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dns.py DNS_LINES CAPTURES [--all]: DNS events beside tshark's dissection of DNS, mDNS and LLMNR.

Each message that tshark names must be in an event, with the same name, type, code, addresses and
aliases, and the time from query to answer.  Messages that tshark calls malformed, that have no
name, or that lie where the engine does not look (QUIC, ARCNET, user link types) are counted apart.
Host names of clients must be among the names that tshark finds in DHCP and mDNS.

Without --all: captures in which an event or a client's name is found, or that are named in
DIFFERENT.  Ends with "N passed, N failed"; exit code 77 (skipped) without tshark or captures."""

import collections
import concurrent.futures
import os
import shutil
import subprocess
import sys

TIMEOUT_S = 550
FIELDS = (
    "frame.time_epoch dns.id dns.flags.response dns.qry.name dns.qry.type dns.flags.rcode "
    "dns.count.answers dns.resp.type dns.a dns.aaaa dns.cname dns.time _ws.malformed "
    "frame.protocols dns.resp.name dhcp.option.hostname dhcp.fqdn.name dhcpv6.client_domain dns.ptr.domain_name"
).split()
OUTSIDE = ("quic", "arcnet", "user_dlt")
# Messages that differ on purpose, by capture: what and how many.
DIFFERENT = {
    # The second question is malformed, so that nothing behind is where the header says.
    "malformed_dns.pcap": {"missing": 4},
    # tshark looks for DNS over TCP on known ports alone; the engine reads any port.
    "dns_tcp_8053.pcap": {"extra": 1},
    # The IP length says that there is no datagram; the engine takes the captured bytes.
    "ipv4_invalid_total_length_2.pcap": {"extra": 1},
}


def read_lines(program, path):
    p = subprocess.run([program, path, "0"], capture_output=True, timeout=TIMEOUT_S)
    lines = p.stdout.decode("utf-8", "replace").split("\n")
    return [x.split("\t") for x in lines if x]


def read_tshark(path):
    words = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|"]
    words += ["-Y", "(dns || mdns || llmnr || dhcp || dhcpv6) && !icmp && !icmpv6"]
    for field in FIELDS:
        words += ["-e", field]
    p = subprocess.run(words, capture_output=True, timeout=TIMEOUT_S)
    for line in p.stdout.decode("utf-8", "replace").split("\n"):
        if line:
            yield dict(zip(FIELDS, line.split("\t")))


def first(values):
    return values.split("|")[0]


def nanoseconds(text):
    seconds, fraction = text.split(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0")[:9])


def plain(name):
    return "." if name == "<Root>" else name.lower()


class Event:
    def __init__(self, words):
        self.app, self.query, self.used = words[1], words[10], False
        numbers = [int(w) for w in words[2:10]]
        self.seen, self.id, self.type, _, self.flags, self.time, self.rtt, self.total = numbers
        self.answers = [a.split(" ", 1) for a in words[11].split("|") if a]

    def data(self, kind):
        return sorted(a[1].lower() for a in self.answers if a[0] == kind)


def compare_data(row, event):
    """What differs in an answer's addresses and aliases."""
    if event.total > len(event.answers):
        return None
    kinds = row["dns.resp.type"].split("|")[: event.total]
    for kind, field in (("1", "dns.a"), ("28", "dns.aaaa"), ("5", "dns.cname")):
        values = [plain(v) for v in row[field].split("|") if v][: kinds.count(kind)]
        if sorted(values) != event.data(kind):
            return f"{field} {values}, not {event.data(kind)}"
    return None


def compare_answer(row, found):
    """What differs between a response of tshark and the event at its time; None: nothing."""
    if not found:
        return "missing"
    event = found[0]
    event.used = True
    name = first(row["dns.qry.name"]) or first(row["dns.resp.name"])
    if event.query.lower() != plain(name):
        return f"name {name}, not {event.query}"
    if row["dns.qry.type"] and event.type != int(first(row["dns.qry.type"])):
        return f"type {row['dns.qry.type']}, not {event.type}"
    if row["dns.flags.rcode"] and event.flags & 15 != int(first(row["dns.flags.rcode"])):
        return f"code {row['dns.flags.rcode']}, not {event.flags & 15}"
    if "|" in row["dns.id"]:
        return None  # several messages in a segment: tshark's fields are of all of them
    different = compare_data(row, event)
    if different or not row["dns.time"] or event.app != "dns":
        return different
    expected = float(first(row["dns.time"])) * 1e9
    if abs(event.rtt - expected) > 1000:
        return f"time {expected} ns, not {event.rtt}"
    return None


def compare_query(row, events):
    name, kind = plain(first(row["dns.qry.name"])), first(row["dns.qry.type"])
    found = [e for e in events if e.query.lower() == name and kind in ("", str(e.type))]
    for event in found:
        event.used = True
    return None if found else "missing"


def is_apart(row):
    """Whether a row has nothing to compare."""
    names = row["dns.qry.name"] + row["dns.resp.name"]
    protocols = row["frame.protocols"].split(":")
    return not names or bool(row["_ws.malformed"]) or any(p.startswith(OUTSIDE) for p in protocols)


def compare_capture(program, path, everything):
    counts, told = collections.Counter(), []
    lines = read_lines(program, path)
    events = [Event(x) for x in lines if x[0] == "event"]
    clients = {x[8] for x in lines if x[0] == "flow" and x[8]}
    base = os.path.basename(path)
    if not (events or clients or everything or base in DIFFERENT):
        return base, counts, told
    by_time, by_id, hosts = collections.defaultdict(list), collections.defaultdict(list), set()
    for event in events:
        by_id[event.id].append(event)
        if event.seen & 2:
            by_time[event.time, event.id].append(event)
    for row in read_tshark(path):
        for field in FIELDS[-5:]:
            hosts |= {v.rstrip(".").lower() for v in row[field].split("|") if v}
        if not row["dns.id"]:
            continue
        if is_apart(row):
            counts["apart"] += 1
            continue
        ident = int(first(row["dns.id"]), 16)
        if first(row["dns.flags.response"]) in ("1", "True"):
            different = compare_answer(row, by_time[nanoseconds(row["frame.time_epoch"]), ident])
        else:
            different = compare_query(row, by_id[ident])
        counts["messages"] += 1
        if different:
            counts["missing" if different == "missing" else "wrong"] += 1
            told.append(f"{base}: {row['frame.time_epoch']} {ident:#x}: {different}")
    for event in events:
        if not event.used:
            counts["extra"] += 1
            told.append(f"{base}: not in tshark's: {event.app} {event.id:#x} {event.query}")
    for client in clients:
        counts["clients"] += 1
        if client.lower() not in hosts:
            counts["wrong"] += 1
            told.append(f"{base}: client {client} is none of {sorted(hosts)}")
    return base, counts, told


def main():
    if len(sys.argv) < 3 or not shutil.which("tshark") or not os.path.isdir(sys.argv[2]):
        print("skipped: no tshark, or no captures")
        sys.exit(77)
    program, everything = os.path.abspath(sys.argv[1]), "--all" in sys.argv
    paths = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(sys.argv[2])
        for name in sorted(names)
        if not name.endswith((".tsv", ".md"))
    ]
    sums, failed, good = collections.Counter(), 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(compare_capture, program, path, everything) for path in paths]
        for run in runs:
            base, counts, told = run.result()
            expected = DIFFERENT.get(base, {})
            sums += counts
            if any(counts[k] != expected.get(k, 0) for k in ("wrong", "missing", "extra")):
                failed += 1
                print("\n".join(told))
            elif counts:
                good += 1
    print(", ".join(f"{n} {what}" for what, n in sorted(sums.items())))
    found = sums["messages"] - sums["missing"]
    enough = found >= 0.99 * sums["messages"] and sums["messages"] > 0
    print(f"{found} of {sums['messages']} messages found, {sums['wrong']} wrong")
    print(f"{good + enough} passed, {failed + (not enough)} failed")
    sys.exit(failed > 0 or not enough)


main()
