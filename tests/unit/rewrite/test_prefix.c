/* SPDX-License-Identifier: MIT */
/* Addresses with kept prefixes: Crypto-PAn's published examples, and the properties on random
 * pairs.
 */
#include "rewrite/prefix.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The key of the sample of Crypto-PAn 1.0 by its authors, sample.cpp. */
static const uint8_t sample_key[32] = { 21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144,
	125, 16, 216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2 };

static uint64_t random_state;

static uint64_t draw_next_random(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void expect_turned(struct bpei_prefix *p, const char *from, const char *to)
{
	const int family = strchr(from, ':') ? AF_INET6 : AF_INET;
	uint8_t address[16];
	char text[64];

	cr_assert_eq(inet_pton(family, from, address), 1);
	if (family == AF_INET)
		bpei_prefix_ip4(p, address, address);
	else
		bpei_prefix_ip6(p, address, address);
	inet_ntop(family, address, text, sizeof text);
	cr_assert_str_eq(text, to, "%s became %s, not %s", from, text, to);
}

/* sample_trace_raw.dat and sample_trace_sanitized.dat of Crypto-PAn 1.0; the IPv6 address: as by
 * yacryptopan 1.0.2. */
Test(prefix, gives_the_addresses_of_crypto_pan, .timeout = 550)
{
	static const char *const pairs[][2] = {
		{ "128.11.68.132", "135.242.180.132" },
		{ "129.118.74.4", "134.136.186.123" },
		{ "130.132.252.244", "133.68.164.234" },
		{ "141.223.7.43", "141.167.8.160" },
		{ "141.233.145.108", "141.129.237.235" },
		{ "152.163.225.39", "151.140.114.167" },
		{ "156.29.3.236", "147.225.12.42" },
		{ "165.247.96.84", "162.9.99.234" },
		{ "166.107.77.190", "160.132.178.185" },
		{ "192.102.249.13", "252.138.62.131" },
		{ "2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e" },
	};
	struct bpei_prefix *p = bpei_prefix_new(sample_key, true);

	cr_assert(p);
	for (int round = 0; round < 2; round++) /* computed, and from the cache */
		for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
			expect_turned(p, pairs[i][0], pairs[i][1]);
	bpei_prefix_free(p);
}

Test(prefix, keeps_special_addresses, .timeout = 550)
{
	static const char *const kept[] = { "0.0.0.0", "127.0.0.1", "127.255.1.2", "224.0.0.251",
		"239.255.255.250", "255.255.255.255", "::", "::1", "ff02::1", "ff05::1:3" };
	struct bpei_prefix *p = bpei_prefix_new(sample_key, false);
	uint8_t address[16], turned[16];

	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		expect_turned(p, kept[i], kept[i]);
	/* the network of link-local addresses stays, the host does not */
	inet_pton(AF_INET6, "fe80::1234:5678:9abc:def0", address);
	bpei_prefix_ip6(p, address, turned);
	cr_assert_eq(memcmp(address, turned, 8), 0);
	cr_assert(memcmp(address + 8, turned + 8, 8) != 0);
	/* a solicited node's group holds the end of the node's address */
	inet_pton(AF_INET6, "ff02::1:ff9a:bcde", address);
	bpei_prefix_ip6(p, address, turned);
	cr_assert_eq(memcmp(address, turned, 13), 0);
	cr_assert(memcmp(address + 13, turned + 13, 3) != 0);
	bpei_prefix_free(p);
}

static uint32_t shared_bits(const uint8_t *a, const uint8_t *b, uint32_t bits)
{
	uint32_t n = 0;

	while (n < bits && !((a[n / 8] ^ b[n / 8]) >> (7 - n % 8) & 1))
		n++;
	return n;
}

/* 400,000 pairs that share every number of bits. */
Test(prefix, keeps_the_length_of_shared_prefixes, .timeout = 550)
{
	random_state = 24;
	for (int all = 0; all < 2; all++) {
		struct bpei_prefix *p = bpei_prefix_new(sample_key, all);

		for (uint32_t i = 0; i < 200000; i++) {
			const bool six = i % 16 == 0;
			const uint32_t bits = six ? 128 : 32;
			const uint32_t share = (uint32_t)(draw_next_random() % bits);
			uint8_t a[16], b[16];

			for (int k = 0; k < 16; k++)
				a[k] = (uint8_t)draw_next_random();
			if (i % 3 == 0) /* near the kept networks */
				a[0] = i % 2 ? 0xfe : 0x7f;
			memcpy(b, a, 16);
			for (uint32_t k = share + 1; k < bits; k++)
				b[k / 8] ^= (uint8_t)((draw_next_random() & 1) << (7 - k % 8));
			b[share / 8] ^= (uint8_t)(0x80 >> share % 8);
			cr_assert_eq(shared_bits(a, b, bits), share);
			if (six) {
				bpei_prefix_ip6(p, a, a);
				bpei_prefix_ip6(p, b, b);
			} else {
				bpei_prefix_ip4(p, a, a);
				bpei_prefix_ip4(p, b, b);
			}
			cr_assert_eq(shared_bits(a, b, bits), share);
		}
		bpei_prefix_free(p);
	}
}

/* Every address of a network of 2^16 addresses. */
Test(prefix, gives_each_address_another, .timeout = 550)
{
	struct bpei_prefix *p = bpei_prefix_new(sample_key, false);
	uint8_t *met = calloc(1, 65536);
	uint8_t network[2];

	for (uint32_t i = 0; i < 65536; i++) {
		uint8_t address[4] = { 169, 254, (uint8_t)(i >> 8), (uint8_t)i };

		bpei_prefix_ip4(p, address, address);
		if (!i)
			memcpy(network, address, 2);
		cr_assert_eq(memcmp(network, address, 2), 0);
		cr_assert_eq(met[address[2] << 8 | address[3]]++, 0);
	}
	free(met);
	bpei_prefix_free(p);
}

/* Two keys agree on about half of the bits. */
Test(prefix, depends_on_the_key, .timeout = 550)
{
	uint8_t other_key[32];
	uint32_t same = 0;

	memcpy(other_key, sample_key, 32);
	other_key[0] ^= 1;
	struct bpei_prefix *p = bpei_prefix_new(sample_key, true);
	struct bpei_prefix *q = bpei_prefix_new(other_key, true);
	random_state = 7;
	for (int i = 0; i < 1000; i++) {
		const uint64_t random = draw_next_random();
		uint8_t a[4], b[4];

		memcpy(a, &random, 4);
		bpei_prefix_ip4(q, a, b);
		bpei_prefix_ip4(p, a, a);
		for (int k = 0; k < 32; k++)
			same += !((a[k / 8] ^ b[k / 8]) >> k % 8 & 1);
	}
	cr_assert(same > 14000 && same < 18000, "%u of 32000 bits", same);
	bpei_prefix_free(p);
	bpei_prefix_free(q);
}

static int order_numbers(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

Test(prefix, permutes_mac_addresses, .timeout = 550)
{
	enum { MACS = 50000 };
	static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
	static uint64_t met[MACS];
	struct bpei_prefix *p = bpei_prefix_new(sample_key, false);
	uint8_t mac[6], turned[6];

	bpei_prefix_mac(p, broadcast, turned);
	cr_assert_eq(memcmp(broadcast, turned, 6), 0);
	for (uint32_t i = 0; i < MACS; i++) {
		memcpy(mac,
			(uint8_t[6]){ (uint8_t)(i % 2 * 2), 0x1b, 0x21, (uint8_t)(i >> 16),
				(uint8_t)(i >> 8), (uint8_t)i },
			6);
		bpei_prefix_mac(p, mac, turned);
		cr_assert_eq(turned[0] & 3, mac[0] & 3);
		memcpy(&met[i], turned, 6);
	}
	qsort(met, MACS, sizeof *met, order_numbers);
	for (uint32_t i = 1; i < MACS; i++)
		cr_assert(met[i] != met[i - 1]);
	bpei_prefix_free(p);
}
