/* SPDX-License-Identifier: MIT */
/* Names that a user may have meant.  Pure. */
#ifndef BPEI_WHERE_SUGGEST_H
#define BPEI_WHERE_SUGGEST_H

#include "where/fields.h"

/* Writes "; did you mean A, B?" with the fields nearest to a word, or "" if none is near. */
void bpei_where_suggest_field(const char *word, size_t length, char *text, size_t room);
/* The same with the names of a field's numbers.  Few names are all told. */
void bpei_where_suggest_choice(const struct bpei_where_field *field, const char *word,
	size_t length, char *text, size_t room);

#endif
