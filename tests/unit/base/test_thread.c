/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#if defined(__linux__)
#include <sched.h>
#endif

Test(thread, there_is_a_core)
{
	cr_expect_geq(bpei_thread_cores(), 1);
}

#if defined(__linux__)
Test(thread, a_pin_leaves_a_single_allowed_core)
{
	cpu_set_t before, after;

	cr_assert_eq(sched_getaffinity(0, sizeof before, &before), 0);
	cr_assert_eq(bpei_thread_pin(1000001), 0);
	cr_assert_eq(sched_getaffinity(0, sizeof after, &after), 0);
	cr_expect_eq(CPU_COUNT(&after), 1);
	for (int c = 0; c < CPU_SETSIZE; c++)
		cr_expect(!CPU_ISSET(c, &after) || CPU_ISSET(c, &before));
}

Test(thread, a_name_is_the_systems)
{
	char name[16] = "";

	bpei_thread_name("bpe-test");
	cr_assert_eq(pthread_getname_np(pthread_self(), name, sizeof name), 0);
	cr_expect_str_eq(name, "bpe-test");
}
#endif

Test(thread, urgency_is_given_or_refused_with_a_reason)
{
	for (int realtime = 0; realtime < 2; realtime++) {
		const int r = bpei_thread_urgent(realtime);

		cr_expect(r == 0 || r == EPERM || r == EACCES || r == ENOTSUP, "%d", r);
	}
}
