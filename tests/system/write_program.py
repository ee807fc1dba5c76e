#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""write_program.py PROGRAM: -w in the program: inputs, letters of tcpdump and dumpcap, -z, SIGHUP.

Needs no rights; cases about rights run as root alone.  The last line counts the cases.
"""

import json
import os
import pty
import re
import shutil
import signal
import stat
import struct
import subprocess
import tempfile
import time

from program import PROGRAM, Cases, pcap, run, udp

case = Cases()
WAIT = 550
folder = tempfile.TemporaryDirectory()
ROOT = not os.geteuid()
SYNTH = ("-i", "synth:count=3000", "--quiet")


def place(name):
    """Makes an empty directory that every user may use."""
    path = os.path.join(folder.name, name)
    os.mkdir(path)
    os.chmod(path, 0o777)
    return path


os.chmod(folder.name, 0o755)
TEN = os.path.join(folder.name, "ten.pcap")
with open(TEN, "wb") as file:
    file.write(pcap([udp(n) for n in range(10)]))


def count(path):
    """Returns the packets of a savefile."""
    p = run("-r", path, "--count", "--quiet", text=True)
    assert p.returncode == 0, p
    return int(p.stdout.split()[0].replace(",", ""))


def listed(path):
    """Returns the files of a directory but the ledger."""
    return sorted(name for name in os.listdir(path) if not name.endswith(".jsonl"))


def wait_for(what, process):
    """Waits until what() is true while the process runs."""
    end = time.monotonic() + WAIT
    while not what():
        assert process.poll() is None and time.monotonic() < end, process.poll()
        time.sleep(0.02)


@case
def the_input_is_never_written():
    work = place("input")
    original = open(TEN, "rb").read()
    names = [os.path.join(work, name) for name in ("own.pcap", "link", "hard", "x.part")]
    shutil.copy(TEN, names[0])
    os.symlink(names[0], names[1])
    os.link(names[0], names[2])
    shutil.copy(TEN, names[3])
    for source, target, stdin in (
        (names[0], names[0], None),
        (names[0], names[1], None),
        (names[0], names[2], None),
        (names[1], names[0], None),
        ("-", names[0], names[0]),
        ("-", names[2], names[0]),
        ("/dev/stdin", names[0], names[0]),
        (names[3], names[3][: -len(".part")], None),
    ):
        given = open(stdin, "rb") if stdin else subprocess.DEVNULL
        p = run("-r", source, "-w", target, stdin=given, text=True)
        assert p.returncode == 1 and "name another file" in p.stderr, (source, target, p)
    for name in names:
        assert open(name, "rb").read() == original, name
    assert sorted(os.listdir(work)) == ["hard", "link", "own.pcap", "x.part"]


@case
def outputs_are_different_files():
    work = place("outputs")
    out = os.path.join(work, "x")
    p = run("-r", TEN, "-w", out, "--flows", out, text=True)
    assert p.returncode == 1 and "it is the file of --flows" in p.stderr, p
    open(out, "w").close()
    p = run("-r", TEN, "-w", out, "--flows", out, text=True)
    assert p.returncode == 1 and "name another file" in p.stderr, p
    for words in (("--json",), ("--print",), ("--flows", "-"), ("--top",), ("--count",)):
        p = run("-r", TEN, "-w", "-", *words, text=True)
        assert p.returncode == 2 and not p.stdout and "both want stdout" in p.stderr, p
    p = run("-r", TEN, "-w", "-", "--rotate", "size=1M", text=True)
    assert p.returncode == 2 and "cannot be rotated" in p.stderr, p


@case
def the_standard_output_has_packets_alone():
    p = run("-r", TEN, "-w", "-")
    assert p.returncode == 0 and p.stdout[:4] == b"\n\r\r\n", p
    assert b"10 packets read" in p.stderr and b"Written to -: 10 packets" in p.stderr, p
    path = os.path.join(folder.name, "piped.pcapng")
    with open(path, "wb") as out:
        out.write(p.stdout)
    assert count(path) == 10
    ours, theirs = pty.openpty()
    p = run("-r", TEN, "-w", "-", capture_output=False, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    os.close(ours)
    assert p.returncode == 2 and b"packets would go to the terminal" in p.stderr, p


@case
def tcpdump_s_letters():
    work = place("tcpdump")
    p = run(*SYNTH, "-w", work + "/x.pcap", "-C", "100K", text=True)
    assert p.returncode == 0, p
    names = listed(work)
    assert names == ["x.pcap"] + [f"x.pcap{k}" for k in range(1, len(names))], names
    assert len(names) > 3 and sum(count(os.path.join(work, n)) for n in names) == 3000
    assert all(os.path.getsize(os.path.join(work, n)) <= 100 << 10 for n in names)
    ring = place("tcpdump-ring")
    p = run(*SYNTH, "-w", ring + "/x", "-C", "100K", "-W", "3", text=True)
    assert p.returncode == 0 and listed(ring) == ["x0", "x1", "x2"], (p, listed(ring))
    ten = place("tcpdump-ten")
    p = run(*SYNTH, "-w", ten + "/x", "-C", "0.1M", text=True)
    assert p.returncode == 2, p
    p = run(*SYNTH, "-w", ten + "/x", "-C", "100K", "-W", "10", text=True)
    assert p.returncode == 0 and listed(ten)[0] == "x0", listed(ten)
    timed = place("tcpdump-time")
    packets = os.path.join(timed, "%s.pcap")
    p = run("-r", TEN, "-w", packets, "-G", "4", "-W", "2", text=True)
    assert p.returncode == 0, p
    assert listed(timed) == ["1700000000.pcap", "1700000004.pcap"], listed(timed)
    assert [count(os.path.join(timed, n)) for n in listed(timed)] == [4, 4]


@case
def dumpcap_s_letters():
    work = place("dumpcap")
    names = os.path.join(work, "names")
    p = run(
        *SYNTH,
        *("-w", work + "/x.pcapng", "-b", "filesize:100", "-b", "files:3"),
        *("-b", "printname:" + names),
        text=True,
    )
    assert p.returncode == 0, p
    told = open(names).read().splitlines()
    os.remove(names)
    kept = [os.path.join(work, name) for name in listed(work)]
    assert len(kept) == 3 and told[-3:] == kept and len(told) > 3, (told, kept)
    for number, name in enumerate(told, 1):
        assert re.fullmatch(rf".*/x_0000{number}_\d{{14}}\.pcapng", name), name
    second = place("dumpcap-time")
    p = run(
        *SYNTH,
        *("-w", second + "/x.pcap", "--ring-buffer", "packets:1000"),
        *("-b", "nametimenum:2", "-a", "files:2"),
        text=True,
    )
    assert p.returncode == 0 and len(listed(second)) == 2, (p, listed(second))
    assert all(re.fullmatch(r"x_\d{14}_0000[12]\.pcap", n) for n in listed(second))
    third = place("dumpcap-stop")
    p = run(*SYNTH, "-w", third + "/x.pcap", "-a", "filesize:50", text=True)
    assert p.returncode == 0 and len(listed(third)) == 1, (p, listed(third))
    assert 40000 < os.path.getsize(os.path.join(third, listed(third)[0])) <= 50000


def script(path, text):
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


@case
def a_command_runs_for_each_file():
    work = place("command")
    log = os.path.join(work, "log")
    command = script(
        os.path.join(folder.name, "note"),
        f'echo "$# $1 $(wc -c <"$1")" >>{log}\ncase $1 in *2) exit 3;; *3) kill -9 $$;; esac\n',
    )
    p = run(*SYNTH, "--json", "-w", work + "/x", "-C", "100K", "-z", command, text=True)
    files = [n for n in listed(work) if n != "log"]
    assert p.returncode == 0 and len(files) > 4, (p, files)
    told = [line.split() for line in open(log)]
    assert [line[0] for line in told] == ["1"] * len(files), told
    assert sorted(line[1] for line in told) == [os.path.join(work, n) for n in files], told
    assert all(int(line[2]) == os.path.getsize(line[1]) for line in told), told
    counts = json.loads(p.stdout)["written"]["commands"]
    assert counts == {"good": len(files) - 2, "failed": 2, "not_run": 0}, counts
    assert f"-z {command} {work}/x2: exit code 3" in p.stderr, p.stderr
    assert f"-z {command} {work}/x3: ended by signal 9" in p.stderr, p.stderr
    p = run(*SYNTH, "-w", work + "/y", "-z", "no-such-command", text=True)
    assert p.returncode == 2 and "there is no such command" in p.stderr, p
    p = run(*SYNTH, "-w", "-", "-z", command)
    assert p.returncode == 2 and b"runs a command for each file" in p.stderr, p.stderr


@case
def a_slow_command_stops_no_packet():
    work = place("slow")
    gate = os.path.join(work, "gate")
    command = script(
        os.path.join(folder.name, "waiting"), f"while ! [ -e {gate} ]; do sleep 0.05; done\n"
    )
    words = [PROGRAM, *SYNTH, "--json", "-w", work + "/x", "-C", "100K", "-z", command]
    p = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(listed(work)) > 4, p)
    open(gate, "w").close()
    out, told = p.communicate(timeout=WAIT)
    assert p.returncode == 0 and json.loads(out)["written"]["packets"] == 3000, told


@case
def sighup_ends_a_file():
    work = place("hup")
    words = ["-i", "synth:rate=2000", "--json", "-w", work + "/x-%Y.pcap", "--rotate", "every=1d"]
    p = subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, text=True)
    wait_for(lambda: any(os.path.getsize(os.path.join(work, n)) > 99 for n in listed(work)), p)
    for files in (2, 3):
        p.send_signal(signal.SIGHUP)
        wait_for(lambda files=files: len(listed(work)) == files, p)
    p.send_signal(signal.SIGINT)
    report = json.loads(p.communicate(timeout=WAIT)[0])
    assert p.returncode == 0 and len(listed(work)) == 3, listed(work)
    packets = sum(count(os.path.join(work, name)) for name in listed(work))
    assert packets == report["written"]["packets"] == report["packets"]["delivered"], report


@case
def files_are_for_their_user_alone():
    work = place("modes")
    before = os.umask(0)
    try:
        p = run("-r", TEN, "-w", work + "/x.pcap", "--ledger", text=True)
    finally:
        os.umask(before)
    assert p.returncode == 0 and len(os.listdir(work)) == 2, (p, os.listdir(work))
    for name in os.listdir(work):
        assert stat.S_IMODE(os.stat(os.path.join(work, name)).st_mode) == 0o600, name


@case
def the_remaining_user_makes_the_files():
    if not ROOT:
        print("not root: directories of other users were not tried")
        return
    work = place("rights")
    os.chmod(work, 0o755)
    p = run(*SYNTH, "-Z", "nobody", "-w", work + "/x", "--rotate", "packets=1000", text=True)
    assert p.returncode == 3 and not os.listdir(work), p
    assert f"install -d -m 700 -o nobody {work}/bpfengine" in p.stderr, p.stderr
    p = run(*SYNTH, "-Z", "nobody", "-w", work + "/one.pcap", text=True)
    assert p.returncode == 0 and count(work + "/one.pcap") == 3000, p
    subprocess.run(["install", "-d", "-m", "700", "-o", "nobody", work + "/own"], check=True)
    p = run(*SYNTH, "-Z", "nobody", "-w", work + "/own/x", "--rotate", "packets=1000", text=True)
    assert p.returncode == 0 and len(listed(work + "/own")) == 3, (p, listed(work + "/own"))
    owners = {os.stat(os.path.join(work, "own", n)).st_uid for n in os.listdir(work + "/own")}
    assert owners == {os.stat(work + "/own").st_uid} and 0 not in owners, owners
    shared = place("shared")
    os.chmod(shared, 0o1777)
    for _ in range(2):  # the second run replaces the file of the first
        p = run(*SYNTH, "-Z", "nobody", "-w", shared + "/x.pcap", text=True)
        assert p.returncode == 0 and count(shared + "/x.pcap") == 3000, p


def toeplitz(data):
    """Returns the Toeplitz hash under the symmetric key."""
    key, value = int.from_bytes(b"\x6d\x5a" * 20, "big"), 0
    for bit in range(8 * len(data)):
        if data[bit // 8] & 0x80 >> bit % 8:
            value ^= key >> (320 - 32 - bit) & 0xFFFFFFFF
    return value


def packet_blocks(path):
    """Returns (packet, options) of each enhanced packet block."""
    data, at, found = open(path, "rb").read(), 0, []
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 6:
            captured = struct.unpack_from("<I", data, at + 20)[0]
            place, options = at + 28 + (captured + 3) // 4 * 4, {}
            while place < at + length - 4:
                code, size = struct.unpack_from("<HH", data, place)
                options[code] = data[place + 4 : place + 4 + size]
                place += 4 + (size + 3) // 4 * 4
            found.append((data[at + 28 : at + 28 + captured], options))
        at += length
    return found


@case
def hashes_are_of_the_flow():
    packets = [udp(n) for n in range(3)]
    answers = [p[:26] + p[30:34] + p[26:30] + p[36:38] + p[34:36] + p[38:] for p in packets]
    source, target = (os.path.join(folder.name, n) for n in ("both.pcap", "hash.pcapng"))
    with open(source, "wb") as both:
        both.write(pcap(packets + answers + [bytes(60)]))
    p = run("-r", source, "-w", target, "--write-hash", text=True)
    assert p.returncode == 0, p
    blocks = packet_blocks(target)
    assert len(blocks) == 7 and 3 not in blocks[6][1], blocks
    for k, (packet, options) in enumerate(blocks[:6]):
        wanted = b"\x05" + toeplitz(packets[k % 3][26:38]).to_bytes(4, "big")
        assert options[3] == wanted, (k, options, wanted)


@case
def a_missing_directory_is_told():
    p = run(*SYNTH, "-w", folder.name + "/none/x", text=True)
    assert p.returncode == 1 and "No such file or directory" in p.stderr, p
    p = run(*SYNTH, "-w", folder.name + "/none/x", "--rotate", "size=1M", text=True)
    assert p.returncode == 1 and "No such file or directory" in p.stderr, p


case.finish()
