/* SPDX-License-Identifier: MIT */
/* A binary heap of sources, and the runs of packets that the first source may give (merge.h). */
#include "device/merge.h"

/* Returns whether entry a comes before entry b. */
static bool comes_before(struct bpei_merge_entry a, struct bpei_merge_entry b)
{
	return a.time_ns < b.time_ns || (a.time_ns == b.time_ns && a.source < b.source);
}

/* Puts an entry at the free place `at`, or below: earlier entries move up. */
static void sink_entry(struct bpei_merge *m, uint32_t at, struct bpei_merge_entry entry)
{
	for (uint32_t child; (child = 2 * at + 1) < m->count; at = child) {
		if (child + 1 < m->count && comes_before(m->heap[child + 1], m->heap[child]))
			child++;
		if (!comes_before(m->heap[child], entry))
			break;
		m->heap[at] = m->heap[child];
	}
	m->heap[at] = entry;
}

void bpei_merge_add(struct bpei_merge *m, uint32_t source, int64_t time_ns)
{
	const struct bpei_merge_entry entry = { time_ns, source };
	uint32_t at = m->count++;

	for (; at && comes_before(entry, m->heap[(at - 1) / 2]); at = (at - 1) / 2)
		m->heap[at] = m->heap[(at - 1) / 2];
	m->heap[at] = entry;
}

void bpei_merge_change_first(struct bpei_merge *m, int64_t time_ns)
{
	sink_entry(m, 0, (struct bpei_merge_entry){ time_ns, m->heap[0].source });
}

void bpei_merge_remove_first(struct bpei_merge *m)
{
	const struct bpei_merge_entry last = m->heap[--m->count];

	if (m->count)
		sink_entry(m, 0, last);
}

uint32_t bpei_merge_run(const struct bpei_merge *m, const int64_t *time_ns, uint32_t n)
{
	struct bpei_merge_entry rival;
	uint32_t run = 1;

	if (m->count < 2)
		return n;
	rival = m->heap[1];
	if (m->count > 2 && comes_before(m->heap[2], rival))
		rival = m->heap[2];
	const bool wins_ties = m->heap[0].source < rival.source;

	while (run < n &&
		(time_ns[run] < rival.time_ns || (wins_ties && time_ns[run] == rival.time_ns)))
		run++;
	return run < n ? run : n;
}
