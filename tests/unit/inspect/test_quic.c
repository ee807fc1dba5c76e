/* SPDX-License-Identifier: MIT */
/* QUIC's reader: examples of the standards, hellos cut into frames, packets and datagrams, keys
 * after a Retry, the budget. */
#include "quic_case.h"
#include "quic_vectors.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct quic_direction way;
static struct bpe_flow_names said;
static struct bpei_inspector inspector;

static enum bpei_verdict read_way(void)
{
	return bpei_read_quic(&inspector, &way.stream, &said);
}

static void begin_case(void)
{
	inspector = (struct bpei_inspector){
		.names = BPE_NAMES_ALL, .crypto = &quic_crypto, .quic_left = 1000
	};
	memset(&said, 0, sizeof said);
	quic_open_way(&way);
}

/* Copies the hello of RFC 9001, A.2. */
static uint32_t take_hello(uint8_t *hello)
{
	uint8_t frames[1200];
	uint32_t n = quic_vector_frames(frames, quic_vector_1);

	cr_assert_eq(n, 1162);
	memcpy(hello, frames + 4, 241);
	return 241;
}

static void expect_example_com(void)
{
	cr_assert_eq(said.app, BPE_APP_QUIC);
	cr_assert_str_eq(said.server, "example.com");
	cr_assert_eq(said.source, BPE_NAME_QUIC);
	cr_assert_str_eq(said.alpn, "alpn");
	cr_assert_eq(said.tls_version, 0x0304);
	cr_assert_eq(memcmp(said.ja4, "q13d0211an_", 11), 0, "%s", said.ja4);
}

/* Puts a datagram of an Initial. */
static void put_initial(const struct quic_initial *how, const uint8_t *frames, uint32_t n)
{
	static uint8_t packet[2048];
	uint32_t bytes = quic_seal(packet, how, frames, n);

	quic_put_datagram(&way, packet, bytes);
}

static const struct quic_initial plain = { 1, "\x83\x94\xc8\xf0\x3e\x51\x57\x08", NULL, 2, 4, 0,
	0 };

Test(quic, opens_the_examples_of_the_standards, .timeout = 550)
{
	static const struct {
		const char *vector, *server;
		uint32_t version;
	} rows[] = { { quic_vector_1, "example.com", 1 },
		{ quic_vector_2, "example.com", 0x6b3343cf },
		{ quic_vector_29, "server", 0xff00001d } };
	static const struct bpe_crypto *const with[] = { &quic_crypto, &quic_crypto_tagless };
	uint8_t bytes[1200];

	for (size_t k = 0; k < 2 * sizeof rows / sizeof *rows; k++) {
		begin_case();
		inspector.crypto = with[k % 2];
		cr_assert_eq(quic_from_hex(bytes, rows[k / 2].vector), 1200);
		quic_put_datagram(&way, bytes, 1200);
		cr_assert_eq(read_way(), BPEI_DONE);
		cr_assert_str_eq(said.server, rows[k / 2].server);
		cr_assert_eq(said.quic_version, rows[k / 2].version);
		cr_assert_eq(said.app, BPE_APP_QUIC);
		cr_assert_eq(inspector.quic_opened, 1);
		cr_assert_eq(inspector.quic_failed + inspector.quic_skipped, 0);
		cr_assert_eq(inspector.quic_left, 999);
		if (k / 2 < 2)
			expect_example_com();
	}
}

Test(quic, names_nothing_by_a_datagram_that_is_cut, .timeout = 550)
{
	uint8_t bytes[1200];

	quic_from_hex(bytes, quic_vector_1);
	for (uint32_t n = 1; n < 1200; n++) {
		uint8_t *exact = malloc(n);
		uint16_t end = (uint16_t)n;
		begin_case();
		cr_assert_not_null(exact);
		memcpy(exact, bytes, n);
		way.stream.bytes = exact;
		way.stream.n = n;
		way.stream.ends = &end;
		way.stream.datagrams = 1;
		cr_assert_eq(read_way(), BPEI_NOT, "%u bytes", n);
		cr_assert_eq(said.app + said.quic_version, 0);
		free(exact);
	}
}

Test(quic, names_nothing_by_a_datagram_with_a_wrong_byte, .timeout = 550)
{
	uint8_t bytes[1200];

	quic_from_hex(bytes, quic_vector_1);
	for (uint32_t at = 0; at < 1200; at++) {
		begin_case();
		bytes[at] ^= 0x55;
		quic_put_datagram(&way, bytes, 1200);
		read_way();
		cr_assert_eq(said.server[0], 0, "byte %u", at);
		cr_assert_eq(inspector.quic_opened, 0);
		cr_assert_eq(inspector.quic_failed + inspector.quic_left, 1000);
		bytes[at] ^= 0x55;
	}
}

