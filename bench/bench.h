/* SPDX-License-Identifier: MIT */
/* Shared by the measuring programs: rounds of all contenders in order, medians, ratios to the first
 * contender. */
#ifndef BENCH_H
#define BENCH_H

#include "base/clock.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BENCH_ROUNDS 15

struct bench_row {
	const char *name;
	double ns[BENCH_ROUNDS]; /* per item */
};

static int bench_by_double(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

static double bench_median(struct bench_row *row)
{
	qsort(row->ns, BENCH_ROUNDS, sizeof *row->ns, bench_by_double);
	return row->ns[BENCH_ROUNDS / 2];
}

/* Prints median, least, most and ratio to the first row's median, for each row. */
static inline void bench_print(struct bench_row *rows, int n, const char *item)
{
	double first = bench_median(&rows[0]);
	printf("%-46s %10s %10s %10s %12s %8s\n", "", "ns median", "ns least", "ns most",
		"M/s median", "ratio");
	for (int i = 0; i < n; i++) {
		double m = bench_median(&rows[i]);
		printf("%-46s %10.2f %10.2f %10.2f %12.2f %8.2f\n", rows[i].name, m, rows[i].ns[0],
			rows[i].ns[BENCH_ROUNDS - 1], 1e3 / m, m / first);
	}
	printf("(per %s, %d rounds in turn; ratio: median to the first row's)\n", item,
		BENCH_ROUNDS);
}

/* Keeps the compiler from optimising away a value and the computation of the value. */
static inline void bench_keep(uint64_t v)
{
	__asm__ volatile("" : : "r"(v) : "memory");
}

#endif
