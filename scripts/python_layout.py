#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_layout.py [--check] [COMPILER...]: writes python/bpfengine/_layout.py
and _enums.py.

Structures, enumerations, constants and functions are read from include/bpfengine.h.  A small
program, built by COMPILER (cc), gives the values of constants and the offsets of members.  The
structures of ctypes are compared with the offsets before the file is written.
--check writes nothing, and fails if a file is out of date.
"""

import ctypes, importlib, os, re, subprocess, sys, tempfile, textwrap

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEADER = os.path.join(TOP, "include/bpfengine.h")
PACKAGE = os.path.join(TOP, "python/bpfengine")

SCALARS = {
    "bool": "c_bool",
    "char": "c_char",
    "int": "c_int",
    "size_t": "c_size_t",
    **{f"{sign}int{n}_t": f"c_{sign}int{n}" for sign in ("", "u") for n in (8, 16, 32, 64)},
}
# Macros that form a set of bits, and the set's name in Python.
FLAGS = {
    "PKT": "PacketFlag",
    "FLOW": "FlowFlag",
    "META": "MetaFlag",
    "MARK": "Mark",
    "IF": "InterfaceFlag",
    "THROUGH": "Through",
    "TCP": "TcpOption",
    "KNOWN": "Known",
}
NO_FLAGS = ("BPE_FLOW_VERSION",)
# Members of bpe_options that the package sets itself.
OWN_OPTIONS = ("struct_size", "interface_name", "file", "filter", "filter_length")
OWN_OPTIONS += ("filter_expression", "user", "pull_records", "memory", "memory_bytes", "zero")
ENUMS_HEAD = '''# SPDX-License-Identifier: MIT
# fmt: off
"""The numbers of bpfengine.h: written by scripts/python_layout.py, not by hand."""

from enum import IntEnum, IntFlag
'''
LAYOUT_HEAD = '''# SPDX-License-Identifier: MIT
# fmt: off
"""The contract of bpfengine.h {version} for ctypes: written by scripts/python_layout.py, not by hand.

