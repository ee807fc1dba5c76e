/* SPDX-License-Identifier: MIT */
/* The namer's state, shared by the files of this folder alone: watches over flows with
 * incomplete payload.
 *
 * A watch is on the list of watches, the oldest first, from the first kept payload until both
 * directions have been read.  The oldest watch is given up for want of room. */
#ifndef BPEI_WATCH_H
#define BPEI_WATCH_H

#include "naming/namer.h"
#include "naming/side.h"
#include "naming/slabs.h"
#include "packet/payload.h"

#define BPEI_LEVELS 4u /* protocols of a flow: the outermost, and the inner protocols */
#define BPEI_ROWS 64u

struct bpei_watch {
	uint32_t entry;
	uint32_t id;              /* finished id of the names so far */
	uint32_t older, newer;    /* watches; 0: none */
	int64_t since_ns;         /* flow time of the first payload; of messages: the last */
	int64_t last_ns;          /* packet time of the last payload */
	uint16_t port[2];         /* of originator and responder */
	uint8_t over;             /* BPEI_OVER_* */
	uint8_t packets;          /* with payload */
	uint8_t row[BPEI_LEVELS]; /* recognised protocol by level: reader + 1; 0: not yet */
	bool each;                /* a flow of messages */
	bool known;               /* counted in names_flows */
	struct bpei_side side[2];
};

/* Payload of a packet. */
struct bpei_piece {
	struct bpei_payload payload;
	uint32_t end; /* sent by the originator (0), or the responder (1) */
	uint32_t entry;
	int64_t time_ns;
	const struct bpe_key *key;
	uint32_t originator; /* end of the key */
	uint8_t flags;       /* TCP */
	uint8_t over;        /* BPEI_OVER_* */
};

struct bpei_namer {
	uint32_t *ids; /* by entry */
	uint32_t none; /* the entry of no flow */
	const struct bpei_table *table;
	struct bpei_inspector inspector;
	struct bpei_account account;
	struct bpei_pool watches, chunks;
	struct bpei_slabs slabs;
	uint32_t oldest, newest; /* watches; 0: none */
	uint32_t busy;           /* watch not to be evicted; 0: none */
	int64_t flow_ns;
	int64_t quic_second_ns; /* begin of the second of quic_left */
	struct bpei_dns_pairs *pairs;
	uint8_t rows[2][BPEI_ROWS]; /* readers over TCP, and over UDP */
	uint32_t row_count[2];
	uint64_t all_rows[2]; /* as bits */
	/* Rows over TCP, as bits, by end and first byte: others say NOT to that byte. */
	uint64_t first[2][256];
	struct bpei_namer_options options;
	struct bpei_namer_counts counts;
	bool said_is_empty;
	struct bpe_flow_names said;     /* of the flow at hand */
	uint8_t room[BPEI_STREAM_MOST]; /* for payload without a gap */
};

/* ---- watch.c ---- */

/* Copies a watch from outside of the pool to the list, in place of the entry's id. Returns
 * the number, or 0 without room. */
uint32_t bpei_watch_add(struct bpei_namer *namer, const struct bpei_watch *watch);
/* Takes a watch off the list and frees the watch.  The entry's id is left to the caller. */
void bpei_watch_remove(struct bpei_namer *namer, uint32_t number);
/* Makes a watch the newest. */
void bpei_watch_renew(struct bpei_namer *namer, uint32_t number);
/* Gives up the oldest watch but the busy watch, for want of room.  Returns false if there is none.
 */
bool bpei_watch_evict(struct bpei_namer *namer);
/* Reads the kept payload of a watch for the last time, and concludes the flow. */
void bpei_watch_give_up(struct bpei_namer *namer, uint32_t number);
/* Gives up watches older than BPEI_NAMER_WAIT_NS. */
void bpei_watch_expire(struct bpei_namer *namer);
/* Emits the events of a concluded flow. */
void bpei_watch_tell(struct bpei_namer *namer, const struct bpei_watch *watch);

static inline struct bpei_watch *bpei_watch_at(const struct bpei_namer *n, uint32_t number)
{
	return bpei_pool_at(&n->watches, number);
}

/* ---- reading.c ---- */

/* Reads a segment or a datagram of a watch, which may be outside of the pool. */
void bpei_watch_read(
	struct bpei_namer *namer, struct bpei_watch *watch, const struct bpei_piece *piece);
/* Reads the kept bytes of a direction for the last time. */
void bpei_side_give_up(struct bpei_namer *namer, struct bpei_watch *watch, uint32_t end);

/* ---- messages.c ---- */

/* Reads a datagram of a flow of messages (enum bpe_app). */
void bpei_message_read(struct bpei_namer *namer, const struct bpei_piece *piece, uint8_t app);
/* Reads the messages at the begin of a stream of messages, as far as they are whole.  Returns the
 * bytes used up, which may be more than there are: the rest of a long message. */
uint32_t bpei_messages_read(struct bpei_namer *namer, const struct bpei_watch *watch,
	struct bpei_side *side, const struct bpei_stream *stream, const struct bpei_piece *piece);

#endif
