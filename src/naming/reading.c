/* SPDX-License-Identifier: MIT */
/* Payload on the way to the readers.
 *
 * A first segment or datagram with all is read in the packet, without memory.  Else the
 * bytes are kept, and read again once a reader's wish is fulfilled.  Once a
 * direction is recognised, the other direction is read by the same reader alone.  Behind CONNECT,
 * SOCKS and STARTTLS (INNER) all readers are asked again, at the next level. */
#include "naming/watch.h"

#include <string.h>

#define TRIES 3u /* places tried in a direction without a sure begin */

/* ---- Names said ---- */

/* Returns the names of the watch's flow in namer->said. */
static struct bpe_flow_names *load_said(struct bpei_namer *n, const struct bpei_watch *w)
{
	if (!n->said_is_empty)
		bpei_slabs_clear(&n->said);
	n->said_is_empty = w->id == BPEI_ID_NOTHING;
	if (!n->said_is_empty)
		bpei_slabs_fill(&n->slabs, w->id, &n->said);
	return &n->said;
}

/* Puts the server's earlier name back, if the new name is worse. */
static void keep_better_server(struct bpei_namer *n, const struct bpei_watch *w, uint8_t before)
{
	if (before == BPE_NAME_NONE || n->said.source <= before)
		return;
	n->said.source = before;
	memset(n->said.server, 0, sizeof n->said.server);
	bpei_slabs_server(&n->slabs, w->id, n->said.server);
}

/* Keeps the answer of a row's reader at the direction's level. */
static void keep_said(
	struct bpei_namer *n, struct bpei_watch *w, const struct bpei_side *side, uint32_t row)
{
	/* Behind a refused request for TLS the same protocol goes on. */
	const bool is_inner = side->level && w->row[side->level] != w->row[side->level - 1];
	bool is_deepest = true;

	for (uint32_t k = side->level + 1u; k < BPEI_LEVELS; k++)
		is_deepest &= !w->row[k];
	if (is_deepest)
		n->said.app = bpei_readers[row].app;
	if (is_inner)
		n->said.flags |= BPE_NAMED_INNER;
	w->id = bpei_slabs_keep(&n->slabs, w->id, &n->said);
	if (!w->known)
		bpei_counter_add(&n->counts.flows, 1);
	w->known = true;
}

/* Gives a direction up.  is_cut: bytes are missing. */
static void fail_side(
	struct bpei_namer *n, struct bpei_watch *w, struct bpei_side *side, bool is_cut)
{
	side->state = BPEI_SIDE_FAILED;
	bpei_side_clear(side, &n->chunks);
	if (!is_cut || !side->more)
		return;
	load_said(n, w)->flags |= BPE_NAMED_CUT;
	w->id = bpei_slabs_keep(&n->slabs, w->id, &n->said);
	n->said_is_empty = false;
}

/* ---- Asking ---- */

/* Asks the readers in question.  Returns the first verdict other than NOT, with
 * side->row at the reader's place. */
static enum bpei_verdict ask_readers(struct bpei_namer *n, const struct bpei_watch *w,
	struct bpei_side *side, struct bpei_stream *stream)
{
	const uint32_t over = w->over == BPEI_OVER_UDP;
	const uint8_t known = w->row[side->level];
	const bool is_fresh = !over && !side->level && w->id == BPEI_ID_NOTHING;
	uint64_t rows = n->all_rows[over];

	if (known)
		rows = UINT64_C(1) << (known - 1);
	else if (is_fresh)
		rows = n->first[stream->end][stream->bytes[0]];
	if (!known)
		rows &= UINT64_MAX << side->row;
	for (; rows; rows &= rows - 1) {
		const uint32_t k = (uint32_t)__builtin_ctzll(rows);
		const struct bpei_reader *const reader = &bpei_readers[n->rows[over][k]];
		const enum bpei_verdict verdict = reader->read(&n->inspector, stream, &n->said);

		if (verdict == BPEI_NOT)
			continue;
		side->row = (uint8_t)k;
		n->said_is_empty = false;
		return verdict;
	}
	return BPEI_NOT;
}

