/* SPDX-License-Identifier: MIT */
/* All combinations of buffer lengths, read modes, frame sizes, filters, workers and rates, one run
 * each; the rate is the innermost, so that a series is measured in one go. */
#include "offer.h"
#include "tools/common/option.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MOST 20000u

struct sweep {
	const struct options *options;
	struct options axes; /* every list filled */
	struct pair pair;
	struct run run;
	struct row *rows;
	size_t count, all;
	size_t late;
};

static bool on_bpf(const struct options *o)
{
#if defined(__linux__)
	return !strncmp(o->source, "bpf:", 4);
#else
	return !is_synth(o->source);
#endif
}

static void numbers_default(struct numbers *n, size_t count, const uint64_t *values)
{
	if (n->count)
		return;
	n->count = count;
	memcpy(n->value, values, count * sizeof *values);
}
#define DEFAULT(list, ...)                                                                         \
	numbers_default(list, sizeof(const uint64_t[]){ __VA_ARGS__ } / sizeof(uint64_t),          \
		(const uint64_t[]){ __VA_ARGS__ })

static void fill_axes(struct options *a)
{
	static const struct words all_modes = { 4, { "auto", "throughput", "latency", "paced" },
		NULL },
				  one_mode = { 1, { "auto" }, NULL },
				  no_filter = { 1, { "none" }, NULL };
	bool synth = is_synth(a->source), pair = is_pair(a->source);
	if (!a->modes.count)
		a->modes = on_bpf(a) ? all_modes : one_mode;
	if (!a->filters.count)
		a->filters = no_filter;
	DEFAULT(&a->workers, 0, 1);
	if (pair)
		DEFAULT(&a->buffers, 256u << 10, 4u << 20, 16u << 20);
	else if (synth)
		DEFAULT(&a->buffers, 64u << 10, 1u << 20);
	else
		DEFAULT(&a->buffers, 256u << 10, 1u << 20, 4u << 20, 16u << 20);
	if (pair)
		DEFAULT(&a->rates, 50000, 100000, 200000, 400000, 800000, 0);
	else if (synth)
		DEFAULT(&a->rates, 1000000, 4000000, 16000000);
	if (pair || synth)
		DEFAULT(&a->sizes, 64, 1514);
	if (!pair && !synth)
		a->rates.count = a->sizes.count = 1, a->rates.value[0] = a->sizes.value[0] = ABSENT;
}

/* One run without a sender: generated traffic, or what the interface has. */
static int plain_case(struct sweep *s, const struct bpe_options *options, struct row *row)
{
	struct bpe_error error = { 0 };
	if (run_open(&s->run, options, s->options->latency, &error) < 0)
		return exit_of(&error);
	stop_also(s->run.engine);
	int code = run_start(&s->run, &error) < 0 ? exit_of(&error) : 0;
	if (!code) {
		run_wait(&s->run, (int64_t)(s->options->seconds * 1e9));
		if (run_end(&s->run, &error) < 0)
			code = exit_of(&error);
	}
	stop_also(NULL);
	if (!code && !run_balanced(&s->run)) {
		program_tell(
			"the books do not balance: packets read are not those delivered and dropped; please report this");
		code = EXIT_ERROR;
	}
	*row = s->run.total;
	row->workers = s->run.workers;
	run_close(&s->run);
	return code;
}

static int one_case(struct sweep *s, size_t f, size_t z, size_t m, size_t w, size_t b, size_t r)
{
	const struct options *a = &s->axes;
	struct bpe_options o = a->engine;
	struct row *row = &s->rows[s->count];
	char source[256];
	uint64_t rate = a->rates.value[r], size = a->sizes.value[z];
	bool late = false;
	o.filter_expression = strcmp(a->filters.value[f], "none") ? a->filters.value[f] : NULL;
	for (o.read_mode = 0; strcmp(mode_name(o.read_mode), a->modes.value[m]);)
		o.read_mode++;
	o.workers = (int32_t)a->workers.value[w];
	o.buffer_bytes = a->buffers.value[b];
	int code;
	if (is_pair(a->source)) {
		const struct sender_order order = { rate, (uint32_t)size, a->seconds };
		code = offer(&s->run, &s->pair, &o, s->options->latency, &order, row, &late);
	} else {
		if (is_synth(a->source)) { /* it has no kernel: its blocks stand for the kernel's
					      buffer */
			char rated[32] = "";
			if (rate)
				snprintf(rated, sizeof rated, ",rate=%llu",
					(unsigned long long)rate);
			const char *colon = strchr(a->source, ':');
			snprintf(source, sizeof source, "%s%ssize=%llu%s", a->source,
				!colon     ? ":"
				: colon[1] ? ","
					   : "",
				(unsigned long long)size, rated);
			o.interface_name = source;
			o.block_bytes =
				(uint32_t)(o.buffer_bytes < 64u << 20 ? o.buffer_bytes : 64u << 20);
		}
		code = plain_case(s, &o, row);
	}
	if (code)
		return code;
	snprintf(row->what, sizeof row->what, "case");
	snprintf(row->filter, sizeof row->filter, "%s", a->filters.value[f]);
	snprintf(row->mode, sizeof row->mode, "%s", a->modes.value[m]);
	row->buffer_bytes = a->buffers.value[b];
	row->frame_bytes = size;
	row->rate = rate;
	s->late += late;
	s->count++;
	if (!a->quiet)
		program_tell(
			"%zu of %zu: %s, %s, buffer %llu, frame %llu, %llu workers, rate %llu: loss %.4f%%",
			s->count, s->all, row->filter, row->mode,
			(unsigned long long)row->buffer_bytes,
			size == ABSENT ? 0 : (unsigned long long)size,
			(unsigned long long)row->workers,
			rate == ABSENT ? 0 : (unsigned long long)rate,
			isnan(row->loss) ? 0 : 100 * row->loss);
	return 0;
}

