/* SPDX-License-Identifier: MIT */
/* Encodes columns of each type with and without nulls, and reads the values back from the levels,
 * the dictionary and the data. */
#include "tools/tables/column.h"

#include "parquet_read.h"
#include "tools/tables/encode.h"

#define ROWS 40000u

static struct column column;
static uint64_t values[ROWS], plain[ROWS];
static uint32_t codes[ROWS + 8], levels[ROWS + 8];
static uint8_t validity[ROWS / 8 + 1];

static struct column_type type_of(const char *format, bool may_null)
{
	struct ArrowSchema schema = {
		.format = format, .name = "x", .flags = may_null ? ARROW_FLAG_NULLABLE : 0
	};
	struct column_type type;

	cr_assert(column_type_read(&type, &schema), "%s", format);
	return type;
}

/* Reads the levels of the column: which rows have a value.  Returns how many have. */
static size_t read_levels(size_t rows)
{
	size_t there = 0;

	if (!column.type->may_null) {
		cr_assert_eq(column.levels.used, 0);
		return rows;
	}
	const uint8_t *at = column.levels.at;
	const size_t n = at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
	struct reading r = { at + 4, at + column.levels.used };

	cr_assert_eq(n + 4, column.levels.used);
	read_hybrid(&r, 1, levels, rows);
	for (size_t k = 0; k < rows; k++) {
		cr_assert_eq(levels[k], validity[k / 8] >> k % 8 & 1u);
		there += levels[k];
	}
	return there;
}

/* Reads the numbers of the column into plain.  Returns how many. */
static size_t read_column_numbers(size_t n)
{
	const size_t bytes = column.type->type == PARQUET_INT64 ? 8 : 4;
	struct reading r = { column.data.at, column.data.at + column.data.used };

	if (column.encoding == PARQUET_DELTA)
		return read_delta(&r, plain, ROWS, bytes == 8);
	cr_assert_eq(column.encoding, PARQUET_DICTIONARY);
	cr_assert_eq(column.dictionary.used, column.entries * bytes);
	read_hybrid(&r, read_byte(&r), codes, n);
	for (size_t k = 0; k < n; k++) {
		cr_assert_lt(codes[k], column.entries);
		plain[k] = 0;
		memcpy(&plain[k], column.dictionary.at + codes[k] * bytes, bytes);
	}
	return n;
}

/* Encodes numbers of 64 bits, and reads them back. */
static void check_numbers(const char *format, size_t rows, bool has_nulls)
{
	const struct column_type type = type_of(format, has_nulls);
	const void *buffers[2] = { has_nulls ? validity : NULL, values };
	struct ArrowArray array = { .length = (int64_t)rows, .n_buffers = 2, .buffers = buffers };
	size_t there = 0;

	for (size_t k = 0; has_nulls && k < rows; k++)
		array.null_count += !(validity[k / 8] >> k % 8 & 1);
	cr_assert(column_encode(&column, &type, &array));
	const size_t n = read_levels(rows);
	if (!n)
		return;
	cr_assert_eq(read_column_numbers(n), n);
	for (size_t k = 0; k < rows; k++)
		if (!has_nulls || validity[k / 8] >> k % 8 & 1)
			cr_assert_eq(plain[there++], values[k], "row %zu", k);
}

static void fill_validity(uint64_t *seed, unsigned kind)
{
	for (size_t k = 0; k < sizeof validity; k++)
		validity[k] = (uint8_t)(kind > 1 ? next_noise(seed) : 0 - kind);
}

Test(column, numbers_of_each_width)
{
	uint64_t seed = 6;

	cr_assert(column_begin(&column, 1));
	for (unsigned bits = 0; bits < 64; bits++)
		for (unsigned kind = 0; kind < 4; kind++) {
			const size_t rows = 1 + next_noise(&seed) % 3000;

			fill_validity(&seed, kind);
			for (size_t k = 0; k < rows; k++)
				values[k] = next_noise(&seed) >> bits;
			check_numbers("L", rows, kind < 3);
			check_numbers("l", rows, kind < 3);
		}
	column_free(&column);
}

