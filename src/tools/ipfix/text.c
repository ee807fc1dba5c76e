/* SPDX-License-Identifier: MIT */
/* Texts of records: a length in front (RFC 7011, section 7), and valid UTF-8. */
#include "writing.h"
#include "put.h"

#include <string.h>

/* Returns the bytes of the UTF-8 character at s, of n bytes; 0 if there is none. */
static size_t measure_character(const uint8_t *s, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code = s[0];
	size_t bytes = 2;

	if (code < 0x80)
		return 1;
	if (code < 0xc2 || code > 0xf4)
		return 0;
	if (code >= 0xf0)
		bytes = 4;
	else if (code >= 0xe0)
		bytes = 3;
	if (bytes > n)
		return 0;
	code &= 0x7fu >> bytes;
	for (size_t i = 1; i < bytes; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[bytes] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return bytes;
}

size_t ipfix_text_copy(uint8_t *at, const char *text, size_t most)
{
	const size_t n = strnlen(text, most);
	size_t i = 0;
	uint8_t all = 0;

	memcpy(at, text, n);
	for (size_t k = 0; k < n; k++)
		all |= at[k];
	if (all < 0x80)
		return n;
	while (i < n) {
		const size_t bytes = measure_character(at + i, n - i);

		if (bytes == 0)
			at[i++] = '?';
		i += bytes;
	}
	return n;
}

uint8_t *ipfix_text_put(uint8_t *at, const char *text, size_t most)
{
	size_t n;

	if (!text[0]) /* most texts of most flows */
		return put_byte(at, 0);
	n = strnlen(text, most < IPFIX_TEXT_MOST ? most : IPFIX_TEXT_MOST);
	if (n == IPFIX_TEXT_MOST) {
		*at++ = 255;
		at = put_net16(at, IPFIX_TEXT_MOST);
	} else {
		*at++ = (uint8_t)n;
	}
	n = ipfix_text_copy(at, text, n);
	return at + n;
}
