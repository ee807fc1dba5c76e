/* SPDX-License-Identifier: MIT */
/* Messages of flows whose every message is read: DNS and its kin.  In TCP a length of two bytes is
 * in front of each message (RFC 1035, 4.2.2). */
#include "naming/watch.h"

void bpei_message_read(struct bpei_namer *n, const struct bpei_piece *piece, uint8_t app)
{
	(void)app;
	n->messages += piece->payload.n != 0;
}

uint32_t bpei_messages_read(struct bpei_namer *n, const struct bpei_watch *w,
	struct bpei_side *side, const struct bpei_stream *stream, const struct bpei_piece *piece)
{
	uint32_t at = 0;

	(void)piece;
	if (w->over == BPEI_OVER_UDP) {
		n->messages += stream->datagrams;
		return stream->n;
	}
	side->want = 0;
	while (stream->n - at >= 2) {
		const uint32_t length = (uint32_t)stream->bytes[at] << 8 | stream->bytes[at + 1];
		const uint32_t there = stream->n - at - 2;
		const bool is_too_long = length + 2 > BPEI_STREAM_MOST || stream->last;

		if (length > there && !is_too_long) {
			side->want = 2 + length;
			break;
		}
		if (length > there) {
			n->messages++;
			at += 2 + length;
			break;
		}
		if (length)
			n->messages++;
		at += 2 + length;
	}
	side->read = at < stream->n ? stream->n - at : 0;
	return at;
}
