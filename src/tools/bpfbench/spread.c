/* SPDX-License-Identifier: MIT */
/* Sorts a copy of the values and interpolates.  Pure. */
#include "spread.h"

#include <math.h>
#include <stdlib.h>

static int compare_values(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Returns the value at the place `part` (0 to 1) of n sorted values. */
static double interpolate_sorted(const double *sorted, size_t n, double part)
{
	const double place = part * (double)(n - 1);
	const size_t k = (size_t)place;

	if (k + 1 >= n)
		return sorted[n - 1];
	return sorted[k] + (place - (double)k) * (sorted[k + 1] - sorted[k]);
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
		qsort(v, s.count, sizeof *v, compare_values);
		s.least = v[0];
		s.low = interpolate_sorted(v, s.count, 0.25);
		s.median = interpolate_sorted(v, s.count, 0.5);
		s.high = interpolate_sorted(v, s.count, 0.75);
		s.most = v[s.count - 1];
	}
	free(v);
	return s;
}
