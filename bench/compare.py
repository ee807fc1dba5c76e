#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py PROGRAM FILE... [options]: reading savefiles, beside peers, in one run.

Every contender counts or meters the same file from the page cache, pinned to a CPU, in turn, so
that noise falls on all alike.  The script prints the CPU, the kernel, the compiler and the kernels
in use; then, for each file, medians of wall and CPU time, their spread, and the rate beside the
first contender's.  Then come the goals, by the file's name (small64, imix, manyflows, uniform),
and whether this run met them.  Peers that are not installed are left out, by name.

--cpu N        the CPU to use; a contender of two CPUs has the next one, too
--rounds N     how often all run; the slow flow meters run in the first --meter-rounds only
--nfpcapd P    another nfpcapd, perhaps a newer one; may be given several times
--limit P      bench_limit of this build: the least cost of counting flows, by its own timing
--peers DIR    where other such programs lie, flowlimit and typical: a run in each round
--kernels LIST rows with these kernels of a build of all kernels, for example sse42,avx2
--only RE      only contenders that match; --without RE: all others
--add FILE     adds the rounds to FILE and prints medians of all rounds in it
--markdown     prints a table for a text
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

COUNT = "tcpdump --count"
OURS = "bpfengine, everything on"
HEALTHLESS = "bpfengine --no-tcp-health"
FLOWLESS = "bpfengine --no-flows"
PAIR = "bpfengine --workers 1 (two CPUs)"
HASHED = ("limit: parse and hash, mapped already", "flowlimit: parse + hash, mapped already")
LIMIT = (
    "limit: count, mapped anew",
    "flowlimit: count, file mapped anew, table of huge pages",
)
GOALS = {"small64": 1.7, "imix": 1.5, "manyflows": 0.9, "uniform": 1.2}
METERS = ("nfpcapd", "softflowd", "argus")


def list_contenders(arguments):
    """Yields each contender's name and its command; {f} is the file, {o} a folder for output."""
    ours = [arguments.program, "-r", "{f}", "-q", "--json"]
    yield COUNT, ["tcpdump", "-nn", "--count", "-r", "{f}"]
    yield "tcpdump -w", ["tcpdump", "-r", "{f}", "-w", "/dev/null"]
    yield OURS, ours
    yield HEALTHLESS, [*ours, "--no-tcp-health"]
    yield FLOWLESS, [*ours, "--no-flows"]
    yield "bpfengine --flows /dev/null", [*ours, "--flows", "/dev/null"]
    yield PAIR, [*ours, "--workers", "1"]
    for kernels in filter(None, arguments.kernels.split(",")):
        yield f"bpfengine, kernels {kernels}", ["env", f"BPFENGINE_ARCH={kernels}", *ours]
    for program in [*arguments.nfpcapd, "nfpcapd"]:
        yield name_nfpcapd(program), [program, "-r", "{f}", "-w", "{o}", "-t", "3600"]
    softflowd = "softflowd -6 -d -r {f} -m 4000000 -v 9 -p {o}/pid -c none"
    yield "softflowd", softflowd.split()
    yield "argus", ["argus", "-X", "-r", "{f}", "-w", "/dev/null"]


def name_nfpcapd(program):
    """nfpcapd and its version."""
    if not shutil.which(program):
        return program
    done = subprocess.run([program, "-V"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+\.\d+\.\d+)", done.stdout + done.stderr)
    return f"nfpcapd {found[1]}" if found else program


def describe_machine(program):
    """The CPU by name, family and model, the kernel, and how the program was built."""
    cpu = {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            cpu = dict(re.findall(r"^([^\t:]+?)\s*: (.*)$", file.read(), re.M))
    except OSError:
        pass
    flags = cpu.get("flags", cpu.get("Features", "")).split()
    wide = next((f for f in ("avx512f", "avx2", "sse4_2", "asimd") if f in flags), "no vectors")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    yield (
        f"CPU: {cpu.get('model name', platform.processor() or platform.machine())}, family "
        f"{cpu.get('cpu family', '?')}, model {cpu.get('model', '?')}, {wide}, "
        f"{os.cpu_count()} CPUs{', virtual' if 'hypervisor' in flags else ''}"
    )
    yield f"kernel: {platform.system()} {platform.release()}"
    yield f"program: {version.stdout.strip()}"


def run_pinned(command, cpus):
    """Runs a command. Returns wall and CPU seconds, MiB of memory at the peak, and the status."""

    def pin():
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, cpus)

    start = time.monotonic()
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=pin,
    )
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, status


