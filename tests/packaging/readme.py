#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""readme.py BUILD: types the commands of README.md and of docs/ in a fresh copy of the tree.

README's commands run from top to bottom, as a new user runs them: scripts/run.sh makes the build.
The commands of docs/ run after that, with BUILD as their build folder.  A command is a line that
four blanks indent, outside of a fence; a backslash at its end continues it.  A program in a fence
is saved under the name that the text gives it ("With this program in `tcp.c`").

Each command must end with 0 and print what EXPECTED has.  EXPECTED and NOT_RUN name every command
(`*`: all of a paper), and no other.  Of a command these parts change: `sudo` is left out for root,
`eth0` becomes an interface that is here, and ten seconds become one.  Without root, or without the
right to capture, commands with sudo are listed as not run.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from options import TOP

TIMEOUT_S = 1100
EXPECTED = {
    "README.md": {
        "scripts/run.sh": r"packets read[\s\S]*Try next",
        "build/src/bpfengine -L": r"(?m)^synth ",
        "sudo build/src/bpfengine -i eth0 --duration 10": r"(?m)^[\d,]+ packets? read",
        "build/src/bpfengine -r examples/office.pcap": r"Flows: 71 opened[\s\S]*Largest flows",
        "build/src/bpfengine -r examples/office.pcap --flows - --flows-format zeek tcp port 443": (
            r'(\{"ts":.*"conn_state":"\w+".*\n){11}'
        ),
        "build/src/bpfengine -r examples/office.pcap --flows office.parquet": (
            r"Export to office\.parquet: 71 records, 71 sent"
        ),
        "build/src/bpfengine -r examples/office.pcap --print host 203.0.113.10": (
            r"(.*203\.0\.113\.10.*\n){80}"
        ),
        "build/src/bpfengine -r examples/office.pcap --flows - "
        "--where 'name like \"*.example.com\"'": r'"proto":"tcp"[\s\S]*left out by --where',
        "build/src/bpfengine --explain 'tcp port 80 and not src net 10.0.0.0/8'": (
            r"match[\s\S]*10\.0\.0\.0/8[\s\S]*instructions"
        ),
        "sudo install -d -m 700 -o nobody captures": r"",
        "sudo build/src/bpfengine -i eth0 --duration 10 -w 'captures/%H%M%S.pcapng' "
        "--rotate size=1G,every=1h --keep files=24": r"Written to captures/%H%M%S.pcapng: ",
        "sudo build/src/bpfengine -i eth0 --top": r"(?m)^[\d,]+ packets? read",
        "meson compile -C build bpfengine:shared_library": r"libbpfengine|no work to do",
        "cc tcp.c -I include -L build/src -lbpfengine -Wl,-rpath,build/src -o tcp && ./tcp": (
            r"(?m)^[1-9]\d* TCP packets$"
        ),
        "python3 -m venv venv && venv/bin/pip install ./python": r"Successfully installed bpfengine",
        "venv/bin/python tcp.py": r"(?m)^(?:Proto\.)?tcp \S+:\d+ \S+:\d+ \d+$",
    },
    "docs/embedding.md": {
        "./build/examples/basic_capture synth 10": r"(.* > .* bytes\n){10}",
        "./build/examples/connection_monitor synth 2": r"closed .* packets .* bytes",
        "./build/examples/event_loop synth:rate=1000 2": r'\{"schema":"bpfengine\.flow/1"',
        "./build/examples/flows_sqlite synth:count=100000 flows.db": r"",
        "./build/examples/protocol_analyzer synth 2": r"(?m)^tcp +\d+ packets",
        "./build/examples/dns_counter examples/office.pcap": r"(?m)^2 www\.example\.com$",
        "./build/examples/scan_alarm examples/office.pcap": r"203\.0\.113\.66 has tried 20 ports",
        './build/examples/wrapper examples/office.pcap "port 443"': r"(?m)^SF +9 connections",
        "printf %s%s\\\\n ffffffffffff020000000001080045000020000000004011f96b7f000001 "
        "7f00000114e914e9000c000070696e67 >packets.hex": r"",
        "./build/examples/own_source <packets.hex": r"127\.0\.0\.1,5353,127\.0\.0\.1,5353,udp",
        "cc -std=c11 tests/single/use.c tests/single/implementation.c -I build -pthread -o use": r"",
        "./use made.pcap": r"packets",
    },
    "docs/export.md": {
        "bpfengine -r examples/office.pcap --export ipfix:flows.ipfix": (
            r"Export to ipfix:flows\.ipfix: 71 records, 71 sent"
        ),
    },
    "docs/tables.md": {
        "bpfengine -r examples/office.pcap --flows office.parquet": (
            r"Export to office\.parquet: 71 records, 71 sent"
        ),
    },
    "docs/names.md": {
        "bpfengine -r examples/office.pcap --print --where 'name like \"*.example.com\"'": (
            r"(?m)(.* \| (?:www|mail)\.example\.com\n){50}"
        ),
    },
    "docs/top.md": {
        "sudo bpfengine -i eth0 --top": r"(?m)^[\d,]+ packets? read",
        "bpfengine -r examples/office.pcap --top": r"(?m)^[1-9][\d,]+ packets read",
        "bpfengine -i synth --top": r"(?m)^[1-9][\d,]+ packets read",
    },
    "docs/savefiles.md": {
        "bpfengine -r examples/office.pcap -w office.pcapng": r"Written to office.pcapng: 736 pack",
        "bpfengine -r office.pcapng --print -c 3": r"192\.168\.1\.1:67 +> 255\.255\.255\.255:68",
    },
    "docs/filters.md": {
        "bpfengine -r examples/office.pcap tcp port 443 and not net 198.51.100.0/24": (
            r"(?m)^[1-9][\d,]+ packets read"
        ),
        "bpfengine -r examples/office.pcap -f 'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0'": (
            r"(?m)^[1-9][\d,]+ packets read"
        ),
        "bpfengine -r examples/office.pcap --through vlan,vxlan host 10.7.0.53": (
            r"(?m)^12 packets read"
        ),
        "echo 203.0.113.66 >blocked.txt": r"",
        "sudo bpfengine -i eth0 --duration 10 host in ./blocked.txt": r"(?m)^[\d,]+ packets? read",
        "bpfengine -d 'port 80 or 443'": r"(?m)^\(000\) ",
        "bpfengine --explain 'tcp port 80 and not src net 10.0.0.0/8'": r"10\.0\.0\.0/8",
    },
    "docs/ipfix.md": {
        "bpfengine -r examples/office.pcap --export ipfix:flows.ipfix": r"Export to ipfix:flows",
    },
    "docs/recording.md": {
        "bpfengine -r examples/office.pcap -w web.pcapng tcp port 443": r"Written to web.pcapng: ",
        "bpfengine -r web.pcapng --count": r"(?m)^[1-9]\d* packets",
        "bpfengine -r examples/office.pcap -w - --quiet udp | bpfengine -r - --count": (
            r"(?m)^[1-9]\d* packets"
        ),
        "sudo install -d -m 700 -o nobody captures": r"",
        "sudo bpfengine -i eth0 --duration 10 -w captures/eth0.pcapng --rotate every=1m": (
            r"Written to captures/\w+\.pcapng: "
        ),
        "bpfengine --extcap-interfaces": r"^extcap \{version=",
    },
    "docs/programs.md": {
        "sudo bpfengine -i eth0 --duration 10 --process --flows flows.json": r"(?m)^Flows: ",
    },
    "docs/keep.md": {
        "sudo bpfengine -i eth0 --duration 10 -w cut.pcapng --cutoff 64K --flows cut.json": (
            r"Written to cut\.pcapng: "
        ),
        "bpfengine -r examples/office.pcap -w small.pcapng --cutoff 1K,after=drop": (
            r"Written to small\.pcapng: .*not written: \d+ \(cutoff: \d+\)"
        ),
        "install -d -m 777 flows": r"",
        "bpfengine -r examples/office.pcap -w flows/x.pcapng --split flow": (
            r"Written to flows/x\.pcapng: 736 packets.* in \d\d files"
        ),
    },
    "docs/recipes.md": {
        "bpfengine -r examples/office.pcap -w once.pcapng --dedup 50ms": (
            r"Written to once\.pcapng: 7\d\d packets"
        ),
        "head -c 32 /dev/urandom >key && chmod 600 key": r"",
        "bpfengine -r examples/office.pcap -w public.pcapng --anonymise key,cut=payload": (
            r"Written to public\.pcapng: 736 packets"
        ),
    },
    "docs/install.md": {"./build/src/bpfengine --help": r"Exit codes: 0 good"},
    "docs/top.md": {
        "sudo bpfengine -i eth0 --top": r"(?m)^[\d,]+ packets? read",
        "bpfengine -r examples/office.pcap --top": r"(?m)^[\d,]+ packets read",
        "bpfengine -i synth --top": r"(?m)^[\d,]+ packets read",
    },
    "docs/compressed.md": {
        "gzip -c examples/office.pcap > office.pcap.gz": r"",
        "bpfengine -r office.pcap.gz": r"(?m)^736 packets read|made without zlib",
    },
    "docs/output.md": {
        "bpfengine -r examples/office.pcap --flows - 2>/dev/null": r'(\{"schema":.*\n){71}',
        "sudo bpfengine -i eth0 --duration 10 --flows flows.json tcp port 443": r"packets? read",
    },
}
NOT_RUN = {
    "docs/performance.md": {
        "*": "it wants a build with -Dbench=true, and writes and reads gigabytes"
    },
    "docs/tables.md": {
        "bpfengine -r examples/office.pcap --flows office.sqlite": (
            "SQLite is optional, and wants a folder of the remaining user; tests/export/tables.py"
        ),
        "bpfengine -i synth:count=100000 --flows 'flows-%Y%m%d-%H%M%S.parquet' "
        "--flows-rotate every=1h,size=100M": (
            "it wants a folder of the remaining user; tests/export/tables_files.py"
        ),
    },
    "docs/ipfix.md": {
        "bpfengine -i eth0 --export ipfix://collector:4739": "it wants a collector; tests/export",
        "bpfengine -i eth0 --export 'ipfix://collector:4740?transport=tls&ca=ca.pem'": (
            "it wants a collector; tests/export"
        ),
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=trial "
        "-days 30": "tests/export/streams.py makes certificates",
        "openssl req -newkey rsa:2048 -nodes -keyout host.key -out host.csr -subj /CN=localhost": (
            "tests/export/streams.py makes certificates"
        ),
        "printf 'subjectAltName=DNS:localhost' >names": "tests/export/streams.py",
        "openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names "
        "-out host.pem": "tests/export/streams.py makes certificates",
    },
    "docs/export.md": {
        "bpfengine -i eth0 --export ipfix://collector:4739 --export netflow9://[::1]:2055": (
            "it wants a collector; tests/export"
        ),
        "bpfengine -i eth0 --metrics 127.0.0.1:9477": "it does not end by itself; tests/export",
    },
    "docs/metrics.md": {
        "*": "they do not end by themselves, or want folders; tests/export/metrics.py",
    },
    "docs/kafka.md": {
        "bpfengine -i eth0 --export 'kafka://b1,b2:9092/flows?compression=zstd'": (
            "it wants brokers; tests/export/kafka.py"
        ),
        "bpfengine -i eth0 --export 'kafka://b1/flows?format=proto&sampler=192.0.2.1'": (
            "it wants brokers; tests/export/kafka.py"
        ),
    },
    "docs/programs.md": {
        "sudo bpfengine -i any --process --top": "it wants a terminal; tests/system/top.py",
        "sudo setcap cap_net_raw,cap_sys_ptrace,cap_dac_read_search+ep /usr/local/bin/bpfengine": (
            "it would change this system"
        ),
    },
    "README.md": {
        "git clone https://github.com/bpfengine/bpfengine && cd bpfengine": "the network",
    },
    "docs/embedding.md": {
        "cc example.c $(pkg-config --cflags --libs bpfengine) && ./a.out": "an installation",
    },
    "docs/install.md": {
        "meson setup build && ninja -C build": "BUILD was made so",
        "sudo meson install -C build": "it would change this system; tarball.py does it apart",
        "sudo ldconfig": "it would change this system",
        "tar xf bpfengine-0.1.0.tar.xz && cd bpfengine-0.1.0 && scripts/run.sh": "tarball.py does",
    },
    "docs/recording.md": {
        "sudo bpfengine -i eth0 --duration 10 -w 'cap-%Y%m%d-%H%M%S.pcapng' "
        "--rotate size=1G,every=1h": "the tree is root's in a copy, or another user's",
        "mkdir -p ~/.local/lib/wireshark/extcap": "it would change this user's folder",
        'ln -sf "$(command -v bpfengine)" ~/.local/lib/wireshark/extcap/': "as above",
    },
    "docs/keep.md": {
        "sudo bpfengine -i eth0 -w /var/cap/%Y%m%d-%H%M%S.pcapng --recorder 30s --trigger drops": (
            "it waits for a loss; tests/system/write_recorder.py"
        ),
        "sudo bpfengine -i eth0 -w slow.pcapng --recorder 256M "
        "--trigger 'retransmissions>20,after=10'": "as above",
        "sudo bpfengine -i eth0 -w bad.pcapng --recorder 1G,60s --trigger 'list:bad.txt'": (
            "as above"
        ),
    },
    "docs/running.md": {"*": "services of this system; tests/packaging tries their files"},
    "docs/fleet.md": {"*": "tests/export/fleet.py brings the fleet up and takes it down"},
    "docs/spark.md": {"*": "PySpark and Ray; tests/export/spark.py and on_ray.py run the jobs"},
    "docs/testing.md": {
        "scripts/setup.sh peers": "a step of .ci/run",
        "scripts/peers.sh": "a step of .ci/run",
        "meson test -C build --suite export": "a part of scripts/test.sh",
        "python3 tests/real/run.py build": "a step of .ci/run",
        "python3 tests/real/run.py build --served": "a step of .ci/run",
        "mkdir -p /tmp/node": "tests/system/node.py serves a node",
        "sudo build/tests/bpfnode /tmp/node --synth flows=1000,size=imix --rate 100000 &": "as above",
        "sudo build/src/bpfengine -i bpf:en0 --bpf-abi macos --bpf-device /tmp/node/bpf "
        "--duration 5": "as above",
        "sudo umount /tmp/node": "as above",
    },
}
passed = failed = 0


