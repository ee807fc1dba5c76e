#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tunnels.py PROGRAM: each way of carrying a packet is gone into, and the tunnel belongs to the flow."""

import csv
import io
import struct

from faultcase import case, finish, read_flows, read_report, run
from packets import (
    MAC_HEADER,
    ethernet,
    ipv4,
    ipv6,
    pcap,
    spaced,
    tcp_frame,
    tcp_segment,
    udp4,
    udp_segment,
    vlan,
)

INNER = udp4(1234, 53, b"hello hello", "10.0.0.1", "10.0.0.2")
FRAME = ethernet(INNER)
ENDS = ("192.0.2.1", "198.51.100.2")
ENDS6 = ("2001:db8::a", "2001:db8::b")


def back(ends):
    return ends[::-1]


def udp(port, payload, ends=ENDS):
    return ethernet(ipv4(*ends, 17, udp_segment(*ends, 50000, port, payload, no_checksum=True)))


def in_ip(protocol, payload, ends=ENDS):
    return ethernet((ipv6 if ":" in ends[0] else ipv4)(*ends, protocol, payload))


def vxlan(vni, frame=FRAME, flags=8, ends=ENDS, port=4789):
    return udp(port, struct.pack(">II", flags << 24, vni << 8) + frame, ends)


def gpe(vni, frame=FRAME, ends=ENDS):
    return udp(4790, struct.pack(">II", 0x0C000003, vni << 8) + frame, ends)


def geneve(vni, frame=FRAME, ends=ENDS):
    return udp(6081, struct.pack(">BBHI", 0, 0, 0x6558, vni << 8) + frame, ends)


def gtp(teid, packet=INNER, ends=ENDS):
    return udp(2152, struct.pack(">BBHI", 0x30, 255, len(packet), teid) + packet, ends)


def l2tp(ids, packet=INNER, ends=ENDS):
    return udp(1701, struct.pack(">HI", 2, ids) + b"\xff\3\0\x21" + packet, ends)


def gre(key, packet=INNER, ends=ENDS):
    return in_ip(47, struct.pack(">HHI", 0x2000, 0x800, key) + packet, ends)


def pptp(call, packet=INNER, ends=ENDS):
    return in_ip(
        47, struct.pack(">HHHH", 0x2001, 0x880B, 2 + len(packet), call) + b"\0\x21" + packet, ends
    )


def erspan(session, frame=FRAME, ends=ENDS):
    return in_ip(47, struct.pack(">HHIHHI", 0x1000, 0x88BE, 1, 0x1001, session, 0) + frame, ends)


def eoip(tunnel, frame=FRAME, ends=ENDS):
    return in_ip(
        47,
        struct.pack(">HHH", 0x2001, 0x6400, len(frame)) + struct.pack("<H", tunnel) + frame,
        ends,
    )


def labels(label, frame=FRAME):
    return ethernet(struct.pack(">I", label << 12 | 0x140) + b"\0\0\0\1" + frame, 0x8847)


def pbb(isid, frame=FRAME):
    return ethernet(struct.pack(">I", isid) + frame, 0x88E7)


def nsh(path, packet=INNER):
    return ethernet(struct.pack(">BBBBI", 0x0F, 0xC2, 2, 1, path << 8 | 255) + packet, 0x894F)


def capwap(payload=FRAME, ends=ENDS):
    return udp(5247, b"\0\x10\2\0\0\0\0\0" + payload, ends)


def tzsp(frame=FRAME, ends=ENDS):
    return udp(37008, b"\1\0\0\1\1" + frame, ends)


def sources(*frames, args=()):
    return [(f["src"], f["sport"]) for f in read_flows(pcap(spaced(*frames)), *args)]


def count(*frames, args=()):
    return len(read_flows(pcap(spaced(*frames)), *args))


def talk(flags, seq, ack, answer=False):
    ends, ports = ("10.0.0.1", "10.0.0.2"), (1234, 80)
    ends, ports = (back(ends), back(ports)) if answer else (ends, ports)
    return ipv4(*ends, 6, tcp_segment(*ends, *ports, flags, seq, ack))


