#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rights.py PROGRAM: what the program may still do while it captures, asked of /proc, and that it works like that.

Linux, as root, in two network namespaces joined by a veth pair that this test makes itself; skipped by name (exit code 77) otherwise.
The last line counts the cases.
"""

import json, os, pwd, shutil, signal, struct, subprocess, sys, tempfile, time

PROGRAM = os.path.abspath(sys.argv[1])
A, B = f"bpra{os.getpid()}", f"bprb{os.getpid()}"
READ, NICE = 1 << 2, 1 << 23  # CAP_DAC_READ_SEARCH, CAP_SYS_NICE
passed = failed = skipped = 0


class Skip(Exception):
    pass


def skip_all(why):
    print("SKIP: rights:", why)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(77)


def sh(command):
    subprocess.run(command.split(), check=True, capture_output=True)


def make():
    for ns in (A, B):
        sh(f"ip netns add {ns}")
        sh(
            f"ip netns exec {ns} sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1"
        )
        sh(f"ip -n {ns} link set lo up")
    sh(f"ip -n {A} link add va type veth peer name vb netns {B}")
    sh(f"ip -n {A} link set va up arp off")
    sh(f"ip -n {B} link set vb up arp off")


# argv[1] UDP frames of 100 bytes over 50 flows on va, 20,000 a second.
SENDER = r"""
import socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("va", 0))
n = int(sys.argv[1]); start = time.monotonic()
for i in range(n):
    f = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x00" + struct.pack(">BBHHHBBH4s4s", 0x45, 0, 86, i & 65535, 0, 64, 17, 0, bytes([10, 77, 0, 1]), bytes([10, 77, 0, 2]))
    s.send(f + struct.pack(">HHHH", 5000 + i % 50, 9, 66, 0) + bytes(58))
    while time.monotonic() < start + i / 20000: pass
