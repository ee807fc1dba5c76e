/* SPDX-License-Identifier: MIT */
/* The key's hash (arch/scalar/hash.c) with SSE4.2: the six products of a key in three multiplications.  Pure. */
#include "arch/lanes/hash_end.h"
#include "arch/x86_64/rows.h"

/* (words of row k + the seed's), the even ones times the odd ones: two of the sum's products. */
static inline __m128i products(const struct bpe_key *key, const __m128i seed[3], int k)
{
	__m128i x = _mm_add_epi32(load((const char *)key + 16 * k), seed[k]);
	return _mm_mul_epu32(x, _mm_srli_epi64(x, 32));
}

void bpei_hash_sse42(const struct bpei_columns *columns, uint32_t n, const struct bpei_seed *seed)
{
	const __m128i s[3] = { load(seed->word), load(seed->word + 4), load(seed->word + 8) };
	const struct bpei_columns c = *columns;
	const uint64_t end[2] = { seed->end[0], seed->end[1] };
	for (uint32_t i = 0; i < n; i++) {
		const struct bpe_key *key = &c.key[i];
		__m128i sum = _mm_add_epi64(_mm_add_epi64(products(key, s, 0), products(key, s, 1)), products(key, s, 2));
		sum = _mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum));
		c.hash[i] = bpei_hash_end((uint64_t)_mm_cvtsi128_si64(sum), end, c.layers[i].flags);
	}
}
