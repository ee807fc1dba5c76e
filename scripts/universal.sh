#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# universal.sh [--built | x86_64 BACKEND]
# Makes the program and the libraries for arm64 and x86_64 Macs, both in each file, in
# build/universal.  A Mac uses its own compiler (-arch) and lipo.  Other systems use cross.sh's
# compiler, and llvm-lipo.  Intel's half chooses its kernels at the start, or has the named backend
# alone (avx2).
# With --built the halves are those that cross.sh left in build/cross.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
out=$top/build/universal
built=
if [ "${1:-}" = --built ]; then built=1; shift $#; fi
intel=${1:-all}
files='src/bpfengine src/libbpfengine.a'

say() { echo "universal.sh: $*" >&2; exit 1; }
command -v meson >/dev/null 2>&1 || say "meson is not installed: scripts/setup.sh installs it"

lipo=
for name in lipo llvm-lipo $(ls /usr/bin/llvm-lipo-* 2>/dev/null || true); do
	if command -v "$name" >/dev/null 2>&1; then lipo=$name; break; fi
done
[ -n "$lipo" ] || say "neither lipo (Xcode's command line tools) nor llvm-lipo (package llvm) is installed"

mkdir -p "$out"
half() {	# meson's name of the CPU, clang's, backend: prints its build directory
	local dir=$out/$1
	cat >"$dir.ini" <<-END
		[binaries]
		c = ['cc', '-arch', '$2']
		ar = 'ar'
		strip = 'strip'
		[host_machine]
		system = 'darwin'
		cpu_family = '$1'
		cpu = '$1'
		endian = 'little'
		END
	rm -rf "$dir"
	if ! { meson setup "$dir" "$top" --cross-file "$dir.ini" --buildtype=release \
		-Dtests=disabled -Ddefault_library=both "-Darch=$3" \
		-Dzstd=disabled -Dlz4=disabled -Dlzma=disabled \
			&& ninja -C "$dir"; } >"$dir.log" 2>&1; then
		cat "$dir.log" >&2
		say "the $2 half was not built"
	fi
	echo "$dir"
}

if [ "$(uname -s)" = Darwin ]; then
	arm=$(half aarch64 arm64 neon)
	x86=$(half x86_64 x86_64 "$intel")
else
	if [ -n "$built" ]; then
		echo "the halves are as cross.sh left them" >"$out/cross.log"
	elif ! "$top/scripts/cross.sh" --arch "$intel" aarch64-macos x86_64-macos \
		>"$out/cross.log" 2>&1; then
		cat "$out/cross.log" >&2
		say "the halves were not built"
	fi
	if grep -q skipped "$out/cross.log"; then cat "$out/cross.log"; exit 77; fi
	arm=$top/build/cross/aarch64-macos
	x86=$top/build/cross/x86_64-macos
	for f in $files; do
		if [ ! -f "$arm/$f" ] || [ ! -f "$x86/$f" ]; then
			say "build/cross has not both of $f: run scripts/cross.sh aarch64-macos x86_64-macos"
		fi
	done
fi
dylib=$(cd "$arm" && find src -name 'libbpfengine.*.dylib' -type f | head -1)
for f in $files $dylib; do
	"$lipo" -create "$arm/$f" "$x86/$f" -output "$out/${f#src/}"
	archs=$("$lipo" -archs "$out/${f#src/}")
	case " $archs " in
	*" arm64 "*) ;;
	*) say "${f#src/} has $archs, not arm64" ;;
	esac
	case " $archs " in
	*" x86_64 "*) echo "build/universal/${f#src/}: $archs" ;;
	*) say "${f#src/} has $archs, not x86_64" ;;
	esac
done
