#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""events.py PROGRAM: the lines of --events, of each kind and in each format.

Conversations are made here, and read by Python's parser of JSON.  Names and types are those of the
format's own project.  With the shared captures and tshark, the fields of DNS are compared with
tshark's.  The last line counts the cases.
"""

import glob
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from program import PROGRAM, Cases, run

case = Cases()
CAPTURES = os.path.join(os.path.dirname(__file__), "..", "..", "..", "shared", "captures")
CLIENT, SERVER = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 7])
WAIT = 550


def packet(proto, sport, dport, payload, back=False, seq=1, flags=0x18):
    ends, ports = (CLIENT, SERVER), (sport, dport)
    if back:
        ends, ports = ends[::-1], ports[::-1]
    if proto == 6:
        head = struct.pack(">HHIIBBHHH", *ports, seq, 1, 0x50, flags, 65535, 0, 0)
    else:
        head = struct.pack(">HHHH", *ports, 8 + len(payload), 0)
    body = head + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, proto, 0, ends[0], ends[1])
    return bytes(12) + b"\x08\x00" + ip + body


def connection(sport, dport, request, answer):
    """A TCP connection with a request and an answer."""
    return [
        packet(6, sport, dport, b"", seq=0, flags=2),
        packet(6, sport, dport, b"", back=True, seq=0, flags=0x12),
        packet(6, sport, dport, request),
        packet(6, sport, dport, answer, back=True),
    ]


def record(at, data):
    return struct.pack("<IIII", 1700000000 + at, 250000, len(data), len(data)) + data


HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def savefile(packets):
    return HEAD + b"".join(record(k, p) for k, p in enumerate(packets))


def dns_name(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"


def dns(number, name, answers=None):
    flags = 0x0100 if answers is None else 0x8180
    rest = b""
    for address in answers or []:
        rest += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 300, 4) + bytes(address)
    head = struct.pack(">HHHHHH", number, flags, 1, len(answers or []), 0, 0)
    return head + dns_name(name) + struct.pack(">HH", 1, 1) + rest


def hello(name):
    """A ClientHello of TLS 1.2 and 1.3, with a server name and ALPN."""
    sni = struct.pack(">HBH", len(name) + 3, 0, len(name)) + name
    alpn = struct.pack(">H", 12) + b"\x02h2\x08http/1.1"
    extensions = b"".join(
        struct.pack(">HH", number, len(data)) + data
        for number, data in [
            (0, sni),
            (10, b"\0\x04\0\x1d\0\x17"),
            (13, b"\0\x04\x04\x03\x08\x04"),
            (16, alpn),
            (43, b"\x04\x03\x04\x03\x03"),
        ]
    )
    body = b"\x03\x03" + bytes(range(32)) + b"\0" + b"\0\x04\x13\x01\xc0\x2f" + b"\x01\0"
    body += struct.pack(">H", len(extensions)) + extensions
    shake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(shake)) + shake


def server_hello():
    body = b"\x03\x03" + bytes(range(32)) + b"\0" + b"\xc0\x2f" + b"\0"
    body += struct.pack(">H", 9) + struct.pack(">HH", 16, 5) + b"\0\x03\x02h2"
    shake = b"\x02" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x03" + struct.pack(">H", len(shake)) + shake


CONVERSATIONS = [
    packet(17, 40000, 53, dns(7, "www.example.com")),
    packet(17, 40000, 53, dns(7, "www.example.com", [(192, 0, 2, 80)]), back=True),
    *connection(40001, 443, hello(b"www.example.com"), server_hello()),
    *connection(
        40002,
        8080,
        b"GET /secret?a=b HTTP/1.1\r\nHost: web.example.com\r\nCookie: secret\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    ),
    *connection(40003, 22, b"SSH-2.0-OpenSSH_9.6 Test\r\n", b"SSH-2.0-OpenSSH_8.9p1\r\n"),
]


def events_of(form, packets=None, *words):
    """The lines of a run, and its report; the books balance."""
    with tempfile.TemporaryDirectory() as d:
        source, path = os.path.join(d, "in.pcap"), os.path.join(d, "events")
        with open(source, "wb") as f:
            f.write(savefile(CONVERSATIONS if packets is None else packets))
        p = run("-r", source, "--events", path, "--events-format", form, "--json", *words)
        assert p.returncode == 0, p.stderr
        r = json.loads(p.stdout)
        with open(path, encoding="utf-8") as f:
            text = f.read()
    assert "secret" not in text, "a path or a cookie was recorded"
    lines = [json.loads(line) for line in text.splitlines()]
    assert r["events"] == {"given": len(lines), "dropped": 0}, (r["events"], len(lines))
    return lines, r


@case
def every_kind_is_a_line():
    lines, _ = events_of("json")
    kinds = {x["event"]: x for x in lines}
    assert sorted(x["event"] for x in lines) == ["dns", "http", "ssh", "tls"], lines
    assert all(x["schema"] == "bpfengine.event/1" for x in lines)
    asked = kinds["dns"]["dns"]
    assert asked["seen"] == "both" and asked["query"] == "www.example.com", asked
    assert asked["answers"] == [{"type": "A", "ttl": 300, "data": "192.0.2.80"}], asked
    assert abs(asked["rtt"] - 1) < 1e-6, asked
    tls = kinds["tls"]
    assert tls["name"] == "www.example.com" and tls["name_source"] == "tls", tls
    assert tls["alpn"] == "h2" and tls["tls_version"] == "1.2" and tls["server_hello"], tls
    assert tls["tls_cipher"] == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", tls
    assert tls["ja4"].startswith("t13d0205h2_"), tls
    http = kinds["http"]
    assert http["name"] == "web.example.com" and http["http_method"] == "GET", http
    assert http["http_status"] == 404, http
    assert kinds["ssh"]["ssh_client"] == "SSH-2.0-OpenSSH_9.6 Test", kinds["ssh"]
    assert kinds["ssh"]["ssh_server"] == "SSH-2.0-OpenSSH_8.9p1", kinds["ssh"]


# scripts/base/protocols of Zeek 8.0: dns, ssl, http, ssh; ja4 and hassh by their packages
ENDS = {
    "_path": str,
    "ts": float,
    "uid": str,
    "id.orig_h": str,
    "id.orig_p": int,
    "id.resp_h": str,
    "id.resp_p": int,
    "proto": str,
}
ZEEK = {
    "dns": {
        "trans_id": int,
        "rtt": float,
        "query": str,
        "qclass": int,
        "qclass_name": str,
        "qtype": int,
        "qtype_name": str,
        "rcode": int,
        "rcode_name": str,
        "AA": bool,
        "TC": bool,
        "RD": bool,
        "RA": bool,
        "Z": int,
        "answers": list,
        "TTLs": list,
    },
    "ssl": {
        "version": str,
        "cipher": str,
        "server_name": str,
        "next_protocol": str,
        "subject": str,
        "issuer": str,
        "ja3": str,
        "ja4": str,
    },
    "http": {"trans_depth": int, "method": str, "host": str, "status_code": int},
    "ssh": {"version": int, "client": str, "server": str, "hassh": str, "hasshServer": str},
}


@case
def zeek_names_and_types():
    lines, _ = events_of("zeek")
    assert sorted(x["_path"] for x in lines) == ["dns", "http", "ssh", "ssl"], lines
    for x in lines:
        known = {**ENDS, **ZEEK[x["_path"]]}
        for name, value in x.items():
            assert name in known and type(value) is known[name], (name, value)
    asked = [x for x in lines if x["_path"] == "dns"][0]
    assert asked["ts"] == 1700000000.25 and asked["answers"] == ["192.0.2.80"], asked
    assert all(type(ttl) is float for ttl in asked["TTLs"]), asked


@case
def zeek_uids_are_those_of_the_connections():
    with tempfile.TemporaryDirectory() as d:
        source, flows = os.path.join(d, "in.pcap"), os.path.join(d, "flows")
        events = os.path.join(d, "events")
        with open(source, "wb") as f:
            f.write(savefile(CONVERSATIONS))
        form = ("--flows-format", "zeek", "--events-format", "zeek")
        p = run("-r", source, "--seed", "1", "--flows", flows, "--events", events, *form)
        assert p.returncode == 0, p.stderr
        with open(flows, encoding="utf-8") as f:
            conn = {x["uid"]: x for x in map(json.loads, f)}
        with open(events, encoding="utf-8") as f:
            for x in map(json.loads, f):
                assert x["_path"] in conn[x["uid"]]["service"], (x, conn[x["uid"]])


@case
def eve_objects():
    lines, _ = events_of("eve")
    kinds = {x["event_type"]: x for x in lines}
    for kind in ("dns", "tls", "http", "ssh"):
        x = kinds[kind]
        assert x["app_proto"] == kind and isinstance(x[kind], dict), x
        assert {"timestamp", "flow_id", "src_ip", "src_port", "dest_ip", "dest_port"} <= set(x)
    assert kinds["dns"]["dns"]["version"] == 3 and kinds["dns"]["dns"]["type"] == "response"
    assert kinds["dns"]["dns"]["queries"] == [{"rrname": "www.example.com", "rrtype": "A"}]
    assert kinds["tls"]["tls"]["sni"] == "www.example.com", kinds["tls"]
    assert kinds["tls"]["tls"]["version"] == "TLS 1.2", kinds["tls"]
    assert kinds["http"]["http"]["hostname"] == "web.example.com", kinds["http"]
    assert kinds["ssh"]["ssh"]["client"]["software_version"] == "OpenSSH_9.6", kinds["ssh"]


@case
def ecs_fields():
    lines, _ = events_of("ecs")
    kinds = {x["event"]["dataset"]: x for x in lines}
    asked = kinds["bpfengine.dns"]
    assert asked["dns"]["question"]["name"] == "www.example.com", asked
    assert asked["dns"]["resolved_ip"] == ["192.0.2.80"], asked
    assert asked["network"]["protocol"] == "dns", asked
    tls = kinds["bpfengine.tls"]
    assert tls["tls"]["client"]["server_name"] == "www.example.com", tls
    assert tls["destination"]["domain"] == "www.example.com", tls
    http = kinds["bpfengine.http"]
    assert http["http"]["response"]["status_code"] == 404, http
    assert http["url"]["domain"] == "web.example.com", http


@case
def forms_of_names():
    with tempfile.NamedTemporaryFile("w", suffix=".dat") as rules:
        rules.write("com\nco.uk\n")
        rules.flush()
        form = ("--names-form", "domain", "--suffix-list", rules.name)
        lines, _ = events_of("json", None, *form)
    text = json.dumps(lines)
    assert "www.example.com" not in text and "web.example.com" not in text, text
    assert [x["name"] for x in lines if x["event"] == "http"] == ["example.com"], lines
    lines, _ = events_of("json", None, "--names-form", "hashed")
    assert "example" not in json.dumps(lines), lines
    kinds = {x["event"]: x for x in lines}
    assert len(kinds["tls"]["name"]) == 16, kinds["tls"]
    assert kinds["dns"]["dns"]["query"] == kinds["tls"]["name"], "equal names stay equal"
    source = ("-i", "synth:count=5", "--flows", "-")
    p = run(*source, "--names-form", "domain", "--suffix-list", "/none")
    assert p.returncode != 0 and b"/none" in p.stderr, p.stderr


@case
def queries_without_an_answer():
    lines, _ = events_of("eve", [packet(17, 40000, 53, dns(9, "a.example.com"))])
    assert [x["dns"]["type"] for x in lines] == ["request"], lines


@case
def all_workers_give_all_events():
    asked = [packet(17, 1024 + k, 53, dns(k, f"h{k}.example.com")) for k in range(3000)]
    for workers in ("0", "1", "3"):
        lines, _ = events_of("json", asked, "--workers", workers)
        names = sorted(x["dns"]["query"] for x in lines)
        assert names == sorted(f"h{k}.example.com" for k in range(3000)), (workers, len(names))


def wait_for(what):
    end = time.monotonic() + WAIT
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


@case
def sighup_opens_the_file_anew():
    with tempfile.TemporaryDirectory() as d:
        path, old = os.path.join(d, "events"), os.path.join(d, "old")
        rights = ["-Z", "root"] if os.geteuid() == 0 else []
        p = subprocess.Popen(
            [PROGRAM, "-i", "synth:rate=1000", "--events", path, "--quiet", *rights],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        wait_for(lambda: os.path.exists(path))
        time.sleep(0.5)  # the signals are watched; a lost SIGHUP would end the program
        os.rename(path, old)
        p.send_signal(signal.SIGHUP)
        wait_for(lambda: os.path.exists(path) or p.poll() is not None)
        p.send_signal(signal.SIGINT)
        _, errors = p.communicate(timeout=WAIT)
        assert p.returncode == 0 and os.path.exists(path), errors


def tshark_dns(path):
    """Name and type of each answered query, as tshark has them."""
    words = "-Y dns.flags.response==1&&udp.port==53 -T fields -e dns.id -e dns.qry.name"
    p = subprocess.run(
        ["tshark", "-r", path, *words.split(), "-e", "dns.qry.type", "-e", "dns.flags.rcode"],
        capture_output=True,
        text=True,
        timeout=WAIT,
    )
    rows = [line.split("\t") for line in p.stdout.splitlines()]
    single = [x for x in rows if x[1] and x[2] and not any("," in y for y in x)]
    return {(int(x[0], 16), x[1], int(x[2]), int(x[3] or 0)) for x in single}


@case
def fields_are_those_of_tshark():
    if not shutil.which("tshark") or not os.path.isdir(CAPTURES):
        return
    files = sorted(glob.glob(f"{CAPTURES}/ndpi/*dns*.pcap*"))[:12]
    compared = 0
    for path in files:
        p = run("-r", path, "--events", "-", "--events-format", "zeek")
        ours = set()
        for x in map(json.loads, p.stdout.splitlines()):
            if x["_path"] == "dns" and "rcode" in x and x["id.resp_p"] == 53:
                ours.add((x["trans_id"], x.get("query", ""), x["qtype"], x["rcode"]))
        theirs = tshark_dns(path)
        wrong = {x for x in ours if x[1] and x not in theirs and "\\" not in x[1]}
        missing = theirs - ours
        assert len(wrong) <= len(theirs) // 100, (path, sorted(wrong)[:5], sorted(missing)[:5])
        compared += len(theirs & ours)
    assert not files or compared > 0, files


case.finish()
