/* SPDX-License-Identifier: MIT */
/* The largest flows of a table, gathered a stretch of entries at a time; top.c. */
#ifndef BPEI_TOP_H
#define BPEI_TOP_H

#include "flow/flow.h"

struct bpei_top_item {
	uint64_t value;
	uint32_t entry, record;
};

struct bpei_top {
	struct bpe_flow *flows;     /* n records, by item.record */
	struct bpei_top_item *heap; /* `filled` of n items; the smallest at the root */
	size_t n, filled;
	enum bpe_order order;
	int64_t since_ns;       /* flows whose last packet is older are left out */
	uint32_t next;          /* entry that is looked at next */
	uint64_t alive, recent; /* flows passed; flows passed and not left out */
};

/* Starts a query for the n largest flows.  Returns BPE_OK or BPE_E_MEMORY. */
int bpei_top_init(struct bpei_top *top, enum bpe_order order, int64_t since_ns, size_t n);
void bpei_top_free(struct bpei_top *top);

/* Looks at the next entries, at most max_entries; making a record counts as several entries.
 * Returns true once all entries have been passed. */
bool bpei_top_scan(
	const struct bpei_table *table, struct bpei_top *top, uint32_t max_entries) BPEI_WORKER;

/* Copies the n largest flows of all tops, largest first, to records of so many bytes.  Returns the
 * number of flows, or BPE_E_MEMORY. */
int bpei_top_merge(const struct bpei_top *tops, uint32_t count, struct bpe_flow *flows,
	size_t bytes, size_t n);

#endif
