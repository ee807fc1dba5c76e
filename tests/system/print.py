#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""print.py PROGRAM: packets on the standard output: forms, letters, pipes, a full disk, terminals.

Needs no rights.  The last line counts the cases.
"""

import json
import os
import pty
import re
import select
import signal
import subprocess
import tempfile
import threading
import time

from program import PROGRAM, Cases, pcap, run, udp

case = Cases()
WAIT = 550
folder = tempfile.TemporaryDirectory()
UTC = {**os.environ, "TZ": "UTC"}


def savefile(name, packets, times=1):
    """A savefile with the packets, again and again."""
    path = os.path.join(folder.name, name)
    with open(path, "wb") as file:
        file.write(pcap(packets) + pcap(packets)[24:] * (times - 1))
    return path


TEN = savefile("ten.pcap", [udp(n) for n in range(10)])
MANY = savefile("many.pcap", [udp(n) for n in range(10)], 6000)


def number(text):
    """A number with separators, of bytes or text."""
    return int(text.replace(b"," if isinstance(text, bytes) else ",", type(text)()))


def lines_of(*words, **options):
    p = run("-r", TEN, *words, env=UTC, **options)
    assert p.returncode == 0, p
    return p.stdout.decode().splitlines()


def in_terminal(words, environment, seconds=WAIT, until=None):
    """Runs the program with a terminal as standard output: its text, and the text of stderr."""
    ours, theirs = pty.openpty()
    p = subprocess.Popen([PROGRAM, *words], stdout=theirs, stderr=subprocess.PIPE, env=environment)
    os.close(theirs)
    told = []
    reader = threading.Thread(target=lambda: told.append(p.stderr.read()))
    reader.start()
    text, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            more = os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not more:
            break
        text += more
        if until and until(text):
            p.send_signal(signal.SIGINT)
            until = None
    p.wait(timeout=WAIT)
    reader.join()
    os.close(ours)
    return text.decode().replace("\r\n", "\n"), told[0].decode(), p.returncode


@case
def columns_of_our_own_line():
    lines = lines_of("--print")
    assert len(lines) == 10
    assert lines[1] == (
        "22:13:21.000005 -        -   udp    10.0.0.1:1001         > 10.0.0.2:53   "
        "              len 18    dns 0 [0q] (18)"
    ), lines[1]


@case
def the_report_goes_to_stderr_and_counts():
    p = run("-r", TEN, "--print")
    assert p.returncode == 0 and p.stdout.count(b"\n") == 10
    assert b"10 packets printed" in p.stderr and b"10 delivered" in p.stderr, p.stderr
    p = run("-r", TEN, "--print", "-c", "1")
    assert p.stdout.count(b"\n") == 1 and b"\n1 packet printed" in p.stderr, p


@case
def letters_of_time():
    assert lines_of("-t")[0].startswith("-        -   udp ")
    assert lines_of("-tt")[1].startswith("1700000001.000005 ")
    assert lines_of("-ttt")[1].startswith(" 00:00:01.000000 ")
    assert lines_of("-tttt")[1].startswith("2023-11-14 22:13:21.000005 ")
    assert lines_of("-ttttt")[9].startswith(" 00:00:09.000000 ")
    assert lines_of("--nano")[1].startswith("22:13:21.000005000 ")


@case
def other_letters():
    assert lines_of("-#")[9].startswith("   10  22:13:29.000005 ")
    assert "00:00:00:00:00:00 > 00:00:00:00:00:00 10.0.0.1:1000" in lines_of("-e")[0]
    assert lines_of("--print", "-q", "-t")[0].startswith("udp    10.0.0.1:1000 ")
    assert "ttl 64" in lines_of("--print", "-v")[0]
    assert len(lines_of("-x")) == 40 and lines_of("-x")[1].startswith("\t0x0000:  4500 002e ")
    assert lines_of("-xx")[1].startswith("\t0x0000:  0000 0000 ")
    assert lines_of("-X")[3].endswith("  ..............")
    assert lines_of("-A")[1].startswith("E.......@...")


@case
def the_bytes_are_those_of_tcpdump():
    if not any(os.access(os.path.join(d, "tcpdump"), os.X_OK) for d in os.get_exec_path()):
        print("tcpdump is not installed: its bytes are not compared")
        return
    returns = [b"\r", b"ab\rc", b"ab\r\r", b"ab\rcd", b"a\r\n"]
    odd = savefile(
        "odd.pcap",
        [udp(1) + b"a\r\nb\rc\t\x7f\x1b[1m", udp(2) + b"xyz"]
        + [udp(3 + n) + text for n, text in enumerate(returns)],
    )
    for letters in ("-x", "-xx", "-X", "-XX", "-A", "-AA"):
        theirs = subprocess.run(
            ["tcpdump", "-n", "-t", "-r", odd, letters], capture_output=True, timeout=WAIT
        ).stdout
        ours = run("-r", odd, "-t", letters).stdout
        wanted = re.sub(rb"(?m)^IP .*$", b"LINE", theirs)
        found = re.sub(rb"(?m)^-        -   udp .*$", b"LINE", ours)
        assert wanted == found, (letters, wanted, found)


@case
def json_objects():
    for n, line in enumerate(lines_of("--print=json", "-v")):
        packet = json.loads(line)
        assert packet["protocol"] == "udp" and packet["from_port"] == 1000 + n, packet
        assert packet["number"] == n + 1 and packet["wire_length"] == 60, packet
        assert packet["community_id"].startswith("1:"), packet
        assert all(not isinstance(value, dict) for value in packet.values())


@case
def names_of_a_savefile_are_escaped():
    name = b'e\x1b[31m"\\\xff\xc3\xa9'

    def block(kind, body):
        size = len(body) + 12
        return (
            kind.to_bytes(4, "little")
            + size.to_bytes(4, "little")
            + body
            + size.to_bytes(4, "little")
        )

    padded = name + bytes(-len(name) % 4)
    option = b"\2\0" + len(name).to_bytes(2, "little") + padded + bytes(4)
    packet = udp(1)
    body = bytes(12) + len(packet).to_bytes(4, "little") * 2 + packet
    path = os.path.join(folder.name, "named.pcapng")
    with open(path, "wb") as file:
        file.write(block(0x0A0D0D0A, b"\x4d\x3c\x2b\x1a\1\0\0\0" + b"\xff" * 8))
        file.write(block(1, b"\1\0\0\0\0\0\4\0" + option) + block(6, body) * 2)
    p = run("-r", path, "--print", env=UTC)
    assert b"\x1b" not in p.stdout and b"e\\x1b[31m" in p.stdout, p.stdout
    packet = json.loads(run("-r", path, "--print=json").stdout.decode().splitlines()[1])
    assert packet["interface"] == 'e\x1b[31m"\\\ufffdé', packet


@case
def a_pipe_gets_all_lines():
    p = run("-r", MANY, "--print")
    assert p.returncode == 0 and p.stdout.count(b"\n") == 60000
    assert b"60,000 packets printed" in p.stderr


@case
def a_slow_pipe_gets_all_lines():
    p = subprocess.Popen(
        [PROGRAM, "-r", MANY, "--print"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.set_blocking(p.stdout.fileno(), True)
    count = 0
    while True:
        more = os.read(p.stdout.fileno(), 50000)
        if not more:
            break
        count += more.count(b"\n")
    assert count == 60000, count
    assert b"60,000 packets printed" in p.stderr.read()
    assert p.wait(timeout=WAIT) == 0


@case
def a_closed_pipe_ends_the_run_quietly():
    ours, theirs = os.pipe()
    p = subprocess.Popen([PROGRAM, "-i", "synth", "--print"], stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    os.read(ours, 1000)
    os.close(ours)
    told = p.communicate(timeout=WAIT)[1]
    assert p.returncode == 1 and b"not all printed" not in told, (p.returncode, told)
    books = re.search(rb"([\d,]+) packets? printed, ([\d,]+) lost", told)
    read = re.search(rb"([\d,]+) delivered", told)
    assert books and number(books[1]) + number(books[2]) == number(read[1]), told


@case
def a_full_disk_is_an_error_that_counts():
    if not os.path.exists("/dev/full"):
        print("no /dev/full here")
        return
    with open("/dev/full", "wb") as full:
        p = subprocess.run(
            [PROGRAM, "-r", MANY, "--print"], stdout=full, stderr=subprocess.PIPE, timeout=WAIT
        )
    assert p.returncode == 1, p
    told = re.search(rb"all printed: No space left on device; ([\d,]+) of ([\d,]+) are", p.stderr)
    assert told and told[1] == told[2] and number(told[1]) > 0, p.stderr
    assert told[2] == re.search(rb"([\d,]+) delivered", p.stderr)[1], p.stderr


@case
def a_live_source_shows_packets_at_once():
    p = subprocess.Popen(
        [PROGRAM, "-i", "synth:rate=10", "--print"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    first = p.stdout.readline()  # a line comes while the run goes on
    assert b" synth " in first and p.poll() is None, first
    p.send_signal(signal.SIGINT)
    rest, told = p.communicate(timeout=WAIT)
    printed = number(re.search(rb"([\d,]+) packets? printed", told)[1])
    assert p.returncode == 0 and printed == rest.count(b"\n") + 1, told


@case
def count_and_duration_end_a_run():
    p = run("-i", "synth", "-c", "1000", "--print")
    assert p.returncode == 0 and p.stdout.count(b"\n") == 1000, p.stderr
    p = run("-i", "synth:rate=100", "--duration", "0.5", "--print")
    assert p.returncode == 0 and b"packets printed" in p.stderr, p.stderr


@case
def a_reader_that_stands_still_does_not_hold_the_end():
    ours, theirs = os.pipe()
    p = subprocess.Popen(
        [PROGRAM, "-i", "synth", "--print", "--duration", "0.3"],
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    told = p.communicate(timeout=WAIT)[1]
    os.close(ours)
    assert p.returncode == 1 and b"nobody takes them" in told, told


@case
def a_terminal_gets_its_pace_live():
    enough = lambda text: b" more" in text
    text, told, code = in_terminal(
        ["-i", "synth", "--print", "--print-rate", "50"], {**UTC, "NO_COLOR": "1"}, until=enough
    )
    left_out = [number(n) for n in re.findall(r"(?m)^\.\.\. ([\d,]+) more$", text)]
    books = re.search(r"([\d,]+) packets? printed, ([\d,]+) left out", told)
    assert code == 0 and left_out and books, told
    assert sum(left_out) == number(books[2]), (left_out, told)
    assert text.count("\n") - len(left_out) == number(books[1]), told
    assert "\x1b" not in text


@case
def a_terminal_gets_all_of_a_savefile():
    text, told, code = in_terminal(["-r", TEN, "--print", "--print-rate", "6"], UTC)
    assert code == 0 and text.count("\n") == 10 and " more" not in text, (text, told)


@case
def colors():
    environment = {**UTC, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    text, _, _ = in_terminal(["-r", TEN, "--print"], environment)
    assert text.count("\x1b[38;5;") == 10 and text.count("\x1b[39m") == 10, text
    for words, change in (
        ([], {"NO_COLOR": "1"}),
        ([], {"TERM": "dumb"}),
        (["--color", "never"], {}),
    ):
        text, _, _ = in_terminal(["-r", TEN, "--print", *words], {**environment, **change})
        assert "\x1b" not in text and text.count("\n") == 10, (words, change, text)
    assert b"\x1b" not in run("-r", TEN, "--print").stdout
    assert b"\x1b[38;5;" in run("-r", TEN, "--print", "--color", "always").stdout
    assert b"\x1b" not in run("-r", TEN, "--print=json", "--color", "always").stdout


@case
def outputs_that_contradict():
    for words in (["--json"], ["--flows", "-"], ["--top"], ["--workers", "2"]):
        p = run("-r", TEN, "--print", *words)
        assert p.returncode == 2 and not p.stdout and p.stderr, (words, p)


folder.cleanup()
case.finish()
