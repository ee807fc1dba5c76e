#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cpus.py TOP BUILDS [CPU...]: runs the programs of BUILDS/scalar, sse42, avx2 and avx512 (meson
setup -Darch=... -Dunit_runner=plain) on emulated CPUs.
cpus.py --targets BUILD LEVEL: what ninja has to make there before.

On a CPU that has the level: the unit tests, tests/parity, the contracts, the replayed fuzzers, and
bpfengine -r over the shared captures, or over captures that the script makes, compared with the
report of the scalar program on the real CPU.  All tests run where WHOLE says so: on the CPU with
the least, at its level.  The other builds must have the same objects, byte for byte, but for
sources that name a kernel; there the tests that call kernels run, on each CPU whose best level it
is, and on the first of these the whole engine's, too.  Below the best level the captures run.
On a CPU that lacks the level, or any extension of it: an error that names the level, and all that
needs no kernel.  The single file, by each compiler: the same output everywhere, and the
level that the CPU has. Exit code 77: skipped, with the reason."""

import concurrent.futures, glob, json, os, re, shutil, stat, subprocess, sys
import tempfile, threading, time

EMULATOR = "qemu-x86_64"
LEVELS = ["scalar", "sse42", "avx2", "avx512"]
# The best level of each CPU.  The emulator has nothing of AVX-512.
CPUS = {
    "Conroe": "scalar",
    "Nehalem": "sse42",
    "SandyBridge": "sse42",
    "Haswell": "avx2",
    "EPYC": "avx2",
}
# One extension taken away: the level goes with it.
LACKING = {
    "Nehalem": (("sse3", "ssse3", "sse4.1", "sse4.2", "popcnt"), "scalar"),
    "Haswell": (("avx", "avx2", "bmi1", "bmi2", "xsave"), "sse42"),
}
SUITES = {"unit", "parity", "contract", "fuzz"}
ELSEWHERE = {"stress_flow_model": []}  # of other suites
LIGHTER = {
    "filter_plain": ["1500"],
    "filter_wide": ["1000"],
}  # an emulator takes ten times the time
FEWER_ROUNDS = "400"  # of parity_kernels, for the same reason
WHOLE = ("Conroe", "scalar")
FIRST = {("Nehalem", "sse42"), ("Haswell", "avx2")}  # the first CPU of each further level
TOO_LONG = {"filter_errors"}  # five minutes of compiling filters, without a kernel
KERNELS = re.compile(
    r"(arch_|records_|packet_|flow_(table|tcp)|engine_engine|api_|parity_kernels|contract_devices)"
)
ENGINE = re.compile(r"(contract_|engine_|flow_|fuzz_replay|stress_flow_model)")
# What a source has to name so that its object may differ between two levels.
NAMES = re.compile(r"BPEI_ARCH|\bbpei_(parse|walk_uniform|probe|cpu_fits)\b")
EVERY = 8  # each run takes another eighth of the captures; together they take all
lock = threading.Lock()
passed, failed, skipped = 0, 0, 0


def tell(good, what, told=""):
    global passed, failed
    with lock:
        if good:
            passed += 1
        else:
            failed += 1
            print(f"FAILED: {what}\n{told[-3000:]}", flush=True)
    return good


def leave_out(why):
    global skipped
    with lock:
        skipped += 1
        print("left out:", why, flush=True)


def run(command, **more):
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=900,
            stdin=subprocess.DEVNULL,
            **more,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", "time-out: 900 s")


def cpu_words(name):
    """The emulator's arguments for a CPU, without what it warns that it lacks."""
    told = run([EMULATOR, "-cpu", name, shutil.which("true")])
    if told.returncode:
        sys.exit(f"cpus: {EMULATOR} -cpu {name}: {told.stderr}")
    lacks = re.findall(r"requested feature: \S+?[:.][A-Z]+\.([\w.-]+) \[bit", told.stderr)
    return [EMULATOR, "-cpu", ",".join([name] + [f"{f}=off" for f in lacks])]


def fits(level, best):
    return LEVELS.index(level) <= LEVELS.index(best)


