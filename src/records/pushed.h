/* SPDX-License-Identifier: MIT */
/* A packet that the program pushed, as a record in the push device's ring (device/push.h): the
 * record, struct bpe_meta if the packet has metadata, the packet's bytes, and padding.  Each part
 * begins at a multiple of 8. */
#ifndef BPEI_PUSHED_H
#define BPEI_PUSHED_H

#include "bpfengine.h"

struct bpei_pushed_record {
	uint32_t bytes;     /* to the next record */
	uint16_t link_type; /* LINKTYPE_* */
	uint16_t meta;      /* the packet's element in the meta column, or BPEI_PUSHED_FILLER */
	int64_t time_ns;
	uint32_t caplen, wirelen, interface_id;
	uint32_t zero;
};
_Static_assert(sizeof(struct bpei_pushed_record) == 32, "parts begin at a multiple of 8");

/* A filler takes the rest of the ring's memory, where the next record would not fit in a piece. */
#define BPEI_PUSHED_FILLER 0xffffu

/* Bytes that a packet's metadata take. */
#define BPEI_PUSHED_META ((sizeof(struct bpe_meta) + 7) & ~(size_t)7)

/* The meta column of pushed packets: BPEI_META_EXT is BPEI_EXT_PUSHED, and the low bits are
 * BPEI_WAY_.  With BPEI_META_OWN, struct bpe_meta lies BPEI_PUSHED_META bytes before the data.
 * 0: the packet has no metadata and no direction. */
#define BPEI_META_WAY 0x3u
#define BPEI_META_OWN 0x4u

#endif
