/* SPDX-License-Identifier: MIT */
/* The index: one-line buckets of tags and entry numbers.
 *
 * A key's bucket is its hash's low bits, its tag the whole hash.  A full bucket counts in
 * `overflow` what it sent on to the next; a search ends at the first bucket that sent nothing on,
 * or after BPEI_PROBE_LIMIT. Growth, at three quarters full: a second index of twice the size takes
 * all that is new, and each batch moves a few of the old one's buckets, from their tags alone.
 * Bucket b's tags go to b or to b plus the old size, so that both sides are streamed through. Until
 * the last one has moved, what is not found in the new one is looked for in the old one. Invariant:
 * an alive entry is in exactly one of the two.  There cannot be two growths at once: a batch opens
 * 64 flows at most while it moves STEP buckets, so that the new one is at two thirds when the old
 * one is empty. */
#include "flow/table.h"

#include "base/cacheline.h"
#include "base/mem.h"

#define FIRST_BUCKETS 64u
#define STEP 16u

static size_t bytes_of(uint32_t mask)
{
	return ((size_t)mask + 1) * sizeof(struct bpei_bucket);
}
static uint32_t three_quarters(uint32_t mask)
{
	return (uint32_t)(((uint64_t)mask + 1) * BPEI_BUCKET_SLOTS * 3 / 4);
}

int bpei_index_init(struct bpei_table *t)
{
	t->index = (struct bpei_index){ bpei_mem_map(bytes_of(FIRST_BUCKETS - 1), 0),
		FIRST_BUCKETS - 1 };
	t->grow_at = three_quarters(t->index.mask);
	return t->index.buckets ? BPE_OK : BPE_E_MEMORY;
}

void bpei_index_free(struct bpei_table *t)
{
	bpei_mem_unmap(t->index.buckets, bytes_of(t->index.mask));
	bpei_mem_unmap(t->old.buckets, bytes_of(t->old.mask));
}

uint64_t bpei_index_most_bytes(uint64_t max_flows)
{
	uint32_t mask = FIRST_BUCKETS - 1;
	while (three_quarters(mask) < max_flows)
		mask = mask * 2 + 1;
	return bytes_of(mask) + (mask > FIRST_BUCKETS - 1 ? bytes_of(mask / 2) : 0);
}

static uint32_t find(const struct bpei_table *t, const struct bpei_index *x, uint32_t tag,
	const struct bpe_key *key)
{
	uint32_t b = tag & x->mask;
	for (uint32_t looks = 0; looks <= BPEI_PROBE_LIMIT; looks++, b = (b + 1) & x->mask) {
		const struct bpei_bucket *bucket = &x->buckets[b];
		for (uint32_t m = bpei_bucket_match(bucket, tag); m; m &= m - 1) {
			uint32_t i = ~bucket->entry_inverted[__builtin_ctz(m)];
			if (!key || bpei_entry_is(t, i, key))
				return i;
		}
		if (!bucket->overflow)
			break;
	}
	return BPEI_NO_FLOW;
}

uint32_t bpei_index_find(const struct bpei_table *t, uint32_t tag, const struct bpe_key *key)
{
	uint32_t i = find(t, &t->index, tag, key);
	return i == BPEI_NO_FLOW && t->old.buckets ? find(t, &t->old, tag, key) : i;
}

static void send_on(const struct bpei_index *x, uint32_t tag, uint32_t passed, uint32_t more)
{
	for (uint32_t p = 0; p < passed; p++) {
		struct bpei_bucket *bucket = &x->buckets[(tag + p) & x->mask];
		bucket->overflow += more;
		bucket->has_overflow = bucket->overflow != 0;
	}
}

/* False if no bucket within the limit has room. */
static bool put(const struct bpei_index *x, uint32_t tag, uint32_t i)
{
	for (uint32_t passed = 0; passed <= BPEI_PROBE_LIMIT && passed <= x->mask; passed++) {
		struct bpei_bucket *bucket = &x->buckets[(tag + passed) & x->mask];
		uint32_t empty = bpei_bucket_match(bucket, 0);
		if (!empty)
			continue;
		uint32_t k = (uint32_t)__builtin_ctz(empty);
		bucket->tag[k] = tag;
		bucket->entry_inverted[k] = ~i;
		send_on(x, tag, passed, 1);
		return true;
	}
	return false;
}