SYN, SYN_ACK, ACK = talk("S", 100, 0), talk("SA", 500, 101, True), talk("A", 101, 501)
INSIDE = [("10.0.0.1", 1234)]


@case
def t1_each_encapsulation_is_gone_into():
    encapsulations = {
        "eompls with a control word": labels(17),
        "eompls": ethernet(struct.pack(">I", 17 << 12 | 0x140) + FRAME, 0x8847),
        "pbb": pbb(0x12345),
        "vntag": ethernet(b"\0\1\0\0\x08\0" + INNER, 0x8926),
        "etag": ethernet(b"\0\0\0\1\0\0\x08\0" + INNER, 0x893F),
        "hsr": ethernet(struct.pack(">HH", len(INNER) + 6, 7) + b"\x08\0" + INNER, 0x892F),
        "llc": MAC_HEADER + struct.pack(">H", len(INNER) + 3) + b"\6\6\3" + INNER,
        "cisco metadata": ethernet(b"\1\1\0\1\0\x0a\x08\0" + INNER, 0x8909),
        "arista": ethernet(b"\0\1\0\x10" + b"\0" * 8 + b"\x08\0" + INNER, 0xD28B),
        "macsec": ethernet(b"\0\0\0\0\0\1\x08\0" + INNER + b"\0" * 16, 0x88E5),
        "fabricpath": ethernet(b"\0\1" + FRAME, 0x8903),
        "nsh": nsh(2),
        "tzsp": tzsp(),
        "capwap": capwap(),
        "eoip": eoip(1),
        "vxlan-gpe": gpe(5),
        "gre in udp": udp(4754, b"\0\0\x08\0" + INNER),
        "mpls in udp": udp(6635, b"\0\1\1\x40" + INNER),
        "mpls in ip": in_ip(137, b"\0\1\1\x40" + INNER),
        "protocol 143": in_ip(143, FRAME, ENDS6),
        "protocol 143 in IPv4": in_ip(143, FRAME),
        "wccp": in_ip(47, b"\0\0\x88\x3e\0\0\0\0" + INNER),
        "vlan behind a shim": ethernet(b"\0\0\0\1\0\0\x81\0\0\5\x08\0" + INNER, 0x893F),
        "vxlan in pbb": pbb(7, vxlan(7)),
    }
    for name, frame in encapsulations.items():
        assert sources(frame) == INSIDE, (name, sources(frame))


@case
def reserved_bits_are_not_looked_at():
    for flags in (0x08, 0x09, 0x88, 0xFF):
        assert sources(vxlan(7, flags=flags)) == INSIDE, flags
    assert sources(udp(6081, b"\0\x3f\x65\x58\0\0\1\xff" + FRAME)) == INSIDE
    assert sources(udp(4789, b"\x08\xff\xff\xff\0\0\1\xff" + FRAME)) == INSIDE
    assert sources(in_ip(97, b"\x3f\xff" + FRAME)) == INSIDE
    assert sources(in_ip(47, b"\x0f\xf8\x08\0" + INNER)) == INSIDE


@case
def v1_equal_inner_addresses_in_two_networks_are_two_flows():
    flows = read_flows(pcap(spaced(vxlan(7, ethernet(SYN)), vxlan(8, ethernet(SYN)))))
    assert [(f["history"], f["conn_state"]) for f in flows] == [("S", "S0")] * 2, flows
    assert [f["tunnel_id"] for f in flows] == [7, 8] and {f["tunnel_kind"] for f in flows} == {
        "vxlan"
    }
    assert {f["community_id"] for f in flows} == {flows[0]["community_id"]}


