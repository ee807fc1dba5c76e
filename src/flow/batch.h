/* SPDX-License-Identifier: MIT */
/* A batch on the way through the table, and the steps of its handling: TCP tracking
 * (tcp_fast.c), VLAN tags (sibling.c), ICMP (icmp.c).
 *
 * Life: one call of bpei_table_update.  table.c writes struct bpei_flow_batch; the steps read it,
 * and write the table's cold lines, histories, anomalies and scratch slots.  Invariant: segments of
 * one flow come to TCP tracking in the order of the packets. */
#ifndef BPEI_FLOW_BATCH_H
#define BPEI_FLOW_BATCH_H

#include "flow/table.h"

struct bpei_flow_batch {
	struct bpei_table *t;
	const struct bpe_batch *b;
	uint32_t *flow;  /* by packet: entry, max_flows (none found), or BPEI_NO_FLOW */
	uint64_t tcp;    /* bit p: packet p has a TCP header; written while packets are counted */
	uint64_t cut;    /* bit p: packet p was not captured whole */
	bool has_opened; /* the packet at hand opened a flow; read if table.is_watched */
	uint32_t unkeyed, refused;
};

/* Returns true if the packet has a TCP header. */
static inline bool bpei_layers_have_tcp(const struct bpe_layers *l)
{
	return (l->proto == BPE_PROTO_TCP) & (l->transport != BPE_NO_OFFSET);
}

/* Reads the TCP numbers of packet p.  Returns false if they are unknown. */
static inline bool bpei_batch_segment(const struct bpei_table *t, const struct bpe_batch *b,
	uint32_t p, struct bpei_segment *segment)
{
	return t->options.tcp_health && b->data &&
	       bpei_segment_of(b->data[p], b->caplen[p], b->wirelen[p], &b->layers[p], segment);
}

/* ---- Counting ---- */

/* Returns a packed word with another packet counted.  No carry goes from one part to the next,
 * since each part and the number added are below the end of the part.  For a packet of more than
 * 2^PACKED_BYTES_BITS bytes the caller does not keep the result. */
static inline uint64_t bpei_packed_add(uint64_t packed, uint32_t wire)
{
	return packed + ((uint64_t)wire << PACKED_BYTES_SHIFT) + 1;
}

/* Counts packet p in table.lengths and table.cutoffs, as far as they are kept; slow_path.c. */
void bpei_count_more(const struct bpei_flow_batch *ctx, uint32_t p, uint32_t entry, uint32_t end)
	__attribute__((noinline));

/* Counts of packet p what only some tables, or some packets, need. */
static inline void bpei_count_optional(
	const struct bpei_flow_batch *ctx, uint32_t p, uint32_t entry, uint32_t end)
{
	if (ctx->cut >> p & 1)
		bpei_count_missed(ctx->t, entry, end, ctx->b->wirelen[p], ctx->b->caplen[p]);
	if (ctx->t->counts_more)
		bpei_count_more(ctx, p, entry, end);
}

/* ---- slow_path.c ---- */

/* Handles packets (bits) that the fast path of table.c left: first packets of flows, and packets
 * which do more than increment counters. */
void bpei_handle_slow_packets(struct bpei_flow_batch *ctx, uint64_t packets);

/* ---- tcp_fast.c ---- */

/* Adds a TCP packet to the flow's history and, if the header is whole, analyzes the segment. */
void bpei_tcp_track(const struct bpei_flow_batch *ctx, uint32_t p, uint32_t entry);

/* Tracks packets (bits) that only incremented the counters of their flows, in order. */
void bpei_tcp_track_batch(const struct bpei_flow_batch *ctx, uint64_t packets);

/* ---- sibling.c ---- */

/* Returns the bytes reserved for the siblings of so many flows. */
uint64_t bpei_siblings_bytes(uint64_t max_flows);

/* Returns BPE_OK or BPE_E_MEMORY. */
int bpei_siblings_init(struct bpei_table *t);
void bpei_siblings_free(struct bpei_table *t);

/* Moves packets without a flow to the flow of the same key with or without a VLAN tag, if the
 * packets belong there.  ctx->b is then table.joined.batch, and ctx->flow agrees. */
void bpei_siblings_join(struct bpei_flow_batch *ctx);

/* ---- icmp.c ---- */

/* Keeps type and code of a flow's first message, if captured and no error about the flow. */
void bpei_icmp_keep_type(struct bpei_flow_cold *cold, const struct bpe_batch *b, uint32_t p);

/* Counts an ICMP error by this end, or the end's first packet of its own after errors.  Call before
 * the packet is counted. */
void bpei_icmp_count_error(
	const struct bpei_flow_batch *ctx, uint32_t p, uint32_t entry, uint32_t end);

#endif