class Place:
    """Programs of one build on one CPU, each behind a script that starts the emulator."""

    def __init__(self, words, where):
        self.words, self.where, self.made = words, where, {}
        os.makedirs(where, exist_ok=True)

    def __call__(self, program):
        if program not in self.made:
            path = f"{self.where}/{os.path.basename(program)}"
            with open(path, "w") as f:
                f.write(f"#!/bin/sh\nexec {' '.join(self.words)} '{program}' \"$@\"\n")
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
            self.made[program] = path
        return self.made[program]


def is_program(path):
    try:
        with open(path, "rb") as f:
            return f.read(4) == b"\x7fELF"
    except OSError:
        return False


def tests_of(build):
    out = []
    for t in json.loads(run(["meson", "introspect", "--tests", build]).stdout):
        suites = {s.split(":")[-1] for s in t["suite"]}
        if suites & SUITES or t["name"] in ELSEWHERE:
            out.append(t)
    return out


def is_wanted(name, cpu, level):
    """Whether a test runs on that CPU, at its best level."""
    if name in TOO_LONG:
        return False
    if (cpu, level) == WHOLE or KERNELS.match(name):
        return True
    return (cpu, level) in FIRST and bool(ENGINE.match(name))


def targets(build, level):
    """The programs of a level's build that run somewhere, as ninja names them."""
    names = {"src/bpfengine", "src/bpfbench"}
    for test in tests_of(build):
        if any(is_wanted(test["name"], c, level) for c, best in CPUS.items() if best == level):
            names.add(os.path.relpath(test["cmd"][0], build))
    return sorted(names)


def objects_of(build):
    pattern = f"{build}/src/**/*.o"
    return {os.path.relpath(p, build): p for p in glob.glob(pattern, recursive=True)}


def check_same_code(top, builds, level):
    """A build's objects are the scalar build's, but for sources that name a kernel: so tests that
    call none need no run at each level."""
    theirs, ours = objects_of(f"{builds}/scalar"), objects_of(f"{builds}/{level}")
    same, named, wrong = 0, 0, []
    for name in sorted(set(theirs) & set(ours)):
        with open(theirs[name], "rb") as a, open(ours[name], "rb") as b:
            if a.read() == b.read():
                same += 1
                continue
        source = os.path.basename(name).replace(".c.o", ".c")
        text = "".join(
            open(path, encoding="utf-8").read()
            for path in glob.glob(f"{top}/src/**/*.c", recursive=True)
            if path[len(top) + 1 :].replace("/", "_").endswith(source)
        )
        named += bool(NAMES.search(text))
        if not NAMES.search(text):
            wrong.append(name)
    tell(
        same > 50 and 0 < named < same and not wrong,
        f"-Darch={level}: {same} objects are the scalar build's, {named} name a kernel, and these "
        f"differ without: {wrong}",
    )


def run_test(test, build, place, cpu, level):
    command = [
        (
            a
            if a.startswith("/")
            else os.path.join(build, a)
            if os.path.exists(os.path.join(build, a))
            else a
        )
        for a in test["cmd"]
    ]
    if test["name"].startswith("parity_kernels"):
        command = [FEWER_ROUNDS if a == "2000" else a for a in command]
    if test["name"] == "filters_libpcap":
        command[-1] = "no captures: their packets would take minutes"
    command = [
        place(a) if is_program(a) and a.startswith(build) else a for a in command
    ] + LIGHTER.get(test["name"], [])
    began = time.monotonic()
    c = run(command, cwd=test["workdir"] or build, env={**os.environ, **test["env"]})
    took = time.monotonic() - began
    if took > 60:
        print(f"{test['name']}, -Darch={level} on {cpu}: {took:.0f} s", flush=True)
    if c.returncode == 77:
        leave_out(f"{test['name']} on {cpu}: {(c.stdout + c.stderr).strip()[-200:]}")
    else:
        tell(
            c.returncode == 0,
            f"{test['name']}, -Darch={level} on {cpu}: exit code {c.returncode}",
            c.stdout + c.stderr,
        )


