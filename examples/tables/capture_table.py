# SPDX-License-Identifier: MIT
"""Turns captures into a table of flows: what the jobs on Spark and on Ray share.

A table is a folder that all workers see:

    TABLE/flows/date=2020-02-07/ID-0.parquet  flows that began on that day (UTC), of one capture
    TABLE/ledger/ID.json                      what became of the capture; written last
    TABLE/captures.parquet                    the ledger as a table, a row a capture
    TABLE/failures.parquet                    of these, the captures that are not whole

ID comes from the capture's path below the folder.  A capture has files of its own, so a capture
that is read again replaces its own rows and no others.  A capture whose ledger has the same size
and time of change is not read again.  The rows of a capture are counted three times: by the
engine, by the writer, and in the files' footers.  If the counts differ, the capture has failed.
"""

import argparse
import collections
import glob
import hashlib
import json
import os
import shutil
import sys
import time

ENDINGS = tuple(
    kind + packed
    for kind in (".pcap", ".pcapng", ".cap")
    for packed in ("", ".gz", ".zst", ".lz4", ".xz")
)
BATCH_ROWS = 65536
NAMES_ALL = 0x7F  # BPE_NAMES_ALL of bpfengine.h
OPEN_DAYS = 64  # Parquet files that a worker has open at once
DAY_NS = 86_400 * 10**9
LOST = ("damaged", "unreadable")
OF_THE_FILE = ("E_FORMAT", "E_TORN", "E_UNSUPPORTED")  # all other errors are the worker's

# What a worker needs for each capture: the folder's and the table's path, "us" or "ns", and options
# of the engine.  Plain data: it goes to other machines.
Settings = collections.namedtuple("Settings", "folder table time engine")


