/* SPDX-License-Identifier: MIT */
/* Columns of numbers: a dictionary if few values repeat, else packed deltas.  Numbers are widened
 * to 64 bits first.  A bias keeps the order of signed numbers. */
#include "tools/tables/column.h"
#include "tools/tables/encode.h"

#define SAMPLES 256u
#define SAMPLES_DIFFERENT 160u /* with more different samples there is no dictionary */
#define PROBES_MOST 64u
#define BLOCK 1024u /* numbers widened at a time */
#define SIGN (UINT64_C(1) << 63)

/* Widens the values of n rows that are not null. */
#define GATHER(type_)                                                                              \
	do {                                                                                       \
		const type_ *values = (const type_ *)array->buffers[1] + from;                     \
		for (size_t k = 0; k < n && !validity; k++)                                        \
			to[k] = (uint64_t)values[k];                                               \
		for (size_t k = 0; k < n && validity; k++) {                                       \
			to[count] = (uint64_t)values[k];                                           \
			count += validity[k / 8] >> k % 8 & 1u;                                    \
		}                                                                                  \
	} while (0)

/* Widens the values that are not null, of n rows behind the first `from`, a multiple of 8.  to has
 * room for n.  Returns how many values there are. */
static size_t gather_numbers(
	const struct column *c, const struct ArrowArray *array, size_t from, size_t n, uint64_t *to)
{
	const uint8_t *validity = c->values < c->rows ? array->buffers[0] : NULL;
	size_t count = 0;

	validity = validity ? validity + from / 8 : NULL;
	switch (c->type->bits + c->type->is_signed) {
	case 8:
		GATHER(uint8_t);
		break;
	case 9:
		GATHER(int8_t);
		break;
	case 16:
		GATHER(uint16_t);
		break;
	case 17:
		GATHER(int16_t);
		break;
	case 32:
		GATHER(uint32_t);
		break;
	case 33:
		GATHER(int32_t);
		break;
	default:
		GATHER(uint64_t);
		break;
	}
	return validity ? count : n;
}

#define JOIN(type_)                                                                                \
	do {                                                                                       \
		const type_ *values = array->buffers[1];                                           \
		type_ all = 0;                                                                     \
		for (size_t k = 0; k < c->rows; k++)                                               \
			all |= values[k];                                                          \
		joined = all;                                                                      \
	} while (0)

/* Returns all numbers or-ed, those of null rows as well.  A negative number sets all bits. */
static uint64_t join_numbers(const struct column *c, const struct ArrowArray *array)
{
	const unsigned bits = c->type->bits;
	uint64_t joined = 0;

	if (bits == 8)
		JOIN(uint8_t);
	else if (bits == 16)
		JOIN(uint16_t);
	else if (bits == 32)
		JOIN(uint32_t);
	else
		JOIN(uint64_t);
	return c->type->is_signed && joined >> (bits - 1) ? UINT64_MAX : joined;
}

static void store_number(uint8_t *to, uint64_t number, size_t bytes)
{
	for (size_t k = 0; k < bytes; k++)
		to[k] = (uint8_t)(number >> (8 * k));
}

/* Notes the least and the most of numbers. */
static void note_range(struct column *c, const uint64_t *numbers, size_t n)
{
	const uint64_t bias = c->type->is_signed ? SIGN : 0;
	const size_t bytes = c->type->type == PARQUET_INT64 ? 8 : 4;
	uint64_t low = UINT64_MAX;
	uint64_t high = 0;

	for (size_t k = 0; k < n; k++) {
		const uint64_t number = numbers[k] ^ bias;

		low = number < low ? number : low;
		high = number > high ? number : high;
	}
	c->has_least_and_most = true;
	c->least_bytes = bytes;
	c->most_bytes = bytes;
	c->range = high - low;
	store_number(c->least, low ^ bias, bytes);
	store_number(c->most, high ^ bias, bytes);
}

/* Codes a block of n small numbers.  Returns false if there are too many different numbers. */
static bool code_block(struct column *c, const uint64_t *numbers, size_t n, uint32_t *codes)
{
	uint64_t last = UINT64_MAX;
	uint32_t code = 0;

	for (size_t k = 0; k < n;) {
		uint64_t differs = 0;

		for (size_t j = 0; j < ENCODE_GROUP && k + ENCODE_GROUP <= n; j++)
			differs |= numbers[k + j] ^ last;
		if (!differs && k + ENCODE_GROUP <= n) {
			for (size_t j = 0; j < ENCODE_GROUP; j++)
				codes[k + j] = code;
			k += ENCODE_GROUP;
			continue;
		}
		for (size_t j = 0; j < ENCODE_GROUP && k < n; j++, k++) {
			uint16_t *slot = &c->ranges[numbers[k]];

			if (!*slot) {
				if (c->entries == COLUMN_CODES_MOST)
					return false;
				c->entry[c->entries] = numbers[k];
				*slot = (uint16_t)++c->entries;
			}
			code = *slot - 1u;
			codes[k] = code;
		}
		last = numbers[k - 1];
	}
	return true;
}

