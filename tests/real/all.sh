#!/bin/sh
# SPDX-License-Identifier: MIT
# all.sh [--no-install] [BUILD]: what .github/workflows runs on each system: installs what building
# needs, builds, tests, and then tests/real/run.py on real devices, and on Linux on served nodes.
# SUITES names meson's suites to run (all but those that need Linux; on Linux all).
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
system=$(uname -s)

install_packages() {
	case $system in
	Linux) bash scripts/setup.sh tests ;;
	Darwin) bash scripts/setup.sh ;;
	FreeBSD) pkg install -y meson ninja pkgconf python3 ;;
	NetBSD) pkgin -y install meson ninja-build pkgconf ;;
	OpenBSD) pkg_add meson ninja ;;
	*) echo "all.sh: no packages are known for $system" >&2 ;;
	esac
	# For compressed savefiles; the build does without them.
	case $system in
	FreeBSD) pkg install -y zstd liblz4 || true ;;
	NetBSD) pkgin -y install zstd lz4 || true ;;
	OpenBSD) pkg_add zstd lz4 xz || true ;;
	esac
}

# Prints the newest Python 3; NetBSD and OpenBSD may have it under its version's name only.
find_python() {
	for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
		if command -v "$name" >/dev/null 2>&1; then
			command -v "$name"
			return 0
		fi
	done
	echo "all.sh: no Python 3" >&2
	return 1
}

run_as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo env "PATH=$PATH" "$@"; fi
}

# PATH of packages, where the shell of a virtual machine lacks it.
PATH=$PATH:/usr/local/bin:/usr/pkg/bin:/usr/pkg/sbin:/sbin:/usr/sbin
export PATH
if [ "${1:-}" = --no-install ]; then shift; else install_packages; fi
build=${1:-build}
python=$(find_python)

# Unit tests as plain programs: Criterion is packaged on few systems.
[ -f "$build/build.ninja" ] || meson setup "$build" -Dunit_runner=plain
ninja -C "$build"
if [ "$system" = Linux ]; then suites=${SUITES:-}; else suites=${SUITES:-unit contract parity header}; fi
words=
for suite in $suites; do words="$words --suite $suite"; done
# shellcheck disable=SC2086
run_as_root meson test -C "$build" --no-rebuild --print-errorlogs -t 3 $words

run_as_root "$python" tests/real/run.py "$build"
[ "$system" != Linux ] || run_as_root "$python" tests/real/run.py "$build" --served
