# SPDX-License-Identifier: MIT
# fmt: off
"""The contract of bpfengine.h 0.1.0 for ctypes: written by scripts/python_layout.py, not by hand.

Pointers are c_void_p, except texts.  The comments of bpfengine.h say what each member means.
"""

from __future__ import annotations

from ctypes import CFUNCTYPE, Structure, c_bool, c_char, c_char_p, c_int, c_int8, c_int16, c_int32
from ctypes import c_int64, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from typing import Any, Dict, Tuple, TypedDict, Union

from ._enums import (
    Direction,
    Duplicates,
    Overload,
    Priority,
    ReadMode,
    RecordOverload,
    Spread,
    Timeout,
)

VERSION = "0.1.0"

bpe_flow_fn = CFUNCTYPE(None, c_void_p, c_void_p, c_uint32)
bpe_batch_fn = CFUNCTYPE(None, c_void_p, c_void_p)
bpe_notice_fn = CFUNCTYPE(None, c_void_p, c_char_p)
bpe_event_fn = CFUNCTYPE(None, c_void_p, c_void_p)
bpe_owner_fn = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_size_t)
bpe_hmac_fn = CFUNCTYPE(c_bool, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p)
bpe_aes_fn = CFUNCTYPE(c_bool, c_void_p, c_void_p, c_void_p, c_size_t)
bpe_gcm_fn = CFUNCTYPE(c_bool, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p)
bpe_file_fn = CFUNCTYPE(None, c_void_p, c_void_p)
bpe_now_fn = CFUNCTYPE(c_int64, c_void_p)


class bpe_error(Structure):
    _fields_ = [("status", c_int), ("sys_errno", c_int), ("step", c_char * 32),
        ("text", c_char * 256),]


class bpe_flow_totals(Structure):
    _fields_ = [("packet_ns", c_int64), ("alive", c_uint64), ("recent", c_uint64),]


class bpe_insn(Structure):
    _fields_ = [("code", c_uint16), ("jt", c_uint8), ("jf", c_uint8), ("k", c_uint32),]


class bpe_options(Structure):
    _fields_ = [("struct_size", c_uint32), ("interface_name", c_char_p), ("file", c_char_p),
        ("memory", c_void_p), ("memory_bytes", c_size_t), ("push", c_bool), ("push_live", c_bool),
        ("snaplen", c_uint32), ("promiscuous", c_bool), ("wait_interface", c_bool),
        ("direction", c_uint32), ("link_type", c_int32), ("max_packets", c_uint64),
        ("filter", c_void_p), ("filter_length", c_uint32), ("filter_expression", c_char_p),
        ("filter_through", c_uint32), ("buffer_bytes", c_uint64), ("block_bytes", c_uint32),
        ("block_count", c_uint32), ("bpf_abi", c_char_p), ("bpf_device", c_char_p),
        ("read_mode", c_uint32), ("read_interval_ns", c_int64), ("process", c_bool),
        ("head_drop", c_bool), ("header_compression", c_bool), ("truncate_payload", c_bool),
        ("zero_copy", c_bool), ("outermost", c_bool), ("checksums", c_bool), ("count_only", c_bool),
        ("closed_tunnels", c_uint64), ("ignore_tunnel", c_bool), ("ignore_vlan", c_bool),
        ("fixed_seed", c_bool), ("hash_seed", c_uint64), ("workers", c_int32),
        ("ring_slots", c_uint32), ("overload", c_uint32), ("pin_workers", c_bool),
        ("priority", c_uint32), ("spread", c_uint32), ("spread_networks", c_char_p),
        ("flows", c_bool), ("flow_table", c_bool), ("no_tcp_health", c_bool),
        ("direction_by_port", c_bool), ("flow_lengths", c_bool), ("duplicates", c_uint32),
        ("max_flows", c_uint64), ("max_flow_bytes", c_uint64), ("flow_idle_ns", c_int64),
        ("flow_closed_ns", c_int64), ("flow_timeout_ns", c_int64 * 16), ("flow_active_ns", c_int64),
        ("on_batch", bpe_batch_fn), ("on_flow", bpe_flow_fn), ("on_notice", bpe_notice_fn),
        ("user", c_void_p), ("on_record", bpe_flow_fn), ("record_ring_bytes", c_uint32),
        ("record_overload", c_uint32), ("pull_records", c_bool), ("on_flow_open", bpe_flow_fn),
        ("on_flow_update", bpe_flow_fn), ("flow_update_ns", c_int64),
        ("flow_update_bytes", c_uint64), ("record_begins", c_bool), ("marks", c_bool),
        ("option_words", c_bool), ("cutoff", c_bool), ("cutoff_drop", c_bool),
        ("zero", c_uint8 * 3), ("cutoff_bytes", c_uint64), ("on_read", bpe_batch_fn),
        ("sources", c_void_p), ("source_count", c_uint64), ("names", c_uint32),
        ("names_form", c_uint32), ("names_key", c_char_p), ("public_suffixes", c_char_p),
        ("names_bytes", c_uint64), ("quic_per_second", c_uint64), ("crypto", c_void_p),
        ("on_event", bpe_event_fn), ("where", c_char_p), ("on_owner", bpe_owner_fn),
        ("fanout", c_uint32), ("fanout_group", c_uint32),]


