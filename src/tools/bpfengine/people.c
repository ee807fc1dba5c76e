/* SPDX-License-Identifier: MIT */
/* Numbers, rates, durations and dates for people; pure. */
#include "cli.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define SECOND_NS UINT64_C(1000000000)

/* ---- Numbers ---- */

const char *cli_number(char *to, size_t room, uint64_t n)
{
	char digits[24];
	const size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n);
	size_t at = 0;

	for (size_t i = 0; i < length && at + 2 < room; i++) {
		if (i && (length - i) % 3 == 0)
			to[at++] = ',';
		to[at++] = digits[i];
	}
	if (room)
		to[at] = 0;
	return to;
}

const char *cli_counted_as(
	char *to, size_t room, uint64_t n, const char *singular, const char *plural)
{
	char number[28]; /* 2^64 and 6 separators */

	snprintf(to, room, "%s %s", cli_number(number, sizeof number, n),
		n == 1 ? singular : plural);
	return to;
}

const char *cli_counted(char *to, size_t room, uint64_t n, const char *word)
{
	char plural[16];

	snprintf(plural, sizeof plural, "%ss", word);
	return cli_counted_as(to, room, n, word, plural);
}

const char *cli_kernel_count(char *to, size_t room, const struct bpe_stats *s, uint64_t which,
	uint64_t n, const char *unknown)
{
	if (s->kernel_known & which)
		cli_number(to, room, n);
	else
		snprintf(to, room, "%s", unknown);
	return to;
}

/* ---- Sums of statistics ---- */

uint64_t cli_packet_span_ns(const struct bpe_stats *s)
{
	return (uint64_t)s->last_packet_ns - (uint64_t)s->first_packet_ns;
}

uint64_t cli_own_drops(const struct bpe_stats *s)
{
	uint64_t sum = 0;

	for (int i = 0; i < BPE_DROP_COUNT; i++)
		sum += s->dropped[i];
	return sum;
}

/* ---- Rates ---- */

/* Returns the growth in a second; 0 without time. */
static double growth_per_second(uint64_t grown, double seconds)
{
	return seconds > 0 ? (double)grown / seconds : 0;
}

const char *cli_rate(char *to, size_t room, double n, const char *unit)
{
	char number[CLI_NUMBER];
	const char *blank = " ";

	cli_count(number, sizeof number, n);
	if (strchr(number, ' '))
		blank = ""; /* the letter of the unit's prefix stands before the unit: 1.2 kbit/s */
	snprintf(to, room, "%s%s%s", number, blank, unit);
	return to;
}

const char *cli_packet_rate(char *to, size_t room, double n)
{
	char number[CLI_NUMBER];

	if (n >= 9.95 || n <= 0)
		cli_count(number, sizeof number, n);
	else if (n >= 0.995)
		snprintf(number, sizeof number, "%.1f", n);
	else
		snprintf(number, sizeof number, "%.2f", n);
	snprintf(to, room, "%s packets/s", number);
	return to;
}

const char *cli_exact_rates(char *to, size_t room, const struct cli_shown_rates *rates)
{
	const double half = 0.5;
	char pps[CLI_NUMBER], bps[CLI_NUMBER];

	snprintf(to, room, "%s packets/s, %s bit/s",
		cli_number(pps, sizeof pps, (uint64_t)(rates->packets + half)),
		cli_number(bps, sizeof bps, (uint64_t)(rates->bits + half)));
	return to;
}

const char *cli_both_rates(char *to, size_t room, const struct cli_shown_rates *rates)
{
	char pps[CLI_RATE], bps[CLI_RATE];

	snprintf(to, room, "%s, %s", cli_packet_rate(pps, sizeof pps, rates->packets),
		cli_rate(bps, sizeof bps, rates->bits, "bit/s"));
	return to;
}

const char *cli_rates_text(
	char *to, size_t room, uint64_t packets, uint64_t wire_bytes, double seconds)
{
	const struct cli_shown_rates rates = { .packets = growth_per_second(packets, seconds),
		.bits = growth_per_second(wire_bytes, seconds) * 8 };

	return cli_both_rates(to, room, &rates);
}

/* ---- Times ---- */

const char *cli_duration(char *to, size_t room, uint64_t ns)
{
	const uint64_t seconds = ns / SECOND_NS;
	const uint64_t minutes = seconds / 60;
	const uint64_t hours = minutes / 60;
	char days[CLI_TIME];

	if (ns < SECOND_NS)
		snprintf(to, room, "0.%06" PRIu64 " s", ns / 1000);
	else if (!minutes)
		snprintf(
			to, room, "%" PRIu64 ".%03" PRIu64 " s", seconds, ns % SECOND_NS / 1000000);
	else if (!hours)
		snprintf(to, room, "%" PRIu64 " min %02" PRIu64 " s", minutes, seconds % 60);
	else if (hours < 24)
		snprintf(to, room, "%" PRIu64 " h %02" PRIu64 " min %02" PRIu64 " s", hours,
			minutes % 60, seconds % 60);
	else
		snprintf(to, room, "%s %02" PRIu64 " h %02" PRIu64 " min",
			cli_counted(days, sizeof days, hours / 24, "day"), hours % 24,
			minutes % 60);
	return to;
}

const char *cli_date(char *to, size_t room, int64_t ns, int digits)
{
	int64_t seconds = ns / (int64_t)SECOND_NS;
	int64_t fraction = ns % (int64_t)SECOND_NS;
	struct tm date;
	char text[24];

	if (fraction < 0) {
		fraction += (int64_t)SECOND_NS;
		seconds--;
	}
	const time_t when = (time_t)seconds;

	if (!gmtime_r(&when, &date) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &date))
		snprintf(text, sizeof text, "?");
	for (int digit = 9; digit > digits; digit--)
		fraction /= 10;
	if (digits)
		snprintf(to, room, "%s.%0*" PRId64 "Z", text, digits, fraction);
	else
		snprintf(to, room, "%sZ", text);
	return to;
}

/* ---- Ends of a flow ---- */

bool cli_is_icmp(const struct bpe_flow *f)
{
	enum { ICMP = 1, ICMP6 = 58 };

	return f->ip_proto == (f->ip_version == 6 ? ICMP6 : ICMP);
}

const char *cli_endpoint(char *to, size_t room, const struct bpe_flow *f, int side)
{
	const char *format = f->ip_version == 6 ? "[%s]:%u" : "%s:%u";
	char address[48];

	cli_address(address, sizeof address, f->addr[side], f->ip_version);
	if (f->port[side] && !cli_is_icmp(f))
		snprintf(to, room, format, address, f->port[side]);
	else
		snprintf(to, room, "%s", address);
	return to;
}
