#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_papers.py PROGRAM LIBRARY: the examples in Python, and those in python/README.md, run.

Their output is compared with what is known of the packets.  The README's table names every key of a
flow record.  mypy, where it is installed, finds nothing in the package.
"""

import os, re, struct, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from pythoncase import ENVIRONMENT, EXAMPLES, PACKAGE, TOP, Cases, report, write_savefile
from program import pcap, udp

import bpfengine

case = Cases()
folder = tempfile.TemporaryDirectory()
TRACE = os.path.join(folder.name, "trace.pcap")
write_savefile(TRACE, "synth:count=3000,flows=200,seed=3")
with open(os.path.join(PACKAGE, "README.md")) as f:
    README = f.read()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)


def run(*words, code=0):
    done = subprocess.run(
        [sys.executable, "-B", *words],
        env=ENVIRONMENT,
        cwd=folder.name,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == code, (words, done.stdout[-500:], done.stderr[-1500:])
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout if code == 0 else done.stderr


def struct_members(name):
    with open(os.path.join(TOP, "include", "bpfengine.h")) as f:
        body = re.search(rf"^struct {name} \{{(.*?)^\}};", f.read(), re.M | re.S)[1]
    return set(re.findall(r"(\w+)(?:\[[^\]]*\])*[;,]", body))


@case
def the_readme_s_examples_run():
    assert len(BLOCKS) >= 5
    for block in BLOCKS:
        assert len(block.splitlines()) <= 12, block
        assert run("-c", block).strip(), block
    told, _ = report("-r", TRACE, "tcp")
    lines = [line.split() for line in run("-c", BLOCKS[0]).splitlines()]
    batches = [line for line in lines if line[0].isdigit()]
    assert sum(int(line[0]) for line in batches) == told["packets"]["delivered"]
    assert sum(int(line[1]) for line in batches) == told["bytes"]["wire"]
    told = [run("-c", block) for block in BLOCKS if "bpfengine.parse(" in block]
    assert len(told) == 1
    assert told[0].splitlines() == [
        "udp ('127.0.0.1:5353', '127.0.0.1:5353') 0 42 b'ping'",
        "Key(addr=('127.0.0.1', '127.0.0.1'), port=(5353, 5353), ip_proto=17, ip_version=4, "
        "vlan=(), tunnel=0)",
    ], told


@case
def the_readme_names_the_keys_of_a_flow():
    flow = next(iter(bpfengine.flows(TRACE)))
    for name in ("src", "packets", "rtt_ns", "end"):
        assert name in flow
    table = README[README.index("| keys |") :].partition("\n\n")[0]
    named = {name for name in re.findall(r"`(\w+)`", table) if name.islower()}
    assert named - {"flow_lengths", "cutoff"} <= set(flow), named - set(flow)
    health = set(flow) - named
    assert all(name in struct_members("bpe_flow") for name in health), health


@case
def connections_shows_packets_and_flows():
    for source, words in ((TRACE, ["-r", TRACE]), ("synth:count=3000", ["-i", "synth:count=3000"])):
        told, _ = report(*words)
        lines = run(os.path.join(EXAMPLES, "connections.py"), source, "--packets", "7").splitlines()
        assert len(lines) == 1 + 7 + told["flows"]["opened"] + 1, lines[-1]
        opened, packets = told["flows"]["opened"], told["flows"]["packets"]
        assert lines[-1].startswith(f"{opened} flows, {packets} packets, "), lines[-1]
        pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z [\w-]+ +\d+ bytes"
        assert all(re.match(pattern, line) for line in lines[1:8]), lines[1:8]
    path = os.path.join(folder.name, "two.pcap")
    with open(path, "wb") as f:
        f.write(pcap([udp(0), udp(0)]))
    assert run(os.path.join(EXAMPLES, "connections.py"), path).splitlines()[1:] == [
        "2023-11-14T22:13:20.000005000Z udp         60 bytes  10.0.0.1:1000 > 10.0.0.2:53",
        "2023-11-14T22:13:21.000005000Z udp         60 bytes  10.0.0.1:1000 > 10.0.0.2:53",
        "udp    10.0.0.1:1000 > 10.0.0.2:53   2+0 packets  120 bytes",
        "1 flows, 2 packets, 120 bytes",
    ]
    told, _ = report("-r", TRACE, "udp")
    words = (TRACE, "--packets", "1", "--filter", "udp")
    lines = run(os.path.join(EXAMPLES, "connections.py"), *words).splitlines()
    assert " udp " in lines[1] and lines[-1].startswith(f"{told['flows']['opened']} flows")
    for words, text in ((["no-such-if0"], "no-such-if0"), ([TRACE, "--filter", "prt 80"], "prt")):
        message = run(os.path.join(EXAMPLES, "connections.py"), *words, code=1)
        assert message.startswith("connections: ") and text in message, message


def query(name, n):
    """A DNS query in an Ethernet frame."""
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0"
    message = struct.pack(">6H", n, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">HH", 1, 1)
    frame = bytearray(udp(n)[:42]) + message
    struct.pack_into(">H", frame, 16, 28 + len(message))
    struct.pack_into(">H", frame, 38, 8 + len(message))
    return bytes(frame)


@case
def dns_names_counts_queries():
    path = os.path.join(folder.name, "dns.pcap")
    names = ["example.com"] * 3 + ["www.example.org"] * 5 + ["a.b.c.example"]
    with open(path, "wb") as f:
        f.write(pcap([query(name, n) for n, name in enumerate(names)] + [udp(99)]))
    lines = run(os.path.join(EXAMPLES, "dns_names.py"), path).splitlines()
    assert [line.split() for line in lines] == [
        ["5", "www.example.org"],
        ["3", "example.com"],
        ["1", "a.b.c.example"],
    ], lines
    assert run(os.path.join(EXAMPLES, "dns_names.py"), TRACE + "none", code=1)


@case
def examples_are_short():
    for name in os.listdir(EXAMPLES):
        if name.endswith(".py"):
            with open(os.path.join(EXAMPLES, name)) as f:
                assert len(f.readlines()) < 60, name


@case
def mypy_finds_nothing():
    try:
        import mypy  # noqa: F401
    except ImportError:
        print("mypy_finds_nothing: skipped: no mypy")
        return
    cache = os.path.join(folder.name, "cache")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, "-p", "bpfengine"],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0 and "no issues" in done.stdout, done.stdout


folder.cleanup()
case.finish()
