#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""own_ssh.py PROGRAM: packets of the SSH session in which the program runs are not printed.

Two TCP connections on lo: SSH_CONNECTION names the first.  Needs the right to capture; skipped by
name (exit code 77) without.  The last line counts the cases.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from progress import Running

PROGRAM = os.path.abspath(sys.argv[1])
BARE = {k: v for k, v in os.environ.items() if k != "SSH_CONNECTION"}
NOTICE = "bpfengine: the own SSH connection"
passed = failed = 0


def skip(why):
    print("SKIP: own SSH connection:", why)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(77)


def case(f):
    global passed, failed
    try:
        f()
        passed += 1
    except Exception as e:  # told, and the others still run
        failed += 1
        print(f"FAILED {f.__name__}: {type(e).__name__}: {e}")


class Connection:
    """A TCP connection on lo."""

    def __init__(self, host):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family)
        self.client = socket.create_connection(self.listener.getsockname()[:2])
        self.server, _ = self.listener.accept()
        self.port = self.client.getsockname()[1]
        self.text = " ".join(
            f"{s.getsockname()[0]} {s.getsockname()[1]}" for s in (self.client, self.server)
        )

    def talk(self):
        for end in (self.client, self.server):
            end.sendall(b"x" * 10)

    def close(self):
        for s in (self.client, self.server, self.listener):
            s.close()


def has_port(text, connection):
    return re.search(rf"[.:]{connection.port}\b", text)


def interrupt(process):
    """Ends the program, which may be the child of a shell."""
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8") as f:
        children = [int(word) for word in f.read().split()]
    os.kill(children[0] if children else process.pid, signal.SIGINT)


def printed(own, words=(), environment=None, before=()):
    """Whether the packets of the own connection are printed, and the messages."""
    other = Connection("127.0.0.1")
    command = [*before, PROGRAM, "-i", "lo", "--print", "-l", *words]
    with tempfile.NamedTemporaryFile("w+") as lines:
        p = Running(command, env=BARE if environment is None else environment, stdout=lines)

        def has_other():
            own.talk()
            other.talk()
            with open(lines.name, encoding="utf-8") as f:
                return has_port(f.read(), other)

        p.wait_for("a line of the other connection", has_other)
        interrupt(p.process)
        _, err, code = p.end(None)
        with open(lines.name, encoding="utf-8") as f:
            text = f.read()
    other.close()
    assert code == 0, (code, err)
    return bool(has_port(text, own)), err


def the_own_connection_is_left_out():
    for host in ("127.0.0.1", "::1"):
        try:
            own = Connection(host)
        except OSError as e:
            print(f"SKIP: the_own_connection_is_left_out: {host}: {e}")
            continue
        with_variable = {**BARE, "SSH_CONNECTION": own.text}
        is_seen, err = printed(own, (), with_variable)
        assert not is_seen and NOTICE in err and "--with-ssh" in err, (host, err)
        is_seen, err = printed(own, ("--quiet",), with_variable)
        assert not is_seen and NOTICE not in err, (host, err)
        for words in (("--with-ssh",), ("tcp",)):
            is_seen, err = printed(own, words, with_variable)
            assert is_seen and NOTICE not in err, (host, words, err)
        own.close()


def without_the_variable_all_is_shown():
    own = Connection("127.0.0.1")
    for value in ("", "nonsense", own.text + " 1", own.text.replace("127.0.0.1", "::1", 1)):
        is_seen, err = printed(own, (), {**BARE, "SSH_CONNECTION": value})
        assert is_seen and NOTICE not in err, (value, err)
    own.close()


def an_ancestor_has_the_variable():
    """sudo's environment lacks the variable; the shell that called sudo has it."""
    if sys.platform != "linux" or os.geteuid():
        return print("SKIP: an_ancestor_has_the_variable: only for root on Linux")
    own = Connection("127.0.0.1")
    shell = ["sh", "-c", 'env -u SSH_CONNECTION "$@"; exit $?', "sh"]
    is_seen, err = printed(own, (), {**BARE, "SSH_CONNECTION": own.text}, shell)
    assert not is_seen and NOTICE in err, err
    own.close()


def the_option_needs_packets():
    p = subprocess.run([PROGRAM, "-i", "lo", "--with-ssh"], capture_output=True, timeout=600)
    assert p.returncode == 2 and b"--with-ssh is for --print and --top" in p.stderr, p.stderr


probe = subprocess.run(
    [PROGRAM, "-i", "lo", "-t", "0.01"], capture_output=True, text=True, timeout=600
)
if probe.returncode:
    skip("no capture on lo here: " + probe.stderr.strip())
for one in (
    the_own_connection_is_left_out,
    without_the_variable_all_is_shown,
    an_ancestor_has_the_variable,
    the_option_needs_packets,
):
    case(one)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
