# SPDX-License-Identifier: MIT
# Completion for bpfengine in fish.

function __bpfengine_interfaces
	set -l program (commandline -opc)[1]
	set -q program[1]; or set program bpfengine
	for line in ($program -L 2>/dev/null)
		string replace -r '^(\S+)\s+(.*)$' '$1\t$2' -- $line
	end
end

function __bpfengine_through
	set -l before (string match -r '^(?:--through=)?(.*,)' -- (commandline -ct))[2]
	for name in vlan mpls pppoe gre ipip vxlan geneve gtpu ipv6ext
		echo "$before$name"
	end
end

complete -c bpfengine -f
complete -c bpfengine -s i -l interface -x -d 'Capture on an interface' \
	-a '(__bpfengine_interfaces)'
complete -c bpfengine -s r -l read -r -F -d 'Read a savefile; - is standard input'
complete -c bpfengine -s D -l list-interfaces -d 'List the interfaces with numbers'
complete -c bpfengine -s L -l list-data-link-types -d 'List the interfaces; with -i: link types'
complete -c bpfengine -s J -l list-time-stamp-types -d 'List the clocks'
complete -c bpfengine -s j -l time-stamp-type -x -a host -d 'The clock'
complete -c bpfengine -s s -l snapshot-length -x -d 'Keep this many bytes of each packet'
complete -c bpfengine -s B -l buffer-size -x -d 'Size of the kernel\'s buffer'
complete -c bpfengine -s f -l filter -x -d 'Only packets that match'
complete -c bpfengine -s F -r -F -d 'The filter from a file'
complete -c bpfengine -s d -d 'Print the filter\'s program (-dd, -ddd)'
complete -c bpfengine -s O -l no-optimize -d 'Do not optimize what -d prints'
complete -c bpfengine -l through -x -a '(__bpfengine_through)' -d 'The filter also behind these'
complete -c bpfengine -l explain -d 'Say the filter in words'
complete -c bpfengine -l promiscuous -d 'Capture packets for other hosts, too'
complete -c bpfengine -s p -l no-promiscuous-mode -d 'Not promiscuous (default)'
complete -c bpfengine -l block-size -x -d 'Bytes read at a time'
complete -c bpfengine -l block-count -x -d 'Blocks in flight'
complete -c bpfengine -l read-mode -x -d 'How the BPF device is read' \
	-a 'auto throughput latency paced'
complete -c bpfengine -l read-interval -x -d 'Seconds between two looks of the paced mode'
complete -c bpfengine -s Q -l direction -x -a 'in out inout' -d 'By direction'
complete -c bpfengine -s y -l linktype -x -d 'Link type' \
	-a 'APPLE_IP_OVER_IEEE1394 C_HDLC EN10MB ENC FDDI IEEE802 IEEE802_11 IEEE802_11_RADIO
		IEEE802_11_RADIO_AVS IPNET IPV4 IPV6 LINUX_SLL LINUX_SLL2 LOOP NULL PFLOG PKTAP
		PPI PPP PPP_ETHER PPP_SERIAL PRISM_HEADER RAW SLIP'
complete -c bpfengine -l wait-interface -d 'Go on when a lost interface comes back'
complete -c bpfengine -l fanout -x -d 'Linux: share packets with the processes of this group'
complete -c bpfengine -l process -d 'macOS: processes of packets and flows'
complete -c bpfengine -l head-drop -d 'macOS: when full, lose the oldest packets'
complete -c bpfengine -l truncate -d 'macOS, on pktap: headers only'
complete -c bpfengine -l header-compression -d 'macOS: the kernel leaves out repeated headers'
complete -c bpfengine -l zero-copy -d 'FreeBSD: buffers shared with the kernel'
complete -c bpfengine -l bpf-abi -x -a 'macos freebsd netbsd openbsd' -d 'Whose BPF device it is'
complete -c bpfengine -l bpf-device -r -F -d 'Path of the BPF device'
complete -c bpfengine -l duration -x -d 'Stop after this many seconds'
complete -c bpfengine -s a -l autostop -x -a 'duration: packets: filesize: files:' \
	-d 'Stop after a time, packets, size or files'
complete -c bpfengine -s c -x -d 'Stop after this many packets'
complete -c bpfengine -l count -d 'Print only how many packets there are'
complete -c bpfengine -s w -l write -r -F -d 'Write the packets; - is standard output'
complete -c bpfengine -l write-format -x -a 'auto pcapng pcap pcap-ns' -d 'Form of the file'
complete -c bpfengine -l write-compression -x -a 'none zstd lz4 gzip' \
	-d 'How the file is compressed'
