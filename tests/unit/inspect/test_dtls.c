/* SPDX-License-Identifier: MIT */
/* The reader of DTLS: fragments over datagrams, in each order. */
#include "hello_bytes.h"

#include "inspect/dtls_fragments.h"
#include "inspect/tls.h"

#include <criterion/criterion.h>

static struct bpei_inspector inspector = { .names = BPE_NAMES_ALL };

/* Datagrams of a direction. */
struct flight {
	struct made made;
	uint16_t ends[BPEI_DATAGRAMS_MOST];
	uint32_t n;
};

static void end_datagram(struct flight *flight)
{
	flight->ends[flight->n++] = (uint16_t)flight->made.n;
}

/* Adds a record with a part of a handshake message, which is as TLS writes it. */
static void add_dtls_part(
	struct flight *flight, const struct made *message, uint16_t number, size_t from, size_t to)
{
	struct made *made = &flight->made;

	make_number(made, 1, 22);
	make_number(made, 2, 0xfefd);
	make_number(made, 8, 0); /* epoch and number of the record */
	make_number(made, 2, 12 + to - from);
	make_bytes(made, message->bytes, 4);
	make_number(made, 2, number);
	make_number(made, 3, from);
	make_number(made, 3, to - from);
	make_bytes(made, message->bytes + 4 + from, to - from);
}

/* Adds a record of another type. */
static void add_dtls_record(struct flight *flight, uint8_t type, uint16_t epoch, size_t n)
{
	make_number(&flight->made, 1, type);
	make_number(&flight->made, 2, 0xfefd);
	make_number(&flight->made, 2, epoch);
	make_number(&flight->made, 6, 1);
	make_number(&flight->made, 2, n);
	make_bytes(&flight->made, (uint8_t[64]){ 1 }, n);
}

static enum bpei_verdict read_flight(
	const struct flight *flight, bool last, uint32_t *want, struct bpe_flow_names *said)
{
	struct bpei_stream stream = { .bytes = copy_exact(flight->made.bytes, flight->made.n),
		.n = (uint32_t)flight->made.n,
		.ends = flight->ends,
		.datagrams = flight->n,
		.last = last };
	const enum bpei_verdict verdict = bpei_read_dtls(&inspector, &stream, said);

	free((void *)(uintptr_t)stream.bytes);
	*want = stream.want;
	return verdict;
}

static void make_dtls_hello(struct made *made)
{
	static const uint16_t ciphers[] = { 0xc02b, 0xc02f };
	static const uint16_t signature = 0x0403;
	const size_t body = make_client_start(made, 0xfefd, 1, ciphers, 2);
	const size_t extensions = make_open(made, 2);

	make_server_name(made, "dtls.example.com");
	make_list_extension(made, 13, 2, &signature, 1);
	make_close(made, extensions, 2);
	make_close(made, body, 3);
}

static void expect_hello(const struct bpe_flow_names *said)
{
	cr_assert_str_eq(said->server, "dtls.example.com");
	cr_assert_eq(said->source, BPE_NAME_TLS);
	cr_assert_eq(said->tls_version, 0xfefd);
	cr_assert_eq(said->ja4[0], 'd');
	cr_assert_eq(said->flags, 0);
}

/* Sends three fragments, cut at all places, each in a datagram, in all orders. */
Test(dtls, fragments_in_each_order)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
		{ 2, 0, 1 }, { 2, 1, 0 } };
	struct made hello = { .n = 0 };

	make_dtls_hello(&hello);
	for (size_t a = 1; a < hello.n - 5; a += 3) {
		for (size_t b = a + 1; b < hello.n - 4; b += 5) {
			const size_t cuts[4] = { 0, a, b, hello.n - 4 };
			for (int o = 0; o < 6; o++) {
				struct flight flight = { .n = 0 };
				struct bpe_flow_names said = { 0 };
				uint32_t want;
				for (int k = 0; k < 3; k++) {
					const uint8_t part = orders[o][k];
					add_dtls_part(
						&flight, &hello, 0, cuts[part], cuts[part + 1]);
					end_datagram(&flight);
					const enum bpei_verdict verdict =
						read_flight(&flight, false, &want, &said);
					cr_assert_eq(verdict, k < 2 ? BPEI_MORE : BPEI_DONE);
					cr_assert(k == 2 || want == flight.n + 1);
				}
				expect_hello(&said);
			}
		}
	}
}

