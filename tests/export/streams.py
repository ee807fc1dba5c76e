#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""streams.py PROGRAM: IPFIX over TCP and TLS to a collector of this test, which decodes by the RFCs
(ipfix_reader.py), with certificates by openssl(1): all there in order; a certificate of an unknown
authority, of another name, and without verify; a collector that asks for a certificate.

Skipped (77) without openssl.  Ends with "N passed, N failed"."""

import collections
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import collectors
import ipfix_reader
import peers


def make_certificates(folder):
    """An authority, and certificates of "localhost", "other" and "sensor" that it signed."""
    openssl = peers.program("openssl")

    def run(*words):
        subprocess.run([openssl, *words], cwd=folder, check=True, capture_output=True, timeout=120)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run(
        "req",
        "-x509",
        *key,
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-subj",
        "/CN=test",
        "-days",
        "2",
    )
    for name in ("localhost", "other", "sensor"):
        run("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        with open(os.path.join(folder, "names"), "w", encoding="ascii") as f:
            f.write(f"subjectAltName=DNS:{name}\n")
        run(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
            *("-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", "names"),
        )


class Collector:
    """Accepts connections, and decodes each by a Reader of its own."""

    def __init__(self, context=None):
        self.context = context
        self.flows = []
        self.faults = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                self.read(connection)
            except (OSError, ValueError) as fault:
                self.faults.append(f"{type(fault).__name__}: {fault}")
            connection.close()

    def read(self, connection):
        reader = ipfix_reader.Reader()
        data = b""
        while True:
            part = connection.recv(65536)
            if not part:
                if data:
                    raise ValueError(f"{len(data)} bytes behind the last message")
                return
            data += part
            while len(data) >= 4 and len(data) >= int.from_bytes(data[2:4], "big"):
                length = int.from_bytes(data[2:4], "big")
                self.flows += reader.message(data[:length])
                data = data[length:]

    def stop(self):
        self.listener.close()


def record_of(flow):
    six = (0, 27) in flow
    return collectors.Record(
        ipaddress.ip_address(flow[0, 27 if six else 8]),
        ipaddress.ip_address(flow[0, 28 if six else 12]),
        *(flow[0, 7], flow[0, 11], flow[0, 4], flow[0, 2], flow[0, 1], flow[0, 152], flow[0, 153]),
        flow[0, 6],
        flow.get((0, 139 if six else 32), 0),
    )


def check_all(name, program, collector, words=""):
    """Sends captures; all are there, in sequence."""
    run = collectors.Run(program)
    run.read(peers.captures()[:60], f"ipfix://localhost:{collector.port}?transport={words}")
    expected = collections.Counter(
        collectors.without_icmp_ports(r) for r in run.expected().elements()
    )
    peers.wait(lambda: len(collector.flows) >= expected.total(), "all records are there", 60)
    right = collectors.compare(name, expected, collections.Counter(map(record_of, collector.flows)))
    for fault in collector.faults:
        print(f"FAILED: {name}: {fault}")
    collector.stop()
    return right and not collector.faults


def check_refusal(name, program, collector, words, reason):
    """Sends a capture to a collector that is not trusted: nothing arrives, and the user is told."""
    target = f"ipfix://localhost:{collector.port}?transport=tls{words}"
    run = subprocess.run(
        [program, "-q", "--json", "-r", peers.captures()[0], "--export", target],
        capture_output=True,
        text=True,
        timeout=200,
    )
    export = json.loads(run.stdout)["exports"][0]
    right = not collector.flows and not export["sent"] and reason in run.stderr
    right = right and export["offered"] == export["failed"] + export["ring_dropped"] > 0
    print(f"{'ok' if right else 'FAILED'}: {name}: {export} {'' if right else run.stderr[-600:]}")
    collector.stop()
    return right


def server_context(folder, name, asks=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(
        os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key")
    )
    if asks:
        context.load_verify_locations(os.path.join(folder, "ca.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        make_certificates(folder)
        ca = f"&ca={folder}/ca.pem"
        good = server_context(folder, "localhost")
        results = [
            check_all("tcp", program, Collector(), "tcp"),
            check_all("tls", program, Collector(good), "tls" + ca),
            check_all(
                "tls, the collector asks for a certificate",
                program,
                Collector(server_context(folder, "localhost", True)),
                f"tls{ca}&cert={folder}/sensor.pem&key={folder}/sensor.key",
            ),
            check_all("tls without verify", program, Collector(good), "tls&verify=0"),
            check_all(
                "tls, another name is asked for",
                program,
                Collector(server_context(folder, "other")),
                f"tls{ca}&name=other",
            ),
            check_refusal("an unknown authority", program, Collector(good), "", "certificate"),
            check_refusal(
                "a certificate of another name",
                program,
                Collector(server_context(folder, "other")),
                ca,
                "certificate",
            ),
        ]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
