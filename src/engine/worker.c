/* SPDX-License-Identifier: MIT */
/* The worker's side: takes runs of packets from its ring, counts them on flows and statistics,
 * calls the user's handler, gives the slots back.
 *
 * A worker's table and counts have one writer: this thread; with 0 workers the reader's thread
 * plays the part.  The batch that a handler sees is a view into the ring's columns, so slots are
 * given back only when the handler has returned; the packets' bytes lie in blocks that the reader
 * frees when every ring's head has passed their mark. End: the reader says reader_done after its
 * last push; a worker that finds its ring empty after having seen that is through. */
#include "engine/engine.h"

#include "base/cacheline.h"
#include "base/clock.h"
#include "base/thread.h"

#include <stdio.h>
#include <string.h>

#define SPINS 200u
#define AGE_EVERY_NS 100000000 /* when idle */

void bpei_pause(uint32_t tries)
{
	if (tries < SPINS) {
#if defined(__x86_64__) || defined(__i386__)
		__builtin_ia32_pause();
#elif defined(__aarch64__)
		__asm__ volatile(
			"isb"); /* a pause of the length of x86's; yield is a no-op on most cores */
#endif
		return;
	}
	tries -= SPINS;
	bpei_clock_sleep_ns(tries < 20 ? 20000 : tries < 100 ? 100000 : 500000);
}

/* By what times the flow table counts: the packets' own, but for a source that steps. */
static const int64_t *flow_times(struct bpei_table *t, const struct bpe_batch *b,
	const int64_t *flow_ns, const uint8_t *kind, int64_t most_ns, int64_t *mixed) BPEI_WORKER
{
	int64_t clock = INT64_MIN;
	uint8_t any = 0;
	for (uint32_t i = 0; i < b->count; i++)
		any |= kind[i];
	if (BPEI_LIKELY(!any)) {
		bpei_table_clock(t, most_ns);
		return b->time_ns;
	}
	for (uint32_t i = 0; i < b->count; i++) {
		mixed[i] = kind[i] ? flow_ns[i] : b->time_ns[i];
		if (kind[i] != BPEI_TIME_AHEAD && mixed[i] > clock)
			clock = mixed[i];
	}
	if (clock > INT64_MIN)
		bpei_table_clock(t, clock);
	return mixed;
}

void bpei_worker_deliver(struct bpei_worker *w, const struct bpei_columns *columns, uint32_t from,
	const struct bpe_batch *batch, const struct bpei_sums *sums)
{
	uint32_t flow[BPE_BATCH];
	const struct bpe_options *o = &w->engine->options;
	struct bpe_batch view = *batch;
	view.closed_tunnels = o->closed_tunnels;
	if (!w->engine->device->has_meta)
		view.meta = NULL;
	if (w->table) {
		int64_t flow_ns[BPE_BATCH];
		view.time_ns = flow_times(w->table, batch, columns->flow_ns + from,
			columns->flow_kind + from, sums->most_ns, flow_ns);
		bpei_table_update(w->table, &view, flow);
		const struct bpe_batch *joined = bpei_table_joined(w->table);
		if (BPEI_UNLIKELY(joined != NULL)) {
			view.key = joined->key;
			view.hash = joined->hash;
		}
		view.time_ns = batch->time_ns;
		view.flow = flow;
		view.table = w->table;
	}
	if (o->on_batch)
		o->on_batch(o->user, &view);
	bpei_counts_add(&w->counts, batch,
		sums); /* last: what is counted as delivered has been delivered */
	bpei_scan_batch(w);
	bpei_show_batch(w);
}

void bpei_worker_deliver_unparsed(struct bpei_worker *w, const struct bpe_batch *batch,
	const struct bpei_sums *sums, uint32_t link_type)
{
	const struct bpe_options *o = &w->engine->options;
	struct bpe_batch view = *batch;
	view.closed_tunnels = o->closed_tunnels;
	if (!w->engine->device->has_meta)
		view.meta = NULL;
	if (o->on_batch)
		o->on_batch(o->user, &view);
	bpei_counts_add_unparsed(&w->counts, batch, sums, link_type);
	bpei_scan_batch(w);
}

/* Before the first packet there is no time to age by. */
static void age(struct bpei_table *t, int64_t now) BPEI_WORKER
{
	if (now > INT64_MIN)
		bpei_table_age(t, now);
}

void bpei_worker_finish(struct bpei_worker *w)
{
	bpei_scan_finish(w);
	if (w->table) {
		bpei_show_finish(w);
		age(w->table, atomic_load_explicit(&w->engine->packet_now, memory_order_relaxed));
		bpei_table_end_all(w->table);
	}
	bpei_scan_leave(w);
}

/* One batch, if there is one.  Returns its size. */
static uint32_t step(struct bpei_worker *w) BPEI_WORKER
{
	uint32_t n = bpei_ring_peek(&w->ring, BPE_BATCH);
	if (!n)
		return 0;
	uint32_t from = w->ring.own_head & w->ring.mask;
	struct bpe_batch batch = bpei_batch_view(&w->columns, from, n, w->number);
	struct bpei_sums sums;
	bpei_batch_sum(&batch, &sums);
	bpei_worker_deliver(w, &w->columns, from, &batch, &sums);
	bpei_ring_drop(&w->ring, n);
	return n;
}

static void loop(struct bpei_worker *w) BPEI_WORKER
{
	struct bpe_engine *e = w->engine;
	uint32_t idle = 0;
	int64_t aged = INT64_MIN;
	for (;;) {
		/* Looked at before the ring: what was pushed up to then is in the ring when peek
		 * looks. */
		int64_t now = atomic_load_explicit(
			&e->packet_now, memory_order_acquire); /* pairs: publish_time in reader.c */
		int done = atomic_load_explicit(
			&e->reader_done, memory_order_acquire); /* pairs: end_run in reader.c */
		if (step(w)) {
			idle = 0;
			continue;
		}
		if (done)
			return;
		if (w->table && now > aged && (uint64_t)now - (uint64_t)aged > AGE_EVERY_NS)
			age(w->table, aged = now);
		bool more = bpei_scan_idle(w);
		more |= bpei_show_idle(w);
		if (!more)
			bpei_pause(idle++);
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
	atomic_store_explicit(&w->ready, 1, memory_order_release); /* pairs: start in lifecycle.c */
	bpei_scan_thread(w->engine);
	bpei_role_enter(&bpei_worker_role);
	loop(w);
	bpei_worker_finish(w);
	bpei_role_leave(&bpei_worker_role);
	return NULL;
}
