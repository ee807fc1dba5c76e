/* SPDX-License-Identifier: MIT */
/* JA3: the two examples of Salesforce's text, and GREASE. */
#include "hello_bytes.h"

#include "inspect/client_hello.h"

#include <criterion/criterion.h>

static struct bpei_inspector inspector = { .names = BPE_NAMES_TLS | BPE_NAMES_JA3 };

static void expect_ja3(const struct made *made, const char *expected)
{
	struct bpe_flow_names said = { 0 };

	cr_assert_eq(bpei_client_hello(made->bytes, made->n, 't', &inspector, &said), BPEI_DONE);
	cr_expect_str_eq(said.ja3, expected);
}

/* 769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0 */
Test(ja3, example_of_the_text)
{
	static const uint16_t ciphers[] = { 47, 53, 0x4a4a, 5, 10, 49161, 49162, 49171, 49172, 50,
		56, 19, 4 };
	static const uint16_t groups[] = { 0x6a6a, 23, 24, 25 };
	struct made made = { .n = 0 };
	const size_t body = make_client_start(&made, 769, 0, ciphers, 13);
	const size_t extensions = make_open(&made, 2);

	make_extension(&made, 0x5a5a, "", 0);
	make_server_name(&made, "www.example.com");
	make_list_extension(&made, 10, 2, groups, 4);
	make_extension(&made, 11, "\1\0", 2);
	make_close(&made, extensions, 2);
	make_close(&made, body, 3);
	expect_ja3(&made, "ada70206e40642a3e4461f35503241d5");
}

/* 769,4-5-10-9-100-98-3-6-19-18-99,,, */
Test(ja3, example_without_extensions)
{
	static const uint16_t ciphers[] = { 4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99 };
	struct made made = { .n = 0 };
	const size_t body = make_client_start(&made, 769, 0, ciphers, 11);

	make_close(&made, body, 3);
	expect_ja3(&made, "de350869b8c85de67a350c8d186f11e6");
}
