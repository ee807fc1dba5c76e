/* SPDX-License-Identifier: MIT */
/* A run with a sender, in this order.  The engine is opened.  The sender is forked, while this
 * process has a single thread.  The engine starts.  The sender gets the word and ends.  Packets on
 * their way get some time.  The engine ends.  The caller compares the counts of sender, interface
 * and engine. */
#include "offer.h"

#define START_NS 20000000

/* Closes a run that did not start.  Returns an exit code after the message. */
static int refuse_run(struct run *run, struct bpe_error *error)
{
	stop_also(NULL);
	run_close(run);
	return exit_of(error);
}

/* Waits until all sent packets are delivered, or until nothing came for a while. */
static void await_delivery(struct run *run, uint64_t sent)
{
	uint64_t seen = 0;
	int quiet = 0;

	while (quiet < 3) {
		const uint64_t now = run_delivered(run);

		if (now >= sent)
			return;
		quiet = now == seen ? quiet + 1 : 0;
		seen = now;
		if (run_wait(run, mono_now() - run->start_ns + SETTLE_NS / 5))
			return;
	}
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
		sender_end(&sender, &report); /* without the word the sender ends by itself */
		return refuse_run(run, &error);
	}
	int ended = run_wait(run, START_NS);
	sender_go(&sender);
	ended = ended || run_wait(run, START_NS + (int64_t)(order->seconds * 1e9));
	code = sender_end(&sender, &report);
	if (!ended && !code)
		await_delivery(run, report.sent);
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
		*row = run->total;
		row->sent = report.sent;
		row->arrived = count_since(pair, before);
		row->seconds = (double)report.ns * 1e-9; /* rates refer to the time of sending */
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
