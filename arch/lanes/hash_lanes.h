/* SPDX-License-Identifier: MIT */
/* The key's hash (arch/scalar/hash.c) of LANES keys side by side, out of columns.  Included behind LANES, `wide` and these:
 *   typedef uint64_t big		vector of LANES / 2 words
 *   times_even(a, b), times_odd(a, b)	32 bits times 32 bits of one half of the lanes and of the other
 *   low_words(e, o), high_words(e, o)	the lower and upper words of such products, lane by lane again */
#ifndef BPEI_LANES_HASH_LANES_H
#define BPEI_LANES_HASH_LANES_H

#include "arch/hash.h"

struct sums {
	big even, odd;
};

static inline __attribute__((always_inline)) void add_product(struct sums *s, wide a, wide b)
{
	s->even += times_even(a, b);
	s->odd += times_odd(a, b);
}

static inline __attribute__((always_inline)) wide hash_end(struct sums s, const struct bpei_seed *seed)
{
	wide low = low_words(s.even, s.odd) + seed->end[0], high = high_words(s.even, s.odd) + seed->end[1];
	s.even = times_even(low, high);
	s.odd = times_odd(low, high);
	wide h = low_words(s.even, s.odd) ^ high_words(s.even, s.odd);
	h = (h ^ h >> 16) * BPEI_HASH_MULTIPLIER_0;
	h = (h ^ h >> 13) * BPEI_HASH_MULTIPLIER_1;
	h ^= h >> 16;
	return h + ((wide)(h == 0) & 1);
}

#endif
