# SPDX-License-Identifier: MIT
"""Sends frames over a veth pair between two network namespaces, and returns when they have arrived.

The sender listens at the other end, and goes on only once its frames were seen there; a capture of
that end has them by then.  Its ring must have room for them all: 5,000 need about 1 MiB.

All interfaces of a processor share a backlog.  A busy machine that does not empty its backlog in
time loses frames, and counts them in /proc/net/softnet_stat alone.  LostFrames says that this
happened: the caller may begin anew.
"""

import subprocess
import sys

WAIT = 600  # seconds: whatever takes longer has failed
LOST = 75  # exit code of the sender: frames did not arrive


class LostFrames(Exception):
    """The machine's backlog was full, and the frames were lost before the capture."""


# Of 50 flows, to port 9, 100 bytes each.  tagged: with VLAN 7.  mixed: every third with the tag,
# destination ports 1 to 4 in order, lengths 100 and 101 without the tag.
CODE = r"""
import ctypes, os, socket, struct, sys
device, kind, count, space, peer = sys.argv[1:]
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((device, 0))
if ctypes.CDLL(None).setns(os.open("/run/netns/" + space, os.O_RDONLY), 0):
    sys.exit("setns fails")
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind((peer, 0))
tap.settimeout(60)
source, seen, count = b"\x02\0\0\0\0\x01", 0, int(count)
hosts = bytes([10, 77, 0, 1]), bytes([10, 77, 0, 2])
for i in range(count):
    mixed = kind == "mixed"
    tag = b"\x81\0\x20\x07" if kind == "tagged" or (mixed and i % 3 == 0) else b""
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 86, i & 65535, 0, 64, 17, 0, *hosts)
    udp = struct.pack(">HHHH", 5000 + i % 50, 1 + i % 4 if mixed else 9, 66, 0)
    data = bytes(58 + (i % 2 if mixed else 0))
    out.send(b"\x02\0\0\0\0\x02" + source + tag + b"\x08\0" + ip + udp + data)
    if i % 50 == 49 or i == count - 1:
        while seen <= i:
            try:
                seen += tap.recv(2000)[6:12] == source
            except TimeoutError:
                print(seen, "of", i + 1, "frames arrived")
                sys.exit(75)
"""


def count_backlog_drops():
    """Frames that the backlogs of all processors had no room for."""
    with open("/proc/net/softnet_stat", encoding="ascii") as f:
        return sum(int(line.split()[1], 16) for line in f)


def send(space, device, count, other_space, other_device, kind="plain"):
    words = [device, kind, str(count), other_space, other_device]
    command = ["ip", "netns", "exec", space, sys.executable, "-c", CODE, *words]
    dropped = count_backlog_drops()
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT, check=False)
    dropped = count_backlog_drops() - dropped
    if done.returncode == LOST and dropped:
        raise LostFrames(f"{done.stdout.strip()}; the backlogs dropped {dropped}")
    assert not done.stderr and not done.returncode, done
