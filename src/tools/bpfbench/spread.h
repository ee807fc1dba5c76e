/* SPDX-License-Identifier: MIT */
/* The median and the spread of repeated measurements. */
#ifndef BENCH_SPREAD_H
#define BENCH_SPREAD_H

#include <stddef.h>

struct spread {
	size_t count;
	/* low and high are the quartiles, interpolated between neighbours. */
	double least, low, median, high, most;
};

/* Returns the spread of n values.  Values that are not numbers are left out.  Without any number
 * left, count is 0 and the other members are not numbers. */
struct spread spread_of(const double *values, size_t n);

#endif
