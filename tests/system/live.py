#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""live.py PROGRAM: live capture on Linux, between two network namespaces joined by a veth pair.

The test makes the pair itself.  Needs root and iproute2; skipped by name (exit code 77) without.
All traffic stays between the two namespaces, at bounded rates.  The last line counts the cases.
"""

import json, os, re, shutil, signal, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import sender
from pair import Cases, count_sockets, delete_spaces, make_link, make_spaces, sh
from progress import Running

PROGRAM = os.path.abspath(sys.argv[1])
A, B = f"bpea{os.getpid()}", f"bpeb{os.getpid()}"
cases = Cases()


def inside(ns, *words, **options):
    return subprocess.Popen(
        ["ip", "netns", "exec", ns, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def link():
    make_link(A, B)
    sh(f"ip -n {A} addr add 10.77.0.1/24 dev va")
    sh(f"ip -n {B} addr add 10.77.0.2/24 dev vb")
    for ns, dev in ((A, "va"), (B, "vb")):
        sh(f"ip -n {ns} link set {dev} address 02:00:00:00:00:0{1 if dev == 'va' else 2}")
    sh(f"ip -n {A} neigh replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev va nud permanent")
    sh(f"ip -n {B} neigh replace 10.77.0.1 lladdr 02:00:00:00:00:01 dev vb nud permanent")


class Capture(Running):
    """The program on an interface, ready for packets."""

    def __init__(self, ns, dev, *words):
        before = count_sockets(ns)
        super().__init__(["ip", "netns", "exec", ns, PROGRAM, "-i", dev, "--json", *words])
        cases.captures.append(self)
        self.wait_for("the capture does not begin", lambda: count_sockets(ns) > before)

    def end(self, read, stop=True):
        """Ends the run once so many packets were read; none may come after them."""
        if stop:
            self.wait_for_packets(read)
            time.sleep(0.3)
        out, self.err, self.code = super().end(signal.SIGINT if stop else None)
        r = json.loads(out)
        k = r["packets"]
        assert k["read"] == k["delivered"] + sum(k["dropped"].values()) and k["in_flight"] == 0, k
        return r


def send(n, kind="plain"):
    sender.send(A, "va", n, B, "vb", kind)


def exact_count():
    for workers in ("0", "2"):
        c = Capture(B, "vb", "--workers", workers)
        send(5000)
        r = c.end(5000)
        assert (
            r["packets"]["read"] == 5000
            and r["kernel"]["dropped"] == 0
            and r["kernel"]["received"] == 5000
        ), r["packets"]
        assert (
            r["bytes"]["wire"] == 5000 * 100
            and r["protocols"] == {"udp": {"packets": 5000, "bytes": 500000}}
            and c.code == 0
        )
        assert r["flows"]["opened"] == 50


def connections_become_flows():
    server = r"""
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("10.77.0.2", 7000))
s.listen(20)
print("ready", flush=True)
for _ in range(10):
    c, _a = s.accept(); d = b""
    while len(d) < 5000: d += c.recv(65536)
    c.sendall(b"x" * 20000); c.close()
"""
    client = r"""
import socket
for i in range(10):
    s = socket.socket(); s.connect(("10.77.0.2", 7000)); s.sendall(b"y" * 5000); n = 0
    while True:
        d = s.recv(65536)
        if not d: break
        n += len(d)
    assert n == 20000; s.close()
