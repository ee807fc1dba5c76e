#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""rights.py PROGRAM: the rights that the program has left while capturing, as /proc shows them.

Linux, as root, in two network namespaces joined by a veth pair that this test makes itself; skipped
by name (exit code 77) otherwise.  The last line counts the cases.
"""

import json, os, pwd, shutil, signal, struct, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import sender
from progress import Running

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


def send(n):
    sender.send(A, "va", n, B, "vb")


def status(path):
    return dict((k, v.strip()) for k, _, v in (l.partition(":") for l in open(path)))


class Run(Running):
    """The program while the with block runs; .threads(): each thread's status in /proc."""

    def __init__(self, *words, ns=B, source=("-i", "vb"), before=(), program=PROGRAM, **options):
        super().__init__(
            ["ip", "netns", "exec", ns, *before, program, *source, "--json", *words], **options
        )
        self.p = self.process

    def __enter__(self):
        self.wait_for("a reader", self.runs)
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

    def threads(self):
        d = f"/proc/{self.p.pid}/task"
        return [status(f"{d}/{t}/status") for t in os.listdir(d)]

    def end(self, read, how=signal.SIGINT):
        """Ends the run once so many packets were read; none may come after them."""
        if how:
            self.wait_for_packets(read)
            time.sleep(0.3)
        out, self.err, self.code = super().end(how)
        self.report = json.loads(out)
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
                source=source,
            ) as r:
                # main, reader, output, workers
                r.wait_for("5 threads", lambda: len(r.threads()) == 5)
                held(r.threads(), account)
                send(5000)
                r.wait_for_message("packets/s,", 10)
                j = r.end(5000)
            assert r.code == 0 and j["packets"]["read"] == 5000 and j["kernel"]["dropped"] == 0, j[
                "packets"
            ]
            lines = [json.loads(x) for x in open(path)]
            assert (
                len(lines) == 50
                and sum(sum(x["packets"]) for x in lines) == 5000
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
                if may:
                    r.wait_for("a new file", lambda: os.path.exists(path))
                else:
                    r.wait_for_message("is not opened anew")
                    assert not os.path.exists(path), os.listdir(d)
                send(500)
                j = r.end(500)
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
        assert r.end(1000, signal.SIGTERM)["packets"]["read"] == 1000 and r.code == 0, r.err


def reread(directory, words, caps, reads, user=()):
    """A filter's file, and then a list's, changed by writing and by putting another in its place.

    reads: how many packets have been read after each of three times 500, for the two of them."""
    answer = "(read again|stays as it was|nothing to read again)"
    for kind, read in zip(("filter", "list"), reads):
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
            r.wait_for_packets(read[0])
            open(path, "w").write(texts[1])
            r.p.send_signal(signal.SIGUSR2)
            r.wait_for_message(answer, 1)
            send(500)
            r.wait_for_packets(read[1])
            open(path + "~", "w").write(texts[2])
            os.chmod(path + "~", 0o644)
            os.rename(path + "~", path)
            r.p.send_signal(signal.SIGUSR2)
            r.wait_for_message(answer, 2)
            send(500)
            j = r.end(read[2])
        yield kind, r, j["packets"]["read"] == read[2]


def filters_of_root_are_read_again():
    with tempfile.TemporaryDirectory() as d:  # 0700
        for kind, r, right in reread(d, (), READ, ((10, 30, 40), (0, 500, 500))):
            assert right and r.err.count("read again") == 2, (kind, r.report["packets"], r.err)
            assert (
                "CAP_DAC_READ_SEARCH is kept" in r.err
                and "dac_read_search" in r.report["rights"]["capabilities"]
            ), r.err


def filters_of_everybody_are_read_again():
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        for kind, r, right in reread(d, (), 0, ((10, 30, 40), (0, 500, 500))):
            assert right and r.err.count("read again") == 2 and "kept" not in r.err, (
                kind,
                r.report["packets"],
                r.err,
            )


def named_user_gives_up_all():
    with tempfile.TemporaryDirectory() as d:
        reads = ((10, 20, 30), (0, 0, 0))
        for kind, r, right in reread(d, ("-Z", "nobody"), 0, reads, ("nobody",)):
            assert (
                right and r.err.count("stays as it was") + r.err.count("nothing to read again") == 2
            ), (kind, r.report["packets"], r.err)
            assert "SIGUSR2 cannot read" in r.err, r.err
    with Run("--relinquish-privileges=daemon") as r:
        held(r.threads(), pwd.getpwnam("daemon"))
        send(100)
        assert r.end(100)["packets"]["read"] == 100 and r.report["rights"]["user"] == "daemon"


def host_names_are_not_asked_for():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "list")
        open(path, "w").write("10.77.0.1\n")
        with Run("host", "in", path) as r:
            open(path, "w").write("no-such-host.example\n")
            r.p.send_signal(signal.SIGUSR2)
            r.wait_for_message("stays as it was")
            send(100)
            assert r.end(100)["packets"]["read"] == 100
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
            r.end(100)["packets"]["read"] == 100
            and "keeps all rights" in r.report["rights"]["kept"]
            and not r.report["rights"]["dropped"]
        )


