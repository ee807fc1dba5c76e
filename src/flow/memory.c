/* SPDX-License-Identifier: MIT */
/* The flow table's memory: how much it may come to, reserved at the beginning, given back at the
 * end, and counted as far as it was touched. */
#include "flow/table.h"

#include "base/mem.h"

#include <stdlib.h>

_Static_assert(BPEI_HISTORY_BYTES == 90, "table.h");
#define MOST_FLOWS 0x7fffffe0u

static size_t cohorts_of(uint64_t max_flows)
{
	return (size_t)(max_flows / BPEI_COHORT) + 1;
}

size_t bpei_table_beside(const struct bpei_table_options *o)
{
	return (o->process ? sizeof(struct bpei_process) : 0) +
	       (o->lengths ? sizeof(struct bpei_lengths) : 0) +
	       (o->interface_ids || o->interface_indexes ? sizeof(uint32_t) : 0);
}

uint64_t bpei_table_most_bytes(uint64_t max_flows, size_t beside)
{
	const size_t each = sizeof(struct bpei_entry) + sizeof(struct bpei_detail) +
			    2 * sizeof(uint64_t) /* missed */
			    + sizeof(struct bpei_upper) + sizeof(struct bpei_via) + beside;
	return sizeof(struct bpei_table) + sizeof(struct bpei_shared) +
	       bpei_index_most_bytes(max_flows) + bpei_history_most_bytes(max_flows) +
	       bpei_extras_size(max_flows) * sizeof(struct bpei_extra) +
	       bpei_knowns_bytes(max_flows) + bpei_siblings_bytes(max_flows) +
	       (max_flows + 1) * each + cohorts_of(max_flows) * sizeof(struct bpei_cohort);
}

/* The most flows that fit. */
static uint64_t fitting(uint64_t max_flows, uint64_t max_bytes, size_t beside)
{
	uint64_t low = 0, high = max_flows;
	if (!max_bytes)
		return max_flows;
	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;
		if (bpei_table_most_bytes(middle, beside) <= max_bytes)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

int bpei_table_new(const struct bpei_table_options *options, struct bpei_table **table)
{
	struct bpei_table *t = calloc(1, sizeof *t);
	if (!t)
		return BPE_E_MEMORY;
	t->options = *options;
	uint64_t n = options->max_flows < MOST_FLOWS ? options->max_flows : MOST_FLOWS;
	t->options.max_flows = n = fitting(n, options->max_bytes, bpei_table_beside(options));
	t->free = BPEI_NO_FLOW;
	t->active_ns = options->active_ns > 0 ? options->active_ns : INT64_MAX;
	bpei_age_init(t);
	t->entries = bpei_mem_map((n + 1) * sizeof *t->entries, 1);
	t->shared = bpei_mem_map(sizeof *t->shared, 0);
	t->details = bpei_mem_map((n + 1) * sizeof *t->details, 1);
	t->cohorts = bpei_mem_map(cohorts_of(n) * sizeof *t->cohorts, 0);
	t->extras_size = bpei_extras_size(n);
	t->extras_key = bpei_extras_key(options->seed);
	t->extras = bpei_mem_map(t->extras_size * sizeof *t->extras, 0);
	t->missed = bpei_mem_map((n + 1) * sizeof *t->missed, 0);
	t->uppers = bpei_mem_map((n + 1) * sizeof *t->uppers, 0);
	t->vias = bpei_mem_map((n + 1) * sizeof *t->vias, 0);
	if (options->process)
		t->processes = bpei_mem_map((n + 1) * sizeof *t->processes, 0);
	if (options->lengths)
		t->lengths = bpei_mem_map((n + 1) * sizeof *t->lengths, 0);
	const bool interfaces = options->interface_ids || options->interface_indexes;
	if (interfaces)
		t->interfaces = bpei_mem_map((n + 1) * sizeof *t->interfaces, 0);
	for (uint32_t k = 0; t->shared && k <= BPEI_ROUNDS; k++)
		t->shared->round[k][0].ns = t->shared->round[k][1].ns = INT64_MIN;
	const bool parts = bpei_index_init(t) >= 0 && bpei_history_init(&t->history, n) >= 0 &&
			   bpei_knowns_init(t) >= 0 && bpei_siblings_init(t) >= 0;
	if (!parts || !t->vias || !t->entries || !t->details || !t->shared || !t->cohorts ||
		!t->extras || !t->missed || !t->uppers || (options->process && !t->processes) ||
		(options->lengths && !t->lengths) || (interfaces && !t->interfaces)) {
		bpei_table_free(t);
		return BPE_E_MEMORY;
	}
	t->entries[n].key[4] = BPEI_NO_KEY;
	t->entries[n].sums[1] = (uint64_t)ENTRY_WEAK
				<< SUMS_MARKS; /* for who looks at it counts slowly */
	bpei_table_count_bytes(t);
	*table = t;
	return BPE_OK;
}

void bpei_table_free(struct bpei_table *t)
{
	if (!t)
		return;
	uint64_t n = t->options.max_flows;
	bpei_index_free(t);
	bpei_history_free(&t->history);
	bpei_knowns_free(t);
	bpei_siblings_free(t);
	bpei_mem_unmap(t->vias, (n + 1) * sizeof *t->vias);
	bpei_mem_unmap(t->entries, (n + 1) * sizeof *t->entries);
	bpei_mem_unmap(t->shared, sizeof *t->shared);
	bpei_mem_unmap(t->details, (n + 1) * sizeof *t->details);
	bpei_mem_unmap(t->cohorts, cohorts_of(n) * sizeof *t->cohorts);
	bpei_mem_unmap(t->extras, t->extras_size * sizeof *t->extras);
	bpei_mem_unmap(t->missed, (n + 1) * sizeof *t->missed);
	bpei_mem_unmap(t->uppers, (n + 1) * sizeof *t->uppers);
	bpei_mem_unmap(t->processes, (n + 1) * sizeof *t->processes);
	bpei_mem_unmap(t->lengths, (n + 1) * sizeof *t->lengths);
	bpei_mem_unmap(t->interfaces, (n + 1) * sizeof *t->interfaces);
	free(t);
}

void bpei_table_count_bytes(struct bpei_table *t)
{
	uint64_t each = sizeof(struct bpei_entry) + sizeof(struct bpei_detail) +
			(t->any_missed ? sizeof *t->missed : 0) +
			(t->any_upper ? sizeof *t->uppers : 0) +
			(t->any_via ? sizeof *t->vias : 0) + bpei_table_beside(&t->options);
	const uint64_t buckets = t->index.mask + 1ull + (t->old.buckets ? t->old.mask + 1ull : 0);
	bpei_counter_set(&t->counts.bytes,
		sizeof *t + sizeof *t->shared + (uint64_t)t->knowns_touched * sizeof *t->knowns +
			(uint64_t)t->siblings_used * sizeof *t->siblings +
			buckets * sizeof(struct bpei_bucket) + t->touched * each +
			t->history.used * BPEI_HISTORY_BYTES +
			t->extras_size * sizeof(struct bpei_extra) +
			cohorts_of(t->touched) * sizeof(struct bpei_cohort));
}
