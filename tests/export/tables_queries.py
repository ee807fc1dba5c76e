#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tables_queries.py PROGRAM: each query of docs/tables.md, over the flows of real captures.

DuckDB runs the queries over Parquet files, and SQLite those over a database.  Each answer must be
what this file computes from the lines of JSON of the same captures."""

import os
import re
import sqlite3
import statistics
import sys
import tempfile
from collections import Counter, defaultdict

import peers
from tablecase import nanoseconds, read_lines, run

PROGRAM = os.path.abspath(sys.argv[1])
WANTED = 150  # captures with flows
HOUR = 3600 * 10**9


def bytes_of(flow):
    return sum(flow["wire_bytes"])


def length_of(flow):
    return nanoseconds(flow["duration"])


def sum_by(flows, key):
    """Key, flows and bytes, for each key, the most bytes first."""
    counts, sums = Counter(), Counter()
    for flow in flows:
        counts[key(flow)] += 1
        sums[key(flow)] += bytes_of(flow)
    return sorted(((*k, counts[k], sums[k]) for k in counts), key=lambda row: (-row[-1], row))


def answer_1(flows):
    return sum_by(flows, lambda f: (f["src"],))[:10]


def answer_2(flows):
    return sum_by(flows, lambda f: (f.get("process", ""),))[:10]


def answer_3(flows):
    named = [f for f in flows if "name" in f]
    # NULL comes last in DuckDB.
    rows = sum_by(named, lambda f: (f["name"], f.get("app", "\uffff")))[:10]
    return [(name, None if app == "\uffff" else app, *rest) for name, app, *rest in rows]


def answer_4(flows):
    spans = defaultdict(list)
    for f in flows:
        if "server_rtt" in f:
            spans[f["dst"]].append(nanoseconds(f["server_rtt"]))
    rows = [(dst, len(s), statistics.median(s) / 1e6) for dst, s in spans.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))[:10]


def answer_5(flows):
    counts = Counter(
        (f["src"], f["dst"], f["dport"]) for f in flows if f.get("app") == "tls" and "name" not in f
    )
    rows = [(*key, n) for key, n in counts.items()]
    return sorted(rows, key=lambda row: (-row[3], row))[:10]


def answer_6(flows):
    rows = [(f["src"], f["sport"], f["dst"], f["dport"], length_of(f) / 1e9) for f in flows]
    return sorted(rows, key=lambda row: (-row[4], row))[:10]


def answer_7(flows):
    targets, unanswered = defaultdict(set), Counter()
    for f in flows:
        targets[f["src"]].add((f["dst"], f["dport"]))
        unanswered[f["src"]] += f["conn_state"] in ("S0", "REJ")
    rows = [(src, len(t), unanswered[src]) for src, t in targets.items() if len(t) >= 5]
    return sorted(rows, key=lambda row: (-row[1], row[0]))[:10]


def answer_8(flows):
    rows = sum_by(flows, lambda f: (nanoseconds(f["first"]) // (60 * 10**9),))
    return sorted((minute, n, total * 8 / 60) for minute, n, total in rows)


def answer_9(flows):
    again, packets = Counter(), Counter()
    for f in flows:
        if f["proto"] == "tcp":
            again[f["dst"]] += sum(f.get("retransmissions", (0, 0)))
            packets[f["dst"]] += sum(f["packets"])
    rows = [(dst, n, n / packets[dst]) for dst, n in again.items() if n]
    return sorted(rows, key=lambda row: (-row[1], row[0]))[:10]


def answer_10(flows):
    counts, servers = Counter(), defaultdict(set)
    for f in flows:
        if "tls_version" in f:
            counts[f["tls_version"]] += 1
            servers[f["tls_version"]].add(f["dst"])
    return sorted((version, n, len(servers[version])) for version, n in counts.items())


def answer_11(flows):
    return sum_by(flows, lambda f: (f["proto"], f["dport"]))[:10]


def answer_12(flows):
    counts = Counter(f["conn_state"] for f in flows if f["proto"] == "tcp")
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def answer_13(flows):
    ends = [nanoseconds(f["first"]) + length_of(f) for f in flows]
    host = min(f["src"] for f, end in zip(flows, ends) if end == max(ends))
    rows = [
        (nanoseconds(f["first"]), f["dst"], f["dport"], length_of(f) / 1e9, f.get("name"))
        for f, end in zip(flows, ends)
        if f["src"] == host and end > max(ends) - HOUR
    ]
    return [(row[1], row[2], row[4], row[3]) for row in sorted(rows, key=lambda row: row[:4])]


def read_queries():
    """Number, language and text of each query of the page."""
    with open(os.path.join(peers.TOP, "docs", "tables.md"), encoding="utf-8") as f:
        page = f.read()
    return re.findall(r"^### (\d+)\. .*?```(sql|sqlite)\n(.*?)```", page, re.S | re.M)


def is_equal(rows, expected):
    def is_close(a, b):
        if isinstance(a, (int, float)) and isinstance(b, (int, float)):
            return abs(a - b) <= 1e-9 * max(abs(a), abs(b))
        return a == b

    return len(rows) == len(expected) and all(
        len(a) == len(b) and all(map(is_close, a, b)) for a, b in zip(rows, expected)
    )


def make_tables(folder):
    """Reads captures to files in the folder.  Returns their flows."""
    flows = []
    for capture in peers.captures():
        stem = f"{folder}/flows{len(flows):05}"
        words = ("-r", capture, "--quiet", "--process", "--flows")
        done = run(PROGRAM, *words, stem + ".json", code=None)
        if done.returncode or not os.path.getsize(stem + ".json"):
            continue
        run(PROGRAM, *words, stem + ".parquet")
        run(PROGRAM, *words, folder + "/flows.sqlite", "--flows-append")
        flows += read_lines(stem + ".json")
        if len(os.listdir(folder)) > 2 * WANTED:
            break
    return flows


def main():
    peers.python("duckdb")
    import duckdb

    queries = read_queries()
    assert [int(number) for number, _, _ in queries] == list(range(1, 14)), queries
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        flows = make_tables(folder)
        assert len(flows) > 300, len(flows)
        os.chdir(folder)
        base = sqlite3.connect("flows.sqlite")
        wrong = empty = 0
        for number, language, text in queries:
            source = duckdb.sql(text) if language == "sql" else base.execute(text)
            rows = [tuple(row) for row in source.fetchall()]
            expected = globals()["answer_" + number](flows)
            empty += not rows
            if not is_equal(rows, expected):
                wrong += 1
                print(f"FAILED query {number}:\n  {rows}\n  {expected}"[:3000])
        base.close()
        os.chdir("/")
    print(f"{len(queries) - wrong} queries equal, {wrong} not, over {len(flows)} flows")
    assert not empty, f"{empty} queries found nothing: the captures are not enough"
    sys.exit(1 if wrong else 0)


main()
