#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""consumer.py BROKERS TOPIC TABLES: moves records from Kafka into Parquet files, none lost, none
twice.

    TABLES/flows/date=2026-11-29/TOPIC-0-120000-121999.parquet     partition 0, these offsets
    TABLES/rejected/TOPIC-0-120500.bin                             a message that is no record
    TABLES/offsets/TOPIC-0.json                                    next offset; the files up to it

The files carry their offsets, and a position is kept beside the files, not in Kafka: a file is made
whole, moved to its place, and then the position moves on.  If a consumer died in between, the next
one removes the files behind the position, and reads their messages again.  Kafka gets the positions
only to show the lag.

DuckDB reads the files while they come: FROM 'TABLES/flows/*/*.parquet'.  On SIGTERM or SIGINT the
consumer reads the topic to the end that it then has, and ends; a second signal ends it at once.
It needs confluent_kafka and pyarrow.
"""

import argparse
import datetime
import glob
import json
import os
import re
import signal
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

TEXT, COUNT, PORT = pa.string(), pa.uint64(), pa.uint16()
# Column: type, member of the JSON record, place in the member's list.  `record` has the rest.
COLUMNS = {
    "duration": (pa.float64(), "duration", None),
    "src": (TEXT, "src", None),
    "sport": (PORT, "sport", None),
    "dst": (TEXT, "dst", None),
    "dport": (PORT, "dport", None),
    "proto": (TEXT, "proto", None),
    "orig_packets": (COUNT, "packets", 0),
    "resp_packets": (COUNT, "packets", 1),
    "orig_wire_bytes": (COUNT, "wire_bytes", 0),
    "resp_wire_bytes": (COUNT, "wire_bytes", 1),
    "conn_state": (TEXT, "conn_state", None),
    "app": (TEXT, "app", None),
    "name": (TEXT, "name", None),
    "process": (TEXT, "process", None),
    "community_id": (TEXT, "community_id", None),
}
SCHEMA = pa.schema(
    [
        ("first", pa.timestamp("us", tz="UTC")),
        *((name, row[0]) for name, row in COLUMNS.items()),
        ("record", TEXT),
    ]
)


class Times(str):
    """A number of a JSON record as it is written: seconds with nine places are no float."""


def read_record(value):
    """(date, row) of a message; ValueError, KeyError or TypeError if it is no flow record."""
    record = json.loads(value, parse_float=Times)
    seconds, _, fraction = str(record["first"]).partition(".")
    first_us = int(seconds) * 10**6 + int((fraction + "000000")[:6])
    row = {"first": first_us, "record": value.decode("utf-8")}
    for column, (kind, member, place) in COLUMNS.items():
        found = record.get(member)
        if found is not None and place is not None:
            found = found[place]
        row[column] = float(found) if kind == pa.float64() and found is not None else found
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=first_us // 86_400_000_000)
    return day.isoformat(), row


def write_whole(path, write):
    """Makes a file that is there whole or not at all."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    made = f"{path}.part"
    write(made)
    os.replace(made, path)


