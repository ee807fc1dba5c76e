/* SPDX-License-Identifier: MIT */
/* Numbers, times, addresses and quoted strings (writer.h).  Written by hand and not by printf,
 * since a line has 40 of them.  Pure. */
#include "format/writer.h"

#include "base/utf8.h"

void bpei_write_digits(struct bpei_writer *w, uint64_t v, int digits)
{
	char s[20];
	for (int i = digits; i--; v /= 10)
		s[i] = (char)('0' + v % 10);
	bpei_write_bytes(w, s, (size_t)digits);
}

void bpei_write_number(struct bpei_writer *w, uint64_t v)
{
	char s[20];
	int i = 20;
	do
		s[--i] = (char)('0' + v % 10);
	while (v /= 10);
	bpei_write_bytes(w, s + i, (size_t)(20 - i));
}

void bpei_write_member(struct bpei_writer *w, const char *name, uint64_t v)
{
	bpei_write_string(w, name);
	bpei_write_number(w, v);
}

void bpei_write_quoted(struct bpei_writer *w, const char *name, const char *value)
{
	bpei_write_string(w, name);
	bpei_write_string(w, value);
	bpei_write_char(w, '"');
}

void bpei_write_signed(struct bpei_writer *w, int64_t v)
{
	if (v < 0)
		bpei_write_char(w, '-');
	bpei_write_number(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* Writes the fraction of a second; digits: 6 or 9. */
static void write_fraction(struct bpei_writer *w, uint64_t ns, int digits)
{
	bpei_write_char(w, '.');
	bpei_write_digits(w, digits == 6 ? ns / 1000 : ns, digits);
}

void bpei_write_seconds(struct bpei_writer *w, int64_t ns, int digits)
{
	bpei_write_span(w, 0, ns, digits);
}

void bpei_write_span(struct bpei_writer *w, int64_t from_ns, int64_t to_ns, int digits)
{
	const bool back = to_ns < from_ns;
	const uint64_t v =
		back ? (uint64_t)from_ns - (uint64_t)to_ns : (uint64_t)to_ns - (uint64_t)from_ns;
	if (back)
		bpei_write_char(w, '-');
	bpei_write_number(w, v / 1000000000);
	write_fraction(w, v % 1000000000, digits);
}

/* Writes days since 1970 as a date of the Gregorian calendar.  Years count from March here, so the
 * leap day is a year's last day. */
static void write_date(struct bpei_writer *w, int64_t days)
{
	/* since 0000-03-01; an int64_t of nanoseconds begins in 1677 */
	const uint64_t z = (uint64_t)(days + 719468);
	const uint64_t era = z / 146097;
	const uint64_t day = z % 146097;
	uint64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	uint64_t in_year = day - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * in_year + 2) / 153;
	bpei_write_digits(w, year + era * 400 + (month >= 10), 4);
	bpei_write_char(w, '-');
	bpei_write_digits(w, month < 10 ? month + 3 : month - 9, 2);
	bpei_write_char(w, '-');
	bpei_write_digits(w, in_year - (153 * month + 2) / 5 + 1, 2);
}

void bpei_write_iso(struct bpei_writer *w, int64_t ns, int digits, const char *zone)
{
	int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
	int64_t days = seconds / 86400 - (seconds % 86400 < 0);
	uint64_t of_day = (uint64_t)(seconds - days * 86400);
	uint64_t rest = (uint64_t)(ns % 1000000000 + (ns % 1000000000 < 0 ? 1000000000 : 0));
	write_date(w, days);
	bpei_write_char(w, 'T');
	bpei_write_digits(w, of_day / 3600, 2);
	bpei_write_char(w, ':');
	bpei_write_digits(w, of_day / 60 % 60, 2);
	bpei_write_char(w, ':');
	bpei_write_digits(w, of_day % 60, 2);
	write_fraction(w, rest, digits);
	bpei_write_string(w, zone);
}

void bpei_write_address(struct bpei_writer *w, const uint8_t *addr, int version)
{
	char s[BPE_ADDRESS_TEXT_BYTES];
	/* By hand, since records have addresses of IPv4 in millions. */
	for (int i = 0; version != 6 && i < 4; i++) {
		if (i)
			bpei_write_char(w, '.');
		bpei_write_number(w, addr[i]);
	}
	if (version == 6 && bpe_address_text(addr, 6, s, sizeof s) > 0)
		bpei_write_string(w, s);
}

/* Writes a control character as JSON escapes it. */
static void write_escaped_code(struct bpei_writer *w, uint32_t code)
{
	static const char hex[] = "0123456789abcdef";
	BPEI_WRITE(w, "\\u");
	for (int shift = 12; shift >= 0; shift -= 4)
		bpei_write_char(w, hex[code >> shift & 15]);
}

/* Writes a quote or a backslash as JSON escapes it. */
static void write_escaped_sign(struct bpei_writer *w, char sign)
{
	bpei_write_char(w, '\\');
	bpei_write_char(w, sign);
}

void bpei_write_json(struct bpei_writer *w, const char *text, size_t most)
{
	bpei_write_char(w, '"');
	for (size_t i = 0, n; i < most && text[i]; i += n ? n : 1) {
		n = bpei_utf8_bytes(text + i, most - i);
		uint32_t code = n ? bpei_utf8_code(text + i, n) : 0;
		if (!n)
			BPEI_WRITE(w, "\\ufffd");
		else if (code == '"' || code == '\\')
			write_escaped_sign(w, text[i]);
		else if (bpei_utf8_is_control(code))
			write_escaped_code(w, code);
		else
			bpei_write_bytes(w, text + i, n);
	}
	bpei_write_char(w, '"');
}

struct bpei_object bpei_write_object(struct bpei_writer *w, const char *name)
{
	struct bpei_object object = { .before = w->at, .was_full = w->full };

	bpei_write_string(w, name);
	object.begin = w->at;
	return object;
}

void bpei_write_object_end(struct bpei_writer *w, struct bpei_object object)
{
	if (w->at == object.begin) {
		w->at = object.before;
		w->full = object.was_full;
		return;
	}
	*object.begin = '{'; /* in place of the first member's comma */
	bpei_write_char(w, '}');
}

/* Returns whether a spreadsheet would take the text for a formula.  The last four signs are the
 * wide forms of the first four. */
static bool csv_begins_formula(const char *s, size_t left)
{
	static const char *const signs[] = { "=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b",
		"\xef\xbc\x8d", "\xef\xbc\xa0" };
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (strlen(signs[i]) <= left && !memcmp(s, signs[i], strlen(signs[i])))
			return true;
	return false;
}

void bpei_write_csv(struct bpei_writer *w, const char *s, size_t most)
{
	const size_t left = strnlen(s, most);
	bool quoted = false;
	for (size_t i = 0; i < left; i++)
		quoted |= s[i] == '"' || s[i] == ',';
	if (quoted)
		bpei_write_char(w, '"');
	if (csv_begins_formula(s, left))
		bpei_write_char(w, '\'');
	for (size_t i = 0, n; i < left; i += n ? n : 1) {
		n = bpei_utf8_bytes(s + i, left - i);
		uint32_t code = n ? bpei_utf8_code(s + i, n) : 0;
		if (s[i] == '"')
			bpei_write_char(w, '"');
		if (!n)
			BPEI_WRITE(w, "\xef\xbf\xbd");
		else if (bpei_utf8_is_control(code))
			write_escaped_code(w, code);
		else
			bpei_write_bytes(w, s + i, n);
	}
	if (quoted)
		bpei_write_char(w, '"');
}
