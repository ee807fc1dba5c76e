# SPDX-License-Identifier: MIT
"""Two network namespaces joined by a veth pair (va, vb), and cases that capture there.

Needs Linux, root and iproute2.  All traffic stays between the two namespaces.
"""

import os
import shutil
import subprocess
import sys

import sender

TRIES = 5  # of a case whose frames the machine lost
NO_IPV6 = "net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1"


def sh(command):
    subprocess.run(command.split(), check=True, capture_output=True)


def count_sockets(space):
    """How many packet sockets of the namespace are bound and running."""
    command = ["ip", "netns", "exec", space, "cat", "/proc/net/packet"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sum(line.split()[5] == "1" for line in out.splitlines()[1:])


def skip(what, why):
    """Ends the test as skipped."""
    print(f"SKIP: {what}: {why}\n0 passed, 0 failed, 1 skipped")
    sys.exit(77)


def make_link(a, b):
    """Joins the namespaces by va in a and vb in b, which both are up."""
    sh(f"ip -n {a} link add va type veth peer name vb netns {b}")
    for space, device in ((a, "va"), (b, "vb")):
        sh(f"ip -n {space} link set {device} up arp off")


def make_spaces(a, b, what):
    """Makes the namespaces, or ends the test as skipped where there are none."""
    if sys.platform != "linux":
        skip(what, "not Linux")
    if os.geteuid() != 0:
        skip(what, "not root")
    if not shutil.which("ip"):
        skip(what, "iproute2 is not installed")
    try:
        for space in (a, b):
            sh(f"ip netns add {space}")
            sh(f"ip netns exec {space} sysctl -qw {NO_IPV6}")
            sh(f"ip -n {space} link set lo up")
    except subprocess.CalledProcessError as e:
        delete_spaces(a, b)
        skip(what, "no network namespaces here: " + e.stderr.decode().strip())


def delete_spaces(*spaces):
    for space in spaces:
        subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)


class Cases:
    """Runs cases and counts them.  captures: what a case started, and is ended after it."""

    def __init__(self, after=lambda: None):
        self.passed = self.failed = 0
        self.captures = []
        self.after = after  # called after each try

    def run(self, f):
        """Runs a case, anew where the machine lost the frames."""
        for left in reversed(range(TRIES)):
            try:
                return f()
            except sender.LostFrames as e:
                print(f"{f.__name__}: {e}: {left} more tries", flush=True)
                if not left:
                    raise
            finally:
                for capture in self.captures:
                    capture.close()
                self.captures.clear()
                self.after()

    def __call__(self, *functions):
        for f in functions:
            try:
                self.run(f)
                self.passed += 1
            except Exception as e:  # told, and the others still run
                self.failed += 1
                print(f"FAILED {f.__name__}: {type(e).__name__}: {e}", flush=True)

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)
