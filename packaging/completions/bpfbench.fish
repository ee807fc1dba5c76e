# SPDX-License-Identifier: MIT
# Completion for bpfbench in fish.

function __bpfbench_interfaces
	for line in (bpfengine -L 2>/dev/null)
		string replace -r '^(\S+)\s+(.*)$' '$1\t$2' -- $line
	end
end

complete -c bpfbench -f
complete -c bpfbench -n __fish_is_first_arg -a stages -d 'Each stage without a network'
complete -c bpfbench -n __fish_is_first_arg -a loop -d 'The highest rate without loss'
complete -c bpfbench -n __fish_is_first_arg -a compare -d 'Beside libpcap and others'
complete -c bpfbench -s i -x -a '(__bpfbench_interfaces)' -d 'Interface'
complete -c bpfbench -s t -l time -x -d 'Measure for so many seconds'
complete -c bpfbench -s f -l filter -x -d 'Only packets that match'
complete -c bpfbench -s c -l count-only -d 'Count, do not process'
complete -c bpfbench -s p -l processing-threads -x -a 'auto 0 1 2 4 8' -d 'Threads that work on packets'
complete -c bpfbench -s o -l output -r -F -d 'Write the results as .json, .csv or text'
complete -c bpfbench -l sweep -d 'Buffers, modes, frames, filters and workers in turn'
complete -c bpfbench -l help -d 'Print the options'
complete -c bpfbench -l version -d 'Print the version'
