/* SPDX-License-Identifier: MIT */
/* Frames of an Initial (RFC 9000, 12.4 and 19), and the bytes of CRYPTO frames; stateless.
 * The first bytes stay: a later frame with other bytes for the same place changes nothing. */
#include "inspect/quic.h"

#include <string.h>

/* Copies a piece to the places without a span. */
static void copy_to_holes(
	struct bpei_quic_stream *s, uint32_t from, uint32_t to, const uint8_t *bytes)
{
	uint32_t at = from;
	for (uint32_t k = 0; k <= s->count && at < to; k++) {
		uint32_t hole = to;
		if (k < s->count && s->spans[k].from < to)
			hole = s->spans[k].from;
		if (hole > at) {
			memcpy(s->bytes + at, bytes + (at - from), hole - at);
			at = hole;
		}
		if (k < s->count && s->spans[k].to > at)
			at = s->spans[k].to;
	}
}

bool bpei_quic_stream_add(
	struct bpei_quic_stream *s, uint64_t offset, const uint8_t *bytes, uint32_t n)
{
	if (offset > sizeof s->bytes || n > sizeof s->bytes - offset)
		return false;
	if (!n)
		return true;
	uint32_t from = (uint32_t)offset;
	uint32_t to = from + n;
	uint32_t first = 0;
	while (first < s->count && s->spans[first].to < from)
		first++;
	uint32_t next = first; /* the first span behind the piece */
	while (next < s->count && s->spans[next].from <= to)
		next++;
	if (next == first && s->count == BPEI_QUIC_SPANS)
		return false;
	copy_to_holes(s, from, to, bytes);
	if (next > first) {
		if (s->spans[first].from < from)
			from = s->spans[first].from;
		if (s->spans[next - 1].to > to)
			to = s->spans[next - 1].to;
	}
	memmove(&s->spans[first + 1], &s->spans[next], (s->count - next) * sizeof s->spans[0]);
	s->count = s->count - (next - first) + 1;
	s->spans[first].from = from;
	s->spans[first].to = to;
	return true;
}

uint32_t bpei_quic_stream_ready(const struct bpei_quic_stream *s)
{
	if (!s->count || s->spans[0].from)
		return 0;
	return s->spans[0].to;
}

/* Skips count numbers. */
static bool skip_numbers(const uint8_t *bytes, uint32_t n, uint32_t *at, uint64_t count)
{
	uint64_t number;

	while (count--)
		if (!bpei_quic_number(bytes, n, at, &number))
			return false;
	return true;
}

/* Skips an ACK frame: largest, delay, ranges, first range, and with ECN three counts. */
static bool skip_ack(const uint8_t *bytes, uint32_t n, uint32_t *at, bool ecn)
{
	uint64_t ranges;

	if (!skip_numbers(bytes, n, at, 2) || !bpei_quic_number(bytes, n, at, &ranges) ||
		ranges > n)
		return false;
	return skip_numbers(bytes, n, at, 1 + 2 * ranges + (ecn ? 3 : 0));
}

/* Skips a CONNECTION_CLOSE frame: error, type of the frame in error, and a reason. */
static bool skip_close(const uint8_t *bytes, uint32_t n, uint32_t *at)
{
	uint64_t reason;

	if (!skip_numbers(bytes, n, at, 2) || !bpei_quic_number(bytes, n, at, &reason) ||
		reason > n - *at)
		return false;
	*at += (uint32_t)reason;
	return true;
}

/* Reads a CRYPTO frame into the stream; NULL: skips the frame. */
static bool read_crypto(
	struct bpei_quic_stream *stream, const uint8_t *bytes, uint32_t n, uint32_t *at)
{
	uint64_t offset, length;

	if (!bpei_quic_number(bytes, n, at, &offset) || !bpei_quic_number(bytes, n, at, &length) ||
		length > n - *at)
		return false;
	if (stream)
		bpei_quic_stream_add(stream, offset, bytes + *at, (uint32_t)length);
	*at += (uint32_t)length;
	return true;
}

/* Walks over all frames. */
static bool walk_frames(
	struct bpei_quic_stream *stream, uint8_t crypto, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t at = 0; at < n;) {
		uint8_t type = bytes[at++];
		bool good = true;
		if (type == crypto)
			good = read_crypto(stream, bytes, n, &at);
		else if (type == 2 || type == 3)
			good = skip_ack(bytes, n, &at, type == 3);
		else if (type == 0x1c)
			good = skip_close(bytes, n, &at);
		else if (type > 1) /* neither PADDING nor PING */
			good = false;
		if (!good)
			return false;
	}
	return true;
}

bool bpei_quic_frames_read(
	struct bpei_quic_stream *stream, uint8_t crypto, const uint8_t *bytes, uint32_t n)
{
	return n && walk_frames(NULL, crypto, bytes, n) && walk_frames(stream, crypto, bytes, n);
}
