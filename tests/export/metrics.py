#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""metrics.py PROGRAM: --metrics and --metrics-file without any peer.

Each number of a savefile's page is compared with the report of the same run.  docs/metrics.md names
each metric, and no other.  Hostile clients keep nobody from the page.  The last line counts the
cases.
"""

import http.client
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(TOP, "tests", "system"))

import peers
from packets import tcp_frame
from program import PROGRAM, Cases, pcap, report, run, udp

case = Cases()
FOLDER = tempfile.TemporaryDirectory(prefix="bpfengine-metrics-")
os.chmod(FOLDER.name, 0o777)  # the sender is nobody, if root runs the test
SYNTH = "synth:rate=2000,flows=50"
SAMPLE = re.compile(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\\n]|\\[\\"n])*)"')


def place(name):
    return os.path.join(FOLDER.name, name)


def read_page(text):
    """{(name, labels): value as text} of a page; asserts that the page is well formed."""
    samples, kinds, family = {}, {}, None
    assert text.endswith("\n"), text[-80:]
    for line in text.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in kinds, f"twice: {family}"
            kinds[family] = None
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == family and kinds[family] is None, line
            kinds[family] = line.split(" ")[3]
        elif line.startswith("# UNIT ") or line == "# EOF":
            continue
        else:
            m = SAMPLE.match(line)
            assert m and m[1].startswith(family), line
            float(m[3])
            key = (m[1], frozenset(LABEL.findall(m[2] or "")))
            assert key not in samples, f"twice: {line}"
            samples[key] = m[3]
    assert None not in kinds.values()
    return samples


def value(samples, name, **labels):
    return samples[name, frozenset(labels.items())]


def has_page():
    """Whether the build has --metrics."""
    p = run("-r", "/nonexistent", "--metrics", "1")
    return b"without libmicrohttpd" not in p.stderr


class Running:
    """A program with a page, which ends with the block."""

    def __init__(self, *words, source=SYNTH):
        self.port = peers.free_port()
        metrics = words if words else ("--metrics", str(self.port))
        self.process = subprocess.Popen(
            [PROGRAM, "-i", source, *metrics, "-q"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.out, self.err = self.process.communicate(timeout=550)
        self.code = self.process.returncode

    def get(self, path="/metrics", method="GET", body=None, seconds=60, **headers):
        """The answer (status, headers, text) of the page."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            c.request(method, path, body=body, headers=headers)
            r = c.getresponse()
            return r.status, dict(r.getheaders()), r.read().decode()
        finally:
            c.close()

    def wait_for_packets(self):
        """Waits until the counters of the run are on the page."""
        key = ("bpfengine_packets_total", frozenset({("stage", "read")}))
        peers.wait(lambda: int(read_page(self.get()[2]).get(key, 0)), "packets", 550)

    def wait(self):
        peers.wait(lambda: peers.accepts(self.port), "the page is there", 550)
        return self


# ---- The file, and the report ----


def json_number(r, key):
    """The number at "a.b.c" of the report; None if there is none."""
    for word in key.split("."):
        r = r.get(word) if isinstance(r, dict) else None
    return r


def documented(end="\0"):
    """Rows (metric, labels as written, second column) of the tables of docs/metrics.md."""
    with open(os.path.join(TOP, "docs", "metrics.md"), encoding="utf-8") as f:
        tables = f.read().partition("## Statistics of the run")[2].partition(end)[0]
    for line in tables.splitlines():
        m = re.match(r"\| (\w+)(?:\{(.*)\})? \| (.*?) \| \S.* \|$", line)
        if m and m[1] != "metric":
            yield "bpfengine_" + m[1], m[2] or "", m[3]


def requests():
    """Packets of three connections with a name of the server: 12 packets."""
    packets = []
    for k, host in enumerate((b"a.example", b"b.example", b"c.example")):
        question = b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
        for direction, flags, seq, ack, payload in (
            (0, "S", 100, 0, b""),
            (1, "SA", 500, 101, b""),
            (0, "A", 101, 501, b""),
            (0, "PA", 101, 501, question * (1 + 10 * k)),
        ):
            packets.append(tcp_frame(direction, flags, seq, ack, payload, 41000 + k, 80))
    return packets


