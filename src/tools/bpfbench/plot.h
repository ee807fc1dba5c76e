/* SPDX-License-Identifier: MIT */
/* The plots of a sweep's page, as SVG. */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include "result.h"

/* The settings that differ within a sweep, and so belong into the names of lines. */
struct axes {
	bool by_rate, modes, buffers, workers, rounds;
};

/* A plot of a figure of each case. */
struct plot_kind {
	const char *name;   /* class of the plot, and the begin of its identifiers */
	const char *y_name; /* name of the y axis */
	double (*value)(const struct row *row);
};

#define PLOT_COLOURS 10u

/* Writes the plot of n rows with the same filter and frame size.  number makes the identifiers
 * within the page unique. */
void plot_write(FILE *to, const struct row *rows, size_t n, const struct axes *axes,
	const struct plot_kind *kind, size_t number);

#endif
