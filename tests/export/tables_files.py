#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tables_files.py PROGRAM: files of tables, which are complete or absent whatever happens.

Rotation and its names, SIGHUP, killed senders and programs, a full disk, SQLite beside readers and
other writers, and each refusal with its advice.  The last line counts the cases."""

import glob
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile

import peers
from progress import Running, wait_until
from tablecase import files_of, read_lines, run

PROGRAM = os.path.abspath(sys.argv[1])
PARTS = ("ring_dropped", "sent", "failed", "unfit", "lost")
SYNTH = "synth:count=60000,flows=6000,seed=3"
FAST = ("--max-flows", "2000")  # flows end by eviction, so records come all the time
cases = []
programs = []  # that were started


def case(function):
    cases.append(function)
    return function


def rows_of(path):
    """The rows of a whole Parquet file."""
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path).num_rows


def books_of(report):
    books = report["exports"][0]
    assert books["offered"] == sum(books[part] for part in PARTS), books
    return books


def make(path, *words, **options):
    """Writes generated flows to a table.  Returns the books of the target."""
    done = run(PROGRAM, "-i", SYNTH, *FAST, "--json", "--flows", path, *words, **options)
    return books_of(json.loads(done.stdout)), done.stderr


def start(path, *words):
    """A run that goes on until it is ended."""
    source = "synth:rate=20000,flows=6000"
    programs.append(Running([PROGRAM, "-i", source, *FAST, "--json", "--flows", path, *words]))
    return programs[-1]


def end(program, code=0):
    program.send_signal(signal.SIGINT)
    out, _ = program.process.communicate(timeout=550)
    assert program.process.returncode == code, program.read_messages()
    return books_of(json.loads(out))


def child_named(parent, name):
    """The process id of a child, or None."""
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat, encoding="utf-8", errors="replace") as f:
                text = f.read()
        except OSError:
            continue
        if f"({name})" in text and int(text.rsplit(")", 1)[1].split()[1]) == parent:
            return int(text.split()[0])
    return None


# ---- Files ----


@case
def rows_rotate_into_whole_files(folder):
    books, _ = make(folder + "/f.parquet", "--flows-rotate", "rows=1000")
    names = files_of(folder, "")
    assert names == [f"f_{k + 1:05}.parquet" for k in range(len(names))], names
    counts = [rows_of(os.path.join(folder, name)) for name in names]
    assert len(counts) > 4 and set(counts[:-1]) == {1000} and 0 < counts[-1] <= 1000, counts
    assert sum(counts) == books["sent"] == books["offered"], (counts, books)
    sizes = [os.path.getsize(os.path.join(folder, name)) for name in names]
    assert sum(sizes) == books["bytes"], (sizes, books)


@case
def a_new_run_takes_no_name_of_the_last(folder):
    words = ("--flows-rotate", "rows=4000")
    make(folder + "/f%3N.parquet", *words)
    before = {name: os.stat(os.path.join(folder, name)).st_ino for name in files_of(folder, "")}
    make(folder + "/f%3N.parquet", *words)
    after = files_of(folder, "")
    assert "f001.parquet" in before and "f001-2.parquet" in after, after
    for name, number in before.items():
        assert os.stat(os.path.join(folder, name)).st_ino == number, name


@case
def a_time_rotates_by_the_ends_of_flows(folder):
    captures = [path for path in peers.captures() if path.endswith("afs.pcap")]
    words = ("--flow-idle", "5", "--flows-rotate", "every=30s")
    environment = {**os.environ, "TZ": "UTC"}
    path = folder + "/f-%H%M%S.parquet"
    run(PROGRAM, "-r", captures[0], "--quiet", "--flows", path, *words, env=environment)
    run(PROGRAM, "-r", captures[0], "--quiet", "--flows", folder + "/f.json", *words[:2])
    names = files_of(folder, ".parquet")
    assert len(names) > 2, names
    import pyarrow.parquet

    seen = 0
    for name in names:
        table = pyarrow.parquet.read_table(os.path.join(folder, name))
        spans = {value // 30_000_000_000 for value in table["last"].cast("int64").to_pylist()}
        seen += table.num_rows
        clock = name[2:8]
        seconds = int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + int(clock[4:])
        # The file is named by the first flow that ended; later ends may be of earlier flows.
        assert max(spans) % 2880 == seconds // 30, (name, spans)
    assert seen == len(read_lines(folder + "/f.json"))


@case
def sighup_begins_a_new_file(folder):
    path = folder + "/f.parquet"
    program = start(path)
    program.wait_for("a part", lambda: os.path.exists(path + ".part"))
    program.wait_for("a sender", lambda: child_named(program.process.pid, "bpf-keeper"))
    program.send_signal(signal.SIGHUP)
    program.wait_for("a whole file", lambda: os.path.exists(path))
    first = rows_of(path)
    books = end(program)
    names = files_of(folder, "")
    assert names in (["f-2.parquet", "f.parquet"], ["f.parquet"]), names
    rows = sum(rows_of(os.path.join(folder, name)) for name in names)
    assert first <= rows == books["sent"], (first, rows, books)


@case
def an_empty_run_leaves_an_empty_table(folder):
    for ending in ("parquet", "sqlite"):
        run(PROGRAM, "-i", "synth:count=5", "--quiet", "--flows", f"{folder}/f.{ending}", "icmp")
    assert rows_of(folder + "/f.parquet") == 0
    assert sqlite3.connect(folder + "/f.sqlite").execute("SELECT * FROM flows").fetchall() == []


@case
def a_killed_program_leaves_whole_files(folder):
    program = start(folder + "/f.parquet", "--flows-rotate", "rows=500")
    program.wait_for("three files", lambda: len(files_of(folder, ".parquet")) > 2)
    keeper = child_named(program.process.pid, "bpf-keeper")
    program.process.kill()
    program.process.wait()
    wait_until("the keeper ends", lambda: not os.path.exists(f"/proc/{keeper}"))
    for name in files_of(folder, ".parquet"):
        assert rows_of(os.path.join(folder, name)) > 0, name


@case
def a_killed_sender_is_counted(folder):
    program = start(folder + "/f.parquet", "--flows-rotate", "rows=2000")
    program.wait_for("a file", lambda: files_of(folder, ".parquet"))
    keeper = child_named(program.process.pid, "bpf-keeper")
    os.kill(wait_until("a sender", lambda: child_named(keeper, "bpf-sender")), signal.SIGKILL)
    program.wait_for("another sender", lambda: child_named(keeper, "bpf-sender"))
    before = len(files_of(folder, ".parquet"))
    program.wait_for("more files", lambda: len(files_of(folder, ".parquet")) > before + 1)
    books = end(program)
    rows = sum(rows_of(os.path.join(folder, name)) for name in files_of(folder, ".parquet"))
    assert rows == books["sent"] and books["starts"] == 2, (rows, books)


def with_small_disk(folder, kilobytes, work):
    """Runs work on a file system of so many KiB, or says why not."""
    if os.geteuid() or not sys.platform.startswith("linux"):
        return "needs root on Linux"
    disk = folder + "/disk"
    os.mkdir(disk)
    options = f"size={kilobytes}k,mode=777"
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", disk]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        return "no file system to be mounted: " + done.stderr.strip()
    try:
        work(disk)
    finally:
        subprocess.run(["umount", disk], check=True)
    return None


@case
def a_full_disk_is_counted_and_told(folder):
    def work(disk):
        for ending, most in (("parquet", 2), ("sqlite", 1)):
            path = f"{disk}/f.{ending}"
            words = ("-i", "synth:count=300000,flows=40000,seed=3", "--max-flows", "1000")
            done = subprocess.run(
                [PROGRAM, *words, "--json", "--flows", path],
                capture_output=True,
                text=True,
                timeout=550,
                check=False,
            )
            books = books_of(json.loads(done.stdout))
            assert books["failed"] > 0, (ending, books)
            assert "not written" in done.stderr or "no end" in done.stderr, done.stderr
            if ending == "sqlite":
                base = sqlite3.connect(path)
                assert base.execute("SELECT count(*) FROM flows").fetchone()[0] == books["sent"]
                base.close()
            elif os.path.exists(path):
                assert rows_of(path) == books["sent"], books
            else:
                assert books["sent"] == 0, books
            for name in os.listdir(disk):
                os.remove(os.path.join(disk, name))

    return with_small_disk(folder, 600, work)


# ---- SQLite ----


def count_rows(path):
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)
    try:
        if not base.execute("SELECT * FROM sqlite_master WHERE name = 'flows'").fetchall():
            return 0  # a run that begins
        return base.execute("SELECT count(*) FROM flows").fetchone()[0]
    finally:
        base.close()


@case
def sqlite_is_read_while_it_is_written(folder):
    path = folder + "/f.sqlite"
    program = start(path)
    program.wait_for("the database", lambda: os.path.exists(path) and os.path.getsize(path))
    first = program.wait_for("rows", lambda: count_rows(path))
    program.wait_for("more rows", lambda: count_rows(path) > first)
    books = end(program)
    assert count_rows(path) == books["sent"] == books["offered"], books
    assert files_of(folder, "") == ["f.sqlite"]


@case
def sqlite_waits_for_another_writer(folder):
    path = folder + "/f.sqlite"
    program = start(path)
    program.wait_for("the database", lambda: os.path.exists(path) and os.path.getsize(path))
    program.wait_for("rows", lambda: count_rows(path))
    os.chmod(folder, 0o777)
    other = sqlite3.connect(path, timeout=60, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    program.wait_for("the notice", lambda: "another program writes" in program.read_messages())
    other.execute("COMMIT")
    held = count_rows(path)
    program.wait_for("more rows", lambda: count_rows(path) > held)
    other.close()
    books = end(program)
    assert count_rows(path) == books["sent"] and not books["failed"], books


@case
def sqlite_begins_anew_or_appends(folder):
    path = folder + "/f.sqlite"
    first = make(path)[0]["sent"]
    assert make(path)[0]["sent"] == count_rows(path)
    more = make(path, "--flows-append")[0]["sent"]
    assert count_rows(path) == first + more, (first, more)


def make_base(path, *statements):
    base = sqlite3.connect(path)
    for statement in statements:
        base.execute(statement)
    base.commit()
    base.close()
    os.chmod(path, 0o666)


@case
def a_foreign_database_stays(folder):
    path = folder + "/f.sqlite"
    make_base(path, "CREATE TABLE flows(a)", "INSERT INTO flows VALUES(1)")
    with open(path, "rb") as f:
        before = f.read()
    done = run(PROGRAM, "-i", SYNTH, "--quiet", "--flows", path, code=1)
    assert "another program's database" in done.stderr, done.stderr
    with open(path, "rb") as f:
        assert f.read() == before
    with open(path, "wb") as f:
        f.write(b"no database at all" * 100)
    done = run(PROGRAM, "-i", SYNTH, "--quiet", "--flows", path, code=1)
    assert "no database" in done.stderr, done.stderr


@case
def other_columns_are_refused(folder):
    path = folder + "/f.sqlite"
    run(PROGRAM, "-i", "synth:count=5", "--quiet", "--flows", path)
    base = sqlite3.connect(path)
    base.execute("ALTER TABLE flows ADD COLUMN more")
    base.close()
    words = ("--quiet", "--flows-append", "--flows", path)
    done = run(PROGRAM, "-i", "synth:count=5", *words, code=1)
    assert "other columns" in done.stderr, done.stderr


# ---- Refusals ----


@case
def words_are_refused_with_advice(folder):
    table, base = folder + "/f.parquet", folder + "/f.sqlite"
    rows = [
        (["--flows", table, "--flows-append"], "cannot grow"),
        (["--flows", table, "--flows-format", "csv"], "is for lines"),
        (["--flows", base, "--flows-error", "stop"], "is for lines"),
        (["--flows", base, "--flows-begin"], "is for lines"),
        (["--flows", base, "--flows-rotate", "rows=5"], "NAME.parquet"),
        (["--flows", folder + "/f.json", "--flows-rotate", "rows=5"], "NAME.parquet"),
        (["--flows", table, "--flows-rotate", "size=1"], "wants limits"),
        (["--flows", table, "--flows-rotate", "every=0"], "wants limits"),
        (["--flows", table, "--flows-rotate", ""], "wants limits"),
        (["--flows", table, "--flows-rotate", "rows=1,"], "wants limits"),
        (["--flows", table, "--no-flows"], "contradict"),
    ]
    for words, advice in rows:
        done = run(PROGRAM, "-i", SYNTH, *words, code=2)
        assert advice in done.stderr, (words, done.stderr)
    assert files_of(folder, "") == []


@case
def places_are_refused_with_advice(folder):
    os.mkdir(folder + "/d.parquet")
    done = run(PROGRAM, "-i", SYNTH, "--flows", folder + "/d.parquet", code=1)
    assert "no regular file" in done.stderr, done.stderr
    done = run(PROGRAM, "-i", SYNTH, "--flows", folder + "/none/f.parquet", code=1)
    assert "No such file" in done.stderr, done.stderr
    table = folder + "/f.parquet"
    capture = peers.captures()[0]
    os.symlink(capture, table)
    done = run(PROGRAM, "-r", capture, "--flows", table, code=1)
    assert "name another" in done.stderr and os.path.getsize(capture), done.stderr


def drops_rights():
    """Whether root becomes another user: builds with sanitizers do not."""
    command = [PROGRAM, "-i", "synth:count=10", "-q", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["rights"]["dropped"]


@case
def a_folder_that_takes_no_file(folder):
    if os.geteuid():
        return "needs root"
    if not drops_rights():
        return "this build keeps its rights"
    os.chmod(folder, 0o755)
    books, _ = make(folder + "/f.parquet")
    assert rows_of(folder + "/f.parquet") == books["sent"]
    assert os.stat(folder + "/f.parquet").st_mode & 0o777 == 0o600
    done = run(
        PROGRAM, "-i", SYNTH, "--flows", folder + "/f.parquet", "--flows-rotate", "rows=9", code=1
    )
    assert "may make no file" in done.stderr and "install -d" in done.stderr, done.stderr
    done = run(PROGRAM, "-i", SYNTH, "--flows", folder + "/f.sqlite", code=1)
    assert "may make no file" in done.stderr, done.stderr
    return None


def main():
    peers.python("pyarrow")
    passed = failed = 0
    for function in cases:
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)
            try:
                why = function(folder)
            except Exception as error:  # a case that fails leaves the others to run
                failed += 1
                place = error.__traceback__.tb_next.tb_lineno if error.__traceback__.tb_next else 0
                print(f"FAILED {function.__name__} (line {place}): {error!r}"[:1500], flush=True)
                continue
            finally:
                # A case that failed leaves no program behind.
                while programs:
                    process = programs.pop().process
                    if process.poll() is None:
                        process.kill()
                        process.wait()
            if why:
                print(f"skipped {function.__name__}: {why}")
            passed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main()
