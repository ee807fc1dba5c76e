/* SPDX-License-Identifier: MIT */
/* Crypto-PAn, with kept networks and two direct-mapped caches of addresses.
 *
 * Invariant of the caches: a slot has an address of the slot, and the address in its place.  An
 * empty slot has the address of all zeros, which belongs to slot 0; slot 0 is filled from the
 * beginning.  Owner: one thread. */
#include "rewrite/prefix.h"
#include "base/bytes.h"
#include "rewrite/aes.h"

#include <stddef.h>
#include <stdlib.h>

#define CACHE4_BITS 16
#define CACHE6_BITS 13
#define MULTIPLIER 0x9e3779b97f4a7c15u

struct pair4 {
	uint32_t from, to; /* as in the packet */
};

struct pair6 {
	uint8_t from[16], to[16];
};

struct bpei_prefix {
	struct bpei_aes aes;     /* of addresses */
	struct bpei_aes mac_aes; /* of MAC addresses */
	uint8_t pad[16];
	bool all;
	struct pair4 cache4[1u << CACHE4_BITS];
	struct pair6 cache6[1u << CACHE6_BITS];
};

/* A network that stays.  inside: the hosts' bits are turned; else they stay, too. */
struct kept_network {
	uint8_t address[16];
	uint8_t bits;
	bool inside;
};

/* Sources: IANA's registries of special-purpose addresses and of multicast.  Groups with a
 * network's prefix: 234/8: RFC 6034, ff30 and ff70: RFC 3306, 3956.  Solicited nodes hold the last
 * bits of an address: RFC 4291, "2.7.1".  A later row counts where two have an address. */
static const struct kept_network kept4[] = {
	{ { 0, 0, 0, 0 }, 32, false },
	{ { 127 }, 8, false },
	{ { 169, 254 }, 16, true },
	{ { 224 }, 4, false },
	{ { 234 }, 8, true },
	{ { 255, 255, 255, 255 }, 32, false },
};

static const struct kept_network kept6[] = {
	{ { 0 }, 128, false },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, 128, false },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96, true },
	{ { 0xfe, 0x80 }, 64, true },
	{ { 0xff }, 8, false },
	{ { 0xff, 0x30 }, 12, true },
	{ { 0xff, 0x70 }, 12, true },
	{ { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff }, 104, true },
};

/* Returns how many bits a and b share from the first on, at most `bits`. */
static uint32_t count_shared_bits(const uint8_t *a, const uint8_t *b, uint32_t bits)
{
	uint32_t n = 0;

	while (n + 8 <= bits && a[n / 8] == b[n / 8])
		n += 8;
	while (n < bits && !((a[n / 8] ^ b[n / 8]) & 0x80 >> n % 8))
		n++;
	return n;
}

/* Returns how many bits of the address, from the first on, are not turned. */
static uint32_t count_kept_bits(
	const struct kept_network *row, uint32_t rows, const uint8_t *address, uint32_t bits)
{
	uint32_t kept = 0;
	bool stays = false;

	for (uint32_t i = 0; i < rows; i++) {
		const uint32_t shared = count_shared_bits(row[i].address, address, row[i].bits);
		const uint32_t fixed = shared < row[i].bits ? shared + 1 : shared;

		if (fixed > kept)
			kept = fixed;
		if (shared == row[i].bits)
			stays = !row[i].inside;
	}
	return stays ? bits : kept;
}

/* Turns the bits of an address behind the first `kept` ones. */
static void turn_address_bits(
	const struct bpei_prefix *p, const uint8_t *from, uint8_t *to, uint32_t bits, uint32_t kept)
{
	uint8_t block[16], out[16], turned[16];

	memcpy(turned, from, bits / 8);
	memcpy(block, p->pad, sizeof block);
	memcpy(block, from, kept / 8);
	for (uint32_t i = kept; i < bits; i++) {
		const uint32_t at = i / 8;
		const uint32_t behind = 0xffu >> i % 8; /* the bits from this bit on */

		block[at] = (uint8_t)((from[at] & ~behind) | (p->pad[at] & behind));
		bpei_aes_encrypt(&p->aes, block, out);
		turned[at] ^= (uint8_t)((out[0] >> 7) << (7 - i % 8));
		if (i % 8 == 7)
			block[at] = from[at];
	}
	memcpy(to, turned, bits / 8);
}

