#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""quic.py PROGRAM CAPTURES [FILE...]: names of QUIC's flows beside tshark's, on each capture.

Compares server name, ALPN, JA4 (if tshark has it) and version of the flows in which tshark opens a
client's Initial.  Each difference fails the test, and so does a flow that tshark alone names.
Captures in which tshark finds nothing are listed (support/nothing.py); there tshark does not run.
TSHARK is the command to run (default: tshark), as "chroot DIRECTORY tshark".  Ends with
"N passed, N failed"; exit code 77 (skipped) without tshark, the captures, or a library for
cryptography."""

import collections
import concurrent.futures
import json
import os
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import nothing

PROGRAM, CAPTURES = sys.argv[1:3]
TIMEOUT_S = 550
TSHARK = shlex.split(os.environ.get("TSHARK", "tshark"))
FIELDS = [
    "udp.stream",
    "ip.src",
    "ipv6.src",
    "udp.srcport",
    "ip.dst",
    "ipv6.dst",
    "udp.dstport",
    "quic.version",
    "tls.handshake.extensions_server_name",
    "tls.handshake.extensions_alpn_str",
    "tls.handshake.ja4",
]
FOLDERS = ("names", "ndpi", "tcpdump", "apple", "pcapng")
DRAFTS = {0xFF000000 + draft: f"draft-{draft}" for draft in range(27, 35)}
WORDS = {1: "1", 0x6B3343CF: "2", **DRAFTS}


def known_fields():
    out = subprocess.run([*TSHARK, "-G", "fields"], capture_output=True, timeout=TIMEOUT_S)
    there = {line.split("\t")[2] for line in out.stdout.decode().split("\n") if line[:2] == "F\t"}
    return [field for field in FIELDS if field in there]


def flows_of_tshark(path, fields):
    """{(client, port, server, port): row} of the first hello of each flow."""
    if nothing.is_known("quic", path):
        return {}
    command = [*TSHARK, "-n", "-r", "-", "-Y", "quic && tls.handshake.type == 1", "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    with open(path, "rb") as capture:
        done = subprocess.run(command, stdin=capture, capture_output=True, timeout=TIMEOUT_S)
    flows = {}
    for line in done.stdout.decode(errors="backslashreplace").split("\n"):
        row = dict(zip(fields, line.split("\t")))
        if len(row) == len(fields):
            source, target = (row["ip." + e] or row["ipv6." + e] for e in ("src", "dst"))
            key = (source, row["udp.srcport"], target, row["udp.dstport"])
            flows.setdefault(key, row)
    if not flows:
        nothing.note("quic", path)
    return flows


def flows_of_program(path):
    done = subprocess.run(
        [PROGRAM, "-r", path, "--flows", "-", "-q"], capture_output=True, timeout=TIMEOUT_S
    )
    flows = {}
    for line in done.stdout.decode().split("\n"):
        record = json.loads(line) if line else {}
        if record.get("app") == "quic":
            ends = [str(record[name]) for name in ("src", "sport", "dst", "dport")]
            flows.setdefault(tuple(ends), record)
    return flows


def version_word(text):
    """Versions of a packet by tshark, as the program writes them."""
    for word in text.split(","):
        number = int(word, 16)
        yield WORDS.get(number, "0x%08x" % number)


def differences(theirs, ours):
    """(facts that are the same, texts of the others) of a flow."""
    same, different = collections.Counter(), []
    first = lambda field: theirs.get(field, "").split(",")[0]
    pairs = [("server", first("tls.handshake.extensions_server_name"), ours.get("name", ""))]
    if ours.get("name_source", "quic") != "quic":
        pairs = [("server", pairs[0][1], "")]
    if first("tls.handshake.ja4"):
        pairs.append(("ja4", first("tls.handshake.ja4"), ours.get("ja4", "")))
    # The record has as many protocols of the list as find room.
    wanted = theirs.get("tls.handshake.extensions_alpn_str", "")
    alpn = ours.get("alpn", "")
    alpn = ",".join(alpn) if isinstance(alpn, list) else alpn
    if alpn and (wanted + ",").startswith(alpn + ","):
        alpn = wanted
    pairs.append(("alpn", wanted, alpn))
    versions = list(version_word(theirs["quic.version"]))
    version = ours.get("quic_version", "")
    pairs.append(("version", version if version in versions else versions, version))
    for what, wanted, got in pairs:
        if wanted == got:
            same[what] += bool(got)
        else:
            different.append(f"{what}: tshark {wanted!r}, bpfengine {got!r}")
    return same, different


def compare(name, fields):
    path = os.path.join(CAPTURES, name)
    theirs, ours = flows_of_tshark(path, fields), flows_of_program(path)
    same, different = collections.Counter(), []
    for key, row in theirs.items():
        alike, other = differences(row, ours.get(key, {}))
        same.update(alike)
        different += [f"{name} {key}: {text}" for text in other]
    return same, different, len(set(ours) - set(theirs))


def main():
    if not os.path.isdir(CAPTURES) or not shutil.which(TSHARK[0]):
        print("0 passed, 0 failed: there are no captures, or there is no tshark")
        return 77
    about = subprocess.run([PROGRAM, "--version"], capture_output=True, timeout=TIMEOUT_S)
    if b"crypto=none" in about.stdout:
        print("0 passed, 0 failed: the program has no library for cryptography")
        return 77
    files = []
    for folder in FOLDERS:
        where = os.path.join(CAPTURES, folder)
        if os.path.isdir(where):
            files += [f"{folder}/{name}" for name in sorted(os.listdir(where))]
    if len(sys.argv) > 3:
        files = [name for name in files if any(part in name for part in sys.argv[3:])]
    fields, same, failed, more = known_fields(), collections.Counter(), 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for alike, different, ours_alone in pool.map(lambda f: compare(f, fields), files):
            same.update(alike)
            failed += len(different)
            more += ours_alone
            for text in different:
                print("FAILED", text)
    print("the same:", ", ".join(f"{what} {n}" for what, n in sorted(same.items())))
    print(f"{more} flows are told by bpfengine alone: without a hello that tshark opens")
    print(f"{sum(same.values())} passed, {failed} failed")
    return 1 if failed or not same else 0


if __name__ == "__main__":
    sys.exit(main())
