/* SPDX-License-Identifier: MIT */
/* The largest flows of a table, gathered a stretch at a time, so that a worker handles packets in
 * between.
 *
 * Life: init -> scan by the table's owner until the scan is through -> merge -> free.  Invariant:
 * the heap has the largest of the flows passed, the smallest of them at the root; of two equal
 * flows, the flow that lies first in the table is the larger.  A record is made when the scan
 * passes the flow; later packets of the flow are not in the record. */
#include "flow/top.h"

#include "base/sized.h"

#include "flow/table.h"

#include <stdlib.h>

/* Entries looked at in the time of making a record. */
#define RECORD_COST 8u

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

/* Returns true if item a is the smaller. */
static bool is_item_less(const struct bpei_top_item *a, const struct bpei_top_item *b)
{
	return a->value != b->value ? a->value < b->value : a->entry > b->entry;
}

/* Restores the heap after the item at the root has been replaced. */
static void sift_root_down(struct bpei_top *top)
{
	const struct bpei_top_item item = top->heap[0];
	size_t at = 0;
	size_t child;

	while ((child = 2 * at + 1) < top->filled) {
		if (child + 1 < top->filled &&
			is_item_less(&top->heap[child + 1], &top->heap[child]))
			child++;
		if (!is_item_less(&top->heap[child], &item))
			break;
		top->heap[at] = top->heap[child];
		at = child;
	}
	top->heap[at] = item;
}

/* Adds an item to a heap that is not full, with the next record. */
static void append_item(struct bpei_top *top, struct bpei_top_item item)
{
	size_t at = top->filled++;

	item.record = (uint32_t)at;
	for (; at && is_item_less(&item, &top->heap[(at - 1) / 2]); at = (at - 1) / 2)
		top->heap[at] = top->heap[(at - 1) / 2];
	top->heap[at] = item;
}

/* Keeps an item if the item is among the largest.  Returns true, and the number of the record to be
 * filled; false if the item is too small. */
static bool offer_item(struct bpei_top *top, struct bpei_top_item item, uint32_t *record)
{
	if (top->filled < top->n) {
		*record = (uint32_t)top->filled;
		append_item(top, item);
		return true;
	}
	if (!top->n || !is_item_less(&top->heap[0], &item))
		return false;
	item.record = top->heap[0].record;
	*record = item.record;
	top->heap[0] = item;
	sift_root_down(top);
	return true;
}

/* Returns the packets or bytes of a flow. */
static uint64_t value_of_flow(const struct bpei_table *t, uint32_t i, enum bpe_order order)
{
	if (order == BPE_ORDER_PACKETS)
		return bpei_flow_packets(t, i, 0) + bpei_flow_packets(t, i, 1);
	return bpei_flow_bytes(t, i, 0) + bpei_flow_bytes(t, i, 1);
}

/* Looks at one entry.  Returns true if a record was made. */
static bool scan_entry(const struct bpei_table *t, struct bpei_top *top, uint32_t i)
{
	const struct bpei_entry *const e = &t->entries[i];
	uint32_t record;

	if (!(bpei_entry_flags(e) & FLAG_ALIVE))
		return false;
	top->alive++;
	if (e->last_ns < top->since_ns)
		return false;
	top->recent++;
	const struct bpei_top_item item = { .value = value_of_flow(t, i, top->order), .entry = i };
	if (!offer_item(top, item, &record))
		return false;
	bpei_entry_record(t, i, BPE_END_NONE, &top->flows[record]);
	return true;
}

bool bpei_top_scan(const struct bpei_table *t, struct bpei_top *top, uint32_t max_entries)
{
	while (top->next < t->touched) {
		const uint32_t i = top->next;

		if (!max_entries)
			return false;
		max_entries--;
		if (i % BPEI_COHORT == 0 && !t->cohorts[i / BPEI_COHORT].alive) {
			top->next += BPEI_COHORT;
			continue;
		}
		top->next++;
		if (scan_entry(t, top, i))
			max_entries = max_entries > RECORD_COST ? max_entries - RECORD_COST : 0;
	}
	return true;
}

/* ---- Several tables together ---- */

struct ranked_flow {
	uint64_t value;
	const struct bpe_flow *flow;
	uint32_t table, entry;
};

/* Compares for an order by value, largest first, then by table and entry. */
static int compare_ranked_flows(const void *x, const void *y)
{
	const struct ranked_flow *const a = x;
	const struct ranked_flow *const b = y;

	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	return a->entry < b->entry ? -1 : 1;
}

int bpei_top_merge(
	const struct bpei_top *tops, uint32_t count, struct bpe_flow *flows, size_t bytes, size_t n)
{
	size_t all = 0;

	for (uint32_t k = 0; k < count; k++)
		all += tops[k].filled;
	if (!all)
		return 0;
	struct ranked_flow *const ranked = calloc(all, sizeof *ranked);
	struct ranked_flow *to = ranked;
	if (!ranked)
		return BPE_E_MEMORY;
	for (uint32_t k = 0; k < count; k++)
		for (size_t i = 0; i < tops[k].filled; i++) {
			const struct bpei_top_item *const item = &tops[k].heap[i];

			*to++ = (struct ranked_flow){ item->value, &tops[k].flows[item->record], k,
				item->entry };
		}
	qsort(ranked, all, sizeof *ranked, compare_ranked_flows);
	if (all > n)
		all = n;
	for (size_t i = 0; i < all; i++)
		bpei_flow_give((char *)flows + i * bytes, bytes, ranked[i].flow);
	free(ranked);
	return (int)all;
}
