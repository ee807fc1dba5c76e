/* SPDX-License-Identifier: MIT */
/* A run with lines of statistics, or without a word (run.h); stateless. */
#include "exports.h"
#include "run.h"

#include <unistd.h>

#define LIVE_NS 250000000
#define PRINT_NS 100000000 /* as long as a printed line, or lost packets, may wait */
#define SECOND_NS 1000000000

/* Stops the run when its time is up.  A live source which has given all its packets ends by itself;
 * the flow file then gets no more time than after a signal. */
static void end_run_in_time(const struct run *r, const struct bpe_stats *s)
{
	const struct cli *c = &r->cli;
	const bool is_timed_out = c->duration_ns && (int64_t)s->elapsed_ns >= c->duration_ns;
	const uint64_t counted = s->read_packets - s->dropped[BPE_DROP_DUPLICATE];
	const bool is_counted = c->engine.interface_name && c->engine.max_packets &&
				counted >= c->engine.max_packets;

	if (c->flows && (is_timed_out || is_counted))
		cli_flows_ending(c->flows);
	if (c->events && (is_timed_out || is_counted))
		cli_flows_ending(c->events);
	if (r->printer && is_timed_out)
		print_ending(r->printer);
	if (is_timed_out)
		bpe_engine_stop(r->engine);
	if (c->exports && (is_timed_out || is_counted))
		cli_exports_ending(c->exports);
}

/* Returns the shorter of two times to wait; until <= 0: no limit. */
static int64_t shorter_wait(int64_t wait, int64_t until)
{
	return until > 0 && until < wait ? until : wait;
}

/* Prints the line of --stats-interval if the line is due.  Returns the time of the next line.  The
 * lines of a savefile go by the packets' time (intervals.c). */
static int64_t print_due_interval(
	const struct cli *c, struct cli_rates *rates, const struct bpe_stats *s, int64_t due_ns)
{
	const int64_t elapsed_ns = (int64_t)s->elapsed_ns;
	struct cli_shown_rates shown;
	char when[CLI_TIME], text[2 * CLI_RATE];

	if (!c->stats_interval_ns || c->engine.file || elapsed_ns < due_ns)
		return due_ns;
	cli_rates_take(rates, s, 0, false, &shown);
	snprintf(when, sizeof when, "%.1f s", (double)s->elapsed_ns * 1e-9);
	cli_interval_line(stderr, when, s, cli_exact_rates(text, sizeof text, &shown));
	while (due_ns <= elapsed_ns)
		due_ns += c->stats_interval_ns;
	return due_ns;
}

void run_live_line(struct run *r)
{
	struct bpe_stats s;
	struct cli_rates rates = { .count = 0 };
	struct cli_shown_rates shown;
	const struct cli *c = &r->cli;
	const bool has_lines = c->json || c->stats_interval_ns || c->print.form;
	bool is_live = isatty(STDERR_FILENO) && !c->quiet && !c->print.quick && !has_lines;
	int64_t due_ns = c->stats_interval_ns;

	for (;;) {
		bpe_engine_stats(r->engine, &s);
		const int64_t elapsed_ns = (int64_t)s.elapsed_ns;

		end_run_in_time(r, &s);
		run_record_look(r, &s);
		due_ns = print_due_interval(c, &rates, &s, due_ns);
		int64_t wait_ns = is_live ? LIVE_NS : SECOND_NS;
		wait_ns = shorter_wait(wait_ns, c->duration_ns - elapsed_ns);
		if (r->printer || run_record_watches(r))
			wait_ns = shorter_wait(wait_ns, PRINT_NS);
		if (c->stats_interval_ns && !c->engine.file)
			wait_ns = shorter_wait(wait_ns, due_ns - elapsed_ns + 1);
		if (bpe_engine_wait(r->engine, wait_ns))
			break;
		if (r->printer)
			print_idle(r->printer);
		run_handle_sigusr2(r);
		run_handle_sigusr1(r);
		run_write_look(r);
		run_export_look(r);
		if (!is_live)
			continue;
		bpe_engine_stats(r->engine, &s);
		cli_rates_take(&rates, &s, SECOND_NS, c->engine.file, &shown);
		is_live = cli_live_line(&s, &shown);
	}
	cli_live_clear();
	if (r->has_intervals)
		cli_intervals_end(&r->intervals, r->engine);
}
