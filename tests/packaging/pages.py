#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pages.py BPFENGINE OPTIONS BPFBENCH OPTIONS_OF_BENCH EXAMPLE...: checks the manual pages.

The pages are clean.  The options are those of the programs' tables, which the two listers print
(options.py).  The functions of bpfengine(3) are the header's.  Each example of a filter compiles,
each command runs, and the two programs in bpfengine(3), EXAMPLE, do what the page says.  A missing
tool is reported and counted as skipped.
"""

import glob
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

from options import TOP, ask, by_name

PROGRAM, BENCH = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[3])
OPTIONS, BENCH_OPTIONS = ask(sys.argv[2]), ask(sys.argv[4])
EXAMPLES = [os.path.abspath(path) for path in sys.argv[5:]]
PAGES = sorted(glob.glob(os.path.join(TOP, "man/*.[1-9]")))
# letters that are typed several times
REPEATED = {"-dd", "-ddd", "-xx", "-tt", "-ttt", "-tttt", "-ttttt", "-vv", "-vvv"}
passed = failed = skipped = 0


def page(name):
    return open(os.path.join(TOP, "man", name)).read()


def case(f):
    """Runs the function as a case."""
    global passed, failed
    try:
        f()
        passed += 1
    except Exception as e:  # a failure is reported, and the other cases still run
        failed += 1
        print(f"FAILED {f.__name__}: {type(e).__name__}: {e}")


def tool(name):
    """Runs the function as a case if the tool is installed."""
    global skipped
    if shutil.which(name):
        return lambda f: case(f)
    skipped += 1
    print(f"{name} is not installed: the pages were not given to it")
    return lambda f: f


def plain(text):
    """Returns the text without mdoc's escapes."""
    return text.replace("\\e", "\\").replace("\\&", "")


def commands(name):
    """Returns the example commands of a page."""
    return [plain(c) for c in re.findall(r"^\.Dl (bpfengine .*)$", page(name), re.M)]


@tool("mandoc")
def lint():
    assert len(PAGES) >= 3, PAGES
    for p in PAGES:
        r = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning", p], capture_output=True, text=True
        )
        assert r.returncode == 0 and not r.stdout and not r.stderr, r.stdout + r.stderr


@tool("groff")
def typeset():
    for p in PAGES:
        r = subprocess.run(
            ["groff", "-mandoc", "-ww", "-Tutf8", "-P-cbou", p],
            capture_output=True,
            text=True,
            env=dict(os.environ, LC_ALL="C.UTF-8"),
        )
        assert r.returncode == 0 and not r.stderr, f"{p}: {r.stderr}"
        assert len(r.stdout.splitlines()) > 40 and "NAME" in r.stdout, p


def option_names(line):
    """Returns the options of a line ".It Fl i , Fl Fl interface", as typed."""
    marks = re.findall(r"\bFl ((?:Fl )?)(-?[A-Za-z#][\w-]*)", line)
    return [("--" if fl or n.startswith("-") else "-") + n.lstrip("-") for fl, n in marks]


def check_page_options(name, options):
    """The page has exactly the options of the table, each with a value if the option takes one."""
    accepted, lines = by_name(options), {}
    for line in re.findall(r"^\.It (Fl .*)$", page(name), re.M):
        for option in option_names(line):
            lines.setdefault(option, []).append(line)
    assert set(lines) == set(accepted), (
        f"not in {name}: {sorted(set(accepted) - set(lines))}, "
        f"in it and not accepted: {sorted(set(lines) - set(accepted))}"
    )
    for option, takes_value in accepted.items():
        for line in lines[option]:
            # "-t , --time SECONDS" names the value once; "--print = FORM" has it in brackets
            assert bool(re.search(r" (Ar|Cm) ", line)) == takes_value, (option, line)


def check_help_options(program, options, also):
    """--help names exactly the options of the table; also: words that look like options."""
    text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    shown = set(re.findall(r"(?<![\w-])--?[A-Za-z#][a-z0-9-]*", text))
    accepted = set(by_name(options))
    assert accepted <= shown, sorted(accepted - shown)
    assert shown - accepted <= also, sorted(shown - accepted)


@case
def every_option_is_in_the_page():
    check_page_options("bpfengine.1", OPTIONS)
    check_page_options("bpfbench.1", BENCH_OPTIONS)


@case
def every_option_is_in_the_help():
    check_help_options(PROGRAM, OPTIONS, REPEATED)
    check_help_options(BENCH, BENCH_OPTIONS, set())


@case
def every_option_is_tried():
    tests = "".join(
        open(path).read()
        for folder in ("system", "faults", "export")
        for path in glob.glob(os.path.join(TOP, "tests", folder, "*.py"))
    )
    untried = [o for o in by_name(OPTIONS) if not re.search(rf'"{re.escape(o)}["=]', tests)]
    assert not untried, f"no test of tests/system, tests/faults and tests/export uses {untried}"


