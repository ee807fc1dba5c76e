# SPDX-License-Identifier: MIT
"""What scripts/single_header.py wants to know of the meson.build files: sources by condition,
flags, feature macros.

Of Meson's language it understands what these files use: if, elif, else and endif around
assignments of files(...), lists and dictionaries; foreach blocks and everything else are passed
over."""

import os, re


class Meson:
    def __init__(self, top, fail):
        self.top, self.fail = top, fail

    def statements(self, path):
        """(conditions, line) of each statement, a statement with open brackets joined to one
        line; none of foreach blocks."""
        source = open(os.path.join(self.top, path), encoding="utf-8").read()
        source = re.sub(r"^([^'#\n]*(?:'[^'\n]*'[^'#\n]*)*)#.*$", r"\1", source, flags=re.M)
        joined, depth = [""], 0
        for c in re.findall(r"'(?:\\.|[^'\\])*'|.|\n", source):
            if c in "([{":
                depth += 1
            if c in ")]}":
                depth -= 1
            if c == "\n" and depth == 0:
                joined.append("")
            else:
                joined[-1] += " " if c == "\n" else c
        stack, loops = [], 0
        for line in (l.strip() for l in joined):
            word = line.split(" ")[0] if line else ""
            if word == "foreach":
                loops += 1
            elif word == "endforeach":
                loops -= 1
            elif loops or not line:
                continue
            elif word == "if":
                stack.append([line[3:]])
            elif word == "elif":
                stack[-1] = [f"!({c})" if not c.startswith("!(") else c for c in stack[-1]] + [
                    line[5:]
                ]
            elif word == "else":
                stack[-1] = [f"!({c})" if not c.startswith("!(") else c for c in stack[-1]]
            elif word == "endif":
                stack.pop()
            else:
                yield tuple(c for s in stack for c in s), line

    def assigned(self, path, names):
        """(conditions, name, value) of assignments and additions to those names."""
        for conditions, line in self.statements(path):
            m = re.match(r"(\w+)\s*\+?=\s*(.*)$", line, re.S)
            if m and (names is None or m.group(1) in names):
                yield conditions, m.group(1), m.group(2)

    @staticmethod
    def files(value):
        return [
            f
            for call in re.findall(r"files\(([^)]*)\)", value)
            for f in re.findall(r"'([^']+)'", call)
        ]

    def core(self):
        """[(path, conditions)] of the core's sources."""
        out = [
            ("src/" + f, c)
            for c, _, v in self.assigned("src/meson.build", {"core_sources"})
            for f in self.files(v)
        ]
        if not out:
            self.fail("src/meson.build names no core_sources")
        return out

    def arch(self):
        """[(backend, conditions, paths, flags)]; "cpu" is what tells whether a CPU fits."""
        sources, flags, cpu, variables = [], {}, [], {}
        for conditions, name, value in self.assigned("arch/meson.build", None):
            if name == "arch_flags":
                for backend, listed in re.findall(r"'(\w+)':\s*\[([^\]]*)\]", value):
                    flags[backend] = re.findall(r"'([^']+)'", listed)
            elif name == "arch_sources":
                for backend, what in re.findall(r"'(\w+)':\s*(files\([^)]*\)|\w+)", value):
                    sources.append(
                        (
                            backend,
                            conditions,
                            variables[what] if what in variables else self.files(what),
                        )
                    )
            elif name == "arch_cpu_sources":
                m = re.match(r"(.*?)\s*\?\s*(files\(.*?\))\s*:\s*\[\]\s*$", value)
                cpu.append(
                    (
                        "cpu",
                        conditions + ((m.group(1),) if m else ()),
                        self.files(m.group(2) if m else value),
                    )
                )
            elif value.startswith("files("):
                variables[name] = self.files(value)
        if not sources or sources[0][0] != "scalar" or not all(paths for _, _, paths in sources):
            self.fail("arch/meson.build is not what scripts/single_meson.py understands")
        return [
            (b, c, ["arch/" + p for p in paths], flags.get(b, []))
            for b, c, paths in sources[:1] + cpu + sources[1:]
        ]

    def feature_macros(self):
        """{system: [flag, ...]}"""
        for _, _, value in self.assigned("meson.build", {"feature_macros"}):
            return {
                system: re.findall(r"'([^']+)'", listed)
                for system, listed in re.findall(r"'(\w+)':\s*\[([^\]]*)\]", value)
            }
        self.fail("meson.build has no feature_macros")
