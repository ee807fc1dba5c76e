/* SPDX-License-Identifier: MIT */
/* A column of rows on its way to a Parquet file (column.h): types, levels, booleans. */
#include "tools/tables/column.h"

#include "tools/tables/encode.h"

#include <stdlib.h>

/* Returns the type of a format of Arrow's by the first letter. */
static bool read_format(struct column_type *t, const char *format)
{
	static const char letters[] = "CcSsIiLl";
	const char *at = *format ? strchr(letters, *format) : NULL;

	t->format = *format;
	if (!strcmp(format, "tsn:UTC")) {
		t->bits = 64;
		t->is_signed = true;
		t->type = PARQUET_INT64;
		return true;
	}
	if (!*format || format[1])
		return false;
	if (at) {
		const unsigned k = (unsigned)(at - letters);

		t->bits = (uint8_t)(8u << k / 2);
		t->is_signed = k % 2;
		t->type = t->bits == 64 ? PARQUET_INT64 : PARQUET_INT32;
		return true;
	}
	t->type = *format == 'b' ? PARQUET_BOOLEAN : PARQUET_BYTES;
	return *format == 'b' || *format == 'u';
}

bool column_type_read(struct column_type *t, const struct ArrowSchema *schema)
{
	const char *name = schema->name ? schema->name : "";
	const size_t n = strlen(name);

	*t = (struct column_type){ .may_null = schema->flags & ARROW_FLAG_NULLABLE };
	if (!n || n >= sizeof t->name || schema->dictionary || schema->n_children)
		return false;
	memcpy(t->name, name, n + 1);
	return read_format(t, schema->format);
}

bool column_begin(struct column *c, uint64_t seed)
{
	*c = (struct column){ .seed = seed };
	c->slots = calloc(COLUMN_SLOTS, sizeof *c->slots);
	c->ranges = malloc(COLUMN_SLOTS * sizeof *c->ranges);
	c->starts = malloc((COLUMN_CODES_MOST + 1) * sizeof *c->starts);
	c->entry = malloc(COLUMN_SLOTS * sizeof *c->entry);
	return c->slots && c->ranges && c->starts && c->entry;
}

void column_free(struct column *c)
{
	struct table_bytes *const all[] = { &c->levels, &c->dictionary, &c->data, &c->clean,
		&c->ends };

	for (size_t k = 0; k < sizeof all / sizeof *all; k++)
		table_bytes_free(all[k]);
	free(c->numbers);
	free(c->codes);
	free(c->slots);
	free(c->ranges);
	free(c->starts);
	free(c->entry);
	*c = (struct column){ 0 };
}

/* Makes room for the values of a column.  Returns false without memory. */
static bool make_value_room(struct column *c, size_t rows)
{
	if (rows <= c->room)
		return true;
	uint64_t *numbers = realloc(c->numbers, rows * sizeof *numbers);
	c->numbers = numbers ? numbers : c->numbers;
	uint32_t *codes = realloc(c->codes, (rows + ENCODE_GROUP) * sizeof *codes);
	c->codes = codes ? codes : c->codes;
	if (!numbers || !codes)
		return false;
	c->room = rows;
	return true;
}

/* Adds the levels: which rows have a value. */
static void add_levels(struct column *c, const struct ArrowArray *array)
{
	struct table_bytes *levels = &c->levels;
	const uint8_t *validity = array->buffers[0];

	if (!c->type->may_null)
		return;
	table_bytes_add_little(levels, 0, 4);
	if (c->values && c->values < c->rows) {
		encode_bits(levels, validity, c->rows);
	} else if (c->rows) {
		table_bytes_add_varint(levels, (uint64_t)c->rows << 1);
		table_bytes_add_byte(levels, c->values > 0);
	}
	if (levels->failed)
		return;
	for (unsigned k = 0; k < 4; k++)
		levels->at[k] = (uint8_t)((levels->used - 4) >> (8 * k));
}

/* Adds the values of a column of booleans: a bit each. */
static void add_booleans(struct column *c, const struct ArrowArray *array)
{
	const uint8_t *validity = array->buffers[0];
	const uint8_t *bits = array->buffers[1];
	size_t at = 0;
	bool seen[2] = { false, false };

	c->encoding = PARQUET_PLAIN;
	if (!c->values || !table_bytes_grow(&c->data, (c->values + 7) / 8))
		return;
	memset(c->data.at, 0, (c->values + 7) / 8);
	c->data.used = (c->values + 7) / 8;
	for (size_t k = 0; k < c->rows; k++) {
		if (c->values < c->rows && !(validity[k / 8] >> k % 8 & 1))
			continue;
		const unsigned bit = bits[k / 8] >> k % 8 & 1u;
		c->data.at[at / 8] |= (uint8_t)(bit << at % 8);
		seen[bit] = true;
		at++;
	}
	c->has_least_and_most = true;
	c->least[0] = !seen[0];
	c->most[0] = seen[1];
	c->least_bytes = 1;
	c->most_bytes = 1;
}

bool column_encode(struct column *c, const struct column_type *type, const struct ArrowArray *array)
{
	c->type = type;
	c->rows = (size_t)array->length;
	c->values = c->rows - (size_t)array->null_count;
	c->entries = 0;
	c->encoding = PARQUET_PLAIN;
	c->has_least_and_most = false;
	table_bytes_empty(&c->levels);
	table_bytes_empty(&c->dictionary);
	table_bytes_empty(&c->data);
	if (!make_value_room(c, c->rows))
		return false;
	add_levels(c, array);
	if (type->type == PARQUET_BOOLEAN)
		add_booleans(c, array);
	else if (c->values && type->type == PARQUET_BYTES)
		column_encode_texts(c, array);
	else if (c->values)
		column_encode_numbers(c, array);
	return !c->levels.failed && !c->dictionary.failed && !c->data.failed;
}
