# SPDX-License-Identifier: MIT
"""Seeds of fuzz_push: calls of packets.  make_seeds.py writes them with the others."""

UDP = bytes.fromhex(
    "00000000000100000000000208004500002000030000401100000a0000010a00000304d20035000c000061626364"
)
ENDS_CALL, TAKES_OUT, META = 64, 128, 8


def packet(how, data=UDP, interface=0, wire=60, time=1):
    """A packet of the target's input."""
    return (
        bytes([how, interface])
        + wire.to_bytes(2, "big")
        + bytes([time, min(len(data), 250)])
        + data[:250]
    )


def long_packet(how, length):
    """A packet whose length byte is above 250: a multiple of 60,000 bytes."""
    return bytes([how, 1, 255, 255, 1, length])


def push_seeds():
    plain = b"".join(packet(k % 8) for k in range(16)) + packet(TAKES_OUT)
    told = b"".join(packet(k % 3 << 4 | META, interface=k) for k in range(12))
    yield "plain", bytes([0]) + plain
    yield "metadata", bytes([0]) + told + packet(TAKES_OUT | META)
    for direction in (4, 8, 16, 20):
        yield f"choice-{direction}", bytes([direction]) + told * 2 + plain
    yield "limit", bytes([32]) + plain * 2
    yield "limit-left", bytes([32]) + b"".join(packet(ENDS_CALL) for _ in range(9))
    yield "wrong", bytes([0]) + packet(0) + packet(0x30) + packet(ENDS_CALL) + plain
    yield "short", bytes([1]) + packet(0, b"") + packet(1, UDP[:9]) + plain
    full = b"".join(long_packet(k % 8 | (k % 2) * META, 251 + k % 5) for k in range(40))
    yield "full", bytes([0]) + full
    yield "full-cut", bytes([2]) + full + plain + full
    yield "many", bytes([0]) + plain * 40
