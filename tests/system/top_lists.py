#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""top_lists.py PROGRAM: what the live view shows, on a pseudo-terminal: groups, closed flows, all of
a flow, history, colours, and the same in windows of many sizes.

Skipped by name (exit code 77) where pyte is not installed, or the program was built without curses.
"""

import os, re, signal, struct, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from terminal import View, case, column, finish, missing

SYNTH = ("-i", "synth:rate=20000,flows=200,seed=4")
SIZES = ((15, 60), (24, 80), (30, 100), (43, 132), (60, 200))
ENTRIES = (
    "h help,q quit,Enter details,g group,c closed,/ filter,s sort,w average,space pause,"
    "r reverse,u bytes,n names"
).split(",")
MISSING = missing()
if MISSING:
    finish(MISSING)


def fits(v, rows):
    """Whether the window has all its lines, and none is cut."""
    lines = [l.rstrip() for l in v.screen.display]
    keys = re.split(" {3,}", lines[-1])
    if keys != ENTRIES[: len(keys)] or len(keys) < 5 or len(v.rows()) != rows - 9:
        return False
    starts = (r"synth \(", r"\S+( k)? packets/s", "Dropped  ", "Packets/s  ", "Link     ")
    if not all(re.match(start, line) for start, line in zip(starts, lines)):
        return False
    ends = (
        r"^(10\.0\.0\.\d+|\[2001:db8:\S+\])(:\d+)? +(19\d\.\d+\.\d+\.\d+|\[2001:db8:\S+\])(:\d+)? "
    )
    whole = [re.match(ends, row) for row in v.rows()]
    return lines[-3].startswith("Chosen   ") and sum(map(bool, whole)) > (rows - 9) / 2


@case
def sizes_from_60_by_15():
    for rows, columns in SIZES:
        with View(*SYNTH, "--top", "--stats-interval", "0.3", size=(rows, columns)) as v:
            v.holds((rows, columns), lambda: fits(v, rows))
            if columns >= 80:
                assert re.search(r"-> 2 s +<- 2 s", v.head()), v.head()
            if columns >= 132:
                assert re.search(r"\bapp +-> 2 s +<- 2 s +2 s▼ +10 s ", v.head()), v.head()
            v.leave()


@case
def the_window_shrinks_and_grows():
    with View(*SYNTH, "--top", "--stats-interval", "0.3", size=(43, 132)) as v:
        v.holds("large", lambda: fits(v, 43))
        for rows, columns in SIZES + SIZES[::-1]:
            v.resize(rows, columns)
            v.holds((rows, columns), lambda: fits(v, rows))
        v.leave()


@case
def long_addresses_keep_both_ends():
    source = "synth:rate=20000,flows=200,seed=4,ipv6=100"
    with View("-i", source, "--top", "--stats-interval", "0.3", size=(15, 60)) as v:
        ends = r"^\[?2001:db8:c100\S*\]:\d+ +\[?2001:db8:5e00\S*\]:\d+ +\S+( [kM])? *$"
        v.until(ends)
        v.resize(15, 50)
        v.until(r"^\[2001:\S*…\S*\]:\d+ +\[2001:\S*…\S*\]:\d+ +\S+( [kM])? *$")
        v.resize(24, 132)
        v.until(r"^\[2001:db8:c100::\S*\]:\d+ +\[2001:db8:5e00::\S*\]:\d+ +(tcp|udp) ")
        v.leave()


@case
def all_of_a_flow():
    with View(*SYNTH, "--top", "--stats-interval", "0.3", size=(80, 100)) as v:
        v.holds("a full list", lambda: len(v.rows()) >= 20)
        v.keys(" b/10.0 tcp\r")
        v.until('filter "10.0 tcp"')
        v.keys("jj")
        v.until(r"by bytes  3/")
        row = v.marked()
        left, right = re.match(r"(\S+) +(\S+) ", row).groups()
        v.keys("\r")
        v.until("^" + re.escape(f"{left} > {right}"))
        v.until(rf"^address +{left.rsplit(':', 1)[0]} +{right.rsplit(':', 1)[0]} *$")
        v.until(rf"^port +{left.rsplit(':', 1)[1]} +{right.rsplit(':', 1)[1]} *$")
        for name in ("packets +[0-9]+ +[0-9]+", "retransmissions +[0-9]", "community id +1:"):
            v.until("^" + name)
        v.until(r"^rate, 40 s +\S+ \S?bit/s +\S+ \S?bit/s")
        v.until(r"^first +\d+\.\d{9} +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
        v.resize(15, 60)
        v.until(r"^Esc back +space next page.* 1-14 of \d+")
        v.keys(" ")
        v.until(r" 14-27 of \d+")
        v.keys("\x1b[4~")
        v.until(r" (\d+)-(\d+) of \2 *$")
        v.keys("\x1b")
        v.until("^originator")
        v.holds("the same row", lambda: (v.marked() or "").startswith(left))
        v.leave()


@case
def help_has_pages():
    with View(*SYNTH, "--top", size=(15, 60)) as v:
        v.until("^originator")
        v.keys("h")
        v.until("^KEYS")
        seen = v.text()
        for _ in range(40):
            last = v.until(r" \d+-(\d+) of (\d+) *$")
            if last.group(1) == last.group(2):
                break
            v.keys(" ")
            v.until(re.escape(last.group(0)), gone=True)
            seen += v.text()
        for word in ("LINES", "COLUMNS", "MARKS", "rtt ms ", "space ", "ENDED"):
            assert word in seen, word
        v.keys("h")
        v.until("^originator")
        v.leave()


@case
def groups_have_sums():
    with View(*SYNTH, "--top", "--stats-interval", "0.3", size=(30, 120)) as v:
        for key, title, row in (
            ("g", "host", r"^10\.0\.0\.\d+ +\d+ "),
            ("g", "host +other host", r"^10\.0\.0\.\d+ +19\S+ +\d+ "),
            ("g", "service", r"^443/tcp https +\d+ "),
            ("g", "process", r"^not known +\S+"),
            ("g", "name", r"^no name +\S+"),
            ("g", "app", r"^dns +\d+ "),
            ("g", "originator", r"^10\.0\.\S+:\d+ +19\S+ "),
            ("G", "app", r"^dns +\d+ "),
            ("4", "service", r"^22/tcp ssh +\d+ "),
        ):
            v.keys(key)
            v.until(f"^{title}")
            v.until(row)
        v.keys(" b")
        v.until(r"^PAUSED +services by bytes +1/")

        def is_summed():
            """The flows of all services are all flows of the snapshot."""
            v.keys("4")
            v.until("^service")
            flows = column(v.rows(), " flows", v.head())
            v.keys("1")
            count = int(v.until(r"^PAUSED +flows by bytes +1/(\d+) ").group(1))
            # a count from a thousand on is shown with three digits
            return abs(sum(flows) - count) <= count * 0.01 * len(flows)

        assert is_summed(), v.text()
        v.keys("4")
        v.until("^service")
        v.keys("\r")
        v.until(r"flows by bytes +1/\d+ +of (\d+)/(tcp|udp)")
        service = re.search(r" of (\d+/\S+)", v.text()).group(1)
        port, proto = service.split("/")
        v.holds("its flows", lambda: v.rows() and all(f":{port} " in r for r in v.rows()))
        assert all(f" {proto} " in r for r in v.rows()), v.text()
        v.keys("\x1b")
        v.until("^service")
        v.leave()


@case
def closed_flows():
    with View(*SYNTH, "--top", "--stats-interval", "0.3", "--flow-idle", "1") as v:
        v.until("^originator")
        v.keys("c")
        v.until(r"^originator .* end▼")
        v.until(r"^(10|\[2001)\S+ +\S+ .* idle ")
        v.until(r"^closed flows by latest +1/512 +of the latest 512 of ")
        v.keys("s")
        v.until(r"^originator .* bytes▼")
        v.keys("\r")
        v.until(r"^Esc back")
        v.keys("\x1b[4~")
        v.until(r"^name +\S")
        v.keys("\x1b[5~")
        v.until(r"^end +(idle|closed|evicted)")
        v.keys("\x1b")
        v.keys("c")
        v.until(r"^originator.* bytes▼ +\w* *.*$")
        v.until(r"^flows by bytes")
        v.leave()


@case
def closed_flows_and_a_flow_file():
    """--flows gets each record once, however the view shows them."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        path = os.path.join(folder, "flows")
        source = ("-i", "synth:rate=20000,flows=200,seed=4,count=60000", "--flow-idle", "1")
        with View(*source, "--top", "--stats-interval", "0.3", "--flows", path) as v:
            v.keys("c")
            v.until(r"^closed flows by latest")
            v.until("^ENDED")
            v.leave()
            opened = re.search(rb"([0-9,]+) (?:flows )?opened", v.raw)
        lines = open(path).read().splitlines()
        assert len(lines) > 200 and len(set(lines)) == len(lines)
        if opened:
            assert len(lines) == int(opened.group(1).replace(b",", b"")), (len(lines), opened)