Test(column, few_numbers_have_a_dictionary)
{
	cr_assert(column_begin(&column, 2));
	for (size_t k = 0; k < ROWS; k++)
		values[k] = (k % 7) << 40;
	check_numbers("L", ROWS, false);
	cr_assert_eq(column.entries, 7);
	for (size_t k = 0; k < ROWS; k++)
		values[k] = 5;
	check_numbers("L", ROWS, false);
	cr_assert_eq(column.entries, 1);
	cr_assert_leq(column.data.used, 8);
	column_free(&column);
}

Test(column, too_many_numbers_have_none)
{
	cr_assert(column_begin(&column, 3));
	for (size_t k = 0; k < ROWS; k++)
		values[k] = k;
	check_numbers("L", ROWS, false);
	cr_assert_eq(column.encoding, PARQUET_DELTA);
	/* Samples repeat, but the whole has more numbers than a dictionary. */
	for (size_t k = 0; k < ROWS; k++)
		values[k] = k % 157 ? k << 30 : 0;
	check_numbers("L", ROWS, false);
	cr_assert_eq(column.encoding, PARQUET_DELTA);
	column_free(&column);
}

Test(column, small_types)
{
	static const int8_t bytes[] = { -128, 127, 0, -1, 0 };
	const struct column_type type = type_of("c", false);
	const void *buffers[2] = { NULL, bytes };
	struct ArrowArray array = { .length = 5, .n_buffers = 2, .buffers = buffers };

	cr_assert(column_begin(&column, 4));
	cr_assert(column_encode(&column, &type, &array));
	cr_assert_eq(read_column_numbers(5), 5);
	for (size_t k = 0; k < 5; k++)
		cr_assert_eq((int32_t)(uint32_t)plain[k], bytes[k]);
	cr_assert(!memcmp(column.least, "\x80\xff\xff\xff", 4));
	cr_assert(!memcmp(column.most, "\x7f\0\0\0", 4));
	column_free(&column);
}

Test(column, types)
{
	struct column_type type;
	struct ArrowSchema schema = { .name = "x", .format = "g" };

	cr_assert_not(column_type_read(&type, &schema), "floating point");
	schema.format = "tsu:UTC";
	cr_assert_not(column_type_read(&type, &schema), "microseconds");
	schema.format = "";
	cr_assert_not(column_type_read(&type, &schema));
	schema.format = "L";
	schema.name = "";
	cr_assert_not(column_type_read(&type, &schema));
	type = type_of("tsn:UTC", false);
	cr_assert_eq(type.type, PARQUET_INT64);
	cr_assert_eq(type_of("S", false).bits, 16);
	cr_assert(type_of("i", false).is_signed);
}

/* ---- Texts ---- */

static char bytes[ROWS * 40];
static int32_t offsets[ROWS + 1];

/* Reads the texts of the column, and compares them with those that went in, or with `same`. */
static void compare_texts_read(size_t rows, bool has_nulls, const char *same)
{
	struct reading r = { column.data.at, column.data.at + column.data.used };
	const uint8_t *at = NULL;
	size_t there = 0;
	const bool is_coded = column.encoding == PARQUET_DICTIONARY;

	if (is_coded) {
		read_hybrid(&r, read_byte(&r), codes, column.values);
	} else {
		cr_assert_eq(column.encoding, PARQUET_DELTA_LENGTHS);
		cr_assert_eq(read_delta(&r, plain, ROWS, false), column.values);
		at = r.at;
	}
	for (size_t k = 0; k < rows; k++) {
		if (has_nulls && !(validity[k / 8] >> k % 8 & 1))
			continue;
		const char *text = same ? same : bytes + offsets[k];
		const size_t n = same ? strlen(same) : (size_t)(offsets[k + 1] - offsets[k]);
		size_t length = (size_t)plain[there];

		if (is_coded) {
			uint32_t left = codes[there];

			cr_assert_lt(left, column.entries);
			for (at = column.dictionary.at; left; left--)
				at += 4 + (at[0] | (size_t)at[1] << 8);
			length = at[0] | (size_t)at[1] << 8;
			at += 4;
		}
		cr_assert_eq(length, n, "row %zu", k);
		cr_assert(!memcmp(at, text, n), "row %zu", k);
		at += n;
		there++;
	}
	cr_assert_eq(there, column.values);
}

