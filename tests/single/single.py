#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""single.py HEADER REFERENCE c11|c++17 COMPILER [FLAG...]: builds a program of two files with
bpfengine_single.h and nothing else, runs it over
synth and a savefile that it makes, and compares what it prints with REFERENCE, the same program
built against the library.
single.py HEADER emulated REFERENCE COMPILER EMULATOR: the same as C11 for another CPU, run by a
user-mode emulator.
single.py HEADER names COMPILER: which names the implementation brings into the file that has it,
and which a shared library with it shows.
single.py HEADER standards: the implementation passes each compiler that is here by every
standard since C11 and C++17, and says what is wrong
when it is included too late.
single.py HEADER lists: on a copy of the sources: what the meson.build files name goes in, behind
its condition; what the maker cannot deal with it names.
single.py HEADER cross CROSS.SH TARGET...: compiles it for other systems, C11 and C++17, with the
compiler that cross.sh left in build/cross; not run.
Exit code 77: skipped, with the reason."""

import glob, os, re, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LANGUAGE = {"c11": ("c", "-std=c11"), "c++17": ("c++", "-std=c++17")}
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wconversion", "-Wshadow"]
passed = failed = 0


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("failed:", what)
    return good


def skip(why):
    print("SKIP:", why)
    sys.exit(77)


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


def compile_both(command, standard, header, where, flags=()):
    """use.c and implementation.c to objects; all warnings are errors, in the file with the
    implementation, too."""
    language, std = LANGUAGE[standard]
    for name in ("use", "implementation"):
        c = run(
            [
                *command,
                "-x",
                language,
                std,
                "-c",
                f"{HERE}/{name}.c",
                "-o",
                f"{where}/{name}.o",
                "-I",
                os.path.dirname(header),
                "-pthread",
                *WARNINGS,
                *flags,
            ]
        )
        if not check(
            c.returncode == 0 and not c.stderr,
            f"{command[0]} {std} {' '.join(flags)} {name}.c:\n{c.stderr[-4000:]}",
        ):
            return False
    return True


def build_and_run(header, reference, standard, compiler, flags, where):
    path = shutil.which(compiler) or skip(f"{compiler} is not installed")
    probe = f"{where}/probe.c"
    with open(probe, "w") as f:
        f.write("int main(void) { return 0; }\n")
    if run([path, "-x", LANGUAGE[standard][0], probe, "-o", f"{where}/probe", *flags]).returncode:
        skip(f"{compiler} has no {' '.join(flags)} here")
    if not compile_both([path], standard, header, where, flags):
        return
    compare([path], [], reference, flags, where)


def emulated(header, reference, compiler, emulator, where):
    path, run_by = (shutil.which(c) or skip(f"{c} is not installed") for c in (compiler, emulator))
    if compile_both([path], "c11", header, where, ["-O1"]):
        compare([path], [run_by], reference, ["-static"], where)


def compare(compiler, run_by, reference, flags, where):
    """Linked, run, and beside the reference."""
    link = run(
        [
            *compiler,
            f"{where}/use.o",
            f"{where}/implementation.o",
            "-o",
            f"{where}/use",
            "-pthread",
            *flags,
        ]
    )
    if not check(link.returncode == 0, f"linking:\n{link.stderr}"):
        return
    savefile = f"{where}/made.pcap"
    mine = run(
        [*run_by, f"{where}/use", savefile],
        env={**os.environ, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"},
        timeout=600,
    )
    if not check(
        mine.returncode == 0,
        f"it ended with {mine.returncode}:\n{mine.stdout}{mine.stderr[-4000:]}",
    ):
        return
    theirs = run([reference, savefile], timeout=600)
    check(theirs.returncode == 0, f"the reference ended with {theirs.returncode}:\n{theirs.stderr}")
    check(
        "savefile: 20000 packets" in mine.stdout
        and "savefile, engine: 20000 read, 20000 delivered" in mine.stdout,
        mine.stdout,
    )
    check(
        mine.stdout == theirs.stdout, f"not what the library says:\n{mine.stdout}\n{theirs.stdout}"
    )
    print(mine.stderr.strip(), "|", theirs.stderr.strip())


def macros(compiler, text, where):
    """The macros that are defined at the end of a text."""
    with open(f"{where}/text.c", "w") as f:
        f.write(text)
    out = run(
        [
            compiler,
            "-std=gnu11",
            "-dM",
            "-E",
            "-D_GNU_SOURCE",
            "-DBPFENGINE_IMPLEMENTATION",
            f"{where}/text.c",
        ]
    )
    if out.returncode:
        sys.exit(out.stderr)
    return set(re.findall(r"^#define (\w+)", out.stdout, re.M))


def names(header, compiler, where):
    path = shutil.which(compiler) or skip(f"{compiler} is not installed")
    source = open(header).read()
    ours = macros(path, source, where)
    system = "".join(
        l + "\n"
        for l in source.replace("\\\n", " ").split("\n")
        if re.match(r"#(?:include|if|ifdef|ifndef|elif|else|endif)\b", l)
    )
    extra = {
        n
        for n in ours - macros(path, system, where)
        if not n.startswith(("BPE_", "BPEI_", "BPFENGINE_", "bpe_", "bpei_", "ARROW_"))
    }
    check(not extra, f"macros without our prefix: {sorted(extra)}")
    check(any(n.startswith("BPEI_") for n in ours), "no macros were found")
    for api, shown in ((None, 0), ('__attribute__((visibility("default")))', 30)):
        with open(f"{where}/shared.c", "w") as f:
            f.write(
                "#define BPFENGINE_IMPLEMENTATION\n"
                + (f"#define BPE_API {api}\n" if api else "")
                + '#include "bpfengine_single.h"\n'
            )
        built = run(
            [
                path,
                "-std=c11",
                "-shared",
                "-fPIC",
                "-O0",
                f"{where}/shared.c",
                "-o",
                f"{where}/shared.so",
                "-I",
                os.path.dirname(header),
                "-pthread",
            ]
        )
        if not check(built.returncode == 0, built.stderr):
            continue
        listed = [
            l.split()[-1]
            for l in run(["nm", "-D", "--defined-only", f"{where}/shared.so"]).stdout.split("\n")
            if l
        ]
        mine = [n for n in listed if n.startswith("bpe")]
        check(
            (len(mine) >= shown if shown else not mine)
            and not any(n.startswith("bpei_") for n in mine),
            f"BPE_API {api}: exported are {mine}",
        )
        functions = [
            l.split()[-1]
            for l in run(["nm", f"{where}/shared.so"]).stdout.split("\n")
            if re.search(r" [tT] ", l)
        ]
        foreign = [
            n
            for n in functions
            if not n.startswith(
                ("bpe_", "bpei_", "_", ".", "deregister_tm", "register_tm", "frame_dummy")
            )
        ]
        check(len(functions) > 300 and not foreign, f"functions without our prefix: {foreign}")


def standards(header, where):
    with open(f"{where}/i.c", "w") as f:
        f.write('#define BPFENGINE_IMPLEMENTATION\n#include "bpfengine_single.h"\n')
    with open(f"{where}/late.c", "w") as f:
        f.write(
            '#include <stdio.h>\n#define BPFENGINE_IMPLEMENTATION\n#include "bpfengine_single.h"\n'
        )
    tried = 0
    for compiler, language, known in (
        ("gcc", "c", "c11 gnu11 c17 gnu2x"),
        ("clang", "c", "c11 gnu11 c17 gnu2x"),
        ("g++", "c++", "c++17 gnu++17 c++20 c++2b"),
        ("clang++", "c++", "c++17 gnu++17 c++20 c++2b"),
    ):
        if not shutil.which(compiler):
            print(f"{compiler} is not installed: left out")
            continue
        for std in known.split():
            c = run(
                [
                    compiler,
                    "-x",
                    language,
                    f"-std={std}",
                    "-fsyntax-only",
                    "-I",
                    os.path.dirname(header),
                    "-Wall",
                    "-Wextra",
                    "-Wpedantic",
                    "-Werror",
                    f"{where}/i.c",
                ]
            )
            check(c.returncode == 0 and not c.stderr, f"{compiler} -std={std}:\n{c.stderr[-3000:]}")
            tried += 1
    if not tried:
        skip("none of gcc, clang, g++, clang++ is installed")
    if sys.platform == "linux" and shutil.which("gcc"):
        c = run(
            ["gcc", "-std=c11", "-fsyntax-only", "-I", os.path.dirname(header), f"{where}/late.c"]
        )
        check(
            c.returncode and "include it before any other header" in c.stderr,
            f"included late: {c.stderr[:500]}",
        )
        c = run(
            [
                "gcc",
                "-std=c11",
                "-D_GNU_SOURCE",
                "-fsyntax-only",
                "-I",
                os.path.dirname(header),
                f"{where}/late.c",
            ]
        )
        check(c.returncode == 0, f"included late, with what it asks for: {c.stderr[:500]}")


def lists(header, where):
    top = os.path.dirname(os.path.dirname(HERE))
    for part in ("src", "arch", "include", "scripts"):
        shutil.copytree(
            f"{top}/{part}",
            f"{where}/t/{part}",
            ignore=shutil.ignore_patterns("build*", "__pycache__"),
        )
    for part in ("meson.build", "LICENSE"):
        shutil.copy(f"{top}/{part}", f"{where}/t/{part}")
    core = open(f"{where}/t/src/meson.build").read()

    def make(more, source):
        with open(f"{where}/t/src/base/extra.c", "w") as f:
            f.write(source)
        with open(f"{where}/t/src/meson.build", "w") as f:
            f.write(
                core.replace(
                    "# Everything but the program", more + "\n# Everything but the program", 1
                )
            )
        c = run([sys.executable, "-B", f"{where}/t/scripts/single_header.py", f"{where}/made.h"])
        return c.returncode, c.stderr, open(f"{where}/made.h").read() if c.returncode == 0 else ""

    code, told, plain = make("", "")
    check(
        code == 0 and plain == open(header).read(), f"the copy is not made as the tree is: {told}"
    )
    source = "static int helper(int class) { return class; }\nint bpei_extra(void) { struct bpei_t { int helper; } t = { 1 }; return helper(t.helper); }\n"
    code, told, made = make(
        "if system == 'netbsd' or system == 'openbsd'\n  core_sources += files('base/extra.c')\nendif",
        source,
    )
    part = made[made.find("/* ---- src/base/extra.c") :].split("#endif")[0]
    check(
        code == 0
        and "src/base/extra.c" not in plain
        and "static int bpei_base_extra_helper(int class_)" in part
        and "{ int helper; }" in part
        and "bpei_base_extra_helper(t.helper)" in part
        and "#if (defined(__NetBSD__) || defined(__OpenBSD__))\n" in made,
        f"{told}{part}",
    )
    for more, source, what in (
        (
            "if system == 'plan9'\n  core_sources += files('base/extra.c')\nendif",
            "",
            "system == 'plan9'",
        ),
        ("core_sources += files('base/nowhere.c')", "", "nowhere.c"),
        ("core_sources += files('base/extra.c')", '#include "base/none.h"\n', "base/none.h"),
        (
            "core_sources += files('base/extra.c')",
            "int bpei_e(int *p) { return atomic_fetch_add(p, 1); }\n",
            "atomic_fetch_add",
        ),
    ):
        code, told, _ = make(more, source)
        check(
            code == 1
            and told.startswith("single_header: ")
            and what in told
            and "Traceback" not in told,
            f"{more}: {told}",
        )
    one_copy(where, make)
    asked = run([sys.executable, "-B", f"{top}/scripts/single_header.py", "--help"], cwd=where)
    check(
        asked.returncode == 1
        and "OUTPUT" in asked.stderr
        and not os.path.exists(f"{where}/--help"),
        "--help is taken for a file's name",
    )


def one_copy(where, make):
    """A header beside the kernels is text of each, guarded or not; no target calls another's
    copy."""
    path = f"{where}/t/arch/x86_64/probe_256.h"
    sources = [path] + [f"{where}/t/arch/x86_64/parse_{level}.c" for level in ("avx2", "avx512")]
    before = [open(p).read() for p in sources]

    def write(change):
        for p, text in zip(sources, before):
            with open(p, "w") as f:
                f.write(change(p, text))

    guarded = "#ifndef BPEI_PROBE_256_H\n#define BPEI_PROBE_256_H\n{}\n#endif\n"
    write(lambda p, text: guarded.format(text) if p == path else text)
    code, told, made = make("", "")
    copies = re.findall(r"static inline uint64_t (\w+)_probe_256\(", made)
    each = ["bpei_x86_64_parse_avx2", "bpei_x86_64_parse_avx512"]
    check(
        code == 0 and sorted(copies) == each and "PROBE_256_H" not in made,
        f"a guarded header beside the kernels: {copies} {told}",
    )
    write(lambda p, text: re.sub(r"\bprobe_256\(", "bpei_probe_256(", text))
    code, told, _ = make("", "")
    check(
        code == 1 and "bpei_probe_256 would be one name for several targets" in told,
        f"one name for two targets: {told}",
    )
    write(lambda p, text: text)


def cross(header, script, targets, where):
    top = os.path.dirname(os.path.dirname(os.path.abspath(script)))
    zig = next(
        iter(glob.glob(f"{top}/build*/cross/ziglang-*/lib/python*/site-packages/ziglang/zig")), None
    )
    if not zig:
        skip("no compiler for other systems: run scripts/cross.sh once")
    os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", os.path.join(where, "cache"))
    os.environ.setdefault("ZIG_LOCAL_CACHE_DIR", os.path.join(where, "cache"))
    for target in targets:
        for standard in LANGUAGE:
            compile_both(
                [zig, "c++" if standard == "c++17" else "cc", "-target", target],
                standard,
                header,
                where,
                ["-O0"],
            )


def main():
    header = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as where:
        if sys.argv[2] == "names":
            names(header, sys.argv[3], where)
        elif sys.argv[2] == "emulated":
            emulated(header, *sys.argv[3:6], where)
        elif sys.argv[2] == "lists":
            lists(header, where)
        elif sys.argv[2] == "standards":
            standards(header, where)
        elif sys.argv[2] == "cross":
            cross(header, sys.argv[3], sys.argv[4:], where)
        else:
            build_and_run(header, *sys.argv[2:5], sys.argv[5:], where)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0 or not passed)


main()
