#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the wheel and the sdist of bpfengine: a backend of PEP 517, of the standard library alone.

By hand: bpfengine_build.py wheel|sdist [FOLDER].

A wheel carries the shared library for this platform.  `-C library=PATH` for pip, or
BPFENGINE_LIBRARY, names a built library.  Otherwise the C compiler (CC, or cc) builds the engine
out of one file, bpfengine_single.h.  The file lies in the sdist; in the project's tree
scripts/single_header.py makes it.  The library chooses its kernels by the CPU when it is loaded, so
a wheel runs on every CPU of its architecture.
"""

import base64
import contextlib
import hashlib
import io
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(HERE)
NAME = "bpfengine"
SINGLE = "bpfengine_single.h"
IS_MAC = sys.platform == "darwin"
LIBRARY = "libbpfengine.dylib" if IS_MAC else "libbpfengine.so"
PROGRAM = """#define BPE_API __attribute__((visibility("default")))
#define BPFENGINE_IMPLEMENTATION
#include "bpfengine_single.h"
"""


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


def find_version():
    text = read(HERE, NAME, "_layout.py").decode()
    return re.search(r'^VERSION = "([^"]+)"', text, re.M)[1]


def find_license():
    for folder in (HERE, TREE):
        if os.path.exists(os.path.join(folder, "LICENSE")):
            return read(folder, "LICENSE")
    raise SystemExit("bpfengine: LICENSE is missing: build in the project's tree or from the sdist")


def metadata():
    lines = (
        "Metadata-Version: 2.1",
        f"Name: {NAME}",
        f"Version: {find_version()}",
        "Summary: Captures packets and keeps flows, by the bpfengine library",
        "License: MIT",
        "Requires-Python: >=3.9",
        "Classifier: Operating System :: MacOS",
        "Classifier: Operating System :: POSIX :: Linux",
        "Classifier: Operating System :: POSIX :: BSD",
        "Classifier: Typing :: Typed",
        "Description-Content-Type: text/markdown",
    )
    return ("\n".join(lines) + "\n\n").encode() + read(HERE, "README.md")


def find_platform():
    """The platform's name in a wheel's tag."""
    if IS_MAC:
        return f"macosx_11_0_{platform.machine()}"
    name = sysconfig.get_platform()
    if name == "linux-x86_64" and sys.maxsize < 2**32:
        name = "linux-i686"
    return re.sub(r"[-. ]", "_", name).lower()


def find_tag():
    return f"py3-none-{find_platform()}"


@contextlib.contextmanager
def single_header():
    """The path of bpfengine_single.h: the sdist's, or made out of the tree."""
    own = os.path.join(HERE, SINGLE)
    script = os.path.join(TREE, "scripts", "single_header.py")
    if os.path.exists(own):
        yield own
        return
    if not os.path.exists(script):
        raise SystemExit(
            f"bpfengine: neither {own} nor {script} is there: build in the project's tree or from "
            "the sdist, or name a built library with -C library=PATH or BPFENGINE_LIBRARY"
        )
    with tempfile.TemporaryDirectory() as where:
        path = os.path.join(where, SINGLE)
        subprocess.run([sys.executable, script, path], check=True, stdout=sys.stderr)
        yield path


def compile_library(folder):
    """Builds the library in the folder, out of the single file."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if not shutil.which(compiler[0]):
        raise SystemExit(
            f"bpfengine: no C compiler {compiler[0]}: install one, set CC, or name a built library "
            "with -C library=PATH or BPFENGINE_LIBRARY"
        )
    source, out = os.path.join(folder, "library.c"), os.path.join(folder, LIBRARY)
    with open(source, "w") as f:
        f.write(PROGRAM)
    flags = ["-std=gnu11", "-O2", "-fPIC", "-pthread", "-shared"]
    if IS_MAC:
        flags = ["-std=gnu11", "-O2", "-pthread", "-dynamiclib", "-mmacosx-version-min=11.0"]
        flags += ["-arch", platform.machine(), "-install_name", f"@rpath/{LIBRARY}"]
    flags += shlex.split(os.environ.get("CFLAGS", ""))
    with single_header() as header:
        flags += ["-I", os.path.dirname(header)]
        subprocess.run([*compiler, *flags, source, "-o", out], check=True, stdout=sys.stderr)
    return read(out)


def get_library(settings):
    """The bytes of the library for the wheel."""
    named = (settings or {}).get("library") or os.environ.get("BPFENGINE_LIBRARY")
    if named:
        if not os.path.isfile(named):
            raise SystemExit(f"bpfengine: {named} is no file: it was named as the built library")
        return read(named)
    with tempfile.TemporaryDirectory() as folder:
        return compile_library(folder)


def list_modules():
    """The package's own files, by their names in the wheel."""
    found = sorted(os.listdir(os.path.join(HERE, NAME)))
    return [f"{NAME}/{f}" for f in found if f.endswith((".py", ".typed"))]


def write_wheel(path, files, info):
    """Writes a wheel out of {name: bytes}, with its RECORD; the same bytes for the same files."""
    record = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100755 if name.endswith(LIBRARY) else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}\n")
        record.append(f"{info}/RECORD,,\n")
        entry = zipfile.ZipInfo(f"{info}/RECORD", (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o100644 << 16
        wheel.writestr(entry, "".join(record))


def info_files(info):
    wheel = "Wheel-Version: 1.0\nGenerator: bpfengine_build\nRoot-Is-Purelib: false\n"
    return {
        f"{info}/METADATA": metadata(),
        f"{info}/WHEEL": (wheel + f"Tag: {find_tag()}\n").encode(),
        f"{info}/LICENSE": find_license(),
    }


# ---- The hooks of PEP 517 ----


def get_requires_for_build_wheel(config_settings=None):
    return []


def get_requires_for_build_sdist(config_settings=None):
    return []


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    info = f"{NAME}-{find_version()}.dist-info"
    for name, data in info_files(info).items():
        path = os.path.join(metadata_directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
    return info


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    version = find_version()
    info = f"{NAME}-{version}.dist-info"
    files = {name: read(HERE, name) for name in list_modules()}
    files[f"{NAME}/{LIBRARY}"] = get_library(config_settings)
    files.update(info_files(info))
    out = f"{NAME}-{version}-{find_tag()}.whl"
    write_wheel(os.path.join(wheel_directory, out), files, info)
    return out


def build_sdist(sdist_directory, config_settings=None):
    base = f"{NAME}-{find_version()}"
    files = {name: read(HERE, name) for name in list_modules()}
    for name in ("pyproject.toml", "README.md", "bpfengine_build.py"):
        files[name] = read(HERE, name)
    files["LICENSE"] = find_license()
    files["PKG-INFO"] = metadata()
    with single_header() as header:
        files[SINGLE] = read(header)
    out = f"{base}.tar.gz"
    with tarfile.open(os.path.join(sdist_directory, out), "w:gz", format=tarfile.PAX_FORMAT) as t:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(f"{base}/{name}")
            entry.size, entry.mode = len(data), 0o644
            t.addfile(entry, io.BytesIO(data))
    return out


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in ("wheel", "sdist"):
        sys.exit(__doc__)
    target = sys.argv[2] if len(sys.argv) == 3 else "."
    os.makedirs(target, exist_ok=True)
    print((build_wheel if sys.argv[1] == "wheel" else build_sdist)(target))
