# SPDX-License-Identifier: MIT
"""Flow records as dictionaries."""

from __future__ import annotations

import ctypes
import struct
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from ._decode import Decoder, address_text
from ._enums import (
    COMMUNITY_ID_BYTES,
    FORMAT_BYTES,
    FlowFlag,
    Format,
    Order,
)
from ._layout import bpe_error, bpe_flow, bpe_flow_question
from ._library import Handle, check, decode, lib
from ._names import names_dict
from ._text import endpoint_text

ALL_TIMES = -(2**63)  # since_ns: whenever the last packet was
_FLOW = Decoder(bpe_flow)
_SIZE = ctypes.sizeof(bpe_flow)
_SIZE_OFFSET = bpe_flow.size.offset
_LETTERS = "FSRP.UEW"
_TCP_FLAGS = ["".join(c for i, c in enumerate(_LETTERS) if v >> i & 1) for v in range(256)]
_IP_NAMES: Dict[int, str] = {}
_END_NAMES: Dict[int, Optional[str]] = {}
_BY_HEALTH = (
    "retransmissions",
    "fast_retransmissions",
    "spurious_retransmissions",
    "out_of_order",
    "repeated_acks",
    "zero_windows",
    "lost_segments",
    "unseen_acks",
    "keep_alives",
)

_MIDSTREAM, _CONTINUED = int(FlowFlag.MIDSTREAM), int(FlowFlag.CONTINUED)
_CUT, _BY_PORT, _ICMP = int(FlowFlag.CUT), int(FlowFlag.BY_PORT), int(FlowFlag.ICMP)
_LENGTHS, _HEALTH = int(FlowFlag.LENGTHS), int(FlowFlag.HEALTH)
_INTERFACE_ID, _CUTOFF = int(FlowFlag.INTERFACE_ID), int(FlowFlag.CUTOFF)


def protocol_name(proto: int) -> str:
    """The name of an enum bpe_proto: "tcp"."""
    return _PROTO_NAMES[proto] if proto < len(_PROTO_NAMES) else f"proto-{proto}"


def list_names(tell: Callable[[int], Optional[bytes]]) -> List[str]:
    """The names of an enumeration, from 0 on, as the library has them."""
    names: List[str] = []
    while (name := tell(len(names))) is not None:
        names.append(decode(name))
    return names


_PROTO_NAMES = list_names(lib.bpe_proto_name)
_TCP_STATES = list_names(lib.bpe_tcp_state_name)


def ip_protocol_name(number: int) -> str:
    """IANA's name of an IP protocol, "ip-proto-N" for a number without a name."""
    name = _IP_NAMES.get(number)
    if name is None:
        told = lib.bpe_ip_proto_name(number)
        name = _IP_NAMES[number] = told.decode() if told else f"ip-proto-{number}"
    return name


def end_name(number: int) -> Optional[str]:
    """The name of an enum bpe_flow_end; None for a flow that has not ended."""
    if number not in _END_NAMES:
        _END_NAMES[number] = decode(lib.bpe_flow_end_name(number)) or None
    return _END_NAMES[number]


