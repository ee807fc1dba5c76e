/* SPDX-License-Identifier: MIT */
/* DHCP over IPv6: recognition, relays, names and addresses. */
#include "inspect/dhcp.h"

#include "inspect/dns.h"

#include "dns_build.h"

#include <criterion/criterion.h>

static struct dns_build built;
static struct bpei_dhcp_said said;

static const uint8_t duid[] = { 0, 3, 0, 1, 2, 0, 0, 0, 0, 7 };
static const uint8_t address[16] = { 0x20, 1, 0xd, 0xb8, [15] = 9 };

static void begin_dhcp6(uint8_t type)
{
	built.n = 0;
	build_bytes(&built, &type, 1);
	build_bytes(&built, "\1\2\3", 3);
	build_u16(&built, 1);
	build_u16(&built, sizeof duid);
	build_bytes(&built, duid, sizeof duid);
}

/* Adds an identity association with the address. */
static void add_association(uint32_t lifetime)
{
	build_u16(&built, 3);
	build_u16(&built, 12 + 28);
	build_bytes(&built, "\0\0\0\1\0\0\0\0\0\0\0\0", 12);
	build_u16(&built, 5);
	build_u16(&built, 24);
	build_bytes(&built, address, 16);
	build_u32(&built, 100);
	build_u32(&built, lifetime);
}

static void add_full_name(void)
{
	build_u16(&built, 39);
	build_u16(&built, 1 + 18);
	build_bytes(&built, "\1\4host\7example\3com", 19);
}

static bool read_dhcp6(uint32_t n)
{
	static uint8_t *exact;

	free(exact);
	exact = malloc(n + !n);
	cr_assert_not_null(exact);
	memcpy(exact, built.bytes, n);
	return bpei_dhcp6_read(&said, exact, n);
}

static enum bpei_verdict recognise_dhcp6(uint32_t n, uint16_t port)
{
	struct bpe_flow_names names = { .app = 0 };
	struct bpei_inspector in = { .names = BPE_NAMES_ALL };
	const uint16_t ends[1] = { (uint16_t)n };
	uint8_t *exact = malloc(n + !n);
	struct bpei_stream stream = {
		.bytes = exact, .n = n, .ends = ends, .datagrams = 1, .port = { 1, port }
	};
	enum bpei_verdict verdict = BPEI_NOT;

	cr_assert_not_null(exact);
	memcpy(exact, built.bytes, n);
	verdict = bpei_read_dhcp6(&in, &stream, &names);
	free(exact);
	cr_assert_eq(names.app, verdict == BPEI_EACH ? BPE_APP_DHCPV6 : 0);
	return verdict;
}

Test(dhcp6, clients_and_servers_name_addresses)
{
	begin_dhcp6(3);
	add_association(200);
	add_full_name();
	cr_assert(read_dhcp6(built.n));
	cr_assert(said.sure && !said.reply);
	cr_assert_eq(said.count, 1);
	cr_assert_eq(memcmp(said.address[0], address, 16), 0);
	cr_assert_eq(said.ttl_s, 200);
	cr_assert_str_eq(said.name, "host.example.com");
	cr_assert_eq(said.client_bytes, sizeof duid);
	built.bytes[0] = 1;
	cr_assert(read_dhcp6(built.n));
	cr_assert_eq(said.count, 0, "a solicit has no address yet");
	built.bytes[0] = 7;
	cr_assert(read_dhcp6(built.n));
	cr_assert(said.reply);
	cr_assert_eq(said.count, 1);
	begin_dhcp6(7);
	add_association(0);
	cr_assert(read_dhcp6(built.n));
	cr_assert_eq(said.count, 0, "taken away");
}

/* Wraps what is built into a relay's message. */
static void wrap_in_relay(void)
{
	struct dns_build inner = built;

	built.n = 0;
	build_bytes(&built, "\x0c\0", 2);
	build_bytes(&built, address, 16);
	build_bytes(&built, address, 16);
	build_u16(&built, 9);
	build_u16(&built, inner.n);
	build_bytes(&built, inner.bytes, inner.n);
}

Test(dhcp6, messages_are_read_within_relays)
{
	begin_dhcp6(5);
	add_association(200);
	add_full_name();
	for (uint32_t i = 0; i < 8; i++) {
		wrap_in_relay();
		cr_assert(read_dhcp6(built.n), "%u relays", i + 1);
		cr_assert_str_eq(said.name, "host.example.com");
		cr_assert_eq(recognise_dhcp6(built.n, 2), BPEI_EACH);
	}
	wrap_in_relay();
	cr_assert(!read_dhcp6(built.n), "too many relays");
	cr_assert_eq(said.count, 0);
}

Test(dhcp6, recognition)
{
	begin_dhcp6(1);
	add_full_name();
	cr_assert_eq(recognise_dhcp6(built.n, 547), BPEI_EACH);
	cr_assert_eq(recognise_dhcp6(built.n, 2), BPEI_EACH, "by the client's DUID");
	for (uint32_t n = 0; n < built.n; n++)
		cr_assert_eq(
			recognise_dhcp6(n, 547), n == 18 ? BPEI_EACH : BPEI_NOT, "%u bytes", n);
	built.bytes[9] = 9;
	cr_assert_eq(recognise_dhcp6(built.n, 547), BPEI_NOT, "no kind of DUID");
	begin_dhcp6(14);
	cr_assert_eq(recognise_dhcp6(built.n, 547), BPEI_NOT, "no kind of message");
	begin_dhcp6(11);
	built.bytes[5] = 6;
	cr_assert_eq(recognise_dhcp6(built.n, 547), BPEI_EACH);
	cr_assert_eq(recognise_dhcp6(built.n, 2), BPEI_NOT, "no client, and not the port");
}

Test(dhcp6, each_truncation_is_bounded)
{
	begin_dhcp6(3);
	add_association(200);
	add_full_name();
	for (uint32_t n = 0; n < built.n; n++)
		cr_assert_eq(read_dhcp6(n), n == 4 || n == 18 || n == 62, "%u bytes", n);
}
