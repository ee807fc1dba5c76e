/* SPDX-License-Identifier: MIT */
/* Measures each stage of the packet path, by each backend for this CPU, on the buffers of
 * each system.  The contenders run in turn, round after round, to spread noise evenly.
 * The result has medians and quartiles of the rounds. */
#include "stages.h"

#include "base/clock.h"
#include "base/thread.h"
#include "device/synth_gen.h"
#include "spread.h"
#include "verdict.h"
#include "tools/common/option.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES (512u << 10)
#define FIGURES_MOST 160u
#define CONTENDERS_MOST 40u
#define LAYOUTS_MOST 8u

static const struct stage {
	const char *name, *group;
	void (*run)(struct load *, const struct bpei_backend *);
	bool backends, two; /* a figure for each backend; uses a second thread */
} stages[] = {
	{ "memcpy", "memcpy", stage_memcpy, false, false },
	{ "walk", "walk", stage_walk, false, false },
	{ "parse", "parse", stage_parse, true, false },
	{ "hash", "hash", stage_hash, false, false },
	{ "ring", "ring", stage_ring, false, false },
	{ "ring, two threads", "ring", stage_ring_two, false, true },
	{ "flow", "flow", stage_flow, false, false },
	{ "pipeline", "pipeline", stage_pipeline, true, false },
};
#define STAGES (sizeof stages / sizeof *stages)

struct contender {
	const struct stage *stage;
	const struct bpei_backend *backend;
	double *ns, *cycles;
};

static bool is_stage_wanted(const struct options *o, const char *group)
{
	if (!strcmp(group, "memcpy"))
		return true; /* the reference of the others */
	for (size_t i = 0; i < o->stages.count; i++)
		if (!strcmp(o->stages.value[i], group))
			return true;
	return !o->stages.count;
}

static size_t choose_stage_contenders(const struct options *o, struct contender *c)
{
	size_t n = 0;
	for (size_t s = 0; s < STAGES; s++) {
		if (!is_stage_wanted(o, stages[s].group) ||
			(stages[s].two && bpei_thread_cores() < 2))
			continue;
		for (size_t b = 0; b < (stages[s].backends ? BPEI_BACKENDS : 1); b++) {
			if (stages[s].backends && !bpei_backends[b].cpu_fits())
				continue;
			c[n++] = (struct contender){ &stages[s],
				stages[s].backends ? &bpei_backends[b] : NULL, NULL, NULL };
		}
	}
	return n;
}

/* Runs the contenders in turn, once to warm up.  Returns the rounds that were whole when a signal
 * came, or all of them. */
static uint64_t run_rounds(
	const struct options *o, struct load *l, struct contender *c, size_t n, enum cycles cycles)
{
	for (uint64_t r = 0; r <= o->rounds; r++)
		for (size_t k = 0; k < n; k++) {
			if (asked_to_stop())
				return r ? r - 1 : 0;
			uint64_t at = cycles_now();
			int64_t start = bpei_clock_mono_ns();
			c[k].stage->run(l, c[k].backend);
			const double ns = (double)(bpei_clock_mono_ns() - start);
			const double used = (double)(cycles_now() - at);

			if (!r)
				continue;
			c[k].ns[r - 1] = ns / l->packets;
			c[k].cycles[r - 1] =
				cycles == CYCLES_NONE || c[k].stage->two ? NAN : used / l->packets;
		}
	return o->rounds;
}

/* Measures a load and writes its figures to f.  Returns the number of figures. */
static size_t measure_load(const struct options *o, struct load *l, struct contender *c, size_t n,
	enum cycles cycles, struct figure *f)
{
	const uint64_t rounds = run_rounds(o, l, c, n, cycles);
	if (!rounds)
		return 0;
	double copy = spread_of(c[0].ns, rounds).median;
	for (size_t k = 0; k < n; k++) {
		struct spread s = spread_of(c[k].ns, rounds);
		f[k] = (struct figure){ .rounds = rounds,
			.packets = l->packets,
			.bytes = l->bytes,
			.ns = s.median,
			.ns_least = s.least,
			.ns_low = s.low,
			.ns_high = s.high,
			.ns_most = s.most,
			.cycles = spread_of(c[k].cycles, rounds).median,
			.bytes_per_second = (double)l->bytes / l->packets / s.median * 1e9,
			.to_copy = s.median / copy };
		snprintf(f[k].stage, sizeof f[k].stage, "%s", c[k].stage->name);
		snprintf(f[k].layout, sizeof f[k].layout, "%s", l->name);
		snprintf(f[k].backend, sizeof f[k].backend, "%s",
			c[k].backend ? c[k].backend->name : "");
	}
	return n;
}

