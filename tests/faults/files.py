#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""files.py PROGRAM: files in files, tails of zeros, blocks that are longer than memory, and what pcapng tells of drops and directions."""

import json
import struct
import subprocess
import tempfile
import time

from faultcase import PROGRAM, case, count_matches, finish, read_flows, read_report, run
from packets import (
    START,
    block,
    enhanced,
    ethernet,
    interface,
    option,
    pcap,
    section,
    statistics,
    udp4,
)

FRAMES = [ethernet(udp4(1000 + i)) for i in range(4)]
MAGICS = (0xA1B2C3D4, 0xA1B23C4D)
ZEROS = (16, 20, 32, 48, 512, 4096, 4099, 1 << 20)


def small(end="<", magic=0xA1B2C3D4, first=0, **more):
    return pcap([(first + i, FRAMES[i]) for i in range(2)], end=end, magic=magic, **more)


def big_endian(data):
    """A little-endian pcapng file of our builders in the other byte order, options not counted in."""
    out, at = b"", 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + length - 4]
        if kind == 0x0A0D0D0A:
            body = struct.pack(">IHHq", *struct.unpack("<IHHq", body))
        elif kind == 1:
            body = struct.pack(">HHI", *struct.unpack("<HHI", body[:8])) + swap_options(body[8:])
        elif kind == 6:
            head = struct.unpack("<IIIII", body[:20])
            end = 20 + (head[3] + 3 & ~3)
            body = struct.pack(">IIIII", *head) + body[20:end] + swap_options(body[end:])
        elif kind == 5:
            body = struct.pack(">III", *struct.unpack("<III", body[:12])) + swap_options(body[12:])
        out += struct.pack(">II", kind, length) + body + struct.pack(">I", length)
        at += length
    return out


def swap_options(data):
    out, at = b"", 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from("<HH", data, at)
        value = data[at + 4 : at + 4 + (length + 3 & ~3)]
        if length in (4, 8):
            value = value[:length][::-1]
        out += struct.pack(">HH", code, length) + value
        at += 4 + len(value)
    return out


def by_pipe(data, *words):
    p = run("-r", "-", "--json", *words, input=data)
    return (json.loads(p.stdout) if p.stdout.strip() else None), p


# ---- Files in files ----


@case
def c1_a_savefile_behind_a_savefile_is_read_too():
    for ask in (read_report, by_pipe):
        report, p = ask(small() + small())
        assert p.returncode == 0 and report["packets"]["read"] == 4, p.stderr
        assert report["packet_seconds"] == 1, report["packet_seconds"]
        assert f"byte {len(small())}".encode() in p.stderr, p.stderr


@case
def c1_in_every_byte_order_and_resolution():
    forms = [(end, magic) for end in "<>" for magic in MAGICS]
    for one in forms:
        for other in forms:
            report, p = read_report(small(*one) + small(*other) + small(*one))
            assert p.returncode == 0 and report["packets"]["read"] == 6, (one, other, p.stderr)
            assert report["packet_seconds"] <= 1.001, (one, other, report["packet_seconds"])


