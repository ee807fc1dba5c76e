/* SPDX-License-Identifier: MIT */
/* What all vector backends do with a key's sum: the end of arch/scalar/hash.c, without a branch on whether there is a key.
 * The words of a key are its bytes as they lie, so these backends are for little-endian hosts. */
#ifndef BPEI_LANES_HASH_END_H
#define BPEI_LANES_HASH_END_H

#include "arch/arch.h"

#include <stddef.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the key's words are taken as little-endian"
#endif
_Static_assert(offsetof(struct bpe_key, port) == 32 && offsetof(struct bpe_key, ip_proto) == 36 && offsetof(struct bpe_key, ip_version) == 37
	       && offsetof(struct bpe_key, vlan) == 38 && offsetof(struct bpe_key, zero) == 42, "the words that are hashed");

#define BPEI_HASH_MULTIPLIER_0 0x9e3779b97f4a7c15u	/* as in arch/scalar/hash.c */
#define BPEI_HASH_MULTIPLIER_1 0xd6e8feb86659fd93u

static inline uint32_t bpei_hash_end(uint64_t sum, const uint64_t *end, uint32_t flags)
{
	uint64_t h = sum + end[0];
	h = (h ^ h >> 32) * BPEI_HASH_MULTIPLIER_0;
	h = (h ^ h >> 32 ^ end[1]) * BPEI_HASH_MULTIPLIER_1;
	uint32_t result = (uint32_t)(h >> 32);
	result += !result;
	return result & (0 - (flags / BPE_PKT_KEY & 1));
}

#endif
