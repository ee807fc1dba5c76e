/* SPDX-License-Identifier: MIT */
/* Eviction: which flow goes when the table is full.
 *
 * Evictable entries go first, in the order of the entries, as long as more than a sixteenth of the
 * table is evictable.  In a flood, the order of the entries is the order of opening.  The sixteenth
 * is left for new flows to become more than a single packet.  Otherwise the entry idle longest
 * among 64 neighbours goes, evictable entries excepted.
 *
 * This file only chooses: entry.c ends the flow. */
#include "flow/table.h"

#define EVICTABLE_SHARE 16u
#define CLOCK_CANDIDATES (2 * BPEI_COHORT)

#define EVICTABLE_STATES                                                                           \
	(1u << BPE_TCP_SYN_SENT | 1u << BPE_TCP_SYN_RECEIVED | 1u << BPE_TCP_CLOSED |              \
		1u << BPE_TCP_RESET)

/* Works without a branch, since whether anything changes is unpredictable. */
void bpei_entry_update_evictable(struct bpei_table *t, uint32_t i)
{
	struct bpei_entry *const e = &t->entries[i];
	const uint32_t flags = bpei_entry_flags(e);
	const uint32_t before = flags / FLAG_EVICTABLE & 1;
	const uint32_t packets = bpei_entry_packets(e, 0) + bpei_entry_packets(e, 1);
	const uint32_t is_single = (packets <= 1) & !(flags & FLAG_CONTINUED);
	const uint32_t errors = ((e->packed[0] | e->packed[1]) & PACKED_ICMP_ERRORS) != 0;
	const uint32_t by_state = EVICTABLE_STATES >> bpei_entry_tcp_state(e) & 1;
	const uint32_t after = by_state | is_single | errors;

	bpei_entry_set_flags(e, FLAG_EVICTABLE, after * FLAG_EVICTABLE);
	t->evictable += after - before;
	t->cohorts[i / BPEI_COHORT].evictable += (uint16_t)(after - before);
}

/* Moves to the next cohort with evictable entries, and keeps the entries as bits: all at once,
 * since which entries are evictable is unpredictable. */
static void find_evictable_cohort(struct bpei_table *t)
{
	while (!t->evictable_left) {
		if (++t->evictable_cohort > (t->touched - 1) / BPEI_COHORT)
			t->evictable_cohort = 0;
		if (!t->cohorts[t->evictable_cohort].evictable)
			continue;
		const uint32_t first = t->evictable_cohort * BPEI_COHORT;
		const uint32_t rest = t->touched - first;
		const uint32_t n = rest < BPEI_COHORT ? rest : BPEI_COHORT;
		for (uint32_t k = 0; k < n; k++) {
			const uint32_t flags = bpei_entry_flags(&t->entries[first + k]);

			t->evictable_left |= (flags / FLAG_EVICTABLE & 1) << k;
		}
	}
}

/* Returns the next candidate in the order of the entries.  The caller must check whether the entry
 * is still evictable. */
static uint32_t next_evictable(struct bpei_table *t)
{
	find_evictable_cohort(t);
	const uint32_t first = t->evictable_cohort * BPEI_COHORT;
	const uint32_t i = first + (uint32_t)__builtin_ctz(t->evictable_left);
	const uint32_t ahead = i + BPEI_COHORT < t->touched ? i + BPEI_COHORT : i;

	t->evictable_left &= t->evictable_left - 1;
	/* The next cohort's lines are prefetched by and by, so nothing waits for all. */
	__builtin_prefetch(&t->entries[ahead]);
	return i;
}

/* Returns an evictable entry.  Candidates wait in a ring, so the cold line and then the bucket have
 * been prefetched when a candidate is taken.  Skips candidates which received a packet or ended
 * since they were put into the ring. */
static uint32_t take_evictable_victim(struct bpei_table *t)
{
	for (;;) {
		for (; t->victim_tail - t->victim_head < BPEI_VICTIMS; t->victim_tail++) {
			const uint32_t i = next_evictable(t);

			t->victims[t->victim_tail % BPEI_VICTIMS] =
				(struct bpei_victim){ t->entries[i].last_ns, i };
			bpei_prefetch_end(t, i);
		}
		const uint32_t half_way = (t->victim_head + BPEI_VICTIMS / 2) % BPEI_VICTIMS;
		bpei_prefetch_bucket(t, t->cold[t->victims[half_way].entry].hash);
		const struct bpei_victim v = t->victims[t->victim_head++ % BPEI_VICTIMS];
		const struct bpei_entry *const e = &t->entries[v.entry];
		if (bpei_entry_flags(e) & FLAG_EVICTABLE && e->last_ns == v.last_ns)
			return v.entry;
	}
}

uint32_t bpei_evict_candidate(struct bpei_table *t)
{
	uint32_t best = BPEI_NO_FLOW;

	if (t->evictable && t->evictable > t->options.max_flows / EVICTABLE_SHARE)
		return take_evictable_victim(t);
	for (uint32_t n = 0; n < CLOCK_CANDIDATES || best == BPEI_NO_FLOW; n++, t->clock_hand++) {
		if (t->clock_hand >= t->touched)
			t->clock_hand = 0;
		const struct bpei_entry *const e = &t->entries[t->clock_hand];
		const uint32_t flags = bpei_entry_flags(e);
		const bool all_are_evictable = t->evictable >= bpei_counter_get(&t->counts.active);
		if (!(flags & FLAG_ALIVE) || (flags & FLAG_EVICTABLE && !all_are_evictable))
			continue;
		if (best == BPEI_NO_FLOW || e->last_ns < t->entries[best].last_ns)
			best = t->clock_hand;
	}
	return best;
}
