#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lists.py MESON BUILD | --installed FOLDER: compares the packages' lists with the installed files.

FreeBSD's pkg-plist has exactly the installed files; each file is in one of Debian's packages.
MESON BUILD: the files that Meson would install.  --installed: the files in a folder to which the
prefix was installed.
"""

import fnmatch, glob, json, os, re, subprocess, sys
from options import TOP

HTML = "share/doc/bpfengine/html/"  # where mandoc is; the port leaves them out
passed = failed = 0


def check(what, wrong):
    global passed, failed
    if wrong:
        failed += 1
        print(f"FAILED {what}: " + "; ".join(wrong))
    else:
        passed += 1


def by_meson(meson, build):
    run = lambda what: json.loads(
        subprocess.run(
            [*meson.split(), "introspect", what, build], capture_output=True, text=True, check=True
        ).stdout
    )
    prefix = next(o["value"] for o in run("--buildoptions") if o["name"] == "prefix")
    files = {os.path.relpath(path, prefix) for path in run("--installed").values()}
    sources = open(os.path.join(TOP, "src/meson.build")).read()
    soversion = re.search(r"^soversion = (\d+)$", sources, re.M).group(1)
    for path in sorted(files):  # the names that a library has beside its own
        if m := re.fullmatch(r"(.*/libbpfengine\.so)\.\d+\.\d+\.\d+", path):
            files |= {m[1], f"{m[1]}.{soversion}"}
    return files


def common(path):  # one name for what each system puts into a folder of its own
    path = re.sub(r"^lib(64)?/([a-z0-9_]+-[a-z0-9-]+/)?", "lib/", path)
    path = re.sub(r"^libdata/pkgconfig/", "lib/pkgconfig/", path)
    path = re.sub(r"^share/examples/bpfengine/", "share/doc/bpfengine/examples/", path)
    return re.sub(r"^(share/man/.*)\.gz$", r"\1", path)


if sys.argv[1] == "--installed":
    files = {
        os.path.relpath(os.path.join(d, f), sys.argv[2])
        for d, _, names in os.walk(sys.argv[2])
        for f in names
    }
else:
    files = by_meson(sys.argv[1], sys.argv[2])
installed = {common(f) for f in files}
check(
    "there is something to list",
    []
    if {
        "bin/bpfengine",
        "include/bpfengine.h",
        "include/bpfengine.hpp",
        "share/man/man1/bpfengine.1",
    }
    <= installed
    else sorted(installed),
)

makefile = open(os.path.join(TOP, "packaging/freebsd/Makefile")).read()
version = re.search(r"^DISTVERSION=\s*(\S+)$", makefile, re.M).group(1)
lines = [
    line
    for line in open(os.path.join(TOP, "packaging/freebsd/pkg-plist")).read().splitlines()
    if line and not line.startswith("@")
]
bare = [
    re.sub(r"^%%[A-Z0-9]+%%", "", line) for line in lines
]  # without the option that a file depends on
check("pkg-plist is in order, each line once", [] if bare == sorted(set(bare)) else ["it is not"])
plist = {common(line.replace("%%DISTVERSION%%", version)) for line in bare}
optional = {common(b) for b, line in zip(bare, lines) if b != line} | {HTML + "index.html"}
check(
    "packaging/freebsd/pkg-plist",
    [f"it lacks {f}" for f in sorted(installed - plist) if not f.startswith(HTML)]
    + [f"{f} is not installed" for f in sorted(plist - installed - optional)],
)

patterns = {}
for path in glob.glob(os.path.join(TOP, "packaging/debian/*.install")):
    for line in open(path):
        if words := line.split("#")[0].split():
            patterns[words[0].removeprefix("usr/")] = os.path.basename(path)
debian = {
    re.sub(r"^lib/(?=libbpfengine|pkgconfig|cmake|wireshark)", "lib/x86_64-linux-gnu/", f)
    for f in installed
}
owners = {
    f: {owner for pattern, owner in patterns.items() if fnmatch.fnmatch(f, pattern)} for f in debian
}
check(
    "each file is in one Debian package",
    [
        f"{f} is in {', '.join(sorted(o)) or 'none'}"
        for f, o in sorted(owners.items())
        if len(o) != 1
    ],
)
in_tree = {p for p in patterns if p.startswith("packaging/") and os.path.exists(f"{TOP}/{p}")}
check(
    "each Debian pattern finds a file",
    [
        f"{o}: {p}"
        for p, o in sorted(patterns.items())
        if not fnmatch.filter(debian | optional | in_tree, p)
    ],
)

meson_build = open(os.path.join(TOP, "meson.build")).read()
versions = {
    "meson.build": re.search(r"^  version: '([\d.]+)'", meson_build, re.M).group(1),
    "packaging/freebsd/Makefile": version,
    "include/bpfengine.h": re.search(
        r'^#define BPE_VERSION "(.*)"', open(os.path.join(TOP, "include/bpfengine.h")).read(), re.M
    ).group(1),
    "packaging/debian/changelog": re.match(
        r"bpfengine \((.*)-\d+\)", open(os.path.join(TOP, "packaging/debian/changelog")).read()
    ).group(1),
}
check(
    "one version",
    [] if len(set(versions.values())) == 1 else [f"{f} says {v}" for f, v in versions.items()],
)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
