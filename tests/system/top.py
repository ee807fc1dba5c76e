#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""top.py PROGRAM: the live view on a pseudo-terminal, whose screen pyte reads.

Keys, sizes, signals; at the end the terminal is as before.  Skipped by name (exit code 77) where
pyte is not installed, or the program was built without curses; refusals are tested anyway.
"""

import fcntl, os, pty, random, re, select, signal, struct, subprocess, sys, tempfile, termios, time

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, whichever Python this is
try:
    import pyte
except ImportError:
    pyte = None
PROGRAM = os.path.abspath(sys.argv[1])
WAIT = 120  # seconds that anything may take on a busy machine
SYNTH = ("-i", "synth:rate=20000,flows=200,seed=4")
passed = failed = 0


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
        program=PROGRAM,
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
        for name in ("LINES", "COLUMNS"):
            env.pop(name, None)
        self.p = subprocess.Popen(
            [*([sys.executable, "-c", SHELL] if shell else []), program, *words],
            stdin=slave if stdin is None else stdin,
            stdout=slave,
            stderr=slave,
            preexec_fn=child,
            env=env,
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

    def keys(self, keys):
        os.write(self.master, keys.encode())

    def rows(self):
        """The list: its lines below the titles."""
        lines = self.screen.display
        titles = [i for i, l in enumerate(lines) if l.startswith("originator")]
        return [l for l in lines[titles[0] + 1 : -1] if l.strip()] if titles else []

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


def case(f):
    global passed, failed
    try:
        f()
        passed += 1
    except Exception as e:
        failed += 1
        print(f"FAILED {f.__name__}: {type(e).__name__}: {e}")


def column(rows, title, head):
    """Numbers of that column, from the right end of its title."""
    at = re.search(title + r"\S*", head)
    units = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
    out = []
    for row in rows:
        m = re.search(r"(-|[\d.]+)(?: ([kMGT]))?$", row[: at.end()].rstrip())
        out.append(-1 if m.group(1) == "-" else float(m.group(1)) * units[m.group(2) or ""])
    return out


def state(pid):
    return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0]


def head(v):
    return next(l for l in v.screen.display if l.startswith("originator"))


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


NO_TERMINAL = b"no terminal to show"
if (
    b"no live view"
    in subprocess.run([PROGRAM, "-i", "synth:count=1", "--top"], capture_output=True).stderr
):
    NO_TERMINAL = b"libncurses-dev"
case(what_is_refused)
if NO_TERMINAL != b"no terminal to show" or not pyte:
    print(
        "SKIP: the live view:",
        "pyte (python3-pyte) is not installed" if not pyte else "built without curses",
    )
    print(f"{passed} passed, {failed} failed, 1 skipped")
    sys.exit(1 if failed else 77)


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
        v.until(r"^originator .*bit/s▼")
        v.until(r"[1-9]\S* k packets/s +\S+ \S?bit/s")
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
                values = column(rows, f" {title}", head(v)) if rows else []
                return len(values) > 15 and values == sorted(values, reverse=mark == "▼")

            v.holds((title, mark), is_sorted)
        for title in (
            "packets",
            "retr",
            "rtt ms",
            "time s",
            "bit/s",
            "bytes",
        ):  # s goes through them all
            v.keys("s")
            v.until(f"^originator.* {title}▼")
        v.keys("S")
        v.until("^originator.* bit/s▼")
        v.keys("u")
        v.until("^originator.* B/s▼")
        v.until(r"packets/s +\S+ \S?B/s")
        v.keys("n")
        v.until(r":(https|ssh|imaps|domain) ")
        v.keys("n")
        v.until(r":(https|ssh|imaps|domain) ", gone=True)
        v.keys("h")
        v.until("^Any key goes back")
        v.keys("x")
        v.until("^originator")
        v.keys("q")
        v.end()
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
        v.keys("q")
        v.end()


@case
def pause_and_scrolling():
    with View(*SYNTH, "--top", "--stats-interval", "0.2") as v:
        v.until(r" udp ")
        v.read(1)
        v.keys(" ")
        v.until("^PAUSED")

        def stands_still():
            still = v.text()
            v.read(1)
            return v.text() == still

        v.holds("a list that stands still", stands_still)
        still, first = v.text(), v.rows()
        v.keys("\x1b[B")  # down
        v.until(r" 2/\d+")
        v.holds("one line further", lambda: v.rows()[:-1] == first[1:])
        v.keys("\x1b[6~")  # page down
        v.until(r" 2\d/\d+")
        v.keys("\x1b[4~")  # end
        v.until(r"^PAUSED  rate +(\d+)/")
        v.keys("\x1b[1~")  # home
        v.until(r" 1/\d+")
        v.holds("the beginning", lambda: v.rows() == first)
        v.keys(" ")
        v.until("^PAUSED", gone=True)
        v.holds("a list that goes on", lambda: v.text() != still)
        v.keys("q")
        v.end()


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
                v.holds((rows, columns), lambda: len(v.rows()) >= min(rows - 6, 2))
        v.until(r"^10\.\S+ +\S+ +(tcp|udp) .*$")
        v.holds("24 rows", lambda: len(v.rows()) == 24)
        v.keys("q")
        v.end()
    for size in ((1, 1), (2, 2), (4, 300), (200, 7)):
        with View(*SYNTH, "--top", size=size) as v:
            v.read(0.7)
            v.keys("q")
            v.end()


@case
def the_other_screen():
    with View(*SYNTH, "--top", term="xterm-256color") as v:
        v.until("^originator")
        assert b"\x1b[?1049h" in v.raw
        v.keys("q")
        v.end()
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
        v.keys("q")
        v.end()


@case
def plain_terminals():
    with View(*SYNTH, "--top", term="vt100", locale="C") as v:
        v.until(r"^originator .*bit/sv")
        v.keys("q")
        v.end()
        assert all(b < 0x80 for b in v.raw) and not re.search(rb"\x1b\[[0-9;]*3[0-9]m", v.raw), (
            "more than ASCII, or colours"
        )
    with View(*SYNTH, "--top", term="xterm", locale="C") as v:
        v.until(r"^originator .*bit/sv")
        v.keys("q")
        v.end()
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
        assert "No such file" in v.text().replace("\n", "")


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
        v.keys("q")
        v.end()
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
    keys = list("sSbptrf/ nuhq?\r\x0c\x15\x7f\x1babc!:4") + [
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


print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
