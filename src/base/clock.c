/* SPDX-License-Identifier: MIT */
/* The only caller of the system's clocks, of its sleep and of its random source; stateless. */
#include "base/clock.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static int64_t now(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t bpei_clock_mono_ns(void) { return now(CLOCK_MONOTONIC); }
int64_t bpei_clock_wall_ns(void) { return now(CLOCK_REALTIME); }

void bpei_clock_sleep_ns(int64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };
	if (ns > 0) nanosleep(&t, NULL);
}

uint64_t bpei_clock_random64(void)
{
	uint64_t v = 0;
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, &v, sizeof v) != (ssize_t)sizeof v) v = 0;
		close(fd);
	}
	/* No random source (a bare chroot): the clocks and an address are better than a constant. */
	if (!v) v = (uint64_t)now(CLOCK_REALTIME) * 0x9e3779b97f4a7c15u ^ (uint64_t)now(CLOCK_MONOTONIC) << 32 ^ (uint64_t)(uintptr_t)&v;
	return v;
}
