/* SPDX-License-Identifier: MIT */
/* Replaces addresses in packets made by hand: at every place of an address.  This file computes the
 * checksums by itself. */
#include "rewrite/anonymise.h"

#include <criterion/criterion.h>
#include <string.h>

static const uint8_t key[BPEI_PREFIX_KEY_BYTES] = "the key of the unit test, 32 B.";

#define IP4_A "\xc6\x33\x64\x07" /* 198.51.100.7 */
#define IP4_B "\xcb\x00\x71\x09" /* 203.0.113.9 */
#define IP4_C "\xc0\x00\x02\x21" /* 192.0.2.33 */
#define IP6_A "\x20\x01\x0d\xb8\0\1\0\2\0\0\0\0\0\0\0\x41"
#define IP6_B "\x20\x01\x0d\xb8\0\1\0\3\0\0\0\0\0\0\0\x42"
#define IP6_C "\x20\x01\x0d\xb8\0\7\0\3\0\0\0\0\0\0\0\x43"
#define MACS "\x02\1\1\1\1\1\x02\2\2\2\2\2"

/* A packet that is built from the end to the beginning, since headers have lengths and checksums.
 */
struct built {
	uint8_t bytes[1024];
	uint32_t first; /* the packet is bytes[first .. 1024) */
};

static uint32_t length_of(const struct built *b)
{
	return (uint32_t)sizeof b->bytes - b->first;
}

static uint8_t *put_front(struct built *b, const void *bytes, uint32_t n)
{
	b->first -= n;
	memcpy(b->bytes + b->first, bytes, n);
	return b->bytes + b->first;
}
#define PUT(b, text) put_front(b, text, sizeof(text) - 1)

