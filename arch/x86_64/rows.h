/* SPDX-License-Identifier: MIT */
/* What SSE4.2 and AVX2 do alike: 16 bytes of one packet, and four packets' 16 bits. */
#ifndef BPEI_X86_64_ROWS_H
#define BPEI_X86_64_ROWS_H

#include "base/bytes.h"

#include <smmintrin.h>

static inline __m128i load(const void *p) { return _mm_loadu_si128(p); }

static inline __m128i gather4(const uint8_t *const *at, const uint32_t *plus)
{
	__m128i v = _mm_cvtsi32_si128(bpei_load16(at[0] + plus[0]));
	v = _mm_insert_epi16(v, bpei_load16(at[1] + plus[1]), 2);
	v = _mm_insert_epi16(v, bpei_load16(at[2] + plus[2]), 4);
	return _mm_insert_epi16(v, bpei_load16(at[3] + plus[3]), 6);
}

/* Of the bytes that differ the first decides: turned round, the highest bit. */
static inline int order16(const uint8_t *a, const uint8_t *b)
{
	const __m128i round = _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	__m128i x = _mm_shuffle_epi8(load(a), round), y = _mm_shuffle_epi8(load(b), round), most = _mm_max_epu8(x, y);
	return _mm_movemask_epi8(_mm_cmpeq_epi8(x, most)) - _mm_movemask_epi8(_mm_cmpeq_epi8(y, most));
}

#endif
