/* SPDX-License-Identifier: MIT */
/* The flow table's probe, and the CPU that the scalar backend wants: any.  Pure. */
#include "arch/arch.h"

void bpei_probe_scalar(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash, uint32_t n, uint32_t *entry)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct bpei_bucket *bucket = &buckets[hash[i] & mask];
		uint32_t found = bpei_bucket_match(bucket, hash[i]);
		if (!hash[i]) entry[i] = BPEI_NO_ENTRY;
		else if (found) entry[i] = bucket->entry[__builtin_ctz(found)];
		else entry[i] = bucket->overflow ? BPEI_LOOK_ON : BPEI_NO_ENTRY;
	}
}

int bpei_cpu_fits_scalar(void) { return 1; }
