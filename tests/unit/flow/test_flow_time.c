/* SPDX-License-Identifier: MIT */
/* Flow time goes on where packets' times step, and is mapped back. */
#include "records/batch.h"
#include "flow/flow_time.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define S INT64_C(1000000000)

static struct bpei_timeline *line;

static int64_t flow_ns[8];
static uint8_t kind[8];

/* Follows times in nanoseconds, as the reader does. */
static void follow_ns(const int64_t *time_ns, uint32_t n)
{
	static const uint32_t lengths[8];
	const struct bpe_batch b = {
		.count = n, .time_ns = time_ns, .caplen = lengths, .wirelen = lengths
	};
	struct bpei_sums sums;
	bpei_batch_sum(&b, &sums);
	bpei_timeline_follow(line, time_ns, n, sums.least_ns, sums.most_ns, flow_ns, kind);
}

/* Follows times in seconds; writes all flow times. */
static void follow_seconds(const int64_t *seconds, uint32_t n)
{
	int64_t ns[8] = { 0 };
	for (uint32_t i = 0; i < n; i++)
		ns[i] = seconds[i] * S;
	follow_ns(ns, n);
	for (uint32_t i = 0; i < n; i++)
		if (kind[i] == BPEI_TIME_OWN)
			flow_ns[i] = ns[i];
}
#define FOLLOW(...)                                                                                \
	follow_seconds((const int64_t[]){ __VA_ARGS__ },                                           \
		sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t))

/* Makes a timeline before each test. */
static void make_timeline(void)
{
	line = calloc(1, sizeof *line);
}
/* Frees the timeline after each test. */
static void free_timeline(void)
{
	free(line);
}
TestSuite(timeline, .init = make_timeline, .fini = free_timeline);

Test(timeline, times_in_order_and_nearly_so_are_the_packets_own)
{
	FOLLOW(100, 101, 95, 102);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(kind[i], BPEI_TIME_OWN);
	cr_assert_eq(line->clock_ns, 102 * S);
	cr_assert_eq(bpei_timeline_now(line, 105 * S), 105 * S);
	cr_assert_eq(bpei_timeline_now(line, 99 * S), 102 * S);
	cr_assert_eq(bpei_timeline_time(line, 95 * S), 95 * S);
	cr_assert_eq(bpei_timeline_time(NULL, 7), 7);
}

Test(timeline, a_step_back_goes_on_from_the_clock)
{
	FOLLOW(1000);
	FOLLOW(400, 401, 403);
	cr_assert_eq(line->common.eras, 2);
	cr_assert_eq(flow_ns[0], 1000 * S + 1);
	cr_assert_eq(flow_ns[1], 1001 * S + 1);
	cr_assert_eq(flow_ns[2], 1003 * S + 1);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(bpei_timeline_time(line, flow_ns[i]), (i == 2 ? 403 : 400 + i) * S);
	cr_assert_eq(bpei_timeline_time(line, 1000 * S), 1000 * S);
	FOLLOW(399); /* a little late: no earlier than the step */
	cr_assert_eq(flow_ns[0], 1000 * S + 1);
	cr_assert_eq(bpei_timeline_now(line, 500 * S), 1100 * S + 1);
	cr_assert_eq(bpei_counter_get(&line->steps), 1);
}

Test(timeline, one_wrong_time_moves_nothing)
{
	FOLLOW(1000, 5, 1001, 90000, 1002);
	cr_assert_eq(line->common.eras, 1);
	cr_assert_eq(line->clock_ns, 1002 * S);
	cr_assert_eq(flow_ns[1], 1000 * S);
	cr_assert_eq(flow_ns[3], 1001 * S);
	FOLLOW(5);
	cr_assert_eq(flow_ns[0], 1002 * S);
	FOLLOW(1003);
	cr_assert_eq(line->common.eras, 1);
	cr_assert_eq(bpei_counter_get(&line->steps), 0);
}

Test(timeline, packets_of_a_quiet_line_have_their_own_times)
{
	FOLLOW(1000);
	for (int64_t at = 1060; at < 2000; at += 60) {
		FOLLOW(at);
		cr_assert_eq(flow_ns[0], at * S);
		cr_assert_eq(kind[0], BPEI_TIME_AHEAD);
		cr_assert_eq(line->clock_ns,
			(at > 1060 ? at - 60 : 1000) *
				S); /* a packet behind: the next may take the jump back */
	}
	FOLLOW(5000, 5001);
	cr_assert_eq(line->clock_ns, 5001 * S);
	cr_assert_geq(bpei_counter_get(&line->steps), 15);
}

Test(timeline, no_times_overflow_and_steps_have_an_end)
{
	const int64_t ends[] = { INT64_MIN, INT64_MAX, INT64_MIN, INT64_MIN, INT64_MAX, INT64_MAX,
		0, 0 };
	follow_ns(ends, 8);
	int64_t before = line->clock_ns;
	for (int64_t k = 0; k < 3 * BPEI_ERAS; k++) {
		const int64_t two[2] = { -k * 20 * S, -k * 20 * S };
		follow_ns(two, 2);
		cr_assert_geq(line->clock_ns, before);
		before = line->clock_ns;
	}
	cr_assert_leq(line->common.eras, BPEI_ERAS);
}
