# SPDX-License-Identifier: MIT
"""The program of the first argument on a pseudo-terminal, whose screen pyte reads: for the tests of
the live view.  pyte is None where it is not installed."""

import fcntl, os, pty, re, select, signal, struct, subprocess, sys, termios, time

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, whichever Python this is
try:
    import pyte
except ImportError:
    pyte = None
PROGRAM = os.path.abspath(sys.argv[1])
WAIT = 120  # seconds that anything may take on a busy machine
TITLE = r"(originator|host|service|process)\b"
passed = failed = 0


def missing():
    """Says why there is no live view to test; "" if there is."""
    p = subprocess.run([PROGRAM, "-i", "synth:count=1", "--top"], capture_output=True, timeout=600)
    if b"no live view" in p.stderr:
        return "built without curses"
    return "" if pyte else "pyte (python3-pyte) is not installed"


def case(f):
    """Runs a case at once, and counts it."""
    global passed, failed
    try:
        f()
        passed += 1
    except Exception as e:
        failed += 1
        print(f"FAILED {f.__name__}: {type(e).__name__}: {e}")


def finish(skipped=""):
    """Prints the counts and ends the test."""
    if skipped:
        print("SKIP: the live view:", skipped)
    print(f"{passed} passed, {failed} failed" + (", 1 skipped" if skipped else ""))
    sys.exit(1 if failed else 77 if skipped else 0)


def column(rows, title, head):
    """Numbers of that column, from the right end of its title."""
    at = re.search(title + r"\S*", head)
    units = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
    out = []
    for row in rows:
        m = re.search(r"(-|[\d.]+)(?: ([kMGT]))?$", row[: at.end()].rstrip())
        out.append(-1 if m.group(1) == "-" else float(m.group(1)) * units[m.group(2) or ""])
    return out


# A shell's part: runs the program in a process group of its own, in the foreground, so the group
# can be stopped (a group without a parent cannot).
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
pid = os.fork()
if not pid:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


class View:
    """The program on a terminal of its own, which it controls; .screen is what stands there."""

    def __init__(
        self,
        *words,
        size=(30, 120),
        shell=False,
        term="linux",
        locale="C.UTF-8",
        stdin=None,
        more=None,
        folder=None,
    ):
        self.screen = pyte.Screen(size[1], size[0])
        self.stream = pyte.ByteStream(self.screen)
        self.master, slave = pty.openpty()
        self.slave = slave
        self.raw = b""
        self.resize(*size)
        self.before = termios.tcgetattr(slave)

        def child():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        env = dict(os.environ, TERM=term, LC_ALL=locale)
        for name in ("LINES", "COLUMNS", "NO_COLOR"):
            env.pop(name, None)
        env.update(more or {})
        self.p = subprocess.Popen(
            [*([sys.executable, "-c", SHELL] if shell else []), PROGRAM, *words],
            stdin=slave if stdin is None else stdin,
            stdout=slave,
            stderr=slave,
            preexec_fn=child,
            env=env,
            cwd=folder,
            close_fds=True,
        )

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self, seconds=0.0):
        end = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select(
                [self.master], [], [], max(0, min(0.05, end - time.monotonic()))
            )
            if ready:
                try:
                    data = os.read(self.master, 65536)
                except OSError:
                    return
                if not data:
                    return
                self.raw += data
                self.stream.feed(data)
            elif time.monotonic() >= end:
                return

    def text(self):
        return "\n".join(self.screen.display)

    def until(self, pattern, seconds=WAIT, gone=False):
        end = time.monotonic() + seconds
        while True:
            self.read(0.05)
            found = re.search(pattern, self.text(), re.M)
            if bool(found) != gone:
                return found
            assert self.p.poll() is None and time.monotonic() < end, (
                pattern,
                self.p.poll(),
                self.text(),
            )

    def holds(self, what, condition):
        """Waits until the screen is as it must be: it may come in parts."""
        end = time.monotonic() + WAIT
        while not condition():
            assert self.p.poll() is None and time.monotonic() < end, (what, self.text())
            self.read(0.05)

    def leave(self):
        """Ends the run by its key."""
        self.keys("q")
        self.end()

    def keys(self, keys):
        os.write(self.master, keys.encode())

    def rows(self):
        """The list: its lines below the titles and above the lines at the bottom."""
        lines = self.screen.display
        below = sum(len(lines) >= n for n in (2, 7, 14))
        titles = [i for i, l in enumerate(lines) if re.match(TITLE, l)]
        return [l for l in lines[titles[0] + 1 : -below] if l.strip()] if titles else []

    def head(self):
        """The titles of the list."""
        return next(l for l in self.screen.display if re.match(TITLE, l))

    def marked(self):
        """The line under the cursor, which is shown in reverse; None if there is none."""
        for y, line in enumerate(self.screen.display):
            if self.screen.buffer[y][0].reverse:
                return line
        return None

    def end(self, code=0, seconds=WAIT):
        """The program ends, and the terminal is as it was."""
        stop = time.monotonic() + seconds
        while self.p.poll() is None and time.monotonic() < stop:
            self.read(0.05)
        assert self.p.poll() == code, (self.p.poll(), self.text())
        self.read(0.1)
        self.restored()
        os.close(self.master), os.close(self.slave)

    def restored(self):
        now = termios.tcgetattr(self.slave)
        assert now == self.before, (now, self.before)
        if b"\x1b[?1049h" in self.raw:
            assert self.raw.rindex(b"\x1b[?1049l") > self.raw.rindex(b"\x1b[?1049h"), (
                "the other screen is still shown"
            )
        assert self.raw.rfind(b"\x1b[?25l") <= self.raw.rfind(b"\x1b[?25h"), "no cursor"

    def pid(self):
        """The program's, behind the shell."""
        children = open(f"/proc/{self.p.pid}/task/{self.p.pid}/children").read().split()
        return int(children[0]) if children else self.p.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait()
        for fd in (self.master, self.slave):
            try:
                os.close(fd)
            except OSError:
                pass
