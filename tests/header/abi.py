#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""abi.py SOVERSION COMPILER... [--accept | --self-test]: what compiled programs know of the
library (functions, structures' sizes, offsets and types, constants) is as tests/data/abi.txt
keeps it; --accept writes that file anew, --self-test changes copies of the header and demands
that it is seen.  For 64-bit systems; elsewhere skipped (exit code 77).

The comment of each structure names the class, "How structures grow" in the header says which.  A
structure that may grow ends with a member, not with padding: in the padding of an older program's
structure a later member would be found set."""

import difflib, os, re, subprocess, sys, tempfile

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
KEPT = os.path.join(TOP, "tests/data/abi.txt")


def public(text):
    """The header without comments, continued lines and what is for C++."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r"#ifdef __cplusplus.*?#endif\n", "", text, flags=re.S)


def plain(text):
    return (
        re.sub(r"\s*([*,();\[\]])\s*", r"\1", re.sub(r"\s+", " ", text.strip()))
        .replace(",", ", ")
        .replace("*", " *")
        .replace("* *", "**")
    )


def fields(body):
    """(type, name) of each member."""
    for member in (m.strip() for m in body.split(";")):
        if not member:
            continue
        if "(" in member or ":" in member:
            sys.exit(f"abi: a member that bindings cannot have: {member}")
        base = None
        for part in member.split(","):
            m = re.match(r"(.*?)(\w+)\s*((?:\[[^\]]*\])*)$", part.strip(), re.S)
            if base is None:
                base = m.group(1)
                kind = base
            else:
                kind = re.sub(r"[\s*]+$", " ", base) + m.group(1)
            yield plain(kind + m.group(3)), m.group(2)


CLASSES = {"Frozen.": "frozen", "Sized.": "sized", "A view in a handler; sized in": "view"}


def classes(header):
    """{structure: class}, as the comments say."""
    out = {}
    for comment, name in re.findall(
        r"/\*((?:(?!\*/).)*)\*/\s*(?:#define [^\n]*\n)*struct (bpe_\w+) \{", header, re.S
    ):
        words = re.sub(r"\s*\n \*\s*", " ", comment)
        told = [kind for text, kind in CLASSES.items() if text in words]
        out[name] = told[0] if len(told) == 1 else "?"
    return out


def declare(kind, name):
    """A declaration of C from the type and name of a member."""
    base, arrays = re.match(r"(.*?)((?:\[[^\]]*\])*)$", kind).groups()
    return f"\t{base} {name}{arrays};\n"


def change_header(header, change):
    """The header without comments, with change(name, [(type, member)]) for each structure that may
    grow."""
    growing = [n for n, kind in classes(header).items() if kind != "frozen"]
    text = public(header)
    for name in growing:
        body = re.search(rf"^struct {name} \{{(.*?)^\}};", text, re.M | re.S).group(1)
        members = change(name, list(fields(body)))
        declared = "".join(declare(kind, member) for kind, member in members)
        text = text.replace(f"struct {name} {{{body}", f"struct {name} {{\n{declared}")
    return text, growing


def check_classes(lines, header):
    """Every structure has a class, and those that grow have no padding at the end."""
    known, wrong = classes(header), []
    for name, size, body in re.findall(
        r"^struct (\w+): (\d+) bytes[^\n]*\n((?:\t[^\n]*\n)*)", "\n".join(lines) + "\n", re.M
    ):
        if known.get(name, "?") == "?":
            wrong.append(f"struct {name}: the comment must say one of {list(CLASSES)}")
        at, member, length = body.rstrip("\n").split("\n")[-1].split("\t")[1:4]
        end = int(at) + int(length.split()[0])
        if known.get(name) != "frozen" and end != int(size):
            wrong.append(
                f"struct {name}: padding behind {member}: put uint32_t zero (or more) there"
            )
    return wrong


def table(soversion, compiler, header):
    text = public(header)
    structs = re.findall(r"^struct (bpe_\w+) \{(.*?)^\};", text, re.M | re.S)
    enums = re.findall(r"^enum (bpe_\w+) \{(.*?)^\};", text, re.M | re.S)
    macros = [
        m
        for m in re.findall(r"^#define (BPE_\w+)\s+\S", text, re.M)
        if not m.startswith(("BPE_VERSION", "BPE_API", "BPE_INLINE"))
    ]
    functions = re.findall(r"^BPE_API ([^;]*);", text, re.M)
    inlines = re.findall(r"^BPE_INLINE ([^;{]*);", text, re.M)
    bodies = re.findall(r"^BPE_INLINE ([^;{]*)\{", text, re.M)
    if sorted(map(plain, inlines)) != sorted(map(plain, bodies)):
        sys.exit(
            f"abi: inline functions declared or defined once only: {set(inlines) ^ set(bodies)}"
        )
    typedefs = re.findall(r"^typedef ([^;]*);", text, re.M)
    c = ["#include <bpfengine.h>\n#include <stdio.h>\nint main(void)\n{\n"]
    for name, body in structs:
        c.append(
            f'\tprintf("struct {name}: %zu bytes, aligned to %zu\\n", sizeof(struct {name}), _Alignof(struct {name}));\n'
        )
        for kind, field in fields(body):
            c.append(
                f'\tprintf("\\t%zu\\t{field}\\t%zu bytes\\t{kind}\\n", offsetof(struct {name}, {field}), sizeof ((struct {name} *)0)->{field});\n'
            )
    for name, body in enums:
        c.append(f'\tprintf("enum {name}: %zu bytes\\n", sizeof(enum {name}));\n')
        c += [
            f'\tprintf("\\t{constant}\\t%d\\n", (int){constant});\n'
            for constant in re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"=[^,]*", "", body))
        ]
    c += [f'\tprintf("constant {m}\\t%lld\\n", (long long)({m}));\n' for m in macros]
    c.append("\treturn 0;\n}\n")
    with tempfile.TemporaryDirectory() as where:
        with open(f"{where}/abi.c", "w") as f:
            f.write("".join(c))
        with open(f"{where}/bpfengine.h", "w") as f:
            f.write(header)
        subprocess.run(
            [*compiler, "-std=c11", f"{where}/abi.c", "-o", f"{where}/abi", "-I", where], check=True
        )
        out = subprocess.run(
            [f"{where}/abi"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    out += [
        f"function {plain(f)}"
        for f in sorted(functions, key=lambda f: re.search(r"(\w+)\(", f).group(1))
    ]
    out += [
        f"inline {plain(f)}"
        for f in sorted(inlines, key=lambda f: re.search(r"(\w+)\(", f).group(1))
    ]
    out += [f"type {plain(t)}" for t in typedefs]
    counts = [
        sum(l.startswith(k) for l in out)
        for k in ("struct", "enum", "constant", "function", "type", "inline")
    ]
    if min(counts) < 3 or counts[3] < 30:
        sys.exit(f"abi: the header was not understood: {counts}")
    return [
        "# What programs that are linked with bpfengine know of it, on 64-bit systems; written by tests/header/abi.py --accept.",
        f"soversion {soversion}",
    ] + out


CHANGES = [  # of the header, and what the table must say of them
    (
        "uint32_t flags;\nuint32_t hash;\nuint32_t interface_id;",
        "uint32_t hash;\nuint32_t flags;\nuint32_t interface_id;",
        "\t60\tflags",
    ),
    (
        "uint64_t wire_bytes[2];\nuint64_t ip_bytes",
        "uint64_t wire_bytes[3];\nuint64_t ip_bytes",
        "wire_bytes\t24 bytes",
    ),
    (
        "int32_t link_type;\nuint32_t mtu;",
        "uint32_t link_type;\nuint32_t mtu;",
        "link_type\t4 bytes\tuint32_t",
    ),
    ("BPE_PROTO_TCP,\nBPE_PROTO_UDP,", "BPE_PROTO_UDP,\nBPE_PROTO_TCP,", "BPE_PROTO_UDP\t2"),
    ("#define BPE_PKT_TUNNEL 0x1000u", "#define BPE_PKT_TUNNEL 0x8000u", "BPE_PKT_TUNNEL\t32768"),
    ("bpe_drop_name(int drop)", "bpe_drop_name(long drop)", "bpe_drop_name(long drop)"),
    ("BPE_API const char *bpe_version(void);", "", None),
]


UNFIT = [  # structures as check_classes refuses them
    ("/* A line of the protocol table.  Sized. */", "/* A line. */", "struct bpe_protocol: the"),
    (
        "/* 0 */\n};\n/* Fills *options with",
        "/* 0 */\n\tuint8_t a;\n};\n/* Fills *options with",
        "behind a",
    ),
]


def strip_layout(header):
    """The header without comments, indentation and blank lines, so that CHANGES name code alone."""
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.S).replace("\\\n", " ")
    lines = (re.sub(r"\s+", " ", line).strip() for line in code.split("\n"))
    return "\n".join(line for line in lines if line) + "\n"


def self_test(compiler, header):
    original, header = header, strip_layout(header)
    kept, good = table(0, compiler, header), 0
    for old, new, told in CHANGES:
        changed = (
            [l for l in table(0, compiler, header.replace(old, new)) if l not in kept]
            if header.count(old) == 1
            else []
        )
        shorter = (
            told is None and len(table(0, compiler, header.replace(old, new))) == len(kept) - 1
        )
        if shorter or told and any(told in l for l in changed):
            good += 1
        else:
            print("not seen:", old, changed)
    total = len(CHANGES) + len(UNFIT)
    for old, new, told in UNFIT:
        changed = original.replace(old, new, 1)
        wrong = check_classes(table(0, compiler, changed), changed)
        if changed != original and len(wrong) == 1 and told in wrong[0]:
            good += 1
        else:
            print("not seen:", old, wrong)
    print(f"{good} passed, {total - good} failed")
    sys.exit(good != total)


def main():
    accept = "--accept" in sys.argv
    arguments = [a for a in sys.argv[1:] if a not in ("--accept", "--self-test")]
    if len(arguments) < 2:
        sys.exit(__doc__)
    if sys.maxsize < 2**32:
        print("SKIP: not a 64-bit system")
        sys.exit(77)
    header = open(os.path.join(TOP, "include/bpfengine.h")).read()
    if "--self-test" in sys.argv:
        self_test(arguments[1:], header)
    now = table(arguments[0], arguments[1:], header)
    wrong = check_classes(now, header)
    if wrong:
        print("abi: " + "\nabi: ".join(wrong))
        print(f"0 passed, {len(wrong)} failed")
        sys.exit(1)
    kept = open(KEPT).read().splitlines() if os.path.exists(KEPT) else []
    gone = [l for l in kept if l not in now]
    if now == kept:
        print(f"{len(now)} lines of ABI as they are kept\n1 passed, 0 failed")
        return
    print(
        "\n".join(
            difflib.unified_diff(kept, now, "tests/data/abi.txt", "this tree", lineterm="", n=1)
        )
    )
    if [l for l in gone if not l.startswith("soversion")] and f"soversion {arguments[0]}" in kept:
        print(
            "abi: something changed that linked programs rely on.  Once it was released: raise soversion in src/meson.build, and the version's MINOR (from 1.0 on MAJOR)"
            " in meson.build and include/bpfengine.h."
        )
    else:
        print(
            "abi: something was added.  Raise the version's MINOR in meson.build and include/bpfengine.h once the kept one was released, and put new functions into that"
            " version's node of src/bpfengine.map."
        )
    if accept:
        with open(KEPT, "w") as f:
            f.write("\n".join(now) + "\n")
        print("abi: accepted: tests/data/abi.txt is written anew; commit it")
        return
    print(
        f"abi: to accept it: python3 {os.path.relpath(os.path.abspath(__file__), os.getcwd()) if os.getcwd() == TOP else 'tests/header/abi.py'} {' '.join(arguments)} --accept"
    )
    print("0 passed, 1 failed")
    sys.exit(1)


if __name__ == "__main__":
    main()
