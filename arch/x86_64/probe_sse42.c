/* SPDX-License-Identifier: MIT */
/* The flow table's probe with SSE4.2: the tags of a bucket in two compares, and no branch.  Pure. */
#include "arch/arch.h"
#include "arch/x86_64/rows.h"

void bpei_probe_sse42(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash, uint32_t n, uint32_t *entry)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct bpei_bucket *bucket = &buckets[hash[i] & mask];
		__m128i tag = _mm_set1_epi32((int)hash[i]);
		__m128i low = _mm_cmpeq_epi32(load(bucket->tag), tag), high = _mm_cmpeq_epi32(load((const char *)bucket + 16), tag);
		uint32_t found = (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128())) & ((1u << BPEI_BUCKET_SLOTS) - 1);
		uint32_t there = bucket->entry[__builtin_ctz(found | 1u << (BPEI_BUCKET_SLOTS - 1))];
		uint32_t none = bucket->overflow && hash[i] ? BPEI_LOOK_ON : BPEI_NO_ENTRY;
		entry[i] = found && hash[i] ? there : none;
	}
}
