/* SPDX-License-Identifier: MIT */
/* Encodings of Parquet's pages (encode.h).  Pure. */
#include "tools/tables/encode.h"

#define BLOCK 128u
#define MINIBLOCKS 4u
#define MINIBLOCK (BLOCK / MINIBLOCKS)

unsigned encode_width(uint64_t number)
{
	unsigned width = 0;

	for (unsigned step = 32; step; step /= 2)
		if (number >> step) {
			number >>= step;
			width += step;
		}
	return width + (number != 0);
}

/* ---- Runs and packed groups ---- */

/* Packs a group of 8 codes of at most 8 bits into `width` bytes.  Writes 8 bytes. */
static void pack_small_group(uint8_t *to, const uint32_t *codes, unsigned width)
{
	uint64_t bits = 0;

	for (unsigned k = 0; k < ENCODE_GROUP; k++)
		bits |= (uint64_t)codes[k] << k * width;
	for (unsigned k = 0; k < 8; k++)
		to[k] = (uint8_t)(bits >> 8 * k);
}

/* Packs a group of 8 codes into `width` bytes. */
static void pack_group(uint8_t *to, const uint32_t *codes, unsigned width)
{
	uint64_t bits = 0;
	unsigned held = 0;

	for (unsigned k = 0; k < ENCODE_GROUP; k++) {
		bits |= (uint64_t)codes[k] << held;
		held += width;
		for (; held >= 8; held -= 8) {
			*to++ = (uint8_t)bits;
			bits >>= 8;
		}
	}
}

/* Adds the bytes of groups, behind their count. */
static void pack_groups(
	struct table_bytes *out, const uint32_t *codes, size_t groups, unsigned width)
{
	uint8_t *to;

	if (!table_bytes_grow(out, groups * width + 8))
		return;
	to = out->at + out->used;
	out->used += groups * width;
	if (width <= 8)
		for (size_t k = 0; k < groups; k++, to += width)
			pack_small_group(to, codes + k * ENCODE_GROUP, width);
	else
		for (size_t k = 0; k < groups; k++, to += width)
			pack_group(to, codes + k * ENCODE_GROUP, width);
}

static void add_packed_groups(
	struct table_bytes *out, const uint32_t *codes, size_t groups, unsigned width)
{
	if (!groups)
		return;
	table_bytes_add_varint(out, (uint64_t)groups << 1 | 1);
	pack_groups(out, codes, groups, width);
}

static void add_run(struct table_bytes *out, uint32_t code, size_t n, unsigned width)
{
	table_bytes_add_varint(out, (uint64_t)n << 1);
	table_bytes_add_little(out, code, (width + 7) / 8);
}

/* Returns how many codes from the first on are equal. */
static size_t count_equal(const uint32_t *codes, size_t n)
{
	size_t k = 0;
	uint32_t differs = 0;

	for (; k + ENCODE_GROUP <= n; k += ENCODE_GROUP) {
		for (size_t j = 0; j < ENCODE_GROUP; j++)
			differs |= codes[k + j] ^ *codes;
		if (differs)
			break;
	}
	while (k < n && codes[k] == *codes)
		k++;
	return k;
}

void encode_hybrid(struct table_bytes *out, uint32_t *codes, size_t n, unsigned width)
{
	size_t at = 0, packed = 0; /* packed: the first code that waits for its group */

	for (size_t k = n; k % ENCODE_GROUP; k++)
		codes[k] = 0;
	while (at < n) {
		const size_t run =
			codes[at] == codes[at + (n - at > 1)] ? count_equal(codes + at, n - at) : 1;

		if (run < ENCODE_GROUP) {
			at += ENCODE_GROUP;
			continue;
		}
		add_packed_groups(out, codes + packed, (at - packed) / ENCODE_GROUP, width);
		add_run(out, codes[at], run, width);
		at += run;
		packed = at;
	}
	if (packed >= n)
		return;
	/* Groups begin behind the last run, so the array's end is not always a group's end. */
	uint32_t last[ENCODE_GROUP] = { 0 };
	const size_t whole = (n - packed) / ENCODE_GROUP;
	const size_t rest = (n - packed) % ENCODE_GROUP;
	if (!rest) {
		add_packed_groups(out, codes + packed, whole, width);
		return;
	}
	memcpy(last, codes + packed + whole * ENCODE_GROUP, rest * sizeof *last);
	table_bytes_add_varint(out, (uint64_t)(whole + 1) << 1 | 1);
	pack_groups(out, codes + packed, whole, width);
	pack_groups(out, last, 1, width);
}

