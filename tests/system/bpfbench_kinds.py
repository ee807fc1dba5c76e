#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bpfbench_kinds.py BPFBENCH LIBPCAP OPTIONS: sweep, stages, loop and compare of bpfbench.

A case that needs root, namespaces or a browser is skipped by name where these are missing.
"""

import json
import math
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET

from bench_runs import BENCH, HAVE_PCAP, TOP, D, Skip
from bench_runs import agree, bench, measured, measured_until, run_cases, sound

DIFF = os.path.join(TOP, "scripts/bench_diff.py")
pair_works = None


def pair():
    """Whether a pair can be made here: asked once."""
    global pair_works
    if pair_works is None:
        p = subprocess.run(
            [
                BENCH,
                "loop",
                "-t",
                "0.05",
                "--rate-from",
                "1k",
                "--rate-to",
                "1k",
                "--steps",
                "0",
                "-q",
            ],
            capture_output=True,
            text=True,
            timeout=600,
        )
        pair_works = p.returncode not in (3, 4)
        if not pair_works:
            assert "pair" in p.stderr, p.stderr
    if not pair_works:
        raise Skip("no pair of interfaces can be made here")


def figure(text):
    """The number behind a figure for people."""
    return int(text.replace(",", ""))


def page_is_sound(path, r):
    """Well-formed, nothing fetched, and its numbers are the result's."""
    text = open(path).read()
    root = ET.fromstring(text)
    html, svg = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
    assert (
        root.tag == html + "html"
        and not root.findall(".//" + html + "script")
        and not re.search(r"(?:src|href|url\()", text)
    ), "the page fetches something"
    rows = root.findall(f".//{html}tbody/{html}tr")
    names = [h.text for h in root.findall(f".//{html}th")]
    assert len(rows) == len(r["rows"])
    for row, j in zip(rows, r["rows"]):
        cells = dict(zip(names, (c.text or "" for c in row)))
        assert (
            figure(cells["packets"]) == j["packets"]
            and figure(cells["lost"]) == j["lost"]
            and cells["filter"] == j["filter"]
            and figure(cells["buffer_bytes"]) == j["buffer_bytes"]
        ), (cells, j)
        assert (row.get("class") == "lossy") == (j["lost"] > 0)
    plots = root.findall(".//" + svg + "svg")
    groups = {(j["filter"], j["frame_bytes"]) for j in r["rows"] if j["loss"] is not None}
    assert [p.get("class") for p in plots].count("plot loss") == len(groups), [
        p.get("class") for p in plots
    ]
    cases = {}
    for j in r["rows"]:
        if j["loss"] is not None:
            key = tuple(
                j[k] for k in ("filter", "frame_bytes", "mode", "workers", "buffer_bytes", "rate")
            )
            cases.setdefault(key, []).append(100 * j["loss"])
    expected = sorted((min(v), statistics.median(v), max(v)) for v in cases.values())
    points = [g for p in plots if "loss" in p.get("class") for g in p.findall(f".//{svg}g")]
    got = sorted(tuple(float(g.get("data-" + k)) for k in ("least", "y", "most")) for g in points)
    assert len(got) == len(expected) and all(
        math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-9)
        for x, y in zip(got, expected)
        for a, b in zip(x, y)
    ), (got, expected)
    for g in points:
        bars = [e for e in g.findall(svg + "path") if e.get("class").startswith("bar")]
        assert len(bars) == ("rounds" in g.find(svg + "title").text), "a bar where rounds differ"
    bars = sum(e.get("class").startswith("bar") for g in points for e in g.findall(svg + "path"))
    assert bars == sum(len(v) > 1 for v in cases.values()), "a case without packets has no loss"
    begins = [
        p
        for p in plots
        if p.get("class") == "plot loss"
        and any(l.get("class") == "begins" for l in p.findall(".//" + svg + "line"))
    ]
    assert len(begins) == len({(j["filter"], j["frame_bytes"]) for j in r["rows"] if j["lost"]}), (
        "where loss begins"
    )


