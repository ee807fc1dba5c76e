/* SPDX-License-Identifier: MIT */
/* Extras: what few flows need, by the number of the entry.  A hash table with linear probing, of a size for good; three quarters full is full.
 * Invariant: an entry has ENTRY_EXTRA exactly if it is in here.  Hazard: a drop moves others, so pointers are good until the next one. */
#include "flow/table.h"

#define LEAST 1024u
#define FLOWS_FOR_ONE 64u

uint32_t bpei_extras_size(uint64_t max_flows) { return max_flows / FLOWS_FOR_ONE > LEAST ? (uint32_t)(max_flows / FLOWS_FOR_ONE) : LEAST; }

static uint32_t home(const struct bpei_table *t, uint32_t entry) { return (uint32_t)((uint64_t)(entry * 2654435769u) * t->extras_size >> 32); }

static uint32_t place(const struct bpei_table *t, uint32_t entry)
{
	uint32_t i = home(t, entry);
	while (t->extras[i].entry && t->extras[i].entry != entry + 1) i = i + 1 < t->extras_size ? i + 1 : 0;
	return i;
}

struct bpei_extra *bpei_extra_find(const struct bpei_table *t, uint32_t entry)
{
	return bpei_entry_bits(&t->entries[entry]) & ENTRY_EXTRA ? &t->extras[place(t, entry)] : NULL;
}

struct bpei_extra *bpei_extra_get(struct bpei_table *t, uint32_t entry)
{
	struct bpei_entry *e = &t->entries[entry];
	if (bpei_entry_bits(e) & ENTRY_EXTRA) return bpei_extra_find(t, entry);
	if (t->extras_used >= t->extras_size / 4 * 3) return NULL;
	struct bpei_extra *x = &t->extras[place(t, entry)];
	*x = (struct bpei_extra){ .entry = entry + 1 };
	bpei_entry_set(e, 0, ENTRY_EXTRA);
	t->extras_used++;
	return x;
}

void bpei_extra_drop(struct bpei_table *t, uint32_t entry)
{
	if (!(bpei_entry_bits(&t->entries[entry]) & ENTRY_EXTRA)) return;
	bpei_entry_set(&t->entries[entry], ENTRY_EXTRA, 0);
	t->extras_used--;
	uint32_t hole = place(t, entry), i = hole;
	for (;;) {	/* what lies behind the hole and would not be found over it moves into it */
		i = i + 1 < t->extras_size ? i + 1 : 0;
		if (!t->extras[i].entry) break;
		uint32_t h = home(t, t->extras[i].entry - 1), size = t->extras_size;
		if ((i + size - h) % size < (i + size - hole) % size) continue;
		t->extras[hole] = t->extras[i];
		hole = i;
	}
	t->extras[hole].entry = 0;
}
