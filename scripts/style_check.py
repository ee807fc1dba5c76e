#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""style_check.py [--self-test | FOLDER...]: checks how the sources read; prints file:line: what.

Rules (CONTRIBUTING.md gives the reasons):
  width       a line has at most 100 columns (a tab counts 8), except for a string shown to a user
  choices     a statement has at most one ?:
  commas      no comma joins two assignments
  together    a declaration initialises one variable, or several with the same plain constant
  length      a function has at most 60 lines, and at most 7 parameters
  names       a file-local function has a verb and a noun, more than 4 letters, and one home
  first word  the comment before a function begins with a verb in the third person ("Returns")
  pronouns    at most 30 pronouns per 1,000 words of a file's comments
  sentences   a sentence of a comment has at most 25 words
The C sources are laid out by clang-format, so that a function begins and ends in column 1.
"""

import os, re, subprocess, sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WIDTH, FUNCTION_LINES, PARAMETERS, SENTENCE_WORDS, PRONOUNS_PER_1000 = 100, 60, 7, 25, 30
PRONOUNS = frozenset("one ones it its that those such who whom whose what".split())
NO_VERBS = frozenset("This Its Whose Those Always Unless Was Is Has Does As Plus Thus".split())
# The entry points of a library have required names or parameters (FUSE's ioctl has nine,
# CommonCrypto's CCCrypt, which s_crypt stands for, eleven, libmicrohttpd's answer eight).
ENTRY_POINTS = frozenset(
    {"main", "LLVMFuzzerTestOneInput", "answer_ioctl", "answer_request", "s_crypt"}
)
# A comment in a small file is judged from so many words on.
ENOUGH_WORDS = 60

# Lists of cases, longer than a function may be; each is to be parted by its cases.
LONG_LISTS = frozenset(
    {"measure_size", "check_filter_changes", "check_macos_features", "check_pktap"}
)

STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
FUNCTION = re.compile(
    r"^(?P<head>[A-Za-z_][^;{}=#]*?\))(?:\s+[A-Z][A-Z_]+)?\s*\n\{\n(?P<body>.*?)^\}", re.M | re.S
)


def blank_out(pattern, text):
    """The text with each match replaced by blanks, so that offsets and lines stay."""
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def strip_code(text):
    """The code alone: comments, strings, characters and directives are blank."""
    text = blank_out(COMMENT, blank_out(STRING, text))
    text = blank_out(re.compile(r"'(?:\\.|[^'\\\n])+'"), text)
    return blank_out(re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M), text)


def columns(line):
    return len(line.expandtabs(8))


def check_width(text):
    for number, line in enumerate(text.split("\n"), 1):
        if columns(line) <= WIDTH:
            continue
        without = STRING.sub('""', re.sub(r"'(?:\\.|[^'\\])*'", "''", line))
        longest = max((len(s) for s in STRING.findall(line)), default=0)
        if columns(without) > WIDTH or longest < 20:
            yield number, f"{columns(line)} columns"


def check_plain_width(text):
    """For texts of other languages than C: a word without blanks, and a string, may be long."""
    for number, line in enumerate(text.split("\n"), 1):
        if columns(line) <= WIDTH:
            continue
        if re.match(r"\s*(?:else |== )?[bfr]{0,2}[\"'].*[\"'],?$", line):
            continue  # a string alone
        longest = max(map(len, re.findall(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\S+", line)), default=0)
        if columns(line) - longest > WIDTH - 8:
            yield number, f"{columns(line)} columns"


CONTROL = re.compile(r"(?:else\s+)?(?:if|for|while|switch)\b")


def holds_data(code, at, piece):
    """True if the brace at `at` opens a list of an enum or initialiser, not a block of code."""
    if re.search(r"\benum\s*\w*$|[=,({\[]$|\breturn$", piece):
        return True
    own_line = not code[code.rfind("\n", 0, at) + 1 : at].strip()
    return piece.endswith(")") and not CONTROL.match(piece) and not own_line


def statements(code):
    """(offset, text) of each piece between ; { and }, outside of a for's brackets."""
    start = depth = data = 0
    for at, letter in enumerate(code):
        if letter == "{" and (data or holds_data(code, at, code[start:at].strip())):
            data += 1
        elif letter == "}" and data:
            data -= 1
        elif not data:
            depth += (letter in "([") - (letter in ")]")
            if letter in "{}" or (letter == ";" and depth <= 0):
                piece = code[start:at]
                yield start + len(piece) - len(piece.lstrip()), piece.strip()
                start = at + 1
                depth = 0 if letter in "{}" else depth


