#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""timeouts.py BUILD TABLE: every test of a build has ten times the time that it needs, and 300 s at
least, so that a busy machine makes none fail.  TABLE has a line for each test that takes more than
a few seconds: its name, and the most seconds that it was seen to take.  Exit code 77: skipped."""

import json, shutil, subprocess, sys

LEAST = 300


def main():
    build, table = sys.argv[1:3]
    if not shutil.which("meson"):
        print("SKIP: meson is not on the path")
        sys.exit(77)
    lines = [line.split() for line in open(table, encoding="utf-8")]
    seconds = {words[0]: float(words[1]) for words in lines if words and words[0][0] != "#"}
    asked = subprocess.run(
        ["meson", "introspect", "--tests", build], capture_output=True, text=True
    )
    if asked.returncode:
        sys.exit(f"timeouts: meson introspect: {asked.stderr}")
    passed, failed = 0, 0
    for test in json.loads(asked.stdout):
        want = max(LEAST, 10 * seconds.get(test["name"], 0))
        if test["timeout"] >= want:
            passed += 1
            continue
        failed += 1
        print(f"{test['name']}: timeout {test['timeout']}, {want:.0f} are wanted")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0 or passed < 50)


main()
