# SPDX-License-Identifier: MIT
"""Batches of packets: columns and packet bytes as views of the library's memory, not copies.

A batch ends when the next is asked for, or when its handler returns.  Its views are then released:
a later use raises ValueError.  A slice of a view, or a numpy array over a view, cannot be released
by the batch.  It keeps the capture's memory mapped, and shows whatever lies there later.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union, overload

from ._decode import Decoder, address_text
from ._enums import (
    BATCH,
    LAYERS_OUTERMOST,
    NO_OFFSET,
    Mark,
    MetaFlag,
    PacketFlag,
    TcpOption,
)
from ._flow import Flow, copy_record, protocol_name, tunnel_dict
from ._layout import (
    bpe_batch,
    bpe_flow,
    bpe_key,
    bpe_layers,
    bpe_meta,
    bpe_tcp_options,
    bpe_tunnel,
)
from ._library import Handle, check, lib
from ._text import endpoint_text

# The memory from an address on; only slices that lie in packets are ever read.
_MEMORY = ctypes.c_ubyte * (sys.maxsize // 2)
_COLUMNS: Dict[str, Tuple[Any, Any]] = {
    "time_ns": (ctypes.c_int64 * BATCH, "q"),
    "caplen": (ctypes.c_uint32 * BATCH, "I"),
    "wirelen": (ctypes.c_uint32 * BATCH, "I"),
    "interface_id": (ctypes.c_uint32 * BATCH, "I"),
    "hash": (ctypes.c_uint32 * BATCH, "I"),
    "flow": (ctypes.c_uint32 * BATCH, "I"),
    "data": (ctypes.c_size_t * BATCH, "N"),
    "marks": (ctypes.c_uint16 * BATCH, "H"),
    "rtt_ns": (ctypes.c_int64 * BATCH, "q"),
}
_STRUCTURES = {"layers": bpe_layers, "key": bpe_key}
_LAYERS = struct.Struct("@4HI H2B H2B 2H")
_KEY = struct.Struct("@16s16s2H2B2H2xI")
assert _LAYERS.size == ctypes.sizeof(bpe_layers) and _KEY.size == ctypes.sizeof(bpe_key)
_TUNNEL, _META, _TCP = Decoder(bpe_tunnel), Decoder(bpe_meta), Decoder(bpe_tcp_options)
_HAS_KEY, _REVERSED = int(PacketFlag.KEY), int(PacketFlag.REVERSED)


class Layers(NamedTuple):
    """struct bpe_layers: where a packet's layers begin.  Offsets are bytes from the first captured
    byte; NO_OFFSET (65535) says that the layer is missing."""

    network: int
    transport: int
    payload: int
    flags: int
    end: int
    ethertype: int
    ip_proto: int
    proto: int
    link_type: int
    tcp_flags: int
    vlan_count: int
    vlan_outer: int
    vlan_inner: int


class Ends(NamedTuple):
    """Who sent a packet to whom.  Ports are 0 where the protocol has none."""

    src: str
    sport: int
    dst: str
    dport: int
    ip_proto: int

    @property
    def endpoints(self) -> Tuple[str, str]:
        """Sender and receiver as text: ("192.0.2.1:443", "[2001:db8::1]:443")."""
        return endpoint_text(self.src, self.sport), endpoint_text(self.dst, self.dport)


class Key(NamedTuple):
    """struct bpe_key: the identity of a flow, the same for both directions.  Pairs are endpoint 0,
    the lower by address and port, then endpoint 1."""

    addr: Tuple[str, str]
    port: Tuple[int, int]
    ip_proto: int
    ip_version: int
    vlan: Tuple[int, ...]  # ids, outermost first
    tunnel: int


class BatchOver(ValueError):
    """A batch, or a packet of a batch, was used after the batch's end."""


