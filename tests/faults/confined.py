#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""confined.py PROGRAM: the powers of code that took the program over, tried from inside by gdb.

Also the message where half of the confinement is missing.  tests/system/confine.c has the long
list.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from faultcase import PROGRAM, Skipped, case, finish, run
from netns import Capture, join, make_space
from packets import ethernet, pcap, spaced, udp4
from progress import WAIT, wait_until

FRAME = r"\377\377\377\377\377\377\002\002\002\002\002\002\210\265 sent from inside................"


def need(*tools):
    if sys.platform != "linux" or os.geteuid() != 0:
        raise Skipped("needs Linux and root")
    for tool in tools:
        if not shutil.which(tool):
            raise Skipped(f"{tool} is not installed")


def rights(*words):
    return json.loads(run("-i", "synth:count=10", "--json", "--quiet", *words).stdout)["rights"]


def call_inside(pid, *calls):
    """The results of calls made by gdb inside a process."""
    words = [word for call in calls for word in ("-ex", f"call {call}")]
    p = subprocess.run(
        ["gdb", "-q", "-batch", "-nx", "-p", str(pid), "-ex", "set confirm off", *words],
        capture_output=True,
        text=True,
        timeout=WAIT * 5,
    )
    got = re.findall(r"^\$\d+ = (-?\d+)", p.stdout, re.M)
    if len(got) != len(calls):
        raise Skipped("gdb cannot call inside the process: " + (p.stderr or p.stdout)[-200:])
    return list(map(int, got))


def is_confined(pid):
    """Whether each thread of a process has a seccomp filter."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as status:
            if not re.search(r"^Seccomp:\s*2$", status.read(), re.M):
                return False
    return True


def packet_socket(pid):
    """The descriptor of the process's packet socket."""
    with open(f"/proc/{pid}/net/packet", encoding="ascii") as table:
        inodes = {line.split()[8] for line in table.readlines()[1:]}
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:  # closed meanwhile
            continue
        if link.startswith("socket:") and link[8:-1] in inodes:
            return int(name)
    raise AssertionError("no packet socket")


@case
def f5_the_packet_socket_is_not_written_to():
    need("gdb")
    if "seccomp" not in (rights()["confined"] or ""):
        raise Skipped("seccomp is not to be had here")
    here, there = make_space("a"), make_space("b")
    join(here, there, "va", "vb", 84)
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "flows")
        victim = Capture(there, "vb", "--flows", path)
        other = Capture(here, "va", "-f", "ether proto 0x88b5")
        pid = victim.process.pid
        wait_until("no threads", lambda: len(os.listdir(f"/proc/{pid}/task")) > 1)
        wait_until("no seccomp", lambda: is_confined(pid))
        fd = packet_socket(pid)
        got = call_inside(
            pid,
            f'(long)write({fd}, "{FRAME}", 46)',
            f'(long)send({fd}, "{FRAME}", 46, 0)',
            f'(long)pwrite({fd}, "{FRAME}", 46, 0)',
            f"(long)dup2({fd}, 2)",
            f"(long)dup({fd})",
            f"(long)fcntl({fd}, 0, 0)",
            f"(long)fcntl({fd}, 1030, 0)",
            f"(long)dup3({fd}, 1, 0)",
            f'(long)write(0, "{FRAME}", 46)',
        )
        assert all(r < 0 for r in got), got
        victim.end()
        assert victim.code == 0, victim.err
        assert other.end(0)["packets"]["read"] == 0


@case
def f5_control_the_frame_would_have_been_seen():
    need("gdb")
    here, there = make_space("c"), make_space("d")
    join(here, there, "va", "vb", 85)
    victim = Capture(there, "vb", "--no-confine")
    other = Capture(here, "va", "-f", "ether proto 0x88b5")
    pid = victim.process.pid
    wait_until("no threads", lambda: len(os.listdir(f"/proc/{pid}/task")) > 1)
    assert call_inside(pid, f'(long)write({packet_socket(pid)}, "{FRAME}", 46)') == [46]
    victim.end()
    assert other.end(1)["packets"]["read"] == 1


@case
def f6_nothing_is_told_of_a_file_by_its_name():
    need("gdb")
    if "seccomp" not in (rights()["confined"] or ""):
        raise Skipped("seccomp is not to be had here")
    for words in ((), ("-f", "udp")):  # a filter may be read again, which opens some files
        p = subprocess.Popen(
            [PROGRAM, "-i", "synth:rate=100", "-t", "600", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until("no threads", lambda: len(os.listdir(f"/proc/{p.pid}/task")) > 1)
            wait_until("no seccomp", lambda: is_confined(p.pid))
            number = {"x86_64": 262, "aarch64": 79}.get(os.uname().machine)
            calls = [
                '(long)access("/etc/shadow", 0)',
                '(long)readlink("/proc/self/exe", $sp-8192, 9)',
            ]
            if number:
                calls += [
                    f'(long)syscall({number}, {at}, "/etc/shadow", $sp-8192, {flags})'
                    for at in (-100, 0)
                    for flags in (0, 0x1000, 0x1100)
                ]
            got = call_inside(p.pid, *calls)
            assert all(r == -1 for r in got), got
        finally:
            p.kill()
            p.wait()


def half(call, *words):
    """A run of which that system call fails; its exit code and everything that it said."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(pcap(spaced(ethernet(udp4()))))
        f.flush()
        p = subprocess.run(
            [
                "strace",
                "-f",
                "-o",
                "/dev/null",
                "-e",
                f"trace={call}",
                "-e",
                f"inject={call}:error=EPERM",
                PROGRAM,
                "-r",
                f.name,
                *words,
            ],
            capture_output=True,
            text=True,
            timeout=WAIT * 5,
        )
    if "ptrace" in p.stderr:
        raise Skipped("strace may not trace here")
    return p


@case
def g1_half_a_confinement_is_told():
    need("strace")
    whole = rights()
    for call, name in (("landlock_create_ruleset", "Landlock"), ("seccomp", "seccomp")):
        if name not in (whole["confined"] or ""):
            print(f"left out: {name} is not to be had here")
            continue
        p = half(call)
        assert p.returncode == 0, p
        if whole["missing"] is None:
            assert f"confined in part: no {name} (Operation not permitted)" in p.stderr, p.stderr
        p = half(call, "--json")
        told = json.loads(p.stdout)["rights"]
        assert f"no {name}" in told["missing"] and name not in told["confined"], told
        assert f"no {name}" in p.stderr, p.stderr
        assert f"no {name}" not in half(call, "--quiet").stderr


@case
def g1_a_whole_one_says_nothing():
    if rights()["missing"] is not None:
        raise Skipped("half of it is not to be had here")
    p = run("-i", "synth:count=10")
    assert b"confined" not in p.stderr, p.stderr


@case
def f5_outputs_are_written_to_all_the_same():
    """A file that is opened anew, a FIFO, the standard output by its name."""
    need()
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)
        fifo = os.path.join(d, "fifo")
        os.mkfifo(fifo)
        os.chmod(fifo, 0o666)
        reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE)
        p = run("-i", "synth:count=1000,flows=100", "--flows", fifo, "--quiet", "--json")
        lines = len(reader.communicate(timeout=WAIT)[0].splitlines())
        opened = json.loads(p.stdout)["flows"]["opened"]
        assert p.returncode == 0 and lines == opened > 10, (p, lines, opened)
    p = run("-i", "synth:count=1000,flows=100", "--flows", "/dev/stdout", "--quiet", "--json")
    assert p.returncode == 0 and p.stdout.count(b"bpfengine.flow/1") == opened, p


finish()
