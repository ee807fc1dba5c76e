/* SPDX-License-Identifier: MIT */
/* The largest flows of a table, gathered a stretch at a time, so that a worker that is asked for
 * them goes on with its packets in between. Life: init -> scan by the table's owner until it says
 * that it is through -> flows in order -> free.  Invariant: the heap has the largest of the flows
 * passed, the least of them at its root; of two alike the one that lies first in the table is the
 * larger. A record is made when the scan passes its flow; what became of it later is not in it. */
#include "flow/top.h"

#include "flow/table.h"

#include <stdlib.h>

#define RECORD_LOOKS 8u /* making a record costs as much as looking at so many entries */

int bpei_top_init(struct bpei_top *top, enum bpe_order order, int64_t since_ns, size_t n)
{
	*top = (struct bpei_top){ .n = n, .order = order, .since_ns = since_ns };
	if (!n)
		return BPE_OK;
	top->flows = calloc(n, sizeof *top->flows);
	top->heap = calloc(n, sizeof *top->heap);
	if (top->flows && top->heap)
		return BPE_OK;
	bpei_top_free(top);
	return BPE_E_MEMORY;
}

void bpei_top_free(struct bpei_top *top)
{
	free(top->flows);
	free(top->heap);
	*top = (struct bpei_top){ .n = 0 };
}

static bool less(const struct bpei_top_item *a, const struct bpei_top_item *b)
{
	return a->value != b->value ? a->value < b->value : a->entry > b->entry;
}

/* Item i may be larger than those below it. */
static void sink(struct bpei_top *top, size_t i)
{
	const struct bpei_top_item item = top->heap[i];
	for (size_t child; (child = 2 * i + 1) < top->filled; i = child) {
		if (child + 1 < top->filled && less(&top->heap[child + 1], &top->heap[child]))
			child++;
		if (!less(&top->heap[child], &item))
			break;
		top->heap[i] = top->heap[child];
	}
	top->heap[i] = item;
}

/* False if it is not among the largest. */
static bool offer(struct bpei_top *top, struct bpei_top_item item, uint32_t *record)
{
	if (top->filled < top->n) {
		size_t i = top->filled++;
		*record = item.record = (uint32_t)i;
		for (; i && less(&item, &top->heap[(i - 1) / 2]); i = (i - 1) / 2)
			top->heap[i] = top->heap[(i - 1) / 2];
		top->heap[i] = item;
		return true;
	}
	if (!top->n || !less(&top->heap[0], &item))
		return false;
	*record = item.record = top->heap[0].record;
	top->heap[0] = item;
	sink(top, 0);
	return true;
}

static uint64_t value_of(const struct bpei_table *t, uint32_t i, enum bpe_order order)
{
	if (order == BPE_ORDER_PACKETS)
		return bpei_flow_packets(t, i, 0) + bpei_flow_packets(t, i, 1);
	return bpei_flow_wire(t, i, 0) + bpei_flow_wire(t, i, 1);
}

bool bpei_table_scan(const struct bpei_table *t, struct bpei_top *top, uint32_t looks)
{
	while (top->next < t->touched) {
		if (!looks)
			return false;
		looks--;
		uint32_t i = top->next, record;
		if (i % BPEI_COHORT == 0 && !t->cohorts[i / BPEI_COHORT].alive) {
			top->next += BPEI_COHORT;
			continue;
		}
		const struct bpei_entry *e = &t->entries[top->next++];
		if (!(bpei_entry_bits(e) & ENTRY_ALIVE))
			continue;
		top->alive++;
		if (e->last_ns < top->since_ns)
			continue;
		top->recent++;
		if (!offer(top,
			    (struct bpei_top_item){
				    .value = value_of(t, i, top->order), .entry = i },
			    &record))
			continue;
		bpei_entry_record(t, i, BPE_END_NONE, &top->flows[record]);
		looks = looks > RECORD_LOOKS ? looks - RECORD_LOOKS : 0;
	}
	return true;
}

/* ---- Several tables' together ---- */

struct ranked {
	uint64_t value;
	const struct bpe_flow *flow;
	uint32_t table, entry;
};

static int larger_first(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return a->table != b->table ? a->table < b->table ? -1 : 1 : a->entry < b->entry ? -1 : 1;
}

int bpei_top_merge(const struct bpei_top *tops, uint32_t count, struct bpe_flow *flows, size_t n)
{
	size_t all = 0;
	for (uint32_t k = 0; k < count; k++)
		all += tops[k].filled;
	if (!all)
		return 0;
	struct ranked *ranked = calloc(all, sizeof *ranked), *to = ranked;
	if (!ranked)
		return BPE_E_MEMORY;
	for (uint32_t k = 0; k < count; k++)
		for (size_t i = 0; i < tops[k].filled; i++) {
			const struct bpei_top_item *item = &tops[k].heap[i];
			*to++ = (struct ranked){ item->value, &tops[k].flows[item->record], k,
				item->entry };
		}
	qsort(ranked, all, sizeof *ranked, larger_first);
	if (all > n)
		all = n;
	for (size_t i = 0; i < all; i++)
		flows[i] = *ranked[i].flow;
	free(ranked);
	return (int)all;
}
