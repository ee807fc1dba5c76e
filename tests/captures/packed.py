#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""packed.py PROGRAM CAPTURES [EACH]: compressed savefiles give what the plain files give.

Every file of CAPTURES/index.tsv (with EACH: every EACH-th file) is packed in each form that the
build reads: gzip and xz by Python, zstd and lz4 by their programs, where they are installed. zstd
and gzip files have several frames.  The report's counts and all flow records must be equal; every
eighth packed file is also read through a pipe.  Ends with "N passed, N failed"; exit code 77:
there are no captures."""

import concurrent.futures
import gzip
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile

TIMEOUT_S = 550
# Members of the report that a run or its time decides.
OWN = ("source", "seconds", "rates", "workers", "blocks", "batches", "waits", "rights", "version")


def pack_by(*command):
    return lambda data: (
        subprocess.run(
            command, input=data, capture_output=True, check=True, timeout=TIMEOUT_S
        ).stdout
    )


def in_parts(pack):
    """Packs in two frames, of uneven lengths."""
    return lambda data: pack(data[: len(data) // 3]) + pack(data[len(data) // 3 :])


def packers(program):
    """{form: function} of the forms that the program reads and that can be packed here."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    built = re.search(r"files=([\w,]+)", told.stdout).group(1).split(",")
    forms = {
        "gzip": in_parts(lambda data: gzip.compress(data, 1)),
        "xz": lambda data: lzma.compress(data, preset=0),
    }
    for name, options in (("zstd", ("-1",)), ("lz4", ("-1",))):
        if shutil.which(name):
            forms[name] = in_parts(pack_by(name, "-q", "-c", *options))
    return {form: pack for form, pack in forms.items() if form in built}


def read(program, folder, path, data=None):
    """The report and the flow records of a run over the file, or over the bytes by pipe."""
    flows = os.path.join(folder, "flows.jsonl")
    run = subprocess.run(
        [program, "-r", "-" if data else path, "--json", "--quiet", "--flows", flows],
        input=data,
        stdin=None if data else subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if run.returncode != 0:
        return run.stderr.decode(errors="replace"), None
    report = json.loads(run.stdout)
    flows_of = report["flows"]
    flows_of.pop("bytes", None)
    for key in OWN:
        report.pop(key, None)
    for source in report.get("sources", []):
        source.pop("name", None)
    with open(flows, encoding="utf-8") as f:
        # The hash has a key of the run, which also orders the records of the end.
        records = sorted(re.sub(r'"hash":\d+', "", line) for line in f)
    os.remove(flows)
    return report, records


def differ(plain, packed):
    """What differs between two reads; "" if nothing."""
    if packed[1] is None:
        return packed[0][-300:]
    keys = [k for k in plain[0] if plain[0][k] != packed[0].get(k)]
    if keys:
        return f"the reports differ: {[(k, plain[0][k], packed[0].get(k)) for k in keys]}"[:600]
    return "" if plain[1] == packed[1] else "the flow records differ"


def check(program, forms, path, piped):
    """What is wrong with a file, a line for each."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        plain = read(program, folder, path)
        if plain[1] is None:
            return [f"{path}: cannot be read plain: {plain[0][-300:]}"], 0
        with open(path, "rb") as f:
            data = f.read()
        for form, pack in forms.items():
            packed = os.path.join(folder, "x." + form)
            packed_bytes = pack(data)
            with open(packed, "wb") as f:
                f.write(packed_bytes)
            told = differ(plain, read(program, folder, packed))
            if not told and piped:
                report, _ = read(program, folder, packed, packed_bytes)
                # Blocks of a pipe have other lengths, by which late flows may differ.
                if isinstance(report, str) or report["packets"] != plain[0]["packets"]:
                    told = f"by pipe: {report}"[:300]
            if told:
                wrong.append(f"{path} as {form}: {told}")
    return wrong, len(forms)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    program, captures = os.path.abspath(sys.argv[1]), sys.argv[2]
    each = int(sys.argv[3]) if len(sys.argv) == 4 else 1
    index = os.path.join(captures, "index.tsv")
    if not os.path.exists(index):
        print(f"skipped: no captures at {captures}")
        sys.exit(77)
    with open(index, encoding="utf-8") as f:
        names = [line.split("\t")[0] for line in f][1::each]
    forms = packers(program)
    if not forms:
        print("skipped: this build reads no compressed form")
        sys.exit(77)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(
            pool.map(
                lambda k: check(program, forms, os.path.join(captures, names[k]), k % 8 == 0),
                range(len(names)),
            )
        )
    failed = 0
    for wrong, _ in results:
        failed += len(wrong)
        for line in wrong:
            print(line)
    print(f"{sum(n for _, n in results) - failed} passed, {failed} failed ({', '.join(forms)})")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