def modified(end="<"):
    """A file of Kuznetzov's: eight bytes more in each record's header."""
    out = struct.pack(end + "IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    for frame in FRAMES[:2]:
        out += struct.pack(end + "IIIIIHBB", START, 0, len(frame), len(frame), 1, 8, 0, 0) + frame
    return out


@case
def c1_with_modified_records_and_a_time_zone():
    zone = bytearray(small())
    for seconds in (3600, -3600, 1, 4096):
        zone[8:12] = struct.pack("<i", seconds)
        for data in (
            modified() + small(),
            small() + modified(),
            small() + modified(">"),
            small() + bytes(zone),
        ):
            report, p = read_report(data)
            assert p.returncode == 0 and report["packets"]["read"] == 4, (seconds, p.stderr)


@case
def c1_of_another_link_type():
    raw = pcap([(0, udp4(7)), (1, udp4(8))], link_type=101)
    for words in ([], ["--workers", "2"]):
        flows = read_flows(small() + raw, *words)
        assert sorted(f["sport"] for f in flows) == [7, 8, 1000, 1001], flows
    assert count_matches(small() + raw, "udp") == 4


@case
def c1_many_and_empty_ones():
    report, p = read_report(small() + pcap([]) + pcap([]) + small() * 500)
    assert report["packets"]["read"] == 1002 and p.returncode == 0, p.stderr
    assert p.stderr.count(b"savefile") <= 3, p.stderr


@case
def c1_cut_inside_the_other_header():
    for cut in (1, 15, 16, 20, 23):
        report, p = read_report(small() + small()[:cut])
        assert p.returncode == 1 and report["packets"]["read"] == 2, (cut, p.stderr)


@case
def c1_pcapng_and_pcap_are_told_apart():
    ng = section() + interface() + enhanced(0, 1, FRAMES[0])
    for data, read in (
        (small() + ng, 2),
        (ng + small(), 1),
        (ng + small(">"), 1),
        (big_endian(ng) + small(), 1),
        (big_endian(ng) + small(">"), 1),
        (small() + big_endian(ng), 2),
    ):
        for ask in (read_report, by_pipe):
            report, p = ask(data)
            assert p.returncode == 1 and report["packets"]["read"] == read, (
                report["packets"],
                p.stderr,
            )
            assert b"another savefile" in p.stderr and b"begins here" in p.stderr, p.stderr
    report, p = read_report(ng + big_endian(ng) + ng)
    assert p.returncode == 0 and report["packets"]["read"] == 3, p.stderr


# ---- Zeros ----


@case
def c2_a_tail_of_zeros_is_damage():
    for ask in (read_report, by_pipe):
        for zeros in ZEROS:
            for data in (small(), small(">"), small(magic=MAGICS[1]), modified()):
                report, p = ask(data + b"\0" * zeros)
                assert p.returncode == 1 and report["packets"]["read"] == 2, (zeros, p.stderr)
    report, p = read_report(pcap([]) + b"\0" * 4096)
    assert p.returncode == 1 and report["packets"]["read"] == 0, p.stderr


def by_pieces(pieces):
    """The report of a pipe that is fed piece by piece, each after the one before was taken."""
    command = [PROGRAM, "-r", "-", "--json"]
    p = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for piece in pieces:
        p.stdin.write(piece)
        p.stdin.flush()
        time.sleep(0.05)
    out, told = p.communicate(timeout=600)
    return json.loads(out), p.returncode, told


@case
def c2_zeros_are_judged_alike_however_a_pipe_is_fed():
    """A record of zeros that another record follows is one; a tail of zeros is damage."""
    for size in (16, 100):
        tail = [bytes(16), *[bytes(size)] * 3]
        report, code, told = by_pieces([small(), *tail])
        assert code == 1 and report["packets"]["read"] == 2, (size, report["packets"], told)
        more = struct.pack("<IIII", START, 0, len(FRAMES[0]), len(FRAMES[0])) + FRAMES[0]
        report, code, told = by_pieces([small(), bytes(16), more])
        assert code == 0 and report["packets"]["read"] == 4, (size, report["packets"], told)


@case
def c2_in_a_pcapng_file_too():
    ng = section() + interface() + enhanced(0, 1, FRAMES[0])
    for zeros in ZEROS:
        for data in (ng, big_endian(ng)):
            report, p = read_report(data + b"\0" * zeros)
            assert p.returncode == 1 and report["packets"]["read"] == 1, (zeros, p.stderr)


@case
def c2_packets_without_bytes_are_packets():
    report, p = read_report(pcap([(i, b"") for i in range(5)]))
    assert p.returncode == 0 and report["packets"]["read"] == 5, p.stderr
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    report, p = read_report(head + bytes(16) + struct.pack("<IIII", 1, 2, 0, 0))
    assert p.returncode == 0 and report["packets"]["read"] == 2, p.stderr


# ---- Long blocks ----


def long_block(kind, length, head=b""):
    return (
        struct.pack("<II", kind, length)
        + head
        + b"\xab" * (length - 12 - len(head))
        + struct.pack("<I", length)
    )


@case
def long_blocks_are_skipped_in_files_and_pipes():
    ng = section() + interface()
    packet = enhanced(0, 1, FRAMES[0])
    long = (17 << 20) + 4
    for ask in (read_report, by_pipe):
        for kind in (0x0BAD, 0x40000BAD, 4, 10, 5):
            for length in (16 << 20, (16 << 20) + 4, long, 40 << 20):
                report, p = ask(ng + packet + long_block(kind, length) + packet)
                assert p.returncode == 0 and report["packets"]["read"] == 2, (
                    kind,
                    length,
                    p.stderr,
                )
        report, p = ask(ng + long_block(0x0BAD, long) * 2 + packet)
        assert p.returncode == 0 and report["packets"]["read"] == 1, p.stderr


@case
def long_blocks_of_sections_interfaces_and_packets():
    comment = b"\x01\0" + struct.pack("<H", 60000) + b"c" * 60000
    packet = enhanced(0, 1, FRAMES[0])
    more = comment * 300
    shb = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + more)
    for ask in (read_report, by_pipe):
        for data in (
            section() + interface(option(9, b"\x09") + more) + packet * 2,
            section() + interface() + packet + shb + interface() + packet,
            section() + interface() + packet + enhanced(0, 2, FRAMES[1], more),
        ):
            report, p = ask(data)
            assert p.returncode == 0 and report["packets"]["read"] == 2, p.stderr
    report, p = read_report(
        section() + interface() + packet + enhanced(0, 2, bytes(17 << 20)) + packet
    )
    assert report["packets"]["read"] == 2 and b"passed over" in p.stderr, p.stderr