s = socket.socket()
try: s.connect(("10.77.0.2", 7001))
except ConnectionRefusedError: pass
"""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "flows")
        c = Capture(B, "vb", "--flows", path)
        s = inside(B, sys.executable, "-c", server)
        assert s.stdout.readline() == "ready\n"
        out, err = inside(A, sys.executable, "-c", client).communicate(timeout=600)
        assert not err, err
        s.communicate(timeout=600)
        send(1)  # behind all the others
        c.wait_for_report("the last packet", lambda told: re.search(r"^  udp +1 ", told, re.M))
        r = c.end(0)
        lines = [json.loads(x) for x in open(path)]
        whole = [x for x in lines if x["dport"] == 7000]
        assert len(whole) == 10 and len(lines) == 12, lines
        for x in whole:
            assert (
                x["src"] == "10.77.0.1"
                and x["dst"] == "10.77.0.2"
                and x["tcp_state"] == "closed"
                and not x["midstream"]
            ), x
            assert (
                "F" in x["tcp_flags"][0]
                and "F" in x["tcp_flags"][1]
                and x["packets"][0] >= 4
                and x["packets"][1] >= 3
            )
            assert x["wire_bytes"][0] >= 5000 and x["wire_bytes"][1] >= 20000
        assert [x["tcp_state"] for x in lines if x["dport"] == 7001] == ["reset"]
        assert sum(sum(x["packets"]) for x in lines) == r["packets"]["read"]


def flows_that_begin_are_told_of_at_once():
    """A line comes while the flow is alive, and the first lines say what others wait for."""
    for words, told in ((("--flows-begin",), False), ((), True), (("--quiet",), False)):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, "flows")
            c = Capture(B, "vb", "--flows", path, "--flow-idle", "900", *words)
            send(50)
            if "--flows-begin" in words:
                c.wait_for_lines(path, 50)
                events = [json.loads(l).get("event") for l in open(path)]
                assert events == ["begin"] * 50, events
            r = c.end(50)
            lines = [json.loads(l) for l in open(path)]
            assert sum("end" in l for l in lines) == r["flows"]["opened"] == 50, lines
            assert ("900 s after the last packet, or 10 s" in c.err) == ("--quiet" not in words), (
                c.err
            )
            assert ("--flows-begin tells" in c.err) == told, c.err


def vlan_tags_are_put_back():
    c = Capture(B, "vb")
    send(500, "tagged")
    r = c.end(500)
    assert (
        r["network"]["vlan"] == 500
        and r["bytes"]["wire"] == 500 * 104
        and r["bytes"]["captured"] == 500 * 104
    ), r["bytes"]
    assert r["protocols"]["udp"]["packets"] == 500


def snapshot_length():
    c = Capture(B, "vb", "-s", "60")
    send(100)
    r = c.end(100)
    assert r["bytes"] == {"captured": 6000, "wire": 10000}, r["bytes"]


def buffers_are_as_asked_or_told():
    """Sizes that the socket cannot have are told, options that contradict each other refused."""
    for words, told in (
        (["-B", "4M", "--block-count", "4"], None),
        (["-B", "64M", "--block-count", "4"], None),
        (["-B", "64"], "the kernel gave a buffer of 512 KiB, not 64 KiB"),
        (["--block-count", "2"], "--block-count: the kernel's buffer has 4 blocks, not 2"),
        (["--ring", "64", "--workers", "0"], "--ring has no effect: there are no worker threads"),
    ):
        c = Capture(B, "vb", *words, "-c", "1")
        send(1)
        r = c.end(1, stop=False)
        told_of = [l for l in c.err.splitlines() if "kernel" in l or "effect" in l]
        assert (told in c.err) if told else not told_of, (words, c.err)
        if not told:
            size = int(words[1][:-1]) * 1024
            assert f"{size} KiB in 4 blocks" in r["source"], r["source"]
    p = inside(B, PROGRAM, "-i", "vb", "-B", "64M", "--block-size", "1M", "--block-count", "4")
    out, err = p.communicate(timeout=550)
    assert p.returncode == 2 and not out, (p.returncode, out, err)
    assert "-B and --block-count contradict each other: 4 blocks of 1 MiB are 4 MiB" in err, err


def the_label_of_an_address_is_no_interface():
    sh(f"ip -n {B} addr add 10.77.0.3/24 dev vb label vb:1")
    try:
        c = Capture(B, "vb:1", "-c", "1")
        send(1)
        r = c.end(1, stop=False)
        assert "vb:1 is an address of vb: all packets of vb are captured" in c.err, c.err
        assert r["source"].startswith("interface vb ("), r["source"]
    finally:
        sh(f"ip -n {B} addr del 10.77.0.3/24 dev vb")


def filters_run_in_the_kernel():
    """Compares filters on the same traffic: packets counted, and passed by the kernel."""
    tagged, port = (lambda i: i % 3 == 0), (lambda i: 1 + i % 4)
    cases = [
        ("udp dst port 2", True, lambda i: not tagged(i) and port(i) == 2),
        ("vlan 7 and udp dst port 2", True, lambda i: tagged(i) and port(i) == 2),
        ("vlan", True, tagged),
        ("not vlan", True, lambda i: not tagged(i)),
        ("vlan 8", True, lambda i: False),
        ("ether[14:2] & 0xfff = 7", True, tagged),
        ("len > 104 or len = 101", True, lambda i: i % 2 == 1),
        ("ether[13] = 0", False, lambda i: True),
        ("ether[12:4] = 0x81002007", False, tagged),
        (
            "udp dst port 3 or (vlan and udp dst port 4)",
            True,
            lambda i: port(i) == (4 if tagged(i) else 3),
        ),
        ("udp dst port 2", True, lambda i: port(i) == 2, "--through", "vlan"),
        (
            "src host 10.77.0.1 or "
            + " or ".join(f"10.77.{i // 256}.{i % 256}" for i in range(3000, 9000, 2)),
            False,
            lambda i: not tagged(i),
        ),
    ]
    runs = [(c, Capture(B, "vb", *c[3:], "-f", c[0])) for c in cases]
    small = Capture(B, "vb", "-s", "30", "-f", "udp dst port 2")
    untagged, none = (lambda i: not tagged(i)), (lambda i: False)
    words = [
        (B, "udp dst port 2", cases[0][2]),
        (B, "inbound and udp", untagged),
        (B, "ether[0:2] = 0x8100", tagged),
        (B, "outbound and udp", none),
        (A, "outbound and udp", untagged),
        (A, "inbound and udp", none),
    ]
    cooked = [(Capture(ns, "any", "-f", f), p) for ns, f, p in words]
    n = 600
    send(n, "mixed")
    for c, run in runs:
        expected = sum(map(c[2], range(n)))
        r = run.end(expected)
        assert r["packets"]["read"] == expected, (c[0][:80], expected, r["packets"])
        assert not c[1] or (r["kernel"]["received"] == expected and r["filtered"] == 0), (
            c[0][:80],
            r["kernel"],
            r["filtered"],
        )
        assert ("widest part" in run.err) == (len(c[0]) > 1000), run.err
        assert r["kernel"]["received"] < n or expected == n, (c[0][:80], r["kernel"])
    r = small.end(100)
    assert r["packets"]["read"] == 100 and r["bytes"]["captured"] == 3000, r
    for run, p in cooked:
        expected = sum(map(p, range(n)))
        r = run.end(expected)
        assert r["packets"]["read"] == expected, (expected, r["packets"])


def broadcast_by_the_interfaces_netmask():
    c = Capture(B, "vb", "-f", "ip broadcast")
    frames = r"""
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("va", 0))
for dst in ("10.77.0.255", "10.77.0.0", "255.255.255.255", "10.77.1.255", "10.77.0.2", "0.0.0.0"):
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 86, 0, 0, 64, 17, 0,
                     bytes([10, 77, 0, 1]), socket.inet_aton(dst))
    s.send(b"\xff" * 6 + b"\x02\0\0\0\0\x01\x08\x00" + ip + bytes(66))
