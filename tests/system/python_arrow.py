#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_arrow.py PROGRAM LIBRARY: flows as columns of Arrow, taken by pyarrow, polars and DuckDB.

Each value of each flow of all captures at hand is compared with the flow's line of JSON.  Streams
and batches are read, left half-way and read again.  A damaged savefile gives the flows before the
damage.  Buffers are freed.  Without pyarrow the test is skipped.
"""

import gc, json, os, subprocess, sys, tempfile

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path[:0] = [os.path.join(TOP, "tests", folder) for folder in ("export", "support")]
import peers

peers.python("pyarrow")
import pyarrow

from pythoncase import ENVIRONMENT, Cases, raises
from program import pcap, udp

import bpfengine
from bpfengine import Engine, Error

case = Cases()
folder = tempfile.TemporaryDirectory()
MANY = "synth:count=6000,flows=500,seed=3"
# One worker and a known seed: runs give the same flows in the same order.
SAME = dict(workers=0, fixed_seed=True, hash_seed=1)
with Engine(MANY, pull_records=True, **SAME) as made:
    COUNTED = [sum(flow["packets"]) for flow in made.records()]
ROWS, PACKETS = len(COUNTED), sum(COUNTED)
assert ROWS > 600 and PACKETS > 5000, (ROWS, PACKETS)
# Options that fill columns.
FULL = dict(SAME, names=True, flow_lengths=True)
SPANS = ("client_rtt_ns", "server_rtt_ns", "client_ack_rtt_ns", "server_ack_rtt_ns")
SPANS += ("name_age_ns", "name_ttl_ns")
# Columns that are false where JSON has no member.
FALSE = ("midstream", "tunnel", "continued", "cut", "server_hello", "app_inner", "names_cut")
COUNTS = ("retransmissions", "fast_retransmissions", "spurious_retransmissions", "out_of_order")
COUNTS += ("repeated_acks", "zero_windows", "lost_segments", "unseen_acks", "keep_alives")


def read_columns(source, **options):
    return pyarrow.RecordBatchReader.from_stream(bpfengine.columns(source, **options)).read_all()


def nanoseconds(number):
    """A number of seconds in JSON, exactly."""
    whole, _, fraction = number.partition(".")
    return int(whole) * 10**9 + int(fraction.ljust(9, "0")) * (-1 if whole[0] == "-" else 1)


def column_of_json(name, line, row):
    """The value of a column by the flow's line of JSON."""
    if name in SPANS:
        member = line.get(name[: -len("_ns")])
        return None if member is None else nanoseconds(member)
    if name == "first":
        return nanoseconds(line["first"])
    if name == "last":
        return nanoseconds(line["first"]) + nanoseconds(line["duration"])
    end, _, pair = name.partition("_")
    if end in ("orig", "resp"):
        missing = None
        if pair in ("icmp_errors", "duplicates") or pair in COUNTS and row[name] is not None:
            missing = 0
        value = line[pair][end == "resp"] if pair in line else missing
        unknown = {"mss": 0, "window_scale": -1}.get(pair)
        return None if value == unknown else value
    if name in ("vlan", "inner_vlan"):
        vlan = line.get("vlan", [])
        return vlan[name == "inner_vlan"] or None if len(vlan) > (name == "inner_vlan") else None
    if name == "name_others":
        return ",".join(line[name]) if name in line else None
    if name == "end":
        return line.get("end", line.get("event"))
    if name in FALSE and (name != "midstream" or "tcp_state" in line):
        return line.get(name, False)
    return line.get(name)


def compare(source):
    """Compares all rows of a source with the lines of the same flows; returns their number."""
    table = read_columns(source, errors="keep", rows=1000, **FULL)
    table.validate(full=True)
    lines = []
    with Engine(source, pull_records=True, **FULL) as engine:
        try:
            lines += (json.loads(f.line(), parse_float=str) for f in engine.records())
        except Error:
            pass
    assert len(lines) == table.num_rows, (source, len(lines), table.num_rows)
    for name in ("first", "last"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table[name].cast(pyarrow.int64()))
    for row, line in zip(table.to_pylist(), lines):
        for name, value in row.items():
            wanted = column_of_json(name, line, row)
            assert value == wanted, (source, name, value, wanted, line)
    return len(lines)


