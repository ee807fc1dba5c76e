#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python_wheel.py PROGRAM LIBRARY: the Python package is built and installed without network.

The sdist builds a wheel with a library of its own, out of one C file.  The wheel is installed in a
fresh virtual environment, and runs from a foreign folder.  Exit code 77 (skipped) where Python has
no venv or pip.
"""

import base64, hashlib, json, os, shutil, subprocess, sys, tarfile, tempfile, zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from pythoncase import LIBRARY, PACKAGE, Cases, report

for module in ("venv", "ensurepip"):
    try:
        __import__(module)
    except ImportError:
        print(f"SKIP: this Python has no {module}")
        sys.exit(77)

case = Cases()
folder = tempfile.TemporaryDirectory()
OUT = os.path.join(folder.name, "out")
FOREIGN = os.path.join(folder.name, "foreign")
os.mkdir(FOREIGN)
BACKEND = os.path.join(PACKAGE, "bpfengine_build.py")
PLAIN = {
    k: v for k, v in os.environ.items() if k not in ("BPFENGINE_LIBRARY", "PYTHONPATH", "CFLAGS")
}
# pip looks for no newer pip, asks nothing and finds no packages but the named.
PLAIN.update(PIP_NO_INDEX="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
PLAIN.update(PYTHONDONTWRITEBYTECODE="1", PIP_NO_CACHE_DIR="1")
SYNTH = "synth:count=3000,flows=200,seed=3"
PROBE = f"""
import json, sys
import bpfengine
flows = sum(1 for _ in bpfengine.flows("{SYNTH}"))
packets = sum(map(len, bpfengine.Capture("{SYNTH}")))
print(json.dumps([flows, packets, bpfengine.library_path(), bpfengine.build_info()]))
"""


def run(*words, **environment):
    done = subprocess.run(
        words,
        cwd=FOREIGN,
        env={**PLAIN, **environment},
        capture_output=True,
        text=True,
        timeout=1100,
    )
    assert done.returncode == 0, (words, done.stdout[-1500:], done.stderr[-1500:])
    return done.stdout


def make_environment(name):
    """A fresh virtual environment; returns its Python."""
    where = os.path.join(folder.name, name)
    run(sys.executable, "-m", "venv", where)
    return os.path.join(where, "bin", "python")


def check_installed(python):
    told, _ = report("-i", SYNTH)
    flows, packets, library, _ = json.loads(run(python, "-c", PROBE))
    assert packets == 3000 and flows == told["flows"]["opened"]
    assert os.path.dirname(python)[: -len("/bin")] in library, library


def read_record(path):
    """Proves the wheel's RECORD; returns the names in the wheel."""
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        record = next(n for n in names if n.endswith(".dist-info/RECORD"))
        lines = wheel.read(record).decode().splitlines()
        for line in lines:
            name, digest, size = line.rsplit(",", 2)
            if name == record:
                continue
            data = wheel.read(name)
            made = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert digest == "sha256=" + made and int(size) == len(data), line
        assert {line.rsplit(",", 2)[0] for line in lines} == names
    return names


@case
def a_wheel_of_a_built_library_is_reproducible():
    made = []
    for k in ("1", "2"):
        out = os.path.join(folder.name, "built" + k)
        name = run(sys.executable, BACKEND, "wheel", out, BPFENGINE_LIBRARY=LIBRARY).strip()
        with open(os.path.join(out, name), "rb") as f:
            made.append(f.read())
        names = read_record(os.path.join(out, name))
    assert made[0] == made[1] and "-py3-none-" in name and "any" not in name, name
    assert {"bpfengine/__init__.py", "bpfengine/py.typed", "bpfengine/_layout.py"} <= names
    assert any(n.startswith("bpfengine/libbpfengine.") for n in names)
    assert any(n.endswith(".dist-info/LICENSE") for n in names)


@case
def pip_installs_the_tree_with_a_named_library():
    python = make_environment("tree")
    version = run(python, "-m", "pip", "--version").split()[1]
    words = [python, "-m", "pip", "install", PACKAGE]
    if tuple(map(int, version.split(".")[:2])) >= (22, 1):
        run(*words, "--config-settings", f"library={LIBRARY}")
    else:
        run(*words, BPFENGINE_LIBRARY=LIBRARY)
    check_installed(python)
    shown = run(python, "-m", "pip", "show", "-f", "bpfengine")
    assert "bpfengine/py.typed" in shown and "Name: bpfengine" in shown
    run(python, "-m", "pip", "check")
    run(python, "-m", "pip", "uninstall", "-y", "bpfengine")
    left = subprocess.run([python, "-c", "import bpfengine"], cwd=FOREIGN, env=PLAIN)
    assert left.returncode == 1
    assert not os.path.exists(os.path.join(PACKAGE, "build")), "pip left files in the tree"


@case
def the_sdist_builds_its_own_library():
    if not shutil.which(os.environ.get("CC", "cc").split()[0]):
        print("the_sdist_builds_its_own_library: skipped: no C compiler")
        return
    name = run(sys.executable, BACKEND, "sdist", OUT).strip()
    path = os.path.join(OUT, name)
    with tarfile.open(path) as archive:
        names = [n.split("/", 1)[1] for n in archive.getnames()]
    assert {"PKG-INFO", "LICENSE", "README.md", "bpfengine_single.h", "pyproject.toml"} <= set(
        names
    )
    python = make_environment("sdist")
    # without optimization: the test is about the way, not about speed
    run(python, "-m", "pip", "wheel", "-w", OUT, path, CFLAGS="-O0")
    wheel = next(f for f in os.listdir(OUT) if f.endswith(".whl"))
    read_record(os.path.join(OUT, wheel))
    run(python, "-m", "pip", "install", os.path.join(OUT, wheel))
    check_installed(python)
    assert ", kernels=scalar" in json.loads(run(python, "-c", PROBE))[3]


@case
def what_is_missing_is_told():
    for environment, told in (
        ({"BPFENGINE_LIBRARY": "/none/libbpfengine.so"}, "/none/libbpfengine.so is no file"),
        ({"CC": "no-such-compiler"}, "no C compiler no-such-compiler"),
    ):
        done = subprocess.run(
            [sys.executable, BACKEND, "wheel", OUT],
            env={**PLAIN, **environment},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 1 and told in done.stderr, done.stderr
    lonely = os.path.join(folder.name, "lonely", "python")
    shutil.copytree(PACKAGE, lonely, ignore=shutil.ignore_patterns("__pycache__"))
    with open(os.path.join(lonely, "LICENSE"), "w") as f:
        f.write("MIT")
    done = subprocess.run(
        [sys.executable, os.path.join(lonely, "bpfengine_build.py"), "sdist", OUT],
        env=PLAIN,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 1 and "build in the project's tree" in done.stderr, done.stderr


folder.cleanup()
case.finish()
