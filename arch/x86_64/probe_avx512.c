/* SPDX-License-Identifier: MIT */
/* The flow table's probe: the one of 256 bits.  Pure. */
#include "arch/x86_64/probe_256.h"

void bpei_probe_avx512(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash,
	uint32_t n, uint32_t *entry)
{
	probe_256(buckets, mask, hash, n, entry);
}
