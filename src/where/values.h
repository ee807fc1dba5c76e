/* SPDX-License-Identifier: MIT */
/* Values of conditions: texts as the kinds of fields want them.  Pure. */
#ifndef BPEI_WHERE_VALUES_H
#define BPEI_WHERE_VALUES_H

#include "where/program.h"

/* Reads the n bytes at text, with a final 0 behind, as a value of the field.  Fills all of *value
 * but the text.  Returns true, or false with *want set to the field's wish. */
bool bpei_where_value_read(const struct bpei_where_field *field, const char *text, size_t n,
	struct bpei_where_value *value, const char **want);
/* Returns whether values of the field have an order: less and more. */
bool bpei_where_has_order(const struct bpei_where_field *field);

#endif
