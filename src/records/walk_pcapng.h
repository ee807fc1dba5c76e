/* SPDX-License-Identifier: MIT */
/* Walks the blocks of a pcapng file in place.  Source: draft-ietf-opsawg-pcapng. */
#ifndef BPEI_WALK_PCAPNG_H
#define BPEI_WALK_PCAPNG_H

#include "arch/arch.h"
#include "base/ifnames.h"
#include "records/block.h"
#include "records/pcapng_kept.h"
#include "records/savefile_walk.h"

/* Packets that the file's writer did not receive, or received and did not write, by the file's own
 * statistics. */
struct bpei_pcapng_stats {
	uint64_t received, accepted, dropped, interface_dropped;
	uint64_t known; /* BPE_KNOWN_*: the members that the file has */
};

/* The direction of a packet; in the meta column of a device with directions. */
enum { BPEI_WAY_UNKNOWN, BPEI_WAY_IN, BPEI_WAY_OUT };
#define BPEI_WAYS 3

/* An interface of a section. */
struct bpei_pcapng_interface {
	uint32_t link_type, snaplen;
	uint32_t most;       /* bytes of a packet; more is damage */
	uint64_t units;      /* of a second in a time stamp */
	uint64_t multiplier; /* nanoseconds of a unit, if a whole number; else 0 */
	int64_t offset_s;
	int64_t last_ns; /* of the last packet with a time, if is_timed */
	struct bpei_pcapng_stats stats;
	bool is_timed;
	bool has_drops; /* stats.dropped is from a statistics block */
};

struct bpei_pcapng {
	bool swapped, in_section;
	struct bpei_pcapng_interface *interfaces; /* of this section */
	uint32_t count, room;
	uint32_t before; /* interfaces of the sections before this section */
	uint32_t first_link_type;
	bool has_link_type;
	struct bpei_names *names;      /* receives if_name; NULL: not wanted */
	struct bpei_pcapng_kept *kept; /* receives processes and blocks; NULL: not wanted */
	const char *why;               /* the fault, of BPEI_WALK_BAD */
	uint64_t source_end; /* offset in the block where the source ends, if behind the block; 0:
			      * not known */
	uint64_t skip;       /* bytes of a long block still to be skipped */
	uint32_t trailer; /* a long block's length, expected in the block's last bytes; 0: none */
	bool is_timed;    /* a packet had a time */
	int64_t last_ns;  /* of the last packet with a time */
	struct bpei_pcapng_stats stats; /* of all interfaces */
	uint64_t inbound, outbound;     /* packets with this direction */
	uint64_t oversized;             /* packets skipped, too long for memory */
};

/* Frees the interfaces, and clears *ng. */
void bpei_pcapng_free(struct bpei_pcapng *ng);

/* Fills the columns with up to max packets of the block, from block->position on.  All packets have
 * the same link type.  The position moves behind the packets.  Returns the number of packets.  max
 * 0 walks up to the first packet, which makes the first interface known. */
uint32_t bpei_walk_pcapng(struct bpei_pcapng *ng, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max, uint32_t snaplen,
	enum bpei_walk_stop *stop);

/* Finds the next packet with a time in the block, from *at on.  Returns true, with the packet's
 * time and interface, and *at behind the packet; false if there is none.  Changes nothing else. */
bool bpei_pcapng_look_ahead(const struct bpei_pcapng *ng, const struct bpei_block *block,
	size_t *at, uint32_t *interface_id, int64_t *time_ns);

/* ---- pcapng_stats.c ---- */

/* Takes the totals of an interface statistics block's body. */
void bpei_pcapng_read_statistics(struct bpei_pcapng *ng, const void *body, size_t length);

/* Counts packets of the interface, lost before a packet of the file. */
void bpei_pcapng_count_lost(struct bpei_pcapng *ng, uint32_t interface, uint64_t packets);

/* The options of a packet block. */
struct bpei_packet_options {
	uint64_t lost; /* packets lost before this packet */
	uint16_t way;  /* BPEI_WAY_* */
	uint16_t meta; /* the packet's element in the meta column (records/pcapng_options.h) */
};

/* Reads the options of a packet block. */
struct bpei_packet_options bpei_pcapng_read_options(
	const struct bpei_pcapng *ng, const void *options, size_t length);

/* Returns the bits of the meta column for a packet block that is not an enhanced one. */
uint16_t bpei_pcapng_old_block_meta(const struct bpei_pcapng *ng);

/* Keeps the process of a process block, and copies of the blocks that writers pass on.  ng->kept is
 * not NULL. */
void bpei_pcapng_keep_block(struct bpei_pcapng *ng, uint32_t type, const void *body, size_t length);

/* Returns whether a batch ends before a block of this type, so that a writer passes the block on at
 * its place. */
bool bpei_pcapng_ends_batch(const struct bpei_pcapng *ng, uint32_t type);

#endif
