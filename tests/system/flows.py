#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""flows.py PROGRAM: --flows as its readers meet it: each format through Python's parsers and against what the formats' own projects say, counts against
the report, sinks that are slow, full or gone, files that are moved away, snapshots.  Ends with "N passed, N failed"."""

import csv, io, json, os, signal, struct, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from progress import Running

PROGRAM = sys.argv[1]
SOURCE = "synth:count=30000,flows=300,seed=5,vlan=20,ipv6=30"
passed = failed = 0


def case(f):
    global passed, failed
    try:
        f()
        passed += 1
    except Exception as e:
        failed += 1
        print(
            f"FAILED {f.__name__}: {type(e).__name__}: {e} (line {e.__traceback__.tb_next.tb_lineno})"
        )


def balanced(report):
    records = report["flows"]["records"]
    assert (
        records["given"] + records["dropped"]
        == report["flows"]["opened"] + report["flows"]["periods"] + records["snapshots"]
    ), report["flows"]
    assert records["given"] == records["written"] + records["lost"], records
    assert sum(w["records"]["given"] for w in report["workers"]) in (records["given"], 0), report[
        "workers"
    ]
    return report


def run(*words, path, **options):
    """The report and what was written."""
    p = subprocess.run(
        [PROGRAM, "--json", "--flows", path, *words], capture_output=True, timeout=600, **options
    )
    report = balanced(json.loads(p.stdout))
    return report, p


def written(*words, name="flows", **options):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, name)
        report, p = run(*words, path=path, **options)
        assert p.returncode == 0 and report["flows"]["records"]["lost"] == 0, p.stderr
        with open(path, newline="") as f:
            return report, f.read()


# Zeek's conn.log: names and types of Conn::Info in scripts/base/protocols/conn/main.zeek (8.0), of policy/protocols/conn/vlan-logging.zeek and
# community-id-logging.zeek; as its JSON writer gives them (interval and time: numbers of seconds; count, port, int: whole numbers).
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
            and not {"service", "tunnel_parents", "local_orig", "local_resp"} & set(l)
        )
    assert len({l["uid"] for l in lines}) == len(lines) and all(
        l["uid"][0] == "C" and l["uid"].isalnum() for l in lines
    )
    assert sum(l["orig_pkts"] + l["resp_pkts"] for l in lines) == report["flows"]["packets"]
    assert any("vlan" in l for l in lines) and {l["proto"] for l in lines} == {"tcp", "udp", "icmp"}


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


# ---- Made packets ----


def ip4(proto, src, dst, payload, tos=0):
    return (
        struct.pack(
            ">BBHHHBBH4s4s",
            0x45,
            tos,
            20 + len(payload),
            0,
            0,
            64,
            proto,
            0,
            bytes(src),
            bytes(dst),
        )
        + payload
    )


def tcp(sport, dport, seq, ack, flags, data=b""):
    return struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 1000, 0, 0) + data


def udp(sport, dport, data=b""):
    return struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data


def ether(packet, least=60, vlan=None):
    head = bytes(12) + (struct.pack(">HH", 0x8100, vlan) if vlan else b"") + b"\x08\x00"
    return (head + packet).ljust(least, b"\0")


def pcap(path, frames, snaplen=65535):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, 1))
        for i, frame in enumerate(frames):
            f.write(
                struct.pack("<IIII", 1000 + i, 0, min(len(frame), snaplen), len(frame))
                + frame[:snaplen]
            )


A, B = (10, 0, 0, 1), (10, 0, 0, 2)


def flows_of(frames, *words, snaplen=65535, format="json"):
    with tempfile.TemporaryDirectory() as d:
        pcap(os.path.join(d, "x.pcap"), frames, snaplen)
        _, text = written("-r", os.path.join(d, "x.pcap"), "--flows-format", format, *words)
        return [json.loads(l) for l in text.splitlines()]


@case
def bytes_as_ip_says():
    """Padding does not count, what was not captured does."""
    conversation = [
        (A, B, tcp(2000, 80, 100, 0, 2)),
        (B, A, tcp(80, 2000, 500, 101, 18)),
        (A, B, tcp(2000, 80, 101, 501, 16)),
        (A, B, tcp(2000, 80, 101, 501, 24, b"x" * 5)),
        (B, A, tcp(80, 2000, 501, 106, 24, b"y" * 900)),
        (A, B, tcp(2000, 80, 106, 1401, 17)),
        (B, A, tcp(80, 2000, 1401, 107, 17)),
    ]
    frames = [ether(ip4(6, s, d, p)) for s, d, p in conversation] + [
        ether(ip4(17, A, B, udp(53000, 53, b"q" * 7)), vlan=7)
    ]
    for snaplen in (65535, 60):
        z, u = flows_of(frames, snaplen=snaplen, format="zeek")
        assert (z["orig_bytes"], z["resp_bytes"], z["orig_ip_bytes"], z["resp_ip_bytes"]) == (
            5,
            900,
            165,
            1020,
        ), z
        assert (
            z["conn_state"] == "SF"
            and z["history"] == "ShADdFf"
            and z["missed_bytes"] == 0
            and z["duration"] == 6
        ), z
        assert (
            u["orig_bytes"],
            u["resp_bytes"],
            u["orig_ip_bytes"],
            u["vlan"],
            u["conn_state"],
        ) == (7, 0, 35, 7, "S0"), u
    # Sent again: the sum is no span of sequence numbers any more, and is not told; nor what is missing.
    (z,) = flows_of(frames[:5] + [frames[4]] + frames[5:7], format="zeek")
    assert (
        "resp_bytes" not in z
        and z["orig_bytes"] == 5
        and z["missed_bytes"] == 0
        and z["resp_ip_bytes"] == 1960
    ), z
    (z,) = flows_of(frames[:4] + frames[5:7], format="zeek")
    assert "resp_bytes" not in z and "missed_bytes" not in z and z["orig_bytes"] == 5, z
    (z,) = flows_of(frames[:7], "--no-tcp-health", format="zeek")
    assert "resp_bytes" not in z and "missed_bytes" not in z and z["resp_ip_bytes"] == 1020, z
    j = flows_of(frames, "--flow-lengths")
    assert (
        j[0]["ip_bytes"] == [165, 1020]
        and j[0]["payload_bytes"] == [5, 900]
        and j[1]["payload_bytes"] == [7, 0]
    ), j
    assert "ip_bytes" not in flows_of(frames)[0]


@case
def direction_by_port():
    frames = [
        ether(ip4(6, B, A, tcp(443, 50000, 1, 1, 16))),
        ether(ip4(17, B, A, udp(5353, 4000))),
        ether(ip4(17, A, B, udp(900, 100))),
        ether(ip4(6, B, A, tcp(80, 50001, 1, 2, 18))),
        ether(ip4(6, B, A, tcp(80, 50002, 1, 2, 2))),
    ]
    plain, ruled = flows_of(frames), flows_of(frames, "--direction-by-port")
    assert [(f["sport"], f["dport"], f.get("direction")) for f in plain] == [
        (443, 50000, None),
        (5353, 4000, None),
        (900, 100, None),
        (50001, 80, None),
        (80, 50002, None),
    ], plain
    assert [(f["sport"], f["dport"], f.get("direction")) for f in ruled] == [
        (50000, 443, "port"),
        (5353, 4000, "port"),
        (900, 100, "port"),
        (50001, 80, None),
        (80, 50002, None),
    ], ruled
    assert (
        [f.get("history") for f in ruled] == ["^a", None, None, "^h", "S"]
        and ruled[0]["packets"] == [0, 1]
        and ruled[0]["src"] == "10.0.0.1"
    ), ruled


@case
def icmp_and_others():
    frames = [
        ether(ip4(1, A, B, bytes((8, 0, 0, 0, 0, 9, 0, 1)) + b"ping")),
        ether(ip4(1, B, A, bytes((0, 0, 0, 0, 0, 9, 0, 1)) + b"ping")),
        ether(ip4(1, A, B, bytes((5, 2)) + bytes(6))),
        ether(ip4(132, A, B, struct.pack(">HHII", 7, 80, 0, 0))),
        ether(ip4(89, A, B, bytes(24))),
        ether(ip4(4, A, B, ip4(17, (1, 1, 1, 1), (2, 2, 2, 2), udp(5, 6)))),
    ]
    echo, redirect, sctp, ospf, inner = flows_of(frames)
    assert (
        echo["icmp_type"],
        echo["icmp_code"],
        echo["sport"],
        echo["dport"],
        echo["packets"],
    ) == (8, 0, 9, 9, [1, 1]) and echo["community_id"], echo
    assert (redirect["icmp_type"], redirect["icmp_code"]) == (
        5,
        2,
    ) and "community_id" not in redirect, redirect
    assert (sctp["proto"], sctp["sport"], sctp["dport"], ospf["proto"]) == (
        "sctp",
        7,
        80,
        "ospf",
    ) and "icmp_type" not in sctp
    assert inner["tunnel"] and inner["src"] == "1.1.1.1" and "tunnel" not in echo
    echo, redirect, sctp, ospf, inner = flows_of(frames, format="zeek")
    assert (echo["id.orig_p"], echo["id.resp_p"], echo["orig_bytes"], echo["proto"]) == (
        8,
        0,
        4,
        "icmp",
    ) and (redirect["id.orig_p"], redirect["id.resp_p"]) == (5, 2)
    assert sctp["proto"] == ospf["proto"] == "unknown_transport" and (
        sctp["ip_proto"],
        ospf["ip_proto"],
    ) == (132, 89)


@case
def interfaces_of_a_file():
    def block(kind, body):
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    def packet(i, frame):
        return block(
            6,
            struct.pack("<IIIII", i, 0, 0, len(frame), len(frame)) + frame + bytes(-len(frame) % 4),
        )

    def interface(name):
        return block(
            1,
            struct.pack("<HHI", 1, 0, 0)
            + (struct.pack("<HH", 2, len(name)) + name + bytes(-len(name) % 4) if name else b"")
            + struct.pack("<HH", 0, 0),
        )

    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    frames = [ether(ip4(17, A, B, udp(1000 + i, 53))) for i in range(3)]
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "x.pcapng")
        with open(path, "wb") as f:
            f.write(
                section
                + interface(b"en0")
                + interface(None)
                + packet(0, frames[0])
                + packet(1, frames[1])
                + section
                + interface(b'a"\xff' + b"n" * 30)
                + packet(0, frames[2])
            )
        _, text = written("-r", path)
        lines = [json.loads(l) for l in text.splitlines()]
        assert [(l["interface_id"], l.get("interface")) for l in lines] == [
            (0, "en0"),
            (1, None),
            (2, 'a"\ufffd' + "n" * 30),
        ], lines
        _, text = written("-r", path, "--flows-format", "csv")
        assert [r["interface"] for r in csv.DictReader(io.StringIO(text, newline=""))][:2] == [
            "en0",
            "",
        ] and text.splitlines()[-1].count('"a""\ufffdnn') == 1


# ---- Sinks ----


@case
def a_file_is_replaced_or_appended_to():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "flows")
        for words, times in (
            ((), 1),
            ((), 1),
            (("--flows-append",), 2),
            (("--flows-append",), 3),
            ((), 1),
        ):
            report, p = run("-i", "synth:count=100,flows=1,seed=2", *words, path=path)
            assert p.returncode == 0 and report["flows"]["records"]["lost"] == 0, p.stderr
            assert (
                len([json.loads(l) for l in open(path)]) == times * report["flows"]["opened"] > 0
            ), words


@case
def a_slow_reader_gets_every_line_of_a_file():
    r, w = os.pipe()
    p = subprocess.Popen(
        [PROGRAM, "-i", "synth:count=40000,flows=100,seed=2", "--flows", "-", "--workers", "1"],
        stdout=w,
        stderr=subprocess.PIPE,
    )
    os.close(w)
    text = b""
    while piece := os.read(r, 1 + len(text) % 5003):
        text += piece
        if len(text) < 40000:
            time.sleep(0.001)
    os.close(r)
    err = p.communicate(timeout=120)[1].decode()
    lines = [json.loads(l) for l in text.splitlines()]
    assert (
        p.returncode == 0
        and f"Records: {len(lines)} written" in err
        and "dropped for want" not in err
    ), err


@case
def a_stuck_sink_costs_records_and_no_packets():
    """Into a pipe that nobody reads, as fast as it goes; then it is told to end."""
    for workers in ("0", "2"):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "pipe")
            os.mkfifo(path)
            holder = os.open(path, os.O_RDWR)
            p = Running(
                [
                    PROGRAM,
                    "--json",
                    "-i",
                    "synth:flows=3000,seed=4,count=600000",
                    "--flows",
                    path,
                    "--flows-overload",
                    "drop",
                    "--flow-idle",
                    "0.01",
                    "--flow-closed",
                    "0.005",
                    "--workers",
                    workers,
                ]
            )
            p.wait_for_report("dropped records", lambda told: "dropped for want" in told)
            out, err, code = p.end()
            os.close(holder)
        report = balanced(json.loads(out))
        records = report["flows"]["records"]
        assert (
            records["dropped"] > 0
            and records["lost"] > 0
            and code == 1
            and "nobody takes them" in err
        ), (records, err)
        assert report["packets"]["read"] == report["packets"]["delivered"] > 0, report["packets"]
        if workers == "2":
            assert sum(w["records"]["dropped"] for w in report["workers"]) == records["dropped"]


@case
def a_full_disk_is_told_once_and_counted():
    report, p = run("-i", "synth:count=200000,flows=2000", "--flow-idle", "0.001", path="/dev/full")
    records = report["flows"]["records"]
    assert (
        records["lost"] == records["given"] == report["flows"]["opened"]
        and records["written"] == 0
        and p.returncode == 1
    ), records
    assert (
        p.stderr.count(b"No space left") == 1
        and b"the capture goes on" in p.stderr
        and report["packets"]["delivered"] == 200000
    ), p.stderr
    report, p = run(
        "-i",
        "synth:rate=100000",
        "-t",
        "3600",
        "--flow-idle",
        "0.01",
        "--flows-error",
        "stop",
        path="/dev/full",
    )
    assert report["seconds"] < 3600 and p.returncode == 1 and b"; ending" in p.stderr, p.stderr


@case
def a_closed_pipe_is_told_and_survived():
    words = ["-i", "synth:rate=100000,flows=100", "--flows", "-", "--flow-idle", "0.01"]
    with Running([PROGRAM, *words]) as p:
        line = p.process.stdout.readline()
        p.process.stdout.close()
        p.process.stdout = None
        p.wait_for_message("Broken pipe")
        _, err, code = p.end()
    assert json.loads(line)["schema"] == "bpfengine.flow/1" and code == 1, code
    assert (
        err.count("Broken pipe") == 1
        and "the capture goes on" in err
        and "could not be written" in err
        and "flows were not all written" in err
    ), err


@case
def a_file_that_is_moved_away_is_made_anew():
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)  # whoever it becomes
        path = os.path.join(d, "flows.csv")
        p = Running(
            [
                PROGRAM,
                "-i",
                "synth:rate=50000,flows=100",
                "--flows",
                path,
                "--flows-format",
                "csv",
                "--flow-idle",
                "0.01",
                "--json",
                "-q",
            ]
        )
        for k in range(3):
            p.wait_for_lines(path, 2)
            os.rename(path, f"{path}.{k}")
            p.send_signal(signal.SIGHUP)
        p.wait_for_lines(path, 2)
        p.send_signal(signal.SIGHUP)  # not moved: goes on in the same
        p.wait_for_lines(path, 200)
        out, err, code = p.end()
        assert code == 0, err
        rows = [
            list(csv.reader(open(f, newline=""), strict=True))
            for f in [f"{path}.{k}" for k in range(3)] + [path]
        ]
        assert all(
            len(r) > 1 and r[0][0] == "first" and len({len(x) for x in r}) == 1 for r in rows
        )
        report = json.loads(out)
        assert (
            sum(len(r) - 1 for r in rows)
            == report["flows"]["records"]["written"]
            == report["flows"]["opened"]
        )


@case
def snapshots_on_demand():
    for words, workers in (((), 0), (("--workers", "2"), 2)):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "flows")
            source = "synth:rate=20000,flows=400,seed=1"
            p = Running([PROGRAM, "-i", source, "--flows", path, "--json", *words])
            p.wait_for_packets(10000)
            answer, answers = "(are written to|are not all written yet)", 0
            while p.read_messages().count("are written to") < 2:
                p.send_signal(signal.SIGUSR2)
                answers += 1
                p.wait_for_message(answer, answers)
            out, err, code = p.end()
            report = json.loads(out)
            lines = [json.loads(l) for l in open(path)]
            shown = [l for l in lines if l["end"] == "snapshot"]
            assert (
                code == 0
                and len(shown) == report["flows"]["records"]["snapshots"] > 800
                and len(report["workers"]) == workers
            ), (len(shown), err)
            assert (
                len(lines)
                == len(shown) + report["flows"]["opened"]
                == report["flows"]["records"]["given"]
                and err.count("are written to") == 2
            ), err
            # Each flow at most once in each: what grew is the second's.
            seen = {}
            for l in shown:
                seen.setdefault(
                    (l["src"], l["sport"], l["dst"], l["dport"], l["proto"], l["first"]), []
                ).append(sum(l["packets"]))
            assert max(map(len, seen.values())) == 2 and all(x == sorted(x) for x in seen.values())
            ends = {
                (l["src"], l["sport"], l["dst"], l["dport"], l["proto"], l["first"]): sum(
                    l["packets"]
                )
                for l in lines
                if l["end"] != "snapshot"
            }
            assert all(ends[k] >= v[-1] for k, v in seen.items())
    with tempfile.TemporaryDirectory() as d:
        for format, mark in (
            ("zeek", lambda l: l.get("_path") == "conn_snapshot"),
            (
                "eve",
                lambda l: (
                    l.get("bpfengine", {}).get("end") == "snapshot" and "reason" not in l["flow"]
                ),
            ),
            (
                "ecs",
                lambda l: (
                    l["event"]["reason"] == "snapshot"
                    and l["event"]["type"] == ["connection", "info"]
                ),
            ),
        ):
            path = os.path.join(d, format)
            source = "synth:rate=20000,flows=10"
            p = Running([PROGRAM, "-i", source, "--flows", path, "--flows-format", format])
            p.wait_for_packets(100)
            p.send_signal(signal.SIGUSR2)
            p.wait_for_lines(path)
            assert p.end()[2] == 0 and sum(mark(json.loads(l)) for l in open(path)) > 0


@case
def periods_are_marked():
    for format, mark in (
        ("json", lambda l: l["end"] == "active"),
        ("zeek", lambda l: l.get("_path") == "conn_active"),
        ("eve", lambda l: l.get("bpfengine", {}).get("end") == "active"),
        (
            "ecs",
            lambda l: (
                l["event"]["reason"] == "active" and l["event"]["type"] == ["connection", "info"]
            ),
        ),
    ):
        report, text = written(
            "-i", "synth:count=40000,flows=20", "--flow-active", "0.001", "--flows-format", format
        )
        assert sum(mark(json.loads(l)) for l in text.splitlines()) == report["flows"]["periods"] > 0


@case
def wrong_words():
    for words, told in (
        (("--flows", "x", "--flows-format", "xml"), b"json, zeek, eve, ecs or csv"),
        (("--flows-format", "csv"), b"--flows FILE"),
        (("--flows-error", "stop"), b"--flows FILE"),
        (("--flows", "x", "--flows-error", "retry"), b"continue or stop"),
        (("--flows", "x", "--flows-overload", "no"), b"auto, drop or wait"),
    ):
        p = subprocess.run([PROGRAM, "-i", "synth:count=1", *words], capture_output=True)
        assert p.returncode == 2 and told in p.stderr, (words, p.stderr)
    p = subprocess.run(
        [PROGRAM, "-i", "synth:count=1", "--flows", "/nonexistent/x"], capture_output=True
    )
    assert p.returncode == 1 and b"cannot write flows to /nonexistent/x" in p.stderr


print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
