/* SPDX-License-Identifier: MIT */
/* The flow table's probe, and the CPU that the scalar backend wants: any.  Pure. */
#include "arch/arch.h"

uint32_t bpei_probe_scalar(const struct bpei_bucket *bucket, uint32_t tag)
{
	uint32_t found = 0;
	for (uint32_t k = 0; k < BPEI_BUCKET_SLOTS; k++) found |= (uint32_t)(bucket->tag[k] == tag) << k;
	return found;
}

int bpei_cpu_fits_scalar(void) { return 1; }
