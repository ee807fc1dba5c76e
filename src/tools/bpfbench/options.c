/* SPDX-License-Identifier: MIT */
/* Reads the command line of bpfbench by the table (option_table.c), and checks the options against
 * each other.  State: of getopt. */
#include "option_table.h"

#include <getopt.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

static const char help_head[] =
	"bpfbench " BPE_VERSION ": how fast packets can be captured on this machine\n"
	"\n"
	"  bpfbench -i INTERFACE [-t 60] [options]    a live run, second by second\n"
	"  bpfbench --sweep -i INTERFACE|synth|pair   all combinations of settings\n"
	"  bpfbench stages [-i synth:...]             each stage, without a network\n"
	"  bpfbench loop                              highest rate without loss, on a\n"
	"                                             pair of interfaces of its own\n"
	"  bpfbench compare -r FILE | -i INTERFACE|pair   libpcap beside us\n"
	"\n";

static const char help_tail[] =
	"\n"
	"Exit codes: 0 good; 1 error while measuring, output not written; 2 wrong usage;\n"
	"3 rights are missing; 4 the source cannot be opened; 5 measured, but a sample\n"
	"was too small to be judged.  See bpfbench(1).\n";

const char *mode_name(uint32_t mode)
{
	static const char *const names[] = { "auto", "throughput", "latency", "paced" };

	return mode < sizeof names / sizeof *names ? names[mode] : "?";
}

bool is_synth(const char *source)
{
	return !strcmp(source, "synth") || !strncmp(source, "synth:", 6);
}

bool is_pair(const char *source)
{
	return !strcmp(source, "pair");
}

bool reads_bpf_device(const char *source)
{
#if defined(__linux__)
	return !strncmp(source, "bpf:", 4);
#else
	return !is_synth(source);
#endif
}

struct judge options_judge(const struct options *o)
{
	const char *source = o->source ? o->source : "pair";
	struct judge judge = { .loss_below = o->loss_below, .buffers = 1 };

	if (reads_bpf_device(source))
		judge.buffers = 2; /* the kernel fills a buffer while the other is read */
	if (is_synth(source))
		judge.hidden_s = 1; /* packets that are later are not generated */
	return judge;
}

/* Prints the message about a word which getopt refused (struct option_program). */
static int handle_bench_misuse(int problem, const char *given)
{
	const bool is_long = !strncmp(given, "--", 2);
	const char letter[3] = { '-', (char)optopt, 0 };
	const char *word = is_long ? given : letter;

	if (problem == ':')
		return option_refuse("%s wants a value", word);
	if (is_long && optopt)
		return option_refuse("%s takes no value", word);
	return option_refuse("unknown option %s", word);
}

/* Refuses an option which the kind of measurement does not take. */
static int check_bench_kind(void *target, const struct option_spec *spec, char **rest)
{
	const struct options *o = target;

	(void)rest;
	if (spec->modes & (unsigned)o->kind)
		return 0;
	return option_refuse("--%s is not for %s", spec->name,
		o->kind == KIND_RUN ? "a plain run: it belongs to --sweep, stages, loop or compare"
				    : kind_name(o->kind));
}

/* ---- The whole command line ---- */

/* Checks the source.  Returns 0 or EXIT_USAGE after the message. */
static int check_bench_source(const struct options *o)
{
	const bool is_compare = o->kind == KIND_COMPARE;

	if (is_compare && o->source && !strcmp(o->source, "if:any"))
		return option_refuse(
			"compare -i wants an interface that libpcap can name, too: not \"%s\"",
			o->source);
	if (is_compare && !o->source == !o->engine.file)
		return option_refuse("compare wants either -r FILE or -i INTERFACE (or -i pair)");
	if ((o->kind == KIND_RUN || o->kind == KIND_SWEEP) && !o->source)
		return option_refuse(
			"no source: give -i INTERFACE (bpfengine -L lists them)%s, or -i synth",
			o->kind == KIND_SWEEP ? ", -i pair" : "");
	if (o->kind == KIND_RUN && is_pair(o->source))
		return option_refuse(
			"-i pair is for --sweep, loop and compare, which send frames through it");
	if (o->kind == KIND_STAGES && o->source && !is_synth(o->source))
		return option_refuse(
			"stages takes generated traffic alone: -i synth:..., not \"%s\"",
			o->source);
	if (is_compare && o->source && is_synth(o->source))
		return option_refuse(
			"compare -i wants an interface: libpcap has no \"%s\"", o->source);
	return 0;
}