static void encode_texts(size_t rows, bool has_nulls)
{
	static struct column_type type;
	const void *buffers[3] = { has_nulls ? validity : NULL, offsets, bytes };
	struct ArrowArray array = { .length = (int64_t)rows, .n_buffers = 3, .buffers = buffers };

	type = type_of("u", has_nulls);
	for (size_t k = 0; has_nulls && k < rows; k++)
		array.null_count += !(validity[k / 8] >> k % 8 & 1);
	cr_assert(column_encode(&column, &type, &array));
	read_levels(rows);
}

Test(column, texts)
{
	uint64_t seed = 7;

	cr_assert(column_begin(&column, 5));
	for (unsigned round = 0; round < 200; round++) {
		const size_t rows = 1 + next_noise(&seed) % 2000;
		const unsigned different = 1u << round % 14;

		fill_validity(&seed, round % 4);
		for (size_t k = 0; k < rows; k++) {
			const int n = snprintf(bytes + offsets[k], 40, "%.*s%x",
				(int)(next_noise(&seed) % different % 20),
				"abcdefghijklmnopqrstuvwxyz",
				(unsigned)(next_noise(&seed) % different));

			offsets[k + 1] = offsets[k] + (round % 3 ? n : 0);
		}
		encode_texts(rows, round % 4 < 3);
		if (column.values)
			compare_texts_read(rows, round % 4 < 3, NULL);
	}
	column_free(&column);
}

Test(column, many_texts_have_no_dictionary)
{
	cr_assert(column_begin(&column, 6));
	for (size_t k = 0; k < ROWS; k++)
		offsets[k + 1] =
			offsets[k] + snprintf(bytes + offsets[k], 40, "%zu", k % 157 ? k : 0);
	encode_texts(ROWS, false);
	cr_assert_eq(column.encoding, PARQUET_DELTA_LENGTHS);
	compare_texts_read(ROWS, false, NULL);
	cr_assert(column.has_least_and_most);
	cr_assert(!memcmp(column.least, "0", 1));
	cr_assert(!memcmp(column.most, "9999", 4));
	column_free(&column);
}

Test(column, texts_that_are_not_utf8)
{
	static const struct {
		const char *text, *mended;
	} cases[] = { { "a\xff z", "a\xef\xbf\xbd z" }, { "\xc3\xa9", "\xc3\xa9" },
		{ "\xc3", "\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" } };

	cr_assert(column_begin(&column, 7));
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		offsets[1] = (int32_t)strlen(cases[k].text);
		memcpy(bytes, cases[k].text, strlen(cases[k].text) + 1);
		encode_texts(1, false);
		compare_texts_read(1, false, cases[k].mended);
	}
	column_free(&column);
}

Test(column, long_texts_leave_no_range)
{
	cr_assert(column_begin(&column, 8));
	memset(bytes, 'x', 100);
	offsets[1] = 65;
	encode_texts(1, false);
	cr_assert_not(column.has_least_and_most);
	offsets[1] = 64;
	encode_texts(1, false);
	cr_assert(column.has_least_and_most);
	column_free(&column);
}

Test(column, booleans)
{
	const uint8_t bits[2] = { 0xa5, 0x01 };
	const struct column_type type = type_of("b", true);
	const void *buffers[2] = { validity, bits };
	struct ArrowArray array = {
		.length = 10, .null_count = 4, .n_buffers = 2, .buffers = buffers
	};

	validity[0] = 0x3c; /* rows 2 to 5: 1 0 0 1 */
	validity[1] = 0x03; /* rows 8, 9: 1 0 */
	cr_assert(column_begin(&column, 9));
	cr_assert(column_encode(&column, &type, &array));
	cr_assert_eq(column.values, 6);
	cr_assert_eq(column.data.used, 1);
	cr_assert_eq(column.data.at[0], 0x19);
	cr_assert_eq(column.least[0], 0);
	cr_assert_eq(column.most[0], 1);
	column_free(&column);
}
