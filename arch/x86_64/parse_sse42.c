/* SPDX-License-Identifier: MIT */
/* Four packets side by side (arch/lanes/parse_lanes.h), with SSE4.2.  Pure. */
#include "arch/x86_64/rows.h"

#include <smmintrin.h>

#define LANES 4
typedef uint32_t wide __attribute__((vector_size(16)));
typedef uint32_t row __attribute__((vector_size(16)));

static inline void turn(wide t[4], __m128i a, __m128i b, __m128i c, __m128i d)
{
	__m128i ab = _mm_unpacklo_epi32(a, b), cd = _mm_unpacklo_epi32(c, d), ab2 = _mm_unpackhi_epi32(a, b), cd2 = _mm_unpackhi_epi32(c, d);
	t[0] = (wide)_mm_unpacklo_epi64(ab, cd);
	t[1] = (wide)_mm_unpackhi_epi64(ab, cd);
	t[2] = (wide)_mm_unpacklo_epi64(ab2, cd2);
	t[3] = (wide)_mm_unpackhi_epi64(ab2, cd2);
}

static inline void load_columns(wide c[4], const uint8_t *const *at, int plus)
{
	turn(c, load(at[0] + plus), load(at[1] + plus), load(at[2] + plus), load(at[3] + plus));
}

static inline void spread(row r[LANES], wide a, wide b, wide c, wide d) { turn(r, (__m128i)a, (__m128i)b, (__m128i)c, (__m128i)d); }

static inline wide swap_bytes(wide x)
{
	return (wide)_mm_shuffle_epi8((__m128i)x, _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

static inline wide gather16(const uint8_t *const *at, const uint32_t plus[LANES]) { return (wide)gather4(at, plus); }

static inline wide from_words(const uint32_t w[LANES]) { return (wide){ w[0], w[1], w[2], w[3] }; }
static inline uint32_t lane_bits(wide x) { return (uint32_t)_mm_movemask_ps((__m128)x); }

#include "arch/lanes/parse_lanes.h"

void bpei_parse_sse42(const struct bpei_columns *columns, uint32_t n, uint32_t link_type)
{
	PARSE_BY_LINK_TYPE(columns, n, link_type)
}