def read_arguments(description, add=None):
    """(arguments, settings) of a job's command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", help="the captures, in folders below as well")
    parser.add_argument("table", help="the table's folder; made if it is not there")
    parser.add_argument("--workers", type=int, help="on this machine (default: its processors)")
    parser.add_argument(
        "--time",
        choices=("us", "ns"),
        default="us",
        help="unit of first and last in the files: Spark reads no nanoseconds (default: us)",
    )
    parser.add_argument("--filter", help="an expression of pcap-filter(7)")
    parser.add_argument(
        "--strict", action="store_true", help="exit code 1 for a damaged capture, too"
    )
    if add:
        add(parser)
    arguments = parser.parse_args()
    if not os.path.isdir(arguments.folder):
        parser.error(f"{arguments.folder} is no folder: give the folder with the captures")
    engine = {"names": NAMES_ALL}
    if arguments.filter:
        engine["filter"] = arguments.filter
    folder, table = os.path.abspath(arguments.folder), os.path.abspath(arguments.table)
    for part in ("flows", "ledger"):
        os.makedirs(os.path.join(table, part), exist_ok=True)
    return arguments, Settings(folder, table, arguments.time, engine)


def find_captures(settings):
    """The captures' paths below the folder, largest first, so that no large capture comes last.

    Tells of files that have no name of a capture."""
    found, others = [], []
    for place, folders, names in os.walk(settings.folder):
        folders.sort()
        for name in names:
            path = os.path.join(place, name)
            if path.startswith(settings.table + os.sep):
                continue
            if not name.endswith(ENDINGS):
                others.append(os.path.relpath(path, settings.folder))
                continue
            size = os.path.getsize(path) if os.path.exists(path) else 0
            found.append((-size, os.path.relpath(path, settings.folder)))
    if others:
        print(f"{len(others)} files are not named as captures and are not read: {others[0]} ...")
    return [path for _, path in sorted(found)]


def capture_id(path):
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:20]


def read_json(path):
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def write_json(path, value):
    """Writes a file that is there whole or not at all."""
    made = f"{path}.{os.getpid()}.{time.monotonic_ns()}"
    with open(made, "w", encoding="utf-8") as f:
        json.dump(value, f)
    os.replace(made, path)


class Days:
    """Writes rows into a Parquet file for each day on which flows began."""

    def __init__(self, folder, name, unit):
        self.folder, self.name, self.unit = folder, name, unit
        self.open = collections.OrderedDict()  # day: writer, least recently used first
        self.files = []  # paths below folder
        self.rows = 0

    def write(self, batch):
        """Writes a record batch with the column "first"."""
        import pyarrow as pa
        import pyarrow.compute as pc

        days = pc.divide(batch.column("first").cast(pa.int64()), DAY_NS)
        for day in pc.unique(days).to_pylist():
            rows = batch.filter(pc.equal(days, day))
            self._writer(day, batch.schema).write_batch(rows)
            self.rows += rows.num_rows

    def _writer(self, day, schema):
        import pyarrow.parquet as pq

        writer = self.open.pop(day, None)
        if writer is None:
            if len(self.open) >= OPEN_DAYS:
                self.open.popitem(last=False)[1].close()
            date = time.strftime("%Y-%m-%d", time.gmtime(day * 86_400))
            path = os.path.join(f"date={date}", f"{self.name}-{len(self.files)}.parquet")
            os.makedirs(os.path.join(self.folder, f"date={date}"), exist_ok=True)
            writer = pq.ParquetWriter(
                os.path.join(self.folder, path),
                schema,
                compression="zstd",
                coerce_timestamps=None if self.unit == "ns" else self.unit,
                allow_truncated_timestamps=True,
            )
            self.files.append(path)
        self.open[day] = writer
        return writer

    def close(self):
        """Ends the files, and returns their rows as their footers have them."""
        import pyarrow.parquet as pq

        while self.open:
            self.open.popitem()[1].close()
        paths = [os.path.join(self.folder, path) for path in self.files]
        return sum(pq.read_metadata(path).num_rows for path in paths)


def tell_error(entry, state, error):
    """Says what is wrong with a capture, or fails if nothing is wrong with the capture."""
    if error.status.name not in OF_THE_FILE:
        raise RuntimeError(str(error)) from error
    entry.update(state=state, reason=str(error))


def read_capture(path, settings, days, entry):
    """Writes the flows of a capture; entry gets the state, the reason and the engine's counts."""
    import bpfengine
    import pyarrow as pa

    shown = os.path.relpath(path, settings.folder)
    try:
        engine = bpfengine.Engine(path, pull_records=True, **settings.engine)
    except bpfengine.Error as error:
        tell_error(entry, "unreadable", error)
        return
    with engine:
        engine.start()
        try:
            for rows in engine.columns(BATCH_ROWS):
                batch = pa.record_batch(rows)
                name = pa.repeat(pa.scalar(shown, pa.string()), batch.num_rows)
                days.write(batch.append_column("capture", name.dictionary_encode()))
        except bpfengine.Error as error:
            tell_error(entry, "damaged", error)
        stats = engine.stats()
    entry.update(records=stats["records"], packets=stats["read_packets"])
    entry.update(capture_bytes=stats["captured_bytes"])
    if stats["records_dropped"] or stats["in_flight"]:
        raise RuntimeError(f"{path}: {stats['records_dropped']} records were dropped")


def publish(made, days, settings, name, entry):
    """Moves a capture's files to their place, and writes its ledger."""
    ledger = os.path.join(settings.table, "ledger", name)
    old = read_json(ledger + ".json").get("files", []) + read_json(ledger + ".begun").get(
        "files", []
    )
    # If this process dies before the ledger is there, the next one knows what to replace.
    write_json(ledger + ".begun", {"files": sorted({*days.files, *old})})
    if os.path.exists(ledger + ".json"):
        os.unlink(ledger + ".json")
    flows = os.path.join(settings.table, "flows")
    for path in days.files:
        os.makedirs(os.path.dirname(os.path.join(flows, path)), exist_ok=True)
        os.replace(os.path.join(made, path), os.path.join(flows, path))
    for path in set(old) - set(days.files):
        if os.path.exists(os.path.join(flows, path)):
            os.unlink(os.path.join(flows, path))
    write_json(ledger + ".json", entry)
    if os.path.exists(ledger + ".begun"):  # another attempt at this capture may have been faster
        os.unlink(ledger + ".begun")


