/* SPDX-License-Identifier: MIT */
/* The reader of TLS (tls.h); stateless.
 *
 * The type of the first handshake message tells the end, whoever opened the connection: type 1 is
 * the client's, type 2 the server's.  The client's direction is done at the first hello.  A second
 * hello, after a HelloRetryRequest, repeats names and lists (RFC 8446, 4.1.2).  A HelloRetryRequest
 * has the version and the cipher of the later ServerHello.
 *
 * Bounds: a call costs time in proportion to the bytes.  bpei_handshake_want asks for the least
 * bytes to complete a message, so records of a byte each do not bring a call each. */
#include "inspect/tls.h"

#include "base/bytes.h"
#include "inspect/hello.h"
#include "inspect/server_hello.h"
#include "inspect/tls_records.h"

enum { LEAST_CIPHERTEXT = 16, ALERT_BYTES = 7 };

/* Asks for the bytes of a message.  Returns MORE, or `final` when no more bytes will come. */
static enum bpei_verdict want_message(struct bpei_stream *stream,
	const struct bpei_handshake *handshake, size_t need, enum bpei_verdict final)
{
	const uint32_t want = bpei_handshake_want(handshake, stream->n, need);

	if (handshake->is_closed || stream->last || stream->n >= BPEI_STREAM_MOST)
		return final;
	/* a message too long is read as far as the stream goes */
	stream->want = want < BPEI_STREAM_MOST ? want : BPEI_STREAM_MOST;
	return BPEI_MORE;
}

static enum bpei_verdict read_client(struct bpei_inspector *in, struct bpei_stream *stream,
	const struct bpei_handshake *handshake, struct bpe_flow_names *said)
{
	enum bpei_verdict verdict =
		bpei_client_hello(handshake->bytes, handshake->n, BPEI_HELLO_TLS, in, said);
	const size_t need = bpei_hello_bytes(handshake->bytes, handshake->n);

	if (verdict != BPEI_MORE)
		return verdict;
	if (handshake->is_bad)
		return BPEI_NOT;
	verdict = want_message(stream, handshake, need, BPEI_DONE);
	if (verdict == BPEI_DONE)
		return bpei_client_hello_part(
			handshake->bytes, handshake->n, BPEI_HELLO_TLS, in, said);
	return verdict;
}

/* Reads ServerHello, and the certificate if it goes in the clear. */
static enum bpei_verdict read_server(struct bpei_stream *stream,
	const struct bpei_handshake *handshake, struct bpe_flow_names *said)
{
	const uint8_t *bytes = handshake->bytes;
	const enum bpei_verdict verdict =
		bpei_server_hello(bytes, handshake->n, BPEI_HELLO_TLS, said);
	const size_t hello = bpei_hello_bytes(bytes, handshake->n);
	size_t need;

	if (verdict == BPEI_MORE && !handshake->is_closed)
		return want_message(stream, handshake, hello, BPEI_NOT);
	if (verdict != BPEI_DONE)
		return BPEI_NOT;
	if (bpei_server_encrypts(said->tls_version))
		return BPEI_DONE;
	need = BPEI_HELLO_HEAD;
	if (handshake->n > hello)
		need = bpei_certificate_message(bytes + hello, handshake->n - hello, said);
	if (!need)
		return BPEI_DONE;
	return want_message(stream, handshake, hello + need, BPEI_DONE);
}

/* Reads the first handshake messages of a direction. */
static enum bpei_verdict read_handshake(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said)
{
	struct bpei_handshake handshake;
	const size_t n = stream->n < BPEI_STREAM_MOST ? stream->n : BPEI_STREAM_MOST;

	bpei_handshake_gather(stream->bytes, n, &handshake);
	/* a server may ask for a hello first */
	while (handshake.n >= BPEI_HELLO_HEAD && !bpei_be32(handshake.bytes)) {
		handshake.bytes += BPEI_HELLO_HEAD;
		handshake.n -= BPEI_HELLO_HEAD;
	}
	if (!handshake.n || handshake.bytes[0] == BPEI_HELLO_REQUEST) {
		if (handshake.is_closed || handshake.n >= BPEI_HELLO_HEAD)
			return BPEI_NOT;
		return want_message(stream, &handshake, handshake.n + BPEI_HELLO_HEAD, BPEI_NOT);
	}
	if (handshake.bytes[0] == BPEI_HELLO_CLIENT)
		return read_client(in, stream, &handshake, said);
	return read_server(stream, &handshake, said);
}

/* Reads an alert at the start: a refusal, or a warning before a hello. */
static enum bpei_verdict read_alert(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said)
{
	const uint8_t *bytes = stream->bytes;

	if (stream->n >= BPEI_RECORD_HEAD && bpei_be16(bytes + 3) != 2)
		return BPEI_NOT;
	if (stream->n < ALERT_BYTES) {
		stream->want = ALERT_BYTES;
		return stream->last ? BPEI_NOT : BPEI_MORE;
	}
	if (bytes[5] < 1 || bytes[5] > 2 || bytes[6] > 121)
		return BPEI_NOT;
	if (bytes[5] == 1 && stream->n > ALERT_BYTES && bytes[7] == BPEI_RECORD_HANDSHAKE)
		return read_handshake(in, stream, said);
	if (bytes[5] == 1 && stream->n == ALERT_BYTES && !stream->last) {
		stream->want = ALERT_BYTES + 1;
		return BPEI_MORE;
	}
	return stream->n == ALERT_BYTES || bpei_record_fits(bytes + 7, stream->n - 7) ? BPEI_DONE
										      : BPEI_NOT;
}

/* Recognises a conversation from before the capture, at the start of a record. */
static enum bpei_verdict read_middle(struct bpei_stream *stream)
{
	const uint8_t *bytes = stream->bytes;
	uint32_t want;

	if (stream->n >= BPEI_RECORD_HEAD) {
		const uint16_t length = bpei_be16(bytes + 3);
		if (bytes[2] > 3)
			return BPEI_NOT;
		if (bytes[0] == BPEI_RECORD_CIPHER && length != 1)
			return BPEI_NOT;
		if (bytes[0] == BPEI_RECORD_DATA && length < LEAST_CIPHERTEXT)
			return BPEI_NOT;
	}
	if (!bpei_record_chain(bytes, stream->n, &want))
		return BPEI_NOT;
	if (!want)
		return BPEI_DONE;
	if (stream->last || want > BPEI_STREAM_MOST)
		return BPEI_NOT;
	stream->want = want;
	return BPEI_MORE;
}

struct bpe_flow_names *bpei_tls_names(
	const struct bpei_inspector *in, struct bpe_flow_names *said, struct bpe_flow_names *waste)
{
	if (in->names & (BPE_NAMES_TLS | BPE_NAMES_JA3))
		return said;
	memset(waste, 0, sizeof *waste);
	return waste;
}

enum bpei_verdict bpei_read_tls(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said)
{
	const uint8_t *bytes = stream->bytes;
	struct bpe_flow_names waste;

	if (!stream->n || stream->datagrams)
		return BPEI_NOT;
	if (bytes[0] & 0x80)
		return bpei_read_sslv2(stream, said);
	if (!bpei_record_fits(bytes, stream->n))
		return BPEI_NOT;
	said = bpei_tls_names(in, said, &waste);
	switch (bytes[0]) {
	case BPEI_RECORD_HANDSHAKE:
		return read_handshake(in, stream, said);
	case BPEI_RECORD_ALERT:
		return read_alert(in, stream, said);
	case BPEI_RECORD_CIPHER:
	case BPEI_RECORD_DATA:
		return read_middle(stream);
	default:
		return BPEI_NOT;
	}
}
