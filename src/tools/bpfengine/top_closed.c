/* SPDX-License-Identifier: MIT */
/* The latest flows that ended (top_closed.h).  The caller owns the state. */
#include "top_closed.h"

#include <stdlib.h>

bool top_closed_init(struct top_closed *c, size_t room)
{
	*c = (struct top_closed){ .room = room };
	c->flows = calloc(room, sizeof *c->flows);
	return c->flows && !pthread_mutex_init(&c->mutex, NULL);
}

void top_closed_free(struct top_closed *c)
{
	if (!c->flows)
		return;
	free(c->flows);
	c->flows = NULL;
	pthread_mutex_destroy(&c->mutex);
}

void top_closed_add(struct top_closed *c, const struct bpe_flow *flow)
{
	const bool has_ended = flow->end == BPE_END_CLOSED || flow->end == BPE_END_IDLE ||
			       flow->end == BPE_END_EVICTED;

	if (!has_ended)
		return;
	pthread_mutex_lock(&c->mutex);
	bpe_flow_copy(&c->flows[c->count++ % c->room], flow);
	pthread_mutex_unlock(&c->mutex);
}

size_t top_closed_copy(struct top_closed *c, struct bpe_flow *to, uint64_t *all)
{
	pthread_mutex_lock(&c->mutex);
	const size_t kept = c->count < c->room ? (size_t)c->count : c->room;
	for (size_t i = 0; i < kept; i++)
		to[i] = c->flows[(c->count - 1 - i) % c->room];
	*all = c->count;
	pthread_mutex_unlock(&c->mutex);
	return kept;
}
