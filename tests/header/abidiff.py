#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""abidiff.py LIBRARY COMPILER...: holds the binary interface to the last release by abidiff
(Debian: abigail-tools).

A header alone makes a library of empty functions with the header's types, so the last release, the
latest tag v*, need not be built.  Structures that may grow may have members behind the last one:
the comparison leaves these out.  Any other change of a type, and a function that is gone, needs a
new soversion.  The shared LIBRARY must be the header's, if it has debugging information.  Planted
changes show that abidiff tells each of these cases.  Skipped (exit code 77) without abidiff."""

import os, re, shutil, subprocess, sys, tempfile

import abi

LIBRARY, COMPILER = os.path.abspath(sys.argv[1]), sys.argv[2:]
BROKEN = 4 | 8  # abidiff's exit code: changed, changed in a way that breaks programs
passed = failed = 0


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("failed:", what)


def make_library(where, name, header):
    """A shared library with the header's functions, all empty, and types; inline functions, which
    may use a member that was left out, are not in it."""
    header = re.sub(r"^BPE_INLINE [^;{]*\{.*?^\}\n", "", header, flags=re.M | re.S)
    functions = re.findall(r"^BPE_API ([^;]*);", abi.public(header), re.M)
    folder = f"{where}/{name}"
    os.mkdir(folder)
    with open(f"{folder}/bpfengine.h", "w") as f:
        f.write(header)
    with open(f"{folder}/empty.c", "w") as f:
        f.write("#include <bpfengine.h>\n")
        for function in functions:
            f.write(f"{function}\n{{\n\t__builtin_trap();\n}}\n")
    script = os.path.join(abi.TOP, "src/bpfengine.map")
    subprocess.run(
        [*COMPILER, "-std=c11", "-g", "-O0", "-fPIC", "-shared", "-w", "-I", folder]
        + [f"{folder}/empty.c", "-o", f"{folder}/libbpfengine.so"]
        + [f"-Wl,--version-script={script},--undefined-version"],
        check=True,
    )
    return f"{folder}/libbpfengine.so"


def trim_header(header, older):
    """The header without the members that structures which may grow have got since."""
    text = abi.public(older)
    known = {}
    for name, body in re.findall(r"^struct (bpe_\w+) \{(.*?)^\};", text, re.M | re.S):
        known[name] = [member for _, member in abi.fields(body)]

    def cut(name, members):
        return members[: len(known.get(name, members))]

    return abi.change_header(header, cut)[0]


def compare(old, new):
    """(abidiff's exit code, its report)"""
    r = subprocess.run(
        ["abidiff", "--no-added-syms", "--ignore-soname", "--drop-private-types"]
        + ["--headers-dir1", f"{abi.TOP}/include", "--headers-dir2", f"{abi.TOP}/include"]
        + ["--hd1", os.path.dirname(old), "--hd2", os.path.dirname(new)]
        + [old, new],
        capture_output=True,
        text=True,
    )
    if r.returncode & 3:
        sys.exit(f"abidiff: {r.stdout}{r.stderr}")
    return r.returncode, r.stdout


def last_release():
    """(tag, the header of the tag) or None"""
    r = subprocess.run(
        ["git", "-C", abi.TOP, "describe", "--tags", "--abbrev=0", "--match", "v*"],
        capture_output=True,
        text=True,
    )
    if r.returncode:
        return None
    tag = r.stdout.strip()
    return tag, subprocess.run(
        ["git", "-C", abi.TOP, "show", f"{tag}:include/bpfengine.h"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


PLANTED = (  # what, old text, new text, whether programs break
    (
        "a member behind the last of a structure that may grow",
        r"(\nstruct bpe_worker_stats \{[^}]*)\};",
        r"\1\tuint64_t later;\n};",
        False,
    ),
    (
        "a member between others of a structure that may grow",
        r"(\nstruct bpe_worker_stats \{)",
        r"\1\tuint64_t early;\n",
        True,
    ),
    (
        "a member behind the last of a frozen structure",
        r"(\nstruct bpe_tunnel \{[^}]*)\};",
        r"\1\tuint64_t later;\n};",
        True,
    ),
    (
        "another type of a member",
        r"\n\tuint32_t mtu;",
        r"\n\tuint64_t mtu;",
        True,
    ),
    ("another parameter", r"bpe_drop_name\(int drop\)", "bpe_drop_name(long drop)", True),
    ("a function less", r"\nBPE_API const char \*bpe_drop_name\(int drop\);", "\n", True),
    (
        "a function more",
        r"(\nBPE_API const char \*bpe_version)",
        r"\nBPE_API int bpe_a(void);\1",
        False,
    ),
)


def main():
    if not shutil.which("abidiff"):
        print("SKIP: abidiff is not installed (Debian: abigail-tools)")
        sys.exit(77)
    header = open(os.path.join(abi.TOP, "include/bpfengine.h")).read()
    with tempfile.TemporaryDirectory() as where:
        now = make_library(where, "now", header)
        if b".debug_info" in open(LIBRARY, "rb").read():
            code, report = compare(now, LIBRARY)
            check(code == 0, f"the library's interface is not the header's: {report}")
        else:
            print("the library has no debugging information and was not compared")
        for k, (what, old, new, breaks) in enumerate(PLANTED):
            changed, times = re.subn(old, new, header, count=1)
            changed = make_library(where, f"p{k}", trim_header(changed, header))
            code, report = compare(now, changed)
            check(times == 1 and bool(code & BROKEN) == breaks, f"{what}: {code} {report}")
        release = last_release()
        if release:
            tag, old = release
            trimmed = make_library(where, "trimmed", trim_header(header, old))
            code, report = compare(make_library(where, "release", old), trimmed)
            check(code == 0, f"programs made with {tag} break: raise soversion.  {report}")
        print(f"compared with {release[0]}" if release else "no release yet to compare with")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


main()
