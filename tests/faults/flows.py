#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""flows.py PROGRAM: what a flow record says of errors, of a connection's end, and of segments that
are not its stream's."""

import csv
import io
import json
import os
import struct
import tempfile

from faultcase import case, finish, read_flows, read_report, run
from packets import (
    HOST_A,
    HOST_A6,
    HOST_B,
    ROUTER,
    checksum,
    ethernet,
    icmp6_error,
    icmp_error,
    pcap,
    spaced,
    tcp_frame,
    udp4,
    udp6,
)

ROUTER6 = "2001:db8::9"
SYN = tcp_frame(0, "S", 1000, 0)
# Type and code: unreachable (port, prohibited, fragmentation needed), source quench, redirect,
# time exceeded, parameter problem; of ICMPv6 packet too big, too.
ERRORS4 = (3, 3), (3, 13), (3, 4), (4, 0), (5, 1), (11, 0), (12, 0)
ERRORS6 = (1, 4), (1, 0), (2, 0), (3, 0), (4, 1)


def only(data, *words, form="json"):
    """The one flow of a savefile."""
    flows = read_flows(data, *words, form=form)
    assert len(flows) == 1, flows
    return flows[0]


def questions():
    """(name, frame, errors that quote it) by protocol and IP version."""
    for name, packet in ("udp4", udp4(33000, 161)), ("tcp4", SYN[14:]):
        errors = [ethernet(icmp_error(ROUTER, HOST_A, *kind, packet)) for kind in ERRORS4]
        yield name, ethernet(packet), errors
    for name, packet in ("udp6", udp6(33000, 161)), ("tcp6", tcp_frame(0, "S", 1, 0, v6=True)[14:]):
        errors = [ethernet(icmp6_error(ROUTER6, HOST_A6, *kind, packet)) for kind in ERRORS6]
        yield name, ethernet(packet), errors


@case
def i1_an_icmp_error_is_no_answer():
    for name, question, errors in questions():
        for error in errors:
            data = pcap(spaced(question, error, question, error))
            flow = only(data)
            assert flow["conn_state"] == "S0", (name, flow)
            assert flow["packets"] == [2, 2] and flow["icmp_errors"] == [0, 2], (name, flow)
            assert only(data, form="eve")["flow"]["state"] == "new", name


@case
def i1_every_format_counts_the_errors():
    data = pcap(spaced(ethernet(udp4()), ethernet(icmp_error(HOST_B, HOST_A, 3, 3, udp4()))))
    assert only(data)["icmp_errors"] == [0, 1]
    zeek = only(data, form="zeek")
    assert (zeek["icmp_errors"], zeek["conn_state"]) == ([0, 1], "S0"), zeek
    assert only(data, form="eve")["bpfengine"] == {"icmp_errors": [0, 1]}
    ecs = only(data, form="ecs")["bpfengine"]
    assert (ecs["icmp_errors"], ecs["conn_state"]) == ([0, 1], "S0"), ecs
    (row,) = csv.DictReader(io.StringIO(read_flows(data, form="csv"), newline=""))
    assert (row["orig_icmp_errors"], row["resp_icmp_errors"], row["conn_state"]) == ("0", "1", "S0")


@case
def i1_a_true_answer_is_one_however_many_errors_came():
    error = ethernet(icmp_error(HOST_B, HOST_A, 3, 3, udp4()))
    answer = ethernet(udp4(53, 1000, source=HOST_B, destination=HOST_A))
    for frames in (error, error, answer), (answer, error, error), (error, answer, error):
        data = pcap(spaced(ethernet(udp4()), *frames))
        flow = only(data)
        assert flow["conn_state"] == "SF" and flow["icmp_errors"] == [0, 2], flow
        assert flow["packets"] == [1, 3], flow
        assert only(data, form="eve")["flow"]["state"] == "established"


