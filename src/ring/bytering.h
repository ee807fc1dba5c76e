/* SPDX-License-Identifier: MIT */
/* A lock-free ring of records of any length between a producer (worker) and a consumer (output
 * thread).
 *
 * The bytes belong to the owner, in a power of two, aligned to 8.  A record lies in a single piece:
 * a word with the length, then the bytes, rounded up to 8.  Where a record would run past the end
 * of the array, a filler takes the rest there.  Indices run freely, as in ring.h.  The producer
 * writes a record, then publishes tail; the consumer reads the record, then publishes head.  A
 * record begun but not committed does not exist for the consumer.
 * Hazard: a record longer than the ring, filler included, never fits.  A quarter of the ring is
 * always safe (BPEI_BYTERING_MOST). */
#ifndef BPEI_BYTERING_H
#define BPEI_BYTERING_H

#include "base/cacheline.h"
#include "base/roles.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BPEI_BYTERING_FILLER UINT32_C(0x80000000)
/* Bytes before a record: the length, and 4 unused bytes for the alignment. */
#define BPEI_BYTERING_WORD 8u
#define BPEI_BYTERING_MOST(bytes) ((bytes) / 4 - BPEI_BYTERING_WORD)

struct bpei_bytering {
	BPEI_ALIGNED uint8_t *bytes; /* set once, with the next */
	uint32_t mask;
	BPEI_ALIGNED _Atomic uint32_t tail; /* w: worker  r: output */
	BPEI_ALIGNED uint32_t own_tail;     /* worker's own, with the next two */
	uint32_t seen_head;                 /* head as last read */
	uint32_t begun;                     /* end of the record begun last */
	BPEI_ALIGNED _Atomic uint32_t head; /* w: output  r: worker */
	BPEI_ALIGNED uint32_t own_head;     /* output's own, with the next two */
	uint32_t seen_tail;                 /* tail as last read */
	uint32_t ended;                     /* end of the record peeked at last */
};
_Static_assert(
	sizeof(struct bpei_bytering) == 5 * BPEI_LINE, "published and private words share no line");

/* Makes an empty ring.  size: a power of two, at least 64 and at most 2^30.  Before the threads
 * start. */
static inline void bpei_bytering_init(struct bpei_bytering *r, uint8_t *bytes, uint32_t size)
{
	*r = (struct bpei_bytering){ .bytes = bytes, .mask = size - 1 };
	atomic_init(&r->tail, 0);
	atomic_init(&r->head, 0);
}

/* Returns the bytes in use, as the producer last saw the consumer's index. */
static inline uint32_t bpei_bytering_used(const struct bpei_bytering *r) BPEI_WORKER
{
	return r->own_tail - r->seen_head;
}

/* Reads the consumer's index anew. */
static inline void bpei_bytering_refresh(struct bpei_bytering *r) BPEI_WORKER
{
	/* pairs: bpei_bytering_drop */
	r->seen_head = atomic_load_explicit(&r->head, memory_order_acquire);
}

/* Returns room for a record of n bytes, aligned to 8, for use until the commit; NULL: the ring is
 * full. */
static inline void *bpei_bytering_begin(struct bpei_bytering *r, uint32_t n) BPEI_WORKER
{
	const uint32_t size = r->mask + 1;
	const uint32_t need = (n + BPEI_BYTERING_WORD + 7) & ~7u;
	uint32_t at = r->own_tail & r->mask;
	const uint32_t to_end = size - at;
	const uint32_t filler = to_end < need ? to_end : 0;

	if (size - bpei_bytering_used(r) < need + filler) {
		bpei_bytering_refresh(r);
		if (size - bpei_bytering_used(r) < need + filler)
			return NULL;
	}
	if (filler) {
		const uint32_t word = filler | BPEI_BYTERING_FILLER;

		memcpy(r->bytes + at, &word, sizeof word);
		at = 0;
	}
	memcpy(r->bytes + at, &n, sizeof n);
	r->begun = r->own_tail + filler + need;
	return r->bytes + at + BPEI_BYTERING_WORD;
}

/* Hands over the record begun last. */
static inline void bpei_bytering_commit(struct bpei_bytering *r) BPEI_WORKER
{
	r->own_tail = r->begun;
	/* pairs: bpei_bytering_peek */
	atomic_store_explicit(&r->tail, r->own_tail, memory_order_release);
}

/* Returns the oldest record, of *n bytes, for use until the drop; NULL: the ring is empty. */
static inline const void *bpei_bytering_peek(struct bpei_bytering *r, uint32_t *n) BPEI_OUTPUT
{
	if (r->own_head == r->seen_tail) {
		/* pairs: bpei_bytering_commit */
		r->seen_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
		if (r->own_head == r->seen_tail)
			return NULL;
	}
	uint32_t at = r->own_head & r->mask;
	uint32_t word;

	r->ended = r->own_head;
	memcpy(&word, r->bytes + at, sizeof word);
	if (word & BPEI_BYTERING_FILLER) {
		/* A record follows: the filler was published together with a record. */
		r->ended += word & ~BPEI_BYTERING_FILLER;
		memcpy(&word, r->bytes, sizeof word);
		at = 0;
	}
	r->ended += (word + BPEI_BYTERING_WORD + 7) & ~7u;
	*n = word;
	return r->bytes + at + BPEI_BYTERING_WORD;
}

/* Gives back the record peeked at last. */
static inline void bpei_bytering_drop(struct bpei_bytering *r) BPEI_OUTPUT
{
	r->own_head = r->ended;
	/* pairs: bpei_bytering_refresh */
	atomic_store_explicit(&r->head, r->own_head, memory_order_release);
}

#endif
