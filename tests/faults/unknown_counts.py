#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""unknown_counts.py PROGRAM: counts that the source does not report.

Such a count is null in JSON, "-" in text, never 0.  (bpfbench: tests/system/bpfbench.py.)
"""

import json

from faultcase import PROGRAM, case, finish, read_report, run
from packets import ethernet, pcap, spaced, udp4
from progress import Running

KERNEL = {"received": None, "accepted": None, "dropped": None, "interface_dropped": None}


@case
def f_kernel_counts_of_a_savefile_are_null():
    report, p = read_report(pcap(spaced(ethernet(udp4(1000)))))
    assert p.returncode == 0 and report["kernel"] == KERNEL, report["kernel"]
    assert report["filtered"] == 0 and report["packets"]["read"] == 1


@case
def f_kernel_counts_of_synth_are_null():
    p = run("-i", "synth:count=100", "--json")
    assert json.loads(p.stdout)["kernel"] == KERNEL, p.stdout


@case
def f_synth_at_a_rate_counts_what_it_skips():
    p = run("-i", "synth:count=200,rate=1000", "--json")
    told = json.loads(p.stdout)["kernel"]
    assert (told["received"], told["dropped"]) == (200, 0), told
    assert told["accepted"] is None and told["interface_dropped"] is None, told


@case
def f_text_says_nothing_of_a_kernel_that_was_not_asked():
    p = run("-i", "synth:count=100")
    assert b"100 packets read" in p.stdout and b"by the kernel" not in p.stdout, p.stdout


@case
def f_interval_line_says_nothing_of_a_kernel_that_was_not_asked():
    with Running([PROGRAM, "-i", "synth", "--stats-interval", "0.2"]) as p:
        p.wait_for_message("0 dropped by bpfengine")
        out, told, _ = p.end()
    assert "by the kernel" not in out.decode() + told


finish()
