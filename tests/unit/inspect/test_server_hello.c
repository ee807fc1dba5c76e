/* SPDX-License-Identifier: MIT */
/* ServerHellos made by hand. */
#include "hello_bytes.h"

#include "inspect/server_hello.h"

#include <criterion/criterion.h>

/* Makes a ServerHello with the extensions' bytes; NULL: it ends before them. */
static void make_server(struct made *made, uint16_t version, const struct made *extensions)
{
	make_number(made, 1, 2);
	const size_t body = make_open(made, 3);
	make_number(made, 2, version);
	for (uint8_t i = 0; i < 32; i++)
		make_number(made, 1, i);
	make_number(made, 1, 0);
	make_number(made, 2, 0xc02f);
	make_number(made, 1, 0);
	if (extensions) {
		make_number(made, 2, extensions->n);
		make_bytes(made, extensions->bytes, extensions->n);
	}
	make_close(made, body, 3);
}

static enum bpei_verdict read_server_copy(
	const struct made *made, size_t n, char transport, struct bpe_flow_names *said)
{
	uint8_t *copy = copy_exact(made->bytes, n);
	const enum bpei_verdict verdict = bpei_server_hello(copy, n, transport, said);

	free(copy);
	return verdict;
}

Test(server_hello, up_to_tls_12_the_protocol_is_the_servers_choice)
{
	struct made extensions = { .n = 0 };
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { .alpn = "h2,http/1.1" };

	make_protocols(&extensions, "h2");
	make_server(&made, 0x0303, &extensions);
	cr_assert_eq(read_server_copy(&made, made.n, 't', &said), BPEI_DONE);
	cr_expect_eq(said.tls_version, 0x0303);
	cr_expect_eq(said.tls_cipher, 0xc02f);
	cr_expect_eq(said.flags, BPE_NAMED_SERVER);
	cr_expect_str_eq(said.alpn, "h2");

	made.n = 0;
	make_server(&made, 0x0301, NULL);
	cr_assert_eq(read_server_copy(&made, made.n, 't', &said), BPEI_DONE);
	cr_expect_eq(said.tls_version, 0x0301);
	cr_expect_str_eq(said.alpn, "", "the server chose none");
}

Test(server_hello, tls_13_hides_the_protocol)
{
	struct made extensions = { .n = 0 };
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { .alpn = "h2,http/1.1" };

	make_extension(&extensions, 43, "\3\4", 2);
	make_server(&made, 0x0303, &extensions);
	cr_assert_eq(read_server_copy(&made, made.n, 't', &said), BPEI_DONE);
	cr_expect_eq(said.tls_version, 0x0304);
	cr_expect_str_eq(said.alpn, "h2,http/1.1");
	cr_expect(bpei_server_encrypts(said.tls_version));
	cr_expect(!bpei_server_encrypts(0x0303) && bpei_server_encrypts(0xfefc));
}

/* Reads draft 18 of TLS 1.3, without session and compression. */
Test(server_hello, early_drafts_are_shorter)
{
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };

	make_number(&made, 1, 2);
	const size_t body = make_open(&made, 3);
	make_number(&made, 2, 0x7f12);
	for (uint8_t i = 0; i < 32; i++)
		make_number(&made, 1, i);
	make_number(&made, 2, 0x1301);
	make_number(&made, 2, 0);
	make_close(&made, body, 3);
	cr_assert_eq(read_server_copy(&made, made.n, 't', &said), BPEI_DONE);
	cr_expect_eq(said.tls_version, 0x7f12);
	cr_expect_eq(said.tls_cipher, 0x1301);
}

Test(server_hello, every_cut_and_every_lie)
{
	static const struct bpe_flow_names empty;
	static const size_t lengths[] = { 3, 38, 43, 47 };
	struct made extensions = { .n = 0 };
	struct made made = { .n = 0 };

	make_protocols(&extensions, "h2");
	make_server(&made, 0x0303, &extensions);
	for (size_t n = 0; n < made.n; n++) {
		struct bpe_flow_names said = { 0 };
		cr_assert_eq(read_server_copy(&made, n, 't', &said), BPEI_MORE);
		cr_assert(!memcmp(&said, &empty, sizeof said));
	}
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		for (int by = -3; by <= 3; by++) {
			struct made lie = made;
			struct bpe_flow_names said = { 0 };
			if (!by)
				continue;
			lie.bytes[lengths[i]] = (uint8_t)(lie.bytes[lengths[i]] + by);
			cr_expect_neq(read_server_copy(&lie, lie.n, 't', &said), BPEI_DONE,
				"%zu by %d", lengths[i], by);
			cr_expect(!memcmp(&said, &empty, sizeof said));
		}
	}
}

Test(server_hello, transports_have_their_versions)
{
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };

	make_server(&made, 0xfefd, NULL);
	cr_expect_eq(read_server_copy(&made, made.n, 't', &said), BPEI_NOT);
	cr_expect_eq(read_server_copy(&made, made.n, 'd', &said), BPEI_DONE);
	cr_expect_eq(said.tls_version, 0xfefd);
	made.n = 0;
	make_server(&made, 0x0303, NULL);
	cr_expect_eq(read_server_copy(&made, made.n, 'd', &said), BPEI_NOT);
}
