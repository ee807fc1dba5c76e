# SPDX-License-Identifier: MIT
"""What the tests of the Python package share: the package over the built library.

A test is called with the program's and the library's path as first arguments.
"""

import os
import struct
import sys

from program import PROGRAM, Cases, report  # noqa: F401

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PACKAGE = os.path.join(TOP, "python")
EXAMPLES = os.path.join(TOP, "examples", "python")
LIBRARY = os.path.abspath(sys.argv[2])
ENVIRONMENT = {
    **os.environ,
    "BPFENGINE_LIBRARY": LIBRARY,
    "PYTHONPATH": PACKAGE,
    "PYTHONDONTWRITEBYTECODE": "1",
}
os.environ["BPFENGINE_LIBRARY"] = LIBRARY
sys.dont_write_bytecode = True
sys.path.insert(0, PACKAGE)


def write_savefile(path, source):
    """Writes what a source gives as a savefile; returns packets and bytes on the wire."""
    import bpfengine

    packets = wire = 0
    with open(path, "wb") as f, bpfengine.Capture(source) as capture:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for batch in capture:
            for time_ns, wirelen, data in zip(batch.time_ns, batch.wirelen, batch.data):
                f.write(struct.pack("<IIII", *divmod(time_ns, 10**9), len(data), wirelen))
                f.write(data)
            packets += len(batch)
            wire += sum(batch.wirelen)
    return packets, wire


def balanced(stats):
    """Asserts that the books of bpe_stats balance, and returns them."""
    read, delivered = stats["read_packets"], stats["delivered_packets"]
    assert read == delivered + sum(stats["dropped"].values()) and not stats["in_flight"], stats
    flows = stats["flows_active"] + stats["flows_ended"] + stats["flows_evicted"]
    assert stats["flows_opened"] == flows, stats
    return stats


def raises(kind, function, *arguments, **more):
    """The exception of a call that must fail."""
    try:
        function(*arguments, **more)
    except kind as error:
        return error
    raise AssertionError(f"no {kind}: {function} {arguments} {more}")
