# SPDX-License-Identifier: MIT
"""Seeds of fuzz_print: packets of tests/data/tcpdump_lines.txt, one of so many."""

import os

EVERY = 9
LETTERS = {"e": 1, "q": 2, "S": 4, "v": 8, "x": 32}


def print_seeds():
    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(here, "..", "data", "tcpdump_lines.txt")
    with open(path, encoding="ascii") as file:
        rows = [line.split("\t") for line in file if not line.startswith("#")]
    for number, row in enumerate(rows):
        if number % EVERY:
            continue
        letters = 0
        for letter in row[1].replace("-", ""):
            letters += LETTERS[letter]
        head = bytes([letters & 255]) + int(row[0]).to_bytes(2, "big") + b"\0"
        yield f"{number:04}", head + bytes.fromhex(row[2])
