/* SPDX-License-Identifier: MIT */
/* The sweep: a run for each combination of buffer size, read mode, frame size, filter, workers and
 * rate. The rate changes fastest, so that a series is measured without a gap. */
#include "offer.h"
#include "tools/common/option.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MOST 20000u

struct sweep {
	const struct options *options;
	struct options axes; /* the options with every list filled */
	struct pair pair;
	struct run run;
	struct row *rows;
	size_t count, all;
	size_t late;
};

static bool reads_bpf_device(const struct options *o)
{
#if defined(__linux__)
	return !strncmp(o->source, "bpf:", 4);
#else
	return !is_synth(o->source);
#endif
}

static void set_default_numbers(struct numbers *n, size_t count, const uint64_t *values)
{
	if (n->count)
		return;
	n->count = count;
	memcpy(n->value, values, count * sizeof *values);
}
#define DEFAULT(list, ...)                                                                         \
	set_default_numbers(list, sizeof(const uint64_t[]){ __VA_ARGS__ } / sizeof(uint64_t),      \
		(const uint64_t[]){ __VA_ARGS__ })

static void fill_axes(struct options *a)
{
	static const struct words all_modes = { 4, { "auto", "throughput", "latency", "paced" },
		NULL };
	static const struct words one_mode = { 1, { "auto" }, NULL };
	static const struct words no_filter = { 1, { "none" }, NULL };
	const bool synth = is_synth(a->source);
	const bool pair = is_pair(a->source);

	if (!a->modes.count)
		a->modes = reads_bpf_device(a) ? all_modes : one_mode;
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
	if (!pair && !synth) {
		a->rates.count = 1;
		a->sizes.count = 1;
		a->rates.value[0] = ABSENT;
		a->sizes.value[0] = ABSENT;
	}
}

/* Measures a run without a sender: generated traffic, or the traffic of the interface. */
static int measure_plain_case(struct sweep *s, const struct bpe_options *options, struct row *row)
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

/* The axes of a sweep, the slowest first. */
enum { AXIS_FILTER, AXIS_SIZE, AXIS_MODE, AXIS_WORKERS, AXIS_BUFFER, AXIS_RATE, AXES };

/* Measures generated traffic with the frame size and rate.  synth has no kernel, so the size of
 * blocks stands for the kernel's buffer. */
static int measure_synth_case(struct sweep *s, struct bpe_options *o, const struct row *setting)
{
	const char *colon = strchr(s->axes.source, ':');
	const char *joint = ":";
	char source[256], rated[32] = "";

	if (colon)
		joint = colon[1] ? "," : "";
	if (setting->rate)
		snprintf(rated, sizeof rated, ",rate=%llu", (unsigned long long)setting->rate);
	snprintf(source, sizeof source, "%s%ssize=%llu%s", s->axes.source, joint,
		(unsigned long long)setting->frame_bytes, rated);
	o->interface_name = source;
	o->block_bytes = (uint32_t)(o->buffer_bytes < 64u << 20 ? o->buffer_bytes : 64u << 20);
	return measure_plain_case(s, o, &s->rows[s->count]);
}

/* Prints the line of a case that was measured. */
static void report_case(const struct sweep *s, const struct row *row)
{
	const uint64_t size = row->frame_bytes == ABSENT ? 0 : row->frame_bytes;
	const uint64_t rate = row->rate == ABSENT ? 0 : row->rate;

	program_tell(
		"%zu of %zu: %s, %s, buffer %llu, frame %llu, %llu workers, rate %llu: loss %.4f%%",
		s->count, s->all, row->filter, row->mode, (unsigned long long)row->buffer_bytes,
		(unsigned long long)size, (unsigned long long)row->workers,
		(unsigned long long)rate, isnan(row->loss) ? 0 : 100 * row->loss);
}

