#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""faults.py PROGRAM: targets that are dead, slow, lying or full, and processes that are killed.

Each case asserts that the capture read all packets, that the books of the target balance, and that
no process stays behind.  Most of a case is waiting, so cases run beside each other.  Only 127.0.0.1
is used.  The last line counts the cases.
"""

import concurrent.futures
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import peers
from progress import ASK, Running, wait_until

PROGRAM = os.path.abspath(sys.argv[1])
PACKETS = 40000
PARTS = ("ring_dropped", "sent", "failed", "unfit", "lost")
cases = []
started = []  # runs, which end with the test at the latest
folder = tempfile.TemporaryDirectory()
os.chmod(folder.name, 0o755)
SAVEFILE = os.path.join(folder.name, "made.pcap")


def case(function):
    cases.append(function)
    return function


# ---- Processes ----


def read_stat(pid):
    """Name, state and parent of a process, or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            text = f.read()
    except OSError:
        return None
    state, parent = text.rsplit(")", 1)[1].split()[:2]
    return text[text.index("(") + 1 : text.rindex(")")], state, int(parent)


def list_children(parent):
    """Process ids by name of the children of a process."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        stat = read_stat(pid)
        if stat and stat[2] == parent and stat[1] != "Z":
            found[stat[0]] = int(pid)
    return found


def find_pair(program):
    """The process ids of keeper and sender of a program with one target."""
    keeper = wait_until("a keeper", lambda: list_children(program).get("bpf-keeper"))
    return keeper, wait_until("a sender", lambda: list_children(keeper).get("bpf-sender"))


def wait_for_other(keeper, killed):
    """The process id of the sender that a keeper started after another."""
    ask = lambda: list_children(keeper).get("bpf-sender")
    return wait_until("another sender", lambda: (pid := ask()) not in (None, killed) and pid)


def is_alive(pid):
    stat = read_stat(pid)
    return stat is not None and stat[1] != "Z"


def assert_gone(*pids):
    wait_until("no process stays", lambda: not any(is_alive(pid) for pid in pids))


# ---- Runs ----


def assert_balance(report):
    """All packets were read, and each target knows where its records went."""
    assert report["packets"]["read"] == report["packets"]["delivered"], report["packets"]
    for books in report["exports"]:
        assert books["offered"] == sum(books[part] for part in PARTS), books
        assert books["offered"] > 0, books
    return report["exports"]


def read_to(*words, code=0, **options):
    """Reads the savefile.  Returns the books of the targets, and what the program said."""
    done = subprocess.run(
        [PROGRAM, "-r", SAVEFILE, "--json", *words],
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
        **options,
    )
    assert done.returncode == code, (done.returncode, done.stderr)
    report = json.loads(done.stdout)
    assert report["packets"]["read"] == PACKETS, report["packets"]
    return assert_balance(report), done.stderr


def start(*words):
    """A run that goes on until it is ended: generated packets, by the clock."""
    source = "synth:rate=20000,flows=5000"
    started.append(Running([PROGRAM, "-i", source, "--max-flows", "500", "--json", *words]))
    return started[-1]


def wait_for_sent(run, more_than):
    """Asks for the report until more records were sent.  Returns how many."""

    def ask():
        run.send_signal(ASK)
        sent = re.findall(r"Export to .* records, (?:.*, )?([\d,]+) sent", run.read_messages())
        return sent and int(sent[-1].replace(",", "")) > more_than

    run.wait_for(f"more than {more_than} records sent", ask)
    return True


def end(run, code=0):
    """Ends a run.  Returns the books of the targets, and what the program said."""
    run.send_signal(signal.SIGINT)
    out, _ = run.process.communicate(timeout=550)
    assert run.process.returncode == code, (run.process.returncode, run.read_messages())
    return assert_balance(json.loads(out)), run.read_messages()


# ---- Collectors ----


def serve(handle, backlog=8):
    """A server on 127.0.0.1 in a thread; handle gets each connection.  Returns the port."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(backlog)

    def accept():
        while True:
            handle(server.accept()[0])

    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]


def find_closed_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def tcp(port):
    return f"ipfix://127.0.0.1:{port}?transport=tcp"


# ---- Targets ----


@case
def a_refused_connection_is_told_and_counted():
    (books,), said = read_to("--export", tcp(find_closed_port()), code=1)
    assert books["sent"] == 0 and books["offered"] == books["failed"] + books["ring_dropped"], books
    assert "records did not all arrive" in said, said
    assert "refused" in said.lower(), said


@case
def a_refused_datagram_is_told_and_counted():
    port = find_closed_port(socket.SOCK_DGRAM)
    (books,), said = read_to("--export", f"ipfix://127.0.0.1:{port}", code=1)
    assert books["failed"] > 0, books
    assert "refused" in said.lower(), said


