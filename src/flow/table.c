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

/* How many packets before its use a line is prefetched. */
#define BUCKETS_AHEAD 24u
#define ENTRIES_AHEAD 24u
#define PROBE_STEP 8u /* packets probed at a time */

/* Keeps which packets have a TCP header, and whether a packet is an ICMP error or has a VLAN tag.
 */
static inline __attribute__((always_inline)) void sort_packets(struct bpei_flow_batch *ctx)
{
	const struct bpe_layers *const l = ctx->b->layers;
	const uint32_t n = ctx->b->count;
	uint64_t tcp = 0;
	uint32_t flags = 0;

	for (uint32_t p = 0; p < n; p++) {
		const bool is_tcp =
			(l[p].proto == BPE_PROTO_TCP) & (l[p].transport != BPE_NO_OFFSET);

		flags |= l[p].flags;
		tcp |= (uint64_t)is_tcp << p;
	}
	ctx->tcp = tcp;
	ctx->has_errors = flags & BPE_PKT_ICMP_ERROR;
	ctx->has_tags = flags & BPE_PKT_VLAN;
}

/* Prefetches the buckets of packets from .. to - 1, as far as the batch goes. */
static inline __attribute__((always_inline)) void prefetch_buckets(
	const struct bpei_index *x, const struct bpe_batch *b, uint32_t from, uint32_t to)
{
	for (uint32_t p = from; p < to && p < b->count; p++)
		__builtin_prefetch(&x->buckets[b->hash[p] & x->mask]);
}

/* Probes an index for all packets: entry[p] becomes what bpei_probe says. */
static void probe_index(const struct bpei_index *x, const struct bpe_batch *b, uint32_t *entry)
{
	const uint32_t n = b->count;

	prefetch_buckets(x, b, 0, BUCKETS_AHEAD);
	for (uint32_t p = 0; p < n; p += PROBE_STEP) {
		const uint32_t rest = n - p;
		const uint32_t step = rest < PROBE_STEP ? rest : PROBE_STEP;

		prefetch_buckets(x, b, p + BUCKETS_AHEAD, p + BUCKETS_AHEAD + PROBE_STEP);
		bpei_probe(x->buckets, x->mask, b->hash + p, step, entry + p);
	}
}

/* Probes the old index too, and keeps the smaller result: entries < BPEI_PROBE_NEXT <
 * BPEI_NO_ENTRY. */
static void probe_old_index(const struct bpei_flow_batch *ctx)
{
	const uint32_t n = ctx->b->count;
	uint32_t *const flow = ctx->flow;
	uint32_t older[BPE_BATCH];

	probe_index(&ctx->t->old, ctx->b, older);
	for (uint32_t p = 0; p < n; p++)
		flow[p] = older[p] < flow[p] ? older[p] : flow[p];
}

/* Finds flows with overflow in their own bucket: prefetches the next bucket of each packet, and
 * searches after the entries of the other packets have been prefetched. */
static inline __attribute__((always_inline)) void search_overflowed(
	const struct bpei_flow_batch *ctx, const uint8_t *packets, uint32_t n)
{
	const struct bpei_table *const t = ctx->t;
	const uint32_t *const hash = ctx->b->hash;

	for (uint32_t k = 0; k < n; k++)
		__builtin_prefetch(&t->index.buckets[(hash[packets[k]] + 1) & t->index.mask]);
	for (uint32_t k = 0; k < n; k++) {
		const uint32_t p = packets[k];
		const uint32_t i = bpei_index_find(t, hash[p], NULL);

		if (i == BPEI_NO_FLOW)
			continue;
		ctx->flow[p] = i;
		__builtin_prefetch(&t->entries[i], 1);
	}
}

/* Writes to ctx->flow the entry of each packet's tag, or max_flows.  Prefetches the entries that
 * count_packets begins with. */
