#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tls_peers.py READER: TLS and DTLS of real programs, by what they were asked to send.

A relay between client and server keeps the bytes, from which a savefile is made: no rights and no
interface are needed.  READER is captures_names, which prints the names of flows.  OpenSSL plays
the servers; clients are OpenSSL, GnuTLS and Go.  A program that is missing skips its cases."""

import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from faultcase import Skipped, case, finish

READER = os.path.abspath(sys.argv[1])
WAIT = 550
MSS = 1400
NAMES = "app flags server alpn ja4 ja3 version cipher subject issuer".split()
FOLDER = tempfile.TemporaryDirectory()
GO = """//go:debug tlsmlkem=1
package main
import ("crypto/tls"; "os")
func main() {
	c, e := tls.Dial("tcp", os.Args[1], &tls.Config{ServerName: "go.example.com",
		NextProtos: []string{"h2", "http/1.1"},
		CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519}, InsecureSkipVerify: true})
	if e != nil { panic(e) }
	c.Write([]byte("hello\\n"))
	c.Close()
}
"""


def need(program):
    if not shutil.which(program):
        raise Skipped(f"{program} is not installed")


def make_key():
    """A certificate and its key, both in a file."""
    need("openssl")
    path = os.path.join(FOLDER.name, "key.pem")
    if not os.path.exists(path):
        subject = "/C=CH/O=Example, Inc./CN=peer.example.com"
        words = "req -x509 -newkey rsa:2048 -nodes -days 30 -subj".split()
        subprocess.run(
            ["openssl", *words, subject, "-keyout", path, "-out", path + ".crt"],
            check=True,
            capture_output=True,
            timeout=WAIT,
        )
        with open(path, "a", encoding="ascii") as out, open(path + ".crt", encoding="ascii") as crt:
            out.write(crt.read())
    return path


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Relay:
    """Passes bytes between a client and a server, and keeps them in their order."""

    def __init__(self, port, kind):
        self.kept, self.port, self.kind = [], port, kind
        self.front = socket.socket(socket.AF_INET, kind)
        self.front.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.front.getsockname()[1]
        if kind == socket.SOCK_STREAM:
            self.front.listen(1)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        if self.kind == socket.SOCK_DGRAM:
            return self.run_datagrams()
        client, _ = self.front.accept()
        server = socket.create_connection(("127.0.0.1", self.port), WAIT)
        back = threading.Thread(target=self.copy, args=(server, client, 1))
        back.start()
        self.copy(client, server, 0)
        back.join()

    def copy(self, source, sink, end):
        try:
            while data := source.recv(65536):
                self.kept.append((end, data))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other end has closed

    def run_datagrams(self):
        back = socket.socket(socket.AF_INET, self.kind)
        back.connect(("127.0.0.1", self.port))
        data, client = self.front.recvfrom(65536)

        def answer():
            try:
                while True:
                    reply = back.recv(65536)
                    self.kept.append((1, reply))
                    self.front.sendto(reply, client)
            except OSError:
                pass  # the end of the test

        threading.Thread(target=answer, daemon=True).start()
        while data:
            self.kept.append((0, data))
            back.send(data)
            data, client = self.front.recvfrom(65536)


def frame(kind, end, body):
    ends = (b"\x0a\0\0\1", b"\x0a\0\0\2")
    head = struct.pack(
        ">BBHHHBBH4s4s", 69, 0, 20 + len(body), 1, 0, 64, kind, 0, ends[end], ends[1 - end]
    )
    return bytes(12) + b"\x08\0" + head + body


def frames_of(kept):
    """A TCP connection, cut into segments of MSS bytes."""
    ports, sequence = (40000, 4433), [1000, 5000]
    for end, flags in ((0, 2), (1, 18)):
        head = (ports[end], ports[1 - end], sequence[end], 1001 if end else 0, 0x50, flags)
        yield frame(6, end, struct.pack(">HHIIBBHHH", *head, 65535, 0, 0))
        sequence[end] += 1
    for end, data in kept:
        for at in range(0, len(data), MSS):
            part = data[at : at + MSS]
            head = (ports[end], ports[1 - end], sequence[end], sequence[1 - end], 0x50, 24)
            yield frame(6, end, struct.pack(">HHIIBBHHH", *head, 65535, 0, 0) + part)
            sequence[end] += len(part)


def datagrams_of(kept):
    ports = (40000, 4433)
    for end, data in kept:
        head = struct.pack(">HHHH", ports[end], ports[1 - end], 8 + len(data), 0)
        yield frame(17, end, head + data)


def read_names(frames):
    """What the reader prints of the one flow."""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for k, data in enumerate(frames):
            f.write(struct.pack("<IIII", 1000, k, len(data), len(data)) + data)
        f.flush()
        p = subprocess.run([READER, f.name], capture_output=True, check=True, timeout=WAIT)
    (line,) = p.stdout.decode().splitlines()
    return dict(zip(NAMES, line.split("\t")[5:]))


def talk(client, server_words=(), kind=socket.SOCK_STREAM):
    """Lets the client (a function of the relay's address) talk to openssl s_server."""
    key, port = make_key(), free_port(kind)
    words = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", key, *server_words]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            while b"ACCEPT" not in server.stdout.readline():
                assert server.poll() is None, "openssl s_server has ended"
            relay = Relay(port, kind)
            command, text = client(relay.address)
            p = subprocess.run(command, input=text, capture_output=True, timeout=WAIT, check=False)
            assert p.returncode == 0, p.stderr.decode()[-500:]
            if kind == socket.SOCK_STREAM:
                relay.thread.join(WAIT)
        finally:
            server.kill()
    return list(relay.kept)


def openssl(*words):
    return lambda address: (["openssl", "s_client", "-connect", address, *words], b"Q\n")


# The random number of a HelloRetryRequest (RFC 8446, 4.1.3).
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
SUBJECT = "CN=peer.example.com,O=Example\\, Inc.,C=CH"


@case
def openssl_tls_12_has_certificate_and_choices():
    kept = talk(
        openssl("-servername", "a.example.com", "-alpn", "h2,http/1.1", "-tls1_2"),
        ("-alpn", "http/1.1", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256", "-tls1_2"),
    )
    names = read_names(frames_of(kept))
    assert names["server"] == "a.example.com", names
    assert (names["alpn"], names["version"], names["cipher"]) == ("http/1.1", "0303", "c02f"), names
    assert names["subject"] == names["issuer"] == SUBJECT, names
    assert names["ja4"].startswith("t12d"), names


@case
def openssl_tls_13_and_a_second_hello():
    kept = talk(
        openssl("-servername", "b.example.com", "-groups", "X448:P-256"),
        ("-groups", "P-256", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
    )
    names = read_names(frames_of(kept))
    sent = b"".join(data for end, data in kept if end == 1)
    assert RETRY in sent, "the server asks for another group"
    assert (names["server"], names["version"], names["cipher"]) == (
        "b.example.com",
        "0304",
        "1303",
    ), names
    assert names["subject"] == "" and names["ja4"].startswith("t13d"), names


@case
def openssl_dtls_12_in_fragments():
    kept = talk(
        openssl("-servername", "c.example.com", "-dtls1_2", "-mtu", "300"),
        ("-dtls1_2", "-mtu", "300", "-cipher", "ECDHE-RSA-AES256-GCM-SHA384"),
        socket.SOCK_DGRAM,
    )
    names = read_names(datagrams_of(kept))
    assert (names["server"], names["version"], names["cipher"]) == (
        "c.example.com",
        "fefd",
        "c030",
    ), names
    assert names["subject"] == SUBJECT and names["ja4"].startswith("dd2d"), names


@case
def gnutls_tls_13():
    need("gnutls-cli")

    def client(address):
        host, port = address.split(":")
        words = ["--sni-hostname=d.example.com", "--alpn=h2", "--insecure", "-p", port, host]
        return ["gnutls-cli", *words], b"hello\n"

    names = read_names(frames_of(talk(client, ("-alpn", "h2"))))
    assert (names["server"], names["alpn"], names["version"]) == ("d.example.com", "h2", "0304")
    assert names["ja4"].startswith("t13d"), names


@case
def go_hello_of_two_segments():
    need("go")
    source = os.path.join(FOLDER.name, "client.go")
    with open(source, "w", encoding="ascii") as out:
        out.write(GO)
    program = source.removesuffix(".go")
    p = subprocess.run(
        ["go", "build", "-o", program, source],
        capture_output=True,
        timeout=WAIT,
        env={**os.environ, "GO111MODULE": "off", "GOCACHE": os.path.join(FOLDER.name, "cache")},
        check=False,
    )
    if p.returncode:
        raise Skipped("go builds no program here: " + p.stderr.decode()[-200:])
    kept = talk(lambda address: ([program, address], b""), ("-alpn", "h2"))
    hello = next(data for end, data in kept if end == 0)
    if len(hello) <= MSS:
        raise Skipped(f"this Go sends a hello of {len(hello)} bytes, without X25519MLKEM768")
    names = read_names(frames_of(kept))
    assert (names["server"], names["alpn"], names["version"]) == (
        "go.example.com",
        "h2,http/1.1",
        "0304",
    ), names
    assert names["ja4"].startswith("t13d") and names["ja4"][8:10] == "h2", names


finish()