def unconfined_on_request():
    with Run("--no-confine") as r:
        held(r.threads(), fallback(), seccomp=False)
        send(100)
        assert r.end(100)["packets"]["read"] == 100 and r.report["rights"]["confined"] is None, (
            r.report["rights"]
        )


def priority_is_kept():
    for words in ((), ("-Z", "nobody")):
        with Run("--workers", "1", "--priority", "high", *words) as r:
            held(r.threads(), pwd.getpwnam(words[1]) if words else fallback(), NICE)

            def is_high():
                directory = f"/proc/{r.p.pid}/task"
                stats = [open(f"{directory}/{t}/stat").read() for t in os.listdir(directory)]
                return min(int(s.rsplit(")", 1)[1].split()[16]) for s in stats) == -10

            r.wait_for("a higher priority", is_high)
            send(100)
            assert r.end(100)["packets"]["read"] == 100 and "higher priority" not in r.err, r.err


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
    """The reader of a savefile needs no rights; a pipe holds the program in mid-read."""
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
        assert run.end(1000, how=None)["packets"]["read"] == 1000 and run.code == 0
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
                r.end(100)["packets"]["read"] == 100
                and not r.report["rights"]["dropped"]
                and r.report["rights"]["capabilities"] == "no capabilities"
            ), r.report["rights"]


def root_of_a_user_namespace():
    """Without a user to become: reported; without -Z the run goes on with no needless rights."""
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
            [PROGRAM, "-i", "synth:count=1", "--json", "--quiet"], capture_output=True, text=True
        ).stdout
    )["rights"]["confined"]
    or ""
)


def many_savefiles():
    """Each savefile has a pipe, whose ends are scattered among the files: every output that was
    opened behind them may still be written to."""
    office = os.path.join(os.path.dirname(__file__), "../../examples/office.pcap")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        flows = folder + "/flows.json"
        words = [word for _ in range(200) for word in ("-r", office)]
        p = subprocess.run(
            [PROGRAM, *words, "--json", "--flows", flows], capture_output=True, text=True
        )
        j = json.loads(p.stdout)
        with open(flows) as f:
            lines = sum(1 for _ in f)
    assert p.returncode == 0 and "not" not in p.stderr, p.stderr
    assert lines == j["flows"]["opened"] > 0, (lines, j["flows"])
    assert not SECCOMP or "seccomp" in j["rights"]["confined"], j["rights"]


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
        many_savefiles,
        file_capabilities_go,
        root_of_a_user_namespace,
    ):
        case(f)
finally:
    for ns in (A, B):
        subprocess.run(["ip", "netns", "del", ns], capture_output=True)
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0)
