# SPDX-License-Identifier: MIT
"""Captures in which tshark finds nothing of a kind, as tests/data/tshark_nothing.tsv lists them.

A line has the kind ("apps", "names" or "quic"), folder and name of the capture, and its length in
bytes.  Starting tshark takes longer than reading most captures, so a test does not start it for a
capture on the list.  With CAPTURES_ALL=1 it does.  With NOTE_NOTHING=FILE a test also adds to FILE
a line for each capture in which tshark found nothing."""

import os

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/tshark_nothing.tsv")


def line_of(kind, path):
    folder, name = os.path.abspath(path).split("/")[-2:]
    return f"{kind}\t{folder}/{name}\t{os.path.getsize(path)}\n"


def read_list():
    if os.environ.get("CAPTURES_ALL") or not os.path.exists(LIST):
        return frozenset()
    with open(LIST, encoding="utf-8") as lines:
        return frozenset(lines)


KNOWN = read_list()


def is_known(kind, path):
    return line_of(kind, path) in KNOWN


def note(kind, path):
    """Tells that tshark found nothing."""
    if where := os.environ.get("NOTE_NOTHING"):
        with open(where, "a", encoding="utf-8") as out:
            out.write(line_of(kind, path))
