# SPDX-License-Identifier: MIT
# Completion for bpfbench in fish.

function __bpfbench_interfaces
	echo pair
	for line in (bpfengine -L 2>/dev/null)
		string replace -r '^(\S+)\s+(.*)$' '$1\t$2' -- $line
	end
end

# Completes the last word of a list with commas.
function __bpfbench_list
	set -l before (string match -r '^(?:--[a-z]+=)?(.*,)' -- (commandline -ct))[2]
	for name in $argv
		echo "$before$name"
	end
end

complete -c bpfbench -f
complete -c bpfbench -n __fish_is_first_arg -a stages -d 'Each stage without a network'
complete -c bpfbench -n __fish_is_first_arg -a loop -d 'The highest rate without loss'
complete -c bpfbench -n __fish_is_first_arg -a compare -d 'Beside libpcap'
complete -c bpfbench -s i -l interface -x -d 'Interface; pair makes one' \
	-a '(__bpfbench_interfaces)'
complete -c bpfbench -s r -l read -r -F -d 'Savefile to compare on'
complete -c bpfbench -s t -l time -x -d 'Seconds of a run, a case, a step or a round'
complete -c bpfbench -s f -l filter -x -d 'Only packets that match'
complete -c bpfbench -s c -l count-only -d 'Count, do not parse'
complete -c bpfbench -s p -l processing-threads -x -d 'Threads that work on packets' \
	-a 'auto 0 1 2 4 8'
complete -c bpfbench -s o -l output -r -F -d 'Write the results as .json, .csv, .txt or .html'
complete -c bpfbench -s B -l buffer-size -x -d 'Size of the kernel\'s buffer'
complete -c bpfbench -s s -l snapshot-length -x -d 'Keep this many bytes of each packet'
complete -c bpfbench -l block-size -x -d 'Bytes read at a time'
complete -c bpfbench -l read-mode -x -d 'How the BPF device is read' \
	-a 'auto throughput latency paced'
complete -c bpfbench -l read-interval -x -d 'Seconds between two looks of the paced mode'
complete -c bpfbench -l promiscuous -d 'Capture packets for other hosts, too'
complete -c bpfbench -l bpf-abi -x -a 'macos freebsd netbsd openbsd' -d 'Whose BPF device it is'
complete -c bpfbench -l bpf-device -r -F -d 'Path of the BPF device'
complete -c bpfbench -l ring -x -d 'Packets in a worker\'s ring'
complete -c bpfbench -l overload -x -a 'wait drop' -d 'What happens when a ring is full'
complete -c bpfbench -l no-flows -d 'Keep no flows'
complete -c bpfbench -l no-latency -d 'Do not look at the clock for each batch'
complete -c bpfbench -l sweep -d 'All combinations of settings'
complete -c bpfbench -l buffers -x -d 'Sweep: sizes of the kernel\'s buffer'
complete -c bpfbench -l modes -x -d 'Sweep: read modes' \
	-a '(__bpfbench_list auto throughput latency paced)'
complete -c bpfbench -l sizes -x -d 'Sizes of frames'
complete -c bpfbench -l filters -x -d 'Sweep: filters, semicolons between them'
complete -c bpfbench -l workers -x -d 'Sweep: numbers of workers'
complete -c bpfbench -l rates -x -d 'Packets a second, or max'
complete -c bpfbench -l stages -x -d 'Which stages' \
	-a '(__bpfbench_list memcpy walk parse hash ring flow pipeline)'
complete -c bpfbench -l rounds -x -d 'How often'
complete -c bpfbench -l loss-below -x -d 'Less loss than this percentage is none'
complete -c bpfbench -l packets -x -d 'Of a stage'
complete -c bpfbench -l rate-from -x -d 'Loop: the least rate'
complete -c bpfbench -l rate-to -x -d 'Loop: the greatest rate'
complete -c bpfbench -l steps -x -d 'Loop: of the search'
complete -c bpfbench -s q -l quiet -d 'Nothing on standard error but errors'
complete -c bpfbench -s h -l help -d 'Print the options'
complete -c bpfbench -l version -d 'Print the version'
