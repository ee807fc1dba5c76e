#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tcp_truth.py PROGRAM [CONVERSATIONS [SEED]] [--keep FILE]: thousands of simulated TCP
conversations (tcpsim.py) through `bpfengine -r`.  Each flow record must agree with the
conversation: packets, bytes, times, direction, state, conn_state, history, handshake, MSS, window
scale and all counts of TCP health.

The file is read with 0 and 2 workers.  EXPLAINED lists the differences allowed, by the events of a
conversation, with the reason.  A reason that no conversation needs is a failure, too.  Without a
seed: three fixed seeds.  --keep FILE: the savefile and FILE.json with the truth stay there."""

import collections
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import tcpsim

CONVERSATIONS, SEEDS, TIMEOUT_S = 3000, (1, 2, 3), 200
EXPLAINED = {
    "fast retransmission far from its sender, no handshake seen": (
        ("fast_retransmissions",),
        "how far the sender is was not seen, so 20 ms are the limit, as in Wireshark; it is counted as a "
        "retransmission all the same",
    ),
    "two holes at a time, filled soon": (
        ("out_of_order", "retransmissions", "history"),
        "one hole is remembered, the latest: what fills the earlier one is taken for a retransmission",
    ),
}


def flags_of(text):
    return sum(
        {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32, "E": 64, "W": 128}[letter]
        for letter in text
    )


def records(program, path, workers):
    """{ends: [record, in the order of their first packets]}"""
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as out:
        run = subprocess.run(
            [
                program,
                "-r",
                path,
                "--flows",
                out.name,
                "--flow-idle",
                "1000000",
                "--flow-closed",
                "1000000",
                "--max-flows",
                "8000000",
                "--seed",
                "1",
                "--workers",
                str(workers),
                "--quiet",
                "--json",
            ],
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
            text=True,
        )
        if run.returncode or "Sanitizer" in run.stderr or "runtime error" in run.stderr:
            raise ValueError(f"exit code {run.returncode}: {run.stderr[:1000]}")
        flows = collections.defaultdict(list)
        for line in out:
            record = json.loads(line)
            record["first_ns"], record["duration_ns"] = (
                nanoseconds(field, line) for field in ("first", "duration")
            )
            flows[
                tuple(sorted([(record["src"], record["sport"]), (record["dst"], record["dport"])]))
            ].append(record)
    for list_ in flows.values():
        list_.sort(key=lambda x: x["first_ns"])
    return flows, json.loads(run.stdout)


def nanoseconds(field, line):
    text = line.split(f'"{field}":', 1)[1].split(",", 1)[0]
    seconds, fraction = text.split(".")
    return int(seconds) * 1000000000 + int(fraction)


def address(c, end):
    host = [c.number >> 16 & 255, c.number >> 8 & 255, c.number & 255]
    if c.version == 4:
        return ".".join(map(str, [172 if end else 10] + host))
    return (
        f"2001:db8::{end + 1:x}" + f"{host[0]:02x}:{host[1] << 8 | host[2]:x}"
        if host[0]
        else f"2001:db8::{end + 1:x}00:{host[1] << 8 | host[2]:x}"
    )


def near(got, want):
    return got is not None and abs(got * 1e9 - want) <= want / 1024 + 2


def differences(c, r):
    """[(field, what the record says, truth)]"""
    t, found = c.truth, []

    def same(field, got, want):
        if got != want:
            found.append((field, got, want))

    same("originator", (r["src"], r["sport"]), (address(c, 0), c.ports[0]))
    same("vlan", r.get("vlan", []), c.vlans)
    same("first", r["first_ns"], t.first)
    same("duration", r["duration_ns"], t.last - t.first)
    same("packets", r["packets"], t.packets)
    same("wire_bytes", r["wire_bytes"], t.wire)
    same("captured_bytes", r["captured_bytes"], t.captured)
    same("tcp_flags", [flags_of(f) for f in r["tcp_flags"]], t.flags)
    same("tcp_state", r["tcp_state"], t.state)
    same("midstream", r["midstream"], t.midstream)
    same("history", r["history"], t.history)
    if t.conn_state:
        same("conn_state", r["conn_state"], t.conn_state)
    same("mss", r.get("mss", [0, 0]), t.mss)
    same("window_scale", r.get("window_scale", [-1, -1]), t.scale)
    for field, want in zip(("client_rtt", "server_rtt"), t.handshake):
        if want is None:
            same(field, r.get(field), None)
        elif want != "any" and not near(r.get(field), want):
            found.append((field, r.get(field), want / 1e9))
    for name in tcpsim.COUNTS:
        same(name, r.get(name, [0, 0]), t.counts[name])
    same("cut", r.get("cut"), None)
    return found


def main():
    arguments, keep = sys.argv[1:], None
    if "--keep" in arguments:
        at = arguments.index("--keep")
        keep, arguments = arguments[at + 1], arguments[:at] + arguments[at + 2 :]
    if not arguments:
        sys.exit(__doc__)
    program, n = (
        os.path.abspath(arguments[0]),
        int(arguments[1]) if len(arguments) > 1 else CONVERSATIONS,
    )
    seeds = [int(arguments[2])] if len(arguments) > 2 else SEEDS
    failed = total = packets = 0
    fates, used, shown = collections.Counter(), collections.Counter(), 0
    with tempfile.TemporaryDirectory() as d:
        for seed in seeds:
            made = tcpsim.conversations(n, seed)
            path = keep or os.path.join(d, "tcp.pcap")
            packets += tcpsim.write(path, made)
            if keep:
                with open(keep + ".json", "w", encoding="utf-8") as out:
                    for c in made:
                        out.write(
                            json.dumps(
                                {
                                    "ends": [f"{address(c, k)} {c.ports[k]}" for k in (0, 1)],
                                    **{k: v for k, v in vars(c.truth).items() if k != "seen"},
                                }
                            )
                            + "\n"
                        )
            for c in made:
                fates.update({name: sum(v) for name, v in c.truth.counts.items()})
            for workers in (0, 2):
                flows, report = records(program, path, workers)
                if sum(map(len, flows.values())) != len(made) or report["flows"]["evicted"]:
                    print(
                        f"seed {seed}: {sum(map(len, flows.values()))} records of {len(made)} conversations"
                    )
                    failed += 1
                for c in sorted(made, key=lambda c: c.truth.first):
                    total += 1
                    ends = tuple(sorted((address(c, k), c.ports[k]) for k in (0, 1)))
                    got = flows[ends].pop(0) if flows[ends] else None
                    wrong = differences(c, got) if got else [("record", None, "one")]
                    for tag in c.truth.tags:
                        if tag in EXPLAINED and any(w[0] in EXPLAINED[tag][0] for w in wrong):
                            wrong = [w for w in wrong if w[0] not in EXPLAINED[tag][0]]
                            used[tag] += 1
                    failed += bool(wrong)
                    if wrong and shown < 20:
                        shown += 1
                        print(
                            f"seed {seed}, {workers} workers, conversation {c.number} {c.truth.tags}: "
                            + "; ".join(f"{f} {g!r}, truth {w!r}" for f, g, w in wrong)
                        )
    for tag, (fields, reason) in EXPLAINED.items():
        print(f"explained: {used[tag]} of them, {tag} ({', '.join(fields)}): {reason}")
        failed += not used[tag]
    print(f"{packets} packets; in truth: " + ", ".join(f"{v} {k}" for k, v in fates.items()))
    print(f"{total - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
