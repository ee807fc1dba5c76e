#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""node.py PROGRAM LATENCY BPFNODE [--abi NAME]: the read modes against each other over real
system calls, on a served node.

Idle: 100 packets a second, time from stamp to delivery.  Ramp: offered rates, loss by the node's
own count, CPU a packet.  Modes in turn, medians of the rounds.  The node's own work (FUSE, its
model of the driver) is in all of them alike."""

import argparse, json, os, statistics, subprocess, tempfile

MODES = ("auto", "throughput", "latency", "paced")


def run(node, words, spec, rate, abi, directory):
    served = subprocess.Popen(
        [
            node,
            directory,
            "--abi",
            abi,
            "--synth",
            spec,
            "--rate",
            str(rate),
            "--at-end",
            "remove",
            "--end-wait",
            "0.3",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "ready" in served.stderr.readline()
    out = subprocess.run(words, capture_output=True, text=True).stdout
    served.terminate()
    return json.loads(out), json.loads(served.communicate()[0])


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("program"), p.add_argument("latency"), p.add_argument("node")
    p.add_argument("--abi", default="macos")
    p.add_argument("--rounds", type=int, default=3)
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as d:
        print(
            f"{a.abi}: idle, 100 packets a second: microseconds from stamp to delivery (medians of {a.rounds} rounds)"
        )
        results = {m: [] for m in MODES}
        for _ in range(a.rounds):
            for k, m in enumerate(MODES):
                words = [
                    a.latency,
                    "-i",
                    "bpf:en0",
                    "-a",
                    a.abi,
                    "-d",
                    d + "/bpf",
                    "-m",
                    str(k),
                    "-t",
                    "3.6",
                ]
                results[m].append(run(a.node, words, "flows=10,count=300", 100, a.abi, d)[0]["us"])
        for m in MODES:
            print(
                f"  {m:12s} "
                + "  ".join(
                    f"{q} {statistics.median(r[q] for r in results[m]):9.1f}"
                    for q in ("min", "50", "99", "max")
                )
            )
        print(
            "ramp: part lost, by the node's count; CPU ns a packet of the program (flows and statistics on)"
        )
        for rate in (100000, 300000, 1000000, 0):
            line = f"  {rate or 'all':>9} packets/s "
            for m in MODES:
                lost, cpu = [], []
                for _ in range(a.rounds):
                    words = [
                        "/usr/bin/env",
                        a.program,
                        "-i",
                        "bpf:en0",
                        "--bpf-abi",
                        a.abi,
                        "--bpf-device",
                        d + "/bpf",
                        "--json",
                        "--read-mode",
                        m,
                    ]
                    before = os.times()
                    _, report = run(
                        a.node,
                        words,
                        "flows=1000,size=imix,count=1000000"
                        if rate > 200000 or not rate
                        else "flows=1000,size=imix,count=200000",
                        rate,
                        a.abi,
                        d,
                    )
                    after = os.times()
                    lost.append(report["dropped"] / report["fed"])
                    cpu.append(
                        (
                            after.children_user
                            + after.children_system
                            - before.children_user
                            - before.children_system
                        )
                        / report["fed"]
                        * 1e9
                    )
                line += (
                    f" {m}: {statistics.median(lost) * 100:6.2f}% {statistics.median(cpu):6.0f} ns"
                )
            print(line)


main()
