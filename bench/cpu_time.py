# SPDX-License-Identifier: MIT
"""CPU time of commands, and the name of the CPU, for the scripts beside this file."""

import os
import re
import resource
import subprocess
import sys


def measure_command(command, core, stdout=subprocess.DEVNULL):
    """The CPU seconds of a command that is pinned to a core, and its standard output if stdout is
    subprocess.PIPE.  Ends the program if the command fails."""

    def pin():
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {core})

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command,
        stdout=stdout,
        stderr=subprocess.PIPE,
        preexec_fn=pin,
        timeout=550,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stdout


def name_cpu():
    """The name that Linux gives the CPU."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"model name\s*: (.*)", file.read())
    except OSError:
        found = None
    return found[1] if found else "a CPU without a name"
