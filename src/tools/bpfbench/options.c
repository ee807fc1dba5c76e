/* SPDX-License-Identifier: MIT */
/* The command line: one list of options with the kinds of measurement that take them.  Every wrong
 * word is told with what would be right. */
#include "options.h"

#include <ctype.h>
#include <net/if.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	OPT_VERSION = 256,
	OPT_SWEEP,
	OPT_READ_MODE,
	OPT_READ_INTERVAL,
	OPT_BLOCK_SIZE,
	OPT_PROMISCUOUS,
	OPT_ABI,
	OPT_DEVICE,
	OPT_RING,
	OPT_OVERLOAD,
	OPT_NO_FLOWS,
	OPT_NO_LATENCY,
	OPT_BUFFERS,
	OPT_MODES,
	OPT_SIZES,
	OPT_FILTERS,
	OPT_WORKERS,
	OPT_RATES,
	OPT_STAGES,
	OPT_ROUNDS,
	OPT_PACKETS,
	OPT_FROM,
	OPT_TO,
	OPT_STEPS
};

#define ALL (KIND_RUN | KIND_SWEEP | KIND_LOOP | KIND_COMPARE | KIND_STAGES)
#define LIVE (KIND_RUN | KIND_SWEEP | KIND_LOOP | KIND_COMPARE)

static const struct known {
	struct option option;
	unsigned kinds;
} known[] = {
	{ { "interface", 1, NULL, 'i' }, KIND_RUN | KIND_SWEEP | KIND_COMPARE | KIND_STAGES },
	{ { "read", 1, NULL, 'r' }, KIND_COMPARE },
	{ { "time", 1, NULL, 't' }, LIVE },
	{ { "filter", 1, NULL, 'f' }, KIND_RUN | KIND_COMPARE },
	{ { "count-only", 0, NULL, 'c' }, LIVE },
	{ { "processing-threads", 1, NULL, 'p' }, KIND_RUN | KIND_LOOP | KIND_COMPARE },
	{ { "output", 1, NULL, 'o' }, ALL },
	{ { "quiet", 0, NULL, 'q' }, ALL },
	{ { "help", 0, NULL, 'h' }, ALL },
	{ { "version", 0, NULL, OPT_VERSION }, ALL },
	{ { "sweep", 0, NULL, OPT_SWEEP }, KIND_RUN | KIND_SWEEP },
	{ { "buffer-size", 1, NULL, 'B' }, KIND_RUN | KIND_LOOP | KIND_COMPARE },
	{ { "snapshot-length", 1, NULL, 's' }, LIVE },
	{ { "block-size", 1, NULL, OPT_BLOCK_SIZE }, LIVE | KIND_STAGES },
	{ { "read-mode", 1, NULL, OPT_READ_MODE }, KIND_RUN | KIND_LOOP | KIND_COMPARE },
	{ { "read-interval", 1, NULL, OPT_READ_INTERVAL }, LIVE },
	{ { "promiscuous", 0, NULL, OPT_PROMISCUOUS }, KIND_RUN | KIND_SWEEP | KIND_COMPARE },
	{ { "bpf-abi", 1, NULL, OPT_ABI }, KIND_RUN | KIND_SWEEP },
	{ { "bpf-device", 1, NULL, OPT_DEVICE }, KIND_RUN | KIND_SWEEP },
	{ { "ring", 1, NULL, OPT_RING }, LIVE },
	{ { "overload", 1, NULL, OPT_OVERLOAD }, LIVE },
	{ { "no-flows", 0, NULL, OPT_NO_FLOWS }, KIND_RUN | KIND_SWEEP | KIND_LOOP },
	{ { "no-latency", 0, NULL, OPT_NO_LATENCY }, LIVE },
	{ { "buffers", 1, NULL, OPT_BUFFERS }, KIND_SWEEP },
	{ { "modes", 1, NULL, OPT_MODES }, KIND_SWEEP },
	{ { "sizes", 1, NULL, OPT_SIZES }, KIND_SWEEP | KIND_LOOP | KIND_COMPARE },
	{ { "filters", 1, NULL, OPT_FILTERS }, KIND_SWEEP },
	{ { "workers", 1, NULL, OPT_WORKERS }, KIND_SWEEP },
	{ { "rates", 1, NULL, OPT_RATES }, KIND_SWEEP | KIND_COMPARE },
	{ { "stages", 1, NULL, OPT_STAGES }, KIND_STAGES },
	{ { "rounds", 1, NULL, OPT_ROUNDS }, KIND_STAGES | KIND_COMPARE },
	{ { "packets", 1, NULL, OPT_PACKETS }, KIND_STAGES },
	{ { "rate-from", 1, NULL, OPT_FROM }, KIND_LOOP },
	{ { "rate-to", 1, NULL, OPT_TO }, KIND_LOOP },
	{ { "steps", 1, NULL, OPT_STEPS }, KIND_LOOP },
};
#define KNOWN (sizeof known / sizeof *known)

