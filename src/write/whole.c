/* SPDX-License-Identifier: MIT */
/* Where blocks and records end (whole.h); stateless. */
#include "write/whole.h"

#include "base/cursor.h"

#include <string.h>

#define BIG (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
#define BLOCK_LEAST 12u /* type, length, length */
#define RECORD_HEADER 16u
#define ENHANCED_PACKET 6u
#define SIMPLE_PACKET 3u
#define OLD_PACKET 2u
#define STATISTICS 5u

/* A block or a record. */
struct piece {
	size_t bytes; /* 0: there is none */
	uint32_t captured_bytes;
	bool packet, describes;
};

static struct piece find_block(const uint8_t *bytes, size_t left)
{
	struct bpei_cursor c = bpei_cursor_init(bytes, left);
	struct piece piece = { 0 };
	const uint32_t type = bpei_cursor_u32(&c, BIG);
	const uint32_t length = bpei_cursor_u32(&c, BIG);

	if (c.bad || length < BLOCK_LEAST || length % 4 || length > left)
		return piece;
	piece.bytes = length;
	piece.packet = type == ENHANCED_PACKET || type == SIMPLE_PACKET || type == OLD_PACKET;
	piece.describes = !piece.packet && type != STATISTICS;
	if (type == ENHANCED_PACKET || type == OLD_PACKET) {
		bpei_cursor_take(&c, 12); /* the interface and the time */
		piece.captured_bytes = bpei_cursor_u32(&c, BIG);
	} else if (type == SIMPLE_PACKET) {
		piece.captured_bytes = length - 16;
	}
	return piece;
}

static struct piece find_record(const uint8_t *bytes, size_t left)
{
	struct bpei_cursor c = bpei_cursor_init(bytes, left);
	struct piece piece = { 0 };

	bpei_cursor_take(&c, 8); /* the time */
	piece.captured_bytes = bpei_cursor_u32(&c, BIG);
	bpei_cursor_take(&c, 4); /* the length on the wire */
	if (c.bad || piece.captured_bytes > bpei_cursor_left(&c))
		return (struct piece){ 0 };
	piece.bytes = RECORD_HEADER + (size_t)piece.captured_bytes;
	piece.packet = true;
	return piece;
}

/* Returns the next piece of a chunk. */
static struct piece find_piece(const uint8_t *bytes, size_t left, bool pcapng, bool header)
{
	if (pcapng)
		return find_block(bytes, left);
	if (!header)
		return find_record(bytes, left);
	return (struct piece){ .bytes = left < BPEI_PCAP_HEADER ? 0 : BPEI_PCAP_HEADER,
		.describes = true };
}

struct bpei_whole bpei_whole_measure(const uint8_t *bytes, size_t written, bool pcapng, bool begins)
{
	struct bpei_whole whole = { 0 };

	for (;;) {
		const struct piece piece = find_piece(
			bytes + whole.bytes, written - whole.bytes, pcapng, begins && !whole.bytes);
		if (!piece.bytes)
			return whole;
		whole.bytes += piece.bytes;
		whole.packets += piece.packet;
		whole.captured_bytes += piece.captured_bytes;
	}
}

size_t bpei_whole_describe(
	const uint8_t *bytes, size_t used, bool pcapng, bool begins, uint8_t *to, size_t room)
{
	size_t total = 0;

	for (size_t at = 0;;) {
		const struct piece piece = find_piece(bytes + at, used - at, pcapng, begins && !at);
		if (!piece.bytes)
			break;
		if (piece.describes && total + piece.bytes <= room)
			memcpy(to + total, bytes + at, piece.bytes);
		if (piece.describes)
			total += piece.bytes;
		else if (!pcapng)
			break;
		at += piece.bytes;
	}
	return total;
}
