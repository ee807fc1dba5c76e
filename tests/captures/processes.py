#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""processes.py BPFENGINE CAPTURES: files with processes and all options of packets, written again.

Made files of both byte orders (tests/fuzz/corpus/copy) and Apple's own captures (CAPTURES/apple,
if there are any) are written with -w, and once more from the copy.  The second copy equals the
first byte by byte.  The copy's options have the values of tests/data/process_fields.tsv, which
tshark 4.6.9 printed of the same copies: read by tshark, if the PATH has one of 4.6 or later, and
by a reader in this file.  Apple's captures come out block by block as they were.  Flows name the
processes.  The last line is "N passed, N failed".
"""

import json, os, re, shutil, struct, subprocess, sys, tempfile

BPFENGINE, CAPTURES = sys.argv[1], sys.argv[2]
HERE = os.path.dirname(os.path.abspath(__file__))
MADE = os.path.join(HERE, "..", "fuzz", "corpus", "copy")
RECORDED = os.path.join(HERE, "..", "data", "process_fields.tsv")
SECTION, INTERFACE, PACKET, STATISTICS, PROCESS = 0x0A0D0D0A, 1, 6, 5, 0x80000001
APPLICATION = 4  # the option of a section header
FIELDS = (
    "frame.time_epoch frame.darwin.process_info.pid frame.darwin.process_info.pname "
    "frame.darwin.flags frame.darwin.sc frame.darwin.flow_id frame.darwin.drop.line "
    "frame.darwin.drop.func frame.comment frame.interface_name frame.interface_description "
    "frame.packet_flags_direction frame.drop_count frame.packet_id frame.interface_queue"
).split()
# Flows that name a process: (file, pid, process).
FLOWS = [
    ("radar-74957353", {(1500, "network_test"), (1505, "network_test"), (1524, "network_test"),
                        (1528, "network_test")}),
    ("radar-88502733", {(554, "packetdrill")}),
    ("radar-101007576-iperf", {(53245, "iperf")}),
]  # fmt: skip
passed = failed = 0


def check(what, holds):
    global passed, failed
    passed += bool(holds)
    failed += not holds
    if not holds:
        print("failed:", what)


def write_copy(source, name, folder, *more):
    """Writes the packets of a file to another, and returns the other's path."""
    path = os.path.join(folder, name + ".pcapng")
    command = [BPFENGINE, "-r", source, "-w", path, "-q", *more]
    subprocess.run(command, check=True, capture_output=True, timeout=550)
    return path


def options_of(data):
    """The options in a block: (code, value)."""
    at = 0
    while at + 4 <= len(data):
        code, n = struct.unpack_from("<HH", data, at)
        if not code:
            return
        yield code, data[at + 4 : at + 4 + n]
        at += 4 + (n + 3) // 4 * 4


def blocks_of(path):
    """The blocks of a little-endian file: (type, fixed part, options)."""
    with open(path, "rb") as file:
        data = file.read()
    heads = {SECTION: 16, INTERFACE: 8, PACKET: 20, STATISTICS: 12, PROCESS: 4}
    at = 0
    while at < len(data):
        kind, n = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + n - 4]
        head = heads.get(kind, len(body))
        if kind == PACKET:
            head += (struct.unpack_from("<I", body, 12)[0] + 3) // 4 * 4
        yield kind, body[:head], list(options_of(body[head:]))
        at += n


def same_blocks(source, copy):
    """Whether the copy has the source's blocks, but for the application, statistics and a 0 at the
    end of the names of interfaces and processes."""

    def comparable(path):
        for kind, head, options in blocks_of(path):
            if kind == SECTION:
                options = [o for o in options if o[0] != APPLICATION]
            if kind in (INTERFACE, PROCESS):
                options = [(code, value.rstrip(b"\0")) for code, value in options]
            if kind != STATISTICS:
                yield kind, head, options

    return list(comparable(source)) == list(comparable(copy))


def number(value):
    return int.from_bytes(value, "little")


