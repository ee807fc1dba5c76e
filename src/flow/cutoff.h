/* SPDX-License-Identifier: MIT */
/* The cutoff: how much of each packet is to be written to a savefile (bpe_batch.keep).
 *
 * The first cutoff_bytes of a flow are kept.  The bytes are those captured of both ends together,
 * headers included, in the order of the packets.  A packet is kept whole if the flow had fewer
 * bytes before it.  Later packets are kept up to the last known header, or not at all.  Without
 * options.cutoff the table has no array for it, and no packet is looked at. */
#ifndef BPEI_FLOW_CUTOFF_H
#define BPEI_FLOW_CUTOFF_H

#include "flow/batch.h"

/* Of a flow, by entry.  unwritten: by end, of the flow or of its period. */
struct bpei_cutoff {
	uint64_t seen_bytes; /* captured so far, up to the cutoff */
	uint64_t unwritten_packets[2];
	uint64_t unwritten_bytes[2];
};

/* Decides about packet p of a flow, in table.keep, and counts what is not kept. */
void bpei_cutoff_count(const struct bpei_flow_batch *ctx, uint32_t p, uint32_t entry, uint32_t end);

/* Starts a batch: all packets are kept whole so far. */
void bpei_cutoff_begin(struct bpei_table *t, const struct bpe_batch *b);

/* Forgets the flow of an entry; with options.cutoff. */
void bpei_cutoff_open(struct bpei_table *t, uint32_t entry);

/* Starts a period of the flow: the cutoff goes on, and counts begin anew; with options.cutoff. */
void bpei_cutoff_end_period(struct bpei_table *t, uint32_t entry);

/* Copies the counts of an end to endpoint k of the record; with options.cutoff. */
void bpei_cutoff_record(
	const struct bpei_table *t, uint32_t entry, uint32_t k, uint32_t end, struct bpe_flow *r);

#endif
