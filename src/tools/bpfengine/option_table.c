/* SPDX-License-Identifier: MIT */
/* The options of bpfengine, in the order of --help (tools/common/option.h); constant.
 *
 * The letters are tcpdump's and dumpcap's.  Each message about a wrong value says what would be
 * right. */
#include "cli.h"
#include "options.h"

#include <string.h>

#define MEMBER(m) .offset = offsetof(struct cli, m), .bytes = sizeof((struct cli *)0)->m
#define GIVEN(m) .given = offsetof(struct cli, m)
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define MOST_NS 9000000000000000000 /* of an OPTION_SECONDS: 285 years */
#define MOST_RING 4194304
#define MOST_FLOWS 2147483647

/* choices of --flows-format, --spread and -Q stand in the order of these enums */
_Static_assert(BPE_FORMAT_JSON == 0 && BPE_FORMAT_ZEEK == 1 && BPE_FORMAT_EVE == 2 &&
		       BPE_FORMAT_CSV == 3 && BPE_FORMAT_ECS == 4 && BPE_FORMAT_COUNT == 5,
	"--flows-format");
_Static_assert(BPE_SPREAD_FLOW == 0 && BPE_SPREAD_HOST == 1 && BPE_SPREAD_SOURCE == 2 &&
		       BPE_SPREAD_DESTINATION == 3 && BPE_SPREAD_VLAN == 4 &&
		       BPE_SPREAD_TUNNEL == 5,
	"--spread");
/* so do the choices of --color and --time-stamp-precision; --print counts from 1 */
_Static_assert(PRINT_COLOR_AUTO == 0 && PRINT_COLOR_ALWAYS == 1 && PRINT_COLOR_NEVER == 2 &&
		       PRINT_NONE == 0 && PRINT_OWN == 1 && PRINT_TCPDUMP == 2 && PRINT_JSON == 3,
	"--print");
_Static_assert(BPE_DIRECTION_BOTH == 0 && BPE_DIRECTION_IN == 1 && BPE_DIRECTION_OUT == 2, "-Q");

/* modes of the program that take an option; an option without modes is for a capture only */
enum {
	LIST = CLI_MODE_LIST,
	FILTER = CLI_MODE_CAPTURE | CLI_MODE_DUMP | CLI_MODE_EXPLAIN,
	ANY = FILTER | LIST
};

