/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <criterion/criterion.h>
#include <time.h>

Test(clock, the_monotonic_clock_does_not_go_back)
{
	int64_t last = bpei_clock_mono_ns();

	for (int i = 0; i < 1000; i++) {
		const int64_t now = bpei_clock_mono_ns();

		cr_assert_geq(now, last);
		last = now;
	}
}

Test(clock, the_wall_clock_counts_from_1970)
{
	const int64_t seconds = bpei_clock_wall_ns() / 1000000000;
	const int64_t now = (int64_t)time(NULL);

	cr_expect(seconds >= now - 2 && seconds <= now + 2);
}

Test(clock, a_sleep_lasts_at_least_as_long_as_asked)
{
	const int64_t start = bpei_clock_mono_ns();

	bpei_clock_sleep_ns(3000000);
	cr_expect_geq(bpei_clock_mono_ns() - start, 3000000);
	bpei_clock_sleep_ns(0);
	bpei_clock_sleep_ns(-1);
}
