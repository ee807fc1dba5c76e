/* SPDX-License-Identifier: MIT */
/* Tests of the key's hash: fixed values, dependence on every bit, spread, and no hash without a
 * key. A second program with other arithmetic computed the fixed values, which are equal on every
 * host.
 */
#include "arch/arch.h"

#include <criterion/criterion.h>
#include <string.h>

static uint32_t hash_one_key(const struct bpe_key *key, const struct bpei_seed *seed)
{
	struct bpe_key k = *key;
	struct bpe_layers l = { .flags = BPE_PKT_KEY };
	uint32_t h = 0;
	struct bpei_columns c = { .layers = &l, .key = &k, .hash = &h };
	bpei_hash(&c, 1, seed);
	return h;
}

static struct bpe_key make_example_key(void)
{
	return (struct bpe_key){ .addr = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } },
		.port = { 443, 50000 },
		.ip_proto = 6,
		.ip_version = 4,
		.vlan = { 7, 0 } };
}

Test(hash, golden)
{
	struct bpei_seed seed;
	struct bpe_key key = make_example_key();
	struct bpe_key zero = { .ip_version = 4 };
	bpei_seed_init(&seed, 1);
	cr_expect_eq(hash_one_key(&key, &seed), 0x7215788cu, "%#x", hash_one_key(&key, &seed));
	cr_expect_eq(hash_one_key(&zero, &seed), 0x3193b2b1u, "%#x", hash_one_key(&zero, &seed));
	bpei_seed_init(&seed, 2);
	cr_expect_eq(hash_one_key(&key, &seed), 0xc8309311u, "%#x", hash_one_key(&key, &seed));
}

Test(hash, none_without_key)
{
	struct bpei_seed seed;
	struct bpe_key key = make_example_key();
	struct bpe_layers l = { .flags = 0 };
	uint32_t h = 77;
	struct bpei_columns c = { .layers = &l, .key = &key, .hash = &h };
	bpei_seed_init(&seed, 1);
	bpei_hash(&c, 1, &seed);
	cr_assert_eq(h, 0);
}

/* Hashes a key of zeros with a seed of zeros: the sum is 0, and the hash must not be 0. */
Test(hash, never_0)
{
	const struct bpei_seed seed = { .word = { 0 } };
	const struct bpe_key key = { .port = { 0, 0 } };
	cr_assert_eq(hash_one_key(&key, &seed), 1);
}

/* Flips each significant bit of the key: about half of the hash's bits change, on average over
 * seeds. */
Test(hash, avalanche)
{
	struct bpe_key key = make_example_key();
	const uint32_t zero = offsetof(struct bpe_key, zero);
	for (uint32_t bit = 0; bit < sizeof key * 8; bit++) {
		uint32_t turned = 0;
		if (bit / 8 >= zero && bit / 8 < zero + sizeof key.zero)
			continue;
		for (uint64_t s = 0; s < 200; s++) {
			struct bpei_seed seed;
			struct bpe_key other = key;
			bpei_seed_init(&seed, s);
			((uint8_t *)&other)[bit / 8] ^= (uint8_t)(1 << bit % 8);
			turned += (uint32_t)__builtin_popcount(
				hash_one_key(&key, &seed) ^ hash_one_key(&other, &seed));
		}
		cr_assert(turned > 200 * 14 && turned < 200 * 18, "bit %u: %.2f bits of 32", bit,
			turned / 200.0);
	}
}

/* Hashes sequential hosts and ports, as in real traffic: they fill 2^16 buckets (low bits) and 7
 * workers (high bits) evenly. */
Test(hash, spread)
{
	static uint32_t buckets[65536], workers[7];
	struct bpei_seed seed;
	bpei_seed_init(&seed, 3);
	for (uint32_t i = 0; i < 65536 * 4; i++) {
		struct bpe_key key = make_example_key();
		key.addr[1][3] = (uint8_t)i;
		key.port[1] = (uint16_t)(i >> 8);
		key.addr[0][2] = (uint8_t)(i >> 16);
		uint32_t h = hash_one_key(&key, &seed);
		buckets[h & 65535]++;
		workers[(uint64_t)h * 7 >> 32]++;
	}
	double chi = 0;
	for (uint32_t b = 0; b < 65536; b++)
		chi += ((double)buckets[b] - 4) * ((double)buckets[b] - 4) / 4;
	cr_assert(chi / 65536 > 0.95 && chi / 65536 < 1.05, "chi square per bucket %.3f",
		chi / 65536);
	for (int w = 0; w < 7; w++)
		cr_assert(workers[w] > 37449 - 1200 && workers[w] < 37449 + 1200,
			"worker %d has %u", w, workers[w]);
}
