/* SPDX-License-Identifier: MIT */
/* Flows of messages, each of which is read: DNS and the like.  In TCP a length of two bytes is
 * in front of each message (RFC 1035, 4.2.2). */
#include "naming/watch.h"

/* Hands a message of the piece's sender on. */
static void hand_message(struct bpei_namer *n, const struct bpei_piece *piece, uint8_t app,
	const uint8_t *bytes, uint32_t count, bool is_cut)
{
	const uint32_t from = piece->originator ^ piece->end;
	const struct bpei_message message = { .bytes = bytes,
		.n = count,
		.app = app,
		.version = piece->key->ip_version,
		.cut = is_cut,
		.from = piece->key->addr[from],
		.to = piece->key->addr[!from],
		.entry = piece->entry,
		.time_ns = piece->time_ns };

	if (n->pairs)
		bpei_dns_pairs_message(n->pairs, &message);
}

void bpei_message_read(struct bpei_namer *n, const struct bpei_piece *piece, uint8_t app)
{
	if (piece->payload.n)
		hand_message(n, piece, app, piece->payload.bytes, piece->payload.n,
			piece->payload.n < piece->payload.sent);
}

/* Hands kept datagrams on, or the datagram at hand.  Returns the bytes used up. */
static uint32_t read_datagrams(struct bpei_namer *n, uint8_t app, const struct bpei_stream *stream,
	const struct bpei_piece *piece)
{
	uint32_t at = 0;

	for (uint32_t k = 0; k < stream->datagrams; k++) {
		const bool is_cut = stream->last && k + 1 == stream->datagrams;

		hand_message(n, piece, app, stream->bytes + at, stream->ends[k] - at, is_cut);
		at = stream->ends[k];
	}
	return at;
}

/* Gives the entry the names so far, for the events of a flow without a watch of the pool. */
static void show_names(struct bpei_namer *n, const struct bpei_watch *w)
{
	const uint32_t id = n->ids[w->entry];

	if (!bpei_id_is_watch(id) && !bpei_id_is_each(id))
		n->ids[w->entry] = BPEI_ID_EACH | w->id;
}

uint32_t bpei_messages_read(struct bpei_namer *n, const struct bpei_watch *w,
	struct bpei_side *side, const struct bpei_stream *stream, const struct bpei_piece *piece)
{
	const uint32_t over = w->over == BPEI_OVER_UDP;
	const uint8_t app = bpei_readers[n->rows[over][w->row[0] - 1]].app;
	uint32_t at = 0;

	show_names(n, w);
	if (over)
		return read_datagrams(n, app, stream, piece);
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
			hand_message(n, piece, app, stream->bytes + at + 2, there, true);
			at += 2 + length;
			break;
		}
		if (length)
			hand_message(n, piece, app, stream->bytes + at + 2, length, false);
		at += 2 + length;
	}
	side->read = at < stream->n ? stream->n - at : 0;
	return at;
}
