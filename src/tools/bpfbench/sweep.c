/* SPDX-License-Identifier: MIT */
/* The sweep: a run for each combination of buffer size, read mode, frame size, filter, workers and
 * rate. The rate changes fastest, so that a series is measured without a gap.  All cases are
 * measured in each round, so that a slow change of the machine meets every case. */
#include "amounts.h"
#include "offer.h"
#include "tools/common/option.h"
#include "verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MOST 20000u
#define SECONDS_MOST 60.0 /* of a case without -t */
#define RECORD_LEAST 18.0 /* bytes a packet takes in a buffer beside its own, at the least */

struct sweep {
	const struct options *options;
	struct options axes; /* the options with every list filled */
	struct pair pair;
	struct run run;
	struct row
		*rows; /* the rounds of a case lie side by side; rounds without a row have none */
	size_t count, all; /* runs: measured, and of all rounds */
	size_t late;
	double record; /* bytes a packet takes in the buffer beside its own, as seen last */
};

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
		a->modes = reads_bpf_device(a->source) ? all_modes : one_mode;
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
static int measure_synth_case(
	struct sweep *s, struct bpe_options *o, const struct row *setting, struct row *row)
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
	return measure_plain_case(s, o, row);
}

/* Prints the line of a case that was measured. */
static void report_case(const struct sweep *s, const struct row *row)
{
	char buffer[AMOUNT_ROOM], workers[AMOUNT_ROOM], rate[AMOUNT_ROOM], lost[AMOUNT_ROOM];
	char packets[AMOUNT_ROOM], frames[48] = "";

	if (row->frame_bytes != ABSENT)
		snprintf(frames, sizeof frames, ", %llu-byte frames",
			(unsigned long long)row->frame_bytes);
	program_tell("%zu of %zu: filter %s, read mode %s, buffer %s%s, %s, %s: lost %s of %s",
		s->count, s->all, row->filter, row->mode,
		amount_bytes(buffer, sizeof buffer, row->buffer_bytes), frames,
		amount_of(workers, sizeof workers, row->workers, "worker"),
		amount_rate(rate, sizeof rate, row_offered(row)),
		amount_count(lost, sizeof lost, row->lost),
		amount_of(packets, sizeof packets, row->delivered + row->lost, "packet"));
}

/* Returns the seconds of a case with a sender.  Without -t a case lasts long enough for a verdict:
 * the traffic fills the buffer more than twice (judge.h). */
static double choose_seconds(const struct sweep *s, const struct row *setting)
{
	const struct options *a = &s->axes;
	const struct judge judge = options_judge(a);
	const double rate = (double)setting->rate;
	const double packet = (double)setting->frame_bytes + s->record;
	const double fill = judge.buffers * (double)setting->buffer_bytes;

	if (a->seconds_given || !setting->rate)
		return a->seconds;
	const double wanted =
		1.1 * fmax(JUDGE_FILLS * fill / packet, (double)judge_packets(judge.loss_below)) /
		rate;

	return fmin(SECONDS_MOST, fmax(a->seconds, wanted));
}

