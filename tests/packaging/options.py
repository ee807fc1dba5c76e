# SPDX-License-Identifier: MIT
"""The options of bpfengine and bpfbench, asked from their tables.

The pages, the completions and --help are compared with these options.  A lister is the program
list_options.c, built once for each table.
"""

import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Option:
    """One option: names as typed (-i, --interface), whether it takes a value, accepted words."""

    def __init__(self, line):
        name, letters, value, words = line.split("\t")
        self.names = [] if name == "-" else ["--" + name]
        self.names += [] if letters == "-" else ["-" + letter for letter in letters]
        self.takes_value = value in ("value", "optional")
        self.is_optional = value == "optional"  # typed as --name=VALUE
        self.words = set() if words == "-" else set(words.split("|"))


def ask(lister):
    """Returns the options of a program's table."""
    lines = subprocess.run([lister], capture_output=True, text=True, check=True).stdout
    options = [Option(line) for line in lines.splitlines()]
    assert len(options) > 30 and options[0].names == ["--interface", "-i"], lines
    return options


def by_name(options):
    """Returns each name of an option as typed, with whether the option takes a value."""
    return {name: option.takes_value for option in options for name in option.names}


def of_choices(options):
    """Returns the accepted words of each option that has a list of words, by its first name, which
    ends in "=" if the value may be missing."""
    return {
        option.names[0] + "=" * option.is_optional: option.words
        for option in options
        if option.words
    }