@case
def a_line_of_history():
    with View(*SYNTH, "--top", "--stats-interval", "0.3", term="screen") as v:
        v.until(r"^Link +[▁▂▃▄▅▆▇█]{3,} +peak \S+ Mbit/s")
        v.until(r"^Chosen +[▁▂▃▄▅▆▇█ ]+ +peak \S+ [kM]?bit/s")
        v.keys("w")
        v.until(r"^originator.* 10 s▼")
        v.until(r"-> 10 s +<- 10 s")
        v.leave()
    with View(*SYNTH, "--top", "--stats-interval", "0.3", term="screen", locale="C") as v:
        v.until(r"^Link +[_.:=+*#-]{3,} +peak \S+ Mbit/s")
        v.leave()


COLOUR = rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;0-9]*m"


@case
def colours_on_any_background():
    """No colour with NO_COLOR or --color=never; else none but red and green, on the terminal's own background."""
    for more, words, has_colours in (
        ({}, (), True),
        ({"NO_COLOR": ""}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({"NO_COLOR": "1"}, ("--color", "always"), True),
        ({}, ("--color", "never"), False),
    ):
        with View(*SYNTH, "--top", *words, term="screen-256color", more=more) as v:
            v.until(r"^Link +\S+ +peak")
            v.keys("jh")
            v.until("^KEYS")
            v.keys("\x1b")
            v.until("^originator")
            v.leave()
            shown = v.raw.rsplit(b"\x1b[?1049l", 1)[0]
            colours = set(re.findall(COLOUR, shown))
            assert bool(colours) == has_colours, (more, colours)
            assert all(re.fullmatch(rb"\x1b\[[0-9;]*3[12]m", c) for c in colours), colours
            assert re.search(rb"\x1b\[[0-9;]*7m", shown), "no cursor in reverse"


@case
def names_of_two_cells():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "漢字字字字.pcap")
        udp = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x00" + struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 36, 1, 0, 64, 17, 0, b"\x0a\0\0\x01", b"\xc0\0\x02\x01"
        )
        udp += struct.pack(">HHHH", 4000, 53, 16, 0) + bytes(8)
        out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
        for second in (0, 10):
            out += struct.pack("<IIII", 1700000000 + second, 0, len(udp), len(udp)) + udp
        open(path, "wb").write(out)
        for columns in (60, 80, 120):
            name = os.path.basename(path)
            with View("-r", name, "--top", size=(15, columns), folder=folder) as v:
                v.until("^ENDED")
                # the rate is by the packets' time: 100 bytes in 10 s
                v.until(r"^Mean: 0 packets/s +80 bit/s")
                v.until(r"^10\.0\.0\.1:4000 +192\.0\.2\.1:53 ")
                v.until(r" mean▼")
                line = v.screen.display[0].replace(" ", "")
                assert line.endswith("10.0sofpacketsended"), line
                assert "漢字字" in line, line
                v.leave()


@case
def more_notices_than_are_kept():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "filter")
        open(path, "w").write("ip or ip6\n")
        with View(*SYNTH, "-F", path, "--top", "--stats-interval", "0.3", "--no-confine") as v:
            v.until("^originator")
            for i in range(12):
                open(path, "w").write(f"port wrong{i}z\n")
                v.p.send_signal(signal.SIGUSR2)
                v.until(rf"^h help .*wrong{i}z")
            v.leave()
            assert re.search(rb"and 4 more notices, earlier", v.raw), v.raw[-1500:]


finish()
