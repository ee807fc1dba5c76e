/* SPDX-License-Identifier: MIT */
/* Snapshots of all flows, for whoever asks: each worker shows its own, a few behind each batch.
 *
 * asked is the number of the latest question; a worker that has not answered it goes through its
 * table from the front, by entry numbers, which stay good for a flow's life: so each flow that is
 * alive all the while is shown once.  The mutex is for those who ask, and for a worker at its end,
 * when it answers what is open and closes the door; workers at work look at asked alone. fn and
 * user change only while no question is open; they are published with asked. */
#include "engine/engine.h"

#define BATCH_LOOKS 64u
#define IDLE_LOOKS 4096u

void bpei_show_init(struct bpei_shows *s)
{
	pthread_mutex_init(&s->mutex, NULL);
}
void bpei_show_free(struct bpei_shows *s)
{
	pthread_mutex_destroy(&s->mutex);
}

void bpei_show_begin(struct bpe_engine *e, bool runs)
{
	pthread_mutex_lock(&e->shows.mutex);
	e->shows.open = runs && e->workers[0].table;
	pthread_mutex_unlock(&e->shows.mutex);
}

static void to_record(void *worker, const struct bpe_flow *flow, uint32_t number) BPEI_UNCHECKED
{
	struct bpei_worker *w = worker;
	(void)number;
	bpei_counter_add(&w->flows_shown, 1);
	bpei_output_put(w, flow);
}

/* Goes on with what is asked, looking at so many entries at most.  True: there is more to do. */
static bool go_on(struct bpei_worker *w, uint32_t asked, uint32_t looks) BPEI_WORKER
{
	struct bpei_shows *s = &w->engine->shows;
	if (!bpei_table_show(
		    w->table, &w->show_from, looks, s->fn ? s->fn : to_record, s->fn ? s->user : w))
		return true;
	w->show_from = 0;
	w->show_seen = asked;
	if (s->fn)
		s->fn(s->user, NULL, w->number);
	/* pairs: bpei_engine_snapshot_flows */
	atomic_store_explicit(&w->show_done, asked, memory_order_release);
	return false;
}

static bool step(struct bpei_worker *w, uint32_t looks) BPEI_WORKER
{
	/* pairs: bpei_engine_snapshot_flows */
	uint32_t asked = atomic_load_explicit(&w->engine->shows.asked, memory_order_acquire);
	if (BPEI_LIKELY(asked == w->show_seen))
		return false;
	if (!w->engine->shows.fn) {
		uint32_t room = bpei_output_room(w);
		looks = looks < room ? looks : room;
		if (!looks)
			return false; /* there is, but not now */
	}
	return go_on(w, asked, looks);
}

void bpei_show_batch(struct bpei_worker *w)
{
	step(w, BATCH_LOOKS);
}
bool bpei_show_idle(struct bpei_worker *w)
{
	return step(w, IDLE_LOOKS);
}

bool bpei_show_waits(const struct bpei_worker *w)
{
	return atomic_load_explicit(&w->engine->shows.asked, memory_order_relaxed) != w->show_seen;
}

void bpei_show_finish(struct bpei_worker *w)
{
	struct bpei_shows *s = &w->engine->shows;
	pthread_mutex_lock(&s->mutex);
	s->open = false;
	pthread_mutex_unlock(&s->mutex);
	/* pairs: bpei_engine_snapshot_flows */
	uint32_t asked = atomic_load_explicit(&s->asked, memory_order_acquire);
	while (asked != w->show_seen && go_on(w, asked, IDLE_LOOKS))
		continue;
}

int bpei_engine_snapshot_flows(struct bpe_engine *e, bpe_flow_fn fn, void *user)
{
	struct bpei_shows *s = &e->shows;
	int r = BPE_OK;
	if (!fn && !e->options.on_record)
		return BPE_E_ARGUMENT;
	pthread_mutex_lock(&s->mutex);
	uint32_t asked = atomic_load_explicit(&s->asked, memory_order_relaxed);
	for (uint32_t k = 0; k < (e->plan.workers ? e->plan.workers : 1); k++)
		/* pairs: go_on */
		if (atomic_load_explicit(&e->workers[k].show_done, memory_order_acquire) != asked)
			r = BPE_E_BUSY;
	if (!s->open)
		r = BPE_E_STATE;
	if (r == BPE_OK) {
		s->fn = fn;
		s->user = user;
		/* pairs: step, bpei_show_finish */
		atomic_store_explicit(&s->asked, asked + 1, memory_order_release);
	}
	pthread_mutex_unlock(&s->mutex);
	return r;
}
