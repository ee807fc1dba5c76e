/* SPDX-License-Identifier: MIT */
/* The command line: letters as tcpdump and dumpcap have them.  Every wrong word is told with what
 * would be right. */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	OPT_HELP = 256,
	OPT_VERSION,
	OPT_JSON,
	OPT_WORKERS,
	OPT_INTERVAL,
	OPT_FLOWS,
	OPT_MAX_FLOWS,
	OPT_IDLE,
	OPT_CLOSED,
	OPT_TIMEOUT,
	OPT_ACTIVE,
	OPT_FLOW_MEMORY,
	OPT_NO_HEALTH,
	OPT_DUPLICATES,
	OPT_NO_FLOWS,
	OPT_PROMISC,
	OPT_BPF_ABI,
	OPT_BPF_DEVICE,
	OPT_READ_MODE,
	OPT_READ_INTERVAL,
	OPT_WAIT_INTERFACE,
	OPT_PROCESS,
	OPT_HEAD_DROP,
	OPT_COMPRESSION,
	OPT_TRUNCATE,
	OPT_ZERO_COPY,
	OPT_OVERLOAD,
	OPT_RING,
	OPT_BLOCK_SIZE,
	OPT_BLOCK_COUNT,
	OPT_PIN,
	OPT_PRIORITY,
	OPT_SEED,
	OPT_LARGEST,
	OPT_THROUGH,
	OPT_EXPLAIN,
	OPT_OUTERMOST,
	OPT_CHECKSUMS,
	OPT_NO_CONFINE,
	OPT_TOP,
	OPT_FLOWS_FORMAT,
	OPT_FLOWS_ERROR,
	OPT_FLOWS_OVERLOAD,
	OPT_FLOWS_APPEND,
	OPT_LENGTHS,
	OPT_BY_PORT,
	OPT_TUNNELS,
	OPT_IGNORE_TUNNEL,
	OPT_IGNORE_VLAN
};

static const struct option longs[] = { { "interface", 1, 0, 'i' }, { "read", 1, 0, 'r' },
	{ "duration", 1, 0, 't' }, { "count", 1, 0, 'c' }, { "snapshot-length", 1, 0, 's' },
	{ "buffer-size", 1, 0, 'B' }, { "list-interfaces", 0, 0, 'L' }, { "quiet", 0, 0, 'q' },
	{ "verbose", 0, 0, 'v' }, { "autostop", 1, 0, 'a' }, { "no-promiscuous-mode", 0, 0, 'p' },
	{ "help", 0, 0, OPT_HELP }, { "version", 0, 0, OPT_VERSION }, { "json", 0, 0, OPT_JSON },
	{ "workers", 1, 0, OPT_WORKERS }, { "stats-interval", 1, 0, OPT_INTERVAL },
	{ "flows", 1, 0, OPT_FLOWS }, { "max-flows", 1, 0, OPT_MAX_FLOWS },
	{ "flow-idle", 1, 0, OPT_IDLE }, { "flow-closed", 1, 0, OPT_CLOSED },
	{ "no-flows", 0, 0, OPT_NO_FLOWS }, { "flow-timeout", 1, 0, OPT_TIMEOUT },
	{ "flow-active", 1, 0, OPT_ACTIVE }, { "flow-memory", 1, 0, OPT_FLOW_MEMORY },
	{ "no-tcp-health", 0, 0, OPT_NO_HEALTH }, { "duplicates", 1, 0, OPT_DUPLICATES },
	{ "promiscuous", 0, 0, OPT_PROMISC }, { "overload", 1, 0, OPT_OVERLOAD },
	{ "ring", 1, 0, OPT_RING }, { "block-size", 1, 0, OPT_BLOCK_SIZE },
	{ "block-count", 1, 0, OPT_BLOCK_COUNT }, { "pin", 0, 0, OPT_PIN },
	{ "priority", 1, 0, OPT_PRIORITY }, { "seed", 1, 0, OPT_SEED },
	{ "largest", 1, 0, OPT_LARGEST }, { "filter", 1, 0, 'f' }, { "through", 1, 0, OPT_THROUGH },
	{ "explain", 0, 0, OPT_EXPLAIN }, { "direction", 1, 0, 'Q' }, { "linktype", 1, 0, 'y' },
	{ "bpf-abi", 1, 0, OPT_BPF_ABI }, { "bpf-device", 1, 0, OPT_BPF_DEVICE },
	{ "read-mode", 1, 0, OPT_READ_MODE }, { "read-interval", 1, 0, OPT_READ_INTERVAL },
	{ "wait-interface", 0, 0, OPT_WAIT_INTERFACE }, { "process", 0, 0, OPT_PROCESS },
	{ "head-drop", 0, 0, OPT_HEAD_DROP }, { "header-compression", 0, 0, OPT_COMPRESSION },
	{ "truncate", 0, 0, OPT_TRUNCATE }, { "outermost", 0, 0, OPT_OUTERMOST },
	{ "tunnels", 1, 0, OPT_TUNNELS }, { "ignore-tunnel", 0, 0, OPT_IGNORE_TUNNEL },
	{ "ignore-vlan", 0, 0, OPT_IGNORE_VLAN }, { "checksums", 0, 0, OPT_CHECKSUMS },
	{ "zero-copy", 0, 0, OPT_ZERO_COPY }, { "relinquish-privileges", 1, 0, 'Z' },
	{ "no-confine", 0, 0, OPT_NO_CONFINE }, { "top", 0, 0, OPT_TOP },
	{ "flows-append", 0, 0, OPT_FLOWS_APPEND }, { "flows-format", 1, 0, OPT_FLOWS_FORMAT },
	{ "flows-error", 1, 0, OPT_FLOWS_ERROR }, { "flows-overload", 1, 0, OPT_FLOWS_OVERLOAD },
	{ "flow-lengths", 0, 0, OPT_LENGTHS }, { "direction-by-port", 0, 0, OPT_BY_PORT },
	{ NULL, 0, 0, 0 } };