complete -c bpfengine -l rotate -x -a 'size= every= packets=' \
	-d 'Where a file ends and the next begins'
complete -c bpfengine -l keep -x -a 'files= size= age= free=' \
	-d 'Beyond which files are removed'
complete -c bpfengine -l write-error -x -a 'stop continue' \
	-d 'What happens when packets cannot be written'
complete -c bpfengine -l write-memory -x -d 'Most memory for packets that wait'
complete -c bpfengine -l sync -x -d 'Force packets to the disk at this interval'
complete -c bpfengine -l write-comment -x -d 'A comment in each file'
complete -c bpfengine -l write-hash -d 'With each packet the hash of its flow'
complete -c bpfengine -l ledger -a 'sha256' -d 'A list of the files'
complete -c bpfengine -l no-ledger -d 'No list of the files'
complete -c bpfengine -l cutoff -x -d 'Write only the first bytes of each flow'
complete -c bpfengine -l recorder -x -d 'Keep the last packets in memory'
complete -c bpfengine -l trigger -x -d 'When --recorder writes'
complete -c bpfengine -l split -x -a 'none flow host process' -d 'A file for each'
complete -c bpfengine -l dedup -x -d 'Leave out packets seen twice'
complete -c bpfengine -l anonymise -r -F -d 'Write other addresses; a key file'
complete -c bpfengine -s C -x -d 'A file ends at this size (millions of bytes)'
complete -c bpfengine -s G -x -d 'A file ends after this time'
complete -c bpfengine -s W -x -d 'Number of files'
complete -c bpfengine -s z -x -a '(__fish_complete_command)' -d 'Command to run for each file'
complete -c bpfengine -l ring-buffer -x -a 'duration: filesize: files: interval: packets:' \
	-d 'Limits, as dumpcap -b has them'
complete -c bpfengine -l flows -r -F -d 'Write each flow as a line'
complete -c bpfengine -l flows-format -x -a 'json zeek eve ecs csv' -d 'How'
complete -c bpfengine -l flows-overload -x -d 'What happens when lines are written too slowly' \
	-a 'auto drop wait'
complete -c bpfengine -l flows-begin -d 'Also write each flow that begins'
complete -c bpfengine -l flows-rotate -x -a 'size= every= rows=' -d 'Where a Parquet file ends'
complete -c bpfengine -l flows-append -d 'Keep what the file holds and write behind it'
complete -c bpfengine -l export -x -d 'Send records of flows to a collector' \
	-a 'ipfix:// ipfix: netflow9:// netflow5:// kafka://'
complete -c bpfengine -l metrics -x -a '127.0.0.1:9477 unix:' -d 'Show counters to Prometheus'
complete -c bpfengine -l metrics-file -r -F -d 'Write counters as text of Prometheus'
complete -c bpfengine -l flows-error -x -d 'What happens when the file cannot be written' \
	-a 'continue stop'
complete -c bpfengine -l flow-lengths -d 'Count bytes of IP and of payload, too'
complete -c bpfengine -l direction-by-port -d 'Who began by port numbers, where no SYN tells'
complete -c bpfengine -l max-flows -x -d 'Most flows alive'
complete -c bpfengine -l flow-idle -x -d 'End a flow after this time without a packet'
complete -c bpfengine -l flow-closed -x -d 'End a closed connection after this time'
complete -c bpfengine -l flow-timeout -x -d 'End flows of a kind after this time' \
	-a 'tcp-opening= tcp-established= tcp-closing= tcp-closed= udp-one-way= udp-two-way=
		icmp= other='
