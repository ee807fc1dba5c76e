/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* A start without entropy: the seed is drawn within a bound, whatever the system answers. */

static int64_t clock_ns, slept_ns;
static int answers[4]; /* errnos; the last answer is repeated */
static int asked;

static int draw_scripted(void *to, size_t bytes)
{
	int e = answers[asked < 3 ? asked : 3];
	asked++;
	if (!e)
		memset(to, 0x5a, bytes);
	return e;
}

static int64_t read_scripted_clock(void)
{
	return clock_ns;
}

static void sleep_scripted(int64_t ns)
{
	clock_ns += ns;
	slept_ns += ns;
}

static const struct bpei_random_sys scripted = { draw_scripted, read_scripted_clock,
	sleep_scripted };

static uint64_t seed_of(int a, int b, int c, int d, bool *weak)
{
	const int errnos[4] = { a, b, c, d };

	memcpy(answers, errnos, sizeof answers);
	asked = 0;
	clock_ns = 5;
	slept_ns = 0;
	return bpei_random_seed(&scripted, weak);
}

Test(random, a_ready_source_is_taken_at_once)
{
	bool weak = true;
	cr_expect_eq(seed_of(0, 0, 0, 0, &weak), UINT64_C(0x5a5a5a5a5a5a5a5a));
	cr_expect(!weak && asked == 1 && !slept_ns);
}

Test(random, a_late_source_is_waited_for)
{
	bool weak = true;
	cr_expect_eq(seed_of(EAGAIN, EINTR, EAGAIN, 0, &weak), UINT64_C(0x5a5a5a5a5a5a5a5a));
	cr_expect(!weak && asked == 4 && slept_ns > 0);
}

Test(random, a_source_that_never_comes_costs_a_bound)
{
	bool weak = false;
	uint64_t one = seed_of(EAGAIN, EAGAIN, EAGAIN, EAGAIN, &weak);
	cr_expect(weak && slept_ns >= BPEI_RANDOM_WAIT_NS && slept_ns < 2 * BPEI_RANDOM_WAIT_NS);
	cr_expect_neq(one, seed_of(EAGAIN, EAGAIN, EAGAIN, EAGAIN, &weak));
}

Test(random, no_source_is_not_waited_for)
{
	bool weak = false;
	cr_expect_neq(seed_of(ENOENT, 0, 0, 0, &weak), 0);
	cr_expect(weak && asked == 1 && !slept_ns);
}

Test(random, the_real_one_differs_each_time)
{
	bool weak = true;
	uint64_t one = bpei_random_seed(&bpei_random_sys_real, &weak);
	cr_expect(!weak);
	cr_expect_neq(one, bpei_random_seed(&bpei_random_sys_real, &weak));
}
