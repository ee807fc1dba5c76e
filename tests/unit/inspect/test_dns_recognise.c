/* SPDX-License-Identifier: MIT */
/* Recognition of DNS, mDNS and LLMNR, and of what only looks like them. */
#include "inspect/dns.h"

#include "dns_build.h"

#include <criterion/criterion.h>

typedef enum bpei_verdict (*reader_fn)(
	struct bpei_inspector *, struct bpei_stream *, struct bpe_flow_names *);

static struct dns_build built;
static uint8_t app;
static uint32_t want;

/* Gives a datagram to a reader, out of a copy which ends there. */
static enum bpei_verdict give_datagram(reader_fn read, uint16_t port, const void *bytes, uint32_t n)
{
	struct bpei_inspector in = { .names = BPE_NAMES_ALL };
	struct bpe_flow_names said = { .app = 0 };
	const uint16_t ends[1] = { (uint16_t)n };
	uint8_t *exact = malloc(n + !n);
	struct bpei_stream stream = {
		.bytes = exact, .n = n, .ends = ends, .datagrams = 1, .port = { 40000, port }
	};
	enum bpei_verdict verdict = BPEI_NOT;

	cr_assert_not_null(exact);
	memcpy(exact, bytes, n);
	verdict = read(&in, &stream, &said);
	free(exact);
	app = said.app;
	cr_assert_eq(verdict == BPEI_EACH, app != 0);
	return verdict;
}

/* Gives the start of a TCP direction to the reader of DNS. */
static enum bpei_verdict read_start(uint16_t port, const void *bytes, uint32_t n, bool last)
{
	struct bpei_inspector in = { .names = BPE_NAMES_ALL };
	struct bpe_flow_names said = { .app = 0 };
	uint8_t *exact = malloc(n + !n);
	struct bpei_stream stream = {
		.bytes = exact, .n = n, .port = { port, 40000 }, .last = last
	};
	enum bpei_verdict verdict = BPEI_NOT;

	cr_assert_not_null(exact);
	memcpy(exact, bytes, n);
	verdict = bpei_read_dns(&in, &stream, &said);
	free(exact);
	app = said.app;
	want = stream.want;
	return verdict;
}

