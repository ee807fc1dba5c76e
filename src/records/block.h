/* SPDX-License-Identifier: MIT */
/* A block: the bytes of one device read.  The reader owns a block while filling.  Once descriptors
 * pointing into the block are pushed, the bytes are read-only and shared.  A block is free again
 * when the head of every ring has passed the block's ring_position. */
#ifndef BPEI_BLOCK_H
#define BPEI_BLOCK_H

#include "bpfengine.h"

#include <stddef.h>

struct bpei_block {
	/* Set once: memory for devices that read into a block; NULL for devices that map their own
	 * buffers (maps_blocks). */
	uint8_t *memory;
	size_t memory_bytes;

	/* Written by the device's fill, read by the device's walk. */
	const uint8_t *bytes; /* start of the records */
	size_t length;        /* readable bytes from there on */
	size_t position;      /* offset of the next record to walk */
	size_t stop_offset;   /* the walk begins no record at or past this offset */
	uint64_t device_data; /* for the device's own use */
	bool uniform_lengths; /* written by walk: nearly all of the last records had the same length
			       */
	uint32_t link_type;   /* written by each walk: link type of the packets returned */

	uint32_t ring_position[BPE_MAX_WORKERS]; /* ring[w].tail after the last push to w */
};

#endif
