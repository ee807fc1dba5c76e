# SPDX-License-Identifier: MIT
"""Names of flows as dictionaries."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from ._decode import cut_text
from ._library import decode, lib

_TLS_VERSIONS = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "1.0",
    0x0302: "1.1",
    0x0303: "1.2",
    0x0304: "1.3",
    0xFEFF: "1.0",
    0xFEFD: "1.2",
    0xFEFC: "1.3",
}
_FLAGS = {"ech_outer": 1, "ech": 2, "cut": 4, "inner": 8, "server_seen": 16}
_TEXTS = ("client", "ja4", "ja3", "method", "subject", "issuer", "container")


def _name_of(tell: Callable[[int], Optional[bytes]], number: int) -> Optional[str]:
    """The library's name of a number, or None."""
    return decode(tell(number)) or None


def _split(text: str) -> List[str]:
    return text.split(",") if text else []


def names_dict(n: Dict[str, Any]) -> Dict[str, Any]:
    """Names of a flow, with None, False and empty lists for what is unknown."""
    by_answer = _name_of(lib.bpe_name_source_name, n["source"]) in ("dns", "mdns", "dhcp")
    names: Dict[str, Any] = {
        "app": _name_of(lib.bpe_app_name, n["app"]),
        "name": n["server"] or None,
        "source": _name_of(lib.bpe_name_source_name, n["source"]),
        "others": _split(n["others"]),
        "age_ns": n["age_ns"] if by_answer else None,
        "ttl_ns": n["ttl_ns"] if by_answer else None,
        "alpn": _split(n["alpn"]),
        "tls_version": _TLS_VERSIONS.get(n["tls_version"]),
        "owner": _name_of(lib.bpe_owner_name, n["owner"]),
    }
    for name in ("tls_cipher", "quic_version", "http_status"):
        names[name] = n[name] or None
    for name in _TEXTS:
        names[name] = n[name] or None
    for name in ("hassh", "banner"):
        names[name] = tuple(cut_text(text) or None for text in n[name])
    names["uid"] = n["uid"] if names["owner"] == "known" else None
    for name, bit in _FLAGS.items():
        names[name] = bool(n["flags"] & bit)
    return names
