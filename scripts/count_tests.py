#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count_tests.py testlog.json: adds up the cases of every test program that Meson ran; the last
line is the sum.

A Criterion program tells its own count, a plain one ends with "N passed, N failed[, N skipped]";
any other test is one case. A program that failed without telling of a failed case counts as one
failure. What a failed program said of its failures is printed, or else its last lines."""

import json, re, sys

SAID_MOST = 8  # lines of a failed program

passed = failed = skipped = 0
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    test = json.loads(line)
    text = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
    good = skip = bad = 0
    criterion = re.findall(
        r"Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)", text
    )
    plain = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", text, re.M)
    if test["result"] == "SKIP":
        skip = 1
    elif criterion:
        good, bad = int(criterion[-1][1]), int(criterion[-1][2]) + int(criterion[-1][3])
    elif plain:
        good, bad, skip = int(plain[-1][0]), int(plain[-1][1]), int(plain[-1][2] or 0)
    elif test["result"] == "OK":
        good = 1
    if test["result"] not in ("OK", "SKIP") and not bad:
        bad = 1
    if bad or skip:
        print(f"{test['name']}: {test['result']}, {good} passed, {bad} failed, {skip} skipped")
    if bad:
        said = [said_line for said_line in text.splitlines() if said_line.strip()]
        told = [said_line for said_line in said if said_line.startswith(("FAILED", "[----]"))]
        for said_line in (told or said)[-SAID_MOST:]:
            print("   ", said_line[:600])
    passed, failed, skipped = passed + good, failed + bad, skipped + skip
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or not passed else 0)
