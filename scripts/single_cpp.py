# SPDX-License-Identifier: MIT
"""What C++17 asks for beside names, for scripts/single_text.py.

Where C turns a void pointer into another kind by itself, C++ wants to be told: results of functions
(BPEI_ANY), and plain variables that begin a declaration (a cast).  Initialisers name all members or
none.  The address of a compound literal becomes an argument that lives as long as the call.
"""

import re

from single_tokens import closing, significant


def all_named(toks, first):
    """struct x y = { "z", .a = 1 }: the first one named, too, as C++20 wants all or none."""
    order = significant(toks)
    insert = {}
    for k in range(len(order) - 7):
        w = [toks[j][1] for j in order[k : k + 8]]
        if (
            w[0] == "struct"
            and w[1] in first
            and w[3:5] == ["=", "{"]
            and toks[order[k + 5]][0] == "string"
            and w[6:8] == [",", "."]
        ):
            insert[order[k + 5]] = [
                ("mark", "."),
                ("name", first[w[1]]),
                ("space", " "),
                ("mark", "="),
                ("space", " "),
            ]
    return [t for i, tok in enumerate(toks) for t in insert.get(i, []) + [tok]]


def requests(toks):
    """struct ifreq r = { .ifr_x = y }: by assignment; C++ has no members like ifr_x in an
    initializer, which are macros for a path of several."""
    order = significant(toks)
    words = [toks[i][1] for i in order]
    replaced, drop = {}, set()
    for k in range(len(words) - 7):
        if words[k : k + 2] != ["struct", "ifreq"] or words[k + 3 : k + 6] != ["=", "{", "."]:
            continue
        end = closing([(0, w) for w in words], k + 4, "{", "}") - 1
        new, depth = [("mark", "{"), ("number", "0"), ("mark", "}"), ("mark", ";")], 0
        for j in range(k + 5, end):
            if depth == 0 and words[j] == "." and words[j - 1] in ("{", ","):
                new += [("space", " "), ("name", words[k + 2])]
            depth += (words[j] in "([{") - (words[j] in ")]}")
            new.append(("mark", ";") if depth == 0 and words[j] == "," else toks[order[j]])
        replaced[order[k + 4]] = new
        drop |= set(range(order[k + 4], order[end] + 1))
    return [t for i, tok in enumerate(toks) for t in replaced.get(i, [] if i in drop else [tok])]


def addresses(toks, path):
    """&(T){ x } as an argument: in C++ the address of something that goes, too late to matter,
    with the call."""
    order = significant(toks)
    words = [toks[i][1] for i in order]
    before, after, drop = {}, {}, set()
    for k in range(1, len(words) - 4):
        if (
            words[k] != "&"
            or words[k + 1] != "("
            or re.match(r"[\w)\]]", words[k - 1])
            and words[k - 1] != "return"
        ):
            continue
        end = closing([(0, w) for w in words], k + 1, "(", ")")
        if end >= len(words) or words[end] != "{" or words[end - 2] == ")":
            continue
        if words[k - 1] not in ("(", ","):
            raise SystemExit(
                f"single_header: {path}: the address of a compound literal that is no argument: give it a name"
            )
        last = closing([(0, w) for w in words], end, "{", "}") - 1
        drop |= {order[k], order[k + 1], order[end - 1], order[end]}
        before[order[k]] = [("name", "BPEI_ADDRESS"), ("mark", "(")]
        after[order[end - 1]] = [("mark", ",")]
        drop.add(order[last])
        after[order[last]] = [("mark", ")")]
    out = []
    for i, t in enumerate(toks):
        out += before.get(i, [])
        if i not in drop:
            out.append(t)
        out += after.get(i, [])
    return out


def void_casts(toks):
    """= (void *)x and return (void *)x, and x as a value or the address of NEON's loads and
    stores where x is a void pointer in this file, said to C++."""
    order = significant(toks)
    words = [toks[i][1] for i in order]
    before, after = {}, {}
    pointers = {
        words[k + 2]
        for k in range(len(words) - 3)
        if words[k : k + 2] == ["void", "*"] and words[k + 3] in (";", ",", ")", "=")
    }
    for k in range(1, len(words) - 2):
        neon = (
            re.match(r"v(ld|st)\dq?_(?:lane_)?([su])(\d+)$", words[k - 2])
            if words[k] in pointers and words[k - 1] == "("
            else None
        )
        if neon:
            before[order[k]] = [
                (
                    "mark",
                    "({}{}int{}_t *)".format(
                        "const " if neon[1] == "ld" else "", "u" if neon[2] == "u" else "", neon[3]
                    ),
                )
            ]
        if words[k] in pointers and words[k - 1] == "=" and words[k + 1] == ";":
            before[order[k]] = [("name", "BPEI_ANY"), ("mark", "(")]
            after[order[k]] = [("mark", ")")]
    for k in range(1, len(words) - 4):
        if words[k] != "(" or words[k - 1] not in ("=", "return"):
            continue
        j = k + 1 + (words[k + 1] == "const")
        if words[j : j + 3] != ["void", "*", ")"]:
            continue
        j += 3
        while words[j] in ("&", "*", "-", "+"):
            j += 1
        j = closing([(0, w) for w in words], j, "(", ")") if words[j] == "(" else j + 1
        while j < len(words) and words[j] in ("[", "(", ".", "->"):
            j = (
                closing([(0, w) for w in words], j, words[j], {"[": "]", "(": ")"}[words[j]])
                if words[j] in "[("
                else j + 2
            )
        before.setdefault(order[k], []).extend([("name", "BPEI_ANY"), ("mark", "(")])
        after.setdefault(order[j - 1], []).append(("mark", ")"))
    out = []
    for i, t in enumerate(toks):
        out += before.get(i, []) + [t] + after.get(i, [])
    return out


