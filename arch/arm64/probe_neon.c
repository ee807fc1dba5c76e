/* SPDX-License-Identifier: MIT */
/* The flow table's probe with NEON: the tags of a bucket in two compares, and no branch; and its CPU: any arm64.  Pure. */
#include "arch/arch.h"

#include <arm_neon.h>

int bpei_cpu_fits_neon(void) { return 1; }

void bpei_probe_neon(const struct bpei_bucket *buckets, uint32_t mask, const uint32_t *hash, uint32_t n, uint32_t *entry)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct bpei_bucket *bucket = &buckets[hash[i] & mask];
		const uint32_t *tags = bucket->tag;
		uint32x4_t tag = vdupq_n_u32(hash[i]), low = vceqq_u32(vld1q_u32(tags), tag), high = vceqq_u32(vld1q_u32(tags + 4), tag);
		/* A byte a tag: the lowest that is set is found by its bits. */
		uint64_t bytes = vget_lane_u64(vreinterpret_u64_u8(vmovn_u16(vcombine_u16(vmovn_u32(low), vmovn_u32(high)))), 0) & 0x00ffffffffffffff;
		uint32_t there = bucket->entry[(uint32_t)__builtin_ctzll(bytes | UINT64_C(1) << 48) / 8];
		uint32_t none = bucket->overflow && hash[i] ? BPEI_LOOK_ON : BPEI_NO_ENTRY;
		entry[i] = bytes && hash[i] ? there : none;
	}
}
