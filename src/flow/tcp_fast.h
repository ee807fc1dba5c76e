/* SPDX-License-Identifier: MIT */
/* A batch on its way through the table, and its TCP segments' way into what is known of their
 * connections (tcp_fast.c).  For the table's files alone; the table's owner calls.  table.c writes
 * the passage; what is here reads it, and writes the table's details, histories, extras and shared
 * places. Invariant: of one flow, segments come here in the packets' order. */
#ifndef BPEI_FLOW_FOLLOW_H
#define BPEI_FLOW_FOLLOW_H

#include "flow/tcp_analysis.h"

/* A batch on its way through the table. */
struct bpei_passage {
	struct bpei_table *t;
	const struct bpe_batch *b;
	uint32_t *flow; /* by packet */
	uint64_t tcp;   /* bit p: packet p is TCP, its header found */
	uint64_t
		cut; /* bit p: not captured whole (or, if its record is damaged, more than whole) */
	bool errors; /* there is an ICMP error among its packets */
	bool tagged; /* there is a VLAN tag */
	uint32_t unkeyed, refused;
};

/* The numbers of packet p, which is TCP; false if they are not known. */
static inline bool bpei_packet_segment(
	const struct bpei_table *t, const struct bpe_batch *b, uint32_t p, struct bpei_segment *s)
{
	return t->options.tcp_health && b->data &&
	       bpei_segment_of(b->data[p], b->caplen[p], b->wirelen[p], &b->layers[p], s);
}

/* TCP's flags into the flow's history, and with its header whole, what is to be known of its
 * health. */
void bpei_tcp_note(const struct bpei_passage *g, uint32_t packet, uint32_t entry);
/* The same for packets (bits) that are simply one more of their flows, and were counted already, in
 * their order. */
void bpei_tcp_follow(const struct bpei_passage *g, uint64_t which);

/* sibling.c: brings packets without a flow of their own to that of the same key with or without a
 * VLAN tag, if they belong to it: g->b is then another batch, and g->flow what was found of it. */
void bpei_siblings_join(struct bpei_passage *g);

/* icmp.c */
void bpei_icmp_note(struct bpei_detail *d, const struct bpe_batch *b, uint32_t packet);
/* Counts an ICMP error by this end, or the first packet of its own after errors; before the packet
 * itself is counted. */
void bpei_error_note(const struct bpei_passage *g, uint32_t packet, uint32_t entry, uint32_t end);

#endif
