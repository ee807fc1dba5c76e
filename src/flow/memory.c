/* SPDX-License-Identifier: MIT */
/* The table's memory: the most memory of a table, reserved at the start, given back at the end,
 * and counted as far as touched. */
#include "flow/anomalies.h"
#include "flow/batch.h"
#include "flow/cutoff.h"
#include "flow/rtt.h"
#include "flow/tunnels.h"

#include "base/mem.h"

#include <stdlib.h>

_Static_assert(BPEI_HISTORY_BYTES == 90, "head comment of table.h");
#define FLOWS_LIMIT 0x7fffffe0u

/* Returns the number of cohorts of so many entries. */
static size_t cohorts_of_flows(uint64_t max_flows)
{
	return (size_t)(max_flows / BPEI_COHORT) + 1;
}

size_t bpei_table_optional_bytes(const struct bpei_table_options *o)
{
	size_t bytes = 0;

	if (o->process)
		bytes += sizeof(struct bpei_process);
	if (o->owners)
		bytes += sizeof(struct bpei_flow_owner);
	if (o->lengths)
		bytes += sizeof(struct bpei_lengths);
	if (o->cutoff)
		bytes += sizeof(struct bpei_cutoff);
	if (o->interface_ids || o->interface_indexes)
		bytes += sizeof(uint32_t);
	if (bpei_live_has_updates(o))
		bytes += sizeof(struct bpei_flow_update);
	if (o->id_hooks)
		bytes += sizeof(uint32_t);
	return bytes;
}

uint64_t bpei_table_max_bytes(uint64_t max_flows, size_t optional)
{
	const size_t missed = 2 * sizeof(uint64_t);
	const size_t each = sizeof(struct bpei_entry) + sizeof(struct bpei_flow_cold) + missed +
			    sizeof(struct bpei_flow_overflow) + sizeof(struct bpei_flow_tunnel) +
			    optional;

	return sizeof(struct bpei_table) + sizeof(struct bpei_tcp_scratch) +
	       bpei_index_max_bytes(max_flows) + bpei_history_max_bytes(max_flows) +
	       bpei_anomalies_size(max_flows) * sizeof(struct bpei_tcp_anomalies) +
	       bpei_tunnels_bytes(max_flows) + bpei_siblings_bytes(max_flows) +
	       (max_flows + 1) * each + cohorts_of_flows(max_flows) * sizeof(struct bpei_cohort);
}

