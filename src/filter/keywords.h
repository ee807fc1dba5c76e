/* SPDX-License-Identifier: MIT */
/* The keywords of the filter language. */
#ifndef BPEI_FILTER_KEYWORDS_H
#define BPEI_FILTER_KEYWORDS_H

#include <stdint.h>

struct keyword {
	const char *word;
	int token;       /* T_* of lex.h */
	uint32_t number; /* which keyword of the token */
};

/* Each returns NULL if the word is no keyword. */
const struct keyword *bpei_keyword_find(const char *word);
/* Finds keywords that hold on PKTAP's link type only. */
const struct keyword *bpei_keyword_find_pktap(const char *word);
/* Returns the keyword most like the word, for "did you mean"; NULL if none is like the word. */
const char *bpei_keyword_nearest(const char *word);

#endif
