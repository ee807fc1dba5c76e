#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python.py PROGRAM LIBRARY: the Python package over the shared library.

Packets, flows and statistics are compared with the program's reports and records.  Views end with
their batch.  Handlers' exceptions, stops, filters and errors behave as the package says.
"""

import gc, ipaddress, json, logging, os, pathlib, subprocess, sys, tempfile, threading, weakref

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from pythoncase import LIBRARY, Cases, balanced, raises, report, write_savefile
from program import PROGRAM, pcap, udp
from progress import wait_until

import bpfengine
from bpfengine import Capture, Engine, Error

SYNTH = "synth:count=3000,flows=200,seed=3"
case = Cases()
folder = tempfile.TemporaryDirectory()
SAVEFILE = os.path.join(folder.name, "made.pcap")
PACKETS, WIRE = write_savefile(SAVEFILE, SYNTH)


@case
def batches_have_what_the_program_counts():
    assert PACKETS == 3000
    for source, words in ((SYNTH, ["-i", SYNTH]), (SAVEFILE, ["-r", SAVEFILE])):
        told, _ = report(*words)
        protocols, packets, wire = {}, 0, 0
        with Capture(source) as capture:
            assert capture.link_type == "EN10MB" and source[:5] in capture.source + SAVEFILE
            for batch in capture:
                assert 0 < len(batch) <= 64
                packets += len(batch)
                wire += sum(batch.wirelen)
                for packet in batch:
                    assert packet.caplen == len(packet.data) == packet.data.nbytes
                    protocols[packet.proto] = protocols.get(packet.proto, 0) + 1
            assert capture.ended and capture.next() is None
            books = balanced(capture.stats())
        assert (packets, wire) == (told["packets"]["delivered"], told["bytes"]["wire"])
        assert books["delivered_packets"] == packets and books["wire_bytes"] == wire
        assert protocols == {k: v["packets"] for k, v in told["protocols"].items()}, protocols


@case
def packets_have_layers_and_ends():
    path = os.path.join(folder.name, "udp.pcap")
    with open(path, "wb") as f:
        f.write(pcap([udp(i) for i in range(5)]))
    with Capture(path) as capture:
        batch = next(capture)
        assert len(batch) == 5 and list(batch.caplen) == [60] * 5
        assert batch.time_ns[1] - batch.time_ns[0] == 10**9
        for i, packet in enumerate(batch):
            assert bytes(packet.data) == udp(i) and packet.proto == "udp"
            assert packet.ends == ("10.0.0.1", 1000 + i, "10.0.0.2", 53, 17), packet.ends
            layers = packet.layers
            assert (layers.network, layers.transport, layers.payload) == (14, 34, 42)
            assert bytes(packet.payload) == bytes(18) and packet.outer_layers == layers
            assert packet.flags & bpfengine.PacketFlag.IP4
            assert packet.tcp_options() is packet.tunnel() is packet.meta() is None
            assert packet.flow() is None
        assert batch[-1].time_ns == batch.time_ns[4] and len(batch[1:3]) == 2
        assert batch.ends()[2] == batch[2].ends and batch.layers[2] == batch[2].layers
        raises(IndexError, lambda: batch[5])
        raises(TypeError, batch.time_ns.__setitem__, 0, 1)
        raises(TypeError, batch.data[0].__setitem__, 0, 1)


@case
def views_end_with_their_batch():
    with Capture(SAVEFILE) as capture:
        batch = next(capture)
        packet, column, data, payload = batch[3], batch.hash, batch.data[3], batch[3].payload
        layers, first = batch.layers, bytes(data)
        assert batch.view("layers").nbytes == 24 * 64
        next(capture)
        for use in (lambda: column[0], lambda: data[0], lambda: payload[0], lambda: bytes(data)):
            assert "released" in str(raises(ValueError, use))
        for use in (lambda: packet.data, lambda: batch.wirelen, lambda: packet.ends, packet.tunnel):
            assert "the batch is over" in str(raises(bpfengine.BatchOver, use))
        assert layers[3].network == 14 and first
    kept = []
    with Engine(SAVEFILE, on_batch=lambda b: kept.append((b, b.time_ns))) as engine:
        engine.run()
    assert sum(len(batch) for batch, _ in kept) == PACKETS
    raises(ValueError, lambda: kept[0][1][0])
    raises(bpfengine.BatchOver, lambda: kept[0][0].data)


@case
def slices_keep_the_memory_of_a_closed_capture():
    # The slices cannot be released: the memory that they show must stay mapped.
    capture = Capture(SAVEFILE)
    parts = [d[10:] for batch in capture for d in batch.data]
    capture.close()
    gc.collect()
    assert sum(len(bytes(p)) for p in parts) > 0
    assert "closed" in str(raises(Error, capture.stats))


@case
def numpy_takes_columns_as_they_are():
    try:
        import numpy
    except ImportError:
        print("numpy_takes_columns_as_they_are: skipped: no numpy")
        return
    with Capture(SAVEFILE) as capture:
        batch = next(capture)
        times = numpy.asarray(batch.time_ns)
        assert times.dtype == numpy.int64 and not times.flags.owndata
        layers = numpy.asarray(batch.view("layers"))
        assert list(layers["proto"]) == [row.proto for row in batch.layers]
        key = numpy.asarray(batch.view("key"))
        assert key["port"].shape == (64, 2)


@case
def flows_are_the_programs_records():
    lines = subprocess.run(
        [PROGRAM, "-r", SAVEFILE, "--flows", "-", "--seed", "1", "--workers", "0", "--quiet"]
        + ["--no-names"],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    ).stdout.splitlines(True)
    lines = sorted(line for line in lines if line.startswith('{"schema":"bpfengine.flow/1"'))
    flows = list(bpfengine.flows(SAVEFILE, fixed_seed=True, hash_seed=1, workers=0))
    assert sorted(flow.line() for flow in flows) == lines and len(lines) > 200
    for flow in flows:
        told = json.loads(flow.line())
        for name in ("src", "sport", "dst", "dport", "proto", "end", "hash", "worker"):
            assert flow[name] == told[name], (name, flow[name], told[name])
        assert list(flow["packets"]) == told["packets"], flow
        assert told.get("tcp_state") == flow["tcp_state"]
        assert told.get("history") == flow["history"]
        assert told["conn_state"] == flow.conn_state or flow["proto"] != "tcp"
        assert told.get("community_id") == flow.community_id()
        assert abs(told["duration"] - flow["duration_ns"] / 1e9) < 1e-6
        ipaddress.ip_address(flow["src"])
        assert json.loads(json.dumps(flow))["packets"] == told["packets"]
    header = bpfengine.header_line("csv")
    assert flows[0].line("csv").count(",") >= header.count(",") > 40
    assert "no format 'yaml'" in str(raises(ValueError, flows[0].line, "yaml"))


@case
def engines_count_as_the_program():
    told, _ = report("-r", SAVEFILE)
    seen, records, batches = [], [], []
    with Engine(
        file=SAVEFILE,
        workers=2,
        on_flow=seen.append,
        on_record=records.append,
        on_batch=lambda batch: batches.append(len(batch)),
    ) as engine:
        engine.run()
        stats = balanced(engine.stats())
        shares = engine.worker_stats()
        protocols = engine.protocols()
        live = engine.largest_flows(5)
        assert "made.pcap" in engine.source and engine.link_type == "EN10MB"
    assert len(seen) == len(records) == told["flows"]["opened"] == stats["flows_opened"]
    assert sum(sum(f["packets"]) for f in seen) == told["flows"]["packets"]
    assert len(shares) == 2 and sum(s["packets"] for s in shares) == sum(batches) == PACKETS
    assert {p["name"]: p["packets"] for p in protocols} == {
        k: v["packets"] for k, v in told["protocols"].items()
    }
    sizes = [sum(f["wire_bytes"]) for f in live]
    assert len(sizes) == 5 and sizes == sorted(sizes, reverse=True) and sizes[-1]
    assert "closed" in str(raises(Error, engine.stats))


@case
def packets_in_a_handler_know_their_flow():
    found = []

    def look(batch):
        found.extend(packet.flow() for packet in batch)

    with Engine(SAVEFILE, on_batch=look, workers=0) as engine:
        engine.run()
        assert len(found) == PACKETS
        with_flow = [flow for flow in found if flow]
        assert len(with_flow) == engine.stats()["flow_packets"]
        assert all(flow["end"] is None and sum(flow["packets"]) for flow in with_flow)


@case
def live_flows_are_asked_for_while_the_run_goes_on():
    with Engine("synth:rate=20000,flows=50", workers=1) as engine:
        engine.start()
        wait_until("flows", lambda: engine.stats()["flows_active"] >= 50)
        assert not engine.wait(0.01)
        shown = []
        engine.dump_flows(shown.append)
        wait_until("a dump", lambda: len(shown) >= 50)
        assert all(flow["end"] == "snapshot" for flow in shown[:50])
        assert len(engine.largest_flows(7, order="packets")) == 7
        engine.stop()
        assert engine.wait(600)
        balanced(engine.stats())


def pushed_packets():
    """The savefile's packets, to be pushed."""
    return [
        bpfengine.Push(bytes(data), time_ns, wirelen)
        for batch in Capture(SAVEFILE)
        for time_ns, wirelen, data in zip(batch.time_ns, batch.wirelen, batch.data)
    ]


