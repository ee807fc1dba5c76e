/* SPDX-License-Identifier: MIT */
/* Memory of columns.  Released rows leave their buffers to the rows that follow, because new pages
 * of the system cost more than the filling of a buffer.
 *
 * Any thread may release rows, also after the columns are closed.  A line in front of a buffer has
 * the number of the buffer's bytes. */
#include "columns/columns.h"

#include <pthread.h>
#include <stdlib.h>

#define HEAD_BYTES BPEI_COLUMN_ALIGN

struct bpei_columns_store {
	pthread_mutex_t lock;
	/* with lock: */
	uint32_t holders; /* the columns, and each child of taken rows */
	bool is_closed;   /* the columns are closed: no buffer is kept */
	void *kept[BPEI_SLOTS];
};

struct bpei_columns_store *bpei_columns_store_open(void)
{
	struct bpei_columns_store *const store = calloc(1, sizeof *store);

	if (store && pthread_mutex_init(&store->lock, NULL)) {
		free(store);
		return NULL;
	}
	if (store)
		store->holders = 1;
	return store;
}

void bpei_columns_store_hold(struct bpei_columns_store *store)
{
	pthread_mutex_lock(&store->lock);
	store->holders++;
	pthread_mutex_unlock(&store->lock);
}

void bpei_columns_store_leave(struct bpei_columns_store *store)
{
	pthread_mutex_lock(&store->lock);
	const bool is_last = --store->holders == 0;
	pthread_mutex_unlock(&store->lock);
	if (!is_last)
		return;
	pthread_mutex_destroy(&store->lock);
	free(store);
}

void bpei_columns_store_close(struct bpei_columns_store *store)
{
	pthread_mutex_lock(&store->lock);
	store->is_closed = true;
	for (uint32_t slot = 0; slot < BPEI_SLOTS; slot++)
		bpei_columns_drop(store->kept[slot]);
	pthread_mutex_unlock(&store->lock);
	bpei_columns_store_leave(store);
}

size_t bpei_columns_bytes(const void *memory)
{
	return memory ? *(const size_t *)(const void *)((const char *)memory - HEAD_BYTES) : 0;
}

/* Puts another buffer, or NULL, into a slot.  Returns the slot's buffer of before. */
static void *exchange_kept(struct bpei_columns_store *store, uint32_t slot, void *memory)
{
	pthread_mutex_lock(&store->lock);
	if (!store->is_closed) {
		void *const before = store->kept[slot];

		store->kept[slot] = memory;
		memory = before;
	}
	pthread_mutex_unlock(&store->lock);
	return memory;
}

void *bpei_columns_alloc(struct bpei_columns_store *store, uint32_t slot, size_t bytes)
{
	const size_t whole = bpei_columns_padded(bytes);
	void *memory = exchange_kept(store, slot, NULL);

	if (bpei_columns_bytes(memory) >= whole)
		return memory;
	bpei_columns_drop(memory);
	if (posix_memalign(&memory, BPEI_COLUMN_ALIGN, HEAD_BYTES + whole))
		return NULL;
	*(size_t *)memory = whole;
	return (char *)memory + HEAD_BYTES;
}

void bpei_columns_drop(void *memory)
{
	if (memory)
		free((char *)memory - HEAD_BYTES);
}

void bpei_columns_give_back(struct bpei_columns_store *store, uint32_t slot, void *memory)
{
	if (memory)
		bpei_columns_drop(exchange_kept(store, slot, memory));
}
