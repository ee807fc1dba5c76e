#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compilers.py LIBRARY SINGLE_HEADER: bpfengine.hpp by each C++ compiler that is here.

Each of g++ and clang++ builds the tests as C++17 and C++20, with and without exceptions and RTTI,
all warnings as errors, and runs them.  The two programs in the header's introduction are built as
they stand, and run.  Units with different settings are linked into one program.  Wrong uses must
not compile.  The header works behind bpfengine_single.h as well.  Exit code 77: skipped."""

import os, re, shutil, struct, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LIBRARY, SINGLE = map(os.path.abspath, sys.argv[1:3])
WARNINGS = "-Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion".split()
PLAIN = ["-fno-exceptions", "-fno-rtti"]
LINK = [LIBRARY, f"-Wl,-rpath,{os.path.dirname(LIBRARY)}", "-pthread"]
passed = failed = 0

# Each unit runs an engine by functions whose types depend on the unit's settings.
UNIT = """#include <bpfengine.hpp>
std::size_t NAME()
{
	std::size_t bytes = 0;
	auto filter = bpe::filter::compile("ip or ip6 or arp");
	bpe::options options("synth:count=1000,seed=4");
	options.workers(0).filter(*filter).on_batch([&bytes](bpe::batch batch) {
		for (bpe::packet packet : batch)
			bytes += packet.bytes().size();
	});
	auto engine = bpe::engine::open(options);
	return engine && engine->run() ? bytes : 0;
}
"""
UNITS = {
    "first": ["-std=c++17"],
    "second": ["-std=c++20"],
    "third": ["-std=c++17", *PLAIN],
    "fourth": ["-std=c++20", *PLAIN],
}
UNIT_MAIN = """#include <cstdio>
#include <cstddef>
std::size_t first(), second(), third(), fourth();
int main()
{
	const std::size_t bytes = first();
	std::printf("%d\\n", bytes > 60000 && second() == bytes && third() == bytes && fourth() == bytes);
}
"""
# What must not compile, and a word of the reason.
WRONG = [
    ("bpe::options().on_flow([](bpe::batch) {});", [], "on_batch takes a bpe::batch"),
    ('bpe::engine a(bpe::options("synth")); bpe::engine b(a);', [], "delete"),
    ('bpe::engine::open(bpe::options("synth"));', ["-Werror=unused-result"], "unused|nodiscard"),
    ("auto r = bpe::interfaces(); r.value();", PLAIN, "value"),
    ('bpe::engine engine(bpe::options("synth"));', PLAIN, "engine"),
]
RIGHT = "bpe::options().on_flow([](bpe::flow) {}); auto r = bpe::interfaces(); return !r;"


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("failed:", what)
    return good


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=1000, **more)


def compile_text(compiler, text, where, *flags):
    """Compiles a text to an object, and returns the compiler's end."""
    source = f"{where}/text.cc"
    with open(source, "w") as f:
        f.write(text)
    return run(compiler, *flags, "-c", source, "-o", f"{where}/text.o", f"-I{TOP}/include")


def check_program(compiler, name, standard, modes, where):
    """Builds a test of this folder, runs the test, and adds the test's count."""
    global passed, failed
    program = f"{where}/{name}"
    what = f"{compiler} {standard} {' '.join(modes)} {name}"
    source = f"{HERE}/{name}.cc"
    built = run(
        compiler,
        f"-std={standard}",
        *modes,
        *WARNINGS,
        source,
        "-o",
        program,
        f"-I{TOP}/include",
        *LINK,
    )
    if not check(built.returncode == 0, f"{what}: {built.stderr}"):
        return
    ran = run(program)
    count = re.search(r"^(\d+) passed, (\d+) failed$", ran.stdout, re.M)
    check(ran.returncode == 0 and count, f"{what}: {ran.returncode} {ran.stdout}{ran.stderr}")
    if count:
        passed += int(count[1])
        failed += int(count[2])


def check_units(compiler, where):
    objects = []
    for name, flags in UNITS.items():
        built = compile_text(compiler, UNIT.replace("NAME", name), where, *flags, *WARNINGS)
        check(built.returncode == 0, f"{compiler} {name}: {built.stderr}")
        os.rename(f"{where}/text.o", f"{where}/{name}.o")
        objects.append(f"{where}/{name}.o")
    with open(f"{where}/main.cc", "w") as f:
        f.write(UNIT_MAIN)
    built = run(compiler, f"{where}/main.cc", *objects, "-o", f"{where}/units", *LINK)
    if check(built.returncode == 0, f"{compiler} units: {built.stderr}"):
        check(run(f"{where}/units").stdout == "1\n", f"{compiler}: units count differently")


