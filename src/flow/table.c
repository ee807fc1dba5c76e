/* SPDX-License-Identifier: MIT */
/* The flow table: an update for each batch.
 *
 * Life: new -> (clock, update) ... -> end_all -> top -> free.  One thread owns the table; other
 * threads read the counters alone.  Entries: max_flows are reserved at the start, and memory is
 * taken as entries are touched; entry numbers are good for the table's life.  Invariant: alive
 * entries = entries in the index <= max_flows; opened = active + ended + evicted.  Hazard: within a
 * batch, an entry found early may be ended and used again before its packet is handled; see
 * slow_path.c.
 *
 * A batch is handled in passes, so that cache misses overlap and branches are predictable: probe
 * the buckets; count the packets which only increment their flow's counters; track their TCP
 * segments; then handle the other packets one by one.  Once a flow has a packet among these, later
 * packets of the flow go there too, which keeps packets of a flow in order.  Other work of a batch
 * is bounded: a step of growth, a few cohorts of the wheel.
 *
 * Each pass prefetches the lines that it needs some packets later, or that the next pass needs.  A
 * CPU drops prefetches once about 20 are under way, so no pass prefetches for the whole batch at
 * once (docs/performance.md). */
#include "flow/batch.h"
#include "flow/cutoff.h"
#include "flow/rtt.h"

#include "base/cacheline.h"

#include <stdlib.h>

const struct bpei_table_counts *bpei_table_counts(const struct bpei_table *t)
{
	return &t->counts;
}

const struct bpe_batch *bpei_table_joined(const struct bpei_table *t)
{
	return t->joined.any ? &t->joined.batch : NULL;
}

const uint16_t *bpei_table_marks(const struct bpei_table *t, const int64_t **rtt_ns)
{
	*rtt_ns = t->options.marks ? t->rtt_ns : NULL;
	return t->options.marks ? t->marks : NULL;
}

/* ---- Finding the flows of a batch ---- */

/* Returns the question to an index about a batch, and prefetches the first buckets. */
static struct bpei_lookup begin_lookup(
	const struct bpei_table *t, const struct bpei_index *x, const struct bpe_batch *b)
{
	const struct bpei_lookup lookup = { .buckets = x->buckets,
		.hash = b->hash,
		.mask = x->mask,
		.n = b->count,
		.none = (uint32_t)t->options.max_flows };

	bpei_probe_prefetch(&lookup, 0, BPEI_PROBE_AHEAD);
	return lookup;
}

/* Probes the old index too, and keeps the smaller result, since an entry is below none.  Returns
 * the packets to be searched for in later buckets. */
static uint64_t probe_old_index(const struct bpei_flow_batch *ctx, uint64_t overflowed)
{
	const struct bpei_lookup lookup = begin_lookup(ctx->t, &ctx->t->old, ctx->b);
	uint32_t *const flow = ctx->flow;
	uint32_t older[BPE_BATCH];
	uint64_t missing = 0;

	overflowed |= bpei_probe(&lookup, older);
	for (uint32_t p = 0; p < lookup.n; p++) {
		flow[p] = older[p] < flow[p] ? older[p] : flow[p];
		missing |= (uint64_t)(flow[p] == lookup.none) << p;
	}
	return overflowed & missing;
}

/* Finds flows with overflow in their own bucket: prefetches the next bucket of each packet (bits),
 * and searches after the entries of the other packets have been prefetched. */
static void search_overflowed(const struct bpei_flow_batch *ctx, uint64_t packets)
{
	const struct bpei_table *const t = ctx->t;
	const uint32_t *const hash = ctx->b->hash;

	for (uint64_t m = packets; m; m &= m - 1) {
		const uint32_t tag = hash[__builtin_ctzll(m)];

		__builtin_prefetch(&t->index.buckets[(tag + 1) & t->index.mask]);
	}
	for (uint64_t m = packets; m; m &= m - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(m);
		const uint32_t i = bpei_index_find(t, hash[p], NULL);

		if (i == BPEI_NO_FLOW)
			continue;
		ctx->flow[p] = i;
		__builtin_prefetch(&t->entries[i], 1);
	}
}

