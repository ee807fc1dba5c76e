#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""live_any.py PROGRAM: Linux's "any" beside tcpdump and beside each interface by itself.

Two namespaces joined by two veth pairs; traffic goes over both and over lo, by IPv4 and IPv6, TCP,
UDP and ICMP.  Every packet of every interface is seen once, with its direction and interface.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import time

from faultcase import PROGRAM, Skipped, case, finish
from netns import Capture, call, count_sockets, join, make_space, start
from progress import WAIT, wait_until

MOST = (
    "tcp or udp or icmp[icmptype] == icmp-echo or icmp[icmptype] == icmp-echoreply or "
    "(icmp6 and ip6[40] >= 128 and ip6[40] <= 129)"
)
BUILD = os.path.join(os.path.dirname(PROGRAM), "..")

# A server of TCP and UDP that answers each thing once, for every address of its namespace.
SERVER = r"""
import socket, threading
def tcp(s):
    while True:
        c, _ = s.accept()
        while c.recv(65536): pass
        c.sendall(b"ok" * 100); c.close()
def udp(s):
    while True:
        data, who = s.recvfrom(65536); s.sendto(data, who)
for family, any_address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    for kind, work in ((socket.SOCK_STREAM, tcp), (socket.SOCK_DGRAM, udp)):
        s = socket.socket(family, kind); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6: s.setsockopt(41, socket.IPV6_V6ONLY, 1)
        s.bind((any_address, 8080))
        if kind == socket.SOCK_STREAM: s.listen(50)
        threading.Thread(target=work, args=(s,), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""

# To each address: a TCP connection, three UDP exchanges, two echo requests.
CLIENT = r"""
import socket, struct, sys
def checksum(d):
    t = sum(struct.unpack(f">{len(d) // 2}H", d)); t = (t & 65535) + (t >> 16)
    return ~((t & 65535) + (t >> 16)) & 65535
for a in sys.argv[1:]:
    family = socket.AF_INET6 if ":" in a else socket.AF_INET
    s = socket.create_connection((a, 8080), timeout=50); s.sendall(b"x" * 1000); s.shutdown(1)
    while s.recv(1000): pass
    s.close()
    s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(50)
    for i in range(3): s.sendto(b"u" * 50, (a, 8080)); s.recvfrom(100)
    s = socket.socket(family, socket.SOCK_RAW, 58 if ":" in a else 1); s.settimeout(50)
    for i in range(2):
        m = struct.pack(">BBHHH", 128 if ":" in a else 8, 0, 0, 77, i) + b"p" * 40
        if ":" not in a: m = m[:2] + struct.pack(">H", checksum(m)) + m[4:]
        s.sendto(m, (a, 0))
        while True:
            d = s.recv(1000); d = d if ":" in a else d[20:]
            if d[0] == (129 if ":" in a else 0): break