def run_limits(arguments, path, flows):
    """Runs each of the programs of --peers once. Returns their rows, in ns a packet."""
    rows = {}
    for name in ("typical", "flowlimit"):
        program = os.path.join(arguments.peers, name)
        if not os.access(program, os.X_OK):
            continue
        slots = [str((2 * flows - 1).bit_length())] if name == "flowlimit" else []
        done = subprocess.run(
            ["taskset", "-c", str(arguments.cpu), program, path, "1", *slots],
            capture_output=True,
            text=True,
            check=False,
        )
        for m in re.finditer(r"^(.*?)\s+([\d.]+) ns med.*$", done.stdout, re.M):
            rows[f"{name}: {m[1].strip()}"] = float(m[2])
    return rows


def run_limit(arguments, path, flows):
    """Runs bench_limit. Returns the medians of its rows, in ns a packet."""
    done = subprocess.run(
        ["taskset", "-c", str(arguments.cpu), arguments.limit, path, str(flows)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"^(.{46}) +([\d.]+) +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+$", done.stdout, re.M)
    return {f"limit: {name.strip()}": float(ns) for name, ns in found}


def keep_limits(found, rows):
    """Appends rows of ns a packet to found."""
    for name, ns in rows.items():
        found.setdefault("limits", {}).setdefault(name, []).append(ns)


def run_rounds(arguments, path, flows, found):
    """Runs all contenders in turn and appends what they took to found."""
    chosen = []
    for name, words in list_contenders(arguments):
        if not re.search(arguments.only, name):
            continue
        if arguments.without and re.search(arguments.without, name):
            continue
        if shutil.which(words[0]):
            chosen.append((name, words))
        else:
            print(f"  ({name}: not installed)")
    if arguments.limit:
        keep_limits(found, run_limit(arguments, path, flows))
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as out:
        for r in range(arguments.rounds):
            if arguments.peers:
                keep_limits(found, run_limits(arguments, path, flows))
            for name, words in chosen:
                if r >= arguments.meter_rounds and name.startswith(METERS):
                    continue
                cpus = {arguments.cpu}
                if "two CPUs" in name:
                    cpus.add((arguments.cpu + 1) % os.cpu_count())
                command = [w.format(f=path, o=out) for w in words]
                found.setdefault("runs", {}).setdefault(name, []).append(run_pinned(command, cpus))


def print_rows(found, markdown):
    """Prints the table. Returns the median ns a packet of each row."""
    packets, first, median = found["packets"], None, {}
    line = "  {:52s} {:>8s} {:>15s} {:>8s} {:>8s} {:>8s} {:>7s} {:>4s}"
    if markdown:
        line = "| {} | {} | {} | {} | {} | {} | {} | {} |"
    print(line.format("", "ns", "least to most", "CPU ns", "M/s", "MiB", "ratio", "runs"))
    if markdown:
        print("|---" * 8 + "|")
    for name, runs in found.get("runs", {}).items():
        if any(r[3] for r in runs):
            print(f"  {name}: failed (status {runs[0][3]})")
            continue
        ns = sorted(r[0] / packets * 1e9 for r in runs)
        cpu, mib = (statistics.median(r[k] for r in runs) for k in (1, 2))
        median[name] = statistics.median(ns)
        first = first or median[name]
        cells = (
            f"{median[name]:.1f}",
            f"{ns[0]:.1f} to {ns[-1]:.1f}",
            f"{cpu / packets * 1e9:.1f}",
        )
        rate = (f"{1e3 / median[name]:.2f}", f"{mib:.0f}", f"{first / median[name]:.2f}")
        print(line.format(name, *cells, *rate, str(len(runs))))
    for name, runs in found.get("limits", {}).items():
        ns = median[name] = statistics.median(runs)
        cells = (f"{ns:.1f}", f"{min(runs):.1f} to {max(runs):.1f}", "", f"{1e3 / ns:.2f}", "")
        print(line.format(name, *cells, f"{first / ns:.2f}" if first else "", str(len(runs))))
    return median


def print_goal(what, got, want, at_most=False):
    """Prints a goal and whether it was met."""
    met = got <= want if at_most else got >= want
    bound = "at most" if at_most else "at least"
    print(f"  goal: {what}: {got:.2f}, {bound} {want:g}: {'met' if met else 'MISSED'}")


def print_goals(path, found, median):
    """Prints what is asked of the rates, and what they are by the medians."""
    asked = next((g for w, g in GOALS.items() if w in os.path.basename(path)), None)
    if OURS not in median:
        return
    ours = median[OURS]
    if COUNT in median and asked:
        print_goal("rate over tcpdump --count's", median[COUNT] / ours, asked)
        pairs = zip(found["runs"][COUNT], found["runs"][OURS])
        rounds = sorted(theirs[0] / mine[0] for theirs, mine in pairs)
        print(f"    in single rounds: {rounds[0]:.2f} to {rounds[-1]:.2f}")
    newest = max((n for n in median if n.startswith("nfpcapd ")), default=None, key=version_of)
    if newest:
        print_goal(f"rate over {newest}'s", median[newest] / ours, 12)
    if HEALTHLESS in median:
        print_goal("TCP health, ns a packet", ours - median[HEALTHLESS], 10, at_most=True)
    if PAIR in median:
        print_goal("rate with a worker over one thread's", ours / median[PAIR], 1.5)
    limit = next((median[name] for name in LIMIT if name in median), None)
    if limit:
        print_goal("time over the bare limit's", ours / limit, 1.6, at_most=True)
    hashed = next((median[name] for name in HASHED if name in median), None)
    if hashed and FLOWLESS in median:
        got = median[FLOWLESS] / hashed
        print_goal("no flows, over the limit's parse and hash", got, 1.15, at_most=True)


def version_of(name):
    """A version as numbers, to compare."""
    return [int(n) for n in re.findall(r"\d+", name)]


def compare_file(arguments, path, kept):
    """Measures a file and prints its table and goals."""
    found = kept.setdefault(os.path.basename(path), {})
    if "packets" not in found:
        done = subprocess.run(
            [arguments.program, "-r", path, "-q", "--json", "--max-flows", "10000000"],
            capture_output=True,
            text=True,
            check=True,
        )
        report = json.loads(done.stdout)
        found["packets"] = report["packets"]["read"]
        found["flows"] = report["flows"]["opened"]
    run_rounds(arguments, path, found["flows"], found)
    print(f"{os.path.basename(path)}: {found['packets']} packets, {found['flows']} flows")
    print_goals(path, found, print_rows(found, arguments.markdown))


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("program")
    p.add_argument("files", nargs="+")
    p.add_argument("--peers")
    p.add_argument("--limit")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--meter-rounds", type=int, default=3)
    p.add_argument("--cpu", type=int, default=0)
    p.add_argument("--nfpcapd", action="append", default=[])
    p.add_argument("--kernels", default="")
    p.add_argument("--only", default="")
    p.add_argument("--without", default="")
    p.add_argument("--add")
    p.add_argument("--markdown", action="store_true")
    arguments = p.parse_args()
    kept = {}
    if arguments.add and os.path.exists(arguments.add):
        with open(arguments.add, encoding="utf-8") as file:
            kept = json.load(file)
    for line in describe_machine(arguments.program):
        print(line)
    for path in arguments.files:
        compare_file(arguments, path, kept)
        sys.stdout.flush()
    if arguments.add:
        with open(arguments.add, "w", encoding="utf-8") as file:
            json.dump(kept, file)


main()
