/* SPDX-License-Identifier: MIT */
/* Adds the codes of a dictionary as the data of a page (column.h). */
#include "tools/tables/column.h"
#include "tools/tables/encode.h"

void column_add_codes(struct column *c)
{
	const unsigned wanted = encode_width(c->entries - 1);
	const unsigned width = wanted ? wanted : 1;

	c->encoding = PARQUET_DICTIONARY;
	table_bytes_add_byte(&c->data, (uint8_t)width);
	encode_hybrid(&c->data, c->codes, c->values, width);
}
