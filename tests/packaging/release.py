#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""release.py: tests scripts/release.sh on this repository's HEAD.

Two releases have the same bytes, from two places and under other settings.  Every file has the
right sums.  Contradictory versions are refused.  Exit code 77 (skipped) without a repository.
"""

import filecmp, hashlib, os, re, shutil, subprocess, sys, tarfile, tempfile
from options import TOP

passed = failed = skipped = 0


def git(*words, at=TOP):
    return subprocess.run(["git", "-C", at, *words], capture_output=True, text=True)


def case(f):
    global passed, failed
    try:
        f()
        passed += 1
    except Exception as e:  # every failure is told, and the others still run
        failed += 1
        print(f"FAILED {f.__name__}: {type(e).__name__}: {e}")


def tool(name):
    global skipped
    if shutil.which(name):
        return case
    skipped += 1
    print(f"{name} is not installed: what it says was not asked for")
    return lambda f: f


def release(at, out, *words, **env):
    return subprocess.run(
        [
            "bash",
            "-c",
            f'umask {env.pop("UMASK", "022")}; exec "$@"',
            "bash",
            os.path.join(at, "scripts/release.sh"),
            "--output",
            out,
            *words,
        ],
        capture_output=True,
        text=True,
        env=dict(os.environ, **env),
        timeout=600,
    )


head = git("rev-parse", "HEAD")
if head.returncode or git("cat-file", "-e", "HEAD:scripts/release.sh").returncode:
    print(
        "no release can be made here: " + (head.stderr.strip() or "HEAD has no scripts/release.sh")
    )
    sys.exit(77)
folder = tempfile.TemporaryDirectory()
first, second, clone = (os.path.join(folder.name, n) for n in ("first", "second", "clone"))
subprocess.run(["git", "clone", "-q", "--no-hardlinks", TOP, clone], check=True)
git("checkout", "-q", "--detach", head.stdout.strip(), at=clone)
made = release(TOP, first)
if made.returncode:
    sys.exit(f"release.sh failed: {made.stderr}")
NAME = next(f for f in os.listdir(first) if f.endswith(".tar.xz"))[: -len(".tar.xz")]
path = lambda *names: os.path.join(first, *names)
sha256 = lambda p: hashlib.sha256(open(p, "rb").read()).hexdigest()


@case
def the_same_bytes():
    for key, value in (("core.autocrlf", "true"), ("tar.umask", "0077"), ("user.name", "Another")):
        git("config", key, value, at=clone)
    p = release(clone, second, UMASK="077", TZ="Asia/Tokyo", LC_ALL="C", XZ_OPT="-0", GZIP="-1")
    assert p.returncode == 0, p.stderr
    files = [os.path.relpath(os.path.join(d, f), first) for d, _, fs in os.walk(first) for f in fs]
    assert len(files) == 9, files
    for f in files:
        assert filecmp.cmp(path(f), os.path.join(second, f), shallow=False), f


@case
def the_revision_s_tree():
    when = int(git("show", "-s", "--format=%ct", "HEAD").stdout)
    wanted = dict(
        line.split("\t")[::-1] for line in git("ls-tree", "-r", "HEAD").stdout.splitlines()
    )
    for kind in ("gz", "xz"):
        with tarfile.open(path(f"{NAME}.tar.{kind}")) as t:
            members = t.getmembers()
        files = {m.name.removeprefix(NAME + "/"): m for m in members if m.isfile()}
        assert set(files) == set(wanted), set(files) ^ set(wanted)
        names = [m.name for m in members]
        assert all(n.startswith(NAME) for n in names) and len(names) == len(set(names))
        for name, m in files.items():
            assert m.mode == (0o755 if wanted[name].startswith("100755") else 0o644), (
                name,
                oct(m.mode),
            )
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {
            (when, 0, 0, "root", "root")
        }
    raw = open(path(f"{NAME}.tar.gz"), "rb").read(10)
    assert raw[3] == 0 and raw[4:8] == bytes(4), raw  # neither name nor time in gzip's own header


@case
def every_sum_is_right():
    for kind in ("gz", "xz"):
        text = open(path(f"{NAME}.tar.{kind}.sha256")).read()
        assert text == f"{sha256(path(f'{NAME}.tar.{kind}'))}  {NAME}.tar.{kind}\n", text
    tarball = path(NAME + ".tar.xz")
    formula = open(path("homebrew/bpfengine.rb")).read()
    assert re.findall(r'^  sha256 "(.*)"$', formula, re.M) == [sha256(tarball)] and re.findall(
        r'^  url "(.*)"$', formula, re.M
    )[0].endswith(f"/{NAME}.tar.xz")
    distinfo = open(path("freebsd/distinfo")).read()
    assert (
        f"SHA256 ({NAME}.tar.xz) = {sha256(tarball)}\n" in distinfo
        and f"SIZE ({NAME}.tar.xz) = {os.path.getsize(tarball)}\n" in distinfo
    ), distinfo
    assert set(os.listdir(path("freebsd"))) == {"Makefile", "distinfo", "pkg-descr", "pkg-plist"}


@case
def another_address():
    out = os.path.join(folder.name, "third")
    p = release(TOP, out, "--url", "https://example.org/files/")
    assert (
        p.returncode == 0
        and f'url "https://example.org/files/{NAME}.tar.xz"'
        in open(os.path.join(out, "homebrew/bpfengine.rb")).read()
    ), p.stderr
    assert re.search(
        r"^MASTER_SITES=\thttps://example\.org/files/$",
        open(os.path.join(out, "freebsd/Makefile")).read(),
        re.M,
    )


@tool("ruby")
def the_formula_is_ruby():
    for f in (path("homebrew/bpfengine.rb"), os.path.join(TOP, "packaging/homebrew/bpfengine.rb")):
        p = subprocess.run(["ruby", "-wc", f], capture_output=True, text=True)
        assert p.returncode == 0 and p.stdout == "Syntax OK\n" and not p.stderr, p.stderr


@tool("bmake")
def the_port_is_read_by_bmake():
    stub = os.path.join(folder.name, "mk")  # of FreeBSD's ports tree only what this file asks
    os.mkdir(stub)
    with open(os.path.join(stub, "bsd.port.mk"), "w") as f:
        f.write("DISTFILE=${PORTNAME}-${DISTVERSION}.tar.xz\n.MAIN: all\nall:\n")
    p = subprocess.run(
        [
            "bmake",
            "-r",
            "-m",
            stub,
            "-C",
            path("freebsd"),
            "-v",
            "DISTFILE",
            "-v",
            "MASTER_SITES",
            "-v",
            "COMMENT",
        ],
        capture_output=True,
        text=True,
    )
    assert p.returncode == 0 and not p.stderr, p.stderr
    distfile, sites, comment = p.stdout.splitlines()
    assert (
        distfile == NAME + ".tar.xz"
        and sites.endswith(f"/v{NAME.split('-')[1]}/")
        and 0 < len(comment) <= 70
        and not comment.endswith(".")
    ), p.stdout


@case
def no_release_of_what_disagrees():
    header = os.path.join(clone, "include/bpfengine.h")
    text = open(header).read()
    with open(header, "w") as f:
        f.write(re.sub(r'(#define BPE_VERSION )".*"', r'\1"9.9.9"', text))
    assert (
        git(
            "-c",
            "user.name=A",
            "-c",
            "user.email=a@example.org",
            "-c",
            "core.autocrlf=false",
            "commit",
            "-qam",
            "another version",
            at=clone,
        ).returncode
        == 0
    )
    p = release(clone, os.path.join(folder.name, "fourth"))
    assert p.returncode == 1 and "include/bpfengine.h says 9.9.9" in p.stderr, p.stderr
    assert not [f for f in os.listdir(folder.name) if f == "fourth"]


@case
def wrong_words():
    p = release(TOP, os.path.join(folder.name, "fifth"), "no-such-revision")
    assert p.returncode == 1 and "no revision no-such-revision" in p.stderr, p.stderr
    assert release(TOP, os.path.join(folder.name, "fifth"), "--nonsense").returncode == 2
    bare = os.path.join(folder.name, "bare/scripts")
    os.makedirs(bare)
    shutil.copy(os.path.join(TOP, "scripts/release.sh"), bare)
    p = release(os.path.dirname(bare), os.path.join(folder.name, "fifth"))
    assert p.returncode == 1 and "git repository" in p.stderr, p.stderr


folder.cleanup()
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or not passed else 0)