const struct option_spec cli_option_specs[] = {
	{ "interface", "i", OPTION_READ, .read = cli_read_interface, .adds = true,
		.wants = "wants an interface", .modes = ANY, .heading = "Source",
		.argument = "NAME",
		.help = "interface (again: several), bpf:NAME, any, or synth\n"
			"with flows= size= seed= rate= count= vlan= ipv6=\n"
			"retransmit=" },
	{ "read", "r", OPTION_READ, .read = cli_read_savefile, .adds = true,
		.wants = "wants a savefile, or - for the standard input", .modes = FILTER,
		.argument = "FILE", .help = "pcap or pcapng savefile (again: merged by time)" },
	{ "list-interfaces", "D", OPTION_SET, MEMBER(numbered), .modes = LIST,
		.help = "list interfaces, with numbers that -i takes" },
	{ "list-data-link-types", "L", OPTION_SET, MEMBER(list), .modes = LIST,
		.help = "\nlist interfaces; with -i: the link types of NAME" },
	{ "list-time-stamp-types", "J", OPTION_SET, MEMBER(list_clocks), .modes = LIST,
		.help = "\nlist the clocks of NAME: host is the only one" },
	{ "time-stamp-type", "j", OPTION_READ, .read = cli_read_clock,
		.wants = "wants host, the only clock here", .argument = "host",
		.help = "\nthe only clock: packets have the host's time" },
	{ "snapshot-length", "s", OPTION_WHOLE, MEMBER(engine.snaplen), .most = BPE_MAX_SNAPLEN,
		.wants = "wants 0 (all) to " TEXT(BPE_MAX_SNAPLEN) " bytes", .unit = 1024,
		.modes = FILTER, .argument = "N",
		.help = "bytes kept of each packet (0: all, the default)" },
	{ "buffer-size", "B", OPTION_SIZE, MEMBER(engine.buffer_bytes), .unit = 1024,
		.most = UINT64_MAX, .wants = "wants a size such as 4096 (KiB), 32M or 1G",
		.hint = " (without -B it is 16 MiB)", .argument = "SIZE",
		.help = "kernel buffer; plain numbers are KiB; K, M, G allowed" },
	{ "filter", "f", OPTION_READ, .read = cli_read_filter, .minus = true, .adds = true,
		.modes = FILTER, .wants = "wants a filter, such as 'tcp port 80'",
		.argument = "EXPRESSION",
		.help = "only packets that match (pcap-filter(7)); words\n"
			"behind the options or -F FILE do the same; -d, -dd\n"
			"and -ddd print the program, -O (--no-optimize) does\n"
			"not optimize it" },
	{ NULL, "F", OPTION_READ, .read = cli_read_filter_file, .modes = FILTER,
		.wants = "wants a filter's file", .beside = true },
	{ NULL, "d", OPTION_COUNT, MEMBER(dump), .modes = CLI_MODE_DUMP, .beside = true },
	{ "no-optimize", "O", OPTION_SET, MEMBER(unoptimized),
		.modes = CLI_MODE_CAPTURE | CLI_MODE_DUMP, .beside = true },
	{ "through", NULL, OPTION_READ, .read = cli_read_through, .modes = FILTER, .adds = true,
		.argument = "LIST",
		.help = "also match behind these, at most two deep: vlan,mpls,\n"
			"pppoe,gre,ipip,vxlan,geneve,gtpu; ipv6ext: match\n"
			"protocols, ports and tcp[] behind IPv6 extensions" },
	{ "explain", NULL, OPTION_SET, MEMBER(explain), .modes = CLI_MODE_EXPLAIN,
		.help = "say the filter in words, its cost, and the part that\n"
			"each kernel runs" },
	{ "promiscuous", NULL, OPTION_SET, MEMBER(engine.promiscuous),
		.help = "capture packets for other hosts, too" },
	{ "no-promiscuous-mode", "p", OPTION_CLEAR, MEMBER(engine.promiscuous), .modes = FILTER,
		.help = "capture what the interface takes (default)" },
	{ "block-size", NULL, OPTION_SIZE, MEMBER(engine.block_bytes), .unit = 1, .least = 4096,
		.most = 64u << 20, .wants = "wants 4K to 64M", .argument = "SIZE",
		.help = "bytes of a read; --block-count N: number of blocks" },
	{ "block-count", NULL, OPTION_WHOLE, MEMBER(engine.block_count), .least = 2, .most = 4096,
		.wants = "wants 2 to 4096", .argument = "N", .beside = true },

	{ "read-mode", NULL, OPTION_CHOICE, MEMBER(engine.read_mode),
		.heading = "\nBPF devices: macOS, BSD, and -i bpf:NAME anywhere "
			   "(opened for reading only)",
		.argument = "auto|throughput|latency|paced", .help = "  (auto)" },
	{ "read-interval", NULL, OPTION_SECONDS, MEMBER(engine.read_interval_ns),
		.most = 10000000000, .wants = "wants seconds above 0, at most 10",
		.argument = "SECONDS", .help = "time between reads of the paced mode (0.001)" },
	{ "direction", "Q", OPTION_READ, MEMBER(engine.direction), .read = cli_read_direction,
		.choices = "inout|in|out", .wants = "is in, out or inout",
		.argument = "in|out|inout", .help = "packets of a direction" },
	{ "linktype", "y", OPTION_READ, .read = cli_read_link_type, .modes = FILTER,
		.wants = "wants a link type such as EN10MB, RAW or IEEE802_11_RADIO",
		.argument = "NAME", .help = "a link type that the interface offers" },
	{ "wait-interface", NULL, OPTION_SET, MEMBER(engine.wait_interface),
		.help = "wait for an interface that went away, and go on" },
	{ "fanout", NULL, OPTION_READ, MEMBER(engine.fanout), .read = cli_read_fanout,
		.most = 65535,
		.wants = "wants a group from 0 to 65535, also with :hash, :lb, :cpu or :qm",
		.argument = "GROUP",
		.help = "Linux: share packets with all processes of a group,\n"
			"by flow (7 or 7:hash), in turns (7:lb), :cpu, :qm" },
	{ "process", NULL, OPTION_SET, MEMBER(engine.process),
		.help = "tell the process of packets (macOS) and flows" },
	{ "head-drop", NULL, OPTION_SET, MEMBER(engine.head_drop),
		.help = "macOS: full buffers lose the oldest packets" },
	{ "truncate", NULL, OPTION_SET, MEMBER(engine.truncate_payload),
		.help = "macOS, on pktap: headers only" },
	{ "header-compression", NULL, OPTION_SET, MEMBER(engine.header_compression),
		.help = "macOS 13: the kernel leaves out repeated headers\n"
			"(not on pktap: process names would be wrong)" },
	{ "zero-copy", NULL, OPTION_SET, MEMBER(engine.zero_copy),
		.help = "FreeBSD: buffers shared with the kernel" },
	{ "bpf-abi", NULL, OPTION_TEXT, MEMBER(engine.bpf_abi), .modes = FILTER, .argument = "NAME",
		.help = "macos, freebsd, netbsd, openbsd (this system's)" },
	{ "bpf-device", NULL, OPTION_TEXT, MEMBER(engine.bpf_device), .modes = FILTER,
		.argument = "PATH", .help = "the device; macOS: without the number (/dev/bpf)" },

	{ "duration", NULL, OPTION_SECONDS, MEMBER(duration_ns), .most = MOST_NS,
		.wants = "wants seconds above 0, such as 60 or 0.5", .heading = "\nEnd",
		.argument = "SECONDS", .help = "stop after this time; also -t SECONDS" },
	{ "autostop", "a", OPTION_READ, .read = cli_read_autostop, .adds = true,
		.wants = "wants KIND:NUMBER, such as duration:10", .argument = "KIND:NUMBER",
		.help = "\nduration:SECONDS or packets:COUNT, as in tshark" },
	{ NULL, "c", OPTION_WHOLE, MEMBER(engine.max_packets), .least = 1, .most = UINT64_MAX / 2,
		.wants = "wants a number of packets, 1 or more",
		.hint = " (without -c there is no limit)", .argument = "COUNT",
		.help = "stop after this many packets" },
	{ "count", NULL, OPTION_READ_OR_NONE, .read = cli_read_count, .argument = "COUNT",
		.help = "the same; without COUNT: print only how many there\n"
			"are" },

	{ "flows", NULL, OPTION_TEXT, MEMBER(flows_path),
		.once = "--flows may be given once: one file a run",
		.wants = "wants a file, or - for the standard output", .heading = "\nFlows",
		.argument = "FILE",
		.help = "write a line for each flow at its end (- is stdout);\n"
			"NAME.parquet and NAME.sqlite become tables" },
	{ "flows-rotate", NULL, OPTION_READ, .read = cli_read_flows_rotate, .adds = true,
		.wants = "wants limits: size=100M (64K or more), every=1h, rows=N",
		.argument = "LIMIT,...",
		.help = "of NAME.parquet: begin a new file at size=100M,\n"
			"every=1h or rows=N" },
	{ "flows-begin", NULL, OPTION_SET, MEMBER(engine.record_begins),
		.help = "... and at its beginning, marked as such" },
	{ "flows-append", NULL, OPTION_SET, MEMBER(flows_append),
		.help = "keep the content of FILE, and add lines" },
	{ "flows-format", NULL, OPTION_CHOICE, MEMBER(flows_format),
		.choices = "json|zeek|eve|csv|ecs", .wants = "is json, zeek, eve, ecs or csv",
		.argument = "json|zeek|eve|ecs|csv",
		.help = "this program's names (json),\n"
			"Zeek's conn.log, Suricata's EVE, Elastic's, CSV" },
	{ "flows-overload", NULL, OPTION_CHOICE, MEMBER(engine.record_overload),
		.argument = "auto|drop|wait",
		.help = "if writing is too slow: drop and count\n"
			"lines, or wait (auto: drop live, else wait)" },
	{ "flows-error", NULL, OPTION_CHOICE, MEMBER(flows_stop), .argument = "continue|stop",
		.help = "if FILE cannot be written (continue)" },
	{ "export", NULL, OPTION_READ, .read = cli_read_export, .adds = true,
		.wants = "wants a target, such as ipfix://HOST", .argument = "TARGET",
		.help = "send each flow's record to a collector: ipfix://HOST,\n"
			"netflow9://HOST, netflow5://HOST, ipfix:FILE,\n"
			"kafka://BROKERS/TOPIC (again: several)" },
	{ "metrics", NULL, OPTION_READ, .read = cli_read_metrics, .adds = true,
		.wants = "wants ADDRESS:PORT, such as 127.0.0.1:9477, or unix:PATH",
		.argument = "ADDRESS:PORT", .help = "\nshow counters to Prometheus; or unix:PATH" },
	{ "metrics-file", NULL, OPTION_READ, .read = cli_read_metrics_file, .adds = true,
		.wants = "wants a file's path", .argument = "FILE",
		.help = "\nwrite counters as Prometheus text, again and again" },
	{ "max-flows", NULL, OPTION_WHOLE, MEMBER(engine.max_flows), .least = 1, .most = MOST_FLOWS,
		.wants = "wants 1 to " TEXT(MOST_FLOWS), .hint = " (--no-flows keeps none)",
		.argument = "N", .help = "most flows alive, in all (1000000)" },
	{ "flow-idle", NULL, OPTION_SECONDS, MEMBER(engine.flow_idle_ns), .most = MOST_NS,
		.argument = "SECONDS",
		.help = "end a flow after this time without a packet (300)" },
	{ "flow-closed", NULL, OPTION_SECONDS, MEMBER(engine.flow_closed_ns), .most = MOST_NS,
		.argument = "SECONDS", .help = "... after TCP closed or reset it (10)" },
	{ "flow-timeout", NULL, OPTION_READ, .read = cli_read_flow_timeout, .most = MOST_NS,
		.adds = true, .argument = "KIND=SECONDS",
		.help = "tcp-opening, tcp-established, tcp-closing,\n"
			"tcp-closed, udp-one-way, udp-two-way, icmp or other" },
	{ "flow-active", NULL, OPTION_SECONDS, MEMBER(engine.flow_active_ns), .most = MOST_NS,
		.argument = "SECONDS", .help = "also write a long flow at this interval" },
	{ "flow-memory", NULL, OPTION_SIZE, MEMBER(engine.max_flow_bytes), .unit = 1,
		.most = UINT64_MAX, .wants = "wants bytes, K, M or G", .argument = "SIZE",
		.help = "most memory for flows; lowers --max-flows to fit" },
	{ "flow-lengths", NULL, OPTION_SET, MEMBER(engine.flow_lengths),
		.help = "also count bytes of IP and payload (zeek: always)" },
	{ "direction-by-port", NULL, OPTION_SET, MEMBER(engine.direction_by_port),
		.help = "if no SYN was seen, the end with the port below 1024,\n"
			"or else the lower port, is the responder" },
	{ "no-tcp-health", NULL, OPTION_SET, MEMBER(engine.no_tcp_health),
		.help = "do not follow TCP's sequence numbers" },
	{ "duplicates", NULL, OPTION_CHOICE, MEMBER(engine.duplicates), .argument = "tell|ignore",
		.help = "packets that a mirror port shows twice: count\n"
			"them apart (tell), or as retransmissions" },
	{ "no-flows", NULL, OPTION_CLEAR, MEMBER(engine.flows), .help = "do not keep flows" },
	{ "where", NULL, OPTION_TEXT, MEMBER(engine.where),
		.wants = "wants a condition, such as 'name like \"*.example.com\"'",
		.argument = "CONDITION",
		.help = "\nonly flows that match (bpfengine-where(7)), in\n"
			"--flows, --top and --print" },
	{ "outermost", NULL, OPTION_SET, MEMBER(engine.outermost),
		.help = "flows of tunnels, not of their content" },
	{ "ignore-tunnel", NULL, OPTION_SET, MEMBER(engine.ignore_tunnel),
		.help = "equal inner addresses are one flow in any tunnel" },
	{ "ignore-vlan", NULL, OPTION_SET, MEMBER(engine.ignore_vlan),
		.help = "VLAN ids do not separate flows" },
	{ "tunnels", NULL, OPTION_READ, .read = cli_read_tunnels, .minus = true, .argument = "LIST",
		.help = "tunnels to follow: all (default), none, or names; a\n"
			"minus before a name leaves it out",
		.print_more = cli_tunnels_help },
	{ "checksums", NULL, OPTION_SET, MEMBER(engine.checksums),
		.help = "verify checksums of IPv4, TCP, UDP, ICMP and more" },
	{ "largest", NULL, OPTION_WHOLE, MEMBER(largest), .most = 10000,
		.wants = "wants 0 to 10000", .argument = "N",
		.help = "number of largest flows in the report (10)" },
	{ "seed", NULL, OPTION_WHOLE, MEMBER(engine.hash_seed), GIVEN(engine.fixed_seed),
		.most = UINT64_MAX, .wants = "wants a number", .argument = "N",
		.help = "fixed seed of the hash (random)" },

	{ "names", NULL, OPTION_READ_OR_NONE, .read = cli_read_names, .heading = "\nNames of flows",
		.wants = "takes names of all, apps, tls, quic, dns, http, ssh, hosts and ja3",
		.argument = "LIST",
		.help = "look for names of hosts and protocols in payload: all\n"
			"(on with --flows, --events, --top, --print), or apps,\n"
			"tls, quic, dns, http, ssh, hosts" },
	{ "events", NULL, OPTION_TEXT, MEMBER(events_path),
		.once = "--events may be given once: one file a run",
		.wants = "wants a file, or - for the standard output", .argument = "FILE",
		.help = "write a line for each DNS query, and for each hello\n"
			"of TLS, QUIC, HTTP and SSH (- is stdout)" },
	{ "events-format", NULL, OPTION_CHOICE, MEMBER(events_format),
		.choices = "json|zeek|eve|ecs", .wants = "is json, zeek, eve or ecs",
		.argument = "json|zeek|eve|ecs",
		.help = "this program's names (json),\n"
			"Zeek's dns.log and others, Suricata's EVE, Elastic's" },
	{ "no-names", NULL, OPTION_SET, MEMBER(no_names), .help = "look for no names" },
	{ "names-form", NULL, OPTION_CHOICE, MEMBER(engine.names_form),
		.choices = "whole|domain|hashed", .argument = "whole|domain|hashed",
		.help = "names as they are, the registered\n"
			"domain alone, or a keyed hash" },
	{ "suffix-list", NULL, OPTION_TEXT, MEMBER(engine.public_suffixes), .wants = "wants a file",
		.argument = "FILE",
		.help = "public suffixes of --names-form domain (the system's)" },
	{ "names-memory", NULL, OPTION_SIZE, MEMBER(engine.names_bytes), .unit = 1,
		.least = 1u << 20, .most = 1ull << 36, .wants = "wants 1M to 64G",
		.argument = "SIZE", .help = "most memory for names (64M)" },
	{ "ja3", NULL, OPTION_SET, MEMBER(ja3), .help = "JA3 of TLS clients, too (JA4 always)" },
	{ "quic-budget", NULL, OPTION_WHOLE, MEMBER(engine.quic_per_second), .least = 1,
		.most = 1000000000, .wants = "wants 1 to 1000000000", .argument = "N",
		.help = "most first packets of QUIC opened a second (20000)" },

	{ "write", "w", OPTION_TEXT, MEMBER(write.path),
		.once = "-w may be given once: one output a run",
		.wants = "wants a file, or - for the standard output", .heading = "\nSavefiles",
		.argument = "FILE", .help = "write the packets; strftime's letters make the name" },
	{ "write-format", NULL, OPTION_CHOICE, MEMBER(write.format),
		.choices = "auto|pcapng|pcap|pcap-ns", .wants = "is pcapng, pcap or pcap-ns",
		.argument = "FORMAT",
		.help = "pcapng, pcap or pcap-ns\n(auto: pcap for names in .pcap, else pcapng)" },
	{ "write-compression", NULL, OPTION_READ, .read = cli_read_compression,
		.wants = "is none, zstd, lz4 or gzip, also with a level, as zstd:3",
		.argument = "KIND",
		.help = "\nnone, zstd, lz4 or gzip; zstd:3 names a level\n"
			"(by the name: .zst, .lz4, .gz)" },
	{ "rotate", NULL, OPTION_READ, .read = cli_read_rotate,
		.wants = "wants size=1G, every=1h or packets=N, with commas between them",
		.argument = "LIMITS",
		.help = "size=1G,every=1h,packets=N: the first that is\n"
			"reached ends a file, and the next one begins" },
	{ "keep", NULL, OPTION_READ, .read = cli_read_keep,
		.wants = "wants files=24, size=500G, age=7d or free=10%, with commas between them",
		.argument = "LIMITS",
		.help = "files=24,size=500G,age=7d,free=10%: the oldest files\n"
			"of this name are removed beyond" },
	{ "write-error", NULL, OPTION_CHOICE, MEMBER(write.error_continue),
		.argument = "stop|continue", .help = "if packets cannot be written (stop)" },
	{ "write-memory", NULL, OPTION_SIZE, MEMBER(write.memory_bytes), .unit = 1,
		.least = 4u << 20, .most = 1ull << 36, .wants = "wants 4M to 64G",
		.argument = "SIZE", .help = "most memory for packets that wait (64M)" },
	{ "sync", NULL, OPTION_SECONDS, MEMBER(write.sync_ns), .most = MOST_NS,
		.argument = "SECONDS", .help = "force packets to the disk at this interval, too" },
	{ "write-comment", NULL, OPTION_TEXT, MEMBER(write.comment), .wants = "wants a text",
		.argument = "TEXT", .help = "a comment in each pcapng file" },
	{ "write-hash", NULL, OPTION_SET, MEMBER(write.hash),
		.help = "with each packet the hash of its flow (Toeplitz)" },
	{ "ledger", NULL, OPTION_READ_OR_NONE, .read = cli_read_ledger, .choices = "sha256",
		.wants = "takes no value, or sha256", .argument = "sha256",
		.help = "a line for each file in a list beside the files\n"
			"(on with --rotate; --no-ledger: none)" },
	{ "no-ledger", NULL, OPTION_ACT, .act = cli_act_no_ledger, .beside = true },
	{ "cutoff", NULL, OPTION_READ, .read = cli_read_cutoff,
		.wants = "wants a size such as 64K, also with ,after=headers or ,after=drop",
		.argument = "SIZE",
		.help = "write the first bytes of each flow whole, and then\n"
			"headers (SIZE,after=drop: nothing)" },
	{ "recorder", NULL, OPTION_READ, .read = cli_read_recorder,
		.wants = "wants a size from 1M, or a time with its unit, such as 30s",
		.argument = "LIMIT",
		.help = "keep the last packets in memory (256M, 30s), and\n"
			"write them on a signal or --trigger" },
	{ "trigger", NULL, OPTION_TEXT, MEMBER(write.trigger), .wants = "wants an expression",
		.argument = "EXPRESSION", .help = "\nwhen --recorder writes" },
	{ "split", NULL, OPTION_CHOICE, MEMBER(write.split), .choices = "none|flow|host|process",
		.wants = "is flow, host or process", .argument = "BY",
		.help = "a file for each flow, host or process" },
	{ "dedup", NULL, OPTION_READ, .read = cli_read_dedup,
		.wants =
			"wants a time such as 50ms, or packets=N; ,exact and ,ip compare otherwise",
		.argument = "WINDOW",
		.help = "leave out packets seen twice within this time, or\n"
			"among packets=N; also with ,exact or ,ip" },
	{ "anonymise", NULL, OPTION_READ, .read = cli_read_anonymise,
		.wants = "wants a key's file, also with ,mac ,cut=payload or ,keep=none",
		.argument = "KEYFILE",
		.help = "write other addresses, made with a secret key of 32\n"
			"bytes; also with ,mac or ,cut=payload" },
	{ NULL, "C", OPTION_READ, .read = cli_read_file_size,
		.wants = "wants millions of bytes, or a size with K, M or G", .argument = "SIZE",
		.help = "tcpdump's letters: a file ends at this size,\n"
			"-G SECONDS after this time; -W N: number of files;\n"
			"-z COMMAND runs for each; dumpcap's: -b KIND:VALUE,\n"
			"--ring-buffer KIND:VALUE" },
	{ NULL, "G", OPTION_READ, .read = cli_read_file_time, .wants = "wants seconds, 1 or more",
		.beside = true },
	{ NULL, "W", OPTION_READ, .read = cli_read_file_count,
		.wants = "wants a number of files, 1 or more", .beside = true },
	{ NULL, "z", OPTION_READ, .read = cli_read_command, .wants = "wants a command",
		.beside = true },
	{ "ring-buffer", NULL, OPTION_READ, .read = cli_read_ring, .adds = true,
		.wants =
			"wants duration:, interval:, filesize:, packets:, files:, printname: or nametimenum:, and a value",
		.beside = true },

	{ "workers", NULL, OPTION_READ, MEMBER(engine.workers), .read = cli_read_workers,
		.most = BPE_MAX_WORKERS, .wants = "wants 0 to " TEXT(BPE_MAX_WORKERS) ", or auto",
		.heading = "\nThreads", .argument = "N|auto",
		.help = "worker threads; 0: the reader does everything (auto)" },
	{ "ring", NULL, OPTION_POWER, MEMBER(engine.ring_slots), .least = BPE_BATCH,
		.most = MOST_RING,
		.wants = "wants a power of two from " TEXT(BPE_BATCH) " to " TEXT(MOST_RING),
		.argument = "N", .help = "packets in a worker's ring, a power of two (16384)" },
	{ "overload", NULL, OPTION_CHOICE, MEMBER(engine.overload), .argument = "wait|drop",
		.help = "if a ring is full: wait (default), or drop" },
	{ "pin", NULL, OPTION_SET, MEMBER(engine.pin_workers), .help = "a core for each worker" },
	{ "priority", NULL, OPTION_CHOICE, MEMBER(engine.priority),
		.argument = "normal|high|realtime" },
	{ "spread", NULL, OPTION_CHOICE, MEMBER(engine.spread),
		.argument = "flow|host|source|destination|vlan|tunnel",
		.help = "packets\nthat share a worker (flow); source and destination\n"
			"need --no-flows" },
	{ "spread-networks", NULL, OPTION_TEXT, MEMBER(engine.spread_networks), .argument = "LIST",
		.help = "networks of the hosts of --spread host, as\n"
			"10.0.0.0/8,fd00::/8 (private addresses)" },

	{ "relinquish-privileges", "Z", OPTION_TEXT, MEMBER(user), .wants = "wants a user",
		.heading = "\nRights", .argument = "USER",
		.help = "\nif started as root, become USER once the source is\n"
			"open (bpfengine if this user exists, else nobody;\n"
			"root keeps all rights)" },
	{ "no-confine", NULL, OPTION_SET, MEMBER(no_confine),
		.help = "use no seccomp, Landlock, Seatbelt, Capsicum, pledge" },

	{ "print", NULL, OPTION_READ_OR_NONE, .read = cli_read_print, .choices = "own|tcpdump|json",
		.wants = "is own, tcpdump or json", .heading = "\nPackets on the screen",
		.argument = "FORM",
		.help = "each packet as a line on stdout: own (default),\n"
			"tcpdump or json.  The letters below print, too" },
	{ NULL, "e", OPTION_SET, MEMBER(print.link), GIVEN(prints),
		.help = "the link header, too" },
	{ NULL, "x", OPTION_COUNT, MEMBER(print.hex), GIVEN(prints),
		.help = "the bytes in hex; -xx: with the link header" },
	{ NULL, "X", OPTION_COUNT, MEMBER(print.hex_text), GIVEN(prints),
		.help = "the bytes in hex and as text; -XX: likewise" },
	{ NULL, "A", OPTION_COUNT, MEMBER(print.text), GIVEN(prints),
		.help = "the bytes as text; -AA: likewise" },
	{ NULL, "t", OPTION_COUNT, MEMBER(print.time), GIVEN(prints),
		.help = "no time; -tt: seconds since 1970; -ttt: since the\n"
			"packet before; -tttt: with the date; -ttttt: since\n"
			"the first packet" },
	{ "absolute-tcp-sequence-numbers", "S", OPTION_SET, MEMBER(print.absolute), GIVEN(prints),
		.help = "\nsequence numbers as they are in the packets" },
	{ "number", "#", OPTION_SET, MEMBER(print.number), GIVEN(prints),
		.help = "the number of each packet before its line" },
	{ "nano", NULL, OPTION_SET, MEMBER(print.nanoseconds), GIVEN(prints),
		.help = "times with nine digits; --micro: with six (default)" },
	{ "micro", NULL, OPTION_CLEAR, MEMBER(print.nanoseconds), GIVEN(prints), .beside = true },
	{ "time-stamp-precision", NULL, OPTION_CHOICE, MEMBER(print.nanoseconds), GIVEN(prints),
		.argument = "micro|nano", .help = "\nthe same" },
	{ "color", NULL, OPTION_CHOICE, MEMBER(print.color), GIVEN(colors),
		.argument = "auto|always|never",
		.help = "a color for each flow (auto: on a terminal)" },
	{ "with-ssh", NULL, OPTION_SET, MEMBER(with_ssh),
		.help = "also the SSH connection by which you look, which\n"
			"--print and --top leave out without a filter" },
	{ "print-rate", NULL, OPTION_WHOLE, MEMBER(print.lines_a_second), .least = 1,
		.most = UINT64_MAX / 2, .wants = "wants a number of lines, 1 or more",
		.argument = "N", .help = "most lines a second on a terminal" },
	{ NULL, "l", OPTION_SET, MEMBER(print.flush),
		.help = "write each line at once; also -U, --packet-buffered" },
	{ "packet-buffered", "U", OPTION_SET, MEMBER(print.flush), GIVEN(write.packet_buffered),
		.beside = true },
	{ "dont-verify-checksums", "K", OPTION_SET, MEMBER(print.no_checksums),
		.help = "\ndo not say which checksums are wrong" },
	{ "immediate-mode", NULL, OPTION_SET, MEMBER(immediate),
		.help = "give each packet at once (Linux: always in 10 ms)" },
	{ NULL, "q", OPTION_SET, MEMBER(print.quick), .modes = ANY,
		.help = "short lines, and no live line" },

	{ "top", NULL, OPTION_SET, MEMBER(top), .heading = "\nOutput",
		.help = "a live view of rates, drops and connections; h shows\n"
			"its keys; --stats-interval is its refresh" },
	{ "json", NULL, OPTION_SET, MEMBER(json), .modes = CLI_MODE_CAPTURE | LIST,
		.help = "the report as a JSON document on stdout" },
	{ "stats-interval", NULL, OPTION_SECONDS, MEMBER(stats_interval_ns), .most = MOST_NS,
		.argument = "N", .help = "a line of statistics every N seconds on stderr" },
	{ "quiet", NULL, OPTION_SET, MEMBER(quiet), .modes = ANY,
		.help = "no live line, no notices" },
	{ "verbose", "v", OPTION_COUNT, MEMBER(verbose), .modes = ANY,
		.help = "more in the report, and in each line; -vv, -vvv" },
	{ NULL, "n", OPTION_NOTHING, .modes = ANY, .help = "numbers, no names (always so)" },
	{ NULL, "b", OPTION_NOTHING, .modes = ANY,
		.help = "no effect, nor have -H, -N and -u: tcpdump's letters" },
	{ NULL, "H", OPTION_NOTHING, .modes = ANY, .beside = true },
	{ NULL, "N", OPTION_NOTHING, .modes = ANY, .beside = true },
	{ NULL, "u", OPTION_NOTHING, .modes = ANY, .beside = true },
	{ "help", "h", OPTION_HELP, MEMBER(done), .argument = "  --version" },
	{ "version", NULL, OPTION_ACT, .act = cli_act_version, .beside = true },
};
_Static_assert(sizeof cli_option_specs / sizeof *cli_option_specs <= OPTION_MOST, "options");

const size_t cli_option_count = sizeof cli_option_specs / sizeof *cli_option_specs;