def tell(good, what, why=""):
    """Counts a case; a failure is shown with its reason."""
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED {what}: {why}", flush=True)


def parts_of(text):
    """[(kind, text)] of a paper in order: command, or program with its language."""
    found, fence, block, continued = [], None, [], ""
    for line in text.split("\n"):
        if line.startswith("```"):
            if fence:
                found.append((fence, "\n".join(block) + "\n"))
            fence, block = (None if fence is not None else line[3:]), []
        elif fence is not None:
            block.append(line)
        elif re.match(r" {4,6}\S", line) or continued and line.strip():
            words = continued + re.sub(r"\s{2,}# .*$", "", line).strip()
            continued = words[:-1] if words.endswith("\\") else ""
            if not continued:
                found.append(("command", words))
    return found


def copy_tree(to):
    """Copies the files of the tree that are not made by a build."""
    listed = subprocess.run(
        ["git", "-C", TOP, "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True
    )
    if listed.returncode:
        shutil.copytree(TOP, to, symlinks=True, ignore=shutil.ignore_patterns("build*", ".git"))
        return
    for name in filter(None, listed.stdout.decode().split("\0")):
        if os.path.exists(os.path.join(TOP, name)):
            os.makedirs(os.path.dirname(os.path.join(to, name)), exist_ok=True)
            shutil.copy2(os.path.join(TOP, name), os.path.join(to, name))


def run_on_terminal(command, env):
    """(exit code, output) of a full-screen program, which gets a q once it has drawn."""
    pid, master = pty.fork()
    if not pid:
        os.chdir(tree)
        os.execvpe("/bin/sh", ["sh", "-c", "stty rows 24 cols 100; exec " + command], env)
    shown, asked, end = b"", False, time.monotonic() + TIMEOUT_S
    while time.monotonic() < end:
        if select.select([master], [], [], 1)[0]:
            try:
                got = os.read(master, 65536)
            except OSError:  # Linux's answer when the other end is closed
                got = b""
            if not got:
                break
            shown += got
        if not asked and b"\x1b[" in shown:
            asked = True
            time.sleep(0.5)  # only shows more of the view; a key waits until it is read
            os.write(master, b"q")
    else:
        os.kill(pid, 9)
    status = os.waitpid(pid, 0)[1]
    os.close(master)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace").replace("\r", "")


def run_command(command, env):
    """(exit code, output) of a command as it is typed, with the parts that may change."""
    typed = command.replace("sudo ", "").replace("eth0", interface)
    typed = typed.replace("--duration 10", "--duration 1")
    if "--top" in typed.split():
        return run_on_terminal(typed, {**env, "TERM": "xterm"})
    done = subprocess.run(
        ["bash", "-c", typed],
        cwd=tree,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=TIMEOUT_S,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def left_out(paper, command):
    """Why a command is not run here, or None."""
    reasons = NOT_RUN.get(paper, {})
    if reason := reasons.get(command) or reasons.get("*"):
        return reason
    if command.startswith("sudo ") and not may_capture:
        return "it needs rights that are missing here"
    program = re.match(r"\./build/examples/\w+", command)
    if program and not os.path.exists(os.path.join(tree, program[0])):
        return "the build has left this example out"
    if "venv" in command and not has_venv:
        return "Python has no ensurepip here"
    return None


def type_paper(paper, env):
    """Runs all commands of a paper in order."""
    with open(os.path.join(tree, paper), encoding="utf-8") as file:
        text = file.read()
    seen = set()
    for kind, what in parts_of(text):
        if kind in ("c", "python"):
            ending = {"c": "c", "python": "py"}[kind]
            if name := re.search(r"[Ww]ith this program in `(\w+\." + ending + ")`", text):
                with open(os.path.join(tree, name[1]), "w", encoding="utf-8") as out:
                    out.write(what)
        if kind != "command":
            continue
        seen.add(what)
        if why := left_out(paper, what):
            print(f"not run: {paper}: {what}: {why}", flush=True)
            continue
        if what not in EXPECTED.get(paper, {}):
            tell(False, f"{paper}: {what}", "readme.py does not say what it prints")
            continue
        code, output = run_command(what, env)
        want = EXPECTED[paper][what]
        good = code == 0 and re.search(want, output) and (output.strip() or not want)
        tell(good, f"{paper}: {what}", f"exit code {code}, wanted {want!r}: {output[-1500:]}")
    for table in (EXPECTED, NOT_RUN):
        for command in sorted(set(table.get(paper, {})) - seen - {"*"}):
            tell(False, f"{paper}: {command}", "the paper has no such command")


build = os.path.abspath(sys.argv[1])
folder = tempfile.TemporaryDirectory()
tree = os.path.join(folder.name, "bpfengine")
copy_tree(tree)
os.chmod(folder.name, 0o755)
interface = "lo" if sys.platform.startswith("linux") else "lo0"
probe = [os.path.join(build, "src/bpfengine"), "-i", interface, "--duration", "0.01", "-q"]
may_capture = (
    os.geteuid() == 0
    and subprocess.run(probe, capture_output=True, timeout=TIMEOUT_S).returncode == 0
)
has_venv = not subprocess.run(
    [sys.executable, "-c", "import ensurepip"], capture_output=True
).returncode
type_paper("README.md", dict(os.environ))
shutil.rmtree(os.path.join(tree, "build"), ignore_errors=True)
os.symlink(build, os.path.join(tree, "build"))
path = os.path.join(build, "src") + os.pathsep + os.environ["PATH"]
for name in sorted(os.listdir(os.path.join(tree, "docs"))):
    if name.endswith(".md"):
        type_paper("docs/" + name, dict(os.environ, PATH=path))
tell(passed > 20, "the papers", "hardly a command was run")
folder.cleanup()
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
