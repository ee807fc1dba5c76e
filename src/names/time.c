/* SPDX-License-Identifier: MIT */
/* Times as text of RFC 3339.  The calendar is computed here, since a system's time_t may be shorter
 * than a packet's time.  Reads the system's time zone for local times, and changes nothing. */
#include "bpfengine.h"

#include <stdio.h>
#include <time.h>

#define NS_IN_SECOND INT64_C(1000000000)
#define SECONDS_IN_DAY INT64_C(86400)
#define DAYS_TO_1970 INT64_C(719468) /* from 0000-03-01 */

struct civil_date {
	int year, month, day;
};

/* Returns a / b, rounded down.  b: above 0. */
static int64_t divide_down(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Returns the date of the Gregorian calendar, so many days after 1970.  Years count from March, so
 * the leap day is a year's last day.  days: of a time in nanoseconds, so the year is 1677 to 2262.
 */
static struct civil_date civil_date_of(int64_t days)
{
	const int64_t z = days + DAYS_TO_1970;
	const int64_t era = z / 146097;
	const int64_t in_era = z % 146097;
	const int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	const int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	const int64_t month = (5 * in_year + 2) / 153;
	const bool next_year = month >= 10;

	return (struct civil_date){ .year = (int)(year + era * 400 + next_year),
		.month = (int)(next_year ? month - 9 : month + 3),
		.day = (int)(in_year - (153 * month + 2) / 5 + 1) };
}

/* Returns the days from 1970 to a date of the Gregorian calendar; the inverse of civil_date_of. */
static int64_t days_of_civil_date(int64_t year, int64_t month, int64_t day)
{
	const int64_t y = month > 2 ? year : year - 1;
	const int64_t from_march = month > 2 ? month - 3 : month + 9;
	const int64_t in_year = (153 * from_march + 2) / 5 + day - 1;
	const int64_t in_era = y % 400 * 365 + y % 400 / 4 - y % 400 / 100 + in_year;

	return y / 400 * 146097 + in_era - DAYS_TO_1970;
}

/* Returns how many minutes local time is ahead of UTC; 0 if the system cannot tell.  Local mean
 * times of long ago have seconds, too, which RFC 3339 cannot write. */
static int64_t minutes_ahead(int64_t seconds)
{
	const time_t clock = (time_t)seconds;
	struct tm tm;

	if ((int64_t)clock != seconds || !localtime_r(&clock, &tm))
		return 0;
	const int64_t days = days_of_civil_date(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	const int64_t of_day = tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;

	return (days * SECONDS_IN_DAY + of_day - seconds) / 60;
}

/* Writes the offset from UTC: "Z", "+01:00" or "-03:30". */
static void write_offset(char *to, size_t room, bool utc, int64_t minutes)
{
	const int size = (int)(minutes < 0 ? -minutes : minutes) % 6000;

	if (utc)
		snprintf(to, room, "Z");
	else
		snprintf(to, room, "%c%02d:%02d", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

int bpe_time_text(int64_t time_ns, bool utc, char *text, size_t size)
{
	char whole[BPE_TIME_TEXT_BYTES];
	char offset[16];
	const int64_t seconds = divide_down(time_ns, NS_IN_SECOND);
	const int64_t ahead = utc ? 0 : minutes_ahead(seconds);
	const int64_t local = seconds + ahead * 60;
	const int64_t days = divide_down(local, SECONDS_IN_DAY);
	const int of_day = (int)(local - days * SECONDS_IN_DAY);
	const int ns = (int)(time_ns - divide_down(time_ns, NS_IN_SECOND) * NS_IN_SECOND);
	const struct civil_date d = civil_date_of(days);

	write_offset(offset, sizeof offset, utc, ahead);
	const int n = snprintf(whole, sizeof whole, "%04d-%02d-%02dT%02d:%02d:%02d.%09d%s", d.year,
		d.month, d.day, of_day / 3600, of_day / 60 % 60, of_day % 60, ns, offset);
	if (!text || n < 0 || (size_t)n >= size || (size_t)n >= sizeof whole)
		return BPE_E_ARGUMENT;
	snprintf(text, size, "%s", whole);
	return n;
}
