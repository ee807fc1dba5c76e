#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""single_header.py OUTPUT [--depfile FILE]: bpfengine_single.h, the whole engine in one file,
from the sources that the meson.build files name.

What goes in, for which system and CPU, is read from meson.build, src/meson.build and
arch/meson.build; nothing is listed here. Every name that would be visible in the file that takes
the implementation gets our prefix, and what C++17 does not take of C11 is said otherwise
(scripts/single_text.py).  Prints nothing; errors name the file and line that it cannot deal with.
"""

import os, re, sys

import single_text as text
from single_meson import Meson

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BASES = ("", "src", "include", ".")

# What the meson.build files may ask of a system or CPU, and the compilers' word for it.
CONDITIONS = {
    "system == 'linux'": "defined(__linux__)",
    "system == 'darwin'": "defined(__APPLE__)",
    "system == 'freebsd'": "defined(__FreeBSD__)",
    "system == 'netbsd'": "defined(__NetBSD__)",
    "system == 'openbsd'": "defined(__OpenBSD__)",
    "host_machine.cpu_family() == 'x86_64'": "defined(__x86_64__)",
    "host_machine.cpu_family() == 'aarch64'": "defined(__aarch64__)",
    "host_machine.endian() == 'little'": "(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)",
}


def fail(what):
    sys.exit(f"single_header: {what}")


def predefined(condition):
    """A condition of meson.build as one of the preprocessor."""
    parts = re.split(r"\s+(and|or)\s+", condition.strip())
    for i in range(0, len(parts), 2):
        part = parts[i].strip()
        negated = part.startswith("not ")
        if negated:
            part = part[4:].strip()
        if part.startswith("!(") and part.endswith(")"):
            out = f"!({predefined(part[2:-1])})"
        elif part in CONDITIONS:
            out = CONDITIONS[part]
        else:
            fail(f'the meson.build files ask "{part}": say in CONDITIONS what macro tells it')
        parts[i] = "!" + out if negated else out
    return " ".join({"and": "&&", "or": "||"}.get(p, p) for p in parts)


class Files:
    """The sources, read once, and what is known of all of them."""

    def __init__(self):
        self.tokens, self.guarded, self.names, self.enums, self.void, self.first = (
            {},
            {},
            {},
            {},
            set(),
            {},
        )

    def read(self, path):
        if path not in self.tokens:
            try:
                source = open(os.path.join(TOP, path), encoding="utf-8").read()
            except OSError as e:
                fail(f"{path}: {e.strerror}")
            self.tokens[path] = text.tokens(source)
            self.guarded[path] = bool(re.search(r"^#ifndef (\w+)\n#define \1\n", source, re.M))
            self.enums.update(text.enums(self.tokens[path]))
            self.first.update(text.first_members(self.tokens[path]))
            if self.guarded[path]:
                self.void |= text.void_functions(self.tokens[path])
        return self.tokens[path]

    def find(self, name, path):
        for base in (os.path.dirname(path),) + BASES[1:]:
            candidate = os.path.normpath(os.path.join(base, name))
            if os.path.isfile(os.path.join(TOP, candidate)):
                return candidate
        fail(f"{path} includes {name}, which is nowhere")

    def walk(self, path, seen):
        """path and all that it includes, read."""
        if path in seen:
            return
        seen.add(path)
        for name in text.includes(self.read(path)):
            if path != "include/bpfengine.h":
                self.walk(self.find(name, path), seen)

    def name_all(self):
        static = set().union(*map(text.static_macros, self.tokens.values()))
        for path, toks in self.tokens.items():
            self.names[path] = text.names(toks, static)

    def mark_templates(self, target_folders):
        """Finds the kernels' headers that are text of each file that includes them, guard or no
        guard: those that speak of types of that file, and all that lie beside sources compiled
        for a target. One copy of the latter would be compiled for the first target and called by
        the others."""
        self.templates = set()
        for path in [p for p in self.tokens if p.startswith("arch/") and p.endswith(".c")]:
            own = self.names[path]["type"]
            for header in self.closure(path):
                if header == path or not self.guarded[header] or not header.startswith("arch/"):
                    continue
                known = set().union(
                    *(
                        self.names[h][kind]
                        for h in self.closure(header)
                        for kind in ("type", "tag", "value")
                    )
                )
                if own & text.type_words(self.tokens[header]) - known:
                    self.templates.add(header)
        headers = [p for p in self.tokens if p.endswith(".h")]
        beside = [p for p in headers if os.path.dirname(p) in target_folders]
        self.templates |= {p for p in beside if self.guarded[p]}
        for header in self.templates:
            self.guarded[header] = False
        for path in beside:
            toks = text.unguard(self.tokens[path]) if path in self.templates else self.tokens[path]
            defined = text.names(toks, set())
            ours = set().union(*(defined[kind] for kind in defined if kind != "paste"))
            ours = sorted(n for n in ours if text.OURS.match(n))
            if ours:
                fail(
                    f"{path}: {ours[0]} would be one name for several targets: "
                    "leave out its prefix, so that each target gets a copy of its own"
                )

    def closure(self, path, seen=None):
        seen = set() if seen is None else seen
        if path not in seen:
            seen.add(path)
            for name in text.includes(self.tokens[path]):
                found = self.find(name, path)
                if found in self.tokens:
                    self.closure(found, seen)
        return seen


class Writer:
    def __init__(self, files):
        self.files, self.out, self.emitted, self.number = (
            files,
            [],
            {"include/bpfengine.h": [()]},
            {},
        )
        self.tables, self.once = {}, set()

    def names_for(self, path):
        """What names become in a file: its own and those of what it includes.  A header without
        guard is text of the file that includes it."""
        if path not in self.tables:
            table, own = {}, self.unguarded(path)
            for p in own:
                for name in text.includes(self.files.read(p)):
                    found = self.files.find(name, p)
                    if found in self.files.guarded and self.files.guarded[found] and found != path:
                        table.update(self.names_for(found))
            stem = re.sub(r"\W", "_", re.sub(r"^(src|arch)/", "", path).rsplit(".", 1)[0])
            for p in own:
                for key, new in text.renamed(
                    self.files.names[p], f"bpei_{stem}_{'h_' * path.endswith('.h')}"
                ).items():
                    if key[0] != "paste" or key not in table:
                        table[key] = new
            self.tables[path] = table
        return self.tables[path]

    def unguarded(self, path):
        out = [path]
        for name in text.includes(self.files.read(path)):
            found = self.files.find(name, path)
            if found in self.files.guarded and not self.files.guarded[found] and found != path:
                out += self.unguarded(found)
        return out

    def file(self, path, conditions, table=None, void=None):
        own = self.unguarded(path) if table is None else []
        if table is None:
            table = self.names_for(path)
        if void is None:
            void = self.files.void.union(*(text.void_functions(self.files.read(p)) for p in own))
        if (path, id(table)) in self.once:
            return
        toks = self.files.read(path)
        if path in self.files.templates:
            self.once.add((path, id(table)))
            toks = text.unguard(toks)
        self.out.append(f"\n/* ---- {path} ---- */\n")
        for kind, piece, inside in text.pieces(toks, self.files.guarded[path]):
            if kind == "include":
                self.include(
                    piece,
                    path,
                    conditions + (("inside", path, len(self.out)),) * inside,
                    table,
                    void,
                )
            elif kind == "system":
                self.out.append(
                    ""
                    if piece == "stdatomic.h"
                    else f"#pragma GCC visibility pop\n#include <{piece}>\n#pragma GCC visibility push(hidden)\n"
                )
            else:
                self.out.append(
                    text.rewrite(piece, table, self.files.enums, void, path, self.files.first)
                )

    def include(self, name, path, conditions, table, void):
        found = self.files.find(name, path)
        if self.files.guarded[found]:
            before = self.emitted.setdefault(found, [])
            if any(conditions[: len(b)] == b for b in before):
                return
            if any(c[0] == "target" for c in conditions):
                fail(f"{path}: {found} would be compiled for one target and called by others")
            before.append(conditions)
            self.file(found, conditions)
        else:
            self.file(found, conditions, table, void)
        self.out.append(f"/* ---- {path}, continued ---- */\n")

    def shared(self, path, conditions):
        """What a file for a target includes from outside of its folder: before the target
        begins, as others call it, too."""
        for kind, name, _ in text.pieces(self.files.read(path), self.files.guarded[path]):
            if kind == "system":
                self.out.append(
                    f"#pragma GCC visibility pop\n#include <{name}>\n#pragma GCC visibility push(hidden)\n"
                )
            elif kind == "include":
                found = self.files.find(name, path)
                if not self.files.guarded[found] or os.path.dirname(found) == os.path.dirname(path):
                    self.shared(found, conditions)
                else:
                    self.include(name, path, conditions, None, None)

    def guarded_by(self, conditions, emit, before="", after="", first=lambda: None):
        if conditions:
            self.out.append(
                f"\n#if {' && '.join(f'({predefined(c)})' if ' or ' in c else predefined(c) for c in conditions)}\n"
            )
        first()
        self.out.append(before)
        emit()
        self.out.append(after)
        if conditions:
            self.out.append("#endif\n")


def target(flags, path):
    """Compiler flags as a target for functions: text before and after them."""
    if not flags:
        return "", ""
    bad = [f for f in flags if not f.startswith("-m")]
    if bad:
        fail(f"{path}: flags {bad} cannot be said of single functions")
    t = ",".join(f[2:] for f in flags if "=" not in f)  # what is there, not how to tune
    return (
        f'#if defined(__clang__)\n#pragma clang attribute push(__attribute__((target("{t}"))), apply_to = function)\n'
        f'#else\n#pragma GCC push_options\n#pragma GCC target("{t}")\n#endif\n',
        "#if defined(__clang__)\n#pragma clang attribute pop\n#else\n#pragma GCC pop_options\n#endif\n",
    )


def backends(arch):
    """The macros of arch/arch_list.h: which backends are here, by system and CPU."""
    groups = {}
    for name, conditions, _, _ in arch:
        if name not in ("scalar", "cpu"):
            groups.setdefault(conditions, []).append(name)
    lines = []
    for conditions, names in groups.items():
        here = " && ".join(predefined(c) for c in conditions)
        lines.append(f"#if !defined(BPFENGINE_SCALAR) && {here}\n")
        lines += [f"#define BPEI_WITH_{name.upper()}\n" for name in names]
        lines.append("#endif\n")
    return "".join(lines).rstrip("\n")


def main():
    if (
        len(sys.argv) not in (2, 4)
        or sys.argv[1].startswith("-")
        or len(sys.argv) == 4
        and sys.argv[2] != "--depfile"
    ):
        sys.exit(__doc__)
    meson = Meson(TOP, fail)
    files, seen = Files(), set()
    core, arch = meson.core(), meson.arch()
    for path, _ in core:
        files.walk(path, seen)
    for _, conditions, sources, flags in arch:
        for path in sources:
            files.walk(path, seen)
    files.walk("include/bpfengine.h", seen)
    files.name_all()
    targets = [sources for _, _, sources, flags in arch if flags]
    files.mark_templates({os.path.dirname(path) for sources in targets for path in sources})
    w = Writer(files)
    public = open(os.path.join(TOP, "include/bpfengine.h"), encoding="utf-8").read()
    license_text = open(os.path.join(TOP, "LICENSE"), encoding="utf-8").read().strip()
    version = re.search(r'#define BPE_VERSION "([^"]+)"', public).group(1)
    head = open(os.path.join(TOP, "scripts/single_head.h"), encoding="utf-8").read()
    head = head.replace("@VERSION@", version).replace(
        "@LICENSE@", "\n * ".join(license_text.split("\n")).replace(" * \n", " *\n")
    )
    w.out.append(head.replace("@FEATURES@", features(meson, predefined, own=False)))
    api = re.search(r"#if defined\(__GNUC__\).*?#define BPE_API .*?#endif\n", public, re.S)
    if not api:
        fail("include/bpfengine.h does not define BPE_API as it did")
    w.out.append(
        public.replace(
            api.group(0),
            '#ifndef BPE_API\n#define BPE_API __attribute__((visibility("hidden")))\n#endif\n',
        ).split("\n", 1)[1]
    )
    start = open(os.path.join(TOP, "scripts/single_start.h"), encoding="utf-8").read()
    start = re.sub(r"\A(?:/\*.*?\*/\s*)+", "\n", start, flags=re.S)
    start = start.replace("@FEATURES@", features(meson, predefined, own=True))
    w.out.append(start.replace("@BACKENDS@", backends(arch)))
    w.file("arch/arch.h", ())
    w.emitted["arch/arch.h"] = [()]
    for path, conditions in core_order(core, arch):
        if isinstance(path, str):
            w.guarded_by(conditions, lambda: w.file(path, conditions))
        else:
            name, sources, flags = path
            before, after = target(flags, "arch/meson.build")

            # Headers first, outside of the target: the system's vector headers, and what all share.
            def emit():
                for source in sources:
                    w.file(source, conditions + (("target", tuple(flags)),) * bool(flags))

            def shared():
                if flags:
                    for source in sources:
                        w.shared(source, conditions)

            vector = name not in ("scalar", "cpu")
            if vector:
                w.out.append("\n#if !defined(BPFENGINE_SCALAR)\n")
            w.guarded_by(conditions, emit, before, after, shared)
            if vector:
                w.out.append("#endif\n")
    w.out.append(
        "\n#pragma GCC visibility pop\n#pragma GCC diagnostic pop\n#endif /* BPFENGINE_IMPLEMENTATION */\n"
    )
    result = re.sub(
        r"#pragma GCC visibility push\(hidden\)\n#pragma GCC visibility pop\n", "", "".join(w.out)
    )
    result = re.sub(r"\n{3,}", "\n\n", result)
    try:
        with open(sys.argv[1], "w", encoding="utf-8") as f:
            f.write(result)
    except OSError as e:
        fail(f"{sys.argv[1]}: {e.strerror}")
    if len(sys.argv) == 4:
        here = ["LICENSE", "meson.build", "src/meson.build", "arch/meson.build"] + [
            "scripts/single_" + n
            for n in ("meson.py", "text.py", "tokens.py", "cpp.py", "head.h", "start.h")
        ]
        read = [os.path.join(TOP, p).replace(" ", "\\ ") for p in sorted(files.tokens) + here]
        with open(sys.argv[3], "w", encoding="utf-8") as f:
            f.write(f"{sys.argv[1]}: {' '.join(read)}\n")


def core_order(core, arch):
    """The kernels first, whose names the engine calls; then the files as src/meson.build orders
    them."""
    return [
        ((name, sources, flags), conditions) for name, conditions, sources, flags in arch
    ] + core


def features(meson, predefined, own):
    """The feature macros by system: those for the system's headers, or our own."""
    lines = []
    for system, flags in meson.feature_macros().items():
        wanted = [f[2:].partition("=") for f in flags if f.startswith("-DBPEI_") == own]
        if not wanted:
            continue
        lines.append(f"#if {predefined(f'system == {system!r}')}\n")
        for name, _, value in wanted:
            lines.append(f"#ifndef {name}\n#define {name}{' ' + value if value else ''}\n#endif\n")
        lines.append("#endif\n")
    return "".join(lines).rstrip("\n")


if __name__ == "__main__":
    main()
