#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""option_rules.py: each member of struct bpe_options has a rule in src/api/unused.c, which says what
uses the option, and an expectation in tests/unit/api/test_unused.c.  Neither names any other."""

import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def members(header):
    """The names of the members of struct bpe_options, in their order."""
    body = re.search(r"^struct bpe_options \{\n(.*?)^\};", header, re.S | re.M).group(1)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    names = []
    for declaration in body.split(";"):
        for one in declaration.split(","):
            found = re.search(r"(\w+)\s*(\[\w+\])?\s*$", one)
            if found:
                names.append(found.group(1))
    return names


def compare(header, rules, test):
    """Yields what is missing or too much."""
    wanted = members(header)
    tables = {
        "src/api/unused.c": set(re.findall(r"\bRULE\(\s*(\w+),", rules)) - {"member"},
        "tests/unit/api/test_unused.c": set(re.findall(r'^\t\{ "(\w+)",', test, re.M)),
    }
    for path, named in tables.items():
        for name in wanted:
            if name not in named:
                yield f"{path}: no line for options.{name}"
        for name in sorted(named - set(wanted)):
            yield f"{path}: struct bpe_options has no {name}"


def main():
    texts = [
        read(path)
        for path in ("include/bpfengine.h", "src/api/unused.c", "tests/unit/api/test_unused.c")
    ]
    problems = list(compare(*texts))
    for problem in problems:
        print(problem)
    # The test itself: a new member, an array and a list of members are found.
    header = texts[0].replace(
        "struct bpe_options {\n", "struct bpe_options {\n\tint a, b; /* c */ int64_t d[E];\n"
    )
    found = list(compare(header, *texts[1:]))
    is_sharp = all(any(f"options.{name}" in line for line in found) for name in "abd")
    if not is_sharp:
        print("a new member would not be found")
    count = len(members(texts[0]))
    print(f"{count} members, {len(problems)} violations")
    sys.exit(bool(problems) or not is_sharp or count < 50)


main()
