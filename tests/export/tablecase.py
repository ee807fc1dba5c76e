# SPDX-License-Identifier: MIT
"""What the tests of tables share: runs of the program, and flows as lines of JSON and as rows."""

import json
import os
import subprocess
from decimal import Decimal

DEFAULTS = (None, 0, "", False)  # what a row has where a line has no member
PAIRED = ("orig_", "resp_")


def run(program, *words, code=0, **options):
    """Runs the program, which must end with the code.  Returns the completed process."""
    done = subprocess.run(
        [program, *words],
        **{"capture_output": True, "text": True, "timeout": 550, "check": False, **options},
    )
    if code is not None:
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done


def read_lines(path):
    """The flows of a file of JSON lines, with exact decimals."""
    with open(path, encoding="utf-8") as f:
        return [json.loads(line, parse_float=Decimal) for line in f]


def nanoseconds(seconds):
    return int(Decimal(seconds) * 1_000_000_000)


def member_of(flow, column):
    """What a flow's line says about a column, or None."""
    if column == "first":
        return nanoseconds(flow["first"])
    if column == "last":
        return nanoseconds(flow["first"]) + nanoseconds(flow["duration"])
    if column in ("vlan", "inner_vlan"):
        vlans = flow.get("vlan", [])
        k = column == "inner_vlan"
        return vlans[k] if len(vlans) > k else None
    if column == "name_others":
        return ",".join(flow[column]) if column in flow else None
    if column.endswith("_ns"):
        value = flow.get(column.removesuffix("_ns"))
        return None if value is None else nanoseconds(value)
    for k, side in enumerate(PAIRED):
        if column.startswith(side):
            pair = flow.get(column.removeprefix(side))
            # -1: no window scale was seen
            return None if pair is None or pair[k] == -1 else pair[k]
    return flow.get(column)


def compare(flow, row, what):
    """Asserts that a row (a dict) says what a flow's line says: all members, and no more."""
    for column, value in row.items():
        member = member_of(flow, column)
        if member in DEFAULTS:
            assert value in DEFAULTS, (what, column, value, flow)
        else:
            assert value == member, (what, column, value, member, flow)
    told = {member.removesuffix("_ns") for member in row}
    told |= {column[5:] for column in row if column.startswith(PAIRED)}
    missing = set(flow) - told - {"schema", "duration"}
    assert not missing, (what, missing)


def compare_all(flows, rows, what):
    """Asserts that rows and flows are the same, in their order."""
    assert len(flows) == len(rows), (what, len(flows), len(rows))
    for k, (flow, row) in enumerate(zip(flows, rows)):
        compare(flow, row, f"{what}, row {k}")


def files_of(folder, ending):
    return sorted(name for name in os.listdir(folder) if name.endswith(ending))
