#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""spark.py PROGRAM LIBRARY: examples/spark/flows.py in PySpark's local mode, over all shared
captures.  Rows equal the program's JSON records, capture by capture.  Exit code 77: skipped."""

import os
import subprocess
import sys
import tempfile

import peers

peers.program("java")
peers.python("pyspark", "pyarrow")
import jobs

JOB = os.path.join(jobs.EXAMPLES, "spark", "flows.py")
PLAIN = [sys.executable, JOB, "--workers", "2"]
READ = """
import sys
from pyspark.sql import SparkSession, functions as f
spark = SparkSession.builder.getOrCreate()
flows = spark.read.parquet(sys.argv[1] + "/flows")
row = flows.agg(f.count("*"), f.sum("orig_packets"), f.countDistinct("capture")).first()
years = flows.where("date >= '2000-01-01' and year(first) >= 2000").count()
print("COUNTED", row[0], int(row[1]), row[2], years)
"""


def submitted():
    """Spark's own launcher runs the job, and Spark reads the table."""
    submit = os.path.join(os.path.dirname(sys.executable), "spark-submit")
    if not os.path.exists(submit):
        submit = peers.program("spark-submit")
    words = ["--master", "local[2]", "--conf", "spark.ui.enabled=false"]
    shared = os.path.join(jobs.EXAMPLES, "tables", "capture_table.py")
    with tempfile.TemporaryDirectory() as place:
        folder, table = os.path.join(place, "captures"), os.path.join(place, "table")
        jobs.few(folder)
        jobs.ENVIRONMENT["PYSPARK_PYTHON"] = sys.executable
        printed = jobs.run([submit, *words, "--py-files", shared, JOB], folder, table)
        got = jobs.counts(printed)
        assert got[:6] == (3, 0, 3, 0, 0, 0), printed
        rows = jobs.rows_in_us(table)
        assert jobs.equal_rows(folder, rows, jobs.FEW) == got[6]
        script = os.path.join(place, "read.py")
        with open(script, "w", encoding="utf-8") as f:
            f.write(READ)
        done = subprocess.run(
            [submit, *words, script, table],
            env=jobs.ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=500,
        )
        place_of_packets = 1 + list(jobs.SAME).index("orig_packets")
        packets = sum(row[place_of_packets] * n for c in rows.values() for row, n in c.items())
        want = f"COUNTED {got[6]} {packets} 3 {got[6]}"
        assert want in done.stdout, (want, done.stdout, done.stderr[-3000:])


passed = 0
ALL = [*PLAIN, "--per-task", "16"]  # most captures have a few packets
for check in (lambda: jobs.every_capture(ALL), submitted, lambda: jobs.blocked(PLAIN)):
    check()
    passed += 1
print(f"{passed} passed, 0 failed")