def outer_parts(statement):
    """The statement's parts between commas that no bracket holds."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(statement):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append(statement[start:at])
            start = at + 1
    return parts + [statement[start:]]


ASSIGNMENT = re.compile(
    r"^[^=!<>]*[^=!<>]=[^=]|^\s*(?:\+\+|--)|(?:\+\+|--)\s*$|[-+*/|&^%]=|<<=|>>="
)
DECLARATION = re.compile(
    r"^(?:(?:static|const|unsigned|signed|struct|enum|union|register|_Thread_local)\s+)*"
    r"[A-Za-z_]\w*[\s*]+(?:const\s+)?[A-Za-z_]\w*(?:\[[^\]]*\])*\s*(?:=|,|$)"
)
CONSTANT = re.compile(r"=\s*(?:-?\d\w*|NULL|false|true|[A-Z_][A-Z0-9_]*)\s*$")


def check_statements(text):
    code = strip_code(text)
    for offset, statement in statements(code):
        line = code.count("\n", 0, offset) + 1
        if statement.count("?") > 1:
            yield line, "two ?: in a statement"
        statement = re.sub(r"^(?:case [^:?]*|default|\w+)\s*:(?!:)", "", statement).strip()
        statement = re.sub(r"^(?:else|do)\b", "", statement).strip()
        control = re.match(r"(?:if|while|switch|for)\s*(?=\()", statement)
        if control:
            depth = 0
            for at in range(control.end(), len(statement)):
                depth += (statement[at] == "(") - (statement[at] == ")")
                if depth == 0:
                    break
            statement = statement[at + 1 :].strip()
        parts = outer_parts(statement.replace("->", "."))
        if len(parts) < 2 or statement.startswith(("[", ".", '"')):
            continue
        declares = DECLARATION.match(parts[0]) and not re.match(r"return\b|goto\b", parts[0])
        given = [p for p in parts if re.search(r"[^=!<>]=[^=]", p)]
        if declares and len(given) > 1 and len({p.split("=", 1)[1].strip() for p in given}) > 1:
            yield line, "a declaration initialises several variables"
        elif not declares and sum(bool(ASSIGNMENT.search(p)) for p in parts) > 1:
            yield line, "a comma joins assignments"


def functions(text):
    """(line, name, is static, parameters, lines) of each function that the text defines."""
    code = strip_code(text)
    for m in FUNCTION.finditer(code):
        head = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", m.group("head"), flags=re.S)
        named = re.search(r"([A-Za-z_]\w*)\s*\((.*)\)\s*$", head, re.S)
        if not named or re.match(r"(?:typedef|else|do)\b", head):
            continue
        parameters = [p for p in outer_parts(named.group(2)) if p.strip() not in ("", "void")]
        line = code.count("\n", 0, m.start() + m.group("head").rfind(named.group(1))) + 1
        local = bool(re.search(r"\bstatic\b|\bINLINE\b", head))
        yield line, named.group(1), local, len(parameters), m.group("body").count("\n")


def check_functions(text):
    for line, name, local, parameters, lines in functions(text):
        if lines > FUNCTION_LINES and name not in LONG_LISTS:
            yield line, f"{name} has {lines} lines"
        if parameters > PARAMETERS and name not in ENTRY_POINTS:
            yield line, f"{name} has {parameters} parameters"
        if local and name not in ENTRY_POINTS and ("_" not in name or len(name) < 5):
            yield line, f"{name} does not say what it does: verb_noun"


def comments(text):
    """(line, start, end, text) of each comment."""
    for m in COMMENT.finditer(blank_out(STRING, text)):
        body = re.sub(r"^[ \t]*/?\*+/?|\*/$|^//", " ", m.group(0), flags=re.M)
        body = re.sub(r"^ {5,}\S.*$", "", body, flags=re.M)  # a program shown in the comment
        yield text.count("\n", 0, m.start()) + 1, m.start(), m.end(), body


def check_comments(text):
    words = pronouns = 0
    for line, start, end, body in comments(text):
        if "SPDX" in body:
            continue
        found = re.findall(r"[A-Za-z']+", body)
        words += len(found)
        pronouns += sum(w.lower() in PRONOUNS for w in found)
        for sentence in re.split(r"[.;:!?](?=\s|$)|\n\s*\n", body):
            n = len(re.findall(r"[A-Za-z][A-Za-z']*", sentence))
            if n > SENTENCE_WORDS:
                yield line, f"a sentence of {n} words"
        after = text[end:] if text[text.rfind("\n", 0, start) + 1 : start] == "" else ""
        starts = re.match(r"\s*\n(?=[A-Za-z_])([^;{}#=]*?)\(", after)
        if starts and FUNCTION.match(strip_code(after).lstrip("\n ")) and found:
            first = found[0]
            if not re.match(r"[A-Z][a-z]+s$", first) or first in NO_VERBS:
                yield line, f'a function\'s comment begins with "{first}", not with a verb'
    if words >= ENOUGH_WORDS and 1000 * pronouns > PRONOUNS_PER_1000 * words:
        yield 1, f"{1000 * pronouns / words:.0f} pronouns per 1,000 words of comments"


def lane_operations(texts):
    """The names that arch/lanes' headers call and each vector backend defines for itself: these
    names are the contract of arch/lanes, so they are equal in all backends on purpose."""
    called = set()
    for path, text in texts.items():
        if path.startswith("arch/lanes/"):
            called |= set(re.findall(r"\b(\w+)\s*\(", strip_code(text)))
    return called


def is_backend(path):
    return path.startswith(("arch/x86_64/", "arch/arm64/"))


def check_names(texts):
    """Yields (path, line, what) for a file-local function's name that several files define."""
    homes = {}
    operations = lane_operations(texts)
    for path, text in texts.items():
        for line, name, local, *_ in functions(text):
            if local and name not in ENTRY_POINTS:
                homes.setdefault(name, {}).setdefault(path, line)
    for name, places in sorted(homes.items()):
        if name in operations and all(map(is_backend, places)):
            continue
        if len(places) > 1:
            for path, line in places.items():
                others = ", ".join(p for p in places if p != path)
                yield path, line, f"{name} is also in {others}"


