/* SPDX-License-Identifier: MIT */
/* Counters beyond their part of the entry, and bytes which were not captured.
 *
 * Both lie in arrays beside the entries, in memory untouched before a flow needs the
 * array. */
#include "flow/table.h"

/* Moves packets up in units of half the lower part, so the lower part keeps at least half: 0
 * packets would mean an end never seen. */
void bpei_count_overflow(struct bpei_table *t, uint32_t i, uint32_t end, uint32_t wire)
{
	struct bpei_entry *const e = &t->entries[i];
	const uint64_t packets = bpei_entry_packets(e, end) + 1ull;
	const uint64_t bytes = (uint64_t)bpei_entry_bytes(e, end) + wire;
	const uint64_t packets_up = packets >> PACKED_PACKETS_BITS;
	const uint64_t bytes_mask = ((uint64_t)1 << PACKED_BYTES_BITS) - 1;

	if (!t->any_overflow) {
		t->any_overflow = true;
		t->bytes_are_stale = true;
	}
	e->packed[end] &= ~PACKED_COUNTS;
	e->packed[end] |= (bytes & bytes_mask) << PACKED_BYTES_SHIFT;
	e->packed[end] |= packets - (packets_up << OVERFLOW_PACKETS_SHIFT);
	t->overflow[i].count[COUNT_PACKETS][end] += (uint32_t)packets_up;
	t->overflow[i].count[COUNT_BYTES][end] += (uint32_t)(bytes >> PACKED_BYTES_BITS);
}

void bpei_count_missed(
	struct bpei_table *t, uint32_t i, uint32_t end, uint32_t wire, uint32_t captured)
{
	if (!t->any_missed) {
		t->any_missed = true;
		t->bytes_are_stale = true;
	}
	t->missed[i][end] += (uint64_t)wire - captured;
}
