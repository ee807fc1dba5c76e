# SPDX-License-Identifier: MIT
"""Runs the program on bytes made by a test, and counts cases.

A test file is called with the program as its first argument, registers functions with @case, and
ends with finish(), which prints "N passed, N failed".  A case is named after the fault that it
would have shown (the row's id in lower case, then what is right): x3_flows_file_is_not_the_input.
"""

import json
import os
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
counts = {"passed": 0, "failed": 0, "skipped": 0}


class Skipped(Exception):
    """Raised by a case that this machine cannot make; the text says what is missing."""


def case(function):
    """Runs the function at once; every failure is told, and the others still run."""
    try:
        function()
        counts["passed"] += 1
    except Skipped as why:
        counts["skipped"] += 1
        print(f"skipped {function.__name__}: {why}")
    except Exception as error:
        counts["failed"] += 1
        line = error.__traceback__.tb_next.tb_lineno if error.__traceback__.tb_next else 0
        print(f"FAILED {function.__name__}: {type(error).__name__}: {error} (line {line})")
    return function


def finish():
    """Prints the sums as the last line and leaves with 1 if a case failed or none ran."""
    line = f"{counts['passed']} passed, {counts['failed']} failed"
    print(line + (f", {counts['skipped']} skipped" if counts["skipped"] else ""))
    sys.exit(1 if counts["failed"] or not counts["passed"] + counts["skipped"] else 0)


def run(*words, timeout=600, **options):
    """Runs the program; the completed process with its output as bytes."""
    return subprocess.run([PROGRAM, *words], timeout=timeout, **{"capture_output": True, **options})


def read_report(data, *words):
    """The JSON report of a savefile given as bytes, and the completed process."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(data)
        f.flush()
        p = run("-r", f.name, "--json", *words)
    return (json.loads(p.stdout) if p.stdout.strip() else None), p


def count_matches(data, expression, *words):
    """How many packets of a savefile a filter lets through."""
    report, p = read_report(data, "--no-flows", *words, *expression.split())
    assert report is not None, p.stderr
    return report["packets"]["read"]


def read_flows(data, *words, form="json", code=0):
    """The flow records of a savefile given as bytes: objects, or the text of another format."""
    with tempfile.TemporaryDirectory() as d:
        source, target = os.path.join(d, "in"), os.path.join(d, "flows")
        with open(source, "wb") as f:
            f.write(data)
        p = run(
            "-r",
            source,
            "--flows",
            target,
            "--flows-format",
            form,
            "--quiet",
            "--seed",
            "1",
            *words,
        )
        assert code is None or p.returncode == code, (p.returncode, p.stderr)
        with open(target, encoding="utf-8", errors="surrogateescape", newline="") as f:
            text = f.read()
    return [json.loads(line) for line in text.splitlines()] if form != "csv" else text


def skip_sanitized():
    """Skips a case where the program was built for a sanitizer: it keeps its rights, unconfined."""
    report = json.loads(run("-i", "synth:count=1", "--json").stdout)
    if "sanitizer" in (report["rights"]["kept"] or ""):
        raise Skipped("a build for a sanitizer keeps its rights")
