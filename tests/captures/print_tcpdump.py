#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""print_tcpdump.py PROGRAM CAPTURES [--letters LETTERS] [--show N] [FILE...]: the packets that
--print=tcpdump shows beside those of tcpdump -n -t, over all captures.

Both programs number the packets (-#), which parts their lines.  Each packet that differs must be
covered by a row of print_differences.tsv, and each row must cover a packet.  A row has four
columns: captures (a shell pattern), tcpdump's lines and ours (regular expressions; tcpdump's lines
must begin with the text of our group "head"), and the reason.

Prints the share of equal packets, over all and by the first word of the line, and how many packets
each reason covers.  --letters: runs both with these letters, such as -e, and only prints the
shares.  Ends with "N passed, N failed"; exit code 77 (skipped) without tcpdump 4.99 or captures."""

import argparse, collections, concurrent.futures, csv, fnmatch, os, re, shutil, subprocess, sys

TIMEOUT_S = 550
MOST_PACKETS = 2000
START = re.compile(r"^ *(\d+)  ", re.M)
Difference = collections.namedtuple("Difference", "capture number theirs ours")


class Reason:
    """A row of print_differences.tsv."""

    def __init__(self, row):
        self.captures, theirs, ours, self.words = row
        self.theirs, self.ours = re.compile(theirs, re.S), re.compile(ours, re.S)
        self.covered = 0

    def covers(self, difference):
        if not fnmatch.fnmatchcase(difference.capture, self.captures):
            return False
        ours = self.ours.search(difference.ours)
        if not ours or not self.theirs.search(difference.theirs):
            return False
        return difference.theirs.startswith(ours.groupdict().get("head") or "")


def read_reasons(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Reason(row) for row in rows if row and not row[0].startswith("#")]


def split_packets(text):
    """{number: lines} of a program's output."""
    starts = list(START.finditer(text))
    ends = [m.start() for m in starts[1:]] + [len(text)]
    return {int(m[1]): text[m.end() : end].rstrip("\n") for m, end in zip(starts, ends)}


def run(command):
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    return split_packets(done.stdout.decode("latin-1"))


def compare(program, captures, name, letters):
    """(name, equal packets by first word, differences)"""
    path = os.path.join(captures, name)
    how = ["-n", "-t", "-#", *letters, "-c", str(MOST_PACKETS), "-r", path]
    theirs = run(["tcpdump", *how])
    ours = run([program, "--print=tcpdump", *how])
    equal, differences = collections.Counter(), []
    for number in sorted(theirs.keys() | ours.keys()):
        left, right = theirs.get(number, ""), ours.get(number, "")
        if left == right:
            equal[first_word(left)] += 1
        else:
            differences.append(Difference(name, number, left, right))
    return name, equal, differences


def first_word(line):
    words = line.split(None, 1)
    return re.sub(r"[^A-Za-z].*", "", words[0]) or "other" if words else "other"


def find_captures(captures, wanted):
    """Names of the captures that both programs read."""
    with open(os.path.join(captures, "index.tsv"), newline="", encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file, delimiter="\t")]
    names = [name for name in names if os.path.exists(os.path.join(captures, name))]
    return [name for name in names if not wanted or name in wanted]


def has_tcpdump():
    if not shutil.which("tcpdump"):
        return False
    done = subprocess.run(["tcpdump", "--version"], capture_output=True, check=False)
    return b"version 4.99." in done.stdout + done.stderr


def print_shares(equal, different):
    total = sum(equal.values()) + sum(different.values())
    print(f"{sum(equal.values())} of {total} packets equal: {share(equal, different)}")
    for word in sorted(equal.keys() | different.keys()):
        same = equal[word] + different[word]
        if same >= 20:
            print(f"  {word:<12} {equal[word]} of {same}")


def share(equal, different):
    total = sum(equal.values()) + sum(different.values())
    return f"{100 * sum(equal.values()) / max(total, 1):.2f} %"


def judge(reasons, differences, show):
    """Prints what no reason covers, and idle reasons; returns how many there are."""
    uncovered = []
    for difference in differences:
        covering = next((r for r in reasons if r.covers(difference)), None)
        if covering:
            covering.covered += 1
        else:
            uncovered.append(difference)
    for difference in uncovered[:show]:
        print(f"{difference.capture} packet {difference.number}: no reason")
        print(f"  < {difference.theirs[:300]}\n  > {difference.ours[:300]}")
    idle = [reason for reason in reasons if not reason.covered]
    for reason in reasons:
        print(f"{reason.covered:6} {reason.words}")
    for reason in idle:
        print(f"covers nothing: {reason.words}")
    return len(uncovered) + len(idle)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("captures")
    parser.add_argument("--letters", action="append", default=[])
    parser.add_argument("--show", type=int, default=20)
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    if not has_tcpdump() or not os.path.exists(os.path.join(arguments.captures, "index.tsv")):
        print("skipped: no tcpdump 4.99, or no captures")
        sys.exit(77)
    program = os.path.abspath(arguments.program)
    names = find_captures(arguments.captures, arguments.files)
    letters = ["-" + letters.lstrip("-") for letters in arguments.letters]
    equal, different, differences = collections.Counter(), collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(compare, program, arguments.captures, n, letters) for n in names]
        for job in jobs:
            _, same, others = job.result()
            equal += same
            different.update(first_word(d.theirs or d.ours) for d in others)
            differences += others
    print_shares(equal, different)
    if letters or arguments.files:
        for difference in differences[: arguments.show if arguments.files else 0]:
            print(f"{difference.capture} packet {difference.number}")
            print(f"  < {difference.theirs[:300]}\n  > {difference.ours[:300]}")
        return
    here = os.path.dirname(os.path.abspath(__file__))
    reasons = read_reasons(os.path.join(here, "print_differences.tsv"))
    failed = judge(reasons, differences, arguments.show)
    passed = len(names) if not failed else 0
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not sum(equal.values()) else 0)


if __name__ == "__main__":
    main()