void cli_help(FILE *to)
{
	fputs("bpfengine " BPE_VERSION ": captures packets, tracks flows, reports what it saw\n"
	      "\n"
	      "  bpfengine -i INTERFACE [-t SECONDS] [options] [FILTER]   live (needs rights)\n"
	      "  bpfengine -r FILE [options] [FILTER]            from a savefile; - is stdin\n"
	      "  bpfengine -i synth[:KEY=VALUE,...] -t 5         generated traffic\n"
	      "\n"
	      "Source\n"
	      "  -i, --interface NAME     interface, bpf:NAME, any (Linux), or synth with\n"
	      "                           flows= size= seed= rate= count= vlan= ipv6=\n"
	      "                           retransmit=\n"
	      "  -r, --read FILE          pcap or pcapng savefile\n"
	      "  -L, -D, --list-interfaces  list interfaces and exit\n"
	      "  -s, --snapshot-length N  bytes kept of each packet (0: all, the default)\n"
	      "  -B, --buffer-size SIZE   kernel buffer; plain numbers are KiB; K, M, G allowed\n"
	      "  -f, --filter EXPRESSION  only packets that match (pcap-filter(7)); also as the\n"
	      "                           words behind the options, or -F FILE; -d, -dd and\n"
	      "                           -ddd print its program, -O as it was written\n"
	      "      --through LIST       the filter also behind these, two deep at most: vlan,\n"
	      "                           mpls,pppoe,gre,ipip,vxlan,geneve,gtpu; ipv6ext:\n"
	      "                           protocols, ports and tcp[] behind IPv6 extensions\n"
	      "      --explain            the filter in words, what it costs, and what the\n"
	      "                           kernel does of it\n"
	      "      --promiscuous        see what is not for this host\n"
	      "  -p, --no-promiscuous-mode  do not (default)\n"
	      "      --block-size SIZE    bytes read at a time;  --block-count N of them\n"
	      "\n"
	      "BPF devices: macOS, BSD, and -i bpf:NAME anywhere (opened for reading only)\n"
	      "      --read-mode auto|throughput|latency|paced    (auto)\n"
	      "      --read-interval SECONDS  between two looks of the paced mode (0.001)\n"
	      "  -Q, --direction in|out|inout  (Linux's own interfaces, too)\n"
	      "  -y, --linktype NAME      one of those that the interface offers\n"
	      "      --wait-interface     go on when an interface that went away comes back\n"
	      "      --process            macOS: which process packets and flows belong to\n"
	      "      --head-drop          macOS: when full, lose the oldest packets\n"
	      "      --truncate           macOS, on pktap: headers only\n"
	      "      --header-compression macOS 13: the kernel leaves out repeated headers\n"
	      "                           (not on pktap, whose process names would be wrong)\n"
	      "      --zero-copy          FreeBSD: buffers shared with the kernel\n"
	      "      --bpf-abi NAME       macos, freebsd, netbsd, openbsd (this system's)\n"
	      "      --bpf-device PATH    the nodes; macOS: without their number (/dev/bpf)\n"
	      "\n",
		to);
	fputs("End\n"
	      "  -t, --duration SECONDS   stop after so long\n"
	      "  -a, --autostop duration:SECONDS  the same, as tshark has it\n"
	      "  -c, --count COUNT        stop after so many packets\n"
	      "\n"
	      "Flows\n",
		to);
	fputs("      --flows FILE         each flow at its end as a line (- is stdout)\n"
	      "      --flows-append       keep what FILE holds and write behind it\n"
	      "      --flows-format json|zeek|eve|ecs|csv  this program's names (json),\n"
	      "                           Zeek's conn.log, Suricata's EVE, Elastic's, CSV\n"
	      "      --flows-overload auto|drop|wait  when lines are written too slowly: drop\n"
	      "                           and count them, or wait (auto: drop live, else wait)\n"
	      "      --flows-error continue|stop  when FILE cannot be written (continue)\n"
	      "      --max-flows N        most flows alive, in all (1000000)\n"
	      "      --flow-idle SECONDS  end a flow after so long without a packet (300)\n"
	      "      --flow-closed SECONDS  ... once TCP has closed or reset it (10)\n"
	      "      --flow-timeout KIND=SECONDS  tcp-opening, tcp-established, tcp-closing,\n"
	      "                           tcp-closed, udp-one-way, udp-two-way, icmp or other\n"
	      "      --flow-active SECONDS  tell of a long flow every so long, too\n"
	      "      --flow-memory SIZE   most memory for flows; lowers --max-flows to fit\n"
	      "      --flow-lengths       count IP's and payload's bytes, too (zeek: always)\n"
	      "      --direction-by-port  where no SYN tells who began: the end with the port\n"
	      "                           below 1024, or the lower one, was asked\n"
	      "      --no-tcp-health      do not follow TCP's sequence numbers\n"
	      "      --duplicates tell|ignore  packets that a mirror port shows twice: count\n"
	      "                           them apart (tell), or as retransmissions\n"
	      "      --no-flows           do not keep flows\n"
	      "      --outermost          flows of tunnels, not of what is in them\n"
	      "      --ignore-tunnel      equal inner addresses are one flow, whatever tunnels\n"
	      "                           they come by\n"
	      "      --ignore-vlan        VLAN ids do not tell flows apart\n"
	      "      --tunnels LIST       what is gone into: all (default), none, or names; one\n"
	      "                           with a minus before it is left out\n",
		to);
	cli_tunnels_help(to);
	fputs("      --checksums          verify those of IPv4, TCP, UDP, ICMP and more\n"
	      "      --largest N          largest flows in the report (10)\n"
	      "      --seed N             fixed seed of the hash (random)\n"
	      "\n"
	      "Threads\n"
	      "      --workers N|auto     threads that work on packets; 0: all in one (auto)\n"
	      "      --ring N             packets in a worker's ring, a power of two (16384)\n"
	      "      --overload wait|drop when a ring is full: wait (default), or drop\n"
	      "      --pin                one core for each worker\n"
	      "      --priority normal|high|realtime\n"
	      "\n"
	      "Rights\n"
	      "  -Z, --relinquish-privileges USER\n"
	      "                           who to be once the source is open, if started as root\n"
	      "                           (bpfengine if there is such a user, else nobody; root\n"
	      "                           keeps all rights)\n"
	      "      --no-confine         no seccomp, Landlock, Seatbelt, Capsicum, pledge\n"
	      "\n"
	      "Output\n"
	      "      --top                a live view of rates, drops and connections; h in it\n"
	      "                           has the keys; --stats-interval is how often it looks\n"
	      "      --json               the report as one JSON document on stdout\n"
	      "      --stats-interval N   a line of statistics every N seconds on stderr\n"
	      "  -q, --quiet              no live line, no notices\n"
	      "  -v, --verbose            more in the report\n"
	      "  -n                       numbers, no names (always so)\n"
	      "      --help   --version\n"
	      "\n"
	      "SIGINT and SIGTERM end the run and report; a second one leaves at once.\n"
	      "SIGINFO (Ctrl-T) or SIGUSR1 prints the report so far on stderr.\n"
	      "SIGUSR2 reads the filter's files again (-F, and host in FILE), and with\n"
	      "--flows writes the flows that are alive; SIGHUP opens that file anew.\n"
	      "\n"
	      "Exit codes: 0 good; 1 error while running, torn or damaged savefile, output\n"
	      "not written; 2 wrong usage; 3 rights are missing; 4 the source cannot be opened.\n",
		to);
}

