#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# test.sh [build directory [meson options]]: installs missing tools, builds, and runs every test.
# The last line counts the cases.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$top/build}
[ $# -eq 0 ] || shift
log=$build/test.log
# shellcheck source=scripts/steps.sh
. "$top/scripts/steps.sh"

fail() {
	echo "0 passed, 1 failed"
	exit 1
}

begin_log
install_tools tests || fail
configure_build "$build" "$@" || fail
step "building everything (log: $(shown_path "$log"))" ninja -C "$build" || fail
processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
say "running the tests"
# Another process than there are processors: some tests wait most of the time.
meson test -C "$build" --no-rebuild --print-errorlogs --num-processes $((processors + 1))
python3 "$top/scripts/count_tests.py" "$build/meson-logs/testlog.json"
