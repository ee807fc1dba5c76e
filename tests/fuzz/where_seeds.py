# SPDX-License-Identifier: MIT
"""Seeds of fuzz_where: conditions, each with a final 0 and the bytes of a record behind."""

SEEDS = [
    'name like "*.example.com" and rtt > 100ms',
    "app in (tls, quic) or resp.port = 443",
    "not (host in 10.0.0.0/8 and dst not in (192.0.2.1, fd00::/8))",
    "bytes >= 1.5MiB && duration < 10s || retransmissions != 0",
    "first >= 2026-11-29T07:42:22.5+01:00 and last < 2026-11-30",
    'tls_version < 1.3 and alpn = h2 and name_others like "*a*b?c*"',
    "orig.tcp_flags like '*S*' and history = \"ShAdDa\"",
    'process = "a\\"b\\\\" and uid != 0 and tunnel_kind = vxlan',
    "midstream = false and vlan = 7 and mss < 1460 and window_scale = 7",
    "rtt > 100",
    "nmae = x",
    "name in (a, b",
    "((((((ip = 4))))))",
    "! ! not ! ip = 4",
    "tls_cipher = 0xc02f and tunnel_id = 5000 and owner = unknown",
]


def where_seeds():
    for number, text in enumerate(SEEDS):
        record = bytes((number * 37 + i * 11) & 255 for i in range(64 if number % 2 else 400))
        yield f"{number:02}", text.encode() + b"\0" + record
