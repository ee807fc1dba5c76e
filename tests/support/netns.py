# SPDX-License-Identifier: MIT
"""Network namespaces of a test's own, joined by veth pairs, for cases that need a live interface.

Needs Linux, root and iproute2: make_space raises Skipped where one of them is missing.
"""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from faultcase import PROGRAM, Skipped
from progress import WAIT, Running

spaces = []


def call(*words, check=True):
    """Runs a command; its standard output."""
    return subprocess.run(words, check=check, capture_output=True, text=True, timeout=WAIT).stdout


def make_space(name):
    """A namespace with lo up, which ends with the test; its name."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("ip"):
        raise Skipped("needs Linux, root and iproute2")
    space = f"bpe{name}{len(spaces)}-{os.getpid()}"
    try:
        call("ip", "netns", "add", space)
    except subprocess.CalledProcessError as error:
        raise Skipped("no network namespaces here: " + error.stderr.strip()) from error
    spaces.append(space)
    call("ip", "-n", space, "link", "set", "lo", "up")
    return space


@atexit.register
def remove_spaces():
    for space in spaces:
        call("ip", "netns", "del", space, check=False)


def join(here, there, first, second, net):
    """A veth pair with the addresses 10.NET.0.1, .2 and fd00:NET::1, ::2, ready for packets."""
    call(
        "ip",
        "link",
        "add",
        first,
        "netns",
        here,
        "type",
        "veth",
        "peer",
        "name",
        second,
        "netns",
        there,
    )
    for space, name, host in ((here, first, 1), (there, second, 2)):
        call("ip", "-n", space, "addr", "add", f"10.{net}.0.{host}/24", "dev", name)
        call("ip", "-n", space, "link", "set", name, "up")
        call("ip", "-n", space, "addr", "add", f"fd00:{net}::{host}/64", "dev", name, "nodad")


def start(space, *words, **options):
    """Starts a command in the namespace, with its outputs in pipes."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen(["ip", "netns", "exec", space, *words], **pipes)


def count_sockets(space):
    """How many packet sockets of the namespace are bound and running."""
    lines = call("ip", "netns", "exec", space, "cat", "/proc/net/packet").splitlines()[1:]
    return sum(line.split()[5] == "1" for line in lines)


class Capture(Running):
    """The program on an interface, ready for packets; end returns its report."""

    def __init__(self, space, interface, *words, program=PROGRAM):
        before = count_sockets(space)
        command = ["ip", "netns", "exec", space, program, "-i", interface, "--json", *words]
        super().__init__(command)
        self.wait_for("the capture does not begin", lambda: count_sockets(space) > before)

    def end(self, read=None, how=signal.SIGINT):
        """Ends the run once it has read so many packets, or, where they are not known, no more."""
        if how and read is None:
            self.wait_until_quiet()
        elif how:
            self.wait_for_packets(read)
            time.sleep(0.3)  # none may come after them
        out, self.err, self.code = super().end(how)
        assert out.strip(), (self.code, self.err)
        return json.loads(out)
