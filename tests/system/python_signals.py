#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_signals.py PROGRAM LIBRARY [BPFNODE]: Ctrl-C ends what the Python package does, at once.

Each case is a program of its own.  The program tells on standard output when it works, gets
SIGINT, and must end by KeyboardInterrupt with balanced books.
"""

import json, os, signal, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from pythoncase import ENVIRONMENT, Cases
from program import pcap, udp

case = Cases()
folder = tempfile.TemporaryDirectory()
FIFO = os.path.join(folder.name, "fifo")
os.mkfifo(FIFO)
# A run that does not answer sits there for good: the time is a bound for busy machines alone.
BOUND = 300
TELL = """
import json, sys, threading, time
import bpfengine
def tell(word): print(word, flush=True)
def tell_books(stats):
    print(json.dumps(stats), flush=True)
"""


def interrupt(body, source="synth:rate=1"):
    """Runs the body, sends SIGINT after its word, and returns the books that it tells."""
    program = subprocess.Popen(
        [sys.executable, "-c", TELL + body, source],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    )
    try:
        line = program.stdout.readline()
        assert line.strip() == "ready", (line, program.stderr.read())
        program.send_signal(signal.SIGINT)
        out, messages = program.communicate(timeout=BOUND)
    except BaseException:
        program.kill()
        program.wait()
        raise
    assert program.returncode == -signal.SIGINT, (program.returncode, out, messages)
    assert messages.rstrip().endswith("KeyboardInterrupt"), messages
    return json.loads(out.splitlines()[-1])


def check_books(stats):
    lost = sum(stats["dropped"].values())
    assert stats["read_packets"] == stats["delivered_packets"] + lost, stats
    assert not stats["in_flight"], stats
    flows = stats["flows_active"] + stats["flows_ended"] + stats["flows_evicted"]
    assert stats["flows_opened"] == flows, stats


WAITS = """
capture = bpfengine.Capture(sys.argv[1])
try:
    tell("ready")
    for batch in capture:
        pass
finally:
    tell_books(capture.stats())
"""


@case
def a_capture_that_waits():
    check_books(interrupt(WAITS))
    check_books(interrupt(WAITS.replace("Capture(", "Capture(filter='host 192.0.2.7', source=")))


@case
def a_capture_that_works():
    check_books(
        interrupt(
            """
capture = bpfengine.Capture("synth")
n = 0
try:
    for batch in capture:
        for packet in batch:
            n += 1
        if n == len(batch):
            tell("ready")
finally:
    tell_books(capture.stats())
"""
        )
    )


@case
def a_fifo_without_a_writer():
    # Opening waits inside the system: the program has no capture yet.
    interrupt(
        """
try:
    tell("ready")
    bpfengine.Capture(file=sys.argv[1])
finally:
    tell_books({})
""",
        source=FIFO,
    )


@case
def a_fifo_in_use_that_is_silent():
    writer = os.open(FIFO, os.O_RDWR)
    try:
        os.write(writer, pcap([udp(1), udp(2)]))
        body = WAITS.replace('    tell("ready")\n', "").replace("pass", "tell('ready')")
        stats = interrupt(body, source=FIFO)
        assert stats["read_packets"] == 2, stats
        check_books(stats)
    finally:
        os.close(writer)


@case
def an_interface():
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        print("an_interface: skipped: needs root on Linux")
        return
    try:
        stats = interrupt(WAITS.replace("(sys.argv[1])", "('lo', filter='udp port 9 and less 1')"))
    except AssertionError as error:
        if "denied" not in str(error) and "not permitted" not in str(error):
            raise
        print("an_interface: skipped: no rights to capture here")
        return
    check_books(stats)


@case
def a_bpf_device():
    if len(sys.argv) < 4 or os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        print("a_bpf_device: skipped: a served node needs root and /dev/fuse")
        return
    for abi in ("macos", "freebsd", "netbsd", "openbsd"):
        node = os.path.join(folder.name, abi)
        os.mkdir(node)
        words = [sys.argv[3], node, "--abi", abi, "--synth", "flows=10", "--rate", "1"]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert "ready" in server.stderr.readline()
            device = f"('bpf:en0', bpf_abi='{abi}', bpf_device='{node}/bpf')"
            check_books(interrupt(WAITS.replace("(sys.argv[1])", device)))
        finally:
            server.terminate()
            server.communicate(timeout=BOUND)


RUNS = """
flows, batches = [], []
def look(batch):
    batches.append(len(batch))
    if len(batches) == 5:
        tell("ready")
