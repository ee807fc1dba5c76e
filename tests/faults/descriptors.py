#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""descriptors.py PROGRAM: programs that are started with standard descriptors closed (X1, X2).

What is printed must never reach a device, a socket or another file, and a report that is lost is an
error.  The live cases need Linux, root and iproute2, and skip without.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile

from faultcase import PROGRAM, Skipped, case, finish
from netns import call, make_space, start
from packets import ethernet, pcap, spaced, udp4
from progress import WAIT, wait_until

CLOSED = ["", "0", "1", "2", "01", "02", "12", "012"]
FILE = pcap(spaced(*(ethernet(udp4(1000 + i)) for i in range(20))))


def close_and_run(closed, *words, space=None, **options):
    """The program with those standard descriptors closed: (exit code, stdout, stderr)."""
    inside = ["ip", "netns", "exec", space] if space else []
    tail = " ".join({"0": "<&-", "1": ">&-", "2": "2>&-"}[c] for c in closed)
    p = subprocess.run(
        [*inside, "sh", "-c", f'exec "$@" {tail}', "sh", *words],
        capture_output=True,
        timeout=WAIT,
        **{"stdin": subprocess.DEVNULL, **options},
    )
    return p.returncode, p.stdout, p.stderr


def check_records(path):
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert all(json.loads(line)["schema"] == "bpfengine.flow/1" for line in lines), lines[:3]
    return len(lines)


@case
def x2_only_records_stand_in_the_flows_file():
    with tempfile.TemporaryDirectory() as d:
        source, flows = os.path.join(d, "in"), os.path.join(d, "flows")
        with open(source, "wb") as f:
            f.write(FILE)
        for closed in CLOSED:
            for words in ((), ("--json",), ("--quiet",), ("--workers", "1")):
                code, out, err = close_and_run(
                    closed, PROGRAM, "-r", source, "--flows", flows, *words
                )
                told = (closed, words, code, out, err)
                assert check_records(flows) == 20, told
                assert code == ("1" in closed), told
                assert bool(out) == ("1" not in closed), told
                lost, quiet = b"standard output is closed", "--quiet" in words
                assert (lost in err) == ("1" in closed and "2" not in closed), told
                assert (b"reading from" in err) == (not quiet and "2" not in closed), told


@case
def x2_what_cannot_be_written_is_an_error():
    with tempfile.TemporaryDirectory() as d:
        source = os.path.join(d, "in")
        with open(source, "wb") as f:
            f.write(FILE)
        for words in (
            ("-r", source),
            ("-r", source, "--json"),
            ("-r", source, "--flows", "-"),
            ("-r", source, "--flows", "/dev/stdout"),
            ("-L",),
            ("--help",),
            ("--version",),
            ("-d", "tcp"),
            ("-ddd", "tcp"),
            ("--explain", "tcp"),
            ("-L", "--json"),
        ):
            for closed in ("1", "12", "01", "012"):
                code, _, err = close_and_run(closed, PROGRAM, *words)
                assert code == 1 and bool(err) == ("2" not in closed), (words, closed, code, err)
        code, _, err = close_and_run("0", PROGRAM, "-r", "-")
        assert code == 4 and b"standard input" in err, (code, err)


@case
def x2_an_output_opened_for_reading_is_an_error():
    with open("/dev/null", "rb") as null:
        p = subprocess.run(
            [PROGRAM, "-i", "synth:count=10"], stdout=null, stderr=subprocess.PIPE, timeout=WAIT
        )
    assert p.returncode == 1 and b"was not written" in p.stderr, p


@case
def x1_no_report_is_sent_as_frames():
    here, there = make_space("c"), make_space("d")
    if not shutil.which("tcpdump"):
        raise Skipped("needs tcpdump")
    for space in (here, there):
        call("ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
    call(
        "ip",
        "link",
        "add",
        "va",
        "netns",
        here,
        "type",
        "veth",
        "peer",
        "name",
        "vb",
        "netns",
        there,
    )
    for space, name in ((here, "va"), (there, "vb")):
        call("ip", "-n", space, "link", "set", name, "up", "arp", "off")
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        flows, frames = os.path.join(d, "flows"), os.path.join(d, "frames")
        for closed in CLOSED:
            for words in (
                (),
                ("--json", "-Z", "root"),
                ("--stats-interval", "0.1", "--no-flows"),
                ("--flows", flows, "--stats-interval", "0.1"),
            ):
                dump = start(
                    here,
                    "tcpdump",
                    "-Z",
                    "root",
                    "-n",
                    "-i",
                    "va",
                    "-U",
                    "-w",
                    frames,
                    "--immediate-mode",
                    stderr=subprocess.PIPE,
                )
                wait_until("tcpdump does not listen", lambda: os.path.exists(frames))
                code, out, err = close_and_run(
                    closed, PROGRAM, "-i", "vb", "-t", "0.4", *words, space=there
                )
                dump.send_signal(signal.SIGINT)
                dump.communicate(timeout=WAIT)
                told = (closed, words, code, out, err)
                assert os.path.getsize(frames) == 24, ("frames were sent", told)
                os.unlink(frames)
                assert code == ("1" in closed) and bool(out) == ("1" not in closed), told
                if os.path.exists(flows):
                    check_records(flows)
                    os.unlink(flows)


finish()
