/* SPDX-License-Identifier: MIT */
/* The key's hash (arch/scalar/hash.c) with AVX2: four keys at a time, their ends too.  Pure. */
#include "arch/lanes/hash_end.h"
#include "arch/x86_64/rows.h"

#include <immintrin.h>

static inline __m256i load256(const void *p) { return _mm256_loadu_si256(p); }
static inline __m256i product(__m256i x) { return _mm256_mul_epu32(x, _mm256_srli_epi64(x, 32)); }	/* even words times odd ones */

/* Two keys' sums of products, two addends each: the lower half is a's, the upper b's. */
static inline __m256i sums(const struct bpe_key *a, const struct bpe_key *b, __m256i addresses, __m256i rest)
{
	__m256i x = product(_mm256_add_epi32(load256(a), addresses)), y = product(_mm256_add_epi32(load256(b), addresses));
	__m256i z = _mm256_inserti128_si256(_mm256_castsi128_si256(load(a->port)), load(b->port), 1);
	z = product(_mm256_add_epi32(z, rest));
	return _mm256_add_epi64(z, _mm256_add_epi64(_mm256_permute2x128_si256(x, y, 0x20), _mm256_permute2x128_si256(x, y, 0x31)));
}

/* 64-bit products with a constant, the lower 64 bits. */
static inline __m256i times(__m256i x, uint64_t constant)
{
	const __m256i low = _mm256_set1_epi64x((int64_t)(constant & 0xffffffff)), high = _mm256_set1_epi64x((int64_t)(constant >> 32));
	__m256i cross = _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(x, 32), low), _mm256_mul_epu32(x, high));
	return _mm256_add_epi64(_mm256_mul_epu32(x, low), _mm256_slli_epi64(cross, 32));
}

static inline __m256i fold(__m256i h) { return _mm256_xor_si256(h, _mm256_srli_epi64(h, 32)); }

/* The upper halves of four 64-bit words. */
static inline __m128i upper(__m256i h)
{
	return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(_mm256_castsi256_si128(h)), _mm_castsi128_ps(_mm256_extracti128_si256(h, 1)), 0xdd));
}

static inline __m128i two_layers(const struct bpe_layers *a, const struct bpe_layers *b)
{
	return _mm_unpacklo_epi64(_mm_loadl_epi64((const void *)a), _mm_loadl_epi64((const void *)b));
}

void bpei_hash_avx2(const struct bpei_columns *columns, uint32_t n, const struct bpei_seed *seed)
{
	const struct bpei_columns c = *columns;
	const __m256i addresses = load256(seed->word), rest = _mm256_broadcastsi128_si256(load(seed->word + 8));
	const __m256i end0 = _mm256_set1_epi64x((int64_t)seed->end[0]), end1 = _mm256_set1_epi64x((int64_t)seed->end[1]);
	uint32_t i = 0;
	for (; i + 4 <= n; i += 4) {
		/* Keys 0 and 2, 1 and 3: the addends' pairs then lie as 0 1 | 2 3. */
		__m256i x = sums(&c.key[i], &c.key[i + 2], addresses, rest), y = sums(&c.key[i + 1], &c.key[i + 3], addresses, rest);
		__m256i h = _mm256_add_epi64(_mm256_unpacklo_epi64(x, y), _mm256_unpackhi_epi64(x, y));
		h = times(fold(_mm256_add_epi64(h, end0)), BPEI_HASH_MULTIPLIER_0);
		h = times(_mm256_xor_si256(fold(h), end1), BPEI_HASH_MULTIPLIER_1);
		__m128i result = _mm_max_epu32(upper(h), _mm_set1_epi32(1));
		/* flags are the top 16 bits of the layers' first 64. */
		__m128i flags = _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(two_layers(&c.layers[i], &c.layers[i + 1])),
								_mm_castsi128_ps(two_layers(&c.layers[i + 2], &c.layers[i + 3])), 0xdd));
		__m128i has_key = _mm_srai_epi32(_mm_slli_epi32(flags, 31 - 16 - __builtin_ctz(BPE_PKT_KEY)), 31);
		_mm_storeu_si128((void *)&c.hash[i], _mm_and_si128(result, has_key));
	}
	for (; i < n; i++) {
		__m256i x = sums(&c.key[i], &c.key[i], addresses, rest);
		__m128i sum = _mm256_castsi256_si128(x);
		c.hash[i] = bpei_hash_end((uint64_t)_mm_cvtsi128_si64(_mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum))), seed->end, c.layers[i].flags);
	}
}
