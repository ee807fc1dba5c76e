/* SPDX-License-Identifier: MIT */
/* STUN (RFC 8489 5 and 14), also of TURN (RFC 8656) and of the old form without a magic number
 * (RFC 3489 11).  Over UDP a message is a datagram; the attributes fill the message.  DTLS can
 * begin in the same flow (RFC 5764 5.1.2), so that the next datagrams are looked at too.  Pure. */
#include "inspect/datagrams.h"
#include "inspect/lines.h"
#include "inspect/readers.h"

#define HEADER 20u
#define MAGIC 0x2112a442u
#define MAGIC_BYTES "\x21\x12\xa4\x42"
#define LOOKED_AT 8u /* datagrams among which DTLS may begin */

/* Returns whether the attributes fill n bytes.  `old`: they have to be of RFC 3489, by kind and
 * length. */
static bool check_stun_attributes(const uint8_t *p, uint32_t n, bool old)
{
	static const uint8_t lengths[] = { 0, 8, 8, 4, 8, 8, 0, 0, 20, 0, 0, 8 };
	uint32_t at = 0;

	while (at < n) {
		if (n - at < 4)
			return false;
		const uint32_t kind = bpei_be16(p + at);
		const uint32_t length = bpei_be16(p + at + 2);
		if (old && (kind < 1 || kind > 11 || (lengths[kind] && lengths[kind] != length)))
			return false;
		at += 4 + (old ? length : (length + 3) & ~3u);
	}
	return at == n;
}

/* Returns whether the n bytes are a message. */
static bool check_stun_message(const uint8_t *p, uint32_t n)
{
	if (n < HEADER || (p[0] & 0xc0))
		return false;
	const uint32_t type = bpei_be16(p);
	const uint32_t length = bpei_be16(p + 2);
	if (length % 4 || length != n - HEADER)
		return false;
	if (bpei_be32(p + 4) == MAGIC)
		return check_stun_attributes(p + HEADER, length, false);
	const bool old = type == 0x0001 || type == 0x0101 || type == 0x0111;
	return old && length >= 8 && check_stun_attributes(p + HEADER, length, true);
}

/* Returns whether the n bytes are a record of a DTLS handshake, version 1.0 to 1.2, first epoch. */
static bool check_dtls_start(const uint8_t *p, uint32_t n)
{
	return n >= 25 && p[0] == 22 && p[1] == 0xfe && (p[2] == 0xff || p[2] == 0xfd) &&
	       p[3] == 0 && p[4] == 0;
}

/* Looks for the magic number of a message at `at`. */
static enum bpei_match match_stun_magic(const struct bpei_stream *s, uint32_t at)
{
	if (s->n > at && s->bytes[at] > 1) /* methods up to 0x7f (RFC 8489 5) */
		return BPEI_MATCH_NO;
	return s->n > at + 4 ? bpei_stream_match(s, at + 4, MAGIC_BYTES, 4) : BPEI_MATCH_SHORT;
}

/* Reads a message over TCP: bare (RFC 8489 6.2.2), or behind a length of 2 bytes (RFC 4571). */
static enum bpei_verdict read_stun_tcp(struct bpei_stream *s, struct bpe_flow_names *said)
{
	const bool framed = match_stun_magic(s, 0) == BPEI_MATCH_NO;
	const uint32_t at = framed ? 2 : 0;

	if (framed && (s->bytes[0] > 4 || match_stun_magic(s, 2) == BPEI_MATCH_NO))
		return BPEI_NOT;
	if (s->n < HEADER + at)
		return bpei_stream_over(s) ? BPEI_NOT : bpei_stream_more(s, HEADER + at);
	const uint32_t length = bpei_be16(s->bytes + at + 2);
	if (length % 4 || (framed && bpei_be16(s->bytes) != HEADER + length))
		return BPEI_NOT;
	if (s->n < HEADER + at + length)
		return bpei_stream_over(s) ? BPEI_NOT : bpei_stream_more(s, HEADER + at + length);
	if (!check_stun_attributes(s->bytes + HEADER + at, length, false))
		return BPEI_NOT;
	said->app = BPE_APP_STUN;
	return BPEI_DONE;
}

enum bpei_verdict bpei_read_stun(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	uint32_t n;

	(void)in;
	if (!s->n)
		return BPEI_NOT;
	if (!s->datagrams)
		return read_stun_tcp(s, said);
	const uint8_t *p = bpei_datagram(s, 0, &n);
	if (!check_stun_message(p, n))
		return BPEI_NOT;
	said->app = BPE_APP_STUN;
	for (uint32_t k = 1; k < s->datagrams; k++) {
		p = bpei_datagram(s, k, &n);
		if (check_dtls_start(p, n))
			return bpei_stream_inner(s, (uint32_t)(p - s->bytes));
	}
	if (s->datagrams >= LOOKED_AT || s->last)
		return BPEI_DONE;
	s->want = s->datagrams + 1;
	return BPEI_MORE;
}
