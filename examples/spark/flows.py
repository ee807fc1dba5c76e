#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns a folder of captures into a Parquet table of flows, on Spark: one task a capture, or a task
for several small captures (--per-task 16).

    python3 examples/spark/flows.py CAPTURES TABLE --workers 2
    spark-submit --py-files examples/tables/capture_table.py examples/spark/flows.py CAPTURES TABLE

Workers need the Python package bpfengine and pyarrow, and see both folders.  A worker writes its
Parquet files itself: Spark's Arrow bridge (mapInArrow) takes no unsigned numbers, and its own
writer would sort all rows by day across the machines.  capture_table.py says how a table looks.
"""

import os
import sys
from functools import partial

from pyspark import SparkConf
from pyspark.sql import SparkSession

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tables"))
import capture_table


def convert_some(captures, settings):
    """The entries of the captures of a task."""
    return [capture_table.convert(capture, settings) for capture in captures]


def add_arguments(parser):
    parser.add_argument(
        "--per-task", type=int, default=1, help="captures of a task; more for small captures"
    )


def main():
    arguments, settings = capture_table.read_arguments(
        "Turns a folder of captures into a Parquet table of flows, on Spark.", add_arguments
    )
    builder = SparkSession.builder.appName("bpfengine flows")
    if not SparkConf().contains("spark.master"):  # not started by spark-submit
        # Without this, Spark's workers run the first python3 in PATH, which may lack the packages.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.master(f"local[{arguments.workers or '*'}]")
        builder = builder.config("spark.ui.enabled", "false")
        builder = builder.config("spark.ui.showConsoleProgress", "false")
    spark = builder.getOrCreate()
    captures = capture_table.find_captures(settings)
    entries, wanted = capture_table.split_done(captures, settings)
    try:
        spark.sparkContext.addPyFile(capture_table.__file__)
        count = max(1, -(-len(wanted) // max(1, arguments.per_task)))
        # The largest captures are in different tasks.
        tasks = spark.sparkContext.parallelize([wanted[i::count] for i in range(count)], count)
        entries += tasks.flatMap(partial(convert_some, settings=settings)).collect()
    finally:
        spark.stop()
    return capture_table.finish(captures, entries, settings, arguments)


if __name__ == "__main__":
    sys.exit(main())
