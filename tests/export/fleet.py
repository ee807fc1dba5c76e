#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fleet.py PROGRAM: packaging/fleet brings up Kafka, Prometheus, a consumer and a sensor, and the
flows of a capture arrive in DuckDB, each once.  Exit code 77: skipped."""

import collections
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request

import peers

peers.program("prometheus")
KAFKA = os.path.dirname(peers.jars("kafka"))
peers.python("duckdb", "pyarrow", "confluent_kafka")
import duckdb
from confluent_kafka import Producer

PROGRAM = os.path.abspath(sys.argv[1])
FLEET = os.path.join(peers.TOP, "packaging", "fleet")
CAPTURE = os.path.join(peers.TOP, "examples", "office.pcap")
PARTS = ("kafka", "prometheus", "consumer", "sensor")
PORTS = ("KAFKA_PORT", "KAFKA_CONTROL_PORT", "METRICS_PORT", "PROMETHEUS_PORT")


def records_of_program():
    """(rows of the capture as a multiset, packets), as the program's own file and report have."""
    done = subprocess.run([PROGRAM, "-r", CAPTURE, "-q", "--json"], capture_output=True)
    packets = json.loads(done.stdout)["packets"]["delivered"]
    done = subprocess.run([PROGRAM, "-r", CAPTURE, "-q", "--flows", "-"], capture_output=True)
    rows = collections.Counter()
    for line in done.stdout.splitlines():
        r = json.loads(line)
        rows[(r["src"], r["sport"], r["dst"], r["dport"], *r["packets"], r.get("name"))] += 1
    return rows, packets


def rows_of_tables(place):
    """The rows in the consumer's files, by DuckDB."""
    files = os.path.join(place, "tables", "flows", "*", "*.parquet")
    query = f"SELECT src, sport, dst, dport, orig_packets, resp_packets, name FROM '{files}'"
    try:
        return collections.Counter(duckdb.sql(query).fetchall())
    except duckdb.IOException:  # no file yet
        return collections.Counter()


def ask_prometheus(port, query):
    """The value of an instant query, or None without one."""
    words = urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{words}", timeout=30) as f:
        found = json.load(f)["data"]["result"]
    return float(found[0]["value"][1]) if found else None