def check_wrong_uses(compiler, where):
    body = "#include <bpfengine.hpp>\nint main() {{ {} }}\n"
    built = compile_text(compiler, body.format(RIGHT), where, "-std=c++17")
    check(built.returncode == 0, f"{compiler}: right use: {built.stderr}")
    for text, flags, reason in WRONG:
        built = compile_text(compiler, body.format(text), where, "-std=c++17", *flags)
        check(
            built.returncode != 0 and re.search(reason, built.stderr),
            f"{compiler} compiles {text} {built.stderr}",
        )


def check_single(compiler, where):
    """Builds with bpfengine_single.h and bpfengine.hpp alone in a folder."""
    folder = f"{where}/single"
    os.mkdir(folder)
    shutil.copy(SINGLE, f"{folder}/bpfengine_single.h")
    shutil.copy(f"{TOP}/include/bpfengine.hpp", folder)
    unit = '#include "bpfengine_single.h"\n#include "bpfengine.hpp"\n'
    with open(f"{folder}/use.cc", "w") as f:
        f.write(unit + UNIT.replace("NAME", "count").split("\n", 1)[1])
        f.write("int main() { return count() > 60000 ? 0 : 1; }\n")
    with open(f"{folder}/implementation.cc", "w") as f:
        f.write('#define BPFENGINE_IMPLEMENTATION\n#include "bpfengine_single.h"\n')
    sources = [f"{folder}/use.cc", f"{folder}/implementation.cc"]
    built = run(compiler, "-std=c++17", *WARNINGS, *sources, "-o", f"{folder}/use", "-pthread")
    if check(built.returncode == 0, f"{compiler} single: {built.stderr}"):
        check(run(f"{folder}/use").returncode == 0, f"{compiler}: the single file runs wrongly")


def read_programs():
    """Returns the programs in the header's first comments, which are indented by five blanks."""
    header = open(f"{TOP}/include/bpfengine.hpp").read()
    comment = header[: header.index("#ifndef")]
    blocks = re.findall(r"(?:^ \* {5}\S?.*\n)+", comment, re.M)
    return [re.sub(r"^ \* {5}", "", block, flags=re.M) for block in blocks]


def write_savefile(path):
    """Writes two TCP packets and a UDP packet, Ethernet, 60 bytes each."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for protocol in (6, 17, 6):
            ip = struct.pack(">BBHHHBBHII", 0x45, 0, 46, 1, 0, 64, protocol, 0, 1 << 24, 2 << 24)
            frame = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + ip
            frame = (frame + struct.pack(">HHIIBBHHH", 1, 2, 3, 4, 0x50, 2, 5, 0, 0)).ljust(
                60, b"\0"
            )
            f.write(struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame)


def check_introduction(compiler, where):
    programs = read_programs()
    check(len(programs) == 2, f"{len(programs)} programs in the introduction")
    # No interface of that name is here, and ten seconds are long.
    programs[0] = programs[0].replace('"en0"', '"synth:count=100,flows=7"')
    write_savefile(f"{where}/trace.pcap")
    outputs = []
    for number, text in enumerate(programs):
        modes = [[], PLAIN][number]
        text = "#include <bpfengine.hpp>\n#include <cstdio>\n#include <iostream>\n" + text
        built = compile_text(compiler, text, where, "-std=c++17", *WARNINGS, *modes)
        if not check(built.returncode == 0, f"{compiler} program {number}: {built.stderr}"):
            return
        built = run(compiler, f"{where}/text.o", "-o", f"{where}/program", *LINK)
        check(built.returncode == 0, built.stderr)
        ran = run(f"{where}/program", cwd=where)
        check(ran.returncode == 0, f"program {number} ended with {ran.returncode}: {ran.stderr}")
        outputs.append(ran.stdout.splitlines())
    known = [line for line in outputs[0] if line.startswith('{"schema":"bpfengine.flow/1"')]
    check(len(known) > 5 and known == outputs[0], f"{len(known)} flows of {len(outputs[0])} lines")
    check(outputs[1] == ["60 bytes"] * 2, f"packets: {outputs[1]}")


def main():
    compilers = [c for c in ("g++", "clang++") if shutil.which(c)]
    if not compilers:
        print("SKIP: neither g++ nor clang++ is installed")
        sys.exit(77)
    for compiler in compilers:
        with tempfile.TemporaryDirectory() as where:
            for standard in ("c++17", "c++20"):
                for modes in ([], PLAIN):
                    for name in ("wrapper", "life"):
                        check_program(compiler, name, standard, modes, where)
            check_program(compiler, "terminate", "c++17", [], where)
            check_units(compiler, where)
            check_wrong_uses(compiler, where)
            check_single(compiler, where)
            check_introduction(compiler, where)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
