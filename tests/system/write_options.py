#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""write_options.py PROGRAM: values of the options about written files, and what is refused.

Needs no rights.  The last line counts the cases.
"""

from program import Cases, run

case = Cases()
SOURCE = ("-i", "synth:count=5")


def refused(words, says):
    """Runs the program with the words; it must refuse them and say so."""
    p = run(*SOURCE, *words, text=True)
    assert p.returncode == 2 and says in p.stderr, (words, p.returncode, p.stderr)


@case
def wrong_values_are_refused():
    for words, says in (
        (("--write", "x", "--rotate", "size=3"), "--rotate wants size=1G, every=1h or packets=N"),
        (("-w", "x", "--rotate", "size=1G,every=x"), 'not "every=x"'),
        (("-w", "x", "--rotate", "packets=0"), 'not "packets=0"'),
        (("-w", "x", "--rotate", "hour"), 'not "hour"'),
        (("-w", "x", "--keep", "free=10"), "--keep wants files=24, size=500G, age=7d or free=10%"),
        (("-w", "x", "--keep", "free=100%"), 'not "free=100%"'),
        (("-w", "x", "--keep", "files=0"), 'not "files=0"'),
        (("-w", "x", "--write-format", "cap"), "--write-format is pcapng, pcap or pcap-ns"),
        (("-w", "x", "--write-compression", "xz"), "is none, zstd, lz4 or gzip"),
        (("-w", "x", "--write-compression", "zstd:0"), 'not "zstd:0"'),
        (("-w", "x", "--write-compression", "none:3"), 'not "none:3"'),
        (("-w", "x", "--write-error", "wait"), "--write-error is stop or continue"),
        (("-w", "x", "--write-memory", "1K"), "--write-memory wants 4M to 64G"),
        (("-w", "x", "--sync", "0"), "--sync wants seconds above 0"),
        (("-w", "x", "--ledger=md5"), "--ledger takes no value, or sha256"),
        (("-w", "x", "--cutoff", "64K,after=all"), "--cutoff wants a size such as 64K"),
        (("-w", "x", "--cutoff", ",after=drop"), "--cutoff wants a size such as 64K"),
        (
            ("-w", "x", "--recorder", "30"),
            "--recorder wants a size from 1M, or a time with its unit",
        ),
        (("-w", "x", "--split", "port"), "--split is flow, host or process"),
        (("-w", "x", "--dedup", "-1"), "--dedup wants a time such as 50ms"),
        (("-w", "x", "-C", "0"), "-C wants millions of bytes, or a size with K, M or G"),
        (("-w", "x", "-G", "0"), "-G wants seconds, 1 or more"),
        (("-w", "x", "-W", "0"), "-W wants a number of files, 1 or more"),
        (("-w", "x", "--ring-buffer", "size:3"), "-b wants duration:, interval:, filesize:"),
        (("-w", "x", "-b", "files:100000"), 'not "files:100000"'),
        (("-w", "x", "-b", "nametimenum:3"), 'not "nametimenum:3"'),
        (("-w", "x", "-a", "filesize:0"), "-a filesize: wants kilobytes, 1 or more"),
        (("-w", "x", "-a", "files:x"), "-a files: wants a number of files, 1 or more"),
    ):
        refused(words, says)


@case
def options_about_files_want_a_file():
    for words in (
        ("--write-format", "pcap"),
        ("--write-compression", "zstd"),
        ("--rotate", "size=1G"),
        ("--keep", "files=3"),
        ("--write-error", "stop"),
        ("--write-memory", "8M"),
        ("--sync", "5"),
        ("--write-comment", "lab"),
        ("--write-hash",),
        ("--ledger",),
        ("--no-ledger",),
        ("--cutoff", "64K"),
        ("--recorder", "30s"),
        ("--trigger", "tcp"),
        ("--split", "flow"),
        ("--dedup", "0.1"),
        ("--anonymise", "key"),
    ):
        p = run(*SOURCE, *words, text=True)
        assert p.returncode == 2, (words, p)
        assert "add -w FILE" in p.stderr or "not in this build yet" in p.stderr, p.stderr


case.finish()
