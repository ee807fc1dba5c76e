/* SPDX-License-Identifier: MIT */
/* Phrases in English for the terms of an expression, noted down by the parser and joined by
 * explain.c.  Each phrase belongs to the tree's node of its term.  All functions do nothing unless
 * c->phrases is set and the node is valid.  If there is no memory, a phrase is missing. */
#ifndef BPEI_FILTER_PHRASES_H
#define BPEI_FILTER_PHRASES_H

#include "filter/parse.h"

struct bpei_phrase {
	int32_t node;
	char *text;
};
struct bpei_phrases {
	struct bpei_phrase *list;
	uint32_t count, room;
};

void bpei_phrase_add(struct bpei_compile *c, int32_t node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds the phrase of a value.  The text goes from `from` to the current token. */
void bpei_phrase_value(
	struct bpei_compile *c, int32_t node, const struct qualifiers *q, size_t from);
/* Adds the phrase of a term.  The text goes from `from` to the current token.  token, number: of
 * the first token. */
void bpei_phrase_term(
	struct bpei_compile *c, int32_t node, int token, uint32_t number, size_t from);

#endif
