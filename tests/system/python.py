#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python.py LIBRARY PROGRAM: tests examples/python over the shared library.

Structures are compared with tests/data/abi.txt and the library, packets and flows of synth and of a
savefile with the program's report.  A library that does not fit must be refused.
"""

import ctypes, json, os, re, struct, subprocess, sys, tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EXAMPLES = os.path.join(TOP, "examples/python")
LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:3])
SYNTH = "synth:count=3000,flows=200,seed=3"
passed = failed = 0


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("failed:", what)


def example(*arguments, folder=EXAMPLES, library=LIBRARY):
    return subprocess.run(
        [sys.executable, "-B", os.path.join(folder, "connections.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "BPFENGINE_LIBRARY": library},
    )


def report(*arguments):
    return json.loads(
        subprocess.run(
            [PROGRAM, *arguments, "--json", "-q"],
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        ).stdout
    )


os.environ["BPFENGINE_LIBRARY"] = LIBRARY
sys.dont_write_bytecode = True
sys.path.insert(0, EXAMPLES)
import bpfengine

# Every structure of the header has its size told; those of the example lie as the table says.
kept = open(os.path.join(TOP, "tests/data/abi.txt")).read()
if sys.maxsize > 2**32:
    structures = re.findall(r"^struct (\w+): (\d+) bytes.*\n((?:\t.*\n)*)", kept, re.M)
    check(len(structures) > 10, "tests/data/abi.txt was not understood")
    for name, size, body in structures:
        told = bpfengine.lib.bpe_struct_size(name.encode())
        check(told == int(size), f'bpe_struct_size("{name}") is {told}, not {size}')
        mine = getattr(bpfengine, name, None)
        if not mine:
            continue
        want = [
            (f, int(at), int(n)) for at, f, n in re.findall(r"\t(\d+)\t(\w+)\t(\d+) bytes", body)
        ]
        have = [(f[0], getattr(mine, f[0]).offset, getattr(mine, f[0]).size) for f in mine._fields_]
        check(
            have == want,
            f"{name}: {[x for x in have if x not in want]} instead of {[x for x in want if x not in have]}",
        )
check(bpfengine.lib.bpe_struct_size(b"bpe_none") == 0, "a size of nothing")

with tempfile.TemporaryDirectory() as where:
    # synth by batches, written as a savefile by what the packets are
    path, count, wire = f"{where}/made.pcap", 0, 0
    with open(path, "wb") as f, bpfengine.Capture(interface=SYNTH) as capture:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        check(capture.link_type == "EN10MB", capture.link_type)
        for batch in capture:
            check(0 < len(batch) <= 64, f"a batch of {len(batch)}")
            for p in batch:
                f.write(
                    struct.pack("<IIII", *divmod(p.time_ns, 10**9), len(p.data), p.wirelen) + p.data
                )
                count, wire = count + 1, wire + p.wirelen
    check(count == 3000, f"{count} packets")
    for source, arguments in (("synth", ["-i", SYNTH]), ("savefile", ["-r", path])):
        r, e = report(*arguments), example(SYNTH if source == "synth" else path, "--packets", "7")
        lines = e.stdout.splitlines()
        check(e.returncode == 0 and not e.stderr, f"{source}: {e.stderr}")
        check(
            len(lines) == 1 + 7 + r["flows"]["opened"] + 1,
            f"{source}: {len(lines)} lines, {r['flows']}",
        )
        check(
            lines
            and lines[-1].startswith(
                f"{r['flows']['opened']} flows, {r['flows']['packets']} packets, "
            ),
            f"{source}: {lines[-1:]} and {r['flows']}",
        )
        check(
            all(re.match(r"\d+\.\d{6} \w+ +\d+ bytes", l) for l in lines[1:8]),
            f"{source}: {lines[1:8]}",
        )
        check(
            r["packets"]["delivered"] == count and r["bytes"]["wire"] == wire,
            f"{source}: {count} packets, {wire} bytes, {r['packets']}, {r['bytes']}",
        )
    r, e = report("-r", path, "udp"), example(path, "--packets", "1", "--filter", "udp")
    check(
        f"\n{r['flows']['opened']} flows, {r['flows']['packets']} packets, " in e.stdout
        and " udp " in e.stdout.splitlines()[1],
        f"udp: {e.stdout[-200:]}{e.stderr}",
    )
    tcp = [p for b in bpfengine.Capture(file=path, filter="tcp") for p in b]
    check(
        tcp and all(p.protocol == "tcp" and p.source and p.target for p in tcp),
        "tcp packets without their ends",
    )

    # snapshots, while it runs and at its end
    seen = []
    bpfengine.largest(
        lambda alive, flows: seen.append((alive, [sum(f.wire_bytes) for f in flows])),
        every=0.1,
        count=5,
        interface="synth:rate=20000,flows=50",
        seconds=0.5,
        workers=1,
    )
    check(
        len(seen) >= 3
        and seen[-1][0] >= 50
        and all(len(f) == 5 and f == sorted(f, reverse=True) and f[-1] for _, f in seen[1:]),
        f"snapshots: {seen}",
    )
    seen.clear()
    bpfengine.largest(
        lambda alive, flows: seen.append(sum(sum(f.packets) for f in flows)),
        every=5,
        count=5000,
        order=bpfengine.ORDER_PACKETS,
        file=path,
    )
    whole = report("-r", path)["flows"]["packets"]
    check(seen == [whole], f"a savefile's snapshot at its end: {seen}, {whole}")

    # errors are the library's own sentences
    for arguments, told in (
        (["no-such-interface0"], "no-such-interface0"),
        ([path, "--filter", "prt 80"], "prt"),
    ):
        e = example(*arguments)
        check(
            e.returncode == 1
            and e.stderr.startswith("connections: ")
            and told in e.stderr
            and "Traceback" not in e.stderr,
            f"{arguments}: {e.stderr}",
        )
    raised = None
    try:
        bpfengine.flows(lambda f: 1 // 0, file=path)
    except ZeroDivisionError as e:
        raised = e
    check(raised is not None, "an exception in the handler came out as itself")

    # a module for another library, and no library
    other = f"{where}/other"
    os.mkdir(other)
    text = open(f"{EXAMPLES}/bpfengine.py").read()
    for old, new, told in (
        ('        ("last_ns", c_int64),\n', "", "struct bpe_flow has"),
        (
            '("zero_copy", c_bool)',
            '("zero_copy", c_bool), ("more", c_uint64)',
            "struct bpe_options has",
        ),
        ('"bpe_capture_source"', '"bpe_capture_origin"', "bpe_capture_origin"),
    ):
        check(text.count(old) == 1, f"the example has no {old}")
        with open(f"{other}/bpfengine.py", "w") as f:
            f.write(text.replace(old, new))
        with open(f"{other}/connections.py", "w") as f:
            f.write(open(f"{EXAMPLES}/connections.py").read())
        e = example(SYNTH, folder=other)
        check(
            e.returncode == 1
            and e.stderr.startswith("connections: ")
            and told in e.stderr
            and "Traceback" not in e.stderr,
            e.stderr,
        )
    e = example(SYNTH, library=f"{where}/libnone.so")
    check(e.returncode == 1 and "cannot be loaded" in e.stderr, e.stderr)

print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