/* Asks the readers, and where no more bytes will come a second time, for names of
 * the part.  Names of a part are marked, unless the sender ended there. */
static enum bpei_verdict ask_or_insist(struct bpei_namer *n, const struct bpei_watch *w,
	struct bpei_side *side, struct bpei_stream *stream)
{
	const bool last = stream->last;
	const uint32_t have = stream->datagrams ? stream->datagrams : stream->n;
	enum bpei_verdict verdict;

	/* Readers that wanted more of the same bytes would want more again. */
	if (!last || !side->more || side->read != have) {
		stream->last = false;
		verdict = ask_readers(n, w, side, stream);
		stream->last = last;
		if (verdict != BPEI_MORE || !last)
			return verdict;
	}
	side->more = true;
	load_said(n, w);
	verdict = ask_readers(n, w, side, stream);
	if (verdict != BPEI_NOT && verdict != BPEI_MORE && !side->has_end)
		n->said.flags |= BPE_NAMED_CUT;
	return verdict;
}

/* Fails a direction with unknown bytes, or tries again at the next payload. */
static void try_elsewhere(struct bpei_namer *n, struct bpei_watch *w, struct bpei_side *side)
{
	side->tries++;
	side->row = 0;
	const bool is_tcp = w->over == BPEI_OVER_TCP;

	if ((is_tcp && (side->sure || side->level || w->row[0])) || side->tries >= TRIES) {
		fail_side(n, w, side, false);
		return;
	}
	bpei_side_clear(side, &n->chunks);
	side->started = false;
	side->more = false;
}

/* Goes to the next level behind a wrapping protocol. */
static void go_within(struct bpei_namer *n, struct bpei_watch *w, struct bpei_side *side)
{
	side->row = 0;
	side->want = 0;
	side->read = 0;
	side->more = false;
	if (side->level + 1u < BPEI_LEVELS)
		side->level++;
	else
		fail_side(n, w, side, false);
}

/* Makes the flow a flow of messages, in both directions. */
static void begin_messages(struct bpei_watch *w, struct bpei_side *side)
{
	w->each = true;
	for (int end = 0; end < 2; end++) {
		struct bpei_side *const one = &w->side[end];

		one->read = 0;
		one->want = 0;
		if (one->state == BPEI_SIDE_OPEN || one == side)
			continue;
		one->state = BPEI_SIDE_OPEN;
		one->started = false;
		one->sure = false;
	}
}

/* Asks about the bytes of stream and keeps the answer.  Returns the bytes used up, which
 * may be more than there are. */
static uint32_t look_once(struct bpei_namer *n, struct bpei_watch *w, struct bpei_side *side,
	struct bpei_stream *stream)
{
	const uint8_t before = load_said(n, w)->source;
	const enum bpei_verdict verdict = ask_or_insist(n, w, side, stream);
	const uint32_t over = w->over == BPEI_OVER_UDP;
	const uint32_t row = n->rows[over][side->row];
	const bool is_again = side->level && w->row[side->level - 1] == side->row + 1;

	side->read = stream->datagrams ? stream->datagrams : stream->n;
	if (verdict == BPEI_NOT) {
		try_elsewhere(n, w, side);
		return 0;
	}
	if (verdict == BPEI_MORE) {
		side->more = true;
		side->want = stream->want;
		if (stream->last)
			fail_side(n, w, side, true);
		return 0;
	}
	const bool stays = verdict == BPEI_INNER && is_again; /* the same once more */

	if (!stays) {
		keep_better_server(n, w, before);
		w->row[side->level] = (uint8_t)(side->row + 1);
		keep_said(n, w, side, row);
	}
	if (verdict == BPEI_DONE) {
		side->state = BPEI_SIDE_DONE;
		bpei_side_clear(side, &n->chunks);
		return 0;
	}
	if (verdict == BPEI_EACH) {
		begin_messages(w, side);
		return 0;
	}
	side->level -= stays;
	go_within(n, w, side);
	return stream->inner ? stream->inner : stream->n;
}

