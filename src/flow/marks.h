/* SPDX-License-Identifier: MIT */
/* Marks: what was found of each packet of a batch (bpe_batch.marks).
 *
 * Without options.marks nobody reads the marks: table.marked stays 0, and a mark is a store without
 * a branch.  With options.marks the packet at hand is noted, and events of the fast path are
 * applied packet by packet (tcp_fast.c). */
#ifndef BPEI_FLOW_MARKS_H
#define BPEI_FLOW_MARKS_H

#include "flow/table.h"

/* Notes the packet at hand; with options.marks. */
static inline void bpei_mark_packet(struct bpei_table *t, uint32_t p)
{
	t->marked = p;
}

/* Adds marks to the packet at hand. */
static inline void bpei_mark_add(struct bpei_table *t, uint32_t marks)
{
	t->marks[t->marked] |= (uint16_t)marks;
}

/* Adds a round trip to the packet at hand. */
static inline void bpei_mark_rtt(struct bpei_table *t, int64_t rtt_ns)
{
	t->rtt_ns[t->marked] = rtt_ns;
	bpei_mark_add(t, BPE_MARK_RTT);
}

#endif
