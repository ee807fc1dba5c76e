#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tarball.py [--all]: tests a release's tarball, unpacked outside of any repository.

scripts/run.sh ends in a capture, and house_check.py works without git (readme.py types README).
--all adds an installation, the tests, the cross builds of FreeBSD and macOS with the port's list of
files, and the Homebrew formula's own steps.  Exit code 77 (skipped) where no release can be made.
"""

import hashlib, json, os, re, shutil, subprocess, sys, tarfile, tempfile, time
from options import TOP

ALL = "--all" in sys.argv
passed = failed = 0


def case(f):
    global passed, failed
    start = time.monotonic()
    try:
        f()
        passed += 1
    except Exception as e:  # every failure is told, and the others still run
        failed += 1
        print(f"FAILED {f.__name__}: {type(e).__name__}: {str(e)[-3000:]}")
    else:
        print(f"{f.__name__}: good, {time.monotonic() - start:.0f} s", flush=True)


def only_all(f):
    return case(f) if ALL else f


def run(*words, at=None, **env):
    p = subprocess.run(
        words,
        capture_output=True,
        text=True,
        cwd=at or tree,
        env=dict(os.environ, **env),
        timeout=1200,
    )
    assert p.returncode == 0, (
        f"{' '.join(words)}: {p.returncode}: {p.stdout[-1500:]} {p.stderr[-1500:]}"
    )
    return p.stdout


if subprocess.run(
    ["git", "-C", TOP, "cat-file", "-e", "HEAD:scripts/release.sh"], capture_output=True
).returncode:
    print(
        "no release can be made here: this is no git repository with scripts/release.sh in its HEAD"
    )
    sys.exit(77)
folder = tempfile.TemporaryDirectory()
tree = folder.name
out = os.path.join(folder.name, "release")
run(os.path.join(TOP, "scripts/release.sh"), "--output", out)
tarball = next(os.path.join(out, f) for f in os.listdir(out) if f.endswith(".tar.xz"))
with tarfile.open(tarball) as t:
    t.extractall(folder.name)
tree = os.path.join(folder.name, os.path.basename(tarball)[: -len(".tar.xz")])
assert subprocess.run(["git", "-C", tree, "rev-parse"], capture_output=True).returncode, (
    "the tarball lies in a repository"
)
COUNTED = '"read":50000,"delivered":50000'


@case
def readme_s_first_command():
    readme = open(os.path.join(tree, "README.md")).read()
    assert re.search(r"^    scripts/run\.sh ", readme, re.M)
    assert COUNTED in run("scripts/run.sh", "-i", "synth:count=50000", "--json", "--quiet")
    assert re.search(
        r"^[\d,]+ packets read, ", run("scripts/run.sh", "-i", "synth", "-t", "0.2"), re.M
    )


@only_all
def installed():
    root = os.path.join(folder.name, "root")
    run(
        "meson",
        "setup",
        "build-installed",
        "-Dtests=disabled",
        "-Dbpfnode=disabled",
        "--prefix",
        root,
        "--libdir",
        "lib",
    )
    run("ninja", "-C", "build-installed")
    run("meson", "install", "-C", "build-installed", "--no-rebuild")
    assert COUNTED in run(root + "/bin/bpfengine", "-i", "synth:count=50000", "--json", "--quiet")
    flags = run(
        "pkg-config", "--cflags", "--libs", "bpfengine", PKG_CONFIG_PATH=root + "/lib/pkgconfig"
    ).split()
    run("cc", "examples/basic_capture.c", "-o", "installed_capture", *flags)
    assert (
        len(run("./installed_capture", "synth", "10", LD_LIBRARY_PATH=root + "/lib").splitlines())
        == 10
    )
    for page in (
        "man1/bpfengine.1",
        "man3/bpfengine.3",
        "man7/bpfengine-filter.7",
        "man7/bpfengine-where.7",
    ):
        assert os.path.exists(f"{root}/share/man/{page}"), page
    run(sys.executable, "tests/packaging/lists.py", "--installed", root)
    # Each shell finds its completions by itself, where they were installed.
    found, shells = (
        dict(XDG_DATA_DIRS=root + "/share", PATH=root + "/bin:" + os.environ["PATH"]),
        [],
    )
    loader = "/usr/share/bash-completion/bash_completion"
    if os.path.exists(loader):
        shells.append("bash")
        assert "_bpfengine bpfengine" in run(
            "bash",
            "--norc",
            "-c",
            f"source {loader}; _completion_loader bpfengine; complete -p bpfengine",
            **found,
        )
    if shutil.which("zsh"):
        shells.append("zsh")
        assert run(
            "zsh",
            "-f",
            "-c",
            f"fpath=({root}/share/zsh/site-functions $fpath); autoload -Uz compinit; "
            "compinit -D -u; print $_comps[bpfengine] $_comps[bpfbench]",
        ).split() == ["_bpfengine", "_bpfbench"]
    if shutil.which("fish"):
        shells.append("fish")
        assert "--read-mode\t" in run(
            "fish", "-c", "complete -C'bpfengine --re'", **found, HOME=folder.name
        )
    print(f"  completions found by: {', '.join(shells)}")


@case
def the_house_without_git():
    told = run(sys.executable, "scripts/house_check.py")
    assert int(told.split()[0]) > 200 and "keep the rules" in told, told


@only_all
def the_tests():
    """Runs all but the longest tests, and those of the program and of devices.

    The latter depend on the load of the machine.
    """
    run("meson", "setup", "build-tests")
    run("ninja", "-C", "build-tests")
    p = subprocess.run(
        [
            "meson",
            "test",
            "-C",
            "build-tests",
            "--no-rebuild",
            "--print-errorlogs",
            "--no-suite",
            "system",
            "--no-suite",
            "device",
            "--no-suite",
            "stress",
            "--no-suite",
            "parity",
        ],
        capture_output=True,
        text=True,
        cwd=tree,
        timeout=1200,
    )
    told = subprocess.run(
        [sys.executable, "scripts/count_tests.py", "build-tests/meson-logs/testlog.json"],
        capture_output=True,
        text=True,
        cwd=tree,
    ).stdout
    last = told.strip().splitlines()[-1]
    print("  " + last)
    assert p.returncode == 0 and re.fullmatch(r"[1-9]\d+ passed, 0 failed(, \d+ skipped)?", last), (
        told + p.stdout[-3000:]
    )


@only_all
def cross_builds():
    kept = os.path.join(
        TOP, "build/cross"
    )  # the compiler, if it is there already: 80 MB that need not come twice
    os.makedirs(os.path.join(tree, "build/cross"), exist_ok=True)
    for name in os.listdir(kept) if os.path.isdir(kept) else []:
        if name.startswith("ziglang-") or name == "cache":
            os.symlink(os.path.join(kept, name), os.path.join(tree, "build/cross", name))
    told = run("scripts/cross.sh", "aarch64-macos", "x86_64-freebsd")
    print("  " + told.strip().replace("\n", "; "))
    assert told.count(": compiled and linked") == 2, told
    root = os.path.join(folder.name, "freebsd")
    run("meson", "install", "-C", "build/cross/x86_64-freebsd", "--no-rebuild", "--destdir", root)
    run(sys.executable, "tests/packaging/lists.py", "--installed", root + "/usr/local")


@only_all
def the_formula_s_steps():
    if not shutil.which("ruby"):
        return print("  ruby is not installed: the formula was not run")
    print(
        "  "
        + run(
            "ruby",
            os.path.join(TOP, "tests/packaging/formula.rb"),
            os.path.join(out, "homebrew/bpfengine.rb"),
            tarball,
            os.path.join(folder.name, "keg"),
        )
        .strip()
        .splitlines()[-1]
    )


folder.cleanup()
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