def is_done(entry, settings, status):
    """Whether a ledger is of this file, as it is now, and of these settings."""
    wanted = (status.st_size, status.st_mtime_ns, settings.time, settings.engine)
    had = tuple(entry.get(key) for key in ("size", "changed_ns", "time", "engine"))
    flows = os.path.join(settings.table, "flows")
    return had == wanted and all(os.path.exists(os.path.join(flows, p)) for p in entry["files"])


def split_done(captures, settings):
    """(entries of captures that need no task, captures that need a task)."""
    entries, wanted = [], []
    for shown in captures:
        had = read_json(os.path.join(settings.table, "ledger", capture_id(shown) + ".json"))
        try:
            is_kept = had and is_done(had, settings, os.stat(os.path.join(settings.folder, shown)))
        except OSError:  # the task says what is wrong
            is_kept = False
        if is_kept:
            entries.append({**had, "is_kept": True})
        else:
            wanted.append(shown)
    return entries, wanted


def convert(shown, settings):
    """The task of a worker: turns a capture into rows, and returns its entry of the ledger.

    What hinders the worker, as a full disk, is the state "failed": the next run tries again."""
    began, path, name = time.monotonic(), os.path.join(settings.folder, shown), capture_id(shown)
    made = os.path.join(settings.table, f".made-{name}-{os.getpid()}-{time.monotonic_ns()}")
    entry = {"capture": shown, "state": "whole", "reason": "", "rows": 0, "files": []}
    try:
        status = os.stat(path)
        entry.update(size=status.st_size, changed_ns=status.st_mtime_ns)
        entry.update(time=settings.time, engine=settings.engine, records=0, packets=0)
        days = Days(made, name, settings.time)
        try:
            read_capture(path, settings, days, entry)
        finally:
            in_footers = days.close()
        if not entry["records"] == days.rows == in_footers:
            counts = f"{entry['records']} records, {days.rows} written, {in_footers} in the files"
            raise RuntimeError(f"{path}: {counts}")
        entry.update(rows=in_footers, files=days.files, seconds=time.monotonic() - began)
        publish(made, days, settings, name, entry)
    except (OSError, RuntimeError, MemoryError, ValueError) as error:
        entry.update(state="failed", reason=f"{type(error).__name__}: {error}", rows=0, files=[])
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return {**entry, "is_kept": False}


def write_tables(entries, settings):
    """Writes captures.parquet and failures.parquet from the entries of a run."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, count = pa.string(), pa.int64()
    kinds = {"capture": text, "state": text, "reason": text, "rows": count, "packets": count}
    schema = pa.schema([*kinds.items(), ("size", count)])
    for name, states in (("captures", None), ("failures", (*LOST, "failed"))):
        rows = [entry for entry in entries if states is None or entry["state"] in states]
        rows = [{key: entry.get(key) for key in schema.names} for entry in rows]
        path = os.path.join(settings.table, f"{name}.parquet")
        made = f"{path}.{os.getpid()}"
        pq.write_table(pa.Table.from_pylist(rows, schema), made)
        os.replace(made, path)


def finish(captures, entries, settings, arguments):
    """Tells what became of all captures, and returns the exit code of the job."""
    entries = sorted(entries, key=lambda entry: entry["capture"])
    assert sorted(captures) == [entry["capture"] for entry in entries], "a capture has no entry"
    write_tables(entries, settings)
    for entry in entries:
        if entry["state"] != "whole":
            saved = f"{entry['rows']} flows before were saved"
            print(f"{entry['state']}: {entry['capture']}: {entry['reason']} ({saved})")
    states = collections.Counter(entry["state"] for entry in entries)
    gone = len(glob.glob(os.path.join(settings.table, "ledger", "*.json"))) - (
        len(entries) - states["failed"]
    )
    if gone > 0:
        print(f"{gone} captures of the table are no longer in {settings.folder}; their rows stay")
    counts = ", ".join(f"{states[state]} {state}" for state in ("whole", *LOST, "failed"))
    kept, rows = sum(e["is_kept"] for e in entries), sum(e["rows"] for e in entries)
    print(f"{len(entries)} captures ({kept} as before): {counts}; {rows} rows in the table")
    bad = states["failed"] + (sum(states[s] for s in LOST) if arguments.strict else 0)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit("this is a part of examples/spark/flows.py and examples/ray/flows.py")
