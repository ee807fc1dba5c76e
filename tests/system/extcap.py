#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""extcap.py PROGRAM: the calls of Wireshark's extcap(4), by hand and by tshark.

The cases with tshark are skipped where tshark is missing or finds no extcap; a live capture needs
rights.  The last line counts the cases.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

from program import PROGRAM, Cases, run

case = Cases()
WAIT = 550
LOOPBACK = "lo" if sys.platform.startswith("linux") else "lo0"
folder = tempfile.TemporaryDirectory()


def ask(*words):
    """Returns the answer to a call, which must be good and say nothing beside."""
    p = run(*words, text=True)
    assert p.returncode == 0 and not p.stderr, (words, p)
    return p.stdout


def sentences(text):
    """Returns each line as its word and the values in braces."""
    found = []
    for line in text.splitlines():
        assert re.fullmatch(r"[a-z]+ (\{[a-z]+=[^{}=]*\})+", line), line
        found.append((line.split()[0], dict(re.findall(r"\{([a-z]+)=([^{}]*)\}", line))))
    return found


@case
def interfaces_are_listed():
    for version in ((), ("--extcap-version=4.6",), ("--extcap-version", "4.0")):
        (first, about), *rest = sentences(ask("--extcap-interfaces", *version))
        assert first == "extcap" and re.fullmatch(r"\d+\.\d+\.\d+", about["version"]), about
        assert {word for word, _ in rest} == {"interface"}, rest
        values = [v["value"] for _, v in rest]
        assert "bpfengine-" + LOOPBACK in values and len(set(values)) == len(values), values
        assert not any("synth" in value for value in values), values


@case
def link_types_and_options_are_told():
    name = "bpfengine-" + LOOPBACK
    for words in (("--extcap-interface", name), (f"--extcap-interface={name}",)):
        ((word, link),) = sentences(ask("--extcap-dlts", *words))
        assert word == "dlt" and int(link["number"]) >= 0 and link["name"], link
        config = sentences(ask("--extcap-config", *words))
        assert [word for word, _ in config] == ["arg"] * len(config)
        calls = [v["call"] for _, v in config]
        assert calls[:3] == ["--promiscuous", "--snapshot-length", "--buffer-size"], calls
        assert [v["number"] for _, v in config] == [str(k) for k in range(len(config))]


@case
def filters_are_checked():
    words = ("--extcap-interface", "bpfengine-" + LOOPBACK, "--extcap-capture-filter")
    assert ask(*words, "tcp port 80") == ""
    assert ask(*words, "") == ""
    wrong = ask(*words, "tcp prt 80")
    assert "port" in wrong and len(wrong.splitlines()) == 1, wrong


@case
def wrong_calls_are_refused():
    name = ("--extcap-interface", "bpfengine-" + LOOPBACK)
    for words, code, says in (
        (("--extcap-dlts",), 2, "--extcap-interface NAME is missing"),
        (("--extcap-dlts", "--extcap-interface", "bpfengine-nowhere0"), 4, "no such interface"),
        (("--capture", *name), 2, "--capture wants --fifo"),
        ((*name,), 2, "--extcap-interface wants"),
        ((*name, "--extcap-config", "--color"), 2, "no option of an extcap call"),
        (("--extcap-interface",), 2, "wants a value"),
    ):
        p = run(*words, text=True)
        assert p.returncode == code and says in p.stderr, (words, p)


def read_fifo(path, into):
    with open(path, "rb") as fifo:
        into.append(fifo.read())


@case
def a_capture_fills_the_fifo():
    fifo = os.path.join(folder.name, "fifo")
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=read_fifo, args=(fifo, got), daemon=True)
    reader.start()
    p = run(
        *("--extcap-interface", "bpfengine-synth:count=500,vlan=50", "--capture", "--fifo", fifo),
        *("--extcap-capture-filter", "vlan", "--snapshot-length", "64", "--buffer-size=4096"),
        text=True,
    )
    reader.join(WAIT)
    assert p.returncode == 0 and got, p
    path = os.path.join(folder.name, "got.pcapng")
    with open(path, "wb") as out:
        out.write(got[0])
    counted = run("-r", path, "--count", "--quiet", text=True).stdout
    tagged = run("-r", path, "--count", "--quiet", "vlan", text=True).stdout
    assert counted == tagged and 150 < int(counted.split()[0]) < 350, counted


@case
def a_reader_that_leaves_ends_the_capture():
    fifo = os.path.join(folder.name, "left")
    os.mkfifo(fifo)
    words = ("--extcap-interface", "synth:rate=5000", "--capture", "--fifo", fifo)
    p = subprocess.Popen([PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with open(fifo, "rb") as reader:
        assert reader.read(4) == b"\n\r\r\n"
    told = p.communicate(timeout=WAIT)[1]
    assert p.returncode == 0, (p.returncode, told)


def send_datagrams(ended):
    """Sends datagrams to the discard port of this host until told to end."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while not ended.wait(0.05):
            sender.sendto(b"x" * 20, ("127.0.0.1", 9))


def tshark(*words):
    """Runs tshark with the program in the personal folder of extcaps."""
    home = os.path.join(folder.name, "home")
    for place in (".local/lib/wireshark/extcap", ".config/wireshark/extcap"):
        os.makedirs(os.path.join(home, place), exist_ok=True)
        link = os.path.join(home, place, "bpfengine")
        if not os.path.islink(link):
            os.symlink(PROGRAM, link)
    return subprocess.run(
        ["tshark", *words],
        capture_output=True,
        text=True,
        env=dict(os.environ, HOME=home, WIRESHARK_EXTCAP_DIR=os.path.join(home, place)),
        timeout=WAIT,
    )


@case
def tshark_captures_by_extcap():
    if not shutil.which("tshark"):
        print("tshark is not installed: skipped")
        return
    name = "bpfengine-" + LOOPBACK
    listed = tshark("-D")
    if name not in listed.stdout:
        print("tshark finds no personal extcap: skipped")
        return
    assert listed.stdout.count(name) == 1, listed.stdout
    links = tshark("-i", name, "-L")
    assert links.returncode == 0, links
    if run("-i", LOOPBACK, "--duration", "0.1", "--quiet").returncode:
        print("no rights to capture: skipped")
        return
    ended = threading.Event()
    sender = threading.Thread(target=send_datagrams, args=(ended,), daemon=True)
    sender.start()
    try:
        p = tshark(
            "-n", "-i", name, "-f", "udp port 9", "-c", "4", "-T", "fields", "-e", "udp.port"
        )
    finally:
        ended.set()
        sender.join(WAIT)
    lines = p.stdout.splitlines()
    assert p.returncode == 0 and len(lines) == 4, p
    assert all("9" in line.split(",") for line in lines), lines


case.finish()
