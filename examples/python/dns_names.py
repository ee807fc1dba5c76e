#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""dns_names.py SOURCE: counts the names that DNS queries ask for, most asked first.  Reads the
packets' bytes where the library has them, without a copy of a packet."""

import collections, sys

import bpfengine


def query_name(message):
    """The name in the question of a DNS query (RFC 1035), or None."""
    if message is None or len(message) < 17 or message[2] & 0x80:
        return None  # too short, or a response
    labels, at = [], 12
    while at < len(message) and message[at]:
        length = message[at]
        if length > 63:
            return None  # a pointer has no place in a question
        labels.append(bytes(message[at + 1 : at + 1 + length]).decode("ascii", "backslashreplace"))
        at += 1 + length
    return ".".join(labels) if at < len(message) else None


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    names = collections.Counter()
    with bpfengine.Capture(sys.argv[1], filter="udp dst port 53") as capture:
        try:
            for batch in capture:
                names.update(filter(None, (query_name(packet.payload) for packet in batch)))
        except KeyboardInterrupt:
            pass  # Ctrl-C ends a capture on an interface
    for name, count in sorted(names.items(), key=lambda item: (-item[1], item[0])):
        print(f"{count:7} {name}")


try:
    main()
except bpfengine.Error as error:
    sys.exit(f"dns_names: {error}")
