# SPDX-License-Identifier: MIT
"""A single packet, parsed outside of any capture."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Optional, Tuple, Union

from ._batch import _KEY, _LAYERS, Described, Layers, make_tcp_options, make_tunnel
from ._enums import NO_OFFSET
from ._layout import bpe_key, bpe_layers, bpe_tcp_options, bpe_tunnel
from ._library import check, lib


class Parsed(Described):
    """A packet that parse() was given.  It keeps a copy of the bytes and stays valid."""

    __slots__ = ("data", "wirelen", "_layers", "_row")

    def __init__(self, data: bytes, wirelen: int, layers: bpe_layers, key: bpe_key) -> None:
        self.data = data
        self.wirelen = wirelen
        self._layers = layers
        self._row = _KEY.unpack(bytes(key))

    @property
    def layers(self) -> Layers:
        """Where the layers begin."""
        return Layers._make(_LAYERS.unpack(bytes(self._layers)))

    def _key_row(self) -> Tuple[Any, ...]:
        return self._row

    @property
    def caplen(self) -> int:
        """The number of bytes that are there."""
        return len(self.data)

    @property
    def payload(self) -> Optional[bytes]:
        """The bytes behind the last known header; None if there are none."""
        layers = self.layers
        return None if layers.payload == NO_OFFSET else self.data[layers.payload : layers.end]

    def tunnel(self) -> Optional[Dict[str, Any]]:
        """The innermost tunnel around the packet: kind, depth, id, src, dst; None without one."""
        found, link_type = bpe_tunnel(), self.layers.link_type
        ask = lib.bpe_parse_tunnel
        got = check(ask(self.data, self.caplen, self.wirelen, link_type, ctypes.byref(found)))
        return make_tunnel(found) if got else None

    def tcp_options(self) -> Optional[Dict[str, Any]]:
        """The TCP options that are present; None for a packet that is not TCP."""
        found, ask = bpe_tcp_options(), lib.bpe_parse_tcp_options
        layers = ctypes.byref(self._layers)
        got = check(ask(self.data, self.caplen, layers, ctypes.byref(found)))
        return make_tcp_options(found) if got else None

    def __repr__(self) -> str:
        return f"<bpfengine.Parsed {self.proto} of {self.caplen} bytes>"


def parse(
    data: Union[bytes, bytearray, memoryview],
    link_type: int = 1,
    *,
    wirelen: Optional[int] = None,
    outermost: bool = False,
) -> Parsed:
    """Parses one packet, as a source of the library would.

    data: the packet from its link-layer header on; a copy is kept.  link_type: LINKTYPE_* as in
    savefiles (1: Ethernet, 101: raw IP).  wirelen: bytes on the wire, if data is cut.  outermost:
    to the outermost IP header only, not into tunnels.
    """
    kept = bytes(memoryview(data))
    length = len(kept) if wirelen is None else wirelen
    if not 0 <= link_type <= 65535:
        raise ValueError(f"link_type is {link_type}; it may be 0 to 65535")
    if not len(kept) <= length < 2**32:
        raise ValueError(f"wirelen is {length}; it may be {len(kept)}, the bytes given, and more")
    layers, key = bpe_layers(), bpe_key()
    function = lib.bpe_parse_outermost if outermost else lib.bpe_parse
    where = ctypes.byref(layers), ctypes.byref(key)
    check(function(kept, len(kept), length, link_type, *where))
    return Parsed(kept, length, layers, key)
