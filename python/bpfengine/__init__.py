# SPDX-License-Identifier: MIT
"""bpfengine: capture packets and keep flows, by the library of the same name.

    import bpfengine

    for batch in bpfengine.Capture("trace.pcap", filter="tcp"):
        print(len(batch), sum(batch.wirelen))

    for flow in bpfengine.flows("trace.pcap"):
        print(flow["src"], flow["dst"], flow["packets"])

Capture gives batches on the caller's thread, without a copy of the packets.  Engine has threads of
its own and keeps flows.  flows() gives the flows of a source, each as it ends.  Filter compiles
expressions of pcap-filter(7).  The package needs nothing but ctypes; numpy takes the columns of a
batch as they are.  The README of the package has more examples.
"""

from __future__ import annotations

from ._batch import Batch, BatchOver, Ends, Key, Layers, Packet
from ._capture import Capture
from ._columns import Columns, FlowColumns
from ._engine import Engine, columns, flows
from ._enums import (
    NO_OFFSET,
    Direction,
    Duplicates,
    FlowFlag,
    Format,
    InterfaceFlag,
    Mark,
    MetaFlag,
    Order,
    Overload,
    PacketFlag,
    Priority,
    Proto,
    ReadMode,
    RecordOverload,
    Status,
    TcpOption,
    Through,
    TunnelKind,
    Way,
)
from ._filter import Filter, Instruction, explain
from ._flow import Flow, header_line
from ._layout import VERSION, Options
from ._library import Error, LibraryError, lib
from ._parse import Parsed, parse
from ._push import Push
from ._stats import interfaces
from ._text import endpoint_text, time_text
from ._where import Where

__all__ = [
    "NO_OFFSET",
    "Batch",
    "BatchOver",
    "Capture",
    "Columns",
    "Direction",
    "Duplicates",
    "Ends",
    "Engine",
    "Error",
    "Filter",
    "Flow",
    "FlowColumns",
    "FlowFlag",
    "Format",
    "Instruction",
    "InterfaceFlag",
    "Key",
    "Layers",
    "LibraryError",
    "Mark",
    "MetaFlag",
    "Options",
    "Order",
    "Overload",
    "Packet",
    "PacketFlag",
    "Parsed",
    "Priority",
    "Push",
    "Proto",
    "ReadMode",
    "RecordOverload",
    "Status",
    "TcpOption",
    "Through",
    "TunnelKind",
    "Way",
    "Where",
    "build_info",
    "columns",
    "endpoint_text",
    "explain",
    "flows",
    "header_line",
    "interfaces",
    "library_path",
    "library_version",
    "parse",
    "time_text",
]
__version__ = VERSION


def library_version() -> str:
    """The version of the shared library in use."""
    return lib.version


def library_path() -> str:
    """The path, or the name, by which the shared library was loaded."""
    return lib.path


def build_info() -> str:
    """The kernels and devices that the library was built with."""
    info: bytes = lib.bpe_build_info()
    return info.decode()