class bpe_source(Structure):
    _fields_ = [("struct_size", c_uint32), ("zero", c_uint32), ("interface_name", c_char_p),
        ("file", c_char_p), ("filter_expression", c_char_p),]


class bpe_tunnel(Structure):
    _fields_ = [("kind", c_uint8), ("depth", c_uint8), ("ip_version", c_uint8),
        ("has_id", c_uint8), ("id", c_uint32), ("addr", c_uint8 * 16 * 2),]


class bpe_layers(Structure):
    _fields_ = [("network", c_uint16), ("transport", c_uint16), ("payload", c_uint16),
        ("flags", c_uint16), ("end", c_uint32), ("ethertype", c_uint16), ("ip_proto", c_uint8),
        ("proto", c_uint8), ("link_type", c_uint16), ("tcp_flags", c_uint8),
        ("vlan_count", c_uint8), ("vlan", c_uint16 * 2),]


class bpe_key(Structure):
    _fields_ = [("addr", c_uint8 * 16 * 2), ("port", c_uint16 * 2), ("ip_proto", c_uint8),
        ("ip_version", c_uint8), ("vlan", c_uint16 * 2), ("zero", c_uint8 * 2),
        ("tunnel", c_uint32),]


class bpe_batch(Structure):
    _fields_ = [("size", c_uint32), ("count", c_uint32), ("worker", c_uint32),
        ("zero", c_uint32), ("data", c_void_p), ("time_ns", c_void_p), ("caplen", c_void_p),
        ("wirelen", c_void_p), ("interface_id", c_void_p), ("layers", c_void_p), ("key", c_void_p),
        ("hash", c_void_p), ("flow", c_void_p), ("table", c_void_p), ("meta", c_void_p),
        ("closed_tunnels", c_uint64), ("marks", c_void_p), ("rtt_ns", c_void_p),
        ("source", c_void_p), ("lost_before", c_uint64), ("keep", c_void_p),]


class bpe_tcp_options(Structure):
    _fields_ = [("present", c_uint32), ("timestamp", c_uint32),
        ("timestamp_echo", c_uint32), ("sack", c_uint32 * 2 * 4), ("mss", c_uint16),
        ("window_scale", c_uint8), ("sack_count", c_uint8),]


class bpe_meta(Structure):
    _fields_ = [("flags", c_uint32), ("pid", c_int32), ("effective_pid", c_int32),
        ("comm", c_char * 32), ("effective_comm", c_char * 32), ("interface_name", c_char * 25),
        ("service_class", c_uint32), ("unsent_bytes", c_uint32), ("unsent_socket_bytes", c_uint32),
        ("trace_tag", c_uint32), ("flow_id", c_uint32), ("thread_id", c_uint32),
        ("drop_reason", c_uint32),]


class bpe_packet(Structure):
    _fields_ = [("data", c_void_p), ("time_ns", c_int64), ("caplen", c_uint32),
        ("wirelen", c_uint32), ("interface_id", c_uint32), ("link_type", c_int32),
        ("direction", c_uint32), ("meta", c_void_p),]