/* Reads two frames of a hello; the bits of `form` tell the order and the datagrams. */
static void read_halves(const uint8_t *hello, uint32_t n, uint32_t cut, uint32_t form)
{
	static uint8_t frames[2048];
	struct quic_initial how = plain;
	uint32_t first = 0;
	uint32_t at = 0;

	begin_case();
	if (form & 4)
		inspector.crypto = &quic_crypto_tagless;
	for (uint32_t k = 0; k < 2; k++) {
		bool front = (k == 0) == !(form & 1);
		frames[at++] = 1; /* PING */
		if (front)
			at += quic_crypto_frame(frames + at, 0, hello, cut);
		else
			at += quic_crypto_frame(frames + at, cut, hello + cut, n - cut);
		memset(frames + at, 0, 3);
		at += 3;
		how.number = k;
		how.number_bytes = 1 + (cut + k) % 4;
		if (form & 2 || k == 1) { /* a packet each, or the same packet */
			put_initial(&how, frames + first, at - first);
			first = at;
		}
		if (form & 2 && k == 0) {
			cr_assert_eq(read_way(), BPEI_MORE);
			cr_assert_eq(way.stream.want, 2);
		}
	}
	cr_assert_eq(read_way(), BPEI_DONE, "cut at %u, form %u", cut, form);
	expect_example_com();
}

Test(quic, joins_a_hello_cut_at_each_byte, .timeout = 550)
{
	uint8_t hello[1200];
	uint32_t n = take_hello(hello);

	for (uint32_t cut = 1; cut < n; cut++)
		for (uint32_t form = 0; form < 8; form++)
			if ((form & 4) == 0 || cut % 16 == 0)
				read_halves(hello, n, cut, form);
}

Test(quic, reads_packets_behind_others_in_a_datagram, .timeout = 550)
{
	static uint8_t datagram[4096];
	uint8_t hello[1200], frames[1300];
	uint32_t n = take_hello(hello);
	struct quic_initial how = plain;

	begin_case();
	uint32_t bytes = quic_crypto_frame(frames, 100, hello + 100, n - 100);
	uint32_t at = quic_seal(datagram, &how, frames, bytes);
	/* 0-RTT and Handshake: the header of an Initial without a token */
	for (uint8_t kind = 1; kind <= 2; kind++) {
		memcpy(datagram + at, datagram, 15);
		datagram[at] = (uint8_t)(0xc0 | kind << 4);
		datagram[at + 15] = 40;
		memset(datagram + at + 16, 0xee, 40);
		at += 56;
	}
	how.number = 300;
	how.token_bytes = 70;
	bytes = quic_crypto_frame(frames, 0, hello, 120);
	at += quic_seal(datagram + at, &how, frames, bytes);
	memset(datagram + at, 0, 500); /* padding behind the packets */
	quic_put_datagram(&way, datagram, at + 500);
	cr_assert_eq(read_way(), BPEI_DONE);
	expect_example_com();
	cr_assert_eq(inspector.quic_opened, 2);
	cr_assert_eq(inspector.quic_failed, 0);
}

Test(quic, takes_greased_bits, .timeout = 550)
{
	uint8_t hello[1200], frames[1300] = { 0 };
	uint32_t n = take_hello(hello);
	struct quic_initial how = plain;

	quic_crypto_frame(frames, 0, hello, n);
	/* the fixed bit, and the two reserved bits */
	for (uint8_t flip = 0; flip < 0x80; flip += 4) {
		if (flip & 0x30)
			continue;
		begin_case();
		how.flip = flip;
		put_initial(&how, frames, 1200);
		cr_assert_eq(read_way(), BPEI_DONE, "bits %02x", flip);
		expect_example_com();
	}
}

Test(quic, takes_new_keys_after_a_retry, .timeout = 550)
{
	uint8_t hello[1200], frames[1300] = { 0 };
	uint32_t n = take_hello(hello);
	struct quic_initial how = plain;

	begin_case();
	uint32_t bytes = quic_crypto_frame(frames, 0, hello, 100);
	put_initial(&how, frames, bytes);
	cr_assert_eq(read_way(), BPEI_MORE);
	/* Behind the Retry: another connection id, a token, and the whole hello in two parts. */
	how.dcid = "retried!";
	how.token_bytes = 200;
	bytes = quic_crypto_frame(frames, 0, hello, 200);
	put_initial(&how, frames, bytes);
	cr_assert_eq(read_way(), BPEI_MORE);
	/* The server's own connection id does not change the keys. */
	how.keys = how.dcid;
	how.dcid = "server's";
	bytes = quic_crypto_frame(frames, 200, hello + 200, n - 200);
	put_initial(&how, frames, bytes);
	cr_assert_eq(read_way(), BPEI_DONE);
	expect_example_com();
	/* Calls: 1; 1 + (1 failed, 1 opened); 1 + (1, 1) + 1. */
	cr_assert_eq(inspector.quic_opened, 1 + 2 + 3);
	cr_assert_eq(inspector.quic_failed, 1 + 1);
}