static void help(void)
{
	fputs("bpfbench " BPE_VERSION ": how fast packets can be captured on this machine\n"
	      "\n"
	      "  bpfbench -i INTERFACE [-t 60] [options]    a live run, second by second\n"
	      "  bpfbench --sweep -i INTERFACE|synth|pair   all combinations of settings\n"
	      "  bpfbench stages [-i synth:...]             each stage, without a network\n"
	      "  bpfbench loop                              highest rate without loss, on a\n"
	      "                                             pair of interfaces of its own\n"
	      "  bpfbench compare -r FILE | -i INTERFACE|pair   libpcap beside us\n"
	      "\n"
	      "  -i, --interface NAME     interface, if:NAME, bpf:NAME, any, synth:... as\n"
	      "                           bpfengine's;\n"
	      "                           pair: one made here, and frames sent through it\n"
	      "  -t, --time SECONDS       of a run (60), a case, a step or a round (2)\n"
	      "  -f, --filter EXPRESSION  pcap-filter(7)\n"
	      "  -c, --count-only         count packets, do not parse them\n"
	      "  -p, --processing-threads N|auto   (auto)\n"
	      "  -o, --output FILE        .json, .csv, .txt; sweeps also .html; may be given\n"
	      "                           several times; without it text on stdout\n"
	      "  -B, --buffer-size SIZE   kernel buffer; plain numbers are KiB\n"
	      "  -s, --snapshot-length N\n"
	      "      --block-size SIZE    one read; plain numbers are bytes\n"
	      "      --read-mode auto|throughput|latency|paced   --read-interval SECONDS\n"
	      "      --promiscuous        --bpf-abi NAME         --bpf-device PATH\n"
	      "      --ring N             --overload wait|drop   --no-flows\n"
	      "      --no-latency         do not look at the clock for each batch\n"
	      "\n"
	      "Sweep: lists with commas (filters with semicolons; none is no filter)\n"
	      "      --buffers 256K,4M,16M   --modes auto,latency   --sizes 64,512,1514\n"
	      "      --filters 'none;udp port 9'   --workers 0,1   --rates 100000,max\n"
	      "Stages\n"
	      "      --stages LIST        some of memcpy,walk,parse,hash,ring,flow,pipeline\n"
	      "      --rounds N (15)      --packets N (65536)\n"
	      "Loop\n"
	      "      --rate-from N        --rate-to N     --steps N  of the search (6)\n"
	      "      --sizes N            the frames' length (64)\n"
	      "Compare\n"
	      "  -r, --read FILE          --rounds N (5)  --rates N, --sizes N on a pair\n"
	      "\n"
	      "  -q, --quiet              nothing on stderr but errors\n"
	      "  -h, --help   --version\n"
	      "\n"
	      "Exit codes: 0 good; 1 error while measuring, output not written; 2 wrong usage;\n"
	      "3 rights are missing; 4 the source cannot be opened.  See bpfbench(1).\n",
		stdout);
}

