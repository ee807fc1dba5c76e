/* SPDX-License-Identifier: MIT */
/* Walking the records of a savefile's bytes in place.  The walk never trusts a length: every record is proved to lie inside
 * the block before it is read.  Sources: pcap-savefile(5); draft-ietf-opsawg-pcapng. */
#ifndef BPEI_WALK_H
#define BPEI_WALK_H

#include "arch/arch.h"
#include "base/names.h"
#include "block/block.h"

/* Why a walk gave fewer packets than it was asked for. */
enum bpei_walk_stop {
	BPEI_WALK_MORE,		/* it did not: there may be more */
	BPEI_WALK_LIMIT,	/* the next record begins at or past the limit, or at the very end */
	BPEI_WALK_PARTIAL,	/* the record at block->position is not whole */
	BPEI_WALK_BAD		/* the record at block->position cannot be: *why says what is wrong */
};

#define BPEI_PCAP_HEADER 24u
#define BPEI_PCAPNG_MAX_BLOCK (16u << 20)

struct bpei_pcap {
	bool swapped;		/* the other byte order */
	bool nanoseconds;
	bool modified;		/* Kuznetzov's: records have 8 more bytes in their header */
	bool lengths_swapped, lengths_maybe_swapped;	/* versions before 2.3, and 2.3 */
	uint32_t snaplen;	/* the file's: more is not shown of a packet */
	uint32_t most;		/* a longer record is damage */
	uint32_t link_type;
	const char *why;
};

/* Reads a file header of at least BPEI_PCAP_HEADER bytes: 1; 0: not pcap; -1: pcap, but see why. */
int bpei_pcap_init(struct bpei_pcap *pcap, const uint8_t *header);
uint32_t bpei_walk_pcap(struct bpei_pcap *pcap, struct bpei_block *block, const struct bpei_columns *columns, uint32_t max,
			uint32_t snaplen, enum bpei_walk_stop *stop);

struct bpei_pcapng_interface {
	uint32_t link_type, snaplen;
	uint64_t units;		/* of a second in a time stamp */
	uint64_t multiplier;	/* units to nanoseconds, where that is a whole number; else 0 */
	int64_t offset_s;
};

struct bpei_pcapng {
	bool swapped, in_section;
	struct bpei_pcapng_interface *interfaces;	/* of this section */
	uint32_t count, room;
	uint32_t before;	/* interfaces of the sections before this one */
	uint32_t first_link_type;
	bool has_link_type;
	struct bpei_names *names;	/* if_name goes here; NULL: nobody asks */
	const char *why;
};

bool bpei_pcapng_is(const uint8_t magic[4]);
void bpei_pcapng_free(struct bpei_pcapng *ng);
/* max 0 walks up to the first packet: for learning the first interface. */
uint32_t bpei_walk_pcapng(struct bpei_pcapng *ng, struct bpei_block *block, const struct bpei_columns *columns, uint32_t max,
			  uint32_t snaplen, enum bpei_walk_stop *stop);

/* The most that a packet of this link type may have captured; as libpcap's savefile reader. */
uint32_t bpei_link_most(uint32_t link_type);

#endif