/* Writes to ctx->flow the entry of each packet's tag, or max_flows, and 0 behind the last packet.
 * Prefetches the entries that count_packets begins with. */
static void find_flows(struct bpei_flow_batch *ctx, const struct bpei_lookup *lookup)
{
	struct bpei_table *const t = ctx->t;
	const uint32_t *const flow = ctx->flow;
	const uint32_t n = ctx->b->count;
	const uint32_t first = n < BPEI_ENTRIES_AHEAD ? n : BPEI_ENTRIES_AHEAD;
	uint64_t overflowed = bpei_probe(lookup, ctx->flow);

	if (n < BPE_BATCH)
		memset(ctx->flow + n, 0, (BPE_BATCH - n) * sizeof *flow);
	if (BPEI_UNLIKELY(t->old.buckets))
		overflowed = probe_old_index(ctx, overflowed);
	for (uint32_t p = 0; p < first; p++)
		__builtin_prefetch(&t->entries[flow[p]], 1);
	if (overflowed)
		search_overflowed(ctx, overflowed);
	if (BPEI_UNLIKELY(t->updates != NULL))
		for (uint32_t p = 0; p < n; p++)
			__builtin_prefetch(&t->updates[flow[p]], 1);
}

/* ---- The fast path ---- */

/* For each TCP state, the flags which send a packet to the slow path.  WATCH_EVICTABLE: any packet
 * goes there while the flow is evictable.  Flows which are over stay evictable, so their states are
 * without.  A table, because a branch on the state is mispredicted. */
#define WATCH_EVICTABLE (FLAG_EVICTABLE << 3)
static const uint16_t watched_flags[8] = {
	[BPE_TCP_NONE] =
		WATCH_EVICTABLE | 0xff, /* also TCP opened by an ICMP error or a fragment */
	[BPE_TCP_SYN_SENT] = 0xff,
	[BPE_TCP_SYN_RECEIVED] = 0xff,
	[BPE_TCP_ESTABLISHED] = WATCH_EVICTABLE | TCP_FIN | TCP_SYN | TCP_RST,
	[BPE_TCP_CLOSING] = WATCH_EVICTABLE | TCP_FIN | TCP_SYN | TCP_RST,
	[BPE_TCP_CLOSED] = TCP_FIN | TCP_SYN | TCP_RST,
	[BPE_TCP_RESET] = TCP_FIN | TCP_SYN | TCP_RST,
};
_Static_assert(WATCH_EVICTABLE == 0x100, "the bit after the TCP flags");

/* Returns 0 if the key is the entry's.  Kept out of line, so the call takes no registers from the
 * loop. */
static __attribute__((noinline)) uint64_t compare_extended_key(
	const struct bpei_table *t, uint32_t i, const struct bpe_key *key)
{
	return !bpei_entry_matches(t, i, key);
}

/* Counts packets which only increment their flow's counters.  Returns the others as bits; once a
 * flow has a packet among the others, later packets of the flow in the batch go there too.  Writes
 * ctx->tcp.  Prefetches the entry of a later packet, and what TCP tracking needs of this packet;
 * other packets name cold line 0.  No branch depends on the packet, since the branch would be
 * mispredicted.
 *
 * Both are known at compile time.  is_plain: see is_batch_plain.  has_updates: the table has
 * updates (live.c). */
static inline __attribute__((always_inline)) uint64_t count_packets(
	struct bpei_flow_batch *ctx, bool is_plain, bool has_updates)
{
	struct bpei_table *const t = ctx->t;
	struct bpei_entry *const entries = t->entries;
	const uint32_t n = ctx->b->count;
	const uint32_t *const flow = ctx->flow;
	const struct bpe_layers *l = ctx->b->layers;
	const struct bpe_key *key = ctx->b->key;
	const int64_t *const time_ns = ctx->b->time_ns;
	const uint32_t *const wirelen = ctx->b->wirelen;
	uint64_t slow = 0;
	uint64_t tcp = 0;

