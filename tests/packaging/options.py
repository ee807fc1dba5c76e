# SPDX-License-Identifier: MIT
"""The options that bpfengine and bpfbench take, read out of their sources: what the pages and the completions are held against."""

import os, re

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def of_program():
    """Every option as it is typed, to whether it wants a value."""
    source = open(os.path.join(TOP, "src/tools/bpfengine/options.c")).read()
    table = source[source.index("longs[] = {") :]
    table = table[: table.index("};")]
    out = {
        "--" + name: value == "1"
        for name, value in re.findall(r'\{ "([a-z-]+)", ([01]), 0,', table)
    }
    letters = re.search(r'getopt_long\(\s*argc, argv,\s*"[+:]*([A-Za-z:]+)"', source).group(1)
    out.update(
        {"-" + letter: bool(colon) for letter, colon in re.findall(r"([A-Za-z])(:?)", letters)}
    )
    assert (
        len(out) > 40
        and out["--interface"]
        and out["-i"]
        and not out["-L"]
        and table.count('{ "') == sum(o.startswith("--") for o in out)
    ), out
    return out


def of_bench():
    """bpfbench's, as a set; None where its sources are not."""
    path = os.path.join(TOP, "src/tools/bpfbench/options.c")
    if not os.path.exists(path):
        return None
    source = open(path).read()
    out = {"--" + name for name in re.findall(r'\{ \{ "([a-z-]+)", [01], NULL, ', source)}
    out |= {
        "-" + letter
        for letter in re.search(r'getopt_long\(\s*argc, argv,\s*"[+:]*([A-Za-z:]+)"', source).group(
            1
        )
        if letter != ":"
    }
    assert {"--sweep", "-i", "--interface"} <= out and len(out) > 30, out
    return out
