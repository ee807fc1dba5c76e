/* SPDX-License-Identifier: MIT */
/* Another filter while the engine runs.  The device is the reader's, so a change is handed to it:
 * one at a time, by whoever asks, who waits for the answer.  The reader looks for one wherever it
 * may stay long (reader.c): before each block, and while it waits for a free one or for a ring's
 * room, so that a worker's handler that asks is answered, too.  Asked by a handler on the reader's
 * own thread, and before the start, the change is made at once.  The reader's last word is that
 * there are no more. */
#include "engine/engine.h"

#include "base/error.h"
#include "filter/filter.h"
#include "filter/kernel.h"

#include <stdlib.h>

static _Thread_local const struct bpe_engine *reads; /* this thread is that engine's reader */

static int make(struct bpe_engine *e, const struct bpei_change *c, struct bpe_error *error)
{
	if (c->expression)
		return bpei_device_set_expression(
			e->device, c->expression, e->options.filter_through, c->filter, error);
	return bpei_device_set_filter(e->device, c->filter->program, c->filter->length, error);
}

void bpei_change_init(struct bpei_changes *c)
{
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->moved, NULL);
}

void bpei_change_free(struct bpei_changes *c)
{
	pthread_cond_destroy(&c->moved);
	pthread_mutex_destroy(&c->mutex);
}

void bpei_change_begin(struct bpe_engine *e, bool runs)
{
	pthread_mutex_lock(&e->changes.mutex);
	e->changes.state = runs ? BPEI_CHANGES_READER : BPEI_CHANGES_DIRECT;
	pthread_mutex_unlock(&e->changes.mutex);
}

void bpei_change_reader(const struct bpe_engine *e)
{
	reads = e;
}

void bpei_change_serve(struct bpe_engine *e, bool last)
{
	struct bpei_changes *c = &e->changes;
	/* pairs: bpei_change_ask */
	if (!last && !atomic_load_explicit(&c->asked, memory_order_acquire))
		return;
	pthread_mutex_lock(&c->mutex);
	if (last)
		c->state = BPEI_CHANGES_OVER;
	if (c->now && !c->now->answered) {
		c->now->result = last ? bpei_fail(c->now->error, BPE_E_STATE, "filter", 0,
						"the run has ended")
				      : make(e, c->now, c->now->error);
		c->now->answered = true;
	}
	atomic_store_explicit(&c->asked, 0, memory_order_relaxed);
	pthread_cond_broadcast(&c->moved);
	pthread_mutex_unlock(&c->mutex);
}

int bpei_change_ask(struct bpe_engine *e, const char *expression, const struct bpei_filter *filter,
	struct bpe_error *error)
{
	struct bpei_changes *c = &e->changes;
	struct bpei_change mine = { .expression = expression, .filter = filter, .error = error };
	pthread_mutex_lock(&c->mutex);
	const uint64_t turn =
		reads == e || c->state != BPEI_CHANGES_READER ? c->turn : c->last_turn++;
	while (c->turn < turn && c->state == BPEI_CHANGES_READER)
		pthread_cond_wait(&c->moved, &c->mutex);
	if (c->state == BPEI_CHANGES_OVER) {
		mine.result = bpei_fail(error, BPE_E_STATE, "filter", 0, "the run has ended");
	} else if (c->state == BPEI_CHANGES_DIRECT || reads == e) {
		mine.result = make(e, &mine, error);
	} else {
		c->now = &mine;
		/* pairs: bpei_change_serve */
		atomic_store_explicit(&c->asked, 1, memory_order_release);
		e->device->ops->wake(e->device);
		while (!mine.answered)
			pthread_cond_wait(&c->moved, &c->mutex);
		c->now = NULL;
		c->turn++;
		pthread_cond_broadcast(&c->moved);
	}
	pthread_mutex_unlock(&c->mutex);
	return mine.result;
}
