#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""print.py PROGRAM [DIRECTORY]: prints every capture in our own form and as JSON.

Each packet that is delivered has one line.  Each JSON line is a flat object of valid UTF-8.  No
line has a control character.  A mark is in both forms, or in none.  The last line is "N passed, N
failed", counted in files.  Exit code 77 (skipped): there are no captures.
"""

import json
import os
import re
import subprocess
import sys

KNOWN = {"own": ["--print", "-v"], "json": ["--print=json", "-v"]}
WORDS = (
    "retransmission fast spurious out-of-order zero-window lost-before unseen-ack keep-alive "
    "duplicate-ack seen-twice lost-on-other-side"
).split()
CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")


def run_form(program, path, form):
    """Lines of the form, and the packets that the report counts; None if this is no savefile."""
    done = subprocess.run([program, "-r", path, *KNOWN[form]], capture_output=True, timeout=550)
    found = re.search(rb"([\d,]+) delivered", done.stderr)
    if not found:
        return None, 0
    return done.stdout.splitlines(), int(found[1].replace(b",", b""))


def check_capture(program, path):
    """Returns what is wrong, "" if nothing is; None: this is no savefile."""
    own, count = run_form(program, path, "own")
    if own is None:
        return None
    objects, count_again = run_form(program, path, "json")
    if not len(own) == len(objects) == count == count_again:
        return f"{len(own)} and {len(objects)} lines of {count} packets"
    for number, (line, text) in enumerate(zip(own, objects), 1):
        if CONTROL.search(line) or CONTROL.search(text):
            return f"packet {number} has a control character"
        packet = json.loads(text.decode("utf-8"))
        if packet["number"] != number or any(isinstance(v, dict) for v in packet.values()):
            return f"packet {number}: {text}"
        marks = packet.get("marks", [])
        for word in WORDS:
            if (word in marks) != bool(re.search(rb" !%b\b(?!-)" % word.encode(), line)):
                return f"packet {number}: {word} is in one form alone"
        if ("rtt_ns" in packet) != (b" rtt " in line):
            return f"packet {number}: a round trip is in one form alone"
    return ""


def main():
    program, folder = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    files = [os.path.join(at, n) for at, _, names in os.walk(folder) for n in sorted(names)]
    passed = failed = 0
    for path in files:
        wrong = check_capture(program, path)
        if wrong is None:
            continue
        passed, failed = passed + (not wrong), failed + bool(wrong)
        if wrong:
            print(f"FAILED {path}: {wrong}")
    if not passed + failed:
        print("SKIP: no captures")
        sys.exit(77)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
