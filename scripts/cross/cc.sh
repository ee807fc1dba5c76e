#!/bin/sh
# SPDX-License-Identifier: MIT
# cc.sh ZIG TARGET ARGUMENT...: runs zig's C compiler for the target, as Meson expects a compiler.
# Asked for its linker, zig answers "zig ld", which Meson before 1.4 does not know.  This script
# names the linker whose arguments zig takes.  "-Wl,-force_load FILE" is two words for Apple's
# compiler and becomes a single word for zig.
set -eu
zig=$1 target=$2
shift 2
case "$target $* " in
*"-macos -Wl,-v"*) echo "ld64.lld, zig $("$zig" version)" >&2; exit 0 ;;
*" -Wl,--version "*) echo "LLD, zig $("$zig" version)"; exit 0 ;;
esac
left=$#
while [ "$left" -gt 0 ]; do	# each argument goes from the front to the back
	argument=$1
	shift
	if [ "$argument" = -Wl,-force_load ]; then
		argument=$argument,$1
		shift
		left=$((left - 1))
	fi
	set -- "$@" "$argument"
	left=$((left - 1))
done
case $target in
*-macos) target=$target.11.0 ;;	# the oldest macOS, as in meson.build
esac
exec "$zig" cc -target "$target" "$@"
