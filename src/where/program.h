/* SPDX-License-Identifier: MIT */
/* A compiled condition: steps in a row, of which each looks at one field and goes on to a later
 * step.  So a match takes at most as many looks as there are steps.  Written by the compiler, then
 * only read. */
#ifndef BPEI_WHERE_PROGRAM_H
#define BPEI_WHERE_PROGRAM_H

#include "where/fields.h"

#define BPEI_WHERE_STEPS 1024u   /* most steps of a condition */
#define BPEI_WHERE_DEPTH 100u    /* most parentheses and nots inside each other */
#define BPEI_WHERE_LENGTH 65536u /* longest expression, in bytes */

enum bpei_where_test {
	BPEI_WHERE_IS_KNOWN,
	BPEI_WHERE_IS_EQUAL,
	BPEI_WHERE_IS_LESS,
	BPEI_WHERE_IS_AT_MOST,
	BPEI_WHERE_IS_MORE,
	BPEI_WHERE_IS_AT_LEAST,
	BPEI_WHERE_IS_LIKE
};

/* Where a step may go besides to another step. */
#define BPEI_WHERE_ACCEPT 0xffffu
#define BPEI_WHERE_REFUSE 0xfffeu

/* A value as a field's kind has it. */
struct bpei_where_value {
	int64_t number;   /* numbers; addresses: length of the prefix in bits */
	uint8_t addr[16]; /* addresses */
	uint8_t version;  /* addresses: 4 or 6 */
	uint32_t text;    /* texts: first byte in bpe_where.texts */
	uint32_t length;  /* texts: bytes */
};

struct bpei_where_step {
	const struct bpei_where_field *field;
	uint8_t test; /* enum bpei_where_test */
	uint8_t end;  /* BPEI_WHERE_ORIG, ... */
	uint16_t yes, no;
	struct bpei_where_value value;
};

struct bpe_where {
	struct bpei_where_step *steps;
	char *texts; /* of all values; small letters, unless the field is exact */
	uint32_t count;
};

/* Returns whether a pattern of * and ? fits the text; \ takes the special meaning from the byte
 * behind. */
bool bpei_where_glob(
	const char *pattern, size_t pattern_bytes, const char *text, size_t bytes, bool exact);
/* Returns the small letter of an ASCII letter, and other bytes as they are. */
static inline char bpei_where_small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

#endif
