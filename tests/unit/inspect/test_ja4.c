/* SPDX-License-Identifier: MIT */
/* JA4: the example of FoxIO's text, and the rules of its corners.  Values that the text does not
 * give are tshark 4.6.9's of the same bytes. */
#include "hello_bytes.h"

#include "inspect/client_hello.h"
#include "inspect/hello.h"

#include <criterion/criterion.h>

static struct bpei_inspector inspector = { .names = BPE_NAMES_TLS };

static void expect_ja4(const struct made *made, char transport, const char *expected)
{
	struct bpe_flow_names said = { 0 };

	cr_assert_eq(
		bpei_client_hello(made->bytes, made->n, transport, &inspector, &said), BPEI_DONE);
	cr_expect_str_eq(said.ja4, expected);
}

/* Ciphers, extensions and signature algorithms of the text, with GREASE in all of them. */
Test(ja4, example_of_the_text)
{
	static const uint16_t ciphers[] = { 0x8a8a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c,
		0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035 };
	static const uint16_t plain[] = { 0x001b, 0x0033, 0x4469, 0x0017, 0x002d, 0x0005, 0x0023,
		0x0012, 0xff01, 0x000b, 0x000a, 0x0015, 0xdada };
	static const uint16_t signatures[] = { 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501,
		0x0806, 0x0601 };
	static const uint16_t versions[] = { 0xfafa, 0x0304, 0x0303 };
	struct made made = { .n = 0 };
	const size_t body = make_client_start(&made, 0x0303, 0, ciphers, 16);
	const size_t extensions = make_open(&made, 2);

	make_extension(&made, 0x1a1a, "", 0);
	make_list_extension(&made, 13, 2, signatures, 8);
	make_server_name(&made, "www.example.com");
	make_protocols(&made, "h2 http/1.1");
	make_list_extension(&made, 43, 1, versions, 3);
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		make_extension(&made, plain[i], "", 0);
	make_close(&made, extensions, 2);
	make_close(&made, body, 3);
	expect_ja4(&made, 't', "t13d1516h2_8daaf6152771_e5627efa2ab1");
	expect_ja4(&made, 'q', "q13d1516h2_8daaf6152771_e5627efa2ab1");
}

/* Leaves the underscore out: the text's second hash. */
Test(ja4, no_signature_algorithms)
{
	static const uint16_t plain[] = { 0x0005, 0x000a, 0x000b, 0x000d, 0x0012, 0x0015, 0x0017,
		0x001b, 0x0023, 0x002b, 0x002d, 0x0033, 0x4469, 0xff01 };
	static const uint16_t cipher = 0x1301;
	struct made made = { .n = 0 };
	const size_t body = make_client_start(&made, 0x0303, 0, &cipher, 1);
	const size_t extensions = make_open(&made, 2);

	for (size_t i = 14; i-- > 0;)
		make_extension(&made, plain[i], "", 0);
	make_close(&made, extensions, 2);
	make_close(&made, body, 3);
	expect_ja4(&made, 't', "t12i011400_0f2cb44170f4_6d807ffa2a79");
}

/* Writes a hello with two ciphers and the protocol. */
static void make_protocol_hello(struct made *made, const void *protocol, size_t n)
{
	static const uint16_t ciphers[] = { 0x1301, 0x1302 };
	const size_t body = make_client_start(made, 0x0303, 0, ciphers, 2);
	const size_t extensions = make_open(made, 2);

	make_number(made, 2, 16);
	make_number(made, 2, n + 3);
	make_number(made, 2, n + 1);
	make_number(made, 1, n);
	make_bytes(made, protocol, n);
	make_close(made, extensions, 2);
	make_close(made, body, 3);
}

/* Compares with the five examples of the text, a single letter, and none. */
Test(ja4, letters_of_the_protocol)
{
	static const struct {
		const char *protocol;
		size_t n;
		const char *letters;
	} rows[] = { { "\xab", 1, "ab" }, { "\xab\xcd", 2, "ad" }, { "\x30\xab", 2, "3b" },
		{ "\x30\x31\xab\xcd", 4, "3d" }, { "\x30\xab\xcd\x31", 4, "01" }, { "h", 1, "hh" },
		{ "http/1.1", 8, "h1" }, { "", 0, "00" } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char expected[40] = "t12i0201.._62ed6f6ca7ad_000000000000";
		struct made made = { .n = 0 };
		memcpy(expected + 8, rows[i].letters, 2);
		make_protocol_hello(&made, rows[i].protocol, rows[i].n);
		expect_ja4(&made, 't', expected);
	}
}

/* Makes a hello with so many ciphers and extensions. */
static void make_many(struct made *made, uint16_t ciphers, uint16_t extensions)
{
	uint16_t numbers[2048];

	for (uint16_t i = 0; i < ciphers; i++)
		numbers[i] = (uint16_t)(i + 1);
	const size_t body = make_client_start(made, 0x0303, 0, numbers, ciphers);
	const size_t start = make_open(made, 2);
	for (uint16_t i = 0; i < extensions; i++)
		make_extension(made, (uint16_t)(1000 + i), "", 0);
	make_close(made, start, 2);
	make_close(made, body, 3);
}

Test(ja4, counts_end_at_99)
{
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };

	make_many(&made, 150, 120);
	expect_ja4(&made, 't', "t12i999900_2ddb91151f68_9a64cc934c88");
	made.n = 0;
	make_many(&made, 1025, 1);
	cr_assert_eq(bpei_client_hello(made.bytes, made.n, 't', &inspector, &said), BPEI_DONE);
	cr_expect_str_eq(said.ja4, "", "more than the lists hold: no fingerprint");
}

Test(ja4, empty_lists_are_zeros)
{
	static const uint16_t grease = 0x0a0a;
	struct made made = { .n = 0 };
	const size_t body = make_client_start(&made, 0x0301, 0, &grease, 1);

	make_close(&made, body, 3);
	expect_ja4(&made, 't', "t10i000000_000000000000_000000000000");
}

/* Takes the highest number, as the text says, although DTLS counts down. */
Test(ja4, versions_of_dtls)
{
	static const uint16_t ciphers[] = { 0x1301, 0x1302 };
	static const uint16_t versions[] = { 0xfefc, 0xfefd };
	static const uint16_t signature = 0x0403;
	struct made made = { .n = 0 };
	const size_t body = make_client_start(&made, 0xfefd, 1, ciphers, 2);
	const size_t extensions = make_open(&made, 2);

	make_list_extension(&made, 43, 1, versions, 2);
	make_list_extension(&made, 13, 2, &signature, 1);
	make_close(&made, extensions, 2);
	make_close(&made, body, 3);
	expect_ja4(&made, 'd', "dd2i020200_62ed6f6ca7ad_3953dc75acc4");
}