class bpe_flow_names(Structure):
    _fields_ = [("app", c_uint8), ("source", c_uint8), ("owner", c_uint8),
        ("others_count", c_uint8), ("flags", c_uint32), ("tls_version", c_uint16),
        ("tls_cipher", c_uint16), ("quic_version", c_uint32), ("http_status", c_uint16),
        ("zero", c_uint16), ("uid", c_int32), ("age_ns", c_int64), ("ttl_ns", c_int64),
        ("server", c_char * 256), ("others", c_char * 256), ("client", c_char * 64),
        ("alpn", c_char * 32), ("ja4", c_char * 40), ("ja3", c_char * 33),
        ("hassh", c_char * 33 * 2), ("method", c_char * 13), ("banner", c_char * 64 * 2),
        ("subject", c_char * 128), ("issuer", c_char * 128), ("container", c_char * 64),]


class bpe_flow(Structure):
    _fields_ = [("version", c_uint16), ("size", c_uint16), ("interface_index", c_uint32),
        ("addr", c_uint8 * 16 * 2), ("port", c_uint16 * 2), ("ip_proto", c_uint8),
        ("ip_version", c_uint8), ("vlan", c_uint16 * 2), ("tcp_state", c_uint8),
        ("tcp_flags", c_uint8 * 2), ("end", c_uint8), ("icmp_type", c_uint8),
        ("icmp_code", c_uint8), ("flags", c_uint32), ("hash", c_uint32), ("interface_id", c_uint32),
        ("worker", c_uint16), ("zero", c_uint16), ("packets", c_uint64 * 2),
        ("captured_bytes", c_uint64 * 2), ("wire_bytes", c_uint64 * 2), ("ip_bytes", c_uint64 * 2),
        ("payload_bytes", c_uint64 * 2), ("first_ns", c_int64), ("last_ns", c_int64),
        ("interface_name", c_char * 256), ("pid", c_int32), ("effective_pid", c_int32),
        ("comm", c_char * 32), ("effective_comm", c_char * 32), ("history", c_char * 32),
        ("handshake_ns", c_int64 * 2), ("rtt_ns", c_int64 * 2), ("mss", c_uint16 * 2),
        ("window_scale", c_int8 * 2), ("retransmissions", c_uint32 * 2),
        ("fast_retransmissions", c_uint32 * 2), ("spurious_retransmissions", c_uint32 * 2),
        ("out_of_order", c_uint32 * 2), ("repeated_acks", c_uint32 * 2),
        ("zero_windows", c_uint32 * 2), ("lost_segments", c_uint32 * 2),
        ("unseen_acks", c_uint32 * 2), ("keep_alives", c_uint32 * 2), ("icmp_errors", c_uint32 * 2),
        ("duplicates", c_uint32 * 2), ("tunnel", bpe_tunnel), ("slot", c_uint32),
        ("reserved", c_uint32), ("unwritten_packets", c_uint64 * 2),
        ("unwritten_bytes", c_uint64 * 2), ("names", bpe_flow_names),]


class bpe_dns_answer(Structure):
    _fields_ = [("type", c_uint16), ("zero", c_uint16), ("ttl", c_uint32),
        ("text", c_char * 256),]


class bpe_dns(Structure):
    _fields_ = [("id", c_uint16), ("flags", c_uint16), ("type", c_uint16),
        ("class_", c_uint16), ("seen", c_uint32), ("rcode", c_uint8), ("opcode", c_uint8),
        ("answer_count", c_uint8), ("zero", c_uint8), ("answer_total", c_uint32),
        ("zero_2", c_uint32), ("rtt_ns", c_int64), ("query", c_char * 256),
        ("answers", bpe_dns_answer * 24),]


class bpe_event(Structure):
    _fields_ = [("version", c_uint16), ("size", c_uint16), ("kind", c_uint32),
        ("time_ns", c_int64), ("flow", c_void_p), ("dns", c_void_p),]


class bpe_owner_question(Structure):
    _fields_ = [("addr", c_uint8 * 16 * 2), ("port", c_uint16 * 2), ("ip_proto", c_uint8),
        ("ip_version", c_uint8), ("zero", c_uint16), ("interface_index", c_uint32),
        ("zero_2", c_uint32), ("first_ns", c_int64),]


class bpe_owner_answer(Structure):
    _fields_ = [("owner", c_uint32), ("end", c_uint32), ("pid", c_int32), ("uid", c_int32),
        ("comm", c_char * 32), ("container", c_char * 64),]


class bpe_crypto(Structure):
    _fields_ = [("struct_size", c_uint32), ("zero", c_uint32), ("name", c_char_p),
        ("hmac_sha256", bpe_hmac_fn), ("aes128_ecb", bpe_aes_fn), ("aes128_gcm_open", bpe_gcm_fn),]