/* Codes numbers, all below COLUMN_SLOTS, by a table of the numbers.  all: the numbers
 * or-ed.  Returns false if there are too many different numbers. */
static bool code_by_range(struct column *c, const struct ArrowArray *array, uint64_t all)
{
	uint64_t block[BLOCK];
	size_t done = 0;

	memset(c->ranges, 0, ((size_t)1 << encode_width(all)) * sizeof *c->ranges);
	for (size_t from = 0; from < c->rows; from += BLOCK) {
		const size_t rows = c->rows - from < BLOCK ? c->rows - from : BLOCK;
		const size_t n = gather_numbers(c, array, from, rows, block);

		if (!code_block(c, block, n, c->codes + done))
			return false;
		done += n;
	}
	return true;
}

static uint64_t hash_number(const struct column *c, uint64_t number)
{
	const uint64_t h = (number ^ c->seed) * UINT64_C(0x9e3779b97f4a7c15);

	return (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* Finds the code of a number, or gives a code.  Returns the code, or UINT32_MAX if there is no
 * room. */
static uint32_t find_number_code(struct column *c, uint64_t number)
{
	size_t at = hash_number(c, number) >> 48;

	for (unsigned probes = 0; probes < PROBES_MOST; probes++) {
		struct column_slot *slot = &c->slots[at];

		if (slot->turn != c->turn) {
			if (c->entries == COLUMN_CODES_MOST)
				return UINT32_MAX;
			slot->turn = c->turn;
			slot->code = (uint16_t)c->entries;
			c->entry[c->entries++] = number;
		}
		if (c->entry[slot->code] == number)
			return slot->code;
		at = (at + 1) % COLUMN_SLOTS;
	}
	return UINT32_MAX;
}

/* Codes numbers by a hash table.  Returns false if the numbers are too many. */
static bool code_by_hash(struct column *c, size_t step)
{
	c->entries = 0;
	column_clear_slots(c);
	for (size_t k = 0; k < c->values; k += step) {
		c->codes[k] = find_number_code(c, c->numbers[k]);
		if (c->codes[k] == UINT32_MAX)
			return false;
	}
	return true;
}

/* Returns whether samples of the numbers repeat. */
static bool do_numbers_repeat(struct column *c)
{
	const size_t step = c->values / SAMPLES + 1;

	if (c->values < SAMPLES)
		return true;
	return code_by_hash(c, step) &&
	       c->entries < SAMPLES_DIFFERENT * (c->values / step) / SAMPLES;
}

/* Returns whether codes and their dictionary are shorter than packed deltas. */
static bool is_dictionary_short(const struct column *c)
{
	const uint64_t bits = c->type->type == PARQUET_INT64 ? 64 : 32;
	const uint64_t coded =
		encode_width(c->entries - 1) * (uint64_t)c->values + bits * c->entries;

	return coded <= encode_width(c->range) * (uint64_t)c->values + bits;
}

/* Codes numbers that are all 0. */
static void code_zeros(struct column *c)
{
	c->entry[0] = 0;
	c->entries = 1;
	memset(c->codes, 0, c->values * sizeof *c->codes);
	note_range(c, c->entry, 1);
}

/* Codes the numbers.  Returns whether they have a dictionary, with their range noted.  Else all
 * numbers are widened. */
static bool code_numbers(struct column *c, const struct ArrowArray *array)
{
	const uint64_t all = join_numbers(c, array);

	if (!all) { /* counts of rare events */
		code_zeros(c);
		return true;
	}
	c->entries = 0;
	if (all < COLUMN_SLOTS && code_by_range(c, array, all)) {
		note_range(c, c->entry, c->entries);
		if (is_dictionary_short(c))
			return true;
	}
	c->entries = 0;
	gather_numbers(c, array, 0, c->rows, c->numbers);
	if (all >= COLUMN_SLOTS && do_numbers_repeat(c) && code_by_hash(c, 1)) {
		note_range(c, c->entry, c->entries);
		if (is_dictionary_short(c))
			return true;
	}
	note_range(c, c->numbers, c->values);
	return false;
}

void column_encode_numbers(struct column *c, const struct ArrowArray *array)
{
	const size_t bytes = c->type->type == PARQUET_INT64 ? 8 : 4;

	if (!code_numbers(c, array)) {
		c->entries = 0;
		c->encoding = PARQUET_DELTA;
		encode_delta(&c->data, c->numbers, c->values, bytes == 8);
		return;
	}
	for (uint32_t k = 0; k < c->entries; k++)
		table_bytes_add_little(&c->dictionary, c->entry[k], bytes);
	column_add_codes(c);
}
