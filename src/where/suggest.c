/* SPDX-License-Identifier: MIT */
/* Near misses (suggest.h): by the fewest letters that differ. */
#include "where/suggest.h"

#include <stdio.h>
#include <string.h>

#define LONGEST 48 /* words that are longer are near to nothing */
#define MOST 3     /* names told */
#define FAR 100

/* Names in the order of nearness. */
struct nearest {
	const char *word;
	size_t length;
	size_t count;
	size_t distance[MOST];
	char name[MOST][LONGEST];
};

static size_t lesser_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Returns how many letters must be added, left out or changed between a name and a word
 * (Levenshtein).  A name that begins with the word, or ends with it, is 1 away. */
static size_t count_changes(const char *name, const char *word, size_t length)
{
	const size_t n = strlen(name);
	size_t row[LONGEST + 1];

	if (n >= LONGEST || length >= LONGEST || !length)
		return FAR;
	if (length > 2 && length < n &&
		(!memcmp(name, word, length) || !memcmp(name + n - length, word, length)))
		return 1;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; i < n; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			const size_t above = row[j + 1];
			const size_t same = corner + (name[i] != word[j]);

			row[j + 1] = lesser_size(same, lesser_size(above, row[j]) + 1);
			corner = above;
		}
	}
	return row[length];
}

static void offer_name(struct nearest *near, const char *name)
{
	const size_t distance = count_changes(name, near->word, near->length);
	size_t at = near->count;

	if (distance > 2 || distance * 2 > near->length)
		return;
	while (at && near->distance[at - 1] > distance)
		at--;
	if (at == MOST)
		return;
	if (near->count < MOST)
		near->count++;
	for (size_t k = near->count - 1; k > at; k--) {
		near->distance[k] = near->distance[k - 1];
		memcpy(near->name[k], near->name[k - 1], LONGEST);
	}
	near->distance[at] = distance;
	snprintf(near->name[at], LONGEST, "%s", name);
}

static void write_nearest(const struct nearest *near, char *text, size_t room)
{
	text[0] = 0;
	for (size_t i = 0; i < near->count; i++) {
		const size_t used = strlen(text);
		const char *between = i + 1 < near->count ? ", " : " or ";

		snprintf(text + used, room - used, "%s%s", i ? between : "; did you mean ",
			near->name[i]);
	}
	const size_t used = strlen(text);

	if (near->count)
		snprintf(text + used, room - used, "?");
}

void bpei_where_suggest_field(const char *word, size_t length, char *text, size_t room)
{
	struct nearest near = { .word = word, .length = length };
	const bool has_end = length > 5 && (!memcmp(word, "orig.", 5) || !memcmp(word, "resp.", 5));
	bool has_ends;
	const char *name;

	for (size_t i = 0; (name = bpei_where_field_name(i, &has_ends)); i++) {
		char whole[LONGEST];

		if (has_end && !has_ends)
			continue;
		snprintf(whole, sizeof whole, "%.*s%s", has_end ? 5 : 0, word, name);
		offer_name(&near, whole);
	}
	write_nearest(&near, text, room);
}

void bpei_where_suggest_choice(
	const struct bpei_where_field *f, const char *word, size_t length, char *text, size_t room)
{
	struct nearest near = { .word = word, .length = length };
	size_t used = 0;

	for (int i = 0; i < 256; i++) {
		const char *name = f->choice(i);

		if (name && name[0])
			offer_name(&near, name);
	}
	write_nearest(&near, text, room);
	for (int i = 0; i < 256 && !near.count && f->kind == BPEI_WHERE_CHOICE; i++) {
		const char *name = f->choice(i);
		char item[LONGEST];

		if (!name || !name[0])
			continue;
		const int n = snprintf(item, sizeof item, "%s%s", used ? ", " : "; known: ", name);

		if (n < 0 || used + (size_t)n + 8 > room)
			break;
		memcpy(text + used, item, (size_t)n + 1);
		used += (size_t)n;
	}
}