def sweep_of_generated_traffic():
    words = [
        "--sweep",
        "-i",
        "synth:flows=50",
        "--buffers",
        "16K,1M",
        "--modes",
        "auto,paced",
        "--sizes",
        "64,1000",
        "--filters",
        "none;tcp[13] & 2 <= 5",
        "--workers",
        "0,1",
        "--rates",
        "100k,max",
        "--ring",
        "256",
        "--overload",
        "drop",
        "--rounds",
        "2",
    ]
    r = measured_until(
        lambda r: sum(j["packets"] > 0 for j in r["rows"]) > 64,
        "sweep",
        *words,
        seconds=0.05,
        formats=("json", "csv", "html", "txt"),
    )
    cases = {
        (j["filter"], j["mode"], j["buffer_bytes"], j["frame_bytes"], j["workers"], j["rate"])
        for j in r["rows"]
    }
    assert len(r["rows"]) == 2 * len(cases) == 2**7, len(cases)
    assert len(r["verdicts"]) == 2**5, "one for each setting but the rate"
    for j in r["rows"]:
        sound(j)
        assert j["packets"] == j["delivered"] + j["dropped"], j
        assert j["block_capacity"] == j["reads"] * j["buffer_bytes"], j
    assert r["findings"]["cases"] == len(cases) and r["findings"]["runs"] == len(r["rows"])
    assert r["findings"]["runs_with_loss"] == sum(j["lost"] > 0 for j in r["rows"])
    assert sum(j["packets"] > 0 for j in r["rows"]) > 64, "most cases saw packets"
    assert any("read modes" in n for n in r["notes"])
    agree(os.path.join(D, "sweep.csv"), r["rows"])
    page_is_sound(os.path.join(D, "sweep.html"), r)


def sweep_on_a_pair():
    pair()
    r = measured_until(
        lambda r: all(j["arrived"] for j in r["rows"]),
        "pair",
        "--sweep",
        "-i",
        "pair",
        "--buffers",
        "64K,4M",
        "--sizes",
        "200",
        "--filters",
        "none;udp port 9;tcp",
        "--workers",
        "0",
        "--rates",
        "5k,20k",
        "--rounds",
        "1",
        seconds=0.2,
        formats=("json", "html"),
    )
    assert len(r["rows"]) == 12
    for j in r["rows"]:
        sound(j)
        assert (
            j["sent"] >= j["arrived"] > 0
            and j["packets"] == j["delivered"] + j["dropped"]
            and j["frame_bytes"] == 200
            and j["sent"] <= j["rate"] * r["options"]["seconds"] + 1
        ), j
        if j["filter"] == "tcp":
            assert j["packets"] == 0
        else:
            assert (
                j["delivered"] + j["lost"] == j["sent"] and j["wire_bytes"] == 200 * j["packets"]
            ), j
    page_is_sound(os.path.join(D, "pair.html"), r)


def stages():
    r = measured(
        "stages",
        "stages",
        "-i",
        "synth:flows=20,size=200",
        "--rounds",
        "4",
        "--packets",
        "3000",
        "--block-size",
        "64K",
        formats=("json", "csv", "txt"),
    )
    layouts = ["macos", "freebsd", "netbsd", "openbsd"]
    assert [x["layout"] for x in r["rows"] if x["stage"] == "memcpy"] == layouts
    by = {(x["stage"], x["layout"], x["backend"]): x for x in r["rows"]}
    assert len(by) == len(r["rows"])
    backends = {x["backend"] for x in r["rows"] if x["stage"] == "parse"}
    assert "scalar" in backends
    for l in layouts:
        for s in ("walk", "hash", "ring", "flow"):
            assert (s, l, "") in by, s
        for s in ("parse", "pipeline"):
            assert {b for (x, y, b) in by if (x, y) == (s, l)} == backends, (s, l)
        assert by["memcpy", l, ""]["to_memcpy"] == 1
    assert len({by["walk", l, ""]["bytes"] for l in layouts}) >= 3, "the layouts' headers differ"
    for x in r["rows"]:
        assert (
            0
            < x["ns_least"]
            <= x["ns_quarter"]
            <= x["ns_per_packet"]
            <= x["ns_three_quarters"]
            <= x["ns_most"]
            and x["rounds"] == 4
            and x["packets"] == 3000
        ), x
        assert math.isclose(
            x["bytes_per_second"],
            x["bytes"] / x["packets"] / x["ns_per_packet"] * 1e9,
            rel_tol=1e-6,
        )
        assert math.isclose(
            x["to_memcpy"],
            x["ns_per_packet"] / by["memcpy", x["layout"], ""]["ns_per_packet"],
            rel_tol=1e-6,
        )
        assert x["cycles_per_packet"] is None or x["cycles_per_packet"] > 0, x
        assert (x["cycles_per_packet"] is None) == (
            r["findings"]["cycles"].startswith("absent") or x["stage"] == "ring, two threads"
        ), x
    assert any(n.startswith("sink: left out") for n in r["notes"])
    agree(os.path.join(D, "stages.csv"), r["rows"])
    r = measured("some", "stages", "--stages", "walk,hash", "--rounds", "1", "--packets", "1024")
    assert {x["stage"] for x in r["rows"]} == {"memcpy", "walk", "hash"}


