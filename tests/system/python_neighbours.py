#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_neighbours.py PROGRAM LIBRARY: the Python package of an older or newer release over this
library.

Copies of the package get structures with a member less, or more, at the end.  Such copies must give
the same packets, flows and statistics.  A library that does not fit must be refused in a sentence.
"""

import json, os, re, shutil, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from pythoncase import ENVIRONMENT, PACKAGE, Cases

case = Cases()
folder = tempfile.TemporaryDirectory()
# Structures that grow, and the members that older copies lack.
GROWING = {
    "bpe_options": 4,
    "bpe_filter_options": 1,
    "bpe_stats": 2,
    "bpe_worker_stats": 2,
    "bpe_flow": 1,
    "bpe_batch": 1,
    "bpe_meta": 1,
    "bpe_protocol": 0,
    "bpe_interface": 0,
    "bpe_flow_question": 0,
}
PROBE = """
import json, sys
import bpfengine
SYNTH = "synth:count=3000,flows=200,seed=3"
out = {}
with bpfengine.Capture(SYNTH) as capture:
    batches = [(len(b), sum(b.wirelen), sum(map(len, b.data))) for b in capture]
    out["batches"] = batches
    out["read"] = capture.stats()["read_packets"]
flows, looked = [], []
with bpfengine.Engine(SYNTH, workers=0, fixed_seed=True, hash_seed=1, on_flow=flows.append,
                      on_batch=lambda b: looked.extend(p.flow() for p in b)) as engine:
    engine.run()
    stats = engine.stats()
    out["stats"] = {k: v for k, v in stats.items() if k.startswith(("flow", "deliv", "wire"))}
    out["worker"] = engine.worker_stats()[0]["packets"]
    out["protocols"] = engine.protocols()
    out["largest"] = [f.line() for f in engine.largest_flows(5)]
out["flows"] = [f.line("csv") for f in flows]
out["looked"] = [sum(f["packets"]) if f else 0 for f in looked]
out["filter"] = len(bpfengine.Filter("tcp port 80"))
out["interfaces"] = [i["name"] for i in bpfengine.interfaces()]
print(json.dumps(out))
"""


def run(package, body=PROBE, **environment):
    return subprocess.run(
        [sys.executable, "-c", body],
        env={**ENVIRONMENT, "PYTHONPATH": package, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


def copy_package(name, change):
    """A copy of the package with a changed _layout.py."""
    package = os.path.join(folder.name, name)
    shutil.copytree(os.path.join(PACKAGE, "bpfengine"), os.path.join(package, "bpfengine"))
    path = os.path.join(package, "bpfengine", "_layout.py")
    with open(path) as f:
        text = f.read()
    changed = change(text)
    assert changed != text
    with open(path, "w") as f:
        f.write(changed)
    return package


def edit_fields(text, structure, edit):
    """The layout with the list of a structure's members edited."""
    pattern = re.compile(
        rf"(class {structure}\(Structure\):\n    _fields_ = \[)(.*?)(\])\n\n", re.S
    )
    found = pattern.search(text)
    assert found, structure
    return text[: found.start(2)] + edit(found[2]) + text[found.end(2) :]


def drop_members(text):
    for structure, count in GROWING.items():
        for _ in range(count):
            text = edit_fields(text, structure, lambda f: f[: f.rstrip().rindex('("')])
    return text


def add_members(text):
    for structure in GROWING:
        text = edit_fields(
            text, structure, lambda f: f + ' ("later", c_uint64), ("last", c_uint32),'
        )
    return text


THIS = json.loads(run(PACKAGE).stdout)


@case
def an_older_package_gets_the_same():
    done = run(copy_package("older", drop_members))
    assert done.returncode == 0, done.stderr
    older = json.loads(done.stdout)
    assert len(older["flows"]) > 400 and older["read"] == 3000
    for name, value in older.items():
        if name == "stats":
            assert set(value.items()) <= set(THIS["stats"].items()), (value, THIS["stats"])
        else:
            assert value == THIS[name], (name, value, THIS[name])


@case
def a_newer_package_gets_the_same():
    package = copy_package("newer", add_members)
    done = run(package)
    assert done.returncode == 0, done.stderr
    newer = json.loads(done.stdout)
    for line in newer["protocols"]:
        assert line.pop("later") == line.pop("last") == 0
    assert newer == THIS
    done = run(package, "import bpfengine\nbpfengine.Capture('synth', later=7)")
    assert done.returncode == 1 and "newer" in done.stderr.splitlines()[-1], done.stderr


@case
def a_library_that_does_not_fit_is_refused():
    for name, change, told in (
        (
            "frozen",
            lambda t: edit_fields(t, "bpe_key", lambda f: f + ' ("more", c_uint64),'),
            "struct bpe_key has",
        ),
        (
            "required",
            lambda t: t.replace('"bpe_engine_open"', '"bpe_engine_unlock"'),
            "it has no bpe_engine_open",
        ),
    ):
        done = run(copy_package(name, change), "import bpfengine")
        last = done.stderr.splitlines()[-1]
        assert "LibraryError" in last and told in last and "one release" in last, done.stderr
    newer = copy_package("function", lambda t: t.replace('"bpe_filter_explain"', '"bpe_later"'))
    done = run(newer, "import bpfengine\nbpfengine.explain('tcp')")
    assert "has no bpe_filter_explain" in done.stderr and "older" in done.stderr, done.stderr


@case
def a_library_that_is_missing_is_told():
    text = os.path.join(folder.name, "text.so")
    with open(text, "w") as f:
        f.write("no library")
    for library in (text, os.path.join(folder.name, "none.so")):
        done = run(PACKAGE, "import bpfengine", BPFENGINE_LIBRARY=library)
        assert "cannot be loaded" in done.stderr.splitlines()[-1], done.stderr
    for library in ("libc.so.6", "libm.so.6", "/usr/lib/libSystem.B.dylib"):
        done = run(PACKAGE, "import bpfengine", BPFENGINE_LIBRARY=library)
        last = done.stderr.splitlines()[-1]
        assert "it has no bpe_version" in last or "cannot be loaded" in last, done.stderr
    # An error of import, so that programs can do without the package.
    body = "try:\n import bpfengine\nexcept ImportError as e: print(type(e).__name__)"
    assert run(PACKAGE, body, BPFENGINE_LIBRARY=text).stdout == "LibraryError\n"


folder.cleanup()
case.finish()