def tunnel_dict(t: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """A tunnel as a dictionary; None for no tunnel."""
    if not t["kind"]:
        return None
    version = t["ip_version"]
    ends = [address_text(a, version) if version else None for a in t["addr"]]
    return {
        "kind": decode(lib.bpe_tunnel_name(t["kind"])) or str(t["kind"]),
        "depth": t["depth"],
        "id": t["id"] if t["has_id"] else None,
        "src": ends[0],
        "dst": ends[1],
    }


def known(values: Tuple[int, int], unknown: int) -> Tuple[Optional[int], Optional[int]]:
    """Both ends' values, with None for the unknown."""
    a, b = values
    return None if a == unknown else a, None if b == unknown else b


def copy_record(address: int) -> bytes:
    """Copies the record at the address, whatever size the library gave it."""
    size = ctypes.c_uint16.from_address(address + _SIZE_OFFSET).value
    if size == _SIZE:
        return ctypes.string_at(address, _SIZE)
    raw = bytearray(ctypes.string_at(address, min(size, _SIZE)).ljust(_SIZE, b"\0"))
    struct.pack_into("@H", raw, _SIZE_OFFSET, min(size, _SIZE))
    return bytes(raw)


class Flow(Dict[str, Any]):
    """A flow record: a dictionary, with the library's own record beside it for line().

    Pairs are tuples of two: the originator's value, then the responder's.  Times are nanoseconds.
    What is unknown is None.  python/README.md lists the keys.
    """

    __slots__ = ("record",)

    def __init__(self, record: bytes) -> None:
        f = _FLOW.decode(record)
        super().__init__(f)
        self.record = record
        flags, version = f["flags"], f["ip_version"]
        for name in ("version", "size", "zero", "reserved", "addr", "port", "flags"):
            self.pop(name, None)
        a, b = f["addr"]
        self["src"], self["dst"] = address_text(a, version), address_text(b, version)
        self["sport"], self["dport"] = f["port"]
        self["proto"] = ip_protocol_name(f["ip_proto"])
        self["vlan"] = tuple(v for v in f["vlan"] if v)
        state = f["tcp_state"]
        self["tcp_state"] = (_TCP_STATES[state] or None) if state < len(_TCP_STATES) else None
        self["tcp_flags"] = (_TCP_FLAGS[f["tcp_flags"][0]], _TCP_FLAGS[f["tcp_flags"][1]])
        self["end"] = end_name(f["end"])
        self["midstream"] = bool(flags & _MIDSTREAM)
        self["continued"] = bool(flags & _CONTINUED)
        self["cut"] = bool(flags & _CUT)
        self["by_port"] = bool(flags & _BY_PORT)
        self["duration_ns"] = f["last_ns"] - f["first_ns"]
        self["handshake_ns"] = known(f["handshake_ns"], -1)
        self["rtt_ns"] = known(f["rtt_ns"], -1)
        self["window_scale"] = known(f["window_scale"], -1)
        self["mss"] = known(f["mss"], 0)
        self["tunnel"] = tunnel_dict(f["tunnel"])
        names = names_dict(f["names"]) if "names" in f else {}
        self["names"], self["name"], self["app"] = names, names.get("name"), names.get("app")
        self["interface_name"] = f["interface_name"] or None
        self["interface_index"] = f["interface_index"] or None
        for name in ("comm", "effective_comm", "history"):
            self[name] = f[name] or None
        for name in ("pid", "effective_pid"):
            self[name] = None if f[name] < 0 else f[name]
        self._forget_unknown(flags)

    def _forget_unknown(self, flags: int) -> None:
        """Sets members that the flags call unknown to None."""
        if not flags & _INTERFACE_ID:
            self["interface_id"] = None
        if not flags & _LENGTHS:
            self["ip_bytes"] = self["payload_bytes"] = None
        if not flags & _CUTOFF:
            self["unwritten_packets"] = self["unwritten_bytes"] = None
        if not flags & _ICMP:
            self["icmp_type"] = self["icmp_code"] = None
        if not flags & _HEALTH:
            for name in _BY_HEALTH:
                self[name] = None

    @property
    def endpoints(self) -> Tuple[str, str]:
        """Originator and responder as text: ("192.0.2.1:443", "[2001:db8::1]:443")."""
        return (
            endpoint_text(self["src"], self["sport"]),
            endpoint_text(self["dst"], self["dport"]),
        )

    @property
    def conn_state(self) -> str:
        """Zeek's conn_state, as "SF"."""
        return decode(lib.bpe_flow_conn_state(self.record))

    def community_id(self, seed: int = 0) -> Optional[str]:
        """The Community ID, version 1; None for a flow that has none."""
        text = ctypes.create_string_buffer(COMMUNITY_ID_BYTES)
        got = check(lib.bpe_flow_community_id(self.record, seed, text))
        return text.value.decode() if got else None

    def line(self, format: Union[Format, str] = "json") -> str:
        """The record as a line of text, its end of line included: "json", "zeek", "eve", "csv" or
        "ecs" (the formats of bpfengine(1))."""
        return format_record(self.record, format)


def format_record(record: Optional[bytes], format: Union[Format, str]) -> str:
    """A record as a line; None: the line before all others (the names of CSV), or ""."""
    if isinstance(format, str):
        if format.upper() not in Format.__members__:
            names = ", ".join(f.name.lower() for f in Format)
            raise ValueError(f"no format {format!r}: the formats are {names}")
        format = Format[format.upper()]
    text = ctypes.create_string_buffer(FORMAT_BYTES)
    check(lib.bpe_flow_format(record, int(format), text, len(text)))
    return decode(text.value)


def ask_largest(
    function: Any, handle: Handle, count: int, order: Union[Order, str], since_ns: int
) -> List[Flow]:
    """Asks an engine or capture for its largest live flows."""
    order = Order[order.upper()] if isinstance(order, str) else order
    found, error = (bpe_flow * count)(), bpe_error()
    question = bpe_flow_question()
    question.struct_size = ctypes.sizeof(question)
    question.order, question.since_ns = int(order), since_ns
    question.flows, question.n = ctypes.addressof(found), count
    question.flow_bytes = ctypes.sizeof(bpe_flow)
    n = check(function(handle.pointer, ctypes.byref(question), ctypes.byref(error)), error)
    return [Flow(copy_record(ctypes.addressof(found[i]))) for i in range(n)]


def header_line(format: Union[Format, str] = "csv") -> str:
    """The line before all records: the names of CSV's columns; "" for other formats."""
    return format_record(None, format)
