# SPDX-License-Identifier: MIT
"""bpfengine in Python, by ctypes alone: captures as iterators of batches, and runs that give
flows.  An example to take along: the structures are those of bpfengine.h, member by member, and
each one's size is asked of the library when it is loaded.

    import bpfengine
    for batch in bpfengine.Capture(interface="en0", filter="tcp port 443"):
        for packet in batch:
            print(packet.time_ns, packet.data[:14].hex())

The library is looked for where the system's are, or at the path in BPFENGINE_LIBRARY.
"""

import ctypes, ctypes.util, ipaddress, os
from ctypes import (
    POINTER,
    byref,
    c_bool,
    c_char,
    c_char_p,
    c_int,
    c_int8,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)

E_END = -12
ORDER_BYTES, ORDER_PACKETS = 0, 1
PKT_KEY, PKT_REVERSED = 0x0010, 0x0020
FORMATS = ("json", "zeek", "eve", "csv", "ecs")
PROTOCOLS = (
    "damaged",
    "arp",
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "igmp",
    "sctp",
    "ip",
    "ethertype",
    "llc",
    "linktype",
    "udplite",
    "dccp",
    "carp",
    "wireguard",
    "stp",
    "gtp-prime",
)


class Error(Exception):
    """What the library said; status is one of enum bpe_status."""

    def __init__(self, text, status=0):
        super().__init__(text)
        self.status = status


class bpe_error(ctypes.Structure):
    _fields_ = [
        ("status", c_int),
        ("sys_errno", c_int),
        ("step", c_char * 32),
        ("text", c_char * 256),
    ]


class bpe_layers(ctypes.Structure):
    _fields_ = [
        ("network", c_uint16),
        ("transport", c_uint16),
        ("payload", c_uint16),
        ("flags", c_uint16),
        ("end", c_uint32),
        ("ethertype", c_uint16),
        ("ip_proto", c_uint8),
        ("proto", c_uint8),
        ("link_type", c_uint16),
        ("tcp_flags", c_uint8),
        ("vlan_count", c_uint8),
        ("vlan", c_uint16 * 2),
    ]


class bpe_key(ctypes.Structure):
    _fields_ = [
        ("addr", c_uint8 * 16 * 2),
        ("port", c_uint16 * 2),
        ("ip_proto", c_uint8),
        ("ip_version", c_uint8),
        ("vlan", c_uint16 * 2),
        ("zero", c_uint8 * 2),
        ("tunnel", c_uint32),
    ]


class bpe_batch(ctypes.Structure):
    _fields_ = [
        ("size", c_uint32),
        ("count", c_uint32),
        ("worker", c_uint32),
        ("zero", c_uint32),
        ("data", POINTER(c_void_p)),
        ("time_ns", POINTER(c_int64)),
        ("caplen", POINTER(c_uint32)),
        ("wirelen", POINTER(c_uint32)),
        ("interface_id", POINTER(c_uint32)),
        ("layers", POINTER(bpe_layers)),
        ("key", POINTER(bpe_key)),
        ("hash", POINTER(c_uint32)),
        ("flow", POINTER(c_uint32)),
        ("table", c_void_p),
        ("meta", POINTER(c_uint16)),
        ("closed_tunnels", c_uint64),
    ]


class bpe_tunnel(ctypes.Structure):
    _fields_ = [
        ("kind", c_uint8),
        ("depth", c_uint8),
        ("ip_version", c_uint8),
        ("has_id", c_uint8),
        ("id", c_uint32),
        ("addr", c_uint8 * 16 * 2),
    ]


