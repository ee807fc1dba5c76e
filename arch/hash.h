/* SPDX-License-Identifier: MIT */
/* The arithmetic of the flow key's hash, one definition for every backend.  Pure.
 *
 * NH (Black et al., "UMAC: Fast and Secure Message Authentication", 1999) over the key's twelve
 * 32-bit words with a secret word each: the sum of (w[i] + s[i]) * (w[k] + s[k]) over six pairs,
 * with 32-bit sums and 64-bit products.  Two different keys collide with probability 2^-32 over the
 * seeds, whoever chose the keys.  A pair holds the same word of both addresses, so of IPv4's pairs
 * all but one are constants.
 *
 * The two halves of the sum are one more pair.  The halves of their product are xored, and the end
 * of murmur3 (Appleby) makes every bit depend on every other.  Only 32-bit multiplications are
 * needed, which vectors of every CPU have.
 *
 * Words are the addresses' bytes read as little-endian, then ports, protocol, version and VLANs by
 * value.  So hosts of either byte order give the same result. */
#ifndef BPEI_ARCH_HASH_H
#define BPEI_ARCH_HASH_H

#include "arch/arch.h"

#define BPEI_HASH_MULTIPLIER_0 0x85ebca6bu /* of murmur3's fmix32 */
#define BPEI_HASH_MULTIPLIER_1 0xc2b2ae35u

static inline uint64_t bpei_hash_product(uint32_t a, uint32_t b)
{
	return (uint64_t)a * b;
}

/* Returns the product of the pair that is 0 without a second VLAN tag and without a tunnel. */
static inline uint64_t bpei_hash_tags(const struct bpei_seed *seed)
{
	return bpei_hash_product(seed->word[10], seed->word[11]);
}

/* Returns the sum of the products that are constant for IPv4 without a second tag. */
static inline uint64_t bpei_hash_ip4_constant(const struct bpei_seed *seed)
{
	const uint32_t *s = seed->word;

	return bpei_hash_product(s[1], s[5]) + bpei_hash_product(s[2], s[6]) +
	       bpei_hash_product(s[3], s[7]) + bpei_hash_tags(seed);
}

/* Returns the hash for the sum of all products; never 0. */
static inline uint32_t bpei_hash_finish(uint64_t sum, const struct bpei_seed *seed)
{
	const uint32_t low = (uint32_t)sum + seed->end[0];
	const uint32_t high = (uint32_t)(sum >> 32) + seed->end[1];
	const uint64_t product = bpei_hash_product(low, high);
	uint32_t h = (uint32_t)product ^ (uint32_t)(product >> 32);

	h = (h ^ h >> 16) * BPEI_HASH_MULTIPLIER_0;
	h = (h ^ h >> 13) * BPEI_HASH_MULTIPLIER_1;
	h ^= h >> 16;
	return h + !h;
}

#endif