Pointers are c_void_p, except texts.  The comments of bpfengine.h say what each member means.
"""

from __future__ import annotations

from ctypes import CFUNCTYPE, Structure, c_bool, c_char, c_char_p, c_int, c_int8, c_int16, c_int32
from ctypes import c_int64, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p
from typing import Any, Dict, Tuple, TypedDict, Union

from ._enums import (
    {enums},
)

VERSION = "{version}"
'''


def drop_comments(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S).replace("\\\n", " ")
    return re.sub(r"#ifdef __cplusplus.*?#endif\n", "", text, flags=re.S)


def parse_members(body):
    """Yields (kind, name, dimensions) of each member; kind is a type of C without blanks around."""
    for member in filter(None, (m.strip() for m in body.split(";"))):
        base = None
        for part in member.split(","):
            m = re.match(r"(.*?)(\w+)\s*((?:\[[^\]]*\])*)$", part.strip(), re.S)
            if not m:
                sys.exit(f"python_layout: a member that is not understood: {member}")
            if base is None:
                base = re.sub(r"[\s*]+$", "", m[1])
                kind = m[1]
            else:
                kind = base + " " + m[1]
            yield " ".join(kind.split()), m[2], re.findall(r"\[([^\]]*)\]", m[3])


def ctypes_of(kind, typedefs, is_result=False):
    """The name in ctypes of a type of C."""
    plain = re.sub(r"\b(const|enum \w+)\b", lambda m: "uint32_t" if m[1] != "const" else "", kind)
    plain = " ".join(plain.replace("*", " * ").split())
    if plain == "void":
        return "None"
    if plain == "char *" and ("const" in kind):
        return "c_char_p"
    if plain.endswith("*"):
        return "c_void_p"
    if plain in typedefs:
        return plain
    if plain.startswith("struct "):
        return plain[len("struct ") :]
    return SCALARS[plain]


def parse_parameters(text, typedefs):
    """The types in ctypes of a parameter list."""
    found = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        if part == "void":
            continue
        m = re.match(r"(.*?)(\w+)\s*((?:\[[^\]]*\])*)$", part, re.S)
        kind = m[1] + ("*" if m[3] else "")
        found.append("c_void_p" if m[3] else ctypes_of(kind, typedefs))
    return found


class Header:
    """What the header declares."""

    def __init__(self, source):
        self.source = source.partition("/* ---- Former names ---- */")[0]
        text = drop_comments(self.source)
        self.structs = [
            (name, list(parse_members(body)))
            for name, body in re.findall(r"^struct (bpe_\w+) \{(.*?)^\};", text, re.M | re.S)
        ]
        self.enums = [
            (name, re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"=[^,]*", "", body)))
            for name, body in re.findall(r"^enum (bpe_\w+) \{(.*?)\};", text, re.M | re.S)
        ]
        self.macros = [
            name
            for name in re.findall(r"^#define (BPE_\w+)[ \t]+\S", text, re.M)
            if not name.startswith(("BPE_VERSION", "BPE_API", "BPE_INLINE"))
        ]
        self.typedefs = {
            name: (ctypes_of(result, ()), parameters)
            for result, name, parameters in re.findall(
                r"^typedef ([\w *]+?)\s*\(\*(\w+)\)\(([^;]*)\);", text, re.M
            )
        }
        self.functions = {}
        for line in re.findall(r"^BPE_API ([^;]*);", text, re.M):
            m = re.match(r"(.*?)\b(bpe_\w+)\((.*)\)$", " ".join(line.split()))
            self.functions[m[2]] = (
                ctypes_of(m[1].strip(), self.typedefs, True),
                parse_parameters(m[3], self.typedefs),
            )
        self.version = re.search(r'^#define BPE_VERSION "([^"]*)"', text, re.M)[1]
        if min(map(len, (self.structs, self.enums, self.macros, self.typedefs))) < 3:
            sys.exit("python_layout: the header was not understood")

    def ask(self, compiler):
        """Compiles a program that prints values and offsets; {expression: number}."""
        wanted = [m for m in self.macros] + [c for _, names in self.enums for c in names]
        for name, members in self.structs:
            wanted.append(f"sizeof(struct {name})")
            for _, member, dimensions in members:
                wanted += [f"offsetof(struct {name}, {member})", *dimensions]
        lines = [f'\tprintf("%s\\t%lld\\n", "{w}", (long long)({w}));\n' for w in wanted]
        program = (
            "#include <bpfengine.h>\n#include <stdio.h>\nint main(void)\n{\n%s\treturn 0;\n}\n"
        )
        with tempfile.TemporaryDirectory() as where:
            with open(f"{where}/layout.c", "w") as f:
                f.write(program % "".join(lines))
            command = [*compiler, "-std=c11", "-o", f"{where}/layout", f"{where}/layout.c"]
            subprocess.run([*command, "-I", os.path.dirname(HEADER)], check=True)
            out = subprocess.run([f"{where}/layout"], capture_output=True, text=True, check=True)
        return {k: int(v) for k, v in (line.split("\t") for line in out.stdout.splitlines())}

    def frozen(self):
        """The structures of which the comment says that they never change."""
        found = re.findall(r"Frozen\. \*/\nstruct (bpe_\w+) \{", self.source)
        if not found:
            sys.exit("python_layout: no structure is frozen")
        return found

    def enum_of_option(self, member):
        """The enumeration that the comment of an option names, or None."""
        body = re.search(r"^struct bpe_options \{(.*?)^\};", self.source, re.M | re.S)[1]
        m = re.search(rf"\b{member};\s*/\*(?:(?!\*/).)*?enum (bpe_\w+)", body, re.S)
        return m and m[1]


def wrap(text):
    """The text in lines of 92 columns; a NUL is a blank at which no line is broken."""
    lines = textwrap.wrap(text, 92, break_long_words=False, break_on_hyphens=False)
    return "\n        ".join(lines).replace("\0", " ")


def camel(name):
    return "".join(word.capitalize() for word in name[len("bpe_") :].split("_"))


def write_enums(header, values):
    """Yields the source of the enumerations, without counts and deprecated names."""
    for name, constants in header.enums:
        prefix = os.path.commonprefix([c for c in constants])
        prefix = prefix[: prefix.rindex("_") + 1]
        seen = set()
        yield f'\n\nclass {camel(name)}(IntEnum):\n    """enum {name}."""\n'
        for constant in constants:
            if constant.endswith("_COUNT") or values[constant] in seen:
                continue
            seen.add(values[constant])
            short = constant[len(prefix) :]
            short = short if short[0].isalpha() else "N" + short
            yield f"    {short} = {values[constant]}\n"
    for prefix, name in FLAGS.items():
        yield f'\n\nclass {name}(IntFlag):\n    """BPE_{prefix}_* of bpfengine.h."""\n'
        for macro in header.macros:
            if macro.startswith(f"BPE_{prefix}_") and macro not in NO_FLAGS:
                yield f"    {macro[len(prefix) + 5 :]} = {values[macro]:#x}\n"


def write_constants(header, values):
    yield "\n\n"
    for macro in header.macros:
        if macro.split("_")[1] not in FLAGS or macro in NO_FLAGS:
            yield f"{macro[len('BPE_') :]} = {values[macro]}\n"
    for _, constants in header.enums:
        for constant in constants:
            if constant.endswith("_COUNT"):
                yield f"{constant[len('BPE_') :]} = {values[constant]}\n"


def write_structs(header, values):
    """Yields the types of callbacks and the structures, each after the structures inside it."""
    yield "\n"
    for name, (result, parameters) in header.typedefs.items():
        kinds = ", ".join([result, *parse_parameters(parameters, header.typedefs)])
        yield f"{name} = CFUNCTYPE({kinds})\n"
    left, done = list(header.structs), set()
    while left:
        name, members = left.pop(0)
        kinds = [ctypes_of(kind, header.typedefs) for kind, _, _ in members]
        if any(k.startswith("bpe_") and k not in done for k in kinds if k not in header.typedefs):
            left.append((name, members))
            continue
        done.add(name)
        fields = []
        for kind, (_, member, dimensions) in zip(kinds, members):
            sizes = "".join(f" * {values[d]}" for d in reversed(dimensions))
            fields.append(f'("{member}",\0{kind}{sizes}),'.replace(" * ", "\0*\0"))
        body = wrap("    _fields_ = [" + " ".join(fields) + "]")
        yield f"\n\nclass {name}(Structure):\n{body}\n"


def write_functions(header):
    yield "\n\n# Function: result, parameters.\nFUNCTIONS: Dict[str, Tuple[Any, ...]] = {\n"
    for name in sorted(header.functions):
        result, parameters = header.functions[name]
        yield wrap(f'    "{name}": ({", ".join([result, *parameters])},),') + "\n"
    yield "}\n"


def write_options(header):
    """Yields the options that callers may give, with their types, and their enumerations."""
    members = dict(header.structs)["bpe_options"]
    enums, types = {}, []
    for kind, name, dimensions in members:
        if name in OWN_OPTIONS or kind in header.typedefs:
            continue
        enum = header.enum_of_option(name) if kind == "uint32_t" else None
        python = {"bool": "bool", "const char *": "str"}.get(kind, "int")
        if dimensions:
            enum = "bpe_" + re.match(r"BPE_(\w+)_ROOM", dimensions[0])[1].lower()
            enums[name] = camel(enum)
            python = "Dict[str, int]"
            enum = None
        if enum:
            enums[name] = camel(enum)
            python = "Union[int, str]"
        types.append(f"    {name}: {python}\n")
    yield "\n\nclass Options(TypedDict, total=False):\n"
    yield '    """Members of struct bpe_options; bpfengine.h says what each means."""\n\n'
    yield from types
    inner = ", ".join(f'"{name}":\0{enum}' for name, enum in enums.items())
    yield "\n\n" + wrap(f"OPTION_ENUMS = {{{inner}}}") + "\n"


def write_layout(header, values):
    options = "".join(write_options(header))
    enums = sorted(set(re.findall(r'": (\w+)[,}]', options)))
    parts = [LAYOUT_HEAD.format(version=header.version, enums=",\n    ".join(enums))]
    parts += write_structs(header, values)
    frozen = ", ".join(f'"{name}"' for name in header.frozen())
    parts.append("\n\n# Structures that never change.\n" + wrap(f"FROZEN = ({frozen})") + "\n")
    parts += write_functions(header)
    parts.append(options)
    return "".join(parts)


def write_numbers(header, values):
    return "".join([ENUMS_HEAD, *write_enums(header, values), *write_constants(header, values)])


def compare_offsets(texts, header, values):
    """Proves that ctypes lays out the structures as the compiler does."""
    with tempfile.TemporaryDirectory() as where:
        os.mkdir(os.path.join(where, "written"))
        for name, text in texts.items():
            with open(os.path.join(where, "written", name), "w") as f:
                f.write(text)
        sys.path.insert(0, where)
        sys.dont_write_bytecode = True
        module = importlib.import_module("written._layout")
    for name, members in header.structs:
        structure = getattr(module, name)
        wrong = [
            member
            for _, member, _ in members
            if getattr(structure, member).offset != values[f"offsetof(struct {name}, {member})"]
        ]
        if wrong or ctypes.sizeof(structure) != values[f"sizeof(struct {name})"]:
            sys.exit(f"python_layout: struct {name} lies elsewhere in ctypes: {wrong}")


def main():
    compiler = [a for a in sys.argv[1:] if a != "--check"] or ["cc"]
    with open(HEADER) as f:
        header = Header(f.read())
    values = header.ask(compiler)
    texts = {
        "_enums.py": write_numbers(header, values),
        "_layout.py": write_layout(header, values),
    }
    compare_offsets(texts, header, values)
    counts = f"{len(header.structs)} structures, {len(header.functions)} functions"
    if "--check" not in sys.argv:
        for name, text in texts.items():
            with open(os.path.join(PACKAGE, name), "w") as f:
                f.write(text)
        print(f"python/bpfengine/_layout.py: {counts}")
        return
    for name, text in texts.items():
        with open(os.path.join(PACKAGE, name)) as f:
            if f.read() != text:
                print(f"python/bpfengine/{name} is out of date: run scripts/python_layout.py")
                print("0 passed, 1 failed")
                sys.exit(1)
    print(f"{counts} as in bpfengine.h\n1 passed, 0 failed")


if __name__ == "__main__":
    main()