@case
def packets_of_the_program_are_as_a_savefile():
    options = dict(fixed_seed=True, hash_seed=1, workers=0)
    wanted = sorted(f.line() for f in bpfengine.flows(SAVEFILE, **options))
    packets, found = pushed_packets(), []
    with Engine(push=True, on_flow=found.append, **options) as engine:
        assert engine.push(packets[:1000]) == 1000
        for packet in packets[1000:]:
            assert engine.push([packet], timeout=600) == 1
        engine.push_end()
        assert engine.wait(600)
        stats = balanced(engine.stats())
        assert stats["read_packets"] == PACKETS and stats["wire_bytes"] == WIRE
        assert raises(Error, engine.push, packets).status == bpfengine.Status.E_STATE
    # A pushed packet has an interface's number, which a savefile of this kind has not.
    assert all(f["interface_id"] == 0 for f in found)
    assert sorted(f.line().replace('"interface_id":0,', "") for f in found) == wanted
    with Capture(push=True) as capture:
        left, seen = packets * 30, 0
        while left:
            left = left[capture.push(left) :]
            while batch := capture.next(0):
                seen += len(batch)
        capture.push_end()
        assert seen + sum(map(len, capture)) == 30 * PACKETS
        balanced(capture.stats())
    with open(SAVEFILE, "rb") as f:
        memory = f.read()
    assert sorted(f.line() for f in bpfengine.flows(memory=memory, **options)) == wanted
    with Engine(push=True, on_batch=lambda b: found.extend(map(bytes, b.data))) as engine:
        found.clear()
        engine.push([udp(1), bytearray(udp(2)), memoryview(udp(3)), (udp(4), 5)])
        engine.push_end()
        engine.wait()
        assert found == [udp(n) for n in range(1, 5)]


