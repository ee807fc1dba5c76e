# SPDX-License-Identifier: MIT
"""Turns structures of the library into Python's values, all members in one step."""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Type

CODES: Dict[Any, str] = {
    ctypes.c_bool: "?",
    ctypes.c_int8: "b",
    ctypes.c_uint8: "B",
    ctypes.c_int16: "h",
    ctypes.c_uint16: "H",
    ctypes.c_int32: "i",
    ctypes.c_uint32: "I",
    ctypes.c_int64: "q",
    ctypes.c_uint64: "Q",
}


class Member(NamedTuple):
    """Where a member's values lie among those of the structure."""

    name: str
    start: int
    stop: int  # start: the value itself, not a tuple
    convert: Optional[Callable[[Any], Any]]


def cut_text(value: bytes) -> str:
    """The text before the first NUL."""
    return value.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def describe_member(kind: Any) -> Tuple[str, int, Optional[Callable[[Any], Any]]]:
    """The format of struct, the number of values (0: a single value), and a conversion."""
    if kind in CODES:
        return CODES[kind], 0, None
    if issubclass(kind, ctypes.Structure):
        return f"{ctypes.sizeof(kind)}s", 0, Decoder(kind).decode
    inner, length = kind._type_, kind._length_
    if inner is ctypes.c_char:
        return f"{length}s", 0, cut_text
    if inner in CODES:
        return CODES[inner] * length, length, None
    return f"{ctypes.sizeof(inner)}s" * length, length, None


class Decoder:
    """Decodes one structure into a dictionary: numbers, tuples, and texts for char arrays.
    Elements of arrays of arrays stay bytes."""

    def __init__(self, structure: Type[ctypes.Structure]) -> None:
        self.size = ctypes.sizeof(structure)
        self.names: List[str] = []
        members: List[Member] = []
        text, at, count = "@", 0, 0
        for field in structure._fields_:
            name, kind = field[0], field[1]
            code, values, convert = describe_member(kind)
            offset = getattr(structure, name).offset
            if offset > at:
                text += f"{offset - at}x"
            text += code
            at = offset + ctypes.sizeof(kind)
            members.append(Member(name, count, count + values, convert))
            count += values or 1
        if self.size > at:
            text += f"{self.size - at}x"
        self._struct = struct.Struct(text)
        assert self._struct.size == self.size
        self._members = members

    def decode(self, data: Any) -> Dict[str, Any]:
        """The members of the structure that the buffer holds."""
        values = self._struct.unpack(data)
        out: Dict[str, Any] = {}
        for name, start, stop, convert in self._members:
            value: Any = values[start] if start == stop else values[start:stop]
            out[name] = convert(value) if convert else value
        return out


def address_text(address: bytes, ip_version: int) -> str:
    """An address of 16 bytes as text; IPv4 lies in the first 4."""
    if ip_version == 4:
        return socket.inet_ntop(socket.AF_INET, address[:4])
    return socket.inet_ntop(socket.AF_INET6, address)
