# SPDX-License-Identifier: MIT
"""Statistics and interfaces as dictionaries."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Dict, List, Optional

from ._decode import Decoder, address_text
from ._enums import InterfaceFlag
from ._layout import (
    bpe_address,
    bpe_error,
    bpe_interface,
    bpe_protocol,
    bpe_stats,
    bpe_worker_stats,
)
from ._library import check, decode, lib

_STATS, _WORKER = Decoder(bpe_stats), Decoder(bpe_worker_stats)
_PROTOCOL, _INTERFACE = Decoder(bpe_protocol), Decoder(bpe_interface)
_ADDRESS = Decoder(bpe_address)


def name_values(values: Any, name: Callable[[int], Optional[bytes]]) -> Dict[str, int]:
    """An array of counters by the names that the library has for its elements."""
    names = [name(i) for i in range(len(values))]
    return {decode(text): value for text, value in zip(names, values) if text}


def stats_dict(stats: bpe_stats) -> Dict[str, Any]:
    """struct bpe_stats; dropped, evicted and sizes are dictionaries by name."""
    out = _STATS.decode(bytes(stats))
    out["dropped"] = name_values(out["dropped"], lib.bpe_drop_name)
    out["evicted"] = name_values(out["evicted"], lib.bpe_evicted_name)
    out["sizes"] = name_values(out["sizes"], lib.bpe_size_class_name)
    return out


def worker_dict(stats: bpe_worker_stats) -> Dict[str, Any]:
    """struct bpe_worker_stats."""
    return _WORKER.decode(bytes(stats))


def protocol_dicts(lines: Any, count: int) -> List[Dict[str, Any]]:
    """Lines of the protocol table: name, packets, bytes."""
    return [_PROTOCOL.decode(bytes(lines[i])) for i in range(count)]


def interface_dict(interface: bpe_interface) -> Dict[str, Any]:
    """struct bpe_interface; addresses as text with their prefix, flags as names."""
    out = _INTERFACE.decode(bytes(interface))
    has_mac, count = out.pop("has_mac"), out.pop("address_count")
    out["mac"] = ":".join(f"{byte:02x}" for byte in out["mac"]) if has_mac else None
    flags = InterfaceFlag(out["flags"])
    out["flags"] = [str(flag.name).lower() for flag in InterfaceFlag if flag in flags]
    addresses = [_ADDRESS.decode(raw) for raw in out["addresses"][:count]]
    out["addresses"] = [
        f"{address_text(bytes(a['addr']), a['family'])}/{a['prefix']}" for a in addresses
    ]
    out["link_type"] = None if out["link_type"] < 0 else out["link_type"]
    out["description"] = out["description"] or None
    return out


def interfaces() -> List[Dict[str, Any]]:
    """The interfaces that can be captured on, by index, with "any" and "synth" last."""
    found, error = ctypes.c_void_p(), bpe_error()
    count = check(
        lib.bpe_interfaces_list_sized(
            ctypes.byref(found), ctypes.sizeof(bpe_interface), ctypes.byref(error)
        ),
        error,
    )
    try:
        listed = (bpe_interface * count).from_address(found.value or 0)
        return [interface_dict(i) for i in listed]
    finally:
        lib.bpe_interfaces_free(found)
