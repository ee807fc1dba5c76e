/* SPDX-License-Identifier: MIT */
/* The shared part of the walks of pcap and pcapng savefiles.  A walk reads records in place.  No
 * length is trusted: every record is proved to lie inside the block before any read. */
#ifndef BPEI_SAVEFILE_WALK_H
#define BPEI_SAVEFILE_WALK_H

#include "base/bytes.h"

/* Why a walk returned fewer packets than were requested. */
enum bpei_walk_stop {
	BPEI_WALK_MORE,    /* no reason: there may be more */
	BPEI_WALK_LIMIT,   /* the next record begins at or past stop_offset, or at the very end */
	BPEI_WALK_PARTIAL, /* the record at block->position is not whole */
	BPEI_WALK_BAD      /* the record at block->position cannot be; `why` names the reason */
};

#define BPEI_PCAP_HEADER 24u
#define BPEI_PCAPNG_MAX_BLOCK (16u << 20)
#define BPEI_PCAPNG_SHB 0x0a0d0d0au /* block type of a section header */

/* Returns whether a file that begins with these bytes is pcapng. */
static inline bool bpei_pcapng_is(const uint8_t magic[4])
{
	return bpei_load32(magic) == BPEI_PCAPNG_SHB;
}

/* Returns the most bytes that a packet of this link type may have captured, as libpcap's savefile
 * reader has them. */
uint32_t bpei_link_most(uint32_t link_type);

#endif
