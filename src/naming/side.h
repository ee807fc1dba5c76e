/* SPDX-License-Identifier: MIT */
/* Unfinished payload of a flow's direction: TCP segments in any order, or datagrams.
 *
 * Offsets are from the first byte not used up.  Where segments overlap,
 * segments overlap.  Payload lies in chunks of a pool; only received bytes are written.
 */
#ifndef BPEI_SIDE_H
#define BPEI_SIDE_H

#include "inspect/inspect.h"
#include "naming/pool.h"

#define BPEI_CHUNK 2048u
#define BPEI_SIDE_CHUNKS (BPEI_STREAM_MOST / BPEI_CHUNK)
#define BPEI_SIDE_SPANS 8u

/* Received bytes: [from, to). */
struct bpei_span {
	uint16_t from, to;
};
_Static_assert(BPEI_STREAM_MOST < 65536, "offsets of 16 bits");

enum bpei_side_state {
	BPEI_SIDE_OPEN,
	BPEI_SIDE_DONE,  /* recognised, and has nothing more to say */
	BPEI_SIDE_FAILED /* unknown to all readers, or bytes are missing */
};

struct bpei_side {
	uint32_t next; /* TCP: sequence number of offset 0 */
	uint32_t want; /* bytes or datagrams before the next reading; 0: any more */
	uint32_t read; /* bytes or datagrams at the last reading */
	uint8_t state; /* enum bpei_side_state */
	uint8_t row;   /* reader at which to go on */
	uint8_t level; /* protocols passed (INNER) */
	uint8_t tries; /* places at which no reader knew the payload */
	bool started;  /* next is known */
	bool sure;     /* next was told by a SYN */
	bool cut;      /* the bytes behind will not come */
	bool more;     /* a reader wanted more */
	bool has_end;  /* a FIN was seen, at fin */
	uint32_t fin;
	uint8_t spans, datagrams;
	union {
		struct bpei_span span[BPEI_SIDE_SPANS]; /* TCP: disjoint, not adjacent, in order */
		uint16_t ends[BPEI_DATAGRAMS_MOST];     /* UDP */
	};
	uint32_t chunk[BPEI_SIDE_CHUNKS]; /* 0: none */
};

/* Puts n bytes at an offset, as far as BPEI_STREAM_MOST reaches.  Returns false without room for
 * their chunks: nothing is put then.  Bytes beyond BPEI_SIDE_SPANS spans are
 * left out, as if they had been lost. */
bool bpei_side_put(struct bpei_side *side, struct bpei_pool *chunks, uint32_t offset,
	const uint8_t *bytes, uint32_t n);
/* Appends a datagram.  Returns false without room, as bpei_side_put. */
bool bpei_side_append(
	struct bpei_side *side, struct bpei_pool *chunks, const uint8_t *bytes, uint32_t n);

/* Returns how many bytes from offset 0 on are there without a hole. */
static inline uint32_t bpei_side_ready(const struct bpei_side *side)
{
	if (side->datagrams)
		return side->ends[side->datagrams - 1];
	return side->spans && !side->span[0].from ? side->span[0].to : 0;
}
/* Returns true if bytes are kept. */
static inline bool bpei_side_is_kept(const struct bpei_side *side)
{
	return side->spans | side->datagrams;
}

/* Returns the first n bytes without a gap, in a chunk or in `room` (BPEI_STREAM_MOST bytes). */
const uint8_t *bpei_side_bytes(
	const struct bpei_side *side, const struct bpei_pool *chunks, uint32_t n, uint8_t *room);

/* Uses up the first n bytes, or whole datagrams up to there.  `room` as in bpei_side_bytes. */
void bpei_side_use(struct bpei_side *side, struct bpei_pool *chunks, uint32_t n, uint8_t *room);

/* Frees all payload. */
void bpei_side_clear(struct bpei_side *side, struct bpei_pool *chunks);

#endif