@case
def i1_an_error_in_a_connection_changes_nothing_else():
    opening = [SYN, tcp_frame(1, "SA", 2000, 1001), tcp_frame(0, "A", 1001, 2001)]
    data = tcp_frame(0, "PA", 1001, 2001, b"x" * 400)
    error = ethernet(icmp_error(ROUTER, HOST_A, 3, 4, data[14:]))
    flow = only(pcap(spaced(*opening, data, error)))
    assert (flow["conn_state"], flow["history"], flow["tcp_state"]) == ("S1", "ShAD", "established")
    assert flow["icmp_errors"] == [0, 1] and flow["packets"] == [3, 2], flow


@case
def i1_a_flow_that_only_errors_answer_ages_as_one_way():
    question = ethernet(udp4())
    for answer, ends in (
        (ethernet(icmp_error(HOST_B, HOST_A, 3, 3, udp4())), ["idle", "stop"]),
        (ethernet(udp4(53, 1000, source=HOST_B, destination=HOST_A)), ["stop"]),
    ):
        data = pcap([(0, question), (0.1, answer), (60, question)])
        flows = read_flows(
            data, "--flow-timeout", "udp-one-way=20", "--flow-timeout", "udp-two-way=300"
        )
        assert [f["end"] for f in flows] == ends, flows


@case
def i2_the_quoted_sender_is_the_originator():
    for name, question, errors in questions():
        for error in errors:
            for frames in (error,), (error, question), (error, error, question), (question, error):
                flow = only(pcap(spaced(*frames)))
                source = HOST_A6 if name.endswith("6") else HOST_A
                assert flow["src"] == source, (name, frames, flow)
                if question in frames:
                    assert flow["conn_state"] == "S0", (name, flow)


@case
def i2_the_quoted_sender_stays_the_originator_when_the_other_end_is_seen_first():
    for quoted, answer in (
        (udp4(), ethernet(udp4(53, 1000, source=HOST_B, destination=HOST_A))),
        (tcp_frame(0, "A", 1, 1)[14:], tcp_frame(1, "A", 1, 1, b"x")),
    ):
        error = ethernet(icmp_error(ROUTER, HOST_A, 11, 0, quoted))
        flow = only(pcap(spaced(error, answer)))
        assert (flow["src"], flow["packets"], flow["icmp_errors"]) == (HOST_A, [0, 2], [0, 1]), flow


@case
def i2_the_largest_flows_agree():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "in.pcap")
        with open(path, "wb") as f:
            f.write(pcap(spaced(ethernet(icmp_error(ROUTER, HOST_A, 3, 3, udp4(33000, 161))))))
        largest = json.loads(run("-r", path, "--json").stdout)["top_flows"]
    assert [(f["src"], f["sport"]) for f in largest] == [(HOST_A, 33000)], largest


def play(letters):
    """Frames for letters of a history: capitals are the originator's, D carries 9 bytes."""
    next_, out = [1000, 2000], []
    for letter in letters:
        end, kind = int(letter.islower()), letter.upper()
        flags = {"S": "S", "H": "SA", "A": "A", "D": "PA", "F": "FA", "R": "R"}[kind]
        load = b"x" * 9 if kind == "D" else b""
        ack = next_[1 - end] if flags != "S" else 0
        out.append(tcp_frame(end, flags, next_[end], ack, load))
        next_[end] += len(load) + (kind in "SHF")
    return pcap(spaced(*out))


@case
def z_conn_state_is_as_zeeks_script_has_it():
    for letters, right in (
        ("R", "OTH"),
        ("DR", "OTH"),
        ("SAR", "OTH"),
        ("SFR", "OTH"),
        ("SRr", "REJ"),
        ("ShRr", "REJ"),
        ("Rr", "REJ"),
        ("SR", "RSTOS0"),
        ("SDR", "RSTOS0"),
        ("Sr", "REJ"),
        ("ShR", "RSTO"),
        ("ShADRr", "RSTR"),
        ("hr", "RSTRH"),
        ("hAD", "S1"),
        ("ShADd", "S1"),
        ("ShADdFf", "SF"),
        ("ShADdFfR", "SF"),
        ("ShADdF", "S2"),
        ("ShADdf", "S3"),
        ("SF", "SH"),
        ("hf", "SHR"),
        ("Dd", "OTH"),
        ("DdFf", "SF"),
        ("Sa", "S0"),
        ("ShADr", "RSTR"),
        ("ShADR", "RSTO"),
        ("DdR", "OTH"),
        ("S", "S0"),
    ):
        flow = only(play(letters))
        assert flow["conn_state"] == right, (letters, flow)
        zeek = only(play(letters), form="zeek")
        assert (zeek["conn_state"], zeek["history"]) == (right, flow["history"]), (letters, zeek)


