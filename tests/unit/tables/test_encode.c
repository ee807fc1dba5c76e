/* SPDX-License-Identifier: MIT */
/* Encodes numbers as runs, bits and deltas, and Thrift's structures; independent readers must give
 * what went in. */
#include "tools/tables/encode.h"

#include "parquet_read.h"
#include "tools/tables/thrift.h"

#define MOST 3000u

static uint32_t codes[MOST + ENCODE_GROUP], back[MOST + ENCODE_GROUP];
static uint64_t numbers[MOST], numbers_back[MOST];

/* Encodes n codes, and reads them. */
static void check_hybrid(size_t n, unsigned width)
{
	struct table_bytes out = { 0 };
	uint32_t expected[MOST];

	memcpy(expected, codes, n * sizeof *codes);
	encode_hybrid(&out, codes, n, width);
	cr_assert_not(out.failed);
	struct reading r = { out.at, out.at + out.used };
	read_hybrid(&r, width, back, n);
	cr_assert(r.at == r.end, "%zu codes of %u bits: bytes are left", n, width);
	cr_assert(!memcmp(expected, back, n * sizeof *back), "%zu codes of %u bits", n, width);
	table_bytes_free(&out);
}

Test(encode, width)
{
	cr_assert_eq(encode_width(0), 0);
	cr_assert_eq(encode_width(1), 1);
	cr_assert_eq(encode_width(255), 8);
	cr_assert_eq(encode_width(256), 9);
	cr_assert_eq(encode_width(UINT64_MAX), 64);
}

Test(encode, hybrid_of_each_width_and_length)
{
	uint64_t seed = 1;

	for (unsigned width = 1; width <= 32; width++)
		for (size_t n = 1; n < 70; n++) {
			for (size_t k = 0; k < n; k++)
				codes[k] = (uint32_t)(next_noise(&seed) &
						      (UINT64_MAX >> (64 - width)));
			check_hybrid(n, width);
		}
}

Test(encode, hybrid_of_runs)
{
	uint64_t seed = 2;

	for (int round = 0; round < 300; round++) {
		const size_t n = 1 + next_noise(&seed) % (MOST - 1);

		for (size_t k = 0; k < n;) {
			const uint32_t code = next_noise(&seed) % 5;
			size_t run = 1 + next_noise(&seed) % (next_noise(&seed) % 2 ? 3 : 60);

			for (; run && k < n; run--)
				codes[k++] = code;
		}
		check_hybrid(n, 3);
	}
}

Test(encode, a_run_is_short)
{
	struct table_bytes out = { 0 };

	memset(codes, 0, sizeof codes);
	encode_hybrid(&out, codes, MOST, 1);
	cr_assert_leq(out.used, 3);
	table_bytes_free(&out);
}

Test(encode, bits)
{
	uint8_t bits[64];
	uint64_t seed = 3;

	for (int round = 0; round < 2000; round++) {
		const size_t n = 1 + next_noise(&seed) % 500;
		struct table_bytes out = { 0 };

		for (size_t k = 0; k < sizeof bits; k++) {
			const uint8_t kinds[] = { 0, 0, 0xff, 0xff, (uint8_t)next_noise(&seed) };

			bits[k] = kinds[next_noise(&seed) % 5];
		}
		encode_bits(&out, bits, n);
		struct reading r = { out.at, out.at + out.used };
		read_hybrid(&r, 1, back, n);
		cr_assert(r.at == r.end);
		for (size_t k = 0; k < n; k++)
			cr_assert_eq(back[k], bits[k / 8] >> k % 8 & 1u);
		table_bytes_free(&out);
	}
}

/* Encodes n numbers as deltas, and reads them. */
static void check_delta(size_t n, bool is_wide)
{
	struct table_bytes out = { 0 };

	encode_delta(&out, numbers, n, is_wide);
	cr_assert_not(out.failed);
	struct reading r = { out.at, out.at + out.used };
	cr_assert_eq(read_delta(&r, numbers_back, MOST, is_wide), n);
	cr_assert(r.at == r.end, "%zu numbers: bytes are left", n);
	cr_assert(!memcmp(numbers, numbers_back, n * sizeof *numbers), "%zu numbers", n);
	table_bytes_free(&out);
}

