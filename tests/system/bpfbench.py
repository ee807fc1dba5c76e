#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bpfbench.py BPFBENCH LIBPCAP OPTIONS [BPFNODE]: usage and plain runs of bpfbench.

A case that needs root, namespaces or FUSE is skipped by name where these are missing.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from bench_runs import (
    BENCH,
    OPTIONS,
    NODE,
    HERE,
    D,
    NS,
    SMALL,
    Skip,
    bench,
    measured,
    measured_until,
    table,
    agree,
    run_is_sound,
    TOP,
    run_cases,
)

sys.path[:0] = [os.path.join(TOP, "tests", name) for name in ("packaging", "support")]
import sender  # noqa: E402
from progress import Running  # noqa: E402
from options import ask  # noqa: E402


def wrong_usage():
    for words, told in (
        (["-t", "60"], "no source"),
        (["-i", "synth", "-t", "-1"], "-t"),
        (["-i", "synth", "-t", "x"], "-t"),
        (["-i", "synth", "-p", "65"], "-p"),
        (["-i", "synth", "-B", "1"], "-B"),
        (["-i", "synth", "-s", "0"], "-s"),
        (["-i", "synth", "-o", "x.xml"], "-o x.xml"),
        (["-i", "synth", "-o", "x.html"], ".html"),
        (["-i", "synth", "--ring", "100"], "--ring"),
        (["-i", "synth", "--overload", "x"], "--overload"),
        (["-i", "synth", "--read-mode", "fast"], "--read-mode"),
        (["-i", "synth", "--loss-below", "0"], "--loss-below"),
        (["-i", "synth", "--loss-below", "100"], "--loss-below"),
        (["-i", "synth", "--loss-below", "nan"], "--loss-below"),
        (["-i", "synth", "--loss-below", "1%"], "--loss-below"),
        (["stages", "--loss-below", "1"], "--loss-below"),
        (["-i", "synth", "--read-interval", "0"], "--read-interval"),
        (["-i", "synth", "--block-size", "1"], "--block-size"),
        (["-i", "synth", "--rates", "5"], "--rates"),
        (["-i", "synth", "--bogus"], "--bogus"),
        (["-i", "synth", "-z"], "-z"),
        (["-i"], "-i"),
        (["-i", "synth", "-i", "lo"], "-i"),
        (["-i", "synth", "--quiet=3"], "--quiet"),
        (["-i", "synth", "words"], "words"),
        (["-i", "pair"], "pair"),
        (["stages", "-t", "3"], "--time"),
        (["stages", "-i", "lo"], "lo"),
        (["stages", "--stages", "sink"], "sink"),
        (["stages", "--rounds", "0"], "--rounds"),
        (["stages", "--packets", "5"], "--packets"),
        (["stages", "-i", "synth:bogus=1"], "bogus"),
        (["loop", "-i", "lo"], "--interface"),
        (["loop", "-f", "tcp"], "--filter"),
        (["loop", "--rate-from", "max"], "--rate-from"),
        (["loop", "--rate-to", "0"], "--rate-to"),
        (["loop", "--rate-from", "9", "--rate-to", "5"], "--rate-to"),
        (["loop", "--steps", "99"], "--steps"),
        (["loop", "--sizes", "64,128"], "--sizes"),
        (["compare"], "compare"),
        (["compare", "-i", "synth"], "synth"),
        (["compare", "-r", "x", "-i", "lo"], "compare"),
        (["--sweep", "-i", "lo", "--sizes", "64"], "--sizes"),
        (["--sweep", "-i", "synth", "--sizes", "9"], "--sizes"),
        (["--sweep", "-i", "synth", "--buffers", "1"], "--buffers"),
        (["--sweep", "-i", "synth", "--modes", "x"], "--modes"),
        (["--sweep", "-i", "synth", "--workers", "-1"], "--workers"),
        (["--sweep", "-i", "synth", "--rates", "k"], "--rates"),
        (["--sweep", "-i", "synth", "--filters", ";"], "--filters"),
    ):
        p = bench(*words, code=2)
        assert told in p.stderr and "--help" in p.stderr and not p.stdout, (words, p.stderr)
    assert "prot" in bench("-i", "synth", "-f", "tcp prot 80", code=2).stderr
    if sys.platform == "linux":
        assert "no such interface" in bench("-i", "nowhere0", "-t", "1", code=4).stderr


