/* SPDX-License-Identifier: MIT */
/* The flow table: an index of one-line buckets that hold tags and entry numbers, and the entries apart.
 *
 * Life: new -> update ... -> end_all -> top -> free.  One thread owns it all; only the counts are read by others.
 * Index: a key's bucket is its hash's low bits, its tag the whole hash.  A full bucket counts in `overflow` what it sent on to
 * the next; a search ends at the first bucket that sent nothing on.  It doubles at half full, from the tags alone.
 * Entries: reserved for max_flows at once, but memory is taken only as they are touched; numbers stay good for life.
 * Invariant: alive entries = entries in the index = entries in the queues <= max_flows; opened = active + ended + evicted.
 * Hazard: within a batch, an entry found early may be ended and used anew before its packet's turn; the whole key is compared
 * again at that turn, and a freed entry's key fits nothing.
 * A batch goes through in three passes, so that cache misses overlap: ask for the buckets; probe them and ask for the entries;
 * then count, in the packets' order. */
#include "flow/table.h"

#include "base/cacheline.h"
#include "base/mem.h"

#include <stdlib.h>

#define FIRST_BUCKETS 64u
#define SWEEP_BATCH 4u		/* looks into each queue per batch */
#define SWEEP_IDLE 1024u
#define DEAD_KEY 0xffffffffu	/* no key ends so: its last bytes are 0 */

static size_t index_bytes(uint32_t buckets) { return (size_t)buckets * sizeof(struct bpei_bucket); }

int bpei_table_new(const struct bpei_table_options *options, struct bpei_table **table)
{
	struct bpei_table *t = calloc(1, sizeof *t);
	if (!t) return BPE_E_MEMORY;
	t->options = *options;
	if (t->options.max_flows > INT32_MAX) t->options.max_flows = INT32_MAX;
	t->mask = FIRST_BUCKETS - 1;
	t->free = BPEI_NO_FLOW;
	for (int q = 0; q < QUEUES; q++) t->queues[q] = (struct bpei_queue){ BPEI_NO_FLOW, BPEI_NO_FLOW };
	t->timeout_ns[QUEUE_IDLE] = options->idle_ns > 0 ? options->idle_ns : INT64_MAX;
	t->timeout_ns[QUEUE_CLOSED] = options->closed_ns > 0 ? options->closed_ns : INT64_MAX;
	t->least_timeout_ns = t->timeout_ns[t->timeout_ns[QUEUE_CLOSED] < t->timeout_ns[QUEUE_IDLE]];
	t->buckets = bpei_mem_map(index_bytes(FIRST_BUCKETS), 0);
	t->entries = bpei_mem_map((t->options.max_flows + 1) * sizeof *t->entries, 1);
	if (options->process) t->processes = bpei_mem_map((t->options.max_flows + 1) * sizeof *t->processes, 0);
	if (!t->buckets || !t->entries || (options->process && !t->processes)) {
		bpei_table_free(t);
		return BPE_E_MEMORY;
	}
	*table = t;
	return BPE_OK;
}

void bpei_table_free(struct bpei_table *t)
{
	if (!t) return;
	bpei_mem_unmap(t->buckets, index_bytes(t->mask + 1));
	bpei_mem_unmap(t->entries, (t->options.max_flows + 1) * sizeof *t->entries);
	bpei_mem_unmap(t->processes, (t->options.max_flows + 1) * sizeof *t->processes);
	free(t);
}

const struct bpei_table_counts *bpei_table_counts(const struct bpei_table *t) { return &t->counts; }

/* ---- Index ---- */

/* The first entry from bucket b on that has the tag, and the key if there is one to compare; *b becomes its bucket. */
static uint32_t find(const struct bpei_table *t, uint32_t *at, uint32_t tag, const struct bpe_key *key)
{
	uint32_t b = *at;
	for (uint32_t looks = 0; looks <= BPEI_PROBE_LIMIT; looks++, b = (b + 1) & t->mask) {
		const struct bpei_bucket *bucket = &t->buckets[b];
		for (uint32_t m = bpei_bucket_match(bucket, tag); m; m &= m - 1) {
			uint32_t i = bucket->entry[__builtin_ctz(m)];
			if (key && !bpei_entry_is(&t->entries[i], key)) continue;
			*at = b;
			return i;
		}
		if (!bucket->overflow) break;
	}
	return BPEI_NO_FLOW;
}

/* Puts entry i under its tag; false if no bucket within the limit has room. */
static bool index_put(struct bpei_bucket *buckets, uint32_t mask, uint32_t tag, uint32_t i)
{
	uint32_t home = tag & mask;
	for (uint32_t passed = 0; passed <= BPEI_PROBE_LIMIT && passed <= mask; passed++) {
		struct bpei_bucket *bucket = &buckets[(home + passed) & mask];
		uint32_t empty = bpei_bucket_match(bucket, 0);
		if (!empty) continue;
		uint32_t k = (uint32_t)__builtin_ctz(empty);
		bucket->tag[k] = tag;
		bucket->entry[k] = i;
		for (uint32_t p = 0; p < passed; p++) buckets[(home + p) & mask].overflow++;
		return true;
	}
	return false;
}

