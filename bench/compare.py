#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py PROGRAM FILE... [--peers DIR] [--rounds N] [--core N]: reading savefiles, beside
peers, in one run.

Every contender counts or meters the same file from the page cache, pinned to one core, in turn,
so that noise falls on all alike.  Prints medians of wall and CPU seconds, million packets/s, peak
memory, and the ratio to the first contender; then the goals (by the file's name: small64, imix,
manyflows) and whether they were met in this run. Peers that are not installed are left out, by
name.  --peers DIR: where `typical` and `flowlimit` lie (their own timing, a run in each round).
"""

import argparse, json, os, re, resource, shutil, statistics, subprocess, sys, tempfile, time

OURS = "bpfengine, flows and statistics"
PAIR = "bpfengine, 1 worker (2 cores)"
METERS = ("softflowd", "nfpcapd", "argus")
LIMIT = "flowlimit: count, file mapped anew, table of huge pages"
GOALS = {
    "small64": {"tcpdump --count": 1.7, "meters": 12},
    "imix": {"tcpdump --count": 1.2},
    "manyflows": {"tcpdump --count": 0.7, "meters": 30},
}


def contenders(program):
    yield "tcpdump --count", ["tcpdump", "-nn", "--count", "-r", "{f}"]
    yield "tcpdump -w", ["tcpdump", "-r", "{f}", "-w", "/dev/null"]
    yield OURS, [program, "-r", "{f}", "-q", "--json"]
    yield "bpfengine, no flows", [program, "-r", "{f}", "-q", "--json", "--no-flows"]
    yield "bpfengine, no TCP health", [program, "-r", "{f}", "-q", "--json", "--no-tcp-health"]
    yield (
        "bpfengine, and records as JSON",
        [program, "-r", "{f}", "-q", "--json", "--flows", "/dev/null"],
    )
    yield PAIR, [program, "-r", "{f}", "-q", "--json", "--workers", "1"]
    yield (
        "softflowd",
        [
            "softflowd",
            "-6",
            "-d",
            "-r",
            "{f}",
            "-m",
            "4000000",
            "-v",
            "9",
            "-p",
            "{o}/pid",
            "-c",
            "none",
        ],
    )
    yield "nfpcapd", ["nfpcapd", "-r", "{f}", "-w", "{o}", "-t", "3600"]
    yield "argus", ["argus", "-X", "-r", "{f}", "-w", "/dev/null"]


def once(command, cores):
    def pin():
        os.sched_setaffinity(0, cores)

    start = time.monotonic()
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=pin,
    )
    _, status, usage = os.wait4(child.pid, 0)
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, status


def packets_of(program, path):
    out = subprocess.run(
        [program, "-r", path, "-q", "--json"], capture_output=True, text=True, check=True
    ).stdout
    report = json.loads(out)
    return report["packets"]["read"], report["flows"]


def peers(directory, path, core, rows):
    """One run of each of the programs in directory: their rows, in ns/packet."""
    for name in ("typical", "flowlimit"):
        program = os.path.join(directory, name)
        if not os.access(program, os.X_OK):
            continue
        slots = ["23"] if name == "flowlimit" and "manyflows" in path else []
        text = subprocess.run(
            ["taskset", "-c", str(core), program, path, "1"] + slots, capture_output=True, text=True
        ).stdout
        for m in re.finditer(r"^(.*?)\s+([\d.]+) ns med.*$", text, re.M):
            rows.setdefault(f"{name}: {m[1].strip()}", []).append(float(m[2]))


def goals(path, median, limit_ns, packets):
    """What is asked of the rates, and what they are by the medians of wall and of CPU seconds:
    on a shared machine the latter are the steadier."""
    asked = next((g for word, g in GOALS.items() if word in os.path.basename(path)), {})
    meters, told = [n for n in METERS if n in median], []
    if "tcpdump --count" in asked and "tcpdump --count" in median:
        told.append(("times tcpdump --count's rate", "tcpdump --count", asked["tcpdump --count"]))
    if "meters" in asked and meters:
        best = min(meters, key=lambda n: median[n])
        told.append((f"times the fastest flow meter's ({best})", best, asked["meters"]))
    for what, peer, want in told:
        wall, cpu = (median[peer][k] / median[OURS][k] for k in (0, 1))
        print(
            f"  goal: at least {want:g} {what}: {wall:.2f} ({cpu:.2f} by CPU time), {'met' if wall >= want else 'MISSED'}"
        )
    if asked and PAIR in median:
        got = median[OURS][0] / median[PAIR][0]
        print(
            f"  goal: at least 1.5 times one thread's rate with two cores: {got:.2f}, {'met' if got >= 1.5 else 'MISSED'}"
        )
    if asked and limit_ns:
        got = median[OURS][0] / packets * 1e9 / limit_ns
        print(
            f"  goal: at most 1.6 times flowlimit's time: {got:.2f}, {'met' if got <= 1.6 else 'MISSED'}"
        )


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
        print(
            f"{os.path.basename(path)}: {packets} packets, {flows['opened']} flows opened, {flows['peak']} at most at a time"
        )
        rows = []
        for name, words in contenders(a.program):
            if shutil.which(words[0]):
                rows.append((name, words, []))
            else:
                print(f"  ({name}: not installed)")
        with tempfile.TemporaryDirectory(
            dir="/dev/shm" if os.path.isdir("/dev/shm") else None
        ) as out:
            theirs = {}
            for _ in range(a.rounds):
                if a.peers:
                    peers(a.peers, path, a.core, theirs)
                for name, words, runs in rows:
                    cores = (
                        {a.core, (a.core + 1) % os.cpu_count()} if "2 cores" in name else {a.core}
                    )
                    runs.append(once([w.format(f=path, o=out) for w in words], cores))
        first, median = None, {}
        print(
            f"  {'':34s} {'wall s':>8s} {'CPU s':>8s} {'M/s':>8s} {'ns/packet':>10s} {'MB peak':>8s} {'ratio':>7s}"
        )
        for name, _, runs in rows:
            if any(r[3] for r in runs):
                print(f"  {name:34s} failed (status {runs[0][3]})")
                continue
            wall, cpu, mb = (statistics.median(r[k] for r in runs) for k in range(3))
            first = first or wall
            median[name] = wall, cpu
            print(
                f"  {name:34s} {wall:8.3f} {cpu:8.3f} {packets / wall / 1e6:8.2f} {wall / packets * 1e9:10.2f} {mb:8.1f} {first / wall:7.2f}"
            )
            if name == OURS:
                peak = max(flows["peak"], 1)
                print(
                    f"  {'':34s} memory beyond 64 MiB: {max(0, mb - 64) * 1048576 / peak:.0f} bytes per flow alive at the peak"
                )
        for name, ns in theirs.items():
            ns = statistics.median(ns)
            print(f"  {name:52s} {ns:8.2f} ns/packet {1e3 / ns:8.2f} M/s")
        if OURS in median:
            goals(
                path, median, statistics.median(theirs[LIMIT]) if LIMIT in theirs else None, packets
            )


main()