"""
    out, err = inside(A, sys.executable, "-c", frames).communicate(timeout=600)
    r = c.end(5)
    assert not err and r["packets"]["read"] == 5, (
        err,
        r["packets"],
    )  # host part all ones or all zeros, as libpcap has it


def another_filter_while_running():
    with tempfile.TemporaryDirectory() as d:
        path, hosts = os.path.join(d, "filter"), os.path.join(d, "hosts")
        open(hosts, "w").write("10.77.0.9\n")
        for words, first, then, end in (
            (None, "udp src port 5003", "udp src port 5004 or 5005", "udp dst prot 9"),
            (f"host in {hosts}", "10.77.0.9", "10.77.0.1", "10.77.0.999"),
        ):
            where = path if not words else hosts
            open(where, "w").write(first + "\n")
            c = Capture(B, "vb", *(["-f", words] if words else ["-F", path]))
            reads = (0, 1000, 2000) if words else (20, 60, 100)
            send(1000)
            c.wait_for_packets(reads[0])
            open(where, "w").write(then + "\n")
            c.send_signal(signal.SIGUSR2)
            c.wait_for_message("read again")
            send(1000)
            c.wait_for_packets(reads[1])
            open(where, "w").write(end + "\n")
            c.send_signal(signal.SIGUSR2)
            c.wait_for_message("stays as it was")
            send(1000)
            expected = reads[2]
            r = c.end(expected)
            assert (
                r["packets"]["read"] == expected
                and r["kernel"]["received"] == expected
                and c.code == 0
            ), (r["packets"], r["kernel"])
            assert c.err.count("read again") == 1 and "stays as it was" in c.err, c.err


def down_and_up_again():
    c = Capture(B, "vb")
    send(100)
    c.wait_for_packets(100)
    sh(f"ip -n {B} link set vb down")
    c.wait_for_message("vb is down")
    sh(f"ip -n {B} link set vb up")
    c.wait_for_message("vb is up")
    sh(f"ip -n {B} neigh replace 10.77.0.1 lladdr 02:00:00:00:00:01 dev vb nud permanent")
    send(100)
    r = c.end(200)
    assert r["packets"]["read"] == 200 and c.code == 0, (r["packets"], c.err)


def loopback_once():
    c = Capture(A, "lo")
    out, err = inside(
        A,
        sys.executable,
        "-c",
        "import socket\ns = socket.socket(2, 2)\nfor i in range(300): s.sendto(b'x' * 58, ('127.0.0.1', 9999))",
    ).communicate()
    c.wait_for_report("300 packets", lambda told: re.search(r"^  udp +300 ", told, re.M))
    r = c.end(0)
    assert not err and r["protocols"]["udp"]["packets"] == 300, r["protocols"]


def any_interface():
    c = Capture(B, "any")
    send(200)
    out, err = inside(
        B,
        sys.executable,
        "-c",
        "import socket\ns = socket.socket(2, 2)\nfor i in range(50): s.sendto(b'x' * 58, ('127.0.0.1', 9999))",
    ).communicate()
    c.wait_for_report("250 packets", lambda told: re.search(r"^  udp +250 ", told, re.M))
    r = c.end(0)
    assert (
        r["linktype"] == "LINUX_SLL2"
        and r["protocols"]["udp"]["packets"] == 250 + r["packets"]["dropped"]["duplicate"] * 0
    ), r["protocols"]
    assert r["packets"]["dropped"]["duplicate"] == r["packets"]["read"] - r["packets"]["delivered"]


def raw_ip_on_tun():
    if not os.path.exists("/dev/net/tun"):
        print("SKIP: raw_ip_on_tun: no /dev/net/tun")
        return
    tun = r"""
