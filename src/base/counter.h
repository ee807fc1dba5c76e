/* SPDX-License-Identifier: MIT */
/* Counters with a single writer.  The writer adds with a plain load and store, no
 * read-modify-write. Any thread may read at any time and sees a past or present value.  Relaxed
 * order is enough, since a counter orders nothing (bpe_stats says which packets may be in flight).
 */
#ifndef BPEI_COUNTER_H
#define BPEI_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/* w: the owner named at the field  r: any */
typedef struct {
	_Atomic uint64_t value;
} bpei_counter;

static inline uint64_t bpei_counter_get(const bpei_counter *c)
{
	return atomic_load_explicit(&((bpei_counter *)(uintptr_t)c)->value, memory_order_relaxed);
}

static inline void bpei_counter_set(bpei_counter *c, uint64_t v)
{
	atomic_store_explicit(&c->value, v, memory_order_relaxed);
}
static inline void bpei_counter_add(bpei_counter *c, uint64_t v)
{
	bpei_counter_set(c, bpei_counter_get(c) + v);
}

/* Raises the counter to v. */
static inline void bpei_counter_max(bpei_counter *c, uint64_t v)
{
	if (v > bpei_counter_get(c))
		bpei_counter_set(c, v);
}

#endif
