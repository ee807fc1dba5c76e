/* SPDX-License-Identifier: MIT */
/* Histograms of times, with fixed buckets, so that a rule on a bucket goes on to work. */
#ifndef METRICS_HISTOGRAM_H
#define METRICS_HISTOGRAM_H

#include "page.h"

#define METRICS_BUCKETS_MOST 17

/* The upper ends of the buckets; the last bucket has no end. */
struct metrics_bounds {
	uint32_t count;
	int64_t ns[METRICS_BUCKETS_MOST - 1];
};
extern const struct metrics_bounds metrics_round_trips; /* 100 us to 10 s */
extern const struct metrics_bounds metrics_durations;   /* 1 ms to a day */

/* All zero: empty. */
struct metrics_histogram {
	uint64_t counts[METRICS_BUCKETS_MOST]; /* each bucket by itself */
	uint64_t sum_s;
	uint32_t sum_ns; /* below a second */
};

/* Counts a time; a time below 0 counts as 0. */
void metrics_histogram_add(
	struct metrics_histogram *histogram, const struct metrics_bounds *bounds, int64_t ns);
/* Writes the samples of a histogram into the family. */
void metrics_histogram_put(struct metrics_page *page, const struct metrics_labels *labels,
	const struct metrics_histogram *histogram, const struct metrics_bounds *bounds);

#endif