/* Sends fragments that overlap, and the hello again with a cookie. */
Test(dtls, overlaps_and_second_hellos)
{
	struct made hello = { .n = 0 };
	struct flight flight = { .n = 0 };
	struct bpe_flow_names said = { 0 };
	uint32_t want;

	make_dtls_hello(&hello);
	add_dtls_part(&flight, &hello, 0, 10, 40); /* of the first hello no more arrives */
	end_datagram(&flight);
	cr_expect_eq(read_flight(&flight, false, &want, &said), BPEI_MORE);
	add_dtls_part(&flight, &hello, 1, 30, hello.n - 4);
	add_dtls_part(&flight, &hello, 1, 0, 50);
	end_datagram(&flight);
	cr_expect_eq(read_flight(&flight, false, &want, &said), BPEI_DONE);
	expect_hello(&said);
}

Test(dtls, other_datagrams_of_the_flow_are_passed)
{
	struct made hello = { .n = 0 };
	struct flight flight = { .n = 0 };
	struct bpe_flow_names said = { 0 };
	uint32_t want;

	make_dtls_hello(&hello);
	add_dtls_part(&flight, &hello, 0, 0, 20);
	end_datagram(&flight);
	make_bytes(&flight.made, "\0\1\0\0\x21\x12\xa4\x42 STUN", 13);
	end_datagram(&flight);
	add_dtls_part(&flight, &hello, 0, 20, hello.n - 4);
	end_datagram(&flight);
	cr_expect_eq(read_flight(&flight, false, &want, &said), BPEI_DONE);
	expect_hello(&said);
}

Test(dtls, a_hello_cut_off_says_a_part)
{
	struct made hello = { .n = 0 };
	struct flight flight = { .n = 0 };
	struct bpe_flow_names said = { 0 };
	uint32_t want;

	make_dtls_hello(&hello);
	add_dtls_part(&flight, &hello, 0, 0, hello.n - 6);
	end_datagram(&flight);
	cr_expect_eq(read_flight(&flight, true, &want, &said), BPEI_DONE);
	cr_expect_str_eq(said.server, "dtls.example.com");
	cr_expect_str_eq(said.ja4, "");
	cr_expect_eq(said.flags, BPE_NAMED_CUT);
}

static void make_dtls_server(struct made *made)
{
	make_number(made, 1, 2);
	const size_t body = make_open(made, 3);
	make_number(made, 2, 0xfefd);
	make_bytes(made, (uint8_t[33]){ 7 }, 33);
	make_number(made, 3, 0xc02b00);
	make_close(made, body, 3);
}

