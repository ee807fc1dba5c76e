#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""draw_floors.py [--write]: draws the floors out of scripts/layers.txt, and a packet's way out of
scripts/packet_way.txt.

Without an option the two drawings are printed; with --write they replace those in ARCHITECTURE.md,
which stand between the lines <!-- floors --> or <!-- way --> and <!-- end -->.  house_check.py
finds drawings that are out of date.
"""

import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAPER = "ARCHITECTURE.md"
MARKED = r"(<!-- {} -->\n```text\n).*?(```\n<!-- end -->)"


def read_lines(text):
    """[(words, remark)] of the lines of a list that say something."""
    for line in text.splitlines():
        words, _, remark = line.partition("#")
        if words.split():
            yield words.split(), remark.strip()


def read_floors(text):
    """[(floor, folder, purpose)] of layers.txt, the highest floor first."""
    rows = [(int(words[1]), words[0], purpose) for words, purpose in read_lines(text)]
    return sorted(rows, key=lambda row: -row[0])


def read_steps(text):
    """[[thread, folder, what, counters]] of packet_way.txt, in a packet's order."""
    steps = []
    for words, what in read_lines(text):
        if words[0] == "step":
            steps.append([words[1], words[2], what, ""])
        elif words[0] == "counted":
            steps[-1][3] = ", ".join(words[1:])
    return steps


def draw_floors(text):
    """The floors as lines, each with its folders and their purposes."""
    rows = read_floors(text)
    width = max(len(folder) for _, folder, _ in rows)
    rule = "        +-" + "-" * width
    lines = []
    for k, (floor, folder, purpose) in enumerate(rows):
        first = not k or rows[k - 1][0] != floor
        if first:
            lines.append(rule)
        label = f"floor {floor}" if first else " " * 7
        lines.append(f"{label} | {folder:{width}}  {purpose}".rstrip())
    return [*lines, rule]


def draw_way(text):
    """A packet's way as lines: a column for each thread's steps, and what is counted at each."""
    steps = read_steps(text)
    width = max(len(folder) for _, folder, _, _ in steps)
    lines, last = [], ""
    for thread, folder, what, counters in steps:
        if last and thread != last:
            lines.append("         |")
            lines.append("    ~~~~~|~~~~~~ a ring ~~~~~~")
        if last:
            lines.append("         v")
        label = thread if thread != last else ""
        lines.append(f"{label:8} {folder:{width}}  {what}")
        if counters:
            lines.append(f"         | {'':{width}}  counted here: {counters}")
        last = thread
    return lines


def fill_paper(paper, layers, way):
    """The paper's text with the drawings of these texts of layers.txt and packet_way.txt."""
    for name, lines in (("floors", draw_floors(layers)), ("way", draw_way(way))):
        drawing = "\n".join(lines) + "\n"
        pattern = re.compile(MARKED.format(name), re.S)
        if not pattern.search(paper):
            raise ValueError(f"{PAPER} has no place for the drawing <!-- {name} -->")
        paper = pattern.sub(lambda m, d=drawing: m.group(1) + d + m.group(2), paper)
    return paper


def main():
    with open(os.path.join(TOP, "scripts/layers.txt"), encoding="utf-8") as f:
        layers = f.read()
    with open(os.path.join(TOP, "scripts/packet_way.txt"), encoding="utf-8") as f:
        way = f.read()
    if "--write" not in sys.argv:
        print("\n".join([*draw_floors(layers), "", *draw_way(way)]))
        return
    path = os.path.join(TOP, PAPER)
    with open(path, encoding="utf-8") as f:
        paper = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(fill_paper(paper, layers, way))


if __name__ == "__main__":
    main()
