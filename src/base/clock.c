/* SPDX-License-Identifier: MIT */
/* The only caller of the system's clocks and of its sleep; stateless. */
#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t bpei_clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}
int64_t bpei_clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

void bpei_clock_sleep_ns(int64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000) };
	if (ns > 0)
		nanosleep(&t, NULL);
}
