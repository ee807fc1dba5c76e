# SPDX-License-Identifier: MIT
# Completion for bpfbench in bash, from 3.2 on.
# shellcheck shell=bash disable=SC2207  # mapfile came with bash 4

# Completes the last word of a list with commas, out of the words of $1.
_bpfbench_list() {
	local before=''
	case $cur in
	*,*) before=${cur%,*}, ;;
	esac
	COMPREPLY=($(compgen -P "$before" -W "$1" -- "${cur##*,}"))
	if type compopt >/dev/null 2>&1; then compopt -o nospace 2>/dev/null; fi
}

_bpfbench() {
	local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]}
	COMPREPLY=()
	if [[ $cur == = ]]; then cur=''
	elif [[ $option == = ]]; then option=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $option in
	-i | --interface)
		local names
		names=$(bpfengine -L 2>/dev/null | awk '{ print $1 }')
		COMPREPLY=($(compgen -W "pair synth: $names" -- "$cur"))
		return ;;
	-r | --read | -o | --output | --bpf-device)
		local IFS=$'\n'
		COMPREPLY=($(compgen -f -- "$cur"))
		if type compopt >/dev/null 2>&1; then compopt -o filenames 2>/dev/null; fi
		return ;;
	-p | --processing-threads) COMPREPLY=($(compgen -W 'auto 0 1 2 4 8' -- "$cur")); return ;;
	--read-mode) COMPREPLY=($(compgen -W 'auto throughput latency paced' -- "$cur")); return ;;
	--bpf-abi) COMPREPLY=($(compgen -W 'macos freebsd netbsd openbsd' -- "$cur")); return ;;
	--overload) COMPREPLY=($(compgen -W 'wait drop' -- "$cur")); return ;;
	--modes) _bpfbench_list 'auto throughput latency paced'; return ;;
	--stages) _bpfbench_list 'memcpy walk parse hash ring flow pipeline'; return ;;
	-t | -f | -B | -s | --time | --filter | --buffer-size | --snapshot-length) return ;;
	--block-size) return ;;
	--read-interval | --ring | --buffers | --sizes | --filters | --workers | --rates) return ;;
	--rounds | --packets | --loss-below | --rate-from | --rate-to | --steps) return ;;
	esac
	case $cur in
	-*)
		COMPREPLY=($(compgen -W '
			-i -r -t -f -c -p -o -q -h -B -s --interface --read --time --filter
			--count-only --processing-threads --output --quiet --help --version
			--sweep --buffer-size --snapshot-length --block-size --read-mode
			--read-interval --promiscuous --bpf-abi --bpf-device --ring --overload
			--no-flows --no-latency --buffers --modes --sizes --filters --workers
			--rates --loss-below --stages --rounds --packets --rate-from --rate-to
			--steps' -- "$cur"))
		;;
	*) [[ $COMP_CWORD -ne 1 ]] || COMPREPLY=($(compgen -W 'stages loop compare' -- "$cur")) ;;
	esac
}

complete -F _bpfbench bpfbench
