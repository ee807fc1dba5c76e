# SPDX-License-Identifier: MIT
"""What the tests of bpfbench share: runs of the program, checks of its results, cases.

A test is called as TEST BPFBENCH LIBPCAP OPTIONS [BPFNODE].  LIBPCAP: yes if the program was built
with libpcap.  OPTIONS: lists the options (tests/packaging/options.py).  Figures are compared with
each other, never with a speed.
"""

import csv
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BENCH, HAVE_PCAP, OPTIONS = sys.argv[1], sys.argv[2] == "yes", sys.argv[3]
NODE = sys.argv[4] if len(sys.argv) > 4 else None
D = tempfile.mkdtemp(prefix="bpfbench-")


NS = f"bpbt{os.getpid()}"


SUMS = (
    "packets",
    "delivered",
    "dropped",
    "ring_full",
    "stalled",
    "duplicate",
    "wire_bytes",
    "captured_bytes",
    "kernel_received",
    "kernel_dropped",
    "filtered",
    "lost",
    "reads",
    "empty_reads",
    "block_bytes",
    "block_capacity",
    "waits",
    "user_ns",
    "system_ns",
    "latency_samples",
)


PERCENTILES = (
    "latency_min_ns",
    "latency_50_ns",
    "latency_90_ns",
    "latency_99_ns",
    "latency_99_9_ns",
    "latency_max_ns",
)


class Skip(Exception):
    pass


SMALL = 5  # the exit code of a result with a sample that was too small to be judged


def bench(*words, code=0, before=(), timeout=600):
    """A run of bpfbench that ends with the code, or with one of several codes."""
    p = subprocess.run(
        [*before, BENCH, *map(str, words)], capture_output=True, text=True, timeout=timeout
    )
    codes = code if isinstance(code, tuple) else (code,)
    assert p.returncode in codes, (words, p.returncode, p.stdout[-500:], p.stderr[-500:])
    return p


def measured(name, *words, formats=("json",), **more):
    """The result as JSON; its other formats beside it."""
    paths = [os.path.join(D, f"{name}.{f}") for f in formats]
    code = more.pop("code", (0, SMALL))
    p = bench(*words, *(x for p in paths for x in ("-o", p)), "-q", code=code, **more)
    with open(paths[0]) as f:
        r = json.load(f)
    verdicts_are_sound(r, p)
    assert r["schema"] == "bpfbench.result/1", r["schema"]
    for k in (
        "system",
        "release",
        "machine",
        "cpu",
        "governor",
        "cores",
        "time",
        "bpfengine",
        "build",
        "revision",
    ):
        assert r["host"].get(k) not in (None, ""), (k, r["host"])
    return r


def verdicts_are_sound(r, p):
    """The exit code, the message, the verdicts and the sentences say the same."""
    outcomes = [v["outcome"] for v in r["verdicts"]]
    small = "not_judged" in outcomes
    assert r["judged"] == (not small) and p.returncode == (SMALL if small else 0), (outcomes, p)
    assert ("too small to be judged" in p.stderr) == small, p.stderr
    text = " ".join(r["result"]).lower()
    for v in r["verdicts"]:
        assert v["says"].lower() in text and v["because"].lower() in text, (v, text)
        if v["outcome"] == "none_lost":
            assert v["lost"] == 0 and v["loss_from"] is None and v["no_loss_up_to"] > 0, v
            assert 0 < v["loss_bound"] <= r["options"]["loss_below"], v
            assert v["buffer_fills"] is None or v["buffer_fills"] >= 2, v
        elif v["outcome"] in ("loss_begins", "always_lost", "lost"):
            assert v["lost"] > 0 and v["loss_from"] > (v["no_loss_up_to"] or 0), v
            assert v["loss"] <= v["loss_bound"] <= 1, v
        elif v["outcome"] == "not_judged":
            assert v["because"], v


def measured_until(enough, name, *words, seconds=0.5, **more):
    """The result of a run that lasted long enough for what is asserted, however busy the machine."""
    while True:
        r = measured(name, *words, "-t", str(seconds), **more)
        if enough(r) or seconds > 200:
            return r
        seconds *= 2


def table(path):
    with open(path) as f:
        lines = f.read().split("\n")
    return list(csv.DictReader(l for l in lines if l and not l.startswith("#")))


def agree(path, rows):
    """The CSV file says what the JSON rows say, to the digit."""
    found = table(path)
    assert len(found) == len(rows), (len(found), len(rows))
    for a, b in zip(found, rows):
        assert set(a) == set(b), set(a) ^ set(b)
        for k, v in b.items():
            assert (
                (a[k] == "")
                if v in (None, "")
                else (a[k] == v if isinstance(v, str) else float(a[k]) == float(v))
            ), (k, a[k], v)


def sound(row):
    assert row["dropped"] == row["ring_full"] + row["stalled"] + row["duplicate"]
    if row["loss"] is not None:
        assert 0 <= row["loss"] <= 1 and (row["loss"] > 0) == (row["lost"] > 0), row
    if row["fill"] is not None:
        assert 0 < row["fill"] <= 1 and math.isclose(
            row["fill"], row["block_bytes"] / row["block_capacity"], rel_tol=1e-6
        )
    values = [row[k] for k in PERCENTILES]
    if row["latency_samples"]:
        assert None not in values and values == sorted(values), values
    else:
        assert values == [None] * len(values), values


def run_is_sound(r, least_rows=1):
    rows, total = r["rows"], r["total"]
    assert (
        len(rows) >= least_rows
        and total["what"] == "total"
        and all(x["what"] == "second" for x in rows)
    )
    for row in rows + [total]:
        sound(row)
    assert total["packets"] == total["delivered"] + total["dropped"] and total["in_flight"] == 0, (
        total
    )
    flying = 0
    for row in rows:
        assert row["packets"] + flying == row["delivered"] + row["dropped"] + row["in_flight"], (
            flying,
            row,
        )
        flying = row["in_flight"]
    for k in SUMS:
        if total[k] is not None:
            assert sum(x[k] for x in rows) == total[k], (k, [x[k] for x in rows], total[k])
    assert math.isclose(sum(x["seconds"] for x in rows), total["seconds"], rel_tol=1e-6)
    if total["latency_samples"]:
        h = r["latency_histogram"]
        assert (
            sum(n for _, _, n in h["classes"])
            == h["samples"]
            == total["latency_samples"]
            == total["delivered"]
        ), (h["samples"], total)
        assert (
            all(a <= b for a, b, _ in h["classes"])
            and h["classes"][0][0]
            <= total["latency_min_ns"]
            <= total["latency_max_ns"]
            <= h["classes"][-1][1]
        )
    else:
        assert "latency_histogram" not in r


def run_cases(*cases):
    """Runs the cases, reports failures and skipped cases, and ends the program.

    -v as last argument prints how long each case took.
    """
    passed = failed = 0
    try:
        for case in cases:
            start = time.monotonic()
            try:
                case()
                passed += 1
            except Skip as reason:
                print(f"SKIP: {case.__name__}: {reason}")
            except Exception as error:  # the other cases still run
                failed += 1
                print(f"FAILED {case.__name__}: {type(error).__name__}: {str(error)[:1500]}")
            if "-v" in sys.argv:
                print(f"{case.__name__}: {time.monotonic() - start:.1f} s")
    finally:
        shutil.rmtree(D, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
