/* SPDX-License-Identifier: MIT */
/* The flow table's probe, and the CPU that the scalar backend wants: any.  Pure. */
#include "arch/arch.h"

#include <stddef.h>

void bpei_probe_scalar(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash,
	uint32_t n, uint32_t *entry)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct bpei_bucket *bucket = &buckets[hash[i] & mask];
		const uint32_t k = (uint32_t)__builtin_ctz(
			bpei_bucket_match(bucket, hash[i]) | 1u << BPEI_BUCKET_SLOTS);
		uint32_t not_entry; /* or look_on, behind them: without a branch, since whether a
				       flow is there is not to be guessed */
		memcpy(&not_entry,
			(const char *)bucket + offsetof(struct bpei_bucket, not_entry) +
				k * sizeof not_entry,
			sizeof not_entry);
		entry[i] = ~not_entry | (0u - !hash[i]);
	}
}

int bpei_cpu_fits_scalar(void)
{
	return 1;
}