KEYS = ("packets", "bytes", "protocols", "network", "malformed", "sizes", "flows", "top_flows")


def own_captures(build, where):
    """Savefiles of made-up traffic, where there are no captures."""
    files = [f"{where}/made.pcap", f"{where}/flood.pcap", f"{where}/collide.pcap"]
    run([f"{build}/tests/single/single_reference", files[0]])
    for path, arguments in ((files[1], ["flood", "30000"]), (files[2], ["collide", "3000", "1"])):
        with open(path, "wb") as f:
            subprocess.run([f"{build}/tests/soak_traffic", *arguments], stdout=f, check=True)
    return [f for f in files if os.path.exists(f)]


def reports(program, path):
    c = run([program, "-r", path, "--json", "--quiet", "--seed", "1", "--workers", "0"])
    try:
        report = json.loads(c.stdout)
    except ValueError:
        return c.returncode, c.stderr
    return c.returncode, {k: report.get(k) for k in KEYS}


def check_captures(files, native, program, cpu, level, turn):
    differ = []
    mine = files[turn % EVERY :: EVERY] if len(files) > 40 else files
    for path in mine:
        got = reports(program, path)
        if got != native[path] or not isinstance(got[1], dict) and got[0] >= 128:
            differ.append(f"{path}: {got}, {native[path]}"[:600])
    tell(
        not differ,
        f"bpfengine -r, -Darch={level} on {cpu}: {len(differ)} of {len(mine)} captures differ",
        "\n".join(differ[:5]),
    )


def check_unfit(build, place, cpu, level):
    """A CPU without the level: the error by name, and what needs no kernel."""
    program, bench = place(f"{build}/src/bpfengine"), place(f"{build}/src/bpfbench")
    for command in (
        [program, "-i", "synth:count=100", "--quiet"],
        [program, "-r", "/dev/null", "--quiet"],
        [bench, "stages", "--rounds", "1", "--packets", "1024", "-q"],
        [bench, "-i", "synth", "-t", "1", "-p", "1", "-q"],
    ):
        c = run(command)
        named = f"this build needs a CPU with {level}" in c.stderr
        tell(
            0 < c.returncode < 126 and named,
            f"-Darch={level} on {cpu}: {os.path.basename(command[0])} {' '.join(command[1:])}: "
            f"exit code {c.returncode}",
            c.stderr,
        )
    for arguments in (["--version"], ["--help"], ["-L"], ["-d", "tcp port 80"]):
        c = run([program, *arguments])
        tell(
            c.returncode == 0,
            f"-Darch={level} on {cpu}: bpfengine {' '.join(arguments)}: exit code {c.returncode}",
            c.stderr,
        )


def single_programs(top, header, where):
    """[(compiler, use, level)]: the program with the single file, by each compiler that is here."""
    out = []
    for compiler, language, standard, how in (
        ("gcc", "c", "c11", "-O2"),
        ("gcc", "c", "c11", "-O0"),
        ("clang", "c", "c11", "-O1"),
    ):
        if not shutil.which(compiler):
            leave_out(f"{compiler} is not installed")
            continue
        base = f"{where}/{compiler}{how}"
        front = [
            compiler,
            "-x",
            language,
            f"-std={standard}",
            how,
            "-I",
            os.path.dirname(header),
            "-pthread",
        ]
        c = [
            run(
                [
                    *front,
                    f"{top}/tests/single/{a}.c",
                    *([f"{top}/tests/single/{b}.c"] if b else []),
                    "-o",
                    f"{base}.{a}",
                ]
            )
            for a, b in (("use", "implementation"), ("level", ""))
        ]
        if tell(
            all(x.returncode == 0 for x in c),
            f"{compiler} -std={standard} {how}",
            c[0].stderr + c[1].stderr,
        ):
            out.append((f"{compiler} {how}", f"{base}.use", f"{base}.level"))
    return out


