# SPDX-License-Identifier: MIT
"""What single_text.py and single_cpp.py share: walking over tokens, (kind, text) each."""


def significant(toks):
    return [i for i, (kind, _) in enumerate(toks) if kind not in ("comment", "space", "directive")]


def closing(toks, at, opening, close):
    """Index behind the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(toks)):
        if toks[i][1] == opening:
            depth += 1
        elif toks[i][1] == close:
            depth -= 1
            if depth == 0:
                return i + 1
    return len(toks)
