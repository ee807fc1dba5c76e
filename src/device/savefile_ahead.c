/* SPDX-License-Identifier: MIT */
/* Savefiles read ahead by a second thread (ahead.h).
 *
 * A block is a part of a piece, behind the bytes left over by the last walk: in the piece as well,
 * or copied into the room before the piece.  A block that goes on in the next piece, or has more
 * bytes left over than the room, is put together in the block's memory.  A piece is released after
 * all blocks in the piece are done, and the next fill has taken the bytes left over. */
#include "device/savefile.h"

#include "base/error.h"
#include "base/thread.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Starting a thread takes as long as reading a few hundred KiB. */
#define LEAST_REST (8u << 20)

bool bpei_savefile_is_read_ahead(struct bpei_savefile *s, uint64_t next)
{
	struct bpei_device *d = &s->device;

	if (s->is_planned || !d->threads || s->stream.input_bytes)
		return s->ahead;
	s->is_planned = true;
	const bool is_plain = s->is_named && !s->stream.packed && !s->stream.ended && !s->eof;

	if (!is_plain || s->stretch > BPEI_AHEAD_PIECE || d->source_bytes < next + LEAST_REST ||
		bpei_thread_own_cores() <= d->threads)
		return false;
	s->ahead = bpei_ahead_start(
		s->stream.file, next, s->stretch, (size_t)d->max_blocks_in_flight * s->stretch);
	return s->ahead;
}

/* Takes the next piece, and releases pieces without use.  needed: offset of the
 * first byte that the reader needs. */
static void take_next_piece(struct bpei_savefile *s, uint64_t needed)
{
	if (needed > s->done_end)
		needed = s->done_end;
	bpei_ahead_release(s->ahead, needed);
	s->piece = bpei_ahead_next(s->ahead);
}

/* Notes the end of the file behind the piece. */
static void end_ahead(struct bpei_savefile *s)
{
	s->eof = true;
	if (s->piece->failure && !s->stream.ended)
		s->stream.ended = bpei_fail(
			&s->stream.error, BPE_E_IO, "read", s->piece->failure, "%s", s->name);
}

/* Makes the block of the left bytes and of the piece's bytes up to `end`, where they lie.  Returns
 * false if the block goes on in the next piece, or if there is no room for the left bytes before
 * the piece. */
static bool join_in_piece(struct bpei_savefile *s, uint64_t end, size_t *have)
{
	const struct bpei_ahead_piece *p = s->piece;
	const uint64_t piece_end = p->begin + p->length;
	uint8_t *from = p->bytes;

	if (end > piece_end && !p->is_last)
		return false;
	if (s->offset < p->begin) {
		const size_t before = (size_t)(p->begin - s->offset);

		if (before > BPEI_AHEAD_HEADROOM)
			return false;
		from -= before;
		if (from != s->left)
			memcpy(from, s->left, before);
	} else {
		from += s->offset - p->begin;
	}
	s->left = from;
	*have = (size_t)((end < piece_end ? end : piece_end) - s->offset);
	return true;
}

/* Copies the left bytes, and pieces' bytes up to `end`, to the block's memory. */
static void join_in_block(struct bpei_savefile *s, struct bpei_block *b, uint64_t end, size_t *have)
{
	uint64_t next = s->offset + s->left_bytes;

	memmove(b->memory, s->left, s->left_bytes);
	s->left = b->memory;
	*have = s->left_bytes;
	if (end - s->offset > b->memory_bytes)
		end = s->offset + b->memory_bytes;
	for (;;) {
		const struct bpei_ahead_piece *p = s->piece;
		const uint64_t piece_end = p->begin + p->length;
		const size_t n = (size_t)((end < piece_end ? end : piece_end) - next);

		memcpy(b->memory + *have, p->bytes + (next - p->begin), n);
		*have += n;
		next += n;
		if (next == end || p->is_last)
			return;
		take_next_piece(s, next);
	}
}

void bpei_savefile_take_ahead(
	struct bpei_savefile *s, struct bpei_block *b, uint64_t end, size_t *have)
{
	const uint64_t next = s->offset + s->left_bytes;

	if (!s->piece || (next == s->piece->begin + s->piece->length && !s->piece->is_last))
		take_next_piece(s, s->offset);
	if (!join_in_piece(s, end, have))
		join_in_block(s, b, end, have);
	const struct bpei_ahead_piece *p = s->piece;

	if (p->is_last && s->offset + *have == p->begin + p->length && s->offset + *have < end)
		end_ahead(s);
}