class bpe_flow(ctypes.Structure):
    _fields_ = [
        ("version", c_uint16),
        ("size", c_uint16),
        ("interface_index", c_uint32),
        ("addr", c_uint8 * 16 * 2),
        ("port", c_uint16 * 2),
        ("ip_proto", c_uint8),
        ("ip_version", c_uint8),
        ("vlan", c_uint16 * 2),
        ("tcp_state", c_uint8),
        ("tcp_flags", c_uint8 * 2),
        ("end", c_uint8),
        ("icmp_type", c_uint8),
        ("icmp_code", c_uint8),
        ("flags", c_uint32),
        ("hash", c_uint32),
        ("interface_id", c_uint32),
        ("worker", c_uint16),
        ("zero", c_uint16),
        ("packets", c_uint64 * 2),
        ("captured_bytes", c_uint64 * 2),
        ("wire_bytes", c_uint64 * 2),
        ("ip_bytes", c_uint64 * 2),
        ("payload_bytes", c_uint64 * 2),
        ("first_ns", c_int64),
        ("last_ns", c_int64),
        ("interface_name", c_char * 256),
        ("pid", c_int32),
        ("effective_pid", c_int32),
        ("comm", c_char * 32),
        ("effective_comm", c_char * 32),
        ("history", c_char * 32),
        ("handshake_ns", c_int64 * 2),
        ("rtt_ns", c_int64 * 2),
        ("mss", c_uint16 * 2),
        ("window_scale", c_int8 * 2),
        *(
            (name, c_uint32 * 2)
            for name in (
                "retransmissions",
                "fast_retransmissions",
                "spurious_retransmissions",
                "out_of_order",
                "repeated_acks",
                "zero_windows",
                "lost_segments",
                "unseen_acks",
                "keep_alives",
                "icmp_errors",
                "duplicates",
            )
        ),
        ("tunnel", bpe_tunnel),
        ("slot", c_uint32),
        ("reserved", c_uint32),
    ]


class bpe_flow_totals(ctypes.Structure):
    _fields_ = [("packet_ns", c_int64), ("alive", c_uint64), ("recent", c_uint64)]


class bpe_flow_question(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("order", c_uint32),
        ("since_ns", c_int64),
        ("flows", POINTER(bpe_flow)),
        ("n", c_size_t),
        ("totals", POINTER(bpe_flow_totals)),
        ("flow_bytes", c_size_t),
        ("totals_bytes", c_size_t),
    ]


bpe_batch_fn = ctypes.CFUNCTYPE(None, c_void_p, POINTER(bpe_batch))
bpe_flow_fn = ctypes.CFUNCTYPE(None, c_void_p, POINTER(bpe_flow), c_uint32)
bpe_notice_fn = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)


class bpe_options(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("interface_name", c_char_p),
        ("file", c_char_p),
        ("snaplen", c_uint32),
        ("promiscuous", c_bool),
        ("wait_interface", c_bool),
        ("direction", c_uint32),
        ("link_type", c_int32),
        ("max_packets", c_uint64),
        ("filter", c_void_p),
        ("filter_length", c_uint32),
        ("filter_expression", c_char_p),
        ("filter_through", c_uint32),
        ("buffer_bytes", c_uint64),
        ("block_bytes", c_uint32),
        ("block_count", c_uint32),
        ("bpf_abi", c_char_p),
        ("bpf_device", c_char_p),
        ("read_mode", c_uint32),
        ("read_interval_ns", c_int64),
        ("process", c_bool),
        ("head_drop", c_bool),
        ("header_compression", c_bool),
        ("truncate_payload", c_bool),
        ("zero_copy", c_bool),
        ("outermost", c_bool),
        ("checksums", c_bool),
        ("count_only", c_bool),
        ("closed_tunnels", c_uint64),
        ("ignore_tunnel", c_bool),
        ("ignore_vlan", c_bool),
        ("fixed_seed", c_bool),
        ("hash_seed", c_uint64),
        ("workers", c_int32),
        ("ring_slots", c_uint32),
        ("overload", c_uint32),
        ("pin_workers", c_bool),
        ("priority", c_uint32),
        ("spread", c_uint32),
        ("spread_networks", c_char_p),
        ("flows", c_bool),
        ("no_tcp_health", c_bool),
        ("direction_by_port", c_bool),
        ("flow_lengths", c_bool),
        ("duplicates", c_uint32),
        ("max_flows", c_uint64),
        ("max_flow_bytes", c_uint64),
        ("flow_idle_ns", c_int64),
        ("flow_closed_ns", c_int64),
        ("flow_timeout_ns", c_int64 * 16),
        ("flow_active_ns", c_int64),
        ("on_batch", bpe_batch_fn),
        ("on_flow", bpe_flow_fn),
        ("on_notice", bpe_notice_fn),
        ("user", c_void_p),
        ("on_record", bpe_flow_fn),
        ("record_ring_bytes", c_uint32),
        ("record_overload", c_uint32),
        ("on_flow_open", bpe_flow_fn),
        ("on_flow_update", bpe_flow_fn),
        ("flow_update_ns", c_int64),
        ("flow_update_bytes", c_uint64),
    ]


STRUCTURES = (
    bpe_error,
    bpe_layers,
    bpe_key,
    bpe_batch,
    bpe_flow,
    bpe_options,
    bpe_flow_totals,
    bpe_flow_question,
)


