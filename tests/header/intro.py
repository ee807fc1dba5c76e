#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""intro.py LIBRARY COMPILER...: builds the two programs in the introduction of bpfengine.h as
they stand, and runs them.

The engine's program captures synth instead of en0 for a moment; the capture's program reads a
savefile of three packets, two of them TCP."""

import os, re, struct, subprocess, sys, tempfile

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
LIBRARY, COMPILER = os.path.abspath(sys.argv[1]), sys.argv[2:]
passed = failed = 0


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("failed:", what)


def read_programs():
    """Returns the programs in the header's first comments, which are indented by five blanks."""
    header = open(os.path.join(TOP, "include/bpfengine.h")).read()
    comment = header[: header.index("#ifndef")]
    blocks = re.findall(r"(?:^ \* {5}\S?.*\n)+", comment, re.M)
    return [re.sub(r"^ \* {5}", "", block, flags=re.M) for block in blocks]


def write_savefile(path):
    """Writes two TCP packets and a UDP packet, Ethernet, 60 bytes each."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for protocol in (6, 17, 6):
            ip = struct.pack(
                ">BBHHHBBH4s4s",
                0x45,
                0,
                46,
                1,
                0,
                64,
                protocol,
                0,
                b"\x0a\0\0\x01",
                b"\x0a\0\0\x02",
            )
            frame = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip
            tcp = struct.pack(">HHIIBBHHH", 1, 2, 3, 4, 0x50, 2, 5, 0, 0)
            frame = (frame + tcp).ljust(60, b"\0")
            f.write(struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame)


def run_program(text, where, name):
    source, program = f"{where}/{name}.c", f"{where}/{name}"
    with open(source, "w") as f:
        f.write("#include <bpfengine.h>\n#include <stdio.h>\n" + text)
    folder = os.path.dirname(LIBRARY)
    built = subprocess.run(
        [*COMPILER, "-std=c11", "-Wall", "-Werror", source, "-o", program]
        + ["-I", f"{TOP}/include", LIBRARY, f"-Wl,-rpath,{folder}"],
        capture_output=True,
        text=True,
    )
    check(built.returncode == 0, f"{name} does not compile: {built.stderr}")
    if built.returncode:
        return ""
    ran = subprocess.run([program], cwd=where, capture_output=True, text=True, timeout=600)
    check(ran.returncode == 0, f"{name} ended with {ran.returncode}: {ran.stdout} {ran.stderr}")
    return ran.stdout


def main():
    programs = read_programs()
    check(len(programs) == 2, f"{len(programs)} programs in the introduction")
    engine, capture = programs
    check(max(p.count("\n") for p in programs) <= 20, "a program is longer than 20 lines")
    # No interface of that name is here, and ten seconds are long.
    engine = engine.replace('"en0"', '"synth:count=100,flows=7"')
    with tempfile.TemporaryDirectory() as where:
        lines = run_program(engine, where, "engine").splitlines()
        known = [l for l in lines if l.startswith('{"schema":"bpfengine.flow/1"')]
        check(len(lines) > 5 and known == lines, f"{len(lines)} flows, {len(known)} well formed")
        write_savefile(f"{where}/trace.pcap")
        lines = run_program(capture, where, "capture").splitlines()
        check(lines == ["60 bytes"] * 2, f"packets: {lines}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