static int wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int wrong(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("bpfengine: ", stderr);
	program_print(stderr, false, format, args);
	fputs("\nTry bpfengine --help.\n", stderr);
	va_end(args);
	return EXIT_USAGE;
}

static bool whole(const char *s, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;
	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	unsigned long long v = strtoull(s, &end, 10);
	if (errno || *end || v < least || v > most)
		return false;
	*value = v;
	return true;
}

/* Bytes; K, M, G are binary; a bare number counts `unit` bytes. */
static bool size(const char *s, uint64_t unit, uint64_t *value)
{
	char *end;
	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	unsigned long long v = strtoull(s, &end, 10);
	switch (toupper((unsigned char)*end)) {
	case 0:
		break;
	case 'K':
		unit = 1024;
		end++;
		break;
	case 'M':
		unit = 1024 * 1024;
		end++;
		break;
	case 'G':
		unit = 1024 * 1024 * 1024;
		end++;
		break;
	case 'B':
		unit = 1;
		end++;
		break;
	default:
		return false;
	}
	if (unit > 1 && (!strcasecmp(end, "b") || !strcasecmp(end, "ib")))
		end += strlen(end);
	if (errno || *end || !v || v > (1ull << 40) / unit)
		return false;
	*value = v * unit;
	return true;
}

