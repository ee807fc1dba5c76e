#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clocks.py PROGRAM: packets' times at the ends of what can be said, before 1970, absent, and of interfaces whose clocks differ."""

import json
import struct
import subprocess
import time

from faultcase import PROGRAM, case, finish, read_flows, read_report, run
from packets import (
    START,
    block,
    enhanced,
    ethernet,
    interface,
    option,
    pcap,
    section,
    spaced,
    tcp_frame,
    udp4,
    udp6,
)

SECOND = 10**9
END = (1 << 63) - 1
NANO = option(9, b"\x09")
WORKERS = [[], ["--workers", "1"], ["--workers", "4"]]


def nano(*options):
    """An interface that counts nanoseconds."""
    return interface(NANO + b"".join(options))


def udp(sport, dport=53):
    return ethernet(udp4(sport, dport))


def simple(data, wire=None):
    """A Simple Packet Block."""
    return block(3, struct.pack("<I", len(data) if wire is None else wire) + data)


def ends_of(flows):
    ends = {}
    for flow in flows:
        ends[flow["end"]] = ends.get(flow["end"], 0) + 1
    return ends


# ---- The end of time ----


def poisoned(at, packets, before=10, after=600):
    """Flows, packets at a time that cannot be, and flows again."""
    return (
        section()
        + nano()
        + b"".join(enhanced(0, START * SECOND + i * 10**6, udp(i + 1)) for i in range(before))
        + b"".join(enhanced(0, at, udp(60000)) for _ in range(packets))
        + b"".join(
            enhanced(0, (START + 1) * SECOND + i * 10**8, udp(1000 + i)) for i in range(after)
        )
    )


def check_poisoned(at, packets, before=10):
    for words in WORKERS:
        flows = read_flows(poisoned(at, packets, before), "--flow-idle", "5", *words)
        late = [f for f in flows if f["first"] > 9e9]
        assert len(flows) == before + 601, (at, packets, len(flows))
        assert len(late) <= 1, (at, packets, late[:3])
        assert ends_of(flows)["idle"] >= 550, (at, packets, ends_of(flows))
        times = sorted(f["first"] for f in flows if f["sport"] >= 1000 and f["sport"] < 60000)
        assert abs(times[0] - START - 1) < 1e-6 and abs(times[-1] - START - 60.9) < 1e-6, times[-1]


@case
def f4_packets_at_the_end_of_time_freeze_no_clock():
    for packets in (1, 2, 3, 100):
        check_poisoned(END, packets)


@case
def f4_nor_do_those_shortly_before_or_beyond_it():
    for at in (
        END - 3 * 10**8,
        END - 1,
        1 << 63,
        (1 << 64) - 1,
        END - 11 * SECOND,
        1 << 62,
        3 << 61,
    ):
        check_poisoned(at, 2)


@case
def f4_a_file_that_begins_at_the_end_of_time():
    check_poisoned(END, 2, before=0)
    check_poisoned(END - 10**8, 5, before=0)


@case
def f4_again_and_again():
    data = section() + nano()
    for i in range(200):
        data += b"".join(enhanced(0, END - (i % 2), udp(60000)) for _ in range(2))
        data += b"".join(enhanced(0, (START + i) * SECOND + k, udp(1000 + i)) for k in range(2))
    flows = read_flows(data, "--flow-idle", "5")
    assert sum(sum(f["packets"]) for f in flows) == 800
    for flow in flows:
        if flow["sport"] != 60000:
            assert abs(flow["first"] - START - (flow["sport"] - 1000)) < 1e-6, flow


@case
def f4_a_flow_over_a_leap_ends_at_its_last_packets_time():
    """Jumps of more than a year, where no time-out parts the flow; also of one last packet."""
    for years in (2, 20, 80):
        for behind in (1, 2, 5):
            leap = years * 365 * 86400 * SECOND
            times = [i * SECOND for i in range(5)] + [leap + i * SECOND for i in range(behind)]
            data = (
                section()
                + nano()
                + b"".join(enhanced(0, START * SECOND + at, udp(1)) for at in times)
            )
            for words in WORKERS:
                (flow,) = read_flows(data, "--flow-idle", "4000000000", *words)
                span = flow["duration"]
                assert flow["first"] == START, (years, behind, flow)
                assert abs(span - times[-1] / SECOND) < 1e-3, (years, behind, words, span)


