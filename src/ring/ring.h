/* SPDX-License-Identifier: MIT */
/* A lock-free ring between one producer and one consumer: the indices only; the slots are the
 * owner's (columns, pointers), a power of two of them, slot i at i & mask.
 *
 * Indices run freely and are compared by unsigned difference.  The producer writes slots, then
 * publishes tail; the consumer reads slots, then publishes head.  Each keeps the other's index as
 * it last saw it, and looks again only when the ring seems full or empty.  Published indices and
 * private copies lie on lines of their own. */
#ifndef BPEI_RING_H
#define BPEI_RING_H

#include "base/cacheline.h"
#include "base/roles.h"

#include <stdatomic.h>
#include <stdint.h>

struct bpei_ring {
	BPEI_ALIGNED uint32_t mask;         /* set once */
	BPEI_ALIGNED _Atomic uint32_t tail; /* w: reader  r: worker; next slot to be filled */
	BPEI_ALIGNED uint32_t own_tail;     /* reader's own, with the next */
	uint32_t seen_head;
	BPEI_ALIGNED _Atomic uint32_t head; /* w: worker  r: reader; next slot to be read */
	BPEI_ALIGNED uint32_t own_head;     /* worker's own, with the next */
	uint32_t seen_tail;
};
_Static_assert(
	sizeof(struct bpei_ring) == 5 * BPEI_LINE, "published and private words share no line");

/* slots: a power of two.  Before the threads start. */
static inline void bpei_ring_init(struct bpei_ring *r, uint32_t slots)
{
	*r = (struct bpei_ring){ .mask = slots - 1 };
	atomic_init(&r->tail, 0);
	atomic_init(&r->head, 0);
}

/* How many slots from own_tail on may be filled now; looks at the consumer's index only if fewer
 * than want are known. */
static inline uint32_t bpei_ring_room(struct bpei_ring *r, uint32_t want) BPEI_READER
{
	uint32_t room = r->mask + 1 - (r->own_tail - r->seen_head);
	if (room < want) {
		r->seen_head = atomic_load_explicit(
			&r->head, memory_order_acquire); /* pairs: bpei_ring_drop */
		room = r->mask + 1 - (r->own_tail - r->seen_head);
	}
	return room;
}

/* Hands over the n slots from own_tail on, which are filled. */
static inline void bpei_ring_push(struct bpei_ring *r, uint32_t n) BPEI_READER
{
	r->own_tail += n;
	atomic_store_explicit(
		&r->tail, r->own_tail, memory_order_release); /* pairs: bpei_ring_peek */
}

/* Whether everything before the mark (an own_tail of earlier) has been dropped by the consumer: its
 * bytes are free. */
static inline int bpei_ring_passed(struct bpei_ring *r, uint32_t mark) BPEI_READER
{
	if ((int32_t)(r->seen_head - mark) >= 0)
		return 1;
	r->seen_head =
		atomic_load_explicit(&r->head, memory_order_acquire); /* pairs: bpei_ring_drop */
	return (int32_t)(r->seen_head - mark) >= 0;
}

/* How many slots from own_head on may be read now, at most max and none past the end of the array:
 * one straight run. */
static inline uint32_t bpei_ring_peek(struct bpei_ring *r, uint32_t max) BPEI_WORKER
{
	uint32_t n = r->seen_tail - r->own_head, run = r->mask + 1 - (r->own_head & r->mask);
	if (n < max) {
		r->seen_tail = atomic_load_explicit(
			&r->tail, memory_order_acquire); /* pairs: bpei_ring_push */
		n = r->seen_tail - r->own_head;
	}
	if (n > max)
		n = max;
	return n < run ? n : run;
}

/* Gives the n slots from own_head on back; they were read. */
static inline void bpei_ring_drop(struct bpei_ring *r, uint32_t n) BPEI_WORKER
{
	r->own_head += n;
	atomic_store_explicit(&r->head, r->own_head,
		memory_order_release); /* pairs: bpei_ring_room, bpei_ring_passed */
}

/* Packets in the ring, about; for statistics.  Any thread. */
static inline uint32_t bpei_ring_depth(const struct bpei_ring *r)
{
	struct bpei_ring *any = (struct bpei_ring *)(uintptr_t)r;
	uint32_t depth = atomic_load_explicit(&any->tail, memory_order_relaxed) -
			 atomic_load_explicit(&any->head, memory_order_relaxed);
	return depth <= r->mask + 1 ? depth : 0; /* the two words were read at different times */
}

#endif
