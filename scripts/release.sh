#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# release.sh [--output DIRECTORY] [--url BASE] [REVISION]: makes a release of a git revision
# (default: HEAD) in build/release or DIRECTORY:
#
#   bpfengine-VERSION.tar.gz, .tar.xz     the revision's tree, and nothing of the working directory
#   bpfengine-VERSION.tar.*.sha256        for sha256sum -c (macOS, BSD: shasum -c)
#   homebrew/bpfengine.rb                 the formula with the tarball's address and checksum
#   freebsd/                              the port with its distinfo
#
# BASE is the address of the folder for the tarballs.  The same revision gives the same bytes on
# each machine: times are the commit's, files belong to root, modes are 644 and 755, the order is
# git's.  git, gzip and xz must be the same programs.
# Nothing is uploaded, and nothing is tagged.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
out=$top/build/release
base=
revision=HEAD

say() { echo "release.sh: $*" >&2; exit 1; }
usage() { sed -n '3,15s/^# \{0,1\}//p' "$0"; exit 2; }
while [ $# -gt 0 ]; do
	case $1 in
	--output) [ $# -gt 1 ] || usage; out=$2; shift ;;
	--url) [ $# -gt 1 ] || usage; base=${2%/}; shift ;;
	-*) usage ;;
	*) revision=$1 ;;
	esac
	shift
done

for tool in git gzip xz; do command -v "$tool" >/dev/null 2>&1 || say "$tool is not installed"; done
why=$(git -C "$top" rev-parse --git-dir 2>&1) || say "releases are made from a git repository, and this is none: $why"
commit=$(git -C "$top" rev-parse --verify --quiet "$revision^{commit}") || say "no revision $revision here; git log shows those that there are"
show() { git -C "$top" show "$commit:$1" 2>/dev/null || say "$revision has no $1: it is too old to be released by this script"; }

sha256() {
	if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1" | cut -d' ' -f1
	elif command -v shasum >/dev/null 2>&1; then shasum -a 256 "$1" | cut -d' ' -f1
	else sha256 -q "$1"
	fi
}

# The version stands in four places; a release in which they differ is none.
version=$(show meson.build | sed -n "s/^  version: '\([0-9.]*\)',$/\1/p")
[ -n "$version" ] || say "no version in meson.build"
agree() {	# file, what it says
	[ "$2" = "$version" ] || say "$1 says ${2:-nothing} where meson.build says $version: mend it first"
}
agree include/bpfengine.h "$(show include/bpfengine.h | sed -n 's/^#define BPE_VERSION "\(.*\)"$/\1/p')"
agree packaging/freebsd/Makefile "$(show packaging/freebsd/Makefile | sed -n 's/^DISTVERSION=[[:space:]]*//p')"
agree packaging/debian/changelog "$(show packaging/debian/changelog | sed -n '1s/^bpfengine (\(.*\)-[0-9a-z.+~]*) .*/\1/p')"

name=bpfengine-$version
[ -n "$base" ] || base=https://github.com/bpfengine/bpfengine/releases/download/v$version
mkdir -p "$out"
out=$(cd "$out" && pwd)
rm -rf "${out:?}/$name".tar* "$out/homebrew" "$out/freebsd"

# Nothing of the user's own settings changes what is written.
git -C "$top" -c tar.umask=0022 -c core.autocrlf=false -c core.eol=lf -c core.attributesFile=/dev/null \
	archive --format=tar --prefix="$name/" --output="$out/$name.tar" "$commit"
GZIP='' gzip -n -9 -c "$out/$name.tar" >"$out/$name.tar.gz"
XZ_DEFAULTS='' XZ_OPT='' xz -6 -T1 -c "$out/$name.tar" >"$out/$name.tar.xz"
rm "$out/$name.tar"
for kind in gz xz; do
	echo "$(sha256 "$out/$name.tar.$kind")  $name.tar.$kind" >"$out/$name.tar.$kind.sha256"
done

mkdir "$out/homebrew" "$out/freebsd"
show packaging/homebrew/bpfengine.rb >"$out/homebrew/formula"
awk -v url="$base/$name.tar.xz" -v sum="$(sha256 "$out/$name.tar.xz")" '
	/^# As it stands/ { print "# Of the release that its url names, written by scripts/release.sh."; next }
	{ print }
	/^  homepage / { printf "  url \"%s\"\n  sha256 \"%s\"\n", url, sum }' \
	"$out/homebrew/formula" >"$out/homebrew/bpfengine.rb"
rm "$out/homebrew/formula"
grep -q '^  url ' "$out/homebrew/bpfengine.rb" || say "packaging/homebrew/bpfengine.rb has no homepage line to put the address behind"

for f in $(git -C "$top" ls-tree --name-only "$commit" packaging/freebsd/); do
	show "$f" >"$out/freebsd/${f##*/}"
done
sites=${base/%$version/\$\{DISTVERSION\}}	# as ports have it
awk -v sites="$sites/" '/^MASTER_SITES=/ { print "MASTER_SITES=\t" sites; next } { print }' "$out/freebsd/Makefile" >"$out/freebsd/Makefile.new"
mv "$out/freebsd/Makefile.new" "$out/freebsd/Makefile"
{
	echo "TIMESTAMP = $(git -C "$top" show -s --format=%ct "$commit")"
	echo "SHA256 ($name.tar.xz) = $(sha256 "$out/$name.tar.xz")"
	echo "SIZE ($name.tar.xz) = $(wc -c <"$out/$name.tar.xz" | tr -d ' ')"
} >"$out/freebsd/distinfo"

cd "$out"
cat "$name.tar.gz.sha256" "$name.tar.xz.sha256"
[ "$(git -C "$top" tag --points-at "$commit" --list "v$version")" ] || echo "release.sh: $revision has no tag v$version: as a trial this is fine" >&2