	for (size_t p = 0; p < n; p++, l++, key++) {
		const uint32_t i = flow[p];
		const uint32_t end = bpei_sender_end(l);
		const uint32_t wire = wirelen[p];
		const uint64_t is_tcp = bpei_layers_have_tcp(l);
		struct bpei_entry *const e = &entries[i];
		const uint64_t ns = (uint64_t)time_ns[p];

		__builtin_prefetch(&entries[flow[p + BPEI_ENTRIES_AHEAD]], 1);
		__builtin_prefetch(&t->cold[i & (0u - is_tcp)], 1);
		__builtin_prefetch(bpei_rtt_slots_of(t, i), 1);
		tcp |= is_tcp << p;
		const uint64_t last_ns = (uint64_t)e->last_ns;
		const uint64_t old = e->packed[end];
		const uint64_t packed = bpei_packed_add(old, wire);
		const uint32_t evictable = (bpei_entry_flags(e) & FLAG_EVICTABLE) << 3;
		uint64_t obstacles = bpei_entry_key_difference(e, key);

		if (BPEI_UNLIKELY(bpei_key_has_extension(key)))
			obstacles = compare_extended_key(t, i, key);
		obstacles |= t->slow_filter[i % BPEI_SLOW_FILTER];
		obstacles |= (l->tcp_flags | evictable) & watched_flags[bpei_entry_tcp_state(e)];
		obstacles |= packed & PACKED_FULL;
		/* The difference of a packet out of order wraps round, and is larger, too. */
		obstacles |= ns - last_ns > (uint64_t)t->min_timeout_ns;
		if (!is_plain) {
			const uint64_t first_ns = (uint64_t)t->cold[i].first_ns;

			obstacles |= ns - first_ns > (uint64_t)t->active_ns;
			obstacles |= (l->flags & BPE_PKT_ICMP_ERROR) | wire >> PACKED_BYTES_BITS;
		}
		if (has_updates) {
			obstacles |= ns - (uint64_t)t->updates[i].since_ns > (uint64_t)t->update_ns;
			obstacles |= t->updates[i].left_bytes <= wire;
		}
		/* Arithmetic, because gcc may compile `?:` to a branch. */
		const uint64_t is_slow = obstacles != 0;
		const uint64_t keep = is_slow - 1;
		t->slow_filter[i % BPEI_SLOW_FILTER] = (uint8_t)is_slow;
		slow |= is_slow << p;
		e->packed[end] = old + ((packed - old) & keep);
		e->last_ns = (int64_t)(last_ns + ((ns - last_ns) & keep));
		if (has_updates)
			t->updates[i].left_bytes -= wire & keep;
		if (!is_plain && !is_slow)
			bpei_count_optional(ctx, (uint32_t)p, i, end);
	}
	ctx->tcp = tcp;
	return slow;
}

/* Counts packets of a plain batch.  Out of line, so the loop has all registers. */
static __attribute__((noinline)) uint64_t count_plain_packets(struct bpei_flow_batch *ctx)
{
	return count_packets(ctx, true, false);
}

/* Counts packets as count_packets does, by the loop for this batch and table. */
static uint64_t count_found_packets(struct bpei_flow_batch *ctx, bool is_plain)
{
	if (BPEI_UNLIKELY(ctx->t->updates != NULL))
		return is_plain ? count_packets(ctx, true, true) : count_packets(ctx, false, true);
	return is_plain ? count_plain_packets(ctx) : count_packets(ctx, false, false);
}

/* What is to be known of a batch before packets are counted. */
struct batch_survey {
	uint64_t cut;   /* bit p: packet p was not captured whole */
	uint32_t flags; /* of all packets: BPE_PKT_ */
	uint32_t wire;  /* bits of all lengths on the wire */
};

/* Looks at all packets of a batch. */
static struct batch_survey survey_batch(const struct bpe_batch *b)
{
	const struct bpe_layers *const l = b->layers;
	const uint32_t n = b->count;
	struct batch_survey s = { 0 };
	uint32_t difference = 0;
	uint32_t p = 0;