complete -c bpfengine -l where -x -d 'Only flows that match a condition'
complete -c bpfengine -l names -f -a 'all apps tls quic dns http ssh hosts ja3' -d 'Look for names of flows'
complete -c bpfengine -l events -r -d 'Write a line for each DNS query and each hello'
complete -c bpfengine -l events-format -x -a 'json zeek eve ecs' -d 'Format of events'
complete -c bpfengine -l no-names -d 'Look for no names'
complete -c bpfengine -l names-form -x -a 'whole domain hashed' -d 'Form of names'
complete -c bpfengine -l suffix-list -r -d 'Public suffixes'
complete -c bpfengine -l names-memory -x -d 'Most memory for names'
complete -c bpfengine -l ja3 -d 'JA3 of TLS clients, too'
complete -c bpfengine -l quic-budget -x -d 'Most first packets of QUIC opened a second'
complete -c bpfengine -l flow-active -x -d 'Also write a long flow at this interval'
complete -c bpfengine -l flow-memory -x -d 'Most memory for flows'
complete -c bpfengine -l no-tcp-health -d 'Do not follow sequence numbers'
complete -c bpfengine -l duplicates -x -a 'tell ignore' -d 'Packets seen twice'
complete -c bpfengine -l no-flows -d 'Keep no flows'
complete -c bpfengine -l outermost -d 'Flows of tunnels, not of their content'
complete -c bpfengine -l ignore-tunnel -d 'Equal inner addresses are one flow'
complete -c bpfengine -l ignore-vlan -d 'VLAN ids do not tell flows apart'
complete -c bpfengine -l tunnels -x -a 'all none' -d 'What is gone into'
complete -c bpfengine -l checksums -d 'Verify checksums'
complete -c bpfengine -l largest -x -d 'Largest flows in the report'
complete -c bpfengine -l seed -x -d 'Fixed seed of the hash'
complete -c bpfengine -l workers -x -a 'auto 0 1 2 4 8' -d 'Threads that work on packets'
complete -c bpfengine -l ring -x -d 'Packets in a worker\'s ring'
complete -c bpfengine -l overload -x -a 'wait drop' -d 'What happens when a ring is full'
complete -c bpfengine -l pin -d 'One core for each worker'
complete -c bpfengine -l priority -x -a 'normal high realtime' -d 'Of the threads'
complete -c bpfengine -l spread -x -a 'flow host source destination vlan tunnel' \
	-d 'Which packets share a worker'
complete -c bpfengine -l spread-networks -x -d 'Where the hosts of --spread host are'
complete -c bpfengine -s Z -l relinquish-privileges -x -d 'Whom to become once the source is open' \
	-a '(__fish_complete_users)'
complete -c bpfengine -l no-confine -d 'Do not confine the program'
complete -c bpfengine -l print -d 'Each packet as a line' -a 'own tcpdump json'
complete -c bpfengine -s e -d 'The link header, too'
complete -c bpfengine -s x -d 'The bytes in hex (-xx: with the link header)'
complete -c bpfengine -s X -d 'The bytes in hex and as text (-XX: with the link header)'
complete -c bpfengine -s A -d 'The bytes as text'
complete -c bpfengine -s t -d 'No time (-tt, -ttt, -tttt, -ttttt: other times)'
complete -c bpfengine -s S -l absolute-tcp-sequence-numbers -d 'Sequence numbers as in the packets'
complete -c bpfengine -s '#' -l number -d 'The number of each packet'
complete -c bpfengine -l nano -d 'Times with nine digits'
complete -c bpfengine -l micro -d 'Times with six digits'
complete -c bpfengine -l time-stamp-precision -x -a 'micro nano' -d 'Digits of times'
complete -c bpfengine -l color -x -a 'auto always never' -d 'A color for each flow'
complete -c bpfengine -l with-ssh -d 'Also the own SSH connection'
complete -c bpfengine -l print-rate -x -d 'Most lines a second on a terminal'
complete -c bpfengine -s l -d 'Write each line at once'
complete -c bpfengine -s U -l packet-buffered -d 'Write each line at once'
complete -c bpfengine -s K -l dont-verify-checksums -d 'Do not say which checksums are wrong'
complete -c bpfengine -l immediate-mode -d 'Give each packet at once'
complete -c bpfengine -s q -d 'Short lines, and no live line'
complete -c bpfengine -l top -d 'A live view of rates, drops and connections'
complete -c bpfengine -l json -d 'The report as JSON'
complete -c bpfengine -l stats-interval -x -d 'A line of statistics every so often'
complete -c bpfengine -l quiet -d 'No live line, no notices'
complete -c bpfengine -s v -l verbose -d 'More in the report'
complete -c bpfengine -s n -d 'Numbers, no names (always so)'
complete -c bpfengine -s b -d 'No effect'
complete -c bpfengine -s H -d 'No effect'
complete -c bpfengine -s N -d 'No effect'
complete -c bpfengine -s u -d 'No effect'
complete -c bpfengine -s h -l help -d 'Print the options'
complete -c bpfengine -l version -d 'Print the version'
