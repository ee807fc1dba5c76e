/* SPDX-License-Identifier: MIT */
/* The targets of a run (run.h).  State: the counters as they were told last. */
#include "exports.h"
#include "run.h"

#include <time.h>

#define COUNTS_NS 1000000000

static struct export_counts told_counts;

/* Writes the counters of the run for the senders. */
static void tell_counts(struct run *r, bool is_final)
{
	struct export_counts *const c = &told_counts;
	const size_t interfaces =
		bpe_engine_interfaces(r->engine, c->interfaces, EXPORT_INTERFACES_MOST);

	bpe_engine_stats(r->engine, &c->stats);
	c->interface_count = EXPORT_INTERFACES_MOST;
	if (interfaces < EXPORT_INTERFACES_MOST)
		c->interface_count = (uint32_t)interfaces;
	c->worker_count = 0;
	while (c->worker_count < EXPORT_WORKERS_MOST && c->worker_count < c->stats.workers &&
		bpe_engine_worker_stats(r->engine, c->worker_count, &c->workers[c->worker_count]) ==
			BPE_OK)
		c->worker_count++;
	c->has_written = r->cli.writer != NULL;
	if (r->cli.writer)
		bpe_writer_stats(r->cli.writer, &c->written);
	c->is_final = is_final;
	cli_exports_counts(r->cli.exports, c);
}

void run_export_look(struct run *r)
{
	struct timespec t;

	if (!r->cli.exports)
		return;
	clock_gettime(CLOCK_MONOTONIC, &t);
	const int64_t now_ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;

	cli_exports_look(r->cli.exports, run_on_notice, r);
	if (now_ns < r->counts_due_ns)
		return;
	r->counts_due_ns = now_ns + COUNTS_NS;
	tell_counts(r, false);
}

void run_export_finish(struct run *r)
{
	if (!r->cli.exports)
		return;
	cli_exports_look(r->cli.exports, run_on_notice, r);
	tell_counts(r, true);
	cli_exports_finish(r->cli.exports, run_on_notice, r);
}
