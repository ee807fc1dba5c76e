# SPDX-License-Identifier: MIT
"""Packets of the program's own."""

from __future__ import annotations

import ctypes
import time
from typing import Any, Iterable, List, NamedTuple, Optional, Tuple, Union

from ._enums import Direction
from ._layout import bpe_packet


class Push(NamedTuple):
    """A packet to push: its bytes from the link-layer header on, the time stamp (default: now), the
    length on the wire (default: that of data), the number of an interface, the link type (default:
    the option link_type, else Ethernet) and the direction."""

    data: bytes
    time_ns: Optional[int] = None
    wirelen: Optional[int] = None
    interface_id: int = 0
    link_type: int = -1
    direction: int = Direction.BOTH


Pushed = Union[bytes, Push, Tuple[Any, ...]]


def make_packets(packets: Iterable[Pushed]) -> Tuple[Any, int, Any]:
    """An array of bpe_packet, its length, and the memory that it shows."""
    wanted: List[Push] = [
        Push(bytes(p)) if isinstance(p, (bytes, bytearray, memoryview)) else Push(*p)
        for p in packets
    ]
    data = b"".join(p.data for p in wanted)
    memory = ctypes.c_char_p(data)
    at = ctypes.cast(memory, ctypes.c_void_p).value or 0
    array = (bpe_packet * len(wanted))()
    for packet, push in zip(array, wanted):
        packet.data = at
        packet.caplen = len(push.data)
        packet.wirelen = len(push.data) if push.wirelen is None else push.wirelen
        packet.time_ns = time.time_ns() if push.time_ns is None else push.time_ns
        packet.interface_id = push.interface_id
        packet.link_type = push.link_type
        packet.direction = push.direction
        at += len(push.data)
    return array, len(wanted), memory
