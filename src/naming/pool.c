/* SPDX-License-Identifier: MIT */
/* Numbered elements of equal size, within an account of memory. */
#include "naming/pool.h"

#include "base/mem.h"

#include <string.h>

/* Most sixteenths of the whole, by part.  Watches and chunks together leave 9 to the names,
 * slabs and texts together 3 to unfinished payload. */
static const uint8_t sixteenths[BPEI_PARTS] = {
	[BPEI_PART_WATCHES] = 1,
	[BPEI_PART_CHUNKS] = 6,
	[BPEI_PART_SLABS] = 5,
	[BPEI_PART_TEXTS] = 8,
};

uint64_t bpei_account_ceiling(const struct bpei_account *account, enum bpei_part part)
{
	return account->most / 16 * sixteenths[part];
}

bool bpei_account_take(struct bpei_account *account, enum bpei_part part, uint64_t bytes)
{
	const uint64_t used = bpei_counter_get(&account->used);

	if (bytes > account->most - used)
		return false;
	if (account->part[part] + bytes > bpei_account_ceiling(account, part))
		return false;
	account->part[part] += bytes;
	bpei_counter_set(&account->used, used + bytes);
	return true;
}

void bpei_account_give(struct bpei_account *account, enum bpei_part part, uint64_t bytes)
{
	account->part[part] -= bytes;
	bpei_counter_set(&account->used, bpei_counter_get(&account->used) - bytes);
}

bool bpei_pool_init(struct bpei_pool *pool, struct bpei_account *account, enum bpei_part part,
	uint32_t each, uint32_t most)
{
	const uint64_t room = bpei_account_ceiling(account, part) / each;

	*pool = (struct bpei_pool){ .account = account, .part = part, .each = each, .size = most };
	if (room < most)
		pool->size = (uint32_t)room;
	pool->memory = bpei_mem_map(((size_t)pool->size + 1) * each, 0);
	return pool->memory != NULL;
}

void bpei_pool_free(struct bpei_pool *pool)
{
	if (pool->memory)
		bpei_mem_unmap(pool->memory, ((size_t)pool->size + 1) * pool->each);
	pool->memory = NULL;
}

uint32_t bpei_pool_take(struct bpei_pool *pool)
{
	uint32_t number = pool->free;

	if (number) {
		memcpy(&pool->free, bpei_pool_at(pool, number), sizeof pool->free);
	} else {
		if (pool->touched == pool->size)
			return 0;
		if (!bpei_account_take(pool->account, pool->part, pool->each))
			return 0;
		number = ++pool->touched;
	}
	pool->used++;
	return number;
}

void bpei_pool_give(struct bpei_pool *pool, uint32_t number)
{
	memcpy(bpei_pool_at(pool, number), &pool->free, sizeof pool->free);
	pool->free = number;
	pool->used--;
}
