/* SPDX-License-Identifier: MIT */
/* The flow table's probe with AVX2: all tags of a bucket in one compare, and no branch.  Pure. */
#include "arch/arch.h"

#include <immintrin.h>

void bpei_probe_avx2(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash, uint32_t n, uint32_t *entry)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct bpei_bucket *bucket = &buckets[hash[i] & mask];
		__m256i tags = _mm256_loadu_si256((const void *)bucket->tag), equal = _mm256_cmpeq_epi32(tags, _mm256_set1_epi32((int)hash[i]));
		uint32_t found = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(equal)) & ((1u << BPEI_BUCKET_SLOTS) - 1);
		uint32_t there = bucket->entry[__builtin_ctz(found | 1u << (BPEI_BUCKET_SLOTS - 1))];
		uint32_t none = bucket->overflow && hash[i] ? BPEI_LOOK_ON : BPEI_NO_ENTRY;
		entry[i] = found && hash[i] ? there : none;
	}
}