"""


def send(n):
    p = subprocess.run(
        ["ip", "netns", "exec", A, sys.executable, "-c", SENDER, str(n)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert not p.stderr, p.stderr


def status(path):
    return dict((k, v.strip()) for k, _, v in (l.partition(":") for l in open(path)))


class Run:
    """The program while the with block runs, one way or another started; .threads(): what /proc says of each."""

    def __init__(self, *words, ns=B, source=("-i", "vb"), before=(), program=PROGRAM, **options):
        self.p = subprocess.Popen(
            ["ip", "netns", "exec", ns, *before, program, *source, "--json", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def __enter__(self):
        end = time.monotonic() + 10
        while self.p.poll() is None and time.monotonic() < end and not self.runs():
            time.sleep(0.02)
        time.sleep(0.1)
        assert self.p.poll() is None, self.p.communicate()
        return self

    def runs(self):  # it is the program by now, and its reader was started
        try:
            return (
                os.path.basename(os.readlink(f"/proc/{self.p.pid}/exe"))
                == os.path.basename(PROGRAM)
                and len(os.listdir(f"/proc/{self.p.pid}/task")) > 1
            )
        except OSError:
            return False

    def __exit__(self, *_):
        if self.p.poll() is None:
            self.p.kill()
        self.p.communicate()

    def threads(self):
        d = f"/proc/{self.p.pid}/task"
        return [status(f"{d}/{t}/status") for t in os.listdir(d)]

    def end(self, how=signal.SIGINT, wait=0.3):
        time.sleep(wait)
        if how:
            self.p.send_signal(how)
        out, self.err = self.p.communicate(timeout=120)
        self.code, self.report = self.p.returncode, json.loads(out)
        k = self.report["packets"]
        assert k["read"] == k["delivered"] + sum(k["dropped"].values()) and k["in_flight"] == 0, k
        return self.report


def fallback():
    for name in ("bpfengine", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Skip("there is neither a user bpfengine nor nobody")


def held(threads, account, caps=0, seccomp=True, nnp="1"):
    for t in threads:
        assert (
            t["Uid"].split() == [str(account.pw_uid)] * 4
            and t["Gid"].split() == [str(account.pw_gid)] * 4
        ), t
        assert set(map(int, t["Groups"].split())) <= set(
            os.getgrouplist(account.pw_name, account.pw_gid)
        ), t["Groups"]
        assert (
            int(t["CapEff"], 16) == int(t["CapPrm"], 16) == caps
            and int(t["CapInh"], 16) == int(t["CapAmb"], 16) == 0
        ), t
        assert t["NoNewPrivs"] == nnp and t["Seccomp"] == ("2" if SECCOMP and seccomp else "0"), t


def case(f):
    global passed, failed, skipped
    try:
        f()
        passed += 1
    except Skip as e:
        skipped += 1
        print(f"SKIP: {f.__name__}: {e}")
    except Exception as e:  # told, and the others still run
        failed += 1
        print(f"FAILED {f.__name__}: {type(e).__name__}: {e}")


def every_thread_has_given_up():
    account = fallback()
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "flows")
        for source in (("-i", "vb"), ("-i", "any")):
            with Run(
                "--workers",
                "2",
                "--flows",
                path,
                "--stats-interval",
                "0.2",
                "--pin",
                "-t",
                "3",
                source=source,
            ) as r:
                held(r.threads(), account)
                assert len(r.threads()) == 5  # main, reader, output, workers
                send(20000)
                r.p.send_signal(signal.SIGUSR1)
                j = r.end(how=None)
            assert (
                r.code == 0
                and j["packets"]["read"] == 20000
                and j["kernel"]["dropped"] == 0
                and 2.9 < j["seconds"] < 5
            ), j["packets"]
            lines = [json.loads(x) for x in open(path)]
            assert (
                len(lines) == 50
                and sum(sum(x["packets"]) for x in lines) == 20000
                and os.stat(path).st_uid == 0
            )
            assert (
                r.err.count("packets/s,") >= 10
                and "packets read" in r.err
                and "could not" not in r.err
            ), r.err
            g = j["rights"]
            assert (
                g["user"] == account.pw_name
                and g["dropped"]
                and g["capabilities"] == "no capabilities"
                and g["kept"] is None
            ), g
            assert not SECCOMP or "seccomp" in g["confined"], g


def flows_are_opened_anew():
    account = fallback()
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        path = os.path.join(d, "flows")
        for may in (True, False):  # the user that it became may write there, or not
            os.chown(d, account.pw_uid if may else 0, -1)
            if os.path.exists(path):
                os.unlink(path)
            with Run("--flows", path, "--flow-idle", "0.1", "-f", "udp or tcp") as r:
                held(r.threads(), account)
                os.rename(path, path + ".1")
                r.p.send_signal(signal.SIGHUP)
                time.sleep(0.5)
                assert os.path.exists(path) == may, os.listdir(d)
                send(500)
                j = r.end()
            got = [
                len(open(f).readlines()) if os.path.exists(f) else None for f in (path, path + ".1")
            ]
            assert (
                got == ([j["flows"]["opened"], 0] if may else [None, j["flows"]["opened"]])
                and j["flows"]["records"]["lost"] == 0
            ), (got, j["flows"]["records"])
            assert ("is not opened anew" in r.err) != may and r.code == 0, r.err
            if SECCOMP:
                assert "to write: where the flows are" in j["rights"][
                    "confined"
                ] or "no Landlock" in (j["rights"]["missing"] or ""), j["rights"]


def stopped_and_continued():
    with Run("--workers", "1") as r:
        for _ in range(3):
            r.p.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            r.p.send_signal(signal.SIGCONT)
        send(1000)
        assert r.end(how=signal.SIGTERM)["packets"]["read"] == 1000 and r.code == 0, r.err


def reread(directory, words, caps, user=()):
    """A filter's file, and then a list's, changed by writing and by putting another in its place."""
    for kind in ("filter", "list"):
        path = os.path.join(directory, kind)
        texts = (
            ["udp src port 5003\n", "udp src port 5004 or 5005\n", "udp src port ntp or 5006\n"]
            if kind == "filter"
            else ["10.77.0.9\n", "10.77.0.1\n", "10.77.0.8\n"]
        )
        open(path, "w").write(texts[0])
        os.chmod(path, 0o644)
        with Run(*words, *(["-F", path] if kind == "filter" else [f"host in {path}"])) as r:
            held(r.threads(), pwd.getpwnam(user[0]) if user else fallback(), caps)
            send(500)
            open(path, "w").write(texts[1])
            r.p.send_signal(signal.SIGUSR2)
            time.sleep(0.3)
            send(500)
            open(path + "~", "w").write(texts[2])
            os.chmod(path + "~", 0o644)
            os.rename(path + "~", path)
            r.p.send_signal(signal.SIGUSR2)
            time.sleep(0.3)
            send(500)
            j = r.end()
        yield kind, r, j["packets"]["read"]


def filters_of_root_are_read_again():
    with tempfile.TemporaryDirectory() as d:  # 0700
        for kind, r, n in reread(d, (), READ):
            assert (
                n == (10 + 20 + 10 if kind == "filter" else 0 + 500 + 0)
                and r.err.count("read again") == 2
            ), (kind, n, r.err)
            assert (
                "CAP_DAC_READ_SEARCH is kept" in r.err
                and "dac_read_search" in r.report["rights"]["capabilities"]
            ), r.err


def filters_of_everybody_are_read_again():
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        for kind, r, n in reread(d, (), 0):
            assert (
                n == (10 + 20 + 10 if kind == "filter" else 500)
                and r.err.count("read again") == 2
                and "kept" not in r.err
            ), (kind, n, r.err)


def named_user_gives_up_all():
    with tempfile.TemporaryDirectory() as d:
        for kind, r, n in reread(d, ("-Z", "nobody"), 0, ("nobody",)):
            assert (
                n == (10 + 10 + 10 if kind == "filter" else 0)
                and r.err.count("stays as it was") + r.err.count("nothing to read again") == 2
            ), (kind, n, r.err)
            assert "SIGUSR2 cannot read" in r.err, r.err
    with Run("--relinquish-privileges=daemon") as r:
        held(r.threads(), pwd.getpwnam("daemon"))
        send(100)
        assert r.end()["packets"]["read"] == 100 and r.report["rights"]["user"] == "daemon"


def host_names_are_not_asked_for():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "list")
        open(path, "w").write("10.77.0.1\n")
        with Run("host", "in", path) as r:
            open(path, "w").write("no-such-host.example\n")
            r.p.send_signal(signal.SIGUSR2)
            time.sleep(0.5)
            send(100)
            assert r.end()["packets"]["read"] == 100
        assert "stays as it was" in r.err and (not SECCOMP or "--no-confine" in r.err), r.err


def root_on_request():
    with Run("-Z", "root") as r:
        for t in r.threads():
            assert (
                t["Uid"].split() == ["0"] * 4
                and int(t["CapEff"], 16) == int(status("/proc/self/status")["CapEff"], 16)
                and t["Seccomp"] == ("2" if SECCOMP else "0")
            ), t
        send(100)
        assert (
            r.end()["packets"]["read"] == 100
            and "keeps all rights" in r.report["rights"]["kept"]
            and not r.report["rights"]["dropped"]
        )


def unconfined_on_request():
    with Run("--no-confine") as r:
        held(r.threads(), fallback(), seccomp=False)
        send(100)
        assert r.end()["packets"]["read"] == 100 and r.report["rights"]["confined"] is None, (
            r.report["rights"]
        )


def priority_is_kept():
    for words in ((), ("-Z", "nobody")):
        with Run("--workers", "1", "--priority", "high", *words) as r:
            held(r.threads(), pwd.getpwnam(words[1]) if words else fallback(), NICE)
            nice = sorted(
                int(open(f"/proc/{r.p.pid}/task/{t}/stat").read().rsplit(")", 1)[1].split()[16])
                for t in os.listdir(f"/proc/{r.p.pid}/task")
            )
            send(100)
            assert (
                r.end()["packets"]["read"] == 100
                and nice[0] == -10
                and "higher priority" not in r.err
            ), (nice, r.err)


def wrong_users():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "flows")
        p = subprocess.run(
            [PROGRAM, "-i", "synth:count=10", "-Z", "no-such-user", "--flows", path],
            capture_output=True,
            text=True,
        )
        assert (
            p.returncode == 2
            and "-Z no-such-user: there is no such user" in p.stderr
            and not os.path.exists(path)
        ), p
        p = subprocess.run(
            [PROGRAM, "-i", "bpf:en0", "--wait-interface", "-Z", "nobody", "--flows", path],
            capture_output=True,
            text=True,
        )
        assert (
            p.returncode == 2 and "opens the device again" in p.stderr and not os.path.exists(path)
        ), p
    p = (
        subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", PROGRAM],
            capture_output=True,
        )
        if shutil.which("setpriv")
        else None
    )
    if not p or p.returncode:
        return  # no setpriv, or nobody may not come near the program
    p = subprocess.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            PROGRAM,
            "-i",
            "synth:count=10",
            "-Z",
            "daemon",
            "--json",
        ],
        capture_output=True,
        text=True,
    )
    assert (
        p.returncode == 0
        and "only root can become" in p.stderr
        and json.loads(p.stdout)["packets"]["read"] == 10
    ), p


def savefiles():
    """The reader of a savefile has no need of anything: through a pipe, so that it can be looked at on the way."""
    packet = (
        bytes(12)
        + b"\x08\0"
        + struct.pack(
            ">BBHHHBBH4s4s",
            0x45,
            0,
            46,
            1,
            0,
            64,
            17,
            0,
            bytes([10, 0, 0, 1]),
            bytes([10, 0, 0, 2]),
        )
        + struct.pack(">HHHH", 1000, 53, 26, 0)
        + bytes(18)
    )
    whole = (
        struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
        + (struct.pack("<IIII", 1700000000, 5, len(packet), len(packet)) + packet) * 1000
    )
    r, w = os.pipe()
    os.write(w, whole[:8192])
    with Run("--workers", "1", source=("-r", "-"), stdin=r) as run:
        held(run.threads(), fallback())
        for at in range(8192, len(whole), 4096):
            os.write(w, whole[at : at + 4096])
        os.close(w), os.close(r)
        assert run.end(how=None)["packets"]["read"] == 1000 and run.code == 0
        assert run.report["rights"]["dropped"] and (
            not SECCOMP or "seccomp" in run.report["rights"]["confined"]
        )
    with tempfile.NamedTemporaryFile() as f:
        f.write(whole)
        f.flush()
        p = subprocess.run(
            [PROGRAM, "-r", f.name, "--json", "-c", "900"], capture_output=True, text=True
        )
        j = json.loads(p.stdout)
        assert (
            p.returncode == 0
            and j["packets"]["read"] == 900
            and j["rights"]["dropped"]
            and "no files" in (j["rights"]["confined"] or "no files")
        ), j["rights"]


def file_capabilities_go():
    if not shutil.which("setpriv"):
        raise Skip("no setpriv")
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        copy = os.path.join(d, "bpfengine")
        shutil.copy(PROGRAM, copy)
        os.chmod(copy, 0o755)
        try:
            os.setxattr(
                copy,
                "security.capability",
                struct.pack("<IIIII", 0x02000001, 1 << 12 | 1 << 13, 0, 0, 0),
            )  # cap_net_admin, cap_net_raw +ep
        except OSError as e:
            raise Skip(f"no file capabilities here: {e}")
        r = Run(
            before=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"), program=copy
        )
        with r:
            for t in r.threads():
                assert (
                    t["Uid"].split() == ["65534"] * 4
                    and int(t["CapPrm"], 16) == 0
                    and t["NoNewPrivs"] == "1"
                    and t["Seccomp"] == ("2" if SECCOMP else "0")
                ), t
            send(100)
            assert (
                r.end()["packets"]["read"] == 100
                and not r.report["rights"]["dropped"]
                and r.report["rights"]["capabilities"] == "no capabilities"
            ), r.report["rights"]


def root_of_a_user_namespace():
    """Where nobody is not to be had: told, and without -Z the run goes on, with nothing that it does not need."""
    if (
        not shutil.which("unshare")
        or subprocess.run(["unshare", "-r", "true"], capture_output=True).returncode
    ):
        raise Skip("no user namespaces here")
    p = subprocess.run(
        ["unshare", "-r", PROGRAM, "-i", "synth:count=1000", "--json"],
        capture_output=True,
        text=True,
    )
    j = json.loads(p.stdout)
    assert (
        p.returncode == 0
        and "could not become user" in p.stderr
        and j["packets"]["read"] == 1000
        and j["rights"]["capabilities"] == "no capabilities"
    ), p
    p = subprocess.run(
        ["unshare", "-r", PROGRAM, "-i", "synth:count=1000", "-Z", "nobody"],
        capture_output=True,
        text=True,
    )
    assert p.returncode == 3 and "could not become user nobody" in p.stderr and not p.stdout, p


if sys.platform != "linux":
    skip_all("not Linux")
if os.geteuid() != 0:
    skip_all("not root")
if not shutil.which("ip"):
    skip_all("iproute2 is not installed")
SECCOMP = "seccomp" in (
    json.loads(
        subprocess.run(
            [PROGRAM, "-i", "synth:count=1", "--json", "-q"], capture_output=True, text=True
        ).stdout
    )["rights"]["confined"]
    or ""
)
if not SECCOMP:
    print("SKIP: seccomp is not to be had here: what it holds is not looked for")
try:
    make()
except subprocess.CalledProcessError as e:
    for ns in (A, B):
        subprocess.run(["ip", "netns", "del", ns], capture_output=True)
    skip_all("no network namespaces here: " + e.stderr.decode().strip())
try:
    for f in (
        every_thread_has_given_up,
        flows_are_opened_anew,
        stopped_and_continued,
        filters_of_root_are_read_again,
        filters_of_everybody_are_read_again,
        named_user_gives_up_all,
        host_names_are_not_asked_for,
        root_on_request,
        unconfined_on_request,
        priority_is_kept,
        wrong_users,
        savefiles,
        file_capabilities_go,
        root_of_a_user_namespace,
    ):
        case(f)
finally:
    for ns in (A, B):
        subprocess.run(["ip", "netns", "del", ns], capture_output=True)
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0)
