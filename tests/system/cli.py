#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cli.py PROGRAM: the command line: help, options, filters, wrong usage, sources.

Needs no rights.  The last line counts the cases.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from program import Cases, run, report

case = Cases()


@case
def help_and_version():
    p = run("--help")
    assert (
        p.returncode == 0
        and b"Exit codes" in p.stdout
        and max(map(len, p.stdout.decode().splitlines())) <= 80
    )
    p = run("--version")
    assert p.returncode == 0 and re.match(rb"bpfengine \d+\.\d+\.\d+ \(arch=", p.stdout)


@case
def every_long_option_is_in_the_help():
    source = run("--help").stdout.decode()
    for word in (
        "--interface",
        "--read",
        "--duration",
        "--promiscuous",
        "--block-size",
        "--block-count",
        "--flows",
        "--max-flows",
        "--flow-idle",
        "--flow-closed",
        "--flow-timeout",
        "--flow-active",
        "--flow-memory",
        "--no-tcp-health",
        "--duplicates",
        "--no-flows",
        "--outermost",
        "--checksums",
        "--top",
        "--largest",
        "--seed",
        "--workers",
        "--ring",
        "--overload",
        "--pin",
        "--priority",
        "--spread",
        "--spread-networks",
        "--json",
        "--stats-interval",
        "--read-mode",
        "--read-interval",
        "--direction",
        "--linktype",
        "--wait-interface",
        "--process",
        "--head-drop",
        "--truncate",
        "--header-compression",
        "--zero-copy",
        "--bpf-abi",
        "--bpf-device",
        "--through",
        "--relinquish-privileges",
        "--no-confine",
    ):
        assert word in source, word


@case
def long_names_are_their_letters():
    traffic = ("-i", "synth:count=3000,seed=3")
    for letter, name, value in (
        ("-c", "--count", "100"),
        ("-s", "--snapshot-length", "64"),
        ("-f", "--filter", "udp"),
        ("-B", "--buffer-size", "1M"),
        ("-p", "--no-promiscuous-mode", None),
    ):
        short, long = (report(*traffic, o, *([value] if value else []))[0] for o in (letter, name))
        for key in ("packets", "bytes", "protocols", "filtered"):
            assert short[key] == long[key], (name, key)
        if value:
            assert (
                run(*traffic, name, "!").returncode == run(*traffic, letter, "!").returncode == 2
            ), name
    assert run("--list-interfaces").stdout == run("-D").stdout != b""
    assert run("--list-data-link-types").stdout == run("-L").stdout != b""
    assert run("-D").stdout.count(b"\n") == run("-L").stdout.count(b"\n")
    assert 0.2 <= report("-i", "synth:rate=1000", "--autostop", "duration:0.2")[0]["seconds"]
    assert (
        b" batches (" in run(*traffic, "--verbose").stdout
        and b" batches (" not in run(*traffic).stdout
    )
    memory = re.findall(
        rb"^Memory: (\d+) KiB, of which (\d+) KiB in", run(*traffic, "-v").stdout, re.M
    )
    if sys.platform == "linux" and os.path.exists("/proc/self/smaps_rollup"):
        assert len(memory) == 1 and int(memory[0][0]) >= int(memory[0][1]), memory
        assert int(memory[0][0]) > 1000, memory
    for words in (("--quiet",), ("-q",)):
        terminal, end = os.openpty()
        assert (
            run(
                "-i",
                "synth:rate=1000",
                "-t",
                "0.6",
                *words,
                stderr=end,
                stdout=subprocess.DEVNULL,
                capture_output=False,
            ).returncode
            == 0
        )
        os.close(end)
        try:
            told = os.read(terminal, 65536)
        except OSError:
            told = b""  # nothing was written, and the other end is closed
        os.close(terminal)
        lines = told.splitlines()
        assert not lines or words == ("-q",), (words, told)
        assert all(b": generating synth " in line for line in lines), (words, told)


