/* SPDX-License-Identifier: MIT */
/* The options of bpfbench, in the order of --help (tools/common/option.h), with the kinds of
 * measurement which take each option; constant. */
#include "option_table.h"

#include "tools/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

#define MEMBER(m) .offset = offsetof(struct options, m), .bytes = sizeof((struct options *)0)->m
#define GIVEN(m) .given = offsetof(struct options, m)
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define MOST_PACKETS 4194304
#define MOST_RING 4194304
#define READ_MODES "auto|throughput|latency|paced"
#define STAGES "memcpy|walk|parse|hash|ring|flow|pipeline"

#define ALL (KIND_RUN | KIND_SWEEP | KIND_LOOP | KIND_COMPARE | KIND_STAGES)
#define LIVE (KIND_RUN | KIND_SWEEP | KIND_LOOP | KIND_COMPARE)

/* ---- Values which need a parser ---- */

/* Reads packets a second: a number, with k or M (decimal), or "max", which is 0. */
static bool parse_rate(const char *word, uint64_t *rate)
{
	char number[32];
	const size_t n = strlen(word);
	uint64_t unit = 1;

	if (!strcmp(word, "max")) {
		*rate = 0;
		return true;
	}
	if (!n || n >= sizeof number)
		return false;
	memcpy(number, word, n + 1);
	if (number[n - 1] == 'k')
		unit = 1000;
	else if (number[n - 1] == 'M')
		unit = 1000000;
	if (unit > 1)
		number[n - 1] = 0;
	if (!parse_whole(number, 1, 1000000000 / unit, rate))
		return false;
	*rate *= unit;
	return true;
}

static bool parse_buffer_size(const char *word, uint64_t *bytes)
{
	return parse_size(word, 1024, bytes) && *bytes >= 4096;
}

static bool parse_frame_length(const char *word, uint64_t *length)
{
	return parse_whole(word, 60, 1514, length);
}

/* Reads a percentage above 0 and below 100 as a part of 1. */
static int read_loss_percent(void *target, const struct option_spec *spec, const char *word)
{
	double *part = (void *)((char *)target + spec->offset);
	char *end;
	const double percent = strtod(word, &end);

	if (end == word || *end || !(percent >= 1e-6) || !(percent < 100))
		return option_refuse_value(spec, word);
	*part = percent / 100;
	return 0;
}

static bool parse_thread_count(const char *word, uint64_t *threads)
{
	return parse_whole(word, 0, BPE_MAX_WORKERS, threads);
}

/* Splits a copy of the text, which the list owns.  Returns false if there are too many words or an
 * empty word. */
