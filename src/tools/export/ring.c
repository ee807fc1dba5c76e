/* SPDX-License-Identifier: MIT */
/* The ring of a target (ring.h).  State: in shared memory, and in each process's end. */
#include "ring.h"

#include <string.h>

#define FILLER UINT32_C(0x80000000)
#define WORD 8u /* bytes before a record: the length, and 4 unused bytes */

static uint32_t place_of(uint64_t word)
{
	return (uint32_t)word;
}

static uint32_t number_of(uint64_t word)
{
	return (uint32_t)(word >> 32);
}

/* Returns the word with the place moved by so many units, and the number by one record. */
static uint64_t move_by_record(uint64_t word, uint32_t units)
{
	return (uint64_t)(number_of(word) + 1) << 32 | (uint32_t)(place_of(word) + units);
}

void export_ring_attach(struct export_ring_end *e, struct export_ring *ring, uint8_t *bytes,
	uint32_t size, bool is_producer)
{
	/* pairs: export_ring_push, export_ring_drop, in an earlier process */
	const uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	const uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

	*e = (struct export_ring_end){ .ring = ring, .bytes = bytes, .units = size / 8 };
	e->own = is_producer ? tail : head;
	e->seen = is_producer ? head : tail;
	e->next = e->own;
}

/* Returns the free units, as the producer last saw; 0 if the other end's word has no sense. */
static uint32_t free_units(const struct export_ring_end *e)
{
	const uint32_t used = place_of(e->own) - place_of(e->seen);

	return used <= e->units ? e->units - used : 0;
}

bool export_ring_push(struct export_ring_end *e, const void *record, uint32_t n)
{
	const uint32_t need = (n + WORD + 7) / 8;
	const uint32_t at = place_of(e->own) & (e->units - 1);
	const uint32_t to_end = e->units - at;
	const uint32_t filler = to_end < need ? to_end : 0;
	uint8_t *to = e->bytes + (size_t)(filler ? 0 : at) * 8;

	if (n >= FILLER || need > e->units)
		return false;
	if (free_units(e) < need + filler) {
		/* pairs: export_ring_drop */
		e->seen = atomic_load_explicit(&e->ring->head, memory_order_acquire);
		if (free_units(e) < need + filler)
			return false;
	}
	if (filler) {
		const uint32_t word = filler | FILLER;

		memcpy(e->bytes + (size_t)at * 8, &word, sizeof word);
	}
	memcpy(to, &n, sizeof n);
	memcpy(to + WORD, record, n);
	e->own = move_by_record(e->own, need + filler);
	/* pairs: export_ring_peek */
	atomic_store_explicit(&e->ring->tail, e->own, memory_order_release);
	return true;
}

bool export_ring_is_filling(const struct export_ring_end *e)
{
	return free_units(e) < e->units - e->units / 4;
}

const void *export_ring_peek(struct export_ring_end *e, uint32_t *n, bool *is_torn)
{
	uint32_t at = place_of(e->own) & (e->units - 1);
	uint32_t word;
	uint32_t filler = 0;

	*is_torn = false;
	if (place_of(e->own) == place_of(e->seen)) {
		/* pairs: export_ring_push */
		e->seen = atomic_load_explicit(&e->ring->tail, memory_order_acquire);
		if (place_of(e->own) == place_of(e->seen))
			return NULL;
	}
	const uint32_t used = place_of(e->seen) - place_of(e->own);

	memcpy(&word, e->bytes + (size_t)at * 8, sizeof word);
	if (word & FILLER) {
		filler = word & ~FILLER;
		*is_torn = filler != e->units - at;
		memcpy(&word, e->bytes, sizeof word);
		at = 0;
	}
	const uint64_t need = ((uint64_t)word + WORD + 7) / 8;

	if (used > e->units || *is_torn || need > e->units - at || need + filler > used) {
		*is_torn = true;
		return NULL;
	}
	e->next = move_by_record(e->own, (uint32_t)need + filler);
	*n = word;
	return e->bytes + (size_t)at * 8 + WORD;
}

void export_ring_drop(struct export_ring_end *e)
{
	e->own = e->next;
	/* pairs: export_ring_push */
	atomic_store_explicit(&e->ring->head, e->own, memory_order_release);
}

uint32_t export_ring_count(const struct export_ring *ring)
{
	const uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	const uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	return number_of(tail) - number_of(head);
}

uint64_t export_ring_taken(const struct export_ring *ring, uint64_t before)
{
	const uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	const uint32_t more = number_of(head) - (uint32_t)before;

	/* the number before may be ahead by a record that was not dropped yet */
	return before + (uint64_t)(int64_t)(int32_t)more;
}
