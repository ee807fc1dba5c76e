/* SPDX-License-Identifier: MIT */
/* PostgreSQL's protocol 3 (documentation, "Message Formats").  A client begins with a startup
 * message, which names the user.  Or a client begins with a request for TLS, GSSAPI or
 * cancellation, each with a fixed length and a fixed number.  A server answers a request by a
 * letter, and begins with an Authentication or Error message.  TLS begins behind SSLRequest and the
 * answer.  Pure. */
#include "base/cursor.h"
#include "inspect/lines.h"
#include "inspect/readers.h"

#define STARTUP_MOST 10000u /* MAX_STARTUP_PACKET_LENGTH of the server */
#define SSL_REQUEST 80877103u
#define GSS_REQUEST 80877104u
#define CANCEL_REQUEST 80877102u

/* Returns whether the parameters are pairs of texts before an empty text, "user" among them.
 */
static bool check_postgresql_startup(const uint8_t *p, uint32_t n)
{
	const uint8_t *const end = p + n;
	bool user = false;

	while (p < end && *p) {
		const uint8_t *const value = memchr(p, 0, (size_t)(end - p));
		const uint8_t *const stop =
			value ? memchr(value + 1, 0, (size_t)(end - value - 1)) : NULL;

		if (!stop)
			return false;
		user = user || (value - p == 4 && memcmp(p, "user", 4) == 0);
		p = stop + 1;
	}
	return user && p + 1 == end;
}

/* Reads the first message of a client.  Behind a request for TLS or GSSAPI, TLS begins, or another
 * message comes where the server has refused. */
static enum bpei_verdict read_postgresql_client(struct bpei_stream *s, struct bpe_flow_names *said)
{
	if (s->n < 8)
		return bpei_stream_over(s) ? BPEI_NOT : bpei_stream_more(s, 8);
	const uint32_t length = bpei_be32(s->bytes);
	const uint32_t number = bpei_be32(s->bytes + 4);
	const bool request = length == 8 && (number == SSL_REQUEST || number == GSS_REQUEST);
	const bool cancel = length == 16 && number == CANCEL_REQUEST;

	if (request || cancel) {
		said->app = BPE_APP_POSTGRESQL;
		return request ? bpei_stream_inner(s, 8) : BPEI_DONE;
	}
	if (length < 16 || length > STARTUP_MOST || number >> 16 != 3 || (number & 0xffff) > 2)
		return BPEI_NOT;
	if (s->n < length && !bpei_stream_over(s))
		return bpei_stream_more(s, length);
	if (s->n < length || !check_postgresql_startup(s->bytes + 8, length - 8))
		return BPEI_NOT;
	said->app = BPE_APP_POSTGRESQL;
	return BPEI_DONE;
}

/* Looks at an Authentication message: the length fits the kind. */
static enum bpei_match match_postgresql_authentication(const struct bpei_stream *s, uint32_t at)
{
	if (s->n < at + 9)
		return BPEI_MATCH_SHORT;
	const uint32_t length = bpei_be32(s->bytes + at + 1);
	const uint32_t kind = bpei_be32(s->bytes + at + 5);

	if (kind == 10) /* the names of mechanisms, as "SCRAM-SHA-256" */
		return length >= 12 && length < 256 ? bpei_stream_match(s, at + 9, "SCRAM-", 6)
						    : BPEI_MATCH_NO;
	const bool plain = kind == 0 || kind == 2 || kind == 3 || kind == 7 || kind == 9;
	return (plain && length == 8) || (kind == 5 && length == 12) ? BPEI_MATCH_YES
								     : BPEI_MATCH_NO;
}

/* Looks at an Error message: the first field is a severity, "SERROR", "SFATAL" or "SPANIC". */
static enum bpei_match match_postgresql_error(const struct bpei_stream *s, uint32_t at)
{
	static const char *const kinds[] = { "SERROR", "SFATAL", "SPANIC" };

	if (s->n < at + 12)
		return BPEI_MATCH_SHORT;
	const uint32_t length = bpei_be32(s->bytes + at + 1);
	for (size_t k = 0; k < 3 && length > 12 && length < 8192; k++)
		if (memcmp(s->bytes + at + 5, kinds[k], 7) == 0)
			return BPEI_MATCH_YES;
	return BPEI_MATCH_NO;
}

/* Looks at the first message of a server. */
static enum bpei_match match_postgresql_server(const struct bpei_stream *s, uint32_t at)
{
	if (at == s->n)
		return BPEI_MATCH_SHORT;
	if (s->bytes[at] == 'R')
		return match_postgresql_authentication(s, at);
	return s->bytes[at] == 'E' ? match_postgresql_error(s, at) : BPEI_MATCH_NO;
}

/* Reads the first message of a server, or the answers to requests for TLS and GSSAPI. */
static enum bpei_verdict read_postgresql_server(struct bpei_stream *s, struct bpe_flow_names *said)
{
	const bool known = said->app == BPE_APP_POSTGRESQL;
	uint32_t at = 0;

	while (at < s->n && at < 2 && s->bytes[at] == 'N')
		at++;
	if (at < s->n && s->bytes[at] == 'S') {
		if (!known) /* an "S" before a record of TLS is too weak without the client */
			return BPEI_NOT;
		return bpei_stream_inner(s, at + 1);
	}
	const enum bpei_match match = match_postgresql_server(s, at);
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 0);
	if (match != BPEI_MATCH_YES)
		return known ? BPEI_DONE : BPEI_NOT;
	said->app = BPE_APP_POSTGRESQL;
	return BPEI_DONE;
}

enum bpei_verdict bpei_read_postgresql(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	(void)in;
	if (s->n && s->bytes[0] == 0)
		return read_postgresql_client(s, said);
	if (s->n && memchr("SNRE", s->bytes[0], 4))
		return read_postgresql_server(s, said);
	return BPEI_NOT;
}
