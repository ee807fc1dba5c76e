/* SPDX-License-Identifier: MIT */
/* What the grammar notes down for an explanation in words: what each term says, by the tree's node
 * that tests it. */
#ifndef BPEI_FILTER_EXPLAIN_H
#define BPEI_FILTER_EXPLAIN_H

#include "filter/parse.h"

struct bpei_phrase {
	int32_t node;
	char *text;
};
struct bpei_phrases {
	struct bpei_phrase *list;
	uint32_t count, room;
};

/* Each does nothing unless c->phrases is set and the node is one; memory that cannot be had leaves
 * the term's own words. */
void bpei_say(struct bpei_compile *c, int32_t node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void bpei_say_value(struct bpei_compile *c, int32_t node, const struct qualifiers *q,
	size_t from); /* text from there to the token in hand */
void bpei_say_term(struct bpei_compile *c, int32_t node, int token, uint32_t number,
	size_t from); /* that began with that token */

#endif
