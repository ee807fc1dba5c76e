/* SPDX-License-Identifier: MIT */
/* UTF-8 (RFC 3629), and what of it may not reach a terminal (utf8.h). */
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 512 /* the longest text that is made fit to be shown */

size_t bpei_utf8_bytes(const char *s, size_t left)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = p[0] < 0x80                   ? 1
		   : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
		   : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
		   : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
						 : 0;
	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than it must be, surrogates, or past the last one. */
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

/* Marks that change the order in which a terminal shows what follows. */
static bool is_turning(uint32_t code)
{
	return code == 0x061c || code == 0x200e || code == 0x200f ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void bpei_utf8_show(char *text, size_t room, bool lines)
{
	char from[SHOWN];
	size_t length = strnlen(text, room < SHOWN ? room : SHOWN - 1), used = 0;
	memcpy(from, text, length);
	for (size_t i = 0; i < length;) {
		char one[8];
		size_t n = bpei_utf8_bytes(from + i, length - i);
		uint32_t code = n ? bpei_utf8_code(from + i, n) : 0;
		if (!n)
			snprintf(one, sizeof one, "\\x%02x", (unsigned)(unsigned char)from[i]);
		else if (code == '\n' && lines)
			snprintf(one, sizeof one, "\n");
		else if (code == '\n')
			snprintf(one, sizeof one, "\\n");
		else if (code < 0x80 && bpei_utf8_is_control(code))
			snprintf(one, sizeof one, "\\x%02x", code & 0xff);
		else if (bpei_utf8_is_control(code) || is_turning(code))
			snprintf(one, sizeof one, "\\u%04x", code & 0xffff);
		else
			memcpy(one, from + i, n), one[n] = 0;
		if (used + strlen(one) >= room)
			break;
		memcpy(text + used, one, strlen(one));
		used += strlen(one);
		i += n ? n : 1;
	}
	if (room)
		text[used] = 0;
}