	for (; p + 4 <= n; p += 4)
		s.flags |= l[p].flags | l[p + 1].flags | l[p + 2].flags | l[p + 3].flags;
	for (; p < n; p++)
		s.flags |= l[p].flags;
	for (p = 0; p < n; p++) {
		difference |= b->wirelen[p] ^ b->caplen[p];
		s.wire |= b->wirelen[p];
	}
	for (p = 0; difference && p < n; p++)
		s.cut |= (uint64_t)(b->wirelen[p] != b->caplen[p]) << p;
	return s;
}

/* ---- A batch ---- */

/* Copies each packet's owning process into its flow.  A flow keeps the last process reported. */
static void copy_processes(
	struct bpei_table *t, const struct bpe_batch *b, const uint32_t flow[BPE_BATCH])
{
	for (uint32_t p = 0; p < b->count; p++) {
		struct bpe_meta m;

		if (!b->hash[p] || flow[p] == BPEI_NO_FLOW || !bpe_batch_meta(b, p, &m))
			continue;
		if (!(m.flags & BPE_META_PROCESS) || !bpei_entry_matches(t, flow[p], &b->key[p]))
			continue; /* the flow may have ended within the batch */
		struct bpei_process *const process = &t->processes[flow[p]];
		process->pid = m.pid;
		process->effective_pid = m.effective_pid;
		memcpy(process->comm, m.comm, sizeof process->comm);
		memcpy(process->effective_comm, m.effective_comm, sizeof process->effective_comm);
	}
}

/* Moves some buckets of a growing index, and evicts entries without room in the new index. */
static void grow_index(struct bpei_table *t)
{
	uint32_t buckets = BPEI_GROW_BATCH;
	uint32_t victim;

	while (BPEI_UNLIKELY((victim = bpei_index_grow(t, &buckets)) != BPEI_NO_FLOW))
		bpei_entry_evict(t, victim, true);
}

/* Prefetches the buckets of entries found expired. */
static void prefetch_due(const struct bpei_table *t)
{
	for (uint32_t k = 0; k < t->due_count; k++)
		bpei_prefetch_bucket(t, t->cold[t->due[k]].hash);
}

/* Ends the entries found expired by the wheel, unless a packet has come since. */
static void end_due(struct bpei_table *t)
{
	const uint32_t n = t->due_count;

	for (uint32_t k = 0; k < n; k++) {
		const struct bpei_entry *const e = &t->entries[t->due[k]];

		if (bpei_entry_has_expired(t, e))
			bpei_entry_end(t, t->due[k], bpei_entry_end_reason(e));
	}
	t->due_count = 0;
}

/* Ends expired entries found before, and checks more cohorts. */
static void advance_wheel(struct bpei_table *t, uint32_t cohorts)
{
	struct bpei_wheel_check check = { .cohorts = cohorts };

	do
		end_due(t);
	while (!bpei_wheel_advance(t, &check));
}

/* Returns true if the batch has no cut packets, none of 2 GB and no ICMP errors.  The table then
 * also counts no lengths, and has neither a cutoff nor periods. */
static bool is_batch_plain(const struct bpei_table *t, const struct batch_survey *survey)
{
	return !survey->cut && !(survey->wire >> PACKED_BYTES_BITS) && !t->counts_more &&
	       t->active_ns == INT64_MAX && !(survey->flags & BPE_PKT_ICMP_ERROR);
}