@case
def v2_each_tunnel_is_another_flow():
    for tunnel in (vxlan, gpe, geneve, gtp, l2tp, gre, pptp, erspan, eoip, labels, pbb, nsh):
        assert count(tunnel(1), tunnel(2)) == 2, tunnel.__name__
        assert count(tunnel(1), tunnel(1)) == 1, tunnel.__name__
        assert count(tunnel(1), tunnel(2), args=("--ignore-tunnel",)) == 1, tunnel.__name__
        assert count(tunnel(1), FRAME) == 2, tunnel.__name__
    other = ("192.0.2.1", "198.51.100.3")
    for protocol, payload in (
        (4, INNER),
        (97, b"\x30\0" + FRAME),
        (137, b"\0\1\1\x40" + INNER),
        (47, b"\0\0\x08\0" + INNER),
    ):
        assert count(in_ip(protocol, payload), in_ip(protocol, payload, other)) == 2, protocol
        assert count(in_ip(protocol, payload), in_ip(protocol, payload, back(ENDS))) == 1, protocol
    assert count(capwap(), capwap(ends=other)) == 2 and count(tzsp(), tzsp(ends=other)) == 2
    assert count(gtp(1), gtp(1, ends=other)) == 2
    assert count(vxlan(1), vxlan(1, ends=other)) == 1, "a network of many ends"


@case
def answers_in_a_tunnel_join_their_flow():
    """Of both kinds of id: the same each way, and each way its own."""
    for tunnel in (vxlan, geneve, gre, erspan, eoip, gtp, l2tp, pptp):

        def wrap(packet, ident, ends):
            return tunnel(
                ident, packet if tunnel in (gtp, l2tp, gre, pptp) else ethernet(packet), ends=ends
            )

        ids = (1, 9) if tunnel in (gtp, l2tp, pptp) else (1, 1)
        frames = [
            wrap(SYN, ids[0], ENDS),
            wrap(SYN_ACK, ids[1], back(ENDS)),
            wrap(ACK, ids[0], ENDS),
        ]
        flows = read_flows(pcap(spaced(*frames)))
        assert [(f["history"], f["conn_state"]) for f in flows] == [("ShA", "S1")], (
            tunnel.__name__,
            flows,
        )
    for tunnel in (labels, nsh):
        packets = [p if tunnel is nsh else ethernet(p) for p in (SYN, SYN_ACK, ACK)]
        flows = read_flows(
            pcap(spaced(tunnel(1, packets[0]), tunnel(2, packets[1]), tunnel(1, packets[2])))
        )
        assert [f["conn_state"] for f in flows] == ["S1"], (tunnel.__name__, flows)
    assert count(vxlan(7, ethernet(SYN)), vxlan(8, ethernet(SYN_ACK))) == 2, (
        "an answer in another network is none"
    )


@case
def sessions_with_equal_addresses_keep_apart_both_ways():
    """Two subscribers with the same address, one after the other: each answer joins the one that waits."""
    first = [gtp(1, SYN), gtp(11, SYN_ACK, back(ENDS))]
    second = [gtp(2, SYN), gtp(12, SYN_ACK, back(ENDS))]
    both = [gtp(1, ACK), gtp(2, ACK)]
    for workers in ("0", "3"):
        flows = read_flows(pcap(spaced(*first, *second, *both)), "--workers", workers)
        assert [(f["history"], f["conn_state"], f["packets"]) for f in flows] == [
            ("ShA", "S1", [2, 1])
        ] * 2, flows
    flows = read_flows(pcap(spaced(gtp(1, SYN), gtp(2, SYN), gtp(11, SYN_ACK, back(ENDS)))))
    assert len(flows) == 3, "which of two it answers is not known"


@case
def thousands_of_tunnels_with_equal_addresses_are_as_many_flows():
    for tunnel in (gtp, vxlan):
        frames = [tunnel(i) for i in range(1, 3001)]
        report, p = read_report(pcap(spaced(*frames, *frames, step=0.0001)))
        assert (
            p.returncode == 0
            and report["flows"]["opened"] == 3000
            and not report["flows"]["evicted"]
        ), report["flows"]


