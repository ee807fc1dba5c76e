#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""soak.py PROGRAM SOAK_TRAFFIC [SCALE]: tens of millions of packets through the program, in each
of the ways in which a flow table may go wrong.

Each run is watched.  Resident memory is sampled over the program's CPU time.  Memory must not grow
once the table is full, nor pass the bound.  The counts must balance at the end: packets read =
delivered + dropped, flows opened = active + ended + evicted, evicted = the sum of the reasons.
SCALE: factor of the packets (1; a build with sanitizers has less time).

The secret of the hash is the same in every run.  With a random secret, a bucket's neighbours are
full by chance in a run of some hundred, and a flow is evicted for a collision."""

import json
import os
import subprocess
import sys
import tempfile
import time

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1048576
SEED = "20"


def resident_bytes(pid):
    """Returns the resident memory of a process; 0 once the process is gone."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def cpu_seconds(pid):
    """Returns the CPU time of a process, which other processes do not advance, unlike the clock."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Run:
    """A run of the program, with the report and samples of memory over CPU time."""

    def __init__(self, program, source, options, feed=None):
        feeder = subprocess.Popen(feed, stdout=subprocess.PIPE) if feed else None
        out = tempfile.TemporaryFile(
            "w+"
        )  # no pipe, since nothing reads while the child is watched
        child = subprocess.Popen(
            [program, *source, "--quiet", "--json", *options],
            stdin=feeder.stdout if feeder else subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if feeder:
            feeder.stdout.close()
        samples = []
        while child.poll() is None:
            samples.append((cpu_seconds(child.pid), resident_bytes(child.pid)))
            time.sleep(0.02)
        out.seek(0)
        text = out.read()
        self.code, self.samples, self.took = (
            child.returncode,
            [s for s in samples if s[1]],
            max((s[0] for s in samples), default=0),
        )
        if feeder and feeder.wait():
            raise ValueError("the program that makes the traffic failed")
        if self.code or "Sanitizer" in text:
            raise ValueError(f"exit code {self.code}: {text[:2000]}")
        self.report = json.loads(text)
        self.flows, self.packets = self.report["flows"], self.report["packets"]

    def peak(self, begin=0.0, end=1.0):
        """Returns the most resident memory between two parts of the CPU time."""
        part = [rss for at, rss in self.samples if begin * self.took <= at <= end * self.took]
        return max(part) if part else 0

    def wrong_counts(self):
        """Returns the counts that do not balance, as texts."""
        f, p = self.flows, self.packets
        wrong = []
        if (
            p["read"] != p["delivered"] + sum(p["dropped"].values()) + p["in_flight"]
            or p["in_flight"]
        ):
            wrong.append(f"packets {p}")
        if f["opened"] != f["active"] + f["ended"] + f["evicted"] or f["evicted"] != sum(
            f["evicted_by"].values()
        ):
            wrong.append(f"flows {f}")
        return wrong


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, traffic = map(os.path.abspath, sys.argv[1:3])
    scale = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    checked = scale >= 0.5  # memory of a build with sanitizers is no measure
    failed = total = packets = 0

    def soak(name, source, options, feed=None, more=lambda r: [], flat=True, spare=2):
        nonlocal failed, total, packets
        total += 1
        if "--seed" not in options:
            options = [*options, "--seed", SEED]
        try:
            r = Run(program, source, options, feed)
            wrong = r.wrong_counts() + more(r)
            early, late = r.peak(0, 0.5), r.peak(0.5, 1)
            if flat and checked and r.took > 0.5 and early and late > early * 1.03 + spare * MIB:
                wrong.append(
                    f"memory grew from {early / MIB:.1f} to {late / MIB:.1f} MiB in the second half"
                )
            packets += r.packets["read"]
            f = r.flows
            verdict = "good" if not wrong else "WRONG: " + "; ".join(wrong)
            print(
                f"{name}: {r.packets['read'] / 1e6:.1f} million packets in {r.took:.1f} s of CPU, "
                f"{f['opened']} flows opened, {f['active']} active, {f['ended']} ended, "
                f"{f['evicted']} evicted, peak {f['peak']}, "
                f"{early / MIB:.0f} and {late / MIB:.0f} MiB: {verdict}",
                flush=True,
            )
            failed += bool(wrong)
            return r
        except (ValueError, OSError) as e:
            failed += 1
            print(f"{name}: {e}", flush=True)
            return None

    def synth(count, more=""):
        return ["-i", f"synth:count={int(count * scale)},size=60{more}"]

    print(f"seed {SEED} where no other is named")
    short = ["--flow-idle", "4", "--flow-closed", "1", "--flow-active", "3"]
    short += ["--flows", os.devnull]
    plain = soak("no flows", synth(2e6), ["--no-flows"])
    base = plain.peak() if plain else 64 * MIB
    soak("churn, one thread", synth(8e6, ",flows=20000"), short + ["--workers", "0"])
    soak("churn, 2 workers", synth(6e6, ",flows=20000,seed=2"), short + ["--workers", "2"])

    def bounded(r):
        return (
            []
            if r.flows["peak"] <= 50000 and r.flows["evicted"] > 10000 * scale
            else [f"peak {r.flows['peak']}, evicted {r.flows['evicted']}"]
        )

    for workers in ("0", "2"):
        soak(
            f"--max-flows 50000 of 200,000, {workers} workers",
            synth(4e6, ",flows=200000"),
            ["--max-flows", "50000", "--workers", workers],
            more=bounded,
        )

    def in_bytes(r):
        wrong = [] if r.flows["bytes"] <= 24 * MIB else [f"{r.flows['bytes']} bytes in tables"]
        if checked and r.peak() > base + (24 + 8) * MIB:
            wrong.append(f"{r.peak() / MIB:.1f} MiB resident, {base / MIB:.1f} without flows")
        return wrong

    soak(
        "--flow-memory 24M of 300,000",
        synth(4e6, ",flows=300000"),
        ["--flow-memory", "24M", "--workers", "0"],
        more=in_bytes,
    )

    hostile = soak(
        "colliding hashes",
        ["-r", "-"],
        ["--seed", "7", "--workers", "0"],
        [traffic, "collide", str(int(4e6 * scale)), "7"],
        flat=False,
    )
    honest = soak(
        "the same, another seed",
        ["-r", "-"],
        ["--seed", "8", "--workers", "0"],
        [traffic, "collide", str(int(4e6 * scale)), "7"],
        flat=False,
        more=lambda r: (
            []
            if not r.flows["evicted"] and r.flows["opened"] == r.flows["active"]
            else ["flows were evicted"]
        ),
    )
    if hostile and honest:
        print(
            f"colliding hashes take {hostile.took:.2f} s of CPU, the other seed {honest.took:.2f} s, "
            f"{hostile.flows['evicted_by']['crowded']} flows crowded out"
        )
        total += 1
        if hostile.took > 20 * honest.took + 5:
            failed += 1
            print("WRONG: an attacker who knows the seed stops the table")

    def survive(r):
        wrong = (
            []
            if not r.flows["evicted_by"]["alive"]
            and not r.flows["evicted_by"]["crowded"]
            and r.flows["peak"] <= 50000
            else [f"evicted {r.flows['evicted_by']}"]
        )
        alive = [
            f for f in r.report["top_flows"] if f["src"].startswith("10.0.") and f["sport"] == 5000
        ]
        each = {f["packets"][0] + f["packets"][1] for f in alive}
        want = 3 + r_count // 8 // 1000
        if len(alive) != 1000 or not each <= {want, want + 1}:
            wrong.append(
                f"{len(alive)} of 1,000 connections are alive, "
                f"with {sorted(each)[:3]} packets each instead of {want}"
            )
        return wrong

    r_count = int(6e6 * scale)
    for workers in ("0", "2"):
        soak(
            f"a flood of SYNs, {workers} workers",
            ["-r", "-"],
            ["--max-flows", "50000", "--largest", "1000", "--workers", workers],
            [traffic, "flood", str(r_count)],
            more=survive,
            spare=2 + 3 * 2,  # the report's 1,000 flows of 2.6 KB, as records and as text
        )
    print(f"{packets / 1e6:.1f} million packets")
    print(f"{total - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