def help_and_version():
    assert "--sweep" in bench("--help").stdout and bench("-h").stdout == bench("--help").stdout
    assert re.match(r"bpfbench \d+\.\d+\.\d+ \(arch=", bench("--version").stdout)


def a_run_balances():
    r = measured_until(
        lambda r: r["total"]["packets"] > 1000 and len(r["rows"]) > 1,
        "run",
        "-i",
        "synth:flows=100,seed=3",
        seconds=2.2,
        formats=("json", "csv", "txt"),
    )
    run_is_sound(r, 2)
    assert (
        r["kind"] == "run"
        and all(row["seconds"] > 0.99 for row in r["rows"][:-1])
        and r["total"]["seconds"] >= r["options"]["seconds"]
        and r["total"]["packets"] > 1000
        and r["total"]["latency_samples"] is None
    )
    assert (
        any("not measured" in n for n in r["notes"])
        and r["options"]["count_only"] == "no"
        and r["findings"]["source"].startswith("synth (100 flows")
    )
    agree(os.path.join(D, "run.csv"), r["rows"] + [r["total"]])
    text = open(os.path.join(D, "run.txt")).read()
    for k in ("packets", "wire_bytes", "packets_per_read"):
        assert k in text
    assert (
        f"{r['total']['packets']:,}" in text
        and r["result"][0] in text
        and r["host"]["cpu"] in text
        and "latency_50_ns" not in text
    )


def kernel_counts_that_are_not_told():
    """Counts that no kernel reports are null, and empty in CSV; never 0."""
    r = measured("untold", "-i", "synth:count=1000", "-t", "1", formats=("json", "csv", "txt"))
    for row in r["rows"] + [r["total"]]:
        assert [row[k] for k in ("kernel_received", "kernel_dropped", "interface_dropped")] == [
            None
        ] * 3, row
        assert row["lost"] == 0 and row["filtered"] == 0, row
    assert all(x["kernel_dropped"] == "" for x in table(os.path.join(D, "untold.csv")))


def text_on_stdout_and_more_words():
    p = bench(
        "--interface",
        "synth",
        "--time",
        "0.3",
        "--count-only",
        "--processing-threads",
        "auto",
        "--buffer-size",
        "64K",
        "--snapshot-length",
        "2000",
        code=(0, SMALL),
    )
    assert "packets/s" in p.stderr
    assert (
        re.search(r"^total\s", p.stdout, re.M)
        and re.search(r"count_only\s+yes", p.stdout)
        and "buffer_bytes" in p.stdout
    )


def counting_only():
    r = measured_until(
        lambda r: r["total"]["packets"], "count", "-i", "synth:size=64", "-c", "-p", "3"
    )
    run_is_sound(r)
    assert (
        any("-p changes nothing" in n for n in r["notes"])
        and r["options"]["flows"] == "no"
        and r["findings"]["workers"] == 0
        and r["total"]["packets"] > 0
    )


def workers_that_drop():
    r = measured_until(
        lambda r: r["total"]["ring_full"],
        "drop",
        "-i",
        "synth:flows=1",
        "-p",
        "1",
        "--ring",
        "64",
        "--overload",
        "drop",
        "--block-size",
        "256K",
    )
    run_is_sound(r)
    assert (
        r["total"]["ring_full"] > 0
        and r["total"]["loss"] > 0
        and r["findings"]["workers"] == 1
        and r["options"]["overload"] == "drop"
    ), r["total"]


def a_signal_ends_it():
    path = os.path.join(D, "stopped.json")
    with Running([BENCH, "-i", "synth:rate=10000", "-t", "3600", "--output", path]) as p:
        p.wait_for_message(r"[1-9][\d,]* packets/s")
        code = p.end()[2]
    r = json.load(open(path))
    run_is_sound(r)
    assert (
        code == (0 if r["judged"] else SMALL)
        and 0 < r["total"]["seconds"] < 3600
        and r["total"]["packets"] > 0
        and r["options"]["seconds"] == 3600
    )