@case
def a_reset_in_mid_run_is_survived():
    connections = []

    def lie(connection):
        connections.append(connection.recv(5000))
        reset(connection)

    run = start("--flow-active", "1", "--flows-overload", "drop", "--export", tcp(serve(lie)))
    run.wait_for("connections", lambda: len(connections) > 2)
    (books,), _ = end(run)
    assert books["starts"] == 1, books


@case
def a_stalled_collector_costs_no_packet():
    kept = []
    run = start("--export", tcp(serve(kept.append)))
    run.wait_for("a full ring", lambda: "records are dropped" in run.read_messages())
    (books,), said = end(run)
    assert books["ring_dropped"] > 0 and "records did not all arrive" in said, (books, said)


@case
def a_stalled_collector_does_not_hold_a_savefile():
    kept = []
    (books,), said = read_to("--export", tcp(serve(kept.append)), code=1)
    assert books["failed"] + books["ring_dropped"] > 0, books
    assert "records did not all arrive" in said, said


@case
def a_half_open_connection_is_given_up():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    full = []
    for _ in range(4):  # the kernel answers no more when the queue is full
        full.append(socket.socket())
        full[-1].setblocking(False)
        full[-1].connect_ex(server.getsockname())
    (books,), _ = read_to("--export", tcp(server.getsockname()[1]), code=1)
    assert books["sent"] < books["offered"], books


@case
def a_name_that_does_not_resolve_is_told():
    (books,), said = read_to("--export", "ipfix://no-such-host.invalid:4739", code=1)
    assert books["sent"] == 0, books
    assert "no-such-host.invalid" in said, said


@case
def a_full_disk_is_told_and_counted():
    path = os.path.join(folder.name, "full")
    os.mkdir(path)
    os.chmod(path, 0o777)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))
    (books,), said = read_to("--export", f"ipfix:{path}/flows.ipfix", code=1, preexec_fn=limit)
    assert books["failed"] > 0, books
    assert "records did not all arrive" in said, said


@case
def a_dead_target_does_not_touch_another():
    path = os.path.join(folder.name, "beside")
    os.mkdir(path)
    os.chmod(path, 0o777)
    (good, dead), _ = read_to(
        "--export", f"ipfix:{path}/flows.ipfix", "--export", tcp(find_closed_port()), code=1
    )
    assert good["sent"] == good["offered"] == dead["offered"], (good, dead)
    assert dead["sent"] == 0, dead


@case
def a_missing_folder_is_refused_at_the_start():
    done = subprocess.run(
        [PROGRAM, "-r", SAVEFILE, "--export", f"ipfix:{folder.name}/none/flows.ipfix"],
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )
    assert done.returncode == 1 and "none" in done.stderr, (done.returncode, done.stderr)
    assert not done.stdout, done.stdout


# ---- Processes ----


@case
def a_killed_sender_is_told_and_started_again():
    read = []

    def take(connection):
        with connection:
            while data := connection.recv(65536):
                read.append(len(data))

    run = start("--export", tcp(serve(take)))
    keeper, sender = find_pair(run.process.pid)
    wait_for_sent(run, 100)
    for _ in range(2):
        os.kill(sender, signal.SIGKILL)
        sender = wait_for_other(keeper, sender)
    before = sum(read)
    run.wait_for("records by the third sender", lambda: sum(read) > before)
    (books,), said = end(run)
    assert books["starts"] == 3, books
    assert said.count("the sender process died of signal 9: another starts in") == 2, said
    assert_gone(keeper, sender)


def start_swallowed():
    """A run whose collector takes records, its keeper and its sender."""
    run = start("--export", tcp(serve(lambda connection: swallow(connection))))
    keeper, sender = find_pair(run.process.pid)
    wait_for_sent(run, 100)
    return run, keeper, sender


@case
def a_killed_keeper_is_survived():
    run, keeper, sender = start_swallowed()
    os.kill(keeper, signal.SIGKILL)
    run.send_signal(signal.SIGINT)
    out, _ = run.process.communicate(timeout=550)
    (books,) = assert_balance(json.loads(out))
    assert books["sent"] > 100 and books["lost"] == 0, books
    assert_gone(keeper, sender)


@case
def both_killed_are_told():
    run, keeper, sender = start_swallowed()
    os.kill(keeper, signal.SIGKILL)
    os.kill(sender, signal.SIGKILL)
    run.wait_for("the news", lambda: "the sender process is gone" in run.read_messages())
    run.wait_for("a full ring", lambda: "records are dropped" in run.read_messages())
    (books,), _ = end(run)
    assert books["ring_dropped"] > 0, books
    assert_gone(keeper, sender)


@case
def a_killed_program_leaves_no_process():
    run, keeper, sender = start_swallowed()
    run.process.kill()
    run.process.wait()
    assert_gone(keeper, sender)


