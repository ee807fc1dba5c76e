/* SPDX-License-Identifier: MIT */
/* Elements of equal size, numbered from 1, out of memory reserved at once and touched as
 * needed; and the account of a worker's memory for names.
 *
 * Touched memory stays counted: a freed element serves again, but the bound holds for the
 * pages, too.  Owner: the worker's thread; `used` may be read by any thread. */
#ifndef BPEI_POOL_H
#define BPEI_POOL_H

#include "base/counter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Uses of the memory.  Each part has a ceiling, so no part can take the room of all others. */
enum bpei_part {
	BPEI_PART_WATCHES, /* flows with incomplete payload */
	BPEI_PART_CHUNKS,  /* their payload */
	BPEI_PART_SLABS,   /* names of flows */
	BPEI_PART_TEXTS,   /* texts shared by flows */
	BPEI_PARTS
};

struct bpei_account {
	uint64_t most;             /* of all parts together */
	uint64_t part[BPEI_PARTS]; /* bytes taken */
	bpei_counter used;         /* w: worker  r: any; the sum of the parts */
};

/* Takes bytes for a part.  Returns false if the part's ceiling or the whole would be passed. */
bool bpei_account_take(struct bpei_account *account, enum bpei_part part, uint64_t bytes);
void bpei_account_give(struct bpei_account *account, enum bpei_part part, uint64_t bytes);
/* Returns the most bytes of a part. */
uint64_t bpei_account_ceiling(const struct bpei_account *account, enum bpei_part part);

struct bpei_pool {
	struct bpei_account *account;
	uint8_t *memory;
	enum bpei_part part;
	uint32_t each;    /* bytes of an element; a multiple of 8 */
	uint32_t size;    /* elements reserved */
	uint32_t touched; /* numbers 1 to touched have been taken once */
	uint32_t free;    /* first of the free list, linked by the first word; 0: none */
	uint32_t used;    /* elements in use */
};

/* Reserves as many elements as the part's ceiling allows, at most `most`.  Returns false without
 * memory. */
bool bpei_pool_init(struct bpei_pool *pool, struct bpei_account *account, enum bpei_part part,
	uint32_t each, uint32_t most);
void bpei_pool_free(struct bpei_pool *pool);

/* Takes an element with unspecified bytes.  Returns the number, or 0 without room. */
uint32_t bpei_pool_take(struct bpei_pool *pool);
void bpei_pool_give(struct bpei_pool *pool, uint32_t number);

/* Returns an element in use. */
static inline void *bpei_pool_at(const struct bpei_pool *pool, uint32_t number)
{
	return pool->memory + (size_t)(number - 1) * pool->each;
}

#endif
