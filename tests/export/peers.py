# SPDX-License-Identifier: MIT
"""What the tests of the suite "export" share: the peers that the program's output is read by.

A test names what it needs: peers.program("nfcapd"), peers.jars("kafka"), peers.python("duckdb").
A peer that is not there ends the test as skipped (exit code 77) with "SKIP: why".  Peers come from
Debian's packages (scripts/setup.sh tests), and from scripts/peers.sh, which fills $BPE_PEERS
(default: build/peers).
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PEERS = os.environ.get("BPE_PEERS") or os.path.join(TOP, "build", "peers")
CAPTURES = os.path.join(TOP, "..", "shared", "captures")
MARK = "BPE_PEERS_PYTHON"  # set in a process that already runs the environment's Python


def skip(why):
    """Ends the test as skipped."""
    print(f"SKIP: {why}", flush=True)
    sys.exit(77)


def is_complete(name):
    """Whether scripts/peers.sh has brought all of a peer."""
    return os.path.exists(os.path.join(PEERS, name, "complete"))


def find_program(*names):
    """The path of the first of the programs that is there, or None."""
    folders = [PEERS, os.path.join(PEERS, "bin")]
    folders += [os.path.join(PEERS, name) for name in names]
    path = os.pathsep.join([*folders, os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    return None


def program(*names):
    """The path of the first of the programs that is there; skips the test without any."""
    found = find_program(*names)
    if not found:
        skip(f"{' or '.join(names)} is not installed (scripts/setup.sh tests, scripts/peers.sh)")
    return found


def jars(name):
    """Java's class path of a peer from Maven; skips the test without the peer or without Java."""
    program("java")
    folder = os.path.join(PEERS, name, "libs")
    if not os.path.isdir(folder) or not os.listdir(folder):
        skip(f"{name} is not in {PEERS}: run scripts/peers.sh {name}")
    return os.path.join(folder, "*")


def python(*packages):
    """Makes sure that this process can import the packages.

    If the Python that runs the test lacks one, the test starts again by the Python of the
    environment that scripts/peers.sh made.  Skips the test if that lacks the package, too."""
    lacking = [package for package in packages if importlib.util.find_spec(package) is None]
    if not lacking:
        return
    own = os.path.join(PEERS, "python", "bin", "python")
    if os.environ.get(MARK) or not os.path.exists(own):
        skip(f"Python lacks {', '.join(lacking)}: run scripts/peers.sh python spark ray")
    sys.stdout.flush()
    os.execve(own, [own, *sys.argv], {**os.environ, MARK: "1"})


def captures():
    """The shared captures as paths, in order; skips the test if the folder is not there."""
    index = os.path.join(CAPTURES, "index.tsv")
    if not os.path.exists(index):
        skip("../shared/captures is not there")
    with open(index, encoding="utf-8") as f:
        rows = f.read().splitlines()[1:]
    return [os.path.join(CAPTURES, row.split("\t")[0]) for row in rows]


def free_port(kind=socket.SOCK_STREAM):
    """A port of 127.0.0.1 that nobody has just now."""
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait(condition, what, seconds=120):
    """Waits until condition() is true, and returns its value; fails after the time."""
    until = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < until, f"after {seconds} s still not: {what}"
        time.sleep(0.1)


def accepts(port):
    """Whether somebody listens at a TCP port of 127.0.0.1."""
    with socket.socket() as s:
        s.settimeout(5)
        return s.connect_ex(("127.0.0.1", port)) == 0


def stop(process, seconds=60):
    """Ends a process that the test started: by SIGTERM, and by SIGKILL after the time."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def stop_pid(pid, seconds=60):
    """Ends a process that is no child of this one by SIGTERM, and waits for its end."""

    def is_gone():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    if not is_gone():
        os.kill(pid, signal.SIGTERM)
    wait(is_gone, f"the end of process {pid}", seconds)
