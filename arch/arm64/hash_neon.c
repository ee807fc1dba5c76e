/* SPDX-License-Identifier: MIT */
/* The key's hash (arch/scalar/hash.c) with NEON: the six products of a key in three multiplications.  Pure. */
#include "arch/lanes/hash_end.h"

#include <arm_neon.h>

/* sum + (words of row k + the seed's), the even ones times the odd ones. */
static inline uint64x2_t products(uint64x2_t sum, const struct bpe_key *key, const uint32x4_t seed[3], int k)
{
	uint64x2_t x = vreinterpretq_u64_u32(vaddq_u32(vreinterpretq_u32_u8(vld1q_u8((const uint8_t *)key + 16 * k)), seed[k]));
	return vmlal_u32(sum, vmovn_u64(x), vshrn_n_u64(x, 32));
}

void bpei_hash_neon(const struct bpei_columns *columns, uint32_t n, const struct bpei_seed *seed)
{
	const uint32x4_t s[3] = { vld1q_u32(seed->word), vld1q_u32(seed->word + 4), vld1q_u32(seed->word + 8) };
	const struct bpei_columns c = *columns;
	const uint64_t end[2] = { seed->end[0], seed->end[1] };
	for (uint32_t i = 0; i < n; i++) {
		const struct bpe_key *key = &c.key[i];
		uint64x2_t sum = products(products(products(vdupq_n_u64(0), key, s, 0), key, s, 1), key, s, 2);
		c.hash[i] = bpei_hash_end(vaddvq_u64(sum), end, c.layers[i].flags);
	}
}
