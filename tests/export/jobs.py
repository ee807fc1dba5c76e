# SPDX-License-Identifier: MIT
"""What the tests of the jobs on Spark and on Ray share: captures, a job's run, its table.

A test is called with the program's and the library's path as first arguments."""

import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import peers
import pyarrow.dataset
import pyarrow.parquet

PROGRAM, LIBRARY = (os.path.abspath(path) for path in sys.argv[1:3])
EXAMPLES = os.path.join(peers.TOP, "examples")
ENVIRONMENT = {
    **os.environ,
    "BPFENGINE_LIBRARY": LIBRARY,
    "PYTHONPATH": os.path.join(peers.TOP, "python"),
    "PYTHONDONTWRITEBYTECODE": "1",
    "RAY_AUTH_MODE": "disabled",
    "SPARK_LOCAL_IP": "127.0.0.1",
}
# Column of the table: member of a JSON record, and which of its values.
SAME = {
    "src": ("src", None),
    "sport": ("sport", None),
    "dst": ("dst", None),
    "dport": ("dport", None),
    "proto": ("proto", None),
    "ip": ("ip", None),
    "orig_packets": ("packets", 0),
    "resp_packets": ("packets", 1),
    "orig_wire_bytes": ("wire_bytes", 0),
    "resp_wire_bytes": ("wire_bytes", 1),
    "tcp_state": ("tcp_state", None),
    "history": ("history", None),
    "conn_state": ("conn_state", None),
    "community_id": ("community_id", None),
    "end": ("end", None),
    "app": ("app", None),
    "name": ("name", None),
    "ja4": ("ja4", None),
}
APP = list(SAME).index("app")


