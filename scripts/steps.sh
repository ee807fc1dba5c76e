# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# steps.sh: for run.sh and test.sh, which set top and log.  A line on stderr says what each step
# does.  The output of its commands goes to the log, and is shown only if a step fails.

: "${top:?}" "${log:?}"

say() { echo "${0##*/}: $*" >&2; }

shown_path() { echo "${1#"$top"/}"; }

# Makes the folder of the log, which must be ours.
begin_log() {
	local folder=${log%/*}
	if ! mkdir -p "$folder" 2>/dev/null || ! : 2>/dev/null >"$log"; then
		say "cannot write to $(shown_path "$folder"): was it made by another user, as by sudo?"
		say "remove it (sudo rm -r $(shown_path "$folder")), then try again"
		exit 1
	fi
}

# step WHAT COMMAND...: runs the command; a failure shows the end of what it printed.
step() {
	local what=$1
	shift
	say "$what"
	echo "== $what: $*" >>"$log"
	if "$@" >>"$log" 2>&1; then return 0; fi
	tail -n 15 "$log" | sed 's/^/    /' >&2
	say "this failed: $what"
	say "the whole log is $(shown_path "$log")"
	return 1
}

# install_tools [tests]: says what is missing, and installs that.
install_tools() {
	local missing
	say "checking tools"
	missing=$("$top/scripts/setup.sh" ${1:+"$1"} --list) || return 1
	[ -z "$missing" ] || step "installing $missing" "$top/scripts/setup.sh" ${1:+"$1"}
}

# configure_build DIRECTORY [OPTIONS]: nothing if that was done before.
configure_build() {
	local build=$1
	shift
	[ -f "$build/build.ninja" ] ||
		step "configuring $(shown_path "$build")" meson setup "$build" "$top" "$@"
}
