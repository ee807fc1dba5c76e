#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh [bpfengine's arguments]: installs missing tools, builds, and runs bpfengine.  Without
# arguments bpfengine reads examples/office.pcap, and the next commands to try are printed.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build
log=$build/run.log
# shellcheck source=scripts/steps.sh
. "$top/scripts/steps.sh"

print_next() {
	cat >&2 <<-'END'

	Try next, in this folder:
	  build/src/bpfengine -r examples/office.pcap --print host 203.0.113.10
	  build/src/bpfengine -L                  lists the interfaces of this machine
	  sudo build/src/bpfengine -i NAME --top  shows an interface live
	  build/src/bpfengine --help              has all options; README.md has recipes
	END
}

begin_log
install_tools "" || exit 1
configure_build "$build" || exit 1
step "building build/src/bpfengine (log: $(shown_path "$log"))" \
	ninja -C "$build" src/bpfengine || exit 1
if [ $# -gt 0 ]; then exec "$build/src/bpfengine" "$@"; fi
say "running build/src/bpfengine -r examples/office.pcap"
cd "$top"
build/src/bpfengine -r examples/office.pcap
print_next