static void describe_stages(struct result *r, enum cycles cycles)
{
	static const char *const told[] = {
		"absent: neither perf_event_open nor a time stamp counter here",
		"the core's, in user space (perf_event_open)",
		"of x86's time stamp counter, which runs at a fixed rate: not the core's cycles"
	};
	fact_add(&r->findings, "cycles", "%s", told[cycles]);
	for (size_t b = 0; b < BPEI_BACKENDS; b++)
		if (!bpei_backends[b].cpu_fits())
			note_add(r, "backend %s was built and left out: this CPU cannot run it",
				bpei_backends[b].name);
	note_add(r,
		"memcpy copies the same buffers into one buffer, as a read() would at best; to_memcpy is time against it");
	note_add(r,
		"flow is the table as it was built (its probe: %s), filled after the warm-up round; parse: with its hash; hash: keys hashed once more, as those of later fragments are; pipeline: walk, parse, flow, statistics, on one thread",
		bpe_build_info());
	note_add(r,
		"ring: records copied in and out on one thread; two threads: until the other one has read all, waiting included");
	note_add(r, "sink: left out, records are no packets: bench_records measures them");
}

/* Returns the spread of a figure, of which the quartiles were kept. */
static struct spread spread_of_figure(const struct figure *f)
{
	return (struct spread){ f->rounds, f->ns_least, f->ns_low, f->ns, f->ns_high, f->ns_most };
}

/* Adds a verdict for each layout with figures of the whole path: the fastest backend beside
 * scalar. */
static void judge_layouts(struct result *r, const struct figure *all, size_t count)
{
	static struct verdict verdicts[LAYOUTS_MOST];
	size_t n = 0;

	for (const struct layout_name *l = stage_layouts; l->name && n < LAYOUTS_MOST; l++) {
		const struct figure *best = NULL;
		const struct figure *scalar = NULL;

		for (const struct figure *f = all; f < all + count; f++) {
			if (strcmp(f->layout, l->name) || strcmp(f->stage, "pipeline"))
				continue;
			if (!best || f->ns < best->ns)
				best = f;
			if (!strcmp(f->backend, "scalar"))
				scalar = f;
		}
		if (!best || !scalar)
			continue;
		struct verdict *v = &verdicts[n++];
		const struct spread ours = spread_of_figure(best);
		const struct spread other = spread_of_figure(scalar);

		verdict_init(v);
		snprintf(v->layout, sizeof v->layout, "%s", l->name);
		snprintf(v->backend, sizeof v->backend, "%s", best->backend);
		snprintf(v->context, sizeof v->context, "buffers of %s, whole path, %s", l->name,
			best->backend);
		if (best != scalar)
			verdict_times(v, "ns", &ours, "scalar", &other);
		else
			verdict_time(v, "ns", &ours);
	}
	r->verdicts = verdicts;
	r->verdict_count = n;
}

int stages_main(const struct options *o)
{
	static struct result result;
	static struct figure figures[FIGURES_MOST];
	struct contender c[CONTENDERS_MOST];
	struct bpei_synth_options synth;
	const char *source = o->source ? o->source : "synth:flows=1000,size=imix";
	char why[200];
	if (bpei_synth_parse(source, &synth, why, sizeof why))
		return option_refuse("-i %s: %s", source, why);
	const size_t block = o->engine.block_bytes ? o->engine.block_bytes : BLOCK_BYTES;
	const size_t n = choose_stage_contenders(o, c);
	size_t count = 0;
	double *values = calloc(n * o->rounds * 2, sizeof *values);
	int code = values ? 0 : EXIT_ERROR;
	enum cycles cycles = cycles_open();
	for (size_t k = 0; k < n && values; k++) {
		c[k].ns = values + 2 * k * o->rounds;
		c[k].cycles = c[k].ns + o->rounds;
	}
	result_init(&result, KIND_STAGES);
	host_facts(&result.host);
	options_facts(o, &result.options);
	fact_add(&result.options, "traffic", "%s", source);
	fact_number(&result.options, "packets", (double)o->packets);
	fact_number(&result.options, "block_bytes", (double)block);
	for (const struct layout_name *l = stage_layouts; l->name && !code && !asked_to_stop();
		l++) {
		struct load *load = load_new(l, source, (uint32_t)o->packets, block);
		if (!load) {
			code = EXIT_ERROR;
			break;
		}
		if (!o->quiet)
			program_tell("%s", l->layout->name);
		count += measure_load(o, load, c, n, cycles, figures + count);
		load_free(load);
	}
	free(values);
	if (code) {
		program_tell("no memory for %llu packets", (unsigned long long)o->packets);
		return code;
	}
	describe_stages(&result, cycles);
	if (asked_to_stop())
		note_add(&result, "a signal ended it before all rounds were through");
	result.rows = figures;
	result.count = count;
	judge_layouts(&result, figures, count);
	return outputs_write(o, &result);
}
