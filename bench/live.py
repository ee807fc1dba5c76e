#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""live.py PROGRAM SENDER [--rounds N] [--seconds N] [-- WORDS]: live capture beside tcpdump -w,
in turn, over a veth pair in a namespace of its own: loss, and CPU time per packet while packets
come (start and end are told apart).  SENDER is a program called as `SENDER send INTERFACE SECONDS
64` that sends 64-byte frames as fast as it can (the `live` program of the traffic generator's
folder).  WORDS: further words for PROGRAM.  Needs root; sender on core 1, receiver on core 0."""

import argparse, glob, json, os, re, signal, statistics, subprocess, sys, time

from cpu_time import name_cpu

NS = f"bpebench{os.getpid()}"


def sh(command):
    subprocess.run(command.split(), check=True, stdout=subprocess.DEVNULL)


def received():
    return int(
        subprocess.run(
            ["ip", "netns", "exec", NS, "cat", "/sys/class/net/vb/statistics/rx_packets"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )


def ran_seconds(pid):
    """The CPU seconds of a process's threads, in the kernel's own nanoseconds."""
    seconds = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path, encoding="ascii") as file:
            seconds += int(file.read().split()[0]) * 1e-9
    return seconds


def once(command, count, sender, seconds):
    child = subprocess.Popen(
        ["ip", "netns", "exec", NS, "taskset", "-c", "0"] + command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(1.5)
    before = received()
    started = ran_seconds(child.pid)
    subprocess.run(
        ["ip", "netns", "exec", NS, "taskset", "-c", "1", sender, "send", "va", str(seconds), "64"],
        check=True,
        capture_output=True,
    )
    offered = received() - before
    time.sleep(0.5)
    capturing = ran_seconds(child.pid) - started
    child.send_signal(signal.SIGINT)
    out, err = child.stdout.read().decode(), child.stderr.read().decode()
    _, _, usage = os.wait4(child.pid, 0)
    whole = usage.ru_utime + usage.ru_stime
    return offered, count(out, err), capturing, whole - capturing


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("program")
    p.add_argument("sender")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=5)
    p.add_argument("words", nargs="*")
    a = p.parse_args()
    ours = lambda out, err: json.loads(out)["packets"]["delivered"]
    tcpdump = lambda out, err: int(re.search(r"(\d+) packets? captured", err).group(1))
    rows = [
        ("tcpdump -w", ["tcpdump", "-i", "vb", "-w", "/dev/null"], tcpdump, []),
        (
            "bpfengine, flows, 0 workers",
            [a.program, "-i", "vb", "--json", "-q", "--workers", "0"] + a.words,
            ours,
            [],
        ),
        (
            "bpfengine, no flows",
            [a.program, "-i", "vb", "--json", "-q", "--workers", "0", "--no-flows"] + a.words,
            ours,
            [],
        ),
    ]
    sh(f"ip netns add {NS}")
    try:
        sh(
            f"ip netns exec {NS} sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1"
        )
        sh(f"ip -n {NS} link add va type veth peer name vb")
        for dev in ("va", "vb"):
            sh(f"ip -n {NS} link set {dev} up")
        for _ in range(a.rounds):
            for _, command, count, runs in rows:
                runs.append(once(command, count, a.sender, a.seconds))
    finally:
        sh(f"ip netns del {NS}")
    first = None
    print(name_cpu())
    print(
        f"{'receiver':32s} {'offered M/s':>12s} {'lost %':>8s} {'ns CPU/packet':>14s} {'ratio':>6s}"
        f" {'least, most':>17s} {'start, ms':>10s}"
    )
    for name, _, _, runs in rows:
        offered = statistics.median(o for o, _, _, _ in runs) / a.seconds / 1e6
        lost = statistics.median(100 * (1 - g / o) for o, g, _, _ in runs)
        costs = sorted(c / g * 1e9 for _, g, c, _ in runs)
        cost = statistics.median(costs)
        rest = statistics.median(r for _, _, _, r in runs) * 1e3
        first = first or cost
        print(
            f"{name:32s} {offered:12.3f} {lost:8.2f} {cost:14.1f} {cost / first:6.2f}"
            f" {costs[0]:7.1f} to {costs[-1]:5.1f} {rest:10.1f}"
        )


main()
