#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# package_deb.sh [TARBALL]: makes Debian packages of this tree (or of a release's tarball) in
# build/deb.  Then looks at their contents, unpacks them into a separate root, runs the program
# there and builds a program with the library.  As root on a Debian, installs what building needs;
# never installs the packages.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
work=$top/build/deb
checks=0

say() { echo "package_deb.sh: $*" >&2; exit 1; }
skip() { echo "SKIP: $*"; exit 77; }
good() { checks=$((checks + 1)); echo "ok: $*"; }

needed='debhelper dpkg-dev fakeroot gcc libncurses-dev libpcap-dev mandoc meson ninja-build
	pkg-config python3 xz-utils'
command -v dpkg-query >/dev/null 2>&1 || skip "this is no Debian"
missing=
for p in $needed; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
if [ -n "$missing" ]; then
	[ "$(id -u)" -eq 0 ] || skip "these packages are missing:$missing; install them, or run this as root"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q >&2
	# shellcheck disable=SC2086
	apt-get install -y -q $missing >&2 || skip "apt-get does not install$missing"
fi

version=$(sed -n "s/^  version: '\([0-9.]*\)',$/\1/p" "$top/meson.build")
rm -rf "$work"
mkdir -p "$work"
if [ $# -gt 0 ]; then
	tar -C "$work" -xf "$1"
	source=$(find "$work" -mindepth 1 -maxdepth 1 -type d)
	version=${source##*/bpfengine-}
else
	source=$work/bpfengine-$version
	mkdir "$source"
	if [ -e "$top/.git" ]; then	# what git knows or would take, as it is now
		(cd "$top" && git ls-files -z -co --exclude-standard |
			while IFS= read -r -d '' f; do [ ! -e "$f" ] || printf '%s\0' "$f"; done |
			tar --null -T - -cf -)
	else
		(cd "$top" && tar --exclude='./build*' -cf - .)
	fi | tar -C "$source" -xf -
fi
cp -R "$source/packaging/debian" "$source/debian"
if ! (cd "$source" && dpkg-buildpackage -us -uc -b) >"$work/build.log" 2>&1; then
	tail -40 "$work/build.log"
	say "dpkg-buildpackage failed; build/deb/build.log has all of it"
fi

root=$work/root
machine=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
arch=$(dpkg-architecture -qDEB_HOST_ARCH)
mkdir "$root"
for p in bpfengine bpfbench libbpfengine1 libbpfengine-dev; do
	deb=$(find "$work" -maxdepth 1 -name "${p}_${version}-*_$arch.deb")
	[ -f "$deb" ] || say "there is no package $p"
	dpkg-deb -I "$deb" | grep -E '^ (Package|Version|Depends):' || say "$deb says nothing of itself"
	dpkg-deb -c "$deb" | awk '$1 !~ /^d/ { print "\t" $6 }' | sed 's|\./|/|'
	dpkg-deb -x "$deb" "$root"
done
lib=usr/lib/$machine
for f in usr/bin/bpfengine usr/bin/bpfbench usr/libexec/bpfengine/bpfbench-libpcap \
	"$lib/cmake/bpfengine/bpfengine-config.cmake" "$lib/libbpfengine.so.1" \
	"$lib/libbpfengine.so" "$lib/libbpfengine.a" "$lib/pkgconfig/bpfengine.pc" \
	usr/include/bpfengine.h usr/include/bpfengine.hpp usr/share/man/man1/bpfengine.1.gz \
	usr/share/man/man3/bpfengine.3.gz usr/share/man/man7/bpfengine-filter.7.gz \
	usr/share/man/man7/bpfengine-where.7.gz \
	usr/share/bash-completion/completions/bpfengine \
	usr/share/zsh/vendor-completions/_bpfengine \
	usr/share/fish/vendor_completions.d/bpfengine.fish usr/share/doc/bpfengine/copyright \
	usr/share/doc/libbpfengine-dev/examples/basic_capture.c \
	etc/logrotate.d/bpfengine usr/lib/systemd/system/bpfengine@.service; do
	[ -e "$root/$f" ] || say "no package has /$f"
done
good "every file is where it belongs"

needs() {
	dpkg-deb -f "$work/$1_$version-"*"_$arch.deb" Depends |
		tr , '\n' | awk '{ print $1 }' | sort | paste -s -d ' ' -
}
packing='liblz4-1 liblzma5 libzstd1 zlib1g'	# compressed savefiles
# records beyond the machine, metrics, tables
targets='libmicrohttpd12 librdkafka1 libsqlite3-0'
wanted=$(echo adduser libc6 libncursesw6 libssl3 libtinfo6 "$packing" "$targets" |
	 tr ' ' '\n' | sort | paste -s -d ' ' -)
[ "$(needs bpfengine)" = "$wanted" ] || say "the program should need adduser (for the user bpfengine), libc6, curses (the live view), libssl3 (names of QUIC flows, TLS), and the libraries of compressed savefiles and of targets alone, not $(needs bpfengine)"
[ "$(needs libbpfengine1)" = "libc6 $packing" ] || say "the library should need libc6 and the libraries of compressed savefiles alone, not $(needs libbpfengine1)"
soname=$(objdump -p "$root/usr/lib/$machine/libbpfengine.so.1" | awk '$1 == "SONAME" { print $2 }')
[ "$soname" = libbpfengine.so.1 ] || say "the library calls itself $soname"
good "the library is $soname"

"$root/usr/bin/bpfengine" -i synth:count=100000 --json -q | grep -q '"read":100000,"delivered":100000' || say "the packaged program does not run"
"$root/usr/bin/bpfbench" stages --rounds 6 --packets 4096 >/dev/null || say "the packaged bpfbench does not run"
kernels=$("$root/usr/bin/bpfengine" --version)
case $arch in
amd64) levels=scalar,sse42,avx2,avx512 ;;
arm64) levels=neon ;;
*) levels=scalar ;;
esac
echo "$kernels" | grep -q ", kernels=$levels," || say "the package should have the kernels $levels: $kernels"
run_by() { BPFENGINE_ARCH=$1 "$root/usr/bin/bpfengine" -i synth:count=1000 -q >/dev/null 2>&1; }
run_by "${levels%%,*}" || say "the packaged program does not run by the kernels ${levels%%,*}"
run_by none && say "the packaged program takes kernels that nobody has"
good "$kernels"

