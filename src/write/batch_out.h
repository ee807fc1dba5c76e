/* SPDX-License-Identifier: MIT */
/* Writes a packet of a batch with all facts of the source: comments, direction, drops, hash,
 * queue, verdict, process and other options of a pcapng file; of a Mac's device, and of pushed
 * packets, Apple's process blocks and options.
 *
 * A packet with an element in the meta column comes here; others are plain. */
#ifndef BPEI_BATCH_OUT_H
#define BPEI_BATCH_OUT_H

#include "write/pcapng_out.h"
#include "write/process_table.h"

#include "bpfengine.h"

/* A packet of a batch. */
struct bpei_batch_packet {
	const struct bpe_batch *batch;
	uint32_t i;
	struct bpei_packet_out out;     /* interface_id: the place in the section */
	struct bpei_packet_extra extra; /* the writer's; the source's options come first */
	bool is_changed;                /* addresses are replaced: no hash, comment or unknown
					 * option of the source */
};

/* Returns whether the batch's packet i has more than bytes. */
static inline bool bpei_batch_packet_has_more(const struct bpe_batch *batch, uint32_t i)
{
	return batch->meta && batch->meta[i];
}

/* Returns the most bytes that bpei_batch_packet_put writes. */
size_t bpei_batch_packet_room(const struct bpei_batch_packet *packet);

/* Writes the packet's processes that the section lacks, then the packet.  Returns the
 * bytes; 0: no room, and the section has no more processes than before. */
size_t bpei_batch_packet_put(struct bpei_process_table *processes, uint8_t *to, size_t room,
	const struct bpei_batch_packet *packet);

/* Bytes that metadata add to a packet of no batch, at most. */
#define BPEI_META_PACKET_MORE 700u

/* Writes a packet of no batch with metadata, likewise. */
size_t bpei_meta_packet_put(struct bpei_process_table *processes, uint8_t *to, size_t room,
	const struct bpei_packet_out *out, const struct bpei_packet_extra *extra,
	const struct bpe_meta *meta);

#endif
