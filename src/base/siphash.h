/* SPDX-License-Identifier: MIT */
/* SipHash (Aumasson and Bernstein: "SipHash: a fast short-input PRF", 2012): the
 * rounds, and SipHash-2-4 of bytes. */
#ifndef BPEI_SIPHASH_H
#define BPEI_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t bpei_rotate_left64(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void bpei_siphash_begin(uint64_t v[4], const uint64_t key[2])
{
	v[0] = key[0] ^ 0x736f6d6570736575u;
	v[1] = key[1] ^ 0x646f72616e646f6du;
	v[2] = key[0] ^ 0x6c7967656e657261u;
	v[3] = key[1] ^ 0x7465646279746573u;
}

static inline void bpei_siphash_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = bpei_rotate_left64(v[1], 13) ^ v[0];
	v[0] = bpei_rotate_left64(v[0], 32);
	v[2] += v[3];
	v[3] = bpei_rotate_left64(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = bpei_rotate_left64(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = bpei_rotate_left64(v[1], 17) ^ v[2];
	v[2] = bpei_rotate_left64(v[2], 32);
}

/* Takes a word of 8 bytes in. */
static inline void bpei_siphash_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	bpei_siphash_round(v);
	bpei_siphash_round(v);
	v[0] ^= word;
}

/* Returns SipHash-2-4 of n bytes. */
static inline uint64_t bpei_siphash(const uint64_t key[2], const void *bytes, size_t n)
{
	const uint8_t *from = (const uint8_t *)bytes;
	uint64_t v[4];
	uint64_t word = 0;

	bpei_siphash_begin(v, key);
	for (size_t i = 0; i < n; i++) {
		word |= (uint64_t)from[i] << 8 * (i % 8);
		if (i % 8 < 7)
			continue;
		bpei_siphash_word(v, word);
		word = 0;
	}
	bpei_siphash_word(v, word | (uint64_t)n << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		bpei_siphash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
