#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""reports.py PROGRAM: reports, flow lines and signals, on generated traffic and savefiles.

Needs no rights.  The last line counts the cases.
"""

import json
import os
import pty
import re
import signal
import struct
import subprocess
import tempfile

from program import Cases, PROGRAM, run, report, balanced, udp, pcap
from progress import ASK, Running

case = Cases()


@case
def report_of_generated_traffic():
    r, p = report(
        "-i",
        "synth:count=5000,size=64,seed=9,vlan=0,ipv6=0,retransmit=0,flows=50",
        "--seed",
        "7",
        "--workers",
        "0",
        "-n",
        "--largest",
        "3",
    )
    balanced(r)
    assert (
        p.returncode == 0
        and r["schema"] == "bpfengine.report/1"
        and r["packets"]["read"] == 5000
        and r["error"] is None
    )
    assert (
        r["workers"] == []
        and len(r["top_flows"]) == 3
        and r["linktype"] == "EN10MB"
        and r["network"]["ip6"] == 0
        and r["network"]["vlan"] == 0
    )
    assert set(r["packets"]["dropped"]) == {"ring_full", "stalled", "duplicate"} and set(
        r["kernel"]
    ) >= {"received", "dropped"}
    again, _ = report(
        "-i",
        "synth:count=5000,size=64,seed=9,vlan=0,ipv6=0,retransmit=0,flows=50",
        "--seed",
        "7",
        "--workers",
        "0",
        "--largest",
        "3",
    )
    for key in ("packets", "bytes", "protocols", "flows", "sizes", "top_flows"):
        assert r[key] == again[key], key


@case
def workers_and_their_options():
    r, p = report(
        "-i",
        "synth:count=50000",
        "--workers",
        "3",
        "--ring",
        "1024",
        "--pin",
        "--priority",
        "high",
        "--overload",
        "wait",
        "-q",
        "--block-size",
        "64K",
        "--block-count",
        "4",
    )
    balanced(r)
    assert (
        len(r["workers"]) == 3
        and sum(w["packets"] for w in r["workers"]) == 50000
        and r["workers"][0]["ring"]["slots"] == 1024
    )
    r, p = report(
        "-i",
        "synth:count=300000",
        "--workers",
        "1",
        "--ring",
        "64",
        "--overload",
        "drop",
        "--priority",
        "realtime",
        "-q",
    )
    balanced(r)
    r, _ = report("-i", "synth:count=1000", "--workers", "auto")
    assert r["workers"] == []


@case
def durations_counts_and_intervals():
    r, _ = report("-i", "synth:rate=2000", "-t", "0.5", "-q")
    balanced(r)
    assert 0.5 <= r["seconds"] and r["packets"]["read"] <= 2000 * r["seconds"] + 64, r["seconds"]
    r, _ = report("-i", "synth", "-a", "duration:0.2")
    assert balanced(r)["seconds"] >= 0.2
    r, _ = report("-i", "synth", "-c", "777", "-p", "-B", "4M", "-s", "0")
    assert balanced(r)["packets"]["read"] == 777
    with Running([PROGRAM, "-i", "synth:rate=1000", "--stats-interval", "0.5"]) as p:
        p.wait_for_message(r"packets/s", 2)
        assert p.end()[2] == 0


@case
def snapshot_length_cuts_captured_bytes_only():
    r, _ = report("-i", "synth:count=1000,size=1000,vlan=0", "-s", "100")
    whole, _ = report("-i", "synth:count=1000,size=1000,vlan=0")
    assert (
        r["bytes"]["wire"] == whole["bytes"]["wire"]
        and r["bytes"]["captured"] < whole["bytes"]["captured"] / 3
    )


@case
def readable_report():
    p = run("-i", "synth:count=20000", "-v", "--workers", "2")
    text = p.stdout.decode()
    assert p.returncode == 0 and p.stderr.startswith(b"bpfengine: generating synth ")
    assert p.stderr.count(b"\n") == 1, p.stderr
    for word in (
        "20,000 packets read",
        "tcp",
        "Flows:",
        "Largest flows",
        "Worker 0",
        "batches",
        "Sizes",
    ):
        assert word in text, word
    assert "Flows:" not in run("-i", "synth:count=100", "--no-flows", "-q").stdout.decode()


@case
def rights():
    """What any user may ask for; rights.py has root's part of it."""
    for words in (
        [],
        ["--no-confine"],
        ["-Z", "root"],
        ["--relinquish-privileges=root", "--no-confine"],
    ):
        r, p = report("-i", "synth:count=100", *words)
        g = r["rights"]
        assert (
            p.returncode == 0
            and r["packets"]["read"] == 100
            and set(g) == {"user", "dropped", "capabilities", "confined", "missing", "kept"}
        ), g
        assert not (g["confined"] and "--no-confine" in words) and not (
            g["dropped"] and os.geteuid()
        ), g
        assert os.geteuid() or "-Z" not in words or g["user"] == "root", g
    text = run("-i", "synth:count=100", "-v", "--no-confine").stdout
    assert b"After opening: user " in text and b"not confined" in text, text
    p = run("-i", "synth:count=100", "-Z", "no-such-user")
    assert p.returncode == 2 and b"no such user" in p.stderr, p
    reread = subprocess.run(
        ["bash", "-c", f"{PROGRAM} -r - -F <(echo udp) -q --json"],
        input=pcap([udp(1)]),
        capture_output=True,
        timeout=600,
    )
    r = json.loads(reread.stdout)
    assert (
        reread.returncode == 0
        and r["packets"]["read"] == 1
        and "SIGUSR2" not in (r["rights"]["kept"] or "")
    ), reread  # a pipe is not read again


