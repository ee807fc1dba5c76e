#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""screenshot_top.py BUILD FILE.svg: a picture of the live view (--top) from a real run, as an SVG
whose colours follow the reader's light or dark mode.  Wants tmux."""

import html, os, re, subprocess, sys, time

COLUMNS, LINES = 112, 28
CELL, LINE = 8.4, 18  # a monospace font of 14 px
SHOWN = "bpfengine -i synth:rate=20000,flows=60,size=imix,ipv6=30 --top"
SECONDS = 24  # until the picture: history and averages have something to show
WAIT = 120  # seconds for a busy machine
SERVER = ["tmux", "-L", "bpfengine-top", "-f", "/dev/null"]
STYLE = """
svg{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
text{white-space:pre;fill:#1f2328}.frame{fill:#fff;stroke:#d0d7de}.cursor{fill:#1f2328}
.reverse{fill:#fff}.bold{font-weight:700}.red{fill:#cf222e}.green{fill:#1a7f37}
.line{stroke:#1f2328}.title{fill:#59636e}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.frame{fill:#0d1117;stroke:#3d444d}
.cursor{fill:#e6edf3}.reverse{fill:#0d1117}.red{fill:#ff7b72}.green{fill:#3fb950}
.line{stroke:#e6edf3}.title{fill:#9198a1}}
"""


def capture():
    """The screen with its escape sequences."""
    return subprocess.run(
        [*SERVER, "capture-pane", "-p", "-e", "-N", "-t", "shot"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def keys(*words):
    subprocess.run([*SERVER, "send-keys", "-t", "shot", *words], check=True)


def until(pattern):
    """Waits until the screen shows the pattern."""
    end = time.monotonic() + WAIT
    while not re.search(pattern, re.sub(r"\x1b\[[0-9;]*m", "", capture()), re.M):
        if time.monotonic() > end:
            sys.exit(f"screenshot_top: nothing on the screen matches {pattern}:\n{capture()}")
        time.sleep(0.2)


def run(build):
    """Runs the program in a terminal and returns the screen."""
    command = SHOWN.replace("bpfengine", build + "/src/bpfengine", 1)
    size = ["-x", str(COLUMNS), "-y", str(LINES)]
    env = [
        part
        for pair in (("LC_ALL", "C.UTF-8"), ("NO_COLOR", ""))
        for part in ("-e", "=".join(pair))
    ]
    subprocess.run([*SERVER, "new-session", "-d", "-s", "shot", *size, *env, command], check=True)
    try:
        until("^originator ")
        time.sleep(SECONDS)
        keys("Down", "Down")
        until(r"^flows by rate +3/")
        until(r"^Chosen +.*peak")
        return capture()
    finally:
        subprocess.run([*SERVER, "kill-server"], check=False)


def pieces(line):
    """Yields (text, names of its attributes) of a line with escape sequences."""
    state = set()
    names = {"1": "bold", "4": "line", "7": "reverse", "31": "red", "32": "green"}
    ends = {"22": {"bold"}, "24": {"line"}, "27": {"reverse"}, "39": {"red", "green"}}
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if not part.startswith("\x1b"):
            if part:
                yield part, frozenset(state)
            continue
        for code in part[2:-1].split(";"):
            if code in ("", "0"):
                state.clear()
            elif code in names:
                state.add(names[code])
            else:
                state -= ends.get(code, set())


def draw(screen):
    """The SVG of a screen: each piece of a line is placed by its cell, whatever the font."""
    width, height = COLUMNS * CELL + 24, LINES * LINE + 44
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{html.escape(SHOWN)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="frame" x=".5" y=".5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8"/>',
        f'<text class="title" x="12" y="22">$ {html.escape(SHOWN)}</text>',
    ]
    for row, line in enumerate(screen.split("\n")[:LINES]):
        column, top = 0, 34 + row * LINE
        for text, state in pieces(line):
            x, cells = 12 + column * CELL, len(text)
            column += cells
            if "reverse" in state:
                out.append(
                    f'<rect class="cursor" x="{x:.1f}" y="{top}" width="{cells * CELL:.1f}" height="{LINE}"/>'
                )
            if "line" in state:
                out.append(f'<path class="line" d="M{x:.1f} {top + LINE - 1}h{cells * CELL:.1f}"/>')
            for word in re.finditer(r"\S+(?: \S+)*", text):
                names = " ".join(sorted(state - {"line"}))
                at, length = x + word.start() * CELL, len(word.group()) * CELL
                out.append(
                    f'<text x="{at:.1f}" y="{top + 13}" textLength="{length:.1f}"'
                    + (f' class="{names}"' if names else "")
                    + f">{html.escape(word.group())}</text>"
                )
    return "\n".join([*out, "</svg>"]) + "\n"


def picture(build, to):
    """Makes the picture from a run of the program in the build folder."""
    screen = run(os.path.abspath(build))
    with open(to, "w", encoding="utf-8") as f:
        f.write(draw(screen))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    picture(sys.argv[1], sys.argv[2])
