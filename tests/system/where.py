#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""where.py PROGRAM [CAPTURES]: --where chooses the flows that Python finds by the same condition in
the JSON lines, the page bpfengine-where(7) has every field, and its examples run.

Captures: examples/office.pcap, generated traffic, and every capture of the folder, where it is.
"""

import glob
import ipaddress
import json
import os
import re
import shlex
import subprocess
import sys

from program import PROGRAM, Cases, report, run

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SHARED = sys.argv[2] if len(sys.argv) > 2 else os.path.join(TOP, "examples")
PAGE = os.path.join(TOP, "man", "bpfengine-where.7")
BASE = ("--flows", "-", "--seed", "1", "--quiet", "--flow-lengths")
case = Cases()


def sum_of(flow, name):
    """Returns the sum of both ends, or None."""
    return sum(flow[name]) if name in flow else None


def both(flow, *names):
    """Returns the sum of the known members, or None."""
    known = [flow[name] for name in names if name in flow]
    return sum(known) if known else None


def inside(flow, name, *networks):
    return any(
        ipaddress.ip_address(flow[name]) in ipaddress.ip_network(network) for network in networks
    )


def less(value, most):
    return value is not None and value < most


def more(value, least):
    return value is not None and value > least


def text(flow, name):
    return flow.get(name, "").lower()


# Conditions, and the same in Python on a line of JSON.
CONDITIONS = [
    ("proto = tcp", lambda f: f["proto"] == "tcp"),
    ("proto != tcp and ip = 4", lambda f: f["proto"] != "tcp" and f["ip"] == 4),
    ("proto in (udp, icmp)", lambda f: f["ip_proto"] in (17, 1)),
    ("port = 53", lambda f: 53 in (f["sport"], f["dport"])),
    ("port != 53", lambda f: 53 not in (f["sport"], f["dport"])),
    ("dport in (80, 443, 8080)", lambda f: f["dport"] in (80, 443, 8080)),
    ("sport >= 1024 and dport < 1024", lambda f: f["sport"] >= 1024 > f["dport"]),
    ("bytes > 2k", lambda f: sum(f["wire_bytes"]) > 2000),
    (
        "orig.bytes <= 500B",
        lambda f: f["wire_bytes"][0] <= 500,
    ),
    ("packets = 1", lambda f: sum(f["packets"]) == 1),
    ("resp.packets = 0", lambda f: f["packets"][1] == 0),
    ("payload_bytes > 1Ki", lambda f: sum(f["payload_bytes"]) > 1024),
    ("ip_bytes != 0", lambda f: sum(f["ip_bytes"]) != 0),
    ("duration > 1s", lambda f: f["duration"] > 1),
    ("duration < 100ms", lambda f: f["duration"] < 0.1),
    ("src in 10.0.0.0/8", lambda f: f["ip"] == 4 and inside(f, "src", "10.0.0.0/8")),
    (
        "dst not in (10.0.0.0/8, 192.168.0.0/16, fe80::/10)",
        lambda f: (
            not (
                inside(f, "dst", "10.0.0.0/8", "192.168.0.0/16")
                if f["ip"] == 4
                else inside(f, "dst", "fe80::/10")
            )
        ),
    ),
    (
        "host in 192.168.0.0/16",
        lambda f: (
            f["ip"] == 4
            and (inside(f, "src", "192.168.0.0/16") or inside(f, "dst", "192.168.0.0/16"))
        ),
    ),
    ("state = closed or state = reset", lambda f: f.get("tcp_state") in ("closed", "reset")),
    ("state != established", lambda f: f.get("tcp_state", "established") != "established"),
    ("not state = established", lambda f: f.get("tcp_state") != "established"),
    ("midstream", lambda f: f.get("midstream", False)),
    (
        'history like "S*F*"',
        lambda f: f.get("history", "")[:1] == "S" and "F" in f.get("history", ""),
    ),
    ('orig.tcp_flags like "*R*"', lambda f: "R" in f.get("tcp_flags", ["", ""])[0]),
    ("retransmissions > 0", lambda f: more(sum_of(f, "retransmissions"), 0)),
    (
        "lost > 0 or out_of_order > 0",
        lambda f: more(sum_of(f, "lost_segments"), 0) or more(sum_of(f, "out_of_order"), 0),
    ),
    ("handshake < 50ms", lambda f: less(both(f, "client_rtt", "server_rtt"), 0.05)),
    ("server_rtt > 10ms", lambda f: more(f.get("server_rtt"), 0.01)),
    ("rtt > 1ms", lambda f: more(both(f, "client_ack_rtt", "server_ack_rtt"), 0.001)),
    ("mss < 1460", lambda f: any(0 < mss < 1460 for mss in f.get("mss", []))),
    ("vlan", lambda f: "vlan" in f),
    ("tunnel and tunnel_kind != vxlan", lambda f: f.get("tunnel_kind", "vxlan") != "vxlan"),
    ("end = stop", lambda f: f["end"] == "stop"),
    ("icmp_type = 8", lambda f: f.get("icmp_type") == 8),
    ("first < 2010-01-01", lambda f: f["first"] < 1262304000),
    (
        "(proto = udp or bytes > 10k) and not (port = 53 or packets < 3)",
        lambda f: (
            (f["proto"] == "udp" or sum(f["wire_bytes"]) > 10000)
            and not (53 in (f["sport"], f["dport"]) or sum(f["packets"]) < 3)
        ),
    ),
    ("app = tls", lambda f: f.get("app") == "tls"),
    ("app in (dns, http, quic)", lambda f: f.get("app") in ("dns", "http", "quic")),
    ("app", lambda f: "app" in f),
    ("name", lambda f: "name" in f),
    ('name like "*.com"', lambda f: text(f, "name").endswith(".com")),
    ('name not like "*.com"', lambda f: "name" in f and not text(f, "name").endswith(".com")),
    ("name_source = dns", lambda f: f.get("name_source") == "dns"),
    ("tls_version = 1.3", lambda f: f.get("tls_version") == "1.3"),
    ('ja4 like "t13*"', lambda f: text(f, "ja4").startswith("t13")),
    ("http_method = get", lambda f: f.get("http_method") == "GET"),
    ('ssh_server like "*openssh*"', lambda f: "openssh" in text(f, "ssh_server")),
    ("alpn = h2", lambda f: "h2" in f.get("alpn", "").split(",")),
    ("name_others_count > 0", lambda f: more(f.get("name_others_count"), 0)),
    ("server_hello", lambda f: f.get("server_hello", False)),
]


def lines(source, *words):
    """Returns the flows of a run as text lines, without what differs from run to run."""
    p = run(*source, *BASE, *words)
    assert p.returncode in (0, 1), (source, words, p.stderr[:500])
    return p.stdout.decode("utf-8").splitlines()


def sources():
    found = [("-r", os.path.join(TOP, "examples", "office.pcap"))]
    found.append(("-i", "synth:flows=300,count=20000,seed=3,vlan=5,retransmit=20"))
    for path in sorted(glob.glob(os.path.join(SHARED, "**", "*"), recursive=True)):
        if re.search(r"\.(pcap|pcapng|cap)$", path):
            found.append(("-r", path))
    return found


@case
def conditions_choose_what_python_finds():
    compared = chosen = 0
    used = set()
    for number, source in enumerate(sources()):
        every = lines(source)
        flows = [json.loads(line) for line in every]
        # small captures take turns; the first two take all conditions
        step = 1 if number < 2 else 15
        for condition, keeps in CONDITIONS[number % step :: step]:
            wanted = [line for line, flow in zip(every, flows) if keeps(flow)]
            got = lines(source, "--where", condition)
            assert got == wanted, (source, condition, len(got), len(wanted), got[:1], wanted[:1])
            compared += 1
            chosen += len(got)
            if 0 < len(got) < len(every):
                used.add(condition)
    print(f"{compared} runs, {chosen} flows chosen, {len(used)} conditions that part flows")
    assert len(used) >= 10, used


@case
def books_balance():
    source = ("-r", os.path.join(TOP, "examples", "office.pcap"))
    out = os.devnull
    whole, _ = report(*source, "--flows", out)
    r, _ = report(*source, "--flows", out, "--where", "proto = udp")
    records = r["flows"]["records"]
    assert records["filtered"] > 0 and records["written"] > 0, records
    assert records["written"] + records["filtered"] == whole["flows"]["records"]["written"]
    assert r["packets"] == whole["packets"]


@case
def packets_of_flows_that_match_are_printed():
    source = ("-r", os.path.join(TOP, "examples", "office.pcap"))
    every = [json.loads(line) for line in run(*source, "--print=json").stdout.splitlines()]
    got = run(*source, "--print=json", "--where", "port = 53").stdout.splitlines()
    wanted = [p for p in every if 53 in (p.get("from_port"), p.get("to_port"))]
    assert [json.loads(line)["number"] for line in got] == [p["number"] for p in wanted]
    assert 0 < len(got) < len(every)


@case
def workers_choose_the_same():
    source = ("-r", os.path.join(TOP, "examples", "office.pcap"))
    chosen = []
    for workers in ("0", "2"):
        found = lines(source, "--where", "bytes > 1k", "--workers", workers)
        chosen.append(sorted(json.loads(line)["community_id"] for line in found))
    assert chosen[0] and chosen[0] == chosen[1], chosen


@case
def page_has_every_field():
    with open(os.path.join(TOP, "src", "where", "fields.c"), encoding="utf-8") as f:
        source = f.read()
    table = source[source.index("fields[] = {") : source.index("#define FIELDS")]
    fields = set(re.findall(r'(?:[A-Z]+\(|\.name = |\{ )"(\w+)"', table))
    with open(PAGE, encoding="utf-8") as f:
        page = f.read()
    shown = set()
    for line in re.findall(r"^\.(?:It )?Cm (.+)$", page, re.M):
        shown |= {word for word in re.split(r"[ ,]+", line) if re.fullmatch(r"\w+", word)}
    assert len(fields) > 80, len(fields)
    assert not fields - shown, fields - shown


@case
def examples_of_the_page_run():
    with open(PAGE, encoding="utf-8") as f:
        page = f.read().replace("\\(dq", '"').replace("\\e", "\\")
    commands = re.findall(r"^(?:\.Dl )?(bpfengine -r FILE .*)$", page, re.M)
    assert len(commands) >= 12, commands
    office = os.path.join(TOP, "examples", "office.pcap")
    for command in commands:
        words = [office if word == "FILE" else word for word in shlex.split(command)[1:]]
        p = subprocess.run([PROGRAM, *words], capture_output=True, timeout=600)
        assert p.returncode == 0, (command, p.stderr)


case.finish()
