/* SPDX-License-Identifier: MIT */
/* MD5 (md5.h); stateless. */
#include "base/md5.h"

#include "base/bytes.h"

/* sines[i] is the integer part of 2^32 * |sin(i + 1)|. */
static const uint32_t sines[64] = { 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf,
	0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51,
	0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6,
	0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
	0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8,
	0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
	0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82,
	0xbd3af235, 0x2ad7d2bb, 0xeb86d391 };

static uint32_t rotate_left(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

/* Returns the function of step i, and where the step finds its word. */
static uint32_t mix_md5_words(const uint32_t v[4], unsigned i, unsigned *word)
{
	switch (i / 16) {
	case 0:
		*word = i;
		return (v[1] & v[2]) | (~v[1] & v[3]);
	case 1:
		*word = (5 * i + 1) % 16;
		return (v[3] & v[1]) | (~v[3] & v[2]);
	case 2:
		*word = (3 * i + 5) % 16;
		return v[1] ^ v[2] ^ v[3];
	default:
		*word = 7 * i % 16;
		return v[2] ^ (v[1] | ~v[3]);
	}
}

static void digest_md5_block(uint32_t state[4], const uint8_t *block)
{
	static const uint8_t shifts[4][4] = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 },
		{ 4, 11, 16, 23 }, { 6, 10, 15, 21 } };
	uint32_t v[4];

	memcpy(v, state, sizeof v);
	for (unsigned i = 0; i < 64; i++) {
		unsigned word;
		const uint32_t mixed = mix_md5_words(v, i, &word);
		const uint32_t sum = v[0] + mixed + sines[i] + bpei_le32(block + 4 * word);
		const uint32_t next = v[1] + rotate_left(sum, shifts[i / 16][i % 4]);
		v[0] = v[3];
		v[3] = v[2];
		v[2] = v[1];
		v[1] = next;
	}
	for (int i = 0; i < 4; i++)
		state[i] += v[i];
}

void bpei_md5_init(struct bpei_md5 *hash)
{
	static const uint32_t start[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };

	memset(hash, 0, sizeof *hash);
	memcpy(hash->state, start, sizeof start);
}

void bpei_md5_add(struct bpei_md5 *hash, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;

	while (n) {
		const size_t at = hash->bytes % 64;
		size_t part = 64 - at;
		if (part > n)
			part = n;
		memcpy(hash->block + at, from, part);
		if (at + part == 64)
			digest_md5_block(hash->state, hash->block);
		hash->bytes += part;
		from += part;
		n -= part;
	}
}

void bpei_md5_text(const struct bpei_md5 *hash, char text[BPEI_MD5_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	struct bpei_md5 end = *hash;
	uint8_t tail[72] = { 0x80 };
	const size_t zeros = (119 - hash->bytes % 64) % 64 + 1;

	for (int i = 0; i < 8; i++)
		tail[zeros + (size_t)i] = (uint8_t)(hash->bytes << 3 >> 8 * i);
	bpei_md5_add(&end, tail, zeros + 8);
	for (size_t i = 0; i < 32; i++) {
		const uint32_t byte = end.state[i / 8] >> 8 * (i / 2 % 4);
		text[i] = digits[byte >> (i % 2 ? 0 : 4) & 15];
	}
	text[32] = 0;
}