Test(quic, recognises_the_other_direction_and_negotiation, .timeout = 550)
{
	/* Version Negotiation for version 1 and a reserved version; then a server's Initial */
	static const uint8_t negotiation[] = { 0x8a, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 1, 0x1a,
		0x2a, 0x3a, 0x4a };
	uint8_t initial[60] = { 0xc0, 0, 0, 0, 1, 0, 4, 1, 2, 3, 4, 0, 40 };

	begin_case();
	way.stream.end = 1;
	quic_put_datagram(&way, negotiation, sizeof negotiation);
	cr_assert_eq(read_way(), BPEI_MORE);
	cr_assert_eq(said.app, BPE_APP_QUIC);
	cr_assert_eq(said.quic_version, 0);
	cr_assert_eq(way.stream.want, 2);
	quic_put_datagram(&way, initial, 53);
	cr_assert_eq(read_way(), BPEI_DONE);
	cr_assert_eq(said.quic_version, 1);
	begin_case();
	way.stream.end = 1;
	quic_put_datagram(&way, initial, 53);
	cr_assert_eq(read_way(), BPEI_DONE);
	cr_assert_eq(said.quic_version, 1);
	cr_assert_eq(inspector.quic_opened + inspector.quic_failed + inspector.quic_skipped, 0);
}

Test(quic, tells_unknown_versions_and_waits_for_known_ones, .timeout = 550)
{
	uint8_t hello[1200], frames[1300] = { 0 };
	uint32_t n = take_hello(hello);
	struct quic_initial how = plain;

	quic_crypto_frame(frames, 0, hello, n);
	begin_case();
	put_initial(&how, frames, 1200);
	way.bytes[1] = 0x7a; /* 0x7a000001: registered by nobody */
	cr_assert_eq(read_way(), BPEI_MORE);
	cr_assert_eq(said.app, BPE_APP_QUIC);
	cr_assert_eq(said.quic_version, 0x7a000001);
	cr_assert_eq(inspector.quic_failed, 0);
	how.dcid = "another!";
	put_initial(&how, frames, 1200);
	cr_assert_eq(read_way(), BPEI_DONE);
	cr_assert_eq(said.quic_version, 1);
	expect_example_com();
	/* Without a known version the reader gives up. */
	begin_case();
	for (int k = 0; k < 4; k++) {
		put_initial(&how, frames, 1200);
		way.bytes[way.stream.n - way.ends[0] + 1] = 0x7a;
		cr_assert_eq(read_way(), k < 3 ? BPEI_MORE : BPEI_DONE);
	}
	cr_assert_eq(said.server[0], 0);
	cr_assert_eq(said.quic_version, 0x7a000001);
	/* A short datagram of a strange version may be anything. */
	begin_case();
	put_initial(&how, frames, 600);
	way.bytes[1] = 0x7a;
	cr_assert_eq(read_way(), BPEI_NOT);
}

Test(quic, opens_reserved_versions_by_the_keys_of_others, .timeout = 550)
{
	static const char *const seals[] = { "\0\0\0\1", "\xff\0\0\x1d" };
	static uint8_t packet[2048];
	uint8_t hello[1200], frames[1300] = { 0 };
	uint32_t n = take_hello(hello);
	struct quic_initial how = plain;

	quic_crypto_frame(frames, 0, hello, n);
	for (uint64_t k = 0; k < 2; k++) {
		begin_case();
		inspector.crypto = &quic_crypto_tagless; /* the tag covers the version */
		how.version = k ? 0xff00001d : 1;
		uint32_t bytes = quic_seal(packet, &how, frames, 1200);
		cr_assert_eq(memcmp(packet + 1, seals[k], 4), 0);
		memset(packet + 1, 0x5a, 4);
		quic_put_datagram(&way, packet, bytes);
		cr_assert_eq(read_way(), BPEI_DONE);
		expect_example_com();
		cr_assert_eq(said.quic_version, 0x5a5a5a5a);
		cr_assert_eq(inspector.quic_failed, k);
		cr_assert_eq(inspector.quic_left, 999 - k);
	}
}

