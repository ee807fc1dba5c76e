/* SPDX-License-Identifier: MIT */
/* HTTP/2 in the clear (RFC 9113).  The client begins with a preface of 24 fixed bytes (3.4).  The
 * server begins with a SETTINGS frame (6.5); identifiers and values are checked.  Pure. */
#include "inspect/lines.h"
#include "inspect/readers.h"

#define FRAME_HEADER 9u
#define SETTINGS_MOST 32u /* settings of a first frame */

/* Returns whether a setting is registered, with a value in range (RFC 9113
 * 6.5.2, RFC 8441, RFC 9218, RFC 9113's registry). */
static bool check_http2_setting(uint16_t identifier, uint32_t value)
{
	switch (identifier) {
	case 1: /* header table size */
	case 3: /* concurrent streams */
	case 6: /* header list size */
		return true;
	case 2: /* push */
	case 8: /* extended CONNECT */
	case 9: /* no priorities */
		return value <= 1;
	case 4: /* window */
		return value <= 0x7fffffff;
	case 5: /* frame size */
		return value >= 16384 && value <= 0xffffff;
	default:
		return (identifier & 0x0f0f) == 0x0a0a; /* reserved to be ignored (RFC 8701) */
	}
}

/* Returns whether the frame behind the server's SETTINGS is of a type for this place:
 * HEADERS, SETTINGS with ACK, PING, GOAWAY, WINDOW_UPDATE. */
static bool check_http2_second(const uint8_t *p)
{
	const uint32_t length = bpei_be32(p) >> 8;
	const uint8_t type = p[3];
	const bool connection = (bpei_be32(p + 5) & 0x7fffffff) == 0;

	if (type == 4)
		return length == 0 && p[4] == 1 && connection;
	if (type == 8)
		return length == 4;
	if (type == 6)
		return length == 8 && connection;
	if (type == 7)
		return length >= 8 && length <= 16384 && connection;
	return type == 1 && length > 0 && length <= 16384 && !connection;
}

/* Reads the first frame of a server. */
static enum bpei_verdict read_http2_server(struct bpei_stream *s, struct bpe_flow_names *said)
{
	const uint8_t *const p = s->bytes;
	const bool known = said->app == BPE_APP_HTTP2;

	const enum bpei_match head = bpei_stream_match(s, 3, "\x04\x00\x00\x00\x00\x00", 6);
	if (head == BPEI_MATCH_SHORT && p[1] == 0 && !bpei_stream_over(s))
		return bpei_stream_more(s, FRAME_HEADER);
	if (head != BPEI_MATCH_YES)
		return BPEI_NOT;
	const uint32_t length = bpei_be32(p) >> 8;
	const uint32_t end = FRAME_HEADER + length;
	if (length % 6 || length > SETTINGS_MOST * 6 || (!length && !known))
		return BPEI_NOT;
	for (uint32_t at = FRAME_HEADER; at < end && at + 6 <= s->n; at += 6)
		if (!check_http2_setting(bpei_be16(p + at), bpei_be32(p + at + 2)))
			return BPEI_NOT;
	if (known && s->n >= end)
		return BPEI_DONE;
	if (s->n < end + FRAME_HEADER)
		return bpei_stream_over(s) ? BPEI_NOT : bpei_stream_more(s, end + FRAME_HEADER);
	if (!check_http2_second(p + end))
		return BPEI_NOT;
	said->app = BPE_APP_HTTP2;
	return BPEI_DONE;
}

enum bpei_verdict bpei_read_http2(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	const enum bpei_match match = bpei_stream_match(s, 0, preface, sizeof preface - 1);

	(void)in;
	if (match == BPEI_MATCH_YES) {
		said->app = BPE_APP_HTTP2;
		return BPEI_DONE;
	}
	if (match == BPEI_MATCH_SHORT)
		return bpei_stream_over(s) ? BPEI_NOT : bpei_stream_more(s, sizeof preface - 1);
	if (!s->n || s->bytes[0] || (s->n > 1 && s->bytes[1]))
		return BPEI_NOT;
	if (s->n <= 3)
		return bpei_stream_over(s) ? BPEI_NOT : bpei_stream_more(s, FRAME_HEADER);
	return read_http2_server(s, said);
}
