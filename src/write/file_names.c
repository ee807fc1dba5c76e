/* SPDX-License-Identifier: MIT */
/* Names of files (file_names.h); stateless. */
#include "write/file_names.h"

#include "bpfengine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_DIGITS 5 /* of %N and of dumpcap's names */
#define MOST_DIGITS 9   /* of %9N */

/* A name as it grows.  Invariant: at < BPEI_NAME_ROOM, text[at] is 0. */
struct name_text {
	char *text;
	size_t at;
	bool full;
};

/* Appends bytes, all or none. */
static void append_bytes(struct name_text *t, const char *from, size_t n)
{
	if (n >= BPEI_NAME_ROOM - t->at) {
		t->full = true;
		return;
	}
	memcpy(t->text + t->at, from, n);
	t->at += n;
	t->text[t->at] = 0;
}

static void append_digits(struct name_text *t, uint64_t number, int digits)
{
	char text[32];
	const int n = snprintf(text, sizeof text, "%0*" PRIu64, digits, number);

	append_bytes(t, text, (size_t)n);
}

/* Appends a conversion of strftime(3) as strftime(3) takes the letters. */
static void append_time(
	struct name_text *t, const char *conversion, size_t n, const struct tm *when)
{
	char format[8];
	char text[128];

	if (n >= sizeof format - 1)
		return;
	/* The letter in front tells an empty result (%p in some languages) from a result too long.
	 */
	format[0] = '.';
	memcpy(format + 1, conversion, n);
	format[n + 1] = 0;
	const size_t made = strftime(text, sizeof text, format, when);
	if (!made)
		t->full = true;
	else
		append_bytes(t, text + 1, made - 1);
}

/* Returns the length of the conversion that begins at a %: %N and %9N have a digit and N, and
 * strftime's have E or O before their letter.  *digits is > 0 for a number. */
static size_t measure_conversion(const char *at, int *digits)
{
	*digits = 0;
	if (at[1] == 'N')
		*digits = NUMBER_DIGITS;
	if (at[1] >= '1' && at[1] <= '0' + MOST_DIGITS && at[2] == 'N')
		*digits = at[1] - '0';
	if (*digits)
		return at[1] == 'N' ? 2 : 3;
	if ((at[1] == 'E' || at[1] == 'O') && at[2])
		return 3;
	return at[1] ? 2 : 1;
}

/* Appends the template's first n bytes with conversions filled in. */
static void fill_conversions(struct name_text *t, const struct bpei_file_names *names, size_t n,
	const struct tm *when, uint64_t number)
{
	const char *at = names->text;

	while (at < names->text + n) {
		int digits = 0;
		size_t length = 1;
		if (*at == '%' && names->times)
			length = measure_conversion(at, &digits);
		if (digits && names->style == BPEI_NAMES_OWN)
			append_digits(t, number, digits);
		else if (length > 1)
			append_time(t, at, length, when);
		else
			append_bytes(t, at, length);
		at += length;
	}
}

/* Returns the position of the last dot among the first n bytes, or n. */
static size_t find_dot(const char *name, size_t n)
{
	for (size_t i = n; i > 0; i--)
		if (name[i - 1] == '.')
			return i - 1;
	return n;
}

size_t bpei_name_stem(const char *name)
{
	static const char *const compressed[] = { ".gz", ".zst", ".lz4", ".xz" };
	const size_t length = strlen(name);
	size_t dot = find_dot(name, length);

	for (size_t i = 0; i < sizeof compressed / sizeof *compressed; i++) {
		if (strcmp(name + dot, compressed[i]) != 0)
			continue;
		const size_t inner = find_dot(name, dot);
		if (inner < dot && inner > 0)
			dot = inner;
		break;
	}
	return dot ? dot : length;
}

bool bpei_name_varies(const struct bpei_file_names *names)
{
	if (names->style == BPEI_NAMES_PLAIN)
		return false;
	if (names->style != BPEI_NAMES_OWN)
		return true;
	for (const char *at = names->text; names->times && *at;) {
		int digits = 0;
		const size_t length = *at == '%' ? measure_conversion(at, &digits) : 1;
		if (digits || (length > 1 && at[length - 1] != '%'))
			return true;
		at += length;
	}
	return false;
}

/* Appends tcpdump's number (MakeFilename of tcpdump.c).  The first file has no number, except in a
 * ring, where numbers begin with 0 and have as many digits as the last. */
