#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples.py PROGRAM EXAMPLES: the example programs as a user meets them.

Needs no rights.  The last line counts the cases.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from program import Cases, udp, pcap
from progress import Running

EXAMPLES = os.path.abspath(sys.argv[2])
case = Cases()


@case
def examples_show_something():
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(pcap([udp(i) for i in range(5)]))
        f.flush()
        for source, extra in ((f.name, []), ("synth:count=20000", [])):
            p = subprocess.run(
                [EXAMPLES + "/basic_capture", source, "5"],
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert p.returncode == 0 and len(p.stdout.splitlines()) == 5 and " > " in p.stdout, p
            p = subprocess.run(
                [EXAMPLES + "/connection_monitor", source],
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert p.returncode == 0 and "connections:" in p.stdout, p
            p = subprocess.run(
                [EXAMPLES + "/protocol_analyzer", source],
                capture_output=True,
                text=True,
                timeout=600,
            )
            assert (
                p.returncode == 0 and "udp" in p.stdout and re.search(r"^ +53 ", p.stdout, re.M)
            ), p
    p = subprocess.run(
        [EXAMPLES + "/connection_monitor", "synth:count=20000,flows=100"],
        capture_output=True,
        text=True,
    )
    assert re.search(r"^closed ", p.stdout, re.M) and not p.stdout.splitlines()[-1].startswith("0 ")
    monitor = [EXAMPLES + "/connection_monitor", "synth:rate=20000,flows=100"]
    assert subprocess.run([*monitor, "0.5"], capture_output=True).returncode == 0
    shown = r"^[1-9]\d* flows alive\n(?:  (?:open|closed|closing|reset) +\S+ > .*\n){3}"
    with tempfile.NamedTemporaryFile("r") as f:
        with Running(
            ["stdbuf", "-oL", *monitor] if shutil.which("stdbuf") else monitor, stdout=f
        ) as p:
            p.wait_for("flows alive", lambda: re.search(shown, open(f.name).read(), re.M))
            p.end(signal.SIGTERM)
    for name in ("basic_capture", "connection_monitor", "protocol_analyzer"):
        assert subprocess.run([f"{EXAMPLES}/{name}"], capture_output=True).returncode == 2
        assert (
            subprocess.run([f"{EXAMPLES}/{name}", "/nonexistent/x"], capture_output=True).returncode
            == 1
        )
        lines = sum(
            1
            for _ in open(
                os.path.join(os.path.dirname(__file__), "..", "..", "examples", name + ".c")
            )
        )
        assert lines <= 120, (name, lines)


case.finish()
