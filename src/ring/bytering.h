/* SPDX-License-Identifier: MIT */
/* A lock-free ring of records of any length between one producer and one consumer, worker to output
 * thread.
 *
 * The bytes are the owner's, a power of two of them, aligned to 8.  A record lies in one piece: a
 * word with its length, then its bytes, rounded up to 8; where it would run past the end of the
 * array, a filler takes what is left there.  Indices run freely, as in ring.h: the producer writes
 * a record, then publishes tail; the consumer reads it, then publishes head.  A record that was
 * begun and not committed is not there. Hazard: a record that with its filler is longer than the
 * ring never fits; at most a quarter of the ring is safe (BPEI_BYTERING_MOST). */
#ifndef BPEI_BYTERING_H
#define BPEI_BYTERING_H

#include "base/cacheline.h"
#include "base/roles.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BPEI_BYTERING_FILLER UINT32_C(0x80000000)
#define BPEI_BYTERING_WORD                                                                         \
	8u /* before a record: its length, and 4 bytes of nothing that keep it aligned */
#define BPEI_BYTERING_MOST(bytes) ((bytes) / 4 - BPEI_BYTERING_WORD)

struct bpei_bytering {
	BPEI_ALIGNED uint8_t *bytes; /* set once, with the next */
	uint32_t mask;
	BPEI_ALIGNED _Atomic uint32_t tail; /* w: worker  r: output */
	BPEI_ALIGNED uint32_t own_tail;     /* worker's own, with the next two */
	uint32_t seen_head, begun;          /* begun: where the next record ends */
	BPEI_ALIGNED _Atomic uint32_t head; /* w: output  r: worker */
	BPEI_ALIGNED uint32_t own_head;     /* output's own, with the next two */
	uint32_t seen_tail, ended;          /* ended: behind the record that was peeked at */
};
_Static_assert(
	sizeof(struct bpei_bytering) == 5 * BPEI_LINE, "published and private words share no line");

/* size: a power of two, at least 64 and at most 2^30.  Before the threads start. */
static inline void bpei_bytering_init(struct bpei_bytering *r, uint8_t *bytes, uint32_t size)
{
	*r = (struct bpei_bytering){ .bytes = bytes, .mask = size - 1 };
	atomic_init(&r->tail, 0);
	atomic_init(&r->head, 0);
}

/* Bytes in it, as the producer last saw. */
static inline uint32_t bpei_bytering_used(const struct bpei_bytering *r) BPEI_WORKER
{
	return r->own_tail - r->seen_head;
}

/* Reads how much the consumer has given back since the producer last looked. */
static inline void bpei_bytering_refresh(struct bpei_bytering *r) BPEI_WORKER
{
	/* pairs: bpei_bytering_drop */
	r->seen_head = atomic_load_explicit(&r->head, memory_order_acquire);
}

/* Room for a record of n bytes, aligned to 8, until it is committed; NULL: the ring is full. */
static inline void *bpei_bytering_begin(struct bpei_bytering *r, uint32_t n) BPEI_WORKER
{
	uint32_t need = (n + BPEI_BYTERING_WORD + 7) & ~7u, at = r->own_tail & r->mask,
		 left = r->mask + 1 - at, filler = left < need ? left : 0;
	if (r->mask + 1 - (r->own_tail - r->seen_head) < need + filler) {
		bpei_bytering_refresh(r);
		if (r->mask + 1 - (r->own_tail - r->seen_head) < need + filler)
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

/* Hands over the record that was begun last. */
static inline void bpei_bytering_commit(struct bpei_bytering *r) BPEI_WORKER
{
	r->own_tail = r->begun;
	atomic_store_explicit(
		&r->tail, r->own_tail, memory_order_release); /* pairs: bpei_bytering_peek */
}

/* The oldest record, of *n bytes, until it is dropped; NULL: there is none. */
static inline const void *bpei_bytering_peek(struct bpei_bytering *r, uint32_t *n) BPEI_OUTPUT
{
	if (r->own_head == r->seen_tail) {
		r->seen_tail = atomic_load_explicit(
			&r->tail, memory_order_acquire); /* pairs: bpei_bytering_commit */
		if (r->own_head == r->seen_tail)
			return NULL;
	}
	uint32_t at = r->own_head & r->mask, word;
	r->ended = r->own_head;
	memcpy(&word, r->bytes + at, sizeof word);
	if (word & BPEI_BYTERING_FILLER) { /* never the last: it was published with the record
					      behind it */
		r->ended += word & ~BPEI_BYTERING_FILLER;
		memcpy(&word, r->bytes, sizeof word);
		at = 0;
	}
	r->ended += (word + BPEI_BYTERING_WORD + 7) & ~7u;
	*n = word;
	return r->bytes + at + BPEI_BYTERING_WORD;
}

/* Gives back the record that was peeked at. */
static inline void bpei_bytering_drop(struct bpei_bytering *r) BPEI_OUTPUT
{
	r->own_head = r->ended;
	atomic_store_explicit(
		&r->head, r->own_head, memory_order_release); /* pairs: bpei_bytering_begin */
}

#endif