@case
def long_blocks_that_are_not_whole_are_told():
    ng = section() + interface() + enhanced(0, 1, FRAMES[0])
    whole = long_block(0x0BAD, 17 << 20)
    for ask in (read_report, by_pipe):
        for cut in (40, 100, 70000, 1 << 20, len(whole) - 4, len(whole) - 1):
            report, p = ask(ng + whole[:cut])
            assert p.returncode == 1 and report["packets"]["read"] == 1, (cut, p.stderr)
        report, p = ask(ng + whole[:-4] + b"\1\2\3\4" + ng)
        assert p.returncode == 1 and report["packets"]["read"] == 1, p.stderr
        report, p = ask(ng + struct.pack("<II", 0x0BAD, 0xFFFFFFFC) + b"x" * 1000)
        assert p.returncode == 1 and report["packets"]["read"] == 1, p.stderr


@case
def damage_of_every_length_is_told_and_what_is_before_it_is_read():
    packet = enhanced(0, 1, FRAMES[0])
    ng = section() + interface() + packet
    for length in (
        0,
        1,
        4,
        8,
        11,
        13,
        14,
        15,
        len(packet) - 4,
        len(packet) + 4,
        1 << 24,
        1 << 31,
        0xFFFFFFFF,
        0xFFFFFFFC,
    ):
        broken = packet[:4] + struct.pack("<I", length) + packet[8:]
        report, p = read_report(ng + broken + packet)
        assert p.returncode == 1 and report["packets"]["read"] == 1, (length, p.stderr)
        assert p.stderr.strip(), length
    for cut in range(1, len(packet)):
        report, p = read_report(ng + packet[:cut])
        assert p.returncode == 1 and report["packets"]["read"] == 1, (cut, p.stderr)
    one = small()
    record = 24 + 16 + len(FRAMES[0])
    for caplen in (len(FRAMES[1]) + 1, 262145, 1 << 31, 0xFFFFFFFF):
        broken = bytearray(one)
        broken[record + 8 : record + 12] = struct.pack("<I", caplen)
        report, p = read_report(bytes(broken))
        assert p.returncode == 1 and report["packets"]["read"] == 1, (caplen, p.stderr)


# ---- Drops and directions ----


def flags(way):
    return option(2, struct.pack("<I", way)) + option(0, b"")


def totals(received=None, if_drop=None, accepted=None, os_drop=None):
    out = b""
    for code, value in ((4, received), (5, if_drop), (6, accepted), (7, os_drop)):
        if value is not None:
            out += option(code, struct.pack("<Q", value))
    return out + option(0, b"")


def dropcount(packets):
    return option(4, struct.pack("<Q", packets)) + option(0, b"")


def kernel(data, *words):
    report, p = read_report(data, *words)
    assert p.returncode == 0, p.stderr
    k = report["kernel"]
    return k["received"], k["accepted"], k["dropped"], k["interface_dropped"]


@case
def p1_drops_and_directions_are_in_report_and_filters():
    data = (
        section()
        + interface(option(2, b"en0"))
        + enhanced(0, 1, FRAMES[0], option(2, struct.pack("<I", 1)) + dropcount(17))
        + enhanced(0, 2, FRAMES[1], flags(2))
        + statistics(0, totals(1000, 250, None, 300))
    )
    for form in (data, big_endian(data)):
        for words in ([], ["--workers", "2"], ["--no-flows"]):
            assert kernel(form, *words) == (1000, None, 300, 250)
        assert [
            count_matches(form, e)
            for e in (
                "inbound",
                "outbound",
                "not inbound",
                "udp and inbound",
                "inbound or outbound",
                "not outbound",
            )
        ] == [1, 1, 1, 1, 2, 1]
        report, _ = read_report(form)
        assert report["directions"] == {"inbound": 1, "outbound": 1}, report["directions"]
        text = run("-r", "-", input=form).stdout.decode()
        assert "300 dropped by the kernel, 250 by the interface" in text, text


@case
def p1_the_last_statistics_of_each_interface_count():
    data = section() + interface() * 2 + enhanced(0, 1, FRAMES[0])
    for k in range(1, 4):
        data += statistics(0, totals(100 * k, 2 * k, 90 * k, 5 * k)) + enhanced(0, 1, FRAMES[0])
    data += statistics(1, totals(10, 1, 9, 2))
    assert kernel(data) == (310, 279, 17, 7), kernel(data)
    assert kernel(data + data) == (620, 558, 34, 14), kernel(data + data)
    assert kernel(big_endian(data) + data) == (620, 558, 34, 14)


