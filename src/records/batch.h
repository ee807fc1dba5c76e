/* SPDX-License-Identifier: MIT */
/* Columns in memory: a reader's batch, or the slots of a ring. */
#ifndef BPEI_BATCH_H
#define BPEI_BATCH_H

#include "arch/arch.h"
#include "bpfengine.h"

#include <stddef.h>

/* Allocates columns of n elements each (a power of two), in a single piece of zeroed memory.
 * Returns BPE_OK or BPE_E_MEMORY.  The caller frees them with bpei_columns_free and the same n. */
int bpei_columns_new(struct bpei_columns *columns, uint32_t n);
void bpei_columns_free(struct bpei_columns *columns, uint32_t n);

/* Returns count elements of the columns, from `from` on, as a batch for the flow table and the
 * handlers.  The batch points into the columns. */
static inline struct bpe_batch bpei_batch_view(
	const struct bpei_columns *c, uint32_t from, uint32_t count, uint32_t worker)
{
	struct bpe_batch batch = { .size = sizeof batch, .count = count, .worker = worker };

#define BPEI_COLUMN_VIEW(type, name, condition) batch.name = c->name + from;
	BPEI_PUBLIC_COLUMNS(BPEI_COLUMN_VIEW)
#undef BPEI_COLUMN_VIEW
	return batch;
}

/* Copies packet f of `from` to packet t of `to`.  A key and a flow time are copied only if the
 * packet has a key, or a time; `outgoing` is in the layers by then. */
static inline void bpei_columns_copy(
	const struct bpei_columns *to, uint32_t t, const struct bpei_columns *from, uint32_t f)
{
#define BPEI_COPY_ALWAYS true
#define BPEI_COPY_NEVER false
#define BPEI_COPY_IF_KEY (from->layers[f].flags & BPE_PKT_KEY)
#define BPEI_COPY_IF_TIMED (from->flow_kind[f])
#define BPEI_COLUMN_COPY(type, name, condition)                                                    \
	if (condition)                                                                             \
		to->name[t] = from->name[f];
	BPEI_COLUMNS(BPEI_COLUMN_COPY)
#undef BPEI_COLUMN_COPY
#undef BPEI_COPY_IF_TIMED
#undef BPEI_COPY_IF_KEY
#undef BPEI_COPY_NEVER
#undef BPEI_COPY_ALWAYS
}

/* Moves a packet, walked and not yet parsed, to another place of the columns. */
static inline void bpei_columns_move(const struct bpei_columns *c, uint32_t to, uint32_t from)
{
#define BPEI_COLUMN_MOVE(type, name, condition) c->name[to] = c->name[from];
	BPEI_WALKED_COLUMNS(BPEI_COLUMN_MOVE)
#undef BPEI_COLUMN_MOVE
	c->outgoing[to] = c->outgoing[from];
}

/* Sums over a batch. */
struct bpei_sums {
	uint64_t captured, wire;   /* bytes */
	int64_t least_ns, most_ns; /* the first and the last time */
};

/* Fills *sums from a batch with a packet or more. */
void bpei_batch_sum(const struct bpe_batch *batch, struct bpei_sums *sums);

#endif
