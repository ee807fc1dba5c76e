/* SPDX-License-Identifier: MIT */
/* Walks the records of a pcap file in place.  Source: pcap-savefile(5). */
#ifndef BPEI_WALK_PCAP_H
#define BPEI_WALK_PCAP_H

#include "arch/arch.h"
#include "records/block.h"
#include "records/savefile_walk.h"

/* The form of a file, from its header, and the state of its walk. */
struct bpei_pcap {
	bool swapped; /* the other byte order */
	bool nanoseconds;
	bool modified;              /* Kuznetzov's: record headers have 8 more bytes */
	bool lengths_swapped;       /* versions before 2.3: wire length before captured length */
	bool lengths_maybe_swapped; /* version 2.3 */
	bool has_packets;           /* a packet was walked */
	uint32_t last_bytes;        /* shown of the last packet, if has_packets */
	uint32_t files;             /* file headers met inside the file */
	uint64_t file_at;           /* offset of the last of them in its block */
	bool at_end; /* nothing follows the block's bytes; else a record of zeros waits for more
		      * bytes */
	uint32_t snaplen; /* the file's: no more is shown of a packet */
	uint32_t most;    /* a longer record is damage */
	uint32_t link_type;
	const char *why; /* what is wrong, of BPEI_WALK_BAD */
};

/* Reads a file header of at least BPEI_PCAP_HEADER bytes.  Returns 1; 0 if the file is not pcap; -1
 * if the file is pcap of an unknown version (pcap->why). */
int bpei_pcap_init(struct bpei_pcap *pcap, const uint8_t *header);

/* Fills the columns with up to max packets of the block, from block->position on, and moves the
 * position behind them.  Returns the number of packets. */
uint32_t bpei_walk_pcap(struct bpei_pcap *pcap, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max, uint32_t snaplen,
	enum bpei_walk_stop *stop);

#endif
