# SPDX-License-Identifier: MIT
"""Records of the program as a real Kafka broker has them.

    kafka.py PROGRAM

The broker comes from Maven (scripts/peers.sh kafka).  The messages are compared with the lines of
--flows of the same run, field by field.  ClickHouse (chdb) reads GoFlow2's messages by its schema.
The broker is killed and started again, stopped, absent, and asked for topics that it refuses.
"""

import collections
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import broker as brokers
import peers

peers.python("confluent_kafka", "chdb")
from faultcase import PROGRAM, case, finish  # noqa: E402

TIME = 500
SCHEMA = os.path.join(peers.TOP, "packaging", "kafka", "flow.proto")
NAMES = {
    "records": "offered",
    "dropped for want of room": "ring_dropped",
    "unfit for the format": "unfit",
    "lost with a sender": "lost",
}
ICMP = (1, 58)
ANSWERS = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10}
ANSWERS_6 = {128: 129, 129: 128, 133: 134, 134: 133, 135: 136, 136: 135, 139: 140, 140: 139}


def run(words, targets):
    """Runs the program.  Returns its lines of --flows, the books of the targets, stderr, code."""
    exports = [word for target in targets for word in ("--export", target)]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        command = [PROGRAM, *words, "--flows", "-", *exports]
        done = subprocess.run(command, stdout=out, stderr=errors, timeout=TIME)
        out.seek(0)
        errors.seek(0)
        return split_output(out.read(), errors.read(), done.returncode)


def split_output(text, errors, code):
    """The report stands behind the messages, with a line for each target."""
    books = []
    for row in re.findall(r"^Export to .*?: (.*)$", errors, re.M):
        book = dict.fromkeys(("failed", "ring_dropped", "unfit", "lost"), 0)
        for number, name in re.findall(r"([0-9,]+) ([a-z ]+)", row):
            name = NAMES.get(name, name)
            book[name] = int(number.replace(",", ""))
        books.append(book)
    assert books, f"no report (exit code {code}): {errors[-500:]}"
    return text.splitlines(), books, errors, code


