#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""steps.py: what scripts/run.sh and scripts/test.sh say and do, with stand-ins for all tools.

PATH has the shell's tools and programs made here, so nothing is installed, configured or built: the
stand-in of apt-get makes meson, that of meson makes build.ninja, and that of ninja the program.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from options import TOP

TOOLS = "bash sh env uname dirname tail sed cut grep id mkdir head sort cat printf chmod getconf"
FAKES = {
    "cc": "exit 0",
    "pkg-config": "exit 0",
    "python3": "exit 0",
    "ninja": 'echo "one thing built"; mkdir -p build/src; '
    "printf '#!/bin/sh\\necho ran: $*\\n' >build/src/bpfengine; chmod 755 build/src/bpfengine",
    "meson": '[ "$1" != --version ] || { echo 1.3.0; exit 0; }; mkdir -p "$2"; : >"$2/build.ninja"',
}
passed = failed = 0


def case(f):
    """Runs the function as a case in a folder of its own."""
    global passed, failed
    with tempfile.TemporaryDirectory() as folder:
        tree, tools = os.path.join(folder, "tree"), os.path.join(folder, "bin")
        os.makedirs(tree + "/scripts")
        os.makedirs(tools)
        for name in ("run.sh", "test.sh", "steps.sh", "setup.sh"):
            shutil.copy(os.path.join(TOP, "scripts", name), tree + "/scripts")
        for name in TOOLS.split():
            os.symlink(shutil.which(name), os.path.join(tools, name))
        for name, body in FAKES.items():
            fake(tools, name, body)
        fake(tools, "uname", "echo Linux")
        try:
            f(tree, tools)
            passed += 1
        except Exception as e:  # a failure is told, and the other cases still run
            failed += 1
            print(f"FAILED {f.__name__}: {type(e).__name__}: {e}")


def fake(tools, name, body):
    """Makes a program of this name, in place of any other."""
    path = os.path.join(tools, name)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"#!/bin/sh\n{body}\n")
    os.chmod(path, 0o755)


def run(tree, tools, script, *words):
    """(exit code, stdout, stderr) of a script of the tree."""
    done = subprocess.run(
        [os.path.join(tools, "bash"), f"scripts/{script}", *words],
        cwd=tree,
        env={"PATH": tools},
        capture_output=True,
        text=True,
        timeout=550,
    )
    return done.returncode, done.stdout, done.stderr


@case
def run_says_each_step_and_ends_with_commands(tree, tools):
    code, out, err = run(tree, tools, "run.sh")
    assert code == 0 and out == "ran: -r examples/office.pcap\n", (code, out, err)
    lines = [line for line in err.splitlines() if line.startswith("run.sh: ")]
    steps = [line.split()[1] for line in lines]
    assert steps == ["checking", "configuring", "building", "running"], err
    assert "one thing built" not in err and "Try next" in err, err
    with open(tree + "/build/run.log", encoding="utf-8") as log:
        assert "one thing built" in log.read()
    code, out, err = run(tree, tools, "run.sh", "--json")
    assert code == 0 and out == "ran: --json\n" and "Try next" not in err, (code, out, err)
    assert "configuring" not in err, err


@case
def missing_tools_are_named_and_installed(tree, tools):
    meson = os.path.join(tools, "meson")
    os.rename(meson, meson + ".kept")
    fake(tools, "sudo", '"$@"')
    fake(tools, "apt-get", f'case "$*" in *install*) ln -s {meson}.kept {meson} ;; esac')
    os.symlink(shutil.which("ln"), os.path.join(tools, "ln"))
    code, out, err = run(tree, tools, "run.sh")
    assert code == 0 and "run.sh: installing meson\n" in err, (code, err)


@case
def libraries_that_a_build_does_without_stop_nothing(tree, tools):
    fake(tools, "pkg-config", '[ "$2" != libzstd ]')
    code, out, err = run(tree, tools, "run.sh")  # nothing installs
    assert code == 0 and "installing" not in err, (code, err)
    fake(tools, "sudo", '[ "$1" != -n ] || shift; "$@"')
    fake(tools, "env", 'shift; "$@"')
    fake(tools, "true", "exit 0")
    fake(tools, "apt-get", "echo no network; exit 100")
    code, out, err = run(tree, tools, "run.sh")
    assert code == 0 and "run.sh: installing libzstd-dev\n" in err, (code, err)
    assert out == "ran: -r examples/office.pcap\n", out


@case
def without_a_package_manager_the_tools_are_named(tree, tools):
    os.unlink(os.path.join(tools, "meson"))
    code, out, err = run(tree, tools, "run.sh")
    assert code == 1 and not out, (code, out)
    assert "no package manager" in err and "by hand (Debian's names): meson" in err, err
    assert "the whole log is build/run.log" in err, err


@case
def an_old_meson_gets_the_commands_for_a_newer(tree, tools):
    fake(tools, "meson", "echo 0.61.2")
    code, out, err = run(tree, tools, "run.sh")
    assert code == 1 and "Meson 0.61.2 is too old" in err and "pip install meson" in err, err


@case
def a_failed_build_shows_the_end_of_its_log(tree, tools):
    fake(
        tools, "ninja", "for i in 1 2 3 4 5 6 7 8 9; do echo fine $i; echo; done; echo bad; exit 1"
    )
    code, out, err = run(tree, tools, "run.sh")
    assert code == 1 and "    bad\n" in err and "fine 1" not in err, err
    assert err.endswith("run.sh: the whole log is build/run.log\n"), err
    code, out, err = run(tree, tools, "test.sh")
    assert code == 1 and out == "0 passed, 1 failed\n" and "no package manager" in err, (out, err)
    for name in ("cmake", "mandoc", "groff", "zsh", "fish"):
        fake(tools, name, "exit 0")
    code, out, err = run(tree, tools, "test.sh")
    assert code == 1 and out == "0 passed, 1 failed\n" and "    bad\n" in err, (code, out, err)


@case
def a_build_folder_of_another_is_told(tree, tools):
    with open(tree + "/build", "w", encoding="utf-8"):
        pass
    code, out, err = run(tree, tools, "run.sh")
    assert code == 1 and "cannot write to build" in err and "then try again" in err, err


@case
def an_unknown_word_of_setup_is_refused(tree, tools):
    code, out, err = run(tree, tools, "setup.sh", "test")
    assert code == 2 and "test is not known" in err, (code, err)


print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
