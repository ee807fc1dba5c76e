#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bpfbench.py BPFBENCH: the faults of bpfengine in bpfbench (X1 to X4, R1, F7, F8, F10)."""

import json
import os
import pwd
import resource
import signal
import stat
import subprocess
import tempfile
import time

from faultcase import PROGRAM, Skipped, case, finish, run
from packets import ethernet, pcap, spaced, udp4

WAIT = 120
STAGES = ("stages", "--stages", "memcpy", "--rounds", "1", "--packets", "1024", "-q")


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def read(path):
    with open(path, "rb") as f:
        return f.read()


@case
def x4_what_is_printed_to_a_full_device_is_an_error():
    if not os.path.exists("/dev/full"):
        raise Skipped("there is no /dev/full")
    for words in (("--help",), ("-h",), ("--version",), STAGES):
        with open("/dev/full", "wb") as full:
            p = run(*words, capture_output=False, stdout=full, stderr=subprocess.PIPE, timeout=WAIT)
        assert p.returncode == 1 and b"No space left" in p.stderr, (words, p.returncode, p.stderr)


@case
def x2_closed_descriptors_are_an_error():
    with tempfile.TemporaryDirectory() as d:
        result = os.path.join(d, "r.json")
        for tail, code in ((">&-", 1), ("<&- >&-", 1), (">&- 2>&-", 1), ("<&-", 0), ("2>&-", 0)):
            for words in ((*STAGES, "-o", result), STAGES, ("--help",)):
                p = subprocess.run(
                    ["sh", "-c", f'exec "$@" {tail}', "sh", PROGRAM, *words],
                    capture_output=True,
                    timeout=WAIT,
                    check=False,
                )
                good = 0 if words[-1] == result else code
                assert p.returncode == good, (tail, words, p.returncode, p.stderr)
            json.loads(read(result))


@case
def x3_a_result_is_no_input_and_no_other_output():
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        write("x.csv", pcap(spaced(ethernet(udp4()))))
        write("hosts.txt", b"192.0.2.1\n")
        write("old.json", b"old\n")
        os.symlink("x.csv", "link.csv")
        os.link("x.csv", "hard.csv")
        os.link("old.json", "second.json")
        for keep, words in (
            ("x.csv", ("compare", "-r", "x.csv", "-o", "x.csv")),
            ("x.csv", ("compare", "-r", "x.csv", "-o", "link.csv")),
            ("x.csv", ("compare", "-r", "link.csv", "-o", "hard.csv")),
            (
                "hosts.txt",
                ("-i", "synth", "-t", "1", "-f", "host in ./hosts.txt", "-o", "hosts.txt"),
            ),
            (
                "hosts.txt",
                (
                    "--sweep",
                    "-i",
                    "synth",
                    "--filters",
                    "none;host in ./hosts.txt",
                    "-o",
                    "hosts.txt",
                ),
            ),
            ("old.json", (*STAGES, "-o", "old.json", "-o", "old.json")),
            ("old.json", (*STAGES, "-o", "old.json", "-o", "./second.json")),
            ("old.json", (*STAGES, "-o", "new.json", "-o", "./new.json")),
        ):
            before = read(keep)
            p = run(*words, timeout=WAIT)
            assert p.returncode == 1 and b"cannot be written to" in p.stderr, (
                words,
                p.returncode,
                p.stderr,
            )
            assert read(keep) == before and not os.path.exists("new.json"), words
        os.chdir("/")


@case
def r1_an_old_result_stays_until_there_is_a_new_one():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "r.json")
        for words in (
            ("-i", "nosuchif0", "-t", "1"),
            ("compare", "-r", d + "/none"),
            ("-i", "synth", "-f", "tcp prot"),
            ("stages", "-i", "lo"),
            ("-i", "synth:flows=none"),
        ):
            write(path, b"old\n")
            p = run(*words, "-o", path, timeout=WAIT)
            assert p.returncode in (1, 2, 3, 4) and read(path) == b"old\n", (words, p)
            os.unlink(path)
            run(*words, "-o", path, timeout=WAIT)
            assert not os.path.exists(path), words
        write(path, b"x" * 100000)
        assert run(*STAGES, "-o", path, timeout=WAIT).returncode == 0
        assert json.loads(read(path))["kind"] == "stages"


