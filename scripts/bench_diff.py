#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench_diff.py OLD.json NEW.json | OLD.json... -- NEW.json...: two results of bpfbench,
compared with their noise.

For each figure that both have: the medians, the quartiles between which half of the measurements
lie, and the ratio new to old; "within noise" where those ranges meet.  The measurements of a
figure are a run's seconds, a comparison's rounds, a stage's rounds; and where several files are
given for a side, theirs together.  A figure with one measurement a side has no noise that could
be known: its ratio is given and marked "one measurement".  --strict: exits 1 if any figure is
worse and not within noise."""

import argparse, json, math, sys

WORSE_IF_MORE = {
    "cpu_ns_per_packet",
    "wall_ns_per_packet",
    "latency_50_ns",
    "latency_99_ns",
    "latency_max_ns",
    "loss",
    "ns_per_packet",
    "cycles_per_packet",
}
WORSE_IF_LESS = {"packets_per_second", "highest_rate_without_loss"}
FIGURES = (
    "packets_per_second",
    "packets_per_read",
    "fill",
    "loss",
    "cpu_ns_per_packet",
    "wall_ns_per_packet",
    "latency_50_ns",
    "latency_99_ns",
)
KEYS = {
    "run": (),
    "sweep": ("filter", "mode", "buffer_bytes", "frame_bytes", "workers", "rate"),
    "compare": ("what",),
    "stages": ("stage", "layout", "backend"),
    "loop": (),
}
SHOWN = {
    "compare": (
        "cpu_ns_per_packet",
        "wall_ns_per_packet",
        "loss",
        "latency_50_ns",
        "latency_99_ns",
    ),
    "sweep": ("loss", "cpu_ns_per_packet", "latency_50_ns"),
}


def quantile(values, part):
    place = part * (len(values) - 1)
    k = int(place)
    return (
        values[k] + (place - k) * (values[k + 1] - values[k]) if k + 1 < len(values) else values[k]
    )


def load(path):
    try:
        with open(path) as f:
            result = json.load(f)
    except (OSError, ValueError) as e:
        sys.exit(f"bench_diff: {path}: {e}")
    if not isinstance(result, dict) or result.get("schema") != "bpfbench.result/1":
        sys.exit(f"bench_diff: {path} is no result of bpfbench (-o FILE.json)")
    return result


def with_cpu(row):
    if row.get("user_ns_per_packet") is not None:
        row["cpu_ns_per_packet"] = row["user_ns_per_packet"] + row["system_ns_per_packet"]
    return row


def measurements(results):
    """{(key, figure): (values, quartiles or None)}; stages bring their quartiles along."""
    kind, out = results[0]["kind"], {}
    for r in results:
        if kind == "loop":
            v = r["findings"].get("highest_rate_without_loss")
            if v is not None:
                out.setdefault(((), "highest_rate_without_loss"), ([], []))[0].append(v)
            continue
        for row in r["rows"]:
            key = tuple(row[k] for k in KEYS[kind])
            if kind == "stages":
                values, ranges = out.setdefault((key, "ns_per_packet"), ([], []))
                values.append(row["ns_per_packet"])
                if row["rounds"] > 1:
                    ranges.append((row["ns_quarter"], row["ns_three_quarters"]))
                continue
            for figure in SHOWN.get(kind, FIGURES):
                v = with_cpu(row).get(figure)
                if v is not None:
                    out.setdefault((key, figure), ([], []))[0].append(v)
    return out


def summary(values, ranges):
    values = sorted(values)
    if ranges:
        return quantile(values, 0.5), min(a for a, _ in ranges), max(b for _, b in ranges), True
    return quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75), len(values) > 1


def verdict(figure, old, new):
    (a, a_low, a_high, a_known), (b, b_low, b_high, b_known) = old, new
    ratio = b / a if a else (1.0 if b == a else math.inf)
    if a == b:
        return ratio, "the same", False
    worse = figure in (WORSE_IF_MORE if b > a else WORSE_IF_LESS)
    neither = figure not in WORSE_IF_MORE | WORSE_IF_LESS
    word = ("more" if b > a else "less") if neither else "worse" if worse else "better"
    if not (a_known and b_known):
        return ratio, f"{word}, one measurement", False
    if a_low <= b_high and b_low <= a_high:
        return ratio, "within noise", False
    return ratio, word, worse


def main():
    words, two = sys.argv[1:], None
    if "--" in words:
        two = (
            [w for w in words[: words.index("--")] if w != "--strict"],
            [w for w in words[words.index("--") + 1 :] if w != "--strict"],
        )
    p = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        usage="%(prog)s [--strict] OLD.json NEW.json | OLD.json... -- NEW.json...",
    )
    p.add_argument("files", nargs="+")
    p.add_argument(
        "--strict", action="store_true", help="exit 1 if any figure is worse and not within noise"
    )
    a = p.parse_args(words)
    if two is None:
        if len(a.files) != 2:
            p.error("two files, or several on each side of --")
        two = a.files[:1], a.files[1:]
    if not all(two):
        p.error("files are wanted on both sides of --")
    old, new = ([load(path) for path in side] for side in two)
    kinds = {r["kind"] for r in old + new}
    if len(kinds) > 1:
        sys.exit(f"bench_diff: results of different kinds: {', '.join(sorted(kinds))}")
    for title in ("host", "options"):
        for k in sorted(set(old[0][title]) | set(new[0][title])):
            x, y = old[0][title].get(k), new[0][title].get(k)
            if x != y and k not in ("time", "load"):
                print(f"{title} {k}: {x} before, {y} now")
    was, is_now = measurements(old), measurements(new)
    both = [k for k in was if k in is_now]
    if not both:
        sys.exit("bench_diff: the two have no figure in common")
    width = max(len(" ".join(map(str, key)) + " " + figure) for key, figure in both)
    worse = 0
    print(
        f"{'':{width}s}  {'before':>12s} {'quartiles':>23s}  {'now':>12s} {'quartiles':>23s}  ratio"
    )
    for key, figure in both:
        x, y = summary(*was[key, figure]), summary(*is_now[key, figure])
        ratio, text, bad = verdict(figure, x, y)
        worse += bad
        span = lambda s: f"{s[1]:.5g}..{s[2]:.5g}" if s[3] else "-"
        print(
            f"{(' '.join(map(str, key)) + ' ' + figure).strip():{width}s}  {x[0]:12.5g} {span(x):>23s}  {y[0]:12.5g} {span(y):>23s}  {ratio:5.3f}  {text}"
        )
    for key, figure in sorted((k for k in set(was) ^ set(is_now)), key=str):
        print(
            f"only {'before' if (key, figure) in was else 'now'}: {' '.join(map(str, key))} {figure}"
        )
    print(f"{len(both)} figures, {worse} worse beyond noise")
    sys.exit(1 if a.strict and worse else 0)


main()