static bool seconds(const char *s, bool zero, int64_t *ns)
{
	char *end;
	errno = 0;
	double v = strtod(s, &end);
	if (errno || end == s || *end || !isfinite(v) || v < 0 || (!zero && v == 0) || v > 9e9)
		return false;
	*ns = (int64_t)(v * 1e9);
	if (!zero && !*ns)
		*ns = 1;
	return true;
}

static bool choice(const char *s, const char *const *words, uint32_t *value)
{
	for (uint32_t i = 0; words[i]; i++)
		if (!strcmp(s, words[i]))
			return *value = i, true;
	return false;
}

/* By the library's names. */
static bool flow_format(const char *s, uint32_t *format)
{
	const char *name;
	for (int k = 0; (name = bpe_format_name(k)); k++)
		if (!strcmp(s, name))
			return *format = (uint32_t)k, true;
	return false;
}

static int flow_timeout(struct bpe_options *o, const char *v)
{
	const char *is = strchr(v, '=');
	for (int k = 0; is && k < BPE_TIMEOUT_COUNT; k++) {
		const char *name = bpe_timeout_name(k);
		if (strlen(name) != (size_t)(is - v) || strncmp(name, v, strlen(name)))
			continue;
		return seconds(is + 1, false, &o->flow_timeout_ns[k])
			       ? 0
			       : wrong("--flow-timeout %s wants seconds above 0, not \"%s\"", name,
					 is + 1);
	}
	return wrong(
		"--flow-timeout wants KIND=SECONDS, KIND one of tcp-opening, tcp-established, tcp-closing, tcp-closed, udp-one-way, udp-two-way, icmp, other; not \"%s\"",
		v);
}

