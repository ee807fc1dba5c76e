/* SPDX-License-Identifier: MIT */
/* The latest flows that ended while the live view was open.  Any thread. */
#ifndef CLI_TOP_CLOSED_H
#define CLI_TOP_CLOSED_H

#include "bpfengine.h"

#include <pthread.h>
#include <stdbool.h>

/* A ring of records.  The mutex is held for the copy of a record, or of the whole ring. */
struct top_closed {
	pthread_mutex_t mutex;
	struct bpe_flow *flows; /* `room` of them */
	size_t room;
	uint64_t count; /* kept since the start; the latest `room` are there */
};

/* Returns false without memory. */
bool top_closed_init(struct top_closed *c, size_t room);
void top_closed_free(struct top_closed *c);
/* Keeps a copy of a flow that has ended; other records are ignored, also at the
 * end of the run. */
void top_closed_add(struct top_closed *c, const struct bpe_flow *flow);
/* Copies the flows into `to`, the latest first, and sets *all to the number since the start.
 * Returns the number of flows in `to`, which has `room`. */
size_t top_closed_copy(struct top_closed *c, struct bpe_flow *to, uint64_t *all);

#endif
