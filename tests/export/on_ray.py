#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""on_ray.py PROGRAM LIBRARY: examples/ray/flows.py over all shared captures.  Rows equal the
program's JSON records, capture by capture.  Exit code 77: skipped."""

import os
import sys

import peers

peers.python("ray", "pyarrow")
import jobs

jobs.every_capture(
    [sys.executable, os.path.join(jobs.EXAMPLES, "ray", "flows.py"), "--workers", "2"]
)
print("1 passed, 0 failed")
