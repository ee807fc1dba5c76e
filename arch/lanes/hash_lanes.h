/* SPDX-License-Identifier: MIT */
/* The flow key's hash (arch/hash.h) of LANES keys side by side, from columns.  The including file
 * defines LANES, vec32 and the following names first.
 *
 *     typedef uint64_t vec64         vector of LANES / 2 words
 *     mul_even(a, b), mul_odd(a, b)  64-bit products of half of the lanes, of the other half
 *     mul_add_even(s, a, b)          s + mul_even(a, b)
 *     mul_add_odd(s, a, b)           s + mul_odd(a, b)
 *     mul_halves(s, ends)            of each 64-bit sum:
 *                                    (low half + ends[0]) * (high half + ends[1])
 *     join_low_words(even, odd)      the lower words of products, in lane order again
 *     join_high_words(even, odd)     the upper words */
#ifndef BPEI_LANES_HASH_LANES_H
#define BPEI_LANES_HASH_LANES_H

#include "arch/hash.h"

/* Sums of products: of the lanes that mul_even takes, and of the others. */
struct hash_sums {
	vec64 even, odd;
};

/* The secret with each word in all lanes, made once a batch. */
struct hash_secret {
	vec32 word[10];
	vec32 ends; /* the two end words, alternating */
	vec32 multiplier[2];
	vec64 tags, ip4_constant; /* what a sum begins with: IPv6's, IPv4's */
};

static inline __attribute__((always_inline)) void broadcast_secret(
	struct hash_secret *h, const struct bpei_seed *seed)
{
	const vec32 zero = { 0 };
	uint32_t multiplier[2] = { BPEI_HASH_MULTIPLIER_0, BPEI_HASH_MULTIPLIER_1 };

	for (uint32_t i = 0; i < 10; i++)
		h->word[i] = zero + seed->word[i];
	h->ends = (vec32)((vec64){ 0 } + (seed->end[0] | (uint64_t)seed->end[1] << 32));
	/* Hidden from the compiler, which would otherwise make the vectors anew for each group. */
	__asm__("" : "+r"(multiplier[0]), "+r"(multiplier[1]));
	for (uint32_t i = 0; i < 2; i++)
		h->multiplier[i] = zero + multiplier[i];
	h->tags = (vec64){ 0 } + bpei_hash_tags(seed);
	h->ip4_constant = (vec64){ 0 } + bpei_hash_ip4_constant(seed);
}

static inline __attribute__((always_inline)) void add_product(struct hash_sums *s, vec32 a, vec32 b)
{
	s->even = mul_add_even(s->even, a, b);
	s->odd = mul_add_odd(s->odd, a, b);
}

/* Returns the hash of each lane, as bpei_hash_finish. */
static inline __attribute__((always_inline)) vec32 finish_hash(
	struct hash_sums s, const struct hash_secret *h)
{
	s.even = mul_halves(s.even, h->ends);
	s.odd = mul_halves(s.odd, h->ends);
	vec32 x = join_low_words(s.even, s.odd) ^ join_high_words(s.even, s.odd);
	x = (x ^ x >> 16) * h->multiplier[0];
	x = (x ^ x >> 13) * h->multiplier[1];
	x ^= x >> 16;
	return x - (vec32)(x == 0);
}

#endif
