#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""invocations.py PROGRAM OPTIONS: wrong and foreign command lines, and what the program answers.

invocations.tsv has a line for each: number, whose habit it is, the command, the exit code, and the
texts that the answer has, with " / " between them.  In the file {lo} is this machine's loopback
interface and {any} is some word.  A command with "rights" in the last column needs to capture on
the loopback interface, and is skipped where that is forbidden; "linux" is for Linux alone.

options.tsv has a line for each option of the table: a value, and what becomes of the option on a
savefile, on generated traffic, and live on the loopback interface: used, told (a notice says that
the option has no effect), refused, ends (no capture), or any (depends on the user and the machine).
OPTIONS is the lister of the table (tests/packaging/list_options.c).
"""

import os
import re
import shlex
import struct
import subprocess
import sys
import tempfile

from program import PROGRAM, Cases, run

HERE = os.path.dirname(os.path.abspath(__file__))
LOOPBACK = "lo" if sys.platform.startswith("linux") else "lo0"
case = Cases()


def rows(name):
    """Returns the lines of a table as lists of fields."""
    with open(os.path.join(HERE, name), encoding="utf-8") as table:
        return [
            line.rstrip("\n").split("\t")
            for line in table
            if line.strip() and not line.startswith("#")
        ]


def savefile(path, magic=0xA1B2C3D4):
    """Writes a savefile of two packets: a SYN to port 80, and a query to port 53."""
    head = bytes(12) + b"\x08\x00"
    addresses = bytes([10, 0, 0, 1, 10, 0, 0, 2])
    syn = struct.pack(">BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0) + addresses
    syn += struct.pack(">HHIIBBHHH", 40000, 80, 1, 0, 0x50, 2, 1000, 0, 0)
    query = struct.pack(">BBHHHBBH", 0x45, 0, 28, 2, 0, 64, 17, 0) + addresses
    query += struct.pack(">HHHH", 40000, 53, 8, 0)
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 65535, 1))
        for k, packet in enumerate((head + syn, head + query)):
            f.write(struct.pack("<IIII", 1700000000 + k, 0, len(packet), len(packet)) + packet)


def make_files(folder):
    """Makes the files that the commands name."""
    at = lambda name: os.path.join(folder, name)
    for name in ("file.pcap", "a.pcap", "b.pcap"):
        savefile(at(name))
    with open(at("web.filter"), "w") as f:
        f.write("tcp port 80\n")
    with open(at("notes.txt"), "w") as f:
        f.write("hello, these are notes and no packets\n")
    with open(at("list.txt"), "w") as f:
        f.write("a.pcap\nb.pcap\n")
    open(at("empty.pcap"), "w").close()
    with open(at("file.pcap.bz2"), "wb") as f:
        f.write(b"BZh91AY&SY" + bytes(40))
    with open(at("nfcapd.202611290930"), "wb") as f:
        f.write(b"\xa5\x0c\x01\x00" + bytes(300))
    with open(at("directions.pcapng"), "wb") as f:
        f.write(struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28))


def pattern(text):
    """Returns the regular expression for a text of the table."""
    text = text.replace("{lo}", LOOPBACK)
    return r"\S+".join(re.escape(part) for part in text.split("{any}"))


def can_capture():
    """Returns whether this process may capture on the loopback interface."""
    return run("-i", LOOPBACK, "--duration", "0.1", "--quiet").returncode == 0


def check(row, folder):
    """Runs the command of a row and compares the answer."""
    number, _, command, code, says = row[:5]
    words = shlex.split(command.replace("{lo}", LOOPBACK))[1:]
    p = subprocess.run(
        [PROGRAM, *words],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=folder,
        stdin=subprocess.DEVNULL,
        env=dict(os.environ, TZ="UTC"),
        timeout=600,
    )
    told = p.stdout + p.stderr
    wrong = [text for text in says.split(" / ") if not re.search(pattern(text), told)]
    if p.returncode != int(code) or wrong or not says:
        return f"{number}: {command}: exit {p.returncode}, not told: {wrong}, told: {told[:600]}"
    return ""


@case
def every_invocation_is_answered():
    table = rows("invocations.tsv")
    assert len(table) > 250 and len({row[0] for row in table}) == len(table)
    may = can_capture()
    wrong, skipped = [], 0
    with tempfile.TemporaryDirectory() as folder:
        make_files(folder)
        for row in table:
            needs = row[5] if len(row) > 5 else ""
            if needs == "linux" and not sys.platform.startswith("linux"):
                skipped += 1
            elif needs == "rights" and not may:
                skipped += 1
            else:
                try:
                    answer = check(row, folder)
                except subprocess.TimeoutExpired as error:
                    answer = f"{row[0]}: {error}"
                wrong += [answer] if answer else []
    print(f"{len(table)} invocations, {skipped} skipped")
    assert not wrong, "\n".join(wrong)


def notices(p):
    """Returns the messages of a run without their numbers."""
    lines = [line for line in p.stderr.splitlines() if ", link type " not in line]
    return {re.sub(r"\d+", "N", line) for line in lines if line.startswith("bpfengine: ")}


def outcome(option, value, source, usual, folder):
    """Runs an option on a source and returns what became of the option."""
    words = [option] if value == "-" else [option, value]
    if option.startswith("--") and value.startswith("="):
        words = [option + value]
    p = subprocess.run(
        [PROGRAM, *([] if option in ("-i", "-r") else source), *words],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=folder,
        stdin=subprocess.DEVNULL,
        timeout=600,
    )
    if p.returncode:
        return "refused"
    if not re.search(r"packets? read|[0-9] packets?$", p.stdout + p.stderr, re.M) and (
        "delivered" not in p.stdout
    ):
        return "ends"
    return "told" if notices(p) - usual else "used"


def known_options():
    """Returns the first name of each option of the table."""
    text = subprocess.run([sys.argv[2]], capture_output=True, text=True, check=True).stdout
    fields = [line.split("\t") for line in text.splitlines()]
    return ["-" + f[1][0] if f[1] != "-" else "--" + f[0] for f in fields]


@case
def every_option_is_used_told_or_refused():
    table = rows("options.tsv")
    names = known_options()
    assert [row[0] for row in table] == names, set(names) ^ {row[0] for row in table}
    if not sys.platform.startswith("linux"):
        print("options.tsv is Linux's: only the names were compared")
        return
    sources = {
        "savefile": ["-r", "file.pcap"],
        "synth": ["-i", "synth:count=20"],
        "live": ["-i", LOOPBACK] if can_capture() else None,
    }
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        make_files(folder)
        for at, (kind, source) in enumerate(sources.items()):
            if not source:
                continue
            ends = [] if kind != "live" else ["--duration", "0.02"]
            usual = notices(
                subprocess.run(
                    [PROGRAM, *source, *ends], capture_output=True, text=True, cwd=folder
                )
            )
            for row in table:
                stop = [] if row[0] in ("--duration", "-a") else ends
                got = outcome(row[0], row[1], source + stop, usual, folder)
                if row[2 + at] not in ("any", got):
                    wrong.append(f"{row[0]} {row[1]} on {kind}: {got}, not {row[2 + at]}")
    assert not wrong, "\n".join(wrong)


case.finish()
