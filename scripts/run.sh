#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh [bpfengine's arguments]: installs what is missing, builds, and runs bpfengine; without
# arguments on generated traffic for 5 s.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
"$top/scripts/setup.sh" >&2
build="$top/build"
[ -f "$build/build.ninja" ] || meson setup "$build" "$top" >&2
ninja -C "$build" src/bpfengine >&2
if [ $# -eq 0 ]; then set -- -i synth -t 5; fi
exec "$build/src/bpfengine" "$@"
