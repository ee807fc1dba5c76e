#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""live_names.py PROGRAM: interfaces with names that stand for something else, and one that is down."""

import json
import os
import tempfile

from faultcase import PROGRAM, Skipped, case, finish, run
from netns import WAIT, Capture, call, make_space, start
from progress import Running

BENCH = os.path.join(os.path.dirname(PROGRAM), "bpfbench")
MAGIC = ("synth", "any", "pair", "if", "bpf")
SEND = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind((sys.argv[1], 0))
for i in range(int(sys.argv[2])): s.send(b"\\xff" * 6 + b"\\2\\0\\0\\0\\0\\1" + b"\\x88\\xb5" + bytes(46))
"""
NEW = "ether proto 0x88b5"


def pairs(*names):
    """A namespace with an interface of each name, and its other end as o0, o1 and so on."""
    space = make_space("n")
    for k, name in enumerate(names):
        call("ip", "-n", space, "link", "add", name, "type", "veth", "peer", "name", f"o{k}")
        for end in (name, f"o{k}"):
            call("ip", "-n", space, "link", "set", end, "up")
    return space


def send(space, interface, count):
    p = start(space, "python3", "-c", SEND, interface, str(count))
    _, error = p.communicate(timeout=WAIT)
    assert not error, error


def inside(space, *words):
    p = start(space, PROGRAM, *words)
    out, error = p.communicate(timeout=WAIT)
    return out, error, p.returncode


@case
def s1_an_interface_called_as_something_else_is_captured():
    space = pairs(*MAGIC)
    for k, name in enumerate(MAGIC):
        capture = Capture(space, f"if:{name}", "-f", NEW)
        send(space, f"o{k}", 30)
        report = capture.end(30)
        assert report["packets"]["read"] == 30, (name, report["packets"], capture.err)
        assert report["source"].startswith(f"interface {name} ("), report["source"]
        assert report["linktype"] == "EN10MB" and capture.code == 0, report


@case
def s1_synth_alone_is_the_interface_where_there_is_one():
    space = pairs("synth")
    capture = Capture(space, "synth", "-f", NEW)
    send(space, "o0", 10)
    report = capture.end(10)
    assert report["packets"]["read"] == 10 and "synth is an interface here" in capture.err
    out, error, code = inside(space, "-i", "synth:", "-c", "7", "--json")
    assert code == 0 and json.loads(out)["packets"]["read"] == 7, error
    out, error, code = inside(space, "-i", "synth:flows=3", "-c", "7", "--json")
    assert code == 0 and json.loads(out)["source"].startswith("synth"), error


@case
def s1_without_one_synth_is_made_up_as_before():
    p = run("-i", "synth", "-c", "9", "--json")
    assert p.returncode == 0 and json.loads(p.stdout)["packets"]["read"] == 9, p
    assert p.stderr.startswith(b"bpfengine: generating synth "), p
    p = run("-i", "if:synth", "-c", "9")
    assert p.returncode == 4 and b"no such interface" in p.stderr, p
    p = run("-i", "if:", "-c", "9")
    assert p.returncode != 0 and b"name is empty" in p.stderr, p


@case
def s1_the_list_gives_each_a_name_to_open():
    space = pairs("synth", "any")
    out, error, code = inside(space, "-L", "--json")
    listed = {i["name"]: i for i in json.loads(out)}
    assert code == 0 and len(listed) == len(json.loads(out)), (out, error)
    assert {"if:synth", "if:any", "any", "synth:", "lo", "o0", "o1"} == set(listed), sorted(listed)
    assert listed["synth:"]["description"] == "generated traffic" and listed["if:synth"]["index"]
    out, _, _ = inside(space, "-L")
    assert "if:synth " in out and "synth: " in out and "if:any " in out, out
    names = [i["name"] for i in json.loads(run("-L", "--json").stdout)]
    assert "synth" in names and "any" in names, names


@case
def s1_netmask_flows_and_filters_know_the_interface():
    space = pairs("any")
    call("ip", "-n", space, "addr", "add", "10.9.0.1/24", "dev", "any")
    out, error, code = inside(space, "-d", "-i", "if:any", "ip broadcast")
    assert code == 0 and "0xff" in out, (out, error)
    plain, _, _ = inside(space, "-d", "-i", "if:o0", "ip6 and tcp")
    prefixed, _, _ = inside(space, "-d", "-i", "o0", "ip6 and tcp")
    assert plain == prefixed != ""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "flows")
        capture = Capture(space, "if:any", "-f", "udp", "-c", "1", "--flows", path)
        packet = (
            "import socket; s = socket.socket(2, 2); s.setsockopt(1, 6, 1); "
            "s.sendto(b'x', ('10.9.0.255', 9))"
        )
        start(space, "python3", "-c", packet).communicate(timeout=WAIT)
        capture.end(how=None)
        with open(path, encoding="utf-8") as lines:
            flows = [json.loads(line) for line in lines]
        assert [flow["interface"] for flow in flows] == ["any"], flows


@case
def s1_bpfbench_knows_them_too():
    if not os.path.exists(BENCH):
        raise Skipped("no bpfbench")
    space = pairs("synth", "pair")
    for source, what in (
        ("if:pair", "interface pair"),
        ("if:synth", "interface synth"),
        ("synth", "interface synth"),
        ("synth:", "synth ("),
        ("synth:flows=3", "synth (3"),
    ):
        with tempfile.NamedTemporaryFile(suffix=".json") as result:
            p = start(space, BENCH, "-i", source, "-t", "0.2", "-q", "-o", result.name)
            _, error = p.communicate(timeout=WAIT)
            # 5: an idle interface gives no sample that is large enough to be judged.
            assert p.returncode in (0, 5), (source, error)
            found = json.load(result)["findings"]["source"]
        assert found.startswith(what), (source, found)


@case
def down_an_interface_that_is_down_is_told():
    space = make_space("d")
    call("ip", "-n", space, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    out, error, code = inside(space, "-i", "v0", "-t", "0.3", "--json")
    assert code == 0 and "v0 is down" in error, error
    assert json.loads(out)["interface_down"] is True, out
    out, error, code = inside(space, "-i", "v0", "-t", "0.3")
    assert "interface is down" in out and "v0 is down" in error, (out, error)
    for end in ("v0", "v1"):
        call("ip", "-n", space, "link", "set", end, "up")
    out, error, code = inside(space, "-i", "v0", "-t", "0.3", "--json")
    assert json.loads(out)["interface_down"] is False and "down" not in error, (out, error)
    for source, told in (("any", False), ("synth:count=5", False)):
        out, error, code = inside(space, "-i", source, "-t", "0.3", "--json")
        assert json.loads(out)["interface_down"] is told and "down" not in error, (out, error)


@case
def down_one_that_comes_up_while_it_is_captured():
    space = make_space("u")
    call("ip", "-n", space, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    words = [PROGRAM, "-i", "v0", "-f", NEW, "--json"]
    capture = Running(["ip", "netns", "exec", space, *words])
    capture.wait_for_message("v0 is down")
    for end in ("v0", "v1"):
        call("ip", "-n", space, "link", "set", end, "up")
    capture.wait_for_message("v0 is up")
    send(space, "v1", 5)
    capture.wait_for_packets(5)
    report = json.loads(capture.end()[0])
    assert report["packets"]["read"] == 5 and report["interface_down"] is False, report


finish()
