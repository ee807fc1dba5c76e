/* SPDX-License-Identifier: MIT */
/* What few flows need, by the number of the entry.
 *
 * Upper counts and missed bytes: arrays beside the entries, in memory that nobody touches before
 * one flow needs it. Extras: a hash table with linear probing, of a size for good; three quarters
 * full is full. Invariant: an entry has ENTRY_EXTRA exactly if it is in here.  Hazard: a drop moves
 * others, so pointers are good until the next one. */
#include "flow/table.h"

#define LEAST 1024u
#define FLOWS_FOR_ONE 64u

uint32_t bpei_extras_size(uint64_t max_flows)
{
	return max_flows / FLOWS_FOR_ONE > LEAST ? (uint32_t)(max_flows / FLOWS_FOR_ONE) : LEAST;
}

/* The finalizer of SplitMix64 (Steele, Lea, Flood, 2014), begun elsewhere than the flow keys' hash.
 */
uint64_t bpei_extras_key(uint64_t seed)
{
	uint64_t x = (seed ^ 0x6578747261u) + 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (x ^ x >> 31) | 1;
}

uint32_t bpei_extra_home(uint64_t key, uint32_t size, uint32_t entry)
{
	return (uint32_t)((entry * key >> 32) * size >> 32);
}

static uint32_t home(const struct bpei_table *t, uint32_t entry)
{
	return bpei_extra_home(t->extras_key, t->extras_size, entry);
}

static uint32_t place(const struct bpei_table *t, uint32_t entry)
{
	uint32_t i = home(t, entry);
	while (t->extras[i].entry && t->extras[i].entry != entry + 1)
		i = i + 1 < t->extras_size ? i + 1 : 0;
	return i;
}

struct bpei_extra *bpei_extra_find(const struct bpei_table *t, uint32_t entry)
{
	return bpei_entry_bits(&t->entries[entry]) & ENTRY_EXTRA ? &t->extras[place(t, entry)]
								 : NULL;
}

struct bpei_extra *bpei_extra_get(struct bpei_table *t, uint32_t entry)
{
	struct bpei_entry *e = &t->entries[entry];
	if (bpei_entry_bits(e) & ENTRY_EXTRA)
		return bpei_extra_find(t, entry);
	if (t->extras_used >= t->extras_size / 4 * 3)
		return NULL;
	struct bpei_extra *x = &t->extras[place(t, entry)];
	*x = (struct bpei_extra){ .entry = entry + 1 };
	bpei_entry_set(e, 0, ENTRY_EXTRA);
	t->extras_used++;
	return x;
}

void bpei_extra_drop(struct bpei_table *t, uint32_t entry)
{
	if (!(bpei_entry_bits(&t->entries[entry]) & ENTRY_EXTRA))
		return;
	bpei_entry_set(&t->entries[entry], ENTRY_EXTRA, 0);
	t->extras_used--;
	uint32_t hole = place(t, entry), i = hole;
	for (;;) { /* what lies behind the hole and would not be found over it moves into it */
		i = i + 1 < t->extras_size ? i + 1 : 0;
		if (!t->extras[i].entry)
			break;
		uint32_t h = home(t, t->extras[i].entry - 1), size = t->extras_size;
		if ((i + size - h) % size < (i + size - hole) % size)
			continue;
		t->extras[hole] = t->extras[i];
		hole = i;
	}
	t->extras[hole].entry = 0;
}

/* ---- Counts that leave their part of the entry ---- */

/* A low part that has passed on its upper count keeps at least half, since 0 packets mean that
 * nobody was seen at that end. */
void bpei_count_large(struct bpei_table *t, uint32_t i, uint32_t end, uint32_t wire)
{
	struct bpei_entry *e = &t->entries[i];
	const uint64_t packets = bpei_entry_packets(e, end) + 1ull;
	const uint64_t wires = (uint64_t)bpei_entry_wire(e, end) + wire;
	const uint64_t up = packets >> SUMS_PACKETS_BITS,
		       most = ((uint64_t)1 << SUMS_WIRE_BITS) - 1;
	if (!t->any_upper) {
		t->any_upper = true;
		bpei_table_count_bytes(t);
	}
	e->sums[end] &= ~SUMS_COUNTS;
	e->sums[end] |= (wires & most) << SUMS_WIRE | (packets - (up << UPPER_PACKETS));
	t->uppers[i].count[COUNT_PACKETS][end] += (uint32_t)up;
	t->uppers[i].count[COUNT_WIRE][end] += (uint32_t)(wires >> SUMS_WIRE_BITS);
}

void bpei_count_missed(
	struct bpei_table *t, uint32_t i, uint32_t end, uint32_t wire, uint32_t captured)
{
	if (!t->any_missed) {
		t->any_missed = true;
		bpei_table_count_bytes(t);
	}
	t->missed[i][end] += (uint64_t)wire - captured;
}
