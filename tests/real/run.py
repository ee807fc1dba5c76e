#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py BUILD [--served]: the project on a real system's devices, as .github/workflows runs it.

  - the contract list (tests/contract/bpf_driver.c) on the loopback interface and on a pair;
  - numbered packets over both, in each read mode: every number once and in order, or counted as
    dropped, with and without a worker thread, slowly and too fast for a small buffer;
  - the whole program beside them: its report has the same books;
  - macOS: a program that is known by its name sends, and PKTAP says so.

With --served the same steps run on Linux on served BPF nodes of the four systems (tests/bpfnode).
Needs root.  Exit code 77 where nothing could be run.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import places

BUILD = os.path.abspath(sys.argv[1])
SERVED = "--served" in sys.argv
FILTER = "udp and dst port 9"
MODES = ("auto", "throughput", "latency", "paced")
ABIS = ("macos", "freebsd", "netbsd", "openbsd")
NUMBERED = os.path.join(BUILD, "tests/numbered")
DRIVER = os.path.join(BUILD, "tests/contract_bpf_driver")
BPFNODE = os.path.join(BUILD, "tests/bpfnode")
SETTLE = 1.0  # seconds from the last packet sent to the end of the capture
counts = {"passed": 0, "failed": 0}


def find_program():
    """bpfengine in the build directory."""
    for folder in ("src", "src/tools/bpfengine"):
        path = os.path.join(BUILD, folder, "bpfengine")
        if os.path.isfile(path):
            return path
    sys.exit(f"no bpfengine in {BUILD}: build it first")


PROGRAM = find_program()


def step(name, function, *arguments):
    """Runs one step and tells how it ended."""
    start = time.monotonic()
    try:
        function(*arguments)
        counts["passed"] += 1
        print(f"passed  {name} ({time.monotonic() - start:.1f} s)", flush=True)
    except Exception as error:  # the other steps still run
        counts["failed"] += 1
        print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)


def served_options(place, program):
    """Where the node is, for `numbered receive` or for bpfengine."""
    if not place.served:
        return []
    node = os.path.join(place.directory, "bpf")
    if program == "bpfengine":
        return ["--bpf-abi", place.served, "--bpf-device", node]
    return ["-a", place.served, "-d", node]


def send(place, count, rate):
    """Sends, where the place does not play its own packets, and waits until they are through."""
    if place.served:
        return
    words = [*place.prefix, NUMBERED, "send", place.way, str(count)] + ([str(rate)] if rate else [])
    subprocess.run(words, check=True, timeout=600)
    time.sleep(SETTLE)


def finish(place, process):
    """Ends a capture; what it printed.  On a served node it ends with its interface."""
    if not place.served:
        process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=600)
    return out, told


def receive(place, count, rate, *options):
    """The books of `count` numbered packets, sent and captured at this place."""
    words = [
        *place.prefix,
        NUMBERED,
        "receive",
        str(count),
        "-i",
        place.interface,
        "-f",
        FILTER,
        *served_options(place, "numbered"),
        *[str(o) for o in options],
    ]
    p = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    told = ""
    for told in p.stderr:
        if told == "ready\n":
            break
    assert told == "ready\n", told
    send(place, count, rate)
    out, told = finish(place, p)
    assert p.returncode == 0, told
    return json.loads(out)


def balance(books, sent, lossless):
    """Every packet that was sent was delivered once, in order, or is counted as dropped."""
    assert books["kernel_dropped"] is not None, books
    assert books["distinct"] + books["kernel_dropped"] == sent, books
    assert not books["twice"] and not books["backward"] and not books["foreign"], books
    assert books["delivered"] == books["distinct"] and not books["torn"], books
    lost = books["ring_full"] + books["stalled"] + books["duplicate"]
    assert books["read"] == books["delivered"] + lost, books
    assert books["kernel_received"] is None or books["kernel_received"] >= sent, books
    assert not lossless or not books["kernel_dropped"], books


def check_contract(place):
    """The list of what a driver answers, on this interface."""
    words = [DRIVER, "--interface", place.interface.replace("bpf:", "")]
    if place.served:
        words += ["--abi", place.served, "--device", os.path.join(place.directory, "bpf")]
    p = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    print("\n".join(line for line in p.stdout.splitlines() if p.returncode or "passed" in line))
    assert p.returncode == 0, p.stderr


def check_loop(place, count, rate, *options):
    """Numbered packets at a rate that must lose nothing."""
    balance(receive(place, count, rate, *options), count, True)


def check_overload(place, count, *options):
    """Numbered packets faster than they are taken: what is missing is what was dropped."""
    books = receive(place, count, 0, *options)
    print(f"        {books['distinct']} of {count} delivered, {books['kernel_dropped']} dropped")
    balance(books, count, False)


def check_program(place, count, rate):
    """The whole program's report on the same packets."""
    words = [
        *place.prefix,
        PROGRAM,
        "-i",
        place.interface,
        *served_options(place, "bpfengine"),
        "--json",
        "--quiet",
        "-f",
        FILTER,
    ]
    p = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0 if place.served else 2 * SETTLE)
    send(place, count, rate)
    out, told = finish(place, p)
    assert p.returncode == (1 if place.served else 0), told
    report = json.loads(out)
    packets, flows = report["packets"], report["flows"]
    assert packets["delivered"] == count and not report["kernel"]["dropped"], report
    assert flows["opened"] == 1 and flows["packets"] == count, flows