@case
def tunnels_chooses_what_is_gone_into():
    frames = [vxlan(1), gre(1), pbb(1), gtp(1)]
    assert count(*frames) == 4
    assert sources(vxlan(1), args=("--tunnels", "-vxlan")) == [("192.0.2.1", 50000)]
    assert sources(gtp(1), args=("--tunnels", "-vxlan")) == INSIDE
    assert sources(gtp(1), args=("--tunnels", "gre,vxlan")) == [("192.0.2.1", 50000)]
    assert sources(gre(1), args=("--tunnels", "gre,vxlan")) == INSIDE
    assert (
        sources(pbb(1), args=("--tunnels", "none")) == []
        and sources(pbb(1), args=("--tunnels", "none,pbb")) == INSIDE
    )
    assert (
        sources(pbb(1), args=("--tunnels", "all,-pbb")) == []
        and sources(pbb(1), args=("--outermost",)) == INSIDE
    )
    for bad in ("", "vxlan,", "foo", "-", "vxlan,-bar"):
        p = run("-r", "/dev/null", "--tunnels", bad)
        assert p.returncode == 2 and b"--tunnels wants" in p.stderr, (bad, p.stderr)


@case
def every_format_tells_the_tunnel():
    data = pcap(spaced(vxlan(7)))
    kind = {
        "tunnel_kind": "vxlan",
        "tunnel_id": 7,
        "tunnel_depth": 1,
        "tunnel_src": ENDS[0],
        "tunnel_dst": ENDS[1],
    }
    for form in ("json", "zeek"):
        record = read_flows(data, form=form)[0]
        assert {k: record[k] for k in kind} == kind, record
    row = next(csv.DictReader(io.StringIO(read_flows(data, form="csv"))))
    assert {k: row[k] for k in kind} == {k: str(v) for k, v in kind.items()}, row
    assert read_flows(data, form="eve")[0]["tunnel"] == {
        "src_ip": ENDS[0],
        "dest_ip": ENDS[1],
        "proto": "vxlan",
        "id": 7,
        "depth": 1,
    }
    assert read_flows(data, form="ecs")[0]["bpfengine"]["tunnel"] == {
        "src": ENDS[0],
        "dst": ENDS[1],
        "kind": "vxlan",
        "id": 7,
        "depth": 1,
    }
    plain = pcap(spaced(FRAME))
    for form in ("json", "zeek", "eve", "ecs"):
        assert "tunnel" not in str(read_flows(plain, form=form)), form


@case
def v3_ignore_vlan_joins_directions_with_different_tags():
    there, answer, last = (ethernet(p) for p in (SYN, SYN_ACK, ACK))
    for tagged in (vlan(answer, 10), vlan(vlan(answer, 7), 10, 0x88A8)):
        for tag in ((), (20,)):
            first, third = (vlan(f, *tag) if tag else f for f in (there, last))
            data = pcap(spaced(first, tagged, third))
            assert len(read_flows(data)) == (2 if tag else 1)
            for workers in ("0", "3"):
                flows = read_flows(data, "--ignore-vlan", "--workers", workers)
                got = [(f["conn_state"], f["packets"], f.get("vlan")) for f in flows]
                assert got == [("S1", [2, 1], None)], flows


def tagged(*tags):
    """What puts those tags, the outermost first, on a frame."""

    def put(frame):
        for place, tag in reversed(list(enumerate(tags))):
            outermost = place == 0 and len(tags) > 1
            frame = vlan(frame, tag, 0x88A8 if outermost else 0x8100)
        return frame

    return put


def as_it_is(frame):
    return frame


T, U, QINQ, PRIORITY, OTHER = tagged(10), as_it_is, tagged(7, 10), tagged(0xE000), tagged(20)


