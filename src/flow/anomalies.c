/* SPDX-License-Identifier: MIT */
/* The side table of anomalies: open addressing with linear probing, of a fixed size.
 *
 * The table takes no more elements when three quarters are used.  Invariant: an entry has
 * FLAG_ANOMALIES exactly if the entry is in the table.  Hazard: a drop moves other elements, so
 * pointers are good until the next drop. */
#include "flow/anomalies.h"

#define MIN_ANOMALIES 1024u
#define FLOWS_FOR_ANOMALY 64u

uint32_t bpei_anomalies_size(uint64_t max_flows)
{
	const uint64_t size = max_flows / FLOWS_FOR_ANOMALY;

	return size > MIN_ANOMALIES ? (uint32_t)size : MIN_ANOMALIES;
}

/* Uses the finalizer of SplitMix64 (Steele, Lea, Flood, 2014), started from another value than the
 * hash of flow keys. */
uint64_t bpei_anomalies_key(uint64_t seed)
{
	uint64_t x = (seed ^ 0x6578747261u) + 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (x ^ x >> 31) | 1;
}

uint32_t bpei_anomalies_home(uint64_t key, uint32_t size, uint32_t entry)
{
	return (uint32_t)((entry * key >> 32) * size >> 32);
}

/* Returns the home of an entry in this table. */
static uint32_t anomalies_home(const struct bpei_table *t, uint32_t entry)
{
	return bpei_anomalies_home(t->anomalies_key, t->anomalies_size, entry);
}

/* Returns the element after k, in a ring. */
static uint32_t next_anomaly_slot(const struct bpei_table *t, uint32_t k)
{
	return k + 1 < t->anomalies_size ? k + 1 : 0;
}

/* Returns the element of an entry, or the free element where the entry belongs. */
static uint32_t find_anomaly_slot(const struct bpei_table *t, uint32_t entry)
{
	uint32_t k = anomalies_home(t, entry);

	while (t->anomalies[k].entry && t->anomalies[k].entry != entry + 1)
		k = next_anomaly_slot(t, k);
	return k;
}

struct bpei_tcp_anomalies *bpei_anomalies_find(const struct bpei_table *t, uint32_t entry)
{
	if (!(bpei_entry_flags(&t->entries[entry]) & FLAG_ANOMALIES))
		return NULL;
	return &t->anomalies[find_anomaly_slot(t, entry)];
}

struct bpei_tcp_anomalies *bpei_anomalies_get(struct bpei_table *t, uint32_t entry)
{
	struct bpei_entry *const e = &t->entries[entry];

	if (bpei_entry_flags(e) & FLAG_ANOMALIES)
		return bpei_anomalies_find(t, entry);
	if (t->anomalies_used >= t->anomalies_size / 4 * 3)
		return NULL;
	struct bpei_tcp_anomalies *const a = &t->anomalies[find_anomaly_slot(t, entry)];
	*a = (struct bpei_tcp_anomalies){ .entry = entry + 1 };
	bpei_entry_set_flags(e, 0, FLAG_ANOMALIES);
	t->anomalies_used++;
	return a;
}

void bpei_anomalies_drop(struct bpei_table *t, uint32_t entry)
{
	const uint32_t size = t->anomalies_size;

	if (!(bpei_entry_flags(&t->entries[entry]) & FLAG_ANOMALIES))
		return;
	bpei_entry_set_flags(&t->entries[entry], FLAG_ANOMALIES, 0);
	t->anomalies_used--;
	uint32_t gap = find_anomaly_slot(t, entry);
	/* Elements after the gap that a search would not find across the gap move into the gap. */
	for (uint32_t k = next_anomaly_slot(t, gap); t->anomalies[k].entry;
		k = next_anomaly_slot(t, k)) {
		const uint32_t home = anomalies_home(t, t->anomalies[k].entry - 1);

		if ((k + size - home) % size < (k + size - gap) % size)
			continue;
		t->anomalies[gap] = t->anomalies[k];
		gap = k;
	}
	t->anomalies[gap].entry = 0;
}

_Static_assert(BPE_MARK_RETRANSMISSION == 1u << ANOMALY_RETRANSMISSION &&
		       BPE_MARK_FAST == 1u << ANOMALY_FAST &&
		       BPE_MARK_SPURIOUS == 1u << ANOMALY_SPURIOUS &&
		       BPE_MARK_OUT_OF_ORDER == 1u << ANOMALY_OUT_OF_ORDER &&
		       BPE_MARK_ZERO_WINDOW == 1u << ANOMALY_ZERO_WINDOW &&
		       BPE_MARK_LOST_BEFORE == 1u << ANOMALY_LOST &&
		       BPE_MARK_UNSEEN_ACK == 1u << ANOMALY_UNSEEN &&
		       BPE_MARK_KEEP_ALIVE == 1u << ANOMALY_KEEP_ALIVE &&
		       BPE_MARK_DUPLICATE == 1u << ANOMALY_DUPLICATE,
	"marks are bits by anomaly");

struct bpei_tcp_anomalies *bpei_anomaly_count(struct bpei_table *t, uint32_t entry,
	struct bpei_tcp_anomalies *a, uint32_t end, enum bpei_anomaly what)
{
	bpei_mark_add(t, 1u << what);
	if (!a)
		a = bpei_anomalies_get(t, entry);
	if (!a || a->count[what][end] == UINT16_MAX)
		bpei_entry_set_state(&t->entries[entry], 0, STATE_CUT);
	else
		a->count[what][end]++;
	return a;
}
