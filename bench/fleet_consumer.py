#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fleet_consumer.py RECORDS: CPU of packaging/fleet/consumer.py for a record, and bytes of a record
as JSON and in the consumer's Parquet files.  RECORDS: a file of the program's JSON lines, as
--flows writes.  No broker: the messages go through the consumer's own class."""

import os
import sys
import tempfile
import time

import cpu_time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "packaging", "fleet"))
import consumer


class Message:
    """What the consumer asks of a message of Kafka."""

    def __init__(self, offset, value):
        self.place, self.bytes = offset, value

    def offset(self):
        return self.place

    def value(self):
        return self.bytes


def folder_bytes(folder):
    return sum(
        os.path.getsize(os.path.join(place, name))
        for place, _, names in os.walk(folder)
        for name in names
    )


def main():
    with open(sys.argv[1], "rb") as f:
        lines = f.read().splitlines()
    with tempfile.TemporaryDirectory() as tables:
        part, before = consumer.Partition(tables, "flows", 0), time.process_time()
        for i, line in enumerate(lines):
            part.add(Message(i, line))
            if part.rows >= 100_000:
                part.write()
        part.write()
        seconds = time.process_time() - before
        files = folder_bytes(os.path.join(tables, "flows"))
        rejected = os.path.exists(os.path.join(tables, "rejected"))
    assert not rejected, "a line is no record"
    print(
        f"{cpu_time.name_cpu()}: {len(lines)} records, {seconds / len(lines) * 1e6:.1f} us CPU a "
        f"record, JSON {sum(map(len, lines)) / len(lines):.0f} bytes, "
        f"Parquet {files / len(lines):.0f} bytes a record"
    )


if __name__ == "__main__":
    main()
