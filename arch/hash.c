/* SPDX-License-Identifier: MIT */
/* The flow key's hash (arch/hash.h), key by key, and its secret.  Pure. */
#include "arch/hash.h"

#include "base/bytes.h"

/* Returns the next number of the generator (Steele, Lea, Flood 2014). */
static uint64_t splitmix_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void bpei_seed_init(struct bpei_seed *seed, uint64_t value)
{
	for (size_t i = 0; i < sizeof seed->word / sizeof *seed->word; i++)
		seed->word[i] = (uint32_t)(splitmix_next(&value) >> 32);
	for (size_t i = 0; i < 2; i++)
		seed->end[i] = (uint32_t)(splitmix_next(&value) >> 32);
}

static inline uint32_t hash_key(const struct bpe_key *key, const struct bpei_seed *seed)
{
	const uint32_t *s = seed->word;
	const uint32_t ports = key->port[0] | (uint32_t)key->port[1] << 16;
	const uint32_t kind =
		key->ip_proto | (uint32_t)key->ip_version << 8 | (uint32_t)key->vlan[0] << 16;
	uint64_t sum = bpei_hash_product(ports + s[8], kind + s[9]) +
		       bpei_hash_product(key->vlan[1] + s[10], key->tunnel + s[11]);

	for (uint32_t i = 0; i < 4; i++)
		sum += bpei_hash_product(bpei_le32(key->addr[0] + 4 * i) + s[i],
			bpei_le32(key->addr[1] + 4 * i) + s[4 + i]);
	return bpei_hash_finish(sum, seed);
}

void bpei_hash(const struct bpei_columns *columns, uint32_t n, const struct bpei_seed *seed)
{
	for (uint32_t i = 0; i < n; i++) {
		const bool has_key = columns->layers[i].flags & BPE_PKT_KEY;

		columns->hash[i] = has_key ? hash_key(&columns->key[i], seed) : 0;
	}
}
