/* SPDX-License-Identifier: MIT */
/* The flow key's hash, one definition for every backend.  Pure.
 *
 * NH (Black et al., "UMAC: Fast and Secure Message Authentication", 1999) over the key's twelve 32-bit words with a secret
 * word each: the sum of (w[2i] + s[2i]) * (w[2i+1] + s[2i+1]), 32-bit sums, 64-bit products.  Two different keys meet with
 * probability 2^-32 over the seeds, whoever chose the keys.  Products of 32 bits are what NEON and AVX2 have in width.
 * Then two rounds of xor-shift and multiply, so that every bit of the result depends on every bit of the sum.
 * Words are the addresses' bytes read as little-endian, then ports, protocol, version and VLANs by value: the same result
 * on hosts of either byte order. */
#include "arch/arch.h"
#include "base/bytes.h"

#define MULTIPLIER_0 0x9e3779b97f4a7c15u	/* 2^64 / golden ratio */
#define MULTIPLIER_1 0xd6e8feb86659fd93u	/* Pelle Evensen's rrmxmx constant, odd */

static uint64_t splitmix(uint64_t *state)	/* Steele, Lea, Flood 2014 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void bpei_seed_init(struct bpei_seed *seed, uint64_t value)
{
	for (size_t i = 0; i < sizeof seed->word / sizeof *seed->word; i++) seed->word[i] = (uint32_t)(splitmix(&value) >> 32);
	for (size_t i = 0; i < 2; i++) seed->end[i] = splitmix(&value);
}

static inline uint64_t product(uint32_t a, uint32_t b) { return (uint64_t)a * b; }

static inline uint32_t hash_key(const struct bpe_key *key, const struct bpei_seed *seed)
{
	const uint32_t *s = seed->word;
	uint32_t ports = key->port[0] | (uint32_t)key->port[1] << 16;
	uint32_t kind = key->ip_proto | (uint32_t)key->ip_version << 8 | (uint32_t)key->vlan[0] << 16;
	uint64_t h = seed->end[0] + product(ports + s[8], kind + s[9]) + product(key->vlan[1] + s[10], s[11]);
	for (uint32_t end = 0; end < 2; end++)
		for (uint32_t i = 0; i < 4; i += 2)
			h += product(bpei_le32(key->addr[end] + 4 * i) + s[4 * end + i],
				     bpei_le32(key->addr[end] + 4 * i + 4) + s[4 * end + i + 1]);
	h = (h ^ h >> 32) * MULTIPLIER_0;
	h = (h ^ h >> 32 ^ seed->end[1]) * MULTIPLIER_1;
	h >>= 32;
	return h ? (uint32_t)h : 1;
}

void bpei_hash_scalar(const struct bpei_columns *columns, uint32_t n, const struct bpei_seed *seed)
{
	for (uint32_t i = 0; i < n; i++)
		columns->hash[i] = columns->layers[i].flags & BPE_PKT_KEY ? hash_key(&columns->key[i], seed) : 0;
}