@case
def p1_drop_counts_of_packets_count_where_there_are_no_statistics():
    data = (
        section()
        + interface() * 2
        + enhanced(0, 1, FRAMES[0], dropcount(3))
        + enhanced(1, 1, FRAMES[0], dropcount(4))
        + enhanced(0, 1, FRAMES[0], dropcount(5))
    )
    assert kernel(data) == (None, None, 12, None)
    assert kernel(data + statistics(0, totals(os_drop=100))) == (None, None, 104, None)
    assert kernel(data + statistics(0, totals(received=7))) == (7, None, 12, None)
    text = run("-r", "-", input=data).stdout.decode()
    assert "12 dropped by the kernel" in text, text
    old = block(
        2,
        struct.pack("<HHIIII", 0, 6, 0, 1, len(FRAMES[0]), len(FRAMES[0]))
        + FRAMES[0]
        + b"\0" * (-len(FRAMES[0]) % 4)
        + flags(2),
    )
    assert kernel(section() + interface() + old) == (None, None, 6, None)
    assert count_matches(section() + interface() + old, "outbound") == 1


@case
def p1_damaged_statistics_cost_nobody_a_packet():
    begin = section() + interface() + enhanced(0, 1, FRAMES[0])
    end = enhanced(0, 1, FRAMES[1])
    for body in (
        b"",
        b"\0" * 8,
        struct.pack("<III", 9, 0, 0) + totals(1, 1, 1, 1),
        struct.pack("<III", 0, 0, 0) + b"\x04\0\xff\xff",
        struct.pack("<III", 0, 0, 0) + option(4, b"xy"),
    ):
        report, p = read_report(begin + block(5, body) + end)
        assert p.returncode == 0 and report["packets"]["read"] == 2, (body, p.stderr)
        assert report["kernel"]["received"] is None


@case
def p1_filters_by_way_across_link_types():
    data = (
        section()
        + interface()
        + interface(link_type=101)
        + enhanced(0, 1, FRAMES[0], flags(1))
        + enhanced(1, 1, udp4(5), flags(2))
        + enhanced(1, 1, udp4(6), flags(1))
        + enhanced(0, 1, FRAMES[1])
    )
    assert [
        count_matches(data, e)
        for e in ("inbound", "outbound", "udp", "not inbound and not outbound")
    ] == [2, 1, 4, 1]
    p = run("-r", "-", "--json", "inbound and", input=data)
    assert p.returncode == 2 and p.stderr, p
    p = run("-r", "-", "--json", "inbound", input=small())
    assert p.returncode == 2 and b"direction" in p.stderr, p.stderr


# ---- Names ----


@case
def long_names_of_interfaces_are_kept_whole():
    names = ["\\Device\\NPF_{8B3F5D64-2A3C-4B0C-9D3B-0123456789AB}", "e" * 16, "x" * 255, "en0"]
    data = section() + b"".join(interface(option(2, n.encode())) for n in names)
    data += b"".join(enhanced(i, 1, FRAMES[i]) for i in range(4))
    for words in ([], ["--workers", "2"]):
        flows = read_flows(data, *words)
        assert sorted(f["interface"] for f in flows) == sorted(names), flows
        for form, field in (("eve", "in_iface"),):
            assert sorted(f[field] for f in read_flows(data, *words, form=form)) == sorted(names)
        ecs = read_flows(data, *words, form="ecs")
        assert sorted(f["observer"]["ingress"]["interface"]["name"] for f in ecs) == sorted(names)
        text = read_flows(data, *words, form="csv")
        assert all(n in text for n in names), text


@case
def names_of_many_interfaces_are_kept():
    data = section() + b"".join(interface(option(2, b"port%d" % i)) for i in range(500))
    data += b"".join(enhanced(i, 1, ethernet(udp4(1000 + i))) for i in range(500))
    flows = read_flows(data)
    assert all(f["interface"] == f"port{f['sport'] - 1000}" for f in flows) and len(flows) == 500


@case
def a_name_beyond_255_bytes_is_cut_and_packets_are_read():
    with tempfile.NamedTemporaryFile() as f:
        f.write(section() + interface(option(2, b"n" * 60000)) + enhanced(0, 1, FRAMES[0]))
        f.flush()
        assert run("-r", f.name, "--quiet").returncode == 0
    flows = read_flows(section() + interface(option(2, b"n" * 60000)) + enhanced(0, 1, FRAMES[0]))
    assert flows[0]["interface"] == "n" * 255


finish()
