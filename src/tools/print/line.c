/* SPDX-License-Identifier: MIT */
/* Numbers and addresses as text (line.h); stateless. */
#include "line.h"

#include "digits.h"

#define FAST_BYTES 64 /* room for any number or address */

static const char hex_digits[] = "0123456789abcdef";

void line_put_decimal(struct print_line *line, uint64_t value)
{
	if (line->end - line->at >= FAST_BYTES)
		line->at = digits_put(line->at, value);
	else
		line_put_padded(line, value, 1);
}

void line_put_padded(struct print_line *line, uint64_t value, unsigned digits)
{
	char text[20];
	char *at = text + sizeof text;
	unsigned put = 0;

	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
		put++;
	} while (at > text && (value || put < digits));
	line_put_bytes(line, at, put);
}

void line_put_hex(struct print_line *line, uint64_t value, unsigned digits)
{
	char text[16];
	char *at = text + sizeof text;
	unsigned put = 0;

	do {
		*--at = hex_digits[value & 15];
		value >>= 4;
		put++;
	} while (at > text && (value || put < digits));
	line_put_bytes(line, at, put);
}

void line_put_ip4(struct print_line *line, const uint8_t *address)
{
	char text[FAST_BYTES];

	if (line->end - line->at >= FAST_BYTES)
		line->at = digits_put_ip4(line->at, address);
	else
		line_put_bytes(line, text, (size_t)(digits_put_ip4(text, address) - text));
}

void line_put_ip6(struct print_line *line, const uint8_t *address)
{
	char text[FAST_BYTES];

	if (line->end - line->at >= FAST_BYTES)
		line->at = digits_put_ip6(line->at, address);
	else
		line_put_bytes(line, text, (size_t)(digits_put_ip6(text, address) - text));
}

void line_put_mac(struct print_line *line, const uint8_t *address)
{
	for (int i = 0; i < 6; i++) {
		if (i)
			line_put_char(line, ':');
		line_put_hex(line, address[i], 2);
	}
}

void line_put_escaped(struct print_line *line, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t byte = bytes[i];

		if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
			line_put_char(line, (char)byte);
		} else if (byte == '\\') {
			line_put_text(line, "\\\\");
		} else {
			line_put_text(line, "\\x");
			line_put_hex(line, byte, 2);
		}
	}
}
