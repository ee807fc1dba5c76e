/* SPDX-License-Identifier: MIT */
/* NH, and SipHash over NH's results.  Pure. */
#include "rewrite/digest.h"
#include "base/bytes.h"
#include "base/siphash.h"

#define BLOCK_BYTES (BPEI_DIGEST_WORDS * 8)

/* A sum modulo 2^128. */
struct wide {
	uint64_t low, high;
};

static inline void add_wide(struct wide *sum, uint64_t low, uint64_t high)
{
	sum->low += low;
	sum->high += high + (sum->low < low);
}

/* Adds the product of a and b, of 128 bits. */
static inline void add_nh_product(struct wide *sum, uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ const unsigned __int128 product = (unsigned __int128)a * b;

	add_wide(sum, (uint64_t)product, (uint64_t)(product >> 64));
#else
	const uint64_t a_low = (uint32_t)a;
	const uint64_t b_low = (uint32_t)b;
	const uint64_t low = a_low * b_low;
	const uint64_t middle = (a >> 32) * b_low + (low >> 32);
	const uint64_t cross = a_low * (b >> 32) + (uint32_t)middle;
	const uint64_t high = (a >> 32) * (b >> 32) + (middle >> 32) + (cross >> 32);

	add_wide(sum, cross << 32 | (uint32_t)low, high);
#endif
}

static inline void add_pair(struct wide *sum, const uint64_t *key, const uint8_t *bytes)
{
	add_nh_product(sum, bpei_le64(bytes) + key[0], bpei_le64(bytes + 8) + key[1]);
}

/* Computes NH of at most BLOCK_BYTES; missing bytes of the last 16 are zeros. */
static struct wide hash_nh_block(const uint64_t *key, const uint8_t *bytes, size_t n)
{
	struct wide even = { 0, 0 };
	struct wide odd = { 0, 0 };
	uint8_t last[16] = { 0 };

	for (; n >= 32; bytes += 32, n -= 32, key += 4) {
		add_pair(&even, key, bytes);
		add_pair(&odd, key + 2, bytes + 16);
	}
	if (n >= 16) {
		add_pair(&even, key, bytes);
		bytes += 16;
		n -= 16;
		key += 2;
	}
	if (n) {
		memcpy(last, bytes, n);
		add_pair(&odd, key, last);
	}
	add_wide(&even, odd.low, odd.high);
	return even;
}

static inline void take_sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	bpei_siphash_round(v);
	v[0] ^= word;
}

static uint64_t finish_digest(uint64_t v[4])
{
	for (int i = 0; i < 3; i++)
		bpei_siphash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void bpei_digest(const struct bpei_digest_key *key, const uint8_t *bytes, size_t n,
	const uint64_t words[3], uint64_t digest[2])
{
	uint64_t v[4];

	bpei_siphash_begin(v, key->sip);
	v[1] ^= 0xee;
	for (size_t at = 0; at < n; at += BLOCK_BYTES) {
		const size_t left = n - at;
		const struct wide nh = hash_nh_block(
			key->word, bytes + at, left < BLOCK_BYTES ? left : BLOCK_BYTES);

		take_sip_word(v, nh.low);
		take_sip_word(v, nh.high);
	}
	take_sip_word(v, words[0]);
	take_sip_word(v, words[1] ^ (uint64_t)n << 32);
	take_sip_word(v, words[2]);
	v[2] ^= 0xee;
	digest[0] = finish_digest(v);
	v[1] ^= 0xdd;
	digest[1] = finish_digest(v);
}

void bpei_digest_key(struct bpei_digest_key *key, const uint64_t secret[2])
{
	for (uint32_t i = 0; i < BPEI_DIGEST_WORDS + 2; i++) {
		uint64_t v[4];

		bpei_siphash_begin(v, secret);
		take_sip_word(v, i);
		take_sip_word(v, UINT64_C(8) << 56);
		v[2] ^= 0xff;
		if (i < 2)
			key->sip[i] = finish_digest(v);
		else
			key->word[i - 2] = finish_digest(v);
	}
}
