/* SPDX-License-Identifier: MIT */
/* Tests the forms of time stamps: of day, with date, since 1970, since another packet. */
#include "tools/print/print.h"
#include "tools/print/stamp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)
#define NOON_NS (INT64_C(1764417600) * SECOND_NS) /* 2025-11-29 12:00:00 UTC */

static struct print_stamp stamp;
static char text[STAMP_BYTES];

static void begin_stamp(uint32_t form, bool nanoseconds, const char *zone)
{
	setenv("TZ", zone, 1);
	stamp_begin(&stamp, form, nanoseconds);
}

static const char *stamp_of(int64_t ns)
{
	*stamp_put(&stamp, text, ns) = 0;
	return text;
}

Test(stamp, time_of_day_is_local)
{
	begin_stamp(PRINT_TIME_OF_DAY, false, "UTC");
	cr_assert_str_eq(stamp_of(NOON_NS + 1999), "12:00:00.000001");
	cr_assert_str_eq(stamp_of(NOON_NS + 999999999), "12:00:00.999999");
	cr_assert_str_eq(stamp_of(NOON_NS + SECOND_NS), "12:00:01.000000");
	cr_assert_str_eq(stamp_of(NOON_NS - 1), "11:59:59.999999");
	begin_stamp(PRINT_TIME_OF_DAY, true, "XYZ-5:45");
	cr_assert_str_eq(stamp_of(NOON_NS + 7), "17:45:00.000000007");
}

Test(stamp, dates_as_the_system_writes)
{
	char wanted[64];

	begin_stamp(PRINT_TIME_DATE, false, "XYZ3");
	for (int64_t day = -40000; day < 100000; day += 17) {
		const time_t at = (time_t)(day * 86400 + day % 86400);
		struct tm local;

		localtime_r(&at, &local);
		strftime(wanted, sizeof wanted, "%Y-%m-%d %H:%M:%S.000000", &local);
		cr_assert_str_eq(stamp_of((int64_t)at * SECOND_NS), wanted);
	}
}

Test(stamp, seconds_since_1970)
{
	begin_stamp(PRINT_TIME_EPOCH, false, "UTC");
	cr_assert_str_eq(stamp_of(NOON_NS + 5000), "1764417600.000005");
	cr_assert_str_eq(stamp_of(0), "0.000000");
	begin_stamp(PRINT_TIME_NONE, false, "UTC");
	cr_assert_str_eq(stamp_of(NOON_NS), "");
}

Test(stamp, time_since_a_packet)
{
	begin_stamp(PRINT_TIME_SINCE_LAST, false, "UTC");
	cr_assert_str_eq(stamp_of(NOON_NS), " 00:00:00.000000");
	cr_assert_str_eq(stamp_of(NOON_NS + SECOND_NS), " 00:00:01.000000");
	cr_assert_str_eq(stamp_of(NOON_NS), "-00:00:01.000000");
	begin_stamp(PRINT_TIME_SINCE_FIRST, true, "UTC");
	cr_assert_str_eq(stamp_of(NOON_NS), " 00:00:00.000000000");
	cr_assert_str_eq(stamp_of(NOON_NS + 3 * SECOND_NS), " 00:00:03.000000000");
	cr_assert_str_eq(stamp_of(NOON_NS + 100 * 3600 * SECOND_NS + 1), " 100:00:00.000000001");
}