static void build_test_query(void)
{
	build_header(&built, 0xbeef, 0x0120, 1, 0, 1);
	build_question(&built, "www.example.com", 1, 1);
	build_bytes(&built, "\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
}

static void build_test_answer(void)
{
	build_header(&built, 0xbeef, 0x8180, 1, 1, 0);
	build_question(&built, "www.example.com", 1, 1);
	build_a(&built, "www.example.com", 60, 0xc0000201);
}

Test(dns_recognise, dns_is_found_on_any_port)
{
	build_test_query();
	cr_assert_eq(give_datagram(bpei_read_dns, 53, built.bytes, built.n), BPEI_EACH);
	cr_assert_eq(app, BPE_APP_DNS);
	cr_assert_eq(give_datagram(bpei_read_dns, 9999, built.bytes, built.n), BPEI_EACH);
	for (uint32_t n = 0; n < built.n; n++)
		cr_assert_eq(give_datagram(bpei_read_dns, 9999, built.bytes, n), BPEI_NOT, "%u", n);
	build_test_answer();
	cr_assert_eq(give_datagram(bpei_read_dns, 9999, built.bytes, built.n), BPEI_EACH);
	build_bytes(&built, "x", 1);
	cr_assert_eq(give_datagram(bpei_read_dns, 9999, built.bytes, built.n), BPEI_NOT,
		"a byte too many");
	cr_assert_eq(give_datagram(bpei_read_dns, 53, built.bytes, built.n), BPEI_EACH);
}

Test(dns_recognise, cut_messages_are_dns_on_its_port)
{
	build_test_answer();
	for (uint32_t n = 33; n < built.n; n++)
		cr_assert_eq(give_datagram(bpei_read_dns, 53, built.bytes, n), BPEI_EACH, "%u", n);
	cr_assert_eq(give_datagram(bpei_read_dns, 53, built.bytes, 32), BPEI_NOT);
	build_header(&built, 1, 0x8181, 0, 0, 0);
	cr_assert_eq(give_datagram(bpei_read_dns, 53, built.bytes, built.n), BPEI_EACH,
		"an error without a question");
}

/* Shows each byte of the header and of the question's end to decide on other ports. */
Test(dns_recognise, odd_headers_are_not_dns_on_other_ports)
{
	static const struct {
		uint32_t at;
		uint8_t value;
	} odd[] = { { 2, 0x79 }, { 2, 0x03 }, { 2, 0x05 }, { 3, 0x60 }, { 3, 0xa0 }, { 3, 0x25 },
		{ 4, 1 }, { 5, 0 }, { 5, 2 }, { 7, 1 }, { 9, 9 }, { 11, 2 }, { 12, 64 }, { 12, 2 },
		{ 14, 1 }, { 29, 0x77 }, { 31, 7 } };

	for (uint32_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		build_test_query();
		built.bytes[odd[i].at] = odd[i].value;
		cr_assert_eq(give_datagram(bpei_read_dns, 9999, built.bytes, built.n), BPEI_NOT,
			"byte %u", odd[i].at);
	}
}

Test(dns_recognise, netbios_is_not_dns)
{
	build_header(&built, 1, 0x0110, 1, 0, 0);
	build_question(&built, "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 33, 1);
	cr_assert_eq(give_datagram(bpei_read_dns, 137, built.bytes, built.n), BPEI_NOT);
	built.bytes[3] = 0;
	cr_assert_eq(give_datagram(bpei_read_dns, 9999, built.bytes, built.n), BPEI_NOT);
}

Test(dns_recognise, foreign_payload_is_not_dns)
{
	uint8_t bytes[512];
	uint64_t seed = 88172645463325252u;
	static const char texts[][40] = { "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"SSH-2.0-OpenSSH_9.6\r\n", "220 mail.example.com ESMTP\r\n",
		"\x16\x03\x01\x02\0\1\0\1\xfc\3\3", "INVITE sip:a@b SIP/2.0\r\n\r\n",
		"\0\1\0\0\x21\x12\xa4\x42............" };

	for (uint32_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		cr_assert_eq(give_datagram(bpei_read_dns, 9999, texts[i], 25), BPEI_NOT);
		cr_assert_eq(read_start(9999, texts[i], 25, false), BPEI_NOT);
	}
	for (uint32_t i = 0; i < 200000; i++) {
		for (uint32_t k = 0; k < sizeof bytes; k += 8) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			memcpy(bytes + k, &seed, 8);
		}
		cr_assert_eq(give_datagram(bpei_read_dns, 9999, bytes, i % 512), BPEI_NOT);
	}
	memset(bytes, 0, sizeof bytes);
	for (uint32_t n = 0; n < sizeof bytes; n++)
		cr_assert_eq(give_datagram(bpei_read_dns, 9999, bytes, n), BPEI_NOT);
}

Test(dns_recognise, tcp_has_a_length_first)
{
	uint8_t bytes[1024];

	build_test_query();
	bpei_put_be16(bytes, (uint16_t)built.n);
	memcpy(bytes + 2, built.bytes, built.n);
	for (uint32_t n = 0; n < built.n + 2; n++) {
		cr_assert_eq(read_start(53, bytes, n, false), BPEI_MORE, "%u bytes", n);
		cr_assert_gt(want, n);
		cr_assert_leq(want, built.n + 2);
		cr_assert_eq(read_start(9999, bytes, n, false), n < 14 ? BPEI_NOT : BPEI_MORE);
	}
	cr_assert_eq(read_start(53, bytes, 20, true), BPEI_NOT, "no more will come");
	cr_assert_eq(read_start(53, bytes, built.n + 2, false), BPEI_EACH);
	cr_assert_eq(read_start(9999, bytes, built.n + 2, false), BPEI_EACH);
	cr_assert_eq(app, BPE_APP_DNS);
	/* A transfer of a zone: the question suffices. */
	bpei_put_be16(bytes, 60000);
	memset(bytes + 2 + built.n, 0, sizeof bytes - 2 - built.n);
	cr_assert_eq(read_start(53, bytes, 100, false), BPEI_MORE);
	cr_assert_leq(want, 300);
	cr_assert_eq(read_start(53, bytes, want, false), BPEI_EACH);
	cr_assert_eq(read_start(9999, bytes, want, false), BPEI_NOT);
	bpei_put_be16(bytes, 11);
	cr_assert_eq(read_start(53, bytes, 100, false), BPEI_NOT, "shorter than a header");
}

Test(dns_recognise, mdns)
{
	build_header(&built, 0, 0, 2, 0, 0);
	build_question(&built, "_http._tcp.local", 12, 0x8001);
	build_question(&built, "host.local", 1, 1);
	cr_assert_eq(give_datagram(bpei_read_mdns, 5353, built.bytes, built.n), BPEI_EACH);
	cr_assert_eq(app, BPE_APP_MDNS);
	cr_assert_eq(give_datagram(bpei_read_mdns, 53, built.bytes, built.n), BPEI_NOT);
	cr_assert_eq(give_datagram(bpei_read_mdns, 5353, built.bytes, built.n - 1), BPEI_NOT);
	build_header(&built, 0, 0x8400, 0, 1, 0);
	build_a(&built, "host.local", 120, 0x0a000001);
	cr_assert_eq(give_datagram(bpei_read_mdns, 5353, built.bytes, built.n), BPEI_EACH);
	build_test_query();
	cr_assert_eq(give_datagram(bpei_read_mdns, 5353, built.bytes, built.n), BPEI_NOT,
		"recursion is desired: a resolver on this port");
	cr_assert_eq(give_datagram(bpei_read_dns, 5353, built.bytes, built.n), BPEI_EACH);
}

Test(dns_recognise, llmnr)
{
	build_header(&built, 0x77, 0, 1, 0, 0);
	build_question(&built, "fileserver", 28, 1);
	cr_assert_eq(give_datagram(bpei_read_llmnr, 5355, built.bytes, built.n), BPEI_EACH);
	cr_assert_eq(app, BPE_APP_LLMNR);
	cr_assert_eq(give_datagram(bpei_read_llmnr, 53, built.bytes, built.n), BPEI_NOT);
	for (uint32_t n = 0; n < built.n; n++)
		cr_assert_eq(give_datagram(bpei_read_llmnr, 5355, built.bytes, n), BPEI_NOT);
	built.bytes[3] = 0x80;
	cr_assert_eq(give_datagram(bpei_read_llmnr, 5355, built.bytes, built.n), BPEI_NOT,
		"recursion is available");
}
