#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""node.py PROGRAM DIGEST BPFNODE CAPTURES DRIVER: captures on a served BPF node of each system.

The whole program makes real system calls.  Savefiles played through the node must arrive byte for
byte, with time stamps and lengths, in each ABI and read mode.  The program must report the node's
drops.  The interface's end, signals, busy nodes and filters behave as on the real device.  Skipped,
by name, without root or /dev/fuse.
"""

import contextlib, json, os, re, struct, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from progress import Running

PROGRAM, DIGEST, NODE, CAPTURES, DRIVER = sys.argv[1:6]
ABIS = ("macos", "freebsd", "netbsd", "openbsd")
passed = failed = 0
HERE = tempfile.mkdtemp(prefix="bpfnode-")


class Node:
    """bpfnode on a directory of its own, while the with block runs; .report: its last message."""

    def __init__(self, abi, *args):
        self.abi, self.args = abi, [str(a) for a in args]
        self.directory = tempfile.mkdtemp(dir=HERE)
        self.report = None

    def __enter__(self):
        self.process = subprocess.Popen(
            [NODE, self.directory, "--abi", self.abi] + self.args,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stderr.readline()
        assert "ready" in line, line
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            out = self.process.communicate(timeout=600)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.report = json.loads(out) if out.strip() else None
        os.rmdir(self.directory)

    def options(self):
        return ["--bpf-abi", self.abi, "--bpf-device", self.directory + "/bpf"]


def digest(*args):
    p = subprocess.run(
        [DIGEST] + [str(a) for a in args], capture_output=True, text=True, timeout=600
    )
    assert p.returncode == 0, p.stderr
    return p.stdout.split()


def program(node, *args, **more):
    return subprocess.run(
        [PROGRAM, "-i", "bpf:en0"] + node.options() + [str(a) for a in args],
        capture_output=True,
        text=True,
        timeout=600,
        **more,
    )


def case(f):
    global passed, failed
    try:
        f()
        passed += 1
    except Exception as e:
        failed += 1
        print(f"FAILED {f.__name__}: {type(e).__name__}: {e}")


def plain_pcap(path):
    """Returns whether the node can give the file back exactly.

    Classic pcap in this host's byte order, in microseconds, without a torn record.
    """
    with open(path, "rb") as f:
        head = f.read(24)
    return len(head) == 24 and struct.unpack("=I", head[:4])[0] == 0xA1B2C3D4


def captures():
    chosen = {}
    for folder, _, files in sorted(os.walk(CAPTURES)):
        for name in sorted(files):
            path = os.path.join(folder, name)
            if (
                not name.endswith((".pcap", ".cap"))
                or not plain_pcap(path)
                or os.path.getsize(path) > 3 << 20
            ):
                continue
            p = subprocess.run([DIGEST, "-r", path], capture_output=True, text=True, timeout=600)
            if p.returncode == 0 and 2 < int(p.stdout.split()[0]) < 3000:
                chosen.setdefault(p.stdout.split()[2], []).append(path)
    for link, paths in sorted(chosen.items()):
        yield from paths[:: max(1, len(paths) // 6)][:6] if link == "EN10MB" else paths[:1]


def savefiles_arrive_byte_for_byte():
    """In every ABI, turning through the read modes; time stamps to the microsecond."""
    files = list(captures())
    assert files or not os.path.isdir(CAPTURES)
    for k, path in enumerate(files):
        want = digest("-r", path)
        for abi in ABIS if k % 3 == 0 else ABIS[k % 4 : k % 4 + 1]:
            with Node(
                abi,
                "--read",
                path,
                "--rate",
                20000,
                "--patient",
                "--at-end",
                "remove",
                "--end-wait",
                0.15,
            ) as node:
                got = digest("-i", "bpf:en0", "-a", abi, "-d", node.directory + "/bpf", "-m", k % 4)
            # OpenBSD's revoked descriptor may lose the last packets: the node waits before
            # removing the interface.
            assert got[0:3] == want[0:3] and got[4] == "0", (os.path.basename(path), abi, got, want)


def the_books_balance_when_the_node_drops():
    for abi in ABIS:
        with Node(
            abi,
            "--synth",
            "flows=1000,size=imix,count=300000",
            "--buffer-most",
            65536,
            "--at-end",
            "remove",
            "--end-wait",
            0.3,
        ) as node:
            p = program(node, "--json", "-B", "64K")
        r = json.loads(p.stdout)
        assert p.returncode == 1 and "went away" in r["error"], p.stderr
        k = r["kernel"]
        # A served node has no debug.bpf_stats: only NetBSD's requests report the passed packets.
        assert (k["accepted"] is None) == (abi != "netbsd") and k["interface_dropped"] is None, (
            abi,
            k,
        )
        assert k["received"] == node.report["received"] == 300000, (k, node.report)
        assert (
            k["dropped"] == node.report["dropped"] and r["packets"]["read"] + k["dropped"] == 300000
        ), (abi, r["packets"], k)


def no_loss_while_there_is_room():
    """The node waits for room, so a slow host causes no drop: missing packets are lost here."""
    for abi in ABIS:
        with Node(
            abi,
            "--synth",
            "flows=1000,size=imix,count=200000",
            "--rate",
            200000,
            "--patient",
            "--at-end",
            "remove",
            "--end-wait",
            0.3,
        ) as node:
            p = program(node, "--json")
        r = json.loads(p.stdout)
        assert (
            r["packets"]["read"] == 200000
            and r["kernel"]["dropped"] == 0
            and r["flows"]["opened"] >= 900
        ), (abi, r["packets"], r["kernel"])


def workers_and_modes():
    for mode in ("auto", "throughput", "latency", "paced"):
        with Node(
            "macos",
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
            p = program(node, "--json", "--read-mode", mode, "--workers", 2)
        r = json.loads(p.stdout)
        assert (
            r["packets"]["read"] == r["packets"]["delivered"] == 50000 - r["kernel"]["dropped"]
            and not r["kernel"]["dropped"]
        ), (mode, r["packets"], r["kernel"])


def a_signal_ends_the_run_in_every_mode():
    for mode in ("auto", "throughput", "latency", "paced"):
        with Node("macos", "--synth", "flows=10,count=10") as node:
            words = [PROGRAM, "-i", "bpf:en0", *node.options(), "--json", "--read-mode", mode]
            with Running(words) as p:
                p.wait_for_packets(10)
                out, _, code = p.end()
        assert code == 0 and json.loads(out)["packets"]["read"] == 10, (mode, code, out)


def busy_nodes_are_passed():
    with Node(
        "macos",
        "--synth",
        "flows=10,count=1000",
        "--patient",
        "--at-end",
        "remove",
        "--end-wait",
        0.3,
    ) as node:
        held = [os.open(f"{node.directory}/bpf{n}", os.O_RDONLY) for n in range(3)]
        p = program(node, "--json")
        for fd in held:
            os.close(fd)
    assert (
        json.loads(p.stdout)["packets"]["read"] == 1000
        and "/bpf3," in json.loads(p.stdout)["source"]
    ), p.stdout


def wrong_names_say_what_would_be_right():
    with Node("macos", "--synth", "flows=10,count=10") as node:
        p = subprocess.run(
            [PROGRAM, "-i", "bpf:en7", "-v"] + node.options() + ["-t", "1"],
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert (
            p.returncode == 4 and "BIOCSETIF" in p.stderr and "en7" in p.stderr and "-L" in p.stderr
        ), p.stderr
        p = program(node, "-y", "IEEE802_11_RADIO", "-t", "1")
        assert p.returncode == 2 and "it has: EN10MB" in p.stderr, p.stderr
    p = subprocess.run(
        [PROGRAM, "-i", "bpf:en0", "--bpf-device", HERE + "/none", "-t", "1"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert p.returncode == 4 and "none0" in p.stderr, p.stderr


def the_node_answers_as_the_drivers_do():
    for abi in ABIS:
        with Node(abi, "--synth", "flows=10,count=100") as node:
            p = subprocess.run(
                [DRIVER, "--abi", abi, "--device", node.directory + "/bpf", "--interface", "en0"],
                capture_output=True,
                text=True,
                timeout=600,
            )
        assert p.returncode == 0, p.stdout


def live_interface_through_the_node():
    """lo's packets, through AF_PACKET, the node and the BPF device."""
    import socket

    with Node("macos", "--live", "lo", "--interface", "en0") as node:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

        def arrived(told):
            for n in range(50):
                s.sendto(b"bpfnode", ("127.0.0.1", 9))
            return any(int(n) >= 500 for n in re.findall(r"^  udp +(\d+) ", told, re.M))

        with Running([PROGRAM, "-i", "bpf:en0", *node.options(), "--json"]) as p:
            p.wait_for_report("500 packets", arrived)
            out, _, code = p.end()
    assert code == 0 and json.loads(out)["protocols"]["udp"]["packets"] >= 500, out