static void put_16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static uint32_t add_words(uint32_t sum, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Returns the sum with a pseudo header; 0xffff if the checksum in the bytes is right. */
static uint32_t sum_of(const uint8_t *addresses, uint32_t address_bytes, uint32_t proto,
	const uint8_t *p, uint32_t n)
{
	const uint8_t tail[4] = { 0, (uint8_t)proto, (uint8_t)(n >> 8), (uint8_t)n };

	return add_words(add_words(add_words(0, addresses, address_bytes), tail, 4), p, n);
}

static void put_ip4(struct built *b, const char *addresses, uint32_t proto)
{
	uint8_t *ip = put_front(b, addresses, 8);

	PUT(b, "\x45\0\0\0\0\1\0\0\x40\0\0\0");
	ip = b->bytes + b->first;
	put_16(ip + 2, length_of(b));
	ip[9] = (uint8_t)proto;
	put_16(ip + 10, ~add_words(0, ip, 20));
}

static void put_ip6(struct built *b, const char *addresses, uint32_t next)
{
	const uint32_t length = length_of(b);

	put_front(b, addresses, 32);
	uint8_t *ip = PUT(b, "\x60\0\0\0\0\0\0\x40");
	put_16(ip + 4, length);
	ip[6] = (uint8_t)next;
}

/* Puts UDP's or TCP's header before what is there, with a checksum for the addresses. */
static void put_transport(
	struct built *b, const char *addresses, uint32_t address_bytes, bool tcp, uint32_t port)
{
	uint8_t *h = tcp ? PUT(b, "\x12\x34\0\0\0\0\0\1\0\0\0\2\x50\x10\1\0\0\0\0\0")
			 : PUT(b, "\x12\x34\0\0\0\0\0\0");

	put_16(h + 2, port);
	if (!tcp)
		put_16(h + 4, length_of(b));
	const uint32_t field = tcp ? 16 : 6;
	const uint32_t proto = tcp ? 6 : 17;
	put_16(h + field,
		~sum_of((const uint8_t *)addresses, address_bytes, proto, h, length_of(b)));
}

/* Replaces the addresses; `was` gets the packet as it was.  Returns the bytes left. */
static uint32_t replace_addresses(struct built *b, uint8_t *was, uint32_t flags)
{
	struct bpei_anonymiser *a = bpei_anonymiser_new(key, flags);
	const uint32_t n = length_of(b);

	cr_assert(a);
	memcpy(was, b->bytes + b->first, n);
	const uint32_t left = bpei_anonymise(a, was, b->bytes + b->first, n, n, 1);
	cr_assert_eq(bpei_anonymise_counts(a)->changed, 1);
	bpei_anonymiser_free(a);
	return left;
}

/* Returns whether the address at `at` was replaced as the key demands. */
static bool is_replaced(const uint8_t *was, const uint8_t *is, uint32_t at, uint32_t bytes)
{
	struct bpei_prefix *p = bpei_prefix_new(key, false);
	uint8_t expected[16];

	if (bytes == 4)
		bpei_prefix_ip4(p, was + at, expected);
	else
		bpei_prefix_ip6(p, was + at, expected);
	bpei_prefix_free(p);
	return !memcmp(expected, is + at, bytes) && memcmp(was + at, is + at, bytes) != 0;
}

static void expect_ip4(const uint8_t *was, const uint8_t *is, uint32_t at)
{
	cr_assert(is_replaced(was, is, at + 12, 4));
	cr_assert(is_replaced(was, is, at + 16, 4));
	cr_assert_eq(add_words(0, is + at, (is[at] & 15u) * 4), 0xffff);
}

Test(anonymise, replaces_addresses_in_a_tunnel, .timeout = 550)
{
	struct built b = { .first = sizeof b.bytes };
	uint8_t was[1024];
	const uint8_t *is;

	PUT(&b, "odd number of bytes");
	put_transport(&b, IP4_A IP4_B, 8, true, 80);
	put_ip4(&b, IP4_A IP4_B, 6);
	PUT(&b, MACS "\x08\0");
	PUT(&b, "\x08\0\0\0\0\0\x2a\0"); /* VXLAN */
	put_transport(&b, IP4_C IP4_B, 8, false, 4789);
	put_ip4(&b, IP4_C IP4_B, 17);
	PUT(&b, MACS "\x08\0");
	const uint32_t n = length_of(&b);
	is = b.bytes + b.first;
	cr_assert_eq(replace_addresses(&b, was, 0), n);
	expect_ip4(was, is, 14);
	expect_ip4(was, is, 64);
	cr_assert_eq(sum_of(is + 26, 8, 17, is + 34, n - 34), 0xffff);
	cr_assert_eq(sum_of(is + 76, 8, 6, is + 84, n - 84), 0xffff);
	cr_assert_eq(memcmp(is, was, 14), 0); /* MAC addresses and payload stay */
	cr_assert_eq(memcmp(is + n - 19, was + n - 19, 19), 0);
}

Test(anonymise, replaces_addresses_that_an_error_quotes, .timeout = 550)
{
	struct built b = { .first = sizeof b.bytes };
	uint8_t was[1024];

	PUT(&b, "\0\x35\x12\x34\0\x20\0\0"); /* UDP of 32 bytes, cut by the quoting router */
	put_ip4(&b, IP4_B IP4_A, 17);
	uint8_t *icmp = PUT(&b, "\3\1\0\0\0\0\0\0");
	put_16(icmp + 2, ~add_words(0, icmp, length_of(&b)));
	put_ip4(&b, IP4_C IP4_B, 1);
	PUT(&b, MACS "\x08\0");
	const uint8_t *is = b.bytes + b.first;
	replace_addresses(&b, was, 0);
	expect_ip4(was, is, 14);
	expect_ip4(was, is, 42);
	cr_assert_eq(add_words(0, is + 34, length_of(&b) - 34), 0xffff);
}

Test(anonymise, replaces_addresses_of_arp, .timeout = 550)
{
	for (uint32_t flags = 0; flags < 2; flags++) {
		struct built b = { .first = sizeof b.bytes };
		uint8_t was[1024];

		PUT(&b, "\x02\2\2\2\2\2" IP4_A "\0\0\0\0\0\0" IP4_B);
		PUT(&b, "\0\1\x08\0\6\4\0\1");
		PUT(&b, "\xff\xff\xff\xff\xff\xff\x02\2\2\2\2\2\x08\6");
		const uint8_t *is = b.bytes + b.first;
		replace_addresses(&b, was, flags);
		cr_assert(is_replaced(was, is, 28, 4));
		cr_assert(is_replaced(was, is, 38, 4));
		cr_assert_eq(memcmp(is + 6, was + 6, 6) != 0, flags & BPEI_ANONYMISE_MAC);
		cr_assert_eq(memcmp(is + 6, is + 22, 6), 0); /* the sender's, twice */
		cr_assert_eq(memcmp(is, was, 6), 0);         /* broadcast and unknown stay */
		cr_assert_eq(memcmp(is + 32, was + 32, 6), 0);
	}
}

Test(anonymise, replaces_addresses_of_neighbour_discovery, .timeout = 550)
{
	static const char group[] = "\xff\2\0\0\0\0\0\0\0\0\0\1\xff\0\0\x42";
	struct built b = { .first = sizeof b.bytes };
	uint8_t was[1024];

	PUT(&b, "\1\1\x02\2\2\2\2\2");
	PUT(&b, IP6_B);
	uint8_t *icmp = PUT(&b, "\x87\0\0\0\0\0\0\0");
	char addresses[33];
	memcpy(addresses, IP6_A, 16);
	memcpy(addresses + 16, group, 16);
	put_16(icmp + 2, ~sum_of((const uint8_t *)addresses, 32, 58, icmp, length_of(&b)));
	put_ip6(&b, addresses, 58);
	PUT(&b, "\x33\x33\xff\0\0\x42\x02\2\2\2\2\2\x86\xdd");
	const uint8_t *is = b.bytes + b.first;
	replace_addresses(&b, was, BPEI_ANONYMISE_MAC);
	cr_assert(is_replaced(was, is, 22, 16));
	cr_assert(is_replaced(was, is, 38, 16));
	cr_assert(is_replaced(was, is, 62, 16));
	cr_assert_eq(memcmp(is + 2, is + 50, 4), 0); /* the group's MAC address follows */
	cr_assert_eq(memcmp(is + 6, is + 80, 6), 0); /* the option has the sender's */
	cr_assert(memcmp(is + 6, was + 6, 6) != 0);
	cr_assert_eq(sum_of(is + 22, 32, 58, is + 54, length_of(&b) - 54), 0xffff);
}

Test(anonymise, mends_the_checksum_of_gre, .timeout = 550)
{
	struct built b = { .first = sizeof b.bytes };
	uint8_t was[1024];

	put_transport(&b, IP4_A IP4_C, 8, false, 53);
	put_ip4(&b, IP4_A IP4_C, 17);
	b.bytes[b.first + 10] ^= 0x11; /* a wrong checksum inside */
	uint8_t *gre = PUT(&b, "\x80\0\x08\0\0\0\0\0");
	put_16(gre + 4, ~add_words(0, gre, length_of(&b)));
	put_ip4(&b, IP4_C IP4_B, 47);
	PUT(&b, MACS "\x08\0");
	const uint8_t *is = b.bytes + b.first;
	const uint32_t wrong = add_words(0, is + 42, 20);
	replace_addresses(&b, was, 0);
	expect_ip4(was, is, 14);
	cr_assert(is_replaced(was, is, 54, 4));
	cr_assert(wrong != 0xffff && add_words(0, is + 42, 20) == wrong); /* as wrong as before */
	cr_assert_eq(add_words(0, is + 34, length_of(&b) - 34), 0xffff);
}

Test(anonymise, replaces_recorded_routes, .timeout = 550)
{
	struct built b = { .first = sizeof b.bytes };
	uint8_t was[1024];

	uint8_t *ip = PUT(
		&b, "\x48\0\0\x20\0\1\0\0\x40\xfd\0\0" IP4_A IP4_B "\7\x0b\x0c" IP4_C "\0\0\0\0\0");
	put_16(ip + 10, ~add_words(0, ip, 32));
	PUT(&b, MACS "\x08\0");
	const uint8_t *is = b.bytes + b.first;
	replace_addresses(&b, was, 0);
	expect_ip4(was, is, 14);
	cr_assert(is_replaced(was, is, 37, 4));
	cr_assert_eq(memcmp(is + 41, "\0\0\0\0\0", 5), 0); /* free entries stay free */
}

/* The checksum is for the last address of the routing header. */
Test(anonymise, knows_the_final_destination, .timeout = 550)
{
	struct built b = { .first = sizeof b.bytes };
	uint8_t was[1024], addresses[32];

	PUT(&b, "data");
	put_transport(&b, IP6_A IP6_C, 32, true, 80);
	PUT(&b, "\6\2\0\1\0\0\0\0" IP6_C);
	put_ip6(&b, IP6_A IP6_B, 43);
	PUT(&b, MACS "\x86\xdd");
	const uint8_t *is = b.bytes + b.first;
	replace_addresses(&b, was, 0);
	for (uint32_t at = 22; at <= 62; at += at == 22 ? 16 : 24)
		cr_assert(is_replaced(was, is, at, 16), "at %u", at);
	memcpy(addresses, is + 22, 16);
	memcpy(addresses + 16, is + 62, 16);
	cr_assert_eq(sum_of(addresses, 32, 6, is + 78, 24), 0xffff);
}

Test(anonymise, leaves_checksums_to_the_network_card, .timeout = 550)
{
	struct built b = { .first = sizeof b.bytes };
	uint8_t was[1024];

	PUT(&b, "some data");
	put_transport(&b, IP4_A IP4_B, 8, false, 53);
	uint8_t *udp = b.bytes + b.first;
	const uint32_t n = length_of(&b);
	const uint8_t tail[4] = { 0, 17, 0, (uint8_t)n };
	put_16(udp + 6, add_words(add_words(0, (const uint8_t *)IP4_A IP4_B, 8), tail, 4));
	put_ip4(&b, IP4_A IP4_B, 17);
	PUT(&b, MACS "\x08\0");
	const uint8_t *is = b.bytes + b.first;
	struct built none = b;
	replace_addresses(&b, was, 0);
	cr_assert_eq(add_words(add_words(0, is + 26, 8), tail, 4), (uint32_t)is[40] << 8 | is[41]);
	put_16(none.bytes + none.first + 40, 0); /* UDP without a checksum */
	replace_addresses(&none, was, 0);
	cr_assert_eq(memcmp(none.bytes + none.first + 40, "\0\0", 2), 0);
}

Test(anonymise, cuts_the_payload, .timeout = 550)
{
	struct built b = { .first = sizeof b.bytes };
	uint8_t was[1024];
	struct bpei_anonymiser *a = bpei_anonymiser_new(key, BPEI_ANONYMISE_CUT_PAYLOAD);

	PUT(&b, "a name in the payload");
	put_transport(&b, IP4_A IP4_B, 8, true, 80);
	put_ip4(&b, IP4_A IP4_B, 6);
	PUT(&b, MACS "\x08\0");
	cr_assert_eq(replace_addresses(&b, was, BPEI_ANONYMISE_CUT_PAYLOAD), 54);
	memcpy(b.bytes + b.first + 12, "\x88\xcc", 2); /* LLDP */
	memcpy(was, b.bytes + b.first, length_of(&b));
	cr_assert_eq(bpei_anonymise(a, was, b.bytes + b.first, 60, 60, 1), 14);
	cr_assert_eq(bpei_anonymise_counts(a)->unreached, 1);
	cr_assert_eq(bpei_anonymise(a, was, b.bytes + b.first, 60, 60, 147), 0);
	bpei_anonymiser_free(a);
}