static void append_tcpdump(
	struct name_text *t, const struct bpei_file_names *names, uint64_t number)
{
	int digits = 1;

	if (!names->ring) {
		if (number > 1)
			append_digits(t, number - 1, 1);
		return;
	}
	for (uint32_t last = (names->ring - 1) / 10; last; last /= 10)
		digits++;
	append_digits(t, (number - 1) % names->ring, digits);
}

/* Appends the number and the time of dumpcap (ringbuffer.c of Wireshark). */
static void append_dumpcap(struct name_text *t, const struct bpei_file_names *names,
	const struct tm *when, uint64_t number)
{
	const bool number_first = names->style == BPEI_NAMES_DUMPCAP;

	append_bytes(t, "_", 1);
	if (number_first) {
		append_digits(t, number, NUMBER_DIGITS);
		append_bytes(t, "_", 1);
	}
	append_time(t, "%Y", 2, when);
	for (const char *part = "%m\0%d\0%H\0%M\0%S\0"; *part; part += 3)
		append_time(t, part, 2, when);
	if (!number_first) {
		append_bytes(t, "_", 1);
		append_digits(t, number, NUMBER_DIGITS);
	}
}

/* Writes the name without a number for a collision. */
static void compose_name(struct name_text *t, const struct bpei_file_names *names,
	const struct tm *when, uint64_t number)
{
	const size_t length = strlen(names->text);
	const size_t stem = bpei_name_stem(names->text);

	switch (names->style) {
	case BPEI_NAMES_PLAIN:
		append_bytes(t, names->text, length);
		break;
	case BPEI_NAMES_OWN:
		if (bpei_name_varies(names)) {
			fill_conversions(t, names, length, when, number);
			break;
		}
		append_bytes(t, names->text, stem);
		append_bytes(t, "_", 1);
		append_digits(t, number, NUMBER_DIGITS);
		append_bytes(t, names->text + stem, length - stem);
		break;
	case BPEI_NAMES_TCPDUMP:
		fill_conversions(t, names, length, when, number);
		append_tcpdump(t, names, number);
		break;
	case BPEI_NAMES_DUMPCAP:
	case BPEI_NAMES_DUMPCAP_TIME:
		append_bytes(t, names->text, stem);
		append_dumpcap(t, names, when, number);
		append_bytes(t, names->text + stem, length - stem);
		break;
	}
}

int bpei_name_make(const struct bpei_file_names *names, const struct tm *when, uint64_t number,
	uint32_t attempt, char name[BPEI_NAME_ROOM])
{
	char made[BPEI_NAME_ROOM] = "";
	struct name_text t = { .text = made };

	compose_name(&t, names, when, number);
	if (attempt) {
		char end[BPEI_NAME_ROOM];
		const size_t stem = bpei_name_stem(made);
		memcpy(end, made + stem, sizeof end - stem);
		t.at = stem;
		append_bytes(&t, "-", 1);
		append_digits(&t, (uint64_t)attempt + 1, 1);
		append_bytes(&t, end, strlen(end));
	}
	if (t.full || !t.at || strchr(made, '/') || !strcmp(made, ".") || !strcmp(made, ".."))
		return BPE_E_ARGUMENT;
	memcpy(name, made, t.at + 1);
	return BPE_OK;
}

void bpei_name_ledger(const struct bpei_file_names *names, char name[BPEI_NAME_ROOM])
{
	static const char end[] = ".jsonl";
	const size_t stem = bpei_name_stem(names->text);
	size_t at = 0;

	for (size_t i = 0; i < stem && at < BPEI_NAME_ROOM - sizeof end;) {
		int digits = 0;
		size_t length = 1;
		if (names->text[i] == '%' && names->times)
			length = measure_conversion(names->text + i, &digits);
		const bool joins = length > 1 || strchr("-_.", names->text[i]);
		/* Joints at the start are left out, and of several joints the first stays. */
		if (!joins)
			name[at++] = names->text[i];
		else if (length == 1 && at && !strchr("-_.", name[at - 1]))
			name[at++] = names->text[i];
		i += length;
	}
	while (at && strchr("-_.", name[at - 1]))
		at--;
	if (!at) {
		memcpy(name, "ledger", 6);
		at = 6;
	}
	memcpy(name + at, end, sizeof end);
}