@case
def z_a_record_without_a_history_is_told_by_its_flags():
    for letters, right in ("SRr", "REJ"), ("SR", "RSTOS0"), ("ShADdFf", "SF"), ("ShADdR", "RSTO"):
        flow = only(play(letters), "--no-tcp-health")
        assert flow["conn_state"] == right, (letters, flow)


HEALTH = (
    "retransmissions",
    "fast_retransmissions",
    "spurious_retransmissions",
    "out_of_order",
    "repeated_acks",
    "lost_segments",
    "unseen_acks",
    "keep_alives",
)
FAR = 2000000000


class Talk:
    """A connection that goes on in turn: both ends' next numbers, and the frames so far."""

    def __init__(self, v6=False, opened=True):
        self.v6, self.next, self.packets, self.time = v6, [1000, 2000], [], 0
        if opened:
            self.send(0, "S")
            self.send(1, "SA")
            self.send(0, "A")

    def frame(self, end, flags, load=b"", off=0, seq=None, ack=None):
        seq = self.next[end] + off if seq is None else seq
        ack = (self.next[1 - end] if "A" in flags else 0) if ack is None else ack
        self.time += 0.05
        self.packets.append((self.time, tcp_frame(end, flags, seq, ack, load, v6=self.v6)))

    def send(self, end, flags, load=b"", **more):
        self.frame(end, flags, load, **more)
        self.next[end] += len(load) + ("S" in flags) + ("F" in flags)

    def turn(self, n=3):
        for _ in range(n):
            for end in (0, 1):
                self.send(end, "PA", b"x" * (100 + 50 * end))
        return self

    def close(self):
        self.send(0, "FA")
        self.send(1, "FA")
        self.send(0, "A")
        return self

    def flow(self, *words):
        return only(pcap(self.packets), *words)


def sound(flow):
    """No count of the flow's health says that anything was wrong."""
    return not [name for name in HEALTH if name in flow]


STRAYS = [
    (name, flags, load, off)
    for name, flags, load in (
        ("SYN-ACK", "SA", b""),
        ("data", "PA", b"z" * 20),
        ("RST", "R", b""),
        ("FIN", "FA", b""),
    )
    for off in (FAR, 1 << 20, 70000, -FAR, -70000)
]


@case
def h1_a_segment_outside_of_the_window_is_not_the_streams():
    for v6 in (False, True):
        for end in (0, 1):
            for name, flags, load, off in STRAYS:
                talk = Talk(v6).turn()
                talk.frame(end, flags, load, off)
                flow = talk.turn().close().flow()
                assert sound(flow), (name, end, off, flow)
                assert flow["tcp_state"] == "closed", (name, end, off, flow)


@case
def h1_a_stray_reset_or_fin_leaves_the_connection_open():
    for flags, letter in ("R", "R"), ("RA", "R"), ("FA", "F"):
        for off in (FAR, -FAR, 70000):
            talk = Talk().turn()
            talk.frame(0, flags, off=off)
            flow = talk.turn().flow()
            assert flow["tcp_state"] == "established" and letter in flow["history"], flow


@case
def h1_a_reset_or_fin_in_the_window_counts():
    for flags, state in ("R", "reset"), ("RA", "reset"), ("FA", "closing"):
        for off in (0, 100) if flags != "FA" else (0,):
            talk = Talk().turn()
            talk.frame(0, flags, off=off)
            assert talk.flow()["tcp_state"] == state, (flags, off)