class Feed:
    """The program reading a savefile that the test writes while it runs: each packet is a flow of
    its own, and ends the flow of the packet before it."""

    def __init__(self, target):
        self.out, self.errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        words = [PROGRAM, "-r", "-", "--flows", "-", "--export", target]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=self.out, stderr=self.errors
        )
        self.process.stdin.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        self.sent = 0

    def flows(self, count):
        for _ in range(count):
            i = self.sent
            self.sent += 1
            a, b = (10 << 24 | i).to_bytes(4, "big"), (192 << 24 | 0x0200 | 9).to_bytes(4, "big")
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 32, i & 65535, 0, 64, 17, 0, a, b)
            udp = struct.pack(">HHHH", 1024 + i % 60000, 9, 12, 0)
            frame = bytes(12) + b"\x08\0" + ip + udp + b"data"
            head = struct.pack("<IIII", 1600000000 + i // 20, i % 20, len(frame), len(frame))
            self.process.stdin.write(head + frame)
        self.process.stdin.flush()

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(TIME)
        self.out.seek(0)
        return split_output(self.out.read(), self.said(), code)


def name_of(flow):
    return flow["src"], flow["sport"], flow["dst"], flow["dport"], flow["first"]


def expect_balance(books, offered):
    assert books["offered"] == offered, books
    gone = books["sent"] + books["failed"] + books["unfit"] + books["lost"]
    assert gone + books["ring_dropped"] == offered, books


def expect_there(kafka, topic, lines, books):
    """What is there: no message twice, none that was never made, and as many as the books say."""
    there = [value.decode() for _, _, value in kafka.read(topic)]
    assert len(set(there)) == len(there), "messages came twice"
    assert set(there) <= set(lines), "messages that are no records"
    assert books["sent"] <= len(there) <= books["sent"] + books["failed"], (len(there), books)
    return there


# ---- All captures


def expect_keys(rows, make_key):
    for partition, key, value in rows:
        flow = json.loads(value)
        assert key.decode() == make_key(flow, key.decode()), (key, flow)
        assert partition == brokers.murmur2(key) % 4, (partition, key)


def community_key(flow, key):
    if "community_id" in flow:
        return flow["community_id"]
    assert len(key) == 16 and int(key, 16) >= 0, key
    return key


def expect_order(rows, lines):
    """Records of a connection lie in the topic as they were written."""
    there, made = collections.defaultdict(list), collections.defaultdict(list)
    key_of = {}
    for _, key, value in rows:
        there[key].append(value.decode())
        key_of[value.decode()] = key
    for line in lines:
        made[key_of[line]].append(line)
    assert there == made


def expected_messages(lines):
    """GoFlow2's messages of the records, as rows of ClickHouse's answer."""
    rows = []
    for flow in (json.loads(line, parse_float=str) for line in lines):
        ends = [end for end in (0, 1) if flow["packets"][end]] or [0]
        rows += [expected_message(flow, end) for end in ends]
    return rows


def expected_message(flow, end):
    import ipaddress

    sides = [(flow["src"], flow["sport"]), (flow["dst"], flow["dport"])]
    is_icmp = flow["ip_proto"] in ICMP
    kind, code = flow.get("icmp_type", 0), flow.get("icmp_code", 0)
    if end:
        answers = ANSWERS_6 if flow["ip_proto"] == 58 else ANSWERS
        kind, code = answers.get(kind, 0) if "icmp_type" in flow else 0, 0
    letters = "FSRP.UEW"
    flags = flow.get("tcp_flags", ["", ""])[end]
    seconds, fraction = flow["first"].split(".")
    first = int(seconds) * 10**9 + int(fraction)
    whole, fraction = flow["duration"].split(".")
    last = first + int(whole) * 10**9 + int(fraction)
    return {
        "src": str(ipaddress.ip_address(sides[end][0])),
        "dst": str(ipaddress.ip_address(sides[not end][0])),
        "src_port": 0 if is_icmp else sides[end][1],
        "dst_port": 0 if is_icmp else sides[not end][1],
        "bytes": flow.get("ip_bytes", flow["wire_bytes"])[end],
        "packets": flow["packets"][end],
        "proto": flow["ip_proto"],
        "etype": 0x86DD if flow["ip"] == 6 else 0x800,
        "tcp_flags": sum(1 << letters.index(letter) for letter in flags),
        "vlan_id": flow.get("vlan", [0])[0],
        "icmp_type": kind,
        "icmp_code": code,
        "in_if": flow.get("interface_index", 0),
        "time_flow_start_ns": first % 2**64,
        "time_flow_end_ns": last % 2**64,
        "time_received_ns": last % 2**64,
        "sampling_rate": 1,
        "observation_domain_id": 7,
        "sampler_address": bytes([192, 0, 2, 1]).hex(),
    }


QUERY = """
SELECT if(etype = 0x800, IPv4NumToString(reinterpretAsUInt32(reverse(src_addr))),
          IPv6NumToString(toFixedString(src_addr, 16))) AS src,
       if(etype = 0x800, IPv4NumToString(reinterpretAsUInt32(reverse(dst_addr))),
          IPv6NumToString(toFixedString(dst_addr, 16))) AS dst,
       src_port, dst_port, bytes, packets, proto, etype, tcp_flags, vlan_id, icmp_type, icmp_code,
       in_if, time_flow_start_ns, time_flow_end_ns, time_received_ns, sampling_rate,
       observation_domain_id, lower(hex(sampler_address)) AS sampler_address, sequence_num
FROM file('{data}', '{form}', 'src_addr String, dst_addr String, src_port UInt32,
    dst_port UInt32, bytes UInt64, packets UInt64, proto UInt32, etype UInt32, tcp_flags UInt32,
    vlan_id UInt32, icmp_type UInt32, icmp_code UInt32, in_if UInt32, time_flow_start_ns UInt64,
    time_flow_end_ns UInt64, time_received_ns UInt64, sampling_rate UInt64,
    observation_domain_id UInt32, sampler_address String, sequence_num UInt32')
SETTINGS format_schema='{schema}:FlowMessage', output_format_json_quote_64bit_integers=0
"""


def goflow2_schema():
    """GoFlow2's own flow.proto, if Go has fetched its source; else ours."""
    if shutil.which("go"):
        cache = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True)
        path = "github.com/netsampler/goflow2/v2@v2.2.6/pb/flow.proto"
        path = os.path.join(cache.stdout.strip(), path)
        if os.path.exists(path):
            return path
    return SCHEMA


