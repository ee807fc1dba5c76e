/* SPDX-License-Identifier: MIT */
/* Values of conditions (values.h). */
#include "where/values.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* ---- Numbers with units ---- */

struct unit {
	char text[4];
	int64_t is;
};

static const struct unit span_units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 },
	{ "s", 1000000000 }, { "m", INT64_C(60000000000) }, { "min", INT64_C(60000000000) },
	{ "h", INT64_C(3600000000000) }, { "d", INT64_C(86400000000000) } };
static const struct unit count_units[] = { { "", 1 }, { "k", 1000 }, { "K", 1000 },
	{ "M", 1000000 }, { "G", 1000000000 }, { "T", INT64_C(1000000000000) }, { "Ki", 1 << 10 },
	{ "Mi", 1 << 20 }, { "Gi", 1 << 30 }, { "Ti", INT64_C(1) << 40 } };
static const struct unit second[] = { { "", 1000000000 } };

/* Finds the unit with the n letters at text.  Returns 0 if there is none. */
static int64_t find_unit(const struct unit *units, size_t count, const char *text, size_t n)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(units[i].text) == n && !memcmp(units[i].text, text, n))
			return units[i].is;
	return 0;
}

/* Reads digits, and stores what is behind in *end.  Returns false without a digit, and for a number
 * past INT64_MAX. */
static bool read_digits(const char *text, const char **end, int64_t *number)
{
	const char *at = text;
	int64_t value = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *at - '0', &value))
			return false;
	*number = value;
	*end = at;
	return at > text;
}

/* Reads the digits of a fraction as a part of 1. */
static double read_fraction(const char *text, const char **end)
{
	double part = 0.1;
	double value = 0;

	for (; *text >= '0' && *text <= '9'; text++, part /= 10)
		value += part * (*text - '0');
	*end = text;
	return value;
}

/* Reads a number with a unit: "1.5k". */
static bool read_united(
	const char *text, size_t n, const struct unit *units, size_t count, int64_t *number)
{
	const char *at;
	double fraction = 0;

	if (!read_digits(text, &at, number))
		return false;
	if (*at == '.') {
		const char *digits = at + 1;

		fraction = read_fraction(digits, &at);
		if (at == digits)
			return false;
	}
	const int64_t unit = find_unit(units, count, at, n - (size_t)(at - text));

	if (!unit || (fraction > 0 && unit == 1) || __builtin_mul_overflow(*number, unit, number))
		return false;
	return !__builtin_add_overflow(*number, (int64_t)(fraction * (double)unit + 0.5), number);
}

/* Reads "0x1301". */
static bool read_hex(const char *text, size_t n, int64_t *number)
{
	int64_t value = 0;

	if (n < 3 || n > 10 || text[0] != '0' || (text[1] | 0x20) != 'x')
		return false;
	for (size_t i = 2; i < n; i++) {
		const char *digits = "0123456789abcdef";
		const char *at = strchr(digits, text[i] | 0x20);

		if (!at)
			return false;
		value = value << 4 | (at - digits);
	}
	*number = value;
	return true;
}

static bool read_quantity(const char *text, size_t n, int64_t *number)
{
	const size_t units = sizeof count_units / sizeof *count_units;

	return read_hex(text, n, number) || read_united(text, n, count_units, units, number);
}

static bool read_size(const char *text, size_t n, int64_t *number)
{
	char without[64];

	if (n < 2 || n >= sizeof without || text[n - 1] != 'B')
		return read_quantity(text, n, number);
	memcpy(without, text, n - 1);
	without[n - 1] = 0;
	return read_quantity(without, n - 1, number);
}

static bool read_span(const char *text, size_t n, int64_t *number)
{
	*number = 0;
	if (n == 1 && *text == '0')
		return true;
	return read_united(text, n, span_units, sizeof span_units / sizeof *span_units, number);
}

/* ---- Times ---- */

/* Reads exactly n digits at *text and goes past them and the sign behind, which may be 0. */
static bool read_part(const char **text, int n, char sign, int *number)
{
	const char *at = *text;

	*number = 0;
	for (int i = 0; i < n; i++, at++) {
		if (*at < '0' || *at > '9')
			return false;
		*number = *number * 10 + (*at - '0');
	}
	if (sign && *at++ != sign)
		return false;
	*text = at;
	return true;
}

