/* SPDX-License-Identifier: MIT */
/* Reads TCP's options on demand (RFC 9293 3.1; window scale and timestamps: RFC 7323; SACK: RFC
 * 2018).  Pure. */
#include "bpfengine.h"

#include "base/bytes.h"

enum { END = 0, NOP = 1, MSS = 2, WINDOW_SCALE = 3, SACK_PERMITTED = 4, SACK = 5, TIMESTAMPS = 8 };

/* Returns the length that an option has to have; 0: any. */
static uint32_t fixed_option_length(uint8_t kind)
{
	switch (kind) {
	case MSS:
		return 4;
	case WINDOW_SCALE:
		return 3;
	case SACK_PERMITTED:
		return 2;
	case TIMESTAMPS:
		return 10;
	default:
		return 0;
	}
}

/* Takes the option at p, of `length` bytes.  Returns false if its length is wrong. */
static bool take_tcp_option(const uint8_t *p, uint32_t length, struct bpe_tcp_options *o)
{
	const uint32_t fixed = fixed_option_length(*p);

	if (fixed && length != fixed)
		return false;
	switch (*p) {
	case MSS:
		o->mss = bpei_be16(p + 2);
		o->present |= BPE_TCP_MSS;
		return true;
	case WINDOW_SCALE:
		o->window_scale = p[2];
		o->present |= BPE_TCP_WINDOW_SCALE;
		return true;
	case SACK_PERMITTED:
		o->present |= BPE_TCP_SACK_PERMITTED;
		return true;
	case SACK:
		if (length <= 2 || (length - 2) % 8 || length > 34)
			return false;
		o->present |= BPE_TCP_SACK;
		o->sack_count = (uint8_t)((length - 2) / 8);
		for (uint32_t k = 0; k < o->sack_count; k++)
			for (uint32_t edge = 0; edge < 2; edge++)
				o->sack[k][edge] = bpei_be32(p + 2 + 8 * k + 4 * edge);
		return true;
	case TIMESTAMPS:
		o->timestamp = bpei_be32(p + 2);
		o->timestamp_echo = bpei_be32(p + 6);
		o->present |= BPE_TCP_TIMESTAMPS;
		return true;
	default:
		return true;
	}
}

/* Returns the header's bytes, at least 20 and not beyond the packet; marks others as bad. */
static uint32_t tcp_header_bytes(const uint8_t *header, uint32_t left, struct bpe_tcp_options *o)
{
	uint32_t bytes = (uint32_t)(header[12] >> 4) * 4;

	if (bytes < 20) {
		o->present |= BPE_TCP_OPTIONS_BAD;
		bytes = 20;
	}
	if (bytes > left) {
		o->present |= BPE_TCP_OPTIONS_BAD;
		bytes = left;
	}
	return bytes;
}

int bpe_batch_tcp_options(const struct bpe_batch *b, uint32_t i, struct bpe_tcp_options *o)
{
	if (i >= b->count)
		return BPE_E_ARGUMENT;
	const struct bpe_layers *l = &b->layers[i];
	if (l->proto != BPE_PROTO_TCP || l->transport == BPE_NO_OFFSET ||
		l->transport + 20u > l->end)
		return 0;
	*o = (struct bpe_tcp_options){ .present = 0 };
	const uint8_t *header = b->data[i] + l->transport;
	const uint8_t *p = header + 20;
	const uint8_t *end = header + tcp_header_bytes(header, l->end - l->transport, o);
	while (p < end && *p != END) {
		if (*p == NOP) {
			p++;
			continue;
		}
		const uint32_t left = (uint32_t)(end - p);
		const uint32_t length = left >= 2 ? p[1] : 0;
		if (length < 2 || length > left) {
			o->present |= BPE_TCP_OPTIONS_BAD;
			break;
		}
		if (!take_tcp_option(p, length, o))
			o->present |= BPE_TCP_OPTIONS_BAD;
		p += length;
	}
	return 1;
}
