#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""builders.py PROGRAM: the builders of tests/support beside the program: what they make is read whole."""

from faultcase import case, finish, read_flows, read_report
from packets import ethernet, pcap, spaced, tcp_frame, udp4, udp6


@case
def built_packets_have_right_checksums_and_ports():
    frames = ethernet(udp4(1000)), ethernet(udp6(1001)), tcp_frame(0, "S", 1, 0)
    report, p = read_report(pcap(spaced(*frames)), "--checksums")
    assert p.returncode == 0, p.stderr
    assert report["packets"]["read"] == report["packets"]["delivered"] == 3
    assert not any(report["malformed"].values()), report["malformed"]
    flows = read_flows(pcap(spaced(*frames)))
    assert sorted(f["sport"] for f in flows) == [1000, 1001, 40000], flows


finish()
