/* SPDX-License-Identifier: MIT */
/* ClientHellos made by hand: read whole, cut at each byte, and with each length wrong. */
#include "hello_bytes.h"

#include "inspect/client_hello.h"

#include <criterion/criterion.h>

static struct bpei_inspector inspector = { .names = BPE_NAMES_ALL };

/* Reads a hello from memory of the exact length. */
static enum bpei_verdict read_copy(
	const uint8_t *bytes, size_t n, char transport, struct bpe_flow_names *said)
{
	uint8_t *copy = copy_exact(bytes, n);
	const enum bpei_verdict verdict = bpei_client_hello(copy, n, transport, &inspector, said);

	free(copy);
	return verdict;
}

static bool is_empty(const struct bpe_flow_names *said)
{
	static const struct bpe_flow_names empty;
	return !memcmp(said, &empty, sizeof empty);
}

Test(client_hello, says_names_protocols_and_versions)
{
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };

	make_usual_hello(&made, "www.example.com", 100);
	cr_assert_eq(read_copy(made.bytes, made.n, 't', &said), BPEI_DONE);
	cr_expect_str_eq(said.server, "www.example.com");
	cr_expect_eq(said.source, BPE_NAME_TLS);
	cr_expect_str_eq(said.alpn, "h2,http/1.1");
	cr_expect_eq(said.tls_version, 0x0304, "GREASE does not count");
	/* tshark 4.6.9 says the same of these bytes */
	cr_expect_str_eq(said.ja4, "t13d0306h2_40b44b994229_ad2800a1986b");
	cr_expect_str_eq(said.ja3, "", "not asked for");
	cr_expect_eq(said.flags, 0);
	cr_expect_eq(bpei_hello_bytes(made.bytes, made.n), made.n);
	cr_expect_eq(bpei_hello_bytes(made.bytes, 3), 4);
}

Test(client_hello, transports_differ_in_source_and_letter)
{
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };

	make_usual_hello(&made, "www.example.com", 0);
	cr_assert_eq(read_copy(made.bytes, made.n, 'q', &said), BPEI_DONE);
	cr_expect_eq(said.source, BPE_NAME_QUIC);
	cr_expect_eq(said.ja4[0], 'q');
	memset(&said, 0, sizeof said);
	cr_expect_eq(read_copy(made.bytes, made.n, 'd', &said), BPEI_NOT, "no version of DTLS");
	cr_expect(is_empty(&said));
}

/* Cuts a hello at each byte: MORE up to the last, and no read behind. */
Test(client_hello, every_cut)
{
	struct made made = { .n = 0 };

	make_usual_hello(&made, "www.example.com", 40);
	for (size_t n = 0; n < made.n; n++) {
		struct bpe_flow_names said = { 0 };
		cr_assert_eq(read_copy(made.bytes, n, 't', &said), BPEI_MORE, "%zu bytes", n);
		cr_assert(is_empty(&said));
	}
	for (size_t more = 0; more < 3; more++) {
		struct bpe_flow_names said = { 0 };
		cr_assert_eq(read_copy(made.bytes, made.n + more, 't', &said), BPEI_DONE);
	}
}

/* Reads parts: whole names, and no fingerprint. */
Test(client_hello, every_part)
{
	struct made made = { .n = 0 };
	size_t with_name = 0;

	make_usual_hello(&made, "www.example.com", 40);
	for (size_t n = 0; n < made.n; n++) {
		struct bpe_flow_names said = { 0 };
		uint8_t *copy = copy_exact(made.bytes, n);
		const enum bpei_verdict verdict =
			bpei_client_hello_part(copy, n, 't', &inspector, &said);
		free(copy);
		cr_assert_eq(verdict, n < 4 ? BPEI_NOT : BPEI_DONE, "%zu bytes", n);
		cr_assert_str_eq(said.ja4, "");
		cr_assert(!said.server[0] || !strcmp(said.server, "www.example.com"));
		cr_assert(!said.tls_version || said.tls_version == 0x0304);
		cr_assert(n < 4 || said.flags == BPE_NAMED_CUT);
		with_name += said.server[0] != 0;
	}
	cr_expect_geq(with_name, 60);
}

/* Changes each length of a hello. */
Test(client_hello, every_length_lies)
{
	/* places and widths: message, session, ciphers, compression, extensions, first extension */
	static const struct {
		size_t at, width;
	} fields[] = { { 1, 3 }, { 38, 1 }, { 39, 2 }, { 49, 1 }, { 51, 2 }, { 55, 2 } };
	struct made made = { .n = 0 };

	make_usual_hello(&made, "www.example.com", 0);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		for (int by = -3; by <= 3; by++) {
			struct made lie = made;
			struct bpe_flow_names said = { 0 };
			uint8_t *low = &lie.bytes[fields[i].at + fields[i].width - 1];
			/* an extension two bytes longer or shorter is a list of others */
			if (!by || (fields[i].at == 55 && by % 2 == 0))
				continue;
			*low = (uint8_t)(*low + by);
			const enum bpei_verdict verdict = read_copy(lie.bytes, lie.n, 't', &said);
			cr_expect_neq(verdict, BPEI_DONE, "field at %zu by %d", fields[i].at, by);
			cr_expect(is_empty(&said));
		}
	}
}

