/* SPDX-License-Identifier: MIT */
/* The reader of TLS, given a direction in all cuts, as by the namer. */
#include "hello_bytes.h"

#include "inspect/tls.h"
#include "inspect/tls_records.h"

#include <criterion/criterion.h>

static struct bpei_inspector inspector = { .names = BPE_NAMES_ALL };

/* Reads n bytes of a direction. */
static enum bpei_verdict read_tls_bytes(
	const uint8_t *bytes, size_t n, bool last, uint32_t *want, struct bpe_flow_names *said)
{
	struct bpei_stream stream = {
		.bytes = copy_exact(bytes, n), .n = (uint32_t)n, .last = last
	};
	const enum bpei_verdict verdict = bpei_read_tls(&inspector, &stream, said);

	free((void *)(uintptr_t)stream.bytes);
	*want = stream.want;
	return verdict;
}

/* Feeds a direction in segments of `step` bytes; calls the reader when there are enough bytes.
 * Returns the last verdict, and the number of calls. */
static enum bpei_verdict feed_segments(
	const struct made *made, size_t step, size_t *calls, struct bpe_flow_names *said)
{
	enum bpei_verdict verdict = BPEI_MORE;
	uint32_t want = 0;

	*calls = 0;
	for (size_t n = step; verdict == BPEI_MORE; n += step) {
		const bool last = n >= made->n;
		if (last)
			n = made->n;
		if (n < want && !last)
			continue;
		const uint32_t before = want;
		verdict = read_tls_bytes(made->bytes, n, last, &want, said);
		++*calls;
		cr_assert(verdict != BPEI_MORE || (want > n && want > before));
		if (last)
			break;
	}
	return verdict;
}

Test(tls, hello_in_segments_of_each_size)
{
	struct made hello = { .n = 0 };
	struct made made = { .n = 0 };

	make_usual_hello(&hello, "www.example.com", 1400); /* as long as with X25519MLKEM768 */
	make_tls_records(&made, 22, hello.bytes, hello.n, 16384);
	for (size_t step = 1; step <= made.n; step++) {
		struct bpe_flow_names said = { 0 };
		size_t calls;
		cr_assert_eq(feed_segments(&made, step, &calls, &said), BPEI_DONE, "%zu", step);
		cr_assert_str_eq(said.server, "www.example.com");
		cr_assert_leq(calls, 4);
	}
}

/* Recognises the protocol and says nothing, if only protocols are asked for. */
Test(tls, names_that_nobody_asked_for)
{
	static const struct bpe_flow_names empty;
	struct bpei_inspector apps = { .names = BPE_NAMES_APPS };
	struct made hello = { .n = 0 };
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };

	make_usual_hello(&hello, "www.example.com", 0);
	make_tls_records(&made, 22, hello.bytes, hello.n, 16384);
	struct bpei_stream stream = { .bytes = made.bytes, .n = (uint32_t)made.n };
	cr_expect_eq(bpei_read_tls(&apps, &stream, &said), BPEI_DONE);
	cr_expect(!memcmp(&said, &empty, sizeof said));
}

/* Counts the calls: records of a byte each do not bring a call each. */
Test(tls, hello_in_records_of_each_size)
{
	struct made hello = { .n = 0 };

	make_usual_hello(&hello, "www.example.com", 400);
	for (size_t size = 1; size <= hello.n; size++) {
		struct made made = { .n = 0 };
		struct bpe_flow_names said = { 0 };
		size_t calls;
		make_tls_records(&made, 22, hello.bytes, hello.n, size);
		cr_assert_eq(feed_segments(&made, 1, &calls, &said), BPEI_DONE, "%zu", size);
		cr_assert_str_eq(said.server, "www.example.com");
		cr_assert_str_eq(said.ja4, "t13d0306h2_40b44b994229_ad2800a1986b");
		cr_assert_leq(calls, 60, "%zu calls for records of %zu", calls, size);
	}
}

