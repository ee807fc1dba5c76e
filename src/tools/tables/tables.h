/* SPDX-License-Identifier: MIT */
/* What the sinks of tables share. */
#ifndef TABLES_TABLES_H
#define TABLES_TABLES_H

#include "tools/export/export.h"

#include <stdint.h>
#include <time.h>

extern const struct export_sink parquet_sink; /* --flows NAME.parquet */
extern const struct export_sink sqlite_sink;  /* --flows NAME.sqlite */

/* When a file ends and the next begins; 0: no limit of that kind. */
struct table_rotation {
	uint64_t bytes, rows;
	int64_t every_ns;
};

/* Returns the nanoseconds since 1970. */
static inline int64_t table_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Returns the nanoseconds of a clock that never steps. */
static inline int64_t table_monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void table_sleep_ms(int ms)
{
	const struct timespec nap = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&nap, NULL);
}

#endif
