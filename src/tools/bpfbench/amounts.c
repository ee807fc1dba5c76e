/* SPDX-License-Identifier: MIT */
/* Numbers as people read them.  Pure. */
#include "amounts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SEPARATED_DIGITS 4u /* shorter numbers, such as 64 or 1514, are read without help */

const char *amount_separate(char *to, size_t room, const char *number)
{
	const size_t sign = *number == '-';
	const size_t digits = strspn(number + sign, "0123456789");
	const char *rest = number + sign + digits;
	size_t at = 0;

	if (digits <= SEPARATED_DIGITS || (*rest && *rest != '.')) {
		snprintf(to, room, "%s", number);
		return to;
	}
	for (size_t k = 0; number[k] && at + 2 < room; k++) {
		const size_t left = digits + sign - k; /* digits from here to the point */

		if (k > sign && k < digits + sign && left % 3 == 0)
			to[at++] = ',';
		to[at++] = number[k];
	}
	to[at] = 0;
	return to;
}

const char *amount_count(char *to, size_t room, uint64_t count)
{
	char plain[24];

	snprintf(plain, sizeof plain, "%llu", (unsigned long long)count);
	return amount_separate(to, room, plain);
}

const char *amount_of(char *to, size_t room, uint64_t count, const char *noun)
{
	char number[AMOUNT_ROOM];
	const char *plural = count == 1 ? "" : "s";

	snprintf(to, room, "%s %s%s", amount_count(number, sizeof number, count), noun, plural);
	return to;
}

/* Writes a number above 0 with three digits, without zeros behind the point. */
static void format_three_digits(char *to, size_t room, double v)
{
	int decimals = 2 - (int)floor(log10(v));

	if (decimals < 0)
		decimals = 0;
	snprintf(to, room, "%.*f", decimals, v);
	if (!strchr(to, '.'))
		return;
	for (size_t n = strlen(to); n && (to[n - 1] == '0' || to[n - 1] == '.'); n--) {
		const char last = to[n - 1];

		to[n - 1] = 0;
		if (last == '.')
			break;
	}
}

const char *amount_rate(char *to, size_t room, double rate)
{
	static const struct {
		double from, unit;
		const char *name;
	} units[] = { { 999.5e6, 1e9, " billion" }, { 999.5e3, 1e6, " million" },
		{ 9999.5, 1e3, " thousand" }, { 0, 1, "" } };
	char number[AMOUNT_ROOM] = "0";
	size_t k = 0;

	while (rate < units[k].from)
		k++;
	if (rate >= 1000 && units[k].unit == 1)
		amount_count(number, sizeof number, (uint64_t)llround(rate));
	else if (rate > 0)
		format_three_digits(number, sizeof number, rate / units[k].unit);
	snprintf(to, room, "%s%s packets/s", number, units[k].name);
	return to;
}

const char *amount_bytes(char *to, size_t room, uint64_t bytes)
{
	static const char *const units[] = { "GiB", "MiB", "KiB" };

	for (size_t k = 0; bytes && k < 3; k++) {
		const uint64_t unit = UINT64_C(1) << (30 - 10 * k);

		if (bytes % unit)
			continue;
		snprintf(to, room, "%llu %s", (unsigned long long)(bytes / unit), units[k]);
		return to;
	}
	return amount_of(to, room, bytes, "byte");
}

const char *amount_percent(char *to, size_t room, double part)
{
	const double percent = 100 * part;

	if (percent > 0 && percent < 99.5) {
		int decimals = 1 - (int)floor(log10(percent));

		if (decimals < 0)
			decimals = 0;
		snprintf(to, room, "%.*f %%", decimals, percent);
	} else {
		snprintf(to, room, "%.0f %%", percent);
	}
	return to;
}
