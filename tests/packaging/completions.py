#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""completions.py PROGRAM: asks the real bash, zsh and fish what they would offer, and holds it against what the program takes.

A shell that is not installed is told of and counted as skipped."""

import os, pty, select, shutil, subprocess, sys, tempfile, time
from options import TOP, of_bench, of_program

PROGRAM = os.path.abspath(sys.argv[1])
FOLDER = os.path.join(TOP, "packaging/completions")
OPTIONS = of_program()
BENCH = of_bench()
passed = failed = skipped = 0


def bash(words):
    script = """source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _${COMP_WORDS[0]##*/}
        [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "${COMPREPLY[@]}" """
    parts = []
    for w in words:  # as readline takes the line apart (COMP_WORDBREAKS)
        if w.startswith("--") and "=" in w:
            parts += [w.partition("=")[0], "="] + (
                [w.partition("=")[2]] if w.partition("=")[2] else []
            )
        elif w.startswith("bpf:"):
            parts += ["bpf", ":"] + ([w[4:]] if w[4:] else [])
        else:
            parts.append(w)
    p = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", f"{FOLDER}/{words[0]}.bash", *parts],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not p.stderr, p.stderr
    return set(p.stdout.split("\n")) - {""}


class Zsh:
    """One interactive zsh behind a terminal, asked by typing."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.offered = os.path.join(self.folder.name, "offered")
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.environ.update(
                OFFERED=self.offered,
                COMPLETIONS=FOLDER,
                TERM="dumb",
                ZDOTDIR=self.folder.name,
                LC_ALL="C",
            )
            os.execvp("zsh", ["zsh", "-f", "-i"])
        self.type(f"source {TOP}/tests/packaging/ask.zsh; print ready >$OFFERED\n")
        self.until(lambda text: text == "ready\nEND\n")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def until(self, enough):
        shown, end = b"", time.monotonic() + 20
        while time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.02)[0]:
                shown += os.read(self.terminal, 65536)
            text = open(self.offered).read() if os.path.exists(self.offered) else ""
            if enough(text):
                return text
        raise AssertionError(f"zsh does not answer: {text!r}, shown: {shown!r}")

    def ask(self, words):
        open(self.offered, "w").close()
        self.type(" ".join(words) + "\t")
        return set(self.until(lambda text: text.endswith("END\n")).split("\n")) - {"", "END"}

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def fish(words):
    p = subprocess.run(
        [
            "fish",
            "--no-config",
            "-c",
            f"source {FOLDER}/{words[0]}.fish; complete -C'{' '.join(words)}'",
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert p.returncode == 0 and not p.stderr, p.stderr
    return {line.split("\t")[0] for line in p.stdout.split("\n")} - {""}


def case(shell, name, f):
    global passed, failed
    try:
        f()
        passed += 1
    except Exception as e:  # every failure is told, and the others still run
        failed += 1
        print(f"FAILED {shell}: {name}: {type(e).__name__}: {e}")


def same(got, wanted):
    assert got == wanted, (
        f"offered and not taken {sorted(got - wanted)}, taken and not offered {sorted(wanted - got)}"
    )


def suite(shell, ask):
    def value(
        *words,
    ):  # what is offered for an option's value, without the option, = and commas before it
        return {w.rpartition("=")[2].rpartition(",")[2] for w in ask(("bpfengine",) + words)}

    def every_option():
        same(
            {w.rstrip("=") for w in ask(("bpfengine", "--"))},
            {o for o in OPTIONS if o.startswith("--")},
        )
        same({w.rstrip("=") for w in ask(("bpfengine", "-"))}, set(OPTIONS))

    def a_beginning():
        same(
            {w.rstrip("=") for w in ask(("bpfengine", "--re"))},
            {o for o in OPTIONS if o.startswith("--re")},
        )

    def interfaces():
        listed = {
            line.split()[0]
            for line in subprocess.run(
                [PROGRAM, "-L"], capture_output=True, text=True, check=True
            ).stdout.splitlines()
        }
        assert {"synth"} < listed, listed
        for words in (("-i", ""), ("--interface", ""), ("--interface=",)):
            same(value(*words) - {"synth:"}, listed)
        same(value("-i", "syn") - {"synth:"}, {"synth"})

    def files():
        with tempfile.TemporaryDirectory() as folder:
            for name in ("one.pcapng", "two words.pcap"):
                open(os.path.join(folder, name), "w").close()
            for option in ("-r", "-F", "--read", "--flows"):
                assert any(
                    w.endswith("one.pcapng") for w in ask(("bpfengine", option, folder + "/on"))
                ), option
            offered = {w.replace("\\", "") for w in ask(("bpfengine", "-r", folder + "/tw"))}
            assert any(w.endswith("two words.pcap") for w in offered), offered

    def link_types():
        offered = value("-y", "")
        assert {"EN10MB", "RAW", "IEEE802_11_RADIO", "PKTAP", "LINUX_SLL2"} <= offered, offered
        for name in offered:
            p = subprocess.run([PROGRAM, "-y", name, "-L"], capture_output=True, text=True)
            assert p.returncode == 0, p.stderr
        same(value("--linktype", "EN"), {"EN10MB", "ENC"})

    def words():
        for option, example in (
            ("--read-mode", "-i synth:count=1"),
            ("--overload", "-i synth:count=1"),
            ("--priority", "-i synth:count=1"),
            ("--direction", "-L"),
            ("--workers", "-i synth:count=1"),
            ("--through", "-d tcp"),
            ("--bpf-abi", "-i synth:count=1"),
        ):
            offered = value(option, "")
            assert len(offered) > 1, option
            if option != "--workers":  # numbers are taken that are not offered
                wrong = subprocess.run(
                    [PROGRAM, option, "nonsense", "-L"], capture_output=True, text=True
                ).stderr
                told = {w.strip('"') for w in wrong.split(", not ")[0].replace(",", " ").split()}
                if option != "--bpf-abi":
                    assert offered <= told, (offered, wrong)
            for word in offered:
                p = subprocess.run(
                    [PROGRAM, "-q", option, word, *example.split()],
                    capture_output=True,
                    text=True,
                    timeout=120,
                )
                assert p.returncode == 0, (option, word, p.stderr)
        same(value("--through", "vlan,gr"), {"gre"})
        same(value("--read-mode=th"), {"throughput"})

    def bench():
        same(
            {w.rstrip("=") for w in ask(("bpfbench", "--"))}
            | {w.rstrip("=") for w in ask(("bpfbench", "-"))},
            BENCH,
        )

    def bench_words():
        same(ask(("bpfbench", "")), {"stages", "loop", "compare"})
        same(ask(("bpfbench", "--read-mode", "")), {"auto", "throughput", "latency", "paced"})
        same(
            {w.rpartition(",")[2] for w in ask(("bpfbench", "stages", "--stages", "walk,p"))},
            {"parse", "pipeline"},
        )
        assert "synth" in ask(("bpfbench", "-i", "s"))

    for f in (
        every_option,
        a_beginning,
        interfaces,
        files,
        link_types,
        words,
        bench_words,
        *([bench] if BENCH else []),
    ):
        case(shell, f.__name__, f)


os.environ["PATH"] = os.path.dirname(PROGRAM) + os.pathsep + os.environ["PATH"]
for shell in ("bash", "zsh", "fish"):
    if not shutil.which(shell):
        skipped += 1
        print(f"{shell} is not installed: its completions were not asked for")
        continue
    if shell == "zsh":
        zsh = Zsh()
        suite(shell, zsh.ask)
        zsh.close()
    else:
        suite(shell, bash if shell == "bash" else fish)
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or not passed else 0)
