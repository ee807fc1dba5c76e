#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nfacctd.py PROGRAM: all shared captures to nfacctd (pmacct) by IPFIX; its JSON lines then have
each direction of each flow, field by field.  nfacctd adds up records that agree in all else, so
packets and octets are compared as sums.

Skipped (77) without nfacctd.  Ends with "N passed, N failed"."""

import collections
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

import collectors
import peers

CONFIGURATION = """daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: {port}
nfacctd_pipe_size: 8388608
plugins: print
aggregate: src_host, dst_host, src_port, dst_port, proto, tcpflags, timestamp_start, timestamp_end
print_output: json
print_output_file: {folder}/flows.json
print_refresh_time: 86400
print_cache_entries: 65536
timestamps_since_epoch: true
timestamps_utc: true
plugin_pipe_size: 67108864
plugin_buffer_size: 65536
"""


def keys_and_sums(records):
    """Packets and octets by all other members of a Record."""
    sums = collections.Counter()
    totals = {}
    for record, count in records.items():
        key = record._replace(packets=0, octets=0, icmp=0)
        # nfacctd puts the second of arrival in the place of the second 0 of 1970.
        if record.first < 1000 or record.first > record.last:
            key = key._replace(first=None)
        packets, octets = totals.get(key, (0, 0))
        totals[key] = (packets + count * record.packets, octets + count * record.octets)
    for key, (packets, octets) in totals.items():
        sums[key._replace(packets=packets, octets=octets)] = 1
    return sums


def milliseconds(text):
    seconds, part = text.split(".")
    return int(seconds) * 1000 + int(part[:3])


def record_of(line):
    flow = json.loads(line)
    return collectors.Record(
        ipaddress.ip_address(flow["ip_src"]),
        ipaddress.ip_address(flow["ip_dst"]),
        flow["port_src"],
        flow["port_dst"],
        collectors.protocol_number(flow["ip_proto"]),
        flow["packets"],
        flow["bytes"],
        milliseconds(flow["timestamp_start"]),
        milliseconds(flow["timestamp_end"]),
        int(flow["tcp_flags"]),
        0,
    )


def main():
    nfacctd = peers.program("nfacctd")
    port = peers.free_port(socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "nfacctd.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(CONFIGURATION.format(port=port, folder=folder))
        with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen([nfacctd, "-f", path], stdout=log, stderr=log)
        try:
            peers.wait(lambda: collectors.listens_udp(port, process), "nfacctd listens")
            run = collectors.Run(sys.argv[1])
            run.read_all(f"ipfix://127.0.0.1:{port}?domain={{group}}&rate=20000")
            process.send_signal(signal.SIGINT)  # writes its cache, and ends
            process.wait(120)
        finally:
            peers.stop(process)
        with open(os.path.join(folder, "flows.json"), encoding="utf-8") as f:
            seen = collections.Counter(map(record_of, f))
    expected = collections.Counter(
        collectors.without_icmp_ports(r) for r in run.expected().elements()
    )
    right = collectors.compare("ipfix", keys_and_sums(expected), keys_and_sums(seen))
    print(f"{int(right)} passed, {int(not right)} failed")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
