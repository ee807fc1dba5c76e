/* SPDX-License-Identifier: MIT */
/* UTF-8 (RFC 3629), and the characters which may not reach a terminal (utf8.h). */
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 512 /* longest text for bpei_utf8_show */

/* Returns the length of a sequence by the first byte; 0: no first byte. */
static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first >= 0xf5)
		return 0;
	if (first < 0xe0)
		return 2;
	return first < 0xf0 ? 3 : 4;
}

size_t bpei_utf8_bytes(const char *s, size_t left)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = utf8_length(p[0]);

	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong sequences, surrogates, or code points past the last. */
	if (n > 1 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
			     (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)))
		return 0;
	return n;
}

uint32_t bpei_utf8_code(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t code = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		code = code << 6 | (p[i] & 0x3f);
	return code;
}

bool bpei_utf8_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

/* Returns true for marks which change the order in which a terminal shows the text behind. */
static bool is_bidi_mark(uint32_t code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Writes the visible form of the n bytes at s (0: a byte which is no UTF-8).  Returns the length of
 * the form. */
static size_t format_character(const char *s, size_t n, bool lines, char form[8])
{
	const uint32_t code = n ? bpei_utf8_code(s, n) : 0;

	if (!n)
		snprintf(form, 8, "\\x%02x", (unsigned)(unsigned char)*s);
	else if (code == '\n' && lines)
		snprintf(form, 8, "\n");
	else if (code == '\n')
		snprintf(form, 8, "\\n");
	else if (code < 0x80 && bpei_utf8_is_control(code))
		snprintf(form, 8, "\\x%02x", code & 0xff);
	else if (bpei_utf8_is_control(code) || is_bidi_mark(code))
		snprintf(form, 8, "\\u%04x", code & 0xffff);
	else {
		memcpy(form, s, n);
		form[n] = 0;
	}
	return strlen(form);
}

void bpei_utf8_show(char *text, size_t room, bool lines)
{
	char from[SHOWN];
	const size_t length = strnlen(text, room < SHOWN ? room : SHOWN - 1);
	size_t used = 0;

	memcpy(from, text, length);
	for (size_t i = 0; i < length;) {
		char form[8];
		const size_t n = bpei_utf8_bytes(from + i, length - i);
		const size_t bytes = format_character(from + i, n, lines, form);

		if (used + bytes >= room)
			break;
		memcpy(text + used, form, bytes);
		used += bytes;
		i += n ? n : 1;
	}
	if (room)
		text[used] = 0;
}
