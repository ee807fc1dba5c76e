/* SPDX-License-Identifier: MIT */
/* Pure. */
#include "spread.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double at(const double *sorted, size_t n, double part)
{
	double place = part * (double)(n - 1);
	size_t k = (size_t)place;
	return k + 1 < n ? sorted[k] + (place - (double)k) * (sorted[k + 1] - sorted[k])
			 : sorted[n - 1];
}

struct spread spread_of(const double *values, size_t n)
{
	struct spread s = { 0, NAN, NAN, NAN, NAN, NAN };
	double *v = malloc((n ? n : 1) * sizeof *v);
	if (!v)
		return s;
	for (size_t i = 0; i < n; i++)
		if (!isnan(values[i]))
			v[s.count++] = values[i];
	if (s.count) {
		qsort(v, s.count, sizeof *v, by_size);
		s.least = v[0], s.most = v[s.count - 1];
		s.low = at(v, s.count, 0.25), s.median = at(v, s.count, 0.5),
		s.high = at(v, s.count, 0.75);
	}
	free(v);
	return s;
}
