#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# cross.sh [--arch BACKEND] [TARGET...] | --list
# Compiles and links all that needs no Criterion for other systems (default: for each), with zig's C
# compiler and the C libraries that zig brings.  Nothing is run.  Prints a line a target: compiled
# and linked, skipped (why), or failed with the compiler's output.  --arch chooses the backend of
# the x86_64 targets (default: meson.build's).  Exits with 1 if a target failed.  Works in
# build/cross; JOBS is the number of compilers at a time (2).  With CROSS_FEW=1 everything is
# compiled, but of the tests only stress_engine is linked.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
work=$top/build/cross

ziglang=0.17.1	# the version of PyPI's package
# Zig's name of the target (scripts/cross/NAME.ini is its machine), and what file(1) must say of
# everything that is linked, and of programs.
targets='
aarch64-macos	Mach-O 64-bit .*arm64	executable
x86_64-macos	Mach-O 64-bit .*x86_64	executable
aarch64-freebsd	ELF 64-bit LSB .*aarch64	executable.*FreeBSD
x86_64-freebsd	ELF 64-bit LSB .*x86-64	executable.*FreeBSD
aarch64-netbsd	ELF 64-bit LSB .*aarch64	executable.*NetBSD
x86_64-netbsd	ELF 64-bit LSB .*x86-64	executable.*NetBSD
aarch64-openbsd	ELF 64-bit LSB .*aarch64	executable.*OpenBSD
x86_64-openbsd	ELF 64-bit LSB .*x86-64	executable.*OpenBSD
'
names=$(echo "$targets" | awk 'NF { print $1 }')

tools() {	# zig in its own environment, kept for the next time; why not, if not
	local venv=$work/ziglang-$ziglang
	command -v file >/dev/null 2>&1 || { echo "file(1) is not installed"; return 1; }
	if ! "$venv/bin/python" -m ziglang version >/dev/null 2>&1; then
		rm -rf "$venv"
		if ! { python3 -m venv "$venv" && "$venv/bin/pip" -q install "ziglang==$ziglang"; } \
				>"$work/pip.log" 2>&1; then
			rm -rf "$venv"
			cat "$work/pip.log" >&2
			echo "ziglang $ziglang could not be installed"
			return 1
		fi
	fi
	"$venv/bin/python" -c 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))'
}

# Succeeds if zig ($1) names the target ($2) among those with a C library.
libc() { "$1" targets | grep -a "\"$2-" >/dev/null; }

build() {	# zig, target
	cat >"$work/$2.ini" <<-END
		[binaries]
		c = ['$top/scripts/cross/cc.sh', '$1', '$2']
		ar = ['$1', 'ar']
		END
	rm -rf "${work:?}/$2"
	local chosen=auto
	case $2 in x86_64-*) chosen=$backend ;; esac
	meson setup "$work/$2" "$top" --cross-file "$top/scripts/cross/$2.ini" \
		--cross-file "$work/$2.ini" -Dwerror=true -Dtests=disabled \
		-Ddefault_library=both -Dexamples=true "-Darch=$chosen" \
		"-Doptimization=${CROSS_OPTIMIZATION:-3}" || return 1
	local wanted=
	if [ -n "${CROSS_FEW:-}" ]; then
		wanted=$(ninja -C "$work/$2" -t targets all |
			sed -nE 's/^((src|examples)\/.*|tests\/stress_engine|.*\.o): .*/\1/p' |
			grep -v '\.symbols$') || return 1
	fi
	# shellcheck disable=SC2086
	ninja -C "$work/$2" -k 0 -j "${JOBS:-2}" $wanted
}

# directory, patterns for all and for programs: checks that each file is there, in its format.
formats() {
	local f what bad=0 library=0
	for f in src/bpfengine src/libbpfengine.a examples/basic_capture tests/stress_engine \
		src/bpfbench; do
		[ -f "$1/$f" ] || { echo "$f was not made"; bad=1; }
	done
	while read -r f; do
		what=$(file -b "$f")
		echo "${f#"$1"/}: $what"
		echo "$what" | grep -q "$2" || { echo "this is not $2"; bad=1; }
		case $what in
		Mach-O*) python3 "$top/scripts/cross/minos.py" "$f" 11.0 || bad=1 ;;
		esac
		case $f in
		*/libbpfengine.*) library=1 ;;
		*) echo "$what" | grep -q "$3" || { echo "this is not $3"; bad=1; } ;;
		esac
	done <<-END
		$(find "$1" -name meson-private -prune -o -type f -perm -u+x -print)
		END
	[ $library -eq 1 ] || { echo "no shared library was made"; bad=1; }
	return $bad
}

one() {	# zig, target
	local log=$work/$2.log all programs
	all=$(echo "$targets" | awk -F'\t' -v name="$2" '$1 == name { print $2 }')
	programs=$(echo "$targets" | awk -F'\t' -v name="$2" '$1 == name { print $3 }')
	if ! libc "$1" "$2"; then
		echo "$2: skipped (ziglang $ziglang has no C library for it)"
	elif build "$1" "$2" >"$log" 2>&1 && formats "$work/$2" "$all" "$programs" >>"$log" 2>&1; then
		echo "$2: compiled and linked"
	else
		echo "$2: failed"
		grep -vE '^\[[0-9]+/[0-9]+\] |^warning: ignoring deprecated linker' "$log"
		return 1
	fi
}

backend=auto
if [ "${1:-}" = --arch ]; then
	[ $# -gt 1 ] || { echo "cross: --arch wants a backend" >&2; exit 1; }
	backend=$2
	shift 2
fi
if [ "${1:-}" = --list ]; then echo "$names"; exit 0; fi
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $names
for target; do
	echo "$names" | grep -qxF -- "$target" || { echo "cross: no target $target; see --list" >&2; exit 1; }
done
"$top/scripts/setup.sh" cross >&2 || exit 1
mkdir -p "$work"
export ZIG_GLOBAL_CACHE_DIR=$work/cache ZIG_LOCAL_CACHE_DIR=$work/cache
zig=$(tools)
if [ ! -x "$zig" ]; then
	for target; do echo "$target: skipped ($zig)"; done
	exit 0
fi
code=0
for target; do one "$zig" "$target" || code=1; done
exit $code