class bpe_stats(Structure):
    _fields_ = [("elapsed_ns", c_uint64), ("read_packets", c_uint64),
        ("captured_bytes", c_uint64), ("wire_bytes", c_uint64), ("delivered_packets", c_uint64),
        ("dropped", c_uint64 * 8), ("in_flight", c_uint64), ("kernel_received", c_uint64),
        ("kernel_accepted", c_uint64), ("kernel_dropped", c_uint64),
        ("interface_dropped", c_uint64), ("filtered", c_uint64), ("blocks", c_uint64),
        ("torn_blocks", c_uint64), ("waits", c_uint64), ("batches", c_uint64),
        ("sizes", c_uint64 * 16), ("truncated", c_uint64), ("bad_version", c_uint64),
        ("bad_header", c_uint64), ("bad_length", c_uint64), ("bad_checksum", c_uint64),
        ("ip4_packets", c_uint64), ("ip6_packets", c_uint64), ("fragments", c_uint64),
        ("vlan_packets", c_uint64), ("tunnel_packets", c_uint64), ("icmp_errors", c_uint64),
        ("fragments_followed", c_uint64), ("fragments_lost", c_uint64),
        ("fragments_evicted", c_uint64), ("flows_opened", c_uint64), ("flows_active", c_uint64),
        ("flows_peak", c_uint64), ("flows_ended", c_uint64), ("flows_evicted", c_uint64),
        ("flow_packets", c_uint64), ("flows_refused", c_uint64), ("flows_periods", c_uint64),
        ("flow_bytes", c_uint64), ("time_steps", c_uint64), ("duplicates", c_uint64),
        ("evicted", c_uint64 * 8), ("records", c_uint64), ("records_dropped", c_uint64),
        ("flows_dumped", c_uint64), ("packets_per_second", c_uint64), ("bits_per_second", c_uint64),
        ("inbound_packets", c_uint64), ("outbound_packets", c_uint64), ("first_packet_ns", c_int64),
        ("last_packet_ns", c_int64), ("source_bytes", c_uint64), ("source_position", c_uint64),
        ("workers", c_uint32), ("empty_reads", c_uint64), ("block_bytes", c_uint64),
        ("block_capacity", c_uint64), ("interface_down", c_uint64), ("kernel_known", c_uint64),
        ("flows_begun", c_uint64), ("cut_packets", c_uint64), ("cut_headers", c_uint64),
        ("checksums_verified", c_uint64), ("checksums_cut", c_uint64), ("names_flows", c_uint64),
        ("names_pending", c_uint64), ("names_evicted", c_uint64), ("names_expired", c_uint64),
        ("names_lost", c_uint64), ("names_bytes", c_uint64), ("quic_opened", c_uint64),
        ("quic_failed", c_uint64), ("quic_skipped", c_uint64), ("dns_messages", c_uint64),
        ("dns_evicted", c_uint64), ("events", c_uint64), ("events_dropped", c_uint64),
        ("records_filtered", c_uint64), ("owners_asked", c_uint64), ("owners_known", c_uint64),
        ("owners_none", c_uint64), ("owners_unknown", c_uint64), ("owners_skipped", c_uint64),]


class bpe_stat(Structure):
    _fields_ = [("name", c_char_p), ("key", c_char_p), ("unit", c_char_p),
        ("help", c_char_p), ("offset", c_uint32), ("bytes", c_uint32), ("count", c_uint32),
        ("flags", c_uint32), ("known", c_uint32), ("zero", c_uint32),]


class bpe_worker_stats(Structure):
    _fields_ = [("packets", c_uint64), ("captured_bytes", c_uint64),
        ("wire_bytes", c_uint64), ("batches", c_uint64), ("dropped", c_uint64),
        ("flows_active", c_uint64), ("flows_peak", c_uint64), ("ring_depth", c_uint32),
        ("ring_peak", c_uint32), ("ring_slots", c_uint32), ("records", c_uint64),
        ("records_dropped", c_uint64), ("record_ring_peak", c_uint32),
        ("record_ring_bytes", c_uint32),]


class bpe_interface_stats(Structure):
    _fields_ = [("name", c_char * 256), ("interface_id", c_uint32), ("link_type", c_int32),
        ("status", c_int32), ("interface_down", c_uint32), ("read_packets", c_uint64),
        ("captured_bytes", c_uint64), ("wire_bytes", c_uint64), ("filtered", c_uint64),
        ("duplicates", c_uint64), ("kernel_known", c_uint64), ("kernel_received", c_uint64),
        ("kernel_accepted", c_uint64), ("kernel_dropped", c_uint64),
        ("interface_dropped", c_uint64),]