static void index_remove(struct bpei_table *t, uint32_t tag, uint32_t i)
{
	for (uint32_t b = tag & t->mask;; b = (b + 1) & t->mask) {
		struct bpei_bucket *bucket = &t->buckets[b];
		for (uint32_t m = bpei_bucket_match(bucket, tag); m; m &= m - 1) {
			uint32_t k = (uint32_t)__builtin_ctz(m);
			if (bucket->entry[k] != i) continue;
			bucket->tag[k] = 0;
			t->used--;
			return;
		}
		bucket->overflow--;
	}
}

/* Twice as many buckets, if there is memory for them and every tag finds room; else things stay as they are. */
static void grow(struct bpei_table *t)
{
	uint32_t mask = t->mask * 2 + 1;
	struct bpei_bucket *buckets = bpei_mem_map(index_bytes(mask + 1), 1);
	if (!buckets) return;
	for (uint32_t b = 0; b <= t->mask; b++)
		for (uint32_t k = 0; k < BPEI_BUCKET_SLOTS; k++) {
			if (!t->buckets[b].tag[k]) continue;
			if (index_put(buckets, mask, t->buckets[b].tag[k], t->buckets[b].entry[k])) continue;
			bpei_mem_unmap(buckets, index_bytes(mask + 1));
			return;
		}
	bpei_mem_unmap(t->buckets, index_bytes(t->mask + 1));
	t->buckets = buckets;
	t->mask = mask;
}

/* ---- Entries ---- */

void bpei_table_end(struct bpei_table *t, uint32_t i, enum bpe_flow_end why)
{
	struct bpei_entry *e = &t->entries[i];
	struct bpe_flow record;
	bpei_queue_remove(t, bpei_queue_of(e), i);
	index_remove(t, e->hash, i);
	bpei_counter_set(&t->counts.active, bpei_counter_get(&t->counts.active) - 1);
	bpei_counter_add(why == BPE_END_EVICTED ? &t->counts.evicted : &t->counts.ended, 1);
	if (t->options.on_end) {
		bpei_entry_record(t, i, why, &record);
		t->options.on_end(t->options.user, &record);
	}
	e->bits = 0;
	e->key_end = DEAD_KEY;
	e->next = t->free;
	t->free = i;
}

/* Hostile keys that share a neighbourhood of the index: the quietest of them makes room. */
static void evict_near(struct bpei_table *t, uint32_t tag)
{
	uint32_t best = BPEI_NO_FLOW;
	for (uint32_t p = 0; p <= BPEI_PROBE_LIMIT && p <= t->mask; p++)
		for (uint32_t k = 0; k < BPEI_BUCKET_SLOTS; k++) {
			const struct bpei_bucket *bucket = &t->buckets[(tag + p) & t->mask];
			uint32_t i = bucket->entry[k];
			if (bucket->tag[k] && (best == BPEI_NO_FLOW || t->entries[i].last_ns < t->entries[best].last_ns)) best = i;
		}
	if (best != BPEI_NO_FLOW) bpei_table_end(t, best, BPE_END_EVICTED);
}

/* A new flow for packet p of the batch: its entry, or BPEI_NO_FLOW if no flows are to be kept. */
static uint32_t open_flow(struct bpei_table *t, const struct bpe_batch *b, uint32_t p)
{
	const struct bpe_layers *l = &b->layers[p];
	uint32_t i, end = !!(l->flags & BPE_PKT_REVERSED), tag = b->hash[p];
	if (!t->options.max_flows) return BPEI_NO_FLOW;
	if (bpei_counter_get(&t->counts.active) >= t->options.max_flows) bpei_table_end(t, bpei_table_quietest(t), BPE_END_EVICTED);
	if (t->used >= (t->mask + 1) / 2 * BPEI_BUCKET_SLOTS) grow(t);
	if (t->free != BPEI_NO_FLOW) i = t->free, t->free = t->entries[i].next;
	else i = t->touched++;
	while (!index_put(t->buckets, t->mask, tag, i)) evict_near(t, tag);
	t->used++;

	struct bpei_entry *e = &t->entries[i];
	*e = (struct bpei_entry){ .hash = tag, .first_ns = b->time_ns[p], .last_ns = b->time_ns[p], .bits = ENTRY_ALIVE };
	if (t->processes) t->processes[i].pid = 0;
	memcpy(e->key, &b->key[p], sizeof e->key);
	memcpy(&e->key_end, (const char *)&b->key[p] + sizeof e->key, sizeof e->key_end);
	if (l->proto == BPE_PROTO_TCP && l->transport != BPE_NO_OFFSET) bpei_tcp_open(e, end, l->tcp_flags);
	else if (end) e->bits |= ENTRY_ORIGIN;
	bpei_queue_append(t, bpei_queue_of(e), i);
	bpei_counter_add(&t->counts.opened, 1);
	uint64_t active = bpei_counter_get(&t->counts.active) + 1;
	bpei_counter_set(&t->counts.active, active);
	bpei_counter_max(&t->counts.peak, active);
	return i;
}

