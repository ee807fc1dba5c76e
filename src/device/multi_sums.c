/* SPDX-License-Identifier: MIT */
/* The counters of the device over several sources: sums over the sources (multi.h). */
#include "device/multi.h"

/* The summed counters. */
#define AT(member) offsetof(struct bpei_device, member)
static const size_t summed[BPEI_MULTI_SUMS] = { AT(kernel_received), AT(kernel_dropped),
	AT(interface_dropped), AT(kernel_accepted), AT(inbound), AT(outbound), AT(filtered),
	AT(torn_blocks), AT(duplicates), AT(empty_reads), AT(filled_bytes), AT(filled_capacity),
	AT(source_position), AT(duplicate_captured), AT(duplicate_wire) };
enum { FIRST_CLEARED = 13 }; /* the reader sets these to 0 when they were counted */
#undef AT

static bpei_counter *counter_at(struct bpei_device *d, size_t offset)
{
	return (bpei_counter *)(void *)((char *)d + offset);
}

void bpei_multi_collect(struct bpei_multi *m, struct bpei_multi_source *s)
{
	for (size_t k = 0; k < BPEI_MULTI_SUMS; k++) {
		bpei_counter *from = counter_at(s->device, summed[k]);
		const uint64_t now = bpei_counter_get(from);

		if (now == s->seen[k])
			continue;
		bpei_counter_add(counter_at(&m->device, summed[k]), now - s->seen[k]);
		if (k < FIRST_CLEARED)
			s->seen[k] = now;
		else
			bpei_counter_set(from, 0);
	}
}

uint32_t bpei_multi_count_going(const struct bpei_multi *m)
{
	const uint32_t count = bpei_multi_count(m);
	uint32_t going = 0;

	for (uint32_t k = 0; k < count; k++)
		going += !bpei_multi_has_ended(m->sources[k]);
	return going;
}
