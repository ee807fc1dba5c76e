/* SPDX-License-Identifier: MIT */
/* The flow table's probe: scalar's, as for AVX2 (probe_avx2.c).  Pure. */
#include "arch/arch.h"

void bpei_probe_avx512(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash, uint32_t n, uint32_t *entry)
{
	bpei_probe_scalar(buckets, mask, hash, n, entry);
}
