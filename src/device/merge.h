/* SPDX-License-Identifier: MIT */
/* The order in which the packets of several sources are given: a heap of the sources by the time of
 * each source's next packet, then by the source's number.  Each source keeps its own order.  Pure.
 *
 * The order is mergecap's, except at equal times: there the first source comes first. */
#ifndef BPEI_MERGE_H
#define BPEI_MERGE_H

#include <stdbool.h>
#include <stdint.h>

struct bpei_merge_entry {
	int64_t time_ns; /* of the source's next packet */
	uint32_t source;
};

struct bpei_merge {
	struct bpei_merge_entry *heap; /* the caller's memory, an entry for each source */
	uint32_t count;
};

/* Adds a source that is not in the heap. */
void bpei_merge_add(struct bpei_merge *merge, uint32_t source, int64_t time_ns);

/* Gives the first source's next packet another time.  The heap is not empty. */
void bpei_merge_change_first(struct bpei_merge *merge, int64_t time_ns);

/* Takes the first source out of the heap, which is not empty. */
void bpei_merge_remove_first(struct bpei_merge *merge);

/* Returns how many of n times, of the first source's next packets, come before the next packet of
 * every other source: at least 1, if n is.  The heap is not empty. */
uint32_t bpei_merge_run(const struct bpei_merge *merge, const int64_t *time_ns, uint32_t n);

#endif