@case
def h1_the_ack_tells_which_syn_ack_is_the_connections():
    for stray in (2001, 1999, 2000 + FAR, 2000 - FAR, 5):
        for order in ("stray first", "stray last", "stray after the ACK", "stray in the middle"):
            talk = Talk(opened=False)
            talk.send(0, "S")
            if order == "stray first":
                talk.frame(1, "SA", seq=stray)
            talk.send(1, "SA")
            if order == "stray last":
                talk.frame(1, "SA", seq=stray)
            talk.send(0, "A")
            if order == "stray after the ACK":
                talk.frame(1, "SA", seq=stray)
            talk.turn(1)
            if order == "stray in the middle":
                talk.frame(1, "SA", seq=stray)
            flow = talk.turn(30).close().flow()
            assert sound(flow), (stray, order, flow)


@case
def h1_a_connection_seen_from_its_middle_leaves_strays_out():
    for end in (0, 1):
        for flags, load in ("PA", b"z" * 20), ("SA", b""), ("R", b""), ("FA", b""):
            talk = Talk(opened=False)
            talk.next = [500000, 90000000]
            talk.turn()
            talk.frame(end, flags, load, FAR)
            flow = talk.turn().flow()
            assert sound(flow) and flow["tcp_state"] == "established", (end, flags, flow)


@case
def h1_a_gap_of_more_than_a_window_is_followed():
    for gap in (5000, 70000, 1 << 20, 1 << 28):
        talk = Talk().turn()
        talk.next[1] += gap
        flow = talk.turn(20).close().flow()
        assert flow["lost_segments"] == [0, 1] and "retransmissions" not in flow, (gap, flow)
        assert flow["tcp_state"] == "closed", flow


@case
def h1_the_ack_of_what_lies_behind_a_gap_is_enough():
    talk = Talk().turn()
    talk.next[1] += 100000
    talk.send(1, "FA", b"x" * 10)
    talk.send(0, "FA")
    flow = talk.flow()
    assert flow["tcp_state"] == "closed" and flow["lost_segments"] == [0, 1], flow


@case
def h1_two_strays_do_not_keep_the_stream():
    talk = Talk().turn()
    talk.frame(1, "PA", b"z" * 20, FAR)
    talk.frame(1, "PA", b"z" * 20, FAR + 20)
    flow = talk.turn(30).flow()
    assert sum(flow.get("retransmissions", (0, 0))) <= 1, flow
    assert sum(flow.get("lost_segments", (0, 0))) <= 1, flow


@case
def a1_what_comes_late_belongs_to_the_connection():
    for v6 in (False, True):
        for late in (
            (0, "S", b"", 1000),
            (1, "SA", b"", 2000),
            (0, "PA", b"x" * 100, 1001),
            (1, "PA", b"x" * 150, 2001),
            (0, "FA", b"", None),
            (1, "FA", b"", None),
        ):
            talk = Talk(v6).turn().close()
            end, flags, load, seq = late
            talk.frame(end, flags, load, seq=talk.next[end] - 1 if seq is None else seq)
            assert talk.flow()["tcp_state"] == "closed", late
            reset = Talk(v6).turn()
            reset.send(1, "RA")
            reset.frame(end, flags, load, seq=reset.next[end] - 1 if seq is None else seq)
            assert reset.flow()["tcp_state"] == "reset", late


@case
def a1_the_original_syn_is_known_by_the_syn_ack():
    talk = Talk(opened=False)
    talk.next = [1001, 2000]
    talk.send(1, "SA")
    talk.send(0, "A")
    talk.turn().close()
    talk.frame(0, "S", seq=1000)
    flow = talk.flow()
    assert flow["conn_state"] == "SF" and "retransmissions" not in flow, flow


