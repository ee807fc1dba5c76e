/* SPDX-License-Identifier: MIT */
/* Lines a second (pace.h). */
#include "pace.h"

#include <time.h>

#define SECOND_NS 1000000000

int64_t pace_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

void pace_sleep(int64_t ns)
{
	const struct timespec t = { .tv_sec = (time_t)(ns / SECOND_NS), .tv_nsec = ns % SECOND_NS };

	nanosleep(&t, NULL);
}

bool pace_advance(struct print_pace *pace, int64_t now_ns)
{
	if (now_ns - pace->second_ns < SECOND_NS)
		return false;
	pace->second_ns = now_ns;
	pace->lines = 0;
	return true;
}

void pace_leave_out(struct print_pace *pace, uint64_t packets)
{
	const uint64_t before = atomic_load_explicit(&pace->withheld, memory_order_relaxed);

	pace->left_out += packets;
	atomic_store_explicit(&pace->withheld, before + packets, memory_order_relaxed);
}
