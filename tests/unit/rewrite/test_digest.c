/* SPDX-License-Identifier: MIT */
/* The keyed hash of packets, against another computation of NH and SipHash, and on strings that
 * differ in a bit. */
#include "rewrite/digest.h"

#include <criterion/criterion.h>
#include <string.h>

static uint64_t turn_left(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

/* Computes SipHash-1-3 with 128 bits, of 64-bit words, as in the paper and the authors' code. */
static void compute_sip128(const uint64_t key[2], const uint64_t *words, int n, uint64_t out[2])
{
	uint64_t a = key[0] ^ 0x736f6d6570736575u;
	uint64_t b = key[1] ^ 0x646f72616e646f6du ^ 0xee;
	uint64_t c = key[0] ^ 0x6c7967656e657261u;
	uint64_t d = key[1] ^ 0x7465646279746573u;

#define SIP_ROUND()                                                                                \
	do {                                                                                       \
		a += b, b = turn_left(b, 13), b ^= a, a = turn_left(a, 32);                        \
		c += d, d = turn_left(d, 16), d ^= c;                                              \
		a += d, d = turn_left(d, 21), d ^= a;                                              \
		c += b, b = turn_left(b, 17), b ^= c, c = turn_left(c, 32);                        \
	} while (0)
	for (int i = 0; i < n; i++) {
		d ^= words[i];
		SIP_ROUND();
		a ^= words[i];
	}
	c ^= 0xee;
	for (int i = 0; i < 3; i++)
		SIP_ROUND();
	out[0] = a ^ b ^ c ^ d;
	b ^= 0xdd;
	for (int i = 0; i < 3; i++)
		SIP_ROUND();
	out[1] = a ^ b ^ c ^ d;
#undef SIP_ROUND
}

static uint64_t load_little(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

/* Computes NH of n bytes, padded with zeros to a multiple of 16, by multiplying 32-bit halves. */
static void compute_nh(const uint64_t *key, const uint8_t *bytes, size_t n, uint64_t sum[2])
{
	sum[0] = sum[1] = 0;
	for (size_t at = 0; at < n; at += 16, key += 2) {
		uint8_t pair[16] = { 0 };

		memcpy(pair, bytes + at, n - at < 16 ? n - at : 16);
		const uint64_t x = load_little(pair) + key[0];
		const uint64_t y = load_little(pair + 8) + key[1];
		const uint64_t low = (x & 0xffffffff) * (y & 0xffffffff);
		const uint64_t one = (x >> 32) * (y & 0xffffffff) + (low >> 32);
		const uint64_t two = (x & 0xffffffff) * (y >> 32) + (one & 0xffffffff);
		const uint64_t product = two << 32 | (low & 0xffffffff);
		const uint64_t high = (x >> 32) * (y >> 32) + (one >> 32) + (two >> 32);

		sum[0] += product;
		sum[1] += high + (sum[0] < product);
	}
}

Test(digest, is_siphash_of_nh, .timeout = 550)
{
	static const uint64_t secret[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 31, 32, 33, 64, 1023, 1024, 1025, 1500,
		2048, 3000 };
	static uint8_t bytes[3000];
	struct bpei_digest_key key;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	bpei_digest_key(&key, secret);
	for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
		const size_t n = lengths[l];
		const uint64_t words[3] = { 1, 2, l };
		uint64_t list[16];
		uint64_t expected[2], found[2];
		int count = 0;

		for (size_t at = 0; at < n; at += 1024, count += 2)
			compute_nh(
				key.word, bytes + at, n - at < 1024 ? n - at : 1024, list + count);
		list[count++] = words[0];
		list[count++] = words[1] | (uint64_t)n << 32;
		list[count++] = words[2];
		compute_sip128(key.sip, list, count, expected);
		bpei_digest(&key, bytes, n, words, found);
		cr_assert_eq(found[0], expected[0], "%zu bytes", n);
		cr_assert_eq(found[1], expected[1], "%zu bytes", n);
	}
}

/* Each bit of each byte, the length and the secret count. */
Test(digest, differs_by_any_bit, .timeout = 550)
{
	static const uint64_t secret[2] = { 1, 2 };
	static const uint64_t other_secret[2] = { 1, 3 };
	static const uint64_t words[3] = { 0, 0, 1 };
	static uint8_t bytes[1600];
	struct bpei_digest_key key;
	uint64_t first[2], found[2];

	bpei_digest_key(&key, secret);
	bpei_digest(&key, bytes, sizeof bytes, words, first);
	for (size_t i = 0; i < sizeof bytes * 8; i++) {
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
		bpei_digest(&key, bytes, sizeof bytes, words, found);
		cr_assert(found[0] != first[0] && found[1] != first[1]);
		bytes[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	bpei_digest(&key, bytes, sizeof bytes - 1, words, found);
	cr_assert(found[0] != first[0]);
	bpei_digest_key(&key, other_secret);
	bpei_digest(&key, bytes, sizeof bytes, words, found);
	cr_assert(found[0] != first[0]);
}
