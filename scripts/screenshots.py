#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""screenshots.py BUILD [DOCS]: the pictures of README and docs/, from real runs: the live view
(top.svg), the live line and the report (live.svg) and a sweep's page (bench.png).
Wants tmux, Python's rich, Chromium; the sweep makes a pair of interfaces of its own, as root."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import screenshot_top

COLUMNS, LINES = 104, 34


def capture():
    return subprocess.run(
        ["tmux", "-L", "bpfengine", "capture-pane", "-p", "-e", "-t", "shot"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def live(build, to):
    from rich.console import Console
    from rich.text import Text

    shown = "bpfengine -i synth:rate=200000,size=imix,ipv6=0 --duration 5 --largest 4"
    command = shown.replace("bpfengine", build + "/src/bpfengine", 1)
    subprocess.run(
        [
            "tmux",
            "-L",
            "bpfengine",
            "new-session",
            "-d",
            "-s",
            "shot",
            "-x",
            str(COLUMNS),
            "-y",
            str(LINES),
            f"{command}; sleep 30",
        ],
        check=True,
    )
    try:
        time.sleep(3)
        line = next((l for l in capture().splitlines() if "packets/s" in l), "")
        time.sleep(4)
        report = capture().rstrip("\n")
    finally:
        subprocess.run(["tmux", "-L", "bpfengine", "kill-server"], check=False)
    if "packets/s" not in line or "packets read" not in report:
        sys.exit("screenshots: the program did not show what it should: " + line)
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"))
    console.print(Text(f"$ {shown}"))
    console.print(Text("(while it runs)", style="dim"))
    console.print(Text.from_ansi(line))
    console.print(Text("(at its end)", style="dim"))
    console.print(
        Text.from_ansi("\n".join(l for l in report.splitlines() if l.strip() != line.strip()))
    )
    svg = console.export_svg(title="bpfengine")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S).replace(
        "Fira Code, monospace", "monospace"
    )  # nothing is fetched
    with open(to, "w") as f:
        f.write(re.sub(r"<!--.*?-->\s*", "", svg, flags=re.S))


def bench(build, to):
    chromium = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if not chromium:
        sys.exit("screenshots: no Chromium here (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder:
        page = folder + "/sweep.html"
        code = subprocess.run(
            [
                build + "/src/bpfbench",
                "--sweep",
                "-i",
                "pair",
                "-t",
                "1",
                "--buffers",
                "256K,1M,16M",
                "--sizes",
                "64",
                "--workers",
                "0",
                "--rates",
                "50k,100k,200k,400k,max",
                "-o",
                page,
                "-q",
            ],
            check=False,
        ).returncode
        if code not in (0, 5):  # 5: a sample was too small, and the page says so
            sys.exit(f"screenshots: bpfbench ended with {code}")
        subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--hide-scrollbars",
                f"--user-data-dir={folder}/profile",
                "--window-size=1100,640",
                f"--screenshot={os.path.abspath(to)}",
                "file://" + page,
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build, docs = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "docs"
    os.makedirs(docs, exist_ok=True)
    screenshot_top.picture(build, docs + "/top.svg")
    live(build, docs + "/live.svg")
    bench(build, docs + "/bench.png")
    for name in ("top.svg", "live.svg", "bench.png"):
        print(f"{docs}/{name}: {os.path.getsize(docs + '/' + name)} bytes")


if __name__ == "__main__":
    main()