static void find_flows(struct bpei_flow_batch *ctx)
{
	struct bpei_table *const t = ctx->t;
	struct bpei_entry *const entries = t->entries;
	uint32_t *const flow = ctx->flow;
	const uint32_t n = ctx->b->count;
	const uint32_t none = (uint32_t)t->options.max_flows;
	uint8_t overflowed[BPE_BATCH];
	uint32_t n_overflowed = 0;

	sort_packets(ctx);
	probe_index(&t->index, ctx->b, flow);
	if (BPEI_UNLIKELY(t->old.buckets))
		probe_old_index(ctx);
	for (uint32_t p = 0; p < n; p++) {
		const uint32_t i = flow[p];
		const uint32_t found = i < none ? i : none;

		flow[p] = found;
		if (p < ENTRIES_AHEAD)
			__builtin_prefetch(&entries[found], 1);
		overflowed[n_overflowed] = (uint8_t)p;
		n_overflowed += i == BPEI_PROBE_NEXT;
	}
	search_overflowed(ctx, overflowed, n_overflowed);
	if (BPEI_UNLIKELY(t->updates != NULL))
		for (uint32_t p = 0; p < n; p++)
			__builtin_prefetch(&t->updates[flow[p]], 1);
}

/* Prefetches the entry of a later packet, and what TCP tracking needs of packet p.  Other packets
 * name the lines of entry 0 instead, which are near, since a branch would be mispredicted. */