/* How many letters differ, about: for the nearest known option. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);
	if (n >= 63)
		return 99;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; *a; a++, i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t up = row[j], change = diagonal + (*a != b[j - 1]);
			row[j] = change < up + 1 ? change : up + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = up;
		}
	}
	return row[n];
}

static int unknown(const char *word)
{
	char name[64];
	const struct option *best = NULL;
	size_t least = 4;
	if (strncmp(word, "--", 2))
		return wrong("unknown option %s", word);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (const struct option *o = longs; o->name; o++)
		if (distance(name, o->name) < least)
			least = distance(name, o->name), best = o;
	if (best)
		return wrong("unknown option --%s; did you mean --%s?", name, best->name);
	return wrong("unknown option --%s", name);
}

/* The filter as tcpdump takes it: the words behind the options, a space between. */
static int words(struct cli *c, char **argv)
{
	size_t n = 1;
	for (char **w = argv; *w; w++)
		n += strlen(*w) + 1;
	c->filter = calloc(n, 1);
	if (!c->filter)
		return wrong("no memory");
	for (char **w = argv; *w; w++) {
		if (w != argv)
			strcat(c->filter, " ");
		strcat(c->filter, *w);
	}
	return 0;
}

char *cli_filter_file(const char *path, char *why, size_t room)
{
	FILE *f = fopen(path, "re");
	size_t n = 0, most = 1 << 20;
	if (!f)
		return snprintf(why, room, "cannot read the filter from %s: %s", path,
			       strerror(errno)),
		       NULL;
	char *text = calloc(most + 1, 1);
	if (text)
		n = fread(text, 1, most, f);
	bool whole_file = text && feof(f) && !memchr(text, 0, n);
	fclose(f);
	if (whole_file)
		return text;
	snprintf(why, room, "%s is no filter: it is longer than a megabyte, or not text", path);
	free(text);
	return NULL;
}

static int words_of_file(struct cli *c, const char *path)
{
	char why[512];
	c->filter_path = path;
	c->filter = cli_filter_file(path, why, sizeof why);
	return c->filter ? 0 : wrong("%s", why);
}

static int through(const char *list, uint32_t *bits)
{
	static const char *const names[] = { "vlan", "mpls", "pppoe", "gre", "ipip", "vxlan",
		"geneve", "gtpu", "ipv6ext" }; /* by the bits of BPE_THROUGH_ */
	while (*list) {
		size_t n = strcspn(list, ","), i = 0;
		while (i < 9 && (strlen(names[i]) != n || strncmp(names[i], list, n) != 0))
			i++;
		if (i == 9)
			return wrong(
				"--through wants some of vlan, mpls, pppoe, gre, ipip, vxlan, geneve, gtpu, ipv6ext, with commas between them, not \"%.*s\"",
				(int)n, list);
		*bits |= 1u << i;
		list += n + (list[n] == ',');
	}
	return *bits ? 0 : wrong("--through wants at least one encapsulation, such as vlan");
}

static int tunnels(const char *list, uint64_t *closed)
{
	const char *word;
	size_t n = cli_tunnels(list, closed, &word);
	return n ? wrong("--tunnels wants all, none, or names that --help lists, with commas between them and - before "
			 "those to leave out, not \"%.*s\"",
			   (int)n, word)
		 : 0;
}

