/* SPDX-License-Identifier: MIT */
/* Operations on 16 bytes, for all x86-64 backends. */
#ifndef BPEI_X86_64_ROWS_H
#define BPEI_X86_64_ROWS_H

#include "arch/lanes/gather_list.h"
#include "base/bytes.h"

#include <smmintrin.h>

static inline __m128i load_128(const void *p)
{
	return _mm_loadu_si128(p);
}

/* Loads 8 bytes of one packet, and 8 of another. */
static inline __m128i load_two_pairs(const uint8_t *a, const uint8_t *b)
{
	return (__m128i)_mm_loadh_pi((__m128)_mm_loadl_epi64((const void *)a), (const void *)b);
}

static inline __m128i load_four_words(const uint8_t *const *at, int plus)
{
	__m128i v = _mm_cvtsi32_si128((int)bpei_load32(at[0] + plus));
	v = _mm_insert_epi32(v, (int)bpei_load32(at[1] + plus), 1);
	v = _mm_insert_epi32(v, (int)bpei_load32(at[2] + plus), 2);
	return _mm_insert_epi32(v, (int)bpei_load32(at[3] + plus), 3);
}

/* Stores the words from link_type on, of lanes j and j + 1. */
static inline void store_two_pairs(
	struct bpe_layers *layers, const uint32_t *indexes, uint32_t j, __m128i x)
{
	_mm_storel_epi64((void *)&layers_at(layers, indexes, j)->link_type, x);
	_mm_storeh_pi((void *)&layers_at(layers, indexes, j + 1)->link_type, (__m128)x);
}

#endif
