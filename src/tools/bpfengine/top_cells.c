/* SPDX-License-Identifier: MIT */
/* Lines of cells for a terminal (top_text.h); pure. */
#include "top_text.h"

#include <string.h>
#include <wchar.h>

/* A character of a text: its bytes, its cells, and whether the terminal may get it. */
struct character {
	size_t bytes;
	int cells;
	bool is_printable;
};

static struct character decode_character(const char *s, bool utf8)
{
	struct character c = { .bytes = 1, .cells = 1, .is_printable = *s >= 0x20 && *s < 0x7f };
	uint32_t code;

	if (c.is_printable || !utf8)
		return c;
	const size_t bytes = program_utf8(s);
	if (bytes < 2)
		return c;
	code = program_utf8_code(s, bytes);
	c.bytes = bytes;
	c.cells = wcwidth((wchar_t)code);
	c.is_printable = c.cells > 0;
	if (!c.is_printable)
		c.cells = 1;
	return c;
}

struct top_out top_out_begin(char text[TOP_LINE], int width, bool utf8)
{
	return (struct top_out){ .text = text, .width = width, .utf8 = utf8 };
}

void top_out_add(struct top_out *l, const char *s, int most)
{
	const int end = l->cells + most < l->width ? l->cells + most : l->width;

	while (*s) {
		const struct character c = decode_character(s, l->utf8);

		if (l->cells + c.cells > end || l->used + 5 > TOP_LINE)
			return;
		if (c.is_printable) {
			memcpy(l->text + l->used, s, c.bytes);
			l->used += c.bytes;
		} else {
			l->text[l->used++] = '?';
		}
		s += c.bytes;
		l->cells += c.cells;
	}
}

bool top_out_item(struct top_out *l, const char *s)
{
	const bool fits = l->cells + top_cells(s, l->utf8) <= l->width;

	if (fits)
		top_out_add(l, s, l->width);
	return fits;
}

void top_out_blanks(struct top_out *l, int n)
{
	while (n-- > 0)
		top_out_add(l, " ", 1);
}

void top_out_column(struct top_out *l, const char *s, int width, bool right)
{
	const int start = l->cells;

	if (right)
		top_out_blanks(l, width - top_cells(s, l->utf8));
	top_out_add(l, s, width - (l->cells - start));
	top_out_blanks(l, width - (l->cells - start));
}

/* Returns the end of s that takes at most `most` cells. */
static const char *last_cells(const char *s, int most, bool utf8)
{
	int cells = top_cells(s, utf8);

	while (*s && cells > most) {
		const struct character c = decode_character(s, utf8);

		s += c.bytes;
		cells -= c.cells;
	}
	return s;
}

void top_out_middle(struct top_out *l, const char *s, int width)
{
	if (top_cells(s, l->utf8) <= width) {
		top_out_add(l, s, width);
		return;
	}
	const int tail = (width - 1) / 2;
	top_out_add(l, s, width - 1 - tail);
	top_out_add(l, l->utf8 ? "\xe2\x80\xa6" : "~", width > 0);
	top_out_add(l, last_cells(s, tail, l->utf8), tail);
}

const char *top_out_end(struct top_out *l)
{
	l->text[l->used] = 0;
	return l->text;
}

int top_cells(const char *s, bool utf8)
{
	int cells = 0;

	while (*s) {
		const struct character c = decode_character(s, utf8);

		s += c.bytes;
		cells += c.cells;
	}
	return cells;
}

const char *top_text_cut(char text[TOP_LINE], const char *s, int width, bool utf8)
{
	struct top_out l = top_out_begin(text, width, utf8);

	top_out_add(&l, s, width);
	return top_out_end(&l);
}