@case
def processes_have_no_rights_and_no_device():
    if keeps_rights():
        print("processes_have_no_rights_and_no_device: not in this build")
        return
    run, *pair = start_swallowed()
    for pid in pair:
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            status = dict(line.split(":", 1) for line in f)
        held = int(status["CapEff"], 16) | int(status["CapPrm"], 16)
        assert held == 0, (pid, status)
        assert status["NoNewPrivs"].strip() == "1", status
        if os.geteuid() == 0:
            for of in ("Uid", "Gid", "Groups"):
                assert "0" not in status[of].split(), (of, status[of])
        targets = [read_link(f"/proc/{pid}/fd", fd) for fd in os.listdir(f"/proc/{pid}/fd")]
        assert not [t for t in targets if "packet" in t or SAVEFILE in t], targets
    end(run)
    assert_gone(*pair)


def keeps_rights():
    """Whether this build keeps its rights, as builds for sanitizers do."""
    done = subprocess.run(
        [PROGRAM, "-i", "synth:count=1", "--json"], capture_output=True, check=True
    )
    return not json.loads(done.stdout)["rights"]["capabilities"]


def read_link(path, name):
    try:
        return os.readlink(os.path.join(path, name))
    except OSError:
        return ""


def swallow(connection):
    """Reads a connection to its end, in a thread."""

    def read():
        with connection:
            while connection.recv(65536):
                pass

    threading.Thread(target=read, daemon=True).start()


# ---- Sources and signals ----


@case
def targets_are_told_what_they_cannot_be():
    for words, code, answer in (
        (["--export", "ipfix://127.0.0.1", "--no-flows"], 2, "--no-flows keeps none"),
        (["--export", "ipfix://127.0.0.1?rates=1"], 2, "there is no parameter rates"),
        (["--export", "ipfix://127.0.0.1"] * 9, 2, "at most 8 targets"),
        (["--metrics", "127.0.0.1/metrics"], 2, "--metrics wants ADDRESS:PORT"),
        (["--metrics-file", "-"], 2, "--metrics-file wants a file"),
    ):
        done = subprocess.run(
            [PROGRAM, "-r", SAVEFILE, *words],
            capture_output=True,
            text=True,
            timeout=550,
            check=False,
        )
        assert done.returncode == code and answer in done.stderr, (words, done.stderr)


@case
def metrics_need_no_flows():
    path = os.path.join(folder.name, "metrics")
    os.mkdir(path)
    os.chmod(path, 0o777)
    words = ["--no-flows", "--metrics-file", f"{path}/m.prom"]
    done = subprocess.run(
        [PROGRAM, "-r", SAVEFILE, "--json", *words],
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (books,) = json.loads(done.stdout)["exports"]
    assert books["offered"] == 0 and books["starts"] == 1, books
    with open(f"{path}/m.prom", encoding="utf-8") as file:
        assert f" {PACKETS}\n" in file.read()


@case
def a_savefile_on_stdin_is_sent_whole():
    path = os.path.join(folder.name, "stdin")
    os.mkdir(path)
    os.chmod(path, 0o777)
    with open(SAVEFILE, "rb") as file:
        done = subprocess.run(
            [PROGRAM, "-r", "-", "--json", "--where", "proto = tcp"]
            + ["--export", f"ipfix:{path}/flows.ipfix", "--flows", f"{path}/flows.json"],
            stdin=file,
            capture_output=True,
            text=True,
            timeout=550,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    (books,) = assert_balance(report)
    with open(f"{path}/flows.json", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    assert {line["proto"] for line in lines} == {"tcp"}
    assert books["sent"] == books["offered"] == len(lines), (books, len(lines))


def main():
    if not os.path.isdir("/proc/self/fd"):
        peers.skip("processes are looked at in /proc")
    asked = subprocess.run(
        [PROGRAM, "-i", "synth:count=1", "--export", "ipfix://h?none=1"],
        capture_output=True,
        check=False,
    )
    if b"no kind of target" in asked.stderr:
        peers.skip("this build sends no IPFIX")
    source = f"synth:count={PACKETS},flows=20000"
    made = [PROGRAM, "-i", source, "-q", "-w", SAVEFILE]
    subprocess.run(made, check=True, capture_output=True, timeout=550)
    os.chmod(SAVEFILE, 0o644)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        runs = {pool.submit(function): function for function in cases}
        for run in concurrent.futures.as_completed(runs):
            error = run.exception()
            if error:
                failed += 1
                print(f"FAILED {runs[run].__name__}: {type(error).__name__}: {error}", flush=True)
    for run in started:
        if run.process.poll() is None:
            run.process.kill()
    print(f"{len(cases) - failed} passed, {failed} failed")
    sys.stdout.flush()
    os._exit(1 if failed else 0)  # threads of servers wait for ever


main()
