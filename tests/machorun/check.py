#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check.py MAC_PROGRAM LINUX_PROGRAM [BPFNODE [CAPTURES]]: the x86_64 program for macOS, run on Linux.

Builds machorun (beside this file), which maps the Mach-O file and gives it libSystem's functions in
Darwin's ABI, then compares: every savefile's report and flows with those of the Linux program, and
live runs on a served BPF node with what the node says.  Nothing here is macOS: kqueue, Seatbelt and
errors are modelled.  Ends with "N passed, N failed"; exits with 77 where nothing could be run.
"""

import concurrent.futures
import json
import os
import platform
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from progress import WAIT, Running

MAC, LINUX = sys.argv[1:3]
NODE = sys.argv[3] if len(sys.argv) > 3 else None
CAPTURES = sys.argv[4] if len(sys.argv) > 4 else None
WORK = tempfile.mkdtemp(prefix="machorun-")
RUNNER = os.path.join(WORK, "machorun")
# What differs between two runs of one program, and between systems.
VARIES = ("seconds", "rates", "rights", "cpu", "memory", "build", "version", "notices")
counts = {"passed": 0, "failed": 0, "skipped": 0}


def build_runner():
    sources = [os.path.join(HERE, f) for f in sorted(os.listdir(HERE)) if f.endswith(".c")]
    subprocess.run(
        [
            "gcc",
            "-std=gnu11",
            "-O1",
            "-g",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-o",
            RUNNER,
            *sources,
            "-pthread",
            "-ldl",
        ],
        check=True,
    )


def case(function):
    try:
        function()
        counts["passed"] += 1
    except Exception as error:
        counts["failed"] += 1
        line = error.__traceback__.tb_next.tb_lineno if error.__traceback__.tb_next else 0
        print(f"FAILED {function.__name__}: {type(error).__name__}: {error} (line {line})")


def run_mac(*words, timeout=600, **environment):
    return subprocess.run(
        [RUNNER, MAC, *words],
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
    )


def comparable(report):
    """A report without what a clock or a system decides."""
    if isinstance(report, dict):
        return {k: comparable(v) for k, v in report.items() if k not in VARIES}
    return [comparable(v) for v in report] if isinstance(report, list) else report


def read_both(path, *words):
    """The reports and flow records of both programs for a savefile."""
    out = []
    for command in ([RUNNER, MAC], [LINUX]):
        with tempfile.NamedTemporaryFile(dir=WORK) as flows:
            p = subprocess.run(
                [
                    *command,
                    "-r",
                    path,
                    "--json",
                    "--quiet",
                    "--seed",
                    "1",
                    "--flows",
                    flows.name,
                    *words,
                ],
                capture_output=True,
                text=True,
                timeout=300,
            )
            with open(flows.name, encoding="utf-8") as f:
                records = f.read()
        report = comparable(json.loads(p.stdout))
        report["flows"]["records"].pop("path", None)
        text = json.dumps(report).replace(flows.name, "FLOWS")
        out.append((p.returncode, json.loads(text), sorted(records.split("\n"))))
    return out


def list_savefiles():
    for folder, _, files in sorted(os.walk(CAPTURES)):
        for name in sorted(files):
            if name.endswith((".pcap", ".pcapng", ".cap")):
                yield os.path.join(folder, name)


def captures_are_read_as_on_linux():
    files = list(list_savefiles())
    assert files, CAPTURES
    wrong = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, (mac, linux) in zip(files, pool.map(read_both, files)):
            if mac != linux:
                keys = [k for k in linux[1] if mac[1].get(k) != linux[1][k]]
                wrong.append((os.path.basename(path), mac[0], linux[0], keys, mac[2] == linux[2]))
    assert not wrong, f"{len(wrong)} of {len(files)}: {wrong[:5]}"
    print(f"{len(files)} savefiles: equal reports and flows")


def generated_traffic_is_counted_as_on_linux():
    words = (
        "-i",
        "synth:count=200000,seed=5",
        "--seed",
        "1",
        "--json",
        "--quiet",
        "--workers",
        "0",
    )
    mac = json.loads(run_mac(*words).stdout)
    linux = json.loads(
        subprocess.run([LINUX, *words], capture_output=True, text=True, check=True).stdout
    )
    for key in ("packets", "bytes", "protocols", "network", "malformed", "sizes", "top_flows"):
        assert mac[key] == linux[key], (key, mac[key], linux[key])


def records_are_exported_as_on_linux():
    """Keeper and sender run, and a socket here gets the same messages but for their times."""
    office = os.path.join(os.path.dirname(__file__), "../../examples/office.pcap")
    got = []
    for run_one in (run_mac, lambda *words: subprocess.run([LINUX, *words], capture_output=True)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
            collector.bind(("127.0.0.1", 0))
            collector.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            collector.settimeout(0.2)
            target = f"ipfix://127.0.0.1:{collector.getsockname()[1]}?options=0"
            p = run_one(*("-r", office, "--seed", "1", "--json", "--quiet", "--export", target))
            assert p.returncode == 0, p
            [books] = json.loads(p.stdout)["exports"]
            assert books["sent"] == books["offered"] > 0, books
            messages = []
            while True:
                try:
                    messages.append(collector.recv(65536))
                except socket.timeout:
                    break
        bodies = [m[8:] for m in messages]  # behind version, length and export time
        got.append((books["sent"], sorted(bodies)))
    assert got[0] == got[1], [(sent, len(bodies)) for sent, bodies in got]


def written_files_are_those_of_linux():
    """Confined, both write the same files; a command runs for each, and three stay."""
    files = []
    for run_one in (run_mac, lambda *words: subprocess.run([LINUX, *words], capture_output=True)):
        place = tempfile.mkdtemp(dir=WORK)
        p = run_one(
            *("-i", "synth:count=3000,seed=5", "--json", "-Z", pwd.getpwuid(os.geteuid()).pw_name),
            *("-w", place + "/x.pcap", "-C", "100K", "-W", "3", "-z", "true"),
        )
        assert p.returncode == 0, p
        report = json.loads(p.stdout)
        if run_one is run_mac:
            assert report["rights"]["confined"] and not report["rights"]["missing"], report
        assert report["written"]["packets"] == 3000, report["written"]
        assert report["written"]["commands"]["good"] == report["written"]["files"], report
        names = sorted(n for n in os.listdir(place) if not n.endswith(".jsonl"))
        files.append([(n, open(os.path.join(place, n), "rb").read()) for n in names])
    assert [n for n, _ in files[0]] == ["x.pcap0", "x.pcap1", "x.pcap2"], files[0]
    assert files[0] == files[1]


class Node:
    """A served BPF node of macOS while the with block runs; .report is what it said at its end."""

    def __init__(self, *args):
        self.directory = tempfile.mkdtemp(dir=WORK)
        self.args, self.report = [str(a) for a in args], None
        self.runs = []

    def __enter__(self):
        self.process = subprocess.Popen(
            [NODE, self.directory, "--abi", "macos", *self.args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stderr.readline()
        assert "ready" in line, line
        self.environment = {"MACHO_BPF": self.directory + "/bpf"}
        return self

    def __exit__(self, *_):
        for run in self.runs:
            run.__exit__()  # it may not have ended when it should
        self.process.terminate()
        out = self.process.communicate(timeout=WAIT)[0]
        self.report = json.loads(out) if out.strip() else None

    def start(self, *words, **environment):
        environment = {**os.environ, **self.environment, **environment}
        run = Running([RUNNER, MAC, "-i", "en0", *words], env=environment)
        self.runs.append(run)
        return run


def every_read_mode_takes_all_packets():
    for mode in ("auto", "throughput", "latency", "paced"):
        for workers in ("0", "2"):
            with Node(
                "--synth",
                "flows=500,count=50000",
                "--rate",
                100000,
                "--patient",
                "--at-end",
                "remove",
                "--end-wait",
                0.3,
            ) as node:
                run = node.start("--json", "--read-mode", mode, "--workers", workers)
                report = json.loads(run.end(None)[0])
            told = report["packets"], report["kernel"]
            assert report["packets"]["delivered"] == 50000, (mode, workers, told)


def waits_keep_one_kqueue():
    """Packets, then a second without any: the silent knote is added anew, in the same queue."""
    log = os.path.join(WORK, "log-queues")
    with Node(
        "--synth", "flows=10,count=200", "--rate", 100, "--at-end", "remove", "--end-wait", 1.2
    ) as node:
        node.start("--json", "--read-mode", "latency", MACHO_LOG=log).end(None)
    told = re.search(r"(\d+) kevent, .* (\d+) kqueue", read_text(log))
    assert told and int(told[2]) == 1, read_text(log)
    # A wait a packet, and ten of the silent second.
    assert int(told[1]) < 260, told[0]
    assert "is wrong" not in read_text(log), read_text(log)


def dropped_and_read_make_up_all():
    with Node(
        "--synth",
        "flows=1000,size=imix,count=300000",
        "--buffer-most",
        65536,
        "--at-end",
        "remove",
        "--end-wait",
        0.3,
    ) as node:
        out = node.start("--json", "-B", "64K").end(None)[0]
    report = json.loads(out)
    assert report["kernel"]["dropped"] == node.report["dropped"], (report, node.report)
    assert report["packets"]["read"] + report["kernel"]["dropped"] == 300000, report


def capture_loads_no_framework():
    """Frameworks tell the names of hardware, for -L; a capture with its rights loads none."""
    log = os.path.join(WORK, "log")
    with Node("--synth", "flows=10,count=100", "--at-end", "remove", "--end-wait", 0.3) as node:
        node.start("--json", "ip broadcast or udp", MACHO_LOG=log).end(None)
    with open(log, encoding="utf-8", errors="replace") as f:
        text = f.read()
    assert "sigaction" in text and "dlopen" not in text, text[-2000:]
    os.unlink(log)
    run_mac("-L", MACHO_LOG=log)
    with open(log, encoding="utf-8", errors="replace") as f:
        assert "dlopen" in f.read()


def filter_file_behind_a_link_is_read_again():
    """SIGUSR2 under the profile; the file lies behind a link in the middle of its path."""
    real = tempfile.mkdtemp(dir=WORK)
    link = os.path.join(WORK, "link")
    os.symlink(real, link)
    with open(os.path.join(real, "hosts"), "w", encoding="utf-8") as f:
        f.write("192.0.2.1\n")
    os.chmod(WORK, 0o755)
    os.chmod(real, 0o755)
    log = os.path.join(WORK, "log-link")
    with Node("--synth", "flows=10,count=100") as node:
        words = ["--json", "-v", "--stats-interval", "0.1"]
        p = node.start(*words, "-f", f"host in {link}/hosts or port domain", MACHO_LOG=log)
        p.wait_for_message(" packets, ")
        assert "sandbox_init" in read_text(log)
        p.send_signal(signal.SIGUSR2)
        p.wait_for_message("the filter was read again")
        out, told, code = p.end()
    assert code == 0, (out, told)
    assert "SANDBOX denies" not in read_text(log), read_text(log)


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def netmasks_are_those_of_linux():
    """The shim trims masks as xnu's in_socktrim does."""
    for line in subprocess.run(
        [LINUX, "-L"], capture_output=True, text=True, check=True
    ).stdout.splitlines():
        for word in line.split():
            if "/" in word and word[0].isdigit() and word.count(".") == 3:
                assert word.rstrip(",") in run_mac("-L").stdout, word