def ask_clickhouse(query):
    import chdb

    return [json.loads(row) for row in str(chdb.query(query, "JSONEachRow")).splitlines()]


def decode(values, folder, schema):
    """The messages as ClickHouse reads them from a topic in the format Protobuf."""
    data = os.path.join(folder, "messages.bin")
    with open(data, "wb") as f:
        f.write(b"".join(values))
    return ask_clickhouse(QUERY.format(data=data, form="Protobuf", schema=schema))


def freeze(rows):
    return collections.Counter(tuple(sorted(row.items())) for row in rows)


def expect_messages(values, lines, folder, schema):
    rows = decode(values, folder, schema)
    numbers = sorted(row.pop("sequence_num") for row in rows)
    assert numbers == list(range(1, len(rows) + 1)), "sequence"
    wanted, there = freeze(expected_messages(lines)), freeze(rows)
    lacking, more = list((wanted - there).elements()), list((there - wanted).elements())
    assert not lacking and not more, (len(lacking), lacking[:1], more[:1])


def read_recipes():
    """The four blocks of SQL of docs/kafka.md, as lists of statements."""
    with open(os.path.join(peers.TOP, "docs", "kafka.md"), encoding="utf-8") as f:
        blocks = re.findall(r"```sql\n(.*?)```", f.read(), re.S)
    assert len(blocks) == 4, len(blocks)
    return [[one for one in block.split(";") if one.strip()] for block in blocks]


def run_recipe(ask, statements, values, folder):
    """Runs the statements, with a table that keeps nothing in place of the one that reads a topic.
    What is put into that goes through the view, as what the engine Kafka reads.  (The engine's
    threads do not run in chdb.)  The messages are read in the format that the engine is given."""
    reader = statements[0]
    table, columns = re.search(
        r"CREATE TABLE (\w+)\s*\((.*)\)\s*ENGINE = Kafka", reader, re.S
    ).groups()
    settings = dict(re.findall(r"(\w+) = '?([^',]*)'?", reader[reader.index("SETTINGS") :]))
    ask(f"CREATE TABLE {table} ({columns}) ENGINE = Null")
    for statement in statements[1:]:
        ask(statement)
    data = os.path.join(folder, table)
    with open(data, "wb") as f:
        f.write((b"\n" if settings["kafka_format"] == "JSONEachRow" else b"").join(values))
    with_settings = "SETTINGS input_format_skip_unknown_fields = 1"
    if "kafka_schema" in settings:
        name, message = settings["kafka_schema"].split(":")
        assert name == os.path.basename(SCHEMA), name
        with_settings += f", format_schema = '{SCHEMA}:{message}'"
    quoted = columns.replace("\\", "").replace("'", "\\'")
    source = f"file('{data}', '{settings['kafka_format']}', '{quoted}')"
    ask(f"INSERT INTO {table} SELECT * FROM {source} {with_settings}")


