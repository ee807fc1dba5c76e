/* SPDX-License-Identifier: MIT */
/* The index: buckets of one cache line, which hold tags and entry numbers.
 *
 * The low bits of a key's hash are the number of the key's own bucket; the tag is the whole hash.
 * A full bucket counts in `overflow` the tags that were put into later buckets.  A search ends at
 * the first bucket without overflow, or after BPEI_PROBE_LIMIT buckets.
 *
 * Growth: at three quarters full, a second index of twice the size takes all new tags.  Each batch
 * moves a few buckets of the old index, by the tags alone.  Tags of bucket b go to b or to b
 * plus the old size, so both indexes are read and written in order.  Until the last bucket has been
 * moved, a search without success in the new index goes on in the old index.
 *
 * Invariant: an alive entry is in exactly one of both indexes.  Growths do not overlap: a batch
 * opens at most 64 flows while BPEI_GROW_BATCH buckets are moved.  So the new index is two thirds
 * full when the old index is empty.
 *
 * Eviction: the index never ends a flow.  Where a key finds no room the index returns an entry
 * as the victim, and the caller evicts the flow and calls again. */
#include "flow/table.h"

#include "base/cacheline.h"
#include "base/mem.h"

#define MIN_BUCKETS 64u

/* Returns the size of an index. */
static size_t bytes_of_buckets(uint32_t mask)
{
	return ((size_t)mask + 1) * sizeof(struct bpei_bucket);
}

/* Returns the number of entries at which an index grows. */
static uint32_t three_quarters_of(uint32_t mask)
{
	return (uint32_t)(((uint64_t)mask + 1) * BPEI_BUCKET_SLOTS * 3 / 4);
}

int bpei_index_init(struct bpei_table *t)
{
	t->index.buckets = bpei_mem_map(bytes_of_buckets(MIN_BUCKETS - 1), 0);
	t->index.mask = MIN_BUCKETS - 1;
	t->grow_at = three_quarters_of(t->index.mask);
	return t->index.buckets ? BPE_OK : BPE_E_MEMORY;
}

void bpei_index_free(struct bpei_table *t)
{
	bpei_mem_unmap(t->index.buckets, bytes_of_buckets(t->index.mask));
	bpei_mem_unmap(t->old.buckets, bytes_of_buckets(t->old.mask));
}

uint64_t bpei_index_max_bytes(uint64_t max_flows)
{
	uint32_t mask = MIN_BUCKETS - 1;

	while (three_quarters_of(mask) < max_flows)
		mask = mask * 2 + 1;
	if (mask == MIN_BUCKETS - 1)
		return bytes_of_buckets(mask);
	return bytes_of_buckets(mask) + bytes_of_buckets(mask / 2);
}

/* Returns the entry with a tag and key in an index, or BPEI_NO_FLOW. */
static uint32_t find_in_index(const struct bpei_table *t, const struct bpei_index *x, uint32_t tag,
	const struct bpe_key *key)
{
	uint32_t b = tag & x->mask;

	for (uint32_t passed = 0; passed <= BPEI_PROBE_LIMIT; passed++, b = (b + 1) & x->mask) {
		const struct bpei_bucket *const bucket = &x->buckets[b];

		for (uint32_t m = bpei_bucket_match(bucket, tag); m; m &= m - 1) {
			const uint32_t i = ~bucket->entry_inverted[__builtin_ctz(m)];

			if (!key || bpei_entry_matches(t, i, key))
				return i;
		}
		if (!bucket->overflow)
			break;
	}
	return BPEI_NO_FLOW;
}

uint32_t bpei_index_find(const struct bpei_table *t, uint32_t tag, const struct bpe_key *key)
{
	const uint32_t i = find_in_index(t, &t->index, tag, key);

	if (i == BPEI_NO_FLOW && t->old.buckets)
		return find_in_index(t, &t->old, tag, key);
	return i;
}

/* Adds `change` to the overflow of the buckets that a tag has passed. */
static void add_overflow(const struct bpei_index *x, uint32_t tag, uint32_t passed, uint32_t change)
{
	for (uint32_t p = 0; p < passed; p++) {
		struct bpei_bucket *const bucket = &x->buckets[(tag + p) & x->mask];

		bucket->overflow += change;
		bucket->has_overflow = bucket->overflow != 0;
	}
}

/* Puts an entry into the first bucket with room.  Returns false if none in reach has room. */
static bool put_into_index(const struct bpei_index *x, uint32_t tag, uint32_t i)
{
	for (uint32_t passed = 0; passed <= BPEI_PROBE_LIMIT && passed <= x->mask; passed++) {
		struct bpei_bucket *const bucket = &x->buckets[(tag + passed) & x->mask];
		const uint32_t empty = bpei_bucket_match(bucket, 0);

		if (!empty)
			continue;
		const uint32_t k = (uint32_t)__builtin_ctz(empty);
		bucket->tag[k] = tag;
		bucket->entry_inverted[k] = ~i;
		add_overflow(x, tag, passed, 1);
		return true;
	}
	return false;
}

/* Takes an entry out of an index.  Returns false if the entry is not there. */
static bool take_from_index(const struct bpei_index *x, uint32_t tag, uint32_t i)
{
	for (uint32_t passed = 0; passed <= BPEI_PROBE_LIMIT && passed <= x->mask; passed++) {
		struct bpei_bucket *const bucket = &x->buckets[(tag + passed) & x->mask];

		for (uint32_t m = bpei_bucket_match(bucket, tag); m; m &= m - 1) {
			const uint32_t k = (uint32_t)__builtin_ctz(m);

			if (bucket->entry_inverted[k] != ~i)
				continue;
			bucket->tag[k] = 0;
			add_overflow(x, tag, passed, -1u);
			return true;
		}
		if (!bucket->overflow)
			return false;
	}
	return false;
}

