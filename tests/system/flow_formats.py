#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""flow_formats.py PROGRAM: the formats of flow records.

Each format is read by Python's parsers, and compared with what the format's own project says.  The
last line counts the cases.
"""

import csv
import io
import json

from flow_runs import SOURCE, written
from program import Cases

case = Cases()


# Zeek's conn.log: names and types of Conn::Info in scripts/base/protocols/conn/main.zeek (8.0), of
# policy/protocols/conn/vlan-logging.zeek and of community-id-logging.zeek, as the JSON writer
# prints them (interval and time: numbers of seconds; count, port, int: whole numbers).
ZEEK = {
    "ts": float,
    "uid": str,
    "id.orig_h": str,
    "id.orig_p": int,
    "id.resp_h": str,
    "id.resp_p": int,
    "proto": str,
    "service": str,
    "duration": float,
    "orig_bytes": int,
    "resp_bytes": int,
    "conn_state": str,
    "local_orig": bool,
    "local_resp": bool,
    "missed_bytes": int,
    "history": str,
    "orig_pkts": int,
    "orig_ip_bytes": int,
    "resp_pkts": int,
    "resp_ip_bytes": int,
    "tunnel_parents": list,
    "ip_proto": int,
    "vlan": int,
    "inner_vlan": int,
    "community_id": str,
    "icmp_errors": list,
    "duplicates": list,
}  # the last two are the program's own


ZEEK_STATES = {
    "S0",
    "S1",
    "SF",
    "REJ",
    "S2",
    "S3",
    "RSTO",
    "RSTR",
    "RSTOS0",
    "RSTRH",
    "SH",
    "SHR",
    "OTH",
}


ZEEK_PROTOS = {
    "unknown_transport",
    "tcp",
    "udp",
    "icmp",
}  # transport_proto in scripts/base/init-bare.zeek


# Suricata 7's etc/schema.json: what a flow event has.
EVE = {
    "bpfengine": dict,
    "timestamp": str,
    "flow_id": int,
    "in_iface": str,
    "event_type": str,
    "vlan": list,
    "src_ip": str,
    "src_port": int,
    "dest_ip": str,
    "dest_port": int,
    "ip_v": int,
    "proto": str,
    "icmp_type": int,
    "icmp_code": int,
    "flow": dict,
    "community_id": str,
    "tcp": dict,
    "app_proto": str,
}


EVE_FLOW = {
    "pkts_toserver": int,
    "pkts_toclient": int,
    "bytes_toserver": int,
    "bytes_toclient": int,
    "start": str,
    "end": str,
    "age": int,
    "state": str,
    "reason": str,
}


EVE_TCP = {
    "tcp_flags": str,
    "tcp_flags_ts": str,
    "tcp_flags_tc": str,
    "syn": bool,
    "fin": bool,
    "rst": bool,
    "psh": bool,
    "ack": bool,
    "urg": bool,
    "ecn": bool,
    "cwr": bool,
    "state": str,
}


def typed(line, schema):
    for name, value in line.items():
        assert name in schema and type(value) is schema[name], (name, value)


@case
def json_lines():
    report, text = written("-i", SOURCE, "--workers", "2", "--flow-lengths")
    lines = [json.loads(l) for l in text.splitlines()]
    assert len(lines) == report["flows"]["opened"] > 1000 and text.endswith("}\n")
    assert sum(sum(l["packets"]) for l in lines) == report["flows"]["packets"]
    assert (
        {l["schema"] for l in lines} == {"bpfengine.flow/1"}
        and {l["worker"] for l in lines} == {0, 1}
        and {l["end"] for l in lines} == {"stop"}
    )
    assert all(
        l["ip_bytes"][k] >= l["payload_bytes"][k] and l["wire_bytes"][k] >= l["ip_bytes"][k]
        for l in lines
        for k in (0, 1)
    )


@case
def zeek_lines():
    report, text = written("-i", SOURCE, "--flows-format", "zeek")
    lines = [json.loads(l) for l in text.splitlines()]
    assert (
        len(lines) == report["flows"]["opened"] and report["flows"]["records"]["format"] == "zeek"
    )
    for l in lines:
        typed(l, ZEEK)
        assert {
            "ts",
            "uid",
            "id.orig_h",
            "id.resp_h",
            "proto",
            "conn_state",
            "orig_pkts",
            "resp_pkts",
            "orig_ip_bytes",
            "resp_ip_bytes",
            "ip_proto",
        } <= set(l), l
        assert (
            l["conn_state"] in ZEEK_STATES
            and l["proto"] in ZEEK_PROTOS
            and l.get("service", "dns") == "dns"
            and not {"tunnel_parents", "local_orig", "local_resp"} & set(l)
        )
    assert len({l["uid"] for l in lines}) == len(lines) and all(
        l["uid"][0] == "C" and l["uid"].isalnum() for l in lines
    )
    assert sum(l["orig_pkts"] + l["resp_pkts"] for l in lines) == report["flows"]["packets"]
    assert any("vlan" in l for l in lines) and {l["proto"] for l in lines} == {"tcp", "udp", "icmp"}
    assert any("service" in l for l in lines)


@case
def eve_events():
    report, text = written("-i", SOURCE, "--flows-format", "eve")
    lines = [json.loads(l) for l in text.splitlines()]
    assert len(lines) == report["flows"]["opened"]
    for l in lines:
        typed(l, EVE), typed(l["flow"], EVE_FLOW), typed(l.get("tcp", {}), EVE_TCP)
        assert (
            l["event_type"] == "flow"
            and l["flow"]["reason"] == "shutdown"
            and l["flow"]["state"] in ("new", "established", "closed")
        )
        assert ("src_port" in l) == (l["proto"] in ("TCP", "UDP")) and ("icmp_type" in l) == (
            "ICMP" in l["proto"]
        )
        assert l["timestamp"].startswith("2023-11-14T22:13:2") and l["timestamp"].endswith("+0000")
    assert (
        sum(l["flow"]["pkts_toserver"] + l["flow"]["pkts_toclient"] for l in lines)
        == report["flows"]["packets"]
    )
    assert (
        len({l["flow_id"] for l in lines}) == len(lines)
        and max(l["flow_id"] for l in lines) < 2**53
    )


# ECS 8.11, by field set: what a flow has of it, and its type in JSON.
ECS = {
    "@timestamp": str,
    "ecs": {"version": str},
    "event": {
        "kind": str,
        "category": list,
        "type": list,
        "module": str,
        "dataset": str,
        "start": str,
        "end": str,
        "duration": int,
        "reason": str,
    },
    "source": {"ip": str, "port": int, "bytes": int, "packets": int},
    "destination": {"ip": str, "port": int, "bytes": int, "packets": int},
    "network": {
        "type": str,
        "transport": str,
        "protocol": str,
        "iana_number": str,
        "bytes": int,
        "packets": int,
        "community_id": str,
        "vlan": {"id": str},
        "inner": {"vlan": {"id": str}},
    },
    "observer": {"ingress": {"interface": {"id": str, "name": str}}},
    "process": {"pid": int, "name": str},
    "bpfengine": {
        "conn_state": str,
        "tcp_state": str,
        "history": str,
        "icmp_type": int,
        "icmp_code": int,
        "icmp_errors": list,
        "duplicates": list,
    },
}


def nested(line, schema):
    for name, value in line.items():
        assert name in schema, name
        if isinstance(schema[name], dict):
            nested(value, schema[name])
        else:
            assert type(value) is schema[name], (name, value)


@case
def ecs_events():
    report, text = written("-i", SOURCE, "--flows-format", "ecs")
    lines = [json.loads(l) for l in text.splitlines()]
    assert len(lines) == report["flows"]["opened"] and report["flows"]["records"]["format"] == "ecs"
    for l in lines:
        nested(l, ECS)
        e, n = l["event"], l["network"]
        assert (
            e["type"] == ["connection", "end"]
            and e["reason"] == "stop"
            and l["@timestamp"] == e["end"] >= e["start"]
            and e["end"].endswith("Z")
            and len(e["end"]) == 30
        )
        assert ("port" in l["source"]) == ("port" in l["destination"]) == (
            n["transport"] in ("tcp", "udp")
        ) and n["packets"] == l["source"]["packets"] + l["destination"]["packets"]
    assert sum(l["network"]["packets"] for l in lines) == report["flows"]["packets"] and any(
        "vlan" in l["network"] for l in lines
    )


@case
def comma_separated():
    report, text = written("-i", SOURCE, "--flows-format", "csv")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert text.count("\r\n") == text.count("\n") == len(rows) == report["flows"]["opened"] + 1
    assert (
        len({len(r) for r in rows}) == 1
        and len(set(rows[0])) == len(rows[0])
        and rows[0][0] == "first"
    )
    lines = [dict(zip(rows[0], r)) for r in rows[1:]]
    assert (
        sum(int(l["orig_packets"]) + int(l["resp_packets"]) for l in lines)
        == report["flows"]["packets"]
    )
    assert all(
        (l["tcp_state"] == "") == (l["proto"] != "tcp") and l["orig_ip_bytes"] == "" for l in lines
    )


@case
def formats_say_the_same():
    got = {}
    for f in ("json", "zeek", "eve", "csv", "ecs"):
        _, text = written("-i", SOURCE, "--seed", "3", "--flows-format", f)
        got[f] = (
            list(csv.DictReader(io.StringIO(text, newline="")))
            if f == "csv"
            else [json.loads(l) for l in text.splitlines()]
        )
    for j, z, e, c, s in zip(*got.values()):
        n, ends = s["network"], (s["source"], s["destination"])
        assert (
            [j["src"], j["dst"]] == [k["ip"] for k in ends]
            and j["packets"] == [k["packets"] for k in ends]
            and j["wire_bytes"] == [k["bytes"] for k in ends]
        )
        assert (
            str(j["ip_proto"]) == n["iana_number"]
            and j.get("community_id") == n.get("community_id")
            and j["conn_state"] == s["bpfengine"]["conn_state"]
        )
        assert (
            round(j["duration"] * 1e9) == s["event"]["duration"]
            and j["end"] == s["event"]["reason"]
        )
        assert (
            j["src"] == z["id.orig_h"] == e["src_ip"] == c["src"]
            and j["dst"] == z["id.resp_h"] == e["dest_ip"] == c["dst"]
        )
        assert (
            j["packets"]
            == [z["orig_pkts"], z["resp_pkts"]]
            == [e["flow"]["pkts_toserver"], e["flow"]["pkts_toclient"]]
            == [int(c["orig_packets"]), int(c["resp_packets"])]
        )
        assert (
            j["wire_bytes"]
            == [e["flow"]["bytes_toserver"], e["flow"]["bytes_toclient"]]
            == [int(c["orig_wire_bytes"]), int(c["resp_wire_bytes"])]
        )
        assert (
            j.get("community_id", "")
            == z.get("community_id", "")
            == e.get("community_id", "")
            == c["community_id"]
        )
        assert (
            j["conn_state"] == z["conn_state"] == c["conn_state"]
            and j.get("history", "") == z.get("history", "") == c["history"]
        )
        assert abs(j["first"] - z["ts"]) < 1e-6 and float(c["first"]) == j["first"]


A, B = (10, 0, 0, 1), (10, 0, 0, 2)


case.finish()
