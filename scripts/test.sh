#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test.sh [build directory [meson options]]: installs what is missing, builds, and runs every test.
# The last line counts the cases.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
"$top/scripts/setup.sh" tests >&2 || exit 1
build=${1:-$top/build}
[ $# -eq 0 ] || shift
if [ ! -f "$build/build.ninja" ]; then meson setup "$build" "$top" "$@" || exit 1; fi
ninja -C "$build" || { echo "0 passed, 1 failed"; exit 1; }
processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# Another process than there are processors: some tests wait most of the time.
meson test -C "$build" --no-rebuild --print-errorlogs --num-processes $((processors + 1))
python3 "$top/scripts/count_tests.py" "$build/meson-logs/testlog.json"
