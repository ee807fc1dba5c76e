/* SPDX-License-Identifier: MIT */
/* Readers of Parquet's encodings for tests, written from the specification and not from the
 * encoders. */
#ifndef PARQUET_READ_H
#define PARQUET_READ_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	const uint8_t *at, *end;
};

static inline uint8_t read_byte(struct reading *r)
{
	cr_assert(r->at < r->end, "the bytes end too early");
	return *r->at++;
}

static inline uint64_t read_varint(struct reading *r)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		const uint8_t byte = read_byte(r);

		if (shift < 64)
			number |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return number;
	}
	cr_assert(false, "a varint has no end");
	return 0;
}

static inline int64_t read_zigzag(struct reading *r)
{
	const uint64_t number = read_varint(r);

	return (int64_t)(number >> 1 ^ (0 - (number & 1)));
}

/* Reads a number of `width` bits that begins at bit `first`. */
static inline uint64_t read_bits(const uint8_t *bytes, size_t first, unsigned width)
{
	uint64_t number = 0;

	for (unsigned k = 0; k < width; k++) {
		const size_t bit = first + k;

		number |= (uint64_t)(bytes[bit / 8] >> bit % 8 & 1) << k;
	}
	return number;
}

/* Reads n codes of runs and packed groups. */
static inline void read_hybrid(struct reading *r, unsigned width, uint32_t *codes, size_t n)
{
	size_t done = 0;

	while (done < n) {
		const uint64_t head = read_varint(r);
		const size_t count = (size_t)(head >> 1) * (head & 1 ? 8 : 1);

		cr_assert_gt(count, 0);
		if (head & 1) {
			cr_assert_leq(count / 8 * width, (size_t)(r->end - r->at));
			for (size_t k = 0; k < count && done < n; k++)
				codes[done++] = (uint32_t)read_bits(r->at, k * width, width);
			r->at += count / 8 * width;
			continue;
		}
		uint32_t code = 0;
		for (unsigned k = 0; k < (width + 7) / 8; k++)
			code |= (uint32_t)read_byte(r) << 8 * k;
		cr_assert_leq(count, n - done, "a run is longer than the codes");
		for (size_t k = 0; k < count; k++)
			codes[done++] = code;
	}
}

/* Reads DELTA_BINARY_PACKED.  Returns how many numbers there are. */
static inline size_t read_delta(struct reading *r, uint64_t *numbers, size_t room, bool is_wide)
{
	const uint64_t block = read_varint(r), minis = read_varint(r), n = read_varint(r);
	const uint64_t mask = is_wide ? UINT64_MAX : UINT32_MAX;
	uint64_t last = (uint64_t)read_zigzag(r);

	cr_assert_eq(block % 128, 0);
	cr_assert_eq(block / minis % 32, 0);
	cr_assert_leq(n, room);
	if (n)
		numbers[0] = last & mask;
	for (size_t done = 1; done < n;) {
		const uint64_t least = (uint64_t)read_zigzag(r);
		const uint8_t *widths = r->at;

		r->at += minis;
		for (uint64_t m = 0; m < minis && done < n; m++) {
			cr_assert_leq(widths[m], is_wide ? 64 : 32);
			cr_assert_leq(block / minis * widths[m] / 8, (size_t)(r->end - r->at));
			for (size_t k = 0; k < block / minis && done < n; k++) {
				last += least + read_bits(r->at, k * widths[m], widths[m]);
				numbers[done++] = last & mask;
			}
			r->at += block / minis * widths[m] / 8;
		}
	}
	return n;
}

/* Returns numbers without a pattern, the same in each run. */
static inline uint64_t next_noise(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
