/* SPDX-License-Identifier: MIT */
/* The worker's side: takes runs of packets from a ring, counts the packets on flows and statistics,
 * calls the user's handler, gives the slots back.
 *
 * A share's table and counters have a single writer: this thread, or the reader's thread with 0
 * workers. An only worker's handler sees a batch as a view into the slots of the ring; one of
 * several workers copies its packets from the slots first.  Slots are given back only when the
 * handler has returned.  The packets' bytes lie in blocks, which the reader
 * frees when every ring's head has passed their marks. End: the reader sets reader_done after the
 * last push.  A worker is through once the ring is empty after reader_done was seen. */
#include "engine/engine.h"

#include "base/cacheline.h"
#include "base/thread.h"

#include <stdio.h>
#include <string.h>

#define AGE_EVERY_NS 100000000 /* when idle */

enum bpei_progress bpei_worker_answer(struct bpei_worker *w, bool idle)
{
	struct bpei_answerer *const answers[] = { &w->answers_top, &w->answers_dump };
	enum bpei_progress furthest = BPEI_QUERY_DONE;

	for (size_t k = 0; k < sizeof answers / sizeof *answers; k++) {
		const struct bpei_query_desk *desk = answers[k]->desk;

		if (!bpei_query_waits(answers[k]))
			continue;
		const enum bpei_progress progress =
			bpei_query_serve(answers[k], idle ? desk->idle_budget : desk->batch_budget);

		if (progress > furthest)
			furthest = progress;
	}
	return furthest;
}

void bpei_worker_deliver(struct bpei_worker *w, const struct bpei_columns *columns, uint32_t from,
	const struct bpe_batch *batch, const struct bpei_sums *sums)
{
	uint32_t flow[BPE_BATCH];
	const struct bpe_options *o = &w->engine->options;
	struct bpe_batch view = *batch;

	if (w->table)
		bpei_flows_count(w->table, columns, from, sums, &view, flow);
	if (w->names.namer)
		bpei_share_names_read(&w->names, &view);
	if (BPEI_UNLIKELY(w->asks.cells != NULL)) {
		bpei_asker_apply(w);
		bpei_asker_put(w);
	}
	if (o->on_batch)
		o->on_batch(o->user, &view);
	/* Last, since a packet counted as delivered must have been delivered. */
	bpei_counts_add(&w->counts, batch, sums);
	bpei_worker_answer(w, false);
}

void bpei_worker_deliver_unparsed(struct bpei_worker *w, const struct bpe_batch *batch,
	const struct bpei_sums *sums, uint32_t link_type)
{
	const struct bpe_options *o = &w->engine->options;

	if (o->on_batch)
		o->on_batch(o->user, batch);
	bpei_counts_add_unparsed(&w->counts, batch, sums, link_type);
	bpei_worker_answer(w, false);
}

bool bpei_worker_takes(struct bpei_worker *w, const struct bpe_flow *flow)
{
	const struct bpe_where *where = w->engine->where;

	if (BPEI_LIKELY(!where) || bpe_where_match(where, flow))
		return true;
	bpei_counter_add(&w->records_filtered, 1);
	return false;
}

void bpei_worker_finish(struct bpei_worker *w)
{
	struct bpe_engine *e = w->engine;

	if (w->asks.cells)
		bpei_asker_finish(w);
	/* Queries up to now are answered from the living table. */
	bpei_query_finish(&w->answers_top);
	bpei_query_open(&e->dump_desk, false);
	bpei_query_leave(&w->answers_dump, BPEI_ANSWERER_LEFT);
	if (w->table)
		bpei_flows_finish(&e->flows, w->table, &w->names);
	/* From here on an asker scans the table itself, for the table changes no more. */
	bpei_query_leave(&w->answers_top, BPEI_ANSWERER_LEFT);
}

/* Copies the n packets in the numbered slots into the worker's columns.  Their lines come from the
 * reader's cache, so the lines are prefetched: first all of the longest columns. */
static void gather_packets(struct bpei_worker *w, const uint32_t *numbers, uint32_t n) BPEI_WORKER
{
	const struct bpei_columns *from = &w->engine->slots.columns;

	for (uint32_t i = 0; i < n; i++) {
		__builtin_prefetch(&from->key[numbers[i]]);
		__builtin_prefetch(&from->layers[numbers[i]]);
	}
	for (uint32_t i = 0; i < n; i++)
		bpei_columns_copy(&w->columns, i, from, numbers[i]);
}

/* Delivers the next batch of the ring.  Returns the batch's size; 0: the ring is empty. */
static uint32_t deliver_from_ring(struct bpei_worker *w) BPEI_WORKER
{
	uint32_t n = bpei_ring_peek(&w->ring, BPE_BATCH);

	if (!n)
		return 0;
	const struct bpei_columns *columns = &w->engine->slots.columns;
	uint32_t from = w->ring.own_head & w->ring.mask;

	if (w->slot_numbers) {
		gather_packets(w, w->slot_numbers + from, n);
		columns = &w->columns;
		from = 0;
	} else {
		n = w->engine->slots.batch_sizes[from];
	}
	const struct bpe_batch batch =
		bpei_input_view(&w->engine->input, columns, from, n, w->number);
	struct bpei_sums sums;

	bpei_batch_sum(&batch, &sums);
	bpei_worker_deliver(w, columns, from, &batch, &sums);
	bpei_ring_drop(&w->ring, n);
	return n;
}

static void run_worker_loop(struct bpei_worker *w) BPEI_WORKER
{
	struct bpe_engine *e = w->engine;
	uint32_t idle_rounds = 0;
	int64_t aged_ns = INT64_MIN;

	for (;;) {
		/* Both are read before the ring: packets pushed by then are in the ring when peek
		 * looks. */
		const int64_t now =
			/* pairs: publish_flow_time in flows.c */
			atomic_load_explicit(&e->flows.now, memory_order_acquire);
		const int done =
			/* pairs: end_run in reader.c */
			atomic_load_explicit(&e->reader_done, memory_order_acquire);

		if (deliver_from_ring(w)) {
			idle_rounds = 0;
			continue;
		}
		if (done)
			return;
		if (w->table && now > aged_ns && (uint64_t)now - (uint64_t)aged_ns > AGE_EVERY_NS) {
			bpei_flows_age(w->table, &w->names, now);
			aged_ns = now;
		}
		if (w->asks.cells)
			bpei_asker_apply(w);
		if (bpei_worker_answer(w, true) != BPEI_QUERY_MORE)
			bpei_pause(idle_rounds++);
	}
}

void *bpei_worker_main(void *worker)
{
	struct bpei_worker *w = worker;
	const struct bpe_options *o = &w->engine->options;
	char name[16];

	snprintf(name, sizeof name, "bpe-worker-%u", w->number);
	bpei_thread_name(name);
	if (o->pin_workers)
		w->pin_errno = bpei_thread_pin(w->number + 1); /* core 0 is left to the reader */
	if (o->priority)
		w->urgent_errno = bpei_thread_urgent(o->priority == BPE_PRIORITY_REALTIME);
	/* pairs: report_refusals in lifecycle.c */
	atomic_store_explicit(&w->ready, 1, memory_order_release);
	bpei_query_thread(w->engine, false);
	bpei_role_enter(&bpei_worker_role);
	run_worker_loop(w);
	bpei_worker_finish(w);
	bpei_role_leave(&bpei_worker_role);
	return NULL;
}
