# SPDX-License-Identifier: MIT
"""Interfaces to send numbered packets over: those of this system, or a served BPF node.

Each place says how packets enter (way), where they are captured (options of `numbered receive` and
of bpfengine), and what the system is expected to count.  A place is a context manager, which makes
and removes what it needs.  Nothing is sent to an interface that the test did not make, but lo0.
"""

import json
import os
import platform
import shutil
import struct
import subprocess
import tempfile

SYSTEM = platform.system().lower()
IFCONFIG = "/sbin/ifconfig"
WAIT = 60  # seconds that a command may take


def call(*words, check=True):
    """Runs a command; its standard output."""
    p = subprocess.run(words, capture_output=True, text=True, timeout=WAIT, check=False)
    if check and p.returncode:
        raise RuntimeError(f"{' '.join(words)}: {p.stderr.strip()}")
    return p.stdout


class Place:
    """One way for packets to get in, and one interface to capture them on."""

    name = interface = way = ""
    prefix = []  # words in front of each command
    served = None  # the node's ABI
    bpf = SYSTEM != "linux"  # a BPF device is behind it

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Loopback(Place):
    """The system's loopback interface.  xnu's lo0 shows each packet once, going out; Linux's lo
    shows each twice, and the second sight is counted as a duplicate."""

    def __init__(self):
        self.interface = "lo" if SYSTEM == "linux" else "lo0"
        self.name, self.way = self.interface, "udp:127.0.0.1"


class VethPair(Place):
    """Linux: a veth pair in a network namespace of its own."""

    name = "veth"

    def __enter__(self):
        self.space = f"bpereal{os.getpid()}"
        call("ip", "netns", "add", self.space)
        call("ip", "-n", self.space, "link", "add", "num0", "type", "veth", "peer", "name", "num1")
        for end in ("num0", "num1", "lo"):
            call("ip", "-n", self.space, "link", "set", end, "up")
        self.prefix = ["ip", "netns", "exec", self.space]
        self.way, self.interface = "frames:num0", "num1"
        return self

    def __exit__(self, *_):
        call("ip", "netns", "del", self.space, check=False)


class MadePair(Place):
    """macOS: a feth pair.  FreeBSD: epair(4).  OpenBSD: two pair(4) that are patched together."""

    kinds = {"darwin": "feth", "freebsd": "epair", "openbsd": "pair"}

    def __init__(self):
        self.name = self.kinds[SYSTEM]
        self.made = []

    def create(self):
        """The next free interface of this kind."""
        taken = {line.split(":")[0] for line in call(IFCONFIG, "-a").splitlines()} | set(self.made)
        number = 7300 if SYSTEM == "darwin" else 0
        while f"{self.name}{number}" in taken:
            number += 1
        call(IFCONFIG, f"{self.name}{number}", "create")
        self.made.append(f"{self.name}{number}")

    def __enter__(self):
        if SYSTEM == "freebsd":  # both ends at once; prints the first one's name: epair0a
            self.made = [call(IFCONFIG, "epair", "create").strip()]
            ends = [self.made[0], self.made[0][:-1] + "b"]
        else:
            self.create()
            self.create()
            ends = self.made
            call(IFCONFIG, ends[0], "peer" if SYSTEM == "darwin" else "patch", ends[1])
        for end in ends:
            call(IFCONFIG, end, "up")
        self.way, self.interface = f"frames:{ends[0]}", ends[1]
        return self

    def __exit__(self, *_):
        for name in self.made:
            call(IFCONFIG, name, "destroy", check=False)


class Tap(Place):
    """NetBSD: tap(4).  What is written to /dev/tapN is received by the interface tapN."""

    name = "tap"

    def __enter__(self):
        taken = {line.split(":")[0] for line in call(IFCONFIG, "-a").splitlines()}
        free = [n for n in range(4) if f"tap{n}" not in taken and os.path.exists(f"/dev/tap{n}")]
        self.interface, self.way = f"tap{free[0]}", f"tap:/dev/tap{free[0]}"
        call(IFCONFIG, self.interface, "create")
        call(IFCONFIG, self.interface, "up")
        return self

    def __exit__(self, *_):
        call(IFCONFIG, self.interface, "destroy", check=False)


def make_pair():
    """The pair that this system has."""
    return {"linux": VethPair, "netbsd": Tap}.get(SYSTEM, MadePair)()


# ---- Served nodes ----


def make_frame(number):
    """Frame `number` as tests/real/numbered.c sends it."""
    payload = b"bpfenum1" + struct.pack(">Q", number) + b"\0\0"
    udp = struct.pack(">4H", 9009, 9, 8 + len(payload), 0)
    ends = bytes((198, 18, 0, 1, 198, 18, 0, 2))
    head = struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0) + ends
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + head[12:]
    return b"\xff" * 6 + bytes.fromhex("026270666e01") + b"\x08\0" + head + udp + payload


def make_pktap_header(pid, process, interface):
    """A version 1 header of PKTAP for Ethernet (xnu's bsd/net/pktap.h): 156 bytes."""
    h = bytearray(156)
    struct.pack_into("<3I", h, 0, 156, 1, 1)  # length, PTH_TYPE_PACKET, DLT_EN10MB
    h[12 : 12 + len(interface)] = interface
    struct.pack_into("<4I", h, 36, 2, 2, 14, 0)  # outgoing, AF_INET, bytes in front, behind
    struct.pack_into("<i", h, 52, pid)
    h[56 : 56 + len(process)] = process
    struct.pack_into("<HHi", h, 80, 6, 0, -1)  # IFT_ETHER, unit, no other process
    return bytes(h)


def write_savefile(path, count, head=b"", link_type=1):
    """A pcap file of `count` numbered frames, each behind `head`."""
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link_type))
        for n in range(count):
            data = head + make_frame(n)
            f.write(
                struct.pack("=4I", 1700000000 + n // 1000000, n % 1000000, len(data), len(data))
            )
            f.write(data)


class ServedNode(Place):
    """tests/bpfnode, which plays a savefile of numbered frames as the driver of `abi` would, and
    removes its interface behind the last one."""

    bpf = True
    interface = "bpf:en0"

    def __init__(self, bpfnode, abi, count, *options, head=b"", link_type=1):
        self.bpfnode, self.served, self.name = bpfnode, abi, f"served {abi}"
        self.count, self.options = count, [str(o) for o in options]
        self.head, self.link_type = head, link_type
        self.report = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="bpereal-")
        self.directory = os.path.join(self.folder, "node")
        os.mkdir(self.directory)
        savefile = os.path.join(self.folder, "numbered.pcap")
        write_savefile(savefile, self.count, self.head, self.link_type)
        words = [
            self.bpfnode,
            self.directory,
            "--abi",
            self.served,
            "--read",
            savefile,
            "--at-end",
            "remove",
            "--end-wait",
            "0.5",
            *self.options,
        ]
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stderr.readline()
        if "ready" not in line:
            raise RuntimeError(line)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        out = self.process.communicate(timeout=WAIT)[0]
        self.report = json.loads(out) if out.strip() else None
        shutil.rmtree(self.folder)