@case
def tunnels_fragments_and_checksums():
    inner = udp(7)[14:]
    outer = (
        struct.pack(
            ">BBHHHBBH4s4s",
            0x45,
            0,
            20 + len(inner),
            1,
            0,
            64,
            4,
            0,
            bytes([192, 0, 2, 1]),
            bytes([192, 0, 2, 2]),
        )
        + inner
    )
    first = (
        struct.pack(
            ">BBHHHBBH4s4s",
            0x45,
            0,
            36,
            9,
            0x2000,
            64,
            17,
            0,
            bytes([192, 0, 2, 3]),
            bytes([192, 0, 2, 4]),
        )
        + struct.pack(">HHHH", 5000, 53, 24, 0)
        + bytes(8)
    )
    later = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 28, 9, 2, 64, 17, 0, bytes([192, 0, 2, 3]), bytes([192, 0, 2, 4])
    ) + bytes(8)
    lost = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 28, 10, 2, 64, 17, 0, bytes([192, 0, 2, 3]), bytes([192, 0, 2, 4])
    ) + bytes(8)
    damaged = struct.pack(
        ">BBHHHBBH4s4s",
        0x45,
        0,
        28,
        1,
        0,
        64,
        17,
        0xFFFF,
        bytes([192, 0, 2, 5]),
        bytes([192, 0, 2, 6]),
    ) + struct.pack(">HHHH", 1, 2, 8, 0)
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(pcap([bytes(12) + b"\x08\0" + ip for ip in (outer, first, later, lost, damaged)]))
        f.flush()
        r, _ = report("-r", f.name)
        assert r["network"]["tunnels"] == 1 and r["network"]["fragments"] == 3, r["network"]
        assert (
            r["network"]["fragments_followed"],
            r["network"]["fragments_lost"],
            r["network"]["fragments_evicted"],
        ) == (1, 1, 0)
        assert r["malformed"]["bad_checksum"] == 0
        assert sorted(flow["packets"] for flow in r["top_flows"]) == sorted(
            [[1, 0], [2, 0], [1, 0], [1, 0]]
        ), r["top_flows"]
        assert any(flow["src"] == "10.0.0.1" for flow in r["top_flows"])
        r, _ = report("-r", f.name, "--outermost", "--checksums")
        assert r["network"]["tunnels"] == 0 and r["malformed"]["bad_checksum"] == 1, r
        assert any(
            flow["src"] == "192.0.2.1" and flow["proto"] == "ipip" for flow in r["top_flows"]
        )


