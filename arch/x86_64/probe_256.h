/* SPDX-License-Identifier: MIT */
/* The flow table's probe for CPUs with AVX2: compares a bucket's seven tags at once, in 32 bytes.
 * The eighth word, the overflow, is compared as well and ignored: bit 7 is always set, and leads to
 * the answer where no tag is found.  There is no guard: each including file has an own copy,
 * compiled for the file's level.  Pure. */
#include "arch/arch.h"

#include <immintrin.h>
#include <stddef.h>

static inline void probe_256(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash,
	uint32_t n, uint32_t *entry)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t *bucket = (const uint32_t *)&buckets[hash[i] & mask];
		const __m256i tag = _mm256_broadcastd_epi32(_mm_cvtsi32_si128((int)hash[i]));
		const __m256i tags = _mm256_loadu_si256((const __m256i *)bucket);
		const __m256 same = _mm256_castsi256_ps(_mm256_cmpeq_epi32(tags, tag));
		const uint32_t found = (uint32_t)_mm256_movemask_ps(same) | 0x80;

		/* There is no branch, since nothing predicts whether a flow is known. */
		entry[i] = ~bucket[8 + _tzcnt_u32(found)] | (0u - !hash[i]);
	}
}
_Static_assert(offsetof(struct bpei_bucket, overflow) == 7 * 4, "a bucket's eighth word");
_Static_assert(offsetof(struct bpei_bucket, entry_inverted) == 8 * 4, "a bucket's ninth word");
_Static_assert(offsetof(struct bpei_bucket, has_overflow) == 15 * 4, "a bucket's last word");
_Static_assert(BPEI_PROBE_NEXT == ~1u, "the complement of a bucket's last word");