class Partition:
    """Messages of a partition that are not in a file yet, and where the next one is."""

    def __init__(self, tables, topic, number):
        self.tables, self.name = tables, f"{topic}-{number}"
        self.state = os.path.join(tables, "offsets", f"{self.name}.json")
        self.next = self.begin = 0
        if os.path.exists(self.state):
            with open(self.state, encoding="utf-8") as f:
                self.next = self.begin = json.load(f)["next"]
        self.days, self.rows, self.since = {}, 0, 0.0
        self.rejected = []  # (offset, bytes)
        self.seen_end = 0  # where the topic ended when all before was read
        self._remove_unfinished()

    def _remove_unfinished(self):
        """Removes files behind the position: a consumer died before the position moved on."""
        for place in glob.glob(os.path.join(self.tables, "flows", "date=*", f"{self.name}-*")):
            span = re.fullmatch(r"(\d+)-\d+\.parquet(\.part)?", place.split(f"{self.name}-")[-1])
            if span and (int(span[1]) >= self.next or span[2]):
                os.unlink(place)

    def add(self, message):
        """Takes a message.  What is before the position was written by an earlier run."""
        if message.offset() < self.next:
            return
        if not self.rows and not self.rejected:
            self.since = time.monotonic()
        value = message.value() or b""
        try:
            day, row = read_record(value)
            self.days.setdefault(day, []).append(row)
            self.rows += 1
        except (ValueError, KeyError, TypeError, IndexError, OverflowError):
            self.rejected.append((message.offset(), value))
        self.next = message.offset() + 1

    def write(self):
        """Writes what is there, and moves the position on.  Returns (rows, rejected)."""
        span = f"{self.name}-{self.begin}-{self.next - 1}"
        counts = self.rows, len(self.rejected)
        for offset, value in self.rejected:
            self._write_bytes(f"{self.name}-{offset}.bin", value)
        for day, rows in self.days.items():
            table = make_table(rows)
            path = os.path.join(self.tables, "flows", f"date={day}", f"{span}.parquet")
            write_whole(path, lambda made, t=table: pq.write_table(t, made, compression="zstd"))
        self._move_on()
        self.begin, self.days, self.rows, self.rejected = self.next, {}, 0, []
        return counts

    def _write_bytes(self, name, value):
        def write(made):
            with open(made, "wb") as f:
                f.write(value)

        write_whole(os.path.join(self.tables, "rejected", name), write)

    def _move_on(self):
        def write(made):
            with open(made, "w", encoding="utf-8") as f:
                json.dump({"next": self.next}, f)

        write_whole(self.state, write)


def make_table(rows):
    return pa.Table.from_pylist(rows, SCHEMA)


def make_topic(brokers, topic, partitions, seconds):
    """Makes the topic if it is not there, and returns the numbers of its partitions."""
    admin, until = AdminClient({"bootstrap.servers": brokers}), time.monotonic() + seconds
    while True:
        try:
            found = admin.list_topics(timeout=10).topics.get(topic)
            if found and not found.error and found.partitions:
                return sorted(found.partitions)
            for done in admin.create_topics([NewTopic(topic, partitions, -1)]).values():
                done.result()
        except KafkaException as error:
            there = error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
            if not there and time.monotonic() > until:
                sys.exit(f"consumer: {brokers}: {error.args[0].str()}")
        time.sleep(0.3)


