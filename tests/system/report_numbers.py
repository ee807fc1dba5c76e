#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""report_numbers.py PROGRAM: what the numbers of reports, lines and notices mean, and how people
read them: rates by packet time, cut packets, the width of a terminal, JSON beside the text.

Needs no rights.  The last line counts the cases.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios

from program import Cases, PROGRAM, balanced, pcap, report, run, udp

case = Cases()


def timed(times, length=60):
    """A savefile of packets at these seconds."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for i, t in enumerate(times):
        micro = round(t * 1e6)
        packet = udp(i % 50)[:length]
        out += struct.pack("<IIII", micro // 10**6, micro % 10**6, len(packet), 60) + packet
    return out


def reread(times, *words, length=60):
    """Reads a savefile of packets at these seconds: (JSON report, text report, messages)."""
    r, p = report("-r", "-", *words, input=timed(times, length))
    assert p.returncode == 0, p
    p = run("-r", "-", *words, input=timed(times, length))
    return balanced(r), p.stdout.decode(), p.stderr.decode()


START = 1700000000  # 2023-11-14T22:13:20Z


@case
def rates_of_a_savefile_are_by_packet_time():
    r, text, _ = reread([START + i / 10 for i in range(101)])
    rates = r["rates"]["by_packet_time"]
    assert r["packet_seconds"] == 10 and rates["packets_per_second"] == 10.1, r
    assert rates["bits_per_second"] == 10.1 * 480 and r["rates"]["packets_per_second"] > 10.1, r
    assert r["first_packet"] == "2023-11-14T22:13:20.000000000Z", r
    assert r["last_packet"] == "2023-11-14T22:13:30.000000000Z", r
    assert "First packet at 2023-11-14T22:13:20.000000Z, last at 2023-11-14T22:13:30" in text
    assert ": 10.000 s\nBy the packets' time: 10 packets/s, 4.8 kbit/s\nRead in " in text, text
    r, text, _ = reread([START, START + 3723])
    assert ": 1 h 02 min 03 s\n" in text and "0.00 packets/s, 0 bit/s" in text, text
    r, text, _ = reread([START])
    assert r["rates"]["by_packet_time"] is None and "By the packets" not in text, text
    assert "1 packet read, 60 bytes" in text and ": 0.000000 s\n" in text, text
    r, text, _ = reread([])
    assert r["first_packet"] is None and r["last_packet"] is None and "First packet" not in text
    assert r["rates"]["by_packet_time"] is None and "0 packets read" in text, text


@case
def clocks_that_step_and_packets_without_time():
    r, text, _ = reread([0, START, 0, START + 10, 0])
    assert r["packet_seconds"] == 10 and r["rates"]["by_packet_time"]["packets_per_second"] == 0.5
    r, text, _ = reread([0, 0])
    assert r["first_packet"] is None and "First packet" not in text, text
    back = [START + 3600 + i for i in range(20)] + [START + i for i in range(20)]
    r, text, _ = reread(back)
    assert r["packet_seconds"] == 3619 and r["rates"]["by_packet_time"]["packets_per_second"] > 0
    assert r["flows"]["time_steps"] and "(their clock jumped)" in text, text


@case
def intervals_of_a_savefile_count_packet_time():
    times = [START + i / 10 for i in range(35)] + [START + 60 + i for i in range(3)]
    lines = reread(times, "--stats-interval", "1")[2].splitlines()
    assert lines[0].startswith("bpfengine: reading from the standard input, link type EN10MB")
    assert len(lines) == 9, lines
    assert lines[1].startswith("2023-11-14T22:13:21.000000Z: 10 packets, 10 packets/s, 4,800 bit/s")
    assert lines[2].startswith("2023-11-14T22:13:22.000000Z: 20 packets, 10 packets/s, "), lines
    assert lines[4].startswith("2023-11-14T22:13:24.000000Z: 35 packets, 5 packets/s, "), lines
    assert lines[5] == "no packets for 56.000 s", lines
    assert lines[6].startswith("2023-11-14T22:14:21.000000Z: 36 packets, 1 packets/s, "), lines
    assert lines[8].startswith("2023-11-14T22:14:22.000000Z: 38 packets, "), lines
    # A clock that went back begins anew, and does not pour an hour into an interval.
    back = [START + 3600 + i for i in range(3)] + [START + i for i in range(3)]
    lines = reread(back, "--stats-interval", "1")[2].splitlines()[1:]
    assert any(line == "the packets' clock went back by 1 h 00 min 02 s" for line in lines), lines
    rates = [int(n) for n in re.findall(r", ([\d,]+) packets/s", "\n".join(lines))]
    assert rates and max(rates) <= 2, lines
    # Two clocks by turns: the steps are told for a while only.
    lines = reread([START + 7200 * (i % 2) for i in range(1000)], "--stats-interval", "1")[2]
    assert lines.count("went back") == 16 and lines.count("\n") < 100, lines
    # A wrong date in the middle, and packets without one.
    lines = reread([START, 0, 4 * 10**9, 0, START + 1, START + 2], "--stats-interval", "1")[2]
    assert "no packets for 26,620 days" in lines and lines.count("\n") < 12, lines
    p = run("-r", "-", "--stats-interval", "1", "--workers", "2", input=timed([START]))
    assert p.returncode == 2 and b"leave out --workers" in p.stderr, p


@case
def cut_packets_are_not_damaged():
    for length in (10, 14, 20, 33, 34, 41, 42, 59):
        r, text, _ = reread([START + i for i in range(10)], "--checksums", length=length)
        assert not any(r["malformed"].values()) and "Damaged" not in text, (length, text)
        assert r["cut"]["packets"] == 10 and "Cut short by the capture: 10 packets" in text, text
        assert r["cut"]["headers"] == (10 if length < 42 else 0), (length, r["cut"])
        assert "damaged" not in r["protocols"] and not r["checksums"]["verified"], r
        assert r["checksums"]["cut"] == (10 if length >= 34 else 0), (length, r["checksums"])
    whole, text, _ = reread([START], "--checksums")
    assert whole["cut"] == {"packets": 0, "headers": 0} and "Cut short" not in text, whole
    assert whole["checksums"] == {"verified": 1, "cut": 0}, whole
    assert "Checksums: 1 packet verified, 0 not verified" in text, text
    for length in ("10", "30", "54", "64"):
        r, _ = report("-i", "synth:count=3000", "-s", length, "--checksums")
        assert not any(balanced(r)["malformed"].values()), (length, r["malformed"])


@case
def flow_memory_without_room_is_refused():
    p = run("-i", "synth:count=1000", "--flow-memory", "1")
    least = int(
        re.search(
            rb"bpfengine: --flow-memory of 1 holds no flow: the least is (\d+) bytes", p.stderr
        )[1]
    )
    assert p.returncode == 2 and not p.stdout, p
    assert run("-i", "synth:count=10", "--flow-memory", str(least - 1)).returncode == 2
    r, p = report("-i", "synth:count=1000", "--flow-memory", str(least))
    assert balanced(r)["flows"]["opened"] and r["flows"]["peak"] == 1 and p.returncode == 0, r
    assert [n for n in r["notices"] if "not 1000000 (--max-flows)" in n], r["notices"]
    p = run("-i", "synth:count=10", "--workers", "8", "--flow-memory", str(least))
    assert p.returncode == 2 and b"for 8 flow tables" in p.stderr, p


@case
def notices_are_never_lost():
    words = ("-i", "synth:count=10", "--promiscuous")
    told = run(*words).stderr.decode()
    for quiet in ((), ("--quiet",)):
        r, p = report(*words, *quiet)
        assert len(r["notices"]) == 1 and "promiscuous" in r["notices"][0], r["notices"]
        assert (r["notices"][0].encode() in p.stderr) == (not quiet), p.stderr
    assert r["notices"][0] in told and "notices_more" not in r, told
    p = run(*words, "--quiet")
    assert not p.stderr and f"\nNotices\n  {r['notices'][0]}\n" in p.stdout.decode(), p.stdout
    assert b"Notices" not in run(*words).stdout  # they stand on stderr
    r, _ = report("-i", "synth:count=10")
    assert r["notices"] == [], r["notices"]


@case
def errors_name_no_step_of_the_program():
    for words, told in ((("-i", "eht0"), "eht0"), (("-r", "/nonexistent"), "/nonexistent")):
        p = run(*words)
        assert p.returncode in (3, 4) and p.stderr.startswith(f"bpfengine: {told}".encode()), p
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"this is a text, and no savefile\n")
        file.flush()
        assert run("-r", file.name).stderr.startswith(b"bpfengine: /"), file.name
        assert run("-r", file.name, "-v").stderr.startswith(b"bpfengine: open: "), file.name


@case
def largest_flows_by_their_last_period():
    r, _ = report("-i", "synth:count=100")
    assert r["top_flows_of"] == "whole_flow", r["top_flows_of"]
    words = ("-i", "synth:count=100", "--flows", os.devnull, "--flow-active", "5")
    assert report(*words)[0]["top_flows_of"] == "last_period"
    assert b"Largest flows alive at the end, by their last period" in run(*words).stdout


def on_a_terminal(columns, *words, **environment):
    """What the program prints on a terminal of so many columns."""
    leader, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    p = subprocess.Popen(
        [PROGRAM, *words], stdout=terminal, stderr=terminal, env={**os.environ, **environment}
    )
    os.close(terminal)
    text = b""
    try:
        while piece := os.read(leader, 65536):
            text += piece
    except OSError:
        pass  # the other end is closed
    os.close(leader)
    assert p.wait(timeout=600) == 0, text
    return text.decode().replace("\r\n", "\n")


@case
def tables_fit_the_terminal():
    words = ("-i", "synth:count=3000,ipv6=100", "--quiet", "--largest", "20")
    for columns in (60, 80, 100, 200):
        text = on_a_terminal(columns, *words)
        table = text.split("Largest flows")[1].splitlines()[1:]
        assert len(table) >= 21, text
        wide = [line for line in table if len(line) > max(columns, 72)]
        assert not wide, (columns, wide)
    piped = run(*words).stdout.decode().split("Largest flows")[1].splitlines()[1:]
    assert len(piped) == 21 and max(map(len, piped)) > 100, piped
    ends = {end for line in piped[1:] for end in re.findall(r"\[\S+\]:\d+", line)}
    assert all(end in on_a_terminal(60, *words) for end in ends), ends
    columns = on_a_terminal(0, *words, COLUMNS="200").split("Largest flows")[1]
    assert columns.count("\n") < 24 < on_a_terminal(0, *words).count("\n"), columns


@case
def the_live_line_fits_the_terminal():
    for columns in (30, 80, 200):
        text = on_a_terminal(columns, "-i", "synth:rate=5000", "--duration", "1")
        shown = re.findall(r"\r\x1b\[K([^\r\n]+)", text)
        shown = [line for line in shown if not line.startswith("synth ")]  # the report's first
        assert shown and all(0 < len(line) < columns for line in shown), (columns, shown)
        assert all(" packets" in line for line in shown), shown
    assert re.search(r"packets/s  \S+ ?\S*bit/s  dropped: kernel \S+, bpfengine 0  ", text), text


@case
def the_first_line_names_the_source():
    p = run("-i", "synth:count=1", "-s", "100")
    assert p.stderr.endswith(b"link type EN10MB (Ethernet), snap length 100 bytes\n"), p.stderr
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(pcap([udp(1)]))
        f.flush()
        line = f"bpfengine: reading from {f.name}, link type EN10MB (Ethernet)\n".encode()
        assert run("-r", f.name).stderr == line
        assert not run("-r", f.name, "--quiet").stderr
        text = on_a_terminal(200, "-r", f.name)
        assert text.startswith(line.decode()[:-1] + " (--print shows packets)\n"), text
        assert "(--print shows" not in on_a_terminal(200, "-r", f.name, "--print"), text


@case
def the_text_has_the_numbers_of_the_json():
    words = ("-i", "synth:count=20000,seed=5", "--seed", "5")
    r, _ = report(*words)
    text = run(*words).stdout.decode()
    for n, rest in (
        (r["packets"]["read"], " packets read, "),
        (r["bytes"]["wire"], " bytes on the wire, "),
        (r["packets"]["delivered"], " delivered, 0 dropped by bpfengine\n"),
        (r["flows"]["opened"], " opened, "),
    ):
        assert f"{n:,}{rest}" in text, (n, rest, text)
    for name, p in r["protocols"].items():
        line = rf"^  {re.escape(name)} +{p['packets']:,} +{p['bytes']:,} +[\d.]+%$"
        assert re.search(line, text, re.M), (line, text)
    for f in r["top_flows"]:
        assert f"{sum(f['packets']):,}  " in text and f["src"] in text, (f, text)
    echo = [f for f in report(*words, "--largest", "9999")[0]["top_flows"] if "icmp_id" in f]
    assert echo and all(f["proto"].startswith("icmp") for f in echo)
    shown = [
        line
        for line in run(*words, "--largest", "9999").stdout.decode().splitlines()
        if re.search(r"  icmp6?  ", line)
    ]
    assert any("echo, id " in line for line in shown), shown
    assert not any(re.search(r"\d\.\d+:\d+ |\]:\d", line) for line in shown), shown
    for word in (" 0/s", "0bit/s", "dropped by us"):
        assert word not in text, (word, text)


case.finish()
