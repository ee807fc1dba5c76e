/* SPDX-License-Identifier: MIT */
/* Values of options (option.h); stateless. */
#include "option.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST_BYTES (1ull << 40) /* of a size */

bool parse_whole(const char *word, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	const unsigned long long number = strtoull(word, &end, 10);
	if (errno || *end || number < least || number > most)
		return false;
	*value = number;
	return true;
}

/* Returns the bytes that a suffix stands for, or 0 if the letter is no suffix. */
static uint64_t suffix_bytes(char letter)
{
	switch (toupper((unsigned char)letter)) {
	case 'K':
		return 1024;
	case 'M':
		return 1024 * 1024;
	case 'G':
		return 1024 * 1024 * 1024;
	case 'B':
		return 1;
	default:
		return 0;
	}
}

bool parse_size(const char *word, uint64_t unit, uint64_t *bytes)
{
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	const unsigned long long number = strtoull(word, &end, 10);
	if (*end) {
		unit = suffix_bytes(*end++);
		if (!unit)
			return false;
	}
	if (unit > 1 && (!strcasecmp(end, "b") || !strcasecmp(end, "ib")))
		end += strlen(end);
	if (errno || *end || !number || number > MOST_BYTES / unit)
		return false;
	*bytes = number * unit;
	return true;
}

/* Returns the seconds of a unit of time, or 0 if the word is no unit. */
static double unit_seconds(const char *word)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "ms", 0.001 }, { "m", 60 }, { "min", 60 },
		{ "h", 3600 }, { "d", 86400 } };

	for (size_t k = 0; k < sizeof units / sizeof *units; k++)
		if (!strcmp(units[k].name, word))
			return units[k].seconds;
	return 0;
}

bool parse_seconds(const char *word, uint64_t least_ns, uint64_t most_ns, double *seconds)
{
	char *end;

	errno = 0;
	double number = strtod(word, &end);
	number *= unit_seconds(end);
	if (errno || end == word || !isfinite(number) || number <= 0)
		return false;
	if (number < (double)least_ns / 1e9 || number > (double)most_ns / 1e9)
		return false;
	*seconds = number;
	return true;
}

bool parse_choice(const char *choices, const char *word, uint32_t *index)
{
	const size_t length = strlen(word);
	uint32_t at = 0;

	for (const char *choice = choices;; at++) {
		const size_t n = strcspn(choice, "|");

		if (n == length && !memcmp(choice, word, n)) {
			*index = at;
			return true;
		}
		choice += n;
		if (!*choice++)
			return false;
	}
}

size_t edit_distance(const char *a, const char *b)
{
	enum { TOO_FAR = 99 };
	size_t row[64]; /* row[j]: distance of the part of a read so far from the first j letters of
			   b */
	const size_t n = strlen(b);

	if (n >= sizeof row / sizeof *row - 1)
		return TOO_FAR;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; *a; a++, i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			const size_t above = row[j];
			const size_t changed = diagonal + (*a != b[j - 1]);
			const size_t removed = above + 1;
			const size_t added = row[j - 1] + 1;

			row[j] = changed < removed ? changed : removed;
			if (added < row[j])
				row[j] = added;
			diagonal = above;
		}
	}
	return row[n];
}