static int one(struct cli *c, int letter, const char *v)
{
	static const char *const overloads[] = { "wait", "drop", NULL },
				 *const twice[] = { "tell", "ignore", NULL },
				 *const priorities[] = { "normal", "high", "realtime", NULL },
				 *const directions[] = { "inout", "in", "out", NULL },
				 *const modes[] = { "auto", "throughput", "latency", "paced",
					 NULL },
				 *const errors[] = { "continue", "stop", NULL },
				 *const records[] = { "auto", "drop", "wait", NULL };
	uint32_t word;
	struct bpe_options *o = &c->engine;
	uint64_t n = 0;
	int64_t ns;
	switch (letter) {
	case 'i':
		if (o->interface_name)
			return wrong("-i may be given once: one interface a run");
		o->interface_name = v;
		return 0;
	case 'r':
		if (o->file)
			return wrong("-r may be given once: one savefile a run");
		o->file = v;
		return 0;
	case 'a':
		if (strncmp(v, "duration:", 9))
			return wrong("-a knows duration:SECONDS only, not \"%s\"", v);
		v += 9;
		/* fall through */
	case 't':
		return seconds(v, false, &c->duration_ns)
			       ? 0
			       : wrong("-t wants seconds above 0, such as 60 or 0.5, not \"%s\"",
					 v);
	case 'c':
		return whole(v, 1, UINT64_MAX / 2, &o->max_packets)
			       ? 0
			       : wrong("-c wants a number of packets, 1 or more, not \"%s\"", v);
	case 's':
		if (!whole(v, 0, BPE_MAX_SNAPLEN, &n))
			return wrong(
				"-s wants 0 (all) to %d bytes, not \"%s\"", BPE_MAX_SNAPLEN, v);
		o->snaplen = n ? (uint32_t)n : BPE_MAX_SNAPLEN;
		return 0;
	case 'B':
		return size(v, 1024, &o->buffer_bytes)
			       ? 0
			       : wrong("-B wants a size such as 4096 (KiB), 32M or 1G, not \"%s\"",
					 v);
	case 'L':
	case 'D':
		c->list = true;
		return 0;
	case 'n':
		return 0;
	case 'p':
		o->promiscuous = false;
		return 0;
	case 'q':
		c->quiet = true;
		return 0;
	case 'v':
		c->verbose++;
		return 0;
	case OPT_HELP:
		cli_help(stdout);
		c->done = true;
		return 0;
	case OPT_VERSION:
		printf("bpfengine %s (%s)\n", bpe_version(), bpe_build_info());
		c->done = true;
		return 0;
	case OPT_JSON:
		c->json = true;
		return 0;
	case OPT_WORKERS:
		if (!strcmp(v, "auto"))
			o->workers = BPE_WORKERS_AUTO;
		else if (whole(v, 0, BPE_MAX_WORKERS, &n))
			o->workers = (int32_t)n;
		else
			return wrong(
				"--workers wants 0 to %d, or auto, not \"%s\"", BPE_MAX_WORKERS, v);
		return 0;
	case OPT_INTERVAL:
		if (!seconds(v, false, &ns))
			return wrong("--stats-interval wants seconds above 0, not \"%s\"", v);
		c->stats_interval = (double)ns * 1e-9;
		return 0;
	case OPT_FLOWS:
		c->flows_path = v;
		return 0;
	case OPT_FLOWS_APPEND:
		c->flows_append = true;
		return 0;
	case OPT_FLOWS_FORMAT:
		return flow_format(v, &c->flows_format)
			       ? 0
			       : wrong("--flows-format is json, zeek, eve, ecs or csv, not \"%s\"",
					 v);
	case OPT_FLOWS_ERROR:
		if (!choice(v, errors, &word))
			return wrong("--flows-error is continue or stop, not \"%s\"", v);
		c->flows_stop = word;
		return 0;
	case OPT_FLOWS_OVERLOAD:
		return choice(v, records, &o->record_overload)
			       ? 0
			       : wrong("--flows-overload is auto, drop or wait, not \"%s\"", v);
	case OPT_LENGTHS:
		o->flow_lengths = true;
		return 0;
	case OPT_BY_PORT:
		o->direction_by_port = true;
		return 0;
	case OPT_MAX_FLOWS:
		return whole(v, 1, 0x7fffffff, &o->max_flows)
			       ? 0
			       : wrong("--max-flows wants 1 to %d, not \"%s\" (--no-flows keeps none)",
					 0x7fffffff, v);
	case OPT_IDLE:
		return seconds(v, false, &o->flow_idle_ns)
			       ? 0
			       : wrong("--flow-idle wants seconds above 0, not \"%s\"", v);
	case OPT_CLOSED:
		return seconds(v, false, &o->flow_closed_ns)
			       ? 0
			       : wrong("--flow-closed wants seconds above 0, not \"%s\"", v);
	case OPT_TIMEOUT:
		return flow_timeout(o, v);
	case OPT_ACTIVE:
		return seconds(v, false, &o->flow_active_ns)
			       ? 0
			       : wrong("--flow-active wants seconds above 0, not \"%s\"", v);
	case OPT_FLOW_MEMORY:
		return size(v, 1, &o->max_flow_bytes)
			       ? 0
			       : wrong("--flow-memory wants bytes, K, M or G, not \"%s\"", v);
	case OPT_NO_HEALTH:
		o->no_tcp_health = true;
		return 0;
	case OPT_DUPLICATES:
		return choice(v, twice, &o->duplicates)
			       ? 0
			       : wrong("--duplicates is tell or ignore, not \"%s\"", v);
	case OPT_NO_FLOWS:
		o->flows = false;
		return 0;
	case OPT_PROMISC:
		o->promiscuous = true;
		return 0;
	case 'd':
		c->dump++;
		return 0;
	case 'f':
	case 'F':
		if (c->filter)
			return wrong("the filter is given twice");
		if (letter == 'F')
			return words_of_file(c, v);
		c->filter = strdup(v);
		return c->filter ? 0 : wrong("no memory");
	case 'Q':
		return choice(v, directions, &o->direction)
			       ? 0
			       : wrong("-Q is in, out or inout, not \"%s\"", v);
	case 'y':
		for (int link = 0; link < 512; link++)
			if (bpe_link_type_name(link) && !strcasecmp(bpe_link_type_name(link), v))
				return o->link_type = link, 0;
		return wrong(
			"-y wants a link type such as EN10MB, RAW or IEEE802_11_RADIO, not \"%s\"",
			v);
	case OPT_BPF_ABI:
		o->bpf_abi = v;
		return 0;
	case OPT_BPF_DEVICE:
		o->bpf_device = v;
		return 0;
	case OPT_READ_MODE:
		return choice(v, modes, &o->read_mode)
			       ? 0
			       : wrong("--read-mode is auto, throughput, latency or paced, not \"%s\"",
					 v);
	case OPT_READ_INTERVAL:
		return seconds(v, false, &o->read_interval_ns) && o->read_interval_ns <= 10000000000
			       ? 0
			       : wrong("--read-interval wants seconds above 0, at most 10, not \"%s\"",
					 v);
	case OPT_WAIT_INTERFACE:
		o->wait_interface = true;
		return 0;
	case OPT_PROCESS:
		o->process = true;
		return 0;
	case OPT_HEAD_DROP:
		o->head_drop = true;
		return 0;
	case OPT_COMPRESSION:
		o->header_compression = true;
		return 0;
	case OPT_TRUNCATE:
		o->truncate_payload = true;
		return 0;
	case OPT_ZERO_COPY:
		o->zero_copy = true;
		return 0;
	case OPT_OVERLOAD:
		return choice(v, overloads, &o->overload)
			       ? 0
			       : wrong("--overload is wait or drop, not \"%s\"", v);
	case OPT_RING:
		if (!whole(v, BPE_BATCH, 1u << 22, &n) || n & (n - 1))
			return wrong("--ring wants a power of two from %d to %u, not \"%s\"",
				BPE_BATCH, 1u << 22, v);
		o->ring_slots = (uint32_t)n;
		return 0;
	case OPT_BLOCK_SIZE:
		if (!size(v, 1, &n) || n < 4096 || n > 64u << 20)
			return wrong("--block-size wants 4K to 64M, not \"%s\"", v);
		o->block_bytes = (uint32_t)n;
		return 0;
	case OPT_BLOCK_COUNT:
		if (!whole(v, 2, 4096, &n))
			return wrong("--block-count wants 2 to 4096, not \"%s\"", v);
		o->block_count = (uint32_t)n;
		return 0;
	case OPT_OUTERMOST:
		o->outermost = true;
		return 0;
	case OPT_IGNORE_VLAN:
		o->ignore_vlan = true;
		return 0;
	case OPT_IGNORE_TUNNEL:
		o->ignore_tunnel = true;
		return 0;
	case OPT_TUNNELS:
		return tunnels(v, &o->closed_tunnels);
	case OPT_CHECKSUMS:
		o->checksums = true;
		return 0;
	case OPT_PIN:
		o->pin_workers = true;
		return 0;
	case OPT_PRIORITY:
		return choice(v, priorities, &o->priority)
			       ? 0
			       : wrong("--priority is normal, high or realtime, not \"%s\"", v);
	case OPT_SEED:
		if (!whole(v, 0, UINT64_MAX, &o->hash_seed))
			return wrong("--seed wants a number, not \"%s\"", v);
		o->fixed_seed = true;
		return 0;
	case 'Z':
		c->user = v;
		return 0;
	case OPT_NO_CONFINE:
		c->no_confine = true;
		return 0;
	case OPT_EXPLAIN:
		c->explain = true;
		return 0;
	case OPT_THROUGH:
		return through(v, &o->filter_through);
	case 'O':
		c->unoptimized = true;
		return 0;
	case OPT_TOP:
		c->top = true;
		return 0;
	case OPT_LARGEST:
		if (!whole(v, 0, 10000, &n))
			return wrong("--largest wants 0 to 10000, not \"%s\"", v);
		c->largest = (uint32_t)n;
		return 0;
	default:
		return EXIT_USAGE;
	}
}

