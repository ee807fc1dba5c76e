#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""arch_choice.py PROGRAM [CAPTURES]: BPFENGINE_ARCH chooses the kernels.

Each set of kernels that runs here gives the same report, over made traffic and an eighth of the
captures.  Unknown names are wrong usage.  A program with borrowed rights ignores the variable (as
root alone, where the file system has set-user-ID).  The last line counts the cases.
"""

import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from program import PROGRAM, Cases, run

case = Cases()
KEYS = ("packets", "bytes", "protocols", "network", "malformed", "sizes", "flows", "top_flows")
EVERY = 8
VARIABLE = "BPFENGINE_ARCH"
CLEAN = {k: v for k, v in os.environ.items() if k != VARIABLE}


def wish(name):
    return {**CLEAN, VARIABLE: name}


def read_build(text):
    """Returns the chosen kernels and all that the build has."""
    m = re.search(r"\(?arch=(\w+), kernels=(\w+(?:,\w+)*)", text)
    return m.group(1), m.group(2).split(",")


BEST, BUILT = read_build(run("--version", env=CLEAN).stdout.decode())
SYNTH = ("-i", "synth:count=200000,seed=5", "--seed", "1", "--json", "-q", "--workers", "0")


def runs_here(name):
    return run(*SYNTH[:1], "synth:count=1", "-q", env=wish(name)).returncode == 0


HERE = [name for name in BUILT if runs_here(name)]


def read_report(words, name):
    p = run(*words, "--json", "-q", "--seed", "1", "--workers", "0", env=wish(name))
    try:
        report = json.loads(p.stdout)
    except ValueError:
        return p.returncode, p.stderr
    if report["error"] is None:
        assert read_build(report["build"]) == (name, BUILT), report["build"]
    return p.returncode, {k: report.get(k) for k in KEYS}


@case
def the_best_is_chosen():
    assert BEST == HERE[-1], (BEST, HERE)
    assert set(BUILT) - {"scalar", "sse42", "avx2", "avx512", "neon"} == set()


@case
def an_empty_value_asks_for_nothing():
    assert read_build(run("--version", env=wish("")).stdout.decode())[0] == BEST


@case
def the_choice_is_told():
    for name in HERE:
        assert read_build(run("--version", env=wish(name)).stdout.decode()) == (name, BUILT)
        told = run("-i", "synth:count=10", "-v", env=wish(name)).stdout.decode()
        assert f"Build: arch={name}, kernels=" in told, told


@case
def what_cannot_run_is_wrong_usage():
    absent = next(n for n in ("neon", "avx2") if n not in BUILT)
    for name in (absent, "AVX2", "best", "all", "x" * 500):
        for words in (("-i", "synth:count=10"), ("-r", "/dev/null")):
            p = run(*words, "-q", env=wish(name))
            assert p.returncode == 2, (name, p)
            assert f"{VARIABLE}={name[:24]}: ".encode() in p.stderr, p.stderr
            assert ", ".join(HERE).encode() in p.stderr, p.stderr
        for words in (("--version",), ("--help",), ("-d", "tcp port 80")):
            assert run(*words, env=wish(name)).returncode == 0, (name, words)


@case
def reports_are_equal():
    first = read_report(SYNTH[:2], HERE[0])
    assert first[1]["packets"]["delivered"] == 200000
    for name in HERE[1:]:
        assert read_report(SYNTH[:2], name) == first, name


@case
def reports_of_captures_are_equal():
    if len(sys.argv) < 3 or not os.path.isdir(sys.argv[2]):
        print("reports_of_captures_are_equal: skipped: no captures")
        return
    files = sorted(glob.glob(f"{sys.argv[2]}/*/**/*.*cap*", recursive=True))[::EVERY]
    assert len(files) > 10

    def differing(path):
        first = read_report(("-r", path), HERE[0])
        return [(path, name) for name in HERE[1:] if read_report(("-r", path), name) != first]

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        bad = [x for found in pool.map(differing, files) for x in found]
    assert not bad, bad[:5]


@case
def borrowed_rights_ignore_the_variable():
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        print("borrowed_rights_ignore_the_variable: skipped: not root on Linux")
        return
    with tempfile.TemporaryDirectory() as where:
        copy = f"{where}/bpfengine"
        shutil.copy(PROGRAM, copy)
        os.chmod(where, 0o755)
        os.chown(copy, 65534, 65534)
        os.chmod(copy, 0o4755)
        if os.statvfs(where).f_flag & os.ST_NOSUID:
            print("borrowed_rights_ignore_the_variable: skipped: nosuid")
            return
        p = subprocess.run([copy, "--version"], env=wish("scalar"), capture_output=True, text=True)
        assert read_build(p.stdout)[0] == BEST, p
        words = [copy, "-i", "synth:count=10", "-q"]
        p = subprocess.run(words, env=wish("none"), capture_output=True, text=True)
        # LeakSanitizer cannot look into a program with borrowed rights, and ends it at its end.
        cannot_look = "LeakSanitizer has encountered a fatal error" in p.stderr
        assert "10 packets read" in p.stdout and (p.returncode == 0 or cannot_look), p


case.finish()
