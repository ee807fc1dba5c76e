#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_places.py: places.py makes and removes each system's interfaces by the right commands.

A stand-in for ifconfig(8) writes down how it was called; one interface of each kind is taken.
Commands: feth: Apple's ifconfig(8); epair: epair(4); pair: pair(4) of OpenBSD; tap: tap(4) of NetBSD.
"""

import os
import stat
import sys
import tempfile

import places

STAND_IN = """#!/bin/sh
echo "$@" >> {log}
case "$*" in
-a) printf 'lo0: flags=8049\\n\\tinet 127.0.0.1\\nfeth7300: flags=0\\npair0: flags=0\\ntap0: flags=0\\n' ;;
"epair create") echo epair3a ;;
esac
"""
EXPECTED = {
    "darwin": (
        ["feth7301 create", "feth7302 create", "feth7301 peer feth7302", "feth7301 up"]
        + ["feth7302 up", "feth7301 destroy", "feth7302 destroy"],
        ("frames:feth7301", "feth7302"),
    ),
    "freebsd": (
        ["epair create", "epair3a up", "epair3b up", "epair3a destroy"],
        ("frames:epair3a", "epair3b"),
    ),
    "openbsd": (
        ["pair1 create", "pair2 create", "pair1 patch pair2", "pair1 up", "pair2 up"]
        + ["pair1 destroy", "pair2 destroy"],
        ("frames:pair1", "pair2"),
    ),
    "netbsd": (["tap1 create", "tap1 up", "tap1 destroy"], ("tap:/dev/tap1", "tap1")),
}


def run_place(system, folder):
    """The calls that making and removing a pair takes, and the way and interface that it has."""
    log = os.path.join(folder, system + ".log")
    places.SYSTEM, places.IFCONFIG = system, os.path.join(folder, "ifconfig")
    with open(places.IFCONFIG, "w", encoding="utf-8") as f:
        f.write(STAND_IN.replace("{log}", log))
    os.chmod(places.IFCONFIG, stat.S_IRWXU)
    with places.make_pair() as place:
        found = (place.way, place.interface)
    with open(log, encoding="utf-8") as f:
        calls = [line.strip() for line in f if line.strip() != "-a"]
    return calls, found


def main():
    failed = 0
    exists = os.path.exists
    os.path.exists = lambda path: path.startswith("/dev/tap") or exists(path)
    with tempfile.TemporaryDirectory() as folder:
        for system, (calls, ends) in EXPECTED.items():
            got, found = run_place(system, folder)
            if got != calls or found != ends:
                failed += 1
                print(f"FAILED {system}: {got} {found}")
    print(f"{len(EXPECTED) - failed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