def savefile():
    """A savefile with flows of several kinds, damage and many sizes."""
    path = place("in.pcap")
    if not os.path.exists(path):
        p = run("-i", "synth:count=3000,flows=40,vlan=10,ipv6=30,retransmit=20", "-w", path, "-q")
        assert p.returncode == 0, p.stderr
        with open(path, "ab") as f:
            f.write(pcap([udp(n % 7)[: 60 - n % 9] for n in range(40)] + requests())[24:])
    return path


def final_page(*words, name="out.prom"):
    """The report and the page of a run over the savefile."""
    r, p = report("-r", savefile(), "--metrics-file", place(name), *words)
    assert p.returncode == 0, p.stderr
    with open(place(name.split("?")[0]), encoding="utf-8") as f:
        return r, read_page(f.read())


@case
def each_statistic_is_the_report_s():
    r, page = final_page("--flows", os.devnull, "--workers", "2")
    compared = 0
    for metric, labels, key in documented("## All others"):
        if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_*]+)*", key) or key.startswith("rates."):
            continue
        label = labels.split("=")[0]
        values = (
            {name: value(page, metric, **{label: name}) for name in json_number(r, key[:-2])}
            if key.endswith(".*")
            else {"": page.get((metric, frozenset(LABEL.findall(labels))))}
        )
        for name, shown in values.items():
            number = json_number(r, key[:-1] + name if key.endswith(".*") else key)
            assert (None if shown is None else int(shown)) == number, (metric, key, shown, number)
            compared += 1
    assert compared > 60, compared
    assert r["packets"]["read"] == 3052 and sum(r["malformed"].values()) > 0


@case
def parts_of_the_report():
    r, page = final_page("--workers", "2", "-w", place("copy.pcapng"))
    for k, w in enumerate(r["workers"]):
        assert int(value(page, "bpfengine_worker_packets_total", worker=str(k))) == w["packets"]
        assert int(value(page, "bpfengine_worker_batches_total", worker=str(k))) == w["batches"]
        assert (
            int(value(page, "bpfengine_worker_wire_bytes_total", worker=str(k)))
            == (w["wire_bytes"])
        )
    source = value(page, "bpfengine_interface_packets_total", interface=savefile())
    assert int(source) == r["sources"][0]["packets"]
    assert int(value(page, "bpfengine_write_written_packets_total")) == 3052
    books = r["exports"][0]
    for name in ("offered", "ring_dropped", "sent", "failed", "unfit", "lost"):
        metric = f"bpfengine_export_{name}_records_total"
        shown = value(page, metric, target=books["target"], kind="metrics-file")
        assert int(shown) == books[name], (name, shown, books)
    assert books["sent"] == r["flows"]["opened"] > 0
    assert value(page, "bpfengine_ended") == "1"


@case
def sums_of_records_are_all_flows():
    r, page = final_page(name="sums.prom?top=1&servers=1")
    for prefix, label in (("app", "app"), ("server", "server")):
        sums = [0, 0, 0]
        for (name, _), shown in page.items():
            for k, what in enumerate(("bytes", "packets", "flows")):
                if name == f"bpfengine_{prefix}_{what}_total":
                    sums[k] += int(shown)
        assert sums[1] == r["flows"]["packets"] and sums[2] == r["flows"]["opened"], (label, sums)
        assert 0 < sums[0] <= r["bytes"]["wire"], (label, sums)
    servers = {dict(k[1])["server"] for k in page if k[0] == "bpfengine_server_flows_total"}
    assert len(servers) == 3 and {"other", "unknown"} < servers, servers
    count = int(value(page, "bpfengine_flow_duration_seconds_count"))
    assert count == r["flows"]["opened"]


@case
def the_manual_page_names_each_metric():
    words = ("--workers", "2", "-w", place("again.pcapng"))
    _, page = final_page(*words, name="named.prom?servers=3")
    names = {re.sub(r"_(bucket|sum|count)$", "", name) for name, _ in page}
    docs = {metric for metric, _, _ in documented()}
    assert names <= docs, names - docs
    # what a savefile's page has not: the kernel's counts, processes and interfaces of flows
    absent = {name for name in docs - names}
    assert all(
        re.search(r"_kernel_|_process_|_flow_interface_|_interface_dr", n) for n in absent
    ), absent


