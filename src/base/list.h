/* SPDX-License-Identifier: MIT */
/* A growing list: elements of a fixed size in pieces, each piece twice as long as the piece before.
 * So an element keeps the address.  A single thread appends, any thread reads counted elements. */
#ifndef BPEI_LIST_H
#define BPEI_LIST_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BPEI_LIST_PIECES 24u
#define BPEI_LIST_FIRST 16u /* elements of the first piece */

struct bpei_list {
	_Atomic uint32_t count; /* w: the appender  r: any */
	void *piece[BPEI_LIST_PIECES];
};

/* Returns the piece with element i; *at: the element's place there. */
static inline uint32_t bpei_list_piece(uint32_t i, uint32_t *at)
{
	const uint32_t shifted = i / BPEI_LIST_FIRST + 1;
	const uint32_t k = 31u - (uint32_t)__builtin_clz(shifted);

	*at = i - BPEI_LIST_FIRST * ((1u << k) - 1);
	return k;
}

/* Returns the number of elements.  Any thread. */
static inline uint32_t bpei_list_count(const struct bpei_list *list)
{
	return atomic_load_explicit(&((struct bpei_list *)(uintptr_t)list)->count,
		memory_order_acquire); /* pairs: bpei_list_append */
}

/* Returns element i, below a count seen by this thread.  Any thread. */
static inline void *bpei_list_at(const struct bpei_list *list, uint32_t i, size_t element_bytes)
{
	uint32_t at;
	const uint32_t k = bpei_list_piece(i, &at);

	return (char *)list->piece[k] + at * element_bytes;
}

/* Appends a copy of the element.  Returns 0; -1 without memory, or if the list has most elements.
 * The appender alone. */
static inline int bpei_list_append(
	struct bpei_list *list, const void *element, size_t element_bytes, uint32_t most)
{
	const uint32_t count = atomic_load_explicit(&list->count, memory_order_relaxed);
	uint32_t at;
	const uint32_t k = bpei_list_piece(count, &at);

	if (count >= most || k >= BPEI_LIST_PIECES)
		return -1;
	if (!list->piece[k])
		list->piece[k] = calloc((size_t)BPEI_LIST_FIRST << k, element_bytes);
	if (!list->piece[k])
		return -1;
	memcpy((char *)list->piece[k] + at * element_bytes, element, element_bytes);
	atomic_store_explicit(
		&list->count, count + 1, memory_order_release); /* pairs: bpei_list_count */
	return 0;
}

/* Frees the pieces, which no thread reads any more. */
static inline void bpei_list_free(struct bpei_list *list)
{
	for (uint32_t k = 0; k < BPEI_LIST_PIECES; k++) {
		free(list->piece[k]);
		list->piece[k] = NULL;
	}
	atomic_store_explicit(&list->count, 0, memory_order_relaxed);
}

#endif
