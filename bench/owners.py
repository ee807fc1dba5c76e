#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""owners.py PROGRAM [SOCKETS]: share of flows named by process, and the CPU time of naming.

Makes short-lived TCP sockets on loopback, each in a process of its own, at a bounded rate, and a
few that stay.  Runs the program with and without --process beside them, and nethogs and bandwhich
where they are installed.  Prints a line for each: sockets named, and CPU seconds of the program
and its children.  Needs root and Linux.  The peers tell no flow, only processes: a peer has named
a socket if it named the process at all.
"""

import json, os, shutil, signal, socket, subprocess, sys, tempfile, threading, time

PROGRAM = os.path.abspath(sys.argv[1])
SOCKETS = int(sys.argv[2]) if len(sys.argv) > 2 else 200
PORT = 17017


def serve():
    listening = socket.create_server(("127.0.0.1", PORT), backlog=128)

    def answer():
        while True:
            peer, _ = listening.accept()
            peer.recv(100)
            peer.close()

    threading.Thread(target=answer, daemon=True).start()


def make_sockets(shell):
    for _ in range(SOCKETS):
        subprocess.run([shell, "-c", f"exec 3<>/dev/tcp/127.0.0.1/{PORT}; echo x >&3"], check=True)


def read_cpu(pid):
    """CPU seconds of a process and its children so far."""
    ticks = 0
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        pids = [pid, *map(int, f.read().split())]
    for p in pids:
        with open(f"/proc/{p}/stat") as f:
            ticks += sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(words, shell, begun, after):
    """Runs a program beside the sockets; its output, messages, and CPU seconds."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as told:
        child = subprocess.Popen(words, stdout=out, stderr=told)
        time.sleep(begun)
        make_sockets(shell)
        time.sleep(after)
        cpu = read_cpu(child.pid) if child.poll() is None else 0.0
        child.send_signal(signal.SIGINT)
        child.wait(60)
        out.seek(0)
        told.seek(0)
        return out.read(), told.read(), cpu


def run_program(name, shell, work, *words):
    flows = os.path.join(work, "flows")
    command = [PROGRAM, "-i", "lo", "--quiet", "--json", "--flows", flows, *words]
    _, told, cpu = measure([*command, f"tcp port {PORT}"], shell, 1.5, 0.5)
    with open(flows) as f:
        records = [json.loads(line) for line in f]
    named = sum(r.get("process") == os.path.basename(shell) for r in records)
    print(f"{name:28} {named:5} of {len(records)} flows named  {cpu:6.2f} s CPU  {told.strip()}")


def run_peer(name, words, shell):
    if not shutil.which(words[0]):
        print(f"{name:28} not installed")
        return
    out, _, cpu = measure(words, shell, 2.0, 1.5)
    named = len({line for line in out.splitlines() if os.path.basename(shell) in line})
    print(f"{name:28} {named:5} lines name the process of {SOCKETS}  {cpu:6.2f} s CPU")


def main():
    serve()
    with tempfile.TemporaryDirectory(prefix="bpe-owners-") as work:
        os.chmod(work, 0o755)
        shell = os.path.join(work, "bpe-short")
        shutil.copy(shutil.which("bash"), shell)
        run_program("bpfengine", shell, work)
        run_program("bpfengine --process", shell, work, "--process")
        run_peer("nethogs -a -t -d 1 lo", ["nethogs", "-a", "-t", "-d", "1", "lo"], shell)
        run_peer("bandwhich --raw -i lo", ["bandwhich", "--raw", "-i", "lo"], shell)


if os.geteuid():
    sys.exit("owners.py needs root")
main()