static void compute_ip4(const struct bpei_prefix *p, const uint8_t *from, uint8_t *to)
{
	uint32_t kept = 0;

	if (!p->all)
		kept = count_kept_bits(kept4, sizeof kept4 / sizeof *kept4, from, 32);
	turn_address_bits(p, from, to, 32, kept);
}

static void compute_ip6(const struct bpei_prefix *p, const uint8_t *from, uint8_t *to)
{
	uint32_t kept = 0;

	if (!p->all)
		kept = count_kept_bits(kept6, sizeof kept6 / sizeof *kept6, from, 128);
	turn_address_bits(p, from, to, 128, kept);
}

void bpei_prefix_ip4(struct bpei_prefix *p, const uint8_t from[4], uint8_t to[4])
{
	const uint32_t address = bpei_load32(from);
	struct pair4 *slot = &p->cache4[address * MULTIPLIER >> (64 - CACHE4_BITS)];

	if (slot->from != address) {
		uint8_t turned[4];

		compute_ip4(p, from, turned);
		slot->from = address;
		slot->to = bpei_load32(turned);
	}
	bpei_store32(to, slot->to);
}

void bpei_prefix_ip6(struct bpei_prefix *p, const uint8_t from[16], uint8_t to[16])
{
	const uint64_t high = bpei_load64(from) * MULTIPLIER;
	const uint64_t mixed = ((high ^ high >> 32) + bpei_load64(from + 8)) * MULTIPLIER;
	struct pair6 *slot = &p->cache6[mixed >> (64 - CACHE6_BITS)];

	if (memcmp(slot->from, from, sizeof slot->from) != 0) {
		uint8_t turned[16];

		compute_ip6(p, from, turned);
		memcpy(slot->from, from, sizeof slot->from);
		memcpy(slot->to, turned, sizeof slot->to);
	}
	memcpy(to, slot->to, sizeof slot->to);
}

/* Sends the 46 bits beside "multicast" and "local" through four rounds of Luby and Rackoff's
 * network.
 */
void bpei_prefix_mac(const struct bpei_prefix *p, const uint8_t from[6], uint8_t to[6])
{
	enum { HALF = 23, MASK = (1 << HALF) - 1, ROUNDS = 4 };
	const uint64_t mac = (uint64_t)bpei_be16(from) << 32 | bpei_be32(from + 2);
	const uint64_t kept = mac & UINT64_C(0x030000000000);
	/* the first byte's two lowest bits are taken out */
	const uint64_t bits = (mac >> 42) << 40 | (mac & UINT64_C(0xffffffffff));
	uint32_t left = (uint32_t)(bits >> HALF);
	uint32_t right = bits & MASK;

	if (mac & UINT64_C(0x010000000000) || !mac) {
		memmove(to, from, 6);
		return;
	}
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint8_t block[16] = { (uint8_t)round, (uint8_t)(kept >> 40) };
		const uint32_t before = right;

		bpei_put_be32(block + 4, right);
		bpei_aes_encrypt(&p->mac_aes, block, block);
		right = left ^ (bpei_be32(block) & MASK);
		left = before;
	}
	const uint64_t turned = (uint64_t)left << HALF | right;
	const uint64_t whole = (turned >> 40) << 42 | kept | (turned & UINT64_C(0xffffffffff));
	to[0] = (uint8_t)(whole >> 40);
	to[1] = (uint8_t)(whole >> 32);
	bpei_put_be32(to + 2, (uint32_t)whole);
}

struct bpei_prefix *bpei_prefix_new(const uint8_t key[BPEI_PREFIX_KEY_BYTES], bool all)
{
	static const uint8_t mac_label[16] = "MAC addresses";
	static const uint8_t zeros[16] = { 0 };
	uint8_t mac_key[16];
	struct bpei_prefix *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->all = all;
	bpei_aes_init(&p->aes, key);
	bpei_aes_encrypt(&p->aes, key + 16, p->pad);
	bpei_aes_encrypt(&p->aes, mac_label, mac_key);
	bpei_aes_init(&p->mac_aes, mac_key);
	compute_ip4(p, zeros, (uint8_t *)&p->cache4[0].to);
	compute_ip6(p, zeros, p->cache6[0].to);
	return p;
}

void bpei_prefix_free(struct bpei_prefix *prefix)
{
	if (prefix) {
		memset(prefix, 0, offsetof(struct bpei_prefix, cache4)); /* the key */
		__asm__ __volatile__("" : : "r"(prefix) : "memory");     /* not left out */
	}
	free(prefix);
}
