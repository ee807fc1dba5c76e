/* SPDX-License-Identifier: MIT */
/* MySQL and MariaDB (MySQL's documentation, "Protocol::HandshakeV10" and "HandshakeResponse41").  A
 * server begins with a greeting of version 10, which has zeros at fixed places.  A client answers
 * with packet 1: capabilities, 23 zeros and a name, or with a request for TLS of 32 bytes, behind
 * which TLS begins.  Pure. */
#include "base/cursor.h"
#include "inspect/lines.h"
#include "inspect/readers.h"

#define HEAD 4u /* length of 3 bytes, number */
#define GREETING_MOST 512u
#define REQUEST 32u        /* of TLS */
#define CAPABLE_41 0x0200u /* CLIENT_PROTOCOL_41 */
#define CAPABLE_TLS 0x0800u

/* Returns whether a text is a version: a digit first, then printed characters. */
static bool check_mysql_version(const uint8_t *p, size_t n)
{
	if (n < 3 || n > 100 || *p < '0' || *p > '9' || !memchr(p, '.', n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[i] < ' ' || p[i] >= 0x7f)
			return false;
	return true;
}

/* Returns whether a greeting's body of n bytes is whole. */
static bool check_mysql_greeting(const uint8_t *p, uint32_t n)
{
	struct bpei_cursor c = bpei_cursor_init(p, n);

	bpei_cursor_take(&c, 1);
	const uint8_t *const zero = memchr(c.next, 0, bpei_cursor_left(&c));
	if (!zero || !check_mysql_version(c.next, (size_t)(zero - c.next)))
		return false;
	c.next = zero + 1;
	bpei_cursor_take(&c, 4); /* thread */
	const uint8_t *const salt = bpei_cursor_take(&c, 8);
	if (bpei_cursor_u8(&c) != 0 || c.bad || memchr(salt, 0, 8))
		return false;
	bpei_cursor_take(&c, 2 + 1 + 2 + 2); /* capabilities, character set, status, capabilities */
	const uint8_t salt_bytes = bpei_cursor_u8(&c);
	const uint8_t *const zeros = bpei_cursor_take(&c, 10); /* MariaDB has 4 more capabilities */
	if (c.bad || (salt_bytes != 0 && (salt_bytes < 8 || salt_bytes > 64)))
		return false;
	return memcmp(zeros, "\0\0\0\0\0\0", 6) == 0 && bpei_cursor_left(&c) >= 12;
}

/* Reads the packets of a server. */
static enum bpei_verdict read_mysql_server(
	struct bpei_stream *s, uint32_t length, struct bpe_flow_names *said)
{
	if (length < 32 || length > GREETING_MOST)
		return BPEI_NOT;
	if (s->n < HEAD + length) {
		const bool fits = s->n <= HEAD + 1 || (s->bytes[5] >= '0' && s->bytes[5] <= '9');
		return fits && !bpei_stream_over(s) ? bpei_stream_more(s, HEAD + length) : BPEI_NOT;
	}
	if (!check_mysql_greeting(s->bytes + HEAD, length))
		return BPEI_NOT;
	said->app = BPE_APP_MYSQL;
	const enum bpei_match tls = bpei_stream_tls(s, HEAD + length);
	if (tls == BPEI_MATCH_YES)
		return bpei_stream_inner(s, HEAD + length);
	if (tls == BPEI_MATCH_NO || bpei_stream_over(s))
		return BPEI_DONE;
	return bpei_stream_more(s, 0);
}

/* Reads the first packet of a client, which is number 1. */
static enum bpei_verdict read_mysql_client(
	struct bpei_stream *s, uint32_t length, struct bpe_flow_names *said)
{
	const uint8_t *const p = s->bytes + HEAD;

	if (length < REQUEST || length > 4096)
		return BPEI_NOT;
	if (s->n < HEAD + REQUEST)
		return bpei_stream_over(s) ? BPEI_NOT : bpei_stream_more(s, HEAD + REQUEST);
	const uint32_t capable = bpei_le32(p);
	static const uint8_t zeros[19] = { 0 }; /* MariaDB has 4 bytes of capabilities behind */
	if (!(capable & CAPABLE_41) || memcmp(p + 9, zeros, sizeof zeros) != 0)
		return BPEI_NOT;
	if (length == REQUEST && (capable & CAPABLE_TLS)) {
		said->app = BPE_APP_MYSQL;
		return bpei_stream_inner(s, HEAD + REQUEST);
	}
	if (s->n < HEAD + length && !bpei_stream_over(s))
		return bpei_stream_more(s, HEAD + length);
	if (s->n < HEAD + length || !memchr(p + REQUEST, 0, length - REQUEST))
		return BPEI_NOT;
	said->app = BPE_APP_MYSQL;
	return BPEI_DONE;
}

enum bpei_verdict bpei_read_mysql(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	(void)in;
	if (s->n < HEAD + 1) {
		const bool fits = (s->n < 2 || s->bytes[1] <= 16) && (s->n < 3 || !s->bytes[2]) &&
				  (s->n < 4 || s->bytes[3] <= 1);
		return fits && !bpei_stream_over(s) ? bpei_stream_more(s, HEAD + 1) : BPEI_NOT;
	}
	const uint32_t length = bpei_le32(s->bytes) & 0xffffff;
	if (s->bytes[3] == 0 && s->bytes[4] == 10)
		return read_mysql_server(s, length, said);
	if (s->bytes[3] == 1)
		return read_mysql_client(s, length, said);
	return BPEI_NOT;
}
