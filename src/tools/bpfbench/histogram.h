/* SPDX-License-Identifier: MIT */
/* A histogram of durations with 32 classes for each doubling, each at most 1/32 as wide as the
 * values inside.  Only one thread adds.  Other threads may read at any time (base/counter.h).
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include "base/counter.h"

#include <stdbool.h>

#define HISTOGRAM_STEPS_LOG2 5u
#define HISTOGRAM_CLASSES                                                                          \
	1216u /* up to 2^42 ns, 73 minutes; the last class takes longer values                     \
	       */

struct histogram {
	bpei_counter classes[HISTOGRAM_CLASSES];
	bpei_counter samples;
	bpei_counter early; /* negative samples, counted as 0: the clock was set, or two clocks */
	bpei_counter least, most; /* exact; without meaning while samples is 0 */
};

/* Returns the number of the class that holds the value. */
uint32_t histogram_class(uint64_t value);

/* Return the first and the last value of a class. */
uint64_t histogram_low(uint32_t number);
uint64_t histogram_high(uint32_t number);

/* Adds a sample. */
void histogram_add(struct histogram *h, int64_t value);

/* Adds all samples of `from` to `to`. */
void histogram_merge(struct histogram *to, const struct histogram *from);

/* Fills *to with the samples added since `before`, an earlier copy of `now`.  least and most become
 * bounds of classes, within the bounds of `now`. */
void histogram_since(
	struct histogram *to, const struct histogram *now, const struct histogram *before);

/* Returns the value that `part` (0 to 1) of the samples do not exceed, as exact as the class,
 * within [least, most].  The histogram must have samples. */
uint64_t histogram_at(const struct histogram *h, double part);

#endif