static int not_largest(const char *number)
{
	return wrong(
		"--top is the live view, and takes no number; for the largest flows in the report it is --largest %s",
		number);
}

/* An interface that is called synth comes before generated traffic, which has another name then. */
static void choose_synth(struct cli *c)
{
	if (!c->engine.interface_name || strcmp(c->engine.interface_name, "synth"))
		return;
	if (!if_nametoindex("synth"))
		return;
	c->engine.interface_name = "if:synth";
	if (c->quiet)
		return;
	fprintf(stderr,
		"bpfengine: synth is an interface here, which is captured (generated traffic is -i synth:)\n");
}

int cli_options(struct cli *c, int argc, char **argv)
{
	int letter, r;
	*c = (struct cli){ .largest = 10 };
	bpe_options_init(&c->engine);
	opterr = 0;
	while ((letter = getopt_long(
			argc, argv, ":i:r:t:c:s:B:a:f:F:Q:y:Z:dLDOnpqv", longs, NULL)) != -1) {
		char word[3] = { '-', (char)optopt, 0 };
		const char *given = argv[optind - 1];
		if (letter == ':')
			return wrong("%s wants a value", optopt && optopt < 256 ? word : given);
		if (letter == '?')
			return optopt && optopt < 256 ? unknown(word)
			       : optopt == OPT_TOP    ? not_largest(strchr(given, '=') + 1)
			       : optopt               ? wrong("%s takes no value", given)
						      : unknown(given);
		if (letter == OPT_TOP && optind < argc && argv[optind][0] &&
			!argv[optind][strspn(argv[optind], "0123456789")])
			return not_largest(argv[optind]);
		if ((r = one(c, letter, optarg)))
			return r;
		if (c->done)
			return 0;
	}
	if (optind < argc && c->filter)
		return wrong("the filter is given twice: by -f or -F, and behind the options");
	if (optind < argc && (r = words(c, argv + optind)))
		return r;
	c->engine.filter_expression = c->filter;
	if (c->list)
		return 0;
	choose_synth(c);
	if ((c->dump || c->explain) && !(c->engine.interface_name && c->engine.file))
		return 0;
	if (c->engine.interface_name && c->engine.file)
		return wrong("give -i or -r, not both");
	if (!c->engine.interface_name && !c->engine.file)
		return wrong(
			"no source: give -i INTERFACE (bpfengine -L lists them), -r FILE, or -i synth");
	if (c->flows_path && !c->engine.flows)
		return wrong("--flows and --no-flows contradict each other");
	if (c->top && !c->engine.flows)
		return wrong("--top shows flows: it and --no-flows contradict each other");
	if (c->top && (c->json || (c->flows_path && !strcmp(c->flows_path, "-"))))
		return wrong("--top and %s both want stdout", c->json ? "--json" : "--flows -");
	if (!c->flows_path &&
		(c->flows_format || c->flows_stop || c->flows_append || c->engine.record_overload))
		return wrong(
			"--flows-append, --flows-format, --flows-error and --flows-overload are for --flows FILE");
	if (c->flows_format == BPE_FORMAT_ZEEK)
		c->engine.flow_lengths = true;
	if (c->flows_path && !strcmp(c->flows_path, "-") && c->json)
		return wrong("--flows - and --json both want stdout: write the flows to a file");
	return 0;
}