/* Measures the case at the given place of each axis.  Returns 0 or an exit code. */
static int measure_case(struct sweep *s, const size_t at[AXES])
{
	const struct options *a = &s->axes;
	const char *filter = a->filters.value[at[AXIS_FILTER]];
	const char *mode = a->modes.value[at[AXIS_MODE]];
	const struct row setting = { .frame_bytes = a->sizes.value[at[AXIS_SIZE]],
		.rate = a->rates.value[at[AXIS_RATE]] };
	struct bpe_options o = a->engine;
	struct row *row = &s->rows[s->count];
	bool late = false;
	int code;

	o.filter_expression = strcmp(filter, "none") ? filter : NULL;
	for (o.read_mode = 0; strcmp(mode_name(o.read_mode), mode);)
		o.read_mode++;
	o.workers = (int32_t)a->workers.value[at[AXIS_WORKERS]];
	o.buffer_bytes = a->buffers.value[at[AXIS_BUFFER]];
	if (is_pair(a->source)) {
		const struct sender_order order = { setting.rate, (uint32_t)setting.frame_bytes,
			a->seconds };

		code = offer(&s->run, &s->pair, &o, s->options->latency, &order, row, &late);
	} else if (is_synth(a->source)) {
		code = measure_synth_case(s, &o, &setting);
	} else {
		code = measure_plain_case(s, &o, row);
	}
	if (code)
		return code;
	snprintf(row->what, sizeof row->what, "case");
	snprintf(row->filter, sizeof row->filter, "%s", filter);
	snprintf(row->mode, sizeof row->mode, "%s", mode);
	row->buffer_bytes = o.buffer_bytes;
	row->frame_bytes = setting.frame_bytes;
	row->rate = setting.rate;
	s->late += late;
	s->count++;
	if (!a->quiet)
		report_case(s, row);
	return 0;
}

static int measure_all_cases(struct sweep *s)
{
	const struct options *a = &s->axes;
	const size_t n[AXES] = { a->filters.count, a->sizes.count, a->modes.count, a->workers.count,
		a->buffers.count, a->rates.count };
	size_t at[AXES] = { 0 };

	for (size_t k = 0; k < s->all && !asked_to_stop(); k++) {
		int code = measure_case(s, at);
		if (code)
			return code;
		for (int d = AXES - 1; d >= 0 && ++at[d] == n[d]; d--)
			at[d] = 0;
	}
	return 0;
}

static void add_number_list(struct facts *f, const char *name, const struct numbers *n)
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

static void add_word_list(struct facts *f, const char *name, const struct words *w)
{
	char text[400] = "";
	for (size_t i = 0; i < w->count; i++) {
		size_t at = strlen(text);
		snprintf(text + at, sizeof text - at, "%s%s", i ? "; " : "", w->value[i]);
	}
	fact_add(f, name, "%s", text);
}

static void describe_sweep(struct result *r, const struct sweep *s)
{
	const struct options *a = &s->axes;
	size_t lossy = 0;
	double most = 0;
	double least = INFINITY;

	for (size_t i = 0; i < s->count; i++) {
		const struct row *row = &s->rows[i];
		const uint64_t packets =
			row->sent != ABSENT ? row->sent : row->delivered + row->lost;
		const double offered = (double)packets / row->seconds;

		if (row->lost)
			lossy++;
		if (!row->lost && offered > most)
			most = offered;
		if (row->lost && offered < least)
			least = offered;
	}
	add_number_list(&r->options, "buffers", &a->buffers);
	add_number_list(&r->options, "sizes", &a->sizes);
	add_word_list(&r->options, "modes", &a->modes);
	add_word_list(&r->options, "filters", &a->filters);
	add_number_list(&r->options, "workers", &a->workers);
	add_number_list(&r->options, "rates", &a->rates);
	fact_number(&r->findings, "cases", (double)s->count);
	fact_number(&r->findings, "cases_with_loss", (double)lossy);
	fact_number(&r->findings, "highest_offered_without_loss", most > 0 ? most : NAN);
	fact_number(&r->findings, "lowest_offered_with_loss", isinf(least) ? NAN : least);
	if (!reads_bpf_device(a) && a->modes.count > 1)
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
	host_facts(&result.host);
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
	code = measure_all_cases(&s);
	pair_remove(&s.pair);
	if (!code || s.count) {
		describe_sweep(&result, &s);
		result.rows = s.rows;
		result.count = s.count;
		int wrote = outputs_write(o, &result);
		if (!code)
			code = wrote;
	}
	free(s.rows);
	return code;
}