class bpe_protocol(Structure):
    _fields_ = [("name", c_char * 32), ("packets", c_uint64), ("bytes", c_uint64),]


class bpe_write_interface(Structure):
    _fields_ = [("struct_size", c_uint32), ("interface_id", c_uint32),
        ("link_type", c_int32), ("snaplen", c_uint32), ("name", c_char_p),
        ("description", c_char_p), ("hardware", c_char_p), ("os", c_char_p),
        ("filter_text", c_char_p), ("filter", c_void_p), ("filter_length", c_uint32),
        ("time_digits", c_uint32), ("speed", c_uint64), ("mac", c_uint8 * 6), ("has_mac", c_uint8),
        ("directions", c_uint8),]


class bpe_written_file(Structure):
    _fields_ = [("size", c_uint32), ("status", c_int32), ("name", c_char_p),
        ("sha256", c_char_p), ("number", c_uint64), ("first_ns", c_int64), ("last_ns", c_int64),
        ("packets", c_uint64), ("captured_bytes", c_uint64), ("file_bytes", c_uint64),
        ("unwritten", c_uint64 * 8), ("kernel_dropped", c_uint64), ("interface_dropped", c_uint64),]


class bpe_writer_options(Structure):
    _fields_ = [("struct_size", c_uint32), ("format", c_uint32), ("path", c_char_p),
        ("directory", c_int32), ("fd", c_int32), ("compression", c_uint32),
        ("compression_level", c_int32), ("snaplen", c_uint32), ("on_error", c_uint32),
        ("memory_bytes", c_uint64), ("wait", c_bool), ("no_thread", c_bool),
        ("packet_buffered", c_bool), ("ledger", c_bool), ("sha256", c_bool), ("hash", c_bool),
        ("packet_clock", c_bool), ("rotate_from_start", c_bool), ("rotate_bytes", c_uint64),
        ("rotate_packets", c_uint64), ("rotate_ns", c_int64), ("stop_files", c_uint64),
        ("keep_files", c_uint64), ("keep_bytes", c_uint64), ("keep_ns", c_int64),
        ("keep_free_percent", c_uint64), ("sync_ns", c_int64), ("application", c_char_p),
        ("comment", c_char_p), ("hardware", c_char_p), ("os", c_char_p),
        ("recorder_bytes", c_uint64), ("recorder_ns", c_int64), ("on_file", bpe_file_fn),
        ("on_notice", bpe_notice_fn), ("user", c_void_p), ("now", bpe_now_fn), ("names", c_uint32),
        ("name_files", c_uint32), ("dedup_ns", c_int64), ("dedup_packets", c_uint32),
        ("dedup", c_uint32), ("anonymise_key", c_void_p), ("anonymise", c_uint64),
        ("split", c_uint32), ("split_files", c_uint32),]


class bpe_written(Structure):
    _fields_ = [("offered", c_uint64), ("written", c_uint64), ("unwritten", c_uint64 * 8),
        ("waiting", c_uint64), ("captured_bytes", c_uint64), ("file_bytes", c_uint64),
        ("files", c_uint64), ("files_removed", c_uint64), ("waits", c_uint64), ("errors", c_uint64),
        ("memory_peak", c_uint64), ("dedup_forgotten", c_uint64), ("not_anonymised", c_uint64),
        ("macs_kept", c_uint64),]


class bpe_filter_options(Structure):
    _fields_ = [("struct_size", c_uint32), ("link_type", c_int32), ("snaplen", c_uint32),
        ("through", c_uint32), ("netmask", c_uint32), ("has_netmask", c_uint8),
        ("unoptimized", c_uint8), ("no_names", c_uint8), ("kernel", c_char_p), ("way", c_uint32),
        ("zero", c_uint32),]


class bpe_address(Structure):
    _fields_ = [("family", c_uint8), ("prefix", c_uint8), ("addr", c_uint8 * 16),]


class bpe_interface(Structure):
    _fields_ = [("name", c_char * 64), ("description", c_char * 128), ("index", c_uint32),
        ("flags", c_uint32), ("link_type", c_int32), ("mtu", c_uint32), ("mac", c_uint8 * 6),
        ("has_mac", c_uint8), ("address_count", c_uint8), ("addresses", bpe_address * 16),]