class Batch(Sequence["Packet"]):
    """Up to 64 packets, side by side.

    time_ns, caplen, wirelen, interface_id, hash, flow, marks and rtt_ns are read-only memoryviews
    without a copy; numpy.asarray takes them as they are.  data is a list of memoryviews.  Iteration
    gives Packet.
    """

    __slots__ = (
        "_handle",
        "_batch",
        "_views",
        "_data",
        "_lent",
        "_count",
        "_has_flows",
        "__weakref__",
    )

    def __init__(self, handle: Optional[Handle], batch: bpe_batch, has_flows: bool) -> None:
        self._handle = handle
        self._batch = batch
        self._views: Dict[str, memoryview] = {}
        self._data: Optional[List[memoryview]] = None
        self._lent: List[memoryview] = []
        self._count: int = batch.count
        self._has_flows = has_flows

    def _end(self) -> None:
        """Releases every view that was given out."""
        self._handle = None
        for view in (*self._views.values(), *(self._data or ()), *self._lent):
            try:
                view.release()
            except BufferError:  # a numpy array holds it, and the array holds the memory
                pass
        self._views = {}
        self._data = None
        self._lent = []

    def _alive(self) -> Handle:
        if self._handle is None:
            raise BatchOver(
                "the batch is over: its views are valid until the next batch is asked for, or "
                "until the handler returns; keep bytes(packet.data) instead"
            )
        return self._handle

    def _share(self, kind: Any, address: int) -> memoryview:
        """The memory at an address; it stays mapped while a view of it is alive."""
        shared = kind.from_address(address)
        shared.owner = self._alive()
        return memoryview(shared)

    def _column(self, name: str) -> memoryview:
        view = self._views.get(name)
        if view is None:
            self._alive()
            kind, code = _COLUMNS[name]
            address = getattr(self._batch, name)
            if not address:
                raise AttributeError(f"this source or run has no column {name}")
            whole: memoryview = self._share(kind, address).cast("B").cast(code)
            view = self._views[name] = whole[: self._count].toreadonly()
        return view

    @property
    def time_ns(self) -> memoryview:
        """Time stamps: int64 nanoseconds since 1970-01-01 UTC."""
        return self._column("time_ns")

    @property
    def caplen(self) -> memoryview:
        """Bytes captured: uint32."""
        return self._column("caplen")

    @property
    def wirelen(self) -> memoryview:
        """Bytes on the wire: uint32."""
        return self._column("wirelen")

    @property
    def interface_id(self) -> memoryview:
        """Numbers of interfaces (pcapng), or the system's index ("any"): uint32."""
        return self._column("interface_id")

    @property
    def hash(self) -> memoryview:
        """Hashes of the packets' keys: uint32, 0 without a key."""
        return self._column("hash")

    @property
    def marks(self) -> memoryview:
        """What the flow table found of each TCP packet: uint16, bits of Mark.  Needs marks=True."""
        return self._column("marks")

    @property
    def rtt_ns(self) -> memoryview:
        """Round trips: int64 nanoseconds, only where marks has Mark.RTT.  Needs marks=True."""
        return self._column("rtt_ns")

    @property
    def data(self) -> List[memoryview]:
        """The captured bytes of each packet, as views."""
        if self._data is None:
            self._alive()
            addresses = self._column("data")
            first = min(addresses)
            memory = self._share(_MEMORY, first).cast("B").toreadonly()
            self._data = [memory[a - first : a - first + n] for a, n in zip(addresses, self.caplen)]
            self._views["memory"] = memory
        return self._data

    @property
    def layers(self) -> List[Layers]:
        """The layers of each packet.  These are copies, and stay."""
        return [Layers._make(row) for row in _LAYERS.iter_unpack(self.view("layers").cast("B"))]

    @property
    def worker(self) -> int:
        """The number of the worker that handles the batch."""
        return int(self._batch.worker)

    def view(self, name: str) -> memoryview:
        """A column by name.  "layers" and "key" have a structured format, for numpy.asarray."""
        if name not in _STRUCTURES:
            return self._column(name)
        view = self._views.get(name)
        if view is None:
            self._alive()
            address = getattr(self._batch, name)
            whole = self._share(_STRUCTURES[name] * self._count, address)
            view = self._views[name] = whole.toreadonly()
        return view

    def ends(self) -> List[Optional[Ends]]:
        """Sender and receiver of each packet; None for a packet without a flow key."""
        found: List[Optional[Ends]] = []
        keys = self.view("key").cast("B")
        for row, layers in zip(_KEY.iter_unpack(keys), self.layers):
            found.append(make_ends(row, layers.flags))
        return found

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> "Packet": ...
    @overload
    def __getitem__(self, index: slice) -> "List[Packet]": ...
    def __getitem__(self, index: Union[int, slice]) -> "Union[Packet, List[Packet]]":
        if isinstance(index, slice):
            return [Packet(self, i) for i in range(*index.indices(self._count))]
        if index < 0:
            index += self._count
        if not 0 <= index < self._count:
            raise IndexError(f"packet {index} of a batch of {self._count}")
        return Packet(self, index)

    def __iter__(self) -> "Iterator[Packet]":
        return iter([Packet(self, i) for i in range(self._count)])

    def __repr__(self) -> str:
        state = "over" if self._handle is None else "alive"
        return f"<bpfengine.Batch of {self._count} packets, {state}>"


