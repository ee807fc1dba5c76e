/* SPDX-License-Identifier: MIT */
/* A block: the bytes of one device read.  It belongs to the reader while it fills; once descriptors
 * that point into it are pushed, its bytes are read-only and shared, and it is free again when
 * every ring's head has passed its mark. */
#ifndef BPEI_BLOCK_H
#define BPEI_BLOCK_H

#include "bpfengine.h"

#include <stddef.h>

struct bpei_block {
	/* Set once: memory of its own for devices that read into it; NULL for devices that lend
	 * (mmap). */
	uint8_t *memory;
	size_t memory_bytes;

	/* Set by the device's fill, read by its walk. */
	const uint8_t *bytes; /* where the records begin */
	size_t length;        /* bytes that may be read from there */
	size_t position;      /* where the walk stands */
	size_t limit;         /* the walk begins no record at or past this offset */
	uint64_t cookie;      /* the device's own */
	bool even;            /* the walk's: nearly all of the last records were of one length */
	uint32_t link_type;   /* set by each walk: link type of the packets it gave */

	uint32_t mark[BPE_MAX_WORKERS]; /* ring[w].tail after the block's last push to w */
};

#endif