/* Returns the days from 1970-01-01 to a date of the Gregorian calendar, year 1 and later. */
static int64_t count_days(int year, int month, int day)
{
	const int y = month <= 2 ? year - 1 : year; /* years begin in March */
	const int m = (month + 9) % 12;

	return 365 * (int64_t)y + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

/* Reads the place in the world behind a time: nothing, "Z", or "+01:00", in seconds. */
static bool read_zone(const char *text, int64_t *seconds)
{
	int hours;
	int minutes;
	const char sign = *text;

	*seconds = 0;
	if (!*text || !strcmp(text, "Z") || !strcmp(text, "z"))
		return true;
	if (sign != '+' && sign != '-')
		return false;
	text++;
	if (!read_part(&text, 2, ':', &hours) || !read_part(&text, 2, 0, &minutes) || *text ||
		hours > 23 || minutes > 59)
		return false;
	*seconds = hours * 3600 + minutes * 60;
	if (sign == '-')
		*seconds = -*seconds;
	return true;
}

/* Reads the time of day behind a date: "T07:42:22.5Z". */
static bool read_time_of_day(const char *text, int64_t *ns)
{
	int hour;
	int minute;
	int second_of = 0;
	int64_t zone;
	double fraction = 0;

	if (*text != 'T' && *text != 't' && *text != ' ')
		return false;
	text++;
	if (!read_part(&text, 2, ':', &hour) || !read_part(&text, 2, 0, &minute))
		return false;
	if (*text == ':') {
		text++;
		if (!read_part(&text, 2, 0, &second_of))
			return false;
	}
	if (*text == '.')
		fraction = read_fraction(text + 1, &text);
	if (!read_zone(text, &zone) || hour > 23 || minute > 59 || second_of > 60)
		return false;
	*ns = (hour * 3600 + minute * 60 + second_of - zone) * INT64_C(1000000000) +
	      (int64_t)(fraction * 1e9 + 0.5);
	return true;
}

/* Reads "2026-11-29", a time of RFC 3339, or seconds since 1970. */
static bool read_time(const char *text, size_t n, int64_t *number)
{
	const char *at = text;
	int year;
	int month;
	int day;
	int64_t of_day = 0;

	if (!read_part(&at, 4, '-', &year))
		return read_united(text, n, second, 1, number);
	if (!read_part(&at, 2, '-', &month) || !read_part(&at, 2, 0, &day) || !year || month < 1 ||
		month > 12 || day < 1 || day > 31)
		return false;
	if (*at && !read_time_of_day(at, &of_day))
		return false;
	return !__builtin_mul_overflow(
		       count_days(year, month, day), INT64_C(86400000000000), number) &&
	       !__builtin_add_overflow(*number, of_day, number);
}

/* ---- Addresses, names of numbers ---- */

/* Clears the bits behind the prefix. */
static void clear_host_bits(uint8_t addr[16], int64_t bits)
{
	for (int64_t i = 0; i < 16; i++)
		if (i * 8 + 8 > bits)
			addr[i] &= (uint8_t)(i * 8 >= bits ? 0 : 0xff00 >> (bits % 8));
}

/* Reads "192.0.2.1", "10.0.0.0/8", "fd00::/8". */
static bool read_address(const char *text, size_t n, struct bpei_where_value *v)
{
	char address[64];
	const char *slash = memchr(text, '/', n);
	const size_t length = slash ? (size_t)(slash - text) : n;
	const char *end;

	if (length >= sizeof address)
		return false;
	memcpy(address, text, length);
	address[length] = 0;
	memset(v->addr, 0, sizeof v->addr);
	v->version = memchr(address, ':', length) ? 6 : 4;
	const int64_t most = v->version == 6 ? 128 : 32;

	if (inet_pton(v->version == 6 ? AF_INET6 : AF_INET, address, v->addr) != 1)
		return false;
	v->number = most;
	if (slash && (!read_digits(slash + 1, &end, &v->number) || *end || v->number > most))
		return false;
	clear_host_bits(v->addr, v->number);
	return true;
}

static bool read_choice(
	const struct bpei_where_field *f, const char *text, size_t n, int64_t *number)
{
	for (int i = 0; i < 256; i++) {
		const char *name = f->choice(i);

		if (!name || strlen(name) != n || !n)
			continue;
		size_t k = 0;

		while (k < n && bpei_where_small(name[k]) == bpei_where_small(text[k]))
			k++;
		if (k == n) {
			*number = i;
			return true;
		}
	}
	return f->kind == BPEI_WHERE_PROTO && read_quantity(text, n, number);
}

/* Reads a version of TLS: "1.3", "ssl3". */
static bool read_tls(const char *text, int64_t *number)
{
	static const struct {
		char text[8];
		uint16_t wire;
	} versions[] = { { "ssl2", 0x0002 }, { "ssl3", 0x0300 }, { "SSL 2.0", 0x0002 },
		{ "SSL 3.0", 0x0300 }, { "1.0", 0x0301 }, { "1.1", 0x0302 }, { "1.2", 0x0303 },
		{ "1.3", 0x0304 } };

	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		if (strcmp(versions[i].text, text) != 0)
			continue;
		*number = bpei_where_tls_version(versions[i].wire);
		return true;
	}
	return false;
}

