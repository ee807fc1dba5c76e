/* SPDX-License-Identifier: MIT */
#include "write/limits.h"

#include <criterion/criterion.h>

#define S INT64_C(1000000000)
#define HOUR (3600 * S)

static struct bpei_limit_state begin_state(
	const struct bpei_limits *limits, int64_t now_ns, int32_t offset_s)
{
	struct bpei_limit_state state;

	bpei_limits_begin(&state, limits, now_ns, offset_s);
	return state;
}

Test(limits, without_limits_a_file_never_ends)
{
	const struct bpei_limits none = { 0 };
	struct bpei_limit_state state = begin_state(&none, 5, 0);

	state.bytes = UINT64_MAX;
	state.packets = UINT64_MAX;
	cr_expect(!bpei_limits_reached(&none, &state, UINT64_MAX, INT64_MAX));
}

Test(limits, the_size_is_kept_before_a_packet)
{
	const struct bpei_limits limits = { .bytes = 1000 };
	struct bpei_limit_state state = begin_state(&limits, 0, 0);

	state.bytes = 900;
	state.packets = 3;
	cr_expect(!bpei_limits_reached(&limits, &state, 100, 0), "exactly full is allowed");
	cr_expect(bpei_limits_reached(&limits, &state, 101, 0));
	state.tail = 50;
	cr_expect(!bpei_limits_reached(&limits, &state, 50, 0));
	cr_expect(bpei_limits_reached(&limits, &state, 51, 0), "the tail needs its room");
	state.tail = 101;
	cr_expect(bpei_limits_reached(&limits, &state, 1, 0));
	state.bytes = 1200;
	cr_expect(bpei_limits_reached(&limits, &state, 1, 0));
	cr_expect(bpei_limits_reached(&limits, &state, UINT64_MAX, 0));
}

Test(limits, a_file_has_at_least_a_packet)
{
	const struct bpei_limits limits = { .bytes = 10, .packets = 1 };
	struct bpei_limit_state state = begin_state(&limits, 0, 0);

	state.bytes = 200;
	cr_expect(!bpei_limits_reached(&limits, &state, 5000, 0));
	state.packets = 1;
	cr_expect(bpei_limits_reached(&limits, &state, 1, 0));
	cr_expect(!bpei_limits_reached(&limits, &state, 0, 0), "no packet comes: nothing ends");
}

Test(limits, packets_count)
{
	const struct bpei_limits limits = { .packets = 7 };
	struct bpei_limit_state state = begin_state(&limits, 0, 0);

	for (state.packets = 0; state.packets < 7; state.packets++)
		cr_expect(!bpei_limits_reached(&limits, &state, 60, 0));
	cr_expect(bpei_limits_reached(&limits, &state, 60, 0));
}

Test(limits, the_clock_is_aligned_and_needs_no_packet)
{
	const struct bpei_limits limits = { .every_ns = HOUR };
	const int64_t noon = 12 * HOUR;
	struct bpei_limit_state state = begin_state(&limits, noon - 1, 0);

	cr_expect_eq(state.ends_ns, noon);
	cr_expect(!bpei_limits_reached(&limits, &state, 0, noon - 1));
	cr_expect(bpei_limits_reached(&limits, &state, 0, noon));
	state = begin_state(&limits, noon, 0);
	cr_expect_eq(state.ends_ns, noon + HOUR, "a file that begins with the slot has all of it");
	state = begin_state(&limits, -1, 0);
	cr_expect_eq(state.ends_ns, 0, "before 1970");
}

Test(limits, days_end_at_local_midnight)
{
	const struct bpei_limits limits = { .every_ns = 24 * HOUR };
	/* 23:30 UTC is 05:15 in Nepal, 5:45 ahead; the day there ends at 18:15 UTC. */
	struct bpei_limit_state state = begin_state(&limits, 23 * HOUR + HOUR / 2, 20700);

	cr_expect_eq(state.ends_ns, 24 * HOUR + 18 * HOUR + HOUR / 4);
	/* 5 hours behind: local midnight is 05:00 UTC. */
	state = begin_state(&limits, 2 * HOUR, -5 * 3600);
	cr_expect_eq(state.ends_ns, 5 * HOUR);
}

Test(limits, from_the_start_as_tcpdump)
{
	const struct bpei_limits limits = { .every_ns = HOUR, .from_start = true };
	struct bpei_limit_state state = begin_state(&limits, 12 * HOUR + 7, 3600);

	cr_expect_eq(state.ends_ns, 13 * HOUR + 7);
	state = begin_state(&limits, INT64_MAX - 5, 0);
	cr_expect_eq(state.ends_ns, INT64_MAX);
}

Test(limits, a_clock_that_is_set_back_ends_the_file)
{
	const struct bpei_limits limits = { .every_ns = HOUR };
	struct bpei_limit_state state = begin_state(&limits, 12 * HOUR + 5, 0);

	cr_expect(!bpei_limits_reached(&limits, &state, 0, 12 * HOUR), "a correction is no leap");
	cr_expect(bpei_limits_reached(&limits, &state, 0, 10 * HOUR));
	state = begin_state(&limits, INT64_MAX - 3, 0);
	cr_expect_eq(state.ends_ns, INT64_MAX);
}