void bpei_index_remove(struct bpei_table *t, uint32_t tag, uint32_t i)
{
	if (take_from_index(&t->index, tag, i) ||
		(t->old.buckets && take_from_index(&t->old, tag, i)))
		t->used--;
}

/* Returns true if entry a goes before entry b: evictable before others, then the longer idle. */
static bool goes_before(const struct bpei_entry *a, const struct bpei_entry *b)
{
	const bool a_evictable = bpei_entry_flags(a) & FLAG_EVICTABLE;
	const bool b_evictable = bpei_entry_flags(b) & FLAG_EVICTABLE;

	if (a_evictable != b_evictable)
		return a_evictable;
	return a->last_ns < b->last_ns;
}

/* Returns the entry to evict where all buckets in reach of a tag are full. */
static uint32_t find_collision_victim(const struct bpei_table *t, uint32_t tag)
{
	const struct bpei_index *const x = &t->index;
	uint32_t best = BPEI_NO_FLOW;

	for (uint32_t passed = 0; passed <= BPEI_PROBE_LIMIT && passed <= x->mask; passed++) {
		const struct bpei_bucket *const bucket = &x->buckets[(tag + passed) & x->mask];

		for (uint32_t k = 0; k < BPEI_BUCKET_SLOTS; k++) {
			const uint32_t i = ~bucket->entry_inverted[k];

			if (!bucket->tag[k])
				continue;
			if (best == BPEI_NO_FLOW || goes_before(&t->entries[i], &t->entries[best]))
				best = i;
		}
	}
	return best;
}

/* Starts a growth.  Without memory the index goes on fuller, and tries again later. */
static void start_growth(struct bpei_table *t)
{
	const uint32_t mask = t->index.mask * 2 + 1;
	struct bpei_bucket *buckets = NULL;

	if (t->index.mask < INT32_MAX)
		buckets = bpei_mem_map(bytes_of_buckets(mask), 1);
	if (!buckets) {
		t->grow_at += t->grow_at / 16;
		return;
	}
	t->old = t->index;
	t->index = (struct bpei_index){ buckets, mask };
	t->moved = 0;
	t->grow_at = three_quarters_of(mask);
	t->bytes_are_stale = true;
}

/* Moves a bucket of the old index.  A tag in the tag's own bucket goes to either of two buckets,
 * with their free slots in `empty`.  Returns BPEI_NO_FLOW, or an entry without room in the new
 * index. */
static uint32_t move_bucket(struct bpei_table *t, uint32_t number)
{
	struct bpei_bucket *const from = &t->old.buckets[number];
	struct bpei_bucket *const to[2] = { &t->index.buckets[number],
		&t->index.buckets[number + t->old.mask + 1] };
	uint32_t empty[2] = { bpei_bucket_match(to[0], 0), bpei_bucket_match(to[1], 0) };

	for (uint32_t m = ~bpei_bucket_match(from, 0) & BPEI_BUCKET_ALL; m; m &= m - 1) {
		const uint32_t k = (uint32_t)__builtin_ctz(m);
		const uint32_t tag = from->tag[k];
		const uint32_t upper = (tag & t->index.mask) != number;
		const uint32_t room = empty[upper];
		const bool is_own_bucket = (tag & t->old.mask) == number;

		if (BPEI_LIKELY(is_own_bucket && room)) {
			to[upper]->tag[__builtin_ctz(room)] = tag;
			to[upper]->entry_inverted[__builtin_ctz(room)] = from->entry_inverted[k];
			empty[upper] &= room - 1;
			from->tag[k] = 0; /* in its own bucket a tag is in no overflow count */
			continue;
		}
		const uint32_t i = ~from->entry_inverted[k];
		if (!put_into_index(&t->index, tag, i))
			return i;
		if (is_own_bucket)
			from->tag[k] = 0;
		else
			take_from_index(&t->old, tag, i);
		empty[0] = bpei_bucket_match(to[0], 0);
		empty[1] = bpei_bucket_match(to[1], 0);
	}
	return BPEI_NO_FLOW;
}

uint32_t bpei_index_grow(struct bpei_table *t, uint32_t *buckets)
{
	if (!t->old.buckets)
		return BPEI_NO_FLOW;
	for (; *buckets && t->moved <= t->old.mask; --*buckets, t->moved++) {
		const uint32_t victim = move_bucket(t, t->moved);

		if (victim != BPEI_NO_FLOW)
			return victim;
	}
	if (t->moved <= t->old.mask)
		return BPEI_NO_FLOW;
	bpei_mem_unmap(t->old.buckets, bytes_of_buckets(t->old.mask));
	t->old.buckets = NULL;
	t->bytes_are_stale = true;
	return BPEI_NO_FLOW;
}

uint32_t bpei_index_insert(struct bpei_table *t, uint32_t tag, uint32_t i)
{
	if (t->used >= t->grow_at) {
		uint32_t all = UINT32_MAX;
		const uint32_t victim = bpei_index_grow(t, &all);

		if (victim != BPEI_NO_FLOW)
			return victim;
		start_growth(t);
	}
	if (!put_into_index(&t->index, tag, i))
		return find_collision_victim(t, tag);
	t->used++;
	return BPEI_NO_FLOW;
}
