#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""symbols.py NM LIBRARY: the shared library shows exactly the functions that the public header
declares, each of the version that src/bpfengine.map
says."""

import os, re, subprocess, sys

TOP = os.path.join(os.path.dirname(__file__), "..", "..")
header = open(os.path.join(TOP, "include/bpfengine.h")).read()
declared = set(re.findall(r"^BPE_API [^;]*?\b(bpe_\w+)\(", header, re.M))
listed = {
    n: version
    for version, names in re.findall(
        r"^(BPFENGINE_[\d.]+) \{\s*global:([^:}]*)",
        open(os.path.join(TOP, "src/bpfengine.map")).read(),
        re.M,
    )
    for n in re.findall(r"(bpe_\w+);", names)
}
lines = subprocess.run(
    [sys.argv[1], "-D", "--defined-only", "--with-symbol-versions", sys.argv[2]],
    capture_output=True,
    text=True,
    check=True,
).stdout.splitlines()
shown = dict(
    (l.split()[-1].split("@")[0], l.split()[-1].partition("@")[2].lstrip("@")) for l in lines
)
for version in set(listed.values()) | {"_init", "_fini", "__bss_start", "_edata", "_end"}:
    shown.pop(version, None)
passed = failed = 0
for good, what in (
    (
        declared == set(shown),
        f"declared and not shown: {sorted(declared - set(shown))}, shown and not declared: {sorted(set(shown) - declared)}",
    ),
    (
        declared == set(listed),
        f"not the header's functions in src/bpfengine.map: {sorted(declared ^ set(listed))}",
    ),
    (
        shown == listed,
        f"of another version than in src/bpfengine.map: {sorted(n for n in shown if shown[n] != listed.get(n))}",
    ),
    (len(declared) > 20, "the header was not understood"),
):
    if good:
        passed += 1
    else:
        failed += 1
        print("failed:", what)
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
