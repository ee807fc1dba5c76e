#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""flows.py PROGRAM: flow files as their readers meet them.

Sinks that are slow, full or gone, files that are moved away, dumps of living flows, periods.  The
last line counts the cases.
"""

import csv
import json
import os
import signal
import subprocess
import tempfile
import time

from flow_runs import balanced, run, written
from program import Cases, PROGRAM
from progress import Running

case = Cases()


@case
def a_file_is_replaced_or_appended_to():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "flows")
        for words, times in (
            ((), 1),
            ((), 1),
            (("--flows-append",), 2),
            (("--flows-append",), 3),
            ((), 1),
        ):
            report, p = run("-i", "synth:count=100,flows=1,seed=2", *words, path=path)
            assert p.returncode == 0 and report["flows"]["records"]["lost"] == 0, p.stderr
            assert (
                len([json.loads(l) for l in open(path)]) == times * report["flows"]["opened"] > 0
            ), words


@case
def a_slow_reader_gets_every_line_of_a_file():
    r, w = os.pipe()
    p = subprocess.Popen(
        [PROGRAM, "-i", "synth:count=40000,flows=100,seed=2", "--flows", "-", "--workers", "1"],
        stdout=w,
        stderr=subprocess.PIPE,
    )
    os.close(w)
    text = b""
    while piece := os.read(r, 1 + len(text) % 5003):
        text += piece
        if len(text) < 40000:
            time.sleep(0.001)
    os.close(r)
    err = p.communicate(timeout=600)[1].decode()
    lines = [json.loads(l) for l in text.splitlines()]
    assert (
        p.returncode == 0
        and f"Records: {len(lines):,} written" in err
        and "dropped for want" not in err
    ), err


@case
def a_stuck_sink_costs_records_and_no_packets():
    """Into a pipe that nobody reads, as fast as it goes; then it is told to end."""
    for workers in ("0", "2"):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "pipe")
            os.mkfifo(path)
            holder = os.open(path, os.O_RDWR)
            p = Running(
                [
                    PROGRAM,
                    "--json",
                    "-i",
                    "synth:flows=3000,seed=4,count=600000",
                    "--flows",
                    path,
                    "--flows-overload",
                    "drop",
                    "--flow-idle",
                    "0.01",
                    "--flow-closed",
                    "0.005",
                    "--workers",
                    workers,
                ]
            )
            p.wait_for_report("dropped records", lambda told: "dropped for want" in told)
            out, err, code = p.end()
            os.close(holder)
        report = balanced(json.loads(out))
        records = report["flows"]["records"]
        assert (
            records["dropped"] > 0
            and records["lost"] > 0
            and code == 1
            and "nobody takes them" in err
        ), (records, err)
        assert report["packets"]["read"] == report["packets"]["delivered"] > 0, report["packets"]
        if workers == "2":
            assert sum(w["records"]["dropped"] for w in report["workers"]) == records["dropped"]


@case
def a_full_disk_is_told_once_and_counted():
    report, p = run("-i", "synth:count=200000,flows=2000", "--flow-idle", "0.001", path="/dev/full")
    records = report["flows"]["records"]
    assert (
        records["lost"] == records["given"] == report["flows"]["opened"]
        and records["written"] == 0
        and p.returncode == 1
    ), records
    assert (
        p.stderr.count(b"No space left") == 1
        and b"the capture goes on" in p.stderr
        and report["packets"]["delivered"] == 200000
    ), p.stderr
    report, p = run(
        "-i",
        "synth:rate=100000",
        "-t",
        "3600",
        "--flow-idle",
        "0.01",
        "--flows-error",
        "stop",
        path="/dev/full",
    )
    assert report["seconds"] < 3600 and p.returncode == 1 and b"; ending" in p.stderr, p.stderr


@case
def a_closed_pipe_is_told_and_survived():
    words = ["-i", "synth:rate=100000,flows=100", "--flows", "-", "--flow-idle", "0.01"]
    with Running([PROGRAM, *words]) as p:
        line = p.process.stdout.readline()
        p.process.stdout.close()
        p.process.stdout = None
        p.wait_for_message("Broken pipe")
        _, err, code = p.end()
    assert json.loads(line)["schema"] == "bpfengine.flow/1" and code == 1, code
    assert (
        err.count("Broken pipe") == 1
        and "the capture goes on" in err
        and "could not be written" in err
        and "flows were not all written" in err
    ), err


@case
def a_file_that_is_moved_away_is_made_anew():
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)  # whoever it becomes
        path = os.path.join(d, "flows.csv")
        p = Running(
            [
                PROGRAM,
                "-i",
                "synth:rate=50000,flows=100",
                "--flows",
                path,
                "--flows-format",
                "csv",
                "--flow-idle",
                "0.01",
                "--json",
                "--quiet",
            ]
        )
        for k in range(3):
            p.wait_for_lines(path, 2)
            os.rename(path, f"{path}.{k}")
            p.send_signal(signal.SIGHUP)
        p.wait_for_lines(path, 2)
        p.send_signal(signal.SIGHUP)  # not moved: goes on in the same
        p.wait_for_lines(path, 200)
        out, err, code = p.end()
        assert code == 0, err
        rows = [
            list(csv.reader(open(f, newline=""), strict=True))
            for f in [f"{path}.{k}" for k in range(3)] + [path]
        ]
        assert all(
            len(r) > 1 and r[0][0] == "first" and len({len(x) for x in r}) == 1 for r in rows
        )
        report = json.loads(out)
        assert (
            sum(len(r) - 1 for r in rows)
            == report["flows"]["records"]["written"]
            == report["flows"]["opened"]
        )


@case
def a_flow_is_told_of_when_it_begins():
    """Each flow twice, its beginning first; the report and each format say which line is which."""
    begins = {
        "json": lambda l: l.get("event") == "begin" and "end" not in l,
        "zeek": lambda l: l.get("_path") == "conn_begin",
        "eve": lambda l: l.get("bpfengine", {}).get("event") == "begin",
        "ecs": lambda l: l["event"]["type"] == ["connection", "start"],
    }
    for workers in ("0", "2"):
        for format, is_begin in begins.items():
            words = ("-i", "synth:count=20000,flows=200,seed=2", "--flows-begin")
            report, text = written(*words, "--flows-format", format, "--workers", workers)
            begun = [is_begin(json.loads(l)) for l in text.splitlines()]
            opened = report["flows"]["opened"]
            assert report["flows"]["records"]["begun"] == opened >= 200, report["flows"]
            assert sum(begun) == opened and len(begun) == 2 * opened, (format, sum(begun))
        keys = [
            (l["src"], l["sport"], l["dst"], l["dport"], l["proto"], "event" in l)
            for l in map(json.loads, written(*words, "--workers", workers)[1].splitlines())
        ]
        assert all(k[-1] or keys.index((*k[:-1], True)) < keys.index(k) for k in keys)
        report, text = written(*words, "--flows-format", "csv", "--workers", workers)
        lines = list(csv.DictReader(text.splitlines()))
        assert sum(l["end"] == "begin" for l in lines) == report["flows"]["opened"], lines[0]
    p = subprocess.run(
        [PROGRAM, "-i", "synth:count=10", "--flows-begin"], capture_output=True, timeout=600
    )
    assert p.returncode == 2 and b"--flows FILE" in p.stderr, p.stderr


@case
def snapshots_on_demand():
    for words, workers in (((), 0), (("--workers", "2"), 2)):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "flows")
            source = "synth:rate=20000,flows=400,seed=1"
            p = Running([PROGRAM, "-i", source, "--flows", path, "--json", *words])
            p.wait_for_packets(10000)
            answer, answers = "(are written to|are not all written yet)", 0
            while p.read_messages().count("are written to") < 2:
                p.send_signal(signal.SIGUSR2)
                answers += 1
                p.wait_for_message(answer, answers)
            out, err, code = p.end()
            report = json.loads(out)
            lines = [json.loads(l) for l in open(path)]
            shown = [l for l in lines if l["end"] == "snapshot"]
            assert (
                code == 0
                and len(shown) == report["flows"]["records"]["snapshots"] > 800
                and len(report["workers"]) == workers
            ), (len(shown), err)
            assert (
                len(lines)
                == len(shown) + report["flows"]["opened"]
                == report["flows"]["records"]["given"]
                and err.count("are written to") == 2
            ), err
            # Each flow at most once in each: what grew is the second's.
            seen = {}
            for l in shown:
                seen.setdefault(
                    (l["src"], l["sport"], l["dst"], l["dport"], l["proto"], l["first"]), []
                ).append(sum(l["packets"]))
            assert max(map(len, seen.values())) == 2 and all(x == sorted(x) for x in seen.values())
            ends = {
                (l["src"], l["sport"], l["dst"], l["dport"], l["proto"], l["first"]): sum(
                    l["packets"]
                )
                for l in lines
                if l["end"] != "snapshot"
            }
            assert all(ends[k] >= v[-1] for k, v in seen.items())
    with tempfile.TemporaryDirectory() as d:
        for format, mark in (
            ("zeek", lambda l: l.get("_path") == "conn_snapshot"),
            (
                "eve",
                lambda l: (
                    l.get("bpfengine", {}).get("end") == "snapshot" and "reason" not in l["flow"]
                ),
            ),
            (
                "ecs",
                lambda l: (
                    l["event"]["reason"] == "snapshot"
                    and l["event"]["type"] == ["connection", "info"]
                ),
            ),
        ):
            path = os.path.join(d, format)
            source = "synth:rate=20000,flows=10"
            p = Running([PROGRAM, "-i", source, "--flows", path, "--flows-format", format])
            p.wait_for_packets(100)
            p.send_signal(signal.SIGUSR2)
            p.wait_for_lines(path)
            assert p.end()[2] == 0 and sum(mark(json.loads(l)) for l in open(path)) > 0


@case
def periods_are_marked():
    for format, mark in (
        ("json", lambda l: l["end"] == "active"),
        ("zeek", lambda l: l.get("_path") == "conn_active"),
        ("eve", lambda l: l.get("bpfengine", {}).get("end") == "active"),
        (
            "ecs",
            lambda l: (
                l["event"]["reason"] == "active" and l["event"]["type"] == ["connection", "info"]
            ),
        ),
    ):
        report, text = written(
            "-i", "synth:count=40000,flows=20", "--flow-active", "0.001", "--flows-format", format
        )
        assert sum(mark(json.loads(l)) for l in text.splitlines()) == report["flows"]["periods"] > 0


@case
def wrong_words():
    for words, told in (
        (("--flows", "x", "--flows-format", "xml"), b"json, zeek, eve, ecs or csv"),
        (("--flows-format", "csv"), b"--flows FILE"),
        (("--flows-error", "stop"), b"--flows FILE"),
        (("--flows", "x", "--flows-error", "retry"), b"continue or stop"),
        (("--flows", "x", "--flows-overload", "no"), b"auto, drop or wait"),
    ):
        p = subprocess.run([PROGRAM, "-i", "synth:count=1", *words], capture_output=True)
        assert p.returncode == 2 and told in p.stderr, (words, p.stderr)
    p = subprocess.run(
        [PROGRAM, "-i", "synth:count=1", "--flows", "/nonexistent/x"], capture_output=True
    )
    assert p.returncode == 1 and b"cannot write flows to /nonexistent/x" in p.stderr


case.finish()
