/* SPDX-License-Identifier: MIT */
/* SHA-256 (sha256.h); stateless. */
#include "base/sha256.h"

#include <string.h>

static const uint32_t rounds[64] = { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
	0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
	0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
	0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
	0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

static uint32_t rotate_right(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void expand_block(uint32_t words[64], const uint8_t *block)
{
	for (int i = 0; i < 16; i++)
		words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
			   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		const uint32_t a = words[i - 15];
		const uint32_t b = words[i - 2];
		const uint32_t s0 = rotate_right(a, 7) ^ rotate_right(a, 18) ^ a >> 3;
		const uint32_t s1 = rotate_right(b, 17) ^ rotate_right(b, 19) ^ b >> 10;
		words[i] = words[i - 16] + s0 + words[i - 7] + s1;
	}
}

static void digest_block(uint32_t state[8], const uint8_t *block)
{
	uint32_t words[64];
	uint32_t v[8];

	expand_block(words, block);
	memcpy(v, state, sizeof v);
	for (int i = 0; i < 64; i++) {
		const uint32_t s1 =
			rotate_right(v[4], 6) ^ rotate_right(v[4], 11) ^ rotate_right(v[4], 25);
		const uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		const uint32_t t1 = v[7] + s1 + choice + rounds[i] + words[i];
		const uint32_t s0 =
			rotate_right(v[0], 2) ^ rotate_right(v[0], 13) ^ rotate_right(v[0], 22);
		const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += t1;
		v[0] = t1 + s0 + majority;
	}
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

void bpei_sha256_init(struct bpei_sha256 *hash)
{
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memset(hash, 0, sizeof *hash);
	memcpy(hash->state, start, sizeof start);
}

void bpei_sha256_add(struct bpei_sha256 *hash, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;

	while (n) {
		const size_t at = hash->bytes % 64;
		size_t part = 64 - at;
		if (part > n)
			part = n;
		if (part == 64) {
			digest_block(hash->state, from);
		} else {
			memcpy(hash->block + at, from, part);
			if (at + part == 64)
				digest_block(hash->state, hash->block);
		}
		hash->bytes += part;
		from += part;
		n -= part;
	}
}

void bpei_sha256_text(const struct bpei_sha256 *hash, char text[BPEI_SHA256_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	struct bpei_sha256 end = *hash;
	uint8_t tail[72] = { 0x80 };
	const size_t zeros = (119 - hash->bytes % 64) % 64 + 1;

	for (int i = 0; i < 8; i++)
		tail[zeros + (size_t)i] = (uint8_t)(hash->bytes << 3 >> (56 - 8 * i));
	bpei_sha256_add(&end, tail, zeros + 8);
	for (size_t i = 0; i < 64; i++)
		text[i] = digits[end.state[i / 8] >> (28 - 4 * (i % 8)) & 15];
	text[64] = 0;
}
