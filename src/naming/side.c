/* SPDX-License-Identifier: MIT */
/* Reassembly of a direction. */
#include "naming/side.h"

#include <string.h>

/* Takes the chunks of [from, to).  Returns false without room; chunks taken before stay. */
static bool take_chunks(
	struct bpei_side *side, struct bpei_pool *chunks, uint32_t from, uint32_t to)
{
	for (uint32_t k = from / BPEI_CHUNK; k * BPEI_CHUNK < to; k++) {
		if (!side->chunk[k])
			side->chunk[k] = bpei_pool_take(chunks);
		if (!side->chunk[k])
			return false;
	}
	return true;
}

/* Copies bytes to the chunks of [at, at + n). */
static void copy_to_chunks(const struct bpei_side *side, const struct bpei_pool *chunks,
	uint32_t at, const uint8_t *bytes, uint32_t n)
{
	while (n) {
		const uint32_t within = at % BPEI_CHUNK;
		const uint32_t room = BPEI_CHUNK - within;
		const uint32_t some = n < room ? n : room;
		uint8_t *const to = bpei_pool_at(chunks, side->chunk[at / BPEI_CHUNK]);

		memcpy(to + within, bytes, some);
		at += some;
		bytes += some;
		n -= some;
	}
}

/* Copies [at, at + n) from the chunks. */
static void copy_from_chunks(const struct bpei_side *side, const struct bpei_pool *chunks,
	uint32_t at, uint8_t *bytes, uint32_t n)
{
	while (n) {
		const uint32_t within = at % BPEI_CHUNK;
		const uint32_t room = BPEI_CHUNK - within;
		const uint32_t some = n < room ? n : room;
		const uint8_t *const from = bpei_pool_at(chunks, side->chunk[at / BPEI_CHUNK]);

		memcpy(bytes, from + within, some);
		at += some;
		bytes += some;
		n -= some;
	}
}

/* Writes the bytes outside of all spans. */
static void fill_gaps(const struct bpei_side *side, const struct bpei_pool *chunks, uint32_t offset,
	const uint8_t *bytes, uint32_t n)
{
	const uint32_t to = offset + n;
	uint32_t at = offset;

	for (uint32_t k = 0; k < side->spans && at < to; k++) {
		const struct bpei_span s = side->span[k];

		if (s.to <= at)
			continue;
		if (s.from >= to)
			break;
		if (s.from > at)
			copy_to_chunks(side, chunks, at, bytes + (at - offset), s.from - at);
		at = s.to;
	}
	if (at < to)
		copy_to_chunks(side, chunks, at, bytes + (at - offset), to - at);
}

/* Adds [from, to) to the spans, joined with the touched spans. */
static void add_span_at(
	struct bpei_side *side, uint32_t first, uint32_t behind, uint32_t from, uint32_t to)
{
	const uint32_t tail = side->spans - behind;

	if (behind > first) { /* spans first to behind - 1 are touched */
		if (side->span[first].from < from)
			from = side->span[first].from;
		if (side->span[behind - 1].to > to)
			to = side->span[behind - 1].to;
	}
	memmove(&side->span[first + 1], &side->span[behind], tail * sizeof side->span[0]);
	side->span[first] = (struct bpei_span){ (uint16_t)from, (uint16_t)to };
	side->spans = (uint8_t)(first + 1 + tail);
}

bool bpei_side_put(struct bpei_side *side, struct bpei_pool *chunks, uint32_t offset,
	const uint8_t *bytes, uint32_t n)
{
	uint32_t first = 0;

	if (offset >= BPEI_STREAM_MOST)
		return true;
	if (n > BPEI_STREAM_MOST - offset)
		n = BPEI_STREAM_MOST - offset;
	while (first < side->spans && side->span[first].to < offset)
		first++;
	uint32_t behind = first;

	while (behind < side->spans && side->span[behind].from <= offset + n)
		behind++;
	if (behind == first && side->spans == BPEI_SIDE_SPANS)
		return true;
	if (!take_chunks(side, chunks, offset, offset + n))
		return false;
	fill_gaps(side, chunks, offset, bytes, n);
	add_span_at(side, first, behind, offset, offset + n);
	return true;
}

bool bpei_side_append(
	struct bpei_side *side, struct bpei_pool *chunks, const uint8_t *bytes, uint32_t n)
{
	const uint32_t at = bpei_side_ready(side);

	if (side->datagrams == BPEI_DATAGRAMS_MOST || n > BPEI_STREAM_MOST - at)
		return true;
	if (!take_chunks(side, chunks, at, at + n))
		return false;
	copy_to_chunks(side, chunks, at, bytes, n);
	side->ends[side->datagrams++] = (uint16_t)(at + n);
	return true;
}

const uint8_t *bpei_side_bytes(
	const struct bpei_side *side, const struct bpei_pool *chunks, uint32_t n, uint8_t *room)
{
	if (n && n <= BPEI_CHUNK)
		return bpei_pool_at(chunks, side->chunk[0]);
	copy_from_chunks(side, chunks, 0, room, n);
	return room;
}

/* Moves the spans, and their bytes, n bytes to the front.  A span is lost if the new place needs a
 * chunk without room. */
static void shift_spans(struct bpei_side *side, struct bpei_pool *chunks, uint32_t n, uint8_t *room)
{
	uint32_t kept = 0;

	for (uint32_t k = 0; k < side->spans; k++) {
		const struct bpei_span s = side->span[k];
		const uint32_t from = s.from > n ? s.from : n;

		if (s.to <= n || !take_chunks(side, chunks, from - n, s.to - n))
			continue;
		copy_from_chunks(side, chunks, from, room, s.to - from);
		copy_to_chunks(side, chunks, from - n, room, s.to - from);
		side->span[kept++] =
			(struct bpei_span){ (uint16_t)(from - n), (uint16_t)(s.to - n) };
	}
	side->spans = (uint8_t)kept;
}

/* Moves the datagrams behind the first n bytes to the front. */
static void shift_datagrams(
	struct bpei_side *side, const struct bpei_pool *chunks, uint32_t n, uint8_t *room)
{
	const uint32_t all = bpei_side_ready(side);
	uint8_t kept = 0;

	copy_from_chunks(side, chunks, n, room, all - n);
	copy_to_chunks(side, chunks, 0, room, all - n);
	for (uint32_t k = 0; k < side->datagrams; k++)
		if (side->ends[k] > n)
			side->ends[kept++] = (uint16_t)(side->ends[k] - n);
	side->datagrams = kept;
}

void bpei_side_use(struct bpei_side *side, struct bpei_pool *chunks, uint32_t n, uint8_t *room)
{
	side->next += n;
	if (!n)
		return;
	if (side->datagrams)
		shift_datagrams(side, chunks, n, room);
	else
		shift_spans(side, chunks, n, room);
	if (!bpei_side_is_kept(side))
		bpei_side_clear(side, chunks);
}

void bpei_side_clear(struct bpei_side *side, struct bpei_pool *chunks)
{
	for (uint32_t k = 0; k < BPEI_SIDE_CHUNKS; k++) {
		if (side->chunk[k])
			bpei_pool_give(chunks, side->chunk[k]);
		side->chunk[k] = 0;
	}
	side->spans = 0;
	side->datagrams = 0;
}