class bpe_flow_question(Structure):
    _fields_ = [("struct_size", c_uint32), ("order", c_uint32), ("since_ns", c_int64),
        ("flows", c_void_p), ("n", c_size_t), ("totals", c_void_p), ("flow_bytes", c_size_t),
        ("totals_bytes", c_size_t),]


# Structures that never change.
FROZEN = ("bpe_error", "bpe_insn", "bpe_tunnel", "bpe_layers", "bpe_key", "bpe_tcp_options",
        "bpe_flow_names", "bpe_dns_answer", "bpe_owner_question", "bpe_owner_answer", "bpe_address")


# Function: result, parameters.
FUNCTIONS: Dict[str, Tuple[Any, ...]] = {
    "bpe_address_text": (c_int, c_void_p, c_uint32, c_void_p, c_size_t,),
    "bpe_app_name": (c_char_p, c_int,),
    "bpe_batch_comment": (c_int, c_void_p, c_uint32, c_uint32, c_void_p, c_void_p,),
    "bpe_batch_flow_end": (c_int, c_void_p, c_uint32,),
    "bpe_batch_flow_sized": (c_int, c_void_p, c_uint32, c_void_p, c_size_t,),
    "bpe_batch_interface_sized": (c_int, c_void_p, c_uint32, c_void_p, c_size_t,),
    "bpe_batch_layers": (c_int, c_void_p, c_uint32, c_uint32, c_void_p, c_void_p,),
    "bpe_batch_meta_sized": (c_int, c_void_p, c_uint32, c_void_p, c_size_t,),
    "bpe_batch_tcp_options": (c_int, c_void_p, c_uint32, c_void_p,),
    "bpe_batch_tunnel": (c_int, c_void_p, c_uint32, c_void_p,),
    "bpe_build_info": (c_char_p,),
    "bpe_capture_close": (None, c_void_p,),
    "bpe_capture_end_flows": (c_int, c_void_p, c_void_p,),
    "bpe_capture_fd": (c_int, c_void_p,),
    "bpe_capture_largest_flows_sized": (c_int, c_void_p, c_void_p, c_void_p,),
    "bpe_capture_link_type": (c_char_p, c_void_p,),
    "bpe_capture_next_sized": (c_int, c_void_p, c_void_p, c_size_t, c_int64, c_void_p,),
    "bpe_capture_open": (c_int, c_void_p, c_void_p, c_void_p,),
    "bpe_capture_push_end": (c_int, c_void_p, c_void_p,),
    "bpe_capture_push_sized": (c_int, c_void_p, c_void_p, c_size_t, c_size_t, c_size_t,
        c_void_p,),
    "bpe_capture_set_expression": (c_int, c_void_p, c_char_p, c_void_p,),
    "bpe_capture_set_filter": (c_int, c_void_p, c_void_p, c_uint32, c_void_p,),
    "bpe_capture_source": (c_char_p, c_void_p,),
    "bpe_capture_stats_sized": (None, c_void_p, c_void_p, c_size_t,),
    "bpe_capture_wake": (None, c_void_p,),
    "bpe_columns_add": (c_int, c_void_p, c_void_p,),
    "bpe_columns_close": (None, c_void_p,),
    "bpe_columns_fill": (c_int64, c_void_p, c_void_p, c_uint64, c_void_p,),
    "bpe_columns_open": (c_int, c_void_p, c_void_p,),
    "bpe_columns_rows": (c_uint64, c_void_p,),
    "bpe_columns_take": (c_int, c_void_p, c_void_p, c_void_p,),
    "bpe_drop_name": (c_char_p, c_int,),
    "bpe_endpoint_text": (c_int, c_void_p, c_uint32, c_uint16, c_void_p, c_size_t,),
    "bpe_engine_close": (None, c_void_p,),
    "bpe_engine_current": (c_void_p,),
    "bpe_engine_dump_flows": (c_int, c_void_p, bpe_flow_fn, c_void_p,),
    "bpe_engine_interfaces_sized": (c_size_t, c_void_p, c_void_p, c_size_t, c_size_t,),
    "bpe_engine_largest_flows_sized": (c_int, c_void_p, c_void_p, c_void_p,),
    "bpe_engine_link_type": (c_char_p, c_void_p,),
    "bpe_engine_next_record": (c_int, c_void_p, c_void_p, c_void_p,),
    "bpe_engine_open": (c_int, c_void_p, c_void_p, c_void_p,),
    "bpe_engine_protocols_sized": (c_size_t, c_void_p, c_void_p, c_size_t, c_size_t,),
    "bpe_engine_push_end": (c_int, c_void_p, c_void_p,),
    "bpe_engine_push_sized": (c_int, c_void_p, c_void_p, c_size_t, c_size_t, c_size_t,
        c_int64, c_void_p,),
    "bpe_engine_records_fd": (c_int, c_void_p,),
    "bpe_engine_result": (c_int, c_void_p, c_void_p,),
    "bpe_engine_run": (c_int, c_void_p, c_int64, c_void_p,),
    "bpe_engine_set_expression": (c_int, c_void_p, c_char_p, c_void_p,),
    "bpe_engine_set_filter": (c_int, c_void_p, c_void_p, c_uint32, c_void_p,),
    "bpe_engine_source": (c_char_p, c_void_p,),
    "bpe_engine_start": (c_int, c_void_p, c_void_p,),
    "bpe_engine_stats_sized": (None, c_void_p, c_void_p, c_size_t,),
    "bpe_engine_stop": (None, c_void_p,),
    "bpe_engine_wait": (c_int, c_void_p, c_int64,),
    "bpe_engine_worker_stats_sized": (c_int, c_void_p, c_uint32, c_void_p, c_size_t,),
    "bpe_event_format": (c_int, c_void_p, c_uint32, c_void_p, c_size_t,),
    "bpe_event_kind_name": (c_char_p, c_int,),
    "bpe_evicted_name": (c_char_p, c_int,),
    "bpe_filter_compile": (c_int, c_char_p, c_int, c_uint32, c_void_p, c_void_p, c_void_p,),
    "bpe_filter_compile_with": (c_int, c_char_p, c_void_p, c_void_p, c_void_p, c_void_p,),
    "bpe_filter_explain": (c_int, c_char_p, c_void_p, c_void_p, c_void_p,),
    "bpe_filter_free": (None, c_void_p,),
    "bpe_filter_options_init_sized": (None, c_void_p, c_size_t,),
    "bpe_filter_run": (c_uint32, c_void_p, c_void_p, c_uint32, c_uint32,),
    "bpe_filter_text_free": (None, c_void_p,),
    "bpe_flow_community_id": (c_int, c_void_p, c_uint16, c_void_p,),
    "bpe_flow_conn_state": (c_char_p, c_void_p,),
    "bpe_flow_copy_sized": (None, c_void_p, c_size_t, c_void_p,),
    "bpe_flow_end_name": (c_char_p, c_int,),
    "bpe_flow_format": (c_int, c_void_p, c_uint32, c_void_p, c_size_t,),
    "bpe_format_name": (c_char_p, c_int,),
    "bpe_interface_netmask": (c_bool, c_char_p, c_void_p,),
    "bpe_interfaces_free": (None, c_void_p,),
    "bpe_interfaces_list_sized": (c_int, c_void_p, c_size_t, c_void_p,),
    "bpe_ip_proto_name": (c_char_p, c_int,),
    "bpe_link_type_name": (c_char_p, c_int,),
    "bpe_name_source_name": (c_char_p, c_int,),
    "bpe_options_init_sized": (None, c_void_p, c_size_t,),
    "bpe_options_set_source": (c_int, c_void_p, c_char_p, c_void_p,),
    "bpe_owner_name": (c_char_p, c_int,),
    "bpe_owners_ask": (c_int, c_void_p, c_void_p, c_void_p, c_size_t,),
    "bpe_owners_close": (None, c_void_p,),
    "bpe_owners_open": (c_int, c_void_p, c_void_p,),
    "bpe_packet_init_sized": (None, c_void_p, c_size_t,),
    "bpe_parse": (c_int, c_void_p, c_uint32, c_uint32, c_int, c_void_p, c_void_p,),
    "bpe_parse_outermost": (c_int, c_void_p, c_uint32, c_uint32, c_int, c_void_p,
        c_void_p,),
    "bpe_parse_tcp_options": (c_int, c_void_p, c_uint32, c_void_p, c_void_p,),
    "bpe_parse_tunnel": (c_int, c_void_p, c_uint32, c_uint32, c_int, c_void_p,),
    "bpe_proto_name": (c_char_p, c_int,),
    "bpe_size_class_name": (c_char_p, c_int,),
    "bpe_stat_list_sized": (c_void_p, c_size_t, c_void_p,),
    "bpe_status_text": (c_char_p, c_int,),
    "bpe_struct_size": (c_size_t, c_char_p,),
    "bpe_tcp_state_name": (c_char_p, c_int,),
    "bpe_time_text": (c_int, c_int64, c_bool, c_void_p, c_size_t,),
    "bpe_timeout_name": (c_char_p, c_int,),
    "bpe_toeplitz": (c_uint32, c_void_p, c_bool, c_void_p,),
    "bpe_tunnel_name": (c_char_p, c_int,),
    "bpe_unwritten_name": (c_char_p, c_int,),
    "bpe_version": (c_char_p,),
    "bpe_where_compile": (c_int, c_char_p, c_void_p, c_void_p,),
    "bpe_where_free": (None, c_void_p,),
    "bpe_where_match": (c_bool, c_void_p, c_void_p,),
    "bpe_write_interface_init_sized": (None, c_void_p, c_size_t,),
    "bpe_writer_batch": (c_int, c_void_p, c_void_p, c_uint32, c_uint32,),
    "bpe_writer_close": (c_int, c_void_p, c_void_p,),
    "bpe_writer_counts_sized": (c_int, c_void_p, c_uint32, c_void_p, c_size_t,),
    "bpe_writer_finish": (c_int, c_void_p, c_void_p,),
    "bpe_writer_interface": (c_int, c_void_p, c_void_p,),
    "bpe_writer_name": (c_int, c_void_p, c_void_p, c_uint32, c_char_p,),
    "bpe_writer_open": (c_int, c_void_p, c_void_p, c_void_p,),
    "bpe_writer_options_init_sized": (None, c_void_p, c_size_t,),
    "bpe_writer_packet_sized": (c_int, c_void_p, c_void_p, c_size_t, c_size_t, c_char_p,),
    "bpe_writer_rotate": (c_int, c_void_p,),
    "bpe_writer_stats_sized": (None, c_void_p, c_void_p, c_size_t,),
    "bpe_writer_tick": (c_int, c_void_p,),
    "bpe_writer_trigger": (c_int, c_void_p, c_int64,),
}


