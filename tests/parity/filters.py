#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""filters.py PROGRAM EXPRESSIONS CAPTURES: runs the comparison with libpcap over the small savefiles of CAPTURES, if it is there."""

import os, subprocess, sys

program, expressions, captures = sys.argv[1:4]
files = [
    os.path.join(d, n)
    for d, _, names in os.walk(captures)
    for n in names
    if n.endswith((".pcap", ".cap", ".pcapng"))
]
files = sorted(f for f in files if os.path.getsize(f) < 200000)
sys.exit(subprocess.run([program, expressions] + files).returncode)