def the_loop():
    pair()
    r = measured(
        "loop",
        "loop",
        "-t",
        "0.5",
        "--rate-from",
        "2k",
        "--rate-to",
        "16k",
        "--steps",
        "2",
        "--sizes",
        "128",
        "-B",
        "256K",
        "-p",
        "0",
        "-c",
        formats=("json", "csv"),
    )
    rows, f = r["rows"], r["findings"]
    assert (
        [x["rate"] for x in rows if x["what"] == "ramp"][:1] == [2000]
        and max(x["rate"] for x in rows) <= 16000
        and len(rows) <= 12
    )
    for x in rows:
        sound(x)
        assert (
            x["frame_bytes"] == 128
            and x["sent"] <= x["rate"] * 0.5 + 1
            and x["delivered"] <= x["sent"]
            and x["buffer_bytes"] == 256 << 10
        ), x
    best = f["highest_rate_without_loss"]
    if f["confirmed"] == "yes" and r["judged"]:
        last = [x for x in rows if x["what"] == "confirm"][-1]
        assert (
            (last["rate"] == best or (f["limited_by_sender"] == "yes" and best < last["rate"]))
            and last["sent"] == last["delivered"] > 0
            and last["lost"] == 0
        ), last
        worse = [x["rate"] for x in rows if x["sent"] > x["delivered"]]
        assert not worse or best <= max(worse), (best, worse)
    else:
        assert best is None
    agree(os.path.join(D, "loop.csv"), rows)


def a_loop_that_is_too_short():
    """The buffer takes all that is sent: no reader could lose it, and no rate is claimed."""
    pair()
    words = ("loop", "-t", "0.1", "--rate-from", "2k", "--rate-to", "4k", "--steps", "0")
    r = measured("short_loop", *words, "-B", "16M", "-p", "0")
    if any(x["sent"] != x["delivered"] or not x["sent"] for x in r["rows"]):
        return  # a machine that is busy enough loses frames before the buffer
    assert not r["judged"], r["verdicts"]
    assert r["findings"]["highest_rate_without_loss"] is None
    assert "fill the buffer" in r["verdicts"][0]["because"], r["verdicts"]
    assert r["verdicts"][0]["seconds_wanted"] > 0.1


