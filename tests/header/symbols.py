#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""symbols.py NM LIBRARY: the shared library shows exactly the functions that the public header declares."""
import os, re, subprocess, sys

header = open(os.path.join(os.path.dirname(__file__), "..", "..", "include", "bpfengine.h")).read()
declared = set(re.findall(r"^BPE_API [^;]*?\b(bpe_\w+)\(", header, re.M))
shown = {l.split()[-1].split("@")[0] for l in subprocess.run([sys.argv[1], "-D", "--defined-only", sys.argv[2]], capture_output=True, text=True, check=True).stdout.splitlines()}
shown -= {"_init", "_fini", "__bss_start", "_edata", "_end"}
print("declared and not shown:", sorted(declared - shown))
print("shown and not declared:", sorted(shown - declared))
sys.exit(0 if declared == shown and len(declared) > 20 else 1)