@case
def letters_of_tcpdump_are_accepted():
    """Every letter and name, alone and in clusters; a number behind -t is the duration."""
    source = ("-i", "synth:count=20,seed=3")
    for words in (
        ["--print"],
        ["--print=tcpdump"],
        ["--print=json"],
        ["-e"],
        ["-x"],
        ["-X"],
        ["-A"],
        ["-t"],
        ["-S"],
        ["-#"],
        ["-l"],
        ["-U"],
        ["-K"],
        ["--absolute-tcp-sequence-numbers"],
        ["--number"],
        ["--nano"],
        ["--micro"],
        ["--time-stamp-precision", "nano"],
        ["--color", "always"],
        ["--print", "--print-rate", "10"],
        ["--packet-buffered"],
        ["--dont-verify-checksums"],
        ["--immediate-mode"],
        ["--no-optimize"],
        ["--time-stamp-type", "host"],
        ["-j", "host"],
        ["-b"],
        ["-H"],
        ["-N"],
        ["-u"],
        ["-nnvvXSs", "0"],
        ["-ttttnnq"],
    ):
        p = run(*source, *words)
        assert p.returncode == 0 and p.stdout + p.stderr, (words, p)
    for words in (["-t", "0.3"], ["-nt", "0.3"], ["-t", ".3", "tcp"]):
        r = report("-i", "synth:rate=1000", *words)[0]
        assert 0.3 <= r["seconds"] and "packets" in r, (words, r)
    assert run("-h").stdout == run("--help").stdout != b""
    for words in (["-J"], ["--list-time-stamp-types"]):
        assert b": host" in run(*words).stdout, words


@case
def filters():
    whole = report("-i", "synth:count=20000,seed=3")[0]["protocols"]
    for words in (["-f", "tcp"], ["tcp"], ["ip", "or", "ip6", "and", "tcp"]):
        r = report("-i", "synth:count=20000,seed=3", *words)[0]
        assert (
            r["packets"]["read"] + r["filtered"] == 20000
            and set(r["protocols"]) == {"tcp"}
            and abs(r["protocols"]["tcp"]["packets"] - whole["tcp"]["packets"])
            <= whole["tcp"]["packets"] // 10
        ), (words, r["protocols"], whole)
    with tempfile.NamedTemporaryFile("w", suffix=".filter") as f:
        f.write("udp\n  or icmp\n")
        f.flush()
        assert set(report("-i", "synth:count=20000,seed=3", "-F", f.name)[0]["protocols"]) <= {
            "udp",
            "icmp",
        }
    # The snapshot length cuts what the filter has let through, not what it looks at.
    far, cut = (
        report("-i", "synth:count=5000,seed=3,size=200", *words, "ether[100] >= 0 and tcp")[0]
        for words in ([], ["-s", "20"])
    )
    assert (
        far["packets"] == cut["packets"]
        and far["packets"]["read"] > 100
        and cut["bytes"]["captured"] == 20 * cut["packets"]["read"]
    ), (far["packets"], cut["packets"], cut["bytes"])
    p = run("-d", "ip")
    assert (
        p.stdout
        == b"(000) ldh      [12]\n(001) jeq      #0x800           jt 2\tjf 3\n(002) ret      #262144\n(003) ret      #0\n"
    ), p.stdout
    assert (
        run("-ddd", "ip").stdout.splitlines()[0] == b"4"
        and b"{ 0x28, 0, 0, 0x0000000c }," in run("-dd", "ip").stdout
    )
    p = run("--explain", "tcp port 80 or icmp", "-y", "RAW")
    assert (
        p.returncode == 0
        and b"link type RAW" in p.stdout
        and b"    TCP from or to port 80\n    ICMP" in p.stdout
        and b"Cost" in p.stdout
        and b"macOS, FreeBSD" in p.stdout
    ), p
    p = run("--explain", "--bpf-abi", "openbsd", "--through", "gre", "tcp")
    assert (
        b"OpenBSD: the kernel" in p.stdout
        and b"FreeBSD" not in p.stdout
        and b"behind one or two of: GRE" in p.stdout
    ), p
    assert run("--explain", "tcp", "or").returncode == 2
    assert len(run("-O", "-d", "tcp and tcp").stdout) > len(run("-d", "tcp and tcp").stdout)
    tagged = ["-i", "synth:count=500,vlan=100,ipv6=0", "-q", "--json"]
    counts = [
        json.loads(run(*tagged, *words, "ip").stdout)["packets"]["delivered"]
        for words in ([], ["--through", "vlan"], ["--through", "gre,vlan"])
    ]
    assert counts[0] == 0 and counts[1] == counts[2] > 450, counts
    assert (
        run("--through", "foo", "ip").returncode == 2
        and b"geneve" in run("--through", "foo", "ip").stderr
    )
    assert b"[0]" in run("-d", "-y", "NULL", "ip").stdout and run("-d", "tcp", "or").returncode == 2


