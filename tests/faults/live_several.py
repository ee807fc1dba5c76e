#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""live_several.py PROGRAM: several interfaces at once, on veth pairs between two namespaces.

Frames are sent on three pairs at the same time.  Every interface has the frames that were sent to
it, in the report, in the printed packets and in the flows; packets come in the order of time; each
interface has its filter; an interface that vanishes leaves the others going, and comes back.
"""

import json
import os
import signal
import tempfile
import threading

from faultcase import PROGRAM, case, finish, run
from netns import Capture, call, count_sockets, join, make_space, start
from progress import WAIT, wait_until
from sender import send

FRAMES = "ether src 02:00:00:00:00:01"  # the sender's
PAIRS = (("va0", "vb0", 91), ("va1", "vb1", 92), ("va2", "vb2", 93))
spaces = []


def make():
    """The two namespaces, joined by three pairs."""
    if not spaces:
        here, there = make_space("m"), make_space("n")
        for first, second, net in PAIRS:
            join(here, there, first, second, net)
        spaces.extend((here, there))
    return spaces


def send_all(*counts, kind="plain"):
    """Sends so many frames on each pair, all at once; returns when they have arrived."""
    here, there = make()
    threads = [
        threading.Thread(target=send, args=(there, second, count, here, first, kind))
        for (first, second, _), count in zip(PAIRS, counts)
        if count
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def by_name(report):
    return {source["name"]: source for source in report["sources"]}


def check_sums(report):
    sources, packets = report["sources"], report["packets"]
    assert packets["read"] == packets["delivered"] + sum(packets["dropped"].values()), packets
    assert sum(s["packets"] for s in sources) == packets["read"], report
    for key in ("received", "dropped"):
        assert sum(s[key] for s in sources) == report["kernel"][key], (key, report)
    assert sum(s["wire_bytes"] for s in sources) == report["bytes"]["wire"], report


@case
def m1_each_interface_has_what_was_sent_to_it():
    here, _ = make()
    for words in ((), ("--workers", "2"), ("--no-flows",)):
        capture = Capture(here, "va0", "-i", "va1,va2", *words, FRAMES)
        wait_until("three sockets", lambda: count_sockets(here) >= 3)
        send_all(3000, 1500, 700)
        report = capture.end(5200)
        check_sums(report)
        counts = {name: source["packets"] for name, source in by_name(report).items()}
        assert counts == {"va0": 3000, "va1": 1500, "va2": 700}, (words, counts)
        ids = {source["interface_id"] for source in report["sources"]}
        assert len(ids) == 3 and capture.code == 0, (report, capture.err)


@case
def m2_filters_belong_to_their_interface():
    here, _ = make()
    words = ("-f", "udp dst port 1", "-i", "va1", "-f", "udp dst port 2 or udp dst port 3")
    capture = Capture(here, "va0", *words, "-i", "va2", FRAMES)
    wait_until("three sockets", lambda: count_sockets(here) >= 3)
    send_all(1200, 1200, 1200, kind="mixed")
    untagged = [i for i in range(1200) if i % 3]  # a filter for UDP does not look behind a tag
    want = {
        "va0": sum(i % 4 == 0 for i in untagged),
        "va1": sum(i % 4 in (1, 2) for i in untagged),
        "va2": 1200,
    }
    report = capture.end(sum(want.values()))
    check_sums(report)
    counts = {name: source["packets"] for name, source in by_name(report).items()}
    assert counts == want, (counts, want)


@case
def m3_packets_come_in_the_order_of_time():
    here, _ = make()
    with tempfile.TemporaryDirectory() as d:
        flows = os.path.join(d, "flows")
        before = count_sockets(here)
        words = ("-i", "va0,va1", "-i", "va2", "--print=json", "--nano", "--flows", flows)
        process = start(here, PROGRAM, *words, "-c", "4500", FRAMES)
        wait_until("three sockets", lambda: count_sockets(here) >= before + 3)
        send_all(1500, 1500, 1500)
        out, error = process.communicate(timeout=WAIT)
        packets = [json.loads(line) for line in out.splitlines()]
        times = [packet["time_ns"] for packet in packets]
        assert len(times) == 4500 and times == sorted(times), error
        for name in ("va0", "va1", "va2"):
            assert sum(packet.get("interface") == name for packet in packets) == 1500, name
        with open(flows, encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        by_interface = {}
        for record in records:
            name = record["interface"]
            by_interface[name] = by_interface.get(name, 0) + sum(record["packets"])
        # a flow of the same addresses and ports is one flow, whatever interface it came by
        assert sum(by_interface.values()) == 4500, by_interface


@case
def m4_vanished_interface_leaves_the_others_going():
    here, there = make()
    join(here, there, "vax", "vbx", 94)
    capture = Capture(here, "vax", "-i", "va0", FRAMES)
    wait_until("two sockets", lambda: count_sockets(here) >= 2)
    send(there, "vbx", 100, here, "vax")
    capture.wait_for_packets(100)
    call("ip", "-n", here, "link", "del", "vax")
    capture.wait_for_message("the other sources go on")
    send_all(500)
    report = capture.end(600)
    check_sums(report)
    sources = by_name(report)
    assert (sources["vax"]["packets"], sources["va0"]["packets"]) == (100, 500), report
    assert sources["vax"]["state"] == "went away" and capture.code == 0, (report, capture.err)


@case
def m5_vanished_interface_comes_back():
    here, there = make()
    join(here, there, "vax", "vbx", 94)
    capture = Capture(here, "vax", "-i", "va0", "--wait-interface", FRAMES)
    wait_until("two sockets", lambda: count_sockets(here) >= 2)
    send(there, "vbx", 100, here, "vax")
    capture.wait_for_packets(100)
    call("ip", "-n", here, "link", "del", "vax")
    capture.wait_for_message("waiting for its return")
    send_all(500)
    join(here, there, "vax", "vbx", 94)
    capture.wait_for_message("interface vax is back")
    send(there, "vbx", 50, here, "vax")
    report = capture.end(650)
    check_sums(report)
    sources = by_name(report)
    assert (sources["vax"]["packets"], sources["va0"]["packets"]) == (150, 500), report
    call("ip", "-n", here, "link", "del", "vax")


@case
def m6_last_interface_that_vanishes_ends_the_run():
    here, there = make()
    join(here, there, "vax", "vbx", 94)
    join(here, there, "vay", "vby", 95)
    capture = Capture(here, "vax", "-i", "vay", FRAMES)
    wait_until("two sockets", lambda: count_sockets(here) >= 2)
    call("ip", "-n", here, "link", "del", "vax")
    capture.wait_for_message("the other sources go on")
    call("ip", "-n", here, "link", "del", "vay")
    capture.end(how=None)
    assert capture.code == 1 and "vay went away" in capture.err, (capture.code, capture.err)


@case
def m7_missing_interface_is_named():
    here, _ = make()
    process = start(here, PROGRAM, "-i", "va0", "-i", "nosuch7")
    _, error = process.communicate(timeout=WAIT)
    assert process.returncode == 4 and "nosuch7" in error, (process.returncode, error)


@case
def m8_confined_run_stops_at_once():
    here, _ = make()
    before = count_sockets(here)
    process = start(here, PROGRAM, "-i", "va0", "-i", "va1", "-q", "--json")
    wait_until("two sockets", lambda: count_sockets(here) >= before + 2)
    send_all(10, 10)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=WAIT)
    report = json.loads(out)
    rights = report["rights"]
    has_to_be = "sanitizer" not in (rights["kept"] or "")
    assert process.returncode == 0 and bool(rights["confined"]) == has_to_be, (error, rights)


@case
def m9_written_file_has_each_interface_with_its_counts():
    here, _ = make()
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)  # the program may become another user
        path = os.path.join(d, "both.pcapng")
        capture = Capture(here, "va0", "-i", "va1", "-w", path, FRAMES)
        wait_until("two sockets", lambda: count_sockets(here) >= 2)
        send_all(800, 300)
        report = capture.end(1100)
        check_sums(report)
        again = run("-r", path, "--print=json", "--nano", "--no-flows", "-q")
        packets = [json.loads(line) for line in again.stdout.splitlines()]
        names = [packet["interface"] for packet in packets]
        assert (names.count("va0"), names.count("va1")) == (800, 300), again.stderr
        times = [packet["time_ns"] for packet in packets]
        assert times == sorted(times)
        read = json.loads(run("-r", path, "--json", "-q").stdout)
        assert read["kernel"]["received"] == report["kernel"]["received"], (read, report)
        assert read["kernel"]["dropped"] == 0, read["kernel"]


finish()