@case
def f8_root_follows_no_link_and_makes_private_files():
    if os.geteuid():
        raise Skipped("needs root")
    with tempfile.TemporaryDirectory() as d:
        victim, link, shared = (os.path.join(d, n) for n in ("victim", "link.json", "shared"))
        os.mkdir(shared)
        os.chmod(shared, 0o1777)
        write(victim, b"precious\n")
        os.symlink(victim, link)
        theirs = os.path.join(shared, "theirs.csv")
        write(theirs, b"")
        os.chown(theirs, pwd.getpwnam("nobody").pw_uid, -1)
        for path in (link, theirs):
            p = run(*STAGES, "-o", path, timeout=WAIT)
            assert p.returncode == 1 and read(victim) == b"precious\n" and not read(theirs), (
                p.stderr
            )
        made = os.path.join(d, "made.json")
        assert run(*STAGES, "-o", made, timeout=WAIT).returncode == 0
        assert stat.S_IMODE(os.stat(made).st_mode) == 0o600


@case
def f10_a_result_that_does_not_fit_is_an_error():
    with tempfile.TemporaryDirectory() as d:
        for name in ("r.json", "r.csv", "r.txt"):
            p = run(
                *STAGES,
                "-o",
                os.path.join(d, name),
                timeout=WAIT,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
            )
            assert p.returncode == 1 and b"was not written" in p.stderr, (name, p)


@case
def f7_text_from_outside_has_no_control_characters():
    for control in ("\x1b[31m", "\n", "\x7f", "\x9b", "\u202e"):
        name = f"x{control}y"
        for words in (
            ("-i", name, "-t", "1"),
            ("-i", "synth", "-f", name),
            (name,),
            ("-i", "synth", "-o", name),
            ("compare", "-r", name),
            ("-i", "synth", "-t", name),
            ("--" + name,),
        ):
            p = run(*words, timeout=WAIT)
            text = p.stderr.decode()
            assert p.returncode in (1, 2, 3, 4) and name not in text, (words, text)
            assert control == "\n" or control not in text, (words, text)
        with tempfile.TemporaryDirectory() as d:
            for form in ("json", "csv", "txt"):
                path = os.path.join(d, "r." + form)
                p = run(
                    "-i",
                    "synth:rate=1000",
                    "-t",
                    "0.2",
                    "-q",
                    "-f",
                    f"ip{control if control == chr(10) else ' '}or udp",
                    "-o",
                    path,
                    timeout=WAIT,
                )
                assert p.returncode in (0, 5), p.stderr  # 5: too short to judge loss
                text = read(path).decode()
                assert not [
                    c for c in text if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0
                ], text[:300]
                if form == "csv":
                    assert all(line.startswith("#") or "," in line for line in text.splitlines()), (
                        text[:300]
                    )


@case
def signals_are_never_lost():
    for words in (
        ("-i", "synth:rate=1000", "-t", "60"),
        ("stages", "--rounds", "999"),
        ("--sweep", "-i", "synth", "-t", "5", "--buffers", "64K,128K,256K,512K,1M,2M,4M,8M"),
    ):
        for number in (signal.SIGINT, signal.SIGTERM):
            for step in range(0, 30, 3):
                p = subprocess.Popen(
                    [PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
                )
                time.sleep(step * 0.001)
                p.send_signal(number)
                try:
                    p.communicate(timeout=WAIT)
                finally:
                    p.kill()
                assert p.returncode in (0, 1, 5, -number), (words, step, p.returncode)


finish()