def check_c(text):
    for rule in (check_width, check_statements, check_functions, check_comments):
        yield from rule(text)


PLANTED = [
    ("\t" + "x" * 90 + " y;\n", "columns"),
    ("int f_g(void)\n{\n\treturn a ? b : c ? d : e;\n}\n", "two ?:"),
    ("void f_g(void)\n{\n\ta = 1, b = 2;\n}\n", "comma joins"),
    ("void f_g(void)\n{\n\tif (x)\n\t\ta++, b = 2;\n}\n", "comma joins"),
    ("void f_g(void)\n{\n\tint a = f(x), b = g(y);\n}\n", "initialises several"),
    ("void f_g(void)\n{\n\tx = (struct a){ 1, 2 }, b = 2;\n}\n", "comma joins"),
    ("void f_g(void)\n{\n" + "\tf();\n" * 61 + "}\n", "61 lines"),
    ("void f_g(int a, int b, int c, int d, int e, int f, int g, int h)\n{\n}\n", "8 parameters"),
    ("static int put(void)\n{\n\treturn 0;\n}\n", "verb_noun"),
    ("/* Whose packets these are. */\nstatic int put_it(void)\n{\n\treturn 0;\n}\n", "a verb"),
    ("/* " + "one packet that " * 30 + ". */\n", "pronouns"),
    ("/* Returns " + "word " * 26 + ". */\n", "a sentence of 27"),
]
CLEAN = (
    "/* Returns the packet's length in bytes. */\n"
    "static int measure_packet(const char *a, int b)\n{\n"
    "\tint first = 0, last = 0;\n\tint sum = b ? 1 : 0;\n\n"
    "\tfor (int i = 0, n = 3; i < n; i++, sum++)\n\t\tfirst += call(a, b = 2);\n"
    '\treport("a text for a user that is longer than a hundred columns may stand on one line, '
    'since it is searched for", sum);\n'
    "\tenum { A = 1, B = 2 };\n\tstruct x y = { .a = 1, .b = 2 };\n"
    "\ty = (struct x){ .a = 1, .b = 3 };\n"
    "\treturn first + last + sum;\n}\n"
)


def self_test():
    failed = 0
    for text, told in PLANTED:
        if not any(told in what for _, what in check_c(text)):
            failed += 1
            print("not found:", repr(text[:60]), told)
    if list(check_c(CLEAN)):
        failed += 1
        print("clean text is refused:", list(check_c(CLEAN)))
    twice = {"a.c": CLEAN, "b.c": CLEAN}
    if len(list(check_names(twice))) != 2:
        failed += 1
        print("a name in two files is not found")
    backend = "static int load_row(void)\n{\n\treturn 0;\n}\n"
    lanes = {"arch/lanes/a.h": "int v = load_row();\n", "arch/x86_64/b.c": backend}
    if list(check_names(lanes | {"arch/arm64/c.c": backend})):
        failed += 1
        print("an operation of the lanes is refused in two backends")
    if len(list(check_names(lanes | {"src/c.c": backend}))) != 2:
        failed += 1
        print("an operation of the lanes outside of a backend is not found")
    print(f"{len(PLANTED) + 4 - failed} passed, {failed} failed")
    return failed


def list_files():
    try:
        listed = subprocess.run(
            ["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True
        ).stdout.split("\n")
    except (OSError, subprocess.CalledProcessError):  # a tarball
        listed = [
            os.path.relpath(os.path.join(folder, name), TOP)
            for folder, _, names in os.walk(TOP)
            for name in names
        ]
    return sorted(f for f in listed if f and not f.startswith("build"))


def main():
    if "--self-test" in sys.argv:
        sys.exit(1 if self_test() else 0)
    wanted = tuple(os.path.normpath(f) for f in sys.argv[1:])
    found, c_texts = [], {}
    for path in list_files():
        is_c = path.endswith((".c", ".h", ".cc", ".cpp", ".hpp"))
        if not is_c and not path.endswith((".py", ".sh", ".build", ".bash")) and path != ".ci/run":
            continue
        text = open(os.path.join(TOP, path), errors="replace").read()
        if is_c:
            c_texts[path] = text
        rule = check_c if is_c else check_plain_width
        found += [(path, line, what) for line, what in rule(text)]
    if not c_texts:
        sys.exit("style_check: no sources were found: nothing was checked")
    found += list(check_names(c_texts))
    if wanted:
        found = [
            f for f in found if f[0] in wanted or f[0].startswith(tuple(w + "/" for w in wanted))
        ]
    for path, line, what in sorted(found):
        print(f"{path}:{line}: {what}")
    print(f"{len(found)} violations" if found else "the sources keep the rules of style")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
