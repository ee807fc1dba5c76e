#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""neighbours.py [--self-test] LIBRARY COMPILER...: runs programs that were made with an older and
a newer header with this library.

The older header lacks the last members of each structure that may grow, the newer header has
three more.  neighbour.c is compiled with each, and with the header as it stands, under
AddressSanitizer where the compiler has it.  All print the same, and their guards are whole.  The
library is LIBRARY, shared or static; options of the compiler follow its name, and -l options name
the libraries that LIBRARY needs.

--self-test makes headers that tell the library a wrong size, one for each place where a size is
told, and demands that the program or the sanitizer finds each fault."""

import os, re, subprocess, sys, tempfile

import abi

HERE = os.path.dirname(os.path.abspath(__file__))
SELF_TEST = sys.argv[1:2] == ["--self-test"]
LIBRARY, *COMPILER = sys.argv[2:] if SELF_TEST else sys.argv[1:]
LINKED = [word for word in COMPILER if word.startswith("-l")]  # what a static library needs
COMPILER = [word for word in COMPILER if word not in LINKED]
LIBRARY = os.path.abspath(LIBRARY)
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
FEWER = 2  # members at least that the older header lacks
WHOLE = {"bpe_flow_question"}  # every member of the first version is needed for an answer
passed = failed = 0


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("failed:", what)


def read_layout(header):
    """{structure: [size, alignment, [(member, offset)]]}"""
    out = {}
    lines = "\n".join(abi.table(0, COMPILER, header)) + "\n"
    for name, size, align, body in re.findall(
        r"^struct (\w+): (\d+) bytes, aligned to (\d+)\n((?:\t.*\n)*)", lines, re.M
    ):
        members = [line.split("\t")[1:3] for line in body.splitlines()]
        out[name] = [int(size), int(align), [(m, int(at)) for at, m in members]]
    return out


def cut_members(name, layout):
    """The number of members that stay: behind them the structure has no padding."""
    _, align, members = layout[name]
    for k in range(len(members) - FEWER, 0, -1):
        if members[k][1] % align == 0:
            return k
    sys.exit(f"neighbours: struct {name} cannot be cut")


def make_headers():
    """{name: (header, options)} and the names of the growing structures."""
    header = open(os.path.join(abi.TOP, "include/bpfengine.h")).read()
    layout = read_layout(header)

    def make_older(name, members):
        return members if name in WHOLE else members[: cut_members(name, layout)]

    older, growing = abi.change_header(header, make_older)
    newer, _ = abi.change_header(header, lambda name, m: m + [("uint64_t[3]", "later")])
    # The header that brings a member sets the member.
    newer, times = re.subn(
        r"^(\s*)(\w+)(\.struct_size = sizeof \w+;)$",
        r"\1\2\3\1\2.later[0] = \2.later[1] = \2.later[2] = 0;",
        newer,
        flags=re.M,
    )
    check(times > 0, "no inline function fills a structure")
    for name, (size, _, _) in read_layout(older).items():
        grown = read_layout_size(newer, name)
        now = layout[name][0]
        if name in growing:
            check(size < now or name in WHOLE, f"struct {name}: {size} bytes, then {now}")
            check(now < grown, f"struct {name}: {now} bytes, then {grown}")
        else:
            check(size == now == grown, f"struct {name} is frozen")
    return {"same": (header, []), "older": (older, ["-DOLDER"]), "newer": (newer, ["-DNEWER"])}


SIZES = {}


def read_layout_size(header, name):
    if header not in SIZES:
        SIZES[header] = read_layout(header)
    return SIZES[header][name][0]


def sanitizers(where):
    """The options of the sanitizers, if programs that are compiled so run here."""
    source = f"{where}/empty.c"
    with open(source, "w") as f:
        f.write("int main(void)\n{\n\treturn 0;\n}\n")
    made = subprocess.run(
        [*COMPILER, *SANITIZE, source, "-o", f"{where}/empty"], capture_output=True
    )
    good = made.returncode == 0 and subprocess.run([f"{where}/empty"]).returncode == 0
    return SANITIZE if good else []


def run_neighbour(where, name, header, options):
    """(how the program ended, what it printed, its errors)"""
    folder = f"{where}/{name}"
    os.mkdir(folder)
    with open(f"{folder}/bpfengine.h", "w") as f:
        f.write(header)
    made = subprocess.run(
        [*COMPILER, "-std=c11", "-g", "-Wall", "-Werror", *options, f"{HERE}/neighbour.c"]
        + ["-o", f"{folder}/neighbour", "-I", folder, LIBRARY, *LINKED, "-pthread"]
        + [f"-Wl,-rpath,{os.path.dirname(LIBRARY)}"],
        capture_output=True,
        text=True,
    )
    check(made.returncode == 0, f"{name} does not compile: {made.stderr}")
    if made.returncode:
        return None, "", ""
    ran = subprocess.run(
        [f"{folder}/neighbour"], capture_output=True, text=True, errors="replace", timeout=550
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_neighbours(where, safe):
    printed = {}
    for name, (header, options) in make_headers().items():
        code, printed[name], errors = run_neighbour(where, name, header, safe + options)
        check(code == 0, f"{name} ended with {code}: {errors}")
        lines = printed[name].splitlines()
        check(len(lines) > 10 and lines == printed["same"].splitlines(), f"{name}: {lines}")


def test_wrong_sizes(where, safe):
    """Each size that an inline function tells is made 8 bytes larger."""
    header = open(os.path.join(abi.TOP, "include/bpfengine.h")).read()
    at = header.index("/* ---- Sizes ---- */")
    _, right, _ = run_neighbour(where, "right", header, safe)
    places = list(re.finditer(r"sizeof \*+\w+(?=[,);])", header[at:]))
    check(len(places) > 10, f"{len(places)} places")
    for k, place in enumerate(places):
        if place.group(0) == "sizeof *meta":  # synth has none: tests/contract/bpf_extras.c
            continue
        end = at + place.end()
        wrong = header[:end] + " + 8" + header[end:]
        code, printed, _ = run_neighbour(where, f"wrong{k}", wrong, safe)
        check(code or printed != right, f"nothing finds a wrong size: {place.group(0)}, place {k}")


def main():
    if sys.maxsize < 2**32:
        print("SKIP: not a 64-bit system")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as where:
        safe = sanitizers(where)
        if SELF_TEST:
            test_wrong_sizes(where, safe)
        else:
            test_neighbours(where, safe)
    print("under AddressSanitizer" if safe else "without AddressSanitizer, which does not run here")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