/* ---- Packets ---- */

/* TCP that does more than carry on, or whose time-out has passed: may end the flow and open another.  Returns the entry. */
static uint32_t unusual(struct bpei_table *t, const struct bpe_batch *b, uint32_t p, uint32_t i)
{
	struct bpei_entry *e = &t->entries[i];
	const struct bpe_layers *l = &b->layers[p];
	uint32_t end = !!(l->flags & BPE_PKT_REVERSED);
	bool tcp = l->proto == BPE_PROTO_TCP && l->transport != BPE_NO_OFFSET;
	enum queue before = bpei_queue_of(e);
	if (bpei_entry_due(t, e, b->time_ns[p])) {
		bpei_table_end(t, i, before == QUEUE_CLOSED ? BPE_END_CLOSED : BPE_END_IDLE);
		return open_flow(t, b, p);
	}
	if (!tcp) return i;
	if (bpei_tcp_reopens(e, l->tcp_flags)) {
		bpei_table_end(t, i, BPE_END_CLOSED);
		return open_flow(t, b, p);
	}
	bpei_tcp_step(e, end, l->tcp_flags);
	if (bpei_queue_of(e) == before) return i;
	enum queue after = bpei_queue_of(e);
	bpei_queue_remove(t, before, i);
	bpei_queue_append(t, after, i);
	return i;
}

/* Whose the batch's packets are goes to their flows: who was named first stays until another is. */
static void note_processes(struct bpei_table *t, const struct bpe_batch *b, const uint32_t flow[BPE_BATCH])
{
	for (uint32_t p = 0; p < b->count; p++) {
		struct bpe_meta m;
		if (!b->hash[p] || flow[p] == BPEI_NO_FLOW || !bpe_batch_meta(b, p, &m) || !(m.flags & BPE_META_PROCESS)) continue;
		if (!bpei_entry_is(&t->entries[flow[p]], &b->key[p])) continue;	/* ended within this batch, and used anew */
		struct bpei_process *w = &t->processes[flow[p]];
		w->pid = m.pid;
		w->effective_pid = m.effective_pid;
		memcpy(w->comm, m.comm, sizeof w->comm);
		memcpy(w->effective_comm, m.effective_comm, sizeof w->effective_comm);
	}
}

static void set_time(struct bpei_table *t, int64_t ns)
{
	if (BPEI_UNLIKELY(!t->has_time)) t->has_time = true, t->base_ns = t->now_ns = ns;
	if (ns > t->now_ns) t->now_ns = ns;
}

/* What may change a state: any packet, or TCP's FIN, SYN and RST.  A table, since a branch on the state is guessed wrong. */
#define ANY_PACKET 0x100u
static const uint16_t watch[] = { [BPE_TCP_NONE] = 0xff /* TCP whose flow an ICMP error or a fragment began */, [BPE_TCP_SYN_SENT] = ANY_PACKET, [BPE_TCP_SYN_RECEIVED] = ANY_PACKET,
	[BPE_TCP_ESTABLISHED] = 7, [BPE_TCP_CLOSING] = ANY_PACKET, [BPE_TCP_CLOSED] = ANY_PACKET, [BPE_TCP_RESET] = ANY_PACKET };

/* The packet that is not simply one more of the flow at i: a flow not looked at yet, a change of state, a time-out.  Returns the
 * entry to count on; BPEI_NO_FLOW: no room. */
static __attribute__((noinline)) uint32_t settle(struct bpei_table *t, const struct bpe_batch *b, uint32_t p, uint32_t i)
{
	uint32_t tag = b->hash[p], at = tag & t->mask;
	if (i == BPEI_NO_FLOW || !bpei_entry_is(&t->entries[i], &b->key[p])) i = find(t, &at, tag, &b->key[p]);
	return i == BPEI_NO_FLOW ? open_flow(t, b, p) : unusual(t, b, p, i);
}