/* Sends HelloVerifyRequest, the hello, and a certificate in two parts, the second part first. */
Test(dtls, the_servers_flight)
{
	static const uint8_t der[] = "\x30\x3d\x30\x3b\2\1\1\x30\0"
				     "\x30\x0d\x31\x0b\x30\x09\6\3\x55\4\3\x0c\2ca"
				     "\x30\0\x30\x0e\x31\x0c\x30\x0a\6\3\x55\4\3\x0c\3www\x30\x12";
	struct made verify = { .bytes = "\3\0\0\3\xfe\xff\0", .n = 7 };
	struct made hello = { .n = 0 };
	struct made certificate = { .n = 0 };
	struct flight flight = { .n = 0 };
	struct bpe_flow_names said = { 0 };
	uint32_t want;

	make_dtls_server(&hello);
	make_number(&certificate, 1, 11);
	const size_t body = make_open(&certificate, 3);
	make_number(&certificate, 3, 3 + 63);
	make_number(&certificate, 3, 63);
	make_bytes(&certificate, der, sizeof der - 1);
	make_bytes(&certificate, (uint8_t[63]){ 0 }, 63 - (sizeof der - 1));
	make_close(&certificate, body, 3);
	add_dtls_part(&flight, &verify, 0, 0, 3);
	end_datagram(&flight);
	cr_expect_eq(read_flight(&flight, false, &want, &said), BPEI_MORE);
	add_dtls_part(&flight, &hello, 1, 0, hello.n - 4);
	end_datagram(&flight);
	cr_expect_eq(read_flight(&flight, false, &want, &said), BPEI_MORE);
	cr_expect_eq(said.tls_cipher, 0xc02b);
	add_dtls_part(&flight, &certificate, 2, 20, certificate.n - 4);
	end_datagram(&flight);
	cr_expect_eq(read_flight(&flight, false, &want, &said), BPEI_MORE);
	add_dtls_part(&flight, &certificate, 2, 0, 20);
	end_datagram(&flight);
	cr_expect_eq(read_flight(&flight, false, &want, &said), BPEI_DONE);
	cr_expect_str_eq(said.subject, "CN=www");
	cr_expect_str_eq(said.issuer, "CN=ca");
}

Test(dtls, a_resumed_session_has_no_certificate)
{
	struct made hello = { .n = 0 };
	struct flight flight = { .n = 0 };
	struct bpe_flow_names said = { 0 };
	uint32_t want;

	make_dtls_server(&hello);
	add_dtls_part(&flight, &hello, 1, 0, hello.n - 4);
	add_dtls_record(&flight, 20, 0, 1);
	end_datagram(&flight);
	cr_expect_eq(read_flight(&flight, false, &want, &said), BPEI_DONE);
	cr_expect_eq(said.flags, BPE_NAMED_SERVER);
}

Test(dtls, the_middle_of_a_conversation_and_foreign_payload)
{
	struct flight flight = { .n = 0 };
	struct bpe_flow_names said = { 0 };
	uint32_t want;

	add_dtls_record(&flight, 23, 1, 40);
	end_datagram(&flight);
	cr_expect_eq(read_flight(&flight, false, &want, &said), BPEI_DONE);
	for (size_t at = 0; at < 13; at++) {
		struct flight lie = flight;
		lie.made.bytes[at] = 0x55;
		if (at == 3 || at == 4 || (at > 6 && at < 11))
			continue; /* epoch and sequence number */
		cr_expect_eq(read_flight(&lie, false, &want, &said), BPEI_NOT, "byte %zu", at);
	}
	make_number(&flight.made, 1, 0); /* a byte behind the record */
	flight.ends[0]++;
	cr_expect_eq(read_flight(&flight, false, &want, &said), BPEI_NOT);
}

/* Changes each byte of records and fragments. */
Test(dtls, every_byte_changed)
{
	static const uint8_t others[] = { 0, 1, 0x16, 0x7f, 0xfe, 0xff };
	struct made hello = { .n = 0 };
	struct flight flight = { .n = 0 };

	make_dtls_hello(&hello);
	add_dtls_part(&flight, &hello, 0, 0, 30);
	add_dtls_part(&flight, &hello, 0, 30, hello.n - 4);
	end_datagram(&flight);
	for (size_t at = 0; at < flight.made.n; at++) {
		for (size_t i = 0; i < sizeof others; i++) {
			struct flight lie = flight;
			struct bpe_flow_names said = { 0 };
			uint32_t want;
			lie.made.bytes[at] = others[i];
			const enum bpei_verdict verdict = read_flight(&lie, false, &want, &said);
			cr_assert(verdict != BPEI_MORE || want == 2);
			cr_assert(verdict == BPEI_NOT || verdict == BPEI_MORE ||
				  verdict == BPEI_DONE);
			cr_assert(memchr(said.server, 0, sizeof said.server));
		}
	}
}