def fields_here(path):
    """The lines that tshark prints of FIELDS, by this reader."""
    interfaces, processes, lines = [], [], []
    for kind, head, options in blocks_of(path):
        texts = {}
        for code, value in options:
            texts.setdefault(code, []).append(value)
        first = {code: values[0] for code, values in texts.items()}
        if kind == INTERFACE:
            interfaces.append(first)
        if kind == PROCESS:
            processes.append((number(head), first.get(2, b"").rstrip(b"\0").decode()))
        if kind != PACKET:
            continue
        interface, high, low = struct.unpack_from("<III", head)
        described = interfaces[interface]
        digits = described.get(9, b"\6")[0]
        stamp = (high << 32 | low) * 10 ** (9 - digits)
        pid, name = processes[number(first[0x8001])] if 0x8001 in first else ("", "")
        words = {code: number(value) for code, value in first.items() if len(value) <= 8}
        lines.append(
            "\t".join(
                [
                    f"{stamp // 10**9}.{stamp % 10**9:09d}",
                    str(pid),
                    name,
                    f"0x{words[0x8004]:08x}" if 0x8004 in words else "",
                    str(words.get(0x8002, "")),
                    f"0x{words[0x8005]:08x}" if 0x8005 in words else "",
                    str(words.get(0x8008, "")),
                    first.get(0x8009, b"").decode(),
                    ",".join(value.decode() for value in texts.get(1, [])),
                    described.get(2, b"unknown").decode(),
                    described.get(3, b"").decode(),
                    f"0x{words[2] & 3:08x}" if 2 in words else "",
                    str(words.get(4, "")),
                    str(words.get(5, "")),
                    str(words.get(6, "")),
                ]
            )
        )
    return lines


def find_tshark():
    """A tshark that knows Apple's blocks, or None."""
    path = os.environ.get("TSHARK") or shutil.which("tshark")
    if not path:
        return None
    told = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    version = re.search(r"(\d+)\.(\d+)\.", told)
    return path if version and tuple(map(int, version.groups())) >= (4, 6) else None


def fields_by(tshark, path):
    command = [tshark, "-r", path, "-T", "fields"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, capture_output=True, text=True, timeout=550, check=True).stdout
    return out.splitlines()


def check_flows(source, want):
    command = [BPFENGINE, "-r", source, "--flows", "-", "--process", "-q"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=550, check=True).stdout
    flows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    got = {(f["pid"], f["process"]) for f in flows if "pid" in f}
    check(f"{source}: flows name {got}, not {want}", got == want)


def main():
    recorded = {}
    with open(RECORDED) as file:
        for line in file:
            if not line.startswith("#"):
                name, fields = line.rstrip("\n").split("\t", 1)
                recorded.setdefault(name, []).append(fields)
    apple = os.path.join(CAPTURES, "apple")
    sources = {name: os.path.join(MADE, "seed-" + name) for name in ("little", "big", "sections")}
    for name, want in FLOWS:
        if os.path.exists(path := os.path.join(apple, name + ".pcapng")):
            sources[name] = path
            check_flows(path, want)
    tshark = find_tshark()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # a program of root's makes the files of a rotation as nobody
        for name, source in sources.items():
            copy = write_copy(source, name, folder)
            again = write_copy(copy, name + ".again", folder)
            with open(copy, "rb") as one, open(again, "rb") as two:
                check(f"{name}: the copy of the copy differs", one.read() == two.read())
            if name.startswith("radar"):
                check(f"{name}: blocks differ", same_blocks(source, copy))
            if "--record" in sys.argv:
                recorded[name] = fields_by(tshark, copy)
            here = fields_here(copy)
            check(f"{name}: values differ from tshark's", here == recorded[name])
            if tshark:
                check(f"{name}: tshark", fields_by(tshark, copy) == recorded[name])
            check_rotation(source, name, folder, here)
    if "--record" in sys.argv:
        with open(RECORDED, "w") as file:
            print("# What tshark 4.6.9 prints of copies: name, then", *FIELDS, file=file)
            for name, lines in recorded.items():
                for line in lines:
                    print(name, line, sep="\t", file=file)
    if not tshark:
        print("skipped: no tshark of 4.6 or later in the PATH; its recorded answers were compared")
    if len(sources) == 3:
        print("skipped: no captures of Apple's")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


def check_rotation(source, name, folder, want):
    """Files of three packets each have the processes of their packets, from 0 on."""
    path = os.path.join(folder, "files-" + name + "-%Y.pcapng")
    command = [BPFENGINE, "-r", source, "-w", path, "--rotate", "packets=3", "-q"]
    subprocess.run(command, check=True, capture_output=True, timeout=550)
    parts = []
    with open(os.path.join(folder, f"files-{name}.jsonl")) as ledger:
        for line in map(json.loads, ledger):
            parts += [line["name"]] if line["event"] == "complete" else []
    got = [line for part in parts for line in fields_here(os.path.join(folder, part))]
    check(f"{name}: {len(parts)} files of three packets have other values", got == want)
    check(f"{name}: {len(parts)} files", len(parts) == (len(want) + 2) // 3)


main()