@case
def savefiles_from_files_and_pipes():
    packets = [udp(i) for i in range(10)]
    for magic, end in ((0xA1B2C3D4, "<"), (0xA1B2C3D4, ">"), (0xA1B23C4D, "<"), (0xA1B23C4D, ">")):
        image = pcap(packets, magic, end)
        with tempfile.NamedTemporaryFile() as f:
            f.write(image)
            f.flush()
            r, p = report("-r", f.name)
            assert (
                balanced(r)["packets"]["read"] == 10
                and r["flows"]["opened"] == 10
                and p.returncode == 0
            )
            with open(f.name, "rb") as h:
                r, p = report("-r", "-", stdin=h)
                assert balanced(r)["packets"]["read"] == 10
        r, p = report("-r", "-", input=image)
        assert balanced(r)["packets"]["read"] == 10 and p.returncode == 0


@case
def torn_and_damaged_files_deliver_what_is_whole():
    image = pcap([udp(i) for i in range(10)])
    for cut, n in ((len(image) - 1, 9), (24 + 76 * 3 + 5, 3), (24 + 76 * 4, 4)):
        for by_pipe in (False, True):
            with tempfile.NamedTemporaryFile() as f:
                f.write(image[:cut])
                f.flush()
                r, p = report("-r", "-", input=image[:cut]) if by_pipe else report("-r", f.name)
                whole = (cut - 24) % 76 == 0
                assert balanced(r)["packets"]["read"] == n and p.returncode == (
                    0 if whole else 1
                ), (cut, p)
                assert whole or (
                    "truncated dump file" in r["error"]
                    and b"truncated dump file" in p.stderr
                    and str(24 + 76 * n) in r["error"]
                )
    bad = image[: 24 + 76 * 2 + 8] + struct.pack("<I", 0x7FFFFFFF) + image[24 + 76 * 2 + 12 :]
    r, p = report("-r", "-", input=bad)
    assert balanced(r)["packets"]["read"] == 2 and p.returncode == 1 and "damaged" in r["error"]
    assert run("-r", "-", input=image[:20]).returncode == 4


@case
def flow_lines():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "flows.json")
        r, p = report(
            "-i",
            "synth:count=40000,flows=200",
            "--flows",
            path,
            "--workers",
            "2",
            "--flow-idle",
            "0.05",
            "--flow-closed",
            "0.01",
        )
        lines = [json.loads(x) for x in open(path)]
        balanced(r)
        assert len(lines) == r["flows"]["opened"] and r["flows"]["ended"] > 0
        assert sum(sum(x["packets"]) for x in lines) == r["flows"]["packets"]
        assert {x["end"] for x in lines} >= {"idle", "closed", "stop"} and all(
            x["schema"] == "bpfengine.flow/1" for x in lines
        )
        whole = [
            x
            for x in lines
            if x.get("tcp_state") == "closed"
            and not x["midstream"]
            and x["tcp_flags"][0].startswith("FS")
        ]
        assert whole and all(x["dport"] < x["sport"] for x in whole)
    p = run("-i", "synth:count=1000", "--flows", "-")
    assert (
        all(json.loads(x) for x in p.stdout.decode().splitlines()) and b"packets read" in p.stderr
    )
    r, _ = report("-i", "synth:count=30000,flows=500", "--max-flows", "100")
    assert balanced(r)["flows"]["evicted"] > 0 and r["flows"]["peak"] <= 100
    assert sum(r["flows"]["evicted_by"].values()) == r["flows"]["evicted"]
    r, _ = report("-i", "synth:count=100000,flows=50000", "--flow-memory", "1M")
    assert balanced(r)["flows"]["bytes"] <= 1 << 20 and r["flows"]["evicted"] > 0