@case
def wrong_usage_is_told():
    for words, told in (
        ([], b"no source"),
        (["-i", "synth", "-r", "x"], b"not both"),
        (["-i", "synth", "prot", "80"], b'did you mean "port"?\n  prot 80\n  ^^^^\n'),
        (["-i", "synth", "-f", "ip", "tcp"], b"given twice"),
        (["-i", "synth", "-F", "/nonexistent"], b"cannot read the filter"),
        (["-i", "synth", "-y", "NOSUCH"], b"-y wants"),
        (["-i", "synth", "--read-mode", "fast"], b"throughput"),
        (["-i", "synth", "-Q", "up"], b"inout"),
        (["--jsn"], b"--json"),
        (["--bogus-thing"], b"unknown option"),
        (["-9"], b"unknown option -9"),
        (["-i", "synth", "--print=x"], b"--print is own, tcpdump or json"),
        (["-i", "synth", "--print", "--json"], b"leave one of them out"),
        (["-i", "synth", "-A", "--flows", "-"], b"leave one of them out"),
        (["-i", "synth", "--print", "--workers", "2"], b"leave out --workers 2"),
        (["-i", "synth", "--print-rate", "9"], b"--print-rate is for --print"),
        (["-i"], b"wants an interface"),
        (["-i", "synth", "--duration", "0"], b"above 0"),
        (["-i", "synth", "--duration", "abc"], b"--duration wants"),
        (["-i", "synth", "--duration", "nan"], b"--duration wants"),
        (["-i", "synth", "-c", "-5"], b"-c wants"),
        (["-i", "synth", "-c", "99999999999999999999999"], b"-c wants"),
        (["-i", "synth", "-s", "999999999"], b"-s wants"),
        (["-i", "synth", "-B", "12X"], b"-B wants"),
        (["-i", "synth", "--workers", "100"], b"0 to 64"),
        (["-i", "synth", "--ring", "100"], b"power of two"),
        (["-i", "synth", "--overload", "maybe"], b"wait or drop"),
        (["-i", "synth", "--priority", "top"], b"realtime"),
        (["-i", "synth", "--spread", "port"], b"source"),
        (["-i", "synth", "--spread", "source"], b"--no-flows"),
        (["-i", "synth", "--spread", "destination"], b"--spread host"),
        (["-i", "synth", "--spread", "vlan", "--ignore-vlan"], b"contradict"),
        (["-i", "synth", "--spread", "tunnel", "--ignore-tunnel"], b"contradict"),
        (["-i", "synth", "--spread-networks", "10.0.0.0/8"], b"--spread host"),
        (["-i", "synth", "--seed", "x"], b"--seed wants"),
        (["-i", "synth", "--largest", "x"], b"--largest wants"),
        (["-i", "synth", "--max-flows", "0"], b"--no-flows"),
        (["-i", "synth", "--flow-idle", "-1"], b"--flow-idle wants"),
        (["-i", "synth", "--flow-timeout", "tcp=3"], b"tcp-opening"),
        (["-i", "synth", "--flow-timeout", "icmp=x"], b"icmp wants"),
        (["-i", "synth", "--flow-timeout", "icmp"], b"KIND=SECONDS"),
        (["-i", "synth", "--flow-active", "0"], b"--flow-active wants"),
        (["-i", "synth", "--flow-memory", "lots"], b"--flow-memory wants"),
        (["-i", "synth", "--flow-closed", "x"], b"--flow-closed wants"),
        (["-i", "synth", "--block-size", "1"], b"--block-size wants"),
        (["-i", "synth", "--block-count", "1"], b"--block-count wants"),
        (["-i", "synth", "--stats-interval", "0"], b"--stats-interval wants"),
        (["-i", "synth", "-a", "files:3"], b"for files that are written"),
        (["-i", "synth", "--json=yes"], b"takes no value"),
        (["-i", "synth", "-w", "a", "-w", "b"], b"once"),
        (["-i", "synth", "--flows", "-", "--json"], b"stdout"),
        (["-i", "synth", "--flows", "x", "--no-flows"], b"contradict"),
        (["-i", "synth:flows=x"], b"flows must be"),
        (["-i", "synth:color=red"], b"unknown key"),
    ):
        p = run(*words)
        assert p.returncode == 2 and told in p.stderr and not p.stdout, (words, p)


@case
def sources_that_cannot_be_opened():
    with tempfile.TemporaryDirectory() as d:
        text = os.path.join(d, "text")
        open(text, "w").write("hello, world, this is no capture")
        empty = os.path.join(d, "empty")
        open(empty, "w").close()
        packed = os.path.join(d, "x.bz2")
        open(packed, "wb").write(b"BZh91AY&SY" + bytes(40))
        for path, told in (
            (d, b"directory"),
            (text, b"neither pcap nor pcapng"),
            (empty, b"empty"),
            (packed, b"bzip2 -dc"),
            (d + "/none", b"there is no such file"),
        ):
            p = run("-r", path)
            assert p.returncode == 4 and told in p.stderr and not p.stdout, (path, p)
    p = run("-i", "nosuchif0")
    assert p.returncode in (3, 4) and (
        b"no interface of that name" in p.stderr or p.returncode == 3 or b"Linux only" in p.stderr
    ), p


case.finish()
