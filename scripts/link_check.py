#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""link_check.py BUILD | --self-test: proves the floors of scripts/layers.txt by the symbols of a
build's objects.

An include can hide a call upwards behind the public header; the linker's symbols cannot.  The
check reads with nm what each
object defines and needs, and finds:
  - circles of source files that need each other, unless circles.txt names the circle with its
  reason;
  - circles of folders;
  - edges from a folder to one on the same or a higher floor.
BUILD is a Meson build directory, built whole.  Sources that the system does not compile have no
edges.
"""

import collections, os, re, subprocess, sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read_floors(text):
    """Returns {folder: floor} of layers.txt."""
    rows = (line.split("#")[0].split() for line in text.split("\n"))
    return {words[0]: int(words[1]) for words in rows if words}


def read_circles(text):
    """Returns the circles that circles.txt allows, each a set of files."""
    rows = (line.split("#")[0].split() for line in text.split("\n"))
    return [set(words) for words in rows if words]


def find_circles(graph):
    """Returns the strongly connected components of more than one node (Tarjan's algorithm)."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on_stack:
                low[node] = min(low[node], index[other])
        if low[node] != index[node]:
            return
        component = set()
        while node not in component:
            component.add(stack.pop())
        on_stack.difference_update(component)
        if len(component) > 1:
            found.append(component)

    for node in list(graph):
        if node not in index:
            visit(node)
    return found


def list_sources():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True
    ).stdout.split()
    return [f for f in listed if f.endswith(".c") and not f.startswith("tests/")]


def source_of(object_path, build, sources):
    """Returns the object's source: Meson names an object by its source's path, with _ for /."""
    relative = os.path.relpath(object_path, build)
    folder = os.path.dirname(os.path.dirname(relative)) or "."
    name = os.path.basename(relative)[: -len(".o")]
    for source in sources:
        if os.path.relpath(source, folder).replace("/", "_") == name:
            return source
    return None


def read_symbols(build, nm):
    """({source: names it needs}, {name: sources that define it}) of the build's objects."""
    needs, homes = collections.defaultdict(set), collections.defaultdict(set)
    sources, seen = list_sources(), set()
    for folder, _, names in os.walk(build):
        for name in names:
            path = os.path.join(folder, name)
            source = source_of(path, build, sources) if name.endswith(".o") else None
            if not source or source in seen:
                continue
            seen.add(source)
            listed = subprocess.run([nm, "-P", path], capture_output=True, text=True).stdout
            for line in listed.split("\n"):
                words = line.split()
                if len(words) < 2:
                    continue
                if words[1] == "U":
                    needs[source].add(words[0])
                elif words[1].isupper():
                    homes[words[0]].add(source)
    return needs, homes, len(seen)


def join_edges(needs, homes):
    """Returns {source: {source that it needs: names}}."""
    edges = collections.defaultdict(lambda: collections.defaultdict(set))
    for source, names in needs.items():
        for name in names:
            places = homes.get(name, set())
            own = {p for p in places if os.path.dirname(p) == os.path.dirname(source)}
            if own or not re.match(r"_?(?:bpe|bench|cli|program)", name):
                places = own  # without a prefix: a program's own name, or the C library's
            if len(places) == 1 and source not in places:
                edges[source][next(iter(places))].add(name)
    return edges


def folder_of(path, floors):
    return max((f for f in floors if path.startswith(f + "/")), key=len, default="")


def check_edges(edges, floors, allowed):
    """Returns the violations, as lines to print."""
    bad = []
    for circle in find_circles({source: set(needed) for source, needed in edges.items()}):
        if not any(circle <= known for known in allowed):
            bad.append("a circle of files: " + " ".join(sorted(circle)))
    folders = collections.defaultdict(set)
    for source, needed in edges.items():
        here = folder_of(source, floors)
        for other, names in needed.items():
            there = folder_of(other, floors)
            if not here or not there or here == there:
                continue
            folders[here].add(there)
            if floors[there] >= floors[here]:
                some = " ".join(sorted(names)[:6])
                bad.append(f"{source} (floor {floors[here]}) needs {other}: {some}")
    for circle in find_circles(folders):
        bad.append("a circle of folders: " + " ".join(sorted(circle)))
    return bad


def self_test():
    floors = read_floors("src/low 1 # why\nsrc/high 2\n")
    allowed = read_circles("# why\nsrc/low/a.c src/low/b.c\n")
    cases = [
        ({"src/high/x.c": {"src/low/a.c": {"f"}}}, []),
        ({"src/low/a.c": {"src/low/b.c": {"f"}}, "src/low/b.c": {"src/low/a.c": {"g"}}}, []),
        ({"src/low/a.c": {"src/high/x.c": {"f"}}}, ["needs"]),
        (
            {"src/low/c.c": {"src/low/d.c": {"f"}}, "src/low/d.c": {"src/low/c.c": {"g"}}},
            ["circle of files"],
        ),
        (
            {"src/low/c.c": {"src/high/x.c": {"f"}}, "src/high/y.c": {"src/low/c.c": {"g"}}},
            ["needs", "circle of folders"],
        ),
    ]
    failed = 0
    for edges, told in cases:
        bad = check_edges(edges, floors, allowed)
        if len(bad) != len(told) or not all(any(t in b for b in bad) for t in told):
            failed += 1
            print("expected", told, "got", bad)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return failed


def main():
    if "--self-test" in sys.argv:
        sys.exit(1 if self_test() else 0)
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not os.path.exists(os.path.join(TOP, ".git")):
        print("SKIP: without git the sources are not known")
        sys.exit(77)
    floors = read_floors(open(os.path.join(TOP, "scripts/layers.txt")).read())
    allowed = read_circles(open(os.path.join(TOP, "scripts/circles.txt")).read())
    sys.setrecursionlimit(10000)
    needs, homes, objects = read_symbols(os.path.abspath(sys.argv[1]), os.environ.get("NM", "nm"))
    if objects < 100:
        sys.exit(f"link_check: only {objects} objects were found: is {sys.argv[1]} built?")
    bad = check_edges(join_edges(needs, homes), floors, allowed)
    print("\n".join(bad))
    print(f"{objects} objects, {len(bad)} violations")
    print(f"{0 if bad else 1} passed, {1 if bad else 0} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
