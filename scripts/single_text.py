# SPDX-License-Identifier: MIT
"""C text for scripts/single_header.py: our sources cut into tokens, and the names they define.

Names without our prefix get a prefix (macros, tags, types, constants, static functions and
variables), so that nothing else appears in the file that takes the implementation.  Words of C11 or
C++17 alone are replaced by words that GCC and Clang have in both.  single_cpp.py does what C++ asks
for beside names.

The module knows the C of this project, not all of C.  The compilers of the test report mistakes.
"""

import re

import single_cpp
from single_tokens import closing, significant

TOKEN = re.compile(
    r"(?P<comment>/\*.*?\*/|//[^\n]*)"
    r"|(?P<directive>(?<![^\n])[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*)"
    r"|(?P<space>\s+)"
    r"|(?P<string>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+')"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)"
    r"|(?P<mark>->|\#\#|\.\.\.|<<=|>>=|[-+*/%&|^=!<>]=|\+\+|--|<<|>>|&&|\|\||.)",
    re.S,
)
INCLUDE = re.compile(r'[ \t]*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
# ArrowArray, ARROW_C_DATA_INTERFACE: the same in every library, and so never renamed
OURS = re.compile(r"bpei?_|BPEI?_|Arrow(?:Schema|Array)$|ARROW_")

# What C++ has as words of its own.
CPP_WORDS = frozenset(
    """alignas alignof and and_eq bitand bitor catch class compl constexpr const_cast decltype
    delete dynamic_cast explicit export friend mutable namespace new noexcept not not_eq nullptr
    operator or or_eq private protected public reinterpret_cast static_cast template this
    thread_local throw try typeid typename using virtual xor xor_eq""".split()
)
BOTH = {
    "_Static_assert": "BPEI_STATIC_ASSERT",
    "_Thread_local": "__thread",
    "restrict": "__restrict",
    "_Noreturn": "__attribute__((noreturn))",
    "_Alignof": "__alignof__",
    "_Alignas": "BPEI_ALIGNAS",
    "atomic_load_explicit": "BPEI_ATOMIC_LOAD",
    "atomic_store_explicit": "BPEI_ATOMIC_STORE",
    "atomic_init": "BPEI_ATOMIC_INIT",
    "memory_order_relaxed": "__ATOMIC_RELAXED",
    "memory_order_acquire": "__ATOMIC_ACQUIRE",
    "memory_order_release": "__ATOMIC_RELEASE",
}
SYSTEM_VOID = frozenset("malloc calloc realloc mmap memchr bsearch dlsym reallocarray".split())


def tokens(source):
    return [(m.lastgroup, m.group(0)) for m in TOKEN.finditer(source)]


def includes(toks):
    return [
        m.group(1)
        for kind, t in toks
        if kind == "directive"
        for m in [INCLUDE.match(t)]
        if m and m.group(1)
    ]


def brace_kind(words, i):
    """What the { at words[i] opens: "struct", "enum" or "other"."""
    j = i - 1
    if j >= 0 and words[j] in ("struct", "union"):
        return "struct"
    if j >= 0 and words[j] == "enum":
        return "enum"
    if j < 1 or not re.match(r"[A-Za-z_]\w*$", words[j]):
        return "other"
    j -= 1
    if words[j] == ")":  # struct ATTRIBUTE("x") name {
        while j > 0 and words[j] != "(":
            j -= 1
        j -= 2
    if j >= 0 and words[j] in ("struct", "union"):
        return "struct"
    return "enum" if j >= 0 and words[j] == "enum" else "other"


def static_macros(toks):
    """Macros that begin what is static, like INLINE."""
    return {
        m.group(1)
        for kind, t in toks
        if kind == "directive"
        for m in [re.match(r"[ \t]*#\s*define\s+(\w+)\s+static\b", t)]
        if m
    }


def type_words(toks):
    """Names where a type is likely: before another name or a star."""
    words = [toks[i][1] for i in significant(toks)]
    return {
        w
        for w, after in zip(words, words[1:])
        if re.match(r"[A-Za-z_]\w*$", w) and re.match(r"[A-Za-z_*]", after)
    }


def names(toks, static):
    """{kind: names} that the text defines for the whole of a file; static: macros that stand for
    it."""
    out = {
        "tag": set(),
        "constant": set(),
        "type": set(),
        "value": set(),
        "macro": set(),
        "paste": set(),
    }
    branches = []
    for kind, t in toks:
        if kind != "directive":
            continue
        word = re.match(r"[ \t]*#\s*(\w*)", t).group(1)
        if word.startswith("if"):
            branches.append("header" if "__has_include" in t else "")
        elif word == "else" and branches and branches[-1] == "header":
            branches[-1] = "instead"
        elif word == "endif" and branches:
            branches.pop()
        m = re.match(r"[ \t]*#\s*define\s+(\w+)(?:\(([^)]*)\))?", t)
        if not m or "instead" in branches:
            continue  # the names of a system's header that is not there
        out["macro"].add(m.group(1))
        parameters = [p.strip() for p in (m.group(2) or "").split(",")]
        out["paste"] |= {
            p
            for p in re.findall(r"(?<!#)\b([A-Za-z_]\w*)##", t)
            if p not in parameters and not re.search(r"##\s*" + p, t)
        }
    words = [toks[i][1] for i in significant(toks)]
    stack, i, start = [], 0, True
    while i < len(words):
        word = words[i]
        if word == "{":
            stack.append(brace_kind(words, i))
            if stack[-1] != "other" and words[i - 1] not in ("struct", "union", "enum"):
                out["tag"].add(words[i - 1])
            if stack[-1] == "enum":
                enum_constants(words, i, out["constant"])
        elif word == "}" and stack:
            stack.pop()
        elif not stack and start and word == "typedef":
            end = i
            depth = 0
            while words[end] != ";" or depth:
                depth += (words[end] == "{") - (words[end] == "}")
                end += 1
            out["type"].add(declared(words[i:end]))
        elif not stack and start and (word == "static" or word in static):
            statics(words, i + 1, out["value"])
        start = not stack and word in ("}", ";")
        i += 1
    return out


def enum_constants(words, i, out):
    j, first = i + 1, True
    depth = 0
    while words[j] != "}" or depth:
        if first and depth == 0:
            out.add(words[j])
        depth += (words[j] in "([") - (words[j] in ")]")
        first = words[j] == "," and depth == 0
        j += 1


def declared(words):
    """The name that a typedef or declaration without initializer gives."""
    flat, depth = [], 0
    for j, w in enumerate(words):
        if w == "(" and words[j + 1] == "*" and depth == 0:
            return words[j + 2]
        if w in "([{":
            depth += 1
        if depth == 0 and re.match(r"[A-Za-z_]", w) and w not in ("__attribute__", "typedef"):
            flat.append(w)
        if w in ")]}":
            depth -= 1
    return flat[-1]


def statics(words, i, out):
    """The names of one static declaration or definition whose specifiers begin at i."""
    last = None
    while True:
        w = words[i]
        if w == "(" and last in ("__attribute__", "BPEI_ALIGNED", "_Alignas"):
            i = closing([(0, x) for x in words], i, "(", ")")
            continue
        if w == "(" and words[i + 1] == "*":
            out.add(words[i + 2])
            last = None
            i = closing([(0, x) for x in words], i, "(", ")")
            i = closing([(0, x) for x in words], i, "(", ")")
            continue
        if w == "(":
            out.add(last)
            return
        if w == "{" and last is None:
            return
        if w == "{":  # the struct's own definition, or a function's body
            i = closing([(0, x) for x in words], i, "{", "}")
            continue
        if w in ("=", ";", ",", "["):
            if last:
                out.add(last)
            last, depth = None, 0
            while words[i] not in (",", ";") or depth:
                depth += (words[i] in "([{") - (words[i] in ")]}")
                i += 1
            if words[i] == ";":
                return
        elif re.match(r"[A-Za-z_]\w*$", w):
            last = w
        i += 1


def enums(toks):
    """{tag: integer type} as GCC and Clang choose it."""
    source = "".join(" " if kind in ("comment", "directive") else t for kind, t in toks)
    return {
        m.group(1): "int" if "-" in m.group(2) else "unsigned"
        for m in re.finditer(r"\benum\s+(\w+)\s*\{([^}]*)\}", source)
    }


def void_functions(toks):
    source = "".join(" " if kind in ("comment", "directive") else t for kind, t in toks)
    return set(
        re.findall(r"^(?:static\s+)?(?:inline\s+)?(?:const\s+)?void\s*\*\s*(\w+)\(", source, re.M)
    )


def renamed(found, prefix):
    out = {}
    for kind, listed in found.items():
        for name in listed:
            if name and not OURS.match(name):
                out[kind, name] = (prefix.upper() if name.isupper() else prefix) + name
    return out


def unguard(toks):
    """Without the #ifndef, #define and #endif of an include guard."""
    at = [i for i, (kind, _) in enumerate(toks) if kind == "directive"]
    return [t for i, t in enumerate(toks) if i not in (at[0], at[1], at[-1])]


def pieces(toks, guarded):
    """("text", tokens, _), ("include", name, inside #if), ("system", name, _), in order."""
    out, run, depth = [], [], -1 if guarded else 0
    for kind, t in toks:
        m = INCLUDE.match(t) if kind == "directive" else None
        if not m:
            if kind == "directive":
                word = re.match(r"[ \t]*#\s*(\w*)", t).group(1)
                depth += word.startswith("if")
                depth -= word == "endif"
            run.append((kind, t))
            continue
        out.append(("text", run, False))
        run = []
        out.append(
            ("include", m.group(1), depth > 0) if m.group(1) else ("system", m.group(2), False)
        )
    return out + [("text", run, False)]


def rewrite(toks, table, enum_types, void, path, first):
    toks = single_cpp.casts(
        single_cpp.any_calls(
            single_cpp.void_casts(
                single_cpp.addresses(single_cpp.requests(single_cpp.all_named(toks, first)), path)
            ),
            void | SYSTEM_VOID,
        )
    )
    out, stack, words = [], [], []
    order = significant(toks)
    following = {i: order[k + 1] for k, i in enumerate(order[:-1])}
    skip_to = -1
    for i, (kind, t) in enumerate(toks):
        if kind in ("comment", "space"):
            if not (kind == "comment" and "SPDX-License-Identifier" in t) and i >= skip_to:
                out.append(t)
            continue
        if kind == "directive":
            stand_in = re.match(r"[ \t]*#\s*ifndef\s+(\w+)\s*$", t)
            after = next((x for k, x in toks[i + 1 :] if k == "directive"), "")
            if (
                stand_in
                and ("macro", stand_in.group(1)) in table
                and re.match(rf"[ \t]*#\s*define\s+{stand_in.group(1)}\b", after)
            ):
                name = stand_in.group(1)  # ours only where the system has none
                out.append(f"#ifdef {name}\n#define {table['macro', name]} {name}\n#else")
                continue
            out.append(directive(t, table, enum_types, void, path))
            continue
        after = toks[following[i]][1] if i in following else ""
        previous = words[-1] if words else ""
        words.append(t)
        if i < skip_to:
            continue
        if t == "{":
            stack.append(brace_kind(words, len(words) - 1))
        elif t == "(":
            stack.append("paren")
        elif t in ("}", ")") and stack:
            stack.pop()
        if kind == "name":
            if t == "_Atomic" and after == "(":
                raise SystemExit(f"single_header: {path}: write _Atomic without brackets")
            if t == "_Atomic":
                if after in ("uint64_t", "int64_t"):
                    out.append("__attribute__((aligned(8)))")
                else:
                    skip_to = following[i]
                continue
            if t == "enum" and after in enum_types and toks[following[following[i]]][1] != "{":
                out.append(enum_types[after])
                words.append(after)
                skip_to = following[i] + 1
                words.pop()
                continue
            t = rename(t, previous, after, table, stack, path)
            if i and toks[i - 1][0] == "string":
                t = " " + t
        out.append(t)
    return "".join(out)


def constant_of(name, path):
    """A constant of the public header's enums, in a kernel."""
    return path.startswith("arch/") and re.match(r"BPE_(?:PROTO|TCP|E|END|DROP)_[A-Z0-9]+$", name)


def rename(name, previous, after, table, stack, path):
    if name in BOTH:
        return BOTH[name]
    if re.match(r"atomic_|memory_order_|_Generic$", name):
        raise SystemExit(
            f"single_header: {path}: {name} has no form here for both C and C++; see BOTH in single_text.py"
        )
    member = previous in (".", "->")
    if previous in ("struct", "union", "enum"):
        if ("tag", name) in table:
            return table["tag", name]
    elif ("macro", name) in table:
        return table["macro", name]
    elif not member:
        within = next((s for s in reversed(stack) if s != "paren"), "") if stack else ""
        field = within == "struct" and (stack[-1] == "struct" or previous == "*")  # or (*name)
        if ("type", name) in table and not (field and after in (";", ",", "[", ":", ")")):
            return table["type", name]
        if ("constant", name) in table or constant_of(name, path):
            new = table.get(("constant", name), name)
            return (
                f"(+{new})" if path.startswith("arch/") and within not in ("enum", "") else new
            )  # C++ has no vectors with enums
        if ("value", name) in table and not field:
            return table["value", name]
        for (kind, start), new in table.items():
            if kind == "paste" and name.startswith(start):
                return new + name[len(start) :]
    return name + "_" if name in CPP_WORDS else name


def directive(t, table, enum_types, void, path):
    word = re.match(r"[ \t]*#\s*(\w*)", t).group(1)
    if word in ("error", "pragma", "line"):
        return t
    head = re.match(r"[ \t]*#\s*\w*\s*", t).group(0)
    toks = tokens(t[len(head) :])
    if word == "define":
        toks = single_cpp.any_calls(single_cpp.void_casts(toks), void | SYSTEM_VOID)
    order = significant(toks)
    out, previous = [head], ""
    for i, (kind, piece) in enumerate(toks):
        if kind == "name" and previous != "defined" or kind == "name" and ("macro", piece) in table:
            if previous != "##" and word != "ifdef" or ("macro", piece) in table:
                piece = rename(piece, previous, "", table, [], path)
        out.append(piece)
        if kind not in ("space", "comment"):
            previous = piece if kind != "name" else toks[i][1]
    return "".join(out)


def first_members(toks):
    """{tag: its first member}, of structures."""
    source = "".join(" " if kind in ("comment", "directive") else t for kind, t in toks)
    return {
        m.group(1): m.group(2)
        for m in re.finditer(r"\bstruct\s+(\w+)\s*\{[^;{}(,\[]*?\b(\w+)\s*[;,\[]", source)
    }
