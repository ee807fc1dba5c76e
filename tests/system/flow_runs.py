# SPDX-License-Identifier: MIT
"""Runs of the program with --flows, for the tests of flow files.

Each report is checked: all records are accounted for.
"""

import json
import os
import subprocess
import tempfile

from program import PROGRAM

SOURCE = "synth:count=30000,flows=300,seed=5,vlan=20,ipv6=30"


def balanced(report):
    records = report["flows"]["records"]
    told_while_alive = report["flows"]["periods"] + records["snapshots"] + records["begun"]
    assert records["given"] + records["dropped"] == report["flows"]["opened"] + told_while_alive, (
        report["flows"]
    )
    assert records["given"] == records["written"] + records["lost"], records
    assert sum(w["records"]["given"] for w in report["workers"]) in (records["given"], 0), report[
        "workers"
    ]
    return report


def run(*words, path, **options):
    """The report and what was written."""
    p = subprocess.run(
        [PROGRAM, "--json", "--flows", path, *words], capture_output=True, timeout=600, **options
    )
    report = balanced(json.loads(p.stdout))
    return report, p


def written(*words, name="flows", **options):
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, name)
        report, p = run(*words, path=path, **options)
        assert p.returncode == 0 and report["flows"]["records"]["lost"] == 0, p.stderr
        with open(path, newline="") as f:
            return report, f.read()