cp "$root/usr/share/doc/libbpfengine-dev/examples/"*.[ch] "$work"
# shellcheck disable=SC2046
gcc "$work/basic_capture.c" -o "$work/basic_capture" $(PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$root/usr/lib/$machine/pkgconfig:/usr/lib/$machine/pkgconfig \
	pkg-config --cflags --libs bpfengine) || say "a program does not build with the packages"
LD_LIBRARY_PATH=$root/usr/lib/$machine "$work/basic_capture" synth 10 >"$work/basic_capture.txt"
[ "$(wc -l <"$work/basic_capture.txt")" -eq 10 ] || say "a program that was built with the packages does not run"
LD_LIBRARY_PATH=$root/usr/lib/$machine ldd "$work/basic_capture" |
	grep -q "libbpfengine.so.1 => $root" || say "the program has not the packages' library"
good "an example builds with the packages, and runs"

if command -v lintian >/dev/null 2>&1; then
	changes=$(find "$work" -maxdepth 1 -name '*.changes')
	as=
	[ "$(id -u)" -ne 0 ] || as=--allow-root
	lintian $as --fail-on error --suppress-tags bad-distribution-in-changes-file "$changes" ||
		say "lintian found errors"
	good "lintian finds no error"
else
	echo "lintian is not installed: it was not asked"
fi
echo "$checks passed, 0 failed"
