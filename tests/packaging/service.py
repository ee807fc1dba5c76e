#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""service.py PROGRAM: the files in packaging that run bpfengine as a service, tried as far as this
system goes.

logrotate's own sequence, on a running program that was started as root; the rotation that is
shipped; the unit by systemd-analyze, its command with its user's rights, and its signal; the
property list of launchd, with its command.  What is missing here is skipped by name.  The last line
counts the cases.
"""

import configparser
import grp
import json
import os
import plistlib
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from progress import Running

PROGRAM = os.path.abspath(sys.argv[1])
PACKAGING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packaging")
UNIT = os.path.join(PACKAGING, "systemd", "bpfengine@.service")
LOGS = "/var/log/bpfengine"
SYNTH = ("-i", "synth:rate=5000,flows=50", "--flow-idle", "0.05")
LOGROTATE = """
{path} {{
	rotate 3
	{how}
	postrotate
		kill -HUP {pid}
	endscript
}}
"""
passed = failed = skipped = 0


class Skip(Exception):
    pass


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


def read_shipped(*names):
    with open(os.path.join(PACKAGING, *names), encoding="utf-8") as f:
        return f.read()


def need(*tools):
    """Skips the case without Linux's /proc, without root, or without one of the tools."""
    if sys.platform != "linux":
        raise Skip("not Linux")
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"{tool} is not installed")
    if os.geteuid():
        raise Skip("not root")


def need_loopback():
    """Skips the case where nothing can be captured on lo."""
    p = subprocess.run(
        [PROGRAM, "-i", "lo", "-t", "0.01", "--json"], capture_output=True, text=True, timeout=600
    )
    if p.returncode:
        raise Skip("no capture on lo here: " + p.stderr.strip())
    try:
        send_on_loopback()
    except OSError as e:
        raise Skip(f"lo carries nothing here: {e}") from e


def nobody():
    account = pwd.getpwnam("nobody")
    return account, grp.getgrgid(account.pw_gid).gr_name


def is_confining():
    """Whether this build gives up rights by itself: one for a sanitizer does not."""
    p = subprocess.run(
        [PROGRAM, "-i", "synth:count=1", "--json"], capture_output=True, text=True, timeout=600
    )
    return json.loads(p.stdout)["rights"]["dropped"]


class Place:
    """A directory that everybody may pass through, with one for logs in it."""

    def __init__(self, owner):
        self.temporary = tempfile.TemporaryDirectory()
        self.top = self.temporary.name
        self.logs = os.path.join(self.top, "log")
        self.path = os.path.join(self.logs, "lo.json")
        os.chmod(self.top, 0o755)
        os.mkdir(self.logs, 0o755)
        shutil.chown(self.logs, owner)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()

    def rotate(self, config, path=os.environ.get("PATH")):
        """Rotates by force, as the system's daily run does."""
        file = os.path.join(self.top, "logrotate.conf")
        with open(file, "w", encoding="utf-8") as f:
            f.write(config)
        os.chmod(file, 0o644)
        p = subprocess.run(
            ["logrotate", "-f", "-s", os.path.join(self.top, "state"), file],
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, "PATH": path},
        )
        assert p.returncode == 0 and "error" not in p.stderr, p.stderr

    def count_lines(self, *ends):
        lines = []
        for end in ends:
            with open(self.path + end, encoding="utf-8") as f:
                lines.append(len([json.loads(line) for line in f]))
        return lines


