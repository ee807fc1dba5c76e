/* SPDX-License-Identifier: MIT */
/* A line of text under construction.
 *
 * The caller lends the memory.  No call writes behind the end: text without room is left out, and
 * is_cut becomes true.  Nothing here allocates, and nothing uses printf. */
#ifndef PRINT_LINE_H
#define PRINT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The text so far ends at `at`; room ends at `end`. */
struct print_line {
	char *at, *end;
	bool is_cut; /* some text had no room */
};

static inline void line_put_char(struct print_line *line, char c)
{
	if (line->at < line->end)
		*line->at++ = c;
	else
		line->is_cut = true;
}

/* Puts n bytes as they are. */
static inline void line_put_bytes(struct print_line *line, const void *bytes, size_t n)
{
	if (n > (size_t)(line->end - line->at)) {
		n = (size_t)(line->end - line->at);
		line->is_cut = true;
	}
	memcpy(line->at, bytes, n);
	line->at += n;
}

/* Puts a text of the program's own; text from the wire goes through line_put_escaped. */
static inline void line_put_text(struct print_line *line, const char *text)
{
	line_put_bytes(line, text, strlen(text));
}

void line_put_decimal(struct print_line *line, uint64_t value);
/* Puts a number of at least `digits` digits, with zeros in front. */
void line_put_padded(struct print_line *line, uint64_t value, unsigned digits);
/* Puts a number in hexadecimal, without 0x, of at least `digits` digits. */
void line_put_hex(struct print_line *line, uint64_t value, unsigned digits);
/* Puts 4 bytes as 192.0.2.1. */
void line_put_ip4(struct print_line *line, const uint8_t *address);
/* Puts 16 bytes as inet_ntop(3) does, which is RFC 5952 with dotted IPv4-mapped addresses. */
void line_put_ip6(struct print_line *line, const uint8_t *address);
/* Puts 6 bytes as 02:00:5e:10:00:01. */
void line_put_mac(struct print_line *line, const uint8_t *address);
/* Puts bytes from the wire: printable ASCII as it is, a backslash as \\, all others as \xHH.  A
 * terminal obeys nothing of the result. */
void line_put_escaped(struct print_line *line, const uint8_t *bytes, size_t n);

#endif
