#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py PROGRAM FILE... [--peers DIR] [--rounds N] [--core N]: reading savefiles, beside peers, in one run.

Every contender counts or meters the same file from the page cache, pinned to one core, in turn, so that noise falls on all
alike.  Prints medians of wall and CPU seconds, million packets/s, peak memory, and the ratio to the first contender.
Peers that are not installed are left out, by name.  --peers DIR: where `typical` and `flowlimit` lie (their own timing).
"""
import argparse, json, os, re, resource, shutil, statistics, subprocess, sys, tempfile, time

OURS = "bpfengine, flows and statistics"


def contenders(program):
    yield "tcpdump --count", ["tcpdump", "-nn", "--count", "-r", "{f}"]
    yield "tcpdump -w", ["tcpdump", "-r", "{f}", "-w", "/dev/null"]
    yield OURS, [program, "-r", "{f}", "-q", "--json"]
    yield "bpfengine, no flows", [program, "-r", "{f}", "-q", "--json", "--no-flows"]
    yield "bpfengine, 1 worker (2 cores)", [program, "-r", "{f}", "-q", "--json", "--workers", "1"]
    yield "softflowd", ["softflowd", "-6", "-d", "-r", "{f}", "-m", "4000000", "-v", "9", "-p", "{o}/pid", "-c", "none"]
    yield "nfpcapd", ["nfpcapd", "-r", "{f}", "-w", "{o}", "-t", "3600"]


def once(command, cores):
    def pin():
        os.sched_setaffinity(0, cores)
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=pin)
    _, status, usage = os.wait4(child.pid, 0)
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, status


def packets_of(program, path):
    out = subprocess.run([program, "-r", path, "-q", "--json"], capture_output=True, text=True, check=True).stdout
    report = json.loads(out)
    return report["packets"]["read"], report["flows"]


def peers(directory, path, core):
    for name, words in (("typical", ["{p}/typical", "{f}", "7"]), ("flowlimit", ["{p}/flowlimit", "{f}", "7"])):
        words = [w.format(p=directory, f=path) for w in words]
        if not os.access(words[0], os.X_OK):
            print(f"  ({name}: not built in {directory})")
            continue
        text = subprocess.run(["taskset", "-c", str(core)] + words, capture_output=True, text=True).stdout
        for line in re.findall(r"^(.*?)\s+([\d.]+) ns med.*$", text, re.M):
            print(f"  {name + ': ' + line[0].strip():52s} {float(line[1]):8.2f} ns/packet {1e3 / float(line[1]):8.2f} M/s")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("program")
    p.add_argument("files", nargs="+")
    p.add_argument("--peers")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--core", type=int, default=0)
    a = p.parse_args()
    for path in a.files:
        packets, flows = packets_of(a.program, path)
        print(f"{os.path.basename(path)}: {packets} packets, {flows['opened']} flows opened, {flows['peak']} at most at a time")
        rows = []
        for name, words in contenders(a.program):
            if shutil.which(words[0]):
                rows.append((name, words, []))
            else:
                print(f"  ({name}: not installed)")
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as out:
            for _ in range(a.rounds):
                for name, words, runs in rows:
                    cores = {a.core, (a.core + 1) % os.cpu_count()} if "2 cores" in name else {a.core}
                    runs.append(once([w.format(f=path, o=out) for w in words], cores))
        first = None
        print(f"  {'':34s} {'wall s':>8s} {'CPU s':>8s} {'M/s':>8s} {'ns/packet':>10s} {'MB peak':>8s} {'ratio':>7s}")
        for name, _, runs in rows:
            if any(r[3] for r in runs):
                print(f"  {name:34s} failed (status {runs[0][3]})")
                continue
            wall, cpu, mb = (statistics.median(r[k] for r in runs) for k in range(3))
            first = first or wall
            print(f"  {name:34s} {wall:8.3f} {cpu:8.3f} {packets / wall / 1e6:8.2f} {wall / packets * 1e9:10.2f} {mb:8.1f} {first / wall:7.2f}")
            if name == OURS:
                peak = max(flows["peak"], 1)
                print(f"  {'':34s} memory beyond 64 MiB: {max(0, mb - 64) * 1048576 / peak:.0f} bytes per flow alive at the peak")
        if a.peers:
            peers(a.peers, path, a.core)


main()
