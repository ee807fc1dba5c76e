# SPDX-License-Identifier: MIT
# Completion for bpfengine in bash, from 3.2 (macOS's) on.  Needs nothing of the package
# bash-completion.
# shellcheck shell=bash disable=SC2207  # mapfile came with bash 4

# Completes the words of $1, and files.
_bpfengine_files() {
	local IFS=$'\n'
	COMPREPLY=($(compgen -W "$1" -- "$cur") $(compgen -f -- "$cur"))
	if type compopt >/dev/null 2>&1; then compopt -o filenames 2>/dev/null; fi
}

# Completes the last word of a list with commas, out of the words of $1.
_bpfengine_list() {
	local before=''
	case $cur in
	*,*) before=${cur%,*}, ;;
	esac
	COMPREPLY=($(compgen -P "$before" -W "$1" -- "${cur##*,}"))
	if type compopt >/dev/null 2>&1; then compopt -o nospace 2>/dev/null; fi
}

_bpfengine() {
	local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} prefix=''
	COMPREPLY=()
	# bash splits --option=value at "=", and bpf:NAME at ":"
	if [[ $cur == = ]]; then cur=''
	elif [[ $option == = ]]; then option=${COMP_WORDS[COMP_CWORD-2]}
	elif [[ $cur == : && $option == bpf ]]; then
		cur='' option=${COMP_WORDS[COMP_CWORD-2]} prefix=bpf
	elif [[ $option == : && ${COMP_WORDS[COMP_CWORD-2]} == bpf ]]; then
		option=${COMP_WORDS[COMP_CWORD-3]} prefix=bpf
	fi
	case $option in
	-i | --interface)
		local names
		names=$("${COMP_WORDS[0]}" -L 2>/dev/null | awk '{ print $1 }')
		[[ $prefix ]] || names="$names synth:"
		COMPREPLY=($(compgen -W "$names" -- "$cur"))
		return ;;
	-r | --read | --flows | --events | -w | --write) _bpfengine_files - ; return ;;
	-F | --bpf-device | --anonymise) _bpfengine_files ''; return ;;
	-a | --autostop)
		COMPREPLY=($(compgen -W 'duration: packets: filesize: files:' -- "$cur"))
		return ;;
	-Q | --direction) COMPREPLY=($(compgen -W 'in out inout' -- "$cur")); return ;;
	-y | --linktype)
		COMPREPLY=($(compgen -W '
			APPLE_IP_OVER_IEEE1394 C_HDLC EN10MB ENC FDDI IEEE802 IEEE802_11
			IEEE802_11_RADIO IEEE802_11_RADIO_AVS IPNET IPV4 IPV6 LINUX_SLL LINUX_SLL2
			LOOP NULL PFLOG PKTAP PPI PPP PPP_ETHER PPP_SERIAL
			PRISM_HEADER RAW SLIP' -- "$cur"))
		return ;;
	--through) _bpfengine_list 'vlan mpls pppoe gre ipip vxlan geneve gtpu ipv6ext'; return ;;
	--tunnels)
		_bpfengine_list 'all none ipip gre erspan eoip wccp etherip mpls-ip srv6 vxlan
			vxlan-gpe
			geneve gtpu teredo l2tp gre-udp mpls-udp tzsp capwap eompls pbb nsh
			fabricpath vntag etag cisco-metadata hsr arista macsec llc-ip mesh amsdu'
		return ;;
	-Z | --relinquish-privileges) COMPREPLY=($(compgen -u -- "$cur")); return ;;
	--read-mode) COMPREPLY=($(compgen -W 'auto throughput latency paced' -- "$cur")); return ;;
	--bpf-abi) COMPREPLY=($(compgen -W 'macos freebsd netbsd openbsd' -- "$cur")); return ;;
	--overload) COMPREPLY=($(compgen -W 'wait drop' -- "$cur")); return ;;
	--duplicates) COMPREPLY=($(compgen -W 'tell ignore' -- "$cur")); return ;;
	--print) COMPREPLY=($(compgen -W 'own tcpdump json' -- "$cur")); return ;;
	--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return ;;
	--time-stamp-precision) COMPREPLY=($(compgen -W 'micro nano' -- "$cur")); return ;;
	--priority) COMPREPLY=($(compgen -W 'normal high realtime' -- "$cur")); return ;;
	--spread)
		COMPREPLY=($(compgen -W 'flow host source destination vlan tunnel' -- "$cur"))
		return ;;
	--names)
		_bpfengine_list 'all apps tls quic dns http ssh hosts ja3'
		return ;;
	--names-form) COMPREPLY=($(compgen -W 'whole domain hashed' -- "$cur")); return ;;
	--events-format) COMPREPLY=($(compgen -W 'json zeek eve ecs' -- "$cur")); return ;;
	--where | --names-memory | --quic-budget) return ;;
	--flows-format) COMPREPLY=($(compgen -W 'json zeek eve ecs csv' -- "$cur")); return ;;
	--flows-overload) COMPREPLY=($(compgen -W 'auto drop wait' -- "$cur")); return ;;
	--export)
		compopt -o nospace
		COMPREPLY=($(compgen -W 'ipfix:// ipfix: netflow9:// netflow5:// kafka://' -- "$cur"))
		return ;;
	--metrics)
		compopt -o nospace
		COMPREPLY=($(compgen -W '127.0.0.1:9477 unix:' -- "$cur"))
		return ;;
	--flows-error) COMPREPLY=($(compgen -W 'continue stop' -- "$cur")); return ;;
	--write-format) COMPREPLY=($(compgen -W 'auto pcapng pcap pcap-ns' -- "$cur")); return ;;
	--write-compression) COMPREPLY=($(compgen -W 'none zstd lz4 gzip' -- "$cur")); return ;;
	--write-error) COMPREPLY=($(compgen -W 'stop continue' -- "$cur")); return ;;
	--split) COMPREPLY=($(compgen -W 'none flow host process' -- "$cur")); return ;;
	--ledger) COMPREPLY=($(compgen -W 'sha256' -- "$cur")); return ;;
	--rotate)
		_bpfengine_list 'size= every= packets='
		return ;;
	--flows-rotate)
		_bpfengine_list 'size= every= rows='
		return ;;
	--keep)
		_bpfengine_list 'files= size= age= free='
		return ;;
	--ring-buffer)
		compopt -o nospace
		COMPREPLY=($(compgen -W 'duration: filesize: files: interval: packets:' -- "$cur"))
		return ;;
	-z) COMPREPLY=($(compgen -c -- "$cur")); return ;;
	-C | -G | -W | --write-memory | --sync | --write-comment | --cutoff) return ;;
	--recorder | --trigger | --dedup) return ;;
	--flow-timeout)
		compopt -o nospace
		COMPREPLY=($(compgen -S = -W 'tcp-opening tcp-established tcp-closing tcp-closed
			udp-one-way udp-two-way icmp other' -- "$cur"))
		return ;;
	--workers) COMPREPLY=($(compgen -W 'auto 0 1 2 4 8' -- "$cur")); return ;;
	-j | --time-stamp-type) COMPREPLY=($(compgen -W 'host' -- "$cur")); return ;;
	-c | -s | -B | -f | --duration | --count | --snapshot-length | --buffer-size) return ;;
	--filter | --block-size | --block-count | --read-interval | --max-flows) return ;;
	--flow-idle | --fanout) return ;;
	--flow-closed | --flow-active | --flow-memory | --largest | --seed | --ring) return ;;
	--stats-interval | --spread-networks | --print-rate) return ;;
	esac
	case $cur in
	-*)
		COMPREPLY=($(compgen -W '
			-i -r -L -D -s -B -f -F -d -O -p -Q -y -t -a -c -q -v -n -Z -e -x -X
			-A -S -# -l -U -K -h -J -j -b -H -N -u -w -C -G -W -z --interface
			--read --list-interfaces --list-data-link-types --list-time-stamp-types
			--time-stamp-type --no-optimize --snapshot-length --buffer-size --filter
			--through --explain --promiscuous --no-promiscuous-mode --block-size
			--block-count --read-mode --read-interval --direction --linktype
			--wait-interface --fanout --process --head-drop --truncate
			--header-compression
			--zero-copy --bpf-abi --bpf-device --duration --autostop --count --flows
			--max-flows --flow-idle --flow-closed --flows-begin --flows-append --flows-rotate
			--flows-format
			--flows-overload --flows-error --flow-lengths --direction-by-port
			--export --metrics --metrics-file
			--flow-timeout --flow-active --flow-memory --no-tcp-health --duplicates
			--where --names --no-names --names-form --suffix-list --names-memory --ja3
			--quic-budget --events --events-format --no-flows --outermost
			--ignore-tunnel --ignore-vlan --tunnels --checksums
			--largest --seed --workers --ring --overload --pin --priority --spread
			--spread-networks --print --absolute-tcp-sequence-numbers --number --nano
			--micro --time-stamp-precision --color --with-ssh --print-rate --packet-buffered
			--dont-verify-checksums --immediate-mode --top --json
			--stats-interval --quiet --verbose --relinquish-privileges --no-confine
			--write --write-format --write-compression --rotate --keep --write-error
			--write-memory --sync --write-comment --write-hash --ledger --no-ledger --cutoff
			--recorder --trigger --split --dedup --anonymise --ring-buffer
			--help --version' -- "$cur"))
		;;
	esac
}

complete -F _bpfengine bpfengine
