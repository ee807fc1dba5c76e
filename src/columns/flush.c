/* SPDX-License-Identifier: MIT */
/* Copies a block of staged rows to the columns of numbers, flags and words. */
#include "columns/columns.h"

#include <string.h>

/* What the rows of a block have in common. */
struct block_sum {
	uint64_t base; /* row of the first */
	uint32_t n;
	uint64_t any, all; /* of bpei_staged.known */
};

/* Copies a member of each row. */
#define COPY_MEMBER(type)                                                                          \
	do {                                                                                       \
		type *const to = (type *)column->values + sum->base;                               \
		for (uint32_t r = 0; r < sum->n; r++)                                              \
			memcpy(&to[r], rows[r].bytes + plan->from, sizeof(type));                  \
	} while (0)

static void flush_number(struct bpei_column *column, const struct bpei_column_plan *plan,
	const struct bpei_staged *rows, const struct block_sum *sum)
{
	if (column->filled < sum->base)
		memset((char *)column->values + column->filled * plan->bytes, 0,
			(sum->base - column->filled) * plan->bytes);
	switch (plan->bytes) {
	case 1:
		COPY_MEMBER(uint8_t);
		break;
	case 2:
		COPY_MEMBER(uint16_t);
		break;
	case 4:
		COPY_MEMBER(uint32_t);
		break;
	default:
		COPY_MEMBER(uint64_t);
	}
	column->filled = sum->base + sum->n;
}

/* Writes the bits of a flag.  The block's rows are a word of the column. */
static void flush_flag(struct bpei_column *column, const struct bpei_column_plan *plan,
	const struct bpei_staged *rows, const struct block_sum *sum)
{
	uint64_t bits = 0;

	for (uint32_t r = 0; r < sum->n; r++) {
		uint32_t flags;

		memcpy(&flags, rows[r].bytes + plan->from, sizeof flags);
		bits |= (uint64_t)((flags & plan->bit) != 0) << r;
	}
	((uint64_t *)column->values)[sum->base / 64] = bpei_bitmap_word(bits);
	column->filled = sum->base + sum->n;
}

/* Writes which rows have values of a known group. */
static void flush_known(uint64_t *known, uint32_t group, const struct bpei_staged *rows,
	const struct block_sum *sum)
{
	uint64_t bits = 0;

	if (sum->all >> group & 1)
		bits = UINT64_MAX >> (BPEI_COLUMN_BLOCK - sum->n);
	else if (sum->any >> group & 1)
		for (uint32_t r = 0; r < sum->n; r++)
			bits |= (rows[r].known >> group & 1) << r;
	known[sum->base / 64] = bpei_bitmap_word(bits);
}

/* Appends the words of a column.  All bytes of a word are copied: the column has room for them. */
static void flush_words(struct bpe_columns *c, struct bpei_column *column, uint32_t worded,
	const struct block_sum *sum)
{
	uint64_t valid = 0;

	bpei_column_cut_text(column, sum->base);
	bpei_column_pad_text(column, sum->base);
	int32_t at = column->offsets[sum->base];
	char *const bytes = column->values;

	for (uint32_t r = 0; r < sum->n; r++) {
		const struct bpei_word *word = &c->word[c->block[r].codes[worded]];

		memcpy(bytes + at, word, sizeof *word);
		at += word->length;
		valid |= (uint64_t)word->is_known << r;
		column->offsets[sum->base + r + 1] = at;
	}
	column->valid[sum->base / 64] = bpei_bitmap_word(valid);
	column->filled = sum->base + sum->n;
}

/* Appends the Community IDs.  The column has room for them. */
static void flush_communities(struct bpe_columns *c, const struct block_sum *sum)
{
	struct bpei_column *const column = &c->columns[c->community_column];

	bpei_column_cut_text(column, sum->base);
	bpei_column_pad_text(column, sum->base);
	int32_t at = column->offsets[sum->base];
	const uint64_t valid =
		bpei_columns_write_communities(c, sum->n, (char *)column->values + at);

	for (uint32_t r = 0; r < sum->n; r++) {
		at += (int32_t)((valid >> r & 1) * BPEI_COMMUNITY_BYTES);
		column->offsets[sum->base + r + 1] = at;
	}
	column->valid[sum->base / 64] = bpei_bitmap_word(valid);
	column->filled = sum->base + sum->n;
}

/* Returns the base of the staged rows, and what is known of any and of all. */
static struct block_sum sum_block(const struct bpe_columns *c)
{
	struct block_sum sum = { c->rows - c->staged, c->staged, 0, UINT64_MAX };

	for (uint32_t r = 0; r < c->staged; r++) {
		sum.any |= c->block[r].known;
		sum.all &= c->block[r].known;
	}
	return sum;
}

void bpei_columns_flush(struct bpe_columns *c)
{
	if (!c->staged)
		return;
	const struct block_sum sum = sum_block(c);

	for (uint32_t k = 0; k < c->numbers.count; k++) {
		const uint32_t i = c->numbers.of[k];

		if (sum.any >> bpei_column_plans[i].known & 1)
			flush_number(&c->columns[i], &bpei_column_plans[i], c->block, &sum);
	}
	for (uint32_t k = 0; k < c->flags.count; k++) {
		const uint32_t i = c->flags.of[k];

		if (c->columns[i].values)
			flush_flag(&c->columns[i], &bpei_column_plans[i], c->block, &sum);
	}
	for (uint32_t k = BPEI_KNOWN_ALWAYS + 1; k < BPEI_KNOWN_COUNT; k++)
		if (c->known[k])
			flush_known(c->known[k], k, c->block, &sum);
	for (uint32_t k = 0; k < BPEI_WORDED_COUNT; k++)
		if (c->worded >> k & 1)
			flush_words(c, &c->columns[c->worded_column[k]], k, &sum);
	flush_communities(c, &sum);
}