@case
def pushing_ends_when_another_thread_stops():
    with Engine(push=True, workers=1) as engine:
        threading.Timer(0.05, engine.stop).start()
        taken, status = 0, 0
        while not status:
            try:
                taken += engine.push([udp(1)] * 500)
            except Error as error:
                status = error.status
        assert status == bpfengine.Status.E_STATE and engine.wait(600)
        assert balanced(engine.stats())["read_packets"] == taken


@case
def filters_compile_run_and_change():
    made = bpfengine.Filter("udp port 53", snaplen=100)
    assert made.run(udp(1)) == 100 and made.run(bytes(60)) == 0 and len(made.instructions) > 3
    assert made.instructions[-1].code == 6  # BPF_RET
    assert "UDP" in bpfengine.explain("udp port 53")
    wrong = raises(Error, bpfengine.Filter, "udp prt 53")
    assert wrong.status == bpfengine.Status.E_ARGUMENT and "^" in str(wrong)
    told, _ = report("-r", SAVEFILE, "udp")
    udp_filter = bpfengine.Filter("udp")
    for chosen in ("udp", udp_filter):
        with Capture(SAVEFILE, filter=chosen) as capture:
            assert sum(map(len, capture)) == told["packets"]["delivered"]
    for change in ("tcp", bpfengine.Filter("tcp")):
        with Engine("synth:rate=20000,flows=50", filter="udp", flows=False) as engine:
            engine.start()
            wait_until("udp", lambda: engine.stats()["delivered_packets"] > 50)
            engine.set_filter(change)
            wait_until("tcp", lambda: any(p["name"] == "tcp" for p in engine.protocols()))
    with Capture("synth:rate=20000,flows=50", filter="udp") as capture:
        assert next(capture)[0].proto == "udp"
        capture.set_filter("tcp")
        assert all(packet.proto == "tcp" for packet in next(capture))
        capture.set_filter(None)
        raises(Error, capture.set_filter, "prt")


