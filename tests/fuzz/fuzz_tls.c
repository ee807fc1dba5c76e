/* SPDX-License-Identifier: MIT */
/* Gives any bytes as a direction of TLS, as datagrams of DTLS, and as handshake messages.  A reader
 * reads nothing behind the end (memory of the exact length), says the same twice, and says nothing
 * at NOT.  At MORE it asks for more bytes than there are, and never for more than are kept.  In
 * segments of any size there are at most MOST_CALLS calls.  Texts are UTF-8 without controls.
 *
 * Input: a letter of choices, the step of segments, for datagrams 15 lengths of two bytes, bytes.
 */
#include "fuzz.h"

#include "base/utf8.h"
#include "inspect/server_hello.h"
#include "inspect/tls.h"

#include <string.h>

enum { MOST_CALLS = 400, DATAGRAMS = 15 };

static void check_text(const char *text, size_t room)
{
	const size_t n = strnlen(text, room);

	FUZZ_CHECK(n < room);
	for (size_t at = 0; at < n;) {
		const size_t bytes = bpei_utf8_bytes(text + at, n - at);
		FUZZ_CHECK(bytes && !bpei_utf8_is_control(bpei_utf8_code(text + at, bytes)));
		at += bytes;
	}
}

static void check_said(const struct bpe_flow_names *said)
{
	check_text(said->server, sizeof said->server);
	check_text(said->alpn, sizeof said->alpn);
	check_text(said->subject, sizeof said->subject);
	check_text(said->issuer, sizeof said->issuer);
	FUZZ_CHECK(strlen(said->ja4) == 0 || strlen(said->ja4) == 36);
	FUZZ_CHECK(strlen(said->ja3) == 0 || strlen(said->ja3) == 32);
	FUZZ_CHECK(!said->server[0] == !said->source);
}

/* Reads the stream twice. */
static enum bpei_verdict read_twice(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said)
{
	static const struct bpe_flow_names empty;
	struct bpei_stream again = *stream;
	struct bpe_flow_names second = empty;
	enum bpei_verdict verdict;

	*said = empty;
	if (stream->datagrams) {
		verdict = bpei_read_dtls(in, stream, said);
		FUZZ_CHECK(bpei_read_dtls(in, &again, &second) == verdict);
	} else {
		verdict = bpei_read_tls(in, stream, said);
		FUZZ_CHECK(bpei_read_tls(in, &again, &second) == verdict);
	}
	FUZZ_CHECK(!memcmp(said, &second, sizeof second) && stream->want == again.want);
	FUZZ_CHECK(verdict == BPEI_NOT || verdict == BPEI_MORE || verdict == BPEI_DONE);
	FUZZ_CHECK(verdict != BPEI_NOT || !memcmp(said, &empty, sizeof empty));
	FUZZ_CHECK(verdict != BPEI_MORE || !stream->last);
	check_said(said);
	return verdict;
}

static size_t cap_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Gives a direction in segments; the reader is called when there is what it wants. */
static void feed_stream(struct bpei_inspector *in, const uint8_t *bytes, size_t n, size_t step)
{
	uint32_t want = 0;
	int calls = 0;

	for (size_t at = cap_size(step, n); at; at = cap_size(at + step, n)) {
		struct bpei_stream stream = { .n = (uint32_t)at, .last = at == n };
		struct bpe_flow_names said;
		if (at < want && at < n)
			continue;
		uint8_t *copy = malloc(at);
		FUZZ_CHECK(copy);
		memcpy(copy, bytes, at);
		stream.bytes = copy;
		const enum bpei_verdict verdict = read_twice(in, &stream, &said);
		free(copy);
		FUZZ_CHECK(++calls <= MOST_CALLS);
		if (verdict != BPEI_MORE)
			return;
		FUZZ_CHECK(stream.want > at && stream.want <= BPEI_STREAM_MOST);
		want = stream.want;
	}
}

static void feed_datagrams(
	struct bpei_inspector *in, const uint8_t *bytes, size_t n, const uint16_t *lengths)
{
	uint16_t ends[DATAGRAMS];
	size_t end = 0;

	for (uint32_t k = 0; k < DATAGRAMS && end < n; k++) {
		struct bpei_stream stream = { .ends = ends, .datagrams = k + 1 };
		struct bpe_flow_names said;
		end = lengths[k] && lengths[k] < n - end ? end + lengths[k] : n;
		ends[k] = (uint16_t)end;
		uint8_t *copy = malloc(end);
		FUZZ_CHECK(copy);
		memcpy(copy, bytes, end);
		stream.bytes = copy;
		stream.n = (uint32_t)end;
		stream.last = end == n;
		const enum bpei_verdict verdict = read_twice(in, &stream, &said);
		free(copy);
		if (verdict != BPEI_MORE)
			return;
		FUZZ_CHECK(stream.want == stream.datagrams + 1);
	}
}

/* Gives the bytes as handshake messages. */
static void feed_messages(struct bpei_inspector *in, const uint8_t *bytes, size_t n)
{
	static const char transports[] = "tqd";
	uint8_t *copy = malloc(n + !n);

	FUZZ_CHECK(copy);
	if (n)
		memcpy(copy, bytes, n);
	for (size_t i = 0; i < 3; i++) {
		struct bpe_flow_names said = { 0 };
		bpei_client_hello(copy, n, transports[i], in, &said);
		bpei_client_hello_part(copy, n, transports[i], in, &said);
		bpei_server_hello(copy, n, transports[i], &said);
		check_said(&said);
	}
	struct bpe_flow_names said = { 0 };
	size_t need = bpei_certificate_message(copy, n, &said);
	FUZZ_CHECK(!need || need > n);
	need = bpei_certificate_names(copy, n, &said);
	FUZZ_CHECK(!need || need > n);
	check_said(&said);
	free(copy);
}

void fuzz_tls(const uint8_t *bytes, size_t n)
{
	struct fuzz_input in = { bytes, bytes + n };
	const uint8_t choices = fuzz_u8(&in);
	const size_t step = 1u + fuzz_u8(&in);
	struct bpei_inspector inspector = { .names = BPE_NAMES_ALL | BPE_NAMES_JA3 };
	uint16_t lengths[DATAGRAMS];

	switch (choices % 3) {
	case 0:
		feed_stream(&inspector, in.next, fuzz_left(&in), step);
		break;
	case 1:
		for (size_t i = 0; i < DATAGRAMS; i++)
			lengths[i] = fuzz_u16(&in);
		n = fuzz_left(&in) < 65535 ? fuzz_left(&in) : 65535;
		feed_datagrams(&inspector, in.next, n, lengths);
		break;
	default:
		feed_messages(&inspector, in.next, fuzz_left(&in));
		break;
	}
}