class Fleet:
    """A fleet in a folder of its own, on free ports."""

    def __init__(self, place):
        self.place, self.fifo = place, os.path.join(place, "packets")
        os.makedirs(place, exist_ok=True)
        os.mkfifo(self.fifo)
        ports = {name: str(peers.free_port()) for name in PORTS}
        assert len(set(ports.values())) == len(PORTS)
        self.environment = {
            **os.environ,
            **ports,
            "BPFENGINE": PROGRAM,
            "PYTHON": sys.executable,
            "KAFKA_LIBS": KAFKA,
            "WAIT": "200",
        }
        self.kafka = f"127.0.0.1:{ports['KAFKA_PORT']}"

    def run(self, script, *words, code=0):
        """Runs up.sh or down.sh, and returns what the script says."""
        done = subprocess.run(
            [os.path.join(FLEET, script), self.place, *words],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=500,
        )
        assert done.returncode == code, (script, done.returncode, done.stderr)
        return done.stderr

    def log(self, part):
        with open(os.path.join(self.place, f"{part}.log"), encoding="utf-8") as f:
            return f.read()

    def pid(self, part):
        with open(os.path.join(self.place, f"{part}.pid"), encoding="utf-8") as f:
            return int(f.read())

    def consume_once(self, code=0):
        """Runs another consumer over what is left of the topic; returns its last line."""
        done = subprocess.run(
            [sys.executable, os.path.join(FLEET, "consumer.py"), self.kafka, "flows"]
            + [os.path.join(self.place, "tables"), "--once"],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout.splitlines()[-1]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def feed(fleet, may_end):
    """Writes the capture into the sensor's pipe, which stays open until may_end is set."""
    with open(fleet.fifo, "wb") as pipe, open(CAPTURE, "rb") as f:
        pipe.write(f.read())
        pipe.flush()
        may_end.wait(400)


def check_sensor(fleet, want, packets, may_end):
    """The sensor's packets in Prometheus, then its flows in DuckDB."""
    port = fleet.environment["PROMETHEUS_PORT"]
    query = 'sum(bpfengine_packets_total{stage="delivered"})'
    peers.wait(lambda: ask_prometheus(port, query) == packets, f"{packets} packets in Prometheus")
    assert ask_prometheus(port, "up") == 1
    may_end.set()
    peers.wait(
        lambda: sum(rows_of_tables(fleet.place).values()) >= sum(want.values()),
        f"{sum(want.values())} rows in DuckDB",
    )
    assert rows_of_tables(fleet.place) == want, rows_of_tables(fleet.place) - want
    peers.wait(lambda: not is_alive(fleet.pid("sensor")), "the sensor's end")
    print(f"{packets} packets in Prometheus, {sum(want.values())} flows in DuckDB")


def check_consumer(fleet, want):
    """A new consumer reads nothing twice; a position that is lost doubles nothing; a message that
    is no record is kept and told."""
    peers.stop_pid(fleet.pid("consumer"), 120)
    assert f"consumer: {sum(want.values())} records in tables, 0 rejected" in fleet.log("consumer")
    assert fleet.consume_once() == "consumer: 0 records in tables, 0 rejected"
    assert rows_of_tables(fleet.place) == want
    offsets = os.path.join(fleet.place, "tables", "offsets")
    lost = sorted(os.listdir(offsets))[:2]
    for name in lost:
        os.unlink(os.path.join(offsets, name))
    again = fleet.consume_once()
    assert again != "consumer: 0 records in tables, 0 rejected" and "0 rejected" in again, again
    assert rows_of_tables(fleet.place) == want
    producer = Producer({"bootstrap.servers": fleet.kafka})
    for value in (b"no record", b'{"first":"x"}', b"\xff\xfe"):
        producer.produce("flows", value, partition=0)
    assert producer.flush(60) == 0
    assert fleet.consume_once(code=1) == "consumer: 0 records in tables, 3 rejected"
    kept = os.path.join(fleet.place, "tables", "rejected")
    texts = set()
    for name in os.listdir(kept):
        with open(os.path.join(kept, name), "rb") as f:
            texts.add(f.read())
    assert texts == {b"no record", b'{"first":"x"}', b"\xff\xfe"}, texts


def check_clickhouse(fleet, want):
    """The SELECT of ClickHouse's view over the same messages, by chdb.  Its Kafka engine and its
    server are not in chdb."""
    try:
        import chdb
    except ImportError:
        print("without chdb ClickHouse's query was not run")
        return
    with open(os.path.join(FLEET, "clickhouse.sql.in"), encoding="utf-8") as f:
        statements = f.read().split(";\n")
    query = statements[2].split(" AS\nSELECT")[1].replace("FROM flows_topic", "")
    files = os.path.join(fleet.place, "tables", "flows", "*", "*.parquet")
    inner = f"FROM (SELECT record FROM file('{files}', 'Parquet', 'record String'))"
    answer = chdb.query(
        "SELECT src, sport, dst, dport, orig_packets, resp_packets, name, toUnixTimestamp(first) "
        f"FROM (SELECT {query} {inner}) SETTINGS output_format_json_quote_64bit_integers = 0",
        "JSONCompactEachRow",
    )
    rows = [json.loads(line) for line in answer.bytes().decode().splitlines()]
    got = collections.Counter((*row[:6], row[6] or None) for row in rows)
    assert got == want, (got - want, want - got)
    assert all(row[7] > 10**9 for row in rows), rows[:3]


def main():
    want, packets = records_of_program()
    with tempfile.TemporaryDirectory() as folder:
        fleet, may_end = Fleet(os.path.join(folder, "fleet")), threading.Event()
        feeder = threading.Thread(target=feed, args=(fleet, may_end), daemon=True)
        feeder.start()
        try:
            said = fleet.run("up.sh", "--", "-r", fleet.fifo)
            assert "fleet: up: metrics" in said, said
            pids = [fleet.pid(part) for part in PARTS]
            assert all(is_alive(pid) for pid in pids), pids
            assert "is up already" in fleet.run("up.sh", "--", "-r", CAPTURE, code=1)
            check_sensor(fleet, want, packets, may_end)
            check_consumer(fleet, want)
            check_clickhouse(fleet, want)
        finally:
            may_end.set()
            said = fleet.run("down.sh")
        assert all(f"fleet: {part} is down" in said for part in PARTS), said
        peers.wait(lambda: not any(is_alive(pid) for pid in pids), "the end of all parts")
        assert not any(peers.accepts(int(fleet.environment[name])) for name in PORTS)
        assert rows_of_tables(fleet.place) == want  # data stays
    print("1 passed, 0 failed")


main()