@case
def periods_count_as_they_end():
    path = place("long.pcap")
    with open(path, "wb") as f:
        f.write(pcap([udp(1) for _ in range(100)]))  # a packet a second
    _, p = report(
        "-r", path, "--metrics-file", place("long.prom"), "--flow-active", "10", "--flow-idle", "50"
    )
    assert p.returncode == 0, p.stderr
    with open(place("long.prom"), encoding="utf-8") as f:
        page = read_page(f.read())
    assert int(value(page, "bpfengine_flow_records_total", end="active")) >= 8
    assert value(page, "bpfengine_app_flows_total", app="unknown") == "1"
    assert value(page, "bpfengine_app_packets_total", app="unknown", sent_by="originator") == "100"
    assert value(page, "bpfengine_flow_duration_seconds_count") == "0"


@case
def the_file_is_whole_at_each_moment():
    target = place("live.prom")
    seen = set()
    words = ["-i", SYNTH, "--metrics-file", target + "?interval=1", "-q"]
    with subprocess.Popen([PROGRAM, *words], stdout=subprocess.DEVNULL) as p:

        def look():
            if os.path.exists(target):
                with open(target, encoding="utf-8") as f:
                    page = read_page(f.read())
                assert ("bpfengine_ended", frozenset()) in page
                seen.add(value(page, "bpfengine_packets_total", stage="read"))
            return len(seen) > 2

        try:
            peers.wait(look, "three files", 550)
            assert stat.S_IMODE(os.stat(target).st_mode) == 0o644
        finally:
            p.send_signal(signal.SIGINT)
            p.wait(550)
    assert p.returncode == 0
    with open(target, encoding="utf-8") as f:
        page = read_page(f.read())
    assert value(page, "bpfengine_ended") == "1"
    left = [name for name in os.listdir(FOLDER.name) if name.startswith(".")]
    assert left == [], left


@case
def a_run_without_flows_has_metrics():
    r, page = final_page("--no-flows", name="plain.prom")
    assert int(value(page, "bpfengine_packets_total", stage="delivered")) == 3052
    assert value(page, "bpfengine_flow_records_total", end="stop") == "0"
    assert r["exports"][0]["offered"] == 0


@case
def the_last_file_stays_where_none_can_be_written():
    final_page(name="full.prom")
    with open(place("full.prom"), "rb") as f:
        before = f.read()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    p = run("-i", "synth:count=10", "--metrics-file", place("full.prom"), preexec_fn=limit)
    assert b"keeps the counters from before" in p.stderr, p
    with open(place("full.prom"), "rb") as f:
        assert f.read() == before
    assert not [name for name in os.listdir(FOLDER.name) if name.startswith(".")]


@case
def wrong_files_are_refused():
    os.makedirs(place("closed"), exist_ok=True)
    os.symlink("/etc/passwd", place("link.prom"))
    os.mkfifo(place("pipe.prom"))
    for name, words, code in (
        ("nowhere/x.prom", "folder has to be there", 1),
        ("link.prom", "a link is there", 1),
        ("pipe.prom", "special file is there", 1),
        ("closed/", "name of a file is missing", 2),
        ("x.prom?interval=0", "interval wants", 2),
        ("x.prom?top=201", "200", 2),
        ("x.prom?speed=1", "there is no parameter speed", 2),
    ):
        p = run("-r", savefile(), "--metrics-file", place(name))
        assert p.returncode == code and words.encode() in p.stderr, (name, p)
    assert os.path.islink(place("link.prom"))
    os.unlink(place("pipe.prom"))


# ---- The page ----


def answers():
    with Running().wait() as page:
        status, headers, text = page.get()
        assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
        page.wait_for_packets()
        accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
        status, headers, text = page.get(Accept=accept)
        assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1
        status, headers, text = page.get(method="HEAD")
        assert status == 200 and not text and int(headers["Content-Length"]) > 10000
        assert '<a href="/metrics">' in page.get("/")[2]
        assert page.get("/-/healthy")[2] == "bpfengine is healthy.\n"
        assert page.get("/metrics?x=1")[0] == 200
        assert page.get("/metrics/")[0] == page.get("/etc/passwd")[0] == 404
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            status, headers, _ = page.get(method=method, body=b"x" * 100000)
            assert status == 405 and headers["Allow"] == "GET, HEAD", method
        assert page.get(Host="evil.example")[0] == 421
        assert page.get(Host="localhost:1")[0] == 200
        age = float(value(read_page(page.get()[2]), "bpfengine_snapshot_age_seconds"))
        assert 0 <= age < 550
    assert page.code == 0 and "Traceback" not in page.err