def expect_recipes(folder, rows, lines):
    """What ClickHouse makes of the messages by the recipes of docs/kafka.md."""
    from chdb.session import Session

    session = Session(os.path.join(folder, "clickhouse"))

    def ask(query):
        answer = str(session.query(query, "JSONEachRow"))
        return [json.loads(row, parse_float=str) for row in answer.splitlines()]

    flow_tables, flow_query, message_tables, message_query = read_recipes()
    run_recipe(ask, flow_tables, [value for _, _, value in rows["flows"]], folder)
    run_recipe(ask, message_tables, [value for _, _, value in rows["messages"]], folder)
    flows, messages = [json.loads(line) for line in lines], expected_messages(lines)
    assert int(ask("SELECT count() AS n FROM messages")[0]["n"]) == len(messages)
    names = ("src", "sport", "dst", "dport", "proto", "community_id", "process", "name")
    found = ask(f"SELECT {', '.join(names)}, packets, wire_bytes FROM flows")
    pairs = [[list(map(int, row[n])) for n in ("packets", "wire_bytes")] for row in found]
    there = sorted(repr(([r[n] for n in names], *p)) for r, p in zip(found, pairs, strict=True))
    made = [dict.fromkeys(("community_id", "process", "name"), "") | flow for flow in flows]
    assert there == sorted(
        repr(([f[n] for n in names], f["packets"], f["wire_bytes"])) for f in made
    )
    expect_top(ask(flow_query[0]), "name", "flows", top_names(made))
    expect_top(ask(message_query[0]), "src", "packets", top_sources(messages))
    session.close()


def top_names(flows):
    sums = collections.defaultdict(lambda: [0, 0])
    for flow in flows:
        if flow["name"]:
            sums[flow["name"]][0] += sum(flow["wire_bytes"])
            sums[flow["name"]][1] += 1
    return sums


def top_sources(messages):
    sums = collections.defaultdict(lambda: [0, 0])
    for m in messages:
        name = m["src"] if ":" in m["src"] else "::ffff:" + m["src"]
        sums[name][0] += m["bytes"]
        sums[name][1] += m["packets"]
    return sums


def expect_top(rows, name, count, sums):
    assert len(rows) == 10, rows
    assert [int(row["bytes"]) for row in rows] == sorted((b for b, _ in sums.values()))[:-11:-1]
    for row in rows:
        assert [int(row["bytes"]), int(row[count])] == sums[row[name]], row