def gather(folder, damaged=3):
    """Links the shared captures into a folder; adds captures that are cut short, and no capture.
    Returns (path below the folder of each, of each that is cut, of each that is none)."""
    whole = []
    for path in peers.captures():
        shown = os.path.relpath(path, peers.CAPTURES)
        os.makedirs(os.path.dirname(os.path.join(folder, shown)), exist_ok=True)
        os.symlink(os.path.abspath(path), os.path.join(folder, shown))
        whole.append(shown)
    large = sorted(whole, key=lambda p: -os.path.getsize(os.path.join(folder, p)))
    cut = []
    for shown in [path for path in large if path.endswith(".pcap")][:damaged]:
        with open(os.path.join(folder, shown), "rb") as f:
            data = f.read()
        cut.append("cut/" + os.path.basename(shown))
        os.makedirs(os.path.join(folder, "cut"), exist_ok=True)
        with open(os.path.join(folder, cut[-1]), "wb") as f:
            f.write(data[: len(data) // 2 + 7])
    with open(os.path.join(folder, "none.pcap"), "wb") as f:
        f.write(b"this is no capture")
    with open(os.path.join(folder, "notes.txt"), "wb") as f:
        f.write(b"nor is this")
    return whole, cut, ["none.pcap"]


def run(command, folder, table, *words, code=0):
    """Runs a job to its end, and returns what it printed."""
    done = subprocess.run(
        [*command, folder, table, *words],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=1000,
    )
    assert done.returncode == code, (done.returncode, done.stdout[-2000:], done.stderr[-4000:])
    return done.stdout


def counts(printed):
    """The job's last line as (captures, as before, whole, damaged, unreadable, failed, rows)."""
    line = printed.splitlines()[-1]
    form = (
        r"(\d+) captures \((\d+) as before\): (\d+) whole, (\d+) damaged, (\d+) unreadable, "
        r"(\d+) failed; (\d+) rows in the table"
    )
    return tuple(int(n) for n in re.fullmatch(form, line).groups())


def said_by_program(path):
    """The program's JSON records of a capture as a multiset of rows."""
    done = subprocess.run(
        [PROGRAM, "-r", path, "-q", "--flows", "-"], capture_output=True, timeout=300
    )
    rows = collections.Counter()
    for line in done.stdout.splitlines():
        record = json.loads(line, parse_float=str)
        seconds, _, fraction = str(record["first"]).partition(".")
        first_ns = int(seconds) * 10**9 + int(fraction.ljust(9, "0") or 0)
        values = [
            record.get(member) if at is None or member not in record else record[member][at]
            for member, at in SAME.values()
        ]
        rows[(first_ns, *without_secrets(values))] += 1
    return rows


def without_secrets(values):
    """The values without what only the program reads: it has a library to open QUIC with."""
    if values[APP] != "quic":
        return values
    return [None if name in ("name", "ja4") else v for name, v in zip(SAME, values)]


def rows_of_table(table, time="ns"):
    """{capture: multiset of rows} of a table, by pyarrow."""
    files = pyarrow.dataset.dataset(os.path.join(table, "flows"), partitioning="hive")
    found = files.to_table(["capture", "first", *SAME])
    scale = {"ns": 1, "us": 1000}[time]
    first = found.column("first").cast("int64").to_pylist()
    columns = [found.column(name).to_pylist() for name in SAME]
    rows = collections.defaultdict(collections.Counter)
    for capture, ns, *values in zip(found.column("capture").to_pylist(), first, *columns):
        rows[capture][(ns * scale, *without_secrets(values))] += 1
    return rows


def table_of(table, name):
    """The rows of captures.parquet or failures.parquet by capture."""
    path = os.path.join(table, f"{name}.parquet")
    return {row["capture"]: row for row in pyarrow.parquet.read_table(path).to_pylist()}


def equal_rows(folder, rows, captures):
    """Asserts that the table has the program's records of each capture; returns their count."""
    total = 0
    for shown in captures:
        want, got = (
            said_by_program(os.path.join(folder, shown)),
            rows.get(shown, collections.Counter()),
        )
        only = list((want - got).items())[:2], list((got - want).items())[:2]
        assert want == got, (shown, only)
        total += sum(want.values())
    return total


def every_capture(command):
    """All shared captures: rows equal the program's, losses are told, a new run changes nothing."""
    with tempfile.TemporaryDirectory() as place:
        folder, table = os.path.join(place, "captures"), os.path.join(place, "table")
        whole, cut, none = gather(folder)
        printed = run(command, folder, table, "--time", "ns")
        got = counts(printed)
        assert got[:6] == (len(whole) + len(cut) + 1, 0, len(whole), len(cut), 1, 0), got
        assert "1 files are not named as captures" in printed, printed
        rows = rows_of_table(table)
        assert equal_rows(folder, rows, whole + cut) == got[6] > 3000, got
        assert set(rows) <= {*whole, *cut}, set(rows) - {*whole, *cut}
        failures = table_of(table, "failures")
        assert sorted(failures) == sorted(cut + none), failures
        for shown in cut:
            assert "truncated" in failures[shown]["reason"], failures[shown]
            assert failures[shown]["rows"] == sum(rows[shown].values()) > 0, failures[shown]
        assert failures[none[0]]["rows"] == 0 and "neither" in failures[none[0]]["reason"]
        assert len(table_of(table, "captures")) == got[0]
        print(f"{got[0]} captures, {got[6]} rows as the program's")

        before = sorted(made(table))
        shutil.copy(os.path.join(folder, whole[1]), os.path.join(folder, cut[0]))
        printed = run(command, folder, table, "--time", "ns")
        again = counts(printed)
        assert again[1:6] == (got[0] - 1, len(whole) + 1, len(cut) - 1, 1, 0), again
        now = rows_of_table(table)
        assert now[cut[0]] == rows[whole[1]] and now[whole[1]] == rows[whole[1]]
        assert sum(sum(c.values()) for c in now.values()) == again[6]
        assert cut[0] not in table_of(table, "failures")
        kept = [file for file in sorted(made(table)) if file in before]
        changed = sum(1 for path in before if path not in kept)
        assert 1 <= changed <= 64, (changed, "only the changed capture has new files")


def made(table):
    """(path, time of change) of each file with rows."""
    for place, _, names in os.walk(os.path.join(table, "flows")):
        for name in names:
            path = os.path.join(place, name)
            yield path, os.stat(path).st_mtime_ns


def few(folder):
    """Makes a folder of three captures; returns their names."""
    os.makedirs(folder)
    chosen = [p for p in peers.captures() if os.path.basename(p) in FEW]
    assert len(chosen) == len(FEW), chosen
    for path in chosen:
        shutil.copy(path, folder)
    return sorted(FEW)


FEW = {"443-chrome.pcap", "443-firefox.pcap", "4in4tunnel.pcap"}


def blocked(command):
    """A worker that cannot write says so, loses nothing, and the next run mends it."""
    with tempfile.TemporaryDirectory() as place:
        folder, table = os.path.join(place, "captures"), os.path.join(place, "table")
        few(folder)
        counted = counts(run(command, folder, table))
        days = sorted(os.listdir(os.path.join(table, "flows")))
        shutil.rmtree(table)
        os.makedirs(os.path.join(table, "flows"))
        with open(os.path.join(table, "flows", days[0]), "wb"):
            pass  # a file where the folder of a day would be
        printed = run(command, folder, table, code=1)
        failed = counts(printed)
        assert failed[5] > 0 and failed[2] + failed[5] == len(FEW), printed
        assert "failed: " in printed and failed[6] < counted[6], printed
        assert {row["state"] for row in table_of(table, "failures").values()} == {"failed"}
        os.unlink(os.path.join(table, "flows", days[0]))
        mended = counts(run(command, folder, table))
        assert mended[1:] == (failed[2], *counted[2:]), (mended, counted)
        left = [name for name in os.listdir(table) if name.startswith(".made")]
        assert not left, left
        assert equal_rows(folder, rows_in_us(table), FEW) == counted[6]


def rows_in_us(table):
    """Rows of a table in microseconds; no capture of FEW has a shorter unit."""
    return rows_of_table(table, "us")
