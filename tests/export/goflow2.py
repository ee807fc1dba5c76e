#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""goflow2.py PROGRAM: all shared captures to goflow2 by IPFIX and by NetFlow v9, to two targets at
once; its JSON lines then have each direction of each flow, field by field.

Skipped (77) without goflow2 (scripts/peers.sh goflow2).  Ends with "N passed, N failed"."""

import collections
import ipaddress
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

import collectors
import peers


class Goflow2:
    """A collector at work, with a file of JSON lines."""

    def __init__(self, folder, name):
        self.path = os.path.join(folder, name + ".json")
        self.port = peers.free_port(socket.SOCK_DGRAM)
        self.log = open(os.path.join(folder, name + ".log"), "w+", encoding="utf-8")
        listen = f"netflow://127.0.0.1:{self.port}?workers=1&count=1"
        self.process = subprocess.Popen(
            [
                *(peers.program("goflow2"), "-listen", listen, "-addr", "127.0.0.1:0"),
                *("-transport.file", self.path),
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        peers.wait(lambda: collectors.listens_udp(self.port, self.process), "goflow2 listens")

    def lines(self):
        with open(self.path, encoding="utf-8") as f:
            return f.read().splitlines()

    def stop(self, count):
        """Waits for as many lines, and then for others that should not come."""
        until = time.monotonic() + 60
        while len(self.lines()) < count and time.monotonic() < until:
            time.sleep(0.1)
        peers.stop(self.process)
        self.log.close()
        return [json.loads(line) for line in self.lines()]


def record_of(flow):
    return collectors.Record(
        ipaddress.ip_address(flow["src_addr"]),
        ipaddress.ip_address(flow["dst_addr"]),
        flow["src_port"],
        flow["dst_port"],
        collectors.protocol_number(flow["proto"]),
        flow["packets"],
        flow["bytes"],
        flow["time_flow_start_ns"] // 10**6,
        flow["time_flow_end_ns"] // 10**6,
        flow["tcp_flags"],
        256 * flow["icmp_type"] + flow["icmp_code"],
    )


def main():
    targets = {
        "ipfix": "ipfix://127.0.0.1:{port}?domain={group}",
        "netflow9": "netflow9://127.0.0.1:{port}?domain={group}",
    }
    with tempfile.TemporaryDirectory() as folder:
        running = {name: Goflow2(folder, name) for name in targets}
        try:
            run = collectors.Run(sys.argv[1])
            run.read_all(
                *[text.replace("{port}", str(running[name].port)) for name, text in targets.items()]
            )
            expected = collections.Counter(
                collectors.without_icmp_ports(r) for r in run.expected().elements()
            )
            results = []
            for name, collector in running.items():
                seen = collections.Counter(map(record_of, collector.stop(expected.total())))
                wanted = expected
                if name == "netflow9":
                    wanted = collectors.with_netflow_times(expected)
                    seen = collectors.without_times(wanted, seen)
                results.append(collectors.compare(name, wanted, seen))
        finally:
            for collector in running.values():
                peers.stop(collector.process)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
