/* SPDX-License-Identifier: MIT */
/* The largest flows of a table, gathered a stretch at a time (top.c). */
#ifndef BPEI_TOP_H
#define BPEI_TOP_H

#include "flow/flow.h"

struct bpei_top_item {
	uint64_t value;
	uint32_t entry, record;
};

struct bpei_top {
	struct bpe_flow *flows;     /* n of them; by item.record */
	struct bpei_top_item *heap; /* `filled` of n; the least at the root */
	size_t n, filled;
	enum bpe_order order;
	int64_t since_ns;       /* flows whose last packet is older are left out */
	uint32_t next;          /* entry that is looked at next */
	uint64_t alive, recent; /* passed; of those, not left out */
};

int bpei_top_init(struct bpei_top *top, enum bpe_order order, int64_t since_ns,
	size_t n); /* BPE_OK or BPE_E_MEMORY */
void bpei_top_free(struct bpei_top *top);

/* Looks at the next entries, as many as `looks` allows.  True once it has passed them all. */
bool bpei_table_scan(
	const struct bpei_table *table, struct bpei_top *top, uint32_t looks) BPEI_WORKER;

/* The n largest of all tops, largest first.  Returns how many; BPE_E_MEMORY. */
int bpei_top_merge(const struct bpei_top *tops, uint32_t count, struct bpe_flow *flows, size_t n);

#endif