/* ---- Bits ---- */

/* Returns how many bytes from the first on are equal. */
static size_t count_equal_bytes(const uint8_t *bytes, size_t n)
{
	size_t k = 1;

	while (k < n && bytes[k] == *bytes)
		k++;
	return k;
}

void encode_bits(struct table_bytes *out, const uint8_t *bits, size_t n)
{
	const size_t whole = n / 8;
	size_t at = 0, packed = 0;

	while (at < whole) {
		const bool is_even = !bits[at] || bits[at] == 0xff;
		const size_t run = is_even ? count_equal_bytes(bits + at, whole - at) : 1;

		if (run < 2) {
			at++;
			continue;
		}
		if (at > packed) {
			table_bytes_add_varint(out, (uint64_t)(at - packed) << 1 | 1);
			table_bytes_add(out, bits + packed, at - packed);
		}
		add_run(out, bits[at] & 1, run * 8, 1);
		at += run;
		packed = at;
	}
	const size_t rest = (n + 7) / 8 - packed;
	if (!rest)
		return;
	table_bytes_add_varint(out, (uint64_t)rest << 1 | 1);
	table_bytes_add(out, bits + packed, rest);
	if (n % 8 && !out->failed)
		out->at[out->used - 1] &= (uint8_t)((1u << n % 8) - 1);
}

/* ---- Deltas ---- */

/* Packs the numbers of a miniblock.  Returns the bytes. */
static size_t pack_miniblock(uint8_t *to, const uint64_t *numbers, unsigned width)
{
	uint8_t *const first = to;
	uint64_t bits = 0;
	unsigned held = 0;

	for (unsigned k = 0; k < MINIBLOCK && width; k++) {
		const uint64_t number = numbers[k];
		const unsigned taken = 64 - held;

		bits |= number << held;
		if (width < taken) {
			held += width;
			continue;
		}
		for (unsigned b = 0; b < 8; b++)
			to[b] = (uint8_t)(bits >> (8 * b));
		to += 8;
		bits = taken < 64 ? number >> taken : 0;
		held = width - taken;
	}
	for (; held; held -= held < 8 ? held : 8) {
		*to++ = (uint8_t)bits;
		bits >>= 8;
	}
	return (size_t)(to - first);
}

/* Adds a block of n deltas, at most BLOCK. */
static void add_delta_block(struct table_bytes *out, int64_t *deltas, size_t n, bool is_wide)
{
	const uint64_t mask = is_wide ? UINT64_MAX : UINT32_MAX;
	uint64_t numbers[BLOCK] = { 0 };
	int64_t least = deltas[0];

	for (size_t k = 1; k < n; k++)
		if (deltas[k] < least)
			least = deltas[k];
	for (size_t k = 0; k < n; k++)
		numbers[k] = ((uint64_t)deltas[k] - (uint64_t)least) & mask;
	table_bytes_add_zigzag(out, least);
	if (!table_bytes_grow(out, MINIBLOCKS + BLOCK * 8))
		return;
	uint8_t *widths = out->at + out->used;
	out->used += MINIBLOCKS;
	for (size_t m = 0; m < MINIBLOCKS; m++) {
		const uint64_t *at = numbers + m * MINIBLOCK;
		uint64_t all = 0;

		for (size_t k = 0; k < MINIBLOCK; k++)
			all |= at[k];
		widths[m] = (uint8_t)encode_width(all);
		/* Behind the last number there are no miniblocks, but their widths. */
		if (m * MINIBLOCK < n)
			out->used += pack_miniblock(out->at + out->used, at, widths[m]);
	}
}

void encode_delta(struct table_bytes *out, const uint64_t *numbers, size_t n, bool is_wide)
{
	int64_t deltas[BLOCK];
	const uint64_t first = n ? numbers[0] : 0;

	table_bytes_add_varint(out, BLOCK);
	table_bytes_add_varint(out, MINIBLOCKS);
	table_bytes_add_varint(out, n);
	table_bytes_add_zigzag(out, is_wide ? (int64_t)first : (int32_t)(uint32_t)first);
	for (size_t at = 1; at < n;) {
		const size_t count = n - at < BLOCK ? n - at : BLOCK;

		for (size_t k = 0; k < count; k++) {
			const uint64_t delta = numbers[at + k] - numbers[at + k - 1];

			deltas[k] = is_wide ? (int64_t)delta : (int32_t)(uint32_t)delta;
		}
		add_delta_block(out, deltas, count, is_wide);
		at += count;
	}
}
