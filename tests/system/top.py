#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""top.py PROGRAM: the live view on a pseudo-terminal, whose screen pyte reads.

Keys, sizes, signals; at the end the terminal is as before.  Skipped by name (exit code 77) where
pyte is not installed, or the program was built without curses; refusals are tested anyway.
"""

import os, random, re, signal, struct, subprocess, sys, tempfile, termios, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from terminal import PROGRAM, WAIT, View, case, column, finish, missing

SYNTH = ("-i", "synth:rate=20000,flows=200,seed=4")


def state(pid):
    return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0]


def capture(path, packets=300):
    """A savefile of UDP packets of three flows and one TCP connection."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for i in range(packets):
        tcp = i % 4 == 3
        rest = (
            struct.pack(">HHIIBBHHH", 41000, 443, 1000 + i, 7, 0x50, 0x18, 1000, 0, 0) + bytes(8)
            if tcp
            else struct.pack(">HHHH", 5000 + i % 3, 53, 108, 0) + bytes(100)
        )
        p = (
            b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x00"
            + struct.pack(
                ">BBHHHBBH4s4s",
                0x45,
                0,
                20 + len(rest),
                i,
                0,
                64,
                6 if tcp else 17,
                0,
                bytes([10, 9, 8, 7]),
                bytes([192, 0, 2, 33]),
            )
            + rest
        )
        out += struct.pack("<IIII", 1700000000 + i // 100, i * 1000 % 1000000, len(p), len(p)) + p
    open(path, "wb").write(out)


def what_is_refused():
    def run(*words, **options):
        return subprocess.run(
            [PROGRAM, *words], capture_output=True, timeout=600, stdin=subprocess.DEVNULL, **options
        )

    for words, told in (
        (["--top", "5"], b"--largest 5"),
        (["--top=5"], b"--largest 5"),
        (["--top", "--json"], b"stdout"),
        (["--top", "--flows", "-"], b"stdout"),
        (["--top", "--no-flows"], b"contradict"),
        (["--top"], NO_TERMINAL),
    ):
        p = run("-i", "synth:count=10", *words)
        assert p.returncode == 2 and told in p.stderr and not p.stdout, (words, p)
    assert run("-i", "synth:count=10", "-q", "--largest", "5").returncode == 0


MISSING = missing()
NO_TERMINAL = b"libncurses-dev" if "curses" in MISSING else b"no terminal to show"
case(what_is_refused)
if MISSING:
    finish(MISSING)


@case
def terminals_that_cannot():
    for term, told in (
        ("dumb", "cannot move its cursor"),
        ("no-such-terminal", "not known"),
        ("", "TERM is not set"),
    ):
        with View(*SYNTH, "--top", term=term) as v:
            v.end(2)
            assert told in v.text().replace("\n", ""), (term, v.text())


@case
def the_list_and_its_keys():
    with View(*SYNTH, "--top", "--stats-interval", "0.3") as v:
        v.until(r"^originator .* 2 s▼")
        v.until(r"[1-9]\S* k packets/s +\S+ \S?bit/s +\S+( k)? flows")
        v.until(r"^Dropped +kernel 0 +interface - +ring_full 0 +stalled 0 +duplicate 0")
        v.until(r"^Packets/s  (tcp|udp) ")
        v.until(r"^10\.0\.\d+\.\d+:\d+ +19\S+:\d+ +(tcp|udp) ")
        assert v.screen.display[0].startswith("synth (200 flows")
        for key, title, mark in (
            ("b", "bytes", "▼"),
            ("p", "packets", "▼"),
            ("r", "packets", "\u25b2"),
            ("b", "bytes", "\u25b2"),
            ("r", "bytes", "▼"),
        ):
            v.keys(key)
            v.until(f"^originator.* {title}{mark}")

            def is_sorted():
                rows = v.rows()
                values = column(rows, f" {title}", v.head()) if rows else []
                return len(values) > 15 and values == sorted(values, reverse=mark == "▼")

            v.holds((title, mark), is_sorted)
        for title in (
            "packets",
            "retr",
            "rtt ms",
            "time s",
            "2 s",
            "bytes",
        ):  # s goes through them all
            v.keys("s")
            v.until(f"^originator.* {title}▼")
        v.keys("S")
        v.until("^originator.* 2 s▼")
        v.keys("u")
        v.until(r" rates in B/s")
        v.until(r"packets/s +[0-9.]+ \S?B/s")
        v.keys("n")
        v.until(r":(https|ssh|imaps|domain) ")
        v.keys("n")
        v.until(r":(https|ssh|imaps|domain) ", gone=True)
        v.keys("h")
        v.until("^Esc back +space next page")
        v.keys("x")  # no key of the page
        v.keys("\x1b")
        v.until("^originator")
        v.leave()
        assert re.search(rb"\d+ delivered, 0 dropped by bpfengine", v.raw), "no report"


@case
def filters_are_typed():
    with View(*SYNTH, "--top", "--stats-interval", "0.3") as v:
        v.until(r" udp ")
        v.keys("/tcp !established")
        v.until(r"^Filter: tcp !established_")
        v.keys("\r")
        v.until(r'filter "tcp !established"')
        v.holds(
            "filtered",
            lambda: v.rows() and all(" tcp " in r and "established" not in r for r in v.rows()),
        )
        v.keys("/\x15:53\r")
        v.until(r'filter ":53"')
        v.until(r":53 ")
        v.holds("filtered", lambda: all(re.search(r":53 ", r) for r in v.rows()))
        v.keys("/\x7f\x7f\x7f\x7f\x7f\x7fnothing-like-it\r")
        v.until(r" 0/0 ")
        v.keys("/x\x1b")  # Escape brings the old one back, and in the list takes it away
        v.until(r'filter "nothing-like-it"')
        v.keys("\x1b")
        v.until(r'filter "', gone=True)
        v.keys("/" + "y" * 200 + "\r")
        v.until(r'filter "y{63}"')
        v.leave()


@case
def pause_and_cursor():
    with View(*SYNTH, "--top", "--stats-interval", "0.2") as v:
        v.until(r" udp ")
        v.holds("a full list", lambda: len(v.rows()) >= 20)
        v.keys(" ")
        v.until("^PAUSED")

        def stands_still():
            still = v.text()
            v.read(1)
            return v.text() == still

        v.holds("a list that stands still", stands_still)
        still, first = v.text(), v.rows()
        v.holds("the cursor is at home", lambda: v.marked() == first[0])
        for keys, row in (("\x1b[B", 1), ("j", 2), ("j", 3), ("k", 2), ("\x1b[A", 1)):
            v.keys(keys)
            v.until(f" by rate  {row + 1}/")
            v.holds("the cursor has moved", lambda row=row: v.marked() == first[row])
        assert v.rows() == first, "the list has moved"
        v.keys("\x1b[6~")  # page down
        v.until(r" by rate  2\d/")
        v.keys("\x1b[4~")  # end
        place = v.until(r" by rate  (\d+)/\1 ")
        assert int(place.group(1)) > 30, v.text()
        v.keys("\x1b[1~")  # home
        v.until(r" by rate  1/")
        v.holds("the beginning", lambda: v.rows() == first)
        v.keys(" ")
        v.until("^PAUSED", gone=True)
        v.holds("a list that goes on", lambda: v.text() != still)
        v.leave()


@case
def every_size():
    with View(*SYNTH, "--top", "--stats-interval", "0.2") as v:
        v.until("^originator")
        for rows, columns in (
            (24, 80),
            (10, 40),
            (5, 20),
            (3, 10),
            (2, 5),
            (1, 1),
            (1, 200),
            (60, 1),
            (60, 300),
            (2, 80),
            (30, 120),
        ):
            v.resize(rows, columns)
            v.read(0.5)
            assert v.p.poll() is None, (rows, columns)
            if columns >= 40 and rows >= 5:
                v.until("^originator")
                v.holds((rows, columns), lambda rows=rows: len(v.rows()) >= min(rows - 4, 2))
        v.until(r"^10\.\S+ +\S+ +(tcp|udp) .*$")
        v.holds("21 rows", lambda: len(v.rows()) == 21)
        v.leave()
    for size in ((1, 1), (2, 2), (4, 300), (200, 7)):
        with View(*SYNTH, "--top", size=size) as v:
            v.read(0.7)
            v.leave()


@case
def the_other_screen():
    with View(*SYNTH, "--top", term="xterm-256color") as v:
        v.until("^originator")
        assert b"\x1b[?1049h" in v.raw
        v.leave()
        assert b"delivered, 0 dropped by bpfengine" in v.raw.rsplit(b"\x1b[?1049l", 1)[1], (
            "no report, or not on the first screen"
        )


@case
def signals_end_it_well():
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        with View(*SYNTH, "--top") as v:
            v.until("^originator")
            v.p.send_signal(how)
            v.end()
    with View(*SYNTH, "--top") as v:
        v.until("^originator")
        v.keys("\x03")
        v.end()
    with View("-i", "synth:rate=20000", "-t", "1", "--top") as v:
        v.end()


@case
def two_signals_leave_at_once():
    with View(*SYNTH, "--top") as v:
        v.until("^originator")
        v.p.send_signal(signal.SIGSTOP)  # so that both come before it can mind the first
        v.p.send_signal(signal.SIGINT), v.p.send_signal(signal.SIGTERM)
        v.p.send_signal(signal.SIGCONT)
        stop = time.monotonic() + WAIT
        while v.p.poll() is None and time.monotonic() < stop:
            v.read(0.05)
        assert v.p.poll() in (128 + signal.SIGTERM, 128 + signal.SIGINT), v.p.poll()
        v.read(0.1)
        v.restored()


@case
def stop_and_go_on():
    with View(*SYNTH, "--top", "--stats-interval", "0.3", shell=True) as v:
        v.until("^originator")
        pid = v.pid()
        for _ in range(2):
            v.keys("\x1a")
            v.holds("stopped", lambda: state(pid) == "T")
            v.read(0.1)
            v.restored()
            v.screen.reset()
            os.kill(pid, signal.SIGCONT)
            v.until("^originator")
            v.until(r" udp ")
            assert termios.tcgetattr(v.slave) != v.before, "not set again"
        v.screen.reset()
        os.kill(pid, signal.SIGSTOP), os.kill(pid, signal.SIGCONT)  # stopped unasked: drawn anew
        v.until("^originator")
        v.leave()


@case
def plain_terminals():
    with View(*SYNTH, "--top", term="vt100", locale="C") as v:
        v.until(r"^originator .* 2 sv")
        v.leave()
        assert all(b < 0x80 for b in v.raw) and not re.search(rb"\x1b\[[0-9;]*3[0-9]m", v.raw), (
            "more than ASCII, or colours"
        )
    with View(*SYNTH, "--top", term="xterm", locale="C") as v:
        v.until(r"^originator .* 2 sv")
        v.leave()
        assert all(b < 0x80 for b in v.raw) and re.search(rb"\x1b\[[0-9;]*3[0-9]", v.raw), (
            "no colours"
        )


@case
def a_file_and_a_pipe():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "x.pcap")
        os.chmod(d, 0o755)
        capture(path)
        for stdin in (None, open(path, "rb")):
            with View(
                "-r",
                path if stdin is None else "-",
                "--top",
                "--stats-interval",
                "0.3",
                stdin=stdin,
            ) as v:
                v.until("^ENDED")
                v.until(r"^10\.9\.8\.7:41000 +192\.0\.2\.33:443 +tcp .* established ")
                v.holds("4 rows", lambda: len(v.rows()) == 4)
                v.until(r" 4 flows +in all 300 packets")
                v.keys("/:5001\r")
                v.until(r" 1/1 ")
                v.keys("p")
                v.until(r"^originator.* packets▼")
                v.keys("q")
                v.end()
                assert b"300 packets read" in v.raw and b"300 delivered, 0 dropped" in v.raw
    with View("-r", "/nonexistent.pcap", "--top") as v:
        v.end(4)
        assert "no such file" in v.text().replace("\n", "")