void bpei_table_update(struct bpei_table *t, const struct bpe_batch *b, uint32_t flow[BPE_BATCH])
{
	const uint32_t touched = t->touched;
	const struct bpei_lookup lookup = begin_lookup(t, &t->index, b);
	const struct batch_survey survey = survey_batch(b);
	struct bpei_flow_batch ctx = { .t = t, .b = b, .flow = t->found, .cut = survey.cut };

	prefetch_due(t);
	find_flows(&ctx, &lookup);
	t->joined.any = false;
	t->opened_count = 0;
	if (BPEI_UNLIKELY(t->options.marks))
		memset(t->marks, 0, sizeof t->marks);
	if (BPEI_UNLIKELY(t->cutoffs != NULL))
		bpei_cutoff_begin(t, b);
	t->any_tagged |= (survey.flags & BPE_PKT_VLAN) != 0;
	if (BPEI_UNLIKELY(t->any_tagged)) {
		bpei_siblings_join(&ctx);
		b = ctx.b;
	}
	const uint64_t slow = count_found_packets(&ctx, is_batch_plain(t, &survey));
	bpei_tcp_track_batch(&ctx, ctx.tcp & ~slow);
	bpei_handle_slow_packets(&ctx, slow);
	memcpy(flow, t->found, b->count * sizeof *flow);
	if (BPEI_UNLIKELY(t->processes && b->meta))
		copy_processes(t, b, flow);
	bpei_counter_add(&t->counts.packets, b->count - ctx.unkeyed - ctx.refused);
	if (ctx.refused)
		bpei_counter_add(&t->counts.refused, ctx.refused);
	grow_index(t);
	if (t->touched != touched || t->bytes_are_stale)
		bpei_table_count_memory(t);
	if (t->has_time)
		advance_wheel(t, BPEI_WHEEL_BATCH);
}

int64_t bpei_table_now(const struct bpei_table *t)
{
	return t->has_time ? t->now_ns : INT64_MIN;
}

/* ---- Time ---- */

/* Sets the clock, unless the clock is ahead already. */
void bpei_table_clock(struct bpei_table *t, int64_t now_ns)
{
	if (!t->has_time || now_ns > t->now_ns)
		bpei_wheel_set_clock(t, now_ns);
}

void bpei_table_age(struct bpei_table *t, int64_t now_ns)
{
	bpei_table_clock(t, now_ns);
	grow_index(t);
	if (t->bytes_are_stale)
		bpei_table_count_memory(t);
	advance_wheel(t, BPEI_WHEEL_IDLE);
	end_due(t);
}

/* ---- The end ---- */

/* An alive entry, for sorting. */
struct opened_entry {
	int64_t first_ns;
	uint32_t entry;
};

/* Compares by the time of opening, then by the number. */
static int compare_by_opening(const void *x, const void *y)
{
	const struct opened_entry *const a = x;
	const struct opened_entry *const b = y;

	if (a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns ? -1 : 1;
	return (a->entry > b->entry) - (a->entry < b->entry);
}

/* Ends each alive entry after its time-out. */
static void end_timed_out(struct bpei_table *t)
{
	for (uint32_t i = 0; i < t->touched; i++) {
		const struct bpei_entry *const e = &t->entries[i];

		if (bpei_entry_flags(e) & FLAG_ALIVE && bpei_entry_has_timed_out(t, e, t->now_ns))
			bpei_entry_end(t, i, bpei_entry_end_reason(e));
	}
}

/* Passes each alive entry to `hand` with BPE_END_STOP, in the order of opening.  The list lies in
 * the table, since a handler may leave by longjmp. */
static void hand_over_alive(struct bpei_table *t,
	void (*hand)(struct bpei_table *t, uint32_t i, enum bpe_flow_end why)) BPEI_WORKER
{
	const uint64_t active = bpei_counter_get(&t->counts.active);
	struct opened_entry *const order = active ? malloc(active * sizeof *order) : NULL;
	size_t n = 0;

	t->closing = order;
	for (uint32_t i = 0; i < t->touched; i++) {
		if (!(bpei_entry_flags(&t->entries[i]) & FLAG_ALIVE))
			continue;
		if (order)
			order[n++] = (struct opened_entry){ t->cold[i].first_ns, i };
		else /* without memory to sort, any order is better than none */
			hand(t, i, BPE_END_STOP);
	}
	if (order)
		qsort(order, n, sizeof *order, compare_by_opening);
	for (size_t k = 0; k < n; k++)
		hand(t, order[k].entry, BPE_END_STOP);
	t->closing = NULL;
	free(order);
}

void bpei_table_end_all(struct bpei_table *t)
{
	end_timed_out(t);
	if (t->options.on_end)
		hand_over_alive(t, bpei_entry_report);
}

void bpei_table_empty(struct bpei_table *t)
{
	end_timed_out(t);
	hand_over_alive(t, bpei_entry_end);
}