void bpei_table_update(struct bpei_table *t, const struct bpe_batch *b, uint32_t flow[BPE_BATCH])
{
	const struct bpe_batch v = *b;	/* here, so that no store is feared to change a column's place */
	const uint32_t n = v.count, *const hash = v.hash;
	uint32_t counted = 0, refused = 0;
	int64_t latest = INT64_MIN;
	bool any = false;
	for (uint32_t p = 0; p < n; p++) {
		__builtin_prefetch(&t->buckets[hash[p] & t->mask]);
		if (hash[p]) latest = v.time_ns[p] > latest ? v.time_ns[p] : latest, any = true;
	}
	if (any) set_time(t, latest);
	const uint64_t least_timeout_ns = (uint64_t)t->least_timeout_ns;
	struct bpei_entry *const entries = t->entries;
	bpei_probe(t->buckets, t->mask, hash, n, flow);
	for (uint32_t p = 0; p < n; p++) {
		if (BPEI_UNLIKELY(flow[p] == BPEI_LOOK_ON)) {
			uint32_t at = hash[p] & t->mask;
			flow[p] = find(t, &at, hash[p], NULL);
		}
		if (flow[p] == BPEI_NO_FLOW) continue;
		__builtin_prefetch(&entries[flow[p]], 1);
		__builtin_prefetch((const char *)&entries[flow[p]] + 64, 1);
	}
	for (uint32_t p = 0; p < n; p++) {
		if (!hash[p]) continue;
		const struct bpe_layers *l = &v.layers[p];
		const int64_t ns = v.time_ns[p];
		uint32_t i = flow[p];
		struct bpei_entry *e = &entries[i != BPEI_NO_FLOW ? i : 0];
		/* A packet out of order goes the slow way, too: its difference wraps round. */
		if (BPEI_UNLIKELY(i == BPEI_NO_FLOW) || BPEI_UNLIKELY(!bpei_entry_is(e, &v.key[p]))
		    || BPEI_UNLIKELY((l->tcp_flags | ANY_PACKET) & watch[e->state]) || BPEI_UNLIKELY((uint64_t)ns - (uint64_t)e->last_ns > least_timeout_ns)) {
			flow[p] = i = settle(t, b, p, i);
			if (i == BPEI_NO_FLOW) {
				refused++;
				continue;
			}
			e = &entries[i];
			e->last_ns = ns > e->last_ns ? ns : e->last_ns;
			e->first_ns = ns < e->first_ns ? ns : e->first_ns;
		} else {
			e->last_ns = ns;
		}
		uint32_t end = !!(l->flags & BPE_PKT_REVERSED);
		e->packets[end]++;
		e->captured[end] += v.caplen[p];
		e->wire[end] += v.wirelen[p];
		e->tcp_flags[end] |= l->tcp_flags;
		counted++;
	}
	if (BPEI_UNLIKELY(t->processes && v.meta)) note_processes(t, b, flow);
	bpei_counter_add(&t->counts.packets, counted);
	if (refused) bpei_counter_add(&t->counts.refused, refused);
	if (t->has_time) bpei_table_sweep(t, SWEEP_BATCH);
}

void bpei_table_age(struct bpei_table *t, int64_t now_ns)
{
	if (!t->has_time) return;
	set_time(t, now_ns);
	bpei_table_sweep(t, SWEEP_IDLE);
}

/* ---- The end ---- */

struct opened { int64_t first_ns; uint32_t entry; };

static int by_opening(const void *x, const void *y)
{
	const struct opened *a = x, *b = y;
	return a->first_ns != b->first_ns ? a->first_ns < b->first_ns ? -1 : 1 : a->entry < b->entry ? -1 : a->entry > b->entry;
}

void bpei_table_end_all(struct bpei_table *t)
{
	struct bpe_flow record;
	size_t n = 0;
	for (uint32_t i = 0; i < t->touched; i++) {
		struct bpei_entry *e = &t->entries[i];
		if (e->bits & ENTRY_ALIVE && bpei_entry_due(t, e, t->now_ns))
			bpei_table_end(t, i, bpei_queue_of(e) == QUEUE_CLOSED ? BPE_END_CLOSED : BPE_END_IDLE);
	}
	uint64_t active = bpei_counter_get(&t->counts.active);
	if (!t->options.on_end || !active) return;
	struct opened *order = malloc(active * sizeof *order);
	for (uint32_t i = 0; i < t->touched; i++) {
		if (!(t->entries[i].bits & ENTRY_ALIVE)) continue;
		if (order) {
			order[n++] = (struct opened){ t->entries[i].first_ns, i };
		} else {	/* no memory to sort in: any order is better than none */
			bpei_entry_record(t, i, BPE_END_STOP, &record);
			t->options.on_end(t->options.user, &record);
		}
	}
	if (order) qsort(order, n, sizeof *order, by_opening);
	for (size_t k = 0; k < n; k++) {
		bpei_entry_record(t, order[k].entry, BPE_END_STOP, &record);
		t->options.on_end(t->options.user, &record);
	}
	free(order);
}
