/* SPDX-License-Identifier: MIT */
/* Counts cycles.  On Linux perf_event_open(2) counts the core's cycles in user space, if machine
 * and system allow this.  Else x86's time stamp counter is read, which runs at a fixed rate and not
 * with the core.  Else there are no cycles. */
#include "stages.h"

#if defined(__linux__)
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__linux__)
static int counter = -1;
#endif
static enum cycles source;

enum cycles cycles_open(void)
{
	source = CYCLES_NONE;
#if defined(__linux__)
	struct perf_event_attr a = { .type = PERF_TYPE_HARDWARE,
		.size = sizeof a,
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.exclude_kernel = 1,
		.exclude_hv = 1 };
	counter = (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, 8 /* PERF_FLAG_FD_CLOEXEC */);
	if (counter >= 0) {
		source = CYCLES_CORE;
		uint64_t first = cycles_now();
		for (uint32_t i = 0; i < 100000; i++)
			__asm__ volatile("" : : "r"(i) : "memory");
		if (cycles_now() > first)
			return source; /* on some virtual machines the counter stands still */
		close(counter);
		counter = -1;
	}
#endif
#if defined(__x86_64__)
	source = CYCLES_TSC;
#else
	source = CYCLES_NONE;
#endif
	return source;
}

uint64_t cycles_now(void)
{
#if defined(__linux__)
	uint64_t v;
	if (source == CYCLES_CORE)
		return read(counter, &v, sizeof v) == (ssize_t)sizeof v ? v : 0;
#endif
#if defined(__x86_64__)
	if (source == CYCLES_TSC)
		return __builtin_ia32_rdtsc();
#endif
	return 0;
}
