/* SPDX-License-Identifier: MIT */
/* The life of an entry: insert, report, end, evict.  table.c opens entries.
 *
 * Only this file ends a flow; index and wheel return the entries that have to go.  Hazard: an end
 * runs the user's handler, and frees the entry. */
#include "flow/anomalies.h"
#include "flow/cutoff.h"
#include "flow/tunnels.h"

#include "base/cacheline.h"

void bpei_entry_report(struct bpei_table *t, uint32_t i, enum bpe_flow_end why)
{
	struct bpe_flow record;

	if (!t->options.on_end)
		return;
	bpei_entry_record(t, i, why, &record);
	t->options.on_end(t->options.user, &record);
}

void bpei_entry_end(struct bpei_table *t, uint32_t i, enum bpe_flow_end why)
{
	struct bpei_entry *const e = &t->entries[i];
	struct bpei_cohort *const cohort = &t->cohorts[i / BPEI_COHORT];

	bpei_index_remove(t, t->cold[i].hash, i);
	bpei_counter_set(&t->counts.active, bpei_counter_get(&t->counts.active) - 1);
	bpei_counter_add(why == BPE_END_EVICTED ? &t->counts.evicted : &t->counts.ended, 1);
	if (t->ids && t->ids[i])
		t->options.id_hooks->close(t->options.id_user, i);
	bpei_entry_report(t, i, why);
	if (t->ids && t->ids[i])
		t->options.id_hooks->drop(t->options.id_user, i);
	bpei_anomalies_drop(t, i);
	if (BPEI_UNLIKELY(bpei_entry_state(e) & STATE_TUNNEL))
		bpei_flow_tunnel_drop(t, i);
	if (bpei_entry_flags(e) & FLAG_EVICTABLE) {
		t->evictable--;
		cohort->evictable--;
	}
	if (!--cohort->alive)
		bpei_cohort_unschedule(t, i / BPEI_COHORT);
	e->packed[1] = 0;
	e->key[4] = BPEI_NO_KEY;
	e->key[0] = t->free;
	t->free = i;
}

/* Returns the reason for which the entry is evicted. */
static enum bpe_evicted reason_of_eviction(const struct bpei_entry *e, bool collision)
{
	const uint8_t tcp_state = bpei_entry_tcp_state(e);

	if (collision)
		return BPE_EVICTED_COLLISION;
	if (!(bpei_entry_flags(e) & FLAG_EVICTABLE))
		return BPE_EVICTED_ALIVE;
	if (tcp_state >= BPE_TCP_CLOSED)
		return BPE_EVICTED_CLOSED;
	return tcp_state ? BPE_EVICTED_HALF_OPEN : BPE_EVICTED_SINGLE;
}

void bpei_entry_evict(struct bpei_table *t, uint32_t i, bool collision)
{
	const enum bpe_evicted reason = reason_of_eviction(&t->entries[i], collision);

	bpei_counter_add(&t->counts.evicted_by[reason], 1);
	bpei_entry_end(t, i, BPE_END_EVICTED);
}

void bpei_entry_insert(struct bpei_table *t, uint32_t tag, uint32_t i)
{
	uint32_t victim;

	while (BPEI_UNLIKELY((victim = bpei_index_insert(t, tag, i)) != BPEI_NO_FLOW))
		bpei_entry_evict(t, victim, true);
}

void bpei_entry_end_period(struct bpei_table *t, uint32_t i, int64_t now_ns)
{
	struct bpei_entry *const e = &t->entries[i];
	struct bpei_tcp_anomalies *const a = bpei_anomalies_find(t, i);

	bpei_entry_report(t, i, BPE_END_ACTIVE);
	bpei_counter_add(&t->counts.periods, 1);
	for (int end = 0; end < 2; end++) {
		e->packed[end] &= ~PACKED_COUNTS;
		t->cold[i].repeated[end] = 0;
	}
	if (t->any_missed)
		memset(t->missed[i], 0, sizeof t->missed[i]);
	if (t->any_overflow)
		t->overflow[i] = (struct bpei_flow_overflow){ .count = { { 0 } } };
	if (a)
		memset(a->count, 0, sizeof a->count);
	if (t->lengths)
		t->lengths[i] = (struct bpei_lengths){ .ip = { 0 } };
	if (t->cutoffs)
		bpei_cutoff_end_period(t, i);
	bpei_entry_set_flags(e, 0, FLAG_CONTINUED);
	t->cold[i].first_ns = now_ns;
}
