/* SPDX-License-Identifier: MIT */
/* What the files of the grammar share. */
#ifndef BPEI_FILTER_PARSE_H
#define BPEI_FILTER_PARSE_H

#include "filter/lex.h"

/* parse_link.c: the terms that begin with type, subtype, dir and llc. */
int32_t bpei_parse_link(struct bpei_compile *c);
/* parse_arith.c: a comparison of two values. */
int32_t bpei_parse_relation(struct bpei_compile *c);

/* parse.c */
bool bpei_parse_take(struct bpei_compile *c, int token, const char *wanted);	/* the token in hand, which must be this one */
bool bpei_parse_deeper(struct bpei_compile *c);			/* one more level of nesting; the caller takes it back */
int32_t bpei_parse_unexpected(struct bpei_compile *c, const char *wanted);

#endif