def odd_bytes_in_a_result():
    path = os.path.join(D, "odd.json")
    name = os.fsencode(os.path.join(D, "x")) + b'\xff\x01"\xc3\xa9.sock'
    p = subprocess.run(
        [
            BENCH,
            b"-i",
            b"synth",
            b"-t",
            b"0.05",
            b"-q",
            b"--bpf-device",
            name,
            b"-o",
            os.fsencode(path),
        ],
        capture_output=True,
    )
    assert p.returncode in (0, SMALL) and json.load(open(path, encoding="utf-8"))["options"][
        "bpf_device"
    ].endswith('x\ufffd\x01"\xe9.sock'), p


def not_written():
    """Told before the run, not after it: the time-out is far shorter."""
    p = bench("-i", "synth", "-t", "3600", "-o", "/nowhere/at/all.json", "--quiet", code=1)
    assert "/nowhere/at/all.json" in p.stderr


def sent_to_it(words, path, send, read):
    """The result of a live run inside the namespace, once it has read so many packets."""
    with Running(["ip", "netns", "exec", NS, BENCH, *words, "-t", "3600", "-o", path]) as p:
        table = f"/proc/{p.process.pid}/net/packet"

        def listens():
            if os.readlink(f"/proc/{p.process.pid}/exe") != os.path.realpath(BENCH):
                return False  # ip, still in this namespace
            with open(table) as f:
                sockets = [line.split() for line in f.readlines()[1:]]
            return any(s[5] == "1" for s in sockets)

        p.wait_for("a packet socket", listens)
        send()
        # The lines tell rates of seconds.
        p.wait_for(
            f"{read} packets",
            lambda: (
                sum(map(int, re.findall(r"(\d+) packets/s", p.read_messages().replace(",", ""))))
                >= read * 0.9
            ),
        )
        time.sleep(1)
        assert p.end()[2] in (0, SMALL), p.read_messages()
    with open(path) as f:
        return json.load(f)


def live_on_a_veth():
    if sys.platform != "linux" or os.geteuid() or not shutil.which("ip"):
        raise Skip("needs root, Linux, iproute2")
    if subprocess.run(["ip", "netns", "add", NS], capture_output=True).returncode:
        raise Skip("no network namespaces")
    try:
        inside = ["ip", "netns", "exec", NS]
        subprocess.run(
            [
                *inside,
                "sysctl",
                "-qw",
                "net.ipv6.conf.all.disable_ipv6=1",
                "net.ipv6.conf.default.disable_ipv6=1",
            ],
            check=True,
        )
        for c in (
            "link add va type veth peer name vb",
            "link set va up",
            "link set vb up",
            "link set lo up",
        ):
            subprocess.run(["ip", "-n", NS, *c.split()], check=True)
        path = os.path.join(D, "live.json")
        words = [
            "-i",
            "vb",
            "--filter",
            "udp dst port 9",
            "-s",
            "60",
            "-B",
            "16M",
            "--promiscuous",
            "--read-mode",
            "latency",
            "--no-flows",
            "-p",
            "1",
        ]

        def send():
            for kind in ("plain", "mixed"):  # to port 9, and to others
                sender.send(NS, "va", 2000, NS, "vb", kind)

        r = sent_to_it(words, path, send, 2000)
        run_is_sound(r)
        t = r["total"]
        n = t["packets"]
        assert (
            n > 0
            and n + t["kernel_dropped"] == t["kernel_received"] == 2000
            and t["captured_bytes"] == 60 * n
            and t["wire_bytes"] == 100 * n
            and t["lost"] == t["kernel_dropped"]
        ), t
        assert (
            t["latency_samples"] == n
            and t["latency_early"] == 0
            and 0 < t["latency_max_ns"]
            and 0 < t["fill"] <= 1
            and t["reads"] > 0
        ), t
        assert (
            r["findings"]["linktype"] == "EN10MB"
            and r["options"]["read_mode"] == "latency"
            and r["options"]["snaplen"] == 60
        )
        code = "import socket\ns = socket.socket(2, 2)\n"
        code += "for i in range(300): s.sendto(b'x' * 58, ('127.0.0.1', 9999))"
        r = sent_to_it(
            ["-i", "lo", "--no-latency"],
            path,
            lambda: subprocess.run([*inside, sys.executable, "-c", code], check=True),
            300,
        )
        run_is_sound(r)
        assert (
            r["total"]["delivered"] >= 300
            and r["total"]["latency_samples"] is None
            and any("--no-latency" in n for n in r["notes"])
        ), r["total"]
    finally:
        subprocess.run(["ip", "netns", "del", NS], capture_output=True)


