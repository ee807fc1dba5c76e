/* SPDX-License-Identifier: MIT */
/* DHCP over IPv4: recognition, names and addresses. */
#include "inspect/dhcp.h"

#include "inspect/dns.h"

#include "dns_build.h"

#include <criterion/criterion.h>

static struct dns_build built;
static struct bpei_dhcp_said said;

static const uint8_t hardware[6] = { 2, 0, 0, 0, 0, 7 };

/* Begins a message up to the cookie, with a type. */
static void begin_dhcp(uint8_t operation, uint8_t type, uint32_t ciaddr, uint32_t yiaddr)
{
	memset(built.bytes, 0, 240);
	built.n = 240;
	built.bytes[0] = operation;
	built.bytes[1] = 1;
	built.bytes[2] = 6;
	for (uint32_t i = 0; i < 4; i++) {
		built.bytes[12 + i] = (uint8_t)(ciaddr >> (24 - 8 * i));
		built.bytes[16 + i] = (uint8_t)(yiaddr >> (24 - 8 * i));
	}
	memcpy(built.bytes + 28, hardware, 6);
	memcpy(built.bytes + 236, "\x63\x82\x53\x63\x35\1", 6);
	built.n = 242;
	build_bytes(&built, &type, 1);
}

static void add_dhcp_option(uint8_t code, const void *bytes, uint8_t n)
{
	build_bytes(&built, &code, 1);
	build_bytes(&built, &n, 1);
	build_bytes(&built, bytes, n);
}

static bool read_dhcp(uint32_t n)
{
	static uint8_t *exact;

	free(exact);
	exact = malloc(n + !n);
	cr_assert_not_null(exact);
	memcpy(exact, built.bytes, n);
	return bpei_dhcp_read(&said, exact, n);
}

Test(dhcp, the_server_gives_an_address)
{
	begin_dhcp(2, 5, 0, 0x0a000005);
	add_dhcp_option(51, "\0\0\x0e\x10", 4);
	add_dhcp_option(12, "laptop\0", 7);
	build_bytes(&built, "\0\0\xff", 3);
	cr_assert(read_dhcp(built.n));
	cr_assert(said.reply);
	cr_assert_eq(said.count, 1);
	cr_assert_eq(said.version, 4);
	cr_assert_eq(memcmp(said.address[0], "\x0a\0\0\5\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
	cr_assert_eq(said.ttl_s, 3600);
	cr_assert_str_eq(said.name, "laptop");
	cr_assert_eq(said.client_bytes, 6);
	cr_assert_eq(memcmp(said.client, hardware, 6), 0);
	begin_dhcp(2, 2, 0, 0x0a000005);
	cr_assert(read_dhcp(built.n));
	cr_assert(!said.reply, "an offer gives nothing yet");
	cr_assert_eq(said.count, 0);
}

Test(dhcp, the_client_takes_an_offer_or_has_an_address)
{
	begin_dhcp(1, 3, 0, 0);
	add_dhcp_option(50, "\x0a\0\0\6", 4);
	add_dhcp_option(12, "phone", 5);
	cr_assert(read_dhcp(built.n));
	cr_assert_eq(said.count, 0, "nobody offered the address");
	cr_assert_str_eq(said.name, "phone");
	add_dhcp_option(54, "\x0a\0\0\1", 4);
	cr_assert(read_dhcp(built.n));
	cr_assert(said.sure);
	cr_assert_eq(said.count, 1);
	cr_assert_eq(said.address[0][3], 6);
	begin_dhcp(1, 8, 0x0a000009, 0);
	cr_assert(read_dhcp(built.n));
	cr_assert(said.sure);
	cr_assert_eq(said.address[0][3], 9);
	begin_dhcp(1, 7, 0x0a000009, 0);
	cr_assert(read_dhcp(built.n));
	cr_assert_eq(said.count, 0, "a release");
}

Test(dhcp, the_full_name_is_read_in_both_forms)
{
	begin_dhcp(1, 3, 0x0a000009, 0);
	add_dhcp_option(12, "short", 5);
	add_dhcp_option(81, "\4\0\0\4host\7example\3com", 21);
	cr_assert(read_dhcp(built.n));
	cr_assert_str_eq(said.name, "host.example.com");
	begin_dhcp(1, 3, 0x0a000009, 0);
	add_dhcp_option(81, "\0\0\0host.example.com.", 20);
	add_dhcp_option(12, "short", 5);
	cr_assert(read_dhcp(built.n));
	cr_assert_str_eq(said.name, "host.example.com");
	begin_dhcp(1, 3, 0x0a000009, 0);
	add_dhcp_option(81, "\4\0\0\11host", 8);
	add_dhcp_option(12, "a\nb", 3);
	cr_assert(read_dhcp(built.n));
	cr_assert_str_eq(said.name, "a\\010b", "the other form is malformed");
}

Test(dhcp, each_truncation_is_bounded)
{
	begin_dhcp(2, 5, 0, 0x0a000005);
	add_dhcp_option(12, "laptop", 6);
	for (uint32_t n = 0; n < built.n; n++)
		cr_assert_eq(read_dhcp(n), n == 240 || n == 243, "%u bytes", n);
	built.bytes[236] = 0;
	cr_assert(!read_dhcp(built.n));
}

Test(dhcp, recognition_needs_the_cookie)
{
	struct bpe_flow_names names = { .app = 0 };
	struct bpei_inspector in = { .names = BPE_NAMES_ALL };
	const uint16_t ends[1] = { 243 };
	struct bpei_stream stream = {
		.bytes = built.bytes, .n = 243, .ends = ends, .datagrams = 1
	};
	static const uint8_t odd[][2] = { { 0, 3 }, { 0, 0 }, { 1, 99 }, { 2, 17 }, { 3, 40 },
		{ 239, 0 } };

	begin_dhcp(1, 1, 0, 0);
	cr_assert_eq(bpei_read_dhcp(&in, &stream, &names), BPEI_EACH);
	cr_assert_eq(names.app, BPE_APP_DHCP);
	for (uint32_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		begin_dhcp(1, 1, 0, 0);
		built.bytes[odd[i][0]] = odd[i][1];
		cr_assert_eq(bpei_read_dhcp(&in, &stream, &names), BPEI_NOT);
	}
	begin_dhcp(1, 1, 0, 0);
	stream.ends = NULL;
	stream.datagrams = 0;
	cr_assert_eq(bpei_read_dhcp(&in, &stream, &names), BPEI_NOT, "TCP");
}