def find_process(lines, name):
    """Packets of the flows that a process of this name sent to port 9."""
    flows = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    return sum(sum(f["packets"]) for f in flows if f.get("process") == name and f["dport"] == 9)


def check_pktap(count):
    """macOS: the sender under a name of its own, to an address of the documentation (RFC 5737)."""
    with tempfile.TemporaryDirectory() as folder:
        known = os.path.join(folder, "bpfe-known")
        shutil.copy(NUMBERED, known)
        p = subprocess.Popen(
            [PROGRAM, "-i", "pktap", "--process", "--flows", "-", "--quiet", "-f", FILTER],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(2 * SETTLE)
        subprocess.run([known, "send", "udp:192.0.2.1", str(count), "500"], check=True, timeout=60)
        time.sleep(SETTLE)
        p.send_signal(signal.SIGINT)
        out, told = p.communicate(timeout=60)
    assert p.returncode == 0, told
    assert find_process(out, "bpfe-known") == count, (out, told)


def check_served_pktap(count):
    """The same steps, as far as a served node has them: PKTAP's headers name the process."""
    head = places.make_pktap_header(4242, b"bpfe-known", b"en0")
    with places.ServedNode(
        BPFNODE,
        "macos",
        count,
        "--rate",
        20000,
        "--patient",
        "--interface",
        "pktap0",
        head=head,
        link_type=258,
    ) as place:
        words = [
            PROGRAM,
            "-i",
            "bpf:pktap0",
            *served_options(place, "bpfengine"),
            "--process",
            "--flows",
            "-",
            "--quiet",
            "-f",
            FILTER,
        ]
        p = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert find_process(p.stdout, "bpfe-known") == count, (p.stdout, p.stderr)


def probe():
    """What this system is and has; never fails."""
    for words in (
        ["uname", "-a"],
        [places.IFCONFIG, "-a"],
        ["sysctl", "debug.bpf_bufsize_cap"],
        ["sysctl", "net.bpf"],
        [PROGRAM, "-L"],
    ):
        if shutil.which(words[0]):
            print("$", *words, flush=True)
            subprocess.run(words, check=False, timeout=60)


def run_place(place):
    """All steps on one place."""
    name = place.name
    if place.bpf:
        step(f"{name}: contract list", check_contract, place)
    for number, mode in enumerate(MODES if place.bpf else MODES[:1]):
        step(f"{name}: numbered packets, {mode}", check_loop, place, 20000, 20000, "-m", number)
    step(f"{name}: numbered packets, a worker", check_loop, place, 20000, 20000, "-w", 1)
    if not isinstance(place, places.Loopback) or place.bpf:
        small = 32768 if place.bpf else 65536
        step(
            f"{name}: more than a small buffer holds",
            check_overload,
            place,
            200000,
            "-B",
            small,
            "-s",
            2000,
        )
    step(f"{name}: the whole program", check_program, place, 20000, 20000)


def run_real():
    probe()
    run_place(places.Loopback())
    with places.make_pair() as pair:
        run_place(pair)
    if places.SYSTEM == "darwin":
        step("pktap: a known program's name", check_pktap, 500)


def serve(abi, check, count, options, *arguments):
    """One step on a served node of its own, whose own counts are the program's."""
    with places.ServedNode(BPFNODE, abi, count, *options) as place:
        check(place, *arguments)
    if check is not check_contract:
        assert place.report["received"] == count, place.report


def run_served():
    gentle = ("--rate", 40000, "--patient")
    for abi in ABIS:
        step(f"served {abi}: contract list", serve, abi, check_contract, 10, ())
        for number, mode in enumerate(MODES):
            step(
                f"served {abi}: numbered packets, {mode}",
                serve,
                abi,
                check_loop,
                10000,
                gentle,
                10000,
                0,
                "-m",
                number,
            )
        step(
            f"served {abi}: numbered packets, a worker",
            serve,
            abi,
            check_loop,
            10000,
            gentle,
            10000,
            0,
            "-w",
            1,
        )
        step(
            f"served {abi}: more than a small buffer holds",
            serve,
            abi,
            check_overload,
            50000,
            (),
            50000,
            "-B",
            32768,
            "-s",
            2000,
        )
        step(f"served {abi}: the whole program", serve, abi, check_program, 10000, gentle, 10000, 0)
    step("served macos: a known program's name", check_served_pktap, 500)


def main():
    if os.geteuid() != 0:
        print("SKIP: real devices and served nodes need root")
        sys.exit(77)
    if SERVED and not (os.path.isfile(BPFNODE) and os.access("/dev/fuse", os.R_OK | os.W_OK)):
        print("SKIP: a served node needs libfuse3 at build time and /dev/fuse")
        sys.exit(77)
    if SERVED:
        run_served()
    else:
        run_real()
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    sys.exit(1 if counts["failed"] else 0)


main()
