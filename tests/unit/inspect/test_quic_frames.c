/* SPDX-License-Identifier: MIT */
/* Frames of Initials, and the stream of CRYPTO frames. */
#include "inspect/quic.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct bpei_quic_stream stream;
static uint8_t text[256];

static void fill_text(void)
{
	for (uint32_t k = 0; k < sizeof text; k++)
		text[k] = (uint8_t)(k * 7 + 1);
}

static uint32_t put_crypto(uint8_t *to, uint32_t offset, uint32_t n)
{
	to[0] = 6;
	to[1] = (uint8_t)(0x40 | offset >> 8);
	to[2] = (uint8_t)offset;
	to[3] = (uint8_t)(0x40 | n >> 8);
	to[4] = (uint8_t)n;
	memcpy(to + 5, text + offset, n);
	return 5 + n;
}

Test(quic_frames, join_three_pieces_in_each_order, .timeout = 550)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
		{ 2, 0, 1 }, { 2, 1, 0 } };
	uint8_t frames[400];

	fill_text();
	for (uint32_t first = 1; first < 240; first++) {
		for (uint32_t second = first + 1; second < 241; second++) {
			const uint32_t cuts[4] = { 0, first, second, 241 };
			const uint8_t *order = orders[(first + second) % 6];
			uint32_t n = 0;
			stream.count = 0;
			memset(stream.bytes, 0, 241);
			for (int k = 0; k < 3; k++)
				n += put_crypto(frames + n, cuts[order[k]],
					cuts[order[k] + 1] - cuts[order[k]]);
			cr_assert(bpei_quic_frames_read(&stream, 6, frames, n));
			cr_assert_eq(bpei_quic_stream_ready(&stream), 241);
			cr_assert_eq(memcmp(stream.bytes, text, 241), 0);
			cr_assert_eq(stream.count, 1);
		}
	}
}

Test(quic_frames, all_orders_of_three_pieces, .timeout = 550)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
		{ 2, 0, 1 }, { 2, 1, 0 } };
	static const uint32_t cuts[4] = { 0, 50, 130, 241 };

	fill_text();
	for (int o = 0; o < 6; o++) {
		uint32_t ready = 0;
		stream.count = 0;
		for (int k = 0; k < 3; k++) {
			uint32_t at = cuts[orders[o][k]];
			cr_assert(bpei_quic_stream_add(
				&stream, at, text + at, cuts[orders[o][k] + 1] - at));
			if (k < 2 && orders[o][k] == 0)
				ready = 50;
			if (k < 2)
				cr_assert_geq(bpei_quic_stream_ready(&stream), ready);
		}
		cr_assert_eq(bpei_quic_stream_ready(&stream), 241);
		cr_assert_eq(memcmp(stream.bytes, text, 241), 0);
	}
}

/* Random overlapping pieces, against a plain model of a byte each. */
Test(quic_frames, bytes_that_came_first_stay, .timeout = 550)
{
	uint8_t model[256], piece[64];
	bool there[256];
	uint64_t state = 12345;

	for (uint32_t round = 0; round < 3000; round++) {
		stream.count = 0;
		memset(there, 0, sizeof there);
		for (uint32_t k = 0; k < 40; k++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			uint32_t at = (uint32_t)(state >> 33) % 200;
			uint32_t n = (uint32_t)(state >> 50) % 56;
			memset(piece, (int)(k + 1), n);
			cr_assert(bpei_quic_stream_add(&stream, at, piece, n));
			for (uint32_t j = at; j < at + n; j++) {
				if (!there[j])
					model[j] = (uint8_t)(k + 1);
				there[j] = true;
			}
		}
		uint32_t ready = 0;
		while (ready < sizeof there && there[ready])
			ready++;
		cr_assert_eq(bpei_quic_stream_ready(&stream), ready);
		for (uint32_t k = 0; k < stream.count; k++) {
			uint32_t from = stream.spans[k].from;
			uint32_t to = stream.spans[k].to;
			cr_assert(from < to && (!k || stream.spans[k - 1].to < from));
			cr_assert_eq(memcmp(stream.bytes + from, model + from, to - from), 0);
		}
	}
}

