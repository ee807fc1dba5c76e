#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dns_names.py DNS_LINES: flows are named by the answers that their clients got, on any worker; on
savefiles made here, and live beside dnsmasq and dig, where these are installed."""

import os
import collections
import shutil
import struct
import subprocess
import sys
import tempfile

from faultcase import PROGRAM, Skipped, case, finish
from netns import count_sockets, make_space, start
from progress import WAIT, Running, wait_until

CLIENTS, NAMES = 20, 30


def name(text):
    return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".")) + b"\0"


def ip4(number):
    return struct.pack(">I", number)


def frame(src, dst, proto, payload):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, proto, 0) + src + dst
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + head + payload


def udp(src, sport, dst, dport, payload):
    return frame(src, dst, 17, struct.pack(">4H", sport, dport, 8 + len(payload), 0) + payload)


def tcp(src, sport, dst, dport, flags, seq=1, ack=1, payload=b""):
    head = struct.pack(">2H2I2B3H", sport, dport, seq, ack, 0x50, flags, 8192, 0, 0)
    return frame(src, dst, 6, head + payload)


def answer(ident, asked, address, alias=None):
    records = 1 + (alias is not None)
    out = struct.pack(">6H", ident, 0x8180, 1, records, 0, 0) + name(asked) + b"\0\1\0\1"
    owner = b"\xc0\x0c"
    if alias:
        out += owner + struct.pack(">2HIH", 5, 1, 60, len(name(alias))) + name(alias)
        owner = name(alias)
    return out + owner + struct.pack(">2HIH", 1, 1, 60, 4) + address


def query(ident, asked):
    return struct.pack(">6H", ident, 0x0100, 1, 0, 0, 0) + name(asked) + b"\0\1\0\1"


def savefile(packets):
    """packets: time in milliseconds, bytes."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for at, data in packets:
        stamp = 1700000000000 + at
        out.append(struct.pack("<4I", stamp // 1000, stamp % 1000 * 1000, len(data), len(data)))
        out.append(data)
    return b"".join(out)


def read_lines(packets, workers):
    """The lines of events and of flows, and the counters."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(savefile(packets))
        f.flush()
        out = subprocess.run(
            [PROGRAM, f.name, str(workers)], capture_output=True, text=True, timeout=WAIT
        )
    assert out.returncode == 0, out.stderr
    lines = [line.split("\t") for line in out.stdout.splitlines()]
    assert lines[-1][0] == "end", out.stdout
    return (
        [x for x in lines if x[0] == "event"],
        [x for x in lines if x[0] == "flow"],
        [int(x) for x in lines[-1][1:]],
    )


SERVER = ip4(0x0A000035)


def conversation():
    """Each client asks for each name, of which two have the same address, and then connects."""
    at = 0
    for c in range(CLIENTS):
        client = ip4(0x0A000100 + c)
        for n in range(NAMES):
            asked, address = f"host{c}-{n}.example", ip4(0xC0000200 + n // 2)
            ident, port = c * NAMES + n, 20000 + n
            yield at, udp(client, port, SERVER, 53, query(ident, asked))
            yield (
                at + 1,
                udp(SERVER, 53, client, port, answer(ident, asked, address, "cdn.example")),
            )
            yield at + 2, tcp(client, 30000 + n, address, 4433, 2)
            yield at + 3, tcp(address, 4433, client, 30000 + n, 0x12)
            at += 5


@case
def flows_are_named_by_who_asked():
    for workers in (0, 4):
        events, flows, counters = read_lines(conversation(), workers)
        assert counters == [2 * CLIENTS * NAMES, 0, 0], counters
        assert len(events) == CLIENTS * NAMES, len(events)
        assert all(e[2] == "3" and e[8] == "1000000" for e in events), events[0]
        named = [f for f in flows if f[3] == "4433"]
        assert len(named) == CLIENTS * NAMES
        got = collections.defaultdict(set)
        for f in named:
            c, n = f[1].split(".")[3], 2 * int(f[2].split(".")[3])
            both = {f"host{c}-{n}.example", f"host{c}-{n + 1}.example"}
            # Of a savefile, a worker can be at the end before another has read an answer.
            assert f[6] in both or (workers and not f[6]), (workers, f)
            assert not f[6] or (f[5] == "dns" and f[10] == "60000000000"), (workers, f)
            got[c, n].add(f[6])
            assert workers or (f[9] == "1000000" and {f[6], f[7]} == both), f
        # Each flow has the name before it, though the next name is 5 ms behind.
        assert workers or all(len(names) == 2 for names in got.values()), got


@case
def names_of_others_count_if_there_is_one():
    client, other = ip4(0x0A000001), ip4(0x0A000002)
    one, two = ip4(0xC0000201), ip4(0xC0000202)
    packets = [
        (0, udp(SERVER, 53, client, 20000, answer(1, "one.example", one))),
        (1, udp(SERVER, 53, client, 20001, answer(2, "two.example", two))),
        (2, udp(SERVER, 53, client, 20002, answer(3, "more.example", two))),
        (5, tcp(other, 30000, one, 4433, 2)),
        (6, tcp(other, 30001, two, 4433, 2)),
    ]
    _, flows, _ = read_lines(packets, 0)
    names = {f[2] + f[6] for f in flows if f[3] == "4433"}
    assert names == {"192.0.2.1one.example", "192.0.2.2"}, flows


@case
def dns_over_tcp_in_pieces():
    client, address = ip4(0x0A000001), ip4(0xC0000201)
    ask, reply = query(7, "tcp.example"), answer(7, "tcp.example", address)
    sent = struct.pack(">H", len(ask)) + ask
    got = (struct.pack(">H", len(reply)) + reply) * 2
    packets = [
        (0, tcp(client, 20000, SERVER, 53, 2, 99, 0)),
        (1, tcp(SERVER, 53, client, 20000, 0x12, 499, 100)),
        (2, tcp(client, 20000, SERVER, 53, 0x10, 100, 500)),
    ]
    for i, byte in enumerate(sent):
        packets.append((3 + i, tcp(client, 20000, SERVER, 53, 0x18, 100 + i, 500, bytes([byte]))))
    # In pieces of 7 bytes, each pair of which comes in the wrong order.
    pieces = [(500 + i, got[i : i + 7]) for i in range(0, len(got), 7)]
    for k in range(0, len(pieces), 2):
        for seq, data in reversed(pieces[k : k + 2]):
            packets.append((200 + k, tcp(SERVER, 53, client, 20000, 0x18, seq, 0, data)))
    packets.append((900, tcp(client, 30000, address, 4433, 2)))
    events, flows, counters = read_lines(packets, 0)
    assert counters[0] == 3, counters
    assert [e[2] for e in events] == ["3", "2"] and events[0][10] == "tcp.example", events
    assert [f[6] for f in flows if f[3] == "4433"] == ["tcp.example"], flows


@case
def a_flood_of_answers_is_bounded_and_counted():
    def flood():
        for i in range(150000):
            client = ip4(0x0A000000 + i)
            reply = answer(i & 65535, f"h{i}.example", ip4(0x14000000 + i))
            yield i // 100, udp(SERVER, 53, client, 20000, reply)
        yield 2000, tcp(ip4(0x0A000000 + i), 30000, ip4(0x14000000 + i), 4433, 2)

    _, flows, counters = read_lines(flood(), 0)
    assert counters[0] == 150000 and counters[1] > 100000, counters
    assert [f[6] for f in flows if f[3] == "4433"] == ["h149999.example"]


def dhcp(operation, kind, ciaddr, yiaddr, host):
    out = struct.pack(">4B2I", operation, 1, 6, 0, 7, 0) + ciaddr + yiaddr + bytes(8)
    out += b"\2\0\0\0\0\7" + bytes(202) + b"\x63\x82\x53\x63" + bytes([53, 1, kind])
    return out + (bytes([12, len(host)]) + host if host else b"") + b"\xff"


@case
def clients_are_named_by_dhcp_and_mdns():
    none, laptop, printer = ip4(0), ip4(0x0A000007), ip4(0x0A000008)
    announce = struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0) + name("printer.local")
    announce += struct.pack(">2HIH", 1, 0x8001, 120, 4) + printer
    packets = [
        (0, udp(none, 68, ip4(0xFFFFFFFF), 67, dhcp(1, 3, none, none, b"laptop"))),
        (1, udp(SERVER, 67, laptop, 68, dhcp(2, 5, none, laptop, b""))),
        (2, udp(printer, 5353, ip4(0xE00000FB), 5353, announce)),
        (5, tcp(laptop, 30000, printer, 631, 2)),
    ]
    events, flows, _ = read_lines(packets, 0)
    flow = [f for f in flows if f[3] == "631"][0]
    assert flow[8] == "laptop" and flow[6] == "printer.local" and flow[5] == "mdns", flow
    assert [(e[1], e[10]) for e in events] == [("mdns", "printer.local")], events
    assert {f[4] for f in flows} == {"dhcp", "mdns", ""}, flows


def read_back(file):
    file.seek(0)
    return file.read()


CONNECT = """
import socket, sys
listener = socket.create_server(("0.0.0.0", 7777), backlog=64)
for address in sys.argv[1:]:
    s = socket.create_connection((address, 7777), source_address=("127.0.0.1", 0)); s.close()
"""


@case
def live_flows_are_named_beside_dnsmasq():
    if not shutil.which("dnsmasq") or not shutil.which("dig"):
        raise Skipped("needs dnsmasq and dig")
    space = make_space("d")
    hosts = [f"--host-record=h{i}.test.example,127.0.1.{i}" for i in range(1, 41)]
    alias = [f"--cname=www{i}.test.example,h{i}.test.example" for i in range(1, 41)]
    port = "5399"
    server = start(
        space, "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
        "--pid-file", "--user=root", "--port", port, "--listen-address=127.0.0.1",
        "--bind-interfaces", "--log-facility=-", *hosts, *alias,
    )  # fmt: skip
    before = count_sockets(space)
    command = ["ip", "netns", "exec", space, PROGRAM, "lo", "4", "live"]
    output = tempfile.TemporaryFile()
    run = Running(command, stdin=subprocess.PIPE, stdout=output)
    try:
        run.wait_for("the capture does not begin", lambda: count_sockets(space) > before)
        run.wait_for("the engine does not start", lambda: "ready" in run.read_messages())
        ask = [f"www{i}.test.example" for i in range(1, 41)]

        def dig(*words):
            p = start(space, "dig", "@127.0.0.1", "-p", port, "+short", *words)
            return p.communicate(timeout=WAIT)[0].split()

        wait_until("dnsmasq does not answer", lambda: "127.0.1.1" in dig(ask[0]))
        got = dig(*ask)
        assert [a for a in got if a[0] == "1"] == [f"127.0.1.{i}" for i in range(1, 41)], got
        # Each worker has read the answers before the first connection.
        run.wait_for(
            "answers wait", lambda: all(b"\t%s\t" % a.encode() in read_back(output) for a in ask)
        )
        out = start(space, sys.executable, "-c", CONNECT, *[f"127.0.1.{i}" for i in range(1, 41)])
        assert not out.communicate(timeout=WAIT)[1]
        # The reader comes to the last question after all packets before it.
        dig("last.test.example")
        run.wait_for("packets wait", lambda: b"last.test.example" in read_back(output))
    finally:
        server.terminate()
        server.communicate(timeout=WAIT)
        run.process.communicate(b"", timeout=WAIT)
    out = read_back(output)
    lines = [line.split("\t") for line in out.decode().splitlines()]
    flows = {f[2]: f for f in lines if f[0] == "flow" and f[3] == "7777"}
    for i in range(1, 41):
        flow = flows[f"127.0.1.{i}"]
        assert flow[6] == f"www{i}.test.example" and flow[5] == "dns", flow
    asked = {e[10] for e in lines if e[0] == "event" and e[2] == "3"}
    assert asked >= set(ask), asked


finish()
