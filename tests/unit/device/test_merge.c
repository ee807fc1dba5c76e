/* SPDX-License-Identifier: MIT */
/* The heap of sources, held against sorting: order, ties, and the runs of a source. */
#include "device/merge.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define SOURCES 7u
#define PACKETS 300u

/* A source's times, in its own order. */
struct times {
	int64_t ns[PACKETS];
	uint32_t count, at;
};

static uint32_t draw_sequence(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Fills a source with up to PACKETS times; few distinct times, some out of order. */
static void draw_times(struct times *t, uint32_t *state)
{
	int64_t now = draw_sequence(state) % 50;

	t->at = 0;
	t->count = draw_sequence(state) % PACKETS;
	for (uint32_t i = 0; i < t->count; i++) {
		now += draw_sequence(state) % 3;
		t->ns[i] = draw_sequence(state) % 20 ? now : now - draw_sequence(state) % 9;
	}
}

/* Returns the source with the earliest next packet, or SOURCES. */
static uint32_t choose_plainly(const struct times *t)
{
	uint32_t best = SOURCES;

	for (uint32_t k = 0; k < SOURCES; k++)
		if (t[k].at < t[k].count &&
			(best == SOURCES || t[k].ns[t[k].at] < t[best].ns[t[best].at]))
			best = k;
	return best;
}

Test(merge, order_is_that_of_plain_search)
{
	static struct times t[SOURCES];
	struct bpei_merge_entry heap[SOURCES];
	uint32_t state = 1;

	for (int round = 0; round < 200; round++) {
		struct bpei_merge m = { .heap = heap };

		for (uint32_t k = 0; k < SOURCES; k++) {
			draw_times(&t[k], &state);
			if (t[k].count)
				bpei_merge_add(&m, k, t[k].ns[0]);
		}
		while (m.count) {
			struct times *s = &t[m.heap[0].source];
			uint32_t run = bpei_merge_run(&m, s->ns + s->at, s->count - s->at);

			cr_assert_geq(run, 1);
			for (; run; run--, s->at++)
				cr_assert_eq(choose_plainly(t), (uint32_t)(s - t));
			if (s->at < s->count)
				bpei_merge_change_first(&m, s->ns[s->at]);
			else
				bpei_merge_remove_first(&m);
		}
		cr_assert_eq(choose_plainly(t), SOURCES);
	}
}

Test(merge, first_source_wins_ties)
{
	struct bpei_merge_entry heap[3];
	struct bpei_merge m = { .heap = heap };
	const int64_t same[3] = { 5, 5, 5 };

	bpei_merge_add(&m, 2, 5);
	bpei_merge_add(&m, 0, 5);
	bpei_merge_add(&m, 1, 5);
	cr_assert_eq(m.heap[0].source, 0);
	cr_assert_eq(bpei_merge_run(&m, same, 3), 3);
	bpei_merge_remove_first(&m);
	cr_assert_eq(m.heap[0].source, 1);
	bpei_merge_change_first(&m, 6);
	cr_assert_eq(m.heap[0].source, 2);
	cr_assert_eq(bpei_merge_run(&m, same, 3), 3);
}

Test(merge, lone_source_runs_to_its_end)
{
	struct bpei_merge_entry heap[1];
	struct bpei_merge m = { .heap = heap };
	const int64_t backward[3] = { 9, 3, 1 };

	bpei_merge_add(&m, 0, 9);
	cr_assert_eq(bpei_merge_run(&m, backward, 3), 3);
	cr_assert_eq(bpei_merge_run(&m, backward, 0), 0);
	bpei_merge_remove_first(&m);
	cr_assert_eq(m.count, 0);
}