def connection(there, back_, port, v6=False, isn=1000):
    """A whole connection, its directions put into those two."""
    steps = [
        (0, "S", 0, 0, b""),
        (1, "SA", 0, 1, b""),
        (0, "A", 1, 1, b""),
        (0, "PA", 1, 1, b"q" * 50),
        (1, "PA", 1, 51, b"r" * 60),
        (0, "FA", 51, 61, b""),
        (1, "FA", 61, 52, b""),
        (0, "A", 52, 62, b""),
    ]
    return [
        (back_ if way else there)(
            tcp_frame(
                way,
                flags,
                isn + 5000 * way + seq,
                isn + 5000 * (not way) + ack if ack else 0,
                data,
                sport=port,
                v6=v6,
            )
        )
        for way, flags, seq, ack, data in steps
    ]


def datagram(put, port, way=0, v6=False, payload=b"x" * 20):
    ends, ports = (ENDS6 if v6 else ENDS), (port, 9)
    if way:
        ends, ports = back(ends), back(ports)
    return put(ethernet((ipv6 if v6 else ipv4)(*ends, 17, udp_segment(*ends, *ports, payload))))


def echo(put, ident, way=0):
    body = struct.pack(">BBHHH", 0 if way else 8, 0, 0, ident, 1)
    return put(ethernet(ipv4(*(back(ENDS) if way else ENDS), 1, body)))


def outcome(frames, port, *args, step=0.01):
    """Of the flows with that port, or of ICMP: (VLAN, state, packets), sorted."""
    flows = read_flows(pcap(spaced(*frames, step=step)), *args)
    return sorted(
        (f.get("vlan") or [], f.get("conn_state"), f["packets"])
        for f in flows
        if not port or port in (f["sport"], f["dport"])
    )


@case
def v3_a_tag_one_way_only_is_one_flow():
    for put, ids in ((T, [10]), (QINQ, [7, 10])):
        for there, answer in ((U, put), (put, U), (PRIORITY, put), (put, PRIORITY)):
            for v6 in (False, True):
                got = outcome(connection(there, answer, 4000, v6), 4000)
                assert got == [(ids, "SF", [5, 3])], (ids, v6, got)
                got = outcome(
                    [
                        datagram(there, 4000, 0, v6),
                        datagram(answer, 4000, 1, v6),
                        datagram(there, 4000, 0, v6),
                    ],
                    4000,
                )
                assert got == [(ids, "SF", [2, 1])], (ids, v6, got)
            got = outcome([echo(there, 5), echo(answer, 5, 1), echo(there, 5)], 0)
            assert [(g[0], g[2]) for g in got] == [(ids, [2, 1])], got
            middle = connection(there, answer, 4000)[3:5] * 2
            assert [(g[0], g[2]) for g in outcome(middle, 4000)] == [(ids, [2, 2])], middle


@case
def v3_history_and_health_of_joined_directions():
    """As if no packet had a tag."""
    (plain,) = read_flows(pcap(spaced(*connection(U, U, 4000))))
    for there, answer in ((U, T), (T, U)):
        (flow,) = read_flows(pcap(spaced(*connection(there, answer, 4000))))
        for name in (
            "history",
            "conn_state",
            "packets",
            "community_id",
            "retransmissions",
            "handshake_ns",
            "src",
            "sport",
        ):
            assert flow.get(name) == plain.get(name), (name, flow)


@case
def v3_priority_tags_are_no_vlan():
    assert outcome(connection(PRIORITY, U, 4000), 4000) == [([], "SF", [5, 3])]


@case
def v3_another_id_each_way_is_two_flows():
    got = outcome(connection(OTHER, T, 4000), 4000)
    assert [g[0] for g in got] == [[10], [20]], got
    got = outcome([datagram(QINQ, 1), datagram(T, 1, 1)], 1)
    assert [g[0] for g in got] == [[7, 10], [10]] or [g[0] for g in got] == [[10], [7, 10]], got


