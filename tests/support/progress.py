# SPDX-License-Identifier: MIT
"""Runs programs and waits for what they have done, however long that takes on a busy machine.

A test that sleeps, and then asserts that work got done, fails when other processes have the CPU.
"""

import os
import re
import signal
import subprocess
import tempfile
import time

ASK = getattr(signal, "SIGINFO", signal.SIGUSR1)
CAUGHT = ("SigCgt:",)
WAIT = 600  # seconds: whatever takes longer has failed
ASK_AGAIN = 20  # seconds without a report


def wait_until(what, condition):
    """Waits for a condition that must come true; returns its value."""
    end = time.monotonic() + WAIT
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.02)
    return value


def read_counts(text):
    """The packets read, in each report of the text."""
    counts = re.findall(r"^([\d,]+) packets? read", text, re.M)
    return [int(n.replace(",", "")) for n in counts]


class Running:
    """A program at work.  Its standard error goes to a file, which can be read meanwhile."""

    def __init__(self, command, **options):
        self.messages = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen(
            command, **{"stdout": subprocess.PIPE, "stderr": self.messages, **options}
        )
        self.send_signal = self.process.send_signal

    def read_messages(self):
        with open(self.messages.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_for(self, what, condition):
        """Waits for a condition that must come true while the program runs."""

        def holds_or_ended():
            ended = self.process.poll() is not None
            value = condition()
            assert value or not ended, (what, self.process.returncode, self.read_messages())
            return value

        try:
            return wait_until(what, holds_or_ended)
        except TimeoutError as error:
            raise TimeoutError(f"{what}: {self.read_messages()[-1000:]}") from error

    def wait_for_message(self, pattern, times=1):
        """Waits until the program has told what matches, so many times."""

        def told():
            return len(re.findall(pattern, self.read_messages(), re.M)) >= times

        self.wait_for(f"{pattern}, {times} times", told)

    def wait_for_lines(self, path, count=1):
        """Waits until a file has so many lines."""

        def has_lines():
            if not os.path.exists(path):
                return False
            with open(path, "rb") as f:
                return f.read().count(b"\n") >= count

        self.wait_for(f"{count} lines of {path}", has_lines)

    def catches(self, number):
        """Whether the program has got so far that the signal does not end it."""
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as f:
                masks = [int(line.split()[1], 16) for line in f if line.startswith(CAUGHT)]
        except OSError:
            return not os.path.exists("/proc/self/status")  # SIGINFO ends nothing
        return any(mask >> (number - 1) & 1 for mask in masks)

    def wait_for_report(self, what, condition):
        """Asks bpfengine for its report until the condition holds for what it has told.

        Asks again where no report comes: whoever reads the messages may have cut them meanwhile.
        """
        asked, asked_at = 0, 0.0
        self.wait_for("a handler", lambda: self.catches(ASK))

        def reported():
            nonlocal asked, asked_at
            text = self.read_messages()
            is_answered = text.count(" read, ") >= asked
            is_late = time.monotonic() > asked_at + ASK_AGAIN
            if (is_answered or is_late) and self.process.poll() is None:
                asked, asked_at = text.count(" read, ") + 1, time.monotonic()
                self.send_signal(ASK)
            return condition(text)

        self.wait_for(what, reported)

    def wait_for_packets(self, count):
        """Waits until bpfengine has read so many packets."""

        def has_read(text):
            return any(n >= count for n in read_counts(text))

        self.wait_for_report(f"{count} packets", has_read)

    def wait_until_quiet(self):
        """Waits until bpfengine has read no more packets for a second, in each of several reports."""
        counts = []

        def is_quiet(text):
            read = read_counts(text)
            if len(read) > len(counts):
                counts[:] = read
                time.sleep(0.25)
            return len(counts) > 4 and len(set(counts[-5:])) == 1

        self.wait_for_report("no more packets", is_quiet)

    def end(self, how=signal.SIGINT):
        """Sends a signal, if any, and returns standard output, messages and the exit code."""
        if how and self.process.poll() is None:
            self.send_signal(how)
        out = self.process.communicate(timeout=WAIT)[0]
        return out, self.read_messages(), self.process.returncode

    def __enter__(self):
        return self

    def close(self):
        """Ends the program, if it still runs, and forgets its messages."""
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stdout and not self.process.stdout.closed:
            self.process.communicate()
        self.process.wait()
        self.messages.close()

    def __exit__(self, *_):
        self.close()
