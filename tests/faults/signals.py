#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""signals.py PROGRAM: signals at odd moments, lost terminals, rates, starts without entropy."""

import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from faultcase import PROGRAM, Skipped, case, finish
from progress import WAIT, Running

SYNTH = "synth:rate=5000,flows=300"


def read_cpu(pid):
    """Seconds of CPU that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Terminal:
    """The program on a terminal of its own, under a shell that ignores SIGHUP (as nohup does)."""

    def __init__(self, words, redirect=""):
        import fcntl
        import termios

        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ["TERM"] = "xterm"
            line = f"trap '' HUP; {PROGRAM} {' '.join(words)} {redirect}; exit $?"
            os.execvp("sh", ["sh", "-c", line])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.text = b""

    def read_until(self, wanted):
        end = time.monotonic() + WAIT
        while wanted not in self.text:
            assert time.monotonic() < end, self.text
            if select.select([self.fd], [], [], 0.05)[0]:
                self.text += os.read(self.fd, 65536)

    def child(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="utf-8") as f:
            return int(f.read().split()[0])

    def hang_up(self):
        os.close(self.fd)

    def has_ended(self):
        return os.waitpid(self.pid, os.WNOHANG)[0] != 0


@case
def t0_top_ends_with_its_terminal():
    if not sys.platform.startswith("linux"):
        raise Skipped("reads /proc")
    help_text = subprocess.run([PROGRAM, "-i", "synth", "--top"], capture_output=True, timeout=WAIT)
    if b"no live view" in help_text.stderr:
        raise Skipped("built without curses")
    with tempfile.TemporaryDirectory() as d:
        big = os.path.join(d, "pipe")
        os.mkfifo(big)
        for words in (
            ("-i", SYNTH, "--top"),
            ("-i", SYNTH, "--top", "--stats-interval", "30"),
            ("-i", SYNTH, "--top", "--flows", os.path.join(d, "flows"), "-Z", "root"),
            ("-i", "synth:count=1000,flows=10", "--top"),
        ):
            if "-Z" in words and os.geteuid():
                words = words[:-2]
            t = Terminal(words)
            t.read_until(b"packets")
            t.hang_up()
            end = time.monotonic() + WAIT
            while not t.has_ended():
                assert time.monotonic() < end, (
                    f"{words}: still runs, {read_cpu(t.child())} s of CPU"
                )
                time.sleep(0.05)


@case
def t0_a_plain_run_goes_on_quietly_without_its_terminal():
    if not sys.platform.startswith("linux"):
        raise Skipped("reads /proc")
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "report")
        t = Terminal(("-i", "synth:rate=1000,flows=10"), f">{out} </dev/tty")
        t.read_until(b"flows")
        pid = t.child()
        t.hang_up()
        time.sleep(0.5)
        before = read_cpu(pid)
        time.sleep(2)
        assert read_cpu(pid) - before < 1, "it is busy with a terminal that has gone"
        os.kill(pid, signal.SIGINT)
        end = time.monotonic() + WAIT
        while not t.has_ended():
            assert time.monotonic() < end
            time.sleep(0.05)
        with open(out, "rb") as f:
            assert b"packets read" in f.read()


@case
def signals_are_never_lost():
    """The program ends whenever a signal comes: after exec, in the opening, in the run."""
    for number in (signal.SIGINT, signal.SIGTERM):
        for step in range(24):
            p = subprocess.Popen(
                [PROGRAM, "-i", SYNTH, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            time.sleep(step * 0.001)
            p.send_signal(number)
            out, err = p.communicate(timeout=WAIT)
            if p.returncode == 0:
                assert json.loads(out)["packets"]["in_flight"] == 0
            else:
                assert p.returncode == -number and not out, (step, p.returncode, out, err)


@case
def signals_end_a_wait_for_the_source():
    """A pipe that nobody writes to, a reader of the flows that does not come, an empty stdin."""
    with tempfile.TemporaryDirectory() as d:
        fifo = os.path.join(d, "fifo")
        os.mkfifo(fifo)
        r, w = os.pipe()
        for words, stdin in (
            (("-r", fifo), subprocess.DEVNULL),
            (("-r", "-"), r),
            (("-i", SYNTH, "--flows", fifo), subprocess.DEVNULL),
        ):
            for number in (signal.SIGINT, signal.SIGTERM):
                p = subprocess.Popen(
                    [PROGRAM, *words], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
                )
                time.sleep(0.3)
                assert p.poll() is None, words
                p.send_signal(number)
                p.communicate(timeout=WAIT)
                assert p.returncode == -number, (words, p.returncode)
        os.close(r)
        os.close(w)


@case
def signals_that_were_blocked_at_the_start_come_through():
    for number in (signal.SIGINT, signal.SIGTERM):
        p = subprocess.Popen(
            [PROGRAM, "-i", SYNTH, "--json", "-t", "3600"],
            stdout=subprocess.PIPE,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)),
        )
        time.sleep(1)
        p.send_signal(number)
        out = p.communicate(timeout=WAIT)[0]
        assert p.returncode in (0, -number), p.returncode
        if p.returncode == 0:
            assert json.loads(out)["seconds"] < 3600


LINE = re.compile(r"([\d.]+) s: ([\d,]+) packets, ([\d,]+) packets/s, ([\d,]+) bit/s")


@case
def rates_are_of_the_time_since_the_line_before():
    for interval in ("0.2", "0.5", "1"):
        with Running([PROGRAM, "-i", "synth:rate=20000", "--stats-interval", interval]) as p:
            p.wait_for_message(LINE.pattern, 4)
            text = p.end()[1]
        lines = [
            tuple(float(n.replace(",", "")) for n in m.groups())
            for m in map(LINE.match, text.splitlines())
            if m
        ]
        then, packets = 0.0, 0.0
        for now, read, rate, bits in lines:
            # The line shows its time in tenths: so far may the rate that it leads to be off.
            least = (read - packets) / (now - then + 0.11)
            most = (read - packets) / max(now - then - 0.11, 0.02)
            assert least - 1 <= rate <= most + 1, (interval, lines)
            assert bits > 60 * 8 * (rate - 1), (interval, lines)
            then, packets = now, read


@case
def a_start_without_entropy_is_told_and_bounded():
    strace = shutil.which("strace")
    if (
        not strace
        or subprocess.run(
            [strace, "-qq", "-o", os.devnull, "true"], capture_output=True, check=False
        ).returncode
    ):
        raise Skipped("needs strace and its rights")
    words = [
        strace,
        "-f",
        "-qq",
        "-o",
        os.devnull,
        "-e",
        "trace=getrandom",
        "-e",
        "inject=getrandom:error=EAGAIN",
        PROGRAM,
        "-i",
        "synth:count=1000",
        "--json",
    ]
    # The leak check of a build for a sanitizer does not work under strace.
    plain = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    p = subprocess.run(words, capture_output=True, timeout=WAIT, env=plain)
    assert p.returncode == 0 and json.loads(p.stdout)["packets"]["read"] == 1000, p
    assert b"no random numbers yet" in p.stderr, p.stderr
    p = subprocess.run([*words, "--seed", "1"], capture_output=True, timeout=WAIT, env=plain)
    assert p.returncode == 0 and b"random" not in p.stderr, p.stderr


finish()
