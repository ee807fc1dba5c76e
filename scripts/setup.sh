#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# setup.sh [tests|peers|cross] [--list]: installs what building needs.  With "tests" also what
# testing needs, with "peers" also the collectors that the tests of the suite "export" send to, with
# "cross" what scripts/cross.sh needs.  Installs nothing if everything is there.
# --list: prints what would be installed, and installs nothing.
set -eu

want_tests="" want_peers=false list_only=false
for word in "$@"; do
	case $word in
	tests | cross) want_tests=$word ;;
	peers) want_tests=tests want_peers=true ;;
	--list) list_only=true ;;
	*)
		echo "setup: $word is not known: setup.sh [tests|peers|cross] [--list]" >&2
		exit 2
		;;
	esac
done
missing="" wanted=""

need() {	# command, then the package's name: apt, brew, pkg
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2:$3:$4"
}

check_meson() {	# Debian 12, Ubuntu 24.04 and Homebrew have a version that is new enough
	local version
	version=$(meson --version 2>/dev/null) || return 0
	if [ "$(printf '%s\n' 1.0.1 "$version" | sort -V | head -n 1)" != 1.0.1 ]; then
		echo "setup: Meson $version is too old: 1.0.1 or later is needed. A newer version:" >&2
		echo "  python3 -m venv ~/meson && ~/meson/bin/pip install meson" >&2
		echo "  export PATH=~/meson/bin:\$PATH, then try again" >&2
		exit 1
	fi
}

check_meson
need python3 python3 python3 python3
need meson meson meson meson
need ninja ninja-build ninja ninja
need pkg-config pkg-config pkg-config pkgconf
# The live view: macOS and the BSDs have a curses of their own.
if [ "$(uname -s)" = Linux ] && ! pkg-config --exists ncursesw 2>/dev/null; then
	missing="$missing libncurses-dev:-:-"
fi
# Compressed savefiles.  A build without a library lacks its form, so nothing fails without it.
want_library() {	# pkg-config's name, then the package's name: apt, brew, pkg
	pkg-config --exists "$1" 2>/dev/null || wanted="$wanted $2:$3:$4"
}
want_library libzstd libzstd-dev zstd zstd
want_library liblz4 liblz4-dev lz4 liblz4
[ "$(uname -s)" != Linux ] || want_library zlib zlib1g-dev - -
want_library liblzma liblzma-dev xz -
# Names of QUIC flows: macOS and FreeBSD have a library of their own.
[ "$(uname -s)" != Linux ] || want_library libcrypto libssl-dev - -
# Where records go: Kafka, the page of metrics, tables in a file.  macOS has SQLite.
want_library rdkafka librdkafka-dev librdkafka librdkafka
want_library libmicrohttpd libmicrohttpd-dev libmicrohttpd libmicrohttpd
[ "$(uname -s)" = Darwin ] || want_library sqlite3 libsqlite3-dev - sqlite3
# Real collectors for the tests of the suite "export".  Debian starts some of them as services, so
# they are installed only if asked for.  scripts/peers.sh brings those that are no packages.
if $want_peers; then
	want_peer() {	# command, then the package's name: apt, brew, pkg
		PATH=$PATH:/usr/sbin command -v "$1" >/dev/null 2>&1 || wanted="$wanted $2:$3:$4"
	}
	want_peer nfcapd nfdump nfdump nfdump
	want_peer nfacctd pmacct - pmacct
	want_peer prometheus prometheus prometheus prometheus
	want_peer kcat kcat kcat -
	want_peer java default-jre-headless openjdk openjdk17
	want_peer mvn maven maven maven
	want_peer go golang-go go go
fi
[ "$want_tests" != tests ] || need cmake cmake cmake cmake
if ! command -v cc >/dev/null 2>&1; then missing="$missing gcc:-:-"; fi
if [ "$want_tests" = tests ]; then	# the pages and the completions are tried in what reads them
	need mandoc mandoc mandoc -
	need groff groff-base groff groff
	need zsh zsh zsh zsh
	need fish fish fish fish
fi
if [ "$want_tests" = tests ] && [ "$(uname -s)" = Linux ] && ! python3 -c "import sys; sys.path.append('/usr/lib/python3/dist-packages'); import pyte" 2>/dev/null; then
	missing="$missing python3-pyte:-:-"
fi
if [ "$want_tests" = tests ] && [ "$(uname -s)" = Linux ] &&
	! pkg-config --exists fuse3 2>/dev/null; then
	missing="$missing libfuse3-dev:-:-"
fi
if [ "$want_tests" = tests ] && ! pkg-config --exists libpcap 2>/dev/null; then
	missing="$missing libpcap-dev:libpcap:libpcap"
fi
if [ "$want_tests" = tests ] && ! pkg-config --exists criterion 2>/dev/null; then
	missing="$missing libcriterion-dev:criterion:-"
fi
if [ "$want_tests" = cross ]; then
	need file file - -
	python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv:-:-"
fi
can_install() {	# without a question
	[ "$(uname -s)" != Darwin ] || { command -v brew >/dev/null 2>&1; return; }
	command -v apt-get >/dev/null 2>&1 || command -v pkg >/dev/null 2>&1 || return 1
	[ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}
only_wanted=false
if [ -n "$wanted" ] && { [ -n "$missing" ] || can_install; }; then
	[ -n "$missing" ] || only_wanted=true
	missing="$missing$wanted"
fi
[ -n "$missing" ] || exit 0

pick() {	# column 1, 2 or 3 of each missing one
	for m in $missing; do
		p=$(echo "$m" | cut -d: -f"$1")
		[ "$p" = - ] || printf '%s ' "$p"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"
	elif command -v sudo >/dev/null 2>&1; then sudo "$@"
	else
		echo "setup: root is needed for: $* (no sudo here): run it as root, then try again" >&2
		exit 1
	fi
}

system=$(uname -s)
if $list_only; then
	if [ "$system" = Darwin ]; then pick 2
	elif command -v apt-get >/dev/null 2>&1; then pick 1
	elif command -v pkg >/dev/null 2>&1; then pick 3
	else pick 1
	fi | sed 's/ *$//'
	exit 0
fi
if $only_wanted; then	# the build does without them
	trap 'echo "setup: without them, the programs lack what they are for" >&2; exit 0' EXIT
fi
if [ "$system" = Darwin ]; then
	if ! command -v cc >/dev/null 2>&1; then
		echo "setup: no C compiler: run xcode-select --install, then try again" >&2
		exit 1
	fi
	if ! command -v brew >/dev/null 2>&1; then
		echo "setup: Homebrew is missing (see brew.sh); or install by hand: $(pick 2)" >&2
		exit 1
	fi
	# shellcheck disable=SC2046
	brew install $(pick 2)
elif command -v apt-get >/dev/null 2>&1; then
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
	# shellcheck disable=SC2046
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q $(pick 1)
elif command -v pkg >/dev/null 2>&1; then
	packages=$(pick 3)
	# shellcheck disable=SC2086
	[ -z "$packages" ] || as_root pkg install -y $packages
	if [ "$want_tests" = tests ] && ! pkg-config --exists criterion; then
		echo "setup: no Criterion from pkg: the unit tests that need it are left out" >&2
	fi
else
	echo "setup: no package manager that this script knows (apt-get, brew, pkg)" >&2
	echo "  install by hand (Debian's names): $(pick 1)" >&2
	exit 1
fi
trap - EXIT
check_meson
