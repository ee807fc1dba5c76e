#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""text.py PROGRAM: names with characters that a terminal obeys or a spreadsheet computes (F7).

Names of interfaces come with a savefile, names of files with the command line.  No record, report
or message may pass their control characters on.
"""

import csv
import io
import json
import os
import pty
import select
import tempfile
import time

from faultcase import PROGRAM, Skipped, case, finish, read_flows, run
from packets import enhanced, ethernet, interface, option, pcap, section, spaced, udp4
from progress import WAIT, Running

CONTROLS = [
    "\x01",
    "\x07",
    "\t",
    "\n",
    "\r",
    "\x1b[31m",
    "\x7f",
    "\x80",
    "\x85",
    "\x9b",
    "\x9f",
    "\u2028",
    "\u2029",
]
TURNING = ["\u202e", "\u2066", "\u200f"]
SIGNS = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
FORMATS = ("json", "zeek", "eve", "ecs", "csv")


def named(name):
    """A pcapng file of a packet on an interface of that name."""
    return (
        section()
        + interface(option(2, name.encode() if isinstance(name, str) else name))
        + enhanced(0, 1700000000 * 10**6, ethernet(udp4()))
    )


def is_obeyed(character):
    code = ord(character)
    return code < 0x20 or 0x7F <= code < 0xA0 or character in "\u2028\u2029"


def check_clean(text, allowed="\n"):
    bad = [c for c in text if is_obeyed(c) and c not in allowed]
    assert not bad, (bad, text[:400])


@case
def f7_records_have_no_control_characters():
    for control in CONTROLS:
        name = f"a{control}b"
        for form in FORMATS:
            text = read_flows(named(name), form=form) if form == "csv" else None
            if form == "csv":
                check_clean(text.replace("\r\n", "\n"))
                rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
                shown = "".join(f"\\u{ord(c):04x}" if is_obeyed(c) else c for c in name)
                assert len(rows) == 1 and rows[0]["interface"] == shown, (rows, shown)
                continue
            with tempfile.TemporaryDirectory() as d:
                source = os.path.join(d, "in")
                with open(source, "wb") as f:
                    f.write(named(name))
                p = run("-r", source, "--flows", "-", "--flows-format", form, "--quiet")
            raw = p.stdout.decode()
            check_clean(raw)
            (record,) = map(json.loads, raw.splitlines())
            if form in ("json", "eve"):
                assert record["interface" if form == "json" else "in_iface"] == name, record


@case
def f7_a_spreadsheet_computes_nothing():
    for sign in SIGNS:
        for rest in ("1+1", "cmd|' /C calc'!A0", '"x",1'):
            rows = list(
                csv.DictReader(
                    io.StringIO(read_flows(named(sign + rest)[:], form="csv"), newline=""),
                    strict=True,
                )
            )
            field = rows[0]["interface"]
            assert field.startswith("'" + sign), field
    rows = list(
        csv.DictReader(io.StringIO(read_flows(named("eth0-1+2=3@4"), form="csv"), newline=""))
    )
    assert rows[0]["interface"] == "eth0-1+2=3@4", rows


@case
def f7_what_is_no_utf8_is_replaced():
    for name in (
        b"a\xffb",
        b"a\xc2",
        b"\xed\xa0\x80",
        b"\xc0\x9b",
        b"\xe0\x82\x9b",
        b"\xf4\x90\x80\x80",
    ):
        for form in FORMATS:
            with tempfile.TemporaryDirectory() as d:
                source = os.path.join(d, "in")
                with open(source, "wb") as f:
                    f.write(named(name))
                p = run("-r", source, "--flows", "-", "--flows-format", form, "--quiet")
            check_clean(p.stdout.decode().replace("\r\n", "\n"))


def check_messages(*words, codes=(1, 2, 3, 4), **options):
    p = run(*words, **options)
    assert p.returncode in codes, (words, p.returncode, p.stderr)
    for stream in (p.stdout, p.stderr):
        text = stream.decode()  # and it is UTF-8
        check_clean(text)
        assert not set(text) & set(TURNING), text
    return p.stdout.decode(), p.stderr.decode()


@case
def f7_messages_have_no_control_characters():
    for control in [*CONTROLS, *TURNING, "\x1b]0;owned\x07"]:
        name = f"x{control}y"
        for words in (
            ("-r", name),
            ("-i", name),
            ("-i", "bpf:" + name),
            ("-i", "synth:" + name),
            ("-F", name),
            ("--" + name,),
            ("-t", name),
            ("-i", "synth", "-y", name),
            ("-i", "synth", "-Z", name),
            ("-i", "synth", "-f", f'tcp and "{name}"'),
            ("-i", "synth", "host in ./" + name),
            ("-i", "synth", "--flows", name + "/f"),
            ("-i", "synth", "--through", name),
            ("-i", "synth", "--bpf-device", name, "-i", "bpf:lo"),
            ("-d", name),
            ("-i", "bpf:lo", "--bpf-device", "/dev/" + name),
            ("-i", "synth", "--seed", name),
        ):
            _, err = check_messages(*words)
            assert err and "bpfengine: " in err, words


@case
def f7_a_new_line_in_a_name_forges_no_message():
    for words in (
        ("-r", "x\nbpfengine: all is well"),
        ("-i", "x\nbpfengine: all is well"),
        ("-t", "x\nbpfengine: all is well"),
        ("--x\nbpfengine: all is well",),
        ("-i", "synth", "--flows", "x\nbpfengine: all is well/f"),
        ("-F", "x\nbpfengine: all is well"),
    ):
        p = run(*words)
        assert not any(
            line.startswith(b"bpfengine: all is well") for line in p.stderr.splitlines()
        ), p.stderr


@case
def f7_reports_have_no_control_characters():
    for control in [*CONTROLS, *TURNING]:
        if control == "/":
            continue
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, f"a{control}b.pcap")
            with open(path, "wb") as f:
                f.write(pcap(spaced(ethernet(udp4()))))
            out, _ = check_messages("-r", path, "--flows", path + ".flows", "-v", codes=(0,))
            assert "a\\" in out.splitlines()[0], out.splitlines()[0]
            p = run("-r", path, "--json")
            text = p.stdout.decode()
            check_clean(text)
            assert p.returncode == 0 and json.loads(text)["packets"]["read"] == 1
            with open(path, "ab") as f:
                f.write(b"torn")
            check_messages("-r", path, codes=(1,))


@case
def f7_notices_have_no_control_characters():
    """Every snapshot on demand and every rotation names the file."""
    import signal

    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        path = os.path.join(d, "a\x1b[31m\nb")
        with Running([PROGRAM, "-i", "synth:rate=1000,flows=10", "--flows", path]) as p:
            p.wait_for_packets(100)
            p.send_signal(signal.SIGUSR2)
            p.wait_for_message("are written to")
            p.send_signal(signal.SIGHUP)
            time.sleep(0.4)
            p.wait_for_packets(500)
            out, err, _ = p.end()
    check_clean(out.decode())
    check_clean(err)


@case
def f7_top_shows_no_control_characters():
    help_text = run("-i", "synth", "--top")
    if b"no live view" in help_text.stderr:
        raise Skipped("built without curses")
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "a\x1b]0;owned\x07\x9b31mb.pcap")
        with open(path, "wb") as f:
            f.write(pcap(spaced(ethernet(udp4()))))
        pid, fd = pty.fork()
        if not pid:
            os.environ["TERM"] = "xterm"
            os.environ["LC_ALL"] = "C.UTF-8"
            os.execv(PROGRAM, [PROGRAM, "-r", path, "--top"])
        seen, end = b"", time.monotonic() + WAIT
        while b"ENDED" not in seen:
            assert time.monotonic() < end, seen
            if select.select([fd], [], [], 0.05)[0]:
                seen += os.read(fd, 65536)
        os.write(fd, b"q")
        while True:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        os.waitpid(pid, 0)
        os.close(fd)
        assert (
            b"]0;owned\x07" not in seen.replace(b"?]0;owned?", b"") and b"\xc2\x9b" not in seen
        ), seen[-2000:]


finish()
