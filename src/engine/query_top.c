/* SPDX-License-Identifier: MIT */
/* The largest flows of a running engine.  A table is its worker's, so the worker is asked: it looks
 * through its table a stretch at a time, between two batches, and the one who asks waits until all
 * workers are through.  With 0 workers the reader does it.
 *
 * One question at a time, in the order in which they came.  A worker learns of one by a relaxed
 * load, and takes it under the mutex, which also makes tops[] its own until it says that it is
 * through.  It never waits for the mutex: if it is taken, the worker comes back behind the next
 * batch. A worker that has not begun, or has left, has a table that nobody changes: whoever asks
 * looks through it himself, and holds the mutex meanwhile, so that nobody begins. */
#include "engine/engine.h"

#include "base/error.h"

#include <stdlib.h>

#define LOOKS_BATCH 256u  /* entries behind a batch of up to 64 packets */
#define LOOKS_IDLE 16384u /* when no packets wait: about 0.1 ms */

static _Thread_local const struct bpe_engine *works; /* this thread is one of that engine's */

void bpei_scan_thread(const struct bpe_engine *e)
{
	works = e;
}

void bpei_scan_init(struct bpei_scans *s)
{
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->moved, NULL);
}

void bpei_scan_free(struct bpei_scans *s)
{
	pthread_cond_destroy(&s->moved);
	pthread_mutex_destroy(&s->mutex);
}

static uint32_t tables(const struct bpe_engine *e)
{
	return e->plan.workers ? e->plan.workers : 1;
}

void bpei_scan_begin(struct bpe_engine *e)
{
	pthread_mutex_lock(&e->scans.mutex);
	for (uint32_t k = 0; k < tables(e); k++)
		e->workers[k].scan.answers = true;
	pthread_mutex_unlock(&e->scans.mutex);
}

static void through(struct bpei_scans *s, struct bpei_worker *w)
{
	w->scan.seen = atomic_load_explicit(&s->asked, memory_order_relaxed);
	w->scan.top = NULL;
	if (!--s->pending)
		pthread_cond_broadcast(&s->moved);
}

/* True as long as the question is not answered. */
static bool serve(struct bpei_worker *w, uint32_t looks) BPEI_WORKER
{
	struct bpei_scans *s = &w->engine->scans;
	if (!w->scan.top) {
		if (pthread_mutex_trylock(&s->mutex))
			return true;
		w->scan.top = &s->tops[w->number];
		pthread_mutex_unlock(&s->mutex);
	}
	if (w->table && !bpei_table_scan(w->table, w->scan.top, looks))
		return true;
	if (pthread_mutex_trylock(&s->mutex))
		return true;
	through(s, w);
	pthread_mutex_unlock(&s->mutex);
	return false;
}

static bool is_asked(const struct bpei_worker *w)
{
	return BPEI_UNLIKELY(atomic_load_explicit(&w->engine->scans.asked, memory_order_relaxed) !=
			     w->scan.seen);
}

void bpei_scan_batch(struct bpei_worker *w)
{
	if (is_asked(w))
		serve(w, LOOKS_BATCH);
}

bool bpei_scan_idle(struct bpei_worker *w)
{
	return is_asked(w) && serve(w, LOOKS_IDLE);
}

void bpei_scan_finish(struct bpei_worker *w)
{
	while (is_asked(w) && serve(w, UINT32_MAX))
		continue;
}

static void scan_all(const struct bpei_table *t, struct bpei_top *top) BPEI_WORKER
{
	while (t && !bpei_table_scan(t, top, UINT32_MAX))
		continue;
}

void bpei_scan_leave(struct bpei_worker *w)
{
	struct bpei_scans *s = &w->engine->scans;
	pthread_mutex_lock(&s->mutex);
	if (w->scan.answers && is_asked(w)) {
		scan_all(w->table, &s->tops[w->number]);
		through(s, w);
	}
	w->scan.answers = false;
	pthread_mutex_unlock(&s->mutex);
}

/* ---- Asking ---- */

static void ask(struct bpe_engine *e, struct bpei_top *tops)
{
	struct bpei_scans *s = &e->scans;
	pthread_mutex_lock(&s->mutex);
	const uint64_t turn = s->last_turn++;
	while (s->turn < turn)
		pthread_cond_wait(&s->moved, &s->mutex);
	s->pending = 0;
	for (uint32_t k = 0; k < tables(e); k++)
		s->pending += e->workers[k].scan.answers;
	if (s->pending) {
		s->tops = tops;
		atomic_store_explicit(&s->asked,
			atomic_load_explicit(&s->asked, memory_order_relaxed) + 1,
			memory_order_relaxed);
		if (!e->plan.workers)
			e->device->ops->wake(e->device);
	}
	bpei_role_enter(&bpei_worker_role);
	for (uint32_t k = 0; k < tables(e); k++) {
		struct bpei_worker *w = &e->workers[k];
		if (w->scan.answers)
			continue;
		scan_all(w->table, &tops[k]);
		w->scan.seen = atomic_load_explicit(&s->asked, memory_order_relaxed);
	}
	bpei_role_leave(&bpei_worker_role);
	while (s->pending)
		pthread_cond_wait(&s->moved, &s->mutex);
	s->turn++;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->mutex);
}

int bpei_engine_snapshot(struct bpe_engine *e, enum bpe_order order, int64_t since_ns,
	struct bpe_flow *flows, size_t n, struct bpe_snapshot *snapshot, struct bpe_error *error)
{
	struct bpe_snapshot s = { .packet_ns = (int64_t)bpei_counter_get(&e->last_packet_ns) };
	if (works == e)
		return bpei_fail(error, BPE_E_STATE, "snapshot", 0,
			"a handler cannot ask for the flows: its thread is one of those that answer");
	if (n > INT32_MAX)
		n = INT32_MAX;
	if (!bpei_timeline_is_plain(&e->timeline))
		since_ns = INT64_MIN; /* tables have other times than packets */
	struct bpei_top *tops = calloc(tables(e), sizeof *tops);
	int r = tops ? BPE_OK : BPE_E_MEMORY;
	for (uint32_t k = 0; k < tables(e) && r >= 0; k++) {
		const uint64_t most = e->workers[k].table ? e->options.max_flows : 0;
		r = bpei_top_init(&tops[k], order, since_ns, n < most ? n : (size_t)most);
	}
	if (r >= 0) {
		ask(e, tops);
		r = bpei_top_merge(tops, tables(e), flows, n);
	}
	for (uint32_t k = 0; tops && k < tables(e); k++) {
		s.alive += tops[k].alive;
		s.recent += tops[k].recent;
		bpei_top_free(&tops[k]);
	}
	free(tops);
	if (r < 0)
		return bpei_fail(
			error, r, "snapshot", 0, "no memory for the records of %zu flows", n);
	if (snapshot)
		*snapshot = s;
	return r;
}
