/* SPDX-License-Identifier: MIT */
/* The protocol between askers and the engine's threads; query.h describes roles and locking.
 *
 * Life of a query: started (number is raised) -> learnt by each answerer under the mutex -> steps
 * without the mutex -> reported under the mutex -> over when pending is 0.  The
 * mutex orders memory between asker and answerer, so number needs no order of its own.
 * Invariant: pending counts the answerers that served when the query was started and have not
 * reported; each of them reports exactly once, at the latest when leaving the desk. */
#include "engine/query.h"

#include "device/device.h"

#define NO_LIMIT UINT32_MAX

static _Thread_local struct bpe_engine *own_engine;
static _Thread_local bool own_reader;

void bpei_query_thread(struct bpe_engine *engine, bool reader)
{
	own_engine = engine;
	own_reader = reader;
}

struct bpe_engine *bpei_query_own_engine(void)
{
	return own_engine;
}

bool bpei_query_is_own_thread(const struct bpe_engine *engine)
{
	return own_engine == engine;
}

bool bpei_query_is_reader(const struct bpe_engine *engine)
{
	return own_engine == engine && own_reader;
}

void bpei_query_desk_init(struct bpei_query_desk *desk)
{
	pthread_mutex_init(&desk->mutex, NULL);
	pthread_cond_init(&desk->cond, NULL);
}

void bpei_query_desk_free(struct bpei_query_desk *desk)
{
	pthread_cond_destroy(&desk->cond);
	pthread_mutex_destroy(&desk->mutex);
}

void bpei_query_join(
	struct bpei_query_desk *desk, struct bpei_answerer *answerer, void *self, bool may_block)
{
	answerer->desk = desk;
	answerer->self = self;
	answerer->may_block = may_block;
	desk->answerers[desk->count++] = answerer;
}

void bpei_query_open(struct bpei_query_desk *desk, bool open)
{
	pthread_mutex_lock(&desk->mutex);
	desk->open = open;
	pthread_mutex_unlock(&desk->mutex);
}

void bpei_query_begin(struct bpei_query_desk *desk)
{
	pthread_mutex_lock(&desk->mutex);
	for (uint32_t k = 0; k < desk->count; k++)
		desk->answerers[k]->state = BPEI_ANSWERER_SERVES;
	pthread_mutex_unlock(&desk->mutex);
}

/* ---- The answerer's thread ---- */

/* Locks the desk.  Returns false if the thread may not block and the mutex is taken.
 * Unchecked, like both callers: FreeBSD's headers cannot follow a lock held on one path only. */
static bool lock_query_desk(struct bpei_query_desk *desk, bool may_block) BPEI_UNCHECKED
{
	if (!may_block)
		return !pthread_mutex_trylock(&desk->mutex);
	pthread_mutex_lock(&desk->mutex);
	return true;
}

/* Learns the query at hand.  Returns false if the mutex is taken. */
static bool learn_query(struct bpei_answerer *a, bool may_block) BPEI_UNCHECKED
{
	if (!lock_query_desk(a->desk, may_block))
		return false;
	a->query = a->desk->query;
	a->position = 0;
	a->finished = false;
	pthread_mutex_unlock(&a->desk->mutex);
	return true;
}

/* Reports the answerer's part as finished.  Returns false if the mutex is taken. */
static bool report_query(struct bpei_answerer *a, bool may_block) BPEI_UNCHECKED
{
	struct bpei_query_desk *desk = a->desk;

	if (!lock_query_desk(desk, may_block))
		return false;
	a->query = NULL;
	a->answered = atomic_load_explicit(&desk->number, memory_order_relaxed);
	if (!--desk->pending)
		pthread_cond_broadcast(&desk->cond);
	pthread_mutex_unlock(&desk->mutex);
	return true;
}

/* Learns, works and reports, as far as the budget and the mutex allow. */
static enum bpei_progress serve_query(struct bpei_answerer *a, uint32_t budget, bool may_block)
{
	if (!a->query && !learn_query(a, may_block))
		return BPEI_QUERY_MORE;
	if (!a->finished) {
		const enum bpei_progress progress = a->query->step(a->query, a, budget);

		if (progress != BPEI_QUERY_DONE)
			return progress;
		a->finished = true;
	}
	return report_query(a, may_block) ? BPEI_QUERY_DONE : BPEI_QUERY_MORE;
}

enum bpei_progress bpei_query_serve(struct bpei_answerer *a, uint32_t budget)
{
	return serve_query(a, budget, a->may_block);
}

void bpei_query_finish(struct bpei_answerer *a)
{
	while (bpei_query_waits(a) && serve_query(a, NO_LIMIT, true) != BPEI_QUERY_DONE)
		continue;
}

void bpei_query_leave(struct bpei_answerer *a, enum bpei_answerer_state state)
{
	struct bpei_query_desk *desk = a->desk;

	pthread_mutex_lock(&desk->mutex);
	const bool waits = a->state == BPEI_ANSWERER_SERVES && bpei_query_waits(a);
	a->state = state;
	pthread_mutex_unlock(&desk->mutex);
	/* No other thread runs this answerer's steps before the query is over. */
	if (waits)
		bpei_query_finish(a);
}

/* ---- The asker ---- */

/* Runs the steps of an answerer whose thread does not serve; the mutex is held. */
static void answer_instead(struct bpei_query *query, struct bpei_answerer *a)
{
	a->position = 0;
	while (query->step(query, a, NO_LIMIT) != BPEI_QUERY_DONE)
		continue;
	a->answered = atomic_load_explicit(&a->desk->number, memory_order_relaxed);
}

void bpei_query_start(struct bpei_query_desk *desk, struct bpei_query *query)
{
	desk->pending = 0;
	for (uint32_t k = 0; k < desk->count; k++)
		desk->pending += desk->answerers[k]->state == BPEI_ANSWERER_SERVES;
	if (!desk->pending)
		return;
	desk->query = query;
	atomic_store_explicit(&desk->number,
		atomic_load_explicit(&desk->number, memory_order_relaxed) + 1,
		memory_order_relaxed);
	if (desk->device)
		desk->device->ops->wake(desk->device);
}

void bpei_query_ask(struct bpei_query_desk *desk, struct bpei_query *query)
{
	pthread_mutex_lock(&desk->mutex);
	bpei_tickets_take(&desk->tickets, &desk->mutex, &desk->cond);
	bpei_query_start(desk, query);
	for (uint32_t k = 0; k < desk->count; k++)
		if (desk->answerers[k]->state != BPEI_ANSWERER_SERVES)
			answer_instead(query, desk->answerers[k]);
	while (desk->pending)
		pthread_cond_wait(&desk->cond, &desk->mutex);
	bpei_tickets_pass(&desk->tickets, &desk->cond);
	pthread_mutex_unlock(&desk->mutex);
}
