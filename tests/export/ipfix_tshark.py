#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ipfix_tshark.py PROGRAM WRITER: the flows of all captures in every form of the encoder, judged by
tshark's dissector of NetFlow and IPFIX: nothing malformed, and the same fields in the same order as
our own reader has (ipfix_reader.py), which ipfix.py holds against the JSON records.

Skipped (77) without tshark or captures.  Ends with "N passed, N failed"."""

import os
import struct
import subprocess
import sys
import tempfile

import ipfix
import ipfix_reader
from peers import program

PORT = 4739
# Elements, and the fields of tshark.
FIELDS = {
    (0, 8): "cflow.srcaddr",
    (0, 12): "cflow.dstaddr",
    (0, 27): "cflow.srcaddrv6",
    (0, 28): "cflow.dstaddrv6",
    (0, 7): "cflow.srcport",
    (0, 11): "cflow.dstport",
    (0, 4): "cflow.protocol",
    (0, 6): "cflow.tcpflags",
    (0, 1): "cflow.octets",
    (0, 2): "cflow.packets",
    (0, 136): "cflow.flow_end_reason",
    (0, 148): "cflow.flow_id",
    (0, 239): "cflow.biflow_direction",
    (0, 58): "cflow.vlanid",
}
FORMS = ("plain", "biflow", "ntop", "cesnet", "own", "nine", "five")


def write_savefile(path, messages):
    """A savefile of raw IP: each message as a datagram."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for k, message in enumerate(messages):
            length = 28 + len(message)
            ip = struct.pack(">BBHHHBBH", 0x45, 0, length, k & 0xFFFF, 0, 64, 17, 0)
            ip += bytes([192, 0, 2, 1, 192, 0, 2, 2])
            udp = struct.pack(">HHHH", 50000, PORT, 8 + len(message), 0)
            out.write(struct.pack("<IIII", 1700000000 + k, 0, length, length) + ip + udp + message)


def run_tshark(tshark, path, arguments):
    run = subprocess.run(
        [tshark, "-n", "-r", path, "-d", f"udp.port=={PORT},cflow", *arguments],
        capture_output=True,
        text=True,
        timeout=ipfix.TIMEOUT_S,
        check=True,
    )
    return run.stdout.splitlines()


def plain_value(text):
    """A value of tshark's, as our reader has it."""
    try:
        return int(text, 0)
    except ValueError:
        return text


def judge(tshark, form, folder):
    """The faults of a form, and how many values were compared."""
    messages = list(ipfix_reader.messages_of(os.path.join(folder, form)))
    path = os.path.join(folder, form + ".pcap")
    write_savefile(path, messages)
    faults = [
        f"{form}: {line}"
        for line in run_tshark(
            tshark, path, ["-Y", "_ws.malformed || _ws.expert.severity >= 6291456"]
        )
    ]
    names = list(FIELDS.values())
    arguments = ["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;", "-E", "separator=|"]
    for name in names:
        arguments += ["-e", name]
    lines = run_tshark(tshark, path, arguments)
    if len(lines) != len(messages):
        faults.append(f"{form}: {len(lines)} messages in place of {len(messages)}")
    reader = ipfix_reader.Reader(ipfix.PEN)
    compared = 0
    for place, (message, line) in enumerate(zip(messages, lines)):
        rows = reader.message(message)
        for (key, name), told in zip(FIELDS.items(), line.split("|")):
            # The reverse elements of a biflow have the same fields.
            keys = (key, (ipfix_reader.REVERSE, key[1]))
            wanted = [row[k] for row in rows for k in keys if k in row]
            found = [plain_value(text) for text in told.split(";") if text]
            compared += len(wanted)
            if found != wanted:
                faults.append(f"{form}: message {place}: {name} is {found[:9]}, not {wanted[:9]}")
    return faults, compared


def main():
    tshark = program("tshark")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        ipfix.write(sys.argv[2], folder)
        for form in FORMS:
            faults, compared = judge(tshark, form, folder)
            for fault in faults[:10]:
                print(fault[:300])
            print(f"{form}: {compared} values, {len(faults)} faults")
            failed += bool(faults) or not compared
    print(f"{len(FORMS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
