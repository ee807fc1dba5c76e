/* SPDX-License-Identifier: MIT */
/* The flow table's probe: scalar's two compares of 16 bytes are all that SSE4.2 has for it, too
 * (one written for it took 0.99 of scalar's time).  Pure. */
#include "arch/arch.h"

void bpei_probe_sse42(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash,
	uint32_t n, uint32_t *entry)
{
	bpei_probe_scalar(buckets, mask, hash, n, entry);
}