@case
def handlers_exceptions_end_the_run():
    def fail(_):
        raise LookupError("out of a handler")

    for handler in ("on_batch", "on_flow", "on_record"):
        for workers in (0, 2):
            with Engine("synth:flows=50", workers=workers, max_flows=40, **{handler: fail}) as e:
                error = raises(LookupError, e.run)
                assert str(error) == "out of a handler"
                balanced(e.stats())


@case
def handlers_close_their_own_engine():
    for workers in (0, 2):
        calls, errors, first = [], [], threading.Lock()

        def close(batch):
            if first.acquire(blocking=False):  # two workers may call at once
                errors.append(raises(Error, engine.wait).status)
                engine.close()
            calls.append(len(batch))

        engine = Engine("synth:flows=50", workers=workers, on_batch=close, pull_records=True)
        handle = weakref.ref(engine._handle)
        engine.start()
        wait_until("the handle's end", lambda: calls and handle() is None)
        wait_until(
            "the close",
            lambda: not [t for t in threading.enumerate() if t.name == "bpfengine close"],
        )
        assert errors == [bpfengine.Status.E_STATE], errors
        raises(Error, engine.stats)


@case
def captures_keep_flows_without_threads():
    options = dict(fixed_seed=True, hash_seed=1)
    wanted = sorted(f.line() for f in bpfengine.flows(SAVEFILE, workers=0, **options))
    ended, opened, updated, looked = [], [], [], []
    with Capture(
        SAVEFILE,
        on_flow=ended.append,
        on_flow_open=opened.append,
        on_flow_update=updated.append,
        flow_update_bytes=1000,
        **options,
    ) as capture:
        for batch in capture:
            looked.extend(packet.flow() for packet in batch)
            if len(looked) < 100:
                assert len(capture.largest_flows(3)) == 3
        stats = balanced(capture.stats())
    assert sorted(f.line() for f in ended) == wanted
    assert len(opened) == len(ended) == stats["flows_opened"] and len(updated) > 100
    assert all(flow["end"] is None for flow in opened + updated)
    assert sum(1 for flow in looked if flow) == stats["flow_packets"]
    with Capture("synth", on_flow=ended.append) as capture:
        next(capture)
        before = len(ended)
        assert capture.end_flows() == len(ended) - before > 10
        assert ended[-1]["end"] == "stop"

    def fail(_):
        raise LookupError("out of a handler")

    with Capture("synth", on_flow_open=fail) as capture:
        raises(LookupError, capture.next)
        assert capture.ended
        balanced(capture.stats())
    with Capture("synth", on_flow=fail) as capture:
        next(capture)
        raises(LookupError, capture.end_flows)
    with Engine(SAVEFILE, on_flow_open=opened.append, workers=1) as engine:
        opened.clear()
        engine.run()
        assert len(opened) == engine.stats()["flows_opened"]


@case
def other_threads_stop():
    with Engine("synth:rate=10", pull_records=True) as engine:
        engine.start()
        threading.Timer(0.05, engine.stop).start()
        flows = list(engine.records())
        assert len(flows) == balanced(engine.stats())["flows_opened"]
    with Capture("synth:rate=1") as capture:
        threading.Timer(0.05, capture.stop).start()
        for _ in capture:
            pass
        assert capture.ended
        balanced(capture.stats())
    flows = list(bpfengine.flows("synth:rate=1000,flows=30", seconds=0.2))
    assert flows and all(flow["end"] for flow in flows)
    for flow in bpfengine.flows("synth:rate=100000,flows=30,seed=1", flow_idle_ns=10**6):
        break  # the generator closes its engine


@case
def records_come_whole_through_a_slow_reader():
    with Engine("synth:count=200000,flows=30000", pull_records=True, workers=2) as engine:
        n = sum(1 for _ in engine.records())
        stats = balanced(engine.stats())
        assert n == stats["flows_opened"] == stats["records"] > 30000
        assert stats["records_dropped"] == 0
    with Engine(SYNTH) as engine:
        assert "pull_records" in str(raises(Error, lambda: next(engine.records())))


@case
def waits_end_in_time():
    with Capture("synth:rate=1", filter="host 192.0.2.77") as capture:
        assert capture.next(0.05) is None and not capture.ended
        assert capture.next(0) is None
    raises(Error, Engine(SYNTH).wait)
    with Engine(SYNTH) as engine:
        engine.run()
        assert raises(Error, engine.start).status == bpfengine.Status.E_STATE