int options_wrong(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("bpfbench: ", stderr);
	program_print(stderr, false, format, args);
	fputs("\nTry bpfbench --help.\n", stderr);
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

/* Packets a second; "max": 0, as fast as can be.  k and M are decimal. */
static bool rate(const char *s, uint64_t *value)
{
	char text[32];
	size_t n = strlen(s);
	uint64_t unit = 1;
	if (!strcmp(s, "max"))
		return *value = 0, true;
	if (!n || n >= sizeof text)
		return false;
	memcpy(text, s, n + 1);
	if (text[n - 1] == 'k' || text[n - 1] == 'M')
		unit = text[n - 1] == 'k' ? 1000 : 1000000, text[n - 1] = 0;
	return whole(text, 1, 1000000000 / unit, value) && (*value *= unit, true);
}

static bool seconds(const char *s, double least, double most, double *value)
{
	char *end;
	errno = 0;
	double v = strtod(s, &end);
	if (errno || end == s || *end || !isfinite(v) || v < least || v > most)
		return false;
	*value = v;
	return true;
}

static const char *const modes[] = { "auto", "throughput", "latency", "paced", NULL };

const char *mode_name(uint32_t mode)
{
	return mode < 4 ? modes[mode] : "?";
}

static bool choice(const char *s, const char *const *names, uint32_t *value)
{
	for (uint32_t i = 0; names[i]; i++)
		if (!strcmp(s, names[i]))
			return *value = i, true;
	return false;
}

/* Into memory of the list's own; false: too many, or an empty one. */
static bool split(const char *s, char between, struct words *list)
{
	free(list->memory);
	char *at = list->memory = strdup(s);
	list->count = 0;
	while (at) {
		char *next = strchr(at, between);
		if (next)
			*next++ = 0;
		while (*at == ' ')
			at++;
		if (!*at || list->count == LIST)
			return false;
		list->value[list->count++] = at;
		at = next;
	}
	return list->count > 0;
}

static bool k_size(const char *s, uint64_t *v)
{
	return size(s, 1024, v) && *v >= 4096;
}
static bool frame(const char *s, uint64_t *v)
{
	return whole(s, 60, 1514, v);
}
static bool threads(const char *s, uint64_t *v)
{
	return whole(s, 0, BPE_MAX_WORKERS, v);
}

static int numbers(const char *name, const char *s, bool (*read)(const char *, uint64_t *),
	struct numbers *list, const char *wants)
{
	struct words w = { .memory = NULL };
	int code =
		split(s, ',', &w)
			? 0
			: options_wrong(
				  "--%s wants 1 to %d values with commas between them, not \"%s\"",
				  name, LIST, s);
	list->count = code ? 0 : w.count;
	for (size_t i = 0; i < list->count && !code; i++)
		if (!read(w.value[i], &list->value[i]))
			code = options_wrong("--%s wants %s, not \"%s\"", name, wants, w.value[i]);
	free(w.memory);
	return code;
}

static int one_of_words(
	const char *name, const char *s, char between, const char *const *names, struct words *list)
{
	uint32_t at;
	if (!split(s, between, list))
		return options_wrong("--%s wants 1 to %d values, not \"%s\"", name, LIST, s);
	for (size_t i = 0; i < list->count && names; i++)
		if (!choice(list->value[i], names, &at))
			return options_wrong(
				"--%s knows no \"%s\": see bpfbench --help", name, list->value[i]);
	return 0;
}

static int one(struct options *o, int letter, const char *v)
{
	static const char *const overloads[] = { "wait", "drop", NULL }, *const stages[] = {
		"memcpy", "walk", "parse", "hash", "ring", "flow", "pipeline", NULL
	};
	struct bpe_options *e = &o->engine;
	uint64_t n = 0;
	double s;
	switch (letter) {
	case 'i':
		if (o->source)
			return options_wrong("-i may be given once: one interface a run");
		o->source = v;
		return 0;
	case 'r':
		e->file = v;
		return 0;
	case 't':
		return seconds(v, 0.05, 1e7, &o->seconds)
		       ? o->seconds_given = true,
			 0 : options_wrong("-t wants seconds from 0.05 to 10000000, not \"%s\"", v);
	case 'f':
		e->filter_expression = v;
		return 0;
	case 'c':
		e->count_only = true;
		return 0;
	case 'p':
		if (!strcmp(v, "auto"))
			return 0;
		if (!threads(v, &n))
			return options_wrong("-p wants 0 to %d threads, or auto, not \"%s\"",
				BPE_MAX_WORKERS, v);
		e->workers = (int32_t)n;
		return 0;
	case 'o':
		if (o->outputs == OUTPUTS)
			return options_wrong("-o may be given %d times", OUTPUTS);
		o->output[o->outputs++] = v;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'h':
		help();
		o->done = true;
		return 0;
	case OPT_VERSION:
		printf("bpfbench %s (%s)\n", bpe_version(), bpe_build_info());
		o->done = true;
		return 0;
	case OPT_SWEEP:
		return 0; /* seen before */
	case 'B':
		return k_size(v, &e->buffer_bytes)
			       ? 0
			       : options_wrong(
					 "-B wants a size of at least 4K, such as 4M, not \"%s\"",
					 v);
	case 's':
		if (!whole(v, 1, BPE_MAX_SNAPLEN, &n))
			return options_wrong(
				"-s wants 1 to %d bytes, not \"%s\"", BPE_MAX_SNAPLEN, v);
		e->snaplen = (uint32_t)n;
		return 0;
	case OPT_BLOCK_SIZE:
		if (!size(v, 1, &n) || n < 4096 || n > 64u << 20)
			return options_wrong("--block-size wants 4K to 64M, not \"%s\"", v);
		e->block_bytes = (uint32_t)n;
		return 0;
	case OPT_READ_MODE:
		return choice(v, modes, &e->read_mode)
			       ? 0
			       : options_wrong(
					 "--read-mode is auto, throughput, latency or paced, not \"%s\"",
					 v);
	case OPT_READ_INTERVAL:
		if (!seconds(v, 1e-6, 10, &s))
			return options_wrong(
				"--read-interval wants seconds above 0, at most 10, not \"%s\"", v);
		e->read_interval_ns = (int64_t)(s * 1e9);
		return 0;
	case OPT_PROMISCUOUS:
		e->promiscuous = true;
		return 0;
	case OPT_ABI:
		e->bpf_abi = v;
		return 0;
	case OPT_DEVICE:
		e->bpf_device = v;
		return 0;
	case OPT_RING:
		if (!whole(v, BPE_BATCH, 1u << 22, &n) || n & (n - 1))
			return options_wrong(
				"--ring wants a power of two from %d to %u, not \"%s\"", BPE_BATCH,
				1u << 22, v);
		e->ring_slots = (uint32_t)n;
		return 0;
	case OPT_OVERLOAD:
		return choice(v, overloads, &e->overload)
			       ? 0
			       : options_wrong("--overload is wait or drop, not \"%s\"", v);
	case OPT_NO_FLOWS:
		e->flows = false;
		return 0;
	case OPT_NO_LATENCY:
		o->latency = false;
		return 0;
	case OPT_BUFFERS:
		return numbers("buffers", v, k_size, &o->buffers,
			"sizes of at least 4K, plain numbers in KiB");
	case OPT_SIZES:
		return numbers("sizes", v, frame, &o->sizes, "frame lengths from 60 to 1514");
	case OPT_WORKERS:
		return numbers("workers", v, threads, &o->workers, "0 to 64 threads");
	case OPT_RATES:
		return numbers(
			"rates", v, rate, &o->rates, "packets a second (100000, 100k, 2M) or max");
	case OPT_MODES:
		return one_of_words("modes", v, ',', modes, &o->modes);
	case OPT_FILTERS:
		return one_of_words("filters", v, ';', NULL, &o->filters);
	case OPT_STAGES:
		return one_of_words("stages", v, ',', stages, &o->stages);
	case OPT_ROUNDS:
		return whole(v, 1, 999, &o->rounds)
			       ? 0
			       : options_wrong("--rounds wants 1 to 999, not \"%s\"", v);
	case OPT_PACKETS:
		return whole(v, 1024, 1u << 22, &o->packets)
			       ? 0
			       : options_wrong(
					 "--packets wants 1024 to %u, not \"%s\"", 1u << 22, v);
	case OPT_FROM:
		return rate(v, &o->rate_from) && o->rate_from
			       ? 0
			       : options_wrong("--rate-from wants packets a second, not \"%s\"", v);
	case OPT_TO:
		return rate(v, &o->rate_to) && o->rate_to
			       ? 0
			       : options_wrong("--rate-to wants packets a second, not \"%s\"", v);
	case OPT_STEPS:
		return whole(v, 0, 30, &o->steps)
			       ? 0
			       : options_wrong("--steps wants 0 to 30, not \"%s\"", v);
	default:
		return EXIT_USAGE;
	}
}

static int together(struct options *o)
{
	const bool named_synth = o->source && !strcmp(o->source, "synth") && o->kind != KIND_STAGES;
	if (named_synth && if_nametoindex("synth"))
		o->source = "if:synth"; /* an interface comes first */
	if (o->kind == KIND_COMPARE && o->source && !strcmp(o->source, "if:any"))
		return options_wrong(
			"compare -i wants an interface that libpcap can name, too: not \"%s\"",
			o->source);
	if (o->kind == KIND_COMPARE && !o->source == !o->engine.file)
		return options_wrong("compare wants either -r FILE or -i INTERFACE (or -i pair)");
	if ((o->kind == KIND_RUN || o->kind == KIND_SWEEP) && !o->source)
		return options_wrong(
			"no source: give -i INTERFACE (bpfengine -L lists them)%s, or -i synth",
			o->kind == KIND_SWEEP ? ", -i pair" : "");
	if (o->kind == KIND_RUN && is_pair(o->source))
		return options_wrong(
			"-i pair is for --sweep, loop and compare, which send frames through it");
	if (o->kind == KIND_STAGES && o->source && !is_synth(o->source))
		return options_wrong(
			"stages takes generated traffic alone: -i synth:..., not \"%s\"",
			o->source);
	if (o->kind == KIND_COMPARE && o->source && is_synth(o->source))
		return options_wrong(
			"compare -i wants an interface: libpcap has no \"%s\"", o->source);
	if (o->kind == KIND_COMPARE && o->sizes.count > 1)
		return options_wrong("compare takes one of --sizes");
	if (o->kind == KIND_COMPARE && o->rates.count > 1)
		return options_wrong("compare takes one of --rates");
	if (o->kind == KIND_LOOP && o->sizes.count > 1)
		return options_wrong("loop takes one of --sizes");
	if (o->kind == KIND_LOOP && o->rate_to < o->rate_from)
		return options_wrong("--rate-to is below --rate-from");
	bool frames = is_synth(o->source ? o->source : "") || is_pair(o->source ? o->source : "");
	if (o->kind != KIND_LOOP && !frames && (o->sizes.count || o->rates.count))
		return options_wrong("%s needs traffic that is made here: -i synth or -i pair",
			o->sizes.count ? "--sizes" : "--rates");
	for (size_t i = 0; i < o->outputs; i++)
		if (!result_path_fits(o->output[i], o->kind))
			return options_wrong(
				"-o %s: the extension says the format: .json, .csv or .txt%s",
				o->output[i],
				o->kind == KIND_SWEEP ? ", .html" : "; .html is for --sweep");
	return 0;
}

static enum kind kind_of(int *argc, char ***argv)
{
	static const enum kind kinds[] = { KIND_STAGES, KIND_LOOP, KIND_COMPARE };
	for (int i = 1; i < *argc; i++)
		if (!strcmp((*argv)[i], "--sweep"))
			return KIND_SWEEP;
	for (size_t k = 0; k < 3 && *argc > 1; k++)
		if (!strcmp((*argv)[1], kind_name(kinds[k])))
			return (*argc)--, (*argv)++, kinds[k];
	return KIND_RUN;
}

int options_read(struct options *o, int argc, char **argv)
{
	struct option longs[KNOWN + 1] = { { NULL, 0, NULL, 0 } };
	int letter, r;
	memset(o, 0, sizeof *o);
	o->kind = kind_of(&argc, &argv);
	o->seconds = o->kind == KIND_RUN ? 60 : 2;
	o->latency = true;
	o->rounds = o->kind == KIND_STAGES ? 15 : 5;
	o->packets = 65536;
	o->rate_from = 20000, o->rate_to = 20000000, o->steps = 6;
	bpe_options_init(&o->engine);
	for (size_t k = 0; k < KNOWN; k++)
		longs[k] = known[k].option;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":i:r:t:f:cp:o:qhB:s:", longs, NULL)) != -1) {
		const char *given = argv[optind - 1];
		bool in_words = !strncmp(given, "--", 2);
		char word[3] = { '-', (char)optopt, 0 };
		if (letter == ':')
			return options_wrong("%s wants a value", in_words ? given : word);
		if (letter == '?')
			return options_wrong(
				in_words && optopt ? "%s takes no value" : "unknown option %s",
				in_words ? given : word);
		for (size_t k = 0; k < KNOWN; k++)
			if (known[k].option.val == letter && !(known[k].kinds & (unsigned)o->kind))
				return options_wrong("--%s is not for %s", known[k].option.name,
					o->kind == KIND_RUN
						? "a plain run: it belongs to --sweep, stages, loop or compare"
						: kind_name(o->kind));
		if ((r = one(o, letter, optarg)))
			return r;
		if (o->done)
			return 0;
	}
	if (optind < argc)
		return options_wrong(
			"what is \"%s\"? The words are stages, loop and compare, before all options; a filter goes behind -f",
			argv[optind]);
	if ((r = together(o)))
		return r;
	o->engine.interface_name = o->source;
	return 0;
}

