#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""quic_peer.py PROGRAM: names of QUIC connections of a real peer, aioquic, on the loopback.

A relay between client and server writes each datagram to a savefile, which the program reads.
Exit code 77 (skipped) without aioquic, or if the program has no library for cryptography.
"""

import asyncio
import datetime
import json
import os
import ssl
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import packets
from faultcase import case, finish, run

try:
    from aioquic.asyncio import connect, serve
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.packet import QuicProtocolVersion
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
except ImportError as missing:
    print(f"skipped: {missing}: pip install aioquic brings a QUIC peer")
    sys.exit(77)
if b"crypto=none" in run("--version").stdout:
    print("skipped: the program has no library for cryptography (-Dcrypto)")
    sys.exit(77)


class Relay(asyncio.DatagramProtocol):
    """Passes datagrams between a client and the server, and keeps each with its sender's end.
    `change` may hold datagrams back or repeat them: it gets (end, datagram) and returns a list."""

    def __init__(self, server, change):
        self.server, self.change, self.client, self.seen = server, change, None, []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, sender):
        end = 1 if sender[1] == self.server[1] else 0
        if not end:
            self.client = sender
        for part in self.change(end, data):
            self.seen.append((end, part))
            self.transport.sendto(part, self.client if end else self.server)


def certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime(2020, 1, 1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    made = made.public_key(key.public_key()).serial_number(1).not_valid_before(now)
    made = made.not_valid_after(now + datetime.timedelta(days=36500))
    paths = os.path.join(folder, "certificate"), os.path.join(folder, "key")
    with open(paths[0], "wb") as f:
        f.write(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    with open(paths[1], "wb") as f:
        f.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return paths


async def converse(folder, alpn, version, retry, change):
    """A connection through the relay; the datagrams that the relay saw."""
    chain, key = certificate(folder)
    server = QuicConfiguration(is_client=False, alpn_protocols=alpn)
    server.load_cert_chain(chain, key)
    server.supported_versions = [version]
    listener = await serve("127.0.0.1", 0, configuration=server, retry=retry)
    address = listener._transport.get_extra_info("sockname")
    loop = asyncio.get_running_loop()
    transport, relay = await loop.create_datagram_endpoint(
        lambda: Relay(address, change), local_addr=("127.0.0.1", 0)
    )
    client = QuicConfiguration(is_client=True, alpn_protocols=alpn, server_name="quic.example.org")
    client.verify_mode = ssl.CERT_NONE
    client.supported_versions = [version]
    client.original_version = version
    port = transport.get_extra_info("sockname")[1]
    async with connect("127.0.0.1", port, configuration=client) as peer:
        await peer.ping()
    transport.close()
    listener.close()
    return relay.seen


def names_of(alpn=("h3",), version=None, retry=False, change=lambda end, data: [data], words=()):
    """The program's record of such a connection."""
    version = version or QuicProtocolVersion.VERSION_1
    with tempfile.TemporaryDirectory() as folder:
        work = asyncio.wait_for(converse(folder, list(alpn), version, retry, change), 500)
        seen = asyncio.run(work)
        frames = []
        for end, data in seen:
            ports = (40000, 443) if not end else (443, 40000)
            hosts = (packets.HOST_A, packets.HOST_B)[:: -1 if end else 1]
            segment = struct.pack(">HHHH", *ports, 8 + len(data), 0) + data
            frames.append(packets.MAC_HEADER + b"\x08\0" + packets.ipv4(*hosts, 17, segment))
        path = os.path.join(folder, "quic.pcap")
        with open(path, "wb") as f:
            f.write(packets.pcap([(k / 1000, data) for k, data in enumerate(frames)]))
        p = run("-r", path, "--flows", "-", "-q", *words)
        assert p.returncode == 0, p.stderr
    records = [json.loads(line) for line in p.stdout.splitlines()]
    assert len(records) == 1, records
    assert records[0].get("app") == "quic", records[0]
    return records[0], seen


def expect_name(record, version="1"):
    assert record.get("name") == "quic.example.org", record
    assert record.get("name_source") == "quic" and record.get("quic_version") == version, record
    assert record.get("ja4", "").startswith("q13d"), record
    assert record.get("tls_version") == "1.3", record


@case
def a_connection_of_version_1():
    expect_name(names_of()[0])


@case
def a_connection_of_version_2():
    expect_name(names_of(version=QuicProtocolVersion.VERSION_2)[0], "2")


@case
def a_connection_with_retry():
    record, seen = names_of(retry=True)
    assert any(end and data[0] & 0xF0 == 0xF0 for end, data in seen), "no Retry was sent"
    expect_name(record)


LONG = ["h3"] + ["protocol-%03d" % k for k in range(120)]


@case
def a_hello_of_two_datagrams():
    record, seen = names_of(alpn=LONG)
    first = next(k for k, (end, _) in enumerate(seen) if end)
    assert first >= 2, "the hello came in one datagram"
    expect_name(record)


def swapped():
    held = []

    def change(end, data):
        if end or len(held) > 1:
            return [data]
        held.append(data)
        return [] if len(held) == 1 else held[::-1]

    return change


@case
def a_hello_of_two_datagrams_in_the_other_order():
    expect_name(names_of(alpn=LONG, change=swapped())[0])


@case
def the_first_flight_of_which_only_the_retry_s_answer_is_whole():
    """The relay loses the second datagram of the first flight: Retry comes all the same."""
    lost = []

    def change(end, data):
        if not end and len(lost) < 2:
            lost.append(data)
            return [data] if len(lost) == 1 else []
        return [data]

    expect_name(names_of(alpn=LONG, retry=True, change=change)[0])


if __name__ == "__main__":
    finish()
