#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mac.py PROGRAM: what macOS alone runs, as far as another system can run it: the boot helper."""

import os
import re
import shutil
import subprocess
import tempfile

from faultcase import Skipped, case, finish

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def read_helper():
    """The helper that bpf-access.sh installs on macOS, for the group access_bpf and 4 devices."""
    with open(os.path.join(TOP, "scripts/bpf-access.sh"), encoding="utf-8") as f:
        text = re.search(r'cat > "\$HELPER.new" <<EOF\n(.*?)\nEOF\n', f.read(), re.S).group(1)
    text = text.replace("$1", "access_bpf").replace("$NODES", "4")
    return text.replace("\\$", "$") + "\n"


def run_helper(shell, devices):
    """Runs the helper in a folder of stand-ins; which devices there are.  Returns what it called."""
    with tempfile.TemporaryDirectory() as d:
        for n in devices:
            with open(os.path.join(d, f"bpf{n}"), "w", encoding="utf-8"):
                pass
        text = read_helper().replace("/dev/bpf", f"{d}/bpf")
        for tool in ("/usr/bin/chgrp", "/bin/chmod"):
            assert tool in text, text
            text = text.replace(tool, f"echo {os.path.basename(tool)}")
        p = subprocess.run([*shell, "-c", text], capture_output=True, text=True, timeout=600)
        return p.stdout.replace(d, "/dev")


def check_shell(*shell):
    if not shutil.which(shell[0]):
        raise Skipped(f"{shell[0]} is not installed")
    everything = run_helper(shell, range(4))
    assert everything.split("\n")[0] == "chgrp access_bpf /dev/bpf0 /dev/bpf1 /dev/bpf2 /dev/bpf3"
    for busy in ([1, 2, 3], [0, 2, 3], [0, 1, 2], [3], []):  # the others cannot be opened
        told = run_helper(shell, busy).split()
        assert "chgrp" in told and "chmod" in told, (shell, busy, told)
        assert all(f"/dev/bpf{n}" in told for n in busy), (shell, busy, told)


@case
def boot_helper_goes_on_behind_a_busy_device_in_dash():
    check_shell("dash")


@case
def boot_helper_goes_on_behind_a_busy_device_in_posix_bash():
    check_shell("bash", "--posix")


@case
def boot_helper_goes_on_behind_a_busy_device_in_sh():
    check_shell("sh")


finish()