def main(kafka, folder):
    proto = "?format=proto&sampler=192.0.2.1&domain=7"

    @case
    def all_captures_are_there_in_each_form():
        targets = {
            "flows": "",
            "zstd": "?compression=zstd&key=hash",
            "zeek": "?format=zeek&compression=none&key=none",
            "messages": proto + "&compression=gzip",
            "single": proto.replace("proto", "proto-single") + "&acks=1",
        }
        for name in targets:
            kafka.make_topic(name)
        files = [word for path in peers.captures() for word in ("-r", path)]
        urls = [f"kafka://{kafka.address}/{name}{words}" for name, words in targets.items()]
        lines, books, _, code = run(files, urls)
        assert code == 0 and len(lines) > 3000, (code, len(lines))
        rows = {name: kafka.read(name) for name in targets}
        for name, book in zip(targets, books, strict=True):
            expect_balance(book, len(lines))
            assert book["sent"] == len(lines), (name, book)
            assert book["messages"] == len(rows[name]), (name, book)
            size = sum(len(k or b"") + len(v) for _, k, v in rows[name])
            assert book["bytes"] == size, (name, book, size)
        for name in ("flows", "zstd"):
            values = sorted(value.decode() for _, _, value in rows[name])
            assert values == sorted(lines), name
        expect_keys(rows["flows"], community_key)
        expect_keys(rows["zstd"], lambda flow, key: key if len(key) == 16 else "")
        expect_order(rows["flows"], lines)
        expect_order(rows["zstd"], lines)
        assert all(key is None for _, key, _ in rows["zeek"])
        assert all("id.orig_h" in json.loads(value) for _, _, value in rows["zeek"])
        for schema in {SCHEMA, goflow2_schema()}:
            expect_messages([value for _, _, value in rows["messages"]], lines, folder, schema)
        prefix = [bytes([len(v)]) if len(v) < 128 else b"" for _, _, v in rows["single"]]
        assert all(prefix), "a message of 128 bytes"
        single = [p + v for p, (_, _, v) in zip(prefix, rows["single"], strict=True)]
        expect_messages(single, lines, folder, SCHEMA)
        expect_recipes(folder, rows, lines)

    # ---- Faults

    @case
    def broker_that_dies_and_comes_back_loses_and_repeats_nothing():
        kafka.make_topic("killed")
        feed = Feed(f"kafka://{kafka.address}/killed")
        feed.flows(8000)
        peers.wait(lambda: kafka.count("killed") > 500, "records are there before the kill")
        kafka.kill()
        feed.flows(8000)
        peers.wait(lambda: "no broker of" in feed.said(), "the death is told")
        kafka.start()
        feed.flows(8000)
        lines, (books,), errors, code = feed.end()
        assert code == 0 and len(lines) == 24000, (code, len(lines), errors)
        expect_balance(books, len(lines))
        assert books["sent"] == len(lines), books
        assert len(expect_there(kafka, "killed", lines, books)) == len(lines)
        assert errors.count("no broker of") == 1, errors
        assert errors.count("answers again") == 1, errors

    @case
    def broker_that_stalls_costs_what_the_books_say():
        kafka.make_topic("stalled")
        feed = Feed(f"kafka://{kafka.address}/stalled?buffer=1M")
        feed.flows(8000)
        peers.wait(lambda: kafka.count("stalled") > 500, "records are there before the stop")
        kafka.signal(signal.SIGSTOP)
        feed.flows(60000)
        peers.wait(lambda: "records are dropped" in feed.said(), "the drops are told")
        kafka.signal(signal.SIGCONT)
        lines, (books,), errors, _ = feed.end()
        assert len(lines) == 68000, len(lines)
        expect_balance(books, len(lines))
        assert books["ring_dropped"] > 0, books
        assert books["sent"] > 2000, books
        expect_there(kafka, "stalled", lines, books)

    @case
    def topic_that_is_not_there_is_told_once():
        _, (books,), errors, code = run(
            ["-r", peers.captures()[1]], [f"kafka://{kafka.address}/nowhere"]
        )
        assert code != 0, "records that were not delivered are an error"
        expect_balance(books, books["offered"])
        assert books["failed"] == books["offered"] > 0, books
        assert errors.count("topic nowhere fail") == 1, errors
        assert "create the topic" in errors, errors

    @case
    def topic_that_the_user_may_not_write_to():
        kafka.make_topic("closed")
        kafka.forbid_writing("closed")
        _, (books,), errors, code = run(
            ["-r", peers.captures()[1]], [f"kafka://{kafka.address}/closed"]
        )
        assert code != 0
        assert books["failed"] == books["offered"] > 0, books
        assert "grant the user the right Write" in errors, errors
        assert kafka.count("closed") == 0

    @case
    def message_that_the_topic_is_too_small_for():
        kafka.make_topic("small", **{"max.message.bytes": "200"})
        _, (books,), errors, code = run(
            ["-r", peers.captures()[1]], [f"kafka://{kafka.address}/small"]
        )
        assert code != 0
        assert books["failed"] == books["offered"] > 0, books
        assert "max.message.bytes" in errors, errors

    @case
    def broker_that_comes_later_gets_all_records():
        kafka.make_topic("later")
        kafka.kill()
        feed = Feed(f"kafka://{kafka.address}/later")
        feed.flows(3000)
        peers.wait(lambda: "no broker of" in feed.said(), "the absence is told")
        kafka.start()
        feed.flows(100)
        lines, (books,), errors, code = feed.end()
        assert code == 0 and len(lines) == 3100, (code, len(lines))
        assert books["sent"] == 3100, books
        assert len(expect_there(kafka, "later", lines, books)) == 3100

    @case
    def brokers_that_never_come_fail_all_records():
        kafka.kill()
        begun = time.monotonic()
        _, (books,), errors, code = run(
            ["-r", peers.captures()[1]], [f"kafka://{kafka.address}/later?timeout=2"]
        )
        assert code != 0
        assert books["failed"] == books["offered"] > 0, books
        assert "no broker of" in errors, errors
        assert time.monotonic() - begun < 200


with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
    one = brokers.Broker(place)
    try:
        one.start()
        main(one, place)
    finally:
        one.stop()
finish()