def is_open(pid, path):
    """Whether the process has the file open that has this path now."""
    try:
        now = os.stat(path)
        opened = [os.stat(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return False
    return (now.st_dev, now.st_ino) in [(st.st_dev, st.st_ino) for st in opened]


def logrotate_moves_and_makes():
    """Twice, confined.  Nobody owns the first directory: root's file is given to the user, and
    create leaves another of that user's.  In the second the program makes the new file."""
    need("logrotate")
    account, group = nobody()
    for owner, how in (("root", "create"), ("nobody", f"su nobody {group}\n\tnocreate")):
        with Place(owner) as place:
            p = Running([PROGRAM, *SYNTH, "-Z", "nobody", "--flows", place.path, "--json"])
            for _ in range(2):
                p.wait_for_lines(place.path, 50)
                place.rotate(LOGROTATE.format(path=place.path, how=how, pid=p.process.pid))
                p.wait_for("a new file", lambda: is_open(p.process.pid, place.path))
            p.wait_for_lines(place.path, 50)
            out, err, code = p.end()
            lines = place.count_lines("", ".1", ".2")
            records = json.loads(out)["flows"]["records"]
            assert sum(lines) == records["written"] and min(lines) >= 50, (lines, records)
            assert records["lost"] == 0 and code == 0, (records, err)
            assert os.stat(place.path).st_uid == account.pw_uid
            assert "is not opened anew" not in err, err
            told = "once logrotate's create has made it" in err and "install -d -o nobody" in err
            assert told == (owner == "root"), err


def the_shipped_rotation():
    """The snippet as it is, but for its directory and user; systemctl is a stand-in here."""
    need("logrotate")
    _, group = nobody()
    config = read_shipped("logrotate", "bpfengine")
    with Place("nobody") as place:
        p = Running([PROGRAM, *SYNTH, "-Z", "nobody", "--flows", place.path, "--json"])
        stub = os.path.join(place.top, "systemctl")
        with open(stub, "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\necho "$*" >>{place.top}/asked\nkill -HUP {p.process.pid}\n')
        os.chmod(stub, 0o755)
        config = config.replace(LOGS, place.logs)
        config = config.replace("su bpfengine bpfengine", f"su nobody {group}")
        assert place.logs in config and f"su nobody {group}" in config, config
        p.wait_for_lines(place.path, 50)
        place.rotate(config, f"{place.top}:{os.environ['PATH']}")
        p.wait_for("a new file", lambda: is_open(p.process.pid, place.path))
        p.wait_for_lines(place.path, 50)
        out, err, code = p.end()
        assert code == 0 and "is not opened anew" not in err, err
        written = json.loads(out)["flows"]["records"]["written"]
        assert sum(place.count_lines("", ".1")) == written, written
        with open(os.path.join(place.top, "asked"), encoding="utf-8") as f:
            assert f.read().split()[:2] == ["kill", "--signal=HUP"]


def read_unit():
    """The unit's sections; of a key that is given several times, the last value."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(UNIT)
    return unit


def the_unit_is_understood():
    """By systemd itself: no message, and little is exposed."""
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze is not installed")
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "bpfengine@lo.service")
        with open(UNIT, encoding="utf-8") as f:
            text = f.read().replace("/usr/bin/bpfengine", PROGRAM)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        p = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", path],
            capture_output=True,
            text=True,
            timeout=600,
        )
        about = [line for line in p.stderr.splitlines() if "bpfengine" in line]
        assert p.returncode == 0 and not about, p.stderr
        p = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--threshold=40", path],
            capture_output=True,
            text=True,
            timeout=600,
        )
        if "unrecognized option" in p.stderr:
            raise Skip("this systemd-analyze judges no files")
        assert p.returncode == 0, p.stdout + p.stderr


def send_on_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for port in range(20000, 20050):
            s.sendto(b"x" * 40, ("127.0.0.1", port))


def run_service(command, path, hup, before=()):
    """Runs a service's command on lo, with a rotation; returns its messages."""
    p = Running([*before, *command, "--flow-idle", "0.1", "--json"])
    p.wait_for_message("flows are written to")
    send_on_loopback()
    p.wait_for_lines(path, 50)
    os.rename(path, path + ".1")
    p.send_signal(hup)
    p.wait_for("a new file", lambda: is_open(p.process.pid, path))
    send_on_loopback()
    p.wait_for_lines(path, 50)
    out, err, code = p.end(signal.SIGTERM)
    report = json.loads(out)
    assert code == 0 and report["flows"]["records"]["lost"] == 0, err
    return report, err


def the_units_command_runs():
    """With the rights that the unit gives: another user, and one capability."""
    need("setpriv")
    need_loopback()
    service = read_unit()["Service"]
    assert service["AmbientCapabilities"] == service["CapabilityBoundingSet"] == "CAP_NET_RAW"
    hup = re.fullmatch(r"/bin/kill -(\w+) \$MAINPID", service["ExecReload"]).group(1)
    account, _ = nobody()
    with Place("nobody") as place:
        text = service["ExecStart"].replace(LOGS, place.logs).replace("/usr/bin/bpfengine", PROGRAM)
        text = text.replace("%I", "lo").replace("%i", "lo").replace("$BPFENGINE_OPTIONS", "")
        assert "%" not in text and "$" not in text, text
        before = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
        before += ["--clear-groups", "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw"]
        before += ["--bounding-set=-all,+net_raw", "--no-new-privs"]
        may = subprocess.run([*before, PROGRAM, "--version"], capture_output=True, timeout=600)
        if may.returncode:
            raise Skip("nobody may not run the program where it lies")
        report, err = run_service(
            shlex.split(text), place.path, getattr(signal, f"SIG{hup}"), before
        )
        rights = report["rights"]
        assert rights["user"] == "nobody" and "SIGHUP" not in err, (rights, err)
        assert rights["capabilities"] == "no capabilities" or not is_confining(), rights


def the_property_list_is_right():
    """Of launchd: what it says, and its command, on this system's loopback interface."""
    job = plistlib.loads(read_shipped("launchd", "io.github.bpfengine.plist").encode())
    words = job["ProgramArguments"]
    assert job["Label"] == "io.github.bpfengine" and job["RunAtLoad"] is True
    assert words[0] == "/usr/local/bin/bpfengine" and all(isinstance(w, str) for w in words)
    assert job["KeepAlive"] == {"SuccessfulExit": False}
    path = words[words.index("--flows") + 1]
    assert os.path.dirname(path) == os.path.dirname(job["StandardErrorPath"]) == LOGS
    need()
    need_loopback()
    with Place("nobody") as place:
        here = {words[0]: PROGRAM, "en0": "lo", path: place.path}
        report, err = run_service([here.get(w, w) for w in words], place.path, signal.SIGHUP)
        assert report["rights"]["user"] == "nobody" and "SIGHUP" not in err, (report, err)


for one in (
    logrotate_moves_and_makes,
    the_shipped_rotation,
    the_unit_is_understood,
    the_units_command_runs,
    the_property_list_is_right,
):
    case(one)
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed else 0 if passed else 77)