@case
def a1_another_number_is_another_connection():
    for isn in (50000000, 1001, 1100, 1400, 999, 3000000000):
        talk = Talk().turn().close()
        talk.next = [isn, 77000]
        for end, flags in (0, "S"), (1, "SA"), (0, "A"):
            talk.send(end, flags)
        flows = read_flows(pcap(talk.turn().packets))
        assert [f["conn_state"] for f in flows] == ["SF", "S1"], (isn, flows)
        assert all(sound(f) for f in flows), (isn, flows)


@case
def a1_a_refused_attempt_is_tried_again_with_the_same_number():
    talk = Talk(opened=False)
    for _ in range(3):
        talk.frame(0, "S", seq=1000)
        talk.frame(1, "RA", seq=0, ack=1001)
    flows = read_flows(pcap(talk.packets))
    assert [f["conn_state"] for f in flows] == ["REJ"] * 3, flows


def twice(packets, apart=0.00001):
    """Every packet, and its copy so many seconds later."""
    return sorted((when + late, frame) for when, frame in packets for late in (0, apart))


def named(packets):
    """The same packets with identifications that count for each sender, as hosts send them."""
    out, counts = [], {}
    for when, frame in packets:
        source = frame[26:30]
        counts[source] = counts.get(source, 100) + 1
        head = (
            frame[14:18] + struct.pack(">H", counts[source]) + frame[20:24] + b"\0\0" + frame[26:34]
        )
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        out.append((when, frame[:14] + head + frame[34:]))
    return out


@case
def d1_what_a_mirror_port_shows_twice_is_told_as_duplicates():
    for v6 in (False, True):
        for apart in (0, 0.000001, 0.00001, 0.0005):
            talk = Talk(v6).turn(20).close()
            packets = talk.packets if v6 else named(talk.packets)
            flow = only(pcap(twice(packets, apart)))
            assert sound(flow), (v6, apart, flow)
            assert sum(flow["duplicates"]) * 2 == sum(flow["packets"]) == 2 * len(packets), flow
            assert (flow["conn_state"], flow["history"]) == ("SF", "ShADdFf"), flow


@case
def d1_hosts_that_send_one_identification_always_are_followed_too():
    talk = Talk().turn(20).close()
    flow = only(pcap(twice(talk.packets)))
    assert sound(flow) and sum(flow["duplicates"]) * 2 == sum(flow["packets"]), flow


@case
def d1_copies_that_come_behind_others_are_known():
    for v6 in (False, True):
        for lag in (2, 4, 12):
            talk = Talk(v6).turn(20)
            packets = talk.packets if v6 else named(talk.packets)
            out = twice(packets[:3])  # the handshake takes its time, then all comes at once
            packets, start = packets[3:], out[-1][0]
            for n in range(len(packets) + lag):
                when = start + 0.001 + n * 0.000003
                out += [(when, packets[n][1])] if n < len(packets) else []
                out += [(when + 0.000001, packets[n - lag][1])] if n >= lag else []
            flow = only(pcap(out))
            assert sound(flow), (v6, lag, flow)
            assert sum(flow["duplicates"]) == len(packets) + 3, (v6, lag, flow)


@case
def d1_copies_of_a_burst_and_of_its_acks_are_known():
    for v6 in (False, True):
        talk, first = Talk(v6).turn(1), 5
        for _ in range(6):
            acks = [talk.next[1] + 100 * (k + 1) for k in range(8)]
            for _ in acks:
                talk.send(1, "A", b"x" * 100)
            for ack in acks:
                talk.frame(0, "A", ack=ack)
        packets = talk.packets if v6 else named(talk.packets)
        out = twice(packets[:first])
        for at in range(first, len(packets), 8):
            burst = [frame for _, frame in packets[at : at + 8]]
            when = packets[at][0]
            out += [(when + k * 0.00001, frame) for k, frame in enumerate(burst + burst)]
        flow = only(pcap(out))
        assert sound(flow) and sum(flow["duplicates"]) == len(packets), (v6, flow)