def load(path=None):
    """The library, its functions declared, and every structure above proved to be as large as
    the library's."""
    path = path or os.environ.get("BPFENGINE_LIBRARY") or ctypes.util.find_library("bpfengine")
    if not path:
        raise Error(
            "no libbpfengine: install it, or put the path of the shared library into BPFENGINE_LIBRARY"
        )
    try:
        lib = ctypes.CDLL(path)
    except OSError as e:
        raise Error(f"{path} cannot be loaded: {e}") from None
    try:
        for name, result, *arguments in (
            ("bpe_version", c_char_p),
            ("bpe_struct_size", c_size_t, c_char_p),
            ("bpe_options_init_sized", None, POINTER(bpe_options), c_size_t),
            (
                "bpe_capture_open",
                c_int,
                POINTER(bpe_options),
                POINTER(c_void_p),
                POINTER(bpe_error),
            ),
            (
                "bpe_capture_next_sized",
                c_int,
                c_void_p,
                POINTER(bpe_batch),
                c_size_t,
                c_int64,
                POINTER(bpe_error),
            ),
            ("bpe_capture_source", c_char_p, c_void_p),
            ("bpe_capture_link_type", c_char_p, c_void_p),
            ("bpe_capture_close", None, c_void_p),
            ("bpe_engine_open", c_int, POINTER(bpe_options), POINTER(c_void_p), POINTER(bpe_error)),
            ("bpe_flow_format", c_int, POINTER(bpe_flow), c_uint32, c_char_p, c_size_t),
            ("bpe_engine_start", c_int, c_void_p, POINTER(bpe_error)),
            ("bpe_engine_wait", c_int, c_void_p, c_int64),
            ("bpe_engine_result", c_int, c_void_p, POINTER(bpe_error)),
            (
                "bpe_engine_largest_flows_sized",
                c_int,
                c_void_p,
                POINTER(bpe_flow_question),
                POINTER(bpe_error),
            ),
            ("bpe_engine_run", c_int, c_void_p, c_int64, POINTER(bpe_error)),
            ("bpe_engine_stop", None, c_void_p),
            ("bpe_engine_close", None, c_void_p),
        ):
            function = getattr(lib, name)
            function.restype, function.argtypes = result, arguments
    except AttributeError as e:
        raise Error(f"{path} is no libbpfengine that this module knows: {e}") from None
    for structure in STRUCTURES:
        theirs, mine = lib.bpe_struct_size(structure.__name__.encode()), ctypes.sizeof(structure)
        if theirs != mine:
            raise Error(
                f"struct {structure.__name__} has {theirs} bytes in libbpfengine {lib.bpe_version().decode()} and {mine} here: "
                "this bpfengine.py is for another version; take the one that came with the library"
            )
    return lib


lib = load()


def options(interface=None, file=None, filter=None, **more):
    """bpe_options with its defaults, then what is given; more: any other of its members by name."""
    o = bpe_options()
    lib.bpe_options_init_sized(byref(o), ctypes.sizeof(o))
    o.interface_name, o.file, o.filter_expression = (
        s.encode() if s is not None else None for s in (interface, file, filter)
    )
    for name, value in more.items():
        if name not in dict(bpe_options._fields_):
            raise TypeError(f"bpe_options has no member {name}")
        setattr(o, name, value)
    return o


def _good(result, error):
    if result < 0:
        raise Error(error.text.decode(errors="replace"), result)
    return result


def _ends(x):
    """(address, port) of both ends of a key or flow."""
    return [
        (ipaddress.ip_address(bytes(x.addr[i])[: 4 if x.ip_version == 4 else 16]), x.port[i])
        for i in (0, 1)
    ]


class Packet:
    """One packet, copied out of its batch: it stays when the batch goes."""

    def __init__(self, batch, i):
        self.time_ns, self.caplen, self.wirelen, self.hash = (
            batch.time_ns[i],
            batch.caplen[i],
            batch.wirelen[i],
            batch.hash[i],
        )
        self.data = ctypes.string_at(batch.data[i], self.caplen)
        self.layers = bpe_layers.from_buffer_copy(batch.layers[i])
        self.protocol = (
            PROTOCOLS[self.layers.proto]
            if self.layers.proto < len(PROTOCOLS)
            else str(self.layers.proto)
        )
        self.source = self.target = None  # (address, port), where it belongs to a flow
        if self.layers.flags & PKT_KEY:
            ends = _ends(batch.key[i])
            self.source, self.target = reversed(ends) if self.layers.flags & PKT_REVERSED else ends


