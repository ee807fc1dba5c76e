/* SPDX-License-Identifier: MIT */
/* Memory of the columns.  Columns grow by doubling, and a column without values has none. */
#include "columns/columns.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROWS 1024u
#define FIRST_TEXT 2048u
#define WORD_ROOM (BPEI_COLUMN_BLOCK * sizeof(struct bpei_word))
#define COMMUNITY_ROOM (BPEI_COLUMN_BLOCK * BPEI_COMMUNITY_BYTES)

static size_t padded_bytes(size_t bytes)
{
	return (bytes + BPEI_COLUMN_ALIGN - 1) / BPEI_COLUMN_ALIGN * BPEI_COLUMN_ALIGN;
}

void *bpei_columns_alloc(size_t bytes)
{
	void *memory;

	if (posix_memalign(&memory, BPEI_COLUMN_ALIGN, padded_bytes(bytes + !bytes)))
		return NULL;
	return memory;
}

/* Moves *memory to a room of `bytes`, of which `used` have contents.  The rest is zeroed if
 * `zeroed`.  Returns false without memory; *memory is as before. */
static bool grow_room(void **memory, size_t used, size_t bytes, bool zeroed)
{
	void *const grown = bpei_columns_alloc(bytes);

	if (!grown)
		return false;
	if (used)
		memcpy(grown, *memory, used);
	if (zeroed)
		memset((char *)grown + used, 0, padded_bytes(bytes + !bytes) - used);
	free(*memory);
	*memory = grown;
	return true;
}

/* Moves the bits of `rows` rows to room for `room` rows.  Bits behind are 0. */
static bool grow_bits(uint64_t **bits, uint64_t rows, uint64_t room)
{
	void *memory = *bits;
	const bool good =
		grow_room(&memory, *bits ? (rows + 63) / 64 * 8 : 0, (room + 63) / 64 * 8, true);

	*bits = memory;
	return good;
}

/* Gives a column of texts offsets and bits for `room` rows. */
static bool grow_text_rows(struct bpei_column *column, uint64_t room)
{
	void *offsets = column->offsets;
	const bool is_new = !offsets;
	const size_t used = is_new ? 0 : (column->filled + 1) * sizeof(int32_t);
	const bool good = grow_room(&offsets, used, (room + 1) * sizeof(int32_t), false);

	column->offsets = offsets;
	if (good && is_new)
		column->offsets[0] = 0;
	return good && grow_bits(&column->valid, column->filled, room);
}

bool bpei_columns_reserve_text(struct bpe_columns *c, struct bpei_column *column, size_t n)
{
	if (!column->offsets || !column->valid)
		if (!grow_text_rows(column, c->room))
			return false;
	const size_t used = (size_t)column->offsets[column->filled];

	if (n + used + sizeof(struct bpei_word) > INT32_MAX)
		return false;
	if (column->values && used + n <= column->text_room)
		return true;
	size_t room = column->text_room ? column->text_room * 2 : FIRST_TEXT;
	while (room < used + n)
		room *= 2;
	if (!grow_room(&column->values, used, room, false))
		return false;
	column->text_room = room;
	return true;
}

/* Gives a column of numbers or flags memory for `room` rows. */
static bool grow_number_rows(
	struct bpei_column *column, const struct bpei_column_plan *plan, uint64_t room)
{
	if (plan->kind == BPEI_COLUMN_FLAG) {
		uint64_t *bits = column->values;
		const bool good = grow_bits(&bits, column->filled, room);

		column->values = bits;
		return good;
	}
	return grow_room(&column->values, column->filled * plan->bytes, room * plan->bytes, false);
}

/* Gives a column that has memory room for `room` rows. */
static bool grow_column(
	struct bpei_column *column, const struct bpei_column_plan *plan, uint64_t room)
{
	if (plan->kind == BPEI_COLUMN_NUMBER || plan->kind == BPEI_COLUMN_FLAG)
		return !column->values || grow_number_rows(column, plan, room);
	return !column->offsets || grow_text_rows(column, room);
}

bool bpei_columns_begin_groups(struct bpe_columns *c, uint64_t groups)
{
	for (uint32_t i = 0; i < BPEI_COLUMN_COUNT; i++) {
		const struct bpei_column_plan *plan = &bpei_column_plans[i];

		if (plan->kind != BPEI_COLUMN_NUMBER && plan->kind != BPEI_COLUMN_FLAG)
			continue;
		if (groups >> plan->known & 1 && !c->columns[i].values &&
			!grow_number_rows(&c->columns[i], plan, c->room))
			return false;
	}
	for (uint32_t k = BPEI_KNOWN_ALWAYS + 1; k < BPEI_KNOWN_COUNT; k++)
		if (groups >> k & 1 && !c->known[k] && !grow_bits(&c->known[k], 0, c->room))
			return false;
	c->groups |= groups;
	return true;
}

bool bpei_columns_begin_words(struct bpe_columns *c, uint32_t worded)
{
	for (uint32_t k = 0; k < BPEI_WORDED_COUNT; k++)
		if (worded >> k & 1 &&
			!bpei_columns_reserve_text(c, &c->columns[c->worded_column[k]], WORD_ROOM))
			return false;
	c->worded |= worded;
	return true;
}

bool bpei_columns_begin_communities(struct bpe_columns *c)
{
	return bpei_columns_reserve_text(c, &c->columns[c->community_column], COMMUNITY_ROOM);
}

/* Gives all columns that have memory room for `room` rows. */
static bool grow_all(struct bpe_columns *c, uint64_t room)
{
	for (uint32_t i = 0; i < BPEI_COLUMN_COUNT; i++)
		if (!grow_column(&c->columns[i], &bpei_column_plans[i], room))
			return false;
	for (uint32_t k = 0; k < BPEI_KNOWN_COUNT; k++)
		if (c->known[k] && !grow_bits(&c->known[k], c->rows, room))
			return false;
	c->room = room;
	return true;
}

bool bpei_columns_reserve(struct bpe_columns *c)
{
	if (c->rows + BPEI_COLUMN_BLOCK > c->room &&
		!grow_all(c, c->room ? c->room * 2 : FIRST_ROWS))
		return false;
	return bpei_columns_begin_words(c, c->worded) && bpei_columns_begin_communities(c) &&
	       (c->groups & 1 || bpei_columns_begin_groups(c, 1));
}

void bpei_column_pad_text(struct bpei_column *column, uint64_t rows)
{
	const int32_t at = column->offsets[column->filled];

	while (column->filled < rows)
		column->offsets[++column->filled] = at;
}

void bpei_column_cut_text(struct bpei_column *column, uint64_t rows)
{
	while (column->filled > rows) {
		column->filled--;
		column->valid[column->filled / 64] &=
			~bpei_bitmap_word(UINT64_C(1) << column->filled % 64);
	}
}

void bpei_columns_forget(struct bpe_columns *c)
{
	for (uint32_t i = 0; i < BPEI_COLUMN_COUNT; i++) {
		free(c->columns[i].values);
		free(c->columns[i].offsets);
		free(c->columns[i].valid);
		c->columns[i] = (struct bpei_column){ 0 };
	}
	for (uint32_t k = 0; k < BPEI_KNOWN_COUNT; k++) {
		free(c->known[k]);
		c->known[k] = NULL;
	}
	c->rows = 0;
	c->room = 0;
	c->staged = 0;
	c->groups = 0;
	c->worded = 0;
}
