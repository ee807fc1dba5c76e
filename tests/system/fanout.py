#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fanout.py PROGRAM: processes that share an interface (--fanout), between two network namespaces.

The test makes a veth pair itself.  Needs root and iproute2; skipped by name (exit code 77) without.
Two processes join a group, and their books and flows are compared with what was sent.  The last
line counts the cases."""

import json, os, signal, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import sender
from pair import Cases, count_sockets, delete_spaces, make_link, make_spaces, sh
from progress import Running, read_counts, wait_until

PROGRAM = os.path.abspath(sys.argv[1])
A, B = f"bpefa{os.getpid()}", f"bpefb{os.getpid()}"
FRAMES, FLOWS = 2000, 50  # of sender.CODE
# 50 datagrams of 1,608 bytes with the UDP header, from ports of their own, in two fragments each.
FRAGMENTS = r"""
import socket, struct
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("va", 0))
for i in range(50):
    data = struct.pack(">HHHH", 5000 + i, 9, 1608, 0) + bytes(1600)
    for place, more in ((0, 0x2000), (800, 0)):
        part = data[place:place + 800] if more else data[place:]
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(part), i, more | place // 8, 64, 17, 0)
        ip += bytes([10, 77, 0, 1, 10, 77, 0, 2])
        total = sum(struct.unpack(">10H", ip))
        total = (total & 65535) + (total >> 16)
        ip = ip[:10] + struct.pack(">H", ~total & 65535) + ip[12:]
        out.send(b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0" + ip + part)
"""
cases = Cases(after=lambda: wait_until("sockets that close", lambda: not count_sockets(B)))


class Member(Running):
    """The program in a group, ready for packets."""

    def __init__(self, *words, sockets=1):
        before = count_sockets(B)
        super().__init__(["ip", "netns", "exec", B, PROGRAM, "--json", *words])
        cases.captures.append(self)
        self.wait_for("no socket", lambda: count_sockets(B) >= before + sockets)
        self.wait_for_report("the capture does not begin", lambda told: " read, " in told)

    def stop(self):
        """Ends the run; returns its report."""
        out, self.err, self.code = super().end(signal.SIGINT)
        r = json.loads(out)
        k = r["packets"]
        assert k["read"] == k["delivered"] + sum(k["dropped"].values()) and k["in_flight"] == 0, k
        assert self.code == 0 and r["kernel"]["dropped"] == 0, (self.code, r["kernel"])
        return r


def refused(*words):
    """The message of a program that cannot begin, and its exit code."""
    command = ["ip", "netns", "exec", B, PROGRAM, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode and not done.stdout, done
    return done.stderr, done.returncode


def send(n=FRAMES):
    sender.send(A, "va", n, B, "vb")


def ask_count(member):
    """The packets that the member has read by now."""
    asked = len(read_counts(member.read_messages()))
    member.wait_for_report("a report", lambda told: len(read_counts(told)) > asked)
    return read_counts(member.read_messages())[-1]


def end_all(members, count):
    """The reports of members that read so many packets together; none may come after them."""
    wait_until(f"{count} packets", lambda: sum(ask_count(m) for m in members) >= count)
    time.sleep(0.3)
    return [m.stop() for m in members]


def end_counts(members, count):
    """The packets that each of the members has read."""
    return [r["packets"]["read"] for r in end_all(members, count)]


def read_flows(path):
    """The flows of a file: {ports: packets}."""
    flows = {}
    for line in open(path, encoding="utf-8"):
        r = json.loads(line)
        ports = r["sport"], r["dport"]
        assert ports not in flows, r
        flows[ports] = sum(r["packets"])
    return flows


def share_flows(*words):
    """Two processes by hash: returns the source of one, after the books are compared."""
    with tempfile.TemporaryDirectory() as d:
        paths = [os.path.join(d, name) for name in ("one", "two")]
        members = [Member("--fanout", "7", "--flows", path, *words) for path in paths]
        send()
        reports = end_all(members, FRAMES)
        counts = [r["packets"]["read"] for r in reports]
        assert sum(counts) == FRAMES and all(counts), counts
        assert [r["kernel"]["received"] for r in reports] == counts, (counts, reports)
        one, two = (read_flows(path) for path in paths)
        assert not one.keys() & two.keys() and len(one) + len(two) == FLOWS, (one, two)
        assert set(one.values()) | set(two.values()) == {FRAMES // FLOWS}, (one, two)
        return reports[0]["source"]


def a_flow_comes_to_one_process():
    source = share_flows("-i", "vb")
    assert "group 7 by hash" in source, source


def filters_hold_in_a_group():
    share_flows("-i", "vb", "-f", "udp port 9")


def any_can_be_shared():
    share_flows("-i", "any", "-f", "udp port 9")


def both_directions_come_to_one_process():
    with tempfile.TemporaryDirectory() as d:
        paths = [os.path.join(d, name) for name in ("one", "two")]
        members = [Member("-i", "vb", "--fanout", "7", "--flows", p, "-f", "udp") for p in paths]
        send(FLOWS)
        answer = sender.CODE.replace(
            "5000 + i % 50, 1 + i % 4 if mixed else 9", "9, 5000 + i % 50"
        ).replace("*hosts)", "*hosts[::-1])")
        assert answer.count("[::-1]") == 1 and "9, 5000" in answer
        words = ["vb", "plain", str(FLOWS), A, "va"]
        command = ["ip", "netns", "exec", B, sys.executable, "-c", answer, *words]
        dropped = sender.count_backlog_drops()
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode == sender.LOST and sender.count_backlog_drops() > dropped:
            raise sender.LostFrames(done.stdout.strip())
        assert not done.returncode and not done.stderr, done
        counts = end_counts(members, 2 * FLOWS)
        assert sum(counts) == 2 * FLOWS and all(counts), counts
        one, two = (read_flows(path) for path in paths)
        assert len(one) + len(two) == FLOWS and not one.keys() & two.keys(), (one, two)
        assert set(one.values()) | set(two.values()) == {2}, (one, two)


def fragments_come_as_a_datagram():
    members = [Member("-i", "vb", "--fanout", "7", "-f", "udp") for _ in range(2)]
    command = ["ip", "netns", "exec", A, sys.executable, "-c", FRAGMENTS]
    dropped = sender.count_backlog_drops()
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    try:
        reports = end_all(members, 50)
    except TimeoutError as e:
        if sender.count_backlog_drops() > dropped:
            raise sender.LostFrames("fragments") from e
        raise
    sums = [sum(r["bytes"]["wire"] for r in reports), sum(r["flows"]["opened"] for r in reports)]
    assert sums == [50 * (14 + 20 + 1608), 50], reports


def in_turns():
    members = [Member("-i", "vb", "--fanout", "7:lb") for _ in range(2)]
    send()
    counts = end_counts(members, FRAMES)
    assert counts == [FRAMES // 2, FRAMES // 2], counts


def one_process_alone_gets_all():
    for mode in ("hash", "lb", "cpu", "qm"):
        members = [Member("-i", "vb", "--fanout", f"0:{mode}")]
        send(100)
        assert end_counts(members, 100) == [100], mode


def groups_are_by_number():
    members = [Member("-i", "vb", "--fanout", group) for group in ("7", "65535")]
    send(100)
    assert end_counts(members, 200) == [100, 100]


def several_interfaces_have_groups_of_their_own():
    words = "-i", "vb", "-i", "vc", "--fanout", "7"
    members = [Member(*words, sockets=2) for _ in range(2)]
    send()
    counts = end_counts(members, FRAMES)
    assert sum(counts) == FRAMES and all(counts), counts
    text, code = refused("-i", "vb", "-i", "vc", "--fanout", "65535")
    assert code == 2 and "group 65535 plus 1, the place of vc, is above 65535" in text, text


def contradictions_are_told():
    member = Member("-i", "vb", "--fanout", "7")
    for words, told in (
        (("vb", "7:lb"), "group 7 has another mode than lb, or another interface than vb"),
        (("vc", "7"), "group 7 has another mode than hash, or another interface than vc"),
        (("any", "7"), "another interface than any: give all its members the same of both"),
        (("vb", "65536"), "--fanout wants a group from 0 to 65535"),
        (("vb", "-1"), "--fanout wants a group"),
        (("vb", "7:"), '--fanout 7: the mode is hash, lb, cpu or qm, not ""'),
        (("vb", "7:rollover"), 'the mode is hash, lb, cpu or qm, not "rollover"'),
    ):
        text, code = refused("-i", words[0], "--fanout", words[1])
        assert code == 2 and told in text, (words, code, text)
    text, code = refused("-i", "synth:count=5", "--fanout", "7")
    assert code == 4 and "--fanout cannot be used here: the source is no interface" in text, text
    member.stop()


def a_removed_interface_ends_the_run():
    member = Member("-i", "vb", "--fanout", "7", "--wait-interface")
    try:
        send(100)
        member.wait_for_packets(100)
        sh(f"ip -n {A} link del va")
        out, err, code = member.end(None)
    finally:
        if not has_link():
            make_link(A, B)
    r = json.loads(out)
    assert code == 1 and r["packets"]["read"] == 100 and "went away" in r["error"], (code, r, err)
    assert "--wait-interface has no effect here: the kernel binds no socket of a group" in err, err


def has_link():
    command = ["ip", "-n", A, "link", "show", "va"]
    return not subprocess.run(command, capture_output=True, check=False).returncode


make_spaces(A, B, "fanout")
try:
    make_link(A, B)
    sh(f"ip -n {B} link add vc type veth peer name vd")
    for dev in ("vc", "vd"):
        sh(f"ip -n {B} link set {dev} up arp off")
    cases(
        a_flow_comes_to_one_process,
        filters_hold_in_a_group,
        any_can_be_shared,
        both_directions_come_to_one_process,
        fragments_come_as_a_datagram,
        in_turns,
        one_process_alone_gets_all,
        groups_are_by_number,
        several_interfaces_have_groups_of_their_own,
        contradictions_are_told,
        a_removed_interface_ends_the_run,
    )
finally:
    delete_spaces(A, B)
cases.finish()