@case
def v3_two_tenants_stay_two_flows():
    """Connections with equal addresses: both ways tagged with one id, and both ways plain."""
    one, two = connection(U, U, 4000), connection(T, T, 4000, isn=3000000000)
    mixed = [f for pair in zip(one, two) for f in pair]
    shifted = one[:1] + two[1:] + one[1:] + two[:1]
    for frames in (one + two, two + one, mixed, shifted):
        got = outcome(frames, 4000)
        assert [(g[0], sum(g[2])) for g in got] == [([], 8), ([10], 8)], (got, frames)
    for v6 in (False, True):
        plain = [datagram(U, 5, way, v6) for way in (0, 1)]
        other = [datagram(T, 5, way, v6, b"another") for way in (0, 1)]
        for frames in (plain + other, other + plain, [plain[0], other[0], plain[1], other[1]]):
            got = outcome(frames, 5)
            assert got == [([], "SF", [1, 1]), ([10], "SF", [1, 1])], got
        crossed = [plain[0], other[1], other[0], plain[1], plain[0], other[1]]
        assert [g[0] for g in outcome(crossed, 5)] == [[], [10]]


@case
def v3_a_copy_with_a_tag_joins():
    """As a mirror port shows each packet twice, microseconds apart: the copies are told."""
    for first, second in ((U, T), (T, U), (U, QINQ)):
        for v6 in (False, True):
            pairs = zip(connection(first, first, 4000, v6), connection(second, second, 4000, v6))
            data = pcap(
                [
                    (i * 0.01 + copy * 0.000002, f)
                    for i, pair in enumerate(pairs)
                    for copy, f in enumerate(pair)
                ]
            )
            (flow,) = read_flows(data)
            assert (flow["conn_state"], sum(flow["packets"])) == ("SF", 16), flow
            assert "retransmissions" not in flow or not any(flow["retransmissions"]), flow
            assert sum(flow["duplicates"]) >= 7, flow
        frames = [datagram(put, 6, way) for way in (0, 1) for put in (first, second)]
        got = outcome(frames, 6, step=0.000002)
        assert [(g[1], g[2]) for g in got] == [("SF", [2, 2])], got


@case
def v3_one_tag_more_than_one_tenant():
    """The plain direction belongs to the connection that has no other."""
    full = [datagram(OTHER, 8, way) for way in (0, 1)]
    halves = [datagram(U, 8), datagram(T, 8, 1), datagram(U, 8)]
    for frames in (full + halves, halves + full, halves[:1] + full + halves[1:]):
        got = outcome(frames, 8)
        assert [(g[0], sum(g[2])) for g in got] == [([10], 3), ([20], 2)], got


@case
def v3_the_next_connection_is_judged_anew():
    first, again = connection(U, T, 4000), connection(T, U, 4000, isn=77000000)
    got = outcome(first + again + connection(T, T, 4000, isn=99000000), 4000)
    assert [(g[0], g[1]) for g in got] == [([10], "SF")] * 3, got


@case
def v3_batches_and_workers_do_not_matter():
    scenes = []
    for port in range(2000, 2040):
        there, answer = ((U, T), (T, U), (U, QINQ), (T, T), (U, U))[port % 5]
        if port % 3:
            scenes.append(connection(there, answer, port))
        else:
            scenes.append(
                [
                    datagram(there, port),
                    datagram(answer, port, 1),
                    datagram(T, port),
                    datagram(U, port, 1),
                    datagram(there, port),
                ]
            )
    queues, frames = [list(s) for s in scenes], []
    while any(queues):  # in turn, some of them faster than others
        for k, queue in enumerate(queues):
            frames += queue[: 1 + k % 3]
            del queue[: 1 + k % 3]
    expected = None
    for workers, shifts in (("0", range(0, 64, 3)), ("1", (0, 7)), ("2", (0, 9)), ("4", (0, 11))):
        for shift in shifts:
            data = pcap(spaced(*[datagram(U, 1)] * shift, *frames))
            flows = read_flows(data, "--workers", workers)
            got = sorted(
                (
                    f["sport"],
                    f["dport"],
                    f.get("vlan") or [],
                    f["conn_state"],
                    f["packets"],
                    f.get("history") or "",
                )
                for f in flows
                if f["sport"] != 1
            )
            expected = expected or got
            assert got == expected, (workers, shift, set(map(str, got)) ^ set(map(str, expected)))
    assert len(expected) >= 40


finish()