/* Measures the case at the given place of each axis into *row.  Returns 0 or an exit code. */
static int measure_case(struct sweep *s, const size_t at[AXES], struct row *row)
{
	const struct options *a = &s->axes;
	const char *filter = a->filters.value[at[AXIS_FILTER]];
	const char *mode = a->modes.value[at[AXIS_MODE]];
	const struct row setting = { .frame_bytes = a->sizes.value[at[AXIS_SIZE]],
		.buffer_bytes = a->buffers.value[at[AXIS_BUFFER]],
		.rate = a->rates.value[at[AXIS_RATE]] };
	struct bpe_options o = a->engine;
	bool late = false;
	int code;

	o.filter_expression = strcmp(filter, "none") ? filter : NULL;
	for (o.read_mode = 0; strcmp(mode_name(o.read_mode), mode);)
		o.read_mode++;
	o.workers = (int32_t)a->workers.value[at[AXIS_WORKERS]];
	o.buffer_bytes = setting.buffer_bytes;
	if (is_pair(a->source)) {
		const struct sender_order order = { setting.rate, (uint32_t)setting.frame_bytes,
			choose_seconds(s, &setting) };

		code = offer(&s->run, &s->pair, &o, s->options->latency, &order, row, &late);
	} else if (is_synth(a->source)) {
		code = measure_synth_case(s, &o, &setting, row);
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
	if (row->packets && is_pair(a->source))
		s->record = fmax(RECORD_LEAST,
			(double)row->block_bytes / (double)row->packets - (double)row->frame_bytes);
	s->late += late;
	s->count++;
	if (!a->quiet)
		report_case(s, row);
	return 0;
}

/* Measures all cases of a round. */
static int measure_round(struct sweep *s, uint64_t round)
{
	const struct options *a = &s->axes;
	const size_t n[AXES] = { a->filters.count, a->sizes.count, a->modes.count, a->workers.count,
		a->buffers.count, a->rates.count };
	size_t at[AXES] = { 0 };

	for (size_t k = 0; k < s->all / a->rounds && !asked_to_stop(); k++) {
		struct row *row = &s->rows[k * a->rounds + round];
		int code = measure_case(s, at, row);
		if (code) {
			memset(row, 0, sizeof *row);
			return code;
		}
		row->round = round + 1;
		for (int d = AXES - 1; d >= 0 && ++at[d] == n[d]; d--)
			at[d] = 0;
	}
	return 0;
}

/* Measures all rounds.  Rows that were not measured are left out at the end. */
static int measure_all_cases(struct sweep *s)
{
	int code = 0;
	size_t kept = 0;

	s->record = RECORD_LEAST;
	for (uint64_t r = 0; r < s->axes.rounds && !code && !asked_to_stop(); r++)
		code = measure_round(s, r);
	for (size_t i = 0; i < s->all; i++)
		if (s->rows[i].round)
			s->rows[kept++] = s->rows[i];
	s->count = kept;
	return code;
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

	for (size_t i = 0; i < s->count; i++)
		lossy += s->rows[i].lost > 0;
	add_number_list(&r->options, "buffers", &a->buffers);
	add_number_list(&r->options, "sizes", &a->sizes);
	add_word_list(&r->options, "modes", &a->modes);
	add_word_list(&r->options, "filters", &a->filters);
	add_number_list(&r->options, "workers", &a->workers);
	add_number_list(&r->options, "rates", &a->rates);
	fact_number(&r->findings, "cases", (double)(s->all / a->rounds));
	fact_number(&r->findings, "runs", (double)s->count);
	fact_number(&r->findings, "runs_with_loss", (double)lossy);
	if (!reads_bpf_device(a->source) && a->modes.count > 1)
		note_add(r, "read modes are BPF devices': they change nothing on this source");
	if (is_synth(a->source))
		note_add(r,
			"generated traffic: what is more than a second late counts as lost by the kernel; the buffer is the length of a block; latency is not measured");
	if (is_pair(a->source))
		note_add(r,
			"%s pair of our own; in %zu of %zu runs the sender did not reach the rate: what it offered is in the plots",
			pair_kind, s->late, s->count);
	else if (!is_synth(a->source))
		note_add(r,
			"the traffic is the interface's own: cases saw what came in their time, not the same packets");
	if (is_pair(a->source) && !a->seconds_given)
		note_add(r,
			"a run lasts %g s, or as long as its packets take to fill the buffer more than twice, at most %g s",
			a->seconds, SECONDS_MOST);
	else
		note_add(r, "a run lasts %g s", a->seconds);
	if (a->rounds == 1)
		note_add(r, "one round: the spread of a case is not known; --rounds 3 measures it");
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
		s.axes.filters.count * s.axes.workers.count * s.axes.rates.count *
		(size_t)o->rounds;
	if (s.all > CASES_MOST)
		return option_refuse(
			"--sweep of %zu runs is too much: at most %u", s.all, CASES_MOST);
	s.rows = calloc(s.all, sizeof *s.rows);
	if (!s.rows)
		return option_refuse("--sweep of %zu runs: no memory", s.all);
	int code = is_pair(o->source) ? pair_make(&s.pair) : 0;
	if (code) {
		free(s.rows);
		return code;
	}
	options_facts(o, &result.options);
	code = measure_all_cases(&s);
	pair_remove(&s.pair);
	if (!code || s.count) {
		const struct judge judge = options_judge(o);

		describe_sweep(&result, &s);
		result.rows = s.rows;
		result.count = s.count;
		if (!verdict_sweep(&result, &judge))
			note_add(&result, "no memory for the verdicts");
		int wrote = outputs_write(o, &result);
		if (!code)
			code = wrote;
		free(result.verdicts);
	}
	free(s.rows);
	return code;
}
