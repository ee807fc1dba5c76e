#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""apps.py APPS_OF_FLOWS CAPTURES: the protocols of all flows of all captures, beside tshark's.

tshark recognises by content and by port, bpfengine by content.  A pair of endpoints is compared:
the protocols that tshark's dissectors found, and the app of the flows.
tests/data/app_differences.tsv lists each difference with a reason.  A difference that is not listed
fails, and so does a line without a difference.  HASSH and version strings of SSH, and hosts and
methods of HTTP, are compared as well.
The last line is "N passed, N failed"; exit code 77 (skipped): no captures or no tshark.
"""

import collections, concurrent.futures, os, shutil, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import nothing

LISTED = os.path.join(HERE, "..", "data", "app_differences.tsv")
TIMEOUT_S = 550
# Apps, and the dissectors of tshark that stand for them.
DISSECTORS = {
    "http": "http websocket ocsp".split(),
    "ssh": ["ssh"],
    "http2": ["http2"],
    "smtp": ["smtp"],
    "imap": ["imap"],
    "pop3": ["pop"],
    "ftp": ["ftp"],
    "sip": ["sip"],
    "rtsp": ["rtsp"],
    "mqtt": ["mqtt"],
    "postgresql": ["pgsql"],
    "mysql": ["mysql"],
    "redis": ["resp"],
    "ntp": ["ntp"],
    "snmp": ["snmp"],
    "stun": ["stun", "classicstun"],
    "wireguard": ["wg"],
    "bittorrent": ["bittorrent", "bt-utp", "bt-dht", "bt-tracker"],
    "socks": ["socks"],
}
APP_OF = {dissector: app for app, names in DISSECTORS.items() for dissector in names}
HIDING = ("tls", "dtls", "quic")  # what tshark finds behind was ciphertext
NAMED_INNER = 8  # BPE_NAMED_INNER
FIELDS = (
    "ip.src ip.dst ipv6.src ipv6.dst tcp.srcport tcp.dstport udp.srcport udp.dstport tcp.len "
    "frame.protocols http.host http.request.method ssh.kex.hassh ssh.kex.hasshserver ssh.protocol"
).split()


def pair_of(proto, one, one_port, other, other_port):
    return (proto, *sorted([(one, int(one_port)), (other, int(other_port))]))


def ask_tshark(path):
    """{pair: (apps, texts)} of the packets with payload; {} if listed (support/nothing.py)."""
    if nothing.is_known("apps", path):
        return {}
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=l"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, check=False, timeout=TIMEOUT_S)
    found = collections.defaultdict(lambda: (set(), set()))
    for line in done.stdout.decode(errors="replace").split("\n"):
        values = line.split("\t")
        if len(values) != len(FIELDS):
            continue
        row = dict(zip(FIELDS, values))
        layers = row["frame.protocols"].split(":")
        innermost = max((k for k, name in enumerate(layers) if name in ("tcp", "udp")), default=-1)
        if innermost < 0:
            continue
        proto = layers[innermost]
        below = [name for name in layers[:innermost] if name in ("ip", "ipv6")]
        ends = [row[f"{below[-1]}.{end}"] for end in ("src", "dst")] if below else ["", ""]
        ports = [row[f"{proto}.{end}"] for end in ("srcport", "dstport")]
        if not all(ends + ports):
            continue
        key = pair_of(proto, ends[0], ports[0], ends[1], ports[1])
        apps, texts = found[key]
        clear = next((k for k, name in enumerate(layers) if name in HIDING), len(layers))
        apps.update(APP_OF[name] for name in layers[innermost:clear] if name in APP_OF)
        for field in FIELDS[10:]:
            if row[field]:
                texts.add((field, row[field]))
    if not any(apps or texts for apps, texts in found.values()):
        nothing.note("apps", path)
    return found


def ask_engine(printer, path):
    """{pair: (apps, fields of flows)}."""
    done = subprocess.run([printer, path], capture_output=True, check=False, timeout=TIMEOUT_S)
    assert done.returncode >= 0, f"{path}: signal {-done.returncode}"
    found = collections.defaultdict(lambda: (set(), []))
    for line in done.stdout.decode().split("\n"):
        values = line.split("\t")
        if len(values) < 15 or values[0] not in ("6", "17"):
            continue
        key = pair_of("tcp" if values[0] == "6" else "udp", *values[1:5])
        apps, flows = found[key]
        apps.add(values[5])
        flows.append(values)
    return found


def wrong_texts(flows, texts):
    """Texts of our flows that tshark does not have."""
    dissected = collections.defaultdict(set)
    for field, value in texts:
        dissected[field].add(value)
    for flow in flows:
        if flow[5] == "ssh" and dissected["ssh.protocol"]:
            for banner in flow[11:13]:
                if banner and not any(
                    text.startswith(banner) for text in dissected["ssh.protocol"]
                ):
                    yield f"banner {banner}"
            hashes = dissected["ssh.kex.hassh"] | dissected["ssh.kex.hasshserver"]
            for value in flow[13:15]:
                if value and hashes and value not in hashes:
                    yield f"hassh {value}"
        if flow[5] == "http" and flow[9] and dissected["http.request.method"]:
            if flow[9] not in {method[:12] for method in dissected["http.request.method"]}:
                yield f"method {flow[9]}"
        if flow[5] == "http" and flow[7] == "http" and dissected["http.host"]:
            hosts = {host.strip("[]") for host in dissected["http.host"]}
            if not any(host == flow[8] or host.startswith(flow[8] + ":") for host in hosts):
                yield f"host {flow[8]}"


def compare(printer, path, name):
    """(pairs of the same app, differences) of a file."""
    theirs, ours = ask_tshark(path), ask_engine(printer, path)
    same, different = collections.Counter(), []
    for key in sorted(set(theirs) | set(ours)):
        dissected, texts = theirs.get(key, (set(), set()))
        apps, flows = ours.get(key, (set(), []))
        own = {app for app in apps if app in DISSECTORS}
        missing = {app for app in dissected if app in DISSECTORS} - apps
        if any(int(flow[6]) & NAMED_INNER for flow in flows):
            missing = set()  # the outer protocol is not told any more
        same.update(own & dissected)
        for kind, values in (("more", own - dissected), ("less", missing)):
            different += [(name, kind, value, key) for value in sorted(values)]
        different += [(name, "text", value, key) for value in wrong_texts(flows, texts)]
    return same, different


def main():
    printer, captures = sys.argv[1:3]
    if not os.path.isdir(captures) or not shutil.which("tshark"):
        print("0 passed, 0 failed: there are no captures, or there is no tshark")
        return 77
    files = []
    for folder in ("names", "ndpi", "tcpdump", "apple", "pcapng"):
        where = os.path.join(captures, folder)
        if os.path.isdir(where):
            files += [f"{folder}/{name}" for name in sorted(os.listdir(where))]
    if len(sys.argv) > 3:
        files = [name for name in files if any(part in name for part in sys.argv[3:])]
    same, different = collections.Counter(), []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(compare, printer, os.path.join(captures, f), f) for f in files]
        for job in jobs:
            agreed, differing = job.result()
            same.update(agreed)
            different += differing
    found = collections.Counter((name, kind, value) for name, kind, value, _ in different)
    with open(LISTED, encoding="utf-8") as table:
        rows = [line.rstrip("\n").split("\t") for line in table if line[0] != "#"]
    listed = {(row[0], row[1], row[2]): row[3] for row in rows if row[0] in files}
    passed = sum(same.values())
    failed = 0
    for name, kind, value, key in different:
        if (name, kind, value) not in listed:
            print(f"{name}\t{kind}\t{value}\t{key}")
            failed += 1
    for row in listed:
        if row not in found:
            print(f"tests/data/app_differences.tsv: {row} is no difference any more")
            failed += 1
    print("the same app:", ", ".join(f"{app} {n}" for app, n in sorted(same.items())))
    print(f"{len(different)} differences, {sum(found[row] for row in listed)} of them listed")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
