#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""outputs.py PROGRAM: outputs that are inputs (X3), early emptied (R1), open to others (F8, F9)."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile

from faultcase import PROGRAM, Skipped, case, finish, run, skip_sanitized
from packets import ethernet, pcap, spaced, udp4
from progress import WAIT, Running

FILE = pcap(spaced(*(ethernet(udp4(1000 + i)) for i in range(5))))
OLD = b'{"an":"old record"}\n'


@contextlib.contextmanager
def directory(mode=0o755):
    """A directory of a case's own, in which the case runs, with the savefile x.pcap in it."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, mode)
        os.chdir(d)
        write("x.pcap", FILE)
        try:
            yield d
        finally:
            os.chdir(before)


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def check_refused(path, *words, what=b"name another file", code=1, **options):
    """The program refuses and leaves the file as it is."""
    before = read(path)
    p = run(*words, **options)
    assert p.returncode == code and what in p.stderr, (words, p.returncode, p.stderr)
    assert read(path) == before, (words, "the file was changed")


@case
def x3_flows_file_is_not_the_savefile():
    with directory() as d:
        os.symlink("x.pcap", "link.pcap")
        os.link("x.pcap", "hard.pcap")
        os.mkdir("below")
        os.symlink("..", "below/up")
        for name in (
            "x.pcap",
            "link.pcap",
            "hard.pcap",
            "./x.pcap",
            "below/../x.pcap",
            "below/up/x.pcap",
            os.path.join(d, "x.pcap"),
            d + "//x.pcap",
        ):
            for words in ((), ("--flows-append",), ("--json",), ("--flows-format", "csv")):
                check_refused("x.pcap", "-r", "x.pcap", "--quiet", "--flows", name, *words)
                check_refused("x.pcap", "-r", name, "--quiet", "--flows", "x.pcap", *words)


@case
def x3_flows_file_is_not_stdin():
    with directory():
        for source in ("-", "/dev/stdin"):
            with open("x.pcap", "rb") as f:
                check_refused("x.pcap", "-r", source, "--flows", "x.pcap", stdin=f)


@case
def x3_flows_file_is_no_file_of_the_filter():
    with directory():
        write("filter", b"udp")
        write("hosts", b"192.0.2.1\n")
        write("ports", b"53\n")
        for path, words in (
            ("filter", ("-F", "filter")),
            ("hosts", ("host in ./hosts",)),
            ("ports", ("udp and port in ./ports",)),
            ("ports", ("-f", "(host in ./hosts) or (dst port in ./ports)")),
        ):
            check_refused(path, "-r", "x.pcap", "--flows", path, *words)
        check_refused("hosts", "-i", "synth:count=10", "--flows", "hosts", "host in ./hosts")


@case
def x3_flows_file_is_no_table_of_names():
    if not os.path.isfile("/etc/hosts"):
        raise Skipped("there is no /etc/hosts")
    if os.geteuid() == 0 and not os.path.islink("/etc/hosts"):
        before = read("/etc/hosts")
        try:
            check_refused("/etc/hosts", "-i", "synth:count=10", "--flows", "/etc/hosts")
        finally:
            if (
                read("/etc/hosts") != before
            ):  # a program that fails here must not cost the machine its table
                write("/etc/hosts", before)
        return
    raise Skipped("only root could write to it")


@case
def x3_flows_file_is_no_other_output():
    with directory():
        for words in ((), ("--json",)):
            with open("both", "ab") as f:
                check_refused(
                    "both",
                    "-r",
                    "x.pcap",
                    "--flows",
                    "both",
                    *words,
                    capture_output=False,
                    stdout=f,
                    stderr=subprocess.PIPE,
                )
        with open("both", "ab") as f:
            p = run(
                "-r",
                "x.pcap",
                "--flows",
                "both",
                capture_output=False,
                stdout=subprocess.PIPE,
                stderr=f,
            )
            assert p.returncode == 1 and b"packets read" not in p.stdout


@case
def x3_the_report_is_not_written_into_the_savefile():
    with directory():
        for words in ((), ("--json",), ("--flows", "-")):
            with open("x.pcap", "ab") as f:
                check_refused(
                    "x.pcap",
                    "-r",
                    "x.pcap",
                    *words,
                    capture_output=False,
                    stdout=f,
                    stderr=subprocess.PIPE,
                )
        with open("x.pcap", "ab") as f:
            p = run("-r", "x.pcap", capture_output=False, stdout=subprocess.PIPE, stderr=f)
        assert p.returncode == 1 and not p.stdout


@case
def r1_an_old_file_stays_until_the_run_begins():
    with directory():
        write("old", OLD)
        write("empty", b"")
        write("hosts", b"no-such-host.invalid\n")
        errors = [
            ("-r", "nonexistent"),
            ("-r", "empty"),
            ("-r", "."),
            ("-r", "x.pcap", "tcp prot 80"),
            ("-r", "x.pcap", "-F", "nonexistent"),
            ("-r", "x.pcap", "host in ./nonexistent"),
            ("-i", "nosuchif0"),
            ("-i", "bpf:nosuchif0"),
            ("-i", "synth:flows=none"),
            ("-i", "synth", "tcp prot 80"),
            ("-i", "synth", "-Z", "no-such-user"),
            ("-i", "synth", "--max-flows", "0"),
            ("-r", "x.pcap", "-i", "synth"),
            ("--quiet",),
        ]
        for words in errors:
            for how in ((), ("--flows-append",)):
                p = run(*words, "--flows", "old", *how)
                assert p.returncode in (1, 2, 3, 4), (words, p.returncode)
                assert read("old") == OLD, words
                p = run(*words, "--flows", "new", *how)
                assert p.returncode in (1, 2, 3, 4) and not os.path.exists("new"), words


@case
def r1_a_run_replaces_the_old_file_or_appends_to_it():
    with directory():
        for form, header in (("json", 0), ("csv", 1), ("zeek", 0), ("eve", 0), ("ecs", 0)):
            write("f", OLD)
            words = ("-r", "x.pcap", "--quiet", "--flows", "f", "--flows-format", form)
            assert run(*words).returncode == 0
            once = read("f")
            assert once.count(b"\n") == 5 + header and OLD not in once, once
            assert run(*words).returncode == 0
            assert read("f").count(b"\n") == 5 + header
            assert run(*words, "--flows-append").returncode == 0
            assert read("f").count(b"\n") == 10 + header, read("f")
            os.unlink("f")
            assert run(*words, "--flows-append").returncode == 0
            assert read("f").count(b"\n") == 5 + header, read("f")
            write("f", OLD + b'{"torn')
            assert run(*words, "--flows-append").returncode == 0
            assert read("f").startswith(OLD + b'{"torn\n'), read("f")
            os.unlink("f")
        p = run("-r", "x.pcap", "--flows-append")
        assert p.returncode == 2 and b"--flows FILE" in p.stderr


@case
def x3_what_is_no_file_goes_on_working():
    with directory():
        for path in ("/dev/null", "/dev/stdout", "/dev/fd/1", "-", "/proc/self/fd/1"):
            if path.startswith("/proc") and not os.path.exists(path):
                continue
            p = run("-r", "x.pcap", "--flows", path)
            assert p.returncode == 0, (path, p.stderr)
            records = [json.loads(line) for line in p.stdout.splitlines() if line.startswith(b"{")]
            assert len(records) == (0 if path == "/dev/null" else 5), (path, p.stdout)
            if path != "/dev/null":
                assert b"packets read" not in p.stdout and b"packets read" in p.stderr, path
        with open("out", "wb") as f:
            p = run(
                "-r",
                "x.pcap",
                "--flows",
                "/dev/stdout",
                capture_output=False,
                stdout=f,
                stderr=subprocess.PIPE,
            )
        assert p.returncode == 0 and read("out").count(b"\n") == 5, p.stderr
        p = run("-r", "x.pcap", "--flows", "/dev/stderr", "--json")
        assert p.returncode == 0 and p.stderr.count(b"bpfengine.flow/1") == 5, p.stderr
        p = run("-r", "x.pcap", "--flows", "/dev/stdout", "--json")
        lines = [json.loads(line)["schema"] for line in p.stdout.splitlines()]
        assert lines == ["bpfengine.flow/1"] * 5 + ["bpfengine.report/1"], lines
        os.mkfifo("fifo")
        reader = subprocess.Popen(["cat", "fifo"], stdout=subprocess.PIPE)
        p = run("-r", "x.pcap", "--flows", "fifo")
        out = reader.communicate(timeout=WAIT)[0]
        assert p.returncode == 0 and out.count(b"\n") == 5, p.stderr
        r, w = os.pipe()
        p = run("-r", "x.pcap", "--flows", f"/dev/fd/{w}", pass_fds=[w])
        os.close(w)
        assert p.returncode == 0 and os.read(r, 65536).count(b"\n") == 5, p.stderr
        os.close(r)
        for path, why in (
            ("/dev/fd/77", b"Bad file"),
            (".", b"directory"),
            ("", b"directory"),
            ("nowhere/f", b"No such file"),
            ("x.pcap/f", b"Not a directory"),
        ):
            p = run("-r", "x.pcap", "--flows", path)
            assert p.returncode == 1 and why in p.stderr, (path, p.stderr)


def other_user():
    """Of a user without rights: the number."""
    if os.geteuid():
        raise Skipped("needs root")
    return pwd.getpwnam("nobody").pw_uid


@case
def f8_root_follows_no_link_and_makes_private_files():
    other_user()
    with directory():
        write("victim", b"precious\n")
        os.mkdir("place")
        for target, name in (
            ("victim", "link"),
            ("nothing", "dangling"),
            (os.path.abspath("victim"), "far"),
        ):
            os.symlink(target, name)
            check_refused("victim", "-r", "x.pcap", "--flows", name, what=b"symbolic link")
            assert not os.path.exists("nothing")
        for mask in (0o000, 0o022, 0o077):
            for words in ((), ("--flows-append",), ("-Z", "root")):
                before = os.umask(mask)
                assert (
                    run("-r", "x.pcap", "--quiet", "--flows", "place/new", *words).returncode == 0
                )
                os.umask(before)
                assert stat.S_IMODE(os.stat("place/new").st_mode) == 0o600, (mask, words)
                os.unlink("place/new")
        os.symlink("place", "short")  # root's own links of directories, as /var/run, are followed
        assert run("-r", "x.pcap", "--quiet", "--flows", "short/new").returncode == 0
        assert read("place/new").count(b"\n") == 5


@case
def f8_root_takes_nothing_that_others_laid_out():
    nobody = other_user()
    with directory():
        os.mkdir("shared")
        os.chmod("shared", 0o1777)
        write("victim", b"precious\n")
        os.mkdir("goal")
        os.symlink("../goal", "shared/way")
        os.lchown("shared/way", nobody, -1)
        p = run("-r", "x.pcap", "--flows", "shared/way/new")
        assert p.returncode == 1 and b"another user's symbolic link" in p.stderr, p.stderr
        assert not os.listdir("goal")
        write("shared/theirs", OLD)
        os.chown("shared/theirs", nobody, -1)
        check_refused(
            "shared/theirs", "-r", "x.pcap", "--flows", "shared/theirs", what=b"another user"
        )
        os.link("victim", "shared/second")
        check_refused("victim", "-r", "x.pcap", "--flows", "shared/second", what=b"other names")
        write("theirs", OLD)
        os.chown("theirs", 12345, -1)
        p = run("-r", "x.pcap", "--flows", "theirs")
        assert p.returncode == 0 and b"belongs to user 12345" in p.stderr, p.stderr


@case
def f9_what_rotation_needs_is_told_at_the_start():
    skip_sanitized()
    other_user()
    with directory(0o755):
        p = run("-i", "synth:rate=1000", "-t", "0.3", "--flows", "f")
        assert p.returncode == 0 and b"SIGHUP will not open f anew" in p.stderr, p.stderr
        p = run("-i", "synth:rate=1000", "-t", "0.3", "--flows", "g", "-Z", "root")
        assert p.returncode == 0 and b"SIGHUP" not in p.stderr, p.stderr
    with directory(0o777):
        p = run("-i", "synth:rate=1000", "-t", "0.3", "--flows", "f")
        assert p.returncode == 0 and b"SIGHUP" not in p.stderr, p.stderr


LIVE = [PROGRAM, "-i", "synth:rate=5000,flows=50", "--flows", "f", "--flow-idle", "0.05"]


def rotate(words, change):
    """Runs a live source, changes the file once it has lines, sends SIGHUP; (code, messages)."""
    p = Running([*LIVE, *words])
    p.wait_for_lines("f")
    change()
    p.send_signal(signal.SIGHUP)
    p.wait_for_lines("f")
    _, err, code = p.end()
    return code, err


@case
def f9_files_are_rotated_by_moving_and_by_cutting():
    with directory(0o777):
        code, err = rotate((), lambda: os.rename("f", "f.1"))
        assert code == 0 and "anew" not in err.replace("SIGHUP will not", ""), err
        for name in ("f", "f.1"):
            assert all(json.loads(line) for line in read(name).splitlines()), name
        os.unlink("f")

    def cut():
        shutil.copy("f", "f.1")
        os.truncate("f", 0)

    with directory(0o755):
        code, _ = rotate((), cut)
        assert code == 0 and b"\0" not in read("f")
        assert all(json.loads(line) for line in read("f").splitlines())


@case
def x3_a_file_opened_anew_is_no_input_either():
    with directory(0o777):
        write("list", b"192.0.2.1\n")
        os.chmod("list", 0o666)
        before = read("list")
        p = Running([*LIVE, "ip or host in ./list"])
        p.wait_for_lines("f")
        os.unlink("f")
        os.link("list", "f")
        p.send_signal(signal.SIGHUP)
        p.wait_for_message("is not opened anew")
        p.end()
        assert read("list") == before


@case
def a_pipe_in_the_files_place_holds_nobody_up():
    with directory(0o777):
        p = Running(LIVE)
        p.wait_for_lines("f")
        os.unlink("f")
        os.mkfifo("f", 0o666)
        os.chmod("f", 0o666)
        p.send_signal(signal.SIGHUP)
        p.wait_for_message("is not opened anew")
        _, err, code = p.end()
        assert code == 0, (code, err)


finish()
