/* SPDX-License-Identifier: MIT */
/* The flow table's probe, and the CPUs that the scalar backend runs on: all.  Pure. */
#include "arch/arch.h"

#include <stddef.h>

void bpei_probe_scalar(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash,
	uint32_t n, uint32_t *entry)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct bpei_bucket *bucket = &buckets[hash[i] & mask];
		const uint32_t found = bpei_bucket_match(bucket, hash[i]) | 1u << BPEI_BUCKET_SLOTS;
		const uint32_t k = (uint32_t)__builtin_ctz(found);
		const char *inverted =
			(const char *)bucket + offsetof(struct bpei_bucket, entry_inverted);
		uint32_t word;

		/* Without a tag k is 7, and the word is has_overflow.  There is no branch, since
		 * nothing predicts whether a flow is known. */
		memcpy(&word, inverted + k * sizeof word, sizeof word);
		entry[i] = ~word | (0u - !hash[i]);
	}
}
_Static_assert(BPEI_PROBE_NEXT == ~1u, "the complement of has_overflow");

int bpei_cpu_fits_scalar(void)
{
	return 1;
}
