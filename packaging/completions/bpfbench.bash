# SPDX-License-Identifier: MIT
# Completion for bpfbench in bash, from 3.2 on.
# shellcheck shell=bash disable=SC2207  # mapfile came with bash 4

_bpfbench() {
	local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]}
	COMPREPLY=()
	if [[ $cur == = ]]; then cur=''
	elif [[ $option == = ]]; then option=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $option in
	-i) COMPREPLY=($(compgen -W "$(bpfengine -L 2>/dev/null | awk '{ print $1 }')" -- "$cur")); return ;;
	-o | --output)
		local IFS=$'\n'
		COMPREPLY=($(compgen -f -- "$cur"))
		if type compopt >/dev/null 2>&1; then compopt -o filenames 2>/dev/null; fi
		return ;;
	-p | --processing-threads) COMPREPLY=($(compgen -W 'auto 0 1 2 4 8' -- "$cur")); return ;;
	-t | -f | --time | --filter) return ;;
	esac
	case $cur in
	-*) COMPREPLY=($(compgen -W '-i -t -f -c -p -o --time --filter --count-only --processing-threads --output --sweep --help --version' -- "$cur")) ;;
	*) [[ $COMP_CWORD -ne 1 ]] || COMPREPLY=($(compgen -W 'stages loop compare' -- "$cur")) ;;
	esac
}

complete -F _bpfbench bpfbench
