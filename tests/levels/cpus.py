#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cpus.py TOP BUILD UNFIT [CPU...]: runs the programs of BUILD (-Darch=all) on emulated CPUs.  UNFIT
is a program of a build with -Darch=avx512, which no emulated CPU has.  Before: ninja -C BUILD
plain_tests and what the script finds missing.

On each CPU, and on each CPU with one extension taken away: the program and the single file choose
the best level that is left, refuse levels above it by name, and UNFIT refuses to run.  Each CPU
also compares parity_kernels at its level with scalar, and the reports of bpfengine -r at every
level, over a part of the shared captures, with those of the scalar kernels on the real CPU.
The first CPU of each level runs the unit tests of what kernels make and take.  One CPU also runs
those of flows, the contracts of devices, and the model of the flow table; with CPUS_ALL=1 also
those of the engine and the replayed fuzzers, which take half an hour under an emulator.
A test that timed out runs a second time, and both is told: the emulator's threads stand still once
in some hundred runs.  Exit code 77: skipped, with the reason."""

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
FIRST = ("Conroe", "Nehalem", "Haswell")  # of each level
KERNELS = re.compile(r"(contract_|fuzz_replay|stress_flow_model)")  # beside plain_tests
SLOW = re.compile(r"(plain_engine_|plain_api_|fuzz_replay|contract_bpf_portions)")
MOST = 600  # seconds of a command; of one unit test two thirds
# The tests that the first CPU of each level runs; one CPU runs all.
EACH, ALL_CPU = re.compile(r"plain_(arch|records|packet|flow_table)"), "Haswell"
FEWER_ROUNDS = "400"  # of parity_kernels: an emulator takes ten times the time
EVERY = 11  # each run takes another part of the captures; together they take all
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
            timeout=MOST,
            stdin=subprocess.DEVNULL,
            **more,
        )
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode(errors="replace")
        return subprocess.CompletedProcess(command, 124, said, f"time-out: {MOST} s")


def cpu_words(name):
    """The emulator's arguments for a CPU, without what it warns that it lacks."""
    told = run([EMULATOR, "-cpu", name, shutil.which("true")])
    if told.returncode:
        sys.exit(f"cpus: {EMULATOR} -cpu {name}: {told.stderr}")
    lacks = re.findall(r"requested feature: \S+?[:.][A-Z]+\.([\w.-]+) \[bit", told.stderr)
    return [EMULATOR, "-cpu", ",".join([name] + [f"{f}=off" for f in lacks])]


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
    """[(name, command, folder, environment)] of the tests that call kernels."""
    out = [
        (os.path.basename(program), [program], os.getcwd(), {})
        for program in sorted(glob.glob(f"{build}/tests/plain_*"))
        if is_program(program)
    ]
    for t in json.loads(run(["meson", "introspect", "--tests", build]).stdout):
        if KERNELS.match(t["name"]) and os.path.exists(t["cmd"][0]):
            out.append((t["name"], t["cmd"], t["workdir"] or build, t["env"]))
    if os.environ.get("CPUS_ALL"):
        return out
    slow = [t[0] for t in out if SLOW.match(t[0])]
    leave_out(f"without CPUS_ALL=1: {len(slow)} slow tests: {' '.join(slow)}")
    return [t for t in out if t[0] not in slow]