"""
PAIRS = ["10.81.0.2", "fd00:81::2", "10.82.0.2", "fd00:82::2"]
ANSWERED_ONCE = 2 * (3 + 2)  # packets of the UDP exchanges and echoes of one address
LOOPS = ["127.0.0.1", "::1"]


def make():
    here, there = make_space("a"), make_space("b")
    join(here, there, "va0", "vb0", 81)
    join(here, there, "va1", "vb1", 82)
    for space in (here, there):
        server = start(space, sys.executable, "-c", SERVER)
        servers.append(server)
        assert server.stdout.readline() == "ready\n", server.stderr.read()
    return here, there


class Tcpdump:
    """tcpdump into a file; end returns how many packets it wrote.  Of few bytes each: its ring for
    "any" has a place of the snapshot length for every packet, and eight whole ones are too few."""

    def __init__(self, space, interface):
        if not shutil.which("tcpdump"):
            raise Skipped("tcpdump is not installed")
        self.file = tempfile.NamedTemporaryFile(suffix=".pcap")
        before = count_sockets(space)
        self.process = start(
            space,
            "tcpdump",
            "-Z",
            "root",
            "-n",
            "--immediate-mode",
            "-U",
            "-s",
            "200",
            "-i",
            interface,
            "-w",
            self.file.name,
            MOST,
        )
        wait_until("tcpdump does not begin", lambda: count_sockets(space) > before)

    def count(self):
        return int(call("tcpdump", "-n", "--count", "-r", self.file.name).split()[0])

    def end(self, read):
        wait_until(f"tcpdump has not {read} packets", lambda: self.count() >= read)
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=WAIT)
        return self.count()


def talk(space, *addresses):
    client = start(space, sys.executable, "-c", CLIENT, *addresses)
    _, error = client.communicate(timeout=WAIT)
    assert not error, error
    time.sleep(1)  # the last ACKs, and the kernel's blocks


def check_books(report):
    packets = report["packets"]
    assert packets["read"] == packets["delivered"] + sum(packets["dropped"].values()), packets
    assert report["kernel"]["dropped"] == 0 and packets["in_flight"] == 0, report["kernel"]


def read_flows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


servers = []


def close(*captures, want=()):
    """How many packets each has read: those that are wanted, or all that come."""
    wanted = want or [None] * len(captures)
    reports = [capture.end(read) for capture, read in zip(captures, wanted)]
    for report in reports:
        check_books(report)
    return [report["packets"]["read"] for report in reports]


@case
def l1_any_sees_what_goes_out_and_what_comes_in():
    """At both ends, beside tcpdump on any and beside each interface by itself."""
    global here, there
    here, there = make()
    with tempfile.TemporaryDirectory() as d:
        for space, names in ((here, ("va0", "va1", "lo")), (there, ("vb0", "vb1", "lo"))):
            path = os.path.join(d, "flows")
            whole = Capture(space, "any", "--flows", path, "-f", MOST)
            dumps = [Tcpdump(space, name) for name in ("any", *names)]
            parts = [Capture(space, name, "-f", MOST) for name in names]
            talk(here, *PAIRS)
            talk(space, *LOOPS)
            report = whole.end()
            check_books(report)
            counts = close(*parts)
            dumped = [dump.end(n) for dump, n in zip(dumps, [sum(counts), *counts])]
            assert counts == dumped[1:], (counts, dumped)
            assert report["packets"]["read"] == dumped[0] == sum(counts), (report, dumped, counts)
            assert min(counts) > 2 * ANSWERED_ONCE and report["linktype"] == "LINUX_SLL2", counts
            flows, by_name = read_flows(path), dict.fromkeys(names, 0)
            for flow in flows:
                by_name[flow["interface"]] += sum(flow["packets"])
                itself = flow["src"] == flow["dst"] and flow["proto"].startswith("icmp")
                assert min(flow["packets"]) > 0 or itself, flow  # which has but one direction
            assert list(by_name.values()) == counts, (by_name, counts)
            tcp = [flow["conn_state"] for flow in flows if flow["proto"] == "tcp"]
            assert tcp == ["SF"] * 6, tcp
            indexes = {f["interface"]: f["interface_index"] for f in flows}
            for name in names:
                assert f"{indexes[name]}: {name}" in call("ip", "-n", space, "link", "show", name)


@case
def l1_loopback_is_seen_once():
    if not servers:
        raise Skipped("no namespaces")
    captures = [
        Capture(here, name, *words, "-f", f"({MOST}) and not tcp")
        for name in ("any", "lo")
        for words in ((), ("-s", "64"), ("--workers", "2"))
    ]
    captures.append(Capture(here, "any", "-f", f"({MOST}) and not tcp", "--no-flows"))
    talk(here, *LOOPS)
    want = [2 * ANSWERED_ONCE] * len(captures)
    counts = close(*captures, want=want)
    assert counts == want, counts


@case
def l1_words_and_options_of_direction_share_the_packets():
    if not servers:
        raise Skipped("no namespaces")
    plain = f"({MOST}) and not tcp"
    runs = {}
    for name, loops in (("any", True), ("va0", False)):
        for key, words in (
            ("all", ("-f", plain)),
            ("in", ("-f", f"inbound and {plain}")),
            ("out", ("-f", f"outbound and {plain}")),
            ("-Q in", ("-Q", "in", "-f", plain)),
            ("-Q out", ("-Q", "out", "-f", plain)),
        ):
            if name != "any" and key in ("in", "out"):
                continue  # the words are for link types that tell
            runs[name, key] = Capture(here, name, *words)
    unfiltered = Capture(here, "any", "-Q", "out")
    talk(here, *PAIRS, *LOOPS)
    half = ANSWERED_ONCE // 2
    want = {
        ("any", "all"): 4 * ANSWERED_ONCE + 2 * ANSWERED_ONCE,
        ("any", "in"): 4 * half + 2 * ANSWERED_ONCE,
        ("any", "out"): 4 * half,
        ("any", "-Q in"): 4 * half + 2 * ANSWERED_ONCE,
        ("any", "-Q out"): 4 * half,
        ("va0", "all"): 2 * ANSWERED_ONCE,
        ("va0", "-Q in"): 2 * half,
        ("va0", "-Q out"): 2 * half,
    }
    got = dict(zip(runs, close(*runs.values(), want=[want[k] for k in runs])))
    assert got == want, {k: (got[k], want[k]) for k in want if got[k] != want[k]}
    assert close(unfiltered)[0] >= 4 * half


@case
def l1_each_protocol_by_its_own_filter():
    if not servers:
        raise Skipped("no namespaces")
    words = {
        "icmp": 2 * 4 + 4,
        "icmp6 and ip6[40] >= 128 and ip6[40] <= 129": 2 * 4 + 4,
        "ip and udp": 2 * 6 + 6,
        "ip6 and udp": 2 * 6 + 6,
        "host 10.82.0.2 and udp": 6,
        "dst host fd00:81::2 and udp": 3,
        "dst host fd00:81::1 and udp": 3,
        "udp and len > 5000": 0,
    }
    captures = [Capture(here, "any", "-f", word) for word in words]
    talk(here, *PAIRS, *LOOPS)
    counts = dict(zip(words, close(*captures, want=words.values())))
    assert counts == words, counts


@case
def l1_interfaces_come_and_go_under_any():
    if not servers:
        raise Skipped("no namespaces")
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "flows")
        capture = Capture(here, "any", "--flows", path, "-f", "udp port 8080")
        join(here, there, "va2", "vb2", 83)
        talk(here, "10.83.0.2", "10.81.0.2")
        call("ip", "-n", here, "link", "del", "va2")
        talk(here, "10.81.0.2", "127.0.0.1")
        report = capture.end(4 * 6)
        check_books(report)
        assert report["packets"]["read"] == 4 * 6 and capture.code == 0, (report, capture.err)
        assert len({flow["interface_index"] for flow in read_flows(path)}) == 3


@case
def l1_another_filter_keeps_loopback_once():
    """A filter that is put in the old one's place, while it runs, has the same in front."""
    if not servers:
        raise Skipped("no namespaces")
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "filter")
        with open(path, "w", encoding="utf-8") as file:
            file.write("icmp\n")
        os.chmod(d, 0o755)
        capture = Capture(here, "any", "-F", path, "--no-flows")
        with open(path, "w", encoding="utf-8") as file:
            file.write("udp\n")
        capture.wait_for("a handler", lambda: capture.catches(signal.SIGUSR2))
        capture.send_signal(signal.SIGUSR2)
        capture.wait_for_message("read again")
        talk(here, "127.0.0.1", "10.81.0.2")
        report = capture.end(12)
        check_books(report)
        assert report["packets"]["read"] == 12, report["packets"]