def write(name, data):
    path = os.path.join(folder.name, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


@case
def every_value_of_every_capture_is_that_of_json():
    rows = compare(MANY)
    assert rows == ROWS, (rows, ROWS)
    shared = os.path.join(TOP, "..", "shared", "captures")
    paths = []
    for where in (os.path.join(TOP, "tests", "data"), shared):
        for place, _, names in os.walk(where):
            paths += (os.path.join(place, name) for name in sorted(names))
    files = 0
    for path in paths:
        if not path.endswith((".pcap", ".pcapng", ".cap", ".dmp")):
            continue
        try:
            bpfengine.Capture(path).close()
        except Error:
            continue  # no savefile, or none that is read here
        rows += compare(path)
        files += 1
    print(f"{rows} rows of {files} captures")
    assert not os.path.isdir(shared) or files > 50, files


@case
def batches_have_the_rows_asked_for():
    with Engine(MANY, pull_records=True, **SAME) as engine:
        batches = list(engine.columns(rows=200))
    full, rest = divmod(ROWS, 200)
    assert [len(b) for b in batches] == [200] * full + [rest] * (rest > 0), list(map(len, batches))
    first = pyarrow.record_batch(batches[0])
    assert first.num_rows == 200 and first.schema.names == bpfengine.columns(MANY).names
    assert "taken already" in str(raises(Error, pyarrow.record_batch, batches[0]))
    assert first["src"][0].as_py() and first.schema.field("src").metadata[b"description"]
    raises(ValueError, bpfengine.columns, MANY, rows=0)
    raises(ValueError, bpfengine.columns, MANY, errors="some")
    raises(Error, bpfengine.columns, os.path.join(folder.name, "absent.pcap"))
    with Engine(MANY) as engine:
        assert "pull_records" in str(raises(Error, lambda: list(engine.columns())))


@case
def a_stream_is_read_again_and_left_half_way():
    flows = bpfengine.columns(MANY, rows=100, **SAME)
    tables = [pyarrow.RecordBatchReader.from_stream(flows).read_all() for _ in range(2)]
    assert tables[0].equals(tables[1]) and tables[0].num_rows == ROWS
    assert flows.stats["read_packets"] == 6000 and flows.error is None
    reader = pyarrow.RecordBatchReader.from_stream(flows)
    assert reader.read_next_batch().num_rows == 100
    del reader
    for columns in flows:
        assert len(columns) == 100
        break
    assert sum(map(len, flows)) == ROWS


@case
def a_damaged_savefile_gives_the_flows_before():
    packets = pcap([udp(i) for i in range(300)])
    path = write("torn.pcap", packets[:-7])
    with Engine(path, pull_records=True, **SAME) as engine:
        counts = []
        error = raises(Error, lambda: counts.extend(map(len, engine.columns(rows=100))))
    assert error.status == bpfengine.Status.E_TORN, error
    assert counts == [100, 100, 99], counts
    flows = bpfengine.columns(path, rows=100, **SAME)
    reader = pyarrow.RecordBatchReader.from_stream(flows)
    assert [reader.read_next_batch().num_rows for _ in range(3)] == [100, 100, 99]
    told = str(raises(Exception, reader.read_next_batch))
    assert str(error) in told and flows.error.status == error.status, told
    kept = bpfengine.columns(path, errors="keep", **SAME)
    assert pyarrow.RecordBatchReader.from_stream(kept).read_all().num_rows == 299
    assert kept.error.status == error.status and kept.stats["read_packets"] == 299


@case
def a_source_without_flows_gives_an_empty_table():
    table = read_columns(write("empty.pcap", pcap([])))
    assert table.num_rows == 0 and len(table.schema) == len(bpfengine.columns(MANY).names)


@case
def polars_and_duckdb_take_the_columns():
    for name in ("polars", "duckdb"):
        try:
            module = __import__(name)
        except ImportError:
            print(f"polars_and_duckdb_take_the_columns: skipped: no {name}")
            continue
        flows = bpfengine.columns(MANY, rows=100, **SAME)
        if name == "polars":
            frame = module.DataFrame(flows)
            assert frame.shape == (ROWS, 112) and frame["orig_packets"].sum() > 0, frame.shape
            continue
        for _ in range(2):  # the stream is read by each query
            found = module.sql("select count(*), sum(orig_packets + resp_packets) from flows")
            assert found.fetchall() == [(ROWS, PACKETS)]


@case
def columns_outlive_their_run():
    flows = bpfengine.columns(MANY, rows=50, **SAME)
    flows.__arrow_c_stream__()  # a stream that nobody reads
    flows.__arrow_c_schema__()
    taken = []
    for k, columns in enumerate(flows):
        if k % 3 == 0:
            columns.__arrow_c_array__()  # capsules that nobody reads
        elif k % 3 == 1:
            taken.append(pyarrow.record_batch(columns))
    del columns, flows
    gc.collect()
    from bpfengine import _arrow

    assert not _arrow._streams, _arrow._streams
    assert len(taken) > 5 and all(batch["dst"][0].as_py() for batch in taken)
    for batch in taken:
        batch.validate(full=True)


@case
def memory_does_not_grow():
    body = """
import resource, bpfengine, pyarrow
flows = bpfengine.columns("synth:count=20000,flows=5000", rows=1000, workers=0)
def peak():
    for _ in range(8):
        assert pyarrow.RecordBatchReader.from_stream(flows).read_all().num_rows > 5000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
first = peak()
for _ in range(4):
    last = peak()
# What leaks is 5,000 rows of some 600 bytes a run: 96 MB in 32 runs.
assert last - first < 48 * 1024, (first, last)
"""
    run = subprocess.run(
        [sys.executable, "-c", body], env=ENVIRONMENT, capture_output=True, text=True, timeout=550
    )
    assert run.returncode == 0, run.stderr


@case
def an_older_library_is_told():
    body = """
import bpfengine
del bpfengine.lib.bpe_columns_open
try:
    list(bpfengine.columns("synth:count=10"))
except bpfengine.Error as error:
    print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", body], env=ENVIRONMENT, capture_output=True, text=True, timeout=550
    )
    assert "has no bpe_columns_open" in run.stdout and "newer" in run.stdout, run


@case
def a_program_ends_with_streams_open():
    body = """
import bpfengine, pyarrow
flows = bpfengine.columns("synth:count=3000,flows=200", rows=10)
reader = pyarrow.RecordBatchReader.from_stream(flows)
batch, capsule = reader.read_next_batch(), flows.__arrow_c_stream__()
held = next(iter(flows)).__arrow_c_array__()
"""
    run = subprocess.run(
        [sys.executable, "-c", body], env=ENVIRONMENT, capture_output=True, text=True, timeout=550
    )
    assert run.returncode == 0 and not run.stderr, (run.returncode, run.stderr)


folder.cleanup()
case.finish()
