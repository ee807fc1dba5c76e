/* SPDX-License-Identifier: MIT */
/* Hellos in the form of SSL 2.0 (tls.h); stateless.  The form has no room for names. */
#include "base/bytes.h"
#include "inspect/tls.h"

enum { HEAD_BYTES = 11, MOST_CHALLENGE = 32, LEAST_CHALLENGE = 16 };

/* Tells whether lengths and version fit each other; n is HEAD_BYTES at least. */
static bool is_sslv2_hello(const uint8_t *bytes)
{
	const unsigned total = bpei_be16(bytes) & 0x7fff;
	const unsigned version = bpei_be16(bytes + 3);
	const unsigned ciphers = bpei_be16(bytes + 5);
	const unsigned session = bpei_be16(bytes + 7);
	const unsigned challenge = bpei_be16(bytes + 9);

	return (version == 0x0002 || (version >= 0x0300 && version <= 0x0303)) && ciphers &&
	       ciphers % 3 == 0 && (session == 0 || session == 16) &&
	       challenge >= LEAST_CHALLENGE && challenge <= MOST_CHALLENGE &&
	       total == HEAD_BYTES - 2 + ciphers + session + challenge;
}

enum bpei_verdict bpei_read_sslv2(struct bpei_stream *stream, struct bpe_flow_names *said)
{
	const uint8_t *bytes = stream->bytes;
	size_t total = HEAD_BYTES;

	if (stream->n >= 3 && bytes[2] != 1)
		return BPEI_NOT;
	if (stream->n >= 4 && bytes[3] != 3 && bytes[3] != 0)
		return BPEI_NOT;
	if (stream->n >= HEAD_BYTES) {
		if (!is_sslv2_hello(bytes))
			return BPEI_NOT;
		total = 2u + (bpei_be16(bytes) & 0x7fff);
	}
	if (stream->n < total) {
		stream->want = (uint32_t)total;
		return stream->last || total > BPEI_STREAM_MOST ? BPEI_NOT : BPEI_MORE;
	}
	if (stream->n > total)
		return BPEI_NOT; /* a client waits for the server's answer */
	if (!(said->flags & BPE_NAMED_SERVER))
		said->tls_version = bpei_be16(bytes + 3);
	return BPEI_DONE;
}