@case
def functions_are_the_header_s():
    header = re.sub(
        r"/\*.*?\*/", "", open(os.path.join(TOP, "include/bpfengine.h")).read(), flags=re.S
    )
    squeeze = lambda s: re.sub(r"\s+", " ", s).strip()
    declared = {
        name: (squeeze(ret), [squeeze(a) for a in args.split(",")])
        for ret, name, args in re.findall(
            r"^(?:BPE_API|BPE_INLINE) ([^;{]*?)\b(bpe_\w+)\(([^{;]*?)\);", header, re.M
        )
    }
    sized = {name for name in declared if name.endswith("_sized")}
    named = set(re.findall(r"^\.Fn (bpe_\w+_sized)", page("bpfengine.3"), re.M))
    assert sized == named and len(sized) > 10, f"of the header or the page alone: {sized ^ named}"
    declared = {name: how for name, how in declared.items() if name not in sized}
    shown = {}
    for ret, name, args in re.findall(
        r"^\.Ft (.*)\n\.Fo (\w+)\n((?:\.Fa .*\n)+)\.Fc$", page("bpfengine.3"), re.M
    ):
        shown[name] = (
            ret.strip('"'),
            [a.removeprefix(".Fa ").strip('"') for a in args.splitlines()],
        )
    assert len(declared) > 40
    for name in sorted(set(declared) | set(shown)):
        assert declared.get(name) == shown.get(name), (
            f"{name}: the header has {declared.get(name)}, the page {shown.get(name)}"
        )
    constants = set(re.findall(r"\bBPE_E_\w+", header))
    assert constants == set(re.findall(r"^\.It Dv (BPE_E_\w+)$", page("bpfengine.3"), re.M)), (
        constants
    )


@case
def no_page_has_a_name_of_libpcap():
    assert not {os.path.basename(p) for p in PAGES} & {
        "pcap.3",
        "pcap-filter.7",
        "pcap.3pcap",
        "bpf.4",
        "bpf.7",
    }
    for p in PAGES:
        assert re.search(
            rf"^\.Nm {re.escape(os.path.basename(p).rsplit('.', 1)[0])}$", open(p).read(), re.M
        ), p


@case
def each_filter_compiles():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "blocked.txt"), "w") as f:
            f.write("10.0.0.1 10.0.0.2\n192.168.1.7  # the printer\n")
        all_of_them = commands("bpfengine-filter.7")
        assert len(all_of_them) >= 10
        for c in all_of_them:
            p = subprocess.run(
                [PROGRAM, *shlex.split(c)[1:]], capture_output=True, text=True, cwd=folder
            )
            assert p.returncode == 0 and p.stdout.count("\n") > 2 and "ret " in p.stdout, (
                c,
                p.stderr,
            )


@case
def shown_error_is_the_program_s():
    shown = re.search(
        r"^\.Bd -literal[^\n]*\n(bpfengine: .*?)^\.Ed$", page("bpfengine-filter.7"), re.M | re.S
    ).group(1)
    p = subprocess.run(
        [PROGRAM, "-d", *shown.splitlines()[1].split()], capture_output=True, text=True
    )
    assert p.returncode == 2 and p.stderr == plain(shown), p.stderr


@case
def each_command_runs():
    with tempfile.TemporaryDirectory() as folder:
        syn = (
            bytes(12)
            + b"\x08\x00"
            + struct.pack(
                ">BBHHHBBH4s4s",
                0x45,
                0,
                40,
                1,
                0,
                64,
                6,
                0,
                bytes([10, 0, 0, 1]),
                bytes([10, 0, 0, 2]),
            )
            + struct.pack(">HHIIBBHHH", 40000, 443, 1, 0, 0x50, 2, 1000, 0, 0)
        )
        with open(os.path.join(folder, "trace.pcapng"), "wb") as f:
            f.write(
                struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
                + struct.pack("<IIII", 1700000000, 0, len(syn), len(syn))
                + syn
            )
        os.symlink(PROGRAM, os.path.join(folder, "bpfengine"))
        all_of_them = commands("bpfengine.1")
        assert len(all_of_them) >= 6
        for c in all_of_them:
            mild = re.sub(
                r"-t \d+", "-t 0.2", c.replace("-i eth0", "-i synth:rate=1000")
            )  # no rights, and no minute
            p = subprocess.run(
                ["sh", "-c", mild],
                capture_output=True,
                text=True,
                cwd=folder,
                timeout=600,
                env=dict(os.environ, PATH=folder + os.pathsep + os.environ["PATH"]),
            )
            assert p.returncode == 0 and p.stdout.strip(), (c, p.stdout, p.stderr)
            if "--json" in c:
                assert '"delivered":1' in p.stdout, p.stdout
            if "--flows" in c:
                assert '"dport":443' in p.stdout, p.stdout


@case
def both_examples_do_what_the_page_says():
    assert len(EXAMPLES) == 2
    for program, source, wanted in (
        (EXAMPLES[0], "synth:count=20000,seed=3", "TCP packets"),
        (EXAMPLES[1], "synth:count=20000,seed=3", "bytes of DNS"),
    ):
        p = subprocess.run([program, source], capture_output=True, text=True, timeout=600)
        number, words = p.stdout.strip().split(" ", 1)
        assert p.returncode == 0 and not p.stderr and words == wanted, (p.stdout, p.stderr)
        r = subprocess.run(
            [PROGRAM, "-i", source, "--json", *(["udp", "port", "53"] if "DNS" in wanted else [])],
            capture_output=True,
            text=True,
            timeout=600,
        ).stdout
        truth = re.search(
            r'"tcp":\{"packets":(\d+)' if "TCP" in wanted else r'"wire":(\d+)', r
        ).group(1)
        assert number == truth and int(number) > 0, (number, truth)
        p = subprocess.run(
            [program, "no-such-interface0"], capture_output=True, text=True, timeout=600
        )
        assert p.returncode == 1 and p.stderr.strip(), (p.stdout, p.stderr)


print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or not passed else 0)