VECTOR_MEMORY = re.compile(r"_mm\d*_(maskz_|mask_)?(?:load([hl]_p)?|(store))\w*$")


def memory_argument(call):
    """Which argument of a vector load or store is the address."""
    mask, half, store = VECTOR_MEMORY.match(call).groups()
    return 0 if store else 2 if mask == "mask_" else 1 if mask or half else 0


def any_calls(toks, void):
    """Calls of functions that return a void pointer, in brackets that tell C++ what to do with
    it."""
    out, ends, opened, nulls = [], [], set(), set()
    order = significant(toks)
    following = {i: order[k + 1] for k, i in enumerate(order[:-1])}
    before = {order[k + 1]: i for k, i in enumerate(order[:-1])}
    for i, (kind, t) in enumerate(toks):
        previous = toks[before[i]][1] if i in before else ""
        if (
            kind == "name"
            and t in void
            and i in following
            and toks[following[i]][1] == "("
            and previous not in ("*", ".", "->", "##")
        ):
            out.append(("name", "BPEI_ANY"))
            out.append(("mark", "("))
            ends.append(closing(toks, following[i], "(", ")") - 1)
        out += [("name", "BPEI_ANY"), ("mark", "((void *)NULL)")] if i in nulls else [(kind, t)]
        if (
            kind == "name"
            and VECTOR_MEMORY.match(t)
            and i in following
            and toks[following[i]][1] == "("
        ):
            j, depth = following[i] + 1, 0
            for _ in range(memory_argument(t)):
                while depth or toks[j][1] != ",":
                    depth += (
                        (toks[j][1] in "([{") - (toks[j][1] in ")]}") if toks[j][0] == "mark" else 0
                    )
                    j += 1
                j += 1
            opened.add(j - 1)
        if i in opened:
            out += [("name", "BPEI_ANY"), ("mark", "(")]
            j, depth = i + 1, 0
            while j < len(toks) and (depth or toks[j][1] not in (",", ")")):
                depth += (
                    (toks[j][1] in "([{") - (toks[j][1] in ")]}") if toks[j][0] == "mark" else 0
                )
                j += 1
            ends.append(j - 1)
        while ends and ends[-1] == i:
            out.append(("mark", ")"))
            ends.pop()
            k = following.get(i, 0)
            if toks[k][1] == ":" and toks[following[k]][1] == "NULL":
                nulls.add(following[k])
    return out


def casts(toks):
    """T *a = b, *c = d: with casts, as b and d may be void pointers."""
    order = significant(toks)
    words = [toks[i][1] for i in order]
    insert = {}
    for k in range(1, len(words) - 4):
        if not (words[k - 1] in "{};" or (words[k - 1] == "(" and words[k - 2] == "for")):
            continue
        j = k
        type_words = []
        while j < len(words) and words[j] in ("const", "static"):
            type_words += [words[j]] * (words[j] == "const")
            j += 1
        if words[j] in ("struct", "union"):
            type_words.append(words[j])
            j += 1
        if not re.match(r"[A-Za-z_]\w*$", words[j]) or words[j] in (
            "return",
            "goto",
            "sizeof",
            "else",
            "do",
            "case",
        ):
            continue
        type_words.append(words[j])
        j += 1
        if words[j] == "const":
            type_words.append("const")
            j += 1
        if words[j] != "*":
            continue
        while True:
            stars = ""
            while words[j] in ("*", "const"):
                stars += words[j] if words[j] == "*" else " const "
                j += 1
            if not re.match(r"[A-Za-z_]\w*$", words[j]):
                break
            j += 1
            if words[j] == "=":
                first = j + 1
                depth = 0
                while words[j] not in (",", ";") or depth:
                    depth += (words[j] in "([{") - (words[j] in ")]}")
                    j += 1
                value = words[first:j]
                plain = (
                    re.match(r"[A-Za-z_]\w*(?:(?:->|\.)[A-Za-z_]\w*)*$", "".join(value))
                    and value[0] != "NULL"
                )
                if stars and plain:
                    insert[order[first]] = type_words + [f"{stars.strip()}"]
            if words[j] != ",":
                break
            j += 1
    out = []
    for i, tok in enumerate(toks):
        if i in insert:
            out.append(("mark", "("))
            for n, w in enumerate(insert[i]):
                if n:
                    out.append(("space", " "))
                out.append(("name" if re.match(r"\w", w) else "mark", w))
            out.append(("mark", ")"))
        out.append(tok)
    return out