static bool take_out(const struct bpei_index *x, uint32_t tag, uint32_t i)
{
	for (uint32_t passed = 0; passed <= BPEI_PROBE_LIMIT && passed <= x->mask; passed++) {
		struct bpei_bucket *bucket = &x->buckets[(tag + passed) & x->mask];
		for (uint32_t m = bpei_bucket_match(bucket, tag); m; m &= m - 1) {
			uint32_t k = (uint32_t)__builtin_ctz(m);
			if (bucket->entry_inverted[k] != ~i)
				continue;
			bucket->tag[k] = 0;
			send_on(x, tag, passed, -1u);
			return true;
		}
		if (!bucket->overflow)
			return false;
	}
	return false;
}

void bpei_index_remove(struct bpei_table *t, uint32_t tag, uint32_t i)
{
	if (take_out(&t->index, tag, i) || (t->old.buckets && take_out(&t->old, tag, i)))
		t->used--;
}

/* Keys that share a neighbourhood: the quietest of the weak, if there are any, else of all makes
 * room. */
static void evict_near(struct bpei_table *t, uint32_t tag)
{
	uint32_t best = BPEI_NO_FLOW;
	for (uint32_t p = 0; p <= BPEI_PROBE_LIMIT && p <= t->index.mask; p++)
		for (uint32_t k = 0; k < BPEI_BUCKET_SLOTS; k++) {
			const struct bpei_bucket *bucket =
				&t->index.buckets[(tag + p) & t->index.mask];
			uint32_t i = ~bucket->entry_inverted[k];
			if (!bucket->tag[k])
				continue;
			const struct bpei_entry *e = &t->entries[i],
						*b = &t->entries[best != BPEI_NO_FLOW ? best : i];
			bool weak = bpei_entry_bits(e) & ENTRY_WEAK,
			     best_weak = bpei_entry_bits(b) & ENTRY_WEAK;
			if (weak != best_weak ? weak
					      : best == BPEI_NO_FLOW || e->last_ns < b->last_ns)
				best = i;
		}
	if (best != BPEI_NO_FLOW)
		bpei_table_evict(t, best, true);
}

static void begin_growth(struct bpei_table *t)
{
	uint32_t mask = t->index.mask * 2 + 1;
	struct bpei_bucket *buckets =
		t->index.mask < INT32_MAX ? bpei_mem_map(bytes_of(mask), 1) : NULL;
	if (!buckets) { /* goes on fuller; tries again later */
		t->grow_at += t->grow_at / 16;
		return;
	}
	t->old = t->index;
	t->index = (struct bpei_index){ buckets, mask };
	t->moved = 0;
	t->grow_at = three_quarters(mask);
	bpei_table_count_bytes(t);
}

/* What is in its own bucket goes to one of two, of which the room is known. */
static void move(struct bpei_table *t, uint32_t number)
{
	struct bpei_bucket *const from = &t->old.buckets[number], *const to[2] = {
		&t->index.buckets[number], &t->index.buckets[number + t->old.mask + 1]
	};
	uint32_t empty[2] = { bpei_bucket_match(to[0], 0), bpei_bucket_match(to[1], 0) };
	for (uint32_t m = ~bpei_bucket_match(from, 0) & BPEI_BUCKET_ALL; m; m &= m - 1) {
		const uint32_t k = (uint32_t)__builtin_ctz(m), tag = from->tag[k],
			       upper = (tag & t->index.mask) != number, room = empty[upper];
		if (BPEI_LIKELY((tag & t->old.mask) == number && room)) {
			to[upper]->tag[__builtin_ctz(room)] = tag;
			to[upper]->entry_inverted[__builtin_ctz(room)] = from->entry_inverted[k];
			empty[upper] &= room - 1;
			from->tag[k] = 0; /* at home: nobody counts it as overflow */
			continue;
		}
		const uint32_t i = ~from->entry_inverted[k];
		if (!put(&t->index, tag, i))
			bpei_table_evict(t, i, true);
		else if ((tag & t->old.mask) == number)
			from->tag[k] = 0;
		else
			take_out(&t->old, tag, i);
		empty[0] = bpei_bucket_match(to[0], 0), empty[1] = bpei_bucket_match(to[1], 0);
	}
}

void bpei_index_step(struct bpei_table *t)
{
	if (!t->old.buckets)
		return;
	for (uint32_t n = 0; n < STEP && t->moved <= t->old.mask; n++, t->moved++)
		move(t, t->moved);
	if (t->moved <= t->old.mask)
		return;
	bpei_mem_unmap(t->old.buckets, bytes_of(t->old.mask));
	t->old.buckets = NULL;
	bpei_table_count_bytes(t);
}

void bpei_index_insert(struct bpei_table *t, uint32_t tag, uint32_t i)
{
	if (t->used >= t->grow_at) {
		while (t->old.buckets)
			bpei_index_step(t);
		begin_growth(t);
	}
	while (!put(&t->index, tag, i))
		evict_near(t, tag);
	t->used++;
}