/* Starts a stream for the readers. */
static struct bpei_stream begin_stream(
	const struct bpei_watch *w, uint32_t end, const uint8_t *bytes, uint32_t n)
{
	return (struct bpei_stream){
		.bytes = bytes, .n = n, .end = end, .port = { w->port[0], w->port[1] }
	};
}

/* ---- Kept bytes ---- */

/* Keeps bytes, for which other watches may have to go.  A direction without room fails. */
static void keep_bytes(struct bpei_namer *n, struct bpei_watch *w, struct bpei_side *side,
	uint32_t offset, const uint8_t *bytes, uint32_t count)
{
	const bool is_udp = w->over == BPEI_OVER_UDP;
	const uint8_t datagrams = side->datagrams;
	bool has_room;

	do {
		if (is_udp)
			has_room = bpei_side_append(side, &n->chunks, bytes, count);
		else
			has_room = bpei_side_put(side, &n->chunks, offset, bytes, count);
	} while (!has_room && bpei_watch_evict(n));
	if (!has_room)
		fail_side(n, w, side, true);
	else if (is_udp && side->datagrams == datagrams)
		side->cut = true; /* too many, or too large */
}

/* Returns true if no bytes can come behind the first `ready` of a direction. */
static bool is_last(const struct bpei_side *side, uint32_t ready)
{
	if (side->cut || ready >= BPEI_STREAM_MOST)
		return true;
	if (side->datagrams == BPEI_DATAGRAMS_MOST)
		return true;
	return side->has_end && side->next + ready == side->fin;
}

/* Returns true if a reader's wish is fulfilled. */
static bool has_wanted(const struct bpei_side *side, uint32_t ready)
{
	const uint32_t have = side->datagrams ? side->datagrams : ready;

	return have > side->read && have >= side->want;
}

/* Reads the kept bytes of a direction.  is_end: for the last time. */
static void look_at_kept(struct bpei_namer *n, struct bpei_watch *w, const struct bpei_piece *piece,
	uint32_t end, bool is_end)
{
	struct bpei_side *const side = &w->side[end];
	uint32_t used;
	bool again;

	do {
		const bool is_each = w->each;
		const uint32_t ready = bpei_side_ready(side);
		const bool last = is_end || is_last(side, ready);

		if (side->state != BPEI_SIDE_OPEN || !ready || (is_each && !piece))
			return;
		if (!last && !has_wanted(side, ready))
			return;
		struct bpei_stream stream = begin_stream(
			w, end, bpei_side_bytes(side, &n->chunks, ready, n->room), ready);

		stream.last = last;
		if (side->datagrams) {
			stream.ends = side->ends;
			stream.datagrams = side->datagrams;
		}
		used = is_each ? bpei_messages_read(n, w, side, &stream, piece)
			       : look_once(n, w, side, &stream);
		if (used > ready) {
			side->next += used - ready;
			used = ready;
		}
		bpei_side_use(side, &n->chunks, used, n->room);
		again = used || is_each != w->each;
	} while (again);
}

/* ---- Segments and datagrams ---- */

/* Reads bytes of a packet at the begin of a direction without kept bytes. */
static void look_in_place(struct bpei_namer *n, struct bpei_watch *w,
	const struct bpei_piece *piece, const uint8_t *bytes, uint32_t count)
{
	struct bpei_side *const side = &w->side[piece->end];
	uint32_t used = 0;

	while (side->state == BPEI_SIDE_OPEN && used < count) {
		struct bpei_stream stream = begin_stream(w, piece->end, bytes + used, count - used);
		const uint16_t whole = (uint16_t)stream.n;
		const bool is_each = w->each;
		uint32_t some;

		if (w->over == BPEI_OVER_UDP) {
			stream.ends = &whole;
			stream.datagrams = 1;
		}
		stream.last = is_last(side, stream.n);
		some = is_each ? bpei_messages_read(n, w, side, &stream, piece)
			       : look_once(n, w, side, &stream);
		used += some;
		side->next += some;
		if (!some && is_each == w->each)
			break;
	}
	if (side->state == BPEI_SIDE_OPEN && side->started && used < count)
		keep_bytes(n, w, side, 0, bytes + used, count - used);
}