static inline __attribute__((always_inline)) void prefetch_flows(
	const struct bpei_flow_batch *ctx, uint32_t p)
{
	struct bpei_table *const t = ctx->t;
	const uint32_t later = p + ENTRIES_AHEAD < ctx->b->count ? p + ENTRIES_AHEAD : p;
	const uint32_t i = ctx->flow[p] & (0u - (uint32_t)(ctx->tcp >> p & 1));

	__builtin_prefetch(&t->entries[ctx->flow[later]], 1);
	__builtin_prefetch(&t->cold[i], 1);
	__builtin_prefetch(bpei_rtt_slots_of(t, i), 1);
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
 * flow has a packet among the others, later packets of the flow in the batch go there too.  No
 * branch depends on the packet, since the branch would be mispredicted.
 *
 * Both are known at compile time.  is_plain: the batch has no cut packets and no ICMP errors, and
 * the table counts no lengths and has neither a cutoff nor periods.  has_updates: the table has
 * updates (live.c). */
static inline __attribute__((always_inline)) uint64_t count_packets(
	struct bpei_flow_batch *ctx, bool is_plain, bool has_updates)
{
	struct bpei_entry *const entries = ctx->t->entries;
	struct bpei_flow_update *const updates = ctx->t->updates;
	const uint64_t update_ns = (uint64_t)ctx->t->update_ns;
	uint8_t *const slow_filter = ctx->t->slow_filter;
	const uint32_t n = ctx->b->count;
	const uint32_t *const flow = ctx->flow;
	const uint64_t min_timeout_ns = (uint64_t)ctx->t->min_timeout_ns;
	const uint64_t active_ns = (uint64_t)ctx->t->active_ns;
	const struct bpe_layers *l = ctx->b->layers;
	const struct bpe_key *key = ctx->b->key;
	const int64_t *const time_ns = ctx->b->time_ns;
	const uint32_t *const wirelen = ctx->b->wirelen;
	uint64_t slow = 0;

	for (uint32_t p = 0; p < n; p++, l++, key++) {
		const uint32_t i = flow[p];
		const uint32_t end = bpei_sender_end(l);
		const uint32_t wire = wirelen[p];
		struct bpei_entry *const e = &entries[i];
		const uint64_t ns = (uint64_t)time_ns[p];

		prefetch_flows(ctx, p);
		const uint64_t last_ns = (uint64_t)e->last_ns;
		const uint64_t old = e->packed[end];
		const uint64_t packed = bpei_packed_add(old, wire);
		const uint32_t evictable = (bpei_entry_flags(e) & FLAG_EVICTABLE) << 3;
		uint64_t obstacles = bpei_entry_key_difference(e, key);

		if (BPEI_UNLIKELY(bpei_key_has_extension(key)))
			obstacles = compare_extended_key(ctx->t, i, key);
		obstacles |= slow_filter[i % BPEI_SLOW_FILTER];
		obstacles |= (l->tcp_flags | evictable) & watched_flags[bpei_entry_tcp_state(e)];
		obstacles |= (packed & PACKED_FULL) | wire >> PACKED_BYTES_BITS;
		/* The difference of a packet out of order wraps round, and is larger, too. */
		obstacles |= ns - last_ns > min_timeout_ns;
		if (!is_plain) {
			const uint64_t first_ns = (uint64_t)ctx->t->cold[i].first_ns;

			obstacles |= ns - first_ns > active_ns;
			obstacles |= l->flags & BPE_PKT_ICMP_ERROR;
		}
		if (has_updates) {
			obstacles |= ns - (uint64_t)updates[i].since_ns > update_ns;
			obstacles |= updates[i].left_bytes <= wire;
		}
		/* Arithmetic, because gcc may compile `?:` to a branch. */
		const uint64_t is_slow = obstacles != 0;
		const uint64_t keep = is_slow - 1;
		slow_filter[i % BPEI_SLOW_FILTER] = (uint8_t)is_slow;
		slow |= is_slow << p;
		e->packed[end] = old + ((packed - old) & keep);
		e->last_ns = (int64_t)(last_ns + ((ns - last_ns) & keep));
		if (has_updates)
			updates[i].left_bytes -= wire & keep;
		if (!is_plain && !is_slow)
			bpei_count_optional(ctx, p, i, end);
	}
	return slow;
}

/* Counts packets as count_packets does, by the loop for this batch and table. */
static inline __attribute__((always_inline)) uint64_t count_found_packets(
	struct bpei_flow_batch *ctx, bool is_plain)
{
	if (BPEI_UNLIKELY(ctx->t->updates != NULL))
		return is_plain ? count_packets(ctx, true, true) : count_packets(ctx, false, true);
	return is_plain ? count_packets(ctx, true, false) : count_packets(ctx, false, false);
}

/* Returns the packets not captured whole, as bits. */
static uint64_t find_cut_packets(const struct bpe_batch *b)
{
	uint32_t difference = 0;
	uint64_t cut = 0;

	for (uint32_t p = 0; p < b->count; p++)
		difference |= b->wirelen[p] ^ b->caplen[p];
	for (uint32_t p = 0; difference && p < b->count; p++)
		cut |= (uint64_t)(b->wirelen[p] != b->caplen[p]) << p;
	return cut;
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

void bpei_table_update(struct bpei_table *t, const struct bpe_batch *b, uint32_t flow[BPE_BATCH])
{
	const uint32_t touched = t->touched;
	struct bpei_flow_batch ctx = { .t = t, .b = b, .flow = flow, .cut = find_cut_packets(b) };

	prefetch_due(t);
	find_flows(&ctx);
	t->joined.any = false;
	t->opened_count = 0;
	if (BPEI_UNLIKELY(t->options.marks))
		memset(t->marks, 0, sizeof t->marks);
	if (BPEI_UNLIKELY(t->cutoffs != NULL))
		bpei_cutoff_begin(t, b);
	t->any_tagged |= ctx.has_tags;
	if (BPEI_UNLIKELY(t->any_tagged)) {
		bpei_siblings_join(&ctx);
		b = ctx.b;
	}
	const bool is_plain = !(ctx.cut | (uint64_t)t->counts_more |
				(uint64_t)(t->active_ns != INT64_MAX) | (uint64_t)ctx.has_errors);
	const uint64_t slow = count_found_packets(&ctx, is_plain);
	bpei_tcp_track_batch(&ctx, ctx.tcp & ~slow);
	bpei_handle_slow_packets(&ctx, slow);
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
