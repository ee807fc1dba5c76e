/* SPDX-License-Identifier: MIT */
/* The words of a condition.  A value without quotes is a word, too: the field says how the word is
 * read.  Stateless. */
#ifndef BPEI_WHERE_LEX_H
#define BPEI_WHERE_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bpei_where_token_kind {
	BPEI_WHERE_END,
	BPEI_WHERE_WORD, /* a field, or a value without quotes */
	BPEI_WHERE_QUOTED,
	BPEI_WHERE_EQUAL, /* = and == */
	BPEI_WHERE_UNEQUAL,
	BPEI_WHERE_LESS,
	BPEI_WHERE_AT_MOST,
	BPEI_WHERE_MORE,
	BPEI_WHERE_AT_LEAST,
	BPEI_WHERE_OPEN,
	BPEI_WHERE_CLOSE,
	BPEI_WHERE_COMMA,
	BPEI_WHERE_AND,
	BPEI_WHERE_OR,
	BPEI_WHERE_NOT,
	BPEI_WHERE_IN,
	BPEI_WHERE_LIKE,
	BPEI_WHERE_STRAY,     /* a character that begins nothing, or a lone & or | */
	BPEI_WHERE_OPEN_QUOTE /* a quote without its end */
};

struct bpei_where_token {
	uint32_t kind; /* enum bpei_where_token_kind */
	uint32_t at;   /* first byte of the expression, from 0 */
	uint32_t length;
};

/* Returns the token at or after byte `at`.  An end is at the end of the expression. */
struct bpei_where_token bpei_where_lex(const char *expression, uint32_t at);
/* Writes the text of a word or a quoted text to `to`, which has room for token->length bytes.  In
 * quotes \" \' and \\ are a byte each; any other \ stays, for patterns.  Returns the length. */
size_t bpei_where_unquote(const char *expression, const struct bpei_where_token *token, char *to);

#endif