import fcntl, os, struct, sys
f = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(f, 0x400454ca, struct.pack("16sH22x", b"bpetun", 0x1001))
os.system("ip link set bpetun up"); print("ready", flush=True); sys.stdin.readline()
for i in range(40):
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28, i, 0, 64, 17, 0,
                     bytes([10, 9, 0, 1]), bytes([10, 9, 0, 2]))
    os.write(f, ip + struct.pack(">HHHH", 1, 2, 8, 0))
sys.stdin.readline()
"""
    t = inside(A, sys.executable, "-c", tun, stdin=subprocess.PIPE)
    assert t.stdout.readline() == "ready\n", t.stderr.read()
    c = Capture(A, "bpetun")
    t.stdin.write("go\n")
    t.stdin.flush()
    c.wait_for_report("40 packets", lambda told: re.search(r"^  udp +40 ", told, re.M))
    r = c.end(0)
    t.communicate("end\n", timeout=600)
    assert r["linktype"] == "RAW" and r["protocols"]["udp"]["packets"] == 40, r["protocols"]


def no_rights():
    if not shutil.which("setpriv"):
        return print("SKIP: no_rights: no setpriv")
    p = subprocess.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--bounding-set=-all",
            PROGRAM,
            "-i",
            "lo",
        ],
        capture_output=True,
        text=True,
    )
    if p.returncode in (126, 127):
        return print("SKIP: no_rights: nobody may not run the program where it lies")
    assert p.returncode == 3 and "sudo" in p.stderr and "setcap" in p.stderr, p


def removed_while_capturing():
    c = Capture(B, "vb", "--workers", "1")
    send(1000)
    c.wait_for_packets(1000)
    sh(f"ip -n {B} link del vb")
    r = c.end(1000, stop=False)
    assert r["packets"]["read"] == 1000 and "went away" in r["error"] and c.code == 1, (
        r["error"],
        c.code,
    )
    link()


def directions():
    """-Q at both ends of the pair, on all interfaces, and on lo, whose packets are incoming."""
    at_a, at_b = {"in": 0, "out": 200, "inout": 200}, {"in": 200, "out": 0, "inout": 200}
    runs = [
        (Capture(ns, dev, "-Q", q, "-f", "udp"), expected[q], q)
        for ns, dev, expected in (
            (A, "va", at_a),
            (A, "any", at_a),
            (B, "vb", at_b),
            (B, "any", at_b),
        )
        for q in ("in", "out", "inout")
    ]
    send(200)
    for c, expected, q in runs:
        r = c.end(expected)
        assert r["packets"]["read"] == expected and c.code == 0, (q, r["source"], r["packets"])
    at_lo = [(Capture(B, "lo", "-Q", q, "-f", "udp"), q) for q in ("in", "out", "inout")]
    talk = "import socket\ns = socket.socket(2, 2)\nfor i in range(50): s.sendto(b'x', ('127.0.0.1', 9))"
    inside(B, sys.executable, "-c", talk).communicate()
    for c, q in at_lo:
        r = c.end(0 if q == "out" else 50)
        assert r["packets"]["read"] == (0 if q == "out" else 50), (q, r["packets"])
        assert ("-Q out) shows none" in c.err) == (q == "out"), (q, c.err)


def return_is_waited_for():
    """Confined as another user, and not: the same ring goes on with the next interface."""
    for words in (("--workers", "0"), ("--workers", "2", "--no-confine")):
        c = Capture(B, "vb", "--wait-interface", "--promiscuous", "-f", "udp", *words)
        send(1000)
        c.wait_for_packets(1000)
        for k in range(1, 3):
            sh(f"ip -n {B} link del vb")
            c.wait_for_message("vb went away: waiting for its return", k)
            link()
            c.wait_for_message("vb is back", k)
            c.wait_for("a socket that runs", lambda: count_sockets(B) > 0)
            shown = subprocess.run(
                ["ip", "-n", B, "-d", "link", "show", "vb"], capture_output=True, text=True
            )
            assert "promiscuity 1 " in shown.stdout, shown
            send(500)
            c.wait_for_packets(1000 + 500 * k)
        r = c.end(2000)
        assert r["packets"]["read"] == r["kernel"]["received"] == 2000, (r["packets"], c.err)
        assert r["kernel"]["dropped"] == 0 and c.code == 0 and r["error"] is None, (r, c.err)
        assert "--no-confine" not in words or r["kernel"]["interface_dropped"] == 0, r["kernel"]
        assert (r["rights"]["confined"] is None) >= ("--no-confine" in words), r["rights"]


def return_with_another_link_type():
    if not os.path.exists("/dev/net/tun"):
        return print("SKIP: return_with_another_link_type: no /dev/net/tun")
    c = Capture(B, "vb", "--wait-interface")
    send(100)
    c.wait_for_packets(100)
    sh(f"ip -n {B} link del vb")
    c.wait_for_message("went away: waiting")
    sh(f"ip -n {B} tuntap add dev vb mode tun")
    r = c.end(100, stop=False)
    sh(f"ip -n {B} link del vb")
    link()
    assert r["packets"]["read"] == 100 and "another link type" in r["error"], r["error"]
    assert c.code == 1, c.code


def absent_at_the_start():
    p = subprocess.run(
        [PROGRAM, "-i", "bpenone", "--wait-interface"], capture_output=True, text=True, timeout=600
    )
    assert p.returncode == 4 and "that was there at the start" in p.stderr, p
    c = Capture(B, "any", "--wait-interface")
    c.end(0)
    assert c.code == 0 and '"any" has each interface' in c.err, c.err


make_spaces(A, B, "live capture")
try:
    link()
    cases(
        exact_count,
        connections_become_flows,
        flows_that_begin_are_told_of_at_once,
        vlan_tags_are_put_back,
        snapshot_length,
        buffers_are_as_asked_or_told,
        the_label_of_an_address_is_no_interface,
        filters_run_in_the_kernel,
        broadcast_by_the_interfaces_netmask,
        another_filter_while_running,
        loopback_once,
        any_interface,
        raw_ip_on_tun,
        down_and_up_again,
        removed_while_capturing,
        directions,
        return_is_waited_for,
        return_with_another_link_type,
        absent_at_the_start,
        no_rights,
    )
finally:
    delete_spaces(A, B)
cases.finish()