static bool split_words(const char *text, char separator, struct words *list)
{
	char *at;

	free(list->memory);
	list->memory = strdup(text);
	list->count = 0;
	for (at = list->memory; at;) {
		char *next = strchr(at, separator);

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

/* Reads a list of numbers into the member.  Returns 0 or EXIT_USAGE after the message. */
static int read_number_list(void *target, const struct option_spec *spec, const char *text,
	bool (*parse)(const char *, uint64_t *))
{
	struct numbers *list = (void *)((char *)target + spec->offset);
	struct words words = { .memory = NULL };
	int code = 0;

	if (!split_words(text, ',', &words)) {
		code = option_refuse(
			"--%s wants 1 to %d values with commas between them, not \"%s\"",
			spec->name, LIST, text);
		words.count = 0;
	}
	list->count = words.count;
	for (size_t i = 0; i < words.count && !code; i++)
		if (!parse(words.value[i], &list->value[i]))
			code = option_refuse_value(spec, words.value[i]);
	free(words.memory);
	return code;
}

/* Reads a list of words into the member; choices NULL: any words.  Returns 0 or EXIT_USAGE after
 * the message. */
static int read_word_list(void *target, const struct option_spec *spec, const char *text)
{
	const char separator = spec->choices ? ',' : ';';
	struct words *list = (void *)((char *)target + spec->offset);
	uint32_t index;

	if (!split_words(text, separator, list))
		return option_refuse(
			"--%s wants 1 to %d values, not \"%s\"", spec->name, LIST, text);
	for (size_t i = 0; i < list->count && spec->choices; i++)
		if (!parse_choice(spec->choices, list->value[i], &index))
			return option_refuse("--%s knows no \"%s\": see bpfbench --help",
				spec->name, list->value[i]);
	return 0;
}

static int read_buffer_list(void *target, const struct option_spec *spec, const char *text)
{
	return read_number_list(target, spec, text, parse_buffer_size);
}

static int read_size_list(void *target, const struct option_spec *spec, const char *text)
{
	return read_number_list(target, spec, text, parse_frame_length);
}

static int read_worker_list(void *target, const struct option_spec *spec, const char *text)
{
	return read_number_list(target, spec, text, parse_thread_count);
}

static int read_rate_list(void *target, const struct option_spec *spec, const char *text)
{
	return read_number_list(target, spec, text, parse_rate);
}

/* Reads a rate above 0 into the member. */
static int read_one_rate(void *target, const struct option_spec *spec, const char *word)
{
	uint64_t *rate = (void *)((char *)target + spec->offset);

	return parse_rate(word, rate) && *rate ? 0 : option_refuse_value(spec, word);
}

static int read_run_seconds(void *target, const struct option_spec *spec, const char *word)
{
	struct options *o = target;

	if (!parse_seconds(word, spec->least, spec->most, &o->seconds))
		return option_refuse_value(spec, word);
	return 0;
}

static int read_thread_count(void *target, const struct option_spec *spec, const char *word)
{
	struct options *o = target;
	uint64_t threads;

	if (!strcmp(word, "auto"))
		return 0;
	if (!parse_thread_count(word, &threads))
		return option_refuse_value(spec, word);
	o->engine.workers = (int32_t)threads;
	return 0;
}

static int add_output_path(void *target, const struct option_spec *spec, const char *word)
{
	struct options *o = target;

	(void)spec;
	if (o->outputs == OUTPUTS)
		return option_refuse("-o may be given %d times", OUTPUTS);
	o->output[o->outputs++] = word;
	return 0;
}

static int print_bench_version(void *target)
{
	struct options *o = target;

	printf("bpfbench %s (%s; crypto=%s)\n", bpe_version(), bpe_build_info(),
		crypto_library_name());
	o->done = true;
	return OPTION_STOP;
}

/* ---- The table ---- */

const struct option_spec bench_option_specs[] = {
	{ "interface", "i", OPTION_TEXT, MEMBER(source),
		.modes = KIND_RUN | KIND_SWEEP | KIND_COMPARE | KIND_STAGES,
		.once = "-i may be given once: one interface a run", .argument = "NAME",
		.help = "interface, if:NAME, bpf:NAME, any, synth:... as\n"
			"bpfengine's;\n"
			"pair: one made here, and frames sent through it" },
	{ "time", "t", OPTION_READ, GIVEN(seconds_given), .modes = LIVE, .read = read_run_seconds,
		.least = 50000000, .most = 10000000000000000,
		.wants = "wants seconds from 0.05 to 10000000", .argument = "SECONDS",
		.help = "of a run (60), a case, a step or a round (2)" },
	{ "filter", "f", OPTION_TEXT, MEMBER(engine.filter_expression),
		.modes = KIND_RUN | KIND_COMPARE, .argument = "EXPRESSION",
		.help = "pcap-filter(7)" },
	{ "count-only", "c", OPTION_SET, MEMBER(engine.count_only), .modes = LIVE,
		.help = "count packets, do not parse them" },
	{ "processing-threads", "p", OPTION_READ, .modes = KIND_RUN | KIND_LOOP | KIND_COMPARE,
		.read = read_thread_count,
		.wants = "wants 0 to " TEXT(BPE_MAX_WORKERS) " threads, or auto",
		.argument = "N|auto", .help = " (auto)" },
	{ "output", "o", OPTION_READ, .modes = ALL, .read = add_output_path, .adds = true,
		.argument = "FILE",
		.help = ".json, .csv, .txt; sweeps also .html; may be given\n"
			"several times; without it text on stdout" },
	{ "buffer-size", "B", OPTION_SIZE, MEMBER(engine.buffer_bytes),
		.modes = KIND_RUN | KIND_LOOP | KIND_COMPARE, .unit = 1024, .least = 4096,
		.most = UINT64_MAX, .wants = "wants a size of at least 4K, such as 4M",
		.argument = "SIZE", .help = "kernel buffer; plain numbers are KiB" },
	{ "snapshot-length", "s", OPTION_WHOLE, MEMBER(engine.snaplen), .modes = LIVE, .least = 1,
		.most = BPE_MAX_SNAPLEN, .wants = "wants 1 to " TEXT(BPE_MAX_SNAPLEN) " bytes",
		.argument = "N" },
	{ "block-size", NULL, OPTION_SIZE, MEMBER(engine.block_bytes), .modes = LIVE | KIND_STAGES,
		.unit = 1, .least = 4096, .most = 64u << 20, .wants = "wants 4K to 64M",
		.argument = "SIZE", .help = "one read; plain numbers are bytes" },
	{ "read-mode", NULL, OPTION_CHOICE, MEMBER(engine.read_mode),
		.modes = KIND_RUN | KIND_LOOP | KIND_COMPARE, .argument = READ_MODES,
		.help = " --read-interval SECONDS" },
	{ "read-interval", NULL, OPTION_SECONDS, MEMBER(engine.read_interval_ns), .modes = LIVE,
		.least = 1000, .most = 10000000000, .wants = "wants seconds above 0, at most 10",
		.argument = "SECONDS", .beside = true },
	{ "promiscuous", NULL, OPTION_SET, MEMBER(engine.promiscuous),
		.modes = KIND_RUN | KIND_SWEEP | KIND_COMPARE,
		.help = "--bpf-abi NAME         --bpf-device PATH" },
	{ "bpf-abi", NULL, OPTION_TEXT, MEMBER(engine.bpf_abi), .modes = KIND_RUN | KIND_SWEEP,
		.argument = "NAME", .beside = true },
	{ "bpf-device", NULL, OPTION_TEXT, MEMBER(engine.bpf_device),
		.modes = KIND_RUN | KIND_SWEEP, .argument = "PATH", .beside = true },
	{ "ring", NULL, OPTION_POWER, MEMBER(engine.ring_slots), .modes = LIVE, .least = BPE_BATCH,
		.most = MOST_RING,
		.wants = "wants a power of two from " TEXT(BPE_BATCH) " to " TEXT(MOST_RING),
		.argument = "N", .help = "--overload wait|drop   --no-flows" },
	{ "overload", NULL, OPTION_CHOICE, MEMBER(engine.overload), .modes = LIVE,
		.argument = "wait|drop", .beside = true },
	{ "no-flows", NULL, OPTION_CLEAR, MEMBER(engine.flows),
		.modes = KIND_RUN | KIND_SWEEP | KIND_LOOP, .beside = true },
	{ "no-latency", NULL, OPTION_CLEAR, MEMBER(latency), .modes = LIVE,
		.help = "do not look at the clock for each batch" },
	{ "loss-below", NULL, OPTION_READ, MEMBER(loss_below),
		.modes = KIND_RUN | KIND_SWEEP | KIND_LOOP, .read = read_loss_percent,
		.wants = "wants a percentage above 0 and below 100", .argument = "PERCENT",
		.help = "\"nothing was lost\" claims less loss (0.1)" },
	{ "sweep", NULL, OPTION_NOTHING, .modes = KIND_RUN | KIND_SWEEP, .beside = true },

	{ "buffers", NULL, OPTION_READ, MEMBER(buffers), .modes = KIND_SWEEP,
		.read = read_buffer_list,
		.wants = "wants sizes of at least 4K, plain numbers in KiB",
		.heading =
			"\nSweep: lists with commas (filters with semicolons; none is no filter)",
		.argument = "256K,4M,16M", .help = " --modes auto,latency   --sizes 64,512,1514" },
	{ "modes", NULL, OPTION_READ, MEMBER(modes), .modes = KIND_SWEEP, .read = read_word_list,
		.choices = READ_MODES, .argument = "LIST", .beside = true },
	{ "sizes", NULL, OPTION_READ, MEMBER(sizes), .modes = KIND_SWEEP | KIND_LOOP | KIND_COMPARE,
		.read = read_size_list, .wants = "wants frame lengths from 60 to 1514",
		.argument = "LIST", .beside = true },
	{ "filters", NULL, OPTION_READ, MEMBER(filters), .modes = KIND_SWEEP,
		.read = read_word_list, .argument = "'none;udp port 9'",
		.help = " --workers 0,1   --rates 100000,max\n"
			"--rounds N  of all cases, in turn (3)" },
	{ "workers", NULL, OPTION_READ, MEMBER(workers), .modes = KIND_SWEEP,
		.read = read_worker_list, .wants = "wants 0 to 64 threads", .argument = "LIST",
		.beside = true },
	{ "rates", NULL, OPTION_READ, MEMBER(rates), .modes = KIND_SWEEP | KIND_COMPARE,
		.read = read_rate_list, .wants = "wants packets a second (100000, 100k, 2M) or max",
		.argument = "LIST", .beside = true },

	{ "stages", NULL, OPTION_READ, MEMBER(stages), .modes = KIND_STAGES, .read = read_word_list,
		.choices = STAGES, .heading = "Stages", .argument = "LIST",
		.help = "some of memcpy,walk,parse,hash,ring,flow,pipeline" },
	{ "rounds", NULL, OPTION_WHOLE, MEMBER(rounds),
		.modes = KIND_STAGES | KIND_COMPARE | KIND_SWEEP, .least = 1, .most = 999,
		.wants = "wants 1 to 999", .argument = "N (15)", .help = "--packets N (65536)" },
	{ "packets", NULL, OPTION_WHOLE, MEMBER(packets), .modes = KIND_STAGES, .least = 1024,
		.most = MOST_PACKETS, .wants = "wants 1024 to " TEXT(MOST_PACKETS), .argument = "N",
		.beside = true },

	{ "rate-from", NULL, OPTION_READ, MEMBER(rate_from), .modes = KIND_LOOP,
		.read = read_one_rate, .wants = "wants packets a second", .heading = "Loop",
		.argument = "N", .help = "--rate-to N     --steps N  of the search (6)" },
	{ "rate-to", NULL, OPTION_READ, MEMBER(rate_to), .modes = KIND_LOOP, .read = read_one_rate,
		.wants = "wants packets a second", .argument = "N", .beside = true },
	{ "steps", NULL, OPTION_WHOLE, MEMBER(steps), .modes = KIND_LOOP, .most = 30,
		.wants = "wants 0 to 30", .argument = "N", .beside = true },

	{ "read", "r", OPTION_TEXT, MEMBER(engine.file), .modes = KIND_COMPARE,
		.heading = "      --sizes N            the frames' length (64)\n"
			   "Compare",
		.argument = "FILE", .help = "--rounds N (7)  --rates N, --sizes N on a pair" },

	{ "quiet", "q", OPTION_SET, MEMBER(quiet), .modes = ALL, .heading = "",
		.help = "nothing on stderr but errors" },
	{ "help", "h", OPTION_HELP, MEMBER(done), .modes = ALL, .argument = "  --version" },
	{ "version", NULL, OPTION_ACT, .modes = ALL, .act = print_bench_version, .beside = true },
};
_Static_assert(sizeof bench_option_specs / sizeof *bench_option_specs <= OPTION_MOST, "options");

const size_t bench_option_count = sizeof bench_option_specs / sizeof *bench_option_specs;