def savefile(path, n):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i in range(n):
            p = (
                b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0"
                + struct.pack(
                    ">BBHHHBBH4s4s",
                    0x45,
                    0,
                    86,
                    i & 0xFFFF,
                    0,
                    64,
                    17,
                    0,
                    bytes([10, 77, i % 7, 1]),
                    bytes([10, 77, 0, 2]),
                )
                + struct.pack(">HHHH", 5000 + i % 50, 9 + i % 2, 66, 0)
                + bytes(58)
            )
            f.write(struct.pack("<IIII", 1700000000 + i // 1000, i % 1000, len(p), len(p)) + p)
    return path


def compare_a_file():
    path = savefile(os.path.join(D, "x.pcap"), 20000)
    if not HAVE_PCAP:
        assert "built without libpcap" in bench("compare", "-r", path, code=1).stderr
        return
    r = measured(
        "compare",
        "compare",
        "-r",
        path,
        "--rounds",
        "3",
        "-f",
        "udp dst port 9",
        formats=("json", "csv"),
    )
    names = {x["what"] for x in r["rows"]}
    assert {
        "bpfengine, count only",
        "bpfengine, parsed",
        "bpfengine, flows and statistics",
        "libpcap, pcap_dispatch",
        "libpcap, pcap_next_ex",
    } <= names, names
    assert ("tcpdump --count" in names) == (shutil.which("tcpdump") is not None) or any(
        "tcpdump" in n for n in r["notes"]
    )
    for name in names:
        assert [x["round"] for x in r["rows"] if x["what"] == name] == [1, 2, 3], name
    for x in r["rows"]:
        assert (
            x["packets"] == x["delivered"] == 10000
            and x["wall_ns_per_packet"] > 0
            and (x["reads"] is None) == (not x["what"].startswith("bpfengine"))
        ), x
    assert {x["wire_bytes"] for x in r["rows"] if x["what"] != "tcpdump --count"} == {1000000}
    assert r["findings"]["same_packets"] == "yes" and re.match(
        r"libpcap version \d", r["host"]["libpcap"]
    )
    agree(os.path.join(D, "compare.csv"), r["rows"])
    assert (
        len(
            {
                x["what"]
                for x in measured("short", "compare", "--read", path, "-c", "--rounds", "1")["rows"]
            }
            & names
        )
        >= 3
    )
    assert "x.nothing" in bench("compare", "-r", "x.nothing", code=4).stderr


def compare_live():
    if not HAVE_PCAP:
        raise Skip("built without libpcap")
    pair()
    r = measured_until(
        lambda r: all(x["sent"] > 1000 and x["delivered"] for x in r["rows"]),
        "both",
        "compare",
        "-i",
        "pair",
        "--rounds",
        "2",
        "--rates",
        "10k",
        "--sizes",
        "100",
    )
    assert len(r["rows"]) == 4 and {x["what"] for x in r["rows"]} == {
        "bpfengine, flows and statistics",
        "libpcap, pcap_dispatch",
    }
    for x in r["rows"]:
        assert (
            x["sent"] > 1000
            and x["delivered"] + x["lost"] == x["sent"]
            and x["wire_bytes"] == 100 * x["packets"]
            and x["buffer_bytes"] == 16 << 20
        ), x
        assert x["latency_samples"] == x["delivered"] and x["latency_50_ns"] > 0
    assert any("who opens first" in n for n in r["notes"])


def results_compared():
    def diff(*words):
        return subprocess.run([sys.executable, DIFF, *words], capture_output=True, text=True)

    measured("run", "-i", "synth:flows=100,seed=3", "-t", "1", formats=("json", "csv"))
    measured("count", "-i", "synth:size=64", "-t", "0.5", "-c", "-p", "3")
    path = os.path.join(D, "stages.json")
    p = diff("--strict", path, path)
    assert p.returncode == 0 and ", 0 worse beyond noise" in p.stdout and "the same" in p.stdout, p
    r = json.load(open(path))
    for x in r["rows"]:
        factor = 3 if (x["stage"], x["layout"]) == ("walk", "macos") else 1.0001
        for k in x:
            if k.startswith("ns_"):
                x[k] *= factor
    r["rows"] = [x for x in r["rows"] if x["stage"] != "ring"]
    for x in r["rows"]:  # so that the change is beyond what this noisy machine did
        if (x["stage"], x["layout"]) == ("walk", "macos"):
            x["ns_quarter"], x["ns_three_quarters"] = x["ns_most"] * 10, x["ns_most"] * 12
        if (x["stage"], x["layout"]) == ("walk", "macos"):
            x["ns_per_packet"] = x["ns_most"] * 11
    r["host"]["revision"] = "another"
    other = os.path.join(D, "other.json")
    json.dump(r, open(other, "w"))
    p = diff("--strict", path, other)
    assert (
        p.returncode == 1
        and ", 1 worse beyond noise" in p.stdout
        and re.search(r"^walk macos .* worse$", p.stdout, re.M)
        and "within noise" in p.stdout
    ), p.stdout
    assert "host revision" in p.stdout and "only before: ring macos" in p.stdout
    assert diff(path, other).returncode == 0 and re.search(
        r"^walk macos .* better$", diff(other, path).stdout, re.M
    )
    for name, words in (("run", []), ("count", ["-c"])):
        measured(name, "-i", "synth", "-t", "0.1", *words, formats=("json", "csv"))
    p = diff(path, path, "--", path, other)
    assert p.returncode == 0 and re.search(r"\d+ figures, 0 worse", p.stdout), p
    assert (
        "different kinds" in diff(path, os.path.join(D, "run.json")).stderr
        and "run.csv" in diff(path, os.path.join(D, "run.csv")).stderr
    )
    assert diff(path).returncode == 2
    p = diff(os.path.join(D, "run.json"), os.path.join(D, "count.json"))
    assert p.returncode == 0 and "packets_per_second" in p.stdout and "option" in p.stdout, p


run_cases(
    sweep_of_generated_traffic,
    sweep_on_a_pair,
    stages,
    the_loop,
    a_loop_that_is_too_short,
    compare_a_file,
    compare_live,
    results_compared,
)
