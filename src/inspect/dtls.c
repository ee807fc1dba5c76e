/* SPDX-License-Identifier: MIT */
/* The reader of DTLS (tls.h); stateless.
 *
 * The server may ask for a cookie (HelloVerifyRequest), and the client sends the hello twice.
 * Hellos are tried in the order of message_seq, and the first whole hello tells all.  Other
 * protocols may share the flow, as STUN and SRTP do in WebRTC; their datagrams are passed. */
#include "inspect/tls.h"

#include "base/bytes.h"
#include "inspect/dtls_fragments.h"
#include "inspect/hello.h"
#include "inspect/server_hello.h"

enum { MOST_HELLOS = 4 };

/* Asks for another datagram; returns `final` when there will be none. */
static enum bpei_verdict want_datagram(struct bpei_stream *stream, enum bpei_verdict final)
{
	if (stream->last || stream->datagrams >= BPEI_DATAGRAMS_MOST)
		return final;
	stream->want = stream->datagrams + 1;
	return BPEI_MORE;
}

/* Reads the client's hellos; *message is the first. */
static enum bpei_verdict read_dtls_client(struct bpei_inspector *in, struct bpei_stream *stream,
	struct bpei_dtls_message *message, struct bpe_flow_names *said)
{
	enum bpei_verdict verdict;
	int hellos = 0;

	do {
		verdict = bpei_client_hello(message->bytes, message->n, BPEI_HELLO_DTLS, in, said);
		if (verdict != BPEI_MORE)
			return verdict;
	} while (++hellos < MOST_HELLOS &&
		 bpei_dtls_gather(stream, BPEI_HELLO_CLIENT, message->number + 1u, message));
	verdict = want_datagram(stream, BPEI_DONE);
	if (verdict == BPEI_DONE && bpei_dtls_gather(stream, BPEI_HELLO_CLIENT, 0, message))
		return bpei_client_hello_part(
			message->bytes, message->n, BPEI_HELLO_DTLS, in, said);
	return verdict;
}

/* Reads the server's hello, in *message, and the certificate. */
static enum bpei_verdict read_dtls_server(
	struct bpei_stream *stream, struct bpei_dtls_message *message, struct bpe_flow_names *said)
{
	const enum bpei_verdict verdict =
		bpei_server_hello(message->bytes, message->n, BPEI_HELLO_DTLS, said);
	if (verdict == BPEI_MORE)
		return want_datagram(stream, BPEI_DONE);
	if (verdict != BPEI_DONE || bpei_server_encrypts(said->tls_version))
		return verdict;
	const uint32_t next = message->number + 1u;
	const int type = bpei_dtls_type(stream, next);
	if (type < 0)
		return bpei_dtls_is_closed(stream) ? BPEI_DONE : want_datagram(stream, BPEI_DONE);
	if (type != BPEI_HELLO_CERTIFICATE)
		return BPEI_DONE;
	bpei_dtls_gather(stream, BPEI_HELLO_CERTIFICATE, next, message);
	if (bpei_certificate_message(message->bytes, message->n, said))
		return want_datagram(stream, BPEI_DONE);
	return BPEI_DONE;
}

enum bpei_verdict bpei_read_dtls(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said)
{
	struct bpei_dtls_message message;
	struct bpe_flow_names waste;

	if (!stream->datagrams || !bpei_dtls_fits(stream->bytes, stream->ends[0]))
		return BPEI_NOT;
	said = bpei_tls_names(in, said, &waste);
	if (bpei_dtls_gather(stream, BPEI_HELLO_CLIENT, 0, &message))
		return read_dtls_client(in, stream, &message, said);
	if (bpei_dtls_gather(stream, BPEI_HELLO_SERVER, 0, &message))
		return read_dtls_server(stream, &message, said);
	/* no hello yet, or the conversation began before the capture */
	return bpei_dtls_is_closed(stream) ? BPEI_DONE : want_datagram(stream, BPEI_DONE);
}
