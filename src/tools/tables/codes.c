/* SPDX-License-Identifier: MIT */
/* Codes of a dictionary: the slots in which they are found, and their page (column.h). */
#include "tools/tables/column.h"
#include "tools/tables/encode.h"

#include <string.h>

void column_clear_slots(struct column *c)
{
	c->turn++;
	if (c->turn)
		return;
	memset(c->slots, 0, COLUMN_SLOTS * sizeof *c->slots);
	c->turn = 1;
}

void column_add_codes(struct column *c)
{
	const unsigned wanted = encode_width(c->entries - 1);
	const unsigned width = wanted ? wanted : 1;

	c->encoding = PARQUET_DICTIONARY;
	table_bytes_add_byte(&c->data, (uint8_t)width);
	encode_hybrid(&c->data, c->codes, c->values, width);
}
