#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns a folder of captures into a Parquet table of flows, on Ray: one task a capture.

    python3 examples/ray/flows.py CAPTURES TABLE --workers 2
    python3 examples/ray/flows.py CAPTURES TABLE --address auto       # a cluster that runs

Workers need the Python package bpfengine and pyarrow, and see both folders.  capture_table.py says
how a table looks.
"""

import os
import sys

import ray
import ray.cloudpickle

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tables"))
import capture_table

AHEAD = 1000  # tasks that Ray is given at once


def convert_all(captures, settings):
    """The entries of all captures, each by a task of its own."""
    ray.cloudpickle.register_pickle_by_value(capture_table)  # workers lack this file
    task = ray.remote(num_cpus=1, max_retries=3)(capture_table.convert)
    waiting, running, entries = list(reversed(captures)), [], []
    while waiting or running:
        while waiting and len(running) < AHEAD:
            running.append(task.remote(waiting.pop(), settings))
        done, running = ray.wait(running)
        entries += ray.get(done)
    return entries


def main():
    arguments, settings = capture_table.read_arguments(
        "Turns a folder of captures into a Parquet table of flows, on Ray.",
        lambda parser: parser.add_argument("--address", help='of a cluster; "auto": this one\'s'),
    )
    if arguments.address:
        ray.init(address=arguments.address)
    else:
        ray.init(num_cpus=arguments.workers, include_dashboard=False, logging_level="warning")
    captures = capture_table.find_captures(settings)
    entries, wanted = capture_table.split_done(captures, settings)
    try:
        entries += convert_all(wanted, settings)
    finally:
        ray.shutdown()
    return capture_table.finish(captures, entries, settings, arguments)


if __name__ == "__main__":
    sys.exit(main())
