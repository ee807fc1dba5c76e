/* SPDX-License-Identifier: MIT */
/* Makes names of files that follow one another, and finds when a file ends. */
#include "tools/tables/naming.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char name[NAMING_ROOM];
static const struct tm when = { .tm_year = 126, .tm_mon = 10, .tm_mday = 29, .tm_hour = 7 };

static void check_name(
	const char *template, bool rotates, uint64_t number, uint32_t attempt, const char *expected)
{
	cr_assert_eq(naming_make(template, rotates, &when, number, attempt, name), 0);
	cr_assert_str_eq(name, expected);
}

Test(naming, names)
{
	check_name("flows.parquet", false, 1, 0, "flows.parquet");
	check_name("100%.parquet", false, 1, 0, "100%.parquet");
	check_name("flows.parquet", false, 2, 1, "flows-2.parquet");
	check_name("flows.parquet", true, 7, 0, "flows_00007.parquet");
	check_name("flows.parquet", true, 7, 2, "flows_00007-3.parquet");
	check_name("f-%Y%m%d-%H.parquet", true, 7, 0, "f-20261129-07.parquet");
	check_name("f%3N.parquet", true, 7, 0, "f007.parquet");
	check_name("f%N-%H.parquet", true, 12, 0, "f12-07.parquet");
	check_name("f%%N%N.parquet", true, 3, 0, "f%N3.parquet");
	check_name("%%.parquet", true, 3, 0, "%%_00003.parquet");
}

Test(naming, bad_names)
{
	char longest[NAMING_ROOM + 8];

	memset(longest, 'x', sizeof longest);
	longest[sizeof longest - 1] = 0;
	cr_assert_eq(naming_make(longest, false, &when, 1, 0, name), -1);
	cr_assert_eq(naming_make(longest, true, &when, 1, 0, name), -1);
	longest[0] = '%';
	longest[1] = 'N';
	cr_assert_eq(naming_make(longest, true, &when, 1, 0, name), -1);
	cr_assert_eq(naming_make("%D.parquet", true, &when, 1, 0, name), -1, "a slash");
	cr_assert_eq(naming_make("", false, &when, 1, 0, name), -1);
}

Test(naming, next)
{
	const int64_t second = 1000000000;
	const int64_t hour = 3600 * second;
	const int64_t day = 24 * hour;

	setenv("TZ", "UTC0", 1);
	cr_assert_eq(naming_next(10 * day + hour / 3, hour), 10 * day + hour);
	cr_assert_eq(naming_next(10 * day + hour, hour), 10 * day + 2 * hour);
	cr_assert_eq(naming_next(10 * day + 5, 7 * second), 10 * day + 7 * second);
	cr_assert_eq(naming_next(10 * day + hour, day), 11 * day);
	cr_assert_eq(naming_next(10 * day + hour, 7 * day), 17 * day + hour);
}
