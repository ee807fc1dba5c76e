#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# coverage.sh [SUITE...]: which lines of src and arch the tests run.  Builds with gcc --coverage,
# runs meson's suites (default: all that run the sources here but stress), prints a table by folder,
# and leaves a page for each file in build/coverage/report.  All files are in build/coverage.
# The build neither drops rights nor confines itself: a confined process could not write its counts.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
work=$top/build/coverage
gcovr=8.8	# the version of PyPI's package
suites=${*:-unit contract parity system faults captures fuzz}

say() { echo "coverage.sh: $*" >&2; exit 1; }
command -v gcc >/dev/null 2>&1 || say "gcc is not installed"
command -v gcov >/dev/null 2>&1 || say "gcov, which belongs to gcc, is not installed"

venv=$work/gcovr-$gcovr
mkdir -p "$work"
if ! "$venv/bin/gcovr" --version >/dev/null 2>&1; then
	rm -rf "$venv"
	{ python3 -m venv "$venv" && "$venv/bin/pip" -q install "gcovr==$gcovr"; } ||
		say "gcovr $gcovr could not be installed"
fi

# Atomic counts: the engine has several threads.  The compiler's cache knows no notes of coverage.
export CCACHE_DISABLE=1
if [ ! -f "$work/build.ninja" ]; then
	CC=gcc meson setup "$work" "$top" -Db_coverage=true -Dbuildtype=debugoptimized \
		-Doptimization=1 -Dc_args=-fprofile-update=atomic >"$work/setup.log" || say "see $work/setup.log"
fi
ninja -C "$work" >"$work/ninja.log" || say "see $work/ninja.log"
find "$work" -name '*.gcda' -delete
chmod -R a+rwX "$work"	# for tests that become another user

words=()
for suite in $suites; do words+=(--suite "$suite"); done
meson test -C "$work" --no-rebuild -t 4 "${words[@]}" >"$work/tests.log" 2>&1 ||
	echo "coverage.sh: tests failed, their lines count all the same: see $work/tests.log" >&2

mkdir -p "$work/report"
cd "$work"	# what gcov may leave behind stays there
"$venv/bin/gcovr" -r "$top" --object-directory "$work" --gcov-executable gcov -j 2 \
	--filter "$top/src/" --filter "$top/arch/" --gcov-ignore-parse-errors=all \
	--merge-mode-functions=separate --json-summary "$work/summary.json" \
	--html-details "$work/report/index.html" "$work" >"$work/gcovr.log" 2>&1 ||
	say "see $work/gcovr.log"

python3 - "$work/summary.json" <<-'END_OF_TABLE'
	import collections, json, os, sys
	kinds = ("line", "function", "branch")
	folders = collections.defaultdict(lambda: collections.Counter())
	for f in json.load(open(sys.argv[1]))["files"]:
	    for name in (os.path.dirname(f["filename"]), "all"):
	        folders[name]["files"] += 1
	        for k in kinds:
	            folders[name][k + "s"] += f[k + "_total"]
	            folders[name][k + " hit"] += f[k + "_covered"]
	def share(n, k):
	    return f"{100 * n[k + ' hit'] / n[k + 's']:.1f} %" if n[k + "s"] else "-"
	print("| folder | files | lines | of them run | functions | branches |")
	print("|---|---|---|---|---|---|")
	for name in sorted(folders, key=lambda x: (x == "all", x)):
	    n = folders[name]
	    shares = " | ".join(share(n, k) for k in kinds)
	    print(f"| {name} | {n['files']} | {n['lines']} |", shares, "|")
END_OF_TABLE