class Capture:
    """An iterator of lists of packets, until the source ends; timeout_ns >= 0: gives empty lists
    when nothing came."""

    def __init__(self, timeout_ns=-1, **wanted):
        self._options, self._handle, self._timeout = options(**wanted), c_void_p(), timeout_ns
        error = bpe_error()
        _good(lib.bpe_capture_open(byref(self._options), byref(self._handle), byref(error)), error)

    @property
    def source(self):
        return lib.bpe_capture_source(self._handle).decode()

    @property
    def link_type(self):
        return lib.bpe_capture_link_type(self._handle).decode()

    def __iter__(self):
        batch, error = bpe_batch(), bpe_error()
        while self._handle:
            n = lib.bpe_capture_next_sized(
                self._handle, byref(batch), ctypes.sizeof(batch), self._timeout, byref(error)
            )
            if n == E_END:
                return
            _good(n, error)
            yield [Packet(batch, i) for i in range(batch.count if n else 0)]

    def close(self):
        if self._handle:
            lib.bpe_capture_close(self._handle)
        self._handle = c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Flow:
    """A flow, at its end or in a snapshot; index 0 is the originator."""

    def __init__(self, f):
        self.record = bpe_flow.from_buffer_copy(f)
        self.ends, self.ip_proto, self.tcp_state = _ends(f), f.ip_proto, f.tcp_state
        self.packets, self.wire_bytes, self.first_ns, self.last_ns = (
            list(f.packets),
            list(f.wire_bytes),
            f.first_ns,
            f.last_ns,
        )

    def line(self, format="json"):
        """The record as text in one of FORMATS, its end of line included."""
        text = ctypes.create_string_buffer(4096)
        if lib.bpe_flow_format(byref(self.record), FORMATS.index(format), text, len(text)) < 0:
            raise Error("this record cannot be written")
        return text.value.decode()


def flows(on_flow, seconds=0, **wanted):
    """Runs the engine on this thread, and calls on_flow(Flow) as flows end; an exception in it
    stops the run and comes out here."""
    o, handle, error, raised = options(workers=0, **wanted), c_void_p(), bpe_error(), []

    def ended(_, flow, worker):
        if raised:
            return
        try:
            on_flow(Flow(flow.contents))
        except BaseException as e:  # must not leave through C
            raised.append(e)
            lib.bpe_engine_stop(handle)

    o.on_flow = bpe_flow_fn(ended)
    _good(lib.bpe_engine_open(byref(o), byref(handle), byref(error)), error)
    try:
        result = lib.bpe_engine_run(handle, int(seconds * 1e9), byref(error))
    finally:
        lib.bpe_engine_close(handle)
    if raised:
        raise raised[0]
    _good(result, error)


def largest(on_snapshot, every=1.0, count=10, order=ORDER_BYTES, seconds=0, **wanted):
    """Runs the engine on a thread of its own, and calls on_snapshot(alive, [Flow]) on this one
    every so many seconds, and at the end of the run: with the
    number of flows alive, and the largest of them, largest first.  True as its answer ends the
    run."""
    o, handle, error, about, flows = (
        options(**wanted),
        c_void_p(),
        bpe_error(),
        bpe_flow_totals(),
        (bpe_flow * count)(),
    )
    question = bpe_flow_question(
        ctypes.sizeof(bpe_flow_question),
        order,
        -(2**63),
        flows,
        count,
        ctypes.pointer(about),
        ctypes.sizeof(bpe_flow),
        ctypes.sizeof(about),
    )
    _good(lib.bpe_engine_open(byref(o), byref(handle), byref(error)), error)
    try:
        _good(lib.bpe_engine_start(handle, byref(error)), error)
        end, ended, left = False, 0, seconds if seconds > 0 else float("inf")
        while not ended:
            ended = lib.bpe_engine_wait(handle, -1 if end else int(min(every, left) * 1e9))
            left -= every
            n = _good(
                lib.bpe_engine_largest_flows_sized(handle, byref(question), byref(error)),
                error,
            )
            if not end:
                end = bool(on_snapshot(about.alive, [Flow(f) for f in flows[:n]])) or left <= 0
            if end:
                lib.bpe_engine_stop(handle)
        _good(lib.bpe_engine_result(handle, byref(error)), error)
    finally:
        lib.bpe_engine_close(handle)
