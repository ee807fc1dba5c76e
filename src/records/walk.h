/* SPDX-License-Identifier: MIT */
/* Walking the records of a savefile's bytes in place.  The walk never trusts a length: every record
 * is proved to lie inside the block before it is read.  Sources: pcap-savefile(5);
 * draft-ietf-opsawg-pcapng. */
#ifndef BPEI_WALK_H
#define BPEI_WALK_H

#include "arch/arch.h"
#include "base/ifnames.h"
#include "records/block.h"

/* Why a walk gave fewer packets than it was asked for. */
enum bpei_walk_stop {
	BPEI_WALK_MORE,    /* it did not: there may be more */
	BPEI_WALK_LIMIT,   /* the next record begins at or past the limit, or at the very end */
	BPEI_WALK_PARTIAL, /* the record at block->position is not whole */
	BPEI_WALK_BAD      /* the record at block->position cannot be: *why says what is wrong */
};

#define BPEI_PCAP_HEADER 24u
#define BPEI_PCAPNG_MAX_BLOCK (16u << 20)

struct bpei_pcap {
	bool swapped; /* the other byte order */
	bool nanoseconds;
	bool modified; /* Kuznetzov's: records have 8 more bytes in their header */
	bool lengths_swapped, lengths_maybe_swapped; /* versions before 2.3, and 2.3 */
	bool has_packets; /* one was walked; last_bytes: as much as was shown of the last one */
	uint32_t last_bytes;
	uint32_t files;   /* how many file headers were met inside the file */
	uint64_t file_at; /* where in its block the last one of them was */
	bool at_end; /* nothing comes behind the block's bytes; else a record of zeros waits for
			what does */
	uint32_t snaplen; /* the file's: more is not shown of a packet */
	uint32_t most;    /* a longer record is damage */
	uint32_t link_type;
	const char *why;
};

/* Reads a file header of at least BPEI_PCAP_HEADER bytes: 1; 0: not pcap; -1: pcap, but see why. */
int bpei_pcap_init(struct bpei_pcap *pcap, const uint8_t *header);
uint32_t bpei_walk_pcap(struct bpei_pcap *pcap, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max, uint32_t snaplen,
	enum bpei_walk_stop *stop);

/* What the file says that its writer did not get, or got and did not write. */
struct bpei_pcapng_told {
	uint64_t received, accepted, dropped, interface_dropped;
	uint64_t known; /* BPE_KNOWN_*: which of them it says at all */
};

/* Which way a packet went; in the meta column of a device that is directed. */
enum { BPEI_WAY_UNKNOWN, BPEI_WAY_IN, BPEI_WAY_OUT };
#define BPEI_WAYS 3

struct bpei_pcapng_interface {
	uint32_t link_type, snaplen;
	uint32_t most;       /* bytes of a packet; more is damage */
	uint64_t units;      /* of a second in a time stamp */
	uint64_t multiplier; /* units to nanoseconds, where that is a whole number; else 0 */
	int64_t offset_s;
	int64_t last_ns; /* of its last packet with a time, if is_timed */
	struct bpei_pcapng_told told;
	bool is_timed, has_drops; /* has_drops: told.dropped is from its statistics */
};

struct bpei_pcapng {
	bool swapped, in_section;
	struct bpei_pcapng_interface *interfaces; /* of this section */
	uint32_t count, room;
	uint32_t before; /* interfaces of the sections before this one */
	uint32_t first_link_type;
	bool has_link_type;
	struct bpei_names *names; /* if_name goes here; NULL: nobody asks */
	const char *why;
	uint64_t source_end; /* where in the block the source ends, if that lies behind it; 0: not
				known */
	uint64_t skip;       /* bytes of a long block that are not looked at, still to come */
	uint32_t trailer;    /* what its last four bytes have to be then; 0: there is none */
	bool is_timed;       /* a packet had a time */
	int64_t last_ns;     /* of the last that had one */
	struct bpei_pcapng_told told; /* of all interfaces */
	uint64_t inbound, outbound;   /* packets that said so */
	uint64_t oversized; /* packets that no memory is kept for, and that were skipped */
};

bool bpei_pcapng_is(const uint8_t magic[4]);
void bpei_pcapng_free(struct bpei_pcapng *ng);
/* The body of an interface statistics block. */
void bpei_pcapng_read_statistics(struct bpei_pcapng *ng, const void *body, size_t length);
/* So many packets of the interface were lost before one that is there. */
void bpei_pcapng_count_lost(struct bpei_pcapng *ng, uint32_t interface, uint64_t packets);
/* The options of a packet block. */
struct bpei_pcapng_about {
	uint64_t lost;
	uint16_t way;
};
struct bpei_pcapng_about bpei_pcapng_read_about(
	const struct bpei_pcapng *ng, const void *options, size_t length);
/* The time and interface of the next packet in the block from *at on that has a time, and *at
 * behind it.  Changes nothing. */
bool bpei_pcapng_look_ahead(const struct bpei_pcapng *ng, const struct bpei_block *block,
	size_t *at, uint32_t *interface_id, int64_t *time_ns);
/* max 0 walks up to the first packet: for learning the first interface. */
uint32_t bpei_walk_pcapng(struct bpei_pcapng *ng, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max, uint32_t snaplen,
	enum bpei_walk_stop *stop);

/* The most that a packet of this link type may have captured; as libpcap's savefile reader. */
uint32_t bpei_link_most(uint32_t link_type);

#endif