engine = bpfengine.Engine(sys.argv[1], workers=WORKERS, on_batch=look, on_flow=flows.append)
try:
    engine.run(DURATION)
finally:
    stats = engine.stats()
    assert len(flows) == stats["flows_opened"], (len(flows), stats)
    assert sum(batches) == stats["delivered_packets"]
    tell_books(stats)
    engine.close()
"""


@case
def an_engine_with_handlers():
    for workers in ("0", "2"):
        for duration in ("None", "1e6"):
            body = RUNS.replace("WORKERS", workers).replace("DURATION", duration)
            check_books(interrupt(body, source="synth:rate=2000,flows=20"))
    check_books(interrupt(RUNS.replace("WORKERS", "1").replace("DURATION", ""), source="synth"))


@case
def an_engine_that_waits():
    body = """
engine = bpfengine.Engine(sys.argv[1])
engine.start()
try:
    tell("ready")
    engine.wait()
finally:
    tell_books(engine.stats())
    engine.close()
"""
    check_books(interrupt(body))
    # The engine goes on when another wait is interrupted; its books balance once it has ended.
    body = body.replace("    engine.wait()", "    list(bpfengine.flows('synth:rate=1'))")
    body = body.replace("    tell_books", "    engine.stop()\n    engine.wait()\n    tell_books")
    check_books(interrupt(body))


@case
def records_are_asked_for():
    body = """
engine = bpfengine.Engine(sys.argv[1], pull_records=True, flow_active_ns=10**6)
n = 0
try:
    for flow in engine.records():
        n += 1
        if n == 3:
            tell("ready")
finally:
    tell_books(engine.stats())
    engine.close()
"""
    check_books(interrupt(body, source="synth:rate=5000,flows=10"))
    # A reader that does not come back holds nothing up.
    slow = body.replace(
        '            tell("ready")\n', '            tell("ready")\n            time.sleep(1e6)\n'
    )
    interrupt(slow, source="synth:flows=100000")


@case
def a_push_that_waits_for_room():
    body = """
engine = bpfengine.Engine(push=True, buffer_bytes=1 << 20, on_batch=lambda b: time.sleep(0.01))
engine.start()
try:
    tell("ready")
    while True:
        engine.push([bytes(1000)] * 5000)
finally:
    engine.stop()
    engine.wait()
    tell_books(engine.stats())
    engine.close()
"""
    check_books(interrupt(body))


@case
def a_signal_inside_a_handler_is_not_lost():
    # The exception comes with any statement, also before the first of a handler.
    body = """
import signal
class Alarm(Exception): pass
def ring(*_): raise Alarm
signal.signal(signal.SIGALRM, ring)
rung = 0
for k in range(300):
    with bpfengine.Capture("synth:flows=50000", on_flow_open=lambda flow: None) as capture:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0005 + k % 7 * 0.0003)
            for batch in capture:
                pass
        except Alarm:
            rung += 1
tell(rung)
"""
    done = subprocess.run(
        [sys.executable, "-c", TELL + body],
        env=ENVIRONMENT,
        timeout=BOUND,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and not done.stderr and done.stdout == "300\n", done


@case
def a_program_that_forgets_its_engine():
    # The interpreter ends while the engine runs: its threads must not enter the interpreter.
    for ending in ("sys.exit(0)", "engine = None"):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                TELL + "engine = bpfengine.Engine('synth:flows=20', on_batch=len, workers=2)\n"
                f"engine.start()\ntime.sleep(0.1)\n{ending}\n",
            ],
            env=ENVIRONMENT,
            timeout=BOUND,
            capture_output=True,
        )
        assert done.returncode == 0 and not done.stderr, done


folder.cleanup()
case.finish()
