/* SPDX-License-Identifier: MIT */
/* Durations counted in classes, 32 to each doubling: a class is never wider than 1/32 of what it
 * counts.  One thread adds; others may read at any time (base/counter.h). */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include "base/counter.h"

#include <stdbool.h>

#define HISTOGRAM_STEPS_LOG2 5u
#define HISTOGRAM_CLASSES 1216u /* up to 2^42 ns, 73 minutes; what is longer is in the last one */

struct histogram {
	bpei_counter classes[HISTOGRAM_CLASSES];
	bpei_counter samples;
	bpei_counter
		early; /* of those: below 0, counted as 0 (a clock that was set, or two clocks) */
	bpei_counter least, most; /* exact; of no meaning while samples is 0 */
};

uint32_t histogram_class(uint64_t value);
uint64_t histogram_low(uint32_t number),
	histogram_high(uint32_t number); /* the class's first and last value */

void histogram_add(struct histogram *h, int64_t value);
void histogram_merge(struct histogram *to, const struct histogram *from);
/* What was added to `now` since it was `before`, a copy of it then.  least and most become bounds
 * of their classes, at most now's own. */
void histogram_since(
	struct histogram *to, const struct histogram *now, const struct histogram *before);
/* The value that `part` (0 to 1) of the samples do not exceed, as exact as its class; in [least,
 * most].  Only if there are samples. */
uint64_t histogram_at(const struct histogram *h, double part);

#endif
