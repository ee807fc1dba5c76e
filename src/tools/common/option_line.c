/* SPDX-License-Identifier: MIT */
/* The typed command line, and the line to type instead (option_line.h).  State: the kept
 * words. */
#include "option_line.h"

#include "names.h"
#include "option.h"
#include "program.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

enum { MOST_WORDS = 1000 };

static struct {
	int count;
	const char *word[MOST_WORDS];
} kept;

void option_line_keep(int argc, char **argv)
{
	kept.count = 0;
	for (int k = 0; k < argc && k < MOST_WORDS; k++)
		kept.word[kept.count++] = argv[k];
}

const char *option_line_word(int index)
{
	return index >= 0 && index < kept.count ? kept.word[index] : NULL;
}

int option_line_index(const char *byte)
{
	for (int k = 0; k < kept.count && byte; k++)
		if (byte >= kept.word[k] && byte <= kept.word[k] + strlen(kept.word[k]))
			return k;
	return -1;
}

/* ---- Quotes ---- */

/* Returns whether sh takes the word without quotes. */
static bool is_plain_word(const char *word)
{
	if (!*word || *word == '~')
		return false;
	for (; *word; word++) {
		const unsigned char c = (unsigned char)*word;

		if (!isalnum(c) && c < 128 && !strchr("_@%+=:,./-#~^", c))
			return false;
	}
	return true;
}

/* A growing text in a buffer; used > room: the text did not fit. */
struct bounded {
	char *to;
	size_t room, used;
};

static void put_line_bytes(struct bounded *b, const char *s, size_t n)
{
	if (b->used + n >= b->room) {
		b->used = b->room + 1;
		return;
	}
	memcpy(b->to + b->used, s, n);
	b->used += n;
	b->to[b->used] = 0;
}

static void put_line_text(struct bounded *b, const char *s)
{
	put_line_bytes(b, s, strlen(s));
}

/* Returns whether a terminal would obey some of the text, or show none of it. */
static bool is_hidden_text(const char *text)
{
	char visible[4 * OPTION_LINE];

	return strlen(text) >= OPTION_LINE ||
	       strcmp(program_visible(visible, sizeof visible, text), text) != 0;
}

/* Puts a word as sh takes it.  No line is made of a word which no terminal may get. */
static void put_quoted(struct bounded *b, const char *word)
{
	if (is_hidden_text(word)) {
		b->used = b->room + 1;
		return;
	}
	if (is_plain_word(word)) {
		put_line_text(b, word);
		return;
	}
	put_line_text(b, "'");
	for (; *word; word++) {
		if (*word == '\'')
			put_line_text(b, "'\\''");
		else
			put_line_bytes(b, word, 1);
	}
	put_line_text(b, "'");
}

const char *option_quote(char *to, size_t room, const char *word)
{
	struct bounded b = { to, room, 0 };

	*to = 0;
	put_quoted(&b, word);
	if (b.used > room)
		*to = 0;
	return to;
}

/* Puts a text behind a blank. */
static void put_part(struct bounded *b, const char *text, bool is_quoted)
{
	if (!text || !*text)
		return;
	if (b->used)
		put_line_text(b, " ");
	if (is_hidden_text(text))
		b->used = b->room + 1;
	else if (is_quoted)
		put_line_text(b, text);
	else
		put_quoted(b, text);
}

/* Puts a kept word; an empty word is a pair of quotes. */
static void put_kept_word(struct bounded *b, int index)
{
	if (!index)
		put_part(b, program_name, true);
	else if (!*kept.word[index])
		put_part(b, "''", true);
	else
		put_part(b, kept.word[index], false);
}

const char *option_line_write(char *to, const struct option_edit *edits, size_t count)
{
	struct bounded b = { to, OPTION_LINE, 0 };
	int left_out = 0;

	*to = 0;
	for (int k = 0; k <= kept.count; k++) {
		for (size_t e = 0; e < count; e++) {
			if (edits[e].at != k)
				continue;
			put_part(&b, edits[e].text, true);
			left_out = edits[e].removed > left_out ? edits[e].removed : left_out;
		}
		if (left_out)
			left_out--;
		else if (k < kept.count)
			put_kept_word(&b, k);
	}
	if (b.used > b.room)
		*to = 0;
	return to;
}

struct option_edit option_line_value(const char *value, const char *text, char *room, size_t bytes)
{
	const int at = option_line_index(value);
	const int head = at < 0 ? 0 : (int)(value - kept.word[at]);

	snprintf(room, bytes, "%.*s%s", head, at < 0 ? "" : kept.word[at], text);
	return (struct option_edit){ at, 1, room };
}

int option_answer(const char *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_name);
	program_print(stderr, false, format, args);
	va_end(args);
	if (!line)
		putc('\n', stderr);
	else if (*line)
		fprintf(stderr, "\n  %s\n", line);
	else
		fprintf(stderr, "\nTry %s --help.\n", program_name);
	return OPTION_USAGE;
}