def ports_in_use_and_wrong_words():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        p = run("-i", SYNTH, "-c", "1", "--metrics", str(port))
        assert p.returncode == 1 and b"choose another port" in p.stderr, p
        assert b"generating" not in p.stderr, "the run has begun"
    for word in ("0", "65536", "host.example:1", "::1", "127.0.0.1/x", "1?top=x", "1?interval=3"):
        p = run("-i", SYNTH, "-c", "1", "--metrics", word)
        assert p.returncode == 2 and b"--metrics" in p.stderr, (word, p)


def other_hosts_are_told():
    with Running() as first:
        pass
    assert "open to other hosts" not in first.err
    page = Running("--metrics", f"0.0.0.0:{peers.free_port()}", source=SYNTH + ",count=3000")
    with page:
        page.process.wait(550)
    assert "open to other hosts" in page.err, page.err


def unix_sockets():
    path = place("m.sock")

    def ask():
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(60)
            s.connect(path)
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: any\r\n\r\n")
            text = b""
            while part := s.recv(65536):
                text += part
        return text

    def is_there():
        try:
            return ask()
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    for _ in range(2):
        with Running("--metrics", "unix:" + path) as page:
            head, _, text = peers.wait(is_there, "the socket", 550).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            read_page(text.decode())
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
            second = run("-i", SYNTH, "-c", "1", "--metrics", "unix:" + path)
            assert second.returncode == 1 and b"another program" in second.stderr, second
        assert page.code == 0 and not os.path.exists(path)
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(path)
        stale.close()  # the next run finds a socket that nobody listens at
    os.unlink(path)


def hostile_clients():
    """Clients that say little, too much or nothing; the page goes on, and so does the capture."""
    with Running().wait() as page:
        page.wait_for_packets()
        held = []
        for k in range(200):
            s = socket.socket()
            s.settimeout(60)
            s.connect(("127.0.0.1", page.port))
            held.append(s)
            try:
                if k % 4 == 0:
                    s.sendall(b"GET /metrics HTTP/1.1\r\nX: ")  # and no more
                elif k % 4 == 1:
                    s.sendall(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 200000)
                elif k % 4 == 2:
                    s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    s.shutdown(socket.SHUT_WR)  # and no reading
                else:
                    s.sendall(b"\0\xff\r\n\r\n")
            except OSError:
                pass  # the server has had enough
        began = time.monotonic()
        status, _, text = peers.wait(lambda: try_page(page), "the page among 200 clients", 550)
        assert status == 200
        before = read_page(text)
        # a client that sends a byte a second does not live for ever
        slow = socket.create_connection(("127.0.0.1", page.port), 60)
        slow.sendall(b"GET / HTTP/1.1\r\n")
        slow.settimeout(1)

        def is_ended():
            try:
                slow.sendall(b"X")
                return slow.recv(1) == b""
            except socket.timeout:
                return False
            except OSError:
                return True

        peers.wait(is_ended, "the end of a slow client", 550)
        assert time.monotonic() - began > 1
        slow.close()
        for s in held:
            s.close()
        after = read_page(peers.wait(lambda: try_page(page), "the page", 550)[2])
        name = "bpfengine_packets_total"
        assert int(value(after, name, stage="read")) > int(value(before, name, stage="read"))
        assert value(after, "bpfengine_dropped_packets_total", cause="ring_full") == "0"
        kept = {"kind": "metrics", "target": str(page.port)}
        assert value(after, "bpfengine_export_starts_total", **kept) == "1"
    assert page.code == 0


def try_page(page):
    try:
        return page.get(seconds=5)
    except (OSError, http.client.HTTPException):
        return None


if has_page():
    for function in (
        answers,
        ports_in_use_and_wrong_words,
        other_hosts_are_told,
        unix_sockets,
        hostile_clients,
    ):
        case(function)
else:
    print("the build has no libmicrohttpd: the page is left out")
FOLDER.cleanup()
case.finish()