/* Changes each byte: no read behind the end, and nothing said at NOT. */
Test(client_hello, every_byte_changed)
{
	static const uint8_t others[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct made made = { .n = 0 };

	make_usual_hello(&made, "www.example.com", 8);
	for (size_t at = 0; at < made.n; at++) {
		for (size_t i = 0; i < sizeof others; i++) {
			struct made lie = made;
			struct bpe_flow_names said = { 0 };
			lie.bytes[at] = others[i];
			if (read_copy(lie.bytes, lie.n, 't', &said) != BPEI_DONE)
				cr_assert(is_empty(&said));
			else
				cr_assert(strlen(said.server) < 256 && strlen(said.ja4) == 36);
		}
	}
}

/* Makes a hello with an extension. */
static void make_with(struct made *made, const struct made *extension)
{
	static const uint16_t cipher = 0x1301;
	const size_t body = make_client_start(made, 0x0303, 0, &cipher, 1);
	const size_t extensions = make_open(made, 2);

	make_bytes(made, extension->bytes, extension->n);
	make_close(made, extensions, 2);
	make_close(made, body, 3);
}

Test(client_hello, ech_is_told_and_only_a_public_name_is_outer)
{
	static const char *const names[] = { "www.example.com", "cloudflare-ech.com" };

	for (unsigned i = 0; i < 2; i++) {
		struct made extension = { .n = 0 };
		struct made made = { .n = 0 };
		struct bpe_flow_names said = { 0 };
		make_server_name(&extension, names[i]);
		make_with(&made, &extension);
		cr_assert_eq(read_copy(made.bytes, made.n, 't', &said), BPEI_DONE);
		cr_expect_eq(said.flags, 0, "no ECH");
		make_extension(&extension, 0xfe0d, "\0\0\1\0\1\7", 6);
		made.n = 0;
		make_with(&made, &extension);
		cr_assert_eq(read_copy(made.bytes, made.n, 't', &said), BPEI_DONE);
		cr_expect_eq(said.flags, BPE_NAMED_ECH | (i ? BPE_NAMED_OUTER : 0));
		cr_expect_str_eq(said.server, names[i]);
	}
}

Test(client_hello, the_choice_of_a_server_stays)
{
	struct made made = { .n = 0 };
	struct bpe_flow_names said = {
		.flags = BPE_NAMED_SERVER, .tls_version = 0x0303, .alpn = "http/1.1"
	};

	make_usual_hello(&made, "www.example.com", 0);
	cr_assert_eq(read_copy(made.bytes, made.n, 't', &said), BPEI_DONE);
	cr_expect_eq(said.tls_version, 0x0303);
	cr_expect_str_eq(said.alpn, "http/1.1");
	cr_expect_str_eq(said.server, "www.example.com");
}

Test(client_hello, names_that_do_not_fit_are_left_out)
{
	char longest[256];
	struct made extension = { .n = 0 };
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };

	memset(longest, 'a', 255);
	longest[255] = 0;
	make_server_name(&extension, longest);
	make_protocols(&extension, "h3 h3-29 h3-28 h3-27 h2 http/1.1 spdy/3");
	make_with(&made, &extension);
	cr_assert_eq(read_copy(made.bytes, made.n, 't', &said), BPEI_DONE);
	cr_expect_str_eq(said.server, longest);
	cr_expect_str_eq(said.alpn, "h3,h3-29,h3-28,h3-27,h2");
	cr_expect_eq(said.flags, BPE_NAMED_CUT);

	extension.n = 0;
	longest[0] = '\n'; /* 4 letters */
	make_server_name(&extension, longest);
	made.n = 0;
	memset(&said, 0, sizeof said);
	make_with(&made, &extension);
	cr_assert_eq(read_copy(made.bytes, made.n, 't', &said), BPEI_DONE);
	cr_expect_str_eq(said.server, "");
	cr_expect_eq(said.source, BPE_NAME_NONE);
	cr_expect_eq(said.flags, BPE_NAMED_CUT);
}

Test(client_hello, malformed_lists_say_nothing)
{
	/* a list longer than its extension; a name longer than its list; no list at all */
	static const struct {
		uint16_t type;
		const char *data;
		size_t n;
	} rows[] = { { 0, "\0\7\0\0\1a", 6 }, { 0, "\0\4\0\0\2a", 6 }, { 0, "", 0 },
		{ 16, "\0\4\2h2", 5 }, { 16, "\0\3\3h2", 5 }, { 43, "\3\3\4", 3 } };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct made extension = { .n = 0 };
		struct made made = { .n = 0 };
		struct bpe_flow_names said = { 0 };
		make_extension(&extension, rows[i].type, rows[i].data, rows[i].n);
		make_with(&made, &extension);
		cr_assert_eq(read_copy(made.bytes, made.n, 't', &said), BPEI_DONE, "row %zu", i);
		cr_expect_str_eq(said.server, "");
		cr_expect_str_eq(said.alpn, "");
		cr_expect_eq(said.tls_version, 0x0303, "row %zu: %x", i, said.tls_version);
	}
}
