/* SPDX-License-Identifier: MIT */
/* Conditions with a limit.  macOS waits for a length of time; other systems wait until a time of
 * the clock that never steps. */
#include "base/cond.h"
#include "base/roles.h"

#include <time.h>

#ifdef __APPLE__
void bpei_cond_init(pthread_cond_t *cond)
{
	pthread_cond_init(cond, NULL);
}

void bpei_cond_wait_ns(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ns) BPEI_UNCHECKED
{
	const struct timespec length = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	pthread_cond_timedwait_relative_np(cond, mutex, &length);
}
#else
void bpei_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t how;

	pthread_condattr_init(&how);
	pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &how);
	pthread_condattr_destroy(&how);
}

void bpei_cond_wait_ns(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ns) BPEI_UNCHECKED
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec += (long)(ns % 1000000000);
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_cond_timedwait(cond, mutex, &until);
}
#endif