Test(quic, tells_a_version_alone_without_cryptography, .timeout = 550)
{
	uint8_t bytes[1200];

	quic_from_hex(bytes, quic_vector_2);
	for (int k = 0; k < 2; k++) {
		begin_case();
		if (k)
			inspector.names = BPE_NAMES_APPS;
		else
			inspector.crypto = NULL;
		quic_put_datagram(&way, bytes, 1200);
		cr_assert_eq(read_way(), BPEI_DONE);
		cr_assert_eq(said.app, BPE_APP_QUIC);
		cr_assert_eq(said.quic_version, 0x6b3343cf);
		cr_assert_eq(said.server[0] | said.ja4[0], 0);
		cr_assert_eq(said.flags, 0);
		cr_assert_eq(inspector.quic_left, 1000);
	}
}

Test(quic, keeps_to_the_budget, .timeout = 550)
{
	uint8_t bytes[1200];

	quic_from_hex(bytes, quic_vector_1);
	begin_case();
	inspector.quic_left = 0;
	quic_put_datagram(&way, bytes, 1200);
	cr_assert_eq(read_way(), BPEI_MORE);
	cr_assert_eq(said.app, BPE_APP_QUIC);
	cr_assert_eq(said.server[0], 0);
	cr_assert_eq(inspector.quic_skipped, 1);
	cr_assert_eq(inspector.quic_opened + inspector.quic_failed, 0);
	/* The next second, and the next datagram: a short header. */
	inspector.quic_left = 5;
	bytes[0] = 0x41;
	quic_put_datagram(&way, bytes, 100);
	cr_assert_eq(read_way(), BPEI_DONE);
	expect_example_com();
	cr_assert_eq(inspector.quic_opened, 1);
	cr_assert_eq(inspector.quic_left, 4);
}

/* Gives the reader datagrams as the namer does, until the reader is content.  Returns the tries.
 */
static uint64_t run_namer(const uint8_t *datagram, uint32_t n, uint32_t count)
{
	uint32_t want = 1;

	begin_case();
	for (uint32_t k = 0; k < count; k++) {
		quic_put_datagram(&way, datagram, n);
		if (way.stream.datagrams < want)
			continue;
		way.stream.last = k + 1 == count;
		if (read_way() != BPEI_MORE)
			break;
		cr_assert_gt(way.stream.want, way.stream.datagrams);
		want = way.stream.want;
	}
	cr_assert_eq(inspector.quic_left + inspector.quic_opened + inspector.quic_failed, 1000);
	return inspector.quic_opened + inspector.quic_failed;
}

Test(quic, tries_are_bounded, .timeout = 550)
{
	static uint8_t datagram[4096];
	uint8_t hello[1200], frames[1300];
	struct quic_initial how = plain;

	/* A forged packet, which nobody can open, is given up after 3 datagrams. */
	take_hello(hello);
	quic_crypto_frame(frames, 0, hello, 200);
	uint32_t n = quic_seal(datagram, &how, frames, 205);
	datagram[n - 1] ^= 1;
	cr_assert_eq(run_namer(datagram, n, 16), 1 + 2 + 3);
	/* A hello without an end, in 16 datagrams, which all open: calls at 1, 2, 3, 4, 6, 9, 13
	 * and 16. */
	datagram[n - 1] ^= 1;
	cr_assert_eq(run_namer(datagram, n, 16), 1 + 2 + 3 + 4 + 6 + 9 + 13 + 16);
	cr_assert(said.flags & BPE_NAMED_CUT);
	/* Five packets in a datagram: 16 tries a call. */
	uint32_t five = 0;
	for (int k = 0; k < 5; k++)
		five += quic_seal(datagram + five, &how, frames, 100 - 5);
	cr_assert_leq(run_namer(datagram, five, 16), 16 * 8);
}

Test(quic, takes_no_other_payload_for_quic, .timeout = 550)
{
	uint64_t state = 88172645463325252u;
	uint8_t bytes[1500];

	for (uint32_t round = 0; round < 100000; round++) {
		uint32_t n = 1 + (uint32_t)(state >> 20) % sizeof bytes;
		for (uint32_t k = 0; k < 32 || (round % 64 == 0 && k < sizeof bytes); k++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			bytes[k] = (uint8_t)(state >> 32);
		}
		bytes[0] |= 0x80;
		begin_case();
		quic_put_datagram(&way, bytes, n);
		cr_assert_eq(read_way(), BPEI_NOT, "round %u", round);
	}
	/* RTP that begins like version 1 with a fixed bit of 0; TCP's payload is no datagram. */
	static const uint8_t rtp[172] = { 0x80, 0, 0, 0, 1, 5, 1, 2, 3, 4, 5, 1, 1, 0, 20 };
	begin_case();
	quic_put_datagram(&way, rtp, sizeof rtp);
	cr_assert_eq(read_way(), BPEI_NOT);
	begin_case();
	cr_assert_eq(quic_from_hex(way.bytes, quic_vector_1), 1200);
	way.stream.n = 1200;
	cr_assert_eq(read_way(), BPEI_NOT);
}