def signals_end_a_run():
    for number in (signal.SIGINT, signal.SIGTERM):
        with Node("--synth", "flows=10,count=10") as node:
            log = os.path.join(WORK, f"log-{number}")
            p = node.start("--json", "--stats-interval", "0.1", MACHO_LOG=log)
            p.wait_for_message(": 10 packets, ")
            out, _, code = p.end(number)
        assert code == 0 and json.loads(out)["packets"]["read"] == 10, (code, out)


def skip(what, why):
    counts["skipped"] += 1
    print(f"skipped {what}: {why}")


def main():
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        print("SKIP: machorun runs on Linux x86_64 alone")
        sys.exit(77)
    build_runner()
    case(generated_traffic_is_counted_as_on_linux)
    case(netmasks_are_those_of_linux)
    case(records_are_exported_as_on_linux)
    case(written_files_are_those_of_linux)
    if CAPTURES and os.path.isdir(CAPTURES):
        case(captures_are_read_as_on_linux)
    else:
        skip("savefiles", "the captures are not there")
    if not NODE or not os.path.exists(NODE):
        skip("live runs", "bpfnode was not built")
    elif os.geteuid() or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        skip("live runs", "a served node needs root and /dev/fuse")
    else:
        for function in (
            every_read_mode_takes_all_packets,
            waits_keep_one_kqueue,
            dropped_and_read_make_up_all,
            capture_loads_no_framework,
            filter_file_behind_a_link_is_read_again,
            signals_end_a_run,
        ):
            case(function)
    shutil.rmtree(WORK, ignore_errors=True)
    print(
        f"{counts['passed']} passed, {counts['failed']} failed"
        + (f", {counts['skipped']} skipped" if counts["skipped"] else "")
    )
    sys.exit(counts["failed"] != 0)


main()
