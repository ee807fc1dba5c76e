# SPDX-License-Identifier: MIT
"""Simulated TCP conversations, as a tap between the two hosts sees them, with the truth about each.

A conversation is made burst by burst.  The fate of each burst is chosen first.  Fates are: no
event; a loss before or behind the tap, repaired after a time-out or by duplicate ACKs; overtaking;
a lost ACK; a closed window; keep-alives; segments missed by the capture.  The truth is written from
the fate, never from the packets made.  Times: distance[k] is the round trip from the tap to host k.
"""

import random
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MS = 1000000
SECOND = 1000 * MS
COUNTS = (
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
LETTERS = "SHADFRTWG"
EPOCH = 1700000000 * SECOND


class Truth:
    """The flow record that a conversation must give; end 0 is the originator."""

    def __init__(self):
        self.counts = {name: [0, 0] for name in COUNTS}
        self.packets, self.wire, self.captured, self.flags = [0, 0], [0, 0], [0, 0], [0, 0]
        self.first = self.last = None
        self.history, self.seen = "", [set(), set()]
        self.handshake, self.mss, self.scale = [None, None], [0, 0], [-1, -1]
        self.midstream, self.state, self.conn_state, self.tags = False, None, None, []


class Conversation:
    def __init__(self, number, seed, start_ns, like=None):
        """like: a conversation with the same ends; None: ends are chosen."""
        r = self.r = random.Random((seed * 2 + bool(like)) * 1000003 + number)
        self.version = 6 if r.random() < 0.3 else 4
        self.vlans = [r.randrange(1, 4095) for _ in range(r.choice((0, 0, 0, 1, 2)))]
        self.number, self.t, self.packets = number, start_ns, []
        self.ports = (r.randrange(1024, 65536), r.choice((80, 443, 22, 8080, 50000)))
        self.like = like
        if like:
            self.version, self.vlans, self.ports = like.version, like.vlans, like.ports
        self.distance = [int(10 ** r.uniform(-0.7, 1.9) * MS) for _ in range(2)]  # 0.2 to 80 ms
        self.isn = [r.choice((r.getrandbits(32), 0xFFFFFFFF - r.randrange(5000))) for _ in range(2)]
        self.next, self.acked = (
            list(self.isn),
            [0, 0],
        )  # next to send; what that end has acknowledged
        self.window = [r.randrange(30000, 65000) for _ in range(2)]  # a burst stays within it
        self.unit = r.choice((536, 1460, 1460, 1440, 8960))
        self.offload = r.random() < 0.15
        self.snaplen = r.choice(
            (128, 128, 200, 262144 if not self.offload and self.unit < 2000 else 128)
        )
        self.stamps = r.random() < 0.5
        self.sack = r.random() < 0.6
        self.truth = Truth()

    # ---- One segment at the tap ----

    def emit(self, end, flags, seq, size=0, ack=None, window=None, options=b"", letters=""):
        """letters: those that the fate adds to what flags and size say."""
        t = self.truth
        if self.stamps:
            options += b"\x01\x01\x08\x0a" + struct.pack("!II", self.t // MS & 0xFFFFFFFF, 0)
        options += b"\x01" * (-len(options) % 4)
        window = self.window[end] if window is None else window
        ack = (self.acked[end] if ack is None else ack) if flags & ACK else 0
        header = 20 + len(options)
        tcp = (
            struct.pack(
                "!HHIIBBHHH",
                self.ports[end],
                self.ports[1 - end],
                seq & 0xFFFFFFFF,
                ack & 0xFFFFFFFF,
                header << 2,
                flags,
                window,
                0,
                0,
            )
            + options
        )
        host = [self.number >> 16 & 255, self.number >> 8 & 255, self.number & 255]
        long = header + size
        ident = (
            t.packets[end] + 1 & 0xFFFF if self.number & 1 else 1
        )  # some hosts send the same one always
        if self.version == 4:
            a = [bytes([10] + host), bytes([172] + host)]
            ip = struct.pack(
                "!BBHHHBBH4s4s",
                0x45,
                0,
                long + 20 if long + 20 < 65536 else 0,
                ident,
                0x4000,
                64,
                6,
                0,
                a[end],
                a[1 - end],
            )
        else:
            a = [bytes([0x20, 1, 0xD, 0xB8] + [0] * 8 + [k] + host) for k in (1, 2)]
            ip = struct.pack(
                "!IHBB16s16s", 0x60000000, long if long < 65536 else 0, 6, 64, a[end], a[1 - end]
            )
        tags = b"".join(b"\x81\x00" + struct.pack("!H", v) for v in self.vlans)
        frame = bytes(12) + tags + (b"\x08\x00" if self.version == 4 else b"\x86\xdd") + ip + tcp
        wire = len(frame) + size
        pad = max(0, 60 - wire)
        kept = min(wire + pad, self.snaplen)
        self.packets.append((self.t, wire + pad, (frame + bytes(max(0, kept - len(frame))))[:kept]))
        t.packets[end] += 1
        t.wire[end] += wire + pad
        t.captured[end] += kept
        t.flags[end] |= flags
        t.first = self.t if t.first is None else t.first
        t.last = self.t
        if flags & SYN:
            letters += "H" if flags & ACK else "S"
        if flags & FIN:
            letters += "F"
        if flags & RST:
            letters += "R"
        if size:
            letters += "D"
        elif flags & (SYN | FIN | RST | ACK) == ACK:
            letters += "A"
        for letter in sorted(set(letters) - t.seen[end], key=LETTERS.index):
            t.seen[end].add(letter)
            t.history += letter.lower() if end else letter

    def count(self, what, end, n=1):
        self.truth.counts[what][end] += n

    def wait(self, ns):
        self.t += int(ns)

    def round_trip(self):
        return sum(self.distance)

    def timeout(self):
        return max(200 * MS, 2 * self.round_trip()) + self.r.randrange(100 * MS)

    # ---- Bursts ----

    def sizes(self, n):
        r = self.r
        return [
            r.randrange(20000, 65536 + 1400)
            if self.offload and r.random() < 0.3
            else r.choice((self.unit, self.unit, r.randrange(2, self.unit)))
            for _ in range(n)
        ]

    def sack_blocks(self, first, last):
        return (
            b"\x01\x01\x05\x0a" + struct.pack("!II", first & 0xFFFFFFFF, last & 0xFFFFFFFF)
            if self.sack
            else b""
        )

    def acknowledge(self, b, upto, **more):
        self.acked[b] = upto
        self.emit(b, ACK, self.next[b], **more)

    def data(self, a, seq, size, **more):
        self.emit(a, ACK | (PSH if self.r.random() < 0.3 else 0), seq, size, **more)

    def plain(self, a, n=None):
        b = 1 - a
        for k, size in enumerate(self.sizes(n or self.r.randrange(1, 8))):
            self.data(a, self.next[a], size)
            self.next[a] += size
            self.wait(self.r.randrange(5000, 300000))
            if k & 1:
                self.acknowledge(b, self.next[a])
        self.wait(self.distance[b])
        if self.acked[b] != self.next[a]:
            self.acknowledge(b, self.next[a])

    def disturbed(self, a, fate):
        """Makes a burst in which a segment has a fate, repaired after a time-out or fast.

        Fates are lost (before the tap), dropped (behind the tap) and overtaken."""
        r, b = self.r, 1 - a
        what, how = fate
        behind = r.randrange(3, 7) if how == "fast" else r.randrange(1, 3)
        sizes = self.sizes(1 + behind)
        seq, first = self.next[a], sizes[0]
        pieces = (
            2 if how == "timeout" and r.random() < 0.3 else 1
        )  # a stretch lost and sent again in two segments
        if what == "dropped":
            self.data(a, seq, first)
            self.wait(r.randrange(5000, 100000))
        at = seq + first
        apart = [r.randrange(5000, 100000) for _ in range(behind)]
        for k, size in enumerate(sizes[1:]):
            gap = what != "dropped" and not k
            if gap:
                self.count("lost_segments", a)
            self.data(a, at, size, letters="G" if gap else "")
            at += size
            self.wait(apart[k])
        flight = sum(apart)
        self.next[a] = at
        if what == "overtaken":  # it comes before any answer can
            self.count("out_of_order", a)
            self.data(a, seq, first)
            self.wait(self.distance[b] - min(flight, self.distance[b]))
            if self.distance[b] > flight:
                for _ in range(behind):
                    self.count("repeated_acks", b)
                    self.acknowledge(b, seq, options=self.sack_blocks(seq + first, at))
                    self.wait(r.randrange(1000, 20000))
            self.acknowledge(b, at)
            return
        self.wait(max(1000, self.distance[b] - flight))
        for k in range(behind):
            self.count("repeated_acks", b)
            self.acknowledge(
                b, seq, options=self.sack_blocks(seq + first, seq + first + sum(sizes[1 : 2 + k]))
            )
            self.wait(r.randrange(5000, 100000))
        if how == "fast":
            self.wait(max(1000, self.distance[a] - sum(apart[3:])))
            self.count("fast_retransmissions", a)
            self.count("retransmissions", a)
            self.data(a, seq, first, letters="T")
            if self.distance[a] > 19 * MS and self.truth.handshake[a] in (None, "any"):
                self.truth.tags.append("fast retransmission far from its sender, no handshake seen")
        else:
            self.wait(self.timeout())
            if pieces == 2 and first > 2:
                for part, size in ((seq, first // 2), (seq + first // 2, first - first // 2)):
                    self.count("retransmissions", a)
                    self.data(a, part, size, letters="T")
                    self.wait(20000)
            else:
                self.count("retransmissions", a)
                self.data(a, seq, first, letters="T")
        self.wait(self.distance[b])
        self.acknowledge(b, at)

    def two(self, a, late):
        """Makes four segments: each second one is overtaken (late), or lost before the tap and sent
        again after a time-out."""
        b, sizes, seq = 1 - a, self.sizes(4), self.next[a]
        starts = [seq + sum(sizes[:k]) for k in range(4)]
        for k in (1, 3):
            self.count("lost_segments", a)
            self.data(a, starts[k], sizes[k], letters="G")
            self.wait(self.r.randrange(1000, 5000))
        self.next[a] = starts[3] + sizes[3]
        if late:
            self.truth.tags.append("two holes at a time, filled soon")
        else:
            self.wait(self.distance[b])
            for first, last in ((1, 1), (1, 3)):
                self.count("repeated_acks", b)
                self.acknowledge(
                    b, seq, options=self.sack_blocks(starts[first], starts[last] + sizes[last])
                )
            self.wait(self.timeout())
        for k in (0, 2):
            self.count("out_of_order" if late else "retransmissions", a)
            self.data(a, starts[k], sizes[k], letters="" if late else "T")
            self.wait(self.r.randrange(1000, 5000))
        self.wait(self.distance[b])
        self.acknowledge(b, self.next[a])

    def lost_ack(self, a, seen):
        """Loses the ACK, behind the tap (seen) or before; the segment is sent and acknowledged
        again."""
        b, size = 1 - a, self.r.randrange(2, self.unit)
        seq = self.next[a]
        self.data(a, seq, size)
        self.next[a] += size
        self.wait(self.distance[b])
        if seen:
            self.acknowledge(b, self.next[a])
        self.wait(self.timeout())
        self.count("retransmissions", a)
        self.data(a, seq, size, letters="T")
        if seen:
            self.count("spurious_retransmissions", a)
            self.count("repeated_acks", b)
        self.wait(self.distance[b])
        self.acknowledge(b, self.next[a])

    def zero_window(self, a):
        b = 1 - a
        self.plain(a, 1)
        self.count("zero_windows", b)
        self.acknowledge(b, self.next[a], window=0, letters="W")
        for _ in range(self.r.randrange(0, 3)):  # probes, as Linux sends them
            self.wait(self.timeout())
            self.count("keep_alives", a)
            self.emit(a, ACK, self.next[a] - 1)
            self.wait(self.distance[b])
            self.count("zero_windows", b)
            self.acknowledge(b, self.next[a], window=0)
        self.wait(self.r.randrange(10 * MS, 500 * MS))
        self.acknowledge(b, self.next[a])

    def keep_alive(self, a):
        b = 1 - a
        for _ in range(self.r.randrange(1, 4)):
            self.wait(self.r.randrange(5, 20) * SECOND)
            self.count("keep_alives", a)
            self.emit(a, ACK, self.next[a] - 1, self.r.choice((0, 0, 1)))
            self.wait(self.distance[b])
            self.acknowledge(b, self.next[a])

    def missed(self, a):
        """Makes a segment missed by the capture but acknowledged by the receiver, then a segment
        that is seen."""
        b = 1 - a
        self.next[a] += self.r.randrange(2, self.unit)
        self.wait(self.distance[b])
        self.count("unseen_acks", b)
        self.acknowledge(b, self.next[a])
        self.wait(self.distance[a])
        size = self.r.randrange(2, self.unit)
        self.count("lost_segments", a)
        self.data(a, self.next[a], size, letters="G")
        self.next[a] += size
        self.wait(self.distance[b])
        self.acknowledge(b, self.next[a])

    def burst(self, a):
        r = self.r
        k = r.randrange(21)
        if k < 8:
            self.plain(a)
        elif k < 14:
            self.disturbed(
                a,
                r.choice(
                    (
                        ("lost", "timeout"),
                        ("lost", "fast"),
                        ("dropped", "timeout"),
                        ("dropped", "fast"),
                        ("overtaken", ""),
                    )
                ),
            )
        elif k < 16:
            self.lost_ack(a, k == 14)
        elif k == 16:
            self.zero_window(a)
        elif k == 17:
            self.keep_alive(a)
        elif k == 18:
            self.missed(a)
        elif k == 19:
            self.two(a, r.random() < 0.3)
        else:
            self.wait(r.randrange(5 * SECOND))
            self.plain(a)
        self.wait(r.randrange(MS, 300 * MS))

    # ---- Whole conversations ----

    def setup(self, end):
        r, t = self.r, self.truth
        t.mss[end] = r.choice((1460, 1440, 8960))
        options = b"\x02\x04" + struct.pack("!H", t.mss[end])
        t.scale[end] = r.choice((-1, 0, 7, 14))
        if t.scale[end] >= 0:
            options += b"\x01\x03\x03" + bytes([t.scale[end]])
        return options + (b"\x01\x01\x04\x02" if self.sack else b"")

    def syn(self, end, flags, options, again=False):
        self.emit(end, flags, self.isn[end], options=options, letters="T" if again else "")
        self.next[end] = self.isn[end] + 1
        if again:
            self.count("retransmissions", end)

    def handshake(self, kind):
        r, t = self.r, self.truth
        options = [self.setup(0), self.setup(1)]
        if min(self.truth.scale) < 0 or max(self.truth.scale) == 0 or 0 in self.truth.scale:
            self.unit, self.offload = min(self.unit, 1460), False
        self.syn(0, SYN, options[0])
        if kind == "simultaneous":
            self.wait(r.randrange(MS))
            self.syn(1, SYN, options[1])
            self.wait(self.distance[0])
            for k in (0, 1):
                self.acked[k] = self.next[1 - k]
                self.syn(k, SYN | ACK, options[k])
                self.wait(r.randrange(1000, 100000))
            t.handshake = ["any", None]
            return
        for _ in range(r.choice((0, 0, 0, 0, 1, 2))):
            self.wait(SECOND)
            self.syn(0, SYN, options[0], again=True)
        self.wait(self.distance[1])
        self.acked[1] = self.next[0]
        self.syn(1, SYN | ACK, options[1])
        if r.random() < 0.1:
            self.wait(SECOND)
            self.syn(1, SYN | ACK, options[1], again=True)
            t.tags.append("SYN-ACK sent again")
        self.wait(self.distance[0])
        self.acked[0] = self.next[1]
        self.emit(0, ACK, self.next[0])
        t.handshake = list(self.distance)

    def run(self):
        r, t = self.r, self.truth
        kind = r.choices(
            ("whole", "simultaneous", "midstream", "refused", "unanswered", "given up"),
            (70, 4, 0 if self.like else 12, 5, 5, 4),
        )[0]
        if kind in ("refused", "unanswered", "given up"):
            options = self.setup(0)
            t.mss[1], t.scale[1] = 0, -1
            self.syn(0, SYN, options)
            for _ in range(r.randrange(3)):
                self.wait(SECOND)
                self.syn(0, SYN, options, again=True)
            self.wait(self.distance[1])
            t.state, t.conn_state = "syn_sent", "S0"
            if kind == "refused":
                self.emit(1, RST | ACK, 0, ack=self.next[0], window=0)
                t.state, t.conn_state = "reset", "REJ"
            elif kind == "given up":
                self.emit(0, RST, self.next[0], window=0)
                t.state, t.conn_state = "reset", "RSTOS0"
            return self
        if kind == "midstream":
            t.midstream = True
            self.acked = [self.next[1], self.next[0]]
            self.plain(0, 1)
        else:
            self.handshake(kind)
            if kind == "simultaneous":
                self.plain(0)
        for _ in range(r.randrange(0, 9)):
            self.burst(r.choice((0, 1, 1)))
        t.state, t.conn_state = "established", "OTH" if t.midstream else "S1"
        end = r.choices(("close", "half", "reset", "none", "one"), (50, 10, 15, 15, 10))[0]
        a = r.randrange(2)
        b = 1 - a
        if end in ("close", "half", "one"):
            self.finish(a)
            t.state, t.conn_state = "closing", "S3" if a else "S2"
            if end == "half":
                for _ in range(r.randrange(1, 4)):
                    self.burst(b) if b != a else None
            if end != "one":
                self.finish(b)
                t.state, t.conn_state = "closed", "SF"
        elif end == "reset":
            self.emit(a, RST | ACK, self.next[a], window=0)
            t.state, t.conn_state = "reset", "RSTR" if a else "RSTO"
        if t.midstream and end in (
            "one",
            "half",
            "reset",
        ):  # both ends are partial to Zeek; what closes or resets is not
            t.conn_state = {
                "closing": "SHR" if a else "SH",
                "closed": "SF",
                "reset": "RSTRH" if a else "OTH",
            }[t.state]
        return self

    def finish(self, a):
        b = 1 - a
        self.emit(a, FIN | ACK, self.next[a])
        self.next[a] += 1
        if self.r.random() < 0.15:  # dropped behind the tap
            self.wait(self.timeout())
            self.count("retransmissions", a)
            self.emit(a, FIN | ACK, self.next[a] - 1, letters="T")
        self.wait(self.distance[b])
        self.acknowledge(b, self.next[a])
        self.wait(self.r.randrange(MS))


def conversations(n, seed):
    """Makes n conversations that overlap in time; some ports are used again after their
    connection is over."""
    r, done = random.Random(seed), []
    for number in range(n):
        start = EPOCH + r.randrange(60 * SECOND)
        c = Conversation(number, seed, start).run()
        done.append(c)
        if c.truth.state in ("closed", "reset") and r.random() < 0.15:
            done.append(Conversation(number, seed, c.t + r.randrange(1, 5) * SECOND, c).run())
    return done


def write(path, made):
    packets = sorted((p for c in made for p in c.packets), key=lambda p: p[0])
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for ns, wire, kept in packets:
            out.write(struct.pack("<IIII", ns // SECOND, ns % SECOND, len(kept), wire) + kept)
    return len(packets)
