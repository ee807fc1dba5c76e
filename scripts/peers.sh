#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# peers.sh [NAME...]: brings the peers of the tests of the suite "export" that Debian has no
# packages of: kafka, goflow2, python, spark, ray.  They go into the folder $BPE_PEERS, by default
# build/peers.  A peer that is there is not fetched again.  A peer that cannot be had is named with
# its reason, and its tests are skipped; the exit code is then 77.
# shellcheck disable=SC2317	# functions are called by their names
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
peers=${BPE_PEERS:-$top/build/peers}
missing=""

have() { command -v "$1" >/dev/null 2>&1; }

lacks() {	# peer, reason
	echo "peers: no $1: $2 (its tests are skipped)" >&2
	missing="$missing $1 ($2);"
}

# peer, what marks this version as complete, command...: runs the command, unless a run before did.
# The command gets the peer's folder as its last argument.
bring() {
	local name=$1 version=$2 folder=$peers/$1 log=$peers/$1.log
	shift 2
	if [ "$(cat "$folder/complete" 2>/dev/null)" = "$version" ]; then
		echo "peers: $name is there"
		return 0
	fi
	mkdir -p "$folder" || return 1
	if ! timeout 900 "$@" "$folder" >"$log" 2>&1 </dev/null; then
		tail -n 5 "$log" | sed 's/^/    /' >&2
		lacks "$name" "it could not be fetched: see $log"
		return 1
	fi
	echo "$version" >"$folder/complete"
	echo "peers: $name is in $folder"
}

# The mirror that apt takes Debian from.
mirror() { apt-cache policy | sed -nE 's/^ *[0-9]+ (http[^ ]*debian) .*/\1/p' | head -n 1; }

digest() { cksum <"$1" | tr ' ' -; }

# A program of this file that timeout runs: peers.sh --fetch WHAT FOLDER.
fetch() {
	local what=$1 folder=$2
	case $what in
	kafka) mvn -q -B -f "$top/tests/export/kafka-pom.xml" dependency:copy-dependencies \
		-DoutputDirectory="$folder/libs" ;;
	goflow2) GOBIN=$folder GOFLAGS=-modcacherw \
		go install github.com/netsampler/goflow2/v2/cmd/goflow2@v2.2.6 ;;
	nfdump)	# the newest of Debian, with what it needs beside it; as root
		debootstrap --variant=minbase sid "$folder/root" "$(mirror)" &&
			chroot "$folder/root" apt-get install -y --no-install-recommends nfdump ;;
	python)
		[ -x "$folder/bin/python" ] ||
			python3 -m venv --system-site-packages "$folder" || return 1
		"$folder/bin/pip" install -q --disable-pip-version-check \
			-r "$top/tests/requirements-peers.txt"
		;;
	spark | ray)	# into the environment of python
		"$peers/python/bin/pip" install -q --disable-pip-version-check \
			-r "$top/tests/requirements-$what.txt"
		;;
	esac
}

bring_kafka() {
	[ -f "$top/tests/export/kafka-pom.xml" ] || { lacks kafka "tests/export/kafka-pom.xml"; return; }
	have mvn || { lacks kafka "Maven (mvn) is not installed"; return; }
	have java || { lacks kafka "Java is not installed"; return; }
	bring kafka "$(digest "$top/tests/export/kafka-pom.xml")" "$0" --fetch kafka
}

bring_goflow2() {
	have go || { lacks goflow2 "Go is not installed"; return; }
	bring goflow2 v2.2.6 "$0" --fetch goflow2
}

# Not brought unless named.  BPE_NFCAPD="chroot $BPE_PEERS/nfdump/root nfcapd" and BPE_NFDUMP, likewise
# with nfdump, are then for tests/export/nfcapd.py.
bring_nfdump() {
	have debootstrap || { lacks nfdump "debootstrap is not installed"; return; }
	[ "$(id -u)" = 0 ] || { lacks nfdump "debootstrap wants root"; return; }
	bring nfdump sid "$0" --fetch nfdump
}

bring_python() {
	python3 -c 'import ensurepip, venv' 2>/dev/null ||
		{ lacks python "python3-venv is not installed"; return 1; }
	bring python "$(digest "$top/tests/requirements-peers.txt")" "$0" --fetch python
}

bring_spark() {
	have java || { lacks spark "Java is not installed"; return; }
	bring_python || return
	bring spark "$(digest "$top/tests/requirements-spark.txt")" "$0" --fetch spark
}

bring_ray() {
	bring_python || return
	bring ray "$(digest "$top/tests/requirements-ray.txt")" "$0" --fetch ray
}

if [ "${1:-}" = --fetch ]; then
	fetch "$2" "$3"
	exit
fi
known="kafka goflow2 python spark ray"
for name in "$@"; do
	case " $known nfdump " in
	*" $name "*) ;;
	*)
		echo "peers: $name is not known: peers.sh [$(echo "$known" | tr ' ' '|')...]" >&2
		exit 2
		;;
	esac
done
mkdir -p "$peers" || exit 1
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $known
for name in "$@"; do
	"bring_$name"
done
[ -z "$missing" ] && exit 0
echo "SKIP: no$missing"
exit 77
