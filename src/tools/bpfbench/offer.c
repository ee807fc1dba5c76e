/* SPDX-License-Identifier: MIT */
/* The order: engine open, sender forked (this process still has one thread), engine started, word
 * given, sender's end, a while for what is on its way, engine ended.  What was sent, what the
 * interface counted and what was delivered are compared by whoever asked. */
#include "offer.h"

#define START_NS 20000000

static int refused(struct run *run, struct bpe_error *error)
{
	stop_also(NULL);
	run_close(run);
	return exit_of(error);
}

int offer(struct run *run, const struct pair *pair, const struct bpe_options *options, bool latency,
	const struct sender_order *order, struct row *row, bool *late)
{
	struct bpe_error error = { 0 };
	struct sender sender;
	struct sender_report report;
	struct bpe_options o = *options;
	o.interface_name = pair->receive;
	if (!o.filter_expression)
		o.filter_expression = pair_filter;
	if (run_open(run, &o, latency, &error) < 0)
		return exit_of(&error);
	int code = sender_start(&sender, pair, order);
	if (code) {
		run_close(run);
		return code;
	}
	uint64_t before = pair_arrived(pair);
	stop_also(run->engine);
	if (run_start(run, &error) < 0) {
		sender_end(&sender, &report); /* its word never comes: it ends by itself */
		return refused(run, &error);
	}
	int ended = run_wait(run, START_NS);
	sender_go(&sender);
	ended = ended || run_wait(run, START_NS + (int64_t)(order->seconds * 1e9));
	code = sender_end(&sender, &report);
	uint64_t seen = 0, now;
	for (int quiet = 0;
		!ended && !code && quiet < 3 && (now = run_delivered(run)) < report.sent;
		seen = now) {
		quiet = now == seen ? quiet + 1 : 0; /* nothing came for a while: nothing will */
		ended = run_wait(run, mono_now() - run->start_ns + SETTLE_NS / 5);
	}
	int status = run_end(run, &error);
	stop_also(NULL);
	if (!code && status < 0)
		code = exit_of(&error);
	if (!code && !run_balanced(run)) {
		program_tell(
			"the books do not balance: packets read are not those delivered and dropped; please report this");
		code = EXIT_ERROR;
	}
	if (!code) {
		uint64_t after = pair_arrived(pair);
		*row = run->total;
		row->sent = report.sent;
		row->arrived = before == ABSENT || after == ABSENT ? ABSENT : after - before;
		row->seconds = (double)report.ns *
			       1e-9; /* the time in which it was sent: rates are of that */
		row->frame_bytes = order->frame_bytes;
		row->rate = order->rate;
		row->buffer_bytes = o.buffer_bytes ? o.buffer_bytes : ABSENT;
		row->workers = run->workers;
		snprintf(row->mode, sizeof row->mode, "%s", mode_name(o.read_mode));
		snprintf(row->filter, sizeof row->filter, "%s",
			options->filter_expression ? options->filter_expression : "none");
		row_work_out(row);
		*late = order->rate &&
			report.sent < (uint64_t)((double)order->rate * order->seconds);
	}
	run_close(run);
	return code;
}