@case
def single_packets_are_parsed():
    parsed = bpfengine.parse(bytearray(udp(7)))
    assert parsed.proto == "udp" and parsed.data == udp(7) and parsed.caplen == parsed.wirelen == 60
    assert parsed.ends == ("10.0.0.1", 1007, "10.0.0.2", 53, 17) and parsed.payload == bytes(18)
    assert parsed.ends.endpoints == ("10.0.0.1:1007", "10.0.0.2:53")
    assert parsed.key == (("10.0.0.1", "10.0.0.2"), (1007, 53), 17, 4, (), 0)
    assert parsed.sender == 0 and parsed.tcp_options() is parsed.tunnel() is None
    with Capture(SAVEFILE) as capture:
        for batch in capture:
            for packet in batch:
                again = bpfengine.parse(packet.data, wirelen=packet.wirelen)
                for name in ("layers", "flags", "ends", "key", "sender", "payload"):
                    assert getattr(again, name) == getattr(packet, name), (name, packet.layers)
                assert again.tcp_options() == packet.tcp_options()
                assert again.tunnel() == packet.tunnel()
    carried = udp(7)[14:]
    header = bytes.fromhex("450000000000000040040000c0000201c0000202")
    outer = header[:2] + (20 + len(carried)).to_bytes(2, "big") + header[4:] + carried
    inner, whole = bpfengine.parse(outer, 101), bpfengine.parse(outer, 101, outermost=True)
    assert inner.key.addr == ("10.0.0.1", "10.0.0.2") and inner.key.tunnel != 0
    assert inner.tunnel() == dict(kind="ipip", depth=1, id=None, src="192.0.2.1", dst="192.0.2.2")
    assert whole.key[:3] == (("192.0.2.1", "192.0.2.2"), (0, 0), 4)
    assert whole.ends.endpoints == ("192.0.2.1", "192.0.2.2")
    back = bpfengine.parse(header[:9] + b"\xfd" + header[10:12] + header[16:] + header[12:16], 101)
    assert back.sender == 1 and back.ends[:3:2] == ("192.0.2.2", "192.0.2.1")
    nothing = bpfengine.parse(b"")
    assert nothing.key is nothing.ends is nothing.sender is nothing.payload is None
    for wrong in (dict(link_type=65536), dict(link_type=-1), dict(wirelen=59)):
        assert next(iter(wrong)) in str(raises(ValueError, bpfengine.parse, udp(1), **wrong))
    raises(TypeError, bpfengine.parse, "text")


@case
def packets_know_who_sent_them():
    found = []

    def look(batch):
        for packet in batch:
            flow, ends = packet.flow(), packet.ends
            assert (packet.flow_end() is None) == (flow is None)
            assert (packet.sender is None) == (packet.key is None) == (ends is None)
            if packet.key:
                addr, port = packet.key.addr[packet.sender], packet.key.port[packet.sender]
                assert (addr, port) == (ends.src, ends.sport)
            # An ICMP error is of the flow that it quotes, and its sender may be a router.
            if flow and not packet.flags & bpfengine.PacketFlag.ICMP_ERROR:
                originator = (flow["src"], flow["sport"])
                assert originator == (ends[:2] if packet.flow_end() == 0 else ends[2:4])
                found.append(packet.flow_end())

    with Engine(SAVEFILE, on_batch=look, workers=0) as engine:
        engine.run()
        assert len(found) > 2000 and set(found) == {0, 1}
    counted = found[:]
    found.clear()
    with Capture(SAVEFILE, flow_table=True) as capture:
        for batch in capture:
            look(batch)
    assert found == counted
    raises(bpfengine.BatchOver, batch[0].flow_end)
    with Capture(SAVEFILE) as capture:
        assert next(capture)[0].flow_end() is None


@case
def endpoints_and_times_are_texts():
    for address in ("192.0.2.1", "2001:db8::1", "::1", "::", "0.0.0.0", "::ffff:1.2.3.4"):
        assert bpfengine.endpoint_text(address) == address
    assert bpfengine.endpoint_text("192.0.2.1", 443) == "192.0.2.1:443"
    assert bpfengine.endpoint_text("2001:db8::1", 443) == "[2001:db8::1]:443"
    assert "no IPv4" in str(raises(ValueError, bpfengine.endpoint_text, "en0", 1))
    assert "port is" in str(raises(ValueError, bpfengine.endpoint_text, "::1", 65536))
    assert bpfengine.time_text(1795938142000000001) == "2026-11-29T07:42:22.000000001Z"
    assert bpfengine.time_text(-1) == "1969-12-31T23:59:59.999999999Z"
    for time_ns in (-(2**63), 2**63 - 1):
        assert bpfengine.time_text(time_ns)[-11] == "."
        assert bpfengine.time_text(time_ns, utc=False)[-6] in "+-"
    assert "64 bits" in str(raises(ValueError, bpfengine.time_text, 2**63))
    flow = next(bpfengine.flows(SAVEFILE))
    assert flow.endpoints == tuple(
        bpfengine.endpoint_text(flow[a], flow[p]) for a, p in (("src", "sport"), ("dst", "dport"))
    )