/* Checks --sizes, --rates and the rates of a loop.  Returns 0 or EXIT_USAGE after the message. */
static int check_bench_traffic(const struct options *o)
{
	const char *source = o->source ? o->source : "";
	const bool makes_frames = is_synth(source) || is_pair(source);

	if (o->kind == KIND_COMPARE && o->sizes.count > 1)
		return option_refuse("compare takes one of --sizes");
	if (o->kind == KIND_COMPARE && o->rates.count > 1)
		return option_refuse("compare takes one of --rates");
	if (o->kind == KIND_LOOP && o->sizes.count > 1)
		return option_refuse("loop takes one of --sizes");
	if (o->kind == KIND_LOOP && o->rate_to < o->rate_from)
		return option_refuse("--rate-to is below --rate-from");
	if (o->kind != KIND_LOOP && !makes_frames && (o->sizes.count || o->rates.count))
		return option_refuse("%s needs traffic that is made here: -i synth or -i pair",
			o->sizes.count ? "--sizes" : "--rates");
	return 0;
}

/* Checks whether the extension of each -o names a format of the measurement.  Returns 0 or
 * EXIT_USAGE after the message. */
static int check_bench_outputs(const struct options *o)
{
	for (size_t i = 0; i < o->outputs; i++)
		if (!result_path_fits(o->output[i], o->kind))
			return option_refuse(
				"-o %s: the extension says the format: .json, .csv or .txt%s",
				o->output[i],
				o->kind == KIND_SWEEP ? ", .html" : "; .html is for --sweep");
	return 0;
}

static int check_bench_options(const struct options *o)
{
	int code = check_bench_source(o);

	if (!code)
		code = check_bench_traffic(o);
	if (!code)
		code = check_bench_outputs(o);
	return code;
}

/* Returns the kind of measurement, and takes the word of the kind from the command line. */
static enum kind take_kind_word(int *argc, char ***argv)
{
	static const enum kind kinds[] = { KIND_STAGES, KIND_LOOP, KIND_COMPARE };

	for (int i = 1; i < *argc; i++)
		if (!strcmp((*argv)[i], "--sweep"))
			return KIND_SWEEP;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds && *argc > 1; k++) {
		if (strcmp((*argv)[1], kind_name(kinds[k])))
			continue;
		(*argc)--;
		(*argv)++;
		return kinds[k];
	}
	return KIND_RUN;
}

/* Returns the rounds without --rounds. */
static uint64_t default_rounds(enum kind kind)
{
	switch (kind) {
	case KIND_STAGES:
		return 15;
	case KIND_COMPARE:
		return 7; /* enough for a median that can be judged (judge_rounds) */
	default:
		return 3; /* of a sweep: the least that have a middle and a spread */
	}
}

int options_read(struct options *o, int argc, char **argv)
{
	uint8_t uses[OPTION_MOST] = { 0 };
	char repeated[200];
	const struct option_program program = {
		.specs = bench_option_specs,
		.count = bench_option_count,
		.uses = uses,
		.head = help_head,
		.tail = help_tail,
		.misused = handle_bench_misuse,
		.before = check_bench_kind,
	};
	int code;

	memset(o, 0, sizeof *o);
	o->kind = take_kind_word(&argc, &argv);
	o->seconds = o->kind == KIND_RUN ? 60 : 2;
	o->latency = true;
	o->loss_below = 0.001;
	o->rounds = default_rounds(o->kind);
	o->packets = 65536;
	o->rate_from = 20000;
	o->rate_to = 20000000;
	o->steps = 6;
	bpe_options_init(&o->engine);
	code = option_read(&program, o, argc, argv);
	if (code)
		return code == OPTION_STOP ? 0 : code;
	if (option_tell_repeated(&program, repeated, sizeof repeated))
		program_tell("%s", repeated);
	if (optind < argc)
		return option_refuse(
			"what is \"%s\"? The words are stages, loop and compare, before all options; a filter goes behind -f",
			argv[optind]);
	/* an interface of the same name comes before generated traffic */
	if (o->source && o->kind != KIND_STAGES && !strcmp(o->source, "synth") &&
		if_nametoindex("synth"))
		o->source = "if:synth";
	code = check_bench_options(o);
	if (code)
		return code;
	o->engine.interface_name = o->source;
	return 0;
}

void options_facts(const struct options *o, struct facts *f)
{
	const struct bpe_options *e = &o->engine;
	if (o->source)
		fact_add(f, "interface", "%s", o->source);
	if (e->file)
		fact_add(f, "file", "%s", e->file);
	if (o->kind & (KIND_STAGES | KIND_COMPARE | KIND_SWEEP))
		fact_number(f, "rounds", (double)o->rounds);
	if (o->kind == KIND_STAGES)
		return;
	if (!e->file)
		fact_number(f, "seconds", o->seconds);
	if (o->kind != KIND_SWEEP)
		fact_add(f, "filter", "%s", e->filter_expression ? e->filter_expression : "none");
	fact_add(f, "count_only", "%s", e->count_only ? "yes" : "no");
	fact_add(f, "flows", "%s", e->flows && !e->count_only ? "yes" : "no");
	if (o->kind != KIND_SWEEP) { /* measurements with lists of settings */
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
	if (o->kind != KIND_COMPARE)
		fact_number(f, "loss_below", o->loss_below);
}
