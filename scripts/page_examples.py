#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""page_examples.py [--check]: copies the programs of examples/ into man/bpfengine.3.

A program stands between the comment "example file: NAME" and .Ed.  --check changes nothing, and
fails if the page differs from the files.
"""

import os
import re
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
PAGE = os.path.join(TOP, "man/bpfengine.3")
BLOCK = re.compile(r'^(\.\\" example file: (\S+)\n\.Bd [^\n]*\n)(.*?)^\.Ed$', re.M | re.S)


def to_roff(text):
    """Returns a program as lines of a literal display."""
    text = re.sub(r"^(/\*|//|#) SPDX[^\n]*\n", "", text).replace("\\", "\\e")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def insert_programs(page):
    """Returns the page with the present programs, and their names."""
    names = []

    def insert(found):
        names.append(found.group(2))
        with open(os.path.join(TOP, "examples", found.group(2))) as f:
            return found.group(1) + to_roff(f.read()) + ".Ed"

    return BLOCK.sub(insert, page), names


def main():
    with open(PAGE) as f:
        before = f.read()
    after, names = insert_programs(before)
    if len(names) < 5:
        sys.exit(f"{PAGE} has {len(names)} programs, not the five and more that it had")
    if "--check" not in sys.argv[1:]:
        with open(PAGE, "w") as f:
            f.write(after)
    elif after != before:
        sys.exit(f"{PAGE}: a program differs from examples/: run scripts/page_examples.py")
    print(f"{len(names)} programs: {', '.join(names)}")


if __name__ == "__main__":
    main()