def run_test(test, build, place, cpu):
    name, command, folder, environment = test
    command = [place(a) if is_program(a) and a.startswith(build) else a for a in command]
    environment = {**os.environ, "PLAIN_LONGEST": str(MOST * 2 // 3), **environment}
    began = time.monotonic()
    c = run(command, cwd=folder, env=environment)
    if c.returncode == 124 or "signal 14 " in c.stdout:
        print(f"{name} on {cpu} timed out and runs again:\n{c.stdout[-1000:]}", flush=True)
        c = run(command, cwd=folder, env=environment)
    took = time.monotonic() - began
    if took > 30:
        print(f"{name} on {cpu}: {took:.0f} s", flush=True)
    if c.returncode == 77:
        leave_out(f"{name} on {cpu}: {(c.stdout + c.stderr).strip()[-200:]}")
    else:
        tell(
            c.returncode == 0,
            f"{name} on {cpu}: exit code {c.returncode}",
            c.stdout + c.stderr,
        )


def check_parity(build, words, cpu, level):
    if level == "scalar":
        return
    c = run([*words, f"{build}/tests/parity_kernels", FEWER_ROUNDS, "20", level])
    tell(
        c.returncode == 0,
        f"parity_kernels {level} on {cpu}: exit code {c.returncode}",
        c.stdout + c.stderr,
    )


KEYS = ("packets", "bytes", "protocols", "network", "malformed", "sizes", "flows", "top_flows")


def own_captures(build, where):
    """Savefiles of made-up traffic, where there are no captures."""
    files = [f"{where}/flood.pcap", f"{where}/collide.pcap"]
    for path, arguments in zip(files, (["flood", "30000"], ["collide", "3000", "1"])):
        with open(path, "wb") as f:
            subprocess.run([f"{build}/tests/soak_traffic", *arguments], stdout=f, check=True)
    return files


def wish(level):
    return {**os.environ, "BPFENGINE_ARCH": level}


def reports(words, program, path, level):
    c = run(
        [*words, program, "-r", path, "--json", "--quiet", "--seed", "1", "--workers", "0"],
        env=wish(level),
    )
    try:
        report = json.loads(c.stdout)
    except ValueError:
        return c.returncode, c.stderr
    return c.returncode, {k: report.get(k) for k in KEYS}


def check_captures(files, native, words, program, cpu, level):
    differ = []
    for path in files:
        got = reports(words, program, path, level)
        if got != native[path] or not isinstance(got[1], dict) and got[0] >= 128:
            differ.append(f"{path}: {got}, {native[path]}"[:600])
    tell(
        not differ,
        f"bpfengine -r, {level} on {cpu}: {len(differ)} of {len(files)} captures differ",
        "\n".join(differ[:5]),
    )


def check_choice(build, words, cpu, best):
    """The program takes the best level, and refuses those above by name."""
    program = [*words, f"{build}/src/bpfengine"]
    c = run([*program, "--version"])
    tell(f"(arch={best}, " in c.stdout, f"{cpu}: the choice should be {best}", c.stdout + c.stderr)
    for level in LEVELS:
        c = run([*program, "-i", "synth:count=1000", "--quiet", "--json"], env=wish(level))
        if LEVELS.index(level) <= LEVELS.index(best):
            good = c.returncode == 0 and '"delivered":1000' in c.stdout
        else:
            good = c.returncode == 2 and f"BPFENGINE_ARCH={level}: " in c.stderr
        tell(good, f"BPFENGINE_ARCH={level} on {cpu}: exit code {c.returncode}", c.stderr)
    level = LEVELS[LEVELS.index(best) + 1]
    c = run(
        [*words, f"{build}/src/bpfbench", "stages", "--rounds", "1", "--packets", "1024", "-q"],
        env=wish(level),
    )
    tell(c.returncode == 2, f"bpfbench with {level} on {cpu}: exit code {c.returncode}", c.stderr)


def check_unfit(program, words, cpu):
    """A build for one level on a CPU without it: the error by name, and what needs no kernel."""
    for arguments in (["-i", "synth:count=100", "--quiet"], ["-r", "/dev/null", "--quiet"]):
        c = run([*words, program, *arguments])
        tell(
            c.returncode == 4 and "this build needs a CPU with avx512" in c.stderr,
            f"-Darch=avx512 on {cpu}: {' '.join(arguments)}: exit code {c.returncode}",
            c.stderr,
        )
    for arguments in (["--version"], ["--help"], ["-L"], ["-d", "tcp port 80"]):
        c = run([*words, program, *arguments])
        tell(
            c.returncode == 0,
            f"-Darch=avx512 on {cpu}: {' '.join(arguments)}: exit code {c.returncode}",
            c.stderr,
        )


def single_programs(top, header, where):
    """[(compiler, program)]: the program with the single file, by each compiler that is here."""
    out, jobs = [], []
    for compiler in ("gcc", "clang"):
        if not shutil.which(compiler):
            leave_out(f"{compiler} is not installed")
            continue
        files = [f"{top}/tests/single/{name}.c" for name in ("use", "implementation")]
        front = [compiler, "-std=c11", "-O1", "-I", os.path.dirname(header), "-pthread"]
        command = [*front, *files, "-o", f"{where}/single-{compiler}"]
        jobs.append((compiler, command, subprocess.Popen(command, stderr=subprocess.PIPE)))
    for compiler, command, job in jobs:
        _, told = job.communicate()
        if tell(job.returncode == 0, f"{compiler}: the single file", told.decode()):
            out.append((compiler, command[-1]))
    return out


def check_single(programs, expected, cpu, words, best, where):
    for compiler, program in programs:
        c = run([*words, program, f"{where}/single.pcap"])
        tell(
            c.returncode == 0 and c.stdout == expected and f"arch={best}, " in c.stderr,
            f"single file by {compiler} on {cpu}: exit code {c.returncode}; level {best}",
            c.stdout + c.stderr,
        )


def libc_runs(words):
    """Whether the system's own programs run on that CPU: the C library picks string functions by
    some of the extensions that they need, and no such CPU was ever made."""
    trials = ["/bin/ls", "/"], ["awk", 'BEGIN { split("a b", x, " ") }']
    return all(
        run([*words, shutil.which(name) or name, *rest]).returncode >= 0 for name, *rest in trials
    )


def main():
    global skipped
    top, build, unfit = map(os.path.abspath, sys.argv[1:4])
    only = sys.argv[4:]
    if not shutil.which(EMULATOR):
        print(f"SKIP: {EMULATOR} is not installed")
        sys.exit(77)
    began = time.monotonic()
    os.chdir(top)
    files = sorted(glob.glob(f"{top}/../shared/captures/*/**/*.*cap*", recursive=True))
    program = f"{build}/src/bpfengine"
    with (
        tempfile.TemporaryDirectory() as where,
        concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool,
    ):
        jobs = []

        def start(*call):
            jobs.append(pool.submit(*call))

        if not files:
            files = own_captures(build, where)
        native = dict(zip(files, pool.map(lambda f: reports([], program, f, "scalar"), files)))
        tell(len(files) > 1, "there are captures")
        singles = single_programs(top, f"{build}/bpfengine_single.h", where)
        expected = run([f"{build}/tests/single/single_reference", f"{where}/single.pcap"]).stdout
        tell(expected.count("\n") > 10, "the reference of the single file")
        turn = 0
        for cpu, best in CPUS.items():
            if only and cpu not in only:
                continue
            words = cpu_words(cpu)
            if cpu in FIRST:
                tests, place = tests_of(build), Place(words, f"{where}/{cpu}")
                tell(len(tests) > 25, f"{len(tests)} tests call kernels")
                for test in tests:
                    if cpu == ALL_CPU or EACH.match(test[0]):
                        start(run_test, test, build, place, cpu)
            start(check_single, singles, expected, cpu, words, best, where)
            start(check_choice, build, words, cpu, best)
            start(check_unfit, unfit, words, cpu)
            start(check_parity, build, words, cpu, best)
            for level in LEVELS[: LEVELS.index(best) + 1]:
                mine = files[turn % EVERY :: EVERY] if len(files) > 40 else files
                start(check_captures, mine, native, words, program, cpu, level)
                turn += 1
        for cpu, (features, best) in LACKING.items():
            for feature in features:
                words = cpu_words(f"{cpu},{feature}=off")
                if only and cpu not in only:
                    continue
                name = f"{cpu} without {feature}"
                if not libc_runs(words):
                    skipped += 1
                    print(f"left out: {name}: no C library runs there")
                    continue
                start(check_choice, build, words, name, best)
                start(check_single, singles, expected, name, words, best, where)
        for job in jobs:
            job.result()
    print(
        f"{len(jobs)} jobs on {len(CPUS)} CPUs, {len(files)} captures, "
        f"{time.monotonic() - began:.0f} s"
    )
    print("avx512: no emulator here has it; the real CPU's tests run it where it is there")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed != 0 or not passed)


main()
