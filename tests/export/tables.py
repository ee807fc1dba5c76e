#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tables.py PROGRAM: the flows of all shared captures as tables, read by what people use.

Each capture is read three times: to JSON lines, to a Parquet file, and to an SQLite database.  The
rows must be the lines, field by field, and as many.  pyarrow, DuckDB, polars and ClickHouse (chdb)
read each Parquet file.  A reader that is not installed is skipped by name."""

import importlib.util
import os
import sqlite3
import sys
import tempfile

import peers
from tablecase import compare_all, files_of, read_lines, run

PROGRAM = os.path.abspath(sys.argv[1])
READERS = ("pyarrow", "duckdb", "polars", "chdb")


def read_pyarrow(folder):
    import pyarrow.parquet

    rows = {}
    for name in files_of(folder, ".parquet"):
        table = pyarrow.parquet.read_table(os.path.join(folder, name))
        for time in ("first", "last"):
            at = table.column_names.index(time)
            assert str(table.schema.types[at]) == "timestamp[ns, tz=UTC]", table.schema
            table = table.set_column(at, time, table[time].cast("int64"))
        rows[name] = table.to_pylist()
    return rows


def group_rows(rows, member):
    """Rows by the name of their file, which is in a member."""
    groups = {}
    for row in rows:
        groups.setdefault(os.path.basename(row.pop(member)), []).append(row)
    return groups


def read_duckdb(folder):
    import duckdb

    # epoch_ns gives the times whole; Python's own have microseconds.
    result = duckdb.sql(
        "SELECT * REPLACE (epoch_ns(first) AS first, epoch_ns(last) AS last)"
        f" FROM read_parquet('{folder}/*.parquet', filename = true)"
        " ORDER BY filename, file_row_number"
    )
    names = result.columns
    return group_rows([dict(zip(names, row)) for row in result.fetchall()], "filename")


def read_polars(folder):
    import polars

    table = polars.scan_parquet(folder + "/*.parquet", include_file_paths="file").with_columns(
        polars.col("first", "last").dt.epoch(time_unit="ns"),
    )
    return group_rows(table.collect().to_dicts(), "file")


def read_chdb(folder):
    import chdb

    # A file is read in its order by one thread.
    table = chdb.query(
        "SELECT _file, * REPLACE (toUnixTimestamp64Nano(first) AS first,"
        f" toUnixTimestamp64Nano(last) AS last) FROM file('{folder}/*.parquet', Parquet)"
        " SETTINGS max_threads = 1, input_format_parquet_preserve_order = 1",
        "ArrowTable",
    )
    rows = [
        {name: value.decode() if isinstance(value, bytes) else value for name, value in row.items()}
        for row in table.to_pylist()
    ]
    return group_rows(rows, "_file")


def read_sqlite(folder):
    rows = {}
    for name in files_of(folder, ".sqlite"):
        base = sqlite3.connect(os.path.join(folder, name))
        base.row_factory = sqlite3.Row
        assert base.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert base.execute("PRAGMA user_version").fetchone()[0] == 1
        rows[name.replace(".sqlite", ".parquet")] = [
            dict(row) for row in base.execute("SELECT * FROM flows ORDER BY rowid")
        ]
        base.close()
    return rows


def find_readers():
    """The readers of Parquet that are there."""
    found = [name for name in READERS if importlib.util.find_spec(name)]
    for name in READERS:
        if name not in found:
            print(f"SKIP: {name} is not installed (scripts/peers.sh python)")
    return found


def make(number, capture, folder):
    """Reads a capture to each kind of table.  Returns the flows, or None for a capture that is
    refused."""
    stem = os.path.join(folder, f"{number:04}")
    paths = [stem + ending for ending in (".json", ".parquet", ".sqlite")]
    words = ("-r", capture, "--quiet", "--seed", "7", "--flows")
    codes = {run(PROGRAM, *words, path, code=None).returncode for path in paths}
    assert len(codes) == 1, (capture, codes)
    if all(os.path.exists(path) for path in paths):
        return read_lines(paths[0])
    for path in paths:
        if os.path.exists(path):
            os.remove(path)
    return None


def main():
    readers = find_readers()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        made = {
            f"{number:04}.parquet": (capture, make(number, capture, folder))
            for number, capture in enumerate(peers.captures())
        }
        made = {name: pair for name, pair in made.items() if pair[1] is not None}
        total = sum(len(flows) for _, flows in made.values())
        assert made and total > 3000, (len(made), total)
        for reader in [*readers, "sqlite"]:
            rows = globals()["read_" + reader](folder)
            assert set(rows) <= set(made), set(rows) - set(made)
            for name, (capture, flows) in made.items():
                compare_all(flows, rows.get(name, []), f"{capture} by {reader}")
            seen = sum(map(len, rows.values()))
            assert seen == total, (reader, seen, total)
            print(f"{reader}: {len(made)} files, {total} flows, {seen} rows with equal fields")


main()