def make_ends(key: Tuple[Any, ...], flags: int) -> Optional[Ends]:
    """The ends of a packet with an unpacked key, from its sender to its receiver."""
    if not flags & _HAS_KEY:
        return None
    a, b, port_a, port_b, ip_proto, version = key[:6]
    low, high = address_text(a, version), address_text(b, version)
    if flags & _REVERSED:
        return Ends(high, port_b, low, port_a, ip_proto)
    return Ends(low, port_a, high, port_b, ip_proto)


def make_tcp_options(found: bpe_tcp_options) -> Dict[str, Any]:
    """TCP options as a dictionary; None for those that are not present."""
    values = _TCP.decode(bytes(found))
    present = values["present"]
    blocks = [struct.unpack("@2I", b) for b in values["sack"][: values["sack_count"]]]
    return {
        "mss": values["mss"] if present & TcpOption.MSS else None,
        "window_scale": values["window_scale"] if present & TcpOption.WINDOW_SCALE else None,
        "sack_permitted": bool(present & TcpOption.SACK_PERMITTED),
        "sack": blocks,
        "timestamp": values["timestamp"] if present & TcpOption.TIMESTAMPS else None,
        "timestamp_echo": values["timestamp_echo"] if present & TcpOption.TIMESTAMPS else None,
        "bad": bool(present & TcpOption.OPTIONS_BAD),
    }


def make_tunnel(found: bpe_tunnel) -> Optional[Dict[str, Any]]:
    """A tunnel as a dictionary."""
    return tunnel_dict(_TUNNEL.decode(bytes(found)))


class Described:
    """What layers and key tell about a packet."""

    __slots__ = ()

    @property
    def layers(self) -> Layers:
        """Where the layers begin."""
        raise NotImplementedError

    def _key_row(self) -> Tuple[Any, ...]:
        """The members of struct bpe_key."""
        raise NotImplementedError

    @property
    def flags(self) -> PacketFlag:
        """The packet's flags."""
        return PacketFlag(self.layers.flags)

    @property
    def proto(self) -> str:
        """The packet's kind: "tcp", "udp", "arp"."""
        return protocol_name(self.layers.proto)

    @property
    def ends(self) -> Optional[Ends]:
        """Sender and receiver, or None for a packet without a flow key."""
        return make_ends(self._key_row(), self.layers.flags)

    @property
    def key(self) -> Optional[Key]:
        """The flow key, the same for both directions; None for a packet without a flow key."""
        if not self.layers.flags & _HAS_KEY:
            return None
        a, b, port_a, port_b, ip_proto, version, outer, inner, tunnel = self._key_row()
        addresses = address_text(a, version), address_text(b, version)
        vlan = tuple(v for v in (outer, inner) if v)
        return Key(addresses, (port_a, port_b), ip_proto, version, vlan, tunnel)

    @property
    def sender(self) -> Optional[int]:
        """The endpoint of the key that sent the packet: 0 or 1; None without a flow key."""
        flags = self.layers.flags
        return int(bool(flags & _REVERSED)) if flags & _HAS_KEY else None


