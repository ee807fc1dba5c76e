#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""names.py READER CAPTURES [FILE...]: names of TLS and DTLS beside tshark's, on each capture.

Compares by flow, both directions together: server name, ALPN, JA4 and JA3 of the first hello,
version and cipher of the first ServerHello, subject and issuer of the server's certificate.  A
wrong value fails the test, and so do more than 1 % of tshark's values that are not found.
names_differences.tsv has the differences with their reasons; an idle line fails the test too.

Captures in which tshark finds nothing are listed (support/nothing.py); there tshark does not run.
TSHARK is the command to run (default: tshark), as "chroot DIRECTORY tshark".  JA4 is compared if
tshark has it, certificates if there is openssl.  Ends with "N passed, N failed"; exit code 77
(skipped) without tshark or the captures."""

import collections
import concurrent.futures
import ipaddress
import os
import shlex
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import nothing

TIMEOUT_S = 550
TSHARK = shlex.split(os.environ.get("TSHARK", "tshark"))
FACTS = ("server", "alpn", "ja4", "ja3", "version", "cipher", "subject", "issuer")
LEAST_FOUND = 0.99
FIELDS = [
    "frame.protocols",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "tls.handshake.type",
    "tls.handshake.extensions_server_name",
    "tls.handshake.extensions_alpn_str",
    "tls.handshake.ja4",
    "tls.handshake.ja3",
    "tls.handshake.version",
    "tls.handshake.extensions.supported_version",
    "tls.handshake.ciphersuite",
    "tls.handshake.certificate",
    "dtls.handshake.type",
    "dtls.handshake.ja4",
    "dtls.handshake.ja3",
    "dtls.handshake.version",
    "dtls.handshake.extensions.supported_version",
    "dtls.handshake.ciphersuite",
]


def run_tshark(path, *words):
    with open(path, "rb") as capture:
        return subprocess.run(
            [*TSHARK, "-n", "-r", "-", *words],
            stdin=capture,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        ).stdout.decode("utf-8", "backslashreplace")


def known_fields():
    """The fields of FIELDS that this tshark has."""
    out = subprocess.run([*TSHARK, "-G", "fields"], capture_output=True, timeout=TIMEOUT_S)
    there = {line.split("\t")[2] for line in out.stdout.decode().split("\n") if line[:2] == "F\t"}
    return [field for field in FIELDS if field in there]


def flow_of(row):
    """(protocol, two ends in order) of the innermost packet, or None."""
    protocols = row["frame.protocols"][-1].split(":")
    if "quic" in protocols or "icmp" in protocols or "icmpv6" in protocols:
        return None
    kind = 6 if "tcp" in protocols else 17
    name = "tcp" if kind == 6 else "udp"
    v6 = "ipv6" in protocols and (
        "ip" not in protocols or protocols[::-1].index("ipv6") < protocols[::-1].index("ip")
    )
    layer = "ipv6" if v6 else "ip"
    ends = []
    for side, port in (("src", "srcport"), ("dst", "dstport")):
        if not row[f"{layer}.{side}"] or not row[f"{name}.{port}"]:
            return None
        address = ipaddress.ip_address(row[f"{layer}.{side}"][-1]).packed.hex()
        ends.append((address, row[f"{name}.{port}"][-1]))
    return (kind, *sorted(ends))


def text_of_name(der, what):
    """Subject or issuer as RFC 2253, by openssl; None: no certificate."""
    p = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-noout", "-" + what, "-nameopt", "RFC2253,-esc_msb"],
        input=der,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    line = p.stdout.decode("utf-8", "replace").strip("\n")
    return line.removeprefix(what + "=") if p.returncode == 0 else None


def note_hello(facts, row, layer):
    """The facts of a row with a ClientHello."""
    alpn = row["tls.handshake.extensions_alpn_str"]
    for fact, values in (
        ("server", row["tls.handshake.extensions_server_name"]),
        ("alpn", [",".join(alpn)] if alpn else []),
        ("ja4", row[layer + ".handshake.ja4"]),
        ("ja3", row[layer + ".handshake.ja3"]),
    ):
        if values:
            facts[fact].append(values[0])


def note_server(facts, row, layer):
    """The facts of a row with a ServerHello."""
    version = (
        row[layer + ".handshake.extensions.supported_version"]
        or row["tls.handshake.extensions.supported_version"]
        or row[layer + ".handshake.version"]
    )
    cipher = row[layer + ".handshake.ciphersuite"] or row["tls.handshake.ciphersuite"]
    if version:
        facts["version"].append(f"{int(version[0], 0):04x}")
    if cipher:
        facts["cipher"].append(f"{int(cipher[0], 0):04x}")


def note_certificate(facts, row):
    for what in ("subject", "issuer"):
        der = bytes.fromhex(row["tls.handshake.certificate"][0].replace(":", ""))
        text = text_of_name(der, what)
        if text:
            facts[what].append(text)


def ask_tshark(path, fields):
    """{flow: {fact: [values]}} as tshark finds them."""
    if nothing.is_known("names", path):
        return {}
    words = ["-T", "fields", "-E", "occurrence=a", "-E", "separator=/t", "-E", "aggregator=|"]
    for field in fields:
        words += ["-e", field]
    flows = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in run_tshark(path, "-Y", "tls.handshake || dtls.handshake", *words).split("\n"):
        if not line:
            continue
        row = collections.defaultdict(list)
        row |= {f: v.split("|") if v else [] for f, v in zip(fields, line.split("\t"))}
        flow = flow_of(row)
        if not flow:
            continue
        layer = "dtls" if row["dtls.handshake.type"] else "tls"
        types = row[layer + ".handshake.type"]
        if "1" in types:
            note_hello(flows[flow], row, layer)
        elif "2" in types:
            note_server(flows[flow], row, layer)
        if row["tls.handshake.certificate"] and shutil.which("openssl"):
            note_certificate(flows[flow], row)
    if not flows:
        nothing.note("names", path)
    return flows


def ask_reader(reader, path):
    """{flow: {fact: [values]}} as we find them; None: no savefile."""
    p = subprocess.run([reader, path], capture_output=True, timeout=TIMEOUT_S, check=False)
    if p.returncode == 3:
        return None
    if p.returncode:
        raise RuntimeError(f"{path}: the reader ends with {p.returncode}")
    flows = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in p.stdout.decode("utf-8", "replace").split("\n"):
        cells = line.split("\t")
        if len(cells) < 15:
            continue
        kind, a, port_a, b, port_b = cells[:5]
        facts = flows[(int(kind), *sorted([(a, port_a), (b, port_b)]))]
        names = dict(zip(FACTS, [*cells[7:11], cells[11], cells[12], *cells[13:15]]))
        for fact, value in names.items():
            if value and value != "0000":
                facts[fact].append(value)
        facts["flags"].append(int(cells[6], 16))
    return flows


def is_same(fact, ours, theirs):
    if fact in ("subject", "issuer"):
        # Attribute types have no case; ours ends at the last element that fits.
        return theirs.lower() == ours.lower() or (
            len(ours) > 60 and theirs.lower().startswith(ours.lower())
        )
    if fact == "alpn":
        # ours is the choice of the server, or as much of the list as fits
        return ours == theirs or ours in theirs.split(",") or theirs.startswith(ours + ",")
    return ours == theirs


def compare_file(reader, path, fields):
    """[(what: wrong, missing or found, fact, ours, theirs)]; None: no savefile."""
    ours = ask_reader(reader, path)
    if ours is None:
        return None
    rows = []
    for flow, facts in ask_tshark(path, fields).items():
        for fact, theirs in facts.items():
            mine = ours[flow][fact] if flow in ours else []
            if any(is_same(fact, a, b) for a in mine for b in theirs):
                rows.append(("found", fact, "", ""))
            elif fact in ("subject", "issuer") and "0304" in ours[flow]["version"]:
                continue  # a capture with keys: tshark has decrypted the certificate
            elif fact == "version" and not ours[flow]["cipher"]:
                rows.append(("missing", fact, "", theirs[0]))  # ours is the client's highest
            elif fact == "alpn" and not mine and 0x10 & sum(ours[flow]["flags"]):
                rows.append(("found", fact, "", ""))  # the server chose none
            else:
                rows.append(("wrong" if mine else "missing", fact, ";".join(mine), theirs[0]))
    return rows


def read_differences():
    """{(capture, what, fact): reason}"""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "names_differences.tsv")
    with open(path, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if line[0] != "#"]
    return {tuple(row[:3]): row[3] for row in rows}


def judge(results, expected):
    """Prints the sums; returns (passed, failed)."""
    sums = collections.Counter()
    passed, failed, used = 0, 0, set()
    for name, rows in sorted(results.items()):
        bad = False
        for what, fact, mine, theirs in rows:
            key = (name, what, fact)
            told = key in expected
            used |= {key} if told else set()
            sums[fact, "found" if what == "found" else "told" if told else what] += 1
            if what != "found" and not told:
                print(f"{name}: {what} {fact}: ours {mine!r}, tshark's {theirs!r}")
                bad |= what == "wrong"
        passed, failed = passed + (not bad), failed + bad
    for fact in FACTS:
        n = {what: sums[fact, what] for what in ("found", "missing", "wrong", "told")}
        total = sum(n.values())
        print(f"{fact:8}", *(f"{v} {k}" for k, v in n.items()))
        if total and n["missing"] > (1 - LEAST_FOUND) * total:
            print(f"FAILED: {n['missing']} of {total} not found: {fact}")
            failed += 1
    return passed, failed, used


def main():
    reader, captures, *files = sys.argv[1:]
    if not os.path.isdir(captures) or not shutil.which(TSHARK[0]):
        print("SKIP: no captures, or no tshark\n0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    if not files:
        for folder, _, names in os.walk(captures):
            files += [os.path.join(folder, n) for n in names if not n.endswith((".md", ".tsv"))]
    fields = known_fields()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(lambda path: compare_file(reader, path, fields), files)
        results = {os.path.relpath(f, captures): r for f, r in zip(files, done) if r is not None}
    expected = read_differences()
    passed, failed, used = judge(results, expected)
    if not sys.argv[3:] and "tls.handshake.ja4" in fields:
        for key in expected.keys() - used:
            print("FAILED: an idle line of names_differences.tsv:", *key)
            failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
