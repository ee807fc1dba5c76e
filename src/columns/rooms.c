/* SPDX-License-Identifier: MIT */
/* Memory of the columns.  Columns grow by doubling, and a column without values has none. */
#include "columns/columns.h"

#include <string.h>

#define FIRST_ROWS 1024u
#define FIRST_TEXT 2048u
#define WORD_ROOM (BPEI_COLUMN_BLOCK * sizeof(struct bpei_word))
#define COMMUNITY_ROOM (BPEI_COLUMN_BLOCK * BPEI_COMMUNITY_BYTES)

/* Gives *memory of a slot room for `bytes`; `used` of the contents stay.  The rest is zeroed if
 * `zeroed`.  Returns false without memory; *memory is as before. */
static bool grow_room(
	struct bpe_columns *c, uint32_t slot, void **memory, size_t used, size_t bytes, bool zeroed)
{
	const size_t whole = bpei_columns_padded(bytes);

	if (bpei_columns_bytes(*memory) < whole) {
		void *const grown = bpei_columns_alloc(c->store, slot, whole);

		if (!grown)
			return false;
		if (used)
			memcpy(grown, *memory, used);
		bpei_columns_drop(*memory);
		*memory = grown;
	}
	if (zeroed)
		memset((char *)*memory + used, 0, whole - used);
	return true;
}

/* Gives the bits of `rows` rows room for `room` rows.  Bits behind are 0. */
static bool grow_bits(
	struct bpe_columns *c, uint32_t slot, uint64_t **bits, uint64_t rows, uint64_t room)
{
	void *memory = *bits;
	const bool good = grow_room(
		c, slot, &memory, *bits ? (rows + 63) / 64 * 8 : 0, (room + 63) / 64 * 8, true);

	*bits = memory;
	return good;
}

/* Gives column i, of texts, offsets and bits for `room` rows. */
static bool grow_text_rows(struct bpe_columns *c, uint32_t i, uint64_t room)
{
	struct bpei_column *const column = &c->columns[i];
	void *offsets = column->offsets;
	const bool is_new = !offsets;
	const size_t used = is_new ? 0 : (column->filled + 1) * sizeof(int32_t);
	const bool good =
		grow_room(c, BPEI_SLOT(i, 2), &offsets, used, (room + 1) * sizeof(int32_t), false);

	column->offsets = offsets;
	if (good && is_new)
		column->offsets[0] = 0;
	return good && grow_bits(c, BPEI_SLOT(i, 0), &column->valid, column->filled, room);
}

bool bpei_columns_reserve_text(struct bpe_columns *c, uint32_t i, size_t n)
{
	struct bpei_column *const column = &c->columns[i];

	if (!column->offsets || !column->valid)
		if (!grow_text_rows(c, i, c->room))
			return false;
	const size_t used = (size_t)column->offsets[column->filled];

	if (n + used + sizeof(struct bpei_word) > INT32_MAX)
		return false;
	if (column->values && used + n <= column->text_room)
		return true;
	size_t room = column->text_room ? column->text_room * 2 : FIRST_TEXT;
	while (room < used + n)
		room *= 2;
	if (!grow_room(c, BPEI_SLOT(i, 1), &column->values, used, room, false))
		return false;
	column->text_room = bpei_columns_bytes(column->values);
	return true;
}

/* Gives column i, of numbers or flags, memory for `room` rows. */
static bool grow_number_rows(struct bpe_columns *c, uint32_t i, uint64_t room)
{
	struct bpei_column *const column = &c->columns[i];
	const struct bpei_column_plan *plan = &bpei_column_plans[i];

	if (plan->kind == BPEI_COLUMN_FLAG) {
		uint64_t *bits = column->values;
		const bool good = grow_bits(c, BPEI_SLOT(i, 1), &bits, column->filled, room);

		column->values = bits;
		return good;
	}
	return grow_room(c, BPEI_SLOT(i, 1), &column->values, column->filled * plan->bytes,
		room * plan->bytes, false);
}

/* Gives column i room for `room` rows if the column has memory. */
static bool grow_column(struct bpe_columns *c, uint32_t i, uint64_t room)
{
	const enum bpei_column_kind kind = bpei_column_plans[i].kind;

	if (kind == BPEI_COLUMN_NUMBER || kind == BPEI_COLUMN_FLAG)
		return !c->columns[i].values || grow_number_rows(c, i, room);
	return !c->columns[i].offsets || grow_text_rows(c, i, room);
}

bool bpei_columns_begin_groups(struct bpe_columns *c, uint64_t groups)
{
	for (uint32_t i = 0; i < BPEI_COLUMN_COUNT; i++) {
		const struct bpei_column_plan *plan = &bpei_column_plans[i];

		if (plan->kind != BPEI_COLUMN_NUMBER && plan->kind != BPEI_COLUMN_FLAG)
			continue;
		if (groups >> plan->known & 1 && !c->columns[i].values &&
			!grow_number_rows(c, i, c->room))
			return false;
	}
	for (uint32_t k = BPEI_KNOWN_ALWAYS + 1; k < BPEI_KNOWN_COUNT; k++)
		if (groups >> k & 1 && !c->known[k] &&
			!grow_bits(c, BPEI_KNOWN_SLOT(k), &c->known[k], 0, c->room))
			return false;
	c->groups |= groups;
	return true;
}

bool bpei_columns_begin_words(struct bpe_columns *c, uint32_t worded)
{
	for (uint32_t k = 0; k < BPEI_WORDED_COUNT; k++)
		if (worded >> k & 1 &&
			!bpei_columns_reserve_text(c, c->worded_column[k], WORD_ROOM))
			return false;
	c->worded |= worded;
	return true;
}

bool bpei_columns_begin_communities(struct bpe_columns *c)
{
	return bpei_columns_reserve_text(c, c->community_column, COMMUNITY_ROOM);
}

/* Gives all columns that have memory room for `room` rows. */
static bool grow_all(struct bpe_columns *c, uint64_t room)
{
	for (uint32_t i = 0; i < BPEI_COLUMN_COUNT; i++)
		if (!grow_column(c, i, room))
			return false;
	for (uint32_t k = 0; k < BPEI_KNOWN_COUNT; k++)
		if (c->known[k] && !grow_bits(c, BPEI_KNOWN_SLOT(k), &c->known[k], c->rows, room))
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
		bpei_columns_give_back(c->store, BPEI_SLOT(i, 0), c->columns[i].valid);
		bpei_columns_give_back(c->store, BPEI_SLOT(i, 1), c->columns[i].values);
		bpei_columns_give_back(c->store, BPEI_SLOT(i, 2), c->columns[i].offsets);
		c->columns[i] = (struct bpei_column){ 0 };
	}
	for (uint32_t k = 0; k < BPEI_KNOWN_COUNT; k++) {
		bpei_columns_give_back(c->store, BPEI_KNOWN_SLOT(k), c->known[k]);
		c->known[k] = NULL;
	}
	c->rows = 0;
	c->room = 0;
	c->staged = 0;
	c->groups = 0;
	c->worded = 0;
}