class Run:
    """A consumer at work."""

    def __init__(self, arguments):
        self.arguments, self.total, self.rejected = arguments, 0, 0
        numbers = make_topic(
            arguments.brokers, arguments.topic, arguments.partitions, arguments.wait
        )
        if arguments.only:
            wanted = {int(word) for word in arguments.only.split(",")}
            if not wanted <= set(numbers):
                sys.exit(f"consumer: --only {arguments.only}: the topic has partitions {numbers}")
            numbers = sorted(wanted)
        self.parts = {n: Partition(arguments.tables, arguments.topic, n) for n in numbers}
        self.consumer = Consumer(
            {
                "bootstrap.servers": arguments.brokers,
                "group.id": arguments.group,
                "enable.auto.commit": False,
                "auto.offset.reset": "error",  # offsets that are gone are a loss, and told
                "enable.partition.eof": True,
            }
        )
        self.consumer.assign(
            [TopicPartition(arguments.topic, n, p.next) for n, p in self.parts.items()]
        )

    def flush(self, number):
        """Writes the files of a partition."""
        part = self.parts[number]
        if part.next == part.begin:
            return
        rows, rejected = part.write()
        self.total, self.rejected = self.total + rows, self.rejected + rejected
        position = [TopicPartition(self.arguments.topic, number, part.next)]
        self.consumer.commit(offsets=position, asynchronous=True)

    def take(self, messages):
        for message in messages:
            if message.error():
                if message.error().code() == KafkaError._PARTITION_EOF:
                    self.parts[message.partition()].seen_end = message.offset()
                    continue
                if message.error().code() == KafkaError._AUTO_OFFSET_RESET:
                    sys.exit(
                        f"consumer: {self.arguments.topic}: {message.error().str()}: Kafka has "
                        "thrown away records that were not read; --from-oldest reads on from the "
                        "oldest that is left"
                    )
                print(f"consumer: {message.error().str()}", file=sys.stderr, flush=True)
                continue
            part = self.parts[message.partition()]
            part.add(message)
            if part.rows + len(part.rejected) >= self.arguments.rows:
                self.flush(message.partition())
        now = time.monotonic()
        for number, part in self.parts.items():
            if part.next > part.begin and now - part.since >= self.arguments.seconds:
                self.flush(number)

    def ends(self):
        """{partition: (oldest offset, next offset to be written)} as the broker has them."""
        topic = self.arguments.topic
        return {
            n: self.consumer.get_watermark_offsets(TopicPartition(topic, n), timeout=30)
            for n in self.parts
        }

    def skip_to_oldest(self):
        """Moves on to the oldest record that Kafka still has, and tells the loss."""
        for number, (oldest, _) in self.ends().items():
            part = self.parts[number]
            if part.next < oldest:
                lost = oldest - part.next
                print(f"consumer: partition {number}: {lost} records are lost", file=sys.stderr)
                part.next = part.begin = oldest
                self.consumer.assign(
                    [TopicPartition(self.arguments.topic, n, p.next) for n, p in self.parts.items()]
                )

    def read_to_end(self, is_over):
        """Reads to the end that the topic has now.  Returns whether all was read."""
        try:
            ends = {n: end for n, (_, end) in self.ends().items()}
        except KafkaException as error:
            print(f"consumer: the end is not known: {error.args[0].str()}", file=sys.stderr)
            return False
        while any(max(p.next, p.seen_end) < ends[n] for n, p in self.parts.items()):
            self.take(self.consumer.consume(5000, timeout=0.5))
            if is_over():
                return False
        return True

    def until(self, signals, is_once):
        """Reads until the first signal, then to the topic's end or to the second signal.  Returns
        whether all was read."""
        while not signals and not is_once:
            self.take(self.consumer.consume(5000, timeout=0.5))
        is_whole = self.read_to_end(lambda: len(signals) > 1)
        for number in self.parts:
            self.flush(number)
        self.consumer.close()
        return is_whole


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("brokers")
    parser.add_argument("topic")
    parser.add_argument("tables")
    parser.add_argument("--group", default="bpfengine-tables", help="the name in Kafka's lists")
    parser.add_argument("--partitions", type=int, default=4, help="of a topic that is made here")
    parser.add_argument("--only", help="partitions to read, as 0,1: another consumer has the rest")
    parser.add_argument("--rows", type=int, default=100_000, help="most rows of a file")
    parser.add_argument("--seconds", type=float, default=10, help="the longest that rows wait")
    parser.add_argument("--wait", type=float, default=120, help="seconds for the brokers to come")
    parser.add_argument("--once", action="store_true", help="read to the end, and stop")
    parser.add_argument(
        "--from-oldest", action="store_true", help="go on where records are lost, and say so"
    )
    arguments = parser.parse_args()
    signals = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda which, _frame: signals.append(which))
    run = Run(arguments)
    if arguments.from_oldest:
        run.skip_to_oldest()
    place = ", ".join(f"{n} from {part.next}" for n, part in run.parts.items())
    print(f"consumer: reading {arguments.topic}: partition {place}", flush=True)
    is_whole = run.until(signals, arguments.once)
    left = "" if is_whole else "; the topic has more: the next run reads on"
    print(f"consumer: {run.total} records in tables, {run.rejected} rejected{left}", flush=True)
    return 0 if is_whole and not run.rejected else 1


if __name__ == "__main__":
    sys.exit(main())
