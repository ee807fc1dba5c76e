#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mirror_check.py [--self-test]: proves that tests mirror sources.

Each .c file of src and arch has tests/unit/FOLDER/test_NAME.c, or a line in tests/mirror.txt with
the tests that cover the file.  The first line that matches counts.  Prints what is missing.
"""

import fnmatch, os, re, subprocess, sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def unit_test_of(source):
    """Returns the path of the unit test that bears the source's name."""
    folder = re.match(r"src/tools/(\w+)/|src/(\w+)/|(arch)/", source)
    name = next(part for part in folder.groups() if part)
    return f"tests/unit/{name}/test_{os.path.basename(source)}"


def read_lines(text):
    """Returns [(pattern, [tests])] of mirror.txt."""
    rows = (line.split("#")[0].split() for line in text.split("\n"))
    return [(words[0], words[1:]) for words in rows if words]


def check_mirror(sources, files, lines):
    """Returns what is wrong, as lines to print."""
    bad, used = [], set()
    for source in sources:
        if unit_test_of(source) in files:
            continue
        found = next((k for k, (p, _) in enumerate(lines) if fnmatch.fnmatch(source, p)), None)
        if found is None:
            bad.append(f"{source}: neither {unit_test_of(source)} nor a line in tests/mirror.txt")
        used.add(found)
    for k, (pattern, tests) in enumerate(lines):
        if k not in used:
            bad.append(f"tests/mirror.txt: {pattern} covers no source that needs a line")
        bad += [
            f"tests/mirror.txt: {pattern}: {test} does not exist"
            for test in tests
            if test not in files
        ]
        if not tests:
            bad.append(f"tests/mirror.txt: {pattern} names no test")
    return bad


def self_test():
    files = {"src/flow/a.c", "src/flow/b.c", "tests/unit/flow/test_a.c", "tests/x.py"}
    sources = ["src/flow/a.c", "src/flow/b.c"]
    cases = [
        ([("src/flow/b.c", ["tests/x.py"])], []),
        ([], ["src/flow/b.c: neither"]),
        ([("src/flow/*.c", ["tests/y.py"])], ["does not exist"]),
        ([("src/flow/*.c", ["tests/x.py"]), ("src/ring/*.c", ["tests/x.py"])], ["covers no"]),
        ([("src/flow/*.c", [])], ["names no test"]),
    ]
    failed = 0
    for lines, told in cases:
        bad = check_mirror(sources, files, lines)
        if len(bad) != len(told) or not all(t in b for t, b in zip(told, bad)):
            failed += 1
            print("expected", told, "got", bad)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return failed


def main():
    if "--self-test" in sys.argv:
        sys.exit(1 if self_test() else 0)
    if not os.path.exists(os.path.join(TOP, ".git")):
        print("SKIP: without git the sources are not known")
        sys.exit(77)
    files = set(
        subprocess.run(
            ["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True
        ).stdout.split("\n")
    )
    sources = sorted(f for f in files if re.match(r"(?:src|arch)/.*\.c$", f))
    lines = read_lines(open(os.path.join(TOP, "tests/mirror.txt")).read())
    bad = check_mirror(sources, files, lines)
    print("\n".join(bad))
    print(f"{len(sources)} sources; {0 if bad else 1} passed, {len(bad)} failed")
    print(f"{0 if bad else 1} passed, {len(bad)} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