static bool read_flag(const char *text, int64_t *number)
{
	*number = !strcmp(text, "true");
	return *number || !strcmp(text, "false");
}

/* ---- All kinds ---- */

/* What an error says of a value that does not fit, by kind. */
static const char *const wants[] = {
	[BPEI_WHERE_TEXT] = "a text of at most 255 bytes",
	[BPEI_WHERE_LIST] = "a text of at most 255 bytes",
	[BPEI_WHERE_COUNT] = "a number, as 10, 1.5k, 2M or 0x1f",
	[BPEI_WHERE_BYTES] = "a number of bytes, as 1500, 10k, 1.5MB or 4MiB",
	[BPEI_WHERE_SPAN] = "a time with its unit: ns, us, ms, s, m, h or d, as 100ms",
	[BPEI_WHERE_TIME] = "a time, as 2026-11-29T07:42:22Z, or seconds since 1970",
	[BPEI_WHERE_ADDRESS] = "an address or a network, as 192.0.2.1 or fd00::/8",
	[BPEI_WHERE_CHOICE] = "a known name",
	[BPEI_WHERE_PROTO] = "a protocol's name or number, as tcp or 89",
	[BPEI_WHERE_TLS] = "a version: 1.3, 1.2, 1.1, 1.0, ssl3 or ssl2",
	[BPEI_WHERE_FLAG] = "true or false",
	[BPEI_WHERE_LETTERS] = "letters of TCP flags, as \"SA\" or \"S.\"",
};

bool bpei_where_value_read(const struct bpei_where_field *f, const char *text, size_t n,
	struct bpei_where_value *v, const char **want)
{
	const bool is_whole = strlen(text) == n; /* no 0 inside */

	*want = wants[f->kind];
	switch (is_whole ? f->kind : -1) {
	case BPEI_WHERE_TEXT:
	case BPEI_WHERE_LIST:
	case BPEI_WHERE_LETTERS:
		return n <= 255;
	case BPEI_WHERE_COUNT:
		return read_quantity(text, n, &v->number);
	case BPEI_WHERE_BYTES:
		return read_size(text, n, &v->number);
	case BPEI_WHERE_SPAN:
		return read_span(text, n, &v->number);
	case BPEI_WHERE_TIME:
		return read_time(text, n, &v->number);
	case BPEI_WHERE_ADDRESS:
		return read_address(text, n, v);
	case BPEI_WHERE_CHOICE:
	case BPEI_WHERE_PROTO:
		return read_choice(f, text, n, &v->number);
	case BPEI_WHERE_TLS:
		return read_tls(text, &v->number);
	case BPEI_WHERE_FLAG:
		return read_flag(text, &v->number);
	default:
		return false;
	}
}

bool bpei_where_has_order(const struct bpei_where_field *f)
{
	return f->kind == BPEI_WHERE_COUNT || f->kind == BPEI_WHERE_BYTES ||
	       f->kind == BPEI_WHERE_SPAN || f->kind == BPEI_WHERE_TIME ||
	       f->kind == BPEI_WHERE_TLS;
}
