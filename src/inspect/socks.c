/* SPDX-License-Identifier: MIT */
/* SOCKS 4, 4a and 5 (RFC 1928, RFC 1929; Ylonen and Lee's "SOCKS: A protocol for TCP proxy across
 * firewalls").  The greetings have two or three bytes, so that the request or the reply behind must
 * be whole as well.  Another protocol begins behind.  Pure. */
#include "inspect/lines.h"
#include "inspect/readers.h"

#define USER_MOST 255u

/* Measures an address and a port of SOCKS 5 (RFC 1928 4, 5) at `at`; *end: where they end. */
static enum bpei_match measure_socks5_address(
	const struct bpei_stream *s, uint32_t at, uint32_t *end)
{
	if (s->n <= at)
		return BPEI_MATCH_SHORT;
	switch (s->bytes[at]) {
	case 1:
		*end = at + 1 + 4 + 2;
		break;
	case 4:
		*end = at + 1 + 16 + 2;
		break;
	case 3:
		if (s->n <= at + 1)
			return BPEI_MATCH_SHORT;
		if (!s->bytes[at + 1])
			return BPEI_MATCH_NO;
		*end = at + 2 + s->bytes[at + 1] + 2;
		break;
	default:
		return BPEI_MATCH_NO;
	}
	return s->n >= *end ? BPEI_MATCH_YES : BPEI_MATCH_SHORT;
}

/* Looks at a request (reply false) or a reply of SOCKS 5 at `at`. */
static enum bpei_match match_socks5_message(
	const struct bpei_stream *s, uint32_t at, bool reply, uint32_t *end)
{
	const uint8_t *const p = s->bytes + at;
	const uint32_t left = s->n - at;

	if (left && p[0] != 5)
		return BPEI_MATCH_NO;
	if (left > 1 && (reply ? p[1] > 8 : p[1] < 1 || p[1] > 3))
		return BPEI_MATCH_NO;
	if (left > 2 && p[2] != 0)
		return BPEI_MATCH_NO;
	return measure_socks5_address(s, at + 3, end);
}

/* Looks at a name and a password (RFC 1929 2) at `at`. */
static enum bpei_match match_socks5_password(
	const struct bpei_stream *s, uint32_t at, uint32_t *end)
{
	if (s->n < at + 2)
		return BPEI_MATCH_SHORT;
	const uint32_t password = at + 2 + s->bytes[at + 1];
	if (s->n <= password)
		return BPEI_MATCH_SHORT;
	*end = password + 1 + s->bytes[password];
	return s->n >= *end ? BPEI_MATCH_YES : BPEI_MATCH_SHORT;
}

/* Reads a client of SOCKS 5: methods, a password if one was agreed on, the request. */
static enum bpei_match match_socks5_client(const struct bpei_stream *s, uint32_t *end)
{
	const uint32_t count = s->n > 1 ? s->bytes[1] : 1;
	bool password = false;

	if (!count || count > 16)
		return BPEI_MATCH_NO;
	for (uint32_t k = 0; k < count && k + 2 < s->n; k++) {
		if (s->bytes[2 + k] > 9 && s->bytes[2 + k] < 0x80)
			return BPEI_MATCH_NO;
		password = password || s->bytes[2 + k] == 2;
	}
	if (s->n <= 2 + count)
		return BPEI_MATCH_SHORT;
	*end = 2 + count;
	if (password && s->bytes[*end] == 1) {
		const enum bpei_match match = match_socks5_password(s, *end, end);

		if (match != BPEI_MATCH_YES)
			return match;
	}
	return match_socks5_message(s, *end, false, end);
}

/* Reads a server of SOCKS 5: the method, an answer to the password, the reply. */
static enum bpei_match match_socks5_server(const struct bpei_stream *s, uint32_t *end)
{
	*end = 2;
	if (s->n > 1 && s->bytes[1] != 0 && s->bytes[1] != 2)
		return BPEI_MATCH_NO;
	if (s->n > 3 && s->bytes[1] == 2 && s->bytes[2] == 1 && s->bytes[3] == 0)
		*end = 4;
	if (s->n <= *end)
		return BPEI_MATCH_SHORT;
	return match_socks5_message(s, *end, true, end);
}

/* Reads a client of SOCKS 4: command, port, address, user, and with 4a a name. */
static enum bpei_match match_socks4_client(const struct bpei_stream *s, uint32_t *end)
{
	const uint8_t *const p = s->bytes;

	if (s->n > 1 && p[1] != 1 && p[1] != 2)
		return BPEI_MATCH_NO;
	if (s->n < 9)
		return BPEI_MATCH_SHORT;
	const bool named = p[4] == 0 && p[5] == 0 && p[6] == 0;
	if ((p[2] == 0 && p[3] == 0) || (p[4] == 0 && (!named || p[7] == 0)) || p[4] >= 224)
		return BPEI_MATCH_NO;
	uint32_t at = 8;
	for (uint32_t texts = named ? 2 : 1; texts; texts--) {
		const uint32_t begin = at;

		while (at < s->n && s->bytes[at] > ' ' && s->bytes[at] < 0x7f &&
			at - begin < USER_MOST)
			at++;
		if (at == s->n)
			return BPEI_MATCH_SHORT;
		if (s->bytes[at] != 0 || (texts == 1 && named && at == begin))
			return BPEI_MATCH_NO;
		at++;
	}
	*end = at;
	/* The client waits for the reply; later TLS or a text follows. */
	const bool text = at < s->n && s->bytes[at] >= ' ' && s->bytes[at] < 0x7f;
	return at == s->n || text || s->bytes[at] == 22 ? BPEI_MATCH_YES : BPEI_MATCH_NO;
}

/* Reads a server of SOCKS 4: 0, granted, port and address; weak, so that the client must be known.
 */
static enum bpei_match match_socks4_server(const struct bpei_stream *s, uint32_t *end)
{
	*end = 8;
	if (s->n > 1 && (s->bytes[1] < 90 || s->bytes[1] > 93))
		return BPEI_MATCH_NO;
	return s->n >= 8 ? BPEI_MATCH_YES : BPEI_MATCH_SHORT;
}

enum bpei_verdict bpei_read_socks(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	uint32_t end = 0;
	enum bpei_match match = BPEI_MATCH_NO;

	(void)in;
	if (!s->n)
		return BPEI_NOT;
	if (s->bytes[0] == 5) {
		match = match_socks5_client(s, &end);
		if (match == BPEI_MATCH_NO)
			match = match_socks5_server(s, &end);
	} else if (s->bytes[0] == 4) {
		match = match_socks4_client(s, &end);
	} else if (s->bytes[0] == 0 && said->app == BPE_APP_SOCKS) {
		match = match_socks4_server(s, &end);
	}
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 0);
	if (match != BPEI_MATCH_YES)
		return BPEI_NOT;
	said->app = BPE_APP_SOCKS;
	return bpei_stream_inner(s, end);
}