@case
def f11_spans_of_more_than_2_to_the_63_ns():
    data = (
        section()
        + nano(option(14, struct.pack("<q", -(1 << 63))))
        + nano()
        + enhanced(0, 0, udp(1))
        + enhanced(1, END, udp(2))
    )
    report, p = read_report(data)
    assert p.returncode == 0 and b"runtime error" not in p.stderr, p.stderr
    assert abs(report["packet_seconds"] - 18446744073.7) < 1, report["packet_seconds"]
    text = run("-r", "-", input=data).stdout.decode()
    assert ": 213,503 days 23 h 34 min\n" in text, text
    for form in ("json", "csv", "zeek", "eve", "ecs"):
        out = read_flows(data + enhanced(0, 0, udp(2)) + enhanced(1, END, udp(1)), form=form)
        assert out, form
        for flow in out if form in ("json", "zeek") else []:
            assert flow.get("duration", 0) >= 0, flow


@case
def f11b_an_idle_worker_at_the_end_of_time():
    for at in (END, START * SECOND, -5 * SECOND):
        offset = option(14, struct.pack("<q", -100 if at < 0 else 0))
        data = (
            section()
            + nano(offset)
            + b"".join(
                enhanced(0, at + 100 * SECOND if at < 0 else at, udp(1 + i)) for i in range(2000)
            )
        )
        p = subprocess.Popen(
            [PROGRAM, "-r", "-", "--workers", "1", "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        p.stdin.write(data)
        p.stdin.flush()
        time.sleep(0.5)
        out, errors = p.communicate(timeout=600)
        assert p.returncode == 0 and b"runtime error" not in errors, errors
        assert json.loads(out)["packets"]["delivered"] == 2000


# ---- Before 1970, and without a time ----


@case
def b1_flows_before_1970_end_as_others_do():
    offset = option(14, struct.pack("<q", -1000))
    data = (
        section()
        + interface(offset)
        + enhanced(0, 5 * 10**6, udp(1))
        + enhanced(0, 6 * 10**6, udp(1))
    )
    for words in WORKERS:
        flows = read_flows(data, *words)
        assert [(f["first"], f["end"]) for f in flows] == [(-995.0, "stop")], flows
        report, _ = read_report(data, *words)
        assert report["packet_seconds"] == 1, report["packet_seconds"]
    quiet = data + enhanced(0, 500 * 10**6, udp(2)) + enhanced(0, 501 * 10**6, udp(2))
    assert sorted(f["end"] for f in read_flows(quiet)) == ["idle", "stop"]


@case
def b1_a_connection_across_1970():
    offset = option(14, struct.pack("<q", -10))
    frames = [
        tcp_frame(0, "S", 1, 0),
        tcp_frame(1, "SA", 5, 2),
        tcp_frame(0, "A", 2, 6),
        tcp_frame(0, "FA", 2, 6),
        tcp_frame(1, "FA", 6, 3),
        tcp_frame(0, "A", 3, 7),
    ]
    data = (
        section()
        + interface(offset)
        + b"".join(enhanced(0, i * 4 * 10**6, frame) for i, frame in enumerate(frames))
    )
    flows = read_flows(data)
    assert [(f["first"], f["duration"], f["packets"]) for f in flows] == [(-10.0, 20, [4, 2])], (
        flows
    )


@case
def spb_packets_without_a_time_make_no_span():
    begin = section() + interface()
    timed = [enhanced(0, START * 10**6 + 5 * i, udp(5)) for i in range(3)]
    rows = [
        ([simple(udp(1))], 0),
        ([simple(udp(1)), timed[0]], 0),
        ([timed[0], simple(udp(1))], 0),
        ([simple(udp(1)), simple(udp(2)), timed[0], timed[1]], 5e-6),
        ([timed[0], simple(udp(1)), timed[1], simple(udp(2)), timed[2]], 1e-5),
        ([simple(udp(1))] * 200 + timed, 1e-5),
    ]
    for packets, span in rows:
        for words in WORKERS:
            report, p = read_report(begin + b"".join(packets), *words)
            assert p.returncode == 0, p.stderr
            assert abs(report["packet_seconds"] - span) < 1e-9, (span, report["packet_seconds"])
            assert report["packets"]["delivered"] == len(packets)


@case
def spb_flows_have_the_time_of_the_packets_around():
    timed = enhanced(0, START * 10**6, udp(5))
    for packets in ((simple(udp(1)), timed), (timed, simple(udp(1)), simple(udp(1)))):
        flows = read_flows(section() + interface() + b"".join(packets))
        assert len(flows) == 2 and all(f["first"] == START for f in flows), flows


@case
def time_before_first_packets_belong_to_the_span():
    for times, span in (((5, 0, 7), 7), ((7, 0), 7), ((3, 2, 1, 0), 3), ((0, 9, 4), 9)):
        for words in [*WORKERS, ["--no-flows"]]:
            report, _ = read_report(pcap([(t, udp(1)) for t in times]), *words)
            assert report["packet_seconds"] == span, (times, report["packet_seconds"])


# ---- Clocks of interfaces ----


def two_clocks(apart, packets=300, run_length=3, interfaces=2, step=10**6, ports=None):
    """Interfaces whose packets come in turns of some, each by a clock that is so many seconds ahead of the one before."""
    data = section() + nano() * interfaces
    for k in range(packets):
        which = k // run_length % interfaces
        port = 1 + (which if ports is None else ports)
        at = START * SECOND + k * step + which * apart * SECOND
        data += enhanced(which, at, udp(port))
    return data


def count_flows(data, *words):
    """How many flows there are, the same with any number of workers."""
    counts = {len(read_flows(data, *words, *workers)) for workers in WORKERS}
    assert len(counts) == 1, counts
    return counts.pop()


@case
def f12_two_clocks_apart_tear_no_flow():
    for apart in (9, 11, 31, 400, 86400, 10**9, -11, -400, -86400):
        for run_length in (1, 2, 3, 7, 50, 100):
            got = count_flows(two_clocks(apart, run_length=run_length))
            assert got == 2, (apart, run_length, got)


@case
def f12_many_clocks_apart():
    for interfaces in (3, 5, 40):
        for apart in (31, 400, -400):
            data = two_clocks(apart, packets=60 * interfaces, interfaces=interfaces)
            got = count_flows(data, "--flow-idle", "30")
            assert got == interfaces, (interfaces, apart, got)


@case
def f12_one_flow_seen_on_both_interfaces_is_one():
    for apart in (400, -400):
        assert count_flows(two_clocks(apart, ports=7)) == 1, apart


@case
def f12_times_of_records_are_those_of_the_interface():
    flows = read_flows(two_clocks(400))
    assert sorted(round(f["first"], 3) for f in flows) == [START, START + 400.003], flows
    assert all(0.28 < f["duration"] < 0.3 for f in flows), flows


@case
def f12_an_hour_without_packets_still_ages():
    """The clocks agree, and the first packet of the second interface comes an hour later, as others do then."""
    data = section() + nano() * 2
    hour = 3600 * SECOND
    for k in range(4):
        data += enhanced(0, START * SECOND + k, udp(1))
    for k in range(4):
        data += enhanced(1, START * SECOND + hour + 2 * k, udp(2))
        data += enhanced(0, START * SECOND + hour + 2 * k + 1, udp(1))
    flows = read_flows(data)
    assert sorted(f["sport"] for f in flows) == [1, 1, 2], flows
    assert sorted(sum(f["packets"]) for f in flows) == [4, 4, 4], flows


@case
def f12_a_quiet_interface_is_no_other_clock():
    data = section() + nano() * 2 + enhanced(0, START * SECOND, udp(1))
    data += enhanced(1, (START + 400) * SECOND, udp(1)) + enhanced(
        1, (START + 401) * SECOND, udp(1)
    )
    assert count_flows(data) == 2


@case
def f12_idle_flows_of_both_clocks_end():
    data = section() + nano() * 2
    for k in range(600):
        which = k & 1
        at = (START + which * 400) * SECOND + k * 10**8
        data += enhanced(which, at, udp(1000 + k))
    for words in WORKERS:
        ends = ends_of(read_flows(data, "--flow-idle", "5", *words))
        assert ends["idle"] >= 500 and sum(ends.values()) == 600, ends


@case
def f12_ipv6_and_connections():
    data = section() + nano() * 2
    for k in range(60):
        which = k // 2 & 1
        at = (START + which * 400) * SECOND + k * 10**6
        data += enhanced(which, at, tcp_frame(0, "A", 1 + k, 1, b"x", 40000 + which, v6=True))
    data += enhanced(0, START * SECOND + 10**9, ethernet(udp6(1)))
    assert count_flows(data) == 3


@case
def f12_a_file_behind_a_file_goes_on_with_its_clock():
    """Sections have interfaces of their own: those of the one before are over."""
    for apart in (3600, -3600):
        data = b"".join(
            section()
            + nano()
            + b"".join(
                enhanced(0, (START + which * apart) * SECOND + k * 10**6, udp(1))
                for k in range(100)
            )
            for which in range(2)
        )
        flows = read_flows(data)
        assert sum(sum(f["packets"]) for f in flows) == 200
        firsts = sorted(f["first"] for f in flows)
        assert min(firsts) >= START + min(apart, 0) and len(flows) <= 2, flows


@case
def controls_of_order():
    report, _ = read_report(pcap(spaced(udp(1), udp(2))))
    assert report["packet_seconds"] == 0.01


finish()
