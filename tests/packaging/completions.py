#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""completions.py BPFENGINE OPTIONS OPTIONS_OF_BENCH: asks the real bash, zsh and fish.

Compares what the shells offer with the options and words that the programs accept.  OPTIONS and
OPTIONS_OF_BENCH are the listers (options.py).  A missing shell is reported and counted as skipped.
"""

import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time

from options import TOP, ask, by_name, of_choices

PROGRAM = os.path.abspath(sys.argv[1])
FOLDER = os.path.join(TOP, "packaging/completions")
OPTIONS, BENCH = by_name(ask(sys.argv[2])), by_name(ask(sys.argv[3]))
CHOICES, BENCH_CHOICES = of_choices(ask(sys.argv[2])), of_choices(ask(sys.argv[3]))
passed = failed = skipped = 0


def ask_bash(words):
    """Returns what bash offers for the last word of the command line."""
    script = """source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _${COMP_WORDS[0]##*/}
        [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\\n' "${COMPREPLY[@]}" """
    parts = []
    for word in words:  # readline splits the line at "=" and ":" (COMP_WORDBREAKS)
        if word.startswith("--") and "=" in word:
            parts += [part for part in word.partition("=") if part]
        elif word.startswith("bpf:"):
            parts += [part for part in word.partition(":") if part]
        else:
            parts.append(word)
    p = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", f"{FOLDER}/{words[0]}.bash", *parts],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert not p.stderr, p.stderr
    return set(p.stdout.split("\n")) - {""}


class Zsh:
    """An interactive zsh behind a terminal; questions are typed."""

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
        """Returns the text that zsh has written once enough(text) is true."""
        shown, end = b"", time.monotonic() + 600
        while time.monotonic() < end:
            if select.select([self.terminal], [], [], 0.02)[0]:
                shown += os.read(self.terminal, 65536)
            text = open(self.offered).read() if os.path.exists(self.offered) else ""
            if enough(text):
                return text
        raise AssertionError(f"zsh does not answer: {text!r}, shown: {shown!r}")

    def ask(self, words):
        """Returns what zsh offers for the last word of the command line."""
        open(self.offered, "w").close()
        self.type(" ".join(words) + "\t")
        return set(self.until(lambda text: text.endswith("END\n")).split("\n")) - {"", "END"}

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def ask_fish(words):
    """Returns what fish offers for the last word of the command line."""
    script = f"source {FOLDER}/{words[0]}.fish; complete -C'{' '.join(words)}'"
    p = subprocess.run(
        ["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=600
    )
    assert p.returncode == 0 and not p.stderr, p.stderr
    return {line.split("\t")[0] for line in p.stdout.split("\n")} - {""}


def run_case(shell, case):
    """Runs one case, reports a failure and goes on."""
    global passed, failed
    try:
        case()
        passed += 1
    except Exception as error:
        failed += 1
        print(f"FAILED {shell}: {case.__name__}: {type(error).__name__}: {error}")


def expect_same(offered, accepted):
    assert offered == accepted, (
        f"offered and not accepted {sorted(offered - accepted)}, "
        f"accepted and not offered {sorted(accepted - offered)}"
    )


def without_equals(offered):
    """Returns the names without "=" at their end, and "#" as typed (zsh quotes the sign)."""
    return {word.rstrip("=").replace("\\#", "#") for word in offered}


def run_program(*words):
    return subprocess.run(
        [PROGRAM, *words], capture_output=True, text=True, check=True, timeout=600
    )


def values_offered(ask_shell, program, *words):
    """Returns the offered values of an option, without "--option=" and without earlier values."""
    offered = ask_shell((program,) + words)
    return {word.rpartition("=")[2].rpartition(",")[2] for word in offered}


class Suite:
    """The cases of one shell; each method that begins with "test_" is a case."""

    def __init__(self, ask_shell):
        self.ask = ask_shell

    def values(self, *words):
        return values_offered(self.ask, "bpfengine", *words)

    def test_every_option_is_offered(self):
        long_names = {name for name in OPTIONS if name.startswith("--")}
        expect_same(without_equals(self.ask(("bpfengine", "--"))), long_names)
        expect_same(without_equals(self.ask(("bpfengine", "-"))), set(OPTIONS))

    def test_beginning_of_an_option(self):
        beginning = {name for name in OPTIONS if name.startswith("--re")}
        expect_same(without_equals(self.ask(("bpfengine", "--re"))), beginning)

    def test_interfaces(self):
        listed = {line.split()[0] for line in run_program("-L").stdout.splitlines()}
        assert {"synth"} < listed, listed
        for words in (("-i", ""), ("--interface", ""), ("--interface=",)):
            expect_same(self.values(*words) - {"synth:"}, listed)
        expect_same(self.values("-i", "syn") - {"synth:"}, {"synth"})

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("one.pcapng", "two words.pcap"):
                open(os.path.join(folder, name), "w").close()
            for option in ("-r", "-F", "--read", "--flows"):
                offered = self.ask(("bpfengine", option, folder + "/on"))
                assert any(word.endswith("one.pcapng") for word in offered), option
            offered = self.ask(("bpfengine", "-r", folder + "/tw"))
            assert any(w.replace("\\", "").endswith("two words.pcap") for w in offered), offered

    def test_link_types(self):
        offered = self.values("-y", "")
        assert {"EN10MB", "RAW", "IEEE802_11_RADIO", "PKTAP", "LINUX_SLL2"} <= offered, offered
        for name in offered:
            run_program("-y", name, "-d", "len > 1")
        expect_same(self.values("--linktype", "EN"), {"EN10MB", "ENC"})

    def test_words_of_choices(self):
        """An option with a list of words offers exactly these words."""
        for option, words in CHOICES.items():
            typed = (option,) if option.endswith("=") else (option, "")
            expect_same(self.values(*typed), words)
        expect_same(self.values("--read-mode=th"), {"throughput"})

    def test_other_words_are_accepted(self):
        """Each word that is offered is accepted where the table has no list of words."""
        for option, example in (
            ("--workers", "-i synth:count=1"),
            ("--through", "-d tcp"),
            ("--bpf-abi", "-i synth:count=1"),
        ):
            offered = self.values(option, "")
            assert len(offered) > 1, option
            for word in offered:
                run_program("--quiet", option, word, *example.split())
        expect_same(self.values("--through", "vlan,gr"), {"gre"})

    def test_options_of_bpfbench(self):
        offered = self.ask(("bpfbench", "--")) | self.ask(("bpfbench", "-"))
        expect_same(without_equals(offered), set(BENCH))

    def test_words_of_bpfbench(self):
        expect_same(self.ask(("bpfbench", "")), {"stages", "loop", "compare"})
        for option, words in BENCH_CHOICES.items():
            expect_same(values_offered(self.ask, "bpfbench", option, ""), words)
        last = values_offered(self.ask, "bpfbench", "stages", "--stages", "walk,p")
        expect_same(last, {"parse", "pipeline"})
        assert "synth" in self.ask(("bpfbench", "-i", "s"))


def run_suite(shell, ask_shell):
    suite = Suite(ask_shell)
    for name in dir(suite):
        if name.startswith("test_"):
            run_case(shell, getattr(suite, name))


os.environ["PATH"] = os.path.dirname(PROGRAM) + os.pathsep + os.environ["PATH"]
for shell in ("bash", "zsh", "fish"):
    if not shutil.which(shell):
        skipped += 1
        print(f"{shell} is not installed: its completions were not asked for")
    elif shell == "zsh":
        zsh = Zsh()
        run_suite(shell, zsh.ask)
        zsh.close()
    else:
        run_suite(shell, ask_bash if shell == "bash" else ask_fish)
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed or not passed else 0)
