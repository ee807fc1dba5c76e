/* SPDX-License-Identifier: MIT */
/* The key's hash (arch/scalar/hash.c) of LANES keys side by side, out of columns.  Included behind
 * LANES, `wide` and these: typedef uint64_t big		vector of LANES / 2 words
 *   times_even(a, b), times_odd(a, b)	32 bits times 32 bits of one half of the lanes and of the
 * other plus_even(s, a, b), plus_odd(s, a, b)	s + the same times_itself(s, ends)		of
 * each sum, its lower half and the one of ends times its upper half and the other low_words(e, o),
 * high_words(e, o)	the lower and upper words of such products, lane by lane again */
#ifndef BPEI_LANES_HASH_LANES_H
#define BPEI_LANES_HASH_LANES_H

#include "arch/hash.h"

struct sums {
	big even, odd;
};

/* The secret, each word in all lanes, made once a batch; and what a sum begins with: without a
 * second tag, and of IPv4. */
struct secret {
	wide word[10], ends, multiplier[2]; /* ends: the two in turn */
	big tags, rest;
};

static inline __attribute__((always_inline)) void make_secret(
	struct secret *h, const struct bpei_seed *seed)
{
	const wide zero = { 0 };
	for (uint32_t i = 0; i < 10; i++)
		h->word[i] = zero + seed->word[i];
	h->ends = (wide)((big){ 0 } + (seed->end[0] | (uint64_t)seed->end[1] << 32));
	uint32_t multiplier[2] = { BPEI_HASH_MULTIPLIER_0, BPEI_HASH_MULTIPLIER_1 };
	__asm__(""
		: "+r"(multiplier[0]),
		"+r"(multiplier[1])); /* else they are made anew for each group */
	for (uint32_t i = 0; i < 2; i++)
		h->multiplier[i] = zero + multiplier[i];
	h->tags = (big){ 0 } + bpei_hash_tags(seed);
	h->rest = (big){ 0 } + bpei_hash_rest(seed);
}

static inline __attribute__((always_inline)) void add_product(struct sums *s, wide a, wide b)
{
	s->even = plus_even(s->even, a, b);
	s->odd = plus_odd(s->odd, a, b);
}

static inline __attribute__((always_inline)) wide hash_end(struct sums s, const struct secret *h)
{
	s.even = times_itself(s.even, h->ends);
	s.odd = times_itself(s.odd, h->ends);
	wide x = low_words(s.even, s.odd) ^ high_words(s.even, s.odd);
	x = (x ^ x >> 16) * h->multiplier[0];
	x = (x ^ x >> 13) * h->multiplier[1];
	x ^= x >> 16;
	return x - (wide)(x == 0);
}

#endif
