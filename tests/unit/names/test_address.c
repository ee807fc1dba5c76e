/* SPDX-License-Identifier: MIT */
/* Addresses and endpoints as text. */
#include "bpfengine.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

struct case_text {
	uint32_t ip_version;
	const char *address;
	uint16_t port;
	const char *endpoint;
};

static const struct case_text cases[] = {
	{ 4, "192.0.2.1", 443, "192.0.2.1:443" },
	{ 4, "255.255.255.255", 65535, "255.255.255.255:65535" },
	{ 4, "0.0.0.0", 0, "0.0.0.0" },
	{ 6, "2001:db8::1", 443, "[2001:db8::1]:443" },
	{ 6, "::", 1, "[::]:1" },
	{ 6, "fe80::1", 0, "fe80::1" },
	{ 6, "1111:2222:3333:4444:5555:6666:7777:8888", 65535,
		"[1111:2222:3333:4444:5555:6666:7777:8888]:65535" },
	{ 6, "::ffff:255.255.255.255", 65535, "[::ffff:255.255.255.255]:65535" },
};

Test(address, texts_and_lengths)
{
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		const struct case_text *const c = &cases[k];
		uint8_t addr[16] = { 0 };
		char text[BPE_ENDPOINT_TEXT_BYTES];

		cr_assert_eq(
			inet_pton(c->ip_version == 6 ? AF_INET6 : AF_INET, c->address, addr), 1);
		cr_assert_eq(bpe_address_text(addr, c->ip_version, text, BPE_ADDRESS_TEXT_BYTES),
			(int)strlen(c->address));
		cr_assert_str_eq(text, c->address);
		cr_assert_eq(bpe_endpoint_text(addr, c->ip_version, c->port, text, sizeof text),
			(int)strlen(c->endpoint));
		cr_assert_str_eq(text, c->endpoint);
	}
}

Test(address, room_is_checked_to_the_byte)
{
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		const struct case_text *const c = &cases[k];
		const size_t length = strlen(c->endpoint);
		uint8_t addr[16] = { 0 };
		char text[64];

		inet_pton(c->ip_version == 6 ? AF_INET6 : AF_INET, c->address, addr);
		for (size_t size = 0; size <= length; size++) {
			memset(text, '#', sizeof text);
			cr_assert_eq(bpe_endpoint_text(addr, c->ip_version, c->port, text, size),
				BPE_E_ARGUMENT);
			cr_assert_eq(text[0], '#'); /* left alone */
		}
		memset(text, '#', sizeof text);
		cr_assert_eq(bpe_endpoint_text(addr, c->ip_version, c->port, text, length + 1),
			(int)length);
		cr_assert_eq(text[length + 1], '#');
	}
}

Test(address, other_versions_are_refused)
{
	const uint8_t addr[16] = { 0 };
	char text[BPE_ENDPOINT_TEXT_BYTES] = "kept";

	cr_assert_eq(bpe_address_text(addr, 0, text, sizeof text), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_address_text(addr, 5, text, sizeof text), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_endpoint_text(addr, 46, 80, text, sizeof text), BPE_E_ARGUMENT);
	cr_assert_eq(bpe_address_text(addr, 4, NULL, 64), BPE_E_ARGUMENT);
	cr_assert_str_eq(text, "kept");
}
