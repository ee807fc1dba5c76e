/* SPDX-License-Identifier: MIT */
/* Eight packets side by side (arch/lanes/parse_lanes.h), with AVX2: packets 0 to 3 in the lower halves of the registers, 4 to
 * 7 in the upper ones.  Pure. */
#include "arch/x86_64/rows.h"

#include <immintrin.h>

#define LANES 8
typedef uint32_t wide __attribute__((vector_size(32)));
typedef uint32_t row __attribute__((vector_size(16)));

static inline void turn(wide t[4], __m256i a, __m256i b, __m256i c, __m256i d)
{
	__m256i ab = _mm256_unpacklo_epi32(a, b), cd = _mm256_unpacklo_epi32(c, d), ab2 = _mm256_unpackhi_epi32(a, b), cd2 = _mm256_unpackhi_epi32(c, d);
	t[0] = (wide)_mm256_unpacklo_epi64(ab, cd);
	t[1] = (wide)_mm256_unpackhi_epi64(ab, cd);
	t[2] = (wide)_mm256_unpacklo_epi64(ab2, cd2);
	t[3] = (wide)_mm256_unpackhi_epi64(ab2, cd2);
}

static inline __m256i load_two(const uint8_t *lower, const uint8_t *upper)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(load(lower)), load(upper), 1);
}

static inline void load_columns(wide c[4], const uint8_t *const *at, int plus)
{
	turn(c, load_two(at[0] + plus, at[4] + plus), load_two(at[1] + plus, at[5] + plus), load_two(at[2] + plus, at[6] + plus),
	     load_two(at[3] + plus, at[7] + plus));
}

static inline void spread(row r[LANES], wide a, wide b, wide c, wide d)
{
	wide t[4];
	turn(t, (__m256i)a, (__m256i)b, (__m256i)c, (__m256i)d);
	for (int j = 0; j < 4; j++) {
		r[j] = (row)_mm256_castsi256_si128((__m256i)t[j]);
		r[j + 4] = (row)_mm256_extracti128_si256((__m256i)t[j], 1);
	}
}

static inline wide swap_bytes(wide x)
{
	return (wide)_mm256_shuffle_epi8((__m256i)x, _mm256_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12,
								       3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

static inline wide gather16(const uint8_t *const *at, const uint32_t plus[LANES])
{
	return (wide)_mm256_inserti128_si256(_mm256_castsi128_si256(gather4(at, plus)), gather4(at + 4, plus + 4), 1);
}

static inline wide from_words(const uint32_t w[LANES]) { return (wide){ w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7] }; }
static inline uint32_t lane_bits(wide x) { return (uint32_t)_mm256_movemask_ps((__m256)x); }

#include "arch/lanes/parse_lanes.h"

void bpei_parse_avx2(const struct bpei_columns *columns, uint32_t n, uint32_t link_type)
{
	PARSE_BY_LINK_TYPE(columns, n, link_type)
}
