/* SPDX-License-Identifier: MIT */
/* What several measurements of one thing have in common, and how far they lie apart. */
#ifndef BENCH_SPREAD_H
#define BENCH_SPREAD_H

#include <stddef.h>

struct spread {
	size_t count;
	double least, low, median, high,
		most; /* low and high: the quartiles, between neighbours by their distance */
};

/* Of n values; those that are not numbers are left out.  With none left: count 0, and no numbers.
 */
struct spread spread_of(const double *values, size_t n);

#endif
