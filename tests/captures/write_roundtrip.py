#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""write_roundtrip.py PROGRAM CAPTURES [--all]: every capture read and written again.

Each file of CAPTURES/index.tsv that libpcap reads whole is written as pcapng, as pcap with
nanoseconds and, every eighth, as pcap with microseconds (-r FILE -w OTHER).  A second
reader (../support/savefile_reader.py) finds the same packets, bytes, lengths, times, link types,
interfaces and comments in the original and in what was written.  Rewriting a written file gives
the same bytes.  The report's books balance.  Of every 24th file, or with --all of each, tcpdump and
capinfos agree on the number of packets, and tshark on times, lengths and comments.  A tool that
is missing is told.  Ends with "N passed, N failed"; exit code 77: there are no captures."""

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))
import savefile_reader  # noqa: E402

TIMEOUT_S = 550
COMMENT = 1
TOOLS_EACH = 24
FIELDS = ("frame.time_epoch", "frame.len", "frame.cap_len", "frame.protocols", "frame.comment")


def rows(captures):
    with open(os.path.join(captures, "index.tsv"), encoding="utf-8") as index:
        next(index)
        for line in index:
            yield line.rstrip("\n").split("\t")


def run(*command):
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S
    )


def write(program, source, target, *options):
    """Rewrites a file; returns the report's member "written"."""
    ran = run(program, "-r", source, "-w", target, "--no-flows", "--json", "--quiet", *options)
    assert ran.returncode == 0, f"{' '.join(ran.args)} ended with {ran.returncode}: {ran.stderr}"
    report = json.loads(ran.stdout)
    written = report["written"]
    unwritten = sum(written["unwritten"].values())
    assert written["offered"] == report["packets"]["read"], "not every packet was offered"
    assert written["offered"] == written["packets"] + unwritten, f"the books: {written}"
    assert not written["waiting"], f"the books: {written}"
    return written


def of_packet(packet, is_whole):
    """What must be equal; of a pcap file without names and comments."""
    comments = [value for code, value in packet.options if code == COMMENT]
    base = (packet.link, packet.caplen, packet.wirelen, packet.data)
    return base + ((packet.name, comments) if is_whole else ())


def compare(original, written, unit, is_whole):
    """Compares packets; times are cut to unit nanoseconds.  A packet without a time has any."""
    assert len(original) == len(written), f"{len(original)} packets became {len(written)}"
    for k, (a, b) in enumerate(zip(original, written)):
        before, after = of_packet(a, is_whole), of_packet(b, is_whole)
        assert before == after, f"packet {k + 1}: {before} became {after}"
        if a.ns is not None:
            most = 2**64 - 1 if is_whole else (2**32 * 10**9 - 1)
            wanted = min(max(a.ns, 0), most) // unit * unit
            assert b.ns == wanted, f"packet {k + 1}: the time {a.ns} became {b.ns}"


def same_bytes(one, two):
    with open(one, "rb") as a, open(two, "rb") as b:
        assert a.read() == b.read(), f"{two} differs from {one}"


def check_pcapng(program, source, folder, original):
    target, again = f"{folder}/a.pcapng", f"{folder}/b.pcapng"
    written = write(program, source, target)
    assert written["packets"] == len(original.packets), f"{written}"
    result = savefile_reader.read(target)
    compare(original.packets, result.packets, 1, True)
    counted = {number: options for number, options in result.statistics}
    assert len(counted) == len(result.interfaces), "an interface has no statistics"
    delivered = sum(
        int.from_bytes(savefile_reader.option(options, 8), sys.byteorder)
        for options in counted.values()
    )
    assert delivered == len(result.packets), f"the statistics say {delivered} packets"
    write(program, target, again)
    same_bytes(target, again)
    return target


def check_pcap(program, source, folder, original, is_thorough):
    """The link type of the first packet is the file's."""
    packets = original.packets
    kept = [p for p in packets if p.link == packets[0].link] if packets else []
    target, again, short = f"{folder}/a.nano", f"{folder}/b.nano", f"{folder}/a.pcap"
    written = write(program, source, target, "--write-format", "pcap-ns")
    assert written["unwritten"]["link_type"] == len(packets) - len(kept), f"{written}"
    compare(kept, savefile_reader.read(target).packets, 1, False)
    if is_thorough:
        write(program, target, again, "--write-format", "pcap-ns")
        same_bytes(target, again)
        write(program, source, short)
        compare(kept, savefile_reader.read(short).packets, 1000, False)
    return target


def tshark_lines(path):
    fields = [word for field in FIELDS for word in ("-e", field)]
    ran = run("tshark", "-n", "-r", path, "-T", "fields", *fields)
    return ran.stdout


def ask_tools(source, ng, pcap):
    """What tools say of the original and of the rewritten files."""
    if shutil.which("tcpdump"):
        said = [run("tcpdump", "-n", "-r", p, "--count").stdout for p in (source, pcap, ng)]
        assert said[0] == said[1] == said[2], f"tcpdump: {said}"
    if shutil.which("tcpdump") and shutil.which("capinfos"):
        ran = run("capinfos", "-M", "-c", "-T", "-r", "-N", ng)
        told = ran.stdout.strip().rpartition("\t")[2]
        assert said[0].startswith(told + " "), f"capinfos: {ran.stdout}{ran.stderr}"
    if shutil.which("tshark"):
        before, after = tshark_lines(source), tshark_lines(ng)
        assert not before or before == after, f"tshark: {before[:300]} became {after[:300]}"


def check(work):
    program, captures, row, number, each = work
    source = os.path.join(captures, row[0])
    with tempfile.TemporaryDirectory() as folder:
        try:
            original = savefile_reader.read(source)
            ng = check_pcapng(program, source, folder, original)
            pcap = check_pcap(program, source, folder, original, number % 8 == 0)
            if number % each == 0 and len({p.link for p in original.packets}) < 2:
                ask_tools(source, ng, pcap)
        except (AssertionError, ValueError) as fault:
            return f"{row[0]}: {str(fault)[:600]}"
    return None


def main():
    program, captures = os.path.abspath(sys.argv[1]), sys.argv[2]
    if not os.path.exists(os.path.join(captures, "index.tsv")):
        print(f"skipped: no captures at {captures}")
        sys.exit(77)
    each = 1 if "--all" in sys.argv else TOOLS_EACH
    whole = [row for row in rows(captures) if row[5] == "ok"]
    work = [(program, captures, row, k, each) for k, row in enumerate(whole)]
    missing = [tool for tool in ("tcpdump", "capinfos", "tshark") if not shutil.which(tool)]
    if missing:
        print("not here:", ", ".join(missing))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(check, work))
    faults = [result for result in results if result]
    for fault in faults:
        print("failed:", fault)
    print(f"{len(results) - len(faults)} passed, {len(faults)} failed")
    sys.exit(bool(faults) or len(results) < 100)


main()