@case
def flow_lines_of_health_and_periods():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "flows.json")
        r, _ = report("-i", "synth:count=40000,flows=20", "--flows", path, "--flow-active", "0.001")
        lines = [json.loads(x) for x in open(path)]
        periods = [x for x in lines if x["end"] == "active"]
        assert len(periods) == r["flows"]["periods"] > 0 and any(x.get("continued") for x in lines)
        assert sum(sum(x["packets"]) for x in lines) == r["flows"]["packets"]
        tcp = [x for x in lines if x["proto"] == "tcp"]
        assert tcp and all(x["history"] for x in tcp) and all(x["conn_state"] for x in lines)
        assert all(x["community_id"].startswith("1:") and len(x["community_id"]) == 30 for x in tcp)
        report("-i", "synth:count=40000,flows=20", "--flows", path, "--no-tcp-health")
        assert not any("history" in json.loads(x) for x in open(path))


@case
def names_with_odd_bytes_stay_json():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(os.fsencode(d), b'a"b\\\xff\n.pcap')
        open(path, "wb").write(pcap([udp(0)]))
        p = subprocess.run([os.fsencode(PROGRAM), b"-r", path, b"--json"], capture_output=True)
        assert '"' in json.loads(p.stdout.decode("utf-8"))["source"]


@case
def output_that_cannot_be_written():
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w") as full:
            p = subprocess.run(
                [PROGRAM, "-i", "synth:count=10", "--json"], stdout=full, stderr=subprocess.PIPE
            )
            assert p.returncode == 1 and b"not written" in p.stderr
        p = run("-i", "synth:count=20000", "--flows", "/dev/full")
        assert p.returncode == 1 and b"not all written" in p.stderr
    p = run("-i", "synth:count=10", "--flows", "/nonexistent/dir/x")
    assert p.returncode == 1 and b"cannot write" in p.stderr
    r, w = os.pipe()
    os.close(r)
    p = subprocess.run(
        [PROGRAM, "-i", "synth:count=10", "--quiet"], stdout=w, stderr=subprocess.PIPE
    )
    os.close(w)
    assert p.returncode == 1 and not p.stderr, p  # a closed pipe ends quietly


@case
def signals():
    for stop in (signal.SIGINT, signal.SIGTERM):
        words = [PROGRAM, "-i", "synth:rate=20000", "--json", "--workers", "2"]
        with Running([*words, "--stats-interval", "0.1"]) as p:
            p.wait_for_message(r": [1-9][\d,]* packets")
            out, err, code = p.end(stop)
            assert balanced(json.loads(out))["packets"]["read"] > 0 and code == 0
    with Running([PROGRAM, "-i", "synth:rate=20000"]) as p:
        p.wait_for("a handler", lambda: p.catches(ASK))
        p.send_signal(ASK)
        p.wait_for_message(r"^[\d,]+ packets? read")
        out, err, code = p.end()
        assert b"packets read" in out and code == 0


@case
def live_line_on_a_terminal_only():

    leader, terminal = pty.openpty()
    p = subprocess.Popen(
        [PROGRAM, "-i", "synth:rate=20000"], stdout=subprocess.PIPE, stderr=terminal
    )
    os.close(terminal)
    seen = b""
    while seen.count(b"\r") < 3 or b"packets" not in seen or b"flows" not in seen:
        seen += os.read(leader, 65536)
    p.send_signal(signal.SIGINT)
    out = p.communicate(timeout=600)[0]
    os.close(leader)
    assert b"packets read" in out and p.returncode == 0
    piped = run("-i", "synth:rate=20000", "--duration", "0.6").stderr
    assert b"\r" not in piped and piped.count(b"\n") == 1, piped  # the first line alone


@case
def interfaces_are_listed():
    text = run("-L").stdout.decode()
    assert (
        re.search(r"^lo0? ", text, re.M)
        and "127.0.0.1/8" in text
        and "synth" in text
        and run("-D").stdout.decode().split()[0] == "1." + text.split()[0]
    )
    p = run("-L", "--json")
    lo = [i for i in json.loads(p.stdout) if i["loopback"]]
    assert lo and lo[0]["state"] == "up" and "127.0.0.1/8" in lo[0]["addresses"]


case.finish()
