/* SPDX-License-Identifier: MIT */
/* Time stamps (stamp.h).  Packets of a second share the text before the fraction. */
#include "stamp.h"

#include "digits.h"
#include "print.h"

#include <time.h>

#define SECOND_NS 1000000000
#define BLOCK_S 900 /* offsets of time zones change at quarters of an hour */
#define DAY_S 86400

void stamp_begin(struct print_stamp *stamp, uint32_t form, bool nanoseconds)
{
	tzset();
	*stamp = (struct print_stamp){ .form = form, .second = INT64_MIN, .block = INT64_MIN };
	stamp->digits = nanoseconds ? 9 : 6;
}

void stamp_begin_utc(struct print_stamp *stamp)
{
	stamp_begin(stamp, PRINT_TIME_DATE, true);
	stamp->is_utc = true;
}

/* Returns a / b, rounded down; b > 0. */
static int64_t divide_time(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Returns the offset of local time at a second of UTC. */
static int64_t offset_of_second(struct print_stamp *stamp, int64_t second)
{
	const int64_t block = divide_time(second, BLOCK_S);
	const time_t at = (time_t)second;
	struct tm local;

	if (stamp->is_utc || block == stamp->block)
		return stamp->offset_s;
	stamp->block = block;
	stamp->offset_s = 0;
	if (localtime_r(&at, &local))
		stamp->offset_s = local.tm_gmtoff;
	return stamp->offset_s;
}

/* Writes a date, YYYY-MM-DD, by the days since 1970-01-01 (Hinnant's civil_from_days). */
static char *put_date(char *at, int64_t days)
{
	const int64_t shifted = days + 719468; /* since 0000-03-01 */
	const int64_t era = divide_time(shifted, 146097);
	const int64_t day = shifted - era * 146097;
	const int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	const int64_t of_year = day - (365 * year + year / 4 - year / 100);
	const int64_t march = (5 * of_year + 2) / 153;
	const int64_t month = march < 10 ? march + 3 : march - 9;

	at = digits_put_padded(at, (uint64_t)(year + era * 400 + (month <= 2)), 4);
	*at++ = '-';
	at = digits_put_pair(at, (uint32_t)month);
	*at++ = '-';
	return digits_put_pair(at, (uint32_t)(of_year - (153 * march + 2) / 5 + 1));
}

/* Writes HH:MM:SS; hours may have more digits. */
static char *put_clock(char *at, uint64_t seconds)
{
	at = digits_put_padded(at, seconds / 3600, 2);
	*at++ = ':';
	at = digits_put_pair(at, (uint32_t)(seconds / 60 % 60));
	*at++ = ':';
	return digits_put_pair(at, (uint32_t)(seconds % 60));
}

/* Renews the text before the fraction. */
static __attribute__((noinline)) void renew_second(struct print_stamp *stamp, int64_t second)
{
	char *at = stamp->text;

	stamp->second = second;
	if (stamp->form == PRINT_TIME_EPOCH) {
		if (second < 0)
			*at++ = '-';
		at = digits_put(at, second < 0 ? (uint64_t)-second : (uint64_t)second);
	} else {
		const int64_t local = second + offset_of_second(stamp, second);
		const int64_t days = divide_time(local, DAY_S);

		if (stamp->form == PRINT_TIME_DATE) {
			at = put_date(at, days);
			*at++ = stamp->is_utc ? 'T' : ' ';
		}
		at = put_clock(at, (uint64_t)(local - days * DAY_S));
	}
	*at++ = '.';
	stamp->length = (uint32_t)(at - stamp->text);
}

/* Writes the fraction of a second. */
static inline char *put_fraction(const struct print_stamp *stamp, char *at, uint32_t ns)
{
	if (stamp->digits == 9)
		return digits_put_padded(at, ns, 9);
	return digits_put_six(at, ns / 1000);
}

/* Writes the time since the packet before, or since the first, with a sign or a blank. */
static char *put_difference(struct print_stamp *stamp, char *at, int64_t ns)
{
	const int64_t unit = stamp->digits == 9 ? 1 : 1000;
	const int64_t now_ns = divide_time(ns, unit) * unit;

	if (!stamp->has_base)
		stamp->base_ns = now_ns;
	stamp->has_base = true;
	const bool is_before = now_ns < stamp->base_ns;
	uint64_t since_ns = (uint64_t)now_ns - (uint64_t)stamp->base_ns;
	if (is_before)
		since_ns = 0 - since_ns;
	if (stamp->form == PRINT_TIME_SINCE_LAST)
		stamp->base_ns = now_ns;
	*at++ = is_before ? '-' : ' ';
	at = put_clock(at, since_ns / SECOND_NS);
	*at++ = '.';
	return put_fraction(stamp, at, (uint32_t)(since_ns % SECOND_NS));
}

char *stamp_put(struct print_stamp *stamp, char *at, int64_t ns)
{
	if (stamp->form == PRINT_TIME_NONE)
		return at;
	if (stamp->form == PRINT_TIME_SINCE_LAST || stamp->form == PRINT_TIME_SINCE_FIRST)
		return put_difference(stamp, at, ns);
	/* packets of a second are many: a subtraction finds that the second is the same */
	uint64_t fraction = (uint64_t)ns - (uint64_t)stamp->second * SECOND_NS;
	if (fraction >= SECOND_NS || stamp->second == INT64_MIN) {
		const int64_t second = divide_time(ns, SECOND_NS);

		renew_second(stamp, second);
		fraction = (uint64_t)(ns - second * SECOND_NS);
	}
	memcpy(at, stamp->text, sizeof stamp->text);
	return put_fraction(stamp, at + stamp->length, (uint32_t)fraction);
}
