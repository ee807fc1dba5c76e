/* SPDX-License-Identifier: MIT */
/* The flow table's probe for CPUs with AVX2: compares a bucket's seven tags at once, in 32 bytes.
 * The eighth word, the overflow, is compared as well and ignored: bit 7 is always set, and leads to
 * the answer where no tag is found.  There is no guard: each including file has an own copy,
 * compiled for the file's level.  Pure. */
#include "arch/arch.h"

#include <immintrin.h>
#include <stddef.h>

#define PROBE_LANES 8u

/* Returns what a bucket tells about a tag: the complement of the tag's entry or of BPEI_PROBE_NEXT,
 * or 0.  No branch, since nothing predicts whether a flow is known. */
static inline int read_bucket_256(const struct bpei_lookup *probe, uint32_t hash)
{
	const uint32_t *const bucket = (const uint32_t *)&probe->buckets[hash & probe->mask];
	const __m256i tag = _mm256_set1_epi32((int)hash);
	const __m256i tags = _mm256_loadu_si256((const __m256i *)bucket);
	const __m256 same = _mm256_castsi256_ps(_mm256_cmpeq_epi32(tags, tag));
	const uint32_t found = (uint32_t)_mm256_movemask_ps(same) | 0x80;

	return (int)bucket[8 + _tzcnt_u32(found)];
}
_Static_assert(offsetof(struct bpei_bucket, overflow) == 7 * 4, "a bucket's eighth word");
_Static_assert(offsetof(struct bpei_bucket, entry_inverted) == 8 * 4, "a bucket's ninth word");
_Static_assert(offsetof(struct bpei_bucket, has_overflow) == 15 * 4, "a bucket's last word");

/* Probes for eight packets, and writes their entries.  Returns the bits that bpei_probe returns. */
static inline uint64_t probe_eight(
	const struct bpei_lookup *probe, const uint32_t *hash, uint32_t *entry)
{
	const __m256i answers =
		_mm256_setr_epi32(read_bucket_256(probe, hash[0]), read_bucket_256(probe, hash[1]),
			read_bucket_256(probe, hash[2]), read_bucket_256(probe, hash[3]),
			read_bucket_256(probe, hash[4]), read_bucket_256(probe, hash[5]),
			read_bucket_256(probe, hash[6]), read_bucket_256(probe, hash[7]));
	const __m256i hashes = _mm256_loadu_si256((const __m256i *)hash);
	const __m256i no_key = _mm256_cmpeq_epi32(hashes, _mm256_setzero_si256());
	/* All ones, which is no entry, for hash 0. */
	const __m256i found =
		_mm256_or_si256(no_key, _mm256_xor_si256(answers, _mm256_set1_epi32(-1)));
	const __m256i next = _mm256_cmpeq_epi32(found, _mm256_set1_epi32((int)BPEI_PROBE_NEXT));
	const __m256i none = _mm256_set1_epi32((int)probe->none);

	_mm256_storeu_si256((__m256i *)entry, _mm256_min_epu32(found, none));
	return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(next));
}
_Static_assert(BPEI_PROBE_NEXT == ~1u, "the complement of a bucket's last word");

/* Prefetches the buckets of up to eight packets from packet `from` on, mostly without a loop. */
static inline void prefetch_eight(const struct bpei_lookup *probe, uint32_t from)
{
	const uint32_t *const hash = probe->hash + from;

	if (from + PROBE_LANES > probe->n) {
		bpei_probe_prefetch(probe, from, PROBE_LANES);
		return;
	}
	for (uint32_t k = 0; k < PROBE_LANES; k++)
		__builtin_prefetch(&probe->buckets[hash[k] & probe->mask]);
}

static inline uint64_t probe_256(const struct bpei_lookup *probe, uint32_t *entry)
{
	const uint32_t whole = probe->n & ~(PROBE_LANES - 1);
	const uint32_t rest = probe->n - whole;
	uint32_t last_hash[PROBE_LANES] = { 0 };
	uint32_t last_entry[PROBE_LANES];
	uint64_t overflowed = 0;

	for (uint32_t i = 0; i < whole; i += PROBE_LANES) {
		prefetch_eight(probe, i + BPEI_PROBE_AHEAD);
		overflowed |= probe_eight(probe, probe->hash + i, entry + i) << i;
	}
	if (!rest)
		return overflowed;
	memcpy(last_hash, probe->hash + whole, rest * sizeof *last_hash);
	overflowed |= probe_eight(probe, last_hash, last_entry) << whole;
	memcpy(entry + whole, last_entry, rest * sizeof *entry);
	return overflowed;
}
