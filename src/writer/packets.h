/* SPDX-License-Identifier: MIT */
/* Packets on their way into a writer's chunk.  The lock is held. */
#ifndef BPEI_WRITER_PACKETS_H
#define BPEI_WRITER_PACKETS_H

#include "writer/writer.h"

/* A packet that is offered, alone or in a batch. */
struct bpei_offered {
	struct bpei_packet_out out; /* interface_id is the source's; stamp is not set */
	int64_t time_ns;
	int32_t link_type;
	const struct bpe_batch *batch; /* NULL: of no batch */
	uint32_t number;               /* in the batch */
	struct bpei_packet_extra extra;
	const struct bpe_meta *meta; /* of a packet of no batch; NULL: none */
};

/* Encodes a packet, and counts.  Returns BPE_OK; BPE_E_END if the writer has ended and the packet
 * is not offered. */
int bpei_packets_encode(struct bpe_writer *w, struct bpei_offered *p);
/* Returns whether the packet is a copy that is not to be written, and counts the copy. */
bool bpei_packets_is_copy(struct bpe_writer *w, const struct bpei_offered *p);
/* Encodes packets first to end - 1 of a batch.  Returns as bpei_packets_encode. */
int bpei_packets_encode_batch(
	struct bpe_writer *w, const struct bpe_batch *batch, uint32_t first, uint32_t end);

#endif
