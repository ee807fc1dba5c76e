/* SPDX-License-Identifier: MIT */
/* Facts of a batch's source besides the packets' columns: the first member of each device, so
 * bpe_batch.source points here.  A device fills the members when opened; the lists behind the
 * members grow.  Any thread reads while the device is open. */
#ifndef BPEI_PACKET_SOURCE_H
#define BPEI_PACKET_SOURCE_H

#include "bpfengine.h"

struct bpei_pcapng_kept;

struct bpei_packet_source {
	/* A source of several: returns the source that the interface belongs to, with *interface_id
	 * the interface's number there; NULL if there is none.  NULL: this is a single source. */
	const struct bpei_packet_source *(*find)(
		const struct bpei_packet_source *source, uint32_t *interface_id);
	/* A source of several: returns single source k, from 0 on; NULL behind the last. */
	const struct bpei_packet_source *(*at)(const struct bpei_packet_source *source, uint32_t k);
	const struct bpei_pcapng_kept *kept; /* of a pcapng file; NULL: another source */
};

/* Returns single source k of all, from 0 on; NULL behind the last. */
static inline const struct bpei_packet_source *bpei_packet_source_at(
	const struct bpei_packet_source *source, uint32_t k)
{
	if (source && source->at)
		return source->at(source, k);
	return k ? NULL : source;
}

/* Returns the single source of a batch's interface, and the interface's number
 * there; NULL: none. */
static inline const struct bpei_packet_source *bpei_packet_source_of(
	const struct bpei_packet_source *source, uint32_t *interface_id)
{
	while (source && source->find)
		source = source->find(source, interface_id);
	return source;
}

/* Returns the single source of packet i of a batch, and the interface's number there; NULL: none.
 */
static inline const struct bpei_packet_source *bpei_packet_source_of_batch(
	const struct bpe_batch *batch, uint32_t i, uint32_t *interface_id)
{
	*interface_id = batch->interface_id[i];
	if (!BPE_HAS(batch, source))
		return NULL;
	return bpei_packet_source_of(
		(const struct bpei_packet_source *)batch->source, interface_id);
}

#endif
