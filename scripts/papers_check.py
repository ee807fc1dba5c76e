# SPDX-License-Identifier: MIT
"""What house_check.py asks of the papers (ARCHITECTURE.md, CONTRIBUTING.md, docs/ and the like).

- the drawings in ARCHITECTURE.md are those that draw_floors.py makes from layers.txt and
  packet_way.txt;
- ARCHITECTURE.md names every folder of src, arch, tests and the tree's top;
- every path that a paper names is in the tree (CHANGELOG.md excepted: it tells of the past; so are
  the commands of README.md, which name what the commands before them made);
- every link leads to a file of the tree, and to a heading that is there;
- every name in backquotes that is of the code, or one identifier alone, occurs in the sources.
"""

import fnmatch
import posixpath
import re

import draw_floors

PAPERS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md")
TOPS = "src|arch|include|tests|bench|scripts|docs|man|packaging|examples|.ci|.github"
PATH = re.compile(r"(?<![\w./-])((?:" + TOPS.replace(".", r"\.") + r")/[\w./*-]*\w)(?![\w<])")
QUOTED = re.compile(r"`([^`\n]+)`")
NAME = re.compile(r"\b(?:bpei?_[a-z0-9_]+|BPEI?_[A-Z0-9_]+)\b(?!\*)")
ALONE = re.compile(r"^([A-Za-z]\w+)(?:\(\))?$")  # one identifier, as a function's name
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)")
COMMAND = re.compile(r"^ {4}.*", re.M)  # in README: names files that the commands before it made
STAND_IN = re.compile(r"\b(?:NAME|X)\b")  # of a file that a reader is to write


def is_paper(path):
    return path in PAPERS or (path.startswith("docs/") and path.endswith(".md"))


def folders_of(files):
    """The folders that ARCHITECTURE.md has to name."""
    found = set()
    for path in files:
        parts = path.split("/")[:-1]
        if parts:
            found.add(parts[0])
        if len(parts) > 1 and parts[0] in ("src", "arch", "tests"):
            found.add("/".join(parts[:2]))
        if len(parts) > 2 and parts[:2] == ["src", "tools"]:
            found.add("/".join(parts[:3]))
    return found


def blank_out(match):
    return " " * len(match.group(0))


def check_names(text, words, folders):
    """(offset, what) of the names in backquotes that no source has."""
    for quoted in QUOTED.finditer(text):
        names = {m.group(0) for m in NAME.finditer(quoted.group(1))}
        names |= set(ALONE.findall(quoted.group(1)))
        for name in sorted(names - words - folders):
            if not name.endswith("_"):
                yield quoted.start() + 1, f"{name} is in no source"


def check_paths(text, files, folders):
    """(offset, what) of the paths that are not in the tree."""
    for m in PATH.finditer(text):
        path = m.group(1)
        if path in files or path in folders or STAND_IN.search(path):
            continue
        if "*" not in path or not fnmatch.filter(files, path):
            yield m.start(1), f"{path} is not in the tree"


def anchors_of(text):
    """The names by which a link reaches the headings of a paper."""
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def check_links(path, text, files, folders, read):
    """(offset, what) of the links to files or headings that are not there."""
    for m in LINK.finditer(text):
        to = posixpath.normpath(posixpath.join(posixpath.dirname(path), m[1])) if m[1] else path
        if to not in files and to not in folders:
            yield m.start(), f"a link to {to}, which is not in the tree"
        elif m[2] and m[2] not in anchors_of(read(to)):
            yield m.start(), f"a link to the heading {m[2]}, which {to} does not have"


def check_architecture(text, layers, way, files):
    """(offset, what) of drawings that are out of date, and of folders that have no place."""
    try:
        if draw_floors.fill_paper(text, layers, way) != text:
            yield 0, "a drawing is out of date: scripts/draw_floors.py --write"
    except ValueError as error:
        yield 0, str(error)
    for folder in sorted(folders_of(files)):
        if not re.search(r"(?<![\w./])" + re.escape(folder) + r"(?![\w/.])", text):
            yield 0, f"the folder {folder} is not named"


def check_papers(files, read):
    """[(path, line, what)] for all papers; read gives the text of a file."""
    folders = {path[: m.start()] for path in files for m in re.finditer("/", path)}
    sources = [f for f in files if f.endswith((".c", ".h", ".map", ".build", ".py", ".sh"))]
    words = set(re.findall(r"\w+", "\n".join(read(f) for f in sources)))
    bad = []
    for path in sorted(filter(is_paper, files)):
        text = read(path)
        named = COMMAND.sub(blank_out, text) if path == "README.md" else text
        found = [*check_paths(named, files, folders), *check_names(text, words, folders)]
        found += check_links(path, text, files, folders, read)
        if path == draw_floors.PAPER:
            layers, way = read("scripts/layers.txt"), read("scripts/packet_way.txt")
            found += check_architecture(text, layers, way, files)
        bad += [(path, text.count("\n", 0, at) + 1, what) for at, what in found]
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > 100:
                bad.append((path, number, "a line of more than 100 columns"))
    return bad


def self_test():
    """The faults that were planted and not found."""
    files = {"src/flow/a.c", "tests/x.c", "scripts/layers.txt", "scripts/packet_way.txt"}
    layers = "src/flow 4 # the table\n"
    way = "step reader src/flow # counts\n"
    marks = "<!-- {} -->\n```text\n```\n<!-- end -->\n"
    empty = marks.format("floors") + marks.format("way") + "`src`, `tests`, `scripts`: `bpe_f`\n"
    good = draw_floors.fill_paper(empty, layers, way)
    texts = {
        "src/flow/a.c": "int bpe_f;",
        "tests/x.c": "",
        "scripts/layers.txt": layers,
        "scripts/packet_way.txt": way,
    }
    failed = []
    for readme, told in (
        ("    ninja src/made\n", None),
        ("see src/made\n", "src/made is not"),
    ):
        found = check_papers({*files, "README.md"}, {**texts, "README.md": readme}.__getitem__)
        if told is None and found or told and not any(told in what for _, _, what in found):
            failed.append(f"papers: README: {told}: {found}")
    for paper, told in (
        (good, None),
        (empty, "out of date"),
        (good.replace("`tests`", ""), "folder tests"),
        (good + "see `src/flow/b.c`\n", "src/flow/b.c is not"),
        (good + "`bpe_g(x)`\n", "bpe_g is in no source"),
        (good + "`release`\n", "release is in no source"),
        (good + "src/flow/*.c, `src/NAME.c`, `bpe_*`\n", None),
        (good + "[a](src/flow/a.c) [b](#the-end)\n# The end\n", None),
        (good + "[b](src/flow/b.c)\n", "a link to src/flow/b.c"),
        (good + "[b](#nowhere)\n", "a link to the heading nowhere"),
        (good + "x" * 101 + "\n", "100 columns"),
        ("no marks", "no place"),
    ):
        all_texts = {**texts, "ARCHITECTURE.md": paper}
        found = check_papers(files | {"ARCHITECTURE.md"}, all_texts.__getitem__)
        if told is None and found or told and not any(told in what for _, _, what in found):
            failed.append(f"papers: {told}: {found}")
    return failed