uint64_t bpei_table_room(uint64_t max_flows, uint64_t max_bytes, size_t optional)
{
	uint64_t low = 0;
	uint64_t high = max_flows;

	if (!max_bytes)
		return max_flows;
	while (low < high) {
		const uint64_t middle = low + (high - low + 1) / 2;

		if (bpei_table_max_bytes(middle, optional) <= max_bytes)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Reserves the arrays with an element for each entry.  Returns false without memory. */
static bool reserve_entry_arrays(struct bpei_table *t, uint64_t elements)
{
	const struct bpei_table_options *const o = &t->options;
	const bool has_interfaces = o->interface_ids || o->interface_indexes;
	const bool has_updates = bpei_live_has_updates(o);

	t->entries = bpei_mem_map(elements * sizeof *t->entries, 1);
	t->cold = bpei_mem_map(elements * sizeof *t->cold, 1);
	t->missed = bpei_mem_map(elements * sizeof *t->missed, 0);
	t->overflow = bpei_mem_map(elements * sizeof *t->overflow, 0);
	t->flow_tunnels = bpei_mem_map(elements * sizeof *t->flow_tunnels, 0);
	if (o->process)
		t->processes = bpei_mem_map(elements * sizeof *t->processes, 0);
	if (o->owners)
		t->owners = bpei_mem_map(elements * sizeof *t->owners, 0);
	if (o->lengths)
		t->lengths = bpei_mem_map(elements * sizeof *t->lengths, 0);
	if (o->cutoff)
		t->cutoffs = bpei_mem_map(elements * sizeof *t->cutoffs, 0);
	t->counts_more = t->lengths || t->cutoffs;
	if (has_interfaces)
		t->interfaces = bpei_mem_map(elements * sizeof *t->interfaces, 0);
	if (has_updates)
		t->updates = bpei_mem_map(elements * sizeof *t->updates, 0);
	if (o->id_hooks)
		t->ids = bpei_mem_map(elements * sizeof *t->ids, 0);
	if (!t->entries || !t->cold || !t->missed || !t->overflow || !t->flow_tunnels)
		return false;
	if ((!t->updates && has_updates) || (!t->ids && o->id_hooks) || (!t->owners && o->owners))
		return false;
	return (t->processes || !o->process) && (t->lengths || !o->lengths) &&
	       (t->interfaces || !has_interfaces) && (t->cutoffs || !o->cutoff);
}

/* Reserves cohorts and the parts shared by flows.  Returns false without memory. */
static bool reserve_shared_parts(struct bpei_table *t, uint64_t max_flows)
{
	t->cohorts = bpei_mem_map(cohorts_of_flows(max_flows) * sizeof *t->cohorts, 0);
	t->anomalies_size = bpei_anomalies_size(max_flows);
	t->anomalies_key = bpei_anomalies_key(t->options.seed);
	t->anomalies = bpei_mem_map(t->anomalies_size * sizeof *t->anomalies, 0);
	t->scratch = bpei_mem_map(sizeof *t->scratch, 0);
	if (!t->cohorts || !t->anomalies || !t->scratch)
		return false;
	for (uint32_t k = 0; k <= BPEI_RTT_SLOTS; k++) {
		t->scratch->rtt[k][0].ns = INT64_MIN;
		t->scratch->rtt[k][1].ns = INT64_MIN;
	}
	return bpei_index_init(t) >= 0 && bpei_history_init(&t->history, max_flows) >= 0 &&
	       bpei_tunnels_init(t) >= 0 && bpei_siblings_init(t) >= 0;
}

int bpei_table_new(const struct bpei_table_options *options, struct bpei_table **table)
{
	struct bpei_table *const t = calloc(1, sizeof *t);
	uint64_t n = options->max_flows < FLOWS_LIMIT ? options->max_flows : FLOWS_LIMIT;

	if (!t)
		return BPE_E_MEMORY;
	n = bpei_table_room(n, options->max_bytes, bpei_table_optional_bytes(options));
	t->options = *options;
	t->options.max_flows = n;
	t->free = BPEI_NO_FLOW;
	t->evictable_cohort = UINT32_MAX; /* the first is the next */
	t->active_ns = options->active_ns > 0 ? options->active_ns : INT64_MAX;
	bpei_wheel_init(t);
	bpei_live_init(t);
	const bool has_entries = reserve_entry_arrays(t, n + 1);
	if (!reserve_shared_parts(t, n) || !has_entries) {
		bpei_table_free(t);
		return BPE_E_MEMORY;
	}
	/* The entry after the last matches no key, and sends packets to the slow path. */
	t->entries[n].key[4] = BPEI_NO_KEY;
	t->entries[n].packed[1] = (uint64_t)FLAG_EVICTABLE << PACKED_STATE_SHIFT;
	bpei_table_count_memory(t);
	*table = t;
	return BPE_OK;
}

void bpei_table_free(struct bpei_table *t)
{
	if (!t)
		return;
	const uint64_t n = t->options.max_flows;
	bpei_index_free(t);
	bpei_history_free(&t->history);
	bpei_tunnels_free(t);
	bpei_siblings_free(t);
	bpei_mem_unmap(t->flow_tunnels, (n + 1) * sizeof *t->flow_tunnels);
	bpei_mem_unmap(t->entries, (n + 1) * sizeof *t->entries);
	bpei_mem_unmap(t->scratch, sizeof *t->scratch);
	bpei_mem_unmap(t->cold, (n + 1) * sizeof *t->cold);
	bpei_mem_unmap(t->cohorts, cohorts_of_flows(n) * sizeof *t->cohorts);
	bpei_mem_unmap(t->anomalies, t->anomalies_size * sizeof *t->anomalies);
	bpei_mem_unmap(t->missed, (n + 1) * sizeof *t->missed);
	bpei_mem_unmap(t->overflow, (n + 1) * sizeof *t->overflow);
	bpei_mem_unmap(t->processes, (n + 1) * sizeof *t->processes);
	bpei_mem_unmap(t->owners, (n + 1) * sizeof *t->owners);
	bpei_mem_unmap(t->lengths, (n + 1) * sizeof *t->lengths);
	bpei_mem_unmap(t->cutoffs, (n + 1) * sizeof *t->cutoffs);
	bpei_mem_unmap(t->interfaces, (n + 1) * sizeof *t->interfaces);
	bpei_mem_unmap(t->updates, (n + 1) * sizeof *t->updates);
	bpei_mem_unmap(t->ids, (n + 1) * sizeof *t->ids);
	free(t->closing);
	free(t);
}

uint32_t *bpei_table_ids(struct bpei_table *t, uint64_t *count)
{
	*count = t->options.max_flows + 1;
	return t->ids;
}

/* Returns the bytes of an entry in all touched arrays. */
static uint64_t touched_bytes_of_entry(const struct bpei_table *t)
{
	uint64_t bytes = sizeof *t->entries + sizeof *t->cold;

	if (t->any_missed)
		bytes += sizeof *t->missed;
	if (t->any_overflow)
		bytes += sizeof *t->overflow;
	if (t->any_tunnel)
		bytes += sizeof *t->flow_tunnels;
	return bytes + bpei_table_optional_bytes(&t->options);
}

void bpei_table_count_memory(struct bpei_table *t)
{
	uint64_t buckets = t->index.mask + 1ull;

	if (t->old.buckets)
		buckets += t->old.mask + 1ull;
	t->bytes_are_stale = false;
	bpei_counter_set(&t->counts.bytes,
		sizeof *t + sizeof *t->scratch + (uint64_t)t->tunnels_touched * sizeof *t->tunnels +
			(uint64_t)t->siblings_used * sizeof *t->siblings +
			buckets * sizeof(struct bpei_bucket) +
			t->touched * touched_bytes_of_entry(t) +
			t->history.used * BPEI_HISTORY_BYTES +
			t->anomalies_size * sizeof *t->anomalies +
			cohorts_of_flows(t->touched) * sizeof(struct bpei_cohort));
}