bool is_synth(const char *source)
{
	return !strcmp(source, "synth") || !strncmp(source, "synth:", 6);
}
bool is_pair(const char *source)
{
	return !strcmp(source, "pair");
}

void options_facts(const struct options *o, struct facts *f)
{
	const struct bpe_options *e = &o->engine;
	if (o->source)
		fact_add(f, "interface", "%s", o->source);
	if (e->file)
		fact_add(f, "file", "%s", e->file);
	if (o->kind == KIND_STAGES || o->kind == KIND_COMPARE)
		fact_number(f, "rounds", (double)o->rounds);
	if (o->kind == KIND_STAGES)
		return;
	if (!e->file)
		fact_number(f, "seconds", o->seconds);
	if (o->kind != KIND_SWEEP)
		fact_add(f, "filter", "%s", e->filter_expression ? e->filter_expression : "none");
	fact_add(f, "count_only", "%s", e->count_only ? "yes" : "no");
	fact_add(f, "flows", "%s", e->flows && !e->count_only ? "yes" : "no");
	if (o->kind != KIND_SWEEP) { /* whose settings are lists */
		if (e->workers < 0)
			fact_add(f, "processing_threads", "auto");
		else
			fact_number(f, "processing_threads", e->workers);
		if (e->buffer_bytes)
			fact_number(f, "buffer_bytes", (double)e->buffer_bytes);
		else
			fact_add(f, "buffer_bytes", "automatic");
		fact_add(f, "read_mode", "%s", mode_name(e->read_mode));
	}
	fact_number(f, "snaplen", e->snaplen);
	if (e->block_bytes)
		fact_number(f, "block_bytes", e->block_bytes);
	if (e->ring_slots)
		fact_number(f, "ring_slots", e->ring_slots);
	if (e->read_interval_ns)
		fact_number(f, "read_interval_ns", (double)e->read_interval_ns);
	fact_add(f, "overload", "%s", e->overload ? "drop" : "wait");
	fact_add(f, "promiscuous", "%s", e->promiscuous ? "yes" : "no");
	if (e->bpf_abi)
		fact_add(f, "bpf_abi", "%s", e->bpf_abi);
	if (e->bpf_device)
		fact_add(f, "bpf_device", "%s", e->bpf_device);
	fact_add(f, "latency", "%s", o->latency ? "yes" : "no");
}
