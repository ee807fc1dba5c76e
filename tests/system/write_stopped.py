#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""write_stopped.py PROGRAM STOPPING_DISK: a disk that stops, goes on, fails, and works again.

Needs Linux, root and /dev/fuse; says so otherwise.  The last line counts the cases.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from program import PROGRAM, Cases

from progress import Running, wait_until

case = Cases()
DISK = os.path.abspath(sys.argv[2])
WORDS = ("-Z", "root", "-q", "--no-flows", "-i", "synth:rate=20000", "--write-memory", "4M")


def number(text, pattern):
    """The last number of a report that matches, or 0."""
    found = re.findall(pattern, text)
    return int(found[-1].replace(",", "")) if found else 0


def count_read(text):
    return number(text, r"([\d,]+) packets read")


def count_written(text):
    return number(text, r"Written to [^\n]*?: ([\d,]+) packets")


def count_lost(text, cause):
    return number(text, cause + r": ([\d,]+)")


@contextlib.contextmanager
def mounted():
    """The folder and the mount point of a disk that obeys orders."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as point:
        with subprocess.Popen([DISK, folder, point], stderr=subprocess.PIPE) as disk:
            try:
                wait_until("a mount", lambda: os.path.ismount(point) or disk.poll() is not None)
                yield (folder, point) if os.path.ismount(point) else (None, disk.stderr.read())
            finally:
                for order in ("stop", "fail"):
                    with contextlib.suppress(FileNotFoundError, TypeError):
                        os.unlink(f"{folder}/{order}")
                subprocess.run(["umount", "-l", point], check=False, capture_output=True)
                disk.wait(timeout=550)


def give_order(folder, name):
    with open(f"{folder}/{name}", "w", encoding="utf-8"):
        pass


def count_packets(path):
    p = subprocess.run(
        [PROGRAM, "-q", "--no-flows", "-r", path], capture_output=True, text=True, timeout=550
    )
    assert p.returncode == 0, p.stderr
    return count_read(p.stdout + p.stderr)


@case
def a_disk_stops_fails_and_works_again():
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("umount"):
        print("skipped: needs Linux, root and umount")
        return
    # The program ends before its disk is unmounted, whatever fails.
    with mounted() as (folder, point), contextlib.ExitStack() as stack:
        if not folder:
            print("skipped: no FUSE here:", point.decode().strip())
            return
        words = ["-w", f"{point}/x.pcapng", "--write-error", "continue"]
        running = stack.enter_context(Running([PROGRAM, *WORDS, *words]))
        running.wait_for_report("packets in the file", lambda text: count_written(text) > 0)
        give_order(folder, "stop")
        running.wait_for_report("losses", lambda t: count_lost(t, "writer_full") > 1000)
        read = count_read(running.read_messages())
        running.wait_for_report("packets meanwhile", lambda t: count_read(t) > read + 20000)
        written = count_written(running.read_messages())
        os.unlink(f"{folder}/stop")
        running.wait_for_report("the disk to go on", lambda t: count_written(t) > written + 20000)
        give_order(folder, "fail")
        running.wait_for_message("cannot write ")
        os.unlink(f"{folder}/fail")
        running.wait_for_message(r"writing again, to x-\d+.pcapng")
        written = count_written(running.read_messages())
        running.wait_for_report("the next file", lambda t: count_written(t) > written + 20000)
        running.send_signal(signal.SIGINT)
        out, _ = running.process.communicate(timeout=550)
        text = running.read_messages() + out.decode()
        files = sorted(name for name in os.listdir(folder) if name.startswith("x"))
        assert files == ["x-2.pcapng", "x.pcapng"], files
        found = sum(count_packets(f"{folder}/{name}") for name in files)
        lost = count_lost(text, "writer_full") + count_lost(text, "write_error")
        assert count_lost(text, "write_error") > 0, text[-2000:]
        assert found == count_written(text), (found, count_written(text))
        assert found + lost == count_read(text), (found, lost, count_read(text))


case.finish()
