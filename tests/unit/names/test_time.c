/* SPDX-License-Identifier: MIT */
/* Times as text: the whole range, before 1970, and local times. */
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void expect_utc(int64_t ns, const char *wanted)
{
	char text[BPE_TIME_TEXT_BYTES];

	cr_assert_eq(bpe_time_text(ns, true, text, sizeof text), (int)strlen(wanted));
	cr_assert_str_eq(text, wanted);
}

Test(time_text, known_times)
{
	expect_utc(0, "1970-01-01T00:00:00.000000000Z");
	expect_utc(-1, "1969-12-31T23:59:59.999999999Z");
	expect_utc(-1000000000, "1969-12-31T23:59:59.000000000Z");
	expect_utc(INT64_C(951782400000000000), "2000-02-29T00:00:00.000000000Z");
	expect_utc(INT64_C(1700000000123456789), "2023-11-14T22:13:20.123456789Z");
	expect_utc(INT64_C(-2203977600000000000), "1900-02-28T00:00:00.000000000Z");
	expect_utc(INT64_C(-2203891200000000000), "1900-03-01T00:00:00.000000000Z");
	expect_utc(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
	expect_utc(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
}

Test(time_text, agrees_with_the_system_on_every_day)
{
	if ((time_t)INT64_MAX / 1000000000 != INT64_MAX / 1000000000)
		cr_skip("time_t is short");
	for (int64_t day = -106751; day <= 106751; day++) {
		const int64_t ns = day * 86400 * 1000000000 + 12345678901234;
		const time_t clock = (time_t)(ns / 1000000000 - (ns % 1000000000 < 0));
		char text[BPE_TIME_TEXT_BYTES];
		char wanted[BPE_TIME_TEXT_BYTES];
		struct tm tm;

		strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%S", gmtime_r(&clock, &tm));
		cr_assert_gt(bpe_time_text(ns, true, text, sizeof text), 0);
		cr_assert_eq(strncmp(text, wanted, 19), 0, "%s, not %s", text, wanted);
	}
}

/* Checks that a local text with its offset means the time, and returns the offset in minutes. */
static int expect_local_instant(int64_t ns)
{
	char local[BPE_TIME_TEXT_BYTES];
	char utc[BPE_TIME_TEXT_BYTES];
	char back[BPE_TIME_TEXT_BYTES];
	int hours;
	int minutes;
	char sign;

	cr_assert_eq(bpe_time_text(ns, false, local, sizeof local), 35);
	cr_assert_eq(sscanf(local + 29, "%c%2d:%2d", &sign, &hours, &minutes), 3, "%s", local);
	minutes += hours * 60;
	if (sign == '-')
		minutes = -minutes;
	/* The text of UTC so many minutes later has the same digits. */
	bpe_time_text(ns + minutes * INT64_C(60000000000), true, utc, sizeof utc);
	snprintf(back, sizeof back, "%.29sZ", local);
	cr_assert_str_eq(back, utc);
	return minutes;
}

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

Test(time_text, local_times_mean_the_same_instant)
{
	const int64_t winter = INT64_C(1700000000123456789);
	const int64_t summer = INT64_C(1690000000987654321);

	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	cr_assert_eq(expect_local_instant(winter), 60);
	cr_assert_eq(expect_local_instant(summer), 120);
	set_zone("NST3:30");
	cr_assert_eq(expect_local_instant(winter), -210);
	cr_assert_eq(expect_local_instant(-1), -210);
	set_zone("LMT-0:19:32"); /* RFC 3339 has no seconds here */
	cr_assert_eq(expect_local_instant(winter), 19);
	set_zone("UTC0");
	cr_assert_eq(expect_local_instant(winter), 0);
	cr_assert_eq(expect_local_instant(INT64_MAX - 1), 0);
}

Test(time_text, local_times_at_both_ends_of_the_range)
{
	char text[BPE_TIME_TEXT_BYTES];

	set_zone("AAA-14");
	cr_assert_eq(bpe_time_text(INT64_MAX, false, text, sizeof text), 35);
	cr_assert(!strncmp(text, "2262-04-1", 9), "%s", text);
	set_zone("BBB12");
	cr_assert_eq(bpe_time_text(INT64_MIN, false, text, sizeof text), 35);
	cr_assert(!strncmp(text, "1677-09-2", 9), "%s", text);
}

Test(time_text, room_is_checked_to_the_byte)
{
	char text[64];

	for (size_t size = 0; size <= 30; size++) {
		memset(text, '#', sizeof text);
		cr_assert_eq(bpe_time_text(0, true, text, size), BPE_E_ARGUMENT);
		cr_assert_eq(text[0], '#');
	}
	memset(text, '#', sizeof text);
	cr_assert_eq(bpe_time_text(0, true, text, 31), 30);
	cr_assert_eq(text[31], '#');
	cr_assert_eq(bpe_time_text(0, true, NULL, 64), BPE_E_ARGUMENT);
}