@case
def d1_acks_repeated_while_data_is_missing_are_no_copies():
    for v6 in (False, True):
        talk = Talk(v6).turn(2)
        talk.frame(1, "A", b"x" * 100, off=100)
        last = talk.time
        talk.packets += [
            (last + 0.00001 * k, tcp_frame(0, "A", *talk.next, v6=v6)) for k in range(1, 5)
        ]
        flow = only(pcap(talk.packets if v6 else named(talk.packets)))
        assert "duplicates" not in flow and flow["repeated_acks"][0] == 3, (v6, flow)


@case
def d1_batches_and_workers_do_not_show():
    out = []
    for port in range(40):
        talk = Talk().turn(6).close()
        for when, frame in twice(named(talk.packets), 0.0003):
            ports = [1000 + port if x == 40000 else x for x in struct.unpack(">HH", frame[34:38])]
            moved = frame[:34] + struct.pack(">HH", *ports) + frame[38:]
            out.append((when + port * 0.00001, moved))
    want = None
    for workers in ("0", "1", "2", "4"):
        flows = read_flows(pcap(sorted(out)), "--workers", workers, "--seed", "1")
        assert len(flows) == 40 and all(sound(flow) for flow in flows), flows
        assert all(sum(flow["duplicates"]) * 2 == sum(flow["packets"]) for flow in flows), flows
        seen = sorted(json.dumps({**flow, "worker": 0}) for flow in flows)
        assert seen == (want or seen), workers
        want = seen


@case
def d1_a_tagged_copy_counts_where_vlan_ids_are_not_of_the_flow():
    talk = Talk().turn(10).close()
    packets, out = named(talk.packets), []
    for when, frame in packets:
        tagged = frame[:12] + bytes.fromhex("81000064") + frame[12:]
        out += [(when, tagged), (when + 0.00001, frame)]
    flow = only(pcap(out), "--ignore-vlan")
    assert sound(flow) and sum(flow["duplicates"]) == len(packets), flow


@case
def d1_the_option_does_not_tell_them_apart():
    talk = Talk().turn(3).close()
    flow = only(pcap(twice(named(talk.packets))), "--duplicates", "ignore")
    assert "duplicates" not in flow and sum(flow["retransmissions"]) > 6, flow
    p = run("-r", "x", "--duplicates", "perhaps")
    assert p.returncode == 2 and b"tell or ignore" in p.stderr, p.stderr


@case
def d1_a_true_retransmission_is_none():
    for v6 in (False, True):
        talk = Talk(v6).turn(3)
        again = talk.packets[-2][1]
        talk.packets.append((talk.time + 0.25, again))
        flow = only(pcap(talk.packets if v6 else named(talk.packets)))
        assert sum(flow["retransmissions"]) == 1 and "duplicates" not in flow, (v6, flow)
    talk = Talk().turn(3)  # another identification, however soon
    talk.packets.append((talk.packets[-2][0] + 0.00001, talk.packets[-2][1]))
    talk.packets.sort()
    flow = only(pcap(named(talk.packets)))
    assert sum(flow["retransmissions"]) == 1 and "duplicates" not in flow, flow


@case
def d1_a_copy_that_a_router_forwarded_is_another_packet():
    talk = Talk().turn(3)
    when, frame = named(talk.packets)[-1]
    lower = bytearray(frame)
    lower[22] -= 1
    lower[24:26] = b"\0\0"
    lower[24:26] = struct.pack(">H", checksum(bytes(lower[14:34])))
    flow = only(pcap(named(talk.packets) + [(when + 0.00001, bytes(lower))]))
    assert "duplicates" not in flow and sum(flow["retransmissions"]) == 1, flow


@case
def d1_the_report_counts_them():
    talk = Talk().turn(3)
    report, _ = read_report(pcap(twice(named(talk.packets))))
    assert report["flows"]["duplicates"] == len(talk.packets), report["flows"]
    assert report["flows"]["packets"] == report["packets"]["read"] == 2 * len(talk.packets)


finish()
