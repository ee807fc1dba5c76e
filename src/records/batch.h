/* SPDX-License-Identifier: MIT */
/* Columns in memory: a reader's batch, or the slots of a ring. */
#ifndef BPEI_BATCH_H
#define BPEI_BATCH_H

#include "arch/arch.h"
#include "bpfengine.h"

#include <stddef.h>

/* Columns of n elements each (a power of two), in one piece of zeroed memory.  0 or BPE_E_MEMORY.
 */
int bpei_columns_new(struct bpei_columns *columns, uint32_t n);
void bpei_columns_free(struct bpei_columns *columns, uint32_t n);

/* The count elements from `from` on, as a batch for the flow table and the handlers. */
static inline struct bpe_batch bpei_batch_view(
	const struct bpei_columns *c, uint32_t from, uint32_t count, uint32_t worker)
{
	return (struct bpe_batch){ .count = count,
		.worker = worker,
		.data = c->data + from,
		.time_ns = c->time_ns + from,
		.caplen = c->caplen + from,
		.wirelen = c->wirelen + from,
		.interface_id = c->interface_id + from,
		.layers = c->layers + from,
		.key = c->key + from,
		.hash = c->hash + from,
		.meta = c->meta + from };
}

/* What many ask about a batch. */
struct bpei_sums {
	uint64_t captured, wire;   /* bytes */
	int64_t least_ns, most_ns; /* of its times */
};
void bpei_batch_sum(
	const struct bpe_batch *batch, struct bpei_sums *sums); /* of at least one packet */

/* One packet from one place to another; the key only where there is one. */
static inline void bpei_columns_copy(
	const struct bpei_columns *to, uint32_t t, const struct bpei_columns *from, uint32_t f)
{
	to->data[t] = from->data[f];
	to->time_ns[t] = from->time_ns[f];
	to->caplen[t] = from->caplen[f];
	to->wirelen[t] = from->wirelen[f];
	to->interface_id[t] = from->interface_id[f];
	to->layers[t] = from->layers[f];
	to->hash[t] = from->hash[f];
	to->meta[t] = from->meta[f];
	if ((to->flow_kind[t] = from->flow_kind[f]))
		to->flow_ns[t] = from->flow_ns[f];
	if (from->layers[f].flags & BPE_PKT_KEY)
		to->key[t] = from->key[f];
}

#endif