def check_single(programs, expected, cpu, words, best, whole, where):
    for compiler, use, level in programs:
        c = run([*words, level])
        tell(
            c.stdout.strip() == best,
            f"single file by {compiler} on {cpu}: level {c.stdout.strip()}, right is {best}; "
            f"exit code {c.returncode}",
            c.stderr,
        )
        if not whole:
            continue
        c = run([*words, use, f"{where}/single.pcap"])
        tell(
            c.returncode == 0 and c.stdout == expected,
            f"single file by {compiler} on {cpu}: exit code {c.returncode}",
            c.stdout + c.stderr,
        )


def libc_runs(words):
    """Whether the system's own programs run on that CPU: the C library picks string functions by
    some
    of the extensions that they need, and no such CPU was ever made."""
    trials = ["/bin/ls", "/"], ["awk", 'BEGIN { split("a b", x, " ") }']
    return all(
        run([*words, shutil.which(name) or name, *rest]).returncode >= 0 for name, *rest in trials
    )


def main():
    global skipped
    if sys.argv[1] == "--targets":
        print(*targets(os.path.abspath(sys.argv[2]), sys.argv[3]))
        return
    top, builds = map(os.path.abspath, sys.argv[1:3])
    only = sys.argv[3:]
    if not shutil.which(EMULATOR):
        print(f"SKIP: {EMULATOR} is not installed")
        sys.exit(77)
    began = time.monotonic()
    files = sorted(glob.glob(f"{top}/../shared/captures/*/**/*.*cap*", recursive=True))
    with (
        tempfile.TemporaryDirectory() as where,
        concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool,
    ):
        scalar, jobs = f"{builds}/scalar", []
        if not files:
            files = own_captures(scalar, where)
        native = dict(zip(files, pool.map(lambda f: reports(f"{scalar}/src/bpfengine", f), files)))
        tell(len(files) > 1, "there are captures")
        programs = single_programs(top, f"{scalar}/bpfengine_single.h", where)
        expected = run([f"{scalar}/tests/single/single_reference", f"{where}/single.pcap"]).stdout
        tell(expected.count("\n") > 10, "the reference of the single file")
        for level in ("sse42", "avx2"):
            check_same_code(top, builds, level)
        turn = 0
        for cpu, best in CPUS.items():
            if only and cpu not in only:
                continue
            words = cpu_words(cpu)
            jobs.append(
                pool.submit(check_single, programs, expected, cpu, words, best, True, where)
            )
            for level in LEVELS:
                build, place = f"{builds}/{level}", Place(words, f"{where}/{cpu}-{level}")
                if not fits(level, best):
                    jobs.append(pool.submit(check_unfit, build, place, cpu, level))
                    continue
                for test in tests_of(build):
                    if level != best or not is_wanted(test["name"], cpu, level):
                        continue
                    jobs.append(pool.submit(run_test, test, build, place, cpu, level))
                jobs.append(
                    pool.submit(
                        check_captures,
                        files,
                        native,
                        place(f"{build}/src/bpfengine"),
                        cpu,
                        level,
                        turn,
                    )
                )
                turn += 1
        for cpu, (features, best) in LACKING.items():
            if only and cpu not in only:
                continue
            for feature in features:
                words = cpu_words(f"{cpu},{feature}=off")
                jobs.append(
                    pool.submit(
                        check_single,
                        programs,
                        expected,
                        f"{cpu} without {feature}",
                        words,
                        best,
                        False,
                        where,
                    )
                )
                level = LEVELS[LEVELS.index(best) + 1]
                if not libc_runs(words):
                    skipped += 1
                    print(f"left out: {level} on {cpu} without {feature}: no C library runs there")
                    continue
                place = Place(words, f"{where}/{cpu}-{feature}-{level}")
                jobs.append(
                    pool.submit(
                        check_unfit, f"{builds}/{level}", place, f"{cpu} without {feature}", level
                    )
                )
        for job in jobs:
            job.result()
    print(
        f"{len(jobs)} jobs on {len(CPUS)} CPUs, {len(files)} captures, "
        f"{time.monotonic() - began:.0f} s"
    )
    for name in sorted(TOO_LONG):
        leave_out(f"{name}: minutes, and no kernel in it")
    print("avx512: no emulator here has it; the real CPU's tests run it where it is there")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed != 0 or not passed)


main()
