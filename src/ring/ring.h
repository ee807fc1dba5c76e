/* SPDX-License-Identifier: MIT */
/* A lock-free ring between a producer (reader) and a consumer (worker): the indices only.  The
 * slots belong to the owner (columns, pointers), in a power of two; slot i is at i & mask.
 *
 * Indices run freely and are compared by unsigned difference.  The producer writes slots, then
 * publishes tail; the consumer reads slots, then publishes head.  Each side keeps the other side's
 * index as last seen, and reads the index anew only when the ring seems full or empty.  Published
 * indices and private copies lie on separate cache lines. */
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
	uint32_t seen_head;                 /* head as last read */
	BPEI_ALIGNED _Atomic uint32_t head; /* w: worker  r: reader; next slot to be read */
	BPEI_ALIGNED uint32_t own_head;     /* worker's own, with the next */
	uint32_t seen_tail;                 /* tail as last read */
};
_Static_assert(
	sizeof(struct bpei_ring) == 5 * BPEI_LINE, "published and private words share no line");

/* Makes an empty ring.  slots: a power of two.  Before the threads start. */
static inline void bpei_ring_init(struct bpei_ring *r, uint32_t slots)
{
	*r = (struct bpei_ring){ .mask = slots - 1 };
	atomic_init(&r->tail, 0);
	atomic_init(&r->head, 0);
}

/* Returns how many slots from own_tail on may be filled now.  Reads the consumer's index only if
 * fewer than `want` slots are known to be free. */
static inline uint32_t bpei_ring_room(struct bpei_ring *r, uint32_t want) BPEI_READER
{
	uint32_t room = r->mask + 1 - (r->own_tail - r->seen_head);

	if (room < want) {
		/* pairs: bpei_ring_drop */
		r->seen_head = atomic_load_explicit(&r->head, memory_order_acquire);
		room = r->mask + 1 - (r->own_tail - r->seen_head);
	}
	return room;
}

/* Hands over the n filled slots from own_tail on. */
static inline void bpei_ring_push(struct bpei_ring *r, uint32_t n) BPEI_READER
{
	r->own_tail += n;
	/* pairs: bpei_ring_peek */
	atomic_store_explicit(&r->tail, r->own_tail, memory_order_release);
}

/* Returns 1 if the consumer has dropped every slot before the mark (an earlier own_tail), else 0.
 * After 1 the bytes of those packets are free. */
static inline int bpei_ring_passed(struct bpei_ring *r, uint32_t mark) BPEI_READER
{
	if ((int32_t)(r->seen_head - mark) >= 0)
		return 1;
	/* pairs: bpei_ring_drop */
	r->seen_head = atomic_load_explicit(&r->head, memory_order_acquire);
	return (int32_t)(r->seen_head - mark) >= 0;
}

/* Returns how many slots from own_head on may be read now: at most max, and none past the end of
 * the array, so that the slots are neighbours. */
static inline uint32_t bpei_ring_peek(struct bpei_ring *r, uint32_t max) BPEI_WORKER
{
	const uint32_t to_end = r->mask + 1 - (r->own_head & r->mask);
	uint32_t n = r->seen_tail - r->own_head;

	if (n < max) {
		/* pairs: bpei_ring_push */
		r->seen_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
		n = r->seen_tail - r->own_head;
	}
	if (n > max)
		n = max;
	return n < to_end ? n : to_end;
}

/* Gives back the n slots from own_head on, which were read. */
static inline void bpei_ring_drop(struct bpei_ring *r, uint32_t n) BPEI_WORKER
{
	r->own_head += n;
	/* pairs: bpei_ring_room, bpei_ring_passed */
	atomic_store_explicit(&r->head, r->own_head, memory_order_release);
}

/* Returns about how many packets are in the ring, for statistics.  Any thread. */
static inline uint32_t bpei_ring_depth(const struct bpei_ring *r)
{
	struct bpei_ring *any = (struct bpei_ring *)(uintptr_t)r;
	const uint32_t tail = atomic_load_explicit(&any->tail, memory_order_relaxed);
	const uint32_t head = atomic_load_explicit(&any->head, memory_order_relaxed);

	/* Both were read at different times, so the difference may be useless. */
	return tail - head <= r->mask + 1 ? tail - head : 0;
}

#endif