/* Settles where a direction begins, by a segment's first number. */
static void settle_start(struct bpei_watch *w, const struct bpei_piece *piece, uint32_t at)
{
	struct bpei_side *const side = &w->side[piece->end];
	struct bpei_side *const other = &w->side[!piece->end];
	const bool is_free = !side->sure && !side->level && !bpei_side_is_kept(side);

	if (!side->started || (is_free && side->next != at && !w->each)) {
		side->next = at;
		side->started = true;
	}
	if (!other->started && piece->flags & TCP_ACK) {
		other->next = piece->payload.ack;
		other->started = true;
		other->sure = side->sure;
	}
}

/* Reads a TCP segment. */
static void feed_segment(struct bpei_namer *n, struct bpei_watch *w, const struct bpei_piece *piece)
{
	struct bpei_side *const side = &w->side[piece->end];
	const uint32_t at = piece->payload.seq + (piece->flags & TCP_SYN ? 1 : 0);
	const uint8_t *bytes = piece->payload.bytes;
	uint32_t count = piece->payload.n;

	if (piece->payload.sent)
		settle_start(w, piece, at);
	if (!side->started)
		return;
	int32_t offset = (int32_t)(at - side->next);

	if (piece->flags & TCP_FIN) {
		side->has_end = true;
		side->fin = at + piece->payload.sent;
	}
	if (offset < 0) {
		const uint32_t old = 0u - (uint32_t)offset;

		if (old > count)
			return;
		bytes += old;
		count -= old;
		offset = 0;
	}
	if (piece->payload.n < piece->payload.sent && (uint32_t)offset <= bpei_side_ready(side))
		side->cut = true;
	if (!offset && !bpei_side_is_kept(side) && count)
		look_in_place(n, w, piece, bytes, count);
	else if (count)
		keep_bytes(n, w, side, (uint32_t)offset, bytes, count);
	look_at_kept(n, w, piece, piece->end, false);
	if (side->state == BPEI_SIDE_OPEN && side->cut && !w->each)
		fail_side(n, w, side, true);
}

/* Reads a datagram. */
static void feed_datagram(
	struct bpei_namer *n, struct bpei_watch *w, const struct bpei_piece *piece)
{
	struct bpei_side *const side = &w->side[piece->end];

	side->started = true;
	side->cut = piece->payload.n < piece->payload.sent;
	if (!bpei_side_is_kept(side))
		look_in_place(n, w, piece, piece->payload.bytes, piece->payload.n);
	else
		keep_bytes(n, w, side, 0, piece->payload.bytes, piece->payload.n);
	look_at_kept(n, w, piece, piece->end, false);
}

void bpei_watch_read(struct bpei_namer *n, struct bpei_watch *w, const struct bpei_piece *piece)
{
	const bool was_each = w->each;

	w->last_ns = piece->time_ns;
	w->packets += w->packets < UINT8_MAX;
	if (w->side[piece->end].state != BPEI_SIDE_OPEN && !w->each)
		return;
	n->inspector.now_ns = piece->time_ns;
	if (w->over == BPEI_OVER_UDP)
		feed_datagram(n, w, piece);
	else
		feed_segment(n, w, piece);
	if (w->each && !was_each && w->over == BPEI_OVER_TCP) {
		struct bpei_piece other = *piece;

		other.end = !piece->end;
		w->side[other.end].read = 0;
		look_at_kept(n, w, &other, other.end, false);
	}
}

void bpei_side_give_up(struct bpei_namer *n, struct bpei_watch *w, uint32_t end)
{
	struct bpei_side *const side = &w->side[end];

	if (side->state != BPEI_SIDE_OPEN)
		return;
	look_at_kept(n, w, NULL, end, true);
	if (w->each)
		bpei_side_clear(side, &n->chunks);
	else if (side->state == BPEI_SIDE_OPEN)
		fail_side(n, w, side, true);
}