def zero_copy_keeps_nothing_back():
    """FreeBSD's shared buffers, small and large, with and without workers: all that was fed is read
    or counted as dropped, though the driver takes a buffer back at its next packet only."""
    for workers in (0, 2):
        for size in ("8K", "64K"):
            with Node(
                "freebsd",
                "--synth",
                "flows=100,count=20000",
                "--rate",
                50000,
                "--zero-copy",
                "--patient",
                "--at-end",
                "remove",
                "--end-wait",
                1,
            ) as node:
                p = program(node, "--json", "--zero-copy", "-B", size, "--workers", workers)
            r = json.loads(p.stdout)
            assert "zero-copy" in r["source"] and "went away" in r["error"], p.stderr
            read, dropped = r["packets"]["read"], r["kernel"]["dropped"]
            assert read + dropped == 20000 == node.report["received"], (
                workers,
                size,
                read,
                dropped,
            )
            assert dropped == node.report["dropped"] == 0 and r["blocks"]["torn"] == 0, r["kernel"]


def list_descriptors(pid):
    """What each descriptor of a process stands for.  Those that are closed meanwhile are left out."""
    links = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            links[fd] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return links


def nodes_are_opened_for_reading_alone():
    """What is opened cannot send: a write fails with EBADF, whoever makes it."""
    for abi in ABIS:
        with Node(abi, "--synth", "rate=100") as node:
            p = subprocess.Popen(
                [PROGRAM, "-i", "bpf:en0"] + node.options() + ["--quiet", "-t", "60"],
                stdout=subprocess.DEVNULL,
            )
            found, end = [], time.monotonic() + 600
            while not found and time.monotonic() < end and p.poll() is None:
                links = list_descriptors(p.pid)
                found = [fd for fd, to in links.items() if to.startswith(node.directory + "/bpf")]
                time.sleep(0.01)
            flags = []
            for fd in found:
                with open(f"/proc/{p.pid}/fdinfo/{fd}", encoding="ascii") as info:
                    flags += [int(x.split()[1], 8) for x in info if x.startswith("flags:")]
            p.terminate()
            p.wait(timeout=600)
            assert flags and all(f & os.O_ACCMODE == os.O_RDONLY for f in flags), (abi, flags)


def main():
    if os.geteuid() != 0 or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        print("skipped: a served node needs root and /dev/fuse")
        sys.exit(77)
    for f in (
        savefiles_arrive_byte_for_byte,
        the_books_balance_when_the_node_drops,
        no_loss_while_there_is_room,
        workers_and_modes,
        a_signal_ends_the_run_in_every_mode,
        busy_nodes_are_passed,
        wrong_names_say_what_would_be_right,
        the_node_answers_as_the_drivers_do,
        zero_copy_keeps_nothing_back,
        nodes_are_opened_for_reading_alone,
        live_interface_through_the_node,
    ):
        case(f)
    os.rmdir(HERE)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