Test(quic_frames, the_stream_has_bounds, .timeout = 550)
{
	fill_text();
	stream.count = 0;
	cr_assert(bpei_quic_stream_add(&stream, BPEI_STREAM_MOST - 1, text, 1));
	cr_assert_not(bpei_quic_stream_add(&stream, BPEI_STREAM_MOST - 1, text, 2));
	cr_assert_not(bpei_quic_stream_add(&stream, BPEI_STREAM_MOST + 1, text, 0));
	cr_assert_not(bpei_quic_stream_add(&stream, UINT64_MAX, text, 1));
	cr_assert_not(bpei_quic_stream_add(&stream, (1ull << 62) - 1, text, 200));
	stream.count = 0;
	for (uint32_t k = 0; k < BPEI_QUIC_SPANS; k++)
		cr_assert(bpei_quic_stream_add(&stream, 2 * k, text, 1));
	cr_assert_not(bpei_quic_stream_add(&stream, 2 * BPEI_QUIC_SPANS, text, 1));
	/* A piece beside a span needs no further span. */
	cr_assert(bpei_quic_stream_add(&stream, 1, text, 1));
	cr_assert_eq(bpei_quic_stream_ready(&stream), 3);
	cr_assert_eq(stream.count, BPEI_QUIC_SPANS - 1);
	cr_assert(bpei_quic_stream_add(&stream, 0, text, 2 * BPEI_QUIC_SPANS));
	cr_assert_eq(stream.count, 1);
}

Test(quic_frames, skip_what_is_no_crypto, .timeout = 550)
{
	static const uint8_t acks[] = {
		0, 1, 0,                            /* PADDING, PING */
		2, 0x40, 9, 1, 1, 2, 0, 3,          /* ACK with two ranges */
		3, 9, 1, 0, 2, 1, 1, 0x80, 0, 0, 1, /* with ECN */
		0x1c, 0x41, 0, 6, 3, 'b', 'y', 'e', /* CONNECTION_CLOSE */
	};
	uint8_t frames[128];

	fill_text();
	memcpy(frames, acks, sizeof acks);
	uint32_t n = sizeof acks;
	n += put_crypto(frames + n, 0, 40);
	stream.count = 0;
	cr_assert(bpei_quic_frames_read(&stream, 6, frames, n));
	cr_assert_eq(bpei_quic_stream_ready(&stream), 40);
	/* Any cut within the CRYPTO frame, or a frame of other packets, adds nothing. */
	for (uint32_t cut = sizeof acks + 1; cut < n; cut++) {
		uint8_t *exact = malloc(cut);
		cr_assert_not_null(exact);
		memcpy(exact, frames, cut);
		stream.count = 0;
		cr_assert_not(bpei_quic_frames_read(&stream, 6, exact, cut), "%u bytes", cut);
		cr_assert_eq(stream.count, 0);
		free(exact);
	}
	for (uint32_t type = 0; type < 256; type++) {
		bool known = type <= 3 || type == 6 || type == 0x1c;
		uint8_t other[64] = { 0 };
		put_crypto(other, 0, 40);
		other[45] = (uint8_t)type;
		stream.count = 0;
		cr_assert_eq(bpei_quic_frames_read(&stream, 6, other, 64), known, "%u", type);
		cr_assert_eq(stream.count, known);
	}
	cr_assert_not(bpei_quic_frames_read(&stream, 6, frames, 0));
	/* As many ranges as a number can tell. */
	static const uint8_t ranges[] = { 2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0 };
	cr_assert_not(bpei_quic_frames_read(&stream, 6, ranges, sizeof ranges));
	/* Google's CRYPTO frames. */
	frames[sizeof acks] = 8;
	stream.count = 0;
	cr_assert_not(bpei_quic_frames_read(&stream, 6, frames, n));
	cr_assert(bpei_quic_frames_read(&stream, 8, frames, n));
	cr_assert_eq(bpei_quic_stream_ready(&stream), 40);
}
