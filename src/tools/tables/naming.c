/* SPDX-License-Identifier: MIT */
/* Names of rotated tables (naming.h).  Pure, but for the local time zone. */
#include "tools/tables/naming.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_A_SECOND INT64_C(1000000000)
#define SECONDS_A_DAY 86400

/* Returns whether the template has a conversion.  "%%" is a percent sign. */
static bool has_conversion(const char *template)
{
	for (const char *p = strchr(template, '%'); p; p = strchr(p + 2, '%')) {
		if (p[1] && p[1] != '%')
			return true;
		if (!p[1])
			return false;
	}
	return false;
}

/* Returns where the end of the name begins: ".parquet". */
static size_t find_name_end(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name ? (size_t)(dot - name) : strlen(name);
}

/* Replaces %N and %5N by the number.  Returns 0, or -1 if there is no room. */
static int replace_numbers(const char *from, uint64_t number, char *to, size_t room)
{
	size_t used = 0;

	while (*from) {
		int n = 1;
		const char *digits = from + 1;
		const size_t count = *from == '%' ? strspn(digits, "0123456789") : 0;

		if (*from == '%' && digits[count] == 'N' && count < 3) {
			int width = 1;

			if (count)
				sscanf(digits, "%2d", &width);
			n = snprintf(to + used, room - used, "%0*" PRIu64, width, number);
			from = digits + count + 1;
		} else {
			to[used] = *from;
			/* The sign behind "%" is a part of the conversion. */
			if (*from == '%' && from[1] && used + 2 < room) {
				to[used + 1] = from[1];
				n = 2;
			}
			from += n;
		}
		used += (size_t)n;
		if (used + 1 >= room)
			return -1;
	}
	to[used] = 0;
	return 0;
}

/* Puts a text before the end of the name.  Returns 0, or -1 if there is no room. */
static int insert_before_end(char name[NAMING_ROOM], const char *text)
{
	const size_t at = find_name_end(name);
	const size_t n = strlen(text);
	const size_t rest = strlen(name + at) + 1;

	if (at + n + rest > NAMING_ROOM)
		return -1;
	memmove(name + at + n, name + at, rest);
	memcpy(name + at, text, n);
	return 0;
}

int naming_make(const char *template, bool rotates, const struct tm *when, uint64_t number,
	uint32_t attempt, char name[NAMING_ROOM])
{
	char numbered[NAMING_ROOM];
	char text[24];
	int failed = 0;

	if (!rotates) {
		failed = strlen(template) >= NAMING_ROOM;
		if (!failed)
			memcpy(name, template, strlen(template) + 1);
	} else if (has_conversion(template)) {
		failed = replace_numbers(template, number, numbered, sizeof numbered) ||
			 !strftime(name, NAMING_ROOM, numbered, when);
	} else {
		snprintf(text, sizeof text, "_%05" PRIu64, number);
		failed = strlen(template) >= NAMING_ROOM;
		if (!failed)
			memcpy(name, template, strlen(template) + 1);
		failed = failed || insert_before_end(name, text);
	}
	if (!failed && attempt) {
		snprintf(text, sizeof text, "-%" PRIu32, attempt + 1);
		failed = insert_before_end(name, text);
	}
	return failed || !*name || strchr(name, '/') ? -1 : 0;
}

int64_t naming_next(int64_t now_ns, int64_t every_ns)
{
	const time_t now = (time_t)(now_ns / NS_A_SECOND);
	struct tm when = { 0 };

	localtime_r(&now, &when);
	if (every_ns > SECONDS_A_DAY * NS_A_SECOND)
		return now_ns + every_ns;
	const int64_t since_midnight =
		(when.tm_hour * 3600 + when.tm_min * 60 + when.tm_sec) * NS_A_SECOND +
		now_ns % NS_A_SECOND;
	return now_ns - since_midnight % every_ns + every_ns;
}