static int all_cases(struct sweep *s)
{
	const struct options *a = &s->axes;
	size_t n[] = { a->filters.count, a->sizes.count, a->modes.count, a->workers.count,
		a->buffers.count, a->rates.count },
	       at[6] = { 0 };
	for (size_t k = 0; k < s->all && !asked_to_stop(); k++) {
		int code = one_case(s, at[0], at[1], at[2], at[3], at[4], at[5]);
		if (code)
			return code;
		for (int d = 5; d >= 0 && ++at[d] == n[d]; d--)
			at[d] = 0;
	}
	return 0;
}

static void list(struct facts *f, const char *name, const struct numbers *n)
{
	char text[400] = "";
	for (size_t i = 0; i < n->count; i++) {
		size_t at = strlen(text);
		if (n->value[i] == ABSENT)
			return;
		snprintf(text + at, sizeof text - at, "%s%llu", i ? "," : "",
			(unsigned long long)n->value[i]);
	}
	fact_add(f, name, "%s", text);
}

static void list_words(struct facts *f, const char *name, const struct words *w)
{
	char text[400] = "";
	for (size_t i = 0; i < w->count; i++) {
		size_t at = strlen(text);
		snprintf(text + at, sizeof text - at, "%s%s", i ? "; " : "", w->value[i]);
	}
	fact_add(f, name, "%s", text);
}

static void found(struct result *r, const struct sweep *s)
{
	const struct options *a = &s->axes;
	size_t lossy = 0;
	double most = 0, least = INFINITY;
	for (size_t i = 0; i < s->count; i++) {
		const struct row *row = &s->rows[i];
		double offered =
			(double)(row->sent != ABSENT ? row->sent : row->delivered + row->lost) /
			row->seconds;
		if (row->lost)
			lossy++;
		if (!row->lost && offered > most)
			most = offered;
		if (row->lost && offered < least)
			least = offered;
	}
	list(&r->options, "buffers", &a->buffers), list(&r->options, "sizes", &a->sizes);
	list_words(&r->options, "modes", &a->modes),
		list_words(&r->options, "filters", &a->filters);
	list(&r->options, "workers", &a->workers), list(&r->options, "rates", &a->rates);
	fact_number(&r->findings, "cases", (double)s->count);
	fact_number(&r->findings, "cases_with_loss", (double)lossy);
	fact_number(&r->findings, "highest_offered_without_loss", most > 0 ? most : NAN);
	fact_number(&r->findings, "lowest_offered_with_loss", isinf(least) ? NAN : least);
	if (!on_bpf(a) && a->modes.count > 1)
		note_add(r, "read modes are BPF devices': they change nothing on this source");
	if (is_synth(a->source))
		note_add(r,
			"generated traffic: what is more than a second late counts as lost by the kernel; the buffer is the length of a block; latency is not measured");
	if (is_pair(a->source))
		note_add(r,
			"%s pair of our own; in %zu of %zu cases the sender did not reach the rate: what it offered is in the plots",
			pair_kind, s->late, s->count);
	else if (!is_synth(a->source))
		note_add(r,
			"the traffic is the interface's own: cases saw what came in their time, not the same packets");
	note_add(r,
		"one run a case, %g s: bench_diff.py over several sweeps tells noise from change",
		a->seconds);
}

int sweep_main(const struct options *o)
{
	static struct sweep s;
	static struct result result;
	s.options = o;
	s.axes = *o;
	fill_axes(&s.axes);
	result_init(&result, KIND_SWEEP);
	s.all = s.axes.buffers.count * s.axes.modes.count * s.axes.sizes.count *
		s.axes.filters.count * s.axes.workers.count * s.axes.rates.count;
	if (s.all > CASES_MOST)
		return option_refuse(
			"--sweep of %zu cases is too much: at most %u", s.all, CASES_MOST);
	s.rows = calloc(s.all, sizeof *s.rows);
	if (!s.rows)
		return option_refuse("--sweep of %zu cases: no memory", s.all);
	int code = is_pair(o->source) ? pair_make(&s.pair) : 0;
	if (code) {
		free(s.rows);
		return code;
	}
	options_facts(o, &result.options);
	code = all_cases(&s);
	pair_remove(&s.pair);
	if (!code || s.count) {
		found(&result, &s);
		result.rows = s.rows;
		result.count = s.count;
		int wrote = outputs_write(o, &result);
		if (!code)
			code = wrote;
	}
	free(s.rows);
	return code;
}
