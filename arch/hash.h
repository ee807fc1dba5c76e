/* SPDX-License-Identifier: MIT */
/* The flow key's hash, one definition for every backend.  Pure.
 *
 * NH (Black et al., "UMAC: Fast and Secure Message Authentication", 1999) over the key's twelve
 * 32-bit words with a secret word each: the sum of (w[i] + s[i]) * (w[k] + s[k]) over six pairs,
 * 32-bit sums, 64-bit products.  Two different keys meet with probability 2^-32 over the seeds,
 * whoever chose the keys.  A pair has the same word of both addresses, so that all but one of
 * IPv4's are constants.  The sum's two halves are one more such pair; the product's halves are
 * xored, and murmur3's end (Appleby) makes every bit depend on every other. 32-bit multiplications
 * alone: the width of vectors on every CPU. Words are the addresses' bytes read as little-endian,
 * then ports, protocol, version and VLANs by value: the same result on hosts of either byte order.
 */
#ifndef BPEI_ARCH_HASH_H
#define BPEI_ARCH_HASH_H

#include "arch/arch.h"

#define BPEI_HASH_MULTIPLIER_0 0x85ebca6bu /* of murmur3's fmix32 */
#define BPEI_HASH_MULTIPLIER_1 0xc2b2ae35u

static inline uint64_t bpei_hash_product(uint32_t a, uint32_t b)
{
	return (uint64_t)a * b;
}

/* What the words come to that are 0 without a second tag; and those of IPv4. */
static inline uint64_t bpei_hash_tags(const struct bpei_seed *seed)
{
	return bpei_hash_product(seed->word[10], seed->word[11]);
}

static inline uint64_t bpei_hash_rest(const struct bpei_seed *seed)
{
	const uint32_t *s = seed->word;
	return bpei_hash_product(s[1], s[5]) + bpei_hash_product(s[2], s[6]) +
	       bpei_hash_product(s[3], s[7]) + bpei_hash_tags(seed);
}

static inline uint32_t bpei_hash_end(uint64_t sum, const struct bpei_seed *seed)
{
	uint64_t p = bpei_hash_product(
		(uint32_t)sum + seed->end[0], (uint32_t)(sum >> 32) + seed->end[1]);
	uint32_t h = (uint32_t)p ^ (uint32_t)(p >> 32);
	h = (h ^ h >> 16) * BPEI_HASH_MULTIPLIER_0;
	h = (h ^ h >> 13) * BPEI_HASH_MULTIPLIER_1;
	h ^= h >> 16;
	return h + !h;
}

#endif