@case
def l1_capture_level_and_bpfbench_see_the_same():
    basic = os.path.join(BUILD, "examples", "basic_capture")
    bench = os.path.join(os.path.dirname(PROGRAM), "bpfbench")
    if not servers:
        raise Skipped("no namespaces")
    if not os.path.exists(basic) or not os.path.exists(bench) or not shutil.which("stdbuf"):
        raise Skipped("without examples, bpfbench or stdbuf")
    before = count_sockets(here)
    lines = start(here, "stdbuf", "-oL", basic, "any", "100000")
    result = tempfile.NamedTemporaryFile(suffix=".json")
    measured = start(
        here,
        bench,
        "-i",
        "any",
        "-t",
        "600",
        "--quiet",
        "-o",
        result.name,
        "-f",
        f"({MOST}) and not tcp",
    )
    wait_until("two captures", lambda: count_sockets(here) >= before + 2)
    time.sleep(1)
    talk(here, *PAIRS, *LOOPS)
    lines.send_signal(signal.SIGTERM)
    measured.send_signal(signal.SIGINT)
    out, _ = lines.communicate(timeout=WAIT)
    udp = [line for line in out.splitlines() if " udp " in line and ":8080" in line]
    assert len(udp) == 6 * 6, len(udp)
    _, error = measured.communicate(timeout=WAIT)
    assert measured.returncode in (0, 5), error  # 5: too few packets for a verdict
    rows = json.load(result)["rows"]
    seen = sum(row["packets"] for row in rows if row["what"] == "second")
    assert seen == 6 * ANSWERED_ONCE, (seen, rows)


for server in servers:
    server.kill()
    server.communicate()
finish()