class Packet(Described):
    """A packet of a batch, valid as long as the batch is.  Nothing is copied before it is asked
    for."""

    __slots__ = ("_batch", "_i")

    def __init__(self, batch: Batch, i: int) -> None:
        self._batch = batch
        self._i = i

    @property
    def time_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC."""
        return int(self._batch._column("time_ns")[self._i])

    @property
    def caplen(self) -> int:
        """Bytes captured."""
        return int(self._batch._column("caplen")[self._i])

    @property
    def wirelen(self) -> int:
        """Bytes on the wire."""
        return int(self._batch._column("wirelen")[self._i])

    @property
    def interface_id(self) -> int:
        """As the batch's column."""
        return int(self._batch._column("interface_id")[self._i])

    @property
    def hash(self) -> int:
        """The seeded hash of the packet's key; 0 without a key."""
        return int(self._batch._column("hash")[self._i])

    @property
    def marks(self) -> Mark:
        """What the flow table found of the packet.  Needs marks=True."""
        return Mark(self._batch._column("marks")[self._i])

    @property
    def rtt_ns(self) -> Optional[int]:
        """The round trip that the packet completes, or None.  Needs marks=True."""
        if not self.marks & Mark.RTT:
            return None
        return int(self._batch._column("rtt_ns")[self._i])

    @property
    def data(self) -> memoryview:
        """The captured bytes, without a copy.  bytes(packet.data) keeps them."""
        return self._batch.data[self._i]

    @property
    def layers(self) -> Layers:
        """Where the layers begin."""
        rows = self._batch.view("layers").cast("B")
        return Layers._make(_LAYERS.unpack_from(rows, self._i * _LAYERS.size))

    @property
    def payload(self) -> Optional[memoryview]:
        """The bytes behind the last known header; None if there are none."""
        layers = self.layers
        if layers.payload == NO_OFFSET:
            return None
        view = self.data[layers.payload : layers.end]
        self._batch._lent.append(view)
        return view

    def _key_row(self) -> Tuple[Any, ...]:
        keys = self._batch.view("key").cast("B")
        return _KEY.unpack_from(keys, self._i * _KEY.size)

    @property
    def outer_layers(self) -> Layers:
        """The layers up to the outermost IP header, parsed again."""
        found = bpe_layers()
        self._ask(lib.bpe_batch_layers, LAYERS_OUTERMOST, ctypes.byref(found), None)
        return Layers._make(_LAYERS.unpack(bytes(found)))

    def _ask(self, function: Any, *arguments: Any) -> int:
        self._batch._alive()
        return check(function(ctypes.byref(self._batch._batch), self._i, *arguments))

    def flow(self) -> Optional[Flow]:
        """The packet's flow, as it stands now; None without one.  Only inside on_batch, or at a
        capture with flow_table."""
        if not self._batch._has_flows:
            return None
        found = bpe_flow()
        if not self._ask(lib.bpe_batch_flow_sized, ctypes.byref(found), ctypes.sizeof(found)):
            return None
        return Flow(copy_record(ctypes.addressof(found)))

    def flow_end(self) -> Optional[int]:
        """The end of the flow's pairs that sent the packet: 0, the originator, or 1; None without
        a flow.  Where flow() may be called."""
        self._batch._alive()
        if not self._batch._has_flows:
            return None
        end = int(lib.bpe_batch_flow_end(ctypes.byref(self._batch._batch), self._i))
        return end if end >= 0 else None

    def tunnel(self) -> Optional[Dict[str, Any]]:
        """The innermost tunnel around the packet: kind, depth, id, src, dst; None without one."""
        found = bpe_tunnel()
        if not self._ask(lib.bpe_batch_tunnel, ctypes.byref(found)):
            return None
        return make_tunnel(found)

    def tcp_options(self) -> Optional[Dict[str, Any]]:
        """The TCP options that are present; None for a packet that is not TCP."""
        found = bpe_tcp_options()
        if not self._ask(lib.bpe_batch_tcp_options, ctypes.byref(found)):
            return None
        return make_tcp_options(found)

    def meta(self) -> Optional[Dict[str, Any]]:
        """What macOS tells about the packet: members of struct bpe_meta; None elsewhere."""
        found = bpe_meta()
        if not self._ask(lib.bpe_batch_meta_sized, ctypes.byref(found), ctypes.sizeof(found)):
            return None
        values = _META.decode(bytes(found))
        values["flags"] = MetaFlag(values["flags"])
        return values

    def __repr__(self) -> str:
        return f"<bpfengine.Packet {self._i} of {self._batch!r}>"