Test(tls, a_hello_that_ends_early_says_a_part)
{
	struct made hello = { .n = 0 };
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };
	uint32_t want;

	make_usual_hello(&hello, "www.example.com", 400);
	make_tls_records(&made, 22, hello.bytes, hello.n, 16384);
	cr_expect_eq(read_tls_bytes(made.bytes, made.n - 1, false, &want, &said), BPEI_MORE);
	cr_expect_eq(want, made.n);
	cr_expect_eq(read_tls_bytes(made.bytes, made.n - 1, true, &want, &said), BPEI_DONE);
	cr_expect_str_eq(said.server, "www.example.com");
	cr_expect_str_eq(said.ja4, "");
	cr_expect_eq(said.flags, BPE_NAMED_CUT);
}

Test(tls, a_hello_longer_than_the_stream_says_a_part)
{
	static struct made hello;
	static struct made made;
	static const uint8_t zeros[14000];
	struct bpe_flow_names said = { 0 };
	size_t calls;

	make_usual_hello(&hello, "www.example.com", 4096);
	make_extension(&hello, 21, zeros, sizeof zeros);
	make_close(&hello, 4, 3);
	make_close(&hello, 4 + 2 + 32 + 1 + 2 + 8 + 2 + 2, 2);
	make_tls_records(&made, 22, hello.bytes, hello.n, 16384);
	cr_assert_eq(feed_segments(&made, 1448, &calls, &said), BPEI_DONE);
	cr_expect_str_eq(said.server, "www.example.com");
	cr_expect_eq(said.flags, BPE_NAMED_CUT);
	cr_expect_leq(calls, 5);
}

/* Makes the flight of a server up to TLS 1.2, in records of `size`. */
static void make_flight(struct made *made, size_t size, bool certificate, const void *tail)
{
	static const uint8_t der[] = "\x30\x81\x80\x30\x7e\2\1\1\x30\0"
				     "\x30\x0d\x31\x0b\x30\x09\6\3\x55\4\3\x0c\2ca"
				     "\x30\0\x30\x0e\x31\x0c\x30\x0a\6\3\x55\4\3\x0c\3www";
	struct made plain = { .n = 0 };

	make_number(&plain, 4, 0); /* HelloRequest */
	make_number(&plain, 1, 2);
	size_t body = make_open(&plain, 3);
	make_number(&plain, 2, 0x0303);
	make_bytes(&plain, (uint8_t[33]){ 7 }, 33);
	make_number(&plain, 3, 0xc02f00);
	make_close(&plain, body, 3);
	if (certificate) {
		make_number(&plain, 1, 11);
		body = make_open(&plain, 3);
		const size_t list = make_open(&plain, 3);
		const size_t first = make_open(&plain, 3);
		make_bytes(&plain, der, sizeof der - 1);
		make_bytes(&plain, (uint8_t[131]){ 0 }, 131 - (sizeof der - 1));
		make_close(&plain, first, 3);
		make_close(&plain, list, 3);
		make_close(&plain, body, 3);
	}
	make_bytes(&plain, tail, 4);
	make_tls_records(made, 22, plain.bytes, plain.n, size);
}

Test(tls, certificate_in_records_and_segments)
{
	for (size_t size = 1; size < 250; size++) {
		struct made made = { .n = 0 };
		struct bpe_flow_names said = { 0 };
		size_t calls;
		make_flight(&made, size, true, "\16\0\0\0");
		cr_assert_eq(feed_segments(&made, 1, &calls, &said), BPEI_DONE, "%zu", size);
		cr_assert_str_eq(said.subject, "CN=www", "records of %zu", size);
		cr_assert_str_eq(said.issuer, "CN=ca");
		cr_assert_eq(said.tls_cipher, 0xc02f);
		cr_assert_leq(calls, 150, "%zu calls for records of %zu", calls, size);
	}
}

Test(tls, a_resumed_session_has_no_certificate)
{
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };
	size_t calls;

	make_flight(&made, 300, false, "\4\0\0\0"); /* NewSessionTicket */
	cr_assert_eq(feed_segments(&made, 1, &calls, &said), BPEI_DONE);
	cr_expect_eq(said.tls_version, 0x0303);
	cr_expect_str_eq(said.subject, "");
}

