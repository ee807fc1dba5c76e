# SPDX-License-Identifier: MIT
"""Endpoints and times as text, written by the library."""

from __future__ import annotations

import ctypes
import socket

from ._enums import ENDPOINT_TEXT_BYTES, TIME_TEXT_BYTES
from ._library import check, lib


def endpoint_text(address: str, port: int = 0) -> str:
    """An address and a port: "192.0.2.1:443", "[2001:db8::1]:443".  Port 0: the address alone, for
    protocols without ports."""
    version = 6 if ":" in address else 4
    try:
        raw = socket.inet_pton(socket.AF_INET6 if version == 6 else socket.AF_INET, address)
    except OSError:
        raise ValueError(f"{address!r} is no IPv4 or IPv6 address") from None
    if not 0 <= port <= 65535:
        raise ValueError(f"port is {port}; it may be 0 to 65535")
    text = ctypes.create_string_buffer(ENDPOINT_TEXT_BYTES)
    check(lib.bpe_endpoint_text(raw.ljust(16, b"\0"), version, port, text, len(text)))
    return text.value.decode()


def time_text(time_ns: int, utc: bool = True) -> str:
    """A time as RFC 3339 with nanoseconds: "2026-11-29T07:42:22.000000001Z".  utc=False: local
    time, as "2026-11-29T08:42:22.000000001+01:00".  time_ns: since 1970-01-01 UTC, 64 bits."""
    if not -(2**63) <= time_ns < 2**63:
        raise ValueError(f"time_ns is {time_ns}; it may be an integer of 64 bits")
    text = ctypes.create_string_buffer(TIME_TEXT_BYTES)
    check(lib.bpe_time_text(time_ns, utc, text, len(text)))
    return text.value.decode()
