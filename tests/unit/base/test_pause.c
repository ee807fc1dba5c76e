/* SPDX-License-Identifier: MIT */
#include "base/pause.h"

#include "base/clock.h"

#include <criterion/criterion.h>

static int64_t measure_pause(uint32_t tries)
{
	const int64_t start = bpei_clock_mono_ns();

	bpei_pause(tries);
	return bpei_clock_mono_ns() - start;
}

Test(pause, looks_in_vain_make_pauses_longer)
{
	cr_expect_geq(measure_pause(250), 100000);
	cr_expect_geq(measure_pause(1000), 500000);
	cr_expect_geq(measure_pause(UINT32_MAX), 500000);
}

Test(pause, the_first_looks_spin)
{
	int64_t shortest = INT64_MAX;

	for (uint32_t i = 0; i < 100; i++) {
		const int64_t ns = measure_pause(i);

		if (ns < shortest)
			shortest = ns;
	}
	cr_expect_lt(shortest, 20000); /* shorter than the shortest sleep */
}