Test(tls, a_warning_before_the_hello_is_passed)
{
	static const uint8_t warning[] = { 21, 3, 1, 0, 2, 1, 112 };
	static const uint8_t refusal[] = { 21, 3, 1, 0, 2, 2, 40 };
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };
	size_t calls;
	uint32_t want;

	make_bytes(&made, warning, sizeof warning);
	make_flight(&made, 300, true, "\16\0\0\0");
	cr_assert_eq(feed_segments(&made, 1, &calls, &said), BPEI_DONE);
	cr_expect_str_eq(said.subject, "CN=www");
	cr_expect_eq(read_tls_bytes(refusal, 7, false, &want, &said), BPEI_DONE);
	cr_expect_eq(read_tls_bytes(refusal, 5, false, &want, &said), BPEI_MORE);
	cr_expect_eq(want, 7);
	cr_expect_eq(read_tls_bytes((const uint8_t *)"\x15\3\1\0\3\2\x28", 7, false, &want, &said),
		BPEI_NOT);
}

/* Conversations from before the capture: whole records, or two heads. */
Test(tls, the_middle_of_a_conversation)
{
	struct made made = { .n = 0 };
	struct bpe_flow_names said = { 0 };
	uint32_t want;

	make_tls_records(&made, 23, (uint8_t[100]){ 9 }, 100, 100);
	cr_expect_eq(read_tls_bytes(made.bytes, made.n, false, &want, &said), BPEI_DONE);
	cr_expect_eq(read_tls_bytes(made.bytes, 50, false, &want, &said), BPEI_MORE);
	cr_expect_eq(want, made.n + 5);
	make_bytes(&made, "GET /", 5);
	cr_expect_eq(read_tls_bytes(made.bytes, made.n, false, &want, &said), BPEI_NOT);
	cr_expect_eq(read_tls_bytes(made.bytes, 50, true, &want, &said), BPEI_NOT);
}

Test(tls, hellos_of_ssl_2)
{
	static const uint8_t ciphers[6] = { 0, 0, 4, 0, 0, 5 };
	struct made made = { .n = 0 };
	uint32_t want;

	make_number(&made, 2, 0x8000 | (9 + 6 + 16));
	make_number(&made, 3, 0x010301);
	make_number(&made, 6, 0x000600000010);
	make_bytes(&made, ciphers, 6);
	make_bytes(&made, (uint8_t[16]){ 3 }, 16);
	for (size_t n = 1; n <= made.n; n++) {
		struct bpe_flow_names said = { 0 };
		const enum bpei_verdict verdict =
			read_tls_bytes(made.bytes, n, false, &want, &said);
		cr_assert_eq(verdict, n < made.n ? BPEI_MORE : BPEI_DONE, "%zu bytes", n);
		cr_assert_eq(said.tls_version, n < made.n ? 0 : 0x0301);
	}
	for (size_t at = 0; at < 11; at++) {
		struct made lie = made;
		struct bpe_flow_names said = { 0 };
		lie.bytes[at] ^= 1;
		if (at != 4) /* version 3.0 is there as well */
			cr_expect_eq(read_tls_bytes(lie.bytes, lie.n, false, &want, &said),
				BPEI_NOT, "byte %zu", at);
	}
}

/* Gives payload that begins as TLS does. */
Test(tls, foreign_payload)
{
	static const char *const rows[] = { "GET / HTTP/1.1\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
		"\x16\x04\1\1\1\1\1\1\1", "\x16\3\1\x7f\xff\1\1\1\1", "\x16\3\1\1\1\5\1\1\1\1\1\1",
		"\x17\3\3\1\2ab", "\x14\3\3\1\1\1", "\x19\3\3\1\1\1", "\x18\3\3\1\1\1",
		"\x16\3\1\1\1\1\1\1\1\2\2" };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bpe_flow_names said = { 0 };
		uint32_t want;
		const enum bpei_verdict verdict = read_tls_bytes(
			(const uint8_t *)rows[i], strlen(rows[i]), true, &want, &said);
		cr_expect_eq(verdict, BPEI_NOT, "row %zu: %d", i, verdict);
	}
}
