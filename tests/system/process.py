#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""process.py PROGRAM: --process on Linux, in a network namespace with a veth pair to another.

Flows are named by the process with the socket: clients, servers, other users, UDP, IPv6, sockets
that live a millisecond.  The program is confined and asks its helper process, which is killed in the
last case.  Needs root and iproute2; skipped by name (exit code 77) without.  The last line counts
the cases.
"""

import json, os, shutil, signal, subprocess, sys, tempfile, time

PROGRAM = os.path.abspath(sys.argv[1])
A, B = f"bpeo{os.getpid()}", f"bpep{os.getpid()}"
PATIENCE = 550
SHORT = 60  # sockets that live a millisecond
OTHER_USER = 54321
SERVER = """
import socket, sys, threading
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
l = socket.socket(family)
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind((sys.argv[1], int(sys.argv[2])))
l.listen(128)
u = socket.socket(family, socket.SOCK_DGRAM)
u.bind((sys.argv[1], int(sys.argv[2])))
def echo():
    while True:
        text, peer = u.recvfrom(100)
        u.sendto(text, peer)
threading.Thread(target=echo, daemon=True).start()
print("ready", flush=True)
while True:
    c, _ = l.accept()
    threading.Thread(target=lambda c=c: (c.recv(100), c.sendall(b"x"), c.recv(100), c.close())).start()
"""
CLIENT = """
import socket, sys
kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
if kind == "tcp":
    s = socket.create_connection((host, port))
    s.sendall(b"x")
elif kind == "udp":
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.connect((host, port))
    s.send(b"x")
else:
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))
    s.sendto(b"x", (host, port))
s.recv(10)
print(s.getsockname()[1], flush=True)
sys.stdin.read()  # the socket stays until the test has seen enough
"""
passed = failed = 0
children = []


def skip(why):
    print("SKIP: processes of flows:", why)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(77)


def check(what, good, detail=""):
    global passed, failed
    passed += bool(good)
    failed += not good
    if not good:
        print(f"FAILED: {what}: {detail}")


def sh(command):
    subprocess.run(command.split(), check=True, capture_output=True)


def inside(ns, *words, **options):
    child = subprocess.Popen(
        ["ip", "netns", "exec", ns, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    children.append(child)
    return child


def make():
    for ns in (A, B):
        sh(f"ip netns add {ns}")
        sh(f"ip -n {ns} link set lo up")
    sh(f"ip -n {A} link add va type veth peer name vb netns {B}")
    sh(f"ip -n {A} addr add 10.78.0.1/24 dev va")
    sh(f"ip -n {B} addr add 10.78.0.2/24 dev vb")
    sh(f"ip -n {A} link set va up")
    sh(f"ip -n {B} link set vb up")


def script(name, text):
    """A program of this name, so that the process has it."""
    path = os.path.join(work, name)
    if not os.path.exists(path):
        shutil.copy(os.path.realpath(sys.executable), path)
    with open(path + ".py", "w") as f:
        f.write(text)
    return [path, path + ".py"]


def serve(ns, words, host, port):
    server = inside(ns, *words, host, str(port))
    if server.stdout.readline() != "ready\n":
        print(server.stderr.read())
        sys.exit(1)
    return server


class Capture:
    """The program on an interface of A, ready for packets; --quiet tells no notices."""

    def __init__(self, dev, *words):
        self.flows = os.path.join(work, f"flows-{dev}-{time.monotonic_ns()}")
        self.child = inside(
            A, PROGRAM, "-i", dev, "--process", "--json", "--flows", self.flows, *words
        )
        self.told = []
        while not self.told or "listening on" not in self.told[-1]:
            self.told.append(self.child.stderr.readline())
            if not self.told[-1]:
                print("the capture does not begin:", *self.told)
                sys.exit(1)

    def helpers(self):
        path = f"/proc/{self.child.pid}/task/{self.child.pid}/children"
        with open(path) as f:
            return [int(p) for p in f.read().split()]

    def end(self):
        """Ends the run.  Returns the records by port, all records, and the report."""
        time.sleep(0.3)  # for last packets; nothing is asserted by it
        self.child.send_signal(signal.SIGINT)
        report, told = self.child.communicate(timeout=PATIENCE)
        self.told += told.splitlines()
        check("the exit code", self.child.returncode == 0, (self.child.returncode, self.told))
        with open(self.flows) as f:
            records = [json.loads(line) for line in f]
        ports = {}
        for r in records:
            for port in (r["sport"], r["dport"]):
                ports.setdefault(port, r)
        numbers = json.loads(report)["owners"]
        answered = numbers["known"] + numbers["none"] + numbers["unknown"]
        check("asked = known + none + unknown", numbers["asked"] == answered, numbers)
        return ports, records, numbers


def client(words, kind, host, port, ns=None):
    child = inside(ns or A, *words, kind, host, str(port))
    line = child.stdout.readline()
    if not line:
        print(child.stderr.read())
        sys.exit(1)
    return child, int(line)


def expect(name, ports, port, process, child):
    r = ports.get(port, {})
    found = (r.get("process"), r.get("pid"))
    check(name, found[0] == process and (not child or found[1] == child.pid), (found, r))


def test_sockets_that_stay():
    """Clients and servers over the veth pair, and another user's client."""
    run = script("bpe-client", CLIENT)
    other = ["setpriv", f"--reuid={OTHER_USER}", "--clear-groups", *run]
    capture = Capture("va", "ip")
    clients = [client(run, k, "10.78.0.2", 7001) for k in ("tcp", "udp", "unconnected")]
    theirs = client(other, "tcp", "10.78.0.2", 7001)
    _, from_there = client(run, "tcp", "10.78.0.1", 7002, B)
    _, datagram = client(run, "udp", "10.78.0.1", 7002, B)
    time.sleep(1)
    ports, _, numbers = capture.end()
    for (child, port), kind in zip(clients, ("TCP", "UDP", "UDP without connection")):
        expect(kind, ports, port, "bpe-client", child)
    expect("another user's process", ports, theirs[1], "bpe-client", theirs[0])
    expect("a server", ports, from_there, "bpe-server", None)
    expect("a server of UDP", ports, datagram, "bpe-server", None)
    check("all are known", numbers["known"] >= 6, numbers)


