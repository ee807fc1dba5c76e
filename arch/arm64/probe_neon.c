/* SPDX-License-Identifier: MIT */
/* The flow table's probe: scalar's two compares of 16 bytes become NEON's (one written for it had
 * as many instructions); and the CPU that NEON wants: any arm64.  Pure. */
#include "arch/arch.h"

int bpei_cpu_fits_neon(void)
{
	return 1;
}

void bpei_probe_neon(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash,
	uint32_t n, uint32_t *entry)
{
	bpei_probe_scalar(buckets, mask, hash, n, entry);
}