@case
def workers_and_rights():
    with View(*SYNTH, "--top", "--workers", "2", "--stats-interval", "0.2") as v:
        v.until(r" udp ")
        status = dict(l.split(":", 1) for l in open(f"/proc/{v.p.pid}/status"))
        threads = len(os.listdir(f"/proc/{v.p.pid}/task"))
        assert threads in (5, 6), (
            threads
        )  # main, asker, reader, two workers, and a sanitizer may have one
        v.resize(20, 100)
        v.until("^originator")
        v.leave()
    if os.geteuid() == 0 and status["Uid"].split()[0] != "0":
        assert status["CapEff"].strip() == "0000000000000000", status["CapEff"]
        print("as uid", status["Uid"].split()[0], "with seccomp", status["Seccomp"].strip())


@case
def the_terminal_goes_away():
    v = View(*SYNTH, "--top")
    v.until("^originator")
    os.close(v.slave), os.close(v.master)
    code = v.p.wait(timeout=600)
    assert code in (0, 1), code


@case
def whatever_is_typed():
    r = random.Random(5)
    keys = list("sSbptrf/ nuhq?\r\x0c\x15\x7f\x1babc!:4gGcwjk12345") + [
        "\x1b[A",
        "\x1b[B",
        "\x1b[5~",
        "\x1b[6~",
        "\x1b[1~",
        "\x1b[4~",
        "\x1b[",
        "\xff",
        "\x00",
    ]
    keys.remove("q")
    with View(*SYNTH, "--top", "--stats-interval", "0.05") as v:
        v.until("^originator")
        for i in range(400):
            v.keys(r.choice(keys))
            if i % 10 == 0:
                v.resize(r.randrange(1, 60), r.randrange(1, 200))
            v.read(0.005)
            assert v.p.poll() is None
        v.p.send_signal(signal.SIGINT)
        v.end()


finish()