def test_ipv6():
    run = script("bpe-client6", CLIENT)
    capture = Capture("lo", "ip6")
    child, port = client(run, "tcp", "::1", 7003)
    other, datagram = client(run, "unconnected", "::1", 7003)
    time.sleep(1)
    ports, _, _ = capture.end()
    expect("TCP over IPv6", ports, port, "bpe-client6", child)
    expect("UDP over IPv6", ports, datagram, "bpe-client6", other)


def has_tracepoint():
    """Whether this kernel lets root follow connections by the tracepoint."""
    with open("/proc/filesystems") as f:
        return "tracefs" in f.read()


def test_short_lived():
    """Processes that connect, send a byte and end.  The share is printed."""
    shell = os.path.join(work, "bpe-short")
    shutil.copy(shutil.which("bash"), shell)
    capture = Capture("lo", "tcp port 7004")
    for _ in range(SHORT):
        inside(A, shell, "-c", "exec 3<>/dev/tcp/127.0.0.1/7004; echo x >&3").wait(PATIENCE)
    _, records, numbers = capture.end()
    named = sum(r.get("process") == "bpe-short" for r in records)
    wrong = [r["process"] for r in records if r.get("process") not in (None, "bpe-short")]
    print(f"sockets that live a millisecond: {named} of {len(records)} named, {numbers}")
    check("as many flows as sockets", len(records) == SHORT, len(records))
    check("no wrong name", not wrong, wrong)
    if has_tracepoint():
        check("most are named", named * 2 > SHORT, named)


def test_foreign_packets():
    """Packets between two other hosts belong to no process of this host."""
    bare = bytes.fromhex("4500001d00010000401100000a4f00010a4f0002") + b"\4\xd2\0\x35\0\x09\0\0x"
    mac = inside(A, "cat", "/sys/class/net/va/address").communicate()[0].strip()
    frame = bytes.fromhex(mac.replace(":", "")) + b"\2\0\0\0\0\7\x08\0" + bare
    send = (
        "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('vb', 0));"
        f" s.send({frame!r})"
    )
    capture = Capture("va", "udp port 1234")
    inside(B, sys.executable, "-c", send).wait(PATIENCE)
    time.sleep(1)
    ports, records, numbers = capture.end()
    check("nobody has the socket", numbers["none"] == 1, (numbers, records))
    check("no process", "process" not in ports.get(1234, {"process": 0}), ports)


def test_helper_that_is_killed():
    """The capture goes on, and tells once."""
    run = script("bpe-client", CLIENT)
    capture = Capture("va", "ip")
    helpers = capture.helpers()
    check("a helper process", len(helpers) == 1, helpers)
    _, before = client(run, "tcp", "10.78.0.2", 7001)
    time.sleep(1)
    for pid in helpers:
        os.kill(pid, signal.SIGKILL)
    after = [client(run, "tcp", "10.78.0.2", 7001)[1] for _ in range(3)]
    time.sleep(1)
    ports, _, numbers = capture.end()
    expect("before", ports, before, "bpe-client", None)
    for port in after:
        check("after: a record without process", "process" not in ports[port], ports[port])
    told = [line for line in capture.told if "helper process" in line]
    check("told once", len(told) == 1, capture.told)
    check("the others are unknown", numbers["unknown"] >= 3, numbers)


def test_program_that_is_killed():
    """The helper ends with its program."""
    capture = Capture("va", "ip")
    helpers = capture.helpers()
    capture.child.kill()
    capture.child.wait(PATIENCE)
    end = time.monotonic() + PATIENCE
    while any(os.path.exists(f"/proc/{p}/fd/0") for p in helpers) and time.monotonic() < end:
        time.sleep(0.05)
    check("no helper is left", not any(os.path.exists(f"/proc/{p}/fd/0") for p in helpers))


def main():
    make()
    run = script("bpe-server", SERVER)
    serve(B, run, "10.78.0.2", 7001)
    serve(A, run, "10.78.0.1", 7002)
    serve(A, run, "::1", 7003)
    serve(A, run, "127.0.0.1", 7004)
    test_sockets_that_stay()
    test_ipv6()
    test_short_lived()
    test_foreign_packets()
    test_helper_that_is_killed()
    test_program_that_is_killed()


if os.geteuid():
    skip("needs root")
if not shutil.which("ip") or not shutil.which("setpriv"):
    skip("needs iproute2 and setpriv")
if subprocess.run(["ip", "netns", "add", A], capture_output=True).returncode:
    skip("no network namespaces here")
sh(f"ip netns del {A}")
work = tempfile.mkdtemp(prefix="bpe-process-", dir="/tmp")
os.chmod(work, 0o755)
try:
    main()
finally:
    for child in children:
        if child.poll() is None:
            child.kill()
    for ns in (A, B):
        subprocess.run(["ip", "netns", "del", ns], capture_output=True)
    shutil.rmtree(work, ignore_errors=True)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