class Options(TypedDict, total=False):
    """Members of struct bpe_options; bpfengine.h says what each means."""

    push: bool
    push_live: bool
    snaplen: int
    promiscuous: bool
    wait_interface: bool
    direction: Union[int, str]
    link_type: int
    max_packets: int
    filter_through: int
    buffer_bytes: int
    block_bytes: int
    block_count: int
    bpf_abi: str
    bpf_device: str
    read_mode: Union[int, str]
    read_interval_ns: int
    process: bool
    head_drop: bool
    header_compression: bool
    truncate_payload: bool
    zero_copy: bool
    outermost: bool
    checksums: bool
    count_only: bool
    closed_tunnels: int
    ignore_tunnel: bool
    ignore_vlan: bool
    fixed_seed: bool
    hash_seed: int
    workers: int
    ring_slots: int
    overload: Union[int, str]
    pin_workers: bool
    priority: Union[int, str]
    spread: Union[int, str]
    spread_networks: str
    flows: bool
    flow_table: bool
    no_tcp_health: bool
    direction_by_port: bool
    flow_lengths: bool
    duplicates: Union[int, str]
    max_flows: int
    max_flow_bytes: int
    flow_idle_ns: int
    flow_closed_ns: int
    flow_timeout_ns: Dict[str, int]
    flow_active_ns: int
    record_ring_bytes: int
    record_overload: Union[int, str]
    flow_update_ns: int
    flow_update_bytes: int
    record_begins: bool
    marks: bool
    option_words: bool
    cutoff: bool
    cutoff_drop: bool
    cutoff_bytes: int
    sources: int
    source_count: int
    names: int
    names_form: int
    names_key: str
    public_suffixes: str
    names_bytes: int
    quic_per_second: int
    crypto: int
    where: str
    fanout: int
    fanout_group: int


OPTION_ENUMS = {"direction": Direction, "read_mode": ReadMode, "overload": Overload,
        "priority": Priority, "spread": Spread, "duplicates": Duplicates,
        "flow_timeout_ns": Timeout, "record_overload": RecordOverload}