@case
def options_are_checked():
    assert "no option 'speed'" in str(raises(TypeError, Capture, SYNTH, speed=1))
    assert "it may be: both, in, out" in str(raises(ValueError, Capture, SYNTH, direction="up"))
    raises(TypeError, Capture, SYNTH, file=SAVEFILE)
    raises(ValueError, Capture, SYNTH, snaplen=-1)
    raises(ValueError, Capture, "synth\0")
    raises(ValueError, Capture, file=SAVEFILE + "\0")
    raises(ValueError, Capture, interface="synth\0")
    assert "folder" in str(raises(Error, Capture, folder.name))
    with Capture(pathlib.Path(SAVEFILE)) as capture:
        assert sum(map(len, capture)) == PACKETS
    raises(ValueError, Engine, SYNTH, flow_timeout_ns={"tcp": 1})
    for source in ("no-such-interface0", "no-such-folder/none.pcap"):
        error = raises(Error, Capture, source)
        assert source in str(error) and error.status == bpfengine.Status.E_ABSENT, error
    assert raises(Error, Capture).status == bpfengine.Status.E_ARGUMENT
    with Capture(SAVEFILE, max_packets=10, snaplen=40) as capture:
        batch = next(capture)
        assert len(batch) == 10 and max(batch.caplen) == 40 < max(batch.wirelen)


@case
def conditions_choose_flows():
    here = os.path.dirname(os.path.abspath(__file__))
    office = os.path.join(here, "..", "..", "examples", "office.pcap")
    condition = 'name like "*.example.com" and proto = tcp'
    where = bpfengine.Where(condition)
    every = list(bpfengine.flows(office, names=0x7F))
    found = [flow for flow in every if where.matches(flow)]
    assert 0 < len(found) < len(every), (len(found), len(every))
    names = {(flow["name"], flow["app"], flow["names"]["source"]) for flow in found}
    assert ("www.example.com", "tls", "tls") in names, names
    chosen = bpfengine.flows(office, names=0x7F, where=condition)
    assert sorted(f.community_id() for f in chosen) == sorted(f.community_id() for f in found)
    assert "column 1" in str(raises(Error, bpfengine.Where, "nmae = x"))
    assert "column 1" in str(raises(Error, lambda: list(bpfengine.flows(office, where="nmae = x"))))


@case
def notices_go_to_the_log_or_a_handler():
    path = os.path.join(folder.name, "two.pcap")
    with open(path, "wb") as f:
        f.write(pcap([udp(1)]) + pcap([udp(2)]))
    told, logged = [], []
    with Capture(path, on_notice=told.append) as capture:
        assert sum(map(len, capture)) == 2
    assert any("another savefile" in text for text in told), told
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())
    logging.getLogger("bpfengine").addHandler(handler)
    with Capture(path) as capture:
        assert sum(map(len, capture)) == 2
    logging.getLogger("bpfengine").removeHandler(handler)
    assert logged == told

    def fail(_):
        raise LookupError("out of a handler")

    with Capture(path, on_notice=fail) as capture:
        raises(LookupError, lambda: sum(map(len, capture)))


@case
def interfaces_are_listed():
    listed = bpfengine.interfaces()
    assert listed[-1]["name"] == "synth"
    for one in listed:
        assert isinstance(one["mtu"], int) and isinstance(one["flags"], list)
        for address in one["addresses"]:
            ipaddress.ip_interface(address)
    assert bpfengine.library_path() == LIBRARY and bpfengine.library_version()[0].isdigit()
    assert "devices=" in bpfengine.build_info()


@case
def nothing_is_left_after_many_cycles():
    def descriptors():
        return len(os.listdir("/dev/fd"))

    before = descriptors()
    for _ in range(200):
        with Capture("synth:count=10") as capture:
            for batch in capture:
                assert batch.data
        with Engine("synth:count=10", on_flow=lambda flow: None, workers=0) as engine:
            engine.run()
    gc.collect()
    assert descriptors() <= before


folder.cleanup()
case.finish()
