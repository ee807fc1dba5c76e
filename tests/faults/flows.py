#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""flows.py PROGRAM: what a flow record says of errors, of a connection's end, and of segments that
are not its stream's."""
import csv
import io
import json
import os
import tempfile

from faultcase import case, finish, read_flows, run
from packets import (HOST_A, HOST_A6, HOST_B, ROUTER, ethernet, icmp6_error, icmp_error,
                     pcap, spaced, tcp_frame, udp4, udp6)

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
    row, = csv.DictReader(io.StringIO(read_flows(data, form="csv"), newline=""))
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
    for answer, ends in ((ethernet(icmp_error(HOST_B, HOST_A, 3, 3, udp4())), ["idle", "stop"]),
                         (ethernet(udp4(53, 1000, source=HOST_B, destination=HOST_A)), ["stop"])):
        data = pcap([(0, question), (.1, answer), (60, question)])
        flows = read_flows(data, "--flow-timeout", "udp-one-way=20", "--flow-timeout",
                           "udp-two-way=300")
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
    for quoted, answer in ((udp4(), ethernet(udp4(53, 1000, source=HOST_B, destination=HOST_A))),
                           (tcp_frame(0, "A", 1, 1)[14:], tcp_frame(1, "A", 1, 1, b"x"))):
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
    for letters, right in (("R", "OTH"), ("DR", "OTH"), ("SAR", "OTH"), ("SFR", "OTH"),
                           ("SRr", "REJ"), ("ShRr", "REJ"), ("Rr", "REJ"), ("SR", "RSTOS0"),
                           ("SDR", "RSTOS0"), ("Sr", "REJ"), ("ShR", "RSTO"), ("ShADRr", "RSTR"),
                           ("hr", "RSTRH"), ("hAD", "S1"), ("ShADd", "S1"), ("ShADdFf", "SF"),
                           ("ShADdFfR", "SF"), ("ShADdF", "S2"), ("ShADdf", "S3"), ("SF", "SH"),
                           ("hf", "SHR"), ("Dd", "OTH"), ("DdFf", "SF"), ("Sa", "S0"),
                           ("ShADr", "RSTR"), ("ShADR", "RSTO"), ("DdR", "OTH"), ("S", "S0")):
        flow = only(play(letters))
        assert flow["conn_state"] == right, (letters, flow)
        zeek = only(play(letters), form="zeek")
        assert (zeek["conn_state"], zeek["history"]) == (right, flow["history"]), (letters, zeek)


@case
def z_a_record_without_a_history_is_told_by_its_flags():
    for letters, right in ("SRr", "REJ"), ("SR", "RSTOS0"), ("ShADdFf", "SF"), ("ShADdR", "RSTO"):
        flow = only(play(letters), "--no-tcp-health")
        assert flow["conn_state"] == right, (letters, flow)


finish()