def a_served_bpf_device():
    options = ["--read-mode", "paced", "--read-interval", "0.002"]
    if not NODE or os.geteuid() or not os.path.exists("/dev/fuse"):
        raise Skip("needs root, /dev/fuse, libfuse3")
    for abi, words in (("macos", options), ("freebsd", []), ("openbsd", ["-c"])):
        d = tempfile.mkdtemp(dir=D)
        node = subprocess.Popen(
            [
                NODE,
                d,
                "--abi",
                abi,
                "--synth",
                "flows=10,count=8000",
                "--rate",
                "8000",
                "--patient",
                "--at-end",
                "remove",
                "--end-wait",
                "0.3",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert "ready" in node.stderr.readline()
            path = os.path.join(D, f"node-{abi}.json")
            p = subprocess.run(
                [
                    BENCH,
                    "-i",
                    "bpf:en0",
                    "--bpf-abi",
                    abi,
                    "--bpf-device",
                    d + "/bpf",
                    "-t",
                    "3600",
                    "-q",
                    "-o",
                    path,
                    *words,
                ],
                capture_output=True,
                text=True,
                timeout=600,
            )
        finally:
            node.terminate()
            node.communicate(timeout=600)
        r = json.load(open(path))
        run_is_sound(r)
        t = r["total"]
        assert (
            p.returncode in (0, 1, SMALL)
            and t["packets"] == 8000
            and t["reads"] > 0
            and t["block_capacity"] % t["reads"] == 0
            and 0 < t["fill"] < 1
        ), (p, t)
        assert (
            t["latency_samples"] == t["delivered"]
            and t["latency_50_ns"] > 0
            and (abi != "macos" or t["empty_reads"] >= 0)
        ), t
        assert r["options"]["bpf_abi"] == abi and ("read_interval_ns" in r["options"]) == (
            abi == "macos"
        )


def no_rights():
    if sys.platform != "linux" or os.geteuid() or not shutil.which("setpriv"):
        raise Skip("needs root, Linux, setpriv")
    before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
    p = subprocess.run([*before, BENCH, "-i", "lo", "-t", "1"], capture_output=True, text=True)
    if p.returncode in (126, 127):
        raise Skip("nobody may not run the program where it lies")
    assert p.returncode == 3 and "sudo" in p.stderr, p
    p = subprocess.run(
        [*before, BENCH, "loop", "-t", "0.05", "--rate-from", "1k", "--rate-to", "1k", "-q"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert p.returncode in (0, SMALL) or (p.returncode == 3 and "sudo" in p.stderr), p


def every_option_is_tried():
    paths = (os.path.join(HERE, name) for name in ("bpfbench.py", "bpfbench_kinds.py"))
    tests = "".join(open(path).read() for path in paths)
    for option in ask(OPTIONS):
        tried = [name for name in option.names if re.search(rf'"{re.escape(name)}["=]', tests)]
        assert tried, f"{option.names} is used by no test"
        for name in option.names:
            assert name in tried or name.startswith("--"), f"{name} is used by no test"


run_cases(
    wrong_usage,
    help_and_version,
    a_run_balances,
    kernel_counts_that_are_not_told,
    text_on_stdout_and_more_words,
    counting_only,
    workers_that_drop,
    a_signal_ends_it,
    odd_bytes_in_a_result,
    not_written,
    live_on_a_veth,
    a_served_bpf_device,
    no_rights,
    every_option_is_tried,
)
