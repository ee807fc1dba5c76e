/* SPDX-License-Identifier: MIT */
/* Records and fragments of DTLS (dtls_fragments.h); stateless. */
#include "inspect/dtls_fragments.h"

#include "base/cursor.h"
#include "inspect/hello.h"
#include "inspect/tls_records.h"

enum { RECORD_HEAD = 13, FRAGMENT_HEAD = 12, LAST_TYPE = 26, NO_NUMBER = 65536 };

/* A fragment of a handshake message. */
struct dtls_fragment {
	uint8_t type;
	uint16_t number;
	uint32_t total, at, n; /* of the body */
	const uint8_t *bytes;
};

/* Takes a record; returns false if there is none. */
static bool take_dtls_record(
	struct bpei_cursor *c, uint8_t *type, uint16_t *epoch, struct bpei_hello_span *data)
{
	*type = bpei_cursor_u8(c);
	const uint16_t version = bpei_cursor_u16(c, true);
	*epoch = bpei_cursor_u16(c, true);
	const uint16_t sequence = bpei_cursor_u16(c, true);
	bpei_cursor_u32(c, true); /* the rest of the sequence number */
	data->n = bpei_cursor_u16(c, true);
	data->at = bpei_cursor_take(c, data->n);
	return data->at && *type >= BPEI_RECORD_CIPHER && *type <= LAST_TYPE &&
	       (version == 0xfeff || version == BPEI_DTLS_12 || version == 0x0100) &&
	       data->n <= BPEI_RECORD_MOST && !sequence;
}

/* Takes a fragment of a record in the clear; returns false if the bytes are none. */
static bool take_dtls_fragment(struct bpei_cursor *c, struct dtls_fragment *fragment)
{
	const uint32_t head = bpei_cursor_u32(c, true);

	fragment->type = (uint8_t)(head >> 24);
	fragment->total = head & 0xffffff;
	fragment->number = bpei_cursor_u16(c, true);
	fragment->at = (uint32_t)bpei_cursor_u8(c) << 16;
	fragment->at |= bpei_cursor_u16(c, true);
	fragment->n = (uint32_t)bpei_cursor_u8(c) << 16;
	fragment->n |= bpei_cursor_u16(c, true);
	fragment->bytes = bpei_cursor_take(c, fragment->n);
	return fragment->bytes && fragment->at <= fragment->total &&
	       fragment->n <= fragment->total - fragment->at;
}

bool bpei_dtls_fits(const uint8_t *datagram, size_t n)
{
	struct bpei_cursor c = bpei_cursor_init(datagram, n);

	if (!n)
		return false;
	while (bpei_cursor_left(&c)) {
		struct bpei_hello_span data;
		uint16_t epoch;
		uint8_t type;
		const bool is_first = c.next == datagram;
		/* behind other records, DTLS 1.3 has ciphertext with a short head */
		if (!is_first && c.next[0] >> 5 == 1)
			return true;
		if (!take_dtls_record(&c, &type, &epoch, &data) || !data.n)
			return false;
	}
	return true;
}

/* Adds what a fragment has to a message; bytes that are there already stay. */
static void add_bytes(struct bpei_dtls_message *message, const struct dtls_fragment *fragment)
{
	for (uint32_t i = 0; i < fragment->n; i++) {
		const size_t at = BPEI_HELLO_HEAD + (size_t)fragment->at + i;
		if (at >= BPEI_DTLS_MOST)
			return;
		if (message->seen[at / 8] >> at % 8 & 1)
			continue;
		message->bytes[at] = fragment->bytes[i];
		message->seen[at / 8] = (uint8_t)(message->seen[at / 8] | 1u << at % 8);
	}
}

static void add_fragment_of(struct bpei_dtls_message *message, uint8_t type, uint32_t number,
	const struct dtls_fragment *fragment)
{
	if (fragment->type != type || fragment->number != number)
		return;
	if (!message->total) {
		message->total = BPEI_HELLO_HEAD + (size_t)fragment->total;
		message->number = fragment->number;
		message->bytes[0] = type;
		message->bytes[1] = (uint8_t)(fragment->total >> 16);
		message->bytes[2] = (uint8_t)(fragment->total >> 8);
		message->bytes[3] = (uint8_t)fragment->total;
		message->seen[0] = 0xf;
	}
	/* fragments of a message agree on its length */
	if (message->total == BPEI_HELLO_HEAD + (size_t)fragment->total)
		add_bytes(message, fragment);
}

/* A walk over the handshake fragments in the clear of all datagrams. */
struct dtls_walk {
	const struct bpei_stream *stream;
	uint32_t next_datagram;
	struct bpei_cursor records, fragments;
	bool has_other; /* another record was passed */
};

/* Finds the next record with fragments; returns false at the end. */
static bool find_dtls_record(struct dtls_walk *walk)
{
	const struct bpei_stream *stream = walk->stream;

	for (;;) {
		struct bpei_hello_span data;
		uint16_t epoch;
		uint8_t type;
		if (bpei_cursor_left(&walk->records) &&
			take_dtls_record(&walk->records, &type, &epoch, &data)) {
			if (type == BPEI_RECORD_HANDSHAKE && !epoch) {
				walk->fragments = bpei_cursor_init(data.at, data.n);
				return true;
			}
			walk->has_other = true;
			continue;
		}
		if (walk->next_datagram == stream->datagrams)
			return false;
		const uint32_t k = walk->next_datagram++;
		const uint32_t start = k ? stream->ends[k - 1] : 0;
		walk->records = bpei_cursor_init(stream->bytes + start, stream->ends[k] - start);
	}
}

static bool find_fragment(struct dtls_walk *walk, struct dtls_fragment *fragment)
{
	do {
		if (bpei_cursor_left(&walk->fragments) &&
			take_dtls_fragment(&walk->fragments, fragment))
			return true;
	} while (find_dtls_record(walk));
	return false;
}

static struct dtls_walk start_fragments(const struct bpei_stream *stream)
{
	const struct bpei_cursor none = bpei_cursor_init(stream->bytes, 0);

	return (struct dtls_walk){ stream, 0, none, none, false };
}

int bpei_dtls_type(const struct bpei_stream *stream, uint32_t number)
{
	struct dtls_walk walk = start_fragments(stream);
	struct dtls_fragment fragment;

	while (find_fragment(&walk, &fragment)) {
		if (fragment.number == number)
			return fragment.type;
	}
	return -1;
}

bool bpei_dtls_is_closed(const struct bpei_stream *stream)
{
	struct dtls_walk walk = start_fragments(stream);
	struct dtls_fragment fragment;

	while (find_fragment(&walk, &fragment))
		;
	return walk.has_other;
}

bool bpei_dtls_gather(const struct bpei_stream *stream, uint8_t type, uint32_t from,
	struct bpei_dtls_message *message)
{
	struct dtls_walk walk = start_fragments(stream);
	struct dtls_fragment fragment;
	uint32_t number = NO_NUMBER;

	while (find_fragment(&walk, &fragment)) {
		if (fragment.type == type && fragment.number >= from && fragment.number < number)
			number = fragment.number;
	}
	message->total = 0;
	message->n = 0;
	if (number == NO_NUMBER)
		return false;
	memset(message->seen, 0, sizeof message->seen);
	walk = start_fragments(stream);
	while (find_fragment(&walk, &fragment))
		add_fragment_of(message, type, number, &fragment);
	while (message->n < BPEI_DTLS_MOST && message->seen[message->n / 8] >> message->n % 8 & 1)
		message->n++;
	return true;
}
