# SPDX-License-Identifier: MIT
"""Reads messages of IPFIX, NetFlow v9 and NetFlow v5, by the RFCs and nothing else.

A message that breaks a rule raises ValueError: lengths, sequences, templates, padding, UTF-8.
"""

import ipaddress
import struct

REVERSE, NTOP, CESNET = 29305, 35632, 8057
ADDRESSES = {8, 12, 27, 28}
TEXTS = {(0, 82), (0, 341)} | {(NTOP, n) for n in (119, 169, 187, 188, 205, 360)}
TEXTS |= {(CESNET, n) for n in (2, 200, 808, 890)}
BYTES = {(CESNET, 830)}
STRING = 13  # informationElementDataType


def take(data, at, n):
    """n bytes at a place; raises where the data ends before."""
    if at + n > len(data):
        raise ValueError(f"{n} bytes at {at} are past the end ({len(data)})")
    return data[at : at + n]


def number(data, at, n):
    return int.from_bytes(take(data, at, n), "big")


class Reader:
    """The state of a collector for one exporter: templates, the sequence, types of elements."""

    def __init__(self, pen=0):
        self.pen = pen
        self.templates = {}  # id: (fields, scopes), a field is (pen, id, length)
        self.types = {}  # of private elements, by RFC 5610: (pen, id): (type, name)
        self.sequence = None  # of the next message
        self.options = []  # (template, record)
        self.messages = 0

    def value(self, pen, element, raw):
        """The value of a field by its type."""
        kind = self.types.get((pen, element), (None,))[0]
        if pen == 0 and element in ADDRESSES:
            return str(ipaddress.ip_address(raw))
        if (pen, element) in TEXTS or kind == STRING:
            return raw.decode("utf-8").rstrip("\0")
        if (pen, element) in BYTES:
            return raw.hex()
        if self.pen and pen == self.pen and kind is None:
            return raw  # the type is told later
        return int.from_bytes(raw, "big")

    def record(self, data, at, fields):
        """The record at a place, and the place behind."""
        values = {}
        for pen, element, length in fields:
            if length == 65535:
                length = number(data, at, 1)
                at += 1
                if length == 255:
                    length = number(data, at, 2)
                    at += 2
            key = (pen, element)
            if key in values:
                raise ValueError(f"element {key} twice in a template")
            values[key] = self.value(pen, element, take(data, at, length))
            at += length
        return values, at

    def add_template(self, data, at, is_option):
        """A template of IPFIX; the place behind."""
        template, count = struct.unpack(">HH", take(data, at, 4))
        at += 4
        scopes = 0
        if template < 256 or count == 0:
            raise ValueError(f"template {template} with {count} fields")
        if is_option:
            scopes = number(data, at, 2)
            at += 2
            if not 0 < scopes <= count:
                raise ValueError(f"template {template} has {scopes} scopes")
        fields = []
        for _ in range(count):
            element, length = struct.unpack(">HH", take(data, at, 4))
            at += 4
            pen = 0
            if element & 0x8000:
                pen = number(data, at, 4)
                at += 4
                element &= 0x7FFF
            fields.append((pen, element, length))
        self.keep(template, fields, scopes)
        return at

    def add_template_nine(self, data, at, is_option):
        """A template of NetFlow v9; the place behind."""
        template, count = struct.unpack(">HH", take(data, at, 4))
        at += 4
        scopes = 0
        if is_option:
            scope_bytes, option_bytes = count, number(data, at, 2)
            at += 2
            scopes = scope_bytes // 4
            count = (scope_bytes + option_bytes) // 4
        fields = []
        for k in range(count):
            element, length = struct.unpack(">HH", take(data, at, 4))
            at += 4
            # Scopes have numbers of their own: 1 is the system, 2 an interface.
            fields.append(("scope" if k < scopes else 0, element, length))
        self.keep(template, fields, scopes)
        return at

    def keep(self, template, fields, scopes):
        known = self.templates.setdefault(template, (fields, scopes))
        if known != (fields, scopes):
            raise ValueError(f"template {template} has changed")

    def read_set(self, set_id, data, nine):
        """The data records of a set, flows and options alike; and how many records there are."""
        kinds = {0: False, 1: True} if nine else {2: False, 3: True}
        records, at, count = [], 0, 0
        if set_id in kinds:
            add = self.add_template_nine if nine else self.add_template
            while len(data) - at >= 4:
                at = add(data, at, kinds[set_id])
                count += 1
        else:
            if set_id not in self.templates:
                raise ValueError(f"set {set_id} has no template")
            fields, scopes = self.templates[set_id]
            least = sum(1 if field[2] == 65535 else field[2] for field in fields)
            while len(data) - at >= least:
                values, at = self.record(data, at, fields)
                count += 1
                records.append(values)
                if scopes:
                    self.options.append((set_id, values))
                    self.learn(values)
            if scopes:
                records = []
        if len(data) - at > 3 or data[at:].strip(b"\0"):
            raise ValueError(f"set {set_id} ends with {data[at:].hex()}")
        return records, count

    def learn(self, values):
        """Learns the type of a private element (RFC 5610)."""
        if (0, 341) in values:
            key = (values[0, 346], values[0, 303])
            self.types[key] = (values[0, 339], values[0, 341])

    def check_sequence(self, sequence, counted):
        if self.sequence is not None and sequence != self.sequence:
            raise ValueError(f"sequence {sequence} in place of {self.sequence}")
        self.sequence = (sequence + counted) % 2**32

    def message(self, data):
        """The flow records of a message, as dictionaries by (enterprise number, element)."""
        version = number(data, 0, 2)
        self.messages += 1
        if version == 10:
            return self.message_ten(data)
        if version == 9:
            return self.message_nine(data)
        if version == 5:
            return self.message_five(data)
        raise ValueError(f"version {version}")

    def sets(self, data, at, nine):
        flows, counts = [], [0, 0]  # templates, data records
        while at < len(data):
            set_id, length = struct.unpack(">HH", take(data, at, 4))
            if length < 4:
                raise ValueError(f"set {set_id} of {length} bytes")
            records, count = self.read_set(set_id, take(data, at + 4, length - 4), nine)
            counts[set_id >= 256] += count
            if count == 0:
                raise ValueError(f"set {set_id} is empty")
            flows += records
            at += length
        return flows, counts

    def message_ten(self, data):
        _, length, _, sequence, _ = struct.unpack(">HHIII", take(data, 0, 16))
        if length != len(data):
            raise ValueError(f"{len(data)} bytes in place of {length}")
        flows, counts = self.sets(data, 16, False)
        self.check_sequence(sequence, counts[1])
        return flows

    def message_nine(self, data):
        _, count, uptime, seconds, sequence, _ = struct.unpack(">HHIIII", take(data, 0, 20))
        flows, counts = self.sets(data, 20, True)
        if sum(counts) != count:
            raise ValueError(f"{sum(counts)} records in place of {count}")
        self.check_sequence(sequence, 1)
        for flow in flows:
            self.set_times(flow, seconds * 1000 - uptime, flow[0, 22], flow[0, 21])
            if flow[0, 21] > uptime:
                raise ValueError(f"a flow ends at {flow[0, 21]} after the export at {uptime}")
        return flows

    def message_five(self, data):
        header = struct.unpack(">HHIIIIBBH", take(data, 0, 24))
        _, count, uptime, seconds, _, sequence = header[:6]
        if not 0 < count <= 30 or len(data) != 24 + 48 * count:
            raise ValueError(f"{count} records in {len(data)} bytes")
        self.check_sequence(sequence, count)
        flows = []
        for k in range(count):
            row = struct.unpack(">4s4s4sHHIIIIHHBBBBHHBBH", data[24 + 48 * k : 72 + 48 * k])
            flow = {
                (0, 8): str(ipaddress.ip_address(row[0])),
                (0, 12): str(ipaddress.ip_address(row[1])),
                (0, 10): row[3],
                (0, 2): row[5],
                (0, 1): row[6],
                (0, 7): row[9],
                (0, 11): row[10],
                (0, 6): row[12],
                (0, 4): row[13],
            }
            self.set_times(flow, seconds * 1000 - uptime, row[7], row[8])
            flows.append(flow)
        return flows

    @staticmethod
    def set_times(flow, boot, first, last):
        """Times by uptimes, as the elements of IPFIX."""
        if last < first:
            raise ValueError(f"a flow ends at {last} before its begin at {first}")
        flow[0, 152], flow[0, 153] = boot + first, boot + last


def messages_of(path):
    """The messages of a file of ipfix_write."""
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        length = number(data, at, 4)
        yield take(data, at + 4, length)
        at += 4 + length