Test(encode, delta_of_64_bits)
{
	uint64_t seed = 4;

	for (unsigned round = 0; round < 600; round++) {
		const size_t n = next_noise(&seed) % 700;

		for (size_t k = 0; k < n; k++)
			numbers[k] = next_noise(&seed) >> round % 64;
		check_delta(n, true);
	}
	numbers[0] = 0;
	numbers[1] = UINT64_MAX;
	numbers[2] = (uint64_t)INT64_MAX;
	numbers[3] = (uint64_t)INT64_MIN;
	numbers[4] = 1;
	check_delta(5, true);
}

Test(encode, delta_of_32_bits)
{
	uint64_t seed = 5;

	for (unsigned round = 0; round < 600; round++) {
		const size_t n = next_noise(&seed) % 700;

		for (size_t k = 0; k < n; k++)
			numbers[k] = (uint32_t)next_noise(&seed) >> round % 32;
		check_delta(n, false);
	}
	numbers[0] = UINT32_MAX;
	numbers[1] = 0;
	numbers[2] = (uint32_t)INT32_MAX;
	check_delta(3, false);
}

Test(bytes, numbers)
{
	struct table_bytes b = { 0 };
	const int64_t cases[] = { 0, -1, 1, -64, 64, INT64_MAX, INT64_MIN };

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
		table_bytes_add_zigzag(&b, cases[k]);
	table_bytes_add_little(&b, 0x01020304, 4);
	struct reading r = { b.at, b.at + b.used };
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
		cr_assert_eq(read_zigzag(&r), cases[k]);
	cr_assert(!memcmp(r.at, "\4\3\2\1", 4));
	table_bytes_free(&b);
}

Test(bytes, no_memory_is_kept)
{
	struct table_bytes b = { 0 };

	table_bytes_add(&b, "x", 1);
	cr_assert_not(table_bytes_grow(&b, SIZE_MAX - 8));
	cr_assert(b.failed);
	table_bytes_add(&b, "y", 1);
	cr_assert_eq(b.used, 1, "nothing is added behind a gap");
	table_bytes_empty(&b);
	cr_assert_not(b.failed);
	table_bytes_free(&b);
}

Test(thrift, fields)
{
	struct table_bytes b = { 0 };
	struct thrift_writer w;

	thrift_begin(&w, &b);
	thrift_i32(&w, 1, -1);
	thrift_bool(&w, 2, true);
	thrift_text(&w, 20, "ab"); /* a step of 18: the id is written out */
	thrift_struct(&w, 21);
	thrift_i64(&w, 1, 3);
	thrift_end(&w);
	thrift_list(&w, 22, THRIFT_I32, 2);
	thrift_element_i32(&w, 1);
	thrift_element_i32(&w, 2);
	thrift_end(&w);
	static const uint8_t expected[] = { 0x15, 1, 0x11, 8, 40, 2, 'a', 'b', 0x1c, 0x16, 6, 0,
		0x19, 0x25, 2, 4, 0 };

	cr_assert_eq(b.used, sizeof expected);
	cr_assert(!memcmp(b.at, expected, sizeof expected));
	table_bytes_free(&b);
}

Test(thrift, a_long_list)
{
	struct table_bytes b = { 0 };
	struct thrift_writer w;

	thrift_begin(&w, &b);
	thrift_list(&w, 1, THRIFT_STRUCT, 112);
	cr_assert_eq(b.used, 3);
	cr_assert(!memcmp(b.at, "\x19\xfc\x70", 3));
	table_bytes_free(&b);
}

Test(thrift, too_deep)
{
	struct table_bytes b = { 0 };
	struct thrift_writer w;

	thrift_begin(&w, &b);
	for (int k = 0; k < THRIFT_DEEP; k++)
		thrift_struct(&w, 1);
	cr_assert(b.failed);
	table_bytes_free(&b);
}
